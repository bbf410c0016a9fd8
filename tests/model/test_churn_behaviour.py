"""How the churn model behaves on a population whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from customer360.evaluation import calibration_error, classification_metrics
from customer360.models.churn import ChurnModel, fit_churn, recency_baseline

NAMES = ["recency_days", "recency_over_gap", "orders_last_period", "frequency", "main_channel"]
HORIZON_DAYS = 90


def population(customers: int, *, days: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers with a rhythm of their own, looked at on several days.

    A silence matters in units of one's own pause; a channel makes a difference too. Returns
    the observations and the true probabilities to leave.
    """
    rng = np.random.default_rng(seed)
    gap = rng.lognormal(3.4, 0.7, customers)
    channel = rng.choice(["web", "store"], customers)
    frames, truths = [], []
    for n in range(days):
        recency = np.minimum(rng.exponential(1.5 * gap), 2 * HORIZON_DAYS - 1)
        frequency = 1 + rng.poisson(300 / gap)
        log_odds = -1.8 + 1.1 * recency / gap + 0.8 * (channel == "web") - 0.02 * frequency
        truth = 1 / (1 + np.exp(-log_odds))
        frames.append(
            pd.DataFrame(
                {
                    "customer_id": [f"{seed}-{c:05d}" for c in range(customers)],
                    "as_of": date(2025, 1, 1) + timedelta(days=45 * n),
                    "recency_days": recency,
                    "recency_over_gap": recency / gap,
                    "orders_last_period": rng.poisson(
                        np.where(recency < HORIZON_DAYS, HORIZON_DAYS / gap, 0.0)
                    ),
                    "frequency": frequency,
                    "main_channel": channel,
                    "churned": rng.random(customers) < truth,
                }
            )
        )
        truths.append(truth)
    return pd.concat(frames, ignore_index=True), np.concatenate(truths)


@pytest.fixture(scope="module")
def train() -> pd.DataFrame:
    return population(1500, days=3, seed=1)[0]


@pytest.fixture(scope="module")
def fresh() -> tuple[pd.DataFrame, np.ndarray]:
    return population(4000, days=1, seed=2)


@pytest.fixture(scope="module")
def model(train) -> ChurnModel:
    return fit_churn(train, feature_names=NAMES, horizon_days=HORIZON_DAYS, seed=1)


def scored(model: ChurnModel, frame: pd.DataFrame) -> np.ndarray:
    return model.predict(frame)["churn_probability"].to_numpy()


def test_a_longer_silence_never_lowers_the_risk(model, fresh):
    customers = fresh[0].head(200)
    for name, sign in (("recency_days", 1), ("recency_over_gap", 1), ("orders_last_period", -1)):
        values = np.linspace(customers[name].min(), customers[name].max(), 15)
        risk = np.column_stack([scored(model, customers.assign(**{name: v})) for v in values])
        assert (sign * np.diff(risk, axis=1) >= -1e-7).all(), name
    ends = customers.assign(recency_over_gap=0.0), customers.assign(recency_over_gap=6.0)
    # Monotone, and not flat: a silence of six pauses weighs heavily.
    assert (scored(model, ends[1]) - scored(model, ends[0])).mean() > 0.3


def test_beats_recency_and_chance_where_there_is_something_to_learn(model, train, fresh):
    frame, truth = fresh
    actual = frame["churned"]
    ours = classification_metrics(actual, scored(model, frame))
    recency = classification_metrics(actual, recency_baseline(train, frame))
    luck = classification_metrics(actual, np.random.default_rng(3).random(len(frame)))
    best = classification_metrics(actual, truth)
    for metric in ("average_precision", "roc_auc", "lift_at_10pct"):
        assert ours[metric] > recency[metric] > luck[metric]
    assert ours["average_precision"] > recency["average_precision"] + 0.05
    assert ours["brier"] < recency["brier"]
    # Nobody can know more than the probabilities that made the world.
    assert best["roc_auc"] - 0.03 < ours["roc_auc"] <= best["roc_auc"] + 0.005


def test_the_probability_means_what_it_says(model, fresh):
    frame, truth = fresh
    probability = scored(model, frame)
    assert calibration_error(frame["churned"], probability) <= 0.03
    assert calibration_error(truth, probability) <= 0.03
    assert probability.mean() == pytest.approx(truth.mean(), abs=0.02)


def test_where_there_is_nothing_to_learn_it_does_not_pretend(train, fresh):
    rng = np.random.default_rng(4)
    noise = train.assign(churned=rng.random(len(train)) < 0.3)
    model = fit_churn(noise, feature_names=NAMES, horizon_days=HORIZON_DAYS, seed=1)
    probability = scored(model, fresh[0])
    assert probability.mean() == pytest.approx(0.3, abs=0.05)
    assert probability.std() < 0.06


def test_two_fits_are_the_same_and_another_seed_is_close(model, train, fresh):
    again = fit_churn(train, feature_names=NAMES, horizon_days=HORIZON_DAYS, seed=1)
    np.testing.assert_array_equal(scored(again, fresh[0]), scored(model, fresh[0]))
    assert (again.slope, again.intercept) == (model.slope, model.intercept)
    other = fit_churn(train, feature_names=NAMES, horizon_days=HORIZON_DAYS, seed=2)
    difference = np.abs(scored(other, fresh[0]) - scored(model, fresh[0]))
    assert 0 < difference.mean() < 0.03


def test_saved_and_loaded_it_gives_identical_predictions(model, fresh, tmp_path):
    model.save(tmp_path)
    np.testing.assert_array_equal(
        scored(ChurnModel.load(tmp_path), fresh[0]), scored(model, fresh[0])
    )


def test_a_channel_never_seen_counts_as_unknown(model, fresh):
    frame = fresh[0].head(300)
    np.testing.assert_array_equal(
        scored(model, frame.assign(main_channel="boat")),
        scored(model, frame.assign(main_channel=None)),
    )
    assert not np.array_equal(
        scored(model, frame.assign(main_channel="web")),
        scored(model, frame.assign(main_channel="store")),
    )
