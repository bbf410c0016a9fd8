from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import nbformat.v4
import numpy
import pytest

from customer360.run_notebook import (
    KERNELSPEC,
    StageError,
    StageFailed,
    declared_parameters,
    execute,
    notebook_path,
    one_cell,
    stage_names,
    strip,
    tidy,
    title,
    transaction,
    write_notebook,
)

Cell = nbformat.NotebookNode
PARAMETERS = (
    "seed = 360\nshare = 0.5\nquick = False\nname = 'shop'\nlimits = {'low': 1}\nfree = None"
)


def markdown(text: str) -> Cell:
    return nbformat.v4.new_markdown_cell(text)


def code(text: str, *tags: str) -> Cell:
    metadata = {"tags": list(tags)} if tags else {}
    return nbformat.v4.new_code_cell(text, metadata=metadata)


def notebook(*cells: Cell) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells), metadata={"kernelspec": KERNELSPEC})


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """A project folder whose one stage `small` has these cells."""

    def build(*cells: Cell) -> Path:
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "params.yaml").touch()
        nbformat.write(notebook(*cells), tmp_path / "notebooks" / "01_small.ipynb")
        return tmp_path

    return build


# --- stages ---


def test_stages_follow_their_numbers_and_other_notebooks_are_none(tmp_path: Path):
    (tmp_path / "notebooks").mkdir()
    for name in ("02_linkage", "01_cleaning", "10_measurement", "customer_card", "1_short"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()
    assert list(stage_names(tmp_path)) == ["cleaning", "linkage", "measurement"]
    assert notebook_path(tmp_path, "linkage").name == "02_linkage.ipynb"
    with pytest.raises(StageError, match="'churn'; there are cleaning, linkage, measurement"):
        notebook_path(tmp_path, "churn")


def test_a_title_is_the_first_heading():
    assert title(notebook(markdown("# What arrived?\n\n- rows"), code("1"))) == "What arrived?"
    assert len(one_cell(code("1")).cells) == 1


# --- parameters ---


def test_declared_parameters_are_those_of_the_tagged_cell():
    book = notebook(code("seed = 1"), code(PARAMETERS, "parameters"), code("other = 2"))
    assert declared_parameters(book) == {
        "seed": 360,
        "share": 0.5,
        "quick": False,
        "name": "shop",
        "limits": {"low": 1},
        "free": None,
    }
    assert declared_parameters(notebook(code("seed = 1"))) == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sede": 1}, r"params.yaml gives small.sede, .* does not declare .*seed, share, quick"),
        ({"quick": "true"}, r"small.quick is 'true' \(str\); .* expects bool, for example False"),
        ({"quick": 1}, r"small.quick is 1 \(int\)"),
        ({"seed": True}, r"small.seed is True \(bool\); the notebook expects int"),
        ({"seed": 1.0}, r"small.seed is 1.0 \(float\)"),
        ({"share": True}, r"small.share is True \(bool\)"),
        ({"share": "0.5"}, r"small.share is '0.5' \(str\)"),
        ({"name": 7}, r"small.name is 7 \(int\)"),
        ({"seed": None}, r"small.seed is None"),
        ({"limits": ["low"]}, r"small.limits is \['low'\] \(list\)"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(project, given, told):
    root = project(code(PARAMETERS, "parameters"), code("open('ran', 'w')"))
    with pytest.raises(StageError, match=told):
        execute(root=root, stage="small", parameters=given)
    assert not (root / "notebooks" / "ran").exists()


def test_a_stage_without_parameters_says_so(project):
    root = project(code("1"))
    with pytest.raises(StageError, match="it declares none"):
        execute(root=root, stage="small", parameters={"seed": 1})


# --- execution: three kernels in all ---

SHOWS = (
    "import os, sys, warnings\n"
    "warnings.warn(f'unknown codes in {os.path.abspath(\"../data/codes.csv\")}')\n"
    "print(seed, type(share).__name__, quick, os.path.basename(os.getcwd()))\n"
    "{'free': free}"
)


def test_two_executions_give_the_same_bytes(project, tmp_path):
    root = project(
        markdown("# Small"), code(PARAMETERS, "parameters"), markdown("## Show"), code(SHOWS)
    )
    source = (root / "notebooks" / "01_small.ipynb").read_bytes()
    told: list[tuple[str, int, bool]] = []

    def tell(cell: Cell, index: int, total: int, done: bool) -> None:
        told.append((cell.cell_type, index, done))

    given = {"seed": 7, "share": 1, "quick": True, "free": "anything"}
    written = []
    for number in range(2):
        executed = execute(root=root, stage="small", parameters=given, tell=tell)
        write_notebook(tmp_path / f"{number}.ipynb", executed)
        written.append((tmp_path / f"{number}.ipynb").read_bytes())
    assert written[0] == written[1]
    assert (root / "notebooks" / "01_small.ipynb").read_bytes() == source
    outputs = executed.cells[-1].outputs
    assert outputs[1].text.startswith("cell:2: UserWarning: unknown codes in data/codes.csv\n")
    # A whole number is good enough where a share is expected; the folder is JupyterLab's.
    assert outputs[0].text == "7 int True notebooks\n"
    assert "anything" in outputs[2]["data"]["text/plain"]
    # The values given stand in a cell of their own after the declared ones.
    assert len(executed.cells) == 5
    assert ("code", 4, True) in told
    assert "papermill" not in executed.metadata
    assert b'execution_count": 1' not in written[0]
    # Stripped, it is the notebook that git keeps.
    assert [c.source for c in strip(executed).cells] == [
        c.source for c in nbformat.read(root / "notebooks" / "01_small.ipynb", 4).cells
    ]


def test_a_failing_cell_is_told_by_number_heading_and_error(project):
    root = project(
        markdown("# Small"),
        code("seed = 1", "parameters"),
        markdown("## Read the files\n\nand more"),
        code("fine = True"),
        code("raise FileNotFoundError('orders.csv is not there')"),
        markdown("## Later"),
        code("open('ran', 'w')"),
    )
    with pytest.raises(StageFailed) as caught:
        execute(root=root, stage="small", parameters={"seed": 2})
    failed = caught.value
    # The fifth cell of the user's notebook, though papermill put one more before it.
    assert failed.cell == 5
    assert failed.heading == "Read the files"
    assert failed.error == "FileNotFoundError: orders.csv is not there"
    assert failed.expected
    assert str(failed) == (
        "notebooks/01_small.ipynb, cell 5 (Read the files): "
        "FileNotFoundError: orders.csv is not there"
    )
    assert "\x1b" not in failed.where
    assert not (root / "notebooks" / "ran").exists()


# --- what stays of an executed notebook ---


def executed_notebook() -> nbformat.NotebookNode:
    """As papermill and JupyterLab leave one, with all that changes from run to run."""
    stamped = {"papermill": {"duration": 0.1}, "execution": {"iopub.status.busy": "2025"}}
    result = nbformat.v4.new_output(
        "execute_result", data={"text/plain": "1"}, execution_count=7, metadata={"ours": 1}
    )
    given = code("seed = 2", "injected-parameters")
    given.metadata["papermill"] = stamped["papermill"]
    run = code("seed")
    run.metadata.update(stamped)
    run.execution_count, run.outputs = 7, [result]
    book = notebook(markdown("# Small"), code("seed = 1", "parameters"), given, run)
    book.metadata["papermill"] = {"start_time": "2025"}
    book.metadata["language_info"] = {"version": "3.11.9"}
    return book


def test_tidy_drops_what_changes_and_keeps_what_was_shown():
    book = executed_notebook()
    before = nbformat.writes(book)
    clean = tidy(book)
    assert nbformat.writes(book) == before
    nbformat.validate(clean)
    assert clean.metadata == {"kernelspec": KERNELSPEC}
    assert [cell["id"] for cell in clean.cells] == ["0", "1", "2", "3"]
    assert [cell.metadata for cell in clean.cells] == [
        {},
        {"tags": ["parameters"]},
        {"tags": ["injected-parameters"]},
        {},
    ]
    assert clean.cells[3].execution_count is None
    assert clean.cells[3].outputs[0]["execution_count"] is None
    assert clean.cells[3].outputs[0]["data"] == {"text/plain": "1"}
    # Our marks on outputs are how the report finds a finding.
    assert clean.cells[3].outputs[0]["metadata"] == {"ours": 1}


def stream(text: str, name: str = "stderr") -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=text)


def tidied(*outputs: nbformat.NotebookNode, root: Path | None = None) -> list[str]:
    cell = code("1")
    cell.outputs = list(outputs)
    return [output.text for output in tidy(notebook(cell), root=root).cells[0].outputs]


PLACES = {
    "environment": sys.prefix,
    "libraries": Path(numpy.__file__).parents[1],
    "standard": Path(os.__file__).parent,
    "temporary": tempfile.gettempdir(),
    "home": os.path.expanduser("~"),
}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        # What a warning says stays, with the file and the line that it comes from.
        ("{libraries}/tqdm/auto.py:21: TqdmWarning: No\n", "tqdm/auto.py:21: TqdmWarning: No\n"),
        ('  File "{standard}/re.py", line 3', '  File "re.py", line 3'),
        ("{root}/src/customer360/a.py:7: UserWarning: x", "customer360/a.py:7: UserWarning: x"),
        ("unclosed file '{root}/data/raw/a b.csv'.", "unclosed file 'data/raw/a b.csv'."),
        ("sqlite:///{root}/mlflow.db", "sqlite:///mlflow.db"),
        ("nothing in {root}, nor in {root}/", "nothing in ., nor in ."),
        ("look into {environment}/share/jupyter.", "look into share/jupyter."),
        # A cell is a file in the temporary folder, with the number of the process.
        ("{temporary}/ipykernel_31750/113490.py:1: UserWarning: x", "cell:1: UserWarning: x"),
        ("see {temporary}/matplotlib-x7/fonts.json", "see (temporary file)"),
        ("{home}/.config/matplotlib: not writable", "~/.config/matplotlib: not writable"),
        # Not places of this machine, though they begin or end like one.
        ("{root}-old/a.csv, {root}.bak, other{root}/a.csv", None),
        ("https://example.org/data/a.csv and 1/2, 3 / 4", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("folder", ["/srv/shop", "/srv/an other/c360"])
def test_a_warning_says_what_it_says_wherever_the_project_lies(folder, written, kept):
    text = written.format(root=folder, **PLACES)
    expected = text if kept is None else kept
    assert tidied(stream(text), root=Path(folder)) == [expected]


def test_a_project_in_the_temporary_folder_is_still_the_project(tmp_path):
    """And so is what a link to it leads to."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    text = f"{link}/data/a.csv {tmp_path}/real/data/a.csv"
    assert tidied(stream(text), root=link) == ["data/a.csv data/a.csv"]


def test_what_a_cell_shows_on_purpose_stays():
    shown = "/srv/shop/data/a.csv"
    assert tidied(stream(shown, "stdout"), root=Path("/srv/shop")) == [shown]


def test_text_is_in_one_piece_however_the_kernel_cut_it():
    figure = nbformat.v4.new_output("display_data", data={"text/plain": "a figure"})
    cell = code("1")
    cell.outputs = [stream("/srv/sh"), stream("a\n", "stdout"), stream("op/data"),
                    stream("b\n", "stdout"), figure, stream("c\n"), stream("d\n")]  # fmt: skip
    book = notebook(cell)
    before = nbformat.writes(book)
    first, second, third, last = tidy(book, root=Path("/srv/shop")).cells[0].outputs
    assert (first.text, second.text, last.text) == ("a\nb\n", "data", "c\nd\n")
    assert third == figure
    assert nbformat.writes(book) == before


def test_strip_leaves_the_source_only_and_is_stable():
    book = executed_notebook()
    before = nbformat.writes(book)
    clean = strip(book)
    assert nbformat.writes(book) == before
    nbformat.validate(clean)
    assert [cell.source for cell in clean.cells] == ["# Small", "seed = 1", "seed"]
    assert [cell["id"] for cell in clean.cells] == ["0", "1", "2"]
    assert all(not cell.get("outputs") for cell in clean.cells)
    assert nbformat.writes(strip(clean)) == nbformat.writes(clean)


# --- all or nothing ---


def content(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


OUTPUTS = ["data/a.parquet", "data/new.parquet", "models/deep/model.json", "metrics/new.json"]


@pytest.fixture
def before(tmp_path: Path) -> dict[str, str]:
    for name in ("data/a.parquet", "models/deep/model.json", "data/other.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old")
    return content(tmp_path)


def write_all(root: Path) -> None:
    """Tables are replaced whole; a model overwrites its own file."""
    for name in ("data/a.parquet", "data/new.parquet", "metrics/new.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "tmp").write_text("new")
        os.replace(root / "tmp", root / name)
    (root / "models/deep/model.json").write_text("new")


@pytest.mark.parametrize("error", [StageError("no"), KeyboardInterrupt()])
def test_a_failure_puts_the_old_outputs_back_and_removes_new_ones(tmp_path, before, error):
    with pytest.raises(type(error)), transaction(tmp_path, OUTPUTS):
        write_all(tmp_path)
        raise error
    assert content(tmp_path) == before


def test_outputs_removed_half_way_come_back(tmp_path, before):
    with pytest.raises(ValueError, match="half way"), transaction(tmp_path, OUTPUTS):
        (tmp_path / "data/a.parquet").unlink()
        raise ValueError("half way")
    assert content(tmp_path) == before


def test_a_folder_is_put_back_too(tmp_path):
    old, new = tmp_path / "reports" / "old", tmp_path / "reports" / "new"
    old.mkdir(parents=True)
    (old / "a.html").write_text("old")
    with (
        pytest.raises(ValueError, match="no"),
        transaction(tmp_path, ["reports/old", "reports/new"]),
    ):
        new.mkdir()
        (old / "a.html").write_text("new")
        (old / "b.html").write_text("new")
        raise ValueError("no")
    assert [p.name for p in old.iterdir()] == ["a.html"] and not new.exists()
    assert (old / "a.html").read_text() == "old"


def test_success_keeps_the_new_outputs_and_leaves_nothing_behind(tmp_path, before):
    with transaction(tmp_path, OUTPUTS):
        write_all(tmp_path)
    assert content(tmp_path) == {**dict.fromkeys(OUTPUTS, "new"), "data/other.parquet": "old"}
