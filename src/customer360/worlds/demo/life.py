"""The weeks of everyone's life with the brand: buying, being disappointed, leaving.

Week by week, over all people at once:

1. some leave: hazard = own hazard * exp(leaving_effect * D);
2. campaigns reach some, add purchases to the next two weeks, take others away, and tire;
3. the week's purchases are made, less often the higher D;
4. some go wrong and are complained about, which moves D.

D, the dissatisfaction of `experience`, fades, and so does the fatigue F of messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from customer360.contracts import SHOCKS
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import (
    BADLY_HANDLED_SHARE,
    COMPLAINS_SHARE,
    FADES_IN_DAYS,
    SHOCK_POINTS,
    Feelings,
    draw_bad,
    feel,
)
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.messages import OFFERS, RESPONSE_DAYS, Campaign, Plan, force
from customer360.worlds.demo.people import NEVER
from customer360.worlds.demo.purchases import furnish
from customer360.worlds.demo.reactions import (
    UNSUBSCRIBED,
    arrival_chance,
    choose_audience,
    react,
)
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.traits import Traits

__all__ = ["WEEK", "Life", "live"]

WEEK = 7
LONG_AGO = -(10**6)
# How much a message weighs in fatigue, by channel.
WEIGHT = (1.0, 1.2, 1.6, 0.8, 0.1, 0.1)
BAD_CALL, GOOD_CALL, PRESSURE = (SHOCKS.index(k) for k in ("bad_call", "good_call", "pressure"))


@dataclass(frozen=True)
class Life:
    """What happened to everyone.

    Attributes
    ----------
    orders : DataFrame
        One row per purchase, by day, minute and person: what `furnish` says, plus bad
        (number into `BAD`), offer, depth (of the offer that came with the message that
        caused it, else -1 and 0), campaign (that caused it, else -1).
    leave_day : array of int
        Day on which each person left, NEVER for those who stayed.
    feelings : Feelings
    complaints : DataFrame
        person, day (of the call), order (row of `orders`), badly (handled).
    contacts : DataFrame
        One row per message or held-out person, by campaign and person: campaign, rank
        (within the campaign), person, record, variant, held_out, day, effect (purchases
        the message adds, were it sent), potential (the same for somebody who has not
        left), fatigue.
    events : DataFrame
        What the tools wrote down: campaign, rank, person, record, variant, event, day,
        minute, reason.
    prevented : DataFrame
        Purchases that a message drove away: person, day, campaign.
    """

    orders: pd.DataFrame
    leave_day: np.ndarray
    feelings: Feelings
    complaints: pd.DataFrame
    contacts: pd.DataFrame
    events: pd.DataFrame
    prevented: pd.DataFrame


@dataclass
class _State:
    """Where everyone stands; changes from week to week."""

    leave_day: np.ndarray
    discontent: np.ndarray
    fatigue: np.ndarray
    last_day: np.ndarray
    unsubscribed: np.ndarray
    push: np.ndarray
    pushed_until: np.ndarray
    pushes: list[tuple[Campaign, np.ndarray]] = field(default_factory=list)
    shocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def shock(self, person: np.ndarray, day: np.ndarray, kind: np.ndarray) -> None:
        """Let something be felt; at once in the state, on its day in the record."""
        np.add.at(self.discontent, person, SHOCK_POINTS[kind])
        self.shocks.append((person, day, kind))


def live(
    *,
    visits: pd.DataFrame,
    traits: Traits,
    records: Records,
    plan: Plan,
    laws: Laws,
    clock: Clock,
    rng: np.random.Generator,
) -> Life:
    """Run the weeks.

    Parameters
    ----------
    visits : DataFrame
        Every purchase people would make if nothing went wrong and nobody left: person,
        day.
    plan : Plan
        Campaigns to run.
    """
    n = len(traits.buyer)
    gone = traits.gone_day < NEVER
    state = _State(
        leave_day=np.where(gone, traits.gone_day, NEVER),
        discontent=np.zeros(n),
        fatigue=np.zeros(n),
        last_day=np.where(traits.join_day < 0, np.maximum(traits.join_day, -900), LONG_AGO),
        unsubscribed=np.zeros((n, traits.ear.shape[1]), dtype=bool),
        push=traits.push,
        pushed_until=np.full(n, LONG_AGO),
    )
    state.last_day[~traits.buyer] = LONG_AGO
    wished = furnish(visits=visits, traits=traits, records=records, clock=clock, rng=rng)
    wished = wished.assign(offer=-1, depth=0.0, campaign=-1)
    wished = wished.sort_values("day", kind="stable", ignore_index=True)
    weeks = -(-clock.days // WEEK)
    bounds = np.searchsorted(wished["day"].to_numpy(), np.arange(weeks + 1) * WEEK)
    caused: list[pd.DataFrame] = []
    bought, contacts, events, complaints, prevented = [], [], [], [], []
    for week in range(weeks):
        first = week * WEEK
        _leave(state, first, traits, laws, rng)
        for campaign in plan.campaigns:
            if first <= campaign.start < first + WEEK:
                sent, seen, extra = _send(campaign, plan, state, traits, records, laws, clock, rng)
                contacts.append(sent)
                events.append(seen)
                caused.append(extra)
        due = wished.iloc[bounds[week] : bounds[week + 1]]
        made, lost = _buy(due, caused, first, state, laws, rng)
        bought.append(made)
        prevented.append(lost)
        complaints.append(_complain(made, state, rng))
        state.discontent = np.maximum(state.discontent, 0) * np.exp(-WEEK / FADES_IN_DAYS)
        state.fatigue *= np.exp(-WEEK / laws.fatigue_days)

    orders = pd.concat(bought, ignore_index=True)
    complaint = pd.concat(complaints, ignore_index=True)
    order = np.lexsort((orders["person"], orders["minute"], orders["day"]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    starts = np.cumsum([0, *(len(part) for part in bought)])[:-1]
    complaint["order"] = place[
        complaint["order"].to_numpy() + np.repeat(starts, [len(part) for part in complaints])
    ]
    person, day, kind = (np.concatenate(parts) for parts in zip(*state.shocks, strict=True))
    felt = day <= np.minimum(state.leave_day[person], clock.days - 1)
    return Life(
        orders=orders.iloc[order].reset_index(drop=True),
        leave_day=state.leave_day,
        feelings=feel(person=person[felt], day=day[felt], kind=kind[felt]),
        complaints=complaint,
        contacts=_together(contacts, _CONTACT),
        events=_together(events, _EVENT),
        prevented=pd.concat(prevented, ignore_index=True),
    )


_CONTACT = [
    "campaign", "rank", "person", "record", "variant", "held_out", "day", "potential", "effect",
    "fatigue",
]  # fmt: skip
_EVENT = ["campaign", "rank", "person", "record", "variant", "event", "day", "minute", "reason"]


def _together(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({name: np.zeros(0, dtype=np.int64) for name in columns})
    return pd.concat(parts, ignore_index=True)[columns]


def _leave(state: _State, first: int, traits: Traits, laws: Laws, rng: np.random.Generator) -> None:
    """Some of those at risk leave on a day of this week."""
    here = np.flatnonzero(traits.buyer & (traits.join_day <= first) & (state.leave_day == NEVER))
    hazard = traits.hazard[here] * np.exp(laws.leaving_effect * state.discontent[here])
    leaves = here[rng.random(len(here)) < -np.expm1(-hazard * WEEK / 365.25)]
    state.leave_day[leaves] = first + rng.integers(0, WEEK, len(leaves))


def _send(
    campaign: Campaign,
    plan: Plan,
    state: _State,
    traits: Traits,
    records: Records,
    laws: Laws,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Contacts of a campaign, the events that follow, the purchases it causes."""
    sent = choose_audience(
        campaign=campaign,
        traits=traits,
        records=records,
        unsubscribed=state.unsubscribed,
        last_day=state.last_day,
        rng=rng,
    )
    person, variant = sent["person"].to_numpy(), sent["variant"].to_numpy()
    alive = (traits.join_day[person] <= campaign.start) & (state.leave_day[person] > campaign.start)
    seen = react(
        campaign=campaign,
        audience=sent,
        alive=alive,
        traits=traits,
        records=records,
        clock=clock,
        rng=rng,
    )
    arrived = seen.arrived
    strength = force(traits=traits, person=person, campaign=campaign, variant=variant)
    fatigue = state.fatigue[person]
    added = traits.pull[person] * strength * np.exp(-laws.fatigue_effect * fatigue)
    added = np.clip(added, 0, 0.9)
    # Who is not pulled by a channel at all is not pushed away by it either.
    taken = traits.push[person] * (strength > 0)
    # What an earlier message has driven away cannot be driven away again.
    until = campaign.start + RESPONSE_DAYS
    spoilt = np.clip(state.pushed_until[person], campaign.start, until)
    ahead = clock.shopping_days(spoilt + 1, np.full(len(person), min(until + 1, clock.days)))
    coming = traits.rate[person] * ahead / 365.25
    coming = coming * np.exp(-laws.thinning_effect * state.discontent[person])
    chance = arrival_chance(
        campaign=campaign,
        person=person,
        record=sent["record"].to_numpy(),
        traits=traits,
        records=records,
    )
    rank = np.arange(len(sent))
    potential = (added - taken * coming) * chance
    contacts = sent.assign(
        campaign=campaign.number,
        rank=rank,
        day=campaign.start,
        potential=potential,
        effect=potential * alive,
        fatigue=fatigue,
    )

    buys = np.flatnonzero(arrived & alive & (rng.random(len(sent)) < added))
    # Nobody answers a letter before it has come, nor in a shop that is closed until then.
    came = seen.arrived_on[buys]
    day = came + 1 + (rng.random(len(buys)) * (until - came)).astype(int)
    day += clock.open_day[np.minimum(day, clock.days - 1)] <= came
    extra = furnish(
        visits=pd.DataFrame({"person": person[buys], "day": np.minimum(day, clock.days - 1)}),
        traits=traits,
        records=records,
        clock=clock,
        rng=rng,
    ).assign(
        offer=plan.offer_numbers(campaign)[variant[buys]],
        depth=np.array([OFFERS[offer][1] for offer in campaign.offers])[variant[buys]],
        campaign=campaign.number,
    )
    extra = extra[day < clock.days].sort_values("day", kind="stable")

    pushed = np.zeros(len(state.push), dtype=bool)
    pushed[person[arrived & alive & (taken > 0)]] = True
    state.pushed_until[pushed] = np.maximum(state.pushed_until[pushed], until)
    state.pushes.append((campaign, pushed))
    reached = person[arrived]
    tired = reached[state.fatigue[reached] > laws.pressure_limit]
    state.shock(tired, np.full(len(tired), campaign.start), np.full(len(tired), PRESSURE))
    state.fatigue[reached] += WEIGHT[campaign.channel]
    events = pd.DataFrame(seen.events).rename(columns={"row": "rank"})
    who = events["rank"].to_numpy()
    events = events.assign(
        campaign=campaign.number,
        person=person[who],
        record=sent["record"].to_numpy()[who],
        variant=variant[who],
    )
    state.unsubscribed[
        events["person"].to_numpy()[events["event"].to_numpy() == UNSUBSCRIBED],
        campaign.channel,
    ] = True
    return contacts, events, extra


