"""What each record offers for a field of the golden record, and how good it looks.

A candidate is a value of one record. Its `valid` is 0 when nothing speaks against it and
falls below with each flaw, which is named; `writing` ranks the spellings of one value.
All is done in the engine, for all customers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.golden_rules import FIELD_RULES
from customer360.linkage.names import NICKNAMES
from customer360.linkage.reachability import NO_WORD, address_key

__all__ = ["ADDRESS", "FIELDS", "candidates_sql", "load_records", "split_agreed"]

ADDRESS = "address"  # the four fields that move as one
_FOLD = (
    f"trim(regexp_replace(strip_accents(replace(replace(lower({{0}}), 'œ', 'oe'), 'æ', 'ae')), "
    f"'{NO_WORD}', ' ', 'g'))"
)
# Column that makes two writings of a name one.
VOTES = {"first_name": "first_vote", "last_name": "last_vote"}
_ADDRESS_TEXT = """concat_ws(chr(31), coalesce(k.street, ''), coalesce(k.postcode, ''),
    coalesce(k.city, ''), coalesce(k.country, ''))"""
# What a candidate of a field is judged by, where that is more than the field.
_SAID = {
    "title": ("title", "first_vote"),
    "email": ("email", "repaired", "shared_by"),
    ADDRESS: ("street", "postcode", "city", "country", "cedex"),
}
# A record fills a field with one of these, where that is not the field.
_FILLED = {
    ADDRESS: ("street", "postcode", "city"),
    "first_name": ("first_vote",),
    "last_name": ("last_vote",),
}
# The fields that are chosen, each by itself.
FIELDS = tuple(
    field for rule in FIELD_RULES for field in ((ADDRESS,) if rule.together else rule.fields)
)
# A name written as the other one this many times more often was put in the wrong field.
SWAPPED_TIMES = 3
FAMILIAR = 3  # customers that bear a name which is no slip
UNTRUSTED = 1_000_000  # after all sources that are named
# A domain this many times rarer than one almost like it is a slip.
RARER_TIMES = 50


def load_records(
    connection: Any,
    people: Any | None,
    linked_records: Any,
    *,
    source_trust: Mapping[str, float] | Sequence[str],
    states: Any,
    stopped: Any,
    as_of: date,
) -> pa.Table:
    """Tell what is known: records with customer, trust and dates, names in their fields.

    The table stays in Arrow, where the engine reads it as `known`: a copy would take more time
    than all that is done with it. In the engine are also `numbered` (customers), `linked`,
    `stops` (unsubscriptions, as records numbered below 0) and the tables that judge values:
    `states_given`, `nicknames`, `shares`, `slips`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    people, linked_records : frame
        Contracts `staged.people` (or None) and `linked_records`.
    source_trust : mapping or sequence
        As for `build_golden_record`.
    states : frame
        From `judge_contact_points`.
    stopped : frame
        From `unsubscriptions`.
    as_of : date

    Returns
    -------
    pyarrow.Table
        Columns of `staged.people` but flags, customer, record, trust, changed_at, first_vote,
        last_vote, home, shared_by, repaired and cedex, sorted by customer and record.
    """
    if isinstance(source_trust, Mapping):
        ordered = sorted(set(source_trust.values()), reverse=True)
        trust = {source: ordered.index(value) for source, value in source_trust.items()}
    else:
        trust = {source: rank for rank, source in enumerate(source_trust)}
    connection.execute("create temp table trusted (source varchar, trust integer)")
    if trust:
        connection.executemany(
            "insert into trusted values (?, ?)", [list(pair) for pair in trust.items()]
        )
    connection.register("linked_given", as_arrow(linked_records))
    connection.register("states_given", as_arrow(states))
    connection.register("stopped", as_arrow(stopped))
    given = _columns_of_people(people)
    connection.register("given", given.append_column("row", pa.array(np.arange(given.num_rows))))
    connection.execute(_NUMBERS)
    connection.execute(_NAMES)
    read = connection.sql(_READ, params={"end": as_of + timedelta(days=1)}).to_arrow_table()
    connection.unregister("given")
    # The records of a customer stand together, as they are read.
    read = read.take(np.lexsort((read["record"], read["customer"])))
    given = given.drop_columns(["first_name", "last_name", "flags"]).take(read["row"])
    known = pa.table(
        {name: given[name] for name in given.column_names}
        | {name: read[name] for name in read.column_names}
    )
    held = {"email": pc.utf8_lower(known["email"]), "phone": known["phone"]}
    shared = {field: _of_several(values, known["customer"]) for field, values in held.items()}
    # An address of several customers is the one's whose first name it spells.
    shared_by = pc.if_else(shared["email"], known["first_vote"], pa.scalar(None, pa.string()))
    known = known.append_column("shared_by", shared_by)
    connection.register("known", known)
    for field, values in held.items():
        several = {"vote": values, "customer": known["customer"]}
        connection.register(f"shared_{field}", pa.table(several).filter(shared[field]))
    _judge_values(connection)
    return known


def _of_several(values: pa.ChunkedArray, customers: pa.ChunkedArray) -> pa.Array:
    """Which values several customers hold, given rows in the order of customers."""
    number, customer = _numbers(values), customers.to_numpy()
    # The last one written stays; -1, for none, is the last place.
    lowest, highest = np.empty((2, number.max(initial=-1) + 2), customer.dtype)
    highest[number], lowest[number[::-1]] = customer, customer[::-1]
    return pa.array((lowest[number] != highest[number]) & (number >= 0))


def _columns_of_people(people: Any | None) -> pa.Table:
    """Records with all columns of the contract, in its types and in one piece."""
    schema = arrow_schema(CONTRACTS["staged.people"])
    if people is None:
        return schema.empty_table()
    table = as_arrow(people).combine_chunks()
    columns = [
        table[field.name].cast(field.type, safe=False)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


# Customers and records by number, in the order of their keys: texts are dear to sort and join.
_NUMBERS = """
create temp table numbered as
select customer_id, (row_number() over (order by customer_id) - 1)::integer as customer
from (select distinct customer_id from linked_given);
create temp table linked as
select customer, source, source_id,
       (row_number() over (order by source, source_id) - 1)::integer as record
