"""Hand a campaign over: its traps are remembered first, then its folder is written.

In that order: a file must never be out of the house before we would know our trap in it.
"""

from __future__ import annotations

from pathlib import Path

from customer360.handoff.files import CampaignFiles
from customer360.handoff.traps import merge_registers
from customer360.storage import Store, write_folder, write_text

__all__ = ["REGISTER_FILE", "hand_over"]

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
