"""Campaigns as planned, and how strong a message is."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from customer360.contracts import CONTRACTS, arrow_schema, validate_batch
from customer360.worlds.demo import goods
from customer360.worlds.demo.clock import TIME_ZONE, make_clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.messages import (
    CHANNEL_NAMES,
    EMAIL,
    LAPSED,
    LOVERS,
    OFFERS,
    RECENT,
    RESPONSE_DAYS,
    SOCIAL,
    THEMES,
    Campaign,
    campaign_table,
    force,
    make_plan,
    offer_table,
)

CLOCK = make_clock(as_of=date(2025, 12, 31), years=3)


@pytest.fixture(scope="module")
def plan():
    return make_plan(laws=Laws(), clock=CLOCK, rng=np.random.default_rng(0))


def test_forty_campaigns_by_all_channels_inside_the_world(plan):
    assert [c.number for c in plan.campaigns] == list(range(40))
    assert {c.channel for c in plan.campaigns} == set(range(len(CHANNEL_NAMES)))
    for c in plan.campaigns:
        assert 0 < c.start < CLOCK.days - RESPONSE_DAYS
        assert c.start < c.end < CLOCK.days
        assert c.start == CLOCK.open_day[c.start]
        assert 0 < c.held_out_share < 0.5 and 0 < c.share <= 1
        assert len(c.themes) == len(c.images) == len(c.offers) == c.variants
    starts = [c.start for c in plan.campaigns]
    assert starts == sorted(starts) and len(set(starts)) == 40


def test_two_campaigns_are_full_factorials(plan):
    cells = [set(zip(c.images, c.themes, c.offers, strict=True)) for c in plan.campaigns]
    full = [c for c, cell in zip(plan.campaigns, cells, strict=True) if len(cell) == 8]
    assert len(full) == 2
    for c in full:
        assert c.channel == EMAIL and c.variants == 8
        assert [len(set(levels)) for levels in (c.images, c.themes, c.offers)] == [2, 2, 2]
        assert min(c.offers) > 0  # all make an offer, of two depths


@pytest.mark.parametrize(("campaigns", "years"), [(0, 2), (1, 2), (9, 4), (120, 2)])
def test_any_number_of_campaigns_can_be_planned(campaigns, years):
    clock = make_clock(as_of=date(2024, 2, 29), years=years)
    laws = Laws(campaigns=campaigns)
    plan = make_plan(laws=laws, clock=clock, rng=np.random.default_rng(1))
    assert len(plan.campaigns) == campaigns
    assert all(c.start + RESPONSE_DAYS < clock.days for c in plan.campaigns)
    assert campaign_table(plan=plan, clock=clock).num_rows == sum(
        c.variants for c in plan.campaigns
    )
    assert offer_table(plan=plan, clock=clock).num_rows == len(plan.offers)
    assert plan.offer_categories[-1] == -1


def test_goals_say_whom_a_campaign_aims_at(plan):
    for c in plan.campaigns:
        if c.channel == SOCIAL:
            assert c.aim == RECENT
        elif c.goal == 1:
            assert c.aim == LOVERS and c.category >= 0
        elif c.goal == 3:
            assert c.aim == LAPSED
        assert (c.category >= 0) == (c.goal == 1)


def test_tables_keep_their_contracts_and_agree(plan):
    campaigns = campaign_table(plan=plan, clock=CLOCK)
    offers = offer_table(plan=plan, clock=CLOCK)
    for name, table in (("raw.campaigns", campaigns), ("raw.offers", offers)):
        assert table.schema == arrow_schema(CONTRACTS[name])
        validate_batch(CONTRACTS[name], table)
    used, made = campaigns["offer_id"].to_pylist(), offers["offer_id"].to_pylist()
    assert set(used) - {None} == set(made) == set(plan.offer_ids)
    depth = dict(zip(made, offers["depth"].to_pylist(), strict=True))
    numbers = [offer for c in plan.campaigns for offer in c.offers]
    for offer_id, number in zip(used, numbers, strict=True):
        assert (offer_id is None) == (OFFERS[number][1] == 0)
        assert offer_id is None or depth[offer_id] == OFFERS[number][1]
    category = dict(zip(made, offers["category"].to_pylist(), strict=True))
    for offer_id, number in zip(plan.offer_ids, plan.offer_categories[:-1], strict=True):
        assert category[offer_id] == (goods.CATEGORY_NAMES[number] if number >= 0 else None)


def test_an_offer_lasts_to_the_end_of_its_last_day(plan):
    ends = offer_table(plan=plan, clock=CLOCK)["valid_to"].to_pandas()
    paris = ends.dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    assert set(paris.dt.strftime("%H:%M")) == {"23:59"}


# --- force ---


def _traits(n: int, **changed: np.ndarray) -> SimpleNamespace:
    values = {
        "promo": np.full(n, 0.3),
        "theme": np.zeros(n, dtype=int),
        "ear": np.ones((n, len(CHANNEL_NAMES))),
        "taste": np.full((n, len(goods.CATEGORIES)), 1 / len(goods.CATEGORIES)),
    }
    return SimpleNamespace(**{**values, **changed})


def _campaign(channel: int = EMAIL, category: int = -1, **variants: tuple[int, ...]) -> Campaign:
    cells = {"themes": (0,), "images": (0,), "offers": (0,), **variants}
    return Campaign(
        number=0, start=100, end=121, channel=channel, goal=0, category=category, share=0.5,
        held_out_share=0.1, **cells,
    )  # fmt: skip


def _force(traits: SimpleNamespace, campaign: Campaign, variant: list[int]) -> np.ndarray:
    variant_of = np.array(variant)
    person = np.arange(len(variant))
    return force(traits=traits, person=person, campaign=campaign, variant=variant_of)


def test_deeper_offers_are_stronger_and_most_so_for_lovers_of_promotions():
    traits = _traits(4, promo=np.array([0.1, 0.1, 0.9, 0.9]))
    cold, cold_offer, keen, keen_offer = _force(
        traits, _campaign(themes=(0, 0), images=(0, 0), offers=(0, 4)), [0, 1, 0, 1]
    )
    assert cold == keen
    assert keen_offer - keen > 8 * (cold_offer - cold) > 0


def test_themes_images_and_tastes_count():
    belonging = THEMES.index("belonging")
    campaign = _campaign(themes=(belonging,) * 2, images=(0, 1), offers=(0, 0))
    hit, hit_people, miss, miss_people = _force(
        _traits(4, theme=np.array([belonging, belonging, 0, 0])), campaign, [0, 1, 0, 1]
    )
    assert hit / miss == pytest.approx(1.5 / 0.8)
    # A picture of people goes well with this theme, whoever looks at it.
    assert hit_people / hit == pytest.approx(miss_people / miss)
    assert hit_people / hit > 1.5
    taste = np.full((2, len(goods.CATEGORIES)), 0.02)
    taste[1, 3] = 0.8
    cold, warm = _force(_traits(2, taste=taste), _campaign(category=3), [0, 0])
    assert warm > 2 * cold


def test_social_ads_do_nothing():
    assert _force(_traits(3), _campaign(channel=SOCIAL), [0, 0, 0]).tolist() == [0, 0, 0]
