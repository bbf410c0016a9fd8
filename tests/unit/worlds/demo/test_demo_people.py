"""True people: who they are, and numbers and addresses that nobody else has."""

from __future__ import annotations

from datetime import date

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo.chunk import Chunk
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.people import (
    CHILD,
    HAMLET,
    HEAD,
    NEVER,
    PARTNER,
    TWIN,
    Addresses,
    make_people,
    postcode_of,
    street_of,
    true_contacts,
)
from customer360.worlds.demo.pools import STREET_NAMES, STREET_TYPES

CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)
SIZE = 8_000
REGIONS = {"971": "GP", "972": "MQ", "973": "GF", "974": "RE", "976": "YT"}


def folk(*, seed, chunk):
    return make_people(people=SIZE, clock=CLOCK, rng=np.random.default_rng(seed), chunk=chunk)


@pytest.fixture(scope="module")
def parts():
    """Two chunks of one world of forty."""
    return [
        folk(seed=seed, chunk=Chunk(index=index, count=40, first_person=index * SIZE))
        for seed, index in ((1, 0), (2, 7))
    ]


@pytest.fixture(scope="module")
def people():
    return make_people(people=SIZE, clock=CLOCK, rng=np.random.default_rng(3))


def texts(column):
    return np.array(column.to_pylist(), dtype=object)


def all_of(parts, name):
    return np.concatenate([np.asarray(getattr(part, name)) for part in parts])


# --- nobody shares what is one's own ---


def test_identifiers_of_chunks_are_different(parts):
    for name in ("ids", "household_ids"):
        first, second = (set(getattr(part, name).to_pylist()) for part in parts)
        assert not first & second
    assert parts[1].ids[0].as_py() == f"P{7 * SIZE + 1:07d}"
    homes = len(np.unique(parts[0].household))
    assert len(set(parts[0].household_ids.to_pylist())) == homes


def test_an_email_belongs_to_one_home_and_to_its_head(parts):
    home = np.concatenate([texts(part.household_ids) for part in parts])
    person = np.concatenate([texts(part.ids) for part in parts])
    owners: dict[str, set] = {}
    homes: dict[str, set] = {}
    for email in ("email", "old_email"):
        for address, who, where in zip(
            np.concatenate([texts(getattr(part, email)) for part in parts]),
            person,
            home,
            strict=True,
        ):
            owners.setdefault(address, set()).add(who)
            homes.setdefault(address, set()).add(where)
    assert max(map(len, homes.values())) == 1
    shared = [address for address, who in owners.items() if len(who) > 1]
    assert 0.005 < len(shared) / len(owners) < 0.06


def test_only_partners_and_children_share_the_address_of_the_head(people):
    email = texts(people.email)
    values, count = np.unique(email.astype(str), return_counts=True)
    doubled = np.isin(email.astype(str), values[count > 1])
    follows = doubled & (people.role != HEAD)
    assert np.isin(people.role[follows], (PARTNER, CHILD)).all()
    assert (email[follows] == email[people.head[follows]]).all()


def test_a_small_world_has_few_numbered_addresses(people):
    numbered = pc.match_substring_regex(people.email, r"\.\d+@")
    assert pc.mean(numbered).as_py() < 0.02


def test_mobiles_are_different_across_people_and_chunks(parts):
    now, before = all_of(parts, "mobile"), all_of(parts, "old_mobile")
    changed = before[now != before]
    numbers = np.concatenate([now, changed])
    assert len(np.unique(numbers)) == len(numbers)
    assert 0.08 < len(changed) / len(now) < 0.12


def test_landlines_are_different_across_homes_and_chunks(parts):
    heads = [part.role == HEAD for part in parts]
    now = np.concatenate([p.landline[h] for p, h in zip(parts, heads, strict=True)])
    before = np.concatenate([p.old_landline[h] for p, h in zip(parts, heads, strict=True)])
    numbers = np.concatenate([now[now > 0], before[(before != now)]])
    assert len(np.unique(numbers)) == len(numbers)
    assert 0.5 < (now > 0).mean() < 0.6
    for part in parts:
        assert (part.landline == part.landline[part.head]).all()


