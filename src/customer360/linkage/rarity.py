"""How rare among strangers is what two records agree on.

A name that few bear says more than a frequent one. Records are counted to know which, but
most of those that bear a rare name are of one person: what strangers bear is what is left
without its own records. Given and family names are not borne by chance either: Fatoumata
is more often Diallo than Martin, and whoever ignores that merges strangers, and mostly
those of minorities.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["OwnRecords", "add_names_together", "frequency_sql", "own_records"]

# What one person alone bears, and how much of it slips and gaps leave to be seen.
_OWN_KEYS = (("birth_date", "first_name"), ("email", "first_name"), ("both_names", "postcode"))
SEEN_ALIKE = 0.5
# The usual frequency of a value weighs as much as this many records.
USUAL_RECORDS = 500
USUAL_SHARES = {"both_names": 2e-5}
# Of the records that bear the two names, so many have them swapped.
FACTORS = {"both_names": 0.02}
# Fewer records cannot tell which names go together.
FEWEST_RECORDS = 2_000
# That names meet as chance has it weighs as much as this many records that chance would give.
CHANCE_RECORDS = 0.3
# Names that hardly ever meet are no proof that those who bear both are one.
MOST_BITS = 2.0
LEAST_BITS = -10.0


class OwnRecords(NamedTuple):
    """How many records the person of a record has, itself included.

    Attributes
    ----------
    anywhere, in_one_system : float
    """

    anywhere: float = 1.0
    in_one_system: float = 1.0


def own_records(connection: Any) -> OwnRecords:
    """How many records the person of a record has, as far as the fields tell by themselves.

    Records that bear one first name and birth date, first name and e-mail, or both names
    and postcode are of one person; slips and gaps hide about half of them.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `records`.

    Returns
    -------
    OwnRecords
        1 where nobody is written down twice, or nothing tells.
    """
    others = [
        connection.execute(
            f"""select coalesce(sum(n * (n - 1)) / sum(n), 0), coalesce(sum(twice) / sum(n), 0)
            from (
                select sum(n) as n, sum(n * (n - 1)) as twice from (
                    select {", ".join(key)}, count(*) as n from records
                    where {" and ".join(f"{column} is not null" for column in key)}
                    group by source, {", ".join(key)})
                group by {", ".join(key)})"""
        ).fetchall()[0]
        for key in _OWN_KEYS
    ]
    anywhere, in_one = (
        1.0 + round(max(seen) / SEEN_ALIKE, 3) for seen in zip(*others, strict=True)
    )
    return OwnRecords(anywhere, in_one)


def frequency_sql(column: str, *, usual_share: float, records: str, own: float) -> str:
    """Frequency of a value among strangers, for a query grouped by it.

    It is drawn towards the usual share: in a small table a name that two records bear would
    count as borne by everyone.

    Parameters
    ----------
    column : str
    usual_share : float
        Share of a usual value among strangers.
    records : str
        SQL that says how many records there are.
    own : float
        Records of one person anywhere.
    """
    usual = USUAL_SHARES.get(column, usual_share) * USUAL_RECORDS
    return (
        f"{FACTORS.get(column, 1.0)} * (greatest(count(*) - {own!r}, 0.0) + {usual!r})"
        f" / ({records} + {USUAL_RECORDS})"
    )


def add_names_together(
    connection: Any, *, own: OwnRecords | None = None, learned: str | None = None
) -> None:
    """Add `names_together` to table `records`.

    It is the evidence in bits, beside the rarity of each name alone, of two records that
    bear this first and this family name: below 0 where the two go together. 0 for records
    without both names, and in files too small to tell.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `records`.
    own : OwnRecords, optional
        Counted when it is not given.
    learned : str, optional
        Table with first_name, last_name and names_together of an earlier run, taken as it
        is; 0 for names that it does not hold.

    Notes
    -----
    Records that bear both names beyond those of one person, within each system and over all
    of them, against the number that chance would give: a ratio shrunk towards 1
    (gamma-Poisson shrinkage).

    References
    ----------
    DuMouchel (1999), Bayesian data mining in large frequency tables.
    """
    if learned:
        together = f"""
            select first_name, last_name, any_value(names_together) as bits
            from {learned} semi join records using (first_name, last_name) group by 1, 2"""
    else:
        anywhere, in_one = own or own_records(connection)
        together = _TOGETHER.format(anywhere=anywhere, in_one=in_one)
    # One column more, rather than all of them again.
    connection.execute(
        f"""create or replace temp table together as {together};
        alter table records add column names_together double default 0.0;
        update records set names_together = t.bits from together t
        where records.first_name = t.first_name and records.last_name = t.last_name"""
    )


_TOGETHER = f"""
    with named as (
        select source, first_name, last_name, count(*) as n from records
        where length(first_name) > 1 and length(last_name) > 1 group by all
    ),
    counted as (
        select source as system, {{in_one}}::double as own, first_name, last_name, n from named
        union all
        select 'all of them', {{anywhere}}::double, first_name, last_name, sum(n)
        from named group by all
    ),
    firsts as (
        select system, first_name, greatest(sum(n) - own, 0) as bear_first
        from counted group by system, own, first_name
    ),
    lasts as (
        select system, last_name, greatest(sum(n) - own, 0) as bear_last
        from counted group by system, own, last_name
    ),
    totals as (select system, sum(n) as total from counted group by 1),
    beside as (
        select first_name, last_name, greatest(n - own, 0) as others, total, bear_first, bear_last
        from counted join firsts using (system, first_name) join lasts using (system, last_name)
        join totals using (system)
    )
    select first_name, last_name, round(greatest(least(log2(
               (sum(bear_first * bear_last / total) + {CHANCE_RECORDS})
               / (sum(others) + {CHANCE_RECORDS})
           ), {MOST_BITS}), {LEAST_BITS}), 3) as bits
    from beside group by 1, 2 having max(total) >= {FEWEST_RECORDS}
"""
