"""Scenarios: what goes out by itself, to whom, when, and what stopped the rest.

An occasion that a scenario answers makes an action, which may go on the day it is due and
some days later. Day by day and in order of priority, actions that nothing has stopped since
pass the gate, by the first channel that is open and has room that day; what went counts
against what follows. A dry run over many days therefore gives what the same number of daily
runs would have given.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow, as_pandas
from customer360.planning.gate import Gated, pass_gate
from customer360.planning.occasions import find_occasions, take_columns
from customer360.planning.scenario_rules import ScenarioRules

__all__ = ["CAPACITY", "CONTROL", "count_stops", "dry_run"]

CONTROL = "control group"
CAPACITY = "capacity"
# What the gate reads of a customer: the rest stays where it is.
_PERSON = (
    "customer_id",
    *(f"consent_{channel}" for channel in ("email", "sms", "phone", "post", "third_party")),
    *(f"reachable_{channel}" for channel in ("email", "sms", "phone", "post")),
    "preferred_channel", "as_of", "last_order_at", "updated_at",
)  # fmt: skip


def dry_run(
    rules: ScenarioRules,
    tables: Mapping[str, Any],
    *,
    start: date,
    end: date,
    timezone: str,
    horizon_days: int,
    earlier: Any | None = None,
) -> pd.DataFrame:
    """What the scenarios would have sent, day by day, from `start` to `end`.

    Parameters
    ----------
    rules : ScenarioRules
    tables : mapping of str to frame
        By the names of their contracts: `customers`, and those of `occasions.TABLES` that
        there are. Of a day, only what was known on it is read; but who may be contacted is
        what `customers` says, whenever that was written.
    start, end : date
        First and last day of sending; what is stopped on the last one may go later (`late_days`).
    timezone : str
        IANA name.
    horizon_days : int, days
        Silence that few returning customers exceed.
    earlier : frame, optional
        Result of earlier days: what went counts for spacing, caps and `once_in_days`.

    Returns
    -------
    pandas.DataFrame
        Contract `scenario_actions`: one row per customer_id, scenario and due_on. `day` is
        when it goes, or was stopped last; `stopped_by` is empty for what goes,
        `control group` for what would have gone to those left alone on purpose, `capacity`
        where every channel open was full.
    """
    with closing(duckdb.connect()) as connection:
        _find_tries(
            connection, rules, tables, start, end, timezone=timezone, horizon_days=horizon_days,
            earlier=earlier,
        )  # fmt: skip
        customers = _persons(connection, tables["customers"])
        _open_ways(connection, rules, customers)
        _find_messages(connection, tables.get("customer_contacts"), rules, start)
        while _send_first(connection, rules, customers):
            pass
        share = round(rules.control_share * 1_000_000)
        return as_pandas(connection.sql(_RESULT.format(control=CONTROL, share=share)))


def count_stops(actions: pd.DataFrame, *, reasons: int = 6) -> pd.DataFrame:
    """How many actions of each scenario go, and what stopped the others.

    Parameters
    ----------
    actions : pandas.DataFrame
        Contract `scenario_actions`.
    reasons : int
        So many of the commonest have a column of their own, all others one together.

    Returns
    -------
    pandas.DataFrame
        Index scenario, in order of priority; columns due, goes, and the reasons, the commonest
        first.
    """
    order = actions.sort_values("priority")["scenario"].drop_duplicates()
    # Each scenario counts days of its own: "said already in the last 90 days".
    why = actions["stopped_by"].astype("str").str.replace(r" in the last \d+ days$", " lately",
                                                          regex=True)  # fmt: skip
    common = why.value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    why = why.where(why.isna() | why.isin(common[:reasons]), "other reasons").fillna("goes")
    counts = pd.crosstab(actions["scenario"], why)
    columns = ["goes", *common[:reasons], *(["other reasons"] if len(common) > reasons else [])]
    told = counts.reindex(columns=columns, fill_value=0)
    told.insert(0, "due", counts.sum(axis=1))
    return told.reindex(order).rename_axis(columns=None)


# --- from occasions to tries ---


def _find_tries(
    connection: duckdb.DuckDBPyConnection,
    rules: ScenarioRules,
    tables: Mapping[str, Any],
    start: date,
    end: date,
    *,
    timezone: str,
    horizon_days: int,
    earlier: Any | None,
) -> None:
    """Every day on which an action might go (`try`), and what stops it there (`outcome`)."""
    scenarios = rules.scenarios
    back = max((max(s.wait_days, 0) + s.late_days for s in scenarios), default=0)
    back = max(back, *(d or 0 for s in scenarios for d in s.stop_if.values()), 0)
    ahead = max((-s.wait_days for s in scenarios), default=0)
    occasions = find_occasions(
        tables,
        names=rules.occasions,
        since=start - timedelta(days=back),
        until=end,
        timezone=timezone,
        horizon_days=horizon_days,
        ahead_days=max(ahead, 0),
    )
    connection.register("occasion", occasions)
    connection.register("scenario", _scenario_table(rules))
    connection.register("subject", _subject_table(rules))
    connection.register("stop", _stop_table(rules))
    connection.register("capacity", _capacity_table(rules))
    connection.register("earlier", _EARLIER.empty_table() if earlier is None else as_arrow(earlier))
    # What went to the control group was not sent; it counts, so that both are treated alike.
    connection.execute(
        f"""
        create temp table went as
        select customer_id, scenario, cast(due_on as date) as due_on, channel,
            cast(day as date) as day
        from earlier where stopped_by is null or stopped_by = '{CONTROL}'
        """
    )
    connection.execute(_TRIES.format(start=start, end=end))
    connection.execute("create temp table outcome (try_no bigint, channel varchar, reason varchar)")
    connection.execute(_STOPPED_SINCE)


# The latest of the occasions that make an action due on one day is the one it answers.
_TRIES = """
    create temp table try as
    with action as (
        select o.customer_id, s.scenario, s.priority, max(o."at") as "at",
            arg_max(replace(s.content, '{{subject}}', coalesce(o.subject, '')), o."at") as content,
            greatest(o.day + s.wait_days, o.known_on) as due_on,
            max(o.day + s.wait_days + s.late_days) as last_on
        from scenario s join occasion o on o.occasion = s."when"
        where (s.any_subject
                or (s.scenario, o.subject) in (select (scenario, subject) from subject))
            and (s.at_least is null or o.size >= s.at_least)
        group by o.customer_id, s.scenario, s.priority, due_on
    ),
    day as (
        select *, cast(unnest(generate_series(
            greatest(due_on, date '{start}'), least(last_on, date '{end}'), interval 1 day
        )) as date) as day
        from action
        where due_on <= last_on and due_on <= date '{end}' and last_on >= date '{start}'
    )
    select *, row_number() over (order by day, priority, scenario, customer_id, due_on) as try_no,
        dense_rank() over (order by customer_id, scenario, due_on) as action_no
    from day anti join went using (customer_id, scenario, due_on)
