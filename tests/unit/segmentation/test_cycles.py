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
    assert "once" not in found.index
    assert found.loc["monthly", "cycle_p_value"] == 1.0
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


def test_the_p_value_of_a_hand_case(monkeypatch):
    """Three starts in an arc of w, each in another of four cycles: 3 w² · (3/4)(2/4)."""
    # Even purchases outweigh this crowd of one, so that its clock runs like the calendar.
    monkeypatch.setattr("customer360.segmentation.cycles.EVEN_PURCHASES", 1e9)
    first = date(2022, 3, 1)
    days = [first, first + timedelta(days=375), first + timedelta(days=725)]
    found = cycles({"a": [d.isoformat() for d in days]}, periods_days=[YEAR_DAYS])
    # Phases 0, 375 − 365.25 = 9.75 and 725 − 730.5 = −5.5: an arc of 15.25 days.
    assert found.loc["a", "arc_days"] == pytest.approx(15.25)
    expected = 3 * (15.25 / 365.25) ** 2 * 3 / 8
    assert found.loc["a", "cycle_p_value"] == pytest.approx(expected, rel=1e-3)


def test_chance_seldom_looks_like_a_cycle():
    """Customers who buy at random pass no more often than the p-value says."""
    rng = np.random.default_rng(3)
    customers = 4000
    count = rng.integers(3, 8, customers)
    days = pd.Timestamp("2021-07-01") + pd.to_timedelta(rng.integers(0, 1461, count.sum()), "D")
    who = np.repeat([f"{n:05d}" for n in range(customers)], count)
    frame = pd.DataFrame({"customer_id": who, "day": days}).drop_duplicates()
    p_value = find_cycles(frame, as_of=AS_OF)["cycle_p_value"]
    for level in (0.01, 0.05, 0.2):
        assert 0 < (p_value <= level).sum() <= 1.1 * level * customers


def test_december_of_everybody_is_no_cycle_of_one():
    """The same dates convince less where the whole shop sells in December."""
    crowd = {f"c{n}": [f"2024-12-{n % 28 + 1:02d}"] for n in range(3000)}
    alone = cycles({"a": CHRISTMAS})
    among = cycles({"a": CHRISTMAS, **crowd})
    assert among.loc["a", "arc_days"] == alone.loc["a", "arc_days"]
    assert among.loc["a", "cycle_p_value"] > 3 * alone.loc["a", "cycle_p_value"]


@pytest.mark.parametrize(("months", "period"), [((3, 9), 182.625), ((1, 4, 7, 10), 91.3125)])
def test_shorter_rhythms_are_found_too(months, period):
    days = [f"{y}-{m:02d}-10" for y in (2022, 2023, 2024) for m in months]
    row = cycles({"a": days}).loc["a"]
    assert row["period_days"] == period
    assert row["cycle_p_value"] < 0.001


def test_the_window_is_wider_than_what_was_seen():
    row = cycles({"a": CHRISTMAS}).loc["a"]
    assert row["window_from"] < row["next_cycle_on"] < row["window_until"]
    assert (row["window_until"] - row["window_from"]).days > row["arc_days"]


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
        "period_days",
        "episodes",
        "cycle_p_value",
        "arc_days",
        "arc_share",
        "next_cycle_on",
        "window_from",
        "window_until",
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
