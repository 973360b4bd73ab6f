"""Grey-level distance zone matrix (GLDZM): how far from the border the patches of a level lie.

A zone is what hangs together at one level by faces, edges or corners; its distance is the smallest
of its voxels', counted in steps over faces from outside the region, so 1 at the border.
:math:`P(i, j)` counts the zones of level i at distance j; :math:`N_z` is their number,
:math:`p = P / N_z`, and :math:`N_p` the number of voxels. The family is the IBSI's.

References
----------
Thibault et al. 2014, doi:10.1109/TBME.2013.2284600. Zwanenburg et al. 2020 (IBSI),
doi:10.1148/radiol.2020191145.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics import level_matrix as lm
from radiogenomics.imaging.radiomics.aggregation import (
    Aggregation,
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
        None,
        "dzm_sde",
        "0GBI",
        "1",
        "sum P(i, j) / j^2 / Nz: high where zones touch the border",
        partial(lm.emphasis, extent=-2),
    ),
    Feature(
        None,
        "dzm_lde",
        "MB4I",
        "1",
        "sum P(i, j) j^2 / Nz: high where zones lie deep",
        partial(lm.emphasis, extent=2),
    ),
    Feature(
        None,
        "dzm_lgze",
        "S1RA",
        "1",
        "sum P(i, j) / i^2 / Nz: high where zones are of low levels",
        partial(lm.emphasis, level=-2),
    ),
    Feature(
        None,
        "dzm_hgze",
        "K26C",
        "1",
        "sum P(i, j) i^2 / Nz: high where zones are of high levels",
        partial(lm.emphasis, level=2),
    ),
    Feature(
        None,
        "dzm_sdlge",
        "RUVG",
        "1",
        "sum P(i, j) / (i^2 j^2) / Nz: low levels at the border",
        partial(lm.emphasis, level=-2, extent=-2),
    ),
    Feature(
        None,
        "dzm_sdhge",
        "DKNJ",
        "1",
        "sum P(i, j) i^2 / j^2 / Nz: high levels at the border",
        partial(lm.emphasis, level=2, extent=-2),
    ),
    Feature(
        None,
        "dzm_ldlge",
        "A7WM",
        "1",
        "sum P(i, j) j^2 / i^2 / Nz: low levels deep inside",
        partial(lm.emphasis, level=-2, extent=2),
    ),
    Feature(
        None,
        "dzm_ldhge",
        "KLTH",
        "1",
        "sum P(i, j) i^2 j^2 / Nz: high levels deep inside",
        partial(lm.emphasis, level=2, extent=2),
    ),
    Feature(
        None,
        "dzm_glnu",
        "VFT7",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nz: low where zones spread evenly over the levels",
        lm.level_non_uniformity,
    ),
    Feature(
        None,
        "dzm_glnu_norm",
        "7HP3",
        "1",
        "sum_i (sum_j P(i, j))^2 / Nz^2: the same for any number of zones",
        lm.normalised_level_non_uniformity,
    ),
    Feature(
        None,
        "dzm_zdnu",
        "V294",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nz: low where zones spread evenly over the distances",
        lm.extent_non_uniformity,
    ),
    Feature(
        None,
        "dzm_zdnu_norm",
        "IATH",
        "1",
        "sum_j (sum_i P(i, j))^2 / Nz^2: the same for any number of zones",
        lm.normalised_extent_non_uniformity,
    ),
    Feature(
        None,
        "dzm_z_perc",
        "VIWW",
        "1",
        "Nz / Np: 1 where all zones are single voxels",
        lm.percentage,
    ),
    Feature(
        None,
        "dzm_gl_var",
        "QK93",
        "1",
        "sum p(i, j) (i - mu)^2: variance of the level over the zones",
        lm.level_variance,
    ),
    Feature(
        None,
        "dzm_zd_var",
        "7WT1",
        "1",
        "sum p(i, j) (j - mu)^2: variance of the distance",
        lm.extent_variance,
    ),
    Feature(
        None,
        "dzm_zd_entr",
        "GBDU",
        "bit",
        "-sum p(i, j) log2 p(i, j): disorder of levels and distances",
        lm.entropy,
    ),
)


def gldzm_ibsi_features(*zones: Array) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over lists of zones (Z, 3).

    A zone is its level, its size and its distance.
    """
    return by_tag(FEATURES, map(_matrix, zones))


def gldzm_ibsi(levels: GreyLevels, mask: Array, aggregation: Aggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags.

    ``2D``: zones and distances within slices, features averaged over slices; ``2_5D``: the same
    zones, all in one matrix; ``3D``: zones and distances in space.

    Parameters
    ----------
    levels
        Region in grey levels.
    mask
        Boolean morphological mask (z, y, x), from whose border distances count: it still holds
        what re-segmentation took out of the region.
    aggregation
        One of the three.
    """
    steps = half_neighbours(aggregation)
    distances = border_distances(mask, within_slices=aggregation != "3D")
    zones = [
        _kernels.zone_distances(levels.levels[section], levels.count, steps, distances[section])
        for section in sections(levels, aggregation)
    ]
    lists = zones if aggregation == "2D" else [np.concatenate(zones)]
    return suffixed(gldzm_ibsi_features(*lists), aggregation)


def border_distances(mask: Array, *, within_slices: bool) -> Array:
    """Steps over faces to the nearest voxel outside the mask; beyond the image is outside.

    Parameters
    ----------
    mask
        Boolean (z, y, x).
    within_slices
        Steps stay in the axial slice.

    Returns
    -------
    int64 (z, y, x): 0 outside, 1 at the border.

    Examples
    --------
    >>> border_distances(np.ones((1, 3, 3), bool), within_slices=True)[0].tolist()
    [[1, 1, 1], [1, 2, 1], [1, 1, 1]]
    """
    if within_slices:
        return np.stack([_from_border(section) for section in mask])
    return _from_border(mask)


def _from_border(mask: Array) -> Array:
    distances = ndimage.distance_transform_cdt(np.pad(mask, 1), metric="taxicab")
    return distances[(slice(1, -1),) * mask.ndim].astype(np.int64)


def _matrix(zones: Array) -> lm.LevelMatrix:
    return lm.matrix_of_pairs(zones[:, 0], zones[:, 2], voxels=int(zones[:, 1].sum()))
