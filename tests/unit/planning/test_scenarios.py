"""Actions: due in time, stopped by what happened since, and never past the gate."""

from __future__ import annotations

import copy
from datetime import date, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customer360.contracts import CONTRACTS
from customer360.planning.pressure import ContactRule
from customer360.planning.scenario_rules import Scenario, ScenarioRules
from customer360.planning.scenarios import CAPACITY, CONTROL, count_stops, dry_run

AS_OF = date(2026, 3, 31)
DAY = date(2026, 3, 2)
ASKED = {"timezone": "Europe/Paris", "horizon_days": 60}


def frame(name: str, *rows: dict) -> pd.DataFrame:
    columns = CONTRACTS[name].column_names
    return pd.DataFrame([{c: row.get(c) for c in columns} for row in rows], columns=columns)


def persons(*names: str, **more) -> pd.DataFrame:
    usual = {f"consent_{c}": True for c in ("email", "sms", "phone", "post", "third_party")}
    usual |= {f"reachable_{c}": True for c in ("email", "sms", "phone", "post")}
    usual |= {"as_of": AS_OF, "created_at": datetime(2020, 1, 1)}
    usual |= {"last_order_at": datetime(2026, 3, 1), "updated_at": datetime(2026, 3, 1)}
    rows = [usual | {"customer_id": name} | more for name in names]
    return frame("customers", *rows).astype({"preferred_channel": "str"})


def orders(*rows: tuple[str, date]) -> pd.DataFrame:
    return frame("customer_orders", *(
        {"customer_id": c, "order_id": f"{c}{n}", "line_no": "1", "amount": 9.0, "ordered_on": day,
         "ordered_at": datetime(day.year, day.month, day.day, 10)}
        for n, (c, day) in enumerate(rows)
    ))  # fmt: skip


def claims(*rows: tuple[str, date]) -> pd.DataFrame:
    return frame("customer_conversations", *(
        {"customer_id": c, "at": datetime(day.year, day.month, day.day, 15), "channel": "call",
         "direction": "in", "reason": "casse"}
        for c, day in rows
    ))  # fmt: skip


def sent(*rows: tuple[str, str, date, str]) -> pd.DataFrame:
    return frame("customer_contacts", *(
        {"customer_id": c, "contact_id": f"k{n}", "channel": channel, "event": event,
         "at": datetime(day.year, day.month, day.day, 9)}
        for n, (c, channel, day, event) in enumerate(rows)
    ))  # fmt: skip


def scenario(name: str = "thanks", **more) -> Scenario:
    usual = {"about": name, "when": "order", "wait_days": 2, "channels": ("email", "sms"),
             "content": name, "priority": 1, "once_in_days": 30}  # fmt: skip
    return Scenario(name=name, **usual | more)


def run(scenarios, tables, start=DAY, end=AS_OF, rules=(), earlier=None, **shared) -> pd.DataFrame:
    made = ScenarioRules(tuple(scenarios), contact_rules=tuple(rules), **shared)
    return dry_run(made, tables, start=start, end=end, earlier=earlier, **ASKED)


def told(actions: pd.DataFrame) -> list[tuple]:
    """Rows of customer, scenario, day, channel, what stopped it."""
    rows = actions[["customer_id", "scenario", "day", "channel", "stopped_by"]]
    return [tuple(None if pd.isna(v) else v for v in row) for row in rows.to_numpy()]


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_an_action_goes_so_many_days_after_its_occasion():
    tables = {"customers": persons("a"), "customer_orders": orders(("a", DAY))}
    assert told(run([scenario()], tables)) == [("a", "thanks", DAY + days(2), "email", None)]
    assert run([scenario()], tables, end=DAY + days(1)).empty
    assert run([scenario()], tables, start=DAY + days(3)).empty
    # Late is better than never, where the scenario says so.
    late = run([scenario(late_days=1)], tables, start=DAY + days(3))
    assert told(late) == [("a", "thanks", DAY + days(3), "email", None)]


