"""Visits to the site: anonymous until a log-in, on several devices, some shared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.people import People
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import ascii_fold, choose, concat, digits, pick, segment_positions
from customer360.worlds.demo.traits import WEB, Traits

__all__ = ["Web", "make_social", "make_web"]

BROWSES = 1.2  # visits a year that lead to nothing, for average eagerness
SEARCHES_BEFORE = (0.35, 0.15)  # visits in the ten days before an online, a shop purchase
LOGIN_SHARE = 0.20
COOKIE_DAYS = 400
SHARED_DEVICE_SHARE = 0.35
SECOND_DEVICE_SHARE = 0.45

BROWSE, RESEARCH, CLICK, BUY = range(4)
PAGE, SEARCH, CART, ORDER, LOGIN = range(5)
KINDS = ("page", "search", "cart", "order", "login")
EXTRA_HITS = np.array([1.0, 1.6, 0.8, 0.4])  # mean hits beyond the fewest
FEWEST_HITS = np.array([1, 2, 1, 4])
PAGES = ("accueil", "categorie", "produit", "livraison", "magasins", "recherche", "panier",
         "commande", "connexion")  # fmt: skip
PAGE_OF_KIND = np.array([2, 5, 6, 7, 8])
REFERRERS = ("direct", "google", "comparateur", "instagram", "facebook", "newsletter")
REFERRER_SHARE = np.array(
    [
        (0.28, 0.42, 0.08, 0.10, 0.07, 0.05),
        (0.25, 0.50, 0.14, 0.04, 0.03, 0.04),
        (0.00, 0.00, 0.00, 0.00, 0.00, 1.00),
        (0.45, 0.33, 0.10, 0.04, 0.03, 0.05),
    ]
)
DEVICES = ("mobile", "desktop", "tablet")


@dataclass(frozen=True)
class Web:
    """Hits on the site, and who was behind each device.

    Attributes
    ----------
    events : Arrow table in the contract `raw.web_events`
    visitor_links : Arrow table in the contract `truth.visitor_links`
    """

    events: pa.Table
    visitor_links: pa.Table


def make_web(
    *,
    people: People,
    traits: Traits,
    records: Records,
    orders: pd.DataFrame,
    clicks: pd.DataFrame,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> Web:
    """Make every hit of every visit.

    Parameters
    ----------
    orders : DataFrame
        Purchases with person, day, minute, system and category of the first line.
    clicks : DataFrame
        Visits that follow a click in a message: person, day, minute.
    """
    visits = _visits(traits, orders, clicks, leave_day, clock, rng)
    person = visits["person"].to_numpy()
    day = visits["day"].to_numpy()
    intent = visits["intent"].to_numpy()
    n = len(visits)

    device, kind_of_device = _devices(people, person, intent, rng)
    # A cookie lasts about a year: the same device comes back under another name.
    phase = (device * 7919) % COOKIE_DAYS
    cookie = device * 64 + (day + phase) // COOKIE_DAYS
    known, visitor = np.unique(cookie, return_inverse=True)
    # Numbers in random order: neighbours must not look related.
    shuffled = rng.permutation(len(known) * 7)[: len(known)] + 10**6
    visitor_text = concat("v", digits(shuffled, 8))

    account = records.at(person, np.full(n, WEB), day)
    logs_in = (account >= 0) & (rng.random(n) < np.where(intent == BUY, 0.97, LOGIN_SHARE))
    hits = FEWEST_HITS[intent] + rng.poisson(EXTRA_HITS[intent]) + (logs_in & (intent != BUY))
    visit, rank = segment_positions(hits)
    last = hits[visit] - 1

    login_rank = np.where(intent == BUY, np.maximum(hits - 3, 0), rng.integers(0, 2, n))
    login_rank = np.minimum(login_rank, hits - 1)
    buys = intent[visit] == BUY
    draw = rng.random(len(visit))
    kind = np.where(draw < 0.17, SEARCH, PAGE)
    kind = np.where((draw > 0.985 - 0.06 * (intent[visit] == RESEARCH)) & (rank > 0), CART, kind)
    kind = np.where(buys & (rank == last - 1), CART, kind)
    kind = np.where(buys & (rank == last), ORDER, kind)
    logged = logs_in[visit] & (rank == login_rank[visit])
    kind = np.where(logged, LOGIN, kind)
    identified = logs_in[visit] & (rank >= login_rank[visit])

    # Gaps between hits; a visit that buys ends with its order, any other starts on time.
    gap = np.where(rank == 0, 0.0, np.minimum(rng.exponential(0.9, len(visit)), 6.0) + 0.05)
    running = np.cumsum(gap)
    since_start = running - np.repeat(running[np.cumsum(hits) - hits], hits)
    length = since_start[np.cumsum(hits) - 1]
    start = visits["minute"].to_numpy() - np.where(intent == BUY, length, 0.0)
    minute = np.minimum(start[visit] + since_start, 1439.9)

    category = _hit_categories(visits, visit, traits, orders, rng)
    entry = (kind == PAGE) & (rank == 0)
    page = np.where(entry, rng.integers(0, 3, len(visit)), PAGE_OF_KIND[kind])
    plain = (kind == PAGE) & (rng.random(len(visit)) < 0.06)
    page = np.where(plain, rng.integers(3, 5, len(visit)), page)
    category = np.where((page == 0) | (kind == LOGIN) | plain, -1, category)

    words = [query for queries in pools.SEARCHES.values() for query in queries]
    sizes = np.array([len(queries) for queries in pools.SEARCHES.values()])
    base = np.cumsum(sizes) - sizes
    word = base[category] + (rng.random(len(visit)) * sizes[category]).astype(int)
    query = np.where((kind == SEARCH) & (category >= 0), word, -1)
    referrer = choose(REFERRER_SHARE[intent], rng)
    events = pa.table(
        {
            "visitor_id": visitor_text.take(pa.array(visitor[visit])),
            "source_id": records.source_ids(np.where(identified, account[visit], -1)),
            "at": clock.at(day[visit], minute),
            "kind": pick(KINDS, kind),
            "page": pick(PAGES, page),
            "category": pick([c.name for c in pools.CATEGORIES], category),
            "query": pick(words, query),
            "referrer": pick(REFERRERS, np.where(rank == 0, referrer[visit], -1)),
            "device": pick(DEVICES, kind_of_device[visit]),
        },
        schema=arrow_schema(CONTRACTS["raw.web_events"]),
    )
    pairs = np.unique(visitor.astype(np.int64) * len(people) + person)
    links = pa.table(
        {
            "visitor_id": visitor_text.take(pa.array(pairs // len(people))),
            "person_id": people.ids.take(pa.array(pairs % len(people))),
        },
        schema=arrow_schema(CONTRACTS["truth.visitor_links"]),
    )
    return Web(events=events, visitor_links=links)


def make_social(
    *,
    people: People,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> pa.Table:
    """Follows, likes and mentions, in the contract `raw.social`."""
    chance = np.clip(0.30 - people.age / 300, 0.03, 0.25) * np.clip(traits.digital + 0.3, 0, 2)
    users = np.flatnonzero(rng.random(len(people)) < chance)
    who, rank = segment_positions(1 + rng.poisson(3.0, len(users)))
    person = users[who]
    joined = np.clip(traits.join_day[person], 0, clock.days - 1)
    day = joined + (rng.random(len(person)) * (clock.days - joined)).astype(int)
    kind = np.where(rank == 0, 0, rng.choice([1, 2, 3], size=len(person), p=[0.75, 0.17, 0.08]))
    delegates = rng.random(len(people)) < 0.30
    account = np.where(delegates[person], records.at(person, np.full(len(person), WEB), day), -1)
    network = rng.choice(3, size=len(people), p=[0.55, 0.35, 0.10])
    alias = rng.integers(1, 9999, len(people))
    name = ascii_fold(people.nick.take(pa.array(person)))
    order = np.lexsort((person, day))
    table = pa.table(
        {
            "network": pick(("instagram", "facebook", "tiktok"), network[person]),
            "handle": concat("@", name, ".", digits(alias[person])),
            "source_id": records.source_ids(account),
            "at": clock.at(day, 480 + 900 * rng.beta(2.6, 1.6, len(person))),
            "kind": pick(("follow", "like", "mention", "share"), kind),
        },
        schema=arrow_schema(CONTRACTS["raw.social"]),
    )
    return table.take(pa.array(order))


def _visits(
    traits: Traits,
    orders: pd.DataFrame,
    clicks: pd.DataFrame,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Visits: person, day, minute, intent, order (row of `orders`, -1 for none)."""
    start = np.clip(traits.join_day - 20, 0, clock.days)
    # Those who left still come by now and then.
    end = np.clip(np.where(traits.buyer, leave_day + 60, clock.days), start, clock.days)
    mean = BROWSES * traits.digital * clock.shopping_days(start, end) / 365.25
    person, _ = segment_positions(rng.poisson(mean))
    day = clock.place(rng.random(len(person)), start[person], end[person])
    browse = pd.DataFrame({"person": person, "day": day, "intent": BROWSE, "order": -1})

    buyer = orders["person"].to_numpy()
    online = orders["system"].to_numpy() == WEB
    mean = np.where(online, *SEARCHES_BEFORE) * (traits.digital[buyer] > 0)
    order, _ = segment_positions(rng.poisson(mean))
    before = np.maximum(orders["day"].to_numpy()[order] - rng.integers(1, 11, len(order)), 0)
    research = pd.DataFrame(
        {"person": buyer[order], "day": before, "intent": RESEARCH, "order": order}
    )
    looked = pd.concat([browse, research], ignore_index=True)
    looked["minute"] = 450 + 940 * rng.beta(2.6, 1.6, len(looked))

    bought = np.flatnonzero(online)
    buy = orders.loc[online, ["person", "day", "minute"]].assign(intent=BUY, order=bought)
    came = clicks.assign(intent=CLICK, order=-1)
    visits = pd.concat([looked, buy, came], ignore_index=True)
    return visits.sort_values(["day", "minute", "person"], kind="stable", ignore_index=True)


