from __future__ import annotations

from datetime import date

import pandas as pd

from customer360.segmentation_evaluation import judge_cycles, judge_families, person_of_customer

YEARS = (2023, 2024, 2025)
ORDERS = pd.DataFrame(
    {
        "customer_id": [c for c in ("a", "b", "c") for _ in YEARS],
        "source": "till",
        "source_id": [c for c in ("1", "2", "3") for _ in YEARS],
        "order_id": [str(n) for n in range(9)],
        "ordered_on": [date(y, 12, 10) for _ in range(3) for y in YEARS],
        "status": "paid",
    }
)
LINKS = pd.DataFrame(
    {"source": "till", "source_id": ["1", "2", "3"], "person_id": ["P1", "P2", "P3"]}
)
TRAITS = pd.DataFrame(
    {
        "person_id": ["P1", "P2", "P3"],
        "cycle": ["noel", "noel", None],
        "theme": ["price", "status", "price"],
        "promo_affinity": [0.1, 0.5, 0.9],
        "price_elasticity": [1.0, 2.0, 3.0],
    }
)
TRUTH = {"orders": ORDERS, "people_links": LINKS, "traits": TRAITS}


def test_a_customer_is_who_made_most_of_its_orders():
    mixed = ORDERS.assign(customer_id=["a"] * 5 + ["b"] * 4)
    person = person_of_customer(mixed, LINKS).to_pydict()
    assert person == {"customer_id": ["a", "b"], "person_id": ["P1", "P3"]}


def test_cycles_of_a_hand_case():
    classes = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "potential_class": ["cyclique", "inactif", "cyclique"]}
    )
    judged = judge_cycles(classes, as_of=date(2025, 12, 31), **TRUTH)
    assert judged == {
        "cyclic_precision": 0.5,
        "cyclic_recall": 0.5,
        "cyclic_seen": 2.0,
        "cyclic_called_inactive": 1.0,
    }
    # In 2024 nobody had been seen three times.
    assert judge_cycles(classes, as_of=date(2024, 12, 31), **TRUTH) == {}


def test_families_of_a_hand_case():
    judged = judge_families(
        families=pd.DataFrame({"customer_id": ["a", "b"], "trigger": ["price", "price"]}),
        behaviour=pd.DataFrame(
            {
                "customer_id": ["a", "b", "c"],
                "promo_share": [0.1, 0.2, 0.3],
                "price_sensitivity": [0.3, 0.2, 0.1],
            }
        ),
        events=pd.DataFrame(
            {"customer_id": ["a", "b"], "kind": ["move", "move"], "origin": "detected"}
        ),
        life_events=pd.DataFrame(
            {
                "person_id": ["P1", "P3"],
                "kind": ["move", "birth"],
                "declared": [False, False],
            }
        ),
        **TRUTH,
    )
    assert judged == {
        "trigger_hit_share": 0.5,
        "trigger_guess_share": 0.5,
        "life_events_precision": 0.5,
        "life_events_recall": 0.5,
        "promo_spearman": 1.0,
        "price_spearman": -1.0,
    }


def test_without_a_truth_nothing_is_judged():
    nothing = {**TRUTH, "people_links": LINKS.iloc[:0]}
    classes = pd.DataFrame({"customer_id": ["a"], "potential_class": ["cyclique"]})
    assert judge_cycles(classes, as_of=date(2025, 12, 31), **nothing) == {}
