"""What linkage remembers: the last run that a person accepted.

`customer360 accept-ids` copies what the linkage stage wrote to `data/raw/known`; the next
run reads it there. No stage writes that folder, so that a run depends on its inputs only
(docs/decisions/0007).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customer360.linkage.incremental import Known
from customer360.storage import Store

__all__ = ["Remembered", "accept_ids", "read_known"]

FOLDER = "data/raw/known"
TABLES = ("linked_records", "id_history", "link_pairs", "compared_records")
FILES = (
    *(f"data/linked/{name}.parquet" for name in TABLES),
    "data/linked/model.json",
    "data/raw/dataset.json",
)


@dataclass(frozen=True)
class Remembered:
    """An accepted run.

    Attributes
    ----------
    linked, history : duckdb.DuckDBPyRelation
        Contracts `linked_records` and `id_history`.
    last : Known
        What matching only new records takes.
    """

    linked: Any
    history: Any
    last: Known

    @property
    def last_run(self) -> int:
        """Number of the run that was accepted, as `id_history` counts."""
        return int(self.history.aggregate("coalesce(max(run), 0)").fetchall()[0][0])

    @property
    def has_model(self) -> bool:
        """Whether there were people to compare."""
        return bool(self.last.model.get("comparisons"))


def accept_ids(root: Path) -> dict[str, int]:
    """Remember the ids of the last run, for the next one to keep.

    Parameters
    ----------
    root : Path
        Project folder.

    Returns
    -------
    dict
        customers and records accepted.

    Raises
    ------
    FileNotFoundError
        When the linkage stage has not run.
    """
    if missing := [name for name in FILES if not (root / name).is_file()]:
        raise FileNotFoundError(f"{missing[0]} is not there yet: run `make pipeline` first")
    folder, fresh = root / FOLDER, root / f"{FOLDER}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(root / name, fresh / Path(name).name)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    store = Store.open(root)
    try:
        counts = "count(*), count(DISTINCT customer_id)"
        records, customers = store.read("linked_records").aggregate(counts).fetchall()[0]
    finally:
        store.close()
    return {"customers": customers, "records": records}


def read_known(store: Store) -> Remembered | None:
    """The accepted run, or None when there is none of this dataset.

    Parameters
    ----------
    store : Store
    """
    folder = store.root / FOLDER
    if not (folder / "dataset.json").is_file():
        return None
    if store.read_json(f"{FOLDER}/dataset.json")["name"] != store.dataset()["name"]:
        return None
    tables = {
        name: store.connection.read_parquet(str(folder / f"{name}.parquet")) for name in TABLES
    }
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return Remembered(
        linked=tables["linked_records"],
        history=tables["id_history"],
        last=Known(
            records=tables["compared_records"],
            linked=tables["linked_records"],
            pairs=tables["link_pairs"],
            model=model,
        ),
    )
