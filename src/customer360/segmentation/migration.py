"""Who moved from one segment to another between two days."""

from __future__ import annotations

import pandas as pd

__all__ = ["segment_moves"]

NOT_YET = -1


def segment_moves(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Count customers by the segment they were in and the one they are in.

    Parameters
    ----------
    before, after : pandas.DataFrame
        customer_id, segment; nobody who bought leaves the table, newcomers join it.

    Returns
    -------
    pandas.DataFrame
        One row per move that happened: from_segment (-1: not yet a customer), to_segment,
        customers.
    """
    both = after[["customer_id", "segment"]].merge(
        before[["customer_id", "segment"]],
        on="customer_id",
        how="left",
        suffixes=("_to", "_from"),
        validate="1:1",
    )
    moved = both.assign(
        from_segment=both["segment_from"].fillna(NOT_YET).astype("int64"),
        to_segment=both["segment_to"].astype("int64"),
    )
    return moved.groupby(["from_segment", "to_segment"]).size().rename("customers").reset_index()
