"""Rows that should not be there: what any real delivery contains for cleaning to find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["soil"]

TWICE_SHARE = 0.0010
NAMELESS_SHARE = 0.0010
FUTURE_SHARE = 0.0005
NEGATIVE_SHARE = 0.0005
FUTURE_YEARS = 27  # 2052 typed for 2025
DELIVERED_TWICE = ("people", "orders", "contacts", "loyalty")


def soil(*, tables: dict[str, pa.Table], rng: np.random.Generator) -> dict[str, pa.Table]:
    """Spoil about three rows in a thousand.

    Orders without a customer, orders and births dated in the future, paid lines with a
    negative amount, and rows delivered twice.
    """
    spoiled = dict(tables)
    spoiled["orders"] = _orders(tables["orders"], rng)
    spoiled["people"] = _people(tables["people"], rng)
    for name in DELIVERED_TWICE:
        table = spoiled[name]
        again = np.flatnonzero(rng.random(table.num_rows) < TWICE_SHARE)
        spoiled[name] = pa.concat_tables([table, table.take(pa.array(again))])
    return spoiled


def _orders(orders: pa.Table, rng: np.random.Generator) -> pa.Table:
    # A whole order loses its customer or its date; one line its sign.
    order = orders["order_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    draw = rng.random(int(order.max(initial=-1)) + 1)[order]
    nameless = draw < NAMELESS_SHARE
    future = (draw >= NAMELESS_SHARE) & (draw < NAMELESS_SHARE + FUTURE_SHARE)
    negative = rng.random(orders.num_rows) < NEGATIVE_SHARE
    negative &= np.asarray(pc.equal(orders["status"], "paid"))
    ordered_at = orders["ordered_at"].to_numpy()
    ahead = ordered_at + np.timedelta64(round(FUTURE_YEARS * 365.25), "D")
    amount = orders["amount"].to_numpy()
    orders = _replace(orders, "source_id", pc.if_else(nameless, None, orders["source_id"]))
    orders = _replace(orders, "ordered_at", pa.array(np.where(future, ahead, ordered_at)))
    return _replace(orders, "amount", pa.array(np.where(negative, -np.abs(amount), amount)))


def _people(people: pa.Table, rng: np.random.Generator) -> pa.Table:
    future = rng.random(people.num_rows) < FUTURE_SHARE
    births = people["birth_date"].cast(pa.timestamp("us")).to_numpy()
    ahead = (births + np.timedelta64(100 * 365 + 25, "D")).astype("datetime64[D]")
    written = np.where(future, ahead, births.astype("datetime64[D]"))
    return _replace(people, "birth_date", pa.array(written))


def _replace(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), values)
