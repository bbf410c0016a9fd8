"""Runs and versions in MLflow: what is kept, what is refused, who becomes champion."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

from customer360 import tracking
from customer360.tracking import Holdout, ReviewRow, TrackingError

SERVING = Path(__file__).parents[2] / "serving"
MODEL_CODE = """
import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd


class Served(mlflow.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        self.weight = json.loads(Path(context.artifacts["model"]).read_text())["weight"]

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return pd.DataFrame({"score": model_input["orders"] * self.weight})


mlflow.models.set_model(Served())
"""

FEATURES = pd.DataFrame(
    {
        "orders": [1, 2, 3000],
        "web_visits": pd.array([1, None, 3], dtype="Int64"),
        "potential_class": pd.Categorical(["gros", None, "nouveau"]),
        "opted_in": [True, False, True],
    }
)
HIGHER = {"churn": {"metric": "average_precision", "higher_is_better": True}}


@pytest.fixture
def root(tmp_path: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project from which no connection can leave, and its own working folder."""

    def refuse(*_: Any) -> None:
        raise AssertionError("tracking must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.chdir(tmp_path)
    shutil.copy(migrated_database, tmp_path / tracking.DATABASE)
    return tmp_path


def log(root: Path, *, weight: float = 2.0, **changes: Any) -> int:
    """Log a model whose score is `weight` times the orders."""
    code, artifact = root / "served_model.py", root / "model.json"
    code.write_text(MODEL_CODE, encoding="utf-8")
    artifact.write_text(json.dumps({"weight": weight}), encoding="utf-8")
    content: dict[str, Any] = {
        "stage": "churn",
        "dataset": "demo",
        "params": {"seed": 7, "model": {"depth": 3, "labels": ["a", "b"]}},
        "metrics": {"average_precision": 0.4},
        "figures": {},
        "tables": {"features": FEATURES},
        "model_code": code,
        "artifacts": {"model": artifact},
        "input_example": FEATURES,
        "output_example": pd.DataFrame({"score": FEATURES["orders"] * weight}),
        "card": f"# Churn with weight {weight}",
        "timings_s": {"fit": 1.5},
    }
    return tracking.log_model_run(root=root, **{**content, **changes})


def versions(root: Path) -> list[int]:
    client = tracking.open_tracking(root=root)
    return sorted(int(v.version) for v in client.search_model_versions("name='demo-churn'"))


def aliases(root: Path, name: str = "demo-churn") -> dict[str, int]:
    found = tracking.open_tracking(root=root).get_registered_model(name).aliases
    return {alias: int(version) for alias, version in found.items()}


def runs(root: Path) -> list[Any]:
    client = tracking.open_tracking(root=root)
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    return client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])


