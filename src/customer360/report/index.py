"""The front page: the dataset, the loop, the key figures and one card per notebook."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from customer360.report.loop import STAGES, Stage, loop_picture
from customer360.report.numbers import amount, number
from customer360.report.page import environment
from customer360.report.prose import dataset_label, inline_html
from customer360.report.read import (
    KeyFigure,
    findings,
    key_figures,
    main_figure_alt,
    main_figure_png,
)

_THUMBNAIL_WIDTH = 720
_FINDINGS_SHOWN = 2


@dataclass(frozen=True)
class Card:
    """What the front page tells of one stage.

    Attributes
    ----------
    stage : Stage
    ran : bool
        False when there is no executed notebook yet.
    findings : tuple of str
        Markdown, in the order of the notebook.
    picture : bytes, optional
        PNG of the main figure.
    alt : str
        What the picture shows.
    """

    stage: Stage
    ran: bool = False
    findings: tuple[str, ...] = ()
    picture: bytes | None = None
    alt: str = ""


#: Numbers of `metrics/<stage>.json` that stand on the front page: key, label, how to write.
_HEADLINES: Mapping[str, tuple[tuple[str, str, Callable[[float, str], str]], ...]] = {
    "cleaning": (("amount_kept", "revenue in the files", amount),),
    "linkage": (
        ("records", "records of people", lambda value, _: number(value, ",.0f")),
        ("customers", "customers behind them", lambda value, _: number(value, ",.0f")),
    ),
    "segmentation": (("segments", "micro-segments", lambda value, _: number(value, ",.0f")),),
    "churn": (("base_rate", "of customers leave", lambda value, _: number(value, ".1%")),),
    "clv": (("total_value", "value of the customer base", amount),),
}

_FACT_LABELS = {
    "country": "Country",
    "currency": "Currency",
    "timezone": "Time zone",
    "margin_rate": "Margin rate",
    "first_day": "First order",
    "calibration_end": "Models learn up to",
    "as_of": "Known up to",
}


def render_index(
    *,
    cards: Sequence[Card],
    facts: Mapping[str, Any],
    tiles: Sequence[KeyFigure] = (),
) -> str:
    """Write the front page as one self-contained HTML file.

    Parameters
    ----------
    cards : sequence of Card
        One per stage; a stage without a card is shown as not run yet.
    facts : mapping
        ``name``, ``about``, ``currency``, ``country``, ``timezone``, ``margin_rate`` and
        ``calendar`` (a mapping of days) of the dataset; any may be missing.
    tiles : sequence of KeyFigure
        Key figures, the most important first.

    Returns
    -------
    str
        HTML; the same input always gives the same bytes.
    """
    by_name = {card.stage.name: card for card in cards}
    shown = [by_name.get(stage.name, Card(stage)) for stage in STAGES]
    return (
        environment()
        .get_template("index.html")
        .render(
            name=dataset_label(str(facts.get("name") or "No dataset yet")),
            about=inline_html(str(facts.get("about") or "")),
            facts=_told(facts),
            loop=loop_picture({card.stage.name for card in shown if card.ran}),
            tiles=tiles,
            cards=[
                {
                    "stage": card.stage,
                    "ran": card.ran,
                    "findings": [inline_html(t) for t in card.findings[:_FINDINGS_SHOWN]],
                    "picture": _thumbnail(card.picture) if card.picture else None,
                    "alt": card.alt,
                }
                for card in shown
            ],
        )
    )


def build_index(*, root: Path) -> str:
    """Write the front page from what the last run left in the project folder.

    Parameters
    ----------
    root : Path
        Project folder; read are ``data/raw/dataset.json``, ``reports/NN_*.ipynb`` and
        ``metrics/*.json``. Whatever is missing is shown as not run yet.

    Returns
    -------
    str
        HTML of ``reports/index.html``.

    Raises
    ------
    ValueError
        When one of these files is there but cannot be read, naming it.
    """
    facts = _read_json(root / "data" / "raw" / "dataset.json")
    cards: list[Card] = []
    tiles: list[KeyFigure] = []
    for stage in STAGES:
        path = root / "reports" / f"{stage.slug}.ipynb"
        if not path.is_file():
            continue
        notebook = _read_notebook(path)
        cards.append(
            Card(
                stage,
                ran=True,
                findings=tuple(findings(notebook)),
                picture=main_figure_png(notebook),
                alt=main_figure_alt(notebook),
            )
        )
        metrics = _read_json(root / "metrics" / f"{stage.name}.json")
        headlines = _headlines(stage.name, metrics, str(facts.get("currency") or ""))
        # A stage without a headline speaks through the first tile of its notebook, unless
        # that says what another stage has said already.
        known = {tile.value for tile in tiles}
        tiles += headlines or [t for t in key_figures(notebook)[:1] if t.value not in known]
    return render_index(cards=cards, facts=facts, tiles=tiles)


def _headlines(stage: str, metrics: Mapping[str, Any], currency: str) -> list[KeyFigure]:
    return [
        KeyFigure(label, write(metrics[key], currency))
        for key, label, write in _HEADLINES.get(stage, ())
        if isinstance(metrics.get(key), int | float)
    ]


def _told(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts as label and value, those we have a word for first."""
    flat = {key: value for key, value in facts.items() if key not in ("name", "about", "calendar")}
    flat |= facts.get("calendar") or {}
    order = [*_FACT_LABELS, *(key for key in flat if key not in _FACT_LABELS)]
    told = []
    for key in order:
        value = flat.get(key)
        if value is None or isinstance(value, dict | list) or value == "":
            continue
        text = number(value, ".0%") if key == "margin_rate" else str(value)
        told.append((_FACT_LABELS.get(key, key.replace("_", " ").capitalize()), text))
    return told


def _thumbnail(png: bytes) -> bytes:
    """The picture at card size, in few colours: a fifth of the bytes, sharp enough."""
    with Image.open(io.BytesIO(png)) as picture:
        coloured = picture.convert("RGBA")
    flat = Image.new("RGB", coloured.size, "white")
    flat.paste(coloured, mask=coloured)
    if flat.width > _THUMBNAIL_WIDTH:
        height = round(flat.height * _THUMBNAIL_WIDTH / flat.width)
        flat = flat.resize((_THUMBNAIL_WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    flat.quantize(128, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{_short(path)} is not valid JSON ({error}); run its stage again"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f"{_short(path)} should hold names and values; run its stage again")
    return content


def _read_notebook(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises several unrelated kinds
        raise ValueError(
            f"{_short(path)} is not a readable notebook; run its stage again"
        ) from error


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
