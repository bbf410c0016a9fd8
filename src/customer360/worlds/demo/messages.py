"""Campaigns as planned, and what a message does to the person it reaches.

A message adds purchases within two weeks to those it pulls, takes coming purchases away
from those it pushes, and tires everyone: for person i, campaign c and variant v,

    effect = pull_i * force(i, c, v) * exp(-fatigue_effect * F_i) - push_i * E[purchases]

where F counts the messages of the last weeks and E[purchases] is what the person would
have bought in the two weeks, on days that no earlier message has spoilt already. Social
ads have no effect at all: they are shown to those who buy anyway, which only a hold-out
can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.contracts import CONTRACTS, arrow_schema
from customer360.worlds.demo import goods
from customer360.worlds.demo.clock import Clock
from customer360.worlds.demo.laws import Laws
from customer360.worlds.demo.text import concat, digits, pick
from customer360.worlds.demo.traits import Traits

__all__ = [
    "CHANNEL_NAMES",
    "CONSENT_OF",
    "COST",
    "OFFERS",
    "RESPONSE_DAYS",
    "THEMES",
    "VARIANTS",
    "Campaign",
    "Plan",
    "campaign_table",
    "force",
    "make_plan",
    "offer_table",
]

RESPONSE_DAYS = 14
EMAIL, SMS, PHONE, POST, SOCIAL, BANNER = range(6)
CHANNEL_NAMES = ("email", "sms", "phone", "post", "social", "web")
COST = (0.02, 0.06, 3.50, 0.85, 0.03, 0.004)
FORCE = (0.9, 1.1, 1.8, 1.4, 0.0, 0.5)
# Which consent a channel needs: a column of `Traits.consent`, -1 for none.
CONSENT_OF = (0, 1, 2, 3, 0, -1)
# Order of the campaigns' channels, repeated.
CHANNEL_PLAN = (
    EMAIL, SMS, EMAIL, BANNER, EMAIL, POST, EMAIL, EMAIL, SOCIAL, EMAIL,
    SMS, EMAIL, PHONE, EMAIL, BANNER, EMAIL, POST, EMAIL, SMS, SOCIAL,
)  # fmt: skip
GOALS = ("conversion", "cross_sell", "retention", "win_back")
# Whom a campaign of each goal aims at: everyone, lovers of a category, recent, lapsed buyers.
EVERYONE, LOVERS, RECENT, LAPSED = range(4)
THEMES = ("function", "price", "belonging", "status")
IMAGES = ("product", "people")
VARIANTS = "ABCDEFGH"
# Kind, depth, margin that must be left.
OFFERS = (
    ("none", 0.0, 0.0),
    ("gift", 0.05, 0.15),
    ("percent", 0.10, 0.15),
    ("percent", 0.20, 0.10),
    ("percent", 0.30, 0.05),
    ("amount", 0.12, 0.15),
)
OFFER_SHARE = (0.20, 0.10, 0.25, 0.20, 0.10, 0.15)
TARGETED_SHARE, FACTORIAL_SHARE, PHONE_SHARE = 0.50, 0.85, 0.12
HELD_OUT_SHARE, FACTORIAL_HELD_OUT_SHARE = 0.12, 0.20
WAVE, WAVE_STEP_DAYS = 4, 6
THEME_HIT, THEME_MISS = 1.5, 0.8
IMAGE_FORCE = (1.0, 1.2)
PEOPLE_BELONG = 1.3  # the picture of people goes well with the theme of belonging
#: What a message may show.
CONTENTS = tuple((theme, image) for theme in THEMES for image in IMAGES)


@dataclass(frozen=True)
class Campaign:
    """A campaign as planned: days, and numbers into the lists above.

    `themes`, `images` and `offers` have one entry per variant.
    """

    number: int
    start: int
    end: int
    channel: int
    goal: int
    category: int
    share: float
    held_out_share: float
    themes: tuple[int, ...]
    images: tuple[int, ...]
    offers: tuple[int, ...]

    @property
    def aim(self) -> int:
        if self.channel == SOCIAL:
            return RECENT
        return (EVERYONE, LOVERS, EVERYONE, LAPSED)[self.goal]

    @property
    def variants(self) -> int:
        return len(self.themes)


@dataclass(frozen=True)
class Plan:
    """All campaigns, and the offers they make, numbered.

    Attributes
    ----------
    campaigns : tuple of Campaign
    offers : tuple of (campaign, offer)
        Numbers of the campaign and of its kind in `OFFERS`; an offer's own number is its
        place here. Campaigns without an offer have none.
    """

    campaigns: tuple[Campaign, ...]
    offers: tuple[tuple[int, int], ...]

    def offer_numbers(self, campaign: Campaign) -> np.ndarray:
        """Number of the offer of each variant, -1 for none."""
        known = {pair: number for number, pair in enumerate(self.offers)}
        return np.array([known.get((campaign.number, offer), -1) for offer in campaign.offers])

    @property
    def offer_ids(self) -> list[str]:
        return [f"OFF{number + 1:03d}" for number in range(len(self.offers))]

    @property
    def offer_categories(self) -> np.ndarray:
        """Category each offer bears on, -1 for all; one more entry for no offer at all."""
        return np.array([*(self.campaigns[number].category for number, _ in self.offers), -1])


def make_plan(*, laws: Laws, clock: Clock, rng: np.random.Generator) -> Plan:
    """Plan the campaigns: two are full factorials of image, theme and offer."""
    count = laws.campaigns
    # Campaigns come in waves, four within three weeks: that is when people tire.
    waves = -(-count // WAVE)
    gap = (clock.days - 80) / max(waves - 1, 1)
    factorial = {round(count * 0.45), round(count * 0.75)} if count >= 8 else set()
    campaigns = []
    for number in range(count):
        start = int(clock.open_day[int(20 + number // WAVE * gap + number % WAVE * WAVE_STEP_DAYS)])
        channel = EMAIL if number in factorial else CHANNEL_PLAN[number % len(CHANNEL_PLAN)]
        goal, category = int(rng.integers(0, 4)), int(rng.integers(0, len(goods.CATEGORIES)))
        theme, offer = int(rng.integers(0, 4)), int(rng.choice(len(OFFERS), p=OFFER_SHARE))
        other = (theme + 1 + int(rng.integers(0, 3))) % 4
        if number in factorial:
            cells = [(i, t, o) for i in (0, 1) for t in (1, 2) for o in (2, 3)]
            images, themes, offers = (tuple(column) for column in zip(*cells, strict=True))
            goal = 0
        elif channel == BANNER:
            images, themes, offers = (0, 0, 1, 1), (0, 1, 2, 3), (0, 2, 3, 1)
        elif channel == EMAIL and number % 5 == 2:
            images, themes, offers = (0, 0, 0), (theme,) * 3, (2, 3, 4)
        elif channel == EMAIL and number % 3 == 0:
            images, themes, offers = (0, 0), (theme, other), (offer, offer)
        else:
            images, themes, offers = (0,), (theme,), (offer,)
        campaigns.append(
            Campaign(
                number=number,
                start=start,
                end=min(start + 21, clock.days - 1),
                channel=channel,
                goal=goal,
                category=category if goal == 1 else -1,
                share=FACTORIAL_SHARE if number in factorial
                else PHONE_SHARE if channel == PHONE else TARGETED_SHARE,
                held_out_share=FACTORIAL_HELD_OUT_SHARE if number in factorial
                else HELD_OUT_SHARE,
                themes=themes,
                images=images,
                offers=offers,
            )
        )  # fmt: skip
    offers_made = sorted({(c.number, o) for c in campaigns for o in c.offers if OFFERS[o][1] > 0})
    return Plan(campaigns=tuple(campaigns), offers=tuple(offers_made))


def offer_force(*, depth: np.ndarray | float, promo: np.ndarray) -> np.ndarray:
    """Force that a reduction of some depth adds, more for those who love promotions."""
    return 0.6 + 2.4 * promo * depth / (depth + 0.12)


def force(
    *, traits: Traits, person: np.ndarray, campaign: Campaign, variant: np.ndarray
) -> np.ndarray:
    """Force of a campaign's message on each person; 1 is a usual one."""
    depth = np.array([OFFERS[offer][1] for offer in campaign.offers])[variant]
    theme = np.array(campaign.themes)[variant]
    image = np.array(campaign.images)[variant]
    strength = FORCE[campaign.channel] * traits.ear[person, campaign.channel]
    strength = strength * offer_force(depth=depth, promo=traits.promo[person])
    strength *= np.where(theme == traits.theme[person], THEME_HIT, THEME_MISS)
    strength *= np.array(IMAGE_FORCE)[image]
    strength *= np.where((image == 1) & (theme == THEMES.index("belonging")), PEOPLE_BELONG, 1.0)
    if campaign.category >= 0:
        liking = traits.taste[person, campaign.category] * len(goods.CATEGORIES)
        strength *= np.clip(liking**0.4, 0.6, 1.8)
    return strength


