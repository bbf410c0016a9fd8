"""What the true parameters say about the future: leaving, purchases, margin.

Week by week from a day on which somebody's rate, hazard and dissatisfaction D are known:

    S(t + 1) = S(t) * exp(-h(t)),           h = hazard * E[exp(leaving_effect * D)]
    transactions += S(t) * lambda(t),       lambda = rate * season * E[exp(-thinning * D)]
    Q(t + 1) = Q(t) * exp(-h0 - lambda0)    nobody has bought so far; h0, lambda0: old D only

D is what is left of today's dissatisfaction plus a shot noise of experiences to come, whose
exponential moment is that of a compound Poisson process (Campbell's theorem). S takes the
mean hazard, not the mean of its exponential; a test holds the sums to simulated futures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from customer360.contracts import SHOCKS
from customer360.worlds.demo.clock import Clock, clock_between
from customer360.worlds.demo.experience import (
    BAD_SHARE,
    BADLY_HANDLED_SHARE,
    COMPLAINS_SHARE,
    EXPECTED_POINTS,
    FADES_IN_DAYS,
    SHOCK_POINTS,
)
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.life import WEEK
from customer360.worlds.demo.traits import CYCLES, cycle_window

__all__ = ["Future", "Standing", "chances_from_truth", "expect"]


@dataclass(frozen=True)
class Standing:
    """Where people stand on a day, one entry each.

    Attributes
    ----------
    alive : array of bool
        A customer on that day.
    rate, hazard : array of float
        Purchases and hazard of leaving, a year.
    cycle : array of int
        Number of the cycle, -1 for those who buy all year.
    discontent : array of float
        Dissatisfaction D on that day.
    deliveries : array of float, people by modes of delivery
        Share of purchases by mode: what goes wrong depends on it.
    """

    alive: np.ndarray
    rate: np.ndarray
    hazard: np.ndarray
    cycle: np.ndarray
    discontent: np.ndarray
    deliveries: np.ndarray


@dataclass(frozen=True)
class Future:
    """What to expect within the horizon, one entry per person.

    Attributes
    ----------
    p_leave, p_no_purchase : array of float
    transactions : array of float
        Without those that messages will cause.
    years : array of float
        Time as a customer.
    discontent : array of float
        Mean dissatisfaction D at those purchases; 0 where there are none.
    survival : array of float, weeks + 1 by people
        Chance to be still a customer at the beginning of each week.
    """

    p_leave: np.ndarray
    p_no_purchase: np.ndarray
    transactions: np.ndarray
    years: np.ndarray
    discontent: np.ndarray
    survival: np.ndarray


def expect(*, standing: Standing, clock: Clock, laws: Laws) -> Future:
    """Look ahead over all days of `clock`, from the evening before its first one."""
    s = standing
    regular = s.cycle < 0
    bad = laws.misfortune * s.deliveries @ BAD_SHARE
    rate = np.where(regular, s.rate, 0.0)
    alive = s.alive.astype(float)
    survival, silent = alive.copy(), alive.copy()
    none, transactions, years = 1 - alive, np.zeros(len(alive)), np.zeros(len(alive))
    felt, path = np.zeros(len(alive)), [survival]
    weeks = -(-clock.days // WEEK)
    edges = np.minimum(np.arange(weeks + 1) * WEEK, clock.days)
    mass = np.diff(clock.mass[edges])
    window = _windows(clock, edges)
    for week in range(weeks):
        span = (edges[week + 1] - edges[week]) / 365.25
        fade = np.exp(-WEEK * (np.arange(week + 1)[::-1] + 0.5) / FADES_IN_DAYS)
        left = s.discontent * np.exp(-WEEK * (week + 0.5) / FADES_IN_DAYS)
        grows = mass[: week + 1] @ _moment(laws.leaving_effect * fade)
        thins = mass[: week + 1] @ _moment(-laws.thinning_effect * fade)
        # Experiences to come arrive with the purchases.
        coming = (rate / 365.25)[:, None] * bad
        h0 = s.hazard * span * np.exp(laws.leaving_effect * left)
        h = h0 * np.exp(coming @ grows)
        thin = np.exp(-laws.thinning_effect * left)
        lam0 = rate * mass[week] / 365.25 * thin
        lam = lam0 * np.exp(coming @ thins)
        share, closes = window[week]
        lam = lam + s.rate * share[s.cycle] * thin * ~regular
        middle = survival * np.exp(-h / 2)
        transactions = transactions + middle * lam
        years = years + middle * span
        felt = felt + middle * lam * (left + coming @ EXPECTED_POINTS * (mass[: week + 1] @ fade))
        survival = survival * np.exp(-h)
        path.append(survival)
        # A cyclic customer comes at least once in a window: what is left of it says when.
        meets = lam0 - np.log1p(-np.minimum(closes[s.cycle] * thin, 1 - 1e-9)) * ~regular
        both = h0 + meets
        none = none + silent * h0 / np.maximum(both, 1e-12) * -np.expm1(-both)
        silent = silent * np.exp(-both)
    return Future(
        p_leave=1 - survival,
        p_no_purchase=none + silent,
        transactions=transactions,
        years=years,
        discontent=felt / np.maximum(transactions, 1e-12),
        survival=np.array(path),
    )


def _moment(theta: np.ndarray) -> np.ndarray:
    """E[exp(theta * J)] - 1 for what a bad purchase adds to D, by theta and kind of mishap.

    J is the mishap's own points, and those of the call about it, if there is one.
    """
    kinds = SHOCK_POINTS[:3]
    bad_call, good_call = (SHOCK_POINTS[SHOCKS.index(k)] for k in ("bad_call", "good_call"))
    theta = theta[:, None]
    calm = 1 - COMPLAINS_SHARE
    heard = BADLY_HANDLED_SHARE * np.exp(theta * bad_call)
    heard = heard + (1 - BADLY_HANDLED_SHARE) * np.exp(theta * good_call)
    return np.exp(theta * kinds) * (calm + COMPLAINS_SHARE * heard) - 1


def _windows(clock: Clock, edges: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each week and cycle: the share of a yearly window that falls in it, and that share
    of what is left of the window."""
    weeks = []
    spans = [
        (number, *cycle_window(cycle=cycle, year=year, clock=clock))
        for number, cycle in enumerate(CYCLES)
        for year in clock.years
    ]
    for start, stop in pairwise(edges):
        # The last entry is for those without a cycle, whose number is -1.
        share, closes = np.zeros(len(CYCLES) + 1), np.zeros(len(CYCLES) + 1)
        for number, first, last in spans:
            inside = min(stop, last + 1) - max(start, first)
            if inside > 0 and last >= 0:
                share[number] += inside / (last - first + 1)
                closes[number] = inside / (last + 1 - max(start, first))
        weeks.append((share, closes))
    return weeks


