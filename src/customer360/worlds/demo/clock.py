"""Days and hours of the demo world: seasons, opening days, and the way to UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

__all__ = ["TIME_ZONE", "Clock", "clock_between", "make_clock", "to_utc"]

TIME_ZONE = "Europe/Paris"

# How much of a year's shopping a day of each month and of each weekday attracts.
MONTH_WEIGHTS = (0.95, 0.80, 0.90, 1.00, 1.05, 1.00, 0.90, 0.85, 1.10, 0.95, 1.15, 1.55)
WEEKDAY_WEIGHTS = (0.85, 0.90, 1.05, 0.90, 1.05, 1.50, 0.75)
MONTH_DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
CLOSED = ((1, 1), (5, 1), (12, 25))


@dataclass(frozen=True)
class Clock:
    """The days of the world, numbered from 0.

    Attributes
    ----------
    dates : array of datetime64[D], length `days`
    mass : array of float, length `days` + 1
        Shopping days passed before each midnight; the seasons make them uneven, on
        average one a day.
    open_day : array of int
        The day itself, or the nearest one on which shops are open.
    """

    dates: np.ndarray
    mass: np.ndarray
    open_day: np.ndarray

    @property
    def days(self) -> int:
        return len(self.dates)

    @property
    def month(self) -> np.ndarray:
        """Month of each day, 1 to 12."""
        return self.dates.astype("datetime64[M]").astype(int) % 12 + 1

    @property
    def years(self) -> range:
        """Calendar years that the world touches."""
        year = self.dates.astype("datetime64[Y]").astype(int) + 1970
        return range(int(year[0]), int(year[-1]) + 1)

    def number_of(self, day: str) -> int:
        """Number of an ISO day; negative before the world, beyond `days` after it."""
        return int((np.datetime64(day, "D") - self.dates[0]).astype(int))

    def shopping_days(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Seasonal days between two day numbers."""
        return np.interp(last, np.arange(self.days + 1), self.mass) - np.interp(
            first, np.arange(self.days + 1), self.mass
        )

    def place(self, share: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Day on which `share` of the season's shopping between two days is done.

        The change of clock that turns a uniform draw into a Poisson process whose rate
        follows the seasons.
        """
        grid = np.arange(self.days + 1)
        start = np.interp(first, grid, self.mass)
        end = np.interp(last, grid, self.mass)
        target = start + share * (end - start)
        day = np.searchsorted(self.mass, target, side="right") - 1
        return np.clip(day, 0, self.days - 1)

    def at(self, day: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """Moment in UTC of a day number and a minute of the Paris day.

        Seconds come from the fraction of the minute. Day numbers may be negative.
        """
        seconds = np.floor(np.asarray(minute) * 60).astype("timedelta64[s]")
        local = self.dates[0].astype("datetime64[s]") + (
            np.asarray(day).astype("timedelta64[D]") + seconds
        )
        return to_utc(local)


def to_utc(local: np.ndarray) -> np.ndarray:
    """Paris wall clock to UTC, both without a zone."""
    moments = pd.DatetimeIndex(local).tz_localize(
        TIME_ZONE, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
    )
    return moments.tz_convert(None).to_numpy().astype("datetime64[us]")


def make_clock(*, as_of: date, years: int, seasons: bool = True) -> Clock:
    """Clock of the `years` that end with the day `as_of`, included."""
    last = pd.Timestamp(as_of)
    first = last - pd.DateOffset(years=years) + pd.Timedelta(days=1)
    return clock_between(first=first.date(), last=as_of, seasons=seasons)


def clock_between(*, first: date, last: date, seasons: bool = True) -> Clock:
    """Clock of the days from `first` to `last`, both included.

    Without `seasons` every day attracts the same shopping.
    """
    index = pd.date_range(first, last, freq="D")
    month = np.array(MONTH_WEIGHTS)
    weekday = np.array(WEEKDAY_WEIGHTS)
    weight = month[index.month - 1] * weekday[index.day_of_week]
    # A year weighs 365.25 shopping days wherever the clock begins.
    weight = weight / (month @ MONTH_DAYS / MONTH_DAYS.sum() * weekday.mean())
    if not seasons:
        weight = np.ones(len(index))
    closed = index.day_of_week == 6
    for closed_month, closed_day in CLOSED:
        closed |= (index.month == closed_month) & (index.day == closed_day)
    open_days = np.flatnonzero(~closed)
    after = np.minimum(np.searchsorted(open_days, np.arange(len(index))), len(open_days) - 1)
    before = np.maximum(after - 1, 0)
    number = np.arange(len(index))
    nearer_before = number - open_days[before] <= np.abs(open_days[after] - number)
    exact = open_days[after] == number
    open_day = np.where(exact | ~nearer_before, open_days[after], open_days[before])
    return Clock(
        dates=index.to_numpy().astype("datetime64[D]"),
        mass=np.concatenate([[0.0], np.cumsum(weight)]),
        open_day=open_day,
    )
