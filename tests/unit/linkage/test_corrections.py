from __future__ import annotations

import pandas as pd
import pytest

from customer360.linkage.corrections import (
    DECISION_COLUMNS,
    apply_decisions,
    measure_labels,
    read_decisions,
    unlink,
    wilson_interval,
)
from customer360.linkage.records import LinkageError


def decisions(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame([("s", a, "s", b, v) for a, b, v in rows], columns=DECISION_COLUMNS)


def linked(text: str) -> pd.DataFrame:
    rows = [
        ("s", record, f"c{n}", True) for n, group in enumerate(text.split()) for record in group
    ]
    columns = ["source", "source_id", "customer_id", "has_person_record"]
    return pd.DataFrame(rows, columns=columns).sort_values("source_id", ignore_index=True)


def pairs(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame([("s", a, "s", b, w) for a, b, w in rows],
                         columns=[*DECISION_COLUMNS[:4], "match_weight"])  # fmt: skip
    return frame.assign(match_probability=1 / (1 + 2.0 ** -frame["match_weight"]))


def groups(frame: pd.DataFrame) -> set[str]:
    return set(frame.groupby("customer_id")["source_id"].agg("".join))


def regroup(text: str, links: pd.DataFrame, *rows: tuple[str, str, str]) -> set[str]:
    found, _ = apply_decisions(
        linked(text), pairs=links, decided=read_decisions(labels=decisions(*rows)), threshold=0.95
    )
    return groups(found)


def test_no_file_no_decision():
    assert read_decisions().empty
    assert list(read_decisions().columns) == [*DECISION_COLUMNS, "reason"]


def test_pairs_are_put_in_order_and_undecided_ones_left_out():
    table = decisions(("b", "a", " Same "), ("c", "a", ""), ("a", "d", "DIFFERENT"))
    table.loc[len(table)] = ["s", "x", "s", "y", None]
    found = read_decisions(labels=table.assign(note="seen by Anne"))
    assert found[["source_id_l", "source_id_r", "verdict"]].to_numpy().tolist() == [
        ["a", "b", "same"],
        ["a", "d", "different"],
    ]
    assert set(found["reason"]) == {"labelled"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (decisions().drop(columns="verdict"), "labels.csv has no column verdict"),
        (decisions(("a", "b", "perhaps")), "verdict: 1 of 1 rows hold neither"),
        (decisions(("", "b", "same"), ("c", "d", "same")), "source_id_l: empty in 1 of 2"),
        (decisions(("a", "a", "same")), "1 of 1 rows name one record twice"),
        (decisions(("a", "b", "same"), ("b", "a", "different")), "2 rows say both"),
    ],
)
def test_a_wrong_file_is_told_with_its_rows(table, words):
    with pytest.raises(LinkageError, match=words):
        read_decisions(labels=table)


def test_the_two_files_may_not_contradict_each_other():
    with pytest.raises(LinkageError, match=r"corrections.csv and data/raw/labels.csv"):
        read_decisions(
            labels=decisions(("a", "b", "same")), corrections=decisions(("a", "b", "different"))
        )


CHAIN = pairs(("a", "b", 20), ("b", "c", 10), ("c", "d", 15))


def test_records_said_different_part_at_the_weakest_link():
    assert regroup("abcd e", CHAIN, ("a", "d", "different")) == {"ab", "cd", "e"}


def test_records_said_the_same_are_put_together():
    assert regroup("abcd e g", CHAIN, ("g", "e", "same")) == {"abcd", "eg"}


def test_others_stay_as_they_were_and_unknown_records_do_nothing():
    found, unknown = apply_decisions(
        linked("abcd e"),
        pairs=CHAIN,
        decided=read_decisions(labels=decisions(("e", "gone", "same"))),
        threshold=0.95,
    )
    assert unknown == 1 and groups(found) == {"abcd", "e"}


def test_contradiction_through_others_is_told():
    with pytest.raises(LinkageError, match="contradicts itself"):
        regroup("a b c", CHAIN, ("a", "b", "same"), ("b", "c", "same"), ("a", "c", "different"))


def test_unlink_says_each_named_record_different_from_each_other_one():
    rows = unlink(linked("abcd e"), customer_id="c0", records=[("s", "d"), ("s", "c")])
    told = {(r.source_id_l, r.source_id_r) for r in rows.itertuples()}
    assert told == {("a", "c"), ("b", "c"), ("a", "d"), ("b", "d")}
    apart, _ = apply_decisions(
        linked("abcd e"), pairs=CHAIN, decided=read_decisions(corrections=rows), threshold=0.95
    )
    assert groups(apart) == {"ab", "cd", "e"}


@pytest.mark.parametrize(
    ("customer", "records", "words"),
    [
        ("c9", ["a"], "no customer is called c9"),
        ("c0", ["e"], "s:e is not a record of c0"),
        ("c0", list("abcd"), "leave at least one"),
    ],
)
def test_unlink_refuses_what_makes_no_sense(customer, records, words):
    with pytest.raises(LinkageError, match=words):
        unlink(linked("abcd e"), customer_id=customer, records=[("s", r) for r in records])


def test_labels_measure_what_was_found_without_them():
    labels = decisions(("a", "b", "same"), ("a", "e", "same"), ("c", "d", "different"))
    found = measure_labels(read_decisions(labels=labels), linked("abcd e"))
    assert found["labelled_pairs"] == 3
    assert found["labelled_precision"] == found["labelled_recall"] == 0.5
    assert found["labelled_precision_low"] < 0.5 < found["labelled_precision_high"]
    assert measure_labels(read_decisions(), linked("a")) == {"labelled_pairs": 0.0}


def test_wilson_interval_as_published():
    # Brown, Cai and DasGupta (2001): no success in ten trials.
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
