"""Conditions that people write, as in SQL: they read the tables laid out, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import duckdb
import pandas as pd

__all__ = ["ConditionError", "ask", "walled_connection"]


class ConditionError(ValueError):
    """A condition cannot be followed. The message says why, and quotes no value."""


@contextmanager
def walled_connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that reaches no file and no network, and cannot be told to."""
    config: dict[str, Any] = {"enable_external_access": "false", "lock_configuration": "true"}
    with closing(duckdb.connect(config=config)) as connection:
        yield connection


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Rows of a query with a condition that somebody wrote.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        From `walled_connection`.
    query : str
        One select.

    Raises
    ------
    ConditionError
        When it is not one select, or does not fit the tables.
    """
    try:
        statements = duckdb.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConditionError("write one condition, and no other statement")
        return connection.sql(query).df()
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        # The first line says what is wrong.
        told = str(error).partition("\n")[0]
    except duckdb.Error as error:
        # Raised while reading the table: the message quotes a value.
        told = f"it cannot be worked out for every customer ({type(error).__name__})"
    raise ConditionError(told)
