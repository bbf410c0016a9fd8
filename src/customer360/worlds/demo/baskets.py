"""What is in the baskets: products, prices that move, promotions, returns, bills unpaid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import ndtr

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import goods
from customer360.worlds.demo.chunk import WHOLE, Chunk
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import BAD, DELIVERIES
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.milestones import Milestones
from customer360.worlds.demo.purchases import PAYMENT_OF, PAYMENTS, system_shares
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

__all__ = [
    "INFLATION",
    "Catalogue",
    "OrderValue",
    "expected_order",
    "make_catalogue",
    "make_lines",
    "redeem",
]

PRODUCTS_PER_CATEGORY = 40
INFLATION = 0.02
# Prices of a category stay for six weeks, then step by a normal of this spread (log).
PRICE_STEP_DAYS, PRICE_SPREAD = 42, 0.10
# Lines of an order: exp of a normal, rounded up.
LINES_MEAN, LINES_SPREAD, MOST_LINES = 0.85, 0.95, 40
SHOP_TASTE = 0.35  # share of what is bought that follows the shop, not the person
COMPLEMENT_SHARE = 0.5
LEVEL_POWER = 1.6
CHEAP, CHEAP_EXTRA, DEAR_EXTRA = 12.0, 0.55, 0.12  # units beyond the first, below and above
UNPAID_SHARE = np.array([0.003, 0.003, 0.045, 0.0, 0.035, 0.0])
RETURNED_SHARE = {TILL: 0.02, WEB: 0.045, CALLCENTRE: 0.04}
RETURNED_MOST, RETURNED_DAMAGED_SHARE = 0.6, 0.5
DEPTHS = np.array([0.10, 0.20, 0.30, 0.50])
DEPTH_SHARE = (0.35, 0.35, 0.20, 0.10)
# Sales: from, to, share of lines on promotion.
SALES = (("01-08", "02-04", 0.45), ("06-25", "07-22", 0.45), ("11-22", "11-30", 0.50))
USUAL_PROMOTION_SHARE = 0.10


@dataclass(frozen=True)
class Catalogue:
    """Products, sorted by price within each category.

    Attributes
    ----------
    price, unit_cost : array of float, categories by products
        List price and cost on the last day of the world.
    index : array of float, days by categories
        Shelf price of a category on each day, against its list price.
    table : Arrow table in the contract `raw.products`
    """

    price: np.ndarray
    unit_cost: np.ndarray
    index: np.ndarray
    table: pa.Table


def make_catalogue(*, clock: Clock, rng: np.random.Generator) -> Catalogue:
    """Draw prices and costs of the products, and how shelf prices move."""
    shape = (len(goods.CATEGORIES), PRODUCTS_PER_CATEGORY)
    median = np.array([category.price for category in goods.CATEGORIES])[:, None]
    margin = np.array([category.margin for category in goods.CATEGORIES])[:, None]
    price = np.sort(np.floor(median * np.exp(rng.normal(0, 0.55, shape))) + 0.90, axis=1)
    kept = np.clip(margin + rng.normal(0, 0.06, shape), 0.05, 0.75)
    cost = np.round(price * (1 - kept), 2)
    steps = -(-clock.days // PRICE_STEP_DAYS)
    index = np.exp(np.clip(rng.normal(0, PRICE_SPREAD, (steps, shape[0])), -0.25, 0.25))
    index = np.repeat(index, PRICE_STEP_DAYS, axis=0)[: clock.days]
    row, column = np.divmod(np.arange(price.size), PRODUCTS_PER_CATEGORY)
    words = [name for category in goods.CATEGORIES for name in category.products]
    word = rng.permuted(np.tile(np.arange(shape[1]) // 2, (shape[0], 1)), axis=1).ravel()
    name = pick(words, row * (shape[1] // 2) + word)
    model = pick((" premier prix", "", " grand modèle", " édition limitée"), column // 10)
    table = pa.table(
        {
            "product_id": _product_ids().take(pa.array(np.arange(price.size))),
            "name": concat(name, model),
            "category": pick(goods.CATEGORY_NAMES, row),
            "price": price.ravel(),
            "unit_cost": cost.ravel(),
        },
        schema=arrow_schema(CONTRACTS["raw.products"]),
    )
    return Catalogue(price=price, unit_cost=cost, index=index, table=table)


def redeem(
    *,
    orders: pd.DataFrame,
    events: pd.DataFrame,
    offers: pd.DataFrame,
    traits: Traits,
    laws: Laws,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Use a part of the offers on purchases that would have been made anyway.

    Parameters
    ----------
    orders : DataFrame
        In the order of time, with `offer` -1 where no message caused the purchase.
    events : DataFrame
        Messages delivered: person, campaign, variant, arrived_on (day).
    offers : DataFrame
        Offer of each campaign and variant: campaign, variant, offer, depth, start, end.

    Returns
    -------
    DataFrame
        `orders` with offer and depth filled where one was used. An order takes the
        newest offer that reached the person and is still open; lovers of promotions
        use theirs more often.
    """
    reached = events.merge(offers, on=["campaign", "variant"])
    free = np.flatnonzero(orders["offer"].to_numpy() < 0)
    pairs = orders[["person", "day"]].iloc[free].assign(row=free).merge(reached, on="person")
    pairs = pairs[(pairs["day"] > pairs["arrived_on"]) & (pairs["day"] <= pairs["end"])]
    pairs = pairs.sort_values(["row", "offer"], kind="stable").drop_duplicates("row", keep="last")
    love = traits.promo[pairs["person"].to_numpy()]
    keen = laws.redeemed + laws.redeemed_by_lovers * love
    pairs = pairs[rng.random(len(pairs)) < keen]
    offer, depth = orders["offer"].to_numpy().copy(), orders["depth"].to_numpy().copy()
    offer[pairs["row"]] = pairs["offer"]
    depth[pairs["row"]] = pairs["depth"]
    return orders.assign(offer=offer, depth=depth)


