"""A response model that expects the same of everybody, for tests."""

from __future__ import annotations

import numpy as np

from customer360.models.uplift import PARTS, UpliftModel


def same_for_all(
    *,
    without: float = 0.1,
    pull: float,
    push: float = 1e-6,
    use: float = -1.0,
    deeper: float = 0.0,
    variance: float = 1e-4,
) -> UpliftModel:
    """Orders of one person without a message, those it pulls, the share it puts off.

    `use` is the log-odds that an order bears the coupon, `deeper` what a deeper reduction adds
    to the logarithm of the pull.
    """
    level = {"without": np.log(without), "pull": np.log(pull), "push": np.log(push), "use": use}
    weights = {part: np.r_[level[part], np.zeros(len(PARTS[part]))] for part in PARTS}
    weights["pull"][1 + PARTS["pull"].index("depth")] = deeper
    names = sorted({name for part in PARTS.values() for name in part})
    return UpliftModel(
        centre=dict.fromkeys(names, 0.0),
        scale=dict.fromkeys(names, 1.0),
        weights=weights,
        attention={},
        covariance=np.eye(sum(map(len, weights.values()))) * variance,
    )
