"""True people: who lives together, what they are called, where and how to reach them.

Whoever lives together shares an address, often a landline, sometimes an e-mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.worlds.demo import pools
from customer360.worlds.demo.chunk import WHOLE, Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.text import (
    ascii_fold,
    choose,
    concat,
    digits,
    either,
    keep,
    pick,
    segment_positions,
)

__all__ = [
    "NEVER",
    "Addresses",
    "People",
    "country_code",
    "make_people",
    "postcode_of",
    "street_of",
    "town_of",
    "true_contacts",
]

NEVER = 10**6  # day of what never happens
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

# Names.

ONE_NAME_SHARE = 0.65  # couples who bear one last name
DOUBLE_NAME_SHARE = 0.02  # people born with two last names
DOUBLE_WIFE_SHARE = 0.12  # wives who write their own name after the couple's
DOUBLE_CHILD_SHARE = 0.12  # children who bear both parents' names
OTHER_PARENT_SHARE = 0.30  # children of one parent at home who bear the other one's name
SAME_FIRST_SHARE = 0.08  # sons named like their father, daughters like their mother
SAME_ORIGIN_SHARE = 0.75  # couples who both come from where one does
GIVEN_FROM_ORIGIN_SHARE = 0.65  # first names from there as well
# The last name of rank r weighs (r + shift) ** -power; chosen to resemble the French ranking
NAME_SHIFT, NAME_POWER = 5, 0.65

# Places and ways to reach people.

RURAL_AROUND = 20  # thousand people: a village stands for its surroundings
MOVED_SHARE = 0.25  # of homes, over the years of the world. Source: INSEE, about one in ten a year
NEAR_SHARE = 0.60  # of them, those who stayed in their town
NEW_MOBILE_SHARE = 0.10  # mobile numbers that changed in these years
LANDLINE_SHARE = 0.55  # homes with a landline
BOX_SHARE = 0.35  # of them, numbers that came with an internet box, 09
OLD_EMAIL_SHARE = 0.15  # people who used another address before
SHARED_EMAIL_SHARE = 0.08  # partners and children who use the address of the head of the home
MAIDEN_EMAIL_SHARE = 0.30  # wives whose address bears their birth name

FEMALE = [pools.FEMALE_NAMES[decade] for decade in pools.FEMALE_NAMES]
MALE = [pools.MALE_NAMES[decade] for decade in pools.FEMALE_NAMES]
DECADES = np.array(list(pools.FEMALE_NAMES))
# First names: for women then men, a list by decade, then one by origin.
_LISTS = [
    *FEMALE,
    *(origin.female for origin in pools.ORIGINS),
    *MALE,
    *(origin.male for origin in pools.ORIGINS),
]
_LIST_SIZE = np.array([len(names) for names in _LISTS])
_LIST_START = np.cumsum(_LIST_SIZE) - _LIST_SIZE
FIRST_NAMES = [name for names in _LISTS for name in names]
# Last names: the French ones, then those of each origin.
_LAST_SIZE = np.array([len(pools.LAST_NAMES), *(len(origin.last) for origin in pools.ORIGINS)])
_LAST_START = np.cumsum(_LAST_SIZE) - _LAST_SIZE
ALL_LAST_NAMES = [*pools.LAST_NAMES, *(name for origin in pools.ORIGINS for name in origin.last)]

# Kinds of complement of an address.
PLAIN, FLAT, BUILDING, HAMLET, RESIDENCE, STAIRS, ESTATE = range(7)

_ZONE = {dept: zone for zone, depts in pools.ZONES.items() for dept in depts.split()}
_BLOCK_NAMES = list(pools.NUMBER_BLOCKS)
_BOX, _OLD_MOBILES, _NEW_MOBILES = (_BLOCK_NAMES.index(name) for name in ("09", "06", "07"))
_DEPT = [postcode[:3] for _, postcode, _, _ in pools.TOWNS]
_OVERSEAS_TOWN = np.array([dept in pools.COUNTRY_CODES for dept in _DEPT])
_FIXED_OF_TOWN = np.array(
    [
        _BLOCK_NAMES.index(
            f"{dept} fixed" if dept in pools.COUNTRY_CODES else f"0{_ZONE[dept[:2]]}"
        )
        for dept in _DEPT
    ]
)
_MOBILE_OF_TOWN = np.array(
    [
        _BLOCK_NAMES.index(f"{dept} mobile") if dept in pools.COUNTRY_CODES else _OLD_MOBILES
        for dept in _DEPT
    ]
)
_COUNTRY_CODE = np.full(1000, 33)
for _name, _blocks in pools.NUMBER_BLOCKS.items():
    for _block in _blocks.split():
        if _name[:3] in pools.COUNTRY_CODES:
            _COUNTRY_CODE[int(_block[:3])] = pools.COUNTRY_CODES[_name[:3]]


@dataclass(frozen=True)
class Addresses:
    """Addresses as numbers into the pools, one per household.

    `extra` is the kind of complement: PLAIN, FLAT, BUILDING, HAMLET, RESIDENCE, STAIRS or
    ESTATE; `extra_number` tells which flat, building...
    """

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
    landline, old_landline : array of int
        Nine national digits shared by the household, 0 for none; the old one was that of
        the old address.
    address, old_address : Addresses
        By person. `moved_day` is the day of the move, NEVER for most, and `moved_on` its
        date, NaT for most.
    chunk : Chunk
        Part of the world that these people are.
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
    old_landline: np.ndarray
    address: Addresses
    old_address: Addresses
    moved_day: np.ndarray
    moved_on: np.ndarray
    chunk: Chunk = WHOLE

    def __len__(self) -> int:
        return len(self.household)

    @property
    def ids(self) -> pa.StringArray:
        """True identifiers of the people, unlike any of another chunk."""
        return concat("P", digits(self.chunk.first_person + np.arange(1, len(self) + 1), 7))

    @property
    def household_ids(self) -> pa.StringArray:
        """True identifiers of their households, unlike any of another chunk."""
        return concat("H", digits(self.chunk.numbers(self.household), 7))


def make_people(
    *, people: int, clock: Clock, rng: np.random.Generator, chunk: Chunk = WHOLE
) -> People:
    """Draw households and the people in them.

    Parameters
    ----------
    people : int
        How many people.
    clock : Clock
    rng : numpy Generator
    chunk : Chunk
        Part of a larger world: e-mails, telephone numbers and identifiers are then
        unlike those of the other parts.
    """
    household, head, role = _households(people, rng)
    homes = int(household[-1]) + 1
    # Part of a year on top: the bounds below would otherwise be everyone's birthday.
    age = _ages(household, head, role, rng) + rng.random(people)
    born = clock.dates[-1] - np.round(age * 365.25).astype("timedelta64[D]")
    birth = np.where(role == TWIN, born[np.maximum(np.arange(people) - 1, 0)], born)
    male = _sexes(head, role, rng)
    origin = _origins(head, role, rng)
    first = _first_names(birth, male, origin, head, role, rng)
    first_text = pick(FIRST_NAMES, first)
    last, maiden = _last_names(head, role, male, age, origin, rng)

    address = _addresses(homes, rng)
    moved = rng.random(homes) < MOVED_SHARE
    away = _addresses(homes, rng)
    near = rng.random(homes) < NEAR_SHARE
    old = Addresses(**{**vars(away), "town": np.where(near, address.town, away.town)})
    old = old.where(moved, address)
    moved_day = np.where(moved, rng.integers(30, clock.days - 30, homes), NEVER)[household]

    landline, old_landline = _landlines(address.town, old.town, rng, chunk)
    mobile_day = np.where(
        rng.random(people) < NEW_MOBILE_SHARE, rng.integers(0, clock.days, people), NEVER
    )
    mobile, old_mobile = _mobiles(address.town[household], age, mobile_day < NEVER, rng, chunk)

    # Some wives go on using an address that bears their birth name.
    signs = either(rng.random(people) < MAIDEN_EMAIL_SHARE, pc.coalesce(maiden, last), last)
    email, old_email = _emails(first_text, signs, birth, rng, chunk)
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
        nick=pick([pools.NICKNAMES.get(name, name) for name in FIRST_NAMES], first),
        maiden=maiden,
        email=email,
        old_email=old_email,
        mobile=mobile,
        old_mobile=old_mobile,
        mobile_day=mobile_day,
        landline=landline[household],
        old_landline=old_landline[household],
        address=address.take(household),
        old_address=old.take(household),
        moved_day=moved_day,
        moved_on=np.where(
            moved_day < NEVER,
            clock.dates[0] + moved_day.astype("timedelta64[D]"),
            np.datetime64("NaT", "D"),
        ),
        chunk=chunk,
    )


def true_contacts(people: People) -> dict[str, pa.Array]:
    """How to reach each person on the last day, in columns of the contract `truth.people`.

    Telephone numbers are in international form; `moved_on` is empty for no move.
    """
    no = np.zeros(len(people), dtype=bool)
    return {
        "email": people.email,
        "mobile": _international(people.mobile),
        "landline": keep(_international(people.landline), people.landline > 0),
        "street": street_of(people.address, abbreviated=no),
        "postcode": postcode_of(people.address),
        "city": town_of(people.address),
        "moved_on": pa.array(people.moved_on, mask=np.isnat(people.moved_on)),
    }


def street_of(
    address: Addresses,
    *,
    abbreviated: np.ndarray,
    kindless: np.ndarray | None = None,
    bare: np.ndarray | None = None,
) -> pa.StringArray:
    """Number, street and complement in one field, as written.

    Parameters
    ----------
    address : Addresses
    abbreviated, kindless, bare : array of bool
        Where the words are shortened (NF Z10-011), where the type of street is left out,
        and where flat, building or residence are.
    """
    short = np.asarray(abbreviated, dtype=np.int64)
    number = concat(digits(address.number), pick((" ", " bis ", " ter ", " B "), address.suffix))
    types = len(pools.STREET_TYPES)
    kinds = [f"{long} " for long, _, _ in pools.STREET_TYPES]
    kinds += [f"{brief} " for _, brief, _ in pools.STREET_TYPES] + [""]
    kind = address.street_type + types * short
    if kindless is not None:
        kind = np.where(kindless, 2 * types, kind)
    names = [*pools.STREET_NAMES, *pools.SHORT_STREET_NAMES]
    name = pick(names, address.street_name + len(pools.STREET_NAMES) * short)
    line = concat(number, pick(kinds, kind), name)
    extra = address.extra if bare is None else np.where(bare, PLAIN, address.extra)
    # A hamlet has no street: it is never left out.
    extra = np.where(address.extra == HAMLET, HAMLET, extra)
    rows = np.flatnonzero(extra != PLAIN)
    written = _complemented(
        line.take(pa.array(rows)), extra[rows], address.extra_number[rows], short[rows]
    )
    return pc.replace_with_mask(line, pa.array(extra != PLAIN), written)


def _complemented(
    line: pa.StringArray, extra: np.ndarray, which: np.ndarray, short: np.ndarray
) -> pa.StringArray:
    flat = digits(which)
    building = pick(list("ABCDEFGH"), which % 8)
    residence = concat(
        pick(("Résidence ", "Rés. "), short),
        pick(pools.RESIDENCES, which % len(pools.RESIDENCES)),
        ", ",
    )
    before_flat = pick((", appt ", ", apt ", ", appartement "), which % 3)
    hamlet = concat(
        pick(("Lieu-dit ", "", "LD "), np.where(short == 1, 2, which % 2)),
        pick(pools.LIEUX_DITS, which % len(pools.LIEUX_DITS)),
    )
    written = concat(line, before_flat, flat)
    for kind, text in (
        (BUILDING, concat(pick(("Bât. ", "Bât "), short), building, ", ", line)),
        (HAMLET, hamlet),
        (RESIDENCE, concat(residence, line)),
        (STAIRS, concat("Esc. ", digits(1 + which % 4), before_flat, flat, ", ", line)),
        (ESTATE, concat(residence, "bât. ", building, before_flat, flat, ", ", line)),
    ):
        written = either(extra == kind, text, written)
    return written


def town_of(address: Addresses) -> pa.StringArray:
    """Town of an address."""
    return pick([town[0] for town in pools.TOWNS], address.town)


def postcode_of(address: Addresses) -> pa.StringArray:
    """Postcode of an address."""
    return pick([town[1] for town in pools.TOWNS], address.town)


def country_code(number: np.ndarray) -> np.ndarray:
    """Country code of national numbers of nine digits: 33, or that of a department overseas."""
    return _COUNTRY_CODE[number // 10**6]


def _international(number: np.ndarray) -> pa.StringArray:
    return concat("+", digits(country_code(number)), digits(number, 9))


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


def _origins(head: np.ndarray, role: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the names of each person come from: 0 for France, else a place in ORIGINS + 1."""
    n = len(head)
    shares = np.array([origin.share for origin in pools.ORIGINS])
    own = np.searchsorted(np.cumsum(np.r_[1 - shares.sum(), shares])[:-1], rng.random(n), "right")
    like_head = (role == CHILD) | (role == TWIN)
    like_head |= (role == PARTNER) & (rng.random(n) < SAME_ORIGIN_SHARE)
    return np.where(like_head, own[head], own)


