"""What each record offers for a field of the golden record, and how good it looks.

A candidate is a value of one record. Its `valid` is 0 when nothing speaks against it and
falls below with each flaw, which is named; `writing` ranks the spellings of one value.
All is done in the engine, for all customers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from customer360.contracts import CONTRACTS
from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.golden_rules import FieldRule
from customer360.linkage.names import NICKNAMES
from customer360.linkage.reachability import address_key

__all__ = ["ADDRESS", "TYPES", "load_records", "write_candidates"]

ADDRESS = "address"  # the four fields that move as one
TYPES = {"text": "varchar", "date": "date", "flag": "boolean", "time": "timestamp"}
_FOLD = (
    "trim(regexp_replace(strip_accents(replace(replace(lower({0}), 'œ', 'oe'), 'æ', 'ae')), "
    "'[^a-z0-9]+', ' ', 'g'))"
)
# A name written as the other one this many times more often was put in the wrong field.
SWAPPED_TIMES = 3
FAMILIAR = 3  # customers that bear a name which is no slip
# A domain this many times rarer than one almost like it is a slip.
RARER_TIMES = 50


def load_records(
    connection: Any,
    people: Any | None,
    linked_records: Any,
    *,
    source_trust: Mapping[str, float] | Sequence[str],
    states: Any,
    as_of: date,
) -> None:
    """Write table `known`: records with customer, trust and dates, names in their fields.

    Also the tables that judge values: `states_given`, `names_of`, `shares`, `slips`.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    people, linked_records : frame
        Contracts `staged.people` (or None) and `linked_records`.
    source_trust : mapping or sequence
        As for `build_golden_record`.
    states : frame
        From `judge_contact_points`.
    as_of : date
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
    connection.register("linked", as_arrow(linked_records))
    connection.register("states_given", as_arrow(states))
    contract = CONTRACTS["staged.people"]
    found: set[str] = set()
    if people is not None:
        connection.register("people_given", as_arrow(people))
        found = {row[0] for row in connection.execute("describe people_given").fetchall()}
    columns = ", ".join(
        f"cast({c.name} as {TYPES[c.dtype]}) as {c.name}"
        if c.name in found
        else f"null::{TYPES[c.dtype]} as {c.name}"
        for c in contract.columns
    )
    source = "people_given" if people is not None else "(select 1 where false)"
    end = as_of + timedelta(days=1)
    connection.execute(
        f"""
        create temp table given as
        select l.customer_id, l.source, l.source_id, g.* exclude (source, source_id),
               {_FOLD.format("first_name")} as first_vote, {_FOLD.format("last_name")} as last_vote,
               coalesce(t.trust, {len(trust) + 1}) as trust,
               least(coalesce(g.updated_at, g.created_at),
                     timestamp '{end:%Y-%m-%d}' - interval 1 microsecond) as changed_at,
               row_number() over (order by l.source, l.source_id) as record
        from linked l
        join (select {columns} from {source}) g
            on g.source = l.source and g.source_id = l.source_id
        left join trusted t on t.source = l.source
        """
    )
    connection.execute(_SWAP)
    _judge_values(connection)


# First and last name change places where both are far more often the other one.
_SWAP = f"""
create temp table known as
with firsts as (select first_vote as vote, count(*) as n from given group by 1),
lasts as (select last_vote as vote, count(*) as n from given group by 1),
told as (
    select g.*,
           coalesce(fl.n, 0) > {SWAPPED_TIMES} * coalesce(ff.n, 0)
               and coalesce(lf.n, 0) > {SWAPPED_TIMES} * coalesce(ll.n, 0) as swapped
    from given g
    left join firsts ff on ff.vote = g.first_vote left join lasts fl on fl.vote = g.first_vote
    left join firsts lf on lf.vote = g.last_vote left join lasts ll on ll.vote = g.last_vote
)
select * replace (
           if(swapped, last_name, first_name) as first_name,
           if(swapped, first_name, last_name) as last_name,
           if(swapped, last_vote, first_vote) as first_vote,
           if(swapped, first_vote, last_vote) as last_vote
       )
from told
"""


