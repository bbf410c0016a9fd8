"""Who answers more than others, where it was said before the campaign started.

Look at twenty groups afterwards and one stands out by chance. A group is therefore read only
where somebody wrote down beforehand that it would answer more, or less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.stats import t
from statsmodels.stats.multitest import multipletests

from customer360.contracts import CONTRACTS
from customer360.features.campaign_contacts import MOMENT_FEATURES
from customer360.features.conditions import ConditionError, ask, walled_connection
from customer360.linkage.engine_tables import as_arrow
from customer360.measurement.effects import measure_effect

__all__ = ["SubgroupError", "subgroup_effects"]

#: A campaign with fewer sent or held out, inside or outside, is not read.
FEWEST = 10
MOST_P_VALUE = 0.05
_COLUMNS = [column.name for column in CONTRACTS["subgroup_effects"].columns]
_CONTACT = ["customer_id", "campaign_id", "variant", "channel", "contacted_on", "sent", "held_out"]
_SIDES = {"effect": [1, 0], "outside": [0, 1], "difference": [1, -1]}


class SubgroupError(ValueError):
    """A subgroup cannot be read: which one, why, and what may be written."""


def subgroup_effects(
    outcomes: pd.DataFrame,
    *,
    moments: pd.DataFrame,
    campaigns: pd.DataFrame,
    offers: pd.DataFrame,
    subgroups: Mapping[str, Mapping[str, Any]],
    outcome: str = "orders",
    before: Sequence[str] = ("orders_before",),
) -> pd.DataFrame:
    """What messages caused inside each declared group, beside outside.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        From `outcomes.contact_outcomes`.
    moments : pandas.DataFrame
        From `features.campaign_contacts.describe_moments`, of each customer on the day of
        each contact: what was known before it.
    campaigns, offers : pandas.DataFrame
        Contracts `staged.campaigns` and `staged.offers`.
    subgroups : mapping of str to mapping
        By name: `where` (a condition on `MOMENT_FEATURES`, as in SQL), `expect` (more or
        less), `declared_on` (date) and, to read some campaigns only, `channel` and `offer`
        (kinds: one or several; none without an offer).
    outcome : str
    before : sequence of str
        What was known when the arms were drawn (CUPED, as in `effects.measure_effect`).

    Returns
    -------
    pandas.DataFrame
        Contract `subgroup_effects`: one row per declared group, in their order.

    Raises
    ------
    SubgroupError
        Naming the group, what is wrong with its condition and the columns there are.

    Notes
    -----
    Within a campaign who is held out is drawn, inside the group and outside: each side is
    an experiment of its own, and their difference compares customers of the same campaign.
    Campaigns weigh by how well sizes let them compare, 1 / (1/n₁ + 1/n₂ + 1/n₃ + 1/n₄) of
    the four cells, which is known before any outcome is; inside and outside weigh alike.
    Intervals are those of t with the degrees of freedom of Welch and Satterthwaite. Chance
    is held over all groups declared (Holm 1979), those not read among them.
    """
    known = outcomes[list(dict.fromkeys([*_CONTACT, outcome, *before]))]
    contacts = _described(known, campaigns=campaigns, offers=offers)
    days = moments.assign(day=pd.to_datetime(moments["day"]), moment=np.arange(len(moments)))
    contacts = contacts.merge(days[["customer_id", "day", "moment"]], on=["customer_id", "day"])
    rows = []
    with walled_connection() as connection:
        connection.register("moment", as_arrow(days[["moment", *MOMENT_FEATURES]]))
        for name, rule in subgroups.items():
            inside = contacts["moment"].isin(_members(connection, name, rule["where"]))
            asked = contacts.assign(inside=inside)[_asked(contacts, rule)]
            told = {"subgroup": name, "rule": rule["where"], "expect": rule["expect"]}
            told["declared_on"] = rule["declared_on"]
            rows.append(told | _read(asked, rule["declared_on"], outcome, list(before)))
    return _judged(pd.DataFrame(rows, columns=_COLUMNS))


def _described(
    outcomes: pd.DataFrame, *, campaigns: pd.DataFrame, offers: pd.DataFrame
) -> pd.DataFrame:
    """Contacts of the draw, with the day, kind of offer and start of the campaign."""
    starts = campaigns.groupby("campaign_id", as_index=False)["started_at"].min()
    kinds = campaigns.merge(offers[["offer_id", "kind"]], on="offer_id", how="left")
    kinds = kinds[["campaign_id", "variant", "kind"]].drop_duplicates(["campaign_id", "variant"])
    drawn = outcomes[outcomes["sent"] | outcomes["held_out"]]
    found = drawn.merge(kinds, on=["campaign_id", "variant"], how="left")
    found = found.merge(starts, on="campaign_id", how="left")
    day = pd.to_datetime(found["contacted_on"])
    return found.assign(
        day=day,
        kind=found["kind"].fillna("none"),
        started_on=pd.to_datetime(found["started_at"]).fillna(day).dt.normalize(),
    )


def _members(connection: duckdb.DuckDBPyConnection, name: str, where: str) -> pd.Series:
    """Moments at which a customer is inside a group."""
    try:
        return ask(connection, f"select moment from moment where ({where})")["moment"]
    except ConditionError as error:
        raise SubgroupError(
            f"campaigns.yaml, subgroup {name}: {error}. Columns that can be used: "
            f"{', '.join(MOMENT_FEATURES)}"
        ) from None


def _asked(contacts: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Contacts of the channel and offers that a group is about, and all who were held out."""
    kept = contacts["channel"].eq(rule.get("channel") or contacts["channel"])
    if offer := rule.get("offer"):
        fit = contacts["kind"].isin([offer] if isinstance(offer, str) else offer)
        # Those held out stand for every variant of their campaign.
        meant = contacts["campaign_id"].isin(contacts.loc[fit, "campaign_id"])
        kept &= meant & (fit | contacts["held_out"])
    return kept


