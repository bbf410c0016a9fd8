from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from customer360.basket_evaluation import cross_sell_metrics, judge_cross_sell, recall_at
from customer360.plots.cross_sell import suggestions_bought

CUTOFF = date(2025, 6, 30)
ITEMS = pd.DataFrame({"item": [f"i{number:02d}" for number in range(40)]}).assign(
    item_kind="category", kind=lambda t: t["item"], name=lambda t: t["item"], category="all"
)


def purchases(seed: int = 1) -> pd.DataFrame:
    """Four tribes, each buying ten of forty items, one basket a fortnight."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(200):
        for order in range(10):
            day = CUTOFF + timedelta(days=28 - 14 * order - int(rng.integers(0, 14)))
            goods = 10 * (number % 4) + rng.choice(10, 2, replace=False)
            goods = np.append(goods, rng.integers(0, 40))
            rows += [(f"c{number:03d}", f"{number}-{order}", day, f"i{g:02d}") for g in set(goods)]
    return pd.DataFrame(rows, columns=["customer_id", "order_key", "day", "item"])


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    return judge_cross_sell(purchases(), items=ITEMS, cutoff=CUTOFF, most=3)


def test_recall_is_the_share_of_what_was_bought_that_was_suggested():
    best = np.array([[0, 1], [2, -1], [0, 1]])
    bought = sparse.csr_matrix(np.array([[1.0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]))
    assert recall_at(best, bought) == pytest.approx([2 / 3, 1.0, np.nan], nan_ok=True)


def test_tribes_are_seen_by_ours_and_not_by_popularity(judged):
    rows = judged[judged["question"] == "new"].set_index("method")
    assert rows.loc["ours", "recall"] > 1.5 * rows.loc["popularity", "recall"]
    assert rows.loc["popularity", "gain_low"] > 0
    assert rows.loc["ours", ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]


def test_every_method_answers_on_the_same_customers(judged):
    assert (judged.groupby("question")["customers"].nunique() == 1).all()
    assert set(judged["method"]) == {"ours", "popularity", "implicit", "personal"}


def test_what_comes_after_the_window_is_not_looked_at(judged):
    later = purchases().assign(day=CUTOFF + timedelta(days=29), order_key="later")
    again = judge_cross_sell(pd.concat([purchases(), later]), items=ITEMS, cutoff=CUTOFF, most=3)
    pd.testing.assert_frame_equal(again, judged)


def test_variants_are_chosen_before_the_day_of_judgement(judged):
    table = purchases()
    after = table["day"] > CUTOFF
    table.loc[after, "item"] = table.loc[after, "item"].sample(frac=1, random_state=1).to_numpy()
    again = judge_cross_sell(table.drop_duplicates(), items=ITEMS, cutoff=CUTOFF, most=3)
    assert again["chosen"].tolist() == judged["chosen"].tolist()
    assert again["recall"].tolist() != judged["recall"].tolist()


def test_metrics_name_both_questions(judged):
    metrics = cross_sell_metrics(judged)
    assert metrics["crosssell_recall_at_10"] == judged["recall"][0]
    assert {"crosssell_popularity", "crosssell_implicit", "nextbasket_personal"} <= set(metrics)
    assert metrics["crosssell_implicit_gain_low"] < metrics["crosssell_implicit_gain_high"]
    assert cross_sell_metrics(pd.DataFrame()) == {}


def test_too_little_is_not_judged():
    few = purchases().head(30)
    assert judge_cross_sell(few, items=ITEMS, cutoff=CUTOFF).empty
    nothing_after = purchases().query("day <= @CUTOFF")
    assert judge_cross_sell(nothing_after, items=ITEMS, cutoff=CUTOFF).empty


def test_the_figure_has_a_bar_for_each_method_and_question(judged):
    ax = suggestions_bought(judged)
    heights = [bar.get_height() for bar in ax.patches if bar.get_height() > 0]
    assert sorted(heights) == pytest.approx(sorted(judged["recall"]))
