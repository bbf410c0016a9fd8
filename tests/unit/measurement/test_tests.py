"""Drawing arms, sizing a test, reading it once, daily, and by factor."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from statsmodels.stats.power import NormalIndPower

from customer360.measurement.assignment import (
    SampleRatioError,
    assign_arms,
    balance_table,
    check_sample_ratio,
)
from customer360.measurement.effects import arm_effects, campaign_results, measure_effect
from customer360.measurement.factorial import (
    factorial_effects,
    factorial_tests,
    half_fraction,
    sound_tests,
)
from customer360.measurement.sequential import always_valid_interval, daily_looks
from customer360.measurement.sizing import customers_needed, detectable_effect, plan_tests

HALVES = {"control": 0.5, "treated": 0.5}


@pytest.fixture(scope="module")
def customers():
    return pd.DataFrame({"customer_id": [f"C{i:06d}" for i in range(20_000)]})


# --- draw ---------------------------------------------------------------------------------------


def test_a_draw_has_its_shares_and_is_drawn_again_alike(customers):
    shares = {"control": 0.2, "a": 0.5, "b": 0.3}
    arms = assign_arms(customers, test="spring", shares=shares)
    found = arms.to_pandas()["arm"].value_counts(normalize=True)
    for arm, share in shares.items():
        assert found[arm] == pytest.approx(share, abs=0.01)
    again = assign_arms(customers[::-1].copy(), test="spring", shares=shares)
    assert arms.equals(again)


def test_a_customer_keeps_its_arm_when_others_join(customers):
    few = assign_arms(customers[:500], test="spring", shares=HALVES).to_pandas()
    many = assign_arms(customers, test="spring", shares=HALVES).to_pandas()
    assert few.equals(many[:500])


def test_tests_are_drawn_independently(customers):
    first = assign_arms(customers, test="spring", shares=HALVES).to_pandas()["arm"]
    second = assign_arms(customers, test="summer", shares=HALVES).to_pandas()["arm"]
    assert (first == second).mean() == pytest.approx(0.5, abs=0.015)


def test_shares_must_sum_to_one(customers):
    with pytest.raises(ValueError, match="sum to 1"):
        assign_arms(customers, test="spring", shares={"a": 0.5, "b": 0.4})


def test_arms_of_wrong_sizes_stop_the_read_out():
    assert check_sample_ratio({"control": 5_010, "treated": 4_990}, shares=HALVES) > 0.5
    with pytest.raises(SampleRatioError, match=r"treated 4500 \(expected 4750\)"):
        check_sample_ratio({"control": 5_000, "treated": 4_500}, shares=HALVES, test="spring")


def test_balance_in_standard_deviations():
    arms = pd.DataFrame({"arm": ["c"] * 4 + ["t"] * 4, "spend": [0, 2, 0, 2, 1, 3, 1, 3]})
    found = balance_table(arms, traits=["spend"], control="c").iloc[0]
    assert found["standardised_difference"] == pytest.approx(1 / np.sqrt(4 / 3))


# --- size ---------------------------------------------------------------------------------------


def test_size_agrees_with_statsmodels():
    needed = customers_needed(standard_deviation=2.0, effect=0.5, control_share=0.2)
    treated = NormalIndPower().solve_power(effect_size=0.25, alpha=0.05, power=0.8, ratio=0.25)
    assert needed == pytest.approx(treated * 1.25, abs=2)


def test_what_is_needed_is_what_can_be_seen():
    needed = customers_needed(standard_deviation=0.3, effect=0.01, control_share=0.3)
    seen = detectable_effect(standard_deviation=0.3, customers=needed, control_share=0.3)
    assert seen == pytest.approx(0.01, rel=1e-4)
    more = customers_needed(standard_deviation=0.3, effect=0.01, control_share=0.3, comparisons=3)
    assert more > needed


def test_no_test_without_an_effect():
    with pytest.raises(ValueError, match="other than 0"):
        customers_needed(standard_deviation=1.0, effect=0.0)
    assert detectable_effect(standard_deviation=1.0, customers=0) == np.inf


def test_plans_say_how_many_weeks():
    usual = pd.DataFrame({"channel": ["email", "fax"], "standard_deviation": [1.0, 1.0]})
    plan = plan_tests(usual, effects=(0.1,), customers_a_week={"email": 100.0})
    assert plan["channel"].tolist() == ["email"]
    assert plan["weeks"].iloc[0] == plan["customers"].iloc[0] / 100


# --- read ---------------------------------------------------------------------------------------


def test_without_covariates_it_is_students_test():
    rng = np.random.default_rng(1)
    y, treated = rng.normal(size=300), np.arange(300) < 200
    found = measure_effect(y + 0.3 * treated, treated)
    known = ttest_ind((y + 0.3)[:200], y[200:])
    interval = known.confidence_interval()
    assert found.p_value == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_the_past_makes_an_effect_sharper_and_not_other():
    rng = np.random.default_rng(2)
    past = rng.gamma(1, 50, 4_000)
    treated = rng.random(4_000) < 0.8
    y = 0.2 * past + rng.normal(size=4_000) + 1.0 * treated
    plain, sharp = measure_effect(y, treated), measure_effect(y, treated, before=past)
    assert sharp.standard_error < plain.standard_error / 5
    assert sharp.low < 1.0 < sharp.high


def test_an_arm_of_one_is_no_arm():
    with pytest.raises(ValueError, match="an arm has 1 customers"):
        measure_effect([1.0, 2.0, 3.0], [True, True, False])


def test_several_arms_share_the_error():
    rng = np.random.default_rng(3)
    arms = np.repeat(["control", "a", "b"], 2_000)
    table = pd.DataFrame({"arm": arms, "margin": rng.normal(size=6_000) + 0.3 * (arms == "a")})
    found = arm_effects(table, outcome="margin", control="control").set_index("arm")
    assert found.loc["a", "adjusted_p_value"] < 0.001 < found.loc["b", "adjusted_p_value"]
    assert (found["adjusted_p_value"] >= found["p_value"]).all()


def test_campaigns_against_their_own_held_out():
    rng = np.random.default_rng(4)
    held = rng.random(3_000) < 0.3
    table = pd.DataFrame(
        {"campaign_id": "K1", "variant": "A", "channel": "email", "held_out": held, "sent": ~held,
         "cost": 0.1, "margin": rng.normal(5, 1, 3_000) + 2.0 * ~held}
    )  # fmt: skip
    alone = table[~held].assign(campaign_id="K2")
    found = campaign_results(pd.concat([table, alone])).set_index("campaign_id")
    sent = (~held).sum()
    assert found.loc["K1", "incremental"] == pytest.approx(2 * sent, rel=0.05)
    assert found.loc["K1", "return"] == pytest.approx(19, rel=0.06)
    assert not found.loc["K2", "tested"] and np.isnan(found.loc["K2", "effect"])


# --- look daily ---------------------------------------------------------------------------------


def test_always_valid_interval_of_the_paper():
    # Equation (14): n = 100, variance 1, rho = 1, alpha = 0.05.
    rho_one = -2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)
    low, high = always_valid_interval(np.zeros(1), np.ones(1), np.array([100]), best_at=rho_one)
    expected = np.sqrt(2 * 101 / 100**2 * np.log(np.sqrt(101) / 0.05))
    assert high[0] == pytest.approx(expected)
    assert low[0] == pytest.approx(-expected)


def test_an_effect_is_found_in_time_and_stays_found():
    rng = np.random.default_rng(5)
    treated = rng.random(4_000) < 0.5
    table = pd.DataFrame(
        {"day": np.repeat(np.arange(20), 200), "treated": treated,
         "margin": rng.normal(size=4_000) + 0.3 * treated}
    )  # fmt: skip
    looks = daily_looks(table, outcome="margin", treated_share=0.5, best_at=2_000)
    assert len(looks) == 20 and looks["decided"].iloc[-1]
    assert looks["decided"].is_monotonic_increasing
    assert looks["low"].iloc[-1] < 0.3 < looks["high"].iloc[-1]
    assert (looks["high"] - looks["low"]).is_monotonic_decreasing


# --- by factor ---------------------------------------------------------------------------------

FACTORS = {"theme": ("price", "belonging"), "image": ("product", "people")}


def test_main_effects_and_interaction_are_recovered():
    rng = np.random.default_rng(6)
    theme, image = (rng.choice(values, 40_000) for values in FACTORS.values())
    hit, seen = theme == "belonging", image == "people"
    y = 1 + 2 * hit + 1 * seen + 4 * hit * seen + rng.normal(size=40_000)
    table = pd.DataFrame({"theme": theme, "image": image, "y": y})
    found = factorial_effects(table, outcome="y", factors=FACTORS).set_index("term")
    # In ±1 coding: 2 + 4/2, 1 + 4/2, 4/2.
    for term, truth in (("theme", 4), ("image", 3), ("theme × image", 2)):
        assert found.loc[term, "low"] < truth < found.loc[term, "high"]
        assert found.loc[term, "effect"] == pytest.approx(truth, abs=0.05)


def test_a_half_fraction_names_what_it_cannot_tell_apart():
    factors = {**FACTORS, "offer": ("10", "20")}
    arms = half_fraction(factors)
    assert len(arms) == 4 and not arms.duplicated().any()
    rng = np.random.default_rng(7)
    table = arms.iloc[np.tile(np.arange(4), 250)].reset_index(drop=True)
    table["y"] = rng.normal(size=1_000) + (table["offer"] == "20")
    found = factorial_effects(table, outcome="y", factors=factors)
    assert "offer = theme × image" in set(found["term"])
    assert len(found) == 3


def test_an_unknown_level_is_named():
    table = pd.DataFrame({"theme": ["price", "status"], "image": ["product"] * 2, "y": [0, 1]})
    with pytest.raises(ValueError, match="status"):
        factorial_effects(table, outcome="y", factors=FACTORS)
    with pytest.raises(ValueError, match="three factors"):
        half_fraction(FACTORS)


def test_factorial_tests_are_found_among_campaigns():
    full = [("K1", t, i, "o") for t in FACTORS["theme"] for i in FACTORS["image"]]
    plain = [("K2", "price", "product", "o1"), ("K2", "belonging", "product", "o1")]
    three = [("K3", t, "product", o) for t, o in zip("abc", "xyx", strict=True)]
    campaigns = pd.DataFrame(
        [*full, *plain, *three], columns=["campaign_id", "theme", "image", "offer_id"]
    )
    assert factorial_tests(campaigns) == {
        "K1": {"theme": ("belonging", "price"), "image": ("people", "product")}
    }


def test_a_test_that_lost_people_of_a_variant_is_not_read():
    tests = {"K1": FACTORS, "K2": FACTORS}
    rows = [("K1", v, n) for v, n in zip("ABCD", (1000, 1010, 990, 1005), strict=True)]
    rows += [("K2", v, n) for v, n in zip("ABCD", (1000, 1010, 850, 1005), strict=True)]
    contacts = pd.DataFrame(
        [(test, variant) for test, variant, number in rows for _ in range(number)],
        columns=["campaign_id", "variant"],
    )
    sound, reasons = sound_tests(tests, contacts)
    assert list(sound) == ["K1"]
    assert len(reasons) == 1 and "'K2'" in reasons[0] and "C 850" in reasons[0]
