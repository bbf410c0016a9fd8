from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.periods import (
    Calendar,
    PeriodError,
    Snapshots,
    end_of_day,
    plan_snapshots,
    resolve_calendar,
    utc_of_local_midnight,
)

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 26)
CALENDAR = Calendar(first_day=FIRST, calibration_end=date(2024, 8, 28), as_of=LAST)


def resolve(**asked: str | None) -> Calendar:
    return resolve_calendar(asked=asked, first_day=FIRST, last_day=LAST, dataset="shop")


def test_a_day_begins_and_ends_where_the_shop_is():
    paris, new_york = "Europe/Paris", "America/New_York"
    summer, winter = date(2025, 7, 1), date(2025, 1, 1)
    assert utc_of_local_midnight(summer, timezone=paris) == datetime(2025, 6, 30, 22)
    assert utc_of_local_midnight(winter, timezone=paris) == datetime(2024, 12, 31, 23)
    assert end_of_day(winter, timezone=new_york) == datetime(2025, 1, 2, 5)
    # The day of the change to summer time has 23 hours.
    change = date(2025, 3, 30)
    begins, ends = utc_of_local_midnight(change, timezone=paris), end_of_day(change, timezone=paris)
    assert ends - begins == timedelta(hours=23)


def test_what_is_not_asked_comes_from_the_data():
    # 360 days between the ends, two thirds of them learnt from.
    assert resolve(as_of=None, calibration_end=None) == Calendar(
        first_day=FIRST, calibration_end=FIRST + timedelta(days=240), as_of=LAST
    )
    assert resolve() == resolve(as_of=None, calibration_end=None)


def test_what_is_asked_is_kept_and_round_trips():
    calendar = resolve(as_of="2024-11-30", calibration_end="2024-06-30")
    assert calendar.as_of == date(2024, 11, 30)
    assert calendar.holdout_days == 153
    assert calendar.observed_days == 335
    assert Calendar.from_dict(calendar.to_dict()) == calendar


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"as_of": "2023-12-31"}, r"datasets/shop.yaml: calendar.as_of is 2023-12-31"),
        ({"calibration_end": "2025-01-01"}, "calendar.calibration_end is 2025-01-01"),
        ({"calibration_end": "2023-12-31"}, "calendar.calibration_end is 2023-12-31"),
    ],
)
def test_days_outside_the_data_are_refused_with_the_file_and_the_remedy(asked, told):
    with pytest.raises(PeriodError, match=told) as caught:
        resolve(**asked)
    assert "null" in str(caught.value)


def test_snapshots_step_back_by_half_a_horizon():
    snapshots = plan_snapshots(calendar=CALENDAR, horizon_days=60)
    assert snapshots.scoring == LAST
    assert snapshots.holdout == LAST - timedelta(days=60)
    back = [(LAST - day).days for day in snapshots.train]
    assert back == [300, 270, 240, 210, 180, 150, 120]
    assert snapshots.watched == (snapshots.holdout - timedelta(days=30),)
    assert snapshots.labelled_days == (*snapshots.train, *snapshots.watched, snapshots.holdout)
    assert snapshots.all_days == (*snapshots.labelled_days, snapshots.scoring)
    assert Snapshots.from_dict(snapshots.to_dict()) == snapshots


def test_a_model_is_left_alone_where_something_can_be_learnt_before():
    snapshots = plan_snapshots(calendar=CALENDAR, horizon_days=60)
    day = snapshots.left_alone_on()
    assert day == snapshots.labelled_days[-7]
    assert any(past + timedelta(days=60) <= day for past in snapshots.train)
    # One training day: its window ends on the holdout, which alone is unseen.
    short = plan_snapshots(calendar=CALENDAR, horizon_days=60, most=1)
    assert short.left_alone_on() == short.holdout


def test_days_watched_are_optional_in_the_file_of_an_older_run():
    known = plan_snapshots(calendar=CALENDAR, horizon_days=60).to_dict()
    del known["watched"]
    assert Snapshots.from_dict(known).watched == ()


def test_history_before_the_first_training_day_is_asked_for():
    snapshots = plan_snapshots(calendar=CALENDAR, horizon_days=60, least_history_days=230)
    assert [(day - FIRST).days for day in snapshots.train] == [240]


def test_a_history_too_short_says_how_much_is_needed():
    short = Calendar(first_day=FIRST, calibration_end=FIRST, as_of=FIRST + timedelta(days=179))
    with pytest.raises(PeriodError, match=r"180 days of orders are too few .* need 180 days"):
        plan_snapshots(calendar=short, horizon_days=60)
    longer = Calendar(first_day=FIRST, calibration_end=FIRST, as_of=FIRST + timedelta(days=180))
    assert plan_snapshots(calendar=longer, horizon_days=60).train == (FIRST + timedelta(days=60),)


@settings(max_examples=60, deadline=None)
@given(observed=st.integers(1, 2000), horizon_days=st.integers(1, 400), most=st.integers(1, 8))
def test_no_label_used_for_learning_overlaps_the_one_that_judges(observed, horizon_days, most):
    calendar = Calendar(
        first_day=FIRST, calibration_end=FIRST, as_of=FIRST + timedelta(days=observed)
    )
    try:
        snapshots = plan_snapshots(calendar=calendar, horizon_days=horizon_days, most=most)
    except PeriodError:
        assert observed < 3 * horizon_days
        return
    horizon = timedelta(days=horizon_days)
    assert 1 <= len(snapshots.train) <= most
    assert list(snapshots.train) == sorted(set(snapshots.train))
    assert all(day + horizon <= snapshots.holdout for day in snapshots.train)
    assert snapshots.holdout + horizon == snapshots.scoring == calendar.as_of
    assert snapshots.train[0] >= FIRST + horizon
    assert list(snapshots.labelled_days) == sorted(set(snapshots.labelled_days))
