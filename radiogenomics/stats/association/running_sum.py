r"""Running-sum enrichment of many gene sets down many rankings of genes (pre-ranked GSEA).

Genes stand from the largest value r to the smallest. Down that ranking a sum rises by
:math:`|r_g|^w / \sum_{set} |r|^w` at a gene of the set and falls by 1 / (genes outside) at any
other; the enrichment score (ES) is where it is farthest from 0, between −1 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.stats.association import _kernels
from radiogenomics.stats.inputs import Floats

Places = NDArray[np.intp]


class SetMembers(NamedTuple):
    """Which genes are in which sets, gene by gene.

    Attributes
    ----------
    start : ndarray of int64, shape (genes + 1,)
        The sets of gene g are ``set_of[start[g]:start[g + 1]]``.
    set_of : ndarray of int32, shape (members,)
    sizes : ndarray of int, shape (sets,)
    """

    start: NDArray[np.int64]
    set_of: NDArray[np.int32]
    sizes: Places

    @property
    def genes(self) -> int:
        """Genes that are ranked."""
        return len(self.start) - 1

    @property
    def count(self) -> int:
        """Sets."""
        return len(self.sizes)


def set_members(sets: Sequence[ArrayLike], genes: int) -> SetMembers:
    """Turn sets, as positions of their genes, into what the walk down a ranking needs.

    Parameters
    ----------
    sets
        Of each set the positions of its genes, from 0; each once.
    genes
        How many genes are ranked.

    Raises
    ------
    DataError
        There is no set; a set is empty, holds every gene, one twice, or a position beyond the last.

    Examples
    --------
    >>> set_members([[0, 2], [2]], 4).sizes
    array([2, 1])
    """
    lists = [np.asarray(each, dtype=np.intp) for each in sets]
    sizes = np.array([each.size for each in lists], dtype=np.intp)
    bad = [
        at
        for at, each in enumerate(lists)
        if not 0 < each.size < genes
        or each.min() < 0
        or each.max() >= genes
        or len(np.unique(each)) < each.size
    ]
    if bad or not lists:
        raise DataError(
            f"expected sets of 1 to {genes - 1} of {genes} genes, each once; found {len(lists)} "
            f"sets, and others at positions {short_list(bad) or 'none'}. Keep genes that are "
            "ranked, and leave these sets out."
        )
    gene, owner = np.concatenate(lists), np.repeat(np.arange(len(lists)), sizes)
    order = np.argsort(gene, kind="stable")
    start = np.zeros(genes + 1, dtype=np.int64)
    np.cumsum(np.bincount(gene, minlength=genes), out=start[1:])
    return SetMembers(start, owner[order].astype(np.int32), sizes)


def enrichment_scores(rankings: ArrayLike, members: SetMembers, *, weight: float = 1.0) -> Floats:
    """Enrichment score of each set down each ranking.

    Misleads where genes of a set go together, as they nearly always do: an ES that no random set of
    genes reaches is reached in many a random sample of patients. Hold it against rankings made from
    permuted patients.

    Parameters
    ----------
    rankings : array-like of shape (rows, genes)
        One ranking a row; what is of single precision is computed in it.
    members
        From `set_members`.
    weight
        Exponent w: 1 is that of GSEA, 0 counts genes alike (Kolmogorov–Smirnov).

    Returns
    -------
    ndarray of shape (rows, sets)
        −1 to 1. Equal values stand in the order of the genes.

    Raises
    ------
    DataError
        Shapes do not fit, a value is not finite, or the weight is negative.

    References
    ----------
    Subramanian et al. 2005, doi:10.1073/pnas.0506580102.

    Examples
    --------
    >>> members = set_members([[0, 1], [3]], 5)
    >>> enrichment_scores([[4.0, 2.0, 0.0, -1.0, -3.0]], members).round(2)
    array([[ 1.  , -0.75]])
    """
    values = np.ascontiguousarray(rankings)
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    if values.ndim != 2 or values.shape[1] != members.genes or not np.isfinite(values).all():
        raise DataError(
            f"expected rankings of {members.genes} genes, complete and finite; found shape "
            f"{values.shape} and {int((~np.isfinite(values)).sum())} missing or infinite values. "
            "Leave genes with missing values out."
        )
    if not 0 <= weight < np.inf:
        raise DataError(f"weight: expected a number of 0 or more; found {weight}. 1 is usual.")
    walk = _kernels.enrichment_f4 if values.dtype == np.float32 else _kernels.enrichment_f8
    try:
        found = walk(values, members.start, members.set_of, members.count, float(weight))
    except ValueError as error:
        raise DataError(
            f"expected weights that can be added up; found values from {np.abs(values).min():g} to "
            f"{np.abs(values).max():g} to the power {weight:g} ({error}). Rescale the rankings."
        ) from error
    return np.asarray(found)


def leading_edge(ranking: ArrayLike, positions: ArrayLike, *, weight: float = 1.0) -> Places:
    """Genes of one set from its end of the ranking to where the running sum is farthest from 0.

    Parameters
    ----------
    ranking : array-like of shape (genes,)
    positions : array-like of int, shape (size,)
        The genes of the set.
    weight
        As in `enrichment_scores`.

    Returns
    -------
    ndarray of int
        Positions, from the end of the ranking inwards.

    Examples
    --------
    >>> leading_edge([4.0, 2.0, 0.0, -1.0, -3.0], [0, 1, 4])
    array([0, 1])
    """
    values, mine = np.asarray(ranking, dtype=float), np.asarray(positions, dtype=np.intp)
    place = np.empty(values.size, dtype=np.intp)
    place[np.argsort(-values, kind="stable")] = np.arange(values.size)
    mine = mine[np.argsort(place[mine])]
    share = np.abs(values[mine]) ** weight
    total = share.sum()
    gain = share / total if total > 0 else np.full(mine.size, 1 / mine.size)
    risen = np.cumsum(gain)
    fallen = (place[mine] - np.arange(mine.size)) / (values.size - mine.size)
    peaks, troughs = risen - fallen, risen - gain - fallen
    if peaks.max(initial=0.0) >= -troughs.min(initial=0.0):
        return mine[: int(peaks.argmax()) + 1]
    return mine[int(troughs.argmin()) :][::-1]
