"""Logarithm of the intensities, scaled to the range of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter, largest_magnitude


class Logarithm(Filter):
    """Logarithm of the intensities, scaled to the range of the image.

    ``c·sign(x)·log(|x| + 1)`` with ``c = max|x| / log(max|x| + 1)`` over the whole image, so that
    the largest magnitude stays what it was. An image of zeros has no such scale: its response is
    NaN.

    Examples
    --------
    >>> everything = (slice(0, 1), slice(0, 1), slice(0, 2))
    >>> image = np.array([[[-3, 1]]])
    >>> dict(Logarithm().responses(image, spacing_mm=(1, 1, 1), box=everything))
    {'logarithm': array([[[-3. ,  1.5]]])}
    """

    kind: Literal["Logarithm"] = "Logarithm"

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
        largest = largest_magnitude(voxels)
        logs = np.log(np.abs(values) + 1)
        with np.errstate(invalid="ignore"):
            scale = largest / np.log(largest + 1)
            yield "logarithm", np.copysign(logs, values, out=logs) * scale