def make_lines(
    *,
    orders: pd.DataFrame,
    state: np.ndarray,
    traits: Traits,
    milestones: Milestones,
    records: Records,
    catalogue: Catalogue,
    offer_ids: list[str],
    offer_categories: np.ndarray,
    laws: Laws,
    clock: Clock,
    rng: np.random.Generator,
    chunk: Chunk = WHOLE,
) -> tuple[pd.DataFrame, pa.Table]:
    """Fill the baskets.

    Parameters
    ----------
    orders : DataFrame
        As `furnish` returns it, plus `bad`, `offer` (number into `offer_ids`, -1 for
        none), `depth` (reduction the offer gives, as a share of the price) and
        `campaign` (that caused it, -1 for none).
    state : array of float
        Dissatisfaction at each order: it makes people trade down.
    offer_categories : array of int
        Category each offer bears on, -1 for all; a last entry for no offer. Whoever
        comes for an offer buys in its category; other lines are not reduced by it.

    Returns
    -------
    orders : DataFrame
        The same with `order_id` (Arrow text), `category` of the first line, and what was
        paid: `amount` and `margin`.
    lines : Arrow table in the contract `raw.orders`
    """
    n = len(orders)
    lines = np.ceil(np.exp(rng.normal(LINES_MEAN, LINES_SPREAD, n))).astype(np.int64)
    order, rank = segment_positions(np.clip(lines, 1, MOST_LINES))
    offer = orders["offer"].to_numpy()
    sought = np.where(orders["campaign"].to_numpy() >= 0, offer_categories[offer], -1)
    category = _categories(orders, sought, traits, milestones, catalogue, clock, order, rank, rng)
    buyer, when = orders["person"].to_numpy(), orders["day"].to_numpy()
    person, day = buyer[order], when[order]

    # Products are sorted by price: high spenders draw high ranks.
    level = ((traits.spend[buyer] * np.exp(-laws.trading_down * state)) ** LEVEL_POWER)[order]
    product = (rng.random(len(order)) ** (1 / level) * PRODUCTS_PER_CATEGORY).astype(np.int32)
    index = catalogue.index[day, category]
    inflation = ((1 + INFLATION) ** (-(clock.days - 1 - np.arange(clock.days)) / 365.25))[day]
    price = np.round(catalogue.price[category, product] * inflation * index, 2)
    cost = np.round(catalogue.unit_cost[category, product] * inflation, 2)
    more = np.where(price < CHEAP, CHEAP_EXTRA, DEAR_EXTRA)
    quantity = 1 + rng.poisson(more * index ** (-traits.elasticity[person]))
    depth = _promotions(when, buyer, traits, clock, rng, order)
    bears_on = offer_categories[offer][order]
    offer = np.where((bears_on < 0) | (bears_on == category), offer[order], -1)
    depth = np.maximum(depth, np.where(offer >= 0, orders["depth"].to_numpy()[order], 0.0))
    full = quantity * price
    discount = np.round(full * depth, 2)
    amount = np.round(full - discount, 2)

    payment, system = orders["payment"].to_numpy(), orders["system"].to_numpy()
    unpaid = rng.random(n) < UNPAID_SHARE[payment]
    returned_share = np.zeros(len(SYSTEMS))
    for selling, share in RETURNED_SHARE.items():
        returned_share[selling] = share
    often = np.minimum(RETURNED_MOST, returned_share[system] * traits.demanding[buyer])
    chance = often[order]
    damaged = (orders["bad"].to_numpy() == BAD.index("casse"))[order] & (rank == 0)
    chance[damaged] = RETURNED_DAMAGED_SHARE
    returned = rng.random(len(order)) < chance
    status = np.where(unpaid[order], 2, returned.astype(int))

    rows = pa.array(order)
    order_id = _order_ids(orders, chunk)
    channel = pick(("crm", "store", "web", "newsletter", "phone"), system)
    record = orders["record"].to_numpy()
    columns = {
        "source": pick(SYSTEMS, system[order]),
        "source_id": records.source_ids(record).take(rows),
        "order_id": order_id.take(rows),
        "line_no": digits(np.arange(1, MOST_LINES + 1)).take(pa.array(rank)),
        "ordered_at": clock.at(when, orders["minute"].to_numpy())[order],
        "product_id": _product_ids().take(pa.array(category * PRODUCTS_PER_CATEGORY + product)),
        "category": pick(goods.CATEGORY_NAMES, category),
        "quantity": quantity.astype(float),
        "amount": amount,
        "discount": discount,
        "coupon_id": pick(offer_ids, offer),
        "unit_cost": cost,
        "channel": channel.take(rows),
        "payment": pick(PAYMENTS, payment[order]),
        "delivery": pick(DELIVERIES, orders["delivery"].to_numpy()[order]),
        "status": pick(("paid", "returned", "unpaid"), status),
    }
    paid = status == 0
    brought_in = np.bincount(order, weights=amount * paid, minlength=n)
    margin = np.bincount(order, weights=(amount - quantity * cost) * paid, minlength=n)
    table = pa.table(columns, schema=arrow_schema(CONTRACTS["raw.orders"]))
    first = category[rank == 0]
    return orders.assign(
        order_id=pd.Series(order_id.to_pandas(), index=orders.index),
        amount=brought_in,
        margin=margin,
        category=first,
    ), table


