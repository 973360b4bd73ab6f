"""Intensities: bringing scanners and modalities to one scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume

MINIMUM_VOXELS = 100


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
    voxels = scale * (volume.voxels.astype(np.float64) - mean) / deviation
    return replace(volume, voxels=voxels)


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