def measure(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    """Highest when the weight is 3: closeness of the score to three times the orders."""
    error = (prediction["score"] - actual["wanted"]).abs().mean()
    return {"average_precision": 1 / (1 + error), "calibration_error": float(error)}


HOLDOUT = Holdout(
    inputs=FEATURES[["orders", "web_visits", "potential_class", "opted_in"]],
    actual=pd.DataFrame({"wanted": FEATURES["orders"] * 3.0}),
    measure=measure,
)


def review(root: Path, **changes: Any) -> list[ReviewRow]:
    content: dict[str, Any] = {
        "dataset": "demo",
        "thresholds": HIGHER,
        "holdouts": {"churn": HOLDOUT},
        "promote": True,
    }
    return tracking.review(root=root, **{**content, **changes})


class TestLogging:
    def test_a_version_loaded_back_predicts_the_same(self, root: Path) -> None:
        import mlflow

        assert log(root) == 1
        model = mlflow.pyfunc.load_model("models:/demo-churn@challenger")
        predicted = model.predict(tracking.as_served(FEATURES))
        np.testing.assert_allclose(predicted["score"], FEATURES["orders"] * 2.0)

    def test_a_run_says_what_it_was_made_of(self, root: Path) -> None:
        (root / "dvc.lock").write_text("schema: '2.0'\n", encoding="utf-8")
        figure = matplotlib.figure.Figure()
        figure.subplots().plot([1, 2])
        log(root, tags={"note": "first"}, figures={"lift": figure})
        client = tracking.open_tracking(root=root)
        (run,) = runs(root)
        assert run.info.status == "FINISHED"
        assert run.data.params == {
            "seed": "7",
            "model.depth": "3",
            "model.labels": '["a", "b"]',
        }
        assert run.data.metrics == {"average_precision": 0.4, "timing_fit_s": 1.5}
        tags = run.data.tags
        assert tags["note"] == "first"
        assert tags["stage"] == "churn"
        assert tags["git_commit"] == "none"
        assert tags["model_version"] == "1"
        lock = (root / "dvc.lock").read_bytes()
        assert tags["dvc_lock_sha256"] == hashlib.sha256(lock).hexdigest()
        assert not {"mlflow.user", "mlflow.source.name"} & tags.keys()
        assert [f.path for f in client.list_artifacts(run.info.run_id, "figures")] == [
            "figures/lift.png"
        ]
        version = client.get_model_version("demo-churn", "1")
        assert version.description == "# Churn with weight 2.0"
        assert version.run_id == run.info.run_id

    def test_a_commit_and_what_differs_from_it_are_tagged(self, root: Path) -> None:
        def git(*arguments: str) -> str:
            identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
            command = ["git", "-C", str(root), *identity, *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        (root / ".gitignore").write_text("mlflow.db\nmlartifacts\nmodel.json\n", encoding="utf-8")
        (root / "served_model.py").write_text(MODEL_CODE, encoding="utf-8")
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "-m", "first")
        (root / "metrics").mkdir()
        (root / "metrics" / "churn.json").write_text("{}", encoding="utf-8")
        log(root)
        (root / "new_module.py").write_text("", encoding="utf-8")
        log(root, weight=4.0)
        clean, dirty = runs(root)
        assert clean.data.tags["git_commit"] == git("rev-parse", "HEAD").strip()
        assert clean.data.tags["git_dirty"] == "false"
        assert dirty.data.tags["git_dirty"] == "true"

    def test_tables_are_remembered_without_their_rows(self, root: Path) -> None:
        people = pd.DataFrame({"customer_id": ["c1", "c2"], "note": ["Zébulon", "Zénobie"]})
        log(root, tables={"people": people})
        (run,) = runs(root)
        (entry,) = run.inputs.dataset_inputs
        assert entry.dataset.name == "people"
        assert entry.dataset.digest == tracking.table_digest(people)
        assert json.loads(entry.dataset.profile)["num_rows"] == 2
        assert '"note"' in entry.dataset.schema
        kept = [p for p in root.rglob("*") if p.is_file()]
        assert not [p for p in kept if "Zénobie".encode() in p.read_bytes()]

    def test_numbers_are_doubles_whatever_the_example_lacks(self, root: Path) -> None:
        from mlflow.models import get_model_info

        log(root)
        signature = get_model_info("models:/demo-churn/1").signature
        types = {column.name: column.type.name for column in signature.inputs}
        assert types == {
            "orders": "double",
            "web_visits": "double",
            "potential_class": "string",
            "opted_in": "boolean",
        }
        assert all(column.required for column in signature.inputs)
        assert [column.type.name for column in signature.outputs] == ["double"]

    def test_nothing_is_pickled_and_pickles_are_refused(self, root: Path) -> None:
        log(root)
        kept = [p for p in (root / tracking.ARTIFACTS).rglob("*") if p.is_file()]
        assert "served_model.py" in {p.name for p in kept}
        assert not [p for p in kept if p.suffix in {".pkl", ".pickle", ".joblib", ".cloudpickle"}]
        # Protocol 2 and later begin with these two bytes.
        assert not [p for p in kept if p.read_bytes()[:1] == b"\x80"]
        assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"

    def test_needs_are_listed_and_not_guessed(self, root: Path) -> None:
        log(root)
        (file,) = (root / tracking.ARTIFACTS).rglob("requirements.txt")
        needs = file.read_text(encoding="utf-8").split()
        assert f"pandas=={pd.__version__}" in needs
        assert any(need.startswith(("xgboost==", "xgboost-cpu==")) for need in needs)
        assert all("==" in need for need in needs)

    def test_everything_stays_in_the_project_and_in_silence(
        self, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        log(root)
        assert {p.name for p in root.iterdir()} == {
            "mlflow.db",
            "mlartifacts",
            "served_model.py",
            "model.json",
        }
        assert capfd.readouterr() == ("", "")

    def test_input_is_left_alone(self, root: Path) -> None:
        before = FEATURES.copy()
        log(root)
        pd.testing.assert_frame_equal(FEATURES, before)

    def test_an_example_with_personal_data_is_refused(self, root: Path) -> None:
        example = FEATURES.assign(email="someone@example.com")
        with pytest.raises(ValueError, match="drop email") as caught:
            log(root, input_example=example)
        assert "someone" not in str(caught.value)

    def test_an_example_leads_to_no_customer(self, root: Path) -> None:
        example = FEATURES.assign(customer_id=["c-77701", "c-77702", "c-77703"])
        log(root, input_example=example)
        kept = [p for p in (root / tracking.ARTIFACTS).rglob("*") if p.is_file()]
        assert not [p for p in kept if b"c-7770" in p.read_bytes()]
        assert [p for p in kept if b"example-3" in p.read_bytes()]

    def test_a_model_that_predicts_something_else_is_not_registered(self, root: Path) -> None:
        log(root)
        with pytest.raises(TrackingError, match="does not predict what the trained model did"):
            log(root, weight=5.0, output_example=pd.DataFrame({"score": [1.0, 2.0, 3.0]}))
        assert versions(root) == [1]
        assert runs(root)[-1].info.status == "FAILED"

    def test_a_model_that_does_not_load_is_not_registered(self, root: Path) -> None:
        broken = root / "broken_model.py"
        broken.write_text("import no_such_module", encoding="utf-8")
        with pytest.raises(TrackingError, match=r"broken_model\.py cannot be loaded"):
            log(root, model_code=broken)
        assert runs(root)[-1].info.status == "FAILED"

    def test_a_long_card_is_shortened_in_the_registry_and_whole_in_the_run(
        self, root: Path
    ) -> None:
        log(root, card="word " * 2000)
        version = tracking.open_tracking(root=root).get_model_version("demo-churn", "1")
        assert version.description is not None
        assert len(version.description) == 5000
        assert "model_card.md" in version.description
        (kept,) = (root / tracking.ARTIFACTS).rglob("model_card.md")
        assert kept.read_text(encoding="utf-8") == "word " * 2000

    def test_a_project_that_moved_says_so(self, root: Path, tmp_path: Path) -> None:
        log(root)
        moved = tmp_path / "moved"
        moved.mkdir()
        shutil.copy(root / tracking.DATABASE, moved / tracking.DATABASE)
        with pytest.raises(TrackingError, match="made in another folder"):
            log(moved)


class TestVersions:
    def test_the_newest_version_is_the_challenger(self, root: Path) -> None:
        assert [log(root, weight=w) for w in (2.0, 4.0)] == [1, 2]
        assert aliases(root) == {"challenger": 2}

    def test_the_same_content_is_the_same_version(self, root: Path) -> None:
        log(root)
        assert log(root, metrics={"average_precision": 0.5}, card="# Newer card") == 1
        assert versions(root) == [1]
        assert len(runs(root)) == 2
        assert aliases(root) == {"challenger": 1}
        version = tracking.open_tracking(root=root).get_model_version("demo-churn", "1")
        assert version.description == "# Newer card"

    def test_other_parameters_code_or_files_are_another_version(self, root: Path) -> None:
        code = root / "other_model.py"
        code.write_text(MODEL_CODE + "\n# changed\n", encoding="utf-8")
        assert log(root) == 1
        assert log(root, params={"seed": 8}) == 2
        assert log(root, model_code=code) == 3
        assert log(root, weight=2.5) == 4

    def test_a_folder_counts_file_by_file(self, root: Path) -> None:
        folder = root / "folder"
        folder.mkdir()
        (folder / "booster.json").write_text("{}", encoding="utf-8")
        code = root / "folder_model.py"
        code.write_text(MODEL_CODE, encoding="utf-8")
        artifact = root / "model.json"
        artifact.write_text(json.dumps({"weight": 2.0}), encoding="utf-8")

        def log_folder() -> int:
            return log(root, artifacts={"model": artifact, "folder": folder})

        assert [log_folder(), log_folder()] == [1, 1]
        (folder / "booster.json").rename(folder / "renamed.json")
        assert log_folder() == 2


class TestReview:
    def test_a_first_version_within_its_limits_is_promoted(self, root: Path) -> None:
        log(root, weight=3.0)
        rule = {**HIGHER["churn"], "limits": {"calibration_error": {"max": 0.05}}}
        (row,) = review(root, thresholds={"churn": rule})
        assert (row.decision, row.challenger, row.champion) == ("promoted", 1, None)
        assert row.challenger_value == 1.0
        assert aliases(root) == {"challenger": 1, "champion": 1}
        assert review(root) == []

    def test_a_first_version_beyond_its_limits_is_not(self, root: Path) -> None:
        log(root, weight=2.0)
        rule = {**HIGHER["churn"], "limits": {"calibration_error": {"max": 0.05}}}
        (row,) = review(root, thresholds={"churn": rule})
        assert row.decision == "held back"
        assert "calibration_error 1001 is above its limit 0.05" in row.reasons
        assert aliases(root) == {"challenger": 1}

    def test_a_worse_challenger_leaves_the_champion_in_place(self, root: Path) -> None:
        log(root, weight=3.0)
        review(root)
        log(root, weight=2.0)
        (row,) = review(root)
        assert (row.decision, row.challenger, row.champion) == ("held back", 2, 1)
        assert row.champion_value == 1.0
        assert row.challenger_value is not None and row.challenger_value < 0.01
        assert "worse by 0.999" in row.reasons[0]
        assert aliases(root) == {"challenger": 2, "champion": 1}
        version = tracking.open_tracking(root=root).get_model_version("demo-churn", "2")
        assert version.tags["review"].startswith("held back: average_precision")

    def test_a_better_challenger_is_promoted(self, root: Path) -> None:
        log(root, weight=2.0)
        review(root)
        log(root, weight=3.0)
        (row,) = review(root)
        assert row.decision == "promoted"
        assert "better by 0.999" in row.reasons[0]
        assert aliases(root) == {"challenger": 2, "champion": 2}

    def test_lower_may_be_better(self, root: Path) -> None:
        rule = {"churn": {"metric": "calibration_error", "higher_is_better": False}}
        log(root, weight=3.0)
        review(root, thresholds=rule)
        log(root, weight=2.0)
        (row,) = review(root, thresholds=rule)
        assert row.decision == "held back"
        log(root, weight=3.0)
        (row,) = review(root, thresholds=rule)
        assert (row.decision, row.reasons) == (
            "promoted",
            ("calibration_error 0 against 0: equal (at least as good is asked)",),
        )

    def test_limits_bound_a_value(self, root: Path) -> None:
        log(root, weight=3.0)  # average precision 1

        def passes(**limit: float) -> bool:
            rule = {**HIGHER["churn"], "limits": {"average_precision": limit}}
            (row,) = review(root, thresholds={"churn": rule}, promote=False)
            return row.decision == "ready"

        assert passes(min=0.5) and not passes(min=1.5)
        assert passes(max=1.0) and not passes(max=0.9)
        assert passes(abs_max=1.0) and not passes(abs_max=0.5)
        assert not passes(min=0.5, max=0.9)

    def test_a_better_challenger_beyond_a_limit_is_held_back(self, root: Path) -> None:
        log(root, weight=2.0)
        review(root)
        log(root, weight=3.0)
        rule = {**HIGHER["churn"], "limits": {"smallest_segment": {"min": 50}}}
        (row,) = review(root, thresholds={"churn": rule})
        assert row.decision == "held back"
        assert "smallest_segment is limited, and was not measured" in row.reasons
        assert aliases(root)["champion"] == 1

    def test_a_gain_may_be_asked_and_a_loss_accepted(self, root: Path) -> None:
        def passes(min_gain: float) -> bool:
            rule = {**HIGHER["churn"], "min_gain": min_gain}
            (row,) = review(root, thresholds={"churn": rule}, promote=False)
            return row.decision == "ready"

        log(root, weight=2.0)
        review(root)
        log(root, weight=3.0001)  # better by 0.91
        assert passes(0.5) and not passes(0.95)
        review(root)
        log(root, weight=3.0002)  # worse by 0.08
        assert passes(-0.5) and not passes(-0.01) and not passes(0.0)

    def test_asking_moves_and_writes_nothing(self, root: Path) -> None:
        log(root, weight=3.0)
        (row,) = review(root, promote=False)
        assert row.decision == "ready"
        assert aliases(root) == {"challenger": 1}
        version = tracking.open_tracking(root=root).get_model_version("demo-churn", "1")
        assert "review" not in version.tags

    def test_a_broken_challenger_never_replaces_a_champion(self, root: Path) -> None:
        log(root, weight=2.0)
        review(root)
        log(root, weight=3.0)
        for file in (root / tracking.ARTIFACTS).rglob("model.json"):
            if json.loads(file.read_text(encoding="utf-8"))["weight"] == 3.0:
                file.unlink()
        (row,) = review(root)
        assert row.decision == "held back"
        assert row.challenger_value is None
        assert "the challenger cannot be used" in row.reasons[0]
        assert aliases(root) == {"challenger": 2, "champion": 1}

    def test_a_challenger_that_cannot_score_is_held_back_even_alone(self, root: Path) -> None:
        log(root)
        lacking = Holdout(FEATURES[["web_visits"]], HOLDOUT.actual, measure)
        (row,) = review(root, holdouts={"churn": lacking})
        assert row.decision == "held back"
        assert aliases(root) == {"challenger": 1}

    def test_a_champion_that_no_longer_loads_does_not_block(self, root: Path) -> None:
        log(root, weight=2.0)
        review(root)
        for file in (root / tracking.ARTIFACTS).rglob("model.json"):
            file.unlink()
        log(root, weight=3.0)
        (row,) = review(root)
        assert row.decision == "promoted"
        assert "the champion cannot be used any more" in row.reasons[0]

    def test_a_value_that_is_not_a_number_never_passes(self, root: Path) -> None:
        log(root)
        nothing = Holdout(HOLDOUT.inputs, HOLDOUT.actual, lambda *_: {"average_precision": np.nan})
        (row,) = review(root, holdouts={"churn": nothing})
        assert row.decision == "held back"
        assert row.reasons == ("average_precision of the challenger could not be measured",)

    def test_a_stage_without_thresholds_or_holdout_is_held_back(self, root: Path) -> None:
        log(root)
        (row,) = review(root, thresholds={})
        assert row.reasons == ("no thresholds: write a group review.churn in params.yaml",)
        (row,) = review(root, holdouts={})
        assert "no holdout" in row.reasons[0]
        assert aliases(root) == {"challenger": 1}

    def test_only_models_of_the_dataset_are_reviewed(self, root: Path) -> None:
        log(root, dataset="demo-2", stage="churn", weight=3.0)
        log(root, dataset="demo", stage="clv", weight=3.0)
        assert review(root, dataset="empty") == []
        (row,) = review(root)
        assert (row.name, row.stage) == ("demo-clv", "clv")
        rows = review(root, dataset="demo-2")
        assert [(r.name, r.decision) for r in rows] == [("demo-2-churn", "promoted")]

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            ({"metric": "m"}, "higher_is_better missing"),
            ({**HIGHER["churn"], "min_gian": 1}, "unknown min_gian"),
            ({**HIGHER["churn"], "limits": {"m": {"most": 1}}}, r"limits\.m"),
            ({**HIGHER["churn"], "limits": {"m": {}}}, "found nothing"),
        ],
    )
    def test_malformed_thresholds_are_named(
        self, root: Path, rule: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ValueError, match=rf"review\.churn.*{words}"):
            review(root, thresholds={"churn": rule})


