from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.planning.service import ServiceLevel, expected_conversations, plan_service

LEVELS = (
    ServiceLevel("standard", 48, "mail", 4, 0.010),
    ServiceLevel("priority", 12, "chat", 8, 0.016, 10),
    ServiceLevel("personal", 2, "call", 16, 0.020, 25),
)


def customers(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"c{n}", None if v is None else float(v), float(k)) for n, (v, k) in enumerate(rows)],
        columns=["customer_id", "value", "conversations"],
    )


def test_hours_go_to_those_worth_most():
    # Minutes for the plainest: 4 x 4 = 16. Eight more lift the best twice, or one step each.
    table = customers((100, 1), (90, 1), (10, 1), (None, 1))
    found = plan_service(table, levels=LEVELS, care_hours=(16 + 8) / 60)
    assert found.levels["level"].to_list() == ["priority", "priority", "standard", "standard"]
    assert found.levels["response_hours"].to_list() == [12, 12, 48, 48]
    assert found.hours_used == pytest.approx(24 / 60)
    # One more minute: the best customer's step to personal, 0.004 x 100 in 8 minutes.
    assert found.price_per_hour == pytest.approx(60 * 0.4 / 8)
    plenty = plan_service(table, levels=LEVELS, care_hours=100)
    assert plenty.levels["level"].to_list() == ["personal"] * 3 + ["standard"]
    assert plenty.price_per_hour == 0.0


def test_a_level_that_is_never_worth_it_is_skipped():
    levels = (LEVELS[0], ServiceLevel("poor", 24, "chat", 12, 0.011), LEVELS[2])
    found = plan_service(customers((100, 1), (50, 1)), levels=levels, care_hours=20 / 60)
    assert found.levels["level"].to_list() == ["personal", "standard"]


def test_refuses_levels_out_of_order():
    with pytest.raises(ValueError, match="more minutes"):
        plan_service(customers((1, 1)), levels=LEVELS[::-1], care_hours=1)
    with pytest.raises(ValueError, match="at least one"):
        plan_service(customers((1, 1)), levels=(), care_hours=1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 3)), min_size=1, max_size=5),
    st.integers(0, 120),
)
def test_never_over_capacity_and_at_most_one_step_from_the_best(rows, minutes):
    table = customers(*rows)
    plain = 4 * table["conversations"].sum()
    found = plan_service(table, levels=LEVELS, care_hours=(plain + minutes) / 60)
    assert found.hours_used * 60 <= plain + minutes + 1e-6
    names = [level.name for level in LEVELS]
    takes = np.array([level.minutes for level in LEVELS])
    keeps = np.array([level.kept_share for level in LEVELS])
    weight = (table["value"] * table["conversations"]).to_numpy()
    got = keeps[[names.index(n) for n in found.levels["level"]]]
    best = max(
        (weight * keeps[list(way)]).sum()
        for way in product(range(3), repeat=len(rows))
        if (takes[list(way)] * table["conversations"]).sum() <= plain + minutes + 1e-9
    )
    step = weight.max() * (keeps[-1] - keeps[0])
    assert (weight * got).sum() >= best - step - 1e-9


def test_conversations_are_pulled_towards_the_average():
    rows = [("a", "2025-06-01", "in")] * 9 + [("b", "2025-06-01", "in")]
    rows += [("c", "2024-06-01", "in"), ("c", "2025-06-01", "out"), ("d", "2026-06-01", "in")]
    talks = pd.DataFrame(rows, columns=["customer_id", "at", "direction"])
    ids = pd.Series(list("abcde"))
    found = expected_conversations(talks, customers=ids, as_of=date(2025, 12, 31), days=365)
    assert 2 < found["a"] < 9 and found["b"] < found["a"]
    assert found["c"] == found["d"] == found["e"] and 0 < found["e"] < found["b"]
    # What all are expected to say is what all said.
    assert found.sum() == pytest.approx(10)
    quiet = expected_conversations(talks.iloc[:0], customers=ids, as_of=date(2025, 12, 31), days=9)
    assert quiet.to_list() == [0.0] * 5
