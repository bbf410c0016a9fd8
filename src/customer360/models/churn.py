"""Who is leaving: a calibrated probability, with reasons, learnt forward in time.

XGBoost on snapshots of the past, held to what reason demands (a longer silence never
lowers the risk), calibrated on customers the trees did not see, saved as JSON. What each
customer's own habits let expect (`models.habits`) is one of its features.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

__all__ = [
    "ChurnError",
    "ChurnModel",
    "at_risk",
    "days_to_return",
    "explain",
    "fit_churn",
    "left_alone",
    "recency_baseline",
    "return_curves",
    "usable_features",
]

# Sign of the effect that reason demands, whatever a small sample says.
MONOTONE = {
    "habit_silence": 1,
    "recency_days": 1,
    "recency_over_gap": 1,
    "silence_over_rhythm": 1,
    "purchases_missed": 1,
    "days_since_visit": 1,
    "days_since_open": 1,
    "days_since_conversation": 1,
    "orders_last_period": -1,
    "orders_last_quarter": -1,
    "orders_last_half": -1,
    "orders_last_year": -1,
    "purchase_rate": -1,
    "known_days": -1,
}
# Totals grow with the history on file: what they mean on one day is not what they mean later.
GROWING = ("net_amount", "margin", "cost_to_serve", "cost_to_contact")
PARAMETERS = {
    "objective": "binary:logistic",
    "eta": 0.1,
    "max_depth": 4,
    "min_child_weight": 10,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "lambda": 2.0,
    "tree_method": "hist",
    # The tables are small: one core is as fast as two, and far faster beside other work.
    "nthread": 1,
}
MOST_ROUNDS = 200
PATIENCE = 10
FOLDS = 5
# Leavers and stayers that a day must have to say at what level the risk stands.
LEAST_TO_LEVEL = 100


class ChurnError(ValueError):
    """The data do not allow a churn model; the message says why."""


def at_risk(features: pd.DataFrame, *, horizon_days: int) -> pd.Series:
    """Customers who can still leave: they bought within the last two horizons.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`.
    horizon_days : int

    Returns
    -------
    pandas.Series of bool
    """
    return features["recency_days"] < 2 * horizon_days


def usable_features(features: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Those of `names` that vary in this dataset, without totals since the beginning.

    A constant tells nothing; a total says on the holdout day, when the history is longer,
    something else than on the days learnt from.
    """
    return [n for n in names if n not in GROWING and features[n].nunique(dropna=False) > 1]


@dataclass(frozen=True)
class ChurnModel:
    """Trees and their calibration.

    Attributes
    ----------
    booster : xgboost.Booster
    feature_names : tuple of str
        Columns read, in order.
    categories : dict of str to tuple of str
        Levels of text columns; another text counts as missing.
    slope, intercept : float
        Platt scaling of the log-odds (Platt 1999), its level that of the latest day.
    horizon_days : int
        Silence that counts as leaving.
    parts : tuple of xgboost.Booster
        The same trees learnt without each fifth of the customers, for `interval`; not saved.
    """

    booster: Any
    feature_names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    slope: float
    intercept: float
    horizon_days: int
    parts: tuple[Any, ...] = ()

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Probability to leave, one row per row of `frame`: column churn_probability."""
        margin = self.booster.predict(self.matrix(frame), output_margin=True)
        probability = _sigmoid(self.slope * margin.astype(float) + self.intercept)
        return pd.DataFrame({"churn_probability": probability}, index=frame.index)

    def interval(self, frame: pd.DataFrame, *, level: float = 0.8) -> pd.DataFrame:
        """How far the probability may lie off because other customers might have been seen.

        Delete-a-group jackknife on the log-odds (Kott 2001): churn_low, churn_high; empty
        for a model read from a file.
        """
        data = self.matrix(frame)
        centre = self.slope * self.booster.predict(data, output_margin=True) + self.intercept
        if not self.parts:
            return pd.DataFrame({"churn_low": np.nan, "churn_high": np.nan}, index=frame.index)
        each = np.stack([self.slope * p.predict(data, output_margin=True) for p in self.parts])
        k = len(each)
        error = np.sqrt((k - 1) / k * ((each - each.mean(axis=0)) ** 2).sum(axis=0))
        reach = norm.ppf((1 + level) / 2) * error
        low, high = _sigmoid(centre - reach), _sigmoid(centre + reach)
        return pd.DataFrame({"churn_low": low, "churn_high": high}, index=frame.index)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """SHAP values: what each feature adds to the log-odds (Lundberg et al. 2020)."""
        values = self.booster.predict(self.matrix(frame), pred_contribs=True)[:, :-1]
        return pd.DataFrame(
            values * self.slope, columns=list(self.feature_names), index=frame.index
        )

    def matrix(self, frame: pd.DataFrame) -> Any:
        """The features as XGBoost reads them."""
        return xgb.DMatrix(
            _prepare(frame, self.feature_names, self.categories), enable_categorical=True
        )

    def save(self, folder: Path) -> None:
        """Write `booster.json` and `calibration.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.booster.save_model(folder / "booster.json")
        settings = {
            "feature_names": list(self.feature_names),
            "categories": {k: list(v) for k, v in self.categories.items()},
            "slope": self.slope,
            "intercept": self.intercept,
            "horizon_days": self.horizon_days,
        }
        text = json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / "calibration.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ChurnModel:
        """Read a model written by `save`."""
        folder = Path(folder)
        settings = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        booster = xgb.Booster(model_file=folder / "booster.json")
        return cls(
            booster=booster,
            feature_names=tuple(settings["feature_names"]),
            categories={k: tuple(v) for k, v in settings["categories"].items()},
            slope=settings["slope"],
            intercept=settings["intercept"],
            horizon_days=settings["horizon_days"],
        )


