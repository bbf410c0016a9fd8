from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.retention_evaluation import judge_retention, true_value_lost

DAY = date(2025, 12, 31)
PEOPLE = ["P1", "P2", "P3", "P4"]
EXPECTED = pd.DataFrame(
    {
        "person_id": PEOPLE,
        "as_of": DAY,
        "horizon": 365.25,
        "alive": [True, True, False, False],
        "expected_margin": [60.0, 99.0, 0.0, 0.0],
    }
)
WHO = pd.DataFrame(
    {
        "person_id": PEOPLE,
        "purchase_rate": [10.0, 10.0, 5.0, 50.0],
        "left_on": [None, None, date(2025, 11, 1), date(2024, 1, 1)],
    }
)
TRAITS = pd.DataFrame({"person_id": PEOPLE, "margin_per_order": 10.0})


@pytest.fixture
def lost():
    return true_value_lost(expectations=EXPECTED, true_people=WHO, traits=TRAITS, as_of=DAY)


def test_what_is_gone_for_long_is_not_lost_again(lost):
    assert lost.set_index("person_id")["ahead"].to_dict() == {"P1": 40, "P2": 1, "P3": 0, "P4": 0}
    assert lost.set_index("person_id")["recent"].to_dict() == {"P1": 0, "P2": 0, "P3": 50, "P4": 0}


def test_lists_of_equal_length_are_held_side_by_side(lost, monkeypatch):
    monkeypatch.setattr("customer360.retention_evaluation.LIST_SHARE", 0.5)
    customers = ["a", "b", "c", "d"]
    judged = judge_retention(
        pd.DataFrame({"customer_id": ["c", "a"]}),
        churn=pd.DataFrame({"customer_id": customers, "churn_probability": [0.2, 0.3, 0.1, 0.9]}),
        values=pd.DataFrame({"customer_id": customers, "clv": [9.0, 8.0, 1.0, 1.0]}),
        lost=lost,
        orders=pd.DataFrame(
            {"customer_id": customers, "source": "till", "source_id": ["1", "2", "3", "4"]}
        ),
        people_links=pd.DataFrame(
            {"source": "till", "source_id": ["1", "2", "3", "4"], "person_id": PEOPLE}
        ),
    )
    # By churn score d and b: 0 + 1; by value a and b: 40 + 1; the best two: 50 + 40.
    assert judged == {
        "retention_value_ratio": pytest.approx(90 / 1),
        "retention_ratio_to_value_alone": pytest.approx(90 / 41),
        "retention_share_of_best": pytest.approx(1.0),
    }


def test_nothing_is_told_without_truth(lost):
    nothing = pd.DataFrame({"customer_id": []})
    judged = judge_retention(
        nothing, churn=nothing, values=nothing, lost=lost, orders=None, people_links=None
    )
    assert judged == {}
