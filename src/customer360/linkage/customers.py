"""From linked records to customers: whose orders and events are whose, summed once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from customer360.contracts import CONTRACTS, SERVICE
from customer360.linkage.web import stitch_web

__all__ = [
    "assemble_customers",
    "attach_contacts",
    "attach_customer",
    "attach_web",
    "distinct_ids",
    "orders_by_month",
    "origins_by_field",
]

KEY = ["source", "source_id"]


def distinct_ids(tables: Iterable[Any]) -> Any:
    """Every (source, source_id) that some table names.

    Parameters
    ----------
    tables : iterable of frame
        Each with columns source and source_id, all of one engine.

    Returns
    -------
    frame
        Columns source, source_id, one row each; rows without an id are left out, and those
        of the decision service: its ids are customers, not records.
    """
    parts = [
        nw.from_native(table)
        .lazy()
        .select(*KEY)
        .filter(~nw.col("source").is_null() & ~nw.col("source_id").is_null())
        .filter(nw.col("source") != SERVICE)
        .unique(KEY)
        for table in tables
    ]
    return nw.concat(parts, how="vertical").unique(KEY).to_native()


def attach_customer(events: Any, links: Any) -> Any:
    """Add the customer to each row; rows of nobody known are left out.

    Parameters
    ----------
    events : frame
        Any table with source and source_id.
    links : frame
        Contract `linked_records`. Its key is unique, so no row is repeated.

    Returns
    -------
    frame
        The columns of `events` and customer_id.
    """
    who = nw.from_native(links).lazy().select(*KEY, "customer_id")
    return nw.from_native(events).lazy().join(who, on=KEY, how="inner").to_native()


def attach_contacts(
    contacts: Any, links: Any, campaigns: Any, *, id_history: Any | None = None
) -> Any:
    """Add customer and cost to each event of a contact.

    Parameters
    ----------
    contacts, links, campaigns : frame
        Contracts `staged.contacts`, `linked_records`, `staged.campaigns`.
    id_history : frame, optional
        Contract of that name: who was answered by the service under an id that is gone since
        is found under the next one.

    Returns
    -------
    frame
        Contract `customer_contacts`; the cost stands on the event `sent` only.
    """
    price = (
        nw.from_native(campaigns)
        .lazy()
        .select("campaign_id", "variant", nw.col("cost_per_contact").alias("price"))
    )
    who = nw.from_native(attach_customer(contacts, _with_own_ids(links, id_history))).lazy()
    priced = who.join(price, on=["campaign_id", "variant"], how="left")
    cost = nw.when(nw.col("event") == "sent").then(nw.col("price")).otherwise(nw.lit(0.0))
    return (
        priced.with_columns(cost=cost)
        .select(*CONTRACTS["customer_contacts"].column_names)
        .to_native()
    )


def _with_own_ids(links: Any, id_history: Any | None) -> Any:
    """Links, and each customer as a record of the decision service under its own ids."""
    known = nw.from_native(links).lazy().select(*KEY, "customer_id")
    now = known.select("customer_id").unique().with_columns(source_id=nw.col("customer_id"))
    parts = [now.select("source_id", "customer_id")]
    if id_history is not None:
        moved = nw.from_native(id_history).lazy().filter(~nw.col("to_id").is_null())
        moved = moved.join(now, left_on="from_id", right_on="customer_id", how="anti")
        # Of the parts of a customer that was split, the one that kept most records.
        most = moved.group_by("from_id").agg(records=nw.col("records").max())
        moved = moved.join(most, on=["from_id", "records"]).group_by("from_id")
        moved = moved.agg(customer_id=nw.col("to_id").min())
        parts.append(moved.select(nw.col("from_id").alias("source_id"), "customer_id"))
    own = nw.concat(parts, how="vertical").with_columns(source=nw.lit(SERVICE))
    return nw.concat([known, own.select(*KEY, "customer_id")], how="vertical").to_native()


def attach_web(
    web_events: Any, links: Any, *, account_source: str = "web", least_agreement: float = 0.99
) -> Any:
    """Add the customer to each hit on the site that a log-in tells whose it is.

    Parameters
    ----------
    web_events, links : frame
        Contracts `staged.web_events`, `linked_records`.
    account_source : str
        Source whose `source_id` the site logs in with.
    least_agreement : float
        As for `stitch_web`.

    Returns
    -------
    frame
        Contract `customer_web_events`; anonymous hits are left out.
    """
    stitched = stitch_web(
        web_events, links, account_source=account_source, least_agreement=least_agreement
    )
    named = nw.from_native(stitched).lazy().with_columns(source=nw.lit(account_source))
    columns = CONTRACTS["customer_web_events"].column_names
    who = attach_customer(named.to_native(), links)
    return nw.from_native(who).lazy().select(*columns).to_native()


def assemble_customers(
    golden: Any,
    *,
    links: Any,
    orders: Any,
    as_of: date,
    reachability: Any | None = None,
    enrichment: Any | None = None,
) -> Any:
    """One row per customer: the golden record, its orders summed once, and its place.

    Parameters
    ----------
    golden : pyarrow.Table
        From `build_golden_record`: one row per customer.
    links : duckdb.DuckDBPyRelation
        Contract `linked_records`; customers without such a record come from here.
    orders : duckdb.DuckDBPyRelation
        Contract `customer_orders`.
    as_of : date
        Last day known.
    reachability : pyarrow.Table, optional
        Contract `reachability`: by which channels a message would arrive.
    enrichment : duckdb.DuckDBPyRelation, optional
        Contract `staged.enrichment`: what is known of the postcode.

    Returns
    -------
    pandas.DataFrame
        Contract `customers`.
    """
    totals = orders.aggregate(
        "customer_id, min(ordered_at) AS first_order_at, max(ordered_at) AS last_order_at, "
        "count(DISTINCT (source, order_id)) AS orders, sum(net_amount) AS net_amount, "
        "sum(margin) AS margin",
        "customer_id",
    ).df()
    everyone = links.aggregate(
        "customer_id, count(*) AS records, string_agg(DISTINCT source, ';' ORDER BY source) "
        "AS sources",
        "customer_id",
    ).df()
    known = golden.to_pandas(date_as_object=True).drop(columns=["records", "sources"])
    table = everyone.merge(known, on="customer_id", how="left", validate="one_to_one")
    table = table.merge(totals, on="customer_id", how="left", validate="one_to_one")
    if reachability is not None:
        ways = reachability.select(["customer_id", "channel", "reachable"]).to_pandas()
        ways = ways.pivot(index="customer_id", columns="channel", values="reachable")
        ways = ways.astype("boolean").add_prefix("reachable_").reset_index()
        table = table.merge(ways, on="customer_id", how="left", validate="one_to_one")
    if enrichment is not None:
        place = enrichment.df()
        table = table.merge(place, on="postcode", how="left", validate="many_to_one")
    table["as_of"] = as_of
    table["orders"] = table["orders"].fillna(0).astype("int64")
    table["net_amount"] = table["net_amount"].fillna(0.0)
    return table.reindex(columns=CONTRACTS["customers"].column_names)


def orders_by_month(orders: Any) -> pd.DataFrame:
    """Net amount by month.

    Parameters
    ----------
    orders : duckdb.DuckDBPyRelation
        Contract `customer_orders`.

    Returns
    -------
    pandas.DataFrame
        month (first day), net_amount (currency), orders; in order of time.
    """
    return (
        orders.aggregate(
            "date_trunc('month', ordered_on) AS month, round(sum(net_amount), 2) AS net_amount, "
            "count(DISTINCT (source, order_id)) AS orders",
            "date_trunc('month', ordered_on)",
        )
        .order("month")
        .df()
    )


def origins_by_field(provenance: Any) -> pd.DataFrame:
    """Share of golden values that each source gave, field by field.

    Parameters
    ----------
    provenance : duckdb.DuckDBPyRelation
        Contract `golden_provenance`.

    Returns
    -------
    pandas.DataFrame
        field, source, share.
    """
    counts = provenance.filter("source IS NOT NULL").aggregate(
        "field, source, count(*) AS values", "field, source"
    )
    shares = counts.project(
        "field, source, values / sum(values) OVER (PARTITION BY field) AS share"
    )
    return shares.order("field, source").df()
