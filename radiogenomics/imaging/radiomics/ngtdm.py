r"""Neighbouring grey tone difference matrix (NGTDM): how far a voxel is from its surroundings.

For level i, :math:`n_i` counts its voxels and :math:`s_i` sums the absolute differences between i
and the mean level of each voxel's neighbours. :math:`N = \sum n_i`, :math:`p_i = n_i / N`, and
:math:`N_{g,p}` is the number of levels that occur. Busyness is 0 where all :math:`i p_i` are equal;
pyradiomics may divide by the rounding that is left of their differences.

References
----------
Amadasun and King 1989, doi:10.1109/21.44046. Zwanenburg et al. 2020 (IBSI),
doi:10.1148/radiol.2020191145.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.aggregation import (
    Aggregation,
    by_name,
    by_tag,
    half_neighbours,
    sections,
    suffixed,
)
from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]

# Value of Coarseness where no voxel differs from its surroundings, by convention.
COARSEST = 1e6


@dataclass(frozen=True, eq=False)
class ToneDifferences:
    """Levels that occur, and how their voxels differ from their surroundings.

    Parameters
    ----------
    levels
        int64 (n,) grey levels i.
    voxels
        int64 (n,) positive numbers of voxels.
    differences
        float64 (n,) summed differences s.
    """

    levels: Array
    voxels: Array
    differences: Array

    @property
    def total(self) -> int:
        """Number of voxels N."""
        return int(self.voxels.sum())

    @property
    def mean_difference(self) -> float:
        """Sum of :math:`p_i s_i`."""
        return float(self.voxels @ self.differences) / self.total


def _coarseness(t: ToneDifferences) -> float:
    return 1 / t.mean_difference if t.mean_difference else COARSEST


def _contrast(t: ToneDifferences) -> float:
    occurring = len(t.levels)
    if occurring == 1:
        return 0.0
    share = t.voxels / t.total
    # Twice the variance: the sum over pairs of p_i p_j (i - j)^2.
    spread = 2 * share @ (t.levels - share @ t.levels) ** 2
    return float(spread * t.differences.sum() / t.total / (occurring * (occurring - 1)))


def _busyness(t: ToneDifferences) -> float:
    weighted = t.levels * t.voxels
    change = np.abs(weighted[:, None] - weighted).sum() / t.total
    return float(t.mean_difference / change) if change else 0.0


def _complexity(t: ToneDifferences) -> float:
    weighted = t.voxels * t.differences
    steps = np.abs(t.levels[:, None] - t.levels)
    # Shares and counts have the same ratios.
    parts = steps * (weighted[:, None] + weighted) / (t.voxels[:, None] + t.voxels)
    return float(parts.sum() / t.total)


def _strength(t: ToneDifferences) -> float:
    difference = t.differences.sum()
    squares = (t.levels[:, None] - t.levels) ** 2
    # Each pair is met from both of its ends.
    return float(2 * (t.voxels @ squares).sum() / t.total / difference) if difference else 0.0


FEATURES: tuple[Feature, ...] = (
    Feature(
        "Busyness",
        "ngt_busyness",
        "NQ30",
        "1",
        "sum p_i s_i / sum_ij |i p_i - j p_j|: rapid change; 0 where the denominator is",
        _busyness,
    ),
    Feature(
        "Coarseness",
        "ngt_coarseness",
        "QCDE",
        "1",
        "1 / sum p_i s_i: slow change; 1e6 where nothing changes",
        _coarseness,
    ),
    Feature(
        "Complexity",
        "ngt_complexity",
        "HDEZ",
        "1",
        "sum_ij |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / N: many and rapid changes",
        _complexity,
    ),
    Feature(
        "Contrast",
        "ngt_contrast",
        "65HE",
        "1",
        "sum_ij p_i p_j (i - j)^2 / (Ngp (Ngp - 1)) sum s_i / N: rapid change over a wide range; "
        "0 where there is one level",
        _contrast,
    ),
    Feature(
        "Strength",
        "ngt_strength",
        "1X9X",
        "1",
        "sum_ij (p_i + p_j) (i - j)^2 / sum s_i: distinct patches; 0 where nothing changes",
        _strength,
    ),
)


def ngtdm_features(
    voxels: Array, differences: Array, *, names: Iterable[str] | None = None
) -> dict[str, float]:
    """Features by their pyradiomics names.

    Parameters
    ----------
    voxels
        int64 (Ng,) voxels of each level; those without neighbours are counted (the IBSI leaves
        them out).
    differences
        float64 (Ng,) summed differences from the mean of the neighbours.
    names
        Features to compute; None: all.

    Examples
    --------
    >>> ngtdm_features(np.array([2, 2]), np.array([0.5, 0.5]), names=["Coarseness"])
    {'Coarseness': 2.0}
    """
    return by_name(FEATURES, _occurring([(voxels, differences)]), names=names)


def ngtdm_ibsi_features(*tones: tuple[Array, Array]) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over pairs of n and s (Ng,)."""
    return by_tag(FEATURES, _occurring(tones))


def ngtdm_ibsi(levels: GreyLevels, aggregation: Aggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags; voxels without neighbours do not count.

    ``2D``: neighbours within slices, features averaged over slices; ``2_5D``: neighbours within
    slices, all in one matrix; ``3D``: neighbours in space.
    """
    steps = half_neighbours(aggregation)
    tones = [
        _kernels.dependence_and_tone(levels.levels[section], levels.count, steps, isolated=False)
        for section in sections(levels, aggregation)
    ]
    pairs = [(voxels, differences) for _, voxels, differences in tones]
    if aggregation != "2D":
        voxels, differences = zip(*pairs, strict=True)
        pairs = [(np.sum(voxels, axis=0), np.sum(differences, axis=0))]
    return suffixed(ngtdm_ibsi_features(*pairs), aggregation)


def _occurring(tones: Iterable[tuple[Array, Array]]) -> list[ToneDifferences]:
    """Levels that occur, in each matrix that holds a voxel."""
    found = ((np.flatnonzero(voxels), voxels, differences) for voxels, differences in tones)
    return [
        ToneDifferences(rows + 1, voxels[rows], differences[rows])
        for rows, voxels, differences in found
        if len(rows)
    ]
