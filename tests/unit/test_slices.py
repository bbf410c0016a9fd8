from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from customer360.slices import (
    customer_groups,
    first_purchase_cohort,
    judge_amounts,
    judge_groups,
)

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["a", "b"],
        "birth_date": ["1990-06-01", None],
        "postcode": ["75011", None],
        "country": ["FR", "FR"],
        "sources": ["web", "crm;till"],
    }
)


def test_groups_follow_the_order_asked_and_leave_the_unknown_empty():
    asked = pd.Series(["b", "a", "nobody", "a"], index=[5, 6, 7, 8])
    segment = pd.Series(["regulars"], index=["a"])
    groups = customer_groups(asked, customers=CUSTOMERS, as_of=date(2025, 5, 31), segment=segment)
    assert groups.index.to_list() == [5, 6, 7, 8]
    assert groups.loc[6].to_list() == ["regulars", "30 to 44", "FR 7", "web"]
    assert groups.loc[6].equals(groups.loc[8].rename(6))
    assert groups.loc[5].isna().to_list() == [True, True, True, False]
    assert groups.loc[5, "source"] == "several"
    assert groups.loc[7].isna().all()


def test_a_dataset_without_personal_data_has_its_sources_only():
    bare = CUSTOMERS.assign(birth_date=None, postcode=None, country=None)
    asked = pd.Series(["a", "b"])
    groups = customer_groups(asked, customers=bare, as_of=date(2025, 5, 31), segment=None)
    assert groups[["age", "region"]].isna().all(axis=None)
    assert groups["source"].to_list() == ["web", "several"]


def test_each_kind_is_judged_and_small_groups_stay_out():
    groups = pd.DataFrame(
        {"source": ["web"] * 60 + ["till"] * 55 + ["fax"] * 5, "age": [None] * 120}
    )
    actual = np.r_[np.tile([0, 1], 30), np.zeros(55, int), np.ones(5, int)]
    told = judge_groups(groups, actual, np.where(actual, 0.8, 0.2)).set_index("group")
    # Ages are all unknown: nothing to compare.
    assert told.index.to_list() == ["source: web", "source: till"]
    assert told.loc["source: web", ["customers", "observed", "roc_auc"]].to_list() == [60, 0.5, 1]
    assert np.isnan(told.loc["source: till", "roc_auc"])
    assert judge_groups(groups[["age"]], actual, actual).empty


def test_amounts_are_judged_by_their_totals_and_small_groups_are_left_out():
    groups = pd.DataFrame({"source": ["web"] * 60 + ["till"] * 60 + ["post"] * 10})
    actual = np.repeat([2.0, 1.0, 5.0], [60, 60, 10])
    table = judge_amounts(groups, actual, np.full(130, 1.5))
    assert table["group"].to_list() == ["source: till", "source: web"]
    assert table.set_index("group")["total_error"].to_dict() == {
        "source: till": 0.5,
        "source: web": -0.25,
    }


def test_a_cohort_is_a_year_or_within_one_year_a_month():
    age = pd.Series([0.0, 31.0, 400.0], index=[7, 8, 9])
    assert first_purchase_cohort(age, as_of=date(2024, 12, 31)).to_dict() == {
        7: "2024",
        8: "2024",
        9: "2023",
    }
    months = first_purchase_cohort(age.head(2), as_of=date(2024, 12, 31))
    assert months.to_list() == ["2024-12", "2024-11"]
