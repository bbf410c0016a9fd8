"""Seven rules of attribution, timed beside Markov removal written out in plain Python.

`.venv/bin/python benchmarks/attribution.py [--paths 10000] [--channels 12]` (some seconds).
No library among the dependencies attributes orders to channels, so the peer stands below: the
chain as a dictionary of counts, chances found by going over it until they stand still. Both
answer the same question on the same made-up paths in the same run. Prints a table.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd

from customer360.measurement.attribution import RULES, credit_channels, removal_effects

START, ORDER = "(start)", "(order)"


def made_up_paths(
    *, paths: int, channels: int, seed: int = 360
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Paths of 1 to 11 touches over two weeks; three in ten end with an order."""
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 12, paths)
    path = np.repeat(np.arange(paths), length)
    names = np.array([f"channel {number:02d}" for number in range(channels)])
    touches = pd.DataFrame(
        {
            "path": path,
            "channel": rng.choice(names, len(path)),
            "days_before": rng.random(len(path)) * 14,
        }
    )
    revenue = np.where(rng.random(paths) < 0.3, (rng.random(paths) * 100).round(2), 0.0)
    outcomes = pd.DataFrame(
        {"path": np.arange(paths), "converted": (revenue > 0) * 1, "revenue": revenue}
    )
    return touches, outcomes


def plain_removals(touches: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series:
    """Share of orders lost without each channel (Anderl et al. 2016), touch by touch."""
    bought = dict(zip(outcomes["path"], outcomes["converted"], strict=True))
    walks = defaultdict(list)
    for path, _, channel in sorted(
        zip(touches["path"], -touches["days_before"], touches["channel"], strict=True)
    ):
        walks[path].append(channel)
    steps: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path, walk in walks.items():
        stops = [START, *walk, ORDER if bought[path] else "(nothing)"]
        for here, there in pairwise(stops):
            steps[here][there] += 1

    def chance_of_an_order(removed: str | None) -> float:
        chance = dict.fromkeys(steps, 0.0) | {ORDER: 1.0}
        moved = 1.0
        while moved > 1e-12:
            moved = 0.0
            for here, there in steps.items():
                if here != removed:
                    weighed = sum(chance.get(stop, 0.0) * n for stop, n in there.items())
                    new = weighed / sum(there.values())
                    moved, chance[here] = max(moved, abs(new - chance[here])), new
        return chance[START]

    whole = chance_of_an_order(None)
    channels = sorted(set(touches["channel"]))
    return pd.Series({name: 1 - chance_of_an_order(name) / whole for name in channels})


def seconds_of(function: Callable[..., object], *tables: pd.DataFrame, times: int = 3) -> float:
    """Seconds of the quickest of some runs: a busy machine only ever adds."""

    def once() -> float:
        began = time.perf_counter()
        function(*tables)
        return time.perf_counter() - began

    return min(once() for _ in range(times))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--paths", type=int, default=10_000)
    options.add_argument("--channels", type=int, default=12)
    asked = options.parse_args()
    tables = made_up_paths(paths=asked.paths, channels=asked.channels)
    ways = {
        f"our {len(RULES)} rules, Markov among them": credit_channels,
        "our Markov removal alone": removal_effects,
        "plain Python, Markov removal alone": plain_removals,
    }
    rows = [{"way": name, "seconds": seconds_of(way, *tables)} for name, way in ways.items()]
    apart = (removal_effects(*tables) - plain_removals(*tables)).abs().max()
    print(f"{asked.paths:,} paths, {len(tables[0]):,} touches, {asked.channels} channels")
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    print(f"Removal effects lie at most {apart:.0e} apart.")


if __name__ == "__main__":
    main()
