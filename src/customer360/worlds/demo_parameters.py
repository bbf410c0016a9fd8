"""Every parameter of the demo world, read from its own code, for `docs/demo_world_parameters.md`.

A parameter is a field of `Laws` or a constant in capitals at the top of a module that
holds numbers; the comment above or beside it says what it means, and its source after
"Source:". A parameter without a source was chosen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.resources import files

from customer360.worlds.demo.laws import Laws

__all__ = ["Parameter", "render_parameters"]

# Modules whose constants are words to draw from, or machinery.
WITHOUT = {"__init__", "text", "phrases", "world", "truth", "chunk"}
LONGEST = 90
CHOSEN = "chosen"


@dataclass(frozen=True)
class Parameter:
    """Name, value as written, meaning and source of a parameter."""

    module: str
    name: str
    value: str
    about: str
    source: str


def parameters() -> list[Parameter]:
    """All parameters, the laws of behaviour first, then module by module."""
    found = [
        Parameter(
            "laws",
            law.name,
            f"{law.default} {law.metadata['unit']}".strip(),
            law.metadata["about"],
            law.metadata["source"],
        )
        for law in fields(Laws)
    ]
    for path in sorted(files("customer360.worlds.demo").iterdir(), key=lambda p: p.name):
        module = path.name.removesuffix(".py")
        if path.name.endswith(".py") and module not in WITHOUT | {"laws"}:
            found += _constants(module, path.read_text(encoding="utf-8"))
    return found


def _constants(module: str, code: str) -> Iterator[Parameter]:
    lines = code.splitlines()
    for node in ast.parse(code).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        names = _names(target)
        if (
            value is None
            or not names
            or not _holds_numbers(value)
            or "range(" in ast.unparse(value)
        ):
            continue
        about, source = _comment(lines, node)
        written = ast.unparse(value)
        if len(written) > LONGEST:
            written = f"{written[:LONGEST]}… (see `{module}.py`)"
        in_words = ", ".join(names).lower().replace("_", " ")
        yield Parameter(module, ", ".join(names), written, about or in_words, source)


def _names(target: ast.expr | None) -> list[str]:
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return [name for name in names if name.isupper() and not name.startswith("_")]


def _holds_numbers(value: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, int | float)
        for node in ast.walk(value)
    )


def _comment(lines: list[str], node: ast.stmt) -> tuple[str, str]:
    """Words beside the constant, else above it; and the source they name."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    beside = lines[last].partition("  # ")[2]
    above = []
    for line in reversed(lines[:first]):
        if not line.startswith("#"):
            break
        above.append(line.lstrip("# ").strip())
    words = " ".join(reversed(above)) if beside in ("", "fmt: skip") else beside
    about, _, source = words.partition("Source:")
    return about.strip().rstrip("."), source.strip().rstrip(".") or CHOSEN


def render_parameters() -> str:
    """The page `docs/demo_world_parameters.md`."""
    out = [
        "# Parameters of the demo world",
        "",
        "Written by `customer360 dictionary` from the code; do not edit. The equations are in",
        "[demo_world.md](demo_world.md).",
    ]
    module = ""
    for parameter in parameters():
        if parameter.module != module:
            module = parameter.module
            out += ["", f"## {module}", "", "| parameter | value | meaning | source |"]
            out.append("|---|---|---|---|")
        cells = (f"`{parameter.name}`", parameter.value, parameter.about, parameter.source)
        out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(out) + "\n"
