"""The feature table: what was known of each customer on a day, and nothing later."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from customer360.contracts import CONTRACTS
from customer360.features.blocks import (
    basket_block,
    contact_block,
    known_block,
    rfm_block,
    service_block,
    web_block,
)
from customer360.features.days import day_number, day_of

__all__ = ["FEATURE_NAMES", "NUMERIC_FEATURES", "TEXT_FEATURES", "build_features", "label_future"]

_COLUMNS = [c for c in CONTRACTS["features"].columns if c.name not in ("customer_id", "as_of")]
FEATURE_NAMES = [c.name for c in _COLUMNS]
TEXT_FEATURES = [c.name for c in _COLUMNS if c.dtype == "text"]
NUMERIC_FEATURES = [c.name for c in _COLUMNS if c.dtype != "text"]

# What a customer without such an event has: none of it, rather than unknown.
ZERO_WHEN_ABSENT = (
    "web_hits_last_period",
    "contacts_last_period",
    "conversations_last_period",
    "claims_last_period",
    "cost_to_serve",
    "cost_to_contact",
)


def build_features(
    *,
    purchase_days: Any,
    orders: Any,
    web_events: Any,
    contacts: Any,
    conversations: Any,
    as_of: date,
    horizon_days: int,
    timezone: str,
    customers: Any = None,
    first_day: date | None = None,
) -> Any:
    """Describe each customer who bought by `as_of`, from what was known that day.

    Parameters
    ----------
    purchase_days, orders, web_events, contacts, conversations : frame
        Contracts `purchase_days` and `customer_*`; all of one engine: pandas frames,
        DuckDB relations or PySpark frames.
    as_of : date
        Last day known. Later rows may be present; they are not looked at.
    horizon_days : int
        Length of the periods that "last" and "previous" mean.
    timezone : str
        Zone of the shop; says when `as_of` ends.
    customers : frame, optional
        Contract `customers`, of the same engine: since when each is known. Without it, since
        the first purchase.
    first_day : date, optional
        First day of the order history.

    Returns
    -------
    frame
        One row per customer, contract `features`, of the type given.
    """
    table = known_block(
        rfm_block(purchase_days, as_of=as_of, horizon_days=horizon_days),
        customers,
        as_of=as_of,
        first_day=first_day,
    )
    for block in (
        basket_block(orders, as_of=as_of),
        web_block(web_events, as_of=as_of, horizon_days=horizon_days, timezone=timezone),
        contact_block(contacts, as_of=as_of, horizon_days=horizon_days, timezone=timezone),
        service_block(conversations, as_of=as_of, horizon_days=horizon_days, timezone=timezone),
    ):
        table = table.join(block, on="customer_id", how="left")
    filled = {name: nw.col(name).fill_null(0.0) for name in ZERO_WHEN_ABSENT}
    return (
        table.with_columns(as_of=nw.lit(as_of), **filled)
        .select("customer_id", "as_of", *FEATURE_NAMES)
        .to_native()
    )


def label_future(
    features: Any, *, purchase_days: Any, as_of: date, horizon_days: int, column: str = "churned"
) -> Any:
    """Add whether each customer stayed silent in the horizon, and what it brought.

    Parameters
    ----------
    features : duckdb.DuckDBPyRelation
        Contract `features`, rows of one `as_of`.
    purchase_days : duckdb.DuckDBPyRelation
        Contract `purchase_days`.
    as_of : date
        Day of the features; the horizon starts the day after.
    horizon_days : int
        Length of the label window.

    Returns
    -------
    frame
        The features with `churned` (True: no purchase in the window), `days_to_next` (days
        until the next purchase, empty without one in the window) and `future_margin`
        (currency, 0 where nothing was bought).
    """
    now = day_of(as_of)
    future = (
        nw.from_native(purchase_days)
        .lazy()
        .with_columns(day_no=day_number("day"))
        .filter((nw.col("day_no") > now) & (nw.col("day_no") <= now + horizon_days))
        .group_by("customer_id")
        .agg(next_day=nw.col("day_no").min(), future_margin=nw.col("margin").sum())
    )
    return (
        nw.from_native(features)
        .lazy()
        .join(future, on="customer_id", how="left")
        .with_columns(
            nw.col("next_day").is_null().alias(column),
            days_to_next=(nw.col("next_day") - now).cast(nw.Float64),
            future_margin=nw.col("future_margin").fill_null(0.0),
        )
        .drop("next_day")
        .to_native()
    )
