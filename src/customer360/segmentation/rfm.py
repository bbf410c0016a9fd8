"""RFM scores from 1 to 5."""

from __future__ import annotations

import pandas as pd

__all__ = ["fifths", "rfm_scores"]


def rfm_scores(features: pd.DataFrame) -> pd.DataFrame:
    """Score recency, frequency and monetary value by fifths.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer_id; columns recency_days, frequency, monetary_value.

    Returns
    -------
    pandas.DataFrame
        customer_id, r_score, f_score, m_score: 5 is the most recent, most frequent,
        highest fifth. Equal values always get equal scores, so fifths may be uneven.

    Notes
    -----
    Hughes, A. M. (1994), *Strategic Database Marketing*.
    """
    return pd.DataFrame(
        {
            "customer_id": features["customer_id"],
            "r_score": fifths(-features["recency_days"]),
            "f_score": fifths(features["frequency"]),
            "m_score": fifths(features["monetary_value"]),
        }
    )


def fifths(values: pd.Series) -> pd.Series:
    """Fifth of each value, 1 (lowest, or missing) to 5; equal values share the middle of theirs."""
    middle = (values.rank(method="average") - 0.5) / max(len(values), 1)
    return (middle.fillna(0.0) * 5).floordiv(1).clip(0, 4).astype("int64") + 1
