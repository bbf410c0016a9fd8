from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.contracts import CHANNELS
from customer360.planning.decide import RequestError, decide, read_request
from customer360.planning.gate import pass_gate
from customer360.planning.gate_one import why_stopped
from customer360.planning.pressure import ContactRule
from customer360.planning.state import ServiceState, build_state

AS_OF = date(2026, 3, 31)
NOW = datetime(2026, 4, 1, 10, 30, 20, tzinfo=UTC)
CONSENTS = ("email", "sms", "phone", "post", "third_party")
OFFERS = {"none": 0.0, "percent_10": 0.1, "percent_30": 0.3}


def persons(*rows: dict) -> pd.DataFrame:
    usual = {f"consent_{c}": True for c in CONSENTS} | {
        f"reachable_{c}": True for c in CONSENTS[:4]
    }
    usual |= {"preferred_channel": None, "as_of": AS_OF}
    usual |= {"last_order_at": datetime(2026, 3, 1), "updated_at": datetime(2025, 1, 1)}
    return pd.DataFrame([usual | row for row in rows]).astype({"preferred_channel": "str"})


def responses(customer: str, *, channel: str = "web", quadrant: str | None = None, **gains: float):
    rows = [
        (customer, channel, code, OFFERS[code], 0.1, gain, quadrant) for code, gain in gains.items()
    ]
    names = [
        "customer_id",
        "channel",
        "offer",
        "depth",
        "propensity",
        "expected_margin",
        "quadrant",
    ]
    return pd.DataFrame(rows, columns=names).astype({"quadrant": "str"})


def suggestions(customer: str, *items: str) -> pd.DataFrame:
    rows = [(customer, rank, i, 1.0 / rank, "goes with it") for rank, i in enumerate(items, 1)]
    return pd.DataFrame(rows, columns=["customer_id", "rank", "item", "score", "reason"])


def state_of(*people: dict, **tables) -> ServiceState:
    return build_state(as_of=AS_OF, customers=persons(*people), **{"rules": (), **tables})


def answer(state: ServiceState, channel: str = "web", **request) -> dict:
    asked = {"customer_id": "a", **request, "channel": channel}
    return decide(state, read_request(asked, moment=NOW))


def said(found: dict) -> list:
    return [(a["action"], a["offer"] or a["item"]) for a in found["actions"]]


def refused(found: dict) -> dict:
    return {r["what"]: r["why_en"] for r in found["must_not_offer"]}


@pytest.fixture
def state() -> ServiceState:
    return state_of(
        {"customer_id": "a"},
        response_scores=responses("a", none=0.2, percent_10=0.5, percent_30=-1.0),
        cross_sell_scores=suggestions("a", "Jardin", "Livres", "Cuisine"),
    )


def test_ranks_what_earns_and_names_what_costs(state):
    found = answer(state)
    assert said(found) == [
        ("offer", "percent_10"), ("offer", "none"),
        ("show", "Jardin"), ("show", "Livres"), ("show", "Cuisine"),
    ]  # fmt: skip
    first = found["actions"][0]
    assert (first["rank"], first["amount"], first["expected_gain"]) == (1, 0.1, 0.5)
    assert first["item"] == "Jardin"
    assert "0.50" in first["reason_en"] and "0.50" in first["reason_fr"]
    assert refused(found) == {"percent_30": "costs more than it brings"}


def test_an_offer_says_what_moved_people_alike():
    state = state_of(
        {"customer_id": "a"}, {"customer_id": "b"},
        response_scores=pd.concat([responses(c, none=0.2, percent_10=0.1) for c in "ab"]),
        cross_sell_scores=suggestions("a", "Jardin"),
        content_choices=pd.DataFrame(
            {"customer_id": ["a", "stranger"], "theme": ["price", "status"], "image": "people"}
        ),
    )  # fmt: skip
    kinds = [(a["action"], a["theme"], a["image"]) for a in answer(state)["actions"]]
    assert kinds == [("offer", "price", "people")] * 2 + [("show", None, None)]
    unknown = answer(state, customer_id="b")["actions"]
    assert [(a["theme"], a["image"]) for a in unknown] == [(None, None)] * len(unknown)


