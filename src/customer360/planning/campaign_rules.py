"""What a brand decides for its campaigns: `campaigns.yaml`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import yaml

from customer360.planning.service import ServiceLevel

__all__ = ["CampaignRules", "CampaignRulesError", "read_campaign_rules"]

PARTS = ("audiences", "service_levels", "traps")
TRAP = ("email_domain", "street", "postcode", "city", "phones", "country")


class CampaignRulesError(ValueError):
    """`campaigns.yaml` cannot be followed. The message says where, and what may stand there."""


@dataclass(frozen=True)
class CampaignRules:
    """Audiences by name, service levels from the plainest on, and where traps arrive.

    Parameters
    ----------
    audiences : mapping
        As `choose_audiences` takes it.
    service_levels : tuple of ServiceLevel
    traps : mapping
        Arguments of `handoff.traps.TrapPoints`.
    """

    audiences: Mapping[str, Mapping[str, Any]]
    service_levels: tuple[ServiceLevel, ...]
    traps: Mapping[str, Any]


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
    _check(content, where="campaigns.yaml", known=PARTS, needed=PARTS)
    for name, rule in content["audiences"].items():
        _check(rule, where=f"audience {name}", known=("where", "by", "top", "channel"))
    names = [f.name for f in fields(ServiceLevel)]
    for level in content["service_levels"]:
        _check(level, where="a service level", known=names, needed=names[:-1])
    _check(content["traps"], where="traps", known=TRAP, needed=TRAP[:4])
    phones = tuple(content["traps"].get("phones", ()))
    return CampaignRules(
        audiences=content["audiences"],
        service_levels=tuple(ServiceLevel(**level) for level in content["service_levels"]),
        traps=content["traps"] | {"phones": phones},
    )


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
