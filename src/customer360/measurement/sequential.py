"""Looks at a running test, as often as one likes, that keep the error they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["always_valid_interval", "daily_looks"]


def always_valid_interval(
    mean: np.ndarray,
    variance: np.ndarray,
    customers: np.ndarray,
    *,
    best_at: float,
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence sequence of a mean: the truth stays inside at all looks together.

    Parameters
    ----------
    mean, variance : array of float
        Of the first customers, at each look.
    customers : array of int
        How many those are.
    best_at : float, customers
        The size at which the interval is as narrow as can be: when one expects to decide.
        Elsewhere it is a little wider, never wrong.
    level : float
        Chance that the truth is never left.

    Returns
    -------
    low, high : array of float

    References
    ----------
    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. and Ramdas, A. (2024).
    Time-uniform central limit theory and asymptotic confidence sequences. Annals of
    Statistics 52, 2613-2640, equations (4) and (14).
    """
    alpha = 1 - level
    n = np.maximum(np.asarray(customers, dtype=float), 1)
    # rho that makes the interval narrowest at `best_at`.
    rho_squared = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / best_at
    inside = n * rho_squared + 1
    half = np.sqrt(
        np.asarray(variance, dtype=float)
        * 2 * inside / (n**2 * rho_squared)
        * np.log(np.sqrt(inside) / alpha)
    )  # fmt: skip
    return np.asarray(mean, dtype=float) - half, np.asarray(mean, dtype=float) + half


def daily_looks(
    results: pd.DataFrame,
    *,
    outcome: str,
    treated_share: float,
    best_at: float,
    before: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Read a test at the end of each day, and see when it may be stopped.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per customer whose outcome is known: day (when it became known), treated
        (bool), the outcome, and `before`.
    outcome : str
    treated_share : float
        Share that the draw treats.
    best_at : float, customers
        See `always_valid_interval`.
    before : str, optional
        A prediction of the outcome made without looking at the test; taking it away makes
        the interval narrower and cannot bias it.
    level : float

    Returns
    -------
    pandas.DataFrame
        One row per day: day, customers, effect, low, high, decided (the interval, at this
        look or an earlier one, held no 0).

    Notes
    -----
    Each customer stands for an unbiased estimate of the effect: what the outcome exceeds
    the prediction by, over the chance of the arm, negative when held out (Horvitz and
    Thompson 1952).
    """
    ordered = results.sort_values("day", kind="stable")
    treated = ordered["treated"].to_numpy(bool)
    y = ordered[outcome].to_numpy(float)
    if before is not None:
        y = y - ordered[before].to_numpy(float)
    # Centring by the days before: known when the customer's arm is drawn.
    y = y - _earlier_mean(y)
    score = np.where(treated, y / treated_share, -y / (1 - treated_share))
    n = np.arange(1, len(score) + 1)
    mean = np.cumsum(score) / n
    variance = np.maximum(np.cumsum(score**2) / n - mean**2, 0)
    day = ordered["day"].to_numpy()
    ends = np.flatnonzero(np.append(day[1:] != day[:-1], True)[: len(day)])
    low, high = always_valid_interval(
        mean[ends], variance[ends], n[ends], best_at=best_at, level=level
    )
    return pd.DataFrame(
        {
            "day": day[ends],
            "customers": n[ends],
            "effect": mean[ends],
            "low": low,
            "high": high,
            "decided": np.logical_or.accumulate((low > 0) | (high < 0)),
        }
    )


def _earlier_mean(y: np.ndarray) -> np.ndarray:
    """Mean of the customers before each; 0 for the first."""
    return np.r_[0.0, np.cumsum(y)[:-1]] / np.maximum(np.arange(len(y)), 1)