def _first_names(
    birth: np.ndarray,
    male: np.ndarray,
    origin: np.ndarray,
    head: np.ndarray,
    role: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    n = len(birth)
    year = birth.astype("datetime64[Y]").astype(int) + 1970
    closeness = np.exp(-0.5 * ((year[:, None] - DECADES) / 8.0) ** 2) + 1e-4
    abroad = (origin > 0) & (rng.random(n) < GIVEN_FROM_ORIGIN_SHARE)
    column = np.where(abroad, len(DECADES) + origin - 1, choose(closeness, rng))
    names = column + male * (len(_LISTS) // 2)
    # u ** 1.9: the first names of a list are the more frequent ones.
    rank = (rng.random(n) ** 1.9 * _LIST_SIZE[names]).astype(np.int64)
    # Fathers and sons, mothers and daughters of the same name.
    same = (role == CHILD) & (male == male[head]) & (rng.random(n) < SAME_FIRST_SHARE)
    names, rank = np.where(same, names[head], names), np.where(same, rank[head], rank)
    index = _LIST_START[names] + rank
    # Twins never: the next name of the list is given to the second.
    alike = (role == TWIN) & (index == np.roll(index, 1))
    return np.where(alike, _LIST_START[names] + (rank + 1) % _LIST_SIZE[names], index)


def _last_names(
    head: np.ndarray,
    role: np.ndarray,
    male: np.ndarray,
    age: np.ndarray,
    origin: np.ndarray,
    rng: np.random.Generator,
) -> tuple[pa.StringArray, pa.StringArray]:
    """Last name of each person, and the birth name of those who took another."""
    n = len(head)
    row = np.arange(n)
    drawn, other = _draw_last(origin, rng), _draw_last(np.zeros(n, dtype=np.int64), rng)
    born = pick(ALL_LAST_NAMES, drawn)
    elsewhere = pick(ALL_LAST_NAMES, other)
    double = (rng.random(n) < DOUBLE_NAME_SHARE) & (drawn != other)
    own = either(double, concat(born, "-", elsewhere), born)

    # Couples of one name: it is the man's, whoever is the head, so the wife was born another.
    one_name = (role == PARTNER) & (rng.random(n) < ONE_NAME_SHARE)
    married = one_name.copy()
    married[head[one_name]] = True
    other_half = np.where(role == HEAD, np.minimum(row + 1, n - 1), head)
    wife = married & ~male & male[other_half]
    bride = np.where(role == HEAD, other_half, row)
    birth_name = born.take(pa.array(bride))
    child = (role == CHILD) | (role == TWIN)
    last = own.take(pa.array(np.where(one_name | child, head, row)))
    doubled = wife & (rng.random(n) < DOUBLE_WIFE_SHARE) & (drawn[bride] != drawn[head])
    last = either(doubled, concat(last, "-", birth_name), last)

    # Twins bear one name; the parent who lives elsewhere gives the name drawn for the child.
    elder = np.where(role == TWIN, row - 1, row)
    at_home = role[other_half[head]] == PARTNER
    parent = np.where(at_home, other_half[head], elder)
    draw = rng.random(n)[elder]
    both = child & (draw < DOUBLE_CHILD_SHARE) & (drawn[head] != drawn[parent])
    mine, theirs = born.take(pa.array(head)), born.take(pa.array(parent))
    last = either(both, concat(mine, "-", theirs), last)
    last = either(child & ~at_home & (draw > 1 - OTHER_PARENT_SHARE), theirs, last)

    # Widows and divorced women who kept the name.
    alone = (role == HEAD) & (role[np.minimum(row + 1, n - 1)] == HEAD)
    kept = alone & ~male & (rng.random(n) < np.clip((age - 25) / 90, 0, 0.5))
    return last, keep(either(kept, elsewhere, birth_name), kept | wife)


def _draw_last(origin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weight = (np.arange(1, _LAST_SIZE[0] + 1) + NAME_SHIFT) ** -NAME_POWER
    share = np.cumsum(weight) / weight.sum()
    draw = rng.random(len(origin))
    french = np.minimum(np.searchsorted(share, draw), _LAST_SIZE[0] - 1)
    foreign = (draw**1.2 * _LAST_SIZE[origin]).astype(np.int64)
    return _LAST_START[origin] + np.where(origin == 0, french, foreign)


def _addresses(homes: int, rng: np.random.Generator) -> Addresses:
    people_there = np.array([town[2] for town in pools.TOWNS], dtype=float)
    rural = np.array([town[3] == "rural" for town in pools.TOWNS])
    weight = people_there + np.where(rural, RURAL_AROUND, 0)
    town = rng.choice(len(pools.TOWNS), size=homes, p=weight / weight.sum())
    types = np.array([share for _, _, share in pools.STREET_TYPES])
    kinds = rng.choice(7, size=homes, p=[0.73, 0.11, 0.05, 0.0, 0.06, 0.02, 0.03])
    hamlet = np.where(rng.random(homes) < 0.18, HAMLET, PLAIN)
    return Addresses(
        town=town,
        number=1 + (rng.gamma(1.1, 28, homes)).astype(int),
        suffix=rng.choice(4, size=homes, p=[0.93, 0.05, 0.01, 0.01]),
        street_type=rng.choice(len(types), size=homes, p=types / types.sum()),
        street_name=(rng.random(homes) ** 1.5 * len(pools.STREET_NAMES)).astype(int),
        extra=np.where(rural[town], hamlet, kinds),
        extra_number=rng.integers(1, 120, homes),
    )


def _landlines(
    town: np.ndarray, old_town: np.ndarray, rng: np.random.Generator, chunk: Chunk
) -> tuple[np.ndarray, np.ndarray]:
    """Landline of each home now and before the move; 0 for none."""
    box = (rng.random(len(town)) < BOX_SHARE) & ~_OVERSEAS_TOWN[town]
    has = rng.random(len(town)) < LANDLINE_SHARE
    blocks = np.where(box, _BOX, _FIXED_OF_TOWN[town])
    # Who moves within the zone keeps the number, and so does a box.
    left = has & ~box & (_FIXED_OF_TOWN[town] != _FIXED_OF_TOWN[old_town])
    blocks = np.concatenate(
        [np.where(has, blocks, -1), np.where(left, _FIXED_OF_TOWN[old_town], -1)]
    )
    now, before = np.split(_numbers(blocks, chunk), 2)
    return now, np.where(left, before, now)


def _mobiles(
    town: np.ndarray, age: np.ndarray, changed: np.ndarray, rng: np.random.Generator, chunk: Chunk
) -> tuple[np.ndarray, np.ndarray]:
    """Mobile number of each person now and before it changed."""
    blocks = _MOBILE_OF_TOWN[town]
    # 07 was opened in 2010: the younger the owner, the more often.
    young = rng.random(len(town)) < np.clip(0.55 - age / 160, 0.08, 0.45)
    now = np.where((blocks == _OLD_MOBILES) & young, _NEW_MOBILES, blocks)
    number, before = np.split(
        _numbers(np.concatenate([now, np.where(changed, blocks, -1)]), chunk), 2
    )
    return number, np.where(changed, before, number)


def _numbers(blocks: np.ndarray, chunk: Chunk) -> np.ndarray:
    """A telephone number of its own for each row, in the blocks of that number; 0 for -1."""
    number = np.zeros(len(blocks), dtype=np.int64)
    for place, name in enumerate(_BLOCK_NAMES):
        rows = np.flatnonzero(blocks == place)
        starts = np.array(pools.NUMBER_BLOCKS[name].split(), dtype=np.int64)
        free = 10 ** (9 - len(str(starts[0])))
        at = _scattered(chunk.numbers(np.arange(len(rows))), len(starts) * free)
        number[rows] = starts[at // free] * free + at % free
    return number


def _scattered(index: np.ndarray, size: int) -> np.ndarray:
    """Send different numbers below `size` (a multiple of 1000) to different ones, as if drawn.

    Each half of the digits is shifted by a function of the other one (Luby and Rackoff,
    SIAM Journal on Computing 17, 1988): a shift can be undone, so none are sent together.
    """
    stride = next(k for k in range(int(size * 0.6180339887), size) if gcd(k, size) == 1)
    high, low = np.divmod(index % size * stride % size, 1000)
    low = (low + high**2) % 1000
    high = (high + 7919 * low**3) % (size // 1000)
    return (high * 1000 + low) * stride % size


def _emails(
    first: pa.StringArray,
    last: pa.StringArray,
    birth: np.ndarray,
    rng: np.random.Generator,
    chunk: Chunk,
) -> tuple[pa.StringArray, pa.StringArray]:
    """Address of each person, and the one used before; no two people have the same."""
    n = len(birth)
    older = np.flatnonzero(rng.random(n) < OLD_EMAIL_SHARE)
    person = np.concatenate([np.arange(n), older])
    rows = pa.array(person)
    year = (birth.astype("datetime64[Y]").astype(int) + 1970)[person]
    local = _local_part(_plain(first).take(rows), _plain(last).take(rows), year, rng)
    share = np.array([share for _, share in pools.MAIL_PROVIDERS])
    provider = rng.choice(len(share), size=len(person), p=share / share.sum())
    at = pick([f"@{name}" for name, _ in pools.MAIL_PROVIDERS], provider)
    wanted = concat(local, at)
    # The provider refuses an address that exists: who comes late adds a number.
    before = _times_seen(wanted)
    free = (before == 0) & _belongs(wanted, chunk)
    email = either(free, wanted, concat(local, ".", digits(chunk.numbers(before)), at))
    now = email.slice(0, n)
    mask = np.zeros(n, dtype=bool)
    mask[older] = True
    return now, pc.replace_with_mask(now, pa.array(mask), email.slice(n))


def _times_seen(values: pa.StringArray) -> np.ndarray:
    """How often each value stands in an earlier row."""
    code = values.dictionary_encode().indices.to_numpy()
    order = np.argsort(code, kind="stable")
    _, start, count = np.unique(code[order], return_index=True, return_counts=True)
    seen = np.empty(len(code), dtype=np.int64)
    seen[order] = np.arange(len(code)) - np.repeat(start, count)
    return seen


def _belongs(values: pa.StringArray, chunk: Chunk) -> np.ndarray:
    """Whether this chunk, of all, is the one where a value may stand as it is."""
    if chunk.count == 1:
        return np.ones(len(values), dtype=bool)
    owner = pd.util.hash_array(values.to_numpy(zero_copy_only=False)) % np.uint64(chunk.count)
    return owner == chunk.index


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
