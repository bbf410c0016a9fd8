"""The only clock: what is known when, and which days are learnt from or kept apart.

A day named `as_of` is included: everything up to its last second is known, nothing
after it is. Snapshots go forward in time only:

    ... train ── label window ──▶ train ── label window ──▶ holdout ── label window ──▶ as_of

so that no label used for learning overlaps the window on which the model is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

__all__ = [
    "Calendar",
    "PeriodError",
    "Snapshots",
    "end_of_day",
    "plan_snapshots",
    "resolve_calendar",
    "today",
    "utc_now",
    "utc_of_local_midnight",
]

CALIBRATION_SHARE = 2 / 3
MONTH_DAYS = 30


class PeriodError(ValueError):
    """The data do not cover the period that was asked for."""


def today() -> date:
    """Today's date; the one place that reads the clock."""
    return datetime.now().date()


def utc_now() -> str:
    """The moment, as ISO text; for what is asked of a page or a service, never for models."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def utc_of_local_midnight(day: date, *, timezone: str) -> datetime:
    """The instant, in UTC without a zone, at which `day` begins where the shop is."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def end_of_day(day: date, *, timezone: str) -> datetime:
    """The instant, in UTC without a zone, before which everything as of `day` happened."""
    return utc_of_local_midnight(day + timedelta(days=1), timezone=timezone)


@dataclass(frozen=True)
class Calendar:
    """The days that matter for a dataset.

    Attributes
    ----------
    first_day : date
        Day of the first order.
    calibration_end : date
        Last day models of value learn from when they are judged; the holdout follows.
    as_of : date
        Last day of which everything is known.
    """

    first_day: date
    calibration_end: date
    as_of: date

    @property
    def observed_days(self) -> int:
        return (self.as_of - self.first_day).days + 1

    @property
    def holdout_days(self) -> int:
        return (self.as_of - self.calibration_end).days

    def to_dict(self) -> dict[str, str]:
        """Days as ISO text, for `data/raw/dataset.json`."""
        return {name: day.isoformat() for name, day in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> Calendar:
        return cls(**{name: date.fromisoformat(values[name]) for name in cls.__annotations__})


def resolve_calendar(
    *, asked: Mapping[str, Any], first_day: date, last_day: date, dataset: str
) -> Calendar:
    """Fill in what the dataset's YAML leaves to the data.

    Parameters
    ----------
    asked : mapping
        `as_of` and `calibration_end` as ISO text, or None to choose from the data:
        the last day with an order, and two thirds of the way to it.
    first_day, last_day : date
        First and last day with an order.
    dataset : str
        Named in messages.

    Raises
    ------
    PeriodError
        When the days asked for lie outside the data or in the wrong order.
    """
    as_of = date.fromisoformat(asked["as_of"]) if asked.get("as_of") else last_day
    if as_of < first_day:
        raise PeriodError(
            f"datasets/{dataset}.yaml: calendar.as_of is {as_of}, before the first order "
            f"({first_day}). Write a day between {first_day} and {last_day}, or null."
        )
    if asked.get("calibration_end"):
        calibration_end = date.fromisoformat(asked["calibration_end"])
    else:
        calibration_end = first_day + timedelta(
            days=round(((as_of - first_day).days) * CALIBRATION_SHARE)
        )
    if not first_day <= calibration_end <= as_of:
        raise PeriodError(
            f"datasets/{dataset}.yaml: calendar.calibration_end is {calibration_end}; it must lie "
            f"between the first order ({first_day}) and as_of ({as_of}). Correct it, or write null."
        )
    return Calendar(first_day=first_day, calibration_end=calibration_end, as_of=as_of)


@dataclass(frozen=True)
class Snapshots:
    """Days on which customers are looked at.

    Attributes
    ----------
    horizon_days : int
        Length of the label window that follows each snapshot.
    train : tuple of date
        Oldest first; every label window ends on or before `holdout`.
    holdout : date
        Its label window ends on `scoring`; looked at once.
    scoring : date
        `as_of`: no label is known yet.
    watched : tuple of date
        The last months between `train` and `holdout`, oldest first: not learnt from, to see
        how a model that was left alone has fared since.
    """

    horizon_days: int
    train: tuple[date, ...]
    holdout: date
    scoring: date
    watched: tuple[date, ...] = ()

    @property
    def labelled_days(self) -> tuple[date, ...]:
        """Those of which it is known what followed."""
        return (*self.train, *self.watched, self.holdout)

    @property
    def all_days(self) -> tuple[date, ...]:
        return (*self.labelled_days, self.scoring)

    def left_alone_on(self, *, months: int = 7) -> date:
        """Labelled day at which to stop learning, so that it and the later ones are unseen.

        At most `months` of them: the holdout alone when there is nothing to learn from before.
        """
        horizon = timedelta(days=self.horizon_days)
        last = self.labelled_days[-months:]
        return next(day for day in last if day - horizon >= self.train[0])

    def to_dict(self) -> dict[str, Any]:
        """Days as ISO text, for `data/features/snapshots.json`."""
        return {
            "horizon_days": self.horizon_days,
            "train": [day.isoformat() for day in self.train],
            "holdout": self.holdout.isoformat(),
            "scoring": self.scoring.isoformat(),
            "watched": [day.isoformat() for day in self.watched],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Snapshots:
        return cls(
            horizon_days=int(values["horizon_days"]),
            train=tuple(date.fromisoformat(day) for day in values["train"]),
            holdout=date.fromisoformat(values["holdout"]),
            scoring=date.fromisoformat(values["scoring"]),
            watched=tuple(date.fromisoformat(day) for day in values.get("watched", ())),
        )


def plan_snapshots(
    *,
    calendar: Calendar,
    horizon_days: int,
    most: int = 9,
    least_history_days: int | None = None,
    watch: int = 6,
) -> Snapshots:
    """Choose the days to learn from, the day to be judged on and the day to score.

    The holdout lies one horizon before `as_of`; training days step back from one
    horizon before the holdout by half a horizon or a month at a time (the shorter), at most
    `most` of them, as long as at least
    `least_history_days` (default: one horizon) of orders lie before them. At most `watch`
    days step back from the holdout in the same way, after the last training day.

    Raises
    ------
    PeriodError
        When the data are too short for one training day and a holdout.
    """
    least_history_days = horizon_days if least_history_days is None else least_history_days
    horizon = timedelta(days=horizon_days)
    step = timedelta(days=min(max(1, horizon_days // 2), MONTH_DAYS))
    holdout = calendar.as_of - horizon
    train: list[date] = []
    day = holdout - horizon
    while len(train) < most and (day - calendar.first_day).days >= least_history_days:
        train.append(day)
        day -= step
    if not train:
        raise PeriodError(
            f"{calendar.observed_days} days of orders are too few for a horizon of {horizon_days} "
            f"days: learning, judging and some history need {horizon_days * 2 + least_history_days}"
            " days. Bring a longer history or set features.horizon_days lower in params.yaml."
        )
    back = (holdout - n * step for n in range(watch, 0, -1))
    return Snapshots(
        horizon_days=horizon_days,
        train=tuple(reversed(train)),
        holdout=holdout,
        scoring=calendar.as_of,
        watched=tuple(day for day in back if day > train[0]),
    )
