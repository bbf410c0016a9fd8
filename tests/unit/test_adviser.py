from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from customer360.adviser import about, mood, timeline, to_say, value_move
from customer360.plots.adviser import history


def test_says_who_it_is_and_leaves_out_what_is_not_known():
    person = {"first_name": "Ada", "last_name": "Martin", "title": None, "email": None,
              "birth_date": date(1970, 1, 2), "consent_email": True, "consent_sms": None,
              "consent_post": False, "first_order_at": pd.NaT,
              "preferred_channel": np.nan}  # fmt: skip
    table = about(person, segment="Faithful", orders=None)
    assert dict(zip(table["what"], table["is"], strict=True)) == {
        "name": "Ada Martin", "born": "1970-01-02", "agreed to": "email", "segment": "Faithful",
    }  # fmt: skip
    assert about({})["is"].tolist() == ["no message at all"]


def events(**tables) -> pd.DataFrame:
    none = {
        "orders": pd.DataFrame(
            {"order_id": [], "ordered_at": [], "net_amount": [], "category": []}
        ),
        "contacts": pd.DataFrame({"contact_id": [], "at": [], "event": [], "channel": []}),
        "web_events": pd.DataFrame({"at": pd.to_datetime([])}),
        "conversations": pd.DataFrame({"at": pd.to_datetime([]), "reason": []}),
        "life_events": pd.DataFrame({"day": pd.to_datetime([]), "kind": []}),
    }
    return timeline(**{**none, **tables})


def test_history_tells_each_event_once_in_the_order_of_time():
    found = events(
        orders=pd.DataFrame(
            {"order_id": ["o1", "o1"], "ordered_at": [datetime(2026, 1, 5)] * 2,
             "net_amount": [10.0, 5.0], "category": ["Livres", "Jardin"]}
        ),
        contacts=pd.DataFrame(
            {"contact_id": ["k1", "k1", "k2"], "event": ["opened", "sent", "held_out"],
             "at": [datetime(2026, 1, 3), datetime(2026, 1, 2), datetime(2026, 1, 4)],
             "channel": "email"}
        ),
        web_events=pd.DataFrame({"at": pd.to_datetime(["2026-01-01 08:00", "2026-01-01 09:00"])}),
        conversations=pd.DataFrame(
            {"at": [datetime(2026, 1, 6)], "reason": ["claim"], "dissatisfied_probability": [0.9]}
        ),
    )  # fmt: skip
    assert found[["lane", "what"]].to_numpy().tolist() == [
        ["visit", "site"], ["message", "email"], ["purchase", "Jardin, Livres"],
        ["conversation", "claim"],
    ]  # fmt: skip
    assert found["size"].tolist() == [1, 1, 15, 1]
    assert found["tone"].fillna(-1).tolist() == [-1, -1, -1, 0.9]
    assert [t.get_text() for t in history(found).get_yticklabels()] == [
        "purchases", "our messages", "days on the site", "conversations",
    ]  # fmt: skip


def test_somebody_without_history_has_an_empty_page():
    assert len(events()) == 0
    history(events())


@pytest.mark.parametrize(
    ("score", "word"),
    [(None, "not known"), (0.1, "calm"), (0.3, "be careful"), (1.0, "dissatisfied")],
)  # fmt: skip
def test_mood_is_a_word(score, word):
    assert mood(score, "retard")[0] == word


def test_value_moved_by_its_largest_parts_of_the_last_months():
    names = ("arrival", "recency", "purchases", "spend", "segment", "experience", "cost")
    parts = {f"part_{name}": 0.0 for name in names}
    rows = [
        {"as_of": date(2026, m, 28), "value": 100.0 + m, "move": 1.0, **parts} for m in (1, 2, 3, 4)
    ]
    rows[0]["part_cost"] = 50.0
    rows[2] |= {"part_recency": -3.0, "part_purchases": 4.0}
    value, move, why = value_move(pd.DataFrame(rows[::-1]))
    assert (value, move) == (104.0, 3.0)
    assert why["why"].tolist() == ["new purchases", "time since the last purchase"]
    assert np.isnan(value_move(pd.DataFrame(rows).head(0))[0])


def test_a_decision_is_two_lists_in_words():
    action = {"rank": 1, "action": "offer", "offer": "percent_10", "item": "Livres",
              "theme": None, "expected_gain": 0.4, "reason_en": "brings"}  # fmt: skip
    refused = [{"what": w, "why_en": "costs"} for w in ("none", "gift", "amount_12")]
    say, never = to_say({"actions": [action], "must_not_offer": refused})
    assert say["say"].tolist() == ["offer 10 % off on Livres"]
    say, _ = to_say({"actions": [action | {"theme": "price"}], "must_not_offer": []})
    assert say["say"].tolist() == ["offer 10 % off on Livres, by its price"]
    assert never.to_numpy().tolist() == [["a tip without reduction, gift, amount 12", "costs"]]
