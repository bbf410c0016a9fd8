"""From spend to margin: what a euro in each channel brings, and what the next one would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.meta_analysis import combine_effects

from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.measurement.effects import measure_effect

__all__ = [
    "FATIGUE_DAYS",
    "MOST_MESSAGES",
    "channel_returns",
    "fatigue_share",
    "pressure_effects",
    "response_curves",
]

#: Messages of so many days before are taken to weigh on the next.
FATIGUE_DAYS = 28
#: To one customer in so many days, at most.
MOST_MESSAGES = 3
_Z = 1.959964
_RETURNS = [
    "channel", "campaigns", "contacts", "cost_per_contact", "effect", "low", "high", "next_low",
    "next_high", "heterogeneity", "return", "return_low", "return_high",
]  # fmt: skip
_PRESSURE = ["channel", "recent_messages", "contacts", "held_out", "cost", "effect", "low", "high"]


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
        weeks before): contacts, held_out, cost (currency a message), effect, low, high
        (outcome a contact, 95 %).
        People choose neither: within a campaign who is held out is drawn, so those of equal
        recent messages compare.
    """
    with working_connection() as connection:
        connection.register("outcomes", as_arrow(outcomes))
        table = connection.execute(
            f"""
            select any_value(o.campaign_id) as campaign_id, any_value(o.channel) as channel,
                   any_value(o.sent) as sent, any_value(o.cost) as cost,
                   any_value(o."{outcome}") as outcome,
                   any_value({f'o."{before}"' if before else "0"}) as before,
                   least(count(e.contact_id), 2) as recent_messages
            from outcomes o left join outcomes e on e.customer_id = o.customer_id
                and e.sent and e.contacted_on < o.contacted_on
                and e.contacted_on >= o.contacted_on - {FATIGUE_DAYS}
            where o.sent or o.held_out group by o.contact_id order by o.contact_id
            """
        ).df()
    costs = table[table["sent"]].groupby("channel")["cost"].mean()
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
                "cost": float(costs[channel]),
                "effect": mean,
                "low": mean - _Z * deviation,
                "high": mean + _Z * deviation,
            }
        )
    return pd.DataFrame(rows, columns=_PRESSURE)


def fatigue_share(
    pressure: pd.DataFrame, *, assumed_share: float, assumed_error: float = 0.15
) -> tuple[float, float]:
    """Share of a message's effect that each recent message takes from it.

    Parameters
    ----------
    pressure : pandas.DataFrame
        From `pressure_effects`; of orders, which are surer than margins.
    assumed_share : float
        What is assumed before looking.
    assumed_error : float
        Standard error of that.

    Returns
    -------
    share, error : float
        Between 0 and 1, and its standard error. What was assumed, where nobody was held out
        or messages have no effect to lose.

    Notes
    -----
    A message of channel c after r others adds ``a_c (1 - f)^r``, the law by which the plan
    reckons. Whatever the tests say of f is as a rule far less certain than what is commonly
    assumed: the normal likelihood, each a_c at its best, is weighed with a normal prior.
    """
    shares = np.linspace(0, 1, 1001)
    log = -(((shares - assumed_share) / assumed_error) ** 2) / 2
    for _, group in pressure.groupby("channel"):
        effect, weight, recent = _read(group)
        left = (1 - shares[:, None]) ** recent
        best = np.maximum((left * weight) @ effect / (left**2 @ weight), 0.0)
        log -= (weight * (effect - best[:, None] * left) ** 2).sum(axis=1) / 2
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    share = float(chance @ shares)
    return share, float(np.sqrt(chance @ (shares - share) ** 2))


def response_curves(
    pressure: pd.DataFrame, *, fatigue: float, fatigue_error: float
) -> pd.DataFrame:
    """Margin by spend: one more message a customer and month, channel by channel.

    Parameters
    ----------
    pressure : pandas.DataFrame
        From `pressure_effects`, of margins.
    fatigue, fatigue_error : float
        From `fatigue_share`.

    Returns
    -------
    pandas.DataFrame
        One row per channel and messages (1 to `MOST_MESSAGES` to a customer in four weeks):
        spend and margin a customer with low and high, lasting (share of the first message's
        effect that the last one has), next_return, next_return_low, next_return_high
        (margin less cost that the last of those messages brings, a euro).

    Notes
    -----
    The law of `fatigue_share`: the curve is concave, and the one the planner follows. A
    channel that seems to drive orders away is not thought to do so less by repetition.
    """
    count = np.arange(MOST_MESSAGES)
    lasting = (1 - fatigue) ** count
    rows = []
    for channel, group in pressure.groupby("channel", sort=True):
        effect, weight, recent = _read(group)
        cost, left = float(group["cost"].iloc[0]), (1 - fatigue) ** recent
        tires = float((left * weight) @ effect >= 0)
        # What drives away does so no less by repetition.
        left, share = left**tires, lasting**tires
        fading = -tires * count * (1 - fatigue) ** np.maximum(count - 1, 0)
        told = left**2 @ weight
        first, error = float((left * weight) @ effect / told), float(told**-0.5)
        # The error of the first message, and that of what each takes from the next.
        last = np.hypot(share * error, first * fading * fatigue_error)
        total = np.hypot(np.cumsum(share) * error, first * np.cumsum(fading) * fatigue_error)
        table = pd.DataFrame({"channel": channel, "messages": count + 1, "lasting": lasting})
        table = table.assign(spend=cost * (count + 1), margin=first * np.cumsum(share))
        table = table.assign(low=table["margin"] - _Z * total, high=table["margin"] + _Z * total)
        for name, sign in (("", 0), ("_low", -_Z), ("_high", _Z)):
            returned = (first * share + sign * last - cost) / cost if cost > 0 else np.nan
            table[f"next_return{name}"] = returned
        rows.append(table)
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _read(group: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects of a channel, what each weighs, and the messages before."""
    error = ((group["high"] - group["low"]) / (2 * _Z)).to_numpy(float)
    return group["effect"].to_numpy(float), error**-2, group["recent_messages"].to_numpy(float)
