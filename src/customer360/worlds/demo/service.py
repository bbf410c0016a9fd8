"""Conversations and surveys: what bad experiences, questions and thanks leave behind.

Who complains, and whether the call went well, is known from the weekly simulation; here
come the calls after a bad one, the neutral questions, the words and the answers to
surveys. All parameters are chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from customer360.contracts import CONTRACTS, CONVERSATION_CHANNELS, MOODS, arrow_schema
from customer360.worlds.demo import goods, phrases
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.experience import BAD, Feelings
from customer360.worlds.demo.records import Records
from customer360.worlds.demo.text import (
    ascii_fold,
    concat,
    digits,
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

__all__ = ["REASONS", "Talks", "make_conversations", "make_surveys"]

# --- who writes, why and how ---

COMPLAINS_AGAIN_SHARE = 0.40  # of badly handled complaints
ASKS_AFTER_ORDER_SHARE = 0.05
ASKS_A_YEAR = 0.40
REASONS = tuple(phrases.FACTS["letter"])
NEUTRAL_REASONS = ("suivi", "facture", "retour", "conseil", "fidelite", "remerciement")
ABOUT_AN_ORDER = ("retard", "casse", "rupture", "suivi", "facture", "retour")
NEUTRAL_SHARE = (0.30, 0.12, 0.18, 0.21, 0.10, 0.09)

CALL, WHATSAPP, SMS, MAIL, CHAT = range(len(CONVERSATION_CHANNELS))
CHANNEL_SHARE = (0.42, 0.11, 0.06, 0.24, 0.17)
COMPLAINT_CHANNEL_SHARE = (0.54, 0.09, 0.04, 0.22, 0.11)
NOTE, SHORT, LETTER = range(len(phrases.MANNERS))
MANNER = np.array([NOTE, SHORT, SHORT, LETTER, SHORT])  # by channel
OUTGOING_SHARE, OUTGOING_COMPLAINT_SHARE = 0.06, 0.18  # of calls: the adviser calls back

# --- mood: thresholds of heat, and what heats beside dissatisfaction ---

HEAT_OF_DISSATISFACTION = 0.9
HEAT_OF_REASON = {"retard": 0.35, "casse": 0.40, "rupture": 0.30, "suivi": 0.10,
                  "facture": 0.10, "conseil": -0.15, "remerciement": -1.6}  # fmt: skip
HEAT_OF_SATISFACTION = -0.25
HEAT_NOISE = 0.45
MOOD_LIMITS = (-0.60, 0.75, 1.65)
POLITE_SHARE, VERY_POLITE_SHARE, EXAGGERATING_SHARE = 0.18, 0.04, 0.06
IRONIC_SHARE = 0.05  # of annoyed and furious people

# --- time and cost ---

HANDLING_SECONDS = np.array([330.0, 260.0, 120.0, 420.0, 290.0])  # by channel
SLOWER_REASON = {"retard": 1.15, "casse": 1.30, "rupture": 1.05, "suivi": 0.80, "facture": 1.10,
                 "retour": 1.05, "fidelite": 0.85, "remerciement": 0.55}  # fmt: skip
SLOWER_MOOD = np.array([0.85, 1.0, 1.2, 1.45])
# A caller has the adviser's whole attention (33 euros an hour); messages share it.
COST_A_SECOND = np.array([0.0092, 0.0046, 0.0055, 0.0080, 0.0046])

# --- surveys ---

CSAT_SHARE = np.array([0.36, 0.12, 0.17, 0.40])  # who answers, by mood
CSAT_MEAN = np.array([4.7, 4.0, 2.7, 1.6])
CSAT_NOISE, CSAT_BADLY, CSAT_SATISFACTION = 0.7, -0.5, 0.15
CSAT_UPSIDE_DOWN_SHARE = 0.02  # take 1 for the best
NPS_ASKED_A_YEAR = 0.12
NPS_LEAST_SHARE, NPS_MOST_SHARE = 0.20, 0.75
NPS_MEAN, NPS_LIKING, NPS_NOISE = 8.0, 1.4, 1.0
LIKING_OF_DISSATISFACTION = -1.8
CLAIM_SHARE = 0.35  # of annoyed and furious complainants
COMMENT_SHARE = 0.45
SURVEYS = ("csat", "nps", "claim")
CSAT, NPS, CLAIM = range(len(SURVEYS))


@dataclass(frozen=True)
class Talks:
    """Conversations; the three tables have the same rows in the same order.

    Attributes
    ----------
    frame : DataFrame
        person, record, day, minute, mood and shown (numbers into `contracts.MOODS`),
        badly (the conversation itself went badly), complaint (after a bad experience,
        repeats included), wording (number of the family of phrases its text is made of).
    conversations : Arrow table in the contract `raw.conversations`
    truth : Arrow table in the contract `truth.conversations`
        No two rows share source, source_id and moment.
    """

    frame: pd.DataFrame
    conversations: pa.Table
    truth: pa.Table


def make_conversations(
    *,
    orders: pd.DataFrame,
    complaints: pd.DataFrame,
    feelings: Feelings,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> Talks:
    """Calls and messages to the customer service.

    Parameters
    ----------
    orders : DataFrame
        Purchases with person, day, bad and category of the first line.
    complaints : DataFrame
        person, day, order (row of `orders`, one with bad > 0) and badly (it went badly).
        What it did to the mood is in `feelings` already.
    feelings : Feelings
        Gives dissatisfaction D on any day.

    Notes
    -----
    Mood follows 0.9 D + reason - a quarter of the standing satisfaction + noise. The
    words follow the mood, but some hide their anger, some exaggerate and some are
    ironic: text tells the mood often and not always.
    """
    talks = _who_and_why(orders, complaints, traits, leave_day, clock, rng)
    talks = _where_and_when(talks, records, clock, rng)
    n = len(talks)
    person, day, reason, channel = (
        talks[name].to_numpy() for name in ("person", "day", "reason", "channel")
    )
    state = feelings.at(person, day)
    heat = HEAT_OF_DISSATISFACTION * state + _by_reason(HEAT_OF_REASON, 0.0)[reason]
    heat += HEAT_OF_SATISFACTION * traits.satisfaction[person] + rng.normal(0, HEAT_NOISE, n)
    mood = np.digitize(heat, MOOD_LIMITS)
    complaint = talks["complaint"].to_numpy()
    shown, ironic = _shown(mood, complaint, rng)

    calls_back = np.where(complaint, OUTGOING_COMPLAINT_SHARE, OUTGOING_SHARE)
    outgoing = (channel == CALL) & (rng.random(n) < calls_back)
    seconds = HANDLING_SECONDS[channel] * _by_reason(SLOWER_REASON, 1.0)[reason]
    seconds = np.round(seconds * SLOWER_MOOD[mood] * np.exp(rng.normal(0, 0.45, n)))
    talks = talks.assign(mood=mood, shown=shown, wording=rng.integers(0, phrases.WORDINGS, n))

    record = talks["record"].to_numpy()
    key = {
        "source": records.sources(record),
        "source_id": records.source_ids(record),
        "at": clock.at(day, talks["minute"].to_numpy()),
    }
    columns = ["person", "record", "day", "minute", "mood", "shown", "badly", "complaint"]
    return Talks(
        frame=talks[[*columns, "wording"]],
        conversations=pa.table(
            {
                **key,
                "channel": pick(CONVERSATION_CHANNELS, channel),
                "direction": pick(("in", "out"), outgoing.astype(int)),
                "reason": pick(REASONS, reason),
                "text": _texts(talks, ironic, rng),
                "handling_seconds": seconds,
                "cost": np.round(seconds * COST_A_SECOND[channel], 2),
            },
            schema=arrow_schema(CONTRACTS["raw.conversations"]),
        ),
        truth=pa.table(
            {
                **key,
                "dissatisfaction": state,
                "dissatisfied": mood >= MOODS.index("annoyed"),
                "mood": pick(MOODS, mood),
                "shown": pick(MOODS, shown),
                "wording": talks["wording"].to_numpy(),
            },
            schema=arrow_schema(CONTRACTS["truth.conversations"]),
        ),
    )


def make_surveys(
    *,
    talks: Talks,
    feelings: Feelings,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pa.Table:
    """Answers after conversations, recommendation scores at any time, and claims.

    Returns
    -------
    Arrow table in the contract `raw.surveys`
        csat 1 to 5, nps 0 to 10, no score for claims. The very happy and the very
        unhappy answer more often.
    """
    answers = pd.concat(
        [
            _csat(talks.frame, traits, rng),
            _nps(feelings, traits, records, leave_day, clock, rng),
            _claims(talks.frame, rng),
        ],
        ignore_index=True,
    ).sort_values(["day", "minute", "record", "kind"], kind="stable")
    n = len(answers)
    record, kind = answers["record"].to_numpy(), answers["kind"].to_numpy()
    score = answers["score"].to_numpy()
    pools = [
        table.get(name, ())
        for table in (phrases.COMMENTS, phrases.OPINIONS, phrases.CLAIMS)
        for name in MOODS
    ]
    comments, drawn = _draw(
        pools,
        kind * len(MOODS) + answers["mood"].to_numpy(),
        rng.integers(0, phrases.WORDINGS, n),
        rng,
    )
    comment = mistyped(pick(comments, drawn), 0.08, rng)
    comment = _some(rng.random(n) < 0.20, comment, pc.utf8_lower)
    # Who claims says why.
    says = (kind == CLAIM) | (rng.random(n) < COMMENT_SHARE)
    return pa.table(
        {
            "source": records.sources(record),
            "source_id": records.source_ids(record),
            "at": clock.at(answers["day"].to_numpy(), answers["minute"].to_numpy()),
            "kind": pick(SURVEYS, kind),
            "score": pa.array(score, mask=np.isnan(score)),
            "comment": keep(comment, says),
        },
        schema=arrow_schema(CONTRACTS["raw.surveys"]),
    )


# --- who writes, why, where and when ---


def _who_and_why(
    orders: pd.DataFrame,
    complaints: pd.DataFrame,
    traits: Traits,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Complaints, the same people again, and neutral questions."""
    order = complaints["order"].to_numpy(dtype=np.int64)
    reason_of_bad = np.array([-1, *(REASONS.index(name) for name in BAD[1:])])
    first = pd.DataFrame(
        {
            "person": complaints["person"].to_numpy(dtype=np.int64),
            "day": complaints["day"].to_numpy(dtype=np.int64),
            "reason": reason_of_bad[orders["bad"].to_numpy()[order]],
            "category": orders["category"].to_numpy()[order],
            "badly": complaints["badly"].to_numpy(dtype=bool),
            "complaint": True,
            "again": False,
        }
    )
    again = first[first["badly"] & (rng.random(len(first)) < COMPLAINS_AGAIN_SHARE)]
    again = again.assign(
        day=again["day"] + 2 + rng.integers(0, 8, len(again)), badly=False, again=True
    )

    buyer = orders["person"].to_numpy()
    asks = np.flatnonzero(
        rng.random(len(orders)) < ASKS_AFTER_ORDER_SHARE * traits.demanding[buyer]
    )
    start, end = _active(traits, leave_day, clock)
    anyone, _ = segment_positions(
        rng.poisson(ASKS_A_YEAR * traits.demanding * (end - start) / 365.25)
    )
    any_day = (start[anyone] + rng.random(len(anyone)) * (end - start)[anyone]).astype(np.int64)
    drawn = rng.choice(
        len(NEUTRAL_REASONS), size=len(asks) + len(anyone), p=np.array(NEUTRAL_SHARE)
    )
    neutral = pd.DataFrame(
        {
            "person": np.concatenate([orders["person"].to_numpy(dtype=np.int64)[asks], anyone]),
            "day": np.concatenate(
                [orders["day"].to_numpy()[asks] + rng.integers(1, 12, len(asks)), any_day]
            ),
            "reason": np.array([REASONS.index(name) for name in NEUTRAL_REASONS])[drawn],
            "category": np.concatenate(
                [
                    orders["category"].to_numpy()[asks],
                    rng.integers(0, len(goods.CATEGORIES), len(anyone)),
                ]
            ),
            "badly": False,
            "complaint": False,
            "again": False,
        }
    )
    talks = pd.concat([first, again, neutral], ignore_index=True)
    return talks[talks["day"] < clock.days]


