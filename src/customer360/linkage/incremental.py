"""New records are matched, old pairs are not scored again.

What the last run knew is handed in: its records as they were compared, its pairs, its model
and who was whose. Records that are new or changed are compared with the old ones and among
themselves. Old pairs are weighed anew only where a new record has a say: where it fits one of
their two, and so may be a rival, or binds customers together that had nothing to do with each
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, empty_table
from customer360.linkage.blocking import FAMILIES, LARGEST_BLOCK_RECORDS, _key, _label
from customer360.linkage.clusters import connected_components, group_records
from customer360.linkage.comparisons import COMPARISONS, Comparison
from customer360.linkage.engine_tables import as_arrow, as_pandas
from customer360.linkage.levels import levels_sql, rarities_sql, sides_sql
from customer360.linkage.matching import (
    KEPT_PROBABILITY,
    Matches,
    _keep,
    _score,
)
from customer360.linkage.model import LinkageModel, check_trained
from customer360.linkage.pair_engines import DuckDBPairs
from customer360.linkage.rarity import add_names_together, frequency_sql
from customer360.linkage.records import (
    _DERIVED,
    LinkageError,
    derive_columns,
    fold_records,
    prepare_records,
)
from customer360.linkage.rivals import RIVALS, by_fields_alone, find_rivals

__all__ = ["Known", "compare_records", "compared_records", "link_new_records"]

KEY = ["source", "source_id"]
_FOLDED = [c for c in CONTRACTS["compared_records"].column_names if c not in (*KEY, "fingerprint")]
# A record is new when any of this changes: it is all that the comparisons see.
_SEEN = ("title", "first_name", "last_name", "birth_date", "email", "phone", "street", "postcode",
         "city", "created_at")  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What an accepted run knew.

    Attributes
    ----------
    records : frame
        Contract `compared_records`.
    linked : frame
        Contract `linked_records`.
    pairs : frame
        Contract `link_pairs`.
    model : mapping
        As `data/linked/model.json` holds it.
    """

    records: Any
    linked: Any
    pairs: Any
    model: Mapping[str, Any]


def compared_records(people: Any | None, *, names: Any | None = None) -> Any:
    """Records as linkage compares them, for a later run to be compared with.

    Parameters
    ----------
    people : frame or None
        Contract `staged.people`.
    names : frame, optional
        Contract `compared_records` of the run whose weights stand, in an incremental run.

    Returns
    -------
    pyarrow.Table
        Contract `compared_records`, sorted by key.
    """
    if people is None:
        return empty_table(CONTRACTS["compared_records"])
    with closing(duckdb.connect()) as connection:
        given = as_arrow(people)
        prepare_records(connection, given)
        if names is not None:
            connection.register("names_learned", as_arrow(names))
        add_names_together(connection, learned=None if names is None else "names_learned")
        connection.register("given", given)
        return connection.sql(
            f"""
            with prints as (
                select source::varchar as source, source_id::varchar as source_id,
                       {_fingerprint(given)} as fingerprint
                from given
            )
            select source, source_id, fingerprint, {", ".join(_FOLDED)}
            from records join prints using (source, source_id) order by source, source_id
            """
        ).to_arrow_table()


def _fingerprint(given: Any) -> str:
    """A number that changes when a record does."""
    seen = ", ".join(c for c in _SEEN if c in given.column_names) or "source_id"
    return f"(hash({seen}) >> 1)::bigint"


