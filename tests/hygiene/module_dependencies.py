"""Which files of the package a notebook or module needs, however far away."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


def _file_of(module: str) -> Path | None:
    path = SOURCE / Path(*module.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _imported(code: str) -> set[str]:
    """Dotted names of our package that the code imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` names a module or something inside one.
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "customer360"}


def _files(names: set[str]) -> set[Path]:
    files = set()
    for name in names:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            if path := _file_of(".".join(parts[:length])):
                files.add(path)
    return files


@cache
def _needs(path: Path) -> frozenset[Path]:
    return frozenset(_files(_imported(path.read_text(encoding="utf-8"))))


def code_of(path: Path) -> str:
    """The code of a notebook or a module."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def dependencies(*paths: Path) -> list[str]:
    """Files below src/ that the given files need, whole folders written as one.

    A template or style sheet beside a module counts with its folder.
    """
    found: set[Path] = set()
    for path in paths:
        found |= _files(_imported(code_of(path)))
        if path.suffix == ".py":
            found.add(path)
    while more := {need for path in found for need in _needs(path)} - found:
        found |= more
    return _fold(found)


def _fold(found: set[Path]) -> list[str]:
    told: set[Path] = set()
    for folder in sorted({path.parent for path in found} - {SOURCE / "customer360"}):
        modules = set(folder.rglob("*.py"))
        if modules <= found:
            told.add(folder)
    top = {f for f in told if not any(parent in told for parent in f.parents)}
    files = {p for p in found if not any(parent in top for parent in p.parents)}
    return sorted(p.relative_to(ROOT).as_posix() for p in top | files)
