"""What feature families are computed from: a region's voxels, as measured and as grey levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Roi:
    """Voxels of one image type in the bounding box of a region; axis order is (z, y, x).

    Parameters
    ----------
    values
        float64 intensities or filter responses.
    inside
        Boolean, the same shape; at least one voxel is inside.
    spacing_mm
        Voxel size (z, y, x).
    """

    values: Array
    inside: Array
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """A region cut into grey levels.

    Parameters
    ----------
    levels
        uint16 (z, y, x): 0 outside, 1 ... ``count`` inside.
    count
        Highest level; levels in between may be empty.
    """

    levels: Array
    count: int


def require_numbers(name: str, roi: Roi) -> None:
    """Raise GeometryError for a filter's response that is no number somewhere in the region."""
    if math.isfinite(roi.values.sum()):
        return
    values = roi.values[roi.inside]
    lacking = int(np.count_nonzero(~np.isfinite(values)))
    if lacking:
        raise GeometryError(
            f"expected the filter {name} to give a number in each voxel of the region; found none "
            f"in {lacking} of {len(values)}. Leave the filter out for this image."
        )
