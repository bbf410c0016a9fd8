"""A table of data as HTML that a person can read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

from customer360.report.numbers import (
    MISSING,
    fitting_spec,
    number,
    thin_thousands,
    unbroken_days,
)

Formats = Mapping[str, str | Callable[[Any], str]]


def table_html(frame: IntoFrame, *, caption: str, formats: Formats | None, max_rows: int) -> str:
    """Write a table as HTML: no index, numbers on the right, headings in words.

    Parameters as in `customer360.report.table`; every value is escaped.
    """
    shown, names, total = _readable(frame, max_rows)
    right = {name for name in names if shown.schema[name].is_numeric()}
    body = _written(shown, formats or {})
    lines = ['<table class="c360">', f"<caption>{escape(_told(caption, len(shown), total))}"]
    lines.append("</caption><thead><tr>")
    lines += [f'<th scope="col"{_align(n in right)}>{escape(names[n])}</th>' for n in names]
    lines.append("</tr></thead><tbody>")
    for row in range(len(shown)):
        lines.append("<tr>")
        for position, name in enumerate(names):
            head = position == 0 and name not in right
            tag, scope = ("th", ' scope="row"') if head else ("td", "")
            text = unbroken_days(escape(thin_thousands(body[name][row])))
            if head:  # long names of fields break after an underscore, nowhere else
                text = text.replace("_", "_<wbr>")
            lines.append(f"<{tag}{scope}{_align(name in right)}>{text}</{tag}>")
        lines.append("</tr>")
    lines.append("</tbody></table>")
    return "".join(lines)


def table_text(frame: IntoFrame, *, caption: str, formats: Formats | None, max_rows: int) -> str:
    """The same table as plain text, for a terminal."""
    shown, names, total = _readable(frame, max_rows)
    body = _written(shown, formats or {})
    columns = []
    for name in names:
        cells = [names[name], *body[name]]
        width = max(len(cell) for cell in cells)
        right = shown.schema[name].is_numeric()
        columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in cells])
    rows = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return "\n".join([_told(caption, len(shown), total), *rows])


def _readable(frame: Any, max_rows: int) -> tuple[nw.DataFrame[Any], dict[str, str], int]:
    """First rows, headings by column, and the number of all rows."""
    if isinstance(frame, pd.Series):
        frame = frame.to_frame(name=frame.name if frame.name is not None else "value")
    if isinstance(frame, pd.DataFrame):
        frame = _with_index(frame)
    table = nw.from_native(frame)
    if isinstance(table, nw.LazyFrame):
        total = int(table.select(nw.len()).collect().item())
        shown = table.head(max_rows).collect()
    else:
        total, shown = len(table), table.head(max_rows)
    return shown, {name: _heading(name) for name in shown.columns}, total


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep an index that says something as columns; drop a mere numbering."""
    index = frame.index
    named = any(name is not None for name in index.names)
    if not named and (index.nlevels > 1 or not pd.api.types.is_integer_dtype(index.dtype)):
        index = index.set_names([f" {level}" for level in range(index.nlevels)])
        named = True
    kept = frame.set_axis(index).reset_index() if named else frame
    return kept.set_axis([_joined(name) for name in kept.columns], axis="columns")


def _joined(name: Any) -> str:
    parts = name if isinstance(name, tuple) else (name,)
    return " ".join(str(part) for part in parts if str(part))


def _heading(name: str) -> str:
    words = name.replace("_", " ").strip()
    # The columns of an unnamed index are called " 0", " 1": they need no heading.
    return "" if name.startswith(" ") and words.isdigit() else words[:1].upper() + words[1:]


def _written(shown: nw.DataFrame[Any], formats: Formats) -> dict[str, list[str]]:
    unknown = sorted(set(formats) - set(shown.columns))
    if unknown:
        raise ValueError(
            f"formats names {unknown}, which the table has not; "
            f"its columns are {list(shown.columns)}"
        )
    return {
        name: _column(shown[name].to_list(), shown.schema[name].is_numeric(), formats.get(name))
        for name in shown.columns
    }


def _column(
    values: list[Any], numeric: bool, format_: str | Callable[[Any], str] | None
) -> list[str]:
    present = [None if _is_missing(value) else value for value in values]
    if callable(format_):
        write: Callable[[Any], str] = format_
    elif format_ is not None:
        spec = format_
        write = lambda value: _by_spec(value, spec)  # noqa: E731
    elif numeric:
        spec = fitting_spec([None if v is None else float(v) for v in present])
        write = lambda value: number(float(value), spec)  # noqa: E731
    elif all(v is None or _is_midnight(v) for v in present):
        write = lambda value: value.strftime("%Y-%m-%d")  # noqa: E731
    else:
        write = _plain
    return [MISSING if value is None else write(value) for value in present]


def _by_spec(value: Any, spec: str) -> str:
    if isinstance(value, int | float):
        return number(value, spec)
    return spec.format(value) if "{" in spec else format(value, spec)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)


def _is_missing(value: Any) -> bool:
    absent = value is None or value is pd.NaT or value is pd.NA
    return absent or (isinstance(value, float) and value != value)


def _is_midnight(value: Any) -> bool:
    if isinstance(value, dt.datetime):
        return value.time() == dt.time()
    return isinstance(value, dt.date)


def _align(right: bool) -> str:
    # Inline, because JupyterLab does not load the style of our pages.
    return ' class="number" style="text-align:right"' if right else ' style="text-align:left"'


def _told(caption: str, shown: int, total: int) -> str:
    caption = thin_thousands(caption)
    if total == 0:
        return f"{caption} (no rows)"
    if shown == total:
        return caption
    return f"{caption} ({number(shown)} of {number(total)} rows)"
