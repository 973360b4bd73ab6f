"""What all image filters have in common: settings in, responses inside the region's box out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from radiogenomics.core.schema import Record

Array = np.ndarray[Any, np.dtype[Any]]
Box = tuple[slice, slice, slice]
Positive = Annotated[float, Field(gt=0)]


class Filter(Record):
    """One filter with its settings; a filter may have grey-level bins of its own.

    Parameters
    ----------
    bin_width, bin_count
        Discretisation of this filter's responses; those of the extraction if both are None.
    """

    bin_width: Positive | None = None
    bin_count: Annotated[int, Field(ge=2)] | None = None

    @property
    def has_bins(self) -> bool:
        """Whether its responses are cut by bins of its own."""
        return self.bin_width is not None or self.bin_count is not None

    @abstractmethod
    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and float64 response inside ``box``, exactly as on the whole image.

        Parameters
        ----------
        voxels
            Whole image (z, y, x), of any number type.
        spacing_mm
            Voxel size (z, y, x).
        box
            Part of the image whose responses are wanted. What surrounds it is read as far as the
            filter reaches, so the result does not depend on the box.
        flat_axis
            Axis that is not filtered along where the extraction is slice by slice; None in 3D.
        """


def widened(box: Box, reach: Sequence[int], *, shape: Sequence[int]) -> tuple[Box, Box]:
    """Grow a box by the reach of a filter, as far as the image goes.

    Parameters
    ----------
    box
        Part of an image of ``shape`` (z, y, x), in whole-numbered bounds.
    reach
        Voxels to add on both sides of each axis.

    Returns
    -------
    outer, inner
        The grown box in the image, and the box asked for in the grown one.

    Examples
    --------
    >>> outer, inner = widened((slice(1, 3),) * 3, (2, 0, 4), shape=(9, 9, 9))
    >>> outer[0], inner[0]
    (slice(0, 5, None), slice(1, 3, None))
    """
    lows = [max(part.start - far, 0) for part, far in zip(box, reach, strict=True)]
    highs = [min(part.stop + far, size) for part, far, size in zip(box, reach, shape, strict=True)]
    z, y, x = (slice(low, high) for low, high in zip(lows, highs, strict=True))
    inner_z, inner_y, inner_x = (
        slice(part.start - low, part.stop - low) for part, low in zip(box, lows, strict=True)
    )
    return (z, y, x), (inner_z, inner_y, inner_x)


def largest_magnitude(voxels: Array) -> np.float64:
    """Largest absolute intensity of the whole image, by which point-wise filters are scaled."""
    return np.float64(np.abs([np.float64(voxels.min()), np.float64(voxels.max())]).max())
