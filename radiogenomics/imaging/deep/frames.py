"""Where a view lies: a grid in the patient's space, and what a scan shows on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Any

import numpy as np
from scipy import ndimage

from radiogenomics.core.scan import Volume
from radiogenomics.imaging.deep.presets import EncoderSettings
from radiogenomics.imaging.masks import bounding_box
from radiogenomics.imaging.mutual_information import (
    image_in_space,
    onto_grid,
    simpleitk,
    voxels_of,
)

Array = np.ndarray[Any, np.dtype[Any]]
Triple = tuple[float, float, float]

# Rounding of positions must not move a voxel on the border of a scan out of it.
SLACK = 1e-6
REACH = 4.0
"""Standard deviations that a Gaussian reads."""


@dataclass(frozen=True)
class Frame:
    """A grid in the patient's space; sizes are (z, y, x), positions (x, y, z) in LPS."""

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    direction: tuple[float, ...]

    @property
    def steps_mm(self) -> Array:
        """Columns: the way in mm (x, y, z) from a voxel to the next along z, y and x."""
        return _steps(self.direction, self.spacing_mm)


def facing_patient(volume: Volume) -> Volume:
    """Turn and flip the axes of a volume so that they run nearest to left, back and head.

    Voxels are those of the scan, in another order; nothing is interpolated.
    """
    axes = np.array(volume.direction).reshape(3, 3)
    near = max(permutations(range(3)), key=lambda p: sum(abs(axes[i, p[i]]) for i in range(3)))
    signs = [1 if axes[i, near[i]] >= 0 else -1 for i in range(3)]
    if near == (0, 1, 2) and signs == [1, 1, 1]:
        return volume
    # Array axes count z, y, x; patient axis i is array axis 2 - i.
    order = [2 - near[2 - axis] for axis in range(3)]
    turns = tuple(slice(None, None, signs[2 - axis]) for axis in range(3))
    steps = _steps(volume.direction, volume.spacing_mm)
    last = np.array(volume.voxels.shape) - 1
    flipped = [near[i] for i in range(3) if signs[i] < 0]
    corner = np.array(volume.origin_mm) + sum(
        (steps[:, 2 - axis] * last[2 - axis] for axis in flipped), start=np.zeros(3)
    )
    z, y, x = (volume.spacing_mm[axis] for axis in order)
    return replace(
        volume,
        voxels=volume.voxels.transpose(order)[turns],
        masks={name: mask.transpose(order)[turns] for name, mask in volume.masks.items()},
        spacing_mm=(z, y, x),
        origin_mm=_triple(corner),
        direction=tuple((axes[:, list(near)] * signs).ravel().tolist()),
    )


def frame_of(volume: Volume, inside: Array, settings: EncoderSettings) -> Frame:
    """Grid of a view around a region, along the axes of a volume that faces the patient."""
    old = np.array(volume.spacing_mm)
    shape = np.array(settings.shape)
    if settings.view == "box":
        box = np.array([(part.start, part.stop) for part in bounding_box(inside)])
        centre = (box.sum(axis=1) - 1) / 2
        step = _voxel_size(old, (box[:, 1] - box[:, 0]) * old, settings)
    else:
        shape[0] = settings.slices
        centre, step = _slices_frame(inside, old, settings)
    # The middle one of an odd number of slices is the largest itself.
    before = (shape - 1) / 2
    if settings.view != "box":
        before[0] = shape[0] // 2
    first = centre - before * step / old
    at = np.array(volume.origin_mm) + _steps(volume.direction, volume.spacing_mm) @ first
    n, m, k = shape.tolist()
    return Frame((n, m, k), _triple(step), _triple(at), tuple(volume.direction))


