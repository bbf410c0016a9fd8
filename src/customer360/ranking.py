"""How well a score puts those who did first: two areas, by scikit-learn.

It is loaded when it is asked: most stages need nothing else of it, and start without.
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
    from sklearn.metrics import roc_auc_score

    y, w = np.asarray(actual, dtype=bool), _weights(actual, weight)
    if not w[y].sum() or not w[~y].sum():
        return float("nan")
    return float(roc_auc_score(y, _known(score), sample_weight=weight))


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
    from sklearn.metrics import average_precision_score

    y = np.asarray(actual, dtype=bool)
    if not _weights(actual, weight)[y].sum():
        return 0.0
    return float(average_precision_score(y, _known(score), sample_weight=weight))


def _weights(actual: ArrayLike, weight: ArrayLike | None) -> np.ndarray:
    return np.ones(np.shape(actual)) if weight is None else np.asarray(weight, dtype=float)


def _known(score: ArrayLike) -> np.ndarray:
    found = np.asarray(score, dtype=float)
    if np.isnan(found).any():
        raise ValueError("a score is unknown: nobody can be ranked by it")
    return found
