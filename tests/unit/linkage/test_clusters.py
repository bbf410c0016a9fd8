from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.clusters import connected_components, link_records, refused_links
from customer360.linkage.matching import Matches
from customer360.linkage.records import LinkageError


def people(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"source": ["s"] * len(ids), "source_id": list(ids)})


def matches(*pairs: tuple[str, str, float]) -> Matches:
    frame = pd.DataFrame(
        {
            "source_l": ["s"] * len(pairs),
            "source_id_l": [p[0] for p in pairs],
            "source_r": ["s"] * len(pairs),
            "source_id_r": [p[1] for p in pairs],
            "match_weight": [float(p[2]) for p in pairs],
        }
    )
    frame["match_probability"] = 1 / (1 + 2.0 ** -frame["match_weight"])
    return Matches(frame, frame, {"comparisons": []}, pd.DataFrame(), threshold=0.95)


def groups(linked: pd.DataFrame) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in linked.groupby("customer_id")["source_id"].agg(list)}


def test_components():
    found = connected_components(5, np.array([0, 1]), np.array([1, 2]))
    assert found[0] == found[1] == found[2]
    assert len(set(found.tolist())) == 3


def test_links_chain_and_the_contract_holds():
    linked = link_records(people("a", "b", "c", "d"), matches(("a", "b", 9), ("b", "c", 8)))
    assert groups(linked) == {frozenset("abc"), frozenset("d")}
    contract = CONTRACTS["linked_records"]
    table = pa.Table.from_pandas(linked, schema=arrow_schema(contract), preserve_index=False)
    validate_batch(contract, table)
    assert linked["customer_id"].str.fullmatch("c[0-9a-f]{12}").all()


def test_a_pair_below_the_threshold_is_no_link():
    assert len(groups(link_records(people("a", "b"), matches(("a", "b", 3))))) == 2


def test_the_id_derives_from_the_smallest_key_whatever_the_order():
    links = matches(("a", "b", 9))
    one = link_records(people("a", "b", "c"), links)
    two = link_records(people("c", "b", "a"), links)
    pd.testing.assert_frame_equal(one, two)
    alone = link_records(people("a"), matches())
    assert alone["customer_id"][0] == one["customer_id"][0]


def test_a_vague_record_does_not_bridge_two_people():
    # a1 a2 are the father, b1 b2 the son, x could be either.
    links = matches(
        ("a1", "a2", 20),
        ("b1", "b2", 20),
        ("a1", "x", 6),
        ("a2", "x", 6.5),
        ("b1", "x", 6),
        ("b2", "x", 6),
        ("a1", "b1", -8),
        ("a1", "b2", -8),
        ("a2", "b1", -8),
        ("a2", "b2", -8),
    )
    rows = people("a1", "a2", "b1", "b2", "x")
    linked = link_records(rows, links)
    assert groups(linked) == {frozenset(["a1", "a2", "x"]), frozenset(["b1", "b2"])}
    refused = refused_links(links, linked)
    assert set(refused["source_id_l"]) == {"b1", "b2"}


def test_one_wrong_field_does_not_split_a_person():
    links = matches(("a", "b", 15), ("a", "c", 12), ("b", "c", -3))
    assert groups(link_records(people("a", "b", "c"), links)) == {frozenset("abc")}


def test_splitting_one_group_leaves_the_others():
    links = matches(
        ("a", "b", 6), ("b", "c", 6), ("a", "c", -9), ("d", "e", 8), ("e", "f", 8), ("d", "f", 8)
    )
    found = groups(link_records(people(*"abcdef"), links))
    assert frozenset("def") in found
    assert len(found) == 3


def test_ids_that_only_orders_name_become_customers():
    orders = pd.DataFrame({"source": ["s", "till", "till"], "source_id": ["a", "9", "9"]})
    linked = link_records(people("a", "b"), matches(("a", "b", 9)), orders)
    assert linked["source_id"].tolist() == ["a", "b", "9"]
    assert linked["has_person_record"].tolist() == [True, True, False]
    assert linked["customer_id"].nunique() == 2


def test_keys_must_be_known():
    with pytest.raises(LinkageError, match="match this table anew"):
        link_records(people("a"), matches(("a", "z", 9)))
    with pytest.raises(LinkageError, match="1 source and source_id are empty"):
        link_records(pd.DataFrame({"source": ["s"], "source_id": [None]}), matches())


@pytest.mark.parametrize(("share", "customers"), [(0.001, 2), (0.07, 1)])
def test_two_birth_dates_are_never_outvoted_where_they_can_be_relied_upon(share, customers):
    # The son c carries his father's name and address; b tells no birth date.
    links = matches(("a", "b", 12), ("b", "c", 9), ("b", "d", 9), ("a", "c", -3), ("c", "d", 12))
    levels = [{"value": 0, "m": share}, {"value": 1, "m": 1 - share}]
    links = replace(
        links,
        model={"comparisons": [{"name": "birth_date", "levels": levels}]},
        evidence=links.evidence.assign(level_birth_date=[-1, -1, -1, 0, 1]),
    )
    assert len(groups(link_records(people("a", "b", "c", "d"), links))) == customers


def test_groups_are_joined_as_by_definition():
    rng = np.random.default_rng(7)
    ids = [f"{number:03d}" for number in range(300)]
    # Six records at a time that fit each other more or less, some pairs never compared.
    pairs = [
        (ids[a], ids[b], round(rng.normal(4, 7), 1))
        for start in range(0, len(ids), 6)
        for a in range(start, start + 6)
        for b in range(a + 1, start + 6)
        if rng.random() < 0.8
    ]
    found = groups(link_records(people(*ids), matches(*pairs)))
    assert found == joined_by_definition(ids, pairs)
    assert len({len(group) for group in found}) > 4


def joined_by_definition(ids, pairs):
    """Strongest link first, each time the evidence between its two parts summed anew."""
    part = {one: frozenset([one]) for one in ids}
    bits = {(a, b): np.clip(weight, -10, 10) for a, b, weight in pairs}
    links = [(-bits[a, b], a, b) for a, b, weight in pairs if weight > np.log2(0.95 / 0.05)]
    waiting, before = sorted(links), None
    while waiting != before:
        before, waiting = waiting, []
        for link in before:
            one, two = part[link[1]], part[link[2]]
            if one == two:
                continue
            if sum(w for (a, b), w in bits.items() if {a, b} & one and {a, b} & two) <= 0:
                waiting.append(link)
            else:
                part |= dict.fromkeys(one | two, one | two)
    return set(part.values())


def test_nobody_at_all_has_the_same_columns():
    nobody, somebody = link_records(None, matches()), link_records(people("a"), matches())
    assert nobody.empty
    pd.testing.assert_series_equal(nobody.dtypes, somebody.dtypes)
