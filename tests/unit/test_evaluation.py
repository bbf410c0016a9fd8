from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.evaluation import (
    bootstrap_gain,
    calibration_error,
    classification_intervals,
    classification_metrics,
    clv_holdout_metrics,
    clv_intervals,
    lift_at,
    lift_curve,
    poisson_deviance,
    qini,
    qini_curve,
    qini_intervals,
    reliability_table,
    slice_metrics,
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


ACTUAL = [True, False, True, False, False, False, True, False, False, False]
PROBABILITY = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.2, 0.1, 0.05]


def test_classification_metrics_by_hand():
    metrics = classification_metrics(ACTUAL, PROBABILITY)
    assert list(metrics) == [
        "base_rate",
        "roc_auc",
        "average_precision",
        "brier",
        "calibration_error",
        "lift_at_10pct",
    ]
    assert metrics["base_rate"] == pytest.approx(0.3)
    # Of 21 pairs of a leaver and a stayer: 7, 6 and 3 in the right order.
    assert metrics["roc_auc"] == pytest.approx(16 / 21)
    # Precision when each leaver is found: 1 of 1, 2 of 3, 3 of 7.
    assert metrics["average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 7) / 3)
    squares = [(p - y) ** 2 for p, y in zip(PROBABILITY, ACTUAL, strict=True)]
    assert metrics["brier"] == pytest.approx(sum(squares) / 10)
    # Ten groups of one: the mean distance of each.
    gaps = [abs(p - y) for p, y in zip(PROBABILITY, ACTUAL, strict=True)]
    assert metrics["calibration_error"] == pytest.approx(sum(gaps) / 10)
    assert metrics["lift_at_10pct"] == pytest.approx(1 / 0.3)
    assert all(type(value) is float for value in metrics.values())


def test_a_prefix_names_the_baseline_and_leaves_the_base_rate_out():
    metrics = classification_metrics(ACTUAL, PROBABILITY, prefix="recency_")
    assert "recency_roc_auc" in metrics
    assert not any("base_rate" in name for name in metrics)


def test_reliability_in_groups_of_equal_size():
    actual = [0, 0, 1, 0, 1, 1]
    probability = [0.1, 0.2, 0.3, 0.5, 0.6, 0.7]
    shuffled = [3, 0, 5, 1, 4, 2]
    table = reliability_table(
        [actual[i] for i in shuffled], [probability[i] for i in shuffled], bins=2
    )
    assert table["predicted"].to_list() == pytest.approx([0.2, 0.6])
    assert table["observed"].to_list() == pytest.approx([1 / 3, 2 / 3])
    assert table["customers"].to_list() == [3, 3]
    # |0.2 − 0.333| and |0.6 − 0.667|, half of the customers each.
    assert calibration_error(actual, probability, bins=2) == pytest.approx(0.1)


def test_groups_may_differ_by_one_and_never_be_empty():
    table = reliability_table([0, 1, 0, 1, 0, 1, 1], [0.1 * n for n in range(7)], bins=3)
    assert table["customers"].to_list() == [3, 2, 2]
    assert reliability_table([0, 1], [0.2, 0.9], bins=10)["customers"].to_list() == [1, 1]


def test_every_customer_weighs_alike_in_the_calibration_error():
    # Two off by 0.1 and one by 0.4, in groups of two and one.
    assert calibration_error([0, 0, 0], [0.1, 0.1, 0.4], bins=2) == pytest.approx(0.2)


def test_a_perfect_probability_has_no_calibration_error():
    probability = np.repeat([0.25, 0.5], [40, 40])
    actual = np.tile([1, 0, 0, 0], 10).tolist() + np.tile([1, 0], 20).tolist()
    assert calibration_error(actual, probability, bins=2) == pytest.approx(0.0)
    assert calibration_error(actual, probability + 0.1, bins=2) == pytest.approx(0.1)


def test_lift_by_hand():
    assert lift_at(ACTUAL, PROBABILITY, share=0.2) == pytest.approx((1 / 2) / 0.3)
    assert lift_at(ACTUAL, PROBABILITY, share=1.0) == pytest.approx(1.0)
    # At least one customer, however small the share.
    assert lift_at([1, 0, 0], [3, 2, 1], share=0.01) == pytest.approx(3.0)
    assert lift_at([0, 0], [1, 2], share=0.5) == 0.0


def test_lift_curve_by_hand():
    curve = lift_curve([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6])
    assert len(curve) == 101
    found = curve.set_index(curve["contacted"].round(2))["found"]
    assert found[[0.0, 0.25, 0.5, 0.75, 1.0]].to_list() == pytest.approx([0, 0.5, 0.5, 1, 1])
    # Half of the first customer: half of what it gives.
    assert found[0.12] == pytest.approx(0.24)
    assert curve["found"].is_monotonic_increasing
    assert (lift_curve([0, 0], [1, 2])["found"] == 0).all()


def test_poisson_deviance_by_hand():
    # y = 0: 2μ; y = μ: 0; y = 2, μ = 1: 2 (2 ln 2 − 1).
    expected = (2 * 0.5 + 0.0 + 2 * (2 * np.log(2) - 1)) / 3
    assert poisson_deviance([0, 3, 2], [0.5, 3, 1]) == pytest.approx(expected)
    assert np.isfinite(poisson_deviance([1], [0.0]))
    assert poisson_deviance([0], [0.0]) == pytest.approx(2e-6)


def test_top_share_counts_losses_as_nothing_and_takes_at_least_one():
    assert top_share_captured([10.0, -90.0, 10.0], [3, 2, 1], share=0.34) == pytest.approx(0.5)
    assert top_share_captured([10.0, 30.0], [2, 1], share=0.01) == pytest.approx(0.25)


def test_rates_by_group_the_largest_first():
    group = pd.Series(["web", "store", "web", None, "web"], name="main_channel")
    table = slice_metrics(group, [1, 0, 0, 1, 0], [0.5, 0.2, 0.3, 0.9, 0.1])
    assert list(table.columns) == ["main_channel", "customers", "predicted", "observed"]
    assert table["main_channel"].to_list() == ["web", "store", "unknown"]
    assert table["customers"].to_list() == [3, 1, 1]
    assert table["predicted"].to_list() == pytest.approx([0.3, 0.2, 0.9])
    assert table["observed"].to_list() == pytest.approx([1 / 3, 0, 1])


def test_qini_of_four_people_by_hand():
    # Weighted effects 2, 0, -2, 0: the curve climbs to a half, and comes down again.
    curve = qini_curve([1, 0, 1, 0], [1, 0, 0, 1], [0.5] * 4, score=[4, 3, 2, 1])
    assert curve["contacted"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["gain"].to_list() == pytest.approx([0, 0.5, 0.5, 0, 0])
    assert qini(curve) == pytest.approx(0.25)


def test_qini_of_the_opposite_ranking_has_the_opposite_sign():
    people = {"outcome": [3, 0, 1, 2], "treated": [1, 0, 0, 1], "propensity": [0.5] * 4}
    best = qini(qini_curve(**people, score=[4, 3, 2, 1]))
    assert best > 0
    assert qini(qini_curve(**people, score=[1, 2, 3, 4])) == pytest.approx(-best)


def test_qini_curve_ends_at_the_average_effect_whatever_share_was_treated():
    # Treated in three of four, in one of four; the effect is 1 and 3.
    outcome = [1, 1, 1, 0, 5, 2, 2, 2]
    treated = [1, 1, 1, 0, 1, 0, 0, 0]
    propensity = [0.75] * 4 + [0.25] * 4
    curve = qini_curve(outcome, treated, propensity, score=[1] * 4 + [3] * 4)
    assert curve["gain"].to_list() == pytest.approx([0, 1.5, 2])
    assert qini(curve) == pytest.approx(0.25)


def test_qini_adds_equal_scores_together_and_finds_nothing_in_them():
    one = qini_curve([5, 0, 0, 1], [1, 1, 0, 0], [0.5] * 4, score=[7, 7, 7, 7])
    other = qini_curve([0, 1, 5, 0], [0, 0, 1, 1], [0.5] * 4, score=[7, 7, 7, 7])
    assert one.equals(other)
    assert len(one) == 2 and qini(one) == 0


def test_qini_of_effects_that_are_known_needs_no_weights():
    curve = qini_curve([0.3, 0.1, -0.2], [1, 1, 1], [1, 1, 1], score=[0.3, 0.1, -0.2])
    assert curve["gain"].to_list() == pytest.approx([0, 0.1, 0.4 / 3, 0.2 / 3])


def test_qini_refuses_what_the_draw_could_not_give():
    with pytest.raises(ValueError, match="1 of 2 people"):
        qini_curve([1, 1], [1, 0], [0.5, 1.0], score=[1, 2])
    with pytest.raises(ValueError, match="no chance"):
        qini_curve([1], [True], [0.0], score=[1])


def test_a_better_score_gains_beyond_chance_and_an_equal_one_does_not():
    rng = np.random.default_rng(1)
    truth = rng.random(2000)
    actual = rng.random(2000) < truth
    low, high = bootstrap_gain(actual, truth, rng.random(2000), metric=_accuracy)
    assert 0 < low < high
    assert bootstrap_gain(actual, truth, truth, metric=_accuracy) == (0.0, 0.0)


def _accuracy(actual, score):
    return float(((score > 0.5) == (actual > 0.5)).mean())


def test_intervals_hold_what_they_are_about_and_narrow_with_more_customers():
    rng = np.random.default_rng(1)
    p = rng.random(2000)
    y = rng.random(2000) < p
    wide = classification_intervals(y[:200], p[:200])
    narrow = classification_intervals(y, p)
    found = classification_metrics(y, p)
    for name in ("roc_auc", "average_precision", "brier", "base_rate"):
        low, high = narrow[name]
        assert low < found[name] < high
        assert high - low < wide[name][1] - wide[name][0]
    assert classification_intervals(np.ones(5), np.full(5, 0.5)) == {}


def test_intervals_of_value_hold_the_metric_and_narrow_with_customers():
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 3000)
    table = pd.DataFrame(
        {
            "holdout_transactions": rng.poisson(rate),
            "predicted_transactions": rate,
            "naive_transactions": np.full(3000, 2.0),
        }
    )
    found, narrow = clv_holdout_metrics(table), clv_intervals(table)
    wide = clv_intervals(table.head(200))
    for name in ("holdout_total_error", "rmse_transactions", "spearman_transactions"):
        low, high = narrow[name]
        assert low < found[name] < high
        assert high - low < wide[name][1] - wide[name][0]


def test_qini_intervals_hold_the_qini_and_shrink_with_more_customers():
    rng = np.random.default_rng(3)

    def ends(customers: int) -> tuple[float, tuple[float, float]]:
        score = rng.random(customers)
        treated = rng.random(customers) < 0.5
        given = {
            "outcome": rng.poisson(0.2 + 0.3 * score * treated).astype(float),
            "treated": treated,
            "propensity": np.full(customers, 0.5),
            "score": score,
        }
        area = qini(qini_curve(**given))
        return area, qini_intervals(**given, customer=np.arange(customers), resamples=50)["qini"]

    (area, (low, high)), (_, few) = ends(20_000), ends(500)
    assert low < area < high and low > 0
    assert few[1] - few[0] > 2 * (high - low)
