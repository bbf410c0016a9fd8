"""Paths of touches that end with an order, or with nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow, as_pandas
from customer360.measurement.attribution import UNTOUCHED

__all__ = ["OWN_REFERRERS", "build_paths"]

#: Visits that count as no touch: typed in, or the click of a message that counts already.
OWN_REFERRERS = ("direct", "newsletter", "sms", "social_ad", "banner")

WINDOW = "to_days($1::integer)"


def build_paths(
    *,
    orders: Any,
    contacts: Any,
    web_events: Any,
    window_days: int = 14,
    own_referrers: Sequence[str] = OWN_REFERRERS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What reached each customer before each order, and what reached it in vain.

    A message that arrived is a touch of its channel, where that is known, at the time it was
    sent; a visit to the site is a touch of its referrer. A touch belongs to the customer's next
    order when that comes within the window. Touches that no order followed make a path of
    their own, one for each span between two orders. An order that nothing preceded is credited
    to `untouched`.

    Parameters
    ----------
    orders, contacts, web_events : frame
        Contracts `customer_orders` (bills left unpaid do not count), `customer_contacts` and
        `customer_web_events`.
    window_days : int
        How long a touch may work.
    own_referrers : sequence of str
        Referrers that are no touch.

    Returns
    -------
    touches : pandas.DataFrame
        One row per touch: path, channel, days_before (the end of the path, days).
    outcomes : pandas.DataFrame
        One row per path: path, converted (0 or 1), revenue (currency, 0 without an order).
    """
    with closing(connect()) as connection:
        tables = {"orders": orders, "contacts": contacts, "web_events": web_events}
        for name, table in tables.items():
            connection.register(name, as_arrow(table))
        connection.execute("CREATE TABLE own (referrer VARCHAR)")
        connection.executemany("INSERT INTO own VALUES (?)", [[name] for name in own_referrers])
        connection.execute(
            """CREATE TABLE ends AS
               SELECT *, row_number() OVER (ORDER BY customer_id, ended_at, order_key) AS path
               FROM (SELECT customer_id, source || '/' || order_id AS order_key,
                            min(ordered_at) AS ended_at,
                            coalesce(round(sum(net_amount), 6), 0) AS revenue
                     FROM orders WHERE status <> 'unpaid' GROUP BY ALL)"""
        )
        connection.execute(
            f"""CREATE TABLE told AS
               WITH reached AS (
                   SELECT customer_id, channel, min("at") FILTER (event = 'sent') AS "at"
                   FROM contacts WHERE channel IS NOT NULL
                   GROUP BY customer_id, contact_id, channel
                   HAVING count(*) FILTER (event IN ('delivered', 'opened', 'clicked')) > 0
                      AND count(*) FILTER (event = 'sent') > 0
                   UNION ALL
                   SELECT customer_id, referrer, "at" FROM web_events
                   WHERE referrer IS NOT NULL AND referrer NOT IN (FROM own))
               SELECT r.customer_id, r.channel, r."at", e.path, e.ended_at,
                      coalesce(e.ended_at <= r."at" + {WINDOW}, false) AS led
               FROM reached r ASOF LEFT JOIN (
                   -- Of two orders of one moment, the first gets the touches.
                   SELECT customer_id, ended_at, min(path) AS path FROM ends GROUP BY ALL) e
                 ON r.customer_id = e.customer_id AND r."at" <= e.ended_at""",
            [window_days],
        )
        # A path in vain is named by the order that came too late, or by the customer.
        connection.execute(
            """CREATE TABLE named AS
               SELECT channel, "at", CASE WHEN led THEN path END AS path, ended_at,
                      dense_rank() OVER (ORDER BY customer_id, path NULLS LAST) AS vain
               FROM told"""
        )
        touches = connection.sql(
            """WITH vain AS (
                   SELECT channel, (SELECT count(*) FROM ends) + vain AS path,
                          epoch(max("at") OVER (PARTITION BY vain)) - epoch("at") AS seconds
                   FROM named WHERE path IS NULL)
               SELECT path, channel, epoch(ended_at) - epoch("at") AS seconds FROM named
               WHERE path IS NOT NULL
               UNION ALL SELECT path, channel, seconds FROM vain
               UNION ALL SELECT path, $1, 0 FROM ends
               WHERE path NOT IN (SELECT path FROM named WHERE path IS NOT NULL)
               ORDER BY path, seconds DESC, channel""",
            params=[UNTOUCHED],
        )
        touches = as_pandas(touches)
        outcomes = as_pandas(
            connection.sql(
                """SELECT path, 1 AS converted, revenue FROM ends
                   UNION ALL SELECT DISTINCT (SELECT count(*) FROM ends) + vain, 0, 0.0
                   FROM named WHERE path IS NULL ORDER BY path"""
            )
        )
    touches["days_before"] = touches.pop("seconds") / 86_400
    return touches, outcomes.astype({"revenue": float})
