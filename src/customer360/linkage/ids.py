"""A customer keeps its id from run to run; what changes is written down.

The ids given before are an input, the ids given now and the history an output: nothing is
remembered behind the reader's back (docs/decisions/0007).
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS, arrow_schema, empty_table
from customer360.linkage.engine_tables import as_arrow, as_contract, in_key_order, in_parts

__all__ = ["keep_ids"]

KEY = ["source", "source_id"]
# `c` and twelve digits of the SHA-256 of the oldest record; a number is added when that is taken.
FRESH_ID = "'c' || substr(sha256(source || chr(31) || source_id || {salt}), 1, 12)"


def keep_ids(
    linked: Any,
    *,
    as_of: date,
    known: Any | None = None,
    history: Any | None = None,
    decided: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each group of records the id its people already had, or one never used.

    A group takes the id of the old customer with which it shares most records; of equals,
    the id given first, then the one of the smallest record key. An id goes to one group
    only: when a customer falls apart, the largest part keeps it and the others get fresh
    ids; when two become one, the larger one's id stays.

    Parameters
    ----------
    linked : frame
        Contract `linked_records`; its customer_id only says which records go together.
    as_of : date
        Last day of which everything is known: the day of what happens to ids now.
    known : frame, optional
        Contract `linked_records`, with the ids given before. Without it all are new.
    history : frame, optional
        Contract `id_history`: what happened to ids before. Ids in it are never given anew.
    decided : pandas.DataFrame, optional
        From `corrections.read_decisions`; tells which merges and splits a person asked for.

    Returns
    -------
    linked_records : pandas.DataFrame
        Contract `linked_records`, sorted by key.
    id_history : pandas.DataFrame
        Contract `id_history`: the rows given, and those of this run.
    """
    linked, known, history = (
        empty_table(CONTRACTS[name]) if table is None else as_contract(table, name)
        for table, name in (
            (linked, "linked_records"),
            (known, "linked_records"),
            (history, "id_history"),
        )
    )
    linked = in_key_order(linked)
    # A connection to the engine that is there: to start another takes longer than some steps.
    with closing(duckdb.cursor()) as connection:
        for name, table in (("linked", linked), ("known", known), ("history", history)):
            connection.register(name, in_parts(table))
        _name_groups(connection, linked, known)
        _give_ids(connection)
        _note_reasons(connection, decided)
        given = connection.sql("select grp, customer_id from given").to_arrow_table()
        news = _write_history(connection, as_of=as_of)
    at = pc.index_in(linked["customer_id"], given["grp"])
    ids = pc.coalesce(given["customer_id"].take(at), linked["customer_id"])
    column = linked.column_names.index("customer_id")
    records = linked.set_column(column, "customer_id", ids)
    written = pa.concat_tables([history, news])
    return records.to_pandas(), written.to_pandas(date_as_object=True)


def _name_groups(connection: Any, linked: pa.Table, known: pa.Table) -> None:
    """Tables `records` and `overlap`: groups, and the old customers they hold.

    Only groups to decide about: one that bears the id of an old customer with the same
    records keeps it. `alone` is a group with one old customer that no other group has.
    """
    # Records that are where they were are many: they are told by a number, not by three texts.
    asked = "select hash(source, source_id, customer_id) as place from "
    now, then = (
        pd.Index(connection.execute(asked + table).fetchnumpy()["place"])
        for table in ("linked", "known")
    )
    come = linked["customer_id"].filter(pa.array(~now.isin(then)))
    gone = known["customer_id"].filter(pa.array(~then.isin(now)))
    moved = pa.chunked_array([*come.chunks, *gone.chunks], pa.string()).unique()
    for name, table in (("linked_moved", linked), ("known_moved", known)):
        connection.register(name, table.filter(pc.is_in(table["customer_id"], moved)))
    connection.execute(
        """
        create temp table records as
        select source, source_id, l.customer_id as grp, k.customer_id as old
        from linked_moved l full join known_moved k using (source, source_id);
        create temp table overlap as
        with shared as (
            select grp, old, count(*) as shared from records
            where grp is not null and old is not null group by all
        )
        select *, count(*) over (partition by grp) = 1 and count(*) over (partition by old) = 1
            as alone
        from shared;
        create temp table known_again as
        select source, source_id, old as customer_id from records where old is not null;
        delete from records where grp is null
        """
    )


