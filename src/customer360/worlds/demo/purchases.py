"""Purchases: when, where, what, for how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import DELIVERIES, draw_bad
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import (
    ascii_fold,
    choose,
    concat,
    digits,
    pick,
    segment_positions,
)
from customer360.worlds.demo.traits import (
    CALLCENTRE,
    CYCLES,
    SELLING,
    SYSTEMS,
    TILL,
    WEB,
    Traits,
    cycle_window,
)

__all__ = ["Catalogue", "furnish", "make_catalogue", "make_lines", "visit_days"]

PRODUCTS_PER_CATEGORY = 40
INFLATION = 0.02
HOME, RELAY, COLLECT, TAKEAWAY = range(len(DELIVERIES))
PAYMENTS = ("card", "paypal", "instalments", "cash", "cheque", "gift_card")
# Means of payment by system and by the person's habit (0, 1, 2).
PAYMENT_OF = {TILL: (0, 3, 4), WEB: (0, 1, 2), CALLCENTRE: (0, 4, 0)}
UNPAID_SHARE = np.array([0.003, 0.003, 0.045, 0.0, 0.035, 0.0])
RETURNED_SHARE = {TILL: 0.02, WEB: 0.045, CALLCENTRE: 0.04}
LINES_SHARE = (0.42, 0.27, 0.16, 0.09, 0.06)
DEPTHS = np.array([0.10, 0.20, 0.30, 0.50])
# Sales: from, to, share of lines on promotion.
SALES = (("01-08", "02-04", 0.45), ("06-25", "07-22", 0.45), ("11-22", "11-30", 0.50))
COMPLEMENT_SHARE = 0.5


@dataclass(frozen=True)
class Catalogue:
    """Products, sorted by price within each category.

    Attributes
    ----------
    price, unit_cost : array of float, categories by products
    table : Arrow table in the contract `raw.products`
    """

    price: np.ndarray
    unit_cost: np.ndarray
    table: pa.Table


def make_catalogue(*, rng: np.random.Generator) -> Catalogue:
    """Draw prices and costs of the products."""
    shape = (len(pools.CATEGORIES), PRODUCTS_PER_CATEGORY)
    median = np.array([category.price for category in pools.CATEGORIES])[:, None]
    margin = np.array([category.margin for category in pools.CATEGORIES])[:, None]
    price = np.sort(np.floor(median * np.exp(rng.normal(0, 0.55, shape))) + 0.90, axis=1)
    kept = np.clip(margin + rng.normal(0, 0.06, shape), 0.05, 0.75)
    cost = np.round(price * (1 - kept), 2)
    row, column = np.divmod(np.arange(price.size), PRODUCTS_PER_CATEGORY)
    words = [name for category in pools.CATEGORIES for name in category.products]
    word = rng.permuted(np.tile(np.arange(shape[1]) // 2, (shape[0], 1)), axis=1).ravel()
    name = pick(words, row * (shape[1] // 2) + word)
    model = pick((" premier prix", "", " grand modèle", " édition limitée"), column // 10)
    table = pa.table(
        {
            "product_id": _product_ids(row, column),
            "name": concat(name, model),
            "category": pick([category.name for category in pools.CATEGORIES], row),
            "price": price.ravel(),
            "unit_cost": cost.ravel(),
        },
        schema=arrow_schema(CONTRACTS["raw.products"]),
    )
    return Catalogue(price=price, unit_cost=cost, table=table)


def visit_days(*, traits: Traits, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """Every purchase that would be made if nothing went wrong: person and day.

    One row per purchase, in the order of person and day.
    """
    regular = traits.buyer & (traits.cycle < 0)
    start = np.clip(traits.join_day, 0, clock.days)
    end = np.clip(traits.leave_day, start, clock.days)
    mean = traits.rate / 365.25 * clock.shopping_days(start, end)
    count = rng.poisson(np.where(regular, mean, 0.0))
    person, _ = segment_positions(count)
    day = clock.place(rng.random(len(person)), start[person], end[person])
    newcomers = np.flatnonzero(regular & (traits.join_day >= 0))
    people, days = [person, newcomers], [day, traits.join_day[newcomers]]
    for number, cycle in enumerate(CYCLES):
        for year in clock.years:
            first, last = cycle_window(cycle=cycle, year=year, clock=clock)
            opens = np.maximum(np.maximum(first, traits.join_day), 0)
            closes = np.minimum(np.minimum(last, clock.days - 1), traits.leave_day)
            here = (traits.cycle == number) & (opens <= closes)
            visits = np.where(here, 1 + rng.binomial(2, np.clip((traits.rate - 1) / 2, 0, 1)), 0)
            who, _ = segment_positions(visits)
            width = (closes - opens + 1)[who]
            people.append(who)
            days.append(opens[who] + (rng.random(len(who)) * width).astype(int))
    person, day = np.concatenate(people), np.concatenate(days)
    order = np.lexsort((day, person))
    return pd.DataFrame({"person": person[order], "day": day[order]})


def furnish(
    *,
    visits: pd.DataFrame,
    traits: Traits,
    records: Records,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Say where each purchase is made, how paid and delivered, and what goes wrong.

    Returns
    -------
    DataFrame
        One row per purchase: person, day, minute (of the Paris day), system, record
        (row in `Records`), delivery, payment, bad (number into `BAD`).
    """
    person = visits["person"].to_numpy()
    day = visits["day"].to_numpy()
    n = len(person)
    open_day = clock.open_day[day]
    wish = np.column_stack([traits.store[person], 1 - traits.store[person], np.full(n, 0.06)])
    known = np.column_stack(
        [
            records.at(person, np.full(n, system), day if system == WEB else open_day) >= 0
            for system in SELLING
        ]
    )
    system = np.array(SELLING)[choose(wish * known + 1e-9 * known, rng)]
    day = np.where(system == WEB, day, open_day)

    shop = 570 + 595 * rng.beta(2.0, 1.8, n)
    site = 550 + 830 * rng.beta(2.4, 1.7, n)
    call = 545 + 560 * rng.random(n)
    minute = np.select([system == WEB, system == TILL], [site, shop], call)

    own = np.where(rng.random(n) < 0.75, traits.delivery[person], rng.integers(0, 3, n))
    delivery = np.select([system == TILL, system == WEB], [TAKEAWAY, own], HOME)
    habit = np.where(rng.random(n) < 0.8, traits.payment[person], rng.integers(0, 3, n))
    means = np.zeros((len(SYSTEMS), 3), dtype=int)
    for selling, choices in PAYMENT_OF.items():
        means[selling] = choices
    payment = np.where(rng.random(n) < 0.02, PAYMENTS.index("gift_card"), means[system, habit])
    return pd.DataFrame(
        {
            "person": person,
            "day": day,
            "minute": minute,
            "system": system,
            "record": records.at(person, system, day),
            "delivery": delivery,
            "payment": payment,
            "bad": draw_bad(delivery, rng),
        }
    )


