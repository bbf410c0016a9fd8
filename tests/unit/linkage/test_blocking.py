from __future__ import annotations

from contextlib import closing

import duckdb
import pandas as pd
import pytest

from customer360.linkage.blocking import LARGEST_BLOCK_RECORDS, choose_rules, write_blocks
from customer360.linkage.records import prepare_records


@pytest.fixture
def connection():
    with closing(duckdb.connect()) as own:
        yield own


def load(connection, **columns) -> set[str]:
    size = len(next(iter(columns.values())))
    keys = {"source": ["crm"] * size, "source_id": [f"{i:05d}" for i in range(size)]}
    prepare_records(connection, pd.DataFrame({**keys, **columns}))
    return set(columns)


def test_pairs_are_counted_by_hand(connection):
    columns = load(
        connection,
        email=["a@x.fr", "a@x.fr", "a@x.fr", "b@x.fr", "b@x.fr", None],
    )
    rules, table, notes = choose_rules(connection, columns=columns, max_pairs_budget=100)
    assert table.to_dict("records") == [
        {
            "family": "e-mail",
            "rule": "email",
            "pairs": 4,
            "large_blocks": 0,
            "used": True,
            "why": "fits",
        }
    ]
    assert len(rules) == 1
    assert notes == []


def test_a_rule_over_its_share_of_the_budget_gives_way_to_a_stricter_one(connection):
    size = 100
    columns = load(
        connection,
        first_name=[f"name{i % 10}" for i in range(size)],
        birth_date=["1980-01-01"] * size,
        last_name=[f"l{i}" for i in range(size)],
    )
    rules, table, _ = choose_rules(connection, columns=columns, max_pairs_budget=2_000)
    birth = table[table["family"] == "birth date"].set_index("rule")
    assert birth.loc["birth date", "pairs"] == 4950
    assert not birth.loc["birth date", "used"]
    assert birth.loc["birth date + first name", "used"]
    assert birth.loc["birth date + first name", "pairs"] == 10 * 45
    assert table.loc[table["used"], "pairs"].sum() <= 2_000
    assert len(rules) == table["used"].sum()


def test_what_no_variant_can_do_within_the_budget_is_told(connection):
    columns = load(connection, email=["a@x.fr"] * 50)
    rules, _, notes = choose_rules(connection, columns=columns, max_pairs_budget=10)
    assert rules == []
    assert "raise max_pairs_budget" in notes[0]


def test_a_value_that_everybody_shares_makes_no_block(connection):
    many = LARGEST_BLOCK_RECORDS + 1
    columns = load(connection, email=["shop@x.fr"] * many + ["a@x.fr", "a@x.fr"])
    rules, table, notes = choose_rules(connection, columns=columns, max_pairs_budget=1_000_000)
    assert table["pairs"].tolist() == [1]
    assert "left aside" in notes[0]
    write_blocks(connection, rules)
    keys = connection.execute(f"select count({rules[0].column}) from blocks").fetchall()[0][0]
    assert keys == 2


def test_a_rule_within_another_is_not_used_twice(connection):
    columns = load(connection, birth_date=["1980-01-01", "1980-01-01"], last_name=["a", "b"])
    _, table, _ = choose_rules(connection, columns=columns, max_pairs_budget=100)
    within = table[table["family"] == "birth date and family name"]
    assert within["why"].tolist() == ["within birth date"]
    assert not within["used"].any()
