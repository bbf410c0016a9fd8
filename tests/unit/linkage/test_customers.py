from __future__ import annotations

from datetime import date, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.linkage.customers import (
    assemble_customers,
    attach_contacts,
    attach_customer,
    attach_web,
    distinct_ids,
    orders_by_month,
    origins_by_field,
)

ENGINES = pytest.mark.parametrize("engine", ["pandas", "duckdb"])
LINKS = [
    {"source": "crm", "source_id": "1", "customer_id": "A", "has_person_record": True},
    {"source": "web", "source_id": "1", "customer_id": "A", "has_person_record": True},
    {"source": "till", "source_id": "9", "customer_id": "B", "has_person_record": False},
]


def table(name: str, rows: list[dict], engine: str = "duckdb"):
    arrow = pa.Table.from_pylist(rows, schema=arrow_schema(CONTRACTS[name]))
    return duckdb.from_arrow(arrow) if engine == "duckdb" else arrow.to_pandas()


def frame_of(table) -> pd.DataFrame:
    return table if isinstance(table, pd.DataFrame) else table.df()


def order(customer: str, source: str, order_id: str, amount: float, **more) -> dict:
    moment = datetime(2025, 1, 15, 12)
    usual = {"customer_id": customer, "source": source, "source_id": "1", "order_id": order_id}
    usual |= {"line_no": "1", "ordered_at": moment, "ordered_on": moment.date(), "status": "paid"}
    return {**usual, "amount": amount, "net_amount": amount, "margin": amount / 2, **more}


@ENGINES
def test_every_id_that_some_table_names_once(engine):
    one = pd.DataFrame({"source": ["crm", "crm", None], "source_id": ["1", "1", "7"], "x": 1})
    other = pd.DataFrame({"source": ["crm", "web"], "source_id": ["1", None], "y": "a"})
    more = pd.DataFrame({"source": ["web"], "source_id": ["1"]})
    tables = [one, other, more]
    if engine == "duckdb":
        tables = [duckdb.from_arrow(pa.Table.from_pandas(t, preserve_index=False)) for t in tables]
    found = frame_of(distinct_ids(tables))
    assert sorted(found.itertuples(index=False, name=None)) == [("crm", "1"), ("web", "1")]


@ENGINES
def test_each_row_gets_its_customer_once_and_strangers_are_left_out(engine):
    rows = [
        {"source": "crm", "source_id": "1", "at": datetime(2025, 1, 1), "kind": "csat", "score": 4},
        {"source": "web", "source_id": "1", "at": datetime(2025, 1, 2), "kind": "csat", "score": 5},
        {"source": "crm", "source_id": "404", "at": datetime(2025, 1, 3), "kind": "nps"},
    ]
    found = frame_of(
        attach_customer(
            table("staged.surveys", rows, engine), table("linked_records", LINKS, engine)
        )
    )
    assert set(found.columns) == {*CONTRACTS["staged.surveys"].column_names, "customer_id"}
    assert sorted(zip(found["customer_id"], found["score"], strict=True)) == [("A", 4), ("A", 5)]


@ENGINES
def test_the_price_of_a_message_stands_on_its_sending_only(engine):
    def contact(contact_id: str, event: str, variant: str = "v1", **more) -> dict:
        usual = {"contact_id": contact_id, "campaign_id": "c", "variant": variant, "event": event}
        return {**usual, "source": "crm", "source_id": "1", "at": datetime(2025, 1, 1), **more}

    contacts = [
        contact("k1", "sent"),
        contact("k1", "opened"),
        contact("k2", "held_out"),
        contact("k3", "sent", "v2"),
        contact("k4", "sent", campaign_id="unknown"),
        contact("k5", "sent", source_id="404"),
    ]
    campaigns = [
        {"campaign_id": "c", "variant": "v1", "cost_per_contact": 0.5},
        {"campaign_id": "c", "variant": "v2", "cost_per_contact": 2.0},
    ]
    found = frame_of(
        attach_contacts(
            table("staged.contacts", contacts, engine),
            table("linked_records", LINKS, engine),
            table("staged.campaigns", campaigns, engine),
        )
    )
    assert list(found.columns) == CONTRACTS["customer_contacts"].column_names
    cost = found.set_index(["contact_id", "event"])["cost"].astype(float).fillna(-1).to_dict()
    assert cost == {
        ("k1", "sent"): 0.5,
        ("k1", "opened"): 0.0,
        ("k2", "held_out"): 0.0,
        ("k3", "sent"): 2.0,
        ("k4", "sent"): -1,
    }


@ENGINES
def test_whom_the_service_answered_is_found_by_its_own_id_then_or_now(engine):
    usual = {"source": "service", "event": "sent", "channel": "web", "at": datetime(2025, 1, 1)}
    ids = {"k1": "A", "k2": "gone", "k3": "split", "k4": "nobody"}
    contacts = [usual | {"contact_id": k, "source_id": c} for k, c in ids.items()]
    moves = [("gone", "B", "merged", 2), ("split", "A", "split", 1), ("split", "B", "split", 3),
             ("dead", None, "gone", 1), (None, "A", "new", 2)]  # fmt: skip
    history = [
        {"run": 2, "from_id": a, "to_id": b, "why": why, "records": n} for a, b, why, n in moves
    ]
    sent = table("staged.contacts", contacts, engine)
    links = table("linked_records", LINKS, engine)
    campaigns = table("staged.campaigns", [], engine)
    history = table("id_history", history, engine)
    found = frame_of(attach_contacts(sent, links, campaigns, id_history=history))
    whose = {"k1": "A", "k2": "B", "k3": "B"}
    assert found.set_index("contact_id")["customer_id"].to_dict() == whose
    # An id of ours is no record that somebody would have to link.
    assert frame_of(distinct_ids([sent])).empty


