from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.value_evaluation import judge_experience, judge_value

AS_OF = date(2024, 12, 31)
ORDERS = pd.DataFrame({"customer_id": ["a", "b", "c"], "source": "crm", "source_id": list("123")})
# Two customers are one person.
LINKS = pd.DataFrame({"source": "crm", "source_id": list("123"), "person_id": ["p", "p", "q"]})
KNOWN = {"orders": ORDERS, "people_links": LINKS}


def test_value_is_judged_person_by_person():
    predicted = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "predicted_value": [30.0, 20.0, 10.0],
            "holdout_margin": [40.0, 0.0, 10.0],
        }
    )
    truth = pd.DataFrame({"person_id": ["p", "q"], "as_of": AS_OF, "expected_margin": [45.0, 10.0]})
    told = judge_value(predicted, expectations=truth, as_of=AS_OF, **KNOWN)
    assert told["value_error_vs_oracle"] == pytest.approx(10 / 5 - 1)
    assert told["value_total_error"] == pytest.approx(0.2)
    nothing = judge_value(predicted, expectations=truth.iloc[:0], as_of=AS_OF, **KNOWN)
    assert nothing == {}


def test_experience_is_held_against_the_shocks_of_the_month():
    ends = [date(2024, 10, 31), date(2024, 11, 30), date(2024, 12, 31)]
    history = pd.DataFrame(
        {
            "customer_id": ["a"] * 3 + ["c"] * 3,
            "as_of": ends * 2,
            "value": [100.0, 90.0, 95.0, 50.0, 50.0, 50.0],
            "part_experience": [0.0, -10.0, 0.0, 0.0, 0.0, 0.0],
            "part_cost": 0.0,
        }
    )
    # The first is before the second month end; what precedes the first month end is not told.
    shocks = pd.DataFrame(
        {
            "person_id": ["p", "p"],
            "day": [date(2024, 11, 30), date(2024, 10, 1)],
            "change": [0.8, 0.8],
        }
    )
    told = judge_experience(history, shocks=shocks, **KNOWN)
    assert told["experience_shock_correlation"] == pytest.approx(1.0)
    assert told["experience_months"] == 4 and told["experience_shock_months"] == 1
    later = shocks.assign(day=date(2024, 12, 1))
    assert judge_experience(history, shocks=later, **KNOWN)["experience_shock_correlation"] < 0
    assert judge_experience(history, shocks=shocks.iloc[:0], **KNOWN) == {}
