"""What each system wrote down about each person, with the habits of those who typed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CHANNELS, CONTRACTS, arrow_schema
from customer360.worlds.demo.chunk import WHOLE, Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import (
    CHILD,
    NEVER,
    PARTNER,
    TWIN,
    People,
    country_code,
    postcode_of,
    street_of,
    town_of,
)
from customer360.worlds.demo.text import (
    ascii_fold,
    concat,
    digits,
    either,
    keep,
    misheard,
    mistyped,
    pick,
)
from customer360.worlds.demo.traits import (
    CRM,
    NEWSLETTER,
    SALES_REP,
    SELLING,
    SYSTEMS,
    TILL,
    WEB,
    Traits,
)

__all__ = ["Records", "make_records"]

AGAIN_SHARE = 0.025  # records of someone who is in the same system already

# Habits, one share per system: crm, till, web, newsletter, callcentre, sales_rep.
HABITS: dict[str, tuple[float, ...]] = {
    # case and accents
    "upper": (0.85, 0.60, 0.03, 0.02, 0.30, 0.15),
    "lower": (0.00, 0.02, 0.18, 0.25, 0.02, 0.05),
    "unaccented": (0.95, 0.80, 0.20, 0.25, 0.50, 0.30),
    # names
    "nickname": (0.01, 0.04, 0.05, 0.08, 0.06, 0.08),
    "initial": (0.01, 0.04, 0.01, 0.02, 0.02, 0.10),
    "swapped": (0.01, 0.015, 0.02, 0.02, 0.01, 0.04),
    "maiden": (0.35, 0.25, 0.12, 0.10, 0.15, 0.15),
    "mistyped": (0.015, 0.05, 0.015, 0.03, 0.03, 0.05),
    "misheard": (0.00, 0.04, 0.00, 0.00, 0.12, 0.03),
    # what is filled in
    "title": (0.95, 0.60, 0.80, 0.10, 0.70, 0.50),
    "first_name": (0.98, 0.96, 0.99, 0.55, 0.90, 0.85),
    "last_name": (1.00, 0.99, 0.99, 0.42, 0.98, 1.00),
    "birth_date": (0.60, 0.62, 0.45, 0.10, 0.15, 0.05),
    "email": (0.70, 0.48, 1.00, 1.00, 0.35, 0.45),
    "phone": (0.82, 0.60, 0.70, 0.00, 1.00, 0.85),
    "address": (0.90, 0.35, 0.66, 0.00, 0.55, 0.80),
    "postcode_only": (0.05, 0.40, 0.05, 0.25, 0.10, 0.05),
    "country": (0.90, 0.30, 0.95, 0.10, 0.30, 0.40),
    "company": (0.02, 0.00, 0.01, 0.00, 0.01, 0.45),
    "consents": (0.85, 0.70, 1.00, 1.00, 0.40, 0.10),
    "preferred_channel": (0.55, 0.10, 0.60, 0.00, 0.30, 0.05),
    # how it is written and how true it is
    "abbreviated": (0.60, 0.50, 0.25, 0.00, 0.40, 0.50),
    "kindless": (0.01, 0.05, 0.02, 0.00, 0.05, 0.04),
    "bare": (0.10, 0.60, 0.15, 0.00, 0.40, 0.30),
    "landline": (0.45, 0.20, 0.08, 0.00, 0.35, 0.40),
    # partners and children who gave what belongs to the head of the household
    "family_email": (0.05, 0.10, 0.02, 0.02, 0.06, 0.03),
    "family_mobile": (0.03, 0.06, 0.02, 0.00, 0.05, 0.02),
    "updated": (0.45, 0.30, 0.60, 0.15, 0.50, 0.40),
    "wrong_birth": (0.03, 0.05, 0.02, 0.02, 0.05, 0.05),
    "default_birth": (0.01, 0.04, 0.01, 0.00, 0.00, 0.00),
    "junk_email": (0.01, 0.035, 0.004, 0.004, 0.01, 0.01),
    "email_slip": (0.01, 0.05, 0.008, 0.02, 0.04, 0.03),
    "junk_phone": (0.01, 0.035, 0.015, 0.00, 0.00, 0.01),
    "lost_zero": (0.20, 0.02, 0.00, 0.00, 0.00, 0.10),
}
PREFIXES = ("C", "29", "U", "N", "A", "R")
CEDEX_SHARE = 0.20  # companies reached at their post office box
NEW_YEAR_SHARE = 0.25  # default dates that keep the right year
JUNK_EMAILS = ("test@test.fr", "aucun@aucun.fr", "nc@nc.fr", "noemail@gmail.com", "x@x.fr")
JUNK_PHONES = ("0600000000", "0000000000", "0606060606", "0123456789", "0102030405")
DOMAIN_SLIPS = (
    ("gmail.com", "gmial.com"), ("gmail.com", "gmail.con"), ("hotmail", "hotmial"),
    ("orange.fr", "orange.f"), ("yahoo.fr", "yaho.fr"), ("@", "@ "), ("free.fr", "fre.fr"),
    ("@", ""), (".fr", ".ft"),
)  # fmt: skip
# How a telephone number is written: shares by system.
PHONE_STYLES = np.array(
    [
        # spaced, plain, +33, 0033, dots, +33 spaced, +33 (0), dashes, no zero
        (0.50, 0.20, 0.05, 0.05, 0.15, 0.02, 0.01, 0.02, 0.00),
        (0.10, 0.85, 0.00, 0.00, 0.02, 0.00, 0.00, 0.00, 0.03),
        (0.25, 0.45, 0.12, 0.01, 0.06, 0.07, 0.01, 0.02, 0.01),
        (0.50, 0.50, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
        (0.20, 0.50, 0.20, 0.05, 0.02, 0.03, 0.00, 0.00, 0.00),
        (0.30, 0.15, 0.05, 0.02, 0.30, 0.08, 0.05, 0.02, 0.03),
    ]
)


@dataclass(frozen=True)
class Records:
    """Records of people, in the order of system and source_id.

    Attributes
    ----------
    person, system : array of int
        Row of the person in `People`, number of the system in `SYSTEMS`.
    source_id : Arrow text
    created_day : array of int
    table : Arrow table in the contract `raw.people`
    first, second : array of int, people by systems
        Row of the oldest and of the second record of a person in a system, -1 for none.
    mailable, textable, callable, postable : array of bool
        Has an e-mail, a mobile, any telephone, an address that looks usable.
    email_dead, address_stale : array of bool
        What the system does not know: messages to it will come back.
    """

    person: np.ndarray
    system: np.ndarray
    source_id: pa.StringArray
    created_day: np.ndarray
    table: pa.Table
    first: np.ndarray
    second: np.ndarray
    mailable: np.ndarray
    textable: np.ndarray
    callable: np.ndarray
    postable: np.ndarray
    email_dead: np.ndarray
    address_stale: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    def sources(self, row: np.ndarray) -> pa.StringArray:
        """Names of the systems of some records; -1 gives an empty cell."""
        return pick(SYSTEMS, np.where(row >= 0, self.system[row], -1))

    def source_ids(self, row: np.ndarray) -> pa.StringArray:
        """Identifiers of some records; -1 gives an empty cell."""
        return self.source_id.take(pa.array(row, mask=row < 0))

    def at(self, person: np.ndarray, system: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Record of a person in a system on a day, the newest there is; -1 for none."""
        first = self.first[person, system]
        second = self.second[person, system]
        newer = (second >= 0) & (self.created_day[second] <= day)
        row = np.where(newer, second, first)
        return np.where((row >= 0) & (self.created_day[row] <= day), row, -1)

    def any_at(self, person: np.ndarray, order: tuple[int, ...], day: np.ndarray) -> np.ndarray:
        """Record of a person on a day in the first system of `order` that has one."""
        row = np.full(len(person), -1)
        for system in order:
            found = self.at(person, np.full(len(person), system), day)
            row = np.where(row >= 0, row, found)
        return row


