"""Customer lifetime value: choose a model, judge it forward in time, value each customer.

Value = discounted expected purchase days (BTYD) x expected margin of one (Gamma-Gamma) x what
a champion of another kind knows better (`models.value_candidates`), less the discounted cost to
serve while the customer is expected to remain one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import xlogy
from scipy.stats import nbinom

from customer360.features.btyd_summary import holdout_summary, summarise_purchases
from customer360.models.btyd import (
    MODELS,
    BtydError,
    BtydModel,
    GammaGammaModel,
    Honeymoon,
    ModelName,
    discounted_days_alive,
    discounted_purchases,
    expected_cumulative,
    expected_margin,
    expected_purchases,
    fit_btyd,
    probability_alive,
)

__all__ = [
    "ClvModel",
    "ModelChoice",
    "choose_model",
    "customer_value",
    "holdout_table",
    "poisson_deviance",
    "predict_holdout",
    "track_purchases",
]

_MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class ModelChoice:
    """Which model of repeat purchases was chosen, and against what.

    Attributes
    ----------
    name : str
        The model of least Poisson deviance on the part kept apart.
    table : pandas.DataFrame
        One row per candidate, in the order given: model, poisson_deviance,
        rmse_transactions, total_error, transactions_predicted, transactions_actual,
        log_likelihood, at_bound (text), chosen (flag), error (text; why it could not be
        fitted, else empty).
    split_on : date
        Last day the candidates learnt from; they were judged on the days after it up to the
        end of the calibration.
    """

    name: ModelName
    table: pd.DataFrame
    split_on: date


@dataclass(frozen=True)
class ClvModel:
    """Everything needed to value a customer from its purchase summary, and nothing else.

    Attributes
    ----------
    btyd : BtydModel
    gamma_gamma : GammaGammaModel
    horizon_days : float
    annual_discount_rate : float
    as_of : date
        Day of which the summaries to score are known.
    step_days : float
        Length of a discounting step.
    """

    btyd: BtydModel
    gamma_gamma: GammaGammaModel
    horizon_days: float
    annual_discount_rate: float
    as_of: date
    step_days: float = _MONTH_DAYS

    def predict(
        self, summary: pd.DataFrame, *, cost_to_serve_per_day: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """`customer_value` with the settings of this model."""
        return customer_value(
            summary,
            btyd=self.btyd,
            gamma_gamma=self.gamma_gamma,
            horizon_days=self.horizon_days,
            annual_discount_rate=self.annual_discount_rate,
            as_of=self.as_of,
            cost_to_serve_per_day=cost_to_serve_per_day,
            step_days=self.step_days,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, fit for JSON."""
        return {
            "btyd": self.btyd.to_dict(),
            "gamma_gamma": self.gamma_gamma.to_dict(),
            "horizon_days": self.horizon_days,
            "annual_discount_rate": self.annual_discount_rate,
            "as_of": self.as_of.isoformat(),
            "step_days": self.step_days,
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        return cls(
            **{
                **fields,
                "btyd": BtydModel.from_dict(fields["btyd"]),
                "gamma_gamma": GammaGammaModel.from_dict(fields["gamma_gamma"]),
                "as_of": date.fromisoformat(fields["as_of"]),
            }
        )

    def to_json(self) -> str:
        """JSON text; numbers come back exactly."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`."""
        return cls.from_dict(json.loads(text))


def poisson_deviance(actual: ArrayLike, predicted: ArrayLike, *, floor: float = 1e-6) -> float:
    """Mean Poisson deviance of predicted counts; 0 is perfect, less is better.

    Parameters
    ----------
    actual, predicted : array-like, one number a customer
    floor : float
        Smallest prediction taken seriously: "never" for someone who buys would cost an
        infinity, and no customer is that certain.

    Returns
    -------
    float
    """
    y = np.asarray(actual, dtype=float)
    mu = np.maximum(np.asarray(predicted, dtype=float), floor)
    return float(2 * np.mean(xlogy(y, y / mu) - y + mu))


def choose_model(
    purchase_days: Any,
    *,
    calibration_end: date,
    time_unit_days: float = 7.0,
    candidates: Sequence[ModelName] = MODELS,
    learn_share: float = 2 / 3,
    penalizer: float = 0.0,
    clock: Honeymoon | None = None,
) -> ModelChoice:
    """Choose the model of repeat purchases inside the calibration period.

    Each candidate learns from the first part of the calibration and is judged on the rest by
    Poisson deviance; days after `calibration_end` are dropped first, so that the holdout
    stays untouched. Of equals, the first given wins.

    Parameters
    ----------
    purchase_days : frame (pandas, DuckDB...)
        Contract `purchase_days`: one row per customer_id and day.
    calibration_end : date
        Last day of the calibration, included.
    time_unit_days : float
    candidates : sequence of str
    learn_share : float
        Share of the days of the calibration to learn from, between 0 and 1.
    penalizer : float
    clock : Honeymoon, optional
        Clock on which ages are read, for every candidate.

    Returns
    -------
    ModelChoice

    Raises
    ------
    BtydError
        If the calibration is empty or too short to split, or if no candidate can be fitted.
    """
    if not candidates or not 0 < learn_share < 1:
        raise BtydError("choose_model needs candidates and a learn_share between 0 and 1")
    days = _purchase_days(purchase_days)
    days = days[days["day"] <= pd.Timestamp(calibration_end)]
    if days.empty:
        raise BtydError(f"no purchase up to {calibration_end}: choose a later calibration_end")
    first = days["day"].min().date()
    split_on = first + timedelta(days=round((calibration_end - first).days * learn_share))
    if not first < split_on < calibration_end:
        raise BtydError(
            f"the calibration runs from {first} to {calibration_end}: too short to split"
        )
    holdout = holdout_table(days, calibration_end=split_on, holdout_end=calibration_end)
    actual = holdout["holdout_transactions"].to_numpy(float)
    rows: list[dict[str, Any]] = []
    for name in candidates:
        row: dict[str, Any] = {"model": name, "error": ""}
        try:
            model = fit_btyd(
                holdout,
                model=name,
                time_unit_days=time_unit_days,
                penalizer=penalizer,
                clock=clock,
            )
            predicted = expected_purchases(
                model, holdout, horizon_days=(calibration_end - split_on).days
            ).to_numpy()
        except BtydError as error:
            rows.append({**row, "error": str(error)})
            continue
        rows.append(
            {
                **row,
                "poisson_deviance": poisson_deviance(actual, predicted),
                "rmse_transactions": float(np.sqrt(np.mean((actual - predicted) ** 2))),
                "total_error": predicted.sum() / actual.sum() - 1 if actual.sum() else np.nan,
                "transactions_predicted": predicted.sum(),
                "transactions_actual": actual.sum(),
                "log_likelihood": model.log_likelihood,
                "at_bound": ", ".join(model.at_bound),
            }
        )
    columns = [
        "model",
        "poisson_deviance",
        "rmse_transactions",
        "total_error",
        "transactions_predicted",
        "transactions_actual",
        "log_likelihood",
        "at_bound",
        "error",
    ]
    table = pd.DataFrame(rows).reindex(columns=columns)
    if table["poisson_deviance"].isna().all():
        raise BtydError(f"no model can be fitted; {rows[0]['model']}: {rows[0]['error']}")
    best = int(np.nanargmin(table["poisson_deviance"].to_numpy(float)))
    table["chosen"] = table.index == best
    return ModelChoice(name=candidates[best], table=table, split_on=split_on)


def holdout_table(purchase_days: Any, *, calibration_end: date, holdout_end: date) -> pd.DataFrame:
    """Each customer at the end of the calibration, and what it then did.

    Parameters
    ----------
    purchase_days : frame (pandas, DuckDB...)
        Contract `purchase_days`.
    calibration_end, holdout_end : date
        Last days, included.

    Returns
    -------
    pandas.DataFrame
        Contract `clv_holdout`: one row per customer_id who bought by `calibration_end`.
    """
    days = _purchase_days(purchase_days)
    summary = summarise_purchases(days, until=calibration_end)
    after = holdout_summary(days, after=calibration_end, until=holdout_end)
    table = summary.merge(after, on="customer_id", how="left", validate="one_to_one")
    return table.assign(
        holdout_transactions=table["holdout_transactions"].fillna(0).astype("int64"),
        holdout_margin=table["holdout_margin"].fillna(0.0).astype(float),
        holdout_days=float((holdout_end - calibration_end).days),
    )


def predict_holdout(
    holdout: pd.DataFrame,
    *,
    btyd: BtydModel,
    gamma_gamma: GammaGammaModel | None = None,
    pace_factor: pd.Series | None = None,
) -> pd.DataFrame:
    """What the model and the customer's own past expected of the holdout.

    Parameters
    ----------
    holdout : pandas.DataFrame
        Contract `clv_holdout`.
    btyd : BtydModel
    gamma_gamma : GammaGammaModel, optional
        Without it, no value is predicted.
    pace_factor : pandas.Series, optional
        By customer_id, from `models.pace`: multiplies the purchases expected.

    Returns
    -------
    pandas.DataFrame
        `holdout` with, per customer: predicted_transactions; naive_transactions (the
        customer's own rate, frequency / T_days, carried on; 0 for age 0); predicted_value
        (currency, undiscounted: predicted_transactions x expected margin).
    """
    if holdout.empty:
        raise BtydError("no customer bought before the holdout")
    horizon_days = float(holdout["holdout_days"].iloc[0])
    predicted = expected_purchases(btyd, holdout, horizon_days=horizon_days)
    predicted = predicted * _factor(holdout, pace_factor)
    age = holdout["T_days"].where(holdout["T_days"] > 0)
    table = holdout.assign(
        predicted_transactions=predicted,
        naive_transactions=(holdout["frequency"] / age * horizon_days).fillna(0.0),
    )
    if gamma_gamma is None:
        return table
    return table.assign(predicted_value=predicted * expected_margin(gamma_gamma, holdout))


def track_purchases(
    purchase_days: Any,
    *,
    btyd: BtydModel,
    cohort_until: date,
    until: date,
    step_days: int = 7,
) -> pd.DataFrame:
    """Repeat purchases by calendar step, expected and seen: the tracking plot as a table.

    The cohort is everyone whose first purchase falls by `cohort_until`; each customer counts
    from its first purchase on. The model knows only these first days, not what followed.

    Parameters
    ----------
    purchase_days : frame (pandas, DuckDB...)
        Contract `purchase_days`.
    btyd : BtydModel
    cohort_until, until : date
        Last days, included.
    step_days : int

    Returns
    -------
    pandas.DataFrame
        One row per whole step from the first purchase day: step (1, 2...), day (last day of
        the step), actual_incremental, expected_incremental, actual_cumulative,
        expected_cumulative (repeat purchase days), in_holdout (flag: the step ends after
        `cohort_until`).
    """
    days = _purchase_days(purchase_days)
    days = days[days["day"] <= pd.Timestamp(until)]
    first = days.groupby("customer_id")["day"].transform("min")
    cohort = days[first <= pd.Timestamp(cohort_until)]
    if cohort.empty:
        raise BtydError(f"no customer bought by {cohort_until}: there is nobody to track")
    start = cohort["day"].min()
    # Day 0 is the first purchase day; step k ends on day k x step_days.
    ends = np.arange(step_days, (pd.Timestamp(until) - start).days + 1, step_days)
    repeat = cohort.loc[cohort["day"] > first.loc[cohort.index], "day"]
    repeat_on = np.sort((repeat - start).dt.days.to_numpy())
    actual = np.searchsorted(repeat_on, ends, side="right").astype(float)
    summary = summarise_purchases(cohort, until=cohort_until)
    offset = (pd.Timestamp(cohort_until) - start).days
    expected = expected_cumulative(btyd, summary, days_from_as_of=ends - offset)
    return pd.DataFrame(
        {
            "step": np.arange(1, len(ends) + 1),
            "day": start + pd.to_timedelta(ends, unit="D"),
            "actual_incremental": np.diff(actual, prepend=0.0),
            "expected_incremental": np.diff(expected, prepend=0.0),
            "actual_cumulative": actual,
            "expected_cumulative": expected,
            "in_holdout": ends > offset,
        }
    )


def customer_value(
    summary: pd.DataFrame,
    *,
    btyd: BtydModel,
    gamma_gamma: GammaGammaModel,
    horizon_days: float,
    annual_discount_rate: float,
    as_of: date,
    cost_to_serve_per_day: pd.DataFrame | None = None,
    step_days: float = _MONTH_DAYS,
    pace_factor: pd.Series | None = None,
    value_factor: pd.Series | None = None,
    level: float = 0.8,
) -> pd.DataFrame:
    """Value of each customer over a horizon; it may be negative.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer: customer_id, frequency, recency_days, T_days, monetary_value,
        as known on `as_of`.
    btyd, gamma_gamma : fitted models
    horizon_days : float
    annual_discount_rate : float
        0.10 for 10 % a year.
    as_of : date
    cost_to_serve_per_day : pandas.DataFrame, optional
        One row per customer_id: cost_per_day (currency), what the customer cost to serve and
        contact per day of its active past. A customer without a row has no known cost and
        nothing is taken off.
    step_days : float
        Length of a discounting step; a month by default.
    pace_factor : pandas.Series, optional
        By customer_id, from `models.pace`: multiplies the purchases expected.
    value_factor : pandas.Series, optional
        By customer_id, from `models.value_candidates`: multiplies the value before cost.
    level : float
        Of the interval clv_low to clv_high: purchases by a negative binomial law whose
        variance holds chance, the rate not known better and leaving or not.

    Returns
    -------
    pandas.DataFrame
        Contract `clv_scores`, in the order of `summary`. expected_purchases and
        expected_margin are not discounted; cost_to_serve and clv are. cost_to_serve is
        cost_per_day x the days the customer is expected to remain one, empty if unknown.

    Raises
    ------
    BtydError
        If a customer has two costs, or for impossible purchase histories.
    """
    steps = {
        "horizon_days": horizon_days,
        "annual_discount_rate": annual_discount_rate,
        "step_days": step_days,
    }
    margin = expected_margin(gamma_gamma, summary)
    factor, of_value = _factor(summary, pace_factor), _factor(summary, value_factor)
    palive = probability_alive(btyd, summary)
    count = expected_purchases(btyd, summary, horizon_days=horizon_days) * factor
    discounted = discounted_purchases(btyd, summary, **steps) * factor
    gross = discounted * margin * of_value
    low, high = _count_interval(btyd, summary, count=count, palive=palive, level=level)
    worth = (discounted / count.where(count > 0)).fillna(1.0) * margin * of_value
    cost = _cost_per_day(summary, cost_to_serve_per_day)
    cost_to_serve = cost * discounted_days_alive(btyd, summary, **steps)
    ends = pd.DataFrame({"low": low * worth, "high": high * worth}).sub(
        cost_to_serve.fillna(0.0), axis=0
    )
    return pd.DataFrame(
        {
            "customer_id": summary["customer_id"],
            "as_of": as_of,
            "frequency": summary["frequency"].astype("int64"),
            "recency_days": summary["recency_days"].astype(float),
            "T_days": summary["T_days"].astype(float),
            "monetary_value": summary["monetary_value"].astype(float),
            "palive": palive,
            "expected_purchases": count,
            "pace_factor": factor,
            "expected_margin": margin,
            "value_factor": of_value,
            "cost_to_serve": cost_to_serve,
            "clv": gross - cost_to_serve.fillna(0.0),
            # A negative margin turns the ends round.
            "clv_low": ends.min(axis=1),
            "clv_high": ends.max(axis=1),
        }
    )


def _factor(summary: pd.DataFrame, factor: pd.Series | None) -> pd.Series:
    """Factor of each customer of the summary, 1 where none is known."""
    if factor is None:
        return pd.Series(1.0, index=summary.index)
    found = factor.reindex(summary["customer_id"]).fillna(1.0).to_numpy(float)
    return pd.Series(found, index=summary.index)


def _count_interval(
    btyd: BtydModel, summary: pd.DataFrame, *, count: pd.Series, palive: pd.Series, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Purchases that will lie between these with probability `level`."""
    mean = np.maximum(count.to_numpy(float), 1e-9)
    stays = np.clip(palive.to_numpy(float), 1e-3, 1.0)
    shape = btyd.params["r"] + summary["frequency"].to_numpy(float)
    # Given alive, a gamma rate: (1 + 1/shape); alive or not scales the second moment.
    extra = mean**2 * np.maximum((1 + 1 / shape) / stays - 1, 1e-6)
    size = mean**2 / extra
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = (nbinom.ppf(q, size, size / (size + mean)) for q in tails)
    return low, high


def _cost_per_day(summary: pd.DataFrame, costs: pd.DataFrame | None) -> pd.Series:
    """Cost per day of each customer of the summary, empty where unknown."""
    if costs is None:
        return pd.Series(np.nan, index=summary.index)
    by_customer = costs.set_index("customer_id")["cost_per_day"].astype(float)
    if not by_customer.index.is_unique:
        twice = int(by_customer.index.duplicated().sum())
        raise BtydError(
            f"cost_to_serve_per_day has {twice:,} rows too many: sum it to one per customer_id"
        )
    return pd.Series(
        by_customer.reindex(summary["customer_id"]).to_numpy(float), index=summary.index
    )


def _purchase_days(purchase_days: Any) -> pd.DataFrame:
    """The three columns needed, in memory, with `day` as a timestamp."""
    frame = nw.from_native(purchase_days).lazy().select("customer_id", "day", "margin")
    days = frame.collect("pandas").to_native()
    return days.assign(day=pd.to_datetime(days["day"])).sort_values(
        ["customer_id", "day"], ignore_index=True
    )
