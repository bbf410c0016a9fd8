"""Hand a campaign over: its traps are remembered first, then its folder is written.

In that order: a file must never be out of the house before we would know our trap in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from customer360.handoff.files import CampaignFiles
from customer360.handoff.traps import merge_registers
from customer360.storage import Store, write_folder, write_text
from customer360.tracking import find_version, fingerprint

__all__ = ["REGISTER_FILE", "hand_over", "models_behind", "models_used"]

REGISTER_FILE = "data/traps/register.csv"


def hand_over(store: Store, made: CampaignFiles, *, folder: str, brief: str = "") -> Path:
    """Write a campaign's folder, whole or not at all, and remember its traps.

    Parameters
    ----------
    store : Store
    made : CampaignFiles
        From `prepare_campaign`.
    folder : str
        Below the project folder: `data/handoff/<campaign>`. One that is there is replaced.
    brief : str
        HTML of `report.campaign_brief`, written as brief.html; none when empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    HandoffError
        When a trap would name two files; nothing is written.
    """
    register = merge_registers(store.read_csv(REGISTER_FILE), made.traps)
    write_text(store.root / REGISTER_FILE, register.to_csv(index=False, lineterminator="\n"))
    files = made.files | ({"brief.html": brief.encode("utf-8")} if brief else {})
    path = store.root / folder
    path.parent.mkdir(parents=True, exist_ok=True)
    write_folder(path, files)
    return path


def models_used(store: Store, *, stages: Sequence[str]) -> dict[str, dict[str, str]]:
    """What a manifest says of the models behind a list, whatever MLflow knows by then.

    Runs and versions are numbered by each registry: a file made from the same models must
    not differ for that. The fingerprint is a tag of the version; `models_behind` follows it.

    Parameters
    ----------
    store : Store
    stages : sequence of str
        Stages whose scores decided; one that had nothing to learn from is left out.

    Returns
    -------
    dict of str to dict
        By stage: registered (name of the model in MLflow), version (first 12 signs of the
        fingerprint), fingerprint, link (to the model, below the address of the MLflow page).
    """
    used = {}
    for stage in stages:
        folder = store.root / "models" / stage
        # A model that could not be learnt is an empty object: nothing was registered.
        if any(len(p.read_bytes().strip()) > len("{}") for p in folder.glob("*")):
            name, mark = f"{store.dataset()['name']}-{stage}", fingerprint(folder)
            used[stage] = {
                "registered": name,
                "version": mark[:12],
                "fingerprint": mark,
                "link": f"#/models/{name}",
            }
    return used


def models_behind(*, root: Path, manifest: Path) -> dict[str, dict[str, str] | None]:
    """Version and run in MLflow of each model that a manifest names; None where not found.

    Parameters
    ----------
    root : Path
        Folder of the project.
    manifest : Path
        manifest.json of a campaign.

    Returns
    -------
    dict
        By name, as `tracking.find_version` gives it.
    """
    told = json.loads(manifest.read_text(encoding="utf-8"))["models"]
    return {
        name: find_version(root=root, name=one["registered"], fingerprint=one["fingerprint"])
        for name, one in sorted(told.items())
        if "fingerprint" in one
    }
