"""Co-occurrence of grey levels: the matrices with their marginals, and what is measured on them.

Symbols are those of `radiogenomics.imaging.radiomics.glcm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from radiogenomics.imaging.radiomics.level_matrix import EPSILON

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """Co-occurrence matrices (A, n, n) of A directions, none of them empty.

    Parameters
    ----------
    p
        Shares of pairs; each matrix sums to 1.
    px, py
        Marginals (A, n).
    levels
        The n grey levels i, also j.
    level_count
        Ng, the highest grey level of the region.
    flat
        The region has a single grey level.
    """

    p: Array
    px: Array
    py: Array
    levels: Array
    level_count: int
    flat: bool

    @cached_property
    def mean_x(self) -> Array:
        """Mean level of the first voxel (A,)."""
        return self.px @ self.levels

    @cached_property
    def mean_y(self) -> Array:
        """Mean level of the second voxel (A,)."""
        return self.py @ self.levels

    @cached_property
    def variance_x(self) -> Array:
        """Variance of the level of the first voxel (A,)."""
        return np.einsum("ai,ai->a", self.px, (self.levels - self.mean_x[:, None]) ** 2)

    @cached_property
    def variance_y(self) -> Array:
        """Variance of the level of the second voxel (A,)."""
        return np.einsum("ai,ai->a", self.py, (self.levels - self.mean_y[:, None]) ** 2)

    @cached_property
    def sums(self) -> Array:
        """Share of pairs by i + j (A, 2 Ng + 1)."""
        i = self.levels.astype(np.int64)
        return self._collected(i[:, None] + i, 2 * self.level_count + 1)

    @cached_property
    def differences(self) -> Array:
        """Share of pairs by the absolute difference of i and j (A, Ng)."""
        i = self.levels.astype(np.int64)
        return self._collected(np.abs(i[:, None] - i), self.level_count)

    @cached_property
    def steps(self) -> Array:
        """Differences 0 ... Ng - 1 as numbers."""
        return np.arange(self.level_count, dtype=float)

    @cached_property
    def joint_entropy(self) -> Array:
        """HXY (A,) in bits."""
        return -np.einsum("aij,aij->a", self.p, np.log2(self.p + EPSILON))

    @cached_property
    def independent_entropies(self) -> tuple[Array, Array]:
        """HXY1 and HXY2 (A,) in bits: those of independent levels, weighted by p and by p_x p_y."""
        independent = self.px[:, :, None] * self.py[:, None, :]
        bits = np.log2(independent + EPSILON)
        return -np.einsum("aij,aij->a", self.p, bits), -np.einsum("aij,aij->a", independent, bits)

    def _collected(self, bins: Array, length: int) -> Array:
        """Sum each matrix over the cells that share a bin."""
        own = bins.ravel() + length * np.arange(len(self.p))[:, None]
        found = np.bincount(own.ravel(), weights=self.p.ravel(), minlength=length * len(self.p))
        return found.reshape(len(self.p), length)


def entropy(shares: Array) -> Array:
    """Entropy in bits along the last of two axes."""
    return -np.einsum("ak,ak->a", shares, np.log2(shares + EPSILON))


def autocorrelation(c: Cooccurrence) -> Array:
    """Mean product of two neighbours."""
    return (c.p @ c.levels) @ c.levels


def cluster_moment(c: Cooccurrence, *, power: int) -> Array:
    """Central moment of the sum of two neighbours."""
    centred = np.arange(c.sums.shape[1]) - (c.mean_x + c.mean_y)[:, None]
    return np.einsum("ak,ak->a", c.sums, centred**power)


def correlation(c: Cooccurrence) -> Array:
    """Correlation of two neighbours; 1 where one of them does not vary."""
    x = c.levels - c.mean_x[:, None]
    y = c.levels - c.mean_y[:, None]
    covariance = np.einsum("ai,ai->a", x, (c.p @ y[:, :, None])[:, :, 0])
    spread = np.sqrt(c.variance_x) * np.sqrt(c.variance_y)
    return np.where(spread == 0, 1.0, covariance / (spread + EPSILON))


def difference_variance(c: Cooccurrence) -> Array:
    """Variance of the absolute difference."""
    centred = c.steps - (c.differences @ c.steps)[:, None]
    return np.einsum("ak,ak->a", c.differences, centred**2)


def inverse_variance(c: Cooccurrence) -> Array:
    """Mean inverse square of the differences above 0."""
    return c.differences[:, 1:] @ c.steps[1:] ** -2.0


def first_information_correlation(c: Cooccurrence) -> Array:
    """Minus the mutual information, over the larger entropy."""
    largest = np.maximum(entropy(c.px), entropy(c.py))
    difference = c.joint_entropy - c.independent_entropies[0]
    return difference / np.where(largest == 0, 1.0, largest)


def second_information_correlation(c: Cooccurrence) -> Array:
    """Root of 1 - exp(-2 mutual information); rounding below 0 counts as 0."""
    information = np.maximum(c.independent_entropies[1] - c.joint_entropy, 0.0)
    return np.sqrt(-np.expm1(-2 * information))


def maximal_correlation(c: Cooccurrence) -> Array:
    r"""Root of the second eigenvalue of Q, found through a symmetric matrix.

    :math:`\sqrt{p_x(i)/p_x(j)}\,Q(i, j)` has the eigenvalues of Q and is symmetric but for the
    epsilon below the fraction; its antisymmetric part moves them only by the square of that.
    """
    if c.flat:
        return np.ones(max(len(c.p), 1))
    if len(c.levels) < 2:
        return np.zeros(len(c.p))
    root = np.sqrt(np.where(c.px == 0, 1.0, c.px))[:, :, None]
    left = c.p * root / (c.px[:, :, None] * c.py[:, None, :] + EPSILON)
    similar = left @ (c.p / root).transpose(0, 2, 1)
    eigenvalues = np.linalg.eigvalsh((similar + similar.transpose(0, 2, 1)) / 2)
    return np.sqrt(np.maximum(eigenvalues[:, -2], 0.0))
