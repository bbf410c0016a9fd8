from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.contracts import CONTRACTS, validate_batch
from customer360.features.baskets import read_history
from customer360.models.cross_sell import (
    best_items,
    fit_cross_sell,
    recommend,
    strongest_pairs,
)

DAY = date(2025, 6, 30)
NAMES = ("cola", "crisps", "drill", "drill XL", "milk", "other cola", "soap", "tea")
ITEMS = pd.DataFrame(
    {
        "item": NAMES,
        "item_kind": "product",
        "kind": ["cola", "crisps", "drill", "drill", "milk", "other cola", "soap", "tea"],
        "name": NAMES,
        "category": "all",
    }
)


def bought(seed: int = 1, customers: int = 400) -> pd.DataFrame:
    """Half drink: both colas, never at once, crisps often with them. All else is chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        who, drinks = f"c{number:04d}", number % 2 == 0
        for order in range(8):
            day = DAY - timedelta(days=int(rng.integers(1, 300)))
            basket = {name for name in ("milk", "soap", "tea") if rng.random() < 0.4}
            if drinks:
                basket.add(str(rng.choice(["cola", "other cola"])))
                basket |= {"crisps"} if rng.random() < 0.3 else set()
            if order == 0 and rng.random() < 0.4:
                basket.add(str(rng.choice(["drill", "drill XL"])))
            rows += [(who, f"{who}-{order}", day, item) for item in sorted(basket)]
    return pd.DataFrame(rows, columns=["customer_id", "order_key", "day", "item"])


def extra(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """Purchases of somebody, so many days ago."""
    return pd.DataFrame(
        [(who, f"{who}/{ago}", DAY - timedelta(days=ago), item) for who, ago, item in rows],
        columns=["customer_id", "order_key", "day", "item"],
    )


@pytest.fixture(scope="module")
def model():
    return fit_cross_sell(bought(), items=ITEMS, as_of=DAY)


def suggestions(model, purchases: pd.DataFrame) -> pd.DataFrame:
    return recommend(model, purchases, as_of=DAY).to_pandas().set_index(["customer_id", "rank"])


def test_weights_are_those_of_the_ridge_on_all_other_items(model):
    held = read_history(bought(), items=ITEMS, as_of=DAY).held().toarray()
    others = [place for place in range(len(NAMES)) if NAMES[place] != "crisps"]
    x, y = held[:, others], held[:, NAMES.index("crisps")]
    by_hand = np.linalg.solve(x.T @ x + 0.2 * len(x) * np.eye(len(others)), x.T @ y)
    found = model.weights[others, NAMES.index("crisps")]
    kept = found != 0
    assert found[kept] == pytest.approx(by_hand[kept], abs=1e-8)
    assert kept[others.index(NAMES.index("cola"))]


def test_affinity_without_shared_baskets_is_substitution(model):
    cola, other = NAMES.index("cola"), NAMES.index("other cola")
    assert model.weights[cola, other] == 0
    assert model.weights[other, cola] == 0
    assert model.weights[cola, NAMES.index("crisps")] > 0


def test_a_complement_comes_first_and_says_why(model):
    found = suggestions(model, extra(("new", 40, "cola")))
    assert found.loc[("new", 1), "item"] == "crisps"
    assert found.loc[("new", 1), "reason"] == "goes with cola, bought in May 2025"


def test_a_drill_is_bought_once_and_its_like_is_never_suggested(model):
    assert set(ITEMS["item"][model.once]) == {"drill", "drill XL"}
    found = suggestions(model, extra(("owner", 250, "drill"), ("none", 250, "soap")))
    assert "drill XL" not in set(found.loc["owner", "item"])
    assert {"drill", "drill XL"} <= set(found.loc["none", "item"])


def test_the_like_of_what_was_just_bought_waits_four_weeks(model):
    often = type(model)(model.items, model.weights, model.popularity, np.zeros(8, dtype=bool))
    found = suggestions(often, extra(("now", 28, "drill"), ("then", 29, "drill")))
    assert "drill XL" not in set(found.loc["now", "item"])
    assert "drill XL" in set(found.loc["then", "item"])


def test_table_keeps_its_contract_and_ranks_without_gaps(model):
    table = recommend(model, bought(2), as_of=DAY)
    validate_batch(CONTRACTS["cross_sell_scores"], table)
    ranks = table.to_pandas().groupby("customer_id")["rank"]
    assert (ranks.max() == ranks.size()).all()


def test_later_purchases_change_nothing(model):
    later = extra(*[(f"c{number:04d}", -5, "cola") for number in range(400)])
    both = pd.concat([bought(), later])
    again = fit_cross_sell(both, items=ITEMS, as_of=DAY)
    assert np.array_equal(again.weights, model.weights)
    assert recommend(again, both, as_of=DAY).equals(recommend(model, bought(), as_of=DAY))


def test_order_of_rows_changes_nothing(model):
    shuffled = bought().sample(frac=1, random_state=3)
    again = fit_cross_sell(shuffled, items=ITEMS, as_of=DAY)
    assert np.array_equal(again.weights, model.weights)
    assert recommend(again, shuffled, as_of=DAY).equals(recommend(model, bought(), as_of=DAY))


def test_too_few_customers_teach_nothing():
    assert fit_cross_sell(bought(customers=49), items=ITEMS, as_of=DAY) is None
    nobody = pa.Table.from_pandas(bought(), preserve_index=False).slice(0, 0)
    assert fit_cross_sell(nobody, items=ITEMS, as_of=DAY) is None


def test_nobody_gets_an_empty_table(model):
    nobody = pa.Table.from_pandas(bought(), preserve_index=False).slice(0, 0)
    assert recommend(model, nobody, as_of=DAY).num_rows == 0


def test_best_items_are_in_order_with_ties_to_the_first_and_gaps_marked():
    scores = np.array([[1.0, 3.0, 3.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    barred = np.array([[False, False, False, True], [True, True, True, False]])
    assert best_items(scores, barred, most=3).tolist() == [[1, 2, 0], [3, -1, -1]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400), st.sampled_from(NAMES))))
def test_what_is_owned_is_never_suggested(model, rows):
    if not rows:
        return
    purchases = extra(*rows)
    found = recommend(model, purchases, as_of=DAY).to_pandas()
    owned = set(zip(purchases["customer_id"], purchases["item"], strict=True))
    assert not owned & set(zip(found["customer_id"], found["item"], strict=True))
    has_drill = set(purchases["customer_id"][purchases["item"].str.startswith("drill")])
    drills = found[found["item"].str.startswith("drill")]
    assert not has_drill & set(drills["customer_id"])


def test_strongest_pairs_are_named_in_order(model):
    pairs = strongest_pairs(model, most=3)
    assert ("cola", "crisps") in set(zip(pairs["owned"], pairs["suggested"], strict=True))
    assert pairs["weight"].is_monotonic_decreasing
    assert pairs["weight"][0] == pytest.approx(model.weights.max(), abs=1e-3)
