"""What a shop looks like from outside: the distributions that set two shops side by side.

A dataset is reduced to what was bought (`purchases_of`), looked at through the same window
as the one it is compared with (`seen_in`), described (`describe`) and set against another
(`distances`). The window matters more than any parameter: a year of a whole customer base
and eighteen months of a new cohort show different waiting times in the very same shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import wasserstein_distance

__all__ = [
    "MARGINALS",
    "Marginal",
    "Window",
    "describe",
    "distances",
    "gini",
    "lorenz",
    "purchases_of",
    "seen_in",
]


@dataclass(frozen=True)
class Marginal:
    """One distribution of a shop.

    Attributes
    ----------
    name : str
    unit : str
        What its values count.
    query : str
        One row per observation, column `value`, from the table `purchases`.
    over : str
        "median" or "mean" where values are compared as multiples of their own median or
        mean, since baskets and currencies differ; else empty.
    scale : str
        "ln" where a factor means the same all along the scale, else "plain"; the scale of
        the Wasserstein distance.
    """

    name: str
    unit: str
    query: str
    over: str = ""
    scale: str = "ln"

    def comparable(self, values: np.ndarray) -> np.ndarray:
        """Values on the scale on which two shops are compared."""
        if self.over:
            values = values / (np.median(values) if self.over == "median" else values.mean())
        return np.log(values) if self.scale == "ln" else values


# The chance that two different lines of a customer share a category, which is the Herfindahl
# index without the bias of short histories, above the same chance for any two lines of the
# shop. Ten lines of each customer, picked by a hash, so that chance spreads all shops alike.
_CONCENTRATION = """
    WITH picked AS (
        SELECT customer, category FROM purchases WHERE category IS NOT NULL
        QUALIFY count(*) OVER (PARTITION BY customer) >= 10 AND row_number() OVER (
            PARTITION BY customer ORDER BY md5(concat_ws('/', order_id, line_no)), day
        ) <= 10
    ), shop AS (
        SELECT sum(n * n) / (sum(n) * sum(n)) AS chance FROM (
            SELECT count(*)::DOUBLE AS n FROM purchases WHERE category IS NOT NULL GROUP BY category
        )
    )
    SELECT (sum(n * (n - 1)) / 90 - chance) / (1 - chance) AS value
    FROM (SELECT customer, category, count(*) AS n FROM picked GROUP BY ALL), shop
    WHERE chance < 1 GROUP BY customer, chance
