"""What matching only the new records saves, and whether it finds the same people.

`customer360 world --people 80000 --out worlds/large`, then
`.venv/bin/python benchmarks/linkage_incremental.py worlds/large`. One record in a hundred is
new. Each way runs three times, the best counts; both start from tables in memory and end with
customers and their ids. The figures are merged into benchmarks/results/linkage.json.

Agreement is that of the pairs of records put together: those that both ways find, as a share
of those that either finds. A full run learns its weights anew, which alone moves some pairs:
`incremental_agreement` compares with a full run of the same weights,
`incremental_agreement_retrained` with one that learned its own, and
`incremental_agreement_compared` is the share of all pairs compared on which that one agrees.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from customer360.cleaning.people import standardise_people
from customer360.cleaning.tables import clean_table
from customer360.linkage.clusters import link_records
from customer360.linkage.ids import keep_ids
from customer360.linkage.incremental import Known, compared_records, link_new_records
from customer360.linkage.matching import match_people

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "linkage.json"
AS_OF = date(2025, 12, 31)
SEED, NEW_SHARE, RUNS = 360, 0.01, 3


def read_people(world: Path) -> pd.DataFrame:
    raw = pd.read_parquet(world / "raw" / "people.parquet")
    kept = clean_table(raw, table="people", as_of=AS_OF, timezone="Europe/Paris").kept
    return standardise_people(kept, country="FR", as_of=AS_OF)[0]


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def pairs(linked: pd.DataFrame) -> set[tuple[int, int]]:
    """Pairs of rows that are one customer."""
    groups = linked.groupby("customer_id").indices.values()
    return {(a, b) for rows in groups for a in rows for b in rows if a < b}


def timed(work):
    """Seconds, those of all processors, and what was found."""
    started, worked = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - started, time.process_time() - worked, found


def main(world: Path) -> None:
    people = read_people(world)
    is_new = np.zeros(len(people), dtype=bool)
    chosen = np.random.default_rng(SEED).choice(len(people), int(NEW_SHARE * len(people)), False)
    is_new[chosen] = True
    before = people[~is_new]
    matches = match_people(before, seed=SEED)
    linked, history = keep_ids(link_records(before, matches), as_of=AS_OF)
    past = {"known": arrow(linked), "history": arrow(history)}
    known = Known(compared_records(before), past["known"], arrow(matches.pairs), matches.model)
    today = arrow(people)

    def in_full():
        found = match_people(today, seed=SEED)
        return found, keep_ids(link_records(today, found), as_of=AS_OF, **past)[0]

    def only_new():
        found, grouped = link_new_records(today, known=known)
        return found, keep_ids(grouped, as_of=AS_OF, **past)[0]

    seconds = []
    # In turn, so that a busy machine is busy for both.
    for _ in range(RUNS):
        *part_time, (part_matches, part) = timed(only_new)
        *full_time, (full_matches, full) = timed(in_full)
        seconds.append((*part_time, *full_time))
    part_seconds, part_cpu, full_seconds, full_cpu = (
        min(column) for column in zip(*seconds, strict=True)
    )
    weights = {"model": matches.model, "names": known.records}
    same_weights = link_records(today, match_people(today, seed=SEED, **weights))
    found, whole, same = pairs(part), pairs(full), pairs(same_weights)
    # Untouched: no record of the customer may be one person with a new record.
    fresh = people.loc[is_new, ["source", "source_id"]]
    ends = part_matches.pairs[["source_l", "source_id_l", "source_r", "source_id_r"]].to_numpy()
    left, right = (pd.DataFrame(ends[:, a : a + 2], columns=fresh.columns) for a in (0, 2))
    new_keys = pd.MultiIndex.from_frame(fresh)
    near = pd.concat([left[pd.MultiIndex.from_frame(right).isin(new_keys)],
                      right[pd.MultiIndex.from_frame(left).isin(new_keys)]])  # fmt: skip
    touched = set(linked.merge(near.drop_duplicates())["customer_id"])
    untouched = linked[~linked["customer_id"].isin(touched)].merge(
        part, on=["source", "source_id"], suffixes=("", "_now")
    )
    size = f"{round(len(people), -4) // 1000}k"
    figures = {
        f"incremental_records_{size}": len(people),
        f"incremental_seconds_{size}": round(part_seconds, 2),
        f"incremental_full_seconds_{size}": round(full_seconds, 2),
        f"incremental_time_share_{size}": round(part_seconds / full_seconds, 4),
        # Of processors, which other work on the machine disturbs less.
        f"incremental_cpu_share_{size}": round(part_cpu / full_cpu, 4),
        f"incremental_agreement_{size}": round(len(found & same) / len(found | same), 5),
        f"incremental_agreement_retrained_{size}": round(
            len(found & whole) / len(found | whole), 5
        ),
        f"incremental_agreement_compared_{size}": round(
            1 - len(found ^ whole) / full_matches.pairs_compared, 5
        ),
        f"incremental_untouched_ids_kept_{size}": round(
            float((untouched["customer_id"] == untouched["customer_id_now"]).mean()), 6
        ),
    }
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results |= figures
    # Of the sizes measured, the worst.
    for name, choose in (("time_share", max), ("agreement", min), ("untouched_ids_kept", min)):
        measured = [v for k, v in results.items() if k.startswith(f"incremental_{name}_")
                    and k.rpartition("_")[2].removesuffix("k").isdigit()
                    and "retrained" not in k and "compared" not in k]  # fmt: skip
        results[f"incremental_{name}"] = choose(measured)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name:45s}{value:>12}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
