"""Records of people made ready to be compared.

Every text is folded (small letters, no accents, single spaces) and records are numbered
in the order of their key, so that neither capitals nor the order of rows matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from customer360.cleaning.streets import COMPLEMENTS
from customer360.linkage.engine_tables import as_arrow
from customer360.linkage.names import NICKNAMES, names_in_email, sound_sql

__all__ = ["COLUMNS", "LinkageError", "derive_columns", "prepare_records"]


class LinkageError(ValueError):
    """People cannot be linked as asked. The message says why and what to do."""


# Names are swapped once in fifty records: this evidence (in nats) leaves one doubt in twenty.
SWAPPED_ODDS = 7.0
# One name alone tells half as much.
MISPLACED_ODDS = 3.5

_FOLDED = (
    "nullif(trim(regexp_replace(strip_accents(replace(replace(lower({0}), 'œ', 'oe'), 'æ', 'ae')),"
    " '[^a-z0-9]+', ' ', 'g')), '')"
)
# Flat and building are left out where another record has them: the house is compared.
_COMPLEMENT = ", (" + "|".join(kind for kind in COMPLEMENTS if kind) + r")\b.*$"
# Columns of table `records`, from those of the contract `staged.people`.
COLUMNS = {
    "first_name": _FOLDED.format("first_name"),
    "last_name": _FOLDED.format("last_name"),
    "title": "title",
    # Text that is no date (the 31st of June) can still be compared.
    "birth_date": r"regexp_replace(birth_date, '^(\d{4})-?(\d{2})-?(\d{2}).*$', '\1-\2-\3')",
    "email": "lower(email)",
    "email_name": "regexp_replace(split_part(lower(email), '@', 1), '[+].*$', '')",
    "phone": "phone",
    "street": _FOLDED.format(f"regexp_replace(street, '{_COMPLEMENT}', '')"),
    # 1000 is Brussels and Lausanne: postcodes of other countries than most bear their name.
    "postcode": "case when country <> (select country from home) then upper(country) || ' ' "
    "else '' end || upper(postcode)",
    "city": _FOLDED.format("city"),
    "country": "upper(country)",
    "opened_on": "try_cast(substr(created_at, 1, 10) as date)",
}
_GIVEN = (
    "first_name", "last_name", "title", "birth_date", "email", "phone", "street", "postcode",
    "city", "country", "created_at",
)  # fmt: skip
# French mobiles, mainland and overseas.
_MOBILE = r"^[+](33[67]|(262|590|594|596)(69|63|70))"
_FIRST, _LAST = "replace(first_name, ' ', '')", "replace(last_name, ' ', '')"
# Columns made from those above. An address made of the names alone repeats them.
_DERIVED = {
    "both_names": "least(first_name, last_name) || '|' || greatest(first_name, last_name)",
    "phone_kind": f"regexp_matches(phone, '{_MOBILE}')",
    "house_number": "coalesce(regexp_extract(street, '^[0-9]+'), '')",
    "email_digits": "regexp_replace(email_name, '[^0-9]+', '', 'g')",
    "email_letters": "regexp_replace(strip_accents(email_name), '[^a-z]+', '', 'g')",
    "email_of_names": f"""coalesce(email_letters in (
        {_FIRST} || {_LAST}, {_LAST} || {_FIRST}, {_FIRST}, {_LAST},
        {_FIRST}[1] || {_LAST}, {_LAST} || {_FIRST}[1], {_FIRST} || {_LAST}[1]
    ) and length(email_digits) < 3, false)""",
}


def prepare_records(connection: Any, people: Any, *, extra: Sequence[str] = ()) -> int:
    """Write table `records`: one row per source and source_id, ready to be compared.

    As `fold_records`, numbered and with the columns derived.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    people : frame
        Contract `staged.people`; columns may be missing.
    extra : sequence of str
        Columns beyond the contract that are compared too.

    Returns
    -------
    int
        Records whose name was read from the e-mail.

    Raises
    ------
    LinkageError
        If the key columns are missing.
    """
    read = fold_records(connection, people, extra=extra)
    # Numbered without the rest, which would be dear to sort.
    connection.execute(
        """create or replace temp table numbers as
        select source, source_id, row_number() over (order by source, source_id) as record
        from named"""
    )
    derive_columns(connection, "named", numbers="numbers")
    connection.execute("drop table numbers; drop table named")
    return read


def fold_records(
    connection: Any, people: Any, *, extra: Sequence[str] = (), others: str | None = None
) -> int:
    """Write table `named`: one row per source and source_id, in one writing.

    Names that are missing are read from the e-mail where it spells them
    (`marie.durand@`), which the record then says as much as its other fields.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    people : frame
        Contract `staged.people`; columns may be missing. Of rows with the same source
        and source_id the freshest is kept.
    extra : sequence of str
        Columns beyond the contract that are compared too.
    others : str, optional
        Table of records made ready before, whose names count too when it is told which
        names are first names.

    Returns
    -------
    int
        Records whose name was read from the e-mail.

    Raises
    ------
    LinkageError
        If the key columns are missing.
    """
    connection.register("people_given", as_arrow(people))
    found = {row[0] for row in connection.execute("describe people_given").fetchall()}
    missing = [c for c in ("source", "source_id") if c not in found]
    if missing:
        raise LinkageError(
            f"people has no column {', '.join(missing)}: run the cleaning stage first, or map "
            "the columns that name the system and number its records"
        )
    # Absent columns are columns without a value.
    given = [
        f"cast({c} as varchar) as {c}" if c in found else f"null::varchar as {c}"
        for c in (*_GIVEN, *extra)
    ]
    updated = "try_cast(updated_at as timestamp)" if "updated_at" in found else "null::timestamp"
    given.append(f"{updated} as updated_at")
    folded = COLUMNS | {name: _FOLDED.format(name) for name in extra}
    columns = ", ".join(f"{sql} as {name}" for name, sql in folded.items())
    connection.execute(
        f"""
        create or replace temp table folded as
        with given as (
            select cast(source as varchar) as source, cast(source_id as varchar) as source_id,
                   {", ".join(given)}
            from people_given
        ),
        doubled as (select source, source_id from given group by all having count(*) > 1),
        one as (
            from given anti join doubled using (source, source_id)
            union all
            from given semi join doubled using (source, source_id)
            qualify row_number() over (
                partition by source, source_id
                order by updated_at desc nulls last, {", ".join((*_GIVEN, *extra))}
            ) = 1
        ),
        home as (
            select country from one where country is not null
            group by 1 order by count(*) desc, country limit 1
        )
        select source, source_id, {columns} from one
        """
    )
    connection.unregister("people_given")
    # The second time, the names put right tell more about the others.
    for _ in range(2):
        _put_names_in_place(connection, others)
    read = _read_names(connection, others)
    connection.register("names_read", read)
    connection.execute(
        """
        create or replace temp table named as
        select f.* replace (coalesce(f.first_name, n.first_read) as first_name,
                            coalesce(f.last_name, n.last_read) as last_name),
               f.first_name is null as first_name_read, f.last_name is null as last_name_read
        from folded f left join names_read n
            on n.email_name = f.email_name
            and n.first_name is not distinct from f.first_name
            and n.last_name is not distinct from f.last_name
        """
    )
    connection.unregister("names_read")
    connection.execute("drop table folded")
    return len(read)


def derive_columns(connection: Any, named: str, *, numbers: str | None = None) -> None:
    """Write table `records` from folded records whose names are in their place.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    named : str
        Table with source, source_id, the columns of `COLUMNS`, first_name_read and
        last_name_read, and record (their number) unless `numbers` has it.
    numbers : str, optional
        Table with source, source_id and record.
    """
    record, numbered = "", ""
    if numbers:
        record, numbered = "record, ", f"join {numbers} using (source, source_id)"
    known = pd.DataFrame(
        [(short, full) for short, fulls in NICKNAMES.items() for full in fulls],
        columns=["short", "formal"],
    )
    connection.register("nicknames", known)
    derived = ", ".join(f"{sql} as {name}" for name, sql in _DERIVED.items())
    connection.execute(
        f"""
        create or replace temp table records as
        with sounds as (
            select name, {sound_sql("name")} as sound from (
                select first_name as name from {named} union select last_name from {named})
        ),
        -- A name and the full names it may be short for.
        forms as (
            select short, list(formal order by formal) as formals from nicknames group by 1
        )
        select {record}n.*, list_append(coalesce(formals, []), first_name) as first_names,
               firsts.sound as first_sound, lasts.sound as last_sound, {derived}
        from {named} n {numbered}
        left join forms on forms.short = n.first_name
        left join sounds firsts on firsts.name = n.first_name
        left join sounds lasts on lasts.name = n.last_name
        """
    )
    connection.unregister("nicknames")


def _names(others: str | None) -> str:
    more = f" union all select first_name, last_name from {others}" if others else ""
    return f"(select first_name, last_name from folded{more})"


def _put_names_in_place(connection: Any, others: str | None) -> None:
    """Swap back the first and family name of records that hold each in the other's place.

    A name is known as a first or a family name by how often it stands in each column.
    """
    # Few change: all columns of all records would be dear to write anew.
    connection.execute(
        f"""
        create or replace temp table swapped as
        with places as (
            select name, ln((sum(f) + 0.5) / (sum(l) + 0.5)) as odds from (
                select first_name as name, 1 as f, 0 as l from {_names(others)}
                union all select last_name, 0, 1 from {_names(others)})
            where name is not null group by 1
        )
        select folded.rowid as row
        from folded left join places f on f.name = folded.first_name
        left join places l on l.name = folded.last_name
        where coalesce(f.odds, 0) - coalesce(l.odds, 0)
            < -case when first_name is null or last_name is null
                    then {MISPLACED_ODDS} else {SWAPPED_ODDS} end;
        update folded set first_name = last_name, last_name = first_name
        where rowid in (select row from swapped);
        drop table swapped
        """
    )


def _read_names(connection: Any, others: str | None) -> pd.DataFrame:
    """Names that e-mails spell, for the records that miss one.

    One row per email_name, first_name and last_name; columns first_read, last_read.
    """
    firsts = _vocabulary(connection, "first_name", others)
    lasts = _vocabulary(connection, "last_name", others)
    wanted = connection.execute(
        """select distinct email_name, first_name, last_name from folded
        where email_name is not null and (first_name is null or last_name is null)
        order by all"""
    ).fetchall()
    rows = []
    for email_name, first, last in wanted:
        read = names_in_email(email_name, first=first, last=last, firsts=firsts, lasts=lasts)
        if read is not None:
            rows.append((email_name, first, last, *read))
    names = ["email_name", "first_name", "last_name", "first_read", "last_read"]
    return pd.DataFrame(rows, columns=names, dtype="str")


def _vocabulary(connection: Any, column: str, others: str | None) -> dict[str, str]:
    """Names that several records bear, written in one word, to how they are written."""
    rows = connection.execute(
        f"""select replace({column}, ' ', '') as word, {column}, count(*) as n from {_names(others)}
        where length({column}) > 2 group by all having n > 1 order by n, {column}"""
    ).fetchall()
    return {word: name for word, name, _ in rows}
