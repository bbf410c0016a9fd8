"""A copy of the project in a temporary folder, and its pipeline."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = (".dvc", ".dvcignore", ".gitignore", "campaigns.yaml", "datasets", "docs", "dvc.yaml",
        "notebooks", "params.yaml", "scenarios.yaml", "serving", "src")  # fmt: skip


def copy_project(folder: Path, *, dataset: str, params: dict[str, str] | None = None) -> Path:
    """Copy what a run needs into `folder`, a git checkout of its own.

    `params` replaces whole lines of params.yaml: name to new value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ignore = shutil.ignore_patterns("__pycache__", "cache", "tmp")
    for name in KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    set_params(folder, {"dataset": dataset, **(params or {})})
    (folder / "data" / "incoming" / dataset).mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "start")
    return folder


def set_params(folder: Path, params: dict[str, str]) -> None:
    """Change values in params.yaml, as a user does in an editor."""
    path = folder / "params.yaml"
    text = path.read_text(encoding="utf-8")
    for name, value in params.items():
        text, changed = re.subn(rf"(?m)^(\s*{name}:)[^#\n]*", rf"\1 {value}  ", text, count=1)
        assert changed, f"params.yaml has no {name}"
    path.write_text(text, encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in `folder`, as the Makefile does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "true", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )


def repro(folder: Path, *arguments: str) -> str:
    """`dvc repro` that must succeed; what it printed."""
    done = run(folder, "dvc", "repro", *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def stale_stages(folder: Path) -> set[str]:
    """Stages that `dvc status` calls changed."""
    # Here, not above: most tests need no DVC. In this process, which starts only once.
    from dvc.repo import Repo

    with Repo(os.fspath(folder)) as repo:
        # Seen from elsewhere, a stage is called folder/dvc.yaml:name.
        return {name.rpartition(":")[2] for name in repo.status()}


def digests(folder: Path) -> dict[str, str]:
    """Content of every output: tables, models, metrics and pages."""
    files = [p for d in ("data", "models", "metrics", "reports") for p in (folder / d).rglob("*")]
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(files)
        if p.is_file() and "incoming" not in p.parts
    }
