"""What a visitor has done so far, hit by hit: nothing of it needs to know who it is.

One function serves learning on millions of hits and answering while a page loads: it looks
at a visitor's hits in the order of time and describes each from it and those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Moments", "Vocabulary", "describe_hits", "label_moments", "learn_vocabulary"]

# A pause of half an hour ends a visit: the convention of web analytics.
PAUSE_SECONDS = 1800
DAY_SECONDS = 86_400
RECENT_DAYS = 10
MOST_WORDS = 20
KINDS = ("page", "search", "cart", "order", "login")


@dataclass(frozen=True)
class Vocabulary:
    """Words that a site uses, most frequent first; others count as unknown.

    Attributes
    ----------
    pages, categories, referrers, devices : tuple of str
    """

    pages: tuple[str, ...]
    categories: tuple[str, ...]
    referrers: tuple[str, ...]
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Moments:
    """Hits in the order of visitor and time, and what was known at each.

    Attributes
    ----------
    features : numpy.ndarray of float32, hits x names
    names : tuple of str
    wants : numpy.ndarray of float32, hits x categories x `WANTS`
        What speaks for each category.
    visitor, visit : numpy.ndarray of int
        Numbers of the visitor (`visitors` names it) and of the visit.
    seconds : numpy.ndarray of int
        Since 1970.
    kind, category : numpy.ndarray of int
        Place in `KINDS`, in the vocabulary; -1 for none.
    is_known : numpy.ndarray of bool
        Somebody has logged in on this device by then.
    visitors : numpy.ndarray of str
    order : numpy.ndarray of int
        Row of the table given, of each hit.
    """

    features: np.ndarray
    names: tuple[str, ...]
    wants: np.ndarray
    visitor: np.ndarray
    visit: np.ndarray
    seconds: np.ndarray
    kind: np.ndarray
    category: np.ndarray
    is_known: np.ndarray
    visitors: np.ndarray
    order: np.ndarray

    @property
    def last(self) -> np.ndarray:
        """Place of each visitor's last hit."""
        return np.flatnonzero(
            np.append(self.visitor[1:] != self.visitor[:-1], True)[: len(self.visitor)]
        )


#: What speaks for a category: seen in this visit (share; last; put in the cart; searched),
#: and on this device lately (share).
WANTS = ("visit_share", "last_seen", "in_cart", "searched", "recent_share")


def learn_vocabulary(hits: pd.DataFrame, *, most: int = MOST_WORDS) -> Vocabulary:
    """Most frequent words of a table of hits (contract `staged.web_events`)."""

    def words(values: pd.Series) -> tuple[str, ...]:
        counts = values.dropna().astype(str).value_counts()
        table = counts.rename_axis("word").reset_index(name="n")
        ranked = table.sort_values(["n", "word"], ascending=[False, True])
        return tuple(ranked["word"].head(most))

    return Vocabulary(
        pages=words(hits.loc[hits["kind"] == "page", "page"]),
        categories=words(hits["category"]),
        referrers=words(hits["referrer"]),
        devices=words(hits["device"]),
    )


