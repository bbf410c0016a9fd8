"""What a plan would truly earn in a simulated world, and whether it kept the rules.

For evaluation only: no plan has seen these columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow
from customer360.planning.gate import NEEDS_ADDRESS, NEEDS_CONSENT
from customer360.planning.plan import Limits
from customer360.planning.pressure import ContactRule
from customer360.segmentation_evaluation import person_of_customer
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.messages import CONTENTS, THEMES
from customer360.worlds.demo.truth import content_appeal

__all__ = ["count_violations", "true_margins"]

RESPONSE_DAYS = 14


def true_margins(
    policies: dict[str, pd.DataFrame],
    *,
    uplift: Any,
    traits: Any,
    true_people: Any,
    people_links: Any,
    linked: Any,
    contacts: Any,
    as_of: date,
) -> dict[str, float]:
    """True incremental margin of several sets of messages, their cost deducted.

    A message adds the true effect of its channel and offer on its person, less what the
    messages before it have tired, by what its theme and picture say to that person, times
    the true margin of an order after the reduction. Without a theme contents go in turn.
    The reduction is also given on orders that would come anyway, by those who use it. A
    person known as two customers is moved once by the messages of a week; each of them costs.

    Parameters
    ----------
    policies : dict of str to pandas.DataFrame
        Messages by name: customer_id, slot, day, channel, offer_id, amount (share), cost,
        and theme and image where these were chosen.
    uplift, traits, true_people, people_links : frame
        Contracts `truth.uplift`, `truth.traits`, `truth.people`, `truth.people_links`.
    linked, contacts : frame
        Contracts `linked_records`, `customer_contacts`: whose messages these are, what was
        sent before, and how much of each channel arrives.
    as_of : date
        Day of the plan, on which the truth is told.

    Returns
    -------
    dict of str to float, currency
        By name; empty when the truth is not known.
    """
    with closing(connect()) as connection:
        tables = {"uplift": uplift, "traits": traits, "people": true_people, "contacts": contacts}
        tables["appeal"] = _appeals()
        tables |= {"person": person_of_customer(linked, people_links), "planned": _joined(policies)}
        for name, table in tables.items():
            connection.register(name, as_arrow(table))
        if not connection.sql("select count(*) from uplift").fetchall()[0][0]:
            return {}
        connection.execute(f"set variable as_of = date '{as_of}'; {_FACTS}")
        found = connection.execute(_JUDGED).fetchall()
    told = {name: float(margin) for name, margin in found}
    return {name: told.get(name, 0.0) for name in policies}


def _joined(policies: dict[str, pd.DataFrame]) -> pd.DataFrame:
    said = ["theme", "image"]
    names = ["customer_id", "slot", "day", "channel", "offer_id", "amount", "cost", *said]
    tables = [table.reindex(columns=names).assign(policy=name) for name, table in policies.items()]
    return pd.concat([table.astype(dict.fromkeys(said, "str")) for table in tables])


def _appeals() -> pd.DataFrame:
    """By the theme that a person likes, what each content does, and all of them in turn."""
    factor = content_appeal(THEMES)
    named = pd.DataFrame(np.tile(CONTENTS, (len(THEMES), 1)), columns=["theme", "image"])
    named = named.assign(liked=np.repeat(THEMES, len(CONTENTS)), appeal=factor.ravel())
    in_turn = pd.DataFrame({"liked": THEMES, "appeal": factor.mean(axis=1)})
    return pd.concat([named, in_turn], ignore_index=True)


_LAWS = Laws()
_EFFECT, _DAYS = _LAWS.fatigue_effect, _LAWS.fatigue_days
# What each person is like, what was sent to it lately, and how much of a channel arrives.
_FACTS = f"""
    create temp table effects as
        unpivot (select * from uplift) on columns('effect_.*') into name offer value effect;
    create temp table facts as
        select person_id, theme as liked, margin_per_order, revenue_per_order, push,
            {_LAWS.redeemed} + {_LAWS.redeemed_by_lovers} * promo_affinity as redeems,
            case when left_on is null or left_on > getvariable('as_of')
                then purchase_rate * {RESPONSE_DAYS} / 365.25 else 0 end as coming
        from traits join people using (person_id);
    create temp table arrives as
        select channel, count(distinct contact_id) filter (event = 'delivered')
            / count(distinct contact_id) filter (event = 'sent') as share
        from contacts group by channel having bool_or(event = 'sent');
    create temp table before as
        select customer_id, sum(exp(-(date_diff('day', "at"::date, getvariable('as_of')))
            / {_DAYS})) as tired
        from contacts where event = 'delivered' and "at"::date <= getvariable('as_of')
        group by customer_id
