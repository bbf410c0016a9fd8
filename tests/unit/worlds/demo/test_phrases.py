"""The pools of phrases are large, complete and free of names."""

from __future__ import annotations

import re

import pytest

from customer360.contracts import MOODS
from customer360.worlds.demo import phrases, pools
from customer360.worlds.demo.phrases import (
    AGAIN,
    CLAIMS,
    CLOSINGS,
    COMMENTS,
    DETAILS,
    FACTS,
    FEELINGS,
    GREETINGS,
    IRONIES,
    MANNERS,
    OPINIONS,
    WORDINGS,
)

BY_MANNER = {"greetings": GREETINGS, "details": DETAILS, "again": AGAIN, "ironies": IRONIES}
BY_MOOD = {"comments": COMMENTS, "opinions": OPINIONS}


def _nested(table):
    return [pool for kinds in table.values() for pool in kinds.values()]


EVERY_POOL = [
    pool for table in (*BY_MANNER.values(), *BY_MOOD.values(), CLAIMS) for pool in table.values()
] + [pool for table in (FACTS, FEELINGS, CLOSINGS) for pool in _nested(table)]


def test_every_manner_knows_every_reason_and_mood_in_the_same_order():
    for table in (FACTS, FEELINGS, CLOSINGS):
        assert tuple(table) == MANNERS
    reasons = list(FACTS["note"])
    assert all(list(FACTS[manner]) == reasons for manner in MANNERS)
    for table in (FEELINGS, CLOSINGS):
        assert all(tuple(table[manner]) == MOODS for manner in MANNERS)
    for table in BY_MOOD.values():
        assert tuple(table) == MOODS
    for table in BY_MANNER.values():
        assert tuple(table) == MANNERS
    assert tuple(CLAIMS) == ("annoyed", "furious")


def test_there_is_much_to_say():
    for manner in MANNERS:
        for reason, pool in FACTS[manner].items():
            assert len(pool) >= 12, (manner, reason)
    for mood in MOODS:
        assert sum(len(FEELINGS[manner][mood]) for manner in MANNERS) >= 25, mood


def test_every_pool_has_phrases_of_every_wording():
    assert min(len(pool) for pool in EVERY_POOL) >= WORDINGS


@pytest.mark.parametrize("table", [FACTS, FEELINGS], ids=["facts", "feelings"])
def test_no_phrase_belongs_to_two_wordings(table):
    said = [phrase for pool in _nested(table) for phrase in pool]
    assert len(said) == len(set(said))


def test_braces_are_known_and_never_come_first():
    known = {"product", "number", "delay", "day", "soon", "occasion"}
    for pool in EVERY_POOL:
        for phrase in pool:
            assert set(re.findall(r"\{(.*?)\}", phrase)) <= known, phrase
            assert phrase and not phrase.startswith("{"), phrase
            assert phrase.count("{") == phrase.count("}"), phrase


def test_nobody_is_named():
    first_names = {
        name
        for table in (pools.FEMALE_NAMES, pools.MALE_NAMES)
        for names in table.values()
        for name in names
    }
    names = first_names | set(pools.LAST_NAMES)
    everything = [*(p for pool in EVERY_POOL for p in pool), *phrases.OCCASIONS, *phrases.DAYS]
    spoken = {word for phrase in everything for word in re.findall(r"[\w-]+", phrase)}
    assert not names & spoken