def describe_hits(hits: pd.DataFrame, *, vocabulary: Vocabulary, timezone: str) -> Moments:
    """Describe every hit from itself and the same visitor's earlier ones.

    Parameters
    ----------
    hits : pandas.DataFrame
        Contract `staged.web_events`; query is not read, source_id may be absent.
    vocabulary : Vocabulary
    timezone : str
        Zone of the shop; says what hour it is.

    Returns
    -------
    Moments

    Notes
    -----
    Features: hits, pages of each kind, searches, carts and orders of the visit so far, its
    length, pauses and focus (largest share of a category), the same of the device before,
    visits, hits and carts of the last ten days, days since the last visit, order and first
    hit, hour, weekday, source and device.
    """
    named, visitors = pd.factorize(hits["visitor_id"].to_numpy(object), sort=True)
    stamp = hits["at"].astype("datetime64[us]")
    time = stamp.to_numpy().astype("datetime64[s]").astype(np.int64)
    raw_kind = _codes(hits["kind"], KINDS)
    order = np.lexsort((np.arange(len(hits)), raw_kind, time, named))
    visitor, seconds, kind = named[order], time[order], raw_kind[order]
    category = _codes(hits["category"], vocabulary.categories)[order]
    page = _codes(hits["page"], vocabulary.pages)[order]
    page[kind != KINDS.index("page")] = -1
    is_hit = {name: (kind == place).astype(np.float32) for place, name in enumerate(KINDS)}

    arrives = _changes(visitor)
    pause = np.diff(seconds, prepend=seconds[:1]) * ~arrives
    opens = arrives | (pause > PAUSE_SECONDS)
    visit = np.cumsum(opens) - 1
    start, birth = _starts(opens), _starts(arrives)
    # Hits of the same device within the last days, found by one search in the sorted keys.
    step = (np.ptp(seconds) if len(seconds) else 0) + RECENT_DAYS * DAY_SECONDS + 2
    key = visitor * step + (seconds - seconds.min(initial=seconds[0] if len(seconds) else 0))
    lately = np.searchsorted(key, np.maximum(key - RECENT_DAYS * DAY_SECONDS, visitor * step))

    columns: dict[str, np.ndarray] = {}
    one = np.ones(len(kind), dtype=np.float32)
    counted = {"hits": one, **{f"{n}s": is_hit[n] for n in ("search", "cart", "order")}}
    for name, flag in counted.items():
        columns[f"visit_{name}"] = _since(flag, start)
        columns[f"before_{name}"] = _since(flag, birth) - columns[f"visit_{name}"]
    for place, name in enumerate(vocabulary.pages):
        columns[f"visit_page_{name}"] = _since((page == place).astype(np.float32), start)
    columns["before_visits"] = _since(opens.astype(np.float32), birth) - 1
    for name, flag in (("visits", opens.astype(np.float32)), ("carts", is_hit["cart"]),
                       ("orders", is_hit["order"]), ("hits", one)):  # fmt: skip
        columns[f"recent_{name}"] = _since(flag, lately)
    columns["visit_seconds"] = seconds - seconds[start]
    columns["pause_seconds"] = np.where(opens, 0, pause)
    columns["hits_since_cart"] = _since_last(kind == KINDS.index("cart"), start)
    columns["days_since_visit"] = np.where(arrives, np.nan, pause)[start] / DAY_SECONDS
    columns["days_since_first"] = (seconds - seconds[birth]) / DAY_SECONDS
    ordered = _last_place(kind == KINDS.index("order"), birth)
    ago = (seconds - seconds[np.maximum(ordered, 0)]) / DAY_SECONDS
    columns["days_since_order"] = np.where(ordered < 0, np.nan, ago)

    wants, seen = _wants(category, kind, len(vocabulary.categories), start=start, lately=lately)
    total = seen.sum(axis=1)
    columns["focus"] = seen.max(axis=1, initial=0) / np.maximum(total, 1)
    columns["categories_seen"] = (seen > 0).sum(axis=1)

    local = pd.DatetimeIndex(stamp.to_numpy()[order]).tz_localize("UTC").tz_convert(timezone)
    columns["hour"], columns["weekday"] = local.hour.to_numpy(), local.day_of_week.to_numpy()
    source = _codes(hits["referrer"], vocabulary.referrers)[order][start]
    device = _codes(hits["device"], vocabulary.devices)[order]
    for place, name in enumerate(vocabulary.referrers):
        columns[f"from_{name}"] = source == place
    for place, name in enumerate(vocabulary.devices):
        columns[f"on_{name}"] = device == place
    known = hits["source_id"].notna().to_numpy()[order] if "source_id" in hits else arrives & False
    return Moments(
        features=_matrix(list(columns.values()), len(kind)),
        names=tuple(columns),
        wants=wants,
        visitor=visitor,
        visit=visit,
        seconds=seconds,
        kind=kind,
        category=category,
        is_known=_last_place(known, birth) >= 0,
        visitors=np.asarray(visitors, dtype=object),
        order=order,
    )


