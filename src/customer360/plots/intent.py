"""Figures of 14: what a visitor is about to do."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots import churn
from customer360.plots.style import use_style

__all__ = ["buyers_found", "foretold_and_seen", "use_style"]


def buyers_found(curves: dict[str, pd.DataFrame]) -> Axes:
    """Buyers found among the visitors scored highest.

    Parameters
    ----------
    curves : dict of str to pandas.DataFrame
        Name of the score to `evaluation.lift_curve`.
    """
    ax = churn.lift_curves(curves)
    ax.set(
        xlabel="share of visitors, highest score first",
        ylabel="share of buyers found",
        title="Finding those who will order",
    )
    return ax


def foretold_and_seen(tables: dict[str, pd.DataFrame]) -> Axes:
    """Foretold against seen share of orders: on the diagonal, the chance can be trusted.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the target to `evaluation.reliability_table`.
    """
    ax = churn.reliability(tables)
    ax.set(xlabel="chance of an order that was told", ylabel="share that ordered")
    return ax
