"""The gate that every list, trigger and real-time answer passes before it leaves.

Consent, a working address, the channel the person asked for, what is owned already, how
long data may be used, and how often a person may be contacted: one function decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow
from customer360.planning.pressure import ContactRule

__all__ = ["MESSAGES", "NEEDS_ADDRESS", "NEEDS_CONSENT", "Gated", "contact_room", "pass_gate"]

# Consent that a message of a channel needs. Social tools are handed the person's data.
# The web site and the shop are not here: the person came by herself.
NEEDS_CONSENT = {
    "email": "consent_email",
    "sms": "consent_sms",
    "phone": "consent_phone",
    "post": "consent_post",
    "social": "consent_third_party",
}
NEEDS_ADDRESS = ("email", "sms", "phone", "post")
_OWNED = pa.schema([("customer_id", pa.string()), ("offer_id", pa.string())])
_CONTACTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("contact_id", pa.string()),
        ("channel", pa.string()),
        ("at", pa.timestamp("us")),
        ("event", pa.string()),
    ]
)
#: A contact counts from its first event on, whatever became of it; a held-out one was not sent.
MESSAGES = """
    select customer_id, min(channel) as channel, min(cast("at" as date)) as day
    from contacts where event <> 'held_out' group by customer_id, contact_id
