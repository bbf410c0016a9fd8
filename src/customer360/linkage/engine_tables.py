"""Hand any table to DuckDB."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

__all__ = ["as_arrow"]


def as_arrow(table: Any) -> pa.Table:
    """A pandas frame, Arrow table or DuckDB relation as an Arrow table.

    A relation may belong to another connection, and DuckDB 2.0 refuses some views of
    pandas frames (`frame[::-1]`): Arrow goes everywhere.
    """
    if isinstance(table, pd.DataFrame):
        return pa.Table.from_pandas(table, preserve_index=False)
    return table.to_arrow_table() if hasattr(table, "to_arrow_table") else table
