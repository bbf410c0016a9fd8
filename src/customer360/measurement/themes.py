"""Which theme works at which funnel stage: beside hold-outs, and theme beside theme.

What a message with a theme caused is told by those held out. Whether *the theme* did it is
not: themes travel by different channels, with different offers. Only variants of one campaign
that differ in nothing but the theme tell that, because who got which was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from customer360.contracts import FUNNEL
from customer360.measurement.rates import contact_rates
from customer360.measurement.reconcile import BEFORE
from customer360.measurement.shrinkage import shrink_effects

__all__ = [
    "compare_themes",
    "content_priorities",
    "theme_contacts",
    "theme_effects",
    "themes_at_stages",
]

FALSE_DISCOVERY_RATE = 0.05
_Z = 1.959964
_CELL = ["funnel_stage", "theme"]
_ANSWER = "ordered within two weeks"


def theme_contacts(
    outcomes: pd.DataFrame, *, stages: pd.DataFrame, campaigns: pd.DataFrame
) -> pd.DataFrame:
    """Contacts with the theme of their message and the stage of who got it, on its day.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        From `outcomes.contact_outcomes`.
    stages : pandas.DataFrame
        customer_id, day, funnel_stage: from `segmentation.funnel.funnel_on_days`.
    campaigns : pandas.DataFrame
        Contract `staged.campaigns`.

    Returns
    -------
    pandas.DataFrame
        `outcomes` with funnel_stage, theme (empty for who was held out) and test (campaign,
        offer and image: what variants share when they differ by their theme at most).
    """
    told = campaigns[["campaign_id", "variant", "theme", "offer_id", "image"]].copy()
    shared = told[["campaign_id", "offer_id", "image"]].astype(object).fillna("none")
    told["test"] = shared["campaign_id"] + " " + shared["offer_id"] + " " + shared["image"]
    days = stages.assign(day=pd.to_datetime(stages["day"])).rename(columns={"day": "contacted_on"})
    found = outcomes.assign(contacted_on=pd.to_datetime(outcomes["contacted_on"]))
    found = found.merge(
        told.drop(columns=["offer_id", "image"]), on=["campaign_id", "variant"], how="left"
    ).merge(days, on=["customer_id", "contacted_on"], how="left")
    for name in ("theme", "test"):
        found[name] = found[name].where(found["sent"])
    return found


def theme_effects(
    contacts: pd.DataFrame, *, outcome: str = "orders", before: Sequence[str] = BEFORE
) -> pd.DataFrame:
    """What messages of each theme caused at each stage, against the customers held out.

    Parameters
    ----------
    contacts : pandas.DataFrame
        From `theme_contacts`.
    outcome : str
    before : sequence of str
        What was known when the arms were drawn (CUPED, as in `effects.measure_effect`).

    Returns
    -------
    pandas.DataFrame
        One row per funnel_stage and theme of which a message was sent, in the order of
        `FUNNEL`: contacts (sent), answered and rate (ordered within two weeks, of those
        delivered) with rate_low and rate_high (95 %, Wilson); tested (contacts of campaigns
        with two customers held out at that stage), held_out, effect, low, high (outcome a
        contact, 95 %), p_value, adjusted_p_value (Benjamini and Hochberg 1995, over all
        cells); shrunk, shrunk_low, shrunk_high: drawn to what its stage and its theme have
        in common (`shrinkage.shrink_effects`).

    Notes
    -----
    Within a stage all arms share one slope and one variance, as those of
    `effects.measure_effect` do; campaigns weigh by their contacts. Themes of one campaign
    share its held-out customers, and err together: the shrinkage knows, but whether one is
    better than another is told by `compare_themes`.
    """
    contacts = contacts[contacts["funnel_stage"].notna()]
    sent = contacts[contacts["theme"].notna()]
    cells = sent.groupby(_CELL).size().rename("contacts").reset_index()
    measured = [
        (stage, *_caused(part, outcome, before)) for stage, part in contacts.groupby("funnel_stage")
    ]
    found = [table.assign(funnel_stage=stage) for stage, table, _ in measured]
    table = cells.merge(_answers(sent), on=_CELL, how="left")
    table = _in_order(
        table.merge(_together(found, ["funnel_stage", *_CAUSED]), on=_CELL, how="left")
    )
    counts = ["answered", "tested", "held_out"]
    table[counts] = table[counts].astype(float).fillna(0).astype("int64")
    # Stages have no customer's contact in common: their errors are independent.
    errors = pd.DataFrame(0.0, index=pd.MultiIndex.from_frame(table[_CELL]), columns=table.index)
    errors.columns = errors.index
    for stage, part, covariance in measured:
        rows = [(stage, theme) for theme in part["theme"]]
        errors.loc[rows, rows] = covariance
    table = table.join(_interval(table.pop("effect"), np.sqrt(np.diag(errors))))
    return table.join(
        shrink_effects(table["effect"].to_numpy(float), errors.to_numpy(), table[_CELL])
    )


_CAUSED = ["theme", "tested", "held_out", "effect"]


def _answers(sent: pd.DataFrame) -> pd.DataFrame:
    names = {"count": "answered", "share": "rate", "low": "rate_low", "high": "rate_high"}
    if sent.empty:
        return pd.DataFrame(columns=[*_CELL, *names.values()])
    rates = contact_rates(sent, by=_CELL)
    rates = rates[rates["rate"] == _ANSWER].drop(columns="rate").rename(columns=names)
    return rates[[*_CELL, *names.values()]]


def _arm_means(
    part: pd.DataFrame, arm: Sequence[str], outcome: str, before: Sequence[str]
) -> tuple[pd.DataFrame, float]:
    """Contacts and mean of each arm, made equal in what was known before; one variance."""
    names = [outcome, *before]
    grouped = part.groupby(list(arm))[names]
    within = (part[names] - grouped.transform("mean")).to_numpy(float)
    slope, _, rank, _ = np.linalg.lstsq(within[:, 1:], within[:, 0], rcond=None)
    rest = within[:, 0] - within[:, 1:] @ slope
    arms = grouped.mean()
    arms["mean"] = arms[outcome] - arms[list(before)].to_numpy(float) @ slope
    arms["n"] = grouped.size()
    freedom = max(len(part) - len(arms) - rank, 1)
    return arms[["n", "mean"]].reset_index(), float(rest @ rest / freedom)


def _caused(
    part: pd.DataFrame, outcome: str, before: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Effect of each theme at one stage, and the covariance of their errors."""
    part = part[part["held_out"] | part["theme"].notna()]
    part = part.assign(theme=part["theme"].where(~part["held_out"], ""))
    empty = pd.DataFrame(columns=_CAUSED), np.empty((0, 0))
    if part.empty:
        return empty
    arms, variance = _arm_means(part, ["campaign_id", "theme"], outcome, before)
    held = arms[(arms["theme"] == "") & (arms["n"] >= 2)].drop(columns="theme")
    sent = arms[arms["theme"] != ""].merge(held, on="campaign_id", suffixes=("", "_held"))
    if sent.empty:
        return empty
    sent["weight"] = sent["n"] / sent.groupby("theme")["n"].transform("sum")
    sent["effect"] = sent["weight"] * (sent["mean"] - sent["mean_held"])
    sent["own"] = variance * sent["weight"] ** 2 / sent["n"]
    found = sent.groupby("theme").agg(
        tested=("n", "sum"),
        held_out=("n_held", "sum"),
        effect=("effect", "sum"),
        own=("own", "sum"),
    )
    weights = sent.pivot(index="campaign_id", columns="theme", values="weight").fillna(0.0)
    share = sent.drop_duplicates("campaign_id").set_index("campaign_id")["n_held"]
    shared = (weights.T / share.reindex(weights.index)).to_numpy() @ weights.to_numpy()
    covariance = np.diag(found.pop("own").to_numpy(float)) + variance * shared
    return found.reset_index(), covariance


