"""Figures of page 10: themes by stage, months of a representative."""

from datetime import date

import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from customer360.plots import measurement as plots


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def _effects(p_values):
    rows = [("loyal", "price", 0.02), ("loyal", "status", 0.01), ("unaware", "price", None)]
    table = pd.DataFrame(rows, columns=["funnel_stage", "theme", "shrunk"])
    return table.assign(
        shrunk_low=table["shrunk"] - 0.01, shrunk_high=table["shrunk"] + 0.01,
        adjusted_p_value=p_values,
    )  # fmt: skip


def _cells(ax):
    return [text.get_text() for text in ax.texts]


def test_stages_stand_in_the_order_of_the_funnel_and_numbers_are_of_a_thousand():
    ax = plots.theme_map(_effects([0.2, 0.9, None]))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["unaware", "loyal"]
    assert set(_cells(ax)) == {"+20\n(+10 to +30)", "+10\n(+0 to +20)", "not tested", "not sent"}


def test_cells_within_chance_are_grey():
    ax = plots.theme_map(_effects([0.01, 0.9, None]))
    colours = [
        {
            to_hex(c)
            for c, a in zip(m.get_facecolors(), ~m.get_array().mask.ravel(), strict=True)
            if a
        }
        for m in ax.collections
    ]
    sure, rest = colours
    assert len(sure) == 1 and rest == {plots._FAINT.lower()} and sure != rest
    nothing = plots.theme_map(_effects([0.5, 0.9, None]))
    assert nothing.collections[0].get_array().mask.all()


def test_a_month_stands_beside_the_team():
    months = pd.DataFrame(
        [(rep, date(2025, m, 1), 2 * m if rep == "A" else 0) for rep in "AB" for m in (1, 2, 3)],
        columns=["rep_id", "month", "signed"],
    )
    ax = plots.months_beside_team(months, rep_id="A")
    assert [bar.get_height() for bar in ax.patches] == [2, 4, 6]
    assert list(ax.lines[0].get_ydata()) == [1, 2, 3]


def test_groups_that_are_read_stand_beside_those_outside():
    table = pd.DataFrame(
        {"subgroup": ["big_fans", "late"], "expect": ["more", "less"], "effect": [0.02, None],
         "low": [0.01, None], "high": [0.03, None], "outside": [0.0, None],
         "outside_low": [-0.01, None], "outside_high": [0.01, None]}
    )  # fmt: skip
    ax = plots.subgroups(table)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["big fans\n(expected: more)"]
    assert [points.get_offsets()[0][0] for points in ax.collections[1::2]] == [20.0, 0.0]


def _results(number):
    earned = [float(n) for n in range(number)]
    table = pd.DataFrame({"campaign_id": [f"c{n:02d}" for n in range(number)], "variant": "a"})
    return table.assign(
        tested=True, incremental=earned, incremental_low=-1.0, incremental_high=99.0
    )


def test_of_many_variants_the_highest_and_lowest_are_drawn_and_all_counted():
    ax = plots.campaign_effects(_results(7).sample(frac=1, random_state=1), currency="EUR", most=4)
    drawn = [text.get_text() for text in ax.get_yticklabels()]
    assert drawn == ["c00 a", "c01 a", "c05 a", "c06 a"]
    assert "the 2 highest and lowest of 7 variants" in ax.get_xlabel()


def test_few_variants_are_all_drawn():
    ax = plots.campaign_effects(_results(4), currency="EUR", most=4)
    assert len(ax.get_yticklabels()) == 4
    assert "of 4 variants" not in ax.get_xlabel()
