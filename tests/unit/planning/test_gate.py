from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.planning.gate import contact_room, pass_gate
from customer360.planning.pressure import ContactRule

AS_OF = date(2026, 3, 31)
CONSENTS = ("email", "sms", "phone", "post", "third_party")


def persons(*rows: dict) -> pd.DataFrame:
    usual = {f"consent_{c}": True for c in CONSENTS} | {
        f"reachable_{c}": True for c in CONSENTS[:4]
    }
    usual |= {"preferred_channel": None, "as_of": AS_OF}
    usual |= {"last_order_at": datetime(2026, 3, 1), "updated_at": datetime(2025, 1, 1)}
    return pd.DataFrame([usual | row for row in rows]).astype({"preferred_channel": "str"})


def messages(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, channel, offer, days after as_of."""
    return pd.DataFrame(
        [(c, channel, offer, AS_OF + timedelta(days=d)) for c, channel, offer, d in rows],
        columns=["customer_id", "channel", "offer_id", "day"],
    )


def sent(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, channel, days before as_of, event."""
    return pd.DataFrame(
        [
            (c, f"k{n}", channel, datetime(2026, 3, 31, 9) - timedelta(days=d), event)
            for n, (c, channel, d, event) in enumerate(rows)
        ],
        columns=["customer_id", "contact_id", "channel", "at", "event"],
    )


def reasons(candidates, *, customers, contacts=None, rules=(), **more) -> list[str | None]:
    """Reason of each candidate, in their order; None where it passed."""
    numbered = candidates.assign(number=range(len(candidates)))
    gated = pass_gate(numbered, customers=customers, contacts=contacts, rules=rules, **more)
    found: list[str | None] = [None] * len(candidates)
    for row in gated.stopped.to_pylist():
        found[row["number"]] = row["reason"]
    assert gated.kept["number"].to_pylist() == [n for n, r in enumerate(found) if r is None]
    assert gated.kept.column_names == list(numbered.columns)
    return found


def test_consent_is_a_yes_that_was_given_for_this_channel():
    customers = persons(
        {"customer_id": "a", "consent_email": False},
        {"customer_id": "b", "consent_sms": None, "consent_third_party": False},
    )
    asked = messages(
        ("a", "email", "o", 1), ("a", "sms", "o", 1), ("b", "sms", "o", 1), ("b", "social", "o", 1),
        ("b", "web", "o", 1), ("b", "fax", "o", 1), ("c", "email", "o", 1),
    )  # fmt: skip
    no = "no consent"
    expected = [no, None, no, no, None, no, "not a customer, or erased"]
    assert reasons(asked, customers=customers) == expected


def test_address_preference_and_what_is_owned():
    customers = persons(
        {"customer_id": "a", "reachable_post": None},
        {"customer_id": "b", "preferred_channel": "sms"},
    )
    asked = messages(
        ("a", "post", "o", 1), ("b", "email", "o", 1), ("b", "sms", "o", 1), ("b", "web", "o", 1),
        ("b", "sms", "x", 1),
    )  # fmt: skip
    owned = pd.DataFrame({"customer_id": ["b", "a"], "offer_id": ["x", "y"]})
    expected = ["no working address", "asked for another channel", None, None, "has it already"]
    assert reasons(asked, customers=customers, owned=owned) == expected
    freely = reasons(asked, customers=customers, only_preferred=False)
    assert freely == ["no working address", None, None, None, None]


def test_retention_counts_from_the_last_sign_of_life():
    old, older = datetime(2023, 3, 31), datetime(2020, 1, 1)
    customers = persons(
        {"customer_id": "a", "last_order_at": older, "updated_at": old},
        {"customer_id": "b", "last_order_at": None, "updated_at": older},
        {"customer_id": "c", "last_order_at": None, "updated_at": None},
        {"customer_id": "d", "last_order_at": None},
    )
    asked = messages(("a", "email", "o", 0), ("a", "email", "o", 5), ("b", "email", "o", 0),
                     ("c", "email", "o", 0), ("d", "email", "o", 0))  # fmt: skip
    old_data = "data too old to be used"
    found = reasons(asked, customers=customers, retention_days=3 * 365 + 1)
    assert found == [None, old_data, old_data, old_data, None]


def test_an_unsubscription_after_the_customers_table_is_obeyed():
    customers = persons({"customer_id": "a"}, {"customer_id": "b"})
    stop = sent(("a", "email", -1, "unsubscribed"), ("b", "email", 30, "unsubscribed"))
    asked = messages(("a", "email", "o", 60), ("a", "sms", "o", 60), ("b", "email", "o", 60))
    # The older one is known to the table, where a later yes may have replaced it.
    found = reasons(asked, customers=customers, contacts=stop)
    assert found == ["no consent", None, None]


def test_past_contacts_count_once_each_and_held_out_ones_do_not():
    customers = persons({"customer_id": "a"}, {"customer_id": "b"})
    past = sent(("a", "email", 2, "sent"), ("b", "email", 2, "held_out"))
    past = pd.concat([past, past.iloc[:1].assign(event="opened")])
    asked = messages(
        ("a", "email", "o", 4), ("a", "email", "o", 5), ("b", "email", "o", 1), ("a", "sms", "o", 4)
    )
    spacing, cap = ContactRule(1, 7), ContactRule(2, 28)
    found = reasons(asked, customers=customers, contacts=past, rules=[spacing, cap], together=False)
    assert found == [spacing.told, None, None, spacing.told]
    only_email = ContactRule(1, 7, "email")
    found = reasons(asked, customers=customers, contacts=past, rules=[only_email], together=False)
    assert found == [only_email.told, None, None, None]
    room = contact_room(asked, contacts=past, rules=[spacing, cap]).to_pylist()
    assert [(r["customer_id"], r["day"].day, r["room_0"], r["room_1"]) for r in room] == [
        ("a", 4, 0, 1), ("a", 5, 1, 1), ("b", 1, 1, 2)
    ]  # fmt: skip


def test_messages_sent_together_count_against_each_other():
    customers = persons({"customer_id": "a"})
    asked = messages(("a", "email", "o", 1), ("a", "sms", "o", 3), ("a", "sms", "p", 8))
    spacing = ContactRule(1, 7)
    # The third keeps its distance from the first, and gives way to the second all the same.
    assert reasons(asked, customers=customers, rules=[spacing]) == [
        None, spacing.told, spacing.told
    ]  # fmt: skip
    assert reasons(asked, customers=customers, rules=[spacing], together=False) == [None] * 3


def test_stopped_are_counted_by_reason():
    gated = pass_gate(
        messages(("z", "email", "o", 1), ("a", "email", "o", 1), ("a", "email", "o", 1)),
        customers=persons({"customer_id": "a"}), contacts=None, rules=[ContactRule(1, 7)],
    )  # fmt: skip
    assert gated.reasons == {"more than 1 message in 7 days": 1, "not a customer, or erased": 1}
    with pytest.raises(ValueError, match="reason"):
        pass_gate(gated.stopped, customers=persons({"customer_id": "a"}), contacts=None, rules=[])


people = st.lists(
    st.fixed_dictionaries(
        {
            "consent_email": st.sampled_from([True, False, None]),
            "consent_sms": st.booleans(),
            "preferred_channel": st.sampled_from([None, "email", "sms"]),
        }
    ),
    min_size=1,
    max_size=4,
)
lists = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from(["email", "sms", "web"]), st.sampled_from(["o", "p"]),
        st.integers(0, 20),
    ),
    max_size=15,
)  # fmt: skip
pasts = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["email", "sms"]), st.integers(-5, 15)),
    max_size=6,
)
some_rules = st.lists(
    st.builds(ContactRule, st.integers(0, 3), st.integers(1, 14), st.sampled_from([None, "email"])),
    max_size=3,
)


