"""What kind of customer each person is: rhythm, taste, habits, systems that know them.

The buying process is "buy till you die" (Schmittlein, Morrison and Colombo, Management
Science 33, 1987): gamma-distributed rates, exponential lifetimes with gamma-distributed
hazards. On top come big and cyclic customers and, in `experience`, bad experiences
that make people leave earlier. All parameters below are chosen, not estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import NEVER, People
from customer360.worlds.demo.text import choose

__all__ = ["CYCLES", "SELLING", "SYSTEMS", "Traits", "cycle_window", "make_traits"]

SYSTEMS = ("crm", "till", "web", "newsletter", "callcentre", "sales_rep")
SELLING = (1, 2, 4)  # till, web and callcentre: where orders are taken
CRM, TILL, WEB, NEWSLETTER, CALLCENTRE, SALES_REP = range(len(SYSTEMS))
MEMBER_SHARE = (0.36, 0.42, 0.38, 0.24, 0.13, 0.06)

BUYER_SHARE = 0.80
KNOWN_BEFORE_SHARE = 0.35
LONG_GONE_SHARE = 0.12
BIG_SHARE = 0.08
CYCLIC_SHARE = 0.12  # of buyers; about eight in a hundred are seen through two cycles

RATE_SHAPE, RATE_MEAN = 0.9, 4.5  # purchases a year while active
BIG_RATE, BIG_SPEND = 2.6, 1.6
HAZARD_SHAPE, HAZARD_MEAN = 1.6, 0.27  # base chance of leaving, a year
CYCLIC_HAZARD = 0.06

# Cyclic customers: first and last day of their yearly window, categories they come for.
CYCLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "noel": ("11-26", "12-20", ("Jouets", "Livres", "Décoration")),
    "rentree": ("08-20", "09-12", ("Papeterie", "Livres")),
    "printemps": ("03-28", "04-23", ("Jardin", "Bricolage")),
}


@dataclass(frozen=True)
class Traits:
    """Traits of each person, one entry each, in the order of `People`.

    Attributes
    ----------
    buyer, big : array of bool
    cycle : array of int
        Number of the cycle in `CYCLES`, -1 for those who buy all year.
    rate : array of float
        Purchases a year while active; for cyclic customers, visits a year.
    join_day : array of int
        Day of the first purchase (buyers) or first record; negative before the world.
    leave_day : array of int
        Day on which a buyer would leave without any bad experience.
    taste : array of float, people by categories
    spend, promo, store, digital : array of float
        Price level (1 is usual), love of promotions (0 to 1), share of purchases in
        shops, and eagerness for the site (0: never visits).
    payment, delivery : array of int
        Preferred means, as numbers used by `purchases`.
    opens, persuadable : array of float
        Chance to open a message; added chance to buy because of one.
    consent : array of bool, people by (email, sms, phone, post, third party)
    preferred : array of int
        Channel asked for (email, sms, phone, post), -1 for none.
    member : array of bool, people by systems
    satisfaction : array of float
        Standing satisfaction, on a normal scale.
    """

    buyer: np.ndarray
    big: np.ndarray
    cycle: np.ndarray
    rate: np.ndarray
    join_day: np.ndarray
    leave_day: np.ndarray
    taste: np.ndarray
    spend: np.ndarray
    promo: np.ndarray
    store: np.ndarray
    digital: np.ndarray
    payment: np.ndarray
    delivery: np.ndarray
    opens: np.ndarray
    persuadable: np.ndarray
    consent: np.ndarray
    preferred: np.ndarray
    member: np.ndarray
    satisfaction: np.ndarray


def make_traits(*, people: People, clock: Clock, rng: np.random.Generator) -> Traits:
    """Draw the traits of each person."""
    n = len(people)
    buyer = rng.random(n) < BUYER_SHARE
    cyclic = buyer & (rng.random(n) < CYCLIC_SHARE)
    cycle = np.where(cyclic, rng.integers(0, len(CYCLES), n), -1)
    big = buyer & ~cyclic & (rng.random(n) < BIG_SHARE)

    rate = rng.gamma(RATE_SHAPE, RATE_MEAN / RATE_SHAPE, n) * np.where(big, BIG_RATE, 1)
    # Big customers buy often by definition: lift those whose draw was low.
    rate = np.where(big, np.maximum(rate, RATE_MEAN), rate)
    rate = np.where(cyclic, 1 + 2 * rng.beta(2, 2, n), np.where(buyer, rate, 0.0))
    join_day = _join_days(cycle, clock, rng)
    leave_day = _leave_days(buyer, cyclic, join_day, clock, rng)

    store = rng.beta(2.1, 1.1, n)
    digital = rng.gamma(1.2, 1 / 1.2, n) * np.clip(1.35 - people.age / 130, 0.4, 1.2)
    member = _members(buyer, store, rng)
    return Traits(
        buyer=buyer,
        big=big,
        cycle=cycle,
        rate=rate,
        join_day=join_day,
        leave_day=leave_day,
        taste=_tastes(people.age, cycle, rng),
        spend=np.exp(rng.normal(-0.05, 0.30, n)) * np.where(big, BIG_SPEND, 1),
        promo=rng.beta(1.3, 2.6, n),
        store=store,
        digital=np.where(member[:, WEB], digital, digital * (rng.random(n) < 0.25)),
        payment=rng.choice(3, size=n, p=[0.72, 0.16, 0.12]),
        delivery=rng.choice(3, size=n, p=[0.5, 0.3, 0.2]),
        opens=rng.beta(2.0, 5.0, n),
        persuadable=np.where(rng.random(n) < 0.30, rng.uniform(0.06, 0.18, n), 0.0),
        consent=rng.random((n, 5)) < np.array([0.66, 0.42, 0.28, 0.52, 0.13]),
        preferred=rng.choice([-1, 0, 1, 2, 3], size=n, p=[0.40, 0.28, 0.14, 0.08, 0.10]),
        member=member,
        satisfaction=rng.normal(0, 1, n),
    )


def cycle_window(*, cycle: str, year: int, clock: Clock) -> tuple[int, int]:
    """First and last day number of a cycle's window in a year."""
    first, last, _ = CYCLES[cycle]
    return clock.number_of(f"{year}-{first}"), clock.number_of(f"{year}-{last}")


