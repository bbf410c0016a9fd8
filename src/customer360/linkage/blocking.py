"""Which pairs of records are worth comparing at all.

All pairs of a million records are five hundred billion. A blocking rule names columns
that two records must share to be compared; each rule is counted before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["Rule", "choose_rules", "write_blocks"]

# Beyond this many records with one value, the value says nothing about who they are.
LARGEST_BLOCK_RECORDS = 500

_FIRST1 = "substr(first_name, 1, 1)"
_FIRST3 = "substr(first_name, 1, 3)"
_LAST1 = "substr(last_name, 1, 1)"
_LAST3 = "substr(last_name, 1, 3)"
# Unordered, so that swapped names meet.
_NAMES = "least(first_name, last_name) || '|' || greatest(first_name, last_name)"
_DEPARTMENT = "substr(postcode, 1, 2)"

# Each family looks for the same people; its variants go from loose to strict.
FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "e-mail": (("email",),),
    "telephone": (("phone",),),
    "birth date": (("birth_date",), ("birth_date", _FIRST3), ("birth_date", "first_name")),
    "birth date and family name": (("birth_date", _LAST3), ("birth_date", "last_name")),
    "names": ((_NAMES,), (_NAMES, _DEPARTMENT), (_NAMES, "postcode")),
    "family name nearby": (
        ("last_name", _FIRST3),
        ("last_name", _FIRST3, _DEPARTMENT),
        ("last_name", "postcode"),
    ),
    "family name and postcode": (("last_name", "postcode"), ("last_name", "postcode", _FIRST1)),
    "first name and postcode": (("first_name", "postcode"), ("first_name", "postcode", _LAST1)),
    "address": (("postcode",), ("postcode", "street"), ("postcode", "street", _FIRST1)),
    "name of the e-mail": (("email_name",), ("email_name", _DEPARTMENT)),
}
_COLUMNS = (
    "first_name",
    "last_name",
    "birth_date",
    "email_name",
    "email",
    "phone",
    "street",
    "postcode",
)


@dataclass(frozen=True)
class Rule:
    """A blocking rule in use.

    Attributes
    ----------
    label : str
        In words.
    column : str
        Of table `blocks`, that holds its key.
    parts : tuple of str
        What two records must share.
    large_blocks : int
        Values that too many records share.
    """

    label: str
    column: str
    parts: tuple[str, ...]
    large_blocks: int = 0

    @property
    def sql(self) -> str:
        return f"l.{self.column} = r.{self.column}"


def _used(parts: Sequence[str]) -> set[str]:
    text = " ".join(parts).replace("email_name", "e_name")
    names = {c for c in _COLUMNS if c != "email_name" and c in text}
    return names | ({"email_name"} if "e_name" in text else set())


def _label(parts: Sequence[str]) -> str:
    words = {
        _FIRST1: "initial of the first name",
        _FIRST3: "first name (3 letters)",
        _LAST1: "initial of the family name",
        _LAST3: "family name (3 letters)",
        _NAMES: "first and family name",
        _DEPARTMENT: "department",
        "email_name": "e-mail before the @",
    }
    return " + ".join(words.get(part, part.replace("_", " ")) for part in parts)


def choose_rules(
    connection: Any, *, columns: set[str], max_pairs_budget: int, identifiers: Sequence[str] = ()
) -> tuple[list[Rule], pd.DataFrame, list[str]]:
    """Count the candidate rules and keep what fits the budget.

    Every family of rules gets an equal share of the budget, and of what those before it
    left over, and takes its loosest variant that fits. Values held by more than 500
    records make no block.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `records`.
    columns : set of str
        Columns that are filled.
    max_pairs_budget : int
        Comparisons allowed, over all rules.
    identifiers : sequence of str
        Columns beyond the contract that number people.

    Returns
    -------
    rules : list of Rule
    table : pandas.DataFrame
        One row per variant counted: family, rule, pairs, large_blocks, used, why.
    notes : list of str
    """
    families = {
        name: [v for v in variants if _used(v) <= columns] for name, variants in FAMILIES.items()
    }
    families |= {name: [(name,)] for name in identifiers if name in columns}
    families = {name: variants for name, variants in families.items() if variants}
    rows: list[dict[str, Any]] = []
    rules: list[Rule] = []
    left = max_pairs_budget
    for done, (family, variants) in enumerate(families.items()):
        allowed = left // (len(families) - done)
        for variant in variants:
            wider = next((rule for rule in rules if set(rule.parts) <= set(variant)), None)
            if wider:
                rows.append(_row(family, variant, None, None, f"within {wider.label}"))
                break
            pairs, large = _count(connection, variant)
            if pairs <= allowed:
                rows.append(_row(family, variant, pairs, large, "fits"))
                rules.append(Rule(_label(variant), f"block_{len(rules)}", variant, large))
                left -= pairs
                break
            why = f"more than its share of the budget ({allowed:,} pairs)"
            rows.append(_row(family, variant, pairs, large, why))
    names = ["family", "rule", "pairs", "large_blocks", "used", "why"]
    table = pd.DataFrame(rows, columns=names).astype({"pairs": "Int64", "large_blocks": "Int64"})
    return rules, table, _notes(table)


def write_blocks(
    connection: Any, rules: Sequence[Rule], *, frequencies: Mapping[str, str] | None = None
) -> None:
    """Write table `blocks`: the records with one key a rule.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `records`.
    rules : sequence of Rule
    frequencies : mapping, optional
        Column to the SQL that tells how often its value stands among all records, which is
        added as `tf_<column>`.
    """
    keys = "".join(f", {_key(rule.parts)} as {rule.column}" for rule in rules)
    counted = frequencies or {}
    counts = "".join(f", tf_{column}" for column in counted)
    joins = " ".join(
        f"""left join (select {column}, {sql} as tf_{column} from records group by 1)
        using ({column})"""
        for column, sql in counted.items()
    )
    connection.execute(
        f"""create or replace temp table blocks as
        select records.*{counts}{keys} from records {joins}"""
    )
    for rule in rules:
        if rule.large_blocks:
            # A value that everybody shares says nothing: no block is made of it.
            connection.execute(
                f"""update blocks set {rule.column} = null where {rule.column} in (
                    select {rule.column} from blocks group by 1
                    having count(*) > {LARGEST_BLOCK_RECORDS})"""
            )


def _row(
    family: str, variant: Sequence[str], pairs: int | None, large: int | None, why: str
) -> dict[str, Any]:
    return {
        "family": family,
        "rule": _label(variant),
        "pairs": pairs,
        "large_blocks": large,
        "used": why == "fits",
        "why": why,
    }


def _key(parts: Sequence[str]) -> str:
    # A missing part makes the whole key missing: nothing is compared because it is empty.
    filled = " and ".join(f"nullif({part}, '') is not null" for part in parts)
    return f"case when {filled} then hash({', '.join(parts)}) end"


def _count(connection: Any, parts: Sequence[str]) -> tuple[int, int]:
    found = connection.execute(
        f"""
        with block as (select {_key(parts)} as key, count(*) as n from records group by 1)
        select coalesce(sum(n * (n - 1) // 2) filter (n <= {LARGEST_BLOCK_RECORDS}), 0)::bigint,
               count(*) filter (n > {LARGEST_BLOCK_RECORDS})
        from block where key is not null
        """
    ).fetchall()[0]
    return int(found[0]), int(found[1])


def _notes(table: pd.DataFrame) -> list[str]:
    notes = []
    for row in table[table["used"] & (table["large_blocks"] > 0)].itertuples():
        notes.append(
            f"blocking on {row.rule}: {row.large_blocks:,} values are shared by more than "
            f"{LARGEST_BLOCK_RECORDS} records and were left aside"
        )
    for family, variants in table.groupby("family", sort=False):
        if not variants["used"].any() and not variants["why"].str.startswith("within").any():
            notes.append(
                f"blocking on {family} would cost {variants['pairs'].min():,} comparisons, more "
                "than its share of the budget: raise max_pairs_budget to use it"
            )
    return notes
