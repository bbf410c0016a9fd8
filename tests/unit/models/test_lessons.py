from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.models.lessons import Lessons, best_contents, learn_lessons, offer_priors

THEMES, IMAGES, CHANNELS = ["price", "status"], ["people", "product"], ["email", "sms"]
UNTAUGHT = Lessons.untaught(themes=THEMES, images=IMAGES, channels=CHANNELS)


def contacts(number: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Contacts, their signals, and what a response model would tell of them."""
    rng = np.random.default_rng(seed)
    said = pd.DataFrame(
        {
            "theme": rng.choice(THEMES, number),
            "image": rng.choice(IMAGES, number),
            "channel": rng.choice(CHANNELS, number),
            "kind": None,
            "depth": rng.choice([0.0, 0.2], number),
            "treated": rng.random(number) < 0.9,
        }
    )
    signals = pd.DataFrame({"promotions": rng.normal(size=number), "age": rng.normal(size=number)})
    told = pd.DataFrame(
        {
            "without": rng.gamma(2.0, 0.05, number),
            "pull": rng.gamma(2.0, 0.05, number),
            "push": 0.1,
            "use": 0.3,
        }
    )
    return said, signals, told


def answer(said, signals, told, *, seed: int, level: float = 1.0) -> pd.DataFrame:
    """The world: price does twice as much, more so for lovers of promotions; sms does half."""
    rng = np.random.default_rng(seed)
    price = (said["theme"] == "price").to_numpy()
    factor = np.exp(price * (np.log(2) + 0.3 * signals["promotions"]))
    factor = factor * np.where(said["channel"] == "sms", 0.5, 1.0)
    sent = said["treated"].to_numpy()
    coupon = sent & (said["depth"] > 0).to_numpy()
    kept = rng.poisson(level * told["without"] * (1 - told["push"] * sent))
    extra = rng.poisson(told["pull"] * factor * sent)
    used = rng.binomial(kept, np.where(coupon, told["use"], 0.0)) + extra * coupon
    return said.assign(orders=(kept + extra).astype(float), redeemed=used.astype(float))


def taught(number: int = 60_000, seed: int = 1) -> Lessons:
    said, signals, told = contacts(number, seed)
    answered = answer(said, signals, told, seed=seed + 1)
    return learn_lessons(UNTAUGHT, contacts=answered, signals=signals, told=told)


def ratio(lessons: Lessons, first: dict, second: dict, promotions: float = 0.0) -> float:
    said = pd.DataFrame([first, second]).assign(kind=None, depth=0.0)
    signals = pd.DataFrame({"promotions": [promotions] * 2, "age": 0.0})
    factors = lessons.factor(said, signals)["factor"]
    return factors[0] / factors[1]


def test_the_law_of_the_world_is_found():
    lessons = taught()
    price = {"theme": "price", "image": "people", "channel": "email"}
    status, by_sms = price | {"theme": "status"}, price | {"channel": "sms"}
    assert ratio(lessons, price, status) == pytest.approx(2.0, rel=0.15)
    assert ratio(lessons, by_sms, price) == pytest.approx(0.5, rel=0.15)
    assert ratio(lessons, price, status, promotions=1.0) == pytest.approx(2 * np.exp(0.3), rel=0.2)
    assert lessons.contacts == pytest.approx(54_000, rel=0.02)


def test_two_months_teach_what_both_at_once_would():
    said, signals, told = contacts(40_000, 5)
    answered = answer(said, signals, told, seed=6)
    known = {"contacts": answered, "signals": signals, "told": told}
    whole = learn_lessons(UNTAUGHT, **known)
    first = learn_lessons(UNTAUGHT, **{name: t[:20_000] for name, t in known.items()})
    both = learn_lessons(first, **{name: t[20_000:] for name, t in known.items()})
    assert both.contacts == whole.contacts
    for name, weight in whole.weights.items():
        assert both.weights[name] == pytest.approx(weight, abs=0.02)
    assert np.diag(both.covariance) == pytest.approx(np.diag(whole.covariance), rel=0.1)
    learnt = whole.describe(said, signals).std(axis=0) > 0
    assert (np.diag(both.covariance) < np.diag(first.covariance))[learnt].all()


def test_the_level_of_the_shop_is_no_lesson():
    said, signals, told = contacts(60_000, 7)
    known = {"signals": signals, "told": told}
    answers = (answer(said, signals, told, seed=8, level=level) for level in (1.0, 2.0))
    usual, busy = (learn_lessons(UNTAUGHT, contacts=answered, **known) for answered in answers)
    for name, weight in usual.weights.items():
        assert busy.weights[name] == pytest.approx(weight, abs=0.1)


def test_untaught_factors_are_one_and_few_contacts_teach_little():
    said, signals, told = contacts(50, 9)
    assert (UNTAUGHT.factor(said, signals)["factor"] == 1).all()
    assert (UNTAUGHT.factor(said, signals)["error"] > 0.3).all()
    answered = answer(said, signals, told, seed=1)
    few = learn_lessons(UNTAUGHT, contacts=answered, signals=signals, told=told).table()
    assert few["factor"].between(0.75, 1.35).all()
    assert (few["low"] < 1).all() and (few["high"] > 1).all()


def test_each_customer_gets_the_content_that_moves_it_most():
    lessons = taught()
    signals = pd.DataFrame({"promotions": [3.0, -4.0], "age": [0.0, 0.0]}, index=[7, 9])
    found = best_contents(lessons, signals)
    assert found.index.tolist() == [7, 9]
    assert found["theme"].tolist() == ["price", "status"]
    for theme in THEMES:
        for image in IMAGES:
            said = pd.DataFrame({"theme": theme, "image": image}, index=signals.index)
            other = lessons.factor(said.assign(channel="", kind="", depth=0.0), signals)
            assert (found["factor"] >= other["factor"] - 1e-12).all()


def test_offers_are_drawn_to_what_their_results_say():
    offers = pd.DataFrame(
        {"channel": ["email", "sms"], "offer": "percent_20", "kind": "percent", "depth": 0.2}
    )
    found = offer_priors(taught(), offers).set_index("channel")
    assert found.loc["sms", "factor"] == pytest.approx(0.5 * found.loc["email", "factor"], rel=0.15)
    assert (found["low"] < found["factor"]).all() and (found["factor"] < found["high"]).all()
    wide = offer_priors(UNTAUGHT, offers)
    assert (wide["factor"] == 1).all() and (wide["high"] / wide["low"] > 3).all()


def test_learning_is_deterministic():
    assert taught(5_000).weights == taught(5_000).weights


def test_lessons_are_kept(tmp_path):
    lessons = taught(5_000)
    lessons.save(tmp_path)
    found = Lessons.load(tmp_path)
    assert found.table().equals(lessons.table())
    assert (found.covariance == lessons.covariance).all()
