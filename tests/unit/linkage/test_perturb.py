from __future__ import annotations

import pandas as pd
import pytest

from customer360.linkage.perturb import perturb_links


@pytest.fixture
def linked():
    rows = [("s", f"{n:04}", f"c{n // 3:03}", True) for n in range(600)]
    return pd.DataFrame(rows, columns=["source", "source_id", "customer_id", "has_person_record"])


def test_without_error_nothing_changes(linked):
    pd.testing.assert_frame_equal(perturb_links(linked[::-1], seed=1), linked)


def test_as_many_customers_are_merged_and_torn_as_asked(linked):
    merged = perturb_links(linked, false_merges=0.1, seed=1)
    assert merged["customer_id"].nunique() == 200 - 10
    assert (merged.groupby("customer_id").size() == 6).sum() == 10
    torn = perturb_links(linked, false_splits=0.1, seed=1)
    assert torn["customer_id"].nunique() == 200 + 20
    assert sorted(torn.groupby("customer_id").size().unique()) == [1, 2, 3]


def test_the_seed_decides(linked):
    one, two, other = (perturb_links(linked, false_merges=0.1, seed=s) for s in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)


def test_a_share_is_a_share(linked):
    with pytest.raises(ValueError, match="between 0 and 1"):
        perturb_links(linked, false_merges=2, seed=1)
