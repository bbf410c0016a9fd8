"""Champions are held against what happened since; one that decays is named."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from customer360 import review
from customer360.contracts import CONTACT_SIGNALS, CONTRACTS, empty_table
from customer360.storage import Store
from customer360.tracking import Champion

CUSTOMERS = 300
LEARNT = date(2024, 1, 1)
DAYS = [LEARNT + timedelta(days=30 * n) for n in range(9)]
IDS = [f"c{n:03d}" for n in range(CUSTOMERS)]


def champion(stage: str, predict, *, learnt_until: date | None = LEARNT) -> Champion:
    return Champion(
        stage=stage, name=f"shop-{stage}", version=2, learnt_until=learnt_until, predict=predict
    )


def past_churn(store: Store, *, decays: bool) -> None:
    """Frequent customers stay; when it decays, in the last three months the others do."""
    rng = np.random.default_rng(1)
    frequency = np.tile(rng.integers(0, 2, CUSTOMERS), len(DAYS))
    table = pd.DataFrame({"customer_id": IDS * len(DAYS), "as_of": np.repeat(DAYS, CUSTOMERS)})
    late = table["as_of"] >= DAYS[-3]
    odds = np.where(frequency == 1, 0.2, 0.8)
    odds = np.where(late & decays, 1 - odds, odds)
    churned = rng.random(len(table)) < odds
    store.write("churn_past", table.assign(habit_silence=0.5, habit_yearly=0.0, churned=churned))
    blank = {
        column.name: "x" if column.dtype == "text" else 1
        for column in CONTRACTS["features"].columns[2:]
    }
    store.write("features", table.assign(**blank).assign(frequency=frequency))
    days = [day.isoformat() for day in DAYS]
    store.write_json(
        "data/features/snapshots.json",
        {"horizon_days": 30, "train": days[:1], "holdout": days[-1], "scoring": days[-1]},
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "params.yaml").touch()
    store = Store.open(tmp_path)
    calendar = {"first_day": "2023-01-01", "calibration_end": "2024-01-31", "as_of": "2024-12-31"}
    store.write_json("data/raw/dataset.json", {"name": "shop", "calendar": calendar})
    yield store
    store.close()


def told(store: Store, monkeypatch, *champions: Champion) -> list[review.ChampionHealth]:
    monkeypatch.setattr(review, "champions", lambda **_: list(champions))
    return review.champions_health(root=store.root)


def by_frequency(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"churn_probability": np.where(frame["frequency"] == 1, 0.2, 0.8)})


def test_a_churn_champion_that_decays_is_named_with_month_figure_and_remedy(store, monkeypatch):
    past_churn(store, decays=True)
    (found,) = told(store, monkeypatch, champion("churn", by_frequency))
    assert (found.name, found.version, found.decays) == ("shop-churn", 2, True)
    assert f"months until {DAYS[-1]}: it decays (the ROC AUC is 0." in found.sentence
    assert "refit: dvc repro --force churn" in found.sentence


def test_one_that_holds_is_left_in_peace(store, monkeypatch):
    past_churn(store, decays=False)
    (found,) = told(store, monkeypatch, champion("churn", by_frequency))
    assert not found.decays
    assert "it holds (" in found.sentence and "refit" not in found.sentence


def test_months_it_has_learnt_from_do_not_count(store, monkeypatch):
    past_churn(store, decays=True)
    late = champion("churn", by_frequency, learnt_until=DAYS[-2])
    (found,) = told(store, monkeypatch, late)
    assert not found.decays
    assert "outcome: 2; 6 are needed" in found.sentence


def test_a_champion_that_does_not_say_what_it_learnt_or_cannot_score(store, monkeypatch):
    past_churn(store, decays=False)

    def refuse(_: pd.DataFrame) -> pd.DataFrame:
        raise ValueError("a value of c001")

    silent, broken = told(
        store,
        monkeypatch,
        champion("churn", by_frequency, learnt_until=None),
        champion("churn", refuse),
    )
    assert "does not say what it learnt until" in silent.sentence and not silent.decays
    assert "cannot score past months (ValueError)" in broken.sentence and broken.decays
    assert "c001" not in broken.sentence


def test_value_is_held_against_the_month_after_each_month_end(store, monkeypatch):
    """Customers buy once in each month: in the last three twice as often as foretold."""
    days = pd.date_range("2023-01-15", "2024-12-31", freq="MS") + pd.Timedelta(days=9)
    extra = pd.date_range("2024-09-20", "2024-12-31", freq="MS") + pd.Timedelta(days=19)
    bought = [(who, day) for who in IDS[:60] for day in days.union(extra)]
    table = pd.DataFrame(bought, columns=["customer_id", "day"])
    store.write("purchase_days", table.assign(orders=1, net_amount=1.0, margin=1.0))
    asked = []

    def expected(frame: pd.DataFrame, *, horizon_days: float) -> pd.DataFrame:
        asked.append(horizon_days)
        return pd.DataFrame({"expected_purchases": 1.0}, index=frame.index)

    (found,) = told(store, monkeypatch, champion("clv", expected))
    assert sorted(set(asked)) == [29.0, 30.0, 31.0]
    assert found.decays
    assert "the total is off by -" in found.sentence


def test_response_is_held_against_orders_by_month(store, monkeypatch):
    days = np.repeat([date(2024, month, 3) for month in range(2, 12)], 40)
    contacts = pd.DataFrame({"contact_id": [f"k{n}" for n in range(400)], "day": days})
    contacts = contacts.assign(customer_id=contacts["contact_id"], propensity=0.5)
    contacts["treated"] = contacts.index % 2 == 0
    contacts["orders"] = np.where(contacts["treated"], 1.0, contacts.index % 4 == 1)
    contacts = contacts.assign(**dict.fromkeys(CONTACT_SIGNALS, 1.0))
    store.write("response_holdout", contacts)

    def effect(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"expected_orders": 0.5, "uplift": 0.5}, index=frame.index)

    (found,) = told(store, monkeypatch, champion("response", effect))
    assert not found.decays
    assert "until 2024-11-01: it holds (the total is off by +0.0%" in found.sentence
    store.write("response_holdout", empty_table(CONTRACTS["response_holdout"]))
    (found,) = told(store, monkeypatch, champion("response", effect))
    assert "outcome: 0; 6 are needed" in found.sentence


def test_models_without_months_to_follow_are_passed_over(store, monkeypatch):
    assert told(store, monkeypatch, champion("segmentation", by_frequency)) == []


def test_before_the_pipeline_has_run_the_remedy_is_the_pipeline(store, monkeypatch):
    with pytest.raises(FileNotFoundError, match="make pipeline"):
        told(store, monkeypatch, champion("churn", by_frequency))
