"""Intensities: bringing scanners and modalities to one scale."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume

Array = np.ndarray[Any, np.dtype[Any]]
MINIMUM_VOXELS = 100
# What rounding leaves of a difference of two equal sums of squares, in parts of them.
ROUNDING = 1e-14


def organ_statistics(
    volume: Volume, *, organ: str = "liver", without: tuple[str, ...] = ("tumour",)
) -> tuple[float, float]:
    """Mean and standard deviation of an organ outside other regions, in the image's unit.

    Parameters
    ----------
    organ
        Region that is measured.
    without
        Regions to leave out of it, where the volume has them.

    Raises
    ------
    UnknownNameError
        The volume has no mask of the organ.
    GeometryError
        The organ has fewer than 100 voxels left, or all have one intensity.
    """
    reference = volume.mask(organ) > 0
    for region in without:
        if region in volume.masks:
            reference &= volume.masks[region] == 0
    values = volume.voxels[reference].astype(np.float64)
    if len(values) < MINIMUM_VOXELS:
        raise GeometryError(
            f"expected at least {MINIMUM_VOXELS} voxels of {organ} outside the lesions; found "
            f"{len(values)}. Check the mask, or use settings without normalisation."
        )
    mean, deviation = float(values.mean()), float(values.std())
    if deviation <= np.finfo(float).eps * abs(mean):
        raise GeometryError(
            f"expected {organ} of varying intensity; found {mean:g} everywhere. Check the image."
        )
    return mean, deviation


def standardise(volume: Volume, *, mean: float, deviation: float, scale: float = 100.0) -> Volume:
    """Return the volume with intensities ``scale * (v - mean) / deviation``."""
    voxels = volume.voxels.astype(np.float64)
    voxels -= mean
    voxels *= scale
    voxels /= deviation
    return replace(volume, voxels=voxels)


def image_statistics(voxels: Array) -> tuple[float, float]:
    """Mean and sample standard deviation over all voxels of an image.

    Sums run slice by slice, so that no copy of the image in double precision is needed, and in the
    widest floats there are, so that their order does not matter.

    Raises
    ------
    GeometryError
        All voxels have one intensity.
    """
    wide_total = wide_squares = np.longdouble(0)
    for part in voxels:
        values = part.astype(np.float64)
        wide_total += values.sum(dtype=np.longdouble)
        wide_squares += np.square(values, out=values).sum(dtype=np.longdouble)
    total, squares = float(wide_total), float(wide_squares)
    variance = (squares - total * total / voxels.size) / max(voxels.size - 1, 1)
    mean = total / voxels.size
    if variance <= ROUNDING * mean * mean:
        raise GeometryError(
            f"expected an image of varying intensity; found {mean:g} everywhere. Check the image, "
            "or use settings without normalisation."
        )
    return mean, math.sqrt(variance)


def normalise_to_image(
    voxels: Array, *, mean: float, deviation: float, scale: float, outliers: float | None
) -> Array:
    r"""Return intensities in standard deviations of their image, times ``scale``.

    :math:`v' = s \min(\max((v - m) / d, -k), k)`, with :math:`k` the ``outliers``. Misleads where
    images show unlike amounts of air or other organs, which move mean and deviation.

    Parameters
    ----------
    voxels
        Image, or the part of it that is wanted.
    mean, deviation
        Of the whole image.
    scale
        Value of one standard deviation.
    outliers
        Standard deviations beyond which intensities are cut off; None: none are.

    Examples
    --------
    >>> normalise_to_image(np.arange(3.0), mean=1, deviation=0.1, scale=100, outliers=3)
    array([-300.,    0.,  300.])
    """
    done = (voxels.astype(np.float64) - mean) * (1.0 / deviation)
    if outliers is not None:
        np.clip(done, -outliers, outliers, out=done)
    done *= scale
    return done


def normalise_to_organ(
    volume: Volume,
    *,
    organ: str = "liver",
    without: tuple[str, ...] = ("tumour",),
    scale: float = 100.0,
) -> Volume:
    r"""Express intensities in standard deviations of a reference organ, times ``scale``.

    :math:`v' = s\,(v - m) / d`, with mean :math:`m` and standard deviation :math:`d` of the organ
    outside the regions ``without``. MR has no unit and CT differs between kernels and phases; the
    patient's own organ is a yardstick that every scan carries. Uses this patient only, so it is a
    function and not an estimator.

    Misleads where the organ itself is changed (steatosis, cirrhosis, iron), and on noise: with a
    noisier scanner :math:`d` grows and every lesion looks flatter.

    Parameters
    ----------
    volume
        Left as it is.
    organ
        Region that serves as the yardstick.
    without
        Regions to leave out of it, where the volume has them.
    scale
        Value of one standard deviation.

    Raises
    ------
    UnknownNameError
        The volume has no mask of the organ.
    GeometryError
        The organ has fewer than 100 voxels left, or all have one intensity.

    Examples
    --------
    >>> voxels = np.arange(1000.0).reshape(10, 10, 10)
    >>> scan = Volume(voxels, {"liver": np.ones((10, 10, 10), dtype=int)}, (1, 1, 1))
    >>> float(normalise_to_organ(scan).voxels.std())
    100.0
    """
    mean, deviation = organ_statistics(volume, organ=organ, without=without)
    return standardise(volume, mean=mean, deviation=deviation, scale=scale)
