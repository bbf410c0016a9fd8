"""What is compared between two records, and how much agreement counts as agreement.

Each comparison is a ladder of levels, best first. A level is what two records can show:
same family name, a typing error in it, another name... How much each level weighs is
learned from the data (see `model`); only the ladder is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from customer360.linkage.records import COLUMNS

__all__ = [
    "Comparison",
    "Level",
    "choose_comparisons",
    "extra_comparison",
]

# Below one record in a hundred a column tells too little to be worth comparing.
SMALLEST_COVERAGE = 0.01


@dataclass(frozen=True)
class Level:
    """One rung of a comparison.

    Parameters
    ----------
    label : str
        In words.
    sql : str
        Condition on `column_l` and `column_r`; `"ELSE"` for the last rung.
    m : float
        Expected share among pairs of one person, before the data speak.
    u : float
        The same among strangers; of the last rung, what the others leave.
    household : float, optional
        Expected share among pairs of two people of one household; None when two
        people of one household agree no more than strangers do.
    needs : tuple of str
        Columns the condition uses beside those of the comparison.
    rarity : str, optional
        Column whose term frequency makes agreement on a rare value weigh more.
    counted_by : tuple of str, optional
        Columns of a blocking rule that proposes every pair of this level, so that its
        share among strangers can be counted rather than sampled.
    """

    label: str
    sql: str
    m: float
    u: float = 0.0
    household: float | None = None
    needs: tuple[str, ...] = ()
    rarity: str | None = None
    counted_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A ladder of levels.

    Parameters
    ----------
    name, about : str
        Column name in the results, and the same in words.
    kind : {"personal", "shared"}
        Personal facts tell two people of one household apart; shared ones (family
        name, address, telephone, e-mail) do not.
    columns : tuple of str
        Columns without which the comparison makes no sense.
    levels : tuple of Level
        Best first, the last one being everything else.
    silent : str, optional
        Condition under which the comparison says nothing, though both values are known.
    """

    name: str
    about: str
    kind: Literal["personal", "shared"]
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    silent: str | None = None


def _words(column: str) -> str:
    return f"(' ' || {column} || ' ')"


def _holds(column: str) -> str:
    """One value is made of whole words of the other (Jean in Jean Pierre)."""
    left, right = f"{column}_l", f"{column}_r"
    # Of two values in one word, none is a part of the other: seen sooner.
    return (
        f"(case when contains({left}, ' ') or contains({right}, ' ') "
        f"then contains({_words(left)}, {_words(right)}) or contains({_words(right)}, "
        f"{_words(left)}) else {left} = {right} end)"
    )


def _one_slip(column: str, ends: int) -> str:
    """One letter added, lost, changed or two swapped.

    One slip leaves the length, but for one letter, and the first or the last half whole, of
    which `ends` letters at least are asked for: looking there first spares the costly
    distance to nearly all pairs of strangers.
    """
    left, right = f"{column}_l", f"{column}_r"
    half = f"greatest({ends}, (least(length({left}), length({right})) - 1) // 2)::int"
    return (
        f"(case when abs(length({left}) - length({right})) <= 1 "
        f"and (substr({left}, 1, {half}) = substr({right}, 1, {half}) "
        f"or right({left}, {half}) = right({right}, {half})) "
        f"and levenshtein({left}, {right}) <= 2 "
        f"then damerau_levenshtein({left}, {right}) <= 1 else false end)"
    )


def _close(column: str, *, sound: str | None = None) -> str:
    left, right = f"{column}_l", f"{column}_r"
    slip = f"({_one_slip(column, 1)} or jaro_winkler_similarity({left}, {right}) >= 0.93)"
    return f"({slip} or {_same(sound)})" if sound else slip


def _begins(column: str) -> str:
    """One value begins the other with three letters or more (Fred in Frederic)."""
    left, right = f"{column}_l", f"{column}_r"
    return (
        f"(least(length({left}), length({right})) >= 3 "
        f"and (starts_with({left}, {right}) or starts_with({right}, {left})))"
    )


def _similar(column: str) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.85"


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


def _read_from_same_email(column: str) -> str:
    """A name read from the e-mail agrees with the record of the same e-mail: no news."""
    return f"({_same('email')} and {_same(column)} and ({column}_read_l or {column}_read_r))"


def _days_apart(days: int) -> str:
    return f"abs(date_diff('day', opened_on_l, opened_on_r)) <= {days}"


_SWAPPED = "(first_name_l = last_name_r and last_name_l = first_name_r)"
_BIRTH_SWAPPED = (
    "(substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4) "
    "and substr(birth_date_l, 6, 2) = substr(birth_date_r, 9, 2) "
    "and substr(birth_date_l, 9, 2) = substr(birth_date_r, 6, 2))"
)
_BIRTH_TWO_OF_THREE = (
    "((substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4))::int"
    " + (substr(birth_date_l, 6, 2) = substr(birth_date_r, 6, 2))::int"
    " + (substr(birth_date_l, 9, 2) = substr(birth_date_r, 9, 2))::int >= 2)"
)

