"""Exponential of the intensities, scaled to the range of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter, largest_magnitude


class Exponential(Filter):
    """Exponential of the intensities, scaled to the range of the image.

    ``exp(c·x)`` with ``c = log(max|x|) / max|x|`` over the whole image, so that the largest
    magnitude stays what it was. An image of zeros has no such scale: its response is NaN.

    Examples
    --------
    >>> everything = (slice(0, 1), slice(0, 1), slice(0, 2))
    >>> image = np.array([[[0, 4]]])
    >>> dict(Exponential().responses(image, spacing_mm=(1, 1, 1), box=everything))
    {'exponential': array([[[1., 4.]]])}
    """

    kind: Literal["Exponential"] = "Exponential"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        largest = largest_magnitude(voxels)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log(largest) / largest
            response = np.exp(rate * voxels[box].astype(np.float64))
        yield "exponential", response
