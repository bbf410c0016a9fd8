from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTACT_SIGNALS
from customer360.models.meta_learners import LEARNERS, learn_effect
from customer360.models.uplift import (
    UpliftModel,
    cross_fit,
    fit_uplift,
    is_tested,
)

CONTACTS = 12_000


def draw(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Contacts by e-mail of people whom reductions pull and age puts off, as orders come."""
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame(0.0, index=range(CONTACTS), columns=list(CONTACT_SIGNALS))
    for name in ("rate", "promotions", "age"):
        signals[name] = rng.normal(size=CONTACTS)
    signals["by_social"] = (rng.random(CONTACTS) < 0.2) * 1.0
    signals["by_email"] = 1 - signals["by_social"]
    treated = rng.random(CONTACTS) < 0.7
    base = 0.3 * np.exp(0.5 * signals["rate"])
    heard = signals["by_email"]
    pull = 0.15 * np.exp(1.0 * signals["promotions"]).clip(upper=6) * heard
    push = heard / (1 + np.exp(2.5 - 1.5 * signals["age"]))
    caused = rng.poisson(pull * treated)
    stays = rng.poisson(base * (1 - push * treated))
    used = rng.binomial(stays, 0.3 * treated)
    contacts = pd.DataFrame(
        {
            "customer_id": [f"c{n % 4000:04d}" for n in range(CONTACTS)],
            "channel": np.where(heard > 0, "email", "social"),
            "treated": treated,
            "propensity": 0.7,
            "depth": 0.1,
            "orders": (caused + stays).astype(float),
            "redeemed": (caused + used).astype(float),
        }
    )
    return signals, contacts, (pull - push * base).to_numpy()


@pytest.fixture(scope="module")
def world():
    return draw(1)


@pytest.fixture(scope="module")
def model(world) -> UpliftModel:
    return fit_uplift(world[0], world[1])


def test_effects_are_found(world, model):
    signals, _, effect = draw(2)
    told = model.predict(signals)
    assert np.corrcoef(told["uplift"], effect)[0, 1] > 0.9
    assert told["uplift"].mean() == pytest.approx(effect.mean(), abs=0.03)
    assert np.corrcoef(told["expected_orders"], np.exp(0.5 * signals["rate"]))[0, 1] > 0.95


def test_a_channel_that_nobody_hears_neither_pulls_nor_pushes(world, model):
    told = model.predict(world[0])["uplift"]
    social = world[0]["by_social"] > 0
    assert told[social].abs().mean() < 0.25 * told[~social].abs().mean()


def test_intervals_hold_the_effect(world, model):
    told, effect = model.predict(world[0]), world[2]
    assert (told["uplift_low"] < told["uplift_high"]).all()
    inside = (told["uplift_low"] <= effect) & (effect <= told["uplift_high"])
    assert inside.mean() > 0.4


def test_it_says_the_same_after_saving(world, model, tmp_path):
    model.save(tmp_path)
    again = UpliftModel.load(tmp_path).predict(world[0])
    pd.testing.assert_frame_equal(again, model.predict(world[0]))
    assert set(json.loads((tmp_path / "uplift.json").read_text())["weights"]) == {
        "without", "pull", "push", "use",
    }  # fmt: skip


def test_cross_fitting_learns_from_others_only(world):
    signals, contacts, _ = world
    told = cross_fit(signals, contacts, folds=2)
    own = pd.factorize(contacts["customer_id"], sort=True)[0] % 2 == 0
    alone = fit_uplift(signals[~own], contacts[~own]).predict(signals[own])
    pd.testing.assert_frame_equal(told[own], alone)


def test_inputs_are_left_as_they_were(world):
    signals, contacts = world[0].head(500).copy(), world[1].head(500).copy()
    fit_uplift(signals, contacts)
    pd.testing.assert_frame_equal(signals, world[0].head(500))
    pd.testing.assert_frame_equal(contacts, world[1].head(500))


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners_without_a_form_find_the_direction(world, learner):
    signals, contacts, _ = world
    to, _, effect = draw(3)
    told = learn_effect(learner, signals, contacts, to=to.head(3000), seed=1)
    assert np.corrcoef(told, effect[:3000])[0, 1] > 0.4


def test_without_hold_out_nothing_is_tested(world):
    contacts = world[1]
    assert is_tested(contacts)
    assert not is_tested(contacts[contacts["treated"]])
