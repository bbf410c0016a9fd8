"""The folder of a campaign: one file per tool, the control group, and a manifest.

`prepare_campaign` takes tables and hands back the content of every file; whoever may write
(a notebook) gives it to `storage.write_folder`. Nothing comes out of it when a single row
of a list lacks consent or a contact point, or belongs to the control group.

| file | for | content |
|---|---|---|
| email.csv, sms.csv, phone.csv, post.csv | the tool of that channel | contact point, offer |
| web.jsonl, store.jsonl, social.jsonl | programs | customer and offer, one JSON object a line |
| google.csv, meta.csv | ad platforms | hashes, each platform's own |
| rental.csv | a partner | pseudonyms of those who accepted it |
| control.csv | measurement | who was left alone on purpose |
| manifest.json | the campaign manager | counts, hashes, models, thresholds, expiry |
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

import pandas as pd

from customer360.cleaning.people import FRENCH_REGIONS
from customer360.contracts import CHANNELS, CONTRACTS, DIRECT
from customer360.handoff.keys import key_mark
from customer360.handoff.platforms import PLATFORMS
from customer360.handoff.postal import LINES, postal_lines
from customer360.handoff.traps import (
    REGISTER,
    HandoffError,
    TrapPoints,
    check_key,
    keyed_hash,
    merge_registers,
    register_rows,
    trap_person,
)

__all__ = [
    "CampaignFacts",
    "CampaignFiles",
    "altered_files",
    "neutralise",
    "prepare_campaign",
]

# What a spreadsheet takes for a formula, also behind spaces; wide forms are read alike.
_FORMULA = r"^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
_DIALLED = re.compile(r"\+\d{6,15}")
PERSON = ("title", "first_name", "last_name")
COLUMNS = {
    "email": ("email", *PERSON),
    "sms": ("phone", *PERSON),
    "phone": ("phone", *PERSON),
    "post": (*LINES, "country"),
}
NEEDED = {"email": ["email"], "sms": ["phone"], "phone": ["phone"]}
NEEDED["post"] = ["street", "postcode", "city"]


@dataclass(frozen=True)
class CampaignFacts:
    """What the manifest says of a campaign beside its files.

    Parameters
    ----------
    campaign_id : str
        Name of the folder: letters, digits, `-`, `_`.
    population : str
        Whom the campaign is about, in words.
    made_on, expires_on : date
        After the last day the lists must not be used: consents change.
    models : mapping
        Name to version, or to a mapping with version and link.
    thresholds, expected : mapping
        Numbers by name: what decided, and what should come of it.
    """

    campaign_id: str
    population: str
    made_on: date
    expires_on: date
    models: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CampaignFiles:
    """A campaign ready to be written.

    Attributes
    ----------
    files : dict of str to bytes
        By file name, manifest.json included.
    traps : pandas.DataFrame
        Rows for the register of traps; they never go into the folder.
    """

    files: dict[str, bytes]
    traps: pd.DataFrame


def neutralise(table: pd.DataFrame) -> pd.DataFrame:
    """Text cells that a spreadsheet would run as a formula, made plain text.

    An apostrophe goes in front of cells that begin with = + - @, tab or a line end (OWASP,
    "CSV Injection"). Telephone numbers of a plus sign and digits stay: they calculate
    nothing, and no tool dials an apostrophe. Never used on hashed files.
    """
    plain = table.copy()
    for name in plain.columns:
        column = plain[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_dtype(column):
            continue
        text = column.astype("str")
        risky = column.notna() & text.str.contains(_FORMULA, regex=True)
        risky &= ~text.str.fullmatch(_DIALLED.pattern)
        plain[name] = column.astype("object").where(~risky, "'" + text)
    return plain


def prepare_campaign(
    *,
    facts: CampaignFacts,
    plan: pd.DataFrame,
    customers: pd.DataFrame,
    control: pd.DataFrame,
    points: TrapPoints,
    key: bytes,
    ads: pd.DataFrame | None = None,
    rental: pd.DataFrame | None = None,
    rental_key: bytes = b"",
    region: str = "FR",
) -> CampaignFiles:
    """Contents of a campaign's folder.

    Parameters
    ----------
    facts : CampaignFacts
    plan : pandas.DataFrame
        One row per message: customer_id, channel, and what the tool needs (offer_id,
        amount, day...); a file for each channel that occurs.
    customers : pandas.DataFrame
        Contract `customers`: contact points and consents.
    control : pandas.DataFrame
        One row per customer left alone on purpose: customer_id, and more if wanted.
    points : TrapPoints
    key : bytes
        Secret that traps are worked out from, 16 bytes or more: `derive_key(secret,
        purpose="traps")`. Keep it: the register can be made again from it.
    ads : pandas.DataFrame, optional
        customer_id, platform ("google", "meta"). Asks for consent to partners.
    rental : pandas.DataFrame, optional
        customer_id and what a partner may know of it; nothing personal. Asks for consent
        to partners.
    rental_key : bytes
        Secret of the pseudonyms, one for each partner, so that two cannot join their files:
        `derive_key(secret, purpose="rental NAME")`.
    region : str
        Country whose habits telephone numbers follow.

    Raises
    ------
    HandoffError
        When a list holds anybody without consent or contact point, unknown or of the
        control group; when a key is short; when rental data are personal.
    """
    check_key(key)
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", facts.campaign_id):
        raise HandoffError("a campaign's id is made of letters, digits, - and _")
    if facts.expires_on < facts.made_on:
        raise HandoffError("the campaign expires before the day it is made")
    unknown = set(plan["channel"]) - set(CHANNELS)
    if unknown:
        raise HandoffError(f"the plan names no channel of ours: {len(unknown):,} unknown")
    if len(customers) != customers["customer_id"].nunique():
        raise HandoffError("a customer is twice in `customers`")
    work = _Files(facts.campaign_id, points, key)
    held = set(control["customer_id"])
    people = customers.set_index("customer_id", drop=False)
    for channel in (c for c in CHANNELS if (plan["channel"] == c).any()):
        rows = plan[plan["channel"] == channel].drop(columns="channel")
        _check_known(rows, people, held, name=channel)
        if channel in DIRECT:
            _check_consent(rows, people, consent=f"consent_{channel}", name=channel)
            _check_points(rows, people, needed=NEEDED[channel], name=channel)
            work.add_channel(channel, rows, people)
        else:
            work.add_json(f"{channel}.jsonl", rows)
    audiences = pd.DataFrame(columns=["customer_id", "platform"]) if ads is None else ads
    if not audiences["platform"].isin(list(PLATFORMS)).all():
        raise HandoffError(f"an ad platform that is none of {', '.join(PLATFORMS)}")
    for platform in (p for p in PLATFORMS if (audiences["platform"] == p).any()):
        rows = audiences[audiences["platform"] == platform]
        _check_known(rows, people, held, name=platform)
        _check_consent(rows, people, consent="consent_third_party", name=platform)
        work.add_platform(platform, people.loc[rows["customer_id"].unique()], region=region)
    if rental is not None and len(rental):
        check_key(rental_key)
        _check_known(rental, people, set(), name="rental")
        _check_consent(rental, people, consent="consent_third_party", name="rental")
        work.add_rental(rental, rental_key)
    if len(control):
        work.add_control(control)
    contacted = plan["customer_id"].nunique()
    work.add_manifest(facts, contacted=contacted, control=len(held))
    return CampaignFiles(files=work.files, traps=merge_registers(None, work.register))


def altered_files(files: Mapping[str, bytes]) -> list[str]:
    """Names of files that are missing, or not as the manifest says, in order.

    Parameters
    ----------
    files : mapping of str to bytes
        Content of a campaign's folder by file name, manifest.json among them.
    """
    told = json.loads(files["manifest.json"])["files"]
    return sorted(
        name for name, entry in told.items() if _digest(files.get(name, b"")) != entry["sha256"]
    )


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


# --- what must not leave ---


def _check_known(rows: pd.DataFrame, people: pd.DataFrame, held: set[str], *, name: str) -> None:
    missing = int((~rows["customer_id"].isin(people.index)).sum())
    if missing:
        raise HandoffError(f"list {name}: {missing:,} rows are no customer of `customers`")
    in_control = int(rows["customer_id"].isin(held).sum())
    if in_control:
        raise HandoffError(f"list {name}: {in_control:,} rows belong to the control group")


def _check_consent(rows: pd.DataFrame, people: pd.DataFrame, *, consent: str, name: str) -> None:
    # Unknown is no: only a consent that was given counts.
    agreed = people.loc[rows["customer_id"], consent].fillna(False).astype(bool)
    refused = int((~agreed).sum())
    if refused:
        raise HandoffError(f"list {name}: {refused:,} rows without {consent}; nothing is written")


def _check_points(
    rows: pd.DataFrame, people: pd.DataFrame, *, needed: list[str], name: str
) -> None:
    points = people.loc[rows["customer_id"], needed]
    without = int((points.isna() | points.isin([""])).any(axis=1).sum())
    if without:
        raise HandoffError(f"list {name}: {without:,} rows lack {' or '.join(needed)}")


# --- the files ---


class _Files:
    """Files of one campaign as they come to be, each with its trap."""

    def __init__(self, campaign_id: str, points: TrapPoints, key: bytes):
        self.campaign_id, self.points, self.key = campaign_id, points, key
        self.files: dict[str, bytes] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.register = pd.DataFrame(columns=list(REGISTER), dtype="str")

    def _trap(self, file: str) -> dict[str, str]:
        return trap_person(
            campaign_id=self.campaign_id, file=file, points=self.points, key=self.key
        )

    def _remember(self, file: str, **values: str) -> None:
        rows = register_rows(campaign_id=self.campaign_id, file=file, values=values)
        self.register = pd.concat([self.register, rows], ignore_index=True)

    def _keep(self, file: str, text: str, *, rows: int, about: str) -> None:
        content = text.encode("utf-8")
        self.files[file] = content
        self.told[file] = {"rows": rows, "sha256": _digest(content), "about": about}

    def _like(self, rows: pd.DataFrame, file: str) -> int:
        """Place of the row that the trap is made like."""
        return int(keyed_hash(f"row\n{self.campaign_id}\n{file}", key=self.key), 16) % len(rows)

    def _with_trap(self, rows: pd.DataFrame, file: str, person: dict[str, str]) -> pd.DataFrame:
        """Rows and a trap that looks like one of them, in the order of the ids."""
        like = rows.iloc[[self._like(rows, file)]].assign(customer_id=person["customer_id"])
        both = pd.concat([rows, like], ignore_index=True)
        return both.sort_values("customer_id", kind="stable", ignore_index=True)

    def add_channel(self, channel: str, rows: pd.DataFrame, people: pd.DataFrame) -> None:
        file = f"{channel}.csv"
        person = self._trap(file)
        columns = [*NEEDED[channel], *PERSON, "country"]
        if channel in ("sms", "phone") and not person["phone"]:
            raise HandoffError(f"list {channel}: no telephone number for its trap address")
        like = rows["customer_id"].iloc[self._like(rows, file)]
        trap = pd.DataFrame([{**person, "title": people.loc[like, "title"]}])
        known = pd.concat([people[columns], trap.set_index("customer_id")[columns]])
        listed = self._with_trap(rows, file, person)
        known = known.loc[listed["customer_id"]].reset_index(drop=True)
        if channel == "post":
            known = known.assign(**postal_lines(known))
            # The norm writes the country on letters abroad only.
            known["country"] = known["country"].mask(known["country"].isin(FRENCH_REGIONS))
        table = pd.concat([listed[["customer_id"]], known[list(COLUMNS[channel])]], axis=1)
        table = pd.concat([table, listed.drop(columns=["customer_id"])], axis=1)
        text = _csv(neutralise(table))
        self._keep(file, text, rows=len(table), about=f"for the tool that sends: {channel}")
        point = {"post": {}, "email": {"email": person["email"]}}
        self._remember(
            file,
            id=person["customer_id"],
            name=f"{person['first_name']} {person['last_name']}",
            **point.get(channel, {"phone": person["phone"]}),
        )

    def add_json(self, file: str, rows: pd.DataFrame) -> None:
        person = self._trap(file)
        table = self._with_trap(rows, file, person)
        text = table.to_json(
            orient="records", lines=True, force_ascii=False, date_format="iso", date_unit="s"
        )
        self._keep(file, text, rows=len(table), about="for programs: one JSON object a line")
        self._remember(file, id=person["customer_id"])

    def add_platform(self, platform: str, people: pd.DataFrame, *, region: str) -> None:
        file = f"{platform}.csv"
        person = self._trap(file)
        trap = pd.DataFrame([{**person, "phone": ""}])
        make = PLATFORMS[platform]
        columns = list(trap.columns)
        table = make(pd.concat([people[columns], trap], ignore_index=True), region=region)
        hashed = make(trap, region=region).iloc[0]
        email = hashed["Email" if platform == "google" else "email"]
        self._keep(file, _csv(table), rows=len(table), about=f"audience for {platform}, hashed")
        self._remember(file, email=person["email"], hash=email)

    def add_rental(self, rental: pd.DataFrame, rental_key: bytes) -> None:
        personal = set(CONTRACTS["customers"].personal_columns) & set(rental.columns)
        if personal:
            raise HandoffError(f"list rental: personal columns: {', '.join(sorted(personal))}")
        if rental["customer_id"].duplicated().any():
            raise HandoffError("list rental: a customer is there twice")
        file = "rental.csv"
        person = self._trap(file)
        table = self._with_trap(rental, file, person)
        pseudonyms = [keyed_hash(one, key=rental_key) for one in table["customer_id"]]
        table = table.drop(columns="customer_id")
        table.insert(0, "pseudonym", pseudonyms)
        table = table.sort_values("pseudonym", ignore_index=True)
        text = _csv(neutralise(table))
        self._keep(file, text, rows=len(table), about="those who accepted it, under pseudonyms")
        pseudonym = keyed_hash(person["customer_id"], key=rental_key)
        self._remember(file, pseudonym=pseudonym)

    def add_control(self, control: pd.DataFrame) -> None:
        file = "control.csv"
        person = self._trap(file)
        table = self._with_trap(control, file, person)
        text = _csv(neutralise(table))
        self._keep(file, text, rows=len(table), about="left alone on purpose: never contact")
        self._remember(file, id=person["customer_id"])

    def add_manifest(self, facts: CampaignFacts, *, contacted: int, control: int) -> None:
        numbers = [*facts.thresholds.values(), *facts.expected.values()]
        if any(not math.isfinite(float(number)) for number in numbers):
            raise HandoffError("a threshold or expected result is no number; leave it out")
        manifest = {
            "campaign_id": facts.campaign_id,
            "population": facts.population,
            "made_on": facts.made_on.isoformat(),
            "expires_on": facts.expires_on.isoformat(),
            "customers_contacted": contacted,
            "customers_in_control": control,
            "key_mark": key_mark(self.key),
            "models": dict(facts.models),
            "thresholds": dict(facts.thresholds),
            "expected": dict(facts.expected),
            "files": self.told,
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        self.files["manifest.json"] = text.encode("utf-8")


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")
