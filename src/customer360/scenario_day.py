"""A day of scenarios: read what it needs, hand its lists over, remember what was sent.

What was sent is kept in `data/scenarios`, a file a day: the contacts come back from the
tools only days later, and nobody must be written to twice in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from customer360.handoff.files import CampaignFacts, prepare_campaign
from customer360.handoff.keys import DEMO_KEY, derive_key
from customer360.handoff.traps import HandoffError, TrapPoints
from customer360.handover import hand_over
from customer360.planning.occasions import TABLES
from customer360.planning.scenario_rules import ScenarioRules
from customer360.planning.scenarios import CONTROL
from customer360.report import campaign_brief
from customer360.storage import Store, write_text

__all__ = ["hand_over_day", "past_actions", "scenario_tables"]

SENT = "data/scenarios"
LISTS = "data/handoff/scenarios"


def scenario_tables(store: Store) -> dict[str, Any]:
    """The tables that scenarios look at, lazily."""
    return {name: store.read(name) for name in (*TABLES, "customers", "customer_contacts")}


def past_actions(store: Store, *, before: date) -> pd.DataFrame | None:
    """What earlier days sent, or would have sent to the control group; None for nothing."""
    days = sorted((store.root / SENT).glob("*.csv"))
    frames = [
        store.read_csv(f"{SENT}/{path.name}") for path in days if path.stem < before.isoformat()
    ]
    if not frames:
        return None
    return pd.concat(frames, ignore_index=True)


def hand_over_day(
    store: Store,
    actions: pd.DataFrame,
    *,
    at: date,
    rules: ScenarioRules,
    dataset: Mapping[str, Any],
) -> Path:
    """Write the lists of one day, their brief, and what was sent.

    Parameters
    ----------
    store : Store
    actions : pandas.DataFrame
        From `dry_run` of that day.
    at : date
    rules : ScenarioRules
    dataset : mapping
        Facts about it: name, currency, country.

    Returns
    -------
    Path
        Folder of the lists.

    Raises
    ------
    HandoffError
        When a list must not leave. Nothing is written.
    """
    plan = actions[actions["stopped_by"].isna()]
    left = actions[actions["stopped_by"] == CONTROL]
    ids = sorted({*plan["customer_id"], *left["customer_id"]})
    people = nw.from_native(store.read("customers")).filter(nw.col("customer_id").is_in(ids))
    traps = dict(rules.traps)
    if not traps:
        raise HandoffError(
            "scenarios.yaml does not say where messages to trap addresses arrive; write `traps:` "
            "with email_domain, street, postcode, city and phones of the brand"
        )
    made = prepare_campaign(
        facts=CampaignFacts(
            campaign_id=f"scenarios-{at}",
            population=f"What goes out by itself on {at}: " + _names(plan),
            made_on=at,
            expires_on=at + timedelta(days=rules.expires_days),
            expected={"messages": len(plan)},
        ),
        plan=plan[["customer_id", "channel", "scenario", "content", "day"]],
        customers=nw.to_native(people).df(),
        control=left[["customer_id", "scenario"]],
        points=TrapPoints(**{**traps, "phones": tuple(traps.get("phones", ()))}),
        key=derive_key(store.secret("handoff", demo=DEMO_KEY), purpose="traps"),
        region=dataset["country"],
    )
    kinds = plan["scenario"].str.replace("_", " ").rename("segment")
    counts = plan.groupby([kinds, "channel"]).size().reset_index(name="messages")
    brief = campaign_brief(
        json.loads(made.files["manifest.json"]),
        dataset=dataset["name"],
        currency=dataset["currency"],
        counts=counts,
        starts_on=at,
    )
    folder = hand_over(store, made, folder=f"{LISTS}/{at}", brief=brief)
    sent = pd.concat([plan, left]).sort_values(["customer_id", "scenario"])
    write_text(store.root / SENT / f"{at}.csv", sent.to_csv(index=False, lineterminator="\n"))
    return folder


def _names(plan: pd.DataFrame) -> str:
    names = plan.sort_values("priority")["scenario"].unique()
    return ", ".join(name.replace("_", " ") for name in names) or "nothing"
