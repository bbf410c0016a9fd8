from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.golden import build_golden_record
from customer360.linkage.reachability import (
    judge_contact_points,
    reachability_by_channel,
    unsubscriptions,
)
from customer360.linkage.repair import channel_reach, make_repair_queue, queue_summary

AS_OF = date(2025, 12, 31)
PEOPLE = pd.DataFrame(
    {
        "source": ["crm", "web", "till"],
        "source_id": ["1", "2", "3"],
        "email": ["a@x.fr", "b@x.fr", "a@x.fr"],
        "phone": ["+33612345678", None, "+33145678901"],
        "street": ["3 rue des Pins Appt 4", "3 R. des Pins", None],
        "postcode": ["75001", "75001", "13001"],
        "consent_email": pd.array([True, True, None], dtype="boolean"),
        "consent_post": pd.array([True, None, False], dtype="boolean"),
        "created_at": pd.to_datetime(["2020-01-01"] * 3),
        "updated_at": pd.to_datetime(["2021-01-01"] * 3),
    }
)
LINKED = pd.DataFrame(
    {"source": PEOPLE["source"], "source_id": PEOPLE["source_id"], "customer_id": ["A", "A", "B"]}
)


def contacts(*events: tuple[str, str, str, str | None], source_id: str = "1") -> pa.Table:
    source = dict(zip(PEOPLE["source_id"], PEOPLE["source"], strict=True))[source_id]
    rows = [
        {
            "contact_id": f"k{number}",
            "source": source,
            "source_id": source_id,
            "channel": channel,
            "at": pd.Timestamp(at),
            "event": event,
            "reason": reason,
        }
        for number, (channel, event, at, reason) in enumerate(events)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(CONTRACTS["staged.contacts"]))


def states(sent: pa.Table | None, people: pd.DataFrame = PEOPLE) -> dict[tuple[str, str], str]:
    found = judge_contact_points(people, LINKED, sent, as_of=AS_OF).to_pylist()
    return {(row["source"], row["field"]): row["state"] for row in found}


UNKNOWN = ("email", "bounced", "2025-01-01", "adresse inconnue")
FULL = ("email", "bounced", "2025-02-01", "boîte pleine")


def arrives(day: str, channel: str = "email") -> tuple[str, str, str, None]:
    return channel, "delivered", day, None


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([arrives("2025-01-01")], "works"),
        ([UNKNOWN], "hard"),
        ([UNKNOWN, arrives("2025-02-01")], "hard"),
        ([UNKNOWN, arrives("2025-02-01"), arrives("2025-03-01")], "works"),
        ([arrives("2024-02-01"), arrives("2024-03-01"), UNKNOWN], "hard"),
        ([FULL], "soft"),
        ([FULL, arrives("2025-03-01")], "works"),
        ([FULL, ("email", "bounced", "2025-02-02", None), FULL], "hard"),
        ([("email", "bounced", "2026-02-02", "adresse inconnue")], None),
    ],
)
def test_hard_failures_condemn_and_soft_ones_pass(events, state):
    assert states(contacts(*events)).get(("crm", "email")) == state


def test_a_dead_mailbox_is_dead_whoever_named_it_and_an_address_is_one_persons():
    found = states(contacts(UNKNOWN, ("post", "undeliverable", "2025-01-01", "PND")))
    # Another writing of the same house, by another record of the same customer.
    assert found == {
        ("crm", "email"): "hard",
        ("till", "email"): "hard",
        ("crm", "street"): "hard",
        ("web", "street"): "hard",
    }
    assert states(None) == {}


def test_a_record_changed_since_is_tried_once_more():
    changed = PEOPLE.assign(updated_at=pd.Timestamp("2025-06-01"))
    sent = contacts(UNKNOWN)
    judged = judge_contact_points(changed, LINKED, sent, as_of=AS_OF)
    assert set(judged["changed_since"].to_pylist()) == {True}
    ways = golden(changed, sent)[1]
    assert ways.loc[("B", "email"), ["state", "reachable"]].tolist() == ["changed", True]


def test_unsubscriptions_tell_channel_and_day():
    sent = contacts(("email", "unsubscribed", "2025-01-01", None), UNKNOWN)
    assert unsubscriptions(sent, LINKED, as_of=AS_OF).to_pylist() == [
        {
            "customer_id": "A",
            "source": "crm",
            "source_id": "1",
            "field": "consent_email",
            "moment": pd.Timestamp("2025-01-01"),
        }
    ]
    assert unsubscriptions(None, LINKED, as_of=AS_OF).num_rows == 0


