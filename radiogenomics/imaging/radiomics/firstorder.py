r"""First-order features: the distribution of intensities in a region, wherever they lie.

:math:`X_1 \le \dots \le X_n` are the sorted intensities, :math:`\mu` their mean, :math:`\mu_k`
their k-th central moment, :math:`P_q` their q-th percentile (linear between order statistics) and
:math:`p_i` the share of voxels in grey level i.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi

Array = np.ndarray[Any, np.dtype[Any]]

# pyradiomics keeps the logarithm finite by this much; it is part of its numbers.
SMALLEST_SHARE = np.spacing(1.0)

# Voxels whose deviations and squares stay in the cache while four sums are taken of them.
CACHED = 65536


@dataclass(frozen=True, eq=False)
class Distribution:
    """What first-order features are computed from.

    Sorting takes a fraction of what selecting five percentiles does: numpy sorts with vector
    instructions, and range and robust deviation then need no further pass.

    Parameters
    ----------
    values
        float64 intensities in ascending order; at least one.
    shares
        Share of voxels in each grey level; empty levels may be among them.
    voxel_volume_mm3
        Size of a voxel.
    shift
        Added to the intensities in energies.
    """

    values: Array
    shares: Array
    voxel_volume_mm3: float = 1.0
    shift: float = 0.0

    @cached_property
    def mean(self) -> np.float64:
        """Mean, kept between the extremes: rounding must not make a flat region vary."""
        return np.clip(self.values.mean(), self.values[0], self.values[-1])

    @cached_property
    def moments(self) -> tuple[np.float64, np.float64, np.float64, np.float64]:
        """Mean absolute deviation, then the second, third and fourth central moment."""
        totals = np.zeros(4)
        for start in range(0, len(self.values), CACHED):
            deviations = self.values[start : start + CACHED] - self.mean
            squares = deviations * deviations
            third, fourth = squares @ deviations, squares @ squares
            totals += np.abs(deviations, out=deviations).sum(), squares.sum(), third, fourth
        absolute, second, third, fourth = totals / len(self.values)
        return absolute, second, third, fourth

    @cached_property
    def energy(self) -> np.float64:
        """Sum of the squared, shifted intensities."""
        shifted = self.values + self.shift if self.shift else self.values
        return shifted @ shifted

    def percentile(self, percent: float) -> np.float64:
        """Percentile, linear between the two order statistics around it."""
        position = (len(self.values) - 1) * (percent / 100)
        below = math.floor(position)
        low, high = self.values[below], self.values[min(below + 1, len(self.values) - 1)]
        part = position - below
        # From the nearer end, as numpy does: the result never leaves the interval by rounding.
        return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)

    def median(self) -> np.float64:
        """Middle value, or the mean of the two in the middle."""
        count = len(self.values)
        return (self.values[(count - 1) // 2] + self.values[count // 2]) / 2

    def robust_deviation(self) -> np.float64:
        """Mean absolute deviation within the 10th and 90th percentile; NaN if none lies there."""
        first = np.searchsorted(self.values, self.percentile(10), side="left")
        last = np.searchsorted(self.values, self.percentile(90), side="right")
        core = self.values[first:last]
        if not len(core):
            return np.float64(np.nan)
        deviations = core - core.mean()
        return np.abs(deviations, out=deviations).mean()

    def median_deviation(self) -> np.float64:
        """Mean absolute deviation from the median."""
        deviations = self.values - self.median()
        return np.abs(deviations, out=deviations).mean()

    def standardised(self, order: int) -> np.float64:
        """Third or fourth central moment in standard deviations; 0 where all values are equal."""
        variance = self.moments[1]
        return self.moments[order - 1] / variance ** (order / 2) if variance else np.float64(0)


def _ratio(numerator: np.float64, denominator: np.float64) -> np.float64:
    return numerator / denominator if denominator else np.float64(np.nan)


def _entropy(shares: Array) -> float:
    return -float(np.sum(shares * np.log2(shares + SMALLEST_SHARE)))


FEATURES: tuple[Feature, ...] = (
    Feature(
        "10Percentile",
        "stat_p10",
        "QG58",
        "intensity",
        r":math:`P_{10}`: a tenth of the voxels is darker.",
        lambda region: region.percentile(10),
    ),
    Feature(
        "90Percentile",
        "stat_p90",
        "8DWT",
        "intensity",
        r":math:`P_{90}`: a tenth of the voxels is brighter.",
        lambda region: region.percentile(90),
    ),
    Feature(
        "Energy",
        "stat_energy",
        "N8CA",
        "intensity^2",
        r":math:`\sum (X_j + c)^2`; grows with the number of voxels, c is voxel_array_shift.",
        lambda region: region.energy,
    ),
    Feature(
        "Entropy",
        "ih_entropy",
        "TLU2",
        "bit",
        r":math:`-\sum p_i \log_2 p_i`: information needed to name a voxel's grey level.",
        lambda region: _entropy(region.shares),
    ),
    Feature(
        "InterquartileRange",
        "stat_iqr",
        "SALO",
        "intensity",
        r":math:`P_{75} - P_{25}`.",
        lambda region: region.percentile(75) - region.percentile(25),
    ),
    Feature(
        "Kurtosis",
        None,
        None,
        "1",
        r":math:`\mu_4 / \mu_2^2`: weight of the tails; 3 for a normal distribution.",
        lambda region: region.standardised(4),
    ),
    Feature(
        "Maximum",
        "stat_max",
        "84IY",
        "intensity",
        ":math:`X_n`.",
        lambda region: region.values[-1],
    ),
    Feature(
        "MeanAbsoluteDeviation",
        "stat_mad",
        "4FUA",
        "intensity",
        r":math:`\frac{1}{n} \sum |X_j - \mu|`.",
        lambda region: region.moments[0],
    ),
    Feature(
        "Mean",
        "stat_mean",
        "Q4LE",
        "intensity",
        r":math:`\mu = \frac{1}{n} \sum X_j`.",
        lambda region: region.mean,
    ),
    Feature(
        "Median",
        "stat_median",
        "Y12H",
        "intensity",
        ":math:`P_{50}`.",
        lambda region: region.median(),
    ),
    Feature(
        "Minimum",
        "stat_min",
        "1GSF",
        "intensity",
        ":math:`X_1`.",
        lambda region: region.values[0],
    ),
    Feature(
        "Range",
        "stat_range",
        "2OJQ",
        "intensity",
        ":math:`X_n - X_1`.",
        lambda region: region.values[-1] - region.values[0],
    ),
    Feature(
        "RobustMeanAbsoluteDeviation",
        "stat_rmad",
        "1128",
        "intensity",
        r"Mean absolute deviation of the voxels within :math:`[P_{10}, P_{90}]` from their mean.",
        lambda region: region.robust_deviation(),
    ),
    Feature(
        "RootMeanSquared",
        "stat_rms",
        "5ZWQ",
        "intensity",
        r":math:`\sqrt{\frac{1}{n} \sum (X_j + c)^2}`.",
        lambda region: math.sqrt(region.energy / len(region.values)),
    ),
    Feature(
        "Skewness",
        "stat_skew",
        "KE2A",
        "1",
        r":math:`\mu_3 / \mu_2^{3/2}`: positive where the tail points to bright voxels.",
        lambda region: region.standardised(3),
    ),
    Feature(
        "StandardDeviation",
        None,
        None,
        "intensity",
        r":math:`\sqrt{\mu_2}`.",
        lambda region: math.sqrt(region.moments[1]),
        extra=True,
    ),
    Feature(
        "TotalEnergy",
        None,
        None,
        "intensity^2 mm^3",
        "Energy times the volume of a voxel.",
        lambda region: region.energy * region.voxel_volume_mm3,
    ),
    Feature(
        "Uniformity",
        "ih_uniformity",
        "BJ5W",
        "1",
        r":math:`\sum p_i^2`: 1 where all voxels share one grey level.",
        lambda region: region.shares @ region.shares,
    ),
    Feature(
        "Variance",
        "stat_var",
        "ECT3",
        "intensity^2",
        r":math:`\mu_2 = \frac{1}{n} \sum (X_j - \mu)^2`.",
        lambda region: region.moments[1],
    ),
    Feature(
        None,
        "stat_kurt",
        "IPH6",
        "1",
        r":math:`\mu_4 / \mu_2^2 - 3`: excess kurtosis, 0 for a normal distribution.",
        lambda region: region.standardised(4) - 3 if region.moments[1] else 0.0,
    ),
    Feature(
        None,
        "stat_medad",
        "N72L",
        "intensity",
        r":math:`\frac{1}{n} \sum |X_j - P_{50}|`.",
        lambda region: region.median_deviation(),
    ),
    Feature(
        None,
        "stat_cov",
        "7TET",
        "1",
        r":math:`\sqrt{\mu_2} / \mu`: means little where the mean is near 0.",
        lambda region: _ratio(np.sqrt(region.moments[1]), region.mean),
    ),
    Feature(
        None,
        "stat_qcod",
        "9S40",
        "1",
        r":math:`(P_{75} - P_{25}) / (P_{75} + P_{25})`.",
        lambda region: _ratio(
            region.percentile(75) - region.percentile(25),
            region.percentile(75) + region.percentile(25),
        ),
    ),
)


def firstorder_features(
    roi: Roi,
    *,
    levels: GreyLevels,
    voxel_array_shift: float = 0.0,
    names: Iterable[str] | None = None,
) -> dict[str, float]:
    """First-order features of a region under pyradiomics' names and definitions.

    Kurtosis is not reduced by 3. Where all voxels are equal, skewness and kurtosis are 0;
    pyradiomics gives what rounding leaves of 0/0 there.

    Parameters
    ----------
    roi
        Intensities and region.
    levels
        The same region as grey levels, for Entropy and Uniformity.
    voxel_array_shift
        Added to intensities in Energy, TotalEnergy and RootMeanSquared.
    names
        Features to compute; None: all but the redundant StandardDeviation.

    Returns
    -------
    dict
        Name (``"90Percentile"``) → value, in pyradiomics' order.

    Examples
    --------
    >>> values = np.array([[[1.0, 2.0, 3.0, 6.0]]])
    >>> roi = Roi(values, values > 0, (1.0, 1.0, 1.0))
    >>> levels = GreyLevels(values.astype(np.uint16), 6)
    >>> firstorder_features(roi, levels=levels, names=("Mean", "Entropy", "Variance"))
    {'Entropy': 2.0, 'Mean': 3.0, 'Variance': 3.5}
    """
    counts = np.bincount(levels.levels[roi.inside])
    region = Distribution(
        np.sort(roi.values[roi.inside]),
        shares=counts[counts > 0] / counts.sum(),
        voxel_volume_mm3=math.prod(roi.spacing_mm),
        shift=voxel_array_shift,
    )
    wanted = None if names is None else frozenset(names)
    chosen = (
        feature
        for feature in FEATURES
        if feature.name and (not feature.extra if wanted is None else feature.name in wanted)
    )
    with np.errstate(all="ignore"):
        return {feature.name: float(feature.compute(region)) for feature in chosen}


def intensity_statistics(roi: Roi) -> dict[str, float]:
    """Intensity-based statistics under the IBSI's tags and definitions.

    Parameters
    ----------
    roi
        Intensities and intensity mask, after re-segmentation.

    Returns
    -------
    dict
        Tag (``"stat_mean"``) → value; NaN where a denominator is 0.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145; family UHIW.

    Examples
    --------
    >>> values = np.array([[[1.0, 2.0, 3.0, 6.0]]])
    >>> intensity_statistics(Roi(values, values > 0, (1.0, 1.0, 1.0)))["stat_medad"]
    1.5
    """
    return statistics_of(np.sort(roi.values[roi.inside]))


def statistics_of(values: Array) -> dict[str, float]:
    """Intensity-based statistics of sorted float64 values, by IBSI tag."""
    region = Distribution(values, shares=np.ones(1))
    with np.errstate(all="ignore"):
        return {
            feature.ibsi_name: float(feature.compute(region))
            for feature in FEATURES
            if feature.ibsi_name and feature.ibsi_name.startswith("stat_")
        }
