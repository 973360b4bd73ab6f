r"""Intensity-volume histogram: which part of a region is at least so bright.

:math:`g_1 < \dots < g_K` are the intensities it is read at, :math:`\nu_k` the share of voxels at or
above :math:`g_k`, and :math:`\gamma_k = (g_k - g_1) / (g_K - g_1)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import Roi

Array = np.ndarray[Any, np.dtype[Any]]

# What the IBSI cuts arbitrary intensities into.
ARBITRARY_BINS = 1000
# Whole numbers over a wider range are not the discrete units of a calibrated image.
WIDEST_DISCRETE_RANGE = 2**16


@dataclass(frozen=True, eq=False)
class VolumeHistogram:
    """Share of a region that is at least as bright as each of K intensities.

    Parameters
    ----------
    intensities
        Rising, in equal steps.
    shares
        Falling from 1.
    """

    intensities: Array
    shares: Array

    @property
    def fractions(self) -> Array:
        """Intensities as part of their range; 1 where there is but one."""
        span = self.intensities[-1] - self.intensities[0]
        return (self.intensities - self.intensities[0]) / span if span else np.ones(1)

    def volume_at(self, fraction: float) -> float:
        """Largest share of the region with at least this part of the intensity range."""
        return self.shares[self.fractions >= fraction].max()

    def intensity_at(self, share: float) -> float:
        """Lowest intensity that at most this share reaches; the highest if more reach all."""
        rare = np.flatnonzero(self.shares <= share)
        return self.intensities[rare[0] if len(rare) else -1]


FEATURES: tuple[Feature, ...] = (
    Feature(
        None,
        "ivh_v10",
        "BC2M",
        "1",
        r":math:`V_{10} = \max \{\nu_k : \gamma_k \ge 0.1\}`.",
        lambda histogram: histogram.volume_at(0.1),
    ),
    Feature(
        None,
        "ivh_v90",
        "BC2M",
        "1",
        r":math:`V_{90} = \max \{\nu_k : \gamma_k \ge 0.9\}`.",
        lambda histogram: histogram.volume_at(0.9),
    ),
    Feature(
        None,
        "ivh_i10",
        "GBPN",
        "intensity",
        r":math:`I_{10} = \min \{g_k : \nu_k \le 0.1\}`.",
        lambda histogram: histogram.intensity_at(0.1),
    ),
    Feature(
        None,
        "ivh_i90",
        "GBPN",
        "intensity",
        r":math:`I_{90} = \min \{g_k : \nu_k \le 0.9\}`.",
        lambda histogram: histogram.intensity_at(0.9),
    ),
    Feature(
        None,
        "ivh_diff_v10_v90",
        "DDTU",
        "1",
        ":math:`V_{10} - V_{90}`.",
        lambda histogram: histogram.volume_at(0.1) - histogram.volume_at(0.9),
    ),
    Feature(
        None,
        "ivh_diff_i10_i90",
        "CNV2",
        "intensity",
        ":math:`I_{10} - I_{90}`.",
        lambda histogram: histogram.intensity_at(0.1) - histogram.intensity_at(0.9),
    ),
    Feature(
        None,
        "ivh_auc",
        "9CMM",
        "1",
        r":math:`\int \nu \, d\gamma` by trapezia; the IBSI gives no reference value.",
        lambda histogram: np.trapezoid(histogram.shares, histogram.fractions),
    ),
)


def ivh_features(
    roi: Roi,
    *,
    bin_width: float | None = None,
    bin_count: int | None = None,
    bounds: tuple[float | None, float | None] = (None, None),
) -> dict[str, float]:
    """Features of the intensity-volume histogram under the IBSI's tags.

    The histogram is read at the centres of bins of ``bin_width``, or at the numbers
    of ``bin_count`` bins between the extremes of the region. With neither, whole intensities are
    read one by one, and others in 1000 bins, as the IBSI does with arbitrary units.

    Parameters
    ----------
    roi
        Intensities and intensity mask, after re-segmentation.
    bin_width, bin_count
        At most one of the two.
    bounds
        Lowest and highest intensity of the re-segmentation; None: that of the region. Numbered
        bins do not look at them.

    Returns
    -------
    dict
        Tag → value.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145; family P88C.

    Examples
    --------
    >>> values = np.array([[[1.0, 2.0, 3.0, 6.0]]])
    >>> ivh_features(Roi(values, values > 0, (1.0, 1.0, 1.0)))["ivh_i10"]
    6.0
    """
    values = roi.values[roi.inside]
    low = float(values.min()) if bounds[0] is None else bounds[0]
    high = float(values.max()) if bounds[1] is None else bounds[1]
    if bin_width is not None:
        histogram = _binned(values, low=low, high=high, width=bin_width)
    elif bin_count is not None or not _discrete(values, low, high):
        histogram = _numbered(values, bin_count or ARBITRARY_BINS)
    else:
        intensities = np.arange(math.ceil(low), math.floor(high) + 1.0)
        histogram = _histogram((values - intensities[0]).astype(np.int64), intensities)
    return {str(feature.ibsi_name): float(feature.compute(histogram)) for feature in FEATURES}


def _discrete(values: Array, low: float, high: float) -> bool:
    """Whether intensities are whole numbers of a range that can be counted out."""
    return high - low < WIDEST_DISCRETE_RANGE and bool((np.rint(values) == values).all())


def _binned(values: Array, *, low: float, high: float, width: float) -> VolumeHistogram:
    """Histogram in bins of one width from ``low`` to the one that holds ``high``."""
    count = math.floor((high - low) / width) + 1
    places = np.floor((values - low) / width).astype(np.int64)
    return _histogram(places, low + (np.arange(count) + 0.5) * width)


def _numbered(values: Array, count: int) -> VolumeHistogram:
    """Histogram in bins 1 ... ``count`` of the range of the values; one bin if it is 0."""
    low, high = values.min(), values.max()
    if low == high:
        return VolumeHistogram(np.ones(1), np.ones(1))
    places = np.floor(count * ((values - low) / (high - low))).astype(np.int64)
    return _histogram(np.minimum(places, count - 1), np.arange(1.0, count + 1))


def _histogram(places: Array, intensities: Array) -> VolumeHistogram:
    """Histogram of voxels by the place of their intensity among those that are read."""
    counts = np.bincount(places, minlength=len(intensities))
    reached = np.cumsum(counts[::-1])[::-1]
    return VolumeHistogram(intensities, reached / len(places))
