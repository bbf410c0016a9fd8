from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.habit_ceiling import with_true_shares
from customer360.models.habits import FAITHS, HAZARDS, RATES, HabitModel


def test_shares_are_those_of_the_people_who_can_be_seen():
    none = pd.DataFrame({"middle_day": [], "length_days": [], "weight": []})
    model = HabitModel(
        all_year=np.full((4, len(RATES)), np.nan),
        yearly_share=np.zeros(4),
        seasons=none,
        yearly=np.full(len(FAITHS), 1 / len(FAITHS)),
        first_day=date(2023, 1, 1),
    )
    people = pd.DataFrame(
        {
            "person_id": list("abcdefg"),
            # f never buys.
            "purchase_rate": [0.15, 0.15, 9.0, 2.0, 2.0, 0.0, 5.0],
            # d and e were known before, d for four years; g joins too late.
            "joined_on": [date(2023, 5, 1)] * 3
            + [date(2019, 1, 1), date(2021, 1, 1), date(2023, 5, 1), date(2025, 5, 1)],
            # e left before the history began.
            "left_on": [None, date(2023, 9, 1), None, None, date(2022, 1, 1), None, None],
        }
    )
    traits = pd.DataFrame(
        {
            "person_id": list("abcdefg"),
            "cycle": [None, None, "noel", None, None, None, None],
            "leaving_hazard": [0.01, 15.0, 0.06, 0.4, 0.4, 0.4, 0.4],
        }
    )
    told = with_true_shares(model, people=people, traits=traits, as_of=date(2025, 4, 1))
    assert told.yearly_share == pytest.approx([1 / 3, 0, 0, 0])
    newcomers = {
        (round(r, 2), h): w for r, h, w in zip(RATES, HAZARDS, told.all_year[0], strict=True) if w
    }
    assert newcomers == {(0.15, 0.01): pytest.approx(1 / 3), (0.15, 15.0): pytest.approx(1 / 3)}
    assert told.all_year.sum(axis=1) == pytest.approx([2 / 3, 0, 0, 1])
    assert HAZARDS[told.all_year[3] > 0] == pytest.approx(0.4)
