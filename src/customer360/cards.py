"""The model cards of segmentation, churn and value: what a reviewer signs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from customer360.model_card import render_card
from customer360.periods import Calendar, Snapshots

__all__ = [
    "churn_card",
    "clv_card",
    "dissatisfaction_card",
    "intent_card",
    "next_best_action_card",
    "response_card",
    "segmentation_card",
]


def next_best_action_card(*, dataset: str, as_of: date, metrics: Mapping[str, float]) -> str:
    """Card of the decision service: nothing is learnt in it, so no challenger is judged."""
    return render_card(
        title=f"Next best action of {dataset}",
        purpose="What to say to whoever comes now, on every channel, and what must not be said.",
        data_window=f"state of {as_of}",
        population=f"{metrics['customers']:,.0f} customers, and visitors whom nobody knows yet",
        intended_use=["the web page", "the adviser's screen", "a message that is due"],
        not_for=["prices that differ by channel", "refusing service"],
        metrics=metrics,
        baselines={},
        slices=None,
        limits=[
            "what it offered counts as messages once its log is handed in",
            "offers to strangers were never tested: none is made",
            "an older version still knows who was erased since: serve the newest",
        ],
        thresholds=None,
        expiry="the next run of the pipeline",
    )


def segmentation_card(
    *,
    dataset: str,
    calendar: Calendar,
    metrics: Mapping[str, float],
    profile: pd.DataFrame,
    review: Mapping[str, Any],
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """Card of the micro-segments; `profile` comes from `profile_segments`."""
    return render_card(
        title=f"Micro-segments of {dataset}",
        purpose="Group customers who buy alike, for audiences and service levels.",
        data_window=f"{calendar.first_day} to {calendar.as_of}",
        population=f"{profile['customers'].sum():,} customers with at least one purchase",
        intended_use=["choose audiences and messages", "read the portfolio by group"],
        not_for=["a decision on one person", "credit or price"],
        metrics=metrics,
        baselines={},
        intervals=intervals,
        slices=profile[["segment_name", "customers", "margin"]],
        limits=["k-means on seven purchase traits; no web, text or demographics"],
        thresholds=review,
        expiry="one horizon after the last day known",
    )


def churn_card(
    *,
    dataset: str,
    calendar: Calendar,
    snapshots: Snapshots,
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    slices: pd.DataFrame | None,
    review: Mapping[str, Any],
) -> str:
    """Card of the churn model; `slices` has a group, `customers` and measures."""
    horizon = snapshots.horizon_days
    return render_card(
        title=f"Churn of {dataset}",
        purpose=f"Probability that an active customer buys nothing in {horizon} days.",
        data_window=f"{calendar.first_day} to {calendar.as_of}; judged on {snapshots.holdout}",
        population=f"customers who bought within {2 * horizon} days",
        intended_use=["rank customers for retention", "expect how many leave"],
        not_for=["whom a message would keep: that needs a randomised test", "refusing service"],
        metrics={
            k: v for k, v in metrics.items() if not k.startswith(("recency_", "palive_", "habit_"))
        },
        baselines={
            "habits alone": _part(metrics, "habit_"),
            "recency alone": _part(metrics, "recency_"),
            "P(alive)": _part(metrics, "palive_"),
        },
        intervals=intervals,
        slices=slices,
        limits=[
            "one holdout window; seasons beyond it are not tested",
            "somebody whose records are not all linked looks like several who leave early",
            "a history below a year and a half cannot tell a yearly rhythm from leaving",
        ],
        thresholds=review,
        expiry=f"{horizon} days after {calendar.as_of}",
    )


def clv_card(
    *,
    dataset: str,
    calendar: Calendar,
    customers: int,
    horizon_days: int,
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    slices: pd.DataFrame,
    review: Mapping[str, Any],
) -> str:
    """Card of the value model; `slices` has a group, `customers` and purchases of each."""
    return render_card(
        title=f"Customer value of {dataset}",
        purpose=f"Discounted margin less cost over the next {horizon_days} days.",
        data_window=_window(calendar),
        population=f"{customers:,} customers with at least one purchase",
        intended_use=["rank customers by value", "budgets by segment", "value of the portfolio"],
        not_for=["the answer of one customer to one offer", "planning by season"],
        metrics={k: v for k, v in metrics.items() if not k.startswith("naive_")},
        baselines={"own past rate": _part(metrics, "naive_")},
        intervals=intervals,
        slices=slices,
        limits=[
            "no season and no trend: rates are constant while a customer is alive",
            "trees move value between customers, on one past window; the total is the model's",
        ],
        thresholds=review,
        expiry=f"{horizon_days} days after {calendar.as_of}",
    )


def dissatisfaction_card(
    *,
    dataset: str,
    calendar: Calendar,
    conversations: int,
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    slices: pd.DataFrame,
    review: Mapping[str, Any],
) -> str:
    """Card of the text model; `slices` has a reason, `customers` (answers) and measures."""
    return render_card(
        title=f"Dissatisfaction of {dataset}",
        purpose="Probability that a conversation leaves a customer dissatisfied (CSAT 1 or 2).",
        data_window=_window(calendar),
        population=f"{conversations:,} conversations, of which some were answered by a survey",
        intended_use=["call back those who are cross", "follow dissatisfaction by reason and time"],
        not_for=["judging an adviser", "refusing service", "languages other than French"],
        metrics=metrics,
        intervals=intervals,
        baselines={},
        slices=slices,
        limits=[
            "irony and politeness are mostly read as they sound",
            "answers are weighed by who answers as far as the text tells it, not beyond",
        ],
        thresholds=review,
        expiry="one year after the last day known, or when the drift index passes 0.25",
    )


def intent_card(
    *,
    dataset: str,
    calendar: Calendar,
    moments: int,
    horizon_days: int,
    metrics: Mapping[str, float],
    slices: pd.DataFrame,
    review: Mapping[str, Any],
) -> str:
    """Card of the model of intent; `slices` has a source of traffic and measures."""
    return render_card(
        title=f"Intent of anonymous visitors of {dataset}",
        purpose=(
            "Chance of an order in this visit and within "
            f"{horizon_days} days, and the category it would be for."
        ),
        data_window=_window(calendar),
        population="visitors of the site on whose device nobody has logged in yet; "
        f"judged at {moments:,} moments, one a visit",
        intended_use=["help or offer on the page", "what to show first", "whom not to discount"],
        not_for=["recognising a person", "prices that differ by visitor"],
        metrics={k: v for k, v in metrics.items() if not k.startswith(("carts_", "hits_"))},
        baselines={
            "something in the cart lately": _part(metrics, "carts_"),
            "hits of the last ten days": _part(metrics, "hits_"),
        },
        slices=slices,
        limits=[
            "an order on another device, or in a shop, is not seen",
            "a visitor who clears cookies starts anew",
        ],
        thresholds=review,
        expiry="one year after the last day known, or when pages of the site change",
    )


def response_card(
    *,
    dataset: str,
    calendar: Calendar,
    contacts: int,
    response_days: int,
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    slices: pd.DataFrame,
    review: Mapping[str, Any],
) -> str:
    """Card of the model of uplift; `slices` has a channel and measures."""
    return render_card(
        title=f"Response of {dataset}",
        purpose=f"Extra orders within {response_days} days because of a contact, and orders "
        "expected anyway, by channel and offer.",
        data_window=_window(calendar),
        population=f"customers of {contacts:,} contacts sent or held out at random",
        intended_use=["whom to contact, with what", "whom to leave alone", "size of a reduction"],
        not_for=["prices that differ by person", "channels without a hold-out"],
        metrics={k: v for k, v in metrics.items() if not k.startswith("propensity_")},
        baselines={"ranked by propensity": _part(metrics, "propensity_")},
        intervals=intervals,
        slices=slices,
        limits=[
            "an interval is that of the mean effect on customers alike, not of one customer",
            "effects beyond the two weeks, and orders brought forward, are not seen",
            "no theme or picture is told apart",
        ],
        thresholds=review,
        expiry="one year after the last day known, or when drift of the signals passes 0.25",
    )


def _window(calendar: Calendar) -> str:
    return f"{calendar.first_day} to {calendar.as_of}; judged after {calendar.calibration_end}"


def _part(metrics: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {k.removeprefix(prefix): v for k, v in metrics.items() if k.startswith(prefix)}
