"""Cells as they were typed, turned into text, numbers, times and flags.

Every function takes a column of cells (text from a CSV, mixed types from Excel, typed
values from Parquet) and returns a column of the same length and index. A cell that cannot
be read comes out missing: what is missing and was not blank is what could not be read.
The work is done once per distinct value.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
import unicodedata
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "clean",
    "fold",
    "guess_date_formats",
    "guess_number_style",
    "spell_format",
    "to_flag",
    "to_number",
    "to_text",
    "to_time",
]

# How systems write "nothing".
BLANKS = frozenset(
    [
        "",
        "-",
        "--",
        "NULL",
        "null",
        "None",
        "NaN",
        "nan",
        "N/A",
        "n/a",
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NUM!",
        "(vide)",
        "\\N",
    ]
)
_YES = frozenset(("oui", "yes", "o", "y", "1", "true", "vrai", "x", "ok", "on", "si", "ja"))
_NO = frozenset(("non", "no", "n", "0", "false", "faux", "off", "nein"))
_CURRENCY = (
    r"€|\$|£|¥|(?i:euros?|eur|usd|gbp|chf|cad|aud|jpy|sek|nok|dkk|pln|mad|tnd|dzd|xof|xaf|xpf|brl"
    r"|inr|cny|frs?|f)(?:\s*(?i:ttc|ht))?|(?i:ttc|ht)"
)
# Excel counts days from here (it believes that 1900 was a leap year).
_EXCEL_EPOCH = pd.Timestamp("1899-12-30")
_EXCEL_DAYS = (1, 2_958_465)


def fold(text: object) -> str:
    """Lower case without accents, one space between words: the form in which words compare.

    >>> fold("  Payée\u00a0le ")
    'payee le'
    """
    bare = unicodedata.normalize("NFKD", str(text))
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())


def _on_distinct(cells: pd.Series, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
    codes, distinct = pd.factorize(cells, use_na_sentinel=True)
    values = read(pd.Series(distinct)).reset_index(drop=True)
    spread = values.reindex(codes)
    spread.index = cells.index
    return spread


def clean(cells: pd.Series) -> pd.Series:
    """Cells without the spaces around them; blank ones (`""`, NULL, #N/A, -) missing."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(cells.cat.categories.dtype)
    if isinstance(cells.dtype, pd.StringDtype):
        return _on_distinct(cells, _clean_text)
    if cells.dtype != object:
        return cells
    return _on_distinct(
        cells, lambda found: pd.Series([_clean_cell(cell) for cell in found], dtype=object)
    )


def _clean_text(texts: pd.Series) -> pd.Series:
    array = pa.array(texts, type=pa.string())
    array = pc.replace_substring_regex(array, "[\u00a0\u202f\u2007\u2009]", " ")
    tidy = pd.Series(pc.utf8_trim_whitespace(array).to_pandas(), dtype=texts.dtype)
    return tidy.mask(tidy.isin(list(BLANKS)))


def _clean_cell(cell: object) -> object:
    if isinstance(cell, str):
        text = re.sub("[\u00a0\u202f\u2007\u2009]", " ", cell).strip()
        return None if text in BLANKS else text
    return cell


# --- text -------------------------------------------------------------------------------------


def to_text(cells: pd.Series) -> pd.Series:
    """Cells as text: 12.0 typed as a number is "12", a date is in ISO form."""
    if isinstance(cells.dtype, pd.StringDtype):
        return cells
    return _on_distinct(
        cells, lambda found: pd.Series([_cell_as_text(cell) for cell in found], dtype="str")
    )


def _cell_as_text(cell: object) -> str | None:
    if cell is None or cell is pd.NaT:
        return None
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, (float, np.floating)):
        if math.isnan(cell):
            return None
        # An identifier that Excel or Parquet stored as a number.
        return str(int(cell)) if float(cell).is_integer() else repr(float(cell))
    if isinstance(cell, dt.datetime):
        midnight = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    return str(cell)


# --- numbers ----------------------------------------------------------------------------------


