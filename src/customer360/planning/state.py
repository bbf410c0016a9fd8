"""What the decision service keeps in memory: scores, consents and past messages, as arrays.

One row of each array is a customer, found by its id in a sorted list; lists of unequal
length (messages, goods owned) stand behind each other, customer after customer. Written as
arrays and JSON: nothing of it runs code when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CHANNELS, QUADRANTS
from customer360.linkage.engine_tables import as_arrow
from customer360.planning.gate import MESSAGES, NEEDS_ADDRESS, NEEDS_CONSENT
from customer360.planning.pressure import ContactRule

__all__ = ["NEVER", "ServiceState", "build_state", "find"]

#: Day of what never happened.
NEVER = np.iinfo(np.int32).min
SHOWN = 5
_ARRAYS = "state.npz"
_WORDS = "state.json"


@dataclass(frozen=True)
class Words:
    """Names that the arrays number, and the settings of the gate.

    Attributes
    ----------
    as_of : str
        Last day of which everything is known, ISO.
    channels, offers, items, reasons, segments, goals, categories, themes, images : tuple of str
        `offers` are codes (none, gift, percent_10...), `items` what can be suggested or
        owned, `reasons` why it is suggested, `categories` what strangers look for, `themes`
        and `images` what a message shows.
    depth : tuple of float, share of price
        Of each offer.
    too_deep : tuple of str
        Offers that leave less than the margin floor: never made.
    rules : tuple of ContactRule
    retention_days : int, optional
    only_preferred : bool
    """

    as_of: str
    channels: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    depth: tuple[float, ...] = ()
    too_deep: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    rules: tuple[ContactRule, ...] = ()
    retention_days: int | None = None
    only_preferred: bool = True


@dataclass(frozen=True)
class ServiceState:
    """Everything a decision needs, of every customer.

    Attributes
    ----------
    words : Words
    ids : array of bytes, sorted
        customer_id.
    consent : array of bool, customers x `NEEDS_CONSENT`
    reachable : array of bool, customers x `NEEDS_ADDRESS`
    unsubscribed : array of bool, customers x `CHANNELS`
        Since the customers were last counted.
    preferred : array of int8
        Place in `CHANNELS`, -1 for none.
    last_day : array of int32, days since 1970
        Last order or change of record; NEVER where neither is dated.
    message_start : array of int64, (customers + 1,)
    message_day, message_channel : arrays
        Past messages; channel -1 where it has no name.
    owned_start, owned_item : arrays
        Places of `words.items` and of `words.offers` (counted behind the items).
    gain : array of float32, customers x channels x offers, currency
        Expected margin of one message less its cost; NaN where nothing was tested.
    propensity : array of float32, the same shape
    quadrant : array of int8, the same shape
        Place in `QUADRANTS`, -1 for none.
    item, item_reason : array of int32, customers x 5
        What to suggest, best first; -1 for none.
    item_score : array of float32
    plan_day : array of int32, customers x slots
    plan_offer, plan_channel, plan_goal : array of int8
        The plan; -1 for none.
    value, churn, dissatisfaction : array of float32
    segment : array of int16
    theme, image : array of int8
        What results say should appeal most; -1 where nothing is known.
    visitors : array of bytes, sorted
        Devices that a log-in tells whose they are.
    visitor_of : array of int32
        Place of the customer.
    strangers : array of bytes, sorted
        Devices of which only the intent is known.
    soon : array of float32
        Chance of an order soon.
    wanted : array of int16, strangers x 3
    wanted_chance : array of float32
    """

    words: Words
    ids: np.ndarray
    consent: np.ndarray
    reachable: np.ndarray
    unsubscribed: np.ndarray
    preferred: np.ndarray
    last_day: np.ndarray
    message_start: np.ndarray
    message_day: np.ndarray
    message_channel: np.ndarray
    owned_start: np.ndarray
    owned_item: np.ndarray
    gain: np.ndarray
    propensity: np.ndarray
    quadrant: np.ndarray
    item: np.ndarray
    item_score: np.ndarray
    item_reason: np.ndarray
    plan_day: np.ndarray
    plan_offer: np.ndarray
    plan_channel: np.ndarray
    plan_goal: np.ndarray
    value: np.ndarray
    churn: np.ndarray
    dissatisfaction: np.ndarray
    segment: np.ndarray
    theme: np.ndarray
    image: np.ndarray
    visitors: np.ndarray
    visitor_of: np.ndarray
    strangers: np.ndarray
    soon: np.ndarray
    wanted: np.ndarray
    wanted_chance: np.ndarray

    def place(self, customer_id: str) -> int:
        """Row of a customer, -1 when it is not known."""
        return find(self.ids, customer_id)

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        return sum(getattr(self, name).nbytes for name in _array_names())

    def save(self, folder: Path) -> None:
        """Write state.npz and state.json."""
        arrays = {name: getattr(self, name) for name in _array_names()}
        np.savez(folder / _ARRAYS, **arrays)
        text = json.dumps(asdict(self.words), indent=1, ensure_ascii=False)
        (folder / _WORDS).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ServiceState:
        """Read what `save` wrote."""
        plain = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
        rules = tuple(ContactRule(**rule) for rule in plain.pop("rules"))
        listed: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()
        }
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            return cls(words=Words(**listed, rules=rules), **{n: arrays[n] for n in _array_names()})


def _array_names() -> list[str]:
    return [field.name for field in fields(ServiceState) if field.name != "words"]


def find(keys: np.ndarray, wanted: str) -> int:
    """Place of a text in a sorted array of bytes, -1 when it is not there."""
    try:
        key = wanted.encode()
    except UnicodeEncodeError:  # half a character is nobody's name
        return -1
    # An array of bytes knows no trailing zero, and would take "a\0" for "a".
    if b"\0" in key or not len(keys) or len(key) > keys.dtype.itemsize:
        return -1
    place = int(np.searchsorted(keys, np.bytes_(key)))
    return place if place < len(keys) and keys[place] == key else -1


def build_state(
    *,
    as_of: Any,
    customers: Any,
    rules: Sequence[ContactRule],
    contacts: Any | None = None,
    response_scores: Any | None = None,
    cross_sell_scores: Any | None = None,
    decisions: Any | None = None,
    owned: Any | None = None,
    clv_scores: Any | None = None,
    churn_scores: Any | None = None,
    dissatisfaction_scores: Any | None = None,
    segments: Any | None = None,
    content_choices: Any | None = None,
    visitors: Any | None = None,
    intent_scores: Any | None = None,
    costs: Mapping[str, float] | None = None,
    too_deep: Sequence[str] = (),
    retention_days: int | None = None,
    only_preferred: bool = True,
) -> ServiceState:
    """Lay the tables out for answers within a millisecond.

    Parameters
    ----------
    as_of : date
    customers : frame
        Contract `customers`: who is not in it is not known.
    rules : sequence of ContactRule
        The same as at the gate, as are `retention_days` and `only_preferred`.
    contacts : frame, optional
        Contract `customer_contacts`.
    response_scores, cross_sell_scores, decisions : frame, optional
        Contracts of these names; rows of customers that are not known are left out.
    owned : frame, optional
        customer_id, offer_id: items or offers that a person has.
    clv_scores, churn_scores, dissatisfaction_scores, segments, content_choices, intent_scores :
    frame, optional
        Contracts of these names.
    visitors : frame, optional
        visitor_id, customer_id: devices of a known customer, one row each.
    costs : dict of str to float, currency, optional
        Of one message by channel: taken off its gain.
    too_deep : sequence of str
        Offers that break the margin floor.

    Returns
    -------
    ServiceState
    """
    known = as_arrow(customers)
    ids = _sorted_bytes(known["customer_id"])
    if len(np.unique(ids)) != len(ids):
        raise ValueError("a customer stands twice: customer_id must be a key")
    known = known.take(pc.sort_indices(pc.cast(known["customer_id"], pa.binary())))
    unsubscribed, messages = _past(ids, known, contacts)
    scores = _scores(ids, response_scores, costs or {})
    items, reasons, suggested = _suggestions(ids, cross_sell_scores)
    items, owning = _owned(ids, owned, items=items, offers=scores["offers"])
    goals, plan = _plan(ids, decisions, channels=CHANNELS, offers=scores["offers"])
    names, segment = _codes_of(ids, segments, "segment_name", np.int16)
    themes, theme = _codes_of(ids, content_choices, "theme", np.int8)
    images, image = _codes_of(ids, content_choices, "image", np.int8)
    categories, strangers = _strangers(intent_scores)
    devices = _devices(ids, visitors)
    words = Words(
        as_of=str(as_of),
        channels=scores.pop("channels"),
        offers=scores.pop("offers"),
        depth=scores.pop("depth"),
        too_deep=tuple(too_deep),
        items=items,
        reasons=reasons,
        segments=names,
        goals=goals,
        categories=categories,
        themes=themes,
        images=images,
        rules=tuple(rules),
        retention_days=retention_days,
        only_preferred=only_preferred,
    )
    return ServiceState(
        words=words,
        ids=ids,
        consent=_flags(known, NEEDS_CONSENT.values()),
        reachable=_flags(known, [f"reachable_{c}" for c in NEEDS_ADDRESS]),
        unsubscribed=unsubscribed,
        preferred=_places(known["preferred_channel"], CHANNELS).astype(np.int8),
        last_day=_last_days(known),
        **messages,
        **owning,
        **scores,
        **suggested,
        **plan,
        value=_numbers(ids, clv_scores, "clv"),
        churn=_numbers(ids, churn_scores, "churn_probability"),
        dissatisfaction=_numbers(ids, dissatisfaction_scores, "dissatisfaction"),
        segment=segment,
        theme=theme,
        image=image,
        **devices,
        **strangers,
    )


# --- one table after the other ------------------------------------------------------------------


def _sorted_bytes(values: Any) -> np.ndarray:
    """Texts as an array of bytes, sorted; a null is an empty one."""
    if not len(values):
        return np.zeros(0, dtype="S1")
    return np.sort(_bytes(values))


def _bytes(values: Any) -> np.ndarray:
    filled = pc.fill_null(pc.cast(values, pa.string()), "")
    longest = max(1, pc.max(pc.binary_length(filled)).as_py() or 1)
    return np.array(pc.cast(filled, pa.binary()).to_pylist(), dtype=f"S{longest}")


def _rows(ids: np.ndarray, frame: Any | None) -> tuple[pa.Table, np.ndarray]:
    """Rows of known customers, and the place of each."""
    if frame is None:
        return pa.table({}), np.zeros(0, dtype=np.int64)
    table = as_arrow(frame)
    names = _bytes(table["customer_id"]) if table.num_rows else np.zeros(0, dtype="S1")
    place = np.searchsorted(ids, names)
    there = place < len(ids)
    there[there] = ids[place[there]] == names[there]
    return table.filter(pa.array(there)), place[there]


def _places(values: Any, words: Sequence[str]) -> np.ndarray:
    """Place of each text in a list of words, -1 for none."""
    found = pc.index_in(pc.cast(values, pa.string()), value_set=pa.array(words, pa.string()))
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _flags(table: pa.Table, names: Any) -> np.ndarray:
    """What was never asked is a no."""
    columns = [pc.fill_null(pc.cast(table[n], pa.bool_()), False) for n in names]
    return np.stack([np.asarray(c.to_numpy(zero_copy_only=False), bool) for c in columns], axis=1)


def _days(values: Any) -> np.ndarray:
    """Days since 1970; NEVER for none."""
    days = pc.cast(pc.cast(values, pa.timestamp("us")), pa.date32(), safe=False)
    return pc.fill_null(pc.cast(days, pa.int32()), NEVER).to_numpy(zero_copy_only=False)


def _last_days(known: pa.Table) -> np.ndarray:
    two = [_days(known[name]) for name in ("last_order_at", "updated_at")]
    return np.maximum(*two).astype(np.int32)


def _past(
    ids: np.ndarray, known: pa.Table, contacts: Any | None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Who has unsubscribed since, and past messages by the gate's own definition."""
    unsubscribed = np.zeros((len(ids), len(CHANNELS)), dtype=bool)
    if contacts is None:
        return unsubscribed, {
            **_starts("message_start", len(ids), np.zeros(0, dtype=np.int64)),
            "message_day": np.zeros(0, dtype=np.int32),
            "message_channel": np.zeros(0, dtype=np.int8),
        }
    with closing(duckdb.connect()) as connection:
        connection.register("contacts", as_arrow(contacts))
        connection.register("known", known.select(["customer_id", "as_of"]))
        left = connection.sql(
            "select distinct customer_id, u.channel from contacts u join known using (customer_id)"
            " where event = 'unsubscribed' and cast(u.\"at\" as date) > as_of"
        ).to_arrow_table()
        sent = connection.sql(MESSAGES).to_arrow_table()
    left, who = _rows(ids, left)
    channel = _places(left["channel"], CHANNELS) if left.num_rows else who
    unsubscribed[who[channel >= 0], channel[channel >= 0]] = True
    sent, who = _rows(ids, sent)
    days = _days(sent["day"]) if sent.num_rows else np.zeros(0, np.int32)
    channel = _places(sent["channel"], CHANNELS) if sent.num_rows else who
    order = np.lexsort((channel, days, who))
    return unsubscribed, {
        **_starts("message_start", len(ids), who),
        "message_day": days[order].astype(np.int32),
        "message_channel": channel[order].astype(np.int8),
    }