def _active(traits: Traits, leave_day: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """First and last day in this world on which each person is a customer."""
    start = np.clip(traits.join_day, 0, clock.days)
    return start, np.clip(np.minimum(leave_day, clock.days), start, clock.days)


def _where_and_when(
    talks: pd.DataFrame, records: Records, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """Channel, record and moment, in the order of time; nobody unknown is kept."""
    person, day = talks["person"].to_numpy(), talks["day"].to_numpy()
    share = np.cumsum([CHANNEL_SHARE, COMPLAINT_CHANNEL_SHARE], axis=1)[:, :-1]
    draw = rng.random(len(talks))[:, None]
    channel = (draw >= share[talks["complaint"].to_numpy().astype(int)]).sum(axis=1)
    # Nobody picks up on Sundays: then people write.
    channel = np.where((channel == CALL) & (clock.open_day[day] != day), MAIL, channel)
    by_voice = records.any_at(person, (CALLCENTRE, CRM, TILL, WEB, SALES_REP, NEWSLETTER), day)
    in_writing = records.any_at(person, (WEB, CRM, CALLCENTRE, TILL, NEWSLETTER, SALES_REP), day)
    record = np.where(channel == CALL, by_voice, in_writing)
    hour = np.where(
        channel == CALL, rng.uniform(9, 19, len(talks)), rng.triangular(7, 14, 23, len(talks))
    )
    second = _apart(record, day, np.floor(hour * 3600).astype(np.int64))
    talks = talks.assign(channel=channel, record=record, minute=(second + 0.5) / 60)
    talks = talks[record >= 0]
    return talks.sort_values(["day", "minute", "person"], kind="stable", ignore_index=True)


def _apart(record: np.ndarray, day: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Second of each conversation, moved on so that no record has two at one moment."""
    order = np.lexsort((second, day, record))
    another = (np.diff(record[order], prepend=-2) != 0) | (np.diff(day[order], prepend=-2) != 0)
    rank = np.arange(len(order))
    # A running maximum of second - rank rises by a second a row; each day of a record is
    # lifted above the one before, so that it starts afresh.
    lift = np.cumsum(another) * (86_400 + 2 * len(order))
    apart = np.empty_like(second)
    apart[order] = np.maximum.accumulate(second[order] - rank + lift) + rank - lift
    return apart


def _by_reason(values: Mapping[str, float], default: float) -> np.ndarray:
    return np.array([values.get(reason, default) for reason in REASONS])


def _shown(
    mood: np.ndarray, complaint: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mood that the words show, and who praises without meaning it."""
    limits = np.cumsum([VERY_POLITE_SHARE, POLITE_SHARE, EXAGGERATING_SHARE])
    step = np.array([-2, -1, 1, 0])[np.digitize(rng.random(len(mood)), limits)]
    annoyed = mood >= MOODS.index("annoyed")
    ironic = annoyed & (rng.random(len(mood)) < IRONIC_SHARE)
    # Politeness hides anger; it does not turn it, or a complaint, into praise.
    least = np.minimum(mood, np.where(annoyed | complaint, MOODS.index("neutral"), 0))
    shown = np.clip(mood + step, least, len(MOODS) - 1)
    return np.where(ironic, 0, shown), ironic


# --- words ---


def _texts(talks: pd.DataFrame, ironic: np.ndarray, rng: np.random.Generator) -> pa.StringArray:
    """What was said, or what the adviser noted of it."""
    manner = MANNER[talks["channel"].to_numpy()]
    careful = (manner != SHORT) | (rng.random(len(talks)) < 0.35)
    said = _sentences(talks, manner, careful, ironic, rng)
    furious = talks["shown"].to_numpy() == MOODS.index("furious")
    return _by_hand(said, manner, careful, furious & (manner != NOTE), rng)


def _sentences(
    talks: pd.DataFrame,
    manner: np.ndarray,
    careful: np.ndarray,
    ironic: np.ndarray,
    rng: np.random.Generator,
) -> pa.StringArray:
    """Greeting, reason, details, feelings and closing, some of them left out."""
    n = len(talks)
    reason, shown, wording, again = (
        talks[name].to_numpy() for name in ("reason", "shown", "wording", "again")
    )
    words = _fillings(talks["category"].to_numpy(), rng)
    nowhere = np.zeros(n, dtype=bool)

    def say(
        pools: Mapping[str, Any],
        said: np.ndarray,
        kind: np.ndarray | None = None,
        capital: np.ndarray = nowhere,
    ) -> pa.StringArray:
        """A phrase of the manner and kind of each row, where `said`."""
        if kind is None:
            flat, group = [pools[name] for name in phrases.MANNERS], manner
        else:
            flat = [pool for name in phrases.MANNERS for pool in pools[name].values()]
            group = manner * len(pools["note"]) + kind
        texts, index = _draw(flat, group, wording, rng)
        return keep(_fill(texts, index, words, capital), said)

    def chance(note: float, short: float, letter: float) -> np.ndarray:
        return rng.random(n) < np.array([note, short, letter])[manner]

    greets = chance(0.25, 0.60, 0.92)
    about_an_order = np.isin(REASONS, ABOUT_AN_ORDER)[reason]
    neutral = MOODS.index("neutral")
    # The calm often say nothing about how they feel; some of the others say it twice.
    moved = ~ironic & (shown != neutral)
    feels = moved | (~ironic & (rng.random(n) < 0.55))
    end = np.where(ironic | (rng.random(n) < 0.35), neutral, shown)
    feeling = say(phrases.FEELINGS, feels, shown)
    insists = say(phrases.FEELINGS, moved & chance(0.0, 0.12, 0.35), shown)
    repeats = np.asarray(pc.fill_null(pc.equal(feeling, insists), False))
    pauses = (" ", " ", ", ", ", ", ". ", " ... ")
    body = pc.binary_join_element_wise(
        say(phrases.FACTS, ~nowhere, reason, ~greets & careful),
        say(phrases.AGAIN, again),
        say(phrases.DETAILS, about_an_order & chance(0.35, 0.30, 0.60)),
        say(phrases.IRONIES, ironic),
        feeling,
        keep(insists, ~repeats),
        say(phrases.CLOSINGS, chance(0.50, 0.45, 0.80), end),
        pick(pauses, np.where(manner == SHORT, rng.integers(0, len(pauses), n), 0)),
        null_handling="skip",
    )
    text = pc.binary_join_element_wise(
        say(phrases.GREETINGS, greets), body, " ", null_handling="skip"
    )
    return pc.replace_substring_regex(text, r"([?!])(,|\.+)", "\\1")


def _by_hand(
    text: pa.StringArray,
    manner: np.ndarray,
    careful: np.ndarray,
    furious: np.ndarray,
    rng: np.random.Generator,
) -> pa.StringArray:
    """Abbreviations, capitals, missing accents, exclamation and slips of the hand."""
    n = len(text)
    short, note = manner == SHORT, manner == NOTE
    text = _some(short & (rng.random(n) < 0.25), text, _shortened)
    text = _some(~careful & (rng.random(n) < 0.60), text, pc.utf8_lower)
    text = _some(furious & (rng.random(n) < 0.35), text, _exclaimed)
    text = _some((note | short) & (rng.random(n) < 0.22), text, ascii_fold)
    text = _some((note | furious) & (rng.random(n) < 0.08), text, pc.utf8_upper)
    text = mistyped(text, 0.16, rng)
    return _some(short & (rng.random(n) < 0.35), text, lambda some: mistyped(some, 1.0, rng))


def _shortened(text: pa.StringArray) -> pa.StringArray:
    for pattern, short in phrases.SHORT_FORMS:
        text = pc.replace_substring_regex(text, pattern, short)
    return text


def _exclaimed(text: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(text, r"[ .!]*$", " !!!")


def _draw(
    pools: Sequence[Sequence[str]],
    group: np.ndarray,
    wording: np.ndarray,
    rng: np.random.Generator,
) -> tuple[list[str], np.ndarray]:
    """All phrases, and one for each row from its pool and wording."""
    cells = [pool[family :: phrases.WORDINGS] for pool in pools for family in _WORDINGS]
    size = np.array([len(cell) for cell in cells])
    first = np.cumsum(size) - size
    cell = group * phrases.WORDINGS + wording
    index = first[cell] + (rng.random(len(cell)) * size[cell]).astype(int)
    return [phrase for cell_phrases in cells for phrase in cell_phrases], index


_WORDINGS = range(phrases.WORDINGS)
_BRACES = re.compile(r"\{(\w+)\}")
_FILLINGS = ("", "product", "number", "delay", "day", "soon", "occasion")


def _fillings(category: np.ndarray, rng: np.random.Generator) -> list[pa.StringArray | str]:
    """What fills the braces of each row, in the order of `_FILLINGS`."""
    n = len(category)
    products = [name for item in goods.CATEGORIES for name in item.products]
    size = np.array([len(item.products) for item in goods.CATEGORIES])
    product = (np.cumsum(size) - size)[category] + (rng.random(n) * size[category]).astype(int)
    number = concat(
        pick(("", "CMD", "W-", "FR"), rng.integers(0, 4, n)),
        digits(rng.integers(1_000_000, 10_000_000, n)),
    )
    pools = (phrases.DELAYS, phrases.DAYS, phrases.SOON, phrases.OCCASIONS)
    free = [pick(pool, rng.integers(0, len(pool), n)) for pool in pools]
    return ["", pick(products, product), number, *free]


def _fill(
    texts: Sequence[str],
    index: np.ndarray,
    words: Sequence[pa.StringArray | str],
    capital: np.ndarray,
) -> pa.StringArray:
    """Phrase of each row with its braces filled."""
    # ["before", "name", "between", "name", "after"]
    pieces = [_BRACES.split(text) for text in texts]
    places = max(len(piece) for piece in pieces)
    padded = [piece + [""] * (places - len(piece)) for piece in pieces]
    openings = [piece[0] for piece in padded]
    openings += [opening[:1].upper() + opening[1:] for opening in openings]
    parts = [pick(openings, index + len(texts) * capital)]
    for place in range(1, places, 2):
        which = np.array([_FILLINGS.index(piece[place]) for piece in padded])[index]
        parts += [
            pc.choose(pa.array(which), *words),
            pick([piece[place + 1] for piece in padded], index),
        ]
    return concat(*parts)


def _some(
    mask: np.ndarray, text: pa.StringArray, change: Callable[[pa.StringArray], pa.StringArray]
) -> pa.StringArray:
    """Change the rows of the mask only."""
    rows = pa.array(mask)
    return pc.replace_with_mask(text, rows, change(text.filter(rows)))


# --- surveys ---

_ANSWER = ["record", "day", "minute", "mood", "kind", "score"]
_LAST_MINUTE = 1438


def _csat(talks: pd.DataFrame, traits: Traits, rng: np.random.Generator) -> pd.DataFrame:
    """Scores within the hour after conversations."""
    asked = talks[rng.random(len(talks)) < CSAT_SHARE[talks["mood"]]]
    n = len(asked)
    score = CSAT_MEAN[asked["mood"]] + CSAT_BADLY * asked["badly"].to_numpy()
    score = score + CSAT_SATISFACTION * traits.satisfaction[asked["person"]]
    score = np.clip(np.round(score + rng.normal(0, CSAT_NOISE, n)), 1, 5)
    score = np.where(rng.random(n) < CSAT_UPSIDE_DOWN_SHARE, 6 - score, score)
    minute = np.minimum(asked["minute"] + rng.uniform(3, 50, n), _LAST_MINUTE)
    return asked.assign(kind=CSAT, score=score, minute=minute)[_ANSWER]


def _claims(talks: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What some complainants put in writing as well."""
    angry = talks["complaint"] & (talks["mood"] >= MOODS.index("annoyed"))
    claims = talks[angry & (rng.random(len(talks)) < CLAIM_SHARE)]
    minute = np.minimum(claims["minute"] + rng.uniform(20, 55, len(claims)), _LAST_MINUTE)
    return claims.assign(kind=CLAIM, score=np.nan, minute=minute)[_ANSWER]


def _nps(
    feelings: Feelings,
    traits: Traits,
    records: Records,
    leave_day: np.ndarray,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Recommendation scores of customers asked at random moments."""
    start, end = _active(traits, leave_day, clock)
    person, _ = segment_positions(
        rng.poisson(NPS_ASKED_A_YEAR * traits.buyer * (end - start) / 365.25)
    )
    day = (start[person] + rng.random(len(person)) * (end - start)[person]).astype(np.int64)
    liking = traits.satisfaction[person] + LIKING_OF_DISSATISFACTION * feelings.at(person, day)
    # Those without an opinion do not answer.
    opinion = np.minimum(np.abs(liking) / 2.5, 1.0)
    share = NPS_LEAST_SHARE + (NPS_MOST_SHARE - NPS_LEAST_SHARE) * opinion
    record = records.any_at(person, (WEB, CRM, TILL, NEWSLETTER, CALLCENTRE), day)
    answers = (rng.random(len(person)) < share) & (record >= 0)
    n = int(answers.sum())
    liking = liking[answers]
    score = np.clip(np.round(NPS_MEAN + NPS_LIKING * liking + rng.normal(0, NPS_NOISE, n)), 0, 10)
    return pd.DataFrame(
        {
            "record": record[answers],
            "day": day[answers],
            "minute": rng.uniform(560, 1160, n),
            "mood": np.digitize(-liking, [-0.8, 0.6, 1.6]),
            "kind": NPS,
            "score": score + 0.0,  # adding zero turns -0.0 into 0.0
        }
    )
