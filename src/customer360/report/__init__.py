"""What people read: findings and figures in notebooks, pages and the front page.

In a notebook: `finding`, `limit`, `key_figure`, `table`, `main_figure`, `figure`. Each
shows itself in JupyterLab and leaves a mark in the notebook, by which the rest finds it
again: `findings`, `limits`, `key_figures`, `main_figure_png` read an executed notebook;
`render_page`, `build_index`, `campaign_brief` and `representative_pages` write self-contained
HTML that needs no network.
"""

from __future__ import annotations

from customer360.report.brief import campaign_brief
from customer360.report.index import Card, build_index, render_index
from customer360.report.loop import STAGES, STEPS, Stage, find_stage
from customer360.report.numbers import amount, number
from customer360.report.page import render_page
from customer360.report.read import (
    KeyFigure,
    findings,
    key_figures,
    limits,
    main_figure_alt,
    main_figure_png,
)
from customer360.report.representatives import representative_pages
from customer360.report.show import figure, finding, key_figure, limit, main_figure, table

__all__ = [
    "STAGES",
    "STEPS",
    "Card",
    "KeyFigure",
    "Stage",
    "amount",
    "build_index",
    "campaign_brief",
    "figure",
    "find_stage",
    "finding",
    "findings",
    "key_figure",
    "key_figures",
    "limit",
    "limits",
    "main_figure",
    "main_figure_alt",
    "main_figure_png",
    "number",
    "render_index",
    "render_page",
    "representative_pages",
    "table",
]
