"""Whose records a rare value counts."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer360.linkage.rarity import (
    FEWEST_RECORDS,
    OwnRecords,
    add_names_together,
    frequency_sql,
    own_records,
)


def people(count, *, systems=1):
    """Three in four people of one origin, one in four of another, each once in every system."""
    rng = np.random.default_rng(0)
    few = rng.random(count) < 0.25
    first, last = rng.integers(0, 20, count), rng.integers(0, 30, count)
    table = pd.DataFrame(
        {
            "first_name": np.where(few, "fatou", "jean") + pd.Series(first).map(letters),
            "last_name": np.where(few, "diallo", "martin") + pd.Series(last).map(letters),
            "birth_date": pd.Series(np.arange(count)).astype(str).str.zfill(10),
            "postcode": None,
            "email": None,
        }
    )
    table["both_names"] = table["first_name"] + table["last_name"]
    many = pd.concat([table.assign(source=f"s{i}") for i in range(systems)], ignore_index=True)
    return many.assign(record=np.arange(1, len(many) + 1))


def letters(number):
    return chr(97 + number % 26) + chr(97 + number // 26)


def connected(table, **others):
    connection = duckdb.connect()
    for name, given in {"given": table, **others}.items():
        connection.register(name, given.astype({"postcode": "string", "email": "string"}))
    connection.execute("create temp table records as from given")
    return connection


def together(table, *, own=None, learned=None):
    connection = connected(table, **({} if learned is None else {"learned": learned}))
    add_names_together(connection, own=own, learned=None if learned is None else "learned")
    return connection.execute("from records order by record").df()


def test_names_of_a_small_origin_go_together():
    found = together(people(24_000))
    few = found["last_name"].str.startswith("diallo")
    # One person in four bears such a name: together they are four times as frequent as the
    # two names alone tell, two bits.
    assert found.loc[few, "names_together"].mean() == pytest.approx(-2.0, abs=0.2)
    assert found.loc[~few, "names_together"].mean() == pytest.approx(-0.415, abs=0.2)


def test_a_person_written_down_in_five_systems_is_no_origin():
    table = people(600, systems=5)
    # Nobody shares both names with anybody.
    table["first_name"] += table["birth_date"].map(str)
    assert (together(table)["names_together"] >= 0).all()
    # Told that a person has one record, the same file has five namesakes everywhere.
    assert (together(table, own=OwnRecords())["names_together"] < -1).all()


def test_a_record_without_both_names_tells_nothing():
    table = people(4_000)
    table.loc[3_999, "first_name"] = None
    assert together(table)["names_together"].iloc[-1] == 0.0


def test_a_small_file_tells_nothing_and_two_runs_tell_the_same():
    assert (together(people(FEWEST_RECORDS - 500))["names_together"] == 0).all()
    table = people(3_000)
    assert together(table).equals(together(table))


def test_what_an_earlier_run_learned_is_taken_as_it_is():
    before = together(people(4_000)).head(3_000)
    bits = before.set_index(["first_name", "last_name"])["names_together"].to_dict()
    now = together(people(4_000), learned=before)
    names = zip(now["first_name"], now["last_name"], strict=True)
    assert now["names_together"].tolist() == [bits.get(both, 0.0) for both in names]
    assert (now["names_together"].tail(1_000) != 0).any()


def test_own_records_are_counted_from_what_one_person_bears():
    assert own_records(connected(people(300))) == OwnRecords(1.0, 1.0)
    # Two others each, taken for half of all: four more; none of them in the same system.
    assert own_records(connected(people(300, systems=3))) == OwnRecords(5.0, 1.0)
    twice = pd.concat([people(300), people(300)])
    assert own_records(connected(twice)) == OwnRecords(3.0, 3.0)


def test_the_frequency_among_strangers_leaves_out_the_records_of_one_person():
    connection = connected(people(1_000, systems=3))

    def frequency(own):
        sql = frequency_sql("last_name", usual_share=0.002, records="3000", own=own)
        return connection.execute(
            f"select last_name, {sql} as tf from records group by 1 order by 1"
        ).df()["tf"]

    alone, three = frequency(1.0), frequency(3.0)
    assert ((alone - three) * 3500).round(9).eq(2.0).all()
    assert frequency(1e9).eq(1.0 / 3500).all()
