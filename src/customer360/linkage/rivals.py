"""Somebody else fits as well: what a pair says in the light of the other pairs.

Two records that fit each other, and nobody else, are one person more often than their
fields alone tell; a record that fits two people who cannot both be its owner belongs to
one of them at most. Both are learned from the pairs themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from customer360.linkage.model import LevelShares, LinkageModel

__all__ = ["LEVELS", "RIVALS", "by_fields_alone", "find_rivals", "learn_rivals"]

RIVALS = "rivals"
# How probably one of the two records is a third one that is not the other: upper bounds.
LEVELS = (
    (0.01, "nobody else fits"),
    (0.03, "hardly anybody else fits"),
    (0.10, "somebody else might fit"),
    (0.30, "somebody else may fit"),
    (0.60, "somebody else fits half as well"),
    (0.90, "somebody else fits well"),
    (1.01, "somebody else fits as well"),
)
BEST = len(LEVELS) - 1
# A level that few pairs show weighs little.
USUAL_PAIRS = 20.0
# Fewer rivals than these say all there is to say; a common name has hundreds.
MOST_RIVALS = 30
# More at once take more memory, and no less time.
PAIRS_AT_ONCE = 500_000


def find_rivals(connection: Any, *, at_least: float, known: str | None = None) -> None:
    """Add `level_rivals` to table `compared`, from table `scored`.

    The rival of a pair (i, j) is the third record k that makes the most of
    p(i, k) (1 - p(j, k)), or the same with i and j exchanged: it is i, and it is not j.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Its tables hold the pairs as their fields alone tell.
    at_least : float
        Pairs less probable than this are left without a level (-1) and are no rivals.
    known : str, optional
        Query of pairs scored before: record_l, record_r, match_probability. They can be
        rivals; those that `scored` holds too are taken from there.
    """
    rungs = " ".join(
        f"when rival < {bound} then {BEST - rung}" for rung, (bound, _) in enumerate(LEVELS)
    )
    pairs = "select record_l, record_r, match_probability, true as asked from scored"
    if known:
        _find_reach(connection, known)
        pairs = f"{pairs} union all select *, false from reach"
    connection.execute(
        f"""
        create or replace temp table fitting as
        with pairs as (from ({pairs}) where match_probability >= {at_least!r}),
        -- Pairs stand here in both directions.
        sides as (
            select record_l::integer as one, record_r::integer as other,
                   match_probability as p, asked from pairs
            union all select record_r, record_l, match_probability, asked from pairs
        )
        select *, row_number() over (partition by one order by p desc, other) <= {MOST_RIVALS}
                      as best
        from sides;
        create or replace temp table fits as
        select f.*, far.one is null as best_of_other
        from fitting f left join (from fitting where not best) far
            on far.one = f.other and far.other = f.one;
        create or replace temp table rivalry (record_l integer, record_r integer, rival double)
        """
    )
    pairs_found = connection.execute("select count(*) from fitting").fetchall()[0][0]
    parts = 1 + pairs_found // PAIRS_AT_ONCE
    for part in range(parts):
        connection.execute(_RIVALRY.format(parts=parts, part=part))
    connection.execute(
        f"""
        create or replace temp table compared as
        select c.*, (case when s.match_probability < {at_least!r} then -1
                          when rival is null then {BEST} {rungs} end)::tinyint as level_{RIVALS}
        from compared c join scored s using (record_l, record_r)
        left join (
            select record_l, record_r, max(rival) as rival from rivalry group by all
        ) using (record_l, record_r)
        """
    )


def _find_reach(connection: Any, known: str) -> None:
    """Table `reach`: the known pairs that can matter to those in table `scored`.

    A rival is one step away, who else it may be two, and what these fit three.
    """
    connection.execute(
        f"""
        create or replace temp table reached as
        select record_l as record from scored union select record_r from scored;
        create or replace temp table others as
        from ({known}) as known(record_l, record_r, match_probability)
        anti join scored using (record_l, record_r)
        """
    )
    near = "from others where record_l in (from reached) or record_r in (from reached)"
    for _ in range(2):
        connection.execute(
            f"""create or replace temp table reached as
            from reached union select record_l {near} union select record_r {near}"""
        )
    connection.execute(f"create or replace temp table reach as {near}")


# Two records that fit a third one, `through`: if they are two people, each is the rival of the
# other. Seen from the smaller of the two, for one part of the records at a time.
_RIVALRY = f"""
    insert into rivalry
    with paths as (
        select a.one as a, b.one as b, a.other as through, a.p as p_a, b.p as p_b,
               if(b.best_of_other and a.asked, b.p, 0) as against_a,
               if(a.best_of_other and b.asked, a.p, 0) as against_b,
               a.best and b.best and least(a.p, b.p) >= 0.5 as bridges
        from fits a join fits b on b.other = a.other and b.one > a.one
        where a.one % {{parts}} = {{part}}
    ),
    -- They are one person as probably as they fit, or as the weaker fit to a third one.
    same as (
        select a, b, max(p, 2) as p, arg_max(through, p) as through from (
            select a, b, least(p_a, p_b) as p, through from paths where bridges
            union all
            select one, other, p, -1 from fits where one < other and one % {{parts}} = {{part}}
        ) group by all
    ),
    apart as (
        select a, b, p.through, against_a, against_b,
               1 - coalesce(s.p[if(s.through = p.through, 2, 1)], 0) as apart
        from paths p left join same s using (a, b)
    ),
    rivals as (
        select unnest([a, b]) as one, through as other,
               unnest([against_a, against_b]) * apart as rival
        from apart where greatest(against_a, against_b) * apart >= {LEVELS[0][0]}
    )
    select least(one, other), greatest(one, other), max(rival)
    from rivals group by one, other
"""


def learn_rivals(connection: Any, model: LinkageModel) -> None:
    """Add to the model how often each level shows, in pairs of one person and in others.

    Counted from tables `compared` and `scored`, each pair weighed by what its fields tell.
    Two people of one household have rivals as strangers have.
    """
    counted = connection.execute(
        f"""select level_{RIVALS} as value, sum(match_probability) as one,
               sum(1 - match_probability) as apart
        from compared join scored using (record_l, record_r)
        where level_{RIVALS} >= 0 group by 1"""
    ).fetchall()
    sums = {value: (one, apart) for value, one, apart in counted}
    seen = {
        value: tuple(USUAL_PAIRS + pairs for pairs in sums.get(value, (0.0, 0.0)))
        for value in range(len(LEVELS))
    }
    ones, aparts = (sum(pair[side] for pair in seen.values()) for side in (0, 1))
    model.comparisons[RIVALS] = [
        LevelShares(
            value=value,
            label=LEVELS[BEST - value][1],
            rarity=None,
            m=_short(one / ones),
            u=_short(apart / aparts),
            household=_short(apart / aparts),
            m_from="data",
            pairs_expected=round(one - USUAL_PAIRS, 3),
        )
        for value, (one, apart) in seen.items()
    ]
    model.kinds[RIVALS], model.about[RIVALS] = "personal", "who else fits"


def by_fields_alone(model: LinkageModel) -> LinkageModel:
    """The model without what it knows of rivals."""
    fields = {name: levels for name, levels in model.comparisons.items() if name != RIVALS}
    return replace(model, comparisons=fields)


def _short(value: float) -> float:
    return float(f"{value:.10g}")
