"""What results teach: how much a theme, a picture, a channel or an offer adds to the pull.

The response model (`models.uplift`) foretells of a contact the orders without a message *m*,
the pull *p* (orders added), the share *g* that it puts off, and the share *u* of orders that
use a coupon. A lesson is a factor on the pull: ``p · exp(θ·z)``, where z names the theme, the
picture, both together, what they meet (love of promotions, age), the channel and the offer.

    orders without coupon   e^λ·m·(1 - t·g)·(1 - u·k) + t·(1 - k)·p·exp(θ·z)
    orders with coupon      k·(e^λ·m·(1 - g)·u + p·exp(θ·z))

t: sent, not held out; k: sent with a coupon; λ: level of the shop in those weeks, which those
held out tell. Both are Poisson counts. θ is drawn to 0 by a normal prior; what is known after
one month is the prior of the next (Laplace's approximation), so that a lesson costs one month
of contacts, not all of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

__all__ = ["Lessons", "best_contents", "learn_lessons", "offer_priors"]

# Contents and offers are taken to differ by a third either way, what they meet by half of it.
SPREAD, SPREAD_MET = 0.3, 0.15
# The level of the shop is learnt anew from each month.
LEVEL_SPREAD = 1.0
MET = ("promotions", "age")
NORMAL_95 = 1.959964
_TINY = 1e-9


@dataclass(frozen=True)
class Lessons:
    """Logarithms of the factors, as known so far.

    Parameters
    ----------
    themes, images, channels : tuple of str
        Those told apart; others count as none of them.
    weights : dict of str to float
        By lesson.
    covariance : numpy.ndarray
        In the order of the weights.
    contacts : int
        Learnt from.
    """

    themes: tuple[str, ...]
    images: tuple[str, ...]
    channels: tuple[str, ...]
    weights: dict[str, float]
    covariance: np.ndarray
    contacts: int = 0

    @classmethod
    def untaught(
        cls, *, themes: Sequence[str], images: Sequence[str], channels: Sequence[str]
    ) -> Lessons:
        """Nothing learnt yet: every factor is 1, give or take."""
        named = (tuple(themes), tuple(images), tuple(channels))
        names = list(_columns(*named, met=pd.DataFrame(columns=MET), contacts=_NOTHING))
        spread = [SPREAD_MET if " for " in name else SPREAD for name in names]
        return cls(*named, dict.fromkeys(names, 0.0), np.diag(np.square(spread)))

    def save(self, folder: Path) -> None:
        """Write lessons.json."""
        plain = asdict(self) | {"covariance": self.covariance.tolist()}
        (folder / "lessons.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Lessons:
        """Read what `save` wrote."""
        plain = json.loads((folder / "lessons.json").read_text(encoding="utf-8"))
        named = {name: tuple(plain[name]) for name in ("themes", "images", "channels")}
        return cls(**plain | named | {"covariance": np.array(plain["covariance"])})

    def describe(self, contacts: Any, signals: pd.DataFrame) -> np.ndarray:
        """What was said to whom.

        Parameters
        ----------
        contacts : pandas.DataFrame or mapping
            theme, image, channel, kind, depth (share): one value each, or one for all.
        signals : pandas.DataFrame
            `features.contact_signals` of the same rows.

        Returns
        -------
        numpy.ndarray, contacts x lessons
        """
        named = (self.themes, self.images, self.channels)
        columns = _columns(*named, met=signals[list(MET)], contacts=contacts)
        table = np.empty((len(signals), len(self.weights)))
        for place, name in enumerate(self.weights):
            table[:, place] = columns[name]
        return table

    def factor(self, contacts: Any, signals: pd.DataFrame) -> pd.DataFrame:
        """What multiplies the pull of each contact, described as for `describe`.

        Returns
        -------
        pandas.DataFrame
            On the index of the signals: factor, and error (standard error of its logarithm).
        """
        z = self.describe(contacts, signals)
        error = np.sqrt(np.maximum(((z @ self.covariance) * z).sum(axis=1), 0.0))
        factor = np.exp(z @ np.array([*self.weights.values()]))
        return pd.DataFrame({"factor": factor, "error": error}, index=signals.index)

    def table(self) -> pd.DataFrame:
        """One row per lesson: lesson, factor, low, high (95 %), contacts."""
        log = np.array([*self.weights.values()])
        found = _with_ends(np.exp(log), np.sqrt(np.diag(self.covariance)))
        return found.assign(lesson=list(self.weights), contacts=self.contacts)[
            ["lesson", "factor", "low", "high", "contacts"]
        ]


_NOTHING = {"theme": None, "image": None, "channel": None, "kind": None, "depth": 0.0}


def _columns(
    themes: Sequence[str],
    images: Sequence[str],
    channels: Sequence[str],
    *,
    met: pd.DataFrame,
    contacts: Any,
) -> dict[str, Any]:
    """One column per lesson, by its name; a single value where all contacts have it."""
    said = {name: np.asarray(contacts[name], dtype=object) for name in _NOTHING}
    theme = {f"theme {t}": said["theme"] == t for t in themes}
    image = {f"picture {i}": said["image"] == i for i in images}
    columns: dict[str, Any] = theme | image
    columns |= {f"{t}, {i}": theme[t] & image[i] for t in theme for i in image}
    columns |= {f"{t} for {m}": theme[t] * met[m].to_numpy(float) for t in theme for m in MET}
    columns |= {f"by {c}": said["channel"] == c for c in channels}
    return columns | {"gift": said["kind"] == "gift", "depth": 10 * said["depth"].astype(float)}


def _with_ends(factor: np.ndarray, error: np.ndarray) -> pd.DataFrame:
    """Factors and the ends of their 95 % intervals, from the error of the logarithm."""
    half = np.exp(NORMAL_95 * error)
    return pd.DataFrame({"factor": factor, "low": factor / half, "high": factor * half})


def learn_lessons(
    prior: Lessons, *, contacts: pd.DataFrame, signals: pd.DataFrame, told: pd.DataFrame
) -> Lessons:
    """Learn from contacts, on top of what is known.

    Parameters
    ----------
    prior : Lessons
        What was known before these contacts.
    contacts : pandas.DataFrame
        What `Lessons.describe` reads, and treated, orders, redeemed.
    signals : pandas.DataFrame
        `features.contact_signals` of the same rows.
    told : pandas.DataFrame
        From `UpliftModel.parts`, of the same rows.

    Returns
    -------
    Lessons
    """
    z = prior.describe(contacts, signals)
    m, p, g, u = (told[name].to_numpy() for name in ("without", "pull", "push", "use"))
    sent = contacts["treated"].to_numpy(float)
    coupon = sent * (contacts["depth"].to_numpy(float) > 0)
    used = contacts["redeemed"].to_numpy(float) * coupon
    others = contacts["orders"].to_numpy(float) - used
    kept = m * (1 - sent * g)
    # How the two piles move with the orders kept and with the orders pulled.
    ways = ((others, kept * (1 - u * coupon), sent * (1 - coupon) * p),
            (used, coupon * kept * u, coupon * p))  # fmt: skip
    before = np.array([0.0, *prior.weights.values()])
    precision = np.zeros((len(before),) * 2)
    precision[0, 0] = LEVEL_SPREAD**-2
    precision[1:, 1:] = np.linalg.inv(prior.covariance)

    def piles(beta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        level, factor = np.exp(np.clip(beta[0], -5, 5)), np.exp(np.clip(z @ beta[1:], -5, 5))
        return [(n, b * level, a * factor, b * level + a * factor + _TINY) for n, b, a in ways]

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        away = beta - before
        value, slope = away @ precision @ away / 2, precision @ away
        for count, base, added, expected in piles(beta):
            value -= (count * np.log(expected) - expected).sum()
            rest = count / expected - 1
            slope -= np.concatenate([[rest @ base], z.T @ (rest * added)])
        return value, slope

    beta = minimize(loss, before, jac=True, method="L-BFGS-B").x
    for _, base, added, expected in piles(beta):
        moves = np.column_stack([base, added[:, None] * z]) / np.sqrt(expected)[:, None]
        precision += moves.T @ moves
    covariance = np.linalg.inv(precision)[1:, 1:]
    weights = dict(zip(prior.weights, beta[1:].round(9).tolist(), strict=True))
    return replace(
        prior,
        weights=weights,
        covariance=covariance.round(12),
        contacts=prior.contacts + int(sent.sum()),
    )


def best_contents(lessons: Lessons, signals: pd.DataFrame) -> pd.DataFrame:
    """The theme and picture that should move each customer most.

    Parameters
    ----------
    lessons : Lessons
    signals : pandas.DataFrame
        `features.contact_signals` of the customers, whatever the message.

    Returns
    -------
    pandas.DataFrame
        On the same index: theme, image, factor (on the pull, beside an unknown content). The
        first in the order of the lessons wins a tie.
    """
    contents = [(theme, image) for theme in lessons.themes for image in lessons.images]
    factors = [
        lessons.factor(_NOTHING | {"theme": theme, "image": image}, signals)["factor"]
        for theme, image in contents
    ]
    table = np.column_stack(factors)
    theme, image = np.array(contents, dtype=object)[table.argmax(axis=1)].T
    return pd.DataFrame(
        {"theme": theme, "image": image, "factor": table.max(axis=1)}, index=signals.index
    )


def offer_priors(lessons: Lessons, offers: pd.DataFrame) -> pd.DataFrame:
    """What results add to the response model, channel by channel and offer by offer.

    Parameters
    ----------
    lessons : Lessons
    offers : pandas.DataFrame
        From `features.campaign_contacts.offers_made`.

    Returns
    -------
    pandas.DataFrame
        One row per channel and offer: channel, offer, factor (on the pull, whatever is shown),
        low, high (95 %), contacts (learnt from, of all channels and offers).
    """
    found = lessons.factor(
        offers.assign(theme=None, image=None),
        pd.DataFrame(0.0, index=offers.index, columns=list(MET)),
    )
    table = _with_ends(*(found[name].to_numpy() for name in ("factor", "error")))
    named = offers[["channel", "offer"]].reset_index(drop=True)
    return pd.concat([named, table], axis=1).assign(contacts=lessons.contacts)
