"""What must not be in git, and what must."""

from __future__ import annotations

import re
import subprocess

import pytest
from module_dependencies import ROOT

from customer360.dictionary import render_dictionary
from customer360.worlds.demo_parameters import render_parameters

TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")
    if name and (ROOT / name).is_file()
]  # fmt: skip
TEXT = [p for p in TRACKED if p.suffix not in {".png", ".parquet", ".xlsx"}]
# Written in parts, so that this file does not name what it forbids.
MACHINE = re.compile(
    r"(?<![\w.:/-])/(?:wo" + "rk|fa" + "rm|ro" + r"ot|home/[a-z]+|Users/[A-Z]\w+)/"
)
REGISTRY = re.compile(
    "py" + r"pi\.org|pythonhos" + r"ted\.org|registry\.npm" + r"js\.org|deb\.deb" + "ian"
)


@pytest.mark.parametrize("path", TEXT, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_names_no_machine_and_no_registry(path):
    text = path.read_text(encoding="utf-8")
    assert not MACHINE.search(text)
    assert not REGISTRY.search(text)


def test_is_small():
    assert {p.name for p in TRACKED if p.stat().st_size > 2_000_000} == set()


def test_holds_no_data():
    kept = [p.relative_to(ROOT).as_posix() for p in TRACKED]
    data = [p for p in kept if p.startswith(("data/", "models/", "reports/", "mlartifacts/"))]
    assert [p for p in data if not p.endswith(".gitkeep")] == []


def test_no_pickles():
    words = re.compile(
        r"\b(pickle|joblib|dill|cloudpickle)\.(load|dump)|import (pickle|dill|joblib)"
    )
    for path in (ROOT / "src").rglob("*.py"):
        assert not words.search(path.read_text(encoding="utf-8")), path.name


def test_only_periods_reads_the_clock():
    clock = re.compile(r"\b(now|today|utcnow)\(\)|time\.time\(\)|os\.environ|getenv")
    # tracking sets the switches of MLflow, which it only takes from the environment.
    allowed = {"periods.py", "cli.py", "tracking.py", "capture.py"}
    for path in (ROOT / "src").rglob("*.py"):
        if path.name not in allowed:
            assert not clock.search(path.read_text(encoding="utf-8")), path.name


def test_lock_files_carry_hashes_and_no_address():
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text(encoding="utf-8")
        assert "http" not in re.sub(
            r"[\w.-]*http[\w.-]*(==| \\|$)|# +(via )?[\w-]*http[\w-]*|#.*", "", text
        )
        pinned = len(re.findall(r"^[\w.-]+(?:\[.*\])?==", text, re.M))
        assert pinned and text.count("--hash=sha256:") >= pinned


def test_data_dictionary_is_up_to_date():
    written = (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == render_dictionary(), "run: customer360 dictionary"


def test_parameters_of_the_demo_world_are_up_to_date():
    written = (ROOT / "docs" / "demo_world_parameters.md").read_text(encoding="utf-8")
    assert written == render_parameters(), "run: customer360 dictionary"
