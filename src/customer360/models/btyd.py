"""Buy-till-you-die models: how often each customer will buy again, and for how much.

Time may run on the customer's own clock: faster after the first purchase, when a new shop
is a discovery, then at the pace of the calendar (`Honeymoon`).

The only module that imports lifetimes, which gives the reference likelihood of
Gamma-Gamma. All the rest is done here, with the slope of each likelihood written out: the
package's own fit prints, accepts degenerate input without a word and can be saved with
pickle only, and its Pareto/NBD and its scores overflow for customers who bought often.
Customers with one history (frequency, recency, T) get one score, so everything runs on
the *distinct* histories, weighted by how many customers share each. What a customer who
stayed will do depends on frequency and T alone: fewer still.

References
----------
.. [1] Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way: An Alternative
   to the Pareto/NBD Model", Marketing Science 24 (2). BG/NBD.
.. [2] Batislam, Denizel and Filiztekin (2007), "Empirical validation and comparison of
   models for customer base analysis", IJRM 24 (3); Wagner and Hoppe (2008), erratum,
   IJRM 25 (3). MBG/NBD.
.. [3] Schmittlein, Morrison and Colombo (1987), "Counting Your Customers: Who Are They and
   What Will They Do Next?", Management Science 33 (1); Fader and Hardie (2005), "A Note on
   Deriving the Pareto/NBD Model". Pareto/NBD.
.. [4] Fader, Hardie and Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base
   Analysis", Journal of Marketing Research 42 (4); Fader and Hardie (2013), "The
   Gamma-Gamma Model of Monetary Value". Gamma-Gamma.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import OptimizeResult, minimize
from scipy.special import digamma, expit, gammaln, hyp2f1
from threadpoolctl import threadpool_limits

__all__ = [
    "MODELS",
    "BtydError",
    "BtydModel",
    "GammaGammaModel",
    "Honeymoon",
    "ModelName",
    "discounted_days_alive",
    "discounted_purchases",
    "expected_cumulative",
    "expected_margin",
    "expected_purchases",
    "fit_btyd",
    "fit_gamma_gamma",
    "probability_alive",
]

ModelName = Literal["bg_nbd", "mbg_nbd", "pareto_nbd"]
MODELS: tuple[ModelName, ...] = ("bg_nbd", "mbg_nbd", "pareto_nbd")

_PARAMETERS: dict[str, tuple[str, ...]] = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
}
_HISTORY = ["frequency", "recency_days", "T_days"]
# Parameters are sought between e^-9 and e^7, in units where the oldest customer has age 1.
_LOG_LOWER, _LOG_UPPER = -9.0, 7.0
_DAYS_PER_YEAR = 365.25
# Histories taken at once: bounds the memory of curves and integrals.
_CHUNK = 50_000

Floats = NDArray[np.float64]
# Days ahead to time on the model's clock, for each history.
Ahead = Callable[[Floats], Floats]


class BtydError(ValueError):
    """The purchases cannot carry the model. The message says why and what to do."""


@dataclass(frozen=True)
class _Fitted:
    """Saving and loading, the same for every fitted model: JSON, never pickle."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, fit for JSON."""
        fields = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})

    def to_json(self) -> str:
        """JSON text; numbers come back exactly."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Inverse of `to_json`."""
        return cls.from_dict(json.loads(text))


@dataclass(frozen=True)
class Honeymoon:
    """A clock that runs faster after the first purchase.

    An age of a days is read as a + extra_days (1 - exp(-a / fades_in_days)): purchases (and
    leaving) that a new customer packs into its first weeks are neither taken for its lasting
    rate nor, when they cease, for its leaving.

    Attributes
    ----------
    extra_days : float
        Days the clock gains in all; 0 for the plain calendar.
    fades_in_days : float
        Time in which the haste fades by a factor e.
    """

    extra_days: float = 0.0
    fades_in_days: float = 30.0

    def read(self, age_days: ArrayLike) -> Floats:
        """Days on the clock at an age."""
        age = np.asarray(age_days, dtype=float)
        return age - self.extra_days * np.expm1(-age / self.fades_in_days)

    def speed(self, age_days: ArrayLike) -> Floats:
        """Days on the clock per day of the calendar."""
        age = np.asarray(age_days, dtype=float)
        return 1 + self.extra_days / self.fades_in_days * np.exp(-age / self.fades_in_days)


