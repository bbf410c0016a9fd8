"""The brief says what a campaign manager needs, and loads nothing."""

from __future__ import annotations

import copy
import re
from datetime import date

import pandas as pd
import pytest

from customer360 import report

DIGEST = "9f86d081884c7d659a2feaa0c55ad015"
MANIFEST = {
    "campaign_id": "spring-2026",
    "population": "Customers who <were> leaving",
    "made_on": "2026-01-01",
    "expires_on": "2026-01-29",
    "customers_contacted": 8421,
    "customers_in_control": 842,
    "key_mark": "1a2b3c4d",
    "models": {"churn": {"version": 3, "link": "models:/churn/3"}, "clv": 2},
    "thresholds": {"explored_share": 0.05},
    "expected": {"margin": 41234.5, "margin_low": 28000, "margin_high": 52000, "orders": 1540},
    "files": {
        "email.csv": {"rows": 5210, "sha256": DIGEST, "about": "for the tool that sends: email"}
    },
}
COUNTS = pd.DataFrame(
    [("at risk", "sms", 2), ("at risk", "email", 1300), ("loyal", "email", 5)],
    columns=["segment", "channel", "messages"],
)


def read(html: str) -> str:
    """What stands on the page, in one line with plain spaces."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u202f", " ").split())


def brief(manifest=MANIFEST, **more) -> str:
    return report.campaign_brief(manifest, dataset="demo", currency="EUR", **more)


def test_says_what_to_whom_when_and_what_for():
    text = read(brief(counts=COUNTS, starts_on=date(2026, 1, 5), ends_on=date(2026, 1, 28)))
    for told in (
        "Spring 2026", "people to contact 8 421", "left alone on purpose 842",
        "extra margin expected €41 234 €28 000 to €52 000",
        "Send from Monday 5 January 2026 to Wednesday 28 January 2026",
        "after 29 January 2026", "orders 1 540", "explored share: 5%",
        "email.csv for the tool that sends: email 5 210 9f86d081884c",
        "Kind of customer email sms all at risk 1 300 2 1 302 loyal 5 – 5 all 1 305 2 1 307",
        "churn , version 3", "clv , version 2", "control.csv",
    ):  # fmt: skip
        assert told in text, told


def test_a_day_in_the_name_keeps_its_dashes():
    manifest = MANIFEST | {"campaign_id": "day_of-scenarios-2026-01-02"}
    assert "<h1>Day of scenarios 2026-01-02</h1>" in brief(manifest)


def test_is_self_contained_and_escapes_what_it_is_given():
    html = brief(never=["Not on **Sundays**"], limits=["<script>x</script>"])
    assert "&lt;were&gt;" in html and "<script" not in html
    assert "<strong>Sundays</strong>" in html and "cannot tell" in html
    links = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert links == ["data:,", "http://127.0.0.1:5000/#/models/churn/versions/3"]


def test_a_link_below_the_mlflow_page_opens_there():
    told = {"churn": {"version": "0a1b", "link": "#/models/demo-churn"}}
    assert 'href="http://127.0.0.1:5000/#/models/demo-churn"' in brief(MANIFEST | {"models": told})


def test_only_web_addresses_become_links():
    manifest = copy.deepcopy(MANIFEST)
    manifest["models"] = {"churn": {"version": 3, "link": "javascript:alert(1)"}}
    assert "javascript" not in brief(manifest)


def test_what_is_not_known_is_left_out():
    manifest = MANIFEST | {"expected": {}, "models": {}, "thresholds": {}}
    text = read(brief(manifest))
    for heading in ("To whom", "What to expect", "How it was decided", "Send ", "cannot tell"):
        assert heading not in text


def test_what_is_confirmed_stands_below_what_is_hoped_for():
    expected = {"margin": 40.0, "confirmed_margin": 25.0, "cost": 2.5}
    # As it is read back from a manifest, too, which is sorted.
    for told in (expected, dict(sorted(expected.items()))):
        text = read(brief(MANIFEST | {"expected": told}))
        assert "extra margin expected €40.00 €25.00 confirmed by past hold-outs" in text
        assert "confirmed margin €25.00" in text


@pytest.mark.parametrize("key", ["margin", "incremental_margin"])
def test_the_same_manifest_gives_the_same_bytes(key):
    manifest = MANIFEST | {"expected": {key: 10.0, "cost": 2.5}}
    before = copy.deepcopy(manifest)
    assert brief(manifest, counts=COUNTS) == brief(manifest, counts=COUNTS[::-1])
    assert manifest == before
    assert "extra margin expected €10.00 cost of the messages €2.50" in read(brief(manifest))
