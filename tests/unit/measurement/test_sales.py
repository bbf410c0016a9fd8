"""Representatives: results, files, whom to visit."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from customer360.measurement.sales import (
    file_fields,
    file_quality,
    portfolios,
    representative_months,
    representative_results,
    visit_first,
)


def _visits(rows):
    return pd.DataFrame(
        [
            {"rep_id": rep, "source": "sales_rep", "source_id": record,
             "at": datetime(2025, month, 5, 10), "outcome": outcome, "fields_completed": fields}
            for rep, record, month, outcome, fields in rows
        ]
    )  # fmt: skip


def _linked(pairs):
    return pd.DataFrame(pairs, columns=["source", "source_id", "customer_id"])


LINKED = _linked([("sales_rep", "R1", "C1"), ("sales_rep", "R2", "C2"), ("crm", "1", "C1")])
CLV = pd.DataFrame({"customer_id": ["C1", "C2"], "clv": [100.0, 50.0]})


def _orders(*days):
    return pd.DataFrame(
        [
            {"customer_id": "C1", "source": "till", "order_id": f"O{i}", "amount": 20.0,
             "ordered_on": day, "margin": 8.0}
            for i, day in enumerate(days)
        ]
    )  # fmt: skip


def test_orders_after_a_visit_are_counted_once_for_the_later_visit():
    visits = _visits([("A", "R1", 3, "appointment", 4), ("B", "R1", 3, "order", 4)])
    visits.loc[1, "at"] = datetime(2025, 3, 8, 10)
    found = representative_results(
        visits, linked_records=LINKED, orders=_orders(date(2025, 3, 9)), clv_scores=CLV
    ).set_index("rep_id")
    assert found["margin_after"].to_dict() == {"A": 0.0, "B": 8.0}
    assert found.loc["B", "portfolio_value"] == 100.0
    assert found.loc["B", "order_share"] == 1.0


def test_absent_customers_met_nobody_and_few_visits_make_no_champion():
    rows = [("A", "R1", m, "order" if m < 6 else "refusal", 4) for m in range(1, 12)]
    rows += [("B", "R2", 1, "order", 4), ("B", "R2", 2, "absent", 4)]
    found = representative_results(
        _visits(rows), linked_records=LINKED, orders=_orders(date(2024, 1, 1)), clv_scores=CLV
    ).set_index("rep_id")
    assert (found.loc["B", "met"], found.loc["B", "order_share"]) == (1, 1.0)
    assert found.loc["B", "shrunk"] < 0.75
    assert found.loc["A", "low"] < 5 / 11 < found.loc["A", "high"]


FIELDS = ("first_name", "last_name", "birth_date", "email", "phone", "street", "postcode")


def _record(source, source_id, **values):
    opened = {"opened_on": values.get("opened_on", date(2024, 1, 1))}
    return {"source": source, "source_id": source_id} | opened | {f: values.get(f) for f in FIELDS}


def test_values_confirmed_elsewhere_count_and_wrong_ones_cost():
    records = pd.DataFrame(
        [
            _record("sales_rep", "R1", last_name="durand", email="a@x.fr", postcode="75001"),
            _record("sales_rep", "R2", last_name="petit", phone="+33600000001"),
            _record("crm", "1", last_name="durand", email="b@x.fr"),
        ]
    )
    visits = _visits([("A", "R1", 1, "order", 3), ("B", "R2", 1, "order", 9)])
    found = file_quality(visits, records=records, linked_records=LINKED).set_index("rep_id")
    # Of A's three values two are known elsewhere, of which one agrees.
    assert found.loc["A", "filled"] == pytest.approx(3 / 7)
    assert (found.loc["A", "checked"], found.loc["A", "right"]) == (2, 0.5)
    assert np.isnan(found.loc["B", "right"]) and found.loc["B", "score"] == 0


def test_one_number_typed_everywhere_is_noticed():
    rows, records, links = [], [], []
    for rep in "ABCDE":
        for i in range(6):
            record = f"{rep}{i}"
            same = rep == "E"
            phone = "+33611111111" if same else f"+3361{ord(rep)}{i:05d}"
            rows.append((rep, record, 1, "order", 1))
            records.append(_record("sales_rep", record, phone=phone))
            records.append(_record("crm", record, phone=phone))
            links += [("sales_rep", record, record), ("crm", record, record)]
    found = file_quality(
        _visits(rows), records=pd.DataFrame(records), linked_records=_linked(links)
    ).set_index("rep_id")
    assert found["suspicious"].to_dict() == dict.fromkeys("ABCD", "") | {
        "E": "one number in many files"
    }
    assert found.loc["E", "right"] == pytest.approx(1 / 6)
    assert found.loc["E", "score"] < found.loc["A", "score"]


def test_those_who_may_leave_are_visited_first_and_the_rested_only():
    linked = _linked([("sales_rep", f"R{i}", f"C{i}") for i in range(4)])
    visits = _visits([("A", f"R{i}", 1 if i else 6, "order", 3) for i in range(4)])
    clv = pd.DataFrame({"customer_id": [f"C{i}" for i in range(4)], "clv": [900, 50, 70, -5.0]})
    leaving = pd.DataFrame({"customer_id": ["C1"], "priority": [12.0], "reason": ["silence"]})
    found = visit_first(
        visits, linked_records=linked, clv_scores=clv, retention_list=leaving,
        as_of=date(2025, 6, 30),
    )  # fmt: skip
    assert found["customer_id"].tolist() == ["C1", "C2"]
    assert found["why"].tolist() == ["may be leaving: silence", "worth keeping close"]


def _filed(phone_of, *, birth_of=lambda rep, i: None, opened=lambda rep: date(2025, 1, 1)):
    """Six files of each of five representatives; the crm knows all of them since 2024."""
    rows, records, links = [], [], []
    for rep in "ABCDE":
        for i in range(6):
            record, true = f"{rep}{i}", f"+3361{ord(rep)}{i:05d}"
            rows.append((rep, record, 1, "order", 1))
            theirs = {"phone": phone_of(rep, i, true), "birth_date": birth_of(rep, i)}
            records.append(_record("sales_rep", record, opened_on=opened(rep), **theirs))
            records.append(_record("crm", record, phone=true))
            links += [("sales_rep", record, record), ("crm", record, record)]
    return _visits(rows), pd.DataFrame(records), _linked(links)


def test_made_up_values_are_contradicted():
    visits, records, linked = _filed(lambda rep, i, true: f"+33699{i:06d}" if rep == "E" else true)
    found = file_quality(visits, records=records, linked_records=linked).set_index("rep_id")
    assert found["contradicted"].to_dict() == dict.fromkeys("ABCD", 0.0) | {"E": 1.0}
    assert found.loc["E", "suspicious"] == "contradicted by other systems"
    assert found.loc["E", "score"] == 0


def test_copying_what_was_known_and_one_date_for_all_are_noticed():
    visits, records, linked = _filed(
        lambda rep, i, true: true,
        birth_of=lambda rep, i: "1970-01-02" if rep == "D" else f"19{ord(rep)}-0{i + 1}-01",
        opened=lambda rep: date(2025, 1, 1) if rep == "E" else date(2023, 1, 1),
    )
    found = file_quality(visits, records=records, linked_records=linked).set_index("rep_id")
    assert found["known_before"].to_dict() == dict.fromkeys("ABCD", 0.0) | {"E": 1.0}
    assert found["suspicious"].to_dict() == {
        "A": "", "B": "", "C": "", "D": "one birth date in many files",
        "E": "copies what was known before",
    }  # fmt: skip


def test_fields_are_counted_one_by_one():
    visits, records, linked = _filed(lambda rep, i, true: true if i else None)
    found = file_fields(visits, records=records, linked_records=linked)
    assert len(found) == 5 * len(FIELDS)
    phone = found[found["field"] == "phone"].set_index("rep_id").loc["A"]
    assert (phone["filled"], phone["checked"], phone["right"]) == (pytest.approx(5 / 6), 5, 1.0)
    street = found[found["field"] == "street"]
    assert (street["filled"] == 0).all() and street["right"].isna().all()


def test_months_without_a_visit_are_there_too():
    rows = [("A", "R1", 1, "order", 1), ("A", "R1", 1, "absent", 1), ("B", "R2", 2, "refusal", 1)]
    visits = _visits(rows)
    found = representative_months(visits).set_index(["rep_id", "month"])
    assert len(found) == 4
    january = pd.Timestamp("2025-01-01")
    assert found.loc[("A", january)].tolist() == [2, 1, 1]
    assert found.loc[("B", january)].tolist() == [0, 0, 0]


def test_a_portfolio_is_of_the_last_visitor():
    rows = [("A", "R1", 1, "order", 1), ("B", "R1", 6, "order", 1), ("A", "R2", 1, "order", 1)]
    visits = _visits(rows)
    leaving = pd.DataFrame({"customer_id": ["C1"], "priority": [12.5]})
    found = portfolios(
        visits, linked_records=LINKED, retention_list=leaving, as_of=date(2025, 9, 30)
    ).set_index("rep_id")
    assert found.loc["A"].tolist() == [0, 0.0, 1]
    assert found.loc["B"].tolist() == [1, 12.5, 0]


def test_reasons_are_words():
    visits = _visits([("A", "R1", 1, "order", 1), ("A", "R2", 1, "order", 1)])
    leaving = pd.DataFrame({"customer_id": ["C1"], "priority": [12.5], "reason": ["recency"]})
    found = visit_first(
        visits, linked_records=LINKED, clv_scores=CLV, retention_list=leaving,
        as_of=date(2025, 9, 30),
    )  # fmt: skip
    assert found["why"].tolist() == [
        "may be leaving: silent for longer than usual", "worth keeping close",
    ]  # fmt: skip


def test_typing_anything_never_pays():
    """Empty fields made up, whether or not another system can tell, win nothing."""
    visits, records, linked = _filed(lambda rep, i, true: true if i < 5 else None)
    honest = file_quality(visits, records=records, linked_records=linked).set_index("rep_id")
    mine = records["source_id"].str.startswith("A") & (records["source"] == "sales_rep")
    unchecked = records.assign(street=records["street"].mask(mine, "1 rue inventee"))
    made_up = mine & records["phone"].isna()
    wrong = records.assign(phone=records["phone"].mask(made_up, "+33699" + records["source_id"]))
    scores = [
        file_quality(visits, records=table, linked_records=linked).set_index("rep_id")["score"]["A"]
        for table in (unchecked, wrong)
    ]
    assert honest["score"]["A"] > 0
    assert scores[0] == honest["score"]["A"] and scores[1] < honest["score"]["A"]
