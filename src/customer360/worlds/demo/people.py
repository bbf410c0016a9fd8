"""True people: who lives together, what they are called, where and how to reach them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.text import (
    ascii_fold,
    choose,
    concat,
    digits,
    either,
    pick,
    segment_positions,
)

__all__ = ["NEVER", "Addresses", "People", "make_people", "postcode_of", "street_of", "town_of"]

NEVER = 10**6
HEAD, PARTNER, CHILD, TWIN, MATE = range(5)

# Kind of household: share of households, roles of its members.
HOUSEHOLDS: dict[str, tuple[float, tuple[int, ...]]] = {
    "alone": (0.50, (HEAD,)),
    "couple": (0.33, (HEAD, PARTNER)),
    "couple with a grown child": (0.06, (HEAD, PARTNER, CHILD)),
    "parent with a grown child": (0.06, (HEAD, CHILD)),
    "parent with grown twins": (0.01, (HEAD, CHILD, TWIN)),
    "flatmates": (0.04, (HEAD, MATE)),
}
MOVED_SHARE = 0.12
NEW_MOBILE_SHARE = 0.10
LANDLINE_SHARE = 0.55
SHARED_EMAIL_SHARE = 0.08

# First digit after 0 of a landline, by department; first three digits overseas.
_ZONES = {
    1: "75 77 78 91 92 93 94 95",
    2: "14 18 22 27 28 29 35 36 37 41 44 45 49 50 53 56 61 72 76 85",
    3: "02 08 10 21 25 39 51 52 54 55 57 58 59 60 62 67 68 70 71 80 88 89 90",
    4: "01 03 04 05 06 07 11 13 15 20 26 30 34 38 42 43 48 63 66 69 73 74 83 84",
    5: "09 12 16 17 19 23 24 31 32 33 40 46 47 64 65 79 81 82 86 87",
}
ZONE_OF = {dept: zone for zone, depts in _ZONES.items() for dept in depts.split()}
# Second digits in use after each first one.
SECOND_DIGITS = {
    1: "123456789", 2: "12345789", 3: "123456789", 4: "123456789", 5: "12345678",
    6: "01245678", 7: "3456789",
}  # fmt: skip
OVERSEAS_LANDLINE = {"971": 590, "972": 596, "973": 594, "974": 262, "976": 269}
OVERSEAS_MOBILE = {"971": 690, "972": 696, "973": 694, "974": 692, "976": 639}

FEMALE = [name for names in pools.FEMALE_NAMES.values() for name in names]
MALE = [name for names in pools.MALE_NAMES.values() for name in names]
FIRST_NAMES = FEMALE + MALE


@dataclass(frozen=True)
class Addresses:
    """Addresses as numbers into the pools, one per household."""

    town: np.ndarray
    number: np.ndarray
    suffix: np.ndarray
    street_type: np.ndarray
    street_name: np.ndarray
    extra: np.ndarray
    extra_number: np.ndarray

    def take(self, index: np.ndarray) -> Addresses:
        """Addresses of other rows."""
        return Addresses(**{name: values[index] for name, values in vars(self).items()})

    def where(self, mask: np.ndarray, other: Addresses) -> Addresses:
        """These where the mask is true, the other ones elsewhere."""
        return Addresses(
            **{n: np.where(mask, values, getattr(other, n)) for n, values in vars(self).items()}
        )


@dataclass(frozen=True)
class People:
    """The true people, one row each; households are runs of neighbouring rows.

    Attributes
    ----------
    household : array of int
    head : array of int
        Row of the head of the household.
    role : array of int
        HEAD, PARTNER, CHILD, TWIN or MATE.
    male : array of bool
    birth : array of datetime64[D]
    age : array of float
        Years on the last day of the world.
    first, last, nick, maiden : Arrow text
        Names; `maiden` is empty but for those who took their partner's name.
    email, old_email : Arrow text
        Main address, and the one used before.
    mobile, old_mobile : array of int
        Nine national digits. `mobile_day` is the day the number changed.
    landline : array of int
        Nine national digits shared by the household, 0 for none.
    address, old_address : Addresses
        By person. `moved_day` is the day of the move, NEVER for most.
    """

    household: np.ndarray
    head: np.ndarray
    role: np.ndarray
    male: np.ndarray
    birth: np.ndarray
    age: np.ndarray
    first: pa.StringArray
    last: pa.StringArray
    nick: pa.StringArray
    maiden: pa.StringArray
    email: pa.StringArray
    old_email: pa.StringArray
    mobile: np.ndarray
    old_mobile: np.ndarray
    mobile_day: np.ndarray
    landline: np.ndarray
    address: Addresses
    old_address: Addresses
    moved_day: np.ndarray

    def __len__(self) -> int:
        return len(self.household)

    @property
    def ids(self) -> pa.StringArray:
        """True identifiers of the people."""
        return concat("P", digits(np.arange(1, len(self) + 1), 7))


def make_people(*, people: int, clock: Clock, rng: np.random.Generator) -> People:
    """Draw households and the people in them.

    Parameters
    ----------
    people : int
        How many people.
    clock : Clock
    rng : numpy Generator
    """
    household, head, role = _households(people, rng)
    homes = int(household[-1]) + 1
    # Part of a year on top: the bounds below would otherwise be everyone's birthday.
    age = _ages(household, head, role, rng) + rng.random(people)
    born = clock.dates[-1] - np.round(age * 365.25).astype("timedelta64[D]")
    birth = np.where(role == TWIN, born[np.maximum(np.arange(people) - 1, 0)], born)
    male = _sexes(head, role, rng)

    first = _first_names(birth, male, head, role, rng)
    last, maiden = _last_names(head, role, male, rng)
    first_text = pick(FIRST_NAMES, first)
    nick_pool = [pools.NICKNAMES.get(name, name) for name in FIRST_NAMES]

    address = _addresses(homes, rng)
    moved = rng.random(homes) < MOVED_SHARE
    away = _addresses(homes, rng)
    # Six movers in ten stay in their town.
    near = rng.random(homes) < 0.6
    old = Addresses(**{**vars(away), "town": np.where(near, address.town, away.town)})
    old = old.where(moved, address)
    moved_day = np.where(moved, rng.integers(30, clock.days - 30, homes), NEVER)

    overseas_landline = np.array([OVERSEAS_LANDLINE.get(t[1][:3], 0) for t in pools.TOWNS])
    overseas_mobile = np.array([OVERSEAS_MOBILE.get(t[1][:3], 0) for t in pools.TOWNS])
    zone = np.array([ZONE_OF.get(town[1][:2], 0) for town in pools.TOWNS])
    home_landline = _numbers(zone[address.town], overseas_landline[address.town], rng)
    home_landline *= rng.random(homes) < LANDLINE_SHARE
    town = address.town[household]
    mobile = _numbers(6 + (rng.random(people) < 0.25), overseas_mobile[town], rng)
    changed = rng.random(people) < NEW_MOBILE_SHARE
    before = _numbers(np.full(people, 6), overseas_mobile[town], rng)

    email, old_email = _emails(first_text, last, birth, rng)
    shares = ((role == PARTNER) | (role == CHILD)) & (rng.random(people) < SHARED_EMAIL_SHARE)
    email = email.take(pa.array(np.where(shares, head, np.arange(people))))
    return People(
        household=household,
        head=head,
        role=role,
        male=male,
        birth=birth,
        age=(clock.dates[-1] - birth).astype(float) / 365.25,
        first=first_text,
        last=last,
        nick=pick(nick_pool, first),
        maiden=maiden,
        email=email,
        old_email=old_email,
        mobile=mobile,
        old_mobile=np.where(changed, before, mobile),
        mobile_day=np.where(changed, rng.integers(0, clock.days, people), NEVER),
        landline=home_landline[household],
        address=address.take(household),
        old_address=old.take(household),
        moved_day=moved_day[household],
    )


def street_of(address: Addresses, abbreviated: np.ndarray) -> pa.StringArray:
    """Number and street as written, the type of street abbreviated or not."""
    number = digits(address.number)
    suffix = pick(["", " bis", " ter", " B"], address.suffix)
    long = pick([kind for kind, _, _ in pools.STREET_TYPES], address.street_type)
    short = pick([kind for _, kind, _ in pools.STREET_TYPES], address.street_type)
    name = pick(pools.STREET_NAMES, address.street_name)
    street = concat(number, suffix, " ", either(abbreviated, short, long), " ", name)
    extra = address.extra
    hamlet = pick(pools.LIEUX_DITS, address.extra_number % len(pools.LIEUX_DITS))
    flat = concat(street, ", appt ", digits(address.extra_number))
    building = concat("Bât. ", pick(list("ABCDEFGH"), address.extra_number % 8), ", ", street)
    street = either(extra == 1, flat, street)
    street = either(extra == 2, building, street)
    return either(extra == 3, concat("Lieu-dit ", hamlet), street)


def town_of(address: Addresses) -> pa.StringArray:
    """Town of an address."""
    return pick([town[0] for town in pools.TOWNS], address.town)


def postcode_of(address: Addresses) -> pa.StringArray:
    """Postcode of an address."""
    return pick([town[1] for town in pools.TOWNS], address.town)


def _households(people: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shares = np.array([share for share, _ in HOUSEHOLDS.values()])
    widths = np.array([len(roles) for _, roles in HOUSEHOLDS.values()])
    roles = np.full((len(widths), widths.max()), -1)
    for row, (_, members) in enumerate(HOUSEHOLDS.values()):
        roles[row, : len(members)] = members
    # More households than needed (each has at least one person), then cut at the number.
    kind = rng.choice(len(shares), size=people, p=shares / shares.sum())
    owner, rank = segment_positions(widths[kind])
    owner, rank = owner[:people], rank[:people]
    head = np.arange(people) - rank
    return owner, head, roles[kind[owner], rank]


def _ages(
    household: np.ndarray, head: np.ndarray, role: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    n = len(household)
    own = np.clip(rng.normal(47, 16, n), 18, 92)
    parent = np.zeros(n, dtype=bool)
    parent[head[(role == CHILD)]] = True
    own = np.where(parent, np.clip(own + 8, 44, 88), own)
    of_head = own[head]
    age = np.where(role == PARTNER, np.clip(of_head + rng.normal(-1, 3.5, n), 18, 95), own)
    child = np.maximum(of_head - rng.uniform(20, 38, n), 18 + rng.random(n))
    age = np.where(role == CHILD, child, age)
    mate = np.clip(of_head + rng.normal(0, 4, n), 18, 80)
    return np.where(role == MATE, mate, age)


def _sexes(head: np.ndarray, role: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    male = rng.random(len(head)) < 0.48
    other = rng.random(len(head)) < 0.95
    return np.where(role == PARTNER, male[head] ^ other, male)


def _first_names(
    birth: np.ndarray,
    male: np.ndarray,
    head: np.ndarray,
    role: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    n = len(birth)
    year = birth.astype("datetime64[Y]").astype(int) + 1970
    decades = np.array(list(pools.FEMALE_NAMES))
    closeness = np.exp(-0.5 * ((year[:, None] - decades) / 8.0) ** 2) + 1e-4
    decade = choose(closeness, rng)
    # u ** 1.4: the first names of a pool are the more frequent ones.
    rank = rng.random(n) ** 1.4
    index = np.empty(n, dtype=np.int64)
    base = 0
    for is_male, pool in ((False, pools.FEMALE_NAMES), (True, pools.MALE_NAMES)):
        for number, names in enumerate(pool.values()):
            rows = (male == is_male) & (decade == number)
            index[rows] = base + (rank[rows] * len(names)).astype(int)
            base += len(names)
    # Fathers and sons, mothers and daughters of the same name.
    same = (role == CHILD) & (male == male[head]) & (rng.random(n) < 0.08)
    return np.where(same, index[head], index)


def _last_names(
    head: np.ndarray, role: np.ndarray, male: np.ndarray, rng: np.random.Generator
) -> tuple[pa.StringArray, pa.StringArray]:
    n = len(head)
    draw = (rng.random(n) ** 1.15 * len(pools.LAST_NAMES)).astype(int)
    second = (rng.random(n) * 60).astype(int)
    names = pick(pools.LAST_NAMES, draw)
    double = rng.random(n) < 0.03
    own = either(double, concat(names, "-", pick(pools.LAST_NAMES, second)), names)
    took = (role == PARTNER) & (rng.random(n) < 0.65)
    of_head = took | (role == CHILD) | (role == TWIN)
    last = own.take(pa.array(np.where(of_head, head, np.arange(n))))
    wife = took & ~male
    return last, pc.if_else(pa.array(wife), own, pa.scalar(None, pa.string()))


def _addresses(homes: int, rng: np.random.Generator) -> Addresses:
    people_there = np.array([town[2] for town in pools.TOWNS], dtype=float)
    rural = np.array([town[3] == "rural" for town in pools.TOWNS])
    # Villages stand for their surroundings.
    weight = people_there + np.where(rural, 12, 0)
    town = rng.choice(len(pools.TOWNS), size=homes, p=weight / weight.sum())
    types = np.array([share for _, _, share in pools.STREET_TYPES])
    draw = rng.random(homes)
    flat = np.select([draw < 0.12, draw < 0.20], [1, 2], 0)
    return Addresses(
        town=town,
        number=1 + (rng.gamma(1.1, 28, homes)).astype(int),
        suffix=choose(np.tile([0.93, 0.05, 0.01, 0.01], (homes, 1)), rng),
        street_type=rng.choice(len(types), size=homes, p=types / types.sum()),
        street_name=rng.integers(0, len(pools.STREET_NAMES), homes),
        extra=np.where(rural[town], np.where(draw < 0.15, 3, 0), flat),
        extra_number=rng.integers(1, 80, homes),
    )


def _numbers(prefix: np.ndarray, overseas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Nine national digits: prefix, second digit and seven free; or three, one and five."""
    draw = rng.random(len(prefix))
    second = np.zeros(len(prefix), dtype=np.int64)
    for first, allowed in SECOND_DIGITS.items():
        pool = np.array([int(digit) for digit in allowed])
        second = np.where(prefix == first, pool[(draw * len(pool)).astype(int)], second)
    metropolitan = prefix * 10**8 + second * 10**7 + rng.integers(0, 10**7, len(prefix))
    fourth = np.where((overseas == 269) | (overseas == 639), 6, 3)
    far = overseas * 10**6 + fourth * 10**5 + rng.integers(0, 10**5, len(prefix))
    return np.where(overseas > 0, far, metropolitan)


