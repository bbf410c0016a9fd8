"""Three plain ways to spend the same money: what the plan is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from customer360.contracts import DIRECT
from customer360.planning.gate import pass_gate
from customer360.planning.plan import Limits
from customer360.planning.pressure import ContactRule

__all__ = ["plain_policies"]


def plain_policies(
    candidates: Any,
    *,
    churn_scores: pd.DataFrame,
    customers: Any,
    contacts: Any,
    rules: Sequence[ContactRule],
    limits: Limits,
    retention_days: int | None = None,
    seed: int = 360,
) -> dict[str, pd.DataFrame]:
    """Messages of each plain policy, for each offer that it might make.

    A customer gets the same offer every week that rules and limits allow, by the cheapest
    direct channel (as a rule e-mail: a dearer one would make them poor rivals). Who comes
    first differs: in `everyone` chance decides, week by week; `top churn risk` and `top
    propensity` serve the head of their list first.

    Parameters
    ----------
    candidates : frame
        From `make_candidates`, whatever they are expected to earn, without the control group.
    churn_scores : pandas.DataFrame
        Contract `churn_scores`.
    customers, contacts, rules, limits, retention_days
        The same as of the plan.
    seed : int

    Returns
    -------
    dict of str to pandas.DataFrame
        "policy, offer" to messages: the columns of `candidates`.
    """
    asked = {"customers": customers, "contacts": contacts, "rules": rules,
             "retention_days": retention_days}  # fmt: skip
    open_to = pass_gate(candidates, **asked, together=False).kept.to_pandas()
    direct = open_to[open_to["channel"].isin(DIRECT)]
    cheapest = direct[direct["cost"] == direct["cost"].min()]
    chance = pd.Series(
        np.random.default_rng(seed).random(cheapest["customer_id"].nunique()),
        index=np.sort(cheapest["customer_id"].unique()),
    )
    risk = churn_scores.set_index("customer_id")["churn_probability"]
    found = {}
    for offer, messages in cheapest.groupby("offer_id", sort=True):
        rank = messages.assign(
            chance=messages["customer_id"].map(chance),
            risk=messages["customer_id"].map(risk),
        )
        best = rank.groupby("customer_id")["propensity"].transform("max")
        orders = {
            "everyone": rank.sort_values(["slot", "chance"]),
            "top churn risk": rank.dropna(subset="risk").sort_values(
                ["risk", "customer_id", "slot"], ascending=[False, True, True]
            ),
            "top propensity": rank.assign(best=best).sort_values(
                ["best", "customer_id", "slot"], ascending=[False, True, True]
            ),
        }
        for name, queue in orders.items():
            sent = pass_gate(queue[messages.columns], **asked, together=True).kept
            found[f"{name}, {_told(offer)}"] = _within(sent.to_pandas(), limits)
    return found


def _told(offer: str) -> str:
    """An offer in words: `percent_20` is 20 percent."""
    if offer == "none":
        return "no offer"
    kind, _, depth = offer.partition("_")
    return f"{depth} {kind}".strip()


def _within(queue: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """The head of the queue that budget and channels allow."""
    place = queue.groupby(["channel", "slot"]).cumcount()
    most = queue["channel"].map(limits.channel_capacity).fillna(np.inf)
    queue = queue[place < most]
    budget = np.inf if limits.budget is None else limits.budget
    return queue[queue["cost"].cumsum() <= budget + 1e-6].reset_index(drop=True)
