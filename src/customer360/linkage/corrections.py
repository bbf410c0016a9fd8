"""What people decided about records, remembered: these are one person, those are not.

Two files hold decisions, with the same columns: `data/raw/labels.csv`, pairs that somebody
looked at, and `data/raw/corrections.csv`, written by `customer360 unlink`. Both bind the
groups; labels also measure.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from customer360.linkage.records import LinkageError

__all__ = [
    "DECISION_COLUMNS",
    "apply_decisions",
    "measure_labels",
    "read_decisions",
    "unlink",
    "wilson_interval",
]

PAIR = ["source_l", "source_id_l", "source_r", "source_id_r"]
DECISION_COLUMNS = [*PAIR, "verdict"]
VERDICTS = ("same", "different")
FILES = {"labelled": "data/raw/labels.csv", "unlinked": "data/raw/corrections.csv"}


def read_decisions(
    *, labels: pd.DataFrame | None = None, corrections: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Check the two files of decisions and put them together.

    Parameters
    ----------
    labels, corrections : pandas.DataFrame, optional
        `data/raw/labels.csv` and `data/raw/corrections.csv` as text, where they are there:
        source_l, source_id_l, source_r, source_id_r, verdict (same, different, or empty
        when nobody decided yet). Further columns are ignored.

    Returns
    -------
    pandas.DataFrame
        One row per pair, its records in order: the five columns, and reason (labelled or
        unlinked).

    Raises
    ------
    LinkageError
        Naming the file, the column, the number of rows and the remedy.
    """
    parts = [
        _checked(frame, reason=reason)
        for reason, frame in (("unlinked", corrections), ("labelled", labels))
        if frame is not None
    ]
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype="str") for c in [*DECISION_COLUMNS, "reason"]})
    both = pd.concat(parts, ignore_index=True)
    twice = both.groupby(PAIR)["verdict"].transform("nunique") > 1
    if twice.any():
        files = " and ".join(sorted({FILES[r] for r in both.loc[twice, "reason"]}))
        raise LinkageError(
            f"{files}, column verdict: {int(twice.sum()):,} rows say both same and different of "
            f"{len(both[twice].drop_duplicates(PAIR)):,} pairs; keep one row a pair"
        )
    return both.drop_duplicates(PAIR).sort_values(PAIR, ignore_index=True)


def _checked(frame: pd.DataFrame, *, reason: str) -> pd.DataFrame:
    file = FILES[reason]
    if missing := [c for c in DECISION_COLUMNS if c not in frame.columns]:
        raise LinkageError(
            f"{file} has no column {', '.join(missing)}: its first line must name "
            f"{', '.join(DECISION_COLUMNS)} (data/linked/pairs_to_label.csv has them)"
        )
    # A spreadsheet leaves spaces, capitals and rows without a verdict.
    table = frame[DECISION_COLUMNS].apply(lambda column: column.astype("str").str.strip())
    table = table.where(frame[DECISION_COLUMNS].notna() & (table != ""))
    table["verdict"] = table["verdict"].str.lower()
    table = table[table["verdict"].notna()].reset_index(drop=True)
    for column in PAIR:
        if empty := int(table[column].isna().sum()):
            raise LinkageError(
                f"{file}, column {column}: empty in {empty:,} of {len(table):,} rows with a "
                "verdict; write the system and the number of both records"
            )
    if unknown := int((~table["verdict"].isin(VERDICTS)).sum()):
        raise LinkageError(
            f"{file}, column verdict: {unknown:,} of {len(table):,} rows hold neither same nor "
            "different; write one of them, or leave it empty"
        )
    itself = (table["source_l"] == table["source_r"]) & (
        table["source_id_l"] == table["source_id_r"]
    )
    if itself.any():
        raise LinkageError(
            f"{file}: {int(itself.sum()):,} of {len(table):,} rows name one record twice; "
            "a pair is two records"
        )
    turn = (table["source_l"] > table["source_r"]) | (
        (table["source_l"] == table["source_r"]) & (table["source_id_l"] > table["source_id_r"])
    )
    turned = table[["source_r", "source_id_r", "source_l", "source_id_l"]].to_numpy()
    table.loc[turn, PAIR] = turned[turn.to_numpy()]
    return table.assign(reason=reason)


def apply_decisions(
    linked: pd.DataFrame, *, pairs: pd.DataFrame, decided: pd.DataFrame, threshold: float
) -> tuple[pd.DataFrame, int]:
    """Regroup the records that people decided about; all others stay as they are.

    Records said to be one person are put together first; links follow, the strongest
    first, unless they would bring records together that were said to be different.

    Parameters
    ----------
    linked : pandas.DataFrame
        Contract `linked_records`.
    pairs : pandas.DataFrame
        Contract `link_pairs`.
    decided : pandas.DataFrame
        From `read_decisions`.
    threshold : float
        Probability from which a pair is a link.

    Returns
    -------
    linked : pandas.DataFrame
        Contract `linked_records`; the id of a customer touched only says which records go
        together (see `ids.keep_ids`).
    unknown : int
        Decisions that name a record which is not there: kept, and of no effect.

    Raises
    ------
    LinkageError
        If the decisions contradict each other through several records.
    """
    position = pd.Series(
        np.arange(len(linked)), index=pd.MultiIndex.from_frame(linked[["source", "source_id"]])
    )
    known, ends = _positions(decided, position)
    if not known.any():
        return linked, int((~known).sum())
    verdict = decided["verdict"].to_numpy()[known]
    customer = linked["customer_id"].to_numpy().copy()
    touched = np.flatnonzero(np.isin(customer, customer[ends.ravel()]))
    parts = _Parts(touched.tolist(), apart=ends[verdict == "different"].tolist())
    for one, other in ends[verdict == "same"].tolist():
        if not parts.join(one, other):
            raise LinkageError(
                "data/raw/labels.csv contradicts itself, or data/raw/corrections.csv: records "
                "said to be the same through others are said to be different; correct one of "
                f"the {len(decided):,} rows"
            )
    links = pairs[pairs["match_probability"] >= threshold]
    is_known, link_ends = _positions(links, position)
    weights = links["match_weight"].to_numpy()[is_known]
    inside = np.isin(link_ends[:, 0], touched) & (
        customer[link_ends[:, 0]] == customer[link_ends[:, 1]]
    )
    order = np.lexsort((link_ends[inside][:, 1], link_ends[inside][:, 0], -weights[inside]))
    for one, other in link_ends[inside][order].tolist():
        parts.join(one, other)
    for record in touched.tolist():
        customer[record] = f"decided {parts.find(record)}"
    return linked.assign(customer_id=customer), int((~known).sum())


