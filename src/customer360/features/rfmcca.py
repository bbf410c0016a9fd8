"""RFMCCA: recency, frequency, monetary value, categories, channels, affinities.

RFM says how much somebody buys; the three further letters say what, where and what goes
together. `docs/rfmcca.md` gives the method with its equations. One row per customer, from
what was known on a day and nothing later; written once for pandas frames, DuckDB
relations and PySpark frames.
"""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import duckdb
import narwhals as nw

from customer360.features.blocks import favourite
from customer360.features.days import day_number, day_of

__all__ = ["build_rfmcca", "category_profile", "crowd_affinities", "customer_affinities"]

# Beyond so many, categories are too thin to pair.
MOST_CATEGORIES = 40
# Orders in which two goods must be expected together before the lift speaks freely.
SHRINK_ORDERS = 5.0
_HELD = count()


def category_profile(orders: Any, *, as_of: date) -> nw.LazyFrame:
    r"""Share of each category in what a customer buys, and its lift against the crowd.

    Counted in orders that hold the category. With :math:`n_{ic}` of customer i, :math:`n_i`
    their sum and :math:`q_c` the share of the crowd, shares are shrunk towards the crowd as
    by a Dirichlet law: :math:`\hat p_{ic} = (n_{ic} + k q_c) / (n_i + k)`; the lift is
    :math:`\hat p_{ic} / q_c`. How alike customers are decides k (`_concentration`).

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.
    as_of : date
        Last day known.

    Returns
    -------
    narwhals.LazyFrame
        One row per customer and category bought: customer_id, category, orders, share (of
        the orders), amount (currency), lift.
    """
    return _profile(_bought(orders, as_of=as_of))


def _profile(bought: nw.LazyFrame) -> nw.LazyFrame:
    """See `category_profile`."""
    mine = bought.group_by("customer_id", "category").agg(
        orders=nw.len(), amount=nw.col("amount").sum()
    )
    mine = mine.with_columns(
        mine=nw.col("orders").sum().over("customer_id").cast(nw.Float64),
        orders=nw.col("orders").cast(nw.Float64),
    )
    crowd = _crowd(bought)
    k = _concentration(mine, crowd)
    shrunk = (nw.col("orders") + k * nw.col("crowd_share")) / (nw.col("mine") + k)
    return mine.join(crowd, on="category", how="inner").select(
        "customer_id",
        "category",
        orders=nw.col("orders").cast(nw.Int64),
        share=nw.col("orders") / nw.col("mine"),
        amount=nw.col("amount").round(2),
        lift=shrunk / nw.col("crowd_share"),
    )


def crowd_affinities(orders: Any, *, as_of: date) -> nw.LazyFrame:
    r"""Which categories go together in the orders of everybody.

    :math:`\lambda_{ab} = (o_{ab} + k) / (e_{ab} + k)`, with :math:`o_{ab}` the orders that hold
    both and :math:`e_{ab} = o_a o_b / o` those expected if they had nothing to do with each
    other, among the orders that hold two categories or more (DuMouchel 1999 shrinks the same
    ratio).

    Returns
    -------
    narwhals.LazyFrame
        One row per ordered pair of categories: category, other, orders (with both), lift,
        follows (share of the orders with `category` that hold `other`).
    """
    return _crowd_pairs(_bought(orders, as_of=as_of))


def _crowd_pairs(bought: nw.LazyFrame) -> nw.LazyFrame:
    """See `crowd_affinities`."""
    bought = _baskets(bought)
    pairs = _pairs(bought).group_by("category", "other").agg(orders=nw.len())
    single = bought.group_by("category").agg(n=nw.len())
    baskets = bought.select("order").unique().select(total=nw.len())
    return (
        pairs.join(single.rename({"n": "with_it"}), on="category", how="inner")
        .join(single.rename({"n": "with_other", "category": "other"}), on="other", how="inner")
        .join(baskets, how="cross")
        .with_columns(
            expected=nw.col("with_it").cast(nw.Float64) * nw.col("with_other") / nw.col("total")
        )
        .select(
            "category",
            "other",
            orders=nw.col("orders").cast(nw.Int64),
            lift=(nw.col("orders") + SHRINK_ORDERS) / (nw.col("expected") + SHRINK_ORDERS),
            follows=nw.col("orders").cast(nw.Float64) / nw.col("with_it"),
        )
    )


def customer_affinities(orders: Any, *, as_of: date) -> nw.LazyFrame:
    r"""Which goods go together for a customer, against the crowd, and what comes next.

    For a pair of categories, :math:`\lambda_{iab} = (o_{iab} + k) / (o_{ia} \pi_{b|a} + k)`: the
    orders of customer i with both, over those expected from the crowd, where
    :math:`\pi_{b|a}` of the orders with a hold b as well.

    Returns
    -------
    narwhals.LazyFrame
        One row per customer with a category: customer_id, affinity (goods that came with
        the others of their order, as a share of those the crowd would have added, shrunk;
        1 is like the crowd), pair_category, pair_other, pair_lift (the pair that goes
        together most for this customer; empty without one of two orders or more),
        next_category (not bought yet, whose complements are), next_lift.
    """
    return _affinities(_bought(orders, as_of=as_of))


