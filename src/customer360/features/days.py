"""Days as whole numbers: the one date arithmetic that every engine does alike."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import narwhals as nw

__all__ = ["day_number", "day_of", "known_by"]


def day_of(day: date) -> int:
    """Days from 1970-01-01 to a date."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def day_number(column: str) -> nw.Expr:
    """Days from 1970-01-01 to the day in a date or time column, as an integer.

    Built from year and day of year, because the engines disagree on subtracting dates
    (integers, intervals, or not at all on Spark).
    """
    # The cast lets a pandas column of Python dates pass as well.
    day = nw.col(column).cast(nw.Datetime("us")).dt
    year = day.year().cast(nw.Int64)
    leaps = (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
    return (year - 1970) * 365 + leaps + day.ordinal_day().cast(nw.Int64) - 1


def known_by(column: str, *, as_of: date) -> nw.Expr:
    """Whether the day in a date or time column has come by `as_of`, that day included.

    One comparison, where `day_number` is arithmetic on every row.
    """
    end = datetime.combine(as_of + timedelta(days=1), time())
    return nw.col(column).cast(nw.Datetime("us")) < nw.lit(end)
