from __future__ import annotations

from contextlib import closing

import duckdb
import pandas as pd
import pytest

from customer360.linkage.web import LEAST_PAIRS, device_kinds, stitch_web
from customer360.linkage.web_evaluate import evaluate_stitching

LINKS = pd.DataFrame(
    {"source": ["web"] * 3, "source_id": ["7", "8", "77"], "customer_id": ["A", "B", "A"]}
)


def hit(visitor: str, moment: str, account: str | None = None, **more) -> dict:
    return {"visitor_id": visitor, "source_id": account, "at": pd.Timestamp(moment),
            "kind": "page", "device": "mobile", **more}  # fmt: skip


HITS = pd.DataFrame(
    [
        hit("own", "2025-01-01 10:00"),
        hit("own", "2025-01-02 10:00", "7"),
        hit("own", "2025-01-03 10:00"),
        # Shared: three visits, then two people within the half hour.
        hit("shared", "2025-01-01 10:00"),
        hit("shared", "2025-01-01 10:20", "7"),
        hit("shared", "2025-01-01 10:49"),
        hit("shared", "2025-01-01 11:20"),
        hit("shared", "2025-01-02 10:00", "7"),
        hit("shared", "2025-01-02 10:05", "8"),
        hit("shared", "2025-01-02 10:06"),
        hit("nobody", "2025-01-01 10:00"),
        # Two accounts of one person are one person.
        hit("twice", "2025-01-01 10:00", "7"),
        hit("twice", "2025-01-05 10:00", "77"),
        hit("twice", "2025-01-09 10:00"),
    ]
)
EXPECTED = ["7", "7", "7", "7", "7", "7", None, "7", "8", "8", None, "7", "77", "7"]


def owners(frame: pd.DataFrame) -> list[str | None]:
    keyed = frame.set_index(["visitor_id", "at"])["source_id"]
    ids = keyed.loc[list(zip(HITS["visitor_id"], HITS["at"], strict=True))]
    return [None if pd.isna(i) else i for i in ids]


def test_visits_are_split_by_session_and_a_shared_device_is_never_merged():
    stitched = stitch_web(HITS, LINKS)
    assert owners(stitched) == EXPECTED
    assert set(stitched.columns) == {*HITS.columns, "evidence", "known_at"}
    assert len(stitched) == len(HITS)
    assert HITS["source_id"].isna().sum() == 8
    by_device = stitched[stitched["evidence"] == "device"]
    assert sorted(by_device["visitor_id"].unique()) == ["own", "twice"]


def test_nobody_is_known_before_the_log_in():
    stitched = stitch_web(HITS, LINKS).set_index(["visitor_id", "at"])
    known = stitched["known_at"]
    login = pd.Timestamp("2025-01-02 10:00")
    assert known["own", pd.Timestamp("2025-01-01 10:00")] == login
    assert known["own", pd.Timestamp("2025-01-03 10:00")] == pd.Timestamp("2025-01-03 10:00")
    # On a shared device the log-in of the visit itself tells, not an older one.
    assert known["shared", pd.Timestamp("2025-01-01 10:00")] == pd.Timestamp("2025-01-01 10:20")
    assert known["shared"].isna().sum() == 1


def test_the_engine_says_the_same_whatever_the_order_of_rows():
    with closing(duckdb.connect()) as connection:
        connection.register("hits", HITS.sample(frac=1, random_state=1))
        connection.register("links", LINKS)
        stitched = stitch_web(
            connection.sql("select * from hits"), connection.sql("select * from links")
        )
        assert owners(stitched.df()) == EXPECTED


@pytest.fixture(scope="module")
def tablets() -> pd.DataFrame:
    """Forty tablets of two people, one of one, and forty telephones of one."""
    rows = []
    for number in range(40):
        for day, account in enumerate(("7", "8"), start=1):
            rows.append(hit(f"t{number}", f"2025-01-0{day}", account, device="tablet"))
            rows.append(hit(f"m{number}", f"2025-01-0{day}", "7"))
    rows += [hit(v, "2025-01-01", "7", device=d) for v, d in (("t", "tablet"), ("m", "mobile"))]
    rows += [hit(v, "2025-01-05", None, device=d) for v, d in (("t", "tablet"), ("m", "mobile"))]
    return pd.DataFrame(rows)


def test_kinds_of_device_that_are_passed_around_are_found_from_the_log_ins(tablets):
    kinds = device_kinds(tablets, LINKS).set_index("kind")
    assert kinds["pairs"].to_dict() == {"tablet": 40, "mobile": 40}
    assert LEAST_PAIRS <= 40
    assert kinds["agreement"].to_dict() == {"tablet": 0.0, "mobile": 1.0}
    stitched = stitch_web(tablets, LINKS).set_index(["visitor_id", "at"])["source_id"]
    assert pd.isna(stitched["t", pd.Timestamp("2025-01-05")])
    assert stitched["m", pd.Timestamp("2025-01-05")] == "7"
    trusting = stitch_web(tablets, LINKS, least_agreement=0.0)
    assert trusting["source_id"].notna().all()


def test_precision_and_recall_are_those_of_visits():
    visits = pd.DataFrame(
        [("own", "2025-01-01", "P"), ("own", "2025-01-02", "P"), ("own", "2025-01-03", "Q"),
         ("s", "2025-01-01", "P"), ("s", "2025-01-02", "Q"), ("x", "2025-01-01", "Q")],
        columns=["visitor_id", "at", "person_id"],
    )  # fmt: skip
    visits["at"] = pd.to_datetime(visits["at"])
    hits = visits[["visitor_id", "at"]].head(4).assign(source_id="7", evidence="device")
    hits.loc[hits["at"] == pd.Timestamp("2025-01-01"), "evidence"] = "visit"
    links = pd.DataFrame({"source": ["web"], "source_id": ["7"], "person_id": ["P"]})
    found = evaluate_stitching(hits, visits, links)
    assert found["visits"] == 6
    assert found["visits_attached_share"] == pytest.approx(4 / 6)
    assert found["stitching_precision"] == found["stitching_precision_shared"] == 0.75
    assert found["stitching_recall"] == 1.0
    assert evaluate_stitching(hits.head(0), visits.head(0), links) == {}
