"""Somebody else fits as well, and what that weighs."""

import duckdb
import pandas as pd
import pytest

from customer360.linkage.model import LevelShares, LinkageModel
from customer360.linkage.rivals import BEST, RIVALS, by_fields_alone, find_rivals, learn_rivals


def tables(rows):
    """Tables `scored` and `compared` of some pairs: record_l, record_r, match_probability."""
    connection = duckdb.connect()
    scored = pd.DataFrame(rows, columns=["record_l", "record_r", "match_probability"])
    connection.register("given", scored)
    connection.execute(
        """create temp table scored as from given;
        create temp table compared as select record_l, record_r from given"""
    )
    return connection


def levels(connection):
    rows = connection.execute(
        f"select record_l, record_r, level_{RIVALS} from compared order by all"
    ).fetchall()
    return {(left, right): level for left, right, level in rows}


def test_a_third_record_that_is_one_of_two_and_not_the_other_is_a_rival():
    # 1 fits 2 and 3 alike, which are two people; 4 and 5 fit nobody else.
    connection = tables([(1, 2, 0.97), (1, 3, 0.97), (2, 3, 0.001), (4, 5, 0.97)])
    find_rivals(connection, at_least=0.01)
    assert levels(connection) == {(1, 2): 0, (1, 3): 0, (2, 3): -1, (4, 5): BEST}


def test_records_of_one_person_are_no_rivals_of_each_other():
    connection = tables([(1, 2, 0.999), (1, 3, 0.999), (2, 3, 0.999)])
    find_rivals(connection, at_least=0.01)
    assert set(levels(connection).values()) == {BEST}


def test_pairs_scored_before_hold_rivals_too():
    connection = tables([(1, 2, 0.97)])
    find_rivals(connection, at_least=0.01, known="select 1 as record_l, 3 as record_r, 0.95 as p")
    assert levels(connection) == {(1, 2): 0}


def test_who_has_no_rival_is_more_often_one_person():
    alone = [(i, i + 1, 0.99) for i in range(1, 4_000, 2)]
    torn = [p for i in range(10_000, 14_000, 3) for p in ((i, i + 1, 0.5), (i, i + 2, 0.5))]
    connection = tables(alone + torn)
    find_rivals(connection, at_least=0.01)
    share = LevelShares(value=0, label="different", rarity=None, m=1.0, u=1.0, household=1.0)
    model = LinkageModel(1e-4, 0.0, {"name": [share]}, {"name": "personal"}, {"name": "name"})
    learn_rivals(connection, model)
    weights = [level.match_weight for level in model.comparisons[RIVALS]]
    assert weights[BEST] > 1 and min(weights) < -1
    for side in ("m", "u", "household"):
        assert sum(getattr(lv, side) for lv in model.comparisons[RIVALS]) == pytest.approx(1)
    assert list(by_fields_alone(model).comparisons) == ["name"]
    assert RIVALS in model.comparisons
