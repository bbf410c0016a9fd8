"""The whole pipeline: complete, repeatable, stale only where it must be, and discreet.

All that looks at the demo stands here, so that one worker makes it once.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient
from project import ROOT, digests, git, repro, run, set_params, stale_stages

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.run_notebook import stage_names
from customer360.storage import Store


def test_every_table_keeps_its_contract(demo):
    store = Store.open(demo)
    for name, table in CONTRACTS.items():
        content = pq.read_table(store.path(name))
        assert content.schema.equals(arrow_schema(table)), name
        validate_batch(table, content)
        if table.key and table.folder != "raw":
            keys = content.select(list(table.key)).group_by(list(table.key)).aggregate([])
            assert keys.num_rows == content.num_rows, name
    store.close()


def test_rows_in_are_rows_kept_and_rows_set_aside(demo):
    metrics = json.loads((demo / "metrics" / "cleaning.json").read_text())
    sources = [n.removesuffix("_rows_in") for n in metrics if n.endswith("_rows_in")]
    assert sources
    for source in sources:
        kept, aside = metrics[f"{source}_rows_kept"], metrics[f"{source}_rows_quarantined"]
        assert metrics[f"{source}_rows_in"] == kept + aside, source
    assert metrics["amount_in"] == pytest.approx(
        metrics["amount_kept"] + metrics["amount_quarantined"], abs=0.01
    )
    assert metrics["orders_till_rows_quarantined"] > 0


def test_no_amount_is_counted_twice(demo):
    store = Store.open(demo)
    amounts = [
        store.read(name).aggregate("round(sum(net_amount), 2)").fetchall()[0][0]
        for name in ("staged.orders", "customer_orders", "customers")
    ]
    store.close()
    assert amounts[0] == amounts[1] == amounts[2]


def test_a_page_for_every_stage_and_a_front_page(demo):
    pages = {p.name for p in (demo / "reports").glob("*.html")}
    assert len(pages) == len(stage_names(ROOT)) + 1 and "index.html" in pages
    for page in pages:
        text = (demo / "reports" / page).read_text()
        assert "<script" not in text and 'src="http' not in text and "@import" not in text


def test_no_page_names_a_place_of_this_machine(demo):
    """A page that did would differ from folder to folder, and from user to user."""
    names = {str(demo), str(ROOT), sys.prefix, sys.base_prefix, tempfile.gettempdir()}
    places = {name for name in names | {str(Path.home())} if len(Path(name).parts) > 1}
    pages = [p for p in (demo / "reports").iterdir() if p.suffix in (".html", ".ipynb")]
    assert len(pages) == 2 * len(stage_names(ROOT)) + 1
    for page in pages:
        # Without the images: among so many letters, any short name turns up some day.
        text = re.sub(r"[A-Za-z0-9+/=]{70,}", "", page.read_text(encoding="utf-8"))
        assert not [name for name in places if f"{name}/" in text], page.name


def test_a_second_run_does_nothing(demo):
    assert "Data and pipelines are up to date" in repro(demo)
    assert stale_stages(demo) == set()


def test_a_forced_run_in_another_folder_gives_the_same_bytes(demo, tmp_path, migrated_database):
    """Tables, models, metrics and pages, over what the last run left. MLflow begins anew."""
    before = digests(demo)
    assert {name.split("/")[0] for name in before} == {"data", "models", "metrics", "reports"}
    other = tmp_path / "the same elsewhere"
    shutil.copytree(demo, other, ignore=shutil.ignore_patterns("cache", "tmp", "mlflow.db", "mla*"))
    shutil.copy(migrated_database, other)
    repro(other, "--force")
    after = digests(other)
    assert {name for name in before if before[name] != after.get(name)} == set()
    assert set(before) == set(after)


def test_a_fresh_clone_with_the_cache_is_up_to_date(demo, tmp_path):
    git(demo, "add", "--all")
    git(demo, "commit", "--quiet", "--allow-empty", "--message", "run")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(demo), str(clone))
    (clone / "data" / "incoming" / "demo").mkdir(parents=True, exist_ok=True)
    run(clone, "dvc", "cache", "dir", "--local", str(demo / ".dvc" / "cache"))
    assert run(clone, "dvc", "checkout").returncode == 0
    assert stale_stages(clone) == set()


def test_personal_data_stays_in_data(demo):
    """No e-mail, telephone or street of anybody outside data/."""
    store = Store.open(demo)
    values = set()
    for column in ("email", "phone", "street"):
        rows = store.read("staged.people").filter(f"{column} IS NOT NULL").select(column).fetchall()
        values |= {row[0] for row in rows if len(row[0]) >= 10}
    store.close()
    assert len(values) > 1000
    places = ["metrics", "reports", "models", "mlartifacts"]
    files = [p for d in places for p in (demo / d).rglob("*") if p.is_file()]
    files += [demo / "mlflow.db", demo / "dvc.lock"]
    assert len(files) > 20
    names = sorted(values)
    beginnings = np.concatenate([_runs_of_ten(name.encode()[:10]) for name in names])
    for path in files:
        text = path.read_bytes().decode("utf-8", errors="ignore")
        # Thousands of values in megabytes: only those whose beginning occurs are looked for.
        runs = np.sort(_runs_of_ten(text.encode()))
        seen = np.searchsorted(runs, beginnings, "right") > np.searchsorted(runs, beginnings)
        found = [names[i] for i in np.flatnonzero(seen) if names[i] in text]
        assert not found, f"{path.name} holds {len(found)} personal values"


def _runs_of_ten(content: bytes) -> np.ndarray:
    """Ten bytes from each place on, as one number."""
    codes = np.frombuffer(content, np.uint8).astype(np.uint64)
    runs = np.zeros(max(len(codes) - 9, 0), np.uint64)
    for place in range(10):
        runs = runs * np.uint64(257) + codes[place : place + len(runs)]
    return runs


def test_truth_does_not_change_the_links(demo, tmp_path):
    """With another truth, linkage gives the same links."""
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("mlartifacts", ".dvc", ".git"))
    store = Store.open(copy)
    truth = store.read("truth.people_links").df()
    truth["person_id"] = truth["person_id"].to_numpy()[::-1]
    store.write("truth.people_links", truth)
    store.close()
    done = run(copy, "customer360", "run", "linkage")
    assert done.returncode == 0, done.stdout
    links = "data/linked/linked_records.parquet"
    assert (copy / links).read_bytes() == (demo / links).read_bytes()
    before, after = (json.loads((d / "metrics/linkage.json").read_text()) for d in (demo, copy))
    assert after["precision"] < before["precision"]


CHANGES = {
    "a parameter of one stage": ("params.yaml", {"big_share": "0.2"}, {"segmentation"}),
    "a parameter read early": ("params.yaml", {"low_coverage": "0.3"}, {"cleaning"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_parameter_makes_its_stage_stale(demo, change):
    _, params, stages = CHANGES[change]
    path = demo / "params.yaml"
    before = path.read_text()
    try:
        set_params(demo, params)
        assert stale_stages(demo) == stages
    finally:
        path.write_text(before)


MODULES = {
    "features/costs.py": {"clv"},
    "models/churn.py": {"churn"},
    "plots/linkage.py": {"linkage"},
    "worlds/demo/pools.py": {"capture", "churn", "campaigns", "measurement", "oracle"},
    "plots/oracle.py": {"oracle"},
    "features/purchases.py": {"features", "clv"},
    "cleaning/audit.py": {"cleaning"},
    "dictionary.py": set(),
}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_makes_the_stages_that_use_it_stale(demo, module):
    path = demo / "src" / "customer360" / module
    before = path.read_bytes()
    try:
        path.write_bytes(before + b"\n# changed\n")
        assert stale_stages(demo) == MODULES[module]
    finally:
        path.write_bytes(before)


def test_the_mapping_makes_capture_stale(demo):
    path = demo / "datasets" / "demo.yaml"
    before = path.read_text()
    try:
        path.write_text(before.replace("people: 1500", "people: 1501"))
        assert stale_stages(demo) == {"capture"}
    finally:
        path.write_text(before)


def test_a_failing_stage_keeps_the_last_good_outputs(demo):
    """The message names the cell and the next step; nothing is left half written."""
    path = demo / "notebooks" / "14_intent.ipynb"
    before, outputs = path.read_text(), digests(demo)
    broken = before.replace("final.save(folder)", "final.save(folder); 1 / 0")
    assert broken != before
    try:
        path.write_text(broken)
        done = run(demo, "dvc", "repro", "intent")
    finally:
        path.write_text(before)
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stdout and "14_intent.ipynb, cell" in done.stdout
    assert "Next:" in done.stdout
    assert digests(demo) == outputs
    assert stale_stages(demo) == set()


# The defaults of all notebooks are held to params.yaml in tests/notebooks; three run.
@pytest.mark.parametrize("stage", ["cleaning", "customers", "intent"])
def test_run_all_in_jupyterlab_gives_what_the_pipeline_gave(demo, stage):
    """Each notebook runs unchanged from the folder notebooks/, on what the last run left."""
    path = stage_names(demo)[stage]
    before = digests(demo)
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, resources=where).execute()
    assert digests(demo) == before
    assert stale_stages(demo) == set()


def test_review_promotes_what_passes_and_only_once(demo):
    first = run(demo, "customer360", "review")
    assert first.returncode == 0, first.stdout
    assert "demo-clv v1: promoted" in first.stdout or "demo-clv v1: held back" in first.stdout
    assert "demo-segmentation v1: promoted" in first.stdout
    again = run(demo, "customer360", "review")
    assert "demo-segmentation" not in again.stdout


# --- the adviser's page: made for one customer, read by one person ---


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
