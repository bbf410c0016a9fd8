"""What a customer has lived through and cost so far, as known on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from customer360.features.blocks import CLAIM_REASONS
from customer360.features.days import day_number, day_of
from customer360.periods import end_of_day

__all__ = ["FADES_IN_DAYS", "claims_until", "costs_until"]

# A bad experience is half forgotten in about four months.
FADES_IN_DAYS = 180.0


def claims_until(conversations: Any, *, as_of: date, timezone: str) -> Any:
    """Claims of each customer, older ones weighing less.

    Parameters
    ----------
    conversations : frame
        Contract `customer_conversations`.
    as_of : date
        Last day known.
    timezone : str
        Says when `as_of` ends.

    Returns
    -------
    frame
        One row per customer_id with a claim: claims, the sum of exp(-age / 180 days).
    """
    now = day_of(as_of)
    claims = _until(conversations, as_of=as_of, timezone=timezone).filter(
        nw.col("reason").fill_null("").is_in(CLAIM_REASONS)
    )
    faded = ((nw.col("day_no") - now).cast(nw.Float64) / FADES_IN_DAYS).exp()
    table = claims.with_columns(faded=faded).group_by("customer_id")
    return table.agg(claims=nw.col("faded").sum()).to_native()


def costs_until(events: Any, *, as_of: date, timezone: str) -> Any:
    """What contacts or conversations have cost, by customer.

    Parameters
    ----------
    events : frame
        Contract `customer_contacts` or `customer_conversations`.

    Returns
    -------
    frame
        One row per customer_id: cost (currency).
    """
    table = _until(events, as_of=as_of, timezone=timezone).group_by("customer_id")
    return table.agg(cost=nw.col("cost").sum()).to_native()


def _until(events: Any, *, as_of: date, timezone: str) -> Any:
    return (
        nw.from_native(events)
        .filter(nw.col("at") < nw.lit(end_of_day(as_of, timezone=timezone)))
        .with_columns(day_no=day_number("at"))
    )
