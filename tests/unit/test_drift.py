from __future__ import annotations

import numpy as np
import pytest

from customer360.drift import population_stability_index


def test_the_same_population_has_not_moved_and_a_shifted_one_has():
    rng = np.random.default_rng(1)
    then = rng.normal(size=5000)
    assert population_stability_index(then, rng.normal(size=5000)) < 0.02
    assert population_stability_index(then, rng.normal(1.0, size=5000)) > 0.5


def test_a_hand_case():
    """Halves that become a quarter and three quarters: 0.25 ln 3."""
    then, now = [0.0] * 1000 + [1.0] * 1000, [0.0] * 500 + [1.0] * 1500
    expected = 0.25 * np.log(0.75 / 0.5) - 0.25 * np.log(0.25 / 0.5)
    assert population_stability_index(then, now, bins=2) == pytest.approx(expected, rel=0.01)


def test_missing_values_are_left_out_and_nobody_has_not_moved():
    assert population_stability_index([1.0, np.nan], [np.nan]) == 0.0
    assert population_stability_index([], [1.0]) == 0.0
