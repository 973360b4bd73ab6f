r"""Competitive tests of gene sets as correlations with one column for each set.

The mean correlation of a feature with the genes of a set S, less that with all other genes, is

.. math:: \bar r_S - \bar r_{\bar S} = f^\top d_S, \qquad
          d_S = \frac{1}{m} \sum_{g \in S} g - \frac{1}{G - m} \sum_{g \notin S} g

with f and g unit columns of patients (:mod:`radiogenomics.stats.association.units`), m genes in the
set and G in all. So :math:`f^\top d_S / |d_S|` is itself a correlation, of the feature with the
contrast of the set, and has its t and its permutations. As genes stay together in :math:`d_S`, the
correlation among genes needs no assumption; with ranks as columns this is a test of mean ranks
among patients. That of limma's ``cameraPR`` ranks the genes instead and assumes one correlation
among the genes of each set: :func:`mean_rank_test`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.ranks import midranks

Places = NDArray[np.intp]


class SetContrasts(NamedTuple):
    """One unit column for each set.

    Attributes
    ----------
    units : ndarray of shape (n, sets)
        Of length 1, so that correlations of features with sets are one product.
    lengths : ndarray of shape (sets,)
        :math:`|d_S|`: times a correlation, it is the difference of mean correlations.
    coherence : ndarray of shape (sets,)
        Mean correlation of two genes of the set; NaN for a single gene.
    """

    units: Floats
    lengths: Floats
    coherence: Floats


def set_contrasts(genes: ArrayLike, sets: Sequence[Places]) -> SetContrasts:
    """Contrast of each set against all other genes, patient by patient.

    Parameters
    ----------
    genes : array-like of shape (n, genes)
        Unit columns.
    sets
        Positions of the genes of each set; none holds all.

    Raises
    ------
    DataError
        A contrast has no length: genes of the set cancel those outside.

    References
    ----------
    Goeman & Bühlmann 2007, doi:10.1093/bioinformatics/btm051 (competitive tests, patients as the
    sampling unit).

    Examples
    --------
    >>> g = np.array([[-1.0, -1, 1], [0, 0, 0], [1, 1, -1]]) / np.sqrt(2)
    >>> found = set_contrasts(g, [np.array([0, 1])])
    >>> found.lengths.round(3), found.coherence.round(3)
    (array([2.]), array([1.]))
    """
    units = as_floats(genes, "genes")
    total = units.sum(axis=1)
    sums = np.stack([units[:, each].sum(axis=1) for each in sets], axis=1)
    size = np.array([len(each) for each in sets], dtype=float)
    contrast = sums / size - (total[:, None] - sums) / (units.shape[1] - size)
    lengths = np.sqrt((contrast**2).sum(axis=0))
    if not (lengths > 1e-12).all():
        raise DataError(
            f"expected sets that differ from all other genes; found {int((lengths <= 1e-12).sum())}"
            " that do not, in any patient. Leave these sets out."
        )
    pairs = np.where(size > 1, size * (size - 1), np.nan)
    coherence = ((sums**2).sum(axis=0) - size) / pairs
    return SetContrasts(contrast / lengths, lengths, coherence)


class MeanRank(NamedTuple):
    """Competitive tests of mean ranks.

    Attributes
    ----------
    z : ndarray of shape (rows, sets)
        Above 0: genes of the set stand nearer to the top.
    p : ndarray of shape (rows, sets)
        Two-sided.
    """

    z: Floats
    p: Floats


def mean_rank_test(
    rankings: ArrayLike, sets: Sequence[Places], *, inter_gene_correlation: float = 0.01
) -> MeanRank:
    """Wilcoxon's test of each set against all other genes, with correlation among its genes.

    That of limma's ``cameraPR(use.ranks = TRUE)``, for many rankings at once. It is there for
    comparison: the correlation that it assumes is in no data, and where the true one is larger,
    sets are found that are not there. Prefer :func:`set_contrasts` where patients are at hand.

    Parameters
    ----------
    rankings : array-like of shape (rows, genes)
        Complete.
    sets
        Positions of the genes of each set.
    inter_gene_correlation
        −1 to 1; 0 assumes genes independent, as Wilcoxon's test does.

    Raises
    ------
    DataError
        The correlation is not between −1 and 1, or too negative for a set's size.

    References
    ----------
    Wu & Smyth 2012, doi:10.1093/nar/gks461; Barry, Nobel & Wright 2008, doi:10.1214/07-AOAS146.

    Examples
    --------
    >>> found = mean_rank_test([[5.0, 4.0, 3.0, 2.0, 1.0, 0.0]], [np.array([0, 1, 2])])
    >>> found.p.round(3)
    array([[0.082]])
    """
    values, rho = as_floats(rankings, "rankings"), inter_gene_correlation
    genes = values.shape[1]
    size = np.array([len(each) for each in sets], dtype=float)
    if not -1 <= rho <= 1 or (1 + (size - 1) * rho <= 0).any():
        raise DataError(
            "inter_gene_correlation: expected a number from −1 to 1 that the sizes of the sets "
            f"allow; found {rho}. 0.01 is limma's."
        )
    ranks = midranks(values)
    sums = np.stack([ranks[:, each].sum(axis=1) for each in sets], axis=1)
    rest = genes - size
    wins = sums - size * (size + 1) / 2
    centred = wins - size * rest / 2
    variance = _rank_sum_variance(size, rest, rho) * _ties(ranks, genes)[:, None]
    spread = np.sqrt(variance)
    upper, lower = (centred - 0.5) / spread, (centred + 0.5) / spread
    p = np.minimum(2 * np.minimum(ndtr(-upper), ndtr(lower)), 1.0)
    return MeanRank(np.where(centred > 0, upper, lower), p)


def _rank_sum_variance(size: Floats, rest: Floats, rho: float) -> Floats:
    """Variance of the sum of ranks where genes of the set share one correlation."""
    if rho == 0:
        return np.asarray(size * rest * (size + rest + 1) / 12)
    same = np.arcsin(1.0) + (rest - 1) * np.arcsin(0.5)
    other = (size - 1) * (rest - 1) * np.arcsin(rho / 2) + (size - 1) * np.arcsin((rho + 1) / 2)
    return np.asarray(size * rest * (same + other) / (2 * np.pi))


def _ties(ranks: Floats, genes: int) -> Floats:
    """Share of the variance of ranks that ties leave."""
    squares = ((ranks - (genes + 1) / 2) ** 2).sum(axis=1)
    return np.asarray(squares / ((genes**3 - genes) / 12))
