from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.evaluation import (
    clv_holdout_metrics,
    spearman,
    top_share_captured,
)


def test_spearman_shares_ranks_and_knows_constants():
    assert spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1.0)
    assert spearman([1, 1, 2], [5, 5, 1]) == pytest.approx(-1.0)
    assert spearman([1, 2, 3], [7, 7, 7]) == 0.0


def test_top_share_captured():
    earned = [0.0, 80.0, 5.0, 10.0, 5.0]
    assert top_share_captured(earned, [0, 9, 1, 1, 1]) == pytest.approx(0.8)
    assert top_share_captured(earned, [9, 1, 1, 1, 1]) == 0.0
    assert top_share_captured(earned, np.zeros(5), share=0.4) == pytest.approx(0.8)
    assert top_share_captured([0.0, 0.0], [1, 2]) == 0.0


def test_clv_metrics_are_flat_numbers_for_the_model_and_the_naive_rate():
    predictions = pd.DataFrame(
        {
            "holdout_transactions": [0, 1, 4],
            "holdout_margin": [0.0, 10.0, 90.0],
            "predicted_transactions": [0.5, 1.0, 3.0],
            "naive_transactions": [0.0, 0.0, 8.0],
            "predicted_value": [1.0, 2.0, 3.0],
        }
    )
    metrics = clv_holdout_metrics(predictions)
    assert set(metrics) == {
        "holdout_transactions_actual",
        "holdout_transactions_predicted",
        "holdout_total_error",
        "rmse_transactions",
        "poisson_deviance",
        "spearman_transactions",
        "naive_holdout_transactions_predicted",
        "naive_holdout_total_error",
        "naive_rmse_transactions",
        "naive_poisson_deviance",
        "naive_spearman_transactions",
        "value_spearman",
        "value_top20_share_captured",
    }
    assert all(type(value) is float for value in metrics.values())
    assert metrics["holdout_total_error"] == pytest.approx(-0.1)
    assert metrics["poisson_deviance"] < metrics["naive_poisson_deviance"]
    assert metrics["value_top20_share_captured"] == pytest.approx(0.9)
