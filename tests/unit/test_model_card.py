"""The card of a model: what a reviewer must find on it, and what must not be there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from customer360.model_card import format_number, render_card


def card(**changes: Any) -> str:
    content: dict[str, Any] = {
        "title": "Churn, demo",
        "purpose": "Who will not buy in the next 90 days?",
        "data_window": "learnt on 2025-01-01 to 2025-12-31, judged on 2026-01-01 to 2026-03-31",
        "population": "12,345 customers with at least two purchase days",
        "intended_use": ["Choosing whom to win back."],
        "not_for": ["Refusing a service to a person."],
        "metrics": {"average_precision": 0.412678, "customers": 12345},
        "baselines": {"recency": {"average_precision": 0.3}, "P(alive)": {}},
        "slices": pd.DataFrame(
            {"group": ["new", "rare"], "customers": [800, 3], "average_precision": [0.35, 0.99]}
        ),
        "limits": ["Never judged on a December."],
        "thresholds": {
            "metric": "average_precision",
            "higher_is_better": True,
            "min_gain": 0.01,
            "limits": {"calibration_error": {"max": 0.05}},
        },
        "expiry": dt.date(2026, 9, 30),
    }
    return render_card(**{**content, **changes})


def test_says_what_a_reviewer_signs() -> None:
    text = card()
    for expected in (
        "# Churn, demo\n\nWho will not buy in the next 90 days?",
        "- **Window:** learnt on 2025-01-01",
        "- **Population:** 12,345 customers",
        "Made for:\n\n- Choosing whom to win back.",
        "Not for:\n\n- Refusing a service to a person.",
        "- Never judged on a December.",
        "- average_precision (higher is better): better by at least 0.01",
        "- calibration_error: at most 0.05",
        "judged again by **2026-09-30**",
        "| Reviewed by | Date | Decision |",
    ):
        assert expected in text


def test_holds_the_model_and_its_baselines_side_by_side() -> None:
    text = card()
    assert "| Metric | This model | recency | P(alive) |" in text
    assert "| average_precision | 0.4127 | 0.3 | – |" in text
    assert "| customers | 12,345 | – | – |" in text


def test_hides_groups_that_are_nearly_persons() -> None:
    text = card()
    assert "| new | 800 | 0.35 |" in text
    assert "rare" not in text
    assert "0.99" not in text
    assert "1 group of fewer than 10 customers not shown." in text


def test_leaves_out_the_groups_when_there_are_none() -> None:
    assert "By group" not in card(slices=None)


def test_a_group_needs_its_size() -> None:
    with pytest.raises(ValueError, match="customers"):
        card(slices=pd.DataFrame({"group": ["new"]}))


@pytest.mark.parametrize("part", ["intended_use", "not_for", "limits"])
def test_no_card_without_uses_and_limits(part: str) -> None:
    with pytest.raises(ValueError, match=part):
        card(**{part: []})
    with pytest.raises(ValueError, match=part):
        card(**{part: "one sentence instead of a list"})


@pytest.mark.parametrize(
    ("gain", "words"),
    [(0.0, "at least as good"), (-0.05, "at most 0.05 worse"), (0.1, "better by at least 0.1")],
)
def test_thresholds_in_words(gain: float, words: str) -> None:
    rule = {"metric": "m", "higher_is_better": False, "min_gain": gain}
    text = card(thresholds={**rule, "limits": {"e": {"abs_max": 0.3, "min": -1}}})
    assert f"- m (lower is better): {words}" in text
    assert "- e: no further from zero than 0.3" in text
    assert "- e: at least -1" in text


def test_is_the_same_text_twice_and_leaves_its_input_alone() -> None:
    slices = pd.DataFrame({"group": ["a|b"], "customers": [50], "m": [1.5]})
    before = slices.copy()
    assert card(slices=slices) == card(slices=slices)
    assert "| a/b | 50 | 1.5 |" in card(slices=slices)
    pd.testing.assert_frame_equal(slices, before)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345, "12,345"),
        (1234.56, "1,235"),
        (0.041268, "0.04127"),
        (2.0, "2"),
        (-0.5, "-0.5"),
        (0.00001, "1.00e-05"),
        (0.0, "0"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
        (None, "–"),
        (pd.NA, "–"),
    ],
)
def test_numbers(value: Any, text: str) -> None:
    assert format_number(value) == text


def test_intervals_stand_beside_the_metrics() -> None:
    text = card(intervals={"average_precision": (0.4, 0.43)})
    assert "| Metric | This model | 95 % interval | recency | P(alive) |" in text
    assert "| average_precision | 0.4127 | 0.4 to 0.43 | 0.3 | – |" in text
    assert "| customers | 12,345 | – | – | – |" in text
