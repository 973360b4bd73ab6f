"""Masks onto images: compared in physical space, repaired only when asked to, never silently."""

from __future__ import annotations

from itertools import product
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.io.images.grid import Grid

Array = np.ndarray[Any, np.dtype[Any]]
Repair = Literal["error", "resample", "pad"]
REPAIRS = ("error", "resample", "pad")
TOLERANCE = 0.01


def fit_mask(
    labels: Array,
    own: Grid,
    onto: Grid,
    *,
    names: tuple[str, str],
    repair: Repair | str = "error",
    tolerance: float = TOLERANCE,
) -> tuple[Array, tuple[str, ...]]:
    """Bring a mask onto an image's grid.

    Two grids are the same when they have the same size and no corner voxel of one lies farther
    from its counterpart than ``tolerance`` times the image's smallest voxel side.

    Parameters
    ----------
    labels
        Integers (z, y, x).
    own, onto
        Grid of the mask and of the image.
    names
        Of mask and image, for messages.
    repair
        ``"error"``: another grid is refused. ``"pad"``: the same lattice with another extent is cut
        and filled with 0. ``"resample"``: each voxel of the image takes the label of the mask voxel
        its centre lies in (nearest neighbour).
    tolerance
        Share of a voxel side.

    Returns
    -------
    Labels on the image's grid, and notes.

    Raises
    ------
    GeometryError
        The grids differ and no repair was asked for, padding does not suffice, or part of the
        region would be lost.
    UnknownNameError
        There is no such repair.
    """
    offset = require_fit(own, onto, names=names, repair=repair, tolerance=tolerance)
    if offset == (0, 0, 0) and own.shape == onto.shape:
        return labels, ()
    lost = share_outside(labels, own, onto)
    if lost > 0:
        raise GeometryError(
            f"{names[0]}: expected a region inside {names[1]}; found {lost:.1%} of it outside. "
            "No repair may cut a region: check that both belong together."
        )
    if repair == "resample" or offset is None:
        return _resampled(labels, own, onto, names=names)
    fitted = np.zeros(onto.shape, dtype=labels.dtype)
    here, there = _overlap(own.shape, onto.shape, offset)
    fitted[there] = labels[here]
    note = f"mask padded or cut from {_size(own)} to {_size(onto)} voxels (x, y, z); none was lost"
    return fitted, (note,)


def require_fit(
    own: Grid,
    onto: Grid,
    *,
    names: tuple[str, str],
    repair: Repair | str,
    tolerance: float,
) -> tuple[int, int, int] | None:
    """Refuse grids that the repair does not bring together; parameters as for :func:`fit_mask`.

    Returns
    -------
    tuple or None
        As :func:`lattice_offset`.

    Raises
    ------
    GeometryError, UnknownNameError
        As :func:`fit_mask`, as far as grids can tell.
    """
    if repair not in REPAIRS:
        raise UnknownNameError("repair", repair, REPAIRS)
    offset = lattice_offset(own, onto, tolerance=tolerance)
    same = offset == (0, 0, 0) and own.shape == onto.shape
    if repair == "error" and not same:
        raise mismatch(own, onto, names=names)
    if repair == "pad" and offset is None:
        raise GeometryError(
            f"{names[0]}: expected the voxels of {names[1]}, with another extent at most; found "
            "another lattice. Padding cannot mend that: use repair='resample', or redraw the mask."
        )
    return offset


def lattice_offset(own: Grid, onto: Grid, *, tolerance: float) -> tuple[int, int, int] | None:
    """Index (z, y, x) in ``onto`` of the first voxel of ``own``; None when the lattices differ."""
    # Beyond this no header is meant: the numbers could not even be compared exactly.
    start = onto.indices(np.array([own.origin_mm]))[0]
    if not np.isfinite(start).all() or np.abs(start).max() > 1e6:
        return None
    offset = np.rint(start)
    shift = onto.points(own.corners() + offset) - own.points(own.corners())
    if np.linalg.norm(shift, axis=1).max() > tolerance * min(onto.spacing_mm):
        return None
    z, y, x = map(int, offset)
    return z, y, x


def mismatch(own: Grid, onto: Grid, *, names: tuple[str, str]) -> GeometryError:
    """Say how two grids differ."""
    if own.shape != onto.shape:
        return GeometryError(
            f"{names[0]}: expected the size of {names[1]}, {_size(onto)} (x, y, z); found "
            f"{_size(own)}. Resample the mask onto the image, or read it with repair='pad' or "
            "'resample'."
        )
    shift = np.linalg.norm(onto.points(onto.corners()) - own.points(own.corners()), axis=1).max()
    return GeometryError(
        f"{names[0]}: expected the grid of {names[1]}; found one whose corners lie up to "
        f"{shift:.3g} mm elsewhere (spacing, origin or direction differ). "
        "Correct its header, or read it with repair='resample'."
    )


def share_outside(labels: Array, own: Grid, onto: Grid) -> float:
    """Share of a mask's voxels whose centres lie in no voxel of the image."""
    inside = np.argwhere(labels)
    if not len(inside):
        return 0.0
    return float(1.0 - onto.holds(onto.indices(own.points(inside))).mean())


def _resampled(
    labels: Array, own: Grid, onto: Grid, *, names: tuple[str, str]
) -> tuple[Array, tuple[str, ...]]:
    fitted = np.zeros(onto.shape, dtype=labels.dtype)
    filled = np.argwhere(labels)
    if len(filled):
        # Only the part of the image around the region is looked at.
        reach = np.array([filled.min(axis=0) - 0.5, filled.max(axis=0) + 0.5])
        corners = np.array(list(product(*reach.T)))
        there = onto.indices(own.points(corners))
        low = np.clip(np.floor(there.min(axis=0)).astype(int), 0, onto.shape)
        high = np.clip(np.ceil(there.max(axis=0)).astype(int) + 1, 0, onto.shape)
        matrix = np.linalg.solve(own.axes, onto.axes)
        start = own.indices(onto.points(np.array([low])))[0]
        fitted[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = (
            ndimage.affine_transform(
                labels, matrix, start, tuple(high - low), order=0, mode="grid-constant"
            )
        )
    vanished = sorted(set(np.unique(labels)) - set(np.unique(fitted)) - {0})
    if vanished:
        raise GeometryError(
            f"{names[0]}: expected a region that the voxels of {names[1]} can show; found "
            f"{len(vanished)} labels that fall between them. Redraw the mask on the image."
        )
    before = np.count_nonzero(labels) * np.prod(own.spacing_mm) / 1000
    after = np.count_nonzero(fitted) * np.prod(onto.spacing_mm) / 1000
    note = (
        f"mask resampled onto the image by nearest neighbour: {before:.4g} ml before, "
        f"{after:.4g} ml after"
    )
    return fitted, (note,)


def _overlap(
    shape: tuple[int, ...], onto: tuple[int, ...], offset: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where both extents meet: in indices of the first, and of the second."""
    here, there = [], []
    for size, room, start in zip(shape, onto, offset, strict=True):
        low, high = max(start, 0), min(start + size, room)
        high = max(high, low)
        here.append(slice(low - start, high - start))
        there.append(slice(low, high))
    return tuple(here), tuple(there)


def _size(grid: Grid) -> tuple[int, int, int]:
    z, y, x = grid.shape
    return x, y, z
