"""What might be said to whom: every message that may pay, before the gate and the plan.

A candidate is a customer, a week, a channel and an offer. Its goal follows from where the
customer stands, its day from the customer's habit, its worth from the response scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow

__all__ = [
    "choose_contents",
    "choose_goals",
    "draw_control",
    "habit_weekdays",
    "make_candidates",
    "make_slots",
]

LEAST_DAYS = 3


def _ask(query: str, **tables: Any) -> pa.Table:
    with closing(duckdb.connect()) as connection:
        for name, table in tables.items():
            connection.register(name, as_arrow(table))
        return connection.sql(query).to_arrow_table()


def choose_goals(
    customers: Any, *, segments: Any, churn_scores: Any, at_risk_probability: float
) -> pd.DataFrame:
    """One goal for each customer, by where it stands.

    Who has not bought yet or is new is to be won (`conversion`), who is inactive to be won
    back (`win_back`), who is likely to leave to be kept (`retention`); all others are
    offered something beside what they buy (`cross_sell`).

    Parameters
    ----------
    customers, segments, churn_scores : frame
        Contracts of these names.
    at_risk_probability : float
        From this probability to leave on, a customer is to be kept.

    Returns
    -------
    pandas.DataFrame
        One row per customer_id of `customers`: customer_id, goal.
    """
    return _ask(
        f"""select c.customer_id, case
            when coalesce(c.orders, 0) = 0 or s.potential_class = 'nouveau' then 'conversion'
            when s.potential_class = 'inactif' then 'win_back'
            when r.churn_probability >= {float(at_risk_probability)} then 'retention'
            else 'cross_sell' end as goal
        from customers c left join segments s using (customer_id)
        left join churn r using (customer_id) order by c.customer_id""",
        customers=customers, segments=segments, churn=churn_scores,
    ).to_pandas()  # fmt: skip


def choose_contents(
    goals: Any, *, tastes: Any | None = None, cross_sell_scores: Any | None = None
) -> pd.DataFrame:
    """The category that the message to each customer is about.

    What goes with what they buy, for cross-selling; otherwise what they like best.

    Parameters
    ----------
    goals : frame
        From `choose_goals`.
    tastes : frame, optional
        customer_id, main_category, next_category (contract `rfmcca`).
    cross_sell_scores : frame, optional
        Contract `cross_sell_scores`: its first category goes before the one of `tastes`.

    Returns
    -------
    pandas.DataFrame
        One row per customer_id: customer_id, category (None where nothing is known).
    """
    nothing = pa.schema([(c, pa.string()) for c in ("customer_id", "main_category",
                                                    "next_category")]).empty_table()  # fmt: skip
    unscored = pa.schema([("customer_id", pa.string()), ("rank", pa.int64()),
                          ("category", pa.string())])  # fmt: skip
    return _ask(
        """with first as (
            select customer_id, arg_min(category, rank) as category from scored
            where category is not null group by customer_id)
        select g.customer_id, case when g.goal = 'cross_sell'
            then coalesce(f.category, t.next_category, t.main_category)
            else t.main_category end as category
        from goals g left join tastes t using (customer_id) left join first f using (customer_id)
        order by g.customer_id""",
        goals=goals,
        tastes=nothing if tastes is None else tastes,
        scored=unscored.empty_table() if cross_sell_scores is None else cross_sell_scores,
    ).to_pandas()  # fmt: skip


def habit_weekdays(orders: Any) -> pd.DataFrame:
    """The day of the week on which each customer buys most, once there are three to tell.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.

    Returns
    -------
    pandas.DataFrame
        customer_id, weekday (0 is Monday).
    """
    return _ask(
        f"""with days as (select distinct customer_id, ordered_on from orders
                          where status = 'paid'),
        counted as (select customer_id, isodow(ordered_on) - 1 as weekday, count(*) as n
                    from days group by all)
        select customer_id, arg_max(weekday, (n, -weekday)) as weekday
        from counted group by customer_id having sum(n) >= {LEAST_DAYS} order by customer_id""",
        orders=orders,
    ).to_pandas()


def make_slots(*, as_of: date, weeks: int) -> pd.DataFrame:
    """The weeks to plan: slot (1, 2...) and week (its first day), from the day after `as_of`."""
    first = [as_of + timedelta(days=1 + 7 * number) for number in range(weeks)]
    return pd.DataFrame({"slot": range(1, weeks + 1), "week": first})


def draw_control(customers: Any, *, share: float, seed: int) -> pd.DataFrame:
    """Customers left alone on purpose, so that what the plan earns can be measured.

    Drawn by a hash of the id: who is drawn does not depend on who else is a customer.

    Parameters
    ----------
    customers : frame
        customer_id.
    share : float
        Between 0 and 1.
    seed : int

    Returns
    -------
    pandas.DataFrame
        customer_id.
    """
    return _ask(
        f"""select customer_id from customers
        where md5_number_lower(customer_id || ':{int(seed)}') % 1000000 < {round(share * 1_000_000)}
        order by customer_id""",
        customers=customers,
    ).to_pandas()


def make_candidates(
    scores: Any,
    *,
    goals: Any,
    contents: Any,
    habits: Any,
    slots: pd.DataFrame,
    cost_per_contact: Mapping[str, float],
    customers: Any,
    fatigue_share: float,
    only_worth_trying: bool = True,
) -> pa.Table:
    """Messages that may pay, with what each is expected to add.

    Parameters
    ----------
    scores : frame
        Contract `response_scores`.
    goals, contents, habits : frame
        From `choose_goals`, `choose_contents`, `habit_weekdays`.
    slots : pandas.DataFrame
        From `make_slots`.
    cost_per_contact : mapping of str to float, currency
        By channel; a channel that is not named is not used.
    customers : frame
        Contract `customers`: margin and orders tell what one order more is worth, for `doubt`.
        Who has not ordered is worth the average.
    fatigue_share : float
        Share of its effect that a message loses to each one sent a week before. The plan
        counts a message of the third week as the third one.
    only_worth_trying : bool
        Leave out messages that do not pay at the upper end of what they may do: there is
        nothing to learn from them either.

    Returns
    -------
    pyarrow.Table
        customer_id, slot, week, day (date), goal, channel, offer_id, amount (share),
        category, cost, propensity, expected_margin (currency, cost deducted), doubt (currency:
        how much better it may be, at the upper end of its effect). Where no effect is known,
        no message is expected to add anything, and may have caused every order that follows.
    """
    costs = pd.DataFrame(
        {"channel": list(cost_per_contact), "cost": [float(c) for c in cost_per_contact.values()]}
    ).astype({"channel": "str"})
    return _ask(
        f"""with worth as (select sum(margin) / nullif(sum(orders), 0) as usual from customers),
        valued as (
            select s.*, c.cost,
                coalesce(s.uplift_high - s.uplift, s.propensity, 0)
                    * greatest(coalesce(m.margin / nullif(m.orders, 0), w.usual, 0), 0) as doubt
            from scores s join costs c using (channel) cross join worth w
            left join customers m using (customer_id))
        select v.customer_id, n.slot, n.week,
            cast(n.week as date)
                + coalesce((h.weekday - (isodow(cast(n.week as date)) - 1) + 7) % 7, 0)::integer
                as day,
            g.goal, v.channel, v.offer as offer_id, coalesce(v.depth, 0) as amount, t.category,
            v.cost, v.propensity,
            case when v.expected_margin > 0
                then v.expected_margin * power(1 - {float(fatigue_share)}, n.slot - 1)
                else coalesce(v.expected_margin, 0) end - v.cost as expected_margin, v.doubt
        from valued v join goals g using (customer_id) cross join slots n
        left join contents t using (customer_id) left join habits h using (customer_id)
        where coalesce(v.expected_margin, 0) + v.doubt > v.cost or {not only_worth_trying}
        order by v.customer_id, n.slot, v.channel, v.offer""",
        scores=scores, goals=goals, contents=contents, habits=habits, slots=slots,
        costs=costs, customers=customers,
    )  # fmt: skip
