"""The brief of a campaign: one page that a campaign manager reads before sending anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import narwhals as nw
from narwhals.typing import IntoDataFrame

from customer360.report.numbers import amount, number
from customer360.report.page import environment
from customer360.report.prose import dataset_label, inline_html

#: Numbers that are no amounts, by the end of their name, and how they are written.
_NOT_MONEY = {"share": ".0%", "probability": ".0%", "rate": ".1%"}
_COUNTS = ("orders", "contacts", "messages", "customers", "purchases")
_REGISTERED = re.compile(r"^models:/([^/]+)/(\w+)$")
_MLFLOW = "http://127.0.0.1:5000/"
_NEVER = (
    "Write or call nobody in **control.csv**: only against them can the result be measured.",
    "Use a file for **its own channel only**: the people in it agreed to that one, not to others.",
    "Add nobody and join no other list: limits on messages were checked for these people together.",
    "Pass no file on. Each one holds an address of ours that stands in no other, "
    "so we see where a leak came from.",
)


def campaign_brief(
    manifest: Mapping[str, Any],
    *,
    dataset: str,
    currency: str = "",
    counts: IntoDataFrame | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    never: Sequence[str] = (),
    limits: Sequence[str] = (),
) -> str:
    """Write the brief of a campaign as one self-contained HTML page.

    Parameters
    ----------
    manifest : mapping
        Content of its manifest.json. In `expected`, a number may have its interval beside
        it: margin, margin_low, margin_high; cost is what the messages cost.
    dataset : str
        Name of the dataset.
    currency : str
        ISO 4217 code of the amounts.
    counts : frame, optional
        Segment (text), channel, messages: how many of which kind get what. One row each.
    starts_on, ends_on : date, optional
        First and last day of sending.
    never, limits : sequence of str
        What not to do, beside the rules of every campaign, and what cannot be known:
        Markdown, a sentence each.

    Returns
    -------
    str
        HTML; the same input always gives the same bytes.
    """
    expected = _with_intervals(manifest["expected"], currency)
    return (
        environment()
        .get_template("brief.html")
        .render(
            # scenarios-2026-01-02: the day keeps its dashes.
            title=re.sub(r"(?<!\d)[-_]|[-_](?!\d)", " ", manifest["campaign_id"]).capitalize(),
            dataset=dataset_label(dataset),
            manifest=manifest,
            tiles=_tiles(manifest, expected),
            days=[
                _in_words(day, weekday=True)
                for day in sorted({day for day in (starts_on, ends_on) if day})
            ],
            made_on=_in_words(date.fromisoformat(manifest["made_on"])),
            expires_on=_in_words(date.fromisoformat(manifest["expires_on"])),
            grid=_grid(counts),
            expected=expected,
            thresholds=_with_intervals(manifest["thresholds"], currency),
            models=[_model(name, told) for name, told in sorted(manifest["models"].items())],
            files=[
                {**told, "name": name, "rows": number(told["rows"], ",.0f")}
                for name, told in sorted(manifest["files"].items())
            ],
            never=[inline_html(text) for text in (*_NEVER, *never)],
            limits=[inline_html(text) for text in limits],
        )
    )


def _tiles(manifest: Mapping[str, Any], expected: list[dict[str, str]]) -> list[dict[str, str]]:
    """The four numbers to know before anything else."""
    # incremental_margin, expected_margin: the first that is a margin.
    sure = [row["value"] for row in expected if row["key"] == "confirmed_margin"]
    hoped = [row for row in expected if row["key"] != "confirmed_margin"]
    told = {row["key"].rpartition("_")[2]: row for row in reversed(hoped)}
    tiles = [
        {
            "label": "people to contact",
            "value": number(manifest["customers_contacted"], ",.0f"),
            "note": "",
        },
        {
            "label": "left alone on purpose",
            "value": number(manifest["customers_in_control"], ",.0f"),
            "note": "control group",
        },
    ]
    for key, label in (("margin", "extra margin expected"), ("cost", "cost of the messages")):
        if key in told:
            row = told[key]
            note = row["interval"]
            if key == "margin" and sure:
                note = note or f"{sure[0]} confirmed by past hold-outs"
            tiles.append({"label": label, "value": row["value"], "note": note})
    return tiles


def _with_intervals(numbers: Mapping[str, float], currency: str) -> list[dict[str, str]]:
    """Rows of name, value and interval; `x_low` and `x_high` stand beside `x`."""
    rows = []
    for key, value in numbers.items():
        if any(key == f"{other}{end}" for other in numbers for end in ("_low", "_high")):
            continue
        ends = [numbers.get(f"{key}{end}") for end in ("_low", "_high")]
        shown = [_written(key, end, currency) for end in ends if end is not None]
        rows.append(
            {
                "key": key,
                "name": key.replace("_", " "),
                "value": _written(key, value, currency),
                "interval": f"{shown[0]} to {shown[1]}" if len(shown) == 2 else "",
            }
        )
    return rows


def _written(key: str, value: float, currency: str) -> str:
    for end, spec in _NOT_MONEY.items():
        if key.endswith(end):
            return number(value, spec)
    if key.startswith(_COUNTS) or key.endswith((*_COUNTS, "days")):
        return number(value, ",.0f")
    return amount(value, currency)


def _in_words(day: date, *, weekday: bool = False) -> str:
    words = f"{day.day} {day:%B %Y}".replace(" ", "\u00a0")
    return f"{day:%A}\u00a0{words}" if weekday else words


def _grid(counts: IntoDataFrame | None) -> dict[str, Any] | None:
    """Messages by kind of customer and channel, the most numerous first, with totals."""
    if counts is None:
        return None
    rows = nw.from_native(counts, eager_only=True).select("segment", "channel", "messages")
    cells: dict[tuple[str, str], int] = {}
    for segment, channel, messages in rows.iter_rows():
        cells[segment, channel] = cells.get((segment, channel), 0) + int(messages)
    of_segment = _sums(cells, 0)
    of_channel = _sums(cells, 1)
    return {
        "channels": list(of_channel),
        "rows": [
            (name, [_count(cells.get((name, c), 0)) for c in of_channel], _count(total))
            for name, total in of_segment.items()
        ],
        "totals": [*map(_count, of_channel.values()), _count(sum(cells.values()))],
    }


def _sums(cells: Mapping[tuple[str, str], int], side: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, messages in cells.items():
        sums[key[side]] = sums.get(key[side], 0) + messages
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _count(value: int) -> str:
    return number(value, ",.0f") if value else "–"


def _model(name: str, told: Any) -> dict[str, str]:
    """Name, version and link of a model; one of the registry opens in MLflow's pages."""
    version, link = (
        (told.get("version"), told.get("link", "")) if isinstance(told, Mapping) else (told, "")
    )
    link = _REGISTERED.sub(r"#/models/\1/versions/\2", link)
    if link.startswith("#/"):
        link = _MLFLOW + link
    safe = link if link.startswith(("http://", "https://")) else ""
    return {"name": name.replace("_", " "), "version": str(version), "link": safe}