# --- telephones ---


def test_telephones_are_valid_where_their_owner_lives(people):
    known = true_contacts(people)
    postcodes = texts(known["postcode"])
    overseas = np.array([postcode[:3] in REGIONS for postcode in postcodes])
    sample = np.concatenate([np.flatnonzero(overseas), np.flatnonzero(~overseas)[:1_500]])
    assert set(REGIONS) == {postcode[:3] for postcode in postcodes[overseas]}
    kinds = set()
    for column in ("mobile", "landline"):
        numbers = texts(known[column])
        for row in sample[numbers[sample] != np.array(None)]:
            number = phonenumbers.parse(numbers[row])
            assert phonenumbers.is_valid_number(number), numbers[row]
            region = phonenumbers.region_code_for_number(number)
            assert region == REGIONS.get(postcodes[row][:3], "FR"), numbers[row]
            kinds.add((column, numbers[row][:4] if region == "FR" else region))
    french = {(c, f"+33{d}") for c, ds in (("mobile", "67"), ("landline", "123459")) for d in ds}
    assert kinds == french | {(c, r) for c in ("mobile", "landline") for r in REGIONS.values()}


def test_box_numbers_and_new_mobiles_have_their_share(people):
    fixed = people.landline[(people.role == HEAD) & (people.landline > 0)]
    assert 0.28 < (fixed // 10**8 == 9).mean() < 0.40
    assert 0.18 < (people.mobile // 10**8 == 7).mean() < 0.30


def test_numbers_look_drawn(people):
    """No digit is favoured, and neighbours do not differ by a constant."""
    last_two = np.bincount(people.mobile % 100, minlength=100)
    assert last_two.min() > 0.4 * SIZE / 100 and last_two.max() < 2 * SIZE / 100
    _, count = np.unique(np.diff(people.mobile), return_counts=True)
    assert count.max() < 0.05 * SIZE


# --- names and households ---


def share(mask):
    return float(np.mean(np.asarray(mask)))


def test_names_have_the_shapes_of_french_ones(people):
    def seen(column, pattern):
        return pc.mean(pc.match_substring_regex(column, pattern)).as_py()

    assert 0.004 < seen(people.last, "^(de |du |des |d')") < 0.03
    assert 0.005 < seen(people.last, "^(Le |L')") < 0.05
    assert 0.03 < seen(people.last, "-") < 0.09
    assert 0.02 < seen(people.first, "-") < 0.12
    assert 0.03 < seen(people.last, "[é-üÉ]") < 0.12
    assert seen(people.last, r"(?i)^$|^ | $|--") == 0


def test_last_names_are_many_and_some_are_frequent(people):
    count = np.sort(np.unique(texts(people.last).astype(str), return_counts=True)[1])[::-1]
    assert len(count) > 1_500
    assert 0.003 < count[0] / SIZE < 0.012
    assert 0.10 < count[:50].sum() / SIZE < 0.25


def test_twins_share_birth_date_and_last_name_but_no_first_name(people):
    twin = np.flatnonzero(people.role == TWIN)
    assert 0.002 < len(twin) / SIZE < 0.012
    assert (people.birth[twin] == people.birth[twin - 1]).all()
    first, last = texts(people.first), texts(people.last)
    assert (last[twin] == last[twin - 1]).all()
    assert (first[twin] != first[twin - 1]).all()


def test_some_sons_are_named_like_their_father(people):
    first, last, head = texts(people.first), texts(people.last), people.head
    same = (people.role == CHILD) & (first == first[head]) & (last == last[head])
    assert 0.0005 < share(same) < 0.006
    assert (people.birth[same] > people.birth[head[same]]).all()


def test_wives_may_bear_their_husbands_name(people):
    wed = np.asarray(pc.is_valid(people.maiden))
    assert not (wed & people.male).any()
    assert 0.25 < share(wed[~people.male]) < 0.5
    partner = people.role == PARTNER
    last = texts(people.last)
    one_name = share((last == last[people.head])[partner])
    assert 0.5 < one_name < 0.7
    double = wed & np.array(["-" in name for name in last])
    assert 0.03 < share(double[wed]) < 0.25


def test_some_children_bear_both_names(people):
    child = np.isin(people.role, (CHILD, TWIN))
    last = texts(people.last)
    both = np.array(["-" in name for name in last])
    assert 0.05 < share(both[child]) < 0.25
    other = last[child] != last[people.head[child]]
    assert 0.10 < share(other) < 0.45


def test_children_are_younger_than_their_parents(people):
    child = np.isin(people.role, (CHILD, TWIN))
    years = people.age[people.head[child]] - people.age[child]
    assert years.min() > 14


def test_a_home_has_one_address(people):
    for part in ("town", "number", "street_name", "extra_number"):
        values = getattr(people.address, part)
        assert (values == values[people.head]).all()


def test_movers_changed_their_address_and_others_did_not(people):
    moved = people.moved_day < NEVER
    assert 0.20 < share(moved) < 0.30
    same = np.ones(SIZE, dtype=bool)
    for name, values in vars(people.address).items():
        same &= values == getattr(people.old_address, name)
    assert (same == ~moved).all()
    assert (np.isnat(people.moved_on) == ~moved).all()


# --- addresses as written ---


def address(**more):
    plain = dict.fromkeys(Addresses.__dataclass_fields__, 0) | {"number": 12} | more
    return Addresses(**{name: np.array([value]) for name, value in plain.items()})


def written(place, **how):
    flags = {name: np.array([value]) for name, value in ({"abbreviated": False} | how).items()}
    return street_of(place, **flags).to_pylist()[0]


def test_streets_are_written_long_short_or_without_their_kind():
    avenue = [long for long, _, _ in STREET_TYPES].index("avenue")
    place = address(
        suffix=1, street_type=avenue, street_name=STREET_NAMES.index("du Général de Gaulle")
    )
    assert written(place) == "12 bis avenue du Général de Gaulle"
    assert written(place, abbreviated=True) == "12 bis av du Gal de Gaulle"
    assert written(place, kindless=True) == "12 bis du Général de Gaulle"


def test_complements_stand_in_the_same_field_or_are_left_out():
    flats = {kind: address(extra=kind, extra_number=9) for kind in range(1, 7)}
    lines = {kind: written(place) for kind, place in flats.items()}
    assert len(set(lines.values())) == 6
    assert lines[1].startswith("12 rue") and ", appt 9" in lines[1]
    assert lines[2].startswith("Bât. B, 12 rue")
    assert lines[4].startswith("Résidence ")
    assert "12" not in lines[HAMLET]
    plain = written(address())
    for kind, place in flats.items():
        assert written(place, bare=True) == (lines[kind] if kind == HAMLET else plain)


def test_all_shapes_of_address_are_in_the_world(people):
    street = true_contacts(people)["street"]
    for pattern in ("Bât", "Résidence", "appt", "Esc. ", "Lieu-dit", r"^\d+ (bis|ter) "):
        assert 0.001 < pc.mean(pc.match_substring_regex(street, pattern)).as_py() < 0.2
    postcodes = postcode_of(people.address)
    assert 0.02 < pc.mean(pc.starts_with(postcodes, "97")).as_py() < 0.08


# --- contract and determinism ---


def test_contacts_have_the_types_of_the_contract(people):
    columns = true_contacts(people)
    schema = arrow_schema(CONTRACTS["truth.people"])
    for name, values in columns.items():
        assert values.type == schema.field(name).type, name
        assert len(values) == SIZE
        if name not in ("landline", "moved_on"):
            assert values.null_count == 0, name


def test_same_seed_same_people():
    def known(seed):
        made = make_people(people=500, clock=CLOCK, rng=np.random.default_rng(seed))
        return pa.table({"first": made.first, "last": made.last, **true_contacts(made)})

    assert known(1).equals(known(1))
    assert not known(1).equals(known(2))
