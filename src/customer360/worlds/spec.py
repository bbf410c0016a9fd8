"""The description of a dataset: `datasets/NAME.yaml`, read and checked.

Every problem of the file is told at once, in words, with what to write instead.
"""

from __future__ import annotations

import codecs
import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import yaml

from customer360.contracts import CONTRACTS, RAW_TABLES, Column, Table

__all__ = ["WORLDS", "DatasetError", "guess_format", "known_columns", "needed_columns", "read_spec"]

WORLDS = ("demo", "complete_journey", "cdnow", "files")
FORMATS = {
    "csv": (".csv", ".txt", ".tsv"),
    "excel": (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"),
    "parquet": (".parquet", ".pq"),
}
HEAD_KEYS = (
    "name",
    "about",
    "world",
    "currency",
    "country",
    "timezone",
    "calendar",
    "margin_rate",
    "options",
    "files",
)
REQUIRED_HEAD = {
    "name": "name: mine, the name of the file without .yaml",
    "world": f"world: files, or one of {', '.join(WORLDS)}",
    "currency": "currency: EUR, the three letters of the currency of the amounts",
    "country": "country: FR, the country of phones and addresses that do not name one",
    "timezone": "timezone: Europe/Paris, the zone of the times in the files",
    "margin_rate": "margin_rate: 0.30, the assumed margin where unit costs are unknown",
}
FILE_DEFAULTS: dict[str, Any] = {
    "file": None,
    "table": None,
    "format": None,
    "sheet": None,
    "header_row": 1,
    "separator": ",",
    "encoding": "utf-8",
    "decimal": ".",
    "thousands": None,
    "date_format": "iso",
    "timezone": None,
    "columns": None,
    "constants": {},
    "values": {},
    "units": {},
    "skip_when": {},
    "negative_amounts": "reject",
    "duplicate_rows": "reject",
    "distinct": False,
}
# Not a column of the contract: with the quantity it gives the amount of a line.
UNIT_PRICE = Column("unit_price", "number", "price of one unit, where no amount is given")
# What `mapped` makes up when a file has nothing of the kind.
_DERIVED = {"orders": {"order_id", "line_no"}, "people": {"source_id"}}
_DIRECTIVES = set("YymdHMSfpIbBzjT")


class DatasetError(ValueError):
    """A dataset cannot be read. The message names the file, what was found, what to write."""


def known_columns(table: str) -> dict[str, Column]:
    """Columns that a mapping may name, for one raw table.

    Parameters
    ----------
    table : str
        Name of a raw table, for example "orders".

    Returns
    -------
    dict of str to Column
        In the order of the contract; orders also know `unit_price`.
    """
    columns = {column.name: column for column in CONTRACTS[f"raw.{table}"].columns}
    return columns | ({UNIT_PRICE.name: UNIT_PRICE} if table == "orders" else {})


def needed_columns(table: str) -> list[str]:
    """Columns that a mapping of this raw table must fill, by a column or a constant.

    `source` is never among them (it defaults to the dataset's name), nor are the keys
    that can be made up. An order must name its customer.
    """
    contract: Table = CONTRACTS[f"raw.{table}"]
    free = _DERIVED.get(table, set()) | {"source"}
    needed = [c.name for c in contract.columns if not c.nullable and c.name not in free]
    return ["source_id", *needed] if table == "orders" else needed


def guess_format(file: str) -> str | None:
    """csv, excel or parquet, from the ending of a file name; None when it says nothing."""
    ending = Path(file).suffix.lower()
    return next((name for name, endings in FORMATS.items() if ending in endings), None)


# --- YAML without its surprises ---------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML where `oui`, `no` and `01` stay text and a key cannot stand twice."""


# YAML 1.1 reads No as false and 012 as ten: both occur in real headers and codes.
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if not pair[0].endswith((":bool", ":int"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def _mapping_once(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, (list, dict)):
            continue
        if key in seen:
            raise DatasetError(
                f"line {key_node.start_mark.line + 1}: {key!r} stands twice; keep one of the two"
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)


def _load_yaml(path: Path, label: str) -> dict[str, Any]:
    if not path.is_file():
        others = sorted(p.stem for p in path.parent.glob("*.yaml"))
        raise DatasetError(
            f"{label}: no such file; the datasets are {', '.join(others) or '(none yet)'}. "
            "Make one with: customer360 new-dataset NAME FILE…"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml.load(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{label}: save this file as UTF-8 ({error.reason})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise DatasetError(
            f"{label}: {where}{problem}. Check the indentation, and write names that hold "
            'a colon, # or % in quotes, as in "N°: client"'
        ) from error
    except DatasetError as error:
        raise DatasetError(f"{label}: {error}") from None
    except ValueError as error:
        # YAML takes 2025-31-12 for a date, and finds no such month.
        raise DatasetError(
            f"{label}: as_of or another date is impossible ({error}); write year-month-day in "
            'quotes, as in "2025-12-31"'
        ) from None
    if not isinstance(content, dict):
        raise DatasetError(f"{label}: holds no settings; copy datasets/template.yaml and edit it")
    return content


# --- the checks -------------------------------------------------------------------------------


def did_you_mean(found: object, known: Iterable[str]) -> str:
    """Close matches in words, else the whole list."""
    known = list(known)
    close = difflib.get_close_matches(str(found), known, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "write one of " + ", ".join(known)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class _Problems:
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, key: str, found: str, remedy: str) -> None:
        self.found.append(f"{key}: {found}; {remedy}")

    def unknown_keys(self, where: str, mapping: Mapping[Any, Any], known: Iterable[str]) -> None:
        for key in mapping:
            if key not in known:
                self.add(f"{where}{key}", "this key is not known", did_you_mean(key, known))

    def no_bare_dates(self, value: Any, key: str) -> Any:
        """Replace unquoted dates by their text, so that the other checks can go on."""
        if isinstance(value, dt.date):
            text = value.isoformat()
            self.add(key, f"found the unquoted date {text}", f'write it in quotes: "{text}"')
            return text
        if isinstance(value, dict):
            return {
                self.no_bare_dates(k, key): self.no_bare_dates(v, f"{key}.{k}" if key else str(k))
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self.no_bare_dates(v, f"{key}[{i}]") for i, v in enumerate(value)]
        return value


def read_spec(path: Path | str) -> dict[str, Any]:
    """Read and check `datasets/NAME.yaml`.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    dict
        The settings with every default filled in: `name`, `about`, `world`, `currency`,
        `country`, `timezone`, `calendar` (`as_of`, `calibration_end`: ISO text or None),
        `margin_rate`, `options`, and `files`, one dict a file with all keys of the
        template present.

    Raises
    ------
    DatasetError
        Listing every problem found: the key, what it holds, what to write.
    """
    path = Path(path)
    label = f"{path.parent.name}/{path.name}" if path.parent.name else path.name
    content = _load_yaml(path, label)
    problems = _Problems()
    content = problems.no_bare_dates(content, "")
    spec = _check_head(content, path.stem, problems)
    if spec["world"] == "files":
        spec["files"] = _check_files(content.get("files"), spec, problems)
    if problems.found:
        count = len(problems.found)
        raise DatasetError(
            f"{label}: {count} problem{'s' if count > 1 else ''} to correct\n"
            + "\n".join(f"  - {problem}" for problem in problems.found)
        )
    return spec


def _check_head(content: dict[str, Any], stem: str, problems: _Problems) -> dict[str, Any]:
    problems.unknown_keys("", content, HEAD_KEYS)
    for key, remedy in REQUIRED_HEAD.items():
        if content.get(key) is None:
            problems.add(key, "missing", f"write {remedy}")
    spec = {key: content.get(key) for key in HEAD_KEYS}

    if spec["name"] is not None and spec["name"] != stem:
        problems.add("name", f"found {_shown(spec['name'])}", f"write {stem}, as the file is named")
    spec["about"] = str(spec["about"] or "")
    world = spec["world"]
    if world is not None and world not in WORLDS:
        problems.add("world", f"found {_shown(world)}", did_you_mean(world, WORLDS))
    for key, letters, example in (("currency", 3, "EUR"), ("country", 2, "FR")):
        value = spec[key]
        good = isinstance(value, str) and re.fullmatch(rf"[A-Z]{{{letters}}}", value)
        if value is not None and not good:
            problems.add(
                key, f"found {_shown(value)}", f"write {letters} capital letters, as in {example}"
            )
    if spec["timezone"] is not None:
        _check_zone("timezone", spec["timezone"], problems)
    rate = spec["margin_rate"]
    if rate is not None and not (_is_number(rate) and 0 <= rate <= 1):
        problems.add(
            "margin_rate", f"found {_shown(rate)}", "write a share between 0 and 1, as in 0.30"
        )
    spec["calendar"] = _check_calendar(spec["calendar"], problems)
    spec["options"] = spec["options"] or {}
    if not isinstance(spec["options"], dict):
        problems.add(
            "options", f"found {_shown(spec['options'])}", "write names and values under it"
        )
        spec["options"] = {}
    if world == "files" and spec["options"]:
        problems.add("options", "only the built-in worlds have options", "remove it")
    if world in WORLDS and world != "files" and spec["files"]:
        problems.add("files", f"world {world} brings its own files", "write world: files")
    spec["files"] = []
    return spec


def _check_calendar(calendar: Any, problems: _Problems) -> dict[str, str | None]:
    keys = ("as_of", "calibration_end")
    empty: dict[str, str | None] = dict.fromkeys(keys)
    if calendar is None:
        return empty
    if not isinstance(calendar, dict):
        problems.add("calendar", f"found {_shown(calendar)}", "write {as_of: null} or a date")
        return empty
    problems.unknown_keys("calendar.", calendar, keys)
    read = empty | {key: calendar.get(key) for key in keys}
    for key, value in read.items():
        if value is not None and not _is_iso_date(value):
            problems.add(
                f"calendar.{key}",
                f"found {_shown(value)}",
                'write a day in quotes as "2025-12-31", or null to let the data decide',
            )
            read[key] = None
    as_of, end = read["as_of"], read["calibration_end"]
    if as_of and end and end >= as_of:
        problems.add(
            "calendar.calibration_end",
            f"{end} is not before as_of {as_of}",
            "write an earlier day: what lies between the two is used to judge the models",
        )
    return read


def _is_iso_date(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_zone(key: str, zone: Any, problems: _Problems) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        names = sorted(available_timezones())
        cities = {name.rsplit("/", 1)[-1].lower(): name for name in names if "/" in name}
        close = difflib.get_close_matches(str(zone), names, n=2, cutoff=0.6)
        city = cities.get(str(zone).rsplit("/", 1)[-1].strip().lower())
        close = [city] if city else close
        remedy = "did you mean " + " or ".join(close) + "?" if close else "as in Europe/Paris"
        problems.add(key, f"{_shown(zone)} is not a known time zone", remedy)


def _check_files(files: Any, spec: dict[str, Any], problems: _Problems) -> list[dict[str, Any]]:
    if not isinstance(files, list) or not files:
        problems.add(
            "files",
            "no file is described",
            "write one entry a file (see datasets/template.yaml); only orders are required",
        )
        return []
    read = []
    for number, entry in enumerate(files, start=1):
        if not isinstance(entry, dict):
            problems.add(
                f"files, entry {number}", f"found {_shown(entry)}", 'write "- file: sales.csv"'
            )
            continue
        where = f"files, entry {number} ({entry.get('file', 'no file name')}), "
        read.append(_check_entry(entry, where, problems))
    tables = [entry["table"] for entry in read]
    if read and len(read) == len(files) and "orders" not in tables:
        problems.add(
            "files",
            f"found tables {', '.join(str(t) for t in tables)}",
            "orders is required: describe the file that holds the purchases with table: orders",
        )
    return read


def _check_entry(entry: dict[str, Any], where: str, problems: _Problems) -> dict[str, Any]:
    problems.unknown_keys(where, entry, FILE_DEFAULTS)
    read = {
        key: default if entry.get(key) is None else entry[key]
        for key, default in FILE_DEFAULTS.items()
    }
    _check_reading(read, where, problems)
    table = read["table"]
    if table not in RAW_TABLES:
        if table is None:
            problems.add(f"{where}table", "missing", "write one of " + ", ".join(RAW_TABLES))
        else:
            problems.add(
                f"{where}table", f"{_shown(table)} is no table", did_you_mean(table, RAW_TABLES)
            )
        return read
    known = known_columns(table)
    for key in ("columns", "constants", "values", "units", "skip_when"):
        if not isinstance(read[key] or {}, dict):
            problems.add(
                f"{where}{key}", f"found {_shown(read[key])}", 'write lines of "this: that" below'
            )
            read[key] = {}
    read["columns"] = _check_columns(read["columns"] or {}, table, known, where, problems)
    read["constants"] = {
        key: _check_constant(key, value, table, known, where, problems)
        for key, value in read["constants"].items()
    }
    read["values"] = _check_values(read["values"], table, known, where, problems)
    _check_units(read["units"], table, known, where, problems)
    read["skip_when"] = {
        str(key): [str(v) for v in (values if isinstance(values, list) else [values])]
        for key, values in read["skip_when"].items()
    }
    _check_complete(read, table, where, problems)
    return read


def _check_reading(read: dict[str, Any], where: str, problems: _Problems) -> None:
    """How the file is to be opened: everything but the columns."""
    file = read["file"]
    if not isinstance(file, str) or not file.strip():
        problems.add(f"{where}file", f"found {_shown(file)}", "write the name of the file")
        file = ""
    elif Path(file).is_absolute() or ".." in Path(file).parts:
        problems.add(
            f"{where}file",
            f"{_shown(file)} lies elsewhere",
            "copy it into data/incoming/NAME/ and write its name only, so that changes are seen",
        )
    if read["format"] is None:
        read["format"] = guess_format(file)
        if read["format"] is None and file:
            problems.add(
                f"{where}format",
                f"the ending of {_shown(file)} does not tell it",
                "write format: csv, excel or parquet",
            )
    elif read["format"] not in FORMATS:
        problems.add(
            f"{where}format",
            f"found {_shown(read['format'])}",
            did_you_mean(read["format"], FORMATS),
        )
    row = read["header_row"]
    if not isinstance(row, int) or isinstance(row, bool) or row < 1:
        problems.add(
            f"{where}header_row", f"found {_shown(row)}", "write the row of the titles, from 1"
        )
    read["separator"] = "\t" if read["separator"] == "tab" else read["separator"]
    for key, remedy in (
        ("separator", 'write one character: ",", ";", "|" or tab'),
        ("decimal", 'write "," or "."'),
        ("thousands", "write one character, or leave it out"),
    ):
        value = read[key]
        if value is not None and (not isinstance(value, str) or len(value) != 1):
            problems.add(f"{where}{key}", f"found {_shown(value)}", remedy)
    if read["decimal"] not in (",", "."):
        problems.add(f"{where}decimal", f"found {_shown(read['decimal'])}", 'write "," or "."')
    elif read["thousands"] == read["decimal"]:
        problems.add(
            f"{where}thousands", "is the same as decimal", "write the other sign, or leave it out"
        )
    try:
        codecs.lookup(read["encoding"])
    except (LookupError, TypeError):
        problems.add(
            f"{where}encoding",
            f"{_shown(read['encoding'])} is not known",
            did_you_mean(read["encoding"], ("utf-8", "cp1252", "latin-1", "utf-16")),
        )
    if read["sheet"] is not None:
        read["sheet"] = str(read["sheet"])
    if read["timezone"] is not None:
        _check_zone(f"{where}timezone", read["timezone"], problems)
    for key, choices in (
        ("negative_amounts", ("reject", "return")),
        ("duplicate_rows", ("reject", "keep")),
    ):
        if read[key] not in choices:
            problems.add(
                f"{where}{key}", f"found {_shown(read[key])}", f"write {' or '.join(choices)}"
            )
    if not isinstance(read["distinct"], bool):
        problems.add(f"{where}distinct", f"found {_shown(read['distinct'])}", "write true or false")
    read["date_format"] = _check_date_formats(read["date_format"], f"{where}date_format", problems)


def _check_date_formats(formats: Any, key: str, problems: _Problems) -> list[str]:
    formats = formats if isinstance(formats, list) else [formats]
    for found in formats:
        if found in ("iso", "excel"):
            continue
        directives = re.findall(r"%(.)", found) if isinstance(found, str) else []
        has_day = bool({"d", "j"} & set(directives)) and bool({"Y", "y"} & set(directives))
        if not has_day or set(directives) - _DIRECTIVES:
            spelled = re.sub(r"(?i)yyyy|aaaa", "%Y", str(found))
            spelled = re.sub(r"(?i)\bd{1,2}\b|\bj{1,2}\b", "%d", spelled)
            spelled = re.sub(r"(?i)\bm{1,2}\b", "%m", spelled)
            remedy = spelled if re.search(r"%[Yy]", spelled) and "%d" in spelled else "%d/%m/%Y"
            problems.add(
                key,
                f"{_shown(found)} is not a date format",
                f'write it as "{remedy}" (day %d, month %m, year %Y, two-digit year %y, hour %H, '
                "minute %M, second %S), iso or excel",
            )
    text = [str(f) for f in formats]
    orders = {
        "day" if f.index("%d") < f.index("%m") else "month"
        for f in text
        if "%d" in f and "%m" in f and not f.startswith(("%Y", "%y"))
    }
    if len(orders) > 1:
        problems.add(
            key,
            f"{_shown(text)} holds day first and month first",
            "keep one: 03/04/2025 would be read either way; split the file if it mixes both",
        )
    return text


def _check_columns(
    columns: dict[Any, Any],
    table: str,
    known: dict[str, Column],
    where: str,
    problems: _Problems,
) -> dict[str, str]:
    read: dict[str, str] = {}
    taken: dict[str, str] = {}
    for theirs, ours in columns.items():
        header = " ".join(str(theirs).split())
        if not isinstance(ours, str) or ours not in known:
            problems.add(
                f"{where}columns, {header!r}",
                f"{_shown(ours)} is not a column of {table}",
                did_you_mean(ours, known),
            )
        elif ours in taken:
            problems.add(
                f"{where}columns",
                f"both {taken[ours]!r} and {header!r} are read as {ours}",
                "keep one of the two lines",
            )
        elif header in read:
            problems.add(
                f"{where}columns",
                f"{header!r} is read as {read[header]} and as {ours}",
                "keep one of the two lines",
            )
        else:
            taken[ours] = header
            read[header] = ours
    return read


def _check_constant(
    key: Any,
    value: Any,
    table: str,
    known: dict[str, Column],
    where: str,
    problems: _Problems,
) -> Any:
    place = f"{where}constants.{key}"
    column = known.get(key)
    if column is None:
        problems.add(place, f"is not a column of {table}", did_you_mean(key, known))
    elif isinstance(value, (dict, list)) or value is None:
        problems.add(place, f"found {_shown(value)}", "write one value")
    elif column.allowed and value not in column.allowed:
        problems.add(place, f"found {_shown(value)}", did_you_mean(value, column.allowed))
    elif column.dtype in ("number", "integer") and not _is_number(value):
        problems.add(place, f"found {_shown(value)}", "write a number, without quotes")
    elif column.dtype == "flag" and not isinstance(value, bool):
        problems.add(place, f"found {_shown(value)}", "write true or false")
    elif column.dtype in ("time", "date") and not _is_iso_date(value):
        problems.add(place, f"found {_shown(value)}", 'write a day in quotes: "2025-12-31"')
    elif column.dtype == "text":
        return str(value)
    return value


def _check_values(
    values: dict[Any, Any],
    table: str,
    known: dict[str, Column],
    where: str,
    problems: _Problems,
) -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = {}
    for key, pairs in values.items():
        place = f"{where}values.{key}"
        column = known.get(key)
        if column is None:
            problems.add(place, f"is not a column of {table}", did_you_mean(key, known))
            continue
        if not isinstance(pairs, dict):
            problems.add(place, f"found {_shown(pairs)}", "write {theirs: ours}, as in {CB: card}")
            continue
        read[key] = {}
        for theirs, ours in pairs.items():
            text = str(ours).lower() if isinstance(ours, bool) else str(ours)
            if ours is None or isinstance(ours, (dict, list)):
                problems.add(f"{place}, {theirs!r}", f"found {_shown(ours)}", "write one value")
            elif column.allowed and text not in column.allowed:
                problems.add(
                    f"{place}, {theirs!r}",
                    f"{_shown(ours)} is not a {key}",
                    did_you_mean(text, column.allowed),
                )
            else:
                read[key][str(theirs)] = text
    return read


def _check_units(
    units: dict[Any, Any],
    table: str,
    known: dict[str, Column],
    where: str,
    problems: _Problems,
) -> None:
    for key, factor in units.items():
        place = f"{where}units.{key}"
        column = known.get(key)
        if column is None:
            problems.add(place, f"is not a column of {table}", did_you_mean(key, known))
        elif column.dtype not in ("number", "integer"):
            problems.add(place, f"{key} is not a number", "remove this line")
        elif not _is_number(factor) or factor == 0:
            problems.add(
                place, f"found {_shown(factor)}", "write the factor: 0.01 turns cents into euros"
            )


def _check_complete(read: dict[str, Any], table: str, where: str, problems: _Problems) -> None:
    """What the table cannot do without is mapped once, by a column or a constant."""
    mapped, constants = set(read["columns"].values()), set(read["constants"])
    for key in sorted(mapped & constants):
        problems.add(
            f"{where}constants.{key}", "is already read from a column", "keep one of the two"
        )
    given = mapped | constants
    if "unit_price" in given:
        given = given | {"amount"}
    for column in needed_columns(table):
        # A wrong name in `columns` was told already; the gap it leaves is told too.
        if column not in given:
            about = known_columns(table)[column].about
            problems.add(
                f"{where}columns",
                f"nothing is read as {column} ({about})",
                f'add a line "their title": {column}',
            )
    if {"amount", "unit_price"} <= mapped | constants:
        problems.add(
            f"{where}columns",
            "both amount and unit_price are given",
            "keep amount; unit_price is for files without it",
        )
