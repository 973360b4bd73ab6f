"""Perturbed scans: what another positioning, scanner noise or reader could have given."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError, MissingExtraError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]

# Coefficient of a normal distribution's median absolute deviation.
MAD_TO_SD = 1.4826


def translated(volume: Volume, shift: tuple[float, float, float]) -> Volume:
    """Return the volume on a grid moved by ``shift`` voxels (z, y, x), as if positioned otherwise.

    Image by cubic spline, masks by the nearest voxel; beyond the border the edge is repeated.

    Raises
    ------
    DataError
        The shift is not finite.
    """
    if not np.isfinite(shift).all():
        raise DataError(f"expected a finite shift in voxels; found {shift}. Correct it.")
    return _moved(volume, np.eye(3), np.asarray(shift, dtype=float))


def rotated(volume: Volume, region: str, *, angle_degrees: float) -> Volume:
    """Return the volume turned in the axial plane around the centre of a region.

    Raises
    ------
    DataError
        The angle is not finite.
    GeometryError
        The region is empty.
    """
    if not math.isfinite(angle_degrees):
        raise DataError(f"expected a finite angle; found {angle_degrees}. Correct it.")
    inside = volume.mask(region) > 0
    if not inside.any():
        raise GeometryError(f"expected voxels in {region!r}; found none. Draw it.")
    cos, sin = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    # The turn is in mm: where voxels are not square in the plane it is no turn in voxels.
    size = np.diag(volume.spacing_mm)
    matrix = np.linalg.inv(size) @ turn @ size
    centre = np.array(ndimage.center_of_mass(inside))
    return _moved(volume, matrix, centre - matrix @ centre)


def noised(volume: Volume, *, sd: float | None = None, rng: np.random.Generator) -> Volume:
    """Return the volume with white Gaussian noise added.

    Parameters
    ----------
    sd
        Standard deviation in the image's unit; None: that of the noise in the image
        (:func:`noise_level`).
    rng
        Source of randomness.

    Raises
    ------
    DataError
        ``sd`` is negative or not finite.
    """
    level = noise_level(volume) if sd is None else sd
    if not (math.isfinite(level) and level >= 0):
        raise DataError(f"expected a standard deviation of 0 or more; found {level}. Correct it.")
    noise = rng.normal(0.0, level, volume.voxels.shape) if level else 0.0
    return replace(volume, voxels=volume.voxels.astype(np.float64) + noise)


def noise_level(volume: Volume) -> float:
    """Estimate the standard deviation of the noise from the finest diagonal details, by slices.

    The median absolute value of the diagonal Haar details is that of the noise, since edges are
    rare among them. It overestimates in images of fine texture throughout.

    References
    ----------
    Donoho & Johnstone 1994, doi:10.1093/biomet/81.3.425.
    """
    v = volume.voxels.astype(np.float64)
    details = (v[:, :-1, :-1] - v[:, 1:, :-1] - v[:, :-1, 1:] + v[:, 1:, 1:]) / 2
    return float(MAD_TO_SD * np.median(np.abs(details))) if details.size else 0.0


def resized(volume: Volume, region: str, *, change: float) -> Volume:
    """Return the volume with the region grown or shrunk to ``1 + change`` times its voxels.

    Voxels are added or taken away in the order of their distance in mm from the border, ties in
    array order, so the number is met exactly where the image has room. Grown voxels carry the
    label of the nearest one.

    Raises
    ------
    DataError
        ``change`` is not above -1.
    GeometryError
        The region is empty, or would be.
    """
    if not (math.isfinite(change) and change > -1):
        raise DataError(f"expected a change above -1 (0.1: a tenth more); found {change}.")
    mask = volume.mask(region)
    wanted = round(np.count_nonzero(mask) * (1 + change))
    if wanted < 1:
        raise GeometryError(
            f"expected a region to resize; found {np.count_nonzero(mask)} voxels, of which "
            f"{wanted} would stay. Draw it, or shrink it less."
        )
    box = bounding_box(mask > 0, margin=_growth_margin(volume, wanted))
    part = mask[box]
    signed = ndimage.distance_transform_edt(part == 0, sampling=volume.spacing_mm)
    signed -= ndimage.distance_transform_edt(part > 0, sampling=volume.spacing_mm)
    kept = np.zeros(part.size, dtype=bool)
    kept[np.argsort(signed, axis=None, kind="stable")[:wanted]] = True
    changed = np.zeros_like(mask)
    changed[box] = np.where(kept.reshape(part.shape), _nearest_label(part, volume.spacing_mm), 0)
    return replace(volume, masks={**volume.masks, region: changed})


def redrawn(
    volume: Volume, region: str, *, rng: np.random.Generator, voxels_each: int = 50
) -> Volume:
    """Return the volume with the border of the region drawn anew along supervoxels.

    The image around the region is cut into supervoxels that follow its edges (SLIC). One that lies
    in the region by a share of at least 0.9 stays, one below 0.2 does not, and others are taken
    with their share as probability: another reader, who sees the same edges.

    Parameters
    ----------
    voxels_each
        Mean size of a supervoxel.

    Raises
    ------
    GeometryError
        The region is empty, or none of it was taken.
    MissingExtraError
        scikit-image is not installed.

    References
    ----------
    Zwanenburg et al. 2019, doi:10.1038/s41598-018-36938-4.
    """
    inside = volume.mask(region) > 0
    if not inside.any():
        raise GeometryError(f"expected voxels in {region!r}; found none. Draw it.")
    box = bounding_box(inside, margin=(3, 3, 3))
    # A small region is cut into ten pieces at least, or it would stand or fall as a whole.
    each = max(1, min(voxels_each, np.count_nonzero(inside) // 10))
    pieces = _supervoxels(volume.voxels[box], volume.spacing_mm, each)
    sizes = np.bincount(pieces.ravel())
    shares = np.bincount(pieces.ravel(), weights=inside[box].ravel()) / np.maximum(sizes, 1)
    taken = (shares >= 0.9) | ((shares >= 0.2) & (rng.random(shares.size) < shares))
    if not taken[pieces].any():
        raise GeometryError(
            f"expected supervoxels in {region!r}; found that none was taken. The image has no "
            "edges there, or the region too few voxels: leave this perturbation out."
        )
    mask = volume.mask(region)
    drawn = np.zeros_like(mask)
    drawn[box] = np.where(taken[pieces], _nearest_label(mask[box], volume.spacing_mm), 0)
    return replace(volume, masks={**volume.masks, region: drawn})


def _moved(volume: Volume, matrix: Array, offset: Array) -> Volume:
    """Values at ``matrix @ index + offset``."""
    voxels = volume.voxels.astype(np.float64)
    return replace(
        volume,
        voxels=ndimage.affine_transform(voxels, matrix, offset, order=3, mode="nearest"),
        masks={
            name: ndimage.affine_transform(
                mask.astype(np.int32), matrix, offset, order=0, mode="nearest"
            )
            for name, mask in volume.masks.items()
        },
    )


def _nearest_label(mask: Array, spacing_mm: tuple[float, float, float]) -> Array:
    """Label of the voxel of the region that is nearest in mm."""
    place = ndimage.distance_transform_edt(
        mask == 0, sampling=spacing_mm, return_distances=False, return_indices=True
    )
    labels: Array = mask[tuple(place)]
    return labels


def _growth_margin(volume: Volume, wanted: int) -> tuple[int, int, int]:
    """Voxels (z, y, x) within which a region of ``wanted`` voxels, however thin, has grown."""
    radius_mm = (wanted * math.prod(volume.spacing_mm)) ** (1 / 3)
    z, y, x = (math.ceil(radius_mm / size) + 1 for size in volume.spacing_mm)
    return z, y, x


def _supervoxels(voxels: Array, spacing_mm: tuple[float, float, float], each: int) -> Array:
    """Number of the supervoxel of each voxel, from 0."""
    try:
        from skimage.segmentation import slic
    except ImportError:
        raise MissingExtraError(
            "expected scikit-image for supervoxels; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    low, high = np.percentile(voxels, (1, 99))
    scaled = np.clip((voxels - low) / max(high - low, 1e-12), 0, 1)
    pieces: Array = slic(
        scaled,
        n_segments=max(1, voxels.size // each),
        compactness=0.05,
        spacing=spacing_mm,
        start_label=0,
        channel_axis=None,
    )
    return pieces
