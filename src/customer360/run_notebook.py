"""Run a notebook as a stage: typed parameters in, a clean page and nothing volatile out.

Papermill hands parameters over without asking whether the notebook knows them, lets
`'false'` through as a true text, and stamps times into every cell. Here parameters
are the values of `params.yaml` as they are typed there, an undeclared one is refused,
and what is written depends on the code, the parameters and the data only: not on the clock, and
not on the folder or the machine.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4

from customer360.storage import write_text

__all__ = [
    "StageError",
    "StageFailed",
    "declared_parameters",
    "execute",
    "notebook_path",
    "one_cell",
    "stage_names",
    "strip",
    "tidy",
    "title",
    "transaction",
]

OUR_ERRORS = {
    "BtydError",
    "ChurnError",
    "ContractError",
    "FileNotFoundError",
    "LinkageError",
    "PeriodError",
    "TrackingError",
}
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
TEMPORARY = "(temporary file)"
NUMBERED = re.compile(r"^(\d\d)_(\w+)\.ipynb$")


class StageError(ValueError):
    """A stage cannot start: unknown name, or parameters that do not fit."""


@dataclass
class StageFailed(Exception):  # noqa: N818  (what happened, not what is wrong with the call)
    """A cell of the notebook failed.

    Attributes
    ----------
    stage, notebook : str
    cell : int
        Number of the cell, counted from 1 as JupyterLab shows it.
    heading : str
        The heading above it.
    error : str
        Type and message of the exception.
    where : str
        Last lines of the traceback, without colours.
    expected : bool
        True for an error that the project raises on purpose, with its remedy.
    """

    stage: str
    notebook: str
    cell: int
    heading: str
    error: str
    where: str
    expected: bool

    def __str__(self) -> str:
        return f"{self.notebook}, cell {self.cell} ({self.heading}): {self.error}"


def stage_names(root: Path) -> dict[str, Path]:
    """Stage name to notebook, in the order of their numbers."""
    found = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if match := NUMBERED.match(path.name):
            found[match.group(2)] = path
    return found


def notebook_path(root: Path, stage: str) -> Path:
    """Notebook of a stage.

    Raises
    ------
    StageError
        Listing the stages there are.
    """
    stages = stage_names(root)
    if stage not in stages:
        raise StageError(f"no stage is called {stage!r}; there are {', '.join(stages)}")
    return stages[stage]


def title(notebook: nbformat.NotebookNode) -> str:
    """The question a notebook answers: the first line of its first cell, without number."""
    return notebook.cells[0].source.splitlines()[0].lstrip("# ").strip()


def one_cell(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook that holds this cell only."""
    return nbformat.v4.new_notebook(cells=[cell])


