"""What a notebook calls to show something: a finding, a limit, a tile, a table, a figure.

Each is an ordinary Jupyter display, so it looks right in JupyterLab, and carries a mark in
its metadata, so that `read` and `page` find it in the executed notebook.
"""

from __future__ import annotations

import base64
import io
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from narwhals.typing import IntoFrame

from customer360.report.numbers import number, thin_thousands
from customer360.report.read import MARK

_DPI = 200
_SCREEN_DPI = 100


def finding(text: str) -> None:
    """Show one sentence of finding as a highlighted block.

    Parameters
    ----------
    text : str
        Markdown, one sentence, with its number in bold: ``"**12.4%** of them left"``.

    Raises
    ------
    ValueError
        When there is no text.
    """
    _sentence("finding", "What we found", text)


def limit(text: str) -> None:
    """Show one thing that this notebook cannot tell; see `finding`."""
    _sentence("limit", "What this page cannot tell", text)


def key_figure(label: str, value: str | float, note: str = "") -> None:
    """Show a number as a tile; several in one cell stand side by side on the page.

    Parameters
    ----------
    label : str
        What is counted, in two or three words.
    value : str or float
        How much; a number is written with thin-space thousands.
    note : str
        One line of context, such as the unit or the period.

    Raises
    ------
    ValueError
        When label or value is empty.
    """
    label, note = _one_line(label), _one_line(note)
    shown = thin_thousands(_one_line(value)) if isinstance(value, str) else number(float(value))
    if not label or not shown:
        raise ValueError("a key figure needs a label and a value")
    after = f" ({note})" if note else ""
    _show(
        {
            "text/markdown": f"**{shown}** &nbsp; {label}{after}",
            "text/plain": f"{label}: {shown}{after}",
        },
        {"kind": "key_figure", "label": label, "value": shown, "note": note},
    )


def table(
    frame: IntoFrame,
    *,
    caption: str,
    formats: Mapping[str, str | Callable[[Any], str]] | None = None,
    max_rows: int = 20,
) -> None:
    """Show the first rows of a table, made to be read.

    Parameters
    ----------
    frame : pandas frame or Series, or any frame or relation that Narwhals reads
        A named pandas index, or one of text, becomes the first column; a plain
        numbering is left out.
    caption : str
        What the table shows, and what one row is.
    formats : mapping of column to format, optional
        A format such as ``",.2f"`` or ``".1%"``, a template such as ``"{:,.0f} days"`` or a
        function of the value. Columns without one get the decimals that fit.
    max_rows : int
        Rows shown; the caption says so when there are more.

    Raises
    ------
    ValueError
        When `formats` names a column that the table has not.
    """
    # Here, not above: the command line shows no table and can do without pandas.
    from customer360.report.tables import table_html, table_text

    _show(
        {
            "text/html": table_html(frame, caption=caption, formats=formats, max_rows=max_rows),
            "text/plain": table_text(frame, caption=caption, formats=formats, max_rows=max_rows),
        },
        {"kind": "table", "caption": caption},
    )


def main_figure(drawn: Any, *, alt: str, caption: str = "") -> None:
    """Show the figure that answers the notebook's question; the front page shows it too.

    Parameters and errors as in `figure`.
    """
    _picture("main_figure", drawn, alt, caption)


def figure(drawn: Any, *, alt: str, caption: str = "") -> None:
    """Show a figure, sharp on every screen.

    Parameters
    ----------
    drawn : matplotlib Figure, Axes, array of Axes or seaborn grid
        It is closed afterwards, so that Jupyter does not show it a second time.
    alt : str
        What the figure shows, in a sentence, for those who do not see it.
    caption : str
        A line under the figure: how to read it.

    Raises
    ------
    ValueError
        When `alt` is empty.
    TypeError
        When `drawn` is no figure.
    """
    _picture("figure", drawn, alt, caption)


def _sentence(kind: str, heading: str, text: str) -> None:
    text = _one_line(text)
    if not text:
        raise ValueError(f"a {kind} needs a sentence")
    _show(
        {
            "text/markdown": f"> **{heading}**  \n> {text}",
            "text/plain": f"{heading}: {text.replace('**', '')}",
        },
        {"kind": kind, "text": text},
    )


def _picture(kind: str, drawn: Any, alt: str, caption: str) -> None:
    alt, caption = _one_line(alt), _one_line(caption)
    if not alt:
        raise ValueError("a figure needs `alt`: one sentence that says what it shows")
    png = _png(_figure_of(drawn))
    width, height = (round(pixels * _SCREEN_DPI / _DPI) for pixels in _png_size(png))
    _show(
        {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": f"Figure: {alt}"},
        {"kind": kind, "alt": alt, "caption": caption, "width": width, "height": height},
        {"image/png": {"width": width, "height": height, "alt": alt}},
    )


def _figure_of(drawn: Any) -> Any:
    # An array of Axes, as `plt.subplots` returns it: any of them knows its figure.
    first = drawn.flat[0] if hasattr(drawn, "flat") else drawn
    found = first if hasattr(first, "savefig") and hasattr(first, "axes") else None
    found = getattr(first, "figure", None) or found
    if not hasattr(found, "savefig"):
        raise TypeError(f"expected a figure or axes, got {type(drawn).__name__}")
    return found


def picture_bytes(drawn: Any) -> bytes:
    """PNG of a figure or its axes, which is closed afterwards."""
    return _png(_figure_of(drawn))


def _png(drawn: Any) -> bytes:
    # Here, not above: the command line reads notebooks without ever loading pyplot.
    from matplotlib import pyplot

    buffer = io.BytesIO()
    drawn.savefig(
        buffer,
        format="png",
        dpi=_DPI,
        bbox_inches="tight",
        pad_inches=0.12,
        facecolor="white",
        metadata={"Software": None},  # else the version of matplotlib is written into the file
    )
    pyplot.close(drawn)
    return buffer.getvalue()


def _png_size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])  # the IHDR chunk always comes first
    return width, height


def _one_line(text: str) -> str:
    # Not str.split(): that would also take the thin spaces out of the numbers.
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def _show(data: dict[str, str], mark: dict[str, Any], more: dict[str, Any] | None = None) -> None:
    from IPython.display import display

    display(data, raw=True, metadata={MARK: mark, **(more or {})})
