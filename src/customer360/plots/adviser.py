"""Figure of the adviser's page: one customer's history."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from customer360.plots.canvas import dated, new_axes
from customer360.plots.style import INK, MUTED, PALETTE, use_style

__all__ = ["history", "use_style"]

_NAMES = {
    "purchase": "purchases",
    "message": "our messages",
    "visit": "days on the site",
    "conversation": "conversations",
    "life": "events of life",
}


def history(events: pd.DataFrame) -> Axes:
    """Events of one customer in lanes; large dots are large purchases, red ones went badly.

    Parameters
    ----------
    events : pandas.DataFrame
        From `adviser.timeline`.
    """
    lanes = [lane for lane in _NAMES if (events["lane"] == lane).any()]
    ax = new_axes(height=0.8 + 0.62 * max(len(lanes), 1))
    for number, lane in enumerate(lanes):
        rows = events[events["lane"] == lane]
        size = np.clip(rows["size"].to_numpy(dtype=float), 0, None)
        area = 28 + 220 * size / max(size.max(initial=0), 1) if lane == "purchase" else 34
        bad = rows["tone"].to_numpy(dtype=float) >= 0.5
        colour = np.where(bad, PALETTE[1], MUTED if lane in ("message", "visit") else PALETTE[0])
        ax.scatter(rows["at"], np.full(len(rows), -number), s=area, c=colour, alpha=0.75, zorder=3)
        if lane == "life":
            for at, what in zip(rows["at"], rows["what"], strict=True):
                ax.annotate(what, (at, -number), xytext=(6, 6), textcoords="offset points",
                            color=INK, fontsize=10)  # fmt: skip
    ax.set(
        yticks=[-n for n in range(len(lanes))],
        yticklabels=[_NAMES[lane] for lane in lanes],
        ylim=(-len(lanes) + 0.4, 0.6),
        xlabel="",
        title="History",
    )
    return dated(ax)
