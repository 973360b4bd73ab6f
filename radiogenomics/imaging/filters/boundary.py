"""What a filter reads beyond the border of the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from radiogenomics.imaging.filters.filter import Array, Box

Boundary = Literal["zero", "nearest", "periodic", "mirror"]
Read = Callable[[Box], Array]


def image_reader(voxels: Array) -> Read:
    """Read an image in boxes, as float64."""
    return lambda box: voxels[box].astype(np.float64)


def places(start: int, stop: int, *, size: int, boundary: Boundary) -> Array:
    """Index of the voxel that stands at each place of a row, also beyond its ends.

    Parameters
    ----------
    start, stop
        First place and the one after the last; both may lie outside the row.
    size
        Voxels in the row.
    boundary
        ``zero``: nothing stands there (-1). ``nearest``: the voxel at the end. ``periodic``: the
        row again. ``mirror``: the row backwards, its end voxel twice.

    Examples
    --------
    >>> for boundary in ("zero", "nearest", "periodic", "mirror"):
    ...     places(-2, 5, size=3, boundary=boundary).tolist()
    [-1, -1, 0, 1, 2, -1, -1]
    [0, 0, 0, 1, 2, 2, 2]
    [1, 2, 0, 1, 2, 0, 1]
    [1, 0, 0, 1, 2, 2, 1]
    """
    row = np.arange(start, stop)
    if boundary == "zero":
        return np.where((row >= 0) & (row < size), row, -1)
    if boundary == "nearest":
        return np.clip(row, 0, size - 1)
    if boundary == "periodic":
        return row % size
    folded = row % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def beyond(
    read: Read,
    box: Box,
    *,
    margins: tuple[int, int, int],
    shape: tuple[int, int, int],
    boundary: Boundary,
) -> Array:
    """Read a box and what surrounds it, continued where the image ends.

    Only the part of the image that is needed is read, so a response that is computed box by box
    can itself be read by the next step.

    Parameters
    ----------
    read
        Gives the voxels of a box inside the image.
    box
        Part of the image, (z, y, x).
    margins
        Voxels to add on both sides of each axis.
    shape
        Of the whole image.
    boundary
        How the image continues.

    Examples
    --------
    >>> image = np.arange(4.0).reshape(1, 1, 4)
    >>> box = (slice(0, 1), slice(0, 1), slice(2, 4))
    >>> read = image_reader(image)
    >>> beyond(read, box, margins=(0, 0, 2), shape=image.shape, boundary="mirror").ravel()
    array([0., 1., 2., 3., 3., 2.])
    """
    rows = [
        places(part.start - margin, part.stop + margin, size=size, boundary=boundary)
        for part, margin, size in zip(box, margins, shape, strict=True)
    ]
    z, y, x = (slice(int(row[row >= 0].min()), int(row.max()) + 1) for row in rows)
    values = read((z, y, x))
    for axis, (row, part) in enumerate(zip(rows, (z, y, x), strict=True)):
        if not np.array_equal(row, np.arange(part.start, part.stop)):
            values = values.take(row - part.start, axis=axis, mode="clip")
            np.moveaxis(values, axis, 0)[row < 0] = 0
    return values
