r"""Resampling as the IBSI defines it: grids aligned at their centres, masks cut at a half.

An axis of :math:`n_a` voxels of size :math:`s_a` becomes
:math:`n_b = \lceil n_a s_a / s_b \rceil` voxels of size :math:`s_b`. New voxel k lies at
:math:`\frac{1}{2} (n_a - 1) + (k - \frac{1}{2} (n_b - 1)) s_b / s_a` old voxels. Outside the
outermost centres the image goes on as it ends.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]
Triple = tuple[float, float, float]
Interpolator = Literal["bspline", "linear", "nearest"]

# Voxels by which the ends are continued: a cubic B-spline forgets a voxel at 0.268 a voxel.
CONTINUED = 32
# Weights below this add nothing to a double.
NO_WEIGHT = 1e-18
# A mask of exactly a half belongs to the region, also where rounding leaves a little less.
HALF = 0.5 - 1e-9


def ibsi_resample(
    volume: Volume,
    region: str,
    *,
    spacing_mm: Triple,
    interpolator: Interpolator = "linear",
    margin_mm: float | None = None,
) -> Volume:
    """Resample image and region to another voxel size on the IBSI's grid.

    The image is interpolated by ``interpolator``, the region linearly; a new voxel belongs to it
    where half of it does. The margin changes nothing of what it keeps.

    Parameters
    ----------
    volume
        Left as it is.
    region
        The only mask that the result has.
    spacing_mm
        New voxel size (z, y, x); 0 keeps an axis.
    interpolator
        ``"bspline"`` (cubic), ``"linear"`` or ``"nearest"``.
    margin_mm
        What is kept around the region, as far as the grid goes; None: the whole grid.

    Returns
    -------
    Volume
        float64 voxels and a boolean mask.

    Raises
    ------
    GeometryError
        The region is empty, or no new voxel belongs to it.

    References
    ----------
    Zwanenburg et al., doi:10.48550/arXiv.1612.07003; Interpolation (VTM2).

    Examples
    --------
    >>> line, region = np.array([[[0.0, 2.0, 4.0]]]), np.array([[[1, 1, 1]]])
    >>> volume = Volume(line, {"tumour": region}, (1, 1, 2))
    >>> ibsi_resample(volume, "tumour", spacing_mm=(0, 0, 3)).voxels
    array([[[0.5, 3.5]]])
    """
    inside = volume.mask(region) > 0
    if not inside.any():
        raise GeometryError("expected a region; found an empty mask. Draw it, or drop the scan.")
    z, y, x = (s or kept for s, kept in zip(spacing_mm, volume.spacing_mm, strict=True))
    new = (z, y, x)
    places = _places(inside, volume.spacing_mm, new, margin_mm=margin_mm)
    return replace(
        volume,
        voxels=_interpolated(volume.voxels, places, interpolator),
        masks={region: _half_filled(inside, places, new)},
        spacing_mm=new,
        origin_mm=_moved(volume, [place[0] for place in places]),
    )


def _half_filled(inside: Array, places: list[Array], new: Triple) -> Array:
    """New voxels that belong to the region."""
    mask = _interpolated(inside, places, "linear") >= HALF
    if not mask.any():
        raise GeometryError(
            f"expected the region to fill half a voxel of {new} mm (z, y, x) somewhere; found that "
            "it does not. Resample to smaller voxels."
        )
    return mask


def _places(inside: Array, old: Triple, new: Triple, *, margin_mm: float | None) -> list[Array]:
    """Where the new voxels of each axis lie, in old voxels: all, or those around the region."""
    places = [_positions(*axis) for axis in zip(inside.shape, old, new, strict=True)]
    if margin_mm is None:
        return places
    margins = [1 + margin_mm / size for size in old]
    around = zip(places, bounding_box(inside), margins, strict=True)
    return [_around(*axis) for axis in around]


def _positions(count: int, old: float, new: float) -> Array:
    """Where the new voxels of an axis lie, in old voxels."""
    # A size that divides the axis must not give one voxel more by rounding.
    new_count = math.ceil(round(count * old / new, 9))
    return (count - 1) / 2 + (np.arange(new_count) - (new_count - 1) / 2) * (new / old)


def _around(positions: Array, box: slice, margin: float) -> Array:
    """Those of the positions that lie in the box or within the margin, in old voxels."""
    kept = (positions >= box.start - margin) & (positions <= box.stop - 1 + margin)
    return positions[kept]


def _moved(volume: Volume, first: list[float]) -> Triple:
    """Physical position (x, y, z) of a voxel given by its place (z, y, x)."""
    shift = np.array(first[::-1]) * np.array(volume.spacing_mm[::-1])
    x, y, z = np.array(volume.origin_mm) + np.array(volume.direction).reshape(3, 3) @ shift
    return float(x), float(y), float(z)


def _interpolated(voxels: Array, places: list[Array], kind: Interpolator) -> Array:
    """Voxels at the places of each axis: one matrix an axis."""
    lines = [_weights(place, size, kind) for place, size in zip(places, voxels.shape, strict=True)]
    used = tuple(_used(line) for line in lines)
    across, down, along = (line[:, part] for line, part in zip(lines, used, strict=True))
    planes = [down @ plane.astype(np.float64) @ along.T for plane in voxels[used]]
    return np.tensordot(across, np.stack(planes), axes=1)


def _used(weights: Array) -> slice:
    """Old voxels of an axis that the new ones read."""
    read = np.flatnonzero((np.abs(weights) > NO_WEIGHT).any(axis=0))
    return slice(int(read[0]), int(read[-1]) + 1)


def _weights(positions: Array, size: int, kind: Interpolator) -> Array:
    """Weight (new, old) of each old voxel of an axis in each new one."""
    rows = np.arange(len(positions))
    weights = np.zeros((len(positions), size + 2 * CONTINUED))
    # Voxels that stay where they are stay exactly what they are.
    if kind == "nearest" or not (positions % 1).any():
        kind = "nearest"
        weights[rows, np.floor(positions + 0.5).astype(int) + CONTINUED] = 1
    else:
        below = np.floor(positions).astype(int)
        for tap, part in _taps(positions - below, kind):
            weights[rows, below + tap + CONTINUED] = part
    if kind == "bspline":
        # Taps act on spline coefficients, which a symmetric filter makes of the voxels.
        weights = ndimage.spline_filter1d(weights, order=3, axis=1, mode="mirror")
    core = weights[:, CONTINUED:-CONTINUED]
    core[:, 0] += weights[:, :CONTINUED].sum(axis=1)
    core[:, -1] += weights[:, -CONTINUED:].sum(axis=1)
    return core


def _taps(t: Array, kind: Interpolator) -> list[tuple[int, Array]]:
    """Steps from the voxel below, and the weight there, at the distance t above it."""
    if kind == "linear":
        return [(0, 1 - t), (1, t)]
    return [
        (-1, (1 - t) ** 3 / 6),
        (0, (4 - 6 * t**2 + 3 * t**3) / 6),
        (1, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6),
        (2, t**3 / 6),
    ]