class TestOpening:
    def test_telemetry_is_off_and_mlflow_is_imported_late(
        self, tmp_path: Path, migrated_database: Path
    ) -> None:
        shutil.copy(migrated_database, tmp_path / tracking.DATABASE)
        script = (
            "import sys; from pathlib import Path; from customer360 import tracking\n"
            "assert 'mlflow' not in sys.modules\n"
            "tracking.open_tracking(root=Path(sys.argv[1]))\n"
            "from mlflow.telemetry import get_telemetry_client\n"
            "from mlflow.telemetry.utils import is_telemetry_disabled\n"
            "assert is_telemetry_disabled() and get_telemetry_client() is None\n"
        )
        # Without the variables by which mlflow would notice a test and switch off by itself.
        environment = {
            key: value
            for key, value in os.environ.items()
            if key in {"PATH", "HOME", "SYSTEMROOT", "TMPDIR", "TEMP"}
        }
        ran = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
        assert [p.name for p in tmp_path.iterdir()] == [tracking.DATABASE]

    def test_a_notebook_shows_no_warning_about_progress_bars(self, root: Path) -> None:
        """Only that one is kept back: filters of others stay, and no more is hidden."""
        script = (
            "import sys, warnings; from pathlib import Path; import IPython, ipykernel.zmqshell\n"
            "sys.modules['ipywidgets'] = None\n"
            "from customer360 import tracking\n"
            "before = list(warnings.filters)\n"
            "tracking.open_tracking(root=Path(sys.argv[1]))\n"
            "assert 'tqdm.auto' in sys.modules\n"
            "hidden = [str(f[1]) for f in warnings.filters if f not in before]\n"
            "assert not any('IProgress' in h for h in hidden), hidden\n"
            "assert any(f[2].__module__.startswith('urllib3') for f in warnings.filters)\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", script, str(root)], cwd=root, capture_output=True, text=True
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")

    def test_two_projects_keep_apart(self, root: Path, migrated_database: Path) -> None:
        other = root / "other"
        other.mkdir()
        shutil.copy(migrated_database, other / tracking.DATABASE)
        log(root)
        log(other, weight=5.0)
        assert versions(root) == versions(other) == [1]
        assert (other / tracking.ARTIFACTS).is_dir()


