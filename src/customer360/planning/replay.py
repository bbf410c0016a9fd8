"""What a policy would have earned on a log whose messages were drawn at random.

The log tells what followed the message that was drawn; for the others the rows where they
were drawn stand in. Inverse propensity (Horvitz and Thompson 1952), self-normalised (Swaminathan
and Joachims 2015) and doubly robust (Dudík, Langford and Li 2011); intervals by resampling
customers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["compare_policies", "logged_chances", "replay_table"]


def logged_chances(log: pd.DataFrame, *, arms: tuple[str, ...]) -> np.ndarray:
    """Chance of each arm in each row: shares of its campaign, drawn at random by design.

    Parameters
    ----------
    log : pandas.DataFrame
        campaign_id, arm.
    arms : tuple of str

    Returns
    -------
    numpy.ndarray of float, rows x arms
    """
    number = pd.Index(arms).get_indexer(pd.Index(log["arm"]))
    campaign = log["campaign_id"].astype("category").cat.codes.to_numpy()
    counts = np.zeros((campaign.max(initial=-1) + 1, len(arms)))
    np.add.at(counts, (campaign, number), 1)
    return (counts / counts.sum(axis=1, keepdims=True))[campaign]


def compare_policies(
    *,
    arm: np.ndarray,
    reward: np.ndarray,
    chance: np.ndarray,
    chosen: np.ndarray,
    expected: np.ndarray,
    cluster: np.ndarray,
    draws: int = 1000,
    seed: int = 360,
) -> pd.DataFrame:
    """Value of a policy and of the logged one, and their difference with its interval.

    Parameters
    ----------
    arm : array of int, (rows,)
        Number of the arm that was drawn.
    reward : array of float, (rows,), currency
        What followed.
    chance : array of float, rows x arms
        With which each arm was drawn; above 0 wherever the policy chooses it.
    chosen : array of int, (rows,)
        Number of the arm that the policy chooses.
    expected : array of float, rows x arms, currency
        What a model, learnt elsewhere, expects to follow; a poor one costs width only.
    cluster : array
        Customer of each row: its rows are resampled together.
    draws, seed : int

    Returns
    -------
    pandas.DataFrame
        One row per estimator: value, logged, gain, gain_low, gain_high (90 % interval, currency
        per message), rows, matched (share of rows in which both agree).

    Raises
    ------
    ValueError
        If the policy chooses what was never drawn.
    """
    rows = np.arange(len(arm))
    if not (chance[rows, chosen] > 0).all():
        raise ValueError("the policy chooses an arm that the log never drew: leave it out")
    same = arm == chosen
    weight = same / chance[rows, chosen]
    left = reward - expected[rows, arm]
    better = expected[rows, chosen] - (chance * expected).sum(axis=1)
    # Totals of each customer: resampling them is resampling customers.
    parts = np.stack(
        [np.ones(len(arm)), weight, reward, weight * reward, better + (weight - 1) * left], axis=1
    )
    _, who = np.unique(cluster, return_inverse=True)
    totals = np.zeros((who.max(initial=-1) + 1, parts.shape[1]))
    np.add.at(totals, who, parts)
    rng = np.random.default_rng(seed)
    # Weights of the Bayesian bootstrap (Rubin 1981): no resample is empty.
    times = rng.exponential(size=(draws, len(totals))).astype(np.float32)
    found, drawn = _gains(totals.sum(axis=0)), _gains((times @ totals).T)
    logged = float(reward.mean())
    return pd.DataFrame(
        {
            "estimator": ["inverse propensity", "self-normalised", "doubly robust"],
            "value": logged + found,
            "logged": logged,
            "gain": found,
            "gain_low": np.quantile(drawn, 0.05, axis=1),
            "gain_high": np.quantile(drawn, 0.95, axis=1),
            "rows": len(arm),
            "matched": same.mean(),
        }
    )


def replay_table(replayed: pd.DataFrame, *, name: str, seed: int = 360) -> pd.DataFrame:
    """`compare_policies` on campaigns replayed, and how large a log would tell.

    Parameters
    ----------
    replayed : pandas.DataFrame
        campaign_id, customer_id, arm, chosen, reward, expected_<arm>: empty where a campaign
        has not the arm.
    name : str
        Written before the name of each estimator.
    seed : int

    Returns
    -------
    pandas.DataFrame
        Of `compare_policies`, with name, promised (gain that the model expects, currency per
        message) and rows_needed: messages for the interval to leave zero if that is right.
    """
    arms = tuple(
        sorted(c.removeprefix("expected_") for c in map(str, replayed) if "expected_" in c)
    )
    expected = replayed[[f"expected_{arm}" for arm in arms]].fillna(0.0).to_numpy()
    arm, chosen = (pd.Index(arms).get_indexer(pd.Index(replayed[n])) for n in ("arm", "chosen"))
    chance = logged_chances(replayed, arms=arms)
    found = compare_policies(
        arm=arm, reward=replayed["reward"].to_numpy(), chance=chance, chosen=chosen,
        expected=expected, cluster=replayed["customer_id"].to_numpy(), seed=seed,
    )  # fmt: skip
    rows = np.arange(len(arm))
    promised = float((expected[rows, chosen] - (chance * expected).sum(axis=1)).mean())
    half = (found["gain_high"] - found["gain_low"]) / 2
    return found.assign(
        name=name + ", " + found["estimator"],
        promised=promised,
        rows_needed=np.ceil(len(arm) * (half / promised) ** 2) if promised else np.nan,
    )


def _gains(total: np.ndarray) -> np.ndarray:
    """Gain by each estimator, from sums over rows; one column per resample."""
    n, weight, reward, weighted, robust = total
    logged = reward / n
    return np.stack([weighted / n - logged, weighted / weight - logged, robust / n])
