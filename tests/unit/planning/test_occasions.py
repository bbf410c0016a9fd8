from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from customer360.contracts import CONTRACTS, empty_table
from customer360.planning.occasions import OCCASIONS, TABLES, find_occasions

FROM, UNTIL = date(2026, 1, 1), date(2026, 3, 31)


def frame(name: str, *rows: dict) -> pd.DataFrame:
    """A table of its contract; what is not named is empty."""
    columns = CONTRACTS[name].column_names
    return pd.DataFrame([{c: row.get(c) for c in columns} for row in rows], columns=columns)


def order(customer: str, day: date, number: str = "1", hour: int = 12, **more) -> dict:
    return {
        "customer_id": customer, "order_id": f"{customer}{day}{number}", "line_no": "1",
        "ordered_at": datetime(day.year, day.month, day.day, hour), "ordered_on": day,
        "amount": 10.0, **more,
    }  # fmt: skip


def found(tables: dict, *names: str, **more) -> list[tuple]:
    """Rows of occasion, customer, day, subject."""
    asked = {"since": FROM, "until": UNTIL, "timezone": "Europe/Paris", "horizon_days": 60}
    table = find_occasions(tables, names=names, **asked | more)
    return [(r["occasion"], r["customer_id"], r["day"], r["subject"]) for r in table.to_pylist()]


def test_orders_and_the_first_of_them():
    days = [date(2025, 12, 1), date(2026, 1, 5), date(2026, 1, 5)]
    rows = [order("a", day, str(n)) for n, day in enumerate(days)]
    rows += [order("a", days[1], "1", line_no="2"), order("b", date(2026, 2, 1))]
    rows += [order("c", date(2026, 2, 2), amount=-3.0), order("d", date(2026, 4, 1))]
    tables = {"customer_orders": frame("customer_orders", *rows)}
    assert found(tables, "first_order") == [("first_order", "b", date(2026, 2, 1), None)]
    told = [("order", "a", date(2026, 1, 5), None)] * 2 + [("order", "b", date(2026, 2, 1), None)]
    assert found(tables, "order") == told


def test_a_cart_is_abandoned_when_no_order_follows_that_day():
    hits = [
        ("a", datetime(2026, 1, 5, 10), "cart", "Jardin"),
        ("a", datetime(2026, 1, 5, 11), "cart", "Cuisine"),
        ("a", datetime(2026, 1, 5, 9), "order", None),
        ("b", datetime(2026, 1, 5, 10), "cart", "Jardin"),
        ("b", datetime(2026, 1, 5, 11), "order", None),
        ("c", datetime(2026, 1, 5, 10), "cart", "Jardin"),
        # Past midnight in Paris: another day.
        ("d", datetime(2026, 1, 5, 23, 30), "cart", "Jardin"),
        ("d", datetime(2026, 1, 5, 22, 30), "order", None),
    ]
    web = frame("customer_web_events", *(
        {"customer_id": c, "at": at, "kind": kind, "category": category, "known_at": at}
        for c, at, kind, category in hits
    ))  # fmt: skip
    shop = frame("customer_orders", order("c", date(2026, 1, 5), hour=15))
    tables = {"customer_web_events": web, "customer_orders": shop}
    assert found(tables, "abandoned_cart") == [
        ("abandoned_cart", "a", date(2026, 1, 5), "Cuisine"),
        ("abandoned_cart", "d", date(2026, 1, 6), "Jardin"),
    ]


def test_who_left_a_cart_may_be_known_later_only():
    row = {"customer_id": "a", "at": datetime(2026, 1, 5, 10), "kind": "cart"}
    web = frame("customer_web_events", row | {"known_at": datetime(2026, 1, 9, 10)})
    tables = {"customer_web_events": web}
    assert found(tables, "abandoned_cart", until=date(2026, 1, 8)) == []
    assert len(found(tables, "abandoned_cart", until=date(2026, 1, 9))) == 1


def test_claims_come_from_surveys_and_conversations():
    talk = {"at": datetime(2026, 1, 5, 10), "channel": "call"}
    talks = frame(
        "customer_conversations",
        talk | {"customer_id": "a", "direction": "in", "reason": "casse"},
        talk | {"customer_id": "b", "direction": "out", "reason": "casse"},
        talk | {"customer_id": "c", "direction": "in", "reason": "conseil"},
    )
    answers = frame(
        "staged.surveys",
        {"source": "web", "source_id": "1", "at": datetime(2026, 1, 6, 8), "kind": "claim"},
        {"source": "web", "source_id": "1", "at": datetime(2026, 1, 6, 8), "kind": "nps"},
        {"source": "web", "source_id": "2", "at": datetime(2026, 1, 6, 8), "kind": "claim"},
    )
    records = frame("linked_records", {"source": "web", "source_id": "1", "customer_id": "d"})
    tables = {
        "customer_conversations": talks, "staged.surveys": answers, "linked_records": records,
    }  # fmt: skip
    assert found(tables, "claim") == [
        ("claim", "a", date(2026, 1, 5), "casse"), ("claim", "d", date(2026, 1, 6), None)
    ]  # fmt: skip


