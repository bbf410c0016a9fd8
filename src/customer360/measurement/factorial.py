"""Several things tried at once: main effects and interactions of a factorial test."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from customer360.measurement.assignment import SampleRatioError, check_sample_ratio

__all__ = ["FACTORS", "factorial_effects", "factorial_tests", "half_fraction", "sound_tests"]

#: What a campaign's variants may differ in.
FACTORS = ("theme", "image", "offer_id")


def factorial_effects(
    results: pd.DataFrame,
    *,
    outcome: str,
    factors: Mapping[str, tuple[str, str]],
    before: tuple[str, ...] = (),
    order: int = 2,
    level: float = 0.95,
) -> pd.DataFrame:
    """Effects of two-level factors and of their interactions.

    Parameters
    ----------
    results : pandas.DataFrame
        One row per customer contacted: the outcome, one column per factor, `before`.
    outcome : str
    factors : dict of str to (low, high)
        Factor -> its two values. An effect is that of the second against the first.
    before : tuple of str
        Covariates known before the draw; they sharpen.
    order : int
        Highest interaction: 1 main effects only, 2 pairs too.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per term: term ("theme", "theme × image"), effect (mean of the outcome at
        the high level less that at the low one; for pairs, half the difference that one
        factor's level makes to the other's effect), low, high, p_value. Terms that the
        design cannot tell apart are named together ("theme = image × offer").

    References
    ----------
    Box, G. E. P., Hunter, J. S. and Hunter, W. G. (2005). Statistics for Experimenters,
    chapters 5 and 6. Errors are HC3 (MacKinnon and White 1985): variances may differ.
    """
    codes = {}
    for name, (low, high) in factors.items():
        value = results[name].to_numpy(object)
        strange = sorted({str(v) for v in set(value) - {low, high}})
        if strange:
            raise ValueError(f"factor {name!r} has values {strange} beside {low!r} and {high!r}")
        codes[name] = np.where(value == high, 1.0, -1.0)
    columns: dict[str, np.ndarray] = {}
    for size in range(1, order + 1):
        for names in combinations(codes, size):
            contrast = np.prod([codes[n] for n in names], axis=0)
            if abs(contrast.mean()) == 1:
                continue
            alias = next(
                (
                    other
                    for other, known in columns.items()
                    if abs(np.corrcoef(known, contrast)[0, 1]) > 1 - 1e-9
                ),
                None,
            )
            term = " × ".join(names)
            if alias is None:
                columns[term] = contrast
            else:
                columns[f"{alias} = {term}"] = columns.pop(alias)
    known = [results[name].to_numpy(float) - results[name].mean() for name in before]
    design = np.column_stack([np.ones(len(results)), *columns.values(), *known])
    fit = OLS(results[outcome].to_numpy(float), design).fit(cov_type="HC3")
    interval = fit.conf_int(alpha=1 - level)
    wanted = slice(1, 1 + len(columns))
    return pd.DataFrame(
        {
            "term": list(columns),
            # From -1 to 1 is two steps.
            "effect": 2 * fit.params[wanted],
            "low": 2 * interval[wanted, 0],
            "high": 2 * interval[wanted, 1],
            "p_value": fit.pvalues[wanted],
        }
    )


def factorial_tests(campaigns: pd.DataFrame) -> dict[str, dict[str, tuple[str, str]]]:
    """Campaigns whose variants are all combinations of two-level factors, or half of them.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        Contract `campaigns`.

    Returns
    -------
    dict of str to dict of str to (str, str)
        campaign_id -> factor -> its two values, in the order of the alphabet.
    """
    found = {}
    for campaign, group in campaigns.groupby("campaign_id", sort=True):
        values = {f: sorted(group[f].dropna().unique()) for f in FACTORS}
        two = {f: (v[0], v[1]) for f, v in values.items() if len(v) == 2}
        arms = len(group[list(two)].drop_duplicates())
        varied = len(two) >= 2 and len(group) == arms and group[list(two)].notna().all(axis=None)
        if varied and arms in (2 ** len(two), 2 ** (len(two) - 1)) and arms > 2:
            found[str(campaign)] = two
    return found


def sound_tests(
    tests: Mapping[str, Mapping[str, tuple[str, str]]], contacts: pd.DataFrame
) -> tuple[dict[str, Mapping[str, tuple[str, str]]], list[str]]:
    """Tests whose variants came back in equal numbers, as such tests are drawn.

    Parameters
    ----------
    tests : dict
        From `factorial_tests`.
    contacts : pandas.DataFrame
        campaign_id, variant: sent or held out.

    Returns
    -------
    tests : dict
        Those to be read.
    reasons : list of str
        Why the others are not (`assignment.check_sample_ratio`).
    """
    sound: dict[str, Mapping[str, tuple[str, str]]] = {}
    reasons = []
    for test, factors in tests.items():
        counts = contacts.loc[contacts["campaign_id"] == test, "variant"].value_counts()
        try:
            check_sample_ratio(
                {str(arm): int(n) for arm, n in counts.items()},
                shares=dict.fromkeys(sorted(map(str, counts.index)), 1.0),
                test=test,
            )
        except SampleRatioError as error:
            reasons.append(str(error))
        else:
            sound[test] = factors
    return sound, reasons


def half_fraction(factors: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Half of all combinations, chosen so that main effects stay apart.

    Parameters
    ----------
    factors : dict of str to (low, high)
        Three or more.

    Returns
    -------
    pandas.DataFrame
        One row per arm, one column per factor: the last factor is the product of the
        others (resolution = number of factors; Box, Hunter and Hunter, chapter 6).
    """
    names = list(factors)
    if len(names) < 3:
        raise ValueError("a half fraction needs three factors or more: use all combinations")
    signs = np.array(np.meshgrid(*[[-1, 1]] * (len(names) - 1), indexing="ij"))
    signs = signs.reshape(len(names) - 1, -1).T
    signs = np.column_stack([signs, signs.prod(axis=1)])
    return pd.DataFrame(
        {
            name: np.where(signs[:, i] > 0, factors[name][1], factors[name][0])
            for i, name in enumerate(names)
        }
    )
