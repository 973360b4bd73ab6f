"""All texture families of one image from its grey levels, with as few passes as they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.glcm import glcm_features
from radiogenomics.imaging.radiomics.gldm import gldm_features
from radiogenomics.imaging.radiomics.glrlm import glrlm_features
from radiogenomics.imaging.radiomics.glszm import glszm_features
from radiogenomics.imaging.radiomics.neighbours import (
    Norm,
    offset_lengths,
    offset_weights,
    offsets,
)
from radiogenomics.imaging.radiomics.ngtdm import ngtdm_features
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]
Names = tuple[str, ...] | None
Features = dict[str, float]


def texture_features(
    levels: GreyLevels,
    families: Mapping[str, Names],
    *,
    spacing_mm: tuple[float, float, float],
    distances: Sequence[int] = (1,),
    flat_axis: int | None = None,
    symmetric: bool = True,
    weighting: Norm | None = None,
    dependence_tolerance: int = 0,
) -> dict[str, Features]:
    """Texture features of one image by family.

    Co-occurrence and runs share a pass over the voxels when both look at direct neighbours, and so
    do dependence and tone. Runs and zones join direct neighbours whatever the distances.

    Parameters
    ----------
    levels
        Grey levels in the bounding box of the region.
    families
        ``glcm``, ``glrlm``, ``glszm``, ``gldm``, ``ngtdm`` → names of the features that are wanted,
        None for all that are not redundant. Families that are absent are not computed.
    spacing_mm
        Voxel size (z, y, x), for the weights.
    distances, flat_axis, symmetric, weighting, dependence_tolerance
        As in :class:`~radiogenomics.imaging.settings.ExtractionSettings`.

    Returns
    -------
    dict
        Family → feature → value.
    """
    near = _fitting(offsets((1,), flat_axis=flat_axis), levels)
    far = _fitting(offsets(distances, flat_axis=flat_axis), levels)
    found: dict[str, Features] = {}
    pairs, runs = _pairs_and_runs(levels, families, near=near, far=far)
    if pairs is not None:
        found["glcm"] = glcm_features(
            pairs,
            weights=None if weighting is None else offset_weights(far, spacing_mm, weighting),
            symmetric=symmetric,
            occupied=_occupied(levels, pairs),
            names=families["glcm"],
        )
    if runs is not None:
        weights = None if weighting is None else offset_lengths(near, spacing_mm, weighting)
        found["glrlm"] = glrlm_features(runs, weights=weights, names=families["glrlm"])
    if "glszm" in families:
        zones = _kernels.zones(levels.levels, levels.count, near)
        found["glszm"] = glszm_features(zones, names=families["glszm"])
    return found | _dependence_and_tone(levels, families, far, tolerance=dependence_tolerance)


def _dependence_and_tone(
    levels: GreyLevels, families: Mapping[str, Names], far: Array, *, tolerance: int
) -> dict[str, Features]:
    """Features of GLDM and NGTDM, where they are wanted."""
    found: dict[str, Features] = {}
    if {"gldm", "ngtdm"} & families.keys():
        dependence, counts, differences = _kernels.dependence_and_tone(
            levels.levels, levels.count, far, tolerance, 1
        )
        if "gldm" in families:
            found["gldm"] = gldm_features(dependence, names=families["gldm"])
        if "ngtdm" in families:
            found["ngtdm"] = ngtdm_features(counts, differences, names=families["ngtdm"])
    return found


def _fitting(steps: Array, levels: GreyLevels) -> Array:
    """Steps that lead from somewhere in the box to somewhere in it."""
    return steps[(np.abs(steps) < levels.levels.shape).all(axis=1)]


def _occupied(levels: GreyLevels, pairs: Array) -> int:
    """Grey levels of the region; the voxels are asked only where pairs hold no two."""
    paired = np.count_nonzero(pairs.any(axis=(0, 1)) | pairs.any(axis=(0, 2)))
    if paired > 1:
        return int(paired)
    return int(np.count_nonzero(np.bincount(levels.levels.ravel())[1:]))


def _pairs_and_runs(
    levels: GreyLevels, families: Mapping[str, Names], *, near: Array, far: Array
) -> tuple[Array | None, Array | None]:
    """Matrices of GLCM and GLRLM, None for one that is not wanted."""
    voxels, count = levels.levels, levels.count
    if {"glcm", "glrlm"} <= families.keys() and np.array_equal(near, far):
        pairs, runs = _kernels.cooccurrence_and_runs(voxels, count, near, 1)
        return pairs, runs
    pairs = _kernels.cooccurrence(voxels, count, far, 1) if "glcm" in families else None
    runs = _kernels.runs(voxels, count, near, 1) if "glrlm" in families else None
    return pairs, runs
