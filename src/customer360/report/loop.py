"""The loop and its stages, and the picture of it on the front page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import cos, radians, sin

from markupsafe import Markup, escape

#: capture → link → analyse → plan → execute → measure, and back to the files.
STEPS = ("capture", "link", "analyse", "plan", "execute", "measure")


@dataclass(frozen=True)
class Stage:
    """One stage: one notebook, one question, its place in the loop."""

    number: int
    name: str
    question: str
    steps: tuple[str, ...]

    @property
    def slug(self) -> str:
        """Name of the notebook and its page, without the suffix: ``06_churn``."""
        return f"{self.number:02d}_{self.name}"


STAGES = (
    Stage(1, "cleaning", "What arrived, and can it be trusted?", ("capture",)),
    Stage(2, "linkage", "Which records are the same person?", ("link",)),
    Stage(3, "customers", "Who is each customer?", ("link",)),
    Stage(4, "features", "What did we know on that day?", ("analyse",)),
    Stage(5, "segmentation", "What kinds of customer are there?", ("analyse",)),
    Stage(6, "churn", "Who is leaving, and why?", ("analyse",)),
    Stage(7, "clv", "What is each worth, and what is changing?", ("analyse",)),
    Stage(8, "response", "Who answers what, and because of it?", ("analyse",)),
    Stage(9, "campaigns", "Whom to contact, with what, when, for how much?", ("plan", "execute")),
    Stage(10, "measurement", "What did it earn?", ("measure",)),
    Stage(11, "oracle", "How good could any model be?", ("measure",)),
    Stage(12, "dissatisfaction", "Who is dissatisfied?", ("analyse",)),
    Stage(13, "families", "How does each customer behave, and what moves it?", ("analyse",)),
    Stage(14, "intent", "What is a visitor about to do?", ("analyse",)),
    Stage(15, "scenarios", "What goes out by itself, to whom, when?", ("plan", "execute")),
    Stage(16, "next_best_action", "What would we say to whoever comes now?", ("plan", "execute")),
    Stage(17, "learning", "What do results teach?", ("measure", "plan")),
)


def find_stage(name: str) -> Stage | None:
    """The stage called `name` (``churn`` or ``06_churn``), or None for another page."""
    return next((stage for stage in STAGES if name in (stage.name, stage.slug)), None)


_CENTRE, _RADIUS, _NODE = 220, 156, 47


def loop_picture(ran: Collection[str]) -> Markup:
    """Draw the loop as inline SVG; steps with no stage run yet are only outlined.

    Parameters
    ----------
    ran : collection of str
        Names of the stages that have run.

    Returns
    -------
    Markup
        An ``<svg>`` element that takes its colours from the page.
    """
    turn = 360 / len(STEPS)
    parts = [
        '<svg class="loop" viewBox="0 -12 440 440" role="img" aria-labelledby="loop-title">'
        f'<title id="loop-title">{escape(_spoken(ran))}</title>'
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="5" '
        'markerHeight="5" orient="auto"><path class="tip" d="M0 0 10 5 0 10z"/></marker>'
        '<marker id="tip-back" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="5" '
        'markerHeight="5" orient="auto"><path class="tip back" d="M0 0 10 5 0 10z"/></marker>'
        "</defs>"
    ]
    for position in range(len(STEPS)):
        parts.append(_arrow(position * turn - 90, turn, last=position == len(STEPS) - 1))
    for position, step in enumerate(STEPS):
        parts.append(_node(step, position * turn - 90, ran))
    count = sum(stage.name in ran for stage in STAGES)
    parts.append(
        f'<text class="centre" x="{_CENTRE}" y="{_CENTRE - 4}">one customer id</text>'
        f'<text class="count" x="{_CENTRE}" y="{_CENTRE + 20}">'
        f"{count} of {len(STAGES)} stages run</text></svg>"
    )
    return Markup("".join(parts))


def _spoken(ran: Collection[str]) -> str:
    told = [
        step if any(step in s.steps and s.name in ran for s in STAGES) else f"{step} (not run yet)"
        for step in STEPS
    ]
    return f"The loop: {', '.join(told)}, then back to the files."


def _point(degrees: float, radius: float) -> str:
    x = _CENTRE + radius * cos(radians(degrees))
    y = _CENTRE + radius * sin(radians(degrees))
    return f"{x:.1f} {y:.1f}"


def _arrow(start: float, turn: float, *, last: bool) -> str:
    gap = 21
    begin, end = _point(start + gap, _RADIUS), _point(start + turn - gap, _RADIUS)
    kind, tip = ("arrow back", "tip-back") if last else ("arrow", "tip")
    arrow = (
        f'<path class="{kind}" marker-end="url(#{tip})" '
        f'd="M{begin}A{_RADIUS} {_RADIUS} 0 0 1 {end}"/>'
    )
    if not last:
        return arrow
    # The words of the way back run along a wider arc, clear of the circles.
    outside = _RADIUS + _NODE + 7
    return arrow + (
        f'<path id="way-back" fill="none" d="M{_point(start, outside)}'
        f'A{outside} {outside} 0 0 1 {_point(start + turn, outside)}"/>'
        '<text class="way-back"><textPath href="#way-back" startOffset="50%">'
        "back to the files</textPath></text>"
    )


def _node(step: str, degrees: float, ran: Collection[str]) -> str:
    stages = [stage for stage in STAGES if step in stage.steps]
    numbers = sorted({f"{stages[0].number:02d}", f"{stages[-1].number:02d}"})
    state = "ran" if any(stage.name in ran for stage in stages) else "waiting"
    x, y = _point(degrees, _RADIUS).split()
    return (
        f'<a href="#{stages[0].name}"><g class="node {state}">'
        f'<circle cx="{x}" cy="{y}" r="{_NODE}"/>'
        f'<text class="step" x="{x}" y="{float(y) - 1:.1f}">{step}</text>'
        f'<text class="stages" x="{x}" y="{float(y) + 18:.1f}">{"–".join(numbers)}</text>'
        "</g></a>"
    )
