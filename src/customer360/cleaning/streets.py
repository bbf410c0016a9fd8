"""Where a person lives, taken apart: the street, and what completes it.

The French postal norm (NF Z10-011) gives the street a line of its own and writes what lies
inside the building (flat, floor, staircase), outside it (residence, building, entrance) and
beside the street (locality, post box) on others. Systems with a single field mix them.
"""

from __future__ import annotations

import re

__all__ = [
    "COMPLEMENTS",
    "HOUSE_SUFFIXES",
    "NUMBERED",
    "STREET_KINDS",
    "STREET_WORDS",
    "split_complement",
]


def _kinds(text: str) -> dict[str, str]:
    """Abbreviations of each line to its first word."""
    rows = [row.split() for row in text.strip().splitlines()]
    return {short: row[0] for row in rows for short in row}


# Kinds of street, with their abbreviations in the norm and those in common use.
STREET_KINDS = _kinds(
    """
rue r
avenue av ave aven
boulevard bd bld blvd bvd boul
place pl
allée all allee allees allées
chemin ch che chem
route rte
impasse imp
square sq
faubourg fg fbg
quai qu
cours crs
lotissement lot
résidence res résid resid residence rés
passage pass pas
esplanade espl esp
promenade prom pro
villa vla
carrefour car
chaussée chs chaussee
cité cite
corniche cor
domaine dom
hameau ham
montée mte montee
quartier qua
rond-point rpt
ruelle rle
traverse tra
village vlge
"""
)
STREET_WORDS = {
    "gal": "général",
    "gen": "général",
    "gén": "général",
    "mal": "maréchal",
    "dr": "docteur",
    "pdt": "président",
    "cdt": "commandant",
    "st": "saint",
    "ste": "sainte",
}
HOUSE_SUFFIXES = frozenset(["bis", "ter", "quater", "a", "b", "c", "d"])

_CODE = r"([a-z]?\d{1,4}[a-z]?|[a-z])"
_NUMBER = r"(?:n[°o]\.?\s*)?"
# Complements that a letter or a number names, and how they are written.
_UNITS = (
    ("bâtiment", rf"b[âa]t(?:iment)?s?\.?\s*{_NUMBER}{_CODE}"),
    ("entrée", r"entr[ée]e\s+([a-z]|\d{1,2})"),
    ("escalier", rf"esc(?:alier)?\.?\s*{_CODE}"),
    ("étage", r"(\d{1,2})\s*(?:er|e|è|[èe]me|i[èe]me)?\s*(?:[ée]tage|etg)\.?"),
    ("étage", r"(?:[ée]tage|etg)\.?\s*(\d{1,2})"),
    ("rez-de-chaussée", r"(?:rdc|rez[\s-]de[\s-]chauss[ée]e)()"),
    ("porte", rf"(?<!la )(?<!de )(?:porte|pte)\s*{_NUMBER}(\d{{1,4}}[a-z]?)"),
    ("appartement", rf"(?:appartement|appart|appt|app|apt)\.?\s*{_NUMBER}{_CODE}"),
    ("BP", rf"(?:bp|bo[îi]te\s+postale)\s*{_NUMBER}(\d{{1,6}})"),
    ("CS", r"cs\s*(\d{1,6})"),
    ("TSA", r"tsa\s*(\d{1,6})"),
)
NUMBERED = frozenset(kind for kind, _ in _UNITS)
# Letters before or after make it part of a name: rue de l'Escalier, allée Batavia.
_UNIT_RULES = tuple(
    (kind, re.compile(rf"(?i)(?<![\w'-]){pattern}(?![\w'-])")) for kind, pattern in _UNITS
)
# Complements that a name follows.
_NAMED = (
    ("résidence", re.compile(r"(?i)(?:r[ée]s|r[ée]sid|r[ée]sidence)\b\.?\s*(\S.*)")),
    ("immeuble", re.compile(r"(?i)(?:imm|immeuble)\b\.?\s*(\S.*)")),
    ("lieu-dit", re.compile(r"(?i)(?:lieu[\s-]?dit|ld)\b\.?\s*(\S.*)")),
)
# Line after line of the norm: from the estate to the flat, then the locality and the box.
COMPLEMENTS = (
    "résidence", "immeuble", "bâtiment", "entrée", "escalier", "étage", "rez-de-chaussée",
    "porte", "appartement", "", "lieu-dit", "BP", "CS", "TSA",
)  # fmt: skip
_HOUSE = r"\d{1,4}\s*(?:bis|ter|quater|[a-d])?"
_KIND = "|".join(sorted(map(re.escape, STREET_KINDS), key=len, reverse=True))
# A name runs into the street where the comma was left out.
_RUN_ON = re.compile(rf"(?i)(.+?)\s+({_HOUSE}\s+(?:{_KIND})\b\.?\s+.+)")
_NUMBER_ALONE = re.compile(rf"(?i){_HOUSE}")


def split_complement(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Street, and what completes it.

    Parameters
    ----------
    text : str
        Address without postcode and town, single-spaced.

    Returns
    -------
    street : str
        As written. An estate or a locality without a street stands for it.
    complements : list of (kind, name)
        Kinds of `COMPLEMENTS` in its order; "" is what has no kind.

    Examples
    --------
    >>> split_complement("Rés. Les Acacias, bât E, apt 12, 10 bd Ronsard")
    ('10 bd Ronsard', [('résidence', 'Les Acacias'), ('bâtiment', 'E'), ('appartement', '12')])
    """
    found: list[tuple[str, str]] = []
    for kind, rule in _UNIT_RULES:
        found += [(kind, match[1].upper()) for match in rule.finditer(text)]
        text = rule.sub(",", text)
    parts = [part for part in (p.strip(" .-") for p in re.split("[,;]", text)) if part]
    street, named, rest = "", [], []
    for place, part in enumerate(parts):
        if _NUMBER_ALONE.fullmatch(part) and place + 1 < len(parts):
            # "12 bis, rue de la Paix": the comma parts nothing.
            parts[place + 1] = f"{part} {parts[place + 1]}"
            continue
        kind, name = _named(part)
        run_on = _RUN_ON.fullmatch(name) if kind else None
        if run_on:
            name, part = run_on[1].rstrip(" .-"), run_on[2]
        if kind:
            named.append((kind, name))
        if (run_on or not kind) and part[:1].isdigit() and not street:
            street = part
        elif not kind:
            rest.append(part)
    if not street and rest:
        street = rest.pop(0)
    elif not street and named:
        # The locality is the address: "Lieu-dit" in front of it says nothing more.
        kind, name = named.pop(0)
        street = name if kind == "lieu-dit" else f"{kind} {name}"
    found += named + [("", part) for part in rest]
    return street, sorted(dict.fromkeys(found), key=lambda one: COMPLEMENTS.index(one[0]))


def _named(part: str) -> tuple[str, str]:
    for kind, rule in _NAMED:
        if match := rule.fullmatch(part):
            return kind, match[1]
    return "", part
