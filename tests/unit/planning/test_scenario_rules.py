from __future__ import annotations

import pytest
import yaml
from module_dependencies import ROOT

from customer360.handoff.traps import TrapPoints
from customer360.planning.pressure import ContactRule
from customer360.planning.scenario_rules import ScenarioError, read_scenarios

GOOD = """\
daily_capacity:
  {phone: 20}
control_share: 0.1
scenarios:
  thanks:
    about: Thanks
    when: order
    wait_days: 3
    channels: [email, sms]
    content: thanks
    priority: 2
    stop_if: {claim: since, unsubscribed: 30}
    once_in_days: 90
"""


def test_rules_are_read_with_their_defaults():
    rules = read_scenarios(GOOD, contact_rules=[ContactRule(1, 7)])
    (thanks,) = rules.scenarios
    assert (thanks.name, thanks.when, thanks.wait_days, thanks.late_days) == (
        "thanks", "order", 3, 0
    )  # fmt: skip
    assert thanks.channels == ("email", "sms")
    assert thanks.stop_if == {"claim": None, "unsubscribed": 30}
    assert rules.occasions == {"order", "claim", "unsubscribed"}
    assert rules.contact_rules == (ContactRule(1, 7),) and rules.control_share == 0.1
    assert rules.daily_capacity == {"phone": 20}


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("when: order", "when: ordr", "line 7, scenario thanks, when: no occasion is called 'ordr'"
         "; did you mean order?"),
        ("about: Thanks", "abuot: Thanks", "line 6, scenario thanks, abuot: no such key; did you "
         "mean about?"),
        ("about: Thanks", "abuot: Thanks", "line 5, scenario thanks: `about` is missing"),
        ("[email, sms]", "[email, fax]", "line 9, scenario thanks, channels: no channel is called "
         "'fax'; write one of email"),
        ("[email, sms]", "[]", "channels: there is none; write a list such as [email, sms]"),
        ("[email, sms]", "email", "it is 'email'; write a list such as"),
        ("wait_days: 3", "wait_days: soon", "line 8, scenario thanks, wait_days: it is 'soon'; "
         "write a whole number of days"),
        ("wait_days: 3", "wait_days: true", "it is True"),
        ("claim: since", "claim: often", "line 12, scenario thanks, stop_if: claim: it is 'often';"
         " write `claim: since` or `claim: 30`"),
        ("claim: since", "clam: since", "no such occasion; did you mean claim?"),
        ("once_in_days: 90", "once_in_days: 3\n    late_days: 5", "once_in_days: it is not longer "
         "than late_days; write more than 5"),
        ("priority: 2", "priority: 0", "line 11, scenario thanks, priority: it is 0"),
        ("priority: 2", "priority: 2\n    priority: 3", "priority: it stands twice; see line 12"),
        ("phone: 20", "phone: -1", "line 2, daily_capacity: phone: it is -1; write a whole"),
        ("phone: 20", "phone: many", "line 2, daily_capacity: phone: it is 'many'"),
        ("phone: 20", "phoen: 20", "line 1, daily_capacity: no channel is called 'phoen'; did you "
         "mean phone?"),
        ("{phone: 20}", "20", "line 1, daily_capacity: it is 20; write messages a day by channel"),
        ("control_share: 0.1", "control_share: 5", "line 3, control_share: it is 5; write a share"),
        ("control_share: 0.1", "contrl_share: 0.1", "line 3, contrl_share: no such key"),
        ("control_share: 0.1", "expires_days: 0", "line 3, expires_days: it is 0; write 1"),
        ("[email, sms]", "[email, sms", "line 10: "),
        ("scenarios:", "scenario:", "there is no `scenarios:`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_scenario_and_remedy(was, now, told):
    assert was in GOOD
    with pytest.raises(ScenarioError) as caught:
        read_scenarios(GOOD.replace(was, now, 1))
    assert told in str(caught.value)
    assert str(caught.value).startswith("scenarios.yaml")


def test_all_problems_are_told_at_once():
    bad = GOOD.replace("order", "ordr").replace("[email, sms]", "[fax]").replace("0.1", "2")
    with pytest.raises(ScenarioError) as caught:
        read_scenarios(bad)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("text", ["", "[]", "scenarios: {thanks: }", "scenarios: 3"])
def test_empty_rules_are_refused(text):
    with pytest.raises(ScenarioError, match="write"):
        read_scenarios(text)


def test_who_is_cyclic_means_the_same_in_both_stages():
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for name in ("cycle_p_value", "cycle_arc_share"):
        assert params["scenarios"][name] == params["segmentation"][name]


def test_a_person_is_contacted_as_often_whoever_sends():
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    rules = [params[n]["contact_rules"] for n in ("campaigns", "scenarios", "next_best_action")]
    assert rules[0] == rules[1] == rules[2] != []
    with pytest.raises(ScenarioError, match="contact_rules: no such key"):
        read_scenarios("contact_rules: []\n" + GOOD)


def test_the_rules_of_the_project_are_good():
    text = (ROOT / "scenarios.yaml").read_text(encoding="utf-8")
    rules = read_scenarios(text)
    assert {s.name for s in rules.scenarios} == set(yaml.safe_load(text)["scenarios"])
    assert len({s.priority for s in rules.scenarios}) == len(rules.scenarios)
    traps = dict(rules.traps)
    assert TrapPoints(**traps | {"phones": tuple(traps["phones"])}).phones
