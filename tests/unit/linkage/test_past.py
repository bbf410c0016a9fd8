from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.linkage.blocking import LARGEST_BLOCK_RECORDS
from customer360.linkage.engine_tables import in_key_order, in_parts
from customer360.linkage.past import Past, number_records, shared_keys


def contract(name: str, rows: list[dict]) -> pa.Table:
    schema = arrow_schema(CONTRACTS[name])
    return pa.table({c: [row.get(c) for row in rows] for c in schema.names}, schema=schema)


def keys(letters: str) -> list[dict]:
    return [{"source": "s", "source_id": letter} for letter in letters]


def numbered(today: str, *, changed: str = "") -> tuple[Past, list[tuple]]:
    """Known: records b, d, f and h; b and d are one customer, f and h; pairs b-d, d-f, f-h."""
    known = [row | {"fingerprint": ord(row["source_id"])} for row in keys("bdfh")]
    linked = [row | {"customer_id": id, "has_person_record": True}
              for row, id in zip(keys("bdfh"), ["c1", "c1", "c2", "c2"], strict=True)]  # fmt: skip
    pairs = [{"source_l": "s", "source_id_l": one, "source_r": "s", "source_id_r": other,
              "match_probability": 0.9, "field_probability": 0.8}
             for one, other in ("bd", "df", "fh")]  # fmt: skip
    people = pa.table({"source": ["s"] * len(today), "source_id": list(today),
                       "print": [0 if c in changed else ord(c) for c in today]})  # fmt: skip
    with duckdb.connect() as connection:
        past, fresh = number_records(
            connection,
            people,
            fingerprint="print",
            # In any order.
            records=contract("compared_records", known[::-1]),
            linked=contract("linked_records", linked),
            pairs=contract("link_pairs", pairs),
        )
        new = connection.execute("select source_id, record from fresh order by 1").fetchall()
    assert sorted(fresh["source_id"].to_pylist()) == [key for key, _ in new]
    return past, new


def test_records_are_numbered_by_key_whoever_is_new():
    past, new = numbered("ibadhfe")
    order = dict(zip("bdfh", past.number.tolist(), strict=True)) | dict(new)
    assert sorted(order, key=order.get) == list("abdefhi")
    assert len(set(order.values())) == 7
    assert past.stands.all() and not past.is_lost.any() and not past.left_behind.any()


@pytest.mark.parametrize(("today", "changed"), [("bfh", ""), ("bdfh", "d")])
def test_who_fitted_a_lost_or_changed_record_is_left_behind(today, changed):
    past, new = numbered(today, changed=changed)
    assert [key for key, _ in new] == list(changed)
    assert past.is_lost.tolist() == [False, True, False, False]
    assert past.stands.tolist() == [False, False, True]
    assert past.left_behind.tolist() == [True, False, True, False]
    # All of the customer of the lost one, and of those asked for.
    nobody = np.zeros(4, dtype=bool)
    assert past.with_mates(nobody).tolist() == [True, False, False, False]
    assert past.with_mates(past.left_behind).tolist() == [True, False, True, True]


def test_pairs_are_followed_as_far_as_asked():
    past, _ = numbered("bdfh")
    only_b = np.array([True, False, False, False])
    reached = [past.pairs_of(only_b, steps=steps).tolist() for steps in (1, 2, 3)]
    assert reached == [[True, False, False], [True, True, False], [True, True, True]]
    pair = past.numbered_pairs(past.pairs_of(only_b)).to_pylist()
    assert pair == [{"record_l": past.number[0], "record_r": past.number[1], "place": 0,
                     "match_probability": 0.8, "was": 0.9}]  # fmt: skip


def test_records_linked_anew_take_their_place_among_the_others():
    past, new = numbered("abdfh")
    again = contract("linked_records", [row | {"customer_id": "again"} for row in keys("ab")])
    numbers = [dict(new)["a"], past.number[0]]
    linked = past.linked_with(again.append_column("record", pa.array(numbers))).to_pylist()
    assert [(row["source_id"], row["customer_id"]) for row in linked] == [
        ("a", "again"), ("b", "again"), ("d", "c1"), ("f", "c2"), ("h", "c2")]  # fmt: skip
    assert all(row["has_person_record"] for row in linked)


def test_keys_shared_with_a_new_record():
    some, other = np.uint64(5), np.uint64(6)
    crowd = np.full(LARGEST_BLOCK_RECORDS, 9, dtype=np.uint64)
    old = [np.concatenate([[some, 0, 7], crowd]), np.concatenate([[other, some, 0], crowd])]
    new = [np.array([some, 9, 0], dtype=np.uint64), np.array([0, some, some], dtype=np.uint64)]
    numbers = np.arange(1, len(old[0]) + 1), np.array([901, 902, 903])
    found = shared_keys(old, new, numbers=numbers).to_pylist()
    groups: dict[int, set[int]] = {}
    for row in found:
        groups.setdefault(row["key"], set()).add(row["record"])
        assert row["is_new"] == (row["record"] > 900)
    # One key of each rule; too many share the 9, and nobody the empty one.
    assert list(groups.values()) == [{1, 901}, {2, 902, 903}]
    gone = numbers[0] * (numbers[0] != 1)
    assert 1 not in shared_keys(old, new, numbers=(gone, numbers[1]))["record"].to_pylist()


def test_tables_in_key_order_and_in_parts():
    table = contract("linked_records", [*keys("ba"), {"source": "r", "source_id": "z"}])
    ordered = in_key_order(table)
    assert ordered["source_id"].to_pylist() == ["z", "a", "b"]
    assert in_key_order(ordered) is ordered
    assert in_key_order(table[:0]).num_rows == 0
    parts = in_parts(table, rows=2)
    assert parts.equals(table) and parts["source"].num_chunks == 2
