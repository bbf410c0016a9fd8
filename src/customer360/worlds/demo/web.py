"""Visits to the site: anonymous until a log-in, on several devices, some shared.

People come to look around, because of a message, because of an event of life, and in the
days before they buy, in the shop too. What drives a visit (its intent) is never written
down; it shows in how deep the visit goes, which also varies by chance: some who will buy
only glance, and some carts are filled for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, LIFE_EVENTS, arrow_schema
from customer360.worlds.demo import goods
from customer360.worlds.demo.chunk import WHOLE, Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.milestones import EFFECTS, Milestones
from customer360.worlds.demo.people import NEVER, People
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import ascii_fold, choose, concat, digits, pick, segment_positions
from customer360.worlds.demo.traits import WEB, Traits

__all__ = ["REFERRERS", "Web", "make_social", "make_web"]

# Visits a year that lead to nothing, for average eagerness: tunes the number of hits.
BROWSES_A_YEAR = 5.5
VISITS_BEFORE = (1.1, 0.5)  # visits in the ten days before an online, a shop purchase
VISITS_AROUND_EVENT = 3.0  # more visits around an event of life, for average eagerness
LOOK_AHEAD_DAYS = 10
LOGIN_SHARE = 0.20
CHECKOUT_LOGIN_SHARE = 0.97  # the others order as guests
COOKIE_DAYS = (395, 60)  # kept for the thirteen months that the CNIL allows, or wiped often
WIPES_SHARE = 0.15
SHARED_DEVICE_SHARE = 0.35
SECOND_DEVICE_SHARE = 0.45
STRAY_SHARE = 0.015  # searches on somebody else's event of life

# How deep a visit goes, by what drives it.
BROWSE, BEFORE_SHOP, BEFORE_ONLINE, CLICK, BUY = range(5)
BOUNCE, LOOK, STUDY, BASKET, CHECKOUT = range(5)
DEPTH_SHARE = np.array(
    [
        (0.42, 0.43, 0.12, 0.03, 0.0),
        (0.14, 0.36, 0.40, 0.10, 0.0),
        (0.10, 0.27, 0.38, 0.25, 0.0),
        (0.38, 0.40, 0.15, 0.07, 0.0),
        (0.00, 0.00, 0.00, 0.00, 1.0),
    ]
)
FEWEST_HITS = np.array([1, 2, 3, 4, 4])
EXTRA_HITS = np.array([0.0, 1.3, 4.0, 3.5, 3.0])  # mean hits beyond, for average eagerness
WANDER_SHARE = np.array([0.30, 0.30, 0.15, 0.12, 0.08])  # hits on any other category

PAGES = ("accueil", "categorie", "produit", "livraison", "magasins", "recherche", "panier",
         "commande", "connexion")  # fmt: skip
SEARCH_PAGE, CART_PAGE, ORDER_PAGE, LOGIN_PAGE = range(5, 9)
KINDS = ("page", "search", "cart", "order", "login")
KIND_OF_PAGE = np.array([0, 0, 0, 0, 0, 1, 2, 3, 4], dtype=np.int8)
HAS_CATEGORY = np.array([False, True, True, False, False, True, True, True, False])
# What the first hit, then each later one, is on: shares of PAGES by depth. Orders,
# log-ins and the cart of each basket come on top.
LANDING_SHARE = np.array(
    [
        (0.36, 0.26, 0.30, 0.02, 0.06, 0.00, 0.0, 0.0, 0.0),
        (0.36, 0.28, 0.26, 0.02, 0.04, 0.04, 0.0, 0.0, 0.0),
        (0.26, 0.28, 0.34, 0.01, 0.03, 0.08, 0.0, 0.0, 0.0),
        (0.24, 0.24, 0.42, 0.01, 0.01, 0.08, 0.0, 0.0, 0.0),
        (0.26, 0.24, 0.40, 0.01, 0.01, 0.08, 0.0, 0.0, 0.0),
    ]
)
PAGE_SHARE = np.array(
    [
        (0.00, 1.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.0, 0.0),
        (0.06, 0.40, 0.40, 0.02, 0.03, 0.08, 0.01, 0.0, 0.0),
        (0.02, 0.21, 0.52, 0.02, 0.03, 0.17, 0.03, 0.0, 0.0),
        (0.01, 0.16, 0.55, 0.04, 0.01, 0.13, 0.10, 0.0, 0.0),
        (0.01, 0.18, 0.57, 0.04, 0.00, 0.12, 0.08, 0.0, 0.0),
    ]
)
REFERRERS = ("direct", "google", "comparateur", "instagram", "facebook", "newsletter", "sms",
             "social_ad", "banner")  # fmt: skip
NEWSLETTER_REFERRER = REFERRERS.index("newsletter")
# A visit comes from a message only after a click in it.
REFERRER_SHARE = np.array(
    [
        (0.30, 0.44, 0.08, 0.11, 0.07),
        (0.27, 0.50, 0.15, 0.05, 0.03),
        (0.26, 0.50, 0.17, 0.04, 0.03),
        (1.00, 0.00, 0.00, 0.00, 0.00),
        (0.46, 0.36, 0.10, 0.05, 0.03),
    ]
)
DEVICES = ("mobile", "desktop", "tablet")
# Share of the searches around an event of life that are about it.
EVENT_QUERY_SHARE = np.array([0.35, 0.40, 0.35, 0.10, 0.25])
QUERY_GROUPS = (*goods.SEARCHES.values(), *goods.EVENT_SEARCHES.values())
QUERIES = tuple(query for group in QUERY_GROUPS for query in group)
SLOTS = 1000  # of the wheels that draws are made on

NETWORKS = ("instagram", "facebook", "tiktok")
REACTIONS = ("follow", "like", "mention", "share")


@dataclass(frozen=True)
class Web:
    """Hits on the site, and who was behind each device and each visit.

    Attributes
    ----------
    events : Arrow table in the contract `raw.web_events`
    visitor_links : Arrow table in the contract `truth.visitor_links`
    visits : Arrow table in the contract `truth.visits`
    """

    events: pa.Table
    visitor_links: pa.Table
    visits: pa.Table


def make_web(
    *,
    people: People,
    traits: Traits,
    records: Records,
    milestones: Milestones,
    orders: pd.DataFrame,
    clicks: pd.DataFrame,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
    chunk: Chunk = WHOLE,
) -> Web:
    """Make every hit of every visit.

    Parameters
    ----------
    orders : DataFrame
        Purchases with person, day, minute, system and category (number) of the first
        line, in the order of day.
    clicks : DataFrame
        Visits that follow a click in a message: person, day, minute, and referrer (a
        number into REFERRERS; the newsletter where the column is absent).
    leave_day : array of int
        Day on which each person stops being a customer.
    chunk : Chunk
        Keeps visitors unlike those of other chunks.
    """
    visits = _visits(traits, milestones, orders, clicks, leave_day, clock, rng)
    person = visits["person"].to_numpy()
    day = visits["day"].to_numpy()
    intent = visits["intent"].to_numpy()
    n = len(visits)

    device, kind_of_device = _devices(people, person, intent == BUY, rng)
    visitor, visitors = _cookies(device, day, clock, rng)
    # Numbers in random order: neighbours must not look related.
    shuffled = rng.permutation(visitors * 7)[:visitors]
    visitor_text = concat("v", digits(chunk.numbers(shuffled), 8))

    depth = _spin(DEPTH_SHARE, intent, rng)
    account = records.at(person, np.full(n, WEB), day)
    draw = rng.random(n, dtype=np.float32)
    logs_in = (account >= 0) & (depth != BOUNCE)
    logs_in &= draw < np.where(intent == BUY, CHECKOUT_LOGIN_SHARE, LOGIN_SHARE)
    eagerness = np.clip(0.75 + 0.25 * traits.digital, 0.75, 2.0)
    extra = rng.poisson(EXTRA_HITS[depth] * eagerness[person])
    hits = FEWEST_HITS[depth] + extra + (logs_in & (intent != BUY))

    end = np.cumsum(hits)
    start = end - hits
    visit = np.repeat(np.arange(n, dtype=np.int32), hits)
    # A buyer logs in just before the cart is paid, any other at the start of the visit.
    login = start + np.where(intent == BUY, hits - 3, rng.integers(0, 2, n))
    page = _pages(depth, visit, start, rng)
    baskets = np.flatnonzero(depth == BASKET)
    page[end[baskets] - 1 - rng.integers(0, 2, len(baskets))] = CART_PAGE
    checkouts = np.flatnonzero(depth == CHECKOUT)
    page[end[checkouts] - 2] = CART_PAGE
    page[end[checkouts] - 1] = ORDER_PAGE
    page[login[logs_in]] = LOGIN_PAGE
    known = np.where(logs_in, account, -1).astype(np.int32)[visit]
    known[np.arange(len(visit)) < login[visit]] = -1

    event = milestones.near(person, day)
    category = _categories(visits, depth, event, visit, traits, milestones, orders, rng)
    query = np.full(len(visit), -1, dtype=np.int16)
    searches = np.flatnonzero(page == SEARCH_PAGE)
    query[searches], category[searches] = _queries(category[searches], event[visit[searches]], rng)
    category[~HAS_CATEGORY[page]] = -1

    referrer = np.full(len(visit), -1, dtype=np.int8)
    referrer[start] = visits["referrer"].to_numpy()
    at = _moments(visits, intent == BUY, visit, start, end, clock, rng)
    events = pa.table(
        {
            "visitor_id": visitor_text.take(pa.array(visitor[visit])),
            "source_id": records.source_ids(known),
            "at": at,
            "kind": pick(KINDS, KIND_OF_PAGE[page]),
            "page": pick(PAGES, page),
            "category": pick(goods.CATEGORY_NAMES, category),
            "query": pick(QUERIES, query),
            "referrer": pick(REFERRERS, referrer),
            "device": pick(DEVICES, kind_of_device[visit]),
        },
        schema=arrow_schema(CONTRACTS["raw.web_events"]),
    )
    pairs = np.unique(visitor * np.int64(len(people)) + person)
    links = pa.table(
        {
            "visitor_id": visitor_text.take(pa.array(pairs // len(people))),
            "person_id": people.ids.take(pa.array(pairs % len(people))),
        },
        schema=arrow_schema(CONTRACTS["truth.visitor_links"]),
    )
    behind = pa.table(
        {
            "visitor_id": visitor_text.take(pa.array(visitor)),
            "at": at[start],
            "person_id": people.ids.take(pa.array(person)),
        },
        schema=arrow_schema(CONTRACTS["truth.visits"]),
    )
    return Web(events=events, visitor_links=links, visits=behind)


def make_social(
    *,
    people: People,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
    chunk: Chunk = WHOLE,
) -> pa.Table:
    """Follows, then likes, mentions and shares, in the contract `raw.social`.

    Some log in to the site with their network: their rows carry the web account.
    """
    chance = np.clip(0.30 - people.age / 300, 0.03, 0.25) * np.clip(traits.digital + 0.3, 0, 2)
    users = np.flatnonzero(rng.random(len(people)) < chance)
    n = len(users)
    joined = np.clip(traits.join_day[users], 0, clock.days - 1)
    followed = joined + rng.beta(1, 2, n) * (clock.days - joined)
    network = rng.choice(len(NETWORKS), size=n, p=[0.55, 0.35, 0.10])
    delegates = rng.random(n) < 0.30
    # Shuffled: the number of a handle must not tell whose neighbour it is.
    alias = chunk.numbers(rng.permutation(n))
    handle = concat("@", ascii_fold(people.nick.take(pa.array(users))), ".", digits(alias))

    user, rank = segment_positions(1 + rng.poisson(3.0, n))
    rows = len(user)
    later = np.where(rank == 0, 0.0, rng.random(rows))
    day = (followed[user] + later * (clock.days - followed[user])).astype(np.int64)
    reaction = np.where(rank == 0, 0, rng.choice([1, 2, 3], size=rows, p=[0.75, 0.17, 0.08]))
    # A follow opens the day, so that nothing comes before it.
    minute = np.where(rank == 0, 420.0, 480 + 900 * rng.beta(2.6, 1.6, rows))
    account = records.at(users[user], np.full(rows, WEB), day)
    order = np.lexsort((rank, user, minute, day))
    user, day = user[order], day[order]
    return pa.table(
        {
            "network": pick(NETWORKS, network[user]),
            "handle": handle.take(pa.array(user)),
            "source_id": records.source_ids(np.where(delegates[user], account[order], -1)),
            "at": clock.at(day, minute[order]),
            "kind": pick(REACTIONS, reaction[order]),
        },
        schema=arrow_schema(CONTRACTS["raw.social"]),
    )


def _visits(
    traits: Traits,
    milestones: Milestones,
    orders: pd.DataFrame,
    clicks: pd.DataFrame,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Visits in the order of time.

    Person, day, minute, intent, order (row of `orders`, -1 for none) and referrer.
    """
    first = np.clip(traits.join_day - 20, 0, clock.days)
    # Those who left still come by now and then.
    last = np.clip(np.where(traits.buyer, leave_day + 60, clock.days), first, clock.days)
    mean = BROWSES_A_YEAR * traits.digital * clock.shopping_days(first, last) / 365.25
    person, _ = segment_positions(rng.poisson(mean))
    day = clock.place(rng.random(len(person)), first[person], last[person])

    who, kind = np.nonzero(milestones.day < NEVER)
    event, _ = segment_positions(rng.poisson(VISITS_AROUND_EVENT * traits.digital[who]))
    window = np.array([(e.days_before, min(e.days_after, 120)) for e in EFFECTS.values()])
    before, after = window[kind[event]].T
    around = milestones.day[who, kind][event] - before
    around += (rng.random(len(event)) * (before + after)).astype(np.int64)
    drawn_by = who[event]
    there = (around >= first[drawn_by]) & (around < last[drawn_by])
    looks = pd.DataFrame(
        {
            "person": np.concatenate([person, drawn_by[there]]),
            "day": np.concatenate([day, around[there]]),
            "intent": BROWSE,
            "order": -1,
        }
    )

    buyer, bought_on = orders["person"].to_numpy(), orders["day"].to_numpy()
    online = orders["system"].to_numpy() == WEB
    eager = np.where(traits.digital > 0, np.clip(traits.digital, 0.5, 1.5), 0.0)[buyer]
    order, _ = segment_positions(rng.poisson(np.where(online, *VISITS_BEFORE) * eager))
    minute = _minutes(len(order), rng)
    ahead = np.minimum(rng.exponential(3.5, len(order)), LOOK_AHEAD_DAYS).astype(np.int64)
    too_late = minute > orders["minute"].to_numpy()[order] - 30
    day = bought_on[order] - np.maximum(ahead, too_late)
    seen = day >= 0
    prepares = pd.DataFrame(
        {
            "person": buyer[order],
            "day": day,
            "minute": minute,
            "intent": np.where(online[order], BEFORE_ONLINE, BEFORE_SHOP),
            "order": order,
        }
    )[seen]

    visits = pd.concat(
        [
            looks.assign(minute=_minutes(len(looks), rng)),
            prepares,
            orders.loc[online, ["person", "day", "minute"]].assign(
                intent=BUY, order=np.flatnonzero(online)
            ),
            clicks[["person", "day", "minute"]].assign(intent=CLICK, order=-1),
        ],
        ignore_index=True,
    ).astype({"person": np.int32, "day": np.int32, "intent": np.int8, "order": np.int32})
    referrer = _spin(REFERRER_SHARE, visits["intent"].to_numpy(), rng)
    if len(clicks):
        referrer[-len(clicks) :] = clicks.get("referrer", NEWSLETTER_REFERRER)
    visits["referrer"] = referrer
    moment = visits["day"].to_numpy() * np.int64(86_400)
    moment += (visits["minute"].to_numpy() * 60).astype(np.int64)
    return visits.iloc[np.argsort(moment, kind="stable")]


