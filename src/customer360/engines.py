"""The engine that runs relational work: DuckDB on one machine."""

from __future__ import annotations

import duckdb

__all__ = ["connect"]


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
