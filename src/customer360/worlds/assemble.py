"""Rows of several files brought together in one raw table, and those set aside.

Rows that repeat one another are found here, lines are numbered, and every row ends either
in its table or among the rejected ones with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds import parsing, tabular

__all__ = ["Part", "assemble", "emptied_table", "rejected_table"]


@dataclass
class Part:
    """One file on its way into one table.

    Attributes
    ----------
    label : str
        How messages name the file.
    entry : dict
        Its mapping.
    cells : Cells
    values : DataFrame
        Its rows in our columns, row for row with `cells.frame`.
    reason : Series
        Why a row is set aside; missing for the rows kept.
    emptied : list of DataFrame
        `field`, `value`, `reason` of optional values that could not be read, by row.
    """

    label: str
    entry: dict[str, Any]
    cells: tabular.Cells
    values: pd.DataFrame
    reason: pd.Series
    emptied: list[pd.DataFrame] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Raw table it goes to."""
        return str(self.entry["table"])

    @property
    def row_count(self) -> int:
        """Rows of the file, broken ones included."""
        return len(self.cells.frame) + len(self.cells.broken)


# --- table by table ---------------------------------------------------------------------------


def assemble(table: str, parts: list[Part]) -> pa.Table:
    """One raw table out of its files.

    Rows that repeat an earlier one, whole or in the key of the table, are set aside, and order
    lines without a number are numbered in file order.

    Parameters
    ----------
    table : str
        Name of a raw table, for example "orders".
    parts : list of Part
        The files that feed it, in the order of the mapping; their `reason` is updated.

    Returns
    -------
    pyarrow.Table
        In the raw contract, every column present.
    """
    contract = CONTRACTS[f"raw.{table}"]
    data = pd.concat([part.values for part in parts], ignore_index=True)
    reason = pd.concat([part.reason for part in parts], ignore_index=True)
    places = _Places(parts)
    numbered = "line_no" in data

    checked = pd.concat(
        [
            pd.Series(part.entry["duplicate_rows"] == "reject", index=part.values.index)
            for part in parts
        ],
        ignore_index=True,
    )
    alike = data[reason.isna() & checked]
    alike = alike[alike.duplicated(keep=False)]
    # Rows that differ in a column the mapping does not use (a line number, an article) are
    # not one row exported twice.
    alike = alike.assign(**{"": _unmapped(parts, alike.index)})
    first = _first_like(alike, list(alike.columns))
    reason[first.index] = "duplicate of " + places.name(first.index, first)

    if table == "orders":
        kept = reason.isna()
        keys = ["source", "order_id"]
        count = data[kept].groupby(keys, dropna=False, sort=False).cumcount() + 1
        numbers = count.astype("str").reindex(data.index)
        data["line_no"] = data["line_no"].fillna(numbers) if numbered else numbers
    if contract.key:
        key = list(contract.key)
        first = _first_like(data[reason.isna()], key)
        reason[first.index] = f"same {', '.join(key)} as " + places.name(first.index, first)
    start = 0
    for part in parts:
        stop = start + len(part.values)
        part.reason = reason.iloc[start:stop].set_axis(part.values.index)
        start = stop
    return _to_arrow(data[reason.isna()], contract.name)


class _Places:
    """Names of the rows of several files laid end to end."""

    def __init__(self, parts: list[Part]) -> None:
        self.rows = np.concatenate([part.cells.rows for part in parts])
        self.part = np.repeat(np.arange(len(parts)), [len(part.values) for part in parts])
        self.labels = np.array([part.label for part in parts], dtype=object)

    def name(self, at: pd.Index, first: pd.Series) -> np.ndarray:
        """`row 12`, with the file when it is not the file of the row itself."""
        first_at = first.to_numpy(dtype="int64")
        rows = "row " + self.rows[first_at].astype(str).astype(object)
        other = self.part[first_at] != self.part[at.to_numpy(dtype="int64")]
        rows[other] = rows[other] + " of " + self.labels[self.part[first_at[other]]]
        return rows


def _unmapped(parts: list[Part], at: pd.Index) -> pd.Series:
    """What the converted values do not show, for some rows of all files.

    That is the columns that the mapping does not use, and the values that were emptied.
    """
    texts, start = [pd.Series(dtype="str")], 0
    for part in parts:
        mine = at[(at >= start) & (at < start + len(part.values))]
        rows = part.cells.frame.iloc[mine - start]
        text = pd.Series("", index=mine, dtype="str")
        for position, title in enumerate(part.cells.header):
            if title not in part.entry["columns"]:
                cell = parsing.to_text(rows[position]).fillna("").set_axis(mine)
                text = text + "\x1f" + cell
        local = part.values.index[mine - start]
        for frame in part.emptied:
            value = frame["value"].reindex(local).fillna("").set_axis(mine)
            text = text + "\x1f" + value
        texts.append(text)
        start += len(part.values)
    return pd.concat(texts)


