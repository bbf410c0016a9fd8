"""What a dataset delivers, before anyone cleaned it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Arrived"]


@dataclass
class Arrived:
    """Everything that came in.

    Attributes
    ----------
    tables : dict
        Raw table name (`"orders"`, `"people"`...) to a frame that keeps the raw
        contract of that name: pandas, Arrow or a DuckDB relation. Columns that the
        source does not have may be missing; `storage` adds them empty.
    truth : dict
        The same for `truth.*`; empty for real data.
    rejected : frame or None
        Rows that could not be read, in the contract `raw.rejected`. Nothing is lost:
        rows of the files = rows of the tables + rows rejected.
    emptied : frame or None
        Optional values that could not be read, in rows that were kept, in the contract
        `raw.emptied`.
    """

    tables: dict[str, Any]
    truth: dict[str, Any] = field(default_factory=dict)
    rejected: Any | None = None
    emptied: Any | None = None
