"""Experiences, the dissatisfaction they leave, and how it fades.

Each bad experience adds points to a person's dissatisfaction D; a call that puts things
right takes some away. D never falls below zero and fades by a factor e every
`FADES_IN_DAYS`. What D does to leaving and buying stands in `laws`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.contracts import SHOCKS

__all__ = [
    "BAD",
    "BADLY_HANDLED_SHARE",
    "BAD_SHARE",
    "COMPLAINS_SHARE",
    "DELIVERIES",
    "EXPECTED_POINTS",
    "FADES_IN_DAYS",
    "SHOCK_POINTS",
    "Feelings",
    "draw_bad",
    "feel",
]

FADES_IN_DAYS = 180.0
# Points that an experience of each kind adds, in the order of `SHOCKS`.
SHOCK_POINTS = np.array([0.8, 1.2, 0.7, 0.9, -0.5, 0.25])

BAD = ("", "retard", "casse", "rupture")  # number 1 to 3 is kind 0 to 2 of `SHOCKS`
DELIVERIES = ("home", "relay", "click_and_collect", "takeaway")
# Share of purchases that go wrong, by delivery: late, damaged, out of stock.
BAD_SHARE = np.array(
    [
        (0.060, 0.020, 0.010),
        (0.045, 0.010, 0.010),
        (0.005, 0.000, 0.040),
        (0.000, 0.000, 0.018),
    ]
)
COMPLAINS_SHARE = 0.55
BADLY_HANDLED_SHARE = 0.40
# Points that a mishap of each kind leaves on average, the call about it included.
_CALL = BADLY_HANDLED_SHARE * SHOCK_POINTS[3] + (1 - BADLY_HANDLED_SHARE) * SHOCK_POINTS[4]
EXPECTED_POINTS = SHOCK_POINTS[:3] + COMPLAINS_SHARE * _CALL


def draw_bad(delivery: np.ndarray, misfortune: float, rng: np.random.Generator) -> np.ndarray:
    """What went wrong with each purchase, as a number into `BAD`; 0 for nothing.

    `misfortune` multiplies the shares of things that go wrong.
    """
    share = misfortune * np.cumsum(BAD_SHARE, axis=1)[delivery]
    draw = rng.random(len(delivery))[:, None]
    wrong = (draw >= share).sum(axis=1) + 1
    return np.where(wrong > BAD_SHARE.shape[1], 0, wrong)


@dataclass(frozen=True)
class Feelings:
    """Every shock of every person, in the order of person and day.

    Attributes
    ----------
    person, day, kind : array of int
        One entry per shock; `kind` is a number into `contracts.SHOCKS`.
    level : array of float
        Dissatisfaction just after the shock.
    """

    person: np.ndarray
    day: np.ndarray
    kind: np.ndarray
    level: np.ndarray

    def at(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Dissatisfaction of each person on each day, that day's shocks included."""
        if not len(self.person):
            return np.zeros(len(person))
        person, day = np.asarray(person, dtype=np.int64), np.asarray(day, dtype=np.int64)
        span = int(max(day.max(initial=0), self.day.max())) + 2
        key = self.person.astype(np.int64) * span + np.maximum(self.day, 0)
        last = np.searchsorted(key, person * span + np.maximum(day, 0), side="right") - 1
        mine = (last >= 0) & (self.person[last] == person)
        faded = np.exp(-(day - self.day[last]) / FADES_IN_DAYS)
        return np.where(mine, self.level[last] * faded, 0.0)


def feel(*, person: np.ndarray, day: np.ndarray, kind: np.ndarray) -> Feelings:
    """Add up the shocks of each person.

    Parameters
    ----------
    person, day, kind : arrays of int, one entry per shock, any order

    Notes
    -----
    D after shock k is max(0, D before + points): a walk reflected at zero, run over the
    first shocks of everyone, then the second ones, and so on.
    """
    assert len(SHOCKS) == len(SHOCK_POINTS)
    order = np.lexsort((kind, day, person))
    person, day, kind = person[order], day[order], kind[order]
    rank = np.arange(len(person)) - np.searchsorted(person, person)
    level = np.maximum(SHOCK_POINTS[kind], 0.0)
    for turn in range(1, int(rank.max(initial=0)) + 1):
        now = np.flatnonzero(rank == turn)
        before = level[now - 1] * np.exp(-(day[now] - day[now - 1]) / FADES_IN_DAYS)
        level[now] = np.maximum(before + SHOCK_POINTS[kind[now]], 0.0)
    return Feelings(person=person, day=day, kind=kind, level=level)