class TestFrames:
    def test_digest_changes_with_any_row_column_or_type(self) -> None:
        frame = pd.DataFrame({"n": [1.0] * 20_001, "t": ["x"] * 20_001})
        changed = frame.copy()
        changed.loc[20_000, "n"] = 2.0
        digests = {
            tracking.table_digest(frame),
            tracking.table_digest(changed),
            tracking.table_digest(frame.rename(columns={"n": "m"})),
            tracking.table_digest(frame.astype({"n": "float32"})),
            tracking.table_digest(frame.head(20_000)),
        }
        assert len(digests) == 5
        assert tracking.table_digest(frame.copy()) == tracking.table_digest(frame)

    def test_digest_reads_lists_dates_and_missing_values(self) -> None:
        frame = pd.DataFrame({"a": [[1], [2]], "b": [None, pd.Timestamp("2026-01-01").date()]})
        assert len(tracking.table_digest(frame)) == 32

    def test_numbers_become_double_and_the_rest_stays(self) -> None:
        served = tracking.as_served(FEATURES.assign(at=pd.Timestamp("2026-01-01")).iloc[1:])
        assert served.dtypes.astype(str).to_dict() == {
            "orders": "float64",
            "web_visits": "float64",
            "potential_class": "str",
            "opted_in": "bool",
            "at": "datetime64[us]",
        }
        assert served.index.tolist() == [0, 1]
        assert served["web_visits"].isna().tolist() == [True, False]


