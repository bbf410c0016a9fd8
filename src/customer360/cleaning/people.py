"""Standardise what systems know of people: names, contact points, addresses, dates.

Nothing is invented and nothing is lost: a value is rewritten in its one standard form,
or emptied and listed with the reason. Row-wise work runs on distinct values, which are
few, and is then mapped back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pandas as pd
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from customer360.cleaning.streets import (
    HOUSE_SUFFIXES,
    NUMBERED,
    STREET_KINDS,
    STREET_WORDS,
    split_complement,
)
from customer360.contracts import CHANNELS, CONTRACTS

__all__ = [
    "fold",
    "standardise_city",
    "standardise_email",
    "standardise_name",
    "standardise_people",
    "standardise_phone",
    "standardise_postcode",
    "standardise_street",
    "standardise_title",
]

# value, flag ("" when nothing worth telling changed), reason ("" unless it was emptied)
Cleaned = tuple[str | None, str, str]

EMPTY: Cleaned = (None, "", "")


def _words(text: str) -> list[str]:
    return text.split()


PLACEHOLDERS = frozenset(
    _words("n/a n.a. nc n.c. inconnu inconnue unknown null none nan neant anonyme test xx xxx")
    + _words("xxxx prenom nom client - -- . .. ? ?? /")
    + ["non renseigne", "non communique", "sans objet"]
)

TITLES = {
    **dict.fromkeys(_words("m mr monsieur mister sir herr h homme male"), "M"),
    **dict.fromkeys(
        _words("mme mlle madame mademoiselle mrs ms miss mademoisele frau f femme female"), "Mme"
    ),
}
TITLES_IN_NAMES = frozenset(
    ["m.", "mr", "mr.", "mme", "mme.", "mlle", "mlle.", "monsieur", "madame"]
)

# Particles keep their small letter; "La" and "Le" of a family name do not (de La Tour).
NAME_PARTICLES = frozenset(_words("de du des von zu y et dit"))
PLACE_PARTICLES = frozenset(_words("de du des d la le les l sur sous en aux au à lès lez et"))

COUNTRIES = {
    "france": "FR",
    "fra": "FR",
    "france metropolitaine": "FR",
    "belgique": "BE",
    "belgium": "BE",
    "suisse": "CH",
    "switzerland": "CH",
    "luxembourg": "LU",
    "allemagne": "DE",
    "germany": "DE",
    "deutschland": "DE",
    "espagne": "ES",
    "spain": "ES",
    "italie": "IT",
    "italy": "IT",
    "portugal": "PT",
    "royaume uni": "GB",
    "united kingdom": "GB",
    "uk": "GB",
    "pays bas": "NL",
    "netherlands": "NL",
    "etats unis": "US",
    "united states": "US",
    "usa": "US",
    "canada": "CA",
    "monaco": "MC",
    "maroc": "MA",
    "algerie": "DZ",
    "tunisie": "TN",
    "reunion": "RE",
    "la reunion": "RE",
    "martinique": "MQ",
    "guadeloupe": "GP",
    "guyane": "GF",
    "mayotte": "YT",
}
FRENCH_REGIONS = frozenset(["FR", "RE", "GP", "MQ", "GF", "YT", "PM", "BL", "MF"])

# First three digits of a national number, without its zero, to the overseas region.
OVERSEAS = {
    **dict.fromkeys(["262", "263", "692", "693"], "RE"),
    **dict.fromkeys(["269", "639"], "YT"),
    **dict.fromkeys(["590", "690", "691"], "GP"),
    **dict.fromkeys(["594", "694"], "GF"),
    **dict.fromkeys(["596", "696", "697"], "MQ"),
}

POPULAR_DOMAINS = _words(
    "gmail.com hotmail.com hotmail.fr yahoo.fr yahoo.com orange.fr wanadoo.fr laposte.net "
    "outlook.fr outlook.com live.fr icloud.com sfr.fr neuf.fr bbox.fr free.fr numericable.fr"
)
# One letter away from a popular domain, and yet someone's real domain.
REAL_DOMAINS = frozenset(
    _words(
        "mail.com email.com ymail.com gmx.com gmx.fr gmail.fr me.com live.com aol.com aol.fr "
        "hotmail.be hotmail.it hotmail.es hotmail.de hotmail.ch yahoo.be yahoo.it yahoo.es "
        "yahoo.de yahoo.ca outlook.be outlook.es outlook.it live.be live.it live.nl laposte.fr "
        "cfr.fr rfr.fr ree.fr tree.fr orange.com"
    )
)
ROLE_ADDRESSES = frozenset(
    _words(
        "contact info accueil commercial compta comptabilite service direction admin secretariat "
        "sav support bonjour hello mairie"
    )
)
JUNK_ADDRESSES = frozenset(
    _words(
        "test toto tata aaa aaaa xxx xxxx noemail nomail noreply no-reply pasdemail pasdadresse "
        "inconnu none na nc null abc azerty qwerty anonyme"
    )
)

DEFAULT_BIRTH_DATES = pd.to_datetime(["1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01"])
OLDEST_AGE_YEARS = 110
# A family shares an address or a telephone; six family names at once do not.
MOST_FAMILY_NAMES = 5


def fold(text: str) -> str:
    """Compare-ready form of a text: small letters, no accents, single spaces.

    Examples
    --------
    >>> fold("  Jean-FRANÇOIS d'Œuvre ")
    'jean francois d oeuvre'
    """
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", kept).strip()


def _tidy(text: str) -> tuple[str, str]:
    """Single spaces, plain apostrophes and hyphens, and accents broken by a wrong encoding."""
    flag = ""
    if "Ã" in text or "Å" in text:
        with suppress(UnicodeError):
            text, flag = text.encode("cp1252").decode("utf-8"), "encoding_repaired"
    text = unicodedata.normalize("NFC", text)
    text = re.sub("[’‘`´]", "'", text)
    text = re.sub("[‐‑–—]", "-", text)
    return re.sub(r"\s+", " ", text).strip(" ,;"), flag


def _is_placeholder(text: str) -> bool:
    return text.lower() in PLACEHOLDERS or fold(text) in PLACEHOLDERS


def _capitalise(word: str) -> str:
    # "McDonald" and "LeBrun" were typed with care: leave them.
    if word[:1].isupper() and any(c.isupper() for c in word[1:]) and not word.isupper():
        return word
    return word[:1].upper() + word[1:].lower()


def _proper(word: str, *, particles: frozenset[str], first: bool) -> str:
    if "-" in word:
        parts = word.split("-")
        return "-".join(
            _proper(part, particles=particles, first=first and i == 0)
            for i, part in enumerate(parts)
        )
    if "'" in word:
        head, _, tail = word.partition("'")
        small = head.lower() == "d" or (head.lower() in particles and not first)
        head = head.lower() if small else _capitalise(head)
        return f"{head}'{_capitalise(tail)}"
    if word.lower() in particles and not first:
        return word.lower()
    return _capitalise(word)


def standardise_name(value: str) -> Cleaned:
    """Given or family name in proper case, particles and accents kept.

    Returns
    -------
    tuple
        Value or None, flag, reason why it was emptied.

    Examples
    --------
    >>> standardise_name("DE LA  TOUR")[0], standardise_name("o'brien")[0]
    ('de La Tour', "O'Brien")
    """
    text, flag = _tidy(value)
    words = text.split(" ")
    if len(words) > 1 and words[0].lower() in TITLES_IN_NAMES:
        words, flag = words[1:], "title_removed"
    text = " ".join(words).strip(". ")
    if not text:
        return EMPTY if not value.strip() else (None, "", "not a name")
    if _is_placeholder(text):
        return None, "", "placeholder, not a name"
    if not any(c.isalpha() for c in text) or sum(c.isdigit() for c in text) > 2 or "@" in text:
        return None, "", "not a name"
    words = text.split(" ")
    proper = [
        # A name made of one word is never a particle.
        _proper(word, particles=NAME_PARTICLES, first=len(words) == 1 or i == len(words) - 1)
        for i, word in enumerate(words)
    ]
    return " ".join(proper), flag, ""


def standardise_title(value: str) -> Cleaned:
    """Civility as `M` or `Mme`."""
    key = fold(value)
    if not key:
        return EMPTY
    if key in TITLES:
        return TITLES[key], "", ""
    return None, "", "not one person's civility (M or Mme)"


def standardise_company(value: str) -> Cleaned:
    """Company with single spaces."""
    text, flag = _tidy(value)
    if not text:
        return EMPTY
    if _is_placeholder(text):
        return None, "", "placeholder, not a company"
    return text, flag, ""


def _near_domains() -> dict[str, str]:
    """Every domain one slip of the finger away from a popular one."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-."
    near: dict[str, str] = {}
    for domain in POPULAR_DOMAINS:
        slips = {domain[:i] + domain[i + 1 :] for i in range(len(domain))}
        slips |= {
            domain[:i] + domain[i + 1] + domain[i] + domain[i + 2 :] for i in range(len(domain) - 1)
        }
        # A short domain has too many honest neighbours for changed or added letters.
        if len(domain) >= 9:
            slips |= {domain[:i] + c + domain[i + 1 :] for i in range(len(domain)) for c in letters}
            slips |= {domain[:i] + c + domain[i:] for i in range(len(domain) + 1) for c in letters}
        for slip in slips - REAL_DOMAINS - set(POPULAR_DOMAINS):
            near.setdefault(slip, domain)
    return near