@dataclass(frozen=True)
class BtydModel(_Fitted):
    """A fitted BG/NBD, MBG/NBD or Pareto/NBD model.

    Attributes
    ----------
    name : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    params : dict
        r and alpha (alpha in time units) of the purchase rates; a and b of the chance to
        leave after a purchase, or s and beta (beta in time units) of the rate of leaving.
    time_unit_days : float
        Days in the unit of time of `params` and `log_likelihood`. A choice of display:
        histories are in days whatever the unit, and predictions do not depend on it.
    penalizer : float
    log_likelihood : float
        Total over the customers, without the penalty.
    n_customers, n_histories : int
        Customers, and distinct (frequency, recency, T) among them.
    at_bound : tuple of str
        Parameters stopped by the bounds of the search: the purchases do not tell them
        apart from infinity or zero. Often harmless (hardly anyone leaves), to be said.
    extra_days, fades_in_days : float
        The `Honeymoon` clock the histories were read on; 0 extra days: the calendar.
    """

    name: str
    params: dict[str, float]
    time_unit_days: float
    penalizer: float
    log_likelihood: float
    n_customers: int
    n_histories: int
    at_bound: tuple[str, ...] = ()
    extra_days: float = 0.0
    fades_in_days: float = 30.0

    @property
    def clock(self) -> Honeymoon:
        """The clock on which ages are read."""
        return Honeymoon(self.extra_days, self.fades_in_days)


@dataclass(frozen=True)
class GammaGammaModel(_Fitted):
    """A fitted Gamma-Gamma model of the margin of a purchase day.

    Attributes
    ----------
    p, q, v : float
        Shape of a customer's margins; shape and scale (currency) of their spread between
        customers. `v` is written gamma in the papers.
    population_mean : float
        Margin expected of a customer of whom no repeat purchase is known, currency:
        p v / (q - 1), or the observed mean where q is so near 1 that the former runs away.
    log_likelihood : float
    n_customers : int
        Customers the model was fitted on: repeat buyers with a positive margin.
    n_not_positive : int
        Repeat buyers left out of the fit because their margin is zero, negative or unknown.
    frequency_value_correlation : float
        Pearson correlation of frequency and monetary value among the customers fitted. The
        model assumes that it is near 0; 0 where either does not vary.
    at_bound : tuple of str
        Parameters stopped by the bounds of the search.
    """

    p: float
    q: float
    v: float
    population_mean: float
    log_likelihood: float
    n_customers: int
    n_not_positive: int
    frequency_value_correlation: float
    at_bound: tuple[str, ...] = ()


# --- fit --------------------------------------------------------------------------------------


def fit_btyd(
    summary: pd.DataFrame,
    *,
    model: ModelName,
    time_unit_days: float = 7.0,
    penalizer: float = 0.0,
    clock: Honeymoon | None = None,
) -> BtydModel:
    """Fit a model of repeat purchases by maximum likelihood.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer: frequency (repeat purchase days), recency_days and T_days
        (float, days), as `features.btyd_summary.summarise_purchases` gives them.
    model : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    time_unit_days : float
        Unit in which the parameters and the log-likelihood are told; 7 for the weeks of
        the papers.
    penalizer : float
        Weight of the sum of squared parameters, as in lifetimes: on the mean
        log-likelihood, with time scaled so that the oldest customer has age 1.
    clock : Honeymoon, optional
        Clock on which ages are read; the calendar by default. `log_likelihood` is then that
        of times on the clock.

    Returns
    -------
    BtydModel

    Raises
    ------
    BtydError
        No customer, one only, none who bought again, all with one and the same history,
        impossible values, or a search that does not converge from any starting point.
    """
    if model not in MODELS:
        raise BtydError(f"model {model!r} is not one of {', '.join(MODELS)}")
    if not time_unit_days > 0 or penalizer < 0:
        raise BtydError("time_unit_days must be above 0 and penalizer not below 0")
    states, _ = _histories(summary)
    customers = states["customers"].to_numpy(float)
    if len(summary) < 2:
        raise BtydError(
            f"{len(summary)} customer in the purchases: a model of repeat purchases needs many; "
            "check the dates of the calibration period"
        )
    x, recency, age = (states[column].to_numpy(float) for column in _HISTORY)
    if x.max() == 0:
        raise BtydError(
            f"none of the {len(summary):,} customers bought on a second day: there is no rhythm "
            "to learn; take a longer period, or check that customers keep one id"
        )
    if len(states) == 1:
        raise BtydError(
            f"all {len(summary):,} customers have one and the same history: nothing tells them "
            "apart; check how purchase days were made"
        )

    clock = clock or Honeymoon()
    recency, age = clock.read(recency), clock.read(age)
    negative_mean = _objective(model)
    oldest = age.max()
    arguments = (x, recency / oldest, age / oldest, customers)
    rate = (customers @ x) / (customers @ age) * oldest
    found = _search(
        lambda log_params: negative_mean(log_params, *arguments, penalizer),
        starts=np.log(_starts(model, rate)),
        lower=[_LOG_LOWER] * 4,
        label=f"{model} on {len(summary):,} customers",
    )
    unit = oldest / time_unit_days
    values = np.exp(found.x) * _time_powers(model, unit)
    log_likelihood = -customers.sum() * _value(
        negative_mean, np.log(values), x, recency / time_unit_days, age / time_unit_days, customers
    )
    names = _PARAMETERS[model]
    return BtydModel(
        name=model,
        params={name: float(value) for name, value in zip(names, values, strict=True)},
        time_unit_days=float(time_unit_days),
        penalizer=float(penalizer),
        log_likelihood=float(log_likelihood),
        n_customers=len(summary),
        n_histories=len(states),
        at_bound=_at_bound(names, found.x, [_LOG_LOWER] * 4),
        extra_days=float(clock.extra_days),
        fades_in_days=float(clock.fades_in_days),
    )