def _starts(name: str, n: int, who: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.concatenate([[0], np.cumsum(np.bincount(who, minlength=n))]).astype(np.int64)}


def _scores(
    ids: np.ndarray, response_scores: Any | None, costs: Mapping[str, float]
) -> dict[str, Any]:
    table, who = _rows(ids, response_scores)
    if not table.num_rows:
        empty = np.zeros((len(ids), 0, 0), dtype=np.float32)
        return {"channels": (), "offers": (), "depth": (), "gain": empty,
                "propensity": empty, "quadrant": empty.astype(np.int8)}  # fmt: skip
    channels = tuple(sorted(pc.unique(table["channel"]).to_pylist()))
    pairs = table.select(["offer", "depth"]).group_by("offer").aggregate([("depth", "max")])
    depth_of = dict(zip(pairs["offer"].to_pylist(), pairs["depth_max"].to_pylist(), strict=True))
    offers = tuple(sorted(depth_of, key=lambda code: (depth_of[code] or 0.0, code)))
    place = (who, _places(table["channel"], channels), _places(table["offer"], offers))
    shape = (len(ids), len(channels), len(offers))
    gain, propensity = np.full((2, *shape), np.nan, dtype=np.float32)
    quadrant = np.full(shape, -1, dtype=np.int8)
    cost = np.array([costs.get(channel, 0.0) for channel in channels])[place[1]]
    gain[place] = _floats(table["expected_margin"]) - cost
    propensity[place] = _floats(table["propensity"])
    quadrant[place] = _places(table["quadrant"], QUADRANTS)
    depth = tuple(float(depth_of[code] or 0.0) for code in offers)
    return {"channels": channels, "offers": offers, "depth": depth, "gain": gain,
            "propensity": propensity, "quadrant": quadrant}  # fmt: skip


