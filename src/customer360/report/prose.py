"""Markdown to HTML: nothing is loaded from elsewhere, and raw HTML is shown, not obeyed."""

from __future__ import annotations

import re
from functools import cache

import mistune
from markupsafe import Markup
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table
from mistune.renderers.html import HTMLRenderer

from customer360.report.numbers import thin_thousands, unbroken_days

_CAPTION = re.compile(r'<p>Table: (.*)</p>\s*(<div class="scroll"><table>)')


class _Renderer(HTMLRenderer):
    def text(self, text: str) -> str:
        # One way to write numbers on all pages, and no line break inside a date.
        return unbroken_days(super().text(thin_thousands(text)))

    def heading(self, text: str, level: int, **attrs: object) -> str:
        # The page's title is its only first-level heading.
        return super().heading(text, min(max(level, 2), 6))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        # A picture from elsewhere would need the network; its words remain.
        return super().image(text, url, title) if url.startswith("data:image/") else text

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>{text}</table></div>\n'


@cache
def _markdown() -> mistune.Markdown:
    return mistune.Markdown(renderer=_Renderer(escape=True), plugins=[table, strikethrough])


def to_html(text: str) -> Markup:
    """Render Markdown as HTML blocks.

    Parameters
    ----------
    text : str
        Markdown with tables; a line ``Table: ...`` above one is its caption, as for Pandoc.
        Links stay links; HTML in it is escaped.

    Returns
    -------
    Markup
    """
    return Markup(_CAPTION.sub(r"\2<caption>\1</caption>", str(_markdown()(text))))


def inline_html(text: str) -> Markup:
    """Render one sentence of Markdown, without a paragraph around it."""
    html = str(to_html(text)).strip()
    inner = re.fullmatch(r"<p>((?:(?!</p>).)*)</p>", html, re.S)
    return Markup(inner.group(1) if inner else html)


def dataset_label(name: str) -> str:
    """The name of a dataset as a title: ``complete_journey`` becomes ``Complete journey``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def plain(text: str) -> str:
    """A sentence of Markdown without its stars."""
    return text.replace("**", "").replace("`", "")
