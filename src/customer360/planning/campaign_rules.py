"""What a brand decides for its campaigns: `campaigns.yaml`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import yaml

from customer360.contracts import CHANNELS, EXPECTED
from customer360.planning.service import ServiceLevel

__all__ = ["CampaignRules", "CampaignRulesError", "read_campaign_rules"]

PARTS = ("audiences", "service_levels", "traps", "subgroups")
SUBGROUP = ("where", "expect", "declared_on", "channel", "offer")
TRAP = ("email_domain", "street", "postcode", "city", "phones", "country")


class CampaignRulesError(ValueError):
    """`campaigns.yaml` cannot be followed. The message says where, and what may stand there."""


@dataclass(frozen=True)
class CampaignRules:
    """Audiences and subgroups by name, service levels from the plainest on, traps.

    Parameters
    ----------
    audiences : mapping
        As `choose_audiences` takes it.
    service_levels : tuple of ServiceLevel
    traps : mapping
        Arguments of `handoff.traps.TrapPoints`.
    subgroups : mapping
        As `measurement.subgroups.subgroup_effects` takes it; empty where nothing is declared.
    """

    audiences: Mapping[str, Mapping[str, Any]]
    service_levels: tuple[ServiceLevel, ...]
    traps: Mapping[str, Any]
    subgroups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_campaign_rules(text: str) -> CampaignRules:
    """Read the text of `campaigns.yaml`.

    Raises
    ------
    CampaignRulesError
        When it is no YAML, or a part or a key is missing or not known.
    """
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise CampaignRulesError(f"campaigns.yaml is no YAML: {error}") from None
    if not isinstance(content, dict):
        raise CampaignRulesError(f"campaigns.yaml: write {', '.join(PARTS)}")
    _check(content, where="campaigns.yaml", known=PARTS, needed=PARTS[:3])
    for name, rule in content["audiences"].items():
        _check(rule, where=f"audience {name}", known=("where", "by", "top", "channel"))
    declared = content.get("subgroups") or {}
    if not isinstance(declared, dict):
        raise CampaignRulesError("subgroups: write each with its name")
    names = [f.name for f in fields(ServiceLevel)]
    for level in content["service_levels"]:
        _check(level, where="a service level", known=names, needed=names[:-1])
    _check(content["traps"], where="traps", known=TRAP, needed=TRAP[:4])
    phones = tuple(content["traps"].get("phones", ()))
    return CampaignRules(
        audiences=content["audiences"],
        service_levels=tuple(ServiceLevel(**level) for level in content["service_levels"]),
        traps=content["traps"] | {"phones": phones},
        subgroups={n: _declared(rule, where=f"subgroup {n}") for n, rule in declared.items()},
    )


def _declared(rule: Any, *, where: str) -> dict[str, Any]:
    """A subgroup, checked, with the day of its declaration as a date."""
    _check(rule, where=where, known=SUBGROUP, needed=SUBGROUP[:3])
    for key, known in (("expect", EXPECTED), ("channel", (*CHANNELS, None))):
        if rule.get(key) not in known:
            raise CampaignRulesError(f"{where}: {key} is one of {', '.join(filter(None, known))}")
    try:
        return rule | {"declared_on": date.fromisoformat(str(rule["declared_on"]))}
    except ValueError:
        raise CampaignRulesError(f"{where}: write declared_on as a day: 2026-01-31") from None


def _check(given: Any, *, where: str, known: Any, needed: Any = ()) -> None:
    if not isinstance(given, dict):
        raise CampaignRulesError(f"{where}: write keys and values, among {', '.join(known)}")
    if unknown := sorted(set(given) - set(known)):
        raise CampaignRulesError(
            f"{where}: {', '.join(map(str, unknown))} is not understood; "
            f"there are {', '.join(known)}"
        )
    if missing := [name for name in needed if given.get(name) is None]:
        raise CampaignRulesError(f"{where}: {', '.join(missing)} is missing")
