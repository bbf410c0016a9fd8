from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTACT_SIGNALS
from customer360.models.receptiveness import ReceptivenessModel, fit_receptiveness


@pytest.fixture(scope="module")
def learnt():
    rng = np.random.default_rng(5)
    signals = pd.DataFrame(
        rng.normal(size=(6000, len(CONTACT_SIGNALS))), columns=list(CONTACT_SIGNALS)
    )
    chance = 1 / (1 + np.exp(2.5 - 1.2 * signals["coupons_used"]))
    day = pd.Series(pd.date_range("2024-01-01", periods=6000, freq="h"))
    answered = pd.Series(rng.random(6000) < chance)
    return signals, answered, day, chance, fit_receptiveness(signals, answered, day=day)


def test_probabilities_can_be_trusted(learnt):
    signals, answered, _, chance, model = learnt
    told = model.predict(signals)
    assert told.mean() == pytest.approx(answered.mean(), abs=0.02)
    assert np.corrcoef(told, chance)[0, 1] > 0.95


def test_the_level_is_the_latest_one(learnt):
    signals, answered, day, _, _ = learnt
    rarer = answered & ~((day > day.quantile(0.75)) & (np.arange(6000) % 2 == 0))
    model = fit_receptiveness(signals, rarer, day=day)
    late = (day > day.quantile(0.75)).to_numpy()
    assert model.predict(signals[late]).mean() == pytest.approx(rarer[late].mean(), abs=0.01)


def test_too_few_answers_teach_nothing(learnt):
    signals, answered, day, _, _ = learnt
    assert fit_receptiveness(signals.head(100), answered.head(100), day=day.head(100)) is None


def test_it_says_the_same_after_saving(learnt, tmp_path):
    model = learnt[-1]
    model.save(tmp_path / "habit.json")
    again = ReceptivenessModel.load(tmp_path / "habit.json")
    np.testing.assert_allclose(again.predict(learnt[0]), model.predict(learnt[0]))