"""
_STOPPED_SINCE = """
    insert into outcome
    select t.try_no, null, arg_min(p.told, p.rank)
    from try t
    join stop p using (scenario)
    join occasion o on o.customer_id = t.customer_id and o.occasion = p.occasion
    where o.known_on <= t.day and o.day <= t.day and case
        when p.in_days is null then o."at" > t."at" else t.day - o.day < p.in_days end
    group by t.try_no
"""


def _scenario_table(rules: ScenarioRules) -> pa.Table:
    return pa.table(
        {
            "scenario": pa.array([s.name for s in rules.scenarios], pa.string()),
            "when": pa.array([s.when for s in rules.scenarios], pa.string()),
            "content": pa.array([s.content for s in rules.scenarios], pa.string()),
            "once_in_days": pa.array([s.once_in_days for s in rules.scenarios], pa.int32()),
            "priority": pa.array([s.priority for s in rules.scenarios], pa.int32()),
            "wait_days": pa.array([s.wait_days for s in rules.scenarios], pa.int32()),
            "late_days": pa.array([s.late_days for s in rules.scenarios], pa.int32()),
            "at_least": pa.array([s.at_least for s in rules.scenarios], pa.float64()),
            "any_subject": pa.array([not s.subjects for s in rules.scenarios], pa.bool_()),
        }
    )


def _channel_table(rules: ScenarioRules) -> pa.Table:
    rows = [
        (s.name, rank, channel) for s in rules.scenarios for rank, channel in enumerate(s.channels)
    ]
    return pa.table(
        {
            "scenario": pa.array([row[0] for row in rows], pa.string()),
            "rank": pa.array([row[1] for row in rows], pa.int32()),
            "channel": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def _capacity_table(rules: ScenarioRules) -> pa.Table:
    return pa.table(
        {
            "channel": pa.array(rules.daily_capacity.keys(), pa.string()),
            "most": pa.array(rules.daily_capacity.values(), pa.int64()),
        }
    )


def _subject_table(rules: ScenarioRules) -> pa.Table:
    pairs = [(s.name, subject) for s in rules.scenarios for subject in s.subjects]
    return pa.table(
        {
            "scenario": pa.array([name for name, _ in pairs], pa.string()),
            "subject": pa.array([subject for _, subject in pairs], pa.string()),
        }
    )


def _stop_table(rules: ScenarioRules) -> pa.Table:
    rows = [
        (s.name, rank, occasion, days)
        for s in rules.scenarios
        for rank, (occasion, days) in enumerate(s.stop_if.items())
    ]
    words = [
        f"{occasion} since".replace("_", " ")
        if days is None
        else f"{occasion} in the last {days} days".replace("_", " ")
        for _, _, occasion, days in rows
    ]
    return pa.table(
        {
            "scenario": pa.array([row[0] for row in rows], pa.string()),
            "rank": pa.array([row[1] for row in rows], pa.int32()),
            "occasion": pa.array([row[2] for row in rows], pa.string()),
            "in_days": pa.array([row[3] for row in rows], pa.int32()),
            "told": pa.array(words, pa.string()),
        }
    )


# --- through the gate ---


def _persons(connection: duckdb.DuckDBPyConnection, customers: Any) -> pa.Table:
    """What the gate must know of those whom an action is about."""
    connection.register("customers", take_columns(customers, "customers", _PERSON))
    return connection.sql(
        "select * from customers semi join try using (customer_id) order by customer_id"
    ).to_arrow_table()


def _open_ways(
    connection: duckdb.DuckDBPyConnection, rules: ScenarioRules, customers: pa.Table
) -> None:
    """Tries by each channel of their scenario that the person accepts (`way`)."""
    connection.register("channel", _channel_table(rules))
    ways = connection.sql(
        """
        select t.try_no, t.action_no, t.customer_id, t.scenario, t.day, t.priority, c.channel,
            c.rank, t.scenario as offer_id
        from try t anti join outcome using (try_no) join channel c using (scenario)
        order by t.try_no, c.rank
        """
    ).to_arrow_table()
    gated = pass_gate(
        ways, customers=customers, contacts=None, rules=(),
        retention_days=rules.retention_days, together=False,
    )  # fmt: skip
    _refuse(connection, gated)
    connection.execute("create temp table way as select * from kept")


def _refuse(connection: duckdb.DuckDBPyConnection, gated: Gated) -> None:
    """A try that no channel is open for is stopped by what closed the one preferred most."""
    connection.register("kept", gated.kept)
    connection.register("refused", gated.stopped)
    connection.execute(
        """
        insert into outcome
        select try_no, null, arg_min(reason, rank) from refused anti join kept using (try_no)
        group by try_no
        """
    )


def _find_messages(
    connection: duckdb.DuckDBPyConnection, contacts: Any | None, rules: ScenarioRules, start: date
) -> None:
    """Messages of campaigns, recent enough to count, to those whom an action is about."""
    columns = ("customer_id", "contact_id", "channel", "at", "event")
    window = max((rule.window_days for rule in rules.contact_rules), default=0)
    connection.register("contacts", take_columns(contacts, "customer_contacts", columns))
    # The whole contact: it counts from its first event on. An unsubscription always does.
    connection.execute(
        f"""
        create temp table message as
        select * from contacts semi join way using (customer_id)
        qualify event = 'unsubscribed' or max("at") over (partition by contact_id)
            >= date '{start - timedelta(days=window)}'
        """
    )


def _send_first(
    connection: duckdb.DuckDBPyConnection, rules: ScenarioRules, customers: pa.Table
) -> bool:
    """Let the first open try of every customer pass the gate; False when none is left.

    One of each customer at a time, so that a try sees all that went before it and nothing
    that comes after: as many rounds as the busiest customer has tries. Where a channel may
    be full, customers wait for each other: a day and a priority at a time.
    """
    connection.execute(_SAID_ALREADY)
    connection.execute("delete from way using outcome o where o.try_no = way.try_no")
    now = connection.sql(_ENOUGH_ROOM if rules.daily_capacity else _NEXT).to_arrow_table()
    if not now.num_rows:
        return False
    connection.register("now", now)
    gated = pass_gate(
        now,
        customers=customers,
        contacts=connection.sql(_BEFORE).to_arrow_table(),
        rules=rules.contact_rules,
        together=False,
    )
    _refuse(connection, gated)
    connection.execute(
        """
        create or replace temp table sent as
        select try_no, action_no, customer_id, day, arg_min(channel, rank) as channel
        from kept group by all
        """
    )
    if rules.daily_capacity:
        _wait_for_room(connection)
    connection.execute("insert into outcome select try_no, channel, null from sent")
    connection.execute(
        """
        insert into went
        select t.customer_id, t.scenario, t.due_on, s.channel, t.day
        from sent s join try t using (try_no)
        """
    )
    connection.execute("delete from way using sent s where s.action_no = way.action_no")
    return True


def _wait_for_room(connection: duckdb.DuckDBPyConnection) -> None:
    """Take back what a channel has no room for that day; it may go by another one.

    The control group takes its place too: it is treated as if it were written to.
    """
    connection.execute(
        """
        create or replace temp table full_way as
        select s.try_no, s.channel
        from sent s join capacity using (channel)
        left join (select channel, day, count(*) as used from went group by all) w
            using (channel, day)
        qualify row_number() over (partition by s.day, channel order by try_no)
            > most - coalesce(used, 0)
        """
    )
    for table in ("sent", "way"):
        connection.execute(
            f"delete from {table} using full_way f"
            f" where f.try_no = {table}.try_no and f.channel = {table}.channel"
        )
    connection.execute(
        f"""
        insert into outcome select try_no, null, '{CAPACITY}'
        from full_way anti join (select try_no from kept anti join full_way using (try_no, channel))
            using (try_no)
        """
    )


_NEXT = """
    select * from way qualify try_no = min(try_no) over (partition by customer_id)
    order by try_no, rank
