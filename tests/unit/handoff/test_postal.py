from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.handoff.postal import LINES, fit_line, postal_lines


def lines(**person: str | None) -> list[str]:
    empty = dict.fromkeys(["title", "first_name", "last_name", "street", "postcode", "city"])
    return postal_lines(pd.DataFrame([{**empty, **person}])).iloc[0].tolist()


def test_an_address_takes_six_lines_in_capitals():
    assert lines(
        title="Mme",
        first_name="Zoé",
        last_name="D’Orsay",
        street="12 bis rue de la Paix, bâtiment B, étage 2, appartement 3, lieu-dit Les Prés",
        postcode="97400",
        city="Saint-Denis",
    ) == [
        "MME ZOE D ORSAY",
        "ETAGE 2 APPARTEMENT 3",
        "BATIMENT B",
        "12 BIS RUE DE LA PAIX",
        "LES PRES",
        "97400 SAINT DENIS",
    ]


def test_what_is_unknown_leaves_its_line_empty():
    assert lines(last_name="Roy", postcode="75001") == ["ROY", "", "", "", "", "75001"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # One character too many.
        ("12 boulevard de la République Française", "12 BD DE LA REPUBLIQUE FRANCAISE"),
        ("12 avenue des Fleurs", "12 AVENUE DES FLEURS"),
        ("128 boulevard du Général de Gaulle prolongé", "128 BD DU GENERAL DE GAULLE PROLONGE"),
        (
            "1 chemin des Vieilles Tanneries de la Basse Vallée Verdoyante",
            "1 CHE V T BASSE VALLEE VERDOYANTE",
        ),
        ("x" * 50, "X" * 38),
    ],
)
def test_a_line_is_shortened_no_more_than_needed(text, line):
    assert fit_line(text) == line


def test_a_long_name_gives_its_given_name_as_an_initial():
    first, last = "Marie-Antoinette Joséphine", "de La Rochefoucauld-Montbel"
    assert lines(title="Mme", first_name=first, last_name=last)[0] == (
        "MME M A J DE LA ROCHEFOUCAULD MONTBEL"
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=90), min_size=6, max_size=6))
def test_no_line_is_ever_longer_than_38_or_holds_anything_but_capitals(values):
    keys = ["title", "first_name", "last_name", "street", "postcode", "city"]
    got = lines(**dict(zip(keys, values, strict=True)))
    assert len(got) == len(LINES)
    for line in got:
        assert len(line) <= 38
        assert line == line.strip() and "  " not in line
        assert all(c == " " or "A" <= c <= "Z" or "0" <= c <= "9" for c in line)