"""
# Fatigue: earlier messages, fading; the effect of an offer not tested is that of none.
_JUDGED = f"""
    with tired as (
        select a.policy, a.customer_id, a.slot,
            coalesce(any_value(b.tired) * exp(-any_value(a.day - f.first) / {_DAYS}), 0)
            + coalesce(sum(exp(-(a.day - e.day) / {_DAYS})), 0) as tired
        from planned a cross join (select min(day) as first from planned) f
        left join before b using (customer_id)
        left join planned e
            on e.policy = a.policy and e.customer_id = a.customer_id and e.day < a.day
        group by all),
    moved as (
        select p.*, t.tired, n.person_id, coalesce(s.share, 1) as share,
            row_number() over (partition by policy, coalesce(n.person_id, customer_id), slot
                               order by customer_id) as turn
        from planned p join tired t using (policy, customer_id, slot)
        left join person n using (customer_id) left join arrives s using (channel)),
    valued as (
        select m.*, f.*, coalesce(e.effect, z.effect, 0) as effect, a.appeal,
            case when coalesce(z.effect, 0) <> 0 then f.push * f.coming else 0 end as taken
        from moved m left join facts f using (person_id)
        left join appeal a on a.liked = f.liked and a.theme is not distinct from m.theme
            and a.image is not distinct from m.image
        left join effects e on e.person_id = m.person_id and e.channel = m.channel
            and e.offer = 'effect_' || m.offer_id
        left join effects z on z.person_id = m.person_id and z.channel = m.channel
            and z.offer = 'effect_none')
    select policy, sum(case when turn = 1 and margin_per_order is not null then share * (
            ((effect + taken) * appeal * exp(-{_EFFECT} * tired) - taken)
                * (margin_per_order - amount * revenue_per_order)
            - amount * revenue_per_order * coming * redeems) else 0 end - cost)
    from valued group by policy order by policy
"""


def count_violations(
    decisions: pd.DataFrame,
    *,
    customers: pd.DataFrame,
    contacts: Any,
    rules: Sequence[ContactRule],
    limits: Limits,
    control: pd.DataFrame,
    retention_days: int | None = None,
) -> dict[str, int]:
    """Messages that break a rule or a limit, counted without the gate.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Contract `decisions`.
    customers : pandas.DataFrame
        Contract `customers`.
    contacts : frame
        Contract `customer_contacts`.
    rules, limits, retention_days
        What had to be kept.
    control : pandas.DataFrame
        customer_id: who had to be left alone.

    Returns
    -------
    dict of str to int
        Messages by what they break: consent, address, preference, retention, control, twice,
        pressure, budget, capacity. Zero everywhere, if the plan is right.
    """
    who = decisions.merge(customers, on="customer_id", how="left", suffixes=("", "_known"))
    day = pd.to_datetime(who["day"])
    direct = who["channel"].isin(NEEDS_CONSENT)
    agreed, works = ~direct, ~who["channel"].isin(NEEDS_ADDRESS)
    for channel, consent in NEEDS_CONSENT.items():
        agreed |= (who["channel"] == channel) & who[consent].fillna(False).astype(bool)
    for channel in NEEDS_ADDRESS:
        reached = who[f"reachable_{channel}"].fillna(False).astype(bool)
        works |= (who["channel"] == channel) & reached
    asked = who["preferred_channel"]
    last = who[["last_order_at", "updated_at"]].max(axis=1).dt.normalize()
    too_old = (
        pd.Series(False, index=who.index)
        if retention_days is None
        else ~((day - last).dt.days <= retention_days)
    )
    spent = decisions["cost"].sum()
    goals = decisions.groupby("goal")["cost"].sum()
    sent = decisions.groupby(["channel", "slot"]).size()
    most = sent.index.get_level_values("channel").map(
        lambda c: limits.channel_capacity.get(c, float("inf"))
    )
    over = [spent > (limits.budget if limits.budget is not None else float("inf")) + 1e-4]
    over += [goals.get(g, 0.0) > most_ + 1e-4 for g, most_ in limits.goal_budgets.items()]
    return {
        "consent": int((~agreed).sum()),
        "address": int((~works).sum()),
        "preference": int((asked.notna() & direct & (asked != who["channel"])).sum()),
        "retention": int(too_old.sum()),
        "control": int(decisions["customer_id"].isin(control["customer_id"]).sum()),
        "twice": int(decisions.duplicated(["customer_id", "slot"]).sum()),
        "pressure": sum(_too_many(decisions, contacts, rule) for rule in rules),
        "budget": sum(map(int, over)),
        "capacity": int((sent.to_numpy() > most.to_numpy(dtype=float)).sum()),
    }


def _too_many(decisions: pd.DataFrame, contacts: Any, rule: ContactRule) -> int:
    """Planned messages in a run of days that holds more than the rule allows."""
    ours = decisions.assign(day=pd.to_datetime(decisions["day"]), planned=1)
    with closing(connect()) as connection:
        connection.register("contacts", as_arrow(contacts))
        connection.register("ours", as_arrow(ours[["customer_id"]].drop_duplicates()))
        past = connection.sql(
            """select customer_id, min(channel) as channel, min("at")::date::timestamp as day,
                0 as planned
            from contacts semi join ours using (customer_id) where event <> 'held_out'
            group by customer_id, contact_id"""
        ).df()
    both = pd.concat([past, ours[["customer_id", "channel", "day", "planned"]]])
    if rule.channel is not None:
        both = both[both["channel"] == rule.channel]
    both = both.sort_values(["customer_id", "day", "planned"], ignore_index=True)
    if rule.at_most == 0:
        return int(both["planned"].sum())
    # The message `at_most` places before must be at least a window away.
    first = both.groupby("customer_id").shift(rule.at_most)
    near = both["day"] - first["day"] < timedelta(days=rule.window_days)
    planned = both["planned"].rolling(rule.at_most + 1, min_periods=1).sum() > 0
    return int((near & planned).sum())
