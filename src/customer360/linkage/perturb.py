"""Wrong links made on purpose, to see what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from customer360.linkage.engine_tables import as_arrow

__all__ = ["perturb_links"]


def perturb_links(
    linked: Any, *, false_merges: float = 0.0, false_splits: float = 0.0, seed: int
) -> pd.DataFrame:
    """Merge some customers with a stranger, and tear some apart.

    Parameters
    ----------
    linked : frame
        Contract `linked_records`.
    false_merges : float
        Share of the customers that are merged with another one, drawn at random.
    false_splits : float
        Share of the customers whose records are torn into two; only customers of several
        records can be.
    seed : int
        Of the draw.

    Returns
    -------
    pandas.DataFrame
        Contract `linked_records`, sorted by key: the same records with other customers.

    Raises
    ------
    ValueError
        If a share does not lie between 0 and 1.
    """
    for name, share in (("false_merges", false_merges), ("false_splits", false_splits)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is a share of the customers, between 0 and 1")
    table = as_arrow(linked).to_pandas().sort_values(["source", "source_id"], ignore_index=True)
    rng = np.random.default_rng(seed)
    codes, customers = pd.factorize(table["customer_id"], sort=True)
    sizes = np.bincount(codes, minlength=len(customers))
    several = np.flatnonzero(sizes > 1)
    torn = rng.choice(several, min(round(false_splits * len(customers)), len(several)), False)
    # Two by two, so that as many customers are wrong as were asked for.
    merged = rng.choice(len(customers), 2 * round(false_merges * len(customers) / 2), False)
    new_code = np.arange(len(customers))
    new_code[merged[1::2]] = merged[::2]
    ids = np.asarray(customers, dtype=object)[new_code[codes]]
    # The records of a customer in random order: the first half leaves.
    place = pd.Series(rng.random(len(table))).groupby(codes).rank(method="first").to_numpy()
    leaves = np.isin(codes, torn) & (place <= sizes[codes] // 2)
    ids[leaves] = ids[leaves] + "-part"
    return table.assign(customer_id=ids)
