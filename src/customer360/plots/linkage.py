"""Figures of 02: which records are one person."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import counted, horizontal, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, thousands, use_style

__all__ = [
    "evidence_waterfall",
    "match_weights",
    "recall_by_difficulty",
    "records_per_customer",
    "use_style",
]


def match_weights(pairs: pd.DataFrame, *, threshold: float) -> Axes:
    """Pairs of records by their evidence; the line is where a link starts.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Contract `link_pairs`.
    threshold : float
        Probability asked of a link.
    """
    ax = new_axes()
    weight = pairs["match_weight"].clip(-20, 60)
    linked = pairs["match_probability"] >= threshold
    bins = np.arange(np.floor(weight.min()), np.ceil(weight.max()) + 2, 2.0).tolist()
    ax.hist(
        [weight[linked], weight[~linked]],
        bins=bins,
        stacked=True,
        color=[PALETTE[0], MUTED],
        label=["one person", "not enough evidence"],
    )
    ax.set(
        xlabel="evidence for one person (bits)",
        ylabel="pairs",
        title="How sure each link is",
    )
    ax.legend()
    return thousands(ax)


def evidence_waterfall(steps: pd.DataFrame, *, title: str) -> Axes:
    """What each comparison adds to or takes from the evidence for one pair.

    Parameters
    ----------
    steps : pandas.DataFrame
        From `linkage.waterfall`: column, level (texts), match_weight (bits), in order.
    """
    data = steps.iloc[::-1]
    labels = [
        textwrap.shorten(f"{c}: {v}" if v else c, 48)
        for c, v in zip(data["column"], data["level"], strict=True)
    ]
    ax = new_axes(height=0.36 * len(data) + 1.2)
    colours = [PALETTE[2] if w >= 0 else PALETTE[3] for w in data["match_weight"]]
    bars = ax.barh(range(len(data)), data["match_weight"], color=colours)
    ax.set_yticks(range(len(data)), labels)
    ax.bar_label(bars, fmt="{:+.1f}", padding=4)
    ax.margins(x=0.15)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set(xlabel="bits of evidence", title=title)
    return horizontal(ax)


def records_per_customer(counts: pd.DataFrame) -> Axes:
    """How many customers stand behind one, two, three... records.

    Parameters
    ----------
    counts : pandas.DataFrame
        Columns records, customers.
    """
    data = counts.assign(records=counts["records"].clip(upper=8)).groupby("records").sum()
    ax = new_axes()
    labels = [f"{r}+" if r == 8 else str(r) for r in data.index]
    ax.bar_label(ax.bar(labels, data["customers"], color=PALETTE[0]), fmt=counted, padding=3)
    ax.set(
        xlabel="records of one person",
        ylabel="customers",
        title="Records behind each customer",
    )
    return thousands(ax)


def recall_by_difficulty(table: pd.DataFrame) -> Axes:
    """Share of the true pairs that is found, by what makes them hard.

    Parameters
    ----------
    table : pandas.DataFrame
        From `linkage.difficulties.recall_by_difficulty`.
    """
    data = table.dropna(subset="recall").sort_values("recall", ascending=False)
    ax = new_axes(height=0.42 * len(data) + 1.2)
    bars = ax.barh(data["kind"], 100 * data["recall"], color=PALETTE[0])
    ax.bar_label(
        bars,
        [f"{r:.0%} of {counted(n)}" for r, n in zip(data["recall"], data["pairs"], strict=True)],
        padding=4,
    )
    ax.set(xlabel="true pairs found (%)", xlim=(0, 125), title="What is hard to recognise")
    ax.set_xticks(range(0, 101, 20))
    return horizontal(ax)
