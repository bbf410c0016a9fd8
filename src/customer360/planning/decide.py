"""What to say to whoever is here now: one decision for the web page, the adviser and the rest.

The offer and its amount come from the state and the minute alone, so that nobody gets a
better one by calling. What the person is doing (page, cart, search, reason of the call) only
says which goods to speak of first, or that a complaint comes before any sale.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from customer360.contracts import CHANNELS, QUADRANTS
from customer360.features.visits import KINDS
from customer360.models.intent import IntentModel
from customer360.planning.gate_one import has_already, why_stopped
from customer360.planning.state import NEVER, ServiceState, find

__all__ = ["REQUEST_CHANNELS", "Request", "RequestError", "decide", "read_request"]

#: Channels on which the person came by herself: they get the same decision.
INBOUND = ("web", "adviser", "store")
REQUEST_CHANNELS = tuple(dict.fromkeys((*INBOUND, *CHANNELS)))
CONTEXT = ("page", "cart", "last_search", "call_reason")
HIT = ("at", "kind", "page", "category", "referrer", "device")
MOST_HITS = 500
MOST_TEXT = 300
SHOWN = 3
PLAN_DAYS = 7
UNHAPPY = 0.5
COMPLAINT = ("complaint", "claim", "réclamation", "reclamation", "litige", "retard", "défaut")
SAID = {
    "planned": ("the plan makes this offer this week", "le plan prévoit cette offre cette semaine"),
    "gain": (
        "brings {gain:+.2f} of margin because it is made",
        "rapporte {gain:+.2f} de marge parce qu'elle est faite",
    ),
    "own": ("what such customers take next", "ce que de tels clients prennent ensuite"),
    "page": ("is being looked at now", "est regardé en ce moment"),
    "search": ("was just searched for", "vient d'être recherché"),
    "visitor": (
        "visitors who did the same want it ({chance:.0%})",
        "les visiteurs au même parcours le veulent ({chance:.0%})",
    ),
    "serve": (
        "answer what the person came for; no offer earns anything now",
        "répondre à la demande ; aucune offre ne rapporte rien maintenant",
    ),
    "silence": (
        "send nothing: no message earns anything now",
        "ne rien envoyer : aucun message ne rapporte rien maintenant",
    ),
    "settle": (
        "settle the complaint first; sell nothing today",
        "régler d'abord la réclamation ; ne rien vendre aujourd'hui",
    ),
}
REFUSED = {
    "sure_thing": (
        "buys anyway: the reduction would be given away",
        "achète de toute façon : la remise serait perdue",
    ),
    "sleeping_dog": (
        "such a message makes this person buy less",
        "un tel message la fait acheter moins",
    ),
    "costs": ("costs more than it brings", "coûte plus qu'elle ne rapporte"),
    "floor": ("leaves less than the margin floor", "laisse moins que la marge plancher"),
    "unhappy": (
        "dissatisfied: settle it before any sale",
        "mécontent : régler cela avant toute vente",
    ),
    "in_cart": ("is in the cart already", "est déjà dans le panier"),
    "has it already": ("has it already", "l'a déjà"),
    "stranger": ("nobody knows who this is", "personne ne sait qui c'est"),
    "not a customer, or erased": ("not a customer, or erased", "pas un client, ou effacé"),
    "data too old to be used": ("data too old to be used", "données trop anciennes"),
    "no consent": ("no consent for this channel", "pas de consentement pour ce canal"),
    "no working address": ("no working address", "pas d'adresse valable"),
    "asked for another channel": ("asked for another channel", "a demandé un autre canal"),
}
# A person may not be shown what we know of it under these.
UNUSABLE = ("not a customer, or erased", "data too old to be used", "no consent")


class RequestError(ValueError):
    """A request that cannot be answered; the message says what to write instead."""


@dataclass(frozen=True)
class Request:
    """A request, read and checked.

    Attributes
    ----------
    customer_id, visitor_id : str or None
        At least one of them.
    channel : str
        One of `REQUEST_CHANNELS`.
    moment : datetime, UTC
    context : dict
        page, last_search, call_reason : str; cart : list of str.
    hits : tuple of dict
        Of the visitor, as in contract `staged.web_events`.
    """

    customer_id: str | None
    visitor_id: str | None
    channel: str
    moment: datetime
    context: Mapping[str, Any] = field(default_factory=dict)
    hits: tuple[Mapping[str, Any], ...] = ()

    @property
    def day(self) -> int:
        """Days since 1970."""
        return int(self.moment.timestamp() // 86_400)


def read_request(given: Any, *, moment: datetime) -> Request:
    """Read a request as it came.

    Parameters
    ----------
    given : mapping
    moment : datetime
        Taken where the request names none.

    Raises
    ------
    RequestError
        Naming the field and what it must be; values are not repeated.
    """
    if not isinstance(given, Mapping):
        raise RequestError("a request must be an object with a customer_id or a visitor_id")
    _known(given, ("customer_id", "visitor_id", "channel", "moment", "context", "hits"), "request")
    customer_id, visitor_id = (_text(given, name) for name in ("customer_id", "visitor_id"))
    if customer_id is None and visitor_id is None:
        raise RequestError("customer_id or visitor_id is missing")
    channel = _text(given, "channel")
    if channel not in REQUEST_CHANNELS:
        raise RequestError(f"channel must be one of {', '.join(REQUEST_CHANNELS)}")
    asked = _text(given, "moment")
    return Request(
        customer_id=customer_id,
        visitor_id=visitor_id,
        channel=channel,
        moment=moment if asked is None else _time(asked, "moment"),
        context=_context(given.get("context")),
        hits=_hits(given.get("hits")),
    )


def decide(
    state: ServiceState, request: Request, *, intent: IntentModel | None = None
) -> dict[str, Any]:
    """Rank what to say, and list what must not be offered.

    Parameters
    ----------
    state : ServiceState
    request : Request
    intent : IntentModel, optional
        Answers for strangers of whom hits are given.

    Returns
    -------
    dict
        decision_id, at, as_of, customer_id, channel, actions and must_not_offer. An action
        has rank, action (offer, show, settle, serve, silence), offer, amount (share of price),
        theme and image (what an offer should show; None where results say nothing), channel,
        item, expected_gain (currency; None where nothing was tested), reason_en, reason_fr.
    """
    place = _who(state, request)
    # Page and adviser say the same; in the shop its own rules hold.
    channel = "web" if request.channel == "adviser" else request.channel
    stopped = why_stopped(state, place, channel=channel, offer=None, day=request.day)
    if place >= 0 and stopped in UNUSABLE:
        refused = [_refusal("any offer", stopped)]
        last = "serve" if request.channel in INBOUND else "silence"
        actions = [_action(last, request, *SAID[last])]
    elif place < 0:
        actions, refused = _for_stranger(state, request, intent)
    else:
        actions, refused = _for_customer(state, place, request, stopped)
    who = state.ids[place].decode() if place >= 0 else request.visitor_id or request.customer_id
    at = request.moment.replace(second=0, microsecond=0)
    return {
        "decision_id": _decision_id(state, str(who), at),
        "at": at.isoformat().replace("+00:00", "Z"),
        "as_of": state.words.as_of,
        "customer_id": str(who) if place >= 0 else None,
        "channel": request.channel,
        "actions": [{"rank": rank, **a} for rank, a in enumerate(actions, start=1)],
        "must_not_offer": refused,
    }


# --- who ----------------------------------------------------------------------------------------


def _who(state: ServiceState, request: Request) -> int:
    if request.customer_id is not None:
        return state.place(request.customer_id)
    device = find(state.visitors, request.visitor_id or "")
    return int(state.visitor_of[device]) if device >= 0 else -1


def _decision_id(state: ServiceState, who: str, at: datetime) -> str:
    text = "\n".join((state.words.as_of, who, at.isoformat()))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=10).hexdigest()


# --- a customer ---------------------------------------------------------------------------------


def _for_customer(
    state: ServiceState, place: int, request: Request, stopped: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    if _is_unhappy(state, place, request.context):
        settle = _action("settle", request, *SAID["settle"])
        return [settle], [_refusal("any offer", "unhappy")]
    if stopped is None:
        channel = "web" if request.channel in INBOUND else request.channel
        offers, refused = _offers(state, place, request, channel=channel)
    else:
        offers, refused = [], [_refusal("any offer", stopped)]
    came = request.channel in INBOUND
    if not came and not offers:
        return [_action("silence", request, *SAID["silence"])], refused
    # Goods shown to who came are no message; to others they go with the offer.
    shown, not_shown = _items(state, place, request)
    if offers and shown:
        offers[0] = {**offers[0], "item": shown[0]["item"]}
    actions = offers[:SHOWN] + (shown[:SHOWN] if came else [])
    return actions or [_action("serve", request, *SAID["serve"])], refused + not_shown


def _is_unhappy(state: ServiceState, place: int, context: Mapping[str, Any]) -> bool:
    reason = str(context.get("call_reason") or "").lower()
    return any(word in reason for word in COMPLAINT) or bool(
        state.dissatisfaction[place] >= UNHAPPY
    )


def _offers(
    state: ServiceState, place: int, request: Request, *, channel: str
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Offers that earn something, best first, and those that must not be made."""
    words = state.words
    if channel not in words.channels:
        return [], []
    row = words.channels.index(channel)
    gains = state.gain[place, row].tolist()
    quadrants = state.quadrant[place, row].tolist()
    planned = _planned(state, place, request.day)
    shown = {
        "theme": _word(words.themes, state.theme[place]),
        "image": _word(words.images, state.image[place]),
    }
    actions, refused = [], []
    for number, code in enumerate(words.offers):
        depth, gain = words.depth[number], gains[number]
        why = _why_not(state, place, code, depth=depth, gain=gain, quadrant=quadrants[number])
        if why is not None:
            refused.append(_refusal(code, why))
        elif not math.isnan(gain):
            kind = "planned" if code == planned else "gain"
            told = (text.format(gain=gain) for text in SAID[kind])
            actions.append(
                _action("offer", request, *told, offer=code, amount=depth, gain=round(gain, 4))
                | shown
            )
    # The plan's offer first, then what earns most; of two equal ones the smaller reduction.
    actions.sort(key=lambda a: (a["offer"] != planned, -a["expected_gain"], a["amount"]))
    return actions, refused


