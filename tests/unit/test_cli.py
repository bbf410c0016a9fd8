from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import nbformat.v4
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from customer360.cli import app
from customer360.contracts import CONTRACTS, ContractError
from customer360.review import ChampionHealth
from customer360.run_notebook import KERNELSPEC, StageFailed
from customer360.tracking import ReviewRow, TrackingError
from customer360.worlds.spec import DatasetError

COMMANDS = sorted(get_command(app).commands)


def call(*arguments: str) -> Result:
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, list(arguments))
    # An exception of ours that reaches the user is a bug, whatever it says.
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def stopped(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 1
    assert "Stopped." in result.output
    return " ".join(result.output.split())


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "params.yaml").write_text("dataset: shop\nsmall:\n  seed: 1\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n"
        "  capture:\n    outs:\n      - data/raw/dataset.json: {persist: true}\n"
        "  small:\n    outs:\n      - reports/01_small.html: {persist: true}\n"
        "    metrics:\n      - metrics/small.json: {cache: false}\n"
    )
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "cdnow.yaml").touch()
    (tmp_path / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("# Small question"),
        nbformat.v4.new_code_cell("seed = 360", metadata={"tags": ["parameters"]}),
    ]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC})
    nbformat.write(book, tmp_path / "notebooks" / "01_small.ipynb")
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


# --- help ---


