from __future__ import annotations

import math
from datetime import date, datetime

import pandas as pd
import pytest

from customer360.campaign_evaluation import true_margins
from customer360.worlds.demo.messages import CONTENTS

AS_OF = date(2025, 12, 31)
TRUTH = {
    "uplift": pd.DataFrame(
        {"person_id": ["p", "p", "q"], "channel": ["email", "web", "email"],
         "effect_none": [0.10, 0.05, -0.02], "effect_percent_20": [0.20, 0.10, -0.02]}
    ),
    "traits": pd.DataFrame(
        {"person_id": ["p", "q"], "margin_per_order": [40.0, 20.0],
         "revenue_per_order": [100.0, 50.0], "push": [0.0, 0.5], "promo_affinity": [0.1, 0.5],
         "theme": "price"}
    ),
    "true_people": pd.DataFrame(
        {"person_id": ["p", "q"], "purchase_rate": [3.6525, 36.525],
         "left_on": pd.Series([None, datetime(2024, 1, 1)], dtype="datetime64[us]")}
    ),
    "people_links": pd.DataFrame(
        {"source": "crm", "source_id": list("1234"), "person_id": list("ppqq")}
    ),
    "linked": pd.DataFrame(
        {"source": "crm", "source_id": list("1235"), "customer_id": list("abcd")}
    ),
}  # fmt: skip
NO_CONTACT = pd.DataFrame(
    {"customer_id": pd.Series(dtype="str"), "contact_id": pd.Series(dtype="str"),
     "channel": pd.Series(dtype="str"), "event": pd.Series(dtype="str"),
     "at": pd.Series(dtype="datetime64[us]")}
)  # fmt: skip


def messages(*rows: tuple) -> pd.DataFrame:
    names = ["customer_id", "slot", "day", "channel", "offer_id", "amount"]
    table = pd.DataFrame(
        [(c, s, date(2026, 1, 7 * s), ch, o, a) for c, s, ch, o, a in rows], columns=names
    )
    # What appeals to them, with the picture the truth is told for.
    return table.assign(cost=1.0, theme="price", image="product")


def judge(*rows: tuple, contacts: pd.DataFrame = NO_CONTACT, **more) -> float:
    told = true_margins({"x": messages(*rows)}, contacts=contacts, as_of=AS_OF, **TRUTH | more)
    return told["x"]


def test_an_order_more_at_its_margin_less_the_cost():
    assert judge(("a", 1, "email", "none", 0.0)) == pytest.approx(0.10 * 40 - 1)
    # Nobody of the truth, or a channel that does nothing: the cost remains.
    assert judge(("d", 1, "email", "none", 0.0)) == pytest.approx(-1)
    assert judge(("a", 1, "phone", "none", 0.0)) == pytest.approx(-1)


def test_what_is_said_moves_more_or_less():
    def says(**content) -> float:
        told = messages(("a", 1, "email", "none", 0.0)).assign(**content)
        given = {"contacts": NO_CONTACT, "as_of": AS_OF, **TRUTH}
        return true_margins({"x": told}, **given)["x"] + 1

    assert says(image="people") == pytest.approx(1.2 * 4)
    assert says(theme="status") == pytest.approx(4 * 0.8 / 1.5)
    every = [says(theme=theme, image=image) for theme, image in CONTENTS]
    in_turn = sum(every) / len(every)
    assert says(theme=None, image=None) == pytest.approx(in_turn)
    plain = messages(("a", 1, "email", "none", 0.0)).drop(columns=["theme", "image"])
    found = true_margins({"x": plain}, contacts=NO_CONTACT, as_of=AS_OF, **TRUTH)
    assert found["x"] + 1 == pytest.approx(in_turn)


def test_a_reduction_is_given_on_orders_that_come_anyway_and_use_it():
    coming, uses = 3.6525 * 14 / 365.25, 0.15 + 0.5 * 0.1
    expected = 0.20 * (40 - 20) - 20 * coming * uses - 1
    assert judge(("a", 1, "email", "percent_20", 0.2)) == pytest.approx(expected)


def test_who_has_left_orders_nothing_that_could_be_reduced():
    # What the truth tells of the effect holds, push and all: q has no coming orders.
    assert judge(("c", 1, "email", "percent_20", 0.2)) == pytest.approx(-0.02 * (20 - 10) - 1)


def test_earlier_messages_tire():
    twice = judge(("a", 1, "email", "none", 0.0), ("a", 2, "email", "none", 0.0))
    kept = math.exp(-0.45 * math.exp(-7 / 30))
    assert twice == pytest.approx(4 + 4 * kept - 2)
    before = pd.DataFrame(
        {"customer_id": "a", "contact_id": ["k", "k"], "channel": "email",
         "event": ["sent", "delivered"], "at": datetime(2025, 12, 31, 9)}
    )  # fmt: skip
    tired = math.exp(-0.45 * math.exp(0))
    assert judge(("a", 1, "email", "none", 0.0), contacts=before) == pytest.approx(4 * tired - 1)


def test_only_what_arrives_counts():
    sent = pd.DataFrame(
        {"customer_id": "z", "contact_id": list("klkm"), "channel": "email",
         "event": ["sent", "sent", "delivered", "held_out"], "at": datetime(2025, 1, 1)}
    )  # fmt: skip
    assert judge(("a", 1, "email", "none", 0.0), contacts=sent) == pytest.approx(0.5 * 4 - 1)


def test_a_person_known_twice_is_moved_once_and_paid_twice():
    assert judge(("a", 1, "email", "none", 0.0), ("b", 1, "email", "none", 0.0)) == pytest.approx(
        4 - 2
    )


def test_without_truth_nothing_is_told():
    empty = {"uplift": TRUTH["uplift"].iloc[:0]}
    assert true_margins(
        {"x": messages(("a", 1, "email", "none", 0.0))}, contacts=NO_CONTACT, as_of=AS_OF,
        **TRUTH | empty,
    ) == {}  # fmt: skip
    told = true_margins({"x": messages()}, contacts=NO_CONTACT, as_of=AS_OF, **TRUTH)
    assert told == {"x": 0.0}
