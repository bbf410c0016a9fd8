"""How right the links are, where the truth is known.

Pairs are counted from the sizes of groups, never listed: a customer of n records holds
n (n - 1) / 2 pairs.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb

from customer360.linkage.engine_tables import as_arrow

__all__ = ["evaluate_links"]


def evaluate_links(
    linked_records: Any, people_links: Any, *, true_people: Any | None = None
) -> dict[str, float]:
    """Pairwise precision, recall and F1 of the links, and the merges that hurt.

    Parameters
    ----------
    linked_records : frame
        Contract `linked_records`.
    people_links : frame
        Contract `truth.people_links`. Only records in both tables count.
    true_people : frame, optional
        Contract `truth.people`, for the merges inside a household.

    Returns
    -------
    dict
        precision, recall, f1 (1.0 where there is nothing to find or nothing was found),
        pairs_true, pairs_found, pairs_right, customers, people, customers_mixed (holding
        records of two people or more) and, with `true_people`, customers_mixed_household
        and household_merge_rate (share of the customers).
    """
    with closing(duckdb.connect()) as connection:
        for name, table in (("linked", linked_records), ("truth", people_links)):
            connection.register(name, as_arrow(table))
        connection.execute(
            """create temp table cells as
            select customer_id, person_id, count(*) as n
            from linked join truth using (source, source_id) group by all"""
        )
        found, mixed, customers = connection.execute(
            """select coalesce(sum(n * (n - 1) // 2), 0), count(*) filter (people > 1), count(*)
            from (select customer_id, sum(n)::bigint as n, count(*) as people
                  from cells group by 1)"""
        ).fetchall()[0]
        true, people = connection.execute(
            """select coalesce(sum(n * (n - 1) // 2), 0), count(*)
            from (select person_id, sum(n)::bigint as n from cells group by 1)"""
        ).fetchall()[0]
        right = connection.execute(
            "select coalesce(sum(n * (n - 1) // 2), 0) from cells"
        ).fetchall()[0][0]
        measures = _measures(int(true), int(found), int(right))
        measures |= {
            "customers": float(customers),
            "people": float(people),
            "customers_mixed": float(mixed),
        }
        if true_people is not None:
            connection.register("persons", as_arrow(true_people))
            home = connection.execute(
                """select count(*) from (
                    select customer_id from (
                        select customer_id, household_id, count(*) as people
                        from cells join persons using (person_id) group by all)
                    where people > 1 group by 1)"""
            ).fetchall()[0][0]
            measures["customers_mixed_household"] = float(home)
            measures["household_merge_rate"] = home / customers if customers else 0.0
    return measures


def _measures(true: int, found: int, right: int) -> dict[str, float]:
    precision = right / found if found else 1.0
    recall = right / true if true else 1.0
    both = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
        "pairs_true": float(true),
        "pairs_found": float(found),
        "pairs_right": float(right),
    }