def fit_churn(
    train: pd.DataFrame, *, feature_names: Sequence[str], horizon_days: int, seed: int
) -> ChurnModel:
    """Fit and calibrate on snapshots of the past.

    Parameters
    ----------
    train : pandas.DataFrame
        One row per customer and training day, contract `features`, plus `churned`
        (bool). A customer seen on several days is never split between folds.
    feature_names : sequence of str
        Columns to learn from.
    horizon_days : int
        Length of the label window.
    seed : int

    Returns
    -------
    ChurnModel
        Number of rounds by cross-validation over customers; calibration on the
        out-of-fold log-odds: the slope of all training days, the level of the latest.

    Raises
    ------
    ChurnError
        When nobody leaves, everybody does, or customers are too few.
    """
    target = train["churned"].to_numpy(dtype=float)
    customers = train["customer_id"].nunique()
    leaving = int(target.sum())
    if customers < 50 or min(leaving, len(target) - leaving) < 20:
        raise ChurnError(
            f"{customers} customers, {leaving} of {len(target)} observations leaving: too few to "
            "learn who leaves (50 customers and 20 observations of each kind are needed). "
            "Bring a longer history or more customers."
        )
    names = tuple(feature_names)
    categories = {
        n: tuple(sorted(train[n].dropna().astype(str).unique()))
        for n in names
        if not pd.api.types.is_numeric_dtype(train[n])
    }
    data = xgb.DMatrix(_prepare(train, names, categories), label=target, enable_categorical=True)
    parameters = {
        **PARAMETERS,
        "seed": seed,
        "monotone_constraints": "(" + ",".join(str(MONOTONE.get(n, 0)) for n in names) + ")",
    }
    fold = _customer_folds(train["customer_id"], seed)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]
    history = xgb.cv(
        parameters,
        data,
        num_boost_round=MOST_ROUNDS,
        folds=splits,
        metrics="logloss",
        early_stopping_rounds=PATIENCE,
    )
    rounds = int(np.argmin(np.asarray(history["test-logloss-mean"]))) + 1
    margin, parts = np.empty(len(target)), []
    for learn, judge in splits:
        part = xgb.train(parameters, data.slice(learn), rounds)
        parts.append(part)
        margin[judge] = part.predict(data.slice(judge), output_margin=True)
    slope, intercept = _calibrate(margin, target, day=train["as_of"])
    return ChurnModel(
        booster=xgb.train(parameters, data, rounds),
        feature_names=names,
        categories=categories,
        slope=slope,
        intercept=intercept,
        horizon_days=horizon_days,
        parts=tuple(parts),
    )


def left_alone(
    known: pd.DataFrame, *, until: date, feature_names: Sequence[str], horizon_days: int, seed: int
) -> pd.DataFrame:
    """What a model that learnt nothing after `until` says of every day, and what happened.

    Parameters
    ----------
    known : pandas.DataFrame
        As for `fit_churn`, of all days whose outcome is known.
    until : date
        Only days whose label window ends by it are learnt from.
    feature_names, horizon_days, seed
        As for `fit_churn`.

    Returns
    -------
    pandas.DataFrame
        One row per row of `known`, for `model_health`: customer_id, as_of, predicted, actual;
        no rows when there was too little to learn from.
    """
    ends = pd.to_datetime(known["as_of"]) + pd.Timedelta(days=horizon_days)
    past = known[ends <= pd.Timestamp(until)]
    cases = known[["customer_id", "as_of"]].assign(actual=known["churned"])
    try:
        model = fit_churn(
            past,
            feature_names=usable_features(past, feature_names),
            horizon_days=horizon_days,
            seed=seed,
        )
    except ChurnError:
        return cases.head(0).assign(predicted=0.0)
    return cases.assign(predicted=model.predict(known)["churn_probability"])


