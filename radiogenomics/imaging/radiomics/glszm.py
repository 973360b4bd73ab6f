"""Grey-level size zone matrix (GLSZM): how large the patches of one level are.

A zone is what hangs together at one level by faces, edges or corners. :math:`P(i, j)` counts the
zones of level i and j voxels; :math:`N_z` is their number, :math:`p = P / N_z`, and :math:`N_p` the
number of voxels.

References
----------
Thibault et al. 2014, doi:10.1109/TBME.2013.2284600. Zwanenburg et al. 2020 (IBSI),
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
        "GrayLevelNonUniformity",
        "szm_glnu",
        "JNSA",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nz: low where zones spread evenly over the levels",
        lm.level_non_uniformity,
    ),
    Feature(
        "GrayLevelNonUniformityNormalized",
        "szm_glnu_norm",
        "Y1RO",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nz^2: the same for any number of zones",
        lm.normalised_level_non_uniformity,
    ),
    Feature(
        "GrayLevelVariance",
        "szm_gl_var",
        "BYLV",
        "1",
        "sum p(i, j) (i - mu)^2: variance of the level over the zones",
        lm.level_variance,
    ),
    Feature(
        "HighGrayLevelZoneEmphasis",
        "szm_hgze",
        "5GN9",
        "1",
        "sum P(i, j) i^2 / Nz: high where zones are of high levels",
        partial(lm.emphasis, level=2),
    ),
    Feature(
        "LargeAreaEmphasis",
        "szm_lze",
        "48P8",
        "1",
        "sum P(i, j) j^2 / Nz: high where texture is coarse",
        partial(lm.emphasis, extent=2),
    ),
    Feature(
        "LargeAreaHighGrayLevelEmphasis",
        "szm_lzhge",
        "J17V",
        "1",
        "sum P(i, j) i^2 j^2 / Nz: large zones of high levels",
        partial(lm.emphasis, level=2, extent=2),
    ),
    Feature(
        "LargeAreaLowGrayLevelEmphasis",
        "szm_lzlge",
        "YH51",
        "1",
        "sum P(i, j) j^2 / i^2 / Nz: large zones of low levels",
        partial(lm.emphasis, level=-2, extent=2),
    ),
    Feature(
        "LowGrayLevelZoneEmphasis",
        "szm_lgze",
        "XMSY",
        "1",
        "sum P(i, j) / i^2 / Nz: high where zones are of low levels",
        partial(lm.emphasis, level=-2),
    ),
    Feature(
        "SizeZoneNonUniformity",
        "szm_zsnu",
        "4JP3",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nz: low where zones spread evenly over the sizes",
        lm.extent_non_uniformity,
    ),
    Feature(
        "SizeZoneNonUniformityNormalized",
        "szm_zsnu_norm",
        "VB3A",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nz^2: the same for any number of zones",
        lm.normalised_extent_non_uniformity,
    ),
    Feature(
        "SmallAreaEmphasis",
        "szm_sze",
        "5QRC",
        "1",
        "sum P(i, j) / j^2 / Nz: high where texture is fine",
        partial(lm.emphasis, extent=-2),
    ),
    Feature(
        "SmallAreaHighGrayLevelEmphasis",
        "szm_szhge",
        "HW1V",
        "1",
        "sum P(i, j) i^2 / j^2 / Nz: small zones of high levels",
        partial(lm.emphasis, level=2, extent=-2),
    ),
    Feature(
        "SmallAreaLowGrayLevelEmphasis",
        "szm_szlge",
        "5RAI",
        "1",
        "sum P(i, j) / (i^2 j^2) / Nz: small zones of low levels",
        partial(lm.emphasis, level=-2, extent=-2),
    ),
    Feature(
        "ZoneEntropy",
        "szm_zs_entr",
        "GU8N",
        "bit",
        "-sum p(i, j) log2 p(i, j): disorder of levels and sizes",
        lm.entropy,
    ),
    Feature(
        "ZonePercentage",
        "szm_z_perc",
        "P30P",
        "1",
        "Nz / Np: 1 where all zones are single voxels",
        lm.percentage,
    ),
    Feature(
        "ZoneVariance",
        "szm_zs_var",
        "3NSA",
        "1",
        "sum p(i, j) (j - mu)^2: variance of the size",
        lm.extent_variance,
    ),
)


def glszm_features(zones: Array, *, names: Iterable[str] | None = None) -> dict[str, float]:
    """Features by their pyradiomics names.

    Parameters
    ----------
    zones
        int64 (Z, 2): level and size of each zone; at least one.
    names
        Features to compute; None: all.

    Examples
    --------
    >>> glszm_features(np.array([[1, 3], [2, 1]]), names=["ZonePercentage", "LargeAreaEmphasis"])
    {'LargeAreaEmphasis': 5.0, 'ZonePercentage': 0.5}
    """
    return by_name(FEATURES, [_matrix(zones)], names=names)


def glszm_ibsi_features(*zones: Array) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over lists of zones (Z, 2)."""
    return by_tag(FEATURES, map(_matrix, zones))


def glszm_ibsi(levels: GreyLevels, aggregation: Aggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags.

    ``2D``: zones within slices, features averaged over slices; ``2_5D``: zones within slices, all
    in one matrix; ``3D``: zones in space.
    """
    steps = half_neighbours(aggregation)
    zones = [
        _kernels.zones(levels.levels[section], levels.count, steps)
        for section in sections(levels, aggregation)
    ]
    lists = zones if aggregation == "2D" else [np.concatenate(zones)]
    return suffixed(glszm_ibsi_features(*lists), aggregation)


def _matrix(zones: Array) -> lm.LevelMatrix:
    return lm.matrix_of_pairs(zones[:, 0], zones[:, 1], voxels=int(zones[:, 1].sum()))
