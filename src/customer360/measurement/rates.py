"""What share of messages arrived, was read, was answered, was refused: with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from customer360.linkage.engine_tables import as_arrow, working_connection

__all__ = ["RATES", "contact_rates", "rate_alerts", "shrink_shares", "site_bounces"]

#: Rate -> what is counted, out of what. Opens by machines tell nothing of people: they are a
#: rate of their own, and no part of click-to-open.
RATES = {
    "delivered": ("delivered", "sent"),
    "opened": ("opened", "delivered"),
    "opened by a machine": ("machine_opened", "delivered"),
    "clicked": ("clicked", "delivered"),
    "click-to-open": ("opened and clicked", "opened"),
    "hard bounce": ("hard_bounced", "sent"),
    "soft bounce": ("soft_bounced", "sent"),
    "undeliverable letter": ("undeliverable", "sent"),
    "unsubscribed": ("unsubscribed", "delivered"),
    "complained": ("complained", "delivered"),
    "referred": ("referred", "delivered"),
    "redeemed its coupon": ("redeemed", "delivered"),
    "ordered within two weeks": ("converted", "delivered"),
}
_LEVEL = 0.95


def contact_rates(outcomes: Any, *, by: Sequence[str] = ("channel",)) -> pd.DataFrame:
    """Rates of messages, by whatever tells them apart.

    Parameters
    ----------
    outcomes : frame
        From `outcomes.contact_outcomes`, with any further column to group by.
    by : sequence of str
        Columns to group by; `month` is that of contacted_on, `return_reason` why a message
        came back (of use for bounces and letters only).

    Returns
    -------
    pandas.DataFrame
        One row per group and rate that can occur there (somebody in the channel showed it):
        the columns of `by`, rate (name), count, of, share, low, high (95 %, Wilson 1927),
        shrunk (share drawn to that of the channel, the more so the smaller the group),
        ordered by group.

    Notes
    -----
    `shrunk` is `shrink_shares` within the channel: small groups of chance extremes stop
    leading every ranking.
    """
    columns = {"month": "date_trunc('month', contacted_on::date)::date", "return_reason": "reason"}
    keys = [f'{columns[name]} as "{name}"' if name in columns else f'"{name}"' for name in by]
    if "channel" not in by:
        keys.append('"channel"')
    counts = ", ".join(
        f"count(*) filter ({hit} and {base}) as k{i}, count(*) filter ({base}) as n{i}"
        for i, (hit, base) in enumerate(RATES.values())
    )
    with working_connection() as connection:
        connection.register("outcomes", as_arrow(outcomes))
        wide = connection.execute(
            f"select {', '.join(keys)}, {counts} from outcomes where sent group by all"
        ).df()
    parts = [
        wide[[*dict.fromkeys([*by, "channel"])]].assign(
            rate=name, count=wide[f"k{i}"], of=wide[f"n{i}"], place=i
        )
        for i, name in enumerate(RATES)
    ]
    long = pd.concat(parts, ignore_index=True)
    seen = long.groupby(["channel", "rate"], sort=False)["count"].transform("sum") > 0
    long = long[(long["of"] > 0) & seen].copy()
    if "channel" not in by:
        long = long.groupby([*by, "rate", "place"], dropna=False, as_index=False)[
            ["count", "of"]
        ].sum()
        long["channel"] = "all"
    long["share"] = long["count"] / long["of"]
    low, high = proportion_confint(long["count"], long["of"], alpha=1 - _LEVEL, method="wilson")
    # Wilson's interval holds the share; rounding must not say otherwise at 0 and 1.
    long["low"] = np.minimum(low, long["share"])
    long["high"] = np.maximum(high, long["share"])
    long["shrunk"] = np.nan
    for _, group in long.groupby(["channel", "rate"], sort=False):
        long.loc[group.index, "shrunk"] = shrink_shares(
            group["count"].to_numpy(float), group["of"].to_numpy(float)
        )
    long = long.sort_values([*by, "place"], kind="stable", ignore_index=True)
    return long[[*by, "rate", "count", "of", "share", "low", "high", "shrunk"]]


def shrink_shares(count: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Shares of groups, drawn to the common one, the more so the smaller the group.

    Parameters
    ----------
    count, of : array of float
        One entry per group.

    Returns
    -------
    numpy.ndarray
        Posterior means under a beta prior fitted to the groups by moments (Casella 1985).
    """
    mean = count.sum() / of.sum()
    if len(of) < 2 or not 0 < mean < 1:
        return count / of
    # Variance between groups beyond what chance within them explains.
    between = (of * (count / of - mean) ** 2).sum() - (len(of) - 1) * mean * (1 - mean)
    between /= of.sum() - (of**2).sum() / of.sum()
    if between <= 0:
        return np.full(len(of), mean)
    strength = max(mean * (1 - mean) / between - 1, 0.0)
    return (count + strength * mean) / (of + strength)


