"""Read and write tables by name: always validated, always whole.

`Store.read("staged.orders")` hands over a DuckDB relation, lazily; `Store.write`
takes a relation, a pandas or Arrow frame or a Narwhals one, checks it against its
contract, sorts it by its key and replaces the old file in one move: a run that is
killed leaves the last good table.

Floats are stored rounded to `DECIMALS` digits: sums made by several cores differ in
their last bits from run to run, and equal content must give equal bytes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from customer360.contracts import (
    ARROW_TYPES,
    CONTRACTS,
    ContractError,
    Table,
    arrow_schema,
    validate_batch,
)
from customer360.engines import connect
from customer360.periods import Calendar, Snapshots

__all__ = ["Store", "find_root", "write_folder", "write_text"]

DECIMALS = 8
BATCH_ROWS = 262_144
SECRET_BYTES = 32
SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "DATE",
}


def find_root(start: Path | None = None) -> Path:
    """Folder of the project: the nearest one upwards that holds `params.yaml`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "params.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"no params.yaml in {here} or above: run the command from inside the project"
    )


@contextmanager
def _replacing(path: Path):
    """Give a temporary neighbour of `path`; move it there when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files whole or not at all; the one that was there is replaced.

    Parameters
    ----------
    path : Path
    files : mapping of str to bytes
        Content by plain file name.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    before = path.with_name(f".{path.name}.{os.getpid()}.before")
    if any(not name or Path(name).name != name for name in files):
        raise ValueError("a file of the folder must have a plain name")
    try:
        aside.mkdir(parents=True)
        for name, content in files.items():
            (aside / name).write_bytes(content)
        if path.exists():
            os.replace(path, before)
        try:
            os.replace(aside, path)
        except OSError:
            if before.exists():
                os.replace(before, path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


class Store:
    """The tables, facts and metrics of one project folder.

    Parameters
    ----------
    root : Path
        Project folder.

    Examples
    --------
    >>> store = Store.open()                      # doctest: +SKIP
    >>> orders = store.read("staged.orders")      # doctest: +SKIP
    >>> store.write("purchase_days", days)        # doctest: +SKIP
    """

    def __init__(self, root: Path):
        self.root = root
        self.connection = connect()
        self.kept = 0

    @classmethod
    def open(cls, root: Path | None = None) -> Store:
        """Open the project that holds the working folder."""
        return cls(root or find_root())

    def close(self) -> None:
        """Let go of the engine; relations read from this store end with it."""
        self.connection.close()

    # --- tables ---

    def path(self, name: str) -> Path:
        """Where the named table is stored."""
        if name not in CONTRACTS:
            raise ContractError(f"no table is called {name!r}; see docs/data_dictionary.md")
        table = CONTRACTS[name]
        return self.root / "data" / table.folder / table.file_name

    def read(self, name: str) -> duckdb.DuckDBPyRelation:
        """The named table, lazily.

        Raises
        ------
        FileNotFoundError
            Naming the stage to run first.
        """
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError(
                f"{path.relative_to(self.root)} is not there yet: run `make pipeline`, "
                "or the stage that writes it (see dvc.yaml)"
            )
        return self.connection.read_parquet(str(path))

    def keep(self, relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
        """Compute a relation now, into a table of the engine, which may spill to disk.

        A union of several long plans takes the engine far longer to think over than to
        compute; kept one by one, they are short.
        """
        self.kept += 1
        name = f"kept_{self.kept}"
        relation.create(name)
        return self.connection.table(name)

    def count(self, name: str) -> int:
        """Rows of the named table, read from its footer."""
        return pq.read_metadata(self.path(name)).num_rows

    def write(self, name: str, frame: Any) -> int:
        """Validate and store a table; return its number of rows.

        Columns that the contract does not name are refused, except that missing
        columns that may be empty are added to raw tables.

        Raises
        ------
        ContractError
            Naming table, column, rule and number of rows. The old file stays.
        """
        path = self.path(name)
        table = CONTRACTS[name]
        relation = self._relation(frame)
        query = _select_sql(table, list(relation.columns))
        with _replacing(path) as temporary:
            try:
                rows = _write_parquet(temporary, table, relation.query("incoming", query))
            except duckdb.ConversionException as error:
                # The engine's message quotes the value, which may be personal.
                raise ContractError(_explain_cast(table, relation) or str(error)) from None
            self._check_key(table, temporary)
        return rows

    def _relation(self, frame: Any) -> duckdb.DuckDBPyRelation:
        native = nw.to_native(frame, pass_through=True)
        if isinstance(native, duckdb.DuckDBPyRelation):
            return native
        if isinstance(native, (pa.Table, pa.RecordBatchReader)):
            return self.connection.from_arrow(native)
        return self.connection.from_arrow(_arrow_from_pandas(native))

    def _check_key(self, table: Table, path: Path) -> None:
        # Raw tables hold what arrived, duplicates included: cleaning sets them aside.
        if not table.key or table.folder == "raw":
            return
        key = ", ".join(f'"{k}"' for k in table.key)
        relation = self.connection.read_parquet(str(path))
        twice = relation.aggregate(f"{key}, count(*) AS rows", key).filter("rows > 1")
        keys, rows = twice.aggregate("count(*), coalesce(sum(rows), 0)").fetchall()[0]
        if keys:
            raise ContractError(
                f"table {table.name}: {rows:,} rows share {keys:,} keys ({', '.join(table.key)}); "
                f"a row must be {table.grain}. Remove the duplicates or complete the key."
            )

    def read_csv(self, relative: str) -> Any:
        """A small CSV file that a person keeps below the project folder, as text.

        Returns
        -------
        pandas.DataFrame or None
            None when the file is not there. Comma, semicolon or tab may separate.

        Raises
        ------
        ContractError
            When it is no table of text in UTF-8.
        """
        path = self.root / relative
        if not path.is_file():
            return None
        # Here: not every command needs pandas.
        import pandas as pd

        try:
            header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
            separator = max(",;\t", key=header.count)
            return pd.read_csv(path, sep=separator, dtype="str", encoding="utf-8-sig")
        except (ValueError, pd.errors.ParserError) as error:
            raise ContractError(
                f"{relative} cannot be read as a table ({type(error).__name__}): save it as "
                "CSV in UTF-8, with one line of column names"
            ) from None

    def folder(self, relative: str) -> Path:
        """A folder of the project, made when it is not there yet."""
        path = self.root / relative
        path.mkdir(parents=True, exist_ok=True)
        return path

    # --- secrets ---

    def secret(self, name: str, *, demo: bytes | None = None) -> bytes:
        """Secret bytes of `secrets/<name>.key`, made up on first use for its owner's eyes only.

        Parameters
        ----------
        name : str
        demo : bytes, optional
            What the dataset `demo` uses instead: a known one, for the same bytes everywhere.

        Raises
        ------
        PermissionError
            When others on this machine may read the file.
        ValueError
            When it does not hold a secret. Its content is never repeated.
        """
        if demo is not None and self.dataset()["name"] == "demo":
            return demo
        path = self.root / "secrets" / f"{name}.key"
        if not path.exists():
            _write_secret(path)
        shown = path.relative_to(self.root)
        # Windows has other rights, which this does not tell.
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise PermissionError(f"{shown} can be read by others: chmod 600 {shown}")
        try:
            found = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            found = b""
        if len(found) != SECRET_BYTES:
            raise ValueError(
                f"{shown} does not hold {SECRET_BYTES} bytes in hexadecimal: bring it back from "
                "its copy; a new one would make other traps and pseudonyms"
            )
        return found

    # --- facts about the dataset, chosen days, metrics ---

    def write_json(self, relative: str, values: Mapping[str, Any]) -> None:
        """Write a small JSON file below the project folder, whole or not at all."""
        text = json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True)
        write_text(self.root / relative, text + "\n")

    def read_json(self, relative: str) -> dict[str, Any]:
        """Read a JSON file below the project folder."""
        path = self.root / relative
        if not path.is_file():
            raise FileNotFoundError(f"{relative} is not there yet: run `make pipeline` first")
        return json.loads(path.read_text(encoding="utf-8"))

    def dataset(self) -> dict[str, Any]:
        """Facts about the dataset: name, about, currency, country, margin_rate."""
        return self.read_json("data/raw/dataset.json")

    def calendar(self) -> Calendar:
        """The days that matter, as capture resolved them."""
        return Calendar.from_dict(self.dataset()["calendar"])

    def snapshots(self) -> Snapshots:
        """The days that the features stage looked at customers."""
        return Snapshots.from_dict(self.read_json("data/features/snapshots.json"))

    def write_metrics(self, stage: str, metrics: Mapping[str, float]) -> dict[str, float]:
        """Store a flat set of numbers in `metrics/<stage>.json`, rounded; return them.

        Raises
        ------
        ContractError
            When a value is not a finite number: a metric that cannot be computed is
            left out, never written as NaN.
        """
        clean: dict[str, float] = {}
        for name, value in metrics.items():
            number = float(value)
            if number != number or number in (float("inf"), float("-inf")):
                raise ContractError(f"metrics/{stage}.json: {name} is {number}; leave it out")
            clean[name] = int(number) if number.is_integer() else round(number, 6)
        self.write_json(f"metrics/{stage}.json", clean)
        return clean


def _write_secret(path: Path) -> None:
    """Draw a secret; the file is closed to others before it holds anything."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _replacing(path) as temporary:
        opened = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")


