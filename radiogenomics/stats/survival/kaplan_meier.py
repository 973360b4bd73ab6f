"""Kaplan-Meier survival curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from radiogenomics.stats.inputs import Floats, check_level, check_survival

# A curve this close to one half is at one half: it is a product of rounded fractions.
_HALF_TOLERANCE = 1.5e-8


class MedianSurvival(NamedTuple):
    """Median survival time and its interval, in the unit of time; NaN where not reached.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SurvivalCurve:
    """A Kaplan-Meier estimate.

    Attributes
    ----------
    time : ndarray of shape (times,)
        Distinct times of follow-up, rising.
    survival : ndarray of shape (times,)
        Share surviving beyond each time.
    low, high : ndarray of shape (times,)
        Pointwise bounds: 1 before the first event, NaN where survival is 0.
    at_risk, events : ndarray of int, shape (times,)
        Number followed up to just before each time, and events at it.
    """

    time: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.intp]
    events: NDArray[np.intp]

    @property
    def median(self) -> MedianSurvival:
        """First time survival is one half or less, with bounds where the band's edges cross it.

        A curve that runs flat at exactly one half gives the middle of that stretch.
        """
        return MedianSurvival(
            self._crossing(self.survival), self._crossing(self.low), self._crossing(self.high)
        )

    def at(self, times: ArrayLike) -> Floats:
        """Survival at the times asked for.

        Parameters
        ----------
        times : array-like of shape (m,)

        Returns
        -------
        ndarray of shape (m,)
            1 before the first time; NaN after the last unless the curve has come down to 0.
        """
        asked = np.asarray(times, dtype=float)
        steps = np.concatenate([[1.0], self.survival])
        found = steps[np.searchsorted(self.time, asked, side="right")]
        unknown = (asked > self.time[-1]) & (self.survival[-1] > 0) | np.isnan(asked)
        return np.where(unknown, np.nan, found)

    def number_at_risk(self, times: ArrayLike) -> NDArray[np.intp]:
        """Number of subjects followed up to just before the times asked for.

        Parameters
        ----------
        times : array-like of shape (m,)

        Returns
        -------
        ndarray of int, shape (m,)
        """
        remaining = np.append(self.at_risk, 0)
        return remaining[np.searchsorted(self.time, np.asarray(times, dtype=float), side="left")]

    def _crossing(self, curve: Floats) -> float:
        below = np.flatnonzero(curve < 0.5 + _HALF_TOLERANCE)
        if not below.size:
            return float("nan")
        first = below[0]
        if abs(curve[first] - 0.5) < _HALF_TOLERANCE:
            lower = below[curve[below] < curve[first]]
            if lower.size:
                return float(self.time[first] + self.time[lower[0]]) / 2
        return float(self.time[first])


def kaplan_meier(time: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> SurvivalCurve:
    """Estimate a survival curve.

    S(t) is the product over event times up to t of 1 - d / n, with d events among n at risk. The
    variance is Greenwood's, the bounds are set on log(-log S), where they stay between 0 and 1.
    Assumes that those censored do as well afterwards as those still followed; deaths of another
    cause censored make it the survival in a world without that cause. The tail rests on few.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up in months.
    event : array-like of shape (n,)
        1 where the event was seen, 0 where censored; a group without events gives a flat curve.
    level : float
        Of the pointwise bounds.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.

    References
    ----------
    Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452; Kalbfleisch & Prentice 2002,
    doi:10.1002/9781118032985 (log-log bounds).

    Examples
    --------
    >>> curve = kaplan_meier([2, 4, 4, 7, 9], [1, 1, 0, 1, 0])
    >>> curve.survival.round(2).tolist(), curve.median.value
    ([0.8, 0.6, 0.3, 0.3], 7.0)
    """
    times, flags = check_survival(time, event, need_events=False)
    z = ndtri(0.5 + check_level(level) / 2)
    moments, place, count = np.unique(times, return_inverse=True, return_counts=True)
    events = np.bincount(place[flags], minlength=moments.size)
    at_risk = np.cumsum(count[::-1])[::-1]
    survival = np.cumprod(1 - events / at_risk, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        # At S = 0 the sum is infinite and the bounds undefined, at S = 1 log S is 0.
        error = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events)))) / np.log(survival)
        centre = np.log(-np.log(survival))
        low = np.exp(-np.exp(centre - z * error))
        high = np.exp(-np.exp(centre + z * error))
    for bound in (low, high):
        bound[survival == 1] = 1.0
        bound[survival == 0] = np.nan
    return SurvivalCurve(moments, survival, low, high, at_risk, events)
