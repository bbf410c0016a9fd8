"""Purchases at the grain of a customer and a day.

A day, not an order, is the unit of frequency: two tickets on one Saturday are one
visit. This is the convention of the BTYD literature and of `lifetimes`.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

__all__ = ["purchase_days"]


def purchase_days(orders: Any) -> Any:
    """Sum order lines by customer and day.

    Parameters
    ----------
    orders : frame
        One row per order line, contract `customer_orders`.

    Returns
    -------
    frame
        One row per customer and day with at least one paid line, contract
        `purchase_days`. Refunds lower the amount of the day they are made on, if the
        customer also bought that day.
    """
    is_paid = nw.col("status") == "paid"
    # Two systems may number their orders alike.
    order = nw.concat_str("source", "order_id", separator="/")
    lines = nw.from_native(orders).with_columns(
        day=nw.col("ordered_on"),
        paid=nw.when(is_paid).then(order),
        is_unpaid=(~is_paid).cast(nw.Int64),
    )
    days = (
        lines.group_by("customer_id", "day")
        .agg(
            orders=nw.col("paid").n_unique(),
            unpaid=nw.col("is_unpaid").max(),
            net_amount=nw.col("net_amount").sum(),
            margin=nw.col("margin").sum(),
        )
        # Lines that are not paid share one empty value, which is no order.
        .with_columns(orders=nw.col("orders") - nw.col("unpaid"))
        .filter(nw.col("orders") > 0)
        .drop("unpaid")
    )
    return days.to_native()
