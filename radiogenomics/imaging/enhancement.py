r"""What of a lesion is viable: the part that takes up contrast agent in the arterial phase.

The criteria leave that to a reader's eye. Here the eye is a rule for one scan,
:math:`x_v > m + k s`: a voxel :math:`v` of a lesion counts when the smoothed intensity :math:`x_v`
is more than :math:`k` times the spread :math:`s` above the median :math:`m` of the organ outside of
the lesions. Median and spread (1.4826 times the median absolute deviation, the SD of a normal
distribution) are of the smoothed scan, so neither the unit nor the scanner matters much, and noise
of single voxels does not count as tumour. Nothing is learnt from other patients.

It misleads: lesions that enhance no more than the liver (hypovascular or infiltrative ones, those
before a late arterial phase) have no viable part by it; lipiodol, haemorrhage, calcification and
vessels inside the mask are as bright as tumour; ablation margins and perfusion changes enhance
without tumour; a liver with many small or undrawn lesions has a wide spread; an enhancing rim
thinner than the smoothing is lost. No published bound holds for all scanners: look at the masks,
and draw the viable part by hand where a decision hangs on it.

References
----------
Lencioni & Llovet 2010, doi:10.1055/s-0030-1247132 (mRECIST: viable tumour).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.regions import without

Array = np.ndarray[Any, np.dtype[Any]]

VIABLE = "viable"
ABOVE_SD = 2.0
SMOOTHED_MM = 4.0
# Of a normal distribution the SD is this many median absolute deviations.
SD_OF_DEVIATION = 1.4826
# Of fewer voxels the organ has no spread to speak of.
LEAST_ORGAN = 1000
WIDTHS_OF_SIGMA = 2 * math.sqrt(2 * math.log(2))


def with_viable(
    volume: Volume,
    *,
    region: str = "tumour",
    organ: str = "liver",
    above_sd: float = ABOVE_SD,
    smoothed_mm: float = SMOOTHED_MM,
) -> Volume:
    """Return an arterial scan with a further mask, ``viable``: what of the lesions enhances.

    The mask is empty where nothing enhances, as after a complete response by mRECIST, and keeps the
    lesions' numbers. The rule and where it misleads stand at the head of the module.

    Parameters
    ----------
    volume
        Arterial phase.
    region, organ
        Masks of the lesions, and of the organ that they are compared with.
    above_sd
        How many SD of the organ above its median a voxel must be.
    smoothed_mm
        Full width at half maximum of the Gaussian that the scan is smoothed with; 0: none.

    Raises
    ------
    UnknownNameError
        The volume lacks a mask.
    DataError
        A number is out of range.
    GeometryError
        Less than 1000 voxels of the organ lie outside of the lesions, or all have one value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voxels, tumour = rng.normal(60, 5, (12, 20, 20)), np.zeros((12, 20, 20), dtype=int)
    >>> tumour[4:8, 4:8, 4:8] = 1
    >>> tumour[4:8, 12:16, 12:16] = 2
    >>> voxels += np.array([0, -30, 60])[tumour]
    >>> scan = Volume(voxels, {"liver": np.ones_like(tumour), "tumour": tumour}, (4, 4, 4))
    >>> np.unique(with_viable(scan).masks["viable"]).tolist()
    [0, 2]
    """
    if not (math.isfinite(above_sd) and above_sd > 0) or not 0 <= smoothed_mm < math.inf:
        raise DataError(
            "expected above_sd above 0 and smoothed_mm of at least 0; found "
            f"{above_sd} and {smoothed_mm}. {ABOVE_SD:g} and {SMOOTHED_MM:g} are the defaults."
        )
    smooth = volume.voxels.astype(np.float32)
    if smoothed_mm:
        sigma = [smoothed_mm / WIDTHS_OF_SIGMA / size for size in volume.spacing_mm]
        smooth = ndimage.gaussian_filter(smooth, sigma, mode="nearest")
    middle, spread = _usual(smooth[without(volume, organ, region)], organ=organ, region=region)
    lesions = volume.mask(region)
    viable = np.where(smooth > middle + above_sd * spread, lesions, np.zeros_like(lesions))
    return replace(volume, masks={**volume.masks, VIABLE: viable})


def _usual(usual: Array, *, organ: str, region: str) -> tuple[float, float]:
    """Median and spread of the organ; GeometryError where there is none to compare with."""
    middle = float(np.median(usual))
    spread = SD_OF_DEVIATION * float(np.median(np.abs(usual - middle)))
    if usual.size < LEAST_ORGAN or spread == 0:
        raise GeometryError(
            f"expected {LEAST_ORGAN} voxels of {organ} outside {region}, of different "
            f"intensities, to compare lesions with; found {usual.size} with a spread of "
            f"{spread:g}. Check the masks, or name a mask of the viable part."
        )
    return middle, spread
