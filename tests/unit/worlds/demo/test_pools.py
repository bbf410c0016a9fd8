"""The pools are large, free of repeats, and hold what the world looks up in them."""

from __future__ import annotations

import pytest

from customer360.worlds.demo import pools

NAMED = [
    *pools.FEMALE_NAMES.values(),
    *pools.MALE_NAMES.values(),
    *(names for o in pools.ORIGINS for names in (o.last, o.female, o.male)),
]


@pytest.mark.parametrize(
    ("pool", "least"),
    [
        (pools.LAST_NAMES, 2_500),
        (pools.STREET_NAMES, 200),
        (pools.LIEUX_DITS, 50),
        (pools.RESIDENCES, 20),
        ([postcode for _, postcode, _, _ in pools.TOWNS], 500),
    ],
)
def test_pools_are_large_and_without_repeats(pool, least):
    assert len(pool) == len(set(pool)) >= least


def test_no_list_of_names_repeats_itself():
    for names in NAMED:
        assert len(names) == len(set(names)) >= 12
        assert all(name == name.strip() and name[0].isalpha() for name in names)


def test_both_sexes_have_names_for_the_same_decades():
    assert list(pools.FEMALE_NAMES) == list(pools.MALE_NAMES)


def test_postcodes_are_french_and_every_department_has_a_zone():
    zoned = {dept for depts in pools.ZONES.values() for dept in depts.split()}
    for _, postcode, thousands, urbanity in pools.TOWNS:
        assert len(postcode) == 5 and postcode.isdigit()
        assert thousands > 0 and urbanity in ("urban", "suburban", "rural")
        assert postcode[:3] in pools.COUNTRY_CODES or postcode[:2] in zoned


def test_overseas_departments_are_there_with_numbers_of_their_own():
    there = {postcode[:3] for _, postcode, _, _ in pools.TOWNS}
    for dept in pools.COUNTRY_CODES:
        assert dept in there
        assert {f"{dept} fixed", f"{dept} mobile"} <= set(pools.NUMBER_BLOCKS)


def test_blocks_of_numbers_do_not_overlap():
    blocks = [b for listed in pools.NUMBER_BLOCKS.values() for b in listed.split()]
    for block in blocks:
        assert [other for other in blocks if other.startswith(block)] == [block]
    for listed in pools.NUMBER_BLOCKS.values():
        assert len({len(block) for block in listed.split()}) == 1


def test_short_street_names_follow_the_postal_norm():
    short = dict(zip(pools.STREET_NAMES, pools.SHORT_STREET_NAMES, strict=True))
    assert short["du Général de Gaulle"] == "du Gal de Gaulle"
    assert short["Saint-Martin"] == "St Martin"
    assert short["Victor Hugo"] == "Victor Hugo"


def test_shares_leave_room_for_names_from_france():
    assert 0.05 < sum(origin.share for origin in pools.ORIGINS) < 0.25
    assert sum(share for _, share in pools.MAIL_PROVIDERS) == pytest.approx(1.0)
