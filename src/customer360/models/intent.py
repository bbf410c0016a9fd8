"""What an anonymous visitor is about to do, from visitors who behaved alike.

Nobody is recognised: the hits of a device so far (`features.visits`) say how likely an
order is in this visit and in the next days, and which category it would be for.

Two boosted models, calibrated on later visits than they learnt from (Platt 1999), and a
conditional logit of the category (McFadden 1974): P(c) is proportional to exp(b · x_c),
with x_c what speaks for category c. All is kept as JSON and answers within milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from customer360.features.visits import (
    KINDS,
    WANTS,
    Moments,
    Vocabulary,
    describe_hits,
    label_moments,
    learn_vocabulary,
)

__all__ = ["IntentModel", "fit_intent", "replay", "sample_moments"]

TARGETS = {"visit": "buys_visit", "soon": "buys_soon"}
PARAMETERS = {
    "objective": "binary:logistic",
    "eta": 0.1,
    "max_depth": 5,
    "min_child_weight": 20,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "lambda": 5.0,
    "tree_method": "hist",
    "nthread": 1,
}
# More in the cart never makes an order less likely.
MONOTONE = {"visit_carts": 1}
ROUNDS = 150
LATER_SHARE = 0.2
LEAST_ORDERS = 50
SHOWN = 3
MICROSECONDS = 1_000_000


def sample_moments(moments: Moments, *, since: int, until: int, seed: int) -> np.ndarray:
    """One moment of each visit, at random, while nobody has logged in on the device yet.

    Parameters
    ----------
    moments : Moments
    since, until : int
        Seconds since 1970: first, and last plus one.
    seed : int

    Returns
    -------
    numpy.ndarray of int
        Places of hits, in the order of `moments`. An order ends what there is to foresee,
        and a log-in tells who it is: neither is a moment.
    """
    opens = np.flatnonzero(np.append(True, np.diff(moments.visit) > 0)[: len(moments.visit)])
    length = np.diff(np.append(opens, len(moments.visit)))
    # One draw per visit, whatever window is asked for.
    chosen = opens + (np.random.default_rng(seed).random(len(opens)) * length).astype(np.int64)
    silent = [KINDS.index(name) for name in ("order", "login")]
    fits = ~np.isin(moments.kind[chosen], silent) & ~moments.is_known[chosen]
    fits &= (moments.seconds[chosen] >= since) & (moments.seconds[chosen] < until)
    return chosen[fits]


def replay(hits: pd.DataFrame, moments: Moments, places: np.ndarray) -> pd.DataFrame:
    """Hits that were known at some moments, each moment as a visitor of its own.

    Parameters
    ----------
    hits : pandas.DataFrame
        What `moments` describes.
    moments : Moments
    places : array of int
        From `sample_moments`.

    Returns
    -------
    pandas.DataFrame
        Columns of `hits`; visitor_id is m0000000, m0000001... in the order of `places`.
    """
    born = np.searchsorted(moments.visitor, moments.visitor[places])
    length = places - born + 1
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    rows = moments.order[np.repeat(born, length) + within]
    names = np.array([f"m{number:07d}" for number in range(len(places))], dtype=object)
    return hits.iloc[rows].assign(visitor_id=np.repeat(names, length)).reset_index(drop=True)


@dataclass(frozen=True)
class IntentModel:
    """Boosted trees of purchase, a logit of the category, and what they read.

    Attributes
    ----------
    boosters : dict of str to xgboost.Booster
        By target, `TARGETS`.
    calibration : dict of str to tuple of float
        Slope and intercept on the log-odds.
    weights : tuple of float
        Of `WANTS`, in the logit.
    popularity : tuple of float
        Log share of each category of the vocabulary among orders.
    names : tuple of str
        Features, in order.
    vocabulary : Vocabulary
    timezone : str
    horizon_days : int
    """

    boosters: Mapping[str, Any]
    calibration: Mapping[str, tuple[float, float]]
    weights: tuple[float, ...]
    popularity: tuple[float, ...]
    names: tuple[str, ...]
    vocabulary: Vocabulary
    timezone: str
    horizon_days: int

    def describe(self, hits: pd.DataFrame) -> Moments:
        """`describe_hits` with the words of this model."""
        return describe_hits(hits, vocabulary=self.vocabulary, timezone=self.timezone)

    def probabilities(self, features: np.ndarray) -> pd.DataFrame:
        """Probability of an order: columns visit_probability, soon_probability."""
        return pd.DataFrame(
            {
                f"{target}_probability": _sigmoid(
                    self.calibration[target][0] * _margin(booster, features)
                    + self.calibration[target][1]
                )
                for target, booster in self.boosters.items()
            }
        )

    def categories(self, wants: np.ndarray) -> np.ndarray:
        """Probability of each category of the vocabulary, if an order comes."""
        score = wants @ np.asarray(self.weights) + np.asarray(self.popularity)
        score = np.exp(score - score.max(axis=1, keepdims=True, initial=-np.inf))
        return score / score.sum(axis=1, keepdims=True)

    def predict(self, hits: pd.DataFrame) -> pd.DataFrame:
        """What each visitor is about to do, after its last hit.

        Parameters
        ----------
        hits : pandas.DataFrame
            Contract `staged.web_events`: all that is known of the devices.

        Returns
        -------
        pandas.DataFrame
            By visitor_id: visit_probability, soon_probability, category_1 to category_3
            and their probabilities, last_at.
        """
        moments = self.describe(hits)
        at = moments.last
        table = self.probabilities(moments.features[at])
        table.insert(0, "visitor_id", moments.visitors[moments.visitor[at]])
        chances = self.categories(moments.wants[at])
        best = np.argsort(-chances, axis=1, kind="stable")
        names = np.array([*self.vocabulary.categories, None], dtype=object)
        for rank in range(SHOWN):
            there = rank < chances.shape[1]
            place = best[:, rank] if there else np.full(len(at), -1)
            held = np.take_along_axis(chances, place[:, None], axis=1)[:, 0] if there else np.nan
            table[f"category_{rank + 1}"] = pd.Series(names[place], dtype="str")
            table[f"category_{rank + 1}_probability"] = held
        last_at = (moments.seconds[at] * MICROSECONDS).astype("datetime64[us]")
        return table.assign(last_at=last_at)

    def save(self, folder: Path) -> None:
        """Write the boosters and intent.json."""
        for target, booster in self.boosters.items():
            booster.save_model(folder / f"{target}.json")
        plain = {
            "calibration": {k: list(v) for k, v in self.calibration.items()},
            "weights": self.weights,
            "popularity": self.popularity,
            "names": self.names,
            "vocabulary": asdict(self.vocabulary),
            "timezone": self.timezone,
            "horizon_days": self.horizon_days,
        }
        text = json.dumps(plain, indent=2, ensure_ascii=False)
        (folder / "intent.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote."""
        plain = json.loads((folder / "intent.json").read_text(encoding="utf-8"))
        boosters = {}
        for target in TARGETS:
            boosters[target] = xgb.Booster({"nthread": 1})
            boosters[target].load_model(folder / f"{target}.json")
        words = {name: tuple(values) for name, values in plain["vocabulary"].items()}
        return cls(
            boosters=boosters,
            calibration={k: (v[0], v[1]) for k, v in plain["calibration"].items()},
            weights=tuple(plain["weights"]),
            popularity=tuple(plain["popularity"]),
            names=tuple(plain["names"]),
            vocabulary=Vocabulary(**words),
            timezone=plain["timezone"],
            horizon_days=plain["horizon_days"],
        )


