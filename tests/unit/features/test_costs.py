from __future__ import annotations

import pandas as pd
import pytest

from customer360.features.costs import LEAST_DAYS, cost_per_day


def test_cost_a_day_and_the_least_days():
    features = pd.DataFrame(
        {
            "customer_id": ["old", "new", "free"],
            "cost_to_serve": [30.0, 9.0, None],
            "cost_to_contact": [6.0, None, None],
            "tenure_days": [360.0, 1.0, 0.0],
        }
    )
    costs = cost_per_day(features)
    assert costs["customer_id"].to_list() == ["old", "new", "free"]
    # (30 + 6) over 360 days; 9 over ninety days rather than one; nothing known is nothing spent.
    assert costs["cost_per_day"].to_list() == pytest.approx([0.1, 9.0 / LEAST_DAYS, 0.0])
    assert LEAST_DAYS == 90