def fit_gamma_gamma(summary: pd.DataFrame, *, penalizer: float = 0.0) -> GammaGammaModel:
    """Fit the margin of a purchase day on the repeat buyers with a positive mean margin.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer: frequency (repeat purchase days) and monetary_value
        (currency, mean margin of these days).
    penalizer : float
        Weight of the sum of squared parameters (amounts in units of the mean margin).

    Returns
    -------
    GammaGammaModel

    Raises
    ------
    BtydError
        Fewer than two repeat buyers with a known and positive margin, or no convergence.
    """
    _require(summary, ["frequency", "monetary_value"])
    repeat = summary["frequency"].to_numpy(float) > 0
    value = summary["monetary_value"].to_numpy(float, na_value=np.nan)
    used = repeat & np.isfinite(value) & (np.nan_to_num(value) > 0)
    if used.sum() < 2:
        raise BtydError(
            f"{used.sum()} of {repeat.sum():,} repeat buyers have a known and positive margin: "
            "the value of a purchase cannot be learnt; check amounts and unit costs"
        )
    x, m = summary["frequency"].to_numpy(float)[used], value[used]
    scale = m.mean()
    # q above 1, or the mean margin of the population would be infinite.
    lower = [_LOG_LOWER, np.log(1.05), _LOG_LOWER]
    lifetimes = _lifetimes()
    from autograd import value_and_grad

    with_gradient = value_and_grad(lifetimes.GammaGammaFitter._negative_log_likelihood)
    found = _search(
        lambda log_params: with_gradient(log_params, x, m / scale, np.ones_like(x), penalizer),
        starts=np.log([(1.0, 3.0, 2.0), (5.0, 4.0, 0.5), (0.3, 2.0, 5.0)]),
        lower=lower,
        label=f"Gamma-Gamma on {used.sum():,} customers",
    )
    p, q, v = np.exp(found.x) * [1.0, 1.0, scale]
    at_bound = _at_bound(("p", "q", "v"), found.x, lower)
    mean_nll = lifetimes.GammaGammaFitter._negative_log_likelihood(
        np.log([p, q, v]), x, m, np.ones_like(x), 0.0
    )
    varies = x.std() > 0 and m.std() > 1e-12 * scale
    return GammaGammaModel(
        p=float(p),
        q=float(q),
        v=float(v),
        population_mean=float(p * v / (q - 1) if q > 1.06 else (x @ m) / x.sum()),
        log_likelihood=float(-mean_nll * len(x)),
        n_customers=int(used.sum()),
        n_not_positive=int(repeat.sum() - used.sum()),
        frequency_value_correlation=float(np.corrcoef(x, m)[0, 1]) if varies else 0.0,
        at_bound=at_bound,
    )


# --- scores -----------------------------------------------------------------------------------


def probability_alive(
    model: BtydModel, summary: pd.DataFrame, *, after_days: float = 0.0
) -> pd.Series:
    """Probability that each customer is still a customer.

    Parameters
    ----------
    model : BtydModel
    summary : pandas.DataFrame
        One row per customer: frequency, recency_days, T_days.
    after_days : float
        Now (0), or that many days later, knowing no more than now.

    Returns
    -------
    pandas.Series
        "palive", float between 0 and 1, on the index of `summary`.
    """

    if not after_days >= 0:
        raise BtydError(f"after_days must not be below 0, not {after_days}")

    def stays(x: Floats, age: Floats, ahead: Ahead) -> Floats:
        return _survival(model, x, age, ahead(np.asarray(after_days)))

    return _by_history(model, summary, stays, name="palive")