"""

#: Every marginal, in the order of the reports.
MARGINALS: tuple[Marginal, ...] = (
    Marginal(
        "inter-purchase time",
        "days between two purchase days of a customer",
        """
        SELECT date_diff('day', before, day) AS value FROM (
            SELECT day, lag(day) OVER (PARTITION BY customer ORDER BY day) AS before
            FROM (SELECT DISTINCT customer, day FROM purchases)
        ) WHERE before IS NOT NULL
        """,
    ),
    Marginal(
        "spend per order",
        "currency, compared over the median order",
        "SELECT round(sum(amount), 2) AS value FROM purchases GROUP BY customer, order_id",
        over="median",
    ),
    Marginal(
        "repeat rate",
        "purchase days per customer a year",
        "SELECT count(DISTINCT day) * 365.25 / $days AS value FROM purchases GROUP BY customer",
    ),
    Marginal(
        "recency",
        "days since the last purchase, share of the window",
        """
        SELECT date_diff('day', max(day), $last_day) / $days AS value
        FROM purchases GROUP BY customer
        """,
        scale="plain",
    ),
    Marginal(
        "category concentration",
        "Herfindahl index of ten lines of a customer, above the shop's",
        _CONCENTRATION,
        scale="plain",
    ),
    Marginal(
        "customer value",
        "spend of a customer, currency, compared over the mean customer",
        "SELECT round(sum(amount), 2) AS value FROM purchases GROUP BY customer",
        over="mean",
    ),
    Marginal(
        "lines per order",
        "different goods in an order",
        "SELECT sum(goods) AS value FROM purchases GROUP BY customer, order_id",
    ),
)


@dataclass(frozen=True)
class Window:
    """What an observer sees.

    Attributes
    ----------
    last_day : date
        Last day, included.
    days : int
        Length, days.
    cohort_days : int or None
        Where given, only newcomers are followed: those whose first purchase ever falls into
        this many first days.
    """

    last_day: date
    days: int
    cohort_days: int | None = None

    @property
    def first_day(self) -> date:
        """First day, included."""
        return self.last_day - timedelta(days=self.days - 1)


def purchases_of(
    orders: pa.Table,
    *,
    timezone: str,
    owners: pa.Table | None = None,
    quantity_is_goods: bool = False,
) -> pa.Table:
    """Lines that were bought, by whom and on which local day.

    Parameters
    ----------
    orders : pyarrow.Table
        `raw.orders`; `ordered_at` is in UTC. A line that came twice counts once; lines
        without a positive amount (refunds, gifts, mistakes) are left out.
    timezone : str
        Where the shop's day begins, such as "Europe/Paris".
    owners : pyarrow.Table, optional
        Columns source, source_id, person_id: whose each record is. Lines of no known owner
        are left out. Without it each source_id is a customer.
    quantity_is_goods : bool
        True where a row is a whole order and its quantity says how many goods it held.

    Returns
    -------
    pyarrow.Table
        One row per line: customer, order_id, line_no, day, category, amount, goods; in the
        order of customer, day, order and line.
    """
    known = orders.select(["source", "source_id", "order_id", "line_no", "category", "quantity"])
    moment = orders["ordered_at"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(moment.cast(pa.timestamp("us", timezone)))
    known = known.append_column("amount", orders["amount"])
    known = known.append_column("day", local.cast(pa.date32()))
    customer = "source_id" if owners is None else "person_id"
    goods = "greatest(quantity, 1)" if quantity_is_goods else "1"
    with duckdb.connect() as connection:
        connection.register("known", known)
        if owners is not None:
            connection.register("owners", owners)
        return connection.sql(f"""
            SELECT {customer} AS customer, order_id, line_no, day, category, amount,
                   CAST({goods} AS DOUBLE) AS goods
            FROM (
                FROM known WHERE amount > 0
                QUALIFY row_number() OVER (
                    PARTITION BY source, order_id, line_no ORDER BY day, source_id, amount
                ) = 1
            ) {"" if owners is None else "JOIN owners USING (source, source_id)"}
            WHERE {customer} IS NOT NULL
            ORDER BY customer, day, order_id, line_no
        """).to_arrow_table()


def seen_in(purchases: pa.Table, *, window: Window) -> pa.Table:
    """The purchases that an observer of a window sees.

    Parameters
    ----------
    purchases : pyarrow.Table
        From `purchases_of`; history before the window tells newcomers from the others.
    window : Window
    """
    day = purchases["day"]
    inside = pc.and_(pc.less_equal(window.first_day, day), pc.less_equal(day, window.last_day))
    kept = purchases.filter(inside)
    if window.cohort_days is None:
        return kept
    first = purchases.group_by("customer").aggregate([("day", "min")])
    cohort_end = window.first_day + timedelta(days=window.cohort_days - 1)
    new = pc.and_(
        pc.less_equal(window.first_day, first["day_min"]),
        pc.less_equal(first["day_min"], cohort_end),
    )
    newcomers = first.filter(new)["customer"].combine_chunks()
    return kept.filter(pc.is_in(kept["customer"], value_set=newcomers))


def describe(purchases: pa.Table, *, window: Window) -> dict[str, np.ndarray]:
    """The marginal distributions of what was seen in a window.

    Parameters
    ----------
    purchases : pyarrow.Table
        From `seen_in`.
    window : Window
        The same.

    Returns
    -------
    dict of str to array
        Name of each of `MARGINALS` to its values, sorted, in its unit; empty where the data
        cannot tell, such as the concentration of a shop of one category.
    """
    given: dict[str, Any] = {"last_day": window.last_day, "days": float(window.days)}
    found = {}
    with duckdb.connect() as connection:
        connection.register("purchases", purchases)
        for marginal in MARGINALS:
            asked = {key: value for key, value in given.items() if f"${key}" in marginal.query}
            values = connection.execute(marginal.query, asked).fetchnumpy()["value"]
            found[marginal.name] = np.sort(np.asarray(values, dtype=float))
    return found


def distances(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> pd.DataFrame:
    """How far two shops are apart, marginal by marginal.

    Parameters
    ----------
    ours, theirs : dict of str to array
        From `describe`.

    Returns
    -------
    pandas.DataFrame
        One row per marginal that both know: marginal; ks, the two-sample
        Kolmogorov-Smirnov statistic (largest distance between the two distribution
        functions, 0 to 1); wasserstein, how far the mass has to be moved on average, on the
        scale of the marginal (on "ln", 0.1 is a factor of 1.1).
    """
    rows = []
    for marginal in MARGINALS:
        if not len(ours[marginal.name]) or not len(theirs[marginal.name]):
            continue
        a = marginal.comparable(ours[marginal.name])
        b = marginal.comparable(theirs[marginal.name])
        rows.append((marginal.name, _kolmogorov_smirnov(a, b), float(wasserstein_distance(a, b))))
    return pd.DataFrame(rows, columns=["marginal", "ks", "wasserstein"])


def _kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance between the distribution functions of two sorted samples."""
    at = np.concatenate([a, b])
    below = np.searchsorted(a, at, side="right") / len(a)
    return float(np.abs(below - np.searchsorted(b, at, side="right") / len(b)).max())


def lorenz(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lorenz curve: share of customers, smallest first, and the share of the total they hold.

    Raises
    ------
    ValueError
        Without values, with a negative one or with a total of zero.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if not len(ordered) or ordered[0] < 0 or ordered.sum() == 0:
        raise ValueError("a Lorenz curve needs values, none negative, of a positive total")
    held = np.r_[0.0, np.cumsum(ordered)] / ordered.sum()
    return np.linspace(0, 1, len(held)), held


def gini(values: np.ndarray) -> float:
    """Gini index: twice the area between equality and the Lorenz curve; 0 where all are equal."""
    share, held = lorenz(values)
    return float(1 - 2 * np.trapezoid(held, share))
