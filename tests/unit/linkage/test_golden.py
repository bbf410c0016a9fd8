from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.golden import build_golden_record
from customer360.linkage.golden_rules import FIELD_RULES, ORDERS, rules_table

AS_OF = date(2025, 12, 31)
TRUST = ["crm", "web", "till"]


def build(
    rows: list[dict],
    *,
    customers: list[str] | None = None,
    as_of: date = AS_OF,
    contacts: list[dict] | None = None,
):
    people = pd.DataFrame(rows)
    people["source_id"] = [str(i) for i in range(len(rows))]
    people["updated_at"] = pd.to_datetime(people["updated_at"])
    linked = people[["source", "source_id"]].assign(
        customer_id=customers or ["c1"] * len(rows), has_person_record=True
    )
    sent = None
    if contacts is not None:
        sent = pa.Table.from_pylist(contacts, schema=arrow_schema(CONTRACTS["staged.contacts"]))
    golden, provenance = build_golden_record(
        people, linked, source_trust=TRUST, as_of=as_of, contacts=sent
    )
    return golden.to_pandas(), provenance.to_pandas().set_index(["customer_id", "field"])


def test_a_name_is_what_most_records_say_then_the_last_one_written():
    rows = [
        {"source": "crm", "updated_at": "2025-06-01", "last_name": "Dupond"},
        {"source": "till", "updated_at": "2024-01-01", "last_name": "Dupont"},
        {"source": "web", "updated_at": "2024-01-01", "last_name": "DUPONT"},
    ]
    golden, told = build(rows)
    assert golden["last_name"][0].lower() == "dupont"
    assert told.loc[("c1", "last_name"), "rule"] == "most records agree"
    assert told.loc[("c1", "last_name"), "runner_up"] == "Dupond"
    assert told.loc[("c1", "last_name"), "runner_up_source"] == "crm"
    assert told.loc[("c1", "last_name"), "candidates"] == 2
    golden, told = build(rows[:2])
    assert golden["last_name"][0] == "Dupond"
    assert told.loc[("c1", "last_name"), "rule"] == "freshest record"


def test_of_the_spellings_of_a_name_the_accented_one_is_kept():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "first_name": "JEROME"},
            {"source": "crm", "updated_at": "2025-01-02", "first_name": "Jerome"},
            {"source": "till", "updated_at": "2020-01-01", "first_name": "Jérôme"},
        ]
    )
    assert golden["first_name"][0] == "Jérôme"
    assert told.loc[("c1", "first_name"), "source"] == "till"
    assert told.loc[("c1", "first_name"), "rule"] == "all records agree"
    assert not told.loc[("c1", "first_name"), "completed"]


def test_a_name_without_accents_is_spelt_as_those_do_who_write_them():
    rows = [{"source": "web", "updated_at": "2025-01-01", "first_name": "Jérôme"}] * 3
    rows += [{"source": "web", "updated_at": "2025-01-01", "first_name": "Marc"}] * 3
    rows += [{"source": "till", "updated_at": "2025-01-01", "first_name": n}
             for n in ("Jerome", "Marc")]  # fmt: skip
    golden, told = build(rows, customers=[f"c{i}" for i in range(8)])
    assert golden["first_name"].tolist()[-2:] == ["Jérôme", "Marc"]
    assert told.loc[("c6", "first_name"), "completed"]
    assert told.loc[("c6", "first_name"), "rule"] == "usual spelling of the name"
    assert not told.loc[("c7", "first_name"), "completed"]


def test_names_in_each_others_field_change_places():
    names = [("Paul", "Durand")] * 4 + [("Durand", "Paul")]
    rows = [{"source": "crm", "updated_at": "2025-01-01", "first_name": f, "last_name": n}
            for f, n in names]  # fmt: skip
    golden, _ = build(rows, customers=[f"c{i}" for i in range(5)])
    assert golden["first_name"].tolist() == ["Paul"] * 5
    assert golden["last_name"].tolist() == ["Durand"] * 5


