from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from customer360.models.habits import (
    FAITHS,
    HAZARDS,
    RATES,
    VISITS,
    YEARLY_HAZARDS,
    HabitModel,
    fit_habits,
)

FIRST = date(2023, 1, 1)
CHRISTMAS = 345.0  # middle of the season: 12 December


def customers(visits: dict[str, list[date]], *, as_of: date, known_before_days: float = 0.0):
    """Features and purchase days of a few customers."""
    days = pd.DataFrame(
        [(c, d) for c, ds in visits.items() for d in ds], columns=["customer_id", "day"]
    )
    return describe(days, as_of=as_of, known_before_days=known_before_days), days


def describe(days: pd.DataFrame, *, as_of: date, known_before_days: float = 0.0) -> pd.DataFrame:
    past = days[days["day"] <= as_of].groupby("customer_id")["day"].agg(["min", "max", "size"])
    return pd.DataFrame(
        {
            "customer_id": past.index,
            "frequency": past["size"].to_numpy(),
            "recency_days": [float((as_of - d).days) for d in past["max"]],
            "tenure_days": [float((as_of - d).days) for d in past["min"]],
            "known_before_days": known_before_days,
        }
    )


def one_kind(*, rate: float, hazard: float) -> HabitModel:
    """A population of one all-year kind, the nearest on the grid."""
    kind = np.argmin(np.abs(np.log(RATES / rate)) + np.abs(np.log(HAZARDS / hazard)))
    weight = np.zeros((4, len(RATES)))
    weight[:, kind] = 1.0
    none = pd.DataFrame({"middle_day": [], "length_days": [], "weight": []})
    return HabitModel(weight, np.zeros(4), none, np.full(len(FAITHS), 1 / len(FAITHS)), FIRST)


def christmas_only(*, faith: float = 0.97, visits: float = 1.0, hazard: float = 0.03) -> HabitModel:
    """A population that comes at Christmas, and at no other time."""
    kind = (faith == FAITHS) & (visits == VISITS) & (hazard == YEARLY_HAZARDS)
    season = pd.DataFrame({"middle_day": [CHRISTMAS], "length_days": [28.0], "weight": [1.0]})
    return HabitModel(np.zeros((4, len(RATES))), np.ones(4), season, kind.astype(float), FIRST)


def test_one_all_year_kind_is_the_formula_of_schmittlein_morrison_and_colombo():
    as_of = date(2024, 6, 30)
    features, days = customers({"a": [FIRST, date(2024, 3, 31)]}, as_of=as_of)
    model = one_kind(rate=3.0, hazard=0.4)
    told = model.predict(features, purchase_days=days, as_of=as_of, horizon_days=90)
    rate, hazard = (axis[model.all_year[0] > 0][0] for axis in (RATES, HAZARDS))
    silent, ahead, both = 91 / 365.25, 90 / 365.25, rate + hazard
    alive = 1 / (1 + hazard / both * np.expm1(both * silent))
    buys = rate / both * -np.expm1(-both * ahead)
    assert told["habit_silence"].item() == pytest.approx(1 - alive * buys, rel=1e-9)
    assert told["habit_yearly"].item() == 0.0


def test_between_two_seasons_a_yearly_customer_is_expected_back_in_the_next():
    visits = {"a": [date(2023, 12, 10), date(2024, 12, 14)]}
    spring = date(2025, 4, 1)
    features, days = customers(visits, as_of=spring)
    model = christmas_only()
    ask = {"purchase_days": days, "as_of": spring}
    to_summer = model.predict(features, horizon_days=120, **ask)
    to_new_year = model.predict(features, horizon_days=275, **ask)
    # A stray purchase, one in ten years, is all that may come before.
    assert to_summer["habit_silence"].item() == pytest.approx(np.exp(-12 / 365.25), abs=1e-6)
    stays = np.exp(-0.03) * 0.97
    expected = (1 - stays) * np.exp(-27.5 / 365.25)
    assert to_new_year["habit_silence"].item() == pytest.approx(expected, abs=0.005)
    opens, closes = (to_new_year[f"returns_{n}"].item() for n in ("from", "until"))
    assert abs(opens - date(2025, 11, 28)) <= timedelta(days=2)
    assert closes - opens == timedelta(days=28)


def test_a_season_missed_is_a_sign_of_leaving():
    as_of = date(2025, 4, 1)
    features, days = customers(
        {"came": [date(2023, 12, 10), date(2024, 12, 14)], "missed": [date(2023, 12, 10)]},
        as_of=as_of,
    )
    told = christmas_only(faith=0.85, hazard=0.15).predict(
        features, purchase_days=days, as_of=as_of, horizon_days=275
    )
    silence = told.set_index("customer_id")["habit_silence"]
    assert silence["missed"] > silence["came"] + 0.2


