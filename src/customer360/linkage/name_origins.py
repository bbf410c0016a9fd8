"""Given and family names go together: Fatoumata is more often Diallo than Martin.

Taken one by one, both names of Fatoumata Diallo are rare, and two records that bear them
look like one person; among families of one origin the two together are common. Whoever
ignores that merges strangers, and mostly those of minorities. The names of the file say
how much they go together.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from customer360.linkage.engine_tables import as_pandas

__all__ = ["add_names_together"]

ORIGINS = 8
# Fewer records cannot tell which names go together; more do not tell it better.
FEWEST_RECORDS = 2_000
MOST_RECORDS = 60_000
ITERATIONS = 100
# Of the first guess: the same names say the same in every run.
SEED = 0
# Names that hardly ever meet are no proof that those who bear both are one.
MOST_BITS = 2.0
LEAST_BITS = -10.0


def add_names_together(connection: Any, *, learned: str | None = None) -> None:
    """Add `names_together` to table `records`.

    It is the evidence in bits, beside the rarity of each name alone, of two records that
    bear this first and this family name: below 0 where the two go together. 0 for records
    without both names, and in files too small to tell.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds table `records`.
    learned : str, optional
        Table with first_name, last_name and names_together of an earlier run, taken as it
        is; 0 for names that it does not hold.

    Notes
    -----
    Counts of first by family name are factored as sums of a few origins, in each of which
    the two are independent (non-negative matrix factorisation with the Kullback-Leibler
    loss, which is probabilistic latent semantic analysis).

    References
    ----------
    Hofmann (1999), Probabilistic latent semantic indexing. Gaussier & Goutte (2005),
    Relation between PLSA and NMF.
    """
    if learned:
        together = connection.execute(
            f"""select first_name, last_name, any_value(names_together) as bits from {learned}
            semi join records using (first_name, last_name) group by 1, 2"""
        ).df()
    else:
        together = _learn(connection)
    connection.register("together", together)
    # One column more, rather than all of them again.
    connection.execute(
        """alter table records add column names_together double default 0.0;
        update records set names_together = t.bits from together t
        where records.first_name = t.first_name and records.last_name = t.last_name"""
    )
    connection.unregister("together")


def _learn(connection: Any) -> pd.DataFrame:
    named = as_pandas(
        connection.sql(
            """select first_name, last_name, count(*) as n from records
            where length(first_name) > 1 and length(last_name) > 1
            group by 1, 2 order by md5(first_name || chr(31) || last_name)"""
        )
    )
    return named[["first_name", "last_name"]].assign(bits=_bits(named))


def _bits(named: pd.DataFrame) -> np.ndarray:
    from scipy.sparse import csr_array
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    # In no order, so that the first so many are a sample.
    sample = named[named["n"].cumsum() <= MOST_RECORDS]
    first, firsts = pd.factorize(sample["first_name"])
    last, lasts = pd.factorize(sample["last_name"])
    records = float(sample["n"].sum())
    if records < FEWEST_RECORDS or min(len(firsts), len(lasts)) <= ORIGINS:
        return np.zeros(len(named))
    counts = csr_array((sample["n"].to_numpy(float), (first, last)))
    model = NMF(
        ORIGINS, solver="mu", beta_loss="kullback-leibler", init="nndsvda",
        max_iter=ITERATIONS, random_state=SEED,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        left = model.fit_transform(counts)
    right = model.components_
    one = firsts.get_indexer(pd.Index(named["first_name"]))
    other = lasts.get_indexer(pd.Index(named["last_name"]))
    known = (one >= 0) & (other >= 0)
    joint = np.einsum("ij,ji->i", left[one[known]], right[:, other[known]]) * records
    alone = np.asarray(counts.sum(axis=1)).ravel()[one[known]]
    alone = alone * np.asarray(counts.sum(axis=0)).ravel()[other[known]]
    bits = np.zeros(len(named))
    bits[known] = np.clip(np.log2(alone / np.maximum(joint, 1e-12)), LEAST_BITS, MOST_BITS)
    return bits.round(3)