def _emails(
    first: pa.StringArray, last: pa.StringArray, birth: np.ndarray, rng: np.random.Generator
) -> tuple[pa.StringArray, pa.StringArray]:
    given = _plain(first)
    family = _plain(last)
    year = birth.astype("datetime64[Y]").astype(int) + 1970
    addresses = []
    for _ in range(2):
        n = len(birth)
        local = _local_part(given, family, year, rng)
        # The provider refuses an address that exists: the next one takes a number.
        taken = pd.Series(local.to_pandas()).groupby(local.to_pandas()).cumcount().to_numpy()
        local = either(taken > 0, concat(local, digits(taken + 1)), local)
        share = np.array([share for _, share in pools.MAIL_PROVIDERS])
        provider = rng.choice(len(share), size=n, p=share / share.sum())
        addresses.append(
            concat(local, "@", pick([name for name, _ in pools.MAIL_PROVIDERS], provider))
        )
    second = rng.random(len(birth)) < 0.15
    return addresses[0], either(second, addresses[1], addresses[0])


def _plain(names: pa.StringArray) -> pa.StringArray:
    return pc.utf8_lower(pc.replace_substring_regex(ascii_fold(names), "[^A-Za-z]", ""))


def _local_part(
    given: pa.StringArray, family: pa.StringArray, year: np.ndarray, rng: np.random.Generator
) -> pa.StringArray:
    n = len(year)
    initial = pc.utf8_slice_codeunits(given, 0, 1)
    number = digits(np.where(rng.random(n) < 0.5, year % 100, rng.integers(1, 99, n)), 2)
    habits = [
        (0.42, concat(given, ".", family)),
        (0.12, concat(initial, ".", family)),
        (0.12, concat(given, family)),
        (0.08, concat(family, ".", given)),
        (0.10, concat(given, ".", family, number)),
        (0.07, concat(given, number)),
        (0.05, concat(initial, family, number)),
        (0.04, concat(family, number)),
    ]
    habit = rng.choice(len(habits), size=n, p=[share for share, _ in habits])
    local = habits[0][1]
    for row, (_, written) in enumerate(habits):
        local = either(habit == row, written, local)
    return local
