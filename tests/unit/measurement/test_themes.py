"""Themes by funnel stage: caused, compared like with like, drawn together."""

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import CONTRACTS, FUNNEL
from customer360.measurement.effects import measure_effect
from customer360.measurement.shrinkage import shrink_effects
from customer360.measurement.themes import (
    compare_themes,
    content_priorities,
    theme_contacts,
    theme_effects,
    themes_at_stages,
)
from customer360.measurement_evaluation import themes_covered

DAY = pd.Timestamp("2025-03-03").date()


def _campaigns():
    rows = [("K1", "A", "price", "O1"), ("K1", "B", "status", "O1"), ("K2", "A", "price", None),
            ("K3", "A", "status", "O2"), ("K3", "B", "price", "O3")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["campaign_id", "variant", "theme", "offer_id"])
    return table.assign(image=None)


def _contacts(*, customers=4_000, effects=None, seed=0):
    """Contacts of three campaigns; `effects`: (stage, theme) to the chance of an order it adds."""
    rng = np.random.default_rng(seed)
    campaign = rng.choice(["K1", "K2", "K3"], customers)
    variant = np.where((campaign != "K2") & (rng.random(customers) < 0.5), "B", "A")
    held = rng.random(customers) < 0.3
    people = pd.DataFrame(
        {
            "contact_id": [f"c{n:05d}" for n in range(customers)],
            "customer_id": [f"p{n:05d}" for n in range(customers)],
            "campaign_id": campaign,
            "variant": variant,
            "channel": "email",
            "contacted_on": DAY,
            "held_out": held,
            "sent": ~held,
        }
    )
    flags = ("opened", "machine_opened", "clicked", "hard_bounced", "soft_bounced", "undeliverable")
    more = ("unsubscribed", "complained", "referred", "redeemed")
    people = people.assign(delivered=people["sent"], **dict.fromkeys((*flags, *more), False))
    stages = pd.DataFrame(
        {"customer_id": people["customer_id"], "day": DAY,
         "funnel_stage": rng.choice(["unaware", "loyal"], customers)}
    )  # fmt: skip
    found = theme_contacts(people, stages=stages, campaigns=_campaigns())
    usual = np.where(found["funnel_stage"] == "loyal", 0.3, 0.05)
    pairs = zip(found["funnel_stage"], found["theme"], strict=True)
    effect = np.array([(effects or {}).get(pair, 0.0) for pair in pairs])
    found["orders"] = rng.binomial(1, usual + effect).astype(float)
    found["converted"] = found["orders"] > 0
    found["orders_before"] = rng.poisson(2, customers)
    found["margin_before"] = rng.gamma(2, 20, customers)
    return found, pd.DataFrame({"contact_id": found["contact_id"], "effect": effect})


def test_who_was_held_out_has_no_theme_and_tests_share_offer_and_image():
    contacts, _ = _contacts(customers=300)
    assert contacts.loc[contacts["held_out"], ["theme", "test"]].isna().all(axis=None)
    tests = contacts.groupby("test")["theme"].nunique()
    # K1 varied the theme alone; K3 varied the offer with it.
    assert tests.to_dict() == {"K1 O1 none": 2, "K2 none none": 1, "K3 O2 none": 1, "K3 O3 none": 1}


def test_one_campaign_and_theme_is_the_difference_of_means():
    contacts, _ = _contacts(customers=900)
    contacts = contacts[contacts["campaign_id"] == "K2"]
    for stage, part in contacts.groupby("funnel_stage"):
        cell = theme_effects(contacts).set_index("funnel_stage").loc[stage]
        known = part[["orders_before", "margin_before"]].to_numpy(float)
        usual = measure_effect(part["orders"], part["sent"], before=known)
        # One slope within the arms, as there; rounding of the degrees of freedom apart.
        assert cell["effect"] == pytest.approx(usual.effect, abs=1e-9)
        assert cell["high"] - cell["low"] == pytest.approx(usual.high - usual.low, rel=0.02)
        assert cell["held_out"] == usual.control and cell["tested"] == usual.treated


def test_a_strong_theme_is_found_at_its_stage_only():
    contacts, true = _contacts(customers=6_000, effects={("loyal", "price"): 0.25})
    effects, contrasts = theme_effects(contacts), compare_themes(contacts)
    table = themes_at_stages(effects, contrasts).set_index(["funnel_stage", "theme"])
    sure = table["adjusted_p_value"] <= 0.05
    assert sure[sure].index.tolist() == [("loyal", "price")]
    assert table.index[table["best"]].tolist() == [("loyal", "price")]
    assert table.loc[("loyal", "price"), "rate"] > table.loc[("loyal", "price"), "rate_low"]
    priorities = content_priorities(contrasts, themes=["price", "status"])
    # What was learnt at two stages speaks for the others, with a wider interval.
    known = priorities[priorities["funnel_stage"].isin(["loyal", "unaware"])]
    width = priorities["high"] - priorities["low"]
    assert width.notna().all() and width.drop(known.index).min() > width[known.index].max()
    first = priorities.query("place == 1")
    first = first.set_index("funnel_stage")
    assert first.loc["loyal", "theme"] == "price" and first.loc["loyal", "proven"]
    assert first["proven"].sum() == 1 and list(first.index) == list(FUNNEL)
    covered = themes_covered(table.reset_index(), contacts=contacts, true_contacts=true)
    assert covered["theme_effect_coverage"] >= 0.75
    assert covered["theme_shrunk_rmse"] < 0.1


