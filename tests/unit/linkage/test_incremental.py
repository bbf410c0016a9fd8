from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from french_people import make_people

from customer360.cleaning.people import standardise_people
from customer360.contracts import CONTRACTS, validate_batch
from customer360.linkage.clusters import link_records
from customer360.linkage.ids import keep_ids
from customer360.linkage.incremental import (
    Known,
    compare_records,
    compared_records,
    link_new_records,
)
from customer360.linkage.matching import match_people
from customer360.linkage.records import LinkageError

KEYS = ["source_l", "source_id_l", "source_r", "source_id_r"]
DAY = date(2025, 6, 30)


def links(linked: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs of records that are one customer."""
    names = linked["source"] + ":" + linked["source_id"]
    both = pd.DataFrame({"name": names, "id": linked["customer_id"]})
    pairs = both.merge(both, on="id")
    return set(pairs.loc[pairs["name_x"] < pairs["name_y"], ["name_x", "name_y"]]
               .itertuples(index=False, name=None))  # fmt: skip


def ends(pairs: pd.DataFrame) -> list[pd.MultiIndex]:
    """Keys of the first and of the second record of each pair."""
    return [pd.MultiIndex.from_frame(pairs[list(side)]) for side in (KEYS[:2], KEYS[2:])]


@pytest.fixture(scope="module")
def world():
    """People of today, and a run that knew nine tenths of them."""
    raw, _ = make_people(800, seed=5)
    people = standardise_people(raw, country="FR")[0]
    is_new = np.random.default_rng(3).random(len(people)) < 0.1
    before = people[~is_new]
    matches = match_people(before, seed=7)
    linked, history = keep_ids(link_records(before, matches), as_of=DAY)
    known = Known(compared_records(before), linked, matches.pairs, matches.model)
    return people, is_new, known, history


def test_compared_records_keep_their_contract(world):
    people, _, _, _ = world
    table = compared_records(people)
    validate_batch(CONTRACTS["compared_records"], table)
    assert table.num_rows == len(people)
    assert compared_records(people[::-1]).equals(table)
    assert compared_records(None).num_rows == 0


def test_agrees_with_a_full_run_of_the_same_weights(world):
    people, is_new, known, history = world
    matches, linked = link_new_records(people, known=known)
    full = link_records(people, match_people(people, seed=7, model=known.model))
    found, wanted = links(linked), links(full)
    assert len(wanted) > 500
    assert len(found & wanted) / len(found | wanted) >= 0.999
    assert matches.pairs_compared < 0.5 * match_people(people, seed=7).pairs_compared
    # Every pair is told once, and the ids of customers without a new record are kept.
    assert not matches.pairs.duplicated(KEYS).any()
    now, _ = keep_ids(linked, as_of=DAY, known=known.linked, history=history)
    both = known.linked.merge(now, on=["source", "source_id"], suffixes=("", "_now"))
    fresh = people.loc[is_new, ["source", "source_id"]]
    holds_new = set(now.merge(fresh)["customer_id"])
    untouched = both[~both["customer_id_now"].isin(holds_new)]
    moved = untouched[untouched["customer_id"] != untouched["customer_id_now"]]
    assert len(untouched) > 300 and len(moved) <= 0.02 * len(untouched)


def test_a_customer_that_no_new_record_fits_stays_as_it_was(world):
    people, is_new, known, _ = world
    records = known.records.to_pandas().set_index(["source", "source_id"])
    named = records["last_name"].notna() & records["phone"].notna()
    pairs = known.pairs.copy()
    left, right = ends(pairs)
    fits = (pairs["match_probability"] >= known.model["threshold"]) & named.reindex(left).to_numpy()
    chosen = pairs[fits & (records["email"].reindex(left).to_numpy()
                           == records["email"].reindex(right).to_numpy())].iloc[0]  # fmt: skip
    one, other = tuple(chosen[KEYS[:2]]), tuple(chosen[KEYS[2:]])
    # The other one shows its e-mail only, and was no link of the last run.
    stripped = people[~is_new].reset_index(drop=True)
    here = (stripped["source"] == other[0]) & (stripped["source_id"] == other[1])
    for column in ("title", "first_name", "last_name", "birth_date", "phone", "street",
                   "postcode", "city"):  # fmt: skip
        stripped[column] = stripped[column].mask(here)
    # One that does not spell their name.
    shared = (stripped["email"] == records.loc[one, "email"]) & (
        here | (stripped["source_id"] == one[1])
    )
    stripped["email"] = stripped["email"].mask(shared, "kx77q@ailleurs.example")
    mates = records.index[records["email"] == records.loc[one, "email"]]
    keys = pd.MultiIndex.from_frame(stripped[["source", "source_id"]])
    stripped = stripped[~keys.isin(mates.difference([one, other]))].reset_index(drop=True)
    model = {**known.model, "threshold": 0.5}
    matches = match_people(stripped, seed=7, model=model, names=known.records)
    both = matches.pairs.set_index(KEYS).index == (*one, *other)
    assert matches.pairs.loc[both, "match_probability"].item() > 0.5
    apart = replace(
        matches,
        threshold=0.5,
        pairs=matches.pairs.assign(
            match_probability=matches.pairs["match_probability"].mask(both, 0.4)
        ),
    )
    linked, history = keep_ids(link_records(stripped, apart), as_of=DAY)
    # A new record fits one of the two, and has no e-mail.
    keys = pd.MultiIndex.from_frame(stripped[["source", "source_id"]])
    new = stripped[keys == one].assign(source_id="new", email=None)
    last = Known(compared_records(stripped, names=known.records), linked, apart.pairs, model)
    _, today = link_new_records(pd.concat([stripped, new], ignore_index=True), known=last)
    now, _ = keep_ids(today, as_of=DAY, known=linked, history=history)
    ids = now.set_index(["source", "source_id"])["customer_id"]
    before = linked.set_index(["source", "source_id"])["customer_id"]
    assert before[one] != before[other]
    assert ids[one] == ids[one[0], "new"] == before[one]
    assert ids[other] == before[other]


def test_old_pairs_are_weighed_anew_where_a_new_record_fits(world):
    people, is_new, known, _ = world
    full = match_people(people, seed=7, model=known.model, names=known.records).pairs
    new = pd.MultiIndex.from_frame(people.loc[is_new, ["source", "source_id"]])
    left, right = ends(full)
    with_new = (left.isin(new) | right.isin(new)) & (full["field_probability"] >= 0.01)
    fitted = left[with_new].union(right[with_new])
    near = full[left.isin(fitted) | right.isin(fitted)].set_index(KEYS)
    now = link_new_records(people, known=known)[0].pairs.set_index(KEYS)
    before = known.pairs.set_index(KEYS)
    # Otherwise what follows would prove nothing.
    both = near.index.intersection(before.index)
    moved = near.loc[both, "match_weight"] - before.loc[both, "match_weight"]
    assert len(both) > 100 and (moved.abs() > 1).sum() > 30
    found = now.reindex(near.index)["match_weight"]
    assert ((found - near["match_weight"]).abs() < 0.05).all()


def test_the_same_bits_as_a_full_run_counts(world):
    people, _, known, _ = world
    full = match_people(people, seed=7, model=known.model)
    rows = full.pairs.iloc[:: max(1, len(full.pairs) // 12)]
    for row in rows.itertuples():
        pair = [(row.source_l, row.source_id_l), (row.source_r, row.source_id_r)]
        found = compare_records(people, pair, model=known.model, pairs=full.pairs)
        assert found.pairs["match_weight"].tolist() == pytest.approx([row.match_weight])
        wanted = full.evidence.loc[[row.Index]].drop(columns=KEYS).to_numpy(float)
        assert found.evidence.drop(columns=KEYS).to_numpy(float) == pytest.approx(wanted)


def test_nothing_new_nothing_compared_nothing_changed(world):
    people, is_new, known, _ = world
    matches, linked = link_new_records(people[~is_new], known=known)
    assert matches.pairs_compared == 0
    pd.testing.assert_frame_equal(linked, known.linked)
    pd.testing.assert_frame_equal(
        matches.pairs.sort_values(KEYS, ignore_index=True),
        known.pairs.sort_values(KEYS, ignore_index=True),
        check_dtype=False,
    )


def test_rows_in_another_order_and_other_tables_give_the_same(world):
    people, _, known, _ = world
    one, linked = link_new_records(people, known=known)
    turned = Known(
        known.records, pa.Table.from_pandas(known.linked), known.pairs[::-1], known.model
    )
    two, again = link_new_records(people[::-1], known=turned)
    assert links(linked) == links(again)
    sorted_pairs = [m.pairs.sort_values(KEYS, ignore_index=True) for m in (one, two)]
    pd.testing.assert_frame_equal(*sorted_pairs)


def test_a_changed_record_is_matched_anew_and_a_lost_one_goes(world):
    people, is_new, known, _ = world
    old = people[~is_new].reset_index(drop=True)
    linked = known.linked
    several = linked.groupby("customer_id").filter(lambda rows: len(rows) >= 3)
    mine = several[several["customer_id"] == several["customer_id"].iloc[0]]
    changed, lost = mine.iloc[0], mine.iloc[1]
    here = (old["source"] == changed["source"]) & (old["source_id"] == changed["source_id"])
    stranger = {"first_name": "Quirin", "last_name": "Zwyndaert", "email": "qz@ailleurs.example",
                "phone": "+33699999999", "street": "1 rue Neuve", "postcode": "29999",
                "birth_date": pd.Timestamp("1901-02-03"), "city": "Loin"}  # fmt: skip
    for column, value in stranger.items():
        old[column] = old[column].where(~here, value)
    gone = (old["source"] == lost["source"]) & (old["source_id"] == lost["source_id"])
    _, now = link_new_records(old[~gone], known=known)
    ids = now.set_index(["source", "source_id"])["customer_id"]
    assert (lost["source"], lost["source_id"]) not in ids.index
    mates = [tuple(r) for r in mine[["source", "source_id"]].to_numpy()[2:]]
    assert all(ids[changed["source"], changed["source_id"]] != ids[mate] for mate in mates)


def test_records_named_by_orders_only(world):
    people, _, known, _ = world
    others = pd.DataFrame(
        {"source": ["till", "crm"], "source_id": ["ghost", people["source_id"][0]]}
    )
    _, linked = link_new_records(people, known=known, other_ids=others)
    ghost = linked[linked["source_id"] == "ghost"]
    assert len(ghost) == 1 and not ghost["has_person_record"].any()
    assert not linked.duplicated(["source", "source_id"]).any()


def test_what_cannot_be_continued_is_told(world):
    people, _, known, _ = world
    for model, words in (
        ({"comparisons": [], "threshold": 0.95}, "compares nothing"),
        ({**known.model, "blocking_rules": ["shoe size"]}, "does not know"),
        ({**known.model, "comparisons": known.model["comparisons"][::-1]}, "other comparisons"),
    ):
        with pytest.raises(LinkageError, match=words):
            link_new_records(people, known=Known(known.records, known.linked, known.pairs, model))
    with pytest.raises(LinkageError, match="no record crm:either, crm:nobody"):
        compare_records(people, [("crm", "nobody"), ("crm", "either")], model=known.model)