from linked_given join numbered using (customer_id);
-- The last one first, before all records.
create temp table stops as
select customer, field, source, source_id, moment,
       -row_number() over (order by moment, source desc, source_id desc)::integer as record
from stopped join numbered using (customer_id)
"""

# How often each name is written in which field.
_NAMES = f"""
create temp table names as
select name, vote, sum(firsts) over same as as_first, sum(lasts) over same as as_last
from (
    select coalesce(f.name, l.name) as name,
           nullif({_FOLD.format("coalesce(f.name, l.name)")}, '') as vote,
           coalesce(f.n, 0) as firsts, coalesce(l.n, 0) as lasts
    from (select first_name as name, count(*) as n from given group by 1) f
    full join (select last_name as name, count(*) as n from given group by 1) l
        on l.name = f.name
)
where name is not null window same as (partition by vote);
"""

# First and last name change places where both are far more often the other one.
_READ = f"""
select coalesce(a.as_last > {SWAPPED_TIMES} * a.as_first
                and b.as_first > {SWAPPED_TIMES} * b.as_last, false) as swapped,
       coalesce(g.flags like '%email_domain_repaired%', false) as repaired,
       coalesce(g.flags like '%cedex%', false) as cedex,
       g.row, l.customer, l.record, coalesce(t.trust, {UNTRUSTED}) as trust,
       least(coalesce(g.updated_at, g.created_at),
             $end::timestamp - interval 1 microsecond) as changed_at,
       if(swapped, g.last_name, g.first_name) as first_name,
       if(swapped, g.first_name, g.last_name) as last_name,
       if(swapped, b.vote, a.vote) as first_vote, if(swapped, a.vote, b.vote) as last_vote,
       if(g.street is not null, {address_key("g")}, null) as home