def _write_parquet(path: Path, table: Table, relation: Any) -> int:
    """Validate and write a relation in the contract's types; return its number of rows."""
    rows = 0
    schema = arrow_schema(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in relation.to_arrow_reader(BATCH_ROWS):
            part = pa.Table.from_batches([batch]).cast(schema)
            validate_batch(table, part)
            writer.write_table(part)
            rows += part.num_rows
    return rows


def _explain_cast(table: Table, relation: duckdb.DuckDBPyRelation) -> str:
    """Say which columns hold values that are not of the contract's type, and how many."""
    found = [c for c in table.columns if c.name in relation.columns]
    lost = [
        f'count("{c.name}") - count(TRY_CAST("{c.name}" AS {SQL_TYPES[c.dtype]}))' for c in found
    ]
    *counts, rows = relation.aggregate(", ".join([*lost, "count(*)"])).fetchall()[0]
    return "; ".join(
        f"table {table.name}, column {column.name} must be a {column.dtype}: "
        f"{count:,} of {rows:,} rows are not"
        for column, count in zip(found, counts, strict=True)
        if count
    )


def _arrow_from_pandas(frame: Any) -> pa.Table:
    """Arrow from pandas; object columns without a value become null columns."""
    return pa.Table.from_pandas(frame, preserve_index=False)


def _select_sql(table: Table, found: list[str]) -> str:
    """Cast to the contract, round, and put in the order of the key."""
    unknown = [name for name in found if name not in table.column_names]
    missing = [c for c in table.columns if c.name not in found]
    if unknown:
        raise ContractError(
            f"table {table.name} has no column {', '.join(unknown)}; "
            f"it has {', '.join(table.column_names)}"
        )
    refused = [c.name for c in missing if not (table.folder == "raw" and c.nullable)]
    if refused:
        raise ContractError(f"table {table.name}: column {', '.join(refused)} is missing")
    parts = []
    for column in table.columns:
        sql_type = SQL_TYPES[column.dtype]
        value = f'"{column.name}"' if column.name in found else "NULL"
        value = f"CAST({value} AS {sql_type})"
        if column.dtype == "number":
            # NaN means "unknown" in pandas and must not survive as a number.
            value = f"round(CASE WHEN isnan({value}) THEN NULL ELSE {value} END, {DECIMALS})"
        parts.append(f'{value} AS "{column.name}"')
    assert set(ARROW_TYPES) == set(SQL_TYPES)
    order = list(table.key)
    if not table.key or table.folder == "raw":
        # Rows that share a key, or have none, fall in the order of everything else.
        order += [c.name for c in table.columns if c.name not in table.key]
    order_by = ", ".join(f'"{name}"' for name in order)
    return f"SELECT {', '.join(parts)} FROM incoming ORDER BY {order_by}"
