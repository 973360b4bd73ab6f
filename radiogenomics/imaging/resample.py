"""Resampling a volume to another voxel size, only around a region and as if of the whole image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from radiogenomics.core.errors import GeometryError, MissingExtraError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.masks import Box, bounding_box
from radiogenomics.imaging.radiomics import _kernels

Array = np.ndarray[Any, np.dtype[Any]]
Interpolator = Literal["bspline", "linear", "nearest"]
Spacing = tuple[float, float, float]

Point = tuple[float, float, float]

# A cubic B-spline forgets a voxel at 0.268 a voxel: nothing is left in double precision this far.
REACH = 72
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Grid:
    """Where the new voxels lie along the axes (z, y, x) of the old ones.

    Parameters
    ----------
    first
        Position of the first new voxel, in old voxels.
    step
        New voxel size in old voxels.
    shape
        Number of new voxels.
    spacing_mm
        New voxel size.
    """

    first: tuple[float, float, float]
    step: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing_mm: Spacing


def resample(
    volume: Volume,
    region: str,
    *,
    spacing_mm: Spacing,
    interpolator: Interpolator = "bspline",
    pad: int = 5,
    threads: int = 1,
    intensities: Callable[[Array], Array] | None = None,
) -> Volume:
    """Resample a volume in a box around a region.

    The new grid starts at the corner of the image, and interpolation reads as much of the image as
    its weights reach. An axis along which the region is one voxel thick keeps its voxels, and so do
    all if they have that size already. Values keep the image's number type: whole numbers are cut
    off towards zero, as ITK does.

    Parameters
    ----------
    volume
        Left as it is.
    region
        Mask the box is drawn around, and the only one that is resampled: by the nearest voxel.
    spacing_mm
        New voxel size (z, y, x); 0 keeps an axis.
    interpolator, threads
        How the image is interpolated (B-splines are cubic), and by how many threads.
    pad
        New voxels around the region, as far as the image goes.
    intensities
        Applied to the part of the image that is read, before interpolation.

    Raises
    ------
    GeometryError
        The region falls between the new voxels.
    MissingExtraError
        SimpleITK is not installed.

    References
    ----------
    Unser et al., IEEE Trans Signal Process 1993;41:821-833, doi:10.1109/78.193220
    """
    inside = volume.mask(region) > 0
    box = bounding_box(inside)
    wanted = _wanted_spacing(volume.spacing_mm, spacing_mm, box)
    read = intensities or (lambda part: part)
    if np.allclose(volume.spacing_mm, wanted):
        cropped = crop(volume, region, margin=(pad, pad, pad))
        return replace(cropped, voxels=read(cropped.voxels))
    grid = _grid(volume, box, wanted, pad=pad)
    itk = _Itk(volume, grid, threads=threads)
    mask = itk(inside.view(np.uint8), "nearest", beyond=0)
    if interpolator == "bspline":
        voxels = _interpolated(volume, grid, corner_mm=itk.origin_mm, read=read, threads=threads)
    else:
        voxels = itk(read(numbers(volume.voxels)), interpolator, beyond=0)
    masks = {region: _not_empty(mask == 1, wanted)}
    return replace(volume, voxels=voxels, masks=masks, spacing_mm=wanted, origin_mm=itk.origin_mm)


def _not_empty(mask: Array, spacing_mm: Spacing) -> Array:
    if not mask.any():
        size = " × ".join(f"{length:g}" for length in spacing_mm)
        raise GeometryError(
            f"expected the region to hold the centre of a voxel of {size} mm (z, y, x); found that "
            "it falls between them. Resample to smaller voxels."
        )
    return mask


def _wanted_spacing(found: Spacing, wanted: Spacing, box: Box) -> Spacing:
    z, y, x = (
        old if new == 0 or part.stop - part.start == 1 else new
        for old, new, part in zip(found, wanted, box, strict=True)
    )
    return z, y, x


def _grid(volume: Volume, box: Box, wanted: Spacing, *, pad: int) -> Grid:
    """Grid from the image's corner, cut to the box and ``pad``; its last voxel may jut out."""
    old, new = np.array(volume.spacing_mm), np.array(wanted)
    ratio = old / new
    start = np.array([part.start for part in box])
    stop = np.array([part.stop for part in box])
    low = np.maximum(np.floor((start - 0.5) * ratio - pad), 0)
    high = np.ceil((stop - 0.5) * ratio + pad)
    high = np.minimum(high, np.ceil(np.array(volume.voxels.shape) * ratio) - 1)
    first = 0.5 * (new - old) / old + low / ratio
    return Grid(
        first=tuple(first.tolist()),
        step=tuple((new / old).tolist()),
        shape=tuple((high - low + 1).astype(int).tolist()),
        spacing_mm=wanted,
    )


