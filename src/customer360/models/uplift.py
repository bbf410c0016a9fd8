"""Extra orders because of a message, learnt from campaigns that held people out at random.

The orders of the two weeks after a contact are counted in two piles: those with the coupon of
the campaign, which nobody who was held out can have, and the others. For a customer with
signals x and a message c,

    without a message   m(x) orders                             m = exp(a·x)
    with a message      (1 - g(x)) · m(x) + p(x, c) orders      p = exp(b·x), g = h · logit⁻¹(c·x)
    with the coupon     u(x, c) · (1 - g) · m + p orders        u = logit⁻¹(d·x)

so the effect is ``p - g · m``: pull adds orders whatever the customer buys, push takes a share
of what it would have bought, scaled by *h*, how much a channel is heard at all. Both piles are
Poisson counts, the weights are shrunk (ridge), push as a whole to a small one. The coupons
tell pull apart almost without the noise of everyday orders; the draw of the hold-out, not the
coupons, says what the orders without coupon lost.

Learners that assume no such form (Künzel et al. 2019; Kennedy 2023; Athey and Imbens 2015)
are in `models.meta_learners`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["PARTS", "UpliftModel", "cross_fit", "fit_uplift", "is_tested"]

# Signals of each part of the model. Pull does not read how often a customer buys: that is
# what tells a coupon that brought an order from one used on an order that came anyway.
PARTS: dict[str, tuple[str, ...]] = {
    "without": ("rate", "quarter", "half", "year", "missed", "recency", "never", "known",
                "same_season", "season", "age", "talks", "visits", "opens", "reduced", "spend",
                "fresh"),
    "pull": ("promotions", "reduced", "coupons_used", "coupon_rate", "coupon_habit",
             "coupons_kept", "opens",
             "clicks", "age", "age_unknown", "depth", "depth_for_lovers", "gift", "by_email",
             "by_sms", "by_phone", "by_post", "by_social", "by_web", "fatigue", "bounced",
             "recency", "never", "known", "taste", "visits"),
    "push": ("promotions", "coupon_habit", "reduced", "age"),
    "use": ("promotions", "coupon_habit", "reduced", "depth", "opens"),
}  # fmt: skip
RIDGE = {"without": 3.0, "pull": 60.0, "push": 30.0, "use": 20.0}
PUSH_RIDGE = 10.0
STEPS = 200
LEAST_HELD_OUT = 200
LEAST_ORDERS = 50
NORMAL_90 = 1.6448536269514722
_TINY = 1e-9


def is_tested(contacts: pd.DataFrame) -> bool:
    """Whether enough people were held out at random for an effect to be known."""
    held = ~contacts["treated"].to_numpy(bool) & (contacts["propensity"].to_numpy(float) > 0)
    return bool(held.sum() >= LEAST_HELD_OUT and contacts["orders"].sum() >= LEAST_ORDERS)


@dataclass(frozen=True)
class UpliftModel:
    """Weights of the four parts.

    Attributes
    ----------
    centre, scale : dict of str to float
        Mean and spread of each signal among the contacts learnt from.
    weights : dict of str to array of float
        By part of `PARTS`: intercept, then one per signal.
    attention : dict of str to float
        How much each channel is heard, 0 to 1: who hears nothing is not put off either.
    covariance : array of float
        Of all weights, parts in order, by Laplace's approximation.
    """

    centre: dict[str, float]
    scale: dict[str, float]
    weights: dict[str, np.ndarray]
    attention: dict[str, float]
    covariance: np.ndarray

    def predict(self, signals: pd.DataFrame, *, lesson: pd.DataFrame | None = None) -> pd.DataFrame:
        """What each contact would do.

        Parameters
        ----------
        signals : pandas.DataFrame
            From `features.contact_signals`, one row per contact.
        lesson : pandas.DataFrame, optional
            From `lessons.Lessons.factor`, of the same rows: what multiplies the pull.

        Returns
        -------
        pandas.DataFrame
            On the same index, orders within the two weeks: expected_orders (without a
            message), uplift (extra ones because of it), uplift_low and uplift_high (a 90 %
            interval of the mean effect on customers alike), redeemed (with the coupon, if
            there is one, whether they came because of it or not).
        """
        designs, shapes = self._shapes(signals, lesson)
        m, p, s, u = shapes.values()
        g = _heard(signals, self.attention) * s
        # How the effect moves with each weight (delta method).
        moves = (-g * m, p, -g * (1 - s) * m, np.zeros(len(m)))
        slope = np.hstack([d * v[:, None] for d, v in zip(designs.values(), moves, strict=True)])
        variance = ((slope @ self.covariance) * slope).sum(axis=1)
        if lesson is not None:
            variance = variance + (lesson["error"].to_numpy() * p) ** 2
        half = NORMAL_90 * np.sqrt(np.maximum(variance, 0.0))
        effect = p - g * m
        return pd.DataFrame(
            {
                "expected_orders": m,
                "uplift": effect,
                "uplift_low": effect - half,
                "uplift_high": effect + half,
                "redeemed": u * (1 - g) * m + p,
            },
            index=signals.index,
        )

    def parts(self, signals: pd.DataFrame, *, lesson: pd.DataFrame | None = None) -> pd.DataFrame:
        """What each contact would do, taken apart.

        Parameters
        ----------
        signals, lesson : pandas.DataFrame
            As for `predict`.

        Returns
        -------
        pandas.DataFrame
            On the same index: without (orders without a message), pull (orders it adds),
            push (share of the former that it puts off), use (share of orders that come
            anyway and use a coupon): uplift is ``pull - push * without``.
        """
        _, shapes = self._shapes(signals, lesson)
        table = pd.DataFrame(shapes, index=signals.index)
        return table.assign(push=table["push"] * _heard(signals, self.attention))

    def _shapes(
        self, signals: pd.DataFrame, lesson: pd.DataFrame | None
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Design and shape of each part; push as of a channel that is heard in full."""
        designs = {part: _design(part, signals, self.centre, self.scale) for part in PARTS}
        shapes = {part: _shape(part, d @ self.weights[part]) for part, d in designs.items()}
        if lesson is not None:
            shapes["pull"] = shapes["pull"] * lesson["factor"].to_numpy()
        return designs, shapes

    def save(self, folder: Path) -> None:
        """Write uplift.json."""
        plain = {
            "centre": self.centre,
            "scale": self.scale,
            "weights": {
                part: dict(zip(("1", *PARTS[part]), values.round(9).tolist(), strict=True))
                for part, values in self.weights.items()
            },
            "attention": self.attention,
            "covariance": self.covariance.tolist(),
        }
        (folder / "uplift.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> UpliftModel:
        """Read what `save` wrote."""
        plain = json.loads((folder / "uplift.json").read_text(encoding="utf-8"))
        weights = {
            part: np.array([values[name] for name in ("1", *PARTS[part])])
            for part, values in plain["weights"].items()
        }
        return cls(
            centre=plain["centre"],
            scale=plain["scale"],
            weights=weights,
            attention=plain["attention"],
            covariance=np.array(plain["covariance"]),
        )


def _shape(part: str, score: np.ndarray) -> np.ndarray:
    """Orders (without, pull) or a share (push, use)."""
    return np.exp(np.clip(score, -15, 3)) if part in ("without", "pull") else expit(score)


def _design(
    part: str, signals: pd.DataFrame, centre: dict[str, float], scale: dict[str, float]
) -> np.ndarray:
    columns = [(signals[name].to_numpy() - centre[name]) / scale[name] for name in PARTS[part]]
    return np.column_stack([np.ones(len(signals)), *columns])


def fit_uplift(signals: pd.DataFrame, contacts: pd.DataFrame) -> UpliftModel:
    """Learn the four parts from contacts sent and held out.

    Parameters
    ----------
    signals : pandas.DataFrame
        From `features.contact_signals`.
    contacts : pandas.DataFrame
        The same rows: channel, treated, depth, orders, redeemed.

    Returns
    -------
    UpliftModel
    """
    names = sorted({name for part in PARTS.values() for name in part})
    centre = {name: float(signals[name].mean()) for name in names}
    spread = {name: float(signals[name].std(ddof=0)) for name in names}
    scale = {name: value if value > _TINY else 1.0 for name, value in spread.items()}
    designs = [_design(part, signals, centre, scale) for part in PARTS]
    treated = contacts["treated"].to_numpy(float)
    coupon = treated * (contacts["depth"].to_numpy(float) > 0)
    with_coupon = contacts["redeemed"].to_numpy(float) * coupon
    others = contacts["orders"].to_numpy(float) - with_coupon
    cuts = np.cumsum([design.shape[1] for design in designs])[:-1]
    ridge = np.concatenate([np.r_[0.0, np.full(len(PARTS[part]), RIDGE[part])] for part in PARTS])
    usual = max(float(others.mean()), _TINY)
    starts = {"without": np.log(usual), "pull": np.log(0.02), "push": -3.0, "use": -1.0}
    start = np.concatenate([np.r_[starts[part], np.zeros(len(PARTS[part]))] for part in PARTS])
    # Every weight is drawn to none, and push as a whole to a small one.
    ridge[cuts[1]] = PUSH_RIDGE
    drawn_to = np.zeros(len(start))
    drawn_to[cuts[1]] = starts["push"]

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        score = [d @ b for d, b in zip(designs, np.split(beta, cuts), strict=True)]
        m, p, s, u = (_shape(part, v) for part, v in zip(PARTS, score, strict=True))
        g = heard * s
        kept = m * (1 - treated * g)
        plain = kept * (1 - u * coupon) + treated * p * (1 - coupon) + _TINY
        used = coupon * (kept * u + p) + _TINY
        told = others * np.log(plain) - plain + coupon * (with_coupon * np.log(used) - used)
        by_plain = others / plain - 1
        by_used = coupon * (with_coupon / used - 1)
        by_kept = by_plain * (1 - u * coupon) + by_used * u
        slopes = (
            by_kept * kept,
            (by_plain * treated * (1 - coupon) + by_used) * p,
            -by_kept * treated * g * (1 - s) * m,
            (by_used - by_plain * coupon) * u * (1 - u) * kept,
        )
        slope = np.concatenate([d.T @ s for d, s in zip(designs, slopes, strict=True)])
        away = beta - drawn_to
        return -told.sum() + ridge @ away**2 / 2, ridge * away - slope

    options = {"maxiter": STEPS}
    heard = np.ones(len(contacts))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    # Learnt again, now that the pull tells how much each channel is heard.
    pull = dict(zip(PARTS["pull"], np.split(found, cuts)[1][1:], strict=True))
    attention = _attention(contacts["channel"], pull, scale)
    heard = _heard(signals, attention)
    found = minimize(loss, found, jac=True, method="L-BFGS-B", options=options).x
    weights = dict(zip(PARTS, np.split(found.round(9), cuts), strict=True))
    information = _information(designs, list(weights.values()), treated, coupon, heard)
    # An intercept is not shrunk; a trace of ridge keeps the inverse defined.
    covariance = np.linalg.inv(information + np.diag(np.maximum(ridge, 1e-6)))
    return UpliftModel(
        centre=centre,
        scale=scale,
        weights=weights,
        attention=attention,
        covariance=covariance.round(12),
    )


def _attention(
    channel: pd.Series, pull: dict[str, float], scale: dict[str, float]
) -> dict[str, float]:
    """How much a channel is heard beside the one used most, as its pull tells; 1 at most."""
    usual = f"by_{channel.mode().iloc[0]}"
    force = {name: pull[name] / scale[name] for name in pull if name.startswith("by_")}
    return {
        name: float(np.exp(min(value - force.get(usual, value), 0.0)).round(9))
        for name, value in force.items()
    }


def _heard(signals: pd.DataFrame, attention: dict[str, float]) -> np.ndarray:
    """Attention of the channel of each contact; 1 where it is none of those known."""
    lost = sum((1 - share) * signals[name].to_numpy() for name, share in attention.items())
    return np.ones(len(signals)) - lost


def cross_fit(signals: pd.DataFrame, contacts: pd.DataFrame, *, folds: int = 3) -> pd.DataFrame:
    """Foretell each contact from customers other than its own.

    Parameters
    ----------
    signals, contacts : pandas.DataFrame
        As for `fit_uplift`; contacts also say customer_id.
    folds : int
        Groups of customers; those of one are foretold from all others.

    Returns
    -------
    pandas.DataFrame
        As `UpliftModel.predict`, on the index of the signals.
    """
    group = pd.factorize(contacts["customer_id"], sort=True)[0] % folds
    parts = []
    for fold in range(folds):
        own = group == fold
        parts.append(fit_uplift(signals[~own], contacts[~own]).predict(signals[own]))
    return pd.concat(parts).loc[signals.index]


def _information(
    designs: list[np.ndarray],
    weights: list[np.ndarray],
    treated: np.ndarray,
    coupon: np.ndarray,
    heard: np.ndarray,
) -> np.ndarray:
    """Fisher information of the weights: both piles are Poisson counts."""
    score = [d @ b for d, b in zip(designs, weights, strict=True)]
    m, p, s, u = (_shape(part, v) for part, v in zip(PARTS, score, strict=True))
    g = heard * s
    kept, lost = m * (1 - treated * g), treated * g * (1 - s) * m
    piles = (
        (
            kept * (1 - u * coupon) + treated * p * (1 - coupon),
            (
                kept * (1 - u * coupon),
                treated * p * (1 - coupon),
                -lost * (1 - u * coupon),
                -coupon * kept * u * (1 - u),
            ),
        ),
        (
            coupon * (kept * u + p),
            (coupon * kept * u, coupon * p, -coupon * lost * u, coupon * kept * u * (1 - u)),
        ),
    )
    total = np.zeros((sum(d.shape[1] for d in designs),) * 2)
    for expected, moves in piles:
        slope = np.hstack([d * s[:, None] for d, s in zip(designs, moves, strict=True)])
        total += (slope / np.maximum(expected, _TINY)[:, None]).T @ slope
    return total