def _give_ids(connection: Any) -> None:
    """Table `given`: one id a group."""
    contested = connection.execute(
        """
        with contested as (from overlap where not alone),
        given_first as (
            select to_id, min(run) as since from history
            where to_id in (select old from contested) group by 1
        ),
        oldest as (
            select grp, old, min({'source': source, 'source_id': source_id}) as oldest
            from contested join records using (grp, old) group by all
        )
        select grp, old,
               row_number() over (order by shared desc, coalesce(since, 0), oldest, old) as place
        from contested join oldest using (grp, old) left join given_first on to_id = old
        order by place
        """
    ).df()
    connection.register("best", _best_pairs(contested))
    connection.execute(
        """
        create temp table kept as
            select grp, old from overlap where alone union all select grp, old from best;
        create temp table nameless as
            select grp, min({'source': source, 'source_id': source_id}) as oldest
            from records where grp not in (select grp from kept) group by 1;
        create temp table given as select grp, old as customer_id from kept;
        create temp view used as
            select customer_id as id from known
            union all select from_id from history union all select to_id from history
        """
    )
    tries = 0
    while connection.execute("select count(*) from nameless").fetchall()[0][0]:
        salt = f"chr(31) || '{tries}'" if tries else "''"
        connection.execute(
            f"""
            create or replace temp table proposed as
            select grp, {FRESH_ID.format(salt=salt)} as id
            from (select grp, oldest.source as source, oldest.source_id as source_id from nameless)
            qualify row_number() over (partition by id order by grp) = 1;
            delete from proposed where id in (select id from used semi join proposed using (id))
                or id in (select customer_id from given);
            insert into given select grp, id from proposed;
            delete from nameless where grp in (select grp from proposed)
            """
        )
        tries += 1


def _best_pairs(edges: pd.DataFrame) -> pd.DataFrame:
    """Groups and old customers paired one to one, in the order of `place`.

    A pair that is first for both its ends can be taken at once: that is what taking them
    one by one would do, without a loop over customers.
    """
    taken = []
    while len(edges):
        place = edges["place"].to_numpy()
        first = (place == edges.groupby("grp")["place"].transform("min").to_numpy()) & (
            place == edges.groupby("old")["place"].transform("min").to_numpy()
        )
        best = edges[first]
        taken.append(best[["grp", "old"]])
        left = ~(edges["grp"].isin(best["grp"]) | edges["old"].isin(best["old"]))
        edges = edges[left]
    if not taken:
        return pd.DataFrame({"grp": pd.Series(dtype="str"), "old": pd.Series(dtype="str")})
    return pd.concat(taken, ignore_index=True)


def _note_reasons(connection: Any, decided: pd.DataFrame | None) -> None:
    """Table `reasons`: moves from one id to another that a person asked for."""
    if decided is None or decided.empty:
        connection.execute(
            "create temp table reasons (from_id varchar, to_id varchar, reason varchar)"
        )
        return
    connection.register("decided_given", as_arrow(decided))
    connection.execute(
        """
        create temp table reasons as
        with moved as (
            select k.source, k.source_id, k.customer_id as from_id, g.customer_id as to_id
            from known_again k join records using (source, source_id) join given g using (grp)
        ),
        ends as (
            select d.verdict, d.reason, l.from_id as from_l, l.to_id as to_l,
                   r.from_id as from_r, r.to_id as to_r
            from decided_given d
            join moved l on l.source = d.source_l and l.source_id = d.source_id_l
            join moved r on r.source = d.source_r and r.source_id = d.source_id_r
        ),
        turned as (
            select * from ends
            union all select verdict, reason, from_r, to_r, from_l, to_l from ends
        )
        select from_l as from_id, to_l as to_id, max(reason) as reason from turned
        where from_l <> to_l and (
            (verdict = 'different' and from_l = from_r and to_l <> to_r)
            or (verdict = 'same' and from_l <> from_r and to_l = to_r)
        )
        group by all
        """
    )


def _write_history(connection: Any, *, as_of: date) -> pa.Table:
    """What happens to ids in this run."""
    found = connection.sql(
        """
        with alive as (select customer_id from given),
        changes as (
            select old as from_id, customer_id as to_id, shared as records,
                   case when old in (select customer_id from alive) then 'split'
                        else 'merged' end as why
            from overlap join given using (grp) where old <> customer_id
            union all
            select null, customer_id, count(*), 'new' from given join records using (grp)
            where grp not in (select grp from overlap) group by customer_id
            union all
            select customer_id, null, count(*), 'gone' from known_again
            where customer_id not in (select old from overlap) group by customer_id
        )
        select (select coalesce(max(run), 0) + 1 from history) as run, from_id, to_id,
               ?::date as as_of, coalesce(reason, why) as why, records
        from changes left join reasons using (from_id, to_id)
        order by run, from_id nulls first, to_id nulls first
        """,
        params=[as_of],
    )
    return found.to_arrow_table().cast(arrow_schema(CONTRACTS["id_history"]))
