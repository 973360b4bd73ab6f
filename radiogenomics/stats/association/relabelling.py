"""One of two symmetric matrices of patients relabelled many times, the other left as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.resampled_pairs import chunks

Orders = NDArray[np.intp]


def check_orders(orders: ArrayLike, n: int) -> Orders:
    """Return permutations of n patients, one a row, or say what is wrong with them.

    Parameters
    ----------
    orders : array-like of int, shape (count, n)
        As `radiogenomics.stats.permutation.permutations` draws them, within sites or not.
    n : int
        Patients.

    Returns
    -------
    ndarray of int, shape (count, n)

    Raises
    ------
    DataError
        If there is none, or a row does not hold each of 0 ... n - 1 once.

    Examples
    --------
    >>> check_orders([[2, 0, 1]], 3)
    array([[2, 0, 1]])
    """
    rows = np.asarray(orders)
    whole = rows.ndim == 2 and rows.shape[1:] == (n,) and np.issubdtype(rows.dtype, np.integer)
    if not whole or not len(rows) or (np.sort(rows, axis=1) != np.arange(n)).any():
        raise DataError(
            f"expected orders of shape (permutations, {n}), each row a permutation of 0 to "
            f"{n - 1}; found {rows.dtype} of shape {rows.shape}. Draw them with "
            "stats.permutation.permutations."
        )
    return rows.astype(np.intp, copy=False)


def relabelled_products(moved: ArrayLike, kept: ArrayLike, orders: ArrayLike) -> Floats:
    r"""Sum of the products of two matrices of patients, the first relabelled in each order.

    .. math:: s_b = \sum_{ij} M_{\pi_b(i)\,\pi_b(j)} K_{ij}

    is what the permutation nulls of the RV coefficient and of Mantel's r need.

    Parameters
    ----------
    moved, kept : array-like of shape (n, n)
    orders : array-like of int, shape (count, n)

    Returns
    -------
    ndarray of shape (count,)

    Examples
    --------
    >>> relabelled_products([[1.0, 2.0], [2.0, 5.0]], [[1.0, 0.0], [0.0, 0.0]], [[0, 1], [1, 0]])
    array([1., 5.])
    """
    first, second = np.asarray(moved, dtype=float), np.asarray(kept, dtype=float).ravel()
    rows = check_orders(orders, len(first))
    sums = np.empty(len(rows))
    for piece in chunks(len(rows), first.size):
        part = rows[piece]
        sums[piece] = first[part[:, :, None], part[:, None, :]].reshape(len(part), -1) @ second
    return sums


def induced_orders(orders: ArrayLike, kept: Bools) -> Orders:
    """Permutations of some patients that permutations of all patients induce.

    A patient kept goes where following the permutation first meets another (or the same) patient
    kept. All permutations of those kept are equally likely if all of all patients were, and nobody
    leaves a site if nobody did before: deleting elements from the cycles of a permutation.

    Parameters
    ----------
    orders : array-like of int, shape (count, n)
    kept : array-like of bool, shape (n,)

    Returns
    -------
    ndarray of int, shape (count, kept)
        Positions among those kept.

    Examples
    --------
    >>> induced_orders([[1, 2, 3, 0]], np.array([True, False, True, True]))
    array([[1, 2, 0]])
    """
    inside = np.asarray(kept, dtype=bool)
    rows = check_orders(orders, inside.size)
    followed = rows[:, inside]
    while not inside[followed].all():
        followed = np.where(inside[followed], followed, np.take_along_axis(rows, followed, axis=1))
    return (np.cumsum(inside) - 1)[followed]
