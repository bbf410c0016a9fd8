"""A contact and the customer it meets as numbers that a small model can weigh.

Counts become logarithms and shares are pulled towards the usual one while little is known,
so that a short history says little.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from customer360.contracts import CONTACT_SIGNALS
from customer360.features.campaign_contacts import CONTACT_CHANNELS, RESPONSE_DAYS

__all__ = ["NO_MESSAGE", "SIGNALS", "contact_signals", "with_offer"]

YEAR = 365.0
USUAL_AGE, AGE_SPREAD = 46.0, 16.0
SIGNALS = tuple(CONTACT_SIGNALS)
#: What to assign where signals of the customer alone are asked for.
NO_MESSAGE = {"channel": "", "kind": None, "coupons": 0.0, "depth": 0.0, "taste": np.nan}


def contact_signals(contacts: pd.DataFrame) -> pd.DataFrame:
    """Describe contacts, sent or to be sent.

    Parameters
    ----------
    contacts : pandas.DataFrame
        One row per contact: `MOMENT_FEATURES` of the customer on the day, and channel, kind,
        coupons, depth (share), taste of the contact.

    Returns
    -------
    pandas.DataFrame
        `SIGNALS`, numbers without gaps, on the index given.
    """
    c = contacts
    rate = (c["orders_before"] + 0.5) / (c["watched_days"].clip(lower=30) / YEAR + 0.3)
    silent = c["recency_days"].fillna(c["watched_days"])
    promotions = np.log((c["reduced_lines"] + 2) / (c["reduced_lines_usual"] + 2))
    seen = c["orders_before"].clip(upper=20)
    habit = np.log((c["coupon_orders"] + 1) / (c["coupon_chances"] + 3))
    columns = {
        "rate": np.log(rate),
        "quarter": np.log1p(c["orders_last_quarter"]),
        "half": np.log1p(c["orders_last_half"]),
        "year": np.log1p(c["orders_last_year"]),
        "missed": np.log1p(silent / YEAR * rate),
        "recency": np.log1p(silent),
        "never": c["orders_before"] == 0,
        "known": np.log1p(c["known_days"]),
        "same_season": np.log1p(c["orders_same_season"]),
        "season": np.log(c["shop_season"].clip(lower=0.1)),
        "age": (c["age_years"].fillna(USUAL_AGE).clip(18, 90) - USUAL_AGE) / AGE_SPREAD,
        "age_unknown": c["age_years"].isna(),
        "spend": np.log1p(c["order_amount"].fillna(0.0).clip(lower=0)),
        "promotions": promotions,
        "reduced": (c["reduced_share"].fillna(0.04) * seen + 0.04 * 3) / (seen + 3) * 10,
        "coupons_used": np.log1p(c["coupon_orders"]),
        "coupons_kept": np.log1p((c["coupon_chances"] - c["coupon_orders"]).clip(lower=0)),
        "coupon_rate": np.log((c["coupon_orders"] + 0.1) / (c["sent_before"] + 1)),
        "coupon_habit": habit,
        "opens": (c["opened_before"] + 0.6) / (c["emails_before"] + 2),
        "clicks": (c["clicked_before"] + 0.12) / (c["emails_before"] + 3),
        "fatigue": c["fatigue"],
        "fresh": (1 - c["days_since_contact"].fillna(YEAR) / RESPONSE_DAYS).clip(0, 1),
        "bounced": np.log1p(c["bounced_before"]),
        "talks": np.log1p(c["talks_last_half"]),
        "visits": np.log1p(c["visits_last_half"]),
        **_message(c, promotions=promotions, habit=habit),
    }
    table = pd.DataFrame({name: np.asarray(v, dtype=float) for name, v in columns.items()})
    return table[list(SIGNALS)].set_index(c.index)


def with_offer(signals: pd.DataFrame, offer: Mapping[Hashable, Any]) -> pd.DataFrame:
    """The same customers, all met with one message.

    Parameters
    ----------
    signals : pandas.DataFrame
        From `contact_signals`.
    offer : mapping
        channel, kind, coupons, depth (share), as in a row of `offers_made`.

    Returns
    -------
    pandas.DataFrame
        As `contact_signals`; the taste of customers for the offer is not known.
    """
    met = {"promotions": signals["promotions"], "habit": signals["coupon_habit"]}
    said = _message(pd.Series({**offer, "taste": np.nan}), **met)
    return signals.assign(**{name: np.asarray(v, dtype=float) for name, v in said.items()})


def _message(c: pd.DataFrame | pd.Series, *, promotions: Any, habit: Any) -> dict[str, Any]:
    """Signals of what is said: of one message each, or of one for all."""
    # Twice the reduction does not add twice as much.
    depth = np.sqrt(c["depth"])
    return {
        "coupons": np.log1p(c["coupons"]),
        "taste": np.nan_to_num(np.asarray(c["taste"], dtype=float), nan=0.1),
        "depth": depth,
        "depth_for_lovers": depth * (promotions + habit),
        "gift": c["kind"] == "gift",
        **{f"by_{name}": c["channel"] == name for name in CONTACT_CHANNELS},
    }
