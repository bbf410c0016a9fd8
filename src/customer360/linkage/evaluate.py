"""How right the links are, where the truth is known.

Pairs are counted from the sizes of groups, never listed: a customer of n records holds
n (n - 1) / 2 pairs.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb
import pandas as pd

from customer360.linkage.engine_tables import as_arrow

__all__ = [
    "RELATIONS",
    "evaluate_links",
    "kept_apart_by_relation",
    "write_cells",
]


def evaluate_links(
    linked_records: Any,
    people_links: Any,
    *,
    true_people: Any | None = None,
    linkable: Any | None = None,
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
    linkable : frame, optional
        source, source_id, linkable_group: records of a person that anybody could link, from
        `customer360.oracle.linkable_groups`.

    Returns
    -------
    dict
        precision, recall, f1 (1.0 where there is nothing to find or nothing was found),
        pairs_true, pairs_found, pairs_right, customers, people, customers_mixed (holding
        records of two people or more). With `true_people`: customers_mixed_household,
        household_merge_rate (share of the customers) and, of the relatives who could be
        taken for each other, the share that has no customer in common: kin_kept_apart
        (twins, namesakes, parent and child of one sex), twins_kept_apart and kin_pairs. With
        `linkable`: pairs_linkable and recall_of_linkable.
    """
    with closing(duckdb.connect()) as connection:
        write_cells(connection, linked_records, people_links)
        found, mixed, customers = connection.execute(
            f"""select {_PAIRS}, count(*) filter (people > 1), count(*)
            from (select customer_id, sum(n)::bigint as n, count(*) as people
                  from cells group by 1)"""
        ).fetchall()[0]
        true, people = connection.execute(
            f"""select {_PAIRS}, count(*)
            from (select person_id, sum(n)::bigint as n from cells group by 1)"""
        ).fetchall()[0]
        right = connection.execute(f"select {_PAIRS} from cells").fetchall()[0][0]
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
            measures |= _kept_apart_measures(_relations(connection))
        if linkable is not None:
            connection.register("reach", as_arrow(linkable))
            could, did = connection.execute(
                f"""with grouped as (
                    select linkable_group, customer_id, count(*) as n from reach
                    join linked using (source, source_id)
                    where linkable_group is not null group by all)
                select (select {_PAIRS} from (
                            select sum(n)::bigint as n from grouped group by linkable_group)),
                       (select {_PAIRS} from grouped)"""
            ).fetchall()[0]
            measures["pairs_linkable"] = float(could)
            measures["recall_of_linkable"] = did / could if could else 1.0
    return measures


def kept_apart_by_relation(
    linked_records: Any, people_links: Any, *, true_people: Any
) -> pd.DataFrame:
    """Who is mixed up with whom.

    Parameters
    ----------
    linked_records, people_links, true_people : frame
        Contracts `linked_records`, `truth.people_links`, `truth.people`.

    Returns
    -------
    pandas.DataFrame
        One row per relation of `RELATIONS`, a pair of people counting under the first that
        holds: relation, people_pairs (both have records; missing for strangers, who are too
        many), mixed (pairs with a customer in common), kept_apart (share).
    """
    with closing(duckdb.connect()) as connection:
        write_cells(connection, linked_records, people_links)
        connection.register("persons", as_arrow(true_people))
        return _relations(connection)


_PAIRS = "coalesce(sum(n * (n - 1) // 2), 0)::bigint"


def write_cells(connection: Any, linked_records: Any, people_links: Any) -> None:
    """Write table `owned`, records with customer and person, and their counts in `cells`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    linked_records, people_links : frame
        Contracts `linked_records`, `truth.people_links`.
    """
    for name, table in (("linked", linked_records), ("truth", people_links)):
        connection.register(name, as_arrow(table))
    connection.execute(
        """create temp table owned as
        select source, source_id, customer_id, person_id
        from linked join truth using (source, source_id)"""
    )
    connection.execute(
        "create temp table cells as select customer_id, person_id, count(*) as n from owned "
        "group by all"
    )


RELATIONS = (
    "twins", "one full name, one home", "parent and child of one sex", "others of one home",
    "strangers",
)  # fmt: skip
GENERATION_YEARS = 15


def _relations(connection: Any) -> pd.DataFrame:
    fold = "strip_accents(lower({0}.last_name))"
    namesakes = f"{fold.format('l')} = {fold.format('r')}"
    first = "strip_accents(lower(l.first_name)) = strip_accents(lower(r.first_name))"
    table = connection.execute(
        f"""with here as (
            select p.* from persons p semi join cells using (person_id)
        ),
        related as (
            select l.person_id as one, r.person_id as other,
                   case when {namesakes} and l.birth_date = r.birth_date then '{RELATIONS[0]}'
                        when {namesakes} and {first} then '{RELATIONS[1]}'
                        when {namesakes} and l.title = r.title
                             and abs(date_diff('day', l.birth_date, r.birth_date))
                                 >= {GENERATION_YEARS} * 365 then '{RELATIONS[2]}'
                        else '{RELATIONS[3]}' end as relation
            from here l join here r using (household_id) where l.person_id < r.person_id
        ),
        mixed as (
            select distinct l.person_id as one, r.person_id as other
            from cells l join cells r using (customer_id) where l.person_id < r.person_id
        )
        select coalesce(relation, '{RELATIONS[4]}') as relation,
               count(*) filter (relation is not null) as people_pairs,
               count(m.one) as mixed
        from related full join mixed m using (one, other) group by 1"""
    ).df()
    table = table.set_index("relation").reindex(list(RELATIONS)).fillna(0).reset_index()
    known = table["people_pairs"].where(table["people_pairs"] > 0)
    return table.assign(
        people_pairs=known.astype("Int64"),
        mixed=table["mixed"].astype("int64"),
        kept_apart=1 - table["mixed"] / known,
    )


def _kept_apart_measures(relations: pd.DataFrame) -> dict[str, float]:
    kin, twins = relations.iloc[:3], relations.iloc[:1]
    measures = {"kin_pairs": float(kin["people_pairs"].fillna(0).sum())}
    for name, rows in (("kin_kept_apart", kin), ("twins_kept_apart", twins)):
        pairs = float(rows["people_pairs"].fillna(0).sum())
        measures[name] = 1 - float(rows["mixed"].sum()) / pairs if pairs else 1.0
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
