from __future__ import annotations

from datetime import date

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.features.blocks import (
    basket_block,
    contact_block,
    favourite,
    rfm_block,
    service_block,
    web_block,
)

AS_OF = date(2025, 3, 31)
ENGINES = pytest.mark.parametrize("engine", ["pandas", "duckdb"])
PARIS = {"as_of": AS_OF, "horizon_days": 30, "timezone": "Europe/Paris"}


def in_engine(frame: pd.DataFrame, engine: str):
    if engine == "pandas":
        return frame
    return duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))


def rows_of(block: nw.LazyFrame) -> dict[str, dict]:
    frame = block.collect("pandas").to_native().astype(object)
    frame = frame.where(frame.notna(), None)
    assert not frame["customer_id"].duplicated().any()
    return frame.set_index("customer_id").to_dict("index")


def purchases(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "net_amount"])
    return frame.assign(day=pd.to_datetime(frame["day"]), orders=1, margin=frame["net_amount"] / 2)


@ENGINES
def test_recency_frequency_monetary_and_rhythm(engine):
    frame = purchases(
        [
            ("a", "2025-01-30", 40.0),  # 60 days before: the period before
            ("a", "2025-03-01", 20.0),  # 30 days before: the period before
            ("a", "2025-03-21", 30.0),  # ten days before: the last period
            ("b", "2024-03-31", 8.0),
            ("c", "2025-03-31", 5.0),
            ("d", "2025-04-01", 99.0),  # not known yet
        ]
    )
    found = rows_of(rfm_block(in_engine(frame, engine), as_of=AS_OF, horizon_days=30))
    assert set(found) == {"a", "b", "c"}
    a = found["a"]
    assert (a["frequency"], a["recency_days"], a["tenure_days"]) == (3, 10.0, 60.0)
    assert (a["net_amount"], a["margin"], a["monetary_value"]) == (90.0, 45.0, 30.0)
    assert (a["net_amount_last_period"], a["net_amount_previous_period"]) == (30.0, 20.0)
    assert (a["orders_last_period"], a["orders_previous_period"]) == (1, 1)
    # Pauses of 30 and 20 days: mean 25, standard deviation √50.
    assert a["gap_mean_days"] == 25.0
    assert a["gap_std_days"] == pytest.approx(np.sqrt(50))
    assert a["recency_over_gap"] == pytest.approx(10 / 25)
    b, c = found["b"], found["c"]
    assert (b["gap_mean_days"], b["gap_std_days"], b["recency_over_gap"]) == (None, None, 1.0)
    assert (c["recency_days"], c["tenure_days"], c["recency_over_gap"]) == (0.0, 0.0, 0.0)


@ENGINES
def test_a_daily_buyer_has_a_finite_rhythm(engine):
    frame = purchases([("a", f"2025-03-0{n}", 1.0) for n in range(1, 6)])
    found = rows_of(rfm_block(in_engine(frame, engine), as_of=AS_OF, horizon_days=30))
    assert found["a"]["recency_over_gap"] == 26.0
    assert found["a"]["gap_std_days"] == 0.0


@ENGINES
def test_the_favourite_its_share_and_ties(engine):
    lines = pd.DataFrame(
        {
            "customer_id": list("aaaabbcd"),
            "category": ["x", "y", "y", None, "y", "x", None, "z"],
            "spent": [10.0, 4.0, 8.0, 100.0, 0.1 + 0.2, 0.3, 5.0, 0.0],
        }
    )
    found = rows_of(
        favourite(nw.from_native(in_engine(lines, engine)).lazy(), column="category", by="spent")
    )
    assert found["a"]["main"] == "y"
    assert found["a"]["main_share"] == pytest.approx(12 / 22)
    assert found["a"]["different"] == 2
    # 0.1 + 0.2 is 0.3 in money: a tie, and the first in the alphabet wins.
    assert found["b"] == {"main": "x", "main_share": 0.5, "different": 2}
    assert "c" not in found
    assert found["d"] == {"main": "z", "main_share": None, "different": 1}


