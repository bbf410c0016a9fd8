"""What a review measures: challenger and champion on the holdout of the last run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from customer360.features.btyd_summary import month_ahead, summarise_purchases
from customer360.features.campaign_contacts import RESPONSE_DAYS
from customer360.model_health import decay_in_words, judge_decay, model_health
from customer360.models.dissatisfaction import DISSATISFIED_AT_MOST
from customer360.models.value_history import month_ends
from customer360.segmentation.profiles import segment_quality
from customer360.storage import Store
from customer360.tracking import Champion, Holdout, ReviewRow, champions, review

__all__ = ["ChampionHealth", "champions_health", "review_models"]


@dataclass(frozen=True)
class ChampionHealth:
    """Whether a champion still holds: `sentence` says so in words, with the remedy."""

    stage: str
    name: str
    version: int
    decays: bool
    sentence: str


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


def champions_health(*, root: Path) -> list[ChampionHealth]:
    """Score past months with every champion that can be followed, and say which decay.

    Parameters
    ----------
    root : Path
        Project folder.

    Returns
    -------
    list of ChampionHealth
        Of churn, value and response, where there is a champion and outcomes are known.
    """
    store = Store.open(root)
    try:
        followed = champions(root=root, dataset=store.dataset()["name"])
        return [_health_of(c, store) for c in followed if c.stage in _CASES]
    finally:
        store.close()


def _health_of(champion: Champion, store: Store) -> ChampionHealth:
    def told(decays: bool, sentence: str) -> ChampionHealth:
        who = champion.stage, champion.name, champion.version
        return ChampionHealth(*who, decays=decays, sentence=sentence)

    remedy = f"refit: dvc repro --force {champion.stage}, then customer360 review"
    if champion.learnt_until is None:
        return told(False, f"its run does not say what it learnt until: {remedy}")
    try:
        cases, horizon_days = _CASES[champion.stage](store, champion)
    except FileNotFoundError:  # the pipeline has not run yet: no fault of the champion
        raise
    except Exception as error:  # a champion of other features: no reason to stop the review
        return told(True, f"cannot score past months ({type(error).__name__}): {remedy}")
    health = model_health(
        cases,
        model=champion.stage,
        learnt_until=champion.learnt_until,
        horizon_days=horizon_days,
    )
    verdict = judge_decay(health)
    decays = bool(verdict["decays"].any())
    months = f"months until {health['as_of'].max()}: " if len(health) else ""
    words = months + decay_in_words(verdict)
    return told(decays, f"{words}; {remedy}" if decays else words)


def _churn_cases(store: Store, champion: Champion) -> tuple[pd.DataFrame, int]:
    """The probability to leave on past days, and who left."""
    past = store.read("churn_past").df()
    known = past.merge(store.read("features").df(), on=["customer_id", "as_of"])
    told = champion.predict(known)["churn_probability"]
    cases = known[["customer_id", "as_of"]].assign(predicted=told, actual=known["churned"])
    return cases, store.snapshots().horizon_days


def _clv_cases(store: Store, champion: Champion) -> tuple[pd.DataFrame, int]:
    """Purchases expected of the month after each month end, and those made."""
    days, calendar = store.read("purchase_days").df(), store.calendar()
    ends = month_ends(first=calendar.first_day, as_of=calendar.as_of)
    states = [summarise_purchases(days, until=end).assign(as_of=end) for end in ends]
    ahead = month_ahead(pd.concat(states), purchase_days=days, until=calendar.as_of)
    reads = ["customer_id", "frequency", "recency_days", "T_days", "monetary_value"]
    told = [
        champion.predict(part[reads], horizon_days=float(part["days_ahead"].iloc[0]))
        for _, part in ahead.groupby("days_ahead")
    ]
    expected = pd.concat(told)["expected_purchases"] if told else 0.0
    return ahead.assign(predicted=expected), 30


def _response_cases(store: Store, champion: Champion) -> tuple[pd.DataFrame, int]:
    """Orders expected after each contact of the holdout, by month, and those made."""
    contacts = store.read("response_holdout").df()
    if contacts.empty:
        return pd.DataFrame(columns=["customer_id", "as_of", "predicted", "actual"]), RESPONSE_DAYS
    told = champion.predict(contacts[list(CONTACT_SIGNALS)])
    cases = contacts[["customer_id"]].assign(
        as_of=contacts["day"].dt.to_period("M").dt.start_time,
        predicted=told["expected_orders"] + told["uplift"] * contacts["treated"],
        actual=contacts["orders"],
    )
    return cases, RESPONSE_DAYS


_CASES: dict[str, Callable[[Store, Champion], tuple[pd.DataFrame, int]]] = {
    "churn": _churn_cases,
    "clv": _clv_cases,
    "response": _response_cases,
}


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
