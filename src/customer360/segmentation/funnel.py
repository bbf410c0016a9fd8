"""Where customers stood in the funnel on the day of a contact."""

from __future__ import annotations

from typing import Any

import pandas as pd

from customer360.linkage.engine_tables import as_arrow, as_pandas, working_connection

__all__ = ["FUNNEL_RULE", "funnel_on_days"]

COMPARING_DAYS = 30
#: The last stage that holds counts; the one rule of today's stages and those of past days.
FUNNEL_RULE = """case
    when leaves then 'leaving'
    when frequency >= 1 and (refers or praises) then 'advocate'
    when frequency >= 2 then 'loyal'
    when frequency = 1 then 'first_purchase'
    when compares then 'comparing'
    when visits or informed then 'informed'
    else 'unaware' end"""


def funnel_on_days(
    moments: Any,
    *,
    purchase_days: Any,
    web_events: Any,
    contacts: Any,
    surveys: Any,
    records: Any,
    horizon_days: int,
) -> pd.DataFrame:
    """Where each customer stood when a day began: what came of that day is not looked at.

    The rule is that of `families.funnel_stages`, but for one thing: whoever comes in cycles
    counts as leaving when silent beyond the horizon and twice its usual pause, because the
    rhythm of a year needs three years to be seen.

    Parameters
    ----------
    moments : frame
        customer_id, day.
    purchase_days, web_events, contacts, surveys, records : frame
        Contracts `purchase_days`, `customer_web_events`, `customer_contacts`,
        `staged.surveys` and `linked_records`; later rows may be there. A visit counts from
        the day on which it was known whose it was: a message that makes somebody log in
        must not change where it is said to have stood before.
    horizon_days : int, days

    Returns
    -------
    pandas.DataFrame
        One row per distinct moment, in order: customer_id, day, funnel_stage.
    """
    with working_connection() as connection:
        for name, table in (
            ("moments", moments), ("b", purchase_days), ("w", web_events), ("c", contacts),
            ("s", surveys), ("l", records),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        return as_pandas(connection.sql(_ON_DAYS, params={"horizon": int(horizon_days)}))


_ON_DAYS = f"""
with m as (select distinct customer_id, "day"::date as day from moments),
bought as (
    select m.customer_id, m.day, count(distinct b."day") as frequency,
           m.day - 1 - max(b."day"::date) as silence,
           (max(b."day"::date) - min(b."day"::date)) / nullif(count(distinct b."day") - 1, 0)
               as pause
    from m join b on b.customer_id = m.customer_id and b."day"::date < m.day
    group by m.customer_id, m.day
),
hits as (
    select customer_id, "at"::date as day, greatest("at", known_at)::date as known,
           bool_or(kind in ('search', 'cart')) as compares
    from w group by all
),
visited as (
    select m.customer_id, m.day, true as visits,
           bool_or(h.compares and h.day >= m.day - 1 - {COMPARING_DAYS}) as compares
    from m join hits h on h.customer_id = m.customer_id and h.day < m.day and h.known < m.day
        and h.day >= m.day - 1 - $horizon::integer
    group by m.customer_id, m.day
),
events as (
    select customer_id, "at"::date as day, event from c
    where event in ('opened', 'clicked', 'referred')
),
answered as (
    select m.customer_id, m.day, bool_or(event = 'referred') as refers,
           bool_or(event <> 'referred' and e.day >= m.day - 1 - $horizon::integer) as informed
    from m join events e on e.customer_id = m.customer_id and e.day < m.day
    group by m.customer_id, m.day
),
praised as (
    select m.customer_id, m.day, max(score) >= 9 as praises
    from m join l using (customer_id) join s on s.source = l.source
        and s.source_id = l.source_id and kind = 'nps' and s."at"::date < m.day
        and s."at"::date >= m.day - 1 - $horizon::integer
    group by m.customer_id, m.day
),
known as (
    select *, silence > $horizon::integer and silence > 2 * coalesce(pause, 0) as leaves
    from bought
)
select customer_id, day, {FUNNEL_RULE} as funnel_stage
from m left join known using (customer_id, day) left join visited using (customer_id, day)
    left join answered using (customer_id, day) left join praised using (customer_id, day)
order by customer_id, day"""