def test_the_table_keeps_its_contract(tmp_path):
    from customer360.storage import Store

    (tmp_path / "params.yaml").touch()
    store = Store.open(tmp_path)
    tables = {"customers": persons("a"), "customer_orders": orders(("a", DAY), ("b", DAY))}
    actions = run([scenario()], tables)
    assert store.write("scenario_actions", actions) == 2
    assert store.write("scenario_actions", run([scenario()], {"customers": persons("a")})) == 0
    store.close()


@pytest.mark.parametrize(
    ("stop", "claim_on", "reason"),
    [
        ({"claim": None}, DAY + days(1), "claim since"),
        ({"claim": None}, DAY - days(1), None),
        # On the day of sending it stops; the day after it comes too late to be known.
        ({"claim": None}, DAY + days(2), "claim since"),
        ({"claim": None}, DAY + days(3), None),
        ({"claim": 4}, DAY - days(1), "claim in the last 4 days"),
        ({"claim": 4}, DAY - days(2), None),
        ({}, DAY + days(1), None),
    ],
)
def test_what_happened_since_stops_it(stop, claim_on, reason):
    tables = {
        "customers": persons("a"), "customer_orders": orders(("a", DAY)),
        "customer_conversations": claims(("a", claim_on)),
    }  # fmt: skip
    (row,) = told(run([scenario(stop_if=stop)], tables))
    assert row[-1] == reason


def test_a_second_order_restarts_the_wait_of_a_win_back():
    tables = {
        "customers": persons("a"),
        "customer_orders": orders(("a", DAY), ("a", DAY + days(4))),
    }
    back = scenario("back", wait_days=5, stop_if={"order": None})
    assert told(run([back], tables)) == [
        ("a", "back", DAY + days(5), None, "order since"),
        ("a", "back", DAY + days(9), "email", None),
    ]


def test_the_first_open_channel_is_taken():
    customers = pd.concat(
        [
            persons("a"),
            persons("b", consent_email=False),
            persons("c", reachable_email=False, consent_sms=None),
            persons("d", preferred_channel="sms"),
        ]
    )
    tables = {"customers": customers, "customer_orders": orders(*((c, DAY) for c in "abcde"))}
    day = DAY + days(2)
    assert told(run([scenario()], tables)) == [
        ("a", "thanks", day, "email", None),
        ("b", "thanks", day, "sms", None),
        ("c", "thanks", day, None, "no working address"),
        ("d", "thanks", day, "sms", None),
        ("e", "thanks", day, None, "not a customer, or erased"),
    ]


def test_the_more_urgent_goes_first_and_the_other_may_follow():
    tables = {"customers": persons("a"), "customer_orders": orders(("a", DAY))}
    both = [scenario("thanks", priority=2), scenario("survey", priority=1)]
    spacing = ContactRule(1, 3)
    day = DAY + days(2)
    assert told(run(both, tables, rules=[spacing])) == [
        ("a", "survey", day, "email", None), ("a", "thanks", day, None, spacing.told)
    ]  # fmt: skip
    both[0] = scenario("thanks", priority=2, late_days=3)
    assert told(run(both, tables, rules=[spacing])) == [
        ("a", "survey", day, "email", None), ("a", "thanks", day + days(3), "email", None)
    ]  # fmt: skip


def test_a_rule_of_one_channel_leaves_the_other_open():
    tables = {
        "customers": persons("a"), "customer_orders": orders(("a", DAY)),
        "customer_contacts": sent(("a", "email", DAY, "sent")),
    }  # fmt: skip
    (row,) = told(run([scenario()], tables, rules=[ContactRule(1, 7, "email")]))
    assert row == ("a", "thanks", DAY + days(2), "sms", None)


def test_campaigns_count_but_not_those_sent_afterwards():
    tables = {"customers": persons("a"), "customer_orders": orders(("a", DAY))}
    spacing = ContactRule(1, 3)
    for day, reason in ((DAY, spacing.told), (DAY + days(2), spacing.told), (DAY + days(3), None)):
        tables["customer_contacts"] = sent(("a", "sms", day, "sent"))
        (row,) = told(run([scenario()], tables, rules=[spacing]))
        assert row[-1] == reason


