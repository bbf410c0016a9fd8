from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from customer360 import review
from customer360.contracts import CONTACT_SIGNALS, CONTRACTS
from customer360.storage import Store

CUSTOMERS = 40


def holdout(name: str, **columns) -> pd.DataFrame:
    contract = CONTRACTS[name]
    frame = pd.DataFrame({"customer_id": [f"c{n:03d}" for n in range(CUSTOMERS)][::-1]})
    for column in contract.columns[1:]:
        usual = date(2025, 3, 1) if column.dtype == "date" else 1
        frame[column.name] = columns.get(column.name, usual)
    return frame


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").touch()
    numbers = np.arange(CUSTOMERS)
    store = Store.open(tmp_path)
    store.write_json("data/raw/dataset.json", {"name": "shop"})
    store.write("churn_holdout", holdout("churn_holdout", churned=numbers % 2 == 0))
    store.write(
        "clv_holdout",
        holdout("clv_holdout", holdout_transactions=numbers, holdout_days=273.0),
    )
    store.write(
        "segmentation_holdout", holdout("segmentation_holdout", future_margin=numbers * 10.0)
    )
    store.close()
    return tmp_path


@pytest.fixture
def asked(root: Path, monkeypatch) -> dict:
    """What `review_models` hands to the registry."""
    seen: dict = {}

    def registry(**given):
        seen.update(given)
        return ["row"]

    monkeypatch.setattr(review, "review", registry)
    params = {"churn": {"seed": 1, "review": {"metric": "brier"}}, "clv": {}}
    seen["rows"] = review.review_models(root=root, params=params, promote=False)
    return seen


def test_every_model_is_held_against_what_happened(asked):
    assert asked["rows"] == ["row"]
    assert asked["dataset"] == "shop"
    assert asked["promote"] is False
    assert asked["thresholds"] == {"churn": {"metric": "brier"}, "clv": {}, "segmentation": {}}
    assert set(asked["holdouts"]) == {"churn", "clv", "segmentation"}
    for stage in asked["holdouts"].values():
        assert stage.inputs["customer_id"].is_monotonic_increasing
        assert len(stage.inputs) == len(stage.actual) == CUSTOMERS


def test_the_value_model_sees_neither_holdout_nor_its_own_horizon(asked):
    clv = asked["holdouts"]["clv"]
    assert "holdout_transactions" not in clv.inputs
    assert clv.predict_params == {"horizon_days": 273.0}


def test_what_is_measured(asked):
    stages = asked["holdouts"]
    churned = stages["churn"].actual["churned"]
    perfect = pd.DataFrame({"churn_probability": churned.astype(float)})
    churn = stages["churn"].measure(perfect, stages["churn"].actual)
    assert (churn["average_precision"], churn["brier"], churn["base_rate"]) == (1.0, 0.0, 0.5)

    bought = stages["clv"].actual["holdout_transactions"]
    double = pd.DataFrame({"expected_purchases": bought * 2.0})
    clv = stages["clv"].measure(double, stages["clv"].actual)
    assert clv["holdout_total_error"] == pytest.approx(1.0)
    assert clv["spearman_transactions"] == pytest.approx(1.0)
    assert clv["poisson_deviance"] > 0

    one = pd.DataFrame({"segment": np.zeros(CUSTOMERS, dtype=int)})
    segments = stages["segmentation"].measure(one, stages["segmentation"].actual)
    assert segments == {
        "segments": 1.0,
        "smallest_segment": float(CUSTOMERS),
        "value_variance_explained": pytest.approx(0.0),
        "random_variance_explained": pytest.approx(0.0),
    }


def test_the_text_model_is_held_against_the_scores_where_there_are_any(root: Path, monkeypatch):
    store = Store.open(root)
    score = [1.0, 2.0, 3.0, 5.0]
    store.write(
        "dissatisfaction_holdout",
        pd.DataFrame(
            {"customer_id": list("abcd"), "text": "x", "reason": "y", "score": score}
        ).assign(channel="mail"),
    )
    store.close()
    seen: dict = {}
    monkeypatch.setattr(review, "review", lambda **given: seen.update(given))
    review.review_models(root=root, params={}, promote=False)
    held = seen["holdouts"]["dissatisfaction"]
    assert list(held.inputs) == ["text", "reason", "channel"]
    perfect = pd.DataFrame({"dissatisfied_probability": held.actual["score"] <= 2})
    assert held.measure(perfect, held.actual)["survey_roc_auc"] == 1.0


def test_before_the_first_run_the_remedy_is_told(tmp_path: Path):
    (tmp_path / "params.yaml").touch()
    with pytest.raises(FileNotFoundError, match="make pipeline"):
        review.review_models(root=tmp_path, params={}, promote=True)


def test_intent_is_held_at_moments_of_the_past(root: Path, monkeypatch):
    store = Store.open(root)
    hits = pd.DataFrame(
        {"visitor_id": ["m1", "m0", "m1"], "buys_soon": [True, False, True], "kind": "page"}
    ).assign(at=pd.Timestamp("2025-01-01"), page=None, category=None, referrer=None, device=None)
    store.write("intent_holdout", hits)
    store.close()
    seen: dict = {}
    monkeypatch.setattr(review, "review", lambda **given: seen.update(given))
    review.review_models(root=root, params={}, promote=False)
    held = seen["holdouts"]["intent"]
    assert "buys_soon" not in held.inputs and len(held.inputs) == 3
    perfect = pd.DataFrame({"visitor_id": ["m1", "m0"], "soon_probability": [0.9, 0.1]})
    assert held.measure(perfect, held.actual)["soon_roc_auc"] == 1.0


def test_response_is_held_on_later_contacts(root: Path, monkeypatch):
    store = Store.open(root)
    contacts = pd.DataFrame(
        {"contact_id": [f"k{n}" for n in range(40)], "customer_id": "c1", "propensity": 0.5}
    ).assign(
        day=date(2025, 1, 1),
        treated=lambda t: t.index % 2 == 0,
        **dict.fromkeys(CONTACT_SIGNALS, 1.0),
    )
    # Only the first half orders because of it.
    contacts["orders"] = (contacts["treated"] & (contacts.index < 20)) * 1.0
    store.write("response_holdout", contacts)
    store.close()
    seen: dict = {}
    monkeypatch.setattr(review, "review", lambda **given: seen.update(given))
    review.review_models(root=root, params={}, promote=False)
    held = seen["holdouts"]["response"]
    assert list(held.inputs) == list(CONTACT_SIGNALS)
    told = pd.DataFrame({"uplift": held.actual["orders"]})
    assert held.measure(told, held.actual)["qini"] > 0.1
    assert held.measure(told * 0, held.actual)["qini"] == pytest.approx(0.0)
