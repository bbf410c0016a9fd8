from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from customer360.ranking import average_precision, roc_auc

RANDOM = np.random.default_rng(1)
HAPPENED = RANDOM.random(700) < 0.2
# Few values: many ties.
SCORES = {"apart": RANDOM.normal(size=700) + HAPPENED, "tied": RANDOM.integers(0, 5, 700) / 4}
WEIGHTS = {"one each": None, "weighted": RANDOM.integers(1, 9, 700).astype(float)}


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("score", SCORES)
def test_areas_are_those_of_scikit_learn(score, weight):
    told, many = SCORES[score], WEIGHTS[weight]
    theirs = {"sample_weight": many}
    assert roc_auc(HAPPENED, told, weight=many) == pytest.approx(
        roc_auc_score(HAPPENED, told, **theirs), abs=1e-12
    )
    assert average_precision(HAPPENED, told, weight=many) == pytest.approx(
        average_precision_score(HAPPENED, told, **theirs), abs=1e-12
    )


def test_by_hand():
    assert roc_auc([1, 0, 1, 0], [4, 3, 2, 1]) == 0.75
    assert average_precision([1, 0, 1, 0], [4, 3, 2, 1]) == pytest.approx((1 + 2 / 3) / 2)
    assert roc_auc([1, 0], [1, 1]) == 0.5


def test_with_one_kind_only_no_ranking_is_judged():
    assert np.isnan(roc_auc([1, 1], [1, 2])) and np.isnan(roc_auc([], []))
    assert average_precision([0, 0], [1, 2]) == average_precision([], []) == 0
    assert average_precision([1, 1], [1, 2]) == 1


def test_the_order_of_rows_does_not_matter():
    order = RANDOM.permutation(700)
    for score in SCORES.values():
        assert roc_auc(HAPPENED[order], score[order]) == roc_auc(HAPPENED, score)
        assert average_precision(HAPPENED[order], score[order]) == average_precision(
            HAPPENED, score
        )


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match="unknown"):
        roc_auc([1, 0], [np.nan, 1.0])
