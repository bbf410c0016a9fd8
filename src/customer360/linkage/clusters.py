"""From pairs to people: which records form one customer, and its id."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd

from customer360.contracts import CONTRACTS
from customer360.linkage.engine_tables import as_arrow, as_pandas
from customer360.linkage.records import LinkageError

if TYPE_CHECKING:
    from customer360.linkage.matching import Matches

__all__ = ["connected_components", "group_records", "link_records", "refused_links"]

# No single pair may outvote the others: ten bits are a thousand to one.
MOST_BITS = 10.0
# Links at least so strong are looked at together first, all of them before the weaker ones.
SURE_BITS = (10.0, 9.0, 8.0, 7.0)
# But a group never holds two birth dates or two sexes, however many pairs speak for it.
VETO_BITS = -1e6
# If these differ in fewer than one pair in fifty of one person, as the model learned.
LIFELONG = ("birth_date", "title")
RELIABLE = 0.02
KEY = ["source", "source_id"]
_ENDS = ["source_l", "source_id_l", "source_r", "source_id_r"]


def connected_components(nodes: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Number of the component of each node of a graph.

    Parameters
    ----------
    nodes : int
    left, right : numpy.ndarray
        Ends of the edges, from 0 to nodes - 1.

    Returns
    -------
    numpy.ndarray
        One integer a node.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(nodes, nodes))
    return components(graph, directed=False)[1].astype(np.int64)


def link_records(
    people: Any | None, matches: Matches, other_ids: Any | None = None
) -> pd.DataFrame:
    """Give every record its customer.

    Records joined by links are one customer, unless the evidence between two groups of
    records, taken over all their pairs, speaks against it: a father and his son bridged
    by one vague record stay two. The id derives from the smallest (source, source_id) of
    the customer, so that the order of rows and files does not matter.

    Parameters
    ----------
    people : frame or None
        Contract `staged.people`; its source and source_id.
    matches : Matches
    other_ids : frame, optional
        Columns source, source_id: records that orders or events name. Those without a
        record of a person become customers of their own.

    Returns
    -------
    pandas.DataFrame
        Contract `linked_records`: one row per source and source_id, sorted.
    """
    records = _records(people, other_ids)
    records["customer_id"] = _customer_ids(records, group_records(records, matches))
    return records[CONTRACTS["linked_records"].column_names]


def refused_links(matches: Matches, linked_records: pd.DataFrame) -> pd.DataFrame:
    """Pairs probable enough to be links, whose records the guard kept apart.

    Returns
    -------
    pandas.DataFrame
        Contract `link_pairs`.
    """
    customer = linked_records.set_index(KEY)["customer_id"]
    strong = matches.pairs[matches.pairs["match_probability"] >= matches.threshold]
    left = customer.reindex(pd.MultiIndex.from_frame(strong[["source_l", "source_id_l"]]))
    right = customer.reindex(pd.MultiIndex.from_frame(strong[["source_r", "source_id_r"]]))
    return strong[left.to_numpy() != right.to_numpy()].reset_index(drop=True)


def _records(people: Any | None, other_ids: Any | None) -> pd.DataFrame:
    """Key of every record and whether it is one of a person, sorted by key."""
    given = {"true": people, "false": other_ids}
    parts = ["select null, null, null where false"]
    with closing(duckdb.connect()) as connection:
        for of_person, frame in given.items():
            if frame is not None:
                # The key alone: all columns of a large table take long to read.
                keys = as_arrow(nw.from_native(frame).select(*KEY).to_native())
                connection.register(f"given_{of_person}", keys)
                parts.append(f"select {', '.join(KEY)}, {of_person} from given_{of_person}")
        records = as_pandas(
            connection.sql(
                f"""
                select source::varchar as source, source_id::varchar as source_id,
                       bool_or(of_person) as has_person_record
                from ({" union all ".join(parts)}) as given(source, source_id, of_person)
                group by 1, 2 order by 1, 2
                """
            )
        )
    empty = records[KEY].isna().any(axis=1)
    if empty.any():
        raise LinkageError(
            f"{int(empty.sum()):,} source and source_id are empty: set these "
            "rows aside when cleaning, nobody can tell whose they are"
        )
    return records


def group_records(
    records: pd.DataFrame, matches: Matches, *, ends: np.ndarray | None = None
) -> np.ndarray:
    """Number of the customer of each record, as `link_records` puts them together.

    Parameters
    ----------
    records : pandas.DataFrame
        Columns source and source_id, sorted by them: all that the pairs name.
    matches : Matches
    ends : numpy.ndarray, optional
        Rows of `records` that each pair names, where they are known.

    Returns
    -------
    numpy.ndarray
        One integer a record.

    Raises
    ------
    LinkageError
        If the pairs name other records.
    """
    pairs = matches.pairs
    ends = _positions(records, pairs) if ends is None else ends
    if (ends < 0).any():
        raise LinkageError(
            "the pairs name records that the people table does not hold: match this table anew"
        )
    linked = pairs["match_probability"].to_numpy() >= matches.threshold
    group = connected_components(len(records), ends[linked, 0], ends[linked, 1])
    same = group[ends[:, 0]] == group[ends[:, 1]]
    weights = np.clip(pairs["match_weight"].to_numpy(), -MOST_BITS, MOST_BITS)
    weights[_contradicts(matches) & ~linked] = VETO_BITS
    # A group in which no pair speaks against the others stays whole.
    doubtful, against = (group[ends[same & some, 0]] for some in (~linked, weights <= 0))
    chosen = same & np.isin(group[ends[:, 0]], np.intersect1d(doubtful, against))
    if chosen.any():
        group = _split_doubtful(group, ends[chosen], weights[chosen], linked[chosen])
    return group


def _positions(records: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    """Rows of `records` that each pair names; -1 where it names another record."""
    with closing(duckdb.connect()) as connection:
        connection.register("keys", as_arrow(records[KEY].assign(row=np.arange(len(records)))))
        connection.register("ends", as_arrow(pairs[_ENDS].assign(pair=np.arange(len(pairs)))))
        found = connection.execute(
            """
            select pair, l.row as left_row, r.row as right_row from ends
            join keys l on l.source = source_l and l.source_id = source_id_l
            join keys r on r.source = source_r and r.source_id = source_id_r
            """
        ).fetchnumpy()
    rows = np.full((len(pairs), 2), -1)
    rows[found["pair"]] = np.column_stack([found["left_row"], found["right_row"]])
    return rows


def _contradicts(matches: Matches) -> np.ndarray:
    """Pairs of records with two birth dates or two sexes, where these can be relied upon."""
    found = np.zeros(len(matches.pairs), dtype=bool)
    for comparison in matches.model["comparisons"]:
        if comparison["name"] in LIFELONG:
            different = min(comparison["levels"], key=lambda level: level["value"])
            if different["m"] < RELIABLE:
                found |= matches.evidence[f"level_{comparison['name']}"].to_numpy() == 0
    return found


def _split_doubtful(
    group: np.ndarray, ends: np.ndarray, weights: np.ndarray, linked: np.ndarray
) -> np.ndarray:
    """Join records anew, strongest link first, only where the evidence agrees.

    Only groups that hold a pair below the threshold come here. Two parts are joined when
    the sum of the evidence over all pairs between them is in favour.
    """
    from scipy.sparse import coo_array

    # These records are numbered from 0.
    here = np.zeros(len(group), dtype=bool)
    here[ends] = True
    records, ends = np.flatnonzero(here), (np.cumsum(here) - 1)[ends]
    first = _certain_parts(len(records), ends, weights, linked)
    links = ends[linked][np.lexsort((ends[linked, 1], ends[linked, 0], -weights[linked]))]
    ends, links = first[ends], first[links]
    apart = ends[:, 0] != ends[:, 1]
    left, right = np.concatenate([ends[apart], ends[apart, ::-1]]).T
    parts = first.max() + 1
    # What several pairs of records say of the same two parts adds up.
    evidence = coo_array((np.tile(weights[apart], 2), (left, right)), shape=(parts, parts)).tocsr()
    others, bits = evidence.indices.tolist(), evidence.data.tolist()
    # Of each part: the parts that it has evidence with, and how much.
    between = [
        dict(zip(others[start:end], bits[start:end], strict=True))
        for start, end in pairwise(evidence.indptr.tolist())
    ]
    part = list(range(parts))
    waiting = list(zip(*links[links[:, 0] != links[:, 1]].T.tolist(), strict=True))
    while True:
        refused = []
        for one, two in waiting:
            while part[one] != one:
                part[one] = one = part[part[one]]
            while part[two] != two:
                part[two] = two = part[part[two]]
            if one == two:
                continue
            if between[one].get(two, 0.0) <= 0:
                refused.append((one, two))
                continue
            # The part that meets fewer others goes into the other one.
            if len(between[one]) < len(between[two]):
                one, two = two, one
            part[two] = one
            near, far = between[one], between[two]
            del near[two], far[one]
            for third, weight in far.items():
                theirs = between[third]
                del theirs[two]
                near[third] = theirs[one] = near.get(third, 0.0) + weight
            far.clear()
        if len(refused) == len(waiting):
            break
        waiting = refused
    roots = np.array(part)
    while (roots[roots] != roots).any():
        roots = roots[roots]
    group = group.copy()
    # A part takes a number that no other group has.
    group[records] = len(group) + roots[first]
    return group


def _certain_parts(
    records: int, ends: np.ndarray, weights: np.ndarray, linked: np.ndarray
) -> np.ndarray:
    """Number of the part of each record that strong links bind and no pair speaks against.

    None of these links would be refused, whatever the weaker ones bring.
    """
    part = np.arange(records)
    for step, bits in enumerate(SURE_BITS, start=1):
        strong = linked & (weights >= bits)
        found = connected_components(records, ends[strong, 0], ends[strong, 1])
        against = (weights <= 0) & (found[ends[:, 0]] == found[ends[:, 1]])
        torn = np.zeros(records, dtype=bool)
        torn[found[ends[against, 0]]] = True
        whole = ~torn[found]
        part[whole] = step * records + found[whole]
    return np.unique(part, return_inverse=True)[1]


def _customer_ids(records: pd.DataFrame, group: np.ndarray) -> Any:
    """`c` and twelve digits of the SHA-256 of the smallest key of the group."""
    numbers = pd.factorize(group)[0]
    first = records.loc[~pd.Series(numbers).duplicated(), KEY]
    with closing(duckdb.connect()) as connection:
        connection.register("first_keys", as_arrow(first))
        ids = as_pandas(
            connection.sql(
                """select 'c' || substr(sha256(source || chr(31) || source_id), 1, 12) as id
                from first_keys"""
            )
        )["id"]
    if not ids.is_unique:
        raise LinkageError(
            "two customers got the same id, one chance in many thousands: rename one source"
        )
    return ids.array.take(numbers)
