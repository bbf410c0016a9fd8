"""Set rows aside with a reason, and lose none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw
import pandas as pd

from customer360.contracts import CONTRACTS

__all__ = ["Split", "contract_rules", "count_rows", "set_aside"]

REASON = "__reason"
ONE = "__one"
BROKEN = "__broken"


@dataclass(frozen=True)
class Split:
    """A table cut in two.

    Attributes
    ----------
    kept : frame
        The rows that pass, of the type that was given.
    quarantined : pandas.DataFrame
        The others, in the contract `quarantine_rows`.
    rows_in : int
        Rows kept and rows set aside always add up to it.
    """

    kept: Any
    quarantined: pd.DataFrame
    rows_in: int


def count_rows(frame: Any) -> int:
    """Number of rows of any frame."""
    counted = nw.from_native(frame).lazy().select(nw.len()).collect()
    return int(counted.item(0, 0))


def contract_rules(table: str, *, known_until: datetime | None = None) -> dict[str, nw.Expr]:
    """What makes a row of a raw table unusable, whatever the table.

    Parameters
    ----------
    table : str
        Raw table, for example `"orders"`.
    known_until : datetime, optional
        The instant (UTC) that ends the last known day; later facts are not known yet.

    Returns
    -------
    dict
        Reason in words to an expression that is true where the row breaks the rule.
    """
    rules: dict[str, nw.Expr] = {}
    contract = CONTRACTS[f"raw.{table}"]
    for column in contract.columns:
        # A campaign may end, and an offer be valid, after the last known day.
        if known_until and column.name in ("at", "created_at"):
            rules[f"{column.name} lies after the last day known"] = nw.col(column.name) >= nw.lit(
                known_until
            )
    if contract.key:
        others = [c for c in contract.column_names if c not in contract.key]
        rank = nw.col(ONE).cum_sum().over(*contract.key, order_by=others)
        rules[f"same {', '.join(contract.key)} as another row"] = rank > 1
    return rules


def set_aside(
    frame: Any, *, table: str, rules: Mapping[str, nw.Expr], amount: str | None = None
) -> Split:
    """Cut a table into what is kept and what goes to quarantine.

    Parameters
    ----------
    frame : frame
        Any type that Narwhals knows.
    table : str
        Name written beside the rows set aside.
    rules : mapping
        Reason to expression; the first rule that is true gives the reason, and later rules
        look at what is left.
    amount : str, optional
        Column whose sum must be accounted for.

    Returns
    -------
    Split
    """
    data = nw.from_native(frame).lazy()
    columns = data.collect_schema().names()
    marked = data.with_columns(nw.lit(None, nw.String).alias(REASON))
    for reason, rule in rules.items():
        # A rule that counts rows counts only those that no earlier rule set aside: a bad
        # copy must not take a good row with it.
        good = nw.col(REASON).is_null()
        marked = (
            marked.with_columns(nw.when(good).then(nw.lit(1)).otherwise(nw.lit(0)).alias(ONE))
            .with_columns(rule.fill_null(False).alias(BROKEN))
            .with_columns(
                nw.when(good & nw.col(BROKEN))
                .then(nw.lit(reason))
                .otherwise(nw.col(REASON))
                .alias(REASON)
            )
        )
    kept = marked.filter(nw.col(REASON).is_null()).select(*columns)
    aside = marked.filter(~nw.col(REASON).is_null()).select(*columns, REASON)
    quarantined = _describe(aside.collect("pandas").to_native(), table=table, amount=amount)
    rows_in = count_rows(frame)
    result = kept.to_native()
    rows_kept = count_rows(result)
    if rows_kept + len(quarantined) != rows_in:
        raise AssertionError(
            f"{table}: {rows_in:,} rows came in but {rows_kept:,} were kept and "
            f"{len(quarantined):,} set aside; a rule of cleaning loses rows"
        )
    return Split(kept=result, quarantined=quarantined, rows_in=rows_in)


def _describe(aside: pd.DataFrame, *, table: str, amount: str | None) -> pd.DataFrame:
    content = aside.drop(columns=REASON)
    lines = content.to_json(orient="records", lines=True, date_format="iso", force_ascii=False)
    empty = pd.Series([None] * len(aside), index=aside.index, dtype=object)
    return pd.DataFrame(
        {
            "table": table,
            "source": aside.get("source", empty),
            "file": empty,
            "row": pd.Series(pd.NA, index=aside.index, dtype="Int64"),
            "reason": aside[REASON],
            "amount": aside[amount].astype(float) if amount else float("nan"),
            # Not `splitlines`, which also cuts at separators that stand inside a text.
            "content": lines.rstrip("\n").split("\n") if len(aside) else [],
        }
    )
