"""Purchases: when, where, and how they are paid and delivered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import DELIVERIES
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import choose, segment_positions
from customer360.worlds.demo.traits import (
    CALLCENTRE,
    CYCLES,
    SELLING,
    SYSTEMS,
    TILL,
    WEB,
    Traits,
    cycle_window,
)

__all__ = ["PAYMENTS", "PAYMENT_OF", "delivery_shares", "furnish", "system_shares", "visit_days"]

HOME, RELAY, COLLECT, TAKEAWAY = range(len(DELIVERIES))
PAYMENTS = ("card", "paypal", "instalments", "cash", "cheque", "gift_card")
# Means of payment by system and by the person's habit (0, 1, 2).
PAYMENT_OF = {TILL: (0, 3, 4), WEB: (0, 1, 2), CALLCENTRE: (0, 4, 0)}
CALL_WISH = 0.06
OWN_DELIVERY_SHARE = 0.75


def visit_days(*, traits: Traits, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """Every purchase that would be made if nobody left: person and day.

    One row per purchase, in the order of person and day.
    """
    stays = traits.buyer & (traits.gone_day > 0)
    regular = stays & (traits.cycle < 0)
    start = np.clip(traits.join_day, 0, clock.days)
    end = np.full(len(start), clock.days)
    mean = traits.rate / 365.25 * clock.shopping_days(start, end)
    count = rng.poisson(np.where(regular, mean, 0.0))
    person, _ = segment_positions(count)
    day = clock.place(rng.random(len(person)), start[person], end[person])
    newcomers = np.flatnonzero(regular & (traits.join_day >= 0))
    people, days = [person, newcomers], [day, traits.join_day[newcomers]]
    for number, cycle in enumerate(CYCLES):
        for year in clock.years:
            first, last = cycle_window(cycle=cycle, year=year, clock=clock)
            opens = np.maximum(np.maximum(first, traits.join_day), 0)
            closes = np.minimum(last, clock.days - 1)
            here = stays & (traits.cycle == number) & (opens <= closes)
            visits = np.where(here, 1 + rng.binomial(2, np.clip((traits.rate - 1) / 2, 0, 1)), 0)
            who, rank = segment_positions(visits)
            width = (closes - opens + 1)[who]
            when = opens[who] + (rng.random(len(who)) * width).astype(int)
            # Newcomers come first on the day they join.
            joins = (rank == 0) & (traits.join_day[who] == opens[who])
            people.append(who)
            days.append(np.where(joins, opens[who], when))
    person, day = np.concatenate(people), np.concatenate(days)
    order = np.lexsort((day, person))
    return pd.DataFrame({"person": person[order], "day": day[order]})


def furnish(
    *,
    visits: pd.DataFrame,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Say where each purchase is made, how paid and how delivered.

    Returns
    -------
    DataFrame
        One row per purchase: person, day, minute (of the Paris day), system, record
        (row in `Records`), delivery, payment.
    """
    person = visits["person"].to_numpy()
    day = visits["day"].to_numpy()
    n = len(person)
    open_day = clock.open_day[day]
    wish = _wish(traits)[person]
    known = np.column_stack(
        [
            records.at(person, np.full(n, system), day if system == WEB else open_day) >= 0
            for system in SELLING
        ]
    )
    system = np.array(SELLING)[choose(wish * known + 1e-9 * known, rng)]
    day = np.where(system == WEB, day, open_day)

    shop = 570 + 595 * rng.beta(2.0, 1.8, n)
    site = 550 + 830 * rng.beta(2.4, 1.7, n)
    call = 545 + 560 * rng.random(n)
    minute = np.select([system == WEB, system == TILL], [site, shop], call)

    own = traits.delivery[person]
    own = np.where(rng.random(n) < OWN_DELIVERY_SHARE, own, rng.integers(0, TAKEAWAY, n))
    delivery = np.select([system == TILL, system == WEB], [TAKEAWAY, own], HOME)
    habit = np.where(rng.random(n) < 0.8, traits.payment[person], rng.integers(0, 3, n))
    means = np.zeros((len(SYSTEMS), 3), dtype=int)
    for selling, choices in PAYMENT_OF.items():
        means[selling] = choices
    payment = np.where(rng.random(n) < 0.02, PAYMENTS.index("gift_card"), means[system, habit])
    return pd.DataFrame(
        {
            "person": person,
            "day": day,
            "minute": minute,
            "system": system,
            "record": records.at(person, system, day),
            "delivery": delivery,
            "payment": payment,
        }
    )


def system_shares(traits: Traits) -> np.ndarray:
    """Share of a person's purchases made in each of the `SELLING` systems."""
    wish = _wish(traits) * traits.member[:, list(SELLING)]
    return wish / np.maximum(wish.sum(axis=1, keepdims=True), 1e-9)


def delivery_shares(traits: Traits) -> np.ndarray:
    """Share of a person's purchases by mode of delivery, in the order of `DELIVERIES`."""
    by_till, by_web, by_call = system_shares(traits).T
    shares = np.zeros((len(by_web), len(DELIVERIES)))
    shares[:, :TAKEAWAY] = ((1 - OWN_DELIVERY_SHARE) / TAKEAWAY * by_web)[:, None]
    shares[np.arange(len(by_web)), traits.delivery] += OWN_DELIVERY_SHARE * by_web
    shares[:, HOME] += by_call
    shares[:, TAKEAWAY] += by_till
    return shares


def _wish(traits: Traits) -> np.ndarray:
    return np.column_stack([traits.store, 1 - traits.store, np.full(len(traits.store), CALL_WISH)])
