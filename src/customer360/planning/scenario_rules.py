"""The rules of `scenarios.yaml`, read and checked: every problem at once, with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from customer360.contracts import CHANNELS
from customer360.planning.occasions import OCCASIONS
from customer360.planning.pressure import ContactRule

__all__ = ["Scenario", "ScenarioError", "ScenarioRules", "read_scenarios"]

SINCE = "since"


class ScenarioError(ValueError):
    """Rules that cannot be followed. The message names line, scenario and remedy."""


@dataclass(frozen=True)
class Scenario:
    """One message that an occasion sets off.

    Parameters
    ----------
    name, about : str
    when : str
        The occasion, one of `OCCASIONS`.
    wait_days : int, days
        From the occasion to the message; negative for before it.
    channels : tuple of str
        In order of preference.
    content : str
        What to send; `{subject}` stands for the subject of the occasion.
    priority : int
        1 goes first.
    once_in_days : int, days
        A person gets it once in so many days.
    late_days : int, days
        How late it may still go.
    subjects : tuple of str
        Subjects of the occasion that it answers; all when empty.
    at_least : float, optional
        Smallest size of the occasion.
    stop_if : mapping of str to int or None
        Occasion that must not have happened: in so many days before sending, or (None)
        since the occasion.
    """

    name: str
    about: str
    when: str
    wait_days: int
    channels: tuple[str, ...]
    content: str
    priority: int
    once_in_days: int
    late_days: int = 0
    subjects: tuple[str, ...] = ()
    at_least: float | None = None
    stop_if: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def occasions(self) -> set[str]:
        """Occasions that the scenario looks at."""
        return {self.when, *self.stop_if}


@dataclass(frozen=True)
class ScenarioRules:
    """All scenarios and the limits they share.

    Parameters
    ----------
    scenarios : tuple of Scenario
    contact_rules : tuple of ContactRule
        Caps and spacing, campaigns and scenarios together; those of params.yaml.
    daily_capacity : mapping of str to int
        Messages a day by channel, all scenarios together; a channel not named is not limited.
    retention_days : int, days, optional
    control_share : float, share
        Left alone on purpose.
    expires_days : int, days
        After so many days a day's files must not be used.
    traps : mapping
        Arguments of `TrapPoints`.
    """

    scenarios: tuple[Scenario, ...]
    contact_rules: tuple[ContactRule, ...] = ()
    daily_capacity: Mapping[str, int] = field(default_factory=dict)
    retention_days: int | None = None
    control_share: float = 0.0
    expires_days: int = 3
    traps: Mapping[str, Any] = field(default_factory=dict)

    @property
    def occasions(self) -> set[str]:
        """Occasions that any scenario looks at."""
        return set().union(*(scenario.occasions for scenario in self.scenarios))


#: Key, what it must be, in words that complete "write ...".
_KEYS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "about": (str, "a line in words"),
    "when": (str, "an occasion"),
    "wait_days": (int, "a whole number of days, such as 3"),
    "channels": (list, "a list such as [email, sms]"),
    "content": (str, "what to send, such as welcome"),
    "priority": (int, "a whole number; 1 goes first"),
    "once_in_days": (int, "a whole number of days, such as 90"),
    "late_days": (int, "a whole number of days, such as 3; 0 for never late"),
    "subjects": (list, "a list such as [move]"),
    "at_least": ((int, float), "a number, such as 0.4"),
    "stop_if": (dict, "lines such as `order: since` or `claim: 30`"),
}
_OPTIONAL = ("late_days", "subjects", "at_least", "stop_if")
_SHARED: dict[str, tuple[type | tuple[type, ...], str]] = {
    "daily_capacity": (dict, "messages a day by channel, such as {phone: 20}"),
    "retention_days": (int, "a whole number of days, such as 1095"),
    "control_share": ((int, float), "a share below 1, such as 0.05"),
    "expires_days": (int, "a whole number of days, such as 3"),
    "traps": (dict, "email_domain, street, postcode, city and phones of the brand"),
    "scenarios": (dict, "a name, and below it the keys of the scenario"),
}
_TRAPS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "email_domain": (str, "a domain of the brand, such as traps.example.com"),
    "street": (str, "number and street"),
    "postcode": (str, 'the postcode in quotes, such as "44000"'),
    "city": (str, "the town"),
    "phones": (list, 'numbers of the brand in quotes, such as ["+33240000001"]'),
    "country": (str, "two letters, such as FR"),
}


def read_scenarios(
    text: str, *, contact_rules: Iterable[ContactRule] = (), label: str = "scenarios.yaml"
) -> ScenarioRules:
    """Read the rules.

    Parameters
    ----------
    text : str
        YAML.
    contact_rules : iterable of ContactRule
        Caps and spacing of the brand: one place has them (params.yaml), whatever is sent.
    label : str
        Name of the file, for messages.

    Raises
    ------
    ScenarioError
        All problems, a line each: where, what was found, what to write instead.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ScenarioError(
            f"{label}: {where}{getattr(error, 'problem', None) or 'not YAML'}; look at the "
            "indentation, and at brackets that are left open"
        ) from None
    lines: dict[Path, int] = {}
    problems = _Problems(label, lines)
    _find_lines(node, (), lines, problems)
    if not isinstance(content, dict) or not isinstance(content.get("scenarios"), dict):
        problems.add((), "there is no `scenarios:`", f"write {_SHARED['scenarios'][1]} below it")
        problems.stop()
    _check_keys(problems, (), content, _SHARED, optional=tuple(_SHARED))
    scenarios = tuple(
        made
        for name, values in content["scenarios"].items()
        if (made := _scenario(problems, str(name), values))
    )
    if isinstance(content.get("traps"), dict):
        _check_keys(problems, ("traps",), content["traps"], _TRAPS, optional=("phones", "country"))
    capacity = content.get("daily_capacity") or {}
    if isinstance(capacity, dict):
        _check_capacity(problems, capacity)
    share = content.get("control_share", 0.0)
    if isinstance(share, int | float) and not 0 <= share < 1:
        problems.add(("control_share",), f"it is {share}", "write a share below 1, such as 0.05")
    for name in ("retention_days", "expires_days"):
        if isinstance(content.get(name), int) and content[name] < 1:
            problems.add((name,), f"it is {content[name]}", "write 1 or more")
    problems.stop()
    return ScenarioRules(
        scenarios=scenarios,
        contact_rules=tuple(contact_rules),
        daily_capacity=capacity,
        retention_days=content.get("retention_days"),
        control_share=float(share),
        expires_days=content.get("expires_days", 3),
        traps=content.get("traps") or {},
    )


