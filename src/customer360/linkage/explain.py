"""Why two records are one person, or are not, in bits and in words."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

import duckdb
import pandas as pd

from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.matching import Matches
from customer360.linkage.records import LinkageError

__all__ = [
    "explain_words",
    "hardest_pairs",
    "mask",
    "pairs_to_label",
    "waterfall",
    "waterfall_words",
]

COLUMNS = ["column", "level", "match_weight", "cumulative_weight", "words"]
PAIR = ["source_l", "source_id_l", "source_r", "source_id_r"]
SHOWN = ["title", "first_name", "last_name", "birth_date", "email", "phone", "street", "postcode",
         "city"]  # fmt: skip
# From so many bits on, evidence is called so.
STRENGTHS = ((10.0, "very strongly"), (5.0, "strongly"), (2.0, "clearly"), (0.1, "a little"))


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


def explain_words(table: pd.DataFrame) -> str:
    """The waterfall as a reader wants it: what speaks for, what against, and what follows.

    Parameters
    ----------
    table : pandas.DataFrame
        From `waterfall`.
    """
    steps, total = table.iloc[1:-1], table.iloc[-1]
    silent = steps["match_weight"].abs() < STRENGTHS[-1][0]
    lines = []
    for heading, chosen in (
        ("Speaks for one person", steps[~silent & (steps["match_weight"] > 0)]),
        ("Speaks against", steps[~silent & (steps["match_weight"] < 0)]),
    ):
        lines.append(f"{heading}:" if len(chosen) else f"{heading}: nothing")
        order = chosen["match_weight"].abs().sort_values(ascending=False, kind="stable").index
        for row in chosen.loc[order].itertuples():
            bits = abs(float(row.match_weight))  # type: ignore[arg-type]
            strength = next(word for least, word in STRENGTHS if bits >= least)
            lines.append(f"  {row.column}, {strength}: {row.words}")
    if silent.any():
        lines.append(f"Says nothing: {', '.join(steps.loc[silent, 'column'])}")
    start = 2.0 ** -float(table["match_weight"].iloc[0])
    lines.append(f"Before looking, one pair of records in {start:,.0f} is one person.")
    lines.append(f"All together: {total['words']}.")
    return "\n".join(lines)


def mask(values: pd.Series) -> pd.Series:
    """Personal values one may show: the first letter of each word, no digit.

    Examples
    --------
    >>> mask(pd.Series(["Jean-Paul", "12 rue des Lilas"])).tolist()
    ['J•••-P•••', '•• r•• d•• L••••']
    """
    return values.astype("str").str.replace(r"(?<=[^\W\d_])\w|[\d_]", "•", regex=True)


def hardest_pairs(
    matches: Matches, *, count: int, decided: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The pairs whose evidence lies nearest to what a link asks for.

    Parameters
    ----------
    matches : Matches
    count : int
        Most pairs wanted.
    decided : pandas.DataFrame, optional
        From `corrections.read_decisions`: pairs that nobody needs to look at again.

    Returns
    -------
    pandas.DataFrame
        Contract `link_pairs`, hardest first.
    """
    asked = math.log2(matches.threshold / (1 - matches.threshold))
    distance = (matches.pairs["match_weight"] - asked).abs()
    table = matches.pairs.assign(distance=distance).sort_values(["distance", *PAIR])
    if decided is not None:
        known = pd.MultiIndex.from_frame(decided[PAIR])
        table = table[~pd.MultiIndex.from_frame(table[PAIR]).isin(known)]
    return table.head(count).drop(columns="distance").reset_index(drop=True)


def pairs_to_label(pairs: pd.DataFrame, people: Any) -> pd.DataFrame:
    """Pairs side by side, with an empty verdict for a person to fill in.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Contract `link_pairs`.
    people : frame
        Contract `staged.people`. Its values are personal: the table stays below `data/`.

    Returns
    -------
    pandas.DataFrame
        source_l, source_id_l, source_r, source_id_r, verdict (empty), match_probability, and
        each field of both records, in the order of `pairs`.
    """
    sides = ", ".join(f"{side}.{c}::varchar as {c}_{side}" for c in SHOWN for side in ("l", "r"))
    with closing(duckdb.connect()) as connection:
        connection.register("people", as_arrow(people))
        connection.register("pairs", as_arrow(pairs.assign(place=range(len(pairs)))))
        return connection.sql(
            f"""
            select {", ".join(f"p.{c}" for c in PAIR)}, null::varchar as verdict,
                   round(match_probability, 4) as match_probability, {sides}
            from pairs p
            join people l on l.source = p.source_l and l.source_id = p.source_id_l
            join people r on r.source = p.source_r and r.source_id = p.source_id_r
            order by place
            """
        ).df()


def _row(column: str, level: str, bits: float) -> dict[str, Any]:
    return {"column": column, "level": level, "match_weight": bits, "words": _say(level, bits)}


def _say(level: str, bits: float) -> str:
    if abs(bits) < 0.1:
        return f"{level}; says nothing"
    times = 2.0 ** abs(bits)
    amount = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"
    side = "more" if bits > 0 else "less"
    return f"{level}; {amount} times {side} likely to be one person"
