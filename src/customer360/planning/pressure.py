"""How often a person may be contacted: caps and spacing are one kind of rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer360.contracts import CHANNELS

__all__ = ["ContactRule", "Patterns", "make_patterns"]

MOST_PATTERNS = 5_000


@dataclass(frozen=True)
class ContactRule:
    """At most so many messages in any so many days.

    A spacing is such a rule too: 7 days between two messages is at most 1 in 7 days.

    Parameters
    ----------
    at_most : int
        Messages one person may get.
    window_days : int, days
        In any run of so many days, past and planned messages together.
    channel : str, optional
        The rule counts messages of this channel only; all channels by default.
    """

    at_most: int
    window_days: int
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.at_most < 0 or self.window_days < 1:
            raise ValueError("a contact rule needs at_most >= 0 and window_days >= 1")
        if self.channel not in (None, *CHANNELS):
            raise ValueError(f"no channel is called {self.channel!r}")

    @property
    def told(self) -> str:
        """The rule in words, as the list of stopped messages gives it."""
        what = "message" if self.channel is None else f"{self.channel} message"
        what += "" if self.at_most == 1 else "s"
        return f"more than {self.at_most} {what} in {self.window_days} days"

    def counts(self, channel: str) -> bool:
        """Whether messages of this channel fall under the rule."""
        return self.channel is None or self.channel == channel


@dataclass(frozen=True)
class Patterns:
    """Every way to fill one person's slots that keeps the rules.

    Parameters
    ----------
    channel : array of int, (patterns, slots)
        Number of the channel used in each slot, -1 for silence. The first pattern is silence.
    taken : array of float32, (patterns, channels * slots)
        1 where the pattern sends by that channel in that slot.
    need : array of int, (patterns, slots, rules)
        Room under each rule that the message in the slot takes: itself and the planned ones
        before it in the window; 0 where the rule has nothing to say.
    extended : array of int, (patterns, channels * slots)
        The pattern with that message added; -1 where the rules or the slot forbid it.
    """

    channel: np.ndarray
    taken: np.ndarray
    need: np.ndarray
    extended: np.ndarray

    def admissible(self, room: np.ndarray) -> np.ndarray:
        """Which patterns persons with so much room left may get.

        Parameters
        ----------
        room : array of int, (persons, slots, rules)
            Messages that each rule still allows in the window around each slot's day.

        Returns
        -------
        array of bool, (persons, patterns)
        """
        allowed = np.ones((len(room), len(self.need)), dtype=bool)
        for slot, rule in np.ndindex(*self.need.shape[1:]):
            need = self.need[:, slot, rule]
            allowed &= (need == 0) | (need <= room[:, slot, rule][:, None])
        return allowed


def make_patterns(
    *, slot_days: Sequence[int], channels: Sequence[str], rules: Sequence[ContactRule]
) -> Patterns:
    """List the ways to fill one person's slots, at most one message each, under the rules.

    Parameters
    ----------
    slot_days : sequence of int, days
        Day of each slot, growing.
    channels : sequence of str
    rules : sequence of ContactRule

    Raises
    ------
    ValueError
        If slots are not in order, or leave more than 5,000 ways: plan fewer slots at a time.

    Examples
    --------
    >>> found = make_patterns(slot_days=[0, 7], channels=["email"], rules=[ContactRule(1, 14)])
    >>> found.channel.tolist()
    [[-1, -1], [-1, 0], [0, -1]]
    """
    days = np.asarray(slot_days, dtype=np.int64)
    if np.any(np.diff(days) <= 0):
        raise ValueError("slot days must grow from one slot to the next")
    counted = np.array([[rule.counts(c) for rule in rules] for c in channels], dtype=bool)
    counted = counted.reshape(len(channels), len(rules))
    windows = np.array([rule.window_days for rule in rules], dtype=np.int64)
    at_most = np.array([rule.at_most for rule in rules], dtype=np.int64)
    ways = np.empty((1, 0), dtype=np.int64)
    needs = np.zeros((1, 0, len(rules)), dtype=np.int64)
    for slot, day in enumerate(days):
        choice = np.arange(-1, len(channels))
        grown = np.column_stack([np.repeat(ways, len(choice), axis=0), np.tile(choice, len(ways))])
        hits = np.zeros((len(grown), slot + 1, len(rules)), dtype=bool)
        if len(channels):
            hits = counted[grown] & (grown >= 0)[:, :, None]
        near = day - days[: slot + 1, None] < windows
        need = np.where(hits[:, -1], (hits & near).sum(axis=1), 0)
        kept = (need <= at_most).all(axis=1)
        needs = np.concatenate([np.repeat(needs, len(choice), axis=0), need[:, None]], axis=1)
        ways, needs = grown[kept], needs[kept]
        if len(ways) > MOST_PATTERNS:
            raise ValueError(
                f"{len(days)} slots and {len(channels)} channels leave one person more than "
                f"{MOST_PATTERNS:,} ways: plan fewer slots at a time or cap messages"
            )
    return Patterns(ways, _taken(ways, len(channels)), needs, _extended(ways, len(channels)))


def _taken(ways: np.ndarray, channels: int) -> np.ndarray:
    taken = ways[:, None, :] == np.arange(channels)[None, :, None]
    return taken.reshape(len(ways), -1).astype(np.float32)


def _extended(ways: np.ndarray, channels: int) -> np.ndarray:
    slots = ways.shape[1]
    weight = (channels + 1) ** np.arange(slots)[::-1]
    # The ways stand in the order of these codes: slots were added from first to last.
    codes = (ways + 1) @ weight
    added = codes[:, None, None] + (np.arange(channels) + 1)[:, None] * weight
    found = np.minimum(np.searchsorted(codes, added), len(codes) - 1)
    fits = (codes[found] == added) & (ways < 0)[:, None, :]
    return np.where(fits, found, -1).reshape(len(ways), channels * slots)
