"""Were the suggestions bought? Forward in time, against what others would suggest.

Two questions that are often mixed up:

- *new*: what does a customer buy for the first time in the next weeks? Cross-sell proper.
- *basket*: what is in its next basket, usual goods included? There, a shopping list of
  what was bought often and lately is hard to beat (Hu et al. 2020), and no cross-sell.

Whatever can be tuned, of ours and of the rivals alike, is chosen on the weeks before the
day of judgement; what comes after that day is looked at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from scipy import sparse

from customer360.engines import connect
from customer360.evaluation import bootstrap_gain
from customer360.features.baskets import History, read_history
from customer360.linkage.engine_tables import as_arrow
from customer360.models.cross_sell import CrossSellModel, best_items, fit_cross_sell

__all__ = ["cross_sell_metrics", "judge_cross_sell", "recall_at"]

OURS = "ours"
NEIGHBOURS = {
    "cosine": (CosineRecommender, {}),
    "tf-idf": (TFIDFRecommender, {}),
    "bm25": (BM25Recommender, {"K1": 1.2, "B": 0.8}),
    "bm25, no ceiling": (BM25Recommender, {"K1": 100, "B": 0.8}),
}
NEIGHBOUR_COUNTS = (20, 100, None)
# What new goods weigh beside a customer's usual ones in the next basket.
NEW_WEIGHTS = (0.0, 0.01, 0.02)
MOST_CUSTOMERS = 20_000

Score = Callable[[], np.ndarray]


@dataclass(frozen=True)
class _Day:
    """What is known on a day, of all and of those who bought after it; and what they bought."""

    everybody: History
    history: History
    model: CrossSellModel
    sought: dict[str, sparse.csr_matrix]
    barred: dict[str, np.ndarray]


def recall_at(best: np.ndarray, sought: sparse.csr_matrix) -> np.ndarray:
    """Share of what each customer bought that was among its suggestions.

    Parameters
    ----------
    best : array of int, customers by suggestions
        From `best_items`.
    sought : sparse matrix, customers by items
        1 where bought.

    Returns
    -------
    array of float
        Not a number for customers who bought nothing that was sought.
    """
    rows = np.repeat(np.arange(len(best)), best.shape[1])
    places = best.ravel()
    told = places >= 0
    shape = sought.shape
    said = sparse.csr_matrix((np.ones(told.sum()), (rows[told], places[told])), shape=shape)
    found = np.asarray(said.multiply(sought).sum(axis=1)).ravel()
    bought = np.asarray(sought.sum(axis=1)).ravel()
    return np.divide(found, bought, out=np.full(len(best), np.nan), where=bought > 0)


def judge_cross_sell(
    purchases: Any, *, items: Any, cutoff: date, days: int = 28, most: int = 10, seed: int = 360
) -> pd.DataFrame:
    """Recall of the suggestions made on a day, beside those of plainer methods.

    Parameters
    ----------
    purchases, items : frame
        From `features.baskets.item_purchases` and `features.items.build_items`.
    cutoff : date
        Day of the suggestions. The `days` before it choose what can be tuned.
    days : int
        How far after it first purchases count.
    most : int
        Suggestions for each customer.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per question (new, basket) and method (ours, popularity, implicit; for the
        basket also personal: what the customer buys most often): chosen (the variant),
        customers (judged), recall, gain (ours less this one), gain_low, gain_high (95 %,
        bootstrap over customers). Empty when there is too little to learn from.
    """
    before, after = (
        _day(purchases, items=items, as_of=day, days=days)
        for day in (cutoff - timedelta(days=days), cutoff)
    )
    if before is None or after is None:
        return pd.DataFrame()
    judged = [
        _judge(question, before, after, most=most, seed=seed)
        for question in ("new", "basket")
        if before.sought[question].nnz and after.sought[question].nnz
    ]
    return pd.concat(judged, ignore_index=True) if judged else pd.DataFrame()


def cross_sell_metrics(judged: pd.DataFrame) -> dict[str, float]:
    """`judge_cross_sell` as names and numbers.

    Returns
    -------
    dict
        crosssell_recall_at_10, crosssell_popularity, crosssell_implicit, the 95 % interval
        of what ours gains over each (…_gain_low, …_gain_high), crosssell_customers; the same
        as nextbasket_… for the next basket. Empty when nothing was judged.
    """
    metrics = {}
    for row in judged.to_dict("records"):
        name = {"new": "crosssell", "basket": "nextbasket"}[row["question"]]
        if row["method"] == OURS:
            metrics[f"{name}_recall_at_10"] = row["recall"]
            metrics[f"{name}_customers"] = row["customers"]
        else:
            metrics[f"{name}_{row['method']}"] = row["recall"]
            metrics[f"{name}_{row['method']}_gain_low"] = row["gain_low"]
            metrics[f"{name}_{row['method']}_gain_high"] = row["gain_high"]
    return metrics


# --- inside ----------------------------------------------------------------------------------


def _day(purchases: Any, *, items: Any, as_of: date, days: int) -> _Day | None:
    model = fit_cross_sell(purchases, items=items, as_of=as_of)
    if model is None:
        return None
    everybody = read_history(purchases, items=items, as_of=as_of)
    window, basket = _after(purchases, items=items, history=everybody, as_of=as_of, days=days)
    # At equal steps, so that their full matrices fit in memory.
    rows = np.flatnonzero(window.getnnz(axis=1))
    rows = rows[:: -(-len(rows) // MOST_CUSTOMERS) or 1]
    history = everybody.part(rows)
    window = window[rows]
    new = (window - window.multiply(history.held())).tocsr()
    return _Day(
        everybody=everybody,
        history=history,
        model=model,
        sought={"new": new, "basket": basket[rows]},
        barred={"new": model.barred(history), "basket": np.zeros(new.shape, dtype=bool)},
    )


def _after(
    purchases: Any, *, items: Any, history: History, as_of: date, days: int
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """What was bought in the window after a day, and on the first day of purchase in it."""
    with closing(connect()) as connection:
        connection.register("purchases", as_arrow(purchases))
        connection.register("items", as_arrow(items))
        connection.register("known", pd.DataFrame({"customer_id": history.customers}))
        bought = connection.sql(
            """WITH goods AS (SELECT item, row_number() OVER (ORDER BY item) - 1 AS place
                              FROM items),
               people AS (SELECT customer_id,
                                 row_number() OVER (ORDER BY customer_id) - 1 AS customer
                          FROM known),
               ahead AS (SELECT customer, place, day FROM purchases JOIN goods USING (item)
                          JOIN people USING (customer_id)
                          WHERE day > $1 AND day <= $1::date + $2::integer),
               dated AS (SELECT *, day = min(day) OVER (PARTITION BY customer) AS is_first
                         FROM ahead)
               SELECT customer, place, bool_or(is_first) AS is_first FROM dated
               GROUP BY customer, place ORDER BY customer, place""",
            params=[as_of, days],
        ).to_arrow_table()
    rows, columns = bought["customer"].to_numpy(), bought["place"].to_numpy()
    first = bought["is_first"].to_numpy().astype(float)

    def matrix(values: np.ndarray) -> sparse.csr_matrix:
        return sparse.csr_matrix((values, (rows, columns)), shape=history.orders.shape)

    basket = matrix(first)
    basket.eliminate_zeros()
    return matrix(np.ones(len(rows))), basket


def _judge(question: str, before: _Day, after: _Day, *, most: int, seed: int) -> pd.DataFrame:
    """Choose each method's variant on the earlier day; judge it on the later one."""

    def recall(score: Score, day: _Day) -> np.ndarray:
        best = best_items(score(), day.barred[question], most=most)
        found = recall_at(best, day.sought[question])
        return found[~np.isnan(found)]

    was, now = _methods(question, before), _methods(question, after)
    chosen = {
        method: max(variants, key=lambda name: recall(variants[name], before).mean())
        for method, variants in was.items()
    }
    found = {method: recall(now[method][name], after) for method, name in chosen.items()}
    rows = []
    for method, values in found.items():
        low, high = bootstrap_gain(
            values, found[OURS], values, metric=lambda _, told: float(told.mean()), seed=seed
        )
        rows.append(
            {
                "question": question,
                "method": method,
                "chosen": chosen[method],
                "customers": len(values),
                "recall": float(values.mean()),
                "gain": float(found[OURS].mean() - values.mean()),
                "gain_low": low,
                "gain_high": high,
            }
        )
    return pd.DataFrame(rows)


