"""Why two records are one person, or what holds a customer together, from the files of a run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from customer360.linkage.explain import PAIR, SHOWN, explain_words, mask, waterfall
from customer360.linkage.incremental import compare_records
from customer360.linkage.matching import Matches
from customer360.linkage.records import LinkageError
from customer360.storage import Store

__all__ = ["explain_customer", "explain_two"]

MODEL = "data/linked/model.json"
# All pairs of so many records are compared at once; a person has fewer.
MOST_RECORDS = 60


def explain_two(
    store: Store, *, records: Sequence[tuple[str, str]], show_values: bool = False
) -> str:
    """Evidence for and against two records being one person, in words.

    Parameters
    ----------
    store : Store
        Of a project in which the linkage stage has run.
    records : sequence of two (source, source_id)
    show_values : bool
        Show personal values in full instead of masked.

    Raises
    ------
    LinkageError
        If the two are one record, or one of them is not there.
    """
    one, two = sorted(records)
    if one == two:
        raise LinkageError("name two records: a record is always the person it is")
    matches = _compare(store, [one, two])
    lines = [f"{_name(one)} and {_name(two)}", _side_by_side(store, [one, two], show_values), ""]
    lines.append(_words(matches, one, two))
    customers = _customers(store, [one, two])
    if len(customers) == 2:
        together = customers[one] == customers[two]
        lines.append(
            f"In the last run both belong to customer {customers[one]}."
            if together
            else f"In the last run they belong to {customers[one]} and {customers[two]}."
        )
        likely = matches.pairs["match_probability"].iloc[0] >= matches.threshold
        if together != likely:
            lines.append(
                "Other records bind them together."
                if together
                else "Other records, or a correction, keep them apart."
            )
    return "\n".join(lines)


def explain_customer(store: Store, *, customer_id: str, show_values: bool = False) -> str:
    """What holds the records of a customer together, the weakest link in full.

    Parameters
    ----------
    store, show_values
        As in `explain_two`.
    customer_id : str
    """
    own = store.read("linked_records").filter(
        f"customer_id = '{customer_id.replace(chr(39), chr(39) * 2)}'"
    )
    table = own.order("source, source_id").df()
    if table.empty:
        raise LinkageError(
            f"no customer is called {customer_id}: look it up in data/linked/linked_records.parquet"
        )
    known = table[table["has_person_record"].astype(bool)][["source", "source_id"]]
    records = list(known.itertuples(index=False, name=None))[:MOST_RECORDS]
    lines = [f"{customer_id}: {len(table):,} records"]
    if len(table) > len(known):
        lines.append(f"{len(table) - len(known):,} of them are named by orders or events only.")
    if records:
        lines.append(_side_by_side(store, records, show_values))
    if len(records) < 2:
        return "\n".join([*lines, "A single record: there is no link to explain."])
    matches = _compare(store, records)
    tree = _strongest_tree(matches.pairs)
    lines.append("Held together by:")
    lines += [
        f"  {r.source_l}:{r.source_id_l} – {r.source_r}:{r.source_id_r}, "
        f"{r.match_probability:.2%} likely ({r.match_weight:.1f} bits)"
        for r in tree.itertuples()
    ]
    weakest = tree.iloc[-1]
    one, two = (weakest[PAIR[0]], weakest[PAIR[1]]), (weakest[PAIR[2]], weakest[PAIR[3]])
    lines += ["", f"The weakest link, {_name(one)} and {_name(two)}:", _words(matches, one, two)]
    return "\n".join(lines)


def _compare(store: Store, records: Sequence[tuple[str, str]]) -> Matches:
    return compare_records(
        store.read("staged.people"),
        records,
        model=store.read_json(MODEL),
        pairs=store.read("link_pairs"),
    )


def _name(record: tuple[str, str]) -> str:
    return f"{record[0]}:{record[1]}"


def _words(matches: Matches, one: tuple[str, str], two: tuple[str, str]) -> str:
    steps = waterfall(
        matches, source_l=one[0], source_id_l=one[1], source_r=two[0], source_id_r=two[1]
    )
    return explain_words(steps)


def _customers(store: Store, records: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    linked = store.read("linked_records").df().set_index(["source", "source_id"])["customer_id"]
    return {record: linked[record] for record in records if record in linked.index}


def _side_by_side(store: Store, records: Sequence[tuple[str, str]], show_values: bool) -> str:
    """A line a field, a column a record; masked unless asked otherwise."""
    people = store.read("staged.people").df().set_index(["source", "source_id"])
    chosen = people.loc[list(records), SHOWN].copy()
    birth = chosen["birth_date"]
    chosen["birth_date"] = birth.astype("str").str.slice(0, 10).where(birth.notna())
    known = chosen.notna()
    text = chosen.astype("str")
    shown = (text if show_values else text.apply(mask)).where(known, "–")
    shown.index = pd.Index([_name(record) for record in records])
    return shown.T.to_string()


def _strongest_tree(pairs: pd.DataFrame) -> pd.DataFrame:
    """The strongest pairs that reach every record (a maximum spanning tree), strongest first."""
    group: dict[tuple[str, str], tuple[str, str]] = {}

    def find(record: tuple[str, str]) -> tuple[str, str]:
        while group.setdefault(record, record) != record:
            record = group[record]
        return record

    kept = []
    ordered = pairs.sort_values(["match_weight", *PAIR], ascending=[False, True, True, True, True])
    for row in ordered.itertuples():
        one = find((str(row.source_l), str(row.source_id_l)))
        two = find((str(row.source_r), str(row.source_id_r)))
        if one != two:
            group[two] = one
            kept.append(row.Index)
    return ordered.loc[kept]
