"""Restricted cubic splines: smooth curves that run straight beyond their outer knots."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats, as_floats

_FEWEST_KNOTS = 3
_FEWEST_VALUES = 6
# A single value at either end that this share of patients has is kept out of the quantiles.
_CLUMP = 0.05
# With fewer patients than this the outer quantiles rest on too few: the fifth value stands in.
_SMALL = 100
_FIFTH = 5


def rcs_basis(x: ArrayLike, knots: ArrayLike) -> Floats:
    """Basis of a restricted cubic spline.

    With knots t1 < ... < tk, column 0 is x and column j = 1 ... k - 2 is

    [(x - tj)+^3 - (x - t(k-1))+^3 (tk - tj) / (tk - t(k-1))
     + (x - tk)+^3 (t(k-1) - tj) / (tk - t(k-1))] / (tk - t1)^2,

    (u)+ = max(u, 0). Every sum of the columns is smooth up to the second derivative and linear
    below t1 and above tk. Division by (tk - t1)^2 keeps the columns in the unit of x.

    Parameters
    ----------
    x : array-like of shape (n,)
        Finite.
    knots : array-like of shape (k,)
        At least 3, rising; learn them where the model is learnt (`default_knots`).

    Returns
    -------
    ndarray of shape (n, k - 1)

    Raises
    ------
    DataError
        If x is not finite, or the knots are fewer than 3, not finite or not rising.

    References
    ----------
    Stone & Koo 1985, Proc. Stat. Comp. Sect. ASA, 45-48; Harrell 2015,
    doi:10.1007/978-3-319-19425-7 (section 2.4.5).

    Examples
    --------
    >>> rcs_basis([0, 1, 2, 3], [0, 1, 2]).round(3).tolist()
    [[0.0, 0.0], [1.0, 0.25], [2.0, 1.5], [3.0, 3.0]]
    """
    values = _finite(x, "x")
    t = _finite(knots, "knots")
    if t.size < _FEWEST_KNOTS or not (np.diff(t) > 0).all():
        raise DataError(
            f"expected at least {_FEWEST_KNOTS} knots, each above the one before; found "
            f"{t.tolist()}; sort them and drop repeats, or use default_knots."
        )
    cubes = np.maximum(values[:, None] - t, 0) ** 3
    inner, last = t[:-2], t[-1] - t[-2]
    bent = (
        cubes[:, :-2]
        - cubes[:, -2:-1] * ((t[-1] - inner) / last)
        + cubes[:, -1:] * ((t[-2] - inner) / last)
    )
    return np.column_stack([values, bent / (t[-1] - t[0]) ** 2])


def default_knots(x: ArrayLike, count: int = 4) -> Floats:
    """Place knots at quantiles of x, as Harrell advises.

    Evenly spaced quantiles between 0.10 and 0.90 for 3 knots, 0.05 and 0.95 for 4 to 6, 0.025 and
    0.975 for more. Below 100 values the outer knots are the fifth smallest and the fifth largest.
    A single smallest (largest) value that 5 % or more share, such as a detection limit, gets no
    quantile of its own: the next value is the outer knot and the others follow from what lies
    beyond it. With hardly more distinct values than knots, all but the outer two are knots.

    Parameters
    ----------
    x : array-like of shape (n,)
        At least 6 finite values.
    count : int
        3 for about 30 to 100 patients, 4 or 5 for more.

    Returns
    -------
    ndarray of shape (k,)
        Rising; fewer than `count`, with a warning, where values repeat too much.

    Raises
    ------
    DataError
        If count is below 3, x is not finite, has fewer than 6 values, or gives fewer than 3 knots.

    References
    ----------
    Harrell 2015, doi:10.1007/978-3-319-19425-7 (table 2.3).

    Examples
    --------
    >>> default_knots(range(201), 3).tolist()
    [20.0, 100.0, 180.0]
    """
    values = np.sort(_finite(x, "x"))
    if count < _FEWEST_KNOTS or values.size < _FEWEST_VALUES:
        raise DataError(
            f"expected at least {_FEWEST_KNOTS} knots and {_FEWEST_VALUES} values; found {count} "
            f"knots asked for and {values.size} values; use a straight line for so few."
        )
    distinct = np.unique(values)
    if distinct.size - 2 <= count:
        knots = distinct[1:-1]
    else:
        knots = np.unique(_by_quantiles(values, count))
    if knots.size < _FEWEST_KNOTS:
        raise DataError(
            f"expected values spread over at least {_FEWEST_KNOTS} knots; found {distinct.size} "
            f"distinct values that allow {knots.size}; use a straight line or classes."
        )
    if knots.size != count:
        warnings.warn(
            f"{knots.size} knots instead of {count}: {distinct.size} distinct values repeat too "
            "much for more.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return knots


def _by_quantiles(values: Floats, count: int) -> Floats:
    """Knots of sorted values that have more than count + 2 distinct ones."""
    outer = 0.1 if count == _FEWEST_KNOTS else 0.05 if count <= 6 else 0.025
    first, last, rest = _clumps(values)
    wanted = count - first.size - last.size
    if wanted == 1:
        return np.concatenate([first, [np.median(rest)], last])
    if np.unique(rest).size <= wanted:
        return np.concatenate([first, np.unique(rest), last])
    low = 0.5 if wanted == 2 else outer
    knots = np.quantile(rest, np.linspace(low, 1 - outer, wanted))
    if np.unique(knots).size < min(wanted, _FEWEST_KNOTS):
        knots = np.quantile(rest, np.linspace(outer, 1 - outer, 2 * wanted))
        return np.concatenate([first, np.unique(knots), last])
    if rest.size < _SMALL:
        if not first.size:
            knots[0] = rest[_FIFTH - 1]
        if not last.size:
            knots[-1] = rest[-_FIFTH]
    return np.concatenate([first, knots, last])


def _clumps(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Outer knots beside values that clump at an end, and the values between them."""
    distinct, counts = np.unique(values, return_counts=True)
    share = counts / values.size
    first = last = values[:0]
    if share[1:-1].max() >= _CLUMP:
        return first, last, values
    if share[0] >= _CLUMP:
        first = distinct[1:2]
        values = values[values > first[0]]
    if share[-1] >= _CLUMP:
        last = distinct[-2:-1]
        values = values[values < last[0]]
    return first, last, values


def _finite(values: ArrayLike, what: str) -> Floats:
    numbers = as_floats(values, what)
    if numbers.ndim != 1 or numbers.size == 0 or not np.isfinite(numbers).all():
        raise DataError(
            f"expected {what} as a one-dimensional array of finite numbers; found shape "
            f"{numbers.shape} with {int((~np.isfinite(numbers)).sum())} that are not finite; "
            "drop or impute them first."
        )
    return numbers
