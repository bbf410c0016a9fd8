"""Figure of a model's health: what it foretold and what happened, month by month."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from customer360.plots.canvas import dated, legend_below
from customer360.plots.style import INK, MUTED, PALETTE

__all__ = ["health_by_month"]


def health_by_month(health: pd.DataFrame) -> Axes:
    """Foretold and observed above, ROC AUC below, with 95 % intervals.

    Parameters
    ----------
    health : pandas.DataFrame
        From `model_health.model_health`, of one model.

    Returns
    -------
    matplotlib.axes.Axes
        The upper one; months left of the line lie before the end of what it learnt from.
    """
    from matplotlib import pyplot

    level, ranking = pyplot.subplots(
        2, 1, figsize=(7.6, 5.0), sharex=True, height_ratios=(3, 2), layout="constrained"
    )[1]
    day = pd.to_datetime(health["as_of"])
    level.plot(day, health["observed"], color=PALETTE[0], marker="o", label="happened")
    level.plot(day, health["predicted"], color=PALETTE[1], linestyle="--", label="foretold")
    # The interval of the total error, said of what was foretold.
    ends = [health["predicted"] / (1 + health[f"total_error_{e}"]) for e in ("high", "low")]
    level.fill_between(day, *ends, color=PALETTE[0], alpha=0.2, linewidth=0)
    ranking.plot(day, health["roc_auc"], color=PALETTE[2], marker="o")
    ends = [health["roc_auc_low"], health["roc_auc_high"]]
    ranking.fill_between(day, *ends, color=PALETTE[2], alpha=0.2, linewidth=0)
    for ax in (level, ranking):
        ax.axvline(date2num(pd.Timestamp(health["learnt_until"].iloc[0])), color=MUTED)
    level.annotate(
        "left alone since",
        (date2num(pd.Timestamp(health["learnt_until"].iloc[0])), 0.06),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=INK,
    )
    level.set(ylabel="mean of a customer", ylim=(0, None), title="Does the model still hold?")
    ranking.set(ylabel="ROC AUC")
    dated(ranking)
    return legend_below(level)