def return_curves(
    days_to_next: pd.Series, probability: np.ndarray, *, horizon_days: int, groups: int = 5
) -> pd.DataFrame:
    """When customers come back, by risk: the survival view of leaving.

    Parameters
    ----------
    days_to_next : pandas.Series
        Days until the next purchase; empty for who did not buy within the horizon.
    probability : array of float
        Probability to leave foretold.
    horizon_days : int
        Everybody is watched for so long, so that the share still silent is the
        Kaplan-Meier estimate.
    groups : int
        Groups of equal size by rising risk.

    Returns
    -------
    pandas.DataFrame
        One row per group and week: risk_group (1: lowest risk), highest_probability,
        day, silent (share not back by then).
    """
    rank = pd.Series(probability).rank(method="first").to_numpy()
    group = np.minimum((rank - 1) * groups // max(len(rank), 1), groups - 1).astype(int)
    waited = days_to_next.to_numpy(dtype=float, na_value=np.inf)
    days = np.append(np.arange(0, horizon_days, 7), horizon_days)
    parts = [
        pd.DataFrame(
            {
                "risk_group": g + 1,
                "highest_probability": np.max(np.asarray(probability)[group == g], initial=0.0),
                "day": days,
                "silent": (waited[group == g][:, None] > days).mean(axis=0),
            }
        )
        for g in range(groups)
        if (group == g).any()
    ]
    return pd.concat(parts, ignore_index=True)


def days_to_return(curves: pd.DataFrame, probability: np.ndarray) -> np.ndarray:
    """Days within which half of those of like risk are back; empty where fewer come back.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `return_curves`.
    probability : array of float
    """
    half = curves[curves["silent"] <= 0.5].groupby("risk_group")["day"].min()
    tops = curves.groupby("risk_group")["highest_probability"].first()
    group = np.minimum(np.searchsorted(tops.to_numpy(), probability), len(tops) - 1)
    return half.reindex(tops.index).to_numpy(dtype=float)[group]


def recency_baseline(train: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    """Probability to leave by a logistic regression on recency alone.

    Parameters
    ----------
    train : pandas.DataFrame
        Columns recency_days, churned.
    frame : pandas.DataFrame
        Rows to score.

    Returns
    -------
    numpy.ndarray
    """
    scaler = StandardScaler().fit(_recency(train))
    model = LogisticRegression().fit(scaler.transform(_recency(train)), train["churned"])
    return model.predict_proba(scaler.transform(_recency(frame)))[:, 1]


REASONS: dict[str, tuple[str, str, str]] = {
    # feature: said when it raises the risk, in English and in French; format of the value
    "habit_silence": (
        "by its habits, its silence will last ({} %)",
        "d'après ses habitudes, son silence va durer ({} %)",
        "{:.0f}",
    ),
    "habit_yearly": (
        "comes in one season of the year only ({} % sure)",
        "ne vient qu'à une saison de l'année (sûr à {} %)",
        "{:.0f}",
    ),
    "recency_days": ("no purchase for {} days", "aucun achat depuis {} jours", "{:.0f}"),
    "recency_over_gap": (
        "silent for {} times its usual pause",
        "silence de {} fois sa pause habituelle",
        "{:.1f}",
    ),
    "gap_max_days": ("longest pause so far: {} days", "plus longue pause : {} jours", "{:.0f}"),
    "season_ahead_share": (
        "{} % of its purchases fall in the season ahead",
        "{} % de ses achats tombent dans la saison à venir",
        "{:.0f}",
    ),
    "yearly_rhythm": (
        "buys at one time of the year ({} on a scale of 1)",
        "achète à un moment de l'année ({} sur une échelle de 1)",
        "{:.1f}",
    ),
    "gap_last_days": (
        "{} days between its last two purchases",
        "{} jours entre ses deux derniers achats",
        "{:.0f}",
    ),
    "silence_over_rhythm": (
        "silent for {} times its rhythm, regular or not",
        "silence de {} fois son rythme, régulier ou non",
        "{:.1f}",
    ),
    "orders_last_quarter": (
        "{} purchase days in three months",
        "{} jours d'achat en trois mois",
        "{:.0f}",
    ),
    "orders_last_half": (
        "{} purchase days in six months",
        "{} jours d'achat en six mois",
        "{:.0f}",
    ),
    "orders_last_year": ("{} purchase days in a year", "{} jours d'achat en un an", "{:.0f}"),
    "known_days": ("known for {} days only", "connu depuis {} jours seulement", "{:.0f}"),
    "known_before_days": (
        "on file for {} days before its first purchase seen",
        "connu {} jours avant son premier achat observé",
        "{:.0f}",
    ),
    "purchase_rate": ("buys on {} days a year", "achète {} jours par an", "{:.1f}"),
    "purchases_missed": (
        "would usually have bought {} times since",
        "aurait d'ordinaire acheté {} fois depuis",
        "{:.1f}",
    ),
    "days_since_open": (
        "no message opened for {} days",
        "aucun message ouvert depuis {} jours",
        "{:.0f}",
    ),
    "days_since_conversation": (
        "no conversation for {} days",
        "aucun échange depuis {} jours",
        "{:.0f}",
    ),
    "frequency": ("only {} purchase days so far", "seulement {} jours d'achat", "{:.0f}"),
    "monetary_value": ("average purchase of {}", "panier moyen de {}", "{:.0f}"),
    "tenure_days": ("customer for {} days", "client depuis {} jours", "{:.0f}"),
    "net_amount": ("spent {} in all", "{} dépensés en tout", "{:.0f}"),
    "margin": ("margin of {} in all", "marge de {} en tout", "{:.0f}"),
    "net_amount_last_period": ("spent {} lately", "{} dépensés récemment", "{:.0f}"),
    "net_amount_previous_period": (
        "spent {} in the period before",
        "{} dépensés la période d'avant",
        "{:.0f}",
    ),
    "orders_last_period": ("{} purchase days lately", "{} jours d'achat récemment", "{:.0f}"),
    "orders_previous_period": (
        "{} purchase days in the period before",
        "{} jours d'achat la période d'avant",
        "{:.0f}",
    ),
    "gap_mean_days": ("{} days between purchases", "{} jours entre deux achats", "{:.0f}"),
    "gap_std_days": (
        "irregular rhythm (give or take {} days)",
        "rythme irrégulier (à {} jours près)",
        "{:.0f}",
    ),
    "basket_lines": ("{} articles an order", "{} articles par commande", "{:.1f}"),
    "discount_share": ("{} % of the price in reductions", "{} % du prix en remises", "{:.0f}"),
    "returned_share": ("{} % of articles returned", "{} % d'articles rendus", "{:.0f}"),
    "unpaid_share": ("{} % of articles unpaid", "{} % d'articles impayés", "{:.0f}"),
    "categories": ("buys in {} categories", "achète dans {} catégories", "{:.0f}"),
    "main_category_share": (
        "{} % spent in one category",
        "{} % des dépenses dans une catégorie",
        "{:.0f}",
    ),
    "main_category": ("buys mostly {}", "achète surtout {}", "{}"),
    "channels": ("uses {} channels", "utilise {} canaux", "{:.0f}"),
    "main_channel_share": (
        "{} % of purchases in one channel",
        "{} % des achats par un seul canal",
        "{:.0f}",
    ),
    "main_channel": ("buys mostly by {}", "achète surtout par {}", "{}"),
    "web_hits_last_period": ("{} pages seen lately", "{} pages vues récemment", "{:.0f}"),
    "days_since_visit": (
        "no visit to the site for {} days",
        "aucune visite du site depuis {} jours",
        "{:.0f}",
    ),
    "contacts_last_period": (
        "{} messages received lately",
        "{} messages reçus récemment",
        "{:.0f}",
    ),
    "opened_share": ("opens {} % of messages", "ouvre {} % des messages", "{:.0f}"),
    "conversations_last_period": (
        "{} conversations with us lately",
        "{} échanges avec nous récemment",
        "{:.0f}",
    ),
    "claims_last_period": ("{} claims lately", "{} réclamations récemment", "{:.0f}"),
    "cost_to_serve": ("care cost {}", "le service a coûté {}", "{:.0f}"),
    "cost_to_contact": ("messages cost {}", "les messages ont coûté {}", "{:.0f}"),
}
# Said of the habits of a customer of one season instead.
BETWEEN_SEASONS = {
    "en": "comes in one season of the year: silent until then",
    "fr": "ne vient qu'à une saison de l'année : silence jusque-là",
}
# A single purchase keeps to one day of the year by itself: a habit is told from two years on.
HABIT_DAYS = 730
PERCENT = {n for n in REASONS if n.endswith("_share") or n.startswith("habit_")}


def explain(
    model: ChurnModel, frame: pd.DataFrame, *, reasons: int = 3, language: str = "en"
) -> pd.DataFrame:
    """Say what raises each customer's risk most, in words.

    Parameters
    ----------
    model : ChurnModel
    frame : pandas.DataFrame
        Contract `features`.
    reasons : int
        How many at the most; only features that raise the risk are told, and a yearly rhythm
        only of those who first bought two years ago or more.
    language : {"en", "fr"}

    Returns
    -------
    pandas.DataFrame
        reason_1, reason_2, ... (raison_1, ... in French): text, empty where nothing (more)
        raises the risk.
    """
    contributions = model.contributions(frame)
    phrases = np.column_stack([_phrase(frame[n], n, language) for n in contributions.columns])
    if {"habit_silence", "habit_yearly"} <= set(contributions.columns):
        yearly = frame["habit_yearly"].to_numpy(dtype=float) > 0.5
        phrases[yearly, contributions.columns.get_loc("habit_silence")] = BETWEEN_SEASONS[language]
    values = contributions.to_numpy(copy=True)
    if {"yearly_rhythm", "tenure_days"} <= set(contributions.columns):
        early = frame["tenure_days"].to_numpy(dtype=float) < HABIT_DAYS
        values[early, contributions.columns.get_loc("yearly_rhythm")] = -np.inf
    order = np.argsort(-values, axis=1, kind="stable")[:, :reasons]
    rows = np.arange(len(frame))
    told, name = {}, {"en": "reason", "fr": "raison"}[language]
    for rank in range(reasons):
        column = order[:, rank] if rank < order.shape[1] else order[:, -1]
        raises = (values[rows, column] > 0) & (rank < order.shape[1])
        told[f"{name}_{rank + 1}"] = phrases[rows, column]
        told[f"{name}_{rank + 1}"][~raises] = None
    return pd.DataFrame(told, index=frame.index)


def _phrase(values: pd.Series, name: str, language: str) -> np.ndarray:
    plain = name.replace("_", " ")
    english, french, number = REASONS.get(name, (f"{plain} {{}}", f"{plain} {{}}", "{}"))
    text, unknown = (
        (english, f"{plain} unknown") if language == "en" else (french, f"{plain} : inconnu")
    )
    shown = values * 100 if name in PERCENT else values
    distinct = shown.round(1) if pd.api.types.is_numeric_dtype(shown) else shown
    words = {
        v: text.format(number.format(v)) for v in distinct.unique() if v == v and v is not None
    }
    return np.array(
        [words[v] if v == v and v is not None else unknown for v in distinct], dtype=object
    )


def _prepare(
    frame: pd.DataFrame, names: Sequence[str], categories: dict[str, tuple[str, ...]]
) -> pd.DataFrame:
    # XGBoost refuses pandas-3 text columns; categories fixed at fit keep their codes.
    columns = {
        n: pd.Categorical(
            frame[n].astype(object).where(frame[n].isin(categories[n])),
            categories=list(categories[n]),
        )
        if n in categories
        else frame[n].astype(float)
        for n in names
    }
    return pd.DataFrame(columns, index=frame.index)


def _customer_folds(customer_id: pd.Series, seed: int) -> np.ndarray:
    codes, customers = pd.factorize(customer_id, sort=True)
    fold = np.random.default_rng(seed).permutation(len(customers)) % FOLDS
    return fold[codes]


def _platt(margin: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    if target.min() == target.max():
        return 1.0, 0.0
    model = LogisticRegression(C=1e6).fit(margin.reshape(-1, 1), target)
    slope = float(model.coef_[0, 0])
    # A negative slope would turn the ranking round: then the trees learnt nothing stable.
    return (slope, float(model.intercept_[0])) if slope > 0 else (1.0, 0.0)


def _calibrate(margin: np.ndarray, target: np.ndarray, *, day: pd.Series) -> tuple[float, float]:
    """Platt scaling whose level is that of the latest day: the nearest to the one foretold."""
    slope, intercept = _platt(margin, target)
    latest = (day == day.max()).to_numpy()
    leaving = target[latest].sum()
    if min(leaving, latest.sum() - leaving) < LEAST_TO_LEVEL:
        return slope, intercept
    level = brentq(
        lambda x: _sigmoid(slope * margin[latest] + x).sum() - leaving,
        intercept - 20.0,
        intercept + 20.0,
    )
    return slope, float(level)


def _recency(frame: pd.DataFrame) -> np.ndarray:
    return np.log1p(frame["recency_days"].to_numpy(dtype=float)).reshape(-1, 1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))
