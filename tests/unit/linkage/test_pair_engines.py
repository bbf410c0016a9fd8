from __future__ import annotations

import duckdb
import pytest
from sqlglot import parse_one

from customer360.linkage.comparisons import COMPARISONS
from customer360.linkage.levels import levels_sql
from customer360.linkage.pair_engines import LENT, DuckDBPairs, as_spark

CONDITIONS = [
    levels_sql([comparison]).removesuffix(f" as level_{comparison.name}")
    for comparison in COMPARISONS
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_is_one_that_spark_reads(condition):
    told = as_spark(condition)
    assert "&&" not in told and "::" not in told
    for name in LENT:
        # Spark has functions of the same names which measure otherwise.
        assert told.lower().count(f"{name}(") == told.lower().count(f"duckdb_{name}(")
        assert told.lower().count(f"{name}(") == condition.count(f"{name}(")
    assert "jarowinkler" not in told.lower()
    # Splink reads it again before it hands it to Spark.
    assert parse_one(told, read="spark").sql(dialect="spark").lower() == told.lower()


def test_a_table_is_made_of_a_query_and_made_anew():
    with duckdb.connect() as connection:
        engine = DuckDBPairs(connection)
        for value in (1, 2):
            engine.make("numbers", f"select {value} as n")
        assert engine.fetch("select n from numbers")["n"].tolist() == [2]
        assert engine.condition("list_has_any(a, b)") == "list_has_any(a, b)"
