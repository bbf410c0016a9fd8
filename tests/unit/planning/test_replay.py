from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.planning.replay import compare_policies, logged_chances


def drawn(rows: int, *, seed: int, gain: float = 1.0) -> dict:
    """Two kinds of people, two arms: arm 1 helps kind 1 and hurts kind 0 by `gain`."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, rows)
    chance = np.tile([0.7, 0.3], (rows, 1))
    arm = (rng.random(rows) < 0.3).astype(int)
    expected = np.stack([10.0 * kind, 10.0 * kind + gain * (2 * kind - 1)], axis=1)
    reward = expected[np.arange(rows), arm] + rng.normal(0, 1, rows)
    return {"arm": arm, "reward": reward, "chance": chance, "chosen": kind,
            "expected": expected, "cluster": np.arange(rows)}  # fmt: skip


def test_hand_computed():
    found = compare_policies(
        arm=np.array([0, 1, 1, 0]), reward=np.array([1.0, 3.0, 5.0, 1.0]),
        chance=np.full((4, 2), 0.5), chosen=np.array([1, 1, 1, 0]),
        expected=np.tile([1.0, 4.0], (4, 1)), cluster=np.arange(4),
    ).set_index("estimator")  # fmt: skip
    # Rows 2 to 4 agree, each weighs 2: (3 + 5 + 1) * 2 / 4 against a mean of 2.5.
    assert found.loc["inverse propensity", "gain"] == pytest.approx(4.5 - 2.5)
    assert found.loc["self-normalised", "gain"] == pytest.approx(3.0 - 2.5)
    # The model expects (4 + 4 + 4 + 1) / 4 against 2.5; its misses are -1 and 1, and cancel.
    assert found.loc["doubly robust", "gain"] == pytest.approx(3.25 - 2.5)
    assert found["logged"].unique().tolist() == [2.5]
    assert found["matched"].unique().tolist() == [0.75]


def test_each_estimator_finds_the_true_gain_and_the_robust_one_is_narrowest():
    # Policy against log: right for everybody (+1 for kind 1, 0 for kind 0) against
    # 0.3 for kind 1 and -0.3 for kind 0.
    found = compare_policies(**drawn(20_000, seed=1)).set_index("estimator")
    assert ((found["gain_low"] < 0.5) & (found["gain_high"] > 0.5)).all()
    width = found["gain_high"] - found["gain_low"]
    assert width["doubly robust"] < 0.5 * width["inverse propensity"]


def test_intervals_hold_what_they_promise():
    held = [
        compare_policies(**drawn(400, seed=seed), draws=200)["gain_low"].lt(0.5).to_numpy()
        for seed in range(60)
    ]
    # One side of 90 %: 95 of 100; with 60 worlds, fewer than 85 % would be no accident.
    assert np.mean(held, axis=0).min() > 0.85


def test_a_wrong_model_widens_and_does_not_mislead():
    log = drawn(20_000, seed=2)
    log["expected"] = -log["expected"]
    found = compare_policies(**log).set_index("estimator").loc["doubly robust"]
    assert found["gain_low"] < 0.5 < found["gain_high"]


def test_customers_are_resampled_whole():
    log = drawn(2_000, seed=3)
    alone = compare_policies(**log)
    twice = compare_policies(
        **{name: np.concatenate([values, values]) for name, values in log.items()}
    )
    assert twice["gain"].to_numpy() == pytest.approx(alone["gain"].to_numpy())
    assert twice["gain_low"].to_numpy() == pytest.approx(alone["gain_low"].to_numpy(), abs=1e-6)


def test_a_policy_beyond_the_log_is_refused():
    log = drawn(10, seed=4)
    log["chance"] = np.tile([1.0, 0.0], (10, 1))
    with pytest.raises(ValueError, match="never drew"):
        compare_policies(**{**log, "chosen": np.ones(10, dtype=int)})


def test_chances_are_the_shares_of_the_campaign():
    log = pd.DataFrame({"campaign_id": ["a", "a", "b", "a"], "arm": ["x", "y", "x", "x"]})
    found = logged_chances(log, arms=("x", "y", "z"))
    assert found.tolist()[:2] == [[2 / 3, 1 / 3, 0], [2 / 3, 1 / 3, 0]]
    assert found.tolist()[2] == [1, 0, 0]
