"""What a plan may promise: the margin it hopes for, and what past hold-outs confirm of it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow, as_pandas

__all__ = ["add_confirmed_margin"]

_MESSAGE = ["customer_id", "slot", "channel", "offer", "cost", "expected_margin"]


def add_confirmed_margin(decisions: pd.DataFrame, *, scores: Any) -> pd.DataFrame:
    """Say of each planned message what past hold-outs confirm of its margin.

    Nothing is chosen by it: the plan stays as it is.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Contract `decisions`, but for confirmed_margin: expected_margin (currency, cost deducted).
    scores : frame
        Contract `response_scores`: expected_margin and confirmed_margin before cost.

    Returns
    -------
    pandas.DataFrame
        The same rows with confirmed_margin (currency, cost deducted). What a message loses to
        those before it is lost of both. Where no effect is known, none is confirmed.
    """
    with closing(connect()) as connection:
        connection.register("decisions", as_arrow(decisions[_MESSAGE]))
        connection.register("scores", as_arrow(scores))
        confirmed = as_pandas(
            connection.sql(
                """select d.customer_id, d.slot,
                case when s.expected_margin > 0
                    then (d.expected_margin + d.cost) * s.confirmed_margin / s.expected_margin
                    else coalesce(s.confirmed_margin, 0) end - d.cost as confirmed_margin
                from decisions d left join scores s using (customer_id, channel, offer)"""
            )
        )
    return decisions.merge(confirmed, on=["customer_id", "slot"], how="left", validate="1:1")
