"""The golden record: one value per field, chosen by rule, with its provenance.

`golden_rules` states the order of rules of each field, `golden_values` says what each
record offers and what speaks against it; here the choice is made, in the engine, for all
customers at once. `completion` then fills the gaps that other data can fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import Any

import duckdb

from customer360.contracts import CONTRACTS
from customer360.linkage.completion import complete_choices
from customer360.linkage.golden_rules import FIELD_RULES, ORDERS, REASONS, FieldRule
from customer360.linkage.golden_values import ADDRESS, TYPES, load_records, write_candidates
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
    with closing(duckdb.connect()) as connection:
        connection.register("stopped", stopped)
        load_records(
            connection,
            people,
            linked_records,
            source_trust=source_trust,
            states=states,
            as_of=as_of,
        )
        connection.execute(_CHOSEN)
        for rule in FIELD_RULES:
            write_candidates(connection, rule)
            _choose(connection, rule)
        complete_choices(connection)
        golden = connection.sql(_golden_sql()).to_arrow_table()
        provenance = connection.sql(_PROVENANCE).to_arrow_table()
    return golden, provenance


_CHOSEN = """
create temp table chosen (
    customer_id varchar, field varchar, vote varchar, text varchar, source varchar,
    source_id varchar, told_at timestamp, rule varchar, candidates bigint, completed boolean,
    runner_up varchar, runner_up_source varchar, runner_up_at timestamp
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
        with voted as (
            select * replace (max(valid) over same as valid, min(trust) over same as trust,
                              max(backed) over same as backed),
                   max({known_at}) over same as known_at, count(*) over same as votes
            from candidates
            window same as (partition by customer_id, field, vote)
        ),
        -- A value is as good as its best record. The last keys only settle what no rule can:
        -- always the same way.
        ranked as (
            select *, row_number() over (
                partition by customer_id, field order by {order}, vote, text, record) as rank
            from voted
        ),
        -- One row per value: its best record, and its best writing.
        valued as (
            select *, first_value(text) over best as best_text,
                   first_value(source) over best as best_source,
                   first_value(source_id) over best as best_source_id,
                   first_value(told_at) over best as best_told_at,
                   first_value(record) over best as best_record
            from ranked
            window best as (
                partition by customer_id, field, vote
                order by writing desc, flaw is not null, rank)
            qualify row_number() over (partition by customer_id, field, vote order by rank) = 1
        ),
        placed as (
            select *, row_number() over (partition by customer_id, field order by rank) as place,
                   count(*) over (partition by customer_id, field) as candidates
            from valued
        )
        select w.customer_id, w.field, w.vote, w.best_text, w.best_source, w.best_source_id,
               w.best_told_at,
               case when w.best_record = 0 then 'unsubscribed'
                    when r.text is null then if(w.votes > 1, 'all records agree', 'only value')
                    {reason} else 'first in order of source' end as rule,
               w.candidates, false, r.best_text, r.best_source, r.best_told_at
        from placed w left join placed r
            on r.customer_id = w.customer_id and r.field = w.field and r.place = 2
        where w.place = 1
        """
    )


def _golden_sql() -> str:
    address = next(rule.fields for rule in FIELD_RULES if rule.together)
    wanted = [field for rule in FIELD_RULES for field in rule.fields]
    picks = []
    for column in CONTRACTS["customers"].columns:
        if column.name not in wanted:
            continue
        part = f"max(text) filter (field = '{column.name}')"
        if column.name in address:
            place = address.index(column.name) + 1
            moved = f"split_part(max(text) filter (field = '{ADDRESS}'), chr(31), {place})"
            part = f"coalesce(nullif({moved}, ''), {part})"
        picks.append(f"cast({part} as {TYPES[column.dtype]}) as {column.name}")
    return f"""
        with fields as (select customer_id, {", ".join(picks)} from chosen group by 1),
        sizes as (
            select customer_id, count(*) as records,
                   string_agg(distinct source, ';' order by source) as sources
            from linked group by 1
        ),
        dates as (
            select customer_id, min(created_at) as created_at, max(updated_at) as updated_at
            from known group by 1
        )
        select s.customer_id, f.* exclude (customer_id), s.records, s.sources,
               d.created_at, d.updated_at
        from sizes s left join fields f using (customer_id) left join dates d using (customer_id)
        order by s.customer_id
    """


_PARTS = next(rule.fields for rule in FIELD_RULES if rule.together)
_PROVENANCE = f"""
    with told as (
        select customer_id, field, text as value, * exclude (customer_id, field, text, vote)
        from chosen where field <> '{ADDRESS}'
        union all {
    " union all ".join(
        f"select customer_id, '{field}', nullif(split_part(text, chr(31), {i}), ''), "
        "source, source_id, told_at, rule, candidates, completed, "
        f"nullif(split_part(runner_up, chr(31), {i}), ''), runner_up_source, runner_up_at "
        f"from chosen where field = '{ADDRESS}'"
        for i, field in enumerate(_PARTS, start=1)
    )
}
    )
    select customer_id, field, value, source, source_id, told_at as updated_at, rule, candidates,
           completed, runner_up, runner_up_source, runner_up_at
    from told where value is not null
    order by customer_id, field
"""