def make_lines(
    *,
    orders: pd.DataFrame,
    state: np.ndarray,
    traits: Traits,
    records: Records,
    catalogue: Catalogue,
    offer_ids: list[str],
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pa.Table]:
    """Fill the baskets.

    Parameters
    ----------
    orders : DataFrame
        As `furnish` returns it, plus `offer` (number into `offer_ids`, -1 for none)
        and `depth` (reduction the offer gives, as a share of the price).
    state : array of float
        Dissatisfaction at each order: it makes people trade down.

    Returns
    -------
    orders : DataFrame
        The same with `order_id` (Arrow-backed text) and `amount`.
    lines : Arrow table in the contract `raw.orders`
    """
    n = len(orders)
    order, rank = segment_positions(1 + rng.choice(5, size=n, p=LINES_SHARE))
    category = _categories(orders, traits, clock, order, rank, rng)
    person = orders["person"].to_numpy()[order]
    day = orders["day"].to_numpy()[order]
    system = orders["system"].to_numpy()[order]

    # Products are sorted by price: high spenders draw high ranks.
    level = (traits.spend[person] * np.exp(-0.3 * state[order])) ** 1.6
    product = (rng.random(len(order)) ** (1 / level) * PRODUCTS_PER_CATEGORY).astype(int)
    past_years = (clock.days - 1 - day) / 365.25
    inflation = (1 + INFLATION) ** -past_years
    price = np.round(catalogue.price[category, product] * inflation, 2)
    cost = np.round(catalogue.unit_cost[category, product] * inflation, 2)
    quantity = 1 + rng.poisson(np.where(price < 12, 0.55, 0.12))
    depth = _promotions(orders["day"].to_numpy(), traits, clock, rng, order, person)
    depth = np.maximum(depth, orders["depth"].to_numpy()[order])
    full = quantity * price
    discount = np.round(full * depth, 2)
    amount = np.round(full - discount, 2)

    payment = orders["payment"].to_numpy()
    unpaid = rng.random(n) < UNPAID_SHARE[payment]
    returned_share = np.zeros(len(SYSTEMS))
    for selling, share in RETURNED_SHARE.items():
        returned_share[selling] = share
    broken = (orders["bad"].to_numpy()[order] == 2) & (rank == 0)
    returned = rng.random(len(order)) < np.where(broken, 0.5, returned_share[system])
    status = np.where(unpaid[order], 2, returned.astype(int))

    order_id = _order_ids(orders)
    offer = orders["offer"].to_numpy()[order]
    record = orders["record"].to_numpy()[order]
    at = clock.at(orders["day"].to_numpy(), orders["minute"].to_numpy())[order]
    table = pa.table(
        {
            "source": pick(SYSTEMS, system),
            "source_id": records.source_ids(record),
            "order_id": order_id.take(pa.array(order)),
            "line_no": digits(rank + 1),
            "ordered_at": at,
            "product_id": _product_ids(category, product),
            "category": pick([c.name for c in pools.CATEGORIES], category),
            "quantity": quantity.astype(float),
            "amount": amount,
            "discount": discount,
            "coupon_id": pick(offer_ids, offer),
            "unit_cost": cost,
            "channel": pick(("crm", "store", "web", "newsletter", "phone"), system),
            "payment": pick(PAYMENTS, payment[order]),
            "delivery": pick(DELIVERIES, orders["delivery"].to_numpy()[order]),
            "status": pick(("paid", "returned", "unpaid"), status),
        },
        schema=arrow_schema(CONTRACTS["raw.orders"]),
    )
    brought_in = np.bincount(order, weights=amount * (status == 0), minlength=n)
    first_category = category[rank == 0]
    return orders.assign(amount=brought_in, category=first_category), table