def _positions(pairs: pd.DataFrame, position: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs name two records that are there, and where these stand."""
    left = position.reindex(pd.MultiIndex.from_frame(pairs[PAIR[:2]])).to_numpy()
    right = position.reindex(pd.MultiIndex.from_frame(pairs[PAIR[2:]])).to_numpy()
    known = ~(np.isnan(left.astype(float)) | np.isnan(right.astype(float)))
    return known, np.column_stack([left[known], right[known]]).astype(np.int64)


class _Parts:
    """Groups of a few records that grow together, unless something holds them apart."""

    def __init__(self, records: Sequence[int], *, apart: Iterable[Sequence[int]]):
        self.part = {record: record for record in records}
        self.apart: dict[int, set[int]] = defaultdict(set)
        for one, other in apart:
            self.apart[one].add(other)
            self.apart[other].add(one)

    def find(self, record: int) -> int:
        while self.part[record] != record:
            self.part[record] = self.part[self.part[record]]
            record = self.part[record]
        return record

    def join(self, one: int, other: int) -> bool:
        """Put two groups together; False when they must not be."""
        kept, lost = sorted((self.find(one), self.find(other)))
        if kept == lost:
            return True
        if lost in self.apart[kept]:
            return False
        self.part[lost] = kept
        for third in self.apart.pop(lost, set()):
            self.apart[third].discard(lost)
            self.apart[third].add(kept)
            self.apart[kept].add(third)
        return True


def unlink(
    linked: pd.DataFrame, *, customer_id: str, records: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Decisions that take records out of a customer: rows for `data/raw/corrections.csv`.

    Each record named is said to be different from each record of the customer that is not;
    the records named may stay together.

    Parameters
    ----------
    linked : pandas.DataFrame
        Contract `linked_records`.
    customer_id : str
    records : sequence of (source, source_id)

    Returns
    -------
    pandas.DataFrame
        Columns source_l, source_id_l, source_r, source_id_r, verdict.

    Raises
    ------
    LinkageError
        If there is no such customer, if a record is not its own, or if none would be left.
    """
    own = linked.loc[linked["customer_id"] == customer_id, ["source", "source_id"]]
    if own.empty:
        raise LinkageError(
            f"no customer is called {customer_id}: look it up in data/linked/linked_records.parquet"
        )
    named = list(dict.fromkeys(records))
    mine = set(own.itertuples(index=False, name=None))
    if strange := [f"{s}:{i}" for s, i in named if (s, i) not in mine]:
        raise LinkageError(
            f"{', '.join(strange)} is not a record of {customer_id}, which has "
            + ", ".join(f"{s}:{i}" for s, i in sorted(mine)[:20])
        )
    rest = sorted(mine - set(named))
    if not named or not rest:
        raise LinkageError(
            f"{customer_id} has {len(mine)} records: name some of them, and leave at least one"
        )
    return pd.DataFrame(
        [(*sorted((one, other))[0], *sorted((one, other))[1], "different")
         for one in named for other in rest],
        columns=DECISION_COLUMNS,
    )  # fmt: skip


def measure_labels(decided: pd.DataFrame, linked: pd.DataFrame) -> dict[str, float]:
    """Precision and recall on the pairs that people labelled.

    Parameters
    ----------
    decided : pandas.DataFrame
        From `read_decisions`; rows labelled count.
    linked : pandas.DataFrame
        Contract `linked_records`, before the labels were applied to it.

    Returns
    -------
    dict
        labelled_pairs and, where they can be computed, labelled_precision and
        labelled_recall, each with its 95 % Wilson interval (`_low`, `_high`).
    """
    customer = linked.set_index(["source", "source_id"])["customer_id"]
    labels = decided[decided["reason"] == "labelled"]
    left = customer.reindex(pd.MultiIndex.from_frame(labels[PAIR[:2]])).to_numpy(dtype=object)
    right = customer.reindex(pd.MultiIndex.from_frame(labels[PAIR[2:]])).to_numpy(dtype=object)
    known = pd.notna(left) & pd.notna(right)
    found = (left == right)[known]
    true = (labels["verdict"] == "same").to_numpy()[known]
    measures = {"labelled_pairs": float(known.sum())}
    right_pairs = int((found & true).sum())
    for name, total in (("precision", int(found.sum())), ("recall", int(true.sum()))):
        if total:
            low, high = wilson_interval(right_pairs, total)
            measures |= {
                f"labelled_{name}": right_pairs / total,
                f"labelled_{name}_low": low,
                f"labelled_{name}_high": high,
            }
    return measures


def wilson_interval(successes: int, trials: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a share, right for few trials too (Wilson, 1927).

    Examples
    --------
    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    margin = z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(0.0, centre - margin), min(1.0, centre + margin)