Path = tuple[str, ...]


class _Problems:
    """What is wrong, gathered so that all of it is told at once."""

    def __init__(self, label: str, lines: Mapping[Path, int]):
        self.label, self.lines = label, lines
        self.found: list[str] = []

    def add(self, path: Path, found: str, remedy: str) -> None:
        """Remember one, at the line of the innermost key that is there."""
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self.lines), ())
        where = [f"line {self.lines[known]}"] if known else []
        if path[:1] == ("scenarios",) and len(path) > 1:
            where.append(f"scenario {path[1]}")
        where.append(": ".join(path[2:]) if path[:1] == ("scenarios",) else ": ".join(path))
        place = ", ".join(part for part in where if part)
        self.found.append(f"{self.label}{', ' if place else ''}{place}: {found}; {remedy}")

    def stop(self) -> None:
        """Raise when there is any."""
        if self.found:
            raise ScenarioError("\n".join(self.found))


def _find_lines(node: Any, path: Path, lines: dict[Path, int], problems: _Problems) -> None:
    """Line of every key, by its path; a key that stands twice is a problem."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        inner = (*path, str(key.value))
        if inner in lines:
            # YAML would quietly keep the last one.
            problems.add(inner, "it stands twice", f"see line {key.start_mark.line + 1}; keep one")
        else:
            lines[inner] = key.start_mark.line + 1
            _find_lines(value, inner, lines, problems)


def _did_you_mean(found: object, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(str(found), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"write one of {', '.join(known)}"


def _check_keys(
    problems: _Problems,
    path: Path,
    values: Mapping[str, Any],
    keys: Mapping[str, tuple[Any, str]],
    *,
    optional: tuple[str, ...],
) -> bool:
    """Tell unknown, missing and ill-typed keys; whether all is well."""
    before = len(problems.found)
    for key in values:
        if key not in keys:
            problems.add((*path, str(key)), "no such key", _did_you_mean(key, keys))
    for key, (kind, words) in keys.items():
        if key not in values:
            if key not in optional:
                problems.add(path, f"`{key}` is missing", f"write `{key}:` and {words}")
        elif not isinstance(values[key], kind) or isinstance(values[key], bool):
            problems.add((*path, key), f"it is {values[key]!r}", f"write {words}")
    return len(problems.found) == before


def _scenario(problems: _Problems, name: str, values: Any) -> Scenario | None:
    path = ("scenarios", name)
    if not isinstance(values, dict):
        problems.add(path, "it is empty", f"write its keys below: {', '.join(_KEYS)}")
        return None
    if not _check_keys(problems, path, values, _KEYS, optional=_OPTIONAL):
        return None
    before = len(problems.found)
    if values["when"] not in OCCASIONS:
        problems.add(
            (*path, "when"),
            f"no occasion is called {values['when']!r}",
            _did_you_mean(values["when"], OCCASIONS),
        )
    if not values["channels"]:
        problems.add((*path, "channels"), "there is none", f"write {_KEYS['channels'][1]}")
    for channel in values["channels"]:
        _check_channel(problems, (*path, "channels"), channel)
    for key in ("late_days", "priority", "once_in_days"):
        if values.get(key, 1) < (0 if key == "late_days" else 1):
            problems.add((*path, key), f"it is {values[key]}", f"write {_KEYS[key][1]}")
    if values["once_in_days"] <= values.get("late_days", 0):
        # Otherwise one occasion could send the message twice.
        problems.add(
            (*path, "once_in_days"),
            "it is not longer than late_days",
            f"write more than {values.get('late_days', 0)}",
        )
    stops: dict[str, int | None] = {}
    for occasion, days in (values.get("stop_if") or {}).items():
        if occasion not in OCCASIONS:
            problems.add(
                (*path, "stop_if", str(occasion)), "no such occasion",
                _did_you_mean(occasion, OCCASIONS),
            )  # fmt: skip
        elif days != SINCE and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
            problems.add(
                (*path, "stop_if", occasion), f"it is {days!r}",
                f"write `{occasion}: since` or `{occasion}: 30` (days before sending)",
            )  # fmt: skip
        else:
            stops[occasion] = None if days == SINCE else int(days)
    if len(problems.found) > before:
        return None
    lists = {key: tuple(map(str, values.get(key, ()))) for key in ("channels", "subjects")}
    return Scenario(**{**values, **lists, "name": name, "stop_if": stops})


def _check_capacity(problems: _Problems, capacity: Mapping[Any, Any]) -> None:
    for channel, most in capacity.items():
        _check_channel(problems, ("daily_capacity",), channel)
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            problems.add(
                ("daily_capacity", str(channel)), f"it is {most!r}", "write a whole number, or 0"
            )


def _check_channel(problems: _Problems, path: Path, channel: Any) -> None:
    if channel not in CHANNELS:
        problems.add(path, f"no channel is called {channel!r}", _did_you_mean(channel, CHANNELS))