def _affinities(bought: nw.LazyFrame) -> nw.LazyFrame:
    """See `customer_affinities`."""
    crowd = _hold(_crowd_pairs(bought))
    mine = bought.group_by("customer_id", "category").agg(n=nw.len())
    seen = _hold(
        _pairs(_baskets(bought)).group_by("customer_id", "category", "other").agg(o=nw.len())
    )
    # What the crowd would add to each order of the customer, whether seen or not.
    held = _hold(_pairs_expected(bought, crowd))
    together = seen.join(held, on=["customer_id", "category", "other"], how="left")
    k = SHRINK_ORDERS
    together = together.with_columns(
        lift=(nw.col("o") + k) / (nw.col("expected").fill_null(0.0) + k)
    )
    often = together.filter((nw.col("o") >= 2) & (nw.col("category") < nw.col("other")))
    totals = (
        held.group_by("customer_id")
        .agg(expected=nw.col("expected").sum())
        .join(seen.group_by("customer_id").agg(o=nw.col("o").sum()), on="customer_id", how="left")
        .select(
            "customer_id",
            affinity=((nw.col("o").fill_null(0) + 2 * k) / (nw.col("expected") + 2 * k)).round(9),
        )
    )
    best = _first_of_best(often, by="lift", names=("category", "other")).rename(
        {"category": "pair_category", "other": "pair_other", "lift": "pair_lift"}
    )
    ahead = _next_category(mine, crowd)
    customers = mine.select("customer_id").unique()
    for part in (totals, best, ahead):
        customers = customers.join(part, on="customer_id", how="left")
    return customers.with_columns(affinity=nw.col("affinity").fill_null(1.0))


def build_rfmcca(*, features: Any, orders: Any, as_of: date) -> Any:
    """The six letters of each customer, before they are scored.

    Parameters
    ----------
    features : frame
        Contract `features`; rows of `as_of` are taken.
    orders : frame
        Contract `customer_orders`, of the same engine.
    as_of : date
        Last day known.

    Returns
    -------
    frame
        One row per customer of that day: customer_id, recency_days, frequency,
        monetary_value, margin; categories, main_category, main_category_share,
        category_entropy (nats), effective_categories (its exponential: as many equal ones
        would be as varied); channels, main_channel, main_channel_share,
        effective_channels; affinity, pair_category, pair_other, pair_lift, next_category,
        next_lift.
    """
    base = (
        nw.from_native(features)
        .lazy()
        .filter(day_number("as_of") == day_of(as_of))
        .select("customer_id", "recency_days", "frequency", "monetary_value", "margin")
    )
    bought = _bought(orders, as_of=as_of)
    lines = _lines(orders, as_of=as_of)
    named = {"main": "main_{}", "main_share": "main_{}_share", "different": "{}"}
    for column, plural in (("category", "categories"), ("channel", "channels")):
        names = {k: v.format(plural if k == "different" else column) for k, v in named.items()}
        base = base.join(
            favourite(lines, column=column, by="one").rename(names), on="customer_id", how="left"
        )
    for name, shares in (
        ("category_entropy", _shares(lines, column="category")),
        ("channel_entropy", _shares(lines, column="channel")),
    ):
        base = base.join(_entropy(shares, name=name), on="customer_id", how="left")
    base = base.join(_affinities(bought), on="customer_id", how="left")
    return (
        base.with_columns(
            categories=nw.col("categories").fill_null(0),
            channels=nw.col("channels").fill_null(0),
            effective_categories=nw.col("category_entropy").exp(),
            effective_channels=nw.col("channel_entropy").exp(),
        )
        .drop("channel_entropy")
        .to_native()
    )


# --- inside ----------------------------------------------------------------------------------


def _lines(orders: Any, *, as_of: date) -> nw.LazyFrame:
    return (
        nw.from_native(orders)
        .lazy()
        .filter((day_number("ordered_on") <= day_of(as_of)) & (nw.col("status") != "unpaid"))
        .with_columns(order=nw.concat_str("source", "order_id", separator="/"), one=nw.lit(1.0))
        .select("customer_id", "order", "category", "channel", "amount", "one")
    )


def _bought(orders: Any, *, as_of: date) -> nw.LazyFrame:
    """One row per order and category; only the largest categories."""
    bought = (
        _lines(orders, as_of=as_of)
        .filter(~nw.col("category").is_null())
        .group_by("customer_id", "order", "category")
        .agg(amount=nw.col("amount").sum())
    )
    size = bought.group_by("category").agg(n=nw.len())
    # Ties by name, so that the same ones are kept on every engine.
    size = size.with_columns(one=nw.lit(1)).with_columns(
        place=nw.col("one").cum_sum().over("one", order_by=["n", "category"]),
        all=nw.len().over("one"),
    )
    kept = size.filter(nw.col("place") > nw.col("all") - MOST_CATEGORIES).select("category")
    return _hold(bought.join(kept, on="category", how="inner"))