def test_a_person_gets_it_once_in_a_while_and_never_twice_for_one_occasion():
    shop = orders(("a", DAY), ("a", DAY + days(3)), ("a", DAY + days(12)))
    tables = {"customers": persons("a"), "customer_orders": shop}
    rare = scenario(once_in_days=10, late_days=2)
    again = "said already in the last 10 days"
    expected = [
        ("a", "thanks", DAY + days(2), "email", None),
        ("a", "thanks", DAY + days(7), None, again),
        ("a", "thanks", DAY + days(14), "email", None),
    ]
    actions = run([rare], tables)
    assert told(actions) == expected
    # What earlier days sent is not told again, and still counts.
    following = run([rare], tables, start=DAY + days(3), earlier=actions.head(1))
    assert told(following) == expected[1:]


def test_subjects_sizes_and_words():
    life = frame("customer_life_events", *(
        {"customer_id": c, "kind": kind, "day": DAY, "origin": "declared", "confidence": sure}
        for c, kind, sure in (("a", "move", 1.0), ("b", "birth", 1.0), ("c", "move", 0.4))
    ))  # fmt: skip
    home = scenario("home", when="life_event", subjects=("move",), content="new {subject}")
    tables = {"customers": persons(*"abc"), "customer_life_events": life}
    actions = run([home], tables)
    assert actions["customer_id"].tolist() == ["a", "c"]
    assert actions["content"].unique().tolist() == ["new move"]
    sure = scenario("home", when="life_event", subjects=("move",), at_least=0.6)
    assert run([sure], tables)["customer_id"].tolist() == ["a"]


def test_a_message_before_the_occasion():
    customers = persons("a").assign(birth_date=date(1980, 4, 5))
    early = scenario("birthday", when="birthday", wait_days=-10, once_in_days=300)
    (row,) = told(run([early], {"customers": customers}))
    assert row == ("a", "birthday", date(2026, 3, 26), "email", None)


def test_some_are_left_alone_on_purpose_always_the_same():
    names = [f"c{n}" for n in range(300)]
    shop = orders(*((c, DAY) for c in names), *((c, DAY + days(20)) for c in names))
    tables = {"customers": persons(*names), "customer_orders": shop}
    actions = run([scenario(once_in_days=10)], tables, control_share=0.2)
    left = actions[actions["stopped_by"] == CONTROL]
    assert 0.1 < len(left) / len(actions) < 0.3
    assert (left.groupby("customer_id").size() == 2).all()
    # They are treated as if it had been sent: compared with the others, they must be alike.
    often = run([scenario(once_in_days=30)], tables, control_share=0.2)
    kept = often["stopped_by"].isna() | (often["stopped_by"] == CONTROL)
    assert kept.sum() == len(names)


def test_the_most_urgent_take_a_full_channel_and_the_others_wait():
    shop = orders(*((c, DAY) for c in "abc"))
    tables = {"customers": persons(*"abcd"), "customer_orders": shop,
              "customer_conversations": claims(("d", DAY))}  # fmt: skip
    call = scenario("call", channels=("phone",), priority=2, late_days=1)
    urgent = scenario("urgent", when="claim", channels=("phone",))
    day = DAY + days(2)
    assert told(run([call, urgent], tables, daily_capacity={"phone": 2})) == [
        ("d", "urgent", day, "phone", None), ("a", "call", day, "phone", None),
        ("b", "call", day + days(1), "phone", None), ("c", "call", day + days(1), "phone", None),
    ]  # fmt: skip
    # Who cannot wait goes by the next channel; where that is full too, not at all.
    call = scenario("call", channels=("phone", "post"), priority=2)
    assert told(run([call, urgent], tables, daily_capacity={"phone": 2, "post": 1})) == [
        ("d", "urgent", day, "phone", None), ("a", "call", day, "phone", None),
        ("b", "call", day, "post", None), ("c", "call", day, None, CAPACITY),
    ]  # fmt: skip


