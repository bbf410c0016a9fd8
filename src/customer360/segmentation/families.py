"""The four families of segments: funnel stage, demographics, life events, what appeals.

Each takes tables and gives one row per customer. A source that is absent leaves its
columns empty: nothing is made up.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression

from customer360.contracts import FUNNEL
from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow
from customer360.segmentation.funnel import COMPARING_DAYS, FUNNEL_RULE

__all__ = [
    "FUNNEL",
    "describe_people",
    "detect_life_events",
    "find_triggers",
    "funnel_stages",
    "life_signals",
]

# An event of life shows from a month before it to four months after.
DAYS_BEFORE, DAYS_AFTER = 30, 120
QUIET_DAYS = 180
LEAST_LIFT, LEAST_COUNT, SHRINK_SIGNALS = 2.0, 5, 5.0
ANSWER_DAYS = 14
SURE_SCORE, LEAST_SURE = 3.0, 30
SHRINK_ANSWERS, SHRINK_SEGMENT = 0.5, 50.0


def _session(**tables: Any) -> duckdb.DuckDBPyConnection:
    connection = connect()
    for name, table in tables.items():
        connection.register(name, as_arrow(table))
    return connection


def funnel_stages(
    *,
    customers: Any,
    features: Any,
    classes: Any,
    web_events: Any,
    contacts: Any,
    surveys: Any,
    records: Any,
    as_of: date,
    horizon_days: int,
) -> pd.DataFrame:
    """Where each known person stands on the way from unaware to leaving.

    The last stage that holds counts: leaving (class *inactif*), advocate (referred somebody,
    or gave 9 or 10 for recommendation, and still buys), loyal (two purchase days or more),
    first_purchase, comparing (search or cart in the last 30 days, without ever buying),
    informed (a visit, or a message opened, in the horizon), unaware (none of these).

    Parameters
    ----------
    customers, features, classes : frame
        Contract `customers`; contract `features` of `as_of`; customer_id, potential_class.
    web_events, contacts, surveys, records : frame
        Contracts `customer_web_events`, `customer_contacts`, `staged.surveys` and
        `linked_records`.
    as_of : date
    horizon_days : int

    Returns
    -------
    pandas.DataFrame
        customer_id, funnel_stage (one of `FUNNEL`).
    """
    with closing(
        _session(p=customers, f=features, k=classes, w=web_events, c=contacts, s=surveys, l=records)
    ) as connection:
        return connection.execute(
            f"""with hits as (
                select customer_id, true as visits, bool_or(kind in ('search', 'cart')
                    and "at" >= date '{as_of}' - {COMPARING_DAYS}) as compares
                from w where "at" >= date '{as_of}' - {horizon_days}
                    and "at" < date '{as_of}' + 1 group by all),
            reads as (
                select customer_id, bool_or(event in ('opened', 'clicked')
                    and "at" >= date '{as_of}' - {horizon_days}) as informed,
                    bool_or(event = 'referred') as refers
                from c where "at" < date '{as_of}' + 1 group by all),
            praise as (
                select customer_id, max(score) >= 9 as praises
                from s join l using (source, source_id)
                where kind = 'nps' and "at" < date '{as_of}' + 1
                    and "at" >= date '{as_of}' - {horizon_days} group by all)
            select customer_id, {FUNNEL_RULE} as funnel_stage
            from p left join f using (customer_id)
            left join (select *, potential_class = 'inactif' as leaves from k) using (customer_id)
            left join hits using (customer_id) left join reads using (customer_id)
            left join praise using (customer_id) order by customer_id"""
        ).df()


def describe_people(customers: Any, enrichment: Any, *, as_of: date) -> pd.DataFrame:
    """Age, and what is known of where each customer lives.

    Returns
    -------
    pandas.DataFrame
        customer_id, age_band (ten years wide, such as ``"30-39"``), urbanity, income_band
        (third of the postcodes by median income: low, middle, high).
    """
    with closing(_session(p=customers, e=enrichment)) as connection:
        return connection.execute(
            f"""with third as (
                select postcode, urbanity, case when median_income is not null then
                    list_extract(['low', 'middle', 'high'], ntile(3) over (order by median_income))
                    end as income_band
                from e)
            select customer_id, third.urbanity, income_band,
                case when age between 16 and 105 then
                    (age // 10 * 10)::varchar || '-' || (age // 10 * 10 + 9)::varchar
                    end as age_band
            from (select *, date_diff('year', birth_date, date '{as_of}') as age from p)
            left join third using (postcode) order by customer_id"""
        ).df()


def life_signals(
    *, orders: Any, web_events: Any, people: Any, records: Any, as_of: date
) -> pd.DataFrame:
    """What may tell of an event of life: categories bought, words searched, a new address.

    Parameters
    ----------
    orders, web_events : frame
        Contracts `customer_orders`, `customer_web_events`.
    people, records : frame
        Contracts `staged.people`, `linked_records`: a customer whose records bear several
        postcodes has moved, by the day the last of them was changed.

    Returns
    -------
    pandas.DataFrame
        customer_id, day, signal (``"buys ..."``, ``"searches ..."``, ``"new address"``): a
        row for each day; of purchases only those that begin, after half a year without.
    """
    with closing(_session(o=orders, w=web_events, p=people, l=records)) as connection:
        return connection.execute(
            f"""with told as (
                select customer_id, ordered_on::date as day, 'buys ' || category as signal from o
                where category is not null
                union all
                select customer_id, "at"::date, 'searches ' || lower(trim(query)) from w
                where kind = 'search' and query is not null
                union all
                select customer_id, max(coalesce(updated_at, created_at))::date, 'new address'
                from p join l using (source, source_id) where postcode is not null
                group by customer_id having count(distinct postcode) > 1)
            select customer_id, day::date as day, signal from
                (select distinct customer_id, day, signal from told where day <= date '{as_of}')
            qualify signal not like 'buys %' or coalesce(day - lag(day) over (
                partition by customer_id, signal order by day) > {QUIET_DAYS}, true)
            order by all"""
        ).df()


def detect_life_events(
    signals: pd.DataFrame, *, declared: Any, records: Any, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Find events of life that were not declared, by what those who declared one did.

    A signal speaks for a kind of event when it is several times more frequent around the
    declared events than in general. A customer's evidence is the sum of the log lifts of
    its signals within four months, at its best. Only some declare: the chance to have
    declared, given the evidence, is divided by the share that declares (Elkan and Noto
    2008), which gives the confidence.

    Parameters
    ----------
    signals : pandas.DataFrame
        From `life_signals`.
    declared, records : frame
        Contracts `staged.life_events`, `linked_records`.
    as_of : date

    Returns
    -------
    events : pandas.DataFrame
        One row per customer and kind with evidence or a declaration: customer_id, kind,
        day (declared, or the middle of the evidence), origin (declared or detected),
        confidence (1 for a declared one).
    words : pandas.DataFrame
        kind, signal, lift: what speaks for each kind.
    """
    empty = (
        pd.DataFrame(columns=["customer_id", "kind", "day", "origin", "confidence"]),
        pd.DataFrame(columns=["kind", "signal", "lift"]),
    )
    with closing(_session(s=signals, d=declared, l=records)) as connection:
        connection.execute(
            f"""create table told as select customer_id, kind, min("at")::date as day
            from d join l using (source, source_id)
            where kind <> 'birthday' and "at" < date '{as_of}' + 1 group by all"""
        )
        words = connection.execute(
            f"""with seen as (
                select kind, signal, count(*) as n from s join told using (customer_id)
                where s.day between told.day - {DAYS_BEFORE} and told.day + {DAYS_AFTER}
                group by all),
            base as (select signal, count(*) / sum(count(*)) over () as share from s group by all)
            select kind, signal, n,
                (n + {SHRINK_SIGNALS}) / (sum(n) over (partition by kind) * share
                    + {SHRINK_SIGNALS}) as lift
            from seen join base using (signal) order by kind, lift desc, signal"""
        ).df()
        words = words[(words["lift"] >= LEAST_LIFT) & (words["n"] >= LEAST_COUNT)]
        if words.empty:
            return empty
        connection.register("v", as_arrow(words))
        evidence = connection.execute(
            f"""with heard as (
                select customer_id, kind, day, ln(lift) as weight from s join v using (signal)),
            summed as (
                select customer_id, kind, day, round(sum(weight) over (
                    partition by customer_id, kind order by day
                    range between current row and interval {DAYS_AFTER} days following), 9) as score
                from heard),
            best as (
                select customer_id, kind, max(score) as score, arg_max(day, (score, -epoch(day)))
                    as day from summed group by all)
            select coalesce(b.customer_id, t.customer_id) as customer_id,
                coalesce(b.kind, t.kind) as kind, coalesce(score, 0.0) as score,
                coalesce(t.day, b.day::date + {DAYS_BEFORE}) as day, t.day is not null as declared
            from best b full join told t
                on b.customer_id = t.customer_id and b.kind = t.kind order by all"""
        ).df()
    declares = _declaring_share(evidence)
    parts = [_confidence(part, declares=declares) for _, part in evidence.groupby("kind")]
    events = pd.concat(parts, ignore_index=True)
    events["origin"] = np.where(events["declared"], "declared", "detected")
    kept = ["customer_id", "kind", "day", "origin", "confidence"]
    return events[kept], words[["kind", "signal", "lift"]].reset_index(drop=True)


def _declaring_share(evidence: pd.DataFrame) -> float:
    """Share of events that are declared, read where the evidence leaves no doubt."""
    sure = evidence.loc[evidence["score"] >= SURE_SCORE, "declared"]
    # Too few to say: as if all did, which claims least.
    return float(sure.mean()) if len(sure) >= LEAST_SURE and sure.any() else 1.0


def _confidence(evidence: pd.DataFrame, *, declares: float) -> pd.DataFrame:
    """Chance that each event of one kind happened, given its evidence."""
    told = evidence["declared"].to_numpy()
    score = evidence["score"].to_numpy(dtype=float)
    heard = score > 0
    share = np.zeros(len(score))
    if heard.any():
        rising = IsotonicRegression(y_min=0.0, out_of_bounds="clip")
        share[heard] = rising.fit(score[heard], told[heard]).predict(score[heard])
    return evidence.assign(confidence=np.where(told, 1.0, np.minimum(share / declares, 0.99)))


def find_triggers(
    *, contacts: Any, campaigns: Any, orders: Any, segments: Any, as_of: date
) -> pd.DataFrame:
    r"""What each customer answers to: the theme of the messages after which it bought.

    For each message the answer (a purchase in the two weeks after) is compared with that of
    all who got the same variant; the sums by theme, :math:`z = \sum (y - \bar y) / (\sum \bar
    y (1 - \bar y) + k)`, are shrunk towards the same figure of the customer's segment.

    Parameters
    ----------
    contacts, campaigns, orders : frame
        Contracts `customer_contacts`, `staged.campaigns`, `customer_orders`.
    segments : frame
        customer_id, segment.
    as_of : date

    Returns
    -------
    pandas.DataFrame
        One row per customer who got a message with a theme: customer_id, trigger (theme),
        trigger_lift (answers beyond the usual, in units of those expected), messages.
    """
    with closing(_session(c=contacts, k=campaigns, o=orders, g=segments)) as connection:
        return connection.execute(
            f"""with sent as (
                select customer_id, contact_id, campaign_id, variant, min("at")::date as day
                from c where "at" < date '{as_of}' + 1 - {ANSWER_DAYS}
                group by all having not bool_or(event = 'held_out')),
            bought as (select distinct customer_id, ordered_on::date as on_day from o
                where status = 'paid'),
            answered as (
                select distinct contact_id from sent join bought using (customer_id)
                where on_day between day and day + {ANSWER_DAYS}),
            messages as (
                select customer_id, theme, campaign_id, variant,
                    (a.contact_id is not null)::integer as y
                from sent join k using (campaign_id, variant)
                left join answered a using (contact_id) where theme is not null),
            usual as (
                select *, avg(y) over (partition by campaign_id, variant) as p from messages),
            sums as (
                select customer_id, theme, sum(y - p) as r, sum(p * (1 - p)) as v, count(*) as n
                from usual group by all),
            -- Who buys often answers everything: only what exceeds its own level tells.
            levels as (
                select customer_id, sum(r) / (sum(v) + {SHRINK_ANSWERS}) as level
                from sums group by all),
            own as (
                select customer_id, theme, n, v, r - v * level as r
                from sums join levels using (customer_id)),
            crowd as (
                select segment, theme, sum(r) / (sum(v) + {SHRINK_SEGMENT}) as z
                from own join g using (customer_id) group by all),
            shrunk as (
                -- Rounded, so that sums made in another order tie all the same.
                select customer_id, theme, own.n, round((r + {SHRINK_ANSWERS}
                    * coalesce(crowd.z, 0)) / (v + {SHRINK_ANSWERS}), 9) as z
                from own left join g using (customer_id)
                left join crowd using (segment, theme))
            select customer_id, arg_max(theme, (z, theme)) as "trigger", max(z) as trigger_lift,
                sum(n)::bigint as messages
            from shrunk group by all order by customer_id"""
        ).df()