def link_new_records(
    people: Any, *, known: Known, other_ids: Any | None = None
) -> tuple[Matches, pd.DataFrame]:
    """Match new and changed records against the customers known, and among themselves.

    Parameters
    ----------
    people : frame
        Contract `staged.people`: all records of today.
    known : Known
        From the run whose ids were accepted.
    other_ids : frame, optional
        Columns source, source_id: records that orders or events name.

    Returns
    -------
    matches : Matches
        Pairs of today, not sorted: the old ones as they were, and those of the customers that
        a new record touches. `pairs_compared` counts the comparisons made now.
    linked : pandas.DataFrame
        Contract `linked_records`. Customers that no new record touches have the id they
        had; the id of others only says which records go together (see `ids.keep_ids`).

    Raises
    ------
    LinkageError
        If the model does not fit these records any more: run in full.
    """
    model = _trained(known.model)
    threshold = float(known.model["threshold"])
    with closing(duckdb.connect()) as connection:
        _register(connection, people=people, known=known, other_ids=other_ids)
        rules = _rules(known.model["blocking_rules"])
        _find_near(connection, rules)
        _make_blocks(connection, model, rules)
        _compare(connection, model, _pairs_with_new(len(rules)))
        _find_again(connection, model)
        _compare(connection, model, "select record_l, record_r from again")
        _weigh(connection, model)
        _find_touched(connection, threshold=threshold)
        _compare(connection, model, _pairs_of_touched(len(rules)))
        compared = _weigh(connection, model)
        pairs, evidence = _keep(connection, model, records=_last(connection), threshold=threshold)
        matches = Matches(
            pairs, evidence, model={**known.model}, blocking=_no_blocking(), threshold=threshold
        )
        linked = _put_together(connection, _link_touched(connection, matches))
        today = _pairs_of_today(connection, known, pairs)
        counts = "select (select count(*) from numbers), (select count(*) from fresh)"
        records, new = connection.execute(counts).fetchall()[0]
    note = (
        f"{new:,} new or changed records of {records:,} were compared, in {compared:,} "
        "pairs, with the weights of the last full run; older pairs stand as they were"
    )
    parameters = {**known.model, "records": records, "pairs_compared": compared}
    return (
        replace(
            matches,
            pairs=today,
            model=parameters,
            notes=[note],
            records=records,
            pairs_compared=compared,
        ),
        linked,
    )


def compare_records(
    people: Any,
    records: Sequence[tuple[str, str]],
    *,
    model: Mapping[str, Any],
    pairs: Any | None = None,
) -> Matches:
    """Compare a few records with each other, whether or not blocking would.

    Parameters
    ----------
    people : frame
        Contract `staged.people`: all records, for how rare a name is.
    records : sequence of (source, source_id)
    model : mapping
        As `data/linked/model.json` holds it.
    pairs : frame, optional
        Contract `link_pairs`: who else fits, beyond these records.

    Returns
    -------
    Matches
        All pairs of these records.

    Raises
    ------
    LinkageError
        If a record is not in `people`, or the model does not fit.
    """
    fitted = _trained(model)
    wanted = pd.DataFrame(sorted(set(records)), columns=KEY, dtype="str")
    with closing(duckdb.connect()) as connection:
        prepare_records(connection, people)
        add_names_together(connection)
        connection.register("wanted", wanted)
        known = empty_table(CONTRACTS["link_pairs"]) if pairs is None else pairs
        connection.register("known_pairs", _placed(known))
        _number_pairs(connection, "records")
        connection.execute(
            """create temp view everybody as from records;
            create temp table asked as
            from records semi join wanted using (source, source_id)"""
        )
        found = set(connection.execute("select source, source_id from asked").fetchall())
        absent = sorted(set(wanted.itertuples(index=False, name=None)) - found)
        if absent:
            told = ", ".join(f"{source}:{source_id}" for source, source_id in absent)
            raise LinkageError(f"the people table has no record {told}: write SOURCE:SOURCE_ID")
        blocks = _count_names(connection, fitted, "asked")
        connection.execute(f"create temp table blocks as {blocks}")
        every_pair = "select l.record, r.record from blocks l join blocks r on l.record < r.record"
        _compare(connection, fitted, every_pair)
        compared = _weigh(connection, fitted)
        # A threshold of 0 keeps every pair.
        pairs, evidence = _keep(connection, fitted, records=_last(connection), threshold=0.0)
    return Matches(
        pairs,
        evidence,
        model=dict(model),
        blocking=_no_blocking(),
        threshold=float(model["threshold"]),
        records=len(wanted),
        pairs_compared=compared,
    )


def _no_blocking() -> pd.DataFrame:
    names = ["family", "rule", "pairs", "large_blocks", "used", "why"]
    return pd.DataFrame({name: pd.Series(dtype=object) for name in names})


