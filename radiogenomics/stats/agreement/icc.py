"""Intraclass correlation: how far repeated readings of the same subjects agree."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats

Form = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
FORMS: tuple[Form, ...] = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
# An estimate outside its interval by less than this is outside by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class IntraclassCorrelation:
    """ICC of each variable with its confidence interval.

    Parameters
    ----------
    value, low, high
        Shape (variables,). 1 is perfect agreement, 0 none; estimates may be negative. NaN where a
        variable does not vary at all, and, with a warning, where there is no such number;
        otherwise low <= value <= high.
    form
        Which of the six.
    subjects, readings
        Numbers of each.
    """

    value: Floats
    low: Floats
    high: Floats
    form: Form
    subjects: int
    readings: int


@dataclass(frozen=True, eq=False)
class _MeanSquares:
    """Two-way analysis of variance without replication, one column a variable."""

    between: Floats
    readings: Floats
    residual: Floats
    within: Floats
    n: int
    k: int


def intraclass_correlation(
    values: ArrayLike, *, form: Form = "ICC(2,1)", level: float = 0.95
) -> IntraclassCorrelation:
    r"""Intraclass correlation of many variables at once.

    From the mean squares between subjects :math:`B`, between readings :math:`J`, residual
    :math:`E` and within subjects :math:`W` of ``n`` subjects read ``k`` times:

    - ICC(1,1) :math:`(B-W)/(B+(k-1)W)`: each subject read by other raters;
    - ICC(2,1) :math:`(B-E)/(B+(k-1)E+k(J-E)/n)`: the raters are a sample of all raters, and a
      constant offset between them counts as disagreement;
    - ICC(3,1) :math:`(B-E)/(B+(k-1)E)`: these raters only, offsets forgiven;
    - with k instead of 1: the same for the mean of the k readings.

    It compares disagreement with the spread of the subjects, so the same reading error gives a
    lower ICC in a homogeneous cohort. Intervals assume normal errors. Subjects that differ less
    than their readings do have no ICC of the mean where that of one reading is -1/(k-1) or less,
    and may have an interval that does not contain the estimate: these are NaN, with one warning.

    Parameters
    ----------
    values : array-like of shape (n, k) or (n, k, variables)
        Readings; all finite.
    form
        One of the six.
    level
        Confidence level.

    Raises
    ------
    DataError
        The shape is another, there are fewer than 2 subjects or readings, or a value is missing.

    References
    ----------
    Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420;
    McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30.

    Examples
    --------
    >>> found = intraclass_correlation([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6],
    ...                                 [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> round(float(found.value[0]), 2)
    0.29
    """
    readings = _checked(values, form, level)
    squares = _mean_squares(readings)
    with np.errstate(divide="ignore", invalid="ignore"):
        kind = form[4]
        single = {"1": _one_way, "2": _two_way_random, "3": _two_way_mixed}[kind](squares, level)
        found = _of_the_mean(single, squares.k) if form.endswith("k)") else single
        value, low, high = _ordered(*found)
    undefined = ~np.isnan(single[0]) & np.isnan([value, low, high]).any(axis=0)
    if undefined.any():
        _warn_undefined(undefined, form)
    return IntraclassCorrelation(value, low, high, form, squares.n, squares.k)


def _warn_undefined(undefined: NDArray[np.bool_], form: str) -> None:
    warnings.warn(
        f"{form}: {int(undefined.sum())} of {undefined.size} variables lack an estimate or a "
        "bound, which is NaN: their subjects differ too little for their readings. Count them as "
        "not reliable.",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def _of_the_mean(single: tuple[Floats, Floats, Floats], k: int) -> tuple[Floats, Floats, Floats]:
    """ICC of the mean of k readings by Spearman and Brown; NaN at and below the pole."""
    pole = -1 / (k - 1)
    value, low, high = (
        np.where(icc > pole, k * icc / (1 + (k - 1) * icc), np.nan) for icc in single
    )
    return value, low, high


def _ordered(value: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Leave out estimates that are not finite, and intervals that do not contain theirs."""
    value = np.where(np.isfinite(value), value, np.nan)
    outside = np.isnan(value) | (low > value + _ROUNDING) | (high < value - _ROUNDING)
    low = np.where(outside | ~np.isfinite(low), np.nan, np.minimum(low, value))
    high = np.where(outside | ~np.isfinite(high), np.nan, np.maximum(high, value))
    return value, low, high


def _checked(values: ArrayLike, form: str, level: float) -> Floats:
    readings = np.asarray(values, dtype=np.float64)
    if readings.ndim == 2:
        readings = readings[..., np.newaxis]
    if readings.ndim != 3 or min(readings.shape[:2]) < 2 or not np.isfinite(readings).all():
        raise DataError(
            "expected finite values of at least 2 subjects × 2 readings (× variables); found shape "
            f"{np.shape(values)} with {int((~np.isfinite(readings)).sum())} missing. Leave out "
            "subjects that were not read each time."
        )
    if form not in FORMS or not 0 < level < 1:
        raise DataError(
            f"expected a form among {', '.join(FORMS)} and a level between 0 and 1; found {form!r} "
            f"and {level}. Correct it."
        )
    return readings


def _mean_squares(x: Floats) -> _MeanSquares:
    n, k, _ = x.shape
    grand = x.mean(axis=(0, 1))
    subject = x.mean(axis=1) - grand
    reading = x.mean(axis=0) - grand
    rest = x - grand - subject[:, np.newaxis] - reading[np.newaxis]
    between = k * (subject**2).sum(axis=0) / (n - 1)
    readings = n * (reading**2).sum(axis=0) / (k - 1)
    residual = (rest**2).sum(axis=(0, 1)) / ((n - 1) * (k - 1))
    within = ((x - x.mean(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)) / (n * (k - 1))
    return _MeanSquares(between, readings, residual, within, n, k)


def _one_way(m: _MeanSquares, level: float) -> tuple[Floats, Floats, Floats]:
    """ICC(1,1)."""
    return _ratio_with_interval(m.between, m.within, m, m.n * (m.k - 1), level)


def _two_way_mixed(m: _MeanSquares, level: float) -> tuple[Floats, Floats, Floats]:
    """ICC(3,1)."""
    return _ratio_with_interval(m.between, m.residual, m, (m.n - 1) * (m.k - 1), level)


def _ratio_with_interval(
    between: Floats, error: Floats, m: _MeanSquares, freedom: int, level: float
) -> tuple[Floats, Floats, Floats]:
    """Estimate and interval from the F ratio of two mean squares."""
    ratio = between / error
    upper = f_distribution.ppf(0.5 + level / 2, m.n - 1, freedom)
    lower = 1 / f_distribution.ppf(0.5 + level / 2, freedom, m.n - 1)
    # Perfect agreement has an infinite ratio, whose limit is 1; no spread at all stays NaN.
    value, low, high = (
        np.where(np.isposinf(f), 1.0, (f - 1) / (f + m.k - 1))
        for f in (ratio, ratio / upper, ratio / lower)
    )
    return value, low, high


def _two_way_random(m: _MeanSquares, level: float) -> tuple[Floats, Floats, Floats]:
    """ICC(2,1), its interval by Satterthwaite's degrees of freedom."""
    n, k = m.n, m.k
    value = (m.between - m.residual) / (
        m.between + (k - 1) * m.residual + k * (m.readings - m.residual) / n
    )
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    freedom = (a * m.readings + b * m.residual) ** 2 / (
        (a * m.readings) ** 2 / (k - 1) + (b * m.residual) ** 2 / ((n - 1) * (k - 1))
    )
    upper = f_distribution.ppf(0.5 + level / 2, n - 1, freedom)
    lower = f_distribution.ppf(0.5 + level / 2, freedom, n - 1)
    spread = k * m.readings + (k * n - k - n) * m.residual
    low = n * (m.between - upper * m.residual) / (upper * spread + n * m.between)
    high = n * (lower * m.between - m.residual) / (spread + n * lower * m.between)
    # Readings agree to rounding, and the degrees of freedom are 0/0.
    perfect = value == 1
    return value, np.where(perfect, 1.0, low), np.where(perfect, 1.0, high)
