"""How well a model reads dissatisfaction, against what the simulated world knows.

For evaluation only: a model never sees these columns.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from customer360.contracts import MOODS
from customer360.models.dissatisfaction import DissatisfactionModel, fit_dissatisfaction

__all__ = ["add_true_mood", "judge_dissatisfaction", "unseen_phrasings"]

KEYS = ["source", "source_id", "at"]


def add_true_mood(conversations: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Join what the person felt (`dissatisfied`, `shown`, `wording`) to each conversation.

    Parameters
    ----------
    conversations : pandas.DataFrame
        Columns source, source_id, at.
    truth : pandas.DataFrame
        Contract `truth.conversations`.

    Returns
    -------
    pandas.DataFrame
        The conversations whose truth is known, in their order.
    """
    known = truth.drop_duplicates(KEYS)[[*KEYS, "dissatisfied", "shown", "wording"]]
    known = known.assign(at=known["at"].astype("datetime64[us]"))
    table = conversations.assign(at=conversations["at"].astype("datetime64[us]"))
    return table.merge(known, on=KEYS, how="inner")


def judge_dissatisfaction(model: DissatisfactionModel, later: pd.DataFrame) -> dict[str, float]:
    """Ranking against the true mood, and as a share of what perfect reading reaches.

    Parameters
    ----------
    model : DissatisfactionModel
    later : pandas.DataFrame
        From `add_true_mood`, conversations after those learnt from.

    Returns
    -------
    dict
        roc_auc; best_roc_auc (of a reader who makes no mistake about the tone); oracle_share
        (both counted from 0.5). Empty when all are satisfied or all are not.
    """
    bad = later["dissatisfied"].to_numpy(dtype=int)
    if bad.min(initial=1) == bad.max(initial=0):
        return {}
    found = roc_auc_score(bad, model.decision(later))
    best = roc_auc_score(bad, later["shown"].map({mood: i for i, mood in enumerate(MOODS)}))
    return {
        "roc_auc": float(found),
        "best_roc_auc": float(best),
        "oracle_share": float((found - 0.5) / (best - 0.5)),
    }


def unseen_phrasings(
    model: DissatisfactionModel, *, past: pd.DataFrame, later: pd.DataFrame, strength: float
) -> pd.DataFrame:
    """Loss of ranking on phrases that were never in the training.

    For each family of phrases a model is fitted to the past without it; it and `model`,
    which knew the family, read the later conversations of that family.

    Parameters
    ----------
    model : DissatisfactionModel
        Fitted to all of `past`.
    past, later : pandas.DataFrame
        From `add_true_mood`.
    strength : float
        As `model` was fitted with.

    Returns
    -------
    pandas.DataFrame
        One row per family: wording, conversations, seen, unseen (ROC AUC), drop.
    """
    rows = []
    for wording in sorted(later["wording"].unique().tolist()):
        some = later[later["wording"] == wording]
        bad = some["dissatisfied"].to_numpy(dtype=int)
        others = past[past["wording"] != wording]
        apart = fit_dissatisfaction(others, strength=strength, calibrate=False)
        seen, unseen = (roc_auc_score(bad, m.decision(some)) for m in (model, apart))
        rows.append((wording, len(some), float(seen), float(unseen)))
    table = pd.DataFrame(rows, columns=["wording", "conversations", "seen", "unseen"])
    return table.assign(drop=np.subtract(table["seen"], table["unseen"]))
