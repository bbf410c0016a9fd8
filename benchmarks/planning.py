"""Plan a million customers × 12 offers × 5 channels × 4 weeks by the prices of the limits.

`.venv/bin/python benchmarks/planning.py [customers]` writes benchmarks/results/planning.json
for a million customers; for any other number it prints only. The candidates are drawn as
arrays, as score tables give them; drawing is not timed, its memory is counted. The first
2,000 customers are also planned exactly, one week of three channels, to tell the gap.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from customer360.planning.exact import solve_exactly
from customer360.planning.explore import explore_at_random
from customer360.planning.plan import plan_problem
from customer360.planning.pressure import ContactRule, make_patterns
from customer360.planning.prices import solve_by_prices
from customer360.planning.problem import Limits, Problem

ROOT = Path(__file__).resolve().parents[1]
CHANNELS = ("email", "sms", "phone", "post", "web")
COST = np.array([0.02, 0.08, 4.0, 1.1, 0.005], dtype=np.float32)
FORCE = np.array([1.0, 1.3, 3.0, 1.8, 0.6], dtype=np.float32)
GOALS = ("conversion", "cross_sell", "retention")
RULES = (ContactRule(3, 28), ContactRule(1, 7), ContactRule(1, 28, "phone"))


def draw(number: int, *, offers: int, slots: int, n_channels: int, seed: int = 360) -> Problem:
    """Customers of skewed worth and own tastes; a quarter of the messages may not be sent."""
    rng = np.random.default_rng(seed)
    channel = np.repeat(np.arange(n_channels), offers)
    offer = np.tile(np.arange(offers), n_channels)
    worth = rng.gamma(0.8, 2.5, number).astype(np.float32)
    margin = np.empty((len(channel), slots, number), dtype=np.float32)
    for option, c in enumerate(channel):
        taste = rng.standard_normal(number, dtype=np.float32) * np.float32(0.5) + np.float32(0.1)
        gain = worth * taste * FORCE[c] - COST[c]
        gain[rng.random(number, dtype=np.float32) < 0.25] = -np.inf
        # Worth less the longer one waits.
        for slot in range(slots):
            margin[option, slot] = gain * np.float32(1 - 0.03 * slot)
    patterns = make_patterns(
        slot_days=range(0, 7 * slots, 7), channels=CHANNELS[:n_channels], rules=RULES
    )
    # One customer in three was contacted lately: less room in the first weeks.
    room = np.repeat(np.array([[rule.at_most for rule in RULES]])[None], slots, axis=1)
    lately = room.copy()
    lately[:, 0, 1] = 0
    lately[:, :, 0] = 2
    open_to = patterns.admissible(np.concatenate([room, lately]))
    silence = np.arange(len(patterns.channel))[None, :] == 0
    capacity = {"phone": number // 200, "post": number // 50, "sms": number // 10}
    return Problem(
        margin=margin,
        cost=COST[channel][:, None, None],
        goal=offer % len(GOALS),
        channel=channel,
        goals=GOALS,
        channels=CHANNELS[:n_channels],
        patterns=patterns,
        state=np.where(rng.random(number) < 1 / 3, 2, 1),
        admissible=np.concatenate([silence, open_to]),
        limits=Limits(
            budget=0.12 * number,
            goal_budgets={"conversion": 0.05 * number, "cross_sell": 0.04 * number},
            channel_capacity={c: v for c, v in capacity.items() if c in CHANNELS[:n_channels]},
        ),
    )


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    problem = draw(number, offers=12, slots=4, n_channels=5)
    started, worked = time.perf_counter(), time.process_time()
    explored = explore_at_random(
        problem, group=np.arange(number) % 4, at_least=np.full(4, number // 200), seed=360
    )
    messages, _, bound = plan_problem(problem, explored=explored)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    earned = problem.margins(messages).sum()
    over = problem.usage(messages) > problem.caps() + 1e-3
    small = draw(2_000, offers=6, slots=1, n_channels=3)
    fast = small.margins(solve_by_prices(small).messages).sum()
    best = small.margins(solve_exactly(small)[0]).sum()
    name = "1m" if number == 1_000_000 else str(number)
    results = {
        "customers": number,
        "candidates": int(problem.margin.size),
        f"seconds_{name}": round(seconds, 1),
        f"processor_seconds_{name}": round(work, 1),
        f"peak_mb_{name}": round(peak_mb),
        "messages": len(messages),
        "limits_broken": int(over.sum()),
        "gap_to_bound": float(f"{1 - earned / bound:.2e}"),
        "gap_to_exact_2000": float(f"{1 - fast / best:.2e}"),
    }
    told = json.dumps(results, indent=2)
    if number == 1_000_000:
        target = ROOT / "benchmarks" / "results" / "planning.json"
        target.write_text(told + "\n", encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
