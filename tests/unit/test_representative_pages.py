"""Pages of representatives: one each and one of the team, with no personal data."""

import re
from datetime import date

import pandas as pd
import pytest
from matplotlib import pyplot

from customer360 import report
from customer360.contracts import CONTRACTS, empty_table
from customer360.plots import measurement as plots

DAY = date(2025, 12, 31)


def _team(**changes):
    row = {
        "visits": 100, "met": 80, "customers": 50, "signed": 20, "ordered_after": 5,
        "margin_after": 120.0, "portfolio_value": 9_000.0, "at_risk": 7, "expected_loss": 310.0,
        "unseen": 12, "order_share": 0.25, "low": 0.17, "high": 0.36, "shrunk": 0.25, "files": 60,
        "filled": 0.7, "checked": 200, "right": 0.9, "right_low": 0.85, "score": 59.5,
        "claimed": 4.0, "repeated": 0.0, "same_birth": 0.0, "contradicted": 0.1,
        "known_before": 0.4, "suspicious": "",
    }  # fmt: skip
    odd = {"score": 31.0, "repeated": 0.5, "suspicious": "one number in many files"}
    return pd.DataFrame([row | {"rep_id": "R 1"}, row | odd | {"rep_id": "<R2>"}]).assign(**changes)


TEAM = _team()
MONTHS = pd.DataFrame(
    [(rep, date(2025, m, 1), 9, 7, m) for rep in TEAM["rep_id"] for m in (10, 11, 12)],
    columns=["rep_id", "month", "visits", "met", "signed"],
)
FIELDS = pd.DataFrame(
    [("R 1", "birth_date", 0.5, 20, 0.8), ("<R2>", "birth_date", 0.1, 0, None)],
    columns=["rep_id", "field", "filled", "checked", "right"],
)
TO_VISIT = pd.DataFrame(
    [("R 1", 1, "c0001", 320.0, 41.0, date(2025, 3, 2), "may be leaving: smaller baskets")],
    columns=["rep_id", "place", "customer_id", "clv", "priority", "visited_on", "why"],
)


def _pages(team=TEAM, months=MONTHS, fields=FIELDS, to_visit=TO_VISIT):
    return report.representative_pages(
        team, months=months, fields=fields, to_visit=to_visit, draw_team=plots.representatives,
        draw_months=plots.months_beside_team, dataset="demo", currency="EUR", as_of=DAY,
    )  # fmt: skip


def _read(page: bytes) -> str:
    body = re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u202f", " ").split())


@pytest.fixture(scope="module")
def pages():
    return _pages()


def test_a_page_each_and_one_of_the_team(pages):
    assert set(pages) == {"index.html", "R_1.html", "_R2_.html"}
    team = pages["index.html"].decode()
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', team)
    assert ("R_1.html", "R 1") in links and ("_R2_.html", "&lt;R2&gt;") in links
    assert "The files of &lt;R2&gt; ask for a look" in _read(pages["index.html"])
    assert 'href="index.html"' in pages["R_1.html"].decode()


def test_what_a_representative_reads(pages):
    told = _read(pages["R_1.html"])
    for part in ("25% of visits end in an order", "20 of 80 visits", "worth €9 000", "12 not seen",
                 "€310 may go with them", "c0001 €320 €41.00 2025-03-02 may be leaving: smaller",
                 "birth date 50% 30% 20 80% 80%"):  # fmt: skip
        assert part in told, part
    assert told.count("usual") == 5
    other = _read(pages["_R2_.html"])
    assert "e-mails and numbers in several files 50% 25% look at it" in other
    assert "c0001" not in other


def test_pages_need_nothing_else_and_are_the_same_each_time(pages):
    before = pyplot.get_fignums()
    for name, page in pages.items():
        text = page.decode()
        assert "<script" not in text and 'src="http' not in text and text.count("<img") == 1
        assert "<R2>" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S), name
    assert _pages() == pages
    assert pyplot.get_fignums() == before


def test_ids_that_would_share_a_file_get_one_each():
    team = _team(rep_id=["a/b", "a b"])
    months = MONTHS.assign(rep_id=MONTHS["rep_id"].map({"R 1": "a/b", "<R2>": "a b"}))
    assert set(_pages(team, months)) == {"index.html", "a_b-1.html", "a_b-2.html"}
    # One called as the page of the team is, on a disk that knows no capitals.
    months = MONTHS.assign(rep_id=MONTHS["rep_id"].map({"R 1": "Index", "<R2>": "x"}))
    named = _pages(_team(rep_id=["Index", "x"]), months)
    assert set(named) == {"index.html", "Index-1.html", "x-2.html"}


def test_without_visits_the_team_page_says_so():
    names = ("representatives", "representative_months", "representative_files", "visits_to_make")
    pages = _pages(*(empty_table(CONTRACTS[name]).to_pandas() for name in names))
    assert set(pages) == {"index.html"}
    assert "holds no visits of representatives" in _read(pages["index.html"])
