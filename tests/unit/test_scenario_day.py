"""The day's lists: written with their brief and traps, told once, and the same when run again."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from customer360.cli import app
from customer360.contracts import CONTRACTS, empty_table
from customer360.planning.occasions import TABLES
from customer360.storage import Store

RULES = """\
control_share: 0.1
# contact_rules stand in params.yaml
traps: {email_domain: traps.example.com, street: 1 rue du Port, postcode: "44000", city: Nantes}
scenarios:
  thanks:
    about: Thanks
    when: order
    wait_days: 2
    late_days: 3
    channels: [email]
    content: thanks
    priority: 1
    once_in_days: 90
"""
DAY = date(2026, 3, 2)
CUSTOMERS = 60


def frame(name: str, rows: list[dict]) -> pd.DataFrame:
    columns = CONTRACTS[name].column_names
    return pd.DataFrame([{c: row.get(c) for c in columns} for row in rows], columns=columns)


def call(*arguments: str):
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    rules = "scenarios: {contact_rules: [{at_most: 1, window_days: 2}]}"
    (tmp_path / "params.yaml").write_text(f"dataset: shop\n{rules}\n")
    (tmp_path / "scenarios.yaml").write_text(RULES)
    store = Store.open(tmp_path)
    facts = {"name": "shop", "currency": "EUR", "country": "FR", "timezone": "Europe/Paris"}
    store.write_json("data/raw/dataset.json", facts)
    snapshots = {"horizon_days": 60, "train": [], "holdout": "2026-03-01", "scoring": "2026-03-31"}
    store.write_json("data/features/snapshots.json", snapshots)
    for name in (*TABLES, "customer_contacts"):
        store.write(name, empty_table(CONTRACTS[name]))
    usual = {f"consent_{c}": True for c in ("email", "sms", "phone", "post", "third_party")}
    usual |= {f"reachable_{c}": True for c in ("email", "sms", "phone", "post")}
    usual |= {"as_of": DAY, "records": 1, "orders": 1, "net_amount": 9.0, "first_name": "Zoé"}
    ids = [f"c{n:012}" for n in range(CUSTOMERS)]
    people = [usual | {"customer_id": c, "email": f"{c}@example.fr"} for c in ids]
    people[0]["consent_email"] = False
    store.write("customers", frame("customers", people))
    at = datetime(DAY.year, DAY.month, DAY.day, 10)
    bought = {"source": "web", "source_id": "1", "line_no": "1", "amount": 9.0, "status": "paid"}
    bought |= {"ordered_at": at, "ordered_on": DAY}
    orders = [bought | {"customer_id": c, "order_id": c} for c in ids]
    store.write("customer_orders", frame("customer_orders", orders))
    store.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def digests(root: Path) -> dict[str, str]:
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in root.rglob("*")
        if p.is_file()
    }


def test_a_day_is_handed_over_and_told_once(project):
    result = call("scenarios", "--at", "2026-03-04")
    assert result.exit_code == 0, result.output
    assert "data/handoff/scenarios/2026-03-04" in result.output
    # Counts only: nobody is named on the screen.
    assert "@" not in result.output and "c0000" not in result.output
    folder = project / "data/handoff/scenarios/2026-03-04"
    files = {p.name for p in folder.iterdir()}
    assert files == {"email.csv", "control.csv", "manifest.json", "brief.html"}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told, left = manifest["customers_contacted"], manifest["customers_in_control"]
    assert told + left == CUSTOMERS - 1 and left > 0
    # A trap in each file, which `leaked` knows.
    emails = pd.read_csv(folder / "email.csv")
    assert len(emails) == told + 1
    (trap,) = emails.loc[emails["email"].str.endswith("traps.example.com"), "email"]
    assert "email.csv of campaign scenarios-2026-03-04" in call("leaked", trap).output
    # The key of a brand of one's own is drawn once, and stays.
    assert (project / "secrets/handoff.key").stat().st_mode & 0o777 == 0o600
    before = digests(project)
    assert call("scenarios", "--at", "2026-03-04").exit_code == 0
    assert digests(project) == before


def test_the_next_day_says_nothing_twice(project):
    call("scenarios", "--at", "2026-03-04")
    result = call("scenarios", "--at", "2026-03-05")
    assert result.exit_code == 0, result.output
    folder = project / "data/handoff/scenarios/2026-03-05"
    assert {p.name for p in folder.iterdir()} == {"manifest.json", "brief.html"}
    sent = pd.read_csv(project / "data/scenarios/2026-03-04.csv")
    assert sent["customer_id"].is_unique and len(sent) == CUSTOMERS - 1


def test_a_dry_run_writes_nothing(project):
    before = digests(project)
    result = call("scenarios", "--at", "2026-03-10", "--dry-run", "2026-03-01")
    assert result.exit_code == 0, result.output
    assert f"{CUSTOMERS}" in result.output and "control group (" in result.output
    assert digests(project) == before


def test_what_is_wrong_is_told(project):
    before = digests(project)
    assert "Stopped." in call("scenarios", "--at", "tomorrow").output
    (project / "scenarios.yaml").write_text(RULES.replace("order", "ordr"))
    output = " ".join(call("scenarios", "--at", "2026-03-04").output.split())
    assert "line 7, scenario thanks, when: no occasion is called 'ordr'" in output
    (project / "scenarios.yaml").write_text(RULES.replace(", city: Nantes", ""))
    output = " ".join(call("scenarios", "--at", "2026-03-04").output.split())
    assert "line 3, traps: `city` is missing" in output
    (project / "scenarios.yaml").write_text("\n".join(RULES.split("\n")[3:]))
    assert "write `traps:`" in call("scenarios", "--at", "2026-03-04").output
    (project / "scenarios.yaml").unlink()
    assert "scenarios.yaml" in call("scenarios", "--at", "2026-03-04").output
    (project / "scenarios.yaml").write_text(RULES)
    (project / "data/customers/customers.parquet").rename(project / "aside.parquet")
    assert "make pipeline" in call("scenarios", "--at", "2026-03-04").output
    (project / "aside.parquet").rename(project / "data/customers/customers.parquet")
    assert digests(project) == before


def test_how_often_is_never_left_open(project):
    for text in ("dataset: shop\n", "scenarios: {contact_rules: [{at_most: 1, days: 2}]}\n"):
        (project / "params.yaml").write_text(text)
        result = call("scenarios", "--at", "2026-03-04")
        assert result.exit_code == 1 and "contact_rules" in result.output
    (project / "params.yaml").write_text(
        "scenarios: {contact_rules: [{at_most: 1, window_days: 2, channel: fax}]}\n"
    )
    assert "no channel is called 'fax'" in call("scenarios", "--at", "2026-03-04").output
