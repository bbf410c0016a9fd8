"""From pairs to people: which records form one customer, and its id."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
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
    known, other = _keys(people), _keys(other_ids)
    both = pd.concat(
        [known.assign(has_person_record=True), other.assign(has_person_record=False)],
        ignore_index=True,
    )
    records = both.sort_values([*KEY, "has_person_record"], ascending=[True, True, False])
    records = records.drop_duplicates(KEY).reset_index(drop=True)
    records["group"] = group_records(records, matches)
    records["customer_id"] = _customer_ids(records)
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


def _keys(frame: Any | None) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame({c: pd.Series(dtype="str") for c in KEY})
    with closing(duckdb.connect()) as connection:
        # The key alone: all columns of a large table take long to read.
        connection.register("given", as_arrow(nw.from_native(frame).select(*KEY).to_native()))
        keys = as_pandas(
            connection.sql(
                """select distinct source::varchar as source, source_id::varchar as source_id
                from given"""
            )
        )
    if keys.isna().any(axis=None):
        raise LinkageError(
            f"{int(keys.isna().any(axis=1).sum()):,} source and source_id are empty: set these "
            "rows aside when cleaning, nobody can tell whose they are"
        )
    return keys


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
    if len(ends) < len(pairs):
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
    """Rows of `records` that each pair names; pairs of other records are left out."""
    with closing(duckdb.connect()) as connection:
        connection.register("keys", records[KEY].assign(row=np.arange(len(records))))
        connection.register("ends", pairs[_ENDS].assign(pair=np.arange(len(pairs))))
        found = connection.execute(
            """
            select l.row as left_row, r.row as right_row from ends
            join keys l on l.source = source_l and l.source_id = source_id_l
            join keys r on r.source = source_r and r.source_id = source_id_r order by pair
            """
        ).fetchnumpy()
    return np.column_stack([np.asarray(found["left_row"]), np.asarray(found["right_row"])])


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
    between: dict[int, dict[int, float]] = defaultdict(dict)
    for (a, b), weight in zip(ends.tolist(), weights.tolist(), strict=True):
        between[a][b] = between[b][a] = weight
    part = {int(record): int(record) for record in np.unique(ends)}

    def find(record: int) -> int:
        while part[record] != record:
            part[record] = part[part[record]]
            record = part[record]
        return record

    order = np.lexsort((ends[linked, 1], ends[linked, 0], -weights[linked]))
    waiting = ends[linked][order].tolist()
    while True:
        refused = []
        for a, b in waiting:
            one, two = sorted((find(a), find(b)))
            if one == two:
                continue
            if between[one].get(two, 0.0) <= 0:
                refused.append((a, b))
                continue
            part[two] = one
            for third, weight in between.pop(two).items():
                between[third].pop(two)
                if third != one:
                    total = between[one].get(third, 0.0) + weight
                    between[one][third] = between[third][one] = total
        if len(refused) == len(waiting):
            break
        waiting = refused
    group = group.copy()
    # A part takes a number that no other group has.
    numbers = {record: find(record) for record in part}
    group[list(numbers)] = [len(group) + root for root in numbers.values()]
    return group


def _customer_ids(records: pd.DataFrame) -> pd.Series:
    """`c` and twelve digits of the SHA-256 of the smallest key of the group."""
    numbers, group = np.unique(records["group"], return_inverse=True)
    first = records.drop_duplicates("group")[[*KEY, "group"]]
    with closing(duckdb.connect()) as connection:
        connection.register("first_keys", first)
        ids = connection.execute(
            """select "group", 'c' || substr(sha256(source || chr(31) || source_id), 1, 12) as id
            from first_keys"""
        ).df()
    of_group = ids.set_index("group")["id"]
    if of_group.duplicated().any():
        raise LinkageError(
            "two customers got the same id, one chance in many thousands: rename one source"
        )
    return of_group.reindex(numbers).take(group).set_axis(records.index)