def _why_not(
    state: ServiceState, place: int, code: str, *, depth: float, gain: float, quadrant: int
) -> str | None:
    name = QUADRANTS[quadrant] if quadrant >= 0 else None
    if code in state.words.too_deep:
        return "floor"
    if has_already(state, place, code):
        return "has it already"
    if name == "sleeping_dog" or (name == "sure_thing" and depth > 0):
        return name
    return "costs" if gain <= 0 else None


def _word(words: tuple[str, ...], code: int) -> str | None:
    return words[code] if code >= 0 else None


def _planned(state: ServiceState, place: int, day: int) -> str | None:
    """Offer that the plan makes this person within the week, the nearest first."""
    if not state.plan_day.shape[1]:
        return None
    apart = np.abs(state.plan_day[place].astype(np.int64) - day)
    slot = int(apart.argmin())
    code = int(state.plan_offer[place, slot])
    near = int(state.plan_day[place, slot]) != NEVER and int(apart[slot]) < PLAN_DAYS
    return state.words.offers[code] if near and code >= 0 else None


def _items(
    state: ServiceState, place: int, request: Request
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Goods to show, what the person is doing now first, and those not to."""
    words, context = state.words, request.context
    cart, search = set(context.get("cart") or ()), str(context.get("last_search") or "").lower()
    ranked, refused = [], []
    for rank, code in enumerate(state.item[place].tolist()):
        if code < 0:
            continue
        item = words.items[code]
        if item in cart or has_already(state, place, item):
            refused.append(_refusal(item, "in_cart" if item in cart else "has it already"))
            continue
        why = int(state.item_reason[place, rank])
        told = (words.reasons[why], SAID["own"][1]) if why >= 0 else SAID["own"]
        now = 0
        if item == context.get("page"):
            now, told = 2, SAID["page"]
        elif search and item.lower() in search:
            now, told = 1, SAID["search"]
        ranked.append((-now, rank, _action("show", request, *told, item=item)))
    return [action for *_, action in sorted(ranked, key=lambda r: r[:2])], refused


# --- a stranger ---------------------------------------------------------------------------------


def _for_stranger(
    state: ServiceState, request: Request, intent: IntentModel | None
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    why = "stranger" if request.customer_id is None else "not a customer, or erased"
    wanted: list[tuple[str, float]] = []
    if request.channel in INBOUND:
        wanted = _wanted(state, request, intent)
    cart = set(request.context.get("cart") or ())
    actions = [
        _action("show", request, *(t.format(chance=chance) for t in SAID["visitor"]), item=name)
        for name, chance in wanted
        if name not in cart
    ]
    last = "serve" if request.channel in INBOUND else "silence"
    return actions or [_action(last, request, *SAID[last])], [_refusal("any offer", why)]


def _wanted(
    state: ServiceState, request: Request, intent: IntentModel | None
) -> list[tuple[str, float]]:
    """Categories that a stranger is likely to want, and their chances."""
    if intent is not None and request.hits:
        moments = intent.describe(_hit_table(request))
        chances = intent.categories(moments.wants[moments.last[-1:]])[0]
        best = np.argsort(-chances, kind="stable")[:SHOWN]
        return [(intent.vocabulary.categories[c], float(chances[c])) for c in best]
    place = find(state.strangers, request.visitor_id or "")
    if place < 0:
        return []
    found = zip(state.wanted[place].tolist(), state.wanted_chance[place].tolist(), strict=True)
    return [(state.words.categories[code], chance) for code, chance in found if code >= 0]


def _hit_table(request: Request) -> pd.DataFrame:
    table = {name: [hit.get(name) for hit in request.hits] for name in HIT}
    at = np.array([hit["at"].replace(tzinfo=None) for hit in request.hits], "datetime64[us]")
    return pd.DataFrame({**table, "at": at, "visitor_id": ["v"] * len(at)}, dtype=object).assign(
        at=at
    )


# --- what is said -------------------------------------------------------------------------------


def _action(
    kind: str,
    request: Request,
    reason_en: str,
    reason_fr: str,
    *,
    offer: str | None = None,
    amount: float = 0.0,
    item: str | None = None,
    gain: float | None = None,
) -> dict[str, Any]:
    return {
        "action": kind,
        "offer": offer,
        "amount": amount,
        "theme": None,
        "image": None,
        "channel": request.channel,
        "item": item,
        "expected_gain": gain,
        "reason_en": reason_en,
        "reason_fr": reason_fr,
    }


def _refusal(what: str, why: str) -> dict[str, str]:
    # A contact rule tells itself in words of its own.
    english, french = REFUSED.get(why, (why, "trop de messages : " + why))
    return {"what": what, "why_en": english, "why_fr": french}


# --- reading ------------------------------------------------------------------------------------


def _known(given: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    if unknown := [str(name)[:40] for name in given if name not in names]:
        raise RequestError(
            f"{where} has no field {', '.join(sorted(unknown)[:5])}; it has {', '.join(names)}"
        )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MOST_TEXT:
        raise RequestError(f"{name} must be a text of 1 to {MOST_TEXT} characters")
    return value


def _time(value: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        # Without a zone it is UTC, as all times of the project.
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RequestError(f"{name} must be a time such as 2026-03-31T14:05:00Z") from None


def _context(given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RequestError(f"context must be an object with {', '.join(CONTEXT)}")
    _known(given, CONTEXT, "context")
    read: dict[str, Any] = {name: _text(given, name) for name in CONTEXT if name != "cart"}
    cart = given.get("cart")
    if cart is not None and not (
        isinstance(cart, list) and len(cart) <= MOST_HITS and all(isinstance(c, str) for c in cart)
    ):
        raise RequestError("cart must be a list of texts")
    return {**read, "cart": cart or []}


def _hits(given: Any) -> tuple[Mapping[str, Any], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_HITS:
        raise RequestError(f"hits must be a list of at most {MOST_HITS} objects")
    return tuple(_hit(hit) for hit in given)


def _hit(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise RequestError(f"a hit must be an object with {', '.join(HIT)}")
    _known(given, HIT, "hit")
    read: dict[str, Any] = {name: _text(given, name) for name in HIT}
    if read["at"] is None or read["kind"] not in KINDS:
        raise RequestError(f"a hit needs at, and a kind of {', '.join(KINDS)}")
    return {**read, "at": _time(read["at"], "at")}