NEAR_DOMAINS = _near_domains()
SIMPLE_LOCAL = re.compile(r"[a-z0-9_](?:[a-z0-9_+-]|\.(?!\.))*[a-z0-9_+-]|[a-z0-9_]")
SIMPLE_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


class EmailReader:
    """Reads e-mail addresses, and each domain only once."""

    def __init__(self) -> None:
        self._domains: dict[str, str] = {}

    def __call__(self, value: str) -> Cleaned:
        text = unicodedata.normalize("NFC", value).strip().strip("<>;,").lower()
        text = re.sub(r"\s+", "", text.removeprefix("mailto:"))
        if not text or text in PLACEHOLDERS:
            return EMPTY if not text else (None, "", "placeholder, not an e-mail address")
        local, _, domain = text.rpartition("@")
        domain = domain.replace(",", ".").rstrip(".")
        flag = ""
        if domain in NEAR_DOMAINS:
            domain, flag = NEAR_DOMAINS[domain], "email_domain_repaired"
        elif domain.endswith((".con", ".cmo", ".ocm")):
            domain, flag = f"{domain[:-3]}com", "email_domain_repaired"
        reason = self._refuse(local, domain)
        if reason:
            return None, "", reason
        if local in JUNK_ADDRESSES:
            return None, "", "junk e-mail address"
        if local in ROLE_ADDRESSES:
            flag = ";".join(filter(None, [flag, "email_role"]))
        return f"{local}@{domain}", flag, ""

    def _refuse(self, local: str, domain: str) -> str:
        if not local or not domain:
            return "not an e-mail address: no name or no domain around an @"
        if len(local) <= 64 and SIMPLE_LOCAL.fullmatch(local) and SIMPLE_DOMAIN.fullmatch(domain):
            if domain not in self._domains:
                self._domains[domain] = self._ask("someone", domain)
            return self._domains[domain]
        return self._ask(local, domain)

    @staticmethod
    def _ask(local: str, domain: str) -> str:
        try:
            validate_email(f"{local}@{domain}", check_deliverability=False)
        except EmailNotValidError:
            return "not an e-mail address"
        return ""


