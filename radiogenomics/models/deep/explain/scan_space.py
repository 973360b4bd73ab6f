"""Heat maps put back where they come from: the inverse of cropping and resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import affine_transform

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume

Floats = NDArray[np.float64]
Box = tuple[slice, slice, slice]
Triple = tuple[float, float, float]


def onto_scan(
    heat: ArrayLike,
    scan: Volume,
    *,
    spacing_mm: Triple,
    origin_mm: Triple,
    direction: tuple[float, ...] | None = None,
    beyond: float = 0.0,
) -> Volume:
    """Put the map of a crop onto the voxels of the scan that it was cut from.

    Each voxel of the scan is given the map's value at its place in the patient, linearly; within
    half a voxel of the crop's edge that of the edge. The map gets no finer by it.

    Parameters
    ----------
    heat
        The map of one patient, (z, y, x), of the shape of the crop that the network saw.
    scan
        Whose voxels are wanted; its masks are kept.
    spacing_mm, origin_mm, direction
        Where the crop lies, as in :class:`~radiogenomics.core.scan.Volume`: voxel size (z, y, x),
        position (x, y, z) of its first voxel, direction cosines (those of the scan when None).
    beyond
        Value outside the crop.

    Returns
    -------
    Volume
        float32 on the scan's grid; ``io.images.write.write_image(path, found.voxels, grid=found)``
        writes it as NIfTI.

    Raises
    ------
    GeometryError
        The map is no finite volume, has no place in space, or lies beside the scan.

    Examples
    --------
    >>> scan = Volume(np.zeros((4, 4, 4)), {}, (2.0, 1.0, 1.0), (10.0, 20.0, 30.0))
    >>> box = np.ones((1, 2, 2))
    >>> found = onto_scan(box, scan, spacing_mm=(2.0, 1.0, 1.0), origin_mm=(11.0, 22.0, 34.0))
    >>> found.voxels.nonzero()
    (array([2, 2, 2, 2]), array([2, 2, 3, 3]), array([1, 2, 1, 2]))
    """
    lies = scan.direction if direction is None else direction
    crop = Volume(np.asarray(heat, dtype=float), {}, spacing_mm, origin_mm, lies)
    steps: Floats = np.linalg.inv(_affine(crop)) @ _affine(scan)
    box = _reached(
        np.linalg.solve(_affine(scan), _affine(crop)), crop.voxels.shape, scan.voxels.shape
    )
    start = steps[:3, :3] @ [part.start for part in box] + steps[:3, 3]
    shape = tuple(part.stop - part.start for part in box)
    inside = _inside(steps[:3, :3], start, shape=shape, within=crop.voxels.shape)
    near = affine_transform(
        crop.voxels, steps[:3, :3], offset=start, output_shape=shape, order=1, mode="nearest"
    )
    found = np.full(scan.voxels.shape, beyond, dtype=np.float32)
    found[box][inside] = near[inside]
    return Volume(found, scan.masks, scan.spacing_mm, scan.origin_mm, scan.direction)


def _affine(volume: Volume) -> Floats:
    """4 × 4, from voxels (z, y, x) to the patient (x, y, z) in mm, LPS."""
    affine = np.eye(4)
    cosines = np.array(volume.direction, dtype=float).reshape(3, 3)
    affine[:3, :3] = cosines[:, ::-1] * np.array(volume.spacing_mm, dtype=float)
    affine[:3, 3] = volume.origin_mm
    return affine


def _reached(steps: Floats, crop: tuple[int, ...], scan: tuple[int, ...]) -> Box:
    """Part of the scan that the crop's box touches."""
    ends = np.stack(np.meshgrid(*[(-0.5, size - 0.5) for size in crop], indexing="ij"), axis=-1)
    corners = ends.reshape(-1, 3) @ steps[:3, :3].T + steps[:3, 3]
    first = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    last = np.minimum(np.ceil(corners.max(axis=0)) + 1, scan).astype(int)
    if (first >= last).any():
        raise GeometryError(
            "expected the crop to lie in the scan; found that it lies beside it. Take the scan "
            "that it was cut from, or its first phase."
        )
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return z, y, x


def _inside(
    matrix: Floats, start: Floats, *, shape: tuple[int, ...], within: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Which voxels of a part of the scan have their middle in a voxel of the crop."""
    inside = np.ones(shape, dtype=bool)
    index = np.ogrid[tuple(slice(size) for size in shape)]
    for row, first, length in zip(matrix, start, within, strict=True):
        place = first + sum(step * along for step, along in zip(row, index, strict=True))
        # Rounding must not lose a voxel that lies on the edge of the box.
        inside &= (place >= -0.5 - 1e-6) & (place <= length - 0.5 + 1e-6)
    return inside
