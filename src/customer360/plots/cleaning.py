"""Figures of 01: what arrived."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import counted, heat_map, horizontal, new_axes
from customer360.plots.style import PALETTE, use_style

__all__ = ["field_coverage", "quarantine_reasons", "rows_set_aside", "use_style"]


def rows_set_aside(summary: pd.DataFrame) -> Axes:
    """Rows kept and set aside, a bar per table and source.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns table, source, rows_kept, rows_quarantined.
    """
    data = summary[summary["rows_in"] > 0].sort_values("rows_in").tail(16)
    labels = [f"{t} · {s}" if s else t for t, s in zip(data["table"], data["source"], strict=True)]
    ax = new_axes(height=0.32 * len(data) + 1.4)
    ax.barh(labels, data["rows_kept"], color=PALETTE[0])
    ax.set(xscale="log", xlabel="rows kept (each step is ten times more)", title="What arrived")
    ax.margins(x=0.18)
    # A logarithm has no zero: what lost every row is told at the edge.
    ends = data["rows_kept"].clip(lower=ax.get_xlim()[0])
    for y, (end, aside) in enumerate(zip(ends, data["rows_quarantined"], strict=True)):
        if aside:
            ax.annotate(
                f"{counted(aside)} set aside",
                (end, y),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=PALETTE[3],
                fontsize=10,
            )
    ax.grid(axis="y", visible=False)
    return ax


def quarantine_reasons(quarantined: pd.DataFrame) -> Axes:
    """How many rows were set aside for which reason.

    Parameters
    ----------
    quarantined : pandas.DataFrame
        Columns table, reason, rows.
    """
    data = quarantined.sort_values("rows").tail(10)
    ax = new_axes(height=0.42 * max(len(data), 2) + 1.2)
    labels = [
        textwrap.shorten(f"{t}: {r}", 62)
        for t, r in zip(data["table"], data["reason"], strict=True)
    ]
    bars = ax.barh(labels, data["rows"], color=PALETTE[3])
    ax.bar_label(bars, fmt=counted, padding=4)
    ax.set(xlabel="rows", title="Why rows were set aside")
    return horizontal(ax)


def field_coverage(audit: pd.DataFrame, *, table: str) -> Axes:
    """Share of rows that fill each field, a column per source.

    Parameters
    ----------
    audit : pandas.DataFrame
        Contract `field_audit`.
    table : str
        Table shown.
    """
    data = audit[audit["table"] == table].pivot(index="field", columns="source", values="coverage")
    data = data.loc[data.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    ax = heat_map(
        data,
        height=0.3 * len(data) + 1.4,
        cmap="Blues",
        vmin=0,
        vmax=1,
        annot=True,
        fmt=".0%",
        annot_kws={"size": 10},
    )
    ax.set(title=f"Which source fills which field ({table})")
    return ax
