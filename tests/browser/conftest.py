"""One browser for all pages."""

from __future__ import annotations

import pytest
from looking import open_browser


@pytest.fixture(scope="session")
def browser():
    with open_browser() as opened:
        yield opened
