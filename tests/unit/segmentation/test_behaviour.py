from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.segmentation.behaviour import describe_behaviour, price_sensitivity

AS_OF = date(2025, 6, 30)


def orders(rows: list[tuple], **more) -> pd.DataFrame:
    names = ["customer_id", "order_id", "amount", "discount", "payment"]
    table = pd.DataFrame(rows, columns=names)
    fixed = {"source": "till", "ordered_on": date(2025, 6, 1), "status": "paid", "delivery": "home"}
    return table.assign(**fixed).assign(**more)


CONTACTS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "b"],
        "contact_id": ["1", "1", "2", "3"],
        "channel": "email",
        "event": ["sent", "opened", "sent", "held_out"],
        "at": pd.Timestamp("2025-06-01"),
    }
)
TALKS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a"],
        "channel": ["call", "mail", "call"],
        "direction": ["in", "in", "in"],
        "reason": ["Retard", "suivi", "remerciement"],
        "at": pd.Timestamp("2025-06-01"),
    }
)


def test_habits_of_a_hand_case():
    lines = orders(
        [
            ("a", "1", 10.0, 0.0, "card"),
            ("a", "1", 20.0, 5.0, "card"),
            ("a", "2", 30.0, 0.0, "cash"),
            ("b", "3", 5.0, None, None),
        ]
    )
    table = describe_behaviour(orders=lines, contacts=CONTACTS, conversations=TALKS, as_of=AS_OF)
    table = table.set_index("customer_id")
    a = table.loc["a"]
    assert (a["basket_amount"], a["basket_lines"]) == (30.0, 1.5)
    # One order each: the first in the alphabet.
    assert (a["main_payment"], a["talks_by"], a["claims"]) == ("card", "call", 1)
    assert (a["messages"], a["opened_share"]) == (2, 0.5)
    # One line of three, with ten lines of the crowd's quarter.
    assert a["promo_share"] == pytest.approx((1 + 10 * 0.25) / 13)
    assert pd.isna(table.loc["b", "main_payment"]) and table.loc["b", "messages"] == 0


def test_what_comes_after_the_day_is_not_looked_at():
    late = orders([("a", "9", 1000.0, 0.0, "card")], ordered_on=date(2025, 7, 1))
    lines = pd.concat([orders([("a", "1", 10.0, 0.0, "card")]), late])
    table = describe_behaviour(orders=lines, contacts=CONTACTS, conversations=TALKS, as_of=AS_OF)
    assert table["basket_amount"].to_list() == [10.0]


def priced(customers: int = 400, seed: int = 5) -> tuple[pd.DataFrame, np.ndarray]:
    """Two goods whose prices swing against each other; half of the customers follow them."""
    rng = np.random.default_rng(seed)
    elasticity = np.where(np.arange(customers) % 2, 3.0, 0.0)
    who = np.repeat(np.arange(customers), 40)
    fortnight = rng.integers(0, 26, len(who))
    swing = 0.2 * np.where(fortnight % 2, 1, -1)  # log price of the first, less of the second
    first = rng.random(len(who)) < 1 / (1 + np.exp(elasticity[who] * swing))
    price = 10 * np.exp(np.where(first, swing / 2, -swing / 2))
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(fortnight * 14, unit="D")
    table = pd.DataFrame(
        {
            "customer_id": [f"c{n:03d}" for n in who],
            "product_id": np.where(first, "p1", "p2"),
            "category": np.where(first, "tea", "cup"),
            "ordered_on": day.date,
            "quantity": 1.0,
            "amount": price,
            "discount": 0.0,
        }
    )
    return table, elasticity


def test_those_who_follow_prices_are_told_apart():
    table, elasticity = priced()
    found = price_sensitivity(table, as_of=AS_OF)
    assert np.corrcoef(found["price_sensitivity"], elasticity)[0, 1] > 0.6
    by = found["price_sensitivity"].groupby(elasticity).mean()
    # Shrunk, and counted from the crowd: about half of three apart.
    assert 1.0 < by[3.0] - by[0.0] < 3.0


def test_prices_that_never_vary_say_nothing():
    table, _ = priced(20)
    found = price_sensitivity(table.assign(amount=10.0), as_of=AS_OF)
    assert set(found["price_sensitivity"]) == {0.0}
    assert price_sensitivity(table.assign(product_id=None), as_of=AS_OF).empty
