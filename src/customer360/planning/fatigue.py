"""How much of a message's effect the messages before it have used up."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb
import numpy as np

from customer360.linkage.engine_tables import as_arrow

__all__ = ["fatigue_share"]

RECENT_DAYS, RESPONSE_DAYS = 30, 14


def fatigue_share(
    contacts: Any, orders: Any, *, assumed_share: float, assumed_error: float = 0.15
) -> tuple[float, float]:
    """Share of a message's effect that each recent message takes from it.

    Orders in the two weeks after a message, against those of customers held out of the same
    kind of message, fall with the messages of the month before: least squares with an
    interaction. The estimate is as a rule far less certain than what is commonly assumed;
    the two are weighted by their precision.

    Parameters
    ----------
    contacts, orders : frame
        Contracts `customer_contacts`, `customer_orders`.
    assumed_share : float
        What is assumed before looking.
    assumed_error : float
        Standard error of that.

    Returns
    -------
    share, error : float
        The share, between 0 and 1, and its standard error. What was assumed, where nobody
        was held out or messages have no effect to lose.
    """
    with closing(duckdb.connect()) as connection:
        connection.register("contacts", as_arrow(contacts))
        connection.register("orders", as_arrow(orders))
        known = connection.sql(
            f"""with message as (
                select customer_id, contact_id, min("at") as "at",
                    not bool_or(event = 'held_out') as sent
                from contacts group by all),
            tested as (
                select *, coalesce(sum(sent::integer) over (
                    partition by customer_id order by "at"
                    range between interval {RECENT_DAYS} day preceding
                    and interval 1 second preceding), 0) as recent
                from message),
            bought as (
                select customer_id, order_id, min(ordered_at) as "at" from orders
                where status = 'paid' group by all),
            after as (
                select t.contact_id, count(*) as n from tested t join bought b
                on b.customer_id = t.customer_id and b."at" > t."at"
                and b."at" <= t."at" + interval {RESPONSE_DAYS} day group by all)
            select coalesce(n, 0)::double as y, sent::double as sent, recent::double as recent
            from tested left join after using (contact_id)"""
        ).fetchnumpy()
    sent, recent = known["sent"], known["recent"]
    if not 0 < sent.sum() < len(sent) or not recent.any():
        return assumed_share, assumed_error
    slope, covariance = _least_squares(
        np.column_stack([np.ones(len(sent)), sent, recent, sent * recent]), known["y"]
    )
    effect, fall = slope[1], slope[3]
    if effect <= 2 * covariance[1, 1] ** 0.5:
        return assumed_share, assumed_error
    found, error = -fall / effect, covariance[3, 3] ** 0.5 / effect
    weight, prior = error**-2, assumed_error**-2
    share = (weight * found + prior * assumed_share) / (weight + prior)
    return float(np.clip(share, 0, 1)), float((weight + prior) ** -0.5)


def _least_squares(design: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inverse = np.linalg.pinv(design.T @ design)
    slope = inverse @ design.T @ y
    spread = ((y - design @ slope) ** 2).sum() / max(len(y) - design.shape[1], 1)
    return slope, inverse * spread
