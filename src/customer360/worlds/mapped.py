"""Anyone's own files, read by their mapping into the raw tables.

A file is read as cells, the mapping turns its columns into ours, and every row ends in a
table or among the rejected rows with a reason. Only a file that cannot be understood as a
whole stops the reading, with a message that says what to write in the mapping.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, Column
from customer360.worlds import parsing, tabular
from customer360.worlds.arrived import Arrived
from customer360.worlds.assemble import Part, assemble, emptied_table, rejected_table
from customer360.worlds.spec import DatasetError, known_columns, needed_columns

__all__ = ["FileReport", "incoming_folder", "read_and_report", "read_files"]

NO_CUSTOMER = "no customer id"
TOTAL = "neither customer nor date: a total or a remark, not a purchase"
# Above this share of unreadable values a required column is wrongly mapped, not dirty.
UNREADABLE_LIMIT = 0.5
# Another style of writing in at least this share of a column is a fault of the mapping.
OTHER_STYLE_SHARE = {"time": 0.01, "date": 0.01, "number": 0.05, "integer": 0.05}
# Nobody born since is a customer: two-digit years above are of the last century.
LAST_TWO_DIGIT_BIRTH_YEAR = 2015


@dataclass
class FileReport:
    """What became of one file, for one table.

    Attributes
    ----------
    file, table : str
    rows, kept : int
    mapped : dict
        Their title to our column.
    unused : list of str
        Titles of the columns that the mapping does not use.
    rejected : dict
        Reason to number of rows.
    emptied : dict
        Reason to number of values.
    first, last : Timestamp or None
        Range of the times of the rows kept.
    amount, amount_rejected : float
        Sum of the amounts of the rows kept, and of those set aside where readable.
    """

    file: str
    table: str
    rows: int
    kept: int
    mapped: dict[str, str]
    unused: list[str]
    rejected: dict[str, int]
    emptied: dict[str, int]
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    amount: float
    amount_rejected: float


def incoming_folder(*, spec: dict[str, Any], root: Path) -> Path:
    """Where the user's own files of this dataset are kept."""
    return Path(root) / "data" / "incoming" / str(spec["name"])


def read_files(*, spec: dict[str, Any], root: Path) -> Arrived:
    """Read the files of a dataset of world `files` into raw tables.

    Parameters
    ----------
    spec : dict
        As returned by `read_spec`.
    root : Path
        Folder of the project; the files are in `data/incoming/NAME/` under it.

    Returns
    -------
    Arrived
        Arrow tables that keep the raw contracts, with every column of the contract. Rows
        that could not be read are in `rejected`, values emptied in rows kept in `emptied`.
        Rows of the files (fully blank ones are none) = rows of the tables + rows rejected.
        An entry with `distinct` counts its distinct rows only.

    Raises
    ------
    DatasetError
        When a file or a column cannot be understood as a whole. All files are looked at
        before it is raised.

    Notes
    -----
    Times become UTC; a value at midnight is a calendar day and keeps its day (see
    `parsing.to_time`). An order without a number of its own is the purchases of one customer
    at one time; lines without a number are numbered in file order.
    """
    return read_and_report(spec=spec, root=root)[0]


def read_and_report(*, spec: dict[str, Any], root: Path) -> tuple[Arrived, list[FileReport]]:
    """Read as `read_files` does, and tell what became of each file.

    Returns
    -------
    arrived : Arrived
    reports : list of FileReport
        One per file and table, in the order of the mapping.
    """
    folder = incoming_folder(spec=spec, root=root)
    parts = _read_parts(spec, folder)
    tables: dict[str, pa.Table] = {}
    for table in dict.fromkeys(part.table for part in parts):
        tables[table] = assemble(table, [part for part in parts if part.table == table])
    rejected = rejected_table(parts)
    rows = sum(part.row_count for part in parts)
    if rows != rejected.num_rows + sum(table.num_rows for table in tables.values()):
        raise RuntimeError("a row of the files is neither in a table nor among the rejected ones")
    arrived = Arrived(tables=tables, rejected=rejected, emptied=emptied_table(parts))
    return arrived, [_report(part) for part in parts]


# --- file by file -----------------------------------------------------------------------------


