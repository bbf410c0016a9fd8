from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from customer360.models.dissatisfaction import (
    DissatisfactionModel,
    can_learn,
    fit_dissatisfaction,
    match_surveys,
    normalise_text,
    rank_words,
    score_customers,
)

BAD = ("colis jamais arrivé, c'est inadmissible", "produit cassé, je suis furieux", "honteux, nul")
GOOD = ("merci beaucoup, parfait", "colis bien arrivé, je suis ravi", "produit conforme, nickel")


def conversations(count: int = 1200, seed: int = 1, *, selective: bool = True) -> pd.DataFrame:
    """Half of them cross; the cross answer a survey more often when `selective`."""
    rng = np.random.default_rng(seed)
    cross = rng.random(count) < 0.5
    said = [
        BAD[i] if bad else GOOD[i] for bad, i in zip(cross, rng.integers(0, 3, count), strict=True)
    ]
    share = np.where(cross, 0.9, 0.3) if selective else np.full(count, 0.6)
    score = np.where(cross, 1.0, 5.0)
    # One in ten is scored the other way round.
    score = np.where(rng.random(count) < 0.1, 6 - score, score)
    return pd.DataFrame(
        {
            "customer_id": [f"c{n % 400:03d}" for n in range(count)],
            "at": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(count), unit="h"),
            "text": said,
            "reason": np.where(rng.random(count) < 0.5, "retard", "suivi"),
            "channel": "mail",
            "score": np.where(rng.random(count) < share, score, np.nan),
            "cross": cross,
        }
    )


@pytest.fixture(scope="module")
def model() -> DissatisfactionModel:
    return fit_dissatisfaction(conversations(), strength=0.3)


def test_texts_are_normalised():
    said = pd.Series(["INADMISSIBLE !!! Reçu le 12", None, "  Trèèèès   bien..."], index=[5, 6, 7])
    plain = normalise_text(said)
    assert plain.to_list() == ["inadmissible !! recu le 0", "", "trees bien"]
    assert plain.index.to_list() == [5, 6, 7]


def test_a_survey_answers_the_last_conversation_of_its_record_within_hours():
    talks = pd.DataFrame(
        {
            "source": "crm",
            "source_id": ["a", "a", "b", "c"],
            "at": pd.Timestamp("2025-01-01") + pd.to_timedelta([9, 10, 10, 5], unit="h"),
        }
    )
    surveys = pd.DataFrame(
        {
            "source": "crm",
            "source_id": ["a", "b", "c", "b"],
            "at": pd.to_datetime(["2025-01-01 10:30"] * 4),
            "kind": ["csat", "nps", "csat", "csat"],
            "score": [2.0, 9.0, 1.0, np.nan],
        }
    )
    matched = match_surveys(talks, surveys)
    told = matched.dropna(subset="score")
    assert told[["source_id", "score"]].to_numpy().tolist() == [["a", 2.0]]
    assert told["at"].iloc[0] == pd.Timestamp("2025-01-01 10:00")
    assert len(matched) == 4


def test_it_reads_what_it_has_not_seen(model):
    later = conversations(seed=2)
    chance = model.predict(later)["dissatisfied_probability"]
    assert roc_auc_score(later["cross"], chance) > 0.99


@pytest.mark.parametrize(
    "text",
    [
        "COLIS JAMAIS ARRIVÉ, C'EST INADMISSIBLE !!!",
        "colis jamais arrive, c est inadmisible",
        "cest inadmissibel, colis jmais arrivé",
        "Quelle honte, je porte plainte",  # no word of the training
    ],
)
def test_capitals_accents_slips_and_new_words_are_understood(model, text):
    frame = pd.DataFrame({"text": [text, GOOD[0]], "reason": "suivi", "channel": "mail"})
    bad, good = model.predict(frame)["dissatisfied_probability"]
    assert bad > good + 0.2


def test_who_answers_is_corrected_for(model):
    """Of the answers three in four are bad, of the conversations one in two."""
    everything = conversations(seed=3)
    answered = everything.dropna(subset="score")
    assert (answered["score"] <= 2).mean() > 0.65
    mean = model.predict(everything)["dissatisfied_probability"].mean()
    assert mean == pytest.approx(0.5, abs=0.06)


def test_a_saved_model_predicts_the_same(model, tmp_path):
    path = tmp_path / "model.json"
    model.save(path)
    frame = conversations(50, seed=4).set_index("at")
    again = DissatisfactionModel.load(path)
    assert again == model
    pd.testing.assert_frame_equal(again.predict(frame), model.predict(frame))
    assert again.predict(frame).index.equals(frame.index)


def test_fitting_twice_gives_the_same_and_changes_nothing(model):
    frame = conversations()
    before = frame.copy(deep=True)
    assert fit_dissatisfaction(frame, strength=0.3) == model
    pd.testing.assert_frame_equal(frame, before)


def test_too_few_scores_are_refused():
    few = conversations(100)
    assert not can_learn(few.head(40))
    with pytest.raises(ValueError, match="at least 50 of each"):
        fit_dissatisfaction(few.head(40), strength=0.3)


def test_empty_texts_get_a_probability(model):
    frame = pd.DataFrame({"text": [None, ""], "reason": [None, "new"], "channel": [None, None]})
    assert model.predict(frame)["dissatisfied_probability"].between(0, 1).all()
    assert model.telling_words(frame).to_list() == ["", ""]


def test_words_that_tell_are_those_of_the_cross(model):
    frame = pd.DataFrame({"text": [BAD[0], GOOD[0]]})
    told = model.telling_words(frame)
    assert "inadmissible" in told[0] and told[1] == ""
    ranked = rank_words(conversations()["text"], conversations()["cross"].to_numpy(float))
    assert ranked["lift"].is_monotonic_decreasing
    assert ranked["word"].iloc[0] in " ".join(normalise_text(pd.Series(BAD)))


def test_a_bad_conversation_fades():
    scored = pd.DataFrame(
        {
            "customer_id": ["a", "b", "b", "c"],
            "at": pd.to_datetime(["2025-01-02", "2024-10-04", "2025-01-01", "2025-02-01"])
            - pd.Timedelta(seconds=1),
            "dissatisfied_probability": [0.8, 0.8, 0.1, 0.9],
            "words": ["honteux", "nul", "", "x"],
        }
    )
    today = score_customers(scored, as_of=date(2025, 1, 1), half_life_days=90, period_days=30)
    today = today.set_index("customer_id")
    assert list(today.index) == ["a", "b"]
    assert today.loc["a", "dissatisfaction"] == pytest.approx(0.8, abs=1e-4)
    # Ninety days halve 0.8: 1 - 0.6 * 0.9.
    assert today.loc["b", "dissatisfaction"] == pytest.approx(1 - 0.6 * 0.9, abs=0.01)
    assert today.loc["b", ["conversations", "words"]].to_list() == [1, "nul"]
