"""What can be suggested: the goods of a brand, at the level at which ten make a choice.

A shop of many categories (a grocer) is read by category, one of few by product. Products of
one kind (a drill, the same in its limited edition) stand in for each other: whoever owns the
one hardly needs the other.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pyarrow as pa

from customer360.engines import connect
from customer360.linkage.engine_tables import as_arrow

__all__ = ["build_items"]

# Categories from which ten can be chosen without naming most of them.
ENOUGH_CATEGORIES = 30
# Beyond so many, items are too rare to learn from.
MOST_ITEMS = 2_000

KINDS = """
    WITH named AS (
        SELECT product_id, category, trim(split_part(name, ',', 1)) AS name FROM products),
    -- Two words that end names in half of the categories tell a model, not a kind.
    models AS (
        SELECT regexp_extract(name, '\\S+ \\S+$') AS model FROM named WHERE model <> ''
        GROUP BY model
        HAVING count(DISTINCT category) >= greatest(
            2, (SELECT count(DISTINCT category) FROM named) / 2))
    SELECT product_id, category,
           CASE WHEN model IS NULL THEN name
                ELSE trim(left(name, length(name) - length(model))) END AS kind
    FROM named LEFT JOIN models ON model = regexp_extract(name, '\\S+ \\S+$')
"""

ITEMS = """
    WITH bought AS (
        SELECT {item} AS item, min(category) AS category,
               count(DISTINCT customer_id) AS buyers
        FROM orders WHERE {item} IS NOT NULL AND status <> 'unpaid' AND quantity > 0
        GROUP BY item ORDER BY buyers DESC, item LIMIT {most})
    SELECT item, '{level}' AS item_kind, coalesce({kind}, item) AS kind,
           coalesce({name}, item) AS name, bought.category
    FROM bought LEFT JOIN kinds ON kinds.product_id = item
    LEFT JOIN products ON products.product_id = item
    ORDER BY item
"""


def build_items(*, orders: Any, products: Any) -> pa.Table:
    """Everything that can be suggested.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.
    products : frame
        Contract `staged.products`; may be empty.

    Returns
    -------
    pyarrow.Table
        One row per item, the 2,000 with most buyers at most: item, item_kind (category from
        30 categories on, else product), kind (what stands in for each other), name,
        category.
    """
    with closing(connect()) as connection:
        connection.register("orders", as_arrow(orders))
        connection.register("products", as_arrow(products))
        connection.execute(f"CREATE VIEW kinds AS {KINDS}")
        different = connection.sql("SELECT count(DISTINCT category) FROM orders").fetchall()[0][0]
        by_category = {"item": "category", "level": "category", "kind": "item", "name": "item"}
        by_product = {
            "item": "orders.product_id",
            "level": "product",
            "kind": "kinds.category || ': ' || kinds.kind",
            "name": "products.name",
        }
        words = by_category if different >= ENOUGH_CATEGORIES else by_product
        return connection.sql(ITEMS.format(**words, most=MOST_ITEMS)).to_arrow_table()
