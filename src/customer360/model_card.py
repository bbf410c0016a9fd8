"""Model cards: one page on a model that a reviewer can read, question and sign.

After Mitchell et al. (2019), *Model Cards for Model Reporting*. A card says what the
model is for and what not, on whom and when it was judged, against which simpler
answers, for whom it is worse, and until when it may be used.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import pandas as pd

__all__ = ["format_number", "render_card"]


def format_number(value: Any) -> str:
    """A number for a reader: 12,345 · 1,235 · 0.4127 · an en dash when there is none.

    Examples
    --------
    >>> format_number(12345), format_number(0.41268), format_number(float("nan"))
    ('12,345', '0.4127', '–')
    """
    if value is None or value is pd.NA:
        return "–"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    number = float(value)
    if math.isnan(number):
        return "–"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if number != 0 and abs(number) < 1e-4:
        return f"{number:.2e}"
    if number.is_integer() or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.4g}"


def render_card(
    *,
    title: str,
    purpose: str,
    data_window: str,
    population: str,
    intended_use: Sequence[str],
    not_for: Sequence[str],
    metrics: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    slices: pd.DataFrame | None,
    limits: Sequence[str],
    thresholds: Mapping[str, Any] | None,
    expiry: dt.date | str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    smallest_slice: int = 10,
) -> str:
    """Render the card of one model version as Markdown.

    Parameters
    ----------
    title : str
        Name of the model and its dataset.
    purpose : str
        The question it answers, in a sentence.
    data_window : str
        From when to when it learnt and was judged.
    population : str
        Who is in and who is not, with how many customers.
    intended_use, not_for : sequence of str
        Uses it was made for, and uses that are a mistake.
    metrics : mapping of str to float
        Measured on the holdout.
    baselines : mapping of str to mapping
        Name of a simpler answer to the same metrics for it; those it lacks show as –.
    slices : DataFrame, optional
        One row per group of customers: first column its name, a column `customers`
        with its size, then metrics.
    limits : sequence of str
        What is known to be wrong or untested.
    thresholds : mapping
        Group ``review.<stage>`` of ``params.yaml``.
    expiry : date or str
        Day on which it must be judged again; the caller counts it from `as_of`.
    intervals : mapping of str to tuple, optional
        Metric to the ends of its 95 % interval over customers.
    smallest_slice : int
        Groups of fewer customers are not shown: their figures would speak of
        persons, and mean nothing.

    Returns
    -------
    str
        Markdown that ends in one newline. Equal input gives equal text.

    Raises
    ------
    ValueError
        When `slices` has no column `customers`, or nothing says what the model is for
        and not for.
    """
    for name, given in (
        ("intended_use", intended_use),
        ("not_for", not_for),
        ("limits", limits),
    ):
        if isinstance(given, str) or not given:
            raise ValueError(f"model card {title!r}: {name} must list at least one sentence")
    parts = [
        f"# {title}",
        purpose,
        "## Data",
        f"- **Window:** {data_window}\n- **Population:** {population}",
        "## Use",
        f"Made for:\n\n{_bullets(intended_use)}",
        f"Not for:\n\n{_bullets(not_for)}",
        "## Results on the holdout",
        _results(metrics, baselines, intervals or {}),
        *_slices(slices, smallest_slice),
        "## Known limits",
        _bullets(limits),
        *_replacing(thresholds),
        "## Expiry",
        f"To be judged again by **{expiry}**. After that day, do not decide on it.",
        "## Sign-off",
        "| Reviewed by | Date | Decision |\n| --- | --- | --- |\n| | | |",
    ]
    return "\n\n".join(parts) + "\n"


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, text to the left and numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _results(
    metrics: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, tuple[float, float]],
) -> str:
    def between(name: str) -> list[str]:
        if not intervals:
            return []
        return [" to ".join(f"{end:.3g}" for end in intervals.get(name, ())) or "–"]

    return _table(
        ["Metric", "This model", *(["95 % interval"] if intervals else []), *baselines],
        [
            [
                name,
                format_number(value),
                *between(name),
                *[format_number(baseline.get(name)) for baseline in baselines.values()],
            ]
            for name, value in metrics.items()
        ],
    )


def _slices(slices: pd.DataFrame | None, smallest_slice: int) -> list[str]:
    if slices is None or slices.empty:
        return []
    if "customers" not in slices.columns:
        raise ValueError("the slices of a model card need a column 'customers', the group's size")
    shown = slices[slices["customers"] >= smallest_slice]
    rows = [
        [str(row[0]), *[format_number(value) for value in row[1:]]]
        for row in shown.itertuples(index=False, name=None)
    ]
    parts = ["## By group", _table([str(name) for name in slices.columns], rows)]
    if hidden := len(slices) - len(shown):
        word = "group" if hidden == 1 else "groups"
        parts.append(f"{hidden} {word} of fewer than {smallest_slice} customers not shown.")
    return parts


def _replacing(thresholds: Mapping[str, Any] | None) -> list[str]:
    if thresholds is None:
        return []
    return ["## When it may replace the model in use", _bullets(_conditions(thresholds))]


def _conditions(thresholds: Mapping[str, Any]) -> list[str]:
    """The thresholds of a review in words."""
    metric, gain = thresholds["metric"], float(thresholds.get("min_gain", 0.0))
    direction = "higher" if thresholds["higher_is_better"] else "lower"
    words = {
        gain == 0: "at least as good as that of the model in use",
        gain > 0: f"better by at least {format_number(gain)}",
        gain < 0: f"at most {format_number(-gain)} worse",
    }[True]
    sentences = [f"{metric} ({direction} is better): {words}"]
    bound_words = {"min": "at least", "max": "at most", "abs_max": "no further from zero than"}
    for name, bounds in (thresholds.get("limits") or {}).items():
        sentences += [
            f"{name}: {bound_words[kind]} {format_number(bound)}" for kind, bound in bounds.items()
        ]
    return sentences
