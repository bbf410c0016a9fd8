from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from customer360.models.churn import (
    REASONS,
    ChurnError,
    ChurnModel,
    at_risk,
    days_to_return,
    explain,
    fit_churn,
    left_alone,
    recency_baseline,
    return_curves,
    usable_features,
)

NAMES = ["recency_days", "frequency", "discount_share", "main_category"]


def observations(customers: int = 400, *, seed: int = 1) -> pd.DataFrame:
    """Who is silent for long, or buys rarely, leaves more often."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in (date(2025, 1, 1), date(2025, 4, 1)):
        frame = pd.DataFrame(
            {
                "customer_id": [f"c{n:04d}" for n in range(customers)],
                "as_of": day,
                "recency_days": rng.uniform(0, 180, customers).round(),
                "frequency": rng.integers(1, 20, customers),
                "discount_share": rng.random(customers),
                "main_category": rng.choice(["wine", "cheese", None], customers),
            }
        )
        odds = frame["recency_days"] / 40 - frame["frequency"] / 5
        frame["churned"] = rng.random(customers) < 1 / (1 + np.exp(-odds))
        rows.append(frame)
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    return fit_churn(observations(), feature_names=NAMES, horizon_days=60, seed=1)


def test_who_left_long_ago_is_not_at_risk_any_more():
    features = pd.DataFrame({"recency_days": [0.0, 119.0, 120.0]})
    assert at_risk(features, horizon_days=60).to_list() == [True, True, False]


def test_constants_are_not_used():
    features = pd.DataFrame(
        {"a": [1, 2], "b": [1, 1], "c": [None, None], "d": [None, 1.0], "e": ["x", "y"]}
    )
    assert usable_features(features, list("abcde")) == ["a", "d", "e"]


@pytest.mark.parametrize(
    ("customers", "churned"),
    [(49, None), (400, True), (400, False)],
)
def test_what_cannot_be_learnt_is_told_with_a_remedy(customers, churned):
    train = observations(customers)
    if churned is not None:
        train["churned"] = churned
    with pytest.raises(ChurnError, match=rf"^{customers} customers, .* too few .*longer history"):
        fit_churn(train, feature_names=NAMES, horizon_days=60, seed=1)


def test_probabilities_keep_index_and_bounds(model):
    frame = observations(60, seed=9).sample(frac=1.0, random_state=1)
    probability = model.predict(frame)
    assert list(probability.columns) == ["churn_probability"]
    assert probability.index.equals(frame.index)
    assert probability["churn_probability"].between(0, 1).all()


def test_columns_may_come_in_any_order_and_with_others(model):
    frame = observations(60, seed=9)
    shuffled = frame[frame.columns[::-1]].assign(more="x")
    pd.testing.assert_frame_equal(model.predict(shuffled), model.predict(frame))


def test_integers_and_missing_values_are_read(model):
    frame = observations(60, seed=9).assign(frequency=5)
    as_float = frame.assign(frequency=5.0)
    pd.testing.assert_frame_equal(model.predict(frame), model.predict(as_float))
    assert model.predict(frame.assign(frequency=np.nan))["churn_probability"].notna().all()


def test_a_category_never_seen_counts_as_missing(model):
    frame = observations(60, seed=9)
    unseen = model.predict(frame.assign(main_category="caviar"))
    pd.testing.assert_frame_equal(unseen, model.predict(frame.assign(main_category=None)))


def test_saved_and_loaded_it_predicts_the_same(model, tmp_path):
    model.save(tmp_path / "churn")
    loaded = ChurnModel.load(tmp_path / "churn")
    frame = observations(60, seed=9)
    pd.testing.assert_frame_equal(loaded.predict(frame), model.predict(frame))
    assert loaded.horizon_days == 60
    assert loaded.categories == {"main_category": ("cheese", "wine")}
    first = {p.name: p.read_bytes() for p in (tmp_path / "churn").iterdir()}
    loaded.save(tmp_path / "again")
    assert {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()} == first
    assert set(first) == {"booster.json", "calibration.json"}


def test_contributions_add_up_to_the_log_odds(model):
    frame = observations(60, seed=9)
    total = model.contributions(frame).sum(axis=1).to_numpy()
    probability = model.predict(frame)["churn_probability"].to_numpy()
    rest = np.log(probability / (1 - probability)) - total
    # What remains is one bias for all.
    assert np.ptp(rest) < 1e-4


def test_reasons_are_words_for_what_raises_the_risk(model):
    frame = pd.DataFrame(
        {
            "recency_days": [170.0, 1.0, np.nan],
            "frequency": [1, 19, 10],
            "discount_share": [0.123, 0.5, np.nan],
            "main_category": ["wine", None, "cheese"],
        },
        index=["gone", "loyal", "unknown"],
    )
    told = explain(model, frame)
    assert list(told.columns) == ["reason_1", "reason_2", "reason_3"]
    assert told.index.equals(frame.index)
    gone = told.loc["gone"].to_list()
    assert "no purchase for 170 days" in gone[:2]
    assert "only 1 purchase days so far" in gone[:2]
    contributions = model.contributions(frame)
    for name, row in told.iterrows():
        raising = (contributions.loc[name] > 0).sum()
        assert row.notna().sum() == min(3, raising)
    assert "nan" not in " ".join(told.fillna("").to_numpy().ravel())


def test_more_reasons_than_features_are_empty(model):
    told = explain(model, observations(60, seed=9), reasons=6)
    assert list(told.columns) == [f"reason_{n}" for n in range(1, 7)]
    assert told["reason_6"].isna().all()


def test_every_feature_has_words():
    from customer360.features.table import FEATURE_NAMES
    from customer360.models.habits import HABIT_FEATURES

    assert set(REASONS) == {*FEATURE_NAMES, *HABIT_FEATURES}


def test_the_baseline_rises_with_recency():
    train = observations()
    frame = pd.DataFrame({"recency_days": [0.0, 30.0, 90.0, 180.0]})
    probability = recency_baseline(train, frame)
    assert (np.diff(probability) > 0).all()
    # As often as it happened, on average over those it learnt from.
    assert recency_baseline(train, train).mean() == pytest.approx(train["churned"].mean(), abs=0.01)


def test_the_training_table_is_not_changed(model):
    train = observations()
    before = train.copy(deep=True)
    again = fit_churn(train, feature_names=NAMES, horizon_days=60, seed=1)
    pd.testing.assert_frame_equal(train, before)
    frame = observations(60, seed=9)
    pd.testing.assert_frame_equal(again.predict(frame), model.predict(frame))


def test_reasons_are_told_in_french_too(model):
    frame = observations(60)
    english, french = explain(model, frame), explain(model, frame, language="fr")
    assert list(french) == ["raison_1", "raison_2", "raison_3"]
    assert (
        english["reason_1"]
        .isna()
        .equals(french["raison_1"].rename("reason_1").isna().rename("reason_1"))
    )
    assert any("jours" in text for text in french["raison_1"].dropna())


def test_a_yearly_rhythm_is_told_from_two_years_on():
    train = observations()
    risk = 1 / (1 + np.exp(train["frequency"] / 5 - train["recency_days"] / 40))
    train = train.assign(yearly_rhythm=risk.round(1), tenure_days=800.0)
    names = ["yearly_rhythm", "tenure_days"]
    habit = fit_churn(train, feature_names=names, horizon_days=60, seed=1)
    frame = pd.DataFrame({"yearly_rhythm": 1.0, "tenure_days": [730.0, 729.0]})
    known, early = explain(habit, frame)["reason_1"]
    assert known == "buys at one time of the year (1.0 on a scale of 1)"
    assert pd.isna(early)


def test_a_customer_of_one_season_is_said_to_wait_for_it():
    train = observations()
    noise = np.random.default_rng(2).normal(size=len(train))
    silence = 1 / (1 + np.exp(train["frequency"] / 5 - train["recency_days"] / 40 + noise))
    train = train.assign(habit_silence=silence, habit_yearly=np.arange(len(train)) % 2 * 0.9)
    names = ["habit_silence", "habit_yearly", "frequency"]
    habits = fit_churn(train, feature_names=names, horizon_days=60, seed=1)
    frame = pd.DataFrame({"habit_silence": 0.9, "habit_yearly": [0.9, 0.0], "frequency": 19})
    english, french = explain(habits, frame), explain(habits, frame, language="fr")
    assert english["reason_1"].to_list() == [
        "comes in one season of the year: silent until then",
        "by its habits, its silence will last (90 %)",
    ]
    assert french["raison_1"][0] == "ne vient qu'à une saison de l'année : silence jusque-là"


def test_the_level_is_that_of_the_latest_day():
    train = observations(4000)
    latest = (train["as_of"] == train["as_of"].max()).to_numpy()
    # Half of the leavers of the latest day stay after all.
    stays = latest & (np.random.default_rng(5).random(len(train)) < 0.5)
    train["churned"] &= ~stays
    moved = fit_churn(train, feature_names=NAMES, horizon_days=60, seed=1)
    foretold = moved.predict(train[latest])["churn_probability"].mean()
    assert foretold == pytest.approx(train.loc[latest, "churned"].mean(), abs=0.01)


def test_the_interval_holds_the_probability(model):
    frame = observations(60)
    told, ends = model.predict(frame)["churn_probability"], model.interval(frame)
    assert (ends["churn_low"] <= told).all() and (told <= ends["churn_high"]).all()


def test_the_riskier_stay_silent_for_longer():
    waited = pd.Series([5.0, 6.0, 7.0, None, None, None, 30.0, 40.0])
    risk = np.array([0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.2, 0.8])
    curves = return_curves(waited, risk, horizon_days=60, groups=2)
    ends = curves[curves["day"] == 60].set_index("risk_group")["silent"]
    assert ends.to_dict() == {1: 0.0, 2: 0.75}
    back = days_to_return(curves, np.array([0.1, 0.9]))
    assert back[0] == 7.0 and np.isnan(back[1])


def test_left_alone_it_learns_from_closed_windows_only():
    """What happened later changes what is compared, never what was foretold."""
    known, asked = observations(), {"feature_names": NAMES, "horizon_days": 60, "seed": 1}
    told = left_alone(known, until=date(2025, 3, 2), **asked)
    assert list(told.columns) == ["customer_id", "as_of", "actual", "predicted"]
    assert len(told) == len(known)
    later = known["as_of"] == date(2025, 4, 1)
    changed = known.assign(churned=known["churned"] ^ later)
    again = left_alone(changed, until=date(2025, 3, 2), **asked)
    assert again["predicted"].equals(told["predicted"])
    assert not again["actual"].equals(told["actual"])


def test_left_alone_too_early_it_says_nothing():
    told = left_alone(
        observations(), until=date(2025, 3, 1), feature_names=NAMES, horizon_days=60, seed=1
    )
    assert told.empty and "predicted" in told
