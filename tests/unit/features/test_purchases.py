from __future__ import annotations

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS
from customer360.features.purchases import purchase_days

COLUMNS = ["customer_id", "ordered_on", "order_id", "status", "net_amount", "margin"]


def days_of(rows: list[tuple], engine: str, source: str | list[str] = "till") -> list[tuple]:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["ordered_on"] = pd.to_datetime(frame["ordered_on"])
    frame["source"] = source
    data = frame if engine == "pandas" else duckdb.from_arrow(pa.Table.from_pandas(frame))
    days = purchase_days(data)
    days = days if engine == "pandas" else days.df()
    assert set(days.columns) == set(CONTRACTS["purchase_days"].column_names)
    days = days.assign(day=days["day"].dt.strftime("%d"))
    order = ["customer_id", "day", "orders", "net_amount", "margin"]
    return sorted(days[order].itertuples(index=False, name=None))


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_two_orders_on_a_day_are_one_purchase_day(engine):
    rows = [
        ("a", "2025-01-01", "o1", "paid", 10.0, 4.0),
        ("a", "2025-01-01", "o1", "paid", 5.0, 2.0),
        ("a", "2025-01-01", "o2", "paid", 1.0, 0.5),
        ("a", "2025-01-03", "o3", "paid", 2.0, 1.0),
        ("b", "2025-01-01", "o4", "paid", 7.0, 3.0),
    ]
    assert days_of(rows, engine) == [
        ("a", "01", 2, 16.0, 6.5),
        ("a", "03", 1, 2.0, 1.0),
        ("b", "01", 1, 7.0, 3.0),
    ]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
@pytest.mark.parametrize("status", ["unpaid", "returned"])
def test_lines_that_are_not_paid_make_no_purchase_day(engine, status):
    rows = [
        ("a", "2025-01-01", "o1", status, 0.0, 0.0),
        ("a", "2025-01-02", "o2", status, -5.0, -2.0),
        ("a", "2025-01-02", "o3", "paid", 20.0, 8.0),
        # One order, one line paid and one not: still one order.
        ("a", "2025-01-03", "o4", "paid", 10.0, 4.0),
        ("a", "2025-01-03", "o4", status, 0.0, 0.0),
    ]
    assert days_of(rows, engine) == [("a", "02", 1, 15.0, 6.0), ("a", "03", 1, 10.0, 4.0)]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_free_order_is_a_purchase_day(engine):
    assert days_of([("a", "2025-01-01", "o1", "paid", 0.0, -1.0)], engine) == [
        ("a", "01", 1, 0.0, -1.0)
    ]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_two_systems_may_number_their_orders_alike(engine):
    rows = [("a", "2025-01-01", "1", "paid", 5.0, 2.0), ("a", "2025-01-01", "1", "paid", 3.0, 1.0)]
    assert days_of(rows, engine, ["till", "web"]) == [("a", "01", 2, 8.0, 3.0)]
