"""Ranks with ties, for many rows at once, and rank correlation, for many columns at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Bools, Floats, as_floats

# Rows ranked at a time: temporaries that fit into the cache save a third of the time.
_BLOCK = 256
# Length, as a share of what it was, below which nothing is left of ranks beside others.
_NOTHING = 1e-10
# Nearer to 1 than ranks of any thousands of rows can be without being the same.
_ONE = 1 - 1e-14


class RankCorrelation(NamedTuple):
    """Rank correlation of columns.

    Attributes
    ----------
    rho : ndarray of shape (columns,)
        -1 to 1; NaN where there are too few pairs, or one side does not vary among them.
    p : ndarray of shape (columns,)
        Two-sided p-value; NaN as `rho`.
    n : ndarray of int, shape (columns,)
        Pairs without a missing value.
    """

    rho: Floats
    p: Floats
    n: NDArray[np.intp]


def midranks(values: ArrayLike) -> Floats:
    """Rank along the last axis, each group of equal values at the mean of its ranks.

    Parameters
    ----------
    values : array-like of shape (..., n)
        Without NaN.

    Returns
    -------
    ndarray of float, shape (..., n)
        From 1 for the smallest to n for the largest; ties share halves.

    References
    ----------
    Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441 (mean ranks for ties).

    Examples
    --------
    >>> midranks([[0.3, 0.1, 0.3]]).tolist()
    [[2.5, 1.0, 2.5]]
    """
    x = np.asarray(values)
    rows = x.reshape(-1, x.shape[-1])
    ranks = np.empty(rows.shape)
    for start in range(0, len(rows), _BLOCK):
        ranks[start : start + _BLOCK] = _rank_rows(rows[start : start + _BLOCK])
    return ranks.reshape(x.shape)


def spearman(x: ArrayLike, y: ArrayLike, *, fewest: int = 3) -> RankCorrelation:
    """Spearman's rank correlation of each column of x with y, or with the column of y beside it.

    The Pearson correlation of mid-ranks, taken anew for each pair of columns among the rows where
    both are known; with n of them t = rho sqrt((n - 2) / (1 - rho^2)) has n - 2 degrees of freedom.
    That t is an approximation, poor below about ten pairs. Misleads where rows are not independent
    (several samples of a patient), and where cohorts of different levels are mixed.

    Parameters
    ----------
    x : array-like of shape (n, columns) or (n,)
    y : array-like of shape (n,) or (n, columns)
        NaN is missing, in both.
    fewest : int
        Pairs below which a column has no correlation; at least 3.

    Returns
    -------
    RankCorrelation

    Raises
    ------
    DataError
        If shapes do not fit, a value is infinite or `fewest` is below 3.

    References
    ----------
    Spearman 1904, doi:10.2307/1412159.

    Examples
    --------
    >>> found = spearman([[1, 4], [2, 3], [3, 2], [5, np.nan]], [1, 2, 9, 3])
    >>> found.rho.round(2).tolist(), found.n.tolist()
    ([0.8, -1.0], [4, 3])
    """
    columns, other = _columns_of(x, "x"), _columns_of(y, "y")
    return _correlate(columns, other, np.empty((0, columns.shape[1])), fewest=fewest)


def partial_spearman(
    x: ArrayLike, y: ArrayLike, beside: ArrayLike, *, fewest: int = 3
) -> RankCorrelation:
    """Spearman's rank correlation of columns with y, after taking out what others explain of both.

    The Pearson correlation of what is left of the mid-ranks of x and y after least squares on those
    of `beside`, k columns, all ranked among the rows that are known throughout; t has n - 2 - k
    degrees of freedom. What is taken out is what goes with the ranks of `beside` in a straight
    line; an error of measurement in it leaves part of its influence in.

    Parameters
    ----------
    x, y, fewest
        As in `spearman`; `fewest` is at least 3 + k.
    beside : array-like of shape (n,) or (n, k)
        What is adjusted for; NaN is missing.

    Returns
    -------
    RankCorrelation
        NaN also where nothing is left of a column, or the columns of `beside` explain each other.

    Raises
    ------
    DataError
        As in `spearman`.

    References
    ----------
    Kim 2015, Communications for Statistical Applications and Methods 22:665.

    Examples
    --------
    >>> found = partial_spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], [1, 3, 2, 5, 4])
    >>> found.rho.round(3).tolist()
    [0.978]
    """
    columns, other = _columns_of(x, "x"), _columns_of(y, "y")
    return _correlate(columns, other, _columns_of(beside, "beside"), fewest=fewest)


def _columns_of(values: ArrayLike, what: str) -> Floats:
    """Columns as rows, shape (columns, n)."""
    numbers = as_floats(values, what)
    if numbers.ndim not in (1, 2) or np.isinf(numbers).any():
        raise DataError(
            f"{what}: expected one column or a table of columns, with finite or missing values; "
            f"found shape {numbers.shape} and {int(np.isinf(numbers).sum())} infinite values. Put "
            "NaN for what is missing."
        )
    return np.atleast_2d(numbers.T)


def _correlate(x: Floats, y: Floats, beside: Floats, *, fewest: int) -> RankCorrelation:
    if not x.shape[1] == y.shape[1] == beside.shape[1] or len(y) not in (1, len(x)):
        raise DataError(
            f"rank correlation: expected as many rows everywhere and one column of y, or one for "
            f"each of x; found {x.shape[::-1]}, {y.shape[::-1]} and {beside.shape[::-1]}. Align "
            "them by patient."
        )
    if fewest < 3:
        raise DataError(f"fewest: expected 3 pairs or more; found {fewest}. 10 is sensible.")
    adjusted = len(beside)
    rho, n = np.empty(len(x)), np.empty(len(x), dtype=np.intp)
    for start in range(0, len(x), _BLOCK):
        block = slice(start, start + _BLOCK)
        rho[block], n[block] = _block(x[block], y if len(y) == 1 else y[block], beside)
    rho[n < max(fewest, 3 + adjusted)] = np.nan
    freedom = np.maximum(n - 2 - adjusted, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt(freedom / ((1 - rho) * (1 + rho)))
    return RankCorrelation(rho, 2 * stdtr(freedom, -t), n)


def _block(x: Floats, y: Floats, beside: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Correlation of some columns, and in how many rows."""
    known: Bools = ~(np.isnan(x) | np.isnan(y) | np.isnan(beside).any(axis=0))
    # Without gaps what is common to all columns is ranked once.
    common = known[:1] if known.all() else known
    a, b = _unit_ranks(x, known), _unit_ranks(y, known if len(y) > 1 else common)
    if len(beside):
        others = np.stack([_unit_ranks(each[None], common) for each in beside], axis=-1)
        basis, triangle = np.linalg.qr(others)
        size = np.abs(np.diagonal(triangle, axis1=1, axis2=2)).min(axis=1)
        basis = np.where((size > _NOTHING)[:, None, None], basis, np.nan)
        a, b = _left_beside(a, basis), _left_beside(b, basis)
    rho = np.einsum("cn,cn->c", a, b)
    return np.where(np.abs(rho) > _ONE, np.sign(rho), rho), known.sum(axis=1)


