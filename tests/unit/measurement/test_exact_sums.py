"""Sums of money are the same in whatever order the cores add them up."""

from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from customer360.engines import connect, exact_sum
from customer360.measurement.outcomes import contact_outcomes
from customer360.measurement.reconcile import experiment_effects, margin_rate

LINES = 4_000


def _orders() -> pd.DataFrame:
    """Many lines of ten customers, a cent here and ten thousand there."""
    random = np.random.default_rng(3)
    amount = np.round(10 ** random.uniform(-2, 4, LINES), 2)
    day = pd.Timestamp("2025-03-01") + pd.to_timedelta(random.integers(-40, 14, LINES), unit="D")
    return pd.DataFrame(
        {
            "customer_id": [f"c{number % 10}" for number in range(LINES)],
            "source": "till",
            "order_id": [f"o{number}" for number in range(LINES)],
            "ordered_on": day.date,
            "coupon_id": pd.Series([None] * LINES, dtype=str),
            "amount": amount,
            "net_amount": amount,
            "margin": amount * 0.37,
        }
    )


def _contacts() -> pd.DataFrame:
    names = [f"c{number}" for number in range(10)]
    return pd.DataFrame(
        {
            "customer_id": names,
            "contact_id": names,
            "campaign_id": "K1",
            "variant": "a",
            "channel": "email",
            "at": pd.Timestamp("2025-03-01 09:00"),
            "event": ["held_out" if number < 4 else "sent" for number in range(10)],
            "reason": pd.Series([None] * 10, dtype=str),
            "cost": 0.1,
        }
    )


def _shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.sample(frac=1, random_state=seed, ignore_index=True)


ORDERS = _orders()
SEEDS = range(1, 6)


def test_plain_sums_of_these_lines_differ_from_order_to_order():
    """Else the tests below would prove nothing."""
    found = {sum(_shuffled(ORDERS, seed)["margin"].tolist()) for seed in SEEDS}
    assert len(found) > 1


def test_the_same_lines_in_another_order_are_the_same_outcomes():
    told = contact_outcomes(_contacts(), orders=ORDERS)
    for seed in SEEDS:
        again = contact_outcomes(_shuffled(_contacts(), seed), orders=_shuffled(ORDERS, seed))
        assert again.equals(told)
    pd.testing.assert_frame_equal(
        experiment_effects(told.to_pandas()),
        experiment_effects(again.to_pandas()),
        check_exact=True,
    )


def test_a_margin_rate_is_the_same_in_any_order():
    rate = margin_rate(ORDERS)
    assert rate == pytest.approx(0.37)
    assert {margin_rate(_shuffled(ORDERS, seed)) for seed in SEEDS} == {rate}


def test_no_orders_leave_no_margin():
    assert margin_rate(ORDERS.head(0)) == 0.0


def test_an_exact_sum_keeps_every_cent():
    with closing(connect(threads=2)) as connection:
        connection.register("cents", pd.DataFrame({"amount": np.full(300_000, 0.1)}))
        assert float(
            connection.execute(f"select {exact_sum('amount')} from cents").fetchall()[0][0]
        ) == (30_000.0)
