"""What makes records of one person hard to find, and how many are found all the same."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb
import pandas as pd

from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.evaluate import write_cells

__all__ = ["DIFFICULTIES", "quality_by_sources", "recall_by_difficulty"]

_TWO = "least(l.source, r.source) as source, greatest(l.source, r.source) as other"
_ONCE = "(l.source, l.source_id) < (r.source, r.source_id)"
_FIRST_DIFFERS = "l.first_name <> r.first_name and not l.swapped and not r.swapped"
_LAST_DIFFERS = "l.last_name <> r.last_name and not l.swapped and not r.swapped"
# So few letters apart, one of them is a slip.
_SLIP = "damerau_levenshtein(l.{0}, r.{0}) <= case when length(l.{0}) > 7 then 2 else 1 end"
_KINDS = {
    "typo": f"({_FIRST_DIFFERS} and {_SLIP.format('first_name')}) "
    f"or ({_LAST_DIFFERS} and {_SLIP.format('last_name')})",
    "nickname": f"{_FIRST_DIFFERS} and not {_SLIP.format('first_name')} "
    "and least(length(l.first_name), length(r.first_name)) > 1",
    "initial": "l.first_name <> r.first_name "
    "and least(length(l.first_name), length(r.first_name)) = 1",
    "swapped": "l.swapped <> r.swapped",
    "married": f"{_LAST_DIFFERS} and not {_SLIP.format('last_name')}",
    "moved": "l.moved and l.postcode <> r.postcode",
    "shared": "l.home > 1",
    "twin": "l.twin",
    "junk": "l.junk or r.junk",
    "nameless": "coalesce(l.first_name, l.last_name) is null "
    "or coalesce(r.first_name, r.last_name) is null",
}
DIFFICULTIES = {
    "typo": "typing error in a name",
    "nickname": "nickname or other first name",
    "initial": "initial instead of a first name",
    "swapped": "first and family name swapped",
    "married": "married name, birth name",
    "moved": "moved, other postcode",
    "shared": "shared household",
    "twin": "twins",
    "junk": "junk e-mail, telephone or date",
    "nameless": "no name at all",
    "none": "nothing of these",
}
_FOLD = "nullif(trim(regexp_replace(strip_accents(lower({0})), '[^a-z0-9]+', ' ', 'g')), '')"
_RECORDS_KNOWN = f"""
create temp table known as
with homes as (
    select person_id, moved_on is not null as moved,
           count(*) over (partition by household_id) as home,
           count(*) over (partition by household_id, birth_date) > 1 as twin,
           {_FOLD.format("first_name")} as true_first, {_FOLD.format("last_name")} as true_last
    from persons semi join cells using (person_id)
),
folded as (
    select source, source_id, postcode, {_FOLD.format("first_name")} as first_name,
           {_FOLD.format("last_name")} as last_name,
           coalesce(regexp_matches(flags, '(email|phone|birth_date)_emptied'), false) as junk
    from given
)
select *, coalesce(jaro_winkler_similarity(first_name, true_last) > 0.85
                   and jaro_winkler_similarity(last_name, true_first) > 0.85, false) as swapped
from owned join folded using (source, source_id) join homes using (person_id)
"""


def recall_by_difficulty(
    linked_records: Any, people_links: Any, *, people: Any, true_people: Any
) -> pd.DataFrame:
    """How many of the true pairs are found, by what makes them hard.

    Kinds are told from the records and the truth, not from what linkage knows (a nickname
    is any other first name, whether our table holds it or not). A pair counts under every
    kind that holds, and under "nothing of these" when none does.

    Parameters
    ----------
    linked_records, people_links : frame
        Contracts `linked_records`, `truth.people_links`.
    people, true_people : frame
        Contracts `staged.people`, `truth.people`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of `DIFFICULTIES`, in that order: kind, pairs, found, recall
        (missing where there is no pair).
    """
    flags = ", ".join(f"coalesce({sql}, false) as {name}" for name, sql in _KINDS.items())
    counts = ", ".join(
        f"count(*) filter ({name}) as {name}, count(*) filter ({name} and found) as {name}_found"
        for name in DIFFICULTIES
    )
    with closing(duckdb.connect()) as connection:
        write_cells(connection, linked_records, people_links)
        connection.register("persons", as_arrow(true_people))
        connection.register("given", as_arrow(people))
        connection.execute(_RECORDS_KNOWN)
        row = connection.execute(
            f"""with flagged as (
                select l.customer_id = r.customer_id as found, {flags}
                from known l join known r using (person_id)
                where {_ONCE}
            )
            select {counts} from (
                select *, not ({" or ".join(_KINDS)}) as none from flagged)"""
        ).fetchall()[0]
    table = pd.DataFrame(
        {"kind": list(DIFFICULTIES.values()), "pairs": row[::2], "found": row[1::2]}
    )
    return table.assign(recall=table["found"] / table["pairs"].where(table["pairs"] > 0))


def quality_by_sources(linked_records: Any, people_links: Any) -> pd.DataFrame:
    """Recall and precision by the two systems that the records of a pair come from.

    Parameters
    ----------
    linked_records, people_links : frame
        Contracts `linked_records`, `truth.people_links`.

    Returns
    -------
    pandas.DataFrame
        One row per pair of systems, sorted by name: source, other, pairs (true), recall,
        precision (missing where there is no pair).
    """
    with closing(duckdb.connect()) as connection:
        write_cells(connection, linked_records, people_links)
        return connection.execute(
            f"""with pairs as (
                select {_TWO}, true as same, l.customer_id = r.customer_id as found
                from owned l join owned r using (person_id) where {_ONCE}
                union all
                select {_TWO}, false, true
                from owned l join owned r using (customer_id)
                where {_ONCE} and l.person_id <> r.person_id
            )
            select source, other, count(*) filter (same) as pairs,
                   avg(found::int) filter (same) as recall,
                   avg(same::int) filter (found) as precision
            from pairs group by all order by all"""
        ).df()
