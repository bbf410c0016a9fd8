"""The pages of a report at the widths of a desk and of a phone: whole, legible, silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from looking import WIDTHS, faults


def pytest_generate_tests(metafunc):
    folder = Path(metafunc.config.getoption("report"))
    pages = sorted(folder.rglob("*.html"))
    if not pages:
        raise pytest.UsageError(
            f"{folder} holds no page. Next: make pipeline, or make browser REPORT=another/folder."
        )
    names = [page.relative_to(folder).with_suffix("").as_posix() for page in pages]
    metafunc.parametrize("page", pages, ids=names)
    metafunc.parametrize("width", WIDTHS)


def test_a_reader_stumbles_over_nothing(browser, page, width):
    found = faults(browser, page, width=width)
    if found:
        pytest.fail("\n".join([f"{page} at {width} px:", *found]), pytrace=False)