def _read(
    contacts: pd.DataFrame, declared_on: Any, outcome: str, before: list[str]
) -> dict[str, Any]:
    """Both sides and their difference over all campaigns that may be read."""
    late = contacts["started_on"] <= pd.Timestamp(declared_on)
    keys = ["campaign_id", "channel"]
    row: dict[str, Any] = {"late": contacts.loc[late, keys].drop_duplicates().shape[0], "small": 0}
    sizes, effects, variances, freedoms = [], [], [], []
    read = list(dict.fromkeys(["inside", "sent", "held_out", outcome, *before]))
    for _, campaign in contacts[~late].groupby(keys, sort=True)[read]:
        sides = [campaign[campaign["inside"]], campaign[~campaign["inside"]]]
        cells = [n for side in sides for n in (side["sent"].sum(), side["held_out"].sum())]
        if min(cells) < FEWEST:
            row["small"] += 1
            continue
        found = [measure_effect(s[outcome], s["sent"], before=s[before]) for s in sides]
        sizes.append(cells)
        effects.append([side.effect for side in found])
        variances.append([side.standard_error**2 for side in found])
        freedoms.append([len(side) - 2 - len(before) for side in sides])
    cell = ["contacts", "held_out", "contacts_outside", "held_out_outside"]
    total = np.array(sizes, dtype=int).reshape(-1, 4)
    row |= {"campaigns": len(sizes), **dict(zip(cell, total.sum(axis=0).tolist(), strict=True))}
    if not sizes:
        return row | {"reason": _why_not(row)}
    weight = 1 / (1 / total).sum(axis=1, keepdims=True)
    weight /= weight.sum()
    mean, parts = (weight * effects).sum(axis=0), weight**2 * variances
    for name, sign in _SIDES.items():
        row |= _interval(name, float(mean @ sign), parts * np.abs(sign), np.array(freedoms))
    return row


def _interval(
    name: str, effect: float, variances: np.ndarray, freedoms: np.ndarray
) -> dict[str, float]:
    """An effect with its 95 % interval and p-value; `variances` are those of its parts."""
    ends = ("low", "high") if name == "effect" else (f"{name}_low", f"{name}_high")
    variance = variances.sum()
    # Without any variance there is nothing to tell apart.
    freedom = variance**2 / (variances**2 / freedoms).sum() if variance else np.inf
    half = t.ppf(0.975, freedom) * np.sqrt(variance)
    found = {name: effect, ends[0]: effect - half, ends[1]: effect + half}
    if name == "difference":
        found["p_value"] = 2 * t.sf(abs(effect) / np.sqrt(variance), freedom) if variance else 1.0
    return found


def _why_not(row: Mapping[str, Any]) -> str:
    if row["small"]:
        return f"fewer than {FEWEST} sent or held out, inside or outside, in every campaign"
    if row["late"]:
        return "declared when every campaign had started"
    return "no campaign, or none by its channel and with its offer"


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """What each group says, when chance is held over all that were declared."""
    if table.empty:
        return table
    read = table["p_value"].notna()
    chance = multipletests(table["p_value"].astype(float).fillna(1.0), method="holm")[1]
    expected = table["expect"].map({"more": 1, "less": -1}) * table["difference"].astype(float) > 0
    verdict = np.where(expected, "as expected", "against expectation")
    verdict = np.where(chance <= MOST_P_VALUE, verdict, "not beyond chance")
    return table.assign(
        adjusted_p_value=np.where(read, chance, np.nan),
        verdict=np.where(read, verdict, "not read"),
    )
