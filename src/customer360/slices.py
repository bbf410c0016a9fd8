"""Groups in which a model is judged: for whom is it worse?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from customer360 import ranking
from customer360.evaluation import slice_metrics

__all__ = ["customer_groups", "first_purchase_cohort", "judge_amounts", "judge_groups"]

AGES = (0, 30, 45, 60, 75, 130)
SMALLEST = 50


def customer_groups(
    customer_id: pd.Series, *, customers: pd.DataFrame, as_of: date, segment: pd.Series | None
) -> pd.DataFrame:
    """Age, region, source and segment of customers, in their order.

    Parameters
    ----------
    customer_id : pandas.Series
        Whom to describe; a customer may come several times.
    customers : pandas.DataFrame
        Contract `customers`; of it customer_id, birth_date, postcode, country, sources.
    as_of : date
        Day of the ages.
    segment : pandas.Series, optional
        Segment of a customer on that day, by customer_id.

    Returns
    -------
    pandas.DataFrame
        Indexed like `customer_id`: segment (where given), age (band), region (country and
        first character of the postcode), source (the only one, or "several"); empty where
        unknown. For counting groups, never to be shown by customer.
    """
    known = customers.drop_duplicates("customer_id").set_index("customer_id").reindex(customer_id)
    # A column without any value has no type of its own.
    text = known[["country", "postcode", "sources"]].astype("string")
    born = pd.to_datetime(known["birth_date"], errors="coerce")
    years = (pd.Timestamp(as_of) - born).dt.days / 365.25
    names = [f"{low} to {high - 1}" for low, high in pairwise(AGES[1:-1])]
    bands = [f"under {AGES[1]}", *names, f"{AGES[-2]} and over"]
    age = pd.cut(years, AGES, right=False, labels=bands).astype(object)
    region = text["country"].fillna("") + " " + text["postcode"].str[:1]
    source = text["sources"].where(~text["sources"].str.contains(";", na=False), "several")
    groups = pd.DataFrame({"age": age, "region": region.str.strip(), "source": source})
    if segment is not None:
        groups.insert(0, "segment", segment.reindex(groups.index))
    return groups.set_axis(customer_id.index)


def first_purchase_cohort(age_days: pd.Series, *, as_of: date) -> pd.Series:
    """Year of the first purchase; the month where all bought first within one year.

    Parameters
    ----------
    age_days : pandas.Series
        Days from the first purchase to `as_of`.
    as_of : date
    """
    first = pd.Timestamp(as_of) - pd.to_timedelta(age_days, unit="D")
    one_year = first.dt.year.nunique() < 2
    return first.dt.strftime("%Y-%m" if one_year else "%Y").rename("first purchase")


def judge_groups(
    groups: pd.DataFrame, actual: ArrayLike, probability: ArrayLike, *, most: int = 6
) -> pd.DataFrame:
    """Predicted and observed rate and ROC AUC of the largest groups of each kind.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `customer_groups`, one row per case; a column that does not vary is left out.
    actual, probability : array
        Whether it happened, and what was predicted.
    most : int
        Groups of one kind at the most; those of fewer than 50 cases are left out, since
        their figures would be chance and might point at a person.

    Returns
    -------
    pandas.DataFrame
        One row per group: group, customers (cases), predicted, observed, roc_auc (empty
        where all left, or none).
    """
    y, p = np.asarray(actual, dtype=int), np.asarray(probability, dtype=float)

    def roc_auc(inside: np.ndarray) -> float:
        return ranking.roc_auc(y[inside], p[inside])

    return _judge(groups, y, p, most=most, measure="roc_auc", of=roc_auc)


def judge_amounts(
    groups: pd.DataFrame, actual: ArrayLike, predicted: ArrayLike, *, most: int = 6
) -> pd.DataFrame:
    """Predicted and observed amount per customer of the largest groups of each kind.

    Parameters
    ----------
    groups, most
        As in `judge_groups`.
    actual, predicted : array
        Purchases, say, of each customer.

    Returns
    -------
    pandas.DataFrame
        One row per group: group, customers, predicted, observed, total_error (a share of
        what was observed; empty where nothing was).
    """
    y, p = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)

    def total_error(inside: np.ndarray) -> float:
        return p[inside].sum() / y[inside].sum() - 1 if y[inside].any() else np.nan

    return _judge(groups, y, p, most=most, measure="total_error", of=total_error)


def _judge(
    groups: pd.DataFrame,
    actual: np.ndarray,
    predicted: np.ndarray,
    *,
    most: int,
    measure: str,
    of: Callable[[np.ndarray], float],
) -> pd.DataFrame:
    parts = []
    for name in groups:
        kind = groups[name].fillna("unknown").astype(str)
        table = slice_metrics(kind, actual, predicted)
        table = table[table["customers"] >= SMALLEST].head(most)
        if len(table) < 2:
            continue
        table[measure] = [of((kind == value).to_numpy()) for value in table[name]]
        table.insert(0, "group", f"{name}: " + table[name])
        parts.append(table.drop(columns=name))
    columns = ["group", "customers", "predicted", "observed", measure]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
