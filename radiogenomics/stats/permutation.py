"""Permutation p-values that cannot be zero, and how exactly they are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.intervals import Interval, clopper_pearson

_ALTERNATIVES = ("greater", "less", "two-sided")
# The same permutation summed in another order differs by rounding; that is a tie, not a defeat.
_ROUNDING = 1e-12


def permutation_p(observed: float, null: ArrayLike, *, alternative: str = "greater") -> float:
    """P-value of an observed statistic against statistics under permutation.

    p = (1 + b) / (1 + B), where b of the B permuted statistics are at least as extreme as the
    observed one, ties counted. The observed labelling is one of those equally likely under the
    null, so p is never zero and P(p <= a) <= a holds exactly. Two-sided: twice the smaller
    one-sided p, at most 1. A permuted statistic that is NaN counts as at least as extreme, which
    can only raise p.

    Misleads when what is permuted is not exchangeable (patients of several sites permuted
    together), or when steps that used the labels (selection, cut-offs) were not redone in every
    permutation.

    Parameters
    ----------
    observed : float
        NaN gives NaN.
    null : array-like of shape (B,)
    alternative : {"greater", "less", "two-sided"}
        Which statistics speak against the null.

    Returns
    -------
    float
        From 1 / (1 + B) to 1.

    Raises
    ------
    DataError
        If there are no permuted statistics.
    UnknownNameError
        If the alternative is not known.

    References
    ----------
    Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> permutation_p(3.0, [1.0, 2.0, 3.0, 0.5])
    0.4
    """
    values = _check_null(null, alternative)
    if np.isnan(observed):
        return float("nan")
    counts = [_as_extreme(observed, values, side) for side in _sides(alternative)]
    p = (1 + min(counts)) / (1 + values.size)
    return min(1.0, len(counts) * p)


def permutation_interval(
    observed: float, null: ArrayLike, *, alternative: str = "greater", level: float = 0.95
) -> Interval:
    """Monte-Carlo interval of the p-value that all permutations would give.

    Clopper-Pearson interval of the share of permutations at least as extreme as the observed
    statistic (doubled when two-sided): how much a p-value from B permutations may still move when B
    grows. It says nothing about the sampling of patients.

    Parameters
    ----------
    observed : float
        NaN gives NaN.
    null : array-like of shape (B,)
    alternative : {"greater", "less", "two-sided"}
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If there are no permuted statistics.
    UnknownNameError
        If the alternative is not known.

    References
    ----------
    Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> [round(float(bound), 3) for bound in permutation_interval(3.0, [1.0, 2.0, 3.0, 0.5])]
    [0.006, 0.806]
    """
    values = _check_null(null, alternative)
    if np.isnan(observed):
        return Interval(np.array(np.nan), np.array(np.nan))
    counts = [_as_extreme(observed, values, side) for side in _sides(alternative)]
    low, high = clopper_pearson(min(counts), values.size, level=level)
    return Interval(np.minimum(1.0, len(counts) * low), np.minimum(1.0, len(counts) * high))


def permutations(
    n: int, count: int, rng: np.random.Generator, *, blocks: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Draw random permutations, each of all that are allowed equally likely.

    Without blocks all n! are allowed. With blocks (sites, scanners) positions change places only
    inside their block: the null for a link beyond what blocks share, valid when patients are
    exchangeable within a block.

    Parameters
    ----------
    n : int
        Length of each permutation.
    count : int
        How many, drawn independently (so some may repeat).
    rng : numpy.random.Generator
    blocks : array-like of shape (n,), optional
        Block of each position; missing blocks form one of their own.

    Returns
    -------
    ndarray of int, shape (count, n)
        ``values[permutations(n, count, rng)]`` has one permuted copy of `values` a row.

    Raises
    ------
    DataError
        If there is not one block a position.

    References
    ----------
    Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses, doi:10.1007/b138696.

    Examples
    --------
    >>> permutations(4, 2, np.random.default_rng(0)).shape
    (2, 4)
    """
    if blocks is None:
        return rng.permuted(np.tile(np.arange(n), (count, 1)), axis=1)
    names, member = np.unique(np.asarray(blocks, dtype=object).astype(str), return_inverse=True)
    if member.size != n:
        raise DataError(f"expected one block for each of {n} positions; found {member.size}.")
    orders = np.empty((count, n), dtype=np.intp)
    for block in range(names.size):
        places = np.flatnonzero(member == block)
        orders[:, places] = rng.permuted(np.tile(places, (count, 1)), axis=1)
    return orders


def _sides(alternative: str) -> tuple[str, ...]:
    return ("greater", "less") if alternative == "two-sided" else (alternative,)


def _as_extreme(observed: float, null: NDArray[np.float64], side: str) -> int:
    slack = _ROUNDING * abs(observed) if np.isfinite(observed) else 0.0
    below = null < observed - slack if side == "greater" else null > observed + slack
    return int(null.size - below.sum())


def _check_null(null: ArrayLike, alternative: str) -> NDArray[np.float64]:
    if alternative not in _ALTERNATIVES:
        raise UnknownNameError("alternative", alternative, _ALTERNATIVES)
    values = np.asarray(null, dtype=float)
    if values.ndim != 1 or values.size == 0:
        raise DataError(
            f"expected a one-dimensional array of permuted statistics; found shape {values.shape}; "
            "run at least one permutation (999 for a p-value near 0.001)."
        )
    return values