def declared_parameters(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Names and default values in the cell tagged `parameters`."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            return {
                target.id: ast.literal_eval(node.value)
                for node in ast.parse(cell.source).body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
    return {}


def _check_parameters(
    stage: str, declared: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    for name, value in given.items():
        if name not in declared:
            raise StageError(
                f"params.yaml gives {stage}.{name}, which notebook {stage} does not declare in its "
                f"`parameters` cell (it declares {', '.join(declared) or 'none'}). "
                "Correct the name or add it there."
            )
        default = declared[name]
        both_numbers = isinstance(default, float) and type(value) is int
        if default is not None and type(value) is not type(default) and not both_numbers:
            raise StageError(
                f"params.yaml: {stage}.{name} is {value!r} ({type(value).__name__}); the notebook "
                f"expects {type(default).__name__}, for example {default!r}"
            )
    return {name: given[name] for name in declared if name in given}


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as git keeps it: no outputs, counts, injected cells or volatile metadata."""
    clean = tidy(notebook)
    clean.cells = [
        c for c in clean.cells if "injected-parameters" not in c.metadata.get("tags", [])
    ]
    for number, cell in enumerate(clean.cells):
        cell["id"] = str(number)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return clean


def tidy(notebook: nbformat.NotebookNode, *, root: Path | None = None) -> nbformat.NotebookNode:
    """The executed notebook without what changes from run to run or from folder to folder.

    Warnings keep their text, and their paths lose the part that only says where this
    machine keeps things: ``tqdm/auto.py:21: TqdmWarning: ...``. What a cell shows on
    purpose (printed text, results, figures) stays as it is.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Not changed.
    root : Path, optional
        Folder of the project; paths in warnings become relative to it.

    Returns
    -------
    nbformat.NotebookNode
    """
    shortened = _path_shortener(root)
    clean = nbformat.from_dict(notebook)
    clean.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC})
    clean.nbformat, clean.nbformat_minor = 4, 5
    for number, cell in enumerate(clean.cells):
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell["id"] = str(number)
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output["execution_count"] = None
                elif output.output_type == "stream" and output.name == "stderr":
                    output["text"] = shortened(output.text)
            cell.execution_count = None
    return clean


def _joined_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Printed text in one piece, then the warnings: the kernel cuts both by the clock."""
    joined: list[nbformat.NotebookNode] = []
    for is_text, run in groupby(outputs, key=lambda output: output.output_type == "stream"):
        if not is_text:
            joined.extend(run)
            continue
        pieces = list(run)
        for name in ("stdout", "stderr"):
            if text := "".join(piece.text for piece in pieces if piece.name == name):
                joined.append(nbformat.v4.new_output("stream", name=name, text=text))
    return joined


def _places(root: Path | None) -> dict[str, str]:
    """Folders of this machine, and what is said instead; "" makes a path relative."""
    instead = dict.fromkeys([*sys.path, sys.prefix, sys.base_prefix], "")
    instead[tempfile.gettempdir()] = TEMPORARY
    instead[os.path.expanduser("~")] = "~"
    if root is not None:
        instead |= dict.fromkeys([str(root / "src"), str(root)], "")
    places: dict[str, str] = {}
    for folder, words in instead.items():
        path = Path(folder)
        # A place such as `/` says nothing, and one that is relative is no place.
        if path.is_absolute() and path != Path(path.anchor):
            # Libraries name files with links followed or not.
            places |= {str(path): words, str(path.resolve()): words}
    return places


def _path_shortener(root: Path | None) -> Callable[[str], str]:
    """A function that takes the places of this machine out of a text.

    Beneath the project and beneath what Python imports from, a path becomes relative.
    A temporary file loses its name, which is another one in each run; the one that stands
    for the code of a cell is called `cell`.
    """
    places = _places(None if root is None else root.absolute())
    # The longest first: a project may lie in the temporary folder, and an environment in it.
    names = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    path = re.compile(rf"""(?<![\w.~-])({names})(?![\w-]|\.\w)([/\\][^\s'"<>:;,()]*)?""")

    def shortened(match: re.Match[str]) -> str:
        words, rest = places[match[1]], (match[2] or "").lstrip("/\\")
        if rest.startswith("ipykernel_"):
            return "cell"
        if words == TEMPORARY:
            return TEMPORARY
        return "/".join(part for part in (words, rest) if part) or "."

    return lambda text: path.sub(shortened, text)


def _engine(tell: Callable[[nbformat.NotebookNode, int, int, bool], None]) -> type:
    """A papermill engine that tells when each cell starts and ends."""
    from papermill.engines import NBClientEngine

    class Telling(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
            start, complete = nb_man.cell_start, nb_man.cell_complete
            total = len(nb_man.nb.cells)

            def cell_start(cell, cell_index=None, **more):
                tell(cell, cell_index, total, False)
                start(cell, cell_index=cell_index, **more)

            def cell_complete(cell, cell_index=None, **more):
                complete(cell, cell_index=cell_index, **more)
                tell(cell, cell_index, total, True)

            nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete
            super().execute_managed_notebook(nb_man, kernel_name, **kwargs)

    return Telling


def execute(
    *,
    root: Path,
    stage: str,
    parameters: Mapping[str, Any],
    tell: Callable[[nbformat.NotebookNode, int, int, bool], None] = lambda *_: None,
    path: Path | None = None,
) -> nbformat.NotebookNode:
    """Execute the notebook of a stage from the folder `notebooks`, as JupyterLab does.

    Parameters
    ----------
    root : Path
        Project folder.
    stage : str
        For example `"churn"`.
    parameters : mapping
        The stage's group of `params.yaml`.
    tell : callable
        Called with (cell, index, number of cells, whether the cell is done).
    path : Path, optional
        A notebook that is no stage, such as the adviser's page.

    Returns
    -------
    nbformat.NotebookNode
        Executed, without what is volatile: see `tidy`.

    Raises
    ------
    StageError
        When a parameter is not declared or has another type.
    StageFailed
        When a cell fails.
    """
    path = path or notebook_path(root, stage)
    source = nbformat.read(path, as_version=4)
    values = _check_parameters(stage, declared_parameters(source), parameters)

    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    papermill_engines.register("customer360", _engine(tell))
    try:
        executed = papermill.execute_notebook(
            source,
            None,
            parameters=values,
            engine_name="customer360",
            progress_bar=False,
            # The kernel warns about TCP on loopback, which is where it stays.
            extra_arguments=["--IPKernelApp.log_level=50"],
            cwd=path.parent,
        )
    except PapermillExecutionError as error:
        raise _failure(stage, path, source, error) from None
    return tidy(executed, root=root)


def _failure(stage: str, path: Path, source: nbformat.NotebookNode, error: Any) -> StageFailed:
    """Find the failing cell in the notebook as the user sees it."""
    index = next(
        (i for i, cell in enumerate(source.cells) if cell.source == error.source), error.cell_index
    )
    heading = stage
    for cell in source.cells[: index + 1]:
        if cell.cell_type == "markdown" and (found := re.search(r"^#+ (.+)$", cell.source, re.M)):
            heading = found.group(1)
    colours = re.compile(r"\x1b\[[0-9;]*m")
    lines = colours.sub("", "\n".join(error.traceback)).splitlines()
    ours = [line for line in lines if "customer360" in line or line.startswith("---->")]
    return StageFailed(
        stage=stage,
        notebook=f"notebooks/{path.name}",
        cell=index + 1,
        heading=heading,
        error=f"{error.ename}: {error.evalue}",
        where="\n".join(ours[-6:]),
        expected=error.ename in OUR_ERRORS,
    )


@contextmanager
def transaction(root: Path, outputs: list[str]) -> Iterator[None]:
    """Put the outputs of a stage back as they were when the stage fails.

    Tables are replaced, never changed in place, so a hard link keeps their old content at
    no cost; other files are small and copied, because a model writes itself in place.
    """
    keep = root / "data" / f".before.{os.getpid()}"
    files: dict[Path, Path] = {}
    for number, output in enumerate(outputs):
        path = root / output
        if path.is_dir():
            files[path] = Path(shutil.copytree(path, keep / str(number)))
        elif path.is_file():
            keep.mkdir(parents=True, exist_ok=True)
            files[path] = keep / str(number)
            keep_old = os.link if path.suffix == ".parquet" else shutil.copy2
            keep_old(path, files[path])
    try:
        yield
    except BaseException:
        for output in outputs:
            path = root / output
            if path.is_dir():
                shutil.rmtree(path)
            if path in files:
                os.replace(files[path], path)
            else:
                path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(keep, ignore_errors=True)


def write_notebook(path: Path, notebook: nbformat.NotebookNode) -> None:
    """Write a notebook whole or not at all."""
    write_text(path, nbformat.writes(notebook) + "\n")