def test_there_are_the_commands_that_the_readme_tells():
    assert {"capture", "run", "new-dataset", "check", "review", "report", "strip"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Example: *customer360 {command}\b", result.output)


def test_a_stage_starts_without_loading_pandas():
    """Each of the seventeen stages would load it twice: here and in the notebook."""
    needed = "customer360.report, customer360.run_notebook, customer360.storage"
    code = (
        "import sys, customer360.cli; customer360.cli.begin(); "
        f"import {needed}; sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_a_command_the_help_is_shown():
    result = call()
    assert "make pipeline" in result.output
    for command in COMMANDS:
        assert command in result.output


# --- where there is nothing to work on ---


@pytest.mark.parametrize(
    "arguments",
    [
        ("capture",),
        ("run", "churn"),
        ("check", "shop"),
        ("review",),
        ("report",),
        ("dictionary",),
        ("new-dataset", "shop", "orders.csv"),
    ],
)
def test_outside_a_project(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no params.yaml" in stopped(*arguments)


@pytest.mark.parametrize("arguments", [("capture",), ("run", "small"), ("review",)])
def test_a_broken_params_file_is_named(arguments, project):
    (project / "params.yaml").write_text("dataset: [shop\n")
    assert "params.yaml cannot be read" in stopped(*arguments)


def test_an_unknown_stage_lists_those_there_are(project):
    assert "no stage is called 'chrun'; there are small" in stopped("run", "chrun")


@pytest.mark.parametrize("arguments", [("capture",), ("check", "shop")])
def test_an_unknown_dataset_lists_those_there_are(arguments, project):
    told = stopped(*arguments)
    assert "datasets/shop.yaml is not there; there are cdnow." in told
    assert "Next:" in told


def test_files_that_are_not_there(project):
    assert "nowhere.csv" in stopped("new-dataset", "shop", "nowhere.csv")
    result = call("strip", "nowhere.ipynb")
    assert result.exit_code == 2
    assert "nowhere.ipynb" in result.output


def test_review_before_the_first_run(project):
    told = stopped("review")
    assert "data/scores/churn_holdout.parquet is not there yet" in told
    assert "Next: make pipeline" in told


def test_report_before_the_first_run_writes_a_page_or_says_what_to_do(project):
    result = call("report")
    assert result.exit_code == 0 or "make pipeline" in result.output


# --- capture ---


def test_capture_tells_what_arrived(project, monkeypatch):
    rows = {"orders": 12345, "people": 0, "rejected": 2}
    monkeypatch.setattr("customer360.capture.capture", lambda *, root, name: rows)
    result = call("capture")
    assert result.exit_code == 0
    assert "shop: 12,345 orders, 2 rejected" in result.output


@pytest.mark.parametrize("error", [DatasetError, ContractError, FileNotFoundError])
def test_a_capture_that_fails_keeps_the_last_one(project, monkeypatch, error):
    facts = project / "data" / "raw" / "dataset.json"
    facts.parent.mkdir(parents=True)
    facts.write_text("old")

    def fail(*, root: Path, name: str) -> None:
        facts.unlink()
        facts.write_text("new")
        raise error("column [amount] is missing")

    monkeypatch.setattr("customer360.capture.capture", fail)
    # Square brackets are not markup.
    told = stopped("capture")
    assert "column [amount] is missing" in told
    assert "customer360 check shop" in told
    assert facts.read_text() == "old"


# --- run ---


def test_a_stage_whose_parameters_do_not_fit(project):
    (project / "params.yaml").write_text("small: {seed: 'true'}\n")
    told = stopped("run", "small")
    assert "small.seed is 'true' (str)" in told
    assert "Next: correct params.yaml" in told


@pytest.mark.parametrize("expected", [True, False])
def test_a_failing_cell_says_where_and_keeps_the_last_outputs(project, monkeypatch, expected):
    metrics = project / "metrics" / "small.json"
    metrics.parent.mkdir()
    metrics.write_text("old")

    def fail(**_: object) -> None:
        metrics.unlink()
        metrics.write_text("new")
        raise StageFailed(
            "small", "notebooks/01_small.ipynb", 3, "Read", "KeyError: 'x'", "----> x[1]", expected
        )

    monkeypatch.setattr("customer360.run_notebook.execute", fail)
    told = stopped("run", "small")
    assert "notebooks/01_small.ipynb, cell 3 (Read): KeyError: 'x'" in told
    assert "The last good outputs are untouched." in told
    # Where it came from is told of errors that are not our own.
    assert ("----> x[1]" in told) is not expected
    assert metrics.read_text() == "old"


def executed(project: Path) -> nbformat.NotebookNode:
    book = nbformat.read(project / "notebooks" / "01_small.ipynb", as_version=4)
    mark = {"customer360": {"kind": "finding", "text": "**7** of [10] buy `again`."}}
    shown = nbformat.v4.new_output("display_data", data={"text/plain": "7"}, metadata=mark)
    book.cells.append(nbformat.v4.new_code_cell("7", outputs=[shown]))
    return book


def test_a_stage_that_runs_tells_its_findings_and_writes_its_pages(project, monkeypatch):
    book = executed(project)
    (project / "data" / "raw").mkdir(parents=True)
    (project / "data" / "raw" / "dataset.json").write_text(json.dumps({"name": "shop"}))

    def run(*, root: Path, stage: str, parameters: dict, tell) -> nbformat.NotebookNode:
        assert parameters == {"seed": 1}
        for index, cell in enumerate(book.cells):
            tell(cell, index, len(book.cells), False)
            tell(cell, index, len(book.cells), True)
        return book

    monkeypatch.setattr("customer360.run_notebook.execute", run)
    result = call("run", "small")
    assert result.exit_code == 0
    assert result.output.count("7 of [10] buy again.") == 1
    assert "reports/01_small.html" in result.output
    page = (project / "reports" / "01_small.html").read_text(encoding="utf-8")
    assert "Small question" in page
    nbformat.read(project / "reports" / "01_small.ipynb", as_version=4)


def test_a_stage_without_a_dataset_says_what_to_run(project, monkeypatch):
    monkeypatch.setattr("customer360.run_notebook.execute", lambda **_: executed(project))
    assert "data/raw/dataset.json is not there yet" in stopped("run", "small")
    assert not (project / "reports" / "01_small.html").exists()


# --- check, review, dictionary, strip ---


def test_check_fails_when_the_mapping_does(project, monkeypatch):
    class Report:
        lines = ("orders.csv: 3 rows", "column [date] is missing")
        ok = False

    monkeypatch.setattr("customer360.worlds.spec.read_spec", lambda path: {})
    monkeypatch.setattr("customer360.worlds.propose.check_spec", lambda *, spec, root: Report)
    result = call("check", "cdnow")
    assert result.exit_code == 1
    assert "column [date] is missing" in result.output
    Report.ok = True
    assert call("check", "cdnow").exit_code == 0


def row(decision: str, champion: int | None) -> ReviewRow:
    return ReviewRow(
        stage="churn",
        name="customer360-shop-churn",
        challenger=2,
        champion=champion,
        metric="brier",
        challenger_value=0.123456,
        champion_value=None if champion is None else 0.2,
        decision=decision,
        reasons=("brier is [better]",),
        card="# Churn of demo",
    )


def test_review_lists_what_awaits(project, monkeypatch):
    asked = {}

    def review(*, root: Path, params: dict, promote: bool) -> list[ReviewRow]:
        asked["promote"] = promote
        return [row("promoted", None), row("held back", 1)]

    monkeypatch.setattr("customer360.review.review_models", review)
    monkeypatch.setattr("customer360.review.champions_health", lambda *, root: [])
    lines = " ".join(call("review").output.split())
    assert asked == {"promote": True}
    assert "v2: promoted brier 0.1235 against – (no champion yet)" in lines
    assert "v2: held back brier 0.1235 against 0.2 (champion v1)" in lines
    assert "brier is [better]" in lines
    assert lines.count("Churn of demo") == 2
    assert "Churn of demo" not in call("review", "--no-cards").output
    call("review", "--no-promote")
    assert asked == {"promote": False}


def test_review_with_nothing_to_do_and_with_a_registry_that_fails(project, monkeypatch):
    monkeypatch.setattr("customer360.review.review_models", lambda **_: [])
    monkeypatch.setattr("customer360.review.champions_health", lambda **_: [])
    assert "No model awaits review" in call("review").output

    def fail(**_: object) -> None:
        raise TrackingError("the registry is locked")

    monkeypatch.setattr("customer360.review.review_models", fail)
    assert "the registry is locked" in stopped("review")


def test_a_champion_that_decays_stops_a_script(project, monkeypatch):
    def champion(stage: str, decays: bool) -> ChampionHealth:
        who = {"stage": stage, "name": f"shop-{stage}", "version": 3}
        return ChampionHealth(**who, decays=decays, sentence=f"[{stage}] is told")

    health = [champion("churn", False), champion("clv", False)]
    monkeypatch.setattr("customer360.review.review_models", lambda **_: [])
    monkeypatch.setattr("customer360.review.champions_health", lambda *, root: health)
    assert call("review").exit_code == 0
    health[1] = champion("clv", True)
    result = call("review")
    assert result.exit_code == 3
    assert "shop-clv champion v3 [clv] is told" in " ".join(result.output.split())


def test_the_dictionary_is_written(project):
    assert call("dictionary").exit_code == 0
    assert "rate_mean" in (project / "docs" / "demo_world_parameters.md").read_text("utf-8")
    page = (project / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert all(f"### {name}\n" in page for name in CONTRACTS)


@pytest.fixture
def register(project) -> Path:
    path = project / "data" / "traps" / "register.csv"
    path.parent.mkdir(parents=True)
    path.write_text(
        "campaign_id,file,kind,value\n"
        "spring,email.csv,email,alix.brochanet017@traps.example.com\n"
        "spring,sms.csv,phone,+33240000001\n"
        "autumn,phone.csv,phone,+33240000001\n"
    )
    return path


def test_leaked_names_the_file_that_an_address_was_planted_in(register):
    told = call("leaked", "Alix.Brochanet017@traps.example.com").output
    assert told.split("\n")[0] == "email.csv of campaign spring"


def test_leaked_says_when_files_share_a_telephone(register):
    told = call("leaked", "02 40 00 00 01").output
    assert "sms.csv of campaign spring" in told and "phone.csv of campaign autumn" in told
    assert "One of these" in told and "email.csv" not in told


def test_leaked_does_not_repeat_an_address_that_is_no_trap(register):
    message = stopped("leaked", "camille@example.com")
    assert "none of the trap addresses of 3 files" in message
    assert "camille" not in message


def test_leaked_before_the_first_campaign(project):
    assert "no campaign was handed over yet" in stopped("leaked", "camille@example.com")


@pytest.mark.parametrize("text", ["campaign_id,file\nspring,a.csv\n", "\x00"])
def test_leaked_with_a_register_that_is_none(register, text):
    register.write_text(text)
    assert "register.csv" in stopped("leaked", "camille@example.com")


def test_lineage_names_version_and_run_of_each_model(project, monkeypatch):
    (project / "spring").mkdir()
    assert "manifest.json is not there" in stopped("lineage", str(project / "spring"))
    (project / "spring" / "manifest.json").write_text("{}")
    found = {
        "churn": {
            "model": "models:/shop-churn/3",
            "run_id": "ab12",
            "link": "#/experiments/1/runs/ab12",
            "aliases": "champion",
        },
        "clv": None,
    }
    monkeypatch.setattr("customer360.handover.models_behind", lambda **_: found)
    told = call("lineage", str(project / "spring")).output
    assert "churn: models:/shop-churn/3 (champion)" in told
    assert "run ab12, #/experiments/1/runs/ab12" in told
    assert "clv: not in this registry" in told


def test_strip_cleans_in_place_and_check_only_tells(project):
    path = project / "notebooks" / "01_small.ipynb"
    book = executed(project)
    nbformat.write(book, path)
    dirty = path.read_bytes()
    assert "needs stripping" in stopped("strip", "--check", path.name)
    assert path.read_bytes() == dirty
    assert "stripped" in call("strip", path.name).output
    clean = path.read_bytes()
    assert b'outputs": []' in clean
    assert call("strip", "--check", path.name).exit_code == 0
    call("strip", path.name)
    assert path.read_bytes() == clean


# --- world ---


def test_a_world_is_made_and_told(tmp_path):
    out = tmp_path / "small"
    result = call("world", "--people", "150", "--seed", "2", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "raw.orders" in result.output
    assert (out / "raw" / "orders.parquet").is_file()
    assert (out / "truth" / "people.parquet").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--people", "10"), "at least 100 people"),
        (("--as-of", "31/12/2025"), "isoformat"),
    ],
)
def test_a_world_that_cannot_be_says_why(tmp_path, options, message):
    result = call("world", *options, "--out", str(tmp_path / "x"))
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "x").exists()
