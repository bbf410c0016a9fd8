"""What a reduction of some size adds, for whom, and the smallest one that pays.

Campaigns that drew several reductions at random say how much more a deeper one adds. Few
contacts remain for each kind of customer, so what was seen there only corrects what
`models.uplift` expects, by as much as it can be trusted (empirical Bayes): with a model mean
*u* known to ±*σ* and a seen gap *δ* known to ±*s*,

    effect = u + δ · σ² / (σ² + s²),     variance = σ² · s² / (σ² + s²)

where *δ* is the mean doubly robust residual of the contacts (Robins, Rotnitzky and Zhao 1994).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.features.contact_signals import contact_signals
from customer360.models.offer_scores import order_value
from customer360.models.uplift import UpliftModel

__all__ = ["MATURITIES", "PROFILES", "doubly_robust_gap", "profile_customers", "promo_amounts"]

PROFILES = ("seldom uses reductions", "sometimes", "often uses reductions")
MATURITIES = ("new", "settled", "old")
# Days on file from which a customer is settled, then old.
SETTLED_DAYS, OLD_DAYS = 180, 730
NORMAL_90 = 1.6448536269514722


def profile_customers(table: pd.DataFrame, signals: pd.DataFrame) -> pd.DataFrame:
    """Kind of each customer: love of reductions, in thirds, and time on file.

    Parameters
    ----------
    table, signals : pandas.DataFrame
        Moments (or contacts with them), and their `contact_signals`.

    Returns
    -------
    pandas.DataFrame
        On the same index: profile, maturity.
    """
    love = signals["promotions"] + signals["coupon_habit"] + signals["coupons_used"]
    third = np.floor(love.rank(pct=True, method="average").clip(upper=0.999) * 3).astype(int)
    stage = np.digitize(table["known_days"].to_numpy(float), [SETTLED_DAYS, OLD_DAYS])
    return pd.DataFrame(
        {"profile": np.array(PROFILES)[third], "maturity": np.array(MATURITIES)[stage]},
        index=table.index,
    )


def doubly_robust_gap(contacts: pd.DataFrame, foretold: pd.DataFrame) -> pd.Series:
    """What each contact adds to a mean effect beyond what was foretold.

    Parameters
    ----------
    contacts : pandas.DataFrame
        orders, treated, propensity.
    foretold : pandas.DataFrame
        The same rows from customers other than their own: expected_orders, uplift.

    Returns
    -------
    Series of float
        Mean 0 when the effects foretold are right; empty where nothing was drawn.
    """
    t, e = contacts["treated"], contacts["propensity"]
    base, effect = foretold["expected_orders"], foretold["uplift"]
    sent = (contacts["orders"] - base - effect) / e
    held = -(contacts["orders"] - base) / (1 - e).where(e < 1)
    return sent.where(t, held).where((e > 0) & (e < 1))


def promo_amounts(
    contacts: pd.DataFrame,
    *,
    foretold: pd.DataFrame,
    moments: pd.DataFrame,
    model: UpliftModel,
    offers: pd.DataFrame,
) -> pd.DataFrame:
    """Effect and margin of each offer by profile and maturity, and the smallest that pays.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Contacts with their moments.
    foretold : pandas.DataFrame
        From `models.uplift.cross_fit`, on the same index.
    moments : pandas.DataFrame
        Today's customers, to whom the offers would go.
    model : UpliftModel
    offers : pandas.DataFrame
        From `features.campaign_contacts.offers_made`; the channel that was used most, and
        tested, carries the offers.

    Returns
    -------
    pandas.DataFrame
        Contract `promo_amounts`. An offer pays when it adds more margin, reductions paid, than
        a message without reduction, and leaves the least margin its campaigns asked for.
    """
    used = contacts["channel"].value_counts()
    tested = used[used.index.isin(offers.loc[offers["tested"], "channel"])]
    if tested.empty:
        return pd.DataFrame()
    by = offers[offers["channel"] == tested.index[0]]
    told = pd.concat([_foretell(moments, offer, model) for offer in by.to_dict("records")])
    means = told.groupby(["profile", "maturity", "offer"]).mean().reset_index()
    table = means.merge(_seen(contacts, foretold), on=["profile", "maturity", "offer"], how="left")
    table["contacts"] = table["contacts"].fillna(0).astype(int)
    own = table["spread"] ** 2
    noise = (table["noise"] ** 2).fillna(np.inf)
    table["effect"] = table["uplift"] + table["gap"].fillna(0.0) * own / (own + noise)
    error = np.sqrt(own * (1 - own / (own + noise)))
    table["effect_low"] = table["effect"] - NORMAL_90 * error
    table["effect_high"] = table["effect"] + NORMAL_90 * error
    paid = table["depth"] * table["amount"] * table["redeemed"]
    table["margin_gain"] = table["effect"] * table["margin"] - paid
    plain = table[table["depth"] == 0].set_index(["profile", "maturity"])["margin_gain"]
    keys = pd.MultiIndex.from_frame(table[["profile", "maturity"]])
    rival = plain.reindex(keys).fillna(0.0).clip(lower=0.0).to_numpy()
    left = table["margin"] / table["amount"] - table["depth"]
    floor = left >= table["min_margin"]
    table["pays"] = (table["depth"] > 0) & (table["margin_gain"] > rival) & floor
    paying = table[table["pays"]].sort_values(["depth", "offer"])
    first = paying.drop_duplicates(["profile", "maturity"]).index
    table["smallest_that_pays"] = table.index.isin(first)
    order = ["profile", "maturity", "depth", "offer"]
    columns = ["profile", "maturity", "offer", "depth", "contacts", "effect", "effect_low",
               "effect_high", "margin_gain", "pays", "smallest_that_pays"]  # fmt: skip
    return table.sort_values(order)[columns].reset_index(drop=True)


def _foretell(moments: pd.DataFrame, offer: dict, model: UpliftModel) -> pd.DataFrame:
    """Today's customers with one offer: what the model expects, and what an order is worth."""
    told = {name: offer[name] for name in ("channel", "kind", "coupons", "depth")}
    signals = contact_signals(moments.assign(**told, taste=np.nan))
    found = model.predict(signals)
    # All customers of a kind lean on the same weights: their errors do not average out.
    spread = (found["uplift_high"] - found["uplift_low"]) / (2 * NORMAL_90)
    return pd.concat(
        [
            profile_customers(moments, signals),
            found[["uplift", "redeemed"]].assign(spread=spread),
            order_value(moments),
        ],
        axis=1,
    ).assign(offer=offer["offer"], depth=offer["depth"], min_margin=offer["min_margin"])


def _seen(contacts: pd.DataFrame, foretold: pd.DataFrame) -> pd.DataFrame:
    """Gap between what was seen and foretold, where campaigns drew several depths."""
    depths = contacts.groupby("campaign_id")["depth"].transform("nunique")
    several = contacts[depths > 1]
    table = profile_customers(several, contact_signals(several)).assign(
        offer=several["offer"],
        sent=several["treated"],
        gap=doubly_robust_gap(several, foretold.loc[several.index]),
    )
    cells = table.groupby(["profile", "maturity", "offer"])
    return pd.DataFrame(
        {
            "contacts": cells["sent"].sum(),
            "gap": cells["gap"].mean(),
            "noise": cells["gap"].std() / np.sqrt(cells["gap"].count()),
        }
    ).reset_index()
