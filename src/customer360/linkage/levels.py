"""How the fields of two records agree: the ladders of the comparisons as SQL, written once.

Asked directly of the pairs that Splink proposes, and of pairs of strangers. Splink's own
prediction writes down a dozen numbers more of every pair, which takes longer than the
comparing, and its sampling asks one comparison at a time, of one processor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from customer360.linkage.comparisons import Comparison
from customer360.linkage.model import LevelShares, LinkageModel

__all__ = ["has_rarity", "levels_sql", "rarities_sql", "sample_shares", "sides_sql"]


def sides_sql(columns: Iterable[str]) -> str:
    """Columns of both records of a pair, from tables `l` and `r`: `<column>_l`, `<column>_r`."""
    return ", ".join(f"{side}.{c} as {c}_{side}" for c in columns for side in ("l", "r"))


def levels_sql(comparisons: Sequence[Comparison]) -> str:
    """Columns `level_<name>`: the code of the rung that a pair reaches.

    Codes count from the last rung, 0; -1 where nothing is known.
    """
    columns = []
    for comparison in comparisons:
        unknown = " or ".join(f"{c}_l is null or {c}_r is null" for c in comparison.columns)
        if comparison.silent:
            unknown = f"{unknown} or {comparison.silent}"
        last = len(comparison.levels) - 1
        rungs = " ".join(
            f"else {last - place}"
            if level.sql == "ELSE"
            else f"when {level.sql} then {last - place}"
            for place, level in enumerate(comparison.levels)
        )
        columns.append(
            f"(case when {unknown} then -1 {rungs} end)::tinyint as level_{comparison.name}"
        )
    return ", ".join(columns)


def rarities_sql(model: LinkageModel) -> str:
    """Columns `rarity_<name>`, beside those of the levels, where a rare value weighs more.

    In bits: by how much what agrees is rarer among strangers than its level usually is.
    """
    return "".join(
        f", {_rarity(name, shares)}{_together(name, model)} as rarity_{name}"
        for name, shares in model.comparisons.items()
        if has_rarity(shares)
    )


def has_rarity(levels: Sequence[LevelShares]) -> bool:
    """Whether a rare value that agrees weighs more than a frequent one."""
    return any(level.rarity for level in levels)


def _rarity(name: str, levels: Sequence[LevelShares]) -> str:
    rungs = " ".join(
        f"when {level.value} then "
        f"log2({level.u!r}::double / greatest(tf_{level.rarity}_l, tf_{level.rarity}_r))"
        for level in levels
        if level.rarity
    )
    return f"coalesce(case level_{name} {rungs} end, 0)"


def _together(name: str, model: LinkageModel) -> str:
    """What both names the same say beside each alone, added to the family name."""
    names = ("first_name", "last_name")
    if name != "last_name" or any(one not in model.comparisons for one in names):
        return ""
    same = " and ".join(f"level_{one} = {model.comparisons[one][-1].value}" for one in names)
    return f" + case when {same} then names_together_l else 0 end"


def sample_shares(
    connection: Any, comparisons: Sequence[Comparison], *, max_pairs: int, seed: int
) -> tuple[dict[str, list[float | None]], int]:
    """How often strangers agree: shares of the levels among all pairs of a sample of records.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `blocks`.
    comparisons : sequence of Comparison
    max_pairs : int
        Most pairs to compare; a small table is its own sample.
    seed : int

    Returns
    -------
    shares : dict
        Comparison to the shares of its levels, last rung first; None where no pair shows it.
    pairs : int
        Pairs compared.
    """
    records = connection.execute("select record from blocks order by record").fetchnumpy()["record"]
    size = min(len(records), int((1 + (1 + 8 * max_pairs) ** 0.5) / 2))
    drawn = np.sort(np.random.default_rng(seed).choice(records, size, replace=False))
    connection.register("drawn", pa.table({"record": drawn}))
    columns = [row[0] for row in connection.execute("describe blocks").fetchall()]
    # Written down first: pairs are shared out among processors by the row.
    connection.execute(
        """create or replace temp table sampled as from blocks semi join drawn using (record);
        create or replace temp table pairs_sampled as
        select l.record as record_l, r.record as record_r
        from sampled l join sampled r on l.record < r.record"""
    )
    counts = connection.execute(
        f"""
        with sides as (
            select {sides_sql(columns)} from pairs_sampled
            join sampled l on l.record = record_l join sampled r on r.record = record_r
        )
        select {", ".join(f"histogram(level_{c.name})" for c in comparisons)}
        from (select {levels_sql(comparisons)} from sides)"""
    ).fetchall()[0]
    connection.execute("drop table pairs_sampled; drop table sampled")
    connection.unregister("drawn")
    shares: dict[str, list[float | None]] = {}
    for comparison, found in zip(comparisons, counts, strict=True):
        seen = {level: pairs for level, pairs in (found or {}).items() if level >= 0}
        total = sum(seen.values())
        shares[comparison.name] = [
            seen[level] / total if level in seen else None
            for level in range(len(comparison.levels))
        ]
    return shares, size * (size - 1) // 2
