"""Does a model still hold? What it foretold at past month ends, and what then happened.

A model is judged at the age it has: every month is scored with the model as it was left, and a
month counts as unseen only when it began after everything the model learnt from. The rule that
calls a fall a decay is written out in docs/model_health.md.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata, t

__all__ = [
    "LEAST_CHANGE",
    "decay_in_words",
    "health_series",
    "judge_decay",
    "model_health",
]

# Smaller changes are of no consequence, however certain: the total off by so much more (share
# of what happened), the ranking worse by so much.
LEAST_CHANGE = {"total_error": 0.1, "roc_auc": 0.02}
LATEST = 3
LEAST_BEFORE = 3
YEAR_DAYS, NEAR_DAYS = 365, 15
REACH = norm.ppf(0.975)
MEASURES = ("total_error", "calibration_error", "lift_at_10pct", "roc_auc")
VERDICT = ("model", "measure", "unseen", "season", "before", "latest", "reach", "decays")


def model_health(
    cases: pd.DataFrame,
    *,
    model: str,
    learnt_until: date,
    horizon_days: int,
) -> pd.DataFrame:
    """Calibration and ranking of one model, month by month.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per customer and day scored (or per contact, the day being that of its month):
        customer_id, as_of, predicted (a probability, or an expected number), actual (whether
        it happened, or how many).
    model : str
        Its stage, such as "churn".
    learnt_until : date
        Last day of which anything was learnt from: earlier months count as seen.
    horizon_days : int
        Length of the window that holds what happened.

    Returns
    -------
    pandas.DataFrame
        One row per month: model, learnt_until, as_of, horizon_days, in_training, customers,
        predicted and observed (means), and each of total_error (predicted / observed - 1),
        calibration_error (mean gap over tenths), lift_at_10pct, roc_auc (of it happening at
        all) with its low and high, ends of a 95 % interval; empty where it cannot be told.

    Notes
    -----
    The intervals come from the influence of each customer on each figure, all its rows of a
    month together (Hampel 1974; of the ROC AUC: DeLong et al. 1988).
    """
    rows = [
        {
            "as_of": pd.to_datetime(part["as_of"].iloc[0]).date(),
            "customers": part["customer_id"].nunique(),
            "predicted": part["predicted"].mean(),
            "observed": part["actual"].astype(float).mean(),
            **{
                f"{name}{end}": value + side * REACH * error
                for name, (value, error) in _measured(part).items()
                for end, side in (("", 0), ("_low", -1), ("_high", 1))
            },
        }
        for _, part in cases.groupby("as_of", sort=True)
    ]
    ends = [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["as_of", "customers", "predicted", "observed", *ends])
    table["calibration_error_low"] = table["calibration_error_low"].clip(lower=0.0)
    seen = [day < learnt_until for day in table["as_of"]]
    return table.assign(
        model=model,
        learnt_until=learnt_until,
        horizon_days=horizon_days,
        in_training=pd.Series(seen, dtype=bool),
    )


def judge_decay(health: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Is a model worse in its last months than it was before, beyond chance and season?

    The mean of the last three unseen months is held against the unseen months before them.
    Where the same months of a year before are known, each month is first taken less those: a
    season is no decay. Decay is a change for the worse of more than `LEAST_CHANGE` plus what
    chance, between customers and between months, does once in 1 / `alpha` series at most.

    Parameters
    ----------
    health : pandas.DataFrame
        From `model_health`, of one or more models.
    alpha : float
        Chance to flag a model that is stable, both measures together.

    Returns
    -------
    pandas.DataFrame
        One row per model and measure (total_error, roc_auc): model, measure, unseen (months),
        season (flag: compared with a year before), before and latest (means as seen of the
        months compared), reach (the smallest change that would be flagged), decays (flag;
        empty when there are too few unseen months to tell).
    """
    rows = [
        {"model": name, "measure": measure, **_judge(part, measure, alpha / len(LEAST_CHANGE))}
        for name, part in health.groupby("model", sort=False)
        for measure in LEAST_CHANGE
    ]
    table = pd.DataFrame(rows, columns=list(VERDICT))
    return table.astype({"decays": "boolean", "season": bool, "unseen": int})


def decay_in_words(verdict: pd.DataFrame) -> str:
    """The verdict of `judge_decay` on one model in one sentence."""
    if verdict["decays"].isna().all():
        unseen = 0 if verdict.empty else verdict["unseen"].iloc[0]
        return (
            f"unseen months with an outcome: {unseen}; {LATEST + LEAST_BEFORE} are needed to tell "
            "whether it decays"
        )
    formats = {"total_error": "the total is off by {:+.1%}", "roc_auc": "the ROC AUC is {:.3f}"}
    worst = verdict[verdict["decays"].fillna(False).astype(bool)]
    told = worst if len(worst) else verdict.dropna(subset="decays")
    parts = [
        f"{formats[row['measure']].format(row['latest'])} in the last {LATEST} months against "
        f"{formats[row['measure']].split()[-1].format(row['before'])} expected of "
        f"{'the season' if row['season'] else 'the months before'}"
        for row in told.to_dict("records")
    ]
    return f"it {'decays' if len(worst) else 'holds'} ({'; '.join(parts)})"


