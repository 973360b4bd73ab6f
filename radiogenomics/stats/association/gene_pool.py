"""Genes that random sets are drawn from: their neighbours, and what a set leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.stats.inputs import Bools, Floats, as_floats

Positions = NDArray[np.intp]

# Seeds whose correlations are looked at together; numbers held at a time by sums over genes.
_BLOCK, _HELD = 256, 2**21


@dataclass(frozen=True, eq=False)
class GenePool:
    """Genes to draw from, looked through once for any number of sets; see :func:`gene_pool`.

    Parameters
    ----------
    rows
        Unit vectors, one gene a row.
    strata
        A whole number from 0 for each gene.
    seeds
        Positions of genes that a draw may start from.
    nearest
        Shape (seeds, reach): the seed itself, and the genes that go with it most, nearest first.
    tightness
        Shape (seeds, reach): mean correlation of the pairs of these genes up to there; 1 for one.
    """

    rows: Floats
    strata: Positions
    seeds: Positions
    nearest: Positions
    tightness: Floats


def mean_pair_correlation(unit_genes: ArrayLike, members: ArrayLike) -> Floats:
    """Mean correlation of the pairs of genes of sets, without their matrices of correlations.

    Parameters
    ----------
    unit_genes : array-like of shape (n, genes)
        Columns of length 1.
    members : array-like of int, shape (..., size)
        Positions of the genes of one set or of several of one size, 2 or more.

    Returns
    -------
    ndarray of shape (...)
        -1 / (size - 1) to 1.

    Examples
    --------
    >>> mean_pair_correlation(np.array([[1.0, 0.6, 0.0], [0.0, 0.8, 1.0]]), [0, 1, 2]).round(4)
    np.float64(0.4667)
    """
    columns = np.asarray(unit_genes, dtype=float)
    sets = np.asarray(members, dtype=np.intp)
    if sets.ndim == 0 or sets.shape[-1] < 2:
        raise DataError(
            f"members: expected 2 genes or more a set; found shape {sets.shape}. One gene has no "
            "pairs: match it by size alone."
        )
    total = np.empty((*sets.shape[:-1], len(columns)))
    for place in np.ndindex(sets.shape[:-1]):
        total[place] = columns[:, sets[place]].sum(axis=1)
    return correlation_of_length((total**2).sum(axis=-1), sets.shape[-1])


def gene_pool(
    unit_genes: ArrayLike,
    *,
    rng: np.random.Generator,
    strata: ArrayLike | None = None,
    seeds: int = 2000,
    reach: int = 500,
) -> GenePool:
    """Look for the neighbours of random seed genes, once for many sets.

    Parameters
    ----------
    unit_genes : array-like of shape (n, genes)
        Columns of length 1, as ``unit_columns`` makes them.
    rng
    strata : array-like of int, shape (genes,), optional
        Tenths of mean expression, say, counted from 0: each draw then takes as many genes of each
        as the set has.
    seeds
        Genes that draws may start from; all of them where there are fewer.
    reach
        Neighbours kept of each; larger sets are filled with random genes beyond.

    Returns
    -------
    GenePool

    Raises
    ------
    DataError
        Columns are not of length 1, or strata are not one whole number from 0 a gene.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(30, 50))
    >>> units = (values - values.mean(axis=0)) / (values.std(axis=0) * np.sqrt(30))
    >>> gene_pool(units, rng=rng, seeds=20, reach=10).nearest.shape
    (20, 10)
    """
    rows = _unit_rows(unit_genes)
    genes = len(rows)
    groups = checked_strata(strata, genes)
    if seeds < 1 or reach < 1:
        raise DataError(
            f"seeds and reach: expected 1 or more; found {seeds} and {reach}. 2000 and 500 serve."
        )
    chosen = rng.permutation(genes)[:seeds].astype(np.intp)
    kept = min(reach, genes)
    nearest = np.empty((len(chosen), kept), dtype=np.intp)
    for start in range(0, len(chosen), _BLOCK):
        block = slice(start, start + _BLOCK)
        r = rows[chosen[block]] @ rows.T
        # A copy of the seed must not come before it.
        r[np.arange(len(r)), chosen[block]] = 2.0
        best = np.argpartition(-r, kept - 1, axis=1)[:, :kept]
        order = np.argsort(-np.take_along_axis(r, best, axis=1), axis=1, kind="stable")
        nearest[block] = np.take_along_axis(best, order, axis=1)
    return GenePool(rows, groups, chosen, nearest, _tightness(rows, nearest))


def _tightness(rows: Floats, nearest: Positions) -> Floats:
    found = np.ones(nearest.shape)
    sizes = np.arange(2, nearest.shape[1] + 1)
    step = max(1, _HELD // (nearest.shape[1] * rows.shape[1]))
    for start in range(0, len(nearest), step):
        block = slice(start, start + step)
        total = rows[nearest[block]].cumsum(axis=1)[:, 1:]
        found[block, 1:] = correlation_of_length(np.einsum("skn,skn->sk", total, total), sizes)
    return found


class GenesLeft(NamedTuple):
    """Genes outside a set, by stratum, and how many of each stratum the set has.

    Strata are counted anew: 0, 1, ... are those that the set has.
    """

    free: Bools
    stratum: Positions
    quota: Positions
    genes: Positions
    first: Positions
    size: Positions

    @classmethod
    def of(cls, strata: Positions, own: Positions, *, spare: int = 2) -> GenesLeft:
        """What is left of all genes; ``spare`` times the set must be."""
        names, quota = np.unique(strata[own], return_counts=True)
        stratum = np.full(strata.max() + 1, -1, dtype=np.intp)
        stratum[names] = np.arange(names.size)
        stratum = stratum[strata]
        free = stratum >= 0
        free[own] = False
        genes = np.flatnonzero(free)
        genes = genes[np.argsort(stratum[genes], kind="stable")]
        size = np.bincount(stratum[genes], minlength=names.size)
        short = size < spare * quota
        if short.any():
            worst = int(np.flatnonzero(short)[0])
            place = f"genes in stratum {names[worst]}" if strata.any() else "genes"
            raise DataError(
                f"expected {spare} times as many genes outside the set as its {quota[worst]} "
                f"{place}; found {size[worst]}. Measure more genes, or use fewer strata."
            )
        return cls(free, stratum, quota, genes, np.r_[0, np.cumsum(size)[:-1]], size)

    def random(self, slots: Positions, rng: np.random.Generator) -> Positions:
        """Draw a random gene of the stratum of each slot."""
        step = (rng.random(slots.shape) * self.size[slots]).astype(np.intp)
        return np.asarray(self.genes[self.first[slots] + step])

    def filled(self, places: Positions, slots: Positions, rng: np.random.Generator) -> Positions:
        """Put random genes, no gene twice in a row, where a place is below 0."""
        drawn = np.where(places < 0, self.random(slots, rng), places)
        rows = np.arange(len(drawn))
        while rows.size:
            order = np.argsort(drawn[rows], axis=1, kind="stable")
            ordered = np.take_along_axis(drawn[rows], order, axis=1)
            row, column = np.nonzero(ordered[:, 1:] == ordered[:, :-1])
            # The sort is stable: of two equal ones it is the later that gives way.
            again = order[row, column + 1]
            drawn[rows[row], again] = self.random(slots[rows[row], again], rng)
            rows = rows[np.unique(row)]
        return drawn


def correlation_of_length(squared_length: Floats, size: int | Positions) -> Floats:
    """Mean correlation of the pairs of ``size`` unit vectors by the length of their sum, squared.

    Examples
    --------
    >>> correlation_of_length(np.array([4.0, 2.0]), 2)
    array([1., 0.])
    """
    return np.asarray((squared_length - size) / (size * (size - 1)))


def _unit_rows(unit_genes: ArrayLike) -> Floats:
    columns = as_floats(unit_genes, "unit columns")
    if columns.ndim != 2 or not columns.size:
        raise DataError(
            f"expected unit columns of patients × genes; found shape {columns.shape}. Make them by "
            "unit_columns."
        )
    off = ~(np.abs((columns**2).sum(axis=0) - 1) < 1e-6)
    if off.any():
        raise DataError(
            f"expected columns of length 1; found {int(off.sum())} others, at positions "
            f"{short_list(np.flatnonzero(off))}. Make them by unit_columns."
        )
    return np.ascontiguousarray(columns.T)


def checked_strata(strata: ArrayLike | None, genes: int) -> Positions:
    """Return one stratum a gene, all in stratum 0 without any.

    Raises
    ------
    DataError
        There is not one whole number from 0 for each gene.
    """
    if strata is None:
        return np.zeros(genes, dtype=np.intp)
    numbers = as_floats(strata, "strata")
    if numbers.shape != (genes,) or not ((numbers >= 0) & (numbers % 1 == 0)).all():
        raise DataError(
            f"strata: expected a whole number from 0 for each of {genes} genes; found shape "
            f"{numbers.shape}. Cut the mean expression into tenths, say."
        )
    return numbers.astype(np.intp)
