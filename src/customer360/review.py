"""What a review measures: challenger and champion on the holdout of the last run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from customer360.contracts import CONTACT_SIGNALS
from customer360.evaluation import (
    classification_metrics,
    poisson_deviance,
    qini,
    qini_curve,
    spearman,
)
from customer360.models.dissatisfaction import DISSATISFIED_AT_MOST
from customer360.segmentation.profiles import segment_quality
from customer360.storage import Store
from customer360.tracking import Holdout, ReviewRow, review

__all__ = ["review_models"]


def review_models(*, root: Path, params: Mapping[str, Any], promote: bool) -> list[ReviewRow]:
    """Hold every challenger of the current dataset against its champion.

    Parameters
    ----------
    root : Path
        Project folder.
    params : mapping
        Content of params.yaml; the conditions stand in `<stage>.review`.
    promote : bool
        Move the alias `champion` to a challenger that passes.

    Returns
    -------
    list of ReviewRow

    Raises
    ------
    FileNotFoundError
        When the pipeline has not run yet.
    """
    store = Store.open(root)
    try:
        churn = store.read("churn_holdout").order("customer_id").df()
        clv = store.read("clv_holdout").order("customer_id").df()
        segments = store.read("segmentation_holdout").order("customer_id").df()
        dataset = store.dataset()["name"]
        texts = _read_if_there(store, "dissatisfaction_holdout")
        visits = _read_if_there(store, "intent_holdout")
        contacts = _read_if_there(store, "response_holdout")
    finally:
        store.close()
    holdouts = {
        "churn": Holdout(inputs=churn, actual=churn[["churned"]], measure=_measure_churn),
        "clv": Holdout(
            inputs=clv[["customer_id", "frequency", "recency_days", "T_days", "monetary_value"]],
            actual=clv[["holdout_transactions"]],
            measure=_measure_clv,
            # Champion and challenger may value another horizon: here both say the holdout's.
            predict_params={"horizon_days": float(clv["holdout_days"].iloc[0])},
        ),
        "segmentation": Holdout(
            inputs=segments, actual=segments[["future_margin"]], measure=_measure_segments
        ),
    }
    if texts is not None and len(texts):
        holdouts["dissatisfaction"] = Holdout(
            inputs=texts[["text", "reason", "channel"]],
            actual=texts[["score"]],
            measure=_measure_dissatisfaction,
        )
    if visits is not None and len(visits):
        holdouts["intent"] = Holdout(
            inputs=visits.drop(columns="buys_soon"),
            # Both are told by moment, in the same order.
            actual=visits.groupby("visitor_id")[["buys_soon"]].first(),
            measure=_measure_intent,
        )
    if contacts is not None and len(contacts):
        holdouts["response"] = Holdout(
            inputs=contacts[list(CONTACT_SIGNALS)],
            actual=contacts[["treated", "propensity", "orders"]],
            measure=_measure_response,
        )
    thresholds = {stage: params.get(stage, {}).get("review", {}) for stage in holdouts}
    return review(
        root=root, dataset=dataset, thresholds=thresholds, holdouts=holdouts, promote=promote
    )


def _measure_churn(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    return classification_metrics(actual["churned"], prediction["churn_probability"])


def _measure_clv(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    bought, expected = actual["holdout_transactions"], prediction["expected_purchases"]
    return {
        "poisson_deviance": poisson_deviance(bought, expected),
        "spearman_transactions": spearman(bought, expected),
        "holdout_total_error": float(expected.sum() / max(bought.sum(), 1) - 1),
    }


def _measure_segments(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    return segment_quality(prediction["segment"], actual["future_margin"])


def _measure_dissatisfaction(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    return classification_metrics(
        actual["score"] <= DISSATISFIED_AT_MOST,
        prediction["dissatisfied_probability"],
        prefix="survey_",
    )


def _measure_intent(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    ranked = prediction.sort_values("visitor_id")["soon_probability"]
    return classification_metrics(actual["buys_soon"], ranked, prefix="soon_")


def _measure_response(prediction: pd.DataFrame, actual: pd.DataFrame) -> dict[str, float]:
    curve = qini_curve(
        actual["orders"], actual["treated"], actual["propensity"], score=prediction["uplift"]
    )
    return {"qini": qini(curve)}


def _read_if_there(store: Store, name: str) -> pd.DataFrame | None:
    """A table of a stage that not every dataset can run."""
    return store.read(name).df() if store.path(name).is_file() else None