def expected_purchases(
    model: BtydModel, summary: pd.DataFrame, *, horizon_days: float
) -> pd.Series:
    """Purchase days expected of each customer in the coming days, given its history.

    Parameters
    ----------
    model : BtydModel
    summary : pandas.DataFrame
        One row per customer: frequency, recency_days, T_days.
    horizon_days : float
        Days looked ahead, from the day of which T_days is the age.

    Returns
    -------
    pandas.Series
        "expected_purchases", float, on the index of `summary`.
    """
    horizon = np.asarray(_positive(horizon_days, "horizon_days"))

    def buys(x: Floats, age: Floats, ahead: Ahead) -> Floats:
        return _purchases_if_alive(model, x, age, ahead(horizon))

    return _by_history(model, summary, buys, name="expected_purchases")


def discounted_purchases(
    model: BtydModel,
    summary: pd.DataFrame,
    *,
    horizon_days: float,
    annual_discount_rate: float,
    step_days: float = _DAYS_PER_YEAR / 12,
) -> pd.Series:
    """Discounted expected purchase days of each customer (DET) over a horizon.

    The expected purchases of each step (a month by default; the last may be shorter) are
    discounted from the middle of the step at (1 + annual_discount_rate) per 365.25 days.

    Returns
    -------
    pandas.Series
        "discounted_purchases", float, on the index of `summary`.
    """
    edges, factors = _steps(horizon_days, step_days, annual_discount_rate)

    def buys(x: Floats, age: Floats, ahead: Ahead) -> Floats:
        by_edge = _purchases_if_alive(model, x[:, None], age[:, None], ahead(edges[None, 1:]))
        return np.diff(by_edge, axis=1, prepend=0.0) @ factors

    return _by_history(model, summary, buys, name="discounted_purchases")


def discounted_days_alive(
    model: BtydModel,
    summary: pd.DataFrame,
    *,
    horizon_days: float,
    annual_discount_rate: float,
    step_days: float = _DAYS_PER_YEAR / 12,
) -> pd.Series:
    """Discounted days that each customer is expected to remain one, over a horizon.

    Times a cost per active day, it is the expected cost to serve. Steps as in
    `discounted_purchases`; the probability to be alive is taken in the middle of each.

    Returns
    -------
    pandas.Series
        "discounted_days_alive", float, days, on the index of `summary`.
    """
    edges, factors = _steps(horizon_days, step_days, annual_discount_rate)
    middles = (edges[1:] + edges[:-1]) / 2

    def stays(x: Floats, age: Floats, ahead: Ahead) -> Floats:
        survival = _survival(model, x[:, None], age[:, None], ahead(middles[None, :]))
        return survival @ (np.diff(edges) * factors)

    return _by_history(model, summary, stays, name="discounted_days_alive")


def expected_cumulative(
    model: BtydModel, summary: pd.DataFrame, *, days_from_as_of: ArrayLike
) -> Floats:
    """Repeat purchases expected of a whole cohort by given days, for tracking plots.

    What the model expects of customers of whom only the first purchase day is known
    (T_days before as_of); a customer adds nothing before that day ([1]_, section 4.2).

    Parameters
    ----------
    model : BtydModel
    summary : pandas.DataFrame
        One row per customer of the cohort: frequency, recency_days, T_days.
    days_from_as_of : array-like of float
        Days at which to tell the total, counted from the day of which T_days is the age;
        negative before it.

    Returns
    -------
    numpy.ndarray
        Expected repeat purchase days of the cohort until each of these days.
    """
    states, _ = _histories(summary)
    cohort = states.groupby("T_days", sort=True)["customers"].sum()
    days = np.atleast_1d(np.asarray(days_from_as_of, dtype=float))
    age_then = np.maximum(cohort.index.to_numpy(float)[None, :] + days[:, None], 0.0)
    unique_age, position = np.unique(age_then, return_inverse=True)
    nothing = np.zeros_like(unique_age)
    with np.errstate(all="ignore"):
        each = _alive(model, nothing, nothing, nothing) * _purchases_if_alive(
            model, nothing, nothing, model.clock.read(unique_age) / model.time_unit_days
        )
    return each[position].reshape(age_then.shape) @ cohort.to_numpy(float)


