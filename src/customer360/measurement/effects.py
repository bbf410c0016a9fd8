"""What a contact changed: arms of a randomised test compared, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t
from statsmodels.stats.multitest import multipletests

__all__ = ["Effect", "arm_effects", "campaign_results", "measure_effect"]

_LEVEL = 0.95


class Effect(NamedTuple):
    """A difference of means, treated less control, per customer.

    Parameters
    ----------
    effect, low, high : float
        In the unit of the outcome; low and high hold the truth 95 times in 100.
    standard_error : float
    p_value : float
        Two-sided, that there is none.
    treated, control : int
        Customers.
    control_mean : float
        As found, uncorrected.
    """

    effect: float
    low: float
    high: float
    standard_error: float
    p_value: float
    treated: int
    control: int
    control_mean: float


def measure_effect(
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    before: ArrayLike | None = None,
    level: float = _LEVEL,
) -> Effect:
    """Difference of means between arms, made sharper by what was known before.

    Parameters
    ----------
    outcome : array of float
        Of one customer each: an order (0 or 1), revenue, margin.
    treated : array of bool
    before : array of float, customers or customers x covariates, optional
        What was known when the arms were drawn, such as the margin of the year before.
        Never something that the contact may have changed.
    level : float
        Of the interval.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        With fewer than two customers in an arm.

    Notes
    -----
    The correction is CUPED (Deng, Xu, Kohavi and Walker 2013) with one slope for both arms.
    Both share one variance, too. Spending is heavy-tailed and few are held out: the
    variance of a small arm is low whenever its mean is, and intervals that trust it are
    missed by the truth in 6 to 11 tests of 100 (`benchmarks/intervals.py`), those with
    a common variance in 3 or 4. A contact that works makes it too large, not too small.
    """
    y, arm = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=bool)
    control, contacted = int((~arm).sum()), int(arm.sum())
    if min(control, contacted) < 2:
        raise ValueError(
            f"an arm has {min(control, contacted)} customers: a comparison needs two at least "
            "in each"
        )
    x = np.empty((len(y), 0)) if before is None else np.asarray(before, dtype=float)
    x = x.reshape(len(y), -1)
    design = np.column_stack([np.ones(len(y)), arm, x - x.mean(axis=0)])
    fit, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    rest, freedom = y - design @ fit, max(len(y) - rank, 1)
    error = float(np.sqrt(rest @ rest / freedom * (1 / contacted + 1 / control)))
    half = t.ppf((1 + level) / 2, freedom) * error
    effect = float(fit[1])
    return Effect(
        effect=effect,
        low=effect - half,
        high=effect + half,
        standard_error=error,
        p_value=float(2 * t.sf(abs(effect) / error, freedom)) if error else 1.0,
        treated=contacted,
        control=control,
        control_mean=float(y[~arm].mean()),
    )


def arm_effects(
    results: pd.DataFrame,
    *,
    outcome: str,
    control: str,
    before: Sequence[str] = (),
) -> pd.DataFrame:
    """Each arm of a test against control, with false positives held over all of them.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per customer: arm, the outcome and the columns of `before`.
    outcome : str
    control : str
        Name of the arm that was held out.
    before : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row per arm but control, by name: arm, the fields of `Effect`, and
        adjusted_p_value (Holm 1979).
    """
    held = results["arm"].to_numpy() == control
    rows = []
    for arm in sorted(set(results["arm"]) - {control}):
        part = results[held | (results["arm"].to_numpy() == arm)]
        known = part[list(before)].to_numpy(float) if before else None
        found = measure_effect(part[outcome], part["arm"].to_numpy() == arm, before=known)
        rows.append({"arm": arm, **found._asdict()})
    table = pd.DataFrame(rows, columns=["arm", *Effect._fields])
    if len(table):
        table["adjusted_p_value"] = multipletests(table["p_value"], method="holm")[1]
    return table


def campaign_results(
    outcomes: pd.DataFrame, *, outcome: str = "margin", before: Sequence[str] = ()
) -> pd.DataFrame:
    """What each campaign and variant earned against the customers it held out.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        From `outcomes.contact_outcomes`.
    outcome : str
        Column in currency.
    before : sequence of str
        Covariates, such as ("orders_before", "margin_before").

    Returns
    -------
    pandas.DataFrame
        One row per campaign_id and variant, by id: channel, contacted, held_out (customers
        of the whole campaign, which all its variants are compared with), effect, low, high
        and p_value per contact; incremental, incremental_low, incremental_high: effect x
        contacted; cost; earned (incremental less cost), return (earned / cost). Without two
        customers held out, all that is unknown is empty, and `tested` is False.
    """
    rows = []
    for (campaign, channel), group in outcomes.groupby(["campaign_id", "channel"], sort=True):
        held = group[group["held_out"]]
        for variant, sent in group[group["sent"]].groupby("variant", sort=True, dropna=False):
            row = {
                "campaign_id": campaign,
                "variant": variant,
                "channel": channel,
                "contacted": len(sent),
                "held_out": len(held),
                "cost": float(sent["cost"].sum()),
                "tested": min(len(held), len(sent)) >= 2,
            }
            if row["tested"]:
                part = pd.concat([sent, held])
                known = part[list(before)].to_numpy(float) if before else None
                treated = np.arange(len(part)) < len(sent)
                row |= measure_effect(part[outcome], treated, before=known)._asdict()
            rows.append(row)
    wanted = ["effect", "low", "high", "p_value"]
    first = ["campaign_id", "variant", "channel", "tested", "contacted", "held_out", "cost"]
    table = pd.DataFrame(rows).reindex(columns=[*first, *wanted])
    for name, source in (("", "effect"), ("_low", "low"), ("_high", "high")):
        table[f"incremental{name}"] = table[source] * table["contacted"]
    table["earned"] = table["incremental"] - table["cost"]
    table["return"] = table["earned"] / table["cost"].where(table["cost"] > 0)
    return table