def standardise_email(value: str) -> Cleaned:
    """E-mail address in small letters, slips in well-known domains repaired.

    Syntax is checked (RFC 5321 and 5322, by `email-validator`); no network is used.

    Examples
    --------
    >>> standardise_email("Jean.Dupont@GMIAL.com")[:2]
    ('jean.dupont@gmail.com', 'email_domain_repaired')
    """
    return EmailReader()(value)


EXTENSION = re.compile(
    r"(?i)\s*(?:,|;)?\s*(?:poste|post|ext|extension|p|int)\s*[.:]?\s*\d{1,5}\s*$"
)


def standardise_phone(value: str, *, region: str = "FR") -> Cleaned:
    """Telephone number in E.164 form, for example `+33612345679`.

    Parameters
    ----------
    value : str
    region : str
        ISO 3166 code of the country whose habits the number follows.

    Notes
    -----
    French overseas numbers are written with their own country code however they
    arrive: `0262…` is `+262262…`, `0596…` and `+33596…` are `+596596…`.
    """
    text = re.sub(r"\.0$", "", value.strip())
    if not text:
        return EMPTY
    if _is_placeholder(text):
        return None, "", "placeholder, not a telephone number"
    # Read as a number, "poste 3" would dial 7-6-7-8-3 on a keypad.
    text, removed = EXTENSION.subn("", text)
    flag = "phone_extension_removed" if removed else ""
    if any(c.isalpha() for c in text):
        return None, "", "letters in a telephone number"
    digits = re.sub(r"\D", "", text)
    if len(digits) < 6:
        return None, "", "too short for a telephone number"
    if _is_junk_number(digits):
        return None, "", "junk telephone number"
    number = _parse(text, region=region)
    if number is None:
        return None, "", "not a telephone number that can exist"
    return number, flag, ""