def _judge_values(connection: Any) -> None:
    """Write what the records of all people say about single values."""
    pairs = [(short, full) for short, fulls in NICKNAMES.items() for full in fulls]
    short, formal = zip(*pairs, strict=True)
    connection.register("nicknames", pa.table({"short": short, "formal": formal}))
    # How many customers bear a name: a slip of the keyboard is borne by one.
    connection.execute(
        """
        create temp table names_of as
        select 'first_name' as field, first_vote as vote, count(distinct customer_id) as customers
        from known where first_vote is not null group by all
        union all
        select 'last_name', last_vote, count(distinct customer_id)
        from known where last_vote is not null group by all
        """
    )
    # Family names that somebody else bears in the same house.
    connection.execute(
        f"""
        create temp table names_at_home as
        with homes as (
            select distinct customer_id, last_vote as vote, {address_key("k")} as home
            from known k
            where last_vote is not null and street is not null and postcode is not null
        ),
        shared as (
            select home, vote, min(customer_id) as one, max(customer_id) as other
            from homes group by all having one <> other
        ),
        lives as (
            select distinct customer_id, {address_key("k")} as home
            from known k where street is not null and postcode is not null
        )
        select distinct l.customer_id, s.vote from lives l join shared s using (home)
        """
    )
    # Whose is an e-mail or a number that several customers gave? Who gave it most often.
    connection.execute(
        """
        create temp table shares as
        with used as (
            select 'email' as field, lower(email) as vote, customer_id, count(*) as n
            from known where email is not null group by all
            union all
            select 'phone', phone, customer_id, count(*)
            from known where phone is not null group by all
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


def write_candidates(connection: Any, rule: FieldRule) -> None:
    """Write table `candidates`: one row per record and field that it fills.

    Columns customer_id, source, source_id, told_at, record, trust, changed_at, field, text,
    vote (what makes two writings one value), valid, flaw, backed (other data confirm it),
    writing.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the tables of `load_records`, and `chosen` for a rule that follows.
    rule : FieldRule
    """
    parts = {
        "address": [_address()],
        "first_name": [_name("first_name", "first_vote")],
        "last_name": [_name("last_name", "last_vote")],
        "email": [_email()],
        "phone": [_phone()],
        "birth_date": [_birth_date()],
        "title": [_title()],
        "consents": [_consent(field) for field in rule.fields],
    }
    if rule.together:
        kind = "address"
    elif "refusal" in rule.order:
        kind = "consents"
    else:
        kind = rule.fields[0]
    chosen = parts.get(kind) or [_plain(field) for field in rule.fields]
    connection.execute(f"create or replace temp table candidates as {' union all '.join(chosen)}")


def _select(
    field: str,
    *,
    text: str = "",
    vote: str = "",
    flaws: Sequence[tuple[str, str]] = (),
    backed: str = "0",
    writing: str = "0",
    joins: str = "",
    where: str = "",
) -> str:
    """Candidates of one field; of the flaws, the gravest first, one is told."""
    text = text or f"cast(k.{field} as varchar)"
    levels = " ".join(f"when {sql} then {i - len(flaws)}" for i, (_, sql) in enumerate(flaws))
    quoted = ((word.replace("'", "''"), sql) for word, sql in flaws)
    words = " ".join(f"when {sql} then '{word}'" for word, sql in quoted)
    valid = f"case {levels} else 0 end" if flaws else "0"
    flaw = f"case {words} end" if flaws else "null::varchar"
    return f"""
        select k.customer_id, k.source, k.source_id, k.updated_at as told_at, k.record, k.trust,
               k.changed_at, '{field}' as field,
               {text} as text, {vote or f"lower(strip_accents({text}))"} as vote,
               {valid} as valid, {flaw} as flaw, {backed} as backed, {writing} as writing
        from known k {joins} where {where or f"k.{field} is not null"}"""


def _state(field: str) -> str:
    return (
        f"left join states_given s on s.source = k.source and s.source_id = k.source_id "
        f"and s.field = '{field}'"
    )


def _plain(field: str) -> str:
    return _select(field)


def _name(field: str, vote: str) -> str:
    letters = f"k.{vote}"
    short = f"""exists (select 1 from known o join nicknames n on n.formal = o.{vote}
        where o.customer_id = k.customer_id and n.short = k.{vote})"""
    flaws = [("an initial", f"length({letters}) < 2")]
    if field == "first_name":
        flaws.append(("a short form", short))
    backed = f"(coalesce(b.customers, 0) >= {FAMILIAR})::int"
    if field == "last_name":
        backed = f"if(a.vote is not null, 2, {backed})"
    # Accents and hyphens are lost on the way, hardly ever added.
    accents = f"len(regexp_extract_all(k.{field}, '[^ -~]')) * 2 + (k.{field} like '%-%')::int"
    return _select(
        field,
        vote=letters,
        flaws=flaws,
        backed=backed,
        writing=accents,
        joins=f"""left join names_of b on b.field = '{field}' and b.vote = k.{vote}
            left join names_at_home a on a.customer_id = k.customer_id and a.vote = k.{vote}""",
        where=f"k.{field} is not null and k.{vote} <> ''",
    )


def _title() -> str:
    return _select(
        "title",
        flaws=[
            (
                "of another first name",
                "c.vote is not null and k.first_vote is distinct from c.vote",
            )
        ],
        joins="left join chosen c on c.customer_id = k.customer_id and c.field = 'first_name'",
    )


def _birth_date() -> str:
    return _select(
        "birth_date",
        flaws=[("1 January, a default", "month(k.birth_date) = 1 and day(k.birth_date) = 1")],
    )


def _email() -> str:
    # An address that spells the first name is that person's, whoever else uses it.
    local = "regexp_replace(strip_accents(split_part(lower(k.email), '@', 1)), '[^a-z]', '', 'g')"
    spells = f"""coalesce(length(k.first_vote) > 2
        and contains({local}, replace(k.first_vote, ' ', '')), false)"""
    return _select(
        "email",
        vote="lower(k.email)",
        flaws=[
            ("bounced", "s.state = 'hard'"),
            ("a slip of the keyboard", "d.domain is not null"),
            ("another customer's", f"coalesce(h.anothers, false) and not {spells}"),
            ("a repaired slip", "coalesce(k.flags like '%email_domain_repaired%', false)"),
            ("mailbox full", "s.state = 'soft'"),
        ],
        backed="coalesce(s.state = 'works', false)::int",
        joins=f"""{_state("email")}
            left join shares h on h.field = 'email' and h.vote = lower(k.email)
                and h.customer_id = k.customer_id
            left join slips d on d.domain = split_part(lower(k.email), '@', 2)""",
    )


def _phone() -> str:
    return _select(
        "phone",
        vote="k.phone",
        flaws=[
            ("failed", "s.state = 'hard'"),
            ("another customer's", "coalesce(h.anothers, false)"),
        ],
        joins=f"""{_state("phone")}
            left join shares h on h.field = 'phone' and h.vote = k.phone
                and h.customer_id = k.customer_id""",
    )


def _address() -> str:
    words = f"{_FOLD.format('k.street')}"
    box = rf"regexp_matches({words}, '\b(bp|cs) [0-9]')"
    return _select(
        ADDRESS,
        text="""concat_ws(chr(31), coalesce(k.street, ''), coalesce(k.postcode, ''),
            coalesce(k.city, ''), coalesce(k.country, ''))""",
        # A postcode alone confirms the address that has it.
        vote=f"""coalesce(if(k.street is null, h.home, {address_key("k")}),
            k.postcode, k.city)""",
        flaws=[
            ("no postcode", "k.postcode is null"),
            (
                "returned by the post office",
                "s.state = 'hard' or (k.street is null and coalesce(h.dead, false))",
            ),
            ("a post box", f"{box} or coalesce(k.flags like '%cedex%', false)"),
        ],
        # The most words: nothing was left out or run together.
        writing=f"""coalesce(len(string_split({words}, ' ')), 0) * 100
            + (k.city is not null)::int * 50 + coalesce(length(k.street), 0)""",
        joins=f"""{_state("street")}
            left join (
                select o.customer_id, o.postcode, max({address_key("o")}) as home,
                       bool_or(d.state = 'hard') as dead
                from known o left join states_given d
                    on d.source = o.source and d.source_id = o.source_id and d.field = 'street'
                where o.street is not null and o.postcode is not null group by all
            ) h on h.customer_id = k.customer_id and h.postcode = k.postcode""",
        where="coalesce(k.street, k.postcode, k.city) is not null",
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
            select customer_id, max(moment) as stopped_at from stopped
            where field = '{field}' group by 1) u on u.customer_id = k.customer_id""",
    ) + (
        f""" union all
        select customer_id, source, source_id, moment as told_at, 0 as record, 0 as trust,
               moment as changed_at, field, 'false' as text, 'false' as vote, 0 as valid,
               null as flaw, 0 as backed, 1 as writing
        from stopped where field = '{field}'"""
    )
