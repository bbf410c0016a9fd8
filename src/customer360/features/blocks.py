"""Blocks of features: each takes events up to a day and gives one row per customer.

Every block aggregates to the customer before anything is joined: joining first would
repeat a customer's orders once per contact, the classic way to double a lifetime spend.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import narwhals as nw

from customer360.features.days import day_number, day_of, known_by
from customer360.periods import end_of_day

__all__ = [
    "basket_block",
    "contact_block",
    "favourite",
    "known_block",
    "rfm_block",
    "service_block",
    "web_block",
]


YEAR = 365
# Above any sum of a customer: sixteen digits, so that numbers of one length sort as texts.
MOST_CENTS = 10**15
# Above any pause, in days.
MOST_DAYS = 10**6
# Windows of fixed length: unlike totals, they mean the same however long the history.
WINDOWS_DAYS = {"orders_last_quarter": 91, "orders_last_half": 182, "orders_last_year": YEAR}
# A silence of days after a day's rhythm says little: pauses are taken for a week at least.
SHORTEST_RHYTHM_DAYS = 7.0
# So much is added to purchases and to the years watched, so that a short history misleads less.
RATE_PRIOR = (0.5, 0.3)
LEAST_WATCHED_DAYS = 30


def _sum_where(condition: nw.Expr, value: nw.Expr | float = 1.0) -> nw.Expr:
    return nw.when(condition).then(value).otherwise(nw.lit(0.0))


def rfm_block(purchase_days: Any, *, as_of: date, horizon_days: int) -> nw.LazyFrame:
    """Recency, frequency, monetary value and rhythm.

    Parameters
    ----------
    purchase_days : frame
        Contract `purchase_days`.
    as_of : date
        Last day known.
    horizon_days : int
        Length of the "last period" and of the one before.

    Returns
    -------
    narwhals.LazyFrame
        One row per customer who bought by `as_of`.
    """
    now = day_of(as_of)
    day = nw.col("day_no")
    last = day > now - horizon_days
    previous = (day <= now - horizon_days) & (day > now - 2 * horizon_days)
    days = (
        nw.from_native(purchase_days)
        .lazy()
        .with_columns(day_no=day_number("day"))
        .filter(day <= now)
        .with_columns(
            gap=day - day.shift(1).over("customer_id", order_by="day_no"),
            # Days since the last anniversary; the next one is what is left of the year.
            of_year=(now - day) % YEAR,
        )
        .with_columns(
            amount_last=_sum_where(last, nw.col("net_amount")),
            amount_previous=_sum_where(previous, nw.col("net_amount")),
            in_last=_sum_where(last),
            in_previous=_sum_where(previous),
            ahead=_sum_where(nw.col("of_year") >= YEAR - horizon_days),
            east=(nw.col("of_year") * (2 * math.pi / YEAR)).cos(),
            north=(nw.col("of_year") * (2 * math.pi / YEAR)).sin(),
            dated_gap=day * MOST_DAYS + nw.col("gap"),
            **{name: _sum_where(day > now - n) for name, n in WINDOWS_DAYS.items()},
        )
    )
    totals = days.group_by("customer_id").agg(
        frequency=nw.len(),
        first=nw.col("day_no").min(),
        last=nw.col("day_no").max(),
        net_amount=nw.col("net_amount").sum(),
        margin=nw.col("margin").sum(),
        net_amount_last_period=nw.col("amount_last").sum(),
        net_amount_previous_period=nw.col("amount_previous").sum(),
        orders_last_period=nw.col("in_last").sum(),
        orders_previous_period=nw.col("in_previous").sum(),
        gap_mean_days=nw.col("gap").mean(),
        gap_std_days=nw.col("gap").std(),
        gap_max_days=nw.col("gap").max(),
        # The greatest of these is the last one: a window that looks for it costs more.
        gap_last_days=nw.col("dated_gap").max(),
        **{name: nw.col(name).sum() for name in WINDOWS_DAYS},
        season_ahead_share=nw.col("ahead").mean(),
        east=nw.col("east").mean(),
        north=nw.col("north").mean(),
    )
    recency = (now - nw.col("last")).cast(nw.Float64)
    tenure = (now - nw.col("first")).cast(nw.Float64)
    # Who bought once has no rhythm yet: its age stands in, so that the ratio stays defined.
    rhythm = nw.coalesce("gap_mean_days", tenure)
    steady = nw.max_horizontal(
        rhythm.cast(nw.Float64), nw.col("gap_std_days"), nw.lit(SHORTEST_RHYTHM_DAYS)
    )
    return totals.with_columns(
        frequency=nw.col("frequency").cast(nw.Int64),
        orders_last_period=nw.col("orders_last_period").cast(nw.Int64),
        orders_previous_period=nw.col("orders_previous_period").cast(nw.Int64),
        monetary_value=nw.col("net_amount") / nw.col("frequency"),
        recency_days=recency,
        tenure_days=tenure,
        gap_max_days=nw.col("gap_max_days").cast(nw.Float64),
        gap_last_days=(nw.col("gap_last_days") % MOST_DAYS).cast(nw.Float64),
        silence_over_rhythm=recency / steady,
        **{name: nw.col(name).cast(nw.Int64) for name in WINDOWS_DAYS},
        # Rounded: an engine adds in any order, and sines are no whole numbers.
        yearly_rhythm=(nw.col("east") ** 2 + nw.col("north") ** 2).sqrt().round(6),
        recency_over_gap=recency / nw.when(rhythm > 1).then(rhythm).otherwise(nw.lit(1.0)),
    ).drop("first", "last", "east", "north")


def known_block(
    totals: nw.LazyFrame, customers: Any, *, as_of: date, first_day: date | None
) -> nw.LazyFrame:
    """Add how long each customer has been known, and how often it bought while watched.

    Somebody whose record is older than the first order on file is no newcomer: an account
    that has outlived years is less likely to be left now.

    Parameters
    ----------
    totals : narwhals.LazyFrame
        From `rfm_block`.
    customers : frame, optional
        Contract `customers`; of it customer_id and created_at. A record made after `as_of`
        is not looked at.
    as_of : date
        Last day known.
    first_day : date, optional
        First day of the order history: nobody was watched before.

    Returns
    -------
    narwhals.LazyFrame
        `totals` and known_days, known_before_days, purchase_rate, purchases_missed.
    """
    now = day_of(as_of)
    tenure = nw.col("tenure_days")
    if customers is None:
        table = totals.with_columns(known_days=tenure)
    else:
        records = (
            nw.from_native(customers)
            .lazy()
            .select("customer_id", created=day_number("created_at"))
            .filter(nw.col("created") <= now)
            .select("customer_id", age=(now - nw.col("created")).cast(nw.Float64))
        )
        table = (
            totals.join(records, on="customer_id", how="left")
            .with_columns(known_days=nw.max_horizontal(tenure, nw.col("age").fill_null(0.0)))
            .drop("age")
        )
    history = float("inf") if first_day is None else float(now - day_of(first_day) + 1)
    watched = nw.col("known_days").clip(LEAST_WATCHED_DAYS, max(history, LEAST_WATCHED_DAYS))
    purchases, years = RATE_PRIOR
    rate = (nw.col("frequency") + purchases) / (watched / YEAR + years)
    return table.with_columns(
        known_before_days=nw.col("known_days") - tenure,
        purchase_rate=rate,
        purchases_missed=nw.col("recency_days") / YEAR * rate,
    )


def favourite(lines: nw.LazyFrame, *, column: str, by: str) -> nw.LazyFrame:
    """What a customer takes most, its share, and how many different ones.

    Parameters
    ----------
    lines : narwhals.LazyFrame
        Columns customer_id, `column`, `by`.
    column : str
        For example category.
    by : str
        Column summed to weigh it, never negative.

    Returns
    -------
    narwhals.LazyFrame
        customer_id, main, main_share, different. Ties go to the first in the alphabet.
    """
    sums = (
        lines.filter(~nw.col(column).is_null())
        .group_by("customer_id", column)
        .agg(weight=nw.col(by).sum())
        # Cents, so that equal sums are equal whatever the order they were added in.
        .with_columns(weight=nw.col("weight").round(2))
    )
    # The smallest of these texts is the heaviest, and of equals the first in the alphabet. A
    # window or a join would say the same, and make a lazy engine add up the lines again.
    cents = (nw.col("weight") * 100).round().cast(nw.Int64)
    key = (nw.lit(2 * MOST_CENTS - 1) - cents).cast(nw.String)
    sums = sums.with_columns(ranked=nw.concat_str(key, nw.col(column)))
    totals = sums.group_by("customer_id").agg(
        total=nw.col("weight").sum(),
        most=nw.col("weight").max(),
        different=nw.len(),
        ranked=nw.col("ranked").min(),
    )
    share = nw.when(nw.col("total") > 0).then(nw.col("most") / nw.col("total"))
    return totals.select(
        "customer_id",
        main=nw.col("ranked").str.slice(len(str(MOST_CENTS))),
        main_share=share,
        different=nw.col("different").cast(nw.Int64),
    )


def basket_block(orders: Any, *, as_of: date) -> nw.LazyFrame:
    """Basket size, reductions, returns, unpaid lines, categories and channels.

    Parameters
    ----------
    orders : frame
        Contract `customer_orders`.
    """
    lines = (
        nw.from_native(orders)
        .lazy()
        .filter(known_by("ordered_on", as_of=as_of))
        .with_columns(
            one=nw.lit(1.0),
            full=nw.col("amount").abs() + nw.col("discount").fill_null(0.0).abs(),
            reduced=nw.col("discount").fill_null(0.0).abs(),
            returned=_sum_where(nw.col("status") == "returned"),
            unpaid=_sum_where(nw.col("status") == "unpaid"),
            spent=nw.col("amount").abs(),
        )
    )
    # By order first: counting distinct ones takes longer. Two systems may number alike.
    sums = ("full", "reduced", "returned", "unpaid")
    totals = (
        lines.group_by("customer_id", "source", "order_id")
        .agg(nw.col("one", *sums).sum())
        .group_by("customer_id")
        .agg(nw.col("one", *sums).sum(), orders=nw.len())
    )
    category = favourite(lines, column="category", by="spent").rename(
        {"main": "main_category", "main_share": "main_category_share", "different": "categories"}
    )
    channel = favourite(lines, column="channel", by="one").rename(
        {"main": "main_channel", "main_share": "main_channel_share", "different": "channels"}
    )
    return (
        totals.select(
            "customer_id",
            basket_lines=nw.col("one") / nw.col("orders"),
            discount_share=nw.when(nw.col("full") > 0).then(nw.col("reduced") / nw.col("full")),
            returned_share=nw.col("returned") / nw.col("one"),
            unpaid_share=nw.col("unpaid") / nw.col("one"),
        )
        .join(category, on="customer_id", how="left")
        .join(channel, on="customer_id", how="left")
        .with_columns(
            categories=nw.col("categories").fill_null(0), channels=nw.col("channels").fill_null(0)
        )
    )


def web_block(web_events: Any, *, as_of: date, horizon_days: int, timezone: str) -> nw.LazyFrame:
    """Visits of a known person.

    Parameters
    ----------
    web_events : frame
        Contract `customer_web_events`. A hit that only a later log-in tells whose it is
        was anonymous until then, and is not looked at before.
    """
    now = day_of(as_of)
    known = nw.col("known_at") < nw.lit(end_of_day(as_of, timezone=timezone))
    visits = (
        _until(web_events, as_of=as_of, timezone=timezone)
        .filter(known)
        .with_columns(recent=_in_last(now, horizon_days))
    )
    totals = visits.group_by("customer_id").agg(
        web_hits_last_period=nw.col("recent").sum(), last=nw.col("day_no").max()
    )
    return totals.select(
        "customer_id",
        "web_hits_last_period",
        days_since_visit=_days_since("last", now),
    )


def contact_block(contacts: Any, *, as_of: date, horizon_days: int, timezone: str) -> nw.LazyFrame:
    """Messages received, opened, and what they cost.

    Parameters
    ----------
    contacts : frame
        Contract `customer_contacts`.
    """
    now = day_of(as_of)
    events = _until(contacts, as_of=as_of, timezone=timezone).with_columns(
        sent=_sum_where(nw.col("event") == "sent"),
        opened=_sum_where(nw.col("event") == "opened"),
        opened_on=nw.when(nw.col("event") == "opened").then(nw.col("day_no")),
        cost=nw.col("cost").fill_null(0.0),
    )
    totals = (
        events.with_columns(sent_last=nw.col("sent") * _in_last(now, horizon_days))
        .group_by("customer_id")
        .agg(
            sent=nw.col("sent").sum(),
            opened=nw.col("opened").sum(),
            contacts_last_period=nw.col("sent_last").sum(),
            opened_on=nw.col("opened_on").max(),
            cost_to_contact=nw.col("cost").sum(),
        )
    )
    share = nw.when(nw.col("sent") > 0).then(nw.col("opened") / nw.col("sent"))
    return totals.with_columns(
        opened_share=share, days_since_open=_days_since("opened_on", now)
    ).drop("sent", "opened", "opened_on")


def service_block(
    conversations: Any, *, as_of: date, horizon_days: int, timezone: str
) -> nw.LazyFrame:
    """Conversations, complaints, and what they cost.

    Parameters
    ----------
    conversations : frame
        Contract `customer_conversations`.
    """
    now = day_of(as_of)
    return (
        _until(conversations, as_of=as_of, timezone=timezone)
        .with_columns(
            recent=_in_last(now, horizon_days),
            claim=_sum_where(nw.col("reason").fill_null("").is_in(CLAIM_REASONS)),
            cost=nw.col("cost").fill_null(0.0),
        )
        .with_columns(claim=nw.col("claim") * nw.col("recent"))
        .group_by("customer_id")
        .agg(
            conversations_last_period=nw.col("recent").sum(),
            claims_last_period=nw.col("claim").sum(),
            cost_to_serve=nw.col("cost").sum(),
            last=nw.col("day_no").max(),
        )
        .with_columns(days_since_conversation=_days_since("last", now))
        .drop("last")
    )


# Reasons that say something went wrong, in English and in French.
CLAIM_REASONS = (
    "claim", "complaint", "delivery", "refund", "defect", "stock_out",
    "réclamation", "reclamation", "plainte", "retard", "casse", "rupture", "litige",
)  # fmt: skip


def _until(events: Any, *, as_of: date, timezone: str) -> nw.LazyFrame:
    return (
        nw.from_native(events)
        .lazy()
        .filter(nw.col("at") < nw.lit(end_of_day(as_of, timezone=timezone)))
        .with_columns(day_no=day_number("at"))
    )


def _days_since(column: str, now: int) -> nw.Expr:
    # West of Greenwich the evening of `as_of` already bears the next day's UTC date.
    return (
        nw.when(nw.col(column) > now)
        .then(nw.lit(0.0))
        .otherwise((now - nw.col(column)).cast(nw.Float64))
    )


def _in_last(now: int, horizon_days: int) -> nw.Expr:
    return _sum_where(nw.col("day_no") > now - horizon_days)
