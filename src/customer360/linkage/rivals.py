"""Somebody else fits as well: what a pair says in the light of the other pairs.

Two records that fit each other, and nobody else, are one person more often than their
fields alone tell; a record that fits two people who cannot both be its owner belongs to
one of them at most. Both are learned from the pairs themselves.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from customer360.linkage.model import LevelShares

__all__ = ["ABOUT", "LEVELS", "RIVALS", "find_rivals", "learn_rivals"]

RIVALS = "rivals"
ABOUT = "who else fits"
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
# Fewer rivals than these say all there is to say; a common name has hundreds.
MOST_RIVALS = 30


def find_rivals(connection: Any, *, at_least: float) -> None:
    """Add `level_rivals` to table `compared`, from table `scored`.

    The rival of a pair (i, j) is the third record k that makes the most of
    p(i, k) (1 - p(j, k)), or the same with i and j exchanged: it is i, and it is not j.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    at_least : float
        Pairs less probable than this are left without a level (-1) and are no rivals.
    """
    rungs = " ".join(
        f"when rival < {bound} then {len(LEVELS) - 1 - rung}"
        for rung, (bound, _) in enumerate(LEVELS)
    )
    connection.execute(
        f"""
        create or replace temp table fitting as
        select record_l as one, record_r as other, match_probability as p from scored
        where match_probability >= {at_least!r}
        union all
        select record_r, record_l, match_probability from scored
        where match_probability >= {at_least!r};
        create or replace temp table rivalry as
        with best as (
            select one, other, p from fitting
            qualify row_number() over (partition by one order by p desc, other) <= {MOST_RIVALS}
        ),
        third as (
            select f.one, f.other, max(b.p * (1 - coalesce(s.p, 0))) as rival
            from fitting f join best b on b.one = f.one and b.other <> f.other
            left join fitting s on s.one = f.other and s.other = b.other
            group by all
        )
        select least(one, other) as record_l, greatest(one, other) as record_r,
               max(rival) as rival
        from third group by all;
        create or replace temp table compared as
        select c.*, (case when s.match_probability < {at_least!r} then -1
                          when rival is null then {len(LEVELS) - 1} {rungs} end)::tinyint
                        as level_{RIVALS}
        from compared c join scored s using (record_l, record_r)
        left join rivalry using (record_l, record_r)
        """
    )


def learn_rivals(connection: Any) -> list[LevelShares]:
    """How often each level shows among pairs of one person, and among others.

    Counted from tables `compared` and `scored`, each pair weighed by its probability.

    Returns
    -------
    list of LevelShares
        Worst level first.
    """
    counted: pd.DataFrame = connection.execute(
        f"""select level_{RIVALS} as value, sum(match_probability) as one,
               sum(1 - match_probability) as apart
        from compared join scored using (record_l, record_r)
        where level_{RIVALS} >= 0 group by 1 order by 1"""
    ).df()
    seen = counted.set_index("value").reindex(range(len(LEVELS)), fill_value=0.0)
    # A level that no pair shows weighs nothing.
    shares = {c: (seen[c] + 1.0) / (seen[c].sum() + len(LEVELS)) for c in ("one", "apart")}
    return [
        LevelShares(
            value=value,
            label=LEVELS[len(LEVELS) - 1 - value][1],
            rarity=None,
            m=float(f"{shares['one'][value]:.10g}"),
            u=float(f"{shares['apart'][value]:.10g}"),
            household=float(f"{shares['apart'][value]:.10g}"),
            pairs_expected=round(float(seen["one"][value]), 3),
        )
        for value in range(len(LEVELS))
    ]
