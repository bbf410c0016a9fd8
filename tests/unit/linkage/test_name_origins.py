"""Given and family names that go together."""

import duckdb
import numpy as np
import pandas as pd

from customer360.linkage.name_origins import FEWEST_RECORDS, add_names_together


def records(count):
    """Three in four records of one origin, one in four of another; the last lacks a name."""
    rng = np.random.default_rng(0)
    few = rng.random(count) < 0.25
    first, last = rng.integers(0, 20, count), rng.integers(0, 40, count)
    table = pd.DataFrame(
        {
            "record": np.arange(1, count + 1),
            "first_name": np.where(few, "fatou", "jean") + pd.Series(first).map(chr_of),
            "last_name": np.where(few, "diallo", "martin") + pd.Series(last).map(chr_of),
        }
    )
    table.loc[count - 1, "first_name"] = None
    return table


def chr_of(number):
    return chr(97 + number % 26) + chr(97 + number // 26)


def together(table, learned=None):
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("create temp table records as from given")
    if learned is not None:
        connection.register("learned", learned)
    add_names_together(connection, learned=None if learned is None else "learned")
    return connection.execute("from records order by record").df()


def test_names_of_a_small_origin_go_together():
    found = together(records(4_000))
    few = found["last_name"].str.startswith("diallo")
    # One record in four bears such a name: together they are four times as frequent as
    # the two names alone tell, two bits.
    assert abs(found.loc[few, "names_together"].iloc[:-1].mean() + 2.0) < 0.2
    assert abs(found.loc[~few, "names_together"].iloc[:-1].mean() + 0.415) < 0.2


def test_a_record_without_both_names_tells_nothing():
    assert together(records(4_000))["names_together"].iloc[-1] == 0.0


def test_a_small_file_tells_nothing_and_two_runs_tell_the_same():
    assert (together(records(FEWEST_RECORDS - 500))["names_together"] == 0).all()
    table = records(3_000)
    assert together(table).equals(together(table))


def test_what_an_earlier_run_learned_is_taken_as_it_is():
    before = together(records(4_000)).head(3_000)
    bits = before.set_index(["first_name", "last_name"])["names_together"].to_dict()
    now = together(records(4_000), learned=before)
    names = zip(now["first_name"], now["last_name"], strict=True)
    assert now["names_together"].tolist() == [bits.get(both, 0.0) for both in names]
    assert (now["names_together"].tail(1_000) != 0).any()
