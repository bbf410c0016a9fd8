from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.features import rfmcca
from customer360.features.rfmcca import (
    build_rfmcca,
    category_profile,
    crowd_affinities,
    customer_affinities,
)

AS_OF = date(2025, 6, 30)


def lines(baskets: list[tuple[str, str]], *, day: str = "2025-06-01") -> pd.DataFrame:
    """An order for each (customer, categories separated by spaces)."""
    rows = [
        (customer, "till", str(order), str(n), category, "store" if n % 2 else "web", 10.0)
        for order, (customer, held) in enumerate(baskets)
        for n, category in enumerate(held.split())
    ]
    names = ["customer_id", "source", "order_id", "line_no", "category", "channel", "amount"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(ordered_on=pd.Timestamp(day), status="paid")


def pandas(frame) -> pd.DataFrame:
    return frame.collect("pandas").to_native()


CROWD = [(f"x{n}", "tea cup") for n in range(40)] + [(f"y{n}", "nail saw") for n in range(40)]


def features(customers: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": customers,
            "as_of": pd.Timestamp(AS_OF),
            "recency_days": 29.0,
            "frequency": 1,
            "monetary_value": 20.0,
            "margin": 5.0,
        }
    )


def test_shares_sum_to_one_and_lift_leans_to_the_crowd():
    orders = lines([*CROWD, ("a", "tea"), ("b", "tea"), *[("c", "tea")] * 30])
    profile = pandas(category_profile(orders, as_of=AS_OF)).set_index(["customer_id", "category"])
    assert np.allclose(profile["share"].groupby("customer_id").sum(), 1.0)
    # One tea of one order says less than thirty of thirty.
    assert 1 < profile.loc[("a", "tea"), "lift"] < profile.loc[("c", "tea"), "lift"]
    assert profile.loc[("c", "tea"), "orders"] == 30


def test_goods_that_go_together_are_told_and_the_ratio_is_that_of_the_page():
    pairs = pandas(crowd_affinities(lines(CROWD), as_of=AS_OF)).set_index(["category", "other"])
    # 40 of 80 orders hold tea, 40 a cup, 40 both: 20 were expected.
    assert pairs.loc[("tea", "cup"), "lift"] == pytest.approx((40 + 5) / (20 + 5))
    assert pairs.loc[("tea", "cup"), "follows"] == 1.0
    assert ("tea", "nail") not in pairs.index


def test_a_customer_has_pairs_of_its_own_and_a_next_category():
    own = [("a", "tea saw")] * 6 + [("b", "tea")]
    found = pandas(customer_affinities(lines([*CROWD, *own]), as_of=AS_OF))
    found = found.set_index("customer_id")
    assert {found.loc["a", "pair_category"], found.loc["a", "pair_other"]} == {"tea", "saw"}
    assert found.loc["a", "pair_lift"] > 1.5
    # Who bought tea only is told the cup that goes with it.
    assert found.loc["b", "next_category"] == "cup"
    assert pd.isna(found.loc["b", "pair_category"])


def test_effective_numbers_count_evenness():
    orders = lines([("a", "tea cup"), ("b", "tea"), ("b", "tea")])
    built = build_rfmcca(features=features(["a", "b"]), orders=orders, as_of=AS_OF)
    built = nw_pandas(built).set_index("customer_id")
    assert built.loc["a", "effective_categories"] == pytest.approx(2.0)
    assert built.loc["b", "effective_categories"] == pytest.approx(1.0)
    assert built.loc["b", "main_category"] == "tea"
    assert built.loc["a", "channels"] == 2


def nw_pandas(frame) -> pd.DataFrame:
    return frame.df() if isinstance(frame, duckdb.DuckDBPyRelation) else frame


def test_orders_after_the_day_or_never_paid_are_not_looked_at():
    late = lines([("a", "nail")], day="2025-07-01").assign(order_id="late")
    unpaid = lines([("a", "saw")]).assign(order_id="unpaid", status="unpaid")
    orders = pd.concat([lines([("a", "tea")]), late, unpaid], ignore_index=True)
    profile = pandas(category_profile(orders, as_of=AS_OF))
    assert profile["category"].to_list() == ["tea"]


def test_only_the_largest_categories_are_paired(monkeypatch):
    monkeypatch.setattr(rfmcca, "MOST_CATEGORIES", 2)
    pairs = pandas(crowd_affinities(lines([*CROWD, ("a", "tea cup")]), as_of=AS_OF))
    assert set(pairs["category"]) == {"tea", "cup"}


def test_orders_without_categories_leave_the_letters_empty():
    orders = lines([("a", "tea")]).assign(category=None, channel=None)
    orders = orders.astype({"category": "str", "channel": "str"})
    built = nw_pandas(build_rfmcca(features=features(["a"]), orders=orders, as_of=AS_OF))
    assert built["categories"].to_list() == [0]
    assert built["effective_categories"].isna().all()


def test_both_engines_agree():
    rng = np.random.default_rng(2)
    goods = np.array(["tea", "cup", "nail", "saw", "rope"])
    held = [" ".join(rng.choice(goods, rng.integers(1, 4), replace=False)) for _ in range(200)]
    baskets = [(f"c{rng.integers(60):02d}", basket) for basket in held]
    orders, known = lines(baskets), features(sorted({c for c, _ in baskets}))
    mine = build_rfmcca(features=known, orders=orders, as_of=AS_OF)
    connection = duckdb.connect()
    arrows = [pa.Table.from_pandas(t, preserve_index=False) for t in (known, orders)]
    relations = [connection.from_arrow(table) for table in arrows]
    theirs = build_rfmcca(features=relations[0], orders=relations[1], as_of=AS_OF).df()
    order = {"by": "customer_id", "ignore_index": True}
    texts = dict.fromkeys(("pair_category", "pair_other", "next_category"), "")
    pd.testing.assert_frame_equal(
        theirs.fillna(texts).sort_values(**order),
        mine.fillna(texts).sort_values(**order)[list(theirs.columns)],
        check_dtype=False,
    )
    assert theirs["next_category"].notna().any()
