from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.features.purchases import purchase_days
from customer360.features.table import (
    FEATURE_NAMES,
    NUMERIC_FEATURES,
    TEXT_FEATURES,
    build_features,
    label_future,
)

AS_OF = date(2025, 3, 31)
ENGINES = pytest.mark.parametrize("engine", ["pandas", "duckdb"])


def table(name: str, rows: list[dict]) -> pd.DataFrame:
    return pa.Table.from_pylist(rows, schema=arrow_schema(CONTRACTS[name])).to_pandas(
        date_as_object=False
    )


def line(customer: str, day: str, order_id: str, amount: float = 10.0, **more) -> dict:
    usual = {"customer_id": customer, "source": "till", "source_id": customer, "line_no": "1"}
    usual |= {"order_id": order_id, "ordered_at": pd.Timestamp(day), "amount": amount}
    usual |= {"ordered_on": pd.Timestamp(day).date(), "status": "paid", "net_amount": amount}
    return {**usual, "margin": amount / 2, "category": "wine", "channel": "store", **more}


ORDERS = [
    line("a", "2025-01-10", "o1", 40.0),
    line("a", "2025-03-20", "o2", 10.0, category="cheese", discount=5.0),
    line("b", "2025-02-01", "o3", 7.0),
]
CONTACTS = [
    {"customer_id": "a", "contact_id": f"k{n}", "event": event, "at": pd.Timestamp(2025, 3, 2 + n)}
    | {"cost": 0.5 if event == "sent" else 0.0}
    for n in range(5)
    for event in ("sent", "opened")
]
VISITS = [
    {"customer_id": "a", "visitor_id": "v", "kind": "page", "at": pd.Timestamp(2025, 3, 2 + n)}
    for n in range(7)
]
TALKS = [
    {"customer_id": "a", "at": pd.Timestamp(2025, 3, n), "reason": "claim", "cost": 3.0}
    for n in (2, 3)
]


def features(engine: str, *, orders=ORDERS, contacts=CONTACTS, visits=VISITS, talks=TALKS, **more):
    frames = {
        "orders": table("customer_orders", orders),
        "contacts": table("customer_contacts", contacts),
        "web_events": table("customer_web_events", [{**v, "known_at": v["at"]} for v in visits]),
        "conversations": table("customer_conversations", talks),
    }
    if engine == "duckdb":
        frames = {
            name: duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
            for name, frame in frames.items()
        }
    built = build_features(
        purchase_days=purchase_days(frames["orders"]),
        **frames,
        as_of=AS_OF,
        horizon_days=30,
        timezone="Europe/Paris",
        **more,
    )
    built = built if isinstance(built, pd.DataFrame) else built.df()
    built = built.sort_values("customer_id", ignore_index=True)
    return built.astype(dict.fromkeys(NUMERIC_FEATURES, "float64"))


def test_both_engines_build_the_same_table():
    one, other = features("pandas"), features("duckdb")
    assert list(one.columns) == CONTRACTS["features"].column_names
    assert list(other.columns) == CONTRACTS["features"].column_names
    pd.testing.assert_frame_equal(
        one.drop(columns="as_of"), other.drop(columns="as_of"), check_dtype=False
    )
    for built in (one, other):
        assert {str(day)[:10] for day in built["as_of"]} == {"2025-03-31"}


@ENGINES
def test_contacts_do_not_multiply_amounts(engine):
    """Joining before adding up would count each order once a message."""
    built = features(engine).set_index("customer_id")
    assert built.loc["a", "net_amount"] == 50.0
    assert built.loc["a", "frequency"] == 2
    assert built.loc["a", "contacts_last_period"] == 5
    assert built.loc["a", "cost_to_contact"] == 2.5
    assert built.loc["a", "web_hits_last_period"] == 7
    assert built.loc["a", "cost_to_serve"] == 6.0
    assert built.loc["a", "opened_share"] == 1.0
    assert built["net_amount"].sum() == sum(row["net_amount"] for row in ORDERS)


@ENGINES
def test_nothing_happened_is_zero_and_unknown_stays_unknown(engine):
    b = features(engine).set_index("customer_id").loc["b"]
    zero = ["contacts_last_period", "web_hits_last_period", "conversations_last_period"]
    zero += ["claims_last_period", "cost_to_serve", "cost_to_contact"]
    assert (b[zero] == 0).all()
    assert b[["opened_share", "days_since_visit", "gap_mean_days"]].isna().all()


