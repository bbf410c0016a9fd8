"""Conversations and surveys: what bad experiences, questions and thanks leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import pools
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import BAD, dissatisfaction
from customer360.worlds.demo.phrases import (
    CLOSINGS,
    COMMENTS,
    FEELINGS,
    GREETINGS,
    MOODS,
    REASONS,
)
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import (
    ascii_fold,
    concat,
    either,
    keep,
    mistyped,
    pick,
    segment_positions,
)
from customer360.worlds.demo.traits import (
    CALLCENTRE,
    CRM,
    NEWSLETTER,
    SALES_REP,
    TILL,
    WEB,
    Traits,
)

__all__ = ["make_conversations", "make_surveys"]

COMPLAINS_SHARE = 0.55
COMPLAINS_AGAIN_SHARE = 0.25
ASKS_AFTER_ORDER_SHARE = 0.05
ASKS_A_YEAR = 0.10
CLAIM_SHARE = 0.35
CSAT_SHARE, CSAT_EXTREME_SHARE = 0.14, 0.32
NPS_SHARE_A_YEAR = 0.05

REASON_NAMES = tuple(REASONS)
NEUTRAL_REASONS = ("suivi", "facture", "retour", "conseil", "fidelite", "remerciement")
NEUTRAL_SHARE = (0.30, 0.12, 0.18, 0.22, 0.10, 0.08)
CALL, WHATSAPP, SMS, MAIL, CHAT = range(5)
CHANNELS = ("call", "whatsapp", "sms", "mail", "chat")
CHANNEL_SHARE = (0.48, 0.10, 0.05, 0.22, 0.15)
HANDLING_SECONDS = np.array([330.0, 260.0, 120.0, 420.0, 290.0])
COST_A_SECOND = 0.0092  # about 33 euros an hour


def make_conversations(
    *,
    orders: pd.DataFrame,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pa.Table]:
    """Calls and messages to the customer service.

    Parameters
    ----------
    orders : DataFrame
        Purchases with person, day, bad and category of the first line.

    Returns
    -------
    frame : DataFrame
        One row per conversation: person, record, day, minute, mood (number into
        `MOODS`), bad (True after a bad experience).
    table : Arrow table in the contract `raw.conversations`
        In the same order.

    Notes
    -----
    Mood follows 0.9 D + reason + a person's standing dissatisfaction + noise, D being
    the dissatisfaction of `experience`; the words follow the mood, with politeness,
    irony and slips, so that text tells the mood often and not always.
    """
    talks = _talks(orders, traits, leave_day, clock, rng)
    n = len(talks)
    person, day = talks["person"].to_numpy(), talks["day"].to_numpy()
    bad_orders = orders[orders["bad"] > 0]
    state = dissatisfaction(
        person=person,
        day=day,
        bad_person=bad_orders["person"].to_numpy(),
        bad_day=bad_orders["day"].to_numpy(),
    )
    complains = talks["bad"].to_numpy()
    thanks = talks["reason"].to_numpy() == REASON_NAMES.index("remerciement")
    heat = 0.9 * state + 0.7 * complains - 0.25 * traits.satisfaction[person]
    heat = heat - 1.6 * thanks + rng.normal(0, 0.45, n)
    mood = np.digitize(heat, [-0.75, 0.75, 1.65])

    channel = rng.choice(5, size=n, p=CHANNEL_SHARE)
    record = _records(records, person, channel, day)
    seconds = np.round(
        HANDLING_SECONDS[channel] * np.exp(rng.normal(0, 0.45, n)) * (1 + 0.25 * (mood >= 2))
    )
    outgoing = rng.random(n) < 0.06
    text = _texts(talks["reason"].to_numpy(), talks["category"].to_numpy(), mood, rng)
    frame = talks.assign(record=record, mood=mood)
    table = pa.table(
        {
            "source": records.sources(record),
            "source_id": records.source_ids(record),
            "at": clock.at(day, talks["minute"].to_numpy()),
            "channel": pick(CHANNELS, channel),
            "direction": pick(("in", "out"), outgoing.astype(int)),
            "reason": pick(REASON_NAMES, talks["reason"].to_numpy()),
            "text": text,
            "handling_seconds": seconds,
            "cost": np.round(seconds * COST_A_SECOND, 2),
        },
        schema=arrow_schema(CONTRACTS["raw.conversations"]),
    )
    return frame, table


def make_surveys(
    *,
    talks: pd.DataFrame,
    orders: pd.DataFrame,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pa.Table:
    """Answers after conversations, yearly recommendation scores, and claims.

    Returns
    -------
    Arrow table in the contract `raw.surveys`
        The very happy and the very unhappy answer more often.
    """
    mood = talks["mood"].to_numpy()
    share = np.where((mood == 0) | (mood == 3), CSAT_EXTREME_SHARE, CSAT_SHARE)
    csat = talks[rng.random(len(talks)) < share]
    score = np.array([4.7, 4.0, 2.6, 1.4])[csat["mood"]] + rng.normal(0, 0.6, len(csat))
    csat = csat.assign(kind=0, score=np.clip(np.round(score), 1, 5))

    claims = talks[talks["bad"] & (mood >= 2) & (rng.random(len(talks)) < CLAIM_SHARE)]
    claims = claims.assign(kind=2, score=np.nan, minute=claims["minute"] + 20)

    start = np.clip(traits.join_day, 0, clock.days)
    end = np.clip(np.minimum(leave_day, clock.days), start, clock.days)
    asked, _ = segment_positions(
        rng.poisson(NPS_SHARE_A_YEAR * traits.buyer * (end - start) / 365.25)
    )
    day = (start[asked] + rng.random(len(asked)) * (end - start)[asked]).astype(int)
    bad = orders[orders["bad"] > 0]
    state = dissatisfaction(
        person=asked,
        day=day,
        bad_person=bad["person"].to_numpy(),
        bad_day=bad["day"].to_numpy(),
    )
    liking = traits.satisfaction[asked] - 1.8 * state
    nps = pd.DataFrame(
        {
            "person": asked,
            "day": day,
            "minute": 560 + 600 * rng.random(len(asked)),
            "record": records.any_at(asked, (WEB, CRM, TILL, NEWSLETTER, CALLCENTRE), day),
            "mood": np.digitize(-liking, [-0.8, 0.6, 1.6]),
            "kind": 1,
            # Adding zero turns -0.0 into 0.0.
            "score": np.clip(np.round(7.6 + 1.6 * liking + rng.normal(0, 1.0, len(asked))), 0, 10)
            + 0.0,
        }
    )
    columns = ["record", "day", "minute", "mood", "kind", "score"]
    answers = pd.concat([csat[columns], nps[columns], claims[columns]], ignore_index=True)
    answers = answers.sort_values(["day", "minute", "record", "kind"], kind="stable")
    record = answers["record"].to_numpy()
    comment = _by_mood(COMMENTS, answers["mood"].to_numpy(), rng)
    score = answers["score"].to_numpy()
    return pa.table(
        {
            "source": records.sources(record),
            "source_id": records.source_ids(record),
            "at": clock.at(answers["day"].to_numpy(), np.minimum(answers["minute"] + 30, 1430)),
            "kind": pick(("csat", "nps", "claim"), answers["kind"].to_numpy()),
            "score": pa.array(score, mask=np.isnan(score)),
            "comment": keep(comment, rng.random(len(answers)) < 0.45),
        },
        schema=arrow_schema(CONTRACTS["raw.surveys"]),
    )


def _talks(
    orders: pd.DataFrame,
    traits: Traits,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Who calls, when and why, in the order of time."""
    bad = orders[orders["bad"] > 0]
    calls = bad[rng.random(len(bad)) < COMPLAINS_SHARE]
    calls = calls.assign(day=calls["day"] + 1 + rng.integers(0, 6, len(calls)))
    again = calls[rng.random(len(calls)) < COMPLAINS_AGAIN_SHARE]
    again = again.assign(day=again["day"] + 2 + rng.integers(0, 6, len(again)))
    complaints = pd.concat([calls, again], ignore_index=True)
    reason_of = np.array([-1, *(REASON_NAMES.index(name) for name in BAD[1:])])
    complaints = complaints.assign(reason=reason_of[complaints["bad"]], bad=True)

    asks = orders[rng.random(len(orders)) < ASKS_AFTER_ORDER_SHARE]
    asks = asks.assign(day=asks["day"] + rng.integers(1, 12, len(asks)))
    start = np.clip(traits.join_day, 0, clock.days)
    end = np.clip(np.minimum(leave_day, clock.days), start, clock.days)
    person, _ = segment_positions(rng.poisson(ASKS_A_YEAR * (end - start) / 365.25))
    day = (start[person] + rng.random(len(person)) * (end - start)[person]).astype(int)
    category = rng.integers(0, len(pools.CATEGORIES), len(person))
    questions = pd.DataFrame({"person": person, "day": day, "category": category})
    neutral = pd.concat([asks[["person", "day", "category"]], questions], ignore_index=True)
    drawn = rng.choice(len(NEUTRAL_REASONS), size=len(neutral), p=NEUTRAL_SHARE)
    number = np.array([REASON_NAMES.index(name) for name in NEUTRAL_REASONS])
    neutral = neutral.assign(reason=number[drawn], bad=False)

    columns = ["person", "day", "category", "reason", "bad"]
    talks = pd.concat([complaints[columns], neutral[columns]], ignore_index=True)
    talks = talks[talks["day"] < clock.days - 1]
    talks = talks.assign(
        day=clock.open_day[talks["day"].to_numpy()], minute=540 + 600 * rng.random(len(talks))
    )
    return talks.sort_values(["day", "minute", "person"], kind="stable", ignore_index=True)


