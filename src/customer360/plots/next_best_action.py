"""Figures of 16: what the service says, and what that would have earned."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import colours, horizontal, new_axes
from customer360.plots.style import INK, MUTED, money, percent, use_style

__all__ = ["replayed", "said_first", "use_style"]


def said_first(shares: pd.Series) -> Axes:
    """What customers would be told first, if each came now.

    Parameters
    ----------
    shares : pandas.Series of float
        Share of customers by what is said, the most frequent first.
    """
    ax = new_axes(height=1.2 + 0.42 * len(shares))
    names = [str(name).replace("_", " ") for name in shares.index]
    ax.barh(names[::-1], shares.to_numpy()[::-1], color=colours(1)[0])
    ax.set(xlabel="share of customers", title="Said first to whoever comes now")
    return percent(horizontal(ax), axis="x")


def replayed(found: pd.DataFrame, *, currency: str) -> Axes:
    """Gain of the service over the log, by estimator, with 90 % intervals.

    Parameters
    ----------
    found : pandas.DataFrame
        From `replay.compare_policies`, one row per bar; `name` says which.
    currency : str
    """
    ax = new_axes(height=1.2 + 0.5 * len(found))
    places = range(len(found))[::-1]
    low, high = found["gain"] - found["gain_low"], found["gain_high"] - found["gain"]
    ax.errorbar(found["gain"], list(places), xerr=[low, high], fmt="o", color=colours(1)[0],
                ecolor=INK, elinewidth=2, capsize=4)  # fmt: skip
    ax.axvline(0, color=MUTED, linestyle="--")
    ax.set(
        yticks=list(places), yticklabels=found["name"], ylim=(-0.6, len(found) - 0.4),
        xlabel="margin gained per message, against what was sent",
        title="The service, replayed on past messages",
    )  # fmt: skip
    return money(horizontal(ax), axis="x", currency=currency)
