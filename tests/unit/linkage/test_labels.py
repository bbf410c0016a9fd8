"""The way of a label: offered, decided in a spreadsheet, read back in, measured and obeyed."""

from __future__ import annotations

import pandas as pd
import pytest
from french_people import make_people

from customer360.cleaning.people import standardise_people
from customer360.linkage.clusters import link_records
from customer360.linkage.corrections import apply_decisions, measure_labels, read_decisions
from customer360.linkage.explain import PAIR, hardest_pairs, pairs_to_label
from customer360.linkage.matching import match_people
from customer360.storage import Store


@pytest.fixture(scope="module")
def world():
    raw, truth = make_people(200, seed=5)
    people = standardise_people(raw, country="FR")[0]
    return people, truth, match_people(people, seed=7)


def together(table: pd.DataFrame, owner: pd.Series) -> list[bool]:
    sides = [pd.MultiIndex.from_frame(table[PAIR[i : i + 2]]) for i in (0, 2)]
    left, right = (owner.reindex(side).to_numpy() for side in sides)
    return (left == right).tolist()


def test_hard_pairs_come_back_as_labels_that_measure_and_bind(world, tmp_path):
    people, truth, matches = world
    keys = ["source", "source_id"]
    offered = pairs_to_label(hardest_pairs(matches, count=20), people)
    same = together(offered, truth.set_index(keys)["person_id"])
    # People may say what the evidence does not.
    same[0] = not same[0]
    assert True in same and False in same

    # A spreadsheet's semicolons, capitals and mark; two pairs are left for later.
    answers = ["Same" if one else " DIFFERENT" for one in same[:18]] + [None, None]
    (tmp_path / "data/raw").mkdir(parents=True)
    offered.assign(verdict=answers).to_csv(
        tmp_path / "data/raw/labels.csv", sep=";", index=False, encoding="utf-8-sig"
    )
    decided = read_decisions(labels=Store(tmp_path).read_csv("data/raw/labels.csv"))
    assert len(decided) == 18

    grouped = link_records(people, matches)
    found = together(offered.head(18), grouped.set_index(keys)["customer_id"])
    measured = measure_labels(decided, grouped)
    right = sum(f and s for f, s in zip(found, same[:18], strict=True))
    assert measured["labelled_pairs"] == 18
    assert measured["labelled_recall"] == pytest.approx(right / sum(same[:18]))

    obeyed, unknown = apply_decisions(
        grouped, pairs=matches.pairs, decided=decided, threshold=matches.threshold
    )
    assert unknown == 0
    assert together(offered.head(18), obeyed.set_index(keys)["customer_id"]) == same[:18]

    # What was decided is not asked again; what was left open is.
    again = hardest_pairs(matches, count=20, decided=decided)
    asked = set(again[PAIR].itertuples(index=False, name=None))
    first = list(offered[PAIR].itertuples(index=False, name=None))
    assert not asked & set(first[:18]) and asked >= set(first[18:])