def _first_like(data: pd.DataFrame, columns: list[str]) -> pd.Series:
    """For each row that repeats an earlier one, the index of the first of them."""
    repeated = data.duplicated(columns, keep=False)
    some = data.loc[repeated, columns]
    if some.empty:
        return pd.Series(dtype="int64")
    group = some.groupby(columns, dropna=False, sort=False).ngroup()
    first = pd.Series(some.index, index=some.index).groupby(group).transform("first")
    return first[first != first.index]


def _to_arrow(data: pd.DataFrame, contract: str) -> pa.Table:
    schema = arrow_schema(CONTRACTS[contract])
    columns = []
    for item in schema:
        if item.name not in data:
            columns.append(pa.nulls(len(data), item.type))
            continue
        values = data[item.name]
        if pa.types.is_date(item.type):
            array = pa.array(values, type=pa.timestamp("us"), from_pandas=True).cast(item.type)
        elif pa.types.is_integer(item.type):
            array = pa.array(values.astype("Int64"), type=item.type, from_pandas=True)
        else:
            array = pa.array(values, type=item.type, from_pandas=True)
        columns.append(array)
    return pa.Table.from_arrays(columns, schema=schema)


# --- what was set aside -----------------------------------------------------------------------


def _rejected_frame(part: Part) -> pd.DataFrame:
    mask = part.reason.notna().to_numpy()
    cells = part.cells.frame[mask].reset_index(drop=True)
    cells.columns = _unique_titles(part.cells.header)
    values = part.values[mask].reset_index(drop=True)
    missing = pd.Series(np.nan, index=values.index)
    rejected = pd.DataFrame(
        {
            "source": values.get("source", missing),
            "row": part.cells.rows[mask],
            "reason": part.reason[mask].to_numpy(),
            "amount": values.get("amount", missing),
            "content": _as_json(cells),
        }
    )
    broken = part.cells.broken
    if len(broken):
        texts = pd.DataFrame({"row as found": broken["content"].astype("str")})
        rejected = pd.concat(
            [
                rejected,
                pd.DataFrame(
                    {
                        "source": part.entry["constants"].get("source"),
                        "row": broken["row"].to_numpy(),
                        "reason": broken["reason"].to_numpy(),
                        "amount": np.nan,
                        "content": _as_json(texts),
                    }
                ),
            ],
            ignore_index=True,
        ).sort_values("row", kind="stable", ignore_index=True)
    rejected.insert(0, "table", part.table)
    rejected.insert(2, "file", part.label)
    return rejected


def _unique_titles(header: list[str]) -> list[str]:
    titles: list[str] = []
    for number, title in enumerate(header, start=1):
        title = title or f"column {number}"
        titles.append(title if title not in titles else f"{title} (column {number})")
    return titles


def _as_json(cells: pd.DataFrame) -> pd.Series:
    """Rows as JSON texts; a cell of excessive length is cut, the file still holds it."""
    if cells.empty:
        return pd.Series(dtype="str")
    short = cells.copy()
    for column in short.columns:
        texts = parsing.to_text(short[column])
        long = (texts.str.len() > tabular.LONGEST_CELL).fillna(False).astype(bool)
        if long.any():
            length = texts[long].str.len().astype("Int64").astype("str")
            texts[long] = texts[long].str.slice(0, 1000) + "… (" + length + " characters)"
        short[column] = texts
    lines = short.to_json(orient="records", lines=True, force_ascii=False).rstrip("\n")
    # pandas writes 31\\/12\\/2025, which is JSON and unreadable.
    return pd.Series(lines.replace("\\/", "/").split("\n"), dtype="str")


def rejected_table(parts: Iterable[Part]) -> pa.Table:
    """Rows set aside, in the contract `raw.rejected`, by file and row."""
    frames = [_rejected_frame(part) for part in parts]
    return _to_arrow(pd.concat(frames, ignore_index=True), "raw.rejected")


def emptied_table(parts: Iterable[Part]) -> pa.Table:
    """Values emptied in rows that were kept, in the contract `raw.emptied`."""
    frames = []
    for part in parts:
        for frame in part.emptied:
            kept = frame[part.reason.reindex(frame.index).isna().to_numpy()]
            values = part.values.loc[kept.index]
            who = {key: values[key] for key in ("source", "source_id") if key in values}
            frames.append(kept.assign(table=part.table, **who))
    if not frames:
        return arrow_schema(CONTRACTS["raw.emptied"]).empty_table()
    return _to_arrow(pd.concat(frames, ignore_index=True), "raw.emptied")
