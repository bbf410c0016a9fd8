from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from customer360 import capture as module
from customer360.capture import capture, spec_path
from customer360.contracts import CONTRACTS, RAW_TABLES
from customer360.periods import Calendar, PeriodError
from customer360.storage import Store
from customer360.worlds.arrived import Arrived
from customer360.worlds.spec import DatasetError

SPEC = {
    "name": "shop",
    "about": "a shop",
    "currency": "EUR",
    "country": "FR",
    "timezone": "Europe/Paris",
    "margin_rate": 0.3,
    "calendar": {"as_of": "2025-12-31", "calibration_end": None},
    "source": {"secret": "stays out of the facts"},
}
# 22:30 UTC on 31 March is 1 April in Paris; the last lines are not to be believed.
LINES = [
    ("c1", "2025-03-31 22:30"),
    ("c2", "2025-11-30 12:00"),
    (None, "2025-12-30 12:00"),
    ("c3", "1901-01-01 12:00"),
    ("c4", "2999-01-01 12:00"),
]


def arrived(lines: list[tuple]) -> Arrived:
    orders = pd.DataFrame(lines, columns=["source_id", "ordered_at"])
    orders["ordered_at"] = pd.to_datetime(orders["ordered_at"], format="ISO8601")
    orders = orders.assign(
        source="till", order_id=[str(n) for n in range(len(lines))], line_no="1", amount=1.0
    )
    rejected = pd.DataFrame({"table": ["orders"], "reason": ["no date"]})
    rejected = rejected.reindex(columns=CONTRACTS["raw.rejected"].column_names)
    links = pd.DataFrame({"source": ["till"], "source_id": ["c1"], "person_id": ["p1"]})
    return Arrived(tables={"orders": orders}, truth={"people_links": links}, rejected=rejected)


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "params.yaml").touch()
    (tmp_path / "datasets").mkdir()
    for name in ("shop", "cdnow", "template"):
        (tmp_path / "datasets" / f"{name}.yaml").write_text(f"name: {name}\n")
    monkeypatch.setattr(module, "read_spec", lambda path: SPEC)
    return tmp_path


def bring_in(root: Path, monkeypatch, lines: list[tuple], **spec) -> dict[str, int]:
    monkeypatch.setattr(module, "read_spec", lambda path: {**SPEC, **spec})
    monkeypatch.setattr(module, "load", lambda *, spec, root: arrived(lines))
    return capture(root=root, name="shop")


def test_an_unknown_dataset_lists_those_there_are(root):
    assert spec_path(root, "shop") == root / "datasets" / "shop.yaml"
    with pytest.raises(
        DatasetError, match=r"datasets/shpo\.yaml .* there are cdnow, shop\. .*new-d"
    ):
        spec_path(root, "shpo")


def test_every_raw_table_is_written_the_absent_ones_empty(root, monkeypatch):
    rows = bring_in(root, monkeypatch, LINES)
    assert rows["orders"] == 5
    assert rows["rejected"] == 1
    assert rows["emptied"] == 0
    assert set(rows) == {*RAW_TABLES, "rejected", "emptied"}
    store = Store.open(root)
    assert store.count("raw.people") == 0
    assert store.count("truth.people_links") == 1
    assert store.count("truth.people") == 0
    assert store.read("raw.orders").columns == CONTRACTS["raw.orders"].column_names
    store.close()


def test_facts_carry_the_calendar_and_nothing_of_the_mapping(root, monkeypatch):
    bring_in(root, monkeypatch, LINES)
    facts = Store(root).dataset()
    assert set(facts) == {
        "name",
        "about",
        "currency",
        "country",
        "timezone",
        "margin_rate",
        "calendar",
    }
    # First believable day of somebody known, where the shop is; two thirds of 274 days on.
    assert Calendar.from_dict(facts["calendar"]) == Calendar(
        first_day=date(2025, 4, 1), calibration_end=date(2025, 10, 1), as_of=date(2025, 12, 31)
    )


def test_without_as_of_the_last_believable_day_is_taken(root, monkeypatch):
    monkeypatch.setattr(module, "today", lambda: date(2026, 6, 1))
    calendar = {"as_of": None, "calibration_end": None}
    bring_in(root, monkeypatch, LINES, calendar=calendar)
    assert Store(root).calendar().as_of == date(2025, 11, 30)


def test_when_no_line_can_be_believed_the_remedy_is_told(root, monkeypatch):
    with pytest.raises(DatasetError, match=r"none of 2 order lines has .*source_id.*date_format"):
        bring_in(root, monkeypatch, LINES[2:4])
    with pytest.raises(DatasetError, match=r"all 1 orders lie after 2025-12-31 .*calendar\.as_of"):
        bring_in(root, monkeypatch, LINES[2:])
    with pytest.raises(DatasetError, match="none of 0 order lines"):
        bring_in(root, monkeypatch, [])


def test_a_calendar_before_the_data_is_refused(root, monkeypatch):
    # With as_of in 2025 but calibration after it.
    calendar = {"as_of": "2025-12-31", "calibration_end": "2026-01-31"}
    with pytest.raises(PeriodError, match=r"datasets/shop\.yaml: calendar\.calibration_end"):
        bring_in(root, monkeypatch, LINES, calendar=calendar)


def test_two_captures_write_the_same_bytes(root, monkeypatch):
    bring_in(root, monkeypatch, LINES)
    first = {p.name: p.read_bytes() for p in (root / "data").rglob("*") if p.is_file()}
    bring_in(root, monkeypatch, LINES)
    again = {p.name: p.read_bytes() for p in (root / "data").rglob("*") if p.is_file()}
    assert first == again


def test_the_log_of_the_service_joins_the_contacts(root, monkeypatch):
    folder = root / "data" / "incoming" / "shop" / "decisions"
    folder.mkdir(parents=True)
    offer = '{"decision_id": "d1", "at": "2025-12-01T10:00:00Z", "customer_id": "c1", ' \
        '"channel": "web", "actions": [{"action": "offer", "offer": "gift"}]}'  # fmt: skip
    (folder / "decisions.jsonl").write_text(f"{offer}\nhalf a line\n")
    rows = bring_in(root, monkeypatch, LINES)
    assert rows["contacts"] == 1 and rows["rejected"] == 2
    store = Store.open(root)
    told = store.read("raw.contacts").project("contact_id, source, source_id, event").fetchall()
    assert told == [("d1", "service", "c1", "sent")]
    reasons = {row[0] for row in store.read("raw.rejected").project("reason").fetchall()}
    assert reasons == {"no date", "not one JSON object a line"}
    store.close()


def test_the_log_of_the_service_joins_contacts_of_any_engine(root, monkeypatch):
    there = pd.DataFrame(
        {"contact_id": ["k1"], "at": pd.to_datetime(["2025-12-01"]), "event": ["sent"],
         "source": ["crm"], "source_id": ["1"], "reason": ["why"]}
    )  # fmt: skip
    more = module.pa.table({"contact_id": ["d1"], "at": [pd.Timestamp("2025-12-02")]})
    for frame in (there, module.pa.Table.from_pandas(there), module.Store(root)._relation(there)):
        both = module._with(frame, more, name="raw.contacts").to_pylist()
        assert [row["contact_id"] for row in both] == ["k1", "d1"]
        assert both[1]["reason"] is None and both[1]["at"].day == 2