def test_web_and_adviser_get_the_same_decision_in_the_same_minute(state):
    web = answer(state, "web", moment="2026-04-01T10:30:01Z")
    adviser = answer(state, "adviser", moment="2026-04-01T12:30:59+02:00")
    later = answer(state, "web", moment="2026-04-01T10:31:00Z")
    assert web["decision_id"] == adviser["decision_id"] != later["decision_id"]
    assert said(web) == said(adviser)
    assert web["must_not_offer"] == adviser["must_not_offer"]
    # What the adviser hears moves goods, never the offer.
    told = answer(state, "adviser", context={"last_search": "beaux livres"})
    assert said(told)[:3] == [("offer", "percent_10"), ("offer", "none"), ("show", "Livres")]


def test_context_moves_goods_and_leaves_out_the_cart(state):
    found = answer(state, context={"page": "Cuisine", "cart": ["Jardin"]})
    assert [i for kind, i in said(found) if kind == "show"] == ["Cuisine", "Livres"]
    assert refused(found)["Jardin"] == "is in the cart already"


def test_a_complaint_comes_before_any_sale(state):
    found = answer(state, "adviser", context={"call_reason": "Réclamation livraison"})
    assert said(found) == [("settle", None)]
    unhappy = state_of(
        {"customer_id": "a"},
        response_scores=responses("a", none=5.0),
        dissatisfaction_scores=pd.DataFrame({"customer_id": ["a"], "dissatisfaction": [0.8]}),
    )
    assert said(answer(unhappy)) == [("settle", None)]


def test_no_reduction_for_who_buys_anyway_and_no_message_for_who_it_pushes_away():
    sure = state_of(
        {"customer_id": "a"},
        response_scores=responses("a", quadrant="sure_thing", none=0.1, percent_10=0.4),
    )
    assert said(answer(sure)) == [("offer", "none")]
    assert "given away" in refused(answer(sure))["percent_10"]
    dog = state_of(
        {"customer_id": "a"},
        response_scores=responses("a", quadrant="sleeping_dog", none=0.1, percent_10=0.4),
    )
    assert said(answer(dog)) == [("serve", None)]
    assert set(refused(answer(dog))) == {"none", "percent_10"}


def test_the_plan_goes_first_within_its_week_and_the_floor_holds():
    tables = {
        "response_scores": responses("a", none=0.1, percent_10=0.4, percent_30=0.9),
        "decisions": pd.DataFrame(
            {"customer_id": ["a"], "slot": [1], "day": [AS_OF + timedelta(days=3)],
             "offer": ["none"], "channel": ["email"], "goal": ["retention"]}
        ),
        "too_deep": ["percent_30"],
    }  # fmt: skip
    state = state_of({"customer_id": "a"}, **tables)
    assert said(answer(state)) == [("offer", "none"), ("offer", "percent_10")]
    assert refused(answer(state)) == {"percent_30": "leaves less than the margin floor"}
    assert said(answer(state, moment="2026-04-20"))[0] == ("offer", "percent_10")


def test_what_one_has_is_not_offered(state):
    owner = state_of(
        {"customer_id": "a"},
        response_scores=responses("a", percent_10=0.5),
        cross_sell_scores=suggestions("a", "Jardin", "Livres"),
        owned=pd.DataFrame({"customer_id": ["a", "a"], "offer_id": ["Jardin", "percent_10"]}),
    )
    assert said(answer(owner)) == [("show", "Livres")]
    assert set(refused(answer(owner))) == {"Jardin", "percent_10"}


def test_who_is_not_known_gets_no_offer_and_nothing_personal(state):
    for found in (answer(state, customer_id="zz"), answer(state, customer_id="a\0")):
        assert said(found) == [("serve", None)]
        assert found["customer_id"] is None
        assert refused(found) == {"any offer": "not a customer, or erased"}
    assert said(answer(state, "email", customer_id="zz")) == [("silence", None)]


