"""Findings, pages and the front page: self-contained, the same each time, made to be read."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import narwhals as nw
import nbformat
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from customer360 import report
from customer360.plots import style
from customer360.report import show

THIN = "\u202f"
NETWORK = re.compile(r"@import|url\(\s*['\"]?(https?:)?//", re.IGNORECASE)


class Loads(HTMLParser):
    """Everything in a page that makes a browser fetch or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            loads = name in ("src", "srcset", "poster", "data") or (tag, name) == ("link", "href")
            if name.startswith("on") or (loads and not (value or "").startswith("data:")):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("script", "iframe", "object", "embed"):
            self.found.append(tag)


def assert_self_contained(page: str) -> None:
    assert Loads(page).found == []
    assert not NETWORK.search(page)


def bars() -> Figure:
    figure = Figure(figsize=(4, 2))
    figure.subplots().bar(["a", "b"], [1, 2])
    return figure


@pytest.fixture
def shown(monkeypatch):
    """What the display functions hand to Jupyter, as outputs of a notebook."""
    outputs = []

    def display(data, *, raw, metadata):
        assert raw
        outputs.append(new_output("display_data", data=data, metadata=metadata))

    monkeypatch.setattr("IPython.display.display", display)
    return outputs


@pytest.fixture
def notebook(shown):
    """An executed notebook on churn with everything a page must cope with."""
    report.key_figure("base rate", "31.4%", "within 90 days")
    report.key_figure("customers", "12,345")
    tiles = shown.copy()
    shown.clear()
    report.main_figure(bars(), alt='A "rising" bar <b>', caption="Higher is *worse*.")
    report.finding("The riskiest **10%** hold **26%** of 1,234 leavers.")
    report.table(pd.DataFrame({"name": ["<script>alert(1)</script>"]}), caption="R&D")
    story = shown.copy()
    shown.clear()
    report.figure(bars(), alt="Again")
    report.finding("Second: **7** <img src=x onerror=alert(1)>.")
    report.limit("Not who stays **because** we call.")
    report.limit("Not the <em>others</em>.")
    end = shown.copy()
    shown.clear()
    other = [
        new_output("stream", name="stdout", text="12 rows\n"),
        new_output("stream", name="stderr", text="UserWarning: old thing"),
        new_output("execute_result", data={"text/plain": "<Axes: xlabel='x'>"}),
    ]
    chart = [
        new_output(
            "display_data",
            data={
                "text/html": '<script src="https://cdn.example/vega.js"></script>',
                "text/plain": "alt.Chart(...)",
            },
        ),
        new_output(
            "display_data",
            data={"text/html": "<p>drawn</p><script>draw()</script>", "text/plain": "by words"},
        ),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell("# 06 Who is leaving?\n\nOne *intent*.\n\n## Part"),
            new_code_cell("secret_sauce = 1  # <b>", outputs=tiles),
            new_code_cell("show()", outputs=story),
            new_markdown_cell(
                "![logo](https://cdn.example/logo.png) and [paper](https://doi.org/1)"
            ),
            new_code_cell("again()", outputs=end),
            new_code_cell("odd()", outputs=other + chart),
        ]
    )


def page_of(notebook, **changes):
    arguments = {
        "title": "Who is leaving & why?",
        "stage": "churn",
        "dataset": "complete_journey",
        "previous": "segmentation",
        "following": "clv",
    }
    return report.render_page(notebook, **arguments | changes)


# --- what a notebook shows -----------------------------------------------------------


def test_findings_come_back_in_order_and_as_written(notebook):
    assert report.findings(notebook) == [
        "The riskiest **10%** hold **26%** of 1,234 leavers.",
        "Second: **7** <img src=x onerror=alert(1)>.",
    ]
    assert report.limits(notebook)[0] == "Not who stays **because** we call."


def test_finding_is_a_block_in_jupyter_and_a_line_in_a_terminal(shown):
    report.finding("  One\n   **sentence**, 12\u202f345. ")
    data = shown[0].data
    assert data["text/markdown"].startswith("> ")
    assert data["text/plain"] == f"What we found: One sentence, 12{THIN}345."


@pytest.mark.parametrize("call", [report.finding, report.limit])
def test_an_empty_sentence_is_refused(call):
    with pytest.raises(ValueError, match="needs a sentence"):
        call(" \n ")


