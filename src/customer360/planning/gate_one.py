"""The gate for one person while a page loads: the rules of `gate`, on arrays in memory.

`gate.pass_gate` judges lists in the engine; this says the same of one message within
microseconds, in the same order and the same words. A property test holds them together.
"""

from __future__ import annotations

import numpy as np

from customer360.contracts import CHANNELS
from customer360.planning.gate import NEEDS_ADDRESS, NEEDS_CONSENT
from customer360.planning.state import NEVER, ServiceState

__all__ = ["has_already", "why_stopped"]

OPEN = ("web", "store")
_CONSENTS = tuple(NEEDS_CONSENT)


def why_stopped(
    state: ServiceState, place: int, *, channel: str, offer: str | None, day: int
) -> str | None:
    """The first rule that stops a message to one person, None where it may go.

    Parameters
    ----------
    state : ServiceState
    place : int
        Row of the customer; -1 for somebody unknown.
    channel : str
    offer : str or None
        Offer or item; None leaves out whether the person has it.
    day : int, days since 1970

    Returns
    -------
    str or None
        The reason, in the words of `gate.pass_gate`.
    """
    words = state.words
    if place < 0:
        return "not a customer, or erased"
    if words.retention_days is not None:
        last = int(state.last_day[place])
        if last == NEVER or day - last > words.retention_days:
            return "data too old to be used"
    is_open = channel in OPEN
    agreed = is_open or (
        channel in _CONSENTS and bool(state.consent[place, _CONSENTS.index(channel)])
    )
    if not agreed or state.unsubscribed[place, CHANNELS.index(channel)]:
        return "no consent"
    if channel in NEEDS_ADDRESS and not state.reachable[place, NEEDS_ADDRESS.index(channel)]:
        return "no working address"
    preferred = int(state.preferred[place])
    if words.only_preferred and not is_open and preferred not in (-1, CHANNELS.index(channel)):
        return "asked for another channel"
    if offer is not None and has_already(state, place, offer):
        return "has it already"
    return _too_often(state, place, channel=channel, day=day)


def has_already(state: ServiceState, place: int, offer: str) -> bool:
    """Whether the person has an offer or item."""
    start, end = state.owned_start[place], state.owned_start[place + 1]
    if start == end:
        return False
    words = (*state.words.items, *state.words.offers)
    return any(words[code] == offer for code in state.owned_item[start:end].tolist())


def _too_often(state: ServiceState, place: int, *, channel: str, day: int) -> str | None:
    start, end = state.message_start[place], state.message_start[place + 1]
    apart = np.abs(state.message_day[start:end].astype(np.int64) - day)
    for rule in state.words.rules:
        if not rule.counts(channel):
            continue
        near = apart < rule.window_days
        if rule.channel is not None:
            near &= state.message_channel[start:end] == CHANNELS.index(channel)
        if np.count_nonzero(near) >= rule.at_most:
            return rule.told
    return None