def _interpolated(
    volume: Volume,
    grid: Grid,
    *,
    corner_mm: Point,
    read: Callable[[Array], Array],
    threads: int,
) -> Array:
    """Cubic B-splines on the grid, 0 where it juts out of the image; reads what they reach."""
    places = _positions(volume, grid, corner_mm)
    used = tuple(
        slice(max(math.floor(at[0]) - REACH, 0), min(math.ceil(at[-1]) + REACH + 1, size))
        for at, size in zip(places, volume.voxels.shape, strict=True)
    )
    part = np.ascontiguousarray(read(volume.voxels[used]))
    # What was cut off lies beyond the reach of the splines, so the part is as good as the image;
    # places beyond its end must stay beyond the image's.
    z, y, x = (at - cut.start for at, cut in zip(places, used, strict=True))
    values = _kernels.bspline_resample(part.astype(np.float64), z, y, x, threads)
    return _of_type(values, part.dtype)


def _positions(volume: Volume, grid: Grid, corner_mm: Point) -> list[Array]:
    """Position (z, y, x) of the new voxels in old ones, to the last bit as ITK has it.

    ITK cuts whole numbers off, so rounding decides between 254 and 255 where an image is constant.
    Along x it goes from the first position to the one after the last by linear interpolation. An
    oblique image has no such order of sums; there the grid's own steps are as good.
    """
    if volume.direction != UPRIGHT:
        return [
            first + step * np.arange(size)
            for first, step, size in zip(grid.first, grid.step, grid.shape, strict=True)
        ]
    found = []
    for axis, size in enumerate(grid.shape):
        new = corner_mm[2 - axis] + np.arange(size + 1) * grid.spacing_mm[axis]
        found.append((new - volume.origin_mm[2 - axis]) * (1.0 / volume.spacing_mm[axis]))
    columns = grid.shape[2]
    x = found[2][0] + np.arange(columns) / columns * (found[2][columns] - found[2][0])
    return [found[0][:-1], found[1][:-1], x]


def _of_type(values: Array, kind: np.dtype[Any]) -> Array:
    if kind.kind == "f":
        return values.astype(kind, copy=False)
    limits = np.iinfo(np.uint8 if kind.kind == "b" else kind)
    return np.clip(values, limits.min, limits.max).astype(limits.dtype)


class _Itk:
    """ITK on the whole image, whose rounding decides which voxel is nearer and what is whole."""

    def __init__(self, volume: Volume, grid: Grid, *, threads: int) -> None:
        try:
            import SimpleITK
        except ImportError as error:
            raise MissingExtraError(
                f"expected SimpleITK for resampling; found: {error}. Install it: "
                "pip install 'radiogenomics[imaging]'."
            ) from None
        self._sitk = SimpleITK
        self._volume = volume
        self._filter = SimpleITK.ResampleImageFilter()
        self._filter.SetNumberOfThreads(threads)
        self._filter.SetOutputDirection(volume.direction)
        self._filter.SetOutputSpacing(_backwards(grid.spacing_mm))
        self._filter.SetSize(_backwards(grid.shape))
        place = self._image(np.zeros((1, 1, 1), dtype=np.uint8))
        corner = place.TransformContinuousIndexToPhysicalPoint(_backwards(grid.first))
        self._filter.SetOutputOrigin(corner)
        self.origin_mm = tuple(corner)

    def __call__(
        self, voxels: Array, interpolator: Literal["linear", "nearest"], *, beyond: int
    ) -> Array:
        """Voxels on the grid, ``beyond`` where it juts out of the image."""
        kinds = {"linear": self._sitk.sitkLinear, "nearest": self._sitk.sitkNearestNeighbor}
        self._filter.SetInterpolator(kinds[interpolator])
        self._filter.SetDefaultPixelValue(beyond)
        return self._sitk.GetArrayFromImage(self._filter.Execute(self._image(voxels)))

    def _image(self, voxels: Array) -> Any:
        image = self._sitk.GetImageFromArray(voxels)
        image.SetSpacing(_backwards(self._volume.spacing_mm))
        image.SetOrigin(self._volume.origin_mm)
        image.SetDirection(self._volume.direction)
        return image


def _backwards(triple: Sequence[float]) -> list[float]:
    """(z, y, x) as ITK counts: (x, y, z)."""
    return list(triple)[::-1]


def numbers(voxels: Array) -> Array:
    """Voxels of a number type that ITK knows."""
    if voxels.dtype.kind == "b":
        return voxels.view(np.uint8)
    return voxels.astype(np.float32) if voxels.dtype == np.float16 else voxels
