"""What messages that came back say: which contact points are dead, who said stop.

A message went to the e-mail, number or address of the record it names. A hard failure
(unknown address, PND) condemns that value until two later messages arrive there; a soft
one (full mailbox, nobody at home) until one does, and three in a row count as hard. An
unsubscription is a refusal with a date.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from customer360.linkage.engine_tables import as_arrow

__all__ = [
    "CHANNEL_FIELDS",
    "LANDLINE",
    "NO_WORD",
    "address_key",
    "judge_contact_points",
    "reachability_by_channel",
    "unsubscriptions",
]

# Contact point that a message of a channel is sent to.
CHANNEL_FIELDS = {"email": "email", "sms": "phone", "phone": "phone", "post": "street"}
# Flaws, in the words of the golden record, of values that messages proved dead.
DEAD = ("bounced", "failed", "returned by the post office")
SOFT_IN_A_ROW = 3
DELIVERIES_THAT_CLEAR = {"hard": 2, "soft": 1}
# Reasons of a failure that passes by itself (RFC 3463 writes them 4.x.x).
SOFT_REASON = (
    r"plein|full|quota|absent|occup|busy|no answer|sans reponse|tempor|indisponib|unavailable"
    r"|greylist|timed? ?out|try again|later|vacation|conges|\b4\.\d\.\d"
)
# Numbers that take an SMS: in France and overseas 06, 07 and their like; elsewhere unknown.
LANDLINE = r"^\+(33[1-589]|26226|59059|59459|59659)"
# Same house of a customer: its postcode and number; without a number, the words.
# What stands between words, where it is more than a space: the rest need not be replaced.
NO_WORD = " *[^a-z0-9 ][^a-z0-9]*|  +"
_STREET = f"trim(regexp_replace(strip_accents(lower({{0}}.street)), '{NO_WORD}', ' ', 'g'))"
_PLAIN = (
    r"regexp_replace({0}, '\b(appt|apt|appartement|esc|escalier|bat|batiment|entree|etage|porte"
    r"|lieu dit|ld)( [a-z0-9]{{1,4}}\b)?', ' ', 'g')"
)


def address_key(alias: str) -> str:
    """SQL of what two writings of one address have in common.

    Parameters
    ----------
    alias : str
        Name of a relation with street and postcode.
    """
    plain = _PLAIN.format(_STREET.format(alias))
    number = rf"nullif(regexp_extract({plain}, '\b([0-9]{{1,4}})\b', 1), '')"
    words = f"list_aggregate(list_sort(string_split(trim({plain}), ' ')), 'string_agg', ' ')"
    return f"concat({alias}.postcode, '|', coalesce({number}, {words}))"


def judge_contact_points(
    people: Any, linked_records: Any, contacts: Any | None, *, as_of: date
) -> pa.Table:
    """Say of each e-mail, number and address that got messages whether it works.

    Parameters
    ----------
    people, linked_records : frame
        Contracts `staged.people` (or None) and `linked_records`.
    contacts : frame or None
        Contract `staged.contacts`.
    as_of : date
        Later events are not known yet.

    Returns
    -------
    pyarrow.Table
        One row per record (source, source_id) and field (email, phone, street: the whole
        address): state (works, soft, hard), state_at, reason, and changed_since: the
        record was changed after the failure, perhaps to mend it.
    """
    names = "source, source_id, field, state, state_at, reason, changed_since"
    if people is None or contacts is None:
        types = [pa.string()] * 4 + [pa.timestamp("us"), pa.string(), pa.bool_()]
        return pa.table({n.strip(): pa.array([], t) for n, t in zip(names.split(","), types,
                                                                     strict=True)})  # fmt: skip
    fields = " ".join(f"when '{c}' then '{f}'" for c, f in CHANNEL_FIELDS.items())
    with closing(duckdb.connect()) as connection:
        _register_people(connection, people)
        connection.register("linked", as_arrow(linked_records))
        connection.register("contacts_given", as_arrow(contacts))
        return connection.sql(
            f"""
            with sent as (
                select source, source_id, case channel {fields} end as field,
                       c."at" as moment, event, reason
                from contacts_given c
                where event in ('delivered', 'bounced', 'undeliverable')
                  and channel in ({", ".join(f"'{c}'" for c in CHANNEL_FIELDS)})
                  and c."at" < timestamp '{as_of + timedelta(days=1):%Y-%m-%d}'
            ),
            -- A dead mailbox is dead whoever named it; an address is left by one person.
            points as (
                select l.customer_id, g.source, g.source_id, g.updated_at, 'email' as field,
                       lower(g.email) as value
                from given g join linked l using (source, source_id) where g.email is not null
                union all
                select l.customer_id, g.source, g.source_id, g.updated_at, 'phone', g.phone
                from given g join linked l using (source, source_id) where g.phone is not null
                union all
                select l.customer_id, g.source, g.source_id, g.updated_at, 'street',
                       concat(l.customer_id, '|', {address_key("g")})
                from given g join linked l using (source, source_id)
                where g.street is not null and g.postcode is not null
            ),
            told as (
                select p.field, p.value, s.moment, s.reason,
                       case when s.event = 'delivered' then 'delivered'
                            when regexp_matches(strip_accents(lower(coalesce(s.reason, ''))),
                                                '{SOFT_REASON}')
                                 or (s.event = 'bounced' and s.reason is null) then 'soft'
                            else 'hard' end as kind
                from sent s join points p using (source, source_id, field)
            ),
            last_hard as (
                select field, value, max(moment) as hard_at
                from told where kind = 'hard' group by all
            ),
            last_delivered as (
                select field, value, max(moment) as delivered_at from told
                where kind = 'delivered' group by all
            ),
            counted as (
                select t.field, t.value,
                       any_value(h.hard_at) as hard_at, any_value(d.delivered_at) as delivered_at,
                       max(t.moment) filter (t.kind = 'soft') as soft_at,
                       count(*) filter (t.kind = 'delivered' and t.moment > h.hard_at)
                           as since_hard,
                       count(*) filter (t.kind = 'soft'
                           and (d.delivered_at is null or t.moment > d.delivered_at)) as in_a_row,
                       arg_max(t.reason, t.moment) filter (t.kind = 'hard') as hard_reason,
                       arg_max(t.reason, t.moment) filter (t.kind = 'soft') as soft_reason
                from told t left join last_hard h using (field, value)
                left join last_delivered d using (field, value)
                group by all
            ),
            judged as (
                select field, value,
                    hard_at is not null and since_hard < {DELIVERIES_THAT_CLEAR["hard"]} as by_hard,
                    case when by_hard then 'hard'
                         when in_a_row >= {SOFT_IN_A_ROW} then 'hard'
                         when in_a_row >= {DELIVERIES_THAT_CLEAR["soft"]} then 'soft'
                         else 'works' end as state,
                    hard_at, soft_at, delivered_at, hard_reason, soft_reason
                from counted
            )
            select p.source, p.source_id, p.field, j.state,
                   case when j.by_hard then j.hard_at when j.state = 'works' then j.delivered_at
                        else j.soft_at end as state_at,
                   case when j.by_hard then coalesce(j.hard_reason, 'returned')
                        when j.state = 'works' then null
                        else coalesce(j.soft_reason, 'not delivered') end as reason,
                   j.state <> 'works' and coalesce(p.updated_at > state_at, false) as changed_since
            from points p join judged j using (field, value)
            order by p.source, p.source_id, p.field
            """
        ).to_arrow_table()


def _register_people(connection: Any, people: Any) -> None:
    """Write view `given`: the columns of a contact point, absent ones without a value."""
    connection.register("people_given", as_arrow(people))
    found = {row[0] for row in connection.execute("describe people_given").fetchall()}
    texts = ("source", "source_id", "email", "phone", "street", "postcode")
    wanted = dict.fromkeys(texts, "varchar")
    wanted["updated_at"] = "timestamp"
    columns = ", ".join(
        f"cast({n} as {t}) as {n}" if n in found else f"null::{t} as {n}" for n, t in wanted.items()
    )
    connection.execute(f"create temp view given as select {columns} from people_given")


def unsubscriptions(contacts: Any | None, linked_records: Any, *, as_of: date) -> pa.Table:
    """Who said stop, to which channel, when.

    Parameters
    ----------
    contacts : frame or None
        Contract `staged.contacts`.
    linked_records : frame
        Contract `linked_records`.
    as_of : date
        Later events are not known yet.

    Returns
    -------
    pyarrow.Table
        One row per event: customer_id, source, source_id, field (consent_email...),
        moment.
    """
    if contacts is None:
        types = [pa.string()] * 4 + [pa.timestamp("us")]
        names = ("customer_id", "source", "source_id", "field", "moment")
        return pa.table({n: pa.array([], t) for n, t in zip(names, types, strict=True)})
    with closing(duckdb.connect()) as connection:
        connection.register("contacts_given", as_arrow(contacts))
        connection.register("linked", as_arrow(linked_records))
        return connection.sql(
            f"""
            select l.customer_id, source, source_id, 'consent_' || c.channel as field,
                   max(c."at") as moment
            from contacts_given c join linked l using (source, source_id)
            where event = 'unsubscribed'
              and c.channel in ({", ".join(f"'{c}'" for c in CHANNEL_FIELDS)})
              and c."at" < timestamp '{as_of + timedelta(days=1):%Y-%m-%d}'
            group by all order by all
            """
        ).to_arrow_table()


def reachability_by_channel(provenance: Any, states: Any) -> pa.Table:
    """Say of each customer and channel whether a message would arrive, and is agreed to.

    Parameters
    ----------
    provenance : frame
        Contract `golden_provenance`.
    states : frame
        From `judge_contact_points`.

    Returns
    -------
    pyarrow.Table
        Contract `reachability`, sorted by its key.
    """
    channels = ", ".join(f"('{c}', '{f}')" for c, f in CHANNEL_FIELDS.items())
    with closing(duckdb.connect()) as connection:
        connection.register("told", as_arrow(provenance))
        connection.register("states_given", as_arrow(states))
        return connection.sql(
            f"""
            with channels(channel, field) as (values {channels}),
            points as (
                select p.customer_id, c.channel, s.state_at, s.reason,
                       c.channel = 'sms' and regexp_matches(p.value, '{LANDLINE}') as landline,
                       case when s.state is null then 'untried'
                            when s.state = 'hard' and s.changed_since then 'changed'
                            else s.state end as state,
                       p.rule in ({", ".join(f"'the other is {flaw}'" for flaw in DEAD)}) as mended
                from told p join channels c using (field)
                left join states_given s using (source, source_id, field)
            ),
            consents as (
                select customer_id, replace(field, 'consent_', '') as channel,
                       value = 'true' as consent, updated_at as consent_at,
                       if(rule = 'unsubscribed', rule, source) as consent_reason
                from told semi join channels c on told.field = 'consent_' || c.channel
            )
            select customer_id, channel,
                   coalesce(p.state <> 'hard' and not p.landline, false) as reachable,
                   coalesce(p.state, 'missing') as state, p.state_at,
                   if(p.landline, 'landline', p.reason) as state_reason,
                   coalesce(p.mended, false) as mended, consent, consent_at, consent_reason,
                   reachable and coalesce(consent, false) as may_contact
            from points p full join consents using (customer_id, channel)
            order by customer_id, channel
            """
        ).to_arrow_table()
