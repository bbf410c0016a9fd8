"""Profiles of classes and segments, in numbers that a marketer reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.contracts import POTENTIAL_CLASSES
from customer360.segmentation.micro import SEGMENT_FEATURES

__all__ = ["class_shares", "profile_segments", "segment_quality"]


def class_shares(classes: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Weight of each potential class.

    Parameters
    ----------
    classes : pandas.DataFrame
        customer_id, potential_class.
    features : pandas.DataFrame
        Contract `features`.

    Returns
    -------
    pandas.DataFrame
        One row per class, empty ones included: potential_class, customers,
        customers_share, margin_share.
    """
    table = classes.merge(features[["customer_id", "margin"]], on="customer_id")
    sums = table.groupby("potential_class")["margin"].agg(["size", "sum"])
    sums = sums.reindex(POTENTIAL_CLASSES, fill_value=0)
    return pd.DataFrame(
        {
            "potential_class": sums.index,
            "customers": sums["size"].to_numpy(),
            "customers_share": (sums["size"] / max(sums["size"].sum(), 1)).to_numpy(),
            "margin_share": (sums["sum"] / (sums["sum"].sum() or 1.0)).to_numpy(),
        }
    )


def profile_segments(
    features: pd.DataFrame, assigned: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Describe each micro-segment.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`.
    assigned : pandas.DataFrame
        segment, segment_name, on the index of `features`.

    Returns
    -------
    profile : pandas.DataFrame
        One row per segment: segment_name, customers, margin_share, margin (average, currency),
        recency_days, frequency, monetary_value (medians).
    ranks : pandas.DataFrame
        Index segment_name; average rank of each trait, from -0.5 to 0.5.
    """
    table = features.assign(segment=assigned["segment"], segment_name=assigned["segment_name"])
    by = table.groupby(["segment", "segment_name"])
    profile = by.agg(
        customers=("customer_id", "size"),
        margin_share=("margin", "sum"),
        margin=("margin", "mean"),
        recency_days=("recency_days", "median"),
        frequency=("frequency", "median"),
        monetary_value=("monetary_value", "median"),
    ).reset_index()
    profile["margin_share"] /= profile["margin_share"].sum() or 1.0
    traits = [n for n in SEGMENT_FEATURES if features[n].nunique() > 1]
    ranks = features[traits].rank(pct=True).fillna(0.5) - 0.5
    means = ranks.groupby(table["segment"]).mean()
    means.index = profile.set_index("segment")["segment_name"].reindex(means.index)
    return profile.drop(columns="segment"), means


def segment_quality(segment: pd.Series, future_margin: pd.Series) -> dict[str, float]:
    """How much the segment tells of what customers then bring.

    Parameters
    ----------
    segment : pandas.Series
        Segment of each customer, from what was known before.
    future_margin : pandas.Series
        Margin after, currency, in the same order.

    Returns
    -------
    dict
        segments, smallest_segment (customers), and value_variance_explained: share of
        the variance of log(1 + margin) between segments (eta squared); a few giants
        would decide alone on the plain scale.
    """
    value = np.log1p(future_margin.to_numpy(dtype=float).clip(min=0))
    groups = pd.Series(value).groupby(segment.to_numpy())
    sizes = groups.size()
    total = ((value - value.mean()) ** 2).sum()
    between = (sizes * (groups.mean() - value.mean()) ** 2).sum()
    return {
        "segments": float(len(sizes)),
        "smallest_segment": float(sizes.min()),
        "value_variance_explained": float(between / total) if total > 0 else 0.0,
    }