def _read_parts(spec: dict[str, Any], folder: Path) -> list[Part]:
    parts: list[Part] = []
    problems: list[str] = []
    seen: set[tuple[str, str | None, str]] = set()
    for entry in spec["files"]:
        try:
            paths = _find_files(entry["file"], folder, spec["name"])
        except DatasetError as error:
            problems.append(str(error))
            continue
        for path in paths:
            label = path.relative_to(folder).as_posix()
            if (label, entry["sheet"], entry["table"]) in seen:
                problems.append(
                    f"{label} is read twice as {entry['table']}; correct the two entries that "
                    "name it"
                )
                continue
            seen.add((label, entry["sheet"], entry["table"]))
            if entry["sheet"] is not None:
                label = f"{label} [{entry['sheet']}]"
            try:
                parts.append(_read_part(path, label, entry, spec))
            except DatasetError as error:
                problems.append(str(error))
    if problems:
        raise DatasetError("\n".join(problems))
    return parts


def _find_files(pattern: str, folder: Path, name: str) -> list[Path]:
    place = f"data/incoming/{name}"
    if not folder.is_dir():
        raise DatasetError(f"{pattern}: the folder {place} does not exist; copy your files into it")
    exact = folder / pattern
    if exact.exists():
        return [exact]
    # `ventes [2025].xlsx` is a name first, a pattern second.
    # `~$name.xlsx` is the lock that Excel leaves beside an open workbook.
    found = sorted(
        path
        for path in folder.glob(pattern)
        if path.is_file() and not path.name.startswith((".", "~$"))
    )
    if found:
        return found
    present = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    close = difflib.get_close_matches(pattern, present, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise DatasetError(
        f"{pattern}: no such file in {place}; {hint}It holds "
        + (", ".join(repr(other) for other in present) or "nothing")
    )


def _read_part(path: Path, label: str, entry: dict[str, Any], spec: dict[str, Any]) -> Part:
    cells = tabular.read_cells(path, label=label, entry=entry)
    places = _locate(cells.header, entry, label)
    table, known = entry["table"], known_columns(entry["table"])
    zone = entry["timezone"] or spec["timezone"]
    frame = cells.frame
    reason = pd.Series(None, index=frame.index, dtype=object)
    _skip(frame, places, entry, reason)

    values: dict[str, pd.Series] = {}
    blank: dict[str, pd.Series] = {}
    unread: list[tuple[Column, str, pd.Series, str]] = []
    needed = set(needed_columns(table)) | ({"order_id"} if table == "orders" else set())
    problems: list[str] = []
    for title, ours in entry["columns"].items():
        column = known[ours]
        found = parsing.clean(frame[places[title]])
        values[ours] = _convert(found, column, entry, zone)
        blank[ours] = found.isna()
        failed = found.notna() & values[ours].isna()
        try:
            _refuse_wrong_mapping(found, failed, reason, title, column, entry, label, needed)
        except DatasetError as error:
            problems.append(str(error))
        unread.append((column, title, failed, _why_unread(column, title, entry)))
    if problems:
        raise DatasetError("\n".join(problems))

    _set_aside(table, values, blank, unread, needed, reason)
    emptied = _emptied(unread, frame, places, reason, needed)
    data = pd.DataFrame(values, index=frame.index)
    data = _complete(data, table, entry, spec, zone, reason)
    part = Part(label, entry, cells, data, reason, emptied)
    return _keep_distinct(part) if entry["distinct"] else part


def _locate(header: list[str], entry: dict[str, Any], label: str) -> dict[str, int]:
    """Position of every column the mapping names."""
    problems, places = [], {}
    titles = [title for title in header if title]
    for title in dict.fromkeys([*entry["columns"], *entry["skip_when"]]):
        wanted = tabular.tidy_header(title)
        positions = [i for i, found in enumerate(header) if found == wanted]
        if len(positions) == 1:
            places[title] = positions[0]
        elif positions:
            letters = " and ".join(str(i + 1) for i in positions)
            problems.append(
                f"{label}: columns {letters} are both titled {wanted!r}; rename one in the file"
            )
        else:
            close = difflib.get_close_matches(wanted, titles, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            problems.append(
                f"{label}: no column is titled {wanted!r} in row {entry['header_row']}; {hint}"
                "The columns are " + ", ".join(repr(t[:60]) for t in titles[:60])
            )
    if problems:
        raise DatasetError("\n".join(problems))
    return places


def _skip(
    frame: pd.DataFrame, places: dict[str, int], entry: dict[str, Any], reason: pd.Series
) -> None:
    for title, words in entry["skip_when"].items():
        found = parsing.to_text(parsing.clean(frame[places[title]]))
        folded = _folded(found)
        for word in words:
            hit = (folded == parsing.fold(word)) & reason.isna()
            reason[hit] = f"{title} is {word}: set aside by skip_when"


def _folded(texts: pd.Series) -> pd.Series:
    codes, distinct = pd.factorize(texts, use_na_sentinel=True)
    words = pd.Series([parsing.fold(word) for word in distinct], dtype=object).reindex(codes)
    words.index = texts.index
    return words


def _convert(
    found: pd.Series, column: Column, entry: dict[str, Any], zone: str | None
) -> pd.Series:
    translation = entry["values"].get(column.name)
    if translation:
        pairs = {parsing.fold(theirs): ours for theirs, ours in translation.items()}
        texts = parsing.to_text(found)
        words = _folded(texts).map(pairs)
        found = words.astype("str").fillna(texts)
    if column.dtype == "text":
        texts = parsing.to_text(found)
        if not column.allowed:
            return texts
        codes = _folded(texts)
        return codes.where(codes.isin(column.allowed)).astype("str")
    if column.dtype in ("number", "integer"):
        values = parsing.to_number(
            found,
            decimal=entry["decimal"],
            thousands=entry["thousands"],
            percent=column.unit.startswith("share"),
        )
        if column.name in entry["units"]:
            # Rounded: 1999 cents are 19.99, not 19.990000000000002.
            values = (values * entry["units"][column.name]).round(6)
        return values.where(values == values.round()) if column.dtype == "integer" else values
    if column.dtype == "flag":
        return parsing.to_flag(found)
    times = parsing.to_time(
        found, formats=entry["date_format"], zone=zone if column.dtype == "time" else None
    )
    if column.dtype == "date":
        times = times.dt.normalize()
        if column.name == "birth_date" and any("%y" in f for f in entry["date_format"]):
            two_digits = ~parsing.to_text(found).str.contains(r"\d{4}").fillna(True).astype(bool)
            late = two_digits & (times.dt.year > LAST_TWO_DIGIT_BIRTH_YEAR)
            times = times.mask(late, times - pd.DateOffset(years=100))
    return times


def _why_unread(column: Column, title: str, entry: dict[str, Any]) -> str:
    place = f"{column.name} (column {title!r}) is not "
    if column.allowed:
        return place + "one of " + ", ".join(column.allowed) + ": say what it means under values"
    if column.dtype == "integer":
        return place + "a whole number"
    if column.dtype == "number":
        return place + f'a number with decimal "{entry["decimal"]}"'
    if column.dtype == "flag":
        return place + "yes or no (oui, non, 1, 0, true, false)"
    return (
        place
        + "a date like "
        + " or ".join(parsing.spell_format(pattern) for pattern in entry["date_format"])
    )


def _refuse_wrong_mapping(
    found: pd.Series,
    failed: pd.Series,
    reason: pd.Series,
    title: str,
    column: Column,
    entry: dict[str, Any],
    label: str,
    needed: set[str],
) -> None:
    """Stop when a column as a whole is not what the mapping says."""
    found, failed = found[reason.isna()], failed[reason.isna()]
    filled = int(found.notna().sum())
    if filled == 0:
        if column.name in needed and len(found):
            raise DatasetError(
                f"{label}, column {title!r}: no row has a value, and {column.name} cannot be "
                "empty; map another column"
            )
        return
    count = int(failed.sum())
    if not count:
        return
    texts = parsing.to_text(found[failed])
    remedy = _other_style(texts, column, entry, count == filled)
    mixed = remedy and count >= 2 and count / filled >= OTHER_STYLE_SHARE.get(column.dtype, 1)
    hopeless = column.name in needed and count / filled > UNREADABLE_LIMIT
    if not mixed and not hopeless:
        return
    examples = ""
    if not column.personal:
        some = [f"{text[:40]!r}" for text in texts.drop_duplicates().head(3)]
        examples = f", for example {', '.join(some)}"
    what = (
        _why_unread(column, title, entry)
        .split(" is not ", 1)[1]
        .removesuffix(": say what it means under values")
    )
    if remedy is None and column.allowed:
        pairs = f'{{"…": {column.allowed[0]}}}'
        remedy = f"say what they mean, as in values: {{{column.name}: {pairs}}}"
    style = " mixes styles:" if mixed and count < filled else ":"
    raise DatasetError(
        f"{label}, column {title!r} (read as {column.name}){style} {count:,} of {filled:,} values "
        f"are not {what}{examples}; " + (remedy or "map another column, or correct the file")
    )


def _other_style(
    texts: pd.Series, column: Column, entry: dict[str, Any], all_failed: bool
) -> str | None:
    """What to write so that these unreadable values read, if anything does."""
    sample = texts.drop_duplicates().head(500)
    # A few values are no proof of another style unless nearly all of them show it.
    enough = 0.5 if all_failed else 0.9
    if column.dtype in ("number", "integer"):
        style = parsing.guess_number_style(sample)
        if style is None or style == (entry["decimal"], entry["thousands"]):
            return None
        decimal, thousands = style
        read = parsing.to_number(sample, decimal=decimal, thousands=thousands)
        if read.notna().mean() < enough:
            return None
        more = f' and thousands: "{thousands}"' if thousands else ""
        otherwise = "" if all_failed else ", or make the file write its numbers in one way"
        return f'write decimal: "{decimal}"{more}{otherwise}'
    if column.dtype in ("time", "date"):
        formats, _ = parsing.guess_date_formats(sample)
        readable = parsing.to_time(sample, formats=formats, zone=None).notna().mean()
        if not formats or readable < enough:
            return None
        these = " or ".join(f'"{pattern}"' for pattern in formats)
        if all_failed:
            return f"write date_format: {these}"
        both = [*entry["date_format"], *formats]
        if {"%d", "%m"} <= {pattern[:2] for pattern in both}:
            return (
                f"these look like {these}: day first and month first cannot both be meant in one "
                "file; correct it, or split it in two"
            )
        return "write date_format: [" + ", ".join(f'"{pattern}"' for pattern in both) + "]"
    return None


def _set_aside(
    table: str,
    values: dict[str, pd.Series],
    blank: dict[str, pd.Series],
    unread: list[tuple[Column, str, pd.Series, str]],
    needed: set[str],
    reason: pd.Series,
) -> None:
    """Reject the rows whose required values are missing or cannot be read."""
    if table == "orders":
        _set_aside_notes(values, blank, reason)
    order = ["source_id", *[c.name for c in CONTRACTS[f"raw.{table}"].columns], "unit_price"]
    required = needed | {c.name for c in CONTRACTS[f"raw.{table}"].columns if not c.nullable}
    required -= {"line_no"}  # made up where it is missing
    for ours in dict.fromkeys(order):
        if ours not in values or ours not in required:
            continue
        why = NO_CUSTOMER if (table, ours) == ("orders", "source_id") else f"{ours} is empty"
        reason[blank[ours] & reason.isna()] = why
        for column, _, failed, text in unread:
            if column.name == ours:
                reason[failed & reason.isna()] = text


def _set_aside_notes(
    values: dict[str, pd.Series], blank: dict[str, pd.Series], reason: pd.Series
) -> None:
    """Totals and remarks below a table: their amount is no purchase and is not counted."""
    if not {"source_id", "ordered_at"} <= blank.keys():
        return
    note = blank["source_id"] & blank["ordered_at"] & reason.isna()
    reason[note] = TOTAL
    for ours in ("amount", "unit_price"):
        if ours in values:
            values[ours] = values[ours].mask(note)


def _emptied(
    unread: list[tuple[Column, str, pd.Series, str]],
    frame: pd.DataFrame,
    places: dict[str, int],
    reason: pd.Series,
    needed: set[str],
) -> list[pd.DataFrame]:
    found = []
    for column, title, failed, why in unread:
        mask = failed & reason.isna()
        if column.name in needed or not mask.any():
            continue
        texts = parsing.to_text(parsing.clean(frame.loc[mask, places[title]]))
        found.append(pd.DataFrame({"field": column.name, "value": texts, "reason": why}))
    return found


def _complete(
    data: pd.DataFrame,
    table: str,
    entry: dict[str, Any],
    spec: dict[str, Any],
    zone: str | None,
    reason: pd.Series,
) -> pd.DataFrame:
    """Add constants, the source and the keys that the file does not have."""
    known = known_columns(table)
    for ours, value in entry["constants"].items():
        column = known[ours]
        if column.dtype in ("time", "date"):
            data[ours] = pd.Series(pd.Timestamp(value), index=data.index, dtype="datetime64[us]")
        elif column.dtype == "text":
            data[ours] = pd.Series(value, index=data.index, dtype="str")
        else:
            data[ours] = value
    if "source" in known and "source" not in data:
        data["source"] = pd.Series(spec["name"], index=data.index, dtype="str")
    if table == "people" and "source_id" not in data:
        # Same content, same id, whatever the order of the rows.
        texts = data.drop(columns="source").astype("str").fillna("")
        hashes = pd.util.hash_pandas_object(texts, index=False)
        data["source_id"] = hashes.map("r{:016x}".format).astype("str")
    if table == "orders":
        data = _complete_orders(data, entry, reason)
    return data


def _complete_orders(data: pd.DataFrame, entry: dict[str, Any], reason: pd.Series) -> pd.DataFrame:
    if "unit_price" in data:
        quantity = data.get("quantity", 1.0)
        data["amount"] = (data.pop("unit_price") * quantity).round(6)
        unknown = data["amount"].isna() & reason.isna()
        reason[unknown] = "amount cannot be computed: unit_price or quantity cannot be read"
    negative = data["amount"] < 0
    if entry["negative_amounts"] == "return":
        status = data["status"] if "status" in data else pd.Series(pd.NA, index=data.index)
        data["status"] = status.astype("str").mask(negative, "returned")
        if "quantity" in data:
            # What comes back counts the other way, however the file writes it.
            data["quantity"] = data["quantity"].mask(negative, -data["quantity"].abs())
    else:
        reason[negative & reason.isna()] = (
            "negative amount: write negative_amounts: return if such lines are refunds"
        )
    if "order_id" not in data:
        data["order_id"] = data["source_id"] + "@" + _moment(data["ordered_at"])
    return data


def _moment(times: pd.Series) -> pd.Series:
    codes, distinct = pd.factorize(times, use_na_sentinel=True)
    texts = pd.Series(distinct.astype("datetime64[s]").astype(str))
    words = texts.str.replace("T", " ").str.removesuffix(" 00:00:00").reindex(codes)
    words.index = times.index
    return words.astype("str")


def _keep_distinct(part: Part) -> Part:
    """Read repeated rows once: a flat export names the customer again on every line."""
    mapped = list(part.entry["columns"].values())
    keep = ~part.values.duplicated() & part.values[mapped].notna().any(axis=1)
    cells = tabular.Cells(
        part.cells.header, part.cells.frame[keep], part.cells.rows[keep], part.cells.broken
    )
    emptied = [frame[keep[frame.index]] for frame in part.emptied]
    return Part(part.label, part.entry, cells, part.values[keep], part.reason[keep], emptied)


# --- what became of it -------------------------------------------------------------------------


def _report(part: Part) -> FileReport:
    rejected = part.reason.dropna().str.replace(
        r"^(duplicate of|same .* as) row .*", r"\1 another row", regex=True
    )
    counts = pd.concat([rejected, part.cells.broken["reason"]]).value_counts()
    kept = part.reason.isna()
    time = "ordered_at" if "ordered_at" in part.values else "at"
    times = part.values.loc[kept, time].dropna() if time in part.values else pd.Series()
    amounts = part.values["amount"] if "amount" in part.values else pd.Series(0.0, kept.index)
    emptied: dict[str, int] = {}
    for frame in part.emptied:
        count = int(part.reason.reindex(frame.index).isna().sum())
        if count:
            emptied[_name_codes(frame, part.table)] = count
    return FileReport(
        file=part.label,
        table=part.table,
        rows=part.row_count,
        kept=int(kept.sum()),
        mapped=dict(part.entry["columns"]),
        unused=[
            t
            for t in part.cells.header
            if t and t not in part.entry["columns"] and t not in part.entry["skip_when"]
        ],
        rejected={str(reason): int(count) for reason, count in sorted(counts.items())},
        emptied=emptied,
        first=times.min() if len(times) else None,
        last=times.max() if len(times) else None,
        amount=float(amounts[kept].sum()),
        amount_rejected=float(amounts[~kept].sum()),
    )


def _name_codes(frame: pd.DataFrame, table: str) -> str:
    """The reason, with the unknown codes themselves, never a personal value."""
    why, ours = str(frame["reason"].iloc[0]), str(frame["field"].iloc[0])
    if known_columns(table)[ours].personal:
        return why
    common = frame["value"].value_counts().head(3).index
    return why + " (found " + ", ".join(repr(str(code)[:30]) for code in common) + ")"
