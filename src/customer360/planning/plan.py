"""The plan: at most one message per customer and slot, worth the most under the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from customer360.linkage.engine_tables import as_arrow
from customer360.planning.exact import solve_exactly
from customer360.planning.explore import explore_at_random
from customer360.planning.gate import contact_room
from customer360.planning.pressure import ContactRule, make_patterns
from customer360.planning.prices import solve_by_prices
from customer360.planning.problem import Limits, Messages, Problem

__all__ = ["Limits", "Plan", "plan_contacts", "plan_problem"]

_NEEDED = (
    "customer_id", "slot", "day", "offer_id", "channel", "goal", "cost", "expected_margin"
)  # fmt: skip
# What makes two messages of a customer and slot different.
_OPTION = ("channel", "goal", "offer_id", "amount")


@dataclass(frozen=True)
class Plan:
    """What to send, what each limit costs, and how far the plan may be from the best.

    Parameters
    ----------
    messages : pandas.DataFrame
        The chosen candidates, with their columns, by customer_id and slot; `explored`: drawn
        at random, not because it earns most.
    prices : pandas.DataFrame
        One row per limit: kind (budget, goal, channel), name, slot (of a channel), at_most,
        used, price: margin that one more unit (euro, message) would bring, currency.
    floors : pandas.DataFrame
        One row per group: customers that could be contacted, wanted and explored; explored
        falls short of wanted only where the limits leave no place.
    expected_margin : float, currency
        Of the messages.
    bound : float, currency
        What no plan with the same explored messages exceeds; of a sample where prices came
        from one, it still holds.
    """

    messages: pd.DataFrame
    prices: pd.DataFrame
    floors: pd.DataFrame
    expected_margin: float
    bound: float


def plan_contacts(
    candidates: Any,
    *,
    limits: Limits,
    rules: Sequence[ContactRule],
    contacts: Any | None = None,
    groups: Any | None = None,
    explored_share: Mapping[str, float] | None = None,
    exact: bool = False,
    seed: int = 360,
) -> Plan:
    """Choose at most one message per customer and slot.

    Parameters
    ----------
    candidates : frame
        What passed the gate as alternatives (`together=False`), one row per customer_id,
        slot, channel, goal, offer_id and amount (if there is one): day (date; one per slot),
        cost (currency; never negative), expected_margin (uplift × value − cost − fatigue,
        currency).
    limits : Limits
    rules : sequence of ContactRule
        Caps and spacing, the same as at the gate.
    contacts : frame, optional
        Contract `customer_contacts`: past contacts that count under the rules.
    groups : frame, optional
        customer_id, group: who must not be forgotten.
    explored_share : dict of str to float, optional
        Share of each group's customers with a candidate who get one of them at random and
        nothing else, whatever it seems to earn. Limits and rules come first.
    exact : bool
        Solve the integer programme (a few thousand customers) instead of the prices.
    seed : int
        Of what is drawn.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a column is missing, a message stands twice, a slot has two days, or a margin or
        cost is unknown.
    """
    # Sorted, so that the order of the rows given changes nothing.
    given = _checked(as_arrow(candidates).to_pandas())
    persons = np.sort(given["customer_id"].unique())
    problem, place = _problem(given, persons, limits=limits, rules=rules, contacts=contacts)
    names, group, wanted, reachable = _floors(persons, groups, explored_share or {})
    explored = explore_at_random(problem, group=group, at_least=wanted, seed=seed)
    found, prices, bound = plan_problem(problem, explored=explored, exact=exact, seed=seed)
    row_of = np.full(problem.margin.shape, -1, dtype=np.int64)
    row_of[place] = np.arange(len(given))
    rows = row_of[found.columns]
    table = given.iloc[rows].assign(explored=np.arange(len(found)) < len(explored))
    floors = pd.DataFrame(
        {
            "group": names,
            "customers": reachable,
            "wanted": wanted,
            "explored": np.bincount(group[explored.customer], minlength=len(names)),
        }
    )
    return Plan(
        messages=table.sort_values(["customer_id", "slot"]).reset_index(drop=True),
        prices=_price_table(problem, found, prices, np.sort(given["slot"].unique())),
        floors=floors,
        expected_margin=float(table["expected_margin"].sum()),
        bound=bound,
    )


def plan_problem(
    problem: Problem, *, explored: Messages, exact: bool = False, seed: int = 360
) -> tuple[Messages, np.ndarray, float]:
    """Choose messages beside explored ones, whose customers get nothing else.

    Parameters
    ----------
    problem : Problem
    explored : Messages
        They are sent and take their share of the limits.
    exact : bool
    seed : int

    Returns
    -------
    messages : Messages
        The explored ones first.
    prices : array of float, in the order of `Problem.caps`
    bound : float, currency
    """
    room = problem.caps() - problem.usage(explored)
    room = np.maximum(room, 0)
    state = problem.state.copy()
    state[explored.customer] = 0
    rest = replace(problem, state=state)
    sure = float(problem.margins(explored).sum())
    priced = solve_by_prices(rest, room=room, seed=seed)
    messages, bound = priced.messages, priced.bound
    if exact:
        messages, bound = solve_exactly(rest, room=room)
    return explored.join(messages), priced.prices, sure + bound


def _checked(given: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise ValueError(f"candidates lack {', '.join(missing)}")
    key = ["customer_id", "slot", *(name for name in _OPTION if name in given)]
    if not np.isfinite(given[["cost", "expected_margin"]].to_numpy(dtype=float)).all():
        raise ValueError("every candidate needs a cost and an expected margin")
    if given.duplicated(key).any():
        raise ValueError(f"a candidate stands twice: {', '.join(key)} must be a key")
    if (given.groupby("slot")["day"].nunique() > 1).any():
        raise ValueError("a slot is one sending day: give each day a slot of its own")
    return given.sort_values(key, ignore_index=True)


def _problem(
    given: pd.DataFrame,
    persons: np.ndarray,
    *,
    limits: Limits,
    rules: Sequence[ContactRule],
    contacts: Any | None,
) -> tuple[Problem, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The candidates as arrays, and where each row stands in them."""
    names = [name for name in _OPTION if name in given]
    options = given[names].drop_duplicates().sort_values(names, ignore_index=True)
    option = options.assign(number=range(len(options))).merge(given[names], how="right", on=names)
    slots = given.drop_duplicates("slot").sort_values("slot")
    place = (
        option["number"].to_numpy(dtype=np.int64),
        np.searchsorted(slots["slot"].to_numpy(), given["slot"].to_numpy()),
        np.searchsorted(persons, given["customer_id"].to_numpy()),
    )
    shape = (len(options), len(slots), len(persons))
    margin = np.full(shape, -np.inf, dtype=np.float32)
    by_option = given.groupby(place[0])["cost"]
    # Most often a message costs the same for everybody: then one number an option will do.
    if (by_option.nunique() <= 1).all():
        cost = by_option.first().to_numpy(dtype=np.float32)[:, None, None]
    else:
        cost = np.zeros(shape, dtype=np.float32)
        cost[place] = given["cost"].to_numpy(dtype=np.float32)
    margin[place] = given["expected_margin"].to_numpy(dtype=np.float32)
    # Limits on what nobody can be sent limit nothing, and are told all the same.
    channels = sorted({*options["channel"], *limits.channel_capacity})
    goals = sorted({*options["goal"], *limits.goal_budgets})
    days = pd.to_datetime(slots["day"])
    since = ((days - days.min()).dt.days).to_list() if len(days) else []
    patterns = make_patterns(slot_days=since, channels=channels, rules=rules)
    state, admissible = _states(persons, slots, patterns, contacts=contacts, rules=rules)
    problem = Problem(
        margin=margin,
        cost=cost,
        goal=np.searchsorted(goals, options["goal"].to_numpy(dtype=object)),
        channel=np.searchsorted(channels, options["channel"].to_numpy(dtype=object)),
        goals=tuple(goals),
        channels=tuple(channels),
        patterns=patterns,
        state=state,
        admissible=admissible,
        limits=limits,
    )
    return problem, place


