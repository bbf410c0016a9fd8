"""Runs, model versions and their review, kept by MLflow in one SQLite file.

The only module that imports mlflow. DVC owns the files that flow from stage to
stage; MLflow owns the history of runs and the registry of models. Nothing in the
pipeline reads it back, so that no stage depends on a hidden state.

Two aliases per model: `challenger` is the newest version, `champion` the one in
use. Only `review` moves `champion`.

Models are logged *from code*: the version holds a short Python file, the JSON
files it reads and an example of its input. Nothing is pickled, and loading a
pickle is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from customer360 import contracts

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Champion",
    "Holdout",
    "ReviewRow",
    "TrackingError",
    "as_served",
    "champions",
    "find_version",
    "fingerprint",
    "log_model_run",
    "open_tracking",
    "review",
    "table_digest",
]

CHALLENGER = "challenger"
CHAMPION = "champion"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"

# MLflow has no other switches than these. They are set before it is first imported.
_SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # Each of the next two would start another process, the first one a network call.
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
    # Names of the user's environment variables are none of the model's business.
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}

# What a served model imports. Listed, because MLflow needs 9 to 19 s to guess it.
_LIBRARIES = (
    "mlflow",
    "narwhals",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "lifetimes",
    "xgboost-cpu",
    "xgboost",
)

# The registry's column for a description; SQLite would take more, a server would not.
_DESCRIPTION_CHARACTERS = 5000

_THRESHOLD_KEYS = {"metric", "higher_is_better", "min_gain", "limits"}
_LIMIT_KEYS = {"min", "max", "abs_max"}


class TrackingError(RuntimeError):
    """A run cannot be logged or a model cannot be used. The message says what to do."""


@dataclass(frozen=True)
class Holdout:
    """What both models of a stage are judged on.

    Parameters
    ----------
    inputs : DataFrame
        One row per customer, the columns that the served model takes.
    actual : DataFrame
        One row per customer in the same order: what happened afterwards.
    measure : callable
        ``measure(prediction, actual)`` gives metrics by name; `prediction` is the
        DataFrame that the served model returns for `inputs`.
    predict_params : mapping, optional
        Passed to both models' `predict`, such as the holdout's `horizon_days`.
    """

    inputs: pd.DataFrame
    actual: pd.DataFrame
    measure: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, float]]
    predict_params: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ReviewRow:
    """One challenger held against its champion.

    `decision` is "promoted", "ready" (it passes, and nobody asked to promote it) or
    "held back". `reasons` says why in words; `card` is the challenger's model card.
    """

    stage: str
    name: str
    challenger: int
    champion: int | None
    metric: str
    challenger_value: float | None
    champion_value: float | None
    decision: str
    reasons: tuple[str, ...]
    card: str = ""


@dataclass(frozen=True)
class Champion:
    """The version of a stage that is in use.

    `learnt_until` is the last day of which it learnt anything, None when its run does not
    say. `predict` loads it and gives what it says of a frame, with parameters by name.
    """

    stage: str
    name: str
    version: int
    learnt_until: date | None
    predict: Callable[..., pd.DataFrame]


# --- opening ----------------------------------------------------------------------------------


def open_tracking(*, root: Path) -> MlflowClient:
    """Point MLflow at the project's own files; the one place where that is done.

    Runs and registry live in ``<root>/mlflow.db``, artifacts under
    ``<root>/mlartifacts``. No server, no network, no telemetry, no pickle. The first
    call in a project creates the database, which takes 4 to 7 s.

    Parameters
    ----------
    root : Path
        Folder of the project.

    Returns
    -------
    mlflow.MlflowClient
        For tracking and registry alike.
    """
    os.environ.update(_SWITCHES)
    # mlflow imports tqdm, which in a notebook asks for ipywidgets: no page could show its
    # bars. Imported first, so that the filter ends before mlflow sets filters of its own.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import tqdm.auto  # noqa: F401
    # Imported late: mlflow costs 2.4 s that `--help` should not pay.
    import mlflow
    from mlflow.telemetry import set_telemetry_client

    # A notebook may have imported mlflow before us, with telemetry on.
    set_telemetry_client()
    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)

    uri = f"sqlite:///{(root.resolve() / DATABASE).as_posix()}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: MlflowClient, *, root: Path, dataset: str) -> str:
    """Id of the dataset's experiment, made or brought back when need be."""
    location = (root.resolve() / ARTIFACTS / dataset).as_uri()
    found = client.get_experiment_by_name(dataset)
    if found is None:
        return client.create_experiment(dataset, artifact_location=location)
    if found.artifact_location != location:
        # MLflow keeps absolute paths: going on would write into the old folder.
        raise TrackingError(
            f"{DATABASE} was made in another folder, and its models still point there. Move the "
            f"project back, or delete {DATABASE} and {ARTIFACTS}/ to begin a new history (the "
            "pipeline's own outputs are not affected)"
        )
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found.experiment_id