def rate_alerts(
    rates: pd.DataFrame, *, by: Sequence[str] = ("channel",), false_discovery_rate: float = 0.05
) -> pd.DataFrame:
    """Rates of the last month that moved more than chance and habit explain.

    Parameters
    ----------
    rates : pandas.DataFrame
        From `contact_rates` by `by` and month.
    by : sequence of str
    false_discovery_rate : float
        Share of the alerts that may be false, over all rates looked at.

    Returns
    -------
    pandas.DataFrame
        One row per alert: the columns of `by`, rate, month, share, usual (of the months
        before), change (share points), p_value; the surest first.

    Notes
    -----
    Months differ by more than chance: the variance is multiplied by how much earlier months
    scattered around their mean (overdispersion, McCullagh and Nelder 1989, chapter 4).
    False alerts are held by Benjamini and Hochberg (1995).
    """
    rows = []
    for key, history in rates.groupby([*by, "rate"], sort=True):
        history = history.sort_values("month")
        last, before = history.iloc[-1], history.iloc[:-1]
        if len(before) < 3 or last["month"] != rates["month"].max():
            continue
        k, n = before["count"].to_numpy(float), before["of"].to_numpy(float)
        usual = (k.sum() + 0.5) / (n.sum() + 1)
        scatter = (((k - n * usual) ** 2) / (n * usual * (1 - usual))).sum() / (len(n) - 1)
        spread = max(scatter, 1.0) * usual * (1 - usual) * (1 / last["of"] + 1 / n.sum())
        z = (last["share"] - usual) / np.sqrt(spread)
        rows.append((*key, last["month"], last["share"], usual, last["share"] - usual, z))
    names = [*by, "rate", "month", "share", "usual", "change", "z"]
    found = pd.DataFrame(rows, columns=names)
    found["p_value"] = 2 * norm.sf(np.abs(found.pop("z").to_numpy(float)))
    if found.empty:
        return found
    told = multipletests(found["p_value"], alpha=false_discovery_rate, method="fdr_bh")[0]
    return found[told].sort_values(["p_value", *by, "rate"], ignore_index=True)


def site_bounces(web_events: Any, *, pause_minutes: int = 30) -> pd.DataFrame:
    """Visits of one hit only, by where visitors came from.

    Parameters
    ----------
    web_events : frame
        Contract `staged.web_events`.
    pause_minutes : int, minutes
        A pause that ends a visit.

    Returns
    -------
    pandas.DataFrame
        One row per referrer ("none told" for visits without): referrer, visits, bounced,
        share, low, high (95 %, Wilson); the most visits first.
    """
    with working_connection() as connection:
        connection.register("hits", as_arrow(web_events))
        found = connection.execute(
            f"""
            with marked as (
                select visitor_id, "at", referrer,
                       coalesce("at" - lag("at") over (partition by visitor_id order by "at")
                           > interval {int(pause_minutes)} minute, true) as opens
                from hits
            ),
            numbered as (
                select visitor_id, referrer, "at",
                       sum(opens::integer) over (
                           partition by visitor_id order by "at" rows unbounded preceding
                       ) as visit
                from marked
            ),
            visits as (
                select coalesce(min(referrer), 'none told') as referrer, count(*) as hits
                from numbered group by visitor_id, visit
            )
            select referrer, count(*) as visits, count(*) filter (hits = 1) as bounced
            from visits group by referrer order by visits desc, referrer
            """
        ).df()
    found["share"] = found["bounced"] / found["visits"]
    found["low"], found["high"] = proportion_confint(
        found["bounced"], found["visits"], method="wilson"
    )
    return found