@settings(max_examples=25, deadline=None)
@given(people, lists, pasts, some_rules)
def test_no_list_breaks_consent_cap_or_spacing(who, asked, past, rules):
    customers = persons(*[{"customer_id": str(n)} | row for n, row in enumerate(who)])
    before = sent(*[(str(c), channel, d, "sent") for c, channel, d in past])
    gated = pass_gate(
        messages(*[(str(c), *rest) for c, *rest in asked]),
        customers=customers, contacts=before, rules=rules,
        owned=pd.DataFrame({"customer_id": ["0"], "offer_id": ["p"]}),
    )  # fmt: skip
    kept = gated.kept.to_pylist()
    assert len(kept) + gated.stopped.num_rows == len(asked)
    for row in kept:
        person = who[int(row["customer_id"])]
        assert row["channel"] == "web" or person[f"consent_{row['channel']}"] is True
        assert row["channel"] == "web" or person["preferred_channel"] in (None, row["channel"])
        assert (row["customer_id"], row["offer_id"]) != ("0", "p")
    for rule in rules:
        # Every run of days that holds a kept message, counted one by one.
        for row in kept:
            if not rule.counts(row["channel"]):
                continue
            for first in range(rule.window_days):
                start = row["day"] - timedelta(days=first)
                end = start + timedelta(days=rule.window_days)
                same = [
                    r["day"]
                    for r in kept
                    if r["customer_id"] == row["customer_id"] and rule.counts(r["channel"])
                ]
                same += [
                    b.at.date()
                    for b in before.itertuples()
                    if b.customer_id == row["customer_id"] and rule.counts(b.channel)
                ]
                assert sum(start <= day < end for day in same) <= rule.at_most
