from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from customer360.cleaning.people import (
    fold,
    standardise_city,
    standardise_country,
    standardise_email,
    standardise_name,
    standardise_people,
    standardise_phone,
    standardise_postcode,
    standardise_street,
    standardise_title,
)
from customer360.contracts import CONTRACTS, arrow_schema, validate_batch


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  jean-pierre ", "Jean-Pierre"),
        ("DE LA  TOUR", "de La Tour"),
        ("D’ARCY", "d'Arcy"),
        ("o'brien", "O'Brien"),
        ("McDonald", "McDonald"),
        ("Le Goff", "Le Goff"),
        ("ÉLOÏSE", "Éloïse"),
        ("FranÃ§ois", "François"),
        ("Mme Claire DUPONT", "Claire Dupont"),
        ("j.", "J"),
        ("Non", "Non"),
    ],
)
def test_names_keep_particles_hyphens_apostrophes_and_accents(given, kept):
    assert standardise_name(given)[0] == kept


@pytest.mark.parametrize("given", ["inconnu", "TEST", "n/a", "123456", "a@b.fr", "??"])
def test_what_is_no_name_is_emptied_with_a_reason(given):
    value, _, reason = standardise_name(given)
    assert value is None
    assert reason


def test_an_empty_text_is_missing_not_wrong():
    for rule in (standardise_name, standardise_email, standardise_phone, standardise_street):
        assert rule("   ") == (None, "", "")


def test_titles():
    assert [standardise_title(t)[0] for t in ("MR", "Monsieur", "m.", "Mlle", "MADAME")] == [
        "M",
        "M",
        "M",
        "Mme",
        "Mme",
    ]
    assert standardise_title("M. et Mme")[2]


@pytest.mark.parametrize(
    ("given", "kept", "flag"),
    [
        ("Jean.DUPONT@Gmail.com", "jean.dupont@gmail.com", ""),
        ("jean@gmial.com", "jean@gmail.com", "email_domain_repaired"),
        ("jean@gmail.con", "jean@gmail.com", "email_domain_repaired"),
        ("jean@orange.f", "jean@orange.fr", "email_domain_repaired"),
        ("contact@mairie.fr", "contact@mairie.fr", "email_role"),
        ("jean @hotmail,fr", "jean@hotmail.fr", ""),
        # Real neighbours of popular domains are not slips.
        ("jean@ymail.com", "jean@ymail.com", ""),
        ("jean@hotmail.be", "jean@hotmail.be", ""),
    ],
)
def test_emails(given, kept, flag):
    assert standardise_email(given) == (kept, flag, "")


@pytest.mark.parametrize("given", ["jean", "a..b@x.fr", "jean@localhost", "@x.fr", "test@test.fr"])
def test_emails_that_cannot_be_are_emptied(given):
    value, _, reason = standardise_email(given)
    assert value is None
    assert "e-mail" in reason


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("06 12 34 56 79", "+33612345679"),
        ("+33 (0)6.12.34.56.79", "+33612345679"),
        ("0033612345679", "+33612345679"),
        ("33612345679", "+33612345679"),
        ("612345679.0", "+33612345679"),
        ("0262 41 23 45", "+262262412345"),
        ("0692 12 34 56", "+262692123456"),
        ("0596 71 23 45", "+596596712345"),
        ("+33596712345", "+596596712345"),
        ("+596596712345", "+596596712345"),
        ("0590 81 23 45", "+590590812345"),
        ("0594 29 12 34", "+594594291234"),
        ("+32 475 12 34 56", "+32475123456"),
    ],
)
def test_phones_of_france_and_overseas_have_one_form(given, kept):
    assert standardise_phone(given)[0] == kept


def test_an_extension_is_not_dialled():
    assert standardise_phone("01 23 45 67 98 poste 3") == (
        "+33123456798",
        "phone_extension_removed",
        "",
    )


def test_a_phone_follows_the_habits_of_its_country():
    assert standardise_phone("0475 12 34 56", region="BE")[0] == "+32475123456"


@pytest.mark.parametrize(
    "given", ["0600000000", "0612345678", "06 12", "poste central", "0800", "0112"]
)
def test_phones_that_cannot_be_or_are_junk_are_emptied(given):
    assert standardise_phone(given)[0] is None
    assert standardise_phone(given)[2]


def test_postcodes():
    assert standardise_postcode("1000") == ("01000", "postcode_zero_restored", "")
    assert standardise_postcode("75001.0")[0] == "75001"
    assert standardise_postcode("F-75 001")[0] == "75001"
    assert standardise_postcode("75012 CEDEX 12")[0] == "75012"
    assert standardise_postcode("97400")[0] == "97400"
    assert standardise_postcode("99123")[2]
    assert standardise_postcode("7500")[0] == "07500"
    assert standardise_postcode("1000", region="BE")[0] == "1000"


