from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import replace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from french_people import make_people

from customer360.cleaning.people import standardise_people
from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.clusters import link_records
from customer360.linkage.evaluate import evaluate_links
from customer360.linkage.matching import match_people
from customer360.linkage.records import LinkageError

FATHER = {
    "source": "crm",
    "source_id": "1",
    "title": "M",
    "first_name": "Jean",
    "last_name": "Durand",
    "birth_date": "1950-02-03",
    "email": "famille.durand@orange.fr",
    "phone": "0145678912",
    "street": "3 rue de la Paix",
    "postcode": "75002",
    "city": "Paris",
}
SON = {**FATHER, "source_id": "2", "first_name": "Paul", "birth_date": "1980-05-06"}
WIFE = {
    **FATHER,
    "source_id": "3",
    "title": "Mme",
    "first_name": "Marie",
    "birth_date": "1952-07-09",
}


def staged(*rows: dict) -> pd.DataFrame:
    return standardise_people(pd.DataFrame(list(rows)), country="FR")[0]


@pytest.fixture(scope="module")
def world():
    raw, truth = make_people(500, seed=3)
    people = standardise_people(raw, country="FR")[0]
    matches = match_people(people, seed=7)
    return people, truth, matches


def test_most_records_find_their_person_and_no_other(world):
    people, truth, matches = world
    quality = evaluate_links(link_records(people, matches), truth)
    assert quality["precision"] >= 0.98
    assert quality["recall"] >= 0.85


def test_pairs_keep_their_contract_and_evidence_adds_up(world):
    _, _, matches = world
    contract = CONTRACTS["link_pairs"]
    table = pa.Table.from_pandas(matches.pairs, schema=arrow_schema(contract), preserve_index=False)
    validate_batch(contract, table)
    keys = ["source_l", "source_id_l", "source_r", "source_id_r"]
    assert not matches.pairs.duplicated(keys).any()
    pd.testing.assert_frame_equal(matches.pairs[keys], matches.evidence[keys])
    bits = [c for c in matches.evidence if c.startswith("bits_") or c == "prior"]
    total = matches.evidence[bits].sum(axis=1)
    pd.testing.assert_series_equal(total, matches.pairs["match_weight"], check_names=False)


def test_probabilities_mean_what_they_say(world):
    _, truth, matches = world
    person = truth.set_index(["source", "source_id"])["person_id"]
    pairs = matches.pairs
    left = person.reindex(pd.MultiIndex.from_frame(pairs[["source_l", "source_id_l"]]))
    right = person.reindex(pd.MultiIndex.from_frame(pairs[["source_r", "source_id_r"]]))
    same = pd.Series(left.to_numpy() == right.to_numpy())
    sure = pairs["match_probability"] > 0.99
    doubtful = pairs["match_probability"].between(0.2, 0.9)
    assert same[sure].mean() > 0.98
    assert 0.3 < same[doubtful].mean() < 0.95
    assert same[pairs["match_probability"] < 0.1].mean() < 0.2


def test_two_runs_and_any_order_of_rows_give_the_same_bytes(world):
    people, _, matches = world
    again = match_people(people.sample(frac=1, random_state=5), seed=7)
    pd.testing.assert_frame_equal(again.pairs, matches.pairs, check_exact=True)
    pd.testing.assert_frame_equal(again.evidence, matches.evidence, check_exact=True)
    assert json.dumps(again.model) == json.dumps(matches.model)


def test_a_row_twice_adds_no_customer(world):
    people, _, matches = world
    twice = pd.concat([people, people.head(60)], ignore_index=True)
    linked = link_records(twice, match_people(twice, seed=7))
    pd.testing.assert_frame_equal(linked, link_records(people, matches))


def test_a_model_is_json_and_can_be_used_again(world):
    people, _, matches = world
    model = json.loads(json.dumps(matches.model))
    again = match_people(people, seed=7, model=model)
    pd.testing.assert_frame_equal(again.pairs, matches.pairs, check_exact=True)


def test_an_untrained_level_is_an_error_with_a_remedy(world):
    people, _, matches = world
    model = json.loads(json.dumps(matches.model))
    model["comparisons"][0]["levels"][0]["m"] = None
    with pytest.raises(LinkageError, match=r"untrained.*Train on all the records"):
        match_people(people, seed=7, model=model)
    del model["comparisons"][0]
    with pytest.raises(LinkageError, match="train a new one"):
        match_people(people, seed=7, model=model)


def test_a_relation_and_a_connection_of_ones_own_do_as_well(world):
    people, _, matches = world
    with closing(duckdb.connect()) as connection:
        connection.register("given", people)
        again = match_people(connection.sql("select * from given"), seed=7)
        pd.testing.assert_frame_equal(again.pairs, matches.pairs)
        for _ in range(2):
            inside = match_people(people, seed=7, connection=connection)
            pd.testing.assert_frame_equal(inside.pairs, matches.pairs)


def test_splink_is_silent(world, capfd, caplog):
    people, _, _ = world
    with caplog.at_level(logging.DEBUG):
        match_people(people.head(200), seed=7)
    assert not [r for r in caplog.records if r.name.startswith("splink")]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("columns", "recall"),
    [
        (["first_name", "last_name", "postcode", "birth_date"], 0.5),
        (["email", "phone"], 0.5),
        (["email"], 0.4),
        (["first_name", "last_name", "email"], 0.4),
    ],
)
def test_missing_columns_drop_their_comparison_with_a_note(world, columns, recall):
    people, truth, _ = world
    kept = people[["source", "source_id", "updated_at", *columns]]
    matches = match_people(kept, seed=7)
    names = {c["name"] for c in matches.model["comparisons"]}
    assert "title" not in names
    assert any("civility is not compared" in note for note in matches.notes)
    quality = evaluate_links(link_records(kept, matches), truth)
    assert quality["recall"] > recall
    assert quality["precision"] > 0.75


