"""A plan as campaigns: one folder for each goal, as a campaign manager loads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from customer360.contracts import GOALS
from customer360.handoff.files import CampaignFacts, CampaignFiles, prepare_campaign
from customer360.handoff.traps import TrapPoints

__all__ = ["prepare_goals"]

POPULATION = {
    "conversion": "Prospects and new customers, to be won",
    "cross_sell": "Active customers, offered something beside what they buy",
    "retention": "Customers who are likely to leave, to be kept",
    "win_back": "Inactive customers, to be won back",
}
TOLD = ["customer_id", "channel", "day", "offer", "amount", "category", "theme", "image",
        "decision_id"]  # fmt: skip


def prepare_goals(
    decisions: pd.DataFrame,
    *,
    goals: pd.DataFrame,
    control: pd.DataFrame,
    customers: pd.DataFrame,
    points: TrapPoints,
    key: bytes,
    as_of: date,
    valid_days: int,
    thresholds: Mapping[str, float],
    models: Mapping[str, Any],
) -> dict[str, CampaignFiles]:
    """The files of each goal's campaign, also of one that writes to nobody.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Contract `decisions`.
    goals : pandas.DataFrame
        customer_id, goal: of everybody, those left alone included.
    control : pandas.DataFrame
        customer_id: left alone on purpose.
    customers, points, key
        As `prepare_campaign` takes them.
    as_of : date
        Day of the plan.
    valid_days : int, days
        After that the lists must not be used.
    thresholds : mapping
        What decided, for the manifest.
    models : mapping
        Models behind the scores, for the manifest: `handover.models_used`.

    Returns
    -------
    dict of str to CampaignFiles
        By goal.
    """
    alone = goals.merge(control[["customer_id"]], on="customer_id")
    found = {}
    for goal in GOALS:
        messages = decisions[decisions["goal"] == goal]
        facts = CampaignFacts(
            campaign_id=f"{goal}_{as_of}",
            population=POPULATION[goal],
            made_on=as_of,
            expires_on=as_of + timedelta(days=valid_days),
            models=models,
            thresholds=thresholds,
            expected={
                "messages": len(messages),
                "margin": float(messages["expected_margin"].sum()),
                **_confirmed(messages),
                "cost": float(messages["cost"].sum()),
            },
        )
        found[goal] = prepare_campaign(
            facts=facts,
            plan=messages[TOLD],
            customers=customers,
            control=alone.loc[alone["goal"] == goal, ["customer_id"]],
            points=points,
            key=key,
        )
    return found


def _confirmed(messages: pd.DataFrame) -> dict[str, float]:
    """What past hold-outs confirm of the margin, where the plan says so."""
    name = "confirmed_margin"
    return {name: float(messages[name].sum())} if name in messages else {}
