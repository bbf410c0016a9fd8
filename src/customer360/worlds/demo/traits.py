"""What kind of customer each person is: rhythm, taste, habits, systems that know them.

The buying process is "buy till you die" (Schmittlein, Morrison and Colombo, Management
Science 33, 1987): gamma-distributed rates, exponential lifetimes with gamma-distributed
hazards. On top come big and cyclic customers; experiences and messages act on both
processes in `life`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.worlds.demo import goods
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.people import People
from customer360.worlds.demo.text import choose

__all__ = ["CYCLES", "RESPONSES", "SELLING", "SYSTEMS", "Traits", "cycle_window", "make_traits"]

SYSTEMS = ("crm", "till", "web", "newsletter", "callcentre", "sales_rep")
SELLING = (1, 2, 4)  # till, web and callcentre: where orders are taken
CRM, TILL, WEB, NEWSLETTER, CALLCENTRE, SALES_REP = range(len(SYSTEMS))
MEMBER_SHARE = (0.50, 0.52, 0.52, 0.38, 0.21, 0.09)

# Cyclic customers: first and last day of their yearly window, categories they come for.
CYCLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "noel": ("11-26", "12-20", ("Jouets", "Livres", "Décoration")),
    "rentree": ("08-20", "09-12", ("Papeterie", "Livres")),
    "printemps": ("03-28", "04-23", ("Jardin", "Bricolage")),
}
RESPONSES = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")
PUSHED, PULLED, OFTEN = 0.08, 0.03, 6.0  # what makes a sleeping dog, a persuadable, a sure thing
DEMAND_SHAPE = 0.35  # shape of the gamma law of how much is asked and sent back
PREFERRED_EAR = 1.5  # a message by the channel somebody asked for


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
    hazard : array of float
        Hazard of leaving, a year, without any bad experience.
    join_day : array of int
        Day of the first purchase (buyers) or first record; negative before the world.
    gone_day : array of int
        Day on which somebody left before the world begins, a large number otherwise.
    persona : array of int
        Number in `goods.PERSONAS`.
    taste : array of float, people by categories
    spend, promo, elasticity, store, digital : array of float
        Price level (1 is usual), love of promotions (0 to 1), price elasticity, share of
        purchases in shops, and eagerness for the site (0: never visits).
    payment, delivery : array of int
        Preferred means, as numbers used by `purchases`.
    opens : array of float
        Chance to open a message.
    machine : array of bool
        The mail program opens every message by itself.
    pull, push : array of float
        Purchases that a message of force 1 adds; share of coming purchases it drives away.
    theme : array of int
        What a message must appeal to, as a number in `messages.THEMES`.
    ear : array of float, people by channels
        How well each channel reaches the person; 1 on average.
    consent : array of bool, people by (email, sms, phone, post, third party)
    preferred : array of int
        Channel asked for (email, sms, phone, post), -1 for none.
    member : array of bool, people by systems
    satisfaction : array of float
        Standing satisfaction, on a normal scale.
    demanding : array of float
        How often somebody asks and sends back, against the usual; 1 on average.
    """

    buyer: np.ndarray
    big: np.ndarray
    cycle: np.ndarray
    rate: np.ndarray
    hazard: np.ndarray
    join_day: np.ndarray
    gone_day: np.ndarray
    persona: np.ndarray
    taste: np.ndarray
    spend: np.ndarray
    promo: np.ndarray
    elasticity: np.ndarray
    store: np.ndarray
    digital: np.ndarray
    payment: np.ndarray
    delivery: np.ndarray
    opens: np.ndarray
    machine: np.ndarray
    pull: np.ndarray
    push: np.ndarray
    theme: np.ndarray
    ear: np.ndarray
    consent: np.ndarray
    preferred: np.ndarray
    member: np.ndarray
    satisfaction: np.ndarray
    demanding: np.ndarray

    @property
    def response(self) -> np.ndarray:
        """Number in `RESPONSES`: what a message does to each person."""
        calm = np.where(self.pull > PULLED, 0, np.where(self.rate >= OFTEN, 1, 2))
        return np.where(self.push > PUSHED, 3, calm)