def make_records(
    *,
    people: People,
    traits: Traits,
    clock: Clock,
    rng: np.random.Generator,
    chunk: Chunk = WHOLE,
) -> Records:
    """Write down each person in the systems that know it.

    Parameters
    ----------
    people : People
    traits : Traits
        Of them: the systems that know each person (`member`), days of joining and being
        gone, consents and preferred channels.
    clock : Clock
    rng : numpy Generator
    chunk : Chunk
        Part of a larger world: `source_id` is then unlike those of the other parts.
    """
    person, system, created_day, updated_day = _who_where_when(traits, clock, rng)
    writer = _Writer(people, person, system, updated_day, rng)
    rank = np.arange(len(person)) - np.searchsorted(system, system)
    source_id = concat(pick(PREFIXES, system), digits(chunk.numbers(rank), 7))

    title = writer.titles()
    first, last = writer.names()
    birth = writer.birth_dates()
    email, email_dead = writer.emails()
    phone, textable, callable_ = writer.phones()
    company = writer.companies()
    street, postcode, city, stale = writer.places(company)
    asked = writer.habit("consents")
    consent = traits.consent[person]
    consent[:, 0] |= system == NEWSLETTER
    preferred = traits.preferred[person]
    # Shops open their records before the first sale of the day.
    morning, any_hour = rng.uniform(480, 540, len(person)), rng.uniform(540, 1140, len(person))
    created = clock.at(created_day, np.where(np.isin(system, SELLING), morning, any_hour))
    updated = np.maximum(created, clock.at(updated_day, 540 + 600 * rng.random(len(person))))
    columns = {
        "source": pick(SYSTEMS, system),
        "source_id": source_id,
        "title": title,
        "first_name": first,
        "last_name": last,
        "birth_date": birth,
        "email": email,
        "phone": phone,
        "street": street,
        "postcode": postcode,
        "city": city,
        "country": writer.countries(),
        "company": company,
        **{
            f"consent_{name}": keep(pa.array(consent[:, number]), asked)
            for number, name in enumerate(("email", "sms", "phone", "post", "third_party"))
        },
        "preferred_channel": keep(
            pick(CHANNELS, preferred), writer.habit("preferred_channel") & (preferred >= 0)
        ),
        "created_at": pa.array(created),
        "updated_at": pa.array(updated),
    }
    first_row, second_row = _first_two(person, system, len(people))
    has_email = np.asarray(pc.is_valid(email))
    return Records(
        person=person,
        system=system,
        source_id=source_id,
        created_day=created_day,
        table=pa.table(columns, schema=arrow_schema(CONTRACTS["raw.people"])),
        first=first_row,
        second=second_row,
        mailable=has_email,
        textable=textable,
        callable=callable_,
        postable=np.asarray(pc.is_valid(street)),
        email_dead=email_dead & has_email,
        address_stale=stale,
    )


