"""Trap addresses: a made-up person of ours in every file, who tells which file leaked.

Its name, e-mail, id and number are worked out by a keyed hash from the campaign and the
file: the same file has the same trap in every run, no two files share one, and without the
key nobody can tell it from a customer. A letter or message that reaches it from somebody
else names the file that leaked (`customer360 leaked`).

The register holds what is ours to recognise. It stays in the house, apart from the files.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from customer360.cleaning.people import standardise_phone
from customer360.handoff.platforms import fold

__all__ = [
    "REGISTER",
    "HandoffError",
    "TrapPoints",
    "check_key",
    "find_leak",
    "keyed_hash",
    "merge_registers",
    "register_rows",
    "trap_person",
]

REGISTER = ("campaign_id", "file", "kind", "value")
# What no two files may share; a brand has few telephone numbers to lend.
OWN = ("id", "email", "name", "hash", "pseudonym")
SHORTEST_KEY = 16
SHORTEST_FOUND = 8
# Names of women and men: the title is that of the row that the trap is made like.
FIRST_NAMES = (
    "Alix", "Andréa", "Ange", "Camille", "Charlie", "Claude", "Dominique", "Eden",
    "Kim", "Lou", "Louison", "Maé", "Morgan", "Noor", "Sacha", "Yaël",
)  # fmt: skip
STARTS = (
    "b", "bl", "br", "ch", "cl", "cr", "d", "dr", "f", "g", "gr", "j",
    "l", "m", "n", "p", "pl", "pr", "r", "s", "t", "tr", "v", "vr",
)  # fmt: skip
MIDDLES = ("a", "ai", "an", "au", "e", "eu", "i", "in", "o", "oi", "ou", "u")
ENDS = ("ard", "eau", "elet", "er", "ier", "in", "on", "et")


class HandoffError(ValueError):
    """A list that must not leave the house. The message says how many rows, never who."""


@dataclass(frozen=True)
class TrapPoints:
    """Where messages to trap addresses arrive: all belongs to the brand.

    Parameters
    ----------
    email_domain : str
        Domain of which every address reaches one mailbox.
    street, postcode, city : str
        Address whose letters are looked at, whatever the name on them.
    phones : tuple of str
        Numbers that ring in the house. With fewer numbers than files, a number names
        several files.
    country : str
    """

    email_domain: str
    street: str
    postcode: str
    city: str
    phones: tuple[str, ...] = ()
    country: str = "FR"


def check_key(key: bytes) -> None:
    """Refuse a key that could be guessed.

    Raises
    ------
    HandoffError
    """
    if len(key) < SHORTEST_KEY:
        raise HandoffError(f"the key has {len(key)} bytes; give one of {SHORTEST_KEY} or more")


def keyed_hash(text: str, *, key: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) in hexadecimal: the same text and key, the same hash."""
    return hmac.new(key, text.encode("utf-8"), sha256).hexdigest()


def trap_person(*, campaign_id: str, file: str, points: TrapPoints, key: bytes) -> dict[str, str]:
    """The made-up person of one file, with the columns of a customer."""
    check_key(key)
    drawn = keyed_hash(f"trap\n{campaign_id}\n{file}", key=key)
    number = int(drawn[:32], 16)

    def choose(among: tuple[str, ...]) -> str:
        nonlocal number
        number, place = divmod(number, len(among))
        return among[place]

    first_name = choose(FIRST_NAMES)
    syllables = [choose(part) for part in (STARTS, MIDDLES, STARTS, MIDDLES, STARTS, ENDS)]
    last_name = "".join(syllables).capitalize()
    number, digits = divmod(number, 1000)
    return {
        "customer_id": f"c{drawn[-12:]}",
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{fold(first_name)}.{fold(last_name)}{digits:03}@{points.email_domain}",
        "phone": choose(points.phones) if points.phones else "",
        "street": points.street,
        "postcode": points.postcode,
        "city": points.city,
        "country": points.country,
    }


def register_rows(*, campaign_id: str, file: str, values: Mapping[str, str]) -> pd.DataFrame:
    """What to recognise the trap of one file by.

    Parameters
    ----------
    campaign_id, file : str
    values : mapping
        Kind (id, email, name, phone, hash, pseudonym) to what stands in the file.

    Returns
    -------
    pandas.DataFrame
        One row per value, columns of `REGISTER`.
    """
    rows = [(campaign_id, file, kind, value) for kind, value in values.items()]
    return pd.DataFrame(rows, columns=list(REGISTER), dtype="str")


def merge_registers(before: pd.DataFrame | None, rows: pd.DataFrame) -> pd.DataFrame:
    """The register with the traps of one more campaign; older ones stay, a leak takes years.

    Raises
    ------
    HandoffError
        When two files would share a trap: choose another key.
    """
    both = rows if before is None else pd.concat([before, rows])
    both = both[list(REGISTER)].drop_duplicates().sort_values(list(REGISTER), ignore_index=True)
    own = both[both["kind"].isin(OWN)]
    shared = int(own.duplicated(["kind", "value"]).sum())
    if shared:
        raise HandoffError(f"{shared:,} trap addresses would name two files; choose another key")
    return both


def _spelling(value: str) -> str:
    """The value without what writing differs by."""
    phone = standardise_phone(value)[0] if re.fullmatch(r"[\d\s().+/-]+", value) else None
    return re.sub(r"[^a-z0-9@]", "", fold(phone or value))


def find_leak(register: pd.DataFrame, *, address: str) -> pd.DataFrame:
    """Files that an address was planted in.

    Parameters
    ----------
    register : pandas.DataFrame
        Columns of `REGISTER`.
    address : str
        What the unexpected message was sent to: e-mail, name on an envelope (a whole
        postal address will do), telephone, id, or a hash out of a file found somewhere.

    Returns
    -------
    pandas.DataFrame
        campaign_id, file; empty when it is no trap. Several rows for a telephone number
        that several files share.
    """
    looked_for = _spelling(address)
    values = {value: _spelling(value) for value in register["value"].unique()}
    # The name stands somewhere in a postal address; half a name proves nothing.
    hits = [
        value
        for value, spelt in values.items()
        if len(spelt) >= SHORTEST_FOUND and spelt in looked_for
    ]
    found = register[register["value"].isin(hits)]
    return found[["campaign_id", "file"]].drop_duplicates().reset_index(drop=True)