def make_traits(*, people: People, laws: Laws, clock: Clock, rng: np.random.Generator) -> Traits:
    """Draw the traits of each person."""
    n = len(people)
    buyer = rng.random(n) < laws.buyer_share
    cyclic = buyer & (rng.random(n) < laws.cyclic_share)
    cycle = np.where(cyclic, rng.integers(0, len(CYCLES), n), -1)
    big = buyer & ~cyclic & (rng.random(n) < laws.big_share)

    rate = rng.gamma(laws.rate_shape, laws.rate_mean / laws.rate_shape, n)
    # Big customers buy often by definition: lift those whose draw was low.
    rate = np.where(big, np.maximum(rate * laws.big_rate, laws.rate_mean), rate)
    rate = np.where(cyclic, 1 + 2 * rng.beta(2, 2, n), np.where(buyer, rate, 0.0))
    join_day = _join_days(cycle, laws, clock, rng)
    # Those who joined long ago and are still here have, by Bayes' rule, low hazards: the
    # gamma law of those who survived `age` years has its inverse scale longer by `age`.
    age = np.maximum(-join_day, 0) / 365.25
    hazard = rng.gamma(laws.hazard_shape, 1.0, n) / (laws.hazard_shape / laws.hazard_mean + age)
    # Old files keep people who left before the world begins.
    gone = buyer & (join_day < 0) & ~cyclic & (rng.random(n) < laws.long_gone_share)

    store = rng.beta(2.1, 1.1, n)
    digital = rng.gamma(1.2, 1 / 1.2, n) * np.clip(1.35 - people.age / 130, 0.4, 1.2)
    member = _members(buyer, store, rng)
    persona, taste = _tastes(people.age, cycle, rng)
    promo = rng.beta(1.3, 2.6, n)
    opens = rng.beta(2.0, 5.0, n)
    preferred = rng.choice([-1, 0, 1, 2, 3], size=n, p=[0.40, 0.28, 0.14, 0.08, 0.10])
    pull, push = _reactions(promo, opens, people.age, laws, rng)
    return Traits(
        buyer=buyer,
        big=big,
        cycle=cycle,
        rate=rate,
        hazard=np.where(cyclic, laws.cyclic_hazard, hazard),
        join_day=join_day,
        gone_day=np.where(gone, np.floor(join_day * rng.random(n)), 10**6).astype(int),
        persona=persona,
        taste=taste,
        spend=np.exp(rng.normal(-0.05, 0.30, n)) * np.where(big, laws.big_spend, 1),
        promo=promo,
        # Those who love promotions look at prices.
        elasticity=laws.elasticity_mean * rng.gamma(4.0, 0.25, n) * (0.55 + 1.35 * promo),
        store=store,
        digital=np.where(member[:, WEB], digital, digital * (rng.random(n) < 0.25)),
        payment=rng.choice(3, size=n, p=[0.72, 0.16, 0.12]),
        delivery=rng.choice(3, size=n, p=[0.5, 0.3, 0.2]),
        opens=opens,
        machine=rng.random(n) < 0.22,
        pull=np.where(buyer & ~cyclic, pull, 0.0),
        push=np.where(buyer & ~cyclic, push, 0.0),
        theme=_themes(promo, people.age, persona, rng),
        ear=_ears(preferred, rng),
        consent=rng.random((n, 5)) < np.array([0.66, 0.42, 0.28, 0.52, 0.13]),
        preferred=preferred,
        member=member,
        satisfaction=rng.normal(0, 1, n),
        # A few ask a great deal: they are those who cost more than they bring.
        demanding=rng.gamma(DEMAND_SHAPE, 1 / DEMAND_SHAPE, n),
    )


def cycle_window(*, cycle: str, year: int, clock: Clock) -> tuple[int, int]:
    """First and last day number of a cycle's window in a year."""
    first, last, _ = CYCLES[cycle]
    return clock.number_of(f"{year}-{first}"), clock.number_of(f"{year}-{last}")


