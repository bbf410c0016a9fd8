"""Marginal distributions say what a small shop did, counted by hand."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.marginals import (
    MARGINALS,
    Window,
    describe,
    distances,
    gini,
    lorenz,
    purchases_of,
    seen_in,
)

YEAR = Window(date(2025, 12, 31), 365)


def orders(*rows, **columns):
    """`raw.orders` of (customer, order, line, moment, category, amount); quantity is 1."""
    names = ("source_id", "order_id", "line_no", "ordered_at", "category", "amount")
    schema = arrow_schema(CONTRACTS["raw.orders"])
    data = dict(zip(names, zip(*rows, strict=True), strict=True))
    data |= {"source": ["till"] * len(rows), "quantity": [1.0] * len(rows)} | columns
    return pa.table(
        {
            field.name: pa.array(data[field.name], type=field.type)
            if field.name in data
            else pa.nulls(len(rows), field.type)
            for field in schema
        }
    )


SHOP = orders(
    ("a", "o1", "1", datetime(2025, 1, 10, 12), "books", 10.0),
    ("a", "o1", "2", datetime(2025, 1, 10, 12), "toys", 20.0),
    ("a", "o2", "1", datetime(2025, 1, 20, 12), "books", 30.0),
    ("a", "o3", "1", datetime(2025, 1, 20, 18), "books", 30.0),
    ("b", "o4", "1", datetime(2025, 12, 31, 9), "garden", 60.0),
)


def test_values_are_those_counted_by_hand():
    found = describe(purchases_of(SHOP, timezone="Europe/Paris"), window=YEAR)
    assert list(found) == [marginal.name for marginal in MARGINALS]
    # Two orders of one day are one purchase day.
    assert found["inter-purchase time"].tolist() == [10]
    assert found["spend per order"].tolist() == [30, 30, 30, 60]
    assert found["customer value"].tolist() == [60, 90]
    assert found["lines per order"].tolist() == [1, 1, 1, 2]
    assert found["repeat rate"] * 365 / 365.25 == pytest.approx([1, 2])
    assert found["recency"] == pytest.approx([0, 345 / 365])
    # Nobody has ten lines.
    assert not len(found["category concentration"])


def test_days_are_those_of_the_shop():
    late = orders(("a", "o1", "1", datetime(2025, 7, 1, 23, 30), "books", 10.0))
    assert purchases_of(late, timezone="Europe/Paris")["day"].to_pylist() == [date(2025, 7, 2)]
    assert purchases_of(late, timezone="UTC")["day"].to_pylist() == [date(2025, 7, 1)]


def test_a_line_counts_once_and_refunds_do_not():
    line = ("a", "o1", "1", datetime(2025, 7, 1), "books", 10.0)
    refund = ("a", "o2", "1", datetime(2025, 7, 2), "books", -10.0)
    assert purchases_of(orders(line, line, refund), timezone="UTC").num_rows == 1


def test_records_of_one_person_are_one_customer():
    owners = pa.table(
        {"source": ["till", "till"], "source_id": ["a", "b"], "person_id": ["p", "p"]}
    )
    stranger = orders(("c", "o9", "1", datetime(2025, 5, 1), "books", 5.0))
    both = pa.concat_tables([SHOP, stranger])
    lines = purchases_of(both, timezone="UTC", owners=owners)
    assert set(lines["customer"].to_pylist()) == {"p"}
    assert describe(lines, window=YEAR)["customer value"].tolist() == [150]


def test_quantity_may_stand_for_goods():
    discs = orders(
        ("a", "o1", "1", datetime(2025, 7, 1), "music", 30.0),
        ("b", "o2", "1", datetime(2025, 7, 1), "music", 10.0),
        quantity=[3.0, 0.0],
    )
    lines = purchases_of(discs, timezone="UTC", quantity_is_goods=True)
    found = describe(lines, window=YEAR)
    assert found["lines per order"].tolist() == [1, 3]
    # One category says nothing about taste.
    assert not len(found["category concentration"])


def test_window_keeps_its_first_and_last_day():
    days = [datetime(2025, 1, day) for day in (9, 10, 12, 13)]
    rows = [("a", f"o{n}", "1", day, "books", 1.0) for n, day in enumerate(days)]
    lines = purchases_of(orders(*rows), timezone="UTC")
    seen = seen_in(lines, window=Window(date(2025, 1, 12), 3))
    assert seen["day"].to_pylist() == [date(2025, 1, 10), date(2025, 1, 12)]


def test_cohort_holds_newcomers_only():
    rows = [
        ("old", "o1", "1", datetime(2024, 12, 1), "books", 1.0),
        ("old", "o2", "1", datetime(2025, 1, 2), "books", 1.0),
        ("new", "o3", "1", datetime(2025, 1, 2), "books", 1.0),
        ("new", "o4", "1", datetime(2025, 9, 1), "books", 1.0),
        ("late", "o5", "1", datetime(2025, 4, 1), "books", 1.0),
    ]
    lines = purchases_of(orders(*rows), timezone="UTC")
    seen = seen_in(lines, window=Window(date(2025, 12, 31), 365, cohort_days=90))
    assert seen["order_id"].to_pylist() == ["o3", "o4"]


def test_concentration_is_zero_for_the_taste_of_the_shop_and_one_for_a_single_category():
    moment = datetime(2025, 7, 1)
    rows = [("one", f"a{n}", "1", moment, "books", 1.0) for n in range(10)]
    rows += [("other", f"b{n}", "1", moment, "toys", 1.0) for n in range(10)]
    apart = describe(purchases_of(orders(*rows), timezone="UTC"), window=YEAR)
    assert apart["category concentration"].tolist() == [1, 1]
    rng = np.random.default_rng(1)
    taste = rng.choice(["books", "toys", "garden"], 30_000)
    rows = [(f"c{n % 3000}", f"o{n}", "1", moment, taste[n], 1.0) for n in range(30_000)]
    alike = describe(purchases_of(orders(*rows), timezone="UTC"), window=YEAR)
    assert len(alike["category concentration"]) == 3000
    assert abs(alike["category concentration"].mean()) < 0.01


def test_a_shop_is_at_no_distance_from_itself_in_another_currency():
    ours = describe(purchases_of(SHOP, timezone="UTC"), window=YEAR)
    dear = SHOP.set_column(
        SHOP.column_names.index("amount"), "amount", pa.array([1000.0, 2000, 3000, 3000, 6000])
    )
    theirs = describe(purchases_of(dear, timezone="UTC"), window=YEAR)
    found = distances(ours, theirs)
    assert "category concentration" not in set(found["marginal"])
    assert len(found) == len(MARGINALS) - 1
    assert np.allclose(found[["ks", "wasserstein"]], 0)


def test_distance_is_the_factor_on_a_logarithm():
    one = {marginal.name: np.array([1.0, 2.0, 4.0]) for marginal in MARGINALS}
    other = {name: values * 10 for name, values in one.items()}
    found = distances(one, other).set_index("marginal")
    assert found.loc["inter-purchase time", "ks"] == 1
    assert found.loc["inter-purchase time", "wasserstein"] == pytest.approx(np.log(10))
    assert found.loc["recency", "wasserstein"] == pytest.approx(21)
    assert found.loc["spend per order", "wasserstein"] == pytest.approx(0)


def test_gini_of_known_distributions():
    assert gini(np.full(50, 3.0)) == pytest.approx(0)
    assert gini(np.r_[np.zeros(99), 1.0]) == pytest.approx(0.99)
    # Of an exponential distribution it is one half.
    assert gini(np.random.default_rng(0).exponential(size=200_000)) == pytest.approx(0.5, abs=0.01)
    share, held = lorenz(np.array([3.0, 1.0]))
    assert share.tolist() == [0, 0.5, 1] and held.tolist() == [0, 0.25, 1]


@pytest.mark.parametrize("values", [[], [-1.0, 2.0], [0.0, 0.0]])
def test_no_lorenz_curve_without_something_to_share(values):
    with pytest.raises(ValueError, match="Lorenz"):
        lorenz(np.array(values))
