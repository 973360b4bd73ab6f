r"""Columns as unit vectors, so that a matrix of (partial) correlations is one matrix product.

Values, or their mid-ranks, are centred; what covariates explain of them by least squares is taken
out; what is left is made of length 1. For two such columns f and g

.. math:: r = f^\top g, \qquad t = r \sqrt{d / (1 - r^2)}, \quad d = n - 2 - k

with n patients and k covariates is the (partial) correlation of Pearson or Spearman and its t.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.ranks import midranks

Correlation = Literal["spearman", "pearson"]

# Columns of which less than this share is left beside the covariates are explained by them.
_NOTHING = 1e-8
# Columns ranked at a time.
_BLOCK = 1024


def unit_columns(
    values: ArrayLike, *, method: Correlation = "spearman", beside: ArrayLike | None = None
) -> Floats:
    """Centre columns (or their mid-ranks), take out covariates, and make each of length 1.

    Parameters
    ----------
    values : array-like of shape (n, columns)
        Complete.
    method
        ``"spearman"`` ranks the columns of `values`; ``"pearson"`` takes them as they are.
    beside : array-like of shape (n, k), optional
        Covariates as they are: rank those that ought to be ranked, and code groups by indicators.

    Returns
    -------
    ndarray of float, shape (n, columns)

    Raises
    ------
    DataError
        A value is missing or infinite, shapes do not fit, a column does not vary, or covariates
        explain a column or each other.

    Examples
    --------
    >>> units = unit_columns([[1.0, 9.0], [2.0, 7.0], [5.0, 8.0]])
    >>> (units.T @ units).round(3)
    array([[ 1. , -0.5],
           [-0.5,  1. ]])
    """
    if method not in get_args(Correlation):
        raise UnknownNameError("correlation", method, get_args(Correlation))
    table = _complete(values, "columns")
    units = np.empty(table.shape)
    basis = covariate_basis(beside, len(table))
    for start in range(0, table.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        part = table[:, block]
        units[:, block] = midranks(part.T).T if method == "spearman" else part
    size = np.abs(units).max(axis=0, initial=0.0)
    units -= units.mean(axis=0)
    before = np.sqrt((units**2).sum(axis=0))
    units, length = _left_beside(units, basis)
    # Rounding leaves a little of a column that is the same in all.
    dull = before <= _NOTHING * size
    lost = dull | (length <= _NOTHING * before)
    if lost.any():
        raise DataError(
            "expected columns that vary, also beside the covariates; found "
            f"{int(dull.sum())} that do not vary and {int((lost & ~dull).sum())} that the "
            f"covariates explain, at positions {short_list(np.flatnonzero(lost))}. Leave them out."
        )
    return np.asarray(units / length)


def unit_beside(columns: Floats, basis: Floats) -> Floats:
    """Take an orthonormal basis out of columns that it does not explain, and make each of length 1.

    Parameters
    ----------
    columns
        Shape (n, columns), centred: unit columns in any order of the patients, say.
    basis
        Shape (n, k), from :func:`covariate_basis`; k = 0 takes out nothing.

    Examples
    --------
    >>> unit_beside(np.array([[3.0], [4.0]]), np.array([[1.0], [0.0]])).ravel()
    array([0., 1.])
    """
    left, length = _left_beside(columns, basis)
    return np.asarray(left / length)


def covariate_basis(beside: ArrayLike | None, n: int) -> Floats:
    """Orthonormal columns that span the centred covariates, shape (n, k); k = 0 without any.

    Raises
    ------
    DataError
        As `unit_columns`.

    Examples
    --------
    >>> np.abs(covariate_basis([[1.0], [2.0], [2.0], [3.0]], 4)).round(3).ravel()
    array([0.707, 0.   , 0.   , 0.707])
    """
    if beside is None:
        return np.empty((n, 0))
    table = _complete(beside, "covariates")
    if len(table) != n:
        raise DataError(
            f"expected covariates of {n} patients; found {len(table)}. Align them by patient."
        )
    centred = table - table.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / np.where(length > 0, length, 1.0)
    basis, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    rank = int((sizes > _NOTHING).sum())
    if rank < table.shape[1] or rank > n - 3:
        raise DataError(
            f"expected covariates that vary, none explained by the others, and at least 3 "
            f"patients more than covariates; found {table.shape[1]} of rank {rank} in {n} "
            "patients. Leave some out."
        )
    return np.asarray(basis)


def correlation_p(r: ArrayLike, freedom: int) -> Floats:
    """Two-sided p of correlations by Student's t.

    Parameters
    ----------
    r : array-like
        -1 to 1.
    freedom
        n - 2 - k.

    References
    ----------
    Kim 2015, Communications for Statistical Applications and Methods 22:665 (partial ranks).

    Examples
    --------
    >>> correlation_p(0.5, 18).round(4)
    np.float64(0.0248)
    """
    values = np.clip(as_floats(r, "correlations"), -1, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(values) * np.sqrt(freedom / ((1 - values) * (1 + values)))
    return np.asarray(2 * stdtr(freedom, -t))


def correlation_interval(
    r: ArrayLike, freedom: float, *, level: float, method: Correlation = "spearman"
) -> tuple[Floats, Floats]:
    """Interval of correlations by Fisher's transformation z.

    Its variance is 1 / (freedom − 1), for ranks (1 + r² / 2) times that. Misleads for the strongest
    of many: it knows nothing of the choice.

    Parameters
    ----------
    r : array-like
        -1 to 1.
    freedom
        n - 2 - k.
    level
        Of the interval.
    method
        Of values or of ranks.

    References
    ----------
    Fisher 1921, Metron 1:3; Bonett & Wright 2000, doi:10.1007/BF02294183 (ranks).

    Examples
    --------
    >>> low, high = correlation_interval([0.5], 18, level=0.95, method="pearson")
    >>> low.round(3), high.round(3)
    (array([0.074]), array([0.772]))
    """
    values = as_floats(r, "correlations")
    ranks = 1 + values**2 / 2 if method == "spearman" else 1.0
    half = ndtri(0.5 + level / 2) * np.sqrt(ranks / max(freedom - 1, 1))
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.clip(values, -1, 1))
    return np.tanh(z - half), np.tanh(z + half)


def _left_beside(columns: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """What the basis leaves of columns, and its length."""
    left = columns - basis @ (basis.T @ columns)
    return left, np.sqrt((left**2).sum(axis=0))


def _complete(values: ArrayLike, what: str) -> Floats:
    table = as_floats(values, what)
    if table.ndim != 2 or not len(table):
        raise DataError(
            f"{what}: expected a table of patients × columns; found shape {table.shape}. Reshape."
        )
    bad: NDArray[np.bool_] = ~np.isfinite(table)
    if bad.any():
        raise DataError(
            f"{what}: expected complete, finite numbers; found {int(bad.sum())} missing or "
            f"infinite, in {int(bad.any(axis=0).sum())} columns. Impute them, or leave these out."
        )
    return table
