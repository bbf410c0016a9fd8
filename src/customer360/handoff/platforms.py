"""Audiences for ad platforms: each normalises in its own way before hashing.

Both match the SHA-256 of a value, in hexadecimal small letters, with the one they made of
what their members typed: a space or an accent too many and nobody is found, without a word.
Their rules differ, so no hash of one serves the other.

Each distinct value is normalised and hashed once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from hashlib import sha256

import pandas as pd

from customer360.cleaning.people import OVERSEAS, standardise_phone

__all__ = [
    "PLATFORMS",
    "fold",
    "google_customer_match",
    "google_email",
    "google_first_name",
    "google_last_name",
    "google_phone",
    "hash_values",
    "meta_city",
    "meta_custom_audience",
    "meta_email",
    "meta_name",
    "meta_phone",
    "meta_postcode",
]

GMAIL = ("gmail.com", "googlemail.com")
# As cleaning leaves a number of mainland France: nothing to look up.
_MAINLAND = re.compile(r"\+33[1-9]\d{8}")
# Letters that no accent can be taken off.
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})


def fold(text: str) -> str:
    """Small letters without accents.

    Examples
    --------
    >>> fold("Œuvre d'Élan")
    "oeuvre d'elan"
    """
    apart = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(c for c in apart if not unicodedata.combining(c))


def hash_values(values: pd.Series, rule: Callable[[str], str]) -> pd.Series:
    """SHA-256 of each value, normalised by `rule`; empty where nothing is left of it."""
    return _by_value(values, lambda text: _sha256(rule(text)))


def _sha256(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest() if text else ""


def _by_value(values: pd.Series, rule: Callable[[str], str]) -> pd.Series:
    made = {text: rule(str(text)) for text in values.dropna().unique()}
    return values.map(made).fillna("").astype("str")


def _e164(text: str, region: str) -> str:
    if _MAINLAND.fullmatch(text) and text[3:6] not in OVERSEAS:
        return text
    return standardise_phone(text, region=region)[0] or ""


def _composed(text: str) -> str:
    # An accent that is a character of its own would give another hash.
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def _letters(text: str) -> str:
    """Text without punctuation, accents kept."""
    kept = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] not in "PSC")
    return " ".join(kept.split())


# --- Google Customer Match ---


def google_email(text: str) -> str:
    """E-mail as Google hashes it: small letters, no space at all.

    At gmail.com and googlemail.com, and only there, dots before the @ and what follows a
    plus sign go.

    References
    ----------
    Google, "Format user data", developers.google.com/data-manager/api/devguides/concepts/
    formatting (`email_address`).

    Examples
    --------
    >>> google_email(" Cloudy.SanFrancisco+shopping@Gmail.com")
    'cloudysanfrancisco@gmail.com'
    """
    name, at, domain = "".join(_composed(text).split()).rpartition("@")
    if domain in GMAIL:
        name = name.partition("+")[0].replace(".", "")
    return f"{name}@{domain}" if at and name and domain else ""


def google_phone(text: str, *, region: str = "FR") -> str:
    """Telephone as Google hashes it: E.164, the plus sign with it; "" when it is no number.

    References
    ----------
    Google Ads API, `UserIdentifier.hashed_phone_number`.

    Examples
    --------
    >>> google_phone("0692 12 34 56")
    '+262692123456'
    """
    return _e164(text, region)


def google_first_name(text: str) -> str:
    """Given name as Google hashes it: small letters, no spaces too many; accents stay.

    References
    ----------
    Google Ads API, `OfflineUserAddressInfo.hashed_first_name`.
    """
    return _composed(text)


def google_last_name(text: str) -> str:
    """Family name as Google hashes it: small letters without punctuation; accents stay.

    References
    ----------
    Google Ads API, `OfflineUserAddressInfo.hashed_last_name`.
    """
    return _letters(_composed(text))


def google_customer_match(people: pd.DataFrame, *, region: str = "FR") -> pd.DataFrame:
    """File of a Customer Match list, with the headers of Google's template.

    E-mail, telephone and names are hashed, country and postcode are not. Google matches an
    address on names, country and postcode together: where one is missing, all are left out.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per customer: email, phone, first_name, last_name, postcode, country.
    region : str
        ISO 3166 code: habits of the telephone numbers, and country where none is known.

    Returns
    -------
    pandas.DataFrame
        Text, empty where unknown; in the order of the hashes, so that it tells nothing
        about that of the customers. Whoever gives nothing to match on is left out.

    References
    ----------
    Google Ads Help, "Formatting guidelines for uploading hashed data", answer 7476159.
    """
    file = pd.DataFrame(
        {
            "Email": hash_values(people["email"], google_email),
            "Phone": hash_values(people["phone"], lambda text: google_phone(text, region=region)),
            "First Name": hash_values(people["first_name"], google_first_name),
            "Last Name": hash_values(people["last_name"], google_last_name),
            "Country": _by_value(people["country"].fillna(region), lambda t: t.strip().upper()),
            "Zip": _by_value(people["postcode"], lambda t: " ".join(t.upper().split())),
        }
    )
    address = ["First Name", "Last Name", "Country", "Zip"]
    complete = (file[address] != "").all(axis=1)
    file.loc[~complete, address] = ""
    return _ordered(file)


# --- Meta Custom Audience ---


def meta_email(text: str) -> str:
    """E-mail as Meta hashes it: small letters, no space around; dots and plus parts stay.

    References
    ----------
    Meta, "Customer Information Parameters" (`em`), developers.facebook.com/docs/
    marketing-api/conversions-api/parameters/customer-information-parameters.

    Examples
    --------
    >>> meta_email(" Camille.Roche+shop@Gmail.com")
    'camille.roche+shop@gmail.com'
    """
    name, at, domain = _composed(text).rpartition("@")
    return f"{name}@{domain}" if at and name and domain else ""


def meta_phone(text: str, *, region: str = "FR") -> str:
    """Telephone as Meta hashes it: country code and digits only, no leading zero.

    References
    ----------
    Meta, "Customer Information Parameters" (`ph`).

    Examples
    --------
    >>> meta_phone("0690 12 34 56")
    '590690123456'
    """
    return _e164(text, region).lstrip("+")


def meta_name(text: str) -> str:
    """Name as Meta hashes it: small letters, no punctuation, accents kept in UTF-8.

    References
    ----------
    Meta, "Customer Information Parameters" (`fn`, `ln`).

    Examples
    --------
    >>> meta_name("Valéry"), meta_name("Jean-Loup"), meta_name("D’Orsay")
    ('valéry', 'jeanloup', 'dorsay')
    """
    return _letters(_composed(text))


def meta_city(text: str) -> str:
    """Town as Meta hashes it: letters a to z, no space, no accent.

    References
    ----------
    Meta, "Customer Information Parameters" (`ct`).

    Examples
    --------
    >>> meta_city("Saint-Étienne")
    'saintetienne'
    """
    return "".join(c for c in fold(text) if c.isalnum())


def meta_postcode(text: str) -> str:
    """Postcode as Meta hashes it: small letters, neither space nor dash.

    References
    ----------
    Meta, "Customer Information Parameters" (`zp`).
    """
    return re.sub(r"[\s-]", "", text.lower())


def meta_custom_audience(people: pd.DataFrame, *, region: str = "FR") -> pd.DataFrame:
    """File of a Custom Audience, with the headers of Meta's customer list. All is hashed.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per customer: email, phone, first_name, last_name, postcode, city, country.
    region : str
        ISO 3166 code: habits of the telephone numbers, and country where none is known.

    Returns
    -------
    pandas.DataFrame
        Text, empty where unknown, in the order of the hashes. Whoever has neither e-mail,
        telephone nor both names is left out: town and country find nobody.

    References
    ----------
    Meta Business Help Centre, "How to format a customer list", article 2082575038703844.
    """
    us = people["country"].fillna(region).str.upper().eq("US")
    # Only the first five digits of a code of the United States.
    postcode = people["postcode"].where(~us, people["postcode"].str[:5])
    country = people["country"].fillna(region)
    file = pd.DataFrame(
        {
            "email": hash_values(people["email"], meta_email),
            "phone": hash_values(people["phone"], lambda text: meta_phone(text, region=region)),
            "fn": hash_values(people["first_name"], meta_name),
            "ln": hash_values(people["last_name"], meta_name),
            "zip": hash_values(postcode, meta_postcode),
            "ct": hash_values(people["city"], meta_city),
            "country": hash_values(country, lambda text: text.strip().lower()),
        }
    )
    named = file["fn"].ne("") & file["ln"].ne("")
    return _ordered(file[file["email"].ne("") | file["phone"].ne("") | named])


def _ordered(file: pd.DataFrame) -> pd.DataFrame:
    known = (file[file.columns.difference(["Country", "country"])] != "").any(axis=1)
    distinct = file[known].drop_duplicates()
    return distinct.sort_values(list(file.columns), ignore_index=True)


PLATFORMS = {"google": google_customer_match, "meta": meta_custom_audience}
