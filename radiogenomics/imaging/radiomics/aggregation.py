"""How the matrices of slices and directions become one value a feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.neighbours import offsets
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]
DirectionalAggregation = Literal["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
Aggregation = Literal["2D", "2_5D", "3D"]


def chosen(features: Iterable[Feature], names: Iterable[str] | None) -> list[Feature]:
    """Features of pyradiomics that are named; without names, all but the redundant ones."""
    known = [feature for feature in features if feature.name]
    if names is None:
        return [feature for feature in known if not feature.extra]
    wanted = frozenset(names)
    return [feature for feature in known if feature.name in wanted]


def by_name(
    features: Iterable[Feature], parts: Iterable[Any], *, names: Iterable[str] | None
) -> dict[str, float]:
    """Means under the names of pyradiomics.

    Parameters
    ----------
    features
        A family; each ``compute`` takes a part → one value for each of its matrices.
    parts
        Stacks of matrices, over all of which the mean goes.
    names
        Features to compute; None: all but the redundant ones.

    Returns
    -------
    name → value in the family's order; NaN where there is no matrix.
    """
    named = {str(feature.name): feature for feature in chosen(features, names)}
    return dict(zip(named, _means(list(named.values()), parts), strict=True))


def by_tag(features: Iterable[Feature], parts: Iterable[Any]) -> dict[str, float]:
    """Means under the tags of the IBSI, of all features that it defines; as `by_name`."""
    tagged = {str(feature.ibsi_name): feature for feature in features if feature.ibsi_name}
    return dict(zip(tagged, _means(list(tagged.values()), parts), strict=True))


def suffixed(values: Mapping[str, float], aggregation: str) -> dict[str, float]:
    """Tags that end in the aggregation, as the IBSI tells its values apart."""
    return {f"{tag}_{aggregation}": value for tag, value in values.items()}


def _means(features: Sequence[Feature], parts: Iterable[Any]) -> list[float]:
    values: list[list[Array]] = [[] for _ in features]
    for part in parts:
        for found, feature in zip(values, features, strict=True):
            found.append(np.atleast_1d(feature.compute(part)))
    return [_mean(np.concatenate(found)) if found else float("nan") for found in values]


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def sections(levels: GreyLevels, aggregation: Aggregation | DirectionalAggregation) -> list[slice]:
    """Parts of the z axis looked at on their own: all of it for 3D, else each slice reached."""
    if aggregation.startswith("3D"):
        return [slice(None)]
    return [slice(int(z), int(z) + 1) for z in np.flatnonzero(levels.levels.any(axis=(1, 2)))]


def half_neighbours(aggregation: Aggregation | DirectionalAggregation) -> Array:
    """Steps to the neighbours at distance 1: 13 in space, 4 within a slice."""
    return offsets((1,), flat_axis=None if aggregation.startswith("3D") else 0)


def directional_counts(
    levels: GreyLevels, aggregation: DirectionalAggregation, *, kernel: Callable[..., Array]
) -> Array:
    """Matrices (M, Ng, ·) of slices and directions, merged as the aggregation says.

    ``2D_avg``: one for each slice and direction. ``2D_comb``: one a slice. ``2_5D_avg``: one a
    direction. ``2_5D_comb`` and ``3D_comb``: one. ``3D_avg``: one a direction in space.

    Parameters
    ----------
    levels
        Region in grey levels.
    aggregation
        One of the six.
    kernel
        ``(levels, count, offsets)`` → counts (A, Ng, ·).
    """
    steps = half_neighbours(aggregation)
    counts = np.stack(
        [
            kernel(levels.levels[section], levels.count, steps)
            for section in sections(levels, aggregation)
        ]
    )
    of_slices, of_directions = 0, 1
    merged = {
        "2D_avg": (),
        "2D_comb": (of_directions,),
        "2_5D_avg": (of_slices,),
        "2_5D_comb": (of_slices, of_directions),
        "3D_avg": (),
        "3D_comb": (of_directions,),
    }[aggregation]
    return counts.sum(axis=merged).reshape(-1, *counts.shape[2:])
