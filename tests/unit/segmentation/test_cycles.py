from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.segmentation.cycles import YEAR_DAYS, find_cycles

AS_OF = date(2025, 6, 30)


def purchases(days: dict[str, list[str]]) -> pd.DataFrame:
    rows = [(customer, pd.Timestamp(day)) for customer, when in days.items() for day in when]
    return pd.DataFrame(rows, columns=["customer_id", "day"])


def cycles(days: dict[str, list[str]], *, as_of: date = AS_OF, **more) -> pd.DataFrame:
    return find_cycles(purchases(days), as_of=as_of, **more).set_index("customer_id")


CHRISTMAS = ["2021-12-20", "2022-12-05", "2022-12-12", "2023-12-18", "2024-12-10"]
MONTHLY = [f"{y}-{m:02d}-05" for y in (2022, 2023, 2024) for m in range(1, 13)]


def test_a_christmas_customer_is_found_and_a_monthly_one_is_not():
    found = cycles({"christmas": CHRISTMAS, "monthly": MONTHLY, "once": ["2024-12-20"]})
    assert list(found.index) == ["christmas"]
    row = found.loc["christmas"]
    # Two purchases within a week in 2022 are one season.
    assert row["episodes"] == 4
    assert row["cycle_p_value"] < 0.001
    assert row["arc_days"] < 20
    assert date(2025, 12, 1) < row["next_cycle_on"] < date(2025, 12, 31)
    assert row["missed_cycles"] == 0


def test_purchases_spread_over_the_year_are_no_cycle():
    found = cycles({"a": ["2021-01-10", "2022-05-10", "2023-09-10", "2024-12-20"]})
    assert found.loc["a", "cycle_p_value"] == 1.0
    assert found.loc["a", "arc_days"] > YEAR_DAYS / 2


def test_the_p_value_of_a_hand_case():
    """Three starts that fit in an arc of w of the year: n·w^(n−1) = 3 w²."""
    first = date(2022, 3, 1)
    days = [first, first + timedelta(days=375), first + timedelta(days=725)]
    found = cycles({"a": [d.isoformat() for d in days]})
    # Phases 0, 375 − 365.25 = 9.75 and 725 − 730.5 = −5.5: an arc of 15.25 days.
    assert found.loc["a", "arc_days"] == pytest.approx(15.25)
    assert found.loc["a", "cycle_p_value"] == pytest.approx(3 * (15.25 / 365.25) ** 2)


def test_chance_finds_as_many_cycles_as_the_p_value_says():
    rng = np.random.default_rng(3)
    customers, years = 4000, 4
    # One start each year on a day at random, years far enough apart to be four episodes.
    starts = rng.integers(0, 365, (customers, years)) + 730 * np.arange(years)
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat([f"{n:05d}" for n in range(customers)], years),
            "day": pd.Timestamp("2000-01-01") + pd.to_timedelta(starts.ravel(), unit="D"),
        }
    )
    p_value = find_cycles(frame, as_of=AS_OF)["cycle_p_value"]
    assert len(p_value) == customers
    for level in (0.01, 0.05, 0.2):
        assert (p_value <= level).mean() == pytest.approx(level, rel=0.35)


def test_a_season_that_passed_without_a_purchase_is_missed():
    days = {"a": CHRISTMAS}
    assert cycles(days, as_of=date(2025, 12, 1)).loc["a", "missed_cycles"] == 0
    missed = cycles(days, as_of=date(2026, 2, 15)).loc["a"]
    assert missed["missed_cycles"] == 1
    assert missed["next_cycle_on"].year == 2026
    assert cycles(days, as_of=date(2027, 2, 15)).loc["a", "missed_cycles"] == 2


def test_a_season_across_new_year_is_one_season():
    found = cycles({"a": ["2021-12-30", "2023-01-03", "2023-12-29", "2025-01-02"]})
    assert found.loc["a", "arc_days"] < 10
    assert found.loc["a", "cycle_p_value"] < 0.001


def test_fewer_seasons_than_asked_are_left_out():
    days = {"a": ["2022-12-10", "2023-12-12"]}
    assert cycles(days).empty
    assert len(cycles(days, least_episodes=2)) == 1


def test_purchases_after_the_last_day_are_not_looked_at():
    early = cycles({"a": CHRISTMAS}, as_of=date(2024, 6, 30))
    assert early.loc["a", "episodes"] == 3


def test_nobody_to_look_at():
    found = find_cycles(purchases({"a": ["2025-01-01"]}), as_of=AS_OF)
    assert found.empty
    assert list(found.columns) == [
        "customer_id",
        "episodes",
        "cycle_p_value",
        "arc_days",
        "next_cycle_on",
        "missed_cycles",
    ]


def test_both_engines_agree_whatever_the_order_of_rows():
    frame = purchases({"b": CHRISTMAS, "a": ["2022-05-01", "2023-05-09", "2024-04-25"]})
    shuffled = frame.sample(frac=1.0, random_state=1)
    expected = find_cycles(frame, as_of=AS_OF)
    assert expected["customer_id"].to_list() == ["a", "b"]
    pd.testing.assert_frame_equal(find_cycles(shuffled, as_of=AS_OF), expected)
    relation = duckdb.from_arrow(pa.Table.from_pandas(shuffled, preserve_index=False))
    pd.testing.assert_frame_equal(find_cycles(relation, as_of=AS_OF), expected, check_dtype=False)
