"""Somebody's own sales file, as it comes out of a till: a messy French Excel workbook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openpyxl import Workbook

__all__ = ["MessyFacts", "write_messy_excel"]

TITLES = (
    "N° client",
    "Nom",
    "Prénom",
    "E-mail",
    "Tél.",
    "CP",
    "Ville",
    "N° commande",
    "Date commande",
    "Désignation",
    "Catégorie",
    "Qté",
    "Montant TTC",
    "Mode de règlement",
    "Statut",
    "Vendeur",
)
PERSON_TITLES = TITLES[1:7]
LAST_NAMES = [
    "Martin",
    "Bernard",
    "Dubois",
    "Lefèvre",
    "Moreau",
    "Garçon",
    "Roux",
    "Noël",
    "Fontaine",
    "Rousseau",
]
FIRST_NAMES = [
    "Chloé",
    "Léa",
    "Hugo",
    "Zoé",
    "Anaïs",
    "Théo",
    "Inès",
    "Jules",
    "Maël",
    "Élise",
    "Noé",
    "Agathe",
    "Lucas",
    "Rose",
]
TOWNS = (
    ("75011", "Paris"),
    ("69003", "Lyon"),
    ("01000", "Bourg-en-Bresse"),
    ("13001", "Marseille"),
)
ARTICLES = (
    ("Lampe de chevet", "Luminaire", 39.9),
    ("Coussin lin", "Textile", 24.5),
    ("Plaid laine", "Textile", 69.0),
    ("Bougie figuier", "Décoration", 18.0),
    ("Fauteuil rotin", "Meuble", 1249.0),
    ("Vase grès", "Décoration", 32.0),
)
LAST_DAY = dt.date(2025, 12, 31)
HEADER_ROW = 3


@dataclass(frozen=True)
class MessyFacts:
    """What is in the file, counted while it was written.

    Attributes
    ----------
    rows : int
        Rows below the titles, blank ones not counted, one total at the end included.
    good : int
        Rows that can be used: what is left when those below are set aside.
    cancelled, duplicates, no_customer : int
        Rows to set aside, each counted once, in this order.
    refunds : int
        Good rows with a negative amount.
    amount : float
        Sum of the good rows, euros.
    customers : int
        Customer numbers on good rows.
    """

    rows: int
    good: int
    cancelled: int
    duplicates: int
    no_customer: int
    refunds: int
    amount: float
    customers: int


def write_messy_excel(
    path: Path, *, customers: int = 300, seed: int = 7, with_people: bool = True
) -> MessyFacts:
    """Write three years of sales as no tidy system would.

    French titles below a title and a blank row, amounts as text with decimal commas, spaces
    between thousands and euro signs, dates as text, `Payée` and `Annulée`, refunds as negative
    amounts, rows exported twice, tickets without a customer, blank rows, a total at the end.

    Parameters
    ----------
    path : Path
        Of the `.xlsx` to write.
    customers : int
    seed : int
    with_people : bool
        Whether every line also names the customer.

    Returns
    -------
    MessyFacts
    """
    rng = np.random.default_rng(seed)
    lines, facts = _lines(rng, customers)
    titles = [t for t in TITLES if with_people or t not in PERSON_TITLES]
    keep = [TITLES.index(title) for title in titles]
    book = Workbook(write_only=True)
    book.create_sheet("Lisez-moi").append(["Export du logiciel de caisse"])
    sheet = book.create_sheet("Ventes 2023-2025")
    sheet.append(["Export des ventes – Maison Dupré"])
    sheet.append([])
    sheet.append(titles)
    for line in lines:
        sheet.append([line[i] for i in keep] if line else [])
    book.save(path)
    return facts


def _lines(rng: np.random.Generator, customers: int) -> tuple[list[list[object]], MessyFacts]:
    lines: list[list[object]] = []
    cancelled = duplicates = no_customer = refunds = good = 0
    amount_of_good, numbers_seen, order = 0.0, set(), 0
    for number in range(1, customers + 1):
        person = _person(rng, number)
        day = LAST_DAY - dt.timedelta(days=int(rng.integers(60, 1095)))
        mean_gap = float(rng.gamma(2.0, 60.0)) + 10
        leaves = day + dt.timedelta(days=int(rng.exponential(700)) + 1)
        while day <= min(LAST_DAY, leaves):
            order += 1
            for article in rng.choice(len(ARTICLES), size=int(rng.integers(1, 4)), replace=False):
                label, category, price = ARTICLES[article]
                quantity = int(rng.integers(1, 4))
                cents = round(price * quantity * 100)
                status = "Annulée" if rng.random() < 0.03 else "Payée"
                if status == "Payée" and rng.random() < 0.02:
                    cents, status = -cents, "Remboursée"
                walk_in = rng.random() < 0.04
                line = [
                    *([None] * 7 if walk_in else person),
                    f"F{order:05d}",
                    f"{day:%d/%m/%Y}",
                    label,
                    category,
                    quantity,
                    _euros(cents, rng),
                    ("CB", "Espèces", "Chèque")[int(rng.choice(3, p=[0.7, 0.2, 0.1]))],
                    status,
                    ("Odile", "Marc")[int(rng.integers(2))],
                ]
                lines.append(line)
                if status == "Annulée":
                    cancelled += 1
                elif walk_in:
                    no_customer += 1
                else:
                    good += 1
                    refunds += cents < 0
                    amount_of_good += cents / 100
                    numbers_seen.add(person[0])
                    if rng.random() < 0.01:
                        lines.append(list(line))
                        duplicates += 1
                if rng.random() < 0.002:
                    lines.append([])
            day += dt.timedelta(days=1 + int(rng.exponential(mean_gap)))
    total: list[object] = [None] * len(TITLES)
    total[TITLES.index("Désignation")] = "TOTAL"
    total[TITLES.index("Montant TTC")] = _euros(round(amount_of_good * 100), rng)
    lines.append(total)
    facts = MessyFacts(
        rows=good + cancelled + duplicates + no_customer + 1,
        good=good,
        cancelled=cancelled,
        duplicates=duplicates,
        no_customer=no_customer,
        refunds=refunds,
        amount=round(amount_of_good, 2),
        customers=len(numbers_seen),
    )
    return lines, facts


def _person(rng: np.random.Generator, number: int) -> list[object]:
    first = FIRST_NAMES[int(rng.integers(len(FIRST_NAMES)))]
    last = LAST_NAMES[int(rng.integers(len(LAST_NAMES)))]
    postcode, town = TOWNS[int(rng.integers(len(TOWNS)))]
    return [
        f"C{number:04d}",
        last.upper() if rng.random() < 0.5 else last,
        first,
        f"client{number}@exemple.fr",
        f"06 12 {number // 10000:02d} {number // 100 % 100:02d} {number % 100:02d}",
        postcode,
        town,
    ]


def _euros(cents: int, rng: np.random.Generator) -> str:
    """An amount as people type it: 1 234,50 €, with one of three kinds of space."""
    whole, rest = divmod(abs(cents), 100)
    space = (" ", "\u00a0", "\u202f")[int(rng.integers(3))]
    text = f"{whole:,}".replace(",", space) + f",{rest:02d}"
    text += (" €", "\u00a0€", "", "€")[int(rng.integers(4))]
    return f"-{text}" if cents < 0 else text