def _trained(model: Mapping[str, Any]) -> LinkageModel:
    if not model.get("comparisons"):
        raise LinkageError(
            "the model of the last run compares nothing (it had no people to link): run in full "
            "(incremental: false in params.yaml)"
        )
    fitted = LinkageModel.from_dict(model)
    check_trained(fitted)
    return fitted


def _comparisons(model: LinkageModel) -> list[Comparison]:
    """The comparisons that the model has weights for, with the same levels."""
    fields = by_fields_alone(model).comparisons
    chosen = []
    for comparison in COMPARISONS:
        labels = [level.label for level in reversed(fields.get(comparison.name, []))]
        levels = tuple(level for level in comparison.levels if level.label in labels)
        if labels:
            chosen.append(replace(comparison, levels=levels))
    names = [comparison.name for comparison in chosen]
    kept = [len(comparison.levels) for comparison in chosen]
    if names != list(fields) or kept != [len(levels) for levels in fields.values()]:
        raise LinkageError(
            "the model of the last run makes other comparisons than this version: run in full "
            "(incremental: false in params.yaml)"
        )
    return chosen


def _rules(labels: Sequence[str]) -> list[str]:
    """The key of each blocking rule of the last run, as SQL."""
    parts = {_label(variant): variant for variants in FAMILIES.values() for variant in variants}
    if any(label not in parts for label in labels):
        raise LinkageError(
            "the last run blocked on keys that this version does not know: run in full "
            "(incremental: false in params.yaml)"
        )
    return [_key(parts[label]) for label in labels]


def _register(connection: Any, *, people: Any, known: Known, other_ids: Any | None) -> None:
    """Tables `numbers` of all records, `fresh` (new or changed) ones, `old` (as they were), `lost`.

    `still` holds the keys and numbers of `old` alone.
    """
    people_today, known_records = as_arrow(people), _placed(known.records)
    for name, table in (
        ("people_today", people_today),
        ("known_records", known_records),
        ("known_linked", known.linked),
        ("known_pairs", _placed(known.pairs)),
        ("other_ids", people_today.select(KEY).slice(0, 0) if other_ids is None else other_ids),
    ):
        connection.register(name, as_arrow(table))
    connection.execute(
        f"""
        create temp view prints as
        select source::varchar as source, source_id::varchar as source_id,
               {_fingerprint(people_today)} as fingerprint
        from people_today;
        -- Lost, or no longer what they were.
        create temp table lost as
        select source, source_id, place from known_records
        anti join prints using (source, source_id, fingerprint);
        create temp table numbers as
        select *, row_number() over () as record from (
            select distinct source, source_id, null as place from prints
            anti join known_records using (source, source_id, fingerprint)
            union all
            select source, source_id, place from known_records
            where place not in (select place from lost)
            order by source, source_id);
        create temp table fresh as
        select source, source_id, record from numbers where place is null;
        create temp view still as
        select source, source_id, record, place from numbers where place is not null
        """
    )
    # The records known are many: they get their number, and stay where they are.
    numbered = connection.execute("select place, record from still").fetchnumpy()
    records = np.zeros(known_records.num_rows, dtype=np.int64)
    records[numbered["place"]] = numbered["record"]
    connection.register("known_numbered", known_records.append_column("record", pa.array(records)))
    connection.execute(
        """create temp view old as
        select * exclude (fingerprint, place) from known_numbered where record > 0"""
    )
    _number_pairs(connection, "still")


def _placed(table: Any) -> pa.Table:
    """The same rows with column `place`, their number in the table."""
    given = as_arrow(table)
    return given.append_column("place", pa.array(np.arange(given.num_rows)))


def _number_pairs(connection: Any, records: str) -> None:
    """Table `stand`: pairs of the last run by number of a table's records, as fields tell."""
    connection.execute(
        f"""
        create temp table stand as
        select l.record as record_l, r.record as record_r, k.place,
               k.field_probability as match_probability, k.match_probability as was
        from known_pairs k
        join {records} l on l.source = k.source_l and l.source_id = k.source_id_l
        join {records} r on r.source = k.source_r and r.source_id = k.source_id_r
        """
    )


