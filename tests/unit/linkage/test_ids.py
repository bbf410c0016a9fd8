"""A customer keeps its id: told by examples, and by properties of any two runs."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.ids import keep_ids

DAY = date(2025, 6, 30)


def grouped(text: str) -> pd.DataFrame:
    """`"ab c"`: records a and b are one person, c another."""
    rows = [
        ("s", record, f"g{n}", True) for n, group in enumerate(text.split()) for record in group
    ]
    return pd.DataFrame(rows, columns=CONTRACTS["linked_records"].column_names)


def run(text: str, before=None, **more):
    known, history = before if before is not None else (None, None)
    return keep_ids(grouped(text), as_of=DAY, known=known, history=history, **more)


def ids(linked: pd.DataFrame) -> dict[str, str]:
    return dict(zip(linked["source_id"], linked["customer_id"], strict=True))


def news(history: pd.DataFrame) -> set[tuple[str | None, str | None, str]]:
    last = history[history["run"] == history["run"].max()]
    known = last.astype(object).where(last.notna(), None)
    return set(known[["from_id", "to_id", "why"]].itertuples(index=False, name=None))


def test_without_a_past_everybody_is_new_and_the_contracts_hold():
    linked, history = run("ab c")
    assert history["why"].tolist() == ["new", "new"] and set(history["as_of"]) == {DAY}
    assert linked["customer_id"].str.fullmatch("c[0-9a-f]{12}").all()
    for name, frame in (("linked_records", linked), ("id_history", history)):
        schema = arrow_schema(CONTRACTS[name])
        validate_batch(
            CONTRACTS[name], pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        )


def test_nothing_changed_nothing_written():
    first = run("ab c")
    again = run("ab c", first)
    pd.testing.assert_frame_equal(again[0], first[0])
    pd.testing.assert_frame_equal(again[1], first[1])


def test_a_new_record_joins_and_an_older_record_does_not_rename():
    first = run("bc d")
    linked, history = run("abc d", first)
    assert ids(linked)["a"] == ids(linked)["b"] == ids(first[0])["b"]
    assert len(history) == len(first[1])


def test_a_merge_keeps_the_id_of_the_larger_then_of_the_older():
    first = run("a bc")
    linked, history = run("abc", first)
    before = ids(first[0])
    assert set(linked["customer_id"]) == {before["b"]}
    assert news(history) == {(before["a"], before["b"], "merged")}
    older = run("z")
    younger = run("z a", older)
    assert set(run("za", younger)[0]["customer_id"]) == {ids(older[0])["z"]}


def test_a_split_leaves_the_id_with_the_largest_part():
    first = run("abc")
    linked, history = run("a bc", first)
    kept = ids(first[0])["a"]
    # The fresh id would derive from record a, as the old one did: it must not be that.
    assert ids(linked)["b"] == kept != ids(linked)["a"]
    assert news(history) == {(kept, ids(linked)["a"], "split")}


def test_gone_and_never_given_anew():
    first = run("a b")
    second = run("b", first)
    assert news(second[1]) == {(ids(first[0])["a"], None, "gone")}
    back, _ = run("a b", second)
    assert ids(back)["a"] not in set(first[0]["customer_id"])


def test_what_a_person_asked_for_is_told():
    first = run("ab c d")
    decided = pd.DataFrame(
        [("s", "a", "s", "b", "different", "unlinked"), ("s", "c", "s", "d", "same", "labelled")],
        columns=["source_l", "source_id_l", "source_r", "source_id_r", "verdict", "reason"],
    )
    _, history = run("a b cd", first, decided=decided)
    assert {why for *_, why in news(history)} == {"unlinked", "labelled"}


RECORDS = "abcdefgh"
partitions = st.dictionaries(st.sampled_from(RECORDS), st.integers(0, 4), min_size=1)


def table(groups: dict[str, int]) -> pd.DataFrame:
    rows = [("s", record, f"g{group}", True) for record, group in groups.items()]
    return pd.DataFrame(rows, columns=CONTRACTS["linked_records"].column_names)


def members(linked: pd.DataFrame) -> dict[str, frozenset[str]]:
    return linked.groupby("customer_id")["source_id"].agg(frozenset).to_dict()


@settings(max_examples=20, deadline=None)
@given(st.lists(partitions, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_ids_over_several_runs(runs, random):
    known = history = None
    everyone: dict[str, set[str]] = {}
    for groups in runs:
        linked, written = keep_ids(table(groups), as_of=DAY, known=known, history=history)
        shuffled = table(groups).sample(frac=1, random_state=random.randrange(1000))
        turned = None if known is None else known[::-1]
        again = keep_ids(shuffled, as_of=DAY, known=turned, history=history)
        # The order of rows does not matter, and one group has one id.
        pd.testing.assert_frame_equal(again[0], linked)
        pd.testing.assert_frame_equal(again[1], written)
        now = members(linked)
        assert set(now.values()) == set(members(table(groups)).values())
        before = {} if known is None else members(known)
        for customer, records in now.items():
            # An id seen before goes on only with a record it already had.
            if customer in everyone:
                assert customer in before and before[customer] & records
        for customer, records in before.items():
            touched = {c for c, held in now.items() if held & records}
            if len(touched) == 1:
                (after,) = touched
                others = [c for c, held in before.items() if held & now[after] and c != customer]
                assert after == customer or others, "an untouched customer lost its id"
            last = written[written["run"] == written["run"].max()]
            if customer not in now:
                assert customer in set(last["from_id"]), "an id vanished without a word"
        everyone |= {c: set(r) for c, r in now.items()}
        assert not written.duplicated(["run", "from_id", "to_id"]).any()
        known, history = linked, written


@pytest.mark.parametrize("text", ["", "ab"])
def test_people_may_all_come_or_go(text):
    nobody = grouped("")
    linked, history = keep_ids(nobody, as_of=DAY, known=run("ab")[0] if text else None)
    assert linked.empty and len(history) == (1 if text else 0)