def golden(people: pd.DataFrame, sent: pa.Table) -> tuple[pa.Table, pd.DataFrame]:
    _, provenance = build_golden_record(people, LINKED, as_of=AS_OF, contacts=sent)
    judged = judge_contact_points(people, LINKED, sent, as_of=AS_OF)
    ways = reachability_by_channel(provenance, judged)
    contract = CONTRACTS["reachability"]
    validate_batch(contract, ways.cast(arrow_schema(contract)))
    return provenance, ways.to_pandas().set_index(["customer_id", "channel"])


def test_reachability_and_consent_carry_date_and_reason():
    sent = contacts(UNKNOWN, ("email", "unsubscribed", "2025-03-01", None))
    _, ways = golden(PEOPLE, sent)
    # A has another address; B has none, and a landline takes no SMS.
    assert ways.loc[("A", "email"), ["reachable", "mended"]].tolist() == [True, True]
    assert ways.loc[("A", "email"), ["consent", "consent_reason"]].tolist() == [
        False,
        "unsubscribed",
    ]
    assert ways.loc[("A", "email"), "consent_at"] == pd.Timestamp("2025-03-01")
    dead = ways.loc[("B", "email")]
    assert (dead["reachable"], dead["state"]) == (False, "hard")
    assert (dead["state_reason"], dead["state_at"]) == (
        "adresse inconnue",
        pd.Timestamp("2025-01-01"),
    )
    assert ways["reachable"].loc[[("B", "sms"), ("B", "phone"), ("A", "sms")]].tolist() == [
        False,
        True,
        True,
    ]
    assert ways.loc[("A", "post"), "may_contact"] and not ways.loc[("A", "sms"), "may_contact"]
    assert ways.loc[("B", "post"), "state"] == "missing"


def queue_of(sent: pa.Table, **margins: float) -> pd.DataFrame:
    provenance, ways = golden(PEOPLE, sent)
    orders = pd.DataFrame(
        {
            "customer_id": list(margins),
            "ordered_on": [date(2025, 6, 1)] * len(margins),
            "margin": list(margins.values()),
        }
    )
    orders.loc[len(orders)] = ["B", date(2020, 1, 1), 9999.0]
    made = make_repair_queue(
        provenance=provenance,
        reachability=pa.Table.from_pandas(ways.reset_index(), preserve_index=False),
        states=judge_contact_points(PEOPLE, LINKED, sent, as_of=AS_OF),
        linked_records=LINKED,
        orders=orders,
        reach=channel_reach(sent),
        as_of=AS_OF,
    )
    contract = CONTRACTS["repair_queue"]
    validate_batch(contract, made.cast(arrow_schema(contract)))
    assert queue_summary(made)["customers"].sum() == made.num_rows
    return made.to_pandas()


def test_the_queue_says_what_to_try_best_value_first():
    queue = queue_of(contacts(UNKNOWN), A=100.0, B=300.0)
    assert list(zip(queue["customer_id"], queue["field"], strict=True)) == [
        ("B", "email"),
        ("A", "email"),
    ]
    assert queue["expected_value"].is_monotonic_decreasing
    assert queue["action"].tolist() == ["ask the customer", "write the value of web"]
    assert queue["try_value"].tolist()[1] == "b@x.fr"
    assert queue["reason"].unique().tolist() == ["adresse inconnue"]
    # B refused letters: its missing street is not worth asking for.
    assert queue_of(contacts(UNKNOWN), A=-5.0).empty


def test_reach_is_what_was_seen_of_what_was_sent():
    sent = contacts(
        ("email", "sent", "2025-01-01", None),
        ("email", "sent", "2025-01-02", None),
        ("post", "sent", "2025-01-02", None),
    ).to_pylist()
    more = [
        {**sent[0], "event": "opened", "reason": "proxy"},
        {**sent[1], "event": "opened"},
        {**sent[2], "event": "delivered"},
    ]
    table = pa.Table.from_pylist([*sent, *more], schema=arrow_schema(CONTRACTS["staged.contacts"]))
    assert channel_reach(table).to_pylist() == [
        {"channel": "email", "sent": 2, "reach": 0.5},
        {"channel": "post", "sent": 1, "reach": 1.0},
    ]
