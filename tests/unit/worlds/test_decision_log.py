"""What the decision service offered is read back as contacts; what cannot be read is told."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from customer360.contracts import CONTRACTS
from customer360.worlds.decision_log import read_decision_log


def line(decision_id="d1", **more):
    usual = {
        "decision_id": decision_id, "at": "2026-01-05T10:30:00Z", "customer_id": "c1",
        "visitor_id": None, "channel": "web",
        "actions": [{"rank": 1, "action": "offer", "offer": "percent_10"},
                    {"rank": 2, "action": "show", "offer": None}],
    }  # fmt: skip
    return json.dumps(usual | more)


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines: str, name: str = "decisions.jsonl"):
        (tmp_path / name).write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
        contacts, rejected = read_decision_log(tmp_path)
        return contacts.to_pylist(), rejected.to_pylist()

    return write_and_read


def test_an_offer_is_a_contact(read):
    (contact,), rejected = read(line(channel="adviser", actions=[{"action": "offer",
                                                                  "offer": "gift"}]))  # fmt: skip
    assert contact == {
        "contact_id": "d1", "campaign_id": "service", "variant": "gift", "source": "service",
        "source_id": "c1", "channel": "store", "at": datetime(2026, 1, 5, 10, 30), "event": "sent",
    }  # fmt: skip
    assert set(contact) <= set(CONTRACTS["raw.contacts"].column_names)
    assert rejected == []


def test_the_same_offer_on_one_day_is_one_contact(read):
    again = "2026-01-05T09:00:00+00:00"
    contacts, _ = read(
        line("d2"), line("d1", at=again), line("d3", at="2026-01-06T09:00:00Z"),
        line("d4", customer_id="c2"), line("d5", actions=[{"action": "offer", "offer": "gift"}]),
    )  # fmt: skip
    assert [c["contact_id"] for c in contacts] == ["d1", "d3", "d4", "d5"]
    assert contacts[0]["at"] == datetime(2026, 1, 5, 9)


@pytest.mark.parametrize("action", ["show", "serve", "settle", "silence"])
def test_what_is_no_message_is_no_contact(read, action):
    assert read(line(actions=[{"action": action, "offer": None}])) == ([], [])
    assert read(line(customer_id=None)) == ([], [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"decision_id": "d1", "at"', "not one JSON object a line"),
        ("Camille, 12/03", "not one JSON object a line"),
        (line(""), "no decision_id"),
        (line(at="yesterday"), "at is no time"),
        (line(channel="fax"), "no such channel"),
        (line(actions=[]), "no action"),
        (line(actions=[{"action": "offer"}]), "an offer without a name"),
    ],
)
def test_a_line_that_cannot_be_read_is_set_aside_with_its_reason(read, bad, reason):
    contacts, (rejected,) = read(line("d9"), "", bad)
    assert [c["contact_id"] for c in contacts] == ["d9"]
    assert (rejected["file"], rejected["row"]) == ("decisions.jsonl", 3)
    assert rejected["reason"] == reason and json.loads(rejected["content"]) == bad
    assert set(rejected) == set(CONTRACTS["raw.rejected"].column_names)


def test_files_that_turned_over_are_read_too(read, tmp_path):
    read(line("d1", customer_id="old"), name="decisions.jsonl.1")
    contacts, rejected = read("", "no", line("d2"))
    assert {c["contact_id"] for c in contacts} == {"d1", "d2"}
    assert [(r["file"], r["row"]) for r in rejected] == [("decisions.jsonl", 2)]


def test_without_a_log_there_is_nothing(tmp_path):
    contacts, rejected = read_decision_log(tmp_path / "nowhere")
    assert contacts.num_rows == rejected.num_rows == 0