@ENGINES
def test_hits_belong_to_the_account_logged_in(engine):
    hits = [
        {"visitor_id": "v", "at": datetime(2025, 1, 1), "kind": "page"},
        {"visitor_id": "v", "source_id": "1", "at": datetime(2025, 1, 2), "kind": "login"},
        {"visitor_id": "stranger", "at": datetime(2025, 1, 3), "kind": "page"},
        {"visitor_id": "w", "source_id": "9", "at": datetime(2025, 1, 4), "kind": "login"},
    ]
    found = frame_of(
        attach_web(table("staged.web_events", hits, engine), table("linked_records", LINKS, engine))
    )
    assert list(found.columns) == CONTRACTS["customer_web_events"].column_names
    # Account 9 of the till is not account 9 of the site.
    assert found["customer_id"].to_list() == ["A", "A"]
    # A hit before the log-in was anonymous until then.
    assert (found["known_at"] >= found["at"]).all()
    assert found["known_at"].nunique() == 1


def golden(*customers: str) -> pa.Table:
    return pa.table(
        {
            "customer_id": list(customers),
            "first_name": ["Marie"] * len(customers),
            "birth_date": pa.array([date(1980, 1, 1)] * len(customers), pa.date32()),
            "records": [99] * len(customers),
            "sources": ["?"] * len(customers),
        }
    )


def test_orders_of_all_records_are_summed_once():
    orders = [
        order("A", "crm", "o1", 10.0),
        order("A", "crm", "o1", 5.0, line_no="2"),
        order("A", "web", "o1", 20.0, ordered_at=datetime(2025, 2, 1)),
        order("B", "till", "o2", 7.0, margin=None),
    ]
    links = [*LINKS, {**LINKS[0], "source": "news", "customer_id": "C"}]
    found = assemble_customers(
        golden("A"),
        links=table("linked_records", links),
        orders=table("customer_orders", orders),
        as_of=date(2025, 3, 31),
    )
    assert list(found.columns) == CONTRACTS["customers"].column_names
    found = found.sort_values("customer_id").set_index("customer_id")
    # Unlinked people stay customers, with or without orders.
    assert list(found.index) == ["A", "B", "C"]
    assert found["net_amount"].to_list() == [35.0, 7.0, 0.0]
    assert found["net_amount"].sum() == sum(row["net_amount"] for row in orders)
    # Two systems that both count from 1 made two orders.
    assert found["orders"].to_list() == [2, 1, 0]
    assert found["records"].to_list() == [2, 1, 1]
    assert found["sources"].to_list() == ["crm;web", "till", "news"]
    assert found.loc["A", "margin"] == 17.5
    assert found.loc["A", "last_order_at"] == datetime(2025, 2, 1)
    assert found["first_name"].fillna("?").to_list() == ["Marie", "?", "?"]
    assert found.loc["A", "birth_date"] == date(1980, 1, 1)
    assert set(found["as_of"]) == {date(2025, 3, 31)}


def test_a_customer_twice_in_the_golden_record_is_refused():
    with pytest.raises(pd.errors.MergeError):
        assemble_customers(
            golden("A", "A"),
            links=table("linked_records", LINKS),
            orders=table("customer_orders", []),
            as_of=date(2025, 3, 31),
        )


def test_sales_by_month_of_the_shop():
    # Half past eleven at night on 31 January in New York is February in UTC.
    late = {"ordered_at": datetime(2025, 2, 1, 4, 30), "ordered_on": date(2025, 1, 31)}
    march = {"ordered_at": datetime(2025, 3, 1, 12), "ordered_on": date(2025, 3, 1)}
    orders = [
        order("A", "till", "3", 7.0, **march),
        order("A", "till", "1", 10.0),
        order("A", "till", "1", 2.0, line_no="2"),
        order("A", "web", "1", 1.0, **late),
    ]
    months = orders_by_month(table("customer_orders", orders))
    told = months.assign(month=pd.to_datetime(months["month"]).dt.strftime("%Y-%m"))
    assert list(told.itertuples(index=False, name=None)) == [
        ("2025-01", 13.0, 2),
        ("2025-03", 7.0, 1),
    ]


def test_origins_are_shares_of_the_values_that_were_kept():
    def value(customer: str, field: str, source: str | None) -> dict:
        usual = {"customer_id": customer, "field": field, "source": source}
        return {**usual, "rule": "latest", "candidates": 1}

    rows = [value(c, "email", s) for c, s in (("A", "crm"), ("B", "crm"), ("C", "web"))]
    rows += [value("A", "phone", "web"), value("B", "phone", None)]
    origins = origins_by_field(table("golden_provenance", rows))
    assert list(origins.itertuples(index=False, name=None)) == [
        ("email", "crm", pytest.approx(2 / 3)),
        ("email", "web", pytest.approx(1 / 3)),
        ("phone", "web", 1.0),
    ]
