"""Figures of cross-sell: were the suggestions bought?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import new_axes
from customer360.plots.style import MUTED, PALETTE, percent, use_style

__all__ = ["suggestions_bought", "use_style"]

QUESTIONS = {"new": "bought for the first time", "basket": "next basket,\nusual goods included"}
METHODS = {
    "ours": "ours",
    "implicit": "item neighbours (implicit)",
    "personal": "what it buys most often",
    "popularity": "what most people buy",
}


def suggestions_bought(judged: pd.DataFrame) -> Axes:
    """Share of what customers went on to buy that had been suggested, by method.

    Parameters
    ----------
    judged : pandas.DataFrame
        From `basket_evaluation.judge_cross_sell`.
    """
    ax = new_axes()
    colours = dict(zip(METHODS, (*PALETTE[:3], MUTED), strict=True))
    width = 0.8 / len(METHODS)
    for place, question in enumerate(QUESTIONS):
        rows = judged[judged["question"] == question].set_index("method")
        there = [method for method in METHODS if method in rows.index]
        left = place - width * (len(there) - 1) / 2 + width * np.arange(len(there))
        bars = ax.bar(
            left, rows.loc[there, "recall"], 0.92 * width, color=[colours[m] for m in there]
        )
        ax.bar_label(bars, [f"{share:.1%}" for share in rows.loc[there, "recall"]], fontsize=10)
    for method, label in METHODS.items():
        ax.bar(0, 0, color=colours[method], label=label)
    ax.set(title="Were the ten suggestions bought?", ylabel="share of purchases suggested")
    # Room for the legend above the bars.
    ax.set_ylim(0, 1.5 * judged["recall"].max())
    ax.set_xticks(range(len(QUESTIONS)), list(QUESTIONS.values()))
    ax.legend(loc="upper left", ncols=2)
    return percent(ax)
