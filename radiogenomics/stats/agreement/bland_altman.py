"""Agreement of measurements in their own unit: limits of agreement, concordance, repeatability."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, ndtri, stdtr, stdtrit
from scipy.stats import nct

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats, as_floats, check_level

# Differences smaller than this share of the readings are rounding.
_ROUNDING = 1e-13
_COPIES = (
    "the differences, or the subjects' means, are the same for all: bias or slope has no test. "
    "Check that the two readings are not copies."
)


@dataclass(frozen=True)
class BlandAltman:
    """Differences between two readings of the same subjects, first minus second.

    Parameters
    ----------
    bias, bias_low, bias_high, bias_p
        Mean difference with its interval and paired t test.
    sd
        Standard deviation (n - 1) of the differences.
    lower, lower_low, lower_high, upper, upper_low, upper_high
        Limits of agreement, each with its own interval.
    slope, slope_low, slope_high, slope_p
        Proportional bias: rise of the difference per unit of the subjects' mean.
    subjects, left_out
        Subjects with both readings, and without.
    """

    bias: float
    bias_low: float
    bias_high: float
    bias_p: float
    sd: float
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float
    slope: float
    slope_low: float
    slope_high: float
    slope_p: float
    subjects: int
    left_out: int


@dataclass(frozen=True)
class ConcordanceCorrelation:
    """Closeness of paired readings to the line of identity.

    Parameters
    ----------
    value, low, high
        Lin's coefficient, -1 to 1, with its interval.
    precision, accuracy
        Its two factors: Pearson's correlation, and how close the best line is to identity (0 to 1).
    scale_shift, location_shift
        Second against first: ratio of the standard deviations, and difference of the means in
        units of their geometric mean.
    subjects, left_out
        Subjects with both readings, and without.
    """

    value: float
    low: float
    high: float
    precision: float
    accuracy: float
    scale_shift: float
    location_shift: float
    subjects: int
    left_out: int


@dataclass(frozen=True, eq=False)
class Repeatability:
    """Spread of repeated readings of one subject, for each variable.

    Parameters
    ----------
    within_sd, low, high
        Within-subject standard deviation with its interval, shape (variables,), in its unit.
    coefficient, coefficient_low, coefficient_high
        Repeatability coefficient, below which two readings of a subject differ 95 times in 100.
    subjects, readings
        Numbers of each.
    """

    within_sd: Floats
    low: Floats
    high: Floats
    coefficient: Floats
    coefficient_low: Floats
    coefficient_high: Floats
    subjects: int
    readings: int


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    coverage: float = 0.95,
    interval: Literal["exact", "approximate"] = "exact",
    level: float = 0.95,
) -> BlandAltman:
    r"""Bias and limits of agreement of two readings of the same subjects.

    With mean :math:`\bar d` and standard deviation s of the n differences, the limits are
    :math:`\bar d \pm z s` (z = 1.959964 for 0.95). Exact interval of a limit:
    :math:`\bar d + s\, t_{q}(n-1, \pm z\sqrt n)/\sqrt n`, quantiles of noncentral t; approximate: t
    with variance :math:`s^2 (1/n + z^2/(2(n-1)))`. Differences are taken as normal with one spread:
    where it grows with size, take logarithms. Readings of unequal variance alone make a slope.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Readings; subjects with one missing (NaN) are left out.
    coverage, interval
        Share of differences expected between the limits; which interval these have.
    level
        Of all intervals.

    Raises
    ------
    DataError
        Lengths differ; fewer than 3 subjects with both; an infinite reading; another interval.

    References
    ----------
    Bland & Altman 1999, doi:10.1177/096228029900800204; Carkeet 2015,
    doi:10.1097/OPX.0000000000000513 (exact).

    Examples
    --------
    >>> found = bland_altman([44.5, 103.7, 70.8, 32.8, 91.3], [43.0, 107.0, 65.0, 34.0, 90.0])
    >>> [round(float(x), 2) for x in (found.bias, found.lower, found.upper)]
    [0.82, -5.87, 7.51]
    """
    x, y, left_out = _pairs(first, second)
    z = float(ndtri(0.5 + check_level(coverage) / 2))
    tail = 0.5 + check_level(level) / 2
    difference, n = x - y, x.size
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    sd = 0.0 if sd <= _ROUNDING * max(np.abs(x).max(), np.abs(y).max()) else sd
    error = sd / np.sqrt(n)
    half, bias_p = float(stdtrit(n - 1, tail)) * error, _two_sided(bias, error, n - 1)
    near, far = (sd * side for side in _limit_bounds(n, z, tail, interval=interval))
    slope, reach, slope_p = _slope((x + y) / 2, difference if sd else np.zeros(n), tail)
    if np.isnan(bias_p) or np.isnan(slope_p):
        warnings.warn(_COPIES, RadiogenomicsWarning, stacklevel=2)
    return BlandAltman(
        *(bias, bias - half, bias + half, bias_p, sd),
        *(bias - z * sd, bias - far, bias - near),
        *(bias + z * sd, bias + near, bias + far),
        *(slope, slope - reach, slope + reach, slope_p),
        *(n, left_out),
    )


def concordance_correlation(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95
) -> ConcordanceCorrelation:
    r"""Lin's concordance correlation coefficient of two readings of the same subjects.

    :math:`\rho_c = 2 s_{xy} / (s_x^2 + s_y^2 + (\bar x - \bar y)^2)`, moments with divisor n:
    Pearson's correlation times a factor that falls with shifts in place or scale. The interval is
    symmetric on Fisher's z scale, Lin's error corrected as in 2000. It rises with subjects' spread.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Readings; subjects with one missing (NaN) are left out.
    level
        Of the interval.

    Raises
    ------
    DataError
        Lengths differ; fewer than 3 subjects with both; an infinite reading; a constant one.

    References
    ----------
    Lin 1989, doi:10.2307/2532051; corrected in Biometrics 2000;56:324-325.

    Examples
    --------
    >>> round(concordance_correlation([1, 2, 3, 4, 5], [1.1, 2.3, 2.9, 4.4, 5.2]).value, 3)
    0.985
    """
    x, y, left_out = _pairs(first, second)
    z = float(ndtri(0.5 + check_level(level) / 2))
    _refuse_constant(x, "first")
    _refuse_constant(y, "second")
    n = x.size
    dx, dy = x - x.mean(), y - y.mean()
    sx, sy = np.sqrt((dx**2).mean()), np.sqrt((dy**2).mean())
    shift = y.mean() - x.mean()
    r = float((dx * dy).mean() / (sx * sy))
    accuracy = float(2 * sx * sy / (sx**2 + sy**2 + shift**2))
    rho = r * accuracy
    u2 = float(shift**2 / (sx * sy))
    variance = (
        (1 - r**2) * accuracy**2 * (1 - rho**2)
        + 2 * rho**2 * (1 - rho) * u2 * accuracy
        - rho**2 * accuracy**2 * u2**2 / 2
    ) / (n - 2)
    if 1 - abs(rho) <= _ROUNDING:
        low = high = rho
    else:
        error = np.sqrt(max(variance, 0.0)) / (1 - rho**2)
        low, high = (float(np.tanh(np.arctanh(rho) + side * z * error)) for side in (-1, 1))
    return ConcordanceCorrelation(
        *(rho, low, high, r, accuracy, float(sy / sx), float(shift / np.sqrt(sx * sy))),
        subjects=n,
        left_out=left_out,
    )


def repeatability(values: ArrayLike, *, level: float = 0.95) -> Repeatability:
    r"""Within-subject standard deviation of many variables at once.

    :math:`s_w`, the root of the mean variance of the k readings of each of n subjects (one-way
    analysis of variance, so that offsets between readings count); the repeatability coefficient is
    :math:`1.96 \sqrt 2\, s_w`. Intervals from the chi-squared distribution with n(k - 1) degrees of
    freedom: errors are taken as normal and of one size for all subjects.

    Parameters
    ----------
    values : array-like of shape (n, k) or (n, k, variables)
        Readings; all finite.
    level
        Confidence level.

    Raises
    ------
    DataError
        The shape is another, there is no subject or fewer than 2 readings, or a value is missing.

    References
    ----------
    Bland & Altman 1996, doi:10.1136/bmj.313.7059.744.

    Examples
    --------
    >>> found = repeatability([[10.0, 11.0], [12.0, 12.0], [15.0, 13.0]])
    >>> found.within_sd.round(3), found.coefficient.round(3)
    (array([0.913]), array([2.53]))
    """
    readings = as_floats(values, "readings")
    if readings.ndim == 2:
        readings = readings[..., np.newaxis]
    proper = readings.ndim == 3 and readings.shape[0] >= 1 and readings.shape[1] >= 2
    if not proper or not np.isfinite(readings).all():
        raise DataError(
            "expected finite values of subjects × 2 or more readings (× variables); found shape "
            f"{np.shape(values)} with {int((~np.isfinite(readings)).sum())} missing. Leave out "
            "subjects that were not read each time."
        )
    n, k, _ = readings.shape
    tail = (1 - check_level(level)) / 2
    freedom = n * (k - 1)
    within = np.sqrt(readings.var(axis=1, ddof=1).mean(axis=0))
    # chdtri takes the upper tail.
    low = within * np.sqrt(freedom / chdtri(freedom, tail))
    high = within * np.sqrt(freedom / chdtri(freedom, 1 - tail))
    times = float(ndtri(0.975)) * np.sqrt(2)
    return Repeatability(within, low, high, times * within, times * low, times * high, n, k)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats, int]:
    """Readings of the subjects that have both, and how many have not."""
    x, y = as_floats(first, "readings"), as_floats(second, "readings")
    if x.ndim != 1 or x.shape != y.shape or np.isinf(x).any() or np.isinf(y).any():
        raise DataError(
            "expected two finite readings a subject, in two arrays of one length; found shapes "
            f"{x.shape} and {y.shape} with {int(np.isinf(x).sum() + np.isinf(y).sum())} infinite. "
            "Align the readings by subject; a missing one may be NaN."
        )
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 3:
        raise DataError(
            f"expected at least 3 subjects with both readings; found {int(both.sum())} of "
            f"{both.size}. Align the readings by subject, or add subjects."
        )
    return x[both], y[both], int((~both).sum())


def _refuse_constant(values: Floats, name: str) -> None:
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        raise DataError(
            f"expected readings that differ between subjects; found the {name} reader's "
            f"{values.size} all equal. Concordance with a constant is undefined: see the bias."
        )


def _limit_bounds(n: int, z: float, tail: float, *, interval: str) -> tuple[float, float]:
    """Bounds of the upper limit of agreement, in standard deviations above the bias."""
    if interval == "exact":
        low, high = nct.ppf([1 - tail, tail], n - 1, z * np.sqrt(n)) / np.sqrt(n)
        return float(low), float(high)
    if interval != "approximate":
        raise DataError(
            f"expected interval 'exact' or 'approximate'; found {interval!r}. Choose one."
        )
    reach = float(stdtrit(n - 1, tail) * np.sqrt(1 / n + z**2 / (2 * (n - 1))))
    return z - reach, z + reach


def _two_sided(estimate: float, error: float, freedom: int) -> float:
    return float(2 * stdtr(freedom, -abs(estimate) / error)) if error > 0 else float("nan")


def _slope(x: Floats, y: Floats, tail: float) -> tuple[float, float, float]:
    """Least squares slope of y on x, half its interval, and p; NaN where x or y does not vary."""
    dx, dy = x - x.mean(), y - y.mean()
    if np.ptp(x) <= _ROUNDING * np.abs(x).max() or not dy.any():
        return float("nan"), float("nan"), float("nan")
    slope = float((dx @ dy) / (dx @ dx))
    error = float(np.sqrt(((dy - slope * dx) ** 2).sum() / ((x.size - 2) * (dx @ dx))))
    reach = float(stdtrit(x.size - 2, tail)) * error
    return slope, reach, _two_sided(slope, error, x.size - 2)
