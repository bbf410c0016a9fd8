from __future__ import annotations

import pandas as pd
import pytest

from customer360.linkage.evaluate import RELATIONS, evaluate_links, kept_apart_by_relation


def frame(name: str, groups: list[str]) -> pd.DataFrame:
    ids = [str(i) for i in range(len(groups))]
    return pd.DataFrame({"source": "s", "source_id": ids, name: groups})


FAMILY = pd.DataFrame(
    [
        # Father and son of one name, twins, a wife; each has one record.
        ("f", "h", "M.", "Paul", "Roux", "1950-01-01"),
        ("s", "h", "M.", "Paul", "Roux", "1980-01-01"),
        ("t", "h", "M.", "Éric", "Roux", "1985-05-05"),
        ("u", "h", "M.", "Luc", "Roux", "1985-05-05"),
        ("w", "h", "Mme", "Anne", "Roux", "1952-01-01"),
        ("x", "i", "M.", "Paul", "Roux", "1950-01-01"),
    ],
    columns=["person_id", "household_id", "title", "first_name", "last_name", "birth_date"],
).assign(birth_date=lambda table: pd.to_datetime(table["birth_date"]))


def test_counts_by_hand():
    # Customers: {0,1,2}, {3,4}, {5}. People: {0,1}, {2,3,4}, {5}.
    linked = frame("customer_id", ["a", "a", "a", "b", "b", "c"])
    truth = frame("person_id", ["p", "p", "q", "q", "q", "r"])
    found = evaluate_links(linked, truth)
    # Found 3 + 1 pairs, true 1 + 3 pairs, right: (0,1) and (3,4).
    assert found["pairs_found"] == 4
    assert found["pairs_true"] == 4
    assert found["pairs_right"] == 2
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(0.5)
    assert found["customers"] == found["people"] == 3
    assert found["customers_mixed"] == 1


def test_merges_inside_a_household_are_told_apart():
    linked = frame("customer_id", ["a", "a", "b", "b"])
    truth = frame("person_id", ["p", "q", "r", "t"])
    people = FAMILY.head(4).assign(
        person_id=["p", "q", "r", "t"], household_id=["h", "h", "i", "j"]
    )
    found = evaluate_links(linked, truth, true_people=people)
    assert found["customers_mixed"] == 2
    assert found["customers_mixed_household"] == 1
    assert found["household_merge_rate"] == 0.5


def test_records_without_truth_do_not_count():
    linked = frame("customer_id", ["a", "a", "a"])
    truth = frame("person_id", ["p", "p"])
    assert evaluate_links(linked, truth)["pairs_found"] == 1


def test_nothing_to_find_and_nothing_found():
    linked = frame("customer_id", ["a", "b"])
    truth = frame("person_id", ["p", "q"])
    found = evaluate_links(linked, truth)
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, 1.0, 1.0)


def test_relatives_who_could_be_taken_for_each_other():
    truth = frame("person_id", list("fstuwx"))
    apart = kept_apart_by_relation(
        frame("customer_id", list("abcdea")), truth, true_people=FAMILY
    ).set_index("relation")
    assert apart.index.tolist() == list(RELATIONS)
    # Twins t-u; f-s; f and each twin; s-t, s-u, w with four.
    assert apart["people_pairs"].tolist()[:4] == [1, 1, 2, 6]
    assert apart["mixed"].tolist() == [0, 0, 0, 0, 1]
    found = evaluate_links(frame("customer_id", list("aabbcd")), truth, true_people=FAMILY)
    assert found["kin_pairs"] == 4
    assert found["kin_kept_apart"] == 0.5
    assert found["twins_kept_apart"] == 0.0
    alone = evaluate_links(
        frame("customer_id", ["a"]), frame("person_id", ["x"]), true_people=FAMILY
    )
    assert (alone["kin_pairs"], alone["kin_kept_apart"], alone["twins_kept_apart"]) == (0, 1, 1)


def test_recall_of_what_anybody_could_link():
    linked = frame("customer_id", ["a", "a", "b", "b", "c"])
    truth = frame("person_id", ["p", "p", "p", "p", "p"])
    # Three records in one group, one alone, one that cannot be told from somebody else's.
    reach = frame("linkable_group", [0, 0, 0, 1, None])
    found = evaluate_links(linked, truth, linkable=reach)
    assert found["pairs_linkable"] == 3
    assert found["recall_of_linkable"] == pytest.approx(1 / 3)
    nothing = evaluate_links(linked, truth, linkable=reach.assign(linkable_group=range(5)))
    assert nothing["recall_of_linkable"] == 1.0