def label_moments(moments: Moments, *, horizon_days: int) -> pd.DataFrame:
    """What came after each hit: for learning and judging only.

    Parameters
    ----------
    moments : Moments
    horizon_days : int

    Returns
    -------
    pandas.DataFrame
        One row per hit: buys_visit and buys_soon (an order later in the visit, within
        `horizon_days`), wanted (place of the category of that order; -1 for none).
    """
    n = len(moments.kind)
    if n == 0:
        return pd.DataFrame({"buys_visit": [], "buys_soon": [], "wanted": []}, dtype=object)
    orders = np.where(moments.kind == KINDS.index("order"), np.arange(n), n)
    # The next order strictly later, of the same visitor.
    following = np.append(np.minimum.accumulate(orders[::-1])[::-1][1:], n)
    there = np.minimum(following, n - 1)
    same = (following < n) & (moments.visitor[there] == moments.visitor)
    soon = same & (moments.seconds[there] - moments.seconds <= horizon_days * DAY_SECONDS)
    return pd.DataFrame(
        {
            "buys_visit": same & (moments.visit[there] == moments.visit),
            "buys_soon": soon,
            "wanted": np.where(soon, moments.category[there], -1),
        }
    )


def _wants(
    category: np.ndarray, kind: np.ndarray, size: int, *, start: np.ndarray, lately: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    wants = np.zeros((len(category), size, len(WANTS)), dtype=np.float32)
    seen = np.zeros((len(category), size), dtype=np.float32)
    recent = np.zeros((len(category), size), dtype=np.float32)
    last = _last_place(category >= 0, start)
    last_category = np.where(last < 0, -1, category[np.maximum(last, 0)])
    for place in range(size):
        on_it = (category == place).astype(np.float32)
        seen[:, place] = _since(on_it, start)
        recent[:, place] = _since(on_it, lately)
        wants[:, place, 1] = last_category == place
        for column, name in ((2, "cart"), (3, "search")):
            wants[:, place, column] = _since(on_it * (kind == KINDS.index(name)), start) > 0
    wants[:, :, 0] = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    wants[:, :, 4] = recent / np.maximum(recent.sum(axis=1, keepdims=True), 1)
    return wants, seen


def _codes(values: pd.Series, words: Sequence[str]) -> np.ndarray:
    # By Arrow: quick on millions of hits and on the ten of one visitor.
    texts = pa.array(values, type=pa.string(), from_pandas=True)
    found = pc.index_in(texts, value_set=pa.array(words, type=pa.string()))
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _changes(group: np.ndarray) -> np.ndarray:
    return np.append(np.ones(min(len(group), 1), bool), group[1:] != group[:-1])


def _starts(opens: np.ndarray) -> np.ndarray:
    """Place where the run that holds each row began."""
    return np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))


def _since(flag: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Sum of a flag from `start` to each row, both included."""
    total = np.cumsum(flag, dtype=np.float64)
    return (total - total[start] + flag[start]).astype(np.float32)


def _last_place(flag: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Place of the last true row from `start` on, -1 for none."""
    place = np.maximum.accumulate(np.where(flag, np.arange(len(flag)), -1))
    return np.where(place >= start, place, -1)


def _since_last(flag: np.ndarray, start: np.ndarray) -> np.ndarray:
    place = _last_place(flag, start)
    return np.where(place < 0, np.nan, np.arange(len(flag)) - place)


def _matrix(columns: Sequence[Any], rows: int) -> np.ndarray:
    table = np.empty((rows, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        table[:, place] = column
    return table
