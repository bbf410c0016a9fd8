"""Every figure draws from a tiny frame, and shows what the frame says."""

from __future__ import annotations

from datetime import date

import duckdb
import matplotlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

from customer360.evaluation import lift_curve, reliability_table
from customer360.plots import (
    canvas,
    churn,
    cleaning,
    clv,
    customers,
    features,
    linkage,
    segmentation,
    style,
)

COHORTS = pd.DataFrame(
    {
        "group": ["first purchase: 2023", "first purchase: 2024"],
        "customers": [60, 70],
        "predicted": [20.0, 30.0],
        "observed": [25.0, 28.0],
    }
)
SUMMARY = pd.DataFrame(
    [
        ("orders", "till", 100, 90, 10),
        ("products", "", 5, 5, 0),
        ("people", "crm", 0, 0, 0),
        ("loyalty", "app", 3, 0, 3),
    ],
    columns=["table", "source", "rows_in", "rows_kept", "rows_quarantined"],
)
REASONS = pd.DataFrame({"table": ["orders"], "reason": ["no customer id " * 9], "rows": [1234]})
AUDIT = pd.DataFrame(
    [
        ("people", "crm", "email", 0.9),
        ("people", "web", "email", 1.0),
        ("people", "crm", "city", 0.2),
    ],
    columns=["table", "source", "field", "coverage"],
)
PAIRS = pd.DataFrame(
    {"match_weight": [-30.0, -5.0, 3.0, 99.0], "match_probability": [0.0, 0.01, 0.9, 1.0]}
)
STEPS = pd.DataFrame(
    {
        "column": ["Starting point", "email", "total"],
        "level": ["", "exact", ""],
        "match_weight": [-10.0, 12.5, 2.5],
    }
)
RECORDS = pd.DataFrame({"records": [1, 2, 9, 12], "customers": [1000, 30, 2, 1]})
ACCURACY = pd.DataFrame(
    {
        "field": ["email", "phone"] * 2,
        "of": ["all"] * 2 + ["pure"] * 2,
        "customers": [10] * 4,
        "golden": [0.9, 0.95] * 2,
        "most_recent": [0.8, 0.9] * 2,
        "most_frequent": [0.85, 0.94] * 2,
    }
)
WAYS = pa.table(
    {
        "channel": ["email", "email", "post"],
        "state": ["works", "hard", "missing"],
        "reachable": [True, False, False],
        "may_contact": [True, False, False],
    }
)
ORIGINS = pd.DataFrame(
    {
        "field": ["email", "email", "phone"],
        "source": ["crm", "web", "web"],
        "share": [0.7, 0.3, 1.0],
    }
)
MONTHS = pd.DataFrame(
    {"month": [date(2025, 1, 1), date(2025, 2, 1)], "net_amount": [12_000.0, 15_000.0]}
)
GAPS = pd.DataFrame({"gap_days": [7, 30, 200], "customers": [5.0, 4.0, 1.0]})
SCORES = pd.DataFrame({"f_score": [1, 5, 5], "r_score": [1, 5, 5]})
CLASSES = pd.DataFrame(
    {
        "potential_class": ["gros", "inactif"],
        "customers_share": [0.1, 0.9],
        "margin_share": [0.6, 0.4],
    }
)
TRIALS = pd.DataFrame({"segments": [2, 3], "stability_ari": [0.95, 0.6], "chosen": [True, False]})
RANKS = pd.DataFrame(
    {"recency_days": [-0.3, 0.3], "frequency": [0.2, -0.2]},
    index=pd.Index(["Frequent, large baskets, bought lately", "Seldom"], name="segment_name"),
)
ACTUAL, SCORE = [1, 0, 1, 0], [0.9, 0.6, 0.4, 0.1]
CURVES = {"model": lift_curve(ACTUAL, SCORE), "recency": lift_curve(ACTUAL, SCORE[::-1])}
TABLES = {"model": reliability_table(ACTUAL, SCORE, bins=2)}
CONTRIBUTIONS = pd.DataFrame({"recency_days": [1.0, -2.0], "frequency": [0.1, 0.2]})
TRACK = pd.DataFrame(
    {
        "day": pd.date_range("2025-01-05", periods=4, freq="7D"),
        "actual_cumulative": [1, 2, 4, 5],
        "expected_cumulative": [1.1, 2.2, 3.3, 4.4],
        "actual_incremental": [1, 1, 2, 1],
        "expected_incremental": [1.1, 1.1, 1.1, 1.1],
    }
)
END = date(2025, 1, 20)
COSTS = pd.DataFrame(
    {
        "error": ["none", "false merges", "false splits"],
        "share": [0.0, 0.01, 0.01],
        "clv_change": [0.0, 0.001, -0.001],
        "best_wrong": [0.0, 0.01, 0.002],
    }
)
DIFFICULT = pd.DataFrame(
    {"kind": ["typing error", "twins"], "pairs": [120, 0], "found": [90, 0], "recall": [0.75, None]}
)

