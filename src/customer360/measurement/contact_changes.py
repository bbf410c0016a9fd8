"""What results say of consent and addresses: the lines to hand back to the source files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow, working_connection

__all__ = ["NO_ADDRESS", "NO_CONSENT", "contact_changes"]

NO_CONSENT, NO_ADDRESS = "no consent", "no working address"
CHANNELS = ("email", "sms", "phone", "post")


def contact_changes(contacts: Any, *, customers: Any) -> pa.Table:
    """Customers whom an answer, or the lack of one, closed a channel to.

    The customer file already obeys (see `linkage.reachability`); the systems the records came
    from do not know yet.

    Parameters
    ----------
    contacts : frame
        Contract `customer_contacts`.
    customers : frame
        Contract `customers`.

    Returns
    -------
    pyarrow.Table
        Contract `contact_changes`: by customer_id and channel. Who left the list of a channel
        is told once, even if its address fails too.
    """
    closed = " union all ".join(
        f"""select customer_id, '{channel}' as channel, not consent_{channel} as refused,
                not reachable_{channel} as dead from customers"""
        for channel in CHANNELS
    )
    with working_connection() as connection:
        connection.register("events", as_arrow(contacts))
        connection.register("customers", as_arrow(customers))
        return connection.sql(
            f"""
            with closed as ({closed}),
            said as (
                select customer_id, channel, event, "at"::date as since, reason,
                       event = 'unsubscribed' as left_it
                from events where event in ('unsubscribed', 'bounced', 'undeliverable')
            )
            select customer_id, channel,
                   case when bool_or(left_it) then '{NO_CONSENT}' else '{NO_ADDRESS}' end as change,
                   max(since) as since, max_by(coalesce(reason, event), (left_it, since)) as reason
            from said join closed using (customer_id, channel)
            where (left_it and coalesce(refused, true)) or (not left_it and coalesce(dead, true))
            group by customer_id, channel order by customer_id, channel
            """
        ).to_arrow_table()
