"""What was chosen for each customer and field, and the two tables that tell it.

Choices are kept as numbers of records: they take a fraction of the room and time of texts,
which are looked up once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS
from customer360.linkage.golden_rules import FIELD_RULES

__all__ = ["CHOSEN", "Choices"]

CHOSEN = sorted(field for rule in FIELD_RULES for field in rule.fields)


class Choices:
    """One entry per customer and field of `CHOSEN`.

    Parameters
    ----------
    customers : int
        How many there are; they go by number.
    known : pyarrow.Table
        Columns record (a number), source, source_id, updated_at, those of `CHOSEN`, first_vote
        and last_vote.
    stops : pyarrow.Table
        Unsubscriptions, as records numbered below 0.

    Attributes
    ----------
    texts : dict
        Field to its values by customer, once `read` has looked them up.
    """

    def __init__(self, customers: int, known: pa.Table, stops: pa.Table) -> None:
        shape = (customers, len(CHOSEN))
        self.texts: dict[str, pa.Array] = {}
        records = [known, stops] if len(stops) else [known]
        self._records = pa.concat_tables(records, promote_options="default").combine_chunks()
        self._record = self._records["record"].to_numpy()
        # Row of each record, -1 for none. Numbers below 0 stand at the end, where NumPy looks.
        self._none = int(self._record.max(initial=-1)) + 1
        self._rows = np.full(self._none + 1 - self._record.min(initial=0), -1, np.int32)
        self._rows[self._record] = np.arange(len(self._record), dtype=np.int32)
        self._best = np.full(shape, -1, np.int32)
        self._runner_up = np.full(shape, -1, np.int32)
        self._rule = np.zeros(shape, np.int8)
        self._candidates = np.ones(shape, np.int32)
        self._completed = np.zeros(shape, bool)
        self._rules: dict[str, int] = {}

    def put(self, fields: Iterable[str], chosen: pa.Table) -> None:
        """Enter what was chosen for some customers.

        Parameters
        ----------
        fields : iterable of str
            One of `CHOSEN`, or those that come from the same record.
        chosen : pyarrow.Table
            One row per customer, a number, in order; what else of best, runner_up (records),
            rule, candidates, completed and text it has replaces what was there.
        """
        customer = chosen["customer"].to_numpy()
        values = {name: chosen[name] for name in {*chosen.column_names} - {"customer", "text"}}
        values = {name: self._numbers(name, column) for name, column in values.items()}
        for field in fields:
            entry = CHOSEN.index(field)
            for name, value in values.items():
                getattr(self, f"_{name}")[customer, entry] = value
            if "text" in chosen.column_names:
                here = np.zeros(len(self._best), bool)
                here[customer] = True
                text = chosen["text"].combine_chunks()
                self.texts[field] = pc.replace_with_mask(self.texts[field], pa.array(here), text)

    def _numbers(self, name: str, column: pa.ChunkedArray) -> np.ndarray:
        if name in ("best", "runner_up"):
            return self._rows[column.fill_null(self._none).to_numpy()]
        if name != "rule":
            return column.to_numpy()
        words = column.combine_chunks().dictionary_encode()
        known = [self._rules.setdefault(w, len(self._rules)) for w in words.dictionary.to_pylist()]
        return np.array(known, np.int8)[words.indices.to_numpy()]

    def best(self, field: str) -> pa.Table:
        """Columns customer and record of those who have a choice."""
        rows = self._best[:, CHOSEN.index(field)]
        customer = np.flatnonzero(rows >= 0)
        return pa.table({"customer": customer, "record": self._record[rows[customer]]})

    def read(self) -> None:
        """Look up the values of what was chosen."""
        self.texts = {
            field: self._look_up(field, self._best[:, i]) for i, field in enumerate(CHOSEN)
        }

    def _look_up(self, column: str, rows: np.ndarray) -> pa.Array:
        return self._records[column].combine_chunks().take(pa.array(rows, mask=rows < 0))

    def draft(self) -> pa.Table:
        """One row per customer: customer, what was chosen, the votes of its names."""
        votes = {
            vote: self._look_up(vote, self._best[:, CHOSEN.index(field)])
            for vote, field in (("first_vote", "first_name"), ("last_vote", "last_name"))
        }
        somewhere = self._best[:, CHOSEN.index("street")] >= 0
        customer = np.arange(len(somewhere))
        return pa.table({"customer": customer, "has_address": somewhere} | self.texts | votes)

    def golden(self, customers: pa.Table) -> pa.Table:
        """One row per customer: the id, the fields of a person, the other columns given."""
        columns = [column.name for column in CONTRACTS["customers"].columns]
        person = {name: self.texts[name] for name in columns if name in self.texts}
        given = {name: customers[name] for name in customers.column_names}
        return pa.table({"customer_id": customers["customer_id"]} | person | given)

    def provenance(self, customer_ids: pa.ChunkedArray) -> pa.Table:
        """Contract `golden_provenance`: one row per customer and field that has a value."""
        filled = np.column_stack([self.texts[field].is_valid() for field in CHOSEN])
        fields = np.arange(len(CHOSEN), dtype=np.int8)
        customer = np.repeat(np.arange(len(filled), dtype=np.int32), filled.sum(axis=1))
        field = np.broadcast_to(fields, filled.shape)[filled]
        best, second = self._best[filled], self._runner_up[filled]
        at = pa.array(field * np.int32(len(filled)) + customer)
        values = _words(self.texts[field] for field in CHOSEN).take(at)
        seconds = _words(self._look_up(f, self._runner_up[:, i]) for i, f in enumerate(CHOSEN))
        seconds = seconds.take(at)
        # The largest table of all needs the room of what was looked up by now.
        self._records = self._records.select(["source", "source_id", "updated_at"])
        return pa.table(
            {
                "customer_id": customer_ids.combine_chunks().take(pa.array(customer)),
                "field": pa.array(CHOSEN).take(pa.array(field)),
                "value": values,
                "source": self._look_up("source", best),
                "source_id": self._look_up("source_id", best),
                "updated_at": self._look_up("updated_at", best),
                "rule": pa.array(self._rules, pa.string()).take(pa.array(self._rule[filled])),
                "candidates": self._candidates[filled].astype(np.int64),
                "completed": self._completed[filled],
                "runner_up": seconds,
                "runner_up_source": self._look_up("source", second),
                "runner_up_at": self._look_up("updated_at", second),
            }
        )


def _words(columns: Iterable[pa.Array]) -> pa.Array:
    return pa.concat_arrays([column.cast(pa.string()) for column in columns])
