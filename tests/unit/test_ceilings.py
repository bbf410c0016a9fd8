"""The ladders of benchmarks/ceilings.py, on people made here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "ceilings.py"
_found = importlib.util.spec_from_file_location("ceilings", FILE)
ceilings = importlib.util.module_from_spec(_found)
_found.loader.exec_module(ceilings)

PEOPLE = 60
TREES = {"objective": "reg:squarederror", "min_child_weight": 1, "seeds": 1}


def test_a_hidden_fact_that_is_the_answer_climbs_above_noise() -> None:
    rng = np.random.default_rng(1)
    answer = rng.normal(size=300)
    known = pd.DataFrame({"noise": rng.normal(size=300), "text": rng.choice(["a", "b"], 300)})
    rows = ceilings.ladder(
        known,
        pd.DataFrame({"leak": answer}),
        steps={"observed": (), "leak": ("leak",)},
        answer=answer,
        measure=lambda told: {"fit": float(np.corrcoef(answer, told)[0, 1])},
        person=np.arange(300),
        max_depth=3,
        **TREES,
    )
    assert [row["told"] for row in rows] == ["observed", "leak"]
    assert abs(rows[0]["fit"]) < 0.25
    assert rows[1]["fit"] > 0.95


def test_nobody_is_foretold_from_its_own_answers() -> None:
    """Who a person is says its answer exactly, but only on its own rows."""
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(PEOPLE), 10)
    answer = rng.normal(size=PEOPLE)[person]
    known = pd.DataFrame({"mark": rng.permutation(PEOPLE)[person].astype(float)})
    given = {"answer": answer, "max_depth": 6, **TREES}
    apart = ceilings.foretold(known, person=person, **given)
    mixed = ceilings.foretold(known, person=np.arange(len(person)), **given)
    assert np.corrcoef(answer, mixed)[0, 1] > 0.9
    assert np.corrcoef(answer, apart)[0, 1] < 0.4


def test_who_leaves_later_has_not_left() -> None:
    hidden = pd.DataFrame({"left_on": pd.to_datetime(["2024-05-01", "2024-07-01", None])})
    assert ceilings.has_left(hidden, "2024-06-01").tolist() == [1.0, 0.0, 0.0]


def test_the_page_says_that_it_was_shown_the_answers() -> None:
    rows = {
        "identity": {"at_0.99": 0.9, "at_0.995": 0.8, "at_0.998": 0.6},
        "churn": {"roc_auc": 0.8, "share": 0.9},
        "value": {"rmse": 10.0, "above_oracle": 0.2},
        "uplift": {"share": 0.7, "sleeping_dogs": 0.3},
    }
    text = ceilings.page({name: [{"told": str(i)} | row for i in range(7)]
                          for name, row in rows.items()})  # fmt: skip
    assert "shown the answers" in text
    assert "| 3 | 0.800 | 90.0% |" in text
