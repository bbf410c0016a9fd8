"""How often intervals of incremental margin hold the truth, by way of making them.

`.venv/bin/python benchmarks/intervals.py` after `make pipeline` on the demo (half a minute).
Campaigns of several sizes and shares held out are drawn from the demo's people and their
true effects. Compared are the interval of `measure_effect`, Welch's, and Welch's with
Hall's correction for skewness (Hall 1992). Prints a table.
"""

from __future__ import annotations

from contextlib import closing
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from customer360 import measurement_evaluation as judge
from customer360.measurement.effects import Effect, measure_effect
from customer360.storage import Store


def welch(
    outcome: ArrayLike, treated: ArrayLike, *, before: ArrayLike | None = None, hall: bool = False
) -> Effect:
    """Each arm's own variance and, where there is a covariate, own slope."""
    y, arm = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=bool)
    x = np.empty((len(y), 0)) if before is None else np.asarray(before).reshape(len(y), -1)
    mean, variance, third = {}, {}, {}
    for side in (False, True):
        rows = arm == side
        design = np.column_stack([np.ones(rows.sum()), x[rows] - x.mean(axis=0)])
        fit = np.linalg.lstsq(design, y[rows], rcond=None)[0]
        rest = y[rows] - design @ fit
        mean[side], n = fit[0], rows.sum()
        variance[side] = rest @ rest / (n - design.shape[1]) / n
        third[side] = (rest**3).mean() / n**2
    effect, error = mean[True] - mean[False], np.sqrt(variance[True] + variance[False])
    skewness, z = (third[True] - third[False]) / error**3, norm.ppf(0.975)

    def quantile(point: float) -> float:
        if not hall or abs(skewness) < 1e-9:
            return point
        return 3 / skewness * (np.cbrt(1 + skewness * (point - skewness / 6)) - 1)

    low, high = effect - error * quantile(z), effect - error * quantile(-z)
    return Effect(effect, low, high, error, np.nan, int(arm.sum()), int((~arm).sum()), np.nan)


def main() -> None:
    with closing(Store.open()) as store:
        customers = judge.judged_customers(
            orders=store.read("staged.orders"),
            people_links=store.read("truth.people_links"),
            traits=store.read("truth.traits"),
            uplift=store.read("truth.uplift"),
        )
    ways = {
        "common variance": measure_effect,
        "Welch": welch,
        "Welch, Hall": lambda *arms, **known: welch(*arms, **known, hall=True),
    }
    rows = []
    for sizes in ((500, 2_000), (1_000, 4_000)):
        for share in (0.12, 0.2):
            for name, way in ways.items():
                with patch.object(judge, "measure_effect", way):
                    found = judge.interval_coverage(
                        customers, campaigns=2_000, customers_each=sizes, control_share=share
                    )
                rows.append(
                    {
                        "customers": f"{sizes[0]} to {sizes[1]}",
                        "held out": share,
                        "interval": name,
                        "holds the truth": found["covered"].mean(),
                        "with the past": found["sharp_covered"].mean(),
                        "width": (found["sharp_high"] - found["sharp_low"]).mean(),
                    }
                )
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
