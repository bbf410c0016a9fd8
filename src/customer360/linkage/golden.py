"""The golden record: one value per field, chosen by rule, with its provenance.

`golden_rules` states the order of rules of each field, `golden_values` says what each
record offers and what speaks against it; here the choice is made, in the engine, for all
customers at once. `completion` then fills the gaps that other data can fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS
from customer360.linkage.completion import complete_choices
from customer360.linkage.engine_tables import working_connection
from customer360.linkage.golden_rules import FIELD_RULES, ORDERS, REASONS, FieldRule
from customer360.linkage.golden_values import (
    ADDRESS,
    TYPES,
    load_records,
    write_candidates,
    write_unanimous,
)
from customer360.linkage.reachability import judge_contact_points, unsubscriptions

__all__ = ["build_golden_record"]


def build_golden_record(
    people: Any,
    linked_records: Any,
    *,
    source_trust: Mapping[str, float] | Sequence[str] = (),
    as_of: date,
    contacts: Any | None = None,
) -> tuple[Any, Any]:
    """Choose one value per field for every customer.

    Parameters
    ----------
    people : frame or None
        Contract `staged.people`; None when there is no people table.
    linked_records : frame
        Contract `linked_records`.
    source_trust : mapping or sequence
        Source to trust (higher is better), or sources from the most trusted down.
        Sources that are not named come last, all alike.
    as_of : date
        A record changed later is taken as changed on that day: a date in the future
        makes nothing fresher.
    contacts : frame, optional
        Contract `staged.contacts`: what bounced ranks last, who unsubscribed has refused.

    Returns
    -------
    golden : pyarrow.Table
        One row per customer_id of `linked_records`, sorted: the columns of a person,
        `records`, `sources`, `created_at`, `updated_at`.
    provenance : pyarrow.Table
        Contract `golden_provenance`: one row per customer and field that has a value.
        `rule` is the rule that told the value from the runner-up.

    Notes
    -----
    Names are counted without accents and capitals, and written as the record of the
    fullest writing has them. First and last names in each other's field, as the names of
    everybody show, change places. Writings of one house are one address.
    """
    states = judge_contact_points(people, linked_records, contacts, as_of=as_of)
    stopped = unsubscriptions(contacts, linked_records, as_of=as_of)
    with working_connection() as connection:
        load_records(
            connection,
            people,
            linked_records,
            source_trust=source_trust,
            states=states,
            stopped=stopped,
            as_of=as_of,
        )
        connection.execute(_CHOSEN)
        for rule in FIELD_RULES:
            write_unanimous(connection, rule)
            write_candidates(connection, rule)
            _choose(connection, rule)
        complete_choices(connection)
        golden = connection.sql(_golden_sql()).to_arrow_table()
        told, customers, keys = (
            connection.sql(query).to_arrow_table() for query in (_TOLD, _CUSTOMERS, _KEYS)
        )
        stops = int(connection.sql("select count(*) from stops").fetchall()[0][0])
    # What the engine held is free by now: provenance is the largest table of all.
    return golden, _provenance(told, customers=customers["customer_id"], keys=keys, stops=stops)


# Records by number; `best` of stops, which are no records, is below 0, of completions empty.
_FIELDS = sorted({ADDRESS, *(field for rule in FIELD_RULES for field in rule.fields)})
_CHOSEN = f"""
create type field as enum ({", ".join(f"'{name}'" for name in _FIELDS)});
create temp table chosen (
    customer integer, field field, vote varchar, text varchar, best integer, rule varchar,
    candidates bigint, completed boolean, runner_up varchar, runner_up_best integer
)
"""


def _choose(connection: Any, rule: FieldRule) -> None:
    """Rank the values; add the winner, in its best writing, and the runner-up to `chosen`."""
    # A refusal without a date might be the last word; anything else without one is old.
    undated = "timestamp '0001-01-01'"
    if "refusal" in rule.order:
        undated = f"if(text = 'false', timestamp '9999-01-01', {undated})"
    known_at = f"coalesce(changed_at, {undated})"
    order = ", ".join(ORDERS[name] for name in rule.order)
    differs = {
        "trust": "w.trust <> r.trust",
        "freshness": "w.known_at <> r.known_at",
        "frequency": "w.votes <> r.votes",
        "backed": "w.backed <> r.backed",
        "refusal": "w.vote <> r.vote",
    }
    reason = "when w.valid <> r.valid then 'the other is ' || r.flaw " + " ".join(
        f"when {differs[name]} then '{REASONS[name]}'" for name in rule.order if name in differs
    )
    connection.execute(
        f"""
        insert into chosen
        select customer, field, vote, text, record,
               if(records > 1, 'all records agree', 'only value'), 1, false, null, null
        from unanimous
        union all
        -- A value is as good as its best record; of its writings the best is shown.
        from (
            with valued as (
                select customer, field, vote, max(valid) as valid, min(trust) as trust,
                       max(backed) as backed, max({known_at}) as known_at, count(*) as votes,
                       min({{'text': text, 'record': record, 'flaw': flaw}}).flaw as flaw,
                       min({{'writing': -writing, 'flawed': flaw is not null, 'text': text,
                             'record': record}}) as best
                from candidates group by customer, field, vote
            ),
            -- The last key only settles what no rule can: always the same way.
            placed as (
                select *, row_number() over (
                           partition by customer, field order by {order}, vote) as place,
                       count(*) over (partition by customer, field) as candidates
                from valued
            )
            select w.customer, w.field, w.vote, w.best.text, w.best.record,
                   case when w.best.record < 0 then 'unsubscribed'
                        when r.vote is null then if(w.votes > 1, 'all records agree', 'only value')
                        {reason} else 'first in order of source' end as rule,
                   w.candidates, false, r.best.text, r.best.record
            from placed w left join placed r
                on r.customer = w.customer and r.field = w.field and r.place = 2
            where w.place = 1
        )
        """
    )


def _golden_sql() -> str:
    wanted = [field for rule in FIELD_RULES for field in rule.fields]
    columns = [column for column in CONTRACTS["customers"].columns if column.name in wanted]
    picks, joins = [], []
    for column in columns:
        name, text = column.name, f"c_{column.name}.text"
        joins.append(_join_field(name))
        if name in _PARTS:
            moved = f"split_part(c_{ADDRESS}.text, chr(31), {_PARTS.index(name) + 1})"
            text = f"coalesce(nullif({moved}, ''), {text})"
        picks.append(f"cast({text} as {TYPES[column.dtype]}) as {name}")
    return f"""
        with
        sizes as (
            select customer, sum(n)::bigint as records,
                   array_to_string(list_sort(list(source)), ';') as sources
            from (select customer, source, count(*) as n from linked group by all) group by 1
        ),
        dates as (
            select customer, min(created_at) as created_at, max(updated_at) as updated_at
            from known group by 1
        )
        select n.customer_id, {", ".join(picks)}, s.records, s.sources, d.created_at, d.updated_at
        from numbered n join sizes s using (customer) left join dates d using (customer)
        {_join_field(ADDRESS)} {" ".join(joins)}
        order by customer
    """


def _join_field(field: str) -> str:
    return f"""
        left join (select customer, text from chosen where field = '{field}') c_{field}
            on c_{field}.customer = n.customer"""


_PARTS = next(rule.fields for rule in FIELD_RULES if rule.together)
_PARTS_SQL = " union all ".join(
    f"""select customer, '{field}'::field, nullif(split_part(text, chr(31), {i}), ''), best, rule,
        candidates, completed, nullif(split_part(runner_up, chr(31), {i}), ''), runner_up_best
        from chosen where field = '{ADDRESS}'"""
    for i, field in enumerate(_PARTS, start=1)
)
_TOLD = f"""
    with parts as (
        select customer, field, text as value, * exclude (customer, field, text, vote)
        from chosen where field <> '{ADDRESS}'
        union all {_PARTS_SQL}
    )
    select * from parts where value is not null order by customer, field
"""
_CUSTOMERS = "select customer_id from numbered order by customer"
# All that has a number, in its order: stops, then records.
_KEYS = """
    select record, source, source_id, moment as updated_at from stops
    union all
    select record, l.source, l.source_id, k.updated_at
    from linked l left join known k using (record)
    order by record
"""


def _provenance(told: pa.Table, *, customers: pa.ChunkedArray, keys: pa.Table, stops: int) -> Any:
    """Contract `golden_provenance`, from what is told of each field.

    Sorted by numbers, which are positions too: to sort millions of keys takes far longer.
    """
    best, second = (keys.take(pc.add(told[name], stops)) for name in ("best", "runner_up_best"))
    return pa.table(
        {
            "customer_id": customers.take(told["customer"]),
            "field": told["field"].cast(pa.string()),
            "value": told["value"],
            "source": best["source"],
            "source_id": best["source_id"],
            "updated_at": best["updated_at"],
            "rule": told["rule"],
            "candidates": told["candidates"],
            "completed": told["completed"],
            "runner_up": told["runner_up"],
            "runner_up_source": second["source"],
            "runner_up_at": second["updated_at"],
        }
    )