def _minutes(visits: int, rng: np.random.Generator) -> np.ndarray:
    """Minute of the day at which people come: mostly in the evening."""
    return 450 + 940 * rng.beta(2.6, 1.6, visits)


def _spin(shares: np.ndarray, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column of `shares` for each row number.

    Each row is a wheel of a thousand slots: one look-up a draw, where `choose` compares
    with every column.
    """
    bound = np.cumsum(shares, axis=1)
    slot = (np.arange(SLOTS) + 0.5) / SLOTS
    wheel = (slot[:, None] >= (bound / bound[:, -1:])[:, None, :-1]).sum(axis=2).astype(np.int8)
    draw = rng.integers(0, SLOTS, len(row), dtype=np.int16)
    return wheel.ravel()[row.astype(np.int32) * SLOTS + draw]


def _devices(
    people: People, person: np.ndarray, buys: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Device of each visit and what it is: own mobile, own desktop, or the home's tablet."""
    n = len(people)
    homes = int(people.household[-1]) + 1
    size = np.bincount(people.household, minlength=homes)
    second = rng.random(n) < SECOND_DEVICE_SHARE
    shared = (rng.random(homes) < SHARED_DEVICE_SHARE) & (size > 1)
    home = people.household[person]
    mobile = np.where(buys, 0.45, 0.65)
    own = mobile + second[person] * np.where(buys, 0.50, 0.30)
    draw = rng.random(len(person)) * (own + shared[home] * 0.20)
    kind = (draw >= mobile).astype(np.int8) + (draw >= own)
    device = np.where(kind == 2, 2 * n + home, person * 2 + kind)
    return device, kind


def _cookies(
    device: np.ndarray, day: np.ndarray, clock: Clock, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Visitor behind each visit, and how many there are.

    A cookie lives for a time: the same device comes back under another name.
    """
    devices = int(device.max(initial=0)) + 1
    usual, wiped = COOKIE_DAYS
    life = np.where(rng.random(devices) < WIPES_SHARE, wiped, usual)
    phase = (rng.random(devices) * life).astype(np.int64)
    cookies = clock.days // min(COOKIE_DAYS) + 2  # of a device at most
    key = device * cookies + (day + phase[device]) // life[device]
    number = np.cumsum(np.bincount(key) > 0) - 1
    return number[key], int(number[-1]) + 1 if len(number) else 0


def _pages(
    depth: np.ndarray, visit: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Page of each hit, drawn by the depth of its visit; the first one is a landing page."""
    wheel = (depth + len(LANDING_SHARE)).astype(np.int8)[visit]
    wheel[start] = depth
    return _spin(np.concatenate([LANDING_SHARE, PAGE_SHARE]), wheel, rng)


def _categories(
    visits: pd.DataFrame,
    depth: np.ndarray,
    event: np.ndarray,
    visit: np.ndarray,
    traits: Traits,
    milestones: Milestones,
    orders: pd.DataFrame,
    rng: np.random.Generator,
) -> np.ndarray:
    """Category of each hit: what is bought in the end, else what the person likes then."""
    person, order = visits["person"].to_numpy(), visits["order"].to_numpy()
    bound = np.cumsum(traits.taste, axis=1)
    draw = rng.random(len(visits)) * bound[:, -1][person]
    wanted = np.zeros(len(visits), dtype=np.int8)
    for column in np.ascontiguousarray(bound[:, :-1].T):
        wanted += draw >= column[person]
    turned = np.flatnonzero(event >= 0)
    who, day = person[turned], visits["day"].to_numpy()[turned]
    wanted[turned] = choose(traits.taste[who] * milestones.lift(who, day), rng)
    aims = order >= 0
    wanted[aims] = orders["category"].to_numpy()[order[aims]]
    draw = rng.integers(0, SLOTS, len(visit), dtype=np.int16)
    wanders = draw < (WANDER_SHARE * SLOTS).astype(np.int16)[depth][visit]
    return np.where(wanders, (draw % len(goods.CATEGORIES)).astype(np.int8), wanted[visit])


def _queries(
    category: np.ndarray, event: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Words of each search, as a number into QUERIES, and the category they belong to."""
    n = len(category)
    about = np.where(rng.random(n) < np.where(event >= 0, EVENT_QUERY_SHARE[event], 0), event, -1)
    stray = rng.random(n) < STRAY_SHARE
    about = np.where(stray, rng.integers(0, len(LIFE_EVENTS), n), about)
    first_lift = [goods.CATEGORY_NAMES.index(next(iter(e.lifts))) for e in EFFECTS.values()]
    category = np.where(about >= 0, np.array(first_lift)[about], category)
    group = np.where(about >= 0, len(goods.SEARCHES) + about, category)
    sizes = np.array([len(queries) for queries in QUERY_GROUPS])
    word = (rng.random(n) * sizes[group]).astype(np.int64)
    return (np.cumsum(sizes) - sizes)[group] + word, category


def _moments(
    visits: pd.DataFrame,
    buys: np.ndarray,
    visit: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> np.ndarray:
    """When each hit was made, in UTC; a visit that buys ends with its order."""
    gap = rng.standard_exponential(len(visit), dtype=np.float32)
    seconds = np.minimum(gap * 54, 360).astype(np.int32) + 3
    seconds[start] = 0
    running = np.cumsum(seconds, dtype=np.int64)
    length = running[end - 1] - running[start]
    began = (visits["minute"].to_numpy() * 60).astype(np.int64) - np.where(buys, length, 0)
    began = np.clip(began, 0, 86_399 - length)
    # Half a second: the way to minutes and back must not lose one.
    at = clock.at(visits["day"].to_numpy(), (began + 0.5) / 60).view(np.int64)
    since_midnight = (at - running[start] * 10**6)[visit]
    return (since_midnight + running * 10**6).view("datetime64[us]")