def test_an_initial_and_a_short_form_give_way_to_a_name():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "first_name": "J"},
            {"source": "crm", "updated_at": "2025-01-02", "first_name": "J"},
            {"source": "till", "updated_at": "2020-01-01", "first_name": "Jeanne"},
        ]
    )
    assert golden["first_name"][0] == "Jeanne"
    assert told.loc[("c1", "first_name"), "rule"] == "the other is an initial"
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "first_name": "Caro"},
            {"source": "crm", "updated_at": "2025-01-02", "first_name": "Caro"},
            {"source": "till", "updated_at": "2020-01-01", "first_name": "Caroline"},
        ]
    )
    assert golden["first_name"][0] == "Caroline"
    assert told.loc[("c1", "first_name"), "rule"] == "the other is a short form"


def test_a_title_goes_with_the_first_name():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "first_name": "Anne", "title": None},
            {"source": "web", "updated_at": "2025-01-01", "first_name": "Anne", "title": "Mme"},
            {"source": "crm", "updated_at": "2025-01-02", "first_name": "Paul", "title": "M"},
        ]
    )
    assert golden.loc[0, ["title", "first_name"]].tolist() == ["Mme", "Anne"]
    assert told.loc[("c1", "title"), "rule"] == "the other is of another first name"


def test_a_default_birth_date_ranks_last():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "birth_date": date(1980, 1, 1)},
            {"source": "crm", "updated_at": "2025-01-01", "birth_date": date(1980, 1, 1)},
            {"source": "till", "updated_at": "2020-01-01", "birth_date": date(1980, 5, 3)},
        ]
    )
    assert golden["birth_date"][0] == date(1980, 5, 3)
    assert told.loc[("c1", "birth_date"), "rule"] == "the other is 1 January, a default"


def message(source_id: str, event: str, at: str, **more) -> dict:
    return {
        "contact_id": f"{source_id}{at}{event}",
        "source": "crm",
        "source_id": source_id,
        "channel": "email",
        "at": pd.Timestamp(at),
        "event": event,
        **more,
    }


def test_what_bounced_or_is_anothers_ranks_last():
    rows = [
        {"source": "crm", "updated_at": "2025-01-01", "email": "new@x.fr", "first_name": "Ann"},
        {"source": "crm", "updated_at": "2020-01-01", "email": "old@x.fr", "first_name": "Ann"},
    ]
    assert build(rows)[0]["email"][0] == "new@x.fr"
    bounce = message("0", "bounced", "2025-06-01", reason="adresse inconnue")
    golden, told = build(rows, contacts=[bounce])
    assert golden["email"][0] == "old@x.fr"
    assert told.loc[("c1", "email"), "rule"] == "the other is bounced"
    # Two records of somebody else hold it: it is theirs, unless it spells the first name.
    other = {"source": "web", "updated_at": "2025-01-01", "email": "new@x.fr"}
    golden, told = build([*rows, other, other], customers=["c1", "c1", "c2", "c2"])
    assert golden["email"].tolist() == ["old@x.fr", "new@x.fr"]
    assert told.loc[("c1", "email"), "rule"] == "the other is another customer's"
    rows[0]["email"] = other["email"] = "ann.lee@x.fr"
    golden, _ = build([*rows, other, other], customers=["c1", "c1", "c2", "c2"])
    assert golden["email"].tolist() == ["ann.lee@x.fr", "ann.lee@x.fr"]


def test_an_unsubscription_yields_only_to_a_record_opened_after_it():
    stop = message("0", "unsubscribed", "2025-03-01")
    old = {
        "source": "crm",
        "created_at": pd.Timestamp("2020-01-01"),
        "updated_at": "2025-09-01",
        "consent_email": True,
        "consent_sms": True,
    }
    golden, told = build([old], contacts=[stop])
    assert not golden["consent_email"][0] and golden["consent_sms"][0]
    assert told.loc[("c1", "consent_email"), "rule"] == "unsubscribed"
    assert told.loc[("c1", "consent_email"), "updated_at"] == pd.Timestamp("2025-03-01")
    new = {**old, "source": "web", "created_at": pd.Timestamp("2025-05-01")}
    golden, told = build([old, new], contacts=[stop])
    assert golden["consent_email"][0]
    assert told.loc[("c1", "consent_email"), "source"] == "web"


