"""Counts of grey level against extent: what GLRLM, GLSZM, GLDZM and GLDM have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# pyradiomics keeps logarithms and fractions finite by this much; it is part of its numbers.
EPSILON = float(np.spacing(1.0))


@dataclass(frozen=True, eq=False)
class LevelMatrix:
    """M matrices that count runs, zones or voxels by grey level and extent.

    Extent is the length of a run, the size or distance of a zone, the dependence of a voxel. None
    of the matrices is empty; levels and extents that none of them holds are left out.

    Parameters
    ----------
    counts
        float64 (M, n, K): elements of the n-th level and K-th extent.
    levels
        float64 (n,) grey levels i.
    extents
        float64 (K,) extents j.
    voxels
        float64 (M,): voxels that the matrix describes.
    """

    counts: Array
    levels: Array
    extents: Array
    voxels: Array

    @cached_property
    def total(self) -> Array:
        """Number of elements (M,)."""
        return self.by_level.sum(axis=1)

    @cached_property
    def by_level(self) -> Array:
        """Elements of each grey level (M, n)."""
        return self.counts.sum(axis=2)

    @cached_property
    def by_extent(self) -> Array:
        """Elements of each extent (M, K)."""
        return self.counts.sum(axis=1)


def level_matrix(counts: Array, *, voxels: Array | None = None) -> LevelMatrix:
    """Leave out empty matrices, levels and extents.

    Parameters
    ----------
    counts
        (M, Ng, Nj): elements of level 1 ... Ng and extent 1 ... Nj.
    voxels
        (M,) voxels described; None: extents summed over all elements.
    """
    filled = counts.any(axis=(1, 2))
    rows = np.flatnonzero(counts.any(axis=(0, 2)))
    columns = np.flatnonzero(counts.any(axis=(0, 1)))
    extents = columns + 1.0
    kept = counts[np.ix_(filled, rows, columns)].astype(float)
    described = (kept @ extents).sum(axis=1) if voxels is None else voxels[filled]
    return LevelMatrix(kept, rows + 1.0, extents, described)


def matrix_of_pairs(levels: Array, extents: Array, *, voxels: int) -> LevelMatrix:
    """One matrix from the level and the extent of each element.

    Extents reach the size of the region; only those that occur become columns.

    Parameters
    ----------
    levels, extents
        Positive int64 (Z,).
    voxels
        Voxels described.
    """
    occurring = np.flatnonzero(np.bincount(extents))
    rank = np.zeros(occurring.max(initial=0) + 1, dtype=np.int64)
    rank[occurring] = np.arange(len(occurring))
    shape = (int(levels.max(initial=0)) + 1, len(occurring))
    cells = np.bincount(levels * shape[1] + rank[extents], minlength=shape[0] * shape[1])
    counts = cells.reshape(shape)
    rows = np.flatnonzero(counts.any(axis=1))
    return LevelMatrix(
        counts[None, rows].astype(float),
        rows.astype(float),
        occurring.astype(float),
        np.array([float(voxels)]),
    )


def emphasis(matrix: LevelMatrix, *, level: int = 0, extent: int = 0) -> Array:
    r"""Mean of :math:`i^a j^b` over the elements: a = ``level``, b = ``extent``."""
    within_levels = matrix.counts @ matrix.extents**extent if extent else matrix.by_level
    return within_levels @ matrix.levels**level / matrix.total


def level_non_uniformity(matrix: LevelMatrix) -> Array:
    """Squared elements of each grey level, over all elements."""
    return (matrix.by_level**2).sum(axis=1) / matrix.total


def normalised_level_non_uniformity(matrix: LevelMatrix) -> Array:
    """Squared share of each grey level: 1 where there is a single one."""
    return level_non_uniformity(matrix) / matrix.total


def extent_non_uniformity(matrix: LevelMatrix) -> Array:
    """Squared elements of each extent, over all elements."""
    return (matrix.by_extent**2).sum(axis=1) / matrix.total


def normalised_extent_non_uniformity(matrix: LevelMatrix) -> Array:
    """Squared share of each extent: 1 where there is a single one."""
    return extent_non_uniformity(matrix) / matrix.total


def percentage(matrix: LevelMatrix) -> Array:
    """Elements for each voxel: 1 where each voxel is one of its own."""
    return matrix.total / matrix.voxels


def level_variance(matrix: LevelMatrix) -> Array:
    """Variance of the grey level over the elements."""
    return _variance(matrix.by_level / matrix.total[:, None], matrix.levels)


def extent_variance(matrix: LevelMatrix) -> Array:
    """Variance of the extent over the elements."""
    return _variance(matrix.by_extent / matrix.total[:, None], matrix.extents)


def entropy(matrix: LevelMatrix) -> Array:
    """Entropy in bits of level and extent together."""
    share = matrix.counts / matrix.total[:, None, None]
    return -np.einsum("mij,mij->m", share, np.log2(share + EPSILON))


def energy(matrix: LevelMatrix) -> Array:
    """Squared share of each pair of level and extent."""
    share = matrix.counts / matrix.total[:, None, None]
    return np.einsum("mij,mij->m", share, share)


def _variance(shares: Array, values: Array) -> Array:
    centre = shares @ values
    deviations = values - centre[:, None]
    return np.einsum("mi,mi->m", shares, deviations**2)
