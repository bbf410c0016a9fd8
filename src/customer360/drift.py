"""Is today's population still the one a model learnt from?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["population_stability_index"]


def population_stability_index(
    reference: ArrayLike, current: ArrayLike, *, bins: int = 10
) -> float:
    """How far a score has moved: PSI over tenths of the reference.

    Parameters
    ----------
    reference, current : array of float
        Values then and now; missing ones are left out.
    bins : int
        Groups of equal size in the reference.

    Returns
    -------
    float
        0 for the same distribution; by custom below 0.1 nothing has moved, above 0.25 the
        model must be looked at again. 0 when either side is empty.
    """
    then = np.asarray(reference, dtype=float)
    now = np.asarray(current, dtype=float)
    then, now = then[~np.isnan(then)], now[~np.isnan(now)]
    if not len(then) or not len(now):
        return 0.0
    edges = np.unique(np.quantile(then, np.linspace(0, 1, bins + 1)[1:-1]))
    # Half a case a group: an empty one would be infinitely far.
    shares = []
    for values in (then, now):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        shares.append((counts + 0.5) / (counts + 0.5).sum())
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