def test_gaps_are_completed_and_marked():
    there = {"source": "crm", "updated_at": "2020-01-01", "postcode": "69001", "city": "Lyon",
             "street": "1 rue A", "first_name": "Anne", "title": "Mme"}  # fmt: skip
    gap = {"source": "till", "updated_at": "2020-01-01", "postcode": "69001", "first_name": "Anne"}
    golden, told = build([there] * 10 + [gap], customers=[f"c{i:02}" for i in range(11)])
    assert golden.iloc[-1][["city", "title"]].tolist() == ["Lyon", "Mme"]
    assert told.loc[("c10", "city"), "rule"] == "town of the postcode"
    assert told.loc["c10"]["completed"].to_dict() == {
        "city": True, "first_name": False, "postcode": False, "title": True
    }  # fmt: skip
    assert not told.loc["c00", "completed"].any()


def test_the_rules_that_are_shown_are_those_that_decide():
    assert {name for rule in FIELD_RULES for name in rule.order} <= set(ORDERS)
    shown = rules_table()
    assert len(shown) == len(FIELD_RULES)
    assert shown["rules in order"].str.startswith("valid").all()


def test_a_contact_point_is_the_freshest_and_the_future_makes_nothing_fresher():
    rows = [
        {"source": "crm", "updated_at": "2024-01-01", "phone": "+33611111111"},
        {"source": "till", "updated_at": "2025-01-01", "phone": "+33622222222"},
    ]
    golden, told = build(rows)
    assert golden["phone"][0] == "+33622222222"
    assert told.loc[("c1", "phone"), "rule"] == "freshest record"
    rows = [{**rows[0], "updated_at": "2025-12-31 20:00"}, {**rows[1], "updated_at": "2031-01-01"}]
    rows[0]["updated_at"] = "2026-05-05"
    golden, told = build(rows)
    assert golden["phone"][0] == "+33611111111"
    assert told.loc[("c1", "phone"), "rule"] == "most trusted source"


def test_an_address_moves_as_one_in_its_fullest_writing():
    rows = [
        {"source": "crm", "updated_at": "2021-01-01", "street": "1 rue A", "postcode": "75001",
         "city": "Paris", "country": "FR"},
        {"source": "web", "updated_at": "2023-01-01", "street": "Bât. C 2 rue Bel Air",
         "postcode": "69001", "city": "Lyon"},
        {"source": "web", "updated_at": "2024-01-01", "street": "2 R Bel Air",
         "postcode": "69001"},
    ]  # fmt: skip
    golden, told = build(rows)
    found = golden.loc[0, ["street", "postcode", "city"]].tolist()
    assert found == ["Bât. C 2 rue Bel Air", "69001", "Lyon"]
    fields = told.loc["c1"].reindex(["street", "postcode", "city"])
    assert fields["source_id"].eq("1").all()
    assert fields["runner_up"].tolist() == ["1 rue A", "75001", "Paris"]
    assert golden["country"][0] == "FR"
    assert told.loc[("c1", "country"), "completed"]
    # A newer postcode alone: moved, and the street is not known yet.
    moved = {"source": "till", "updated_at": "2025-01-01", "postcode": "13001"}
    golden, _ = build([*rows, moved])
    assert golden["postcode"][0] == "13001"
    assert golden[["street", "city"]].isna().all(axis=None)


def test_a_company_box_and_a_returned_letter_rank_last():
    home = {"source": "crm", "updated_at": "2020-01-01", "street": "1 rue A", "postcode": "75001"}
    box = {"source": "crm", "updated_at": "2025-01-01", "street": "CS 40512", "postcode": "33042"}
    assert build([home, box])[0]["street"][0] == "1 rue A"
    new = {**home, "updated_at": "2024-01-01", "street": "9 rue B", "postcode": "13001"}
    assert build([home, new])[0]["street"][0] == "9 rue B"
    pnd = message("1", "undeliverable", "2025-01-01", channel="post", reason="PND")
    golden, told = build([home, new], contacts=[pnd])
    assert golden["street"][0] == "1 rue A"
    # A postcode alone does not bring the returned address back.
    bare = {"source": "till", "updated_at": "2024-02-01", "postcode": "13001"}
    assert build([home, new, bare], contacts=[pnd])[0]["street"][0] == "1 rue A"
    assert build([home, new, bare])[0]["street"][0] == "9 rue B"
    assert told.loc[("c1", "street"), "rule"] == "the other is returned by the post office"


