"""How well classes of potential tell the cyclic customers of a simulated world.

For evaluation only: no class has seen these columns.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow

__all__ = ["judge_cycles", "judge_families", "person_of_customer"]

LEAST_CYCLES = 3


def person_of_customer(orders: Any, people_links: Any) -> Any:
    """The true person who made most of the order lines of each customer.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.
    people_links : frame
        Contract `truth.people_links`.

    Returns
    -------
    pyarrow.Table
        customer_id, person_id; customers whose records have no known person are left out.
    """
    with closing(connect()) as connection:
        connection.register("orders", as_arrow(orders))
        connection.register("links", as_arrow(people_links))
        return connection.sql(
            """with lines as (
                select customer_id, person_id, count(*) as n
                from orders join links using (source, source_id) group by all)
            select customer_id, arg_max(person_id, (n, person_id)) as person_id
            from lines group by all order by all"""
        ).to_arrow_table()


def judge_cycles(
    classes: Any, *, orders: Any, people_links: Any, traits: Any, as_of: date
) -> dict[str, float]:
    """Precision and recall of the class `cyclique`.

    Parameters
    ----------
    classes : frame
        customer_id, potential_class.
    orders, people_links, traits : frame
        Contracts `customer_orders`, `truth.people_links`, `truth.traits`.
    as_of : date
        Last day known to the classes.

    Returns
    -------
    dict
        cyclic_precision (of those called cyclic, share whose person is), cyclic_recall (of
        customers of a cyclic person who bought in `LEAST_CYCLES` years or more, share called
        cyclic), cyclic_seen (how many those are), cyclic_called_inactive (how many of them
        are called inactive). Empty when the truth is not known or nobody is cyclic.
    """
    person = person_of_customer(orders, people_links)
    with closing(connect()) as connection:
        connection.register("classes", as_arrow(classes[["customer_id", "potential_class"]]))
        connection.register("orders", as_arrow(orders))
        connection.register("person", person)
        connection.register("traits", as_arrow(traits))
        found, right, seen, called, inactive = connection.execute(
            f"""with years as (
                select customer_id, count(distinct year(ordered_on)) as cycles
                from orders where status = 'paid' and ordered_on <= date '{as_of}' group by all),
            judged as (
                select potential_class, cycle is not null as is_cyclic,
                    cycle is not null and cycles >= {LEAST_CYCLES} as is_seen
                from classes join person using (customer_id) join traits using (person_id)
                join years using (customer_id))
            select count(*) filter (potential_class = 'cyclique'),
                count(*) filter (potential_class = 'cyclique' and is_cyclic),
                count(*) filter (is_seen),
                count(*) filter (is_seen and potential_class = 'cyclique'),
                count(*) filter (is_seen and potential_class = 'inactif')
            from judged"""
        ).fetchall()[0]
    if not seen or not found:
        return {}
    return {
        "cyclic_precision": right / found,
        "cyclic_recall": called / seen,
        "cyclic_seen": float(seen),
        "cyclic_called_inactive": float(inactive),
    }


def judge_families(
    *,
    families: Any,
    behaviour: Any,
    events: Any,
    orders: Any,
    people_links: Any,
    traits: Any,
    life_events: Any,
) -> dict[str, float]:
    """Triggers, detected life events and price habits against the truth.

    Parameters
    ----------
    families, behaviour, events : frame
        Contracts `families`, `behaviour`, `customer_life_events`.
    orders, people_links, traits, life_events : frame
        Contracts `customer_orders`, `truth.people_links`, `truth.traits`,
        `truth.life_events`.

    Returns
    -------
    dict
        trigger_hit_share and trigger_guess_share (of the commonest theme);
        life_events_precision and life_events_recall (of detected events: of those found,
        share that happened; of those that happened and were not declared, share found);
        promo_spearman (promo_share with the true love of promotions) and price_spearman
        (price_sensitivity with the true elasticity). Empty when the truth is not known.
    """
    person = person_of_customer(orders, people_links)
    if not person.num_rows:
        return {}
    with closing(connect()) as connection:
        for name, table in (
            ("person", person),
            ("f", families),
            ("b", behaviour),
            ("e", events),
            ("t", traits),
            ("h", life_events),
        ):
            connection.register(name, as_arrow(table))
        found = connection.execute(
            """select
            (select avg(("trigger" = theme)::integer) from f join person using (customer_id)
                join t using (person_id) where "trigger" is not null) as trigger_hit_share,
            (select max(n) / sum(n) from (select theme, count(*) as n
                from f join person using (customer_id) join t using (person_id)
                where "trigger" is not null group by all)) as trigger_guess_share,
            (select avg((h.person_id is not null)::integer) from e
                join person p using (customer_id)
                left join h on h.person_id = p.person_id and h.kind = e.kind
                where origin = 'detected') as life_events_precision,
            (select avg((e.customer_id is not null)::integer) from h
                join person p using (person_id)
                left join e on e.customer_id = p.customer_id and h.kind = e.kind
                    and origin = 'detected'
                where not h.declared) as life_events_recall"""
        ).df()
        habits = connection.execute(
            """select promo_share, price_sensitivity, promo_affinity, price_elasticity
            from b join person using (customer_id) join t using (person_id)"""
        ).df()
    told = {name: float(value) for name, value in found.iloc[0].items() if value == value}
    for name, ours, theirs in (
        ("promo_spearman", "promo_share", "promo_affinity"),
        ("price_spearman", "price_sensitivity", "price_elasticity"),
    ):
        if habits[ours].nunique() > 1:
            told[name] = float(habits[ours].corr(habits[theirs], method="spearman"))
    return told
