"""How well each customer is served: more for those worth more, within what care can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ServiceLevel", "ServicePlan", "expected_conversations", "plan_service"]


@dataclass(frozen=True)
class ServiceLevel:
    """A promise to a customer who gets in touch.

    Parameters
    ----------
    name : str
    response_hours : float, hours
        Until somebody answers.
    care_channel : str
        How: chat, mail, call...
    minutes : float, minutes
        What one conversation takes of the care team.
    kept_share : float
        Share of a customer's value of a year that one conversation, well handled, keeps. An
        assumption until it is tested; only the differences between levels matter.
    gesture : float, currency
        What may be given away when something went wrong.
    """

    name: str
    response_hours: float
    care_channel: str
    minutes: float
    kept_share: float
    gesture: float = 0.0


@dataclass(frozen=True)
class ServicePlan:
    """Who is served how, and what one more hour of care would keep.

    Parameters
    ----------
    levels : pandas.DataFrame
        Contract `service_levels`, without `as_of`.
    hours_used : float, hours
    price_per_hour : float, currency
        Value that one more hour of care would keep; 0 when there is enough of it.
    """

    levels: pd.DataFrame
    hours_used: float
    price_per_hour: float


def expected_conversations(
    conversations: pd.DataFrame, *, customers: pd.Series, as_of: Any, days: int
) -> pd.Series:
    """Conversations to expect of each customer in so many days.

    What a customer began in the last year, shrunk towards the average of all: a quiet year
    does not mean that nobody will ever call.

    Parameters
    ----------
    conversations : pandas.DataFrame
        customer_id, at, direction (contract `customer_conversations`).
    customers : pandas.Series
        Ids.
    as_of : date
    days : int, days

    Returns
    -------
    pandas.Series
        By customer_id.
    """
    at = pd.to_datetime(conversations["at"])
    end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    lately = conversations[(at < end) & (at >= end - pd.Timedelta(days=365))]
    counts = lately[lately["direction"] == "in"].groupby("customer_id").size()
    counts = counts.reindex(pd.Index(customers)).fillna(0.0)
    mean, spread = counts.mean(), counts.var(ddof=0)
    # Poisson rates that differ by a gamma law: the usual empirical Bayes estimate.
    shape = mean**2 / (spread - mean) if spread > mean > 0 else None
    rate = counts * 0 + mean if shape is None else (counts + shape) / (1 + shape / mean)
    return rate * days / 365


def plan_service(
    customers: pd.DataFrame, *, levels: Sequence[ServiceLevel], care_hours: float
) -> ServicePlan:
    """Give each customer a level, keeping the most value the care team's hours can keep.

    Everybody gets the first level; hours left go, step by step, where a minute keeps most:
    to whoever is worth most, and to the next level if it is worth its minutes. This is the
    linear relaxation of a knapsack with choices (Sinha and Zoltners 1979, *Operations
    Research* 27(3)), whose optimum it misses by at most one step of one customer.

    Parameters
    ----------
    customers : pandas.DataFrame
        customer_id, value (currency a year), conversations (expected).
    levels : sequence of ServiceLevel
        From the plainest on; minutes and kept_share must grow.
    care_hours : float, hours
        What the care team has for these conversations.

    Returns
    -------
    ServicePlan

    Raises
    ------
    ValueError
        When there is no level, or one is no better, or no dearer, than the one before.
    """
    if not levels:
        raise ValueError("give at least one service level")
    minutes = np.array([level.minutes for level in levels], dtype=float)
    kept = np.array([level.kept_share for level in levels], dtype=float)
    if (np.diff(minutes) <= 0).any() or (np.diff(kept) <= 0).any():
        raise ValueError("each service level must take more minutes and keep more than the last")
    steps = _worthwhile_steps(minutes, kept)
    value = customers["value"].fillna(0.0).clip(lower=0).to_numpy(dtype=float)
    number = customers["conversations"].to_numpy(dtype=float)
    budget = care_hours * 60 - float((number * minutes[0]).sum())
    rows = np.tile(np.arange(len(customers)), len(steps))
    begin = np.repeat([a for a, _ in steps], len(customers)).astype(int)
    to = np.repeat([b for _, b in steps], len(customers)).astype(int)
    takes = number[rows] * (minutes[to] - minutes[begin])
    per_minute = value[rows] * (kept[to] - kept[begin]) / (minutes[to] - minutes[begin])
    order = np.lexsort((rows, -per_minute))
    order = order[(per_minute[order] > 0) & (takes[order] > 0)]
    fits = np.cumsum(takes[order]) <= budget + 1e-9
    reached = np.zeros(len(customers), dtype=int)
    np.maximum.at(reached, rows[order[fits]], to[order[fits]])
    used = float((number * minutes[reached]).sum()) / 60
    beyond = order[~fits]
    table = customers[["customer_id", "value", "conversations"]].assign(
        level=[levels[n].name for n in reached],
        response_hours=np.array([level.response_hours for level in levels], dtype=float)[reached],
        care_channel=[levels[n].care_channel for n in reached],
        gesture=np.array([level.gesture for level in levels], dtype=float)[reached],
    )
    return ServicePlan(
        levels=table,
        hours_used=used,
        price_per_hour=60 * float(per_minute[beyond[0]]) if len(beyond) else 0.0,
    )


def _worthwhile_steps(minutes: np.ndarray, kept: np.ndarray) -> list[tuple[int, int]]:
    """Steps from level to level whose worth per minute falls: levels in between are skipped."""
    hull: list[int] = []
    for level in range(len(minutes)):
        while len(hull) > 1 and (kept[hull[-1]] - kept[hull[-2]]) * (
            minutes[level] - minutes[hull[-1]]
        ) <= (kept[level] - kept[hull[-1]]) * (minutes[hull[-1]] - minutes[hull[-2]]):
            hull.pop()
        hull.append(level)
    return list(pairwise(hull))
