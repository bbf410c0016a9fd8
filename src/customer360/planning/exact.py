"""The best plan there is, for few customers: an integer programme solved by HiGHS."""

from __future__ import annotations

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_matrix

from customer360.planning.problem import Messages, Problem

__all__ = ["solve_exactly"]


def solve_exactly(
    problem: Problem, *, room: np.ndarray | None = None, gap: float = 1e-4, seconds: float = 120.0
) -> tuple[Messages, float]:
    """Choose messages by branch and bound (HiGHS).

    One binary per message that earns something, and one per customer and pattern that the
    contact rules allow: a customer has one pattern at most, and messages in its places only.

    Parameters
    ----------
    problem : Problem
    room : array of float, optional
        What is left of each limit, in the order of `Problem.caps`.
    gap : float
        Stop when the plan is known to be within this share of the best.
    seconds : float
        Stop after so long.

    Returns
    -------
    messages : Messages
    bound : float, currency
        What no plan exceeds.

    Raises
    ------
    ValueError
        If no plan was found in the time given.
    """
    room = problem.caps() if room is None else room
    messages = Messages(*np.nonzero(problem.margin > 0))
    if not len(messages):
        return messages, 0.0
    patterns, n_places = problem.patterns, problem.patterns.taken.shape[1]
    # A customer's pattern opens the places that its messages need.
    may = problem.admissible[problem.state]
    has = np.unique(messages.customer)
    person, pattern = np.nonzero(may[has, 1:])
    person, pattern = has[person], pattern + 1
    n, m = len(messages), len(person)
    place = problem.channel[messages.option] * problem.n_slots + messages.slot
    opened, of_place = np.nonzero(patterns.taken[pattern] > 0)
    rows = np.concatenate(
        [messages.customer * n_places + place, person[opened] * n_places + of_place]
    )
    _, rows = np.unique(rows, return_inverse=True)
    columns = np.concatenate([np.arange(n), n + opened])
    signs = np.concatenate([np.ones(n), -np.ones(len(opened))])
    size = n + m
    places = coo_matrix((signs, (rows, columns)), shape=(rows.max() + 1, size)).tocsr()
    one_each = coo_matrix((np.ones(m), (person, n + np.arange(m))),
                          shape=(problem.n_customers, size)).tocsr()  # fmt: skip
    constraints = [LinearConstraint(places, ub=0), LinearConstraint(one_each, ub=1)]
    limited = np.isfinite(room)
    if limited.any():
        used = _usage_rows(problem, messages, size)[limited]
        constraints.append(LinearConstraint(used, ub=room[limited]))
    found = milp(
        -np.concatenate([problem.margins(messages), np.zeros(m)]),
        integrality=np.ones(size),
        bounds=(0, 1),
        constraints=constraints,
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )
    if found.x is None:
        raise ValueError(f"no plan found in {seconds:g} seconds: use the prices of the limits")
    return messages.take(np.flatnonzero(found.x[:n] > 0.5)), -float(found.mip_dual_bound)


def _usage_rows(problem: Problem, messages: Messages, size: int):
    """What each message takes of each limit, in the order of `Problem.caps`."""
    cost, numbers = problem.costs(messages), np.arange(len(messages))
    place = problem.channel[messages.option] * problem.n_slots + messages.slot
    rows = np.concatenate([
        np.zeros(len(messages), dtype=np.int64),
        1 + problem.goal[messages.option],
        1 + len(problem.goals) + place,
    ])  # fmt: skip
    values = np.concatenate([cost, cost, np.ones(len(messages))])
    shape = (len(problem.caps()), size)
    return coo_matrix((values, (rows, np.tile(numbers, 3))), shape=shape).tocsr()
