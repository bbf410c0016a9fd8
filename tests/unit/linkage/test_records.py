from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd

from customer360.cleaning.people import fold
from customer360.linkage.comparisons import choose_comparisons
from customer360.linkage.names import NICKNAMES, names_in_email, sound_sql
from customer360.linkage.records import prepare_records

PAGE = Path(__file__).resolve().parents[3] / "docs" / "nicknames.md"
FIRSTS = {"marie": "marie", "jeanpierre": "jean pierre", "paul": "paul"}
LASTS = {"durand": "durand", "lebris": "le bris"}


def read(email: str, first: str | None = None, last: str | None = None):
    return names_in_email(email, first=first, last=last, firsts=FIRSTS, lasts=LASTS)


def test_names_that_an_email_spells():
    assert read("marie.durand") == ("marie", "durand")
    assert read("durand-marie75") == ("marie", "durand")
    assert read("mariedurand") == ("marie", "durand")
    assert read("jean-pierre.lebris") == ("jean pierre", "le bris")
    assert read("m.durand") == ("m", "durand")
    assert read("zebulon.durand", last="durand") is None
    assert read("paul.xyzzy") == ("paul", "xyzzy")


def test_names_that_it_does_not_spell():
    assert read("lesfleurs34") is None
    assert read("kitty") is None
    # The e-mail of somebody else in the household.
    assert read("marie.durand", first="paul") is None


def test_what_the_record_says_comes_first():
    assert read("m.durand", first="marie") == ("marie", "durand")
    assert read("lebris.paul", last="le bris") == ("paul", "le bris")


def test_nicknames_stand_for_full_names():
    assert NICKNAMES["jp"] == ("jean pierre", "jean paul", "jean philippe")
    assert "christophe" in NICKNAMES["chris"]
    assert NICKNAMES["loulou"] == ("louis", "louise")
    assert all(full for fulls in NICKNAMES.values() for full in fulls)


def test_nicknames_are_made_as_french_makes_them_or_listed_with_a_source():
    table = PAGE.read_text(encoding="utf-8").split("listed one by one")[1]
    listed = {fold(name) for row in re.findall(r"^\| (.*?) \|", table, re.M)
              for name in re.findall(r"\w+", row)}  # fmt: skip
    for short, fulls in NICKNAMES.items():
        plain = short.replace(" ", "")
        half = plain[: len(plain) // 2]
        for full in fulls:
            initials = "".join(word[0] for word in full.split()) if " " in full else None
            doubled = plain == half + half and full.startswith(half)
            piece = plain in full.replace(" ", "")
            assert piece or doubled or plain == initials or short in listed, (short, full)
    for unsupported in ("popo", "malo", "dedette"):
        assert unsupported not in NICKNAMES


def test_records_are_folded_numbered_and_completed():
    people = pd.DataFrame(
        {
            "source": ["b", "a", "a", "a"],
            "source_id": ["1", "2", "1", "1"],
            "first_name": ["Élodie", None, "Marie", "Maria"],
            "last_name": ["Le Goff", None, "Durand", "Durand"],
            "email": [None, "elodie.legoff@x.fr", None, None],
            "updated_at": pd.to_datetime(["2024-01-01"] * 3 + ["2023-01-01"]),
        }
    )
    again = pd.concat([people, people.head(1).assign(source="c")], ignore_index=True)
    with closing(duckdb.connect()) as connection:
        completed = prepare_records(connection, again)
        rows = connection.execute(
            "select record, source, source_id, first_name, last_name from records order by record"
        ).fetchall()
    assert rows[:3] == [
        (1, "a", "1", "marie", "durand"),
        (2, "a", "2", "elodie", "le goff"),
        (3, "b", "1", "elodie", "le goff"),
    ]
    assert completed == 1


def test_levels_that_need_an_absent_column_are_left_out():
    people = pd.DataFrame(
        {"source": ["a", "b"], "source_id": ["1", "2"], "first_name": ["Ann", "Ann"]}
    )
    with closing(duckdb.connect()) as connection:
        prepare_records(connection, people)
        chosen, notes = choose_comparisons(connection)
    assert [c.name for c in chosen] == ["first_name", "system"]
    assert not any("swapped" in level.label for level in chosen[0].levels)
    assert "family name is not compared: filled in 0 of 2 records" in notes


def test_names_in_each_others_place_are_put_back():
    firsts, lasts = ["Marie", "Paul", "Anne", "Luc"], ["Durand", "Le Goff", "Petit", "Morel"]
    rows = [(f, n) for f in firsts for n in lasts] * 20 + [("Durand", "Marie"), ("Petit", None)]
    people = pd.DataFrame(rows, columns=["first_name", "last_name"])
    people = people.assign(source="a", source_id=[f"{i:03d}" for i in range(len(rows))])
    with closing(duckdb.connect()) as connection:
        prepare_records(connection, people)
        named = connection.execute(
            "select first_name, last_name from records order by record desc limit 2"
        ).fetchall()
    assert named == [(None, "petit"), ("marie", "durand")]


def test_names_that_sound_the_same():
    with closing(duckdb.connect()) as connection:
        for one, other in (("philippe", "filipe"), ("peteau", "petot"), ("fourni", "fourny")):
            sounds = connection.execute(
                f"select {sound_sql('a')}, {sound_sql('b')} from (select ? as a, ? as b)",
                [one, other],
            ).fetchall()[0]
            assert sounds[0] == sounds[1]


def test_a_birth_date_that_is_no_date_is_kept_as_text():
    people = pd.DataFrame(
        {"source": "a", "source_id": ["1", "2", "3"], "birth_date": ["19501331", "1980-02-03", "?"]}
    )
    with closing(duckdb.connect()) as connection:
        prepare_records(connection, people)
        found = connection.execute("select birth_date from records order by record").fetchall()
    assert found == [("1950-13-31",), ("1980-02-03",), ("?",)]