def _buy(
    due: pd.DataFrame,
    caused: list[pd.DataFrame],
    first: int,
    state: _State,
    laws: Laws,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Purchases of the week that are made, and those that a message drove away."""
    person, day = due["person"].to_numpy(), due["day"].to_numpy()
    here = day <= state.leave_day[person]
    keen = rng.random(len(due)) < np.exp(-laws.thinning_effect * state.discontent[person])
    state.pushes = [push for push in state.pushes if push[0].start + RESPONSE_DAYS >= first]
    pushed_by = np.full(len(due), -1)
    # Of several messages the first one has driven a purchase away.
    for campaign, pushed in reversed(state.pushes):
        within = (day > campaign.start) & (day <= campaign.start + RESPONSE_DAYS)
        pushed_by[within & pushed[person]] = campaign.number
    away = (pushed_by >= 0) & (rng.random(len(due)) < state.push[person])
    lost = here & keen & away
    prevented = pd.DataFrame(
        {"person": person[lost], "day": day[lost], "campaign": pushed_by[lost]}
    )
    parts = [due[here & keen & ~away]]
    # What a campaign caused lies within three weeks of it: older ones have nothing left.
    caused[:] = [extra for extra in caused if len(extra) and extra["day"].to_numpy()[-1] >= first]
    for extra in caused:
        start, stop = np.searchsorted(extra["day"].to_numpy(), [first, first + WEEK])
        extra = extra.iloc[start:stop]
        stays = extra["day"].to_numpy() <= state.leave_day[extra["person"].to_numpy()]
        parts.append(extra[stays])
    made = pd.concat(parts, ignore_index=True)
    bad = draw_bad(made["delivery"].to_numpy(), laws.misfortune, rng)
    made = made.assign(bad=bad)
    who = made["person"].to_numpy()
    np.maximum.at(state.last_day, who, made["day"].to_numpy())
    wrong = np.flatnonzero(bad > 0)
    state.shock(who[wrong], made["day"].to_numpy()[wrong], bad[wrong] - 1)
    return made, prevented


def _complain(made: pd.DataFrame, state: _State, rng: np.random.Generator) -> pd.DataFrame:
    """Calls about what went wrong this week: some make it worse, others put it right."""
    wrong = np.flatnonzero(made["bad"].to_numpy() > 0)
    order = wrong[rng.random(len(wrong)) < COMPLAINS_SHARE]
    person = made["person"].to_numpy()[order]
    day = made["day"].to_numpy()[order] + rng.integers(1, WEEK, len(order))
    badly = rng.random(len(order)) < BADLY_HANDLED_SHARE
    state.shock(person, day, np.where(badly, BAD_CALL, GOOD_CALL))
    return pd.DataFrame({"person": person, "day": day, "order": order, "badly": badly})