def expected_margin(model: GammaGammaModel, summary: pd.DataFrame) -> pd.Series:
    """Margin expected of one purchase day of each customer.

    The conditional expectation of [4]_: the customer's own mean and the population's,
    weighted p x / (p x + q - 1) and the rest, so that few purchases count little. The same
    weight is applied to a mean that is zero or negative (of which the model knows nothing):
    it is pulled towards the population's and may stay negative. A customer without repeat
    purchase or known margin gets the population's mean.

    Parameters
    ----------
    model : GammaGammaModel
    summary : pandas.DataFrame
        One row per customer: frequency, monetary_value (currency).

    Returns
    -------
    pandas.Series
        "expected_margin", float, currency, on the index of `summary`.
    """
    _require(summary, ["frequency", "monetary_value"])
    x = summary["frequency"].to_numpy(float)
    own = summary["monetary_value"].to_numpy(float, na_value=np.nan)
    x = np.where(np.isfinite(own), x, 0.0)
    weight = model.p * x / (model.p * x + model.q - 1)
    margin = weight * np.nan_to_num(own) + (1 - weight) * model.population_mean
    return pd.Series(margin, index=summary.index, name="expected_margin")


# --- the equations ----------------------------------------------------------------------------
# Time in units of the model. The hypergeometric functions are Euler-transformed: equal to
# the papers', but they do not overflow for someone who bought hundreds of times.


def _alive(model: BtydModel, x: Floats, recency: Floats, age: Floats) -> Floats:
    """P(alive at age | history)."""
    if model.name == "pareto_nbd":
        log_stayed, log_left, _ = _pareto_branches(np.array(_params(model)), x, recency, age)
        return expit(log_stayed - log_left)
    r, alpha, a, b = _params(model)
    # BG/NBD: nobody leaves before a repeat purchase. MBG/NBD: already after the first.
    survived = b + (x if model.name == "mbg_nbd" else np.maximum(x, 1.0) - 1.0)
    log_dead_odds = np.log(a / survived) + (r + x) * np.log((alpha + age) / (alpha + recency))
    alive = expit(-log_dead_odds)
    return alive if model.name == "mbg_nbd" else np.where(x == 0, 1.0, alive)


def _purchases_if_alive(model: BtydModel, x: Floats, age: Floats, horizon: Floats) -> Floats:
    """Expected purchases in (age, age + horizon], given history and alive at age."""
    if model.name == "pareto_nbd":
        r, alpha, s, beta = _params(model)
        s = _off_one(s)
        left = ((beta + age) / (beta + age + horizon)) ** (s - 1)
        return (r + x) * (beta + age) / ((alpha + age) * (s - 1)) * (1 - left)
    r, alpha, a, b = _params(model)
    a = _off_one(a)
    c = a + b + x - (1 if model.name == "bg_nbd" else 0)
    z = horizon / (alpha + age + horizon)
    shift = a + b - r - (1 if model.name == "bg_nbd" else 0)
    return c / (a - 1) * (1 - (1 - z) ** (a - 1) * hyp2f1(shift, a - 1, c, z))


def _survival(model: BtydModel, x: Floats, age: Floats, horizon: Floats) -> Floats:
    """P(alive at age + horizon | history, alive at age)."""
    if model.name == "pareto_nbd":
        _, _, s, beta = _params(model)
        return ((beta + age) / (beta + age + horizon)) ** s
    r, alpha, a, b = _params(model)
    c = a + b + x + (0 if model.name == "bg_nbd" else 1)
    z = horizon / (alpha + age + horizon)
    return (1 - z) ** a * hyp2f1(a, c - r - x, c, z)


def _params(model: BtydModel) -> list[float]:
    """Parameters in the order of the papers (JSON may have sorted them)."""
    return [model.params[name] for name in _PARAMETERS[model.name]]


def _off_one(value: float) -> float:
    """Keep off the removable singularity at 1."""
    return value if abs(value - 1) > 1e-6 else 1 + 1e-6


