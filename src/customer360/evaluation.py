"""Compare what was predicted with what happened: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from customer360.ranking import average_precision, roc_auc

__all__ = [
    "bootstrap_gain",
    "calibration_error",
    "classification_intervals",
    "classification_metrics",
    "clv_holdout_metrics",
    "clv_intervals",
    "compare_values",
    "lift_at",
    "lift_curve",
    "poisson_deviance",
    "qini",
    "qini_curve",
    "qini_intervals",
    "reliability_table",
    "slice_metrics",
    "spearman",
    "top_share_captured",
]


def classification_metrics(
    actual: ArrayLike, probability: ArrayLike, *, prefix: str = ""
) -> dict[str, float]:
    """Ranking and calibration of a probability.

    Parameters
    ----------
    actual : array of bool
        Whether it happened.
    probability : array of float
    prefix : str
        Put before every name.

    Returns
    -------
    dict
        base_rate, roc_auc, average_precision, brier, calibration_error, lift_at_10pct.
    """
    y, p = np.asarray(actual, dtype=int), np.asarray(probability, dtype=float)
    metrics = {
        "roc_auc": roc_auc(y, p),
        "average_precision": average_precision(y, p),
        "brier": np.mean((p - y) ** 2),
        "calibration_error": calibration_error(y, p),
        "lift_at_10pct": lift_at(y, p, share=0.1),
    }
    if not prefix:
        metrics = {"base_rate": y.mean(), **metrics}
    return {prefix + name: float(value) for name, value in metrics.items()}


def classification_intervals(
    actual: ArrayLike,
    probability: ArrayLike,
    *,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 360,
) -> dict[str, tuple[float, float]]:
    """Where each of `classification_metrics` would lie had the customers been others.

    Percentiles of a bootstrap over customers (Efron and Tibshirani 1993, ch. 13). The
    calibration error of a resample holds chance twice over: its interval lies high.

    Returns
    -------
    dict
        Name of a metric to its lower and upper end; empty when all or none happened.
    """
    y, p = np.asarray(actual, dtype=int), np.asarray(probability, dtype=float)
    if y.min(initial=1) == y.max(initial=0):
        return {}
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(y), len(y)) for _ in range(resamples))
    found = pd.DataFrame(
        classification_metrics(y[rows], p[rows]) for rows in drawn if np.ptp(y[rows])
    )
    return _ends(found, level=level)


def _ends(found: pd.DataFrame, *, level: float) -> dict[str, tuple[float, float]]:
    """Percentiles of each metric over the resamples."""
    ends = found.quantile([(1 - level) / 2, (1 + level) / 2])
    return {str(name): (float(low), float(high)) for name, (low, high) in ends.items()}


def reliability_table(actual: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """Predicted against observed rate, by groups of equal size.

    Returns
    -------
    pandas.DataFrame
        One row per group of rising probability: predicted, observed (means), customers.
    """
    y, p = np.asarray(actual, dtype=float), np.asarray(probability, dtype=float)
    order = np.argsort(p, kind="stable")
    group = np.empty(len(p), dtype=int)
    group[order] = np.arange(len(p)) * min(bins, len(p)) // max(len(p), 1)
    table = pd.DataFrame({"group": group, "predicted": p, "observed": y})
    means = table.groupby("group")[["predicted", "observed"]].mean()
    return means.assign(customers=table.groupby("group").size()).reset_index(drop=True)


def slice_metrics(group: pd.Series, actual: ArrayLike, probability: ArrayLike) -> pd.DataFrame:
    """Predicted and observed rate of each group, for a model card.

    Parameters
    ----------
    group : pandas.Series
        Group of each customer; its name heads the first column.
    actual, probability : array
        Whether it happened, and what was predicted.

    Returns
    -------
    pandas.DataFrame
        One row per group, the largest first: group, customers, predicted, observed.
    """
    name = str(group.name)
    table = pd.DataFrame(
        {
            name: group.fillna("unknown").astype(str).to_numpy(),
            "predicted": np.asarray(probability, dtype=float),
            "observed": np.asarray(actual, dtype=float),
        }
    )
    means = table.groupby(name)[["predicted", "observed"]].mean()
    means.insert(0, "customers", table.groupby(name).size())
    return means.sort_values("customers", ascending=False, kind="stable").reset_index()


def calibration_error(actual: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> float:
    """Expected calibration error: mean gap between predicted and observed rates.

    Groups of equal size, so that no customer is measured in an almost empty one
    (Nixon et al. 2019, "adaptive" variant).
    """
    table = reliability_table(actual, probability, bins=bins)
    gap = (table["predicted"] - table["observed"]).abs()
    return float(np.average(gap, weights=table["customers"]))


def lift_at(actual: ArrayLike, score: ArrayLike, *, share: float) -> float:
    """How many times more often it happened among the top `share` than on average."""
    y = np.asarray(actual, dtype=float)
    top = max(1, round(len(y) * share))
    order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
    return float(y[order[:top]].mean() / y.mean()) if y.mean() > 0 else 0.0


def lift_curve(actual: ArrayLike, score: ArrayLike) -> pd.DataFrame:
    """Share of cases found when the best-scored share of customers is contacted.

    Returns
    -------
    pandas.DataFrame
        101 rows: contacted (share of customers), found (share of cases).
    """
    y = np.asarray(actual, dtype=float)
    order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
    found = np.concatenate([[0.0], np.cumsum(y[order]) / max(y.sum(), 1)])
    contacted = np.linspace(0, 1, 101)
    reached = np.interp(contacted * len(y), np.arange(len(found)), found)
    return pd.DataFrame({"contacted": contacted, "found": reached})


def poisson_deviance(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean Poisson deviance of counts; a prediction of 0 is taken as one in a million."""
    y, mu = np.asarray(actual, dtype=float), np.maximum(np.asarray(predicted, dtype=float), 1e-6)
    log_ratio = np.where(y > 0, np.log(np.where(y > 0, y, 1.0) / mu), 0.0)
    return float(2 * np.mean(y * log_ratio - (y - mu)))


