from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from customer360.segmentation.micro import (
    SEGMENT_FEATURES,
    SegmentationModel,
    choose_segments,
    name_segments,
)

RULES = {"min_segment": 20, "stability_floor": 0.8, "resamples": 3, "seed": 1}


def population(sizes: tuple[int, ...], *, seed: int = 1) -> pd.DataFrame:
    """Groups far apart in frequency, money and recency; the first is worth most."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    n = len(group)
    level = np.array([40.0, 8.0, 1.5])[group]
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(n)],
            "recency_days": np.array([5.0, 60.0, 700.0])[group] * rng.lognormal(0, 0.1, n),
            "frequency": np.round(level * rng.lognormal(0, 0.1, n)).clip(1),
            "monetary_value": level * 10 * rng.lognormal(0, 0.1, n),
            "gap_mean_days": 400 / level * rng.lognormal(0, 0.1, n),
            "discount_share": np.array([0.05, 0.5, 0.9])[group] + rng.uniform(-0.03, 0.03, n),
            "main_category_share": 0.5,
            "basket_lines": np.nan,
            "net_amount": level**2,
            "group": group,
        }
    )
    frame.loc[frame.index % 17 == 0, "gap_mean_days"] = np.nan
    return frame.sample(frac=1.0, random_state=seed)


def fitted(features: pd.DataFrame, *, candidates=(2, 3, 4, 5), **more):
    return choose_segments(features, candidates=candidates, **{**RULES, **more})


def test_the_groups_that_are_there_are_found():
    features = population((150, 200, 250))
    model, trials = fitted(features)
    assert trials.loc[trials["chosen"], "segments"].to_list() == [3]
    assert trials.loc[trials["chosen"], "smallest_segment"].to_list() == [150]
    assigned = model.predict(features)
    assert assigned.index.equals(features.index)
    # Segment 0 is worth most.
    assert (assigned["segment"] == features["group"]).all()
    assert assigned["segment_name"].nunique() == 3
    assert "basket_lines" not in model.features


def test_no_segment_is_smaller_than_privacy_allows():
    features = population((15, 200, 250))
    _, trials = fitted(features, min_segment=50)
    chosen = trials[trials["chosen"]].iloc[0]
    assert chosen["smallest_segment"] >= 50


@pytest.mark.parametrize(("sizes", "candidates"), [((15, 300, 0), (2,)), ((10, 10, 10), (2, 3, 4))])
def test_when_no_split_respects_privacy_there_is_one_segment(sizes, candidates):
    features = population(sizes)
    model, trials = fitted(features, candidates=candidates, min_segment=50)
    chosen = trials[trials["chosen"]]
    assert chosen[["segments", "stability_ari"]].values.tolist() == [[1, 1.0]]
    assert chosen["smallest_segment"].to_list() == [sum(sizes)]
    assert set(model.predict(features)["segment"]) == {0}


def test_when_none_is_stable_enough_the_most_stable_is_kept():
    rng = np.random.default_rng(5)
    cloud = population((100, 100, 100))
    for name in ("recency_days", "frequency", "monetary_value", "gap_mean_days", "discount_share"):
        cloud[name] = rng.lognormal(0, 1, len(cloud))
    _, trials = fitted(cloud, stability_floor=1.01, min_segment=5)
    chosen = trials[trials["chosen"]].iloc[0]
    assert chosen["stability_ari"] == trials["stability_ari"].max() < 1


def test_two_fits_are_equal_and_the_input_untouched():
    features = population((60, 60, 60))
    before = features.copy(deep=True)
    (one, trials), (other, again) = fitted(features), fitted(features)
    assert one == other
    pd.testing.assert_frame_equal(trials, again)
    pd.testing.assert_frame_equal(features, before)


def test_a_saved_model_predicts_the_same(tmp_path: Path):
    features = population((60, 60, 60))
    model, _ = fitted(features)
    path = tmp_path / "segments.json"
    model.save(path)
    json.loads(path.read_text())
    loaded = SegmentationModel.load(path)
    assert loaded == model
    pd.testing.assert_frame_equal(loaded.predict(features), model.predict(features))


def test_a_row_alone_gets_the_segment_it_has_among_others():
    features = population((60, 60, 60))
    model, _ = fitted(features)
    together = model.predict(features)
    alone = model.predict(features.iloc[[7]])
    pd.testing.assert_frame_equal(alone, together.iloc[[7]])
    # Unknown values are filled with what is usual, never refused.
    empty = features.iloc[[7]].assign(**dict.fromkeys(model.features, np.nan))
    assert model.predict(empty)["segment"].between(0, 2).all()


def test_names_say_what_sets_a_segment_apart():
    features = population((100, 100, 100))
    names = name_segments(features, features["group"])
    assert len(set(names)) == 3
    assert "bought lately" in names[0].lower()
    assert "silent for long" in names[2].lower()
    assert all(name[0].isupper() for name in names)


def test_two_segments_alike_still_have_two_names():
    features = population((50, 50, 50))
    same = pd.concat([features, features.assign(group=features["group"] + 3)], ignore_index=True)
    names = name_segments(same, same["group"])
    assert len(set(names)) == 6


def test_only_behaviour_segments_people():
    assert not {"customer_id", "main_category", "net_amount"} & set(SEGMENT_FEATURES)
