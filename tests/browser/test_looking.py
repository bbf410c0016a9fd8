"""Each fault that the checks look for is found in a page that has it, and in no good page."""

from __future__ import annotations

from pathlib import Path

import looking
import pytest
from looking import DOT, WIDTHS, faults, open_browser

from customer360.report.page import environment

DESK, PHONE = WIDTHS
PIXEL = f"data:image/png;base64,{DOT}"
HEAD = "<thead><tr><th>segment</th><th>customers</th></tr></thead>"
GOOD = f"""
<h1>Who is leaving?</h1><p>A tenth.</p>
<h2>By segment</h2>
<div class="scroll"><table><caption>Leavers</caption>{HEAD}
<tbody><tr><th>frequent_buyers</th><td class="number">12</td></tr></tbody></table></div>
<h2>Over time</h2><h3>By month</h3>
<figure><img src="{PIXEL}" alt="Leavers by month" width="800" height="300"></figure>
"""


def cell(text: str, style: str = "") -> str:
    return (
        f'<div class="scroll"><table><caption>Leavers</caption><tr><td style="{style}">{text}</td>'
        "</tr></table></div>"
    )


# What is wrong, at which width, the page, and what the check must say.
FAULTS = {
    "a page that scrolls": (PHONE, '<div style="width:500px">a</div>', "it scrolls sideways"),
    "text over the edge": (PHONE, "<p style='margin-left:-40px'>a</p>", "over the edge"),
    "text out of its box": (
        DESK,
        '<p class="tile" style="width:3rem"><span style="white-space:nowrap">19 311 204 EUR</span>',
        "runs out of its box",
    ),
    "a wide figure": (
        DESK,
        f'<div style="width:300px"><img alt="a" style="width:310px;max-width:none" src="{PIXEL}">',
        "310 px wide in a place of 300 px",
    ),
    "a clipped figure": (
        DESK,
        '<div style="overflow:hidden;width:300px"><div style="width:400px">'
        f'<img alt="a" width="400" height="9" style="max-width:none" src="{PIXEL}"></div></div>',
        "cut off at its side",
    ),
    "a figure of no size": (DESK, f'<img alt="a" style="width:0" src="{PIXEL}">', "no size"),
    "a broken image": (DESK, '<img alt="a" src="data:image/png;base64,AAAA">', "did not load"),
    "an image without alt": (DESK, f'<img src="{PIXEL}" width="9" height="9">', "without alt"),
    "a table without caption": (DESK, "<table><tr><td>a</td></tr></table>", "without caption"),
    "a table too wide for a desk": (DESK, cell("a", "min-width:1900px"), "it must scroll in"),
    "a table that nothing lets scroll": (
        PHONE,
        '<div style="overflow:hidden"><table style="width:700px"><caption>Leavers</caption>'
        "<tr><td>a</td></tr></table></div>",
        "nothing lets it scroll",
    ),
    "a cell cut off": (
        DESK,
        "<figcaption style='overflow:hidden;width:5rem;white-space:nowrap'>many long words",
        "its text is cut off",
    ),
    "small print": (PHONE, cell("a", "font-size:11px"), "text of 11px is too small"),
    "a tower of a cell": (PHONE, cell("a<br>" * 9), "9 lines in one cell"),
    "a broken word": (
        PHONE,
        cell('<div style="width:3rem;overflow-wrap:anywhere">satisfaction</div>'),
        'the word "satisfaction" is broken',
    ),
    "nan": (DESK, cell("nan"), "means nothing to a reader"),
    "an empty heading": (DESK, "<h2 style='height:1rem'> </h2><p>a</p>", "an empty heading"),
    "a heading twice": (DESK, "<h2>Why</h2><p>a</p><h2>Why</h2><p>a</p>", "stands twice"),
    "a heading of nothing": (
        DESK,
        '<h2>Write</h2><pre class="code">save()</pre><h2>Limits</h2><p>a</p>',
        'h2 "Write": nothing stands under this heading',
    ),
    "an error on the console": (DESK, "<script>console.error('oh')</script>", "console says: oh"),
    "an error in a script": (DESK, "<script>throw Error('oh')</script>", "error in the page: oh"),
    "a call to elsewhere": (
        DESK, "<script>fetch('http://127.0.0.1:9/a')</script>", "asks for http://127.0.0.1:9/a"
    ),
    "a file that is missing": (DESK, '<img alt="a" src="absent.png">', "could not be read: file"),
    "a link to nowhere": (DESK, '<a href="absent.html">a</a>', "the link to absent.html leads"),
}  # fmt: skip


def write(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    (folder / "index.html").touch()
    style = environment().globals["style"]
    path.write_text(
        '<!doctype html><meta name="viewport" content="width=device-width"><title>A page</title>'
        f'<link rel="icon" href="data:,"><style>{style}</style><body class="page"><main>{body}',
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(browser, tmp_path, name):
    width, body, sentence = FAULTS[name]
    found = faults(browser, write(tmp_path, body), width=width)
    assert [said for said in found if sentence in said], found


@pytest.mark.parametrize("width", WIDTHS)
def test_a_good_page_has_none(browser, tmp_path, width):
    assert faults(browser, write(tmp_path, GOOD), width=width) == []


def test_without_chromium_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(looking.shutil, "which", lambda name: None)
    with pytest.raises(pytest.exit.Exception, match="apt-get install chromium"), open_browser():
        pass