def _tastes(taste: np.ndarray) -> np.ndarray:
    """What people choose: their own taste, blended with what the shop sells to everyone."""
    popular = np.array([category.popularity for category in goods.CATEGORIES])
    return (1 - SHOP_TASTE) * taste * popular + SHOP_TASTE * popular / popular.sum()


def _along() -> np.ndarray:
    names = goods.CATEGORY_NAMES
    along = np.array(
        [[goods.AFFINITIES[name].get(other, 0.0) for other in names] for name in names]
    )
    return along / along.sum(axis=1, keepdims=True)


def _seasons() -> np.ndarray:
    return np.array([category.season for category in goods.CATEGORIES]).T


def _categories(
    orders: pd.DataFrame,
    sought: np.ndarray,
    traits: Traits,
    milestones: Milestones,
    catalogue: Catalogue,
    clock: Clock,
    order: np.ndarray,
    rank: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Category of each line: taste, season, price, life; then what goes with the first."""
    person, day = orders["person"].to_numpy(), orders["day"].to_numpy()
    weight = _tastes(traits.taste)[person] * _seasons()[clock.month[day] - 1]
    weight *= np.exp(-traits.elasticity[person][:, None] * np.log(catalogue.index)[day])
    weight *= milestones.lift(person, day)
    leading = np.where(sought >= 0, sought, choose(weight, rng))
    category = leading[order]
    later = np.flatnonzero(rank > 0)
    goes_with = rng.random(len(later)) < COMPLEMENT_SHARE
    draw = rng.random(len(later))
    beside, alone = later[goes_with], later[~goes_with]
    steps = np.cumsum(_along(), axis=1)[category[beside], :-1]
    category[beside] = (draw[goes_with][:, None] >= steps).sum(axis=1)
    steps = np.cumsum(weight, axis=1)
    steps = (steps[:, :-1] / steps[:, -1:])[order[alone]]
    category[alone] = (draw[~goes_with][:, None] >= steps).sum(axis=1)
    return category


def _promotion_share(clock: Clock) -> np.ndarray:
    share_of_day = np.full(clock.days, USUAL_PROMOTION_SHARE)
    for first, last, share in SALES:
        for year in clock.years:
            start = max(clock.number_of(f"{year}-{first}"), 0)
            stop = max(clock.number_of(f"{year}-{last}") + 1, 0)
            share_of_day[start:stop] = share
    return share_of_day


def _promotions(
    when: np.ndarray,
    buyer: np.ndarray,
    traits: Traits,
    clock: Clock,
    rng: np.random.Generator,
    order: np.ndarray,
) -> np.ndarray:
    """Reduction on each line, as a share of its price."""
    chance = (_promotion_share(clock)[when] * _eager(traits.promo[buyer]))[order]
    draw = rng.random(len(order))
    depth = np.zeros(len(order))
    reduced = np.flatnonzero(draw < chance)
    depth[reduced] = rng.choice(DEPTHS, size=len(reduced), p=DEPTH_SHARE)
    return depth


def _eager(promo: np.ndarray) -> np.ndarray:
    return 0.2 + 2.4 * promo


@dataclass(frozen=True)
class OrderValue:
    """What one order of each person brings on average.

    Attributes
    ----------
    revenue, margin : array of float
        Paid amount, and what it leaves after the cost of goods, in currency.
    """

    revenue: np.ndarray
    margin: np.ndarray


def expected_order(
    *, traits: Traits, catalogue: Catalogue, clock: Clock, trading_down: np.ndarray | float = 0.0
) -> OrderValue:
    """Revenue and margin of an average order of each person, under the true parameters.

    Parameters
    ----------
    trading_down : float or array of float
        Fall of the price level (log) that dissatisfaction brings about.

    Notes
    -----
    Exact in tastes, seasons, complements, price levels, promotions, returns and unpaid
    bills; shelf prices are taken at their average of the last day, offers and life events
    left out.
    """
    season = _seasons()
    shopping = _shopping(clock)
    traffic = np.array([np.bincount(clock.month - 1, w, minlength=12) for w in shopping])
    taste = _tastes(traits.taste)
    leading = np.zeros_like(taste)
    for month in range(12):
        weight = taste * season[month]
        often = traffic[traits.cycle, month, None]
        leading += often * weight / weight.sum(axis=1, keepdims=True)
    beside = COMPLEMENT_SHARE * leading @ _along() + (1 - COMPLEMENT_SHARE) * leading
    edges = np.log(np.arange(1, MOST_LINES))
    more_lines = ndtr((LINES_MEAN - edges) / LINES_SPREAD).sum()
    # Chance of each product at a grid of price levels: u ** (1 / level) falls in its slot.
    level = (traits.spend * np.exp(-np.asarray(trading_down))) ** LEVEL_POWER
    grid = np.geomspace(level.min(), level.max(), 64)
    slot = (np.arange(PRODUCTS_PER_CATEGORY + 1) / PRODUCTS_PER_CATEGORY) ** grid[:, None]
    chance = np.diff(slot, axis=1)
    units = 1 + np.where(catalogue.price < CHEAP, CHEAP_EXTRA, DEAR_EXTRA)
    lines = leading + more_lines * beside

    def per_order(value: np.ndarray) -> np.ndarray:
        by_level = chance @ (value * units).T
        return sum(lines[:, c] * np.interp(level, grid, by_level[:, c]) for c in range(len(value)))

    shares = (shopping @ _promotion_share(clock))[traits.cycle]
    depth = np.clip(shares * _eager(traits.promo), 0, 1) * (DEPTHS @ DEPTH_SHARE)
    kept = _kept_share(traits)
    revenue, cost = per_order(catalogue.price) * (1 - depth), per_order(catalogue.unit_cost)
    return OrderValue(revenue=kept * revenue, margin=kept * (revenue - cost))


def _shopping(clock: Clock) -> np.ndarray:
    """Share of purchases made on each day: a row per cycle, then one for all others."""
    share = np.zeros((len(CYCLES) + 1, clock.days))
    for number, cycle in enumerate(CYCLES):
        for year in clock.years:
            first, last = cycle_window(cycle=cycle, year=year, clock=clock)
            share[number, max(first, 0) : max(last + 1, 0)] = 1.0
    # The last row, since the number of those without a cycle is -1.
    share[-1] = np.diff(clock.mass)
    return share / share.sum(axis=1, keepdims=True)


def _kept_share(traits: Traits) -> np.ndarray:
    """Share of what a person orders that is paid and not sent back."""
    weight = system_shares(traits)
    kept = np.zeros(len(weight))
    for number, system in enumerate(SELLING):
        usual = UNPAID_SHARE[np.array(PAYMENT_OF[system])]
        unpaid = 0.8 * usual[traits.payment] + 0.2 * usual.mean()
        returned = np.minimum(RETURNED_MOST, RETURNED_SHARE[system] * traits.demanding)
        kept += weight[:, number] * (1 - unpaid) * (1 - returned)
    return kept


def _order_ids(orders: pd.DataFrame, chunk: Chunk) -> pa.StringArray:
    """Numbers given in order of time within each system: T0000001, W0000001..."""
    system = orders["system"].to_numpy()
    sequence = np.argsort(system, kind="stable")
    rank = np.empty(len(orders), dtype=np.int64)
    ordered = system[sequence]
    rank[sequence] = np.arange(len(orders)) - np.searchsorted(ordered, ordered)
    return concat(pick(("C", "T", "W", "N", "A"), system), digits(chunk.numbers(rank), 7))


def _product_ids() -> pa.StringArray:
    """Identifier of every product, by category and place in it."""
    row, column = np.divmod(
        np.arange(len(goods.CATEGORIES) * PRODUCTS_PER_CATEGORY), PRODUCTS_PER_CATEGORY
    )
    codes = ascii_fold(pa.array([name[:3].upper() for name in goods.CATEGORY_NAMES])).to_pylist()
    return concat(pick(codes, row), "-", digits(column + 1, 3))
