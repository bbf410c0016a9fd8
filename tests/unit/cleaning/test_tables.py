from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from customer360.cleaning.tables import clean_table, count_by_source, row_metrics, summarise_rows
from customer360.contracts import CONTRACTS


def quarantined(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["table", "source", "file", "amount"])
    frame = frame.assign(row=None, reason="why", content="{}")
    return frame[CONTRACTS["quarantine_rows"].column_names]


RAW = pd.DataFrame(
    [("people", "crm", 10), ("people", "web", 4), ("orders", "till", 5), ("orders", None, 1)],
    columns=["table", "source", "rows"],
)
ASIDE = quarantined(
    [
        ("people", "crm", None, None),
        ("people", "crm", "crm.csv", None),  # not readable: never became a raw row
        ("orders", None, None, 3.0),
        ("orders", "till", None, 4.0),
        ("orders", "till", "till.xlsx", 5.5),
        ("loyalty", None, "points.csv", None),
    ]
)


def test_every_row_is_accounted_for():
    summary = summarise_rows(raw=RAW, quarantined=ASIDE)
    assert list(summary.itertuples(index=False, name=None)) == [
        ("loyalty", "", 1, 0, 1, 0.0),
        ("orders", "", 1, 0, 1, 0.0),
        ("orders", "till", 6, 4, 2, 4 / 6),
        ("people", "crm", 11, 9, 2, 9 / 11),
        ("people", "web", 4, 4, 0, 1.0),
    ]
    assert (summary["rows_in"] == summary["rows_kept"] + summary["rows_quarantined"]).all()


def test_metrics_account_for_rows_and_amounts():
    summary = summarise_rows(raw=RAW, quarantined=ASIDE)
    raw_orders = pd.DataFrame({"amount": [10.0, 20.0, 30.0, 4.0, 3.0, 0.5]})
    metrics = row_metrics(summary, raw_orders=raw_orders, quarantined=ASIDE)
    assert metrics["people_crm_rows_in"] == 11
    assert metrics["people_crm_rows_kept"] == 9
    assert metrics["people_crm_rows_quarantined"] == 2
    assert metrics["loyalty_rows_in"] == 1
    assert metrics["orders_rows_quarantined"] == 1
    # 67.5 stored and 5.5 refused on reading; 3, 4 and 5.5 set aside.
    assert metrics["amount_in"] == 73.0
    assert metrics["amount_quarantined"] == 12.5
    assert metrics["amount_kept"] == 60.5


def test_metrics_of_nothing():
    nothing = quarantined([])
    summary = summarise_rows(raw=RAW.iloc[:0], quarantined=nothing)
    metrics = row_metrics(
        summary, raw_orders=pd.DataFrame({"amount": [0.0]}).iloc[:0], quarantined=nothing
    )
    assert metrics == {"amount_in": 0.0, "amount_kept": 0.0, "amount_quarantined": 0.0}


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_rows_are_counted_by_source(engine):
    frame = pd.DataFrame({"source": ["crm", "crm", "web"], "x": 1})
    data = frame if engine == "pandas" else duckdb.from_arrow(pa.Table.from_pandas(frame))
    counts = count_by_source(data, table="people").sort_values("source")
    assert counts.values.tolist() == [["people", "crm", 2], ["people", "web", 1]]
    unnamed = count_by_source(frame[["x"]], table="products")
    assert unnamed.values.tolist() == [["products", "", 3]]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
@pytest.mark.parametrize(("timezone", "kept"), [("Europe/Paris", 1), ("America/New_York", 2)])
def test_what_lies_after_the_last_day_is_set_aside(engine, timezone, kept):
    frame = pd.DataFrame(
        {
            "source": "crm",
            "source_id": ["1", "2"],
            # 00:30 on the first of July in Paris, still June in New York.
            "at": pd.to_datetime(["2025-06-30 21:30", "2025-06-30 22:30"]),
            "kind": "nps",
            "score": 9.0,
            "comment": "ok",
        }
    )
    data = frame if engine == "pandas" else duckdb.from_arrow(pa.Table.from_pandas(frame))
    split = clean_table(data, table="surveys", as_of=date(2025, 6, 30), timezone=timezone)
    assert split.rows_in - len(split.quarantined) == kept
    assert (split.quarantined["source"] == "crm").all()