def _states(persons, slots, patterns, *, contacts, rules) -> tuple[np.ndarray, np.ndarray]:
    """What past contacts leave open: customers with the same room share a state."""
    room = np.zeros((len(persons), len(slots), len(rules)), dtype=np.int64)
    room += np.array([rule.at_most for rule in rules], dtype=np.int64)
    if contacts is not None and len(rules):
        days = pd.DataFrame({"customer_id": persons}).merge(slots[["day"]], how="cross")
        left = contact_room(days, contacts=contacts, rules=rules).to_pandas()
        # By customer and day, as the arrays are.
        columns = [f"room_{number}" for number in range(len(rules))]
        room = left.sort_values(["customer_id", "day"])[columns].to_numpy().reshape(room.shape)
    if room.size:
        flat = room.reshape(len(persons), -1)
        distinct, state = np.unique(flat, axis=0, return_inverse=True)
    else:
        distinct, state = room[:1], np.zeros(len(persons), dtype=np.int64)
    open_to = patterns.admissible(distinct.reshape(len(distinct), *room.shape[1:]))
    closed = np.arange(len(patterns.channel))[None, :] == 0
    return state.ravel() + 1, np.concatenate([closed, open_to])


def _floors(
    persons: np.ndarray, groups: Any | None, explored_share: Mapping[str, float]
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Groups, the group of each customer, how many to explore and how many there are."""
    if any(not 0 <= share <= 1 for share in explored_share.values()):
        raise ValueError("an explored share lies between 0 and 1")
    names = sorted(explored_share)
    group = np.full(len(persons), -1, dtype=np.int64)
    if groups is not None and names:
        told = as_arrow(groups).to_pandas()[["customer_id", "group"]]
        told = pd.DataFrame({"customer_id": persons}).merge(told, how="left", validate="1:1")
        group = pd.Index(names, dtype=object).get_indexer(pd.Index(told["group"]))
    elif names:
        raise ValueError("explored shares are by group: give the group of each customer")
    reachable = np.bincount(group[group >= 0], minlength=len(names))
    shares = np.array([explored_share[name] for name in names], dtype=float)
    # Rounding up must not make 10 % of 30 into four.
    wanted = np.ceil(shares * reachable - 1e-9).astype(np.int64)
    return names, group, wanted, reachable


def _price_table(
    problem: Problem, found: Messages, prices: np.ndarray, slots: np.ndarray
) -> pd.DataFrame:
    n_slots, n_goals, n_channels = problem.n_slots, len(problem.goals), len(problem.channels)
    table = pd.DataFrame(
        {
            "kind": ["budget"] + ["goal"] * n_goals + ["channel"] * (n_channels * n_slots),
            "name": ["total", *problem.goals, *np.repeat(problem.channels, n_slots)],
            "slot": pd.array([pd.NA] * (1 + n_goals) + [*slots] * n_channels, dtype="Int64"),
            "at_most": problem.caps(),
            "used": problem.usage(found),
            "price": prices,
        }
    )
    return table[np.isfinite(table["at_most"])].reset_index(drop=True)
