"""The year ahead, against closed forms and simulated lives."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from customer360.worlds.demo.clock import clock_between
from customer360.worlds.demo.expectation import Standing, expect
from customer360.worlds.demo.experience import DELIVERIES, EXPECTED_POINTS, FADES_IN_DAYS
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.traits import CYCLES

LAST = date(2025, 12, 31)
CALM = Laws(misfortune=0, seasons=False)


def _ahead(days: int = 365, *, seasons: bool = False):
    first = LAST + timedelta(days=1)
    return clock_between(first=first, last=LAST + timedelta(days=days), seasons=seasons)


def _standing(n: int, **changed) -> Standing:
    takeaway = np.zeros((n, len(DELIVERIES)))
    takeaway[:, DELIVERIES.index("takeaway")] = 1.0
    usual = {
        "alive": np.ones(n, dtype=bool),
        "rate": np.full(n, 4.0),
        "hazard": np.full(n, 0.5),
        "cycle": np.full(n, -1),
        "discontent": np.zeros(n),
        "deliveries": takeaway,
    }
    return Standing(**{**usual, **changed})


@pytest.mark.parametrize("days", [365, 364, 30, 3])
def test_a_constant_rate_and_hazard_have_closed_forms(days):
    rate, hazard = np.array([0.3, 4.0, 40.0, 4.0]), np.array([0.5, 0.5, 0.2, 3.0])
    future = expect(standing=_standing(4, rate=rate, hazard=hazard), clock=_ahead(days), laws=CALM)
    years, both = days / 365.25, rate + hazard
    stays = np.exp(-hazard * years)
    assert future.p_leave == pytest.approx(1 - stays)
    silent = np.exp(-both * years)
    assert future.p_no_purchase == pytest.approx(hazard / both * (1 - silent) + silent)
    # Weeks are taken in their middle: an error of (hazard * week)**2 / 24.
    assert future.years == pytest.approx((1 - stays) / hazard, rel=3e-4)
    assert future.transactions == pytest.approx(rate * (1 - stays) / hazard, rel=3e-4)
    assert future.discontent == pytest.approx(0)
    assert future.survival[-1] == pytest.approx(stays)
    assert (np.diff(future.survival, axis=0) < 0).all()


def test_nothing_is_expected_of_those_who_left():
    gone = np.array([False, False])
    future = expect(
        standing=_standing(2, alive=gone, cycle=np.array([-1, 0])), clock=_ahead(), laws=Laws()
    )
    assert future.p_leave.tolist() == [1, 1] and future.p_no_purchase.tolist() == [1, 1]
    assert future.transactions.tolist() == future.years.tolist() == [0, 0]


def test_no_hazard_no_leaving_and_no_rate_no_purchase():
    standing = _standing(2, rate=np.array([0.0, 5.0]), hazard=np.zeros(2))
    future = expect(standing=standing, clock=_ahead(), laws=CALM)
    assert future.p_leave == pytest.approx(0)
    assert future.p_no_purchase == pytest.approx([1, np.exp(-5 * 365 / 365.25)])
    assert future.transactions == pytest.approx([0, 5 * 365 / 365.25])


def test_purchases_follow_the_seasons():
    standing = _standing(1, hazard=np.zeros(1))
    january, year = (
        expect(standing=standing, clock=_ahead(days, seasons=True), laws=CALM).transactions[0]
        for days in (31, 365)
    )
    assert year == pytest.approx(4.0, rel=0.01)
    assert january < 0.95 * year * 31 / 365


def test_dissatisfaction_makes_leaving_likelier_and_purchases_fewer():
    laws = Laws(misfortune=0, seasons=False)
    level = np.array([0.0, 1.0, 2.0])
    future = expect(standing=_standing(3, discontent=level), clock=_ahead(), laws=laws)
    # No experience to come: D only fades.
    time = (np.arange(3650) + 0.5) / 10
    fading = level[:, None] * np.exp(-time / FADES_IN_DAYS)
    hazard = 0.5 * np.exp(laws.leaving_effect * fading)
    stays = np.exp(-np.cumsum(hazard, axis=1) / 3652.5)
    assert future.p_leave == pytest.approx(1 - stays[:, -1], rel=0.002)
    rate = 4 * np.exp(-laws.thinning_effect * fading)
    assert future.transactions == pytest.approx((rate * stays).sum(axis=1) / 3652.5, rel=0.003)
    assert (np.diff(future.discontent) > 0).all()
    assert (future.discontent[1:] < level[1:]).all()


def test_experiences_to_come_settle_at_what_campbell_says():
    """In the long run the mean of D is the rate of points times the time they last."""
    standing = _standing(
        1, rate=np.array([12.0]), hazard=np.zeros(1), deliveries=np.array([[1.0, 0, 0, 0]])
    )
    laws = Laws(misfortune=1.0, seasons=False, thinning_effect=0.0)
    points = 12.0 * np.array([0.060, 0.020, 0.010]) @ EXPECTED_POINTS
    future = expect(standing=standing, clock=_ahead(365), laws=laws)
    time = np.linspace(0, 365, 2000)
    mean = points * FADES_IN_DAYS / 365.25 * (1 - np.exp(-time / FADES_IN_DAYS)).mean()
    assert future.discontent[0] == pytest.approx(mean, rel=0.03)


def test_misfortune_to_come_makes_frequent_buyers_leave():
    standing = _standing(2, rate=np.array([1.0, 30.0]), deliveries=np.tile([1.0, 0, 0, 0], (2, 1)))
    calm, rough = (
        expect(standing=standing, clock=_ahead(), laws=Laws(misfortune=m)) for m in (0.0, 2.0)
    )
    more = rough.p_leave - calm.p_leave
    assert more[1] > 5 * more[0] > 0
    # Who buys nothing has no new experience.
    assert rough.p_no_purchase == pytest.approx(calm.p_no_purchase)


def test_cyclic_customers_come_in_their_window():
    n = len(CYCLES)
    standing = _standing(n, rate=np.full(n, 2.0), hazard=np.full(n, 0.06), cycle=np.arange(n))
    year = expect(standing=standing, clock=_ahead(365), laws=CALM)
    # To leave before the window is to buy nothing.
    for number, (first, last, _) in enumerate(CYCLES.values()):
        opens = (date.fromisoformat(f"2026-{first}") - LAST).days - 1
        closes = (date.fromisoformat(f"2026-{last}") - LAST).days
        middle = np.exp(-0.06 * (opens + closes) / 2 / 365.25)
        assert year.transactions[number] == pytest.approx(2 * middle, rel=0.002)
        assert 1 - year.p_no_purchase[number] == pytest.approx(middle, abs=0.004)
        before = expect(standing=standing, clock=_ahead(opens), laws=CALM)
        assert before.transactions[number] == 0
        assert before.p_no_purchase[number] == pytest.approx(1)
        after = expect(standing=standing, clock=_ahead(closes), laws=CALM)
        assert after.transactions[number] == pytest.approx(year.transactions[number], rel=1e-3)


def test_a_cyclic_customer_who_is_cross_comes_less():
    standing = _standing(
        2, rate=np.full(2, 2.0), hazard=np.zeros(2), cycle=np.zeros(2, int),
        discontent=np.array([0.0, 3.0]),
    )  # fmt: skip
    future = expect(standing=standing, clock=_ahead(), laws=CALM)
    assert future.transactions[1] < future.transactions[0]
    assert future.p_no_purchase[1] > future.p_no_purchase[0]