def test_key_figures_keep_label_value_and_note(notebook):
    assert report.key_figures(notebook) == [
        report.KeyFigure("base rate", "31.4%", "within 90 days"),
        report.KeyFigure("customers", f"12{THIN}345", ""),
    ]


def test_key_figure_without_label_is_refused():
    with pytest.raises(ValueError, match="label"):
        report.key_figure("", 3)


def test_main_figure_is_a_sharp_png_of_half_its_pixels_on_screen(notebook):
    png = report.main_figure_png(notebook)
    width, height = struct.unpack(">II", png[16:24])
    output = notebook.cells[2].outputs[0]
    assert png.startswith(b"\x89PNG")
    assert output.metadata["image/png"]["width"] == round(width / 2)
    assert output.metadata["image/png"]["height"] == round(height / 2)
    assert report.main_figure_alt(notebook) == 'A "rising" bar <b>'


def test_the_same_drawing_gives_the_same_bytes_and_no_version(shown):
    report.figure(bars(), alt="x")
    report.figure(bars(), alt="x")
    assert shown[0] == shown[1]
    assert b"Software" not in show._png(bars())


def test_figure_takes_axes_and_arrays_of_axes(shown):
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2)
    report.figure(axes, alt="two")
    assert not pyplot.fignum_exists(figure.number)
    report.figure(bars().axes[0], alt="one")
    assert [mark.metadata.customer360.kind for mark in shown] == ["figure", "figure"]


def test_figure_wants_words_and_a_figure():
    with pytest.raises(ValueError, match="alt"):
        report.figure(bars(), alt=" ")
    with pytest.raises(TypeError, match="str"):
        report.figure("drawing", alt="x")


def test_a_notebook_that_shows_nothing():
    empty = new_notebook(cells=[new_code_cell("pass")])
    assert report.findings(empty) == []
    assert report.key_figures(empty) == []
    assert report.main_figure_png(empty) is None
    assert report.main_figure_alt(empty) == ""


# --- tables ---------------------------------------------------------------------------


def cells_of(shown) -> list[list[str]]:
    html = shown[-1].data["text/html"]
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_table_is_written_for_people(shown):
    frame = pd.DataFrame(
        {
            "potential_class": ["big", None],
            "customers": [1234567, 12],
            "share": [0.123, float("nan")],
            "first_day": pd.to_datetime(["2026-03-31", None]),
            "seen_at": pd.to_datetime(["2026-03-31 10:15", "2026-03-31 00:00"]),
            "active": [True, False],
        },
        index=[7, 9],
    )
    report.table(frame, caption="Classes", formats={"share": ".1%"})
    day = "<time>2026-03-31</time>"
    assert cells_of(shown) == [
        ["Potential class", "Customers", "Share", "First day", "Seen at", "Active"],
        ["big", f"1{THIN}234{THIN}567", "12.3%", day, f"{day} 10:15", "yes"],
        ["–", "12", "–", "–", f"{day} 00:00", "no"],
    ]
    assert shown[-1].data["text/html"].count("text-align:right") == 6


def test_texts_in_tables_have_thin_thousands_and_names_that_may_break(shown):
    rule = {"field": ["days_since_open"], "rule": ["the first 1,000"]}
    report.table(pd.DataFrame(rule), caption="x")
    assert cells_of(shown)[1] == ["days_<wbr>since_<wbr>open", f"the first 1{THIN}000"]


def test_table_keeps_an_index_that_says_something(shown):
    report.table(pd.Series([1, 2], index=["a", "b"], name="orders"), caption="x")
    assert cells_of(shown) == [["", "Orders"], ["a", "1"], ["b", "2"]]
    frame = pd.DataFrame({"channel": ["web", "web", "till"], "amount": [1.5, 2.5, 30.0]})
    report.table(frame.groupby("channel").agg({"amount": ["sum", "count"]}), caption="x")
    assert cells_of(shown)[0] == ["Channel", "Amount sum", "Amount count"]
    assert cells_of(shown)[1] == ["till", "30", "1"]


def test_table_says_when_it_is_cut(shown):
    report.table(pd.DataFrame({"n": range(3000)}), caption="All", max_rows=2)
    assert len(cells_of(shown)) == 3
    assert f"All (2 of 3{THIN}000 rows)" in shown[-1].data["text/html"]
    assert f"All (2 of 3{THIN}000 rows)" in shown[-1].data["text/plain"]
    report.table(pd.DataFrame({"n": []}), caption="All")
    assert "All (no rows)" in shown[-1].data["text/html"]