class TestServing:
    """The files in `serving/`, logged with models of the project and served from the registry."""

    FEATURES = pd.DataFrame(
        {
            "customer_id": ["c1", "c2", "c3", "c4"] * 25,
            "orders": [1, 2, 3, 4] * 25,
            "recency_days": [400.0, 300.0, 20.0, 10.0] * 25,
            "potential_class": ["inactif", None, "gros", "ordinaire"] * 25,
        }
    )

    def served(self, root: Path, **content: Any) -> Any:
        import mlflow

        log(root, **content)
        return mlflow.pyfunc.load_model("models:/demo-churn@challenger")

    def test_churn_gives_probabilities(self, root: Path) -> None:
        import xgboost as xgb

        from customer360.models.churn import ChurnModel

        names = ("orders", "recency_days")
        matrix = xgb.DMatrix(
            self.FEATURES[list(names)].astype(float), label=self.FEATURES["recency_days"] > 100
        )
        model = ChurnModel(
            booster=xgb.train({"objective": "binary:logistic", "nthread": 1}, matrix, 3),
            feature_names=names,
            categories={},
            slope=1.2,
            intercept=-0.1,
            horizon_days=90,
        )
        model.save(root / "churn")
        expected = model.predict(self.FEATURES)
        served = self.served(
            root,
            model_code=SERVING / "churn_model.py",
            artifacts={"model": root / "churn"},
            input_example=self.FEATURES.head(5),
            output_example=expected.head(5),
        )
        predicted = served.predict(tracking.as_served(self.FEATURES))
        np.testing.assert_allclose(predicted["churn_probability"], expected["churn_probability"])
        assert expected["churn_probability"].nunique() > 1

    def test_segmentation_gives_segments(self, root: Path) -> None:
        from customer360.segmentation.micro import SegmentationModel

        model = SegmentationModel(
            features=("orders", "recency_days"),
            fill=(1.0, 100.0),
            centre=(0.0, 0.0),
            scale=(1.0, 1.0),
            centroids=((1.0, 6.0), (4.0, 2.4)),
            names=("gone", "here"),
        )
        model.save(root / "segmentation.json")
        expected = model.predict(self.FEATURES)
        served = self.served(
            root,
            model_code=SERVING / "segmentation_model.py",
            artifacts={"model": root / "segmentation.json"},
            input_example=self.FEATURES.head(5),
            output_example=expected.head(5),
        )
        predicted = served.predict(tracking.as_served(self.FEATURES))
        assert predicted["segment_name"].tolist() == expected["segment_name"].tolist()
        assert expected["segment_name"].nunique() == 2

    def test_clv_gives_values_over_the_horizon_asked(self, root: Path) -> None:
        from customer360.models.btyd import BtydModel, GammaGammaModel
        from customer360.models.clv import ClvModel

        model = ClvModel(
            btyd=BtydModel(
                name="bg_nbd",
                params={"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
                time_unit_days=7.0,
                penalizer=0.0,
                log_likelihood=-9582.4,
                n_customers=2357,
                n_histories=1000,
            ),
            gamma_gamma=GammaGammaModel(
                p=6.25,
                q=3.74,
                v=15.44,
                population_mean=35.2,
                log_likelihood=-1.0,
                n_customers=946,
                n_not_positive=0,
                frequency_value_correlation=0.1,
            ),
            horizon_days=365.0,
            annual_discount_rate=0.1,
            as_of=dt.date(2026, 3, 31),
        )
        (root / "clv.json").write_text(model.to_json(), encoding="utf-8")
        summary = pd.DataFrame(
            {
                "customer_id": ["c1", "c2", "c3"],
                "frequency": [0, 2, 5],
                "recency_days": [0.0, 200.0, 250.0],
                "T_days": [270.0, 270.0, 266.0],
                "monetary_value": [0.0, 20.5, 31.0],
            }
        )
        expected = model.predict(summary)
        served = self.served(
            root,
            model_code=SERVING / "clv_model.py",
            artifacts={"model": root / "clv.json"},
            input_example=summary,
            output_example=expected,
            predict_params={"horizon_days": 365.0},
        )
        inputs = tracking.as_served(summary)
        year, month = served.predict(inputs), served.predict(inputs, params={"horizon_days": 30.0})
        np.testing.assert_allclose(year["clv"], expected["clv"])
        assert (month["expected_purchases"] < year["expected_purchases"] / 5).all()


SERVICE_CODE = """
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

Value = str | int | float | list | dict | None


class Service(PythonModel):
    def predict(
        self, context: Any, model_input: list[dict[str, Value]], params: Any = None
    ) -> list[dict[str, Value]]:
        if any("id" not in given for given in model_input):
            raise MlflowException.invalid_parameter_value("id is missing")
        return [{"said": given["id"], "more": [1, None]} for given in model_input]


set_model(Service())
"""


def test_a_service_takes_requests_and_gives_answers(root: Path):
    code = root / "service.py"
    code.write_text(SERVICE_CODE, encoding="utf-8")
    example = {"model_code": code, "input_example": [{"id": "a", "context": {"cart": ["b"]}}]}
    log(root, **example, output_example=[{"said": "a", "more": [1, None]}])
    import mlflow

    model = mlflow.pyfunc.load_model("models:/demo-churn@challenger")
    assert model.predict([{"id": "c"}]) == [{"said": "c", "more": [1, None]}]
    with pytest.raises(mlflow.exceptions.MlflowException, match="id is missing") as refused:
        model.predict([{}])
    assert refused.value.get_http_status_code() == 400


def test_a_service_that_answers_otherwise_is_not_registered(root: Path):
    code = root / "service.py"
    code.write_text(SERVICE_CODE, encoding="utf-8")
    with pytest.raises(TrackingError, match="does not predict"):
        log(root, model_code=code, input_example=[{"id": "a"}], output_example=[{"said": "b"}])


def test_a_version_is_found_by_the_fingerprint_of_its_files(root):
    log(root)
    log(root, weight=3.0)
    mark = tracking.fingerprint(root / "model.json")
    log(root, weight=2.0)
    found = tracking.find_version(root=root, name="demo-churn", fingerprint=mark)
    assert found is not None and found["model"] == "models:/demo-churn/2"
    assert found["run_id"] == runs(root)[1].info.run_id and found["aliases"] == ""
    assert found["link"].endswith(f"/runs/{found['run_id']}")
    assert tracking.find_version(root=root, name="demo-churn", fingerprint="0" * 64) is None
    assert tracking.find_version(root=root, name="demo-clv", fingerprint=mark) is None


def test_a_fingerprint_tells_content_and_names_not_places(tmp_path):
    for folder, text in (("a", "{}"), ("b", "{}"), ("c", "{ }")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.json").write_text(text)
    a, b, c = (tmp_path / folder for folder in "abc")
    assert tracking.fingerprint(a) == tracking.fingerprint(b / "model.json")
    assert tracking.fingerprint(a) != tracking.fingerprint(c)
    (a / "model.json").rename(a / "other.json")
    assert tracking.fingerprint(a) != tracking.fingerprint(b)


# --- champions ---


def test_a_series_is_kept_by_step(root: Path):
    log(root, series={0: {"health_roc_auc": 0.9}, 3: {"health_roc_auc": 0.8}})
    client = tracking.open_tracking(root=root)
    history = client.get_metric_history(runs(root)[0].info.run_id, "health_roc_auc")
    assert [(point.step, point.value) for point in history] == [(0, 0.9), (3, 0.8)]


def test_champions_say_what_they_learnt_until_and_score(root: Path):
    log(root, weight=2.0, tags={"learnt_until": "2025-03-31"})
    assert tracking.champions(root=root, dataset="demo") == []
    client = tracking.open_tracking(root=root)
    client.set_registered_model_alias("demo-churn", tracking.CHAMPION, "1")
    log(root, weight=5.0, tags={"learnt_until": "2025-06-30"})
    log(root, stage="clv")
    client.set_registered_model_alias("demo-clv", tracking.CHAMPION, "1")
    churn, clv = tracking.champions(root=root, dataset="demo")
    assert (churn.stage, churn.version, churn.learnt_until) == ("churn", 1, dt.date(2025, 3, 31))
    assert (clv.stage, clv.learnt_until) == ("clv", None)
    frame = FEATURES.set_axis([7, 8, 9])
    assert churn.predict(frame)["score"].to_dict() == {7: 2.0, 8: 4.0, 9: 6000.0}
    assert tracking.champions(root=root, dataset="other") == []
