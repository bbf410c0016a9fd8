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

__all__ = ["CHOSEN", "NONE", "Choices"]

CHOSEN = sorted(field for rule in FIELD_RULES for field in rule.fields)
NONE = int(np.iinfo(np.int32).min)  # no record; records count up from 0, stops down from -1


class Choices:
    """One entry per field of `CHOSEN` (rows) and customer (columns).

    Parameters
    ----------
    customers : int
        How many there are; they go by number.

    Attributes
    ----------
    texts : dict
        Field to its values by customer, once `read` has looked them up.
    """

    def __init__(self, customers: int) -> None:
        shape = (len(CHOSEN), customers)
        self.texts: dict[str, pa.Array] = {}
        self._best = np.full(shape, NONE, np.int32)
        self._runner_up = np.full(shape, NONE, np.int32)
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
            One row per customer, a number, in order; what else of best, runner_up (records,
            or `NONE`), rule, candidates, completed and text it has replaces what was there.
        """
        customer = chosen["customer"].to_numpy()
        for field in fields:
            entry = CHOSEN.index(field)
            for name in set(chosen.column_names) - {"customer", "rule", "text"}:
                getattr(self, f"_{name}")[entry, customer] = chosen[name].to_numpy()
            self._rule[entry, customer] = self._numbers(chosen["rule"])
            if "text" in chosen.column_names:
                here = np.zeros(self._best.shape[1], bool)
                here[customer] = True
                text = chosen["text"].combine_chunks()
                self.texts[field] = pc.replace_with_mask(self.texts[field], pa.array(here), text)

    def _numbers(self, rules: pa.ChunkedArray) -> np.ndarray:
        words = rules.combine_chunks().dictionary_encode()
        known = [self._rules.setdefault(w, len(self._rules)) for w in words.dictionary.to_pylist()]
        return np.array(known, np.int8)[words.indices.to_numpy()]

    def best(self, field: str) -> pa.Table:
        """Columns customer and record of those who have a choice."""
        record = self._best[CHOSEN.index(field)]
        customer = np.flatnonzero(record != NONE)
        return pa.table({"customer": customer, "record": record[customer]})

    def read(self, records: pa.Table) -> None:
        """Look up the values of what was chosen.

        Parameters
        ----------
        records : pyarrow.Table
            By number, record: source, source_id, updated_at and `CHOSEN`.
        """
        number = records["record"].to_numpy()
        # Those below 0 stand at the end, where NumPy looks for them.
        self._rows = np.zeros(number.max(initial=0) - number.min(initial=0) + 1, np.int32)
        self._rows[number] = np.arange(len(number), dtype=np.int32)
        self._records = records.combine_chunks()
        self.texts = {
            field: self._look_up(field, self._best[entry]) for entry, field in enumerate(CHOSEN)
        }

    def _look_up(self, column: str, record: np.ndarray) -> pa.Array:
        none = record == NONE
        rows = pa.array(self._rows[np.where(none, 0, record)], mask=none)
        return self._records[column].combine_chunks().take(rows)

    def draft(self) -> pa.Table:
        """One row per customer: customer, what was chosen, and the votes of its names."""
        votes = {
            f"{name}_vote": self._look_up(f"{name}_vote", self._best[CHOSEN.index(f"{name}_name")])
            for name in ("first", "last")
        }
        return pa.table({"customer": np.arange(self._best.shape[1])} | self.texts | votes)

    def golden(self) -> pa.Table:
        """One row per customer: the fields of a person, in the order of the contract."""
        columns = [column.name for column in CONTRACTS["customers"].columns]
        return pa.table({name: self.texts[name] for name in columns if name in CHOSEN})

    def provenance(self, customer_ids: pa.ChunkedArray) -> pa.Table:
        """Contract `golden_provenance`: one row per customer and field that has a value."""
        filled = np.stack([self.texts[field].is_valid().to_numpy(False) for field in CHOSEN])
        customer, entry = np.nonzero(filled.T)
        at = entry * filled.shape[1] + customer
        best, second = self._best.ravel()[at], self._runner_up.ravel()[at]
        seconds = [self._look_up(field, self._runner_up[i]) for i, field in enumerate(CHOSEN)]
        return pa.table(
            {
                "customer_id": customer_ids.take(pa.array(customer)),
                "field": pa.array(CHOSEN).take(pa.array(entry)),
                "value": _words(self.texts[field] for field in CHOSEN).take(pa.array(at)),
                "source": self._look_up("source", best),
                "source_id": self._look_up("source_id", best),
                "updated_at": self._look_up("updated_at", best),
                "rule": pa.array(list(self._rules), pa.string()).take(
                    pa.array(self._rule.ravel()[at])
                ),
                "candidates": self._candidates.ravel()[at].astype(np.int64),
                "completed": self._completed.ravel()[at],
                "runner_up": _words(seconds).take(pa.array(at)),
                "runner_up_source": self._look_up("source", second),
                "runner_up_at": self._look_up("updated_at", second),
            }
        )


def _words(columns: Iterable[pa.Array]) -> pa.Array:
    return pa.concat_arrays([column.cast(pa.string()) for column in columns])
