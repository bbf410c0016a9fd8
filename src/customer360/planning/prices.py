"""Plan any number of customers by the price of each limit.

With a price on every euro and every place in a channel, customers no longer compete: each
gets the messages whose margin exceeds their price (Lagrangian relaxation: Fisher 1981,
*Management Science* 27(1)). The prices are those at which the limits are just used, found
by cutting planes on a sample of customers; a repair pass then takes back what exceeds a
limit and gives away what is left. The total at these prices bounds what any plan can earn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from customer360.planning.problem import NO_MESSAGES, Messages, Problem

__all__ = ["Priced", "solve_by_prices"]

BLOCK = 16_384
# Below any margin, and finite: 0 times it is 0.
NEVER = np.float32(-1e9)


@dataclass(frozen=True)
class Priced:
    """A plan, the price of one more unit of each limit, and what no plan can exceed.

    Parameters
    ----------
    messages : Messages
    prices : array of float, in the order of `Problem.caps`
        Margin per euro of budget; margin per message of a channel's place.
    bound : float, currency
        Margin that no plan under the same limits exceeds, up to the rounding of float32.
    """

    messages: Messages
    prices: np.ndarray
    bound: float


def solve_by_prices(
    problem: Problem,
    *,
    room: np.ndarray | None = None,
    sample: int = 20_000,
    iterations: int = 150,
    tolerance: float = 1e-4,
    repairs: int = 25,
    seed: int = 360,
) -> Priced:
    """Choose messages by the prices of the limits.

    Parameters
    ----------
    problem : Problem
    room : array of float, optional
        What is left of each limit, in the order of `Problem.caps`; all of it by default.
    sample : int, customers
        Prices are sought on so many drawn at random, under limits in proportion.
    iterations : int
        At most so many steps towards the prices.
    tolerance : float
        They stop when the bound is known to this share of itself.
    repairs : int
        At most so many passes that give away what is left.
    seed : int

    Returns
    -------
    Priced
    """
    room = problem.caps() if room is None else room
    if not problem.n_customers:
        return Priced(NO_MESSAGES, np.zeros(len(room)), 0.0)
    drawn = problem
    if problem.n_customers > sample:
        rows = np.random.default_rng(seed).choice(problem.n_customers, sample, replace=False)
        drawn = _customers(problem, np.sort(rows))
    share = drawn.n_customers / problem.n_customers
    prices = _seek_prices(drawn, room * share, iterations=iterations, tolerance=tolerance)
    messages, value = _best_at(problem, prices)
    limited = np.isfinite(room)
    bound = value + float(prices[limited] @ room[limited])
    return Priced(_repair(problem, messages, prices, room, repairs), prices, bound)


def _customers(problem: Problem, rows: np.ndarray) -> Problem:
    """The same problem for some customers."""
    cost = problem.cost if problem.cost.shape[2] == 1 else problem.cost[:, :, rows]
    return replace(problem, margin=problem.margin[:, :, rows], cost=cost, state=problem.state[rows])


def _blocks(problem: Problem) -> Iterator[slice]:
    for start in range(0, problem.n_customers, BLOCK):
        yield slice(start, min(start + BLOCK, problem.n_customers))


def _charges(problem: Problem, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Price of a euro by option, and of a place by option and slot."""
    budget, goals, places = problem.split(prices.astype(np.float32))
    return budget + goals[problem.goal], places[problem.channel]


