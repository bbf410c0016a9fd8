"""The plan of the next weeks: gate, choice under the limits, day of each, gate again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from customer360.linkage.engine_tables import as_arrow
from customer360.planning.gate import pass_gate
from customer360.planning.plan import Limits, Plan, plan_contacts
from customer360.planning.pressure import ContactRule

__all__ = [
    "CampaignPlan",
    "cap_prices",
    "gap_to_exact",
    "left_out",
    "past_costs",
    "past_spend",
    "plan_campaigns",
    "price_in_words",
]

# Customers on whom the price of money is sought before the plan.
PRICED = 2_000
CONTROL, NOTHING_PAYS, NO_PLACE = (
    "left alone on purpose, to measure",
    "no message is worth its cost",
    "others earn more within the limits",
)


@dataclass(frozen=True)
class CampaignPlan:
    """What goes to whom, and what did not.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Contract `decisions`.
    plan : Plan
        With the prices of the limits.
    open : pandas.DataFrame
        Candidates that passed the gate, among which the plan chose.
    stopped : pandas.DataFrame
        customer_id, reason: customers of whom no candidate passed, and what stopped most.
    """

    decisions: pd.DataFrame
    plan: Plan
    open: pd.DataFrame
    stopped: pd.DataFrame


def plan_campaigns(
    candidates: Any,
    *,
    customers: Any,
    contacts: Any,
    as_of: date,
    rules: Sequence[ContactRule],
    limits: Limits,
    explored_share: float = 0.0,
    retention_days: int | None = None,
    owned: Any | None = None,
    seed: int = 360,
) -> CampaignPlan:
    """Choose the messages of the next weeks.

    Parameters
    ----------
    candidates : frame
        From `make_candidates`, without the control group.
    customers, contacts : frame
        Contracts `customers`, `customer_contacts`.
    as_of : date
        Day of the plan.
    rules, limits, retention_days, owned
        As `pass_gate` and `plan_contacts` take them.
    explored_share : float
        Share of the customers of each goal who get a message at random.
    seed : int

    Returns
    -------
    CampaignPlan

    Notes
    -----
    The weeks are planned by their first days, then messages are spread over the weeks. A
    customer's messages all move by the same days, to its habit, so they keep their distance
    from each other; from older ones it grows. The last gate looks at the days as they are.
    """
    asked = {"customers": customers, "contacts": contacts, "rules": rules, "owned": owned,
             "retention_days": retention_days}  # fmt: skip
    gated = pass_gate(candidates, **asked, together=False)
    kept = gated.kept.to_pandas()
    some, fewer = _sample(kept, limits, sample=PRICED, seed=seed)
    euro = _price_of_money(some, limits=fewer, rules=rules, contacts=contacts)
    # Nobody is to learn by calls that the money cannot pay; half, as a sample tells it.
    kept = kept[kept["expected_margin"] + kept["doubt"] > euro / 2 * kept["cost"]]
    groups = kept.drop_duplicates("customer_id")[["customer_id", "goal"]]
    plan = plan_contacts(
        kept.rename(columns={"day": "habit_day", "week": "day"}),
        limits=limits,
        rules=rules,
        contacts=contacts,
        groups=groups.rename(columns={"goal": "group"}),
        explored_share=dict.fromkeys(sorted(groups["goal"].unique()), explored_share),
        seed=seed,
    )
    messages = plan.messages.drop(columns="day").rename(columns={"habit_day": "day"})
    spread = _spread(messages, weeks=int(kept["slot"].max() if len(kept) else 0), limits=limits)
    stopped = pass_gate(spread, **asked, together=True).stopped["customer_id"].to_pylist()
    spread = spread.where(~spread["customer_id"].isin(stopped), messages)
    sent = pass_gate(spread, **asked, together=True).kept.to_pandas()
    return CampaignPlan(
        decisions=_decisions(sent, as_of=as_of),
        plan=replace(plan, prices=_used(plan.prices, sent)),
        open=kept,
        stopped=_stopped(gated.stopped, kept),
    )


def _sample(
    open_to: pd.DataFrame, limits: Limits, *, sample: int, seed: int
) -> tuple[pd.DataFrame, Limits]:
    """What may earn something of a sample of customers, and its share of the limits."""
    persons = np.sort(open_to["customer_id"].unique())
    rng = np.random.default_rng(seed)
    some = persons if len(persons) <= sample else rng.choice(persons, sample, replace=False)
    share = len(some) / max(len(persons), 1)
    fewer = Limits(
        budget=None if limits.budget is None else limits.budget * share,
        goal_budgets={goal: most * share for goal, most in limits.goal_budgets.items()},
        channel_capacity={c: int(most * share) for c, most in limits.channel_capacity.items()},
    )
    few = open_to[open_to["customer_id"].isin(some) & (open_to["expected_margin"] > 0)]
    # Of two offers that cost the same, the better one is always chosen.
    few = few.sort_values("expected_margin", kind="stable").drop_duplicates(
        ["customer_id", "slot", "channel", "goal"], keep="last"
    )
    return few.drop(columns="day").rename(columns={"week": "day"}), fewer


def _price_of_money(few: pd.DataFrame, **asked: Any) -> float:
    prices = plan_contacts(few, **asked).prices
    return float(prices.loc[prices["kind"] == "budget", "price"].sum())


def _spread(messages: pd.DataFrame, *, weeks: int, limits: Limits) -> pd.DataFrame:
    """The last message of who gets several, moved to the last week where its channel has room.

    The plan weighs a message by how many go before it; how tiring they are fades with time,
    so the same messages do more the farther they lie apart.
    """
    if messages.empty:
        return messages
    last = messages.groupby("customer_id")["slot"].transform("max")
    several = messages.groupby("customer_id")["slot"].transform("size") > 1
    may = several & (messages["slot"] == last) & (last < weeks)
    there = messages.loc[messages["slot"] == weeks, "channel"].value_counts()
    room = messages["channel"].map(limits.channel_capacity).fillna(np.inf).astype(float)
    room = room - messages["channel"].map(there).fillna(0)
    moved = may & (may.groupby(messages["channel"]).cumsum() <= room)
    later = pd.to_timedelta(7 * (weeks - messages["slot"]).where(moved, 0), unit="D")
    return messages.assign(
        slot=messages["slot"].where(~moved, weeks),
        day=pd.to_datetime(messages["day"]).add(later).dt.date,
    )


def _used(prices: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """Prices of the limits, with what is used of each channel once messages are spread."""
    counts = sent.groupby(["channel", "slot"]).size().rename("sent").reset_index()
    counts = counts.rename(columns={"channel": "name"}).astype({"slot": "Int64"})
    found = prices.merge(counts, on=["name", "slot"], how="left")["sent"].fillna(0.0)
    used = prices["used"].where(prices["kind"] != "channel", found.to_numpy(dtype=float))
    return prices.assign(used=used)


def _decisions(sent: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    keys = [f"{as_of} {c} {s}" for c, s in zip(sent["customer_id"], sent["slot"], strict=True)]
    names = ["customer_id", "slot", "day", "goal", "offer", "category", "amount", "channel",
             "cost", "expected_margin", "explored"]  # fmt: skip
    return sent.rename(columns={"offer_id": "offer"})[names].assign(
        as_of=as_of, decision_id=["d" + sha256(key.encode()).hexdigest()[:12] for key in keys]
    )


def _stopped(stopped: Any, kept: pd.DataFrame) -> pd.DataFrame:
    with closing(duckdb.connect()) as connection:
        connection.register("stopped", stopped)
        connection.register("kept", as_arrow(kept[["customer_id"]].drop_duplicates()))
        return connection.sql(
            """with counted as (
                select customer_id, reason, count(*) as n
                from stopped anti join kept using (customer_id) group by all)
            select customer_id, arg_max(reason, (n, reason)) as reason
            from counted group by customer_id order by customer_id"""
        ).df()


def left_out(
    customers: pd.DataFrame, found: CampaignPlan, *, control: pd.DataFrame
) -> pd.DataFrame:
    """Who gets a message and who does not, and why: everybody is counted once.

    Returns
    -------
    pandas.DataFrame
        outcome, customers; most first.
    """
    outcome = pd.Series(NOTHING_PAYS, index=pd.Index(customers["customer_id"]), dtype="object")
    reasons = found.stopped.set_index("customer_id")["reason"]
    outcome.update(reasons)
    gainful = found.open.loc[found.open["expected_margin"] > 0, "customer_id"].unique()
    outcome[outcome.index.isin(gainful)] = NO_PLACE
    outcome[outcome.index.isin(control["customer_id"])] = CONTROL
    outcome[outcome.index.isin(found.decisions["customer_id"])] = "gets a message"
    table = outcome.rename("outcome").value_counts().rename("customers").reset_index()
    return table.sort_values(["customers", "outcome"], ascending=[False, True], ignore_index=True)


def past_costs(campaigns: pd.DataFrame, contacts: Any) -> pd.DataFrame:
    """What a contact costs by channel, and the most that one campaign sent by it.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        Contract `staged.campaigns`.
    contacts : frame
        Contract `customer_contacts`.

    Returns
    -------
    pandas.DataFrame
        channel, cost (currency, of the last campaign), capacity (messages).
    """
    with closing(duckdb.connect()) as connection:
        connection.register("campaigns", as_arrow(campaigns))
        connection.register("contacts", as_arrow(contacts))
        return connection.sql(
            """with sent as (
                select channel, campaign_id, count(distinct contact_id) as n from contacts
                where event <> 'held_out' group by all),
            most as (select channel, max(n) as capacity from sent group by all)
            select channel, arg_max(cost_per_contact, (started_at, campaign_id)) as cost,
                coalesce(max(capacity), 0) as capacity
            from campaigns left join most using (channel)
            where cost_per_contact is not null group by channel order by channel"""
        ).df()


def past_spend(contacts: Any, *, as_of: date, days: int) -> float:
    """What messages cost in the year before `as_of`, for as many days; currency."""
    with closing(duckdb.connect()) as connection:
        connection.register("contacts", as_arrow(contacts))
        spent = connection.execute(
            """select coalesce(sum(cost), 0) from contacts
            where "at"::date > $1::date - 365 and "at"::date <= $1::date""",
            [as_of],
        ).fetchall()[0][0]
    return float(spent) * days / 365


def price_in_words(limit: Mapping[str, Any], *, currency: str) -> str:
    """The price of one limit as a sentence.

    Parameters
    ----------
    limit : mapping
        A row of `Plan.prices`.
    currency : str

    Examples
    --------
    >>> row = {"kind": "channel", "name": "phone", "slot": 2, "price": 1.5, "at_most": 9}
    >>> price_in_words(row, currency="EUR")
    'one more message by phone in week 2 would earn 1.50 EUR'
    """
    if limit["price"] <= 1e-9:
        earns = "would earn nothing"
    else:
        earns = f"would earn {limit['price']:,.2f} {currency}"
    if limit["kind"] == "channel":
        return f"one more message by {limit['name']} in week {limit['slot']} {earns}"
    what = "" if limit["kind"] == "budget" else f" for {str(limit['name']).replace('_', ' ')}"
    return f"one more {currency} of budget{what} {earns}"


def cap_prices(
    open_to: pd.DataFrame,
    *,
    limits: Limits,
    rules: Sequence[ContactRule],
    contacts: Any,
    seed: int = 360,
) -> pd.DataFrame:
    """What each cap on messages costs: margin that one message more would bring.

    Told from a sample of customers. What past contacts forbid under the cap as it is stays
    forbidden, so it is the least that the cap costs.

    Parameters
    ----------
    open_to : pandas.DataFrame
        `CampaignPlan.open`.
    limits, rules, contacts, seed
        As of the plan.

    Returns
    -------
    pandas.DataFrame
        One row per rule: rule (in words), price (currency, over all customers).
    """
    few, fewer = _sample(open_to, limits, sample=PRICED, seed=seed)
    asked = {"limits": fewer, "contacts": contacts, "seed": seed}
    share = few["customer_id"].nunique() / max(
        open_to.loc[open_to["expected_margin"] > 0, "customer_id"].nunique(), 1
    )
    now = plan_contacts(few, rules=rules, **asked).expected_margin
    gains = []
    for number, rule in enumerate(rules):
        looser = [*rules[:number], replace(rule, at_most=rule.at_most + 1), *rules[number + 1 :]]
        more = plan_contacts(few, rules=looser, **asked).expected_margin - now
        gains.append(max(more, 0.0) / share if share else 0.0)
    return pd.DataFrame({"rule": [f"no {rule.told}" for rule in rules], "price": gains})


def gap_to_exact(
    open_to: pd.DataFrame,
    *,
    limits: Limits,
    rules: Sequence[ContactRule],
    contacts: Any,
    sample: int,
    seed: int = 360,
) -> float:
    """What the plan by prices earns less than the exact optimum, on a sample of customers.

    Parameters
    ----------
    open_to : pandas.DataFrame
        `CampaignPlan.open`.
    limits : Limits
        Of all; the sample gets its share.
    rules, contacts
        As `plan_contacts` takes them.
    sample : int, customers
    seed : int

    Returns
    -------
    float
        Share of the optimum; 0 where there is nothing to plan.
    """
    few, fewer = _sample(open_to, limits, sample=sample, seed=seed)
    asked = {"limits": fewer, "rules": rules, "contacts": contacts, "seed": seed}
    fast = plan_contacts(few, **asked).expected_margin
    best = plan_contacts(few, **asked, exact=True).expected_margin
    return 0.0 if best <= 0 else 1 - fast / best
