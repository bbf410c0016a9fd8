from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest

from customer360.contracts import GOALS
from customer360.handoff.files import altered_files
from customer360.handoff.goals import prepare_goals
from customer360.handoff.traps import HandoffError, TrapPoints

KEY = b"0123456789abcdef"
POINTS = TrapPoints("traps.example", "1 rue A", "75001", "Paris", ("+33639980001",))
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": list("abcd"), "title": None, "first_name": "Ada", "last_name": "Roy",
        "email": [f"{c}@example.fr" for c in "abcd"], "phone": "+33612457890",
        "street": "1 rue B", "postcode": "75002", "city": "Paris", "country": "FR",
        **{f"consent_{c}": True for c in ("email", "sms", "phone", "post", "third_party")},
    }
)  # fmt: skip
WHOLE = pd.DataFrame({"customer_id": list("abcd"), "goal": ["win_back", *["retention"] * 3]})
DECISIONS = pd.DataFrame(
    {
        "customer_id": ["a", "b"], "slot": [1, 1], "day": date(2026, 1, 2),
        "goal": ["win_back", "retention"], "offer": "none", "amount": 0.0, "category": "books",
        "theme": "price", "image": None,
        "channel": "email", "cost": 0.5, "expected_margin": [2.0, 3.0], "decision_id": ["d1", "d2"],
    }
)  # fmt: skip


def prepare(control: str, decisions: pd.DataFrame = DECISIONS):
    return prepare_goals(
        decisions, goals=WHOLE, control=pd.DataFrame({"customer_id": list(control)}, dtype="str"),
        customers=CUSTOMERS, points=POINTS, key=KEY, as_of=date(2025, 12, 31), valid_days=35,
        thresholds={"control_share": 0.1}, models={"churn": {"version": "0a1b2c3d4e5f"}},
    )  # fmt: skip


def test_a_folder_for_each_goal_with_its_own_control_group():
    made = prepare("cd")
    assert list(made) == list(GOALS)
    told = {goal: json.loads(files.files["manifest.json"]) for goal, files in made.items()}
    assert all(not altered_files(files.files) for files in made.values())
    assert told["retention"]["customers_in_control"] == 2
    assert told["win_back"]["customers_in_control"] == 0
    assert told["retention"]["expected"] == {"messages": 1, "margin": 3.0, "cost": 0.5}
    assert told["retention"]["models"] == {"churn": {"version": "0a1b2c3d4e5f"}}
    assert told["retention"]["expires_on"] == "2026-02-04"
    assert set(made["conversion"].files) == {"manifest.json"}
    # Nothing that only we are to know stands in a file for a tool.
    header = made["win_back"].files["email.csv"].decode().splitlines()[0]
    assert "decision_id" in header and "margin" not in header and "explored" not in header


def test_a_campaign_says_what_is_confirmed_of_its_margin():
    made = prepare("cd", DECISIONS.assign(confirmed_margin=[1.0, 1.5]))
    told = json.loads(made["retention"].files["manifest.json"])
    assert told["expected"] == {
        "messages": 1, "margin": 3.0, "confirmed_margin": 1.5, "cost": 0.5
    }  # fmt: skip


def test_who_is_left_alone_stands_in_no_file():
    with pytest.raises(HandoffError, match="control group"):
        prepare("b")


def test_no_message_at_all():
    made = prepare("", DECISIONS.iloc[:0])
    assert [set(files.files) for files in made.values()] == [{"manifest.json"}] * len(GOALS)