# --- what a run says about itself -------------------------------------------------------------


def as_served(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the types that a served model takes: numbers as float64.

    An integer column becomes a float column as soon as one value is missing, and a
    signature that says integer then refuses it. Categories become text. Plain flags,
    times and text stay. The index is dropped.

    Examples
    --------
    >>> as_served(pd.DataFrame({"orders": [1, 2]})).dtypes["orders"]
    dtype('float64')
    """
    types: dict[Any, str] = {}
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            types[name] = "str"
        elif dtype != "bool" and pd.api.types.is_numeric_dtype(dtype):
            types[name] = "float64"
    return frame.astype(types).reset_index(drop=True)


def table_digest(frame: pd.DataFrame) -> str:
    """Fingerprint of a table: every row, in order, with column names and types.

    MLflow's own digest reads the first 10,000 rows only. 32 hexadecimal digits.
    """
    columns = json.dumps([[str(name), str(dtype)] for name, dtype in frame.dtypes.items()])
    digest = hashlib.sha256(columns.encode())
    # Lists and dates are Python objects, which pandas cannot always hash.
    objects = {str(n): frame[n].map(repr) for n, t in frame.dtypes.items() if t == "object"}
    rows = pd.util.hash_pandas_object(frame.assign(**objects), index=False)
    digest.update(rows.to_numpy().tobytes())
    return digest.hexdigest()[:32]


def fingerprint(*paths: Path) -> str:
    """Digest of the files of a model: the same wherever and whenever they were made.

    Runs and versions get a new number in each registry. This names the model itself, and is
    the tag `fingerprint` of its runs and versions.

    Parameters
    ----------
    paths : Path
        Files, and folders with all that is below them; where they lie does not count.
    """
    found = {
        file.relative_to(path).as_posix() if path.is_dir() else path.name: file
        for path in paths
        for file in (path.rglob("*") if path.is_dir() else [path])
        if file.is_file()
    }
    digest = hashlib.sha256()
    for name, file in sorted(found.items()):
        digest.update(f"{name}:{file.stat().st_size}:".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def find_version(*, root: Path, name: str, fingerprint: str) -> dict[str, str] | None:
    """The newest version of a registered model that has these files.

    Parameters
    ----------
    root : Path
        Folder of the project.
    name : str
        Registered model, ``<dataset>-<stage>``.
    fingerprint : str
        From `fingerprint`.

    Returns
    -------
    dict or None
        model (``models:/name/version``), run_id, link (to the run, below the address of the
        MLflow page), aliases; None where the registry does not hold such a version.
    """
    client = open_tracking(root=root)
    found = client.search_model_versions(
        f"name='{name}' and tags.fingerprint='{fingerprint}'",
        order_by=["version_number DESC"],
        max_results=1,
    )
    if not found:
        return None
    version, run_id = found[0].version, str(found[0].run_id)
    experiment = client.get_run(run_id).info.experiment_id
    held = client.get_registered_model(name).aliases
    return {
        "model": f"models:/{name}/{version}",
        "run_id": run_id,
        "link": f"#/experiments/{experiment}/runs/{run_id}",
        "aliases": ", ".join(sorted(a for a, v in held.items() if str(v) == str(version))),
    }


def _content_digest(
    *, model_code: Path, artifacts: Mapping[str, Path], params: Mapping[str, str]
) -> str:
    """Fingerprint of what makes a model: its code, its files and its parameters."""
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode())
    digest.update(model_code.read_bytes())
    for name, path in sorted(artifacts.items()):
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            inside = file.relative_to(path).as_posix() if path.is_dir() else ""
            digest.update(f"{name}/{inside}:{file.stat().st_size}:".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _flat(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Parameters leaf by leaf, as `model.max_depth`, in text."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _provenance(root: Path) -> dict[str, str]:
    """Tags that say which code and which data: commit, dirty flag, hash of dvc.lock."""
    tags = {"git_commit": _git(root, "rev-parse", "--verify", "HEAD") or "none"}
    # What the pipeline itself rewrites while it runs does not make the code dirty.
    changed = _git(root, "status", "--porcelain", "--", ".", ":!metrics", ":!dvc.lock")
    if changed is not None:
        tags["git_dirty"] = str(bool(changed)).lower()
    lock = root / "dvc.lock"
    if lock.is_file():
        tags["dvc_lock_sha256"] = hashlib.sha256(lock.read_bytes()).hexdigest()
    return tags


def _pinned_requirements() -> list[str]:
    """The libraries a served model imports, at the versions installed here.

    customer360 itself is not listed: it is not published, and a version is served
    from the project's own environment (``--env-manager local``).
    """
    pins = []
    for library in _LIBRARIES:
        try:
            pins.append(f"{library}=={metadata.version(library)}")
        except metadata.PackageNotFoundError:
            continue  # xgboost and xgboost-cpu are the same library: one of them is here
    return pins


def _refuse_personal(frame: pd.DataFrame) -> None:
    personal = contracts.CONTRACTS["customers"].personal_columns
    if shown := sorted(set(personal).intersection(frame.columns)):
        raise ValueError(
            f"the input example of a model is stored with it and must not hold personal data: "
            f"drop {', '.join(shown)}"
        )


def _dataset_input(name: str, frame: pd.DataFrame, tags: Mapping[str, str]) -> Any:
    """A table as MLflow remembers it: name, digest, columns and size, and not one row."""
    from mlflow.entities import Dataset, DatasetInput

    def type_of(dtype: Any) -> str:
        if pd.api.types.is_bool_dtype(dtype):
            return "boolean"
        if pd.api.types.is_numeric_dtype(dtype):
            return "double"
        return "datetime" if pd.api.types.is_datetime64_any_dtype(dtype) else "string"

    columns = [
        {"name": str(column), "type": type_of(dtype), "required": True}
        for column, dtype in frame.dtypes.items()
    ]
    return DatasetInput(
        Dataset(
            name=name,
            digest=table_digest(frame),
            source_type="code",
            source=json.dumps({"tags": dict(tags)}),
            schema=json.dumps({"mlflow_colspec": columns}),
            profile=json.dumps({"num_rows": len(frame), "num_elements": int(frame.size)}),
        )
    )


def _example(given: pd.DataFrame | list[dict[str, Any]]) -> pd.DataFrame | list[dict[str, Any]]:
    """As served, with customers called example-1, example-2...: an id leads to a person."""
    if isinstance(given, list):
        return given
    frame = as_served(given)
    if "customer_id" not in frame.columns:
        return frame
    return frame.assign(customer_id=[f"example-{row}" for row in range(1, len(frame) + 1)])


def _signature(inputs: Any, outputs: Any, predict_params: Mapping[str, Any] | None) -> Any:
    """Columns and types of a model, every column asked for, any value may be missing."""
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import ColSpec, Schema

    inferred = infer_signature(inputs, outputs, dict(predict_params) if predict_params else None)
    # Inferred, a column would be optional when the few rows of the example lack a value.
    inputs_schema, outputs_schema = (
        Schema([ColSpec(column.type, column.name) for column in schema])
        for schema in (inferred.inputs, inferred.outputs)
    )
    return ModelSignature(inputs=inputs_schema, outputs=outputs_schema, params=inferred.params)


# --- logging a run ----------------------------------------------------------------------------


def log_model_run(
    *,
    root: Path,
    stage: str,
    dataset: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    figures: Mapping[str, Figure],
    tables: Mapping[str, pd.DataFrame],
    model_code: Path,
    artifacts: Mapping[str, Path],
    input_example: pd.DataFrame | list[dict[str, Any]],
    output_example: pd.DataFrame | list[dict[str, Any]],
    card: str,
    predict_params: Mapping[str, Any] | None = None,
    timings_s: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    series: Mapping[int, Mapping[str, float]] | None = None,
) -> int:
    """Log one run of a stage and register its model as challenger.

    The logged model is loaded back and must give `output_example` for
    `input_example` before it is registered: what is served is what was tested.

    A model equal to the newest version (same code, files and parameters) does not
    become another version: the run is logged, the version keeps its alias and gets
    the new card.

    Parameters
    ----------
    root : Path
        Folder of the project.
    stage, dataset : str
        The experiment is `dataset`, the registered model ``<dataset>-<stage>``.
    params : mapping
        Nested groups are flattened: ``{"model": {"depth": 3}}`` is `model.depth`.
    metrics : mapping of str to float
    figures : mapping of str to matplotlib Figure
        Kept as ``figures/<name>.png``.
    tables : mapping of str to DataFrame
        What the model learnt from. Only name, digest, columns and size are kept.
    model_code : Path
        Python file that ends in ``mlflow.models.set_model(...)``.
    artifacts : mapping of str to Path
        Files or folders the code reads, in native formats (JSON, UBJ).
    input_example : DataFrame or list of dict
        A few rows as the model takes them, without personal data; kept with it, each
        `customer_id` replaced. Objects, for a service that takes requests: kept as they
        are, so name nobody in them.
    output_example : DataFrame or list of dict
        What the trained model predicts for them, one row each.
    card : str
        Model card in Markdown; the version's description, and ``model_card.md``.
    predict_params : mapping, optional
        Parameters that `predict` takes, with their defaults.
    timings_s : mapping of str to float, optional
        Seconds by part, kept as metrics `timing_<part>_s`.
    tags : mapping of str to str, optional
        More tags for the run; `learnt_until` (ISO day) tells `champions` what is unseen.
    series : mapping of int to mapping, optional
        Metrics by step, such as the health of a model by its age in months.

    Returns
    -------
    int
        Version of the registered model that holds this content.

    Raises
    ------
    ValueError
        When the input example holds personal data.
    TrackingError
        When the logged model does not load or predicts something else, or when the
        project was moved.
    """
    if isinstance(input_example, pd.DataFrame):
        _refuse_personal(input_example)
    client = open_tracking(root=root)
    import mlflow
    from mlflow.entities import RunTag

    name = f"{dataset}-{stage}"
    flat_params = dict(_flat(params))
    content = _content_digest(model_code=model_code, artifacts=artifacts, params=flat_params)
    marks = {"content_digest": content, "fingerprint": fingerprint(*artifacts.values())}
    provenance = {"dataset": dataset, "stage": stage, **_provenance(root)}
    experiment_id = _experiment(client, root=root, dataset=dataset)

    # Made by the client: the fluent call would add the user's name and machine paths.
    run_id = client.create_run(experiment_id, run_name=stage).info.run_id
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        timings = {f"timing_{part}_s": value for part, value in (timings_s or {}).items()}
        mlflow.log_params(flat_params)
        mlflow.log_metrics({**metrics, **timings})
        for step, figures_then in (series or {}).items():
            mlflow.log_metrics(dict(figures_then), step=step)
        mlflow.set_tags({**provenance, **marks, **(tags or {})})
        client.log_inputs(
            run_id, [_dataset_input(table, frame, provenance) for table, frame in tables.items()]
        )
        for figure_name, figure in figures.items():
            client.log_figure(run_id, figure, f"figures/{figure_name}.png")
        client.log_text(run_id, card, "model_card.md")

        version = _newest_version(client, name, content)
        if version is None:
            model_uri = _log_model(
                stage=stage,
                model_code=model_code,
                artifacts=artifacts,
                inputs=_example(input_example),
                outputs=_example(output_example),
                predict_params=predict_params,
            )
            version = _register(
                client,
                name=name,
                model_uri=model_uri,
                run_id=run_id,
                tags={**provenance, **marks},
            )
        client.update_model_version(name, str(version), description=_shortened(card))
        client.set_registered_model_alias(name, CHALLENGER, str(version))
        client.log_batch(run_id, tags=[RunTag("model_version", str(version))])
    return version


def _log_model(
    *,
    stage: str,
    model_code: Path,
    artifacts: Mapping[str, Path],
    inputs: pd.DataFrame | list[dict[str, Any]],
    outputs: pd.DataFrame | list[dict[str, Any]],
    predict_params: Mapping[str, Any] | None,
) -> str:
    """Log the model into the active run, and prove that it can be used. Gives its URI."""
    import mlflow

    tables = isinstance(outputs, pd.DataFrame)
    try:
        info = mlflow.pyfunc.log_model(
            name=stage,
            python_model=str(model_code),
            artifacts={key: str(path) for key, path in artifacts.items()},
            pip_requirements=_pinned_requirements(),
            # A service says in its type hints what it takes.
            signature=_signature(inputs, outputs, predict_params) if tables else None,
            input_example=inputs,
        )
        predicted = _load(info.model_uri).predict(inputs)
    except Exception as error:
        raise TrackingError(
            f"the model of stage {stage} was not registered: {model_code.name} cannot be loaded "
            f"or cannot predict its own input example ({_in_short(error)})"
        ) from error
    try:
        if isinstance(outputs, pd.DataFrame):
            pd.testing.assert_frame_equal(
                as_served(predicted), outputs, rtol=1e-6, check_dtype=False
            )
        elif predicted != outputs:
            raise AssertionError("other answers")
    except AssertionError as error:
        raise TrackingError(
            f"the model of stage {stage} was not registered: loaded back, it does not predict "
            f"what the trained model did. Check that {model_code.name} and its artifacts "
            f"{', '.join(sorted(artifacts))} hold all that the model needs"
        ) from error
    return info.model_uri


def _load(uri: str) -> Any:
    import mlflow

    return mlflow.pyfunc.load_model(uri, suppress_warnings=True)


def _newest_version(client: MlflowClient, name: str, content: str) -> int | None:
    """The newest version if it has this content, else None."""
    newest = client.search_model_versions(
        f"name='{name}'", order_by=["version_number DESC"], max_results=1
    )
    same = bool(newest) and newest[0].tags.get("content_digest") == content
    return int(newest[0].version) if same else None


def _register(
    client: MlflowClient, *, name: str, model_uri: str, run_id: str, tags: Mapping[str, str]
) -> int:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(
            name, tags={"dataset": tags["dataset"], "stage": tags["stage"]}
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    created = client.create_model_version(
        name,
        source=model_uri,
        run_id=run_id,
        tags=dict(tags),
        await_creation_for=0,
        model_id=model_uri.rsplit("/", 1)[-1],
    )
    return int(created.version)


def _shortened(card: str) -> str:
    if len(card) <= _DESCRIPTION_CHARACTERS:
        return card
    ending = "\n\n*Shortened: the whole card is model_card.md of the run.*"
    return card[: _DESCRIPTION_CHARACTERS - len(ending)] + ending


def _in_short(error: Exception) -> str:
    """Kind of an error and its first line: enough to act on, too short to hold rows."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__


# --- review -----------------------------------------------------------------------------------


def review(
    *,
    root: Path,
    dataset: str,
    thresholds: Mapping[str, Mapping[str, Any]],
    holdouts: Mapping[str, Holdout],
    promote: bool,
) -> list[ReviewRow]:
    """Hold each challenger against its champion and move `champion` when it passes.

    Both models are loaded and score the same holdout. The challenger passes when its
    metric is better by at least `min_gain` (negative: may be worse by that much) and
    all limits hold. The first version, or one whose champion no longer loads or
    scores, is judged on the limits alone. A challenger that does not load or score
    never passes.

    Parameters
    ----------
    root : Path
        Folder of the project.
    dataset : str
        Only its models are reviewed.
    thresholds : mapping of stage to mapping
        The group `review` of ``params.yaml``. Keys: `metric`, `higher_is_better`,
        `min_gain` (default 0) and `limits` (metric to `min`, `max` or `abs_max`).
    holdouts : mapping of stage to Holdout
        A model without one is held back.
    promote : bool
        False only says what would happen.

    Returns
    -------
    list of ReviewRow
        One per model whose challenger is not its champion, by stage name; empty when
        nothing awaits review.

    Raises
    ------
    ValueError
        When thresholds are malformed, naming the stage and the key.
    """
    rules = {stage: _Rule.read(stage, rule) for stage, rule in thresholds.items()}
    client = open_tracking(root=root)
    rows = []
    for model in _registered(client, dataset):
        awaiting, in_use = (model.aliases.get(alias) for alias in (CHALLENGER, CHAMPION))
        if awaiting is None or awaiting == in_use:
            continue
        challenger = client.get_model_version(model.name, awaiting)
        champion = None if in_use is None else client.get_model_version(model.name, in_use)
        stage = model.tags["stage"]
        row = _judge(
            stage=stage,
            challenger=challenger,
            champion=champion,
            rule=rules.get(stage),
            holdout=holdouts.get(stage),
            promote=promote,
        )
        if promote:
            if row.decision == "promoted":
                client.set_registered_model_alias(row.name, CHAMPION, str(row.challenger))
            words = f"{row.decision}: {'; '.join(row.reasons)}"
            client.set_model_version_tag(row.name, str(row.challenger), "review", words)
        rows.append(row)
    return sorted(rows, key=lambda row: row.stage)


def champions(*, root: Path, dataset: str) -> list[Champion]:
    """The models in use of a dataset, by stage name.

    Parameters
    ----------
    root : Path
        Folder of the project.
    dataset : str

    Returns
    -------
    list of Champion
        Their models are loaded when first asked to predict.
    """
    client = open_tracking(root=root)
    found = []
    for model in _registered(client, dataset):
        if (number := model.aliases.get(CHAMPION)) is None:
            continue
        version = client.get_model_version(model.name, number)
        learnt = client.get_run(str(version.run_id)).data.tags.get("learnt_until")
        found.append(
            Champion(
                stage=model.tags["stage"],
                name=model.name,
                version=int(number),
                learnt_until=None if learnt is None else date.fromisoformat(learnt),
                predict=_predictor(f"models:/{model.name}/{number}"),
            )
        )
    return sorted(found, key=lambda champion: champion.stage)


def _predictor(uri: str) -> Callable[..., pd.DataFrame]:
    loaded = cache(_load)

    def predict(inputs: pd.DataFrame, **params: Any) -> pd.DataFrame:
        answer = loaded(uri).predict(as_served(inputs), params=params)
        return answer.set_axis(inputs.index)

    return predict


@dataclass(frozen=True)
class _Rule:
    """Thresholds of one stage, read and checked."""

    metric: str
    higher_is_better: bool
    min_gain: float
    limits: Mapping[str, Mapping[str, float]]

    @classmethod
    def read(cls, stage: str, rule: Mapping[str, Any]) -> _Rule:
        where = f"params.yaml, review.{stage}"
        if unknown := sorted(set(rule) - _THRESHOLD_KEYS):
            raise ValueError(
                f"{where}: unknown {', '.join(unknown)}; write {', '.join(sorted(_THRESHOLD_KEYS))}"
            )
        if missing := sorted({"metric", "higher_is_better"} - set(rule)):
            raise ValueError(f"{where}: {', '.join(missing)} missing")
        limits = rule.get("limits") or {}
        for metric, bounds in limits.items():
            if not bounds or set(bounds) - _LIMIT_KEYS:
                raise ValueError(
                    f"{where}.limits.{metric}: write one or more of "
                    f"{', '.join(sorted(_LIMIT_KEYS))}, found {', '.join(bounds) or 'nothing'}"
                )
        return cls(
            metric=rule["metric"],
            higher_is_better=bool(rule["higher_is_better"]),
            min_gain=float(rule.get("min_gain", 0.0)),
            limits=limits,
        )

    def broken_limits(self, values: Mapping[str, float]) -> list[str]:
        """One sentence per limit that does not hold. A missing or NaN value never does."""
        sentences = []
        for metric, bounds in self.limits.items():
            value = values.get(metric, math.nan)
            if math.isnan(value):
                sentences.append(f"{metric} is limited, and was not measured")
                continue
            if "min" in bounds and value < bounds["min"]:
                sentences.append(f"{metric} {value:.4g} is below its limit {bounds['min']:.4g}")
            if "max" in bounds and value > bounds["max"]:
                sentences.append(f"{metric} {value:.4g} is above its limit {bounds['max']:.4g}")
            if "abs_max" in bounds and abs(value) > bounds["abs_max"]:
                sentences.append(
                    f"{metric} {value:.4g} is further from zero than {bounds['abs_max']:.4g}"
                )
        return sentences

    def comparison(self, challenger: float, champion: float) -> tuple[bool, str]:
        """Whether the gain suffices, and the sentence that says so."""
        gain = challenger - champion if self.higher_is_better else champion - challenger
        change = "equal" if gain == 0 else f"{'better' if gain > 0 else 'worse'} by {abs(gain):.4g}"
        asked = "at least as good is asked"
        if self.min_gain > 0:
            asked = f"better by at least {self.min_gain:.4g} is asked"
        elif self.min_gain < 0:
            asked = f"worse by up to {-self.min_gain:.4g} is accepted"
        return gain >= self.min_gain, (
            f"{self.metric} {challenger:.4g} against {champion:.4g}: {change} ({asked})"
        )


def _registered(client: MlflowClient, dataset: str) -> Iterator[Any]:
    """Registered models of a dataset. By tag: a name may begin like another's."""
    token = None
    while True:
        page = client.search_registered_models(f"tags.dataset = '{dataset}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _values(version: Any, holdout: Holdout) -> dict[str, float]:
    """Metrics of a version on the holdout."""
    model = _load(f"models:/{version.name}/{version.version}")
    wanted = dict(holdout.predict_params or {})
    prediction = model.predict(as_served(holdout.inputs), params=wanted)
    return {
        name: float(value) for name, value in holdout.measure(prediction, holdout.actual).items()
    }


def _judge(
    *,
    stage: str,
    challenger: Any,
    champion: Any | None,
    rule: _Rule | None,
    holdout: Holdout | None,
    promote: bool,
) -> ReviewRow:
    """Decide on one challenger. Moves nothing."""
    values: dict[str, float | None] = {"challenger": None, "champion": None}

    def row(passes: bool, *reasons: str) -> ReviewRow:
        return ReviewRow(
            stage=stage,
            name=challenger.name,
            challenger=int(challenger.version),
            champion=None if champion is None else int(champion.version),
            metric="" if rule is None else rule.metric,
            challenger_value=values["challenger"],
            champion_value=values["champion"],
            decision=("promoted" if promote else "ready") if passes else "held back",
            reasons=reasons,
            card=challenger.description or "",
        )

    if rule is None:
        return row(False, f"no thresholds: write a group review.{stage} in params.yaml")
    if holdout is None:
        return row(False, "no holdout to judge it on: run the pipeline on this dataset first")

    try:
        measured = _values(challenger, holdout)
    except Exception as error:  # whatever is wrong with it, it must not replace a champion
        return row(False, f"the challenger cannot be used ({_in_short(error)})")
    value = measured.get(rule.metric, math.nan)
    if math.isnan(value):
        return row(False, f"{rule.metric} of the challenger could not be measured")
    values["challenger"] = value
    broken = rule.broken_limits(measured)

    better, words = True, "first version: judged on its limits alone"
    if champion is not None:
        try:
            value_in_use = _values(champion, holdout).get(rule.metric, math.nan)
        except Exception as error:  # a champion that cannot be used protects nobody
            words = f"the champion cannot be used any more ({_in_short(error)}): judged on limits"
        else:
            if math.isnan(value_in_use):
                return row(False, *broken, f"{rule.metric} of the champion could not be measured")
            values["champion"] = value_in_use
            better, words = rule.comparison(value, value_in_use)
    if broken:
        return row(False, *broken, words)
    return row(better, words, "within its limits") if rule.limits else row(better, words)
