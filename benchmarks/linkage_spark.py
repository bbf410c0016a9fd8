"""The same records linked by Spark and by DuckDB: the same customers?

Needs the extra `spark` (`.venv/bin/pip install -e '.[spark]'`) and Java 17 or newer; run
after `make pipeline`: `.venv/bin/python benchmarks/linkage_spark.py`. The figures are merged
into benchmarks/results/linkage.json.
"""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from customer360.engines import connect_spark
from customer360.linkage.clusters import link_records
from customer360.linkage.matching import match_people

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "linkage.json"
STAGED = ROOT / "data" / "staged" / "people.parquet"
RECORDS, SEED = 20_000, 360


def main() -> None:
    warnings.simplefilter("ignore")  # PySpark says of every call that pandas 3 is new to it
    people = pd.read_parquet(STAGED)
    people = people.sample(min(RECORDS, len(people)), random_state=SEED)
    spark = connect_spark()
    found, linked, seconds = {}, {}, {}
    for engine, session in (("duckdb", None), ("spark", spark)):
        started = time.perf_counter()
        found[engine] = match_people(people, seed=SEED, spark=session)
        linked[engine] = link_records(people, found[engine])
        seconds[engine] = time.perf_counter() - started
    spark.stop()
    ours, theirs = (found[engine].pairs for engine in ("duckdb", "spark"))
    pd.testing.assert_frame_equal(linked["duckdb"], linked["spark"])
    pd.testing.assert_frame_equal(ours.iloc[:, :4], theirs.iloc[:, :4])
    worst = float(np.abs(ours["match_weight"] - theirs["match_weight"]).max())
    assert worst < 1e-6, worst
    customers = linked["spark"]["customer_id"].nunique()
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results |= {
        "spark_same_clusters": 1.0,
        "spark_records": len(people),
        "spark_seconds": round(seconds["spark"], 1),
        "spark_duckdb_seconds": round(seconds["duckdb"], 1),
    }
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(
        f"{len(people):,} records, {customers:,} customers, {len(ours):,} pairs shown: the same; "
        f"largest difference of a match weight {worst:.1e}; {seconds}"
    )


if __name__ == "__main__":
    main()
