"""The golden record: one value per field, chosen by rule, with its provenance.

Each kind of field has its own stated order of rules, because it grows old in its own
way: a name is right where most records agree, an address where it was last confirmed, a
consent where it was last given or taken back.

The choice is made in the engine, for all customers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from customer360.contracts import CONTRACTS
from customer360.linkage.engine_tables import as_arrow

__all__ = ["FIELD_RULES", "FieldRule", "build_golden_record"]


@dataclass(frozen=True)
class FieldRule:
    """The order of rules for some fields.

    Attributes
    ----------
    fields : tuple of str
        Fields of a `together` rule come from one and the same record.
    order : tuple of str
        First rule first: valid, trust, freshness, frequency, refusal.
    why : str
        For the reader.
    """

    fields: tuple[str, ...]
    order: tuple[str, ...]
    why: str
    together: bool = False


FIELD_RULES = (
    FieldRule(
        ("title", "first_name", "last_name", "birth_date", "company"),
        ("valid", "frequency", "trust", "freshness"),
        "who somebody is hardly changes: what most records say, then the better source",
    ),
    FieldRule(
        ("email", "phone", "preferred_channel"),
        ("valid", "freshness", "trust", "frequency"),
        "contact points are changed: what was written last, then the better source",
    ),
    FieldRule(
        ("street", "postcode", "city", "country"),
        ("valid", "freshness", "trust", "frequency"),
        "people move, and an address moves as one: the four fields come from one record",
        together=True,
    ),
    FieldRule(
        (
            "consent_email",
            "consent_sms",
            "consent_phone",
            "consent_post",
            "consent_third_party",
        ),
        ("freshness", "refusal", "trust"),
        "the last word counts, and a refusal as fresh as an agreement wins (GDPR art. 7)",
    ),
)
ADDRESS = "address"

# What each rule prefers, as a sort key over the candidates of one field.
ORDERS = {
    "valid": "valid desc",
    "trust": "trust",
    "freshness": "known_at desc",
    "frequency": "votes desc",
    "refusal": "text",
}
REASONS = {
    "valid": "complete value",
    "trust": "most trusted source",
    "freshness": "freshest record",
    "frequency": "most records agree",
    "refusal": "refusal as fresh as the agreement",
}


def build_golden_record(
    people: Any,
    linked_records: Any,
    *,
    source_trust: Mapping[str, float] | Sequence[str] = (),
    as_of: date,
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
    Names are counted without accents and capitals, and written as the winning record
    writes them; an initial is no valid first name. A street with its postcode is a
    valid address.
    """
    with closing(duckdb.connect()) as connection:
        _load(connection, people, linked_records, source_trust=source_trust, as_of=as_of)
        for rule in FIELD_RULES:
            _candidates(connection, rule)
            _choose(connection, rule)
        golden = connection.sql(_golden_sql()).to_arrow_table()
        provenance = connection.sql(_provenance_sql()).to_arrow_table()
    return golden, provenance


def _load(
    connection: Any,
    people: Any,
    linked_records: Any,
    *,
    source_trust: Mapping[str, float] | Sequence[str],
    as_of: date,
) -> None:
    """Write table `known`: the records with their customer, trust and date."""
    if isinstance(source_trust, Mapping):
        ordered = sorted(set(source_trust.values()), reverse=True)
        trust = {source: ordered.index(value) for source, value in source_trust.items()}
    else:
        trust = {source: rank for rank, source in enumerate(source_trust)}
    connection.execute("create temp table trusted (source varchar, trust integer)")
    if trust:
        connection.executemany(
            "insert into trusted values (?, ?)", [list(t) for t in trust.items()]
        )
    connection.register("linked", as_arrow(linked_records))
    contract = CONTRACTS["staged.people"]
    types = {"text": "varchar", "date": "date", "flag": "boolean", "time": "timestamp"}
    found: set[str] = set()
    if people is not None:
        connection.register("people_given", as_arrow(people))
        found = {row[0] for row in connection.execute("describe people_given").fetchall()}
    columns = ", ".join(
        f"cast({c.name} as {types[c.dtype]}) as {c.name}"
        if c.name in found
        else f"null::{types[c.dtype]} as {c.name}"
        for c in contract.columns
    )
    source = "people_given" if people is not None else "(select 1 where false)"
    end = as_of + timedelta(days=1)
    connection.execute(
        f"""
        create temp table known as
        with given as (select {columns} from {source})
        select l.customer_id, l.source, l.source_id, g.* exclude (source, source_id),
               coalesce(t.trust, {len(trust) + 1}) as trust,
               least(coalesce(g.updated_at, g.created_at),
                     timestamp '{end:%Y-%m-%d}' - interval 1 microsecond) as changed_at,
               row_number() over (order by l.source, l.source_id) as record
        from linked l
        join given g on g.source = l.source and g.source_id = l.source_id
        left join trusted t on t.source = l.source
        """
    )


