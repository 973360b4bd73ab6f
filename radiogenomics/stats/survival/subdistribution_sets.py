"""Risk sets of a subdistribution: who failed of another cause stays, with a falling weight.

At a time t of the cause of interest the risk set holds those followed up to t, with weight 1, and
those who failed of another cause at T before t, with weight G(t-) / G(T-); G is the Kaplan-Meier
curve of the censoring times. As the weight is a product, its sums are cumulative sums too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.competing_risks import Codes
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier


class WeightedSums(NamedTuple):
    """Weighted sums over the risk sets.

    Attributes
    ----------
    top : float
        Largest x'b.
    e : ndarray of shape (n,)
        exp(x'b - top) of each patient.
    s0, s1 : ndarray of shape (times,) and (times, p)
        Sums of e, and of e x.
    """

    top: float
    e: Floats
    s0: Floats
    s1: Floats


@dataclass(frozen=True)
class SubdistributionSets:
    """Patients in order of time, and the risk sets at the times of the cause of interest.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        Where each patient stood; all that follows is in order of time.
    stop : ndarray of shape (n,)
        Time of each patient, rising.
    event, competing, censored : ndarray of bool, shape (n,)
    inverse : ndarray of shape (n,)
        1 / G(T-) for those who failed of another cause, else 0.
    time, number, curve : ndarray of shape (times,)
        Distinct times of the cause of interest, failures at each, and G(t-).
    first : ndarray of int, shape (times,)
        Number of patients whose time is before each of these times.
    """

    order: Codes
    stop: Floats
    event: Bools
    competing: Bools
    censored: Bools
    inverse: Floats
    time: Floats
    number: Floats
    curve: Floats
    first: Codes

    @classmethod
    def of(cls, time: Floats, kind: Codes) -> SubdistributionSets:
        """Build them from times and kinds: 0 censored, 1 the cause of interest, 2 another.

        Examples
        --------
        >>> sets = SubdistributionSets.of(np.array([1.0, 2, 3, 4]), np.array([2, 0, 1, 1]))
        >>> sets.curve.round(3).tolist(), sets.over(np.ones(4)).round(3).tolist()
        ([0.667, 0.667], [2.667, 1.667])
        """
        order = np.argsort(time, kind="stable")
        stop, kind = time[order], kind[order]
        left = kaplan_meier(stop, kind == 0)
        steps = np.append(1.0, left.survival)
        moments, number = np.unique(stop[kind == 1], return_counts=True)
        before = steps[np.searchsorted(left.time, stop)]
        return cls(
            order=order,
            stop=stop,
            event=kind == 1,
            competing=kind == 2,
            censored=kind == 0,
            inverse=np.divide(1.0, before, out=np.zeros(stop.size), where=kind == 2),
            time=moments,
            number=number.astype(float),
            curve=steps[np.searchsorted(left.time, moments)],
            first=np.searchsorted(stop, moments),
        )

    def over(self, values: Floats) -> Floats:
        """Weighted sum of values, shape (n, ...), over each risk set, shape (times, ...)."""
        flat = values.reshape(len(values), -1)
        nothing = np.zeros((1, flat.shape[1]))
        followed = np.vstack([np.cumsum(flat[::-1], axis=0)[::-1], nothing])[self.first]
        failed = np.vstack([nothing, np.cumsum(self.inverse[:, None] * flat, axis=0)])[self.first]
        found = followed + self.curve[:, None] * failed
        return found.reshape(-1, *values.shape[1:])

    def sums(self, x: Floats, coef: Floats) -> WeightedSums:
        """Sums over the risk sets at coefficients; `x` in the order of time."""
        predictor = x @ coef
        top = float(predictor.max())
        e = np.exp(predictor - top)
        return WeightedSums(top, e, self.over(e), self.over(e[:, None] * x))
