"""How well a score puts those who did first: two areas, without loading scikit-learn.

Both are scikit-learn's, ties included, in a few array operations: bootstraps ask hundreds of
times, and most stages need nothing else of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["average_precision", "roc_auc"]


def roc_auc(actual: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> float:
    """Chance that somebody who did scores above somebody who did not.

    Parameters
    ----------
    actual : array of bool
        Whether it happened.
    score : array of float
    weight : array of float, optional
        How many each one stands for.

    Returns
    -------
    float
        Empty where all did, or none.

    Raises
    ------
    ValueError
        When a score is unknown.
    """
    hits, named = _down_the_ranking(actual, score, weight)
    others = named - hits
    if not len(hits) or hits[-1] == 0 or others[-1] == 0:
        return float("nan")
    return float(np.trapezoid(np.r_[0, hits], np.r_[0, others]) / (hits[-1] * others[-1]))


def average_precision(
    actual: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None
) -> float:
    """Share of hits among those named first, averaged over the hits.

    Parameters
    ----------
    actual, score, weight : array
        As for `roc_auc`.

    Returns
    -------
    float
        0 where nobody did.

    Raises
    ------
    ValueError
        When a score is unknown.
    """
    hits, named = _down_the_ranking(actual, score, weight)
    if not len(hits) or hits[-1] == 0:
        return 0.0
    return float((np.diff(hits, prepend=0) * hits / named).sum() / hits[-1])


def _down_the_ranking(
    actual: ArrayLike, score: ArrayLike, weight: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    """Hits and everybody, counted from the highest score to the end of each tie."""
    y, s = np.asarray(actual, dtype=float), np.asarray(score, dtype=float)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    if np.isnan(s).any():
        raise ValueError("a score is unknown: nobody can be ranked by it")
    order = np.argsort(-s, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(s[order]) != 0, True)) if len(s) else order
    return np.cumsum((y * w)[order])[ends], np.cumsum(w[order])[ends]