def _is_junk_number(digits: str) -> bool:
    tail = digits[-8:]
    return len(set(tail)) == 1 or tail in ("12345678", "23456789", "01234567", "87654321")


def _parse(text: str, *, region: str) -> str | None:
    regions = [region]
    plain = re.sub(r"[^\d+]", "", text.replace("(0)", ""))
    if region in FRENCH_REGIONS:
        national = re.fullmatch(r"(?:(?:\+|00)?33)?0?(\d{9})", plain)
        if national:
            overseas = OVERSEAS.get(national[1][:3])
            regions = [overseas, "FR"] if overseas else ["FR"]
            text = f"0{national[1]}"
    for candidate in regions:
        try:
            number = phonenumbers.parse(text, candidate)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def standardise_postcode(value: str, *, region: str = "FR") -> Cleaned:
    """Postal code; five digits in France, with the zero that a spreadsheet dropped."""
    text = re.sub(r"\.0$", "", value.strip().upper())
    if not text or _is_placeholder(text):
        return EMPTY if not text else (None, "", "placeholder, not a postcode")
    if region not in FRENCH_REGIONS:
        return re.sub(r"\s+", " ", text), "", ""
    digits = re.sub(r"^(?:F|FR)[\s-]*|\s|CEDEX.*$", "", text)
    if not digits.isdigit() or len(digits) not in (4, 5):
        return None, "", "not a French postcode of five digits"
    flag = "postcode_zero_restored" if len(digits) == 4 else ""
    digits = digits.zfill(5)
    if digits[:2] in ("00", "96", "99"):
        return None, "", "no French department has this postcode"
    return digits, flag, ""


def standardise_city(value: str) -> Cleaned:
    """Town in proper case, `St` written out, CEDEX removed."""
    text, flag = _tidy(value)
    text, cedex = re.subn(r"(?i)\s*\bcedex\b.*$", "", text)
    if not text:
        return EMPTY
    if _is_placeholder(text) or not any(c.isalpha() for c in text):
        return None, "", "not a town"
    text = re.sub(r"(?i)\bst[.\s-]+(?=\w)", "Saint-", text)
    text = re.sub(r"(?i)\bste[.\s-]+(?=\w)", "Sainte-", text)
    return _place_name(text), "city_cedex_removed" if cedex else flag, ""


def standardise_street(value: str) -> Cleaned:
    """Number and street with the kind of street written out, then what completes it.

    Residence, building, entrance, staircase, floor, flat, locality and post box follow the
    street in that order, after commas, however they were written.

    Examples
    --------
    >>> standardise_street("12BIS, AV. DU GAL LECLERC")[0]
    '12 bis avenue du Général Leclerc'
    >>> standardise_street("Bât B esc.2 apt 12, 3 r. Pasteur")[0]
    '3 rue Pasteur, bâtiment B, escalier 2, appartement 12'
    """
    text, flag = _tidy(value)
    if not text:
        return EMPTY
    if _is_placeholder(text):
        return None, "", "placeholder, not a street"
    street, complements = split_complement(text)
    lines = [_street_line(street)] if street else []
    lines += [
        f"{kind} {name if kind in NUMBERED else _place_name(name)}".strip()
        for kind, name in complements
    ]
    if not lines:
        return None, "", "not a street"
    return ", ".join(lines), flag, ""


def _street_line(text: str) -> str:
    text = re.sub(r"(?i)^(\d+)\s*(bis|ter|quater|[a-d])?\b\s*,?\s*", r"\1 \2 ", text)
    words = text.split()
    out: list[str] = []
    kind_known = False
    for word in words:
        key = word.lower().rstrip(".")
        leading = all(w[:1].isdigit() or w.lower() in HOUSE_SUFFIXES for w in out)
        if leading and not kind_known and key in STREET_KINDS:
            out.append(STREET_KINDS[key])
            kind_known = True
        elif leading and out and key in HOUSE_SUFFIXES:
            out.append(key if len(key) > 1 else key.upper())
        elif key in STREET_WORDS:
            out.append(_capitalise(STREET_WORDS[key]))
        else:
            out.append(_proper(word, particles=PLACE_PARTICLES, first=not out))
    return " ".join(out)


