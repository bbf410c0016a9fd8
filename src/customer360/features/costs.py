"""What a customer costs a day, from what it cost so far."""

from __future__ import annotations

import pandas as pd

__all__ = ["cost_per_day"]

# A customer of a week with one call would otherwise cost a call a week for ever.
LEAST_DAYS = 90


def cost_per_day(features: pd.DataFrame) -> pd.DataFrame:
    """Past cost to serve and to contact, per day of tenure.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`, rows of one `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row per customer_id: cost_per_day (currency a day).
    """
    cost = features["cost_to_serve"].fillna(0.0) + features["cost_to_contact"].fillna(0.0)
    days = features["tenure_days"].clip(lower=LEAST_DAYS)
    return pd.DataFrame({"customer_id": features["customer_id"], "cost_per_day": cost / days})
