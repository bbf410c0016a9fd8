from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.segmentation.rfm import rfm_scores


def features(**columns: list) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    usual = {
        "recency_days": [1.0] * count,
        "frequency": [1] * count,
        "monetary_value": [1.0] * count,
    }
    return pd.DataFrame({"customer_id": [f"c{n}" for n in range(count)]} | usual | columns)


def test_ten_customers_make_five_pairs():
    scores = rfm_scores(features(recency_days=list(range(10)), frequency=list(range(10))))
    # The most recent have the fewest days; the most frequent have the most purchases.
    assert scores["r_score"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["f_score"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores["customer_id"].to_list() == [f"c{n}" for n in range(10)]


def test_equal_values_get_equal_scores_in_the_middle_of_their_rank():
    assert set(rfm_scores(features(frequency=[7] * 10))["f_score"]) == {3}
    # Eight who bought once share rank 4.5, of ten in the middle: the third fifth.
    scores = rfm_scores(features(frequency=[1] * 8 + [2, 3]))
    assert scores["f_score"].to_list() == [3] * 8 + [5, 5]


def test_an_unknown_value_gets_the_lowest_score():
    scores = rfm_scores(features(monetary_value=[np.nan, 1.0, 2.0, 3.0, 4.0]))
    assert scores["m_score"].iloc[0] == 1
    assert scores["m_score"].notna().all()


def test_nobody_and_one():
    assert rfm_scores(features(frequency=[1]).iloc[:0]).empty
    assert rfm_scores(features(frequency=[1]))[
        ["r_score", "f_score", "m_score"]
    ].values.tolist() == [[3, 3, 3]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_scores_never_contradict_the_values(recency):
    scores = rfm_scores(features(recency_days=recency)).assign(recency=recency)
    assert scores["r_score"].between(1, 5).all()
    ordered = scores.sort_values("recency")
    assert ordered["r_score"].is_monotonic_decreasing
    assert (ordered.groupby("recency")["r_score"].nunique() == 1).all()
