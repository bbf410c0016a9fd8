"""Figures of RFMCCA: letters, what goes together, and moves between segments."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, heat_map, horizontal, new_axes
from customer360.plots.style import MUTED, PALETTE, percent

__all__ = ["affinity_map", "letter_weights", "segment_flow"]

MOST_SHOWN = 12


def affinity_map(pairs: pd.DataFrame) -> Axes:
    """Which categories go together in the orders of everybody.

    Parameters
    ----------
    pairs : pandas.DataFrame
        From `crowd_affinities`: category, other, orders, lift. The largest are shown.
    """
    size = pairs.groupby("category")["orders"].sum().sort_values(ascending=False, kind="stable")
    shown = sorted(size.index[:MOST_SHOWN])
    data = pairs.pivot(index="category", columns="other", values="lift")
    data = data.reindex(index=shown, columns=shown)
    numbers: dict[str, Any] = {"annot": True, "fmt": ".1f", "annot_kws": {"fontsize": 8}}
    ax = heat_map(data, height=0.4 * len(shown) + 2.2, turn=40, center=1.0, **numbers)
    ax.set(title="What goes together (1: as chance would have it)")
    ax.tick_params(labelsize=9)
    return ax


def letter_weights(weights: dict[str, float]) -> Axes:
    """What each letter weighs in the score of potential."""
    data = pd.Series(weights).iloc[::-1]
    ax = new_axes(height=0.4 * len(data) + 1.2)
    names = [name.removesuffix("_score").replace("_", " ") for name in data.index]
    bars = ax.barh([{"r": "recency", "f": "frequency", "m": "monetary"}.get(n, n) for n in names],
                   data, color=PALETTE[0])  # fmt: skip
    ax.bar_label(bars, fmt=lambda v: f"{v:.0%}", padding=4)
    ax.margins(x=0.12)
    ax.set(title="What each letter tells of the margin to come")
    return percent(horizontal(ax), axis="x")


def segment_flow(moves: pd.DataFrame, *, names: list[str], before: str, after: str) -> Axes:
    """Customers flowing from the segments of one day to those of another.

    Parameters
    ----------
    moves : pandas.DataFrame
        From `segment_moves`.
    names : list of str
        Name of each segment.
    before, after : str
        The two days, as they are to be shown.
    """
    table = moves.pivot_table(
        index="from_segment", columns="to_segment", values="customers", fill_value=0
    ).sort_index()
    flows = table.to_numpy(dtype=float) / max(table.to_numpy().sum(), 1)
    gap = 0.02
    ax = new_axes(height=0.6 * len(names) + 2.0)
    left = _places(flows.sum(axis=1), gap)
    right = _places(flows.sum(axis=0), gap)
    paint = colours(len(names))
    from_at, to_at = left.copy(), right.copy()
    x = np.linspace(0, 1, 40)
    bend = x**2 * (3 - 2 * x)
    for i, source in enumerate(table.index):
        for j in range(table.shape[1]):
            width = flows[i, j]
            start, end = from_at[i], to_at[j]
            from_at[i], to_at[j] = start + width, end + width
            low = start + (end - start) * bend
            colour = MUTED if source < 0 else paint[int(source)]
            if width > 0:
                ax.fill_between(x, low, low + width, color=colour, alpha=0.45, linewidth=0)
    for side, at, sizes, labels in (
        (0.0, left, flows.sum(axis=1), table.index),
        (1.0, right, flows.sum(axis=0), table.columns),
    ):
        for place, size, label in zip(at, sizes, labels, strict=True):
            text = "not yet a customer" if label < 0 else f"{int(label)} · {names[int(label)]}"
            text = "\n".join(textwrap.wrap(f"{text} ({size:.0%})", 26))
            ax.text(
                side + (-0.02 if side == 0 else 0.02),
                place + size / 2,
                text,
                ha="right" if side == 0 else "left",
                va="center",
                fontsize=8,
            )
    ax.set(xlim=(-0.75, 1.75), title=f"Moves between segments, {before} to {after}")
    ax.invert_yaxis()
    ax.axis("off")
    return ax


def _places(sizes: np.ndarray, gap: float) -> np.ndarray:
    """Where each block begins, one after the other."""
    return np.r_[0.0, np.cumsum(sizes + gap)[:-1]]