def _find_near(connection: Any, rules: Sequence[str]) -> None:
    """Tables `maybe_again`, old pairs on which a new record may have a say, and `chosen`.

    Chosen are the new records, and all of the customers with a record that shares a key
    with one or is in such a pair. Columns record, customer_id (empty for a new record).
    """
    fresh = "select p.* from people_today p semi join fresh using (source, source_id)"
    fold_records(connection, connection.sql(fresh).to_arrow_table(), others="old")
    connection.execute(
        "create temp table records as from named join fresh using (source, source_id)"
    )
    add_names_together(connection, learned="old")
    columns = _key_columns(len(rules))
    keys = ", ".join(f"{sql} as {column}" for sql, column in zip(rules, columns, strict=True))
    shared = " or ".join(f"{c} in (select {c} from keys_new)" for c in columns)
    connection.execute(
        f"""
        create temp table new_records as
        select source, source_id, record, {", ".join(_FOLDED)} from records;
        create temp view everybody as
        select *, false as is_new from old union all by name select *, true from new_records;
        create temp table keys_new as select record, {keys} from new_records;
        create temp table keys_met as
        from (select record, is_new, {keys} from everybody) where is_new or {shared}
        """
    )
    for column in columns:
        # A value of too many records says nothing, as in a full run.
        connection.execute(
            f"""create temp table with_{column} as
            select {column} from keys_met
            semi join keys_new using ({column})
            group by 1 having count(*) between 2 and {LARGEST_BLOCK_RECORDS}"""
        )
    connection.execute(
        f"""
        -- Who fitted a lost record may have lost a rival.
        create temp table left_behind as
        select record from still semi join (
            select source_r as source, source_id_r as source_id from known_pairs
            semi join lost l on l.source = source_l and l.source_id = source_id_l
            union all select source_l, source_id_l from known_pairs
            semi join lost l on l.source = source_r and l.source_id = source_id_r
        ) using (source, source_id);
        create temp table near as
        select record from keys_met
        where {" or ".join(f"{c} in (from with_{c})" for c in columns)}
        union from left_behind;
        create temp table maybe_again as
        select record_l, record_r from stand
        where record_l in (from near) or record_r in (from near);
        create temp table owners as
        select record, customer_id from still join known_linked using (source, source_id);
        create temp table chosen as
        with about as (
            select customer_id from owners where record in (
                from near
                union select record_l from maybe_again union select record_r from maybe_again)
            union
            select customer_id from known_linked semi join lost using (source, source_id)
            where has_person_record
        )
        select record, null as customer_id from fresh
        union all
        select record, customer_id from owners where customer_id in (from about)
        """
    )


def _find_again(connection: Any, model: LinkageModel) -> None:
    """Table `again`: old pairs of records that a new record fits, or a lost one fitted."""
    connection.execute("create or replace temp table compared as from levels")
    _score(DuckDBPairs(connection), by_fields_alone(model))
    connection.execute(
        f"""
        create temp table fitted as
        with fits as (from scored where match_probability >= {KEPT_PROBABILITY})
        select record_l as record from fits union select record_r from fits
        union from left_behind;
        create temp table again as
        select record_l, record_r from maybe_again
        where record_l in (from fitted) or record_r in (from fitted)
        """
    )


def _make_blocks(connection: Any, model: LinkageModel, rules: Sequence[str]) -> None:
    """Table `blocks`: the records of table `chosen` ready to be compared."""
    # Records come as they were compared: to read a name from an e-mail, or to put it in its
    # place, took the names of everybody.
    connection.execute(
        f"""create temp table near_records as
        select source, source_id, record, {", ".join(_FOLDED)}
        from everybody semi join chosen using (record)"""
    )
    derive_columns(connection, "near_records")
    columns = _key_columns(len(rules))
    keys = ", ".join(f"{sql} as {column}" for sql, column in zip(rules, columns, strict=True))
    connection.execute(
        f"""create temp table blocks as
        select r.*, c.customer_id, c.customer_id is null as is_new, {keys}
        from ({_count_names(connection, model, "records")}) r join chosen c using (record)"""
    )


def _key_columns(rules: int) -> list[str]:
    return [f"block_{i}" for i in range(rules)]


