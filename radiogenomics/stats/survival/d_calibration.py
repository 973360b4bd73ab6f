"""Distributional calibration of predicted survival curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats, check_survival
from radiogenomics.stats.survival.survival_brier import check_survival_table


@dataclass(frozen=True)
class DCalibration:
    """Predicted survival of patients at their own time, against a uniform distribution.

    Attributes
    ----------
    edges : ndarray of shape (bins + 1,)
        From 0 to 1.
    observed : ndarray of shape (bins,)
        Patients in each bin, those censored in shares.
    expected : float
        Patients in each bin under calibration.
    statistic : float
        Sum of (observed - expected)^2 / expected.
    df : int
    p : float
        Small where the curves are not calibrated.
    n, events : int
    """

    edges: Floats
    observed: Floats
    expected: float
    statistic: float
    df: int
    p: float
    n: int
    events: int


def d_calibration(
    survival_at_time: ArrayLike, time: ArrayLike, event: ArrayLike, *, bins: int = 10
) -> DCalibration:
    """Test whether predicted survival at the patients' own times is uniform.

    If S_i is the true curve of patient i, then S_i(T_i) is uniform on 0 to 1. Each event is counted
    in the bin of its s = S_i(T_i), the lower edge included (1 in the last). A patient censored at s
    would have failed at some value uniform on 0 to s: the own bin [a, b) gets (s - a) / s, each bin
    below (b - a) / s. Pearson's statistic against n / bins is held against chi-squared with
    bins - 1 degrees of freedom.

    The p-value is conservative with censoring, since shares vary less than counts, and for curves
    fitted to the same patients. Says nothing of discrimination: one curve for all can pass.

    Parameters
    ----------
    survival_at_time : array-like of shape (n,)
        Predicted survival of each patient at the own follow-up time, see `survival_at_own_time`.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    bins : int
        Keep n / bins at 5 or more.

    Raises
    ------
    DataError
        If a probability is missing or outside 0 to 1, or there are fewer than 2 bins.
    OutcomeError
        If time or event cannot be analysed, or there is no event.

    References
    ----------
    Haider et al. 2020, Journal of Machine Learning Research 21(85).

    Examples
    --------
    >>> found = d_calibration([0.1, 0.6, 0.75, 0.8], [4, 3, 2, 1], [1, 1, 0, 1], bins=2)
    >>> found.observed.round(3).tolist(), round(found.statistic, 3)
    ([1.667, 2.333], 0.111)
    """
    months, events = check_survival(time, event)
    values = check_survival_table(np.atleast_1d(survival_at_time)[:, None], [0.0], n=months.size)
    if bins < 2:
        raise DataError(f"expected at least 2 bins; found {bins}; 10 are usual.")
    edges = np.arange(bins + 1) / bins
    s = values[:, 0]
    own = np.minimum(np.searchsorted(edges, s, side="right") - 1, bins - 1)
    observed = np.bincount(own[events], minlength=bins).astype(float)
    # A patient censored at 0 has nowhere else to fail than in the lowest bin.
    left = np.where(s[~events] > 0, s[~events], 1 / bins)
    reach = np.clip((left[:, None] - edges[:-1]) * bins, 0, 1)
    observed += (reach / (left[:, None] * bins)).sum(axis=0)
    expected = months.size / bins
    statistic = float(np.square(observed - expected).sum() / expected)
    p = float(chdtrc(bins - 1, statistic))
    return DCalibration(
        edges, observed, expected, statistic, bins - 1, p, months.size, int(events.sum())
    )


def survival_at(survival: ArrayLike, times: ArrayLike, asked: ArrayLike) -> Floats:
    """Read predicted curves off at other times.

    Curves are right-continuous steps: 1 before the first time, flat between times and after the
    last, as those of Cox models and survival forests at their event times. Between a few horizons
    the steps are coarse and the curves look worse than they are.

    Parameters
    ----------
    survival : array-like of shape (n, times)
        Probabilities of surviving beyond each time.
    times : array-like of shape (times,)
        In any order, each once.
    asked : array-like of shape (m,)

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    DataError
        As in `check_survival_table`.

    Examples
    --------
    >>> survival_at([[0.9, 0.5]], [1, 2], [0.5, 1, 1.9, 9]).tolist()
    [[1.0, 0.9, 0.9, 0.5]]
    """
    steps, place = _steps(survival, times, asked, n=len(np.atleast_1d(survival)))
    return steps[:, place]


def survival_at_own_time(survival: ArrayLike, times: ArrayLike, time: ArrayLike) -> Floats:
    """Read off each predicted curve at the patient's own follow-up time.

    Curves are steps, as in `survival_at`.

    Parameters
    ----------
    survival : array-like of shape (n, times)
    times : array-like of shape (times,)
    time : array-like of shape (n,)
        Follow-up in months.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    DataError
        As in `check_survival_table`.

    Examples
    --------
    >>> survival_at_own_time([[0.9, 0.5], [0.8, 0.3], [0.7, 0.2]], [1, 2], [0.5, 1, 9]).tolist()
    [1.0, 0.8, 0.2]
    """
    steps, place = _steps(survival, times, time, n=np.size(time))
    return steps[np.arange(place.size), place]


def _steps(
    survival: ArrayLike, times: ArrayLike, asked: ArrayLike, *, n: int
) -> tuple[Floats, NDArray[np.intp]]:
    """Curves that begin with 1, and the step that each time asked for falls on."""
    months = np.atleast_1d(as_floats(times, "times"))
    values = check_survival_table(survival, months, n=n)
    order = np.argsort(months)
    steps = np.pad(values[:, order], ((0, 0), (1, 0)), constant_values=1.0)
    return steps, np.searchsorted(months[order], as_floats(asked, "times asked for"), side="right")
