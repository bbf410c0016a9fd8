"""Ask a made world questions in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb


@contextmanager
def asking(world: Any, *, bought: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the tables of a made world; those of the truth are called true_...

    `bought` is the query of a table of that name: the orders with their true person.
    """
    connection = duckdb.connect()
    for name, table in world.tables.items():
        connection.register(name, table)
    for name, table in world.truth.items():
        connection.register(f"true_{name}", table)
    connection.execute(f"CREATE TABLE bought AS {bought}")
    try:
        yield connection
    finally:
        connection.close()
