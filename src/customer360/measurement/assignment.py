"""Who gets which arm of a test, and whether the arms that came back are those that left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import chdtrc

from customer360.linkage.engine_tables import as_arrow, working_connection

__all__ = ["SampleRatioError", "assign_arms", "balance_table", "check_sample_ratio"]

# Once in 200 sound tests: rarer, and losses of a tenth of an arm of 5,000 would pass.
MISMATCH_P_VALUE = 0.005
# 52 bits: the most that a double holds exactly.
_BITS = 52


class SampleRatioError(ValueError):
    """The arms of a test do not have the sizes they were drawn with."""


def assign_arms(
    customers: Any, *, test: str, shares: Mapping[str, float], salt: str = "customer360"
) -> pa.Table:
    """Draw an arm for each customer, the same whenever and wherever it is drawn.

    Parameters
    ----------
    customers : frame
        Read is customer_id; one draw each.
    test : str
        Name of the test: another test draws anew, independently of this one.
    shares : dict of str to float
        Arm -> share; they sum to 1.
    salt : str
        Keeps tests of different brands apart.

    Returns
    -------
    pyarrow.Table
        customer_id, arm; by customer_id.

    Raises
    ------
    ValueError
        If shares are not positive or do not sum to 1.

    Notes
    -----
    The draw is the SHA-256 of salt, test and customer, read as a number between 0 and 1
    (Kohavi, Tang and Xu 2020, chapter 14): no list of draws need be kept.
    """
    sizes = np.array(list(shares.values()), dtype=float)
    if len(sizes) == 0 or (sizes <= 0).any() or abs(sizes.sum() - 1) > 1e-9:
        raise ValueError(
            f"shares of test {test!r} are {dict(shares)}: give each arm a share above 0, "
            "and let them sum to 1"
        )
    ends = np.cumsum(sizes)
    ends[-1] = 1.0
    with working_connection() as connection:
        connection.register("customers", as_arrow(customers))
        arms = pa.table({"arm": list(shares), "upto": ends, "since": np.r_[0.0, ends[:-1]]})
        connection.register("arms", arms)
        return connection.sql(
            f"""
            with drawn as (
                select distinct customer_id,
                       cast('0x' || sha256(concat_ws('|', $salt, $test, customer_id))[:13]
                            as bigint) / {2**_BITS}::double as place
                from customers
            )
            select customer_id, arm from drawn join arms on place >= since and place < upto
            order by customer_id
            """,
            params={"salt": salt, "test": test},
        ).to_arrow_table()


def check_sample_ratio(
    counts: Mapping[str, int], *, shares: Mapping[str, float], test: str = ""
) -> float:
    """Stop a read-out whose arms do not have the sizes they were drawn with.

    Parameters
    ----------
    counts : dict of str to int
        Arm -> customers that came back.
    shares : dict of str to float
        Arm -> share drawn.
    test : str
        Named in the error.

    Returns
    -------
    float
        p-value of the chi-square test: how often sound arms differ as much.

    Raises
    ------
    SampleRatioError
        Where it is below 0.005. Something lost or doubled people of an arm, so that the
        arms no longer compare (Fabijan et al. 2019); no correction mends that.
    """
    arms = list(shares)
    observed = np.array([counts.get(arm, 0) for arm in arms], dtype=float)
    drawn = np.array([shares[arm] for arm in arms], dtype=float)
    if observed.sum() == 0:
        return 1.0
    expected = drawn / drawn.sum() * observed.sum()
    # As scipy.stats.chisquare, which spends a hundred times longer on looking at its input.
    p_value = float(chdtrc(len(arms) - 1, ((observed - expected) ** 2 / expected).sum()))
    if p_value < MISMATCH_P_VALUE:
        told = ", ".join(
            f"{arm} {int(n)} (expected {e:.0f})"
            for arm, n, e in zip(arms, observed, expected, strict=True)
        )
        raise SampleRatioError(
            f"test {test!r}: the arms came back as {told}; chance does so once in "
            f"{1 / max(p_value, 1e-12):,.0f} tests. Find what lost or doubled them (bounces "
            "of one arm only, a filter after the draw, a late export) before reading the result"
        )
    return p_value


def balance_table(arms: pd.DataFrame, *, traits: Sequence[str], control: str) -> pd.DataFrame:
    """How like each other the arms are in what was known before.

    Parameters
    ----------
    arms : pandas.DataFrame
        One row per customer: arm and the traits (numbers).
    traits : sequence of str
    control : str

    Returns
    -------
    pandas.DataFrame
        arm, trait, mean, control_mean, standardised_difference (of standard deviations;
        beyond 0.1 is worth a look, Austin 2009).
    """
    by_arm = arms.groupby("arm")[list(traits)].agg(["mean", "var"])
    rows = [
        {
            "arm": arm,
            "trait": trait,
            "mean": by_arm.loc[arm, (trait, "mean")],
            "control_mean": by_arm.loc[control, (trait, "mean")],
            "standardised_difference": (
                by_arm.loc[arm, (trait, "mean")] - by_arm.loc[control, (trait, "mean")]
            )
            / max(
                np.sqrt(
                    (by_arm.loc[arm, (trait, "var")] + by_arm.loc[control, (trait, "var")]) / 2
                ),
                1e-12,
            ),
        }
        for arm in by_arm.index
        if arm != control
        for trait in traits
    ]
    return pd.DataFrame(rows)