RETURNS = pd.DataFrame(
    {"risk_group": [1, 1, 2, 2], "day": [0, 7, 0, 7], "silent": [1, 0.2, 1, 0.9]}
)
MOVES = pd.DataFrame(
    {
        "customer_id": "a",
        "as_of": pd.date_range("2025-01-31", periods=3, freq="ME"),
        "value": [10.0, 8.0, 12.0],
        "move": [0.0, -2.0, 4.0],
        "part_recency": [0.0, -2.0, -1.0],
        "part_purchases": [0.0, 0.0, 5.0],
    }
)
BOUGHT = pd.DataFrame({"day": pd.date_range("2025-01-01", periods=60)})
AHEAD = pd.DataFrame(
    {
        "month": pd.date_range("2025-03-01", periods=2, freq="MS"),
        "transactions": [30.0, 28.0],
        "transactions_low": [25.0, 20.0],
        "transactions_high": [35.0, 36.0],
    }
)
FIGURES = {
    "returns": lambda: churn.returns(RETURNS),
    "value_moves": lambda: clv.value_moves(MOVES),
    "months_ahead": lambda: clv.months_ahead(BOUGHT, AHEAD),
    "rows_set_aside": lambda: cleaning.rows_set_aside(SUMMARY),
    "quarantine_reasons": lambda: cleaning.quarantine_reasons(REASONS),
    "field_coverage": lambda: cleaning.field_coverage(AUDIT, table="people"),
    "match_weights": lambda: linkage.match_weights(PAIRS, threshold=0.8),
    "evidence_waterfall": lambda: linkage.evidence_waterfall(STEPS, title="Two records"),
    "records_per_customer": lambda: linkage.records_per_customer(RECORDS),
    "recall_by_difficulty": lambda: linkage.recall_by_difficulty(DIFFICULT),
    "link_errors": lambda: clv.link_errors(COSTS),
    "field_origins": lambda: customers.field_origins(ORIGINS),
    "field_accuracy": lambda: customers.field_accuracy(ACCURACY),
    "ways_to_reach": lambda: customers.ways_to_reach(duckdb.from_arrow(WAYS)),
    "sales_by_month": lambda: customers.sales_by_month(MONTHS, currency="EUR"),
    "pause_lengths": lambda: features.pause_lengths(GAPS, horizon_days=35, quantile=0.9),
    "rfm_map": lambda: segmentation.rfm_map(SCORES),
    "class_sizes": lambda: segmentation.class_sizes(CLASSES),
    "segment_stability": lambda: segmentation.segment_stability(TRIALS, floor=0.8),
    "segment_profiles": lambda: segmentation.segment_profiles(RANKS),
    "lift_curves": lambda: churn.lift_curves(CURVES),
    "reliability": lambda: churn.reliability(TABLES),
    "feature_weights": lambda: churn.feature_weights(CONTRIBUTIONS),
    "tracking_cumulative": lambda: clv.tracking(TRACK, calibration_end=END, cumulative=True),
    "tracking_incremental": lambda: clv.tracking(TRACK, calibration_end=END, cumulative=False),
    "cohort_calibration": lambda: clv.cohort_calibration(COHORTS),
    "value_concentration": lambda: clv.value_concentration(pd.Series([1.0, 9.0, 90.0])),
}


@pytest.fixture(autouse=True)
def drawn():
    matplotlib.use("agg")
    style.use_style()
    yield
    pyplot.close("all")
    pyplot.rcdefaults()


def labels(ax: Axes, axis: str = "y") -> list[str]:
    ax.figure.canvas.draw()
    ticks = ax.get_yticklabels() if axis == "y" else ax.get_xticklabels()
    return [tick.get_text() for tick in ticks]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_every_figure_draws_and_says_what_it_shows(name):
    ax = FIGURES[name]()
    assert isinstance(ax, Axes)
    ax.figure.canvas.draw()
    assert ax.get_title("left") or ax.get_title()
    # A figure for print and page is as wide as a page, and high enough to read.
    width, height = ax.figure.get_size_inches()
    assert width == pytest.approx(7.6)
    assert 2.2 <= height <= 12


def test_every_public_figure_is_drawn_above():
    public = {
        name
        for module in (cleaning, linkage, customers, features, segmentation, churn, clv)
        for name in module.__all__
        if name != "use_style"
    }
    assert public == {
        name.removesuffix("_cumulative").removesuffix("_incremental") for name in FIGURES
    }


def test_frames_are_not_changed():
    frames = [SUMMARY, REASONS, AUDIT, PAIRS, STEPS, RECORDS, ORIGINS, MONTHS, GAPS, SCORES]
    frames += [ACCURACY, CLASSES, TRIALS, RANKS, CONTRIBUTIONS, TRACK]
    before = [frame.copy(deep=True) for frame in frames]
    for draw in FIGURES.values():
        pyplot.close(draw().figure)
    for frame, old in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, old)


def test_a_figure_has_the_same_pixels_twice(tmp_path):
    pixels = []
    for _ in range(2):
        figure = FIGURES["segment_profiles"]().figure
        figure.canvas.draw()
        pixels.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    assert np.array_equal(*pixels)


