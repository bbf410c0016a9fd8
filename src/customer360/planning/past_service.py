"""What the service would have said to the audience of past campaigns, knowing what came before.

The effect of a message is learnt from contacts whose outcome was known before the first
campaign replayed; each campaign then finds the service in the state of its eve.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.features.campaign_contacts import RESPONSE_DAYS, offers_made
from customer360.features.contact_signals import contact_signals
from customer360.linkage.engine_tables import as_arrow
from customer360.models.offer_scores import order_value, score_offers
from customer360.models.uplift import fit_uplift, is_tested
from customer360.planning.decide import decide, read_request
from customer360.planning.gate import NEEDS_ADDRESS, NEEDS_CONSENT
from customer360.planning.pressure import ContactRule
from customer360.planning.state import build_state

__all__ = ["NOTHING", "replay_campaigns"]

#: Arm of who was held out, and of who is told nothing.
NOTHING = "held_out"


def replay_campaigns(
    log: pd.DataFrame,
    *,
    since: Any,
    customers: Any,
    contacts: Any,
    rules: Sequence[ContactRule],
    cost_per_contact: dict[str, float],
    least_uplift_orders: float,
) -> pd.DataFrame | None:
    """Ask the service about every contact of the campaigns that began on a day or later.

    Parameters
    ----------
    log : pandas.DataFrame
        Rows of `campaign_contacts` with the `MOMENT_FEATURES` of their day.
    since : date
        First day replayed; what is learnt was over by then.
    customers, contacts : frame
        Contracts `customers` and `customer_contacts`. Whoever was in an audience had agreed
        and could be reached: today's consents are not looked at.
    rules : sequence of ContactRule
    cost_per_contact : dict of str to float, currency
        By channel.
    least_uplift_orders : float
        See `offer_scores.quadrant`.

    Returns
    -------
    pandas.DataFrame or None
        The rows replayed: customer_id, campaign_id, channel, arm (drawn), chosen (by the
        service), reward (margin of the two weeks less the cost of the message, currency) and
        expected_<arm> (currency). None where too little was held out before.
    """
    first = pd.Timestamp(since)
    begun = log.groupby("campaign_id")["day"].transform("min")
    past = log[log["day"] + pd.Timedelta(days=RESPONSE_DAYS) < first]
    replayed = log[begun >= first]
    if replayed.empty or not is_tested(past):
        return None
    model = fit_uplift(contact_signals(past), past)
    people, sent = _who_agreed(customers), as_arrow(contacts)
    parts = [
        _one_campaign(
            rows, model=model, past=past, people=people, contacts=sent, rules=rules,
            cost=cost_per_contact.get(str(channel), 0.0), least_uplift_orders=least_uplift_orders,
        )
        for (_, channel), rows in replayed.groupby(["campaign_id", "channel"])
    ]  # fmt: skip
    # What a campaign did not offer has no expectation there, and is never chosen.
    return pd.concat(parts, ignore_index=True)


def _who_agreed(customers: Any) -> pa.Table:
    table = as_arrow(customers)
    yes = pa.array(np.ones(table.num_rows, dtype=bool))
    for name in (*NEEDS_CONSENT.values(), *(f"reachable_{c}" for c in NEEDS_ADDRESS)):
        table = table.set_column(table.column_names.index(name), name, yes)
    place = table.column_names.index("preferred_channel")
    return table.set_column(place, "preferred_channel", pa.nulls(table.num_rows, pa.string()))


def _one_campaign(
    rows: pd.DataFrame,
    *,
    model: Any,
    past: pd.DataFrame,
    people: pa.Table,
    contacts: pa.Table,
    rules: Sequence[ContactRule],
    cost: float,
    least_uplift_orders: float,
) -> pd.DataFrame:
    channel, day = str(rows["channel"].iloc[0]), rows["day"].min()
    audience = rows.drop_duplicates("customer_id")
    made = offers_made(rows)
    scores = score_offers(
        audience,
        offers=made[made["channel"] == channel].assign(tested=True),
        receptiveness=None,
        uplift=model,
        least_uplift_orders=least_uplift_orders,
    )
    mine = pa.array(audience["customer_id"], pa.string())
    before = pc.and_(
        pc.is_in(contacts["customer_id"], value_set=mine),
        pc.less(contacts["at"], pa.scalar(day.to_pydatetime(), contacts["at"].type)),
    )
    state = build_state(
        as_of=day.date(),
        customers=people.filter(pc.is_in(people["customer_id"], value_set=mine)),
        contacts=contacts.filter(before),
        rules=rules,
        response_scores=scores,
        costs={channel: cost},
    )
    moment = datetime.combine(day.date(), time(12), UTC)
    asked = {c: {"customer_id": c, "channel": channel} for c in audience["customer_id"]}
    told = {
        customer: _first_offer(decide(state, read_request(request, moment=moment)))
        for customer, request in asked.items()
    }
    expected = scores.pivot(index="customer_id", columns="offer", values="expected_margin")
    orders = model.predict(contact_signals(audience))["expected_orders"]
    base = orders * order_value(audience)["margin"]
    usual = pd.Series(base.to_numpy(), index=audience["customer_id"])
    found = rows[["customer_id", "campaign_id", "channel"]].assign(
        arm=np.where(rows["treated"], rows["offer"], NOTHING),
        chosen=rows["customer_id"].map(told),
        reward=rows["margin"] - cost * rows["treated"],
    )
    found[f"expected_{NOTHING}"] = rows["customer_id"].map(usual)
    for offer in expected.columns:
        gain = expected[offer].reindex(usual.index)
        found[f"expected_{offer}"] = rows["customer_id"].map(usual + gain - cost)
    return found


def _first_offer(answer: dict[str, Any]) -> str:
    first = answer["actions"][0]
    return first["offer"] if first["action"] == "offer" else NOTHING
