"""How the fields of two records agree: the ladders of the comparisons as SQL, written once.

Asked directly of the pairs that Splink proposes. Splink's own prediction writes down a
dozen numbers more of every pair, which takes longer than the comparing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from customer360.linkage.comparisons import Comparison
from customer360.linkage.model import LevelShares, LinkageModel

__all__ = ["has_rarity", "levels_sql", "sides_sql"]


def sides_sql(columns: Iterable[str]) -> str:
    """Columns of both records of a pair, from tables `l` and `r`: `<column>_l`, `<column>_r`."""
    return ", ".join(f"{side}.{c} as {c}_{side}" for c in columns for side in ("l", "r"))


def levels_sql(comparisons: Sequence[Comparison], model: LinkageModel) -> str:
    """Columns `level_<name>` of each comparison, and `rarity_<name>` where it counts.

    A level is the code that the model gives it, -1 where nothing is known. Rarity is in
    bits: by how much what agrees is rarer among strangers than its level usually is.

    Parameters
    ----------
    comparisons : sequence of Comparison
    model : LinkageModel
        Holds the same comparisons, with the same levels.
    """
    columns = []
    for comparison in comparisons:
        shares = model.comparisons[comparison.name]
        unknown = " or ".join(f"{c}_l is null or {c}_r is null" for c in comparison.columns)
        if comparison.silent:
            unknown = f"{unknown} or {comparison.silent}"
        rungs = " ".join(
            f"{'else' if level.sql == 'ELSE' else f'when {level.sql} then'} {share.value}"
            for level, share in zip(comparison.levels, reversed(shares), strict=True)
        )
        name = comparison.name
        columns.append(f"(case when {unknown} then -1 {rungs} end)::tinyint as level_{name}")
        if has_rarity(shares):
            columns.append(f"{_rarity(name, shares)}{_together(name, model)} as rarity_{name}")
    return ", ".join(columns)


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
