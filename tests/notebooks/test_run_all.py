"""Each notebook runs unchanged by "Run All" in JupyterLab, from the folder notebooks/."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from project import ROOT, digests, stale_stages

from customer360.run_notebook import stage_names


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("stage", stage_names(ROOT))
def test_runs_from_its_own_folder(demo, stage):
    path = stage_names(demo)[stage]
    before = digests(demo)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    assert digests(demo) == before
    assert stale_stages(demo) == set()
