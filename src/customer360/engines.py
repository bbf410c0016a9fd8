"""The engines that run relational work: DuckDB on one machine, Spark on several."""

from __future__ import annotations

import sys
from typing import Any

import duckdb

__all__ = ["connect", "connect_spark", "exact_sum"]


def connect(*, threads: int | None = None, memory_limit: str | None = None):
    """Open an in-memory DuckDB, silent and repeatable.

    Parameters
    ----------
    threads : int, optional
        Cores to use; all by default.
    memory_limit : str, optional
        For example `"4GB"`; what does not fit spills to disk.

    Returns
    -------
    duckdb.DuckDBPyConnection
    """
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    if threads:
        connection.execute(f"SET threads = {int(threads)}")
    if memory_limit:
        connection.execute("SET memory_limit = ?", [memory_limit])
    return connection


def exact_sum(column: str) -> str:
    """A sum of money for SQL that is the same in whatever order the cores add up.

    Sums of floating-point numbers differ in their last digits from order to order; whole
    millionths add up exactly.

    Parameters
    ----------
    column : str
        Amounts, currency.

    Returns
    -------
    str
        An aggregate, a decimal; cast it to double at the end.
    """
    return f"sum({column}::decimal(18, 6))"


def connect_spark() -> Any:
    """The Spark session of the cluster this runs on, or one on this machine.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    ImportError
        If the extra `spark` is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ImportError(
            "engine: spark needs PySpark and Java 17: .venv/bin/pip install -e '.[spark]', or set "
            "engine: duckdb in params.yaml"
        ) from None
    session = (
        SparkSession.builder.config("spark.master", "local[*]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    if (session.sparkContext.master or "").startswith("local"):
        # Workers run the Python of the driver, which holds the libraries they need.
        session.sparkContext.pythonExec = sys.executable
    return session