from given g join linked l on l.source = g.source and l.source_id = g.source_id
left join trusted t on t.source = g.source
left join names a on a.name = g.first_name
left join names b on b.name = g.last_name
"""


def _judge_values(connection: Any) -> None:
    """Write what the records of all people say about single values."""
    pairs = [(short, full) for short, fulls in NICKNAMES.items() for full in fulls]
    short, formal = zip(*pairs, strict=True)
    connection.register("nicknames", pa.table({"short": short, "formal": formal}))
    # Whose is an e-mail or a number that several customers gave? Who gave it most often.
    connection.execute(
        """
        create temp table shares as
        with used as (
            select 'email' as field, vote, customer, count(*) as n from shared_email group by all
            union all
            select 'phone', vote, customer, count(*) from shared_phone group by all
        )
        select *, count(*) over (partition by field, vote order by n desc) > 1 as anothers
        from used
        """
    )
    connection.execute(
        f"""
        create temp table slips as
        with domains as (
            select split_part(lower(email), '@', 2) as domain, count(*) as n
            from known where email is not null group by 1
        )
        select distinct rare.domain from domains rare join domains often
            on often.n >= {RARER_TIMES} * rare.n
            and damerau_levenshtein(rare.domain, often.domain) between 1 and 2
            and length(often.domain) >= 6
        """
    )


def split_agreed(connection: Any, known: pa.Table) -> dict[str, pa.Table]:
    """Tell the customers whose records, for a field, all say the same from the others.

    Where they agree there is nothing to judge or to rank, which spares most of the work.
    Who they are that disagree is written to tables `disputed_<field>`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the tables of `load_records`.
    known : pyarrow.Table
        From `load_records`.

    Returns
    -------
    dict
        Field to a table of those who agree: customer, best (their first record), rule.
    """
    record, customer = (known[name].to_numpy() for name in ("record", "customer"))
    names = {*FIELDS, *sum((*_SAID.values(), *_FILLED.values()), ())} - {ADDRESS}
    words = {name: _numbers(known[name]) for name in names}
    stopped = connection.sql("select distinct field, customer from stops").fetchnumpy()
    agreed = {}
    for field in FIELDS:
        filled = [words[name] >= 0 for name in _FILLED.get(field, (field,))]
        at = np.flatnonzero(np.any(filled, axis=0))
        start = np.flatnonzero(np.diff(customer[at], prepend=-1))
        first = at[start]
        alike = ~np.isin(customer[first], stopped["customer"][stopped["field"] == field])
        for name in _SAID.get(field, (field,)):
            said = words[name][at]
            alike &= np.minimum.reduceat(said, start) == np.maximum.reduceat(said, start)
        several = np.diff(start, append=len(at)) > 1
        rule = pa.DictionaryArray.from_arrays(
            several[alike].astype(np.int8), ["only value", "all records agree"]
        )
        those = first[alike]
        agreed[field] = pa.table({"customer": customer[those], "best": record[those], "rule": rule})
        connection.register(f"disputed_{field}", pa.table({"customer": customer[first[~alike]]}))
    return agreed


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A whole number for each distinct value, -1 for none."""
    return column.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()


def candidates_sql(field: str) -> str:
    """SQL of the candidates of those who disagree, one row per record.

    Columns customer, record, trust, changed_at, text, vote (what makes two writings one
    value), valid, flaw, backed (other data confirm it), writing.

    Parameters
    ----------
    field : str
        One of `FIELDS`.
    """
    if field.startswith("consent"):
        return _consent(field)
    parts = {
        ADDRESS: _address,
        "first_name": _name,
        "last_name": _name,
        "email": _email,
        "phone": _phone,
        "birth_date": _birth_date,
        "title": _title,
    }
    return parts.get(field, _select)(field)


def _filled(field: str) -> str:
    columns = ", ".join(f"k.{name}" for name in _FILLED.get(field, (field,)))
    return f"coalesce({columns}) is not null"


def _text(field: str) -> str:
    return _ADDRESS_TEXT if field == ADDRESS else f"cast(k.{field} as varchar)"


def _select(
    field: str,
    *,
    vote: str = "",
    flaws: Sequence[tuple[str, str]] = (),
    backed: str = "0",
    writing: str = "0",
    joins: str = "",
) -> str:
    """Candidates of one field; of the flaws, the gravest first, one is told."""
    text = _text(field)
    levels = " ".join(f"when {sql} then {i - len(flaws)}" for i, (_, sql) in enumerate(flaws))
    quoted = ((word.replace("'", "''"), sql) for word, sql in flaws)
    words = " ".join(f"when {sql} then '{word}'" for word, sql in quoted)
    valid = f"case {levels} else 0 end" if flaws else "0"
    flaw = f"case {words} end" if flaws else "null::varchar"
    return f"""
        select k.customer, k.record, k.trust, k.changed_at,
               {text} as text, {vote or f"lower(strip_accents({text}))"} as vote,
               {valid} as valid, {flaw} as flaw, {backed} as backed, {writing} as writing
        from known k semi join disputed_{field} using (customer) {joins}
        where {_filled(field)}"""


def _state(field: str) -> str:
    return (
        f"left join states_given s on s.source = k.source and s.source_id = k.source_id "
        f"and s.field = '{field}'"
    )


def _name(field: str) -> str:
    vote = VOTES[field]
    letters = f"k.{vote}"
    short = f"""exists (
        select 1 from known o semi join disputed_{field} using (customer)
        join nicknames n on n.formal = o.{vote}
        where o.customer = k.customer and n.short = k.{vote})"""
    flaws = [("an initial", f"length({letters}) < 2")]
    if field == "first_name":
        flaws.append(("a short form", short))
    # A slip of the keyboard is borne by one customer.
    backed = f"(coalesce(b.customers, 0) >= {FAMILIAR})::int"
    joins = f"""left join (
        select {vote} as vote, count(distinct customer) as customers from known group by 1
    ) b on b.vote = k.{vote}"""
    if field == "last_name":
        backed = f"if(a.vote is not null, 2, {backed})"
        joins += _AT_HOME
    # Accents and hyphens are lost on the way, hardly ever added.
    marked = f"regexp_matches(k.{field}, '[^ -~]')"
    marks = f"if({marked}, len(regexp_extract_all(k.{field}, '[^ -~]')), 0)"
    accents = f"{marks} * 2 + (k.{field} like '%-%')::int"
    return _select(
        field,
        vote=letters,
        flaws=flaws,
        backed=backed,
        writing=accents,
        joins=joins,
    )


