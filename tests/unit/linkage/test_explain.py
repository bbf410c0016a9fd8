from __future__ import annotations

import math

import pandas as pd
import pytest
from french_people import make_people

from customer360.cleaning.people import standardise_people
from customer360.linkage.corrections import DECISION_COLUMNS, read_decisions
from customer360.linkage.explain import (
    explain_words,
    hardest_pairs,
    mask,
    pairs_to_label,
    waterfall,
    waterfall_words,
)
from customer360.linkage.matching import match_people
from customer360.linkage.records import LinkageError


@pytest.fixture(scope="module")
def world():
    raw, _ = make_people(200, seed=5)
    people = standardise_people(raw, country="FR")[0]
    return people, match_people(people, seed=7)


def test_the_steps_add_up_to_the_match_weight_in_any_order(world):
    _, matches = world
    pair = matches.pairs.iloc[0]
    left = {"source_l": pair["source_l"], "source_id_l": pair["source_id_l"]}
    right = {"source_r": pair["source_r"], "source_id_r": pair["source_id_r"]}
    table = waterfall(matches, **left, **right)
    assert table.columns.tolist() == [
        "column",
        "level",
        "match_weight",
        "cumulative_weight",
        "words",
    ]
    assert table["column"].iloc[0] == "before looking"
    assert table["column"].iloc[-2:].tolist() == ["household", "sum"]
    assert table["match_weight"].iloc[:-1].sum() == pytest.approx(pair["match_weight"])
    assert table["match_weight"].iloc[-1] == pytest.approx(pair["match_weight"])
    turned = waterfall(
        matches,
        source_l=pair["source_r"],
        source_id_l=pair["source_id_r"],
        source_r=pair["source_l"],
        source_id_r=pair["source_id_l"],
    )
    assert turned.equals(table)
    assert len(waterfall_words(table).splitlines()) == len(table)


def test_words_hold_no_personal_data(world):
    people, matches = world
    for number in range(20):
        pair = matches.pairs.iloc[number]
        keys = ["source_l", "source_id_l", "source_r", "source_id_r"]
        words = waterfall_words(waterfall(matches, **pair[keys].to_dict()))
        row = people[
            (people["source"] == pair["source_l"]) & (people["source_id"] == pair["source_id_l"])
        ].iloc[0]
        for field in ("last_name", "email", "phone", "street"):
            if isinstance(row[field], str):
                assert row[field] not in words


def test_a_pair_that_was_not_kept_is_told(world):
    _, matches = world
    with pytest.raises(LinkageError, match="share too little"):
        waterfall(matches, source_l="crm", source_id_l="?", source_r="web", source_id_r="?")


def test_words_for_readers_tell_for_against_and_the_sum(world):
    _, matches = world
    pair = matches.pairs.iloc[0]
    keys = ["source_l", "source_id_l", "source_r", "source_id_r"]
    table = waterfall(matches, **pair[keys].to_dict())
    told = explain_words(table)
    assert told.startswith("Speaks for one person") and "Speaks against" in told
    assert "pair of records in" in told and told.endswith(f"{table['words'].iloc[-1]}.")
    for step in table["column"].iloc[1:-1]:
        assert step in told


def test_masked_values_keep_first_letters_only():
    values = pd.Series(["Jean-Paul", "12 bis rue d'Ys", "é.zola@ici.fr", "+33612", "1980-05-04"])
    assert mask(values).tolist() == [
        "J•••-P•••",
        "•• b•• r•• d'Y•",
        "é.z•••@i••.f•",
        "+•••••",
        "••••-••-••",
    ]


def test_hardest_pairs_lie_nearest_to_the_threshold_and_wait_for_a_verdict(world):
    people, matches = world
    hard = hardest_pairs(matches, count=5)
    distance = (hard["match_weight"] - math.log2(20)).abs()
    assert distance.is_monotonic_increasing and len(hard) == 5
    others = (matches.pairs["match_weight"] - math.log2(20)).abs().sort_values()
    assert distance.iloc[-1] == pytest.approx(others.iloc[4])
    table = pairs_to_label(hard, people)
    assert table["verdict"].isna().all() and len(table) == 5
    assert table.columns[:5].tolist() == DECISION_COLUMNS
    assert read_decisions(labels=table).empty