def _who_where_when(
    traits: Traits, clock: Clock, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Person, system, day created and day updated of each record, in file order."""
    last_day = clock.days - 1
    person, system = np.nonzero(traits.member)
    n = len(person)
    join = traits.join_day[person]
    later = join + (rng.random(n) * (last_day - join)).astype(int)
    sooner = join - rng.exponential(40, n).astype(int)
    sells = np.isin(system, SELLING)
    created = np.where(~sells & (rng.random(n) < 0.4), sooner, later)
    # The system of the first purchase opens its record on that day.
    created = np.where(system == _first_system(traits)[person], join, created)

    again = np.flatnonzero(rng.random(n) < AGAIN_SHARE)
    anew = created[again] + (rng.random(len(again)) * (last_day - created[again])).astype(int)
    person = np.concatenate([person, person[again]])
    system = np.concatenate([system, system[again]])
    created = np.concatenate([created, anew])

    # Numbers are given in order of creation.
    order = np.lexsort((person, created, system))
    person, system, created = person[order], system[order], created[order]
    until = np.clip(traits.gone_day[person] + 30, created, last_day)
    touched = rng.random(len(person)) < np.array(HABITS["updated"])[system]
    moment = created + (rng.random(len(person)) * (until - created + 1)).astype(int)
    updated = np.where(touched, np.minimum(moment, last_day), created)
    return person, system, created, updated


def _first_system(traits: Traits) -> np.ndarray:
    """System of the first purchase; for people who never bought, of the first record."""
    member = traits.member
    in_shop = member[:, TILL] & ((traits.store >= 0.5) | ~member[:, WEB])
    online = member[:, WEB]
    other = np.argmax(member, axis=1)
    return np.select([in_shop, online, member[:, 4]], [TILL, WEB, 4], other)


def _first_two(
    person: np.ndarray, system: np.ndarray, people: int
) -> tuple[np.ndarray, np.ndarray]:
    first = np.full((people, len(SYSTEMS)), -1)
    second = first.copy()
    key = person * len(SYSTEMS) + system
    _, oldest = np.unique(key, return_index=True)
    later = np.ones(len(key), dtype=bool)
    later[oldest] = False
    rest = np.flatnonzero(later)
    _, place = np.unique(key[rest], return_index=True)
    first[person[oldest], system[oldest]] = oldest
    second[person[rest[place]], system[rest[place]]] = rest[place]
    return first, second


Rewrite = Callable[[pa.StringArray], pa.StringArray]


def _amend(values: pa.StringArray, mask: np.ndarray, rewrite: Rewrite) -> pa.StringArray:
    """Rewrite the values where the mask is true, and only those: habits are rare."""
    rows = np.flatnonzero(mask)
    return pc.replace_with_mask(values, pa.array(mask), rewrite(values.take(pa.array(rows))))


class _Writer:
    """Writes the fields of all records at once, each with its system's habits."""

    def __init__(
        self,
        people: People,
        person: np.ndarray,
        system: np.ndarray,
        updated_day: np.ndarray,
        rng: np.random.Generator,
    ):
        self.people = people
        self.person = person
        self.rows = pa.array(person)
        self.system = system
        self.updated_day = updated_day
        self.rng = rng
        # Capitals and accents are the habit of whoever typed the whole record.
        self.upper, self.lower = self.habit("upper"), self.habit("lower")
        self.unaccented = self.habit("unaccented")
        self.abbreviated = self.habit("abbreviated")
        self.kin = np.isin(people.role[person], (PARTNER, CHILD, TWIN))

    def habit(self, name: str) -> np.ndarray:
        """Records in which a habit shows."""
        return self.chance(np.array(HABITS[name])[self.system])

    def chance(self, share: float | np.ndarray) -> np.ndarray:
        return self.rng.random(len(self.person)) < share

    def titles(self) -> pa.StringArray:
        male = self.people.male[self.person]
        word = np.searchsorted((0.7, 0.83, 0.93), self.rng.random(len(male)))
        pool = ("M.", "M", "MR", "Monsieur", "Mme", "MME", "Madame", "Mlle")
        return keep(pick(pool, np.where(male, word, 4 + word)), self.habit("title"))

    def names(self) -> tuple[pa.StringArray, pa.StringArray]:
        """First and last name as written."""
        people, rows = self.people, self.rows
        first = either(self.habit("nickname"), people.nick.take(rows), people.first.take(rows))
        first = _amend(
            first,
            self.habit("initial"),
            lambda names: concat(pc.utf8_slice_codeunits(names, 0, 1), "."),
        )
        first = _amend(
            first, self.chance(0.25), lambda names: pc.replace_substring(names, "-", " ")
        )
        last, maiden = people.last.take(rows), people.maiden.take(rows)
        last = either(self.habit("maiden"), pc.coalesce(maiden, last), last)
        first = keep(self._typed(first), self.habit("first_name"))
        last = keep(self._typed(last), self.habit("last_name"))
        swapped = self.habit("swapped")
        return either(swapped, last, first), either(swapped, first, last)

    def _typed(self, names: pa.StringArray) -> pa.StringArray:
        rng = self.rng
        names = _amend(names, self.habit("mistyped"), lambda few: mistyped(few, 1.0, rng))
        names = _amend(names, self.habit("misheard"), lambda few: misheard(few, 1.0, rng))
        names = _amend(names, self.unaccented, ascii_fold)
        names = _amend(names, self.upper, pc.utf8_upper)
        return _amend(names, self.lower & ~self.upper, pc.utf8_lower)

    def birth_dates(self) -> pa.Array:
        birth = self.people.birth[self.person]
        month_start = birth.astype("datetime64[M]")
        year = birth.astype("datetime64[Y]")
        month = (month_start - year.astype("datetime64[M]")).astype(int) + 1
        day = (birth - month_start.astype("datetime64[D]")).astype(int) + 1
        turned = (year.astype("datetime64[M]") + (day - 1)).astype("datetime64[D]") + (month - 1)
        slipped = (month_start + 12 * self.rng.choice([-10, -1, 1, 10], len(birth))).astype(
            "datetime64[D]"
        ) + np.minimum(day - 1, 27)
        wrong = self.habit("wrong_birth")
        half = self.chance(0.6)
        written = np.where(wrong & half & (day <= 12), turned, birth)
        written = np.where(wrong & ~half, slipped, written)
        default = np.where(self.chance(0.5), np.datetime64("1900-01-01"),
                           np.datetime64("1970-01-01"))  # fmt: skip
        default = np.where(self.chance(NEW_YEAR_SHARE), year.astype("datetime64[D]"), default)
        written = np.where(self.habit("default_birth"), default, written)
        return keep(pa.array(written.astype("datetime64[D]")), self.habit("birth_date"))

    def emails(self) -> tuple[pa.StringArray, np.ndarray]:
        """E-mail as written, and whether a message to it would come back."""
        people, person = self.people, self.person
        family = self.kin & self.habit("family_email")
        owner = pa.array(np.where(family, people.head[person], person))
        email = people.email.take(owner)
        old = self.chance(0.4)
        other = people.old_email.take(owner)
        differs = np.asarray(pc.not_equal(other, email))
        email = either(old, other, email)
        dead = old & differs & self.chance(0.5)
        slipped = self.habit("email_slip")
        rule = self.rng.integers(0, len(DOMAIN_SLIPS), len(slipped))
        for number, (right, wrong) in enumerate(DOMAIN_SLIPS):
            rows = np.flatnonzero(slipped & (rule == number))
            meant = email.take(pa.array(rows))
            changed = pc.replace_substring(meant, right, wrong, max_replacements=1)
            dead[rows] |= np.asarray(pc.not_equal(changed, meant))
            email = pc.replace_with_mask(email, pa.array(slipped & (rule == number)), changed)
        junk = self.habit("junk_email")
        made_up = pick(JUNK_EMAILS, self.rng.integers(0, len(JUNK_EMAILS), len(junk)))
        email = either(junk, made_up, email)
        shouted = self.chance(0.05) | (self.upper & self.chance(0.3))
        email = _amend(email, shouted, pc.utf8_upper)
        return keep(email, self.habit("email")), dead | junk

    def phones(self) -> tuple[pa.StringArray, np.ndarray, np.ndarray]:
        """Telephone as written, whether it is a mobile, whether it is any at all."""
        people, person, today = self.people, self.person, self.updated_day
        family = self.kin & self.habit("family_mobile")
        owner = np.where(family, people.head[person], person)
        number = np.where(
            today >= people.mobile_day[owner], people.mobile[owner], people.old_mobile[owner]
        )
        moved = today >= people.moved_day[person]
        landline = np.where(moved, people.landline[person], people.old_landline[person])
        fixed = self.habit("landline") & (landline > 0)
        number = np.where(fixed, landline, number)
        draw = self.rng.random(len(person))
        style = (draw[:, None] > np.cumsum(PHONE_STYLES, axis=1)[self.system][:, :-1]).sum(axis=1)
        junk = self.habit("junk_phone")
        made_up = pick(JUNK_PHONES, self.rng.integers(0, len(JUNK_PHONES), len(person)))
        written = either(junk, made_up, _written_phone(number, style))
        known = self.habit("phone")
        return keep(written, known), known & ~fixed & ~junk, known & ~junk

    def places(
        self, company: pa.StringArray
    ) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray, np.ndarray]:
        """Street, postcode and town as written, and whether the person has left there."""
        people, person, rng = self.people, self.person, self.rng
        # An update does not always touch the address.
        told = (self.updated_day >= people.moved_day[person]) & self.chance(0.85)
        never_moved = people.moved_day[person] >= NEVER
        address = people.address.take(person).where(
            told | never_moved, people.old_address.take(person)
        )
        street = street_of(
            address,
            abbreviated=self.abbreviated,
            kindless=self.habit("kindless"),
            bare=self.habit("bare"),
        )
        street = _amend(street, self.chance(0.02), lambda few: mistyped(few, 1.0, rng))
        town, postcode = town_of(address), postcode_of(address)
        town = _amend(
            town,
            self.abbreviated & self.chance(0.5),
            lambda few: pc.replace_substring_regex(few, "^Saint(e?)-", "St\\1 "),
        )
        boxed = np.isin(self.system, (CRM, SALES_REP)) & self.chance(CEDEX_SHARE)
        boxed &= np.asarray(pc.is_valid(company))
        street, postcode, town = _to_post_office(street, postcode, town, boxed, rng)
        street, town = (
            _amend(text, self.upper, lambda few: pc.utf8_upper(ascii_fold(few)))
            for text in (street, town)
        )
        postcode = _amend(postcode, self.habit("lost_zero"), lambda few: pc.utf8_ltrim(few, "0"))
        known = self.habit("address")
        area = known | self.habit("postcode_only")
        return keep(street, known), keep(postcode, area), keep(town, known), ~told & ~never_moved

    def countries(self) -> pa.StringArray:
        index = np.searchsorted((0.86, 0.94, 0.98), self.rng.random(len(self.person)))
        return keep(pick(("FR", "France", "FRANCE", "fr"), index), self.habit("country"))

    def companies(self) -> pa.StringArray:
        name = self.people.last.take(self.rows)
        kind = self.rng.integers(0, 4, len(self.person))
        before = pick(("SARL ", "Atelier ", "", "Cabinet "), kind)
        after = pick(("", "", " Paysage", " & Associés"), kind)
        return keep(concat(before, name, after), self.habit("company"))


