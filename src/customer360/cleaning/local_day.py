"""The day on the wall: times are stored in UTC, but customers shop by local days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import narwhals as nw

from customer360.periods import utc_of_local_midnight

__all__ = ["local_day"]


def local_day(column: str, *, timezone: str, first_day: date, last_day: date) -> nw.Expr:
    """Local calendar day of a UTC time, as a time at midnight.

    The engines do not agree on time zones, so the offsets between two changes of the
    clock are written out; a time of exactly midnight is a day without an hour, as files
    with dates only give it, and keeps its day.

    Parameters
    ----------
    column : str
        Time in UTC without a zone.
    timezone : str
        IANA name, for example `"Europe/Paris"`.
    first_day, last_day : date
        Days between which changes of the clock are looked for.

    Returns
    -------
    narwhals.Expr
    """
    time = nw.col(column)
    changes = _clock_changes(timezone, first_day, last_day)
    local = time.dt.offset_by(f"{changes[0][1]}m")
    for moment, minutes in changes[1:]:
        # Later changes are asked first, so that each time finds the last one before it.
        local = (
            nw.when(time >= nw.lit(moment)).then(time.dt.offset_by(f"{minutes}m")).otherwise(local)
        )
    day = local.dt.truncate("1d")
    return nw.when(time == time.dt.truncate("1d")).then(time).otherwise(day)


def _clock_changes(timezone: str, first_day: date, last_day: date) -> list[tuple[datetime, int]]:
    """UTC moments from which an offset in minutes holds, the first one from ever."""
    zone = ZoneInfo(timezone)
    utc = ZoneInfo("UTC")

    def offset(moment: datetime) -> int:
        shift = moment.replace(tzinfo=utc).astimezone(zone).utcoffset() or timedelta()
        return round(shift.total_seconds() / 60)

    moment = utc_of_local_midnight(first_day, timezone="UTC") - timedelta(days=1)
    end = utc_of_local_midnight(last_day, timezone="UTC") + timedelta(days=2)
    changes = [(moment, offset(moment))]
    while moment < end:
        following = moment + timedelta(days=1)
        if offset(following) != offset(moment):
            hour = next(
                h
                for n in range(1, 97)
                if offset(h := moment + timedelta(minutes=15 * n)) != offset(moment)
            )
            changes.append((hour, offset(hour)))
        moment = following
    return changes