def test_nothing_is_found_where_nothing_is():
    """Over a dozen worlds without effects, hardly ever a theme is called better."""
    alarms, inside = 0, []
    for seed in range(12):
        contacts, _ = _contacts(customers=1_200, seed=seed)
        effects = theme_effects(contacts)
        alarms += compare_themes(contacts)["best"].any()
        inside.append(((effects["low"] <= 0) & (effects["high"] >= 0)).mean())
    assert alarms <= 2
    assert 0.88 <= np.mean(inside) <= 0.99


def test_without_hold_outs_rates_remain_and_effects_are_unknown():
    contacts, _ = _contacts(customers=400)
    table = theme_effects(contacts[contacts["sent"]])
    assert (table["tested"] == 0).all() and table[["effect", "shrunk"]].isna().all(axis=None)
    assert (table["answered"] > 0).any()


def test_without_themes_tables_are_empty():
    contacts, _ = _contacts(customers=50)
    contacts = contacts.assign(theme=None, test=None)
    contrasts = compare_themes(contacts)
    table = themes_at_stages(theme_effects(contacts), contrasts)
    assert table.empty and content_priorities(contrasts, themes=[]).empty
    assert set(table) == {c.name for c in CONTRACTS["theme_effects"].columns}


def test_vague_cells_are_drawn_to_their_groups():
    groups = pd.DataFrame(
        [(s, t) for s in ("a", "b", "c") for t in ("x", "y", "z")], columns=["stage", "theme"]
    )
    effect = np.array([1.0, 1.1, 0.9, 2.0, 2.1, 1.9, 3.0, 3.1, 9.0])
    error = np.array([0.1] * 8 + [5.0])
    found = shrink_effects(effect, np.diag(error**2), groups)
    assert found["shrunk"].iloc[0] == pytest.approx(1.0, abs=0.1)
    assert found["shrunk"].iloc[8] == pytest.approx(2.9, abs=0.3)
    # A cell never measured gets what its groups say, with an interval; a new group nothing.
    effect[8] = error[8] = np.nan
    found = shrink_effects(effect, np.diag(error**2), groups)
    assert found["shrunk"].iloc[8] == pytest.approx(2.9, abs=0.3)
    assert found["shrunk_high"].iloc[8] > found["shrunk_high"].iloc[7]
    effect[6:] = np.nan
    assert shrink_effects(effect, np.diag(error**2), groups).iloc[6:].isna().all(axis=None)


@pytest.mark.parametrize("own", [0.0, 0.02])
def test_intervals_of_shrunken_effects_hold_the_truth(own):
    """Cells of a stage err together, as those do that share who was held out."""
    rng = np.random.default_rng(3)
    groups = pd.DataFrame([(s, t) for s in "abcde" for t in "wxyz"], columns=["stage", "theme"])
    stage = np.repeat(np.arange(5), 4)
    error = np.array([0.01, 0.01, 0.02, 0.02, 0.05])[stage]
    covariance = np.diag(error**2 / 4) + np.equal.outer(stage, stage) * np.outer(error, error)
    inside, better = [], []
    for _ in range(60):
        truth = rng.normal(0, 0.02, 5)[stage] + np.tile(rng.normal(0, 0.02, 4), 5)
        truth = truth + rng.normal(0, own, 20)
        measured = rng.multivariate_normal(truth, covariance)
        found = shrink_effects(measured, covariance, groups)
        inside.append(((found["shrunk_low"] <= truth) & (truth <= found["shrunk_high"])).mean())
        better.append(((found["shrunk"] - truth) ** 2).mean() < ((measured - truth) ** 2).mean())
    assert 0.90 <= np.mean(inside) <= 0.99
    assert np.mean(better) > 0.5


def test_without_contacts_and_campaigns_nothing_breaks():
    contacts, _ = _contacts(customers=20)
    bare = contacts.drop(columns=["theme", "test", "funnel_stage"])[:0]
    stages = pd.DataFrame(columns=["customer_id", "day", "funnel_stage"])
    found = theme_contacts(bare, stages=stages, campaigns=_campaigns()[:0])
    assert found.empty and theme_effects(found).empty and compare_themes(found).empty
