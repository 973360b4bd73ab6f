"""Gradient magnitude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box, Filter, widened


class Gradient(Filter):
    """Gradient magnitude by central differences, per mm or per voxel.

    ``√(gx² + gy² + gz²)`` with ``g = (next − previous) / (2·spacing)`` along each axis; beyond the
    border the image goes on with its outermost voxel. Rounded to single precision, as ITK's
    GradientMagnitudeImageFilter is.

    Parameters
    ----------
    use_spacing
        Per mm; otherwise per voxel, whatever its size.
    """

    kind: Literal["Gradient"] = "Gradient"
    use_spacing: bool = True

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``, in all three dimensions whatever ``flat_axis``."""
        outer, inner = widened(box, (1, 1, 1), shape=voxels.shape)
        values = np.pad(voxels[outer].astype(np.float64), 1, mode="edge")
        squares = np.zeros([part.stop - part.start for part in box])
        # ITK's order, x first: a sum rounds differently in another.
        for axis in (2, 1, 0):
            weight = 0.5 * (1.0 / spacing_mm[axis]) if self.use_spacing else 0.5
            following, preceding = (
                tuple(
                    slice(
                        part.start + 1 + step * (axis == other),
                        part.stop + 1 + step * (axis == other),
                    )
                    for other, part in enumerate(inner)
                )
                for step in (1, -1)
            )
            squares += (weight * values[following] - weight * values[preceding]) ** 2
        yield "gradient", np.sqrt(squares).astype(np.float32).astype(np.float64)
