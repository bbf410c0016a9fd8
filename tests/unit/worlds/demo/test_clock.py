"""Days, seasons, opening days and the way to UTC."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from customer360.worlds.demo.clock import CLOSED, clock_between, make_clock, to_utc

AS_OF = date(2025, 12, 31)
WORLDS = [(AS_OF, 3), (date(2024, 2, 29), 4), (date(2024, 6, 30), 2), (date(2023, 1, 1), 2)]


def test_the_world_ends_with_as_of():
    clock = make_clock(as_of=AS_OF, years=3)
    assert clock.days == 1096
    assert (str(clock.dates[0]), str(clock.dates[-1])) == ("2023-01-01", "2025-12-31")
    assert clock.number_of("2022-12-31") == -1
    assert clock.number_of("2026-01-01") == clock.days
    assert list(clock.years) == [2023, 2024, 2025]
    assert clock.month[[0, 31, -1]].tolist() == [1, 2, 12]


def test_paris_keeps_summer_time():
    noon = np.array(["2025-01-15T12:00", "2025-07-15T12:00"], dtype="datetime64[s]")
    assert [str(moment)[11:16] for moment in to_utc(noon)] == ["11:00", "10:00"]
    # The hour that does not exist, and the one that comes twice.
    odd = np.array(["2025-03-30T02:30", "2025-10-26T02:30"], dtype="datetime64[s]")
    assert [str(moment)[11:16] for moment in to_utc(odd)] == ["01:00", "00:30"]


def test_moments_may_lie_before_the_world():
    clock = make_clock(as_of=AS_OF, years=2)
    moments = clock.at(np.array([-1, 0]), np.array([60.0, 60.5]))
    assert [str(moment)[:19] for moment in moments] == [
        "2023-12-31T00:00:00", "2024-01-01T00:00:30",
    ]  # fmt: skip


@pytest.mark.parametrize(("as_of", "years"), WORLDS)
def test_shops_are_closed_on_sundays_and_holidays(as_of, years):
    clock = make_clock(as_of=as_of, years=years)
    opened = clock.dates[clock.open_day]
    assert 6 not in (opened.astype(int) + 3) % 7
    closed = {f"{month:02d}-{day:02d}" for month, day in CLOSED}
    assert closed.isdisjoint(str(day)[5:] for day in opened)
    shift = clock.open_day - np.arange(clock.days)
    assert np.abs(shift).max() <= 2
    # Opening days are where they are, and nobody overtakes anybody.
    assert np.array_equal(clock.open_day[clock.open_day], clock.open_day)
    assert (np.diff(clock.open_day) >= 0).all()


def test_a_year_weighs_a_year_whatever_its_first_day():
    for as_of in (date(2025, 12, 31), date(2025, 6, 30)):
        clock = make_clock(as_of=as_of, years=4)
        assert clock.mass[-1] == pytest.approx(4 * 365.25, rel=0.003)


def test_without_seasons_a_day_is_a_day():
    clock = clock_between(first=date(2025, 1, 1), last=date(2025, 1, 10), seasons=False)
    first, last = np.array([0, 2]), np.array([10, 5])
    assert clock.shopping_days(first, last).tolist() == [10, 3]
    assert clock.place(np.array([0.0, 0.5, 0.999]), 2, 6).tolist() == [2, 4, 5]


def test_a_share_of_the_season_lies_between_its_days():
    clock = make_clock(as_of=AS_OF, years=2)
    share = np.random.default_rng(0).random(20_000)
    first, last = np.full(20_000, 100), np.full(20_000, 465)
    day = clock.place(share, first, last)
    assert day.min() >= 100 and day.max() < 465
    # As many as the mass of each month says.
    month = np.bincount(clock.month[day] - 1, minlength=12) / len(day)
    expected = np.bincount(clock.month[100:465] - 1, np.diff(clock.mass)[100:465], minlength=12)
    expected /= expected.sum()
    assert np.abs(month - expected).max() < 0.01
    assert expected[11] > 1.6 * expected[1]
