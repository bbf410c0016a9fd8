"""Notebooks as git keeps them: stripped, thin, and of one name with their stage."""

from __future__ import annotations

import ast

import nbformat
import pytest
import yaml
from module_dependencies import ROOT

from customer360.run_notebook import declared_parameters, stage_names, strip

STAGES = stage_names(ROOT)
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
MOST_LINES = 20


@pytest.fixture(params=STAGES)
def notebook(request):
    path = STAGES[request.param]
    return request.param, path, nbformat.read(path, as_version=4)


def test_there_are_the_notebooks_of_the_house():
    assert list(STAGES) == [
        "cleaning", "linkage", "customers", "features", "segmentation", "churn", "clv", "response",
        "campaigns", "measurement", "oracle", "dissatisfaction", "families", "intent", "scenarios",
        "next_best_action", "learning",
    ]  # fmt: skip


def test_is_stripped(notebook):
    _, path, content = notebook
    assert path.read_text(encoding="utf-8") == nbformat.writes(strip(content)) + "\n"


def test_asks_a_question_and_says_its_limits(notebook):
    _, _, content = notebook
    first, last = content.cells[0].source, content.cells[-1].source
    assert first.splitlines()[0].startswith("# ") and first.splitlines()[0].endswith("?")
    assert last.startswith("## What we learned, and limits")


def test_is_thin(notebook):
    _, path, content = notebook
    for number, cell in enumerate(content.cells, start=1):
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.FunctionDef, ast.ClassDef}, f"{path.name}, cell {number}"
        imports = all(isinstance(n, ast.Import | ast.ImportFrom) for n in tree.body[:1])
        lines = len(cell.source.splitlines())
        assert lines <= (2 * MOST_LINES if imports else MOST_LINES), f"{path.name}, cell {number}"


def test_defaults_are_those_of_params_yaml(notebook):
    """`Run All` in JupyterLab does what the pipeline does."""
    stage, _, content = notebook
    assert declared_parameters(content) == (PARAMS.get(stage) or {})
