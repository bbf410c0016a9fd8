from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from customer360.models import btyd
from customer360.models.btyd import (
    MODELS,
    BtydError,
    BtydModel,
    GammaGammaModel,
    discounted_days_alive,
    discounted_purchases,
    expected_cumulative,
    expected_margin,
    expected_purchases,
    fit_btyd,
    fit_gamma_gamma,
    probability_alive,
)

PARAMS = {
    "bg_nbd": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "mbg_nbd": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "pareto_nbd": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
}


def published(name: str, **params: float) -> BtydModel:
    return BtydModel(
        name=name,
        params={**PARAMS[name], **params},
        time_unit_days=7.0,
        penalizer=0.0,
        log_likelihood=-1.0,
        n_customers=2357,
        n_histories=1000,
    )


def summary_of(rows: list[tuple[float, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["frequency", "recency_days", "T_days"])
    return frame.assign(customer_id=[f"c{i}" for i in range(len(frame))], monetary_value=10.0)


HISTORIES = summary_of([(0, 0, 0), (0, 0, 200), (1, 30, 200), (2, 210, 272), (26, 150, 270)])


def simulated(*, customers: int, seed: int) -> pd.DataFrame:
    """Customers who buy and leave as BG/NBD says, observed for 364 days."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, 1 / 40, customers)
    leave = rng.beta(1.0, 3.0, customers)
    gaps = rng.exponential(1 / rate, (60, customers)).clip(1.0).round()
    alive = np.vstack([np.ones(customers, bool), rng.random((59, customers)) > leave]).cumprod(
        axis=0
    )
    times = np.where(alive == 1, gaps.cumsum(axis=0), np.inf)
    bought = times <= 364
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:04d}" for i in range(customers)],
            "frequency": bought.sum(axis=0),
            "recency_days": np.where(bought, times, 0).max(axis=0),
            "T_days": 364.0,
        }
    )


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return simulated(customers=600, seed=3)


# --- equations --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_scores_equal_those_of_lifetimes(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        fitter = {
            "bg_nbd": lifetimes.BetaGeoFitter,
            "mbg_nbd": lifetimes.ModifiedBetaGeoFitter,
            "pareto_nbd": lifetimes.ParetoNBDFitter,
        }[name]()
        fitter.params_ = pd.Series(PARAMS[name])
        histories = HISTORIES.iloc[1:]  # lifetimes has no answer for a customer of age 0
        history = [histories["frequency"].to_numpy(float)] + [
            histories[column].to_numpy(float) / 7 for column in ("recency_days", "T_days")
        ]
        purchases = fitter.conditional_expected_number_of_purchases_up_to_time(39, *history)
        alive = fitter.conditional_probability_alive(*history)
        unconditional = fitter.expected_number_of_purchases_up_to_time(np.array([10.0, 78.0]))
    model = published(name)
    np.testing.assert_allclose(
        expected_purchases(model, histories, horizon_days=273), purchases, rtol=1e-9
    )
    np.testing.assert_allclose(probability_alive(model, histories), alive, rtol=1e-9)
    new = summary_of([(0, 0, 0)])
    np.testing.assert_allclose(
        expected_cumulative(model, new, days_from_as_of=[70, 546]), unconditional, rtol=1e-9
    )


@pytest.mark.parametrize(("name", "shift"), [("bg_nbd", 0), ("mbg_nbd", 1)])
def test_staying_alive_is_the_integral_over_the_chances_to_leave(name, shift):
    model = published(name)
    params = model.params
    for x, age, horizon in [(0, 3.0, 20.0), (3, 10.0, 52.0), (40, 38.0, 100.0)]:
        posterior = beta_distribution(params["a"], params["b"] + x + shift)
        expected, _ = quad(
            lambda p, x=x, age=age, horizon=horizon, posterior=posterior: (
                posterior.pdf(p) * (1 + p * horizon / (params["alpha"] + age)) ** -(params["r"] + x)
            ),
            0,
            1,
        )
        history = summary_of([(x, 7 * age if x else 0, 7 * age)])
        now = probability_alive(model, history)[0]
        later = probability_alive(model, history, after_days=7 * horizon)[0]
        assert later / now == pytest.approx(expected, rel=1e-4)


def test_pareto_likelihood_holds_where_lifetimes_overflows():
    r, alpha, s, beta = 1.4, 1.4, 5.0, 6000.0
    x, recency, age = 240.0, 38.0, 39.0
    arguments = (np.array([x]), np.array([recency]), np.array([age]))
    integral, _ = quad(
        lambda y: (
            ((alpha + recency) / (alpha + y)) ** (r + x)
            * ((beta + recency) / (beta + y)) ** (s + 1)
        ),
        recency,
        age,
    )
    expected = np.log(s * integral)
    expected -= (r + x) * np.log(alpha + recency) + (s + 1) * np.log(beta + recency)
    _, log_left, _ = btyd._pareto_branches(np.array([r, alpha, s, beta]), *arguments)
    assert log_left[0] == pytest.approx(expected, rel=1e-12)
    model = published("pareto_nbd", r=r, alpha=alpha, s=s, beta=beta)
    frequent = summary_of([(x, 7 * recency, 7 * age)])
    assert 0 < probability_alive(model, frequent)[0] < 1


def test_pareto_likelihood_equals_that_of_lifetimes_and_its_slope_is_right():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import ParetoNBDFitter
    arguments = [HISTORIES["frequency"].to_numpy(float)[1:]] + [
        HISTORIES[column].to_numpy(float)[1:] / 7 for column in ("recency_days", "T_days")
    ]
    for params in [
        (0.553, 10.578, 0.606, 11.669),
        (0.1, 0.02, 3.0, 40.0),
        (4.0, 60.0, 0.2, 0.05),
        (0.02, 500.0, 1.0, 400.0),
    ]:
        theirs = ParetoNBDFitter._conditional_log_likelihood(params, *arguments)
        ours, slope = btyd._pareto_log_likelihood(np.array(params), *arguments)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
        for i in range(4):
            step = np.zeros(4)
            step[i] = 1e-5 * params[i]
            above, below = (
                btyd._pareto_log_likelihood(params + sign * step, *arguments)[0] for sign in (1, -1)
            )
            numeric = (above - below) / (2 * step[i])
            np.testing.assert_allclose(slope[i], numeric, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_parameter_of_exactly_one_is_no_hole(name):
    letter = "s" if name == "pareto_nbd" else "a"
    at_one, beside = (
        expected_purchases(published(name, **{letter: value}), HISTORIES, horizon_days=100)
        for value in (1.0, 1.001)
    )
    np.testing.assert_allclose(at_one, beside, rtol=2e-3)


@pytest.mark.parametrize("name", MODELS)
def test_longer_silence_means_less_alive_and_fewer_purchases(name):
    silent = summary_of([(5, recency, 300) for recency in (290, 200, 100, 20)])
    assert probability_alive(published(name), silent).is_monotonic_decreasing
    assert expected_purchases(published(name), silent, horizon_days=90).is_monotonic_decreasing


@pytest.mark.parametrize("name", MODELS)
def test_hundreds_of_purchases_score_like_any(name):
    frequent = summary_of([(250, 270, 272), (250, 10, 272)])
    purchases = expected_purchases(published(name), frequent, horizon_days=30)
    assert 20 < purchases[0] < 35
    assert purchases[1] < 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_discounting(name):
    model = published(name)
    plain = expected_purchases(model, HISTORIES, horizon_days=365)
    free = discounted_purchases(model, HISTORIES, horizon_days=365, annual_discount_rate=0.0)
    dear = discounted_purchases(model, HISTORIES, horizon_days=365, annual_discount_rate=0.2)
    np.testing.assert_allclose(free, plain, rtol=1e-12)
    assert (dear < plain).all() and (dear > plain / 1.2).all()
    days = discounted_days_alive(model, HISTORIES, horizon_days=365, annual_discount_rate=0.0)
    now, later = (probability_alive(model, HISTORIES, after_days=d) for d in (0, 365))
    assert (days <= 365 * now).all() and (days >= 365 * later).all()


def test_scores_follow_the_customer_not_the_row():
    shuffled = HISTORIES.sample(frac=1, random_state=0)
    model = published("bg_nbd")
    pd.testing.assert_series_equal(
        expected_purchases(model, HISTORIES, horizon_days=90),
        expected_purchases(model, shuffled, horizon_days=90).sort_index(),
    )


@pytest.mark.parametrize("name", MODELS)
def test_tracking_counts_nobody_before_the_first_purchase(name):
    cohort = summary_of([(0, 0, 100), (3, 50, 60)])
    totals = expected_cumulative(published(name), cohort, days_from_as_of=[-120, -100, -60, 0, 50])
    assert totals[:2].tolist() == [0, 0]
    assert (np.diff(totals[1:]) > 0).all()


# --- fit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_fit_is_a_maximum_the_same_each_time_in_any_unit(name, cohort):
    model = fit_btyd(cohort, model=name)
    assert model.to_json() == fit_btyd(cohort, model=name).to_json()
    assert model.n_customers == 600 and model.n_histories < 600
    in_days = fit_btyd(cohort, model=name, time_unit_days=1.0)
    assert in_days.params["alpha"] == pytest.approx(7 * model.params["alpha"])
    np.testing.assert_allclose(
        expected_purchases(model, cohort, horizon_days=180),
        expected_purchases(in_days, cohort, horizon_days=180),
        rtol=1e-9,
    )


def test_fit_finds_the_customers_that_were_simulated(cohort):
    model = fit_btyd(cohort, model="bg_nbd", time_unit_days=1.0)
    assert model.params["r"] / model.params["alpha"] == pytest.approx(1 / 40, rel=0.25)
    assert expected_cumulative(model, cohort, days_from_as_of=0)[0] == pytest.approx(
        cohort["frequency"].sum(), rel=0.05
    )


def test_fit_on_shared_histories_equals_lifetimes_row_by_row(cohort):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter

        theirs = BetaGeoFitter(penalizer_coef=0.01).fit(
            cohort["frequency"], cohort["recency_days"] / 7, cohort["T_days"] / 7, tol=1e-8
        )
    ours = fit_btyd(cohort, model="bg_nbd", penalizer=0.01)
    np.testing.assert_allclose(list(ours.params.values()), theirs.params_, rtol=1e-5)


def test_fit_leaves_its_input_and_the_warning_filters_alone(cohort):
    before, filters = cohort.copy(deep=True), list(warnings.filters)
    fit_btyd(cohort, model="mbg_nbd")
    pd.testing.assert_frame_equal(cohort, before)
    assert list(warnings.filters) == filters


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "0 customer in the purchases"),
        ([(2, 30, 60)], "1 customer in the purchases"),
        ([(0, 0, 60), (0, 0, 80)], "none of the 2 customers bought on a second day"),
        ([(2, 30, 60), (2, 30, 60)], "all 2 customers have one and the same history"),
        ([(2, 30, 60), (1, np.nan, 60)], "1 of 2 customers have an empty"),
        ([(2, 30, 60), (-1, 0, 60)], "1 of 2 customers have a negative"),
        ([(2, 30, 60), (1, 70, 60)], "1 of 2 customers bought after the end"),
        ([(2, 30, 60), (1.5, 30, 60)], "1 of 2 customers have a frequency that is not a whole"),
        ([(2, 30, 60), (1, 0, 60)], "1 of 2 customers have a frequency and a recency_days"),
    ],
)
def test_purchases_that_cannot_carry_a_model_are_refused_in_words(rows, message):
    with pytest.raises(BtydError, match=message):
        fit_btyd(summary_of(rows), model="bg_nbd")


def test_other_refusals():
    with pytest.raises(BtydError, match="no column T_days"):
        fit_btyd(HISTORIES.drop(columns="T_days"), model="bg_nbd")
    with pytest.raises(BtydError, match="'weibull' is not one of bg_nbd"):
        fit_btyd(HISTORIES, model="weibull")
    with pytest.raises(BtydError, match="horizon_days must be above 0"):
        expected_purchases(published("bg_nbd"), HISTORIES, horizon_days=0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("params", [(0.3, 4.0, 0.8, 2.4), (2.0, 30.0, 0.05, 0.4)])
def test_the_slope_written_out_is_that_of_the_likelihood(model, params):
    # Of a recency equal to the age, Pareto/NBD takes the logarithm of 0.
    x, recency, age = (
        np.append(HISTORIES.iloc[1:][c].to_numpy(float), last)
        for c, last in zip(["frequency", "recency_days", "T_days"], (400, 271, 272), strict=True)
    )
    arguments = (x, recency / 7, age / 7, np.array([5.0, 3, 2, 1, 1]), 0.01)
    objective, at = btyd._objective(model), np.log(params)
    step = 1e-5
    slope = [
        (objective(at + step * e, *arguments)[0] - objective(at - step * e, *arguments)[0])
        / (2 * step)
        for e in np.eye(4)
    ]
    assert objective(at, *arguments)[1] == pytest.approx(np.array(slope), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd"])
def test_likelihood_and_slope_are_those_of_lifetimes(model):
    from autograd import value_and_grad

    lifetimes = btyd._lifetimes()
    theirs = {"bg_nbd": lifetimes.BetaGeoFitter, "mbg_nbd": lifetimes.ModifiedBetaGeoFitter}
    reference = value_and_grad(theirs[model]._negative_log_likelihood)
    x, recency, age = (
        HISTORIES[c].to_numpy(float) for c in ("frequency", "recency_days", "T_days")
    )
    arguments = (x, recency / 7, age / 7, np.array([5.0, 3.0, 2.0, 1.0, 1.0]), 0.01)
    at = np.log([0.3, 4.0, 0.8, 2.4])
    value, slope = btyd._objective(model)(at, *arguments)
    told, told_slope = reference(at, *arguments)
    assert value == pytest.approx(told, rel=1e-12)
    assert slope == pytest.approx(told_slope, rel=1e-10, abs=1e-12)


def test_a_search_that_finds_nothing_says_so(monkeypatch, cohort):
    tried = []

    def nowhere(log_params, *_, **__):
        tried.append(tuple(np.round(log_params, 1)))
        return np.nan, np.full(4, np.nan)

    monkeypatch.setattr(btyd, "_negative_mean", nowhere)
    with pytest.raises(BtydError, match="did not converge from 3 starting points"):
        fit_btyd(cohort, model="pareto_nbd")
    assert len(set(tried)) >= 3


def test_a_market_nobody_leaves_is_told_by_the_bounds():
    rng = np.random.default_rng(0)
    frequency = rng.poisson(20, 200) + 1
    loyal = summary_of([(x, 364 - rng.integers(0, 12), 364) for x in frequency])
    model = fit_btyd(loyal, model="pareto_nbd")
    assert model.at_bound
    assert probability_alive(model, loyal).min() > 0.9


def test_no_customer_to_score_gives_no_score():
    none = HISTORIES.iloc[:0]
    assert expected_purchases(published("bg_nbd"), none, horizon_days=30).empty


def test_json_brings_the_model_back():
    model = published("pareto_nbd")
    back = BtydModel.from_json(model.to_json())
    assert back == model
    assert json.loads(model.to_json())["params"] == PARAMS["pareto_nbd"]
    pd.testing.assert_series_equal(
        probability_alive(back, HISTORIES), probability_alive(model, HISTORIES)
    )


# --- Gamma-Gamma ------------------------------------------------------------------------------


def buyers(*, customers: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Repeat buyers whose margins follow Gamma-Gamma with p 4, q 5, v 60: mean 60."""
    rng = np.random.default_rng(seed)
    frequency = rng.integers(1, 8, customers)
    scale = 1 / rng.gamma(5, 1 / 60, customers)
    value = rng.gamma(4 * frequency, scale / frequency)
    return pd.DataFrame({"frequency": frequency, "monetary_value": value})


def test_gamma_gamma_finds_the_population():
    model = fit_gamma_gamma(buyers())
    assert model.population_mean == pytest.approx(60, rel=0.05)
    assert model.p == pytest.approx(4, rel=0.15)
    assert model.q == pytest.approx(5, rel=0.2)
    assert abs(model.frequency_value_correlation) < 0.1
    assert GammaGammaModel.from_json(model.to_json()) == model


def test_gamma_gamma_does_not_depend_on_the_currency():
    euros, cents = buyers(), buyers().assign(monetary_value=lambda d: d["monetary_value"] * 100)
    in_euros, in_cents = fit_gamma_gamma(euros), fit_gamma_gamma(cents)
    assert in_cents.p == pytest.approx(in_euros.p, rel=1e-6)
    assert in_cents.v == pytest.approx(100 * in_euros.v, rel=1e-6)


def test_expected_margin_shrinks_towards_the_population():
    model = GammaGammaModel(6.25, 3.74, 15.44, 35.2, -1.0, 900, 0, 0.0)
    margin = expected_margin(
        model,
        pd.DataFrame(
            {
                "frequency": [0, 1, 50, 3, 3],
                "monetary_value": [0.0, 100.0, 100.0, -20.0, np.nan],
            }
        ),
    )
    assert margin[0] == 35.2 and margin[4] == 35.2
    assert 35.2 < margin[1] < margin[2] < 100
    assert -20 < margin[3] < 0


def test_expected_margin_equals_lifetimes():
    frame = buyers(customers=50)
    model = fit_gamma_gamma(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import GammaGammaFitter

        fitter = GammaGammaFitter()
        fitter.params_ = pd.Series({"p": model.p, "q": model.q, "v": model.v})
        theirs = fitter.conditional_expected_average_profit(
            frame["frequency"], frame["monetary_value"]
        )
    np.testing.assert_allclose(expected_margin(model, frame), theirs, rtol=1e-9)


def test_losses_are_left_out_of_the_fit_and_counted():
    with_losses = pd.concat(
        [buyers(), pd.DataFrame({"frequency": [2, 3, 4], "monetary_value": [-5.0, 0.0, np.nan]})]
    )
    model = fit_gamma_gamma(with_losses)
    assert (model.n_customers, model.n_not_positive) == (2000, 3)
    assert model.p == fit_gamma_gamma(buyers()).p


def test_one_price_for_all_is_learnt_as_such():
    frame = pd.DataFrame({"frequency": [1, 2, 3, 4], "monetary_value": [10.0] * 4})
    model = fit_gamma_gamma(frame)
    assert model.at_bound and model.frequency_value_correlation == 0.0
    np.testing.assert_allclose(expected_margin(model, frame), 10.0, rtol=0.01)


def test_margins_without_a_mean_fall_back_on_the_observed_one():
    rng = np.random.default_rng(0)
    wild = pd.DataFrame({"frequency": 1, "monetary_value": rng.pareto(0.6, 400) + 0.1})
    model = fit_gamma_gamma(wild)
    assert "q" in model.at_bound
    assert model.population_mean == pytest.approx(wild["monetary_value"].mean())


@pytest.mark.parametrize("values", [[np.nan, np.nan], [-1.0, 5.0], [0.0, 0.0]])
def test_too_few_margins_are_refused_in_words(values):
    frame = pd.DataFrame({"frequency": [1, 2], "monetary_value": values})
    with pytest.raises(BtydError, match="of 2 repeat buyers have a known and positive margin"):
        fit_gamma_gamma(frame)