def test_table_reads_lazy_frames_and_templates_and_functions(shown):
    lazy = nw.from_native(pd.DataFrame({"a": [1.25], "b": ["x"]})).lazy().to_native()
    report.table(lazy, caption="x", formats={"a": "{:,.1f} days", "b": str.upper})
    assert cells_of(shown)[1] == ["1.2 days", "X"]


def test_table_names_the_unknown_column():
    with pytest.raises(ValueError, match=r"\['amont'\].*\['amount'\]"):
        report.table(pd.DataFrame({"amount": [1]}), caption="x", formats={"amont": ",.2f"})


def test_table_leaves_its_input_alone(shown):
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="k"))
    before = frame.copy()
    report.table(frame, caption="x")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (1234.5, ",.2f", f"1{THIN}234.50"),
        (0.1234, ".1%", "12.3%"),
        (-0.2, None, "-0.20"),
        (-0.0001, "z,.0f", "0"),
        (1234567, None, f"1{THIN}234{THIN}567"),
        (0.00123, None, "0.0012"),
        (float("nan"), None, "–"),
        (None, ",.0f", "–"),
    ],
)
def test_numbers(value, spec, text):
    assert report.number(value, spec) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (18460230.5, "EUR", "€18.46M"),
        (12345.6, "USD", f"$12{THIN}346"),
        (-9.5, "GBP", "-£9.50"),
        (2e9, "CHF", f"CHF{THIN}2.00bn"),
        (None, "EUR", "–"),
    ],
)
def test_amounts(value, currency, text):
    assert report.amount(value, currency) == text


# --- pages ----------------------------------------------------------------------------


def test_page_needs_no_network(notebook):
    page = page_of(notebook)
    assert_self_contained(page)
    assert "cdn.example" not in page
    assert "draw()" not in page
    assert "by words" in page
    assert 'href="https://doi.org/1"' in page


def test_page_is_the_same_each_time(notebook):
    copy = nbformat.reads(nbformat.writes(notebook), as_version=4)
    assert page_of(notebook) == page_of(copy)


def test_code_and_warnings_are_hidden_until_asked_for(notebook):
    page = page_of(notebook)
    assert re.search(r"^\.code \{ display: none; \}$", page, re.MULTILINE)
    assert ":root:has(#show-code:checked) .code { display: block; }" in page
    box = re.search(r'<input [^>]*id="show-code"[^>]*>', page).group()
    assert "checked" not in box
    hidden = re.compile(r'<pre class="code">.*?</pre>', re.DOTALL)
    seen = hidden.sub("", page)
    for technical in ("secret_sauce", "old thing", "Axes: xlabel"):
        assert technical in page
        assert technical not in seen
    assert '<pre class="output">12 rows</pre>' in page


def test_a_heading_over_nothing_but_code_is_hidden_with_it():
    def told(text):
        return new_code_cell("x", outputs=[new_output("stream", name="stdout", text=text)])

    cells = [
        new_markdown_cell("# Who?\n\n- One."),
        new_markdown_cell("## Learn"), new_code_cell("fit()"), told(""),
        new_markdown_cell("## Judge"), new_code_cell("score()"), told("12 rows"),
        new_markdown_cell("## Why"), new_markdown_cell("### By season"), told("13 rows"),
        new_markdown_cell("## Limits\n\nMany."),
        new_markdown_cell("## Write"), new_code_cell("save()"),
    ]  # fmt: skip
    page = page_of(new_notebook(cells=cells))
    headings = re.findall(r'<section class="([^"]*)"><h\d>([^<]*)', page)
    hidden = [text for kind, text in headings if kind == "prose code"]
    assert hidden == ["Learn", "Write"]
    assert [text for kind, text in headings if kind == "prose"] == [
        "Judge", "Why", "By season", "Limits"
    ]  # fmt: skip


@pytest.mark.parametrize(("findings", "more"), [(7, 0), (8, 3)])
def test_in_short_stays_short(shown, findings, more):
    for n in range(findings):
        report.finding(f"Finding {n}.")
    page = page_of(new_notebook(cells=[new_code_cell("x", outputs=shown)]))
    first, _, others = page.partition('<section class="short"')[2].partition("<details>")
    assert others.partition("</section>")[0].count("<li>Finding") == more
    assert first.partition("</section>")[0].count("<li>Finding") == findings - more
    assert (f"<summary>{more} more findings</summary>" in page) == (more > 0)


