"""What wrong links cost, on the last run: docs/link_errors.md, its figure and its numbers.

After `make pipeline` on the demo: `.venv/bin/python benchmarks/link_errors.py [PROJECT FOLDER]`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

from customer360.link_errors import link_error_costs
from customer360.plots.clv import link_errors, use_style
from customer360.storage import Store

ROOT = Path(__file__).resolve().parents[1]
SEED = 360
COLUMNS = {
    "customers_change": "customers",
    "clv_change": "value of the base",
    "alive_change": "customers still there",
    "silent_list_change": "win-back list",
    "best_wrong": "wrong on the list of the best tenth",
    "silent_wrong": "wrong on the win-back list",
}


def main(folder: Path) -> None:
    matplotlib.use("Agg")
    store = Store.open(folder)
    silence = store.snapshots().horizon_days
    table = link_error_costs(
        store.read("staged.orders"),
        store.read("linked_records"),
        as_of=store.calendar().as_of,
        silence_days=silence,
        seed=SEED,
    )
    name, currency = store.dataset()["name"], store.dataset()["currency"]
    store.close()
    use_style()
    link_errors(table).figure.savefig(ROOT / "docs" / "images" / "link_errors.png", dpi=110)
    none = table.iloc[0]
    rows = [f"| error | of customers | {' | '.join(COLUMNS.values())} |", "|---" * 8 + "|"]
    for row in table.iloc[1:].to_dict("records"):
        cells = [f"{row[c]:+.2%}" if c.endswith("change") else f"{row[c]:.1%}" for c in COLUMNS]
        rows.append(f"| {row['error']} | {row['share']:.1%} | {' | '.join(cells)} |")
    worst = table.iloc[1:].loc[table["share"].iloc[1:].idxmax()]
    merges = table[(table["error"] == "false merges") & (table["share"] == worst["share"])].iloc[0]
    splits = table[(table["error"] == "false splits") & (table["share"] == worst["share"])].iloc[0]
    lines = [
        "# What wrong links cost",
        "",
        f"Written by `benchmarks/link_errors.py` on `{name}`: {none['customers']:,.0f} customers "
        f"who bought, worth {none['clv']:,.0f} {currency} over a year. Links are made wrong on "
        f"purpose (seed {SEED}), then purchase days, BG/NBD and Gamma-Gamma models, values "
        "and lists are computed anew. Changes are against the links as they are, which hold errors "
        "of their own.",
        "",
        *rows,
        "",
        "![Change of value, customers and lists by share of wrong links](images/link_errors.png)",
        "",
        f"- Totals hardly tell: at {worst['share']:.0%} wrong, the value of the base moves by "
        f"{merges['clv_change']:+.2%} (merges) and {splits['clv_change']:+.2%} (splits).",
        f"- Lists do: {merges['best_wrong']:.1%} of the records on the list of the best tenth do "
        f"not belong there with wrong merges, {splits['best_wrong']:.1%} with wrong splits.",
        f"- On the win-back list (silent for {silence} days), splits put "
        f"{splits['silent_wrong']:.1%} of records that are no leavers, merges "
        f"{merges['silent_wrong']:.1%}.",
        "- Strangers are merged at random here; real wrong merges join people of one household.",
        "",
    ]
    (ROOT / "docs" / "link_errors.md").write_text("\n".join(lines), encoding="utf-8")
    values = json.dumps(table.round(6).to_dict("records"), indent=2) + "\n"
    (ROOT / "benchmarks" / "results" / "link_errors.json").write_text(values, encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
