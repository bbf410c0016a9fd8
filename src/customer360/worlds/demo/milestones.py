"""Events of life: when they happen, who shares them, and what they make people look for.

A birth, a move, a wedding, a retirement or the purchase of a home turns tastes for a
while, from some time before it to some time after. A part is told to the brand; the
others show in purchases and searches only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer360.contracts import CONTRACTS, LIFE_EVENTS, arrow_schema
from customer360.worlds.demo import goods
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import CHILD, MATE, NEVER, PARTNER, TWIN, People
from customer360.worlds.demo.text import pick

__all__ = ["EFFECTS", "Effect", "Milestones", "draw_milestones", "true_life_events"]

DECLARED_SHARE = 0.35


@dataclass(frozen=True)
class Effect:
    """Days around an event on which it shows, and what it multiplies the tastes by."""

    days_before: int
    days_after: int
    lifts: dict[str, float]


# In the order of LIFE_EVENTS. Windows and factors are chosen.
EFFECTS: dict[str, Effect] = {
    "birth": Effect(120, 400, {"Puériculture": 10.0, "Jouets": 3.0}),
    "move": Effect(30, 120, {"Décoration": 3.0, "Bricolage": 3.0, "Linge de maison": 2.0}),
    "wedding": Effect(90, 60, {"Linge de maison": 3.0, "Cuisine": 2.5, "Décoration": 2.0}),
    "retirement": Effect(0, 730, {"Jardin": 2.0, "Livres": 1.7, "Bricolage": 1.6}),
    "home_purchase": Effect(
        30,
        270,
        {"Bricolage": 3.0, "Jardin": 2.0, "Petit électroménager": 2.0, "Décoration": 1.5},
    ),
}

# Chances a year, as bells over age: (peak, age of the peak, spread in years, first and
# last age). Peaks are chosen so that shares of people stand near INSEE, "Bilan
# démographique 2022", rounded from memory: 720,000 births and 240,000 weddings a year for
# 68 million people; mothers are 31 on average, spouses 37 to 39. Both are rarer among
# those who have no partner at home.
BIRTH = (0.18, 31.0, 5.3, 18.0, 48.0)
WEDDING = (0.040, 37.0, 9.0, 20.0, 75.0)
ALONE = {"birth": 0.20, "wedding": 0.10}  # share of these chances without a partner
# About 10 % of French households move in a year (INSEE, "Logement"); `people` moves fewer,
# one household in eight in three years. One mover in three buys the new home. Others buy
# the home they rent or a second one: in all nearly a million sales a year for 30 million
# households (notaires, 2019 to 2023, rounded from memory).
BUYS_NEW_HOME_SHARE = 0.35
PURCHASE = (0.018, 42.0, 12.0, 24.0, 70.0)
# Age of those who retire: 62 to 63 on average (DREES, "Les retraités et les retraites",
# rounded from memory).
RETIREMENT_AGE, RETIREMENT_SPREAD = 62.8, 1.3
RETIREMENT_BOUNDS = (57.0, 68.0)
WORKED_SHARE = 0.90


@dataclass(frozen=True)
class Milestones:
    """Events of life of each person, at most one of each kind.

    Attributes
    ----------
    day : array of int, people by LIFE_EVENTS
        Day of the event, NEVER for none. It may lie before or after the world when its
        effect reaches into it.
    declared : array of bool, people by LIFE_EVENTS
        The person told the brand.
    """

    day: np.ndarray
    declared: np.ndarray

    def lift(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Factor of each category's weight for a person on a day, rows by categories."""
        factor = np.ones((len(person), len(goods.CATEGORIES)))
        for number, rows in self._inside(person, day):
            for category, times in EFFECTS[LIFE_EVENTS[number]].lifts.items():
                factor[rows, goods.CATEGORY_NAMES.index(category)] *= times
        return factor

    def near(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Number in LIFE_EVENTS of an event that shows on that day, -1 for none.

        Where several do, the later one in that order.
        """
        event = np.full(len(person), -1, dtype=np.int8)
        for number, rows in self._inside(person, day):
            event[rows] = number
        return event

    def _inside(self, person: np.ndarray, day: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each kind of event, and the rows that lie in its window."""
        lived = np.any(self.day < NEVER, axis=1)
        touched = np.flatnonzero(lived[person])
        who, when = person[touched], day[touched]
        for number, name in enumerate(LIFE_EVENTS):
            effect = EFFECTS[name]
            since = when - self.day[who, number]
            inside = (since >= -effect.days_before) & (since <= effect.days_after)
            yield number, touched[inside]


def draw_milestones(*, people: People, clock: Clock, rng: np.random.Generator) -> Milestones:
    """Draw the events of everyone's life.

    Couples share births, weddings and homes; whoever lives together moves together.
    """
    n = len(people)
    partner = people.role == PARTNER
    leader = np.where(partner, people.head, np.arange(n))
    in_couple = partner.copy()
    in_couple[people.head[partner]] = True
    # A couple lives by the age of its younger half.
    age = people.age.copy()
    age[people.head[partner]] = np.minimum(age[people.head[partner]], age[partner])

    columns = {
        "birth": _happen("birth", np.where(in_couple, 1.0, ALONE["birth"]), BIRTH, age, clock, rng),
        "move": people.moved_day,
        "wedding": _happen(
            "wedding", np.where(in_couple, 1.0, ALONE["wedding"]), WEDDING, age, clock, rng
        ),
        "retirement": _retire(people, clock, rng),
        "home_purchase": _buy_homes(people, age, clock, rng),
    }
    shared = ("birth", "wedding", "home_purchase")
    day = np.column_stack(
        [columns[name][leader] if name in shared else columns[name] for name in LIFE_EVENTS]
    )
    declared = (day < NEVER) & (rng.random(day.shape) < DECLARED_SHARE)
    return Milestones(day=day, declared=declared)


def true_life_events(*, milestones: Milestones, people: People, clock: Clock) -> pa.Table:
    """Every event within the days of the world, in the contract `truth.life_events`."""
    person, kind = np.nonzero((milestones.day >= 0) & (milestones.day < clock.days))
    return pa.table(
        {
            "person_id": people.ids.take(pa.array(person)),
            "kind": pick(LIFE_EVENTS, kind),
            "day": pa.array(clock.dates[milestones.day[person, kind]]),
            "declared": pa.array(milestones.declared[person, kind]),
        },
        schema=arrow_schema(CONTRACTS["truth.life_events"]),
    )


def _happen(
    name: str,
    share: np.ndarray,
    bell: tuple[float, float, float, float, float],
    age: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> np.ndarray:
    """Day of an event whose yearly chance is `share` of a bell over the age on that day."""
    effect = EFFECTS[name]
    first, last = -effect.days_after, clock.days + effect.days_before
    # One candidate a person on an even day, kept with the chance of all those years.
    day = rng.integers(first, last, len(age))
    then = age - (clock.days - 1 - day) / 365.25
    peak, centre, spread, youngest, oldest = bell
    rate = share * peak * np.exp(-0.5 * ((then - centre) / spread) ** 2)
    rate *= (then >= youngest) & (then <= oldest)
    return np.where(rng.random(len(age)) < rate * (last - first) / 365.25, day, NEVER)


def _retire(people: People, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    n = len(people)
    age = np.clip(rng.normal(RETIREMENT_AGE, RETIREMENT_SPREAD, n), *RETIREMENT_BOUNDS)
    day = clock.days - 1 + np.round((age - people.age) * 365.25).astype(np.int64)
    effect = EFFECTS["retirement"]
    seen = (day >= -effect.days_after) & (day < clock.days + effect.days_before)
    return np.where(seen & (rng.random(n) < WORKED_SHARE), day, NEVER)


def _buy_homes(
    people: People, age: np.ndarray, clock: Clock, rng: np.random.Generator
) -> np.ndarray:
    """Homes bought: by a part of those who move, shortly before, and by some who stay."""
    n = len(people)
    owns_nothing = np.isin(people.role, (CHILD, TWIN, MATE))
    stays = people.moved_day == NEVER
    other = _happen("home_purchase", stays * 1.0, PURCHASE, age, clock, rng)
    grown = (age >= PURCHASE[3]) & (age <= PURCHASE[4])
    moves_in = ~stays & grown & (rng.random(n) < BUYS_NEW_HOME_SHARE)
    bought = np.where(moves_in, people.moved_day - rng.integers(5, 90, n), other)
    return np.where(owns_nothing, NEVER, bought)
