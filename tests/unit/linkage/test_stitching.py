from __future__ import annotations

from contextlib import closing

import duckdb
import pandas as pd

from customer360.linkage.web import stitch_web

HITS = pd.DataFrame(
    {
        "visitor_id": ["own", "own", "own", "shared", "shared", "shared", "nobody"],
        "source_id": [None, "7", None, "7", None, "8", None],
        "at": pd.date_range("2025-01-01", periods=7),
        "kind": ["page", "login", "page", "login", "page", "login", "page"],
    }
)
EXPECTED = ["7", "7", "7", "7", None, "8", None]


def owners(frame: pd.DataFrame) -> list[str | None]:
    ids = frame.sort_values("at")["source_id"]
    return [None if pd.isna(i) else i for i in ids]


def test_a_log_in_binds_the_device_but_a_shared_one_is_left_alone():
    stitched = stitch_web(HITS)
    assert owners(stitched) == EXPECTED
    assert stitched.columns.tolist() == HITS.columns.tolist()
    assert HITS["source_id"].isna().sum() == 4


def test_the_engine_says_the_same():
    with closing(duckdb.connect()) as connection:
        connection.register("hits", HITS)
        assert owners(stitch_web(connection.sql("select * from hits")).df()) == EXPECTED
