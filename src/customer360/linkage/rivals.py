"""Somebody else fits as well: what a pair says in the light of the other pairs.

Two records that fit each other, and nobody else, are one person more often than their
fields alone tell; a record that fits two people who cannot both be its owner belongs to
one of them at most. Both are learned from the pairs themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from customer360.linkage.model import LevelShares, LinkageModel

__all__ = ["LEVELS", "RIVALS", "by_fields_alone", "find_rivals", "learn_rivals"]

RIVALS = "rivals"
# How probably one of the two records is a third one that is not the other: upper bounds.
LEVELS = (
    (0.01, "nobody else fits"),
    (0.03, "hardly anybody else fits"),
    (0.10, "somebody else might fit"),
    (0.30, "somebody else may fit"),
    (0.60, "somebody else fits half as well"),
    (0.90, "somebody else fits well"),
    (1.01, "somebody else fits as well"),
)
BEST = len(LEVELS) - 1
# A level that few pairs show weighs little.
USUAL_PAIRS = 20.0
# Fewer rivals than these say all there is to say; a common name has hundreds.
MOST_RIVALS = 30
# Fits less probable than this make no bridge between two records.
BRIDGE = 0.5
# Pairs of records that fit a third one: more at once take more memory, and no less time.
PAIRS_AT_ONCE = 250_000


def find_rivals(connection: Any, *, at_least: float, known: str | None = None) -> None:
    """Add `level_rivals` to table `compared`, from table `scored`.

    The rival of a pair (i, j) is the third record k that makes the most of
    p(i, k) (1 - p(j, k)), or the same with i and j exchanged: it is i, and it is not j.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Its tables hold the pairs as their fields alone tell.
    at_least : float
        Pairs less probable than this are left without a level (-1) and are no rivals.
    known : str, optional
        Query of pairs scored before: record_l, record_r, match_probability. They can be
        rivals; those that `scored` holds too are taken from there.
    """
    pairs = "select record_l, record_r, match_probability, true as asked from scored"
    if known:
        _find_reach(connection, known)
        pairs = f"{pairs} union all select *, false from reach"
    found = connection.execute(
        f"""select record_l::integer as l, record_r::integer as r, match_probability as p, asked
        from ({pairs}) where match_probability >= {at_least!r}"""
    ).fetchnumpy()
    left, right, p, asked = (np.asarray(found[column]) for column in ("l", "r", "p", "asked"))
    rival = _strongest_rivals(left, right, p)[asked]
    level = BEST - np.searchsorted([bound for bound, _ in LEVELS], rival, side="right")
    levels = {"record_l": left[asked], "record_r": right[asked], "level": level.astype(np.int8)}
    connection.register("levels_found", pa.table(levels))
    connection.execute(
        f"""
        create or replace temp table compared as
        select c.*, coalesce(f.level, -1)::tinyint as level_{RIVALS}
        from compared c left join levels_found f using (record_l, record_r)
        """
    )
    connection.unregister("levels_found")


def _find_reach(connection: Any, known: str) -> None:
    """Table `reach`: the known pairs that can matter to those in table `scored`.

    A rival is one step away, who else it may be two, and what these fit three.
    """
    connection.execute(
        f"""
        create or replace temp table reached as
        select record_l as record from scored union select record_r from scored;
        create or replace temp table others as
        from ({known}) as known(record_l, record_r, match_probability)
        anti join scored using (record_l, record_r)
        """
    )
    near = "from others where record_l in (from reached) or record_r in (from reached)"
    for _ in range(2):
        connection.execute(
            f"""create or replace temp table reached as
            from reached union select record_l {near} union select record_r {near}"""
        )
    connection.execute(f"create or replace temp table reach as {near}")


@dataclass(frozen=True)
class _Fits:
    """Who fits whom: every pair in both directions, sorted by record and by who fits it."""

    record: np.ndarray
    other: np.ndarray
    p: np.ndarray
    pair: np.ndarray
    # Place of the same pair in the other direction.
    back: np.ndarray
    # The other one is among the best of the record.
    best: np.ndarray
    # Place of the first one who fits each record, and the end.
    starts: np.ndarray


def _fits(left: np.ndarray, right: np.ndarray, probability: np.ndarray) -> _Fits:
    from scipy.sparse import coo_array, csc_array

    records = int(max(left.max(), right.max())) + 1
    pair = np.tile(np.arange(len(left), dtype=np.int32), 2)
    ends = np.concatenate([left, right]), np.concatenate([right, left])
    matrix = coo_array((pair, ends), shape=(records, records)).tocsc()
    place = np.arange(len(pair), dtype=np.int32)
    back = csc_array((place, matrix.indices, matrix.indptr), shape=matrix.shape).tocsr().data
    many = np.diff(matrix.indptr)
    record, other, pair = np.repeat(np.arange(records), many), matrix.indices, matrix.data
    p = probability[pair]
    best = np.ones(len(pair), dtype=bool)
    crowded = np.flatnonzero(many[record] > MOST_RIVALS)
    ranked = crowded[np.lexsort((other[crowded], -p[crowded], record[crowded]))]
    # The places of a record are the same before and after it is sorted: they start alike.
    best[ranked] = crowded - matrix.indptr[record[crowded]] < MOST_RIVALS
    return _Fits(record, other, p, pair, back, best, matrix.indptr)


def _strongest_rivals(left: np.ndarray, right: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """How probably one record of each pair is a third one that is not the other; else 0."""
    strongest = np.zeros(len(left))
    if len(left):
        fits = _fits(left, right, probability)
        rival = np.zeros(len(fits.pair))
        # Two records that fit a third one meet once: the larger comes after the smaller.
        pairs = fits.starts[fits.other + 1] - fits.back - 1
        for start, end in _parts(fits.starts, pairs):
            _find_rivals_among(fits, start, pairs[start:end], rival)
        np.maximum.at(strongest, fits.pair, rival)
    return strongest


def _parts(starts: np.ndarray, pairs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Places of some records at a time, which make about as many pairs."""
    before = np.concatenate([[0], np.cumsum(pairs)])[starts] // PAIRS_AT_ONCE
    cuts = starts[np.flatnonzero(np.diff(before)) + 1]
    return pairwise(np.unique(np.concatenate([starts[:1], cuts, starts[-1:]])).tolist())


