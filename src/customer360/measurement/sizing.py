"""How many people a test needs, what it could see, and how long it would take."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import norm

__all__ = ["customers_needed", "detectable_effect", "plan_tests"]


def customers_needed(
    *,
    standard_deviation: float,
    effect: float,
    control_share: float = 0.5,
    power: float = 0.8,
    false_positive_rate: float = 0.05,
    comparisons: int = 1,
) -> int:
    """Customers of both arms together for a test to find an effect of this size.

    Parameters
    ----------
    standard_deviation : float
        Of the outcome of a customer; ``sqrt(p (1 - p))`` for a rate p. What is left after
        correcting for the past where the read-out does so.
    effect : float
        Difference of means worth finding, in the same unit.
    control_share : float
        Share held out.
    power : float
        Chance to find it.
    false_positive_rate : float
        Two-sided, of all comparisons together.
    comparisons : int
        Arms compared with control; the rate is shared among them (Bonferroni).

    Returns
    -------
    int

    References
    ----------
    Lachin, J. M. (1981). Introduction to sample size determination and power analysis for
    clinical trials. Controlled Clinical Trials 2, 93-113.
    """
    if effect == 0 or not 0 < control_share < 1:
        raise ValueError("give an effect other than 0, and a control share between 0 and 1")
    z = norm.isf(false_positive_rate / comparisons / 2) + norm.isf(1 - power)
    spread = 1 / control_share + 1 / (1 - control_share)
    return math.ceil((z * standard_deviation / effect) ** 2 * spread)


def detectable_effect(
    *,
    standard_deviation: float,
    customers: int,
    control_share: float = 0.5,
    power: float = 0.8,
    false_positive_rate: float = 0.05,
    comparisons: int = 1,
) -> float:
    """Smallest difference of means that a test of this size finds: `customers_needed` solved.

    Parameters
    ----------
    standard_deviation : float
    customers : int
        Of both arms together.
    control_share, power, false_positive_rate : float
    comparisons : int

    Returns
    -------
    float
        In the unit of the outcome; infinite without customers.
    """
    if customers <= 0:
        return math.inf
    z = norm.isf(false_positive_rate / comparisons / 2) + norm.isf(1 - power)
    spread = 1 / control_share + 1 / (1 - control_share)
    return float(z * standard_deviation * math.sqrt(spread / customers))


def plan_tests(
    usual: pd.DataFrame,
    *,
    effects: tuple[float, ...],
    customers_a_week: dict[str, float],
    control_share: float = 0.2,
) -> pd.DataFrame:
    """What each channel's usual outcome asks of a test.

    Parameters
    ----------
    usual : pandas.DataFrame
        One row per channel: channel, mean, standard_deviation of the outcome.
    effects : tuple of float
        Effects worth finding, in the unit of the outcome.
    customers_a_week : dict of str to float
        Channel -> customers that can be contacted a week.
    control_share : float

    Returns
    -------
    pandas.DataFrame
        channel, effect, customers, weeks; by channel and effect.
    """
    rows = [
        (channel, effect, needed, needed / customers_a_week[channel])
        for channel, deviation in zip(usual["channel"], usual["standard_deviation"], strict=True)
        for effect in effects
        if customers_a_week.get(channel, 0) > 0
        for needed in [
            customers_needed(
                standard_deviation=deviation, effect=effect, control_share=control_share
            )
        ]
    ]
    return pd.DataFrame(rows, columns=["channel", "effect", "customers", "weeks"])
