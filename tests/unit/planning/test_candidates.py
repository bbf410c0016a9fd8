from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.planning.candidates import (
    choose_contents,
    choose_goals,
    draw_control,
    habit_weekdays,
    make_candidates,
    make_slots,
)

AS_OF = date(2025, 12, 31)  # a Wednesday
CUSTOMERS = pd.DataFrame(
    {"customer_id": list("abcdef"), "orders": [0, 2, 3, 4, 5, None],
     "margin": [0, 20, 30, 40, 50, None]}
)  # fmt: skip


def test_each_customer_has_the_goal_of_where_it_stands():
    segments = pd.DataFrame(
        {"customer_id": list("bcde"), "potential_class": ["nouveau", "inactif", "gros", "gros"]}
    )
    churn = pd.DataFrame({"customer_id": list("bcde"), "churn_probability": [0.9, None, 0.5, 0.2]})
    found = choose_goals(CUSTOMERS, segments=segments, churn_scores=churn, at_risk_probability=0.5)
    assert found.set_index("customer_id")["goal"].to_dict() == {
        "a": "conversion", "b": "conversion", "c": "win_back", "d": "retention",
        "e": "cross_sell", "f": "conversion",
    }  # fmt: skip


def test_contents_follow_the_goal_and_the_scores_go_first():
    goals = pd.DataFrame(
        {"customer_id": list("abc"), "goal": ["cross_sell", "win_back", "cross_sell"]}
    )
    tastes = pd.DataFrame(
        {"customer_id": list("ab"), "main_category": ["toys", "books"],
         "next_category": ["games", "pens"]}
    )  # fmt: skip
    plain = choose_contents(goals, tastes=tastes)["category"].to_list()
    assert plain[:2] == ["games", "books"] and pd.isna(plain[2])
    scored = pd.DataFrame(
        {"customer_id": list("aaaab"), "rank": [1, 3, 2, 4, 1],
         "item": ["p1", "p2", "p3", "p4", "p5"],
         "category": [None, "x", "kites", "y", "z"]}
    )  # fmt: skip
    found = choose_contents(goals, tastes=tastes, cross_sell_scores=scored)["category"].to_list()
    assert found[:2] == ["kites", "books"]
    assert choose_contents(goals)["category"].isna().all()


def test_the_habit_is_the_day_of_most_purchases():
    orders = pd.DataFrame(
        [("a", "2025-12-01", "paid"), ("a", "2025-12-08", "paid"), ("a", "2025-12-09", "paid"),
         ("b", "2025-12-01", "paid"), ("b", "2025-12-02", "paid"), ("b", "2025-12-03", "returned"),
         ("c", "2025-12-06", "paid"), ("c", "2025-12-07", "paid"), ("c", "2025-12-05", "paid")],
        columns=["customer_id", "ordered_on", "status"],
    )  # fmt: skip
    orders["ordered_on"] = pd.to_datetime(orders["ordered_on"]).dt.date
    found = habit_weekdays(orders).set_index("customer_id")["weekday"].to_dict()
    # Two purchases say nothing; of days that tie, the first of the week.
    assert found == {"a": 0, "c": 4}


def test_the_control_group_is_drawn_by_id_alone():
    many = pd.DataFrame({"customer_id": [f"c{n:05d}" for n in range(5000)]})
    drawn = set(draw_control(many, share=0.1, seed=360)["customer_id"])
    assert 400 < len(drawn) < 600
    half = many.iloc[::2]
    assert set(draw_control(half, share=0.1, seed=360)["customer_id"]) == drawn & set(
        half["customer_id"]
    )
    assert set(draw_control(many, share=0.1, seed=1)["customer_id"]) != drawn
    assert draw_control(many, share=0.0, seed=1).empty


def scores(*rows: tuple) -> pd.DataFrame:
    names = ["customer_id", "channel", "offer", "depth", "propensity", "uplift", "uplift_high",
             "expected_margin"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def candidates(table: pd.DataFrame, *, fatigue_share: float = 0.0, **more) -> pd.DataFrame:
    goals = pd.DataFrame({"customer_id": list("bc"), "goal": ["cross_sell", "retention"]})
    return make_candidates(
        table, goals=goals, contents=choose_contents(goals),
        habits=pd.DataFrame({"customer_id": ["b"], "weekday": [0]}),
        slots=make_slots(as_of=AS_OF, weeks=2), cost_per_contact={"email": 0.1, "phone": 4.0},
        customers=CUSTOMERS, fatigue_share=fatigue_share, **more,
    ).to_pandas()  # fmt: skip


def test_candidates_come_on_the_usual_day_and_cost():
    found = candidates(scores(
        ("b", "email", "percent_20", 0.2, 0.3, 0.1, 0.1, 1.0),
        ("c", "email", "none", 0.0, 0.3, 0.1, 0.1, 1.0),
        ("a", "email", "none", 0.0, 0.3, 0.1, 0.1, 1.0),
        ("c", "fax", "none", 0.0, 0.3, 0.1, 0.1, 1.0),
    ), fatigue_share=0.5)  # fmt: skip
    told = found[["customer_id", "slot", "goal", "offer_id", "amount"]].values.tolist()
    assert told == [
        ["b", 1, "cross_sell", "percent_20", 0.2], ["b", 2, "cross_sell", "percent_20", 0.2],
        ["c", 1, "retention", "none", 0.0], ["c", 2, "retention", "none", 0.0],
    ]  # fmt: skip
    # The first week begins on Thursday 1 January: b's Monday is the 5th, c has no habit.
    assert pd.to_datetime(found["day"]).dt.day.to_list() == [5, 12, 1, 8]
    assert pd.to_datetime(found["week"]).dt.day.to_list() == [1, 8, 1, 8]
    assert found["expected_margin"].to_list() == pytest.approx([0.9, 0.4, 0.9, 0.4])


def test_what_cannot_pay_is_left_out_unless_asked_for():
    table = scores(
        ("b", "email", "none", 0.0, 0.3, -0.01, 0.02, -0.1),  # may pay: 0.03 orders of 10 more
        ("b", "phone", "none", 0.0, 0.3, 0.1, 0.2, 1.0),  # 1 + 1 is less than a call
        ("c", "email", "none", 0.0, 0.3, None, None, None),  # nobody knows
        ("c", "phone", "none", 0.0, 0.3, None, None, None),  # not even if it caused every order
    )
    found = candidates(table)
    assert found[["customer_id", "channel"]].drop_duplicates().values.tolist() == [
        ["b", "email"], ["c", "email"]
    ]  # fmt: skip
    first = found.drop_duplicates("customer_id").set_index("customer_id")
    assert first.loc["b", ["expected_margin", "doubt"]].to_list() == pytest.approx([-0.2, 0.3])
    assert first.loc["c", ["expected_margin", "doubt"]].to_list() == pytest.approx([-0.1, 3.0])
    assert len(candidates(table, only_worth_trying=False)) == 8