def _pareto_branches(
    params: Floats, x: Floats, recency: Floats, age: Floats
) -> tuple[Floats, Floats, Floats]:
    """Pareto/NBD: log-likelihood of a history by what became of the customer since ([3]_).

    Either it stayed until `age`, or it left at some day y after its last purchase; the
    integral over y is taken with Gauss-Legendre nodes, spread on a log scale as wide as the
    integrand falls. Factors common to both branches are left out.

    Returns
    -------
    log_stayed, log_left : (n,)
    means_if_left : (4, n)
        Means over y of log(alpha + y), 1 / (alpha + y), log(beta + y), 1 / (beta + y).
    """
    r, alpha, s, beta = params
    log_stayed = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    fall = (r + x) / (alpha + recency) + (s + 1) / (beta + recency)
    width = np.log1p(fall * (age - recency))[:, None]
    nodes, log_weights = _nodes()
    u = width * nodes
    y = recency[:, None] + np.expm1(u) / fall[:, None]
    log_alpha_y, log_beta_y = np.log(alpha + y), np.log(beta + y)
    log_terms = log_weights + u - (r + x)[:, None] * log_alpha_y - (s + 1) * log_beta_y
    top = log_terms.max(axis=1, keepdims=True)
    terms = np.exp(log_terms - top)
    total = terms.sum(axis=1)
    log_left = np.log(s) + top[:, 0] + np.log(total) + np.log(width[:, 0] / fall)
    kernels = (log_alpha_y, 1 / (alpha + y), log_beta_y, 1 / (beta + y))
    means_if_left = np.stack([np.einsum("ij,ij->i", terms, k) / total for k in kernels])
    return log_stayed, log_left, means_if_left


@lru_cache(maxsize=1)
def _nodes() -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes on (0, 1) and the logs of their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(48)
    return (nodes + 1) / 2, np.log(weights / 2)


def _bg_log_likelihood(
    params: Floats, x: Floats, recency: Floats, age: Floats, *, modified: bool
) -> tuple[Floats, Floats]:
    """BG/NBD and MBG/NBD: log-likelihood of each history ([1]_, [2]_), and its slope.

    A customer may leave after each of `chances` purchases: the repeat ones, and in MBG/NBD
    the first too. It stayed through all of them, or left after the last.
    """
    r, alpha, a, b = params
    # What depends on the number of purchases alone is worked out once for each number.
    number, position = np.unique(x, return_inverse=True)
    chances = number + (1.0 if modified else 0.0)
    log_stayed, log_left = np.log(alpha + age), np.log(alpha + recency)
    log_odds_left = np.where(chances > 0, np.log(a / np.maximum(b + chances - 1, 1e-300)), -np.inf)
    left = expit(log_odds_left[position] + (r + x) * (log_stayed - log_left))
    common = (
        gammaln(r + number)
        - gammaln(r)
        + r * np.log(alpha)
        + gammaln(a + b)
        - gammaln(b)
        + gammaln(b + chances)
        - gammaln(a + b + chances)
    )
    each = common[position] + np.logaddexp(
        -(r + x) * log_stayed, log_odds_left[position] - (r + x) * log_left
    )
    by_number = np.stack(
        [
            digamma(r + number) - digamma(r) + np.log(alpha),
            np.full_like(number, r / alpha),
            digamma(a + b) - digamma(a + b + chances),
            digamma(a + b) - digamma(a + b + chances) + digamma(b + chances) - digamma(b),
        ]
    )
    slope = by_number[:, position]
    slope[0] -= log_stayed + left * (log_left - log_stayed)
    slope[1] -= (r + x) * ((1 - left) / (alpha + age) + left / (alpha + recency))
    slope[2] += left / a
    slope[3] -= np.where(chances > 0, 1 / np.maximum(b + chances - 1, 1e-300), 0.0)[position] * left
    return each, slope


def _pareto_log_likelihood(
    params: Floats, x: Floats, recency: Floats, age: Floats
) -> tuple[Floats, Floats]:
    """Log-likelihood of each history, and its slope along each parameter."""
    r, alpha, s, beta = params
    log_stayed, log_left, means = _pareto_branches(params, x, recency, age)
    each = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + s * np.log(beta)
        + np.logaddexp(log_stayed, log_left)
    )
    stayed = expit(log_stayed - log_left)
    left = 1 - stayed
    slope = np.stack(
        [
            digamma(r + x)
            - digamma(r)
            + np.log(alpha)
            - stayed * np.log(alpha + age)
            - left * means[0],
            r / alpha - (r + x) * (stayed / (alpha + age) + left * means[1]),
            np.log(beta) - stayed * np.log(beta + age) + left * (1 / s - means[2]),
            s / beta - stayed * s / (beta + age) - left * (s + 1) * means[3],
        ]
    )
    return each, slope


# --- the search -------------------------------------------------------------------------------


