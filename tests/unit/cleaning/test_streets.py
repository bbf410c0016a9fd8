from __future__ import annotations

import pytest

from customer360.cleaning.people import standardise_street
from customer360.cleaning.streets import COMPLEMENTS, NUMBERED, split_complement


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        # One address, as five systems write it.
        (
            "Résidence Les Acacias, bât. E, appt 108, 10 boulevard Ronsard",
            "10 boulevard Ronsard, résidence Les Acacias, bâtiment E, appartement 108",
        ),
        (
            "RES LES ACACIAS BAT E APT 108 10 BD RONSARD",
            "10 boulevard Ronsard, résidence Les Acacias, bâtiment E, appartement 108",
        ),
        (
            "10 bd Ronsard appartement n°108 Bât. E, Rés. les acacias",
            "10 boulevard Ronsard, résidence Les Acacias, bâtiment E, appartement 108",
        ),
        ("Bat H 21 R du Puits", "21 rue du Puits, bâtiment H"),
        ("Esc. 4, appt 7B, 104 ch. Aragon", "104 chemin Aragon, escalier 4, appartement 7B"),
        ("2ème étage, 3 rue Pasteur, porte 12", "3 rue Pasteur, étage 2, porte 12"),
        ("RDC 3 rue Pasteur", "3 rue Pasteur, rez-de-chaussée"),
        ("Imm. Le Sud, entrée B, 4 crs Zola", "4 cours Zola, immeuble Le Sud, entrée B"),
        ("12, rue des Lilas, BP 405", "12 rue des Lilas, BP 405"),
        ("CS 40512", "CS 40512"),
        ("Lieu-dit La Métairie", "La Métairie"),
        ("LD LA METAIRIE", "La Metairie"),
        ("8 rte de Vannes, lieu-dit Kerbras", "8 route de Vannes, lieu-dit Kerbras"),
        ("Résidence Les Lilas", "résidence les Lilas"),
        ("chez Mme Durand, 3 rue Zola", "3 rue Zola, Chez Mme Durand"),
    ],
)
def test_what_completes_a_street_follows_it_in_one_order(given, kept):
    assert standardise_street(given) == (kept, "", "")
    # What is in standard form stays as it is.
    assert standardise_street(kept)[0] == kept


@pytest.mark.parametrize(
    "street",
    [
        "45 résidence Denis Papin",
        "3 rue de l'Escalier 3",
        "1 avenue de la Porte 3",
        "1 rue du Bat d'Argent",
        "20 place de l'Étage",
        "7 rue Bastien Appert",
    ],
)
def test_names_that_look_like_complements_stay_in_the_street(street):
    assert split_complement(street) == (street, [])


def test_complements_come_in_the_order_of_the_norm():
    text = "appt 5, étage 2, esc 1, entrée A, bât B, rés. Foch, 3 rue Zola, LD Kerbras, TSA 12"
    street, complements = split_complement(text)
    assert street == "3 rue Zola"
    kinds = [kind for kind, _ in complements]
    assert kinds == [kind for kind in COMPLEMENTS if kind in kinds]
    assert len(kinds) == 8 and set(kinds) - NUMBERED == {"résidence", "lieu-dit"}


def test_only_a_complement_is_kept():
    assert standardise_street("bât. b")[0] == "bâtiment B"
    assert standardise_street(" . ") == (None, "", "placeholder, not a street")