def test_a_table_in_a_text_has_its_caption(shown):
    text = "## Letters\n\nTable: The *two* letters\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    page = page_of(new_notebook(cells=[new_markdown_cell(text)]))
    assert '<div class="scroll"><table><caption>The <em>two</em> letters</caption>' in page


def test_values_are_escaped(notebook):
    page = page_of(notebook, dataset="A <b>&", title="<i>Who</i>")
    for raw in ("<script>alert", "<img src=x", "<em>others", "<i>Who", "A <b>", "bar <b>"):
        assert raw not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'alt="A &#34;rising&#34; bar &lt;b&gt;"' in page


def test_page_knows_its_place(notebook):
    page = page_of(notebook)
    assert "Stage 6 of 17 · Complete journey" in page
    assert '<li class="here" aria-current="step">analyse</li>' in page
    assert 'href="05_segmentation.html"' in page
    assert 'href="07_clv.html"' in page
    assert 'href="index.html"' in page
    alone = page_of(notebook, previous=None, following=None)
    assert "05_segmentation" not in alone
    assert "07_clv" not in alone


def test_a_page_outside_the_loop(notebook):
    page = page_of(notebook, stage="customer_card", previous=None, following=None)
    assert "Stage" not in page.split("</style>")[1]
    assert "notebooks/customer_card.ipynb" in page


def test_title_stands_once_and_numbers_are_written_one_way(notebook):
    page = page_of(notebook)
    assert page.count("<h1>") == 1
    assert "06 Who is leaving?" not in page
    assert "One <em>intent</em>." in page
    assert f"of 1{THIN}234 leavers" in page


def test_tiles_and_limits_of_a_cell_share_a_block(notebook):
    page = page_of(notebook)
    assert page.count('<dl class="tiles"') == 1
    assert page.count('class="tile"') == 2
    assert page.count('<aside class="limits">') == 1


def test_tables_scroll_in_their_own_box(notebook):
    assert re.search(r'<div class="scroll"><table class="c360">.*R&amp;D', page_of(notebook))


def test_wide_pandas_frames_and_svg_are_held(shown):
    frame = pd.DataFrame({"a": [1]})
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'
    held = new_notebook(
        cells=[
            new_code_cell(
                "x",
                outputs=[
                    new_output("execute_result", data={"text/html": frame.to_html()}),
                    new_output("display_data", data={"image/svg+xml": svg}),
                    new_output("error", ename="KeyError", evalue="'<b>'", traceback=[]),
                ],
            )
        ]
    )
    page = page_of(held)
    assert_self_contained(page)
    assert '<div class="scroll"><table border="1" class="dataframe">' in page
    assert "data:image/svg+xml;base64," in page
    assert "KeyError: &#39;&lt;b&gt;&#39;" in page


# --- the front page -------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, notebook) -> Path:
    for folder in ("reports", "metrics", "data/raw"):
        (tmp_path / folder).mkdir(parents=True)
    nbformat.write(notebook, tmp_path / "reports" / "06_churn.ipynb")
    (tmp_path / "metrics" / "churn.json").write_text(json.dumps({"base_rate": 0.3143}))
    facts = {
        "name": "demo_<shop>",
        "about": "A shop of 20,000 people.",
        "currency": "EUR",
        "margin_rate": 0.4,
        "calendar": {"as_of": "2026-03-31"},
    }
    (tmp_path / "data" / "raw" / "dataset.json").write_text(json.dumps(facts))
    return tmp_path


def test_index_tells_what_ran_and_what_did_not(project):
    page = report.build_index(root=project)
    assert_self_contained(page)
    assert page.count("Not run yet") == 16
    assert 'href="06_churn.html">Who is leaving, and why?</a>' in page
    assert 'href="07_clv.html"' not in page
    assert "The riskiest <strong>10%</strong>" in page
    assert "<strong>31.4%</strong>" in page
    assert "Demo &lt;shop&gt;" in page
    assert f"A shop of 20{THIN}000 people." in page
    assert "<dt>Margin rate</dt><dd>40%</dd>" in page
    assert "<dt>Known up to</dt><dd>2026-03-31</dd>" in page


def test_index_is_the_same_each_time(project):
    assert report.build_index(root=project) == report.build_index(root=project)


def test_index_of_an_empty_project(tmp_path):
    page = report.build_index(root=tmp_path)
    assert_self_contained(page)
    assert "No dataset yet" in page
    assert page.count("Not run yet") == 17
    assert 'class="tiles"' not in page


