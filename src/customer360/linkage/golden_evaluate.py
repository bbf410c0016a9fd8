"""How right the golden record is, field by field, where the truth is known.

Two plain rules are the peers to beat: the value of the most recent record, and the most
frequent value (of values as frequent, the most recent).
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import duckdb
import pandas as pd

from customer360.cleaning.people import standardise_city, standardise_street
from customer360.linkage.engine_tables import as_arrow

__all__ = ["ACCURACY_FIELDS", "METHODS", "accuracy_metrics", "evaluate_golden"]

METHODS = ("golden", "most_recent", "most_frequent")
# Letters and figures alone: commas and capitals make no other street.
_FOLD = "trim(regexp_replace(strip_accents(lower({0})), '[^a-z0-9]+', ' ', 'g'))"
# How a value of a field is compared: accents of names count, those of places do not.
ACCURACY_FIELDS = {
    "last_name": "lower({0})",
    "first_name": "lower({0})",
    "birth_date": "cast({0} as varchar)",
    "email": "lower({0})",
    "phone": "{0}",
    "street": _FOLD,
    "postcode": "{0}",
    "city": _FOLD,
}


def evaluate_golden(
    golden: Any, people: Any, linked_records: Any, *, true_people: Any, people_links: Any
) -> pd.DataFrame:
    """Share of right values by field, for the golden record and two plain rules.

    A telephone number is right when it is the person's mobile or the home's landline of
    today. Values are compared in the standard form of the cleaning stage. A field counts
    for the customers of whom some record fills it.

    Parameters
    ----------
    golden : frame
        Contract `customers`, or what `build_golden_record` returns.
    people, linked_records : frame
        Contracts `staged.people` and `linked_records`.
    true_people, people_links : frame
        Contracts `truth.people` and `truth.people_links`.

    Returns
    -------
    pandas.DataFrame
        One row per field and of (`pure`: customers whose records are of one true person;
        `all`: everybody, a mixed customer being the person of most of its records):
        field, of, customers, golden, most_recent, most_frequent.
    """
    with closing(duckdb.connect()) as connection:
        for name, table in (
            ("golden", golden),
            ("people_given", people),
            ("linked", linked_records),
            ("links", people_links),
            ("persons", _standardised(true_people)),
        ):
            connection.register(name, as_arrow(table))
        connection.execute(_WHO)
        found = {row[0] for row in connection.execute("describe people_given").fetchall()}
        parts = [_field_sql(field) for field in ACCURACY_FIELDS if field in found]
        if not parts:
            return pd.DataFrame(columns=["field", "of", "customers", *METHODS])
        compared = " union all ".join(parts)
        shares = ", ".join(f"avg(coalesce(list_contains(truth, {m}), false)::int) as {m}"
                           for m in METHODS)  # fmt: skip
        return connection.execute(
            f"""with compared as ({compared}),
            counted as (select *, 'all' as of from compared
                     union all select *, 'pure' from compared where pure)
            select field, of, count(*) as customers, {shares}
            from counted group by all order by of, field"""
        ).df()


def accuracy_metrics(accuracy: pd.DataFrame) -> dict[str, float]:
    """The comparison as flat figures.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        From `evaluate_golden`.

    Returns
    -------
    dict
        golden_accuracy, golden_accuracy_most_recent, golden_accuracy_most_frequent (means
        over the fields, pure customers), the same with a field's name at the end, and
        golden_accuracy_end_to_end (everybody). Empty without a truth.
    """
    metrics: dict[str, float] = {}
    names = {"golden": "golden_accuracy"} | {m: f"golden_accuracy_{m}" for m in METHODS[1:]}
    pure, everybody = (accuracy[accuracy["of"] == of] for of in ("pure", "all"))
    if pure.empty:
        return metrics
    for method, name in names.items():
        metrics[name] = float(pure[method].mean())
        for field, share in zip(pure["field"], pure[method], strict=True):
            metrics[f"{name}_{field}"] = float(share)
    metrics["golden_accuracy_end_to_end"] = float(everybody["golden"].mean())
    return metrics


_WHO = """
create temp table who as
with cells as (
    select customer_id, person_id, count(*) as n
    from linked join links using (source, source_id) group by all
)
select customer_id, arg_max(person_id, (n, person_id)) as person_id, count(*) = 1 as pure
from cells group by 1
"""


def _standardised(true_people: Any) -> pd.DataFrame:
    """True people with their address in the form that cleaning gives to records."""
    people = as_arrow(true_people).to_pandas(date_as_object=True)
    for field, rule in (("street", standardise_street), ("city", standardise_city)):
        known = {value: rule(value)[0] for value in people[field].dropna().unique()}
        people[field] = people[field].map(known)
    return people


def _field_sql(field: str) -> str:
    """One row per customer with the field: truth (a list), and what each method says."""
    form = ACCURACY_FIELDS[field]
    true = ["mobile", "landline"] if field == "phone" else [field]
    truth = ", ".join(form.format(f"p.{name}") for name in true)
    moment = "(coalesce(g.updated_at, timestamp '0001-01-01'), g.source, g.source_id)"
    return f"""
        (with known as (
            select l.customer_id, {form.format(f"g.{field}")} as value, {moment} as moment
            from people_given g join linked l using (source, source_id)
            where g.{field} is not null
        ),
        counted as (
            select customer_id, value, count(*) as n, max(moment) as moment
            from known group by all
        ),
        plain as (
            select customer_id, arg_max(value, moment) as most_recent,
                   arg_max(value, (n, moment)) as most_frequent
            from counted group by 1
        )
        select '{field}' as field, w.pure, [{truth}] as truth,
               {form.format(f"c.{field}")} as golden, most_recent, most_frequent
        from plain join who w using (customer_id) join persons p using (person_id)
        join golden c using (customer_id)
        where coalesce({", ".join(f"p.{name}" for name in true)}) is not null)"""