def _devices(
    people: People, person: np.ndarray, intent: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Device of each visit and what it is: own mobile, own desktop, or the home's tablet."""
    n = len(people)
    homes = int(people.household[-1]) + 1
    size = np.bincount(people.household, minlength=homes)
    second = rng.random(n) < SECOND_DEVICE_SHARE
    shared = (rng.random(homes) < SHARED_DEVICE_SHARE) & (size > 1)
    home = people.household[person]
    weight = np.column_stack(
        [
            np.where(intent == BUY, 0.45, 0.65),
            second[person] * np.where(intent == BUY, 0.50, 0.30),
            shared[home] * 0.20,
        ]
    )
    kind = choose(weight, rng)
    device = np.select([kind == 0, kind == 1], [person * 2, person * 2 + 1], 2 * n + home)
    return device, kind


def _hit_categories(
    visits: pd.DataFrame,
    visit: np.ndarray,
    traits: Traits,
    orders: pd.DataFrame,
    rng: np.random.Generator,
) -> np.ndarray:
    """Category looked at: what is bought in the end, else what the person likes."""
    liked = choose(traits.taste[visits["person"].to_numpy()], rng)
    order = visits["order"].to_numpy()
    wanted = np.where(order >= 0, orders["category"].to_numpy()[order], liked)
    wander = rng.random(len(visit)) < 0.25
    elsewhere = rng.integers(0, len(pools.CATEGORIES), len(visit))
    return np.where(wander, elsewhere, wanted[visit])