def _pairs_with_new(rules: int) -> str:
    """Pairs of table `blocks` that share a key and hold a new record."""
    return " union ".join(
        f"""select least(l.record, r.record), greatest(l.record, r.record)
        from blocks l join blocks r using ({column})
        where l.is_new and l.record <> r.record and {column} in (from with_{column})"""
        for column in _key_columns(rules)
    )


def _pairs_of_touched(rules: int) -> str:
    """Pairs of table `blocks` that share a key and may be of one customer now."""
    same = " or ".join(f"l.{column} = r.{column}" for column in _key_columns(rules))
    return f"""
        with inside as (from blocks join touched using (record))
        select l.record, r.record
        from inside l join inside r on l.grp = r.grp and l.record < r.record and ({same})"""


def _count_names(connection: Any, model: LinkageModel, records: str) -> str:
    """Query of a table's records, and how often their names and towns stand in `everybody`."""
    usual = {
        level.rarity: level.u
        for comparison in _comparisons(model)
        for level in comparison.levels
        if level.rarity
    }
    everybody = "(select count(*) from everybody)"
    for column, share in usual.items():
        value = _DERIVED.get(column, column)
        frequency = frequency_sql(
            column, usual_share=share, records=everybody, own=model.records_a_person
        )
        connection.execute(
            f"""
            create temp table frequency_{column} as
            select {value} as {column}, {frequency} as tf_{column}
            from everybody where {value} in (select {column} from {records}) group by 1
            """
        )
    joins = " ".join(f"left join frequency_{column} using ({column})" for column in usual)
    frequencies = "".join(f", tf_{column}" for column in usual)
    return f"select {records}.*{frequencies} from {records} {joins}"


def _compare(connection: Any, model: LinkageModel, pairs: str) -> None:
    """Add to table `levels` how the fields of the pairs that a query gives agree.

    The same conditions as in a full run, asked directly: for a few pairs, Splink's planning
    takes longer than the comparing.
    """
    columns = [row[0] for row in connection.execute("describe blocks").fetchall()]
    tables = {row[0] for row in connection.execute("show tables").fetchall()}
    done = "anti join levels using (record_l, record_r)" if "levels" in tables else ""
    connection.execute(
        f"""
        {"insert into levels" if done else "create temp table levels as"}
        with pairs(record_l, record_r) as ({pairs}),
        sides as (
            select {sides_sql(columns)} from pairs {done}
            join blocks l on l.record = record_l join blocks r on r.record = record_r)
        select record_l, record_r, {levels_sql(_comparisons(model))}{rarities_sql(model)} from sides
        """
    )


def _weigh(connection: Any, model: LinkageModel) -> int:
    """Tables `compared` and `scored` of the pairs in table `levels`; their number.

    Rivals are sought for the pairs added since the last time, among all pairs.
    """
    here = DuckDBPairs(connection)
    connection.execute(
        f"""
        create temp table if not exists told (
            record_l bigint, record_r bigint, match_probability double);
        create temp table if not exists rivals_found (
            record_l bigint, record_r bigint, level_{RIVALS} tinyint);
        create or replace temp table compared as
        from levels anti join told using (record_l, record_r)
        """
    )
    _score(here, by_fields_alone(model))
    stand = "select record_l, record_r, match_probability from stand"
    known = f"from told union all ({stand} anti join told using (record_l, record_r))"
    find_rivals(connection, at_least=KEPT_PROBABILITY, known=known)
    connection.execute(
        f"""
        insert into told select record_l, record_r, match_probability from scored;
        insert into rivals_found select record_l, record_r, level_{RIVALS} from compared;
        create or replace temp table compared as
        from levels join rivals_found using (record_l, record_r)
        """
    )
    _score(here, model)
    return int(connection.execute("select count(*) from compared").fetchall()[0][0])


def _last(connection: Any) -> int:
    return int(connection.execute("select coalesce(max(record), 0) from records").fetchall()[0][0])


