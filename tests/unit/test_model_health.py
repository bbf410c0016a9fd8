"""Health of a model: figures as elsewhere, honest errors, a rule that seldom cries wolf."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from customer360.evaluation import calibration_error, lift_at
from customer360.model_health import (
    LEAST_CHANGE,
    decay_in_words,
    health_series,
    judge_decay,
    model_health,
)
from customer360.storage import Store

LEARNT = date(2024, 1, 31)


def cases(
    months: int = 1, customers: int = 400, *, level: float = 0.0, turn: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """Probabilities that are right, until the last three months are off by so many log-odds
    (`level`) or follow only a part of what they should (1 - `turn`)."""
    rng = np.random.default_rng(seed)
    parts = []
    for month in range(months):
        off = month >= months - 3
        odds = rng.normal(-0.6, 1.3, customers)
        true = odds * (1 - turn * off) + level * off
        part = {
            "customer_id": [f"c{n}" for n in range(customers)],
            "as_of": LEARNT + timedelta(days=30 * month),
            "predicted": 1 / (1 + np.exp(-odds)),
            "actual": rng.random(customers) < 1 / (1 + np.exp(-true)),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def judged(frame: pd.DataFrame, *, horizon_days: int = 30) -> pd.DataFrame:
    return model_health(frame, model="churn", learnt_until=LEARNT, horizon_days=horizon_days)


def told(auc: np.ndarray, total: np.ndarray | None = None, **columns) -> pd.DataFrame:
    """A health table of so many months, all unseen, with small errors of its figures."""
    n = len(auc)
    days = [LEARNT + timedelta(days=round(30.4 * month)) for month in range(n)]
    table = pd.DataFrame({"model": "churn", "as_of": days, "in_training": False})
    figures = {"roc_auc": auc, "total_error": np.zeros(n) if total is None else total}
    for name, values in figures.items():
        error = 1.96 * (0.005 if name == "roc_auc" else 0.02)
        table = table.assign(
            **{name: values, f"{name}_low": values - error, f"{name}_high": values + error}
        )
    return table.assign(horizon_days=30, learnt_until=LEARNT).assign(**columns)


def decays(table: pd.DataFrame) -> dict[str, bool]:
    return judge_decay(table).set_index("measure")["decays"].to_dict()


def test_figures_are_those_of_the_evaluation():
    frame = cases()
    before = frame.copy()
    row = judged(frame).iloc[0]
    y, p = frame["actual"], frame["predicted"]
    assert row["predicted"] == pytest.approx(p.mean())
    assert row["total_error"] == pytest.approx(p.sum() / y.sum() - 1)
    assert row["calibration_error"] == pytest.approx(calibration_error(y, p))
    assert row["lift_at_10pct"] == pytest.approx(lift_at(y, p, share=0.1))
    assert row["roc_auc"] == pytest.approx(roc_auc_score(y, p))
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("figure", ["total_error", "lift_at_10pct", "roc_auc"])
def test_intervals_are_those_of_a_bootstrap(figure):
    frame = cases()
    rng = np.random.default_rng(3)
    again = [frame.iloc[rng.integers(0, 400, 400)].assign(as_of=n) for n in range(200)]
    many = pd.concat(again)
    many["as_of"] = pd.Timestamp(LEARNT) + many["as_of"] * pd.Timedelta(days=1)
    row = judged(frame).iloc[0]
    spread = judged(many)[figure].std()
    assert (row[f"{figure}_high"] - row[figure]) / 1.96 == pytest.approx(spread, rel=0.15)


def test_a_customer_told_twice_is_no_second_customer():
    frame = cases()
    once, twice = judged(frame).iloc[0], judged(pd.concat([frame, frame])).iloc[0]
    assert twice["roc_auc"] == pytest.approx(once["roc_auc"])
    for name in ("roc_auc_low", "total_error_high", "customers"):
        assert twice[name] == pytest.approx(once[name])


def test_months_before_the_end_of_learning_are_marked():
    frame = pd.concat([cases(2), cases().assign(as_of=LEARNT - timedelta(days=1))])
    table = judged(frame)
    assert list(table["in_training"]) == [True, False, False]
    assert table["as_of"].is_monotonic_increasing
    assert list(health_series(table)) == [0, 1]
    assert set(health_series(table)[0]) == {
        "health_total_error", "health_calibration_error", "health_lift_at_10pct", "health_roc_auc",
    }  # fmt: skip


def test_where_nothing_or_all_happened_only_the_possible_is_told():
    none = judged(cases().assign(actual=0)).iloc[0]
    assert np.isnan(none["total_error"]) and np.isnan(none["roc_auc"])
    assert none["calibration_error"] == pytest.approx(none["predicted"])
    assert np.isnan(judged(cases().assign(actual=1)).iloc[0]["roc_auc"])
    assert "health_roc_auc" not in health_series(judged(cases().assign(actual=0)))[0]


def test_without_cases_there_is_no_verdict():
    empty = judged(cases().head(0))
    assert empty.empty and judge_decay(empty).empty
    assert "outcome: 0; 6 are needed" in decay_in_words(judge_decay(empty))


def test_six_unseen_months_are_needed():
    verdict = judge_decay(judged(cases(5)))
    assert verdict["decays"].isna().all()
    assert decay_in_words(verdict).startswith("unseen months with an outcome: 5; 6 are needed")
    assert judge_decay(judged(cases(6)))["decays"].notna().all()


def test_a_level_that_shifts_and_a_ranking_that_fades_are_flagged_each_by_its_figure():
    assert decays(judged(cases(9, level=-0.9))) == {"total_error": True, "roc_auc": False}
    assert decays(judged(cases(9, turn=0.6))) == {"total_error": False, "roc_auc": True}
    assert decays(judged(cases(9))) == {"total_error": False, "roc_auc": False}


def shocks(rng: np.random.Generator, *, months: int, spread: float, memory: float) -> np.ndarray:
    """Months that differ for no lasting reason, each a little like the one before."""
    values = np.zeros(months)
    for month in range(1, months):
        values[month] = memory * values[month - 1] + rng.normal(0, spread)
    return values


@pytest.mark.parametrize(("months", "memory"), [(6, 0.0), (9, 0.0), (9, 0.7)])
def test_a_stable_model_is_seldom_flagged(months, memory):
    """At most one stable model in twenty, whatever the unrest of its months."""
    rng = np.random.default_rng(5)
    flagged = []
    for n in range(100):
        unrest = (0.5, 1.0, 3.0)[n % 3]
        auc = 0.8 + shocks(rng, months=months, spread=0.01 * unrest, memory=memory)
        total = shocks(rng, months=months, spread=0.05 * unrest, memory=memory)
        flagged.append(any(decays(told(auc, total)).values()))
    assert np.mean(flagged) <= 0.05


def test_a_decaying_model_is_mostly_flagged():
    """A ranking that falls by six hundredths, or a total that drifts by three tenths."""
    rng = np.random.default_rng(6)
    step = np.r_[np.zeros(6), np.ones(3)]
    found = {"roc_auc": 0, "total_error": 0}
    for _ in range(40):
        auc = 0.8 + rng.normal(0, 0.005, 9)
        total = rng.normal(0, 0.03, 9)
        found["roc_auc"] += decays(told(auc - 0.06 * step, total))["roc_auc"]
        found["total_error"] += decays(told(auc, total + 0.3 * step))["total_error"]
    assert min(found.values()) >= 36


def test_a_small_fall_that_is_certain_is_no_decay():
    fall = np.r_[np.full(6, 0.8), np.full(3, 0.8 - LEAST_CHANGE["roc_auc"])]
    assert not decays(told(fall))["roc_auc"]


def test_getting_better_is_no_decay():
    better = np.r_[np.full(6, 0.7), np.full(3, 0.85)]
    right = np.r_[np.full(6, 0.5), np.zeros(3)]
    assert decays(told(better, right)) == {"total_error": False, "roc_auc": False}


def test_a_season_is_no_decay_and_does_not_hide_one():
    """Two years whose last three months are always foretold too low."""
    season = np.tile(np.r_[np.zeros(9), np.full(3, -0.35)], 2)
    auc = np.full(24, 0.8)
    seen = {"in_training": np.arange(24) < 12}
    stable = judge_decay(told(auc, season, **seen))
    assert stable["season"].all() and not stable["decays"].any()
    assert stable.set_index("measure").loc["total_error", "before"] == pytest.approx(-0.35)
    # The first year unknown, the season looks like a decay: the reason for the year before.
    assert decays(told(auc[12:], season[12:]))["total_error"]
    worse = season - np.r_[np.zeros(21), np.full(3, 0.3)]
    verdict = judge_decay(told(auc, worse, **seen))
    assert verdict.set_index("measure")["decays"].to_dict() == {
        "total_error": True,
        "roc_auc": False,
    }
    assert decay_in_words(verdict) == (
        "it decays (the total is off by -65.0% in the last 3 months against -35.0% expected of "
        "the season)"
    )


def test_windows_that_overlap_count_as_fewer_months():
    unrest = 0.8 + np.array([0.01, -0.01] * 4)
    long = judge_decay(told(unrest, horizon_days=270))["reach"]
    assert (long > judge_decay(told(unrest))["reach"]).all()


@pytest.mark.parametrize("rows", [0, 400])
def test_the_table_is_what_its_contract_says(tmp_path, rows):
    (tmp_path / "params.yaml").touch()
    store = Store.open(tmp_path)
    table = judged(cases().head(rows))
    assert store.write("churn_health", table) == len(table)
    store.close()
