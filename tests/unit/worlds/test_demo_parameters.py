"""The page of parameters lists each one once, with its meaning and source."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from dataclasses import fields
from importlib.resources import files

import pytest

from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo_parameters import (
    CHOSEN,
    WITHOUT,
    _constants,
    parameters,
    render_parameters,
)


@pytest.fixture(scope="module")
def found():
    return parameters()


def test_all_laws_come_first_and_in_order(found):
    names = [p.name for p in found if p.module == "laws"]
    assert names == [law.name for law in fields(Laws)]
    assert [p.module for p in found][: len(names)] == ["laws"] * len(names)


def test_each_constant_is_listed_once(found):
    listed = Counter((p.module, name) for p in found for name in p.name.split(", "))
    assert set(listed.values()) == {1}
    for module in {p.module for p in found} - {"laws"}:
        assert module not in WITHOUT
        code = importlib.import_module(f"customer360.worlds.demo.{module}")
        assert all(hasattr(code, name) for where, name in listed if where == module)


def test_numbers_in_capitals_are_not_forgotten(found):
    listed = {(p.module, name) for p in found for name in p.name.split(", ")}
    for path in files("customer360.worlds.demo").iterdir():
        module = path.name.removesuffix(".py")
        if path.name.endswith(".py") and module not in WITHOUT:
            code = path.read_text(encoding="utf-8")
            plain = re.findall(r"^([A-Z][A-Z_]+) = -?[0-9.]+ *(?:#.*)?$", code, flags=re.MULTILINE)
            assert {(module, name) for name in plain} <= listed


def test_words_sources_and_values_are_read_from_comments():
    code = "\n".join(
        [
            "# Share of things.",
            "# Source: a book, 1999.",
            "SHARE = 0.5",
            "PLAIN_NUMBER = 3",
            "BESIDE, OTHER = 1, 2  # two things",
            "WORDS = ('a', 'b')",
            "FIRST, SECOND = range(2)",
            "small = 3",
            "_HIDDEN = 4",
            "LONG = (",
            "    1,",
            ")  # fmt: skip",
            "TYPED: float = 2.0",
        ]
    )
    read = {p.name: p for p in _constants("here", code)}
    assert set(read) == {"SHARE", "PLAIN_NUMBER", "BESIDE, OTHER", "LONG", "TYPED"}
    assert (read["SHARE"].about, read["SHARE"].source) == ("Share of things", "a book, 1999")
    assert (read["PLAIN_NUMBER"].about, read["PLAIN_NUMBER"].source) == ("plain number", CHOSEN)
    assert read["BESIDE, OTHER"].about == "two things"
    assert read["LONG"].value == "(1,)"


def test_the_page_is_stable_and_a_table_throughout():
    page = render_parameters()
    assert page == render_parameters()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(parameters())
    for row in rows:
        assert row.replace("\\|", "").count("|") == 5, row
