from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.linkage.golden import FIELD_RULES, build_golden_record

AS_OF = date(2025, 12, 31)
TRUST = ["crm", "web", "till"]


def build(rows: list[dict], *, customers: list[str] | None = None, as_of: date = AS_OF):
    people = pd.DataFrame(rows)
    people["source_id"] = [str(i) for i in range(len(rows))]
    people["updated_at"] = pd.to_datetime(people["updated_at"])
    linked = people[["source", "source_id"]].assign(
        customer_id=customers or ["c1"] * len(rows), has_person_record=True
    )
    golden, provenance = build_golden_record(people, linked, source_trust=TRUST, as_of=as_of)
    return golden.to_pandas(), provenance.to_pandas().set_index(["customer_id", "field"])


def test_a_name_is_what_most_records_say_then_the_most_trusted():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2020-01-01", "last_name": "Dupond"},
            {"source": "till", "updated_at": "2025-01-01", "last_name": "Dupont"},
            {"source": "web", "updated_at": "2024-01-01", "last_name": "DUPONT"},
        ]
    )
    assert golden["last_name"][0] == "DUPONT"
    assert told.loc[("c1", "last_name"), "rule"] == "most records agree"
    assert told.loc[("c1", "last_name"), "runner_up"] == "Dupond"
    assert told.loc[("c1", "last_name"), "candidates"] == 2
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2020-01-01", "last_name": "Dupond"},
            {"source": "till", "updated_at": "2025-01-01", "last_name": "Dupont"},
        ]
    )
    assert golden["last_name"][0] == "Dupond"
    assert told.loc[("c1", "last_name"), "rule"] == "most trusted source"


def test_an_initial_gives_way_to_a_name():
    golden, told = build(
        [
            {"source": "crm", "updated_at": "2025-01-01", "first_name": "J"},
            {"source": "crm", "updated_at": "2025-01-02", "first_name": "J"},
            {"source": "till", "updated_at": "2020-01-01", "first_name": "Jeanne"},
        ]
    )
    assert golden["first_name"][0] == "Jeanne"
    assert told.loc[("c1", "first_name"), "rule"] == "complete value"


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


def test_an_address_moves_as_one():
    golden, told = build(
        [
            {
                "source": "crm",
                "updated_at": "2021-01-01",
                "street": "1 rue A",
                "postcode": "75001",
                "city": "Paris",
                "country": "FR",
            },
            {
                "source": "web",
                "updated_at": "2024-01-01",
                "street": "2 rue B",
                "postcode": "69001",
                "city": "Lyon",
                "country": None,
            },
            {
                "source": "till",
                "updated_at": "2025-01-01",
                "street": None,
                "postcode": "13001",
                "city": None,
                "country": None,
            },
        ]
    )
    assert golden.loc[0, ["street", "postcode", "city"]].tolist() == ["2 rue B", "69001", "Lyon"]
    assert pd.isna(golden["country"][0])
    fields = told.loc["c1"].reindex(["street", "postcode", "city"])
    assert fields["source"].eq("web").all()
    assert fields["runner_up"].tolist() == ["1 rue A", "75001", "Paris"]
    assert ("c1", "country") not in told.index


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