def campaign_table(*, plan: Plan, clock: Clock) -> pa.Table:
    """Campaigns and their variants, in the contract `raw.campaigns`."""
    rows = [
        (c.number, v, c.goal, c.themes[v], c.images[v], c.channel, c.start, c.end, offer)
        for c in plan.campaigns
        for v, offer in enumerate(plan.offer_numbers(c))
    ]
    number, variant, goal, theme, image, channel, start, end, offer = (
        np.array(rows, dtype=np.int64).reshape(-1, 9).T
    )
    columns = {
        "campaign_id": concat("CAMP", digits(number + 1, 2)),
        "variant": pick(tuple(VARIANTS), variant),
        "goal": pick(GOALS, goal),
        "offer_id": pick(plan.offer_ids, offer),
        "theme": pick(THEMES, theme),
        "image": pick(IMAGES, image),
        "channel": pick(CHANNEL_NAMES, channel),
        "cost_per_contact": np.array(COST)[channel],
        "started_at": clock.at(start, np.full(len(rows), 540.0)),
        "ended_at": clock.at(end, np.full(len(rows), 1200.0)),
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.campaigns"]))


def offer_table(*, plan: Plan, clock: Clock) -> pa.Table:
    """Offers made, in the contract `raw.offers`."""
    made = pd.DataFrame(plan.offers, columns=["campaign", "offer"], dtype="int64")
    campaign = [plan.campaigns[number] for number in made["campaign"]]
    offer = made["offer"].to_numpy()
    morning, midnight = np.full(len(made), 540.0), np.full(len(made), 1439.0)
    columns = {
        "offer_id": pa.array(plan.offer_ids, pa.string()),
        "category": pick(goods.CATEGORY_NAMES, np.array([c.category for c in campaign], int)),
        "kind": pick([kind for kind, *_ in OFFERS], offer),
        "depth": np.array([depth for _, depth, _ in OFFERS])[offer],
        "valid_from": clock.at(np.array([c.start for c in campaign], int), morning),
        "valid_to": clock.at(np.array([c.end for c in campaign], int), midnight),
        "min_margin": np.array([least for *_, least in OFFERS])[offer],
    }
    return pa.table(columns, schema=arrow_schema(CONTRACTS["raw.offers"]))
