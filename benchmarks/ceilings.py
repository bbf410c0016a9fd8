"""What the records hold: how far a model could come that was shown the answers.

`python benchmarks/ceilings.py` reads the last run on the demo and its truth, and writes
benchmarks/results/ceilings.json and docs/ceilings.md. Trees learn the answers of other people
themselves, first from what was observed, then with one hidden fact after another. Nothing is
trained or chosen with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from xgboost import XGBRegressor

from customer360.evaluation import qini, qini_curve
from customer360.features.campaign_contacts import campaign_contacts, describe_moments
from customer360.features.contact_signals import contact_signals
from customer360.features.table import build_features
from customer360.models.clv import choose_model
from customer360.models.pace import fit_clock
from customer360.models.value_candidates import TOLD, value_origins, value_rows
from customer360.oracle import oracle_share
from customer360.segmentation_evaluation import person_of_customer
from customer360.storage import Store
from customer360.value_evaluation import judge_value

ROOT = Path(__file__).resolve().parents[1]
FOLDS, SEEDS = 5, (1, 2, 3)
ROUNDS = 120
TREES = {"learning_rate": 0.08, "max_depth": 4, "reg_lambda": 5.0, "n_jobs": 1}
LIST_SHARE = 0.1
# Who left is known from the day on, not before.
NEVER = pd.Timestamp.max

Measure = Callable[[np.ndarray], dict[str, float]]
Row = dict[str, Any]


def foretold(
    known: pd.DataFrame, answer: np.ndarray, *, person: np.ndarray, objective: str, rows: int
) -> np.ndarray:
    """Each row as trees foretell it that were shown the answers of all other people.

    `rows` is the fewest in a leaf. Texts become numbers; the mean over `SEEDS` is given.
    """
    texts = known.select_dtypes(exclude=["number", "bool"])
    numbers = known.assign(**{name: pd.factorize(texts[name])[0] for name in texts})
    given = numbers.to_numpy(dtype=float)
    told = np.zeros(len(given))
    for seed in SEEDS:
        trees = XGBRegressor(
            n_estimators=ROUNDS, objective=objective, min_child_weight=rows, seed=seed, **TREES
        )
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed)
        for others, own in folds.split(given, groups=person):
            told[own] += trees.fit(given[others], answer[others]).predict(given[own])
    return told / len(SEEDS)


def ladder(
    known: pd.DataFrame,
    hidden: pd.DataFrame,
    *,
    steps: Mapping[str, tuple[str, ...]],
    answer: np.ndarray,
    measure: Measure,
    **trees: Any,
) -> list[Row]:
    """What was observed alone, then with the hidden columns of each step."""
    return [
        {"told": words}
        | measure(foretold(known.join(hidden[list(names)]), answer, **trees))
        for words, names in steps.items()
    ]


def people_of(customers: pd.Series, store: Store) -> pd.DataFrame:
    """Traits of the true person of each customer, hidden from every model; in their order."""
    owner = person_of_customer(store.read("customer_orders"), store.read("truth.people_links"))
    people = store.read("truth.people").df()[["person_id", "purchase_rate", "left_on"]]
    traits = people.merge(store.read("truth.traits").df(), on="person_id")
    table = customers.to_frame("customer_id").merge(owner.to_pandas(), how="left")
    table = table.merge(traits, on="person_id", how="left").set_index(customers.index)
    # A customer without a true person is alone.
    return table.assign(person_id=table["person_id"].fillna(table["customer_id"]))


def has_left(hidden: pd.DataFrame, day: Any) -> pd.Series:
    """Whether somebody was no longer a customer on a day, though nobody said so."""
    return (pd.to_datetime(hidden["left_on"]).fillna(NEVER) <= pd.to_datetime(day)).astype(float)


def churn(store: Store) -> list[Row]:
    """Who buys nothing within the horizon: rows of told, roc_auc, share."""
    metrics = json.loads((ROOT / "metrics" / "churn.json").read_text())
    best = json.loads((ROOT / "metrics" / "oracle.json").read_text())["churn_roc_auc"]
    holdout, day = store.read("churn_holdout").df(), store.snapshots().holdout
    hidden = people_of(holdout["customer_id"], store)
    seen = visits(store, day).reindex(hidden["person_id"]).set_index(hidden.index)
    hidden = hidden.join(seen).assign(left=has_left(hidden, day))
    went, rate, hazard = tuple(seen.columns), ("purchase_rate",), ("leaving_hazard",)
    churned = holdout["churned"].to_numpy(float)

    def measure(told: np.ndarray) -> dict[str, float]:
        area = float(roc_auc_score(churned, told))
        return {"roc_auc": area, "share": oracle_share(area, best)}

    ours = {name: metrics[key] for name, key in (("roc_auc", "roc_auc"), ("share", "oracle_share"))}
    rows = ladder(
        holdout.drop(columns=["customer_id", "as_of", "churned"]),
        hidden.rename(columns=str).rename(columns={"purchase_rate": "true_rate"}),
        steps={
            "the answers of others, on all features": (),
            "+ every visit to the site, also the anonymous ones": went,
            "+ its true purchase rate": ("true_rate",),
            "+ its true hazard of leaving": hazard,
            "+ both": ("true_rate", *hazard),
            "+ both, and who has left already": ("true_rate", *hazard, "left"),
        },
        answer=churned,
        measure=measure,
        person=hidden["person_id"].to_numpy(),
        objective="binary:logistic",
        rows=10,
    )
    return [{"told": "our model"} | ours, *rows]


def visits(store: Store, day: Any) -> pd.DataFrame:
    """True visits of each person by a day: how many, how long ago, how many lately."""
    seen = store.read("truth.visits").df()
    ago = (pd.Timestamp(day) + timedelta(days=1) - seen["at"]).dt.days
    seen = seen.assign(ago=ago, quarter=ago < 90, year=ago < 365)[ago >= 0]
    return seen.groupby("person_id").agg(
        visits=("ago", "size"),
        last_visit_days=("ago", "min"),
        visits_last_quarter=("quarter", "sum"),
        visits_last_year=("year", "sum"),
    )
