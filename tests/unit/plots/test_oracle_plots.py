"""Figures of 11 draw from tiny frames, and show what the frames say."""

from __future__ import annotations

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot

from customer360.plots import oracle

TASKS = pd.DataFrame(
    {"task": ["pairs found", "leavers, ROC AUC"], "best": [0.96, 0.9], "reached": [0.86, None]}
)
REASONS = pd.DataFrame(
    {"reason": ["e-mail", "nothing in common"], "linkable": [True, False], "pairs": [3180, 240]}
)
DECILES = pd.DataFrame({"decile": [1, 2], "expected_margin": [10.0, 90.0], "margin": [0.0, 80.0]})
CURVES = pd.DataFrame(
    {
        "curve": ["measured"] * 3 + ["expected"] * 3,
        "contacted": [0.0, 0.5, 1.0] * 2,
        "gain": [0.0, 0.03, 0.02, 0.0, 0.025, 0.021],
    }
)
FIGURES = {
    "best_and_reached": lambda: oracle.best_and_reached(TASKS),
    "pairs_by_reason": lambda: oracle.pairs_by_reason(REASONS),
    "value_by_decile": lambda: oracle.value_by_decile(DECILES, currency="EUR"),
    "qini_curves": lambda: oracle.qini_curves(CURVES),
}


@pytest.fixture(autouse=True)
def drawn():
    matplotlib.use("agg")
    oracle.use_style()
    yield
    pyplot.close("all")
    pyplot.rcdefaults()


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_every_figure_draws_as_wide_as_a_page(name):
    ax = FIGURES[name]()
    ax.figure.canvas.draw()
    assert ax.get_title("left")
    width, height = ax.figure.get_size_inches()
    assert width == pytest.approx(7.6) and 2.2 <= height <= 12


def test_every_public_figure_is_drawn_above():
    assert set(FIGURES) == set(oracle.__all__) - {"use_style"}


def test_only_what_was_reached_is_marked():
    ax = oracle.best_and_reached(TASKS)
    texts = [text.get_text() for text in ax.texts]
    assert sorted(texts) == ["0.86", "0.90", "0.96"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == TASKS["task"].to_list()[::-1]
    assert ax.lines[0].get_xdata().tolist() == [0.86]


def test_nothing_is_marked_where_no_model_is():
    ax = oracle.best_and_reached(TASKS.assign(reached=[None, None]))
    assert len(ax.lines) == 0 and len(ax.texts) == 2


def test_each_reason_bears_its_count_and_the_first_stands_on_top():
    ax = oracle.pairs_by_reason(REASONS)
    assert {text.get_text() for text in ax.texts} == {"3\u202f180", "240"}
    assert ax.get_yticklabels()[-1].get_text() == "e-mail"
    found, lost = (bar.get_facecolor() for bar in ax.patches)
    assert found != lost


def test_deciles_stand_side_by_side():
    ax = oracle.value_by_decile(DECILES, currency="EUR")
    assert [bar.get_height() for bar in ax.patches] == [10.0, 90.0, 0.0, 80.0]


def test_qini_is_held_against_the_straight_line_to_what_was_measured():
    ax = oracle.qini_curves(CURVES)
    chance = next(line for line in ax.lines if line.get_label() == "at random")
    assert chance.get_ydata().tolist() == pytest.approx([0, 20])
