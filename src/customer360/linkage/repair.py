"""Which addresses, e-mails and numbers are worth mending, best expected value first.

Mending is worth what the customer brought in over the last year times the reach it adds:
the share of messages of that channel that are seen, as far as no other channel reaches
the customer already. Somebody who refused the channel is left alone.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.reachability import CHANNEL_FIELDS

__all__ = ["channel_reach", "make_repair_queue", "queue_summary"]

YEAR_DAYS = 365
# What messages of these channels never used so far are taken to reach.
UNKNOWN_REACH = 1.0


def channel_reach(contacts: Any) -> pa.Table:
    """Share of the messages sent by each channel that people saw.

    Parameters
    ----------
    contacts : frame
        Contract `staged.contacts` or `customer_contacts`.

    Returns
    -------
    pyarrow.Table
        channel, sent, reach: opened by a person for e-mail, delivered for the others.
    """
    with closing(duckdb.connect()) as connection:
        connection.register("contacts_given", as_arrow(contacts))
        return connection.sql(
            f"""
            with told as (
                select channel, contact_id, bool_or(event = 'sent') as sent,
                       bool_or(if(channel = 'email',
                                  event = 'opened' and reason is distinct from 'proxy',
                                  event = 'delivered')) as seen
                from contacts_given
                where channel in ({", ".join(f"'{c}'" for c in CHANNEL_FIELDS)})
                group by all
            )
            select channel, count(*) as sent, avg(seen::int) as reach
            from told where sent group by 1 order by 1
            """
        ).to_arrow_table()


def make_repair_queue(
    *,
    provenance: Any,
    reachability: Any,
    states: Any,
    linked_records: Any,
    orders: Any,
    reach: Any,
    as_of: date,
) -> pa.Table:
    """List the contact points worth mending.

    Parameters
    ----------
    provenance, reachability, linked_records, orders : frame
        Contracts `golden_provenance`, `reachability`, `linked_records` and
        `customer_orders`.
    states : frame
        From `judge_contact_points`.
    reach : frame
        From `channel_reach`.
    as_of : date
        Last day of the year whose margin counts.

    Returns
    -------
    pyarrow.Table
        Contract `repair_queue`, best expected value first. A dead value of one record,
        where another record has a better one, is to be overwritten by that; a dead value
        without a better one, or an address without a street, is to be asked for.
    """
    start = as_of - timedelta(days=YEAR_DAYS)
    channels = ", ".join(f"('{c}', '{f}')" for c, f in CHANNEL_FIELDS.items())
    with closing(duckdb.connect()) as connection:
        for name, table in (
            ("told", provenance),
            ("reachable_by", reachability),
            ("states_given", states),
            ("linked", linked_records),
            ("orders_given", orders),
            ("reach_given", reach),
        ):
            connection.register(name, as_arrow(table))
        return connection.sql(
            f"""
            with channels(channel, field) as (values {channels}),
            margins as (
                select customer_id, sum(margin) as margin_last_year from orders_given
                where ordered_on > date '{start}' and ordered_on <= date '{as_of}'
                group by 1 having sum(margin) > 0
            ),
            -- The record whose value is dead, the last one to fail where there are several.
            dead as (
                select l.customer_id, s.field, s.source, s.source_id, s.reason, s.state_at as moment
                from states_given s join linked l using (source, source_id)
                where s.state = 'hard' and not s.changed_since
                qualify row_number() over (
                    partition by l.customer_id, s.field
                    order by s.state_at desc, s.source, s.source_id) = 1
            ),
            streetless as (
                select p.customer_id, 'street' as field, p.source, p.source_id,
                       'no street' as reason, p.updated_at as moment
                from told p
                left join told t on t.customer_id = p.customer_id and t.field = 'street'
                where p.field = 'postcode' and t.customer_id is null
            ),
            broken as (
                select * from dead union all
                select * from streetless anti join dead using (customer_id, field)
            ),
            -- A better value stands in a record that did not fail.
            better as (
                select p.customer_id, p.field, p.value, p.source, p.updated_at
                from told p left join states_given s using (source, source_id, field)
                where p.field in ('email', 'phone', 'street')
                  and (s.state is null or s.state <> 'hard')
            ),
            -- Chance that no other channel, agreed and working, reaches the customer.
            alone as (
                select r.customer_id, c.field,
                       exp(sum(ln(1 - least(coalesce(g.reach, {UNKNOWN_REACH}), 0.999))))
                           as missed
                from reachable_by r join channels w using (channel)
                join (select distinct field from channels) c on c.field <> w.field
                left join reach_given g using (channel)
                where r.may_contact group by all
            ),
            -- Who was asked and refused every channel of a field is left alone.
            gains as (
                select b.customer_id, b.field,
                       max(coalesce(g.reach, {UNKNOWN_REACH})) as reach
                from broken b join channels c using (field)
                left join reachable_by r on r.customer_id = b.customer_id
                    and r.channel = c.channel
                left join reach_given g on g.channel = c.channel
                where coalesce(r.consent, true) group by all
            )
            select customer_id, if(b.field = 'street', 'address', b.field) as field, b.reason,
                   b.moment as "at", b.source, b.source_id,
                   case when b.reason = 'no street' then 'ask for the street'
                        when t.value is not null then 'write the value of ' || t.source
                        else 'ask the customer' end as action,
                   t.value as try_value, t.source as try_source, t.updated_at as try_at,
                   margin_last_year, g.reach * coalesce(a.missed, 1) as reach_gain,
                   margin_last_year * g.reach * coalesce(a.missed, 1) as expected_value
            from broken b join gains g using (customer_id, field) join margins using (customer_id)
            left join better t using (customer_id, field)
            left join alone a using (customer_id, field)
            order by expected_value desc, customer_id, field
            """
        ).to_arrow_table()


def queue_summary(queue: Any) -> pd.DataFrame:
    """What the queue holds, by field and what to try.

    Parameters
    ----------
    queue : frame
        Contract `repair_queue`.

    Returns
    -------
    pandas.DataFrame
        field, what is wrong, what to try, customers, expected value; most worth first.
    """
    with closing(duckdb.connect()) as connection:
        connection.register("queue", as_arrow(queue))
        return connection.sql(
            """
            select field, reason as "what is wrong",
                   if(try_value is null, action, 'write another record''s value')
                       as "what to try",
                   count(*) as customers, round(sum(expected_value), 2) as "expected value"
            from queue group by all order by "expected value" desc, field, "what is wrong",
                "what to try"
            """
        ).df()
