"""Micro-segments: as many as resampling leaves standing, none below the privacy floor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

__all__ = [
    "SEGMENT_FEATURES",
    "SegmentationModel",
    "choose_segments",
    "explained_share",
    "name_segments",
]

SEGMENT_FEATURES = (
    "recency_days",
    "frequency",
    "monetary_value",
    "gap_mean_days",
    "discount_share",
    "main_category_share",
    "basket_lines",
    "effective_categories",
    "effective_channels",
    "affinity",
)
# Amounts and counts are heavy-tailed: a logarithm lets a big customer be far, not alone.
LOGARITHMIC = {"recency_days", "frequency", "monetary_value", "gap_mean_days", "basket_lines"}
MOST_ROWS = 20_000
LEAST_STRETCH = 0.25


@dataclass(frozen=True)
class SegmentationModel:
    """K-means on standardised features, as plain numbers.

    Attributes
    ----------
    features : tuple of str
        Columns used, in order.
    fill, centre, scale : tuple of float
        Median put where a value is missing, mean and standard deviation after it.
    centroids : tuple of tuple of float
        One per segment; segments are numbered by falling average value.
    names : tuple of str
        One-line names.
    """

    features: tuple[str, ...]
    fill: tuple[float, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    centroids: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Standardised matrix, one row per row of `frame`."""
        return (_matrix(frame, self.features, self.fill) - self.centre) / self.scale

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Segment of each row.

        Parameters
        ----------
        frame : pandas.DataFrame
            Contract `features`; only `self.features` are read.

        Returns
        -------
        pandas.DataFrame
            segment (int), segment_name (str), in the order and index of `frame`.
        """
        segment = _nearest(self.transform(frame), np.asarray(self.centroids))
        return pd.DataFrame(
            {"segment": segment, "segment_name": np.asarray(self.names, dtype=object)[segment]},
            index=frame.index,
        )

    def save(self, path: Path) -> None:
        """Write the model as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> SegmentationModel:
        """Read a model written by `save`."""
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        values["centroids"] = tuple(tuple(row) for row in values["centroids"])
        return cls(**{k: tuple(v) for k, v in values.items()})


def choose_segments(
    features: pd.DataFrame,
    *,
    candidates: Sequence[int],
    min_segment: int,
    stability_floor: float,
    resamples: int,
    seed: int,
    past: pd.DataFrame | None = None,
) -> tuple[SegmentationModel, pd.DataFrame]:
    """Fit the finest segmentation that survives resampling.

    For each number of segments, k-means is fitted on pairs of bootstrap samples and
    both models segment all customers; the adjusted Rand index says how far they agree
    (Hubert & Arabie 1985; Hennig 2007). The largest number whose agreement reaches the
    floor and whose smallest segment respects privacy is kept or, where the `past` is given,
    the one of them that tells most of what customers then brought; when none is stable
    enough, the most stable one that respects privacy; when none respects it, one segment.

    Parameters
    ----------
    features : pandas.DataFrame
        One row per customer_id, contract `features`.
    candidates : sequence of int
        Numbers of segments to try.
    min_segment : int
        Privacy floor, customers.
    stability_floor : float
        Adjusted Rand index asked for, 0 to 1.
    resamples : int
        Pairs of bootstrap samples.
    seed : int
    past : pandas.DataFrame, optional
        Customers as known on an earlier day, with future_margin (currency): the use of a
        segmentation is what it tells of it. Traits that told more of it weigh more.

    Returns
    -------
    model : SegmentationModel
        Named by `name_segments`.
    trials : pandas.DataFrame
        One row per number tried: segments, stability_ari, smallest_segment,
        value_explained (empty without `past`), chosen.
    """
    used = _known(features)
    fill = tuple(float(v) for v in _matrix(features, used, None, median=True))
    matrix = _matrix(features, used, fill)
    centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    if past is not None and len(past):
        scale = scale / _usefulness(past, used)
    standard = (matrix - centre) / scale
    rng = np.random.default_rng(seed)
    sample = standard
    if len(standard) > MOST_ROWS:
        sample = standard[np.sort(rng.choice(len(standard), MOST_ROWS, replace=False))]
    pairs = rng.integers(0, len(sample), (2 * resamples, len(sample)))
    distinct = len(np.unique(sample, axis=0))
    rows, fits = [], {}
    with threadpool_limits(limits=1):
        for k in candidates:
            if k > distinct or (k > 1 and k * min_segment > len(standard)):
                continue
            fits[k] = _kmeans(sample, k, seed)
            labels = [_nearest(sample, _kmeans(sample[rows_], k, seed)) for rows_ in pairs]
            agree = [
                adjusted_rand_score(a, b) for a, b in zip(labels[::2], labels[1::2], strict=True)
            ]
            sizes = np.bincount(_nearest(standard, fits[k]), minlength=k)
            rows.append((k, float(np.mean(agree)), int(sizes.min())))
        if all(smallest < min_segment for _, _, smallest in rows):
            # No split respects the floor: one segment, on which all samples agree.
            fits[1] = standard.mean(axis=0, keepdims=True)
            rows = [row for row in rows if row[0] > 1]
            rows.insert(0, (1, 1.0, len(standard)))
    private = [row for row in rows if row[2] >= min_segment or row[0] == 1]
    stable = [row for row in private if row[1] >= stability_floor]
    trials = pd.DataFrame(rows, columns=["segments", "stability_ari", "smallest_segment"])
    use = np.full(len(trials), np.nan)
    if past is not None and len(past):
        standard_past = (_matrix(past, used, fill) - centre) / scale
        for i, k in enumerate(trials["segments"]):
            label = _nearest(standard_past, fits[k])
            use[i] = explained_share(label, past["future_margin"].to_numpy(dtype=float))
    trials["value_explained"] = use
    told = dict(zip(trials["segments"], use, strict=True))
    # The most useful, or finest, that is stable enough; failing that, the most stable one.
    if stable:
        chosen = max(stable, key=lambda row: (np.nan_to_num(told[row[0]]), row[0]))[0]
    else:
        chosen = max(private, key=lambda row: row[1])[0]
    trials["chosen"] = trials["segments"] == chosen
    centroids = fits[chosen]
    order = _order_by_value(features, _nearest(standard, centroids), chosen)
    model = SegmentationModel(
        features=tuple(used),
        fill=fill,
        centre=tuple(float(v) for v in centre),
        scale=tuple(float(v) for v in scale),
        centroids=tuple(tuple(round(float(v), 9) for v in row) for row in centroids[order]),
        names=tuple(str(i) for i in range(chosen)),
    )
    names = name_segments(features, model.predict(features)["segment"])
    return SegmentationModel(**{**asdict(model), "names": tuple(names)}), trials


