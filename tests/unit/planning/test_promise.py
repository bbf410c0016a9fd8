from __future__ import annotations

import pandas as pd
import pytest

from customer360.contracts import CONTRACTS, empty_table
from customer360.planning.promise import add_confirmed_margin

SCORES = pd.DataFrame(
    [
        ("a", "email", "none", 4.0, 3.0),
        ("a", "email", "percent_10", 2.0, -1.0),
        ("b", "sms", "none", -0.5, -0.7),
        ("c", "sms", "none", None, None),
    ],
    columns=["customer_id", "channel", "offer", "expected_margin", "confirmed_margin"],
)
DECISIONS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "c"],
        "slot": [1, 2, 1, 1],
        "channel": ["email", "email", "sms", "sms"],
        "offer": ["none", "percent_10", "none", "none"],
        "cost": [0.1, 0.1, 0.2, 0.2],
        # The second message to a lost a half of its effect to the first.
        "expected_margin": [3.9, 0.9, -0.7, -0.2],
    }
)


def test_each_message_says_what_is_confirmed_after_its_cost():
    table = add_confirmed_margin(DECISIONS, scores=SCORES)
    assert table["confirmed_margin"].tolist() == pytest.approx([2.9, -0.6, -0.9, -0.2])


def test_the_plan_stays_as_it_is():
    table = add_confirmed_margin(DECISIONS, scores=SCORES[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(table.drop(columns="confirmed_margin"), DECISIONS)
    assert table["confirmed_margin"].sum() < DECISIONS["expected_margin"].sum()


def test_no_message_promises_nothing():
    none = add_confirmed_margin(DECISIONS.head(0), scores=empty_table(CONTRACTS["response_scores"]))
    assert len(none) == 0 and none["confirmed_margin"].sum() == 0
    empty = empty_table(CONTRACTS["decisions"]).to_pandas().drop(columns="confirmed_margin")
    assert "confirmed_margin" in add_confirmed_margin(empty, scores=SCORES)
