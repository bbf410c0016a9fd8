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
from customer360.linkage.blocking import FAMILIES, _key, _label
from customer360.linkage.clusters import connected_components, group_records
from customer360.linkage.comparisons import COMPARISONS, Comparison
from customer360.linkage.engine_tables import as_arrow, as_pandas, in_parts
from customer360.linkage.levels import levels_sql, rarities_sql, sides_sql
from customer360.linkage.matching import (
    KEPT_PROBABILITY,
    Matches,
    _keep,
    _score,
)
from customer360.linkage.model import LinkageModel, check_trained
from customer360.linkage.pair_engines import DuckDBPairs
from customer360.linkage.past import STEPS, Past, number_records, shared_keys
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
    # A connection to the engine that is there: to start another takes as long as some steps.
    with closing(duckdb.cursor()) as connection:
        rules = _rules(known.model["blocking_rules"])
        today = as_arrow(people)
        past, fresh = number_records(
            connection,
            today,
            fingerprint=_fingerprint(today),
            records=known.records,
            linked=known.linked,
            pairs=known.pairs,
        )
        _fold_new(connection, past, fresh)
        _find_near(connection, past, rules)
        _make_blocks(connection, model)
        _compare(connection, model, _PAIRS_WITH_NEW, first=True)
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
        people_linked = past.linked_with(_link_touched(connection, matches))
        linked = _add_others(connection, people_linked, other_ids).to_pandas()
        pairs_today = _pairs_of_today(connection, past, pairs)
        new = int(connection.execute("select count(*) from fresh").fetchall()[0][0])
    records = new + int((~past.is_lost).sum())
    note = (
        f"{new:,} new or changed records of {records:,} were compared, in {compared:,} "
        "pairs, with the weights of the last full run; older pairs stand as they were"
    )
    parameters = {**known.model, "records": records, "pairs_compared": compared}
    return (
        replace(
            matches,
            pairs=pairs_today,
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
        _number_pairs(connection, empty_table(CONTRACTS["link_pairs"]) if pairs is None else pairs)
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
        _compare(connection, fitted, every_pair, first=True)
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


def _number_pairs(connection: Any, pairs: Any) -> None:
    """Table `stand`: pairs of the last run by number of the records, as fields tell."""
    connection.register("known_pairs", as_arrow(pairs))
    connection.execute(
        """
        create temp table stand as
        select l.record as record_l, r.record as record_r, k.field_probability as match_probability
        from known_pairs k
        join records l on l.source = k.source_l and l.source_id = k.source_id_l
        join records r on r.source = k.source_r and r.source_id = k.source_id_r
        """
    )


def _fold_new(connection: Any, past: Past, fresh: pa.Table) -> None:
    """Table `new_records`, ready but for the columns derived, and view `everybody`."""
    numbered = past.records.append_column("record", pa.array(past.number))
    connection.register("known_numbered", in_parts(numbered))
    connection.execute(
        "create temp view old as select * exclude fingerprint from known_numbered where record > 0"
    )
    fold_records(connection, fresh, others="old")
    connection.execute(
        "create temp table records as from named join fresh using (source, source_id)"
    )
    add_names_together(connection, learned="old")
    connection.execute(
        f"""
        create temp table new_records as
        select source, source_id, record, {", ".join(_FOLDED)} from records;
        create temp view everybody as from old union all by name from new_records
        """
    )


def _find_near(connection: Any, past: Past, rules: Sequence[str]) -> None:
    """Tables `keys_shared`, `maybe_again`, `stand`, `left_behind`, `chosen` and `old_chosen`.

    Records that share a key with a new one; old pairs on which a new record may have a say;
    those that can matter to these; records that fitted a lost one. Chosen are the new records,
    and all of the customers with a record that shares a key or is in such a pair. Columns
    record, customer_id (empty for a new record).
    """
    columns = _key_columns(len(rules))
    keys = ", ".join(
        f"coalesce({sql}, 0) as {column}" for sql, column in zip(rules, columns, strict=True)
    )
    old = connection.execute(f"select {keys} from known_records").fetchnumpy()
    new = connection.execute(f"select record, {keys} from new_records").fetchnumpy()
    shared = shared_keys(
        [old[column] for column in columns],
        [new[column] for column in columns],
        numbers=(past.number, new["record"]),
    )
    left_behind = past.left_behind
    near = left_behind | np.isin(past.number, shared["record"].to_numpy())
    maybe_again = past.pairs_of(near)
    near[past.left[maybe_again]] = near[past.right[maybe_again]] = True
    chosen = past.with_mates(near)
    keys_chosen = {c: np.concatenate([old[c][chosen], new[c]]) for c in columns}
    keys_chosen["record"] = np.concatenate([past.number[chosen], new["record"]])
    customers = past.customers(chosen)
    lost = past.is_lost & (past.owner >= 0)
    for name, table in (
        ("keys_shared", shared),
        ("maybe_again", past.numbered_pairs(maybe_again)),
        ("stand", past.numbered_pairs(past.pairs_of(chosen, steps=STEPS))),
        ("keys_chosen", pa.table(keys_chosen)),
        ("left_behind", pa.table({"record": past.number[left_behind]})),
        ("lost_customers", pa.table({"customer_id": past.customers(lost)})),
        (
            "old_chosen",
            # In small parts: to derive their columns takes some work.
            in_parts(
                past.records.filter(pa.array(chosen))
                .append_column("record", pa.array(past.number[chosen]))
                .append_column("customer_id", customers),
                rows=2_048,
            ),
        ),
    ):
        connection.register(name, table)


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


def _make_blocks(connection: Any, model: LinkageModel) -> None:
    """Table `blocks`: the records of table `chosen` ready to be compared."""
    # Records come as they were compared: to read a name from an e-mail, or to put it in its
    # place, took the names of everybody.
    columns = ", ".join(("source", "source_id", "record", *_FOLDED))
    connection.execute(
        f"""create temp view near_records as
        select {columns}, customer_id, false as is_new from old_chosen
        union all select {columns}, null, true from new_records"""
    )
    derive_columns(connection, "near_records")
    blocks = _count_names(connection, model, "records")
    connection.execute(f"create temp table blocks as {blocks}")


def _key_columns(rules: int) -> list[str]:
    return [f"block_{i}" for i in range(rules)]


# Pairs that share a key and hold a new record.
_PAIRS_WITH_NEW = """
    select distinct least(l.record, r.record), greatest(l.record, r.record)
    from keys_shared l join keys_shared r using (key) where l.is_new and l.record <> r.record"""


def _pairs_of_touched(rules: int) -> str:
    """Pairs of table `keys_chosen` that share a key and may be of one customer now."""
    same = " or ".join(f"l.{c} = r.{c} and l.{c} <> 0" for c in _key_columns(rules))
    return f"""
        with inside as (from keys_chosen join touched using (record))
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
    everybody = str(connection.execute("select count(*) from everybody").fetchall()[0][0])
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


def _compare(connection: Any, model: LinkageModel, pairs: str, *, first: bool = False) -> None:
    """Add to table `levels` how the fields of the pairs that a query gives agree.

    The same conditions as in a full run, asked directly: for a few pairs, Splink's planning
    takes longer than the comparing.
    """
    columns = [row[0] for row in connection.execute("describe blocks").fetchall()]
    done = "" if first else "anti join levels using (record_l, record_r)"
    connection.execute(
        f"""
        {"create temp table levels as" if first else "insert into levels"}
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
            union select customer_id from lost_customers)
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


def _link_touched(connection: Any, matches: Matches) -> pa.Table:
    """Customers of the records in table `touched`, by the pairs among them.

    Columns source, source_id, record and customer_id, which only says which records go together.
    """
    touched = as_pandas(
        connection.sql(
            """select source, source_id, record from blocks semi join touched using (record)
            order by source, source_id"""
        )
    )
    connection.register("keys_touched", touched.assign(place=np.arange(len(touched))))
    connection.register("ends", matches.pairs.assign(pair=np.arange(len(matches.pairs))))
    inside = connection.execute(
        """select pair, l.place as l, r.place as r from ends
        join keys_touched l on l.source = source_l and l.source_id = source_id_l
        join keys_touched r on r.source = source_r and r.source_id = source_id_r
        order by pair"""
    ).fetchnumpy()
    among = replace(
        matches,
        pairs=matches.pairs.iloc[inside["pair"]],
        evidence=matches.evidence.iloc[inside["pair"]],
    )
    ends = np.column_stack([inside["l"], inside["r"]])
    group = pd.Series(group_records(touched, among, ends=ends)).astype(str)
    return as_arrow(touched.assign(customer_id="again " + group))


def _add_others(connection: Any, people: pa.Table, other_ids: Any | None) -> pa.Table:
    """Contract `linked_records`: records of people, and those that only orders or events name."""
    if other_ids is None:
        return people
    connection.register("other_ids", as_arrow(other_ids))
    connection.register("people_linked", people)
    return connection.sql(
        """
        with others as (
            select distinct source::varchar as source, source_id::varchar as source_id
            from other_ids where source is not null and source_id is not null
        )
        from people_linked
        union all
        select source, source_id, coalesce(k.customer_id, 'alone ' || source || ':' || source_id),
               false
        from others anti join people_linked using (source, source_id)
        left join (from known_linked where not has_person_record) k using (source, source_id)
        order by source, source_id
        """
    ).to_arrow_table()


def _pairs_of_today(connection: Any, past: Past, again: pd.DataFrame) -> pd.DataFrame:
    """Contract `link_pairs`: old pairs of old records, and those compared now."""
    weighed_again = connection.execute(
        "select place from stand semi join scored using (record_l, record_r)"
    ).fetchnumpy()["place"]
    stands = past.stands.copy()
    stands[weighed_again] = False
    columns = CONTRACTS["link_pairs"].column_names
    still = past.pairs.select(columns).filter(pa.array(stands)).to_pandas()
    return pd.concat([still, again], ignore_index=True)
