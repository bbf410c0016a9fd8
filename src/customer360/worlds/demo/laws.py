"""The laws of behaviour that a study or a test may change, each with its unit and source.

Whatever is a matter of writing (how records are typed, which words are used) stands as
a constant in the module that needs it; what drives purchases, leaving and answers to
messages stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Laws"]


# Chosen so that the marginals fall between two real shops.
BETWEEN = "between CDNOW and The Complete Journey, `benchmarks/world_marginals.py`"


def _law(default: Any, unit: str, about: str, source: str = "chosen") -> Any:
    return field(default=default, metadata={"unit": unit, "about": about, "source": source})


@dataclass(frozen=True, kw_only=True)
class Laws:
    """Parameters of behaviour; `docs/demo_world.md` lists them with their equations.

    Examples
    --------
    A world in which the assumptions of buy-till-you-die models hold exactly:

    >>> plain = Laws(seasons=False, cyclic_share=0, big_share=0, misfortune=0, campaigns=0)
    """

    seasons: bool = _law(True, "", "shopping follows months and weekdays")
    buyer_share: float = _law(0.80, "share of people", "people who buy at all")
    cyclic_share: float = _law(0.12, "share of buyers", "come once a year, in their season")
    big_share: float = _law(0.08, "share of the others", "big customers")
    known_before_share: float = _law(0.35, "share of people", "joined before the world begins")
    long_gone_share: float = _law(0.12, "share of those", "left before the world begins")
    rate_shape: float = _law(0.7, "", "shape of the gamma law of purchase rates", BETWEEN)
    rate_mean: float = _law(6.0, "purchases a year", "mean purchase rate while active", BETWEEN)
    big_rate: float = _law(2.6, "ratio", "how much more often big customers buy")
    big_spend: float = _law(1.6, "ratio", "how much dearer big customers choose")
    hazard_shape: float = _law(0.5, "", "shape of the gamma law of leaving hazards", BETWEEN)
    hazard_mean: float = _law(1.2, "a year", "mean hazard of newcomers, all being well", BETWEEN)
    cyclic_hazard: float = _law(0.06, "a year", "the same for cyclic customers")
    misfortune: float = _law(1.0, "ratio", "how often things go wrong, against the shares given")
    leaving_effect: float = _law(0.75, "log hazard a point", "dissatisfaction on leaving")
    thinning_effect: float = _law(0.15, "log rate a point", "dissatisfaction on buying")
    trading_down: float = _law(0.30, "log level a point", "dissatisfaction on price level")
    elasticity_mean: float = _law(1.2, "% a %", "mean price elasticity of demand")
    campaigns: int = _law(40, "campaigns", "campaigns over the years of the world")
    pull_most: float = _law(0.30, "purchases", "most that a message of force 1 can add")
    push_most: float = _law(0.55, "probability", "largest share of purchases it can drive away")
    fatigue_effect: float = _law(0.45, "log force a message", "recent messages on the next")
    fatigue_days: float = _law(30.0, "days", "time in which a message is forgotten, by a factor e")
    pressure_limit: float = _law(1.5, "messages", "recent messages beyond which the next annoys")
    redeemed: float = _law(0.15, "share of orders", "would come anyway, and use an open offer")
    redeemed_by_lovers: float = _law(0.50, "share of orders", "love of promotions adds")