COMPARISONS = (
    Comparison(
        "first_name",
        "first name",
        "personal",
        ("first_name",),
        (
            # Handed down from father to son: one pair of a household in fifty.
            Level("same", _same("first_name"), 0.80, 5e-3, 0.02, rarity="first_name"),
            Level(
                "first and family name swapped",
                _SWAPPED,
                0.01,
                2e-6,
                needs=("last_name",),
                rarity="both_names",
            ),
            Level(
                "initial only",
                "(length(least(first_name_l, first_name_r)) = 1 "
                "and starts_with(greatest(first_name_l, first_name_r), "
                "least(first_name_l, first_name_r)))",
                0.03,
                2e-3,
            ),
            Level(
                "nickname",
                # A name that is short for none has itself alone in its list.
                "(case when array_length(first_names_l) > 1 or array_length(first_names_r) > 1 "
                "then list_has_any(first_names_l, first_names_r) else false end "
                f"or {_begins('first_name')})",
                0.03,
                1e-3,
            ),
            Level("part of a compound name", _holds("first_name"), 0.03, 6e-4),
            Level("typing error", _close("first_name", sound="first_sound"), 0.08, 2e-3),
            Level("similar", _similar("first_name"), 0.02, 5e-3),
            Level("different", "ELSE", 0.05),
        ),
        silent=_read_from_same_email("first_name"),
    ),
    Comparison(
        "last_name",
        "family name",
        "shared",
        ("last_name",),
        (
            Level("same", _same("last_name"), 0.85, 2e-3, 0.75, rarity="last_name"),
            Level("part of a double name", _holds("last_name"), 0.02, 3e-4, 0.02),
            Level("typing error", _close("last_name", sound="last_sound"), 0.06, 1e-3, 0.03),
            Level("similar", _similar("last_name"), 0.02, 3e-3, 0.02),
            Level("different", "ELSE", 0.05, household=0.18),
        ),
        # Swapped names are counted once, as first names.
        silent="(first_name_l = last_name_r and last_name_l = first_name_r "
        f"and first_name_l <> first_name_r) or {_read_from_same_email('last_name')}",
    ),
    Comparison(
        "birth_date",
        "birth date",
        "personal",
        ("birth_date",),
        (
            # Twins: one pair of a household in fifty.
            Level("same", _same("birth_date"), 0.90, 5e-5, 0.02),
            Level(
                "one digit wrong, or day and month swapped",
                f"({_one_slip('birth_date', 4)} or {_BIRTH_SWAPPED})",
                0.06,
                1.5e-3,
            ),
            Level("two of day, month and year the same", _BIRTH_TWO_OF_THREE, 0.02, 3e-3),
            Level("different", "ELSE", 0.02),
        ),
    ),
    Comparison(
        "email",
        "e-mail",
        "shared",
        ("email",),
        (
            Level("same", _same("email"), 0.70, 1e-6, 0.15, counted_by=("email",)),
            Level(
                "same name at another provider",
                f"({_same('email_name')} and length(email_name_l) >= 6)",
                0.05,
                2e-6,
                0.01,
            ),
            # jean.martin12 and jean.martin21 are two people, not a typing error.
            Level(
                "typing error",
                f"({_same('email_digits')} and {_one_slip('email', 6)} "
                "and not (email_of_names_l and email_of_names_r))",
                0.05,
                1e-6,
                0.01,
            ),
            Level("different", "ELSE", 0.20, household=0.83),
        ),
        # Another Jean Martin has jean.martin at another provider: that repeats the names.
        silent=f"(email_l <> email_r and {_same('email_letters')} and {_same('email_digits')} "
        "and (email_of_names_l or email_of_names_r))",
    ),
    Comparison(
        "phone",
        "telephone",
        "shared",
        ("phone",),
        (
            Level("same", _same("phone"), 0.65, 1e-6, 0.35, counted_by=("phone",)),
            Level("one digit wrong", _one_slip("phone", 5), 0.03, 1e-6, 0.01),
            # A person has a land line and a mobile, and seldom two mobiles.
            Level("land line and mobile", "phone_kind_l <> phone_kind_r", 0.15, 0.45, 0.30),
            Level("different", "ELSE", 0.17, household=0.34),
        ),
    ),
    Comparison(
        "address",
        "address",
        "shared",
        ("postcode",),
        (
            Level(
                "same street and postcode",
                f"({_same('postcode')} and {_same('street')})",
                0.60,
                1e-5,
                0.85,
                needs=("street",),
                counted_by=("postcode", "street"),
            ),
            Level(
                "same postcode, street written differently",
                f"({_same('postcode')} and {_same('house_number')} "
                "and jaro_winkler_similarity(street_l, street_r) >= 0.85)",
                0.10,
                1e-5,
                0.08,
                needs=("street",),
            ),
            Level(
                "same street, postcode different",
                f"({_same('street')} and {_same('city')})",
                0.03,
                1e-6,
                0.02,
                needs=("street", "city"),
            ),
            Level("same postcode only", _same("postcode"), 0.10, 3e-3, 0.03, rarity="postcode"),
            Level("different", "ELSE", 0.17, household=0.02),
        ),
    ),
    Comparison(
        "city",
        "town",
        "shared",
        ("city",),
        (
            Level("same", _same("city"), 0.80, 5e-3, 0.95, rarity="city"),
            Level("different", "ELSE", 0.20, household=0.05),
        ),
    ),
    Comparison(
        "country",
        "country",
        "shared",
        ("country",),
        (
            Level("same", _same("country"), 0.999, 0.5, 0.999),
            Level("different", "ELSE", 0.001, household=0.001),
        ),
    ),
    Comparison(
        "title",
        "civility",
        "personal",
        ("title",),
        (Level("same", _same("title"), 0.98, 0.5), Level("different", "ELSE", 0.02)),
    ),
    # Who joins the loyalty programme at the till opens an account the same evening.
    Comparison(
        "opened",
        "day of the first record",
        "shared",
        ("opened_on",),
        (
            Level("same day", _days_apart(0), 0.10, 1e-3, 0.02),
            Level("within a week", _days_apart(7), 0.05, 7e-3, 0.02),
            Level("within a month", _days_apart(30), 0.10, 0.03, 0.05),
            Level("within three months", _days_apart(91), 0.15, 0.10, 0.11),
            Level("within a year", _days_apart(365), 0.30, 0.30, 0.31),
            Level("more than a year apart", "ELSE", 0.30, household=0.49),
        ),
    ),
    # A person is seldom twice in one system, and often in several.
    Comparison(
        "system",
        "system",
        "personal",
        ("source",),
        (
            Level("known to two systems", "source_l <> source_r", 0.90, 0.75),
            Level("twice in one system", "ELSE", 0.10),
        ),
    ),
)