def _join_days(cycle: np.ndarray, laws: Laws, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    n = len(cycle)
    cyclic = cycle >= 0
    before = rng.random(n) < np.where(cyclic, 0.75, laws.known_before_share)
    earlier = -rng.integers(1, 6 * 365, n)
    # A little growth: u ** 0.95 leans towards the later days.
    within = (rng.random(n) ** 0.95 * clock.days).astype(int)
    # A cycle is seen as one after two years: cyclic customers join in the first third,
    # and in their window.
    drawn = np.where(cyclic, within // 3, within)
    within = drawn
    for number, name in enumerate(CYCLES):
        # From the last window to the first: the next one to come has the last word.
        for year in reversed(clock.years):
            first, last = cycle_window(cycle=name, year=year, clock=clock)
            waits = (cycle == number) & (drawn <= last) & (first >= 0) & (last < clock.days)
            # Newcomers have no use for `earlier`: let it say which day of the window.
            some_day = first + np.abs(earlier) % (last + 1 - first)
            within = np.where(waits, np.maximum(drawn, some_day), within)
    return np.where(before, earlier, clock.open_day[within])


def _reactions(
    promo: np.ndarray, opens: np.ndarray, age: np.ndarray, laws: Laws, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pull and push: those who love promotions and open what they get can be persuaded;
    older people who do neither are rather put off. Both with a part nobody can see."""

    def standard(values: np.ndarray, mean: float, spread: float) -> np.ndarray:
        return (values - mean) / spread

    love, look = standard(promo, 1 / 3, 0.213), standard(opens, 2 / 7, 0.16)
    drawn = 0.75 * love + 0.55 * look + 0.35 * rng.normal(size=len(promo))
    tired = -0.55 * love - 0.65 * look + 0.45 * standard(age, 47, 16)
    tired = tired + 0.35 * rng.normal(size=len(promo))
    pull = laws.pull_most / (1 + np.exp(-2.2 * (drawn - 1.15)))
    push = laws.push_most / (1 + np.exp(-3.0 * (tired - 1.75)))
    return pull, push


def _themes(
    promo: np.ndarray, age: np.ndarray, persona: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Function, price, belonging, status: seen in tastes, prices and ages."""
    names = list(goods.PERSONAS)
    weight = np.ones((len(promo), 4))
    weight[:, 0] += 1.5 * np.isin(persona, [names.index("bricoleur"), names.index("cuisinier")])
    weight[:, 1] = 0.3 + 3.5 * promo
    weight[:, 2] += 1.5 * np.isin(persona, [names.index("jeune famille"), names.index("lecteur")])
    weight[:, 3] += 1.5 * np.isin(persona, [names.index("décorateur")]) + (age > 60)
    return choose(weight**1.5, rng)


def _ears(preferred: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Factor by channel: email, sms, phone, post, then the two that nobody asks for."""
    spread = 0.35
    ear = np.exp(rng.normal(-(spread**2) / 2, spread, (len(preferred), 6)))
    asked = np.flatnonzero(preferred >= 0)
    ear[asked, preferred[asked]] *= PREFERRED_EAR
    return ear


def _tastes(
    age: np.ndarray, cycle: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    personas = np.array(list(goods.PERSONAS.values()))
    names = list(goods.PERSONAS)
    weight = np.ones((len(age), len(personas)))
    weight[:, names.index("jeune famille")] = 2.5 * np.exp(-0.5 * ((age - 34) / 7) ** 2) + 0.1
    weight[:, names.index("jardinier")] = np.clip((age - 25) / 25, 0.2, 1.6)
    weight[:, names.index("décorateur")] = np.clip(1.6 - np.abs(age - 40) / 40, 0.4, 1.6)
    persona = choose(weight, rng)
    # Around its persona each person has a taste of its own.
    taste = rng.gamma(personas[persona] + 0.1)
    for number, (_, _, sought) in enumerate(CYCLES.values()):
        wanted = np.isin(goods.CATEGORY_NAMES, sought)
        rows = cycle == number
        taste[rows] = taste[rows] * 0.15 + wanted * 6.0
    return persona, taste / taste.sum(axis=1, keepdims=True)


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
