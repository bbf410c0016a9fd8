"""How far purchases alone can tell who leaves: the mark below that of the oracle.

The oracle knows everybody's own rate and hazard. No data hold a hazard: somebody leaves
once. What can be known is how rates and hazards are spread over the people; each one's own
must then be inferred from what it bought.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from customer360.models.habits import COHORT_DAYS, HAZARDS, RATES, HabitModel

__all__ = ["with_true_shares"]


def with_true_shares(
    model: HabitModel, *, people: pd.DataFrame, traits: pd.DataFrame, as_of: date
) -> HabitModel:
    """The model of habits, told how many people truly are of each kind.

    Parameters
    ----------
    model : HabitModel
        Its seasons and yearly kinds are kept.
    people, traits : pandas.DataFrame
        Contracts `truth.people` and `truth.traits`.
    as_of : date
        Who joined later, or left before the history began, does not count.

    Returns
    -------
    HabitModel
    """
    born = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "rate": people["purchase_rate"].astype(float),
            "joined": pd.to_datetime(people["joined_on"]),
            "left": pd.to_datetime(people["left_on"]),
        }
    ).merge(traits[["person_id", "cycle", "leaving_hazard"]], on="person_id")
    first = pd.Timestamp(model.first_day)
    seen = (born["rate"] > 0) & ~(born["left"] < first) & (born["joined"] <= pd.Timestamp(as_of))
    born = born[seen]
    age = (first - born["joined"]).dt.days.clip(lower=0)
    cohort = np.searchsorted(COHORT_DAYS, age, side="left")
    yearly = born["cycle"].notna().to_numpy()
    # The nearest kind: rates and hazards are steps of equal ratio, told apart one by one.
    rate, hazard = np.unique(RATES), np.unique(HAZARDS)
    kind = _nearest(born["rate"], rate) * len(hazard) + _nearest(born["leaving_hazard"], hazard)
    counts = np.zeros_like(model.all_year)
    np.add.at(counts, (cohort[~yearly], kind[~yearly]), 1.0)
    size = np.maximum(np.bincount(cohort, minlength=len(counts)), 1)
    share = np.bincount(cohort[yearly], minlength=len(counts)) / size
    return replace(model, all_year=counts / size[:, None], yearly_share=share)


def _nearest(values: pd.Series, steps: np.ndarray) -> np.ndarray:
    at = np.log(values.to_numpy(dtype=float).clip(steps[0], steps[-1]))
    return np.abs(at[:, None] - np.log(steps)).argmin(axis=1)
