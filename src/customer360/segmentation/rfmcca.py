"""RFMCCA scored: a letter from 1 to 5 each, and one score of potential."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from customer360.segmentation.rfm import fifths

__all__ = ["LETTERS", "fit_letter_weights", "potential_score", "rfmcca_scores"]

#: Score, the measure behind it, and whether more of it is better.
LETTERS = {
    "r_score": ("recency_days", False),
    "f_score": ("frequency", True),
    "m_score": ("monetary_value", True),
    "category_score": ("effective_categories", True),
    "channel_score": ("effective_channels", True),
    "affinity_score": ("affinity", True),
}


def rfmcca_scores(profile: pd.DataFrame) -> pd.DataFrame:
    """Score each letter by fifths of the customers.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `build_rfmcca`, one row per customer_id.

    Returns
    -------
    pandas.DataFrame
        customer_id, then `LETTERS`: integers from 1 to 5, 5 for the most recent, most
        frequent, highest, most varied, most connected. Equal values get equal scores; a
        measure that is not known for a customer gives 1, one that is known for nobody 3.
    """
    table = {"customer_id": profile["customer_id"]}
    for letter, (measure, more) in LETTERS.items():
        values = profile[measure].astype(float)
        if values.notna().any():
            table[letter] = fifths(values if more else -values)
        else:
            table[letter] = pd.Series(3, index=profile.index, dtype="int64")
    return pd.DataFrame(table)


def fit_letter_weights(scores: pd.DataFrame, future_margin: pd.Series) -> dict[str, float]:
    r"""What each letter weighs in the score of potential, learnt from what came after.

    The rank of the margin that followed is explained by the letters by least squares with
    weights that cannot be negative (Lawson and Hanson 1974): a letter never counts against
    a customer. Letters that are equal for all weigh nothing.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `rfmcca_scores`, on a day of the past.
    future_margin : pandas.Series
        What each then brought, in the same order, currency.

    Returns
    -------
    dict
        Letter to weight; they sum to 1. Equal weights when nothing explains anything.
    """
    points = _points(scores)
    rank = future_margin.rank(pct=True).to_numpy(dtype=float)
    weights, _ = nnls(points - points.mean(axis=0), rank - rank.mean())
    total = weights.sum()
    weights = weights / total if total > 0 else np.full(len(LETTERS), 1 / len(LETTERS))
    return {letter: float(w) for letter, w in zip(LETTERS, weights, strict=True)}


def potential_score(scores: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    r"""One score from 0 to 100: :math:`100 \sum_l w_l (s_l - 1) / 4`."""
    return pd.Series(
        100 * _points(scores) @ np.array([weights[letter] for letter in LETTERS]),
        index=scores.index,
    )


def _points(scores: pd.DataFrame) -> np.ndarray:
    return (scores[list(LETTERS)].to_numpy(dtype=float) - 1) / 4
