"""Local binary patterns, slice by slice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.core.errors import MissingExtraError
from radiogenomics.imaging.filters.filter import Array, Box, Filter, Positive


class LBP2D(Filter):
    """Local binary patterns, slice by slice.

    Each voxel is compared with ``samples`` points on a circle of ``radius`` voxels within its slice
    (linear interpolation, 0 beyond the border); the comparisons make its code. Whole-numbered
    images give whole-numbered codes, which matters for ``var`` only. Slices lie across
    ``flat_axis``, or axial where the extraction is in 3D.

    Parameters
    ----------
    radius
        In voxels.
    samples
        Points on the circle.
    method
        ``default``: code as it is, hence dependent on rotation. ``ror``: its smallest rotation.
        ``uniform``: number of higher points where they are in one run, one code for all other
        patterns. ``var``: variance of the points instead of a code.

    References
    ----------
    Ojala, Pietikäinen, Mäenpää (2002). IEEE Trans Pattern Anal Mach Intell 24, 971-987.
    doi:10.1109/TPAMI.2002.1017623
    """

    kind: Literal["LBP2D"] = "LBP2D"
    radius: Positive = 1.0
    samples: Annotated[int, Field(ge=1)] = 8
    method: Literal["default", "ror", "uniform", "var"] = "uniform"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        axis = flat_axis or 0
        codes = np.empty([part.stop - part.start for part in box], dtype=voxels.dtype)
        across, rows, columns = _swapped(box, axis)
        # Whole slices: a position inside a crop would be rounded otherwise.
        slices = voxels.swapaxes(0, axis)[across]
        # A variance that is not a number has no whole number either, but pyradiomics gives it one.
        with np.errstate(invalid="ignore"):
            for found, image in zip(codes.swapaxes(0, axis), slices, strict=True):
                found[...] = self._codes(image)[rows, columns]
        yield "lbp-2D", codes.astype(np.float64)

    def _codes(self, image: Array) -> Array:
        try:
            from skimage.feature import local_binary_pattern
        except ImportError:
            raise MissingExtraError(
                "expected scikit-image, which finds local binary patterns; it is not installed. "
                "Run: pip install 'radiogenomics[imaging]'."
            ) from None
        with warnings.catch_warnings():
            # Equal neighbours decide a code by rounding alone in images that are not whole numbers.
            warnings.filterwarnings("ignore", "Applying `local_binary_pattern`", UserWarning)
            return local_binary_pattern(image, self.samples, self.radius, method=self.method)


def _swapped(box: Box, axis: int) -> Box:
    """The box of an image whose first axis has changed places with ``axis``."""
    z, y, x = box
    return ((z, y, x), (y, z, x), (x, y, z))[axis]