def _lifetimes() -> Any:
    """Import lifetimes late (it is slow) and quietly (it changes the warning filters)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes
    return lifetimes


def _negative_mean(
    log_params: Floats,
    x: Floats,
    recency: Floats,
    age: Floats,
    customers: Floats,
    penalizer: float,
    *,
    log_likelihood: Callable[..., tuple[Floats, Floats]],
) -> tuple[float, Floats]:
    """Penalised negative mean log-likelihood, with its gradient, along the log parameters.

    `lifetimes` has no gradient for Pareto/NBD, whose likelihood it loses as soon as one
    customer bought some 150 times (its hypergeometric functions overflow); that of BG/NBD
    comes from automatic differentiation, ten times slower than the slope written out.
    """
    params = np.exp(log_params)
    total, gradient = 0.0, np.zeros(4)
    for start in range(0, len(x), _CHUNK):
        part = slice(start, start + _CHUNK)
        each, slope = log_likelihood(params, x[part], recency[part], age[part])
        total += float(customers[part] @ each)
        gradient += slope @ customers[part]
    n = customers.sum()
    value = -total / n + penalizer * (params @ params)
    return float(value), params * (-gradient / n + 2 * penalizer * params)


def _objective(model: str) -> Callable[..., tuple[float, Floats]]:
    """What to minimise for a model, over log parameters."""
    each: dict[str, Callable[..., tuple[Floats, Floats]]] = {
        "bg_nbd": partial(_bg_log_likelihood, modified=False),
        "mbg_nbd": partial(_bg_log_likelihood, modified=True),
        "pareto_nbd": _pareto_log_likelihood,
    }
    return partial(_negative_mean, log_likelihood=each[model])


def _value(objective: Callable[..., tuple[float, Floats]], *arguments: Any) -> float:
    """The objective alone, without penalty."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(objective(*arguments, 0.0)[0])


def _starts(model: str, rate: float) -> list[tuple[float, ...]]:
    """Starting points about the observed rate, from even to very uneven customers."""
    if model == "pareto_nbd":
        return [(1, 1 / rate, 1, 1), (0.5, 0.5 / rate, 0.5, 0.3), (3, 3 / rate, 3, 6)]
    return [(1, 1 / rate, 1, 3), (0.3, 0.3 / rate, 0.5, 1), (3, 3 / rate, 0.2, 8)]


def _time_powers(model: str, unit: float) -> list[float]:
    """Factors that bring parameters from scaled time to time units."""
    return [1.0, unit, 1.0, unit if model == "pareto_nbd" else 1.0]


def _search(
    objective: Callable[[Floats], tuple[float, Floats]],
    *,
    starts: Floats,
    lower: Sequence[float],
    label: str,
) -> OptimizeResult:
    """Minimise over the log parameters, from each start in turn until one converges."""
    low, high = np.asarray(lower), np.full(len(lower), _LOG_UPPER)
    for start in starts:
        # Small vectors: more threads would only wait for each other.
        with (
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
            threadpool_limits(limits=1, user_api="blas"),
        ):
            warnings.simplefilter("ignore")
            found = minimize(
                objective,
                np.clip(start, low, high),
                jac=True,
                method="L-BFGS-B",
                bounds=np.column_stack([low, high]),
                options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8},
            )
        # The slope decides, not the optimiser's word: it gives up when it cannot improve the
        # 14th digit. At a bound, a slope that points outwards is where it should stop.
        inward = np.clip(found.x - found.jac, low, high) - found.x
        if np.isfinite(found.fun) and np.abs(inward).max() < 1e-5:
            return found
    raise BtydError(
        f"{label} did not converge from {len(starts)} starting points; use another model, a "
        "longer period or a penalizer such as 0.01"
    )


def _at_bound(names: Sequence[str], log_params: Floats, lower: Sequence[float]) -> tuple[str, ...]:
    near = (log_params < np.asarray(lower) + 1e-3) | (log_params > _LOG_UPPER - 1e-3)
    return tuple(name for name, stopped in zip(names, near, strict=True) if stopped)


# --- histories --------------------------------------------------------------------------------


def _require(summary: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in summary.columns]
    if missing:
        raise BtydError(
            f"the purchase summary has no column {', '.join(missing)}; build it with "
            "features.btyd_summary.summarise_purchases"
        )


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise BtydError(f"{name} must be above 0, not {value}")
    return float(value)