def fit_intent(
    hits: pd.DataFrame, *, until: pd.Timestamp, horizon_days: int, timezone: str, seed: int
) -> IntentModel | None:
    """Learn from anonymous visits up to a moment.

    Parameters
    ----------
    hits : pandas.DataFrame
        Contract `staged.web_events`; later hits may be there, they are not looked at.
    until : pandas.Timestamp
        End of what is known, UTC. Visits of the last `horizon_days` before it are only
        used to see what became of earlier ones.
    horizon_days : int
    timezone : str
    seed : int

    Returns
    -------
    IntentModel or None
        None when fewer than 50 anonymous visits were followed by an order, or by none.
    """
    known = hits[hits["at"] < until]
    if known.empty:
        return None
    words = learn_vocabulary(known)
    moments = describe_hits(known, vocabulary=words, timezone=timezone)
    end = int(until.timestamp()) - horizon_days * 86_400
    rows = sample_moments(moments, since=0, until=end, seed=seed)
    truth = label_moments(moments, horizon_days=horizon_days).iloc[rows]
    least = min(truth["buys_visit"].sum(), (~truth["buys_soon"]).sum()) if len(truth) else 0
    if least < LEAST_ORDERS:
        return None
    features, when = moments.features[rows], moments.seconds[rows]
    later = when >= np.quantile(when, 1 - LATER_SHARE)
    boosters, calibration = {}, {}
    for target, column in TARGETS.items():
        buys = truth[column].to_numpy()
        # Calibrated on later visits than the trees knew; then learnt again from all.
        earlier = _boost(features[~later], buys[~later], moments.names, seed=seed)
        calibration[target] = _platt(_margin(earlier, features[later]), buys[later])
        boosters[target] = _boost(features, buys, moments.names, seed=seed)
    wanted = truth["wanted"].to_numpy()
    popularity, weights = _fit_logit(moments.wants[rows[wanted >= 0]], wanted[wanted >= 0])
    return IntentModel(
        boosters=boosters,
        calibration=calibration,
        weights=weights,
        popularity=popularity,
        names=moments.names,
        vocabulary=words,
        timezone=timezone,
        horizon_days=horizon_days,
    )


def _boost(features: np.ndarray, buys: np.ndarray, names: tuple[str, ...], *, seed: int) -> Any:
    held = tuple(MONOTONE.get(name, 0) for name in names)
    return xgb.train(
        {**PARAMETERS, "seed": seed, "monotone_constraints": held},
        xgb.DMatrix(features, label=buys),
        ROUNDS,
    )


def _margin(booster: Any, features: np.ndarray) -> np.ndarray:
    if not len(features):
        return np.zeros(0)
    return booster.inplace_predict(features, predict_type="margin").astype(float)


def _platt(margin: np.ndarray, buys: np.ndarray) -> tuple[float, float]:
    if buys.all() or not buys.any():
        return 1.0, 0.0
    model = LogisticRegression(C=1e6).fit(margin[:, None], buys)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _fit_logit(
    wants: np.ndarray, wanted: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Popularity of the categories (logs), and weights of what speaks for them."""
    rows, size = np.arange(len(wanted)), wants.shape[1]
    counts = np.bincount(wanted, minlength=size) + 1.0
    popularity = np.log(counts / counts.sum())

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = wants @ weights + popularity
        score = score - score.max(axis=1, keepdims=True)
        chance = np.exp(score)
        chance /= chance.sum(axis=1, keepdims=True)
        told = -np.log(np.maximum(chance[rows, wanted], 1e-300)).sum()
        slope = np.einsum("nc,ncf->f", chance, wants) - wants[rows, wanted].sum(axis=0)
        return told + weights @ weights, slope + 2 * weights

    found = minimize(loss, np.zeros(len(WANTS)), jac=True, method="L-BFGS-B").x
    return tuple(popularity.round(9).tolist()), tuple(found.round(9).tolist())


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))
