from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from customer360.cleaning.audit import audit_fields
from customer360.contracts import CONTRACTS, arrow_schema

AS_OF, CUT = date(2025, 12, 31), date(2025, 9, 30)
CUSTOMERS = 200


def relation(name: str, rows: list[dict]) -> duckdb.DuckDBPyRelation:
    return duckdb.from_arrow(pa.Table.from_pylist(rows, schema=arrow_schema(CONTRACTS[name])))


def order(number: int, day: date, **more) -> dict:
    moment = pd.Timestamp(day)
    usual = {"source": "crm", "source_id": f"{number:04d}", "order_id": f"{number}-{day}"}
    usual |= {"line_no": "1", "ordered_at": moment, "ordered_on": day, "amount": 1.0}
    return {**usual, "status": "paid", "category": "wine", **more}


def person(number: int, **fields) -> dict:
    usual = {"source": "crm", "source_id": f"{number:04d}", "updated_at": pd.Timestamp(2025, 8, 1)}
    return {**usual, **fields}


def orders() -> list[dict]:
    """Everybody bought in June; every second customer came back in November."""
    early = [order(n, date(2025, 6, 1)) for n in range(CUSTOMERS)]
    return early + [order(n, date(2025, 11, 1)) for n in range(0, CUSTOMERS, 2)]


def audited(people: list[dict], lines: list[dict] | None = None) -> pd.DataFrame:
    lines = orders() if lines is None else lines
    bought = relation("staged.orders", lines)
    tables = {"people": relation("staged.people", people), "orders": bought}
    audit = audit_fields(tables, orders=bought, as_of=AS_OF, cut=CUT)
    return audit[audit["table"] == "people"].set_index(["source", "field"])


def test_coverage_age_and_verdict():
    rng = np.random.default_rng(1)
    people = [
        person(
            n,
            first_name=f"n{rng.integers(9)}",
            title=None if n % 10 else "Mme",
            city=["Lyon", "Nice"][n % 2],
            company=None if n % 20 else "tells" if n % 40 else None,
        )
        for n in range(CUSTOMERS)
    ]
    audit = audited(people).loc["crm"]
    assert audit.loc["first_name", ["rows", "coverage"]].tolist() == [CUSTOMERS, 1.0]
    assert audit.loc["title", "coverage"] == 0.1
    assert audit.loc["title", "verdict"] == "drop"
    assert audit.loc["phone", "verdict"] == "absent"
    # From 1 August to 31 December.
    assert audit.loc["city", "median_age_days"] == 152
    assert audit.loc["city", "distinct_values"] == 2
    # The town tells exactly who comes back.
    assert audit.loc["city", "predictive_auc"] == 1.0
    assert audit.loc["city", "verdict"] == "keep"
    assert audit.loc["first_name", "predictive_auc"] < 0.7


def test_a_field_that_says_nothing_scores_one_half():
    audit = audited([person(n, country="FR") for n in range(CUSTOMERS)]).loc["crm"]
    assert audit.loc["country", "predictive_auc"] == pytest.approx(0.5, abs=0.02)
    assert audit.loc["country", "verdict"] == "keep to reach"


def test_a_seldom_filled_field_that_tells_is_worth_collecting():
    people = [person(n, company="x" if n % 2 == 0 and n < 60 else None) for n in range(CUSTOMERS)]
    audit = audited(people).loc["crm"]
    assert audit.loc["company", "coverage"] == 0.15
    assert audit.loc["company", "verdict"] == "complete"


def test_old_records_are_to_be_refreshed():
    old = pd.Timestamp(2023, 1, 1)
    people = [person(n, city="Lyon", updated_at=old) for n in range(CUSTOMERS)]
    assert audited(people).loc[("crm", "city"), "verdict"] == "refresh"


def test_what_was_filled_in_after_the_cut_does_not_predict():
    """A birth date asked at the second purchase would otherwise foretell it."""
    late = pd.Timestamp(2025, 11, 2)
    people = [
        person(n, birth_date=date(1980, 1, 1), updated_at=late) if n % 2 == 0 else person(n)
        for n in range(CUSTOMERS)
    ]
    auc = audited(people).loc[("crm", "birth_date"), "predictive_auc"]
    # Those known before the cut are those who did not come back: nothing to tell apart.
    assert np.isnan(auc)


def test_a_date_predicts_by_its_order():
    people = [person(n, birth_date=date(1950 if n % 2 else 1990, 1, 1)) for n in range(CUSTOMERS)]
    assert audited(people).loc[("crm", "birth_date"), "predictive_auc"] == 1.0


def test_too_few_customers_give_no_predictive_value():
    few = [order(n, day) for n in range(50) for day in (date(2025, 6, 1), date(2025, 11, 1))]
    audit = audited([person(n, city="Lyon") for n in range(50)], few)
    assert audit["predictive_auc"].isna().all()
    assert audit.loc[("crm", "city"), "verdict"] == "keep to reach"


def test_sources_are_judged_apart():
    people = [person(n, city="Lyon") for n in range(10)]
    people += [person(n, source="web") for n in range(5)]
    audit = audited(people)
    assert audit.loc[("crm", "city"), "coverage"] == 1.0
    assert audit.loc[("web", "city"), "coverage"] == 0.0
    assert audit.loc[("web", "city"), "rows"] == 5


def test_ties_in_time_do_not_depend_on_the_order_of_rows():
    """Lines of one order share their time; which is last must not be luck."""
    rng = np.random.default_rng(2)
    lines = [
        order(n, date(2025, 6, 1), line_no=str(k), category=str(rng.choice(["a", "b", "c"])))
        for n in range(CUSTOMERS)
        for k in range(4)
    ]
    lines += [order(n, date(2025, 11, 1)) for n in range(0, CUSTOMERS, 2)]
    told = set()
    for seed in range(3):
        shuffled = [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]
        bought = relation("staged.orders", shuffled)
        audit = audit_fields({"orders": bought}, orders=bought, as_of=AS_OF, cut=CUT)
        told.add(audit.set_index("field").loc["category", "predictive_auc"])
    assert len(told) == 1


def test_the_result_keeps_its_contract():
    bought = relation("staged.orders", orders())
    audit = audit_fields({"orders": bought}, orders=bought, as_of=AS_OF, cut=CUT)
    assert set(audit.columns) == set(CONTRACTS["field_audit"].column_names)
    assert not audit.duplicated(["table", "source", "field"]).any()
    assert not set(audit["field"]) & {"order_id", "source_id", "line_no"}