def _slices_frame(inside: Array, old: Array, settings: EncoderSettings) -> tuple[Array, Array]:
    """Centre in voxels, and voxel size, of slices around the one with most of the region."""
    middle = int(inside.sum(axis=(1, 2)).argmax())
    wanted = settings.spacing_mm[0] if settings.spacing_mm else 0.0
    apart = wanted or float(old[0])
    reach = math.ceil(settings.slices // 2 * apart / old[0])
    shown = inside[max(middle - reach, 0) : middle + reach + 1].any(axis=0, keepdims=True)
    _, rows, columns = bounding_box(shown)
    extent = np.array([0.0, rows.stop - rows.start, columns.stop - columns.start]) * old
    step = _voxel_size(old, extent, settings)
    step[0] = apart
    centre = [middle, (rows.start + rows.stop - 1) / 2, (columns.start + columns.stop - 1) / 2]
    return np.array(centre), step


def _voxel_size(old: Array, extent: Array, settings: EncoderSettings) -> Array:
    """Voxel size (z, y, x) in mm by the settings, for a region of an extent in mm."""
    if settings.spacing_mm is not None:
        wanted = np.array(settings.spacing_mm, dtype=float)
        return np.where(wanted > 0, wanted, old)
    axes = slice(0 if settings.view == "box" else 1, None)
    step = old.astype(float).copy()
    step[axes] = (extent[axes] + 2 * settings.margin_mm) / np.array(settings.size)
    if settings.keep_aspect:
        step[axes] = step[axes].max()
    return step


def points_mm(volume: Volume, inside: Array) -> Array:
    """Positions (points × x, y, z) in mm of the voxels of a region."""
    places = np.column_stack(np.nonzero(inside)).astype(float)
    steps = _steps(volume.direction, volume.spacing_mm)
    return np.array(volume.origin_mm) + places @ steps.T


def share_within(points: Array, space: Volume | Frame) -> float:
    """Share of points that lie in the voxels of a volume or a frame, 0 to 1."""
    shape = np.array(space.voxels.shape if isinstance(space, Volume) else space.shape)
    at = places_of(points, space)
    within = (at >= -0.5 - SLACK) & (at <= shape - 0.5 + SLACK)
    return float(within.all(axis=1).mean())


def sampled(volume: Volume, frame: Frame) -> Array:
    """What a volume shows on a grid: linear interpolation, its lowest value where it has none.

    Where the grid is coarser than the voxels, these are averaged first (a Gaussian with a standard
    deviation of half the difference of the voxel sizes), as noise would otherwise be picked and
    not averaged.
    """
    lowest = float(volume.voxels.min())
    per_axis = np.linalg.solve(_steps(volume.direction, volume.spacing_mm), frame.steps_mm)
    sigma = np.maximum((np.abs(per_axis).max(axis=1) - 1) / 2, 0)
    corners = np.array(list(product(*((0, n - 1) for n in frame.shape))), dtype=float)
    at = places_of(np.array(frame.origin_mm) + corners @ frame.steps_mm.T, volume)
    margin = np.ceil(REACH * sigma) + 1
    low = np.clip(np.floor(at.min(axis=0)) - margin, 0, None).astype(int)
    high = np.minimum(np.ceil(at.max(axis=0)) + margin + 1, volume.voxels.shape).astype(int)
    if (high <= low).any():
        return np.full(frame.shape, lowest, dtype=np.float32)
    part = volume.voxels[tuple(map(slice, low, high))].astype(np.float32)
    if sigma.any():
        part = ndimage.gaussian_filter(part, sigma, mode="nearest", truncate=REACH)
    at_low = np.array(volume.origin_mm) + _steps(volume.direction, volume.spacing_mm) @ low
    piece = Volume(part, {}, volume.spacing_mm, _triple(at_low), volume.direction)
    return _on_frame(piece.voxels, piece, frame, linear=True, beyond=lowest)


def nearest(volume: Volume, inside: Array, frame: Frame) -> Array:
    """Whether the nearest voxel of each place of a grid is of a region."""
    found = _on_frame(inside.astype(np.uint8), volume, frame, linear=False, beyond=0)
    return found > 0


def _on_frame(voxels: Array, space: Volume, frame: Frame, *, linear: bool, beyond: float) -> Array:
    sitk = simpleitk()
    grid = sitk.Image(list(frame.shape)[::-1], sitk.sitkUInt8)
    grid.SetSpacing(list(frame.spacing_mm)[::-1])
    grid.SetOrigin(frame.origin_mm)
    grid.SetDirection(frame.direction)
    image = image_in_space(np.ascontiguousarray(voxels), space)
    same = sitk.Transform(3, sitk.sitkIdentity)
    return voxels_of(onto_grid(image, grid, same, linear=linear, beyond=beyond))


def places_of(points: Array, space: Volume | Frame) -> Array:
    """Turn positions in mm (points × x, y, z) into voxels (points × z, y, x) of a grid."""
    steps = _steps(space.direction, space.spacing_mm)
    return np.asarray(np.linalg.solve(steps, (points - np.array(space.origin_mm)).T).T)


def _steps(direction: tuple[float, ...], spacing_mm: Triple) -> Array:
    axes = np.array(direction).reshape(3, 3)[:, ::-1]
    return np.asarray(axes * np.array(spacing_mm))


def _triple(values: Array) -> Triple:
    first, second, third = values.tolist()
    return first, second, third
