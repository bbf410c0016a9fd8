"""What holds for any people table."""

from __future__ import annotations

import pandas as pd
import pytest
from french_people import make_people
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.cleaning.people import standardise_people
from customer360.linkage.clusters import link_records
from customer360.linkage.matching import match_people

FEW = settings(max_examples=3, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return standardise_people(make_people(60, seed=5)[0], country="FR")[0]


@pytest.fixture(scope="module")
def linked(people) -> pd.DataFrame:
    return link_records(people, match_people(people, seed=1))


@FEW
@given(order=st.randoms(use_true_random=False), files=st.integers(1, 4))
def test_the_order_of_rows_and_files_never_changes_customers(people, linked, order, files):
    rows = list(range(len(people)))
    order.shuffle(rows)
    delivered = [people.iloc[rows[i::files]] for i in range(files)]
    table = pd.concat(delivered, ignore_index=True)
    again = link_records(table, match_people(table, seed=1))
    pd.testing.assert_frame_equal(again, linked)


@FEW
@given(rows=st.lists(st.integers(0, 59), min_size=1, max_size=20))
def test_a_row_delivered_again_adds_no_customer(people, linked, rows):
    table = pd.concat([people, people.iloc[rows]], ignore_index=True)
    again = link_records(table, match_people(table, seed=1))
    pd.testing.assert_frame_equal(again, linked)


@FEW
@given(number=st.integers(0, 59))
def test_a_namesake_in_another_country_is_another_person(people, number):
    here = people.assign(country="FR")
    named = here.dropna(subset=["first_name", "last_name", "postcode"])
    other = named.iloc[[number % len(named)]].assign(source="be", source_id="1", country="BE")
    contacts = ["email", "phone", "birth_date", "street"]
    namesake = other.assign(**dict.fromkeys(contacts))
    table = pd.concat([here, namesake], ignore_index=True)
    customer = link_records(table, match_people(table, seed=1)).set_index("source")["customer_id"]
    assert customer["be"] not in set(customer.drop("be"))


def test_strong_evidence_crosses_a_border(people):
    here = people.assign(country="FR")
    whole = here.dropna(subset=["first_name", "last_name", "birth_date", "email", "phone"])
    moved = whole.head(1).assign(source="be", source_id="1", country="BE", postcode="1000")
    table = pd.concat([here, moved.assign(street=None)], ignore_index=True)
    customer = link_records(table, match_people(table, seed=1)).set_index("source")["customer_id"]
    assert customer["be"] in set(customer.drop("be"))
