"""Sales representatives: what they brought in, whom to visit first, how good their files are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.measurement.outcomes import RESPONSE_DAYS
from customer360.measurement.rates import shrink_shares

__all__ = [
    "file_fields",
    "file_quality",
    "portfolios",
    "representative_months",
    "representative_results",
    "visit_first",
]

#: Fields a representative can fill in, and that another system may confirm.
CHECKED = ("first_name", "last_name", "birth_date", "email", "phone", "street", "postcode")
#: What would raise a score, or the look of it, without better files.
CHECKS = (
    "one number in many files",
    "one birth date in many files",
    "says more than is there",
    "contradicted by other systems",
    "copies what was known before",
)
#: What fell most in the value of a customer, as a representative would say it.
_FELL = {
    "recency": "silent for longer than usual",
    "purchases": "buys less often",
    "spend": "smaller baskets",
    "segment": "buys less than those alike",
    "experience": "claims that went badly",
    "cost": "costs more to serve",
}
# Who belongs to whom: the last to visit.
_PORTFOLIO = """
    select l.customer_id, arg_max(v.rep_id, (v."at", v.rep_id)) as rep_id,
           max(cast(v."at" as date)) as visited_on
    from visits v join linked l using (source, source_id) group by l.customer_id
"""


def representative_results(
    visits: Any, *, linked_records: Any, orders: Any, clv_scores: Any
) -> pd.DataFrame:
    """What each representative's visits were followed by.

    Parameters
    ----------
    visits : frame
        Contract `sales_visits`.
    linked_records : frame
        Contract of that name: which customer a record is of.
    orders : frame
        Contract `customer_orders`.
    clv_scores : frame
        Contract of that name.

    Returns
    -------
    pandas.DataFrame
        One row per rep_id: visits, met (not absent), customers (of the portfolio: those
        whose last visit was theirs), signed (visits whose outcome is an order), order_share
        (signed / met) with low and high (95 %, Wilson) and shrunk (drawn to the team's, so
        that few visits do not make a champion), ordered_after and margin_after (customers
        of met visits who ordered within two weeks, and the margin; those visits caused some
        of it, nobody knows how much), portfolio_value (sum of clv, currency).
    """
    with working_connection() as connection:
        for name, table in (
            ("visits", visits), ("linked", linked_records), ("lines", orders), ("clv", clv_scores),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        found = connection.execute(
            f"""
            with portfolio as ({_PORTFOLIO}),
            worth as (
                select rep_id, count(*) as customers, coalesce(sum(clv), 0) as portfolio_value
                from portfolio left join clv using (customer_id) group by rep_id
            ),
            met as (
                select rep_id, customer_id, cast("at" as date) as day
                from visits join linked using (source, source_id) where outcome <> 'absent'
            ),
            bought as (
                select customer_id, source, order_id, min(ordered_on) as day,
                       sum(margin) as margin
                from lines where amount >= 0 group by all
            ),
            -- Two visits in two weeks share an order: it is the later one's.
            after as (
                select b.customer_id, b.source, b.order_id, b.margin,
                       arg_max(m.rep_id, (m.day, m.rep_id)) as rep_id
                from bought b join met m on m.customer_id = b.customer_id
                    and b.day > m.day and b.day <= m.day + {RESPONSE_DAYS}
                group by all
            ),
            followed as (
                select rep_id, count(distinct customer_id) as ordered_after,
                       sum(margin) as margin_after
                from after group by rep_id
            )
            select rep_id, count(*) as visits, count(*) filter (outcome <> 'absent') as met,
                   any_value(customers) as customers,
                   count(*) filter (outcome = 'order') as signed,
                   coalesce(any_value(ordered_after), 0) as ordered_after,
                   -- Rounded: sums made in another order must read the same.
                   round(coalesce(any_value(margin_after), 0), 6) as margin_after,
                   round(coalesce(any_value(portfolio_value), 0), 6) as portfolio_value
            from visits left join worth using (rep_id) left join followed using (rep_id)
            group by rep_id order by rep_id
            """
        ).df()
    met = found["met"].clip(lower=1)
    found["order_share"] = found["signed"] / met
    found["low"], found["high"] = proportion_confint(found["signed"], met, method="wilson")
    found["shrunk"] = shrink_shares(found["signed"].to_numpy(float), met.to_numpy(float))
    return found


def representative_months(visits: Any) -> pd.DataFrame:
    """What each representative did in each month.

    Parameters
    ----------
    visits : frame
        Contract `sales_visits`.

    Returns
    -------
    pandas.DataFrame
        One row per rep_id and month with a visit by anybody: visits, met (not absent),
        signed (visits whose outcome is an order).
    """
    with working_connection() as connection:
        connection.register("visits", as_arrow(visits))
        return connection.execute(
            """
            with told as (select *, date_trunc('month', "at")::date as month from visits)
            select rep_id, month, count(told."at") as visits,
                   count(*) filter (outcome <> 'absent') as met,
                   count(*) filter (outcome = 'order') as signed
            from (select distinct rep_id from visits) cross join (select distinct month from told)
                left join told using (rep_id, month)
            group by rep_id, month order by rep_id, month
            """
        ).df()


def portfolios(
    visits: Any,
    *,
    linked_records: Any,
    retention_list: Any,
    as_of: date,
    unseen_days: int = 180,
) -> pd.DataFrame:
    """What of each representative's customers asks for attention.

    Parameters
    ----------
    visits, linked_records, retention_list : frame
        Contracts of these names.
    as_of : date
    unseen_days : int, days

    Returns
    -------
    pandas.DataFrame
        One row per rep_id with a customer: at_risk (customers on the retention list),
        expected_loss (their priority, currency), unseen (customers not visited for longer
        than `unseen_days`).
    """
    with working_connection() as connection:
        for name, table in (
            ("visits", visits), ("linked", linked_records), ("leaving", retention_list),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        return connection.execute(
            f"""
            with portfolio as ({_PORTFOLIO})
            select rep_id, count(priority) as at_risk,
                   round(coalesce(sum(priority), 0), 6) as expected_loss,
                   count(*) filter (visited_on < date '{as_of}' - {int(unseen_days)}) as unseen
            from portfolio left join leaving using (customer_id) group by rep_id order by rep_id
            """
        ).df()


@contextmanager
def _judged(visits: Any, records: Any, linked_records: Any) -> Iterator[Any]:
    """Tables `files` and `judged`: what stands in each file, and what others say of it."""
    fields = ", ".join(f"cast({f} as varchar) as {f}" for f in CHECKED)
    with working_connection() as connection:
        for name, table in (
            ("visits", visits), ("records", records), ("linked", linked_records),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        connection.execute(
            """
            create temp table files as
            select source, source_id, arg_max(rep_id, ("at", rep_id)) as rep_id,
                   max(fields_completed) as claimed
            from visits group by all
            """
        )
        connection.execute(
            f"""
            create temp table written as
            unpivot (
                select l.customer_id, r.source, r.source_id, opened_on, {fields}
                from records r join linked l using (source, source_id)
            ) on {", ".join(CHECKED)} into name field value value
            """
        )
        connection.execute(
            """
            create temp table judged as
            with theirs as (
                select w.*, f.rep_id,
                       row_number() over (
                           partition by f.rep_id, field, value order by source_id
                       ) as place,
                       count(*) over (partition by f.rep_id, field, value) as times
                from written w join files f using (source, source_id)
            )
            select t.rep_id, t.customer_id, t.source_id, t.field, t.place, t.times,
                   bool_or(o.value = t.value) as agrees,
                   bool_or(o.value = t.value and o.opened_on > t.opened_on) as agrees_later
            from theirs t left join written o on o.customer_id = t.customer_id
                and o.field = t.field and o.source <> t.source
            group by all
            """
        )
        yield connection


def file_fields(visits: Any, *, records: Any, linked_records: Any) -> pd.DataFrame:
    """Each field of each representative's files: how often it is filled, how often right.

    Parameters
    ----------
    visits, records, linked_records : frame
        As in `file_quality`.

    Returns
    -------
    pandas.DataFrame
        One row per rep_id and field, in the order of `CHECKED`: filled (share of the
        files), checked (values that another system of the customer knows as well), right
        (share of those that agree; empty when none was checked).
    """
    with _judged(visits, records, linked_records) as connection:
        counted = connection.execute(
            """
            with files_of as (select rep_id, count(*) as files from files group by rep_id)
            select rep_id, field, count(*) / any_value(files) as filled,
                   count(agrees) as checked,
                   count(*) filter (agrees) / nullif(count(agrees), 0) as "right"
            from judged join files_of using (rep_id) group by rep_id, field
            """
        ).df()
        reps = connection.execute("select distinct rep_id from files order by rep_id").df()
    table = reps.merge(pd.DataFrame({"field": CHECKED}), how="cross")
    table = table.merge(counted, on=["rep_id", "field"], how="left")
    return table.assign(
        filled=table["filled"].fillna(0.0), checked=table["checked"].fillna(0).astype("int64")
    )


def file_quality(visits: Any, *, records: Any, linked_records: Any) -> pd.DataFrame:
    """How much representatives write down, and how much of it turns out right.

    Parameters
    ----------
    visits : frame
        Contract `sales_visits`.
    records : frame
        Contract `compared_records`: standardised values of all sources.
    linked_records : frame

    Returns
    -------
    pandas.DataFrame
        One row per rep_id: files (records visited), filled (share of the fields of those
        files that hold a value), checked (values that another system of the same customer
        knows as well), right (share of those that agree), right_low (95 %, Wilson), score
        (0 to 100: filled x right_low; unproven files earn little), claimed (fields said to
        be completed on the visits, a file), repeated (share of e-mails and numbers that
        stand in several of one's files), same_birth (share of birth dates that do),
        contradicted (share of checked values that no other system agrees with),
        known_before (share of the agreeing ones that no system wrote down later: they may
        have been copied), suspicious: what of these is far from colleagues' (`CHECKS`),
        empty if nothing.

    Notes
    -----
    The score cannot be raised by typing anything: a wrong value costs what a right one
    wins, values that nobody can check count nothing, and a value used twice counts once, then
    as wrong. Shares of few
    values are judged by the lower end of their interval: chance makes nobody suspicious.
    """
    with _judged(visits, records, linked_records) as connection:
        found = connection.execute(
            f"""
            with counted as (
                select rep_id, count(*) as values_filled, count(agrees) as checked,
                       -- One e-mail in ten files is right once.
                       count(*) filter (
                           agrees and (field not in ('email', 'phone') or place = 1)
                       ) as agreed,
                       count(*) filter (field in ('email', 'phone') and times > 1)
                           / greatest(count(*) filter (field in ('email', 'phone')), 1)
                           as repeated,
                       count(*) filter (field = 'birth_date' and times > 1)
                           / greatest(count(*) filter (field = 'birth_date'), 1) as same_birth,
                       count(*) filter (agrees) as confirmed,
                       count(*) filter (agrees and not coalesce(agrees_later, false)) as earlier
                from judged group by rep_id
            ),
            -- What could be right: fields of these customers that another system knows.
            told as (
                select rep_id, count(distinct (f.source, f.source_id, o.field)) as known_elsewhere
                from files f join linked l using (source, source_id)
                    join written o on o.customer_id = l.customer_id and o.source <> f.source
                group by rep_id
            )
            select rep_id, count(*) as files,
                   coalesce(any_value(known_elsewhere), 0) as known_elsewhere,
                   coalesce(any_value(values_filled), 0) / (count(*) * {len(CHECKED)}) as filled,
                   coalesce(any_value(checked), 0) as checked,
                   coalesce(any_value(agreed), 0) as agreed,
                   avg(claimed) as claimed, coalesce(any_value(repeated), 0) as repeated,
                   coalesce(any_value(same_birth), 0) as same_birth,
                   coalesce(any_value(confirmed), 0) as confirmed,
                   coalesce(any_value(earlier), 0) as earlier
            from files left join counted using (rep_id) left join told using (rep_id)
            group by rep_id order by rep_id
            """
        ).df()
    of = found["checked"].clip(lower=1)
    agreed, confirmed, earlier = (found.pop(n) for n in ("agreed", "confirmed", "earlier"))
    known = found["checked"] > 0
    found["right"] = np.where(known, agreed / of, np.nan)
    found["right_low"] = proportion_confint(agreed, of, method="wilson")[0]
    # A right value wins as much as a wrong one costs: guessing does not pay.
    worth = np.maximum(2 * found["right_low"] - 1, 0.0)
    found["score"] = 100 * worth * found["checked"] / found.pop("known_elsewhere").clip(lower=1)
    wrong = found["checked"] - confirmed
    found["contradicted"] = np.where(known, wrong / of, np.nan)
    found["known_before"] = (earlier / confirmed.clip(lower=1)).where(confirmed > 0)
    signs = (
        found["repeated"],
        found["same_birth"],
        found["claimed"] - found["filled"] * len(CHECKED),
        proportion_confint(wrong, of, method="wilson")[0],
        proportion_confint(earlier, confirmed.clip(lower=1), method="wilson")[0],
    )
    told = np.column_stack([_far(np.asarray(sign, dtype=float)) for sign in signs])
    found["suspicious"] = [
        ", ".join(what for what, is_far in zip(CHECKS, row, strict=True) if is_far) for row in told
    ]
    order = ["rep_id", "files", "filled", "checked", "right", "right_low", "score", "claimed"]
    more = ["repeated", "same_birth", "contradicted", "known_before", "suspicious"]
    return found[[*order, *more]]


def _far(values: np.ndarray) -> np.ndarray:
    """Above colleagues' by 3.5 robust deviations (Iglewicz and Hoaglin 1993)."""
    middle = np.median(values)
    spread = np.median(np.abs(values - middle))
    # Where most are alike, a difference of a tenth of a field or value is still nothing.
    return values > middle + np.maximum(3.5 * spread / 0.6745, 0.1)


def visit_first(
    visits: Any,
    *,
    linked_records: Any,
    clv_scores: Any,
    retention_list: Any,
    as_of: date,
    rest_days: int = 60,
    most: int = 10,
) -> pd.DataFrame:
    """Whom each representative should see next, and why.

    Parameters
    ----------
    visits, linked_records, clv_scores, retention_list : frame
        Contracts of these names.
    as_of : date
    rest_days : int, days
        Nobody visited within so many days is proposed.
    most : int
        Customers a representative.

    Returns
    -------
    pandas.DataFrame
        rep_id, place (1 first), customer_id, clv, priority (expected loss, currency),
        visited_on, why. Those who may be leaving go first, by what would be lost; then the
        most valuable.
    """
    with working_connection() as connection:
        for name, table in (
            ("visits", visits), ("linked", linked_records), ("clv", clv_scores),
            ("leaving", retention_list),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        found = connection.execute(
            f"""
            with portfolio as ({_PORTFOLIO}),
            ranked as (
                select rep_id, customer_id, clv, coalesce(priority, 0) as priority, visited_on,
                       case when priority is not null then coalesce(reason, '') end as why,
                       row_number() over (
                           partition by rep_id
                           order by coalesce(priority, 0) desc, clv desc, customer_id
                       ) as place
                from portfolio join clv using (customer_id)
                    left join leaving using (customer_id)
                where visited_on <= date '{as_of}' - {rest_days} and clv > 0
            )
            select rep_id, place, customer_id, clv, priority, visited_on, why from ranked
            where place <= {most} order by rep_id, place
            """
        ).df()
    fell = "may be leaving: " + found["why"].map(_FELL).fillna(found["why"])
    return found.assign(why=fell.fillna("worth keeping close"))
