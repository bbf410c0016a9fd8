"""dvc.yaml: every stage depends on exactly what it uses."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
import yaml
from module_dependencies import ROOT, code_of, dependencies

from customer360.contracts import CONTRACTS
from customer360.run_notebook import stage_names

PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
NOTEBOOKS = stage_names(ROOT)
SOURCE = ROOT / "src" / "customer360"
RUNNER = [SOURCE / "run_notebook.py", SOURCE / "report" / "__init__.py"]
# All but the first three open it at their end, to judge: what they write has not seen it,
# but for metrics.
READS_TRUTH = {
    "linkage", "customers", "oracle", "churn", "dissatisfaction", "families", "segmentation",
    "clv", "response", "campaigns", "measurement",
}  # fmt: skip
JUDGES_AT_ITS_END = (
    "churn", "dissatisfaction", "families", "segmentation", "clv", "response", "campaigns",
    "measurement",
)  # fmt: skip


def _names(entries):
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


def _outs(stage):
    return _names(PIPELINE[stage].get("outs", []) + PIPELINE[stage].get("metrics", []))


def test_a_stage_per_notebook_in_their_order():
    assert list(PIPELINE) == ["capture", *NOTEBOOKS, "report"]


@pytest.mark.parametrize("stage", PIPELINE)
def test_modules_are_those_imported(stage):
    if stage in NOTEBOOKS:
        needed = dependencies(NOTEBOOKS[stage], *RUNNER)
    else:
        needed = dependencies(
            SOURCE / "capture.py" if stage == "capture" else SOURCE / "report" / "__init__.py"
        )
    declared = [d for d in PIPELINE[stage]["deps"] if d.startswith("src/")]
    assert declared == needed, f"deps of {stage} should be:\n" + "\n".join(needed)


@pytest.mark.parametrize("stage", NOTEBOOKS)
def test_tables_are_those_read_and_written(stage):
    code = code_of(NOTEBOOKS[stage])
    deps, outs = PIPELINE[stage]["deps"], _outs(stage)
    for name, table in CONTRACTS.items():
        path = f"data/{table.folder}/{table.file_name}"
        if f'store.write("{name}"' in code:
            assert path in outs, f"{stage} writes {name}"
        elif f'store.read("{name}")' in code or f'store.count("{name}")' in code:
            assert path in deps + outs, f"{stage} reads {name}"


def test_every_table_is_made_by_one_stage():
    made = [out for stage in PIPELINE for out in _outs(stage)]
    for name, table in CONTRACTS.items():
        assert made.count(f"data/{table.folder}/{table.file_name}") == 1, name


@pytest.mark.parametrize("stage", PIPELINE)
def test_inputs_come_from_earlier_stages(stage):
    earlier = list(PIPELINE)[: list(PIPELINE).index(stage)]
    made = {out for name in earlier for out in _outs(name)}
    for dep in PIPELINE[stage]["deps"]:
        if PurePosixPath(dep).parts[0] in ("data", "metrics", "reports", "models"):
            whole_folder = any(out.startswith(f"{dep}/") for out in made)
            assert dep in made or whole_folder or dep.startswith("data/incoming/"), dep


@pytest.mark.parametrize("stage", PIPELINE)
def test_no_modelling_stage_sees_the_truth(stage):
    truth = [d for d in PIPELINE[stage]["deps"] if d.startswith("data/truth")]
    assert not truth or stage in READS_TRUTH
    if stage in NOTEBOOKS and stage not in READS_TRUTH:
        assert "truth." not in code_of(NOTEBOOKS[stage])


@pytest.mark.parametrize("stage", PIPELINE)
def test_outputs_survive_a_failure(stage):
    """DVC removes what is not persistent before a stage runs."""
    for entry in PIPELINE[stage].get("outs", []) + PIPELINE[stage].get("metrics", []):
        assert next(iter(entry.values()))["persist"] is True


@pytest.mark.parametrize("stage", JUDGES_AT_ITS_END)
def test_tables_and_models_are_written_before_the_truth_is_opened(stage):
    before, _, after = code_of(NOTEBOOKS[stage]).partition("truth.")
    assert "store.write(" in before
    assert "store.write(" not in after and ".save(" not in after
