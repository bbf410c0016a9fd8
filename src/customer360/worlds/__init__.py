"""Where datasets come from: one function, four kinds of world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from customer360.worlds.arrived import Arrived

__all__ = ["WORLDS", "Arrived", "load"]


def load(*, spec: Mapping[str, Any], root: Path) -> Arrived:
    """Read or make everything a dataset delivers.

    Parameters
    ----------
    spec : mapping
        What `datasets/<name>.yaml` says: `world` (demo, complete_journey, cdnow or
        files), `calendar`, `options`...
    root : Path
        Project folder; file paths in the YAML start there.

    Raises
    ------
    ValueError
        For a world or an option that does not exist, naming those that do.
    """
    world = spec.get("world")
    if world not in WORLDS:
        raise ValueError(
            f"datasets/{spec.get('name', '?')}.yaml: world is {world!r}; "
            f"write one of {', '.join(WORLDS)}"
        )
    return WORLDS[world](spec, root)


def _demo(spec: Mapping[str, Any], root: Path) -> Arrived:
    from customer360.worlds import demo

    options = _options(spec, "people", "seed", "years")
    as_of = spec.get("calendar", {}).get("as_of")
    if not as_of:
        raise ValueError(
            f"datasets/{spec.get('name', 'demo')}.yaml: calendar.as_of is empty; a demo world "
            'needs its last day, for example "2025-12-31"'
        )
    return demo.make(as_of=date.fromisoformat(str(as_of)), **options)


def _complete_journey(spec: Mapping[str, Any], root: Path) -> Arrived:
    from customer360.worlds import complete_journey

    _options(spec)
    return complete_journey.read()


def _cdnow(spec: Mapping[str, Any], root: Path) -> Arrived:
    from customer360.worlds import cdnow

    return cdnow.read(sample=bool(_options(spec, "sample").get("sample", False)))


def _files(spec: Mapping[str, Any], root: Path) -> Arrived:
    from customer360.worlds import mapped

    return mapped.read_files(spec=dict(spec), root=root)


def _options(spec: Mapping[str, Any], *known: str) -> dict[str, Any]:
    options = dict(spec.get("options") or {})
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"datasets/{spec.get('name', '?')}.yaml: options {', '.join(unknown)} unknown; "
            f"this world takes {', '.join(known) or 'none'}"
        )
    return options


WORLDS: dict[str, Callable[[Mapping[str, Any], Path], Arrived]] = {
    "demo": _demo,
    "complete_journey": _complete_journey,
    "cdnow": _cdnow,
    "files": _files,
}
