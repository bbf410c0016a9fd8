from __future__ import annotations

import pandas as pd
import pytest

from customer360.linkage.difficulties import (
    DIFFICULTIES,
    quality_by_sources,
    recall_by_difficulty,
)

PERSON = {"household_id": "h", "first_name": "Catherine", "last_name": "Lefebvre",
          "birth_date": pd.Timestamp("1960-01-01"), "moved_on": pd.NaT}  # fmt: skip
RECORD = {"first_name": "Catherine", "last_name": "Lefebvre", "postcode": "75001", "flags": None}


def difficulties(*, same: bool = True, person: dict | None = None, **other) -> dict[str, tuple]:
    """Kinds that the pair of a plain record and `other` counts under: pairs, found."""
    people = pd.DataFrame([RECORD, {**RECORD, **other}])
    people = people.assign(source="s", source_id=["0", "1"])
    keys = people[["source", "source_id"]]
    table = recall_by_difficulty(
        keys.assign(customer_id=["a", "a" if same else "b"]),
        keys.assign(person_id="p"),
        people=people,
        true_people=pd.DataFrame([{**PERSON, "person_id": "p", **(person or {})}]),
    )
    assert table["kind"].tolist() == list(DIFFICULTIES.values())
    name = {kind: short for short, kind in DIFFICULTIES.items()}
    told = table[table["pairs"] > 0]
    return {name[r.kind]: (r.pairs, r.found) for r in told.itertuples()}


@pytest.mark.parametrize(
    ("other", "kinds"),
    [
        ({}, {"none"}),
        ({"first_name": "CATHERINE"}, {"none"}),
        ({"first_name": "Cahterine"}, {"typo"}),
        ({"last_name": "Lefevre"}, {"typo"}),
        ({"first_name": "Cathy"}, {"nickname"}),
        # Not in our table of nicknames: it counts all the same.
        ({"first_name": "Trinette"}, {"nickname"}),
        ({"first_name": "C"}, {"initial"}),
        ({"first_name": "Lefebvre", "last_name": "Catherine"}, {"swapped"}),
        ({"last_name": "Moreau"}, {"married"}),
        ({"flags": "email_domain_repaired;phone_emptied"}, {"junk"}),
        ({"first_name": None, "last_name": None}, {"nameless"}),
        ({"first_name": "Cathy", "last_name": "Moreau"}, {"nickname", "married"}),
    ],
)
def test_what_makes_a_pair_hard(other, kinds):
    found = difficulties(**other)
    assert set(found) == kinds
    assert set(found.values()) == {(1, 1)}
    assert set(difficulties(same=False, **other).values()) == {(1, 0)}


def test_another_postcode_counts_as_a_move_for_those_who_moved():
    moved = {"moved_on": pd.Timestamp("2024-01-01")}
    assert set(difficulties(postcode="69001", person=moved)) == {"moved"}
    assert set(difficulties(postcode="69001")) == {"none"}
    assert set(difficulties(person=moved)) == {"none"}


def test_homes_count_the_people_who_have_records():
    people = pd.DataFrame([RECORD] * 3).assign(source="s", source_id=list("012"))
    keys = people[["source", "source_id"]]
    twin = {**PERSON, "person_id": "q"}
    table = recall_by_difficulty(
        keys.assign(customer_id="a"),
        keys.assign(person_id=["p", "p", "q"]),
        people=people,
        true_people=pd.DataFrame([{**PERSON, "person_id": "p"}, twin]),
    ).set_index("kind")
    for kind in ("shared", "twin"):
        assert table.loc[DIFFICULTIES[kind], ["pairs", "recall"]].tolist() == [1, 1.0]
    assert table.loc[DIFFICULTIES["none"], "pairs"] == 0
    assert pd.isna(table.loc[DIFFICULTIES["none"], "recall"])


def test_quality_by_the_two_systems():
    keys = pd.DataFrame({"source": ["web", "crm", "crm", "web"], "source_id": list("0123")})
    table = quality_by_sources(
        keys.assign(customer_id=list("aaab")), keys.assign(person_id=list("ppqp"))
    )
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    # crm-crm: found, wrong. crm-web: (1,0) right, (2,0) wrong, (1,3) missed. web-web: missed.
    assert rows == [
        ["crm", "crm", 0, None, 0.0],
        ["crm", "web", 2, 0.5, 0.5],
        ["web", "web", 1, 0.0, None],
    ]