def _place_name(text: str) -> str:
    return " ".join(
        _proper(word, particles=PLACE_PARTICLES, first=i == 0)
        for i, word in enumerate(text.split())
    )


def standardise_country(value: str) -> Cleaned:
    """ISO 3166 two-letter code."""
    key = fold(value)
    if not key:
        return EMPTY
    if key in COUNTRIES:
        return COUNTRIES[key], "", ""
    if len(key) == 2 and key.isalpha():
        return key.upper(), "", ""
    return None, "", "not a country we know: write its two-letter ISO 3166 code"


def standardise_people(
    people: Any, *, country: str = "FR", as_of: date | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write every value about people in its one standard form, or empty it with a reason.

    Parameters
    ----------
    people : pandas.DataFrame, Arrow table or DuckDB relation
        Contract `raw.people`: one row per source and source_id; optional columns may
        be missing.
    country : str
        ISO 3166 code of the dataset: its habits apply where a record names no country.
    as_of : date, optional
        Birth dates after it are in the future; each record's own `updated_at` comes
        first.

    Returns
    -------
    people : pandas.DataFrame
        Contract `staged.people`: the same rows in the same order, with `flags`.
    emptied : pandas.DataFrame
        Contract `quarantine_values`: one row per value emptied, sorted by key.

    Notes
    -----
    Junk is found from the data as well as from lists: an e-mail address or a telephone
    number shared by more than five family names belongs to nobody, and a birth date
    far more frequent than any other is what a form filled in by itself.
    """
    raw = _as_pandas(people).reset_index(drop=True)
    missing = [c for c in ("source", "source_id") if c not in raw.columns]
    if missing:
        raise ValueError(
            f"people has no column {', '.join(missing)}: map the column of the file that "
            "names the system and the one that numbers its records"
        )
    contract = CONTRACTS["staged.people"]
    out = pd.DataFrame(
        {
            column.name: raw[column.name]
            if column.name in raw.columns
            else pd.Series([None] * len(raw), index=raw.index, dtype=object)
            for column in contract.columns
            if column.name != "flags"
        }
    )
    notes = _Notes(out)
    notes.clean("country", standardise_country)
    region = out["country"].fillna(country)
    notes.clean("title", standardise_title)
    for field in ("first_name", "last_name"):
        notes.clean(field, standardise_name)
    notes.clean("company", standardise_company)
    notes.clean("email", EmailReader())
    notes.clean_by_region("phone", standardise_phone, region)
    notes.clean("street", standardise_street)
    notes.clean_by_region("postcode", standardise_postcode, region)
    notes.clean("city", standardise_city)
    notes.clean("preferred_channel", _standardise_channel)
    for field in ("email", "phone"):
        notes.empty_shared(field)
    notes.clean_birth_dates(as_of=as_of)
    for field in ("created_at", "updated_at"):
        out[field] = pd.to_datetime(out[field], errors="coerce").astype("datetime64[us]")
    for column in contract.columns:
        if column.dtype == "flag":
            out[column.name] = out[column.name].astype("boolean")
    out["flags"] = notes.flags()
    return out[contract.column_names], notes.emptied()


def _standardise_channel(value: str) -> Cleaned:
    key = fold(value)
    if not key:
        return EMPTY
    if key in CHANNELS:
        return key, "", ""
    return None, "", f"not a channel: {', '.join(CHANNELS)}"


class _Notes:
    """The frame being standardised, and what was done to it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._flags = pd.Series("", index=frame.index, dtype=object)
        self._emptied: list[pd.DataFrame] = []

    def clean(self, field: str, rule: Callable[[str], Cleaned]) -> None:
        values = self._texts(field)
        cleaned = {value: rule(value) for value in values.dropna().unique()}
        self._store(field, values, [cleaned.get(value, EMPTY) for value in values])

    def clean_by_region(self, field: str, rule: Callable[..., Cleaned], region: pd.Series) -> None:
        values = self._texts(field)
        pairs = list(zip(values, region, strict=True))
        cleaned = {
            (value, place): EMPTY if pd.isna(value) else rule(value, region=place)
            for value, place in dict.fromkeys(pairs)
        }
        self._store(field, values, [cleaned[pair] for pair in pairs])

    def empty_shared(self, field: str) -> None:
        """Empty what more family names share than a household has."""
        names = self.frame["last_name"].fillna(self.frame["first_name"])
        # Two letters are enough to tell families apart, and forgive typing errors.
        start = names.map(lambda name: fold(name)[:2], na_action="ignore")
        families = start.groupby(self.frame[field]).nunique()
        shared = families.index[families > MOST_FAMILY_NAMES]
        mask = self.frame[field].isin(shared)
        self._empty(
            field,
            mask,
            self.frame[field],
            f"shared by more than {MOST_FAMILY_NAMES} "
            "family names: belongs to nobody in particular",
        )

    def clean_birth_dates(self, *, as_of: date | None) -> None:
        field = "birth_date"
        given = self.frame[field]
        born = pd.to_datetime(given, errors="coerce").astype("datetime64[us]").dt.normalize()
        self.frame[field] = born
        self._empty(field, given.notna() & born.isna(), given, "not a date")
        known = pd.to_datetime(self.frame["updated_at"], errors="coerce")
        if as_of is not None:
            known = known.fillna(pd.Timestamp(as_of))
        self._empty(field, born.isin(DEFAULT_BIRTH_DATES), given, "default date of a form")
        self._empty(field, born > known, given, "born after the record was written")
        old = born < known - pd.DateOffset(years=OLDEST_AGE_YEARS)
        self._empty(field, old, given, f"more than {OLDEST_AGE_YEARS} years old")
        counts = self.frame[field].value_counts()
        if len(counts):
            usual = max(30.0, 25.0 * float(counts.median()))
            frequent = self.frame[field].isin(counts.index[counts > usual])
            self._empty(field, frequent, given, "far more frequent than any birth date can be")

    def flags(self) -> pd.Series:
        return self._flags.str.removeprefix(";").where(self._flags != "", None)

    def emptied(self) -> pd.DataFrame:
        columns = CONTRACTS["quarantine_values"].column_names
        if not self._emptied:
            return pd.DataFrame({c: pd.Series(dtype="str") for c in columns})
        table = pd.concat(self._emptied, ignore_index=True)[columns]
        return table.sort_values(columns, kind="stable").reset_index(drop=True)

    def _texts(self, field: str) -> pd.Series:
        values = self.frame[field]
        return values.astype(object).map(str, na_action="ignore").where(values.notna(), None)

    def _store(self, field: str, given: pd.Series, cleaned: list[Cleaned]) -> None:
        values, flags, reasons = zip(*cleaned, strict=True) if cleaned else ((), (), ())
        index = self.frame.index
        self.frame[field] = pd.Series(values, index=index, dtype="str")
        self._add_flag(pd.Series(flags, index=index, dtype=object))
        reason = pd.Series(reasons, index=index, dtype=object)
        self._record(field, reason != "", given, reason)

    def _empty(self, field: str, mask: pd.Series, given: pd.Series, reason: str) -> None:
        # What an earlier rule emptied already has its reason.
        mask = mask & (self.frame[field].notna() | (reason == "not a date"))
        self.frame[field] = self.frame[field].mask(mask)
        self._record(field, mask, given, reason)

    def _record(self, field: str, mask: pd.Series, given: pd.Series, reason: Any) -> None:
        if not mask.any():
            return
        self._add_flag(mask.map({True: f"{field}_emptied", False: ""}))
        self._emptied.append(
            pd.DataFrame(
                {
                    "table": "people",
                    "source": self.frame.loc[mask, "source"],
                    "source_id": self.frame.loc[mask, "source_id"],
                    "field": field,
                    "value": given[mask].map(_as_text),
                    "reason": reason[mask] if isinstance(reason, pd.Series) else reason,
                }
            )
        )

    def _add_flag(self, flags: pd.Series) -> None:
        told = flags != ""
        self._flags[told] = self._flags[told] + ";" + flags[told]


def _as_text(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _as_pandas(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "to_pandas"):
        return table.to_pandas()
    return table.df()
