"""The golden record: one value per field, chosen by rule, with its provenance.

`golden_rules` states the order of rules of each field, `golden_values` says what each
record offers and what speaks against it; here the choice is made, in the engine, for all
customers at once. `completion` then fills the gaps that other data can fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from customer360.linkage.completion import complete_choices
from customer360.linkage.engine_tables import working_connection
from customer360.linkage.golden_choices import CHOSEN, Choices
from customer360.linkage.golden_rules import FIELD_RULES, ORDERS, REASONS
from customer360.linkage.golden_values import (
    ADDRESS,
    candidates_sql,
    load_records,
    split_agreed,
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
        known = load_records(
            connection,
            people,
            linked_records,
            source_trust=source_trust,
            states=states,
            stopped=stopped,
            as_of=as_of,
        )
        customers = connection.sql(_CUSTOMERS).to_arrow_table()
        stops = connection.sql(_STOPS).to_arrow_table()
        choices = Choices(customers.num_rows, known, stops)
        agreed = split_agreed(connection, known)
        del known
        for rule in FIELD_RULES:
            if rule.follows:
                connection.register("followed", choices.best(rule.follows))
            for field in (ADDRESS,) if rule.together else rule.fields:
                fields = rule.fields if rule.together else (field,)
                choices.put(fields, agreed.pop(field))
                disputed = connection.sql(_choice_sql(field, rule.order))
                choices.put(fields, disputed.to_arrow_table())
        choices.read()
        complete_choices(connection, choices)
    # What the engine held is free by now: provenance is the largest table of all.
    return choices.golden(customers), choices.provenance(customers["customer_id"])


def _choice_sql(field: str, order: Sequence[str]) -> str:
    """SQL that ranks the values of those who disagree: columns for `Choices.put`."""
    # A refusal without a date might be the last word; anything else without one is old.
    undated = "timestamp '0001-01-01'"
    if "refusal" in order:
        undated = f"if(text = 'false', timestamp '9999-01-01', {undated})"
    known_at = f"coalesce(changed_at, {undated})"
    differs = {
        "trust": "w.trust <> r.trust",
        "freshness": "w.known_at <> r.known_at",
        "frequency": "w.votes <> r.votes",
        "backed": "w.backed <> r.backed",
        "refusal": "w.vote <> r.vote",
    }
    reason = "when w.valid <> r.valid then 'the other is ' || r.flaw " + " ".join(
        f"when {differs[name]} then '{REASONS[name]}'" for name in order if name in differs
    )
    return f"""
        with candidates as ({candidates_sql(field)}),
        -- A value is as good as its best record; of its writings the best is shown.
        valued as (
            select customer, vote, max(valid) as valid, min(trust) as trust,
                   max(backed) as backed, max({known_at}) as known_at, count(*) as votes,
                   min({{'text': text, 'record': record, 'flaw': flaw}}).flaw as flaw,
                   min({{'writing': -writing, 'flawed': flaw is not null, 'text': text,
                         'record': record}}).record as record
            from candidates group by customer, vote
        ),
        -- The last key only settles what no rule can: always the same way.
        placed as (
            select *, count(*) over (partition by customer) as candidates, row_number() over (
                partition by customer order by {", ".join(ORDERS[name] for name in order)}, vote
            ) as place
            from valued
        )
        select w.customer, w.record as best, w.candidates, r.record as runner_up,
               case when w.record < 0 then 'unsubscribed'
                    when r.vote is null then if(w.votes > 1, 'all records agree', 'only value')
                    {reason} else 'first in order of source' end as rule
        from placed w left join placed r on r.customer = w.customer and r.place = 2
        where w.place = 1
    """


_CUSTOMERS = """
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
    select n.customer_id, s.records, s.sources, d.created_at, d.updated_at
    from numbered n join sizes s using (customer) left join dates d using (customer)
    order by customer
"""
# Unsubscriptions are records that hold a refusal.
_STOPS = f"""
    select record, source, source_id, moment as updated_at,
           {", ".join(f"false as {name}" for name in CHOSEN if name.startswith("consent"))}
    from stops
"""
