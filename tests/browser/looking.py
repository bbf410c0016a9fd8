"""A page in Debian's Chromium, and what a reader would stumble over in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Request, sync_playwright

WIDTHS = (1366, 390)
MEASURE = (Path(__file__).parent / "checks.js").read_text(encoding="utf-8")
# A picture of one pixel, for pages made to be looked at.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
# The browser stays at home: no updates, no sign-in, no first steps.
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The Chromium of this machine, without a window."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.exit(
            "These tests open the pages in Chromium, which is not on this machine. "
            "Next: apt-get install chromium, then make browser.",
            returncode=1,
        )
    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox; the pages are ours.
        browser = playwright.chromium.launch(
            executable_path=found, args=QUIET, chromium_sandbox=False
        )
        yield browser
        browser.close()


def faults(browser: Browser, path: Path, *, width: int) -> list[str]:
    """Open a page so many pixels wide and list what is wrong with it, a sentence each."""
    found: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.append(f"the console says: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            found.append(f"the page asks for {request.url}")

    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", said)
    page.on("pageerror", lambda error: found.append(f"an error in the page: {error}"))
    page.on("request", asked)
    page.on("requestfailed", lambda request: found.append(f"could not be read: {request.url}"))
    page.goto(path.absolute().as_uri())
    found += page.evaluate(MEASURE)
    hrefs = page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))")
    page.close()
    # A pipeline stopped on the way has no front page yet, and links to pages still to come.
    for href in dict.fromkeys(hrefs) if (path.parent / "index.html").exists() else ():
        here = "://" not in href and not href.startswith(("#", "mailto:"))
        if here and not (path.parent / href.partition("#")[0]).exists():
            found.append(f"the link to {href} leads nowhere")
    return found