def _find_touched(connection: Any, *, threshold: float) -> None:
    """Table `touched`: records of the customers that a new, changed or lost record is about.

    Column `grp` numbers what may be one customer now: old customers bound together by
    links to new records. A customer that none of these fits stays as it was, even where one
    made a rival of a record that fits it.
    """
    connection.execute(
        f"""
        create temp table name_of as
        select record, is_new, coalesce(customer_id, 'new ' || record) as name from blocks;
        create temp table met as
        select distinct name from name_of where is_new or record in (from fitted);
        create temp table met_pairs as
        select record_l, record_r, match_probability, l.name as name_l, r.name as name_r
        from scored join name_of l on l.record = record_l join name_of r on r.record = record_r
        where l.name in (from met) and r.name in (from met);
        create temp table edges as
        select name_l, name_r from met_pairs
        where match_probability >= {threshold!r} and name_l <> name_r;
        create temp table nodes as
        select name, row_number() over (order by name) - 1 as node from (
            select name from name_of where is_new
            union select name_l from edges union select name_r from edges
            -- A pair that became a link, or ceased to be one.
            union select unnest([name_l, name_r])
            from met_pairs s join stand k using (record_l, record_r)
            where (s.match_probability >= {threshold!r}) <> (was >= {threshold!r})
            union select customer_id from known_linked semi join lost using (source, source_id)
            where has_person_record)
        """
    )
    ends = connection.execute(
        """select l.node as l, r.node as r from edges
        join nodes l on l.name = name_l join nodes r on r.name = name_r"""
    ).fetchnumpy()
    count = connection.execute("select count(*) from nodes").fetchall()[0][0]
    group = connected_components(int(count), np.asarray(ends["l"]), np.asarray(ends["r"]))
    connection.register("groups", pd.DataFrame({"node": np.arange(count), "grp": group}))
    connection.execute(
        """
        create temp table touched as
        select record, grp from name_of join nodes using (name) join groups using (node)
        """
    )


def _link_touched(connection: Any, matches: Matches) -> pd.DataFrame:
    """Customers of the records in table `touched`, by the pairs among them.

    Columns source, source_id and customer_id, which only says which records go together.
    """
    touched = as_pandas(
        connection.sql(
            """select source, source_id from blocks semi join touched using (record)
            order by source, source_id"""
        )
    )
    connection.register("keys_touched", touched)
    connection.register("ends", matches.pairs.assign(pair=np.arange(len(matches.pairs))))
    inside = connection.execute(
        """select pair from ends
        semi join keys_touched l on l.source = source_l and l.source_id = source_id_l
        semi join keys_touched r on r.source = source_r and r.source_id = source_id_r
        order by pair"""
    ).fetchnumpy()["pair"]
    among = replace(
        matches, pairs=matches.pairs.iloc[inside], evidence=matches.evidence.iloc[inside]
    )
    return touched.assign(customer_id=group_records(touched, among).astype(str))


def _put_together(connection: Any, again: pd.DataFrame) -> pd.DataFrame:
    """Contract `linked_records`: the touched linked anew, all others as they were."""
    connection.register("linked_again", again)
    return as_pandas(
        connection.sql(
            """
        with others as (
            select distinct source::varchar as source, source_id::varchar as source_id
            from other_ids where source is not null and source_id is not null
        ),
        people as (
            select source, source_id, 'again ' || customer_id as customer_id from linked_again
            union all
            select source, source_id, customer_id from still join owners using (record)
            where record not in (select record from touched)
        )
        select source, source_id, customer_id, true as has_person_record from people
        union all
        select source, source_id, coalesce(k.customer_id, 'alone ' || source || ':' || source_id),
               false
        from others anti join people using (source, source_id)
        left join (from known_linked where not has_person_record) k using (source, source_id)
        order by source, source_id
        """
        )
    )


def _pairs_of_today(connection: Any, known: Known, again: pd.DataFrame) -> pd.DataFrame:
    """Contract `link_pairs`: old pairs of old records, and those compared now."""
    stands = connection.execute(
        """select place from stand anti join scored using (record_l, record_r) order by place"""
    ).fetchnumpy()["place"]
    columns = CONTRACTS["link_pairs"].column_names
    still = as_arrow(known.pairs).select(columns).take(pa.array(stands)).to_pandas()
    return pd.concat([still, again], ignore_index=True)