def test_index_names_a_broken_file(project):
    (project / "metrics" / "churn.json").write_text("{")
    with pytest.raises(ValueError, match=r"metrics/churn\.json"):
        report.build_index(root=project)
    (project / "metrics" / "churn.json").write_text("[]")
    with pytest.raises(ValueError, match=r"metrics/churn\.json"):
        report.build_index(root=project)
    (project / "metrics" / "churn.json").unlink()
    (project / "reports" / "06_churn.ipynb").write_text("no notebook")
    with pytest.raises(ValueError, match=r"reports/06_churn\.ipynb"):
        report.build_index(root=project)


def test_without_metrics_the_first_tile_of_the_notebook_speaks(project):
    (project / "metrics" / "churn.json").write_text(json.dumps({"base_rate": None}))
    page = report.build_index(root=project)
    assert "<dt>base rate</dt>" in page
    assert "within 90 days" in page


def test_loop_shows_the_steps_that_ran():
    cards = [report.Card(report.find_stage("churn"), ran=True)]
    page = report.render_index(cards=cards, facts={})
    states = {
        step: state
        for state, step in re.findall(r'class="node (\w+)">.*?class="step"[^>]*>(\w+)<', page)
    }
    assert [states[step] == "ran" for step in report.STEPS] == [
        step == "analyse" for step in report.STEPS
    ]
    assert "1 of 17 stages run" in page
    assert "plan (not run yet)" in page


def test_thumbnails_are_small_and_flat(shown):
    large = io.BytesIO()
    Image.effect_noise((2000, 1000), 60).convert("RGBA").save(large, format="PNG")
    card = report.Card(report.STAGES[0], ran=True, picture=large.getvalue(), alt="noise")
    page = report.render_index(cards=[card], facts={})
    encoded = re.search(r"data:image/png;base64,([^\"]+)", page).group(1)
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as thumbnail:
        assert thumbnail.size == (720, 360)
        assert thumbnail.mode == "P"


def test_every_step_has_a_stage_and_every_stage_a_number():
    assert [stage.number for stage in report.STAGES] == list(range(1, 18))
    assert {step for stage in report.STAGES for step in stage.steps} == set(report.STEPS)
    assert report.find_stage("06_churn") is report.find_stage("churn")
    assert report.find_stage("unknown") is None


# --- ticks of figures -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "ticks", "labels"),
    [
        (style.thousands, [0, 5000, 12500], ["0", f"5{THIN}000", f"12{THIN}500"]),
        (style.money, [0, 500000, 1500000], ["€0", "€0.5M", "€1.5M"]),
        (style.money, [-20000, 0, 20000], ["\N{MINUS SIGN}€20k", "€0", "€20k"]),
        (style.money, [0, 2.5, 5], ["€0", "€2.5", "€5.0"]),
        (style.percent, [0, 0.25, 1], ["0%", "25%", "100%"]),
        (style.percent, [0, 0.005, 0.01], ["0%", "0.5%", "1.0%"]),
    ],
)
def test_ticks_read_like_numbers(write, ticks, labels):
    ax = bars().axes[0]
    assert write(ax, "y") is ax
    assert ax.yaxis.get_major_formatter().format_ticks(ticks) == labels


def test_money_writes_an_unknown_currency_in_front():
    ax = style.money(bars().axes[0], "x", "SEK")
    assert ax.xaxis.get_major_formatter().format_ticks([1]) == ["SEK 1"]


def test_an_axis_is_x_or_y():
    with pytest.raises(ValueError, match="'z'"):
        style.percent(bars().axes[0], "z")


# --- in a real kernel -----------------------------------------------------------------


def test_a_kernel_shows_each_thing_once():
    source = """
import pandas as pd
from matplotlib import pyplot
from customer360 import report
from customer360.plots import style
style.use_style()
ax = pyplot.subplots()[1]
ax.plot([1, 2], [3, 4])
report.main_figure(ax, alt="A line")
report.finding("**One** line.")
report.table(pd.DataFrame({"a": [1]}), caption="One")
"""
    ran = new_notebook(
        cells=[new_code_cell(source)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    NotebookClient(ran, timeout=120, kernel_name="python3").execute()
    kinds = [
        output.metadata.customer360.kind
        for output in ran.cells[0].outputs
        if output.output_type == "display_data"
    ]
    assert kinds == ["main_figure", "finding", "table"]
    assert report.findings(ran) == ["**One** line."]
    assert_self_contained(page_of(ran))
