"""Laplacian of Gaussian by recursive filters, as pyradiomics has it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.filters.filter import Array, Box, Filter, widened
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.radiomics import _kernels

SMALLEST_AXIS = 4
# The recursion forgets with exp(-1.37 n / sigma). What is left of an edge after so many sigmas,
# 5e-15, is lost in the single precision of the result.
REACH_IN_SIGMAS = 24


class LoG(Filter):
    """Laplacian of Gaussian by recursive filters: high where a blob of its size is dark.

    ``σ²·∇²(G_σ * image)``, with the Gaussian and its second derivative approximated by recursive
    filters of fourth order; beyond the border the image goes on with its outermost voxel. This is
    ITK's LaplacianRecursiveGaussianImageFilter to the last bit, in single precision as there.

    An axis must have 4 voxels, and one more than sigma has.

    Parameters
    ----------
    sigma_mm
        Widths of the Gaussian; the names of the responses write them as given here, so 3 and 3.0
        differ in name.

    Raises
    ------
    GeometryError
        The image is too small for one of the sigmas.

    References
    ----------
    Deriche (1993). Recursively implementing the Gaussian and its derivatives. INRIA RR-1893.
    """

    kind: Literal["LoG"] = "LoG"
    sigma_mm: Annotated[tuple[Annotated[int | float, Field(gt=0)], ...], Field(min_length=1)]

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``, in all three dimensions whatever ``flat_axis``."""
        for sigma in self.sigma_mm:
            _require_extent(voxels.shape, [sigma / size for size in spacing_mm])
        for sigma in self.sigma_mm:
            reach = [math.ceil(REACH_IN_SIGMAS * sigma / size) for size in spacing_mm]
            outer, inner = widened(box, reach, shape=voxels.shape)
            yield (
                image_type("log-sigma", sigma, "mm-3D"),
                _kernels.laplacian_of_gaussian(
                    np.ascontiguousarray(voxels[outer], dtype=np.float64),
                    sigma=sigma,
                    spacing=np.array(spacing_mm, dtype=np.float64),
                    begin=np.array([part.start for part in inner]),
                    end=np.array([part.stop for part in inner]),
                ),
            )


def _require_extent(shape: tuple[int, ...], sigma_in_voxels: list[float]) -> None:
    least = [max(SMALLEST_AXIS, math.ceil(sigma) + 1) for sigma in sigma_in_voxels]
    if any(size < smallest for size, smallest in zip(shape, least, strict=True)):
        raise GeometryError(
            f"expected an image of at least {least} voxels (z, y, x) for this Laplacian of "
            f"Gaussian; found {list(shape)}. Give more of the image or use a smaller sigma."
        )
