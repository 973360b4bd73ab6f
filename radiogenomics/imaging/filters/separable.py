"""Convolution with kernels that are products of one row for each axis."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.filters.boundary import Boundary, Read, beyond
from radiogenomics.imaging.filters.filter import Array, Box

Row = tuple[float, ...]
Kernel = tuple[Row | None, Row | None, Row | None]


def odd(row: Row) -> Row:
    """Row with a middle: an even one gets a zero at its end, as in the IBSI's reference maps.

    Examples
    --------
    >>> odd((0.5, 0.5))
    (0.5, 0.5, 0.0)
    """
    return row if len(row) % 2 else (*row, 0.0)


def expect_rows(name: str, found: int, *, flat_axis: int | None) -> None:
    """Refuse a kernel that has not one row for each axis that is filtered along.

    Raises
    ------
    DataError
        Three are needed in 3D, two where the extraction is slice by slice.
    """
    needed = 3 if flat_axis is None else 2
    if found != needed:
        how = "set flat_axis to filter slice by slice" if found == 2 else "leave flat_axis out"
        raise DataError(
            f"expected {needed} rows in the kernel, one for each axis that is filtered along; "
            f"found {found} in {name!r}. Name {needed}, or {how}."
        )


def along_axes(rows: tuple[Row, ...], *, flat_axis: int | None) -> Kernel:
    """Lay rows along the axes, the first along x, the next along y, the last along z.

    Examples
    --------
    >>> along_axes(((1.0,), (2.0,)), flat_axis=0)
    (None, (2.0,), (1.0,))
    """
    remaining = iter(rows)
    x, y, z = (None if axis == flat_axis else next(remaining) for axis in (2, 1, 0))
    return z, y, x


def reach(kernel: Kernel) -> tuple[int, int, int]:
    """Voxels that a kernel reads on both sides of one, (z, y, x)."""
    z, y, x = (0 if row is None else len(row) // 2 for row in kernel)
    return z, y, x


def convolve(values: Array, kernel: Kernel) -> Array:
    """Convolve, keeping the voxels whose whole neighbourhood is among ``values``.

    Parameters
    ----------
    values
        float64 (z, y, x), wider than the result by the kernel's reach on each side.
    kernel
        One row of odd length for each axis, or None where the axis is not filtered along.
    """
    for axis, row in enumerate(kernel):
        if row is not None:
            filtered = convolve1d(values, np.array(row), axis=axis, mode="constant")
            middle = slice(len(row) // 2, filtered.shape[axis] - len(row) // 2)
            values = filtered[(slice(None),) * axis + (middle,)]
    return values


def convolve_beyond(
    read: Read,
    kernel: Kernel,
    *,
    box: Box,
    shape: tuple[int, int, int],
    boundary: Boundary,
) -> Array:
    """Response inside ``box`` to a kernel that may read beyond the border of the image.

    Examples
    --------
    >>> from radiogenomics.imaging.filters.boundary import image_reader
    >>> image = np.array([[[3.0, 0.0, 0.0, 9.0]]])
    >>> kernel = (None, None, (1 / 3, 1 / 3, 1 / 3))
    >>> box = (slice(0, 1), slice(0, 1), slice(0, 2))
    >>> convolve_beyond(
    ...     image_reader(image), kernel, box=box, shape=image.shape, boundary="periodic"
    ... )
    array([[[4., 1.]]])
    """
    values = beyond(read, box, margins=reach(kernel), shape=shape, boundary=boundary)
    return convolve(values, kernel)