def _records(
    records: Records, person: np.ndarray, channel: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """Record under which the conversation is filed: the channel's own system first."""
    by_voice = records.any_at(person, (CALLCENTRE, CRM, TILL, WEB, SALES_REP, NEWSLETTER), day)
    in_writing = records.any_at(person, (WEB, CRM, CALLCENTRE, TILL, NEWSLETTER, SALES_REP), day)
    return np.where(channel == CALL, by_voice, in_writing)


def _texts(
    reason: np.ndarray, category: np.ndarray, mood: np.ndarray, rng: np.random.Generator
) -> pa.StringArray:
    n = len(reason)
    sentences = [sentence for pool in REASONS.values() for sentence in pool]
    sizes = np.array([len(pool) for pool in REASONS.values()])
    base = np.cumsum(sizes) - sizes
    sentence = base[reason] + (rng.random(n) * sizes[reason]).astype(int)
    before = [text.split("{p}")[0] for text in sentences]
    after = [text.split("{p}")[1] for text in sentences]
    products = [name for item in pools.CATEGORIES for name in item.products]
    product = category * 20 + rng.integers(0, 20, n)
    # Some hide their anger, some show more than they feel.
    shown = np.clip(mood + rng.choice([-1, 0, 1], size=n, p=[0.14, 0.80, 0.06]), 0, 3)
    text = concat(
        pick(GREETINGS, rng.integers(0, len(GREETINGS), n)),
        pick(before, sentence),
        pick(products, product),
        pick(after, sentence),
        _by_mood(FEELINGS, shown, rng),
        _by_mood(CLOSINGS, np.where(rng.random(n) < 0.2, 1, shown), rng),
    )
    text = mistyped(mistyped(text, 0.12, rng), 0.06, rng)
    text = either(rng.random(n) < 0.10, ascii_fold(text), text)
    text = either(rng.random(n) < 0.08, pc.utf8_lower(text), text)
    return either((shown == 3) & (rng.random(n) < 0.10), pc.utf8_upper(text), text)


def _by_mood(
    pool: Mapping[str, Sequence[str]], mood: np.ndarray, rng: np.random.Generator
) -> pa.StringArray:
    """A word of the pool of each row's mood."""
    words = [word for name in MOODS for word in pool[name]]
    sizes = np.array([len(pool[name]) for name in MOODS])
    base = np.cumsum(sizes) - sizes
    return pick(words, base[mood] + (rng.random(len(mood)) * sizes[mood]).astype(int))
