"""One customer on one page, for the adviser who has it on the line.

What it holds is personal: it is shown, and kept in files that only their owner can read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["LANES", "about", "mood", "timeline", "to_say", "value_move"]

#: Lanes of the timeline, from top to bottom.
LANES = ("purchase", "message", "visit", "conversation", "life")
_MOVED = {
    "part_arrival": "became a customer",
    "part_recency": "time since the last purchase",
    "part_purchases": "new purchases",
    "part_spend": "size of the baskets",
    "part_segment": "how often compared with others",
    "part_experience": "claims and how they went",
    "part_cost": "cost to serve",
}
_MOODS = ((0.25, "calm"), (0.5, "be careful"), (1.01, "dissatisfied"))


def about(person: Mapping[str, Any], **facts: Any) -> pd.DataFrame:
    """Who it is, as label and value; what is not known is left out.

    Parameters
    ----------
    person : mapping
        One row of contract `customers`.
    **facts
        More lines, label and value.
    """
    name = [person.get(n) for n in ("title", "first_name", "last_name")]
    place = [person.get(n) for n in ("street", "postcode", "city")]
    agreed = [c for c in ("email", "sms", "phone", "post") if person.get(f"consent_{c}") is True]
    lines = {
        "name": _together(name),
        "born": _day(person.get("birth_date")),
        "e-mail": person.get("email"),
        "phone": person.get("phone"),
        "address": _together(place),
        "customer since": _day(person.get("first_order_at")),
        "agreed to": ", ".join(agreed) or "no message at all",
        "prefers": person.get("preferred_channel"),
        **{label.replace("_", " "): value for label, value in facts.items()},
    }
    known = {label: value for label, value in lines.items() if not _missing(value)}
    return pd.DataFrame({"what": list(known), "is": [str(v) for v in known.values()]})


def timeline(
    *,
    orders: pd.DataFrame,
    contacts: pd.DataFrame,
    web_events: pd.DataFrame,
    conversations: pd.DataFrame,
    life_events: pd.DataFrame,
) -> pd.DataFrame:
    """Everything that happened with one customer, in the order of time.

    Parameters
    ----------
    orders, contacts, web_events, conversations, life_events : pandas.DataFrame
        Rows of one customer, contracts `customer_*`; conversations may carry
        dissatisfied_probability.

    Returns
    -------
    pandas.DataFrame
        One row per event: at, lane (one of `LANES`), what, size (currency of a purchase,
        else 1), tone (0 good to 1 bad; NaN where it has none).
    """
    bought = orders.groupby("order_id").agg(
        at=("ordered_at", "min"), size=("net_amount", "sum"), category=("category", _words)
    )
    first = contacts.sort_values("at").drop_duplicates("contact_id")
    sent = first[first["event"] != "held_out"]
    visits = web_events.assign(at=web_events["at"].dt.floor("D")).drop_duplicates("at")
    tone = conversations.get("dissatisfied_probability")
    parts = [
        _lane("purchase", bought["at"], bought["category"], size=bought["size"]),
        _lane("message", sent["at"], sent["channel"]),
        _lane("visit", visits["at"], "site"),
        _lane("conversation", conversations["at"], conversations["reason"], tone=tone),
        _lane("life", life_events["day"], life_events["kind"]),
    ]
    found = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    return found.sort_values(["at", "lane", "what"], ignore_index=True)


def mood(score: float | None, words: str | None) -> tuple[str, str]:
    """A word for the mood, and what it was read from."""
    if _missing(score):
        return "not known", "no conversation to read it from"
    word = next(name for limit, name in _MOODS if float(score or 0) < limit)
    read = f", from the words {words}" if words else ""
    return word, f"{float(score or 0):.0%} likely to be dissatisfied{read}"


def value_move(history: pd.DataFrame, *, months: int = 3) -> tuple[float, float, pd.DataFrame]:
    """Value today, what it moved in some months, and why, the largest part first.

    Parameters
    ----------
    history : pandas.DataFrame
        Rows of one customer, contract `value_history`.
    months : int

    Returns
    -------
    value, move : float, currency
        NaN where there is no history.
    parts : pandas.DataFrame
        why, currency.
    """
    known = history.sort_values("as_of")
    if known.empty:
        return float("nan"), float("nan"), pd.DataFrame({"why": [], "currency": []})
    late = known.tail(months)
    sums = late[list(_MOVED)].sum()
    parts = pd.DataFrame({"why": [_MOVED[n] for n in sums.index], "currency": sums.to_numpy()})
    told = parts[parts["currency"].abs() > 0.005]
    order = told["currency"].abs().sort_values(ascending=False, kind="stable").index
    return float(known["value"].iloc[-1]), float(late["move"].sum()), told.loc[order]


def to_say(answer: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A decision of the service as two lists: what to say, and what not."""
    actions = [(a["rank"], _said(a), a["expected_gain"], a["reason_en"]) for a in answer["actions"]]
    refused: dict[str, list[str]] = {}
    for row in answer["must_not_offer"]:
        refused.setdefault(row["why_en"], []).append(_offer(row["what"]))
    return (
        pd.DataFrame(actions, columns=["", "say", "gain", "because"]),
        pd.DataFrame(
            [(", ".join(what), why) for why, what in refused.items()], columns=["never", "because"]
        ),
    )


def _said(action: Mapping[str, Any]) -> str:
    item = f" on {action['item']}" if action["item"] else ""
    theme = f", by its {action['theme']}" if action["theme"] else ""
    words = {
        "offer": f"offer {_offer(str(action['offer']))}{item}{theme}",
        "show": f"speak of {action['item']}",
        "settle": "settle the complaint",
        "serve": "answer the question",
    }
    return words.get(action["action"], action["action"])


def _offer(code: str) -> str:
    """An offer's code in words: 10 % off."""
    kind, _, depth = code.rpartition("_")
    if kind == "percent":
        return f"{depth} % off"
    return "a tip without reduction" if code == "none" else code.replace("_", " ")


def _lane(lane: str, at: Any, what: Any, *, size: Any = 1.0, tone: Any = None) -> pd.DataFrame:
    moments = pd.to_datetime(pd.Series(at).reset_index(drop=True)).astype("datetime64[us]")
    bare = {
        name: value.reset_index(drop=True) if isinstance(value, pd.Series) else value
        for name, value in (("what", what), ("size", size), ("tone", tone))
    }
    table = pd.DataFrame({"at": moments, "lane": lane}).assign(**bare)
    return table.astype({"what": "str", "size": "float64", "tone": "float64"})


def _words(values: pd.Series) -> str:
    return ", ".join(sorted(values.dropna().unique()))


def _together(values: Sequence[Any]) -> str:
    return " ".join(str(v) for v in values if not _missing(v))


def _day(value: Any) -> str | None:
    return None if _missing(value) else str(pd.Timestamp(value).date())


def _missing(value: Any) -> bool:
    return value is None or value == "" or bool(pd.isna(value))
