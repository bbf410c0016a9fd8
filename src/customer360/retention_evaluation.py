"""How much true value a retention list holds, in a simulated world.

For evaluation only: no list has seen these columns.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow
from customer360.segmentation_evaluation import person_of_customer

__all__ = ["judge_retention", "true_value_lost"]

LIST_SHARE = 0.05
RECENT_DAYS = 92


def true_value_lost(
    *, expectations: Any, true_people: Any, traits: Any, as_of: date, recent_days: int = RECENT_DAYS
) -> pd.DataFrame:
    """Margin of the coming year that leaving takes, and that somebody could still save.

    Who stays brings its true rate times its true margin of an order. What is lost of it is

    - for a customer: that, less its true expectation, which knows its chance to leave;
    - for one who left in the last `recent_days`: all of it;
    - for one who left before: nothing, a list comes too late.

    Parameters
    ----------
    expectations, true_people, traits : frame
        Contracts `truth.expectations`, `truth.people`, `truth.traits`.
    as_of : date
        Day of the list.
    recent_days : int

    Returns
    -------
    pandas.DataFrame
        One row per person_id: ahead (still to be lost), recent (lost lately), currency.
    """
    with closing(connect()) as connection:
        for name, table in (("ahead", expectations), ("people", true_people), ("traits", traits)):
            connection.register(name, as_arrow(table))
        return connection.execute(
            """with stays as (
                select *, purchase_rate * margin_per_order * horizon / 365.25 as margin
                from ahead join people using (person_id) join traits using (person_id)
                where as_of = $1)
            select person_id,
                case when alive then greatest(margin - expected_margin, 0) else 0 end as ahead,
                case when not alive and left_on > $1::date - $2::integer then margin
                    else 0 end as recent
            from stays order by person_id""",
            [as_of, recent_days],
        ).df()


def judge_retention(
    keep: pd.DataFrame,
    *,
    churn: pd.DataFrame,
    values: pd.DataFrame,
    lost: pd.DataFrame,
    orders: Any,
    people_links: Any,
) -> dict[str, float]:
    """True value lost in the head of a retention list, against plain lists of equal length.

    Parameters
    ----------
    keep : pandas.DataFrame
        Contract `retention_list`, highest priority first.
    churn : pandas.DataFrame
        Contract `churn_scores`; the head is 5 % of those with a probability.
    values : pandas.DataFrame
        Contract `clv_scores`.
    lost : pandas.DataFrame
        From `true_value_lost`.
    orders, people_links : frame
        Contracts `customer_orders`, `truth.people_links`.

    Returns
    -------
    dict
        retention_value_ratio (over a list by churn score alone),
        retention_ratio_to_value_alone (over one by customer value alone),
        retention_share_of_best (of the best that any list of that length could hold). Empty
        when the truth is not known.
    """
    if lost.empty or keep.empty:
        return {}
    person = person_of_customer(orders, people_links).to_pandas()
    total = lost.assign(lost=lost["ahead"] + lost["recent"])[["person_id", "lost"]]
    # A person known as two customers is lost once: with the one who comes first.
    true = person.merge(total, on="person_id").set_index("customer_id")
    scored = churn.dropna(subset="churn_probability")
    length = round(LIST_SHARE * len(scored))
    by_churn = scored.sort_values(["churn_probability", "customer_id"], ascending=[False, True])
    known = values[values["customer_id"].isin(scored["customer_id"])]
    by_value = known.sort_values(["clv", "customer_id"], ascending=[False, True])

    def held(customers: pd.Series) -> float:
        head = true.reindex(customers.head(length)).dropna()
        return float(head.drop_duplicates("person_id")["lost"].sum())

    ours = held(keep["customer_id"])
    possible = true[true.index.isin(scored["customer_id"])].drop_duplicates("person_id")
    rivals = {
        "retention_value_ratio": held(by_churn["customer_id"]),
        "retention_ratio_to_value_alone": held(by_value["customer_id"]),
        "retention_share_of_best": float(possible["lost"].nlargest(length).sum()),
    }
    return {name: ours / value for name, value in rivals.items() if value > 0}
