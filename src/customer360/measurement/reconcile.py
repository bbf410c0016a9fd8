"""What the channels are credited with, beside what hold-outs prove.

Rules of attribution see who was touched before an order; whoever would have bought anyway
counts as well. A random group that got nothing tells the difference: its orders are what the
others would have ordered without the message.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from customer360.engines import exact_sum
from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.measurement.attribution import UNTOUCHED
from customer360.measurement.effects import campaign_results
from customer360.measurement.returns import channel_returns

__all__ = ["experiment_effects", "margin_rate", "reconcile"]

# What a customer bought before, which no message could change.
BEFORE = ("orders_before", "margin_before")
MEASURES = {"conversions": "orders", "revenue": "net_amount"}


def experiment_effects(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Orders and revenue that each channel caused, from its hold-outs.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        From `outcomes.contact_outcomes`, over the window of the paths.

    Returns
    -------
    pandas.DataFrame
        One row per channel with a message sent: channel, contacted and held_out (of campaigns
        that held out two customers at least), untested (contacts of other campaigns), cost
        (of all), then conversions, conversions_low, conversions_high, revenue, revenue_low,
        revenue_high: what contacts of tested campaigns caused (`effects.campaign_results`,
        summed by `returns.channel_returns`), with 95 % intervals; empty where nothing was
        held out.
    """
    whole = outcomes.assign(variant="all")
    measured = {
        name: campaign_results(whole, outcome=column, before=BEFORE)
        for name, column in MEASURES.items()
    }
    campaigns = measured["conversions"]
    tested = campaigns["tested"].astype(bool)
    table = (
        campaigns.assign(
            untested=campaigns["contacted"].mask(tested, 0),
            contacted=campaigns["contacted"].where(tested, 0),
            held_out=campaigns["held_out"].where(tested, 0),
        )
        .groupby("channel")[["contacted", "held_out", "untested", "cost"]]
        .sum()
    )
    for name, results in measured.items():
        found = channel_returns(results).set_index("channel")
        for end, source in (("", "effect"), ("_low", "low"), ("_high", "high")):
            table[f"{name}{end}"] = found[source] * found["contacts"]
    # Rounded: linear algebra on more or fewer cores must give the same bytes.
    return table.astype(float).round(6).reset_index()


def margin_rate(orders: Any) -> float:
    """Margin left by one unit of revenue, over all orders.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`, of which net_amount and margin are read.

    Returns
    -------
    float
        0 without revenue. The same in whatever order the orders come.
    """
    with working_connection() as connection:
        connection.register("orders", as_arrow(orders))
        revenue, margin = connection.execute(
            f"select {exact_sum('net_amount')}, {exact_sum('margin')} from orders"
        ).fetchall()[0]
    return float(margin or 0) / float(revenue or 1)


def reconcile(credits: pd.DataFrame, effects: pd.DataFrame, *, margin_rate: float) -> pd.DataFrame:
    """Credit of each rule beside what the experiments prove, and what follows for the budget.

    Parameters
    ----------
    credits : pandas.DataFrame
        From `attribution.credit_channels`.
    effects : pandas.DataFrame
        From `experiment_effects`, of the same days and window.
    margin_rate : float
        Margin left by one unit of revenue.

    Returns
    -------
    pandas.DataFrame
        One row per channel and rule: channel, rule, credited, credited_revenue, proven,
        proven_low, proven_high (orders; the reconciled credit; empty without a hold-out),
        overstated (credited less proven, orders), margin_after_cost and its _low, _high
        (currency, of what the experiments prove), advice:

        - more: even the low end of the interval pays for the contacts;
        - less: even its high end does not;
        - keep: the experiments cannot tell;
        - test first: nothing was held out;
        - empty for orders that nothing preceded.
    """
    named = effects.rename(
        columns={f"conversions{end}": f"proven{end}" for end in ("", "_low", "_high")}
    )
    table = credits.rename(columns={"conversions": "credited", "revenue": "credited_revenue"})
    table = table.merge(named, on="channel", how="left")
    table["overstated"] = table["credited"] - table["proven"]
    for end in ("", "_low", "_high"):
        table[f"margin_after_cost{end}"] = margin_rate * table[f"revenue{end}"] - table["cost"]
    known = table["proven"].notna()
    table["advice"] = np.select(
        [
            table["channel"] == UNTOUCHED,
            ~known,
            table["margin_after_cost_low"] > 0,
            table["margin_after_cost_high"] < 0,
        ],
        ["", "test first", "more", "less"],
        "keep",
    )
    columns = ["channel", "rule", "credited", "credited_revenue", "proven", "proven_low"]
    columns += ["proven_high", "overstated", "margin_after_cost", "margin_after_cost_low"]
    return table[[*columns, "margin_after_cost_high", "advice"]]
