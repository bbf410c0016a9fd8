"""Somebody else fits as well, and what that weighs."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer360.linkage import rivals
from customer360.linkage.model import LevelShares, LinkageModel
from customer360.linkage.rivals import (
    BEST,
    LEVELS,
    RIVALS,
    by_fields_alone,
    find_rivals,
    learn_rivals,
)


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


def test_rivals_among_known_pairs_are_those_of_all_pairs_together():
    # People of one to three records, who fit some of another person's by mistake.
    rng = np.random.default_rng(4)
    ends = np.sort(rng.integers(0, 300, (900, 2)), axis=1)
    together = ends[:, 0] // 3 == ends[:, 1] // 3
    rows = pd.DataFrame(ends, columns=["record_l", "record_r"]).assign(
        match_probability=np.where(together, 0.99, rng.random(900) ** 3)
    )
    rows = rows[rows["record_l"] < rows["record_r"]].drop_duplicates(["record_l", "record_r"])
    whole = tables(rows)
    find_rivals(whole, at_least=0.01)
    wanted = levels(whole)
    assert len(set(wanted.values())) > 4
    some = rows["record_l"] < 30
    part = tables(rows[some])
    # What pairs scored anew were before does not count.
    part.register("before", rows.assign(match_probability=rows["match_probability"].mask(some, 1)))
    find_rivals(part, at_least=0.01, known="from before")
    found = levels(part)
    assert len(found) > 50 and found == {pair: wanted[pair] for pair in found}


def test_part_by_part_finds_the_same_rivals(monkeypatch):
    rng = np.random.default_rng(5)
    ends = np.sort(rng.integers(0, 200, (800, 2)), axis=1)
    rows = pd.DataFrame(ends, columns=["record_l", "record_r"]).assign(
        match_probability=rng.random(800)
    )
    rows = rows[rows["record_l"] < rows["record_r"]].drop_duplicates(["record_l", "record_r"])
    found = []
    for pairs_at_once in (1_000_000, 97):
        monkeypatch.setattr(rivals, "PAIRS_AT_ONCE", pairs_at_once)
        connection = tables(rows)
        find_rivals(connection, at_least=0.01)
        found.append(levels(connection))
    assert found[0] == found[1]
    assert found[0] == by_definition(rows)


def test_a_record_that_fits_many_is_judged_by_the_best_of_them(monkeypatch):
    rng = np.random.default_rng(6)
    ends = np.sort(rng.integers(0, 60, (400, 2)), axis=1)
    rows = pd.DataFrame(ends, columns=["record_l", "record_r"]).assign(
        # Some fit alike: the smaller number comes first.
        match_probability=np.round(rng.random(400) * 1.2, 1).clip(0, 1)
    )
    rows = rows[rows["record_l"] < rows["record_r"]].drop_duplicates(["record_l", "record_r"])
    monkeypatch.setattr(rivals, "MOST_RIVALS", 4)
    connection = tables(rows)
    find_rivals(connection, at_least=0.01)
    assert levels(connection) == by_definition(rows, most=4) != by_definition(rows)


def by_definition(rows, most=1_000):
    """Level of every pair, each third record looked at in turn."""
    fits = {}
    for one, other, p in rows.itertuples(index=False):
        if p >= 0.01:
            fits.setdefault(one, {})[other] = fits.setdefault(other, {})[one] = p

    best = {
        one: set(sorted(others, key=lambda other: (-others[other], other))[:most])
        for one, others in fits.items()
    }

    def one_person(i, j, through_not):
        bridges = [
            min(fits[i][x], fits[j][x])
            for x in best[i] & best[j] - {through_not}
            if min(fits[i][x], fits[j][x]) >= 0.5
        ]
        return max([fits[i].get(j, 0), *bridges])

    found = {}
    for i, j, p in rows.itertuples(index=False):
        third = [
            fits[a][k] * (1 - one_person(b, k, a))
            for a, b in ((i, j), (j, i))
            for k in (best.get(a, ()) if p >= 0.01 else ())
            if k not in (i, j)
        ]
        rung = sum(max(third) >= bound for bound, _ in LEVELS) if third else 0
        found[i, j] = BEST - rung if p >= 0.01 else -1
    return found


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