def test_a_family_stays_apart_and_a_duplicate_does_not():
    rows = staged(FATHER, SON, WIFE, {**FATHER, "source": "web", "source_id": "9"})
    linked = link_records(rows, match_people(rows, seed=1)).set_index(["source", "source_id"])
    customer = linked["customer_id"]
    assert customer["crm", "1"] == customer["web", "9"]
    assert customer.nunique() == 3


def test_a_family_stays_apart_in_a_large_table(world):
    people, _, _ = world
    rows = pd.concat([people, staged(FATHER, SON, WIFE)], ignore_index=True)
    matches = match_people(rows, seed=7)
    linked = link_records(rows, matches)
    family = linked[linked["source"].eq("crm") & linked["source_id"].isin(["1", "2", "3"])]
    assert family["customer_id"].nunique() == 3


def test_a_clean_table_and_a_tiny_one_do_not_fail(world):
    people, truth, _ = world
    first = truth.drop_duplicates("person_id")["source_id"]
    clean = people[people["source_id"].isin(first)]
    linked = link_records(clean, match_people(clean, seed=7))
    assert linked["customer_id"].nunique() >= 0.99 * len(clean)
    one = staged(FATHER)
    assert link_records(one, match_people(one, seed=1))["customer_id"].nunique() == 1
    copies = staged(*[{**FATHER, "source_id": str(i)} for i in range(20)])
    assert link_records(copies, match_people(copies, seed=1))["customer_id"].nunique() == 1


def test_people_without_anything_that_identifies_them_are_each_a_customer():
    rows = pd.DataFrame({"source": ["a"] * 4, "source_id": list("1234"), "city": ["Lyon"] * 4})
    matches = match_people(rows, seed=1)
    assert "nobody can tell" in matches.notes[0]
    assert link_records(rows, matches)["customer_id"].nunique() == 4


def test_no_people_table_at_all():
    matches = match_people(None, seed=1)
    others = pd.DataFrame({"source": ["till", "till", "till"], "source_id": ["7", "8", "7"]})
    linked = link_records(None, matches, others)
    assert linked["has_person_record"].tolist() == [False, False]
    assert linked["customer_id"].nunique() == 2
    assert "no people table" in matches.notes[0]


def test_the_threshold_follows_the_cost(world):
    people, _, _ = world
    few = people.head(100)
    assert match_people(few, seed=1, false_merge_cost=99).threshold == pytest.approx(0.99)
    assert match_people(few, seed=1, probability_threshold=0.5).threshold == 0.5
    with pytest.raises(ValueError, match="false_merge_cost"):
        match_people(few, seed=1, false_merge_cost=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        match_people(few, seed=1, probability_threshold=1.0)


def test_a_table_without_its_key_is_refused():
    with pytest.raises(LinkageError, match="source_id"):
        match_people(pd.DataFrame({"source": ["a"], "email": ["a@b.fr"]}), seed=1)


def test_columns_beyond_the_contract_are_compared_too(world):
    people, truth, _ = world
    person = people.merge(truth, on=["source", "source_id"])["person_id"]
    member = person.str[1:].where(person.index % 3 > 0)
    kept = people[["source", "source_id", "first_name", "last_name"]].assign(member=member)
    without = match_people(kept, seed=7)
    assert "member" not in {c["name"] for c in without.model["comparisons"]}
    matches = match_people(kept, seed=7, extra={"member": "identifier"})
    assert "member" in set(matches.blocking["family"])
    recall = evaluate_links(link_records(kept, matches), truth)["recall"]
    assert recall > evaluate_links(link_records(kept, without), truth)["recall"] + 0.1


def test_the_budget_follows_the_records(world):
    people, _, matches = world
    used = matches.blocking.loc[matches.blocking["used"], "pairs"].sum()
    assert used <= max(10 * len(people), 100_000)
    few = match_people(people, seed=7, max_pairs_budget=2_000)
    assert few.blocking.loc[few.blocking["used"], "pairs"].sum() <= 2_000


# F1 weighs a false merge and a missed match alike, so it asks for a cost of 1.
@pytest.mark.parametrize(
    "spoil",
    [
        lambda people: people,
        lambda people: people.drop(columns=["email", "phone"]),
        lambda people: people.assign(postcode=_elsewhere(people["postcode"])),
        lambda people: people.assign(last_name=_elsewhere(people["last_name"])).drop(
            columns="email"
        ),
    ],
    ids=["as it is", "no contact points", "wrong postcodes", "old names and no e-mail"],
)
def test_the_threshold_chosen_is_nearly_the_best_whatever_the_dirt(world, spoil):
    people, truth, _ = world
    table = spoil(people)
    matches = match_people(table, seed=7, false_merge_cost=1)

    def f1(threshold: float) -> float:
        linked = link_records(table, replace(matches, threshold=threshold))
        return evaluate_links(linked, truth)["f1"]

    best = max(f1(threshold) for threshold in (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99))
    assert f1(matches.threshold) > best - 0.01


def _elsewhere(values: pd.Series) -> pd.Series:
    """Three values in ten become somebody else's."""
    other = values.sample(frac=1, random_state=1).to_numpy()
    return values.where(values.index % 10 > 2, other)
