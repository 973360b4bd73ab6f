"""Squared intensities, scaled to the range of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter, largest_magnitude


class Square(Filter):
    """Squared intensities, scaled to the range of the image.

    ``(c·x)²`` with ``c = 1/√max|x|`` over the whole image, so that the largest magnitude stays what
    it was. The sign is lost. An image of zeros has no such scale: its response is NaN.

    Examples
    --------
    >>> everything = (slice(0, 1), slice(0, 1), slice(0, 2))
    >>> image = np.array([[[-4, 2]]])
    >>> dict(Square().responses(image, spacing_mm=(1, 1, 1), box=everything))
    {'square': array([[[4., 1.]]])}
    """

    kind: Literal["Square"] = "Square"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = 1 / np.sqrt(largest_magnitude(voxels))
            response = (scale * voxels[box].astype(np.float64)) ** 2
        yield "square", response
