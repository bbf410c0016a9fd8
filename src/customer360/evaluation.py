"""Compare what was predicted with what happened: arrays in, numbers out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

__all__ = [
    "calibration_error",
    "classification_metrics",
    "clv_holdout_metrics",
    "lift_at",
    "lift_curve",
    "poisson_deviance",
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
        "roc_auc": roc_auc_score(y, p),
        "average_precision": average_precision_score(y, p),
        "brier": brier_score_loss(y, p),
        "calibration_error": calibration_error(y, p),
        "lift_at_10pct": lift_at(y, p, share=0.1),
    }
    if not prefix:
        metrics = {"base_rate": y.mean(), **metrics}
    return {prefix + name: float(value) for name, value in metrics.items()}


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
    if np.ptp(y) == 0 or np.ptp(p) == 0:
        return 0.0
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
