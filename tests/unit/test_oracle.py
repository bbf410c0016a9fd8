"""The best any model could reach, on worlds of a handful of people."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.oracle import (
    PAIR_REASONS,
    churn_ceiling,
    dissatisfaction_ceiling,
    linkable_groups,
    linkage_ceiling,
    messages_ahead,
    uplift_ceiling,
    value_ceiling,
)

FIELDS = ("first_name", "last_name", "birth_date", "email", "phone", "street", "postcode", "title")


def given(*records: tuple[str, dict[str, object]]):
    """People and their truth, from records given as person and fields, numbered as they come."""
    rows = [
        {"source": "crm", "source_id": str(n), **dict.fromkeys(FIELDS), **fields}
        for n, (_, fields) in enumerate(records)
    ]
    people = pd.DataFrame(rows).astype({f: "str" for f in FIELDS if f != "birth_date"})
    people["birth_date"] = pd.to_datetime(people["birth_date"])
    links = people[["source", "source_id"]].assign(person_id=[person for person, _ in records])
    return people, links


def linked(*records: tuple[str, dict[str, object]]):
    """The ceiling of such records."""
    people, links = given(*records)
    return linkage_ceiling(people, people_links=links)


def reasons(ceiling) -> dict[str, int]:
    table = ceiling.table
    return dict(zip(table["reason"], table["pairs"], strict=True))


def only(reason: str) -> dict[str, int]:
    return {**dict.fromkeys(PAIR_REASONS, 0), reason: 1}


LEA = {"first_name": "Léa", "last_name": "Durand"}


@pytest.mark.parametrize(
    ("one", "two", "reason"),
    [
        ({"email": "lea.durand@free.fr"}, {"email": "Lea.Durand@free.fr"}, "e-mail"),
        ({"email": "lea.durand@free.fr"}, {"email": "lea.duramd@free.fr"}, "e-mail"),
        ({"phone": "+33612345678"}, {"phone": "0612345678"}, "telephone"),
        ({"phone": "+33612345678"}, {"phone": "+33612345679"}, "telephone"),
        (
            {**LEA, "birth_date": "1980-04-03"},
            {"first_name": "Durand", "last_name": "Lea", "birth_date": "1980-03-04"},
            "a name, and birth date or address",
        ),
        (
            {**LEA, "street": "3 rue Hugo", "postcode": "75001"},
            {**LEA, "last_name": "Petit", "street": "3 r Hugo", "postcode": "75001"},
            "a name, and birth date or address",
        ),
        (LEA, {**LEA, "phone": "+33612345678"}, "names that nobody else bears"),
        (LEA, {"email": "x@free.fr"}, "nothing in common"),
        (LEA, {"first_name": "Léa"}, "holds too little"),
        ({"phone": "+33612345678"}, {"phone": "+33698765432"}, "nothing in common"),
    ],
)
def test_each_pair_has_one_reason(one, two, reason):
    ceiling = linked(("A", one), ("A", two))
    assert reasons(ceiling) == only(reason)
    found = reason not in ("fits somebody else as well", "holds too little", "nothing in common")
    assert ceiling.metrics["linkable_pairs_share"] == found
    assert ceiling.metrics["pairs_true"] == 1


def test_a_chain_joins_records_that_have_nothing_in_common():
    ceiling = linked(
        ("A", {"email": "lea@free.fr"}),
        ("A", {"email": "lea@free.fr", "phone": "+33612345678"}),
        ("A", {"phone": "+33612345678"}),
    )
    joined = {"e-mail": 1, "telephone": 1, "through a third record": 1}
    assert {name: n for name, n in reasons(ceiling).items() if n} == joined
    assert ceiling.metrics["linkable_pairs_share"] == 1


def test_a_record_without_a_name_that_fits_two_people_is_lost():
    family = {"email": "les.durand@free.fr"}
    ceiling = linked(
        ("A", {**LEA, **family, "phone": "+33612345678"}),
        ("A", {**LEA, "phone": "+33612345678"}),
        ("A", family),
        ("B", {"first_name": "Hugo", "last_name": "Durand", **family}),
    )
    assert ceiling.metrics["indistinguishable_records"] == 1
    assert reasons(ceiling)["fits somebody else as well"] == 2
    assert ceiling.metrics["pairs_linkable"] == 1


def test_groups_hold_the_linkable_pairs_and_no_lost_record():
    family = {"email": "les.durand@free.fr"}
    records = (
        ("A", {**LEA, **family, "phone": "+33612345678"}),
        ("A", {**LEA, "phone": "+33612345678"}),
        ("A", family),
        ("B", {"first_name": "Hugo", "last_name": "Durand", **family}),
    )
    people, links = given(*records)
    groups = linkable_groups(people, people_links=links)
    assert groups[["source", "source_id"]].to_numpy().tolist() == [["crm", n] for n in "0123"]
    one, two, lost, other = groups["linkable_group"]
    assert one == two != other and pd.isna(lost)
    sizes = groups.groupby("linkable_group").size()
    assert (sizes * (sizes - 1) // 2).sum() == linked(*records).metrics["pairs_linkable"]


@pytest.mark.parametrize(
    "tells", [{"first_name": "Léa"}, {"birth_date": "1980-04-03"}, {"title": "Mme"}]
)
def test_what_belongs_to_one_of_two_people_tells_them_apart(tells):
    family = {"email": "les.durand@free.fr"}
    full = {**LEA, "birth_date": "1980-04-03", "title": "Mme", **family}
    ceiling = linked(
        ("A", full),
        ("A", {**family, **tells}),
        ("B", {"first_name": "Hugo", "birth_date": "1979-09-09", "title": "M", **family}),
    )
    assert ceiling.metrics["indistinguishable_records"] == 0
    assert ceiling.metrics["linkable_pairs_share"] == 1


def test_father_and_son_of_one_name_are_told_apart_by_their_birth_date_only():
    home = {**LEA, "first_name": "Jean", "street": "3 rue Hugo", "postcode": "75001"}
    father, son = ({**home, "birth_date": day} for day in ("1950-01-01", "1980-02-02"))
    told = linked(("A", father), ("A", father), ("B", son))
    assert told.metrics["linkable_pairs_share"] == 1
    lost = linked(("A", father), ("A", home), ("B", son))
    assert reasons(lost) == only("fits somebody else as well")


def test_names_that_others_bear_prove_nothing():
    ceiling = linked(("A", LEA), ("A", {**LEA, "phone": "+33612345678"}), ("B", LEA))
    assert ceiling.metrics["linkable_pairs_share"] == 0


def test_a_telephone_of_many_people_is_a_placeholder():
    junk = {"phone": "+33600000000"}
    others = [(f"P{n}", junk) for n in range(5)]
    assert reasons(linked(("A", junk), ("A", junk), *others)) == only("holds too little")


def test_nobody_to_link_leaves_nothing_to_lose():
    ceiling = linked(("A", LEA), ("B", {"first_name": "Hugo"}))
    assert ceiling.metrics["linkable_pairs_share"] == 1.0
    assert ceiling.table["pairs"].sum() == 0


def test_linkage_does_not_depend_on_the_order_of_records():
    records = [
        ("A", {**LEA, "email": "lea@free.fr"}), ("A", {"email": "lea@free.fr"}),
        ("B", {"first_name": "Hugo", "phone": "+33612345678"}), ("B", {"phone": "+33612345678"}),
        ("C", {"first_name": "Zoé", "phone": "+33612345678"}),
    ]  # fmt: skip
    assert reasons(linked(*records)) == reasons(linked(*records[::-1]))


# --- churn ---

CHANCES = pd.DataFrame({"person_id": ["A", "B", "C"], "p_no_purchase": [1.0, 0.2, 0.6]})
HABITS = pd.DataFrame(
    {
        "person_id": ["A", "B", "C"],
        "purchase_rate": [12.0, 2.0, 1.0],
        "leaving_hazard": [1.0, 0.5, 0.0],
        "p_no_purchase": [0.1, 0.2, 0.6],
    }
)


def churn(**more):
    holdout = pd.DataFrame(
        {
            "customer_id": ["c1", "c2", "c3"],
            "recency_days": [365.25, 0.0, 700.0],
            "churned": [True, False, True],
        }
    )
    records = pd.DataFrame(
        [("crm", "1", "c1"), ("web", "1", "c1"), ("till", "1", "c1"), ("crm", "2", "c2"),
         ("crm", "3", "c3"), ("web", "3", "c3")],
        columns=["source", "source_id", "customer_id"],
    )  # fmt: skip
    # c1 holds one record of B beside two of A; c3 one of C and one of Z: the first by id.
    links = records[["source", "source_id"]].assign(person_id=["B", "A", "A", "B", "Z", "C"])
    given = {"holdout": holdout, "linked_records": records, "people_links": links, **more}
    return churn_ceiling(chances=CHANCES, habits=HABITS, **given)


def test_a_customer_is_the_person_with_most_of_its_records():
    table = churn().table.set_index("customer_id")
    assert table["truth"].to_dict() == {"c1": 1.0, "c2": 0.2, "c3": 0.6}
    assert churn().metrics["churn_roc_auc"] == 1.0


def test_habits_infer_from_the_silence_who_is_still_there():
    habits = churn().table.set_index("customer_id")["habits"]
    alive = 1 / (1 + 1 / 13 * np.expm1(13))
    assert habits["c1"] == pytest.approx(1 - alive * 0.9)
    assert habits["c2"] == pytest.approx(0.2)
    assert habits["c3"] == pytest.approx(0.6)  # without hazard nobody leaves


def test_churn_metrics_need_both_outcomes():
    holdout = pd.DataFrame({"customer_id": ["c1"], "recency_days": [1.0], "churned": [True]})
    assert churn(holdout=holdout).metrics == {"churn_customers": 1.0}


# --- value ---

DAY = date(2024, 12, 31)


def value(orders: list[tuple], **more):
    expectations = pd.DataFrame(
        {
            "person_id": ["A", "B", "C"] * 2,
            "as_of": [DAY] * 3 + [date(2025, 12, 31)] * 3,
            "horizon": 365.0,
            "alive": [True, True, False] * 2,
            "expected_margin": [30.0, 10.0, 0.0, 99.0, 99.0, 99.0],
            "expected_transactions": [3.0, 1.0, 0.0, 9.0, 9.0, 9.0],
        }
    )
    people = pd.DataFrame(
        {"person_id": ["A", "B", "C"], "joined_on": [date(2023, 1, 1), DAY, date(2025, 3, 1)]}
    )
    lines = pd.DataFrame(
        orders, columns=["source_id", "order_id", "ordered_on", "status", "margin"]
    ).assign(source="crm", amount=1.0)
    links = pd.DataFrame({"source": "crm", "source_id": ["a", "b", "c"], "person_id": list("ABC")})
    return value_ceiling(
        expectations=expectations, true_people=people, orders=lines, people_links=links
    )


def test_value_of_the_first_day_against_what_was_paid_in_the_year_after():
    ceiling = value(
        [
            ("a", "before", DAY, "paid", 1000.0),
            ("a", "1", date(2025, 1, 1), "paid", 20.0),
            ("a", "1", date(2025, 1, 1), "paid", 5.0),
            ("a", "2", date(2025, 12, 31), "unpaid", -50.0),
            ("b", "3", date(2025, 6, 1), "paid", 7.0),
            ("b", "after", date(2026, 1, 1), "paid", 1000.0),
            ("c", "newcomer", date(2025, 6, 1), "paid", 1000.0),
        ]
    )
    assert ceiling.metrics["value_people"] == 2
    assert ceiling.metrics["value_total_error"] == pytest.approx(40 / 32 - 1)
    assert ceiling.metrics["transactions_total_error"] == pytest.approx(4 / 3 - 1)
    assert ceiling.metrics["value_spearman"] == pytest.approx(1.0)
    assert ceiling.table["margin"].to_list() == [7.0, 25.0]
    assert ceiling.table["transactions"].to_list() == [1.0, 2.0]


def test_value_without_any_order_has_no_error_to_tell():
    metrics = value([("a", "before", DAY, "paid", 1.0)]).metrics
    assert "value_total_error" not in metrics and metrics["value_people"] == 2


# --- uplift ---


def contact_events(rows: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["contact_id", "event"]).assign(at=datetime(2025, 3, 1, 10))


def uplift(buyers: list[tuple[str, date]], events: pd.DataFrame):
    contacts = ["k1", "k2", "k3", "k4", "z1"]
    truth = pd.DataFrame(
        {
            "contact_id": contacts,
            "person_id": ["A", "B", "C", "D", "A"],
            "campaign_id": ["one"] * 4 + ["no hold-out"],
            "effect": [0.5, 0.5, 0.0, -0.1, 0.9],
            "potential": [0.5, 0.5, 0.3, -0.1, 0.9],
        }
    )
    orders = pd.DataFrame(
        [("crm", who, str(n), day, 1.0) for n, (who, day) in enumerate(buyers)],
        columns=["source", "source_id", "order_id", "ordered_on", "amount"],
    ).assign(status="paid", margin=0.0)
    links = pd.DataFrame({"source": "crm", "source_id": list("ABCD"), "person_id": list("ABCD")})
    return uplift_ceiling(
        contacts=events, true_contacts=truth, orders=pd.concat([orders, orders]), people_links=links
    )


EVENTS = [
    ("k1", "sent"), ("k1", "opened"), ("k2", "held_out"), ("k3", "sent"), ("k4", "held_out"),
    ("z1", "sent"),
]  # fmt: skip


def test_qini_of_the_true_effects_by_hand():
    ceiling = uplift(
        [
            ("A", date(2025, 3, 1)),  # the day itself is before
            ("A", date(2025, 3, 2)),
            ("A", date(2025, 3, 15)),
            ("A", date(2025, 3, 16)),  # too late
            ("D", date(2025, 3, 9)),
        ],
        contact_events(EVENTS),
    )
    # Weighted effects 4 and 0 share the first rank, then 0, then -2.
    assert ceiling.metrics["uplift_contacts"] == 4
    assert ceiling.metrics["uplift_average"] == pytest.approx(0.5)
    assert ceiling.metrics["qini"] == pytest.approx(0.25 + 0.25 + 0.1875 - 0.25)
    assert ceiling.metrics["uplift_average_expected"] == pytest.approx(0.9 / 4)
    curve = ceiling.table[ceiling.table["curve"] == "expected"]
    assert len(curve) == 101 and curve["gain"].iloc[50] == pytest.approx(0.25)


def test_campaigns_without_hold_out_say_nothing():
    metrics = uplift([("A", date(2025, 3, 2))], contact_events(EVENTS[-1:])).metrics
    assert metrics == {"uplift_contacts": 0.0}


def test_messages_ahead_are_those_sent_after_the_day_and_within_the_horizon():
    events = pd.DataFrame(
        [
            ("k1", "sent", datetime(2025, 3, 1, 10)),
            ("k2", "sent", datetime(2025, 3, 2, 10)),
            ("k2", "opened", datetime(2025, 3, 3, 10)),
            ("k3", "held_out", datetime(2025, 3, 2, 10)),
            ("k4", "sent", datetime(2025, 3, 11, 10)),
            ("k5", "sent", datetime(2025, 3, 12, 10)),
        ],
        columns=["contact_id", "event", "at"],
    )
    truth = pd.DataFrame(
        {
            "contact_id": [f"k{n}" for n in range(1, 6)],
            "person_id": list("ABCDE"),
            "potential": [0.1, 0.2, 0.3, 0.4, 0.5],
        }
    )
    sent = messages_ahead(events, true_contacts=truth, as_of=date(2025, 3, 1), days=10)
    assert sent["person_id"].to_list() == ["B", "D"]
    assert sent["potential"].to_list() == [0.2, 0.4]
    assert sent["day"].to_list() == [pd.Timestamp(2025, 3, 2), pd.Timestamp(2025, 3, 11)]


# --- dissatisfaction ---


def test_dissatisfaction_by_what_the_words_show():
    told = pd.DataFrame(
        {
            "shown": ["furious", "annoyed", "neutral", "neutral", "pleased", None],
            "dissatisfied": [True, True, True, False, False, True],
        }
    )
    ceiling = dissatisfaction_ceiling(told)
    # Of six pairs, one is tied: the two neutral ones.
    assert ceiling.metrics["dissatisfaction_auc"] == pytest.approx(5.5 / 6)
    assert ceiling.metrics["conversations"] == 5
    assert ceiling.table["shown"].to_list() == ["pleased", "neutral", "annoyed", "furious"]
    assert ceiling.table["dissatisfied"].to_list() == [0.0, 0.5, 1.0, 1.0]
    relation = duckdb.from_arrow(pa.Table.from_pandas(told))
    assert dissatisfaction_ceiling(relation).metrics == ceiling.metrics


def test_dissatisfaction_needs_both_kinds():
    told = pd.DataFrame({"shown": ["neutral"], "dissatisfied": [False]})
    assert "dissatisfaction_auc" not in dissatisfaction_ceiling(told).metrics
    assert dissatisfaction_ceiling(told.iloc[:0]).metrics == {"conversations": 0.0}
