from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from customer360.segmentation.families import (
    describe_people,
    detect_life_events,
    find_triggers,
    funnel_stages,
    life_signals,
)

AS_OF = date(2025, 6, 30)


def test_the_last_stage_that_holds_counts():
    names = ["nobody", "reader", "searcher", "once", "twice", "friend", "gone"]
    found = funnel_stages(
        customers=pd.DataFrame({"customer_id": names}),
        features=pd.DataFrame({"customer_id": names[3:], "frequency": [1, 2, 2, 5]}),
        classes=pd.DataFrame(
            {"customer_id": names[3:], "potential_class": ["nouveau", "gros", "gros", "inactif"]}
        ),
        web_events=pd.DataFrame(
            {"customer_id": ["searcher", "gone"], "kind": "search", "at": pd.Timestamp(AS_OF)}
        ),
        contacts=pd.DataFrame(
            {"customer_id": ["reader"], "event": "opened", "at": pd.Timestamp("2025-06-01")}
        ),
        surveys=pd.DataFrame(
            {
                "source": "crm",
                "source_id": ["1"],
                "kind": "nps",
                "score": 10.0,
                "at": pd.Timestamp("2025-06-01"),
            }
        ),
        records=pd.DataFrame({"source": ["crm"], "source_id": ["1"], "customer_id": ["friend"]}),
        as_of=AS_OF,
        horizon_days=90,
    )
    stages = ["unaware", "informed", "comparing", "first_purchase", "loyal", "advocate", "leaving"]
    assert found.set_index("customer_id")["funnel_stage"].to_dict() == dict(
        zip(names, stages, strict=True)
    )


def test_people_are_put_in_bands_and_the_unknown_stay_unknown():
    people = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "birth_date": [date(1980, 7, 1), None],
            "postcode": ["75001", None],
        }
    )
    places = pd.DataFrame(
        {
            "postcode": ["75001", "80000", "23000"],
            "median_income": [30e3, 22e3, 18e3],
            "urbanity": ["urban", "suburban", "rural"],
        }
    )
    table = describe_people(people, places, as_of=AS_OF).set_index("customer_id")
    assert table.loc["a", ["age_band", "urbanity", "income_band"]].to_list() == [
        "40-49",
        "urban",
        "high",
    ]
    assert table.loc["b"].isna().all()


def world(customers: int = 900) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A third has a move: it searches for boxes, and one mover in three says so."""
    rng = np.random.default_rng(1)
    rows = []
    moved = pd.Timestamp("2025-03-01")
    for n in range(customers):
        name = f"c{n:03d}"
        day = moved + timedelta(days=int(rng.integers(-300, 100)))
        rows += [(name, day, "searches lamp"), (name, day, "buys books")] * 3
        if n % 3 == 0:
            rows += [(name, moved + timedelta(days=d), "searches boxes") for d in (1, 9, 20)]
    signals = pd.DataFrame(rows, columns=["customer_id", "day", "signal"])
    signals["day"] = signals["day"].dt.date
    declared = pd.DataFrame({"source": "crm", "source_id": [f"{n}" for n in range(0, 900, 9)]})
    declared = declared.assign(kind="move", at=moved)
    names = [f"c{n:03d}" for n in range(customers)]
    ids = [f"{n}" for n in range(customers)]
    records = pd.DataFrame({"source": "crm", "source_id": ids, "customer_id": names})
    return signals, declared, records


def test_those_who_do_what_movers_do_are_found():
    signals, declared, records = world()
    events, words = detect_life_events(signals, declared=declared, records=records, as_of=AS_OF)
    assert words["signal"].to_list() == ["searches boxes"]
    found = events[(events["origin"] == "detected") & (events["confidence"] > 0.5)]
    number = found["customer_id"].str[1:].astype(int)
    assert (number % 3 == 0).all() and len(found) == 200
    told = events[events["origin"] == "declared"]
    assert len(told) == 100 and set(told["confidence"]) == {1.0}


def test_without_a_declaration_nothing_is_learnt():
    signals, declared, records = world(90)
    events, words = detect_life_events(
        signals, declared=declared.iloc[:0], records=records, as_of=AS_OF
    )
    assert events.empty and words.empty


def test_a_habit_is_no_signal_and_a_new_address_is():
    days = [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
    orders = pd.DataFrame({"customer_id": "a", "ordered_on": days, "category": "tea"})
    web = pd.DataFrame(
        {"customer_id": ["a"], "kind": "page", "query": "x", "at": pd.Timestamp(AS_OF)}
    )
    people = pd.DataFrame(
        {
            "source": "crm",
            "source_id": ["1", "2"],
            "postcode": ["75001", "80000"],
            "created_at": pd.Timestamp("2020-01-01"),
            "updated_at": pd.to_datetime(["2021-01-01", "2025-05-05"]),
        }
    )
    records = pd.DataFrame({"source": "crm", "source_id": ["1", "2"], "customer_id": "a"})
    signals = life_signals(
        orders=orders, web_events=web, people=people, records=records, as_of=AS_OF
    )
    assert signals["signal"].to_list() == ["buys tea", "new address"]
    assert pd.Timestamp(signals["day"].iloc[1]) == pd.Timestamp("2025-05-05")


@pytest.mark.parametrize("answers_to", ["price", "status"])
def test_the_theme_answered_most_is_the_trigger(answers_to):
    campaigns = pd.DataFrame(
        {"campaign_id": ["p", "s"], "variant": "A", "theme": ["price", "status"]}
    )
    sent = [(f"c{n}", f"{c}{n}", c) for n in range(50) for c in ("p", "s")]
    contacts = pd.DataFrame(sent, columns=["customer_id", "contact_id", "campaign_id"])
    contacts["at"] = pd.to_datetime(
        contacts["campaign_id"].map({"p": "2025-01-01", "s": "2025-03-01"})
    )
    contacts = contacts.assign(variant="A", event="sent")
    day = {"price": date(2025, 1, 5), "status": date(2025, 3, 5)}[answers_to]
    orders = pd.DataFrame({"customer_id": ["c7"], "ordered_on": [day], "status": "paid"})
    segments = pd.DataFrame({"customer_id": [f"c{n}" for n in range(50)], "segment": 0})
    found = find_triggers(
        contacts=contacts, campaigns=campaigns, orders=orders, segments=segments, as_of=AS_OF
    ).set_index("customer_id")
    assert found.loc["c7", "trigger"] == answers_to
    assert found.loc["c7", "trigger_lift"] > found["trigger_lift"].drop("c7").max()
    assert found.loc["c7", "messages"] == 2