def chances_from_truth(
    *,
    people: pd.DataFrame,
    traits: pd.DataFrame,
    shocks: pd.DataFrame,
    messages: pd.DataFrame,
    as_of: date,
    days: int,
) -> pd.DataFrame:
    """Chance to leave and chance to buy nothing, from the truth tables and any day.

    Parameters
    ----------
    people, traits, shocks : pandas.DataFrame
        Contracts `truth.people`, `truth.traits` and `truth.shocks`, of a world made under
        the default `Laws`.
    messages : pandas.DataFrame
        Those sent in the days ahead: person_id, day, potential (as in `truth.contacts`).
    as_of : date
        Evening from which the future is looked at.
    days : int
        How many days ahead.

    Returns
    -------
    pandas.DataFrame
        One row per true person, in the order of `people`: person_id, alive, p_leave,
        p_no_purchase.

    Notes
    -----
    Experiences to come are left out: who buys nothing has none.
    """
    day = pd.Timestamp(as_of)
    traits = people[["person_id"]].merge(traits, on="person_id", how="left")
    past = shocks[pd.to_datetime(shocks["day"]) <= day]
    last = past.assign(order=np.arange(len(past))).sort_values(["person_id", "day", "order"])
    last = last.drop_duplicates("person_id", keep="last").set_index("person_id")
    last = last.reindex(people["person_id"])
    faded = np.exp(-(day - pd.to_datetime(last["day"])).dt.days / FADES_IN_DAYS)
    left_on, joined_on = pd.to_datetime(people["left_on"]), pd.to_datetime(people["joined_on"])
    cycles = {name: number for number, name in enumerate(CYCLES)}
    standing = Standing(
        alive=(
            (people["purchase_rate"] > 0) & (joined_on <= day) & (left_on.isna() | (left_on > day))
        ).to_numpy(),
        rate=people["purchase_rate"].to_numpy(float),
        hazard=traits["leaving_hazard"].to_numpy(float),
        cycle=traits["cycle"].map(cycles).fillna(-1).to_numpy(int),
        discontent=(last["dissatisfaction"] * faded).fillna(0.0).to_numpy(float),
        deliveries=np.zeros((len(people), len(BAD_SHARE))),
    )
    clock = clock_between(first=as_of + timedelta(days=1), last=as_of + timedelta(days=days))
    future = expect(standing=standing, clock=clock, laws=Laws())
    row = pd.Series(np.arange(len(people)), index=people["person_id"])
    who = row[messages["person_id"]].to_numpy()
    week = (pd.to_datetime(messages["day"]) - day).dt.days.to_numpy() // WEEK
    week = np.clip(week, 0, len(future.survival) - 1)
    effect = messages["potential"].to_numpy(float) * future.survival[week, who]
    added = np.bincount(who, weights=effect, minlength=len(people))
    return pd.DataFrame(
        {
            "person_id": people["person_id"],
            "alive": standing.alive,
            "p_leave": future.p_leave,
            "p_no_purchase": future.p_no_purchase * np.exp(-np.maximum(added, 0)),
        }
    )
