from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from customer360.contracts import POTENTIAL_CLASSES
from customer360.segmentation.micro import SEGMENT_FEATURES
from customer360.segmentation.profiles import (
    class_shares,
    profile_segments,
    quality_intervals,
    segment_quality,
)


def test_class_shares_count_empty_classes_too():
    features = pd.DataFrame({"customer_id": list("abcd"), "margin": [60.0, 20.0, 10.0, 10.0]})
    classes = pd.DataFrame(
        {
            "customer_id": list("dcba"),
            "potential_class": ["inactif", "ordinaire", "ordinaire", "gros"],
        }
    )
    shares = class_shares(classes, features).set_index("potential_class")
    assert list(shares.index) == list(POTENTIAL_CLASSES)
    assert shares.loc["gros"].tolist() == [1, 0.25, 0.6]
    assert shares.loc["ordinaire", "customers_share"] == 0.5
    assert shares.loc["ordinaire", "margin_share"] == pytest.approx(0.3)
    assert shares.loc["cyclique"].tolist() == [0, 0, 0]


def test_class_shares_of_no_margin_are_numbers():
    features = pd.DataFrame({"customer_id": ["a"], "margin": [0.0]})
    classes = pd.DataFrame({"customer_id": ["a"], "potential_class": ["gros"]})
    assert class_shares(classes, features).notna().all(axis=None)


def described() -> tuple[pd.DataFrame, pd.DataFrame]:
    features = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "margin": [30.0, 50.0, 15.0, 5.0],
            "recency_days": [1.0, 3.0, 10.0, 20.0],
            "frequency": [9, 7, 2, 1],
            "monetary_value": [20.0, 30.0, 4.0, 6.0],
            "gap_mean_days": [5.0, 6.0, np.nan, np.nan],
            "discount_share": 0.5,
            "main_category_share": [0.1, 0.4, 0.2, 0.3],
            "basket_lines": np.nan,
        },
        index=[10, 20, 30, 40],
    )
    assigned = pd.DataFrame(
        {"segment": [0, 0, 1, 1], "segment_name": ["Often", "Often", "Rare", "Rare"]},
        index=features.index,
    )
    return profile_segments(features, assigned)


def test_segments_are_described_by_averages_and_medians():
    profile, _ = described()
    assert profile.to_dict("list") == {
        "segment_name": ["Often", "Rare"],
        "customers": [2, 2],
        "margin_share": [0.8, 0.2],
        "margin": [40.0, 10.0],
        "recency_days": [2.0, 15.0],
        "frequency": [8.0, 1.5],
        "monetary_value": [25.0, 5.0],
    }


def test_ranks_tell_what_sets_a_segment_apart():
    _, ranks = described()
    assert list(ranks.index) == ["Often", "Rare"]
    assert set(ranks.columns) < set(SEGMENT_FEATURES)
    # A trait that does not vary tells nothing.
    assert not {"discount_share", "basket_lines"} & set(ranks.columns)
    # Ranks ¼, ½, ¾, 1 less one half.
    assert ranks["recency_days"].to_list() == [-0.125, 0.375]
    assert ranks["main_category_share"].to_list() == [0.125, 0.125]


def test_quality_is_the_share_of_variance_between_segments():
    segment = pd.Series([0, 0, 1, 1], index=[9, 8, 7, 6])
    # log(1 + margin) is 0, 2, 2, 4: between 4 of 8.
    margin = pd.Series(np.expm1([0.0, 2.0, 2.0, 4.0]))
    quality = segment_quality(segment, margin)
    assert quality["value_variance_explained"] == pytest.approx(4 / 8)
    assert (quality["segments"], quality["smallest_segment"]) == (2.0, 2.0)


def test_quality_knows_extremes():
    margin = pd.Series([0.0, 0.0, 9.0, 9.0])
    told = segment_quality(pd.Series([0, 0, 1, 1]), margin)
    assert told["value_variance_explained"] == pytest.approx(1.0)
    nothing = segment_quality(pd.Series([0, 1, 0, 1]), pd.Series([-5.0, 0.0, 0.0, 0.0]))
    # A loss counts as nothing earned.
    assert nothing["value_variance_explained"] == 0.0


def test_intervals_hold_what_was_measured_and_widen_with_few_customers():
    rng = np.random.default_rng(3)
    segment = pd.Series(rng.integers(0, 3, 3000))
    margin = pd.Series(np.expm1(segment + rng.random(3000)))
    told = segment_quality(segment, margin)
    wide = quality_intervals(segment[:300], margin[:300])
    narrow = quality_intervals(segment, margin)
    for name, (low, high) in narrow.items():
        assert low <= told[name] <= high
    low, high = narrow["value_variance_explained"]
    assert (
        0 < high - low < wide["value_variance_explained"][1] - wide["value_variance_explained"][0]
    )
    assert quality_intervals(segment, margin) == narrow
