"""What each system wrote down about each person, with the habits of those who typed it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CHANNELS, CONTRACTS, arrow_schema
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import People, postcode_of, street_of, town_of
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
from customer360.worlds.demo.traits import NEWSLETTER, SELLING, SYSTEMS, TILL, WEB, Traits

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
    "landline": (0.45, 0.20, 0.08, 0.00, 0.35, 0.40),
    "updated": (0.45, 0.30, 0.60, 0.15, 0.50, 0.40),
    "wrong_birth": (0.03, 0.05, 0.02, 0.02, 0.05, 0.05),
    "default_birth": (0.01, 0.04, 0.01, 0.00, 0.00, 0.00),
    "junk_email": (0.01, 0.035, 0.004, 0.004, 0.01, 0.01),
    "email_slip": (0.01, 0.05, 0.008, 0.02, 0.04, 0.03),
    "junk_phone": (0.01, 0.035, 0.015, 0.00, 0.00, 0.01),
    "lost_zero": (0.20, 0.02, 0.00, 0.00, 0.00, 0.10),
}
PREFIXES = ("C", "29", "U", "N", "A", "R")
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
# Overseas numbers have a country code of their own.
COUNTRY_CODES = {
    262: 262, 692: 262, 693: 262, 639: 262, 269: 262, 590: 590, 690: 590, 691: 590,
    594: 594, 694: 594, 596: 596, 696: 596, 697: 596,
}  # fmt: skip


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
    mailable, textable, postable : array of bool
        Has an e-mail, a mobile, an address that looks usable.
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
    *, people: People, traits: Traits, clock: Clock, rng: np.random.Generator
) -> Records:
    """Write down each person in the systems that know it."""
    person, system, created_day, updated_day = _who_where_when(traits, clock, rng)
    writer = _Writer(people, traits, person, system, updated_day, rng)
    rank = np.arange(len(person)) - np.searchsorted(system, system)
    source_id = concat(pick(PREFIXES, system), digits(1 + rank, 7))

    title = writer.titles()
    first, last = writer.names()
    birth = writer.birth_dates()
    email, email_dead = writer.emails()
    phone, textable = writer.phones()
    street, postcode, city, stale = writer.places()
    asked = writer.habit("consents")
    consent = traits.consent[person]
    consent[:, 0] |= system == NEWSLETTER
    preferred = traits.preferred[person]
    company = writer.companies()
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
    until = np.clip(traits.leave_day[person] + 30, created, last_day)
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
    rest = np.setdiff1d(np.arange(len(key)), oldest)
    _, place = np.unique(key[rest], return_index=True)
    first[person[oldest], system[oldest]] = oldest
    second[person[rest[place]], system[rest[place]]] = rest[place]
    return first, second


class _Writer:
    """Writes the fields of all records at once, each with its system's habits."""

    def __init__(
        self,
        people: People,
        traits: Traits,
        person: np.ndarray,
        system: np.ndarray,
        updated_day: np.ndarray,
        rng: np.random.Generator,
    ):
        self.people = people
        self.traits = traits
        self.person = person
        self.rows = pa.array(person)
        self.system = system
        self.updated_day = updated_day
        self.rng = rng

    def habit(self, name: str) -> np.ndarray:
        """Records in which a habit shows."""
        return self.chance(np.array(HABITS[name])[self.system])

    def chance(self, share: float | np.ndarray) -> np.ndarray:
        return self.rng.random(len(self.person)) < share

    def titles(self) -> pa.StringArray:
        male = self.people.male[self.person]
        words = np.where(male, self.rng.choice(4, len(male), p=[0.7, 0.15, 0.1, 0.05]),
                         4 + self.rng.choice(4, len(male), p=[0.7, 0.12, 0.1, 0.08]))  # fmt: skip
        pool = ("M.", "M", "MR", "Monsieur", "Mme", "MME", "Madame", "Mlle")
        return keep(pick(pool, words), self.habit("title"))

    def names(self) -> tuple[pa.StringArray, pa.StringArray]:
        first = self.people.first.take(self.rows)
        first = either(self.habit("nickname"), self.people.nick.take(self.rows), first)
        initial = concat(pc.utf8_slice_codeunits(first, 0, 1), ".")
        first = either(self.habit("initial"), initial, first)
        unhyphened = pc.replace_substring(first, "-", " ")
        first = either(self.chance(0.25), unhyphened, first)
        last = self.people.last.take(self.rows)
        last = either(
            self.habit("maiden"), pc.coalesce(self.people.maiden.take(self.rows), last), last
        )
        unmarked = self.habit("unaccented")
        upper, lower = self.habit("upper"), self.habit("lower")
        written = []
        for name, field in ((first, "first_name"), (last, "last_name")):
            for slip in (mistyped, misheard):
                for number in range(len(SYSTEMS)):
                    # Each system slips at its own rate; systems are runs of rows.
                    share = HABITS[slip.__name__][number]
                    here = np.flatnonzero(self.system == number)
                    if len(here) and share:
                        start, stop = here[0], here[-1] + 1
                        name = pa.concat_arrays(
                            [
                                name.slice(0, start),
                                slip(name.slice(start, stop - start), share, self.rng),
                                name.slice(stop),
                            ]
                        )
            name = either(unmarked, ascii_fold(name), name)
            name = either(upper, pc.utf8_upper(name), name)
            name = either(lower, pc.utf8_lower(name), name)
            written.append(keep(name, self.habit(field)))
        swapped = self.habit("swapped")
        return either(swapped, written[1], written[0]), either(swapped, written[0], written[1])

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
        written = np.where(self.habit("default_birth"), default, written)
        return keep(pa.array(written.astype("datetime64[D]")), self.habit("birth_date"))

    def emails(self) -> tuple[pa.StringArray, np.ndarray]:
        """E-mail as written, and whether a message to it would come back."""
        email = self.people.email.take(self.rows)
        old = self.chance(0.4)
        other = self.people.old_email.take(self.rows)
        differs = np.asarray(pc.not_equal(other, email))
        email = either(old, other, email)
        dead = old & differs & self.chance(0.5)
        slipped = self.habit("email_slip")
        rule = self.rng.integers(0, len(DOMAIN_SLIPS), len(slipped))
        for number, (right, wrong) in enumerate(DOMAIN_SLIPS):
            changed = pc.replace_substring(email, right, wrong, max_replacements=1)
            touched = slipped & (rule == number)
            dead |= touched & np.asarray(pc.not_equal(changed, email))
            email = either(touched, changed, email)
        junk = self.habit("junk_email")
        made_up = pick(JUNK_EMAILS, self.rng.integers(0, len(JUNK_EMAILS), len(junk)))
        email = either(junk, made_up, email)
        email = either(self.chance(0.05) | (self.habit("upper") & self.chance(0.3)),
                       pc.utf8_upper(email), email)  # fmt: skip
        return keep(email, self.habit("email")), dead | junk

    def phones(self) -> tuple[pa.StringArray, np.ndarray]:
        """Telephone as written, and whether it is a mobile."""
        people, person = self.people, self.person
        changed = self.updated_day >= people.mobile_day[person]
        number = np.where(changed, people.mobile[person], people.old_mobile[person])
        fixed = self.habit("landline") & (people.landline[person] > 0)
        number = np.where(fixed, people.landline[person], number)
        style = (self.rng.random(len(person))[:, None]
                 > np.cumsum(PHONE_STYLES, axis=1)[self.system][:, :-1]).sum(axis=1)  # fmt: skip
        written = _written_phone(number, style)
        junk = self.habit("junk_phone")
        made_up = pick(JUNK_PHONES, self.rng.integers(0, len(JUNK_PHONES), len(person)))
        known = self.habit("phone")
        return keep(either(junk, made_up, written), known), known & ~fixed & ~junk

    def places(self) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray, np.ndarray]:
        """Street, postcode and town as written, and whether the person has left there."""
        people, person = self.people, self.person
        # An update does not always touch the address.
        told = (self.updated_day >= people.moved_day[person]) & self.chance(0.85)
        never_moved = people.moved_day[person] >= 10**6
        address = people.address.take(person).where(
            told | never_moved, people.old_address.take(person)
        )
        abbreviated, upper = self.habit("abbreviated"), self.habit("upper")
        street = mistyped(street_of(address, abbreviated), 0.02, self.rng)
        street = either(upper, pc.utf8_upper(ascii_fold(street)), street)
        town = either(upper, pc.utf8_upper(ascii_fold(town_of(address))), town_of(address))
        short = pc.replace_substring_regex(
            pc.replace_substring(town, "SAINT-", "ST "), "(?i)^saint-", "St "
        )
        town = either(abbreviated & self.chance(0.5), short, town)
        postcode = postcode_of(address)
        lost = self.habit("lost_zero")
        postcode = either(lost, pc.utf8_ltrim(postcode, "0"), postcode)
        known = self.habit("address")
        area = known | self.habit("postcode_only")
        return keep(street, known), keep(postcode, area), keep(town, known), ~told & ~never_moved

    def countries(self) -> pa.StringArray:
        index = self.rng.choice(4, len(self.person), p=[0.86, 0.08, 0.04, 0.02])
        return keep(pick(("FR", "France", "FRANCE", "fr"), index), self.habit("country"))

    def companies(self) -> pa.StringArray:
        name = self.people.last.take(self.rows)
        kind = self.rng.integers(0, 4, len(self.person))
        before = pick(("SARL ", "Atelier ", "", "Cabinet "), kind)
        after = pick(("", "", " Paysage", " & Associés"), kind)
        return keep(concat(before, name, after), self.habit("company"))


def _written_phone(number: np.ndarray, style: np.ndarray) -> pa.StringArray:
    """A national number of nine digits in one of the habits of `PHONE_STYLES`."""
    code = np.full(len(number), 33)
    for prefix, country in COUNTRY_CODES.items():
        code = np.where(number // 10**6 == prefix, country, code)
    pairs = [digits(number // 10 ** (6 - 2 * place) % 100, 2) for place in range(4)]
    lead = digits(number // 10**8)
    spaced = concat(lead, " ", pc.binary_join_element_wise(*pairs, " "))
    plain = digits(number, 9)
    country = digits(code)
    ways = [
        concat("0", spaced),
        concat("0", plain),
        concat("+", country, plain),
        concat("00", country, plain),
        concat("0", pc.replace_substring(spaced, " ", ".")),
        concat("+", country, " ", spaced),
        concat("+", country, " (0)", spaced),
        concat("0", pc.replace_substring(spaced, " ", "-")),
        plain,
    ]
    written = ways[0]
    for place, way in enumerate(ways):
        written = either(style == place, way, written)
    return written
