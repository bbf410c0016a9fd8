"""Learners of an effect that assume no form, to hold `models.uplift` against.

Künzel et al. (2019) for T and X, Kennedy (2023) for the doubly robust one, Athey and Imbens
(2015) for the transformed outcome (Jaskowski and Jaroszewicz 2012 for classes). Base learners
are small boosted trees and strong ridges: effects are a tenth of the orders, and the orders
are mostly chance.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor

__all__ = ["LEARNERS", "learn_effect"]

RIDGE = 3000.0


def _trees(seed: int) -> Any:
    return XGBRegressor(
        n_estimators=80, max_depth=3, learning_rate=0.07, min_child_weight=50, subsample=0.8,
        reg_lambda=20.0, n_jobs=1, random_state=seed,
    )  # fmt: skip


def _ridge() -> Any:
    return make_pipeline(StandardScaler(), Ridge(alpha=RIDGE))


def _chance() -> Any:
    """Sent or held out is drawn: signals tell next to nothing of it."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1e-4))


def _t_learner(x: np.ndarray, y: np.ndarray, t: np.ndarray, e: np.ndarray, seed: int) -> Any:
    from econml.metalearners import TLearner

    learner = TLearner(models=[_trees(seed), _trees(seed)])
    return learner.fit(y, t, X=x).effect


def _x_learner(x: np.ndarray, y: np.ndarray, t: np.ndarray, e: np.ndarray, seed: int) -> Any:
    from econml.metalearners import XLearner

    learner = XLearner(
        models=[_trees(seed), _trees(seed)],
        cate_models=[_ridge(), _ridge()],
        propensity_model=_chance(),
    )
    return learner.fit(y, t, X=x).effect


def _dr_learner(x: np.ndarray, y: np.ndarray, t: np.ndarray, e: np.ndarray, seed: int) -> Any:
    from econml.dr import DRLearner

    learner = DRLearner(
        model_propensity=_chance(),
        model_regression=_trees(seed),
        model_final=_ridge(),
        cv=2,
        random_state=seed,
    )
    return learner.fit(y, t, X=x).effect


def _transformed(x: np.ndarray, y: np.ndarray, t: np.ndarray, e: np.ndarray, seed: int) -> Any:
    value = y * np.where(t == 1, 1 / e, -1 / (1 - e))
    return _ridge().fit(x, value).predict


LEARNERS: dict[str, Callable[..., Any]] = {
    "T-learner": _t_learner,
    "X-learner": _x_learner,
    "DR-learner": _dr_learner,
    "transformed outcome": _transformed,
}


def learn_effect(
    learner: str, signals: pd.DataFrame, contacts: pd.DataFrame, *, to: pd.DataFrame, seed: int
) -> np.ndarray:
    """Effects foretold by one of `LEARNERS`.

    Parameters
    ----------
    learner : str
    signals, contacts : pandas.DataFrame
        To learn from, as for `models.uplift.fit_uplift`; contacts also say propensity.
    to : pandas.DataFrame
        Signals of the contacts to foretell.
    seed : int

    Returns
    -------
    numpy.ndarray of float
        Extra orders of each contact of `to`.
    """
    # Campaigns that held nobody out, or all, compare nothing.
    drawn = contacts["propensity"].between(0, 1, inclusive="neither").to_numpy()
    x = signals.to_numpy(float)[drawn]
    y, t, e = (contacts[c].to_numpy(float)[drawn] for c in ("orders", "treated", "propensity"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        effect = LEARNERS[learner](x, y, t.astype(int), e, seed)
        return np.asarray(effect(to.to_numpy(float)), dtype=float).ravel()
