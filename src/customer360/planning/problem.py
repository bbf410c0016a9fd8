"""The planning problem as arrays: what each message would earn, and the limits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from customer360.planning.pressure import Patterns

__all__ = ["Limits", "Messages", "Problem"]


@dataclass(frozen=True)
class Limits:
    """What the plan may use. What is not named is not limited.

    Parameters
    ----------
    budget : float, currency, optional
        Cost of all messages.
    goal_budgets : dict of str to float, currency
        Cost of the messages of a goal.
    channel_capacity : dict of str to int, messages a slot
        Messages a channel can send on each sending day.
    """

    budget: float | None = None
    goal_budgets: dict[str, float] = field(default_factory=dict)
    channel_capacity: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Messages:
    """Messages chosen, as parallel arrays: option, slot and customer numbers."""

    option: np.ndarray
    slot: np.ndarray
    customer: np.ndarray

    def __len__(self) -> int:
        return len(self.option)

    def take(self, rows: np.ndarray) -> Messages:
        """Some of them, in the order asked."""
        return Messages(self.option[rows], self.slot[rows], self.customer[rows])

    def join(self, other: Messages) -> Messages:
        """These and others."""
        pairs = zip(self.columns, other.columns, strict=True)
        return Messages(*(np.concatenate(pair) for pair in pairs))

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.option, self.slot, self.customer


NO_MESSAGES = Messages(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


@dataclass(frozen=True)
class Problem:
    """At most one message per customer and slot, by number.

    Parameters
    ----------
    margin : array of float32, (options, slots, customers), currency
        Expected incremental margin of a message, its cost deducted; -inf where it must not
        be sent. Customers stand last, so that a step over options runs over whole rows.
    cost : array of float32, (options, slots, customers) or (options, 1, 1), currency
        What the message takes from the budgets.
    goal, channel : array of int, (options,)
        Numbers of the goal and the channel of each option.
    goals, channels : tuple of str
    patterns : Patterns
        Ways to fill one customer's slots under the contact rules.
    state : array of int, (customers,)
        Row of `admissible` that holds for the customer.
    admissible : array of bool, (states, patterns)
        Patterns that past contacts leave open. The first row is of customers who get nothing.
    limits : Limits
    """

    margin: np.ndarray
    cost: np.ndarray
    goal: np.ndarray
    channel: np.ndarray
    goals: tuple[str, ...]
    channels: tuple[str, ...]
    patterns: Patterns
    state: np.ndarray
    admissible: np.ndarray
    limits: Limits

    def __post_init__(self) -> None:
        unknown = (set(self.limits.goal_budgets) - set(self.goals)) | (
            set(self.limits.channel_capacity) - set(self.channels)
        )
        if unknown:
            raise ValueError(f"limits name what no message has: {', '.join(sorted(unknown))}")
        values = [*self.limits.goal_budgets.values(), *self.limits.channel_capacity.values()]
        if any(v < 0 for v in [*values, self.limits.budget or 0]):
            raise ValueError("a limit cannot be negative")
        if self.cost.size and not self.cost.min() >= 0:
            raise ValueError("the cost of a message must be known and not negative")

    @property
    def n_slots(self) -> int:
        return self.margin.shape[1]

    @property
    def n_customers(self) -> int:
        return self.margin.shape[2]

    def caps(self) -> np.ndarray:
        """Every limit in one row: budget, then goals, then channel by slot; inf for none."""
        limits = self.limits
        budget = np.inf if limits.budget is None else limits.budget
        goals = [limits.goal_budgets.get(g, np.inf) for g in self.goals]
        capacity = [limits.channel_capacity.get(c, np.inf) for c in self.channels]
        return np.array([budget, *goals, *np.repeat(capacity, self.n_slots)], dtype=float)

    def split(self, per_limit: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Such a row as: of the budget, of the goals, of (channels, slots)."""
        n_goals = len(self.goals)
        by_slot = per_limit[1 + n_goals :].reshape(len(self.channels), self.n_slots)
        return float(per_limit[0]), per_limit[1 : 1 + n_goals], by_slot

    def margins(self, messages: Messages) -> np.ndarray:
        """Expected incremental margin of each message, currency."""
        return self.margin[messages.columns].astype(float)

    def costs(self, messages: Messages) -> np.ndarray:
        """Cost of each message, currency."""
        return np.broadcast_to(self.cost, self.margin.shape)[messages.columns].astype(float)

    def usage(self, messages: Messages) -> np.ndarray:
        """What the messages take of each limit, in the order of `caps`."""
        cost = self.costs(messages)
        goals = np.bincount(self.goal[messages.option], weights=cost, minlength=len(self.goals))
        place = self.channel[messages.option] * self.n_slots + messages.slot
        sent = np.bincount(place, minlength=len(self.channels) * self.n_slots)
        return np.concatenate([[cost.sum()], goals, sent]).astype(float)

    def admit(self, messages: Messages, *, room: np.ndarray) -> np.ndarray:
        """Which messages fit, when they come one after the other in the order given.

        One that does not fit is counted against those behind it all the same.
        """
        budget, goals, places = self.split(room + 1e-6)
        cost = self.costs(messages)
        fits = np.cumsum(cost) <= budget
        goal = self.goal[messages.option]
        fits &= _running(cost, by=goal) <= goals[goal]
        channel = self.channel[messages.option]
        place = channel * self.n_slots + messages.slot
        return fits & (_running(np.ones(len(cost)), by=place) <= places[channel, messages.slot])


def _running(values: np.ndarray, *, by: np.ndarray) -> np.ndarray:
    """Running total within each group, in the order given."""
    order = np.argsort(by, kind="stable")
    total = np.cumsum(values[order])
    starts = np.flatnonzero(np.diff(by[order], prepend=-1))
    before = total[starts] - values[order][starts]
    found = np.empty(len(values))
    found[order] = total - np.repeat(before, np.diff(np.append(starts, len(values))))
    return found