def _join_days(cycle: np.ndarray, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    n = len(cycle)
    cyclic = cycle >= 0
    before = rng.random(n) < np.where(cyclic, 0.75, KNOWN_BEFORE_SHARE)
    earlier = -rng.integers(1, 6 * 365, n)
    # A little growth: u ** 0.95 leans towards the later days.
    within = (rng.random(n) ** 0.95 * clock.days).astype(int)
    # A cycle is seen as one after two years: cyclic customers join in the first third,
    # and in their window.
    within = np.where(cyclic, within // 3, within)
    for number, name in enumerate(CYCLES):
        for year in reversed(clock.years):
            first, last = cycle_window(cycle=name, year=year, clock=clock)
            waits = (cycle == number) & (within <= last) & (first >= 0) & (first < clock.days)
            within = np.where(waits, np.maximum(within, first), within)
    return np.where(before, earlier, clock.open_day[within])


def _leave_days(
    buyer: np.ndarray,
    cyclic: np.ndarray,
    join_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> np.ndarray:
    n = len(buyer)
    hazard = rng.gamma(HAZARD_SHAPE, HAZARD_MEAN / HAZARD_SHAPE, n)
    hazard = np.where(cyclic, CYCLIC_HAZARD, hazard)
    lifetime = rng.exponential(1.0, n) / np.maximum(hazard, 1e-3) * 365.25
    leave = np.maximum(join_day, 0) + np.ceil(lifetime)
    # Old files keep people who left before the world begins.
    gone = (join_day < 0) & ~cyclic & (rng.random(n) < LONG_GONE_SHARE)
    leave = np.where(gone, np.floor(join_day * rng.random(n)), leave)
    return np.where(buyer, np.minimum(leave, NEVER), NEVER).astype(int)


def _tastes(age: np.ndarray, cycle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    personas = np.array(list(pools.PERSONAS.values()))
    names = list(pools.PERSONAS)
    weight = np.ones((len(age), len(personas)))
    weight[:, names.index("jeune famille")] = 2.5 * np.exp(-0.5 * ((age - 34) / 7) ** 2) + 0.1
    weight[:, names.index("jardinier")] = np.clip((age - 25) / 25, 0.2, 1.6)
    weight[:, names.index("décorateur")] = np.clip(1.6 - np.abs(age - 40) / 40, 0.4, 1.6)
    persona = choose(weight, rng)
    # Around its persona each person has a taste of its own.
    taste = rng.gamma(personas[persona] + 0.1)
    categories = [category.name for category in pools.CATEGORIES]
    for number, (_, _, sought) in enumerate(CYCLES.values()):
        wanted = np.isin(categories, sought)
        rows = cycle == number
        taste[rows] = taste[rows] * 0.15 + wanted * 6.0
    return taste / taste.sum(axis=1, keepdims=True)


def _members(buyer: np.ndarray, store: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(buyer)
    lean = np.ones((n, len(SYSTEMS)))
    lean[:, TILL] = 0.5 + store
    lean[:, WEB] = 1.7 - store
    lean[~buyer, TILL] *= 0.35
    lean[~buyer, NEWSLETTER] *= 1.8
    member = rng.random((n, len(SYSTEMS))) < np.array(MEMBER_SHARE) * lean
    # A buyer is known where it bought; everyone is known somewhere.
    first_system = choose(np.column_stack([store, 1.1 - store, np.full(n, 0.05)]), rng)
    unknown = buyer & ~member[:, list(SELLING)].any(axis=1)
    member[unknown, np.array(SELLING)[first_system[unknown]]] = True
    nowhere = ~member.any(axis=1)
    fallback = rng.choice([CRM, NEWSLETTER, WEB], size=n, p=[0.3, 0.5, 0.2])
    member[nowhere, fallback[nowhere]] = True
    return member