def _candidates(connection: Any, rule: FieldRule) -> None:
    """Write table `candidates`: one row per record and field that it fills."""
    if rule.together:
        connection.execute(
            """
            create or replace temp table candidates as
            select customer_id, record, trust, changed_at, 'address' as field,
                   concat_ws(chr(31), coalesce(street, ''), coalesce(postcode, ''),
                             coalesce(city, ''), coalesce(country, '')) as text,
                   lower(strip_accents(concat_ws(' ', street, postcode))) as vote,
                   (street is not null and postcode is not null)::int
                       + (city is not null)::int * 0.1 as valid
            from known
            where coalesce(street, postcode, city, country) is not null
            """
        )
        return
    parts = []
    for field in rule.fields:
        valid = f"(length({field}) > 1)::int" if field in ("first_name", "last_name") else "1"
        parts.append(
            f"""select customer_id, record, trust, changed_at, '{field}' as field,
                cast({field} as varchar) as text,
                lower(strip_accents(cast({field} as varchar))) as vote, {valid} as valid
            from known where {field} is not null"""
        )
    connection.execute(f"create or replace temp table candidates as {' union all '.join(parts)}")


def _choose(connection: Any, rule: FieldRule) -> None:
    """Rank the candidates; write the winner and the runner-up into table `chosen`."""
    # A refusal without a date might be the last word; anything else without one is old.
    undated = "timestamp '0001-01-01'"
    if "refusal" in rule.order:
        undated = f"if(text = 'false', timestamp '9999-01-01', {undated})"
    known_at = f"coalesce(changed_at, {undated})"
    order = ", ".join(ORDERS[name] for name in rule.order)
    # The last keys only settle what no rule can: always the same way.
    order = f"{order}, text, record"
    differs = {
        "valid": "w.valid <> r.valid",
        "trust": "w.trust <> r.trust",
        "freshness": "w.known_at <> r.known_at",
        "frequency": "w.votes <> r.votes",
        "refusal": "w.text <> r.text",
    }
    reason = " ".join(f"when {differs[name]} then '{REASONS[name]}'" for name in rule.order)
    statement = f"""
        with voted as (
            select *, {known_at} as known_at,
                   count(*) over (partition by customer_id, field, vote) as votes
            from candidates
        ),
        ranked as (
            select *, row_number() over (partition by customer_id, field order by {order}) as rank
            from voted
        ),
        winner as (select * from ranked where rank = 1),
        others as (
            select k.*, row_number() over (partition by k.customer_id, k.field order by k.rank)
                as other
            from ranked k join winner w using (customer_id, field)
            where k.vote <> w.vote
        ),
        runner as (select * from others where other = 1),
        size as (
            select customer_id, field, count(distinct vote) as candidates
            from ranked group by all
        )
        select w.customer_id, w.field, w.text, w.record, s.candidates, r.text as runner_up,
               case when r.text is null then
                        if(s.candidates = 1 and w.votes > 1, 'all records agree', 'only value')
                    {reason} else 'first in order of source' end as rule
        from winner w join size s using (customer_id, field)
        left join runner r using (customer_id, field)
    """
    exists = connection.execute(
        "select count(*) from duckdb_tables() where table_name = 'chosen'"
    ).fetchall()[0][0]
    verb = "insert into chosen" if exists else "create temp table chosen as"
    connection.execute(f"{verb} {statement}")


def _person_fields() -> list[tuple[str, str]]:
    """Fields of a golden record with their type in the engine."""
    types = {"text": "varchar", "date": "date", "flag": "boolean"}
    wanted = [field for rule in FIELD_RULES for field in rule.fields]
    columns = CONTRACTS["customers"].columns
    return [(c.name, types[c.dtype]) for c in columns if c.name in wanted]


def _golden_sql() -> str:
    address = next(rule.fields for rule in FIELD_RULES if rule.together)
    picks = []
    for field, dtype in _person_fields():
        if field in address:
            part = (
                f"nullif(split_part(max(text) filter (field = '{ADDRESS}'), chr(31), "
                f"{address.index(field) + 1}), '')"
            )
        else:
            part = f"max(text) filter (field = '{field}')"
        picks.append(f"cast({part} as {dtype}) as {field}")
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


def _provenance_sql() -> str:
    address = next(rule.fields for rule in FIELD_RULES if rule.together)
    parts = " union all ".join(
        f"""select customer_id, '{field}' as field,
            nullif(split_part(text, chr(31), {i}), '') as value, record, rule, candidates,
            nullif(split_part(runner_up, chr(31), {i}), '') as runner_up
        from chosen where field = '{ADDRESS}'"""
        for i, field in enumerate(address, start=1)
    )
    return f"""
        with told as (
            select customer_id, field, text as value, record, rule, candidates, runner_up
            from chosen where field <> '{ADDRESS}'
            union all {parts}
        )
        select t.customer_id, t.field, t.value, k.source, k.source_id, k.updated_at, t.rule,
               t.candidates, t.runner_up
        from told t join known k using (record)
        where t.value is not null
        order by t.customer_id, t.field
    """