def _histories(summary: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[Any]]:
    """Distinct histories with their number of customers, and each customer's row in them.

    Raises
    ------
    BtydError
        Saying how many customers have an impossible history, and which kind.
    """
    _require(summary, _HISTORY)
    columns = [summary[name].to_numpy(float, na_value=np.nan) for name in _HISTORY]
    (x, recency, age), position = _distinct(columns)
    customers = np.bincount(position, minlength=len(x))
    values = np.stack([x, recency, age])
    rules = {
        "have an empty frequency, recency_days or T_days": ~np.isfinite(values).all(axis=0),
        "have a negative frequency, recency_days or T_days": (values < 0).any(axis=0),
        "bought after the end of the period (recency_days above T_days)": recency > age,
        "have a frequency that is not a whole number": x != np.floor(x),
        "have a frequency and a recency_days of which only one is 0": (x > 0) != (recency > 0),
    }
    for rule, broken in rules.items():
        if broken.any():
            raise BtydError(
                f"{int(customers[broken].sum()):,} of {len(summary):,} customers {rule}; rebuild "
                "the summary with features.btyd_summary.summarise_purchases"
            )
    states = pd.DataFrame(
        {"frequency": x, "recency_days": recency, "T_days": age, "customers": customers}
    )
    return states, position


def _distinct(columns: Sequence[Floats]) -> tuple[list[Floats], NDArray[Any]]:
    """Distinct rows of some columns, in order, and the place of each row among them.

    The rows are numbered: whole numbers are grouped several times faster than columns.
    """
    key, values = np.zeros(len(columns[0]), dtype=np.int64), []
    for column in columns:
        codes, found = pd.factorize(column, sort=True, use_na_sentinel=False)
        key = key * max(len(found), 1) + codes
        values.append(found)
    position, keys = pd.factorize(key)
    order = np.argsort(keys)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    codes_of = np.unravel_index(keys[order], [max(len(found), 1) for found in values])
    rows = [found[codes] for found, codes in zip(values, codes_of, strict=True)]
    return rows, rank[position]


def _by_history(
    model: BtydModel,
    summary: pd.DataFrame,
    if_alive: Callable[[Floats, Floats, Ahead], Floats],
    *,
    name: str,
) -> pd.Series:
    """Score each distinct history once and give every customer the score of its own.

    The score is P(alive) of the history, times what is expected of someone alive, which
    depends on frequency and T only.
    """
    states, position = _histories(summary)
    x, recency, age = (states[column].to_numpy(float) for column in _HISTORY)
    unit, clock = model.time_unit_days, model.clock
    (pair_x, pair_age), pair_of = _distinct([x, age])

    def scored(part: slice) -> Floats:
        now = pair_age[part]

        def ahead(days: Floats) -> Floats:
            start = now if days.ndim == 0 else now[:, None]
            return (clock.read(start + days) - clock.read(start)) / unit

        return if_alive(pair_x[part], clock.read(now) / unit, ahead)

    parts = [slice(start, start + _CHUNK) for start in range(0, max(len(pair_x), 1), _CHUNK)]
    # A recency equal to the age takes a logarithm of 0 on its way to the right answer.
    with np.errstate(all="ignore"):
        expected = np.concatenate([scored(part) for part in parts])
        alive = _alive_in_parts(model, x, clock.read(recency) / unit, clock.read(age) / unit)
    scores = alive * expected[pair_of]
    if not np.isfinite(scores).all():
        raise BtydError(
            f"{model.name} gives no number for {int((~np.isfinite(scores)).sum()):,} of "
            f"{len(states):,} purchase histories; use another model"
        )
    return pd.Series(np.maximum(scores, 0.0)[position], index=summary.index, name=name)


def _alive_in_parts(model: BtydModel, x: Floats, recency: Floats, age: Floats) -> Floats:
    """P(alive), some histories at a time: the integral of Pareto/NBD takes memory."""
    parts = [slice(start, start + _CHUNK) for start in range(0, max(len(x), 1), _CHUNK)]
    return np.concatenate([_alive(model, x[p], recency[p], age[p]) for p in parts])


def _steps(
    horizon_days: float, step_days: float, annual_discount_rate: float
) -> tuple[Floats, Floats]:
    """Edges of the steps in days, and the discount factor of each step."""
    _positive(horizon_days, "horizon_days")
    _positive(step_days, "step_days")
    if not annual_discount_rate > -1:
        raise BtydError(f"annual_discount_rate must be above -1, not {annual_discount_rate}")
    edges = np.append(np.arange(0.0, horizon_days - 1e-9, step_days), horizon_days)
    middles = (edges[1:] + edges[:-1]) / 2
    return edges, (1 + annual_discount_rate) ** (-middles / _DAYS_PER_YEAR)
