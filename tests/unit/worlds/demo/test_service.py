"""Conversations and surveys follow what people feel, often and not always."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from customer360.contracts import CONTRACTS, MOODS, SHOCKS, arrow_schema, validate_batch
from customer360.worlds.demo.clock import make_clock
from customer360.worlds.demo.experience import feel
from customer360.worlds.demo.phrases import WORDINGS
from customer360.worlds.demo.service import make_conversations, make_surveys
from customer360.worlds.demo.text import concat, digits, pick

PEOPLE, ORDERS_EACH = 7_000, 8
CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)


@dataclass(frozen=True)
class FakeRecords:
    """Each person has one record, of the same number; some people have none."""

    unknown: tuple[int, ...] = ()

    def any_at(self, person, order, day):
        return np.where(np.isin(person, self.unknown), -1, person)

    def sources(self, row):
        return pick(("web", "crm"), np.asarray(row) % 2)

    def source_ids(self, row):
        return concat("U", digits(row, 6))


def _traits(people: int, rng: np.random.Generator) -> SimpleNamespace:
    return SimpleNamespace(
        satisfaction=rng.normal(0, 1, people),
        buyer=rng.random(people) < 0.8,
        join_day=rng.integers(-800, 900, people),
        demanding=np.ones(people),
    )


def _feelings(orders: pd.DataFrame, complaints: pd.DataFrame):
    bad = orders[orders["bad"] > 0]
    bad_call, good_call = SHOCKS.index("bad_call"), SHOCKS.index("good_call")
    return feel(
        person=np.concatenate([bad["person"], complaints["person"]]),
        day=np.concatenate([bad["day"], complaints["day"]]),
        kind=np.concatenate([bad["bad"] - 1, np.where(complaints["badly"], bad_call, good_call)]),
    )


def _inputs(people: int = PEOPLE, seed: int = 1) -> dict:
    """Everything `make_conversations` takes but the generator."""
    rng = np.random.default_rng(seed)
    count = people * ORDERS_EACH
    orders = pd.DataFrame(
        {
            "person": rng.integers(0, people, count),
            "day": rng.integers(0, CLOCK.days, count),
            "bad": rng.choice(4, count, p=[0.95, 0.025, 0.01, 0.015]),
            "category": rng.integers(0, 10, count),
        }
    ).sort_values("day", ignore_index=True)
    row = np.flatnonzero((orders["bad"] > 0) & (rng.random(count) < 0.55))
    complaints = pd.DataFrame(
        {
            "person": orders["person"].to_numpy()[row],
            "day": orders["day"].to_numpy()[row] + rng.integers(1, 7, len(row)),
            "order": row,
            "badly": rng.random(len(row)) < 0.4,
        }
    )
    traits = _traits(people, rng)
    return {
        "orders": orders,
        "complaints": complaints,
        "feelings": _feelings(orders, complaints),
        "traits": traits,
        "records": FakeRecords(unknown=tuple(range(0, people, 200))),
        "leave_day": np.maximum(traits.join_day, 0) + rng.integers(0, 1500, people),
        "clock": CLOCK,
    }


def _talk(inputs: dict, seed: int = 0):
    return make_conversations(**inputs, rng=np.random.default_rng(seed))


def _survey(talks, inputs: dict, seed: int = 0) -> pa.Table:
    rest = {k: v for k, v in inputs.items() if k not in ("orders", "complaints")}
    return make_surveys(talks=talks, **rest, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def inputs():
    return _inputs()


@pytest.fixture(scope="module")
def talks(inputs):
    return _talk(inputs)


@pytest.fixture(scope="module")
def surveys(talks, inputs):
    return _survey(talks, inputs)


@pytest.fixture(scope="module")
def scored(talks, surveys):
    """CSAT answers with the row of their conversation: same record, within the hour."""
    key = ["source", "source_id"]
    said = talks.conversations.select([*key, "at"]).to_pandas()
    said = said.assign(row=np.arange(len(said))).sort_values("at")
    answers = surveys.filter(pc.equal(surveys["kind"], "csat")).to_pandas().sort_values("at")
    return pd.merge_asof(answers, said, on="at", by=key, tolerance=pd.Timedelta("1h"))


# --- contracts, keys, determinism ---


def test_tables_keep_their_contracts(talks, surveys):
    for name, table in (
        ("raw.conversations", talks.conversations),
        ("truth.conversations", talks.truth),
        ("raw.surveys", surveys),
    ):
        assert table.schema == arrow_schema(CONTRACTS[name])
        validate_batch(CONTRACTS[name], table)
        assert table.num_rows > 500


def test_every_conversation_has_its_true_row_and_a_key_of_its_own(talks):
    key = ["source", "source_id", "at"]
    assert talks.conversations.select(key).equals(talks.truth.select(key))
    assert talks.truth.group_by(key).aggregate([]).num_rows == talks.truth.num_rows
    assert len(talks.frame) == talks.truth.num_rows
    assert talks.truth["mood"].to_pylist() == [MOODS[mood] for mood in talks.frame["mood"]]
    dissatisfied = talks.truth["dissatisfied"].to_numpy()
    assert (dissatisfied == (talks.frame["mood"] >= MOODS.index("annoyed"))).all()


def test_a_thousand_calls_on_one_day_have_a_thousand_moments(inputs):
    orders = pd.DataFrame({"person": [3], "day": [99], "bad": [1], "category": [0]})
    many = {"person": 3, "day": 100, "order": 0, "badly": False}
    talks = _talk({**inputs, "orders": orders, "complaints": pd.DataFrame([many] * 1000)})
    mine = talks.conversations.filter(pa.array(talks.frame["complaint"]))
    assert mine.num_rows == 1000
    assert pc.count_distinct(mine["at"]).as_py() == 1000


def test_same_seed_same_tables(inputs, talks, surveys):
    again = _talk(inputs)
    assert again.conversations.equals(talks.conversations)
    assert again.truth.equals(talks.truth)
    assert _survey(again, inputs).equals(surveys)
    assert not _talk(inputs, seed=1).conversations.equals(talks.conversations)
    assert not _survey(talks, inputs, seed=1).equals(surveys)


def test_inputs_are_left_as_they_were(inputs):
    fresh = _inputs()
    pd.testing.assert_frame_equal(inputs["orders"], fresh["orders"])
    pd.testing.assert_frame_equal(inputs["complaints"], fresh["complaints"])


def test_a_world_without_anything_has_empty_tables(inputs):
    nothing = np.zeros(0, dtype=int)
    empty = {
        **inputs,
        "orders": inputs["orders"].iloc[:0],
        "complaints": inputs["complaints"].iloc[:0],
        "feelings": feel(person=nothing, day=nothing, kind=nothing),
        "leave_day": np.zeros(PEOPLE, dtype=int),
    }
    talks = _talk(empty)
    assert talks.conversations.schema == arrow_schema(CONTRACTS["raw.conversations"])
    assert talks.conversations.num_rows == talks.truth.num_rows == 0
    assert _survey(talks, empty).num_rows == 0


# --- who, when, how ---


def test_complaints_are_all_there_and_bad_calls_are_followed_by_another(inputs, talks):
    complaints = inputs["complaints"]
    known = complaints[(complaints["day"] < CLOCK.days) & (complaints["person"] % 200 > 0)]
    frame = talks.frame
    assert frame["badly"].sum() == known["badly"].sum()
    again = frame["complaint"].sum() - len(known)
    assert 0.30 < again / known["badly"].sum() < 0.50
    calm = _talk({**inputs, "complaints": complaints.assign(badly=False)}).frame
    assert calm["complaint"].sum() == len(known)


def test_reasons_of_complaints_are_what_went_wrong(inputs, talks):
    reason = talks.conversations["reason"].to_numpy(zero_copy_only=False)
    complaint = talks.frame["complaint"].to_numpy()
    wrong = {"retard", "casse", "rupture"}
    assert set(reason[complaint]) == wrong
    assert not wrong & set(reason[~complaint])


def test_volume(talks):
    assert 0.8 < len(talks.frame) / PEOPLE < 1.5


def test_nobody_unknown_and_nothing_after_the_end(talks, surveys):
    assert (talks.frame["record"] >= 0).all()
    for table in (talks.conversations, surveys):
        bounds = pc.min_max(table["at"]).as_py()
        assert date(2023, 1, 1) <= bounds["min"].date()
        assert bounds["max"].date() <= date(2025, 12, 31)


def test_nobody_picks_up_the_telephone_on_sundays(talks):
    called = talks.conversations["channel"].to_numpy(zero_copy_only=False) == "call"
    day = talks.frame["day"].to_numpy()
    closed = CLOCK.open_day[day] != day
    assert closed.sum() > 50
    assert not (called & closed).any()


def test_time_and_cost_follow_channel_and_mood(talks):
    table = talks.conversations.to_pandas().assign(mood=talks.frame["mood"])
    mean = table.groupby("channel")[["handling_seconds", "cost"]].mean()
    assert mean["cost"].loc["call"] > 2 * mean["cost"].loc["chat"]
    assert mean["handling_seconds"].idxmin() == "sms"
    calls = table[table["channel"] == "call"]
    assert calls[calls["mood"] == 3]["cost"].mean() > 1.3 * calls[calls["mood"] == 0]["cost"].mean()
    outgoing = table["direction"] == "out"
    assert 0.02 < outgoing.mean() < 0.10
    assert set(table[outgoing]["channel"]) == {"call"}


# --- feelings and words ---


def test_more_dissatisfaction_means_worse_moods_and_scores(inputs):
    """The same people and seeds; only what they have been through differs."""
    # A late delivery every hundred days: D stays between 0.8 and 1.9.
    days = np.arange(0, CLOCK.days, 100)
    everyone, day = np.tile(np.arange(PEOPLE), len(days)), np.repeat(days, PEOPLE)
    calm = feel(person=everyone[:0], day=day[:0], kind=day[:0])
    hurt = feel(person=everyone, day=day, kind=np.zeros_like(day))
    mood, csat, nps = [], [], []
    for feelings in (calm, hurt):
        these = {**inputs, "feelings": feelings}
        talks = _talk(these)
        table = _survey(talks, these).to_pandas()
        mood.append(talks.frame["mood"].mean())
        csat.append(table[table["kind"] == "csat"]["score"].mean())
        nps.append(table[table["kind"] == "nps"]["score"].mean())
    assert mood[1] > mood[0] + 0.5
    assert csat[1] < csat[0] - 0.5
    assert nps[1] < nps[0] - 1.0


def test_standing_satisfaction_softens_the_mood(inputs, talks):
    satisfaction = inputs["traits"].satisfaction[talks.frame["person"]]
    assert np.corrcoef(satisfaction, talks.frame["mood"])[0, 1] < -0.10


def test_words_show_the_mood_often_and_not_always(talks):
    dissatisfied = talks.truth["dissatisfied"].to_numpy()
    assert 0.86 < roc_auc_score(dissatisfied, talks.frame["shown"]) < 0.94
    shown, mood = talks.frame["shown"], talks.frame["mood"]
    assert (shown < mood).mean() > (shown > mood).mean() > 0.02
    # Irony: praise from the unhappy.
    assert 0.02 < (shown[mood >= 2] == 0).mean() < 0.10


def test_text_tells_dissatisfaction_better_than_chance_and_far_from_perfectly(talks, scored):
    """A model of words learns from low scores, people apart from those it is tested on."""
    text = np.array(talks.conversations["text"].to_pylist(), dtype=object)
    dissatisfied = talks.truth["dissatisfied"].to_numpy()
    learns = (talks.frame["person"] % 5 < 3).to_numpy()
    row = scored["row"].to_numpy()
    mine = learns[row]
    model = make_pipeline(
        TfidfVectorizer(strip_accents="unicode", min_df=2, sublinear_tf=True),
        LogisticRegression(C=3.0, max_iter=200),
    )
    model.fit(text[row[mine]], scored["score"].to_numpy()[mine] <= 2)
    chance = model.predict_proba(text[~learns])[:, 1]
    assert 0.70 < roc_auc_score(dissatisfied[~learns], chance) < 0.97


def test_every_wording_is_used_and_shares_no_feeling_with_another(talks):
    assert sorted(talks.frame["wording"].unique()) == list(range(WORDINGS))
    text = talks.conversations["text"]
    said = np.asarray(pc.match_substring(text, "Je n'ai jamais vu ça"))
    assert said.sum() > 3
    assert talks.frame["wording"][said].nunique() == 1


def test_texts_are_finished_and_vary(talks, surveys):
    text = talks.conversations["text"]
    assert text.null_count == 0
    assert not pc.any(pc.match_substring_regex(text, r"[{}]|None|nan\b|^\s*$")).as_py()
    assert pc.count_distinct(text).as_py() > 0.95 * len(text)
    comment = surveys["comment"].drop_null()
    assert not pc.any(pc.match_substring_regex(comment, r"[{}]")).as_py()


def test_each_channel_has_its_manner(talks):
    text = talks.conversations["text"]
    channel = talks.conversations["channel"].to_pandas()
    length = pc.utf8_length(text).to_pandas().groupby(channel).mean()
    assert length["mail"] > 1.5 * length["sms"]
    third_person = np.asarray(pc.match_substring_regex(text, r"(?i)\bcliente?\b \w"))
    assert third_person[channel == "call"].mean() > 0.08
    first_person = np.asarray(pc.match_substring_regex(text, r"(?i)\bje\b|\bj'|\bmon\b|\bma\b"))
    assert first_person[channel == "call"].mean() < 0.01 < first_person[channel == "mail"].mean()


# --- surveys ---


def test_scores_lie_within_their_scales(surveys):
    table = surveys.to_pandas()
    csat = table[table["kind"] == "csat"]["score"]
    nps = table[table["kind"] == "nps"]["score"]
    assert set(csat) == {1, 2, 3, 4, 5}
    assert set(nps) <= set(range(11)) and nps.nunique() > 6
    claims = table[table["kind"] == "claim"]
    assert claims["score"].isna().all() and claims["comment"].notna().all()


def test_the_very_happy_and_the_very_unhappy_answer_more(talks, scored):
    assert scored["row"].notna().all()
    asked = talks.frame["mood"].value_counts()
    answered = talks.frame["mood"].iloc[scored["row"]].value_counts()
    share = answered / asked
    assert min(share[0], share[3]) > 1.6 * max(share[1], share[2])


def test_scores_follow_moods(talks, scored):
    mean = scored["score"].groupby(talks.frame["mood"].to_numpy()[scored["row"]]).mean()
    assert mean.is_monotonic_decreasing
    assert mean[0] > 4.2 and mean[3] < 2.2


def test_only_unhappy_complainants_claim(talks, surveys):
    claims = surveys.filter(pc.equal(surveys["kind"], "claim"))["source_id"].to_pylist()
    angry = talks.frame[talks.frame["complaint"] & (talks.frame["mood"] >= 2)]
    ids = FakeRecords().source_ids(angry["record"].to_numpy()).to_pylist()
    assert set(claims) <= set(ids)
    assert 0.25 < len(claims) / len(angry) < 0.45
