r"""Intensity histogram: statistics of the grey levels of a region, and of their counts.

:math:`H_i` is the number of voxels in grey level :math:`i = 1 \dots N_g` and :math:`p_i` its share.
The slope of the histogram is :math:`H'_i = (H_{i+1} - H_{i-1}) / 2`, one-sided at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.firstorder import statistics_of
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Voxels in each grey level.

    Parameters
    ----------
    counts
        int64, of levels 1 ... Ng; empty levels in between count 0.
    """

    counts: Array

    @cached_property
    def statistics(self) -> dict[str, float]:
        """Statistics of the levels as if they were intensities, by the IBSI's tags of those."""
        levels = np.arange(1.0, len(self.counts) + 1)
        return statistics_of(np.repeat(levels, self.counts))

    @cached_property
    def slope(self) -> Array:
        """Slope at each level; 0 where there is but one."""
        return np.gradient(self.counts.astype(float)) if len(self.counts) > 1 else np.zeros(1)

    @property
    def shares(self) -> Array:
        """Share of each level that is not empty."""
        return self.counts[self.counts > 0] / self.counts.sum()

    @property
    def mode(self) -> int:
        """Most frequent level; of several, the nearest to the mean, then the lowest."""
        modes = np.flatnonzero(self.counts == self.counts.max()) + 1
        return modes[np.argmin(np.abs(modes - self.statistics["stat_mean"]))]


def _statistic(tag: str, code: str, unit: str, definition: str) -> Feature:
    """The intensity statistic of the same name, taken of the levels."""
    source = tag.replace("ih_", "stat_")
    return Feature(None, tag, code, unit, definition, lambda found: found.statistics[source])


FEATURES: tuple[Feature, ...] = (
    _statistic("ih_mean", "X6K6", "level", r"Mean level :math:`\mu = \sum i \, p_i`."),
    _statistic("ih_var", "CH89", "level^2", r":math:`\sum (i - \mu)^2 p_i`."),
    _statistic("ih_skew", "88K1", "1", "Third central moment in standard deviations."),
    _statistic("ih_kurt", "C3I7", "1", "Fourth central moment in standard deviations, less 3."),
    _statistic("ih_median", "WIFQ", "level", "Median level."),
    _statistic("ih_min", "1PR8", "level", "Lowest level that is not empty."),
    _statistic("ih_p10", "GPMT", "level", "10th percentile."),
    _statistic("ih_p90", "OZ0C", "level", "90th percentile."),
    _statistic("ih_max", "3NCY", "level", "Highest level that is not empty."),
    Feature(
        None,
        "ih_mode",
        "AMMC",
        "level",
        "Most frequent level; of several, the nearest to the mean, then the lowest.",
        lambda found: found.mode,
    ),
    _statistic("ih_iqr", "WR0O", "level", "75th less 25th percentile."),
    _statistic("ih_range", "5Z3W", "level", "Highest less lowest level."),
    _statistic("ih_mad", "D2ZX", "level", "Mean absolute deviation from the mean."),
    _statistic("ih_rmad", "WRZB", "level", "The same within the 10th and 90th percentile."),
    _statistic("ih_medad", "4RNL", "level", "Mean absolute deviation from the median."),
    _statistic("ih_cov", "CWYJ", "1", "Standard deviation over mean."),
    _statistic("ih_qcod", "SLWD", "1", "Difference of the quartiles over their sum."),
    Feature(
        None,
        "ih_entropy",
        "TLU2",
        "bit",
        r":math:`-\sum p_i \log_2 p_i`.",
        lambda found: -np.sum(found.shares * np.log2(found.shares)),
    ),
    Feature(
        None,
        "ih_uniformity",
        "BJ5W",
        "1",
        r":math:`\sum p_i^2`.",
        lambda found: found.shares @ found.shares,
    ),
    Feature(
        None,
        "ih_max_grad",
        "12CE",
        "1",
        r"Steepest rise :math:`\max H'_i`, in voxels a level.",
        lambda found: found.slope.max(),
    ),
    Feature(
        None,
        "ih_max_grad_g",
        "8E6O",
        "level",
        "Level of the steepest rise; the lowest of several.",
        lambda found: found.slope.argmax() + 1,
    ),
    Feature(
        None,
        "ih_min_grad",
        "VQB3",
        "1",
        r"Steepest fall :math:`\min H'_i`, in voxels a level.",
        lambda found: found.slope.min(),
    ),
    Feature(
        None,
        "ih_min_grad_g",
        "RHQZ",
        "level",
        "Level of the steepest fall; the lowest of several.",
        lambda found: found.slope.argmin() + 1,
    ),
)


def intensity_histogram(levels: GreyLevels) -> dict[str, float]:
    """Features of the intensity histogram under the IBSI's tags.

    Parameters
    ----------
    levels
        Region of the intensity mask in grey levels.

    Returns
    -------
    dict
        Tag → value; NaN where a denominator is 0.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145; family ZVCW.

    Examples
    --------
    >>> levels = GreyLevels(np.array([[[1, 1, 1, 3]]], dtype=np.uint16), 3)
    >>> found = intensity_histogram(levels)
    >>> found["ih_mode"], found["ih_min_grad"]
    (1.0, -3.0)
    """
    inside = levels.levels[levels.levels > 0]
    histogram = Histogram(np.bincount(inside, minlength=levels.count + 1)[1:])
    return {str(feature.ibsi_name): float(feature.compute(histogram)) for feature in FEATURES}
