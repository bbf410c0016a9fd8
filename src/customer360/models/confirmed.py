"""How much of what the response model hopes for do past hold-outs confirm?

A coupon used on an order that came anyway can look like one that brought it, and a message
without a reduction has no coupon to tell: the pull of both is partly guessed, and who picks the
best of many guesses picks some that were too high. The draw of past hold-outs bears on all of
them alike: had a message not pulled as much as the model says, those sent would lack the
difference beside those held out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.models.uplift import UpliftModel

__all__ = ["confirmed_pull"]

# The share is taken to be all of the pull, give or take so much, until the draw says otherwise.
SPREAD = 0.3
_TINY = 1e-9


def confirmed_pull(
    model: UpliftModel, signals: pd.DataFrame, contacts: pd.DataFrame
) -> dict[str, float]:
    """Share of the pull that hold-outs confirm, at its lower end.

    Parameters
    ----------
    model : UpliftModel
    signals : pandas.DataFrame
        From `features.contact_signals`.
    contacts : pandas.DataFrame
        The same rows, of past campaigns: treated, propensity (share sent of the campaign), depth,
        orders, redeemed.

    Returns
    -------
    dict of str to float
        Between 0 and 1, one standard error below the mean: of messages with a `reduction` and of
        `plain` ones.

    Notes
    -----
    Orders without coupon, less those foretold, are regressed on the pull times the draw (sent or
    not, less the chance of it: a campaign that held nobody out says nothing). The slope, plus 1,
    is the share. Orders are Poisson counts, so each weighs by one over those that come anyway.
    """
    m, pull, push, use = model.parts(signals)[["without", "pull", "push", "use"]].to_numpy().T
    treated, deep = contacts["treated"].to_numpy(float), contacts["depth"].to_numpy(float) > 0
    coupon = treated * deep
    others = contacts["orders"].to_numpy(float) - contacts["redeemed"].to_numpy(float) * coupon
    told = m * (1 - treated * push) * (1 - use * coupon) + (treated - coupon) * pull
    drawn = (treated - contacts["propensity"].to_numpy(float)) * pull
    weight = 1 / (m + _TINY)
    return {
        kind: _lower_end(drawn[rows], rest=(others - told)[rows], weight=weight[rows])
        for kind, rows in {"reduction": deep, "plain": ~deep}.items()
    }


def _lower_end(drawn: np.ndarray, *, rest: np.ndarray, weight: np.ndarray) -> float:
    precision = (weight * drawn**2).sum() + SPREAD**-2
    mean = 1 + (weight * drawn * rest).sum() / precision
    return float(np.clip(mean - precision**-0.5, 0.0, 1.0).round(6))
