r"""Grey-level co-occurrence matrix (GLCM): which levels lie side by side.

:math:`p(i, j)` is the share of neighbouring pairs with level i at the one voxel and level j at the
other; :math:`p_x, p_y` are its marginals with means :math:`\mu_x, \mu_y` and standard deviations
:math:`\sigma_x, \sigma_y`; :math:`p_{x+y}(k), p_{x-y}(k)` are the shares of pairs with
:math:`i + j = k` and :math:`|i - j| = k`. Logarithms are to base 2 of the share plus 2.2e-16.

Numbers are pyradiomics', but for the cases in which it divides or roots mere rounding: independent
levels have Imc2 and MCC of 0 (there up to 1e-7, or a direction dropped as NaN), and a first or
second voxel that does not vary has a Correlation of 1 always.

References
----------
Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314. Zwanenburg et al. 2020 (IBSI),
doi:10.1148/radiol.2020191145.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics import cooccurrence as co
from radiogenomics.imaging.radiomics.aggregation import (
    DirectionalAggregation,
    by_name,
    by_tag,
    directional_counts,
    suffixed,
)
from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import GreyLevels

Array = np.ndarray[Any, np.dtype[Any]]

# Cells of the directions taken at once: few enough to stay in the cache.
CELLS_AT_ONCE = 2**16

FEATURES: tuple[Feature, ...] = (
    Feature(
        "Autocorrelation",
        "cm_auto_corr",
        "QWB0",
        "1",
        "sum i j p(i, j): high where high levels lie beside high levels",
        co.autocorrelation,
    ),
    Feature(
        "ClusterProminence",
        "cm_clust_prom",
        "AE86",
        "1",
        "sum (i + j - mu_x - mu_y)^4 p(i, j): tails of the sum of two neighbours",
        partial(co.cluster_moment, power=4),
    ),
    Feature(
        "ClusterShade",
        "cm_clust_shade",
        "7NFM",
        "1",
        "sum (i + j - mu_x - mu_y)^3 p(i, j): skewness of the sum of two neighbours",
        partial(co.cluster_moment, power=3),
    ),
    Feature(
        "ClusterTendency",
        "cm_clust_tend",
        "DG8W",
        "1",
        "sum (i + j - mu_x - mu_y)^2 p(i, j): spread of the sum of two neighbours",
        partial(co.cluster_moment, power=2),
    ),
    Feature(
        "Contrast",
        "cm_contrast",
        "ACUI",
        "1",
        "sum (i - j)^2 p(i, j): squared difference of two neighbours",
        lambda c: c.differences @ (c.steps**2),
    ),
    Feature(
        "Correlation",
        "cm_corr",
        "NI2N",
        "1",
        "sum (i - mu_x)(j - mu_y) p(i, j) / (sigma_x sigma_y): 1 in a flat region",
        co.correlation,
    ),
    Feature(
        "DifferenceAverage",
        "cm_diff_avg",
        "TF7R",
        "1",
        "sum k p_{x-y}(k): mean absolute difference of two neighbours",
        lambda c: c.differences @ c.steps,
    ),
    Feature(
        "DifferenceEntropy",
        "cm_diff_entr",
        "NTRS",
        "bit",
        "-sum p_{x-y}(k) log2 p_{x-y}(k): disorder of the differences",
        lambda c: co.entropy(c.differences),
    ),
    Feature(
        "DifferenceVariance",
        "cm_diff_var",
        "D3YU",
        "1",
        "sum (k - DifferenceAverage)^2 p_{x-y}(k): spread of the differences",
        co.difference_variance,
    ),
    Feature(
        "Dissimilarity",
        "cm_dissimilarity",
        "8S9J",
        "1",
        "sum |i - j| p(i, j): the same as DifferenceAverage",
        lambda c: c.differences @ c.steps,
        extra=True,
    ),
    Feature(
        "Id",
        "cm_inv_diff",
        "IB1Z",
        "1",
        "sum p_{x-y}(k) / (1 + k): inverse difference, 1 where neighbours are equal",
        lambda c: c.differences @ (1 / (1 + c.steps)),
    ),
    Feature(
        "Idm",
        "cm_inv_diff_mom",
        "WF0Z",
        "1",
        "sum p_{x-y}(k) / (1 + k^2): inverse difference moment, 1 where neighbours are equal",
        lambda c: c.differences @ (1 / (1 + c.steps**2)),
    ),
    Feature(
        "Idmn",
        "cm_inv_diff_mom_norm",
        "1QCO",
        "1",
        "sum p_{x-y}(k) / (1 + k^2 / Ng^2): inverse difference moment for any number of levels",
        lambda c: c.differences @ (1 / (1 + (c.steps / c.level_count) ** 2)),
    ),
    Feature(
        "Idn",
        "cm_inv_diff_norm",
        "NDRX",
        "1",
        "sum p_{x-y}(k) / (1 + k / Ng): inverse difference for any number of levels",
        lambda c: c.differences @ (1 / (1 + c.steps / c.level_count)),
    ),
    Feature(
        "Imc1",
        "cm_info_corr1",
        "R8DG",
        "1",
        "(HXY - HXY1) / max(HX, HY): minus the mutual information; 0 where levels are independent",
        co.first_information_correlation,
    ),
    Feature(
        "Imc2",
        "cm_info_corr2",
        "JN9H",
        "1",
        "sqrt(1 - exp(-2 (HXY2 - HXY))): 0 where levels are independent",
        co.second_information_correlation,
    ),
    Feature(
        "InverseVariance",
        "cm_inv_var",
        "E8JP",
        "1",
        "sum_{k > 0} p_{x-y}(k) / k^2: high where unequal neighbours differ by little",
        co.inverse_variance,
    ),
    Feature(
        "JointAverage",
        "cm_joint_avg",
        "60VM",
        "1",
        "sum i p(i, j): mean level of a pair's first voxel; meant for symmetric matrices",
        lambda c: c.mean_x,
    ),
    Feature(
        "JointEnergy",
        "cm_energy",
        "8ZQL",
        "1",
        "sum p(i, j)^2: 1 where all pairs are the same (angular second moment)",
        lambda c: np.einsum("aij,aij->a", c.p, c.p),
    ),
    Feature(
        "JointEntropy",
        "cm_joint_entr",
        "TU9B",
        "bit",
        "-sum p(i, j) log2 p(i, j): disorder of the pairs",
        lambda c: c.joint_entropy,
    ),
    Feature(
        "MCC",
        None,
        None,
        "1",
        "root of the second eigenvalue of Q(i, j) = sum_k p(i, k) p(j, k) / (p_x(i) p_y(k)): "
        "maximal correlation coefficient, 1 in a flat region",
        co.maximal_correlation,
    ),
    Feature(
        "MaximumProbability",
        "cm_joint_max",
        "GYBY",
        "1",
        "max p(i, j): share of the commonest pair",
        lambda c: c.p.max(axis=(1, 2), initial=0.0),
    ),
    Feature(
        "SumAverage",
        "cm_sum_avg",
        "ZGXS",
        "1",
        "sum k p_{x+y}(k): mean sum of two neighbours",
        lambda c: c.sums @ np.arange(c.sums.shape[1], dtype=float),
    ),
    Feature(
        "SumEntropy",
        "cm_sum_entr",
        "P6QZ",
        "bit",
        "-sum p_{x+y}(k) log2 p_{x+y}(k): disorder of the sums",
        lambda c: co.entropy(c.sums),
    ),
    Feature(
        "SumSquares",
        "cm_joint_var",
        "UR99",
        "1",
        "sum (i - mu_x)^2 p(i, j): variance of a pair's first voxel; meant for symmetric matrices",
        lambda c: c.variance_x,
    ),
    Feature(
        "SumVariance",
        "cm_sum_var",
        "OEEB",
        "1",
        "sum (k - SumAverage)^2 p_{x+y}(k): the same as ClusterTendency",
        partial(co.cluster_moment, power=2),
        extra=True,
    ),
)


def glcm_features(
    counts: Array,
    *,
    weights: Array | None = None,
    symmetric: bool = True,
    occupied: int | None = None,
    names: Iterable[str] | None = None,
) -> dict[str, float]:
    """Features by their pyradiomics names, averaged over the directions that have pairs.

    Parameters
    ----------
    counts
        int64 (A, Ng, Ng): pairs in each direction, each counted one way.
    weights
        (A,) weights (`offset_weights`) by which the directions are added to a single matrix.
    symmetric
        Count each pair both ways.
    occupied
        Grey levels that occur in the region, if voxels without neighbours hold more levels than
        the pairs do; it decides about ``MCC``, which is 1 only where there is a single level.
    names
        Features to compute; None: all but the redundant ones.

    Returns
    -------
    name → value; NaN where no voxel has a neighbour.

    Examples
    --------
    >>> pairs = np.array([[[2, 1], [1, 0]]])
    >>> glcm_features(pairs, names=["JointEnergy", "Contrast"])
    {'Contrast': 0.5, 'JointEnergy': 0.375}
    """
    parts = _parts(counts, weights=weights, symmetric=symmetric, occupied=occupied)
    return by_name(FEATURES, parts, names=names)


def glcm_ibsi_features(counts: Array) -> dict[str, float]:
    """Features by their IBSI tags without aggregation, averaged over matrices (M, Ng, Ng)."""
    return by_tag(FEATURES, _parts(counts, weights=None, symmetric=True, occupied=None))


def glcm_ibsi(levels: GreyLevels, aggregation: DirectionalAggregation) -> dict[str, float]:
    """Features of a region by their IBSI tags: neighbours at distance 1, symmetric matrices."""
    counts = directional_counts(levels, aggregation, kernel=_kernels.cooccurrence)
    return suffixed(glcm_ibsi_features(counts), aggregation)


def _parts(
    counts: Array, *, weights: Array | None, symmetric: bool, occupied: int | None
) -> Iterator[co.Cooccurrence]:
    """Directions that have pairs, a few at a time, without the levels that no pair holds."""
    paired = np.flatnonzero(counts.any(axis=(0, 1)) | counts.any(axis=(0, 2)))
    flat = (occupied or max(len(paired), 1)) == 1
    merged = counts if weights is None else np.tensordot(weights, counts, axes=1)[None]
    directions = np.flatnonzero(merged.any(axis=(1, 2)))
    at_once = max(1, CELLS_AT_ONCE // max(1, len(paired)) ** 2)
    for start in range(0, max(1, len(directions)), at_once):
        some = merged[np.ix_(directions[start : start + at_once], paired, paired)]
        pairs = some + some.transpose(0, 2, 1) if symmetric else some
        yield co.Cooccurrence(
            p=pairs / pairs.sum(axis=(1, 2), keepdims=True),
            px=_shares(pairs.sum(axis=2)),
            py=_shares(pairs.sum(axis=1)),
            levels=paired + 1.0,
            level_count=counts.shape[1],
            flat=flat,
        )


def _shares(counts: Array) -> Array:
    # Each by its own sum: a single level then has exactly all, and no variance.
    return counts / counts.sum(axis=1, keepdims=True)
