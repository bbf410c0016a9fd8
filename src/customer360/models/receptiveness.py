"""Who answers a message, whether or not because of it.

A ridge logistic regression on the signals of a contact. A propensity ranks those who will
order anyway as high as those who order because of the message: it says whom to expect, not
whom to write to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

__all__ = ["ReceptivenessModel", "fit_receptiveness"]

# Strength of the ridge, and the share of the latest contacts on which it is calibrated.
INVERSE_RIDGE = 0.01
LATER_SHARE = 0.25
LEAST_ANSWERS = 50
STEPS = 500


@dataclass(frozen=True)
class ReceptivenessModel:
    """Weights of the signals.

    Attributes
    ----------
    names : tuple of str
        Signals read.
    centre, scale, weights : array of float
        Mean and spread of each signal, and its weight once both are taken out.
    intercept : float
        On the log-odds.
    """

    names: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def predict(self, signals: pd.DataFrame) -> np.ndarray:
        """Probability of an answer to each contact, from `features.contact_signals`."""
        return expit(self._score(signals))

    def _score(self, signals: pd.DataFrame) -> np.ndarray:
        values = (signals[list(self.names)].to_numpy(float) - self.centre) / self.scale
        return values @ self.weights + self.intercept

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        rows = zip(self.names, self.centre, self.scale, self.weights, strict=True)
        plain = {
            "intercept": self.intercept,
            "signals": {n: [float(c), float(s), float(w)] for n, c, s, w in rows},
        }
        path.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> ReceptivenessModel:
        """Read what `save` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        centre, scale, weights = np.array(list(plain["signals"].values())).T
        return cls(tuple(plain["signals"]), centre, scale, weights, plain["intercept"])


def fit_receptiveness(
    signals: pd.DataFrame, answered: pd.Series, *, day: pd.Series
) -> ReceptivenessModel | None:
    """Learn from contacts that were sent.

    Parameters
    ----------
    signals : pandas.DataFrame
        From `features.contact_signals`.
    answered : Series of bool
        Whether each was answered.
    day : Series of datetime
        When it was sent: the latest quarter calibrates what the others taught (slope and
        intercept on the log-odds, Platt 1999).

    Returns
    -------
    ReceptivenessModel or None
        None when fewer than 50 contacts were answered, or fewer than 50 were not.
    """
    y = answered.to_numpy(bool)
    if min(y.sum(), (~y).sum()) < LEAST_ANSWERS:
        return None
    later = (day >= day.quantile(1 - LATER_SHARE)).to_numpy()
    model = _fit(signals, y)
    if min(y[later].sum(), (~y[later]).sum(), y[~later].sum()) == 0:
        return model
    # The earlier part tells how far scores can be trusted later; the level is the latest one.
    earlier = _fit(signals[~later], y[~later])
    scale = LogisticRegression(C=1.0).fit(earlier._score(signals[later])[:, None], y[later])
    slope = float(scale.coef_[0, 0])
    level = slope * model._score(signals[later])
    gap = _level(level, share=float(y[later].mean()))
    return ReceptivenessModel(
        model.names,
        model.centre,
        model.scale,
        model.weights * slope,
        model.intercept * slope + gap,
    )


def _fit(signals: pd.DataFrame, answered: np.ndarray) -> ReceptivenessModel:
    centre, scale = signals.mean().to_numpy(), signals.std(ddof=0).to_numpy()
    scale = np.where(scale > 1e-9, scale, 1.0)
    values = (signals.to_numpy(float) - centre) / scale
    found = LogisticRegression(C=INVERSE_RIDGE, max_iter=STEPS).fit(values, answered)
    return ReceptivenessModel(
        tuple(signals.columns),
        centre,
        scale,
        found.coef_[0].round(9),
        float(found.intercept_[0].round(9)),
    )


def _level(score: np.ndarray, *, share: float) -> float:
    """What to add to log-odds so that they expect a share on average."""
    gap = 0.0
    for _ in range(20):
        gap += logit(share) - logit(expit(score + gap).mean())
    return float(gap)
