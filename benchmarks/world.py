"""How long, and in how much memory, does `customer360 world` make its people?

`python benchmarks/world.py` runs the command for 20,000, 100,000 and 1,000,000 people
(`--most N` stops earlier and only prints) and writes benchmarks/results/world.json. Seconds
depend on the machine: beside them stands what a bare DuckDB needed on the same one, in the
same minutes, to make and sort ten million rows.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# Nothing large is imported here: a child starts with the peak memory of its parent.

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "world.json"
COMMAND = (str(Path(sys.executable).with_name("customer360")), "world")
SEED = 360

#: Label, people, runs: a short run is repeated and the median taken.
SIZES = (("20k", 20_000, 3), ("100k", 100_000, 1), ("1m", 1_000_000, 1))
TABLES = {"people": "people", "orders": "order_lines", "web_events": "web_hits"}

REFERENCE_RUNS = 3
REFERENCE = """
import time, duckdb
connection = duckdb.connect()
connection.execute("SET threads = 2")
started = time.perf_counter()
connection.execute(
    "CREATE TABLE sorted AS SELECT hash(i) AS h, i FROM range(10000000) AS t(i) ORDER BY h"
)
print(time.perf_counter() - started)
connection.close()
"""

FOOTERS = """
import json, sys
from pathlib import Path
import pyarrow.parquet as pq
rows, folder = {}, Path(sys.argv[1])
for name in sys.argv[2:]:
    files = [*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}/*.parquet")]
    rows[name] = sum(pq.read_metadata(file).num_rows for file in files)
print(json.dumps(rows))
"""


@dataclass(frozen=True)
class Run:
    """A run: wall and processor seconds, peak resident memory, and what it wrote."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    written_mb: float
    rows: dict[str, int]


def measure(*, people: int, scratch: Path) -> Run:
    """Make a world in a fresh process and remove it again."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"world_{people}_") as folder:
        out = Path(folder) / "out"
        asked = ("--people", str(people), "--seed", str(SEED), "--out", str(out))
        with (Path(folder) / "log").open("w+b") as log:
            started = time.perf_counter()
            process = subprocess.Popen([*COMMAND, *asked], cwd=ROOT, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            # Tell Popen, which did not see it end.
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                said = log.read().decode(errors="replace")[-2000:]
                raise SystemExit(f"{' '.join([*COMMAND, *asked])} failed:\n{said}")
        # Kibibytes on Linux, bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        return Run(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss * unit / 1e6,
            written_mb=size / 1e6,
            rows=json.loads(python(FOOTERS, str(out / "raw"), *TABLES)),
        )


def python(program: str, *arguments: str) -> str:
    """What a small program says, in a process of its own."""
    call = [sys.executable, "-c", program, *arguments]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


def summarise(runs: dict[str, list[Run]], *, reference: list[float]) -> dict[str, float]:
    """Figures of all sizes that ran."""
    seconds = {label: median(run.seconds for run in of_size) for label, of_size in runs.items()}
    found: dict[str, float] = {"seconds_duckdb_10m_reference": round(median(reference), 2)}
    for label, of_size in runs.items():
        found[f"seconds_{label}"] = round(seconds[label], 1)
        found[f"cpu_seconds_{label}"] = round(median(run.cpu_seconds for run in of_size), 1)
        found[f"peak_mb_{label}"] = round(max(run.peak_mb for run in of_size))
        found[f"written_mb_{label}"] = round(of_size[-1].written_mb)
        found[f"times_reference_{label}"] = round(seconds[label] / median(reference), 1)
        for table, called in TABLES.items():
            found[f"rows_{label}_{called}"] = of_size[-1].rows[table]
    if "1m" in seconds and "100k" in seconds:
        found["growth_exponent"] = round(math.log10(seconds["1m"] / seconds["100k"]), 3)
        # Other work on the machine stretches wall time, and hardly processor time.
        cpu = [median(run.cpu_seconds for run in runs[size]) for size in ("1m", "100k")]
        found["growth_exponent_cpu"] = round(math.log10(cpu[0] / cpu[1]), 3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="people, at most")
    parser.add_argument("--scratch", type=Path, help="where worlds are written for a while")
    options = parser.parse_args()
    reference = [float(python(REFERENCE)) for _ in range(REFERENCE_RUNS)]
    print(f"bare DuckDB, 10 M rows made and sorted: {median(reference):.2f} s", flush=True)
    runs: dict[str, list[Run]] = {}
    for label, people, repeats in SIZES:
        for number in range(repeats if people <= options.most else 0):
            run = measure(people=people, scratch=options.scratch)
            runs.setdefault(label, []).append(run)
            rows = ", ".join(f"{run.rows[t]:,} {c.replace('_', ' ')}" for t, c in TABLES.items())
            print(
                f"{people:,} people, run {number + 1} of {repeats}: {run.seconds:.1f} s, "
                f"{run.peak_mb:,.0f} MB at most, {run.written_mb:,.0f} MB written; {rows}",
                flush=True,
            )
    found = json.dumps(summarise(runs, reference=reference), indent=2, sort_keys=True)
    print(found)
    if len(runs) < len(SIZES):
        print("not written: the file holds whole runs only")
        return
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(found + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