"""
# All days before the first on which more may want a channel than it has room for; or, of that
# day, the most urgent.
_ENOUGH_ROOM = """
    with crowded as (
        select day from way join capacity using (channel)
        left join (select channel, day, count(*) as used from went group by all)
            using (channel, day)
        group by day, channel, most, used having count(*) > most - coalesce(used, 0)
    ),
    until as (select (min(day), 0) as place from crowded),
    next as (select min((day, priority)) as place from way)
    select way.* from way, until, next
    where until.place[1] is null or (way.day, way.priority) < greatest(until.place, next.place)
        or (way.day, way.priority) = next.place
    qualify try_no = min(try_no) over (partition by customer_id) order by try_no, rank
"""
# Whatever the gate says: what was said is not said again so soon.
_SAID_ALREADY = """
    insert into outcome
    select distinct w.try_no, null, 'said already in the last ' || s.once_in_days || ' days'
    from way w join scenario s using (scenario)
    join (select customer_id, scenario, max(day) as day from went group by all) e
        using (customer_id, scenario)
    where w.day - e.day < s.once_in_days
"""
# Contacts known on the day of each try, those that scenarios sent among them.
_BEFORE = """
    with asked as (select distinct customer_id, day from now)
    select m.* from message m join asked a using (customer_id) where cast(m."at" as date) <= a.day
    union all
    select w.customer_id, 'scenario ' || w.scenario || ' ' || w.day, w.channel,
        cast(w.day as timestamp), 'sent'
    from went w semi join asked using (customer_id)
"""
# An action went if one of its tries did; else its last try tells why not. The control group
# is drawn by the id: always the same people.
_RESULT = """
    with told as (
        select t.*, o.channel, o.reason
        from outcome o join try t using (try_no)
        qualify row_number() over (
            partition by t.action_no order by o.reason is not null, t.day desc
        ) = 1
    )
    select customer_id, scenario, due_on, day, channel, priority, trim(content) as content,
        case when reason is null
            and md5_number_lower('scenarios ' || customer_id) % 1000000 < {share}
            then '{control}' else reason end as stopped_by
    from told order by day, priority, scenario, customer_id, due_on
"""
_EARLIER = pa.schema(
    [
        ("customer_id", pa.string()),
        ("scenario", pa.string()),
        ("due_on", pa.date32()),
        ("day", pa.date32()),
        ("channel", pa.string()),
        ("stopped_by", pa.string()),
    ]
)
