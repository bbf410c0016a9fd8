"""A first mapping, written by looking at the files, and its check without running anything.

What was found is written; what was guessed says so; what is missing is a line that starts
with `# ?` and is listed at the top of the file.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from customer360.worlds import mapped, parsing, tabular
from customer360.worlds.spec import (
    FILE_DEFAULTS,
    DatasetError,
    guess_format,
    known_columns,
    needed_columns,
)
from customer360.worlds.synonyms import CODES, SKIPPED_STATUSES, SYNONYMS, TABLE_HINTS, fold_title

__all__ = ["Report", "check_spec", "new_dataset", "propose_spec"]

SLUG = r"[a-z][a-z0-9_-]*"
DATE_SAMPLE = 400
NUMBER_SAMPLE = 200_000
MOST_CODES = 40
IDENTITY = ("email", "phone", "last_name", "first_name", "street", "postcode", "birth_date")
# Groups of columns of which a table must show one each, to be recognised.
_SIGNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (("source_id",), ("ordered_at",), ("amount", "unit_price")),
    "people": (("email", "phone", "last_name"), ("source_id", "email", "first_name")),
    "products": (("product_id",), ("name", "price", "category", "unit_cost")),
    "campaigns": (("campaign_id",), ("goal", "theme", "cost_per_contact", "started_at")),
    "contacts": (("source_id",), ("at",), ("event",), ("contact_id", "campaign_id")),
    "offers": (("offer_id",), ("depth", "kind")),
    "web_events": (("visitor_id",), ("at",), ("page", "kind", "query")),
    "conversations": (("source_id",), ("at",), ("text", "reason", "handling_seconds")),
    "surveys": (("source_id",), ("at",), ("score",)),
    "loyalty": (("source_id",), ("at",), ("points",)),
    "enrichment": (("postcode",), ("population", "median_income")),
    "sales_visits": (("rep_id",), ("at",), ("outcome",)),
}
_CODED = {
    "orders": ("status", "payment", "channel", "delivery"),
    "people": ("preferred_channel",),
    "contacts": ("channel",),
    "campaigns": ("channel",),
}
_SIGNS_OF_MONEY = {"€": "EUR", "$": "USD", "£": "GBP"}


@dataclass
class Report:
    """What a mapping gives, in words.

    Attributes
    ----------
    ok : bool
        Whether the files can be read with it.
    lines : list of str
        For the terminal.
    files : list of FileReport
        Figures of each file; empty when not ok.
    """

    ok: bool
    lines: list[str]
    files: list[mapped.FileReport] = field(default_factory=list)


@dataclass
class _Sheet:
    """A file, or a sheet of one, and how it can be opened."""

    file: str
    options: dict[str, Any]
    cells: tabular.Cells
    notes: list[str]

    @property
    def name(self) -> str:
        sheet = self.options.get("sheet")
        return f"{self.file} [{sheet}]" if sheet else self.file

    def titled(self, position: int) -> pd.Series:
        return parsing.clean(self.cells.frame[position])


# --- looking at the files ---------------------------------------------------------------------


def _open(path: Path) -> tuple[list[_Sheet], list[str]]:
    """Sheets with rows in a file, and remarks on what was left out."""
    if not path.is_file():
        what = "is a folder; name the files in it" if path.is_dir() else "no such file"
        raise DatasetError(f"{path}: {what}")
    kind = guess_format(path.name)
    if kind is None:
        raise DatasetError(
            f"{path.name}: the ending does not tell the format; rename it to .csv, .xlsx or "
            ".parquet"
        )
    if path.stat().st_size == 0:
        raise DatasetError(f"{path.name} is empty (0 bytes); export it again, or leave it out")
    if kind == "csv":
        return [_open_csv(path)], []
    if kind == "parquet":
        options: dict[str, Any] = {"format": kind}
        cells = tabular.read_cells(path, label=path.name, entry=FILE_DEFAULTS | options)
        return [_Sheet(path.name, options, cells, [])], []
    sheets: list[_Sheet] = []
    left_out: list[str] = []
    names = tabular.sheet_names(path, label=path.name)
    for name in names:
        top = tabular.read_sheet(path, label=path.name, sheet=name).head(25)
        if not len(top) or top.shape[1] < 2:
            left_out.append(f"{path.name}, sheet {name!r}: empty, or a single column")
            continue
        row = tabular.guess_header_row(top.to_numpy(dtype=object).tolist())
        options = {"format": kind, "sheet": name, "header_row": row}
        try:
            cells = tabular.read_cells(path, label=path.name, entry=FILE_DEFAULTS | options)
        except DatasetError as error:
            if len(names) == 1:
                raise
            left_out.append(str(error))
            continue
        sheets.append(_Sheet(path.name, options, cells, []))
    return sheets, left_out


def _open_csv(path: Path) -> _Sheet:
    data = path.read_bytes()
    encoding = tabular.guess_encoding(data)
    text = data.decode(encoding)
    separator = tabular.guess_separator(text)
    notes = []
    if separator is None:
        separator = ","
        notes.append("# ? separator: none found; one column only")
    rows: list[list[Any]] = [
        list(row) for row in tabular.first_rows(text, separator=separator, rows=25)
    ]
    options = {
        "format": "csv",
        "separator": separator,
        "encoding": encoding,
        "header_row": tabular.guess_header_row(rows),
    }
    cells = tabular.read_cells(path, label=path.name, entry=FILE_DEFAULTS | options)
    return _Sheet(path.name, options, cells, notes)


def _match(header: list[str], table: str) -> dict[str, int]:
    """Our columns to the position of the title that names them best."""
    names = SYNONYMS[table]
    repeated = {title for title, count in Counter(header).items() if count > 1}
    folded = {
        i: fold_title(title) for i, title in enumerate(header) if title and title not in repeated
    }
    ranked = sorted(
        (names[ours].index(title), order, position, ours)
        for position, title in folded.items()
        for order, ours in enumerate(names)
        if title in names[ours]
    )
    found: dict[str, int] = {}
    for _, _, position, ours in ranked:
        if ours not in found and position not in found.values():
            found[ours] = position
    # A slip of the pen in a long title.
    for position, title in folded.items():
        if position in found.values() or len(title) < 6:
            continue
        free = {name: ours for ours in names if ours not in found for name in names[ours]}
        close = difflib.get_close_matches(title, free, n=1, cutoff=0.9)
        if close:
            found[free[close[0]]] = position
    if "amount" in found:
        found.pop("unit_price", None)
    return found


def _choose_table(sheet: _Sheet) -> tuple[str | None, dict[str, int], bool]:
    """The table that a sheet looks like, its columns, and whether all its signs are there."""
    words = set(fold_title(sheet.name.replace(".", " ")).split())
    best: tuple[tuple[int, float], str, dict[str, int]] | None = None
    for table, signs in _SIGNS.items():
        found = _match(sheet.cells.header, table)
        shown = sum(any(ours in found for ours in group) for group in signs)
        if not found or (shown < 2 and len(found) < 3):
            continue
        hinted = bool(words & set(TABLE_HINTS.get(table, ())))
        # Purchases first: a flat export that also names the customer is one of orders.
        sure = 0 if shown < len(signs) else 2 if table == "orders" else 1
        score = (sure, 4 * shown / len(signs) + len(found) + 2 * hinted)
        if best is None or score > best[0]:
            best = (score, table, found)
    if best is None:
        return None, {}, False
    return best[1], best[2], best[0][0] > 0


# --- writing ----------------------------------------------------------------------------------


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _plain(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


@dataclass
class _Entry:
    """One entry of `files`, being written."""

    sheet: _Sheet
    table: str
    found: dict[str, int]
    source: str
    day_first: bool
    distinct: bool = False
    lines: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    money: Counter[str] = field(default_factory=Counter)

    def write(self, sure: bool) -> list[str]:
        options = self.sheet.options
        self.lines = [f"  - file: {_quoted(self.sheet.file)}"]
        self._add("table", self.table, "" if sure else "# ? guessed: is it this table?")
        if not sure:
            self.todo.append(f"{self.sheet.name}: check that its table is {self.table}")
        self._add("format", options["format"])
        if options.get("sheet"):
            self._add("sheet", _quoted(options["sheet"]))
        if options.get("header_row", 1) > 1:
            self._add("header_row", options["header_row"], "# the row that holds the titles")
        if options["format"] == "csv":
            tab = options["separator"] == "\t"
            self._add("separator", "tab" if tab else _quoted(options["separator"]))
            self._add("encoding", options["encoding"])
        if self.distinct:
            self._add("distinct", "true", "# the customer is named again on every line: read once")
        for note in self.sheet.notes:
            self._ask(note.removeprefix("# ? "))
        self._write_numbers()
        self._write_dates()
        self._write_columns()
        self._write_codes()
        if self.table == "orders":
            self._write_negatives()
        self._write_unused()
        return self.lines

    def _add(self, key: str, value: object, comment: str = "") -> None:
        line = f"    {key}: {value}"
        self.lines.append(f"{line:<32}  {comment}" if comment else line)

    def _ask(self, text: str) -> None:
        self.lines.append(f"    # ? {text}")
        self.todo.append(f"{self.sheet.name}: {text}")

    def _cells_of(self, *dtypes: str) -> dict[str, pd.Series]:
        known = known_columns(self.table)
        return {
            ours: self.sheet.titled(position)
            for ours, position in self.found.items()
            if known[ours].dtype in dtypes
        }

    def _title(self, ours: str) -> str:
        return self.sheet.cells.header[self.found[ours]]

    def _write_numbers(self) -> None:
        texts: list[str] = []
        for ours, cells in self._cells_of("number", "integer").items():
            typed = _texts(cells)[:NUMBER_SAMPLE]
            texts += typed
            for text in typed[:2000]:
                self.money.update(sign for sign in _SIGNS_OF_MONEY if sign in text)
            if typed and parsing.guess_number_style(typed) is None:
                self._ask(f"{self._title(ours)!r} is read as {ours}, but few values are numbers")
        style = parsing.guess_number_style(texts)
        if style and style[0] != ".":
            self._add("decimal", _quoted(style[0]))
        if style and style[1]:
            self._add("thousands", _quoted(style[1]))
        self.decimal, self.thousands = style or (".", None)

    def _write_dates(self) -> None:
        formats: list[str] = []
        unsure, unread = [], []
        for ours, cells in self._cells_of("time", "date").items():
            texts = _texts(cells)
            if not texts and not _typed_serials(cells):
                continue
            if not texts:
                found, sure = ["excel"], True
            else:
                step = max(1, len(texts) // DATE_SAMPLE)
                sample = sorted(texts)[::step]
                found, sure = parsing.guess_date_formats(sample, day_first=self.day_first)
            if not found:
                unread.append(self._title(ours))
            if not sure:
                unsure.append(self._title(ours))
            formats += [pattern for pattern in found if pattern not in formats]
        orders = {pattern[:2] for pattern in formats} & {"%d", "%m"}
        if formats:
            self.formats = formats
            shown = ", ".join(_quoted(pattern) for pattern in formats)
            examples = " or ".join(parsing.spell_format(pattern) for pattern in formats)
            self._add(
                "date_format",
                shown if len(formats) == 1 else f"[{shown}]",
                f"# as in {examples}",
            )
        if len(orders) > 1:
            self._ask(
                "some dates start with the day, others with the month: one file can hold one "
                "order only"
            )
        for title in unsure:
            self._ask(f"{title!r}: day or month first? no value tells; correct date_format")
        for title in unread:
            self._ask(f'{title!r}: no known date format; write date_format, as in "%d/%m/%Y"')

    def _write_columns(self) -> None:
        known = known_columns(self.table)
        self.lines.append("    columns:                       # their title: our column")
        for ours in known:
            if ours in self.found:
                self.lines.append(f"      {_quoted(self._title(ours))}: {ours}")
        given = set(self.found) | ({"amount"} if "unit_price" in self.found else set())
        for ours in [*needed_columns(self.table)]:
            if ours not in given:
                self._ask(
                    f"{ours} ({known[ours].about}): no title looks like it; add a line "
                    f'"their title": {ours} under columns, or a constant'
                )
        if not self.found:
            self.lines[-1] = "    columns: {}"

    def _write_codes(self) -> None:
        constants = {}
        if "source" in known_columns(self.table) and "source" not in self.found:
            constants["source"] = self.source
        if self.table == "orders" and "status" not in self.found:
            constants["status"] = "paid"
        values: dict[str, dict[str, str]] = {}
        skipped: dict[str, list[str]] = {}
        questions = []
        for ours in _CODED.get(self.table, ()):
            if ours not in self.found:
                continue
            words = _words(self.sheet.titled(self.found[ours]))
            if words is None:
                continue
            codes = CODES[ours]
            allowed = known_columns(self.table)[ours].allowed
            for word in words:
                folded = parsing.fold(word)
                if ours == "status" and folded in SKIPPED_STATUSES:
                    skipped.setdefault(self._title(ours), []).append(word)
                elif folded in codes:
                    values.setdefault(ours, {})[word] = codes[folded]
                elif allowed and folded not in allowed:
                    questions.append(
                        f"{ours}: what does {_quoted(word)} mean? Under values, {ours}, write "
                        f"{_quoted(word)}: {' or '.join(allowed)}"
                        + (", or add it to skip_when" if ours == "status" else "")
                    )
        if constants:
            comment = (
                "# source: the system; files that share customer numbers share it"
                if "source" in constants
                else ""
            )
            self._add("constants", _plain(constants), comment)
        if values:
            self.lines.append("    values:                        # our column: {theirs: ours}")
            for ours, pairs in values.items():
                inside = ", ".join(f"{_quoted(theirs)}: {code}" for theirs, code in pairs.items())
                self.lines.append(f"      {ours}: {{{inside}}}")
        if skipped:
            self.lines.append("    skip_when:                     # rows set aside")
            for title, words in skipped.items():
                inside = ", ".join(_quoted(word) for word in words)
                self.lines.append(f"      {_quoted(title)}: [{inside}]")
        for question in questions:
            self._ask(question)

    def _write_negatives(self) -> None:
        ours = "amount" if "amount" in self.found else "quantity"
        if ours not in self.found:
            return
        amounts = parsing.to_number(
            self.sheet.titled(self.found[ours]), decimal=self.decimal, thousands=self.thousands
        )
        count = int((amounts < 0).sum())
        if count:
            self._add(
                "negative_amounts",
                "return",
                f"# {count:,} lines are negative: taken for refunds; reject sets them aside",
            )

    def _write_unused(self) -> None:
        header = self.sheet.cells.header
        used = set(self.found.values())
        rest = [t for i, t in enumerate(header) if t and i not in used]
        for title, count in Counter(header).items():
            if title and count > 1:
                self._ask(f"{count} columns are titled {title!r}: rename them in the file")
        if rest and not self.distinct:
            self.lines.append("    # not used: " + ", ".join(_quoted(title) for title in rest))


def _texts(cells: pd.Series) -> list[str]:
    """Distinct values that are text (typed numbers and dates need no guessing)."""
    return [value for value in pd.unique(cells.dropna()) if isinstance(value, str)]


def _typed_serials(cells: pd.Series) -> bool:
    """Whether numbers stand where dates are expected."""
    values = [v for v in pd.unique(cells.dropna())[:200] if not isinstance(v, str)]
    return bool(values) and all(isinstance(v, (int, float)) and 20_000 < v < 80_000 for v in values)


def _words(cells: pd.Series) -> list[str] | None:
    """Distinct codes of a column, most common first; None when there are too many to be codes."""
    counts = parsing.to_text(cells).value_counts()
    if len(counts) > MOST_CODES:
        return None
    return sorted((str(word) for word in counts.index), key=lambda w: (-int(counts[w]), w))


def propose_spec(
    *,
    name: str,
    files: list[Path],
    country: str = "FR",
    currency: str | None = None,
    timezone: str = "Europe/Paris",
) -> str:
    """Write a first mapping by looking at the files.

    Parameters
    ----------
    name : str
        Name of the dataset; also the name given to the system the records come from.
    files : list of Path
        CSV, Excel or Parquet files of one brand.
    country : str
        Of phones and addresses that do not name one (ISO 3166, two letters).
    currency : str, optional
        ISO 4217; from the signs in the amounts when absent, else EUR.
    timezone : str
        Of the times in the files.

    Returns
    -------
    str
        YAML with comments, for a human to read once. What remains to be filled in is listed
        at the top and marked `# ?` where it belongs.

    Raises
    ------
    DatasetError
        When a file cannot be opened, is empty or is of an unknown kind.
    """
    sheets: list[_Sheet] = []
    left_out: list[str] = []
    for path in files:
        opened, remarks = _open(Path(path))
        sheets += opened
        left_out += remarks
    chosen = [(sheet, *_choose_table(sheet)) for sheet in sheets]
    tables = {table for _, table, _, _ in chosen}
    day_first = country != "US"
    entries: list[tuple[_Entry, bool]] = []
    for sheet, table, found, sure in chosen:
        if table is None:
            titles = ", ".join(_quoted(title) for title in sheet.cells.header if title)
            left_out.append(f"{sheet.name}: no table recognised; its columns are {titles}")
            continue
        entries.append((_Entry(sheet, table, found, name, day_first), sure))
        if table == "orders" and "people" not in tables:
            person = _people_in(sheet, found)
            if person:
                entries.append((_Entry(sheet, "people", person, name, day_first, True), True))
    body: list[str] = []
    todo: list[str] = []
    money: Counter[str] = Counter()
    for entry, sure in entries:
        body += entry.write(sure)
        todo += entry.todo
        money += entry.money
    if "orders" not in tables:
        body.append("  # ? orders: no file looks like purchases; they are required")
        todo.append("describe the file that holds the purchases, with table: orders")
    if currency is None:
        currency = _SIGNS_OF_MONEY[money.most_common(1)[0][0]] if money else "EUR"
    head = _head(name, files, todo, country, currency, timezone)
    if not entries:
        head.append("files: []")
    else:
        head.append("files:")
    tail = ["", "# Left out:"] + [f"#   {_one_line(remark)}" for remark in left_out]
    return "\n".join([*head, *body, *(tail if left_out else [])]) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _people_in(sheet: _Sheet, orders: dict[str, int]) -> dict[str, int] | None:
    """Columns that describe the customer in a file of orders, if there are any."""
    found = {
        ours: position
        for ours, position in _match(sheet.cells.header, "people").items()
        if position not in orders.values() and ours not in ("created_at", "updated_at", "title")
    }
    identity = [ours for ours in IDENTITY if ours in found]
    if len(identity) < 2 or not {"email", "phone", "last_name"} & set(identity):
        return None
    return {"source_id": orders["source_id"], **found} if "source_id" in orders else None


def _head(
    name: str, files: list[Path], todo: list[str], country: str, currency: str, timezone: str
) -> list[str]:
    if todo:
        told = ["# To settle before the first run (each is marked '# ?' below):"]
        told += [f"#   {number}. {_one_line(item)}" for number, item in enumerate(todo, start=1)]
    else:
        told = ["# Nothing is left to fill in; read it through once."]
    return [
        f"# First mapping of the files in data/incoming/{name}, made by looking at them.",
        "# datasets/template.yaml explains every line.",
        *told,
        f"# Then: customer360 check {name}",
        "",
        f"name: {name}",
        f"about: {_quoted('Our own files: ' + ', '.join(Path(path).name for path in files))}",
        "world: files",
        f"currency: {currency}",
        f"country: {country}                      # of phones and addresses that name none",
        f"timezone: {timezone}           # of the times in the files",
        "calendar: {as_of: null, calibration_end: null}   # null: the last day in the data",
        "margin_rate: 0.30                # (guess) margin where unit costs are unknown",
    ]


def new_dataset(
    *,
    name: str,
    files: list[Path],
    root: Path,
    country: str = "FR",
    currency: str | None = None,
    timezone: str = "Europe/Paris",
) -> Path:
    """Copy files into the project and write a first mapping for them.

    Parameters
    ----------
    name : str
        Small letters, digits, `-` and `_`, beginning with a letter.
    files : list of Path
    root : Path
        Folder of the project.
    country, currency, timezone
        As for `propose_spec`.

    Returns
    -------
    Path
        `datasets/NAME.yaml`. The files are in `data/incoming/NAME/`. Both appear whole or
        not at all.

    Raises
    ------
    DatasetError
        When the name is taken or no name, or a file cannot be opened.
    """
    root = Path(root)
    files = [Path(path) for path in files]
    if not re.fullmatch(SLUG, name):
        raise DatasetError(
            f"{name!r} cannot name a dataset; use small letters, digits, - and _, as in my_shop"
        )
    target = root / "datasets" / f"{name}.yaml"
    folder = root / "data" / "incoming" / name
    for taken in (target, folder):
        if taken.exists():
            raise DatasetError(
                f"{taken.relative_to(root).as_posix()} exists already; choose another name, or "
                "remove it first"
            )
    if not files:
        raise DatasetError("no file was named; write customer360 new-dataset NAME FILE…")
    twice = [file for file, count in Counter(path.name for path in files).items() if count > 1]
    if twice:
        raise DatasetError(f"two files are named {twice[0]!r}; rename one")
    text = propose_spec(
        name=name, files=files, country=country, currency=currency, timezone=timezone
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    waiting = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    draft = target.with_name(f".{target.name}.tmp")
    try:
        for path in files:
            shutil.copyfile(path, waiting / path.name)
        waiting.chmod(0o755)
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.rename(waiting, folder)
        try:
            os.replace(draft, target)
        except OSError:
            shutil.rmtree(folder)
            raise
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
        draft.unlink(missing_ok=True)
    return target


# --- the check --------------------------------------------------------------------------------


def check_spec(*, spec: dict[str, Any], root: Path) -> Report:
    """Read the files with their mapping and tell what comes out; nothing is written.

    Parameters
    ----------
    spec : dict
        As returned by `read_spec`.
    root : Path
        Folder of the project.

    Returns
    -------
    Report
        `ok` is False when the files cannot be read; `lines` then say what to correct.
    """
    name = spec["name"]
    if spec["world"] != "files":
        return Report(True, [f"{name}: world {spec['world']}, made or read by the project itself"])
    try:
        arrived, files = mapped.read_and_report(spec=spec, root=root)
    except DatasetError as error:
        problems = str(error).splitlines()
        title = f"{name} cannot be read yet; to correct in datasets/{name}.yaml or in the files:"
        return Report(False, [title, *(f"  - {problem}" for problem in problems)])
    lines: list[str] = []
    for report in files:
        lines += _lines_of(report, spec["currency"])
    totals = ", ".join(f"{len(t):,} {name}" for name, t in sorted(arrived.tables.items()))
    assert arrived.rejected is not None
    lines.append(f"In all: {totals}; {arrived.rejected.num_rows:,} rows set aside")
    lines += _worries(files)
    lines.append(
        f"The mapping can be read. Next: write dataset: {name} in params.yaml, then make pipeline"
    )
    return Report(True, lines, files)


def _lines_of(report: mapped.FileReport, currency: str) -> list[str]:
    lines = [
        f"{report.file} -> {report.table}: {report.rows:,} rows, {report.kept:,} read, "
        f"{report.rows - report.kept:,} set aside"
    ]
    pairs = ", ".join(f"{theirs} = {ours}" for theirs, ours in report.mapped.items())
    lines.append(f"    read: {pairs}")
    if report.unused:
        lines.append(f"    not used: {', '.join(report.unused)}")
    if report.first is not None and report.last is not None:
        lines.append(f"    from {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d} (UTC)")
    if report.table == "orders":
        lines.append(
            f"    amount read {report.amount:,.2f} {currency}, set aside "
            f"{report.amount_rejected:,.2f} {currency}"
        )
    lines += [f"    set aside: {count:,} {reason}" for reason, count in report.rejected.items()]
    lines += [f"    emptied: {count:,} {reason}" for reason, count in report.emptied.items()]
    return lines


def _worries(files: list[mapped.FileReport]) -> list[str]:
    """What can be read and may still be wrong."""
    worries = []
    for report in files:
        if report.rows and report.kept < 0.8 * report.rows:
            share = 1 - report.kept / report.rows
            worries.append(f"Look at {report.file}: {share:.0%} of its rows are set aside")
        repeats = sum(c for reason, c in report.rejected.items() if reason.startswith("duplicate"))
        if report.table == "orders" and repeats > 0.05 * report.rows:
            worries.append(
                f"Look at {report.file}: {repeats:,} rows repeat another one; if a line is one "
                "article scanned and not an export made twice, write duplicate_rows: keep"
            )
    return worries