def test_birthdays_of_adults_to_come_too():
    people = [("a", date(1980, 2, 29)), ("b", date(2015, 2, 1)), ("c", date(1990, 4, 5)),
              ("d", None), ("e", date(1990, 6, 5))]  # fmt: skip
    customers = frame("customers", *(
        {"customer_id": c, "birth_date": born, "created_at": datetime(2020, 1, 1), "as_of": UNTIL}
        for c, born in people
    ))  # fmt: skip
    assert found({"customers": customers}, "birthday", ahead_days=10) == [
        ("birthday", "a", date(2026, 2, 28), None), ("birthday", "c", date(2026, 4, 5), None)
    ]  # fmt: skip


def test_a_detected_event_is_known_from_the_day_of_the_look():
    life = frame(
        "customer_life_events",
        {"customer_id": "a", "kind": "move", "day": date(2026, 1, 5), "origin": "declared"},
        {"customer_id": "a", "kind": "birth", "day": date(2026, 1, 5), "origin": "detected"},
    )
    customers = frame("customers", {"customer_id": "a", "as_of": UNTIL})
    tables = {"customer_life_events": life, "customers": customers}
    declared = ("life_event", "a", date(2026, 1, 5), "move")
    assert found(tables, "life_event", until=date(2026, 3, 30)) == [declared]
    assert found(tables, "life_event") == [("life_event", "a", date(2026, 1, 5), "birth"), declared]


def test_inactive_after_a_long_silence_but_not_between_two_seasons():
    rows = [
        order("a", date(2025, 11, 10)), order("b", date(2025, 11, 10)),
        order("b", date(2026, 1, 9), hour=9), order("c", date(2025, 11, 10)),
        order("d", date(2025, 11, 10)), order("d", date(2026, 2, 1)),
    ]  # fmt: skip
    looks = frame(
        "segments",
        {"customer_id": "c", "as_of": date(2026, 1, 1), "window_from": date(2026, 6, 1)},
        {"customer_id": "a", "as_of": date(2026, 1, 10), "window_from": date(2026, 6, 1)},
    )
    tables = {"customer_orders": frame("customer_orders", *rows), "segments": looks}
    day = date(2026, 1, 9)
    later = ("inactive", "b", date(2026, 3, 10), None)
    expected = [("inactive", "a", day, None), later, ("inactive", "d", day, None)]
    assert found(tables, "inactive") == expected
    without = found({"customer_orders": tables["customer_orders"]}, "inactive")
    assert [row[1] for row in without] == ["a", "b", "c", "d"]


def test_falling_value_of_those_worth_most():
    ends = [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    values = {"a": (100, 90, 80, 25), "b": (1, 1, 1, 0), "c": (50, 60, 70, 80), "d": (60, 1, 1, -5)}
    history = frame("value_history", *(
        {"customer_id": c, "as_of": end, "value": float(v)}
        for c, worth in values.items() for end, v in zip(ends, worth, strict=True)
    ))  # fmt: skip
    table = find_occasions(
        {"value_history": history}, names=["falling_value"], since=FROM, until=UNTIL,
        timezone="Europe/Paris", horizon_days=60,
    )  # fmt: skip
    told = [(r["customer_id"], r["day"], r["size"]) for r in table.to_pylist()]
    assert told == [("a", UNTIL, 0.75), ("d", UNTIL, 1.0)]


def test_a_season_is_told_once_and_from_the_first_look_that_saw_it():
    looks = frame("segments", *(
        {"customer_id": "a", "as_of": as_of, "window_from": date(2026, 4, 5)}
        for as_of in (date(2026, 2, 1), date(2026, 3, 1))
    ))  # fmt: skip
    asked = {"ahead_days": 70, "until": date(2026, 2, 1)}
    assert found({"segments": looks}, "next_cycle", **asked) == [
        ("next_cycle", "a", date(2026, 4, 5), None)
    ]
    assert found({"segments": looks}, "next_cycle", **asked | {"until": date(2026, 1, 31)}) == []


def test_taking_back_a_consent():
    contacts = frame(
        "customer_contacts",
        {"customer_id": "a", "at": datetime(2026, 1, 5, 10), "event": "unsubscribed"},
        {"customer_id": "b", "at": datetime(2026, 1, 5, 10), "event": "opened"},
    )
    assert found({"customer_contacts": contacts}, "unsubscribed") == [
        ("unsubscribed", "a", date(2026, 1, 5), None)
    ]


@pytest.mark.parametrize("tables", [{}, {n: empty_table(CONTRACTS[n]) for n in TABLES}])
def test_without_data_nothing_happened(tables):
    assert found(tables, *OCCASIONS) == []
