"""Axes of the usual size, and small things that several figures share."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.style import PALETTE

__all__ = ["colours", "counted", "dated", "heat_map", "horizontal", "legend_below", "new_axes"]


def new_axes(*, height: float = 4.2) -> Axes:
    """Fresh axes as wide as a page; `height` in inches."""
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(7.6, max(2.2, height)))[1]


def heat_map(
    data: pd.DataFrame, *, height: float, cmap: str = "RdBu_r", turn: int = 0, **look: Any
) -> Axes:
    """Numbers on a grid; names of columns turned by `turn` degrees, `look` for seaborn."""
    # Here, not above: seaborn brings 1.3 s of statistics that few figures ask for.
    import seaborn as sns

    ax = new_axes(height=height)
    sns.heatmap(data, ax=ax, cmap=cmap, cbar=False, linewidths=1, linecolor="white", **look)
    ax.set(xlabel="", ylabel="")
    ax.grid(False)
    ax.tick_params(axis="y", rotation=0)
    if turn:
        # The end of a name, not its middle, stands under its column.
        for name in ax.get_xticklabels():
            name.set(rotation=turn, horizontalalignment="right", rotation_mode="anchor")
    return ax


def horizontal(ax: Axes) -> Axes:
    """Grid lines for bars that lie."""
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    return ax


def legend_below(ax: Axes) -> Axes:
    """Legend under the figure, where it hides nothing, in lines of four at most and alike."""
    handles, labels = ax.get_legend_handles_labels()
    lines = math.ceil(len(labels) / 4) or 1
    columns = math.ceil(len(labels) / lines) or 1
    ax.figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    return ax


def counted(value: float) -> str:
    """A count as it stands on a bar: 12 500."""
    return f"{value:,.0f}".replace(",", "\u202f")


def dated(ax: Axes) -> Axes:
    """Months and years along the x axis, as few as can be read."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return ax


def colours(n: int) -> list[str]:
    """The first `n` colours of the palette, begun again when it ends."""
    return [PALETTE[i % len(PALETTE)] for i in range(n)]
