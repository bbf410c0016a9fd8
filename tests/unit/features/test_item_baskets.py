from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.features.baskets import item_purchases, read_history
from customer360.features.items import build_items

PRODUCTS = pd.DataFrame(
    [
        ("P1", "perceuse premier prix", "Bricolage"),
        ("P2", "perceuse", "Bricolage"),
        ("P3", "tapis de bain grand modèle", "Linge"),
        ("P4", "rideau premier prix", "Linge"),
        ("P5", "tapis de bain", "Linge"),
        ("P6", "scie, 30 cm, ACME", "Bricolage"),
        ("P7", "perceuse grand modèle", "Bricolage"),
    ],
    columns=["product_id", "name", "category"],
)


def lines(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Order lines: customer, order, day, product."""
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_on", "product_id"])
    return table.assign(
        ordered_on=pd.to_datetime(table["ordered_on"]).dt.date,
        category=table["product_id"].map(PRODUCTS.set_index("product_id")["category"]),
        source="till",
        status="paid",
        quantity=1.0,
    )


ORDERS = lines(
    ("c1", "o1", "2025-01-01", "P1"),
    ("c1", "o1", "2025-01-01", "P3"),
    ("c2", "o2", "2025-01-29", "P2"),
    ("c2", "o3", "2025-02-26", "P2"),
    ("c2", "o3", "2025-02-26", "P4"),
    ("c3", "o4", "2025-02-26", "P5"),
    ("c3", "o4", "2025-02-26", "P6"),
    ("c3", "o4", "2025-02-26", "P7"),
)


def test_products_of_one_kind_differ_by_model_only():
    items = build_items(orders=ORDERS, products=PRODUCTS).to_pandas().set_index("item")
    assert set(items["item_kind"]) == {"product"}
    drill, mat = "Bricolage: perceuse", "Linge: tapis de bain"
    expected = {"P1": drill, "P2": drill, "P7": drill, "P3": mat, "P5": mat}
    assert items["kind"][list(expected)].to_dict() == expected
    assert items["kind"]["P4"] == "Linge: rideau"
    assert items["kind"]["P6"] == "Bricolage: scie"


def test_a_shop_of_many_categories_is_read_by_category():
    orders = pd.concat(
        [ORDERS.assign(category=f"shelf {number:02d}") for number in range(30)],
        ignore_index=True,
    )
    items = build_items(orders=orders, products=PRODUCTS).to_pandas()
    assert set(items["item_kind"]) == {"category"}
    assert items["item"].tolist() == [f"shelf {number:02d}" for number in range(30)]
    assert items["kind"].tolist() == items["item"].tolist()
    assert len(item_purchases(orders=orders, items=items)) == 4 * 30


def test_orders_without_products_have_no_items():
    orders = ORDERS.assign(product_id=None, category=None).astype(
        {"product_id": "str", "category": "str"}
    )
    items = build_items(orders=orders, products=PRODUCTS.head(0))
    assert len(items) == 0
    assert len(item_purchases(orders=orders, items=items)) == 0


def test_refunds_and_unpaid_bills_are_no_purchases():
    orders = pd.concat(
        [
            ORDERS.head(2),
            lines(("c8", "o8", "2025-01-01", "P1")).assign(status="unpaid"),
            lines(("c9", "o9", "2025-01-01", "P1")).assign(quantity=-1.0),
        ]
    )
    items = build_items(orders=orders, products=PRODUCTS)
    assert set(item_purchases(orders=orders, items=items)["customer_id"].to_pylist()) == {"c1"}


def test_history_knows_orders_age_and_pace_up_to_the_day():
    items = build_items(orders=ORDERS, products=PRODUCTS)
    purchases = item_purchases(orders=ORDERS, items=items)
    history = read_history(purchases, items=items, as_of=date(2025, 2, 26))
    assert history.customers.tolist() == ["c1", "c2", "c3"]
    place = items["item"].to_pylist().index("P2")
    assert history.orders[1, place] == 2
    assert history.pace[1, place] == pytest.approx(1.5)
    assert history.fresh()[1, place] == 1
    assert history.fresh()[0, items["item"].to_pylist().index("P1")] == pytest.approx(0.25)
    earlier = read_history(purchases, items=items, as_of=date(2025, 2, 25))
    assert earlier.customers.tolist() == ["c1", "c2"]
    assert earlier.orders[1, place] == 1