def test_a_message_that_waits_for_room_leaves_the_day_to_another():
    tables = {"customers": persons("a", "b"), "customer_orders": orders(("a", DAY), ("b", DAY))}
    call = scenario("call", channels=("phone",), late_days=1)
    letter = scenario("letter", channels=("post",), priority=2)
    actions = run([call, letter], tables, rules=[ContactRule(1, 3)], daily_capacity={"phone": 1})
    day = DAY + days(2)
    spacing = ContactRule(1, 3).told
    assert told(actions) == [
        ("a", "call", day, "phone", None), ("a", "letter", day, None, spacing),
        ("b", "letter", day, "post", None), ("b", "call", day + days(1), None, spacing),
    ]  # fmt: skip


def test_data_too_old_are_not_used():
    customers = persons("a").assign(last_order_at=datetime(2020, 1, 1), updated_at=pd.NaT)
    tables = {"customers": customers, "customer_orders": orders(("a", DAY))}
    (row,) = told(run([scenario()], tables, retention_days=1095))
    assert row[-1] == "data too old to be used"


def test_stops_are_counted():
    tables = {
        "customers": pd.concat([persons("a", "b"), persons("c", consent_email=False)]),
        "customer_orders": orders(("a", DAY), ("b", DAY), ("c", DAY)),
        "customer_conversations": claims(("a", DAY)),
    }
    made = [
        scenario("second", priority=2, channels=("email",)),
        scenario("first", stop_if={"claim": None}, channels=("email",)),
    ]
    counts = count_stops(run(made, tables))
    assert counts.index.tolist() == ["first", "second"]
    assert counts.loc["first"].to_dict() == {
        "due": 3, "goes": 1, "no consent": 1, "claim since": 1
    }  # fmt: skip
    assert counts.loc["second", "goes"] == 2
    few = count_stops(run(made, tables), reasons=1)
    assert few.loc["first"].to_dict() == {"due": 3, "goes": 1, "no consent": 1, "other reasons": 1}
    assert count_stops(run(made, {"customers": persons("a")})).empty


