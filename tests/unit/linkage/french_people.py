"""A small fictional France: households, five systems, typing errors, stale values."""

from __future__ import annotations

import numpy as np
import pandas as pd


def _words(text: str, separator: str | None = None) -> list[str]:
    return text.split(separator)


MEN = _words(
    "Jean Pierre Michel Philippe Alain Nicolas Julien Thomas Antoine Hugo Lucas Louis Gabriel "
    "Arthur Jules Paul Marc Denis Éric Olivier Benoît François Théo Mathis Jean-Pierre Jean-Paul "
    "Karim Mehdi Bruno Gilles"
)
WOMEN = _words(
    "Marie Nathalie Isabelle Sylvie Catherine Julie Camille Léa Manon Chloé Emma Jade Louise "
    "Alice Martine Monique Sandrine Céline Aurélie Émilie Hélène Françoise Anne-Marie Fatima "
    "Sophie Claire Inès Zoé Lucie Valérie"
)
ROOTS = _words(
    "Mart Bern Dub Thom Rob Rich Pet Dur Ler Mor Sim Laur Lef Mich Garc Dav Bert Rou Vinc Fourn "
    "Gir Bonn Dup Lamb Font Rouss Mercier Gu Bo Ferr Cheval Perr Clem Gauth Mass Marchand Duv "
    "Noël Meun Barb"
)
ENDINGS = _words("in ard ois as ert et ier and eau oux ot el ette i an aud eron ac")
STREETS = _words(
    "de la République|Victor Hugo|des Lilas|du Général Leclerc|de l'Église|Jean Jaurès|Pasteur|"
    "des Acacias|du Moulin|Gambetta|de la Gare|des Écoles|Voltaire|du Stade|Émile Zola",
    separator="|",
)
KINDS = ["rue", "avenue", "boulevard", "place", "chemin", "allée"]
SHORT = {"rue": "r.", "avenue": "av.", "boulevard": "bd", "place": "pl.", "allée": "all."}


def _typo(text: str, rng: np.random.Generator) -> str:
    if len(text) < 3:
        return text
    i = int(rng.integers(1, len(text) - 1))
    kind = rng.integers(3)
    if kind == 0:
        return text[:i] + text[i + 1 :]
    if kind == 1:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + "aeiourstln"[int(rng.integers(10))] + text[i + 1 :]


def make_people(count: int, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People records in the contract `raw.people`, and the true person of each."""
    rng = np.random.default_rng(seed)
    surnames = [root + end for root in ROOTS for end in ENDINGS]
    rarity = 1 / np.arange(5, len(surnames) + 5)
    rarity /= rarity.sum()
    towns = [(f"{d:02d}{n:03d}", f"Ville{d}{n}") for d in range(1, 90) for n in (0, 100, 200, 350)]
    persons = []
    while len(persons) < count:
        last = surnames[int(rng.choice(len(surnames), p=rarity))]
        postcode, city = towns[int(rng.integers(len(towns)))]
        number, kind = int(rng.integers(1, 150)), KINDS[int(rng.integers(len(KINDS)))]
        street = f"{number} {kind} {STREETS[int(rng.integers(len(STREETS)))]}"
        home_phone = f"0{rng.integers(1, 6)}{rng.integers(10**7, 10**8)}"
        home_mail = f"famille.{last.lower()}{rng.integers(10, 99)}@orange.fr"
        size = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.35, 0.1, 0.1]))
        born = int(rng.integers(1940, 1995))
        for role in range(size):
            man = role % 2 == 0
            year = born + int(rng.integers(-4, 5)) if role < 2 else born + int(rng.integers(20, 35))
            first = str(rng.choice(MEN if man else WOMEN))
            own = last if role != 1 or rng.random() < 0.8 else str(rng.choice(surnames))
            birth = pd.Timestamp(min(year, 2006), 1, 1) + pd.Timedelta(days=int(rng.integers(365)))
            if role == 3 and rng.random() < 0.2:
                birth = persons[-1]["birth_date"]  # twins
            provider = str(rng.choice(["gmail.com", "orange.fr", "yahoo.fr", "free.fr"]))
            mail = f"{first.lower()}.{own.lower()}{rng.integers(1000)}@{provider}"
            persons.append(
                {
                    "title": "M" if man else "Mme",
                    "first_name": first,
                    "last_name": own,
                    "birth_date": birth,
                    "email": home_mail if rng.random() < 0.15 else mail,
                    "phone": home_phone
                    if rng.random() < 0.3
                    else f"06{rng.integers(10**7, 10**8)}",
                    "street": street,
                    "postcode": postcode,
                    "city": city,
                }
            )
    persons = persons[:count]
    known = {"crm": 0.6, "web": 0.55, "till": 0.5, "newsletter": 0.3, "calls": 0.25}
    rows, truth = [], []
    for number, person in enumerate(persons):
        moved = None
        if rng.random() < 0.12:
            postcode, city = towns[int(rng.integers(len(towns)))]
            moved = {
                "street": f"{rng.integers(1, 150)} rue {STREETS[int(rng.integers(15))]}",
                "postcode": postcode,
                "city": city,
            }
        inside = [s for s, share in known.items() if rng.random() < share] or ["till"]
        for source in inside + ([inside[0]] if rng.random() < 0.06 else []):
            row = dict(person)
            if moved and rng.random() < 0.5:
                row.update(moved)
            for field in ("first_name", "last_name"):
                if rng.random() < 0.06:
                    row[field] = _typo(row[field], rng)
                style = rng.random()
                row[field] = row[field].upper() if style < 0.3 else row[field]
            if rng.random() < 0.02:
                row["first_name"] = row["first_name"][0] + "."
            if rng.random() < 0.01:
                row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
            if rng.random() < 0.03:
                row["birth_date"] = row["birth_date"] + pd.Timedelta(days=int(rng.integers(1, 400)))
            if rng.random() < 0.1:
                row["email"] = f"{row['email'].split('@')[0]}{rng.integers(99)}@laposte.net"
            if rng.random() < 0.05:
                row["email"] = row["email"].replace("gmail", "gmial")
            if rng.random() < 0.15:
                row["phone"] = f"07{rng.integers(10**7, 10**8)}"
            if rng.random() < 0.3:
                for long, short in SHORT.items():
                    row["street"] = row["street"].replace(f" {long} ", f" {short} ")
            empty = {"crm": 0.1, "web": 0.2, "till": 0.3, "newsletter": 0.0, "calls": 0.3}[source]
            for field in ("birth_date", "phone", "email", "street", "title"):
                if rng.random() < empty:
                    row[field] = None
            if source == "newsletter":
                for field in ("birth_date", "phone", "street", "postcode", "city", "title"):
                    row[field] = None
            if source in ("till", "calls"):
                row["birth_date"] = None if rng.random() < 0.4 else row["birth_date"]
            updated = pd.Timestamp("2020-01-01") + pd.Timedelta(days=int(rng.integers(2000)))
            key = f"{source[0].upper()}{len(rows):06d}"
            rows.append({"source": source, "source_id": key, **row, "updated_at": updated})
            truth.append({"source": source, "source_id": key, "person_id": f"P{number:06d}"})
    order = rng.permutation(len(rows))
    people = pd.DataFrame(rows).iloc[order].reset_index(drop=True)
    return people, pd.DataFrame(truth)