def _methods(question: str, day: _Day) -> dict[str, dict[str, Score]]:
    """Scores by method and variant; computed when asked for."""
    history, size = day.history, (len(day.history), 1)
    methods: dict[str, dict[str, Score]] = {
        OURS: {"": lambda: day.model.scores(history)},
        "popularity": {
            "buyers ever": lambda: np.tile(day.model.popularity, size),
            "buyers lately": lambda: np.tile(np.asarray(day.everybody.fresh().mean(axis=0)), size),
        },
        "implicit": {
            f"{kind}, {count or 'all'} neighbours, {what}": _implicit(day, kind, count, what)
            for kind in NEIGHBOURS
            for count in NEIGHBOUR_COUNTS
            for what in ("orders", "owned")
        },
    }
    if question == "basket":
        methods[OURS] = {f"new {weight:g}": _list(day, weight) for weight in NEW_WEIGHTS}
        methods["personal"] = {
            "orders ever": lambda: history.orders.toarray(),
            "orders lately": lambda: history.pace.toarray(),
        }
    return methods


def _list(day: _Day, new_weight: float) -> Score:
    """A shopping list: what was bought often and lately, and a little of what is new."""

    def score() -> np.ndarray:
        usual = (day.history.orders + day.history.pace).toarray()
        wish = day.model.scores(day.history)
        most = np.abs(wish).max(axis=1, keepdims=True) + 1e-9
        return usual / usual.sum(axis=1, keepdims=True) + new_weight * wish / most

    return score


def _implicit(day: _Day, kind: str, count: int | None, what: str) -> Score:
    """Item-item neighbours of the package `implicit`, learnt from everybody."""

    def score() -> np.ndarray:
        learnt, asked = (
            known.held() if what == "owned" else known.orders
            for known in (day.everybody, day.history)
        )
        recommender, options = NEIGHBOURS[kind]
        neighbours = recommender(K=count or learnt.shape[1], num_threads=1, **options)
        with warnings.catch_warnings():
            # TF-IDF hands its own weights over in another sparse form, and warns of it.
            warnings.simplefilter("ignore", ParameterWarning)
            neighbours.fit(learnt, show_progress=False)
        return np.asarray(asked @ neighbours.similarity.toarray())

    return score
