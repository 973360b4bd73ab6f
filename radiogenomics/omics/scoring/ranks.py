"""Ranks of a few genes among all genes of each sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int32]


class RankRange(NamedTuple):
    """Ranks, from 1 for the least expressed gene, that ties leave open.

    Parameters
    ----------
    lowest, highest : ndarray of int32, shape (n_samples, n_asked)
        First and last rank of the values that equal this one; the same where nothing ties.
    """

    lowest: Places
    highest: Places


def rank_ranges(values: Floats, columns: NDArray[np.intp]) -> RankRange:
    """Rank all genes of each sample and give the ranks of those asked for.

    Samples are ranked one by one, so memory holds one ranking at a time and no sample changes
    another's. Sorting is all that takes time.

    Parameters
    ----------
    values
        Samples × genes, none missing.
    columns
        Genes asked for, by position.

    Returns
    -------
    RankRange
        A row a sample, a column each asked gene.

    Examples
    --------
    >>> found = rank_ranges(np.array([[0.0, 5.0, 0.0, 2.0]]), np.array([0, 1, 3]))
    >>> found.lowest.tolist(), found.highest.tolist()
    ([[1, 4, 3]], [[2, 4, 3]])
    """
    n = values.shape[1]
    counting = np.arange(1, n + 1, dtype=np.int32)
    lowest = np.empty((len(values), len(columns)), dtype=np.int32)
    highest = np.empty_like(lowest)
    rank = np.empty(n, dtype=np.int32)
    for row, sample in enumerate(values):
        order = np.argsort(sample)
        ordered = sample[order]
        fresh = ordered[1:] != ordered[:-1]
        if fresh.all():
            rank[order] = counting
            lowest[row] = highest[row] = rank[columns]
            continue
        starts = np.flatnonzero(np.concatenate(([True], fresh)))
        lengths = np.diff(starts, append=n)
        rank[order] = np.repeat(counting[starts], lengths)
        lowest[row] = rank[columns]
        rank[order] = np.repeat(counting[starts + lengths - 1], lengths)
        highest[row] = rank[columns]
    return RankRange(lowest, highest)


def ranks_in_order(values: Floats, columns: NDArray[np.intp]) -> Places:
    """Rank all genes of each sample; of equal ones the earlier column ranks higher.

    Parameters
    ----------
    values
        Samples × genes, none missing.
    columns
        Genes asked for, by position.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_asked)
        From 1 for the least expressed gene.

    Examples
    --------
    >>> ranks_in_order(np.array([[0.0, 5.0, 0.0, 2.0]]), np.arange(4)).tolist()
    [[2, 4, 1, 3]]
    """
    n = values.shape[1]
    falling = np.arange(n, 0, -1, dtype=np.int32)
    found = np.empty((len(values), len(columns)), dtype=np.int32)
    rank = np.empty(n, dtype=np.int32)
    for row, sample in enumerate(values):
        rank[np.argsort(-sample, kind="stable")] = falling
        found[row] = rank[columns]
    return found
