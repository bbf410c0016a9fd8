from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.cleaning.orders import clean_orders
from customer360.cleaning.quarantine import Split, count_rows
from customer360.contracts import CONTRACTS, ContractError

DTYPES = {"text": "str", "number": "float64", "time": "datetime64[us]"}


def lines(rows: list[dict]) -> pd.DataFrame:
    usual = {
        "source": "till",
        "source_id": "c1",
        "order_id": "o1",
        "ordered_at": "2025-03-01 10:00",
        "amount": 10.0,
        "status": "paid",
    }
    numbered = [{**usual, "line_no": str(n), **row} for n, row in enumerate(rows)]
    frame = pd.DataFrame(numbered).reindex(columns=CONTRACTS["raw.orders"].column_names)
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"], format="ISO8601")
    return frame.astype({c.name: DTYPES[c.dtype] for c in CONTRACTS["raw.orders"].columns})


PRODUCTS = pd.DataFrame(
    {"product_id": ["p1", "p2"], "category": ["wine", "cheese"], "unit_cost": [2.0, np.nan]}
)


def clean(frame: pd.DataFrame, engine: str = "pandas", **more) -> Split:
    products = PRODUCTS
    data = frame
    if engine == "duckdb":
        data, products = (
            duckdb.from_arrow(pa.Table.from_pandas(f, preserve_index=False))
            for f in (frame, PRODUCTS)
        )
    settings_ = {
        "first_day": date(2025, 1, 1),
        "as_of": date(2025, 3, 31),
        "timezone": "Europe/Paris",
        "margin_rate": 0.3,
        **more,
    }
    return clean_orders(data, products=products, **settings_)


def kept(split: Split) -> pd.DataFrame:
    table = split.kept if isinstance(split.kept, pd.DataFrame) else split.kept.df()
    return table.sort_values("line_no", ignore_index=True)


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_what_a_line_brings_in_and_its_margin(engine):
    cost = {"unit_cost": 3.0, "quantity": 2.0}
    split = clean(
        lines(
            [
                {"amount": 10.0, **cost},  # paid: 10 less 2 × 3
                {"amount": 10.0, "status": "unpaid", **cost},  # goods gone, nothing came in
                {"amount": 10.0, "status": "returned", **cost},  # bought and brought back
                {"amount": -10.0, "status": "returned", "unit_cost": 3.0, "quantity": -2.0},
                {"amount": 10.0},  # no cost known: 30 % of it
                {"amount": 10.0, "status": "unpaid"},
                {"amount": 10.0, "product_id": "p1", "quantity": 4.0},  # cost of the product
                {"amount": 10.0, "product_id": "p1"},  # no quantity: one
                {"amount": 10.0, "status": None, **cost},  # a status not told is paid
            ]
        ),
        engine,
    )
    table = kept(split)
    assert list(table.columns) == CONTRACTS["staged.orders"].column_names
    assert table["net_amount"].to_list() == [10, 0, 0, -10, 10, 0, 10, 10, 10]
    assert table["margin"].to_list() == pytest.approx([4, -6, 0, -4, 3, 0, 2, 8, 4])
    assert table["status"].isna().sum() == 0
    assert len(split.quarantined) == 0


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_category_and_cost_come_from_the_product_only_where_the_line_has_none(engine):
    split = clean(
        lines(
            [
                {"product_id": "p1"},
                {"product_id": "p1", "category": "gift", "unit_cost": 5.0},
                {"product_id": "p2"},
                {"product_id": "p9"},
            ]
        ),
        engine,
    )
    table = kept(split)
    assert table["category"].fillna("?").to_list() == ["wine", "gift", "cheese", "?"]
    assert table["unit_cost"].fillna(-1).to_list() == [2, 5, -1, -1]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_what_cannot_be_used_is_set_aside_with_its_reason(engine):
    split = clean(
        lines(
            [
                {"source_id": None},
                {"ordered_at": "1970-01-01 00:00"},
                {"amount": -5.0},
                {"amount": -5.0, "status": "returned"},
                {"ordered_at": "2025-04-02 10:00", "amount": 7.0},
                {},
                {"line_no": "5", "amount": 99.0},
            ]
        ),
        engine,
    )
    assert kept(split)["line_no"].to_list() == ["3", "5"]
    reasons = split.quarantined.set_index("amount")["reason"].to_dict()
    assert reasons[7.0] == "ordered after 2025-03-31, the last day known"
    assert reasons[-5.0] == "negative amount on a line that is not a return"
    assert reasons[99.0] == "same source, order_id, line_no as another row"
    of_ten = split.quarantined.loc[split.quarantined["amount"] == 10.0, "reason"]
    assert sorted(of_ten) == [
        "no customer id: the line belongs to nobody known",
        "ordered before 1990: not a plausible date",
    ]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_last_day_ends_where_the_shop_is(engine):
    frame = lines([{"ordered_at": "2025-03-31 21:59"}, {"ordered_at": "2025-03-31 22:01"}])
    paris = clean(frame, engine)
    assert [str(d)[:10] for d in kept(paris)["ordered_on"]] == ["2025-03-31"]
    new_york = clean(frame, engine, timezone="America/New_York")
    assert len(kept(new_york)) == 2


def test_a_line_without_a_customer_does_not_hide_the_same_line_with_one():
    split = clean(lines([{"source_id": None, "line_no": "1"}, {"line_no": "1"}]))
    assert kept(split)["source_id"].to_list() == ["c1"]


def test_products_do_not_multiply_lines_nor_amounts():
    frame = lines([{"product_id": "p1"}, {"product_id": "p2"}, {"product_id": None}])
    split = clean(frame)
    assert kept(split)["amount"].sum() == frame["amount"].sum() == 30


def test_when_no_line_is_left_the_message_says_why():
    with pytest.raises(ContractError, match=r"none of 2 order lines .* no customer id"):
        clean(lines([{"source_id": None}, {"source_id": None}]))


def test_the_input_is_not_changed():
    frame = lines([{}, {"source_id": None}])
    before = frame.copy(deep=True)
    clean(frame)
    pd.testing.assert_frame_equal(frame, before)


ROW = st.fixed_dictionaries(
    {
        "source_id": st.sampled_from(["c1", "c2", None]),
        "line_no": st.sampled_from(["1", "2", "3"]),
        "source": st.sampled_from(["till", "web", None]),
        "ordered_at": st.sampled_from(["2025-03-01", "1900-01-01", "2026-01-01", "2025-03-31"]),
        "amount": st.sampled_from([-5.0, 0.0, 5.0, 12.5]),
        "status": st.sampled_from(["paid", "returned", "unpaid", None]),
    }
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, max_size=10), engine=st.sampled_from(["pandas", "duckdb"]))
def test_rows_and_amounts_in_are_rows_and_amounts_kept_and_set_aside(rows, engine):
    frame = lines([*rows, {"source": "sure", "line_no": "1"}])
    split = clean(frame, engine)
    assert count_rows(split.kept) + len(split.quarantined) == split.rows_in == len(frame)
    table = kept(split)
    assert table["amount"].sum() + split.quarantined["amount"].sum() == frame["amount"].sum()
    assert not table.duplicated(["source", "order_id", "line_no"]).any()
