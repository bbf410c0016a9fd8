from __future__ import annotations

import pandas as pd
import pytest

from customer360.linkage.evaluate import evaluate_links


def frame(name: str, groups: list[str]) -> pd.DataFrame:
    ids = [str(i) for i in range(len(groups))]
    return pd.DataFrame({"source": "s", "source_id": ids, name: groups})


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
    people = pd.DataFrame({"person_id": ["p", "q", "r", "t"], "household_id": ["h", "h", "i", "j"]})
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