def _floats(values: Any) -> np.ndarray:
    return pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)


def _suggestions(
    ids: np.ndarray, cross_sell_scores: Any | None
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, np.ndarray]]:
    table, who = _rows(ids, cross_sell_scores)
    found = {
        "item": np.full((len(ids), SHOWN), -1, dtype=np.int32),
        "item_reason": np.full((len(ids), SHOWN), -1, dtype=np.int32),
        "item_score": np.zeros((len(ids), SHOWN), dtype=np.float32),
    }
    if not table.num_rows:
        return (), (), found
    rank = table["rank"].to_numpy().astype(np.int64) - 1
    kept = (rank >= 0) & (rank < SHOWN)
    table, who, rank = table.filter(pa.array(kept)), who[kept], rank[kept]
    items, item = _coded(table["item"])
    reasons, reason = _coded(table["reason"])
    found["item"][who, rank] = item
    found["item_reason"][who, rank] = reason
    found["item_score"][who, rank] = np.nan_to_num(_floats(table["score"]))
    return items, reasons, found


def _coded(values: Any) -> tuple[tuple[str, ...], np.ndarray]:
    words = tuple(sorted(w for w in pc.unique(pc.cast(values, pa.string())).to_pylist() if w))
    return words, _places(values, words)


def _owned(
    ids: np.ndarray, owned: Any | None, *, items: tuple[str, ...], offers: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    table, who = _rows(ids, owned)
    if not table.num_rows:
        return items, {**_starts("owned_start", len(ids), who), "owned_item": np.zeros(0, np.int32)}
    had = {w for w in pc.unique(pc.cast(table["offer_id"], pa.string())).to_pylist() if w}
    items = (*items, *sorted(had - set(items) - set(offers)))
    code = _places(table["offer_id"], (*items, *offers))
    who, code = who[code >= 0], code[code >= 0]
    order = np.lexsort((code, who))
    return items, {
        **_starts("owned_start", len(ids), who),
        "owned_item": code[order].astype(np.int32),
    }


def _plan(
    ids: np.ndarray, decisions: Any | None, *, channels: Sequence[str], offers: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    table, who = _rows(ids, decisions)
    slot = table["slot"].to_numpy().astype(np.int64) - 1 if table.num_rows else who
    shape = (len(ids), int(slot.max(initial=-1)) + 1)
    found: dict[str, np.ndarray] = {
        "plan_day": np.full(shape, NEVER, dtype=np.int32),
        **{f"plan_{n}": np.full(shape, -1, dtype=np.int8) for n in ("offer", "channel", "goal")},
    }
    if not table.num_rows:
        return (), found
    goals, goal = _coded(table["goal"])
    found["plan_day"][who, slot] = _days(table["day"])
    found["plan_offer"][who, slot] = _places(table["offer"], offers)
    found["plan_channel"][who, slot] = _places(table["channel"], channels)
    found["plan_goal"][who, slot] = goal
    return goals, found


def _numbers(ids: np.ndarray, frame: Any | None, name: str) -> np.ndarray:
    table, who = _rows(ids, frame)
    found = np.full(len(ids), np.nan, dtype=np.float32)
    if table.num_rows:
        found[who] = _floats(table[name])
    return found


def _codes_of(
    ids: np.ndarray, frame: Any | None, name: str, kind: Any
) -> tuple[tuple[str, ...], np.ndarray]:
    table, who = _rows(ids, frame)
    found = np.full(len(ids), -1, dtype=kind)
    if not table.num_rows:
        return (), found
    words, code = _coded(table[name])
    found[who] = code
    return words, found


def _devices(ids: np.ndarray, visitors: Any | None) -> dict[str, np.ndarray]:
    table, who = _rows(ids, visitors)
    if not table.num_rows:
        return {"visitors": np.zeros(0, dtype="S1"), "visitor_of": np.zeros(0, dtype=np.int32)}
    names = _bytes(table["visitor_id"])
    order = np.argsort(names, kind="stable")
    return {"visitors": names[order], "visitor_of": who[order].astype(np.int32)}


def _strangers(intent_scores: Any | None) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    table = pa.table({}) if intent_scores is None else as_arrow(intent_scores)
    if not table.num_rows:
        return (), {
            "strangers": np.zeros(0, dtype="S1"),
            "soon": np.zeros(0, dtype=np.float32),
            "wanted": np.zeros((0, 3), dtype=np.int16),
            "wanted_chance": np.zeros((0, 3), dtype=np.float32),
        }
    names = _bytes(table["visitor_id"])
    order = np.argsort(names, kind="stable")
    ranks = [table[f"category_{rank}"] for rank in (1, 2, 3)]
    words = tuple(sorted({w for r in ranks for w in pc.unique(r).to_pylist() if w}))
    chances = [_floats(table[f"category_{rank}_probability"]) for rank in (1, 2, 3)]
    return words, {
        "strangers": names[order],
        "soon": _floats(table["soon_probability"])[order],
        "wanted": np.stack([_places(r, words) for r in ranks], axis=1)[order].astype(np.int16),
        "wanted_chance": np.stack(chances, axis=1)[order],
    }
