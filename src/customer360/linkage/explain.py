"""Why two records are one person, or are not, in bits and in words."""

from __future__ import annotations

from typing import Any

import pandas as pd

from customer360.linkage.matching import Matches
from customer360.linkage.records import LinkageError

__all__ = ["waterfall", "waterfall_words"]

COLUMNS = ["column", "level", "match_weight", "cumulative_weight", "words"]


def waterfall(
    matches: Matches, *, source_l: str, source_id_l: str, source_r: str, source_id_r: str
) -> pd.DataFrame:
    """How the evidence about two records adds up.

    Parameters
    ----------
    matches : Matches
    source_l, source_id_l, source_r, source_id_r : str
        Keys of the two records, in any order.

    Returns
    -------
    pandas.DataFrame
        One row a step: column, level (in words), match_weight (bits), cumulative_weight,
        words. The first row is what is believed before looking, the last the sum.

    Raises
    ------
    LinkageError
        If the pair was not compared, or was found less than 1 % probable.
    """
    evidence = matches.evidence
    wanted = sorted([(source_l, source_id_l), (source_r, source_id_r)])
    (one, one_id), (two, two_id) = wanted
    found = evidence[
        (evidence["source_l"] == one)
        & (evidence["source_id_l"] == one_id)
        & (evidence["source_r"] == two)
        & (evidence["source_id_r"] == two_id)
    ]
    if found.empty:
        raise LinkageError(
            f"{one} {one_id} and {two} {two_id} were not kept as a pair: they share too little to "
            "be compared, or are less than 1 % likely to be one person"
        )
    pair = found.iloc[0]
    rows: list[dict[str, Any]] = [_row("before looking", "two records at random", pair["prior"])]
    for comparison in matches.model["comparisons"]:
        name = comparison["name"]
        labels = {level["value"]: level["label"] for level in comparison["levels"]}
        level = int(pair[f"level_{name}"])
        label = labels.get(level, "not known, or already counted")
        rows.append(_row(comparison["about"], label, pair[f"bits_{name}"]))
    rows.append(_row("household", "could be two people of one home", pair["bits_household"]))
    table = pd.DataFrame(rows)
    table["cumulative_weight"] = table["match_weight"].cumsum()
    total = float(table["match_weight"].sum())
    probability = 1 / (1 + 2.0**-total)
    verdict = "one person" if probability >= matches.threshold else "kept apart"
    table.loc[len(table)] = {
        "column": "sum",
        "level": verdict,
        "match_weight": total,
        "cumulative_weight": total,
        "words": f"{probability:.2%} likely to be one person, {matches.threshold:.1%} needed: "
        f"{verdict}",
    }
    return table[COLUMNS]


def waterfall_words(table: pd.DataFrame) -> str:
    """The waterfall as one sentence a line."""
    return "\n".join(f"{row.column}: {row.words}" for row in table.itertuples())


def _row(column: str, level: str, bits: float) -> dict[str, Any]:
    return {"column": column, "level": level, "match_weight": bits, "words": _say(level, bits)}


def _say(level: str, bits: float) -> str:
    if abs(bits) < 0.1:
        return f"{level}; says nothing"
    times = 2.0 ** abs(bits)
    amount = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    side = "more" if bits > 0 else "less"
    return f"{level}; {amount} times {side} likely to be one person"
