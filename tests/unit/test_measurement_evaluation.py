"""Promises of read-outs, checked where the truth is known."""

import numpy as np
import pandas as pd
import pytest

from customer360.measurement_evaluation import (
    interval_coverage,
    judged_customers,
    peeking_errors,
    sample_ratio_rates,
)


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(0)
    number = 6_000
    buys = rng.random(number) < 0.15
    return pd.DataFrame(
        {
            "margin": buys * rng.gamma(1.5, 30, number),
            "before": rng.gamma(0.5, 200, number),
            "margin_per_order": rng.gamma(9, 4.5, number),
            "effect_none_email": rng.normal(0.02, 0.05, number),
        }
    )


def test_intervals_hold_the_truth_as_often_as_they_say(customers):
    found = interval_coverage(customers, campaigns=300)
    assert 0.92 <= found["covered"].mean() <= 0.99
    assert (found["message"] == "none_email").all()
    wrong = interval_coverage(customers.assign(effect_none_email=0.5), campaigns=20)
    assert (wrong["incremental"] > 0).all()


def test_peeking_costs_the_usual_interval_its_promise(customers):
    found = peeking_errors(customers["margin"].to_numpy(), tests=300)
    assert found["always_valid"] <= 0.05
    assert found["fixed_peeking"] > 0.15


def test_lost_people_are_noticed():
    found = sample_ratio_rates(cases=400)
    assert found["detection"] >= 0.99
    assert found["false_alarm"] <= 0.015
    assert sample_ratio_rates(cases=200, lost=(0.0, 0.001))["detection"] < 0.1


def test_judged_customers_joins_truth_by_person():
    day = pd.Timestamp("2025-06-30").date()
    orders = pd.DataFrame(
        {"source": "till", "source_id": ["1", "2", "2"], "margin": [5.0, 7.0, 3.0],
         "ordered_on": [day, pd.Timestamp("2025-05-01").date(), day]}
    )  # fmt: skip
    links = pd.DataFrame({"source": "till", "source_id": ["1", "2"], "person_id": ["P1", "P1"]})
    traits = pd.DataFrame({"person_id": ["P1", "P2"], "margin_per_order": [4.0, 6.0]})
    uplift = pd.DataFrame(
        {"person_id": ["P1", "P1", "P2", "P2"], "channel": ["email", "social"] * 2,
         "effect_none": [0.1, 0.0, 0.2, 0.0]}
    )  # fmt: skip
    found = judged_customers(orders=orders, people_links=links, traits=traits, uplift=uplift)
    assert found["margin"].tolist() == [8.0, 0.0]
    assert found["before"].tolist() == [7.0, 0.0]
    assert [c for c in found if c.startswith("effect")] == ["effect_none_email"]
