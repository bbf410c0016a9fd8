"""Features of a million customers, against a bare DuckDB group-by of the same lines.

`.venv/bin/python benchmarks/features.py [customers [lines [runs]]]` writes its results file.
The lines are the demo's, as linkage left them, many times over, each time under other
customers' names. Both run in processes of their own on the same file, one after the other,
`runs` times; the fastest counts, as nothing but the machine makes a run slower.

`ratio_to_bare_sql` counts the table of purchase days, which the stage writes once for all
its days, and the features of one day; `ratio_without_purchase_days` the features alone.
"""

from __future__ import annotations

import json
import multiprocessing
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
# Plain RFM by hand: one pass, one group a customer; frequency in days and in orders.
BARE = """
    create table features as
    select customer_id, max(ordered_on) as last_on,
        count(distinct ordered_on) as days, count(distinct source || '/' || order_id) as orders,
        sum(net_amount) as net_amount
    from lines where ordered_on <= date '{as_of}' group by customer_id
"""


def enlarge(source: Path, target: Path, *, customers: int) -> tuple[int, int]:
    """The same lines under other customers until there are enough; customers and lines."""
    with closing(connect()) as connection:
        connection.execute("set enable_progress_bar = false")
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


def make_features(connection: Any, path: str) -> float:
    """The feature table of one day, as the stage makes it; seconds of the purchase days."""
    connection.execute(f"create view lines as from '{path}'")
    lines = connection.table("lines")
    started = time.perf_counter()
    purchase_days(lines).create("days")
    seconds = time.perf_counter() - started
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
    return seconds


def group_bare(connection: Any, path: str) -> float:
    """One plain group-by of the same lines."""
    connection.execute(f"create view lines as from '{path}'")
    connection.execute(BARE.format(as_of=AS_OF))
    return 0.0


def _alone(task: str, path: str, answer: Any) -> None:
    with closing(connect()) as connection:
        connection.execute("set enable_progress_bar = false")
        started = time.perf_counter()
        days = {"features": make_features, "bare": group_bare}[task](connection, path)
        seconds = time.perf_counter() - started
        rows = connection.sql("select count(*) from features").fetchall()[0][0]
    # Not `ru_maxrss`: it remembers the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    answer.put((seconds, peak, rows, days))


def alone(task: str, path: Path) -> tuple[float, float, int, float]:
    """Seconds, peak megabytes, customers and seconds of the days, in a process of its own."""
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
    times = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        customers, lines = enlarge(source, path, customers=wanted)
        runs = [{task: alone(task, path) for task in ("bare", "features")} for _ in range(times)]
    seconds = {task: min(run[task][0] for run in runs) for task in ("bare", "features")}
    alone_seconds = min(run["features"][0] - run["features"][3] for run in runs)
    results = {
        "customers": customers,
        "lines": lines,
        "features_seconds": round(seconds["features"], 2),
        "bare_sql_seconds": round(seconds["bare"], 2),
        "ratio_to_bare_sql": round(seconds["features"] / seconds["bare"], 2),
        "ratio_without_purchase_days": round(alone_seconds / seconds["bare"], 2),
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
