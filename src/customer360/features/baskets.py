"""Who bought which item, and when: as rows, and as matrices of customers by items."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow

__all__ = ["HALF_LIFE_DAYS", "History", "item_purchases", "like", "read_history"]

HALF_LIFE_DAYS = 28
CHUNK = 20_000


def item_purchases(*, orders: Any, items: Any) -> pa.Table:
    """Who bought which item, and when.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`. Bills left unpaid and refund lines do not count.
    items : frame
        From `build_items`.

    Returns
    -------
    pyarrow.Table
        One row per order and item: customer_id, order_key, day (of the shop), item.
    """
    with closing(connect()) as connection:
        connection.register("orders", as_arrow(orders))
        connection.register("items", as_arrow(items))
        return connection.sql(
            """SELECT DISTINCT customer_id, orders.source || '/' || order_id AS order_key,
                      ordered_on AS day, item
               FROM orders JOIN items
                 ON item = CASE item_kind WHEN 'category' THEN orders.category
                                          ELSE orders.product_id END
               WHERE status <> 'unpaid' AND quantity > 0
               ORDER BY customer_id, order_key, day, item"""
        ).to_arrow_table()


@dataclass(frozen=True)
class History:
    """What each customer had bought on a day.

    Attributes
    ----------
    customers : array of text
        In order.
    orders : sparse matrix, customers by items
        Orders that held the item.
    pace : sparse matrix, customers by items
        The same, each order counting half after 28 days, a quarter after 56...
    age_days : sparse matrix, customers by items
        Days since it was last bought, plus one.
    """

    customers: np.ndarray
    orders: sparse.csr_matrix
    pace: sparse.csr_matrix
    age_days: sparse.csr_matrix

    def __len__(self) -> int:
        return len(self.customers)

    def chunks(self) -> Iterator[History]:
        """Parts that fit in memory as full matrices."""
        for start in range(0, len(self), CHUNK):
            yield self.part(slice(start, start + CHUNK))

    def part(self, rows: Any) -> History:
        """Some customers."""
        return History(
            self.customers[rows], self.orders[rows], self.pace[rows], self.age_days[rows]
        )

    def held(self) -> sparse.csr_matrix:
        """1 where an item was ever bought."""
        return like(self.orders, np.ones(self.orders.nnz))

    def fresh(self) -> sparse.csr_matrix:
        """1 where bought on the day itself, half after 28 days, 0 where never bought."""
        return like(self.age_days, 0.5 ** ((self.age_days.data - 1) / HALF_LIFE_DAYS))


def read_history(purchases: Any, *, items: Any, as_of: date) -> History:
    """What each customer had bought up to a day, that day included.

    Parameters
    ----------
    purchases : frame
        From `item_purchases`; later rows are not looked at.
    items : frame
        From `features.items.build_items`: the columns of the matrices, in the order of item.
    as_of : date
    """
    with closing(connect()) as connection:
        connection.register("purchases", as_arrow(purchases))
        connection.register("items", as_arrow(items).select(["item"]))
        found = connection.sql(
            """WITH place AS (SELECT item, row_number() OVER (ORDER BY item) - 1 AS place
                              FROM items)
               SELECT customer_id, place, count(*) AS orders, min($1::date - day) AS age,
                      round(sum(power(0.5, ($1::date - day) / $2)), 9) AS pace
               FROM purchases JOIN place USING (item) WHERE day <= $1
               GROUP BY customer_id, place ORDER BY customer_id, place""",
            params=[as_of, float(HALF_LIFE_DAYS)],
        ).to_arrow_table()
    coded = found["customer_id"].combine_chunks().dictionary_encode()
    rows, columns = coded.indices.to_numpy(), found["place"].to_numpy()
    shape = (len(coded.dictionary), len(as_arrow(items)))

    def matrix(values: np.ndarray) -> sparse.csr_matrix:
        return sparse.csr_matrix((values.astype(float), (rows, columns)), shape=shape)

    return History(
        customers=np.asarray(coded.dictionary.to_pylist(), dtype=object),
        orders=matrix(found["orders"].to_numpy()),
        pace=matrix(found["pace"].to_numpy()),
        age_days=matrix(found["age"].to_numpy() + 1),
    )


def like(matrix: sparse.csr_matrix, values: np.ndarray) -> sparse.csr_matrix:
    """The same places, other values."""
    return sparse.csr_matrix((values.astype(float), matrix.indices, matrix.indptr), matrix.shape)