def test_places():
    assert standardise_city("ST-ETIENNE")[0] == "Saint-Etienne"
    assert standardise_city("aix-en-provence")[0] == "Aix-en-Provence"
    assert standardise_city("LA ROCHELLE")[0] == "La Rochelle"
    assert standardise_city("PARIS CEDEX 12")[0] == "Paris"
    assert standardise_street("12BIS, AV. DU GAL LECLERC")[0] == "12 bis avenue du Général Leclerc"
    assert standardise_street("14b r. de la paix")[0] == "14 B rue de la Paix"
    assert standardise_street("bd st germain")[0] == "boulevard Saint Germain"
    assert standardise_country("Réunion")[0] == "RE"
    assert standardise_country("France")[0] == "FR"
    assert standardise_country("Ruritania")[2]


def test_fold():
    assert fold("  Jean-FRANÇOIS d'Œuvre ") == "jean francois d oeuvre"


def people(**columns) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    base = {"source": ["crm"] * size, "source_id": [str(i) for i in range(size)]}
    return pd.DataFrame({**base, **columns})


def test_rows_keep_their_order_and_the_contracts_hold():
    raw = people(
        first_name=["ANNE", None],
        email=["anne@gmial.com", "nope"],
        birth_date=[date(1980, 1, 2), None],
        consent_email=[True, None],
        updated_at=[pd.Timestamp("2024-01-01"), None],
    )
    before = raw.copy(deep=True)
    staged, emptied = standardise_people(raw, country="FR")
    pd.testing.assert_frame_equal(raw, before)
    assert staged["source_id"].tolist() == ["0", "1"]
    assert staged["flags"].tolist()[0] == "email_domain_repaired"
    assert staged["flags"].tolist()[1] == "email_emptied"
    for name, frame in (("staged.people", staged), ("quarantine_values", emptied)):
        contract = CONTRACTS[name]
        table = pa.Table.from_pandas(frame, schema=arrow_schema(contract), preserve_index=False)
        validate_batch(contract, table)
    assert emptied.to_dict("records") == [
        {
            "table": "people",
            "source": "crm",
            "source_id": "1",
            "field": "email",
            "value": "nope",
            "reason": "not an e-mail address: no name or no domain around an @",
        }
    ]


def test_nothing_is_lost_without_a_line_in_the_quarantine():
    raw = people(
        first_name=["Ann", "test", "xxx"],
        phone=["0612345679", "0600000000", "abc"],
        postcode=["75001", "99999", "zz"],
        birth_date=["1980-02-03", "1900-01-01", "not a date"],
    )
    staged, emptied = standardise_people(raw, country="FR", as_of=date(2025, 12, 31))
    for field in ("first_name", "phone", "postcode", "birth_date"):
        lost = raw[field].notna() & staged[field].isna()
        assert lost.sum() == (emptied["field"] == field).sum() == 2


def test_birth_dates_are_judged_by_the_date_of_the_record():
    raw = people(
        birth_date=["2020-06-01", "2020-06-01", "1890-05-05", "1950-05-05"],
        updated_at=pd.to_datetime(["2019-01-01", "2024-01-01", "2024-01-01", None]),
    )
    staged, emptied = standardise_people(raw, as_of=date(2025, 12, 31))
    assert staged["birth_date"].notna().tolist() == [False, True, False, True]
    assert emptied["reason"].tolist() == [
        "born after the record was written",
        "more than 110 years old",
    ]


def test_junk_is_found_from_the_data():
    names = ["Martin", "Bernard", "Dubois", "Petit", "Roux", "Leroy", "Morel"]
    shared = people(last_name=names, email=["magasin@boutique.fr"] * 7, phone=["0145678912"] * 7)
    staged, emptied = standardise_people(shared)
    assert staged["email"].isna().all()
    assert staged["phone"].isna().all()
    assert emptied["reason"].str.contains("family names").all()
    family = people(last_name=["Martin"] * 7, email=["martin@boutique.fr"] * 7)
    assert standardise_people(family)[0]["email"].notna().all()


def test_a_birth_date_that_a_form_fills_in_is_emptied():
    dates = [f"{1950 + i % 50}-03-{1 + i % 28:02d}" for i in range(300)] + ["1970-01-01"] * 40
    staged, emptied = standardise_people(people(birth_date=dates))
    assert staged["birth_date"].notna().sum() == 300
    assert set(emptied["value"]) == {"1970-01-01"}


def test_a_table_without_its_key_is_refused():
    with pytest.raises(ValueError, match="source_id"):
        standardise_people(pd.DataFrame({"source": ["crm"]}))


def test_no_row_at_all():
    staged, emptied = standardise_people(people(email=[]))
    assert len(staged) == len(emptied) == 0
    assert staged.columns.tolist() == CONTRACTS["staged.people"].column_names
