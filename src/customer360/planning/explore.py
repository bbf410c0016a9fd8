"""Send a few messages at random, so that the next plan knows more than this one."""

from __future__ import annotations

import numpy as np

from customer360.planning.problem import NO_MESSAGES, Messages, Problem

__all__ = ["explore_at_random"]


def explore_at_random(
    problem: Problem, *, group: np.ndarray, at_least: np.ndarray, seed: int
) -> Messages:
    """Draw customers of each group, and for each one of the messages it may get.

    Parameters
    ----------
    problem : Problem
    group : array of int, (customers,)
        Number of the group; -1 for none.
    at_least : array of int, (groups,)
        Customers to draw of each.
    seed : int

    Returns
    -------
    Messages
        One per customer drawn. Fewer than asked only where no message to anybody else of
        the group fits in the limits any more.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(problem.n_customers)
    alone = problem.patterns.extended[0]
    waiting = np.zeros(problem.n_customers, dtype=bool)
    wanted = at_least.astype(np.int64).copy()
    waiting[group >= 0] = wanted[group[group >= 0]] > 0
    found = NO_MESSAGES
    while True:
        left = problem.caps() - problem.usage(found)
        # Of each group, as many as are still wanted, in the order of the shuffle.
        queue = shuffled[waiting[shuffled]]
        queue = queue[_rank_in_group(group[queue]) < wanted[group[queue]]]
        if not len(queue):
            return found
        option, slot = _random_option(problem, queue, left, alone, rng)
        nothing = queue[option < 0]
        waiting[nothing] = False
        drawn = Messages(option, slot, queue).take(np.flatnonzero(option >= 0))
        drawn = drawn.take(np.flatnonzero(problem.admit(drawn, room=left)))
        waiting[drawn.customer] = False
        wanted -= np.bincount(group[drawn.customer], minlength=len(wanted))
        found = found.join(drawn)


def _rank_in_group(group: np.ndarray) -> np.ndarray:
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-2))
    lengths = np.diff(np.append(starts, len(group)))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(starts, lengths)
    return rank


def _random_option(
    problem: Problem,
    customers: np.ndarray,
    left: np.ndarray,
    alone: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """One option and slot per customer among those that may be sent and fit; -1 for none."""
    budget, goals, places = problem.split(left + 1e-6)
    cost = problem.cost if problem.cost.shape[2] == 1 else problem.cost[:, :, customers]
    may = np.isfinite(problem.margin[:, :, customers])
    may &= cost <= np.minimum(budget, goals[problem.goal])[:, None, None]
    may &= (places[problem.channel] >= 1)[:, :, None]
    pattern = alone.reshape(len(problem.channels), problem.n_slots)[problem.channel]
    may &= (pattern >= 0)[:, :, None]
    may &= problem.admissible[problem.state[customers][None, None, :], pattern[:, :, None]]
    lots = np.where(may, rng.random(may.shape), -1.0).reshape(-1, len(customers))
    picked = lots.argmax(axis=0)
    option, slot = np.divmod(picked, problem.n_slots)
    return np.where(lots.max(axis=0) >= 0, option, -1), slot