"""


class Gated(NamedTuple):
    """What passed and what did not: together, the candidates.

    Parameters
    ----------
    kept : pyarrow.Table
        The candidates that may be sent, with their columns and in their order.
    stopped : pyarrow.Table
        The others, with `reason`: the first rule that stopped them.
    """

    kept: pa.Table
    stopped: pa.Table

    @property
    def reasons(self) -> dict[str, int]:
        """How many candidates each rule stopped."""
        counts = self.stopped["reason"].value_counts().to_pylist()
        return {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: c["values"])}


def pass_gate(
    candidates: Any,
    *,
    customers: Any,
    contacts: Any | None,
    rules: Sequence[ContactRule],
    owned: Any | None = None,
    retention_days: int | None = None,
    only_preferred: bool = True,
    together: bool = True,
) -> Gated:
    """Stop every candidate that must not be sent, and say why.

    Parameters
    ----------
    candidates : frame
        One row per message that might be sent: customer_id, channel, offer_id, day (date);
        other columns are carried along.
    customers : frame
        Contract `customers`. Who is not in it (erased, or never known) gets nothing.
    contacts : frame or None
        Contract `customer_contacts`: what was sent, and scheduled, so far.
    rules : sequence of ContactRule
        Caps and spacing.
    owned : frame, optional
        customer_id, offer_id: what a person has, or just bought, and is not offered.
    retention_days : int, days, optional
        Whose last order and last change of record are both older gets nothing.
    only_preferred : bool
        Who asked for a channel gets direct messages by no other.
    together : bool
        True when all that passes will be sent: candidates then count against each other,
        the earlier row going first. False when they are alternatives to choose from.

    Returns
    -------
    Gated

    Notes
    -----
    A candidate counts the ones that go first even where another of them is stopped: strict,
    but no order of stopping can then break a cap.
    """
    given = as_arrow(candidates)
    if "reason" in given.column_names:
        raise ValueError("candidates have a column `reason`, which the gate writes")
    with closing(duckdb.connect()) as connection:
        connection.register("given", given)
        connection.register("customers", as_arrow(customers))
        connection.register("owned", _OWNED.empty_table() if owned is None else as_arrow(owned))
        connection.register(
            "contacts", _CONTACTS.empty_table() if contacts is None else as_arrow(contacts)
        )
        # The row number is the key of a candidate: two equal ones are two messages.
        connection.execute(
            "create temp table candidate as select row_number() over () as row_no, * from given"
        )
        connection.execute(f"create temp table message as {MESSAGES}")
        tests = [
            *_person_tests(retention_days=retention_days, only_preferred=only_preferred),
            *(_rule_test(rule) for rule in rules),
        ]
        connection.execute(
            f"""
            create temp table judged as
            select c.row_no, case {" ".join(tests)} end as reason
            from candidate c left join customers p using (customer_id)
            """
        )
        if together:
            _stop_each_other(connection, rules)
        kept = _rows(connection, "reason is null", with_reason=False)
        stopped = _rows(connection, "reason is not null", with_reason=True)
    if kept.num_rows + stopped.num_rows != given.num_rows:
        raise AssertionError("the gate lost or doubled candidates: is customer_id a key?")
    return Gated(kept, stopped)


def contact_room(
    candidates: Any, *, contacts: Any | None, rules: Sequence[ContactRule]
) -> pa.Table:
    """How many messages each rule still allows around each day a person might be contacted.

    Parameters
    ----------
    candidates : frame
        customer_id, day.
    contacts : frame or None
        Contract `customer_contacts`.
    rules : sequence of ContactRule

    Returns
    -------
    pyarrow.Table
        One row per customer_id and day of the candidates: room_0, room_1... per rule;
        negative where past contacts broke the rule already.
    """
    columns = ", ".join(
        f"{rule.at_most} - count(m.day) filter ({_near(rule, 'd', 'm')}) as room_{number}"
        for number, rule in enumerate(rules)
    )
    with closing(duckdb.connect()) as connection:
        connection.register("given", as_arrow(candidates))
        connection.register(
            "contacts", _CONTACTS.empty_table() if contacts is None else as_arrow(contacts)
        )
        return connection.sql(
            f"""
            select d.customer_id, d.day{", " + columns if columns else ""}
            from (select distinct customer_id, cast(day as date) as day from given) d
            left join ({MESSAGES}) m using (customer_id)
            group by d.customer_id, d.day order by d.customer_id, d.day
            """
        ).to_arrow_table()


def _person_tests(*, retention_days: int | None, only_preferred: bool) -> list[str]:
    """When-then branches on the person, the gravest reason first."""
    tests = ["when p.customer_id is null then 'not a customer, or erased'"]
    if retention_days is not None:
        # A person of whom nothing is dated cannot be shown to be within the limit.
        tests.append(
            "when coalesce(cast(c.day as date)"
            " - cast(greatest(p.last_order_at, p.updated_at) as date)"
            f" > {int(retention_days)}, true) then 'data too old to be used'"
        )
    agreed = " ".join(f"when '{c}' then p.{name}" for c, name in NEEDS_CONSENT.items())
    works = " ".join(f"when '{c}' then p.reachable_{c}" for c in NEEDS_ADDRESS)
    # What was never asked, and a channel that is unknown, is a no.
    open_channels = "c.channel in ('web', 'store')"
    tests.append(
        f"when not coalesce(case c.channel {agreed} else {open_channels} end, false)"
        " then 'no consent'"
    )
    # An unsubscription later than the customers table is obeyed at once.
    tests.append(
        "when exists (from contacts u where u.customer_id = c.customer_id"
        " and u.channel = c.channel and u.event = 'unsubscribed'"
        " and cast(u.\"at\" as date) > p.as_of) then 'no consent'"
    )
    tests.append(f"when not coalesce(case c.channel {works} else true end, false)"
                 " then 'no working address'")  # fmt: skip
    if only_preferred:
        tests.append(
            f"when p.preferred_channel <> c.channel and not {open_channels}"
            " then 'asked for another channel'"
        )
    tests.append(
        "when exists (from owned o where o.customer_id = c.customer_id"
        " and o.offer_id = c.offer_id) then 'has it already'"
    )
    return tests


def _near(rule: ContactRule, one: str, other: str) -> str:
    """SQL: a message counts under the rule, within its window before or after a day."""
    of_channel = "" if rule.channel is None else f" and {other}.channel = {_text(rule.channel)}"
    days = f"abs(cast({one}.day as date) - cast({other}.day as date))"
    return f"where {days} < {int(rule.window_days)}{of_channel}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _applies(rule: ContactRule, alias: str) -> str:
    return "true" if rule.channel is None else f"{alias}.channel = {_text(rule.channel)}"


def _rule_test(rule: ContactRule) -> str:
    """When-then branch: past contacts leave no room for one more."""
    return (
        f"when {_applies(rule, 'c')} and (select count(*) from message m"
        f" {_near(rule, 'c', 'm')} and m.customer_id = c.customer_id) >= {int(rule.at_most)}"
        f" then {_text(rule.told)}"
    )


def _stop_each_other(connection: duckdb.DuckDBPyConnection, rules: Sequence[ContactRule]) -> None:
    """Stop candidates for which past contacts and earlier candidates leave no room."""
    connection.execute(
        "create temp table passing as"
        " select c.* from candidate c join judged using (row_no) where reason is null"
    )
    for rule in rules:
        connection.execute(
            f"""
            update judged set reason = {_text(rule.told)}
            where reason is null and row_no in (
                select c.row_no
                from passing c
                join (
                    select customer_id, channel, day, 0 as row_no from message
                    union all
                    select customer_id, channel, day, row_no from passing
                ) m on m.customer_id = c.customer_id and m.row_no < c.row_no
                {_near(rule, "c", "m")} and {_applies(rule, "c")}
                group by c.row_no having count(*) >= {int(rule.at_most)}
            )
            """
        )


def _rows(connection: duckdb.DuckDBPyConnection, where: str, *, with_reason: bool) -> pa.Table:
    reason = ", reason" if with_reason else ""
    return connection.sql(
        f"select c.* exclude (row_no){reason} from candidate c join judged using (row_no)"
        f" where {where} order by c.row_no"
    ).to_arrow_table()
