"""What stands of the last run, in numbers.

Of many records known, few have to do with the new ones. Texts are read once; which records and
pairs these are is told by numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.linkage.blocking import LARGEST_BLOCK_RECORDS
from customer360.linkage.engine_tables import as_contract, in_key_order, in_parts

__all__ = ["Past", "number_records", "shared_keys"]

KEY = ["source", "source_id"]
# A rival is one step away from a record, who else it may be two, and what these fit three.
STEPS = 3


@dataclass(frozen=True)
class Past:
    """Records, pairs and customers of the last run.

    Attributes
    ----------
    records, linked, pairs : pyarrow.Table
        Contracts `compared_records` (sorted by key), `linked_records` and `link_pairs`.
    number : numpy.ndarray
        Of each record among those of today; 0 where it is lost or no longer what it was.
    owner : numpy.ndarray
        Row of each record in `linked`, -1 for none.
    customer : numpy.ndarray
        A number for the customer of each row of `linked`.
    left, right : numpy.ndarray
        Rows in `records` of the two records of each pair, -1 for none.
    """

    records: pa.Table
    linked: pa.Table
    pairs: pa.Table
    number: np.ndarray
    owner: np.ndarray
    customer: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @cached_property
    def is_lost(self) -> np.ndarray:
        """Records that are lost, or no longer what they were."""
        return self.number == 0

    @cached_property
    def stands(self) -> np.ndarray:
        """Pairs of which both records are what they were."""
        known = (self.left >= 0) & (self.right >= 0)
        return known & ~(self.is_lost[self.left] | self.is_lost[self.right])

    @cached_property
    def left_behind(self) -> np.ndarray:
        """Records that fitted a lost one, and may have lost a rival."""
        found = np.zeros(len(self.number), dtype=bool)
        for one, other in ((self.left, self.right), (self.right, self.left)):
            found[one[(one >= 0) & (other >= 0) & self.is_lost[other]]] = True
        return found & ~self.is_lost

    def with_mates(self, records: np.ndarray) -> np.ndarray:
        """All records of the customers of these records and of lost ones."""
        owned, mine = self.owner >= 0, self.customer[self.owner]
        about = pd.Index(mine).isin(mine[owned & (records | self.is_lost)])
        return owned & about & ~self.is_lost

    def pairs_of(self, records: np.ndarray, *, steps: int = 1) -> np.ndarray:
        """Pairs that stand and hold one of these records, or one fewer steps than these away."""
        reached = records.copy()
        for step in range(steps):
            found = self.stands & (reached[self.left] | reached[self.right])
            if step < steps - 1:
                reached[self.left[found]] = reached[self.right[found]] = True
        return found

    def numbered_pairs(self, chosen: np.ndarray) -> pa.Table:
        """Columns record_l, record_r, place (row in `pairs`), match_probability, was."""
        places = np.flatnonzero(chosen)
        columns = {
            "record_l": self.number[self.left[places]],
            "record_r": self.number[self.right[places]],
            "place": places,
            "match_probability": self.pairs["field_probability"].to_numpy()[places],
            "was": self.pairs["match_probability"].to_numpy()[places],
        }
        return pa.table(columns)

    def customers(self, records: np.ndarray) -> pa.ChunkedArray:
        """customer_id of each of these records."""
        return self.linked["customer_id"].take(pa.array(self.owner[records]))

    def linked_with(self, again: pa.Table) -> pa.Table:
        """Contract `linked_records`, by key: records linked anew, all others as they were.

        Parameters
        ----------
        again : pyarrow.Table
            Columns source, source_id, customer_id and record.
        """
        linked = self.linked.select([*KEY, "customer_id"])
        records = again["record"].to_numpy()
        stays = (self.owner >= 0) & ~self.is_lost & ~np.isin(self.number, records)
        order = np.argsort(np.concatenate([self.number[stays], records]), kind="stable")
        rows = np.concatenate([self.owner[stays], linked.num_rows + np.arange(len(records))])
        both = pa.concat_tables([linked, again.select(linked.column_names).cast(linked.schema)])
        people = both.take(pa.array(rows[order]))
        return people.append_column("has_person_record", pa.array(np.ones(len(rows), dtype=bool)))


def number_records(
    connection: Any, people: pa.Table, *, fingerprint: str, records: Any, linked: Any, pairs: Any
) -> tuple[Past, pa.Table]:
    """Number the records of today by key.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Gets table `fresh`: source, source_id and record (its number) of each new one.
    people : pyarrow.Table
        Contract `staged.people`.
    fingerprint : str
        SQL of what changes when a record does.
    records, linked, pairs : frame
        As in `incremental.Known`.

    Returns
    -------
    past : Past
    fresh : pyarrow.Table
        Contract `staged.people`: new and changed records.
    """
    tables = {
        "people_today": people,
        "known_records": in_key_order(as_contract(records, "compared_records")),
        "known_linked": as_contract(linked, "linked_records"),
        "known_pairs": as_contract(pairs, "link_pairs"),
    }
    for name, table in tables.items():
        connection.register(name, in_parts(table))

    def read(table: str, **columns: str) -> dict[str, np.ndarray]:
        asked = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
        return connection.execute(f"select {asked} from {table}").fetchnumpy()

    key = "hash(source::varchar, source_id::varchar)"
    today = read("people_today", print=f"hash({key}, {fingerprint})")["print"]
    known = read("known_records", key=key, print=f"hash({key}, fingerprint)")
    owners = read("known_linked", key=key, customer="hash(customer_id)")
    ends = read("known_pairs", l="hash(source_l, source_id_l)", r="hash(source_r, source_id_r)")

    lost = ~pd.Index(known["print"]).isin(today)
    fresh_people = people.filter(pa.array(~pd.Index(today).isin(known["print"])))
    connection.register("fresh_people", fresh_people)
    fresh = connection.sql(
        """select distinct source::varchar as source, source_id::varchar as source_id
        from fresh_people order by source, source_id"""
    ).to_arrow_table()
    # Both are sorted: a new record comes before the first old one of a later key.
    before = np.searchsorted(_names(tables["known_records"]), _names(fresh))
    inserted = np.cumsum(np.bincount(before, minlength=len(lost) + 1))[:-1]
    number = np.where(lost, 0, np.arange(1, len(lost) + 1) + inserted)
    connection.register(
        "fresh",
        fresh.append_column("record", pa.array(before + np.arange(1, len(before) + 1))),
    )
    place = pd.Index(known["key"])
    past = Past(
        records=tables["known_records"],
        linked=tables["known_linked"],
        pairs=tables["known_pairs"],
        number=number,
        owner=pd.Index(owners["key"]).get_indexer(known["key"]),
        customer=owners["customer"],
        left=place.get_indexer(ends["l"]),
        right=place.get_indexer(ends["r"]),
    )
    return past, fresh_people


def _names(records: pa.Table) -> np.ndarray:
    """Both parts of the key in one text, in the order of the keys."""
    joined = pc.binary_join_element_wise(records["source"], records["source_id"], "\x1f")
    return joined.to_numpy(zero_copy_only=False)


def shared_keys(
    old: Sequence[np.ndarray], new: Sequence[np.ndarray], *, numbers: tuple[np.ndarray, np.ndarray]
) -> pa.Table:
    """Old and new records that share a key with a new one.

    Parameters
    ----------
    old, new : sequence of numpy.ndarray
        Keys of the records by each rule; 0 for none.
    numbers : pair of numpy.ndarray
        Of the old records, 0 for those to leave out, and of the new ones.

    Returns
    -------
    pyarrow.Table
        Columns record, key (a number that only these records share) and is_new.
    """
    found = []
    keys = 0
    for known, fresh in zip(old, new, strict=True):
        values = pd.Index(np.unique(fresh[fresh > 0]))
        sides = [
            np.where(records > 0, values.get_indexer(key), -1)
            for key, records in zip((known, fresh), numbers, strict=True)
        ]
        all_of_them = np.concatenate(sides)
        counts = np.bincount(all_of_them[all_of_them >= 0], minlength=len(values))
        # A value of too many records says nothing, as in a full run.
        tells = np.append((counts >= 2) & (counts <= LARGEST_BLOCK_RECORDS), False)
        for of_new, (at, records) in enumerate(zip(sides, numbers, strict=True)):
            rows = np.flatnonzero(tells[at])
            found.append((records[rows], at[rows] + keys, np.full(len(rows), bool(of_new))))
        keys += len(values)
    record, key, is_new = (np.concatenate(column) for column in zip(*found, strict=True))
    return pa.table({"record": record, "key": key, "is_new": is_new})
