"""Grey-level dependence matrix (GLDM, the IBSI's NGLDM): how many neighbours are alike.

A neighbour depends on a voxel if their levels differ by no more than a tolerance. :math:`P(i, j)`
counts the voxels of level i with j - 1 dependent neighbours; :math:`N_p` is the number of voxels
and :math:`p = P / N_p`.

References
----------
Sun and Wee 1983, doi:10.1016/0734-189X(83)90032-4. Zwanenburg et al. 2020 (IBSI),
doi:10.1148/radiol.2020191145.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics import level_matrix as lm
from radiogenomics.imaging.radiomics.aggregation import (
    Aggregation,
    by_name,
    by_tag,
    half_neighbours,
    sections,
    suffixed,
)
from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]

FEATURES: tuple[Feature, ...] = (
    Feature(
        "DependenceEntropy",
        "ngl_dc_entr",
        "FCBV",
        "bit",
        "-sum p(i, j) log2 p(i, j): disorder of levels and dependences",
        lm.entropy,
    ),
    Feature(
        "DependenceNonUniformity",
        "ngl_dcnu",
        "Z87G",
        "1",
        "sum_j (sum_i P(i, j))^2 / Np: low where voxels spread evenly over the dependences",
        lm.extent_non_uniformity,
    ),
    Feature(
        "DependenceNonUniformityNormalized",
        "ngl_dcnu_norm",
        "OKJI",
        "1",
        "sum_j (sum_i P(i, j))^2 / Np^2: the same for any number of voxels",
        lm.normalised_extent_non_uniformity,
    ),
    Feature(
        "DependencePercentage",
        "ngl_dc_perc",
        "6XV8",
        "1",
        "dependences / Np: always 1",
        lm.percentage,
        extra=True,
    ),
    Feature(
        "DependenceVariance",
        "ngl_dc_var",
        "DNX2",
        "1",
        "sum p(i, j) (j - mu)^2: variance of the dependence",
        lm.extent_variance,
    ),
    Feature(
        "GrayLevelNonUniformity",
        "ngl_glnu",
        "FP8K",
        "1",
        "sum_i (sum_j P(i, j))^2 / Np: low where voxels spread evenly over the levels",
        lm.level_non_uniformity,
    ),
    Feature(
        "GrayLevelNonUniformityNormalized",
        "ngl_glnu_norm",
        "5SPA",
        "1",
        "sum_i (sum_j P(i, j))^2 / Np^2: the same as first-order Uniformity",
        lm.normalised_level_non_uniformity,
        extra=True,
    ),
    Feature(
        "GrayLevelVariance",
        "ngl_gl_var",
        "1PFV",
        "1",
        "sum p(i, j) (i - mu)^2: variance of the level",
        lm.level_variance,
    ),
    Feature(
        "HighGrayLevelEmphasis",
        "ngl_hgce",
        "OAE7",
        "1",
        "sum P(i, j) i^2 / Np: high where levels are high",
        partial(lm.emphasis, level=2),
    ),
    Feature(
        "LargeDependenceEmphasis",
        "ngl_hde",
        "IMOQ",
        "1",
        "sum P(i, j) j^2 / Np: high where texture is homogeneous",
        partial(lm.emphasis, extent=2),
    ),
    Feature(
        "LargeDependenceHighGrayLevelEmphasis",
        "ngl_hdhge",
        "9QMG",
        "1",
        "sum P(i, j) i^2 j^2 / Np: homogeneous high levels",
        partial(lm.emphasis, level=2, extent=2),
    ),
    Feature(
        "LargeDependenceLowGrayLevelEmphasis",
        "ngl_hdlge",
        "NBZI",
        "1",
        "sum P(i, j) j^2 / i^2 / Np: homogeneous low levels",
        partial(lm.emphasis, level=-2, extent=2),
    ),
    Feature(
        "LowGrayLevelEmphasis",
        "ngl_lgce",
        "TL9H",
        "1",
        "sum P(i, j) / i^2 / Np: high where levels are low",
        partial(lm.emphasis, level=-2),
    ),
    Feature(
        "SmallDependenceEmphasis",
        "ngl_lde",
        "SODN",
        "1",
        "sum P(i, j) / j^2 / Np: high where texture is heterogeneous",
        partial(lm.emphasis, extent=-2),
    ),
    Feature(
        "SmallDependenceHighGrayLevelEmphasis",
        "ngl_ldhge",
        "JA6D",
        "1",
        "sum P(i, j) i^2 / j^2 / Np: heterogeneous high levels",
        partial(lm.emphasis, level=2, extent=-2),
    ),
    Feature(
        "SmallDependenceLowGrayLevelEmphasis",
        "ngl_ldlge",
        "EQ3F",
        "1",
        "sum P(i, j) / (i^2 j^2) / Np: heterogeneous low levels",
        partial(lm.emphasis, level=-2, extent=-2),
    ),
    Feature(
        None,
        "ngl_dc_energy",
        "CAS9",
        "1",
        "sum p(i, j)^2: 1 where all voxels have one level and one dependence",
        lm.energy,
    ),
)


def gldm_features(counts: Array, *, names: Iterable[str] | None = None) -> dict[str, float]:
    """Features by their pyradiomics names.

    Parameters
    ----------
    counts
        int64 (Ng, Nd): voxels by level and by dependent neighbours, none first.
    names
        Features to compute; None: all but the redundant ones.

    Examples
    --------
    >>> gldm_features(np.array([[1, 2], [0, 1]]), names=["LargeDependenceEmphasis"])
    {'LargeDependenceEmphasis': 3.25}
    """
    return by_name(FEATURES, [_matrix(counts[None])], names=names)


def gldm_ibsi_features(counts: Array) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over matrices (M, Ng, Nd)."""
    return by_tag(FEATURES, [_matrix(counts)])


def gldm_ibsi(levels: GreyLevels, aggregation: Aggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags (NGLDM, no tolerance).

    ``2D``: neighbours within slices, features averaged over slices; ``2_5D``: neighbours within
    slices, all in one matrix; ``3D``: neighbours in space.
    """
    steps = half_neighbours(aggregation)
    counts = np.stack(
        [
            _kernels.dependence_and_tone(levels.levels[section], levels.count, steps)[0]
            for section in sections(levels, aggregation)
        ]
    )
    matrices = counts if aggregation == "2D" else counts.sum(axis=0, keepdims=True)
    return suffixed(gldm_ibsi_features(matrices), aggregation)


def _matrix(counts: Array) -> lm.LevelMatrix:
    return lm.level_matrix(counts, voxels=counts.sum(axis=(1, 2)).astype(float))
