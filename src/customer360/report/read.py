"""Find again, in an executed notebook, what it showed: findings, figures, limits."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # Importing it takes two seconds, which a notebook that only shows should not pay.
    from nbformat import NotebookNode

#: Name of our entry in the metadata of an output.
MARK = "customer360"


class KeyFigure(NamedTuple):
    """A tile: what is counted, how much, and one line of context."""

    label: str
    value: str
    note: str = ""


def findings(notebook: NotebookNode) -> list[str]:
    """Sentences of finding, in the order in which the notebook shows them.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook (nbformat 4).

    Returns
    -------
    list of str
        Markdown, one sentence each.
    """
    return [mark["text"] for _, mark in _marked(notebook, "finding")]


def limits(notebook: NotebookNode) -> list[str]:
    """What the notebook says it cannot tell, in order; see `findings`."""
    return [mark["text"] for _, mark in _marked(notebook, "limit")]


def key_figures(notebook: NotebookNode) -> list[KeyFigure]:
    """Tiles of an executed notebook, in order; see `findings`."""
    return [as_key_figure(mark) for _, mark in _marked(notebook, "key_figure")]


def main_figure_png(notebook: NotebookNode) -> bytes | None:
    """The first main figure of an executed notebook as PNG, None when it has none."""
    for output, _ in _marked(notebook, "main_figure"):
        return base64.b64decode(joined(output["data"]["image/png"]))
    return None


def main_figure_alt(notebook: NotebookNode) -> str:
    """What the main figure shows, in words; empty when there is none."""
    return next((mark["alt"] for _, mark in _marked(notebook, "main_figure")), "")


def mark_of(output: NotebookNode) -> dict[str, Any]:
    """Our metadata on an output; empty for the output of anything else."""
    return output.get("metadata", {}).get(MARK, {})


def as_key_figure(mark: dict[str, Any]) -> KeyFigure:
    """The tile that a mark of kind ``key_figure`` carries."""
    return KeyFigure(mark["label"], mark["value"], mark.get("note", ""))


def joined(text: str | list[str]) -> str:
    """Text of an output, which nbformat allows to be one string or a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def _marked(notebook: NotebookNode, kind: str) -> Iterator[tuple[NotebookNode, dict[str, Any]]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            mark = mark_of(output)
            if mark.get("kind") == kind:
                yield output, mark
