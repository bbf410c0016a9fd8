"""Bring a dataset in: its files or its world become the raw tables.

The one stage without a notebook: it asks no question, it only receives.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from customer360.cleaning.local_day import local_day
from customer360.cleaning.orders import EARLIEST
from customer360.contracts import CONTRACTS, RAW_TABLES, arrow_schema, empty_table
from customer360.periods import resolve_calendar, today
from customer360.storage import Store
from customer360.worlds import Arrived, load
from customer360.worlds.decision_log import read_decision_log
from customer360.worlds.mapped import incoming_folder
from customer360.worlds.spec import DatasetError, read_spec

__all__ = ["capture", "spec_path"]

DECISIONS = "decisions"


def spec_path(root: Path, name: str) -> Path:
    """The YAML of a dataset.

    Raises
    ------
    DatasetError
        Listing the datasets there are.
    """
    path = root / "datasets" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in (root / "datasets").glob("*.yaml") if p.stem != "template")
        raise DatasetError(
            f"datasets/{name}.yaml is not there; there are {', '.join(known)}. Name one of them "
            "in params.yaml (dataset: ...), or make yours: "
            f"customer360 new-dataset {name} FILE..."
        )
    return path


def capture(*, root: Path, name: str) -> dict[str, int]:
    """Read the dataset `name` and store it as raw tables, truth, and facts.

    Parameters
    ----------
    root : Path
        Project folder.
    name : str
        `datasets/<name>.yaml`.

    Returns
    -------
    dict
        Rows of each raw table, and of `rejected`.

    Raises
    ------
    DatasetError
        When the mapping or the files do not fit, or no order is left.
    """
    spec = read_spec(spec_path(root, name))
    arrived = load(spec=spec, root=root)
    _add_decisions(arrived, folder=incoming_folder(spec=spec, root=root) / DECISIONS)
    store = Store.open(root)
    try:
        rows = {}
        for table in RAW_TABLES:
            frame = arrived.tables.get(table)
            contract = CONTRACTS[f"raw.{table}"]
            rows[table] = store.write(
                contract.name, empty_table(contract) if frame is None else frame
            )
        for contract in CONTRACTS.values():
            if contract.folder == "truth":
                frame = arrived.truth.get(contract.name.removeprefix("truth."))
                store.write(contract.name, empty_table(contract) if frame is None else frame)
        for contract_name, frame in (
            ("raw.rejected", arrived.rejected),
            ("raw.emptied", arrived.emptied),
        ):
            contract = CONTRACTS[contract_name]
            rows[contract_name.removeprefix("raw.")] = store.write(
                contract_name, empty_table(contract) if frame is None else frame
            )
        first, last = _order_days(store, spec)
        calendar = resolve_calendar(
            asked=spec["calendar"], first_day=first, last_day=last, dataset=name
        )
        store.write_json("data/raw/dataset.json", _facts(spec, calendar.to_dict()))
    finally:
        store.close()
    return rows


def _add_decisions(arrived: Arrived, *, folder: Path) -> None:
    """Join what the decision service offered, where its log was handed in, to the contacts."""
    contacts, rejected = read_decision_log(folder)
    if contacts.num_rows:
        there = arrived.tables.get("contacts")
        arrived.tables["contacts"] = _with(there, contacts, name="raw.contacts")
    if rejected.num_rows:
        arrived.rejected = _with(arrived.rejected, rejected, name="raw.rejected")


def _with(frame: Any | None, more: pa.Table, *, name: str) -> pa.Table:
    if frame is None:
        return more
    there = nw.from_native(frame).lazy().collect("pyarrow").to_native()
    # A column that nothing fills has no type of its own before the contract gives it one.
    known = arrow_schema(CONTRACTS[name])
    types = pa.schema([known.field(column) for column in there.column_names])
    return pa.concat_tables([there.cast(types, safe=False), more], promote_options="permissive")


def _facts(spec: dict[str, Any], calendar: dict[str, str]) -> dict[str, Any]:
    named = ("name", "about", "currency", "country", "timezone", "margin_rate")
    return {**{key: spec[key] for key in named}, "calendar": calendar}


def _order_days(store: Store, spec: dict[str, Any]) -> tuple[date, date]:
    """First and last plausible day with an order of somebody known."""
    until = date.fromisoformat(spec["calendar"].get("as_of") or today().isoformat())
    day = local_day(
        "ordered_at", timezone=spec["timezone"], first_day=EARLIEST.date(), last_day=until
    )
    orders = store.read("raw.orders").filter("source_id IS NOT NULL")
    days = nw.from_native(orders).with_columns(day=day).to_native()
    span = "CAST(min(day) AS DATE), CAST(max(day) AS DATE), count(*)"
    plausible = days.filter(f"day >= TIMESTAMP '{EARLIEST}'")
    first, last, count = (
        plausible.filter(f"day <= TIMESTAMP '{until}'").aggregate(span).fetchall()[0]
    )
    if count:
        return first, last
    label, total = f"datasets/{spec['name']}.yaml", store.count("raw.orders")
    first, last, count = plausible.aggregate(span).fetchall()[0]
    if count:
        raise DatasetError(
            f"{label}: all {count:,} orders lie after {until} (they go from {first} to {last}); "
            "correct calendar.as_of, or date_format if these days are wrong"
        )
    raise DatasetError(
        f"{label}: none of {total:,} order lines has a customer id and a date after "
        f"{EARLIEST:%Y}; map source_id and ordered_at, and check date_format"
    )