@ENGINES
def test_what_comes_after_as_of_never_changes_a_feature(engine):
    later = pd.Timestamp("2025-04-01 08:00")
    before = features(engine)
    after = features(
        engine,
        orders=[
            *ORDERS,
            line("a", "2025-04-01", "late", 1e6, category="gold", channel="boat", discount=9.0),
            line("a", "2025-04-02", "back", -1e6, status="returned", category="gold"),
            line("new", "2025-04-01", "new", 5.0),
        ],
        contacts=[*CONTACTS, *({**row, "contact_id": "z", "at": later} for row in CONTACTS[:2])],
        visits=[*VISITS, {**VISITS[0], "at": later}],
        talks=[*TALKS, {**TALKS[0], "at": later}],
    )
    pd.testing.assert_frame_equal(before, after)


@ENGINES
def test_the_last_day_itself_is_known(engine):
    evening = pd.Timestamp("2025-03-31 21:30")
    built = features(
        engine,
        orders=[*ORDERS, line("b", "2025-03-31", "o9", 3.0)],
        visits=[{**VISITS[0], "at": evening}],
    ).set_index("customer_id")
    assert built.loc["b", "recency_days"] == 0
    assert built.loc["a", "days_since_visit"] == 0


@ENGINES
def test_absent_sources_leave_empty_or_zero_columns(engine):
    built = features(engine, contacts=[], visits=[], talks=[])
    assert list(built["customer_id"]) == ["a", "b"]
    assert (built["contacts_last_period"] == 0).all()
    assert built["days_since_visit"].isna().all()


def test_names_are_those_of_the_contract():
    assert sorted([*NUMERIC_FEATURES, *TEXT_FEATURES]) == sorted(FEATURE_NAMES)
    assert TEXT_FEATURES == ["main_category", "main_channel"]
    assert "customer_id" not in FEATURE_NAMES


@ENGINES
def test_labels_look_at_the_horizon_only(engine):
    known = pd.DataFrame({"customer_id": ["first", "last", "late", "never", "today"]})
    days = pd.DataFrame(
        [
            ("today", "2025-03-31", 9.0),  # known already: not the future
            ("first", "2025-04-01", 1.0),
            ("first", "2025-04-05", 2.0),
            ("last", "2025-04-30", 4.0),
            ("late", "2025-05-01", 8.0),
        ],
        columns=["customer_id", "day", "margin"],
    )
    days["day"] = pd.to_datetime(days["day"])
    if engine == "duckdb":
        known = duckdb.from_arrow(pa.Table.from_pandas(known))
        days = duckdb.from_arrow(pa.Table.from_pandas(days))
    labelled = label_future(known, purchase_days=days, as_of=AS_OF, horizon_days=30)
    labelled = labelled if isinstance(labelled, pd.DataFrame) else labelled.df()
    labelled = labelled.sort_values("customer_id")[["customer_id", "churned", "future_margin"]]
    found = labelled.itertuples(index=False, name=None)
    assert list(found) == [
        ("first", False, 3.0),
        ("last", False, 4.0),
        ("late", True, 0.0),
        ("never", True, 0.0),
        ("today", True, 0.0),
    ]


@ENGINES
def test_who_is_on_file_for_long_is_no_newcomer(engine):
    """The record of `a` is older than its first purchase; that of `b` was made too late."""
    customers = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "created_at": pd.to_datetime(["2024-03-31", "2025-06-01"]),
        }
    )
    if engine == "duckdb":
        customers = duckdb.from_arrow(pa.Table.from_pandas(customers, preserve_index=False))
    built = features(engine, customers=customers, first_day=date(2025, 1, 1))
    a, b = (built.set_index("customer_id").loc[name] for name in "ab")
    assert (a["known_days"], a["known_before_days"]) == (365.0, 285.0)
    assert (b["known_days"], b["known_before_days"]) == (58.0, 0.0)
    # Watched for 90 days only, however long it has been known.
    assert a["purchase_rate"] == pytest.approx(2.5 / (90 / 365 + 0.3))
    assert a["purchases_missed"] == pytest.approx(11 / 365 * a["purchase_rate"])


@ENGINES
def test_windows_and_pauses(engine):
    a = features(engine).set_index("customer_id").loc["a"]
    assert (a["orders_last_quarter"], a["orders_last_half"], a["orders_last_year"]) == (2, 2, 2)
    assert a["gap_last_days"] == 69.0
    assert a["silence_over_rhythm"] == pytest.approx(11 / 69)
    b = features(engine).set_index("customer_id").loc["b"]
    assert pd.isna(b["gap_last_days"])
    assert b["silence_over_rhythm"] == pytest.approx(1.0)
