"""Which fields are worth having: how full, how fresh, how telling.

Rows A11 of the mission. The predictive value of a field is the area under the ROC
curve of a rule that knows this field alone and guesses who buys again in the last
quarter of the history; 0.5 says nothing, 1 says all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from customer360.contracts import CONTRACTS
from customer360.ranking import roc_auc

__all__ = ["audit_fields"]

LEAST_CUSTOMERS = 100
MOST_LEVELS = 50
FOLDS = 5
NOT_FIELDS = {"source", "source_id", "order_id", "line_no", "contact_id", "flags", "ordered_on"}


def audit_fields(
    tables: Mapping[str, Any], *, orders: Any, as_of: date, cut: date, low_coverage: float = 0.2
) -> pd.DataFrame:
    """Audit every field of every table that names a customer.

    Parameters
    ----------
    tables : mapping of str to duckdb.DuckDBPyRelation
        Staged tables with columns `source` and `source_id`.
    orders : duckdb.DuckDBPyRelation
        Contract `staged.orders`; tells who bought after `cut`.
    as_of, cut : date
        Last day known; last day a field may be known to predict what follows.
    low_coverage : float
        A field filled on a smaller share of rows is called sparse.

    Returns
    -------
    pandas.DataFrame
        Contract `field_audit`, one row per table, source and field.
    """
    cut_end = cut + timedelta(days=1)
    bought = orders.aggregate(
        "source, source_id, "
        f"bool_or(ordered_at < DATE '{cut_end}') AS before, "
        f"bool_or(ordered_at >= DATE '{cut_end}') AS bought_after",
        "source, source_id",
    ).filter("before")
    parts = [
        _audit_table(name, relation, bought=bought, as_of=as_of, cut_end=cut_end)
        for name, relation in tables.items()
    ]
    audit = pd.concat([part for part in parts if len(part)], ignore_index=True)
    verdicts = [
        _verdict(coverage, age, auc, low_coverage)
        for coverage, age, auc in zip(
            audit["coverage"], audit["median_age_days"], audit["predictive_auc"], strict=True
        )
    ]
    audit["verdict"] = [verdict for verdict, _ in verdicts]
    audit["why"] = [why for _, why in verdicts]
    return audit


def _audit_table(
    name: str, relation: Any, *, bought: Any, as_of: date, cut_end: date
) -> pd.DataFrame:
    contract = CONTRACTS[f"staged.{name}"]
    fields = [c for c in contract.columns if c.name not in NOT_FIELDS]
    times = [c.name for c in fields if c.dtype == "time"]
    time = next((t for t in ("updated_at", "ordered_at", "at") if t in times), None)
    fields = [c for c in fields if c.dtype != "time"]
    if not fields:
        return pd.DataFrame()
    age = f"median(date_diff('day', \"{time}\", DATE '{as_of}'))" if time else "NULL"
    counts = relation.aggregate(
        "source, count(*) AS rows, "
        + ", ".join(
            f'count("{c.name}") AS "n_{c.name}", approx_count_distinct("{c.name}") AS "d_{c.name}"'
            for c in fields
        )
        + f", {age} AS age",
        "source",
    ).df()
    # One value a customer: the last that was known before the cut.
    known = relation.filter(f"\"{time}\" < DATE '{cut_end}'") if time else relation
    # Of two at one time the higher value, so that every run picks the same.
    order_by = f'"{time}", ' if time else ""
    last = known.aggregate(
        "source, source_id, "
        + ", ".join(
            f'last("{c.name}" ORDER BY {order_by}"{c.name}" NULLS FIRST) AS "{c.name}"'
            for c in fields
        ),
        "source, source_id",
    )
    values = last.set_alias("known").join(bought.set_alias("bought"), "source, source_id")
    values = values.order("source, source_id").df()
    rows = []
    for record in counts.sort_values("source").to_dict("records"):
        mine = values[values["source"] == record["source"]]
        target = mine["bought_after"].to_numpy(dtype=bool)
        for column in fields:
            rows.append(
                {
                    "table": name,
                    "source": record["source"],
                    "field": column.name,
                    "rows": int(record["rows"]),
                    "coverage": record[f"n_{column.name}"] / record["rows"],
                    "distinct_values": int(record[f"d_{column.name}"]),
                    "median_age_days": record["age"] if record["age"] is not None else np.nan,
                    "predictive_auc": _auc_of_field(mine[column.name], target, column.dtype),
                }
            )
    return pd.DataFrame(rows)


def _auc_of_field(values: pd.Series, target: np.ndarray, dtype: str) -> float:
    """AUC of the field alone; NaN when there are too few customers to say."""
    if len(target) < LEAST_CUSTOMERS or target.all() or not target.any():
        return float("nan")
    if dtype in ("number", "integer", "date"):
        number = (
            pd.to_datetime(values).astype("int64").where(values.notna()).astype(float)
            if dtype == "date"
            else values.astype(float)
        )
        if number.notna().sum() == 0:
            return 0.5
        score = number.fillna(number.median()).to_numpy()
        return float(max(auc := roc_auc(target, score), 1 - auc))
    text = values.astype("string")
    common = text.value_counts().head(MOST_LEVELS).index
    level = text.where(text.isin(common), "other").fillna("empty")
    # Each customer is scored from the others' folds, or a rare level would know itself.
    fold = np.arange(len(level)) % FOLDS
    score = np.full(len(level), target.mean())
    for k in range(FOLDS):
        rest = fold != k
        rate = pd.Series(target[rest]).groupby(level.to_numpy()[rest]).agg(["sum", "count"])
        shrunk = (rate["sum"] + 10 * target.mean()) / (rate["count"] + 10)
        mapped = level[fold == k].map(shrunk)
        score[fold == k] = mapped.fillna(target.mean()).to_numpy(dtype=float)
    return float(max(0.5, roc_auc(target, score)))


def _verdict(coverage: float, age_days: float, auc: float, low: float) -> tuple[str, str]:
    telling = auc == auc and auc >= 0.53
    if coverage == 0:
        return "absent", "never filled by this source"
    if coverage < low:
        if telling:
            return "complete", "seldom filled, yet it tells who buys again: worth collecting"
        return "drop", "seldom filled and says little about who buys again"
    if age_days == age_days and age_days > 730:
        return "refresh", "filled, but half of it is more than two years old"
    if telling:
        return "keep", "well filled and tells who buys again"
    return "keep to reach", "well filled; serves to reach or recognise people more than to predict"
