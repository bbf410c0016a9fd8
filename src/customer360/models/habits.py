"""What customers are in the habit of: buying all year round, or once a year in a season.

Buy-till-you-die models know one habit only: buying at any time, at a rate and with a
hazard of leaving of one's own. To them a Christmas customer in September has left. Here
the population is a mixture of many kinds: all-year kinds on a grid of rates and hazards,
and yearly kinds on a grid of seasons, faithfulness to them, visits in each and hazards.
How many customers are of each kind is read from their own purchases (nonparametric
maximum likelihood by EM, Laird 1978; empirical Bayes), so that somebody seen in two
seasons is told from chance by the many who were seen in the same ones. No label is
needed, hence nothing that lies in the future.

What is foretold is a ratio of two likelihoods, the same for every kind:

    P(silent over the horizon | history) = L(history, then silence) / L(history)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from customer360.features.days import day_of

__all__ = ["HABIT_FEATURES", "HabitModel", "fit_habits"]

#: Columns of `HabitModel.predict` that a churn model may read.
HABIT_FEATURES = ("habit_silence", "habit_yearly")

Floats = NDArray[np.float64]
YEAR_DAYS = 365.25
#: Purchases a year and hazards of leaving (a year) of the all-year kinds: every pair.
RATES, HAZARDS = (
    axis.ravel()
    for axis in np.meshgrid(
        np.geomspace(0.15, 365.0, 20), (0.01, 0.05, 0.15, 0.4, 1.0, 2.5, 6.0, 15.0), indexing="ij"
    )
)
#: Chance to come in a season, visits asked of one, hazard (a year) of the yearly kinds.
FAITHS, VISITS, YEARLY_HAZARDS = (
    axis.ravel()
    for axis in np.meshgrid((0.6, 0.85, 0.97), (0.5, 1.0, 2.0), (0.03, 0.15, 0.6), indexing="ij")
)
#: Seasons tried: every week of the year, three lengths.
SEASONS = pd.DataFrame(
    [(7.0 * week, length) for length in (28.0, 49.0, 84.0) for week in range(52)],
    columns=["middle_day", "length_days"],
)
# A year and a half shows every season once and half of them twice: less cannot tell.
LEAST_DAYS_FOR_SEASONS = 548
# Purchases a year out of season by a yearly customer, and the largest share looked at.
STRAY_RATE, STRAY_SHARE = 0.1, 0.2
# Customers by their age when the history begins: the hazards of those still there are low.
COHORT_DAYS = (0.0, 365.0, 1095.0)
# So many customers of the crowd are added to each cohort.
PRIOR_CUSTOMERS = 20.0
# Stopped early: an EM run to its end puts the weight on a few kinds that fit by chance.
ROUNDS = 60
SAMPLE = 5_000
LEAST_SEASON_WEIGHT = 0.002
CHUNK = 50_000


@dataclass(frozen=True)
class HabitModel:
    """How many customers are of each kind.

    Attributes
    ----------
    all_year : numpy.ndarray, cohorts x all-year kinds
        Share of the cohort.
    yearly_share : numpy.ndarray, cohorts
        Share of yearly customers; with `all_year` they sum to 1.
    seasons : pandas.DataFrame
        Seasons that have customers: middle_day (of the year, counted from 1 January 1970),
        length_days, weight (sums to 1); no row where the history is too short to tell.
    yearly : numpy.ndarray
        Share of each yearly kind among yearly customers.
    first_day : date
        First day of the history.
    """

    all_year: Floats
    yearly_share: Floats
    seasons: pd.DataFrame
    yearly: Floats
    first_day: date

    def predict(
        self, features: pd.DataFrame, *, purchase_days: pd.DataFrame, as_of: date, horizon_days: int
    ) -> pd.DataFrame:
        """What each customer's habits let expect, from what was known on a day.

        Parameters
        ----------
        features : pandas.DataFrame
            Contract `features`, rows of `as_of`; read are customer_id, frequency,
            recency_days, tenure_days, known_before_days.
        purchase_days : pandas.DataFrame
            Contract `purchase_days`; days after `as_of` are not looked at.
        as_of : date
        horizon_days : int
            How far ahead.

        Returns
        -------
        pandas.DataFrame
            One row per row of `features`, its index kept: customer_id, habit_silence
            (probability of no purchase within the horizon), habit_yearly (probability to be
            a yearly customer), returns_from and returns_until (the season such a customer
            is expected in next, dates; empty for the others).
        """
        parts = [
            self._predict(features.iloc[at : at + CHUNK], purchase_days, as_of, horizon_days)
            for at in range(0, max(len(features), 1), CHUNK)
        ]
        return pd.concat(parts)

    def _predict(
        self, features: pd.DataFrame, purchase_days: pd.DataFrame, as_of: date, horizon_days: int
    ) -> pd.DataFrame:
        past = _History.of(features, purchase_days, as_of=as_of, first_day=self.first_day)
        always, sometimes = self._likelihoods(past, until=past.now)
        later_always, later_sometimes = self._likelihoods(past, until=past.now + horizon_days)
        scale = np.maximum(always.max(axis=1), sometimes.max(axis=1, initial=-np.inf))[:, None]
        regular = np.exp(always - scale).sum(axis=1)
        seasonal = np.exp(sometimes - scale)
        total = regular + seasonal.sum(axis=1)
        later = np.exp(later_always - scale).sum(axis=1)
        later += np.exp(later_sometimes - scale).sum(axis=1)
        yearly = seasonal.sum(axis=1) / total
        told = pd.DataFrame(
            {
                "customer_id": features["customer_id"],
                "habit_silence": np.clip(later / total, 0.0, 1.0),
                "habit_yearly": yearly,
                "returns_from": None,
                "returns_until": None,
            },
            index=features.index,
        )
        if len(self.seasons):
            season = self.seasons.iloc[seasonal.argmax(axis=1)]
            half = season["length_days"].to_numpy() / 2
            middle = season["middle_day"].to_numpy()
            # The window that is open now, or else the next one.
            opens = middle - half + np.ceil((past.now - middle - half) / YEAR_DAYS) * YEAR_DAYS
            for name, day in (("returns_from", opens), ("returns_until", opens + 2 * half)):
                dates = pd.Series(pd.to_datetime(np.round(day), unit="D").date, index=told.index)
                told[name] = dates.where(yearly > 0.5, None)
        return told

    def _likelihoods(self, past: _History, *, until: float) -> tuple[Floats, Floats]:
        """Logs of weight times likelihood, customers by all-year kinds and by seasons."""
        with np.errstate(divide="ignore"):
            weight, share = np.log(self.all_year), np.log(self.yearly_share)[past.cohort]
        seasons = np.full((len(past.count), len(self.seasons)), -np.inf)
        for place, (middle, length, popular) in enumerate(self.seasons.to_numpy(dtype=float)):
            rows, log = _in_season(past, middle, length, until=until)
            top = log.max(axis=1, initial=-np.inf)
            mixed = np.log(np.exp(log - top[:, None]) @ self.yearly) + top
            seasons[rows, place] = mixed + share[rows] + np.log(popular)
        return _all_year(past, until=until) + weight[past.cohort], seasons


def fit_habits(
    features: pd.DataFrame, *, purchase_days: pd.DataFrame, as_of: date, first_day: date, seed: int
) -> HabitModel:
    """Read from purchases up to a day how many customers are of each kind.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`, rows of `as_of` (see `HabitModel.predict`).
    purchase_days : pandas.DataFrame
        Contract `purchase_days`; days after `as_of` are not looked at.
    as_of, first_day : date
        Last and first day of the history.
    seed : int
        A sample of customers tells the shares: this draws it.

    Returns
    -------
    HabitModel

    References
    ----------
    Laird, N. (1978). Nonparametric maximum likelihood estimation of a mixing distribution.
    JASA 73, 805-811. Schmittlein, Morrison and Colombo (1987), Management Science 33 (1),
    for the all-year kinds.
    """
    if len(features) > SAMPLE:
        drawn = np.random.default_rng(seed).permutation(len(features))[:SAMPLE]
        features = features.iloc[np.sort(drawn)]
    past = _History.of(features, purchase_days, as_of=as_of, first_day=first_day)
    tried = SEASONS if past.now - day_of(first_day) >= LEAST_DAYS_FOR_SEASONS else SEASONS[:0]
    found = [_in_season(past, *season, until=past.now) for season in tried.to_numpy(dtype=float)]
    row = np.concatenate([rows for rows, _ in found]) if found else np.empty(0, dtype=np.int64)
    season = np.repeat(np.arange(len(found)), [len(rows) for rows, _ in found])
    log_yearly = np.vstack([np.empty((0, len(FAITHS))), *(log for _, log in found)])
    log_always = _all_year(past, until=past.now)
    scale = log_always.max(axis=1)
    np.maximum.at(scale, row, log_yearly.max(axis=1, initial=-np.inf))
    always, yearly = np.exp(log_always - scale[:, None]), np.exp(log_yearly - scale[row, None])

    cohorts = len(COHORT_DAYS) + 1
    members = [np.flatnonzero(past.cohort == number) for number in range(cohorts)]
    # A tenth to begin with; the rounds find the shares.
    share = np.full(cohorts, 0.1 if len(row) else 0.0)
    kinds = np.full((cohorts, len(RATES)), (1 - share[0]) / len(RATES))
    by_season = np.full(len(tried), 1 / max(len(tried), 1))
    by_kind = np.full(len(FAITHS), 1 / len(FAITHS))
    # The products are small: one core is as fast as two, and gives the same bytes.
    with threadpool_limits(limits=1):
        for _ in range(ROUNDS):
            one = (yearly @ by_kind) * by_season[season] * share[past.cohort[row]]
            total = _count(row, one, len(scale))
            for number, rows in enumerate(members):
                total[rows] += always[rows] @ kinds[number]
            chance = one / total[row]
            counts = np.stack(
                [kinds[n] * ((1 / total[rows]) @ always[rows]) for n, rows in enumerate(members)]
            )
            seasonal = _count(past.cohort[row], chance, cohorts)
            everybody = counts.sum() + seasonal.sum()
            counts += PRIOR_CUSTOMERS * counts.sum(axis=0) / everybody
            seasonal += PRIOR_CUSTOMERS * seasonal.sum() / everybody
            size = counts.sum(axis=1) + seasonal
            by_kind = by_kind * (
                (by_season[season] * share[past.cohort[row]] / total[row]) @ yearly
            )
            by_kind = (by_kind + 1e-9) / (by_kind + 1e-9).sum()
            by_season = _count(season, chance, len(tried)) + 1e-9
            by_season = by_season / by_season.sum()
            kinds, share = counts / size[:, None], seasonal / size
    seasons = tried.assign(weight=by_season)
    seasons = seasons[seasons["weight"] >= LEAST_SEASON_WEIGHT].reset_index(drop=True)
    seasons["weight"] /= seasons["weight"].sum()
    return HabitModel(
        all_year=kinds, yearly_share=share, seasons=seasons, yearly=by_kind, first_day=first_day
    )


@dataclass(frozen=True)
class _History:
    """Purchases of customers up to a day; days are numbers, one entry per customer.

    The watch begins with the history for who was known before, else with the first
    purchase, which then says nothing about how often (`enters`). `row` and `day` are those
    of every purchase.
    """

    now: int
    count: Floats
    first: Floats
    last: Floats
    start: Floats
    enters: NDArray[np.bool_]
    cohort: NDArray[np.int64]
    row: NDArray[np.int64]
    day: Floats

    @classmethod
    def of(
        cls, features: pd.DataFrame, purchase_days: pd.DataFrame, *, as_of: date, first_day: date
    ) -> _History:
        now = day_of(as_of)
        first = now - features["tenure_days"].to_numpy(dtype=float)
        known = first - features["known_before_days"].to_numpy(dtype=float)
        start = np.maximum(known, min(day_of(first_day), now))
        start = np.minimum(start, first)
        row = pd.Index(features["customer_id"]).get_indexer(purchase_days["customer_id"])
        stamp = pd.to_datetime(purchase_days["day"]).to_numpy().astype("datetime64[D]")
        day = stamp.astype(np.int64).astype(float)
        seen = (row >= 0) & (day <= now)
        return cls(
            now=now,
            count=features["frequency"].to_numpy(dtype=float),
            first=first,
            last=now - features["recency_days"].to_numpy(dtype=float),
            start=start,
            enters=start >= first,
            cohort=np.searchsorted(COHORT_DAYS, start - known, side="left"),
            row=row[seen],
            day=day[seen],
        )


def _all_year(past: _History, *, until: float) -> Floats:
    """Log-likelihood, customers by all-year kinds: Pareto/NBD with rate and hazard known."""
    both = RATES + HAZARDS
    bought = (past.last - past.start)[:, None] / YEAR_DAYS
    stays = np.exp(-both * (until - past.last)[:, None] / YEAR_DAYS)
    silent = stays + HAZARDS / both * (1 - stays)
    repeats = (past.count - past.enters)[:, None]
    return repeats * np.log(RATES) - both * bought + np.log(silent)


def _in_season(
    past: _History, middle: float, length: float, *, until: float
) -> tuple[NDArray[np.int64], Floats]:
    """Customers who keep to one season, and their log-likelihoods by yearly kinds.

    A customer who has not left comes in a season with the chance `FAITHS`, and then at
    least once: a Poisson number of visits above zero, each on any day of it. A season
    that had begun before the watch did has a Poisson number of them.
    """
    turn = np.round((past.day - middle) / YEAR_DAYS).astype(np.int64)
    inside = np.abs(past.day - middle - turn * YEAR_DAYS) <= length / 2
    came = np.bincount(past.row[inside], minlength=len(past.count))
    rows = np.flatnonzero(past.count - came <= STRAY_SHARE * past.count)
    first_turn = int(np.floor((past.start.min(initial=until) - middle) / YEAR_DAYS))
    last_turn = int(np.ceil((until - middle) / YEAR_DAYS))
    width = last_turn - first_turn + 1
    seen = past.row[inside] * width + turn[inside] - first_turn
    visits = np.bincount(seen, minlength=len(past.count) * width).reshape(-1, width)[rows]

    start, enters = past.start[rows], past.enters[rows]
    density = np.log(VISITS * YEAR_DAYS / length)
    log = (past.count - came)[rows] * np.log(STRAY_RATE) - STRAY_RATE * (until - start) / YEAR_DAYS
    log = np.repeat(log[:, None], len(FAITHS), axis=1)
    alive, gone, since = np.ones_like(log), np.zeros_like(log), start
    for number in range(width):
        opens = middle + (first_turn + number) * YEAR_DAYS - length / 2
        passed = min((until - opens) / length, 1.0)
        begun = (start - opens) / length
        watched = (begun < 1)[:, None] if passed > 0 else np.zeros((len(rows), 1), dtype=bool)
        if not watched.any():
            continue
        here = visits[:, number]
        # Who enters does so in a season: where in the year counts, how often not yet.
        entered = enters & (begun >= 0) & (begun <= 1)
        log += np.where(entered, np.log(YEAR_DAYS / length), 0.0)[:, None]
        log += np.where(watched[:, 0], here - entered, 0)[:, None] * density
        at = np.clip(opens + length / 2, start, until)
        stays = np.where(watched, np.exp(-YEARLY_HAZARDS * (at - since)[:, None] / YEAR_DAYS), 1.0)
        gone, alive = gone + alive * (1 - stays), alive * stays
        rest, whole = np.exp(VISITS * (1 - passed)), np.expm1(VISITS)
        full = np.where(
            here[:, None] > 0, FAITHS * rest / whole, 1 - FAITHS + FAITHS * (rest - 1) / whole
        )
        part = np.exp(-VISITS * np.maximum(passed - begun, 0.0)[:, None])
        alive = alive * np.where(watched, np.where(begun[:, None] <= 0, full, part), 1.0)
        # Somebody who buys has not left.
        gone = np.where(watched & (here[:, None] > 0), 0.0, gone)
        total = np.maximum(alive + gone, 1e-300)
        log, alive, gone = log + np.log(total), alive / total, gone / total
        since = np.where(watched[:, 0], at, since)
    return rows, log


def _count(place: NDArray[np.int64], weight: Floats, size: int) -> Floats:
    """Sum of the weights at each place; numbers, even where there are none."""
    return np.bincount(place, weights=weight, minlength=size).astype(float)