def test_the_last_word_on_consent_counts_and_a_refusal_as_fresh_wins():
    golden, told = build(
        [
            {
                "source": "crm",
                "updated_at": "2024-01-01",
                "consent_email": False,
                "consent_sms": True,
                "consent_post": True,
            },
            {
                "source": "web",
                "updated_at": "2025-01-01",
                "consent_email": True,
                "consent_sms": True,
                "consent_post": False,
            },
            {
                "source": "till",
                "updated_at": "2025-01-01",
                "consent_email": None,
                "consent_sms": False,
                "consent_post": None,
            },
        ]
    )
    assert golden["consent_email"][0]
    assert not golden["consent_sms"][0]
    assert not golden["consent_post"][0]
    assert told.loc[("c1", "consent_sms"), "rule"] == "refusal as fresh as the agreement"
    assert told.loc[("c1", "consent_email"), "value"] == "true"


def test_a_refusal_without_a_date_might_be_the_last_word():
    golden, _ = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "consent_email": True},
            {"source": "till", "updated_at": None, "consent_email": False},
        ]
    )
    assert not golden["consent_email"][0]


def test_every_value_has_its_provenance_and_the_contracts_hold():
    people = pd.DataFrame(
        {
            "source": ["crm", "web", "till"],
            "source_id": ["1", "2", "3"],
            "first_name": ["Anne", "Ann", None],
            "birth_date": pd.to_datetime(["1980-01-01", None, "1990-02-02"]),
            "email": ["a@x.fr", "b@x.fr", None],
            "postcode": ["75001", None, "69001"],
            "consent_sms": pd.array([True, None, False], dtype="boolean"),
            "created_at": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"]),
            "updated_at": pd.to_datetime(["2023-01-01", "2024-01-01", "2025-01-01"]),
        }
    )
    linked = pd.DataFrame(
        {
            "source": ["crm", "web", "till", "orders"],
            "source_id": ["1", "2", "3", "9"],
            "customer_id": ["c1", "c1", "c2", "c3"],
            "has_person_record": [True, True, True, False],
        }
    )
    golden, provenance = build_golden_record(people, linked, source_trust={"crm": 2.0}, as_of=AS_OF)
    contract = CONTRACTS["golden_provenance"]
    validate_batch(contract, provenance.cast(arrow_schema(contract)))
    customers = CONTRACTS["customers"]
    types = {f.name: f.type for f in arrow_schema(customers)}
    for field in golden.schema:
        assert pa.types.is_large_string(field.type) or field.type == types[field.name]
    frame = golden.to_pandas()
    # Nobody is lost: who only ordered is a customer without a name.
    assert frame["customer_id"].tolist() == ["c1", "c2", "c3"]
    assert frame["records"].tolist() == [2, 1, 1]
    assert frame["sources"].tolist() == ["crm;web", "till", "orders"]
    assert frame["created_at"][0] == pd.Timestamp("2020-01-01")
    assert frame["updated_at"][0] == pd.Timestamp("2024-01-01")
    fields = [field for rule in FIELD_RULES for field in rule.fields]
    filled = frame.set_index("customer_id")[fields].notna().stack()
    told = provenance.to_pandas()
    assert set(filled.index[filled]) == set(zip(told["customer_id"], told["field"], strict=True))
    assert told["rule"].notna().all()


def test_any_order_of_rows_gives_the_same_bytes():
    people = pd.DataFrame(
        {
            "source": ["a", "b", "c"],
            "source_id": ["1", "2", "3"],
            "email": ["x@x.fr", "y@x.fr", "z@x.fr"],
            "updated_at": pd.to_datetime(["2024-01-01"] * 3),
        }
    )
    linked = people[["source", "source_id"]].assign(customer_id="c1", has_person_record=True)
    one = build_golden_record(people, linked, as_of=AS_OF)
    two = build_golden_record(people[::-1], linked[::-1], as_of=AS_OF)
    assert one[0].equals(two[0])
    assert one[1].equals(two[1])


def test_no_people_table():
    linked = pd.DataFrame(
        {"source": ["t"], "source_id": ["1"], "customer_id": ["c1"], "has_person_record": [False]}
    )
    golden, provenance = build_golden_record(None, linked, as_of=AS_OF)
    assert golden.num_rows == 1
    assert provenance.num_rows == 0