def _hold(table: nw.LazyFrame) -> nw.LazyFrame:
    """Compute a table that is used many times once; lazy engines would do it each time."""
    native = table.to_native()
    if not isinstance(native, duckdb.DuckDBPyRelation):
        return table
    # A table of the relation's own session: it is gone when the connection is closed.
    name = f"held_{next(_HELD)}"
    native.create(name)
    return nw.from_native(native.query("held", f"SELECT * FROM {name}"))


def _baskets(bought: nw.LazyFrame) -> nw.LazyFrame:
    """Orders of two categories or more: the others say nothing of what goes together."""
    return bought.with_columns(held=nw.len().over("order")).filter(nw.col("held") > 1).drop("held")


def _pairs(bought: nw.LazyFrame) -> nw.LazyFrame:
    """One row per order and ordered pair of different categories in it."""
    other = bought.select("order", other=nw.col("category"))
    return bought.join(other, on="order", how="inner").filter(nw.col("category") != nw.col("other"))


def _crowd(bought: nw.LazyFrame) -> nw.LazyFrame:
    counts = bought.group_by("category").agg(n=nw.len()).with_columns(one=nw.lit(1))
    total = nw.col("n").sum().over("one")
    return counts.select("category", crowd_share=nw.col("n").cast(nw.Float64) / total)


def _concentration(mine: nw.LazyFrame, crowd: nw.LazyFrame) -> float:
    r"""Orders that the crowd weighs in a customer's shares, by moments.

    The chance S that two orders of one customer hold the same category is
    (1 + k Σq²) / (1 + k) under a Dirichlet law; hence k = (1 - S) / (S - Σq²).
    """
    pairs = (
        mine.filter(nw.col("mine") > 1)
        .with_columns(
            same=nw.col("orders") * (nw.col("orders") - 1) / (nw.col("mine") - 1),
        )
        .select(same=nw.col("same").sum(), all=nw.col("orders").sum())
        .collect("pandas")
        .to_native()
    )
    squares = crowd.select(q=(nw.col("crowd_share") ** 2).sum()).collect("pandas").to_native()
    if not len(pairs) or not pairs["all"].iloc[0] > 0:
        return 1.0
    same, alike = float(pairs["same"].iloc[0] / pairs["all"].iloc[0]), float(squares["q"].iloc[0])
    # Customers no more alike themselves than the crowd: the crowd decides.
    return min(1000.0, (1 - same) / (same - alike)) if same > alike else 1000.0


def _pairs_expected(bought: nw.LazyFrame, crowd: nw.LazyFrame) -> nw.LazyFrame:
    baskets = _baskets(bought).group_by("customer_id", "category").agg(n=nw.len())
    return (
        baskets.join(crowd.select("category", "other", "follows"), on="category", how="inner")
        .with_columns(expected=nw.col("n") * nw.col("follows"))
        .select("customer_id", "category", "other", "expected")
    )


def _next_category(mine: nw.LazyFrame, crowd: nw.LazyFrame) -> nw.LazyFrame:
    """The category not bought yet that goes best with those that were."""
    total = nw.col("n").sum().over("customer_id").cast(nw.Float64)
    ahead = (
        mine.with_columns(share=nw.col("n") / total)
        .join(crowd.select("category", "other", "lift"), on="category", how="inner")
        .with_columns(lift=nw.col("share") * nw.col("lift"))
        .group_by("customer_id", "other")
        .agg(lift=nw.col("lift").sum())
        .join(
            mine.select("customer_id", other=nw.col("category")),
            on=["customer_id", "other"],
            how="anti",
        )
    )
    return _first_of_best(ahead, by="lift", names=("other",)).rename(
        {"other": "next_category", "lift": "next_lift"}
    )


def _first_of_best(table: nw.LazyFrame, *, by: str, names: tuple[str, ...]) -> nw.LazyFrame:
    """The row of each customer with the largest `by`; ties go to the first names."""
    # Rounded, so that sums made in another order tie all the same.
    best = table.with_columns(nw.col(by).round(9)).with_columns(
        most=nw.col(by).max().over("customer_id")
    )
    best = best.filter(nw.col(by) == nw.col("most")).with_columns(one=nw.lit(1))
    place = nw.col("one").cum_sum().over("customer_id", order_by=list(names))
    return (
        best.with_columns(place=place)
        .filter(nw.col("place") == 1)
        .select("customer_id", *names, by)
    )


def _shares(lines: nw.LazyFrame, *, column: str) -> nw.LazyFrame:
    counts = (
        lines.filter(~nw.col(column).is_null())
        .group_by("customer_id", column)
        .agg(n=nw.col("one").sum())
    )
    return counts.select("customer_id", share=nw.col("n") / nw.col("n").sum().over("customer_id"))


def _entropy(shares: nw.LazyFrame, *, name: str) -> nw.LazyFrame:
    return (
        shares.with_columns(part=-nw.col("share") * nw.col("share").log())
        .group_by("customer_id")
        .agg(nw.col("part").sum().alias(name))
        # Rounded: a sum made in another order must not rank customers otherwise.
        .with_columns(nw.col(name).cast(nw.Float64).round(9))
    )
