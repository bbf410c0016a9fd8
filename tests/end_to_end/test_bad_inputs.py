"""Twenty-odd kinds of bad input: each ends in quarantine or in a clear error."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from project import ROOT, copy_project
from typer.testing import CliRunner

from customer360.cleaning.orders import clean_orders
from customer360.cli import app
from customer360.storage import Store

MAPPING = """name: shop
about: bad input
world: files
currency: EUR
country: FR
timezone: Europe/Paris
calendar: {{as_of: {as_of}, calibration_end: null}}
margin_rate: 0.3
files:
  - file: {file}
    table: orders
    {options}
    columns: {{Client: source_id, Date: ordered_at, Montant: amount{more}}}
    constants: {{source: shop, status: paid}}
"""
HEADER = "Client;Date;Montant;Ticket"
GOOD = [f"C{n % 40};2025-{1 + n % 9:02d}-{1 + n % 28:02d};{10 + n % 7},50;T{n}" for n in range(200)]


@dataclass
class Case:
    """A bad file, and what must come of it: rows set aside, or words of the message."""

    content: bytes
    aside: int | None = None
    says: tuple[str, ...] = ()
    options: str = 'separator: ";"\n    decimal: ","'
    more: str = ", Ticket: order_id"
    as_of: str = '"2025-12-31"'
    file: str = "orders.csv"


def _csv(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\n".join((HEADER, *lines)).encode(encoding)


CASES = {
    "empty file": Case(b"", says=("orders.csv", "empty")),
    "header only": Case(_csv(), says=("orders.csv",)),
    "wrong encoding": Case(
        _csv(*GOOD, "Zoé;2025-01-01;5,00;Z", encoding="cp1252"), says=("orders.csv", "cp1252")
    ),
    "missing column": Case(
        "\n".join(["Client;Jour;Montant;Ticket", *GOOD]).encode(), says=("Date", "Jour")
    ),
    "wrong separator": Case(
        _csv(*GOOD), options='decimal: ","\n    separator: "|"', says=("separator",)
    ),
    "mixed types": Case(_csv(*GOOD, "C1;2025-01-01;beaucoup;X"), aside=1),
    "unreadable dates": Case(_csv(*GOOD, "C1;31/02/2025;5,00;X", "C1;hier;5,00;Y"), aside=2),
    "duplicate rows": Case(_csv(*GOOD, GOOD[0], GOOD[1]), aside=2),
    "negative amounts": Case(_csv(*GOOD, "C1;2025-01-01;-5,00;X"), aside=1),
    "future dates": Case(_csv(*GOOD, "C1;2199-01-01;5,00;X"), aside=1),
    "future dates, as_of left to the data": Case(
        _csv(*GOOD, "C1;2199-01-01;5,00;X"), aside=1, as_of="null"
    ),
    "dates before the shop was born": Case(_csv(*GOOD, "C1;1900-01-01;5,00;X"), aside=1),
    "missing customer ids": Case(_csv(*GOOD, ";2025-01-01;5,00;X", " ;2025-01-01;5,00;Y"), aside=2),
    "missing amounts": Case(_csv(*GOOD, "C1;2025-01-01;;X"), aside=1),
    "as_of before the data": Case(_csv(*GOOD), as_of='"2001-01-01"', says=("as_of", "2001")),
    "unquoted date": Case(_csv(*GOOD), as_of="2025-31-12", says=("as_of",)),
    "unknown canonical column": Case(
        _csv(*GOOD), more=", Ticket: order_number", says=("order_id",)
    ),
    "unknown table option": Case(_csv(*GOOD), options="seperator: ';'", says=("separator",)),
    "file not there": Case(_csv(*GOOD), file="ventes.csv", says=("ventes.csv", "orders.csv")),
    "corrupt Excel": Case(b"PK\x03\x04 not a workbook", file="orders.xlsx", says=("orders.xlsx",)),
    "corrupt Parquet": Case(b"PAR1 no", file="orders.parquet", says=("orders.parquet",)),
    "decimal points read as decimal commas": Case(
        _csv(*(line.replace(",50", ".50") for line in GOOD)), says=("Montant",)
    ),
    "nobody known": Case(_csv(";2025-01-01;5,00;X", ";2025-01-02;5,00;Y"), says=("customer",)),
    "NUL bytes": Case(_csv(*GOOD) + b"\nC1;2025-\x00\x00;5,00;X", aside=1),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with room for one dataset of one file."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "data" / "incoming" / "shop").mkdir(parents=True)
    (tmp_path / "params.yaml").write_text("dataset: shop\n")
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(project: Path, case: Case) -> None:
    there = "orders.csv" if case.file == "ventes.csv" else case.file
    (project / "data" / "incoming" / "shop" / there).write_bytes(case.content)
    mapping = MAPPING.format(as_of=case.as_of, file=case.file, options=case.options, more=case.more)
    (project / "datasets" / "shop.yaml").write_text(mapping)


@pytest.mark.parametrize("name", CASES)
def test_ends_in_quarantine_or_in_a_clear_error(project, name):
    case = CASES[name]
    _write(project, case)
    done = CliRunner().invoke(app, ["capture"])
    assert "Traceback" not in done.output
    if case.says:
        assert done.exit_code == 1, done.output
        assert isinstance(done.exception, SystemExit)
        assert "Stopped." in done.output and "Next:" in done.output
        for word in case.says:
            assert word in done.output
        assert not (project / "data" / "raw" / "dataset.json").exists()
        return
    assert done.exit_code == 0, done.output
    assert _set_aside(project) == case.aside


def _set_aside(project: Path) -> int:
    """Rows refused on reading and by cleaning; all rows are accounted for."""
    store = Store.open(project)
    calendar = store.calendar()
    split = clean_orders(
        store.read("raw.orders"),
        products=store.read("raw.products"),
        first_day=calendar.first_day,
        as_of=calendar.as_of,
        timezone="Europe/Paris",
        margin_rate=0.3,
    )
    refused = store.count("raw.rejected")
    aside = refused + len(split.quarantined)
    kept = split.rows_in - len(split.quarantined)
    in_file = len((project / "data/incoming/shop/orders.csv").read_bytes().splitlines()) - 1
    store.close()
    assert kept + aside == in_file
    return aside


def test_two_time_zones_become_one(project):
    """The same instant told in Paris and in New York is the same instant."""
    lines = ["C1;2025-03-10 18:00:00;5,00;A", "C2;2025-03-11 18:00:00;5,00;B"]
    case = Case(_csv(*lines))
    _write(project, case)
    folder = project / "data" / "incoming" / "shop"
    (folder / "york.csv").write_bytes(_csv("C3;2025-03-10 13:00:00;5,00;C"))
    mapping = (project / "datasets" / "shop.yaml").read_text()
    entry = mapping[mapping.index("  - file:") :].replace("orders.csv", "york.csv")
    entry = entry.replace('decimal: ","', 'decimal: ","\n    timezone: America/New_York')
    (project / "datasets" / "shop.yaml").write_text(mapping + entry)
    done = CliRunner().invoke(app, ["capture"])
    assert done.exit_code == 0, done.output
    store = Store.open(project)
    times = dict(store.read("raw.orders").project("source_id, ordered_at").fetchall())
    store.close()
    assert times["C1"] == times["C3"]


# As far as one of them cannot go on, in the order of `dvc repro`.
STAGES = ("cleaning", "linkage", "customers", "features", "segmentation", "churn")


def _pipeline(folder: Path, database: Path, lines: list[str], monkeypatch) -> tuple[str, str]:
    """Run stage after stage until one stops: its name, and all that was told."""
    copy_project(folder, dataset="shop")
    shutil.copy(database, folder)
    _write(folder, Case(_csv(*lines)))
    monkeypatch.chdir(folder)
    told = ""
    for command in (["capture"], *(["run", stage] for stage in STAGES)):
        done = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
        told += done.output
        if done.exit_code:
            assert isinstance(done.exception, SystemExit), done.exception
            return command[-1], told
    raise AssertionError(f"nothing stopped: {told}")


def test_one_customer_only(tmp_path, migrated_database, monkeypatch):
    day = date(2024, 1, 1)
    lines = [f"C1;{day + timedelta(days=9 * n)};10,50;T{n}" for n in range(80)]
    stopped, told = _pipeline(tmp_path, migrated_database, lines, monkeypatch)
    assert stopped == "churn"
    assert "Stopped." in told and "1 customer" in told
    assert "File /" not in told and "Traceback" not in told
    # What could be said of one customer has been said.
    assert (tmp_path / "data" / "scores" / "segments.parquet").is_file()


def test_no_repeat_customer_at_all(tmp_path, migrated_database, monkeypatch):
    day = date(2024, 1, 1)
    lines = [f"C{n};{day + timedelta(days=n)};10,50;T{n}" for n in range(600)]
    stopped, told = _pipeline(tmp_path, migrated_database, lines, monkeypatch)
    assert stopped == "churn"
    assert "Stopped." in told and "Next:" in told
    assert "File /" not in told and "Traceback" not in told
    assert (tmp_path / "data" / "scores" / "segments.parquet").is_file()
