"""Postal lines as French sorting machines read them (norm NF Z10-011).

Six lines of 38 characters at most, in capitals, without accents or punctuation:

1. who: title, given name, family name;
2. inside the building: staircase, floor, flat;
3. outside it: residence, building, entrance;
4. number and street;
5. locality or post box;
6. postcode and town.

A street is abbreviated only where it does not fit, and its last word stays whole: sorting
goes by it.
"""

from __future__ import annotations

import re

import pandas as pd

from customer360.cleaning.streets import STREET_KINDS, STREET_WORDS, split_complement
from customer360.handoff.platforms import fold

__all__ = ["LINES", "LINE_LENGTH", "fit_line", "postal_lines"]

LINE_LENGTH = 38
LINES = tuple(f"line_{number}" for number in range(1, 7))
OUTSIDE = ("résidence", "immeuble", "bâtiment", "entrée")
BOXES = ("lieu-dit", "BP", "CS", "TSA")
SMALL_WORDS = frozenset(
    ["A", "AU", "AUX", "D", "DE", "DES", "DU", "EN", "ET", "L", "LA", "LE", "LES", "SOUS", "SUR"]
)


def _capitals(text: str) -> str:
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", fold(text).upper()).split())


def _abbreviations() -> dict[str, str]:
    # Where the first one in common use is not the norm's.
    short = {"CHEMIN": "CHE"}
    for abbreviation, word in {**STREET_KINDS, **STREET_WORDS}.items():
        long = _capitals(word)
        if abbreviation != word and len(abbreviation) < len(long):
            short.setdefault(long, _capitals(abbreviation))
    return short


ABBREVIATIONS = _abbreviations()


def fit_line(text: str) -> str:
    """Capitals of at most 38 characters, shortened no more than needed.

    First come the norm's abbreviations, then small words go, then words are cut to their
    initial from the left, the last word spared.

    Examples
    --------
    >>> fit_line("12 avenue des Fleurs")
    '12 AVENUE DES FLEURS'
    >>> fit_line("128 boulevard du Général de Gaulle prolongé")
    '128 BD DU GENERAL DE GAULLE PROLONGE'
    """
    words = _capitals(text).split()

    def fits() -> bool:
        return len(" ".join(words)) <= LINE_LENGTH

    for place, word in enumerate(words[:-1]):
        if fits():
            break
        words[place] = ABBREVIATIONS.get(word, word)
    if not fits():
        words = [w for w in words[:-1] if w not in SMALL_WORDS] + words[-1:]
    for place, word in enumerate(words[:-1]):
        if fits():
            break
        if not word[0].isdigit() and word not in ABBREVIATIONS.values():
            words[place] = word[0]
    return " ".join(words)[:LINE_LENGTH].rstrip()


def _street_lines(street: str) -> tuple[str, str, str, str]:
    """Lines 2 to 5 of one address."""
    main, complements = split_complement(street)
    rooms: dict[int, list[str]] = {2: [], 3: [], 5: []}
    for kind, name in complements:
        line = 3 if kind in OUTSIDE else 5 if kind in BOXES else 2
        # "Lieu-dit" in front of a locality says nothing more.
        rooms[line].append(name if kind in ("", "lieu-dit") else f"{kind} {name}")
    inside, outside, box = (fit_line(" ".join(parts)) for parts in rooms.values())
    return inside, outside, fit_line(main), box


def _who(title: str, first_name: str, last_name: str) -> str:
    whole = _capitals(f"{title} {first_name} {last_name}")
    if len(whole) <= LINE_LENGTH:
        return whole
    initials = " ".join(word[0] for word in _capitals(first_name).split())
    return _capitals(f"{title} {initials} {last_name}")[:LINE_LENGTH].rstrip()


def postal_lines(people: pd.DataFrame) -> pd.DataFrame:
    """The six lines of each address.

    Parameters
    ----------
    people : pandas.DataFrame
        title, first_name, last_name, street, postcode, city.

    Returns
    -------
    pandas.DataFrame
        line_1 to line_6, on the index of `people`; a line that says nothing is empty.
    """
    known = people[["title", "first_name", "last_name", "street", "postcode", "city"]].fillna("")
    # Distinct names, addresses and towns are written once; \x1f parts fields (ASCII 31).
    names = known["title"] + "\x1f" + known["first_name"] + "\x1f" + known["last_name"]
    who = {name: _who(*name.split("\x1f")[:3]) for name in names.unique()}
    streets = {street: _street_lines(street) for street in known["street"].unique()}
    towns = known["postcode"] + " " + known["city"]
    lines = pd.DataFrame({"line_1": names.map(who).astype("str")}, index=people.index)
    for place, line in enumerate(LINES[1:5]):
        lines[line] = known["street"].map({s: four[place] for s, four in streets.items()})
    lines["line_6"] = towns.map({town: fit_line(town) for town in towns.unique()})
    return lines.astype("str")