def to_number(
    cells: pd.Series, *, decimal: str = ".", thousands: str | None = None, percent: bool = False
) -> pd.Series:
    """Cells as numbers.

    Currency signs and codes around the number are dropped, spaces between groups of three
    digits too, `(12)` and `12-` are negative. A number in another style than the one
    declared is not guessed at: with decimal ".", `12,50` cannot be read.

    Parameters
    ----------
    cells : Series
    decimal : {".", ","}
    thousands : str, optional
        Sign between groups of three digits, besides the space.
    percent : bool
        Whether `20 %` is read, as 0.20.

    Returns
    -------
    Series of float
    """

    def read(found: pd.Series) -> pd.Series:
        if isinstance(found.dtype, pd.StringDtype):
            return pd.Series(_parse_numbers(found, decimal, thousands, percent))
        if pd.api.types.is_bool_dtype(found):
            return pd.Series(np.nan, index=found.index)
        if pd.api.types.is_numeric_dtype(found):
            return found.astype("float64")
        values = pd.Series(np.nan, index=found.index, dtype="float64")
        is_text = _are(found, str)
        values[is_text] = _parse_numbers(found[is_text], decimal, thousands, percent)
        typed = _are(found, numbers.Number) & ~_are(found, (bool, np.bool_))
        values[typed] = found[typed].astype("float64")
        return values.replace([np.inf, -np.inf], np.nan)

    return _on_distinct(cells, read)


def _are(cells: pd.Series, kind: type | tuple[type, ...]) -> pd.Series:
    return pd.Series([isinstance(cell, kind) for cell in cells], index=cells.index, dtype=bool)


def _number_pattern(decimal: str, thousands: str | None) -> tuple[str, str]:
    mark = re.escape(decimal)
    groups = "[ '’" + (re.escape(thousands) if thousands else "") + "]"
    body = (
        rf"\d{{1,3}}(?:{groups}\d{{3}})+(?:{mark}\d*)?"
        rf"|\d+(?:{mark}\d*)?(?:[eE][+-]?\d+)?|{mark}\d+"
    )
    pattern = (
        rf"^(?P<open>\()?(?P<sign>[-+−–]?)\s*(?:{_CURRENCY})?\s*(?P<inner>[-+−–]?)\s*(?P<body>{body})"
        rf"\s*(?P<after>%|{_CURRENCY})?\s*(?P<trail>[-−–]?)(?P<close>\))?$"
    )
    return pattern, groups


def _parse_numbers(
    texts: pd.Series, decimal: str, thousands: str | None, percent: bool
) -> np.ndarray:
    if texts.empty:
        return np.array([], dtype="float64")
    pattern, groups = _number_pattern(decimal, thousands)
    parts = pc.extract_regex(pa.array(texts, type=pa.string()), pattern)
    body, after = parts.field("body"), parts.field("after")
    body = pc.replace_substring_regex(body, groups, "")
    body = pc.replace_substring(body, decimal, ".")
    # "12." and ".5" are numbers to people, not to every parser.
    body = pc.replace_substring_regex(body, r"\.$", "")
    valid = parts.is_valid()
    body = pc.if_else(valid, body, pa.scalar(None, pa.string()))
    values = pc.cast(body, pa.float64()).to_numpy(zero_copy_only=False).copy()

    opened = pc.equal(parts.field("open"), "(")
    closed = pc.equal(parts.field("close"), ")")
    minus = pa.array(["-", "−", "–"])
    signs = [pc.is_in(parts.field(name), value_set=minus) for name in ("sign", "inner", "trail")]

    def known(mask: pa.Array) -> np.ndarray:
        return pc.fill_null(mask, False).to_numpy(zero_copy_only=False)

    counted = sum(known(sign).astype(int) for sign in signs) + known(opened).astype(int)
    values[counted == 1] *= -1
    values[(counted > 1) | (known(opened) != known(closed))] = np.nan
    is_percent = known(pc.equal(after, "%"))
    values[is_percent] = values[is_percent] / 100 if percent else np.nan
    return values


_NUMBER_STYLES: tuple[tuple[str, str | None], ...] = (
    (".", None),
    (",", None),
    (",", "."),
    (".", ","),
)


def guess_number_style(texts: Iterable[str]) -> tuple[str, str | None] | None:
    """Decimal sign and thousands sign that read most of these texts.

    Returns
    -------
    tuple of str and (str or None), or None
        None when no style reads at least half of them. Without any decimal sign the answer
        is (".", None).
    """
    found = pd.Series(list(texts), dtype="str")
    if found.empty:
        return None
    best: tuple[float, tuple[str, str | None]] | None = None
    for style in _NUMBER_STYLES:
        share = float(np.isfinite(_parse_numbers(found, *style, True)).mean())
        # Later styles read more: they are taken only for what the simpler ones cannot.
        if best is None or share > best[0]:
            best = (share, style)
    assert best is not None
    return best[1] if best[0] >= 0.5 else None


