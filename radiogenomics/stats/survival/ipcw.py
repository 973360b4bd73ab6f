"""Inverse probability of censoring weights, by the Kaplan-Meier curve of the censoring times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.stats.inputs import Floats, as_floats, check_survival


@dataclass(frozen=True)
class CensoringCurve:
    """Probability of still being followed up, G(t) = P(C > t), as a right-continuous step function.

    Attributes
    ----------
    time : ndarray of shape (steps,)
        Times at which somebody was censored, rising.
    survival : ndarray of shape (steps,)
        G at each of these times.
    """

    time: Floats
    survival: Floats

    def at(self, times: ArrayLike) -> Floats:
        """Return G(t): the share not censored up to and including each time."""
        place = np.searchsorted(self.time, as_floats(times, "times"), side="right")
        return np.append(1.0, self.survival)[place]

    def before(self, times: ArrayLike) -> Floats:
        """Return G(t-): the share not censored before each time."""
        place = np.searchsorted(self.time, as_floats(times, "times"), side="left")
        return np.append(1.0, self.survival)[place]


def censoring_curve(time: ArrayLike, event: ArrayLike) -> CensoringCurve:
    """Kaplan-Meier estimate of the censoring distribution, marginal over patients.

    Censoring is the event and the event censors. Patients whose event falls on a censoring time
    are taken out of the risk set before it: they failed first. Weights 1 / G make those
    who stayed under observation stand for those who left; they mislead where leaving depends on
    the risk, and explode where few are left, so hold horizons below the last such time.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up in months.
    event : array-like of shape (n,)
        1 where the event was seen, 0 where censored.

    Returns
    -------
    CensoringCurve

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.

    References
    ----------
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    >>> curve = censoring_curve([1, 2, 3, 4], [1, 0, 1, 0])
    >>> curve.at([1, 2, 3.5]).round(3).tolist(), curve.before(2).tolist()
    ([1.0, 0.667, 0.667], 1.0)
    """
    times, events = check_survival(time, event, need_events=False)
    distinct = np.unique(times[~events])
    left = np.bincount(np.searchsorted(distinct, times[~events]), minlength=distinct.size)
    ordered = np.sort(times)
    failed = np.sort(times[events])
    at_risk = times.size - np.searchsorted(ordered, distinct, side="left")
    failing = np.searchsorted(failed, distinct, "right") - np.searchsorted(failed, distinct, "left")
    return CensoringCurve(distinct, np.cumprod(1 - left / (at_risk - failing)))