def compare_themes(
    contacts: pd.DataFrame, *, outcome: str = "orders", before: Sequence[str] = BEFORE
) -> pd.DataFrame:
    """Each theme beside the others, where nothing but the theme differed.

    Parameters
    ----------
    contacts : pandas.DataFrame
        From `theme_contacts`.
    outcome : str
    before : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row per funnel_stage and theme: compared (contacts with the theme in tests of
        several), effect (outcome a contact beyond that of the other themes of the same
        test), low, high (95 %), p_value, adjusted_p_value (Benjamini and Hochberg 1995,
        over all cells), error (standard error), best (of its stage, and beyond chance).

    Notes
    -----
    Each test compares within itself, and weighs by what it can tell. Slope and variance
    are shared, as in `theme_effects`.
    """
    fair = contacts[contacts["theme"].notna() & contacts["funnel_stage"].notna()]
    rows = [
        (stage, *row)
        for stage, part in fair.groupby("funnel_stage")
        for row in _advantages(part, outcome, before)
    ]
    table = _in_order(pd.DataFrame(rows, columns=[*_CELL, "compared", "effect", "error"]))
    table = table.join(_interval(table.pop("effect"), table["error"].to_numpy(float)))
    sure = (table["adjusted_p_value"] <= FALSE_DISCOVERY_RATE) & (table["effect"] > 0)
    first = table["effect"].where(sure).groupby(table["funnel_stage"]).transform("max")
    return table.assign(best=sure & (table["effect"] == first))