def order_lines(rows: list[tuple]) -> pd.DataFrame:
    columns = ["customer_id", "order_id", "status", "amount", "discount", "category", "channel"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(ordered_on=pd.Timestamp("2025-03-01"), source="till")


@ENGINES
def test_baskets_reductions_returns_and_channels(engine):
    frame = order_lines(
        [
            ("a", "o1", "paid", 60.0, 20.0, "wine", "store"),
            ("a", "o1", "paid", 20.0, None, "cheese", "store"),
            ("a", "o2", "returned", -10.0, None, "wine", "web"),
            ("a", "o3", "unpaid", 10.0, 0.0, "wine", "store"),
            ("b", "o4", "paid", 0.0, 0.0, None, None),
        ]
    )
    late = frame.assign(ordered_on=pd.Timestamp("2025-04-01"), order_id="late")
    found = rows_of(basket_block(in_engine(pd.concat([frame, late]), engine), as_of=AS_OF))
    a = found["a"]
    assert a["basket_lines"] == pytest.approx(4 / 3)
    # 20 of the 60 + 20 + 20 + 10 + 10 that the articles are worth.
    assert a["discount_share"] == pytest.approx(20 / 120)
    assert (a["returned_share"], a["unpaid_share"]) == (0.25, 0.25)
    assert (a["main_category"], a["categories"]) == ("wine", 2)
    assert a["main_category_share"] == pytest.approx(0.8)
    assert (a["main_channel"], a["channels"], a["main_channel_share"]) == ("store", 2, 0.75)
    b = found["b"]
    assert (b["discount_share"], b["main_category"], b["categories"]) == (None, None, 0)


@ENGINES
def test_visits(engine):
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c"],
            "at": pd.to_datetime(
                ["2025-02-01", "2025-03-20 10", "2025-03-29 10", "2025-01-01", "2025-04-02"],
                format="ISO8601",
            ),
        }
    )
    frame["known_at"] = frame["at"]
    found = rows_of(web_block(in_engine(frame, engine), **PARIS))
    assert found == {
        "a": {"web_hits_last_period": 2.0, "days_since_visit": 2.0},
        "b": {"web_hits_last_period": 0.0, "days_since_visit": 89.0},
    }


@ENGINES
def test_a_visit_that_only_a_later_login_names_is_not_known_yet(engine):
    times = pd.to_datetime(["2025-03-20", "2025-03-25"])
    logins = pd.to_datetime(["2025-04-02", "2025-03-26"])
    frame = pd.DataFrame({"customer_id": ["a", "b"], "at": times, "known_at": logins})
    assert set(rows_of(web_block(in_engine(frame, engine), **PARIS))) == {"b"}


@ENGINES
def test_a_visit_on_the_evening_of_the_last_day_was_not_tomorrow(engine):
    # 22:00 in New York on 31 March is 1 April in UTC.
    frame = pd.DataFrame({"customer_id": ["a"], "at": pd.to_datetime(["2025-04-01 02:00"])})
    frame["known_at"] = frame["at"]
    where = {**PARIS, "timezone": "America/New_York"}
    found = rows_of(web_block(in_engine(frame, engine), **where))
    assert found == {"a": {"web_hits_last_period": 1.0, "days_since_visit": 0.0}}
    assert rows_of(web_block(in_engine(frame, engine), **PARIS)) == {}


@ENGINES
def test_messages_received_opened_and_their_cost(engine):
    frame = pd.DataFrame(
        [
            ("a", "2025-03-10", "sent", 0.5),
            ("a", "2025-03-10", "delivered", 0.0),
            ("a", "2025-03-11", "opened", 0.0),
            ("a", "2025-01-01", "sent", 0.5),
            ("b", "2025-03-10", "held_out", 0.0),
            ("c", "2025-03-10", "sent", None),
        ],
        columns=["customer_id", "at", "event", "cost"],
    )
    frame["at"] = pd.to_datetime(frame["at"])
    found = rows_of(contact_block(in_engine(frame, engine), **PARIS))
    assert found["a"] == {
        "contacts_last_period": 1.0,
        "cost_to_contact": 1.0,
        "opened_share": 0.5,
        "days_since_open": 20.0,
    }
    # Who was held out received nothing: no share of nothing.
    assert found["b"]["opened_share"] is None
    assert found["b"]["contacts_last_period"] == 0.0
    assert found["c"]["cost_to_contact"] == 0.0


@ENGINES
def test_conversations_claims_and_their_cost(engine):
    frame = pd.DataFrame(
        [
            ("a", "2025-03-10", "claim", 4.0),
            ("a", "2025-03-11", "question", 2.0),
            ("a", "2025-01-01", "refund", 1.0),
            ("b", "2025-03-10", None, None),
        ],
        columns=["customer_id", "at", "reason", "cost"],
    )
    frame["at"] = pd.to_datetime(frame["at"])
    found = rows_of(service_block(in_engine(frame, engine), **PARIS))
    assert found["a"] == {
        "conversations_last_period": 2.0,
        "claims_last_period": 1.0,
        "cost_to_serve": 7.0,
        "days_since_conversation": 20.0,
    }
    assert found["b"] == {
        "conversations_last_period": 1.0,
        "claims_last_period": 0.0,
        "cost_to_serve": 0.0,
        "days_since_conversation": 21.0,
    }