def explained_share(segment: np.ndarray, future_margin: np.ndarray) -> float:
    """Share of the variance of log(1 + margin) that lies between segments (eta squared).

    A few giants would decide alone on the plain scale.
    """
    value = np.log1p(future_margin.clip(min=0))
    groups = pd.Series(value).groupby(segment)
    total = ((value - value.mean()) ** 2).sum()
    between = (groups.size() * (groups.mean() - value.mean()) ** 2).sum()
    return float(between / total) if total > 0 else 0.0


WORDS: Mapping[str, tuple[str, str]] = {
    "recency_days": ("silent for long", "bought lately"),
    "frequency": ("frequent", "seldom"),
    "monetary_value": ("large baskets", "small baskets"),
    "gap_mean_days": ("long pauses", "short pauses"),
    "discount_share": ("on promotion", "full price"),
    "main_category_share": ("one category", "many categories"),
    "basket_lines": ("many articles", "few articles"),
    "effective_categories": ("varied tastes", "narrow taste"),
    "effective_channels": ("several channels", "one channel"),
    "affinity": ("buys things together", "buys things apart"),
}


def name_segments(features: pd.DataFrame, segment: pd.Series) -> list[str]:
    """Name each segment by what sets it most apart from the crowd.

    Parameters
    ----------
    features : pandas.DataFrame
        Contract `features`.
    segment : pandas.Series
        Segment number of each row, 0 to k - 1.

    Returns
    -------
    list of str
        Such as ``"Frequent, large baskets, bought lately"``; all different.
    """
    ranks = pd.DataFrame({n: features[n].rank(pct=True) - 0.5 for n in _known(features)}).fillna(
        0.0
    )
    means = ranks.groupby(segment.to_numpy()).mean()
    names: list[str] = []
    for _, row in means.iterrows():
        strongest = row.abs().sort_values(ascending=False, kind="stable")
        told = [f for f in strongest.index if strongest[f] >= 0.05] or list(strongest.index[:1])
        words = [WORDS[f][0] if row[f] > 0 else WORDS[f][1] for f in told]
        # Three traits serve most; a fourth is added where a name is already taken.
        name = next(
            (n for size in range(3, len(words) + 1) if (n := _sentence(words[:size])) not in names),
            _sentence(words[:3]),
        )
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    return names


def _known(features: pd.DataFrame) -> list[str]:
    """Traits that are there and say something: one that is the same for all does not."""
    there = [n for n in SEGMENT_FEATURES if n in features and features[n].notna().any()]
    return [n for n in there if features[n].nunique() > 1] or there[:1]


def _sentence(words: Sequence[str]) -> str:
    text = ", ".join(words)
    return text[:1].upper() + text[1:]


def _matrix(
    frame: pd.DataFrame, names: Sequence[str], fill: Sequence[float] | None, median: bool = False
) -> Any:
    table = frame[list(names)].astype(float)
    for name in LOGARITHMIC.intersection(names):
        table[name] = np.log1p(table[name].clip(lower=0))
    if median:
        return table.median().to_numpy()
    return table.fillna(dict(zip(names, fill or (), strict=True))).to_numpy(dtype=float)


def _kmeans(matrix: np.ndarray, k: int, seed: int) -> np.ndarray:
    return KMeans(n_clusters=k, n_init=3, random_state=seed).fit(matrix).cluster_centers_


def _usefulness(past: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """How far each trait stretches: by its rank correlation with the margin that followed.

    Traits that tell nothing of the future keep a part, for they still tell people apart.
    """
    future = past["future_margin"].rank()
    told = past[list(names)].rank().corrwith(future).abs().fillna(0.0).to_numpy()
    return np.maximum(LEAST_STRETCH, told / max(told.max(), 1e-9))


def _nearest(matrix: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    # |x - c|² without |x|², which is the same for all c.
    return np.argmin((centroids**2).sum(axis=1) - 2 * matrix @ centroids.T, axis=1)


def _order_by_value(features: pd.DataFrame, segment: np.ndarray, k: int) -> np.ndarray:
    value = features["net_amount"].fillna(0.0).groupby(segment).mean().reindex(range(k))
    return value.fillna(-np.inf).sort_values(ascending=False, kind="stable").index.to_numpy()
