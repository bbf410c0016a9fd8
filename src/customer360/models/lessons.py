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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from customer360.models.uplift import UpliftModel

__all__ = ["Lessons", "best_contents", "learn_lessons", "lesson_signals", "lessons_of"]

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
    weights : dict of str to float
        By name of `lesson_signals`.
    covariance : numpy.ndarray
        In the order of the weights.
    contacts : int
        Learnt from.
    """

    weights: dict[str, float]
    covariance: np.ndarray
    contacts: int = 0

    @classmethod
    def untaught(cls, names: Sequence[str]) -> Lessons:
        """Nothing learnt yet: every factor is 1, give or take."""
        spread = [SPREAD_MET if " for " in name else SPREAD for name in names]
        return cls(dict.fromkeys(names, 0.0), np.diag(np.square(spread)))

    def save(self, folder: Path) -> None:
        """Write lessons.json."""
        plain = {
            "weights": self.weights,
            "covariance": self.covariance.tolist(),
            "contacts": self.contacts,
        }
        (folder / "lessons.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Lessons:
        """Read what `save` wrote."""
        plain = json.loads((folder / "lessons.json").read_text(encoding="utf-8"))
        return cls(plain["weights"], np.array(plain["covariance"]), plain["contacts"])

    def factor(self, signals: pd.DataFrame) -> np.ndarray:
        """What multiplies the pull of each contact, from `lesson_signals`."""
        return np.exp(signals[list(self.weights)].to_numpy() @ np.array([*self.weights.values()]))

    def table(self) -> pd.DataFrame:
        """One row per lesson: lesson, factor, low, high (95 %), contacts."""
        log = np.array([*self.weights.values()])
        half = NORMAL_95 * np.sqrt(np.diag(self.covariance))
        ends = {"factor": log, "low": log - half, "high": log + half}
        found = pd.DataFrame({name: np.exp(value) for name, value in ends.items()})
        return found.assign(lesson=list(self.weights), contacts=self.contacts)[
            ["lesson", "factor", "low", "high", "contacts"]
        ]


def lesson_signals(
    contacts: pd.DataFrame,
    signals: pd.DataFrame,
    *,
    themes: Sequence[str],
    images: Sequence[str],
    channels: Sequence[str],
) -> pd.DataFrame:
    """Describe what was said to whom.

    Parameters
    ----------
    contacts : pandas.DataFrame
        theme, image, channel, kind, depth (share); unknown values count as none of those named.
    signals : pandas.DataFrame
        `features.contact_signals` of the same rows.
    themes, images, channels : sequence of str
        Those to tell apart.

    Returns
    -------
    pandas.DataFrame
        One column per lesson, on the index of the contacts.
    """
    theme = {f"theme {t}": contacts["theme"].eq(t) for t in themes}
    image = {f"picture {i}": contacts["image"].eq(i) for i in images}
    columns = theme | image
    columns |= {f"{t}, {i}": theme[t] & image[i] for t in theme for i in image}
    met = {name: signals[name] for name in MET}
    columns |= {f"{t} for {m}": theme[t] * met[m] for t in theme for m in met}
    columns |= {f"by {c}": contacts["channel"].eq(c) for c in channels}
    columns |= {"gift": contacts["kind"].eq("gift"), "depth": 10 * contacts["depth"]}
    table = {name: np.asarray(values, dtype=float) for name, values in columns.items()}
    return pd.DataFrame(table, index=contacts.index)


def learn_lessons(
    signals: pd.DataFrame,
    *,
    told: pd.DataFrame,
    contacts: pd.DataFrame,
    prior: Lessons | None = None,
) -> Lessons:
    """Learn from contacts, on top of what is known.

    Parameters
    ----------
    signals : pandas.DataFrame
        From `lesson_signals`.
    told : pandas.DataFrame
        From `UpliftModel.parts`, of the same rows.
    contacts : pandas.DataFrame
        treated, depth, orders, redeemed.
    prior : Lessons, optional
        What was known before these contacts.

    Returns
    -------
    Lessons
    """
    prior = prior or Lessons.untaught(list(signals.columns))
    z = signals[list(prior.weights)].to_numpy()
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
    return Lessons(weights, covariance.round(12), prior.contacts + int(sent.sum()))


def best_contents(
    lessons: Lessons, signals: pd.DataFrame, *, themes: Sequence[str], images: Sequence[str]
) -> pd.DataFrame:
    """The theme and picture that should move each customer most.

    Parameters
    ----------
    lessons : Lessons
    signals : pandas.DataFrame
        `features.contact_signals` of the customers, whatever the message.
    themes, images : sequence of str
        To choose among.

    Returns
    -------
    pandas.DataFrame
        On the same index: theme, image, factor (on the pull, beside an unknown content). The
        first in the order given wins a tie.
    """
    factors = []
    for theme in themes:
        for image in images:
            said = pd.DataFrame(
                {"theme": theme, "image": image, "channel": "", "kind": "", "depth": 0.0},
                index=signals.index,
            )
            z = lesson_signals(said, signals, themes=themes, images=images, channels=())
            factors.append(lessons.factor(z.reindex(columns=list(lessons.weights), fill_value=0.0)))
    table = np.column_stack(factors)
    best = table.argmax(axis=1)
    return pd.DataFrame(
        {
            "theme": np.array(themes, dtype=object)[best // len(images)],
            "image": np.array(images, dtype=object)[best % len(images)],
            "factor": table.max(axis=1),
        },
        index=signals.index,
    )


def lessons_of(
    model: UpliftModel,
    contacts: pd.DataFrame,
    signals: pd.DataFrame,
    *,
    themes: Sequence[str],
    images: Sequence[str],
    channels: Sequence[str],
    prior: Lessons | None = None,
) -> Lessons:
    """`learn_lessons` of contacts as `features.campaign_contacts` tells them."""
    named = {"themes": themes, "images": images, "channels": channels}
    return learn_lessons(
        lesson_signals(contacts, signals, **named),
        told=model.parts(signals),
        contacts=contacts,
        prior=prior,
    )
