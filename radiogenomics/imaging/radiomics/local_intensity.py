"""Local intensity: the mean around the brightest voxel, and the brightest mean around any.

Peaks of PET uptake that do not hang on one noisy voxel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import signal

from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import Roi

Array = np.ndarray[Any, np.dtype[Any]]

# Radius of a sphere of 1 cm^3.
RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Intensity of each voxel of a region, and the mean intensity around it.

    Parameters
    ----------
    values
        Intensities of the region's voxels.
    means
        Mean over the sphere around each of them.
    """

    values: Array
    means: Array


FEATURES: tuple[Feature, ...] = (
    Feature(
        None,
        "loc_peak_loc",
        "VJGA",
        "intensity",
        "Mean over a sphere of 1 cm^3 around the brightest voxel; the highest if several are.",
        lambda found: found.means[found.values == found.values.max()].max(),
    ),
    Feature(
        None,
        "loc_peak_glob",
        "0F91",
        "intensity",
        "Highest mean over a sphere of 1 cm^3 around any voxel of the region.",
        lambda found: found.means.max(),
    ),
)


def local_intensity(roi: Roi) -> dict[str, float]:
    """Local and global intensity peak under the IBSI's tags.

    A voxel belongs to the sphere if its centre lies within 6.2 mm. Voxels outside the region count
    too, so the box must hold as much around the region; what is beyond the image is left out.

    Parameters
    ----------
    roi
        Intensities around the region and in it, and its intensity mask.

    Returns
    -------
    dict
        Tag → value.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145; family 9ST6.

    Examples
    --------
    >>> values = np.array([[[0.0, 1.0, 8.0, 0.0, 3.0, 3.0]]])
    >>> local_intensity(Roi(values, values > 0, (5.0, 5.0, 5.0)))["loc_peak_loc"]
    3.0
    """
    sphere = _sphere(roi.spacing_mm)
    # Around their mean, the transform loses no digits to a large common intensity.
    centre = roi.values.mean()
    totals = signal.oaconvolve(roi.values - centre, sphere, mode="same")[roi.inside]
    counts = signal.oaconvolve(np.ones(roi.values.shape), sphere, mode="same")[roi.inside]
    means = centre + totals / np.rint(counts)
    found = Neighbourhoods(roi.values[roi.inside], means)
    return {str(feature.ibsi_name): float(feature.compute(found)) for feature in FEATURES}


def reach(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Voxels (z, y, x) that the sphere extends beyond its centre."""
    z, y, x = (math.floor(RADIUS_MM / size) for size in spacing_mm)
    return z, y, x


def _sphere(spacing_mm: tuple[float, float, float]) -> Array:
    """Voxels of the sphere, centre in the middle."""
    axes = zip(reach(spacing_mm), spacing_mm, strict=True)
    z, y, x = np.ix_(*(np.arange(-count, count + 1) * size for count, size in axes))
    return (z**2 + y**2 + x**2 <= RADIUS_MM**2).astype(float)
