"""Confidence intervals of proportions and of resampled statistics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, check_level


class Interval(NamedTuple):
    """Lower and upper bound, as arrays of the shape of what they bound.

    Attributes
    ----------
    low, high : ndarray
    """

    low: Floats
    high: Floats


def wilson(successes: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion.

    The proportions p that a score test would not reject, |p^ - p| <= z sqrt(p (1 - p) / n). Its
    mean coverage is close to `level` even in small samples, though for single p it may fall below.

    Parameters
    ----------
    successes, trials : array-like, broadcast together
        0 <= successes <= trials; without trials the bounds are NaN.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If successes lie outside 0 to trials.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(float(bound), 4) for bound in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    k, n = _check_counts(successes, trials)
    z = ndtri(0.5 + check_level(level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (k + z**2 / 2) / (n + z**2)
        half = z * np.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    # Exact at the ends, where subtraction leaves rounding.
    low = np.where(k == 0, np.where(n == 0, np.nan, 0.0), centre - half)
    high = np.where(k == n, np.where(n == 0, np.nan, 1.0), centre + half)
    return Interval(low, high)


def clopper_pearson(successes: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> Interval:
    """Clopper-Pearson interval of a proportion.

    The proportions that neither one-sided exact binomial test at (1 - level) / 2 would reject,
    found as quantiles of beta distributions. Covers at least `level`, in small samples rather more.
    Successes need not be whole, so that weighted counts can be bounded too.

    Parameters
    ----------
    successes, trials : array-like, broadcast together
        0 <= successes <= trials; without trials the bounds are NaN.
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    DataError
        If successes lie outside 0 to trials.

    References
    ----------
    Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> [round(float(bound), 4) for bound in clopper_pearson(8, 10)]
    [0.4439, 0.9748]
    """
    k, n = _check_counts(successes, trials)
    tail = (1 - check_level(level)) / 2
    nothing = np.where(n == 0, np.nan, 0.0)
    with np.errstate(invalid="ignore"):
        low = np.where(k == 0, nothing, betaincinv(k, n - k + 1, tail))
        high = np.where(k == n, 1.0 + nothing, betaincinv(k + 1, n - k, 1 - tail))
    return Interval(low, high)


def bootstrap_interval(statistic_values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Percentile interval of a bootstrapped statistic.

    The (1 - level) / 2 and (1 + level) / 2 quantiles of the resampled values. Simple and invariant
    under monotone transformation; too narrow in small samples and off where the statistic is biased
    or at the edge of its range. Replicates in which the statistic is NaN (a resample with one
    class, say) are left out.

    Parameters
    ----------
    statistic_values : array-like of shape (resamples,) or (resamples, ...)
        At least a thousand resamples for a 95 % interval.
    level : float

    Returns
    -------
    Interval
        Bounds of shape (...); NaN where all replicates are.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> [round(float(bound), 2) for bound in bootstrap_interval(np.linspace(0, 1, 101))]
    [0.03, 0.97]
    """
    values = np.asarray(statistic_values, dtype=float)
    tail = (1 - check_level(level)) / 2
    if values.ndim == 0 or values.shape[0] == 0:
        raise DataError(
            f"expected resampled values along the first axis; found shape {values.shape}; "
            "pass one value per resample."
        )
    # np.nanquantile warns where a whole column is NaN; such a column simply has no bounds.
    empty = np.isnan(values).all(axis=0)
    filled = np.where(empty, 0.0, values)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return Interval(np.where(empty, np.nan, low), np.where(empty, np.nan, high))


def _check_counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if not ((k >= 0) & (k <= n)).all():
        raise DataError(
            "expected successes between 0 and trials; found values outside; "
            "check the order of the two arguments."
        )
    return k, n