def _find_rivals_among(fits: _Fits, start: int, pairs: np.ndarray, rival: np.ndarray) -> None:
    """Raise `rival` by what two records that fit a third one say, the smaller from `start` on.

    If they are two people, each is the rival of the other. They are one person as probably as
    they fit, or as the weaker fit to another record.
    """
    ends = np.cumsum(pairs)
    one = np.repeat(np.arange(start, start + len(pairs), dtype=np.int32), pairs)
    first = (fits.back[start : start + len(pairs)] + 1 - ends + pairs).astype(np.int32)
    two = np.repeat(first, pairs) + np.arange(len(one), dtype=np.int32)
    # From the smaller record to the third one, and from there to the larger.
    weaker = np.minimum(fits.p[one], fits.p[two])
    bridges = fits.best[one] & fits.best[fits.back[two]] & (weaker >= BRIDGE)
    places = np.arange(start, start + len(pairs))
    direct = places[fits.record[places] < fits.other[places]]
    same = _most_of_others(
        np.concatenate([fits.record[direct], fits.record[one]]) * len(fits.starts)
        + np.concatenate([fits.other[direct], fits.other[two]]),
        np.concatenate([fits.p[direct], np.where(bridges, weaker, 0)]),
    )[len(direct) :]
    for place, against in ((one, two), (two, fits.back[one])):
        found = np.where(fits.best[against], fits.p[against], 0) * (1 - same)
        tells = found >= LEVELS[0][0]
        np.maximum.at(rival, place[tells], found[tells])


def _most_of_others(key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The greatest value of the other rows with the same key; 0 if there are none."""
    # Keys come in sorted runs, which a stable sort merges.
    order = np.argsort(key, kind="stable")
    key, value = key[order], value[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    rows = np.diff(starts, append=len(key))
    most = np.maximum.reduceat(value, starts)
    is_most = value == np.repeat(most, rows)
    tied = np.add.reduceat(is_most, starts, dtype=np.int32) > 1
    next_most = np.where(tied, most, np.maximum.reduceat(np.where(is_most, 0, value), starts))
    found = np.empty_like(value)
    found[order] = np.where(is_most, np.repeat(next_most, rows), np.repeat(most, rows))
    return found


def learn_rivals(connection: Any, model: LinkageModel) -> None:
    """Add to the model how often each level shows, in pairs of one person and in others.

    Counted from tables `compared` and `scored`, each pair weighed by what its fields tell.
    Two people of one household have rivals as strangers have.
    """
    counted = connection.execute(
        f"""select level_{RIVALS} as value, sum(match_probability) as one,
               sum(1 - match_probability) as apart
        from compared join scored using (record_l, record_r)
        where level_{RIVALS} >= 0 group by 1"""
    ).fetchall()
    sums = {value: (one, apart) for value, one, apart in counted}
    seen = {
        value: tuple(USUAL_PAIRS + pairs for pairs in sums.get(value, (0.0, 0.0)))
        for value in range(len(LEVELS))
    }
    ones, aparts = (sum(pair[side] for pair in seen.values()) for side in (0, 1))
    model.comparisons[RIVALS] = [
        LevelShares(
            value=value,
            label=LEVELS[BEST - value][1],
            rarity=None,
            m=_short(one / ones),
            u=_short(apart / aparts),
            household=_short(apart / aparts),
            m_from="data",
            pairs_expected=round(one - USUAL_PAIRS, 3),
        )
        for value, (one, apart) in seen.items()
    ]
    model.kinds[RIVALS], model.about[RIVALS] = "personal", "who else fits"


def by_fields_alone(model: LinkageModel) -> LinkageModel:
    """The model without what it knows of rivals."""
    fields = {name: levels for name, levels in model.comparisons.items() if name != RIVALS}
    return replace(model, comparisons=fields)


def _short(value: float) -> float:
    return float(f"{value:.10g}")
