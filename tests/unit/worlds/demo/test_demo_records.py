"""What systems wrote down: each with its own habits, none with another one's identifiers."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.people import NEVER, make_people, true_contacts
from customer360.worlds.demo.records import (
    AGAIN_SHARE,
    CEDEX_SHARE,
    HABITS,
    JUNK_EMAILS,
    JUNK_PHONES,
    make_records,
)
from customer360.worlds.demo.text import ascii_fold
from customer360.worlds.demo.traits import CRM, NEWSLETTER, SALES_REP, SYSTEMS, TILL, WEB

CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)
SIZE = 6_000


def everybody_everywhere(size, rng):
    """Traits of people whom every system knows: habits then show in large numbers."""
    return SimpleNamespace(
        member=np.ones((size, len(SYSTEMS)), dtype=bool),
        join_day=rng.integers(-500, 900, size),
        gone_day=np.full(size, NEVER),
        store=rng.random(size),
        consent=rng.random((size, 5)) < 0.5,
        preferred=rng.choice([-1, 0, 1, 2, 3], size),
    )


def make(size=SIZE, seed=5, chunk=None):
    chunk = chunk or Chunk()
    people = make_people(people=size, clock=CLOCK, rng=np.random.default_rng(seed), chunk=chunk)
    traits = everybody_everywhere(size, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    return people, make_records(people=people, traits=traits, clock=CLOCK, rng=rng, chunk=chunk)


@pytest.fixture(scope="module")
def made():
    return make()


@pytest.fixture(scope="module")
def people(made):
    return made[0]


@pytest.fixture(scope="module")
def records(made):
    return made[1]


def column(records, name):
    return records.table[name].combine_chunks()


def flags(values):
    """Arrow booleans as NumPy, empty cells false."""
    return np.asarray(pc.fill_null(values, False))


def near(share, expected, count):
    """Within four standard errors of a share seen `count` times."""
    error = np.sqrt(max(expected * (1 - expected), 1e-4) / count)
    return abs(share - expected) < 4 * error + 1e-9


# --- identifiers, contract, look-ups ---


def test_records_keep_their_contract_and_repeat_themselves(records):
    contract = CONTRACTS["raw.people"]
    assert records.table.schema == arrow_schema(contract)
    validate_batch(contract, records.table)
    first, again, other = make(300, 1)[1], make(300, 1)[1], make(300, 2)[1]
    assert first.table.equals(again.table)
    assert not first.table.equals(other.table)


def test_identifiers_of_chunks_are_different():
    parts = [make(400, 1 + i, Chunk(i, 3, 400 * i))[1] for i in (0, 1, 2)]
    keys = [
        key
        for part in parts
        for key in zip(*(column(part, c).to_pylist() for c in ("source", "source_id")), strict=True)
    ]
    assert len(set(keys)) == len(keys) == sum(len(part) for part in parts)


def test_numbers_rise_with_time_within_a_system(records):
    for number, prefix in enumerate(("C", "29", "U", "N", "A", "R")):
        rows = np.flatnonzero(records.system == number)
        ids = records.source_id.take(pa.array(rows)).to_pylist()
        assert ids == sorted(ids) and all(i[: len(prefix)] == prefix for i in ids)
        assert (np.diff(records.created_day[rows]) >= 0).all()


def test_everyone_is_found_where_known_and_some_twice(records):
    count = np.bincount(records.person * len(SYSTEMS) + records.system)
    assert count.min() == 1 and count.max() <= 3
    assert near((count > 1).mean(), AGAIN_SHARE, len(count))
    last = np.full(SIZE, CLOCK.days - 1)
    for system in range(len(SYSTEMS)):
        row = records.at(np.arange(SIZE), np.full(SIZE, system), last)
        assert (records.person[row] == np.arange(SIZE)).all()
        assert (records.system[row] == system).all()
    assert (records.at(np.arange(SIZE), np.full(SIZE, CRM), np.full(SIZE, -4000)) == -1).all()


# --- completeness ---


@pytest.mark.parametrize(
    ("name", "habit"),
    [
        ("title", "title"),
        ("first_name", "first_name"),
        ("birth_date", "birth_date"),
        ("email", "email"),
        ("phone", "phone"),
        ("street", "address"),
        ("country", "country"),
        ("company", "company"),
        ("consent_sms", "consents"),
    ],
)
def test_fields_are_filled_at_the_rate_of_each_system(records, name, habit):
    filled = np.asarray(pc.is_valid(column(records, name)))
    # A swapped record has its first name in the field of the last one.
    slack = 0.03 if name == "first_name" else 0.0
    for number, expected in enumerate(HABITS[habit]):
        here = filled[records.system == number]
        assert near(here.mean(), expected, len(here)) or abs(here.mean() - expected) < slack


def test_channels_can_be_used_when_they_are_filled(records):
    phone = np.asarray(pc.is_valid(column(records, "phone")))
    assert (records.textable <= records.callable).all()
    assert (records.callable <= phone).all()
    junk = flags(pc.is_in(column(records, "phone"), pa.array(JUNK_PHONES)))
    assert (records.callable[phone & ~junk]).all() and not records.callable[junk].any()
    assert (records.mailable == np.asarray(pc.is_valid(column(records, "email")))).all()
    assert (records.email_dead <= records.mailable).all()


# --- how names are written ---


def last_names(people, records):
    """Last name written, and the true or birth name it may be, without accents."""
    rows = pa.array(records.person)
    return column(records, "last_name"), people.last.take(rows), people.maiden.take(rows)


@pytest.mark.parametrize("system", [CRM, TILL, NEWSLETTER])
def test_capitals_show_at_their_rate_and_for_the_whole_record(records, system):
    here = records.system == system
    names = column(records, "last_name")
    upper = flags(pc.equal(names, pc.utf8_upper(names)))
    filled = np.asarray(pc.is_valid(names)) & here
    assert near(upper[filled].mean(), HABITS["upper"][system], filled.sum())
    first = column(records, "first_name")
    longer = flags(pc.greater(pc.utf8_length(first), 2)) & filled
    shouted = flags(pc.equal(first, pc.utf8_upper(first)))
    assert (shouted == upper)[longer].all()


def test_nicknames_and_swapped_names_show_at_their_rate(people, records):
    rows = pa.array(records.person)

    def plain(names):
        return pc.utf8_lower(ascii_fold(names))

    first, nick = plain(people.first.take(rows)), plain(people.nick.take(rows))
    has_nick = np.asarray(pc.not_equal(first, nick)) & (records.system == SALES_REP)
    written = plain(column(records, "first_name"))
    called = flags(pc.equal(written, nick)) & has_nick
    filled = has_nick & np.asarray(pc.is_valid(written))
    assert 0.6 * HABITS["nickname"][SALES_REP] < called[filled].mean()
    assert called[filled].mean() < 1.1 * HABITS["nickname"][SALES_REP] + 0.02
    here = records.system == SALES_REP
    swapped = flags(pc.equal(plain(column(records, "last_name")), first)) & here
    assert 0.5 * HABITS["swapped"][SALES_REP] < swapped[here].mean()
    assert swapped[here].mean() < 1.3 * HABITS["swapped"][SALES_REP]


def test_slips_are_rare_and_birth_names_frequent_in_old_files(people, records):
    written, last, maiden = last_names(people, records)

    def plain(names):
        return pc.utf8_lower(ascii_fold(names))

    right = flags(pc.equal(plain(written), plain(last)))
    birth_name = flags(pc.equal(plain(written), plain(maiden)))
    filled = np.asarray(pc.is_valid(written))
    wed = np.asarray(pc.is_valid(maiden)) & (records.system == CRM)
    assert near(birth_name[wed & filled].mean(), HABITS["maiden"][CRM] * 0.975, wed.sum())
    wrong = {}
    for number, system in enumerate(SYSTEMS):
        here = filled & (records.system == number)
        wrong[system] = 1 - (right | birth_name)[here].mean()
    assert wrong["crm"] < 0.05 < wrong["callcentre"] < 0.25
    assert wrong["web"] < wrong["till"]


# --- contact points ---


def test_junk_and_defaults_are_there_at_their_rate(records):
    till = records.system == TILL
    email = pc.utf8_lower(column(records, "email"))
    junk = flags(pc.is_in(email, pa.array(JUNK_EMAILS)))[till & records.mailable]
    assert near(junk.mean(), HABITS["junk_email"][TILL], len(junk))
    phone = column(records, "phone")
    filled = till & np.asarray(pc.is_valid(phone))
    junk = flags(pc.is_in(phone, pa.array(JUNK_PHONES)))[filled]
    assert near(junk.mean(), HABITS["junk_phone"][TILL], len(junk))
    births = column(records, "birth_date")
    default = flags(pc.equal(births, pa.scalar(date(1900, 1, 1), pa.date32())))
    assert 0.005 < default[till & np.asarray(pc.is_valid(births))].mean() < 0.03


def test_birth_dates_are_right_or_turned_or_a_year_off(people, records):
    births = column(records, "birth_date")
    filled = np.asarray(pc.is_valid(births))
    written = births.filter(pa.array(filled)).to_numpy(zero_copy_only=False).astype("datetime64[D]")
    true = people.birth[records.person[filled]].astype("datetime64[D]")
    wrong = written != true
    assert 0.02 < wrong.mean() < 0.10

    def parts(dates):
        month = dates.astype("datetime64[M]").astype(int) % 12 + 1
        day = (dates - dates.astype("datetime64[M]")).astype(int) + 1
        return dates.astype("datetime64[Y]").astype(int), month, day

    (year, month, day), (y, m, d) = parts(written), parts(true)
    turned = wrong & (year == y) & (month == d) & (day == m)
    off = wrong & (month == m) & np.isin(np.abs(year - y), (1, 10))
    assert turned.sum() > 50 and off.sum() > 50


def test_families_share_emails_in_some_records(people, records):
    head = people.head[records.person]
    kin = head != records.person
    own = pc.utf8_lower(people.email.take(pa.array(records.person)))
    of_head = pc.utf8_lower(people.email.take(pa.array(head)))
    written = pc.utf8_lower(column(records, "email"))
    borrowed = flags(pc.and_(pc.equal(written, of_head), pc.not_equal(own, of_head)))
    assert not borrowed[~kin].any()
    assert 0.02 < borrowed[kin & records.mailable & (records.system == TILL)].mean() < 0.12


def test_numbers_are_written_in_many_ways_and_read_back(people, records):
    known = true_contacts(people)
    rows = np.flatnonzero(records.callable)
    phone = column(records, "phone").take(pa.array(rows)).to_pylist()
    shapes = {"".join("9" if c.isdigit() else c for c in text) for text in phone}
    for shape in ("99 99 99 99 99", "9999999999", "+99999999999", "99.99.99.99.99", "999999999"):
        assert shape in shapes
    own: list[set] = [set() for _ in range(len(people))]
    for numbers in (people.mobile, people.old_mobile, people.landline, people.old_landline):
        for row, number in enumerate(numbers.tolist()):
            own[row].add(number)
    national = np.array([int("".join(filter(str.isdigit, text))[-9:]) for text in phone])
    person = records.person[rows]
    hits = [n in own[p] or n in own[h] for n, p, h in zip(
        national.tolist(), person.tolist(), people.head[person].tolist(), strict=True)]  # fmt: skip
    assert all(hits)
    overseas = [t for t in known["mobile"].to_pylist() if not t.startswith("+33")]
    assert {text[:4] for text in overseas} == {"+262", "+590", "+594", "+596"}


# --- addresses ---


def test_old_addresses_stay_in_files_after_a_move(people, records):
    moved = people.moved_day[records.person] < NEVER
    assert not records.address_stale[~moved].any()
    assert 0.3 < records.address_stale[moved].mean() < 0.9
    true = true_contacts(people)["postcode"].take(pa.array(records.person))
    written = column(records, "postcode")
    untouched = flags(pc.equal(written, true))
    full = flags(pc.equal(pc.utf8_length(written), 5))
    settled = full & ~records.address_stale & (records.system == WEB)
    assert untouched[settled].all()
    assert untouched[full & records.address_stale].mean() < 0.75


def test_addresses_are_abbreviated_stripped_and_lose_their_zero(people, records):
    street, true = column(records, "street"), true_contacts(people)["street"]
    known = np.asarray(pc.is_valid(street))
    at_crm = known & (records.system == CRM)
    as_is = pc.equal(
        pc.utf8_lower(ascii_fold(street)),
        pc.utf8_lower(ascii_fold(true.take(pa.array(records.person)))),
    )
    assert 0.15 < flags(as_is)[at_crm].mean() < 0.55
    short = flags(pc.match_substring_regex(street, r"(?i)^\d+ (bis |ter |b )?(r|av|bd|ch) "))
    assert short[at_crm].mean() > 2 * short[known & (records.system == WEB)].mean()
    flat = flags(pc.match_substring_regex(street, "(?i)app?t"))
    till = known & (records.system == TILL)
    assert flat[till].mean() < 0.6 * flat[at_crm].mean()
    four = flags(pc.equal(pc.utf8_length(column(records, "postcode")), 4))
    assert four[records.system == CRM].mean() > 0.005
    assert not four[records.system == WEB].any()


def test_companies_may_have_a_post_office_box(records):
    city = column(records, "city")
    cedex = flags(pc.match_substring_regex(city, r"(?i) cedex( \d{1,2})?$"))
    company = np.asarray(pc.is_valid(column(records, "company")))
    assert not cedex[~company].any()
    there = company & (records.system == SALES_REP) & np.asarray(pc.is_valid(city))
    assert near(cedex[there].mean(), CEDEX_SHARE, there.sum())
    rows = pa.array(np.flatnonzero(cedex))
    for street in column(records, "street").take(rows).to_pylist():
        assert "BP " in street or "CS " in street
    postcodes = column(records, "postcode").take(rows)
    assert flags(pc.match_substring_regex(postcodes, r"^\d{4,5}$")).all()
    assert set(pc.utf8_length(postcodes).to_pylist()) <= {4, 5}
