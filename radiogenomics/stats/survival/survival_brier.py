"""Brier score of predicted survival under censoring, beside that of the Kaplan-Meier curve.

BS(t) is the mean of S_i(t)^2 1(T_i <= t, event) / G(T_i-) + (1 - S_i(t))^2 1(T_i > t) / G(t), with
S_i(t) the predicted survival of patient i and G the Kaplan-Meier curve of censoring. It mixes
discrimination with calibration, and is small for any model where nearly all or nearly none have had
the event: read it beside the reference. It misleads where censoring depends on what predicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level, check_survival
from radiogenomics.stats.survival.ipcw_influence import (
    censoring_influence,
    ipcw_weights,
    standard_error,
)
from radiogenomics.stats.survival.time_dependent_auc import SurvivalEstimate
from radiogenomics.stats.survival.time_grid import TimeGrid, grid_of

_Bounded = tuple[Floats, Floats, Floats, Floats]
# Rounding that a predicted curve may rise by, or leave 0 to 1 by.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SurvivalBrier:
    """Accuracy of predicted survival probabilities at several times.

    Attributes
    ----------
    grid : TimeGrid
        Times, cases, controls, and the times dropped with the reason.
    value, se, low, high : ndarray of shape (times,)
        Brier score, standard error and pointwise bounds; 0 is best.
    reference : ndarray of shape (times,)
        Brier score of the Kaplan-Meier curve of the same patients, S (1 - S).
    ipa, ipa_se, ipa_low, ipa_high : ndarray of shape (times,)
        Index of prediction accuracy, 1 - value / reference: 1 is best, 0 no better than predicting
        the curve for everyone, negative worse.
    integrated, integrated_ipa : SurvivalEstimate
        Mean over time from the first to the last of the grid.
    integrated_reference : float
    """

    grid: TimeGrid
    value: Floats
    se: Floats
    low: Floats
    high: Floats
    reference: Floats
    ipa: Floats
    ipa_se: Floats
    ipa_low: Floats
    ipa_high: Floats
    integrated: SurvivalEstimate
    integrated_ipa: SurvivalEstimate
    integrated_reference: float


def survival_brier(
    survival: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid,
    level: float = 0.95,
    weights: str = "jackknife",
) -> SurvivalBrier:
    """Estimate the Brier score of predicted survival at several times, with intervals.

    See the top of this module. The integrated score is the trapezoidal mean over the grid; with one
    time, the score itself. Intervals are Wald's, held within 0 to 1 (IPA: below 1).

    Parameters
    ----------
    survival : array-like of shape (n, times)
        Predicted probability of surviving beyond each time; not a risk.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    times : array-like or TimeGrid
        Of the columns, each once; judged by `valid_times`.
    level : float
    weights : {"jackknife", "martingale", "known"}
        How the uncertainty of G enters, see `censoring_influence`.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        If these are no survival curves, no time can be used, or a word is not known.

    References
    ----------
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5;
    Kattan & Gerds 2018, doi:10.1186/s41512-018-0029-2 (index of prediction accuracy).

    Examples
    --------
    >>> time, event, table = range(1, 13), [1, 1, 0] * 4, np.linspace(0.1, 0.9, 12)[:, None]
    >>> found = survival_brier(table, time, event, times=[7.5])
    >>> float(found.value[0]), float(found.ipa[0])
    (0.0962, 0.6128)
    """
    z = float(ndtri(0.5 + check_level(level) / 2))
    months, events = check_survival(time, event)
    asked = times.times if isinstance(times, TimeGrid) else times
    table = check_survival_table(survival, asked, n=months.size)
    grid = grid_of(times, months, events)
    scores, influences = _scored(table.T, months, events, grid=grid, weights=weights)
    over_time = _time_weights(grid.times)
    mean, mean_influence = scores @ over_time, np.einsum("smn,m->sn", influences, over_time)
    return SurvivalBrier(
        grid,
        *_brier(scores, influences, z),
        scores[1],
        *_accuracy(scores, influences, z),
        SurvivalEstimate(*map(float, _brier(mean, mean_influence, z))),
        SurvivalEstimate(*map(float, _accuracy(mean, mean_influence, z))),
        float(mean[1]),
    )


def check_survival_table(survival: ArrayLike, times: ArrayLike, *, n: int) -> Floats:
    """Return predicted survival curves that can be judged, or say how many patients' cannot.

    Parameters
    ----------
    survival : array-like of shape (n, times)
        Probabilities of surviving beyond each time.
    times : array-like of shape (times,)
        In any order, each once.
    n : int
        Patients expected.

    Returns
    -------
    ndarray of shape (n, times)
        Rounding beyond 0 and 1 cut off.

    Raises
    ------
    DataError
        If the shape is another, a time is asked for twice, or a probability is missing, outside 0
        to 1, or higher than one at an earlier time.

    Examples
    --------
    >>> check_survival_table([[0.9, 0.4]], [12, 24], n=1)
    array([[0.9, 0.4]])
    """
    months = np.atleast_1d(as_floats(times, "times"))
    values = as_floats(survival, "survival probabilities")
    if months.ndim != 1 or values.shape != (n, months.size):
        raise DataError(
            f"expected survival probabilities of shape ({n}, {months.size}), one row a patient and "
            f"one column a time; found {values.shape}; transpose or align the table."
        )
    if np.unique(months).size < months.size:
        raise DataError(
            f"expected each time once; found {months.size - np.unique(months).size} more; "
            "drop the columns that repeat a time."
        )
    _refuse(~np.isfinite(values), "probabilities that are numbers", "complete or drop them")
    outside = (values < -_ROUNDING) | (values > 1 + _ROUNDING)
    _refuse(outside, "probabilities from 0 to 1", "pass survival, not risk or per cent")
    rising = np.diff(values[:, np.argsort(months)], axis=1) > _ROUNDING
    _refuse(rising, "curves that never rise with time", "pass survival, not risk, one curve a row")
    return np.clip(values, 0, 1)


def _refuse(bad: NDArray[np.bool_], expected: str, advice: str) -> None:
    rows = np.flatnonzero(bad.any(axis=1))
    if rows.size:
        raise DataError(
            f"expected survival {expected}; found otherwise in {rows.size} of {len(bad)} patients "
            f"(rows {short_list(rows)}); {advice}."
        )


def _scored(
    predicted: Floats, time: Floats, event: Bools, *, grid: TimeGrid, weights: str
) -> tuple[Floats, Floats]:
    """Brier scores of the predictions and of the Kaplan-Meier curve, and influences on them.

    Shapes (2, m) and (2, m, n), from predictions of shape (asked, n). The curve minimises its own
    score, so that its being estimated has no influence to first order.
    """
    case, control = ipcw_weights(time, event, grid.times)
    average = control.mean(axis=1, keepdims=True)
    both = np.stack([predicted[grid.positions], np.broadcast_to(average, case.shape)])
    terms = case * both**2 + control * (1 - both) ** 2
    scores = terms.mean(axis=2)
    estimated = [
        censoring_influence(each, time, event, times=grid.times, weights=weights) for each in terms
    ]
    return scores, terms - scores[:, :, None] + np.stack(estimated)


def _brier(scores: Floats, influences: Floats, z: float) -> _Bounded:
    """Brier score of the predictions with standard error and bounds."""
    value, se = scores[0], standard_error(influences[0])
    return value, se, np.clip(value - z * se, 0, 1), np.clip(value + z * se, 0, 1)


def _accuracy(
    scores: Floats, influences: Floats, z: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Index of prediction accuracy with standard error and bounds."""
    ratio = scores[0] / scores[1]
    through = influences[0] - ratio[..., None] * influences[1]
    se = standard_error(through) / scores[1]
    return 1 - ratio, se, 1 - ratio - z * se, np.minimum(1, 1 - ratio + z * se)


def _time_weights(times: Floats) -> Floats:
    """Weights of the trapezoidal mean over time."""
    if times.size == 1:
        return np.ones(1)
    halves = np.diff(times) / (2 * (times[-1] - times[0]))
    return np.asarray(np.append(halves, 0) + np.append(0, halves))
