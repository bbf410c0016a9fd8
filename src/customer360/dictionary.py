"""The data dictionary, written from the contracts."""

from __future__ import annotations

from customer360.contracts import CONTRACTS, Table

__all__ = ["render_dictionary"]

INTRODUCTION = """# Data dictionary

Written by `customer360 dictionary` from `src/customer360/contracts.py`; do not edit.
Times are UTC, amounts are in the dataset's currency, identifiers are text. **P** marks
personal data: it never leaves `data/`.
"""


def render_dictionary() -> str:
    """All contracts as one Markdown page, folder by folder."""
    parts = [INTRODUCTION]
    folder = ""
    for table in CONTRACTS.values():
        if table.folder != folder:
            folder = table.folder
            parts.append(f"\n## data/{folder}\n")
        parts.append(_section(table))
    return "\n".join(parts) + "\n"


def _section(table: Table) -> str:
    key = ", ".join(f"`{k}`" for k in table.key) or "none: rows are events"
    lines = [
        f"\n### {table.name}\n",
        f"One row is {table.grain}. Key: {key}. File: `data/{table.folder}/{table.file_name}`.\n",
        "| column | type | unit | P | may be empty | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for c in table.columns:
        about = c.about + (f" ({', '.join(c.allowed)})" if c.allowed else "")
        lines.append(
            f"| {c.name} | {c.dtype} | {c.unit} | {'P' if c.personal else ''} "
            f"| {'yes' if c.nullable else 'no'} | {about} |"
        )
    return "\n".join(lines)