# --- what they show ---


def test_sources_without_rows_are_left_out_and_the_largest_stands_on_top():
    ax = FIGURES["rows_set_aside"]()
    assert labels(ax) == ["loyalty · app", "products", "orders · till"]
    assert [bar.get_width() for bar in ax.containers[0]] == [0, 5, 90]
    assert texts(ax) == ["3 set aside", "10 set aside"]
    # A source that lost everything is told too: its words stand inside the figure.
    inside = ax.get_window_extent()
    assert inside.x0 <= ax.texts[0].get_window_extent().x0 < inside.x1


def test_a_long_reason_is_shortened_and_rows_are_counted():
    ax = FIGURES["quarantine_reasons"]()
    assert len(labels(ax)[0]) <= 62
    assert texts(ax) == ["1\u202f234"]


def test_many_records_are_one_bar():
    ax = FIGURES["records_per_customer"]()
    assert labels(ax, "x") == ["1", "2", "8+"]
    assert texts(ax) == ["1\u202f000", "30", "3"]


def test_a_difficulty_that_does_not_occur_has_no_bar():
    ax = linkage.recall_by_difficulty(DIFFICULT)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["typing error"]
    assert "75% of 120" in [text.get_text() for text in ax.texts]


def test_linked_pairs_stand_apart():
    ax = FIGURES["match_weights"]()
    linked, apart = (sum(p.get_height() for p in bars) for bars in ax.containers)
    assert (linked, apart) == (2, 2)


def test_the_waterfall_reads_from_top_to_bottom():
    ax = FIGURES["evidence_waterfall"]()
    assert labels(ax)[::-1] == ["Starting point", "email: exact", "total"]
    assert texts(ax)[::-1] == ["-10.0", "+12.5", "+2.5"]


def test_rfm_cells_count_customers():
    ax = FIGURES["rfm_map"]()
    assert sorted(texts(ax)).count("0") == 23
    assert {"1", "2"} <= set(texts(ax))
    # Often is on top.
    assert labels(ax)[0] == "5"


def test_the_chosen_horizon_is_written_beside_its_line():
    assert texts(FIGURES["pause_lengths"]()) == ["35 days"]


def test_the_weights_of_features_are_averages_of_their_size():
    ax = FIGURES["feature_weights"]()
    assert labels(ax) == ["frequency", "recency days"]
    assert [bar.get_width() for bar in ax.containers[0]] == pytest.approx([0.15, 1.5])


def test_value_held_by_the_best_customers():
    line = FIGURES["value_concentration"]().lines[0]
    # The best of three holds 90 of 100.
    assert np.interp(1 / 3, line.get_xdata(), line.get_ydata()) == pytest.approx(0.9, abs=0.01)
    nothing = clv.value_concentration(pd.Series([0.0, 0.0])).lines[0]
    assert not nothing.get_ydata().any()


def test_cohorts_are_told_beside_what_they_brought():
    ax = FIGURES["cohort_calibration"]()
    assert [round(bar.get_height()) for bar in ax.patches] == [20, 30, 25, 28]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2023", "2024"]


# --- the look ---


def ticks(kind, values: list[float], **more) -> list[str]:
    ax = canvas.new_axes()
    kind(ax, **more)
    return ax.yaxis.get_major_formatter().format_ticks(values)


def test_counts_amounts_and_shares_are_written_for_people():
    assert ticks(style.thousands, [0, 5000, 12500]) == ["0", "5\u202f000", "12\u202f500"]
    assert ticks(style.money, [0, 250]) == ["€0", "€250"]
    assert ticks(style.money, [0, 12_000, 20_000]) == ["€0", "€12k", "€20k"]
    assert ticks(style.money, [-1.5e6, 1.5e6], currency="USD") == ["\u2212$1.5M", "$1.5M"]
    assert ticks(style.money, [2e9], currency="XOF") == ["XOF 2bn"]
    assert ticks(style.percent, [0, 0.25, 1.0]) == ["0%", "25%", "100%"]
    assert ticks(style.percent, [0.025, 0.05]) == ["2.5%", "5.0%"]


def test_an_axis_is_x_or_y():
    ax = canvas.new_axes()
    assert style.percent(ax, axis="x") is ax
    with pytest.raises(ValueError, match="axis must be 'x' or 'y', not 'z'"):
        style.percent(ax, axis="z")


def test_colours_begin_again_when_they_end():
    many = canvas.colours(9)
    assert many[:7] == list(style.PALETTE)
    assert many[7:] == list(style.PALETTE[:2])


def test_the_style_may_be_set_twice():
    before = dict(matplotlib.rcParams)
    style.use_style()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(("labels", "columns"), [(1, 1), (4, 4), (5, 3), (7, 4), (9, 3)])
def test_lines_of_a_legend_are_about_as_long_as_each_other(labels, columns):
    ax = canvas.new_axes()
    for n in range(labels):
        ax.plot([0, 1], label=str(n))
    assert canvas.legend_below(ax).figure.legends[0]._ncols == columns