def extra_comparison(column: str, *, kind: Literal["identifier", "place"]) -> Comparison:
    """Ladder for a column beyond the contract.

    Parameters
    ----------
    column : str
    kind : {"identifier", "place"}
        A number given to one person only, or a word of the address.
    """
    name = column.replace("_", " ")
    if kind == "identifier":
        return Comparison(
            column,
            name,
            "personal",
            (column,),
            (
                Level("same", _same(column), 0.85, 1e-6, counted_by=(column,)),
                Level("one slip", _one_slip(column, 2), 0.10, 1e-5),
                Level("different", "ELSE", 0.05),
            ),
        )
    return Comparison(
        column,
        name,
        "shared",
        (column,),
        (
            Level("same", _same(column), 0.70, 5e-3, 0.85, rarity=column),
            Level("typing error", _close(column), 0.10, 2e-3, 0.05),
            Level("different", "ELSE", 0.20, household=0.10),
        ),
    )


def choose_comparisons(
    connection: Any, *, extra: Mapping[str, Literal["identifier", "place"]] | None = None
) -> tuple[list[Comparison], list[str]]:
    """Keep the comparisons whose columns are filled in table `records`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    extra : mapping, optional
        Columns beyond the contract, and their kind.

    Returns
    -------
    comparisons : list of Comparison
        Without the levels that need a column which is not there.
    notes : list of str
        What is not compared, and why.
    """
    extra = extra or {}
    columns = [*COLUMNS, "both_names", *extra]
    counted = connection.execute(
        f"""select count(*), count(distinct source), count(distinct country),
            {", ".join(f"count({c})" for c in columns)} from records"""
    ).fetchall()[0]
    rows, systems, countries = map(int, counted[:3])
    filled = dict(zip(columns, map(int, counted[3:]), strict=True))
    filled["source"] = rows if systems > 1 else 0
    filled["country"] *= countries > 1
    columns.append("source")
    usable = {c for c in columns if filled[c] >= max(2, SMALLEST_COVERAGE * rows)}
    chosen, notes = [], []
    others = [extra_comparison(column, kind=kind) for column, kind in extra.items()]
    for comparison in (*COMPARISONS, *others):
        if comparison.name == "city" and "postcode" in usable:
            continue  # the postcode says it better, and both together would count twice
        absent = [c for c in comparison.columns if c not in usable]
        if absent:
            if comparison.name not in ("city", "country", "system"):
                notes.append(
                    f"{comparison.about} is not compared: filled in "
                    f"{filled[absent[0]]:,} of {rows:,} records"
                )
            continue
        levels = tuple(lv for lv in comparison.levels if all(c in usable for c in lv.needs))
        chosen.append(replace(comparison, levels=levels))
    return chosen, notes
