"""Dissatisfaction adds up, is put right, never falls below zero, and fades."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.contracts import SHOCKS
from customer360.worlds.demo.experience import (
    BAD_SHARE,
    FADES_IN_DAYS,
    SHOCK_POINTS,
    draw_bad,
    feel,
)

LATE, DAMAGED, GOOD_CALL = (SHOCKS.index(kind) for kind in ("late", "damaged", "good_call"))


def test_shocks_add_up_and_fade():
    felt = feel(
        person=np.array([0, 2, 0]), day=np.array([20, 5, 10]), kind=np.array([DAMAGED, LATE, LATE])
    )
    state = felt.at(np.array([0, 0, 0, 1, 2]), np.array([5, 10, 200, 200, 5]))
    late, damaged = SHOCK_POINTS[[LATE, DAMAGED]]
    at_last = late * np.exp(-190 / FADES_IN_DAYS) + damaged * np.exp(-180 / FADES_IN_DAYS)
    assert state == pytest.approx([0, late, at_last, 0, late])


def test_a_call_that_helps_never_leaves_less_than_nothing():
    felt = feel(
        person=np.zeros(3, int), day=np.arange(3), kind=np.array([LATE, GOOD_CALL, GOOD_CALL])
    )
    assert felt.level[1] == pytest.approx(
        SHOCK_POINTS[LATE] * np.exp(-1 / FADES_IN_DAYS) + SHOCK_POINTS[GOOD_CALL]
    )
    assert felt.level[2] == 0


def test_nobody_felt_anything():
    felt = feel(person=np.zeros(0, int), day=np.zeros(0, int), kind=np.zeros(0, int))
    assert felt.at(np.array([0, 3]), np.array([1, 2])) == pytest.approx([0, 0])


def test_mishaps_come_at_the_stated_shares():
    delivery = np.repeat(np.arange(4), 50_000)
    bad = draw_bad(delivery, 1.0, np.random.default_rng(0))
    for mode in range(4):
        share = np.bincount(bad[delivery == mode], minlength=4)[1:] / 50_000
        assert share == pytest.approx(BAD_SHARE[mode], abs=0.004)
    assert not draw_bad(delivery, 0.0, np.random.default_rng(0)).any()
