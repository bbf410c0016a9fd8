from __future__ import annotations

import json
import math
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTRACTS
from customer360.features.btyd_summary import summarise_purchases
from customer360.models.btyd import BtydError, fit_btyd, fit_gamma_gamma
from customer360.models.clv import (
    ClvModel,
    choose_model,
    customer_value,
    holdout_table,
    poisson_deviance,
    predict_holdout,
    track_purchases,
)

START = date(2024, 1, 1)
CALIBRATION_END = date(2024, 9, 30)
AS_OF = date(2024, 12, 31)


def simulated_days(*, customers: int = 500, seed: int = 5) -> pd.DataFrame:
    """Purchase days over a year of customers who buy at their own rate and leave."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 120, customers)
    gaps = rng.exponential(rng.gamma(2.0, 15.0, customers), (40, customers)).round().clip(1)
    stays = np.vstack(
        [np.ones(customers), rng.random((39, customers)) > rng.beta(1, 5, customers)]
    ).cumprod(axis=0)
    margin = rng.gamma(5, 4, customers) * rng.gamma(4, 0.25, (41, customers))
    offsets = np.vstack([first, first + gaps.cumsum(axis=0)])
    alive = np.vstack([np.ones(customers), stays]) == 1
    row, customer = np.nonzero(alive & (offsets <= 365))
    return (
        pd.DataFrame(
            {
                "customer_id": [f"c{i:04d}" for i in customer],
                "day": pd.Timestamp(START) + pd.to_timedelta(offsets[row, customer], unit="D"),
                "orders": 1,
                "net_amount": margin[row, customer],
                "margin": margin[row, customer],
            }
        )
        .sort_values(["customer_id", "day"])
        .reset_index(drop=True)
    )


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return simulated_days()


@pytest.fixture(scope="module")
def summary(days) -> pd.DataFrame:
    return summarise_purchases(days, until=AS_OF)


@pytest.fixture(scope="module")
def model(summary) -> ClvModel:
    return ClvModel(
        btyd=fit_btyd(summary, model="bg_nbd"),
        gamma_gamma=fit_gamma_gamma(summary),
        horizon_days=365.0,
        annual_discount_rate=0.1,
        as_of=AS_OF,
    )


# --- choice -----------------------------------------------------------------------------------


def test_choice_never_looks_past_the_calibration(days):
    choice = choose_model(days, calibration_end=CALIBRATION_END)
    only_calibration = days[days["day"] <= pd.Timestamp(CALIBRATION_END)]
    again = choose_model(only_calibration, calibration_end=CALIBRATION_END)
    pd.testing.assert_frame_equal(choice.table, again.table)
    assert choice.split_on == date(2024, 7, 1)
    assert choice.table["model"].to_list() == ["bg_nbd", "mbg_nbd", "pareto_nbd"]
    chosen = choice.table.loc[choice.table["poisson_deviance"].idxmin()]
    assert chosen["chosen"] and chosen["model"] == choice.name
    assert choice.table["chosen"].sum() == 1
    assert (choice.table["total_error"].abs() < 0.3).all()


def test_choice_reads_a_duckdb_relation(days):
    with duckdb.connect() as connection:
        connection.register("days", days)
        relation = connection.sql("select * replace (day::date as day) from days")
        choice = choose_model(relation, calibration_end=CALIBRATION_END, candidates=["bg_nbd"])
        del relation
    table = choose_model(days, calibration_end=CALIBRATION_END, candidates=["bg_nbd"]).table
    pd.testing.assert_frame_equal(choice.table, table)


def test_a_candidate_that_cannot_be_fitted_does_not_stop_the_others(days, monkeypatch):
    from customer360.models import clv

    def picky(summary, *, model, **settings):
        if model == "bg_nbd":
            raise BtydError("no luck")
        return fit_btyd(summary, model=model, **settings)

    monkeypatch.setattr(clv, "fit_btyd", picky)
    choice = choose_model(days, calibration_end=CALIBRATION_END)
    assert choice.name != "bg_nbd"
    assert choice.table["error"].to_list() == ["no luck", "", ""]
    with pytest.raises(BtydError, match="no model can be fitted; bg_nbd: no luck"):
        choose_model(days, calibration_end=CALIBRATION_END, candidates=["bg_nbd"])


@pytest.mark.parametrize(
    ("end", "message"),
    [(date(2020, 1, 1), "no purchase up to 2020-01-01"), (START, "too short to split")],
)
def test_a_calibration_without_days_is_refused(days, end, message):
    with pytest.raises(BtydError, match=message):
        choose_model(days, calibration_end=end)


# --- holdout ----------------------------------------------------------------------------------


def test_holdout_table_keeps_its_contract_and_every_customer(days):
    table = holdout_table(days, calibration_end=CALIBRATION_END, holdout_end=AS_OF)
    assert table.columns.to_list() == CONTRACTS["clv_holdout"].column_names
    known = days[days["day"] <= pd.Timestamp(CALIBRATION_END)]
    later = days[days["day"] > pd.Timestamp(CALIBRATION_END)]
    assert len(table) == known["customer_id"].nunique()
    later = later[later["customer_id"].isin(known["customer_id"])]
    assert table["holdout_transactions"].sum() == len(later)
    assert table["holdout_margin"].sum() == pytest.approx(later["margin"].sum())
    assert table["holdout_days"].eq(92).all()


def test_predictions_of_the_holdout(days):
    table = holdout_table(days, calibration_end=CALIBRATION_END, holdout_end=AS_OF)
    before = table.copy(deep=True)
    predicted = predict_holdout(
        table, btyd=fit_btyd(table, model="mbg_nbd"), gamma_gamma=fit_gamma_gamma(table)
    )
    pd.testing.assert_frame_equal(table, before)
    actual = predicted["holdout_transactions"]
    assert predicted["predicted_transactions"].sum() == pytest.approx(actual.sum(), rel=0.2)
    assert predicted["predicted_transactions"].corr(actual, method="spearman") > 0.3
    assert predicted["predicted_value"].ge(0).all()


def test_naive_rate_is_the_past_carried_on_and_nothing_for_a_newcomer():
    table = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "frequency": [4, 0],
            "recency_days": [90.0, 0.0],
            "T_days": [100.0, 0.0],
            "monetary_value": [1.0, 0.0],
            "holdout_days": 50.0,
        }
    )
    fitted = fit_btyd(
        pd.concat([table, table.assign(frequency=2, recency_days=20.0, T_days=60.0)]),
        model="mbg_nbd",
        penalizer=0.01,
    )
    predicted = predict_holdout(table, btyd=fitted)
    assert predicted["naive_transactions"].to_list() == [2.0, 0.0]
    assert "predicted_value" not in predicted
    with pytest.raises(BtydError, match="no customer bought before the holdout"):
        predict_holdout(table.iloc[:0], btyd=fitted)


def test_poisson_deviance():
    assert poisson_deviance([0, 1, 5], [1e-12, 1, 5], floor=1e-3) == pytest.approx(2 * 1e-3 / 3)
    assert poisson_deviance([2], [1]) == pytest.approx(2 * (2 * math.log(2) - 1))
    assert math.isfinite(poisson_deviance([3], [0.0]))


def test_poisson_deviance_is_that_of_evaluation():
    from customer360 import evaluation

    actual, predicted = [0, 1, 5, 2], [0.2, 0.0, 4.0, 3.0]
    assert poisson_deviance(actual, predicted) == pytest.approx(
        evaluation.poisson_deviance(actual, predicted)
    )


# --- tracking ---------------------------------------------------------------------------------


def test_tracking_adds_up(days):
    table = holdout_table(days, calibration_end=CALIBRATION_END, holdout_end=AS_OF)
    fitted = fit_btyd(table, model="bg_nbd")
    track = track_purchases(days, btyd=fitted, cohort_until=CALIBRATION_END, until=AS_OF)
    last = track["day"].iloc[-1]
    first = days.groupby("customer_id")["day"].transform("min")
    repeat = days[(days["day"] > first) & (first <= pd.Timestamp(CALIBRATION_END))]
    assert track["actual_cumulative"].iloc[-1] == (repeat["day"] <= last).sum()
    for kind in ("actual", "expected"):
        total = track[f"{kind}_incremental"].cumsum()
        np.testing.assert_allclose(total, track[f"{kind}_cumulative"])
    in_calibration = track[~track["in_holdout"]].iloc[-1]
    assert in_calibration["expected_cumulative"] == pytest.approx(
        in_calibration["actual_cumulative"], rel=0.05
    )
    assert track["day"].diff().dropna().eq(pd.Timedelta(days=7)).all()


def test_tracking_leaves_later_customers_out(days):
    fitted = fit_btyd(summarise_purchases(days, until=AS_OF), model="bg_nbd")
    early = START + timedelta(days=30)
    track = track_purchases(days, btyd=fitted, cohort_until=early, until=AS_OF)
    first = days.groupby("customer_id")["day"].transform("min")
    cohort = days[first <= pd.Timestamp(early)]
    assert track["actual_cumulative"].iloc[-1] <= len(cohort)
    with pytest.raises(BtydError, match="there is nobody to track"):
        track_purchases(days, btyd=fitted, cohort_until=date(2023, 1, 1), until=AS_OF)


# --- value ------------------------------------------------------------------------------------


def test_value_keeps_its_contract_and_its_arithmetic(model, summary):
    scores = model.predict(summary)
    assert scores.columns.to_list() == CONTRACTS["clv_scores"].column_names
    assert scores["customer_id"].to_list() == summary["customer_id"].to_list()
    assert scores["as_of"].eq(AS_OF).all()
    undiscounted = scores["expected_purchases"] * scores["expected_margin"]
    assert (scores["clv"] < undiscounted).all()
    assert (scores["clv"] > undiscounted / 1.1).all()
    assert scores["cost_to_serve"].isna().all()
    pd.testing.assert_frame_equal(scores, model.predict(summary))


def test_without_discount_or_cost_value_is_purchases_times_margin(model, summary):
    scores = customer_value(
        summary,
        btyd=model.btyd,
        gamma_gamma=model.gamma_gamma,
        horizon_days=100,
        annual_discount_rate=0.0,
        as_of=AS_OF,
    )
    np.testing.assert_allclose(
        scores["clv"], scores["expected_purchases"] * scores["expected_margin"]
    )


def test_a_factor_multiplies_the_value_before_cost_and_is_1_where_unknown(model, summary):
    settings = {
        "btyd": model.btyd,
        "gamma_gamma": model.gamma_gamma,
        "horizon_days": 100,
        "annual_discount_rate": 0.1,
        "as_of": AS_OF,
        "cost_to_serve_per_day": summary[["customer_id"]].assign(cost_per_day=0.01),
    }
    plain = customer_value(summary, **settings).set_index("customer_id")
    one = plain.index[0]
    told = customer_value(summary, value_factor=pd.Series({one: 3.0}), **settings)
    told = told.set_index("customer_id")
    assert told["value_factor"].to_list() == [3.0] + [1.0] * (len(told) - 1)
    gross, cost = plain.loc[one, "clv"] + plain.loc[one, "cost_to_serve"], told["cost_to_serve"]
    assert told.loc[one, "clv"] == pytest.approx(3 * gross - cost[one])
    pd.testing.assert_frame_equal(told.iloc[1:], plain.iloc[1:])


def test_cost_to_serve_is_taken_off_where_known_and_may_sink_the_value(model, summary):
    costly, free = summary["customer_id"].iloc[:2]
    costs = pd.DataFrame({"customer_id": [costly, free], "cost_per_day": [100.0, 0.0]})
    gross = model.predict(summary).set_index("customer_id")
    net = model.predict(summary, cost_to_serve_per_day=costs).set_index("customer_id")
    assert net.loc[costly, "clv"] < 0
    assert net.loc[costly, "clv"] == pytest.approx(
        gross.loc[costly, "clv"] - net.loc[costly, "cost_to_serve"]
    )
    assert net.loc[costly, "cost_to_serve"] <= 100 * 365 * net.loc[costly, "palive"]
    assert net.loc[free, "cost_to_serve"] == 0
    others = net.index.difference([costly, free])
    pd.testing.assert_series_equal(net.loc[others, "clv"], gross.loc[others, "clv"])
    assert net.loc[others, "cost_to_serve"].isna().all()
    twice = pd.concat([costs, costs])
    with pytest.raises(BtydError, match="2 rows too many"):
        model.predict(summary, cost_to_serve_per_day=twice)


def test_a_customer_who_loses_money_has_a_negative_value(model, summary):
    loser = summary.nlargest(1, "frequency").assign(monetary_value=-30.0)
    assert model.predict(loser)["clv"].iloc[0] < 0


def test_json_brings_the_whole_model_back(model, summary):
    text = model.to_json()
    assert set(json.loads(text)) >= {"btyd", "gamma_gamma", "horizon_days", "as_of"}
    back = ClvModel.from_json(text)
    assert back == model
    pd.testing.assert_frame_equal(back.predict(summary), model.predict(summary))


def test_nobody_has_no_value(model, summary):
    assert model.predict(summary.iloc[:0]).empty