def health_series(health: pd.DataFrame) -> dict[int, dict[str, float]]:
    """The figures of the unseen months by the age of the model in months, for tracking."""
    unseen = health[~health["in_training"]]
    age = (pd.to_datetime(unseen["as_of"]) - pd.to_datetime(unseen["learnt_until"])).dt.days
    figures = unseen[list(MEASURES)].add_prefix("health_").to_dict("records")
    return {
        round(days / 30.44): {str(name): v for name, v in told.items() if v == v}
        for days, told in zip(age, figures, strict=True)
    }


def _measured(part: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Each figure of one month with its standard error."""
    y, p = part["actual"].to_numpy(dtype=float), part["predicted"].to_numpy(dtype=float)
    who = pd.factorize(part["customer_id"])[0]
    found = {
        "total_error": _total_error(y, p),
        "calibration_error": _calibration_error(y, p),
        "lift_at_10pct": _lift(y, p),
        "roc_auc": _roc_auc(y > 0, p),
    }
    # The rows of one customer move together: their influence is added up before it is squared.
    return {
        name: (value, float(np.sqrt((np.bincount(who, influence) ** 2).sum()) / len(y)))
        for name, (value, influence) in found.items()
    }


def _total_error(y: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray]:
    if not y.any():
        return np.nan, np.full(len(y), np.nan)
    ratio = p.mean() / y.mean()
    return ratio - 1, (p - ratio * y) / y.mean()


def _calibration_error(y: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray]:
    """As `evaluation.calibration_error`: the mean gap of groups of equal size."""
    group = np.empty(len(p), dtype=int)
    group[np.argsort(p, kind="stable")] = np.arange(len(p)) * min(10, len(p)) // len(p)
    gap = p - y
    gap *= np.sign(np.bincount(group, gap))[group]
    return gap.mean(), gap - gap.mean()


def _lift(y: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray]:
    """As `evaluation.lift_at` a tenth."""
    if not y.any():
        return np.nan, np.full(len(y), np.nan)
    top = np.zeros(len(y))
    top[np.argsort(-p, kind="stable")[: max(1, round(len(y) * 0.1))]] = 1.0
    share, mean = top.mean(), (y * top).sum() / top.sum()
    lift = mean / y.mean()
    return lift, (top * (y - mean) / share - lift * (y - y.mean())) / y.mean()


def _roc_auc(y: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray]:
    """Area and placement of each case among those of the other kind (DeLong et al. 1988)."""
    n, happened = len(y), int(y.sum())
    if not 0 < happened < n:
        return np.nan, np.full(n, np.nan)
    below = rankdata(p)
    for kind in (y, ~y):
        below[kind] -= rankdata(p[kind])
    placed = np.where(y, below / (n - happened), 1 - below / happened)
    area = placed[y].mean()
    return area, (placed - area) * n / np.where(y, happened, n - happened)


def _judge(part: pd.DataFrame, measure: str, alpha: float) -> dict[str, object]:
    part = part.dropna(subset=measure).sort_values("as_of")
    day = pd.to_datetime(part["as_of"]).to_numpy()
    value = part[measure].to_numpy(dtype=float)
    variance = ((part[f"{measure}_high"] - value) / REACH).to_numpy(dtype=float) ** 2
    unseen = np.flatnonzero(~part["in_training"].to_numpy(dtype=bool))
    told: dict[str, object] = {"unseen": len(unseen), "season": False, "decays": None}
    if len(unseen) < LATEST + LEAST_BEFORE:
        return told
    base, base_variance = np.zeros(len(unseen)), np.zeros(len(unseen))
    ago = _year_before(day, unseen)
    if (ago >= 0).sum() >= LATEST + LEAST_BEFORE:
        unseen, ago = unseen[ago >= 0], ago[ago >= 0]
        base, base_variance = value[ago], variance[ago]
    season = bool((ago >= 0).all())
    x, noise = value[unseen] - base, variance[unseen] + base_variance
    earlier, latest = x[:-LATEST], x[-LATEST:]
    months = len(earlier)
    # What months differ by beyond the chance of who the customers are.
    between = max(earlier.var(ddof=1) - noise[:-LATEST].mean(), 0.0)
    # Windows that overlap tell the same twice: they count as fewer months. What is odd about
    # a month may last, so that the latest are one month as far as months differ.
    apart = np.diff(day[unseen]).mean() / np.timedelta64(1, "D")
    new = min(1.0, apart / float(part["horizon_days"].iloc[0]))
    error = noise[-LATEST:].mean() / (1 + (LATEST - 1) * new)
    error += noise[:-LATEST].mean() / (1 + (months - 1) * new) + between * (1 + 1 / months)
    chance = t.ppf(1 - alpha, months - 1) * np.sqrt(error)
    reach = float(LEAST_CHANGE[measure] + chance)
    change = latest.mean() - earlier.mean()
    compared = value[ago[-LATEST:]] if season else earlier
    now = value[unseen[-LATEST:]].mean()
    worse = change < 0 if measure == "roc_auc" else abs(now) > abs(compared.mean())
    return told | {
        "season": season,
        "before": float(now - change),
        "latest": float(now),
        "reach": reach,
        "decays": bool(worse and abs(change) > reach),
    }


def _year_before(day: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """Position of the day nearest to a year before each of `unseen`; -1 where none is near."""
    wanted = day[unseen] - np.timedelta64(YEAR_DAYS, "D")
    off = np.abs((day[None, :] - wanted[:, None]) / np.timedelta64(1, "D"))
    nearest = off.argmin(axis=1)
    return np.where(off.min(axis=1) <= NEAR_DAYS, nearest, -1)
