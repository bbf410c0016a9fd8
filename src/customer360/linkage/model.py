"""How much each level of agreement weighs, learned from the data without any label.

The model is that of Fellegi and Sunter (1969), trained by expectation maximisation, with
a third kind of pair beside *one person* and *strangers*: *two people of one household*.
Spouses, or a father and his son, share family name, address, telephone and often an
e-mail, so that a model which knows strangers only merges them on the strength of
evidence that a household gives for free. Here such a pair is compared with the right
alternative, and the personal facts (first name, birth date, civility) decide.

Shares ``u`` among strangers come from a random sample of pairs; shares ``m`` (one person)
and ``household`` are estimated on the candidate pairs, counted by pattern of agreement,
the pairs that no blocking rule proposes being strangers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from customer360.linkage.comparisons import Comparison
from customer360.linkage.records import LinkageError

__all__ = ["LevelShares", "LinkageModel", "check_trained", "train"]

# What is believed before the data speak weighs as much as this many pairs.
PRIOR_PAIRS = 20.0
# The same for strangers, who are many: all pairs of two hundred records, and the one
# person and the household that are usually among them.
PRIOR_STRANGERS = 20_000.0
PRIOR_ONE_PERSON, PRIOR_HOUSEHOLD = 2.0, 1.0
# What tells people apart who share everything else.
TELLING = frozenset({"first_name", "birth_date"})
MOST_ITERATIONS = 300
CONVERGENCE = 1e-7
SMALLEST_SHARE = 1e-9


@dataclass
class LevelShares:
    """Shares of one level among the three kinds of pairs.

    Attributes
    ----------
    value : int
        Code of the level in the comparison vector; 0 is the last rung.
    m, u, household : float or None
        Share among pairs of one person, strangers, and people of one household. None
        means untrained.
    m_from, u_from : {"data", "prior"}
        Whether pairs showed it, or the value is what was believed before.
    """

    value: int
    label: str
    rarity: str | None
    m: float | None
    u: float | None
    household: float | None
    m_from: str = "prior"
    u_from: str = "data"
    pairs_expected: float = 0.0

    @property
    def match_weight(self) -> float:
        """Evidence for one person against strangers, in bits; 0 when untrained."""
        return _bits(self.m, self.u)

    @property
    def household_weight(self) -> float:
        """Evidence for one person against two people of one household, in bits."""
        return _bits(self.m, self.household)


def _bits(share: float | None, other: float | None) -> float:
    return math.log2(share / other) if share and other else 0.0


@dataclass
class LinkageModel:
    """All that is needed to score a pair of records.

    Attributes
    ----------
    one_person, household : float
        Probability that two records drawn at random are one person, or two people of
        one household.
    comparisons : dict
        Comparison name to its levels, last rung first.
    kinds, about : dict
        Comparison name to "personal" or "shared", and to words.
    records_a_person : float
        Records of one person, which say nothing of how often strangers bear a value.
    """

    one_person: float
    household: float
    comparisons: dict[str, list[LevelShares]]
    kinds: dict[str, str]
    about: dict[str, str]
    records_a_person: float = 1.0
    iterations: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The model as JSON-able values."""
        return {
            "probability_one_person": self.one_person,
            "probability_household": self.household,
            "records_a_person": self.records_a_person,
            "iterations": self.iterations,
            "comparisons": [
                {
                    "name": name,
                    "about": self.about[name],
                    "kind": self.kinds[name],
                    "levels": [
                        {
                            "value": level.value,
                            "label": level.label,
                            "rarity": level.rarity,
                            "m": level.m,
                            "u": level.u,
                            "household": level.household,
                            "match_weight": level.match_weight,
                            "m_from": level.m_from,
                            "u_from": level.u_from,
                            "pairs_expected": level.pairs_expected,
                        }
                        for level in reversed(levels)
                    ],
                }
                for name, levels in self.comparisons.items()
            ],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LinkageModel:
        """The model that `as_dict` wrote."""
        comparisons: dict[str, list[LevelShares]] = {}
        for entry in values["comparisons"]:
            levels = [
                LevelShares(
                    value=int(lv["value"]),
                    label=lv["label"],
                    rarity=lv.get("rarity"),
                    m=lv.get("m"),
                    u=lv.get("u"),
                    household=lv.get("household"),
                    m_from=lv.get("m_from", "data"),
                    u_from=lv.get("u_from", "data"),
                    pairs_expected=lv.get("pairs_expected", 0.0),
                )
                for lv in entry["levels"]
            ]
            comparisons[entry["name"]] = sorted(levels, key=lambda level: level.value)
        return cls(
            one_person=values["probability_one_person"],
            household=values["probability_household"],
            comparisons=comparisons,
            kinds={entry["name"]: entry["kind"] for entry in values["comparisons"]},
            about={entry["name"]: entry["about"] for entry in values["comparisons"]},
            records_a_person=values.get("records_a_person", 1.0),
            iterations=values.get("iterations", 0),
        )


def check_trained(model: LinkageModel) -> None:
    """Refuse a model with a level that nothing was learned about.

    Raises
    ------
    LinkageError
        Naming the comparison, the level and the share that is missing.
    """
    for name, levels in model.comparisons.items():
        for level in levels:
            for share in ("m", "u", "household"):
                value = getattr(level, share)
                if value is None or not math.isfinite(value) or not 0 < value <= 1:
                    raise LinkageError(
                        f"level {level.label!r} of {model.about.get(name, name)} is untrained: "
                        f"its share {share} is {value}. Train on all the records (match_people "
                        "without a model), or leave the column out of the people table"
                    )
    if not 0 < model.one_person < 1 or not 0 <= model.household < 1:
        raise LinkageError(
            "the model has no prior probability of a match: train it on all the records"
        )


def start(
    comparisons: Sequence[Comparison],
    *,
    sampled: Mapping[str, Sequence[float | None]],
    pairs_sampled: float,
) -> LinkageModel:
    """The model before the data speak of matches.

    Parameters
    ----------
    comparisons : sequence of Comparison
    sampled : mapping
        Comparison name to the shares of its levels in a random sample of pairs, last
        rung first; None where no pair of the sample showed the level.
    pairs_sampled : float
    """
    model = LinkageModel(0.5, 0.0, {}, {}, {})
    for comparison in comparisons:
        ladder = list(reversed(comparison.levels))
        believed = [level.u for level in ladder]
        believed[0] = 1.0 - sum(believed[1:])
        shares = sampled[comparison.name]
        levels = []
        for value, level in enumerate(ladder):
            share = shares[value]
            # A rare agreement is counted later where it can be; the sample is too small.
            if level.counted_by:
                u = believed[value]
            else:
                pairs = (share or 0.0) * pairs_sampled + believed[value] * PRIOR_STRANGERS
                u = pairs / (pairs_sampled + PRIOR_STRANGERS)
            if share is None:
                u = max(u, min(0.5 / max(pairs_sampled, 1.0), believed[value]))
            u = _short(max(u, SMALLEST_SHARE))
            levels.append(
                LevelShares(
                    value=value,
                    label=level.label,
                    rarity=level.rarity,
                    m=level.m,
                    u=u,
                    household=u if level.household is None else level.household,
                    u_from="prior" if share is None else "data",
                )
            )
        _scale(levels, "m")
        _scale(levels, "household")
        model.comparisons[comparison.name] = levels
        model.kinds[comparison.name] = comparison.kind
        model.about[comparison.name] = comparison.about
    return model


def _short(value: float) -> float:
    """Ten digits: far more than the data can tell, and the same on every machine."""
    return float(f"{value:.10g}")


def _scale(levels: list[LevelShares], share: str) -> None:
    total = sum(getattr(level, share) for level in levels)
    for level in levels:
        setattr(level, share, max(getattr(level, share) / total, SMALLEST_SHARE))


def train(
    model: LinkageModel,
    patterns: pd.DataFrame,
    *,
    records: int,
    pairs_sampled: float,
    filled: Mapping[str, int],
    counted: Collection[tuple[str, int]] = (),
) -> LinkageModel:
    """Estimate m, household and the prior by expectation maximisation.

    Parameters
    ----------
    model : LinkageModel
        From `start`; changed in place and returned.
    patterns : pandas.DataFrame
        One row per pattern of agreement: a code a comparison (-1 not known),
        `rarity_personal` and `rarity_shared` (bits that the rarity of what agrees adds,
        rounded) and `pairs`.
    records : int
        Records linked; pairs that are no candidates are strangers.
    pairs_sampled : float
        Pairs behind the shares among strangers.
    filled : mapping
        Comparison name to the number of records that fill its columns.
    counted : collection of (name, value)
        Levels of which every pair is a candidate: their share among strangers is
        counted, being too small for a sample.

    Returns
    -------
    LinkageModel

    Notes
    -----
    The prior shares count as 20 pairs, so that a level which few pairs show, in a small
    or very clean table, keeps a sensible weight. Shares u without term frequencies are
    corrected for the matches that a random sample of a small table contains.
    """
    names = list(model.comparisons)
    codes = {name: patterns[name].to_numpy(np.int64) for name in names}
    counts = patterns["pairs"].to_numpy(float)
    rare_personal = patterns["rarity_personal"].to_numpy(float) * math.log(2)
    rare_shared = patterns["rarity_shared"].to_numpy(float) * math.log(2)
    pairs_sampled += PRIOR_STRANGERS
    all_pairs = records * (records - 1) / 2 + PRIOR_STRANGERS
    known_pairs = {n: filled[n] * (filled[n] - 1) / 2 + PRIOR_STRANGERS for n in names}
    strangers_counted = {n: [v for m, v in counted if m == n] for n in names}
    shares = {name: _arrays(model.comparisons[name]) for name in names}
    prior = {name: (s["m"].copy(), s["household"].copy()) for name, s in shares.items()}
    mixed = {name: s["u"].copy() for name, s in shares.items()}
    # A share that each value's own frequency replaces needs no correction.
    replaced = {n: np.array([bool(lv.rarity) for lv in model.comparisons[n]]) for n in names}
    personal = {n for n in names if model.kinds[n] == "personal"}
    informed = np.zeros(len(counts), dtype=bool)
    for name in TELLING & set(names):
        informed |= codes[name] >= 0
    tells_apart = bool(TELLING & set(names))
    if not tells_apart:
        model.notes.append(
            "no first name and no birth date: two people of one household cannot be told apart"
        )
    one = (records / 2 + PRIOR_ONE_PERSON) / all_pairs
    home = one / 2 if tells_apart else 0.0
    seen: dict[str, np.ndarray] = {}
    iterations = 0
    for iterations in range(1, MOST_ITERATIONS + 1):  # noqa: B007
        logs = {n: {k: np.log(v) for k, v in shares[n].items()} for n in names}
        log_one = np.full(len(counts), math.log(one))
        log_home = np.full(len(counts), math.log(home) if home > 0 else -np.inf)
        log_strangers = np.full(len(counts), math.log1p(-one - home))
        log_home -= rare_personal
        log_strangers -= rare_personal + rare_shared
        for name in names:
            known, code = codes[name] >= 0, np.maximum(codes[name], 0)
            log_one += np.where(known, logs[name]["m"][code], 0.0)
            log_home += np.where(known, logs[name]["household"][code], 0.0)
            log_strangers += np.where(known, logs[name]["u"][code], 0.0)
        top = np.maximum(np.maximum(log_one, log_home), log_strangers)
        weights = [np.exp(log - top) for log in (log_one, log_home, log_strangers)]
        total = weights[0] + weights[1] + weights[2]
        in_one, in_home, in_none = (counts * weight / total for weight in weights)
        new_one = float(in_one.sum() + PRIOR_ONE_PERSON) / all_pairs
        new_home = float(in_home.sum() + PRIOR_HOUSEHOLD) / all_pairs if tells_apart else 0.0
        change = abs(new_one - one) / one
        for name in names:
            known = codes[name] >= 0
            size = len(mixed[name])
            seen[name] = np.bincount(codes[name][known], in_one[known], size)
            at_home = np.bincount(codes[name][known], in_home[known], size)
            m = _with_prior(seen[name], prior[name][0])
            change = max(change, float(np.abs(m - shares[name]["m"]).max()))
            shares[name]["m"] = m
            if name not in personal:
                shares[name]["household"] = _with_prior(at_home, prior[name][1])
            matches = (seen[name] + at_home) / known_pairs[name]
            u = _without_matches(
                mixed[name], np.where(replaced[name], 0.0, matches), pairs_sampled=pairs_sampled
            )
            for value in strangers_counted[name]:
                here = codes[name] == value
                # A pair that shares an e-mail and shows nothing else cannot say how often
                # strangers share one: learn it from the pairs that show who they are.
                telling = counts[here & informed].sum()
                if telling:
                    apart = in_none[here & informed].sum() * counts[here].sum() / telling
                    u[value] = (apart + 0.5) / known_pairs[name]
            # Rarity is counted from the share that was there when the pairs were compared.
            u = np.where(replaced[name], mixed[name], u)
            shares[name]["u"] = u
            if name in personal:
                shares[name]["household"] = _as_strangers(prior[name][1], mixed[name], u)
        one, home = new_one, new_home
        if not math.isfinite(one + home + change):
            raise LinkageError(
                "expectation maximisation did not converge on this people table: check that the "
                "columns hold what their names say"
            )
        if change < CONVERGENCE:
            break
    return _write_back(model, shares, seen, one=one, home=home, iterations=iterations)


def _arrays(levels: list[LevelShares]) -> dict[str, np.ndarray]:
    return {
        share: np.array([max(getattr(level, share), SMALLEST_SHARE) for level in levels])
        for share in ("m", "u", "household")
    }


def _with_prior(pairs: np.ndarray, prior: np.ndarray) -> np.ndarray:
    return (pairs + PRIOR_PAIRS * prior) / (pairs.sum() + PRIOR_PAIRS)


def _without_matches(mixed: np.ndarray, matches: np.ndarray, *, pairs_sampled: float) -> np.ndarray:
    """Shares among strangers, from shares among pairs drawn at random.

    No share is taken below the noise of the sample.
    """
    noise = np.maximum(np.sqrt(mixed / pairs_sampled), 0.5 / pairs_sampled)
    u = np.maximum(mixed - matches, np.minimum(noise, mixed))
    return np.maximum(u / u.sum(), SMALLEST_SHARE)


def _as_strangers(prior: np.ndarray, mixed: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Personal facts in a household: as among strangers, but for twins and namesakes."""
    extra = max(float(prior[-1] - mixed[-1]), 0.0)
    household = u * (1 - extra)
    household[-1] += extra
    return household


def _write_back(
    model: LinkageModel,
    shares: dict[str, dict[str, np.ndarray]],
    seen: dict[str, np.ndarray],
    *,
    one: float,
    home: float,
    iterations: int,
) -> LinkageModel:
    model.one_person, model.household = _short(one), _short(home)
    model.iterations = iterations
    for name, levels in model.comparisons.items():
        for level in levels:
            level.m = _short(shares[name]["m"][level.value])
            level.u = _short(shares[name]["u"][level.value])
            level.household = _short(shares[name]["household"][level.value])
            level.pairs_expected = round(float(seen[name][level.value]), 3) if seen else 0.0
            level.m_from = "data" if level.pairs_expected >= 1 else "prior"
        few = [level.label for level in levels if level.m_from == "prior"]
        if few:
            model.notes.append(
                f"{model.about[name]}: hardly any match shows {', '.join(few)}; "
                "the usual share is kept"
            )
    return model
