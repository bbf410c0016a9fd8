"""From spend to margin: what a euro in each channel brings, and what the next one would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.isotonic import isotonic_regression
from statsmodels.stats.meta_analysis import combine_effects

from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.measurement.effects import measure_effect

__all__ = ["FATIGUE_DAYS", "channel_returns", "pressure_effects", "response_curves"]

#: Messages of so many days before are taken to weigh on the next.
FATIGUE_DAYS = 28
_Z = 1.959964
_RETURNS = [
    "channel", "campaigns", "contacts", "cost_per_contact", "effect", "low", "high", "next_low",
    "next_high", "heterogeneity", "return", "return_low", "return_high",
]  # fmt: skip


def channel_returns(results: pd.DataFrame) -> pd.DataFrame:
    """What a contact by each channel brings, over all its tested campaigns.

    Parameters
    ----------
    results : pandas.DataFrame
        From `effects.campaign_results`.

    Returns
    -------
    pandas.DataFrame
        One row per channel: campaigns, contacts, cost_per_contact, effect, low, high
        (margin a contact, 95 %), next_low, next_high (where the next campaign's own effect
        may lie), heterogeneity (share of the variance between campaigns that is not chance,
        I squared), return, return_low, return_high (margin less cost, a euro spent).

    Notes
    -----
    Campaigns weigh by their contacts, not by their precision: those aimed at people who
    hardly buy are the most precise and the least like the others. The variance between
    campaigns is Paule and Mandel's (1982), the interval of the next that of Higgins,
    Thompson and Spiegelhalter (2009).
    """
    rows = []
    tested = results[results["tested"].astype(bool)]
    for channel, group in tested.groupby("channel", sort=True):
        cost = group["cost"].sum() / max(group["contacted"].sum(), 1)
        error = ((group["high"] - group["low"]) / (2 * _Z)).to_numpy(float)
        mean, deviation, between, shared = _pooled(
            group["effect"].to_numpy(float), error, group["contacted"].to_numpy(float)
        )
        spread = np.sqrt(deviation**2 + between)
        row = {
            "channel": channel,
            "campaigns": group["campaign_id"].nunique(),
            "contacts": int(group["contacted"].sum()),
            "cost_per_contact": cost,
            "effect": mean,
            "low": mean - _Z * deviation,
            "high": mean + _Z * deviation,
            "next_low": mean - _Z * spread,
            "next_high": mean + _Z * spread,
            "heterogeneity": shared,
        }
        for name, value in (("", mean), ("_low", row["low"]), ("_high", row["high"])):
            row[f"return{name}"] = (value - cost) / cost if cost > 0 else np.nan
        rows.append(row)
    return pd.DataFrame(rows, columns=_RETURNS)


def _pooled(
    effect: np.ndarray, error: np.ndarray, contacts: np.ndarray
) -> tuple[float, float, float, float]:
    """Mean a contact, its standard error, variance between, and share of variance between."""
    weight = contacts / contacts.sum()
    mean, deviation = float(weight @ effect), float(np.sqrt(weight**2 @ error**2))
    if len(effect) == 1:
        return mean, deviation, 0.0, 0.0
    found = combine_effects(effect, error**2, method_re="iterated", use_t=False)
    return mean, deviation, max(float(found.tau2), 0.0), 1 - 1 / max(float(found.h2), 1.0)


def pressure_effects(
    outcomes: Any, *, outcome: str = "margin", before: str | None = "margin_before"
) -> pd.DataFrame:
    """What a message brings to those who lately had none, one, or more.

    Parameters
    ----------
    outcomes : frame
        From `outcomes.contact_outcomes`.
    outcome : str
    before : str, optional
        Covariate.

    Returns
    -------
    pandas.DataFrame
        One row per channel and recent_messages (0, 1, 2: two and more, sent in the four
        weeks before): contacts, held_out, effect, low, high (outcome a contact, 95 %).
        People choose neither: within a campaign who is held out is drawn, so those of equal
        recent messages compare.
    """
    with working_connection() as connection:
        connection.register("outcomes", as_arrow(outcomes))
        table = connection.execute(
            f"""
            select any_value(o.campaign_id) as campaign_id, any_value(o.channel) as channel,
                   any_value(o.sent) as sent, any_value(o."{outcome}") as outcome,
                   any_value({f'o."{before}"' if before else "0"}) as before,
                   least(count(e.contact_id), 2) as recent_messages
            from outcomes o left join outcomes e on e.customer_id = o.customer_id
                and e.sent and e.contacted_on < o.contacted_on
                and e.contacted_on >= o.contacted_on - {FATIGUE_DAYS}
            where o.sent or o.held_out group by o.contact_id order by o.contact_id
            """
        ).df()
    rows = []
    for (channel, recent), group in table.groupby(["channel", "recent_messages"], sort=True):
        parts = []
        for _, campaign in group.groupby("campaign_id", sort=True):
            arms = campaign["sent"].to_numpy(bool)
            if min(arms.sum(), (~arms).sum()) < 10:
                continue
            found = measure_effect(campaign["outcome"], arms, before=campaign["before"])
            if found.standard_error > 0:
                parts.append((found.effect, found.standard_error, found.treated, found.control))
        if not parts:
            continue
        effect, error, contacts, held = np.array(parts).T
        mean, deviation, _, _ = _pooled(effect, error, contacts)
        rows.append(
            {
                "channel": channel,
                "recent_messages": int(recent),
                "contacts": int(contacts.sum()),
                "held_out": int(held.sum()),
                "effect": mean,
                "low": mean - _Z * deviation,
                "high": mean + _Z * deviation,
            }
        )
    columns = ["channel", "recent_messages", "contacts", "held_out", "effect", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def response_curves(returns: pd.DataFrame, pressure: pd.DataFrame) -> pd.DataFrame:
    """Margin by spend: one more message a customer and month, channel by channel.

    Parameters
    ----------
    returns : pandas.DataFrame
        From `channel_returns`.
    pressure : pandas.DataFrame
        From `pressure_effects`.

    Returns
    -------
    pandas.DataFrame
        One row per channel and messages (1, 2, 3 to a customer in four weeks): spend and
        margin a customer with low and high, next_return, next_return_low, next_return_high
        (margin less cost that the last of those messages brings, a euro). Where too few had
        so many messages the curve ends.

    Notes
    -----
    The effect at each pressure is drawn to the channel's mean as far as its own error
    leaves it unknown, and made to fall or stay as messages add up (pool adjacent violators):
    the curve is concave, as the planner needs it.
    """
    rows = []
    for channel, group in pressure.groupby("channel", sort=True):
        overall = returns[returns["channel"] == channel]
        if overall.empty:
            continue
        mean, cost = float(overall["effect"].iloc[0]), float(overall["cost_per_contact"].iloc[0])
        error = ((group["high"] - group["low"]) / (2 * _Z)).to_numpy(float)
        raw = group["effect"].to_numpy(float)
        between = max(float(np.var(raw, ddof=1) - (error**2).mean()), 0.0) if len(raw) > 1 else 0.0
        # The mean's own error is what a pressure without differences still has.
        around = ((float(overall["high"].iloc[0]) - mean) / _Z) ** 2
        own = between / (between + error**2)
        effect = isotonic_regression(
            mean + own * (raw - mean), sample_weight=1 / error**2, increasing=False
        )
        deviation = np.sqrt(own**2 * error**2 + (1 - own) ** 2 * around)
        total, variance = np.cumsum(effect), np.cumsum(deviation) ** 2
        for place in range(len(effect)):
            half = _Z * np.sqrt(variance[place])
            row = {
                "channel": channel,
                "messages": place + 1,
                "spend": cost * (place + 1),
                "margin": total[place],
                "low": total[place] - half,
                "high": total[place] + half,
            }
            for name, sign in (("", 0), ("_low", -_Z), ("_high", _Z)):
                brought = effect[place] + sign * deviation[place]
                row[f"next_return{name}"] = (brought - cost) / cost if cost > 0 else np.nan
            rows.append(row)
    return pd.DataFrame(rows)
