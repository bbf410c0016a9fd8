from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.features.visits import label_moments
from customer360.models.intent import IntentModel, fit_intent, replay, sample_moments

UNTIL = pd.Timestamp("2025-07-01")
LEARN = {"horizon_days": 7, "timezone": "Europe/Paris", "seed": 1}


@pytest.fixture(scope="module")
def hits() -> pd.DataFrame:
    """Visits of five hits; those that look at products only are likely to order at the end."""
    rng = np.random.default_rng(2)
    visits = 1200
    studies = rng.random(visits) < 0.5
    buys = rng.random(visits) < np.where(studies, 0.6, 0.05)
    taste = rng.integers(0, 3, visits)
    at = pd.Timestamp("2025-01-01 08:00") + pd.to_timedelta(
        np.sort(rng.integers(0, 180 * 1440, visits)), unit="min"
    )
    table = pd.DataFrame(
        {
            "visitor_id": [f"v{number:04d}" for number in range(visits)],
            "page": np.where(studies, "produit", "magasins"),
            "category": np.array(["Jardin", "Livres", "Jouets"])[taste],
            "at": at,
        }
    )
    rows = table.loc[table.index.repeat(5)].reset_index(drop=True)
    place = np.tile(np.arange(5), visits)
    rows["at"] += pd.to_timedelta(place, unit="min")
    ends = np.repeat(buys, 5) & (place == 4)
    rows["kind"] = np.where(ends, "order", "page")
    return rows.assign(source_id=None, query=None, referrer="google", device="mobile")


@pytest.fixture(scope="module")
def model(hits) -> IntentModel:
    return fit_intent(hits, until=UNTIL, **LEARN)


def test_those_who_behave_like_buyers_are_told(hits, model):
    told = model.predict(hits.groupby("visitor_id").head(2))
    studied = told["visitor_id"].map(hits.groupby("visitor_id")["page"].first()) == "produit"
    assert told.loc[studied, "soon_probability"].mean() == pytest.approx(0.6, abs=0.15)
    assert told.loc[~studied, "soon_probability"].mean() == pytest.approx(0.05, abs=0.05)


def test_the_category_looked_at_is_the_category_wanted(hits, model):
    told = model.predict(hits)
    seen = told["visitor_id"].map(hits.groupby("visitor_id")["category"].first())
    assert (told["category_1"] == seen).mean() > 0.95
    chances = told[[f"category_{rank}_probability" for rank in (1, 2, 3)]]
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (chances.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)


def test_what_comes_after_the_end_is_not_looked_at(hits, model):
    later = hits.assign(at=hits["at"] + pd.Timedelta(days=365), kind="order")
    again = fit_intent(pd.concat([hits, later]), until=UNTIL, **LEARN)
    one = hits.head(5)
    pd.testing.assert_frame_equal(again.predict(one), model.predict(one))


def test_a_saved_model_answers_alike(hits, model, tmp_path):
    model.save(tmp_path)
    some = hits.head(50)
    pd.testing.assert_frame_equal(IntentModel.load(tmp_path).predict(some), model.predict(some))
    assert {p.suffix for p in tmp_path.iterdir()} == {".json"}


def test_one_moment_a_visit_and_none_of_somebody_known(hits, model):
    known = hits.assign(source_id=hits["visitor_id"].where(hits["visitor_id"] < "v0600"))
    moments = model.describe(known)
    at = sample_moments(moments, since=0, until=int(UNTIL.timestamp()), seed=1)
    assert not pd.Series(moments.visit[at]).duplicated().any()
    assert (moments.visitors[moments.visitor[at]] >= "v0600").all()
    assert (moments.kind[at] == 0).all()


def test_a_replay_holds_what_was_known_at_each_moment(hits, model):
    moments = model.describe(hits)
    at = sample_moments(moments, since=0, until=int(UNTIL.timestamp()), seed=1)[:40]
    told = model.predict(replay(hits, moments, at))
    assert told["visitor_id"].tolist() == [f"m{number:07d}" for number in range(40)]
    expected = model.probabilities(moments.features[at])["soon_probability"]
    assert told["soon_probability"].to_numpy() == pytest.approx(expected.to_numpy())
    assert len(label_moments(moments, horizon_days=7)) == len(hits)


def test_too_few_orders_teach_nothing(hits):
    assert fit_intent(hits.head(0), until=UNTIL, **LEARN) is None
    assert fit_intent(hits.head(200), until=UNTIL, **LEARN) is None
