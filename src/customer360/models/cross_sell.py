"""What else a customer may want: goods that go with what it has.

Two ideas, kept apart. *Affinity*: the same people buy both; learnt over all that a customer
ever bought, by the item-item ridge of Steck (2019), whose weights are what an item adds given
all others. *Complement*: both are bought in one basket more often than chance would put them
there. Goods of the same people that shun each other's baskets stand in for one another, and
their affinity is set to zero: it is substitution.

Nothing is suggested that is owned, nor its like where the kind is bought once in a life, nor
its like within four weeks.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import linalg, sparse

from customer360.contracts import CONTRACTS, arrow_schema, empty_table
from customer360.engines import connect
from customer360.features.baskets import History, like, read_history
from customer360.linkage.engine_tables import as_arrow

__all__ = [
    "CrossSellModel",
    "best_items",
    "fit_cross_sell",
    "recommend",
    "strongest_pairs",
]

#: Share of the customers that the ridge adds to each item's own count.
PENALTY_SHARE = 0.2
JUST_BOUGHT_DAYS = 28
#: A kind that fewer of its buyers came back for is bought once.
ONCE_SHARE = 0.2
SHRINK_BASKETS = 5.0
# What popularity weighs: it decides where nothing else does.
TIE_BREAK = 1e-4
LEAST_CUSTOMERS = 50


@dataclass(frozen=True)
class CrossSellModel:
    """What speaks for each item.

    Attributes
    ----------
    items : pandas.DataFrame
        From `features.items.build_items`, in the order of item, as all that follows.
    weights : array, items by items
        What owning the first adds to the wish for the second; below 0 it speaks against.
    popularity : array
        Share of customers who own each item: breaks ties.
    once : array of bool
        Items of a kind that is bought once.
    """

    items: pd.DataFrame
    weights: np.ndarray
    popularity: np.ndarray
    once: np.ndarray

    def signals(self, history: History) -> sparse.csr_matrix:
        """What is owned, the last purchases counting up to double."""
        return (history.held() + history.fresh()).tocsr()

    def scores(self, history: History) -> np.ndarray:
        """Wish for each item, customers by items: for ranking, not a probability."""
        return np.asarray(self.signals(history) @ self.weights) + TIE_BREAK * self.popularity

    def barred(self, history: History) -> np.ndarray:
        """What must not be suggested, customers by items.

        Owned; of a kind owned that is bought once; of a kind bought in the last 28 days.
        """
        codes, kinds = pd.factorize(self.items["kind"])
        kind = sparse.csr_matrix(
            (np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), len(kinds))
        )
        held = history.held()
        lately = like(history.age_days, history.age_days.data <= JUST_BOUGHT_DAYS + 1)
        alike = (held @ sparse.diags(self.once.astype(float)) + lately) @ kind @ kind.T
        return ((held + alike) > 0).toarray()


def fit_cross_sell(
    purchases: Any, *, items: Any, as_of: date, penalty_share: float = PENALTY_SHARE
) -> CrossSellModel | None:
    r"""Learn what goes with what from the purchases up to a day.

    With X the customers by items (1 where bought) and :math:`P = (X^T X + \lambda I)^{-1}`,
    the weights are :math:`B_{ij} = -P_{ij} / P_{jj}` and 0 on the diagonal (Steck 2019):
    each item is regressed on all others. A positive weight is kept where the two goods share
    baskets at least as often as chance puts them together.

    Parameters
    ----------
    purchases, items : frame
        From `features.baskets.item_purchases` and `features.items.build_items`.
    as_of : date
        Last day that is learnt from.
    penalty_share : float
        Lambda, as a share of the customers.

    Returns
    -------
    CrossSellModel or None
        None with fewer than 50 customers or two items.
    """
    history = read_history(purchases, items=items, as_of=as_of)
    if len(history) < LEAST_CUSTOMERS or history.orders.shape[1] < 2:
        return None
    held = history.held()
    gram = (held.T @ held).toarray()
    inverse = linalg.inv(gram + penalty_share * len(history) * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    together, repeats = _baskets(purchases, items=items, as_of=as_of)
    weights[(weights > 0) & (together < 1)] = 0.0
    table = as_arrow(items).to_pandas().sort_values("item", ignore_index=True)
    return CrossSellModel(
        items=table,
        # Rounded: sums made in another order must not rank items otherwise.
        weights=weights.round(9),
        popularity=np.diag(gram) / len(history),
        once=(table["kind"].map(repeats).fillna(0.0) < ONCE_SHARE).to_numpy(),
    )


def best_items(scores: np.ndarray, barred: np.ndarray, *, most: int) -> np.ndarray:
    """Places of the highest scores in each row, best first; -1 where all else is barred.

    Parameters
    ----------
    scores, barred : array, customers by items
    most : int

    Returns
    -------
    array of int, customers by `most`
        Ties go to the first item.
    """
    places = np.arange(scores.shape[1])
    # Rounded to millionths, then apart by far less: the first of equals is never in doubt.
    open_scores = np.where(barred, -np.inf, scores.round(6) - 1e-10 * places)
    most = min(most, len(places))
    top = np.argpartition(-open_scores, most - 1, axis=1)[:, :most]
    found = np.take_along_axis(open_scores, top, axis=1)
    order = np.argsort(-found, axis=1)
    best, found = (np.take_along_axis(table, order, axis=1) for table in (top, found))
    return np.where(np.isfinite(found), best, -1)


def recommend(model: CrossSellModel, purchases: Any, *, as_of: date, most: int = 10) -> pa.Table:
    """The items that each customer may want next, and why.

    Parameters
    ----------
    model : CrossSellModel
    purchases : frame
        From `features.baskets.item_purchases`.
    as_of : date
        Last day known.
    most : int
        Suggestions for each.

    Returns
    -------
    pyarrow.Table
        Contract `cross_sell_scores`.
    """
    history = read_history(purchases, items=pa.Table.from_pandas(model.items), as_of=as_of)
    parts = [_suggest(model, part, most=most) for part in history.chunks()]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if table.empty:
        return empty_table(CONTRACTS["cross_sell_scores"])
    goods = model.items.iloc[table["place"]].reset_index(drop=True)
    reasons = _in_words(
        model.items["name"].to_numpy(dtype=object)[table["because"]], table, as_of=as_of
    )
    columns = {
        "customer_id": table["customer_id"],
        "as_of": pa.array([as_of] * len(table)),
        "rank": table["rank"],
        "item": goods["item"],
        "item_kind": goods["item_kind"],
        "category": goods["category"],
        "score": table["score"],
        "reason": reasons,
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["cross_sell_scores"]))


def strongest_pairs(model: CrossSellModel, *, most: int = 10) -> pd.DataFrame:
    """Goods that speak most for one another.

    Returns
    -------
    pandas.DataFrame
        One row per pair, strongest first: owned, suggested (names), weight, owners (share of
        the customers who own the first).
    """
    first, second = np.unravel_index(
        np.argsort(-model.weights, axis=None, kind="stable")[:most], model.weights.shape
    )
    names = model.items["name"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "owned": names[first],
            "suggested": names[second],
            "weight": model.weights[first, second].round(3),
            "owners": model.popularity[first].round(3),
        }
    )


# --- inside ----------------------------------------------------------------------------------


def _baskets(purchases: Any, *, items: Any, as_of: date) -> tuple[np.ndarray, dict[str, float]]:
    """How often goods share a basket, over chance; share of buyers who came back for a kind.

    Shrunk as in `features.rfmcca.crowd_affinities`, among baskets of two items or more.
    """
    with closing(connect()) as connection:
        connection.register("bought", as_arrow(purchases))
        connection.register("items", as_arrow(items))
        repeats = connection.sql(
            """WITH mine AS (SELECT customer_id, kind, count(DISTINCT order_key) AS orders
                             FROM bought JOIN items USING (item) WHERE day <= $1
                             GROUP BY customer_id, kind)
               SELECT kind, avg((orders > 1)::integer) FROM mine GROUP BY kind""",
            params=[as_of],
        ).fetchall()
        pairs = connection.sql(
            """WITH place AS (SELECT item, row_number() OVER (ORDER BY item) - 1 AS place
                              FROM items),
               known AS (SELECT order_key, place,
                                count(*) OVER (PARTITION BY order_key) AS size
                         FROM bought JOIN place USING (item) WHERE day <= $1)
               SELECT dense_rank() OVER (ORDER BY order_key) - 1 AS basket, place
               FROM known WHERE size > 1""",
            params=[as_of],
        ).to_arrow_table()
    size = len(as_arrow(items))
    ones = np.ones(len(pairs))
    basket = sparse.csr_matrix((ones, (pairs["basket"].to_numpy(), pairs["place"].to_numpy())))
    basket.resize(basket.shape[0], size)
    together = (basket.T @ basket).toarray()
    alone = np.diag(together)
    expected = np.outer(alone, alone) / max(basket.shape[0], 1)
    return (together + SHRINK_BASKETS) / (expected + SHRINK_BASKETS), dict(repeats)


def _suggest(model: CrossSellModel, history: History, *, most: int) -> pd.DataFrame:
    """One row per customer and suggestion: place of the item, and of what speaks most for it."""
    scores = model.scores(history)
    best = best_items(scores, model.barred(history), most=most)
    signals = model.signals(history)
    owner = np.repeat(np.arange(len(history)), np.diff(signals.indptr))
    parts = []
    for rank in range(best.shape[1]):
        place = best[:, rank]
        says = signals.data * model.weights[signals.indices, place[owner]]
        loudest = np.maximum.reduceat(says, signals.indptr[:-1])
        first = np.where(says == loudest[owner], np.arange(len(says)), len(says))
        first = np.minimum.reduceat(first, signals.indptr[:-1])
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": history.customers,
                    "rank": rank + 1,
                    "place": place,
                    "score": scores[np.arange(len(place)), place].round(6),
                    "because": signals.indices[first],
                    "age_days": history.age_days.data[first] - 1,
                    "speaks": loudest > 0,
                }
            )[place >= 0]
        )
    return pd.concat(parts).sort_values(["customer_id", "rank"], kind="stable")


def _in_words(names: np.ndarray, table: pd.DataFrame, *, as_of: date) -> np.ndarray:
    """Why: the purchase that speaks most for the suggestion."""
    day = pd.Timestamp(as_of) - pd.to_timedelta(table["age_days"], unit="D")
    month = (day.dt.month_name() + " " + day.dt.year.astype(str)).to_numpy(dtype=object)
    return np.where(
        table["speaks"], "goes with " + names + ", bought in " + month, "bought by many"
    )
