"""What hold-outs confirm of a pull, where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from uplifts import same_for_all

from customer360.contracts import CONTACT_SIGNALS
from customer360.models.confirmed import SPREAD, confirmed_pull
from customer360.models.uplift import UpliftModel

CONTACTS = 40_000
USUAL, PULL, USE = 0.1, 0.08, 0.1


def model(*, pull: float = PULL) -> UpliftModel:
    """Nobody is put off, one order in ten bears the coupon."""
    return same_for_all(without=USUAL, pull=pull, push=np.exp(-15.0), use=np.log(USE / (1 - USE)))


def world(*, new: float, held_out: float = 0.3, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contacts whose pull of 0.08 orders is new to a share; the rest would have come anyway.

    Of messages with a reduction, what is not new bears the coupon as well: an order that came
    anyway looks like one that the message brought.
    """
    rng = np.random.default_rng(seed)
    signals = pd.DataFrame(0.0, index=range(CONTACTS), columns=list(CONTACT_SIGNALS))
    treated = rng.random(CONTACTS) >= held_out
    depth = np.where(np.arange(CONTACTS) % 2 == 0, 0.1, 0.0)
    came = rng.poisson(USUAL, CONTACTS)
    brought = rng.poisson(PULL * new, CONTACTS) * treated
    used = rng.binomial(came, USE + PULL * (1 - new) / USUAL)
    contacts = pd.DataFrame(
        {
            "treated": treated,
            "propensity": 1 - held_out,
            "depth": depth,
            "orders": (came + brought).astype(float),
            "redeemed": ((brought + used) * treated * (depth > 0)).astype(float),
        }
    )
    return signals, contacts


def test_a_pull_that_is_there_is_confirmed_nearly_whole():
    shares = confirmed_pull(model(), *world(new=1.0))
    assert 0.85 < shares["reduction"] <= 1 and 0.85 < shares["plain"] <= 1


@pytest.mark.parametrize("new", [0.0, 0.5])
def test_no_more_is_confirmed_than_is_new(new):
    shares = confirmed_pull(model(), *world(new=new))
    assert shares == pytest.approx({"reduction": new, "plain": new}, abs=0.17)
    assert max(shares.values()) < new + 0.1


def test_the_promise_is_kept_more_often_than_not():
    """At the lower end: of many worlds, few confirm more than there is."""
    found = [confirmed_pull(model(), *world(new=0.6, seed=seed))["plain"] for seed in range(12)]
    assert sum(share > 0.6 for share in found) <= 4


def test_where_nobody_was_held_out_little_is_promised():
    signals, contacts = world(new=1.0)
    everyone = contacts.assign(treated=True, propensity=1.0)
    assert confirmed_pull(model(), signals, everyone) == pytest.approx(
        {"reduction": 1 - SPREAD, "plain": 1 - SPREAD}
    )
    # Of a kind of message that was never sent, nothing more is known either.
    deep = contacts["depth"] > 0
    seen = confirmed_pull(model(), signals[deep], contacts[deep])
    assert seen["plain"] == pytest.approx(1 - SPREAD) and seen["reduction"] > 0.8


def test_a_model_that_hopes_for_twice_as_much_is_confirmed_half():
    signals, contacts = world(new=1.0)
    plain = contacts["depth"] == 0
    twice = replace(model(), weights=model(pull=2 * PULL).weights)
    share = confirmed_pull(twice, signals[plain], contacts[plain])["plain"]
    assert share == pytest.approx(0.5, abs=0.12)


def test_inputs_are_left_as_they_were():
    signals, contacts = world(new=1.0)
    before = signals.copy(), contacts.copy()
    confirmed_pull(model(), signals, contacts)
    pd.testing.assert_frame_equal(signals, before[0])
    pd.testing.assert_frame_equal(contacts, before[1])
