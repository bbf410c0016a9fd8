"""A CSV, Excel or Parquet file opened as a table of cells, nothing converted yet.

Rows that cannot be split into cells are handed back beside the table, so that no row is
lost. What is wrong with a file as a whole is told in words.
"""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from customer360.worlds.spec import DatasetError

__all__ = [
    "Cells",
    "first_rows",
    "guess_encoding",
    "guess_header_row",
    "guess_separator",
    "read_cells",
    "sheet_names",
    "tidy_header",
]

# Excel's own limit: what is longer is a quote left open, or a damaged file.
LONGEST_CELL = 32_767
# Beyond this, a quote left open is no longer one bad row.
MOST_SWALLOWED_LINES = 20
ENCODINGS = ("utf-8", "cp1252", "latin-1")


@dataclass
class Cells:
    """A file as cells.

    Attributes
    ----------
    header : list of str
        Titles of the columns, tidied; repeated titles are repeated here.
    frame : DataFrame
        One row per row of the file, columns 0, 1, ... in file order. Fully blank rows are
        not rows.
    rows : array of int
        Row of the file in which each row of `frame` stands, counted from 1.
    broken : DataFrame
        Rows that cannot be split into cells: `row`, `reason`, `content` (text).
    """

    header: list[str]
    frame: pd.DataFrame
    rows: np.ndarray
    broken: pd.DataFrame


def tidy_header(title: object) -> str:
    """A title without byte order mark, line breaks and double spaces."""
    text = "" if title is None or title is pd.NaT or title != title else str(title)
    text = unicodedata.normalize("NFC", text.replace("\ufeff", ""))
    return " ".join(text.split())


# --- guessing, for hints and first mappings ---------------------------------------------------