def simulate(people: int, *, seed: int, yearly: float = 0.2) -> tuple[pd.DataFrame, pd.Series]:
    """A shop over three years: some come at Christmas, faithfully, the others at any time."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for number in range(people):
        name, left = f"c{number:05d}", rng.exponential(3.0)
        truth[name] = rng.random() < yearly
        if truth[name]:
            at = [
                year + (331 + day) / 365.25
                for year in range(3)
                for day in rng.integers(0, 28, 1 + rng.binomial(2, 0.5))
                if rng.random() < 0.97
            ]
            left = rng.exponential(20.0)
        else:
            joins = rng.random() * 2.0
            at = [joins, *(joins + np.cumsum(rng.exponential(1 / rng.gamma(1.0, 4.0), 60)))]
            left += joins
        rows += [(name, FIRST + timedelta(days=int(t * 365.25))) for t in at if t < min(left, 2.99)]
    days = pd.DataFrame(rows, columns=["customer_id", "day"]).drop_duplicates()
    return days.sample(frac=1.0, random_state=seed), pd.Series(truth)


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, pd.Series]:
    return simulate(1500, seed=3)


@pytest.fixture(scope="module")
def told(shop) -> tuple[HabitModel, pd.DataFrame]:
    as_of = date(2025, 4, 1)
    features = describe(shop[0], as_of=as_of)
    model = fit_habits(features, purchase_days=shop[0], as_of=as_of, first_day=FIRST, seed=1)
    return model, model.predict(features, purchase_days=shop[0], as_of=as_of, horizon_days=274)


def test_yearly_customers_are_told_from_two_seasons(shop, told):
    model, expected = told
    yearly = expected["customer_id"].map(shop[1])
    assert roc_auc_score(yearly, expected["habit_yearly"]) > 0.98
    assert expected["habit_yearly"].mean() == pytest.approx(yearly.mean(), abs=0.04)
    december = model.seasons[model.seasons["middle_day"].between(330, 360)]
    assert december["weight"].sum() > 0.9


def test_silence_comes_as_often_as_foretold(shop, told):
    days, truth = shop
    later = set(days.loc[days["day"] > date(2025, 4, 1), "customer_id"])
    expected = told[1].assign(
        silent=lambda t: ~t["customer_id"].isin(later), yearly=lambda t: t["customer_id"].map(truth)
    )
    means = expected.groupby("yearly")[["silent", "habit_silence"]].mean()
    assert means["habit_silence"].to_numpy() == pytest.approx(means["silent"].to_numpy(), abs=0.06)
    assert roc_auc_score(expected["silent"], expected["habit_silence"]) > 0.8


def test_the_future_is_not_looked_at(shop, told):
    days, as_of = shop[0], date(2025, 4, 1)
    model, expected = told
    features, blind = describe(days, as_of=as_of), days[days["day"] <= as_of]
    again = fit_habits(features, purchase_days=blind, as_of=as_of, first_day=FIRST, seed=1)
    np.testing.assert_array_equal(again.all_year, model.all_year)
    pd.testing.assert_frame_equal(
        again.predict(features, purchase_days=blind, as_of=as_of, horizon_days=274), expected
    )


def test_a_short_history_tells_no_season(shop):
    as_of = date(2024, 2, 1)
    features = describe(shop[0], as_of=as_of)
    model = fit_habits(features, purchase_days=shop[0], as_of=as_of, first_day=FIRST, seed=1)
    expected = model.predict(features, purchase_days=shop[0], as_of=as_of, horizon_days=90)
    assert len(model.seasons) == 0
    assert (expected["habit_yearly"] == 0).all() and expected["returns_from"].isna().all()
    assert expected["habit_silence"].between(0, 1).all()


def test_rows_keep_their_place_and_inputs_are_not_changed(shop, told):
    as_of = date(2025, 4, 1)
    model, expected = told
    features, days = describe(shop[0], as_of=as_of), shop[0].copy()
    turned = features.sample(frac=1.0, random_state=1)
    before = turned.copy()
    again = model.predict(turned, purchase_days=days, as_of=as_of, horizon_days=274)
    pd.testing.assert_frame_equal(turned, before)
    pd.testing.assert_frame_equal(days, shop[0])
    pd.testing.assert_frame_equal(again.sort_index(), expected)


def test_who_was_known_before_is_not_a_newcomer():
    as_of = date(2023, 12, 31)
    days = {"a": [date(2023, 6, 1)]}
    young, bought = customers(days, as_of=as_of)
    old, _ = customers(days, as_of=as_of, known_before_days=3000.0)
    weight = np.full((4, len(RATES)), 1 / len(RATES))
    # The crowd of long known customers stays.
    weight[3] = np.where(HAZARDS < 0.1, 1.0, 0.0) / (HAZARDS < 0.1).sum()
    none = pd.DataFrame({"middle_day": [], "length_days": [], "weight": []})
    model = HabitModel(weight, np.zeros(4), none, np.full(len(FAITHS), 1 / len(FAITHS)), FIRST)
    asked = {"purchase_days": bought, "as_of": as_of, "horizon_days": 180}
    silence = [model.predict(f, **asked)["habit_silence"].item() for f in (young, old)]
    assert silence[1] < silence[0]
