"""Occasions: what happens to a customer that a message of its own may answer.

An occasion has a moment (`at`), a local day, and the day from which it may be known: a
customer's birthday is known long before, a life event that a model detected only on the
day of the model. Whoever asks for a day sees what was known on that day, nothing later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa

from customer360.cleaning.local_day import local_day
from customer360.contracts import CONTRACTS, arrow_schema
from customer360.features.blocks import CLAIM_REASONS
from customer360.linkage.engine_tables import as_arrow

__all__ = ["OCCASIONS", "TABLES", "find_occasions", "take_columns"]

FALL_MONTHS = 3
ADULT_YEARS = 18
_REASONS = ", ".join(f"'{reason}'" for reason in CLAIM_REASONS)


@dataclass(frozen=True)
class _Occasion:
    """How to find one kind: the tables it reads, and SQL of customer_id, at, day, known_on,
    subject, size."""

    reads: tuple[str, ...]
    sql: str


# Columns read of each table, and the one that says when: nothing later is looked at. `web`
# hits are many: only those of the days asked for.
_READS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "orders": (
        "customer_orders", ("customer_id", "order_id", "ordered_on", "amount"), "ordered_at"
    ),
    "web": ("customer_web_events", ("customer_id", "kind", "category", "known_at"), "at"),
    "talks": ("customer_conversations", ("customer_id", "direction", "reason"), "at"),
    "answers": ("staged.surveys", ("source", "source_id", "kind"), "at"),
    "contacts": ("customer_contacts", ("customer_id", "event"), "at"),
    "customers": ("customers", ("customer_id", "birth_date", "created_at", "as_of"), ""),
    "records": ("linked_records", ("source", "source_id", "customer_id"), ""),
    "life": ("customer_life_events", ("customer_id", "kind", "day", "origin", "confidence"), ""),
    "cycles": ("segments", ("customer_id", "as_of", "window_from"), ""),
    "history": ("value_history", ("customer_id", "as_of", "value"), ""),
}  # fmt: skip
#: Tables that occasions are found in; one that is not given has no row.
TABLES = tuple(name for name, _, _ in _READS.values())

OCCASIONS: dict[str, _Occasion] = {
    "first_order": _Occasion(
        ("orders",),
        """
        select customer_id, min("at") as "at", min(day) as day, min(day) as known_on,
            null as subject, null as size
        from orders group by customer_id
        """,
    ),
    "order": _Occasion(
        ("orders",),
        """
        select customer_id, min("at") as "at", min(day) as day, min(day) as known_on,
            null as subject, null as size
        from orders where day >= {since} group by customer_id, order_id
        """,
    ),
    "abandoned_cart": _Occasion(
        ("web", "orders"),
        """
        with cart as (
            select customer_id, day, max("at") as "at", arg_max(category, "at") as subject,
                max(greatest(day, coalesce(cast(known_at as date), day))) as known_on
            from web where kind = 'cart' group by customer_id, day
        ),
        bought as (
            select customer_id, day, "at" from web where kind = 'order'
            union all select customer_id, day, "at" from orders where day >= {since}
        )
        select c.customer_id, c."at", c.day, c.known_on, c.subject, null as size
        from cart c anti join bought b
            on b.customer_id = c.customer_id and b.day = c.day and b."at" >= c."at"
        """,
    ),
    "claim": _Occasion(
        ("talks", "answers", "records"),
        f"""
        select customer_id, "at", day, day as known_on, reason as subject, null as size
        from talks where direction = 'in' and reason in ({_REASONS})
        union all
        select customer_id, "at", day, day, null, null
        from answers join records using (source, source_id) where kind = 'claim'
        """,
    ),
    "birthday": _Occasion(
        ("customers",),
        # A birthday on 29 February is on the 28th of other years.
        """
        select customer_id, cast(day as timestamp) as "at", day,
            coalesce(cast(created_at as date), date '1900-01-01') as known_on,
            null as subject, null as size
        from (
            select *, cast(birth_date + to_years(cast(age as integer)) as date) as day
            from customers, unnest(range({adult}, 120)) as ages(age)
            where birth_date is not null
        )
        where day between {since} and {ahead}
        """,
    ),
    "life_event": _Occasion(
        ("life", "customers"),
        # What was detected is known from the day that everything was looked at.
        """
        select customer_id, cast(day as timestamp) as "at", day,
            case origin when 'declared' then day else (select max(as_of) from customers) end
                as known_on,
            kind as subject, confidence as size
        from life where day is not null
        """,
    ),
    "inactive": _Occasion(
        ("orders", "cycles"),
        # Silent for so long, unless the latest look by then called the customer cyclic.
        """
        with pause as (
            select customer_id, day + {horizon_days} as day,
                lead(day) over (partition by customer_id order by day) as next_day
            from (select distinct customer_id, day from orders)
        ),
        looks as (select distinct as_of from cycles),
        silent as (select * from pause where next_day is null or next_day > day)
        select s.customer_id, cast(s.day as timestamp) as "at", s.day, s.day as known_on,
            null as subject, null as size
        from silent s asof left join looks l on l.as_of <= s.day
        left join cycles c
            on c.customer_id = s.customer_id and c.as_of = l.as_of and c.window_from is not null
        where c.customer_id is null
        """,
    ),
    "falling_value": _Occasion(
        ("history",),
        """
        with month as (
            select customer_id, as_of, value,
                lag(value, {months}) over (partition by customer_id order by as_of) as before
            from history
        ),
        usual as (select as_of, median(before) as before from month group by as_of)
        select m.customer_id, cast(m.as_of as timestamp) as "at", m.as_of as day,
            m.as_of as known_on, null as subject, 1 - greatest(m.value, 0) / m.before as size
        from month m join usual u using (as_of)
        where m.before > 0 and m.before >= u.before and m.value < m.before
        """,
    ),
    "next_cycle": _Occasion(
        ("cycles",),
        """
        select customer_id, cast(window_from as timestamp) as "at", window_from as day,
            min(as_of) as known_on, null as subject, null as size
        from cycles where window_from is not null group by customer_id, window_from
        """,
    ),
    "unsubscribed": _Occasion(
        ("contacts",),
        """
        select customer_id, "at", day, day as known_on, null as subject, null as size
        from contacts where event = 'unsubscribed'
        """,
    ),
}


def find_occasions(
    tables: Mapping[str, Any],
    *,
    names: Collection[str],
    since: date,
    until: date,
    timezone: str,
    horizon_days: int,
    ahead_days: int = 0,
) -> pa.Table:
    """What happened, or is known to be coming.

    Parameters
    ----------
    tables : mapping of str to frame
        By the names of their contracts, see `TABLES`; an absent one has no row. `segments`
        may hold the looks of several days (as_of): each counts from its day on.
    names : collection of str
        Which of `OCCASIONS`.
    since : date
        First day of an occasion.
    until : date
        Last day of which anything may be known.
    timezone : str
        IANA name; days are those on the wall.
    horizon_days : int, days
        Silence that few returning customers exceed.
    ahead_days : int, days
        How far beyond `until` coming occasions are looked for.

    Returns
    -------
    pyarrow.Table
        One row per occasion: occasion, customer_id, at (UTC), day, known_on, subject, size.
    """
    words = {
        "since": f"date '{since}'",
        "ahead": f"date '{until + timedelta(days=ahead_days)}'",
        "horizon_days": int(horizon_days),
        "months": FALL_MONTHS,
        "adult": ADULT_YEARS,
    }
    chosen = {name: OCCASIONS[name] for name in OCCASIONS if name in names}
    needed = {view for occasion in chosen.values() for view in occasion.reads}
    parts = [
        f"select '{name}' as occasion, * from ({occasion.sql.format(**words)})"
        for name, occasion in chosen.items()
    ]
    with _known(tables, needed, since=since, until=until, timezone=timezone) as connection:
        return connection.sql(
            f"""
            select occasion, customer_id, cast("at" as timestamp) as "at", day, known_on,
                cast(subject as varchar) as subject, cast(size as double) as size
            from ({" union all by name ".join(parts)})
            where customer_id is not null and known_on <= date '{until}'
                and day between date '{since}' and {words["ahead"]}
            order by occasion, customer_id, "at", subject
            """
        ).to_arrow_table()


def take_columns(table: Any | None, name: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a table of the contract `name`, in its types; no row without a table."""
    schema = pa.schema([arrow_schema(CONTRACTS[name]).field(column) for column in columns])
    if table is None:
        return schema.empty_table()
    # A frame without rows has lost its types.
    return as_arrow(nw.to_native(nw.from_native(table).select(*columns))).cast(schema)


@contextmanager
def _known(
    tables: Mapping[str, Any],
    views: Collection[str],
    *,
    since: date,
    until: date,
    timezone: str,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with a view of each table, that ends with the day `until`."""
    first = since - timedelta(days=1)
    with closing(duckdb.connect()) as connection:
        for view in sorted(views):
            name, columns, time = _READS[view]
            table = take_columns(tables.get(name), name, [*columns, *([time] if time else [])])
            taken = nw.from_native(table)
            if view == "web":
                taken = taken.filter(
                    nw.col("kind").is_in(["cart", "order"]),
                    nw.col(time) >= nw.lit(first).cast(nw.Datetime),
                )
            if time and view != "orders":
                local = local_day(time, timezone=timezone, first_day=first, last_day=until)
                taken = taken.with_columns(day=local.cast(nw.Date))
            if view == "orders":
                taken = taken.rename({"ordered_on": "day", "ordered_at": "at"})
                taken = taken.filter(nw.col("amount") > 0)
            day = "day" if time else ("as_of" if view in ("cycles", "history") else None)
            if day:
                taken = taken.filter(nw.col(day) <= nw.lit(until))
            connection.register(view, as_arrow(nw.to_native(taken)))
        yield connection
