"""Figures of 12: who is dissatisfied, and how one hears it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import dated, horizontal, new_axes
from customer360.plots.style import PALETTE, percent, use_style

__all__ = ["dissatisfaction_by_month", "telling_words", "use_style"]


def telling_words(words: pd.DataFrame) -> Axes:
    """Words that go with dissatisfaction (right) and with its contrary (left).

    Parameters
    ----------
    words : pandas.DataFrame
        word, lift: the strongest for on top.
    """
    data = words.iloc[::-1]
    ax = new_axes(height=0.3 * len(data) + 1.4)
    places = np.arange(len(data))
    colour = np.where(data["lift"] > 0, PALETTE[3], PALETTE[2])
    ax.barh(places, data["lift"], color=list(colour))
    ax.set_yticks(places, data["word"].to_list())
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(
        xlabel="probability of dissatisfaction above the average",
        title="Words that tell",
    )
    return percent(horizontal(ax), axis="x")


def dissatisfaction_by_month(scored: pd.DataFrame) -> Axes:
    """Share of conversations that leave a customer dissatisfied, month by month.

    Parameters
    ----------
    scored : pandas.DataFrame
        at, dissatisfied_probability.
    """
    month = scored["at"].dt.to_period("M").dt.to_timestamp()
    data = scored.groupby(month)["dissatisfied_probability"].mean()
    ax = new_axes()
    ax.plot(data.index, data, marker="o", color=PALETTE[0])
    ax.set(ylim=(0, None), title="Conversations that leave a customer dissatisfied")
    return percent(dated(ax), axis="y")