def _best_options(
    problem: Problem, rows: slice, prices: np.ndarray, room: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """For each channel, slot and customer of a block, the best option and what it leaves.

    With `room`, only options that fit in it and earn something count.
    """
    per_euro, per_place = _charges(problem, prices)
    shape = (len(problem.channels), problem.n_slots, rows.stop - rows.start)
    best = np.full(shape, NEVER, dtype=np.float32)
    which = np.full(shape, -1, dtype=np.int16)
    for option, channel in enumerate(problem.channel):
        margin = problem.margin[option, :, rows]
        cost = problem.cost[option]
        cost = cost if cost.shape[1] == 1 else cost[:, rows]
        priced = margin - (cost * np.float32(per_euro[option]) + per_place[option][:, None])
        better = priced > best[channel]
        if room is not None:
            budget, goals, places = problem.split(room + 1e-6)
            better &= (margin > 0) & (cost <= min(budget, goals[problem.goal[option]]))
            better &= (places[channel] >= 1)[:, None]
        np.copyto(best[channel], priced, where=better)
        np.copyto(which[channel], np.int16(option), where=better)
    return best, which


def _best_at(problem: Problem, prices: np.ndarray) -> tuple[Messages, float]:
    """What every customer gets at given prices, and what that leaves once they are paid."""
    patterns, n_places = problem.patterns, problem.patterns.taken.shape[1]
    closed = np.where(problem.admissible, np.float32(0), NEVER * np.float32(n_places + 1))
    one_state = len(closed) == 1
    found, value = [NO_MESSAGES], 0.0
    for rows in _blocks(problem):
        best, which = _best_options(problem, rows, prices)
        scores = best.reshape(n_places, -1).T @ patterns.taken.T
        scores += closed if one_state else closed[problem.state[rows]]
        pattern = scores.argmax(axis=1)
        value += float(np.take_along_axis(scores, pattern[:, None], axis=1).sum(dtype=float))
        channel = patterns.channel[pattern]
        customer, slot = np.nonzero(channel >= 0)
        option = which[channel[customer, slot], slot, customer].astype(np.int64)
        found.append(Messages(option, slot, customer + rows.start))
    return Messages(*map(np.concatenate, zip(*(f.columns for f in found), strict=True))), value


def _seek_prices(
    problem: Problem, room: np.ndarray, *, iterations: int, tolerance: float
) -> np.ndarray:
    """Prices at which the bound is lowest: cutting planes, damped (Wentges 1997)."""
    prices = np.zeros(len(room))
    active = np.flatnonzero(np.isfinite(room))
    if not len(active):
        return prices
    highest = max(float(problem.margin.max(initial=0)), 0.0)
    # A price that outdoes every margin: of a place, the best margin; of a euro, the best ratio.
    cheap = np.broadcast_to(problem.cost, problem.margin.shape)
    ratios = [
        float((m[c > 0] / c[c > 0]).max(initial=0))
        for m, c in zip(problem.margin, cheap, strict=True)
    ]
    is_money = active <= len(problem.goals)
    top = np.where(is_money, max(ratios, default=0.0), highest) * 1.01 + 1e-9
    # Each price in units of its top, so that the master problem is well scaled.
    cuts: list[np.ndarray] = []
    levels: list[float] = []
    scale = 1.0
    best_point, best_bound, point = np.zeros(len(active)), np.inf, np.zeros(len(active))
    for _ in range(iterations):
        prices[active] = point * top
        messages, value = _best_at(problem, prices)
        bound = value + float(prices[active] @ room[active])
        slope = (room[active] - problem.usage(messages)[active]) * top
        if bound < best_bound:
            best_point, best_bound = point, bound
        cuts.append(slope)
        levels.append(bound - float(slope @ point))
        # Free messages earn the most: all the rest is told as a share of that.
        scale = max(bound, 1e-9) if len(cuts) == 1 else scale
        # Lowest height above every cut; the bound of a plan is never below zero.
        master = linprog(
            np.append(np.zeros(len(active)), 1.0),
            A_ub=np.column_stack([np.array(cuts) / scale, -np.ones(len(cuts))]),
            b_ub=-np.array(levels) / scale,
            bounds=[(0, 1)] * len(active) + [(0, None)],
            method="highs",
        )
        near = max(tolerance * best_bound, 1e-7 * scale)
        if master.status != 0 or best_bound - master.fun * scale <= near:
            break
        target = np.asarray(master.x[:-1])
        # Half way from the best point so far: full steps swing from end to end.
        halfway = (best_point + target) / 2
        point = target if np.allclose(halfway, point, rtol=0, atol=1e-9) else halfway
    prices[active] = best_point * top
    return prices


def _repair(
    problem: Problem, messages: Messages, prices: np.ndarray, room: np.ndarray, passes: int
) -> Messages:
    """Take back what exceeds a limit, the least gainful first; then give away what is left."""
    order = _gain_order(problem, messages, prices)
    messages = messages.take(order)
    messages = messages.take(np.flatnonzero(problem.admit(messages, room=room)))
    earned = problem.margins(messages).sum()
    for _ in range(passes):
        left = room - problem.usage(messages)
        more = _one_more(problem, messages, prices, left)
        more = more.take(_gain_order(problem, more, prices))
        more = more.take(np.flatnonzero(problem.admit(more, room=left)))
        added = problem.margins(more).sum()
        messages, earned = messages.join(more), earned + added
        if added <= 1e-6 * earned:
            break
    return messages


def _gain_order(problem: Problem, messages: Messages, prices: np.ndarray) -> np.ndarray:
    per_euro, per_place = _charges(problem, prices)
    paid = problem.costs(messages) * per_euro[messages.option]
    gain = problem.margins(messages) - paid - per_place[messages.option, messages.slot]
    # Ties broken by number: the same plan on every machine.
    return np.lexsort((messages.slot, messages.customer, -gain))


def _one_more(
    problem: Problem, messages: Messages, prices: np.ndarray, left: np.ndarray
) -> Messages:
    """The best message each customer could still get beside those of the plan."""
    patterns = problem.patterns
    current = np.zeros((problem.n_customers, problem.n_slots), dtype=np.int64)
    current[messages.customer, messages.slot] = problem.channel[messages.option] + 1
    weight = (len(problem.channels) + 1) ** np.arange(problem.n_slots)[::-1]
    codes = (patterns.channel + 1) @ weight
    now = np.searchsorted(codes, current @ weight)
    found = [NO_MESSAGES]
    for rows in _blocks(problem):
        best, which = _best_options(problem, rows, prices, left)
        then = patterns.extended[now[rows]]
        may = (then >= 0) & problem.admissible[problem.state[rows][:, None], then]
        gain = np.where(may, best.reshape(then.shape[1], -1).T, NEVER)
        place = gain.argmax(axis=1)
        customer = np.flatnonzero(np.take_along_axis(gain, place[:, None], axis=1)[:, 0] > NEVER)
        channel, slot = np.divmod(place[customer], problem.n_slots)
        option = which[channel, slot, customer].astype(np.int64)
        found.append(Messages(option, slot, customer + rows.start))
    return Messages(*map(np.concatenate, zip(*(f.columns for f in found), strict=True)))
