"""Filters that are defined by what they do to frequencies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.fft

from radiogenomics.imaging.filters.boundary import Boundary, beyond, image_reader
from radiogenomics.imaging.filters.filter import Array, Box

Weight = Callable[[tuple[Array, ...]], Array]


def filtered_axes(flat_axis: int | None) -> tuple[int, ...]:
    """Axes that are filtered along."""
    return tuple(axis for axis in range(3) if axis != flat_axis)


def surroundings(
    voxels: Array, box: Box, *, boundary: Boundary, flat_axis: int | None
) -> tuple[Array, Box]:
    """All that a filter without end reads, and where ``box`` lies in it.

    A Fourier transform takes the image as periodic. For any other boundary the image is continued
    by half its size on both sides; slices outside the box are left out where filtering is in-plane.
    """
    axes = filtered_axes(flat_axis)
    shape = voxels.shape
    whole_z, whole_y, whole_x = (
        slice(0, shape[axis]) if axis in axes else box[axis] for axis in range(3)
    )
    margins = tuple(
        shape[axis] // 2 if axis in axes and boundary != "periodic" else 0 for axis in range(3)
    )
    whole = (whole_z, whole_y, whole_x)
    values = beyond(image_reader(voxels), whole, margins=margins, shape=shape, boundary=boundary)
    z, y, x = (
        slice(part.start - outer.start + margin, part.stop - outer.start + margin)
        for part, outer, margin in zip(box, whole, margins, strict=True)
    )
    return values, (z, y, x)


def spectrum(values: Array, *, axes: tuple[int, ...]) -> Array:
    """Fourier transform of real values; the last axis holds the frequencies from 0 upwards."""
    return scipy.fft.rfftn(values, axes=axes)


def response(
    frequencies: Array,
    weight: Weight,
    *,
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    order: int = 0,
) -> Array:
    """Weigh frequencies and transform back to the real part of the response.

    The reference maps of the IBSI come from frequencies that are numbered from the middle of the
    spectrum, ``(k - (N - 1) / 2) / ((N - 1) / 2)`` with k = 0 ... N - 1, so that -1 and 1 are the
    highest of an axis. With an even N there is no frequency 0 and the weights at opposite
    frequencies differ; the real part of the response then belongs to their mean.

    Parameters
    ----------
    frequencies
        Of :func:`spectrum`; left as they are.
    weight
        Real weight of frequencies, given the coordinates of each axis in ``axes`` as open grids.
    shape
        Of the values that were transformed.
    axes
        Axes that were transformed.
    order
        Quarter turns of the phase: the response is multiplied by ``(-i)**order``.

    Examples
    --------
    >>> values = np.array([3.0, 1.0, 2.0])
    >>> response(
    ...     spectrum(values, axes=(0,)), lambda grid: np.abs(grid[0]) > 0, shape=(3,), axes=(0,)
    ... )
    array([ 1., -1.,  0.])
    """
    grids = [_coordinates(shape[axis], half=axis == axes[-1]) for axis in axes]
    forward, backward = (
        tuple(
            _laid_along(grid[side], axis, len(shape))
            for grid, axis in zip(grids, axes, strict=True)
        )
        for side in (0, 1)
    )
    weights = (weight(forward) + (-1) ** order * weight(backward)) * (0.5 * (-1j) ** order)
    return scipy.fft.irfftn(frequencies * weights, s=[shape[axis] for axis in axes], axes=axes)


def length(coordinates: tuple[Array, ...]) -> Array:
    """Euclidean norm of the frequencies."""
    return np.sqrt(sum(np.square(axis) for axis in coordinates))


def _coordinates(size: int, *, half: bool) -> tuple[Array, Array]:
    """Coordinates of an axis as its spectrum is laid out, and those of the opposite frequencies."""
    middle = (size - 1) / 2
    forward = scipy.fft.ifftshift((np.arange(size) - middle) / max(middle, 0.5))
    backward = np.roll(forward[::-1], 1)
    return (forward[: size // 2 + 1], backward[: size // 2 + 1]) if half else (forward, backward)


def _laid_along(coordinates: Array, axis: int, dimensions: int) -> Array:
    return coordinates.reshape([-1 if other == axis else 1 for other in range(dimensions)])
