"""Grey-level run length matrix (GLRLM): how far a level goes on along a direction.

:math:`P(i, j)` counts the runs of level i and length j in voxels; :math:`N_r` is their number,
:math:`p = P / N_r`, and :math:`N_p` the number of voxels.

References
----------
Galloway 1975, doi:10.1016/S0146-664X(75)80008-6. Zwanenburg et al. 2020 (IBSI),
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
    DirectionalAggregation,
    by_name,
    by_tag,
    directional_counts,
    suffixed,
)
from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]

FEATURES: tuple[Feature, ...] = (
    Feature(
        "GrayLevelNonUniformity",
        "rlm_glnu",
        "R5YN",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nr: low where runs spread evenly over the levels",
        lm.level_non_uniformity,
    ),
    Feature(
        "GrayLevelNonUniformityNormalized",
        "rlm_glnu_norm",
        "OVBL",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nr^2: the same for any number of runs",
        lm.normalised_level_non_uniformity,
    ),
    Feature(
        "GrayLevelVariance",
        "rlm_gl_var",
        "8CE5",
        "1",
        "sum p(i, j) (i - mu)^2: variance of the level over the runs",
        lm.level_variance,
    ),
    Feature(
        "HighGrayLevelRunEmphasis",
        "rlm_hgre",
        "G3QZ",
        "1",
        "sum P(i, j) i^2 / Nr: high where runs are of high levels",
        partial(lm.emphasis, level=2),
    ),
    Feature(
        "LongRunEmphasis",
        "rlm_lre",
        "W4KF",
        "1",
        "sum P(i, j) j^2 / Nr: high where texture is coarse",
        partial(lm.emphasis, extent=2),
    ),
    Feature(
        "LongRunHighGrayLevelEmphasis",
        "rlm_lrhge",
        "3KUM",
        "1",
        "sum P(i, j) i^2 j^2 / Nr: long runs of high levels",
        partial(lm.emphasis, level=2, extent=2),
    ),
    Feature(
        "LongRunLowGrayLevelEmphasis",
        "rlm_lrlge",
        "IVPO",
        "1",
        "sum P(i, j) j^2 / i^2 / Nr: long runs of low levels",
        partial(lm.emphasis, level=-2, extent=2),
    ),
    Feature(
        "LowGrayLevelRunEmphasis",
        "rlm_lgre",
        "V3SW",
        "1",
        "sum P(i, j) / i^2 / Nr: high where runs are of low levels",
        partial(lm.emphasis, level=-2),
    ),
    Feature(
        "RunEntropy",
        "rlm_rl_entr",
        "HJ9O",
        "bit",
        "-sum p(i, j) log2 p(i, j): disorder of levels and lengths",
        lm.entropy,
    ),
    Feature(
        "RunLengthNonUniformity",
        "rlm_rlnu",
        "W92Y",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nr: low where runs spread evenly over the lengths",
        lm.extent_non_uniformity,
    ),
    Feature(
        "RunLengthNonUniformityNormalized",
        "rlm_rlnu_norm",
        "IC23",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nr^2: the same for any number of runs",
        lm.normalised_extent_non_uniformity,
    ),
    Feature(
        "RunPercentage",
        "rlm_r_perc",
        "9ZK5",
        "1",
        "Nr / Np: 1 where all runs are single voxels",
        lm.percentage,
    ),
    Feature(
        "RunVariance",
        "rlm_rl_var",
        "SXLW",
        "1",
        "sum p(i, j) (j - mu)^2: variance of the length",
        lm.extent_variance,
    ),
    Feature(
        "ShortRunEmphasis",
        "rlm_sre",
        "22OV",
        "1",
        "sum P(i, j) / j^2 / Nr: high where texture is fine",
        partial(lm.emphasis, extent=-2),
    ),
    Feature(
        "ShortRunHighGrayLevelEmphasis",
        "rlm_srhge",
        "GD3A",
        "1",
        "sum P(i, j) i^2 / j^2 / Nr: short runs of high levels",
        partial(lm.emphasis, level=2, extent=-2),
    ),
    Feature(
        "ShortRunLowGrayLevelEmphasis",
        "rlm_srlge",
        "HTZT",
        "1",
        "sum P(i, j) / (i^2 j^2) / Nr: short runs of low levels",
        partial(lm.emphasis, level=-2, extent=-2),
    ),
)


def glrlm_features(
    counts: Array, *, weights: Array | None = None, names: Iterable[str] | None = None
) -> dict[str, float]:
    """Features by their pyradiomics names, averaged over the directions that have runs.

    Parameters
    ----------
    counts
        int64 (A, Ng, Nr): runs in each direction; none in a direction that pyradiomics leaves out,
        along which each line meets the region in one voxel at most.
    weights
        (A,) weights (`offset_lengths`) by which the directions are added to a single matrix.
    names
        Features to compute; None: all.

    Returns
    -------
    name → value; NaN where no direction has runs.

    Examples
    --------
    >>> runs = np.array([[[2, 1], [0, 1]]])
    >>> glrlm_features(runs, names=["RunPercentage", "LongRunEmphasis"])
    {'LongRunEmphasis': 2.5, 'RunPercentage': 0.6666666666666666}
    """
    merged = counts if weights is None else np.tensordot(weights, counts, axes=1)[None]
    return by_name(FEATURES, [lm.level_matrix(merged)], names=names)


def glrlm_ibsi_features(counts: Array) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over matrices (M, Ng, Nr)."""
    return by_tag(FEATURES, [lm.level_matrix(counts)])


def glrlm_ibsi(levels: GreyLevels, aggregation: DirectionalAggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags; a voxel alone on its line is a run."""
    kernel = partial(_kernels.runs, lone_lines=True)
    counts = directional_counts(levels, aggregation, kernel=kernel)
    return suffixed(glrlm_ibsi_features(counts), aggregation)
