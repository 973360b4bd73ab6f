"""Square root of the intensities, scaled to the range of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter, largest_magnitude


class SquareRoot(Filter):
    """Square root of the intensities, scaled to the range of the image.

    ``sign(x)·√(c·|x|)`` with ``c = max|x|`` over the whole image, so that the largest magnitude
    stays what it was.

    Examples
    --------
    >>> everything = (slice(0, 1), slice(0, 1), slice(0, 2))
    >>> image = np.array([[[-4, 1]]])
    >>> dict(SquareRoot().responses(image, spacing_mm=(1, 1, 1), box=everything))
    {'squareroot': array([[[-4.,  2.]]])}
    """

    kind: Literal["SquareRoot"] = "SquareRoot"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        values = voxels[box].astype(np.float64)
        roots = np.sqrt(np.abs(values) * largest_magnitude(voxels))
        yield "squareroot", np.copysign(roots, values, out=roots)
