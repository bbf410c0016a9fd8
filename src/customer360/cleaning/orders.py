"""Order lines: what can be attributed and counted, what each brought in, and its margin."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import narwhals as nw

from customer360.cleaning.local_day import local_day
from customer360.cleaning.quarantine import Split, contract_rules, set_aside
from customer360.contracts import CONTRACTS, ContractError

__all__ = ["clean_orders"]

EARLIEST = datetime(1990, 1, 1)


def clean_orders(
    orders: Any,
    *,
    products: Any,
    first_day: date,
    as_of: date,
    timezone: str,
    margin_rate: float,
) -> Split:
    """Set unusable order lines aside and value the others.

    Parameters
    ----------
    orders : frame
        One row per order line, contract `raw.orders`.
    products : frame
        One row per product, contract `staged.products`; gives category and unit cost
        where the line has none.
    first_day, as_of : date
        First and last day known.
    timezone : str
        Zone of the shop; decides on which day a late evening falls.
    margin_rate : float
        Share of the amount assumed to be margin where no cost is known.

    Returns
    -------
    Split
        `kept` in the contract `staged.orders`.

    Raises
    ------
    ContractError
        When no line is left.

    Notes
    -----
    `net_amount` is the amount of a paid line and 0 for an unpaid or returned one; a
    refund line (returned, negative amount) counts with its negative amount. The margin
    of a paid line is its net amount less the cost of its units; an unpaid line costs
    its goods; a returned line costs nothing.
    """
    day = local_day("ordered_at", timezone=timezone, first_day=first_day, last_day=as_of)
    dated = (
        nw.from_native(orders)
        .lazy()
        .with_columns(ordered_on=day, source=nw.col("source").fill_null("orders"))
        .to_native()
    )
    known = set_aside(
        dated,
        table="orders",
        amount="amount",
        rules={
            "no customer id: the line belongs to nobody known": nw.col("source_id").is_null(),
            f"ordered before {EARLIEST:%Y}: not a plausible date": nw.col("ordered_at")
            < nw.lit(EARLIEST),
            "negative amount on a line that is not a return": (nw.col("amount") < 0)
            & (nw.col("status").fill_null("paid") != "returned"),
            f"ordered after {as_of}, the last day known": nw.col("ordered_on")
            > nw.lit(datetime(as_of.year, as_of.month, as_of.day)),
            **contract_rules("orders"),
        },
    )
    if len(known.quarantined) == known.rows_in:
        reasons = known.quarantined["reason"].mode()
        raise ContractError(
            f"none of {known.rows_in:,} order lines can be used"
            + (f"; most often: {reasons.iloc[0]}" if len(reasons) else "")
            + ". Correct the files or their mapping in datasets/."
        )
    from_product = (
        nw.from_native(products)
        .lazy()
        .select(
            "product_id",
            nw.col("category").alias("product_category"),
            nw.col("unit_cost").alias("product_cost"),
        )
    )
    paid = nw.col("status") == "paid"
    refund = (nw.col("status") == "returned") & (nw.col("amount") < 0)
    cost = nw.col("unit_cost") * nw.col("quantity").fill_null(1.0)
    valued = (
        nw.from_native(known.kept)
        .lazy()
        .join(from_product, on="product_id", how="left")
        .with_columns(
            status=nw.col("status").fill_null("paid"),
            category=nw.coalesce("category", "product_category"),
            unit_cost=nw.coalesce("unit_cost", "product_cost"),
        )
        .with_columns(
            net_amount=nw.when(paid | refund).then(nw.col("amount")).otherwise(nw.lit(0.0))
        )
        .with_columns(
            margin=nw.when(nw.col("unit_cost").is_null())
            .then(nw.col("net_amount") * margin_rate)
            .when(paid | refund)
            .then(nw.col("net_amount") - cost)
            .when(nw.col("status") == "unpaid")
            .then(-cost)
            .otherwise(nw.lit(0.0))
        )
        .select(*CONTRACTS["staged.orders"].column_names)
    )
    return Split(kept=valued.to_native(), quarantined=known.quarantined, rows_in=known.rows_in)
