"""Golden vectors: each platform's own rules, and the hashes that Meta publishes."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import pandas as pd
import pytest

from customer360.handoff.platforms import (
    google_customer_match,
    google_email,
    google_first_name,
    google_last_name,
    google_phone,
    hash_values,
    meta_city,
    meta_custom_audience,
    meta_email,
    meta_name,
    meta_phone,
    meta_postcode,
)

# typed, Google, Meta
EMAILS = [
    ("Camille.Roche@Example.FR", "camille.roche@example.fr", "camille.roche@example.fr"),
    ("  zoe@example.fr ", "zoe@example.fr", "zoe@example.fr"),
    # Google's own examples.
    (
        "cloudy.sanfrancisco+shopping@gmail.com",
        "cloudysanfrancisco@gmail.com",
        "cloudy.sanfrancisco+shopping@gmail.com",
    ),
    ("user.name+NYC@Example.com", "user.name+nyc@example.com", "user.name+nyc@example.com"),
    ("J.R.Oy+X.y@GoogleMail.com", "jroy@googlemail.com", "j.r.oy+x.y@googlemail.com"),
    # gmail.com must be the whole domain.
    ("a.b+c@notgmail.com", "a.b+c@notgmail.com", "a.b+c@notgmail.com"),
    ("a.b+c@gmail.com.example.fr", "a.b+c@gmail.com.example.fr", "a.b+c@gmail.com.example.fr"),
    ("Élise@exämple.fr", "élise@exämple.fr", "élise@exämple.fr"),
    ("+tag@gmail.com", "", "+tag@gmail.com"),
    ("no address", "", ""),
]
# typed, E.164
PHONES = [
    ("06 12 45 78 90", "+33612457890"),
    ("+33 (0)6-12-45-78-90", "+33612457890"),
    ("0033612457890", "+33612457890"),
    ("+33612457890", "+33612457890"),
    ("0692 12 34 56", "+262692123456"),
    ("+33692123456", "+262692123456"),
    ("0690 12 34 56", "+590690123456"),
    ("0696123456", "+596696123456"),
    ("+44 844 412 4653", "+448444124653"),
    ("12", ""),
]


@pytest.mark.parametrize(("typed", "google", "meta"), EMAILS)
def test_emails_are_normalised_as_each_platform_does(typed, google, meta):
    assert (google_email(typed), meta_email(typed)) == (google, meta)


@pytest.mark.parametrize(("typed", "e164"), PHONES)
def test_google_hashes_telephones_with_their_plus_sign_and_meta_without(typed, e164):
    assert google_phone(typed) == e164
    assert meta_phone(typed) == e164.lstrip("+")


@pytest.mark.parametrize(
    ("typed", "first", "last", "meta"),
    [
        ("  Zoë ", "zoë", "zoë", "zoë"),
        ("Jean-Loup", "jean-loup", "jeanloup", "jeanloup"),
        ("D’Orsay", "d’orsay", "dorsay", "dorsay"),
        ("LE   GOFF", "le goff", "le goff", "le goff"),
        ("Nœl.", "nœl.", "nœl", "nœl"),
        ("정", "정", "정", "정"),
        (unicodedata.normalize("NFD", "Valéry"), "valéry", "valéry", "valéry"),
    ],
)
def test_names_keep_their_accents(typed, first, last, meta):
    assert (google_first_name(typed), google_last_name(typed), meta_name(typed)) == (
        first,
        last,
        meta,
    )


@pytest.mark.parametrize(
    ("city", "spelt"),
    [
        ("Saint-Étienne", "saintetienne"),
        ("New York", "newyork"),
        ("L’Haÿ-les-Roses", "lhaylesroses"),
    ],
)
def test_towns_for_meta_are_letters_only(city, spelt):
    assert meta_city(city) == spelt


@pytest.mark.parametrize(
    ("code", "spelt"), [("75018", "75018"), ("M1 1AE", "m11ae"), ("1-9", "19")]
)
def test_postcodes_for_meta_have_no_space_and_no_dash(code, spelt):
    assert meta_postcode(code) == spelt


# "Customer Information Parameters" of Meta's documentation, hashes included.
PUBLISHED = [
    (
        "John_Smith@gmail.com",
        meta_email,
        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
    ),
    (
        "+1 (650)555-1212",
        meta_phone,
        "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
    ),
    ("Mary", meta_name, "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
    ("정", meta_name, "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    ("Valéry", meta_name, "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
]


@pytest.mark.parametrize(("typed", "rule", "published"), PUBLISHED)
def test_hashes_are_those_that_meta_publishes(typed, rule, published):
    assert hash_values(pd.Series([typed]), rule).tolist() == [published]


# Made with another program (sha256sum of coreutils).
GOLDEN = {
    "zoe@gmail.com": "b24787333f9bf45f5e6a7779f8ccc2356a2dc8be30758c15146c5301d5cd91a6",
    "zo.e+x@gmail.com": "b411fac2067d4073ecac19b20082294d16f7545f9d676cd8cdaf5810a2f3488e",
    "+262692123456": "b8c73c6007430d654c5a4dd4ac04b572f8fc9d776f3db1a7db3ef0b663d57ceb",
    "262692123456": "f3b941157c63e43700f901e2efd2df41ae317b691036344fbb0bf67ca04e182a",
    "+590690123456": "0939cd05e3b4954457a08a647b1920cb99376dd9b1874ebcf05cae1ffa099278",
    "590690123456": "6cd4d0c3a28c7ea414aeb9ce058d8a9d14727b25460ff081d665b06f7800d9d8",
    "zoé": "33b40fa27aea231a9e9d97095ae040f154f79476742c529966657cbd6c131a61",
    "dorsay": "34b2218648c757598f55ef04d1002eab9a7bfd1bd6b5ff5680d5eeb474966718",
    "97400": "9a1a026b7ef95e1f982e0be6eef25882cdf2ac1afc651135a72f0a03c960f896",
    "saintdenis": "afa17aaf5387aeff2cb8de52218e194fbe05d6b2631f90c21dddbe5f7f46c92f",
    "re": "3ac1ecbd2220c6757eb9f289fee88c4068c6791c5b0affef7644e77adfc97b45",
}


def digest(text: str) -> str:
    return GOLDEN.get(text) or sha256(text.encode("utf-8")).hexdigest()


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "email": ["Zo.e+x@Gmail.com", None, None, None],
            "phone": ["0692 12 34 56", "0690123456", None, None],
            "first_name": ["Zoé", "Jean-Loup", None, "Ada"],
            "last_name": ["D’Orsay", "Le Goff", None, "Roy"],
            "postcode": ["97400", None, "75001", "94035-1234"],
            "city": ["Saint-Denis", "Paris", "Paris", "Ames"],
            "country": ["RE", None, None, "US"],
        }
    )


def test_the_file_for_google_has_its_headers_and_leaves_country_and_postcode_plain(people):
    file = google_customer_match(people)
    assert list(file.columns) == ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]
    zoe = file[file["Email"] != ""].iloc[0]
    assert zoe.tolist() == [
        digest("zoe@gmail.com"),
        digest("+262692123456"),
        digest("zoé"),
        digest("dorsay"),
        "RE",
        "97400",
    ]
    # Without a postcode the names match nothing; without anything there is no row.
    jean = file[file["Phone"] == digest("+590690123456")].iloc[0]
    assert jean.tolist() == ["", digest("+590690123456"), "", "", "", ""]
    assert len(file) == 3


def test_the_file_for_meta_has_its_headers_and_hashes_everything(people):
    file = meta_custom_audience(people)
    assert list(file.columns) == ["email", "phone", "fn", "ln", "zip", "ct", "country"]
    zoe = file[file["email"] != ""].iloc[0]
    expected = ["zo.e+x@gmail.com", "262692123456", "zoé", "dorsay", "97400", "saintdenis", "re"]
    assert zoe.tolist() == [digest(text) for text in expected]
    ada = file[file["fn"] == digest("ada")].iloc[0]
    assert ada["zip"] == digest("94035")
    assert len(file) == 3
    jean = file[file["phone"] == digest("590690123456")].iloc[0]
    assert jean["country"] == digest("fr")


def test_only_what_is_typed_differently_hashes_differently():
    emails = pd.Series(["Zo.e+x@Gmail.com", " zoe@gmail.com", "ZOE+news@gmail.com"])
    assert hash_values(emails, google_email).tolist() == [GOLDEN["zoe@gmail.com"]] * 3
    assert hash_values(emails, meta_email).nunique() == 3


def test_no_hash_of_a_telephone_serves_both_platforms(people):
    google, meta = google_customer_match(people), meta_custom_audience(people)
    assert not set(google["Phone"]) & set(meta["phone"]) - {""}


@pytest.mark.parametrize("make", [google_customer_match, meta_custom_audience])
def test_the_order_of_customers_does_not_show_and_nobody_is_there_twice(people, make):
    before = people.copy()
    pd.testing.assert_frame_equal(
        make(people), make(pd.concat([people, people])[::-1].reset_index(drop=True))
    )
    pd.testing.assert_frame_equal(people, before)


@pytest.mark.parametrize("make", [google_customer_match, meta_custom_audience])
def test_an_empty_list_keeps_its_headers(people, make):
    assert make(people.head(0)).columns.tolist() == make(people).columns.tolist()


def test_each_distinct_value_is_hashed_once():
    seen = []

    def rule(text: str) -> str:
        seen.append(text)
        return text

    hashed = hash_values(pd.Series(["a", "b", "a", None]), rule)
    assert seen == ["a", "b"]
    assert hashed.tolist() == [*(sha256(t.encode()).hexdigest() for t in "aba"), ""]
