"""The adviser's page: made for one customer, read by one person."""

from __future__ import annotations

import shutil
import stat

import pytest
from project import git, run

from customer360.storage import Store


@pytest.fixture
def card(demo):
    store = Store.open(demo)
    best = store.read("customers").filter("last_name IS NOT NULL").order("margin DESC").limit(1)
    customer, name = best.project("customer_id, last_name").fetchall()[0]
    store.close()
    done = run(demo, "customer360", "card", customer, "--moment", "2026-01-02T10:00:00Z")
    assert done.returncode == 0, done.stdout + done.stderr
    yield demo / "reports" / "cards" / f"{customer}.html", name, done.stdout
    shutil.rmtree(demo / "reports" / "cards")


def test_tells_who_it_is_and_what_to_say_to_its_reader_alone(demo, card):
    page, name, told = card
    text = page.read_text(encoding="utf-8")
    assert name in text and "What to say, and what not" in text and "What happened so far" in text
    assert name not in told
    for path in (page, page.with_suffix(".ipynb")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    assert "reports" not in git(demo, "status", "--porcelain")


def test_an_id_that_is_none_is_refused(demo):
    assert run(demo, "customer360", "card", "x' OR 1=1").returncode == 1
    done = run(demo, "customer360", "card", "nobody")
    assert done.returncode == 1 and "no customer is called" in done.stdout
