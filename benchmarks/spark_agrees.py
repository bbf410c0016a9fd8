"""The features of the last run, computed by Spark and by DuckDB: the same numbers?

Needs the extra `spark` (`.venv/bin/pip install -e '.[spark]'`) and Java 17 or newer; run
after `make pipeline`: `.venv/bin/python benchmarks/spark_agrees.py`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb
import numpy as np
from pyspark.sql import SparkSession

from customer360.features.purchases import purchase_days
from customer360.features.table import build_features
from customer360.storage import Store

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("orders", "web_events", "contacts", "conversations")


def main() -> None:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    store = Store.open(ROOT)
    snapshots, timezone = store.snapshots(), store.dataset()["timezone"]
    paths = {name: str(store.path(f"customer_{name}")) for name in TABLES}
    store.close()
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    found = {}
    with duckdb.connect() as connection:
        for engine, read in (("spark", spark.read.parquet), ("duckdb", connection.read_parquet)):
            tables = {name: read(path) for name, path in paths.items()}
            features = build_features(
                purchase_days=purchase_days(tables["orders"]),
                **tables,
                as_of=snapshots.holdout,
                horizon_days=snapshots.horizon_days,
                timezone=timezone,
            )
            frame = features.toPandas() if engine == "spark" else features.df()
            found[engine] = frame.drop(columns="as_of").set_index("customer_id").sort_index()
    spark.stop()
    ours, theirs = found["duckdb"], found["spark"]
    assert ours.index.equals(theirs.index)
    worst = 0.0
    for name in ours:
        if ours[name].dtype.kind in "fi":
            a, b = ours[name].to_numpy(dtype=float), theirs[name].to_numpy(dtype=float)
            assert np.array_equal(np.isnan(a), np.isnan(b)), name
            worst = max(worst, float(np.nanmax(np.abs(a - b), initial=0.0)))
        else:
            assert (ours[name].fillna("") == theirs[name].fillna("")).all(), name
    print(f"{len(ours):,} customers, {ours.shape[1]} features: largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