# Family names that somebody else bears in the same house.
_AT_HOME = """
    left join (
        select distinct customer, vote
        from (
            select distinct customer, last_vote as vote
            from known semi join disputed_last_name using (customer)
        ) join (
            select distinct customer, home from known semi join disputed_last_name using (customer)
            where street is not null and postcode is not null
        ) using (customer)
        semi join (
            select home, last_vote as vote from known
            where last_vote is not null and street is not null and postcode is not null
            group by all having min(customer) <> max(customer)
        ) s using (home, vote)
    ) a on a.customer = k.customer and a.vote = k.last_vote"""


def _title(field: str) -> str:
    return _select(
        field,
        flaws=[
            (
                "of another first name",
                "c.vote is not null and k.first_vote is distinct from c.vote",
            )
        ],
        joins="""left join (
            select c.customer, f.first_vote as vote
            from followed c join known f using (record)
        ) c on c.customer = k.customer""",
    )


def _birth_date(field: str) -> str:
    return _select(
        field,
        flaws=[("1 January, a default", "month(k.birth_date) = 1 and day(k.birth_date) = 1")],
    )


def _email(field: str) -> str:
    # An address that spells the first name is that person's, whoever else uses it.
    local = "regexp_replace(strip_accents(split_part(lower(k.email), '@', 1)), '[^a-z]', '', 'g')"
    spells = f"""coalesce(length(k.first_vote) > 2
        and contains({local}, replace(k.first_vote, ' ', '')), false)"""
    return _select(
        field,
        vote="lower(k.email)",
        flaws=[
            ("bounced", "s.state = 'hard'"),
            ("a slip of the keyboard", "d.domain is not null"),
            ("another customer's", f"coalesce(h.anothers, false) and not {spells}"),
            ("a repaired slip", "k.repaired"),
            ("mailbox full", "s.state = 'soft'"),
        ],
        backed="coalesce(s.state = 'works', false)::int",
        joins=f"""{_state(field)}
            left join shares h on h.field = 'email' and h.vote = lower(k.email)
                and h.customer = k.customer
            left join slips d on d.domain = split_part(lower(k.email), '@', 2)""",
    )


def _phone(field: str) -> str:
    return _select(
        field,
        vote="k.phone",
        flaws=[
            ("failed", "s.state = 'hard'"),
            ("another customer's", "coalesce(h.anothers, false)"),
        ],
        joins=f"""{_state(field)}
            left join shares h on h.field = 'phone' and h.vote = k.phone
                and h.customer = k.customer""",
    )


def _address(field: str) -> str:
    box = r"regexp_matches(w.words, '\b(bp|cs) [0-9]')"
    return _select(
        field,
        # A postcode alone confirms the address that has it.
        vote="coalesce(if(k.street is null, h.home, k.home), k.postcode, k.city)",
        flaws=[
            ("no postcode", "k.postcode is null"),
            (
                "returned by the post office",
                "s.state = 'hard' or (k.street is null and coalesce(h.dead, false))",
            ),
            ("a post box", f"{box} or k.cedex"),
        ],
        # The most words: nothing was left out or run together.
        writing="""coalesce(len(string_split(w.words, ' ')), 0) * 100
            + (k.city is not null)::int * 50 + coalesce(length(k.street), 0)""",
        joins=f"""{_state("street")}
            left join (
                select street, {_FOLD.format("street")} as words
                from (select distinct street from known semi join disputed_address using (customer))
            ) w on w.street = k.street
            left join (
                select o.customer, o.postcode, max(o.home) as home,
                       bool_or(d.state = 'hard') as dead
                from known o semi join disputed_address using (customer) left join states_given d
                    on d.source = o.source and d.source_id = o.source_id and d.field = 'street'
                where o.street is not null and o.postcode is not null group by all
            ) h on h.customer = k.customer and h.postcode = k.postcode""",
    )


def _consent(field: str) -> str:
    """Consents of records, and unsubscriptions, which void older agreements."""
    return _select(
        field,
        flaws=[
            (
                "older than an unsubscription",
                f"k.{field} and u.stopped_at is not null "
                "and coalesce(k.created_at <= u.stopped_at, true)",
            )
        ],
        joins=f"""left join (
            select customer, max(moment) as stopped_at from stops
            where field = '{field}' group by 1) u on u.customer = k.customer""",
    ) + (
        f""" union all
        select customer, record, 0 as trust, moment as changed_at, 'false' as text,
               'false' as vote, 0 as valid, null as flaw, 0 as backed, 1 as writing
        from stops where field = '{field}'"""
    )
