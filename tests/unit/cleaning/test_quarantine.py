from __future__ import annotations

import json
from datetime import datetime

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.cleaning.quarantine import contract_rules, count_rows, set_aside
from customer360.contracts import CONTRACTS


def surveys(rows: list[tuple[str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source_id", "at"])
    return frame.assign(
        source="crm", at=pd.to_datetime(frame["at"]), kind="csat", score=4.0, comment=None
    )


def people(rows: list[tuple[str | None, str | None, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["source", "source_id", "city"])
    for column in CONTRACTS["raw.people"].columns:
        if column.name not in frame:
            times = column.dtype == "time"
            frame[column.name] = pd.Series([pd.NaT if times else None] * len(frame)).astype(
                "datetime64[us]" if times else "str"
            )
    return frame


def in_engine(frame: pd.DataFrame, engine: str):
    if engine == "pandas":
        return frame
    return duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))


def as_rows(frame, *columns: str) -> list[tuple]:
    table = frame if isinstance(frame, pd.DataFrame) else frame.df()
    table = table[list(columns)].fillna("")
    return sorted(table.itertuples(index=False, name=None))


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_first_broken_rule_gives_the_reason(engine):
    frame = pd.DataFrame({"x": [1, 2, 3, None], "y": [1, 0, 0, 0], "source": ["a", "b", "c", "d"]})
    split = set_aside(
        in_engine(frame, engine),
        table="things",
        rules={"x is large": nw.col("x") > 2, "y is zero": nw.col("y") == 0},
        amount="x",
    )
    assert as_rows(split.kept, "source") == [("a",)]
    assert list(split.kept.columns) == ["x", "y", "source"]
    assert as_rows(split.quarantined, "source", "reason") == [
        ("b", "y is zero"),
        ("c", "x is large"),
        # Unknown is not large.
        ("d", "y is zero"),
    ]
    assert set(split.quarantined["table"]) == {"things"}
    assert split.quarantined["amount"].sum() == 5
    assert list(split.quarantined.columns) == CONTRACTS["quarantine_rows"].column_names
    assert split.rows_in == 4


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_without_rules_all_is_kept(engine):
    split = set_aside(in_engine(surveys([("1", "2025-01-01")]), engine), table="surveys", rules={})
    assert count_rows(split.kept) == split.rows_in == 1
    assert len(split.quarantined) == 0


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_of_rows_with_one_key_one_is_kept_whatever_their_order(engine):
    rows = [("crm", "1", "Lyon"), ("crm", "1", "Nice"), ("crm", "1", "Nice"), ("web", "1", "Lyon")]
    kept = []
    for order in ([0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]):
        frame = in_engine(people([rows[i] for i in order]), engine)
        split = set_aside(frame, table="people", rules=contract_rules("people"))
        kept.append(as_rows(split.kept, "source", "source_id", "city"))
        assert set(split.quarantined["reason"]) == {"same source, source_id as another row"}
    assert kept == [[("crm", "1", "Lyon"), ("web", "1", "Lyon")]] * 3


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_rows_without_a_source_share_a_key_too(engine):
    frame = in_engine(people([(None, "1", "Lyon"), (None, "1", "Nice")]), engine)
    split = set_aside(frame, table="people", rules=contract_rules("people"))
    assert as_rows(split.kept, "city") == [("Lyon",)]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_bad_copy_does_not_take_the_good_row_with_it(engine):
    frame = in_engine(people([("crm", "1", "Atlantis"), ("crm", "1", "Lyon")]), engine)
    rules = {"no such town": nw.col("city") == "Atlantis", **contract_rules("people")}
    split = set_aside(frame, table="people", rules=rules)
    assert as_rows(split.kept, "city") == [("Lyon",)]
    assert list(split.quarantined["reason"]) == ["no such town"]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_later_facts_are_not_known_yet(engine):
    frame = surveys([("1", "2025-01-31 22:59:59"), ("2", "2025-01-31 23:00:00")])
    rules = contract_rules("surveys", known_until=datetime(2025, 1, 31, 23))
    split = set_aside(in_engine(frame, engine), table="surveys", rules=rules)
    assert as_rows(split.kept, "source_id") == [("1",)]
    assert list(split.quarantined["reason"]) == ["at lies after the last day known"]


def test_a_campaign_may_end_after_the_last_day():
    rules = contract_rules("campaigns", known_until=datetime(2025, 1, 31))
    assert list(rules) == ["same campaign_id, variant as another row"]


def test_the_row_is_kept_as_it_was_found():
    # U+2028 and U+0085 end a line for Python, not for JSON.
    frame = surveys([("1", "2025-01-01"), ("2", "2025-01-02")])
    frame["comment"] = ["Été\u2028\u0085\nfin", "ok"]
    split = set_aside(frame, table="surveys", rules={"bad": nw.col("score") > 0})
    content = [json.loads(line) for line in split.quarantined["content"]]
    assert [c["comment"] for c in content] == ["Été\u2028\u0085\nfin", "ok"]
    assert content[0]["source_id"] == "1"
    assert content[0]["at"].startswith("2025-01-01T00:00:00")
    assert "__reason" not in content[0]


def test_the_input_is_not_changed():
    frame = surveys([("1", "2025-01-01")])
    before = frame.copy(deep=True)
    set_aside(frame, table="surveys", rules={"bad": nw.col("score") > 0})
    pd.testing.assert_frame_equal(frame, before)


LINES = st.lists(
    st.tuples(
        st.sampled_from(["crm", "web", None]),
        st.sampled_from(["1", "2", "3", None]),
        st.sampled_from(["Lyon", "Nice", None, "a\u2028b"]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(rows=LINES, engine=st.sampled_from(["pandas", "duckdb"]))
def test_no_row_is_lost(rows, engine):
    frame = people(rows)
    frame = frame.astype({"source": "str", "source_id": "str", "city": "str"})
    rules = {"no city": nw.col("city").is_null(), **contract_rules("people")}
    split = set_aside(in_engine(frame, engine), table="people", rules=rules)
    kept = as_rows(split.kept, "source", "source_id")
    assert len(kept) + len(split.quarantined) == split.rows_in == len(rows)
    filled = {(s, i) for s, i, city in rows if city is not None}
    assert len(kept) == len(filled)
    assert (split.quarantined["reason"] == "no city").sum() == sum(c is None for *_, c in rows)
