from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.segmentation.rfmcca import (
    LETTERS,
    fit_letter_weights,
    potential_score,
    rfmcca_scores,
)


def profile(count: int = 100, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({measure: rng.random(count) for measure, _ in LETTERS.values()})
    return table.assign(customer_id=[f"c{n:03d}" for n in range(count)])


def test_five_is_always_the_good_end():
    table = profile()
    scores = rfmcca_scores(table)
    assert scores.loc[table["recency_days"].idxmin(), "r_score"] == 5
    for letter, (measure, more) in LETTERS.items():
        assert set(scores[letter]) == {1, 2, 3, 4, 5}
        if more:
            assert scores.loc[table[measure].idxmax(), letter] == 5


def test_what_is_known_for_nobody_says_nothing_and_for_one_gives_one():
    table = profile()
    table["effective_channels"] = np.nan
    table.loc[7, "affinity"] = np.nan
    scores = rfmcca_scores(table)
    assert set(scores["channel_score"]) == {3}
    assert scores.loc[7, "affinity_score"] == 1


def test_the_letter_that_tells_of_the_future_weighs():
    table = profile(2000)
    scores = rfmcca_scores(table)
    future = table["effective_categories"] * 10 + table["frequency"] * 5
    weights = fit_letter_weights(scores, future)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["category_score"] == pytest.approx(2 * weights["f_score"], rel=0.2)
    assert weights["r_score"] < 0.05


def test_a_letter_never_counts_against_and_nothing_explained_is_equal():
    table = profile()
    scores = rfmcca_scores(table)
    assert min(fit_letter_weights(scores, -table["frequency"]).values()) >= 0
    equal = fit_letter_weights(scores, pd.Series(np.ones(len(table))))
    assert set(equal.values()) == {1 / 6}


def test_the_score_runs_from_nothing_to_a_hundred():
    scores = pd.DataFrame({letter: [1, 5, 3] for letter in LETTERS})
    score = potential_score(scores, dict.fromkeys(LETTERS, 1 / 6))
    assert score.to_list() == pytest.approx([0, 100, 50])
