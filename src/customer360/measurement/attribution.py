r"""Which channel gets the credit of an order, by rules that can be compared.

`first`, `last`, `linear`, `decay` (a touch counts half for every week before the order) and
`position` (40 % first, 40 % last, the rest between) share each order among its touches.
`shapley` and `markov` learn from all paths:

- Shapley: the game in which a set of channels earns the orders of the paths that need no
  other channel. Its value is each order shared equally among the *different* channels of
  its path (Zhao, Mahboobi and Bagheri 2018).
- Markov: paths as a chain from channel to channel (Anderl et al. 2016). Credit goes by
  removal effect: the share of orders that is lost when whoever comes to the channel goes.

All are descriptions, none is a proof: see `reconcile`. Every rule gives away every order and
every cent exactly.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["RULES", "UNTOUCHED", "conservation_error", "credit_channels", "removal_effects"]

#: Channel of an order that nothing preceded: it keeps its orders under every rule.
UNTOUCHED = "untouched"
RULES = ("first", "last", "linear", "decay", "position", "markov", "shapley")

HALF_LIFE_DAYS = 7.0
END_SHARE = 0.4
# Credits are whole millionths, so that they can sum to what was given away.
UNIT = 1_000_000


def credit_channels(
    touches: pd.DataFrame, outcomes: pd.DataFrame, *, half_life_days: float = HALF_LIFE_DAYS
) -> pd.DataFrame:
    """Orders and revenue that each rule credits to each channel.

    Parameters
    ----------
    touches : pandas.DataFrame
        path, channel, days_before (days from the touch to the end of the path). Touches of
        the same moment share what the moment gets.
    outcomes : pandas.DataFrame
        path, converted (0 or 1), revenue (currency).
    half_life_days : float
        Of the rule `decay`.

    Returns
    -------
    pandas.DataFrame
        One row per rule and channel, in the order of `RULES`: rule, channel, conversions,
        revenue. Sums are those of `outcomes`, to the millionth.

    Raises
    ------
    ValueError
        When a path has no touch, a touch no path, or a path is there twice.
    """
    path, code, days, names, results = _in_order(touches, outcomes)
    converted = results["converted"].to_numpy(dtype=float)
    amounts = {"conversions": converted, "revenue": results["revenue"].to_numpy(dtype=float)}
    weights = _weights(path, code, days, half_life_days=half_life_days)
    effects = _removals(path, code, converted, names)
    chained = (names != UNTOUCHED) & (effects.sum() > 0)
    tables = []
    for rule in RULES:
        credit = {"rule": rule, "channel": names}
        for measure, given in amounts.items():
            points = weights.get(rule, weights["linear"]) * given[path]
            share = np.bincount(code, points, minlength=len(names))
            if rule == "markov":
                share[chained] = effects[chained] / effects.sum() * share[chained].sum()
            credit[measure] = _settle(share, given.sum())
        tables.append(pd.DataFrame(credit))
    return pd.concat(tables, ignore_index=True)


def removal_effects(touches: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series:
    """Share of orders that the chain loses without each channel.

    Touches of the same moment follow each other by name.

    Returns
    -------
    pandas.Series
        By channel, 0 to 1.
    """
    path, code, _, names, results = _in_order(touches, outcomes)
    converted = results["converted"].to_numpy(dtype=float)
    return pd.Series(_removals(path, code, converted, names), index=names)


def conservation_error(credits: pd.DataFrame, outcomes: pd.DataFrame) -> float:
    """Largest difference between what a rule gave away and what there was.

    Returns
    -------
    float
        Orders, or currency; 0 to the millionth.
    """
    given = credits.groupby("rule")[["conversions", "revenue"]].sum()
    there = np.array([outcomes["converted"].sum(), outcomes["revenue"].sum()], dtype=float)
    return float(np.abs(given.to_numpy() - there).max().round(6)) if len(given) else 0.0


# --- inside ----------------------------------------------------------------------------------


def _in_order(
    touches: pd.DataFrame, outcomes: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """Path, channel and days of each touch in order of time; channels; outcomes by path."""
    if outcomes["path"].duplicated().any():
        raise ValueError("outcomes holds a path twice: one row per path")
    bare = ~outcomes["path"].isin(touches["path"])
    lost = ~touches["path"].isin(outcomes["path"])
    if bare.any() or lost.any():
        raise ValueError(
            f"{int(bare.sum())} paths have no touch and {int(lost.sum())} touches have no path: "
            f"give an order that nothing preceded a touch of its own ({UNTOUCHED!r})"
        )
    touches = touches.sort_values(
        ["path", "days_before", "channel"], ascending=[True, False, True], kind="stable"
    )
    results = outcomes.sort_values("path", ignore_index=True)
    path = np.searchsorted(results["path"].to_numpy(), touches["path"].to_numpy())
    code, names = pd.factorize(touches["channel"], sort=True)
    days = touches["days_before"].to_numpy(dtype=float)
    return path, code, days, np.asarray(names, dtype=object), results


def _weights(
    path: np.ndarray, code: np.ndarray, days: np.ndarray, *, half_life_days: float
) -> dict[str, np.ndarray]:
    """Share of its path's credit that each touch gets, by rule; a path sums to 1."""
    size = path.max(initial=-1) + 1

    def shared(points: np.ndarray) -> np.ndarray:
        total = np.bincount(path, points, minlength=size)[path]
        return np.divide(points, total, out=np.zeros(len(points)), where=total > 0)

    most, least = np.full(size, -np.inf), np.full(size, np.inf)
    np.maximum.at(most, path, days)
    np.minimum.at(least, path, days)
    first, last = shared((days == most[path]) * 1.0), shared((days == least[path]) * 1.0)
    middle = shared(((days < most[path]) & (days > least[path])) * 1.0)
    has_middle = np.bincount(path, middle, minlength=size)[path] > 0
    ends = np.where(has_middle, END_SHARE, 0.5)
    # Each channel once, however often it touched.
    channels = code.max(initial=-1) + 1
    times = np.bincount(path * channels + code, minlength=size * channels)
    return {
        "first": first,
        "last": last,
        "linear": shared(np.ones(len(path))),
        # From the last touch on, so that no path is too old to be counted.
        "decay": shared(0.5 ** ((days - least[path]) / half_life_days)),
        "position": ends * (first + last) + (1 - 2 * END_SHARE) * middle,
        "shapley": shared(1 / times[path * channels + code]) if len(path) else np.zeros(0),
    }


