"""Whose visits are these: a log-in tells, for its visit and for a device of one person.

A visit is a run of hits of one visitor with pauses shorter than half an hour. A visit
with a log-in belongs to who logged in. A visit without one belongs to the person of the
device, past and future alike, but only where that is safe: one person alone ever logged
in on the device, and devices of its kind are not passed around. Whether a kind is passed
around is read from the log-ins themselves: the share of them made by the same person as
the log-in before, on the same device. What is not safe stays anonymous: two people of a
household are never merged by the tablet they share.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

__all__ = ["LEAST_PAIRS", "PAUSE", "device_kinds", "stitch_web"]

PAUSE = "30m"  # a longer one ends the visit
LEAST_PAIRS = 30  # fewer log-ins in a row tell nothing about a kind of device


def stitch_web(
    web_events: Any, links: Any, *, account_source: str = "web", least_agreement: float = 0.99
) -> Any:
    """Give each visit its account, where log-ins tell it.

    Parameters
    ----------
    web_events, links : frame
        Contracts `staged.web_events` and `linked_records`, of any one type that Narwhals
        knows.
    account_source : str
        Source whose `source_id` the site logs in with.
    least_agreement : float
        Visits without a log-in are attached on kinds of device of which at least this
        share of log-ins is by the same person as the one before.

    Returns
    -------
    frame
        The same rows, of the type that was given, with `source_id` filled in, `evidence`
        (visit: a log-in in the visit; device: another visit's on the same device; empty
        when anonymous) and `known_at`, the moment from which this could be known.
    """
    hits = nw.from_native(web_events).lazy()
    columns = hits.collect_schema().names()
    moments = _moments(hits)
    visits = _visits(moments, links, account_source)
    own = visits.filter(~nw.col("account").is_null()).select(
        "visitor_id", "visit", visit_account="account", visit_known="login_at"
    )
    devices = _devices(visits, least_agreement).filter(nw.col("safe"))
    devices = devices.select("visitor_id", "device_account", "device_known")
    told = moments.select("visitor_id", "at", "visit").join(
        own, on=["visitor_id", "visit"], how="left"
    )
    named = hits.join(told, on=["visitor_id", "at"], how="left").join(
        devices, on="visitor_id", how="left"
    )
    by_visit, by_device = ~nw.col("visit_account").is_null(), ~nw.col("device_account").is_null()
    known = nw.coalesce("visit_known", "device_known")
    return named.select(
        *[c for c in columns if c != "source_id"],
        nw.coalesce("visit_account", "device_account").alias("source_id"),
        nw.when(by_visit)
        .then(nw.lit("visit"))
        .otherwise(nw.when(by_device).then(nw.lit("device")))
        .alias("evidence"),
        nw.when(by_visit | by_device).then(nw.max_horizontal("at", known)).alias("known_at"),
    ).to_native()


def device_kinds(web_events: Any, links: Any, *, account_source: str = "web") -> Any:
    """How far devices of each kind belong to one person, read from log-ins in a row.

    Parameters
    ----------
    web_events, links, account_source
        As for `stitch_web`.

    Returns
    -------
    frame
        kind, pairs (log-ins that had one before on their device) and agreement (share of
        them by the same person as the one before).
    """
    moments = _moments(nw.from_native(web_events).lazy())
    return _kinds(_visits(moments, links, account_source)).to_native()


def _moments(hits: Any) -> Any:
    """Moments of each visitor, numbered by visit: a pause or another account begins one.

    Hits of one moment are one row: their order among each other tells nothing.
    """
    if "device" not in hits.collect_schema().names():
        hits = hits.with_columns(device=nw.lit(None, nw.String))
    moments = hits.group_by("visitor_id", "at").agg(
        account=nw.col("source_id").max(), device=nw.col("device").max()
    )
    before = nw.col("at").shift(1).over("visitor_id", order_by="at")
    last = nw.col("account").fill_null(strategy="forward").over("visitor_id", order_by="at")
    moments = moments.with_columns(before=before, last=last)
    last_before = nw.col("last").shift(1).over("visitor_id", order_by="at")
    moments = moments.with_columns(last_before=last_before)
    pause = nw.col("before").is_null() | (nw.col("at") > nw.col("before").dt.offset_by(PAUSE))
    other = ~nw.col("account").is_null() & ~nw.col("last_before").is_null()
    other = other & (nw.col("account") != nw.col("last_before"))
    begins = nw.when(pause | other).then(nw.lit(1)).otherwise(nw.lit(0))
    moments = moments.with_columns(begins=begins)
    visit = nw.col("begins").cum_sum().over("visitor_id", order_by="at")
    return moments.with_columns(visit=visit)


def _visits(moments: Any, links: Any, account_source: str) -> Any:
    """One row per visit: its start, kind of device, account and person (or none)."""
    login = nw.when(~nw.col("account").is_null()).then(nw.col("at"))
    visits = (
        moments.with_columns(login=login, device=nw.col("device").fill_null("unknown"))
        .group_by("visitor_id", "visit")
        .agg(
            start=nw.col("at").min(),
            kind=nw.col("device").max(),
            account=nw.col("account").min(),
            login_at=nw.col("login").min(),
        )
    )
    who = nw.from_native(links).lazy().filter(nw.col("source") == account_source)
    who = who.select(account="source_id", person="customer_id")
    visits = visits.join(who, on="account", how="left")
    # An account that nobody is known by is somebody of its own.
    return visits.with_columns(person=nw.coalesce("person", "account"))


def _kinds(visits: Any) -> Any:
    named = visits.filter(~nw.col("person").is_null())
    before = nw.col("person").shift(1).over("visitor_id", order_by=["start", "visit"])
    pairs = named.with_columns(before=before).filter(~nw.col("before").is_null())
    same = nw.when(nw.col("person") == nw.col("before")).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    return (
        pairs.with_columns(same=same)
        .group_by("kind")
        .agg(pairs=nw.len(), agreement=nw.col("same").mean())
    )


def _devices(visits: Any, least_agreement: float) -> Any:
    """Devices on which one person alone logged in, and whether their kind is safe."""
    passed = _kinds(visits).filter(
        (nw.col("pairs") >= LEAST_PAIRS) & (nw.col("agreement") < least_agreement)
    )
    passed = passed.select("kind", passed_around=nw.lit(True))
    devices = (
        visits.filter(~nw.col("person").is_null())
        .group_by("visitor_id")
        .agg(
            people=nw.col("person").n_unique(),
            kind=nw.col("kind").max(),
            device_account=nw.col("account").min(),
            device_known=nw.col("login_at").min(),
        )
        .filter(nw.col("people") == 1)
        .join(passed, on="kind", how="left")
    )
    return devices.with_columns(safe=nw.col("passed_around").is_null())
