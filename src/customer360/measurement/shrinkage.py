"""Many small measurements that lend each other strength."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["shrink_effects"]

_Z = 1.959964
_TRIED = 60


def shrink_effects(
    effect: np.ndarray, covariance: np.ndarray, groups: pd.DataFrame
) -> pd.DataFrame:
    r"""Effects drawn to what the groups they belong to have in common, the more the vaguer.

    Parameters
    ----------
    effect : array of float, one per cell
        As measured; NaN where nothing was.
    covariance : array of float, cells x cells
        Of the errors of measurement. Cells not measured are not looked at.
    groups : pandas.DataFrame
        One row per cell: the groups it belongs to, such as a theme and a stage.

    Returns
    -------
    pandas.DataFrame
        One row per cell: shrunk, shrunk_low, shrunk_high (95 %). Cells not measured get
        what their groups say; those of a group in which none was measured stay empty.

    Notes
    -----
    Fay and Herriot (1979): :math:`y = X\beta + v + e`, where X tells the groups, e is chance
    of known covariance and v, of deviation :math:`\tau`, what is each cell's own. A few
    cells hardly tell :math:`\tau`, and an estimate of 0 would claim that there is nothing
    of their own: the answer is averaged over all values, weighed by the restricted
    likelihood (a flat prior on :math:`\tau`, Gelman 2006).
    """
    y, errors = np.asarray(effect, float), np.asarray(covariance, float)
    known = np.isfinite(y)
    told = np.array([groups[name].isin(groups[name][known]) for name in groups]).all(axis=0)
    shrunk = np.full((len(y), 3), np.nan)
    if known.any():
        x = np.column_stack([pd.get_dummies(groups[name]).to_numpy(float) for name in groups])
        x = _full_rank(x, known)
        # A grid that is finest near 0, each value weighed by the width it stands for.
        place = (np.arange(_TRIED) + 0.5) / _TRIED
        most = 2 * np.sqrt(np.var(y[known]) + np.median(np.diag(errors)[known]))
        tried = [_given(deviation, y, errors, x, known) for deviation in most * place**2]
        weight = np.exp([found[0] - max(f[0] for f in tried) for found in tried]) * place
        weight /= weight.sum()
        means, variances = (np.array([found[i] for found in tried]) for i in (1, 2))
        mean = weight @ means
        half = _Z * np.sqrt(weight @ (variances + (means - mean) ** 2))
        shrunk[told] = np.column_stack([mean, mean - half, mean + half])[told]
    return pd.DataFrame(shrunk, columns=["shrunk", "shrunk_low", "shrunk_high"])


def _full_rank(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Columns spanning the same space, none of them told by the others."""
    _, size, axes = np.linalg.svd(x[known], full_matrices=False)
    return x @ axes[size > 1e-9 * size.max()].T


def _given(
    deviation: float, y: np.ndarray, errors: np.ndarray, x: np.ndarray, known: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Restricted log-likelihood of a deviation; mean and variance of each cell under it."""
    own, here = deviation**2, np.eye(len(y))[known]
    x0, y0 = x[known], y[known]
    total = errors[np.ix_(known, known)] + own * np.eye(len(y0))
    weight = np.linalg.inv(total)
    information = x0.T @ weight @ x0
    uncertain = np.linalg.inv(information)
    beta = uncertain @ (x0.T @ weight @ y0)
    rest = y0 - x0 @ beta
    likelihood = -0.5 * (
        np.linalg.slogdet(total)[1] + np.linalg.slogdet(information)[1] + rest @ weight @ rest
    )
    # What a cell has of its own shows in the cells that were measured.
    pull = own * here.T @ weight
    left = x - pull @ x0
    variance = own * (1 - (pull @ here).diagonal())
    variance = variance + np.einsum("ij,jk,ik->i", left, uncertain, left)
    return float(likelihood), x @ beta + pull @ rest, np.maximum(variance, 0.0)
