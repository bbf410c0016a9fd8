"""CDNOW is read whole and keeps its contract."""

from __future__ import annotations

import pyarrow.compute as pc
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds import load
from customer360.worlds.cdnow import read


@pytest.fixture(scope="module")
def orders():
    return read(sample=False).tables["orders"]


def test_master_file_has_every_row_and_customer(orders):
    assert orders.num_rows == 69_659
    assert pc.count_distinct(orders["source_id"]).as_py() == 23_570
    assert pc.count_distinct(orders["order_id"]).as_py() == 69_659


def test_contract_holds(orders):
    contract = CONTRACTS["raw.orders"]
    assert orders.schema == arrow_schema(contract)
    validate_batch(contract, orders)


def test_first_rows_are_those_of_the_file(orders):
    first = orders.slice(0, 1).to_pylist()[0]
    assert first["source_id"] == "00001"
    assert first["ordered_at"].isoformat() == "1997-01-01T00:00:00"
    assert (first["quantity"], first["amount"]) == (1.0, 11.77)


def test_days_stay_within_the_eighteen_months(orders):
    bounds = pc.min_max(orders["ordered_at"]).as_py()
    assert bounds["min"].date().isoformat() == "1997-01-01"
    assert bounds["max"].date().isoformat() == "1998-06-30"


def test_sample_is_the_tenth_of_the_papers():
    sample = read(sample=True).tables["orders"]
    assert sample.num_rows == 6_919
    assert pc.count_distinct(sample["source_id"]).as_py() == 2_357


def test_load_reads_the_option(tmp_path):
    arrived = load(spec={"world": "cdnow", "options": {"sample": True}}, root=tmp_path)
    assert arrived.tables["orders"].num_rows == 6_919
    assert arrived.truth == {}


def test_unknown_world_and_option_say_what_to_write(tmp_path):
    with pytest.raises(ValueError, match="demo, complete_journey, cdnow, files"):
        load(spec={"name": "mine", "world": "moon"}, root=tmp_path)
    with pytest.raises(ValueError, match="sampel unknown; this world takes sample"):
        load(spec={"world": "cdnow", "options": {"sampel": True}}, root=tmp_path)
