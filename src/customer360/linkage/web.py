"""Whose visits are these: a log-in tells, for the device it happened on."""

from __future__ import annotations

from typing import Any

import narwhals as nw

__all__ = ["stitch_web"]


def stitch_web(web_events: Any) -> Any:
    """Give the visits of a device to the one account that ever logged in on it.

    A device with several accounts is shared: there, only the hits that carry an account
    keep it. A device without any log-in stays anonymous.

    Parameters
    ----------
    web_events : frame
        Contract `staged.web_events`, of any type that Narwhals knows.

    Returns
    -------
    frame
        The same rows and columns, of the type that was given, with `source_id` filled
        in where the device has exactly one account.
    """
    hits = nw.from_native(web_events)
    columns = hits.collect_schema().names()
    accounts = (
        hits.filter(~nw.col("source_id").is_null())
        .group_by("visitor_id")
        .agg(
            nw.col("source_id").n_unique().alias("__accounts"),
            nw.col("source_id").min().alias("__account"),
        )
        .filter(nw.col("__accounts") == 1)
        .select("visitor_id", "__account")
    )
    stitched = hits.join(accounts, on="visitor_id", how="left").with_columns(
        nw.coalesce("source_id", "__account").alias("source_id")
    )
    return stitched.select(*columns).to_native()
