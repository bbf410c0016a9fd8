"""The leakage detector: features of a day must not change when the days after it are erased."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["LeakageError", "refuse_leaks"]


class LeakageError(ValueError):
    """A feature knows what happened after its day."""


def refuse_leaks(seen: pd.DataFrame, blind: pd.DataFrame) -> None:
    """Stop when a feature was computed from events after `as_of`.

    Parameters
    ----------
    seen : pandas.DataFrame
        Contract `features`, made from all events.
    blind : pandas.DataFrame
        The same customers and day, made from events cut off after `as_of`.

    Raises
    ------
    LeakageError
        Naming every feature that differs, or saying that other customers are described.
    """
    a, b = (f.set_index("customer_id").sort_index() for f in (seen, blind))
    if not a.index.equals(b.index):
        raise LeakageError(
            f"{len(a.index.symmetric_difference(b.index)):,} customers are described or not by "
            "what happened after as_of: filter the events before naming customers"
        )
    leaks = [name for name in a.columns if not _alike(a[name], b[name])]
    if leaks:
        raise LeakageError(
            f"{', '.join(leaks)} changed when the days after as_of were erased: compute "
            "features from events up to as_of only"
        )


def _alike(a: pd.Series, b: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(a):
        x, y = (c.to_numpy(dtype=float, na_value=np.nan) for c in (a, b))
        return bool(np.allclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True))
    return bool((a.astype(object).fillna("") == b.astype(object).fillna("")).all())