def _advantages(
    part: pd.DataFrame, outcome: str, before: Sequence[str]
) -> list[tuple[str, int, float, float]]:
    """Theme, contacts, what it has over the others, standard error: at one stage."""
    part = part[part.groupby("test")["theme"].transform("nunique") > 1]
    if part.empty:
        return []
    arms, variance = _arm_means(part, ["test", "theme"], outcome, before)
    n = arms.pivot(index="test", columns="theme", values="n").fillna(0.0)
    total = (arms["n"] * arms["mean"]).groupby(arms["test"]).sum()
    rows = []
    for theme in n.columns:
        own = arms[arms["theme"] == theme].set_index("test")
        others = n.loc[own.index].sum(axis=1) - own["n"]
        beyond = own["mean"] - (total[own.index] - own["n"] * own["mean"]) / others
        weight = own["n"] * others / (own["n"] + others)
        error = float(np.sqrt(variance / weight.sum()))
        rows.append(
            (str(theme), int(own["n"].sum()), float((weight * beyond).sum() / weight.sum()), error)
        )
    return rows


def themes_at_stages(effects: pd.DataFrame, contrasts: pd.DataFrame) -> pd.DataFrame:
    """What each theme caused at each stage, and what it had over the others: one table.

    Parameters
    ----------
    effects, contrasts : pandas.DataFrame
        From `theme_effects` and `compare_themes`.

    Returns
    -------
    pandas.DataFrame
        Contract `theme_effects`.
    """
    names = {
        "compared": "compared",
        "effect": "advantage",
        "low": "advantage_low",
        "high": "advantage_high",
        "adjusted_p_value": "advantage_p_value",
        "best": "best",
    }
    table = effects.merge(contrasts[[*_CELL, *names]].rename(columns=names), on=_CELL, how="left")
    table["compared"] = table["compared"].astype(float).fillna(0).astype("int64")
    # Rounded: sums made in another order must give the same bytes.
    return table.assign(best=table["best"].eq(True)).round(9)


def content_priorities(contrasts: pd.DataFrame, *, themes: Sequence[str]) -> pd.DataFrame:
    """What to say at each stage: themes by what is expected of them over the others.

    Parameters
    ----------
    contrasts : pandas.DataFrame
        From `compare_themes`.
    themes : sequence of str
        All there are.

    Returns
    -------
    pandas.DataFrame
        One row per funnel_stage and theme, the first place first: place (1 first), priority
        (outcome a contact beyond that of other themes: the advantage, drawn to the theme's
        over all stages), low, high (95 %), proven (best beyond chance). Themes that no test
        compared have priority 0 and no interval.
    """
    cells = pd.MultiIndex.from_product([FUNNEL, sorted(themes)], names=_CELL).to_frame(index=False)
    table = cells.merge(contrasts, on=_CELL, how="left")
    # Stages are other contacts: within a theme, errors are independent.
    found = [
        shrink_effects(
            part["effect"].to_numpy(float),
            np.diag(part["error"].to_numpy(float) ** 2),
            part[["theme"]],
        ).set_axis(part.index)
        for _, part in table.groupby("theme")
    ]
    table = table[[*_CELL, "best"]].join(_together(found, ["shrunk", "shrunk_low", "shrunk_high"]))
    # Rounded: sums made in another order must give the same places.
    ends = ["shrunk", "shrunk_low", "shrunk_high"]
    table[ends] = table[ends].astype(float).round(9)
    table["priority"] = table["shrunk"].fillna(0.0)
    table["proven"] = table["best"].eq(True)
    table["rank"] = table["funnel_stage"].map(FUNNEL.index)
    table = table.sort_values(
        ["rank", "priority", "theme"], ascending=[True, False, True], ignore_index=True
    )
    table["place"] = table.groupby("rank").cumcount() + 1
    table = table.rename(columns={"shrunk_low": "low", "shrunk_high": "high"})
    return table[[*_CELL, "place", "priority", "low", "high", "proven"]]


def _together(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    parts = [part for part in parts if len(part)]
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns)


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    rank = table["funnel_stage"].map({stage: place for place, stage in enumerate(FUNNEL)})
    return (
        table.assign(rank=rank).sort_values(["rank", "theme"], ignore_index=True)
        .drop(columns="rank")
    )  # fmt: skip


def _interval(effect: pd.Series, error: np.ndarray) -> pd.DataFrame:
    """Effect with its 95 % interval and p-value, raw and adjusted over all that were tested."""
    value, error = effect.to_numpy(float), np.asarray(error, float)
    sure = np.where(error > 0, error, np.inf)
    p = np.where(np.isfinite(value), 2 * norm.sf(np.abs(value) / sure), np.nan)
    table = pd.DataFrame({"effect": value, "low": value - _Z * error, "high": value + _Z * error})
    table["p_value"] = table["adjusted_p_value"] = p
    if np.isfinite(p).any():
        known = np.isfinite(p)
        table.loc[known, "adjusted_p_value"] = multipletests(p[known], method="fdr_bh")[1]
    return table
