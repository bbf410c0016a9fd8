"""The page of a notebook: its story for a reader, its code for who asks."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from customer360.report.loop import STAGES, STEPS, find_stage
from customer360.report.prose import dataset_label, inline_html, plain, to_html
from customer360.report.read import as_key_figure, findings, joined, mark_of

if TYPE_CHECKING:
    # Importing it takes two seconds, which a notebook that only shows should not pay.
    from nbformat import NotebookNode

#: What makes a browser fetch or run something; such output is shown in another form.
_NOT_SELF_CONTAINED = re.compile(
    r"<\s*(script|link|iframe|object|embed|form|base|meta)\b"
    r"|\b(src|srcset|poster|data|action)\s*=\s*[\"']?\s*(https?:)?//"
    r"|@import|url\(\s*[\"']?\s*(https?:)?//|[\s\"'/]on\w+\s*=|javascript:",
    re.IGNORECASE,
)
#: What Python answers when a cell ends in an object nobody meant to show.
_OBJECT = re.compile(r"^[\[(]*<.*>[\])]*$|^(Text|Figure|Axes)\w*\(", re.DOTALL)
#: Code is there for who asks; see `show-code` in the style.
_CODE = '<pre class="code">'
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def render_page(
    notebook: NotebookNode,
    *,
    title: str,
    stage: str,
    dataset: str,
    previous: str | None = None,
    following: str | None = None,
) -> str:
    """Write the page of an executed notebook: one HTML file that needs nothing else.

    The same notebook always gives the same bytes.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook (nbformat 4).
    title : str
        The question it answers.
    stage : str
        Name of its stage, such as ``churn``; a name outside the stages makes a page
        without a place in the loop.
    dataset : str
        Name of the dataset; ``complete_journey`` is shown as *Complete journey*.
    previous, following : str, optional
        Names of the stages whose pages lie beside this one.

    Returns
    -------
    str
        HTML. Code is hidden until the reader switches it on.
    """
    place = find_stage(stage)
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            dataset=dataset_label(dataset),
            stage=place,
            stages=STAGES,
            steps=STEPS,
            name=place.slug if place else stage,
            previous=find_stage(previous) if previous else None,
            following=find_stage(following) if following else None,
            findings=[inline_html(text) for text in findings(notebook)],
            description=" ".join(plain(text) for text in findings(notebook)[:1]),
            blocks=list(_blocks(notebook)),
        )
    )


@cache
def environment() -> Environment:
    """Templates of the pages; every value in them is escaped."""
    made = Environment(
        loader=PackageLoader("customer360.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["style"] = Markup(
        files("customer360.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    )
    made.filters["data_uri"] = _data_uri
    return made


def _blocks(notebook: NotebookNode) -> Iterator[Markup]:
    """Prose, code and outputs in order, without the title that stands above them."""
    titled = False
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            source = joined(cell.source)
            if not titled:
                source, removed = re.subn(r"\A\s*# .*\n?", "", source)
                titled = bool(removed)
            if source.strip():
                kind = "prose code" if _heads_only_code(notebook.cells[position:]) else "prose"
                yield Markup('<section class="{}">{}</section>').format(kind, to_html(source))
        elif cell.cell_type == "code":
            if joined(cell.source).strip():
                yield _code(joined(cell.source))
            yield from _outputs(cell.get("outputs", []))


def _heads_only_code(cells: list[NotebookNode]) -> bool:
    """Whether the first cell is a heading over code that shows nothing: hidden with that code."""
    heading = re.fullmatch(r"(#+) .*", joined(cells[0].source).strip())
    if not heading:
        return False
    for cell in cells[1:]:
        if cell.cell_type == "markdown":
            return not joined(cell.source).startswith(f"{heading[1]}#")
        outputs = _outputs(cell.get("outputs", []))
        if any(block and not block.startswith(_CODE) for block in outputs):
            return False
    return True


def _code(source: str) -> Markup:
    html = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    return Markup(_CODE + "<code>{}</code></pre>").format(Markup(html))


def _outputs(outputs: list[NotebookNode]) -> Iterator[Markup]:
    """Outputs of one cell; tiles and limits that follow each other share a block."""
    for kind, group in groupby(outputs, key=lambda output: mark_of(output).get("kind")):
        marks = [(output, mark_of(output)) for output in group]
        if kind == "key_figure":
            yield _macro("tiles", [as_key_figure(mark) for _, mark in marks])
        elif kind == "limit":
            yield _macro("limits", [inline_html(mark["text"]) for _, mark in marks])
        elif kind == "finding":
            yield from (_macro("finding", inline_html(mark["text"])) for _, mark in marks)
        elif kind in ("figure", "main_figure"):
            yield from (_figure(output, mark) for output, mark in marks)
        else:
            yield from (_other(output) for output, _ in marks)


def _macro(name: str, *values: Any) -> Markup:
    module: Any = environment().get_template("parts.html").module
    return Markup(str(getattr(module, name)(*values)).strip())


def _figure(output: NotebookNode, mark: dict[str, Any]) -> Markup:
    return _macro(
        "figure",
        _image_uri("image/png", joined(output["data"]["image/png"])),
        mark.get("alt", ""),
        mark.get("caption", ""),
        mark.get("width"),
        mark.get("height"),
        mark["kind"] == "main_figure",
    )


def _other(output: NotebookNode) -> Markup:
    """Any other output: the richest form that a page can hold on its own."""
    if output.output_type == "stream":
        # Warnings are for those who read the code.
        return _text(joined(output.text), technical=output.name != "stdout")
    if output.output_type == "error":
        return _text(f"{output.ename}: {output.evalue}", technical=False)
    data = output.get("data", {})
    html = joined(data.get("text/html", ""))
    if html and not _NOT_SELF_CONTAINED.search(html):
        return Markup('<div class="scroll">{}</div>').format(Markup(html))
    for mime in ("image/png", "image/jpeg", "image/svg+xml"):
        if mime in data:
            return _macro("figure", _image_uri(mime, joined(data[mime])), "", "", "", "", False)
    if "text/markdown" in data:
        markdown = to_html(joined(data["text/markdown"]))
        return Markup('<section class="prose">{}</section>').format(markdown)
    text = joined(data.get("text/plain", ""))
    return _text(text, technical=bool(html) or _OBJECT.match(text.strip()) is not None)


def _image_uri(mime: str, content: str) -> str:
    if mime == "image/svg+xml":  # as an image, no script in it can run
        content = base64.b64encode(content.encode("utf-8")).decode("ascii")
    return f"data:{mime};base64,{''.join(content.split())}"


def _text(text: str, *, technical: bool) -> Markup:
    text = _COLOURS.sub("", text).rstrip()
    if not text:
        return Markup("")
    return Markup('<pre class="{}">{}</pre>').format("code" if technical else "output", text)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
