"""BG/NBD fit and 12-month discounted value of a million customers, against lifetimes row by row.

`.venv/bin/python benchmarks/btyd.py [customers]` writes benchmarks/results/btyd.json. The
value is the one of `lifetimes`: expected purchases month by month, discounted, for every row.
Both are timed in turn on the same machine; processor seconds tell what a busy one adds.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from customer360.models.btyd import discounted_purchases, expected_purchases, fit_btyd

ROOT = Path(__file__).resolve().parents[1]
MONTH_DAYS = 365.25 / 12
RATE = 0.1
# Two models, not two speeds of one: the holdout chooses. Keys without prefix are of weeks.
GRAINS = {"weeks": 7, "days": 1}


def customers(number: int, *, grain_days: int, seed: int = 360) -> pd.DataFrame:
    """Histories in whole days or weeks of customers who joined in the first of two years."""
    rng = np.random.default_rng(seed)
    age = rng.integers(365, 730, number).astype(float)
    stays = np.minimum(rng.exponential(400, number), age)
    bought = rng.poisson(rng.gamma(0.7, 0.01, number) * stays).astype(float)
    recency = np.where(bought > 0, np.ceil(stays * rng.random(number) ** (1 / (bought + 1))), 0.0)
    age, recency = (np.ceil(days / grain_days) * grain_days for days in (age, recency))
    return pd.DataFrame({"frequency": bought, "recency_days": recency, "T_days": age})


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    results = {
        f"{name}_": compare(customers(number, grain_days=grain)) for name, grain in GRAINS.items()
    }
    flat = {
        (prefix if prefix != "weeks_" else "") + key: value
        for prefix, found in results.items()
        for key, value in found.items()
    }
    target = ROOT / "benchmarks" / "results" / "btyd.json"
    target.write_text(json.dumps(flat, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(flat, indent=2))


def compare(table: pd.DataFrame) -> dict[str, float]:
    """Both ways timed on the same histories, and how far their answers lie apart."""
    started, worked = time.perf_counter(), time.process_time()
    ours = fit_btyd(table, model="bg_nbd")
    value = discounted_purchases(ours, table, horizon_days=365.25, annual_discount_rate=RATE)
    own_seconds, own_work = time.perf_counter() - started, time.process_time() - worked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter

        x, recency, age = (
            table["frequency"],
            table["recency_days"] / ours.time_unit_days,
            table["T_days"] / ours.time_unit_days,
        )
        started, worked = time.perf_counter(), time.process_time()
        theirs = BetaGeoFitter().fit(x, recency, age)
        before, det = 0.0, 0.0
        for month in range(1, 13):
            ahead = month * MONTH_DAYS / ours.time_unit_days
            upto = theirs.conditional_expected_number_of_purchases_up_to_time(
                ahead, x, recency, age
            )
            det = det + (upto - before) / (1 + RATE) ** ((month - 0.5) / 12)
            before = upto
        their_seconds, their_work = time.perf_counter() - started, time.process_time() - worked
    difference = max(
        abs(ours.params[name] / theirs.params_[name] - 1) for name in ("r", "alpha", "a", "b")
    )
    year = expected_purchases(ours, table, horizon_days=365.25)
    return {
        "customers": len(table),
        "histories": ours.n_histories,
        "seconds": round(own_seconds, 2),
        "lifetimes_seconds": round(their_seconds, 2),
        "processor_seconds": round(own_work, 2),
        "lifetimes_processor_seconds": round(their_work, 2),
        "speedup_over_lifetimes": round(their_seconds / own_seconds, 1),
        "processor_speedup_over_lifetimes": round(their_work / own_work, 1),
        "max_relative_difference": float(f"{difference:.2e}"),
        "value_total_relative_difference": float(f"{abs(value.sum() / det.sum() - 1):.2e}"),
        "purchases_expected": round(float(year.sum())),
    }


if __name__ == "__main__":
    main()
