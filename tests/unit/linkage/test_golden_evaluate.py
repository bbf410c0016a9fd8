from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from customer360.linkage.golden_evaluate import accuracy_metrics, evaluate_golden

PEOPLE = pd.DataFrame(
    {
        "source": ["a", "b", "c", "a"],
        "source_id": ["1", "2", "3", "4"],
        "first_name": ["Jérôme", "Jerome", "Jerome", "Zoé"],
        "phone": ["+33145678901", "+33600000009", None, None],
        "street": ["1, Rue des PINS", None, None, "5 rue B"],
        "updated_at": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", "2020-01-01"]),
    }
)
LINKED = PEOPLE[["source", "source_id"]].assign(customer_id=["A", "A", "A", "B"])
LINKS = PEOPLE[["source", "source_id"]].assign(person_id=["P", "P", "P", "Q"])
TRUE = pd.DataFrame(
    {
        "person_id": ["P", "Q"],
        "first_name": ["Jérôme", "Zoé"],
        "mobile": ["+33612345678", "+33612345679"],
        "landline": ["+33145678901", None],
        "street": ["1 rue des Pins", "6 rue B"],
        "city": ["Lyon", "Lyon"],
        "birth_date": [date(1980, 1, 1)] * 2,
    }
)
GOLDEN = PEOPLE.iloc[[0, 3]].assign(customer_id=["A", "B"])


def evaluate(**changed) -> pd.DataFrame:
    given = {"golden": GOLDEN, "people": PEOPLE, "linked_records": LINKED} | changed
    links = given.pop("people_links", LINKS)
    return evaluate_golden(**given, true_people=TRUE, people_links=links)


def test_values_are_compared_in_their_standard_form():
    accuracy = evaluate()
    found = accuracy[accuracy["of"] == "pure"].set_index("field")
    assert found["customers"].to_dict() == {"first_name": 2, "phone": 1, "street": 2}
    # Accents of a name count; capitals and commas of a street do not.
    assert found.loc["first_name", ["golden", "most_recent", "most_frequent"]].tolist() == [
        1.0,
        0.5,
        0.5,
    ]
    # The landline of the home is right as well; of equally frequent values, the most recent.
    assert found.loc["phone", ["golden", "most_recent", "most_frequent"]].tolist() == [1.0, 0, 0]
    assert found.loc["street", "golden"] == 0.5
    metrics = accuracy_metrics(accuracy)
    assert metrics["golden_accuracy"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert metrics["golden_accuracy_most_recent_first_name"] == 0.5
    assert metrics["golden_accuracy_end_to_end"] == metrics["golden_accuracy"]


def test_mixed_customers_count_end_to_end_only():
    linked = LINKED.assign(customer_id="A")
    accuracy = evaluate(linked_records=linked)
    assert set(accuracy["of"]) == {"all"}
    assert accuracy_metrics(accuracy) == {}


def test_without_a_truth_there_is_nothing_to_say():
    accuracy = evaluate(people_links=LINKS.head(0))
    assert accuracy_metrics(accuracy) == {}
    assert accuracy_metrics(evaluate(people=PEOPLE[["source", "source_id"]])) == {}