def _to_post_office(
    street: pa.StringArray,
    postcode: pa.StringArray,
    town: pa.StringArray,
    boxed: np.ndarray,
    rng: np.random.Generator,
) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray]:
    """Give companies with a box their CEDEX: CS 40512, 33042 Bordeaux Cedex."""
    rows = np.flatnonzero(boxed)
    mask = pa.array(boxed)
    code = np.array(postcode.take(pa.array(rows)).to_numpy(zero_copy_only=False), dtype=np.int64)
    paris, place = code // 1000 == 75, code
    # The last digits name the box's post office; overseas the third one names the department.
    code = place - np.where(place < 97000, place % 1000, place % 100)
    code += rng.integers(1, 99, len(rows))
    # Paris writes its arrondissement, other towns a number at most: Cedex 08, Cedex 2.
    office = np.where(paris, 9 + place % 100, np.maximum(rng.integers(-12, 10, len(rows)), 0))
    box = concat(
        pick(("BP ", "CS "), rng.integers(0, 2, len(rows))),
        digits(rng.integers(1, 900, len(rows)) + 10000 * rng.integers(1, 9, len(rows))),
    )
    instead = either(rng.random(len(rows)) < 0.5, concat(street.filter(mask), ", ", box), box)
    suffix = pick(
        ["", *(f" {k}" for k in range(1, 10)), *(f" {k:02d}" for k in range(1, 21))], office
    )
    return (
        pc.replace_with_mask(street, mask, instead),
        pc.replace_with_mask(postcode, mask, digits(code, 5)),
        pc.replace_with_mask(town, mask, concat(town.filter(mask), " Cedex", suffix)),
    )


def _written_phone(number: np.ndarray, style: np.ndarray) -> pa.StringArray:
    """A national number of nine digits in one of the habits of `PHONE_STYLES`."""
    ways: tuple[tuple[str, str], ...] = (
        ("0", " "), ("0", ""), ("+c", ""), ("00c", ""), ("0", "."), ("+c ", " "),
        ("+c (0)", " "), ("0", "-"), ("", ""),
    )  # fmt: skip
    order = np.argsort(style, kind="stable")
    bounds = np.searchsorted(style[order], np.arange(len(ways) + 1))
    parts = []
    # Each way is spelt out for its own numbers only.
    for (lead, between), start, stop in zip(ways, bounds[:-1], bounds[1:], strict=True):
        few = number[order[start:stop]]
        if between:
            pairs = [digits(few // 10 ** (6 - 2 * place) % 100, 2) for place in range(4)]
            spelt = pc.binary_join_element_wise(digits(few // 10**8), *pairs, between)
        else:
            spelt = digits(few, 9)
        before, code, after = lead.partition("c")
        middle = digits(country_code(few)) if code else ""
        parts.append(concat(before, middle, after, spelt))
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(parts).take(pa.array(back))
