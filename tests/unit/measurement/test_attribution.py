from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.measurement.attribution import (
    RULES,
    UNTOUCHED,
    conservation_error,
    credit_channels,
    removal_effects,
)


def paths(*rows: tuple[str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Paths as words of channels, a day apart, each with its revenue; 0 for no order."""
    touches = [
        (number, channel, float(len(word) - place))
        for number, (word, _) in enumerate(rows)
        for place, channel in enumerate(word)
    ]
    outcomes = [(number, int(revenue > 0), revenue) for number, (_, revenue) in enumerate(rows)]
    return (
        pd.DataFrame(touches, columns=["path", "channel", "days_before"]),
        pd.DataFrame(outcomes, columns=["path", "converted", "revenue"]),
    )


def credit(touches: pd.DataFrame, outcomes: pd.DataFrame, **more) -> pd.DataFrame:
    """Orders by rule and channel."""
    table = credit_channels(touches, outcomes, **more)
    return table.pivot(index="rule", columns="channel", values="conversions")


def test_each_rule_on_one_path_by_hand():
    found = credit(*paths(("abc", 90.0)), half_life_days=1.0)
    assert found.loc["first"].tolist() == [1, 0, 0]
    assert found.loc["last"].tolist() == [0, 0, 1]
    assert found.loc["linear"].to_numpy() == pytest.approx(1 / 3, abs=1e-6)
    assert found.loc["position"].tolist() == [0.4, 0.2, 0.4]
    assert found.loc["decay"].to_numpy() == pytest.approx([1 / 7, 2 / 7, 4 / 7], abs=1e-6)


def test_two_touches_share_position_equally_and_one_takes_all():
    assert credit(*paths(("ab", 1.0))).loc["position"].tolist() == [0.5, 0.5]
    one = credit(*paths(("a", 1.0)))
    assert one.index.size == len(RULES)
    assert (one["a"] == 1).all()


def test_touches_of_one_moment_share_it():
    touches, outcomes = paths(("abc", 10.0))
    touches["days_before"] = [2.0, 2.0, 1.0]
    found = credit(touches, outcomes)
    assert found.loc["first"].tolist() == [0.5, 0.5, 0]
    assert found.loc["position"].tolist() == [0.25, 0.25, 0.5]
    touches["days_before"] = 3.0
    for rule in ("first", "last", "linear", "decay", "position", "shapley"):
        assert credit(touches, outcomes).loc[rule].to_numpy() == pytest.approx(1 / 3, abs=1e-6)


def test_markov_equals_the_chain_solved_by_hand():
    # From start: a in 2 of 3, b in 1. From a: b in 1 of 2, an order in 1. From b: an order
    # in 1 of 2. Whole: 2/3 (1/2 + 1/2 * 1/2) + 1/3 * 1/2 = 2/3. Without a: 1/6; without b: 1/3.
    touches, outcomes = paths(("ab", 0.0), ("a", 10.0), ("b", 20.0))
    effects = removal_effects(touches, outcomes)
    assert effects.to_dict() == pytest.approx({"a": 3 / 4, "b": 1 / 2})
    found = credit_channels(touches, outcomes).query("rule == 'markov'")
    assert found["conversions"].tolist() == pytest.approx([1.2, 0.8])
    assert found["revenue"].tolist() == pytest.approx([18.0, 12.0])


def test_markov_equals_the_share_of_paths_when_channels_never_meet():
    touches, outcomes = paths(("aa", 1.0), ("b", 1.0), ("b", 1.0), ("b", 0.0))
    assert credit(touches, outcomes).loc["markov"].tolist() == pytest.approx([1.0, 2.0])


def test_shapley_equals_the_sum_over_all_coalitions():
    rows = (("ab", 5.0), ("ba", 7.0), ("abca", 11.0), ("c", 13.0), ("cb", 0.0), ("b", 17.0))

    def value(coalition: frozenset[str]) -> float:
        return sum(revenue for word, revenue in rows if set(word) <= coalition)

    by_hand = {}
    for channel in "abc":
        others = [name for name in "abc" if name != channel]
        by_hand[channel] = sum(
            factorial(size)
            * factorial(2 - size)
            / factorial(3)
            * (value(frozenset(group) | {channel}) - value(frozenset(group)))
            for size in range(3)
            for group in combinations(others, size)
        )
    found = credit_channels(*paths(*rows)).query("rule == 'shapley'").set_index("channel")
    assert found["revenue"].to_dict() == pytest.approx(by_hand, abs=1e-5)


def test_orders_that_nothing_preceded_stay_apart_under_every_rule():
    touches, outcomes = paths(("a", 1.0), ("b", 3.0), ("a", 0.0), ("u", 5.0), ("u", 7.0))
    touches["channel"] = touches["channel"].replace("u", UNTOUCHED)
    table = credit_channels(touches, outcomes).query("channel == @UNTOUCHED")
    assert table["conversions"].tolist() == [2.0] * len(RULES)
    assert table["revenue"].tolist() == [12.0] * len(RULES)


def test_a_path_without_a_touch_and_a_touch_without_a_path_are_refused():
    touches, outcomes = paths(("ab", 1.0), ("a", 1.0))
    with pytest.raises(ValueError, match="1 paths have no touch and 0 touches"):
        credit_channels(touches[touches["path"] == 0], outcomes)
    with pytest.raises(ValueError, match="0 paths have no touch and 1 touches"):
        credit_channels(touches, outcomes.head(1))
    with pytest.raises(ValueError, match="twice"):
        credit_channels(touches, pd.concat([outcomes, outcomes]))


def test_nothing_gives_nothing():
    touches, outcomes = paths()
    assert credit_channels(touches, outcomes).empty
    assert conservation_error(credit_channels(touches, outcomes), outcomes) == 0
    assert (credit(*paths(("ab", 0.0))) == 0).all(axis=None)


WORDS = st.lists(
    st.tuples(
        st.text("abcdz", min_size=1, max_size=6),
        st.one_of(st.just(0.0), st.integers(1, 10_000_000).map(lambda cents: cents / 100)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(WORDS, st.integers(0, 1000))
def test_every_rule_gives_away_everything_and_rows_may_come_in_any_order(rows, seed):
    touches, outcomes = paths(*rows)
    moments = np.random.default_rng(seed).integers(0, 4, len(touches))
    touches["days_before"] = moments.astype(float)
    touches["channel"] = touches["channel"].replace("z", UNTOUCHED)
    table = credit_channels(touches, outcomes)
    assert set(table["rule"]) == set(RULES)
    assert conservation_error(table, outcomes) == 0
    assert (table[["conversions", "revenue"]] >= 0).all(axis=None)
    again = credit_channels(
        touches.sample(frac=1, random_state=1), outcomes.sample(frac=1, random_state=2)
    )
    pd.testing.assert_frame_equal(again, table)


def test_every_rule_gives_away_everything_of_ten_thousand_paths_of_twelve_channels():
    rng = np.random.default_rng(1)
    length = rng.integers(1, 12, 10_000)
    path = np.repeat(np.arange(10_000), length)
    touches = pd.DataFrame(
        {
            "path": path,
            "channel": rng.choice([f"channel {n:02d}" for n in range(12)], len(path)),
            "days_before": rng.random(len(path)) * 14,
        }
    )
    revenue = np.where(rng.random(10_000) < 0.3, rng.random(10_000).round(2) * 100, 0)
    outcomes = pd.DataFrame(
        {"path": np.arange(10_000), "converted": (revenue > 0) * 1, "revenue": revenue}
    )
    table = credit_channels(touches, outcomes)
    assert len(table) == 12 * len(RULES)
    assert conservation_error(table, outcomes) == 0