def test_tables_are_left_as_they_were():
    tables = {"customers": persons("a"), "customer_orders": orders(("a", DAY))}
    before = copy.deepcopy(tables)
    run([scenario()], tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


# --- for any input ---

names = st.sampled_from(["a", "b"])
moments = st.integers(0, 12).map(lambda n: DAY + days(n))
pasts = st.integers(-8, 12).map(lambda n: DAY + days(n))
worlds = st.fixed_dictionaries(
    {
        "customers": st.lists(
            st.fixed_dictionaries(
                {
                    "consent_email": st.sampled_from([True, False, None]),
                    "consent_sms": st.booleans(),
                    "preferred_channel": st.sampled_from([None, "email", "sms"]),
                }
            ),
            min_size=2,
            max_size=2,
        ).map(lambda rows: pd.concat([persons(c, **r) for c, r in zip("ab", rows, strict=True)])),
        "customer_orders": st.lists(st.tuples(names, moments), max_size=6).map(
            lambda rows: orders(*rows)
        ),
        "customer_conversations": st.lists(st.tuples(names, moments), max_size=2).map(
            lambda rows: claims(*rows)
        ),
        "customer_contacts": st.lists(
            st.tuples(names, st.sampled_from(["email", "sms"]), pasts,
                      st.sampled_from(["sent", "held_out"])), max_size=4
        ).map(lambda rows: sent(*rows)),
    }
)  # fmt: skip
sets = st.lists(
    st.builds(
        scenario,
        when=st.sampled_from(["order", "first_order", "claim"]),
        wait_days=st.integers(0, 3),
        late_days=st.integers(0, 4),
        once_in_days=st.sampled_from([5, 8]),
        stop_if=st.sampled_from([{}, {"claim": None}, {"claim": 3, "order": None}]),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda made: [
        Scenario(**{**vars(s), "name": f"s{n}", "priority": n + 1}) for n, s in enumerate(made)
    ]
)
limits = st.lists(
    st.builds(ContactRule, st.integers(1, 2), st.integers(1, 6), st.sampled_from([None, "email"])),
    max_size=2,
)
rooms = st.sampled_from([{}, {"email": 1}, {"email": 0, "sms": 1}])
QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
END = DAY + days(7)


@settings(max_examples=15, **QUICK)
@given(worlds, sets, limits, rooms)
def test_no_trigger_breaks_the_gate(tables, made, rules, room):
    actions = run(made, tables, end=END, rules=rules, control_share=0.3, daily_capacity=room)
    goes = actions[actions["stopped_by"].isna()].to_dict("records")
    for (channel, _), rows in actions[actions["stopped_by"].isna()].groupby(["channel", "day"]):
        assert len(rows) <= room.get(channel, len(rows))
    customers = tables["customers"].set_index("customer_id")
    for row in goes:
        person = customers.loc[row["customer_id"]]
        assert person[f"consent_{row['channel']}"] in (True,)
        wanted = person["preferred_channel"]
        assert pd.isna(wanted) or wanted == row["channel"]
    for row in goes:
        # Seen from the day of each message: itself, and all that was sent before it.
        for rule in (r for r in rules if r.counts(row["channel"])):
            since = row["day"] - days(rule.window_days)
            own = [
                r for r in goes
                if r["customer_id"] == row["customer_id"] and since < r["day"] <= row["day"]
                and rule.counts(r["channel"])
            ]  # fmt: skip
            campaigns = [
                c for c in tables["customer_contacts"].itertuples()
                if c.customer_id == row["customer_id"] and c.event != "held_out"
                and since < c.at.date() <= row["day"] and rule.counts(c.channel)
            ]  # fmt: skip
            assert len(own) + len(campaigns) <= rule.at_most
    for s in made:
        of = sorted((r["customer_id"], r["day"]) for r in goes if r["scenario"] == s.name)
        for (one, before), (other, after) in pairwise(of):
            assert one != other or (after - before).days >= s.once_in_days


@settings(max_examples=6, **QUICK)
@given(worlds, sets, limits, rooms)
def test_a_dry_run_is_what_daily_runs_would_have_sent(tables, made, rules, room):
    limits = {"contact_rules": tuple(rules), "control_share": 0.3, "daily_capacity": room}
    shared = ScenarioRules(tuple(made), **limits)
    whole = dry_run(shared, tables, start=DAY, end=DAY + days(4), **ASKED)
    earlier = None
    for number in range(5):
        at = DAY + days(number)
        one = dry_run(shared, tables, start=at, end=at, earlier=earlier, **ASKED)
        went = one[one["stopped_by"].isna() | (one["stopped_by"] == CONTROL)]
        earlier = went if earlier is None else pd.concat([earlier, went], ignore_index=True)
    went = whole[whole["stopped_by"].isna() | (whole["stopped_by"] == CONTROL)]
    key = ["customer_id", "scenario", "due_on", "day", "channel", "stopped_by"]
    rows = [sorted(map(repr, t[key].to_numpy().tolist())) for t in (went, earlier)]
    assert rows[0] == rows[1]


@settings(max_examples=10, **QUICK)
@given(worlds, sets, limits, st.integers(0, 7))
def test_nothing_dated_after_the_day_is_read(tables, made, rules, number):
    at = DAY + days(number)
    dated = {"customer_orders": "ordered_at", "customer_conversations": "at",
             "customer_contacts": "at"}  # fmt: skip
    known = tables | {
        name: tables[name][pd.to_datetime(tables[name][time]) < pd.Timestamp(at + days(1))]
        for name, time in dated.items()
    }
    shared = ScenarioRules(tuple(made), contact_rules=tuple(rules))
    one, other = (dry_run(shared, t, start=at, end=at, **ASKED) for t in (tables, known))
    pd.testing.assert_frame_equal(one, other)
