"""Features of a million customers, against a bare DuckDB group-by of the same lines.

`.venv/bin/python benchmarks/features.py [customers]` writes benchmarks/results/features.json.
The lines are the demo's, as linkage left them, many times over, each time under other
customers' names. Both run in processes of their own on the same file, one after the other,
three times; the fastest counts, as nothing but the machine makes a run slower.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from customer360.contracts import CONTRACTS, empty_table
from customer360.engines import connect
from customer360.features.purchases import purchase_days
from customer360.features.table import build_features

ROOT = Path(__file__).resolve().parents[1]
ORDERS = ROOT / "data" / "customers" / "customer_orders.parquet"
AS_OF, HORIZON_DAYS, TIMEZONE = date(2025, 12, 31), 273, "Europe/Paris"
RUNS = 3
# What any RFM starts from: one pass, one group a customer, three plain numbers.
BARE = """
    create table features as
    select customer_id, max(ordered_on) as last_on, count(distinct source || '/' || order_id)
        filter (where status = 'paid') as orders, sum(net_amount) as net_amount
    from lines where ordered_on <= date '{as_of}' group by customer_id
"""


def enlarge(source: Path, target: Path, *, customers: int) -> tuple[int, int]:
    """The same lines under other customers until there are enough; customers and lines."""
    with closing(connect()) as connection:
        connection.execute("set preserve_insertion_order = true")
        rank = "dense_rank() over (order by customer_id) as rank"
        known = f"select customer_id, {rank} from '{source}'"
        found = connection.sql(f"select max(rank) from ({known})").fetchall()[0][0]
        copies = -(-customers // found)
        connection.execute(
            f"""copy (
                with ranked as (select distinct * from ({known}))
                select l.* replace (
                    l.customer_id || '-' || copy as customer_id,
                    l.order_id || '-' || copy as order_id)
                from range({copies}) as copies(copy), '{source}' l join ranked using (customer_id)
                where copy * {found} + rank <= {customers}
                order by copy
            ) to '{target}' (format parquet)"""
        )
        lines = connection.sql(f"select count(*) from '{target}'").fetchall()[0][0]
    return customers, lines


def make_features(connection: Any, path: str) -> None:
    """The purchase days and the feature table, as the stage makes them for one day."""
    connection.execute(f"create view lines as from '{path}'")
    lines = connection.table("lines")
    purchase_days(lines).create("days")
    none = {
        name: connection.from_arrow(empty_table(CONTRACTS[f"customer_{name}"]))
        for name in ("web_events", "contacts", "conversations")
    }
    build_features(
        purchase_days=connection.table("days"),
        orders=lines,
        **none,
        as_of=AS_OF,
        horizon_days=HORIZON_DAYS,
        timezone=TIMEZONE,
    ).create("features")


def group_bare(connection: Any, path: str) -> None:
    """One plain group-by of the same lines."""
    connection.execute(f"create view lines as from '{path}'")
    connection.execute(BARE.format(as_of=AS_OF))


def _alone(task: str, path: str, answer: Any) -> None:
    with closing(connect()) as connection:
        started = time.perf_counter()
        {"features": make_features, "bare": group_bare}[task](connection, path)
        seconds = time.perf_counter() - started
        rows = connection.sql("select count(*) from features").fetchall()[0][0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.put((seconds, peak, rows))


def alone(task: str, path: Path) -> tuple[float, float, int]:
    """Seconds, peak megabytes and customers of a task in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_alone, args=(task, str(path), answer))
    process.start()
    found = answer.get()
    process.join()
    return found


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    source = Path(sys.argv[2]) if len(sys.argv) > 2 else ORDERS
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        customers, lines = enlarge(source, path, customers=wanted)
        runs = [{task: alone(task, path) for task in ("bare", "features")} for _ in range(RUNS)]
    seconds = {task: min(run[task][0] for run in runs) for task in ("bare", "features")}
    results = {
        "customers": customers,
        "lines": lines,
        "features_seconds": round(seconds["features"], 2),
        "bare_sql_seconds": round(seconds["bare"], 2),
        "ratio_to_bare_sql": round(seconds["features"] / seconds["bare"], 2),
        "peak_mb": round(max(run["features"][1] for run in runs)),
        "bare_sql_peak_mb": round(max(run["bare"][1] for run in runs)),
        "customers_described": runs[0]["features"][2],
        "duckdb": duckdb.__version__,
    }
    target = ROOT / "benchmarks" / "results" / "features.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
