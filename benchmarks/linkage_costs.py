"""What the stated cost of a wrong merge buys on the demo, and what nobody can tell.

`python benchmarks/linkage_costs.py` reads the staged people and the truth of the last
pipeline run and writes benchmarks/results/linkage_costs.json and docs/linkage_costs.md.
The truth measures; nothing is trained or chosen with it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from customer360.linkage.clusters import link_records
from customer360.linkage.evaluate import evaluate_links
from customer360.linkage.matching import Matches, match_people
from customer360.oracle import linkable_groups

ROOT = Path(__file__).resolve().parents[1]
COSTS = (1, 5, 10, 20, 30, 50, 100, 200)
SHOWN = ("precision", "recall_of_linkable", "household_merge_rate", "kin_kept_apart")
SEED = 360
KEY = ["source", "source_id"]


def by_cost(people: pd.DataFrame, truth: dict[str, pd.DataFrame], matches: Matches) -> pd.DataFrame:
    """One row per cost, columns of `SHOWN`."""
    linkable = linkable_groups(people, people_links=truth["people_links"])
    rows = []
    for cost in COSTS:
        linked = link_records(people, replace(matches, threshold=cost / (cost + 1)))
        measures = evaluate_links(
            linked, truth["people_links"], true_people=truth["people"], linkable=linkable
        )
        rows.append({"cost": cost} | {name: measures[name] for name in SHOWN})
    return pd.DataFrame(rows)


def by_evidence(truth: dict[str, pd.DataFrame], matches: Matches) -> pd.DataFrame:
    """Pairs that agree on one thing and show nothing else: how many, how often one person."""
    person = truth["people_links"].set_index(KEY)["person_id"]
    evidence = matches.evidence
    left, right = (
        person.reindex(pd.MultiIndex.from_frame(evidence[[f"source_{s}", f"source_id_{s}"]]))
        for s in ("l", "r")
    )
    same = pd.Series(left.to_numpy() == right.to_numpy(), index=evidence.index)
    best = {
        c["name"]: max(level["value"] for level in c["levels"])
        for c in matches.model["comparisons"]
    }
    fields = [n for n in best if n not in ("system", "opened", "rivals", "country")]
    rows = []
    for words, names in (
        ("the e-mail", ["email"]),
        ("the telephone", ["phone"]),
        ("both names", ["first_name", "last_name"]),
        ("the e-mail and the family name", ["email", "last_name"]),
    ):
        only = pd.Series(True, index=evidence.index)
        for name in fields:
            level = evidence[f"level_{name}"]
            only &= level == (best[name] if name in names else -1)
        rows.append({"agree": words, "pairs": int(only.sum()), "one person": same[only].mean()})
    return pd.DataFrame(rows)


def main() -> None:
    read = {
        name: ROOT / "data" / "truth" / f"{name}.parquet" for name in ("people", "people_links")
    }
    truth = {name: pd.read_parquet(path) for name, path in read.items()}
    people = pd.read_parquet(ROOT / "data" / "staged" / "people.parquet")
    matches = match_people(people, seed=SEED)
    costs, alone = by_cost(people, truth, matches), by_evidence(truth, matches)
    found = evaluate_links(link_records(people, matches), truth["people_links"])["pairs_found"]
    results = {
        "by_cost": costs.round(4).to_dict("records"),
        "by_evidence": alone.round(4).to_dict("records"),
    }
    path = ROOT / "benchmarks" / "results" / "linkage_costs.json"
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (ROOT / "docs" / "linkage_costs.md").write_text(
        page(costs, alone, linked=found), encoding="utf-8"
    )


def page(costs: pd.DataFrame, alone: pd.DataFrame, *, linked: float) -> str:
    """The two tables, and what follows from them."""
    lines = [
        "# What a wrong merge may cost",
        "",
        "Written by `python benchmarks/linkage_costs.py` from the last run on the demo.",
        "",
        "A pair of records is a link when its probability makes the expected cost lower: at a",
        "`false_merge_cost` of 20 (the default, params.yaml), from 95 % on.",
        "",
        "| cost of a wrong merge, in missed matches | links that are right | found of what anybody "
        "could find | customers that mix one home | relatives of one name kept apart |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {int(row.cost)} | {row.precision:.2%} | {row.recall_of_linkable:.1%} "
        f"| {row.household_merge_rate:.2%} | {row.kin_kept_apart:.1%} |"
        for row in costs.itertuples()
    ]
    lines += [
        "",
        "Some pairs agree on one thing and show nothing else. How often these are one person is",
        "the best that anybody can know of them:",
        "",
        "| agree on, and nothing else is known | pairs | one person |",
        "|---|---|---|",
    ]
    lines += [f"| {row[1]} | {row[2]:,} | {row[3]:.1%} |" for row in alone.itertuples()]
    wrong = (alone["pairs"] * (1 - alone["one person"])).sum()
    lines += [
        "",
        f"Who links them all is wrong {wrong:,.0f} times, before any other error; 99.8 % of "
        f"{linked:,.0f} links right allows for {0.002 * linked:,.0f}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
