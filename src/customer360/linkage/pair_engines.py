"""Where pairs are made and compared: in DuckDB, or on Spark when one machine is outgrown.

Blocking, comparisons and scores are written once, as DuckDB reads them; Spark gets them
translated. On both, DuckDB folds the records and counts the rules, compares the sample of
strangers (whose size is fixed) and groups the links (docs/decisions/0008).
"""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

__all__ = ["DuckDBPairs", "PairEngine", "SparkPairs", "as_spark"]

# Other libraries count letters that changed places in other ways, which moves pairs across a
# level: DuckDB lends Spark its own measures, under names that are not Spark's.
LENT = {"damerau_levenshtein": "bigint", "jaro_winkler_similarity": "double"}
_LENT_NAME = "duckdb_{0}"


class PairEngine(Protocol):
    """What linkage asks of an engine; all SQL is DuckDB's."""

    def api(self) -> Any:
        """Splink's way to this engine."""

    def condition(self, sql: str) -> str:
        """The same condition as this engine reads it."""

    def give(self, table: str) -> Any:
        """A table of the records' DuckDB, for Splink to register here."""

    def make(self, table: str, sql: str) -> None:
        """Write the answer of a query as a table of this engine."""

    def fetch(self, sql: str) -> pd.DataFrame:
        """The answer of a query to tables of this engine."""

    def bring_back(self, *, least: float, threshold: float) -> None:
        """Tables `compared` and `scored` in the records' DuckDB: the pairs that matter.

        Those at least so probable, and those of records that a link binds.
        """


class DuckDBPairs:
    """Pairs beside the records, in one DuckDB.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def api(self) -> Any:
        """See `PairEngine`."""
        from splink import DuckDBAPI

        return DuckDBAPI(self.connection)

    def condition(self, sql: str) -> str:
        """See `PairEngine`."""
        return sql

    def give(self, table: str) -> str:
        """See `PairEngine`."""
        return table

    def make(self, table: str, sql: str) -> None:
        """See `PairEngine`."""
        self.connection.execute(f"create or replace temp table {table} as {sql}")

    def fetch(self, sql: str) -> pd.DataFrame:
        """See `PairEngine`."""
        return self.connection.execute(sql).df()

    def bring_back(self, *, least: float, threshold: float) -> None:
        """Nothing to do: they are there."""


class SparkPairs:
    """Pairs on Spark, from records in a DuckDB.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the records.
    session : pyspark.sql.SparkSession
        With pyarrow and duckdb installed where it works.
    """

    def __init__(self, connection: Any, session: Any) -> None:
        self.connection = connection
        self.session = session
        for name, kind in LENT.items():
            session.udf.register(_LENT_NAME.format(name), _lend(name, kind))

    def api(self) -> Any:
        """See `PairEngine`."""
        from splink import SparkAPI

        return SparkAPI(
            spark_session=self.session,
            break_lineage_method="persist",
            register_udfs_automatically=False,
        )

    def condition(self, sql: str) -> str:
        """See `PairEngine`."""
        return as_spark(sql)

    def give(self, table: str) -> Any:
        """See `PairEngine`."""
        columns = self.connection.execute(f"describe {table}").fetchall()
        # Spark knows no number without a sign.
        signed = ", ".join(
            f"({name} >> 1)::bigint as {name}" for name, kind, *_ in columns if kind == "UBIGINT"
        )
        replaced = f"replace ({signed})" if signed else ""
        given = self.connection.sql(f"select * {replaced} from {table}").to_arrow_table()
        return self.session.createDataFrame(given)

    def make(self, table: str, sql: str) -> None:
        """See `PairEngine`."""
        # Cut off from how it was made: Spark would carry all of that through what follows.
        self.session.sql(self.condition(sql)).localCheckpoint().createOrReplaceTempView(table)

    def fetch(self, sql: str) -> pd.DataFrame:
        """See `PairEngine`."""
        return self._arrow(sql).to_pandas()

    def _arrow(self, sql: str) -> pa.Table:
        return self.session.sql(self.condition(sql)).toArrow()

    def bring_back(self, *, least: float, threshold: float) -> None:
        """See `PairEngine`."""
        for table in ("compared", "scored"):
            pairs = self._arrow(
                f"""
                with links as (
                    select record_l, record_r from scored
                    where match_probability >= {threshold!r}::double
                ),
                bound as (
                    select record_l as record from links union select record_r from links
                ),
                kept as (
                    select record_l, record_r from scored
                    left join bound l on l.record = record_l
                    left join bound r on r.record = record_r
                    where match_probability >= {least!r}::double
                       or (l.record is not null and r.record is not null)
                )
                select t.* from {table} t join kept
                    on kept.record_l = t.record_l and kept.record_r = t.record_r
                """
            )
            self.connection.register("brought", pairs)
            self.connection.execute(
                f"create or replace temp table {table} as select * from brought"
            )
            self.connection.unregister("brought")


def as_spark(sql: str) -> str:
    """The same query or condition in Spark's SQL.

    Parameters
    ----------
    sql : str
        In DuckDB's.
    """
    from sqlglot import exp, parse_one

    def spell(node: Any) -> Any:
        # Written as an operator that Spark does not know.
        if isinstance(node, exp.ArrayOverlaps):
            return exp.Anonymous(this="arrays_overlap", expressions=[node.this, node.expression])
        return node

    for name in LENT:
        sql = sql.replace(f"{name}(", f"{_LENT_NAME.format(name)}(")
    return parse_one(sql, read="duckdb").transform(spell).sql(dialect="spark")


def _lend(name: str, kind: str) -> Any:
    """DuckDB's measure of two texts, as a function of Spark on batches of them."""
    from pyspark.sql import functions

    def measure(left: pa.Array, right: pa.Array) -> pa.Array:
        import duckdb

        with duckdb.connect() as connection:
            connection.register("texts", pa.table({"l": left, "r": right}))
            found = connection.sql(f"select {name}(l, r)::{kind} as found from texts")
            return found.to_arrow_table()["found"].combine_chunks()

    measure.__annotations__ = {"left": pa.Array, "right": pa.Array, "return": pa.Array}
    # Its stubs ask for what these annotations tell it.
    arrow_udf: Any = functions.arrow_udf
    return arrow_udf(measure, returnType=kind)
