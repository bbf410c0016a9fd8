"""How well classes of potential tell the cyclic customers of a simulated world.

For evaluation only: no class has seen these columns.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow

__all__ = ["judge_cycles", "person_of_customer"]

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
        return connection.execute(
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
