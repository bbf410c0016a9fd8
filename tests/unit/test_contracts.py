from __future__ import annotations

import traceback
from datetime import date, datetime

import pyarrow as pa
import pytest

from customer360.contracts import (
    ARROW_TYPES,
    CONTRACTS,
    RAW_TABLES,
    Column,
    ContractError,
    Table,
    arrow_schema,
    empty_table,
    personal_columns,
    validate_batch,
)

VISITS = Table(
    "visits",
    "staged",
    "a visit",
    ("visit_id",),
    (
        Column("visit_id", "text", "the visit", nullable=False),
        Column("kind", "text", "what", allowed=("shop", "site")),
        Column("email", "text", "address", personal=True, allowed=("a@x.fr",)),
        Column("share", "number", "share", minimum=0, maximum=1),
    ),
)


def rows(**columns: list) -> pa.Table:
    count = len(next(iter(columns.values())))
    full = {"visit_id": [str(i) for i in range(count)]} | columns
    return pa.table({c.name: full.get(c.name, [None] * count) for c in VISITS.columns}).cast(
        arrow_schema(VISITS)
    )


def refused(batch: pa.Table) -> str:
    with pytest.raises(ContractError) as caught:
        validate_batch(VISITS, batch)
    return str(caught.value)


def test_good_rows_pass_and_empty_values_too():
    validate_batch(VISITS, rows(kind=["shop", None], share=[0.0, 1.0]))
    validate_batch(VISITS, empty_table(VISITS))


def test_each_broken_rule_is_told_with_table_column_rows_and_an_example():
    message = refused(rows(kind=["shop", "boat", "boat"], share=[0.5, -1.0, 2.0]))
    assert message.split("; ") == [
        "table visits, column kind must be one of shop, site: 2 of 3 rows do not "
        "(for example boat)",
        "table visits, column share must be at least 0: 1 of 3 rows do not (for example -1.0)",
        "table visits, column share must be at most 1: 1 of 3 rows do not (for example 2.0)",
    ]


def test_an_empty_value_where_there_must_be_one():
    assert "column visit_id must not be empty: 1 of 2 rows" in refused(rows(visit_id=["a", None]))


def test_a_personal_value_never_stands_in_the_message_nor_in_the_traceback():
    secret = "@".join(["secret", "home.fr"])
    with pytest.raises(ContractError) as caught:
        validate_batch(VISITS, rows(email=[secret]))
    assert "column email" in str(caught.value)
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_wrong_columns_are_named():
    message = refused(pa.table({"visit_id": ["a"], "kind": [1], "email": ["a@x.fr"], "more": [1]}))
    assert "kind must be text" in message
    assert "share must be number" in message
    assert "more is not in it" in message
    swapped = rows(kind=["shop"]).select(["kind", "visit_id", "email", "share"])
    assert "another order" in refused(swapped)


def test_every_contract_holds_together():
    files = [(table.folder, table.file_name) for table in CONTRACTS.values()]
    assert len(set(files)) == len(files)
    for name, table in CONTRACTS.items():
        assert name == table.name
        assert len(set(table.column_names)) == len(table.columns)
        assert set(table.key) <= set(table.column_names)
        assert table.grain
        for column in table.columns:
            assert column.dtype in ARROW_TYPES
            assert column.about
            assert column.dtype != "number" or column.unit, f"{name}.{column.name} has no unit"


def test_only_a_raw_order_line_may_lack_its_source_in_its_key():
    loose = {
        (table.name, key)
        for table in CONTRACTS.values()
        for key in table.key
        if table.column(key).nullable
    }
    assert loose == {("raw.orders", "source")}


def test_every_raw_table_has_a_staged_one_with_at_least_its_columns():
    for name in RAW_TABLES:
        raw, staged = CONTRACTS[f"raw.{name}"], CONTRACTS[f"staged.{name}"]
        assert set(raw.column_names) <= set(staged.column_names)
        assert raw.key == staged.key


def test_scores_carry_customer_and_day():
    for name in ("features", "segments", "churn_scores", "clv_scores", "customers"):
        assert {"customer_id", "as_of"} <= set(CONTRACTS[name].column_names)
        assert not CONTRACTS[name].column("customer_id").nullable


def test_names_and_addresses_are_personal():
    personal = CONTRACTS["raw.people"].personal_columns
    assert {"first_name", "last_name", "email", "phone", "street", "birth_date"} <= set(personal)
    assert personal_columns(["raw.people", "raw.surveys"])[-1] == "title"
    assert "comment" in personal_columns(["raw.people", "raw.surveys"])
    assert not CONTRACTS["features"].personal_columns


def test_an_unknown_column_is_named():
    with pytest.raises(ContractError, match=r"table visits has no column 'colour'"):
        VISITS.column("colour")


def test_an_empty_table_has_every_column_with_its_type():
    empty = empty_table(CONTRACTS["purchase_days"])
    assert empty.num_rows == 0
    assert empty.schema.field("day").type == pa.date32()
    assert pa.array([datetime(2025, 1, 1)]).type == ARROW_TYPES["time"]
    assert pa.array([date(2025, 1, 1)]).type == ARROW_TYPES["date"]
