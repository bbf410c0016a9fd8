"""What the channels are credited with, beside what hold-outs prove.

Rules of attribution see who was touched before an order; whoever would have bought anyway
counts as well. A random group that got nothing tells the difference: its orders are what the
others would have ordered without the message.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow, as_pandas
from customer360.measurement.attribution import UNTOUCHED

__all__ = ["experiment_effects", "reconcile"]

# 95 % of a normal.
Z = 1.959964
BEFORE_DAYS = 365


def experiment_effects(*, orders: Any, contacts: Any, window_days: int = 14) -> pd.DataFrame:
    r"""Orders and revenue that each channel caused, from its hold-outs.

    Of campaign c, :math:`n_c (\bar y_c - \bar y_{c0})`: those written to, whether or not it
    reached them, against those held out at random; summed over the campaigns of a channel,
    with :math:`\mathrm{Var} = \sum_c n_c^2 (s_c^2 / n_c + s_{c0}^2 / n_{c0})`. What a customer
    bought in the year before, which no message could change, is taken out first, and the
    intervals narrow (CUPED: Deng et al. 2013).

    Parameters
    ----------
    orders, contacts : frame
        Contracts `customer_orders` and `customer_contacts`.
    window_days : int
        Days after the contact in which orders count: that of the paths.

    Returns
    -------
    pandas.DataFrame
        One row per channel with a contact: channel, contacted, held_out (of campaigns with at
        least two on both sides), untested (contacts of other campaigns), cost (of all), then
        conversions, conversions_low, conversions_high, revenue, revenue_low, revenue_high:
        caused by those contacted in tested campaigns, with 95 % intervals; empty where
        nothing was held out.
    """
    with closing(connect()) as connection:
        connection.register("orders", as_arrow(orders))
        connection.register("contacts", as_arrow(contacts))
        arms = as_pandas(
            connection.sql(
                """WITH asked AS (
                       SELECT customer_id, campaign_id, channel, contact_id,
                              bool_or(event = 'held_out') AS held,
                              min("at") FILTER (event IN ('sent', 'held_out')) AS "at",
                              sum(coalesce(cost, 0)) AS cost
                       FROM contacts GROUP BY ALL),
                   baskets AS (
                       SELECT customer_id, source || '/' || order_id AS order_key,
                              min(ordered_at) AS ordered_at, sum(net_amount) AS amount
                       FROM orders WHERE status <> 'unpaid' GROUP BY ALL),
                   came AS (
                       SELECT coalesce(a.campaign_id, '') AS campaign_id, a.channel, a.held,
                              a.contact_id, any_value(a.cost) AS cost,
                              count(order_key) FILTER (ordered_at > a."at") AS orders,
                              count(order_key) FILTER (ordered_at <= a."at") AS orders_before,
                              coalesce(sum(amount) FILTER (ordered_at > a."at"), 0) AS revenue,
                              coalesce(sum(amount) FILTER (ordered_at <= a."at"), 0)
                                  AS revenue_before
                       FROM asked a LEFT JOIN baskets b
                         ON a.customer_id = b.customer_id
                        AND b.ordered_at > a."at" - to_days($2::integer)
                        AND b.ordered_at <= a."at" + to_days($1::integer)
                       WHERE a."at" IS NOT NULL AND a.channel IS NOT NULL
                       GROUP BY a.campaign_id, a.channel, a.held, a.contact_id),
                   -- Where all bought alike before, there is nothing to take out.
                   slopes AS (
                       SELECT *,
                              CASE WHEN var_pop(orders_before) OVER campaign > 0
                                   THEN regr_slope(orders, orders_before) OVER campaign
                                   ELSE 0 END AS slope,
                              CASE WHEN var_pop(revenue_before) OVER campaign > 0
                                   THEN regr_slope(revenue, revenue_before) OVER campaign
                                   ELSE 0 END AS revenue_slope,
                              orders_before - avg(orders_before) OVER campaign AS above,
                              revenue_before - avg(revenue_before) OVER campaign
                                  AS revenue_above
                       FROM came WINDOW campaign AS (PARTITION BY campaign_id, channel)),
                   expected AS (
                       SELECT *, slope * above AS usual,
                              revenue_slope * revenue_above AS usual_revenue FROM slopes)
                   SELECT campaign_id, channel, held, count(*)::double AS n, sum(cost) AS cost,
                          avg(orders - usual) AS conversions,
                          coalesce(var_samp(orders - usual), 0) AS conversions_var,
                          avg(revenue - usual_revenue) AS revenue,
                          coalesce(var_samp(revenue - usual_revenue), 0) AS revenue_var
                   FROM expected
                   GROUP BY campaign_id, channel, held ORDER BY campaign_id, channel, held""",
                params=[window_days, BEFORE_DAYS],
            )
        )
    sides = [
        arms[arms["held"] == held].set_index(["channel", "campaign_id"]).drop(columns="held")
        for held in (False, True)
    ]
    both = sides[0].join(sides[1].add_suffix("_held"))
    tested = (both["n"] >= 2) & (both["n_held"] >= 2)
    table = pd.DataFrame(
        {
            "contacted": both["n"].where(tested, 0.0),
            "held_out": both["n_held"].where(tested, 0.0),
            "untested": both["n"].where(~tested, 0.0),
            "cost": both["cost"],
        }
    )
    for measure in ("conversions", "revenue"):
        caused = both["n"] * (both[measure] - both[f"{measure}_held"])
        spread = both["n"] ** 2 * (
            both[f"{measure}_var"] / both["n"] + both[f"{measure}_var_held"] / both["n_held"]
        )
        table[measure], table[f"{measure}_var"] = caused.where(tested), spread.where(tested)
    found = table.groupby("channel").sum(min_count=1)
    for measure in ("conversions", "revenue"):
        half = Z * np.sqrt(found.pop(f"{measure}_var"))
        found[f"{measure}_low"], found[f"{measure}_high"] = (
            found[measure] - half,
            found[measure] + half,
        )
    columns = ["contacted", "held_out", "untested", "cost"] + [
        f"{measure}{end}" for measure in ("conversions", "revenue") for end in ("", "_low", "_high")
    ]
    # Rounded: sums made in another order must give the same bytes.
    return found[columns].round(6).reset_index()


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