def _left_beside(ranks: Floats, basis: Floats) -> Floats:
    """What is left of unit columns outside a space, made unit again; NaN where nothing is."""
    share = np.einsum("cn,cnk->ck", ranks, basis)
    left = ranks - np.einsum("ck,cnk->cn", share, basis)
    return _unit(left)


def _unit_ranks(values: Floats, known: Bools) -> Floats:
    """Mid-ranks among the known, centred, of length 1, and 0 where unknown; NaN if all are one."""
    ranks = midranks(np.where(known, values, np.inf))
    middle = (known.sum(axis=1, keepdims=True) + 1) / 2
    return _unit(np.where(known, ranks - middle, 0.0))


def _unit(centred: Floats) -> Floats:
    length = np.sqrt(np.einsum("cn,cn->c", centred, centred))[:, None]
    return np.asarray(centred / np.where(length > _NOTHING, length, np.nan))


def _rank_rows(values: NDArray[Any]) -> Floats:
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[1] + 1)[None, :], axis=1)
    tied = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    if len(tied):
        shared = np.empty((len(tied), values.shape[1]))
        np.put_along_axis(shared, order[tied], _share_ties(ordered[tied]), axis=1)
        ranks[tied] = shared
    return ranks


def _share_ties(ordered: NDArray[Any]) -> Floats:
    """Mean rank of each place in sorted rows: (first + last place of its run) / 2 + 1."""
    rows, n = ordered.shape
    place = np.arange(n, dtype=np.int32)
    step = ordered[:, 1:] != ordered[:, :-1]
    first = np.zeros((rows, n), dtype=np.int32)
    first[:, 1:] = np.where(step, place[1:], 0)
    last = np.full((rows, n), n - 1, dtype=np.int32)
    last[:, :-1] = np.where(step, place[:-1], n - 1)
    np.maximum.accumulate(first, axis=1, out=first)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2 + 1
