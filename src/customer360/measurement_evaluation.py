"""Do the read-outs keep their promises? Tests simulated where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from customer360.linkage.engine_tables import as_arrow, working_connection
from customer360.measurement.assignment import SampleRatioError, check_sample_ratio
from customer360.measurement.effects import measure_effect
from customer360.measurement.factorial import factorial_effects
from customer360.measurement.sequential import always_valid_interval
from customer360.measurement.subgroups import subgroup_effects
from customer360.measurement.themes import compare_themes, theme_effects

__all__ = [
    "factorial_recovered",
    "interval_coverage",
    "judged_customers",
    "peeking_errors",
    "sample_ratio_rates",
    "subgroups_covered",
    "themes_covered",
]


def judged_customers(*, orders: Any, people_links: Any, traits: Any, uplift: Any) -> pd.DataFrame:
    """People of a simulated world, what they spend unasked, and what messages would cause.

    Parameters
    ----------
    orders : frame
        Contract `staged.orders`.
    people_links, traits, uplift : frame
        Contracts `truth.people_links`, `truth.traits`, `truth.uplift`.

    Returns
    -------
    pandas.DataFrame
        One row per person_id, in its order: margin (currency, of the last two weeks),
        before (of the year before those), margin_per_order, and effect_<offer>_<channel>
        (extra orders) for every message that changes anything.
    """
    with working_connection() as connection:
        for name, table in (
            ("orders", orders), ("links", people_links), ("traits", traits), ("uplift", uplift),
        ):  # fmt: skip
            connection.register(name, as_arrow(table))
        people = connection.execute(
            """
            with spent as (
                select person_id, ordered_on as day, margin, max(ordered_on) over () as last_day
                from orders join links using (source, source_id)
            )
            select t.person_id, any_value(t.margin_per_order) as margin_per_order,
                   coalesce(sum(margin) filter (day > last_day - 14), 0) as margin,
                   coalesce(sum(margin) filter (
                       day <= last_day - 14 and day > last_day - 379), 0) as before
            from traits t left join spent using (person_id) group by t.person_id
            order by t.person_id
            """
        ).df()
        effects = connection.execute("select * from uplift order by person_id, channel").df()
    wide = effects.pivot(index="person_id", columns="channel")
    wide.columns = [f"{offer}_{channel}" for offer, channel in wide.columns]
    return people.join(wide.loc[:, (wide != 0).any()], on="person_id")


def interval_coverage(
    customers: pd.DataFrame,
    *,
    campaigns: int = 500,
    customers_each: tuple[int, int] = (1_000, 4_000),
    control_share: float = 0.2,
    seed: int = 360,
) -> pd.DataFrame:
    """Campaigns drawn from real customers and their true effects, each measured.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer: margin (currency, of two weeks without a message), before
        (margin of the year before those), margin_per_order, and one column `effect_...` per
        kind of message (extra orders that it causes; negative: drives away).
    campaigns : int
    customers_each : (int, int)
        Smallest and largest number of customers of a campaign.
    control_share : float
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per campaign: message, contacted, truth (margin caused, of all contacted),
        incremental, low, high, covered; the same corrected by `before` as sharp_incremental,
        sharp_low, sharp_high, sharp_covered.

    Notes
    -----
    Orders caused or driven away are Poisson with the true effect as mean, and each carries
    the margin of an order of some customer drawn at random, scaled to the customer's own.
    """
    rng = np.random.default_rng(seed)
    messages = sorted(name for name in customers.columns if name.startswith("effect_"))
    base, before = (customers[name].to_numpy(float) for name in ("margin", "before"))
    worth = customers["margin_per_order"].to_numpy(float)
    # How margins of orders scatter about their customer's mean.
    scatter = rng.gamma(2.0, 0.5, 100_000)
    rows = []
    for number in range(campaigns):
        message = messages[rng.integers(len(messages))]
        size = int(rng.integers(*customers_each, endpoint=True))
        who = rng.choice(len(customers), size=min(size, len(customers)), replace=False)
        treated = rng.random(len(who)) >= control_share
        effect = customers[message].to_numpy(float)[who]
        orders = rng.poisson(np.abs(effect)) * np.sign(effect)
        caused = orders * worth[who] * rng.choice(scatter, len(who))
        margin = base[who] + np.where(treated, caused, 0)
        truth = float((effect * worth[who])[treated].sum())
        row: dict[str, Any] = {
            "campaign": number,
            "message": message.removeprefix("effect_"),
            "contacted": int(treated.sum()),
            "truth": truth,
        }
        for prefix, known in (("", None), ("sharp_", before[who])):
            found = measure_effect(margin, treated, before=known)
            low, high = found.low * found.treated, found.high * found.treated
            row |= {
                f"{prefix}incremental": found.effect * found.treated,
                f"{prefix}low": low,
                f"{prefix}high": high,
                f"{prefix}covered": low <= truth <= high,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def peeking_errors(
    outcome: np.ndarray,
    *,
    tests: int = 1_000,
    days: int = 28,
    customers_a_day: int = 200,
    treated_share: float = 0.5,
    seed: int = 360,
) -> dict[str, float]:
    """Tests without any effect, looked at every day: how often each method cries victory.

    Parameters
    ----------
    outcome : array of float
        Of real customers who were not contacted; both arms are drawn from them.
    tests, days, customers_a_day : int
    treated_share : float
    seed : int

    Returns
    -------
    dict
        always_valid (share of tests stopped at any look), fixed_at_the_end (the usual
        interval, looked at once), fixed_peeking (the same, looked at daily).
    """
    rng = np.random.default_rng(seed)
    n = days * customers_a_day
    ends = np.arange(1, days + 1) * customers_a_day
    stopped = np.zeros(3)
    for _ in range(tests):
        y = rng.choice(outcome, n)
        treated = rng.random(n) < treated_share
        y = y - np.r_[0.0, np.cumsum(y)[:-1]] / np.maximum(np.arange(n), 1)
        score = np.where(treated, y / treated_share, -y / (1 - treated_share))
        mean = (np.cumsum(score) / np.arange(1, n + 1))[ends - 1]
        variance = (np.cumsum(score**2) / np.arange(1, n + 1))[ends - 1] - mean**2
        low, high = always_valid_interval(mean, variance, ends, best_at=n / 2)
        half = 1.959964 * np.sqrt(variance / ends)
        beyond = np.abs(mean) > half
        stopped += [((low > 0) | (high < 0)).any(), beyond[-1], beyond.any()]
    share = stopped / tests
    return {
        "always_valid": float(share[0]),
        "fixed_at_the_end": float(share[1]),
        "fixed_peeking": float(share[2]),
    }


def sample_ratio_rates(
    *,
    customers_an_arm: int = 5_000,
    lost: tuple[float, float] = (0.1, 0.2),
    cases: int = 2_000,
    seed: int = 360,
) -> dict[str, float]:
    """How often lost people of an arm are noticed, and sound tests stopped.

    Parameters
    ----------
    customers_an_arm : int
    lost : (float, float)
        Share of one arm that gets lost: from, to.
    cases : int
        Of each kind.
    seed : int

    Returns
    -------
    dict
        detection, false_alarm: shares.
    """
    rng = np.random.default_rng(seed)
    shares = {"control": 0.5, "treated": 0.5}

    def stops(arms: np.ndarray) -> bool:
        try:
            check_sample_ratio(dict(zip(shares, map(int, arms), strict=True)), shares=shares)
        except SampleRatioError:
            return True
        return False

    drawn = rng.multinomial(2 * customers_an_arm, list(shares.values()), size=(2, cases))
    kept = drawn[1].copy()
    kept[:, 1] = rng.binomial(kept[:, 1], 1 - rng.uniform(*lost, cases))
    return {
        "detection": float(np.mean([stops(arms) for arms in kept])),
        "false_alarm": float(np.mean([stops(arms) for arms in drawn[0]])),
    }


def factorial_recovered(
    effects: pd.DataFrame,
    *,
    sent: pd.DataFrame,
    tests: Mapping[str, Mapping[str, tuple[str, str]]],
    true_contacts: pd.DataFrame,
) -> pd.DataFrame:
    """Effects of factors as measured, beside those of the true effects of the same contacts.

    Parameters
    ----------
    effects : pandas.DataFrame
        From `factorial_effects`, with a column test.
    sent : pandas.DataFrame
        The contacts they were measured on: contact_id, campaign_id and the factors.
    tests : dict
        From `factorial_tests`.
    true_contacts : pandas.DataFrame
        Contract `truth.contacts`.

    Returns
    -------
    pandas.DataFrame
        `effects` with truth and covered.
    """
    known = sent.merge(true_contacts[["contact_id", "effect"]], on="contact_id")
    parts = []
    for test, factors in tests.items():
        rows = known[known["campaign_id"] == test]
        true = factorial_effects(rows, outcome="effect", factors=factors, order=len(factors))
        parts.append(true[["term", "effect"]].rename(columns={"effect": "truth"}).assign(test=test))
    found = effects.merge(pd.concat(parts), on=["test", "term"])
    return found.assign(covered=found["truth"].between(found["low"], found["high"]))


def themes_covered(
    effects: pd.DataFrame, *, contacts: pd.DataFrame, true_contacts: pd.DataFrame
) -> dict[str, float]:
    """How many of the intervals by theme and stage hold the truth.

    Parameters
    ----------
    effects : pandas.DataFrame
        Contract `theme_effects`.
    contacts : pandas.DataFrame
        From `themes.theme_contacts`: what they were measured on.
    true_contacts : pandas.DataFrame
        Contract `truth.contacts`.

    Returns
    -------
    dict
        theme_effect_coverage, theme_shrunk_coverage, theme_advantage_coverage: shares of
        the cells measured; theme_effect_rmse, theme_shrunk_rmse: orders a contact.
    """
    known = contacts.merge(true_contacts[["contact_id", "effect"]], on="contact_id")
    # What would have happened anyway is the same in all arms: only the effect is left.
    known["effect"] = known["effect"].where(known["sent"], 0.0)
    true = theme_effects(known, outcome="effect", before=())
    fair = compare_themes(known, outcome="effect", before=())
    found: dict[str, float] = {}
    for name, truth, ends in (
        ("effect", true, ("low", "high")),
        ("shrunk", true, ("shrunk_low", "shrunk_high")),
        ("advantage", fair, ("advantage_low", "advantage_high")),
    ):
        cells = effects.merge(
            truth[["funnel_stage", "theme", "effect"]].rename(columns={"effect": "truth"}),
            on=["funnel_stage", "theme"],
        ).dropna(subset=["truth", name])
        inside = cells["truth"].between(cells[ends[0]], cells[ends[1]])
        found[f"theme_{name}_coverage"] = float(inside.mean())
        if truth is true:
            found[f"theme_{name}_rmse"] = float(((cells[name] - cells["truth"]) ** 2).mean() ** 0.5)
    return found


def subgroups_covered(
    effects: pd.DataFrame,
    *,
    outcomes: pd.DataFrame,
    true_contacts: pd.DataFrame,
    **declared: Any,
) -> float:
    """Share of the declared groups whose interval holds the true difference.

    Parameters
    ----------
    effects : pandas.DataFrame
        Contract `subgroup_effects`.
    outcomes : pandas.DataFrame
        What they were measured on.
    true_contacts : pandas.DataFrame
        Contract `truth.contacts`.
    **declared
        As `subgroup_effects` had it: moments, campaigns, offers, subgroups.

    Returns
    -------
    float
        Of those that are read; their 95 % interval of inside less outside.
    """
    known = outcomes.merge(true_contacts[["contact_id", "effect"]], on="contact_id")
    # What would have happened anyway is the same in all arms: only the effect is left.
    known["effect"] = known["effect"].where(known["sent"], 0.0)
    true = subgroup_effects(known, outcome="effect", before=(), **declared)
    cells = effects.assign(truth=true["difference"].to_numpy(float)).dropna(subset=["difference"])
    return float(cells["truth"].between(cells["difference_low"], cells["difference_high"]).mean())