def test_a_stranger_is_answered_from_intent_and_a_known_device_from_its_owner():
    chances = {f"category_{r}_probability": [p] for r, p in ((1, 0.5), (2, 0.3), (3, 0.1))}
    state = state_of(
        {"customer_id": "a"},
        response_scores=responses("a", percent_10=0.5),
        visitors=pd.DataFrame({"visitor_id": ["v2"], "customer_id": ["a"]}),
        intent_scores=pd.DataFrame(
            {"visitor_id": ["v1"], "soon_probability": [0.2], "category_1": ["Livres"],
             "category_2": ["Jardin"], "category_3": ["Cuisine"], **chances}
        ),
    )  # fmt: skip
    found = answer(state, customer_id=None, visitor_id="v1", context={"cart": ["Jardin"]})
    assert said(found) == [("show", "Livres"), ("show", "Cuisine")]
    assert "50%" in found["actions"][0]["reason_en"]
    assert refused(found) == {"any offer": "nobody knows who this is"}
    assert answer(state, customer_id=None, visitor_id="v2")["customer_id"] == "a"
    assert said(answer(state, customer_id=None, visitor_id="v9")) == [("serve", None)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "must be an object"),
        ({"channel": "web"}, "customer_id or visitor_id is missing"),
        ({"customer_id": 7, "channel": "web"}, "customer_id must be a text"),
        ({"customer_id": "a"}, "channel must be one of"),
        ({"customer_id": "a", "channel": "fax"}, "channel must be one of web, adviser"),
        ({"customer_id": "a", "channel": "web", "colour": 1}, "no field colour; it has"),
        ({"customer_id": "a", "channel": "web", "moment": "soon"}, "moment must be a time"),
        ({"customer_id": "a", "channel": "web", "context": {"x": 1}}, "context has no field x"),
        ({"customer_id": "a", "channel": "web", "context": {"cart": "b"}}, "cart must be a list"),
        ({"customer_id": "a", "channel": "web", "hits": [{"at": "2026-01-01"}]}, "kind of page"),
    ],
)
def test_a_bad_request_says_what_to_write(given, told):
    with pytest.raises(RequestError, match=told):
        read_request(given, moment=NOW)


def test_the_state_comes_back_as_it_was_written_and_its_bytes_repeat(state, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        state.save(tmp_path / name)
    again = ServiceState.load(tmp_path / "one")
    assert again.words == state.words
    assert answer(again) == answer(state)
    one, two = ((tmp_path / n / "state.npz").read_bytes() for n in ("one", "two"))
    assert one == two


def test_the_order_of_the_rows_changes_nothing_and_nobody_takes_anothers_scores():
    people = [{"customer_id": c} for c in ("b", "a10", "a")]
    scores = pd.concat([responses("b", percent_10=1.0), responses("a", percent_10=2.0)])
    two = [
        state_of(*rows, response_scores=table)
        for rows, table in ((people, scores), (people[::-1], scores[::-1]))
    ]
    for found in two:
        gains = [answer(found, customer_id=c)["actions"][0]["expected_gain"] for c in ("a", "b")]
        assert gains == [2.0, 1.0]
        assert said(answer(found, customer_id="a10")) == [("serve", None)]
    assert np.array_equal(two[0].gain, two[1].gain, equal_nan=True)


# --- the gate, one by one, says what the gate of lists says -------------------------------------

NAMES = ("a", "b", "c")
flag = st.sampled_from([True, False, None])
instant = st.none() | st.integers(0, 60).map(lambda d: datetime(2026, 4, 3, 15) - timedelta(days=d))
person = st.fixed_dictionaries(
    {f"consent_{c}": flag for c in CONSENTS}
    | {f"reachable_{c}": flag for c in CONSENTS[:4]}
    | {"last_order_at": instant, "updated_at": instant}
    | {"preferred_channel": st.none() | st.sampled_from(CHANNELS)}
)
event = st.tuples(
    st.sampled_from((*NAMES, "z")), st.integers(0, 5), st.sampled_from(CHANNELS),
    st.integers(-10, 40), st.sampled_from(["sent", "held_out", "unsubscribed", "opened"]),
)  # fmt: skip
rule = st.builds(
    ContactRule, st.integers(0, 2), st.integers(1, 14), st.none() | st.sampled_from(CHANNELS)
)
had = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([*OFFERS, "Jardin"])),
    max_size=3, unique=True,
)  # fmt: skip
world = st.fixed_dictionaries(
    {
        "people": st.lists(person, min_size=3, max_size=3),
        "events": st.lists(event, max_size=8, unique_by=lambda e: (e[1], e[4])),
        "rules": st.lists(rule, max_size=2),
        "owned": had,
        "retention_days": st.none() | st.integers(0, 40),
        "only_preferred": st.booleans(),
    }
)


