"""Profiles of classes and segments, in numbers that a marketer reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.contracts import POTENTIAL_CLASSES
from customer360.segmentation.micro import SEGMENT_FEATURES, explained_share

__all__ = [
    "class_shares",
    "portray_segments",
    "profile_segments",
    "quality_intervals",
    "segment_quality",
]

RANDOM_SEGMENTS = 20


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
    traits = [n for n in SEGMENT_FEATURES if n in features and features[n].nunique() > 1]
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
        segments, smallest_segment (customers), value_variance_explained (`explained_share`)
        and random_variance_explained: the same of segments of equal sizes drawn at random.
    """
    sizes = segment.groupby(segment.to_numpy()).size()
    value, labels = future_margin.to_numpy(dtype=float), segment.to_numpy()
    rng = np.random.default_rng(0)
    at_random = [explained_share(rng.permutation(labels), value) for _ in range(RANDOM_SEGMENTS)]
    return {
        "segments": float(len(sizes)),
        "smallest_segment": float(sizes.min()),
        "value_variance_explained": explained_share(labels, value),
        "random_variance_explained": float(np.mean(at_random)),
    }


def quality_intervals(
    segment: pd.Series,
    future_margin: pd.Series,
    *,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 360,
) -> dict[str, tuple[float, float]]:
    """Where `segment_quality` would lie had the customers been others.

    Percentiles of a bootstrap over customers (Efron and Tibshirani 1993, ch. 13). Sizes are
    counted, not estimated: they have none.

    Returns
    -------
    dict
        value_variance_explained to its lower and upper end.
    """
    labels, value = segment.to_numpy(), future_margin.to_numpy(dtype=float)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(labels), len(labels)) for _ in range(resamples))
    found = [explained_share(labels[rows], value[rows]) for rows in drawn]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return {"value_variance_explained": (float(low), float(high))}


def portray_segments(features: pd.DataFrame, assigned: pd.DataFrame) -> pd.DataFrame:
    """One line on each segment, from its own figures.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`.
    assigned : pandas.DataFrame
        segment, on the index of `features`.

    Returns
    -------
    pandas.DataFrame
        segment, portrait: such as ``"1,204 customers (8 %) who bring 31 % of the margin: a
        purchase every 21 days, 98 each time, last one 12 days ago."``
    """
    table = features.assign(segment=assigned["segment"])
    by = table.groupby("segment")
    share = by.size() / max(len(table), 1)
    margin = by["margin"].sum() / (table["margin"].sum() or 1.0)
    middle = by[["recency_days", "monetary_value", "frequency", "gap_mean_days"]].median()
    told: list[pd.Series] = [by.size(), share, margin, *(middle[name] for name in middle)]
    lines = [_portrait(*row) for row in zip(*(column.tolist() for column in told), strict=True)]
    return pd.DataFrame({"segment": share.index.to_numpy(), "portrait": lines})


def _portrait(
    size: int,
    share: float,
    margin: float,
    recency: float,
    basket: float,
    frequency: float,
    gap: float,
) -> str:
    # Who bought once has no pause: the pauses of the few others are not the segment's.
    seldom = frequency < 2 or np.isnan(gap)
    rhythm = "bought once" if seldom else f"a purchase every {gap:.0f} days"
    return (
        f"{size:,} customers ({share:.0%}) who bring {margin:.0%} of the margin: {rhythm}, "
        f"{basket:,.0f} each time, last one {recency:.0f} days ago."
    )
