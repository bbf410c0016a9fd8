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
PAIRS_AT_ONCE = 250_000


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
        with pairs as (from ({pairs}) where match_probability >= {at_least!r})
        select record_l as one, record_r as other, match_probability as p, asked from pairs
        union all select record_r, record_l, match_probability, asked from pairs;
        create or replace temp table best as
        select one, other, p from fitting
        qualify row_number() over (partition by one order by p desc, other) <= {MOST_RIVALS};
        create or replace temp table rivalry (record_l bigint, record_r bigint, rival double)
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


# For the records of one part: each list of what binds two of them must fit in memory.
_RIVALRY = """
    insert into rivalry
    -- Pairs stand in `fitting` in both directions.
    with fits as (from fitting where one % {parts} = {part}),
    -- Two records that fit a third one are one person as probably as the weaker fit.
    bridged as (
        select a.one, b.one as other, max(least(a.p, b.p), 2) as p,
               max_by(a.other, least(a.p, b.p), 2) as through
        from best a join best b on b.other = a.other and b.one <> a.one
        where a.p >= 0.5 and b.p >= 0.5 and a.one % {parts} = {part}
        group by all
    )
    select least(f.one, f.other), greatest(f.one, f.other),
           max(b.p * (1 - greatest(
               coalesce(s.p, 0),
               coalesce(case when t.through[1] = f.other then t.p[2] else t.p[1] end, 0)
           )))
    from fits f join best b on b.one = f.other and b.other <> f.one
    left join fits s on s.one = f.one and s.other = b.other
    left join bridged t on t.one = f.one and t.other = b.other
    where f.asked group by f.one, f.other
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