def made(given: dict) -> tuple[dict, ServiceState]:
    rows = [{"customer_id": n, **p} for n, p in zip(NAMES, given["people"], strict=True)]
    customers = persons(*rows).astype(
        {"last_order_at": "datetime64[us]", "updated_at": "datetime64[us]"}
        | {f"consent_{c}": "boolean" for c in CONSENTS}
        | {f"reachable_{c}": "boolean" for c in CONSENTS[:4]}
    )
    contacts = pd.DataFrame(
        [(c, f"k{c}{k}", ch, datetime(2026, 3, 31, 9) - timedelta(days=d), e)
         for c, k, ch, d, e in given["events"]],
        columns=["customer_id", "contact_id", "channel", "at", "event"],
    ).astype({"at": "datetime64[us]", "customer_id": "str", "contact_id": "str"})  # fmt: skip
    owned = pd.DataFrame(given["owned"], columns=["customer_id", "offer_id"]).astype("str")
    settings = {n: given[n] for n in ("rules", "retention_days", "only_preferred")}
    tables = {"customers": customers, "contacts": contacts, "owned": owned, **settings}
    scores = pd.concat(
        [responses(c, channel=ch, none=0.1, percent_10=0.3, percent_30=0.2)
         for c in NAMES for ch in ("web", "email", "phone")]
    )  # fmt: skip
    suggested = pd.concat([suggestions(c, "Jardin", "Livres") for c in NAMES])
    return tables, build_state(
        as_of=AS_OF, response_scores=scores, cross_sell_scores=suggested, **tables
    )


def test_caps_of_the_shop_hold_in_the_shop():
    rules = [ContactRule(0, 1, "store")]
    state = build_state(
        as_of=AS_OF, customers=persons({"customer_id": "a"}), rules=rules,
        response_scores=responses("a", none=0.1, percent_10=0.3),
    )  # fmt: skip
    said = {name: answer(state, name) for name in ("web", "adviser", "store")}
    offered = {n: any(a["action"] == "offer" for a in s["actions"]) for n, s in said.items()}
    assert offered == {"web": True, "adviser": True, "store": False}
    assert "more than 0 store messages in 1 days" in str(said["store"]["must_not_offer"])


@given(world)
@settings(max_examples=25, deadline=None)
def test_the_fast_gate_agrees_with_the_gate_of_lists(given):
    tables, state = made(given)
    rows = [
        (who, channel, offer, AS_OF + timedelta(days=day))
        for who in (*NAMES, "z")
        for channel in (*CHANNELS, "fax")
        for offer in ("percent_10", "Jardin", "x")
        for day in (0, 5)
    ]
    candidates = pd.DataFrame(rows, columns=["customer_id", "channel", "offer_id", "day"])
    gated = pass_gate(candidates.assign(number=range(len(rows))), together=False, **tables)
    told = dict(zip(*(gated.stopped[n].to_pylist() for n in ("number", "reason")), strict=True))
    for number, (who, channel, offer, day) in enumerate(rows):
        found = why_stopped(
            state, state.place(who), channel=channel, offer=offer,
            day=(day - date(1970, 1, 1)).days,
        )  # fmt: skip
        assert found == told.get(number), (who, channel, offer, day)


@given(world, st.sampled_from(["web", "adviser", "store", *CHANNELS]), st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_no_answer_breaks_the_gate(given, channel, days):
    tables, state = made(given)
    moment = datetime(2026, 3, 31, 12, tzinfo=UTC) + timedelta(days=days)
    rows = []
    for who in (*NAMES, "z"):
        found = decide(state, read_request({"customer_id": who, "channel": channel}, moment=moment))
        for action in found["actions"]:
            by = "web" if channel == "adviser" else channel
            # Goods shown to who came by herself are no message: caps do not count them.
            message = action["action"] == "offer"
            for what in filter(None, (action["offer"], action["item"])):
                rows.append((who, by, what, moment.date(), message))
    names = ["customer_id", "channel", "offer_id", "day", "message"]
    said = pd.DataFrame(rows, columns=names).astype({"customer_id": "str", "offer_id": "str"})
    for is_message, rules in ((True, tables["rules"]), (False, ())):
        part = said[said["message"] == is_message].assign(day=lambda t: pd.to_datetime(t["day"]))
        gated = pass_gate(part, together=False, **{**tables, "rules": rules})
        assert gated.reasons == {}