# --- times ------------------------------------------------------------------------------------


def to_time(cells: pd.Series, *, formats: Iterable[str], zone: str | None) -> pd.Series:
    """Cells as times, UTC, without a zone.

    A value whose time of day is midnight is a calendar day: it stays on that day and is not
    shifted (31/12/2025 in Paris stays 2025-12-31, it does not become 2025-12-30 23:00); a
    time that falls on UTC midnight of another day is set a microsecond later, so that only
    days are at midnight. A
    value that carries its own offset (`...Z`, `...+01:00`) uses it. An hour that exists twice
    (clocks going back) is the first of the two; one that does not exist is moved forward.

    Parameters
    ----------
    cells : Series
    formats : iterable of str
        `strftime` patterns tried in order, "iso" (2025-12-31, with or without a time) or
        "excel" (days since 1900, as a number). Typed dates need none.
    zone : str or None
        Zone of the times; None to leave them as they are.

    Returns
    -------
    Series of datetime64[us]
    """
    formats = list(formats)

    def read(found: pd.Series) -> pd.Series:
        if isinstance(found.dtype, pd.DatetimeTZDtype):
            return found.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
        if pd.api.types.is_datetime64_dtype(found):
            return _to_utc(found.astype("datetime64[us]"), zone)
        local = pd.Series(pd.NaT, index=found.index, dtype="datetime64[us]")
        absolute = local.copy()
        texts = found
        if not isinstance(found.dtype, pd.StringDtype):
            typed = _are(found, dt.date)
            aware = typed & found.map(lambda cell: getattr(cell, "tzinfo", None) is not None)
            local[typed & ~aware] = _timestamps(found[typed & ~aware], utc=False)
            absolute[aware] = _timestamps(found[aware], utc=True)
            # A number in a column of dates, 20251231 or 46022, is read as the formats say.
            texts = to_text(found.mask(typed))
        for pattern in formats:
            todo = texts.notna() & local.isna() & absolute.isna()
            if not todo.any():
                break
            if pattern == "excel":
                local[todo] = _from_serial(texts[todo])
            elif pattern == "iso":
                local[todo], absolute[todo] = _from_iso(texts[todo])
            elif "%z" in pattern:
                absolute[todo] = _strptime(texts[todo], pattern, utc=True)
            else:
                local[todo] = _strptime(texts[todo], pattern, utc=False)
        return absolute.fillna(_to_utc(local, zone))

    return _on_distinct(cells, read)


def _timestamps(found: pd.Series, utc: bool) -> pd.Series:
    times = pd.to_datetime(found, errors="coerce", utc=utc)
    return (times.dt.tz_localize(None) if utc else times).astype("datetime64[us]")


def _strptime(texts: pd.Series, pattern: str, utc: bool) -> pd.Series:
    times = pd.to_datetime(texts, format=pattern, errors="coerce", utc=utc)
    return (times.dt.tz_localize(None) if utc else times).astype("datetime64[us]")


def _from_serial(texts: pd.Series) -> pd.Series:
    days = pd.to_numeric(texts.str.replace(",", "."), errors="coerce")
    days = days.where(days.between(*_EXCEL_DAYS))
    # Excel's fractions of a day are exact to the second at best.
    return (_EXCEL_EPOCH + pd.to_timedelta((days * 86400).round(), unit="s")).astype(
        "datetime64[us]"
    )


_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?"
_OFFSET = r"\s*(?:Z|[+-]\d{2}:?\d{2})$"


def _from_iso(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    local = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us]")
    absolute = local.copy()
    offset = texts.str.match(_ISO + _OFFSET).astype(bool)
    plain = texts.str.match(_ISO + "$").astype(bool)
    local[plain] = _strptime(texts[plain], "ISO8601", utc=False)
    absolute[offset] = _strptime(
        texts[offset].str.replace(r"\s+(?=Z|[+-]\d{2}:?\d{2}$)", "", regex=True),
        "ISO8601",
        utc=True,
    )
    return local, absolute