def _removals(
    path: np.ndarray, code: np.ndarray, converted: np.ndarray, names: np.ndarray
) -> np.ndarray:
    """Removal effect of each channel, from the chain start, channels, order, nothing."""
    channels = len(names)
    # An order that nothing preceded is no step of the chain.
    met = names[code] != UNTOUCHED
    path, code = path[met], code[met]
    if not converted[path].any():
        return np.zeros(channels)
    opens = np.append(True, np.diff(path) > 0)
    closes = np.append(np.diff(path) > 0, True)
    start, bought = channels, channels + 1
    steps = np.zeros((channels + 1, channels + 2))
    np.add.at(steps, (start, code[opens]), 1.0)
    np.add.at(steps, (code[:-1][~closes[:-1]], code[1:][~opens[1:]]), 1.0)
    np.add.at(steps, (code[closes], np.full(closes.sum(), bought)), converted[path[closes]])
    visits = np.bincount(code, minlength=channels + 1).astype(float)
    visits[start] = opens.sum()
    chance = steps / np.maximum(visits, 1)[:, None]

    def reaches(kept: np.ndarray) -> float:
        """Chance that the chain ends with an order when only some channels are kept."""
        states = np.append(np.flatnonzero(kept), start)
        inner = chance[np.ix_(states, states)]
        return float(np.linalg.solve(np.eye(len(states)) - inner, chance[states, bought])[-1])

    everything = np.ones(channels, dtype=bool)
    whole = reaches(everything)
    without = np.repeat(everything[None], channels, axis=0)
    np.fill_diagonal(without, False)
    return np.array([1 - reaches(kept) / whole for kept in without]).clip(0, 1)


def _settle(share: np.ndarray, total: float) -> np.ndarray:
    """Whole millionths nearest to the shares that sum to the total (largest remainder)."""
    exact = share * UNIT
    whole = np.floor(exact)
    missing = round(total * UNIT) - int(whole.sum())
    order = np.argsort(whole - exact, kind="stable")
    # More may be missing than there are channels, or less than none, by rounding of sums.
    each, rest = divmod(missing, len(share)) if len(share) else (0, 0)
    whole += each
    whole[order[:rest]] += 1
    return whole / UNIT