def spearman(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Rank correlation; 0 where one side does not vary."""
    y, p = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    if not len(y) or np.ptp(y) == 0 or np.ptp(p) == 0:
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(y, p).statistic)


def top_share_captured(actual: ArrayLike, predicted: ArrayLike, *, share: float = 0.2) -> float:
    """Part of the real value that the customers predicted best did bring.

    Negative values count as 0: the question is how much of what came in was foreseen.
    """
    y = np.maximum(np.asarray(actual, dtype=float), 0.0)
    top = max(1, round(len(y) * share))
    order = np.argsort(-np.asarray(predicted, dtype=float), kind="stable")
    return float(y[order[:top]].sum() / y.sum()) if y.sum() > 0 else 0.0


def clv_holdout_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """Transactions against each customer's own past rate, and value, on the holdout.

    Parameters
    ----------
    predictions : pandas.DataFrame
        One row per customer, in order of customer_id, from `models.clv.predict_holdout`.

    Returns
    -------
    dict
        holdout_transactions_actual; holdout_transactions_predicted, holdout_total_error (a
        share of the actual total; -0.1 says 10 % too little), rmse_transactions,
        poisson_deviance, spearman_transactions, and the same five with prefix naive_;
        value_spearman and value_top20_share_captured where a value was predicted.
    """
    actual = predictions["holdout_transactions"].to_numpy(float)
    total = actual.sum()
    metrics = {"holdout_transactions_actual": float(total)}
    for prefix, column in (("", "predicted_transactions"), ("naive_", "naive_transactions")):
        predicted = predictions[column].to_numpy(float)
        metrics |= {
            f"{prefix}holdout_transactions_predicted": float(predicted.sum()),
            f"{prefix}holdout_total_error": float(predicted.sum() / total - 1) if total else 0.0,
            f"{prefix}rmse_transactions": float(np.sqrt(np.mean((actual - predicted) ** 2))),
            f"{prefix}poisson_deviance": poisson_deviance(actual, predicted),
            f"{prefix}spearman_transactions": spearman(actual, predicted),
        }
    if "predicted_value" in predictions:
        margin, value = predictions["holdout_margin"], predictions["predicted_value"]
        metrics["value_spearman"] = spearman(margin, value)
        metrics["value_top20_share_captured"] = top_share_captured(margin, value)
    return metrics


def clv_intervals(
    predictions: pd.DataFrame, *, resamples: int = 100, level: float = 0.95, seed: int = 360
) -> dict[str, tuple[float, float]]:
    """Where each of `clv_holdout_metrics` would lie had the customers been others.

    Percentiles of a bootstrap over customers (Efron and Tibshirani 1993, ch. 13).

    Parameters
    ----------
    predictions : pandas.DataFrame
        As for `clv_holdout_metrics`.

    Returns
    -------
    dict
        Name of a metric to its lower and upper end.
    """
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(predictions), len(predictions)) for _ in range(resamples))
    found = pd.DataFrame([clv_holdout_metrics(predictions.iloc[rows]) for rows in drawn])
    return _ends(found, level=level)


def compare_values(actual: ArrayLike, candidates: pd.DataFrame) -> pd.DataFrame:
    """Candidates for the value of a customer, side by side on the same customers.

    Parameters
    ----------
    actual : array of float
        Margin brought, currency.
    candidates : pandas.DataFrame
        One column per candidate: the value it foretold, in the same order.

    Returns
    -------
    pandas.DataFrame
        One row per candidate: candidate, value_rmse (currency), value_total_error (share of
        the total), value_spearman, value_top20_share_captured, best (flag: least value_rmse;
        of equals the first).
    """
    y = np.asarray(actual, dtype=float)
    rows = [
        {
            "candidate": name,
            "value_rmse": float(np.sqrt(np.mean((y - told) ** 2))) if len(y) else np.nan,
            "value_total_error": float(told.sum() / y.sum() - 1) if y.sum() else np.nan,
            "value_spearman": spearman(y, told),
            "value_top20_share_captured": top_share_captured(y, told),
        }
        for name, told in ((str(n), candidates[n].to_numpy(float)) for n in candidates)
    ]
    table = pd.DataFrame(rows)
    return table.assign(best=table.index == table["value_rmse"].fillna(np.inf).argmin())


def qini_curve(
    outcome: ArrayLike, treated: ArrayLike, propensity: ArrayLike, *, score: ArrayLike
) -> pd.DataFrame:
    """What contacting the best-scored share of people adds, from a randomised hold-out.

    Each person stands for an unbiased estimate of the effect of the contact,
    ``outcome / propensity`` when treated and ``-outcome / (1 - propensity)`` when held out
    (inverse-propensity weighting); the curve adds them up from the highest score down.

    Parameters
    ----------
    outcome : array of float
        What the person then did: purchases, margin...
    treated : array of bool
        Contacted, or held out.
    propensity : array of float
        Chance to be treated that the draw gave this person, strictly between 0 and 1
        unless it left no choice (treated with 1, held out with 0).
    score : array of float
        Ranks the people. Those who share a score are added together: the curve is
        straight between them, whatever their order.

    Returns
    -------
    pandas.DataFrame
        One row per distinct score, the highest first, after a row of zeros: contacted
        (share of people), gain (outcome added so far, divided by the number of all people
        ranked, so that curves of different sizes compare). The last gain is the average
        effect.

    Raises
    ------
    ValueError
        When somebody was treated whose chance was 0, or held out whose chance was 1.

    References
    ----------
    Radcliffe, N. J. (2007). Using control groups to target on predicted lift: building and
    assessing uplift models. Direct Marketing Analytics Journal, 14-21. There one share of
    hold-outs holds for all; weighting allows for one per campaign.
    """
    y, t = np.asarray(outcome, dtype=float), np.asarray(treated, dtype=bool)
    chance = np.where(t, propensity, 1 - np.asarray(propensity, dtype=float))
    if (chance <= 0).any():
        raise ValueError(
            f"{int((chance <= 0).sum())} of {len(y)} people were given what they had no chance "
            "of: propensity must be the chance to be treated"
        )
    value = np.asarray(score, dtype=float)
    order = np.argsort(-value, kind="stable")
    effect = (np.where(t, y, -y) / chance)[order]
    # The last of those who share a score.
    ends = np.flatnonzero(np.diff(value[order], append=np.nan) != 0)
    n = max(len(y), 1)
    return pd.DataFrame(
        {
            "contacted": np.r_[0.0, (ends + 1) / n],
            "gain": np.r_[0.0, np.cumsum(effect)[ends] / n],
        }
    )


def qini(curve: pd.DataFrame) -> float:
    """Area between a Qini curve and the straight line of contacting people at random.

    Parameters
    ----------
    curve : pandas.DataFrame
        From `qini_curve`.

    Returns
    -------
    float
        In the unit of the outcome, per person ranked: what a ranking adds over random
        contact, on average over all shares contacted. 0 for a useless ranking. Not divided
        by the area of a perfect ranking, which only a simulated world knows.
    """
    x, gain = curve["contacted"].to_numpy(float), curve["gain"].to_numpy(float)
    return float(np.trapezoid(gain, x) - gain[-1] / 2)


def qini_intervals(
    outcome: ArrayLike,
    treated: ArrayLike,
    propensity: ArrayLike,
    *,
    score: ArrayLike,
    customer: ArrayLike,
    resamples: int = 200,
    level: float = 0.9,
    seed: int = 360,
) -> dict[str, tuple[float, float]]:
    """Where `qini` and the area under the uplift curve would lie with other customers.

    Percentiles of a bootstrap over customers, each with all its contacts (Efron and
    Tibshirani 1993, ch. 13).

    Parameters
    ----------
    outcome, treated, propensity, score : array
        As for `qini_curve`.
    customer : array
        Whose contact it is.

    Returns
    -------
    dict
        qini and auuc (area under the curve of `qini_curve`: qini plus half of the average
        effect), each to its lower and upper end.
    """
    order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
    y, t = np.asarray(outcome, dtype=float)[order], np.asarray(treated, dtype=bool)[order]
    chance = np.asarray(propensity, dtype=float)[order]
    effect = np.where(t, y, -y) / np.where(t, chance, 1 - chance)
    who = pd.factorize(np.asarray(customer)[order])[0]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, who.max() + 1, who.max() + 1), minlength=who.max() + 1)
        times = drawn[who]
        contacted = np.r_[0.0, np.cumsum(times)] / times.sum()
        gain = np.r_[0.0, np.cumsum(times * effect)] / times.sum()
        area = float(np.trapezoid(gain, contacted))
        found.append({"qini": area - gain[-1] / 2, "auuc": area})
    return _ends(pd.DataFrame(found), level=level)


def bootstrap_gain(
    actual: ArrayLike,
    ours: ArrayLike,
    theirs: ArrayLike,
    *,
    metric: Callable[[np.ndarray, np.ndarray], float],
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 360,
) -> tuple[float, float]:
    """Interval of metric(ours) - metric(theirs) when the customers had been others.

    Percentiles of a paired bootstrap: both are measured on the same resampled customers
    (Efron and Tibshirani 1993, ch. 13).

    Returns
    -------
    tuple of float
        Lower and upper end.
    """
    y, a, b = (np.asarray(values, dtype=float) for values in (actual, ours, theirs))
    rng = np.random.default_rng(seed)
    gains = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(y), len(y))
        gains.append(metric(y[drawn], a[drawn]) - metric(y[drawn], b[drawn]))
    low, high = np.quantile(gains, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
