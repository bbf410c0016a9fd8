from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.link_errors import link_error_costs

AS_OF = date(2025, 12, 31)


@pytest.fixture(scope="module")
def shop():
    """600 customers of two records each, who buy in their own rhythm."""
    rng = np.random.default_rng(4)
    lines = []
    for customer in range(600):
        pauses = rng.exponential(rng.uniform(15, 120), 20).cumsum()
        for number, day in enumerate(pauses[pauses < rng.uniform(30, 700)] + rng.integers(0, 60)):
            lines.append((f"r{2 * customer + number % 2:05}", f"o{len(lines)}", int(day)))
    orders = pd.DataFrame(lines, columns=["source_id", "order_id", "day"])
    ordered_on = pd.Timestamp("2024-01-01") + pd.to_timedelta(orders.pop("day"), unit="D")
    amount = rng.lognormal(3.5, 0.5, len(orders))
    orders = orders.assign(source="shop", line_no="1", ordered_on=ordered_on.dt.date, amount=amount,
                           net_amount=amount, margin=0.3 * amount, status="paid")  # fmt: skip
    linked = pd.DataFrame({"source": "shop", "source_id": [f"r{n:05}" for n in range(1200)]})
    linked["customer_id"] = [f"c{n // 2:04}" for n in range(1200)]
    return orders[orders["ordered_on"] <= AS_OF], linked.assign(has_person_record=True)


def test_merges_lose_customers_and_splits_make_them(shop):
    table = link_error_costs(*shop, as_of=AS_OF, shares=(0.05, 0.2), seed=1)
    assert table["error"].tolist() == ["none", *["false merges"] * 2, *["false splits"] * 2]
    none, *others = table.to_dict("records")
    assert none["clv"] > 0 and none["clv_change"] == none["best_wrong"] == none["silent_wrong"] == 0
    few_merges, merges, few_splits, splits = others
    assert merges["customers"] < few_merges["customers"] < none["customers"]
    assert splits["customers"] > few_splits["customers"] > none["customers"]
    # More errors, more records on a list that do not belong there.
    assert merges["best_wrong"] > few_merges["best_wrong"] > 0
    again = link_error_costs(*shop, as_of=AS_OF, shares=(0.05, 0.2), seed=1)
    pd.testing.assert_frame_equal(again, table)