def guess_encoding(data: bytes) -> str:
    """Encoding of a text file: utf-8-sig, utf-16, utf-8, cp1252 or latin-1."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def first_rows(text: str, *, separator: str, rows: int) -> list[list[str]]:
    """The first rows of a CSV text, as far as they can be cut."""
    # The csv module stumbles over lone carriage returns and over very long cells.
    sample = text[:200_000].replace("\r\n", "\n").replace("\r", "\n")
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample), delimiter=separator):
            found.append(row)
            if len(found) == rows:
                break
    except csv.Error:
        pass
    return found


def guess_separator(text: str) -> str | None:
    """The sign that cuts most of the first lines into the same and largest number of cells."""
    best: tuple[float, str] | None = None
    for separator in (";", "\t", "|", ","):
        rows = [row for row in first_rows(text, separator=separator, rows=60) if any(row)]
        width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (0, 0)
        if width < 2:
            continue
        # Decimal commas cut neatly in two what semicolons cut, less neatly, in seven.
        score = count / len(rows) * (width - 1)
        if best is None or score > best[0]:
            best = (score, separator)
    return best[1] if best else None


def guess_header_row(rows: list[list[Any]]) -> int:
    """Row of the titles, from 1: the first that is nearly as wide as the table and all words.

    Parameters
    ----------
    rows : list of lists
        The first rows of the file, about twenty.
    """
    widths = [sum(tidy_header(cell) != "" for cell in row) for row in rows]
    widest = max(widths, default=0)
    for number, (row, width) in enumerate(zip(rows, widths, strict=True), start=1):
        filled = [cell for cell in row if tidy_header(cell) != ""]
        words = [c for c in filled if isinstance(c, str) and any(x.isalpha() for x in c)]
        repeated = len({tidy_header(c) for c in words}) < 0.7 * len(words)
        if width and width >= 0.6 * widest and len(words) >= 0.8 * width and not repeated:
            return number
    return next((n for n, width in enumerate(widths, start=1) if width), 1)


# --- reading ----------------------------------------------------------------------------------


def read_cells(path: Path, *, label: str, entry: dict[str, Any]) -> Cells:
    """Open one file as cells.

    Parameters
    ----------
    path : Path
    label : str
        How messages name the file.
    entry : dict
        `format`, `sheet`, `header_row`, `separator`, `encoding` of the mapping.

    Raises
    ------
    DatasetError
        When the file is empty, damaged, of another format, in another encoding, cut by
        another separator, lacks the sheet, or holds no row.
    """
    if path.is_dir():
        raise DatasetError(
            f"{label} is a folder; write the files in it, as in file: {path.name}/*.csv"
        )
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise DatasetError(f"{label} is empty (0 bytes); export it again, or take it out")
    _check_kind(start, label, entry["format"])
    if entry["format"] == "csv":
        cells = _read_csv(path, label, entry)
    elif entry["format"] == "excel":
        cells = _read_excel(path, label, entry)
    else:
        cells = _read_parquet(path, label)
    if not len(cells.frame) and not len(cells.broken):
        raise DatasetError(
            f"{label} holds its titles ({', '.join(t for t in cells.header if t)}) and no row; "
            "export it again, or take it out of the mapping"
        )
    return cells


def _check_kind(start: bytes, label: str, declared: str) -> None:
    """The first bytes tell a format better than the ending of a name."""
    if start.startswith(b"PAR1"):
        kind = "parquet"
    elif start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        kind = "excel"
    elif b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        kind = declared
    else:
        kind = "csv"
    if declared == kind:
        return
    if kind == "csv":
        web = start.lstrip().lower().startswith((b"<html", b"<table", b"<!doctype", b"<?xml"))
        told = (
            "a web page; open it and save it as .xlsx"
            if web
            else "text, or is damaged; write format: csv if it is text, else export it again"
        )
        raise DatasetError(f"{label} is not a file of format {declared}: it begins like {told}")
    raise DatasetError(f"{label} is not a file of format {declared}; write format: {kind}")


def _decode(data: bytes, label: str, encoding: str) -> str:
    guessed = guess_encoding(data)
    if guessed == "utf-8-sig" and codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        line = data.count(b"\n", 0, at) + 1
        raise DatasetError(
            f"{label} is not in encoding {encoding} (row {line}); it can be read as {guessed}: "
            f"write encoding: {guessed}"
        ) from error
    plain = codecs.lookup(encoding).name
    if guessed.startswith("utf-8") and not plain.startswith("utf-8") and not data.isascii():
        raise DatasetError(
            f"{label} is in UTF-8, its accents would be spoilt by encoding {encoding}: "
            "write encoding: utf-8"
        )
    if guessed == "utf-16" and not plain.startswith("utf-16"):
        raise DatasetError(f"{label} is in UTF-16: write encoding: utf-16")
    if text.count("\0") > len(text) / 10:
        raise DatasetError(
            f"{label} is mostly NUL bytes: it is damaged, or in UTF-16. Export it again as "
            "CSV UTF-8, or write encoding: utf-16-le"
        )
    return text


def _read_csv(path: Path, label: str, entry: dict[str, Any]) -> Cells:
    text = _decode(path.read_bytes(), label, entry["encoding"])
    if not text.strip():
        raise DatasetError(f"{label} is empty (blank lines only); export it again, or take it out")
    separator, header_row = entry["separator"], entry["header_row"]
    data = text.encode("utf-8")
    bad: list[tuple[int, int, str]] = []

    def set_aside(row: Any) -> str:
        bad.append((row.number, row.actual_columns, row.text))
        return "skip"

    try:
        table = pa.csv.read_csv(
            io.BytesIO(data),
            read_options=pa.csv.ReadOptions(
                # One thread and one block: exact row numbers, and no limit on a row's length.
                use_threads=False,
                block_size=min(len(data) + 1, 2**31 - 1),
                autogenerate_column_names=True,
                skip_rows=header_row - 1,
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=_all_text(text, separator, header_row), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise DatasetError(
            f"{label} has no row {header_row} to take titles from; correct header_row, or the "
            f"separator ({separator!r})"
        ) from error
    frame = table.to_pandas()
    frame.columns = pd.RangeIndex(frame.shape[1])
    header = [tidy_header(title) for title in frame.iloc[0]]
    broken_rows = np.array([number for number, _, _ in bad], dtype="int64")
    every = np.arange(header_row, header_row + len(frame) + len(bad))
    rows = every[~np.isin(every, broken_rows)] if len(bad) else every
    if len(header) == 1:
        _explain_single_column(text, label, separator, header, header_row)
    if len(bad) > 0.5 * (len(frame) - 1 + len(bad)):
        width = Counter(count for _, count, _ in bad).most_common(1)[0][0]
        raise DatasetError(
            f"{label}: row {header_row} has {len(header)} titles, but {len(bad):,} rows have "
            f"another number of cells (most often {width}); correct header_row or separator, or "
            "put texts that hold the separator in quotes"
        )
    broken = [_broken_width(number, count, content, len(header), label)
              for number, count, content in bad]  # fmt: skip
    frame, rows = frame.iloc[1:].reset_index(drop=True), rows[1:]
    frame, rows = _drop_blank(frame, rows)
    odd = _odd_rows(frame, separator, len(header), "\0" in text)
    for reason, mask in odd:
        for position in np.flatnonzero(mask):
            content = separator.join(str(cell) for cell in frame.iloc[position])
            broken.append((int(rows[position]), reason, content))
        keep = ~mask
        frame, rows = frame[keep].reset_index(drop=True), rows[keep]
    table_of_broken = pd.DataFrame(broken, columns=["row", "reason", "content"])
    return Cells(header, frame, rows, table_of_broken.sort_values("row", ignore_index=True))


def _all_text(text: str, separator: str, header_row: int) -> dict[str, pa.DataType]:
    rows = first_rows(text, separator=separator, rows=header_row)
    width = max((len(row) for row in rows), default=1)
    return {f"f{number}": pa.string() for number in range(width + 50)}


def _explain_single_column(
    text: str, label: str, separator: str, header: list[str], header_row: int
) -> None:
    guessed = guess_separator(text)
    if guessed and guessed != separator:
        shown = "tab" if guessed == "\t" else f'"{guessed}"'
        raise DatasetError(
            f"{label}: one column found with separator {separator!r}, titled {header[0][:80]!r}; "
            f"write separator: {shown}"
        )
    raise DatasetError(
        f"{label}: one column found in row {header_row}, titled {header[0][:80]!r}; correct "
        "header_row or separator"
    )


def _broken_width(
    number: int, count: int, content: str, width: int, label: str
) -> tuple[int, str, str]:
    lines = content.strip().count("\n")
    if lines >= MOST_SWALLOWED_LINES:
        raise DatasetError(
            f"{label}: a quote opened in row {number} is not closed and swallows the next "
            f"{lines:,} lines; correct that row"
        )
    if lines:
        return number, f"a quote left open swallows the next {lines} lines", content
    return number, f"{count} cells where the titles are {width}", content


def _drop_blank(frame: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    blank = np.ones(len(frame), dtype=bool)
    for column in frame.columns:
        cells = frame[column]
        # Most rows are settled by the first columns: look only at what is still blank.
        left = np.flatnonzero(blank)
        if not len(left):
            break
        some = cells.iloc[left]
        if isinstance(some.dtype, pd.StringDtype):
            empty = some.str.strip().eq("") | some.isna()
        elif some.dtype == object:
            empty = some.isna() | some.map(lambda c: isinstance(c, str) and not c.strip())
        else:
            empty = some.isna()
        blank[left] = empty.to_numpy(dtype=bool)
    return frame[~blank].reset_index(drop=True), rows[~blank]


def _odd_rows(
    frame: pd.DataFrame, separator: str, width: int, has_nul: bool
) -> list[tuple[str, np.ndarray]]:
    """Rows that split well and still cannot be trusted, one mask a reason, each row once."""
    nul = np.zeros(len(frame), dtype=bool)
    long, swallowed = nul.copy(), nul.copy()
    for column in frame.columns:
        cells = frame[column]
        if has_nul:
            nul |= cells.str.contains("\0", regex=False).to_numpy(dtype=bool)
        long |= cells.str.len().to_numpy() > LONGEST_CELL
        broken_line = cells.str.contains("\n", regex=False).to_numpy(dtype=bool)
        if broken_line.any() and width >= 3:
            # Exactly a row's worth of separators for each line break inside one cell.
            inside = cells[broken_line]
            lines = inside.str.count("\n").to_numpy()
            signs = inside.str.count("[" + ("\\" + separator) + "]").to_numpy()
            swallowed[np.flatnonzero(broken_line)] |= signs == lines * (width - 1)
    reasons = [
        ("NUL bytes: the file is damaged here", nul),
        (f"a cell longer than {LONGEST_CELL:,} characters: a quote left open?", long),
        ("a quote left open swallows the next line", swallowed),
    ]
    masks, seen = [], np.zeros(len(frame), dtype=bool)
    for reason, mask in reasons:
        masks.append((reason, (mask & ~seen)[~seen]))
        seen |= mask
    return [(reason, mask) for reason, mask in masks]


def sheet_names(path: Path, *, label: str) -> list[str]:
    """Sheets of a workbook, in order."""
    with path.open("rb") as file:
        _check_kind(file.read(512), label, "excel")
    return _workbook(path, label, lambda book: [str(name) for name in book.sheet_names])


def _workbook(path: Path, label: str, read: Any) -> Any:
    try:
        with pd.ExcelFile(path, engine="calamine") as book:
            return read(book)
    except DatasetError:
        raise
    except Exception as error:  # the engine raises its own kinds, and they change
        raise DatasetError(
            f"{label} cannot be opened as an Excel file: it is damaged, incomplete or protected "
            f"by a password ({str(error)[:120]}); open it and save it again as .xlsx"
        ) from error


def read_sheet(path: Path, *, label: str, sheet: str | None) -> pd.DataFrame:
    """Every cell of a sheet (the first one by default), titles included."""

    def read(book: pd.ExcelFile) -> pd.DataFrame:
        names = [str(name) for name in book.sheet_names]
        if sheet is not None and sheet not in names:
            raise DatasetError(
                f"{label} has no sheet {sheet!r}; its sheets are "
                + ", ".join(repr(name) for name in names)
            )
        return pd.read_excel(
            book,
            sheet_name=names.index(sheet) if sheet is not None else 0,
            header=None,
            dtype=object,
            na_filter=False,
        )

    return _workbook(path, label, read)


def _read_excel(path: Path, label: str, entry: dict[str, Any]) -> Cells:
    frame = read_sheet(path, label=label, sheet=entry["sheet"])
    header_row = entry["header_row"]
    if not len(frame):
        raise DatasetError(f"{label}: the sheet is empty; name another one with sheet:")
    if header_row > len(frame):
        raise DatasetError(
            f"{label} has {len(frame):,} rows and header_row is {header_row}; write the row of "
            "the titles"
        )
    header = [tidy_header(title) for title in frame.iloc[header_row - 1]]
    rows = np.arange(header_row + 1, len(frame) + 1)
    frame = frame.iloc[header_row:].reset_index(drop=True)
    frame.columns = pd.RangeIndex(frame.shape[1])
    frame, rows = _drop_blank(frame, rows)
    return Cells(header, frame, rows, pd.DataFrame(columns=["row", "reason", "content"]))


def _read_parquet(path: Path, label: str) -> Cells:
    try:
        table = pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"{label} cannot be opened as a Parquet file: it is damaged or incomplete; "
            "write it again"
        ) from error
    frame = table.to_pandas(ignore_metadata=True)
    header = [tidy_header(title) for title in table.column_names]
    frame.columns = pd.RangeIndex(frame.shape[1])
    # The header counts as row 1, as in the other formats.
    frame, rows = _drop_blank(frame, np.arange(2, len(frame) + 2))
    return Cells(header, frame, rows, pd.DataFrame(columns=["row", "reason", "content"]))