def _categories(
    orders: pd.DataFrame,
    traits: Traits,
    clock: Clock,
    order: np.ndarray,
    rank: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Category of each line: taste and season, then what goes with the first line."""
    names = [category.name for category in pools.CATEGORIES]
    season = np.array([category.season for category in pools.CATEGORIES]).T
    popular = np.array([category.popularity for category in pools.CATEGORIES])
    along = np.array(
        [[pools.AFFINITIES[name].get(other, 0.0) for other in names] for name in names]
    )
    month = clock.month[orders["day"].to_numpy()] - 1
    weight = traits.taste[orders["person"].to_numpy()] * season[month] * popular
    leading = choose(weight, rng)
    category = leading[order]
    later = np.flatnonzero(rank > 0)
    goes_with = rng.random(len(later)) < COMPLEMENT_SHARE
    drawn = choose(np.where(goes_with[:, None], along[category[later]], weight[order[later]]), rng)
    category[later] = drawn
    return category


def _promotions(
    order_day: np.ndarray,
    traits: Traits,
    clock: Clock,
    rng: np.random.Generator,
    order: np.ndarray,
    person: np.ndarray,
) -> np.ndarray:
    """Reduction on each line, as a share of its price."""
    share_of_day = np.full(clock.days, 0.10)
    for first, last, share in SALES:
        for year in clock.years:
            start = max(clock.number_of(f"{year}-{first}"), 0)
            stop = max(clock.number_of(f"{year}-{last}") + 1, 0)
            share_of_day[start:stop] = share
    chance = share_of_day[order_day][order] * (0.4 + 1.8 * traits.promo[person])
    on_promotion = rng.random(len(order)) < chance
    deep = rng.choice(DEPTHS, size=len(order), p=[0.35, 0.35, 0.20, 0.10])
    return np.where(on_promotion, deep, 0.0)


def _order_ids(orders: pd.DataFrame) -> pa.StringArray:
    """Numbers given in order of time within each system: T0000001, W0000001..."""
    system = orders["system"].to_numpy()
    when = orders["day"].to_numpy() * 1440.0 + orders["minute"].to_numpy()
    sequence = np.lexsort((orders["person"].to_numpy(), when, system))
    rank = np.empty(len(orders), dtype=np.int64)
    ordered = system[sequence]
    rank[sequence] = np.arange(len(orders)) - np.searchsorted(ordered, ordered)
    return concat(pick(("C", "T", "W", "N", "A"), system), digits(rank + 1, 7))


def _product_ids(category: np.ndarray, product: np.ndarray) -> pa.StringArray:
    codes = ascii_fold(pa.array([c.name[:3].upper() for c in pools.CATEGORIES])).to_pylist()
    return concat(pick(codes, category), "-", digits(product + 1, 3))
