"""What a page does when it is touched, without a script: charts grow, code appears."""

from __future__ import annotations

import pytest
from looking import DOT, WIDTHS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from customer360.report import render_page

DESK, PHONE = WIDTHS
CHART = {"kind": "figure", "alt": "Leavers", "caption": "", "width": 760, "height": 400}


@pytest.fixture
def opened(browser, tmp_path):
    """A page with a chart, and a heading over nothing but code; opens at a width."""
    chart = new_output("display_data", data={"image/png": DOT}, metadata={"customer360": CHART})
    cells = [
        new_markdown_cell("# Who is leaving?"), new_code_cell("draw()", outputs=[chart]),
        new_markdown_cell("## Write"), new_code_cell("save()"),
    ]  # fmt: skip
    path = tmp_path / "page.html"
    html = render_page(new_notebook(cells=cells), title="Who?", stage="churn", dataset="demo")
    path.write_text(html, encoding="utf-8")

    def at(width):
        page = browser.new_page(viewport={"width": width, "height": 900}, has_touch=True)
        page.goto(path.as_uri())
        return page

    return at


def test_a_tap_enlarges_a_chart_on_a_phone_and_another_makes_it_small(opened):
    page = opened(PHONE)
    widths = []
    for _ in range(3):
        widths.append(page.locator("figure img").bounding_box()["width"])
        page.locator("figure img").tap(position={"x": 9, "y": 9})
    assert widths[0] == widths[2] <= PHONE and widths[1] == 760
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_a_chart_is_whole_on_a_desk_whatever_is_touched(opened):
    page = opened(DESK)
    page.locator("figure img").tap()
    assert page.locator("figure img").bounding_box()["width"] == 760
    assert not page.get_by_text("Tap to enlarge").is_visible()


def test_code_and_what_heads_only_code_appear_when_asked_for(opened):
    page = opened(DESK)
    heading, code = page.get_by_role("heading", name="Write"), page.get_by_text("save()")
    assert not heading.is_visible() and not code.is_visible()
    page.get_by_label("Show the code").check()
    assert heading.is_visible() and code.is_visible()
