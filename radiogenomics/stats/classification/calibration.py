"""Whether predicted probabilities mean what they say."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Bools, Floats, check_labels, check_scores
from radiogenomics.stats.intervals import wilson

# Probabilities of exactly 0 or 1 have no logit; this far from either they get one.
_EDGE = 1e-6
# Separated classes gain a factor e an iteration and are still on their way after these.
_MAX_ITERATIONS = 30


@dataclass(frozen=True)
class CalibrationLine:
    """Logistic recalibration of predicted probabilities.

    Attributes
    ----------
    intercept, slope : float
        0 and 1 when calibrated; a slope below 1 means predictions are too extreme. NaN when not
        converged.
    intercept_se, slope_se : float
    converged : bool
        False when predictions separate the classes or are all equal.
    """

    intercept: float
    slope: float
    intercept_se: float
    slope_se: float
    converged: bool


class CalibrationOffset(NamedTuple):
    """Calibration in the large.

    Attributes
    ----------
    intercept : float
        0 when calibrated on average; above 0 when more happened than was predicted.
    se : float
    """

    intercept: float
    se: float


@dataclass(frozen=True)
class CalibrationBins:
    """Predicted against observed, in groups of rising prediction.

    Attributes
    ----------
    n : ndarray of int, shape (groups,)
    predicted : ndarray of shape (groups,)
        Mean predicted probability.
    observed : ndarray of shape (groups,)
        Share of positives.
    low, high : ndarray of shape (groups,)
        Wilson bounds of `observed`.
    """

    n: NDArray[np.intp]
    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


def brier(probability: ArrayLike, label: ArrayLike) -> float:
    """Mean squared distance of predicted probabilities from what happened.

    From 0 (perfect) to 1; always predicting the prevalence q gives q (1 - q), so a low value may
    only mean that the class is rare. Mixes calibration and discrimination.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)

    Returns
    -------
    float

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label.
    OutcomeError
        If labels are not 0 and 1.

    References
    ----------
    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> round(brier([0.1, 0.8], [0, 1]), 3)
    0.025
    """
    values, positive = _check(probability, label)
    return float(np.square(values - positive).mean())


def calibration_line(probability: ArrayLike, label: ArrayLike) -> CalibrationLine:
    """Intercept and slope of logit P(label = 1) = a + b logit(probability).

    Fitted by maximum likelihood (iteratively reweighted least squares). b < 1 is the usual mark of
    overfitting. Probabilities within 1e-6 of 0 or 1 are moved to that distance, with a warning:
    a few of them can rule the slope. On the patients a logistic model was fitted to, a = 0 and
    b = 1 by construction.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)
        Both classes must be present.

    Returns
    -------
    CalibrationLine

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label.
    OutcomeError
        If labels are not 0 and 1, or one class is absent.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> line = calibration_line([0.1, 0.3, 0.4, 0.6, 0.7, 0.9], [0, 1, 0, 1, 0, 1])
    >>> round(line.slope, 3), round(line.slope_se, 2)
    (0.719, 0.75)
    """
    values, positive = check_scores(*_check(probability, label))
    _warn_at_edge(values)
    predictor = _logit(values)
    if np.ptp(predictor) == 0:
        return CalibrationLine(np.nan, np.nan, np.nan, np.nan, False)
    design = np.column_stack([np.ones(values.size), predictor])
    coef, se, converged = _logistic(design, positive, np.zeros(values.size))
    return CalibrationLine(float(coef[0]), float(coef[1]), float(se[0]), float(se[1]), converged)


def calibration_in_the_large(probability: ArrayLike, label: ArrayLike) -> CalibrationOffset:
    """Intercept of logit P(label = 1) = a + logit(probability), slope held at 1.

    Probabilities at the edge are moved as in `calibration_line`, with a warning.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)
        Both classes must be present.

    Returns
    -------
    CalibrationOffset

    Raises
    ------
    DataError, OutcomeError
        As in `calibration_line`.

    References
    ----------
    Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> round(calibration_in_the_large([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]).intercept, 3)
    1.201
    """
    values, positive = check_scores(*_check(probability, label))
    _warn_at_edge(values)
    coef, se, _ = _logistic(np.ones((values.size, 1)), positive, _logit(values))
    return CalibrationOffset(float(coef[0]), float(se[0]))


def calibration_bins(
    probability: ArrayLike, label: ArrayLike, *, bins: int = 5, level: float = 0.95
) -> CalibrationBins:
    """Observed share of positives in groups of rising predicted probability.

    Groups are cut at quantiles of the prediction, so that each holds about n / bins patients; equal
    predictions stay together, and groups that this leaves empty are dropped. With fewer than about
    50 patients a group the picture is mostly noise: read the bounds, not the points.

    Parameters
    ----------
    probability : array-like of shape (n,)
        Predicted probability of label 1.
    label : array-like of shape (n,)
    bins : int
    level : float

    Returns
    -------
    CalibrationBins

    Raises
    ------
    DataError
        If probabilities lie outside 0 to 1 or are not one per label, or bins is below 1.
    OutcomeError
        If labels are not 0 and 1.

    References
    ----------
    Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7; Wilson 1927,
    doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> groups = calibration_bins([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], bins=2)
    >>> groups.predicted.round(2).tolist(), groups.observed.tolist()
    ([0.15, 0.85], [0.0, 1.0])
    """
    values, positive = _check(probability, label)
    if bins < 1:
        raise DataError(f"expected 1 bin or more; found {bins!r}; 5 or 10 are usual.")
    place = np.unique(quantile_groups(values, bins), return_inverse=True)[1]
    n = np.bincount(place)
    hits = np.bincount(place, weights=positive)
    low, high = wilson(hits, n, level=level)
    return CalibrationBins(n, np.bincount(place, weights=values) / n, hits / n, low, high)


def quantile_groups(values: Floats, groups: int) -> NDArray[np.intp]:
    """Return the group of each value, from 0 to `groups` less 1, rising.

    Groups are cut at quantiles and of about equal size; equal values stay together, which may leave
    groups empty.

    Examples
    --------
    >>> quantile_groups(np.array([0.9, 0.1, 0.1, 0.1]), 3).tolist()
    [2, 0, 0, 0]
    """
    cuts = np.quantile(values, np.arange(1, groups) / groups)
    return np.searchsorted(cuts, values, side="left")


def _logistic(design: Floats, positive: Bools, offset: Floats) -> tuple[Floats, Floats, bool]:
    """Logistic regression by Newton with halved steps: coefficients, errors, converged."""
    coef = np.zeros(design.shape[1])
    missing = np.full(coef.size, np.nan)
    value = _likelihood(offset, positive)
    for _ in range(_MAX_ITERATIONS):
        fitted = expit(offset + design @ coef)
        gradient = design.T @ (positive - fitted)
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        if np.linalg.cond(information) > 1e14:
            break
        step = np.linalg.solve(information, gradient)
        if gradient @ step <= 1e-18:
            return coef + step, np.sqrt(np.diag(np.linalg.inv(information))), True
        trial = _likelihood(offset + design @ (coef + step), positive)
        while trial < value - 1e-12 * abs(value):
            step = step / 2
            trial = _likelihood(offset + design @ (coef + step), positive)
        coef, value = coef + step, trial
    return missing, missing, False


def _likelihood(predictor: Floats, positive: Bools) -> float:
    return float(-np.logaddexp(0, np.where(positive, -predictor, predictor)).sum())


def _logit(probability: Floats) -> Floats:
    return logit(np.clip(probability, _EDGE, 1 - _EDGE))


def _warn_at_edge(probability: Floats) -> None:
    moved = int(((probability < _EDGE) | (probability > 1 - _EDGE)).sum())
    if moved:
        warnings.warn(
            f"expected probabilities between 0 and 1; found {moved} of {probability.size} within "
            f"{_EDGE:g} of either, moved to that distance; they can rule the result, so see "
            "whether the model is that certain.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def _check(probability: ArrayLike, label: ArrayLike) -> tuple[Floats, Bools]:
    positive = check_labels(label)
    values = np.asarray(probability, dtype=float)
    if values.shape != positive.shape or not ((values >= 0) & (values <= 1)).all():
        raise DataError(
            "expected one probability from 0 to 1 per label; found shape "
            f"{values.shape} for {positive.size} labels, or values outside; "
            "pass probabilities, not decision values."
        )
    return values, positive
