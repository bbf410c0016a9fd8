"""Every file loads back, obeys consent, holds its trap and is told of in the manifest."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from hashlib import sha256

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customer360.contracts import CONTRACTS, DIRECT
from customer360.handoff.files import (
    CampaignFacts,
    CampaignFiles,
    altered_files,
    neutralise,
    prepare_campaign,
)
from customer360.handoff.platforms import google_customer_match, meta_custom_audience
from customer360.handoff.traps import HandoffError, TrapPoints, find_leak, keyed_hash
from customer360.storage import write_folder

KEY = b"0123456789abcdef"
PARTNER = b"fedcba9876543210"
POINTS = TrapPoints("traps.example.com", "1 rue du Port", "44000", "Nantes", ("+33240000001",))
FACTS = CampaignFacts(
    campaign_id="spring-2026",
    population="customers who left in autumn",
    made_on=date(2026, 3, 1),
    expires_on=date(2026, 3, 29),
    models={"churn": {"version": 3, "link": "models:/churn/3"}},
    thresholds={"gain_at_least": 0.5},
    expected={"incremental_margin": 1234.5},
)


@pytest.fixture
def customers() -> pd.DataFrame:
    ids = [f"c{number:012}" for number in range(6)]
    consents = {f"consent_{c}": [True, True, True, True, None, False] for c in DIRECT}
    return pd.DataFrame(
        {
            "customer_id": ids,
            "title": ["Mme", "M", None, "Mme", "M", "M"],
            "first_name": ["Zoé", "Léon", "Ada", "=1+1", "Max", "Guy"],
            "last_name": ["D’Orsay", "Le Goff", "Roy", 'Blin, dit "Bob"', "Pic", "Bon"],
            "email": [f"p{number}@example.fr" for number in range(6)],
            "phone": [f"+3361245789{number}" for number in range(6)],
            "street": ["12 rue de la Paix, étage 2"] * 6,
            "postcode": ["97400", "75001", "44000", "1000", "75002", "75003"],
            "city": ["Saint-Denis", "Paris", "Nantes", "Bruxelles", "Paris", "Paris"],
            "country": ["RE", "FR", None, "BE", "FR", "FR"],
            "consent_third_party": [True, True, False, None, True, False],
            **consents,
        }
    )


def plan(customers: pd.DataFrame, channels: tuple[str, ...] = DIRECT) -> pd.DataFrame:
    ids = customers["customer_id"].head(4).tolist()
    return pd.DataFrame(
        [(one, channel, "offer-1", 5.0) for channel in channels for one in ids],
        columns=["customer_id", "channel", "offer_id", "amount"],
    )


@pytest.fixture
def made(customers) -> CampaignFiles:
    ids = customers["customer_id"]
    return prepare_campaign(
        facts=FACTS,
        plan=plan(customers, (*DIRECT, "web", "store")),
        customers=customers,
        control=pd.DataFrame({"customer_id": ids.tail(1), "goal": "win-back"}),
        points=POINTS,
        key=KEY,
        ads=pd.DataFrame(
            {"customer_id": [*ids.head(2), ids[4]] * 2, "platform": ["google"] * 3 + ["meta"] * 3}
        ),
        rental=pd.DataFrame({"customer_id": ids.head(2), "segment": ["loyal", "-new"]}),
        rental_key=PARTNER,
    )


def load(made: CampaignFiles, name: str) -> pd.DataFrame:
    content = io.BytesIO(made.files[name])
    return pd.read_csv(content, dtype="str", keep_default_na=False)


def trap(made: CampaignFiles, file: str, kind: str) -> str:
    rows = made.traps[(made.traps["file"] == file) & (made.traps["kind"] == kind)]
    assert len(rows) == 1
    return rows["value"].iloc[0]


CSV = ("email.csv", "sms.csv", "phone.csv", "post.csv")
LISTS = (*CSV, "web.jsonl", "store.jsonl", "google.csv", "meta.csv", "rental.csv", "control.csv")


def test_there_is_a_file_for_each_tool_and_a_manifest(made):
    assert set(made.files) == {*LISTS, "manifest.json"}


@pytest.mark.parametrize("name", CSV)
def test_a_channel_file_loads_back_whole(made, customers, name):
    read = list(csv.DictReader(io.StringIO(made.files[name].decode("utf-8"))))
    ids = [row["customer_id"] for row in read]
    assert set(ids) - {trap(made, name, "id")} == set(customers["customer_id"].head(4))
    assert ids == sorted(ids)
    assert {row["offer_id"] for row in read} == {"offer-1"}
    assert {row["amount"] for row in read} == {"5.0"}
    if name != "post.csv":
        point = "email" if name == "email.csv" else "phone"
        by_id = customers.set_index("customer_id")
        for row in read:
            if row["customer_id"] in by_id.index:
                assert row[point] == by_id.loc[row["customer_id"], point]
                assert row["last_name"] == by_id.loc[row["customer_id"], "last_name"]


def test_letters_bear_the_lines_of_the_norm_and_a_country_abroad_only(made):
    post = load(made, "post.csv").set_index("customer_id")
    assert post.loc["c000000000000", "line_1":"country"].tolist() == [
        "MME ZOE D ORSAY", "ETAGE 2", "", "12 RUE DE LA PAIX", "", "97400 SAINT DENIS", "",
    ]  # fmt: skip
    assert post["country"].sort_values().tolist() == ["", "", "", "", "BE"]


def test_a_formula_is_text_in_files_that_people_open(made):
    assert load(made, "email.csv").set_index("customer_id").loc["c000000000003", "first_name"] == (
        "'=1+1"
    )
    assert sorted(set(load(made, "rental.csv")["segment"])) == ["'-new", "loyal"]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "+33 6 12"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(cell):
    table = pd.DataFrame({"text": [cell, "plain", None]})
    assert neutralise(table)["text"].tolist()[:2] == ["'" + cell, "plain"]
    assert neutralise(table)["text"].isna().tolist() == [False, False, True]
    assert table["text"].tolist()[:2] == [cell, "plain"]


def test_numbers_and_telephones_stay_what_they_are():
    table = pd.DataFrame({"gain": [-1.5], "phone": ["+33612457890"], "day": [date(2026, 3, 1)]})
    assert neutralise(table).iloc[0].tolist() == [-1.5, "+33612457890", date(2026, 3, 1)]


def test_json_lines_load_back_and_name_nobody(made, customers):
    rows = [json.loads(line) for line in made.files["web.jsonl"].decode("utf-8").splitlines()]
    assert {row["customer_id"] for row in rows} == {
        *customers["customer_id"].head(4), trap(made, "web.jsonl", "id"),
    }  # fmt: skip
    assert all(set(row) == {"customer_id", "offer_id", "amount"} for row in rows)
    assert {row["amount"] for row in rows} == {5.0}


@pytest.mark.parametrize(
    ("name", "make", "email"),
    [("google.csv", google_customer_match, "Email"), ("meta.csv", meta_custom_audience, "email")],
)
def test_an_audience_holds_hashes_of_those_who_agreed_and_of_its_trap(
    made, customers, name, make, email
):
    file = load(made, name)
    agreed = make(customers.iloc[[0, 1, 4]])
    assert set(agreed[email]) | {trap(made, name, "hash")} == set(file[email])
    assert len(file) == 4 and list(file.columns) == list(agreed.columns)
    assert file[email].str.fullmatch("[0-9a-f]{64}").all()
    assert b"example" not in made.files[name] and b"'" not in made.files[name]
    assert sha256(trap(made, name, "email").encode()).hexdigest() == trap(made, name, "hash")


def test_a_rental_file_holds_pseudonyms_only(made, customers):
    file = load(made, "rental.csv")
    ids = customers["customer_id"].head(2)
    assert set(file["pseudonym"]) == {
        *(keyed_hash(one, key=PARTNER) for one in ids), trap(made, "rental.csv", "pseudonym"),
    }  # fmt: skip
    assert list(file.columns) == ["pseudonym", "segment"]
    assert not any(one.encode() in made.files["rental.csv"] for one in ids)


@pytest.mark.parametrize("name", LISTS)
def test_every_file_holds_a_trap_of_its_own_that_names_it(made, name):
    values = made.traps[made.traps["file"] == name]
    text = made.files[name].decode("utf-8")
    shown = values[values["kind"].isin(["id", "hash", "pseudonym"])]["value"]
    assert len(shown) == 1
    assert shown.iloc[0] in text
    for value in values[values["kind"] != "phone"]["value"]:
        assert find_leak(made.traps, address=value)["file"].tolist() == [name]
        assert not any(value in made.files[other].decode() for other in LISTS if other != name)


def test_the_folder_says_nothing_of_its_traps(made):
    assert "trap" not in made.files["manifest.json"].decode("utf-8").lower()


def test_a_trap_looks_like_a_row_of_its_file(made):
    email = load(made, "email.csv").set_index("customer_id")
    row = email.loc[trap(made, "email.csv", "id")]
    assert row["offer_id"] == "offer-1"
    assert row["email"] == trap(made, "email.csv", "email")
    assert f"{row['first_name']} {row['last_name']}" == trap(made, "email.csv", "name")


def test_the_manifest_tells_counts_hashes_models_and_expiry(made):
    manifest = json.loads(made.files["manifest.json"])
    assert manifest["customers_contacted"] == 4
    assert manifest["customers_in_control"] == 1
    assert (manifest["made_on"], manifest["expires_on"]) == ("2026-03-01", "2026-03-29")
    assert manifest["models"]["churn"]["version"] == 3
    assert manifest["thresholds"] == {"gain_at_least": 0.5}
    assert manifest["expected"] == {"incremental_margin": 1234.5}
    assert manifest["population"] == FACTS.population
    assert set(manifest["files"]) == set(LISTS)
    for name, told in manifest["files"].items():
        assert told["sha256"] == sha256(made.files[name]).hexdigest()
    assert manifest["files"]["email.csv"]["rows"] == len(load(made, "email.csv")) == 5


def test_a_file_that_was_changed_or_lost_is_noticed(made):
    assert altered_files(made.files) == []
    changed = {**made.files, "email.csv": made.files["email.csv"] + b" "}
    del changed["sms.csv"]
    assert altered_files(changed) == ["email.csv", "sms.csv"]


def test_the_written_folder_loads_back(made, tmp_path):
    folder = tmp_path / "data" / "handoff" / "spring-2026"
    write_folder(folder, made.files)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made.files


def test_the_same_tables_give_the_same_bytes_in_any_order(made, customers):
    ids = customers["customer_id"]
    small = {
        "facts": FACTS, "control": pd.DataFrame({"customer_id": []}), "points": POINTS, "key": KEY,
    }  # fmt: skip
    rows = plan(customers).assign(amount=lambda t: range(len(t)))
    one = prepare_campaign(plan=rows, customers=customers, **small)
    before = rows.copy(), customers.copy()
    two = prepare_campaign(plan=rows, customers=customers[::-1], **small)
    assert one.files == two.files and len(ids) == 6
    pd.testing.assert_frame_equal(rows, before[0])
    pd.testing.assert_frame_equal(customers, before[1])


# --- what is refused ---


def refused(customers: pd.DataFrame, **changes) -> str:
    arguments = {
        "facts": FACTS,
        "plan": plan(customers),
        "customers": customers,
        "control": pd.DataFrame({"customer_id": []}),
        "points": POINTS,
        "key": KEY,
        **changes,
    }
    with pytest.raises(HandoffError) as error:
        prepare_campaign(**arguments)
    message = str(error.value)
    personal = {
        str(value)
        for name in CONTRACTS["customers"].personal_columns
        if name in customers
        for value in customers[name].dropna()
        if len(str(value)) > 3
    }
    assert not any(value in message for value in personal)
    return message


@pytest.mark.parametrize("channel", DIRECT)
@pytest.mark.parametrize("who", [4, 5])
def test_a_list_never_holds_a_refusal_or_an_unknown_consent(customers, channel, who):
    row = pd.DataFrame({"customer_id": [customers["customer_id"][who]], "channel": [channel]})
    message = refused(customers, plan=pd.concat([plan(customers), row]))
    assert f"1 rows without consent_{channel}" in message


FLAG = st.sampled_from([True, False, None])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    consents=st.lists(FLAG, min_size=6, max_size=6),
    partners=st.lists(FLAG, min_size=6, max_size=6),
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([*DIRECT, "web", "google", "meta", "rental"])),
        unique=True,
        max_size=8,
    ),
    held=st.sets(st.integers(0, 5), max_size=2),
)
def test_nothing_comes_out_unless_every_row_may_leave(customers, consents, partners, rows, held):
    ids = customers["customer_id"]
    flags = dict.fromkeys([f"consent_{channel}" for channel in DIRECT], consents)
    people = customers.assign(**flags, consent_third_party=partners)

    def chosen(names: tuple[str, ...], kind: str) -> pd.DataFrame:
        picked = [(ids[who], name) for who, name in rows if name in names]
        return pd.DataFrame(picked, columns=["customer_id", kind])

    may_leave = all(
        name == "web" or (consents if name in DIRECT else partners)[who] is True
        for who, name in rows
    ) and not any(who in held and name != "rental" for who, name in rows)
    arguments = {
        "facts": FACTS, "plan": chosen((*DIRECT, "web"), "channel"), "customers": people,
        "control": pd.DataFrame({"customer_id": [ids[who] for who in held]}, dtype="str"),
        "points": POINTS, "key": KEY, "ads": chosen(("google", "meta"), "platform"),
        "rental": chosen(("rental",), "segment"), "rental_key": PARTNER,
    }  # fmt: skip
    if may_leave:
        written = set(prepare_campaign(**arguments).files)
        assert {name.partition(".")[0] for name in written} - {"manifest"} == {
            *(name for _, name in rows), *(["control"] if held else []),
        }  # fmt: skip
    else:
        with pytest.raises(HandoffError):
            prepare_campaign(**arguments)


@pytest.mark.parametrize("who", [2, 3, 5])
@pytest.mark.parametrize("platform", ["google", "meta"])
def test_an_audience_asks_for_consent_to_partners(customers, who, platform):
    ads = pd.DataFrame({"customer_id": [customers["customer_id"][who]], "platform": [platform]})
    assert "without consent_third_party" in refused(customers, ads=ads)


@pytest.mark.parametrize("who", [2, 3, 5])
def test_a_rental_asks_for_consent_to_partners(customers, who):
    rental = pd.DataFrame({"customer_id": [customers["customer_id"][who]], "segment": ["new"]})
    assert "without consent_third_party" in refused(customers, rental=rental, rental_key=PARTNER)


@pytest.mark.parametrize("column", ["email", "birth_date", "city", "postcode"])
def test_a_rental_is_never_personal(customers, column):
    rental = pd.DataFrame({"customer_id": customers["customer_id"].head(1), column: ["x"]})
    assert f"personal columns: {column}" in refused(customers, rental=rental, rental_key=PARTNER)


def test_whoever_is_in_the_control_group_is_on_no_list(customers):
    control = customers[["customer_id"]].head(1)
    assert "belong to the control group" in refused(customers, control=control)


@pytest.mark.parametrize(
    ("channel", "column"),
    [("email", "email"), ("sms", "phone"), ("phone", "phone"), ("post", "street")],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_row_without_its_contact_point_is_refused(customers, channel, column, value):
    customers.loc[0, column] = value
    assert f"list {channel}: 1 rows lack" in refused(customers, plan=plan(customers, (channel,)))


def test_other_wrong_requests_are_refused(customers):
    stranger = pd.DataFrame({"customer_id": ["c9"], "channel": ["email"]})
    assert "no customer" in refused(customers, plan=stranger)
    assert "no channel" in refused(customers, plan=plan(customers, ("pigeon",)))
    ads = pd.DataFrame({"customer_id": customers["customer_id"].head(1), "platform": ["pigeon"]})
    assert "google, meta" in refused(customers, ads=ads)
    assert "bytes" in refused(customers, key=b"short")
    assert "twice" in refused(pd.concat([customers, customers]), plan=plan(customers))
    rental = customers[["customer_id"]].head(1)
    assert "bytes" in refused(customers, rental=rental)
    twice = pd.concat([rental, rental])
    assert "twice" in refused(customers, rental=twice, rental_key=PARTNER)
    no_phone = TrapPoints("traps.example.com", "1 rue du Port", "44000", "Nantes")
    assert "no telephone number" in refused(customers, points=no_phone)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"campaign_id": "../secret"}, "letters, digits"),
        ({"expires_on": date(2026, 2, 1)}, "expires before"),
        ({"expected": {"margin": float("nan")}}, "no number"),
    ],
)
def test_wrong_facts_are_refused(customers, change, why):
    facts = CampaignFacts(**{**FACTS.__dict__, **change})
    assert why in refused(customers, facts=facts)
