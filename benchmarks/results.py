"""Run every dataset of the README in a copy of the project; write what came out.

`make results` runs this. It writes docs/results.md and the same table into README.md.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from project import copy_project, repro  # noqa: E402

DATASETS = ("demo", "complete_journey", "cdnow")
ROWS = (
    ("order lines kept", "cleaning", "orders_kept", "{:,.0f}"),
    ("records → customers", "linkage", "linked", "{}"),
    ("linkage precision / recall", "linkage", "quality", "{}"),
    ("silence that means leaving", "features", "horizon_days", "{:.0f} days"),
    ("micro-segments (stability)", "segmentation", "segments_told", "{}"),
    ("churn: share that left", "churn", "base_rate", "{:.1%}"),
    ("churn: average precision", "churn", "average_precision", "{:.3f}"),
    ("… recency alone", "churn", "recency_average_precision", "{:.3f}"),
    ("… P(alive)", "churn", "palive_average_precision", "{:.3f}"),
    ("churn: calibration error", "churn", "calibration_error", "{:.3f}"),
    ("value: purchases foreseen, error", "clv", "holdout_total_error", "{:+.1%}"),
    ("… own past rate", "clv", "naive_holdout_total_error", "{:+.1%}"),
    ("value: rank correlation of purchases", "clv", "spearman_transactions", "{:.3f}"),
    ("value: margin held by the best fifth", "clv", "value_top20_share_captured", "{:.0%}"),
    ("coupons: average precision", "response", "receptiveness_ap", "{:.3f}"),
    ("… best plain rule", "response", "receptiveness_ap_baseline", "{:.3f}"),
    ("uplift: share of the oracle's Qini", "response", "qini_share_of_oracle", "{:.0%}"),
    ("cross-sell: recall@10 of new goods", "response", "crosssell_recall_at_10", "{:.1%}"),
    ("… `implicit`, tuned", "response", "crosssell_implicit", "{:.1%}"),
    ("plan: true margin, best plain policy's = 1", "campaigns", "times_plain", "{:.2f}"),
    ("a year of plans: with learning, without = 1", "measurement", "learning_gain", "{:.2f}"),
    ("… best plain policy's = 1", "measurement", "learning_gain_over_plain_policy", "{:.2f}"),
    ("tests: 95 % intervals that hold the truth", "measurement", "interval_coverage_95", "{:.1%}"),
)


def told(folder: Path) -> dict[str, dict[str, object]]:
    """Metrics of a run, with what the table says in one cell."""
    metrics = {p.stem: json.loads(p.read_text()) for p in (folder / "metrics").glob("*.json")}
    cleaning, linkage = metrics["cleaning"], metrics["linkage"]
    cleaning["orders_kept"] = sum(
        v for k, v in cleaning.items() if k.startswith("orders") and k.endswith("_rows_kept")
    )
    linkage["linked"] = f"{linkage['records']:,} → {linkage['customers']:,}"
    if "precision" in linkage:
        linkage["quality"] = f"{linkage['precision']:.3f} / {linkage['recall']:.3f}"
    plan = metrics["campaigns"]
    if plan.get("true_margin_best_plain_policy", 0) > 0:
        plan["times_plain"] = plan["true_margin"] / plan["true_margin_best_plain_policy"]
    segments = metrics["segmentation"]
    segments["segments_told"] = f"{segments['segments']} ({segments['stability_ari']:.2f})"
    return metrics


def main() -> None:
    runs = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in DATASETS:
            folder = copy_project(Path(scratch) / name, dataset=name)
            started = time.perf_counter()
            repro(folder)
            runs[name] = told(folder)
            print(f"{name}: {time.perf_counter() - started:.0f} s")
    write(runs)


def write(runs: dict[str, dict[str, dict[str, object]]]) -> None:
    """The table of all runs, into docs/results.md and the README."""
    lines = [f"| | {' | '.join(DATASETS)} |", "|---" * (len(DATASETS) + 1) + "|"]
    for label, stage, metric, form in ROWS:
        cells = [
            form.format(runs[d][stage][metric]) if metric in runs[d].get(stage, {}) else "–"
            for d in DATASETS
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    table = "\n".join(lines)
    (ROOT / "docs" / "results.md").write_text(
        "# Results\n\nWritten by `make results`: each dataset through the whole pipeline, models "
        f"judged once on a later holdout.\n\n{table}\n",
        encoding="utf-8",
    )
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = f"<!-- results: make results -->\n{table}\n<!-- end of results -->"
    text = re.sub(r"(?s)<!-- results: .*?<!-- end of results -->", lambda _: block, text)
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
