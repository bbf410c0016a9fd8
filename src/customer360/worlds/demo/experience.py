"""Bad experiences, the dissatisfaction they leave, and the leaving they cause.

A late, damaged or missing delivery adds 1 to a person's dissatisfaction D, which fades
by a factor e every `FADES_IN_DAYS`. After each purchase a person leaves with
probability 1 - exp(-LEAVING * D), besides the lifetime drawn in `traits`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.worlds.demo.traits import Traits

__all__ = ["BAD", "DELIVERIES", "dissatisfaction", "draw_bad", "leaving_days"]

FADES_IN_DAYS = 180.0
LEAVING = 0.11

BAD = ("", "retard", "casse", "rupture")
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


def draw_bad(delivery: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What went wrong with each purchase, as a number into `BAD`; 0 for nothing."""
    share = np.cumsum(BAD_SHARE, axis=1)[delivery]
    draw = rng.random(len(delivery))[:, None]
    wrong = (draw >= share).sum(axis=1) + 1
    return np.where(wrong > BAD_SHARE.shape[1], 0, wrong)


def dissatisfaction(
    *,
    person: np.ndarray,
    day: np.ndarray,
    bad_person: np.ndarray,
    bad_day: np.ndarray,
) -> np.ndarray:
    """Dissatisfaction D of each person on each day, that day's events included.

    Parameters
    ----------
    person, day : arrays of int, one per question
    bad_person, bad_day : arrays of int, one per bad experience, any order

    Notes
    -----
    D(t) is the sum of exp(-(t - s) / FADES_IN_DAYS) over bad experiences s <= t: a
    running sum of exp(s / FADES_IN_DAYS) within each person, found by bisection.
    """
    if not len(bad_person):
        return np.zeros(len(person))
    order = np.lexsort((bad_day, bad_person))
    who, when = bad_person[order], bad_day[order]
    grown = np.concatenate([[0.0], np.cumsum(np.exp(when / FADES_IN_DAYS))])
    span = int(max(day.max(initial=0), when.max())) + 2
    key = who.astype(np.int64) * span + when
    upto = np.searchsorted(key, person.astype(np.int64) * span + day, side="right")
    since = np.searchsorted(key, person.astype(np.int64) * span, side="left")
    return np.maximum(grown[upto] - grown[since], 0.0) * np.exp(-day / FADES_IN_DAYS)


def leaving_days(*, orders: pd.DataFrame, traits: Traits, rng: np.random.Generator) -> np.ndarray:
    """Day on which each person leaves: its own, or sooner after a bad experience.

    `orders` holds every purchase the person would make (person, day, bad), whether or
    not it leaves before; what follows the leaving is to be dropped.
    """
    leave = traits.leave_day.copy()
    state = dissatisfaction(
        person=orders["person"].to_numpy(),
        day=orders["day"].to_numpy(),
        bad_person=orders["person"].to_numpy()[orders["bad"] > 0],
        bad_day=orders["day"].to_numpy()[orders["bad"] > 0],
    )
    leaves = rng.random(len(orders)) < 1 - np.exp(-LEAVING * state)
    soon = orders["day"].to_numpy() + 1 + rng.integers(0, 20, len(orders))
    np.minimum.at(leave, orders["person"].to_numpy()[leaves], soon[leaves])
    return leave
