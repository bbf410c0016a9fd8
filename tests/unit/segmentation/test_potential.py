from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.contracts import POTENTIAL_CLASSES
from customer360.segmentation.cycles import find_cycles
from customer360.segmentation.potential import CLASS_WORDS, classify_potential

RULES = {
    "horizon_days": 60,
    "new_days": 90,
    "big_share": 0.15,
    "cycle_p_value": 0.05,
    "cycle_arc_share": 0.125,
}


def customers(rows: dict[str, tuple]) -> pd.DataFrame:
    columns = ["recency_days", "gap_mean_days", "tenure_days", "margin"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype="float64")
    return frame.rename_axis("customer_id").reset_index()


def rhythms(rows: dict[str, tuple]) -> pd.DataFrame:
    columns = ["cycle_p_value", "arc_days", "missed_cycles"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame["period_days"] = 365.25
    frame["next_cycle_on"] = date(2025, 12, 10)
    frame["window_from"], frame["window_until"] = date(2025, 11, 30), date(2025, 12, 20)
    return frame.rename_axis("customer_id").reset_index()


FEATURES = customers(
    {
        "regular": (10, 20, 900, 10),
        "average": (10, 20, 900, 11),
        "modest": (10, 20, 900, 12),
        "steady": (10, 20, 900, 13),
        "big": (10, 20, 900, 500),
        "new": (5, None, 80, 9000),
        "silent": (61, 20, 900, 9000),
        "slow": (100, 60, 900, 5),  # silent for less than twice its own pause
        "christmas": (150, 360, 1500, 8),
        "missed": (800, 360, 1500, 8),
        "chance": (150, 10, 1500, 8),
        "wide": (150, 10, 1500, 8),
        "one_time": (400, None, 400, 3),
    }
)
CYCLES = rhythms(
    {
        "christmas": (0.01, 20.0, 0),
        "missed": (0.01, 20.0, 1),
        "chance": (0.2, 20.0, 0),
        "wide": (0.01, 60.0, 0),
        "new": (0.01, 20.0, 0),
    }
)


def test_the_first_rule_that_holds_decides():
    classes = classify_potential(FEATURES, CYCLES, **RULES).set_index("customer_id")
    assert classes["potential_class"].to_dict() == {
        "regular": "ordinaire",
        "average": "ordinaire",
        "modest": "ordinaire",
        "steady": "ordinaire",
        "big": "gros",
        "new": "nouveau",
        "silent": "inactif",
        "slow": "ordinaire",
        "christmas": "cyclique",
        "missed": "inactif",
        "chance": "inactif",
        "wide": "inactif",
        "one_time": "inactif",
    }


def test_only_cyclic_customers_are_told_when_they_come_back():
    classes = classify_potential(FEATURES, CYCLES, **RULES).set_index("customer_id")
    told = classes["next_cycle_on"].dropna()
    assert told.to_dict() == {"christmas": date(2025, 12, 10)}
    assert classes["window_until"].dropna().to_dict() == {"christmas": date(2025, 12, 20)}
    assert classes["cycle_days"].dropna().to_dict() == {"christmas": 365.25}
    assert classes.loc["chance", "cycle_p_value"] == 0.2
    assert pd.isna(classes.loc["regular", "cycle_p_value"])


def test_the_new_and_the_silent_do_not_raise_the_bar_for_the_big():
    without = FEATURES[~FEATURES["customer_id"].isin(["new", "silent"])]
    classes = classify_potential(without, CYCLES, **RULES).set_index("customer_id")
    assert classes.loc["big", "potential_class"] == "gros"


def test_one_row_per_customer_in_the_order_given_and_nothing_changed():
    before = FEATURES.copy(deep=True)
    classes = classify_potential(FEATURES, CYCLES, **RULES)
    assert classes["customer_id"].to_list() == FEATURES["customer_id"].to_list()
    pd.testing.assert_frame_equal(FEATURES, before)


@pytest.mark.parametrize("big_share", [0.0, 1.0])
def test_no_cycle_at_all(big_share):
    days = pd.DataFrame({"customer_id": ["big"], "day": [pd.Timestamp("2025-01-01")]})
    cycles = find_cycles(days, as_of=date(2025, 6, 30))
    classes = classify_potential(FEATURES, cycles, **{**RULES, "big_share": big_share})
    assert "cyclique" not in set(classes["potential_class"])
    assert len(classes) == len(FEATURES)
    assert classes["next_cycle_on"].isna().all()


def test_every_class_has_words():
    assert set(CLASS_WORDS) == set(POTENTIAL_CLASSES)
