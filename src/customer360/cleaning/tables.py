"""The tables that need no treatment of their own: the rules of their contract suffice."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from customer360.cleaning.quarantine import Split, contract_rules, set_aside
from customer360.periods import end_of_day

__all__ = ["clean_table", "count_by_source", "row_metrics", "summarise_rows"]


def clean_table(frame: Any, *, table: str, as_of: date, timezone: str) -> Split:
    """Set aside rows dated after `as_of` and rows whose key was already seen.

    Parameters
    ----------
    frame : frame
        Contract `raw.<table>`.
    table : str
    as_of : date
        Last day known.
    timezone : str
        Zone of the shop; says when that day ends.
    """
    return set_aside(
        frame,
        table=table,
        rules=contract_rules(table, known_until=end_of_day(as_of, timezone=timezone)),
    )


def summarise_rows(*, raw: pd.DataFrame, quarantined: pd.DataFrame) -> pd.DataFrame:
    """Account for every row, table by table and source by source.

    Parameters
    ----------
    raw : pandas.DataFrame
        Columns table, source, rows: what `capture` stored.
    quarantined : pandas.DataFrame
        Contract `quarantine_rows`; rows with a `file` were refused on reading and are
        not among the raw ones.

    Returns
    -------
    pandas.DataFrame
        One row per table and source: rows_in, rows_kept, rows_quarantined, share_kept.
    """
    key = ["table", "source"]
    refused = quarantined["file"].notna()
    aside = quarantined.assign(source=quarantined["source"].fillna("")).groupby(key).size()
    unread = (
        quarantined[refused]
        .assign(source=quarantined.loc[refused, "source"].fillna(""))
        .groupby(key)
        .size()
    )
    stored = raw.assign(source=raw["source"].fillna("")).groupby(key)["rows"].sum()
    summary = pd.DataFrame({"stored": stored, "unread": unread, "aside": aside}).fillna(0)
    summary = summary.astype(int)
    rows = pd.DataFrame(
        {
            "rows_in": summary["stored"] + summary["unread"],
            "rows_kept": summary["stored"] + summary["unread"] - summary["aside"],
            "rows_quarantined": summary["aside"],
        }
    )
    rows["share_kept"] = rows["rows_kept"] / rows["rows_in"]
    return rows.reset_index()


def count_by_source(frame: Any, *, table: str) -> pd.DataFrame:
    """Rows of a raw table by source.

    Returns
    -------
    pandas.DataFrame
        table, source (empty where the table names none), rows.
    """
    data = nw.from_native(frame).lazy()
    if "source" not in data.collect_schema().names():
        data = data.with_columns(source=nw.lit(""))
    counts = data.group_by("source").agg(rows=nw.len()).collect("pandas").to_native()
    return counts.assign(table=table)[["table", "source", "rows"]]


def row_metrics(
    summary: pd.DataFrame, *, raw_orders: Any, quarantined: pd.DataFrame
) -> dict[str, float]:
    """Flat numbers that account for every row and every amount.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summarise_rows`.
    raw_orders : frame
        Contract `raw.orders`.
    quarantined : pandas.DataFrame
        Contract `quarantine_rows`.

    Returns
    -------
    dict
        `<table>_<source>_rows_in`, `_rows_kept`, `_rows_quarantined` and `amount_in`,
        `amount_kept`, `amount_quarantined` (currency, order lines).
    """
    metrics: dict[str, float] = {}
    for row in summary.to_dict("records"):
        name = f"{row['table']}_{row['source']}" if row["source"] else row["table"]
        for count in ("rows_in", "rows_kept", "rows_quarantined"):
            metrics[f"{name}_{count}"] = row[count]
    total = nw.from_native(raw_orders).lazy().select(nw.col("amount").sum()).collect().item(0, 0)
    aside = quarantined[quarantined["table"] == "orders"]
    unread = float(aside.loc[aside["file"].notna(), "amount"].sum())
    metrics["amount_quarantined"] = round(float(aside["amount"].sum()), 2)
    metrics["amount_in"] = round(float(total or 0.0) + unread, 2)
    metrics["amount_kept"] = round(metrics["amount_in"] - metrics["amount_quarantined"], 2)
    return metrics