def _to_utc(local: pd.Series, zone: str | None) -> pd.Series:
    if zone is None:
        return local
    timed = (local != local.dt.normalize()) & local.notna()
    if not timed.any():
        return local
    wall = local[timed]
    utc = wall.dt.tz_localize(
        zone, ambiguous=np.ones(len(wall), dtype=bool), nonexistent="shift_forward"
    ).dt.tz_convert("UTC")
    plain = utc.dt.tz_localize(None).astype("datetime64[us]")
    # 19:00 in New York is midnight of the next day in UTC; it must not pass for that day.
    other_day = (plain == plain.dt.normalize()) & (plain != wall.dt.normalize())
    result = local.copy()
    result[timed] = plain.mask(other_day, plain + pd.Timedelta(microseconds=1))
    return result


_DAYS_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d-%m-%y", "%d.%m.%y", "%d %m %Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_NEUTRAL = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%d %B %Y")
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p",
          " à %H:%M", " %Hh%M", " - %H:%M")  # fmt: skip


def guess_date_formats(texts: Iterable[str], *, day_first: bool = True) -> tuple[list[str], bool]:
    """Formats that read these texts, most common first.

    Parameters
    ----------
    texts : iterable of str
        Distinct values; a few hundred are enough.
    day_first : bool
        Which of 03/04/2025's readings to prefer when nothing tells.

    Returns
    -------
    formats : list of str
        Empty when fewer than half of the texts read as dates.
    sure : bool
        False when day and month could be swapped (no day above 12), or when both orders
        occur in the column.
    """
    left = pd.Series(sorted(set(texts)), dtype="str")
    total = len(left)
    if not total:
        return [], True
    first, second = (_DAYS_FIRST, _MONTH_FIRST) if day_first else (_MONTH_FIRST, _DAYS_FIRST)
    days = [*_NEUTRAL, *first, *second]
    candidates = ["iso", *(day + time for day in days for time in _TIMES)]
    found: list[str] = []
    sure = True
    while len(left) and len(found) < 4:
        reads = {}
        some = left.iloc[:: max(1, len(left) // 20)]
        for pattern in candidates:
            if any(_plausible(text, pattern) for text in some):
                reads[pattern] = to_time(left, formats=[pattern], zone=None).notna()
        counts = {pattern: int(mask.sum()) for pattern, mask in reads.items()}
        best = max(counts, key=lambda p: counts[p], default=None)
        if best is None or counts[best] == 0:
            break
        swapped = _swapped(best)
        if swapped and counts.get(swapped, 0) == counts[best]:
            sure = False
        if any({best[:2], other[:2]} == {"%d", "%m"} for other in found):
            # Both orders in one column: the rarer one is left out, and told.
            sure = False
        else:
            found.append(best)
        left = left[~reads[best]].reset_index(drop=True)
    if (total - len(left)) / total < 0.5:
        serials = _from_serial(pd.Series(sorted(set(texts)), dtype="str"))
        recent = serials.between(pd.Timestamp("1980-01-01"), pd.Timestamp("2100-01-01"))
        return (["excel"], True) if recent.mean() > 0.5 else ([], True)
    return found, sure


def _plausible(text: str, pattern: str) -> bool:
    """Cheap filter: the separators of the pattern occur in the text."""
    if pattern == "iso":
        return "-" in text
    marks = re.sub(r"%.", "", pattern).strip()
    return all(mark in text for mark in marks)


def _swapped(pattern: str) -> str | None:
    if pattern.startswith("%d") and "%m" in pattern:
        return pattern.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m")
    if pattern.startswith("%m"):
        return pattern.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m")
    return None


def spell_format(pattern: str) -> str:
    """A date format by an example: `%d/%m/%Y` is 31/12/2025."""
    if pattern == "iso":
        return "2025-12-31"
    if pattern == "excel":
        return "46022 (Excel's count of days)"
    return dt.datetime(2025, 12, 31, 14, 5, 0).strftime(pattern)


# --- flags ------------------------------------------------------------------------------------


def to_flag(cells: pd.Series) -> pd.Series:
    """Cells as yes or no (oui/non, yes/no, 1/0, true/false, x): a column of objects."""

    def read(found: pd.Series) -> pd.Series:
        words = to_text(found).map(fold, na_action="ignore")
        flags = pd.Series(None, index=found.index, dtype=object)
        flags[words.isin(_YES)] = True
        flags[words.isin(_NO)] = False
        return flags

    return _on_distinct(cells, read).astype(object)
