"""Figures of 13: habits, and the four families of segments."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.contracts import FUNNEL
from customer360.plots.canvas import counted, heat_map, horizontal, new_axes
from customer360.plots.style import PALETTE, thousands, use_style

__all__ = ["funnel", "habits_by_class", "use_style"]


def funnel(stages: pd.Series) -> Axes:
    """People at each stage, from unaware to leaving.

    Parameters
    ----------
    stages : pandas.Series
        funnel_stage of each person.
    """
    data = stages.value_counts().reindex(FUNNEL, fill_value=0).iloc[::-1]
    ax = new_axes(height=0.4 * len(data) + 1.4)
    bars = ax.barh([name.replace("_", " ") for name in data.index], data, color=PALETTE[0])
    ax.bar_label(bars, fmt=lambda v: counted(v), padding=4)
    ax.margins(x=0.12)
    ax.set(xlabel="people", title="Where they stand")
    return thousands(horizontal(ax), axis="x")


def habits_by_class(habits: pd.DataFrame) -> Axes:
    """Average habits of each kind of customer, in units of their spread.

    Parameters
    ----------
    habits : pandas.DataFrame
        Column potential_class, and one column per habit (numbers).
    """
    numbers = habits.drop(columns="potential_class")
    numbers = numbers.loc[:, numbers.nunique() > 1]
    standard = (numbers - numbers.mean()) / numbers.std()
    data = standard.groupby(habits["potential_class"]).mean().round(1) + 0.0  # no -0.0
    data.columns = [name.replace("_", " ") for name in data.columns]
    ax = heat_map(data, height=0.5 * len(data) + 2.2, turn=30, center=0.0, annot=True, fmt="+.1f")
    ax.set(title="Habits by class (in standard deviations from the average)")
    return ax
