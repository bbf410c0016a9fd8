from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from customer360.planning.audiences import AudienceError, choose_audiences
from customer360.planning.campaign_rules import CampaignRulesError, read_campaign_rules

AS_OF = date(2025, 12, 31)
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": list("abcd"),
        "as_of": AS_OF,
        "last_name": ["Roy", "Pic", "Bon", "Sec"],
        "orders": [0, 5, 7, 9],
        "last_order_at": [None, *[datetime(2025, 6, 1)] * 3],
        "updated_at": datetime(2025, 1, 1),
        "preferred_channel": pd.Series([None] * 4, dtype="str"),
        **{f"consent_{c}": [True, True, False, True] for c in ("email", "sms", "phone", "post")},
        "consent_third_party": False,
        **{f"reachable_{c}": True for c in ("email", "sms", "phone", "post")},
    }
)
VALUES = pd.DataFrame({"customer_id": list("bcd"), "clv": [10.0, 90.0, 50.0], "orders": [1, 1, 1]})


def choose(**rules) -> dict[str, list[str]]:
    found = choose_audiences(
        rules, known={"customers": CUSTOMERS, "values": VALUES}, customers=CUSTOMERS,
        contacts=None, as_of=AS_OF,
    )  # fmt: skip
    assert found.counts["members"].sum() == len(found.members)
    return found.members.groupby("name")["customer_id"].apply(list).to_dict()


def test_by_rule_by_model_and_by_both_through_the_gate():
    found = choose(
        new={"where": "orders = 0"},
        best={"by": "clv", "top": 2},
        good={"where": "orders > 1", "by": "-clv", "top": 2, "channel": "web"},
    )
    # c is the best, and has not agreed to be written to.
    assert found == {"new": ["a"], "best": ["d"], "good": ["b", "d"]}


def test_counts_tell_what_the_gate_stopped():
    found = choose_audiences(
        {"best": {"by": "clv", "top": 2}}, known={"v": VALUES}, customers=CUSTOMERS,
        contacts=None, as_of=AS_OF,
    )  # fmt: skip
    row = found.counts.iloc[0].to_dict()
    assert (row["chosen"], row["stopped"], row["members"]) == (2, 1, 1)
    assert row["rule"] == "the first 2 by clv"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"where": "age > 3"}, "audience x: .*age.*Columns that can be used: customer_id"),
        ({"where": "orders >"}, "audience x"),
        ({"where": "1=1); drop table customer; select (1"}, "one condition"),
        ({"where": "last_name = 'Roy'"}, "audience x"),
        ({"by": "clv"}, "go together"),
        ({"top": 3, "where": "true"}, "go together"),
        ({}, "give a condition"),
        ({"where": "true", "limit": 3}, "limit is not understood"),
        ({"where": "true", "channel": "fax"}, "the channel is one of"),
        ({"where": "clv > (select max(a) from read_csv('params.yaml') t(a))"}, "audience x"),
    ],
)
def test_says_what_is_wrong_with_a_rule(rule, told):
    with pytest.raises(AudienceError, match=told):
        choose(x=rule)


def test_an_error_quotes_no_value():
    with pytest.raises(AudienceError) as caught:
        choose(x={"where": "cast(updated_at as varchar)::integer > 3"})
    assert "2025" not in str(caught.value)


def test_no_audience():
    assert choose() == {}


RULES = """
audiences:
  new: {where: orders = 0}
service_levels:
  - {name: plain, response_hours: 48, care_channel: mail, minutes: 4, kept_share: 0.01}
traps: {email_domain: t.example, street: 1 rue A, postcode: "75001", city: Paris}
"""


SUBGROUPS = """
subgroups:
  fans: {where: reduced_share > 0.1, expect: more, declared_on: 2025-01-31, offer: percent}
"""


def test_the_rules_of_a_brand_are_read():
    found = read_campaign_rules(RULES)
    assert found.subgroups == {}
    assert found.audiences == {"new": {"where": "orders = 0"}}
    assert found.service_levels[0].gesture == 0.0 and found.traps["phones"] == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("where:", "were:", "audience new: were is not understood"),
        ("minutes: 4, ", "", "a service level: minutes is missing"),
        ("city: Paris", "town: Paris", "traps: town"),
        ("audiences:", "audience:", "audience is not understood"),
        ("audiences:", "- audiences", "no YAML"),
        ("{where: orders = 0}", "everybody", "audience new: write keys and values"),
    ],
)
def test_says_what_is_wrong_with_the_rules(before, after, told):
    with pytest.raises(CampaignRulesError, match=told):
        read_campaign_rules(RULES.replace(before, after))


def test_subgroups_are_read_with_their_day():
    fans = read_campaign_rules(RULES + SUBGROUPS).subgroups["fans"]
    assert fans["declared_on"] == date(2025, 1, 31) and fans["offer"] == "percent"
    assert read_campaign_rules(RULES + "subgroups:").subgroups == {}
    quoted = SUBGROUPS.replace("2025-01-31", "'2025-01-31'")
    assert read_campaign_rules(RULES + quoted).subgroups["fans"] == fans


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("where: ", "were: ", "subgroup fans: were is not understood"),
        (", expect: more", "", "subgroup fans: expect is missing"),
        ("more", "much", "subgroup fans: expect is one of more, less"),
        ("offer: percent", "channel: fax", "subgroup fans: channel is one of email"),
        ("2025-01-31", "yesterday", "subgroup fans: write declared_on as a day"),
        ("2025-01-31", "2025-01-31 08:00:00", "subgroup fans: write declared_on as a day"),
        ("  fans: ", "- fans: ", "subgroups: write each with its name"),
    ],
)
def test_says_what_is_wrong_with_a_subgroup(before, after, told):
    with pytest.raises(CampaignRulesError, match=told):
        read_campaign_rules(RULES + SUBGROUPS.replace(before, after, 1))


def test_the_rules_that_come_along_can_be_followed():
    text = (Path(__file__).parents[3] / "campaigns.yaml").read_text(encoding="utf-8")
    assert len(read_campaign_rules(text).subgroups) == 3
