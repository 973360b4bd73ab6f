"""ROC curves at a time from survival within levels of the risk, on many resamples at once.

The formulas are those of `heagerty_auc`. Patients stand in order of the risk, and a resample is how
often each was drawn: all that a Kaplan-Meier curve of neighbours needs are differences of sums
along that order, of those at risk and of those who fail at each event time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats

# Counts of patients are exact in single precision, and take half of the time.
Singles = NDArray[np.float32]
# Ranks closer than this to the end of a neighbourhood are at its end.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class WindowCurves:
    """Kaplan-Meier curves of patients whose risks are neighbours, on many resamples.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        Patients in order of the risk.
    upto : ndarray of int, shape (risks + 1,)
        Patients with a risk up to each cutoff, minus infinity first.
    there, failing : ndarray of shape (n, events)
        Whether each is at risk, and fails, at each distinct event time up to the last horizon.
    last : ndarray of int, shape (times,)
        Place of the last event time up to each horizon.
    """

    order: NDArray[np.intp]
    upto: NDArray[np.intp]
    there: Singles
    failing: Singles
    last: NDArray[np.intp]

    @classmethod
    def of(cls, risk: Floats, time: Floats, event: Bools, *, times: Floats) -> WindowCurves:
        """Line patients up along the order of the risk; no time is before the first event."""
        order = np.argsort(risk, kind="stable")
        upto = np.append(0, np.searchsorted(risk[order], np.unique(risk), side="right"))
        moments = np.unique(time[event & (time <= times[-1])])
        there = time[order, None] >= moments
        failing = (time[order, None] == moments) & event[order, None]
        last = np.searchsorted(moments, times, side="right") - 1
        return cls(order, upto, there.astype(np.float32), failing.astype(np.float32), last)

    def above(self, weights: Floats, *, span: float | None) -> tuple[Floats, Floats]:
        """Sensitivity and 1 - specificity above each cutoff; (replicates, times, cutoffs).

        Parameters
        ----------
        weights : ndarray of shape (replicates, n)
            How often each patient was drawn.
        span : float or None
            Half-width of neighbourhoods; None for a curve on either side of the cutoff.
        """
        ordered = weights[:, self.order].astype(np.float32)
        at_risk, died = self._cutoffs(ordered, self.there), self._cutoffs(ordered, self.failing)
        drawn = self._cutoffs(ordered, np.ones((len(self.order), 1), dtype=np.float32))
        upto = drawn[..., 0].T.astype(float)
        ends, which = np.unique(self.last, return_inverse=True)
        begins = np.append(0, ends[:-1] + 1)

        def survival(start: NDArray[np.intp], stop: NDArray[np.intp]) -> Floats:
            """Survival beyond each time in windows of cutoffs; flat once nobody is at risk."""
            left = np.maximum(_between(at_risk, start, stop), 1, dtype=float)
            steps = 1 - _between(died, start, stop) / left
            curve = np.cumprod(np.multiply.reduceat(steps, begins, axis=2), axis=2)
            return np.asarray(curve[:, :, which].swapaxes(1, 2))

        with np.errstate(divide="ignore", invalid="ignore"):
            if span is None:
                return _kaplan_meier(upto, survival)
            return _nearest_neighbour(upto, survival, span=span)

    def _cutoffs(self, weights: Singles, each: Singles) -> Singles:
        """Weighted sum along the order of the risk, up to cutoffs; (cutoffs, replicates, width)."""
        sums = np.zeros((len(each) + 1, len(weights), each.shape[1]), dtype=np.float32)
        np.multiply(weights.T[..., None], each[:, None], out=sums[1:])
        # Row by row, which is several times as fast as np.cumsum along the first axis.
        for before, row in pairwise(list(sums)):
            np.add(before, row, out=row)
        return sums if self.upto.size == len(sums) else sums[self.upto]


def _between(sums: Singles, start: NDArray[np.intp], stop: NDArray[np.intp]) -> Singles:
    """Sums of the windows [start, stop) of cutoffs, (replicates, windows, events)."""
    replicate = np.arange(len(start))[:, None]
    return np.asarray(sums[stop, replicate] - sums[start, replicate])


_Survival = Callable[[NDArray[np.intp], NDArray[np.intp]], Floats]


def _kaplan_meier(upto: Floats, survival: _Survival) -> tuple[Floats, Floats]:
    """Sensitivity and 1 - specificity above each cutoff, by a curve in each group."""
    share = (upto / upto[:, -1:])[:, None]
    cutoff = np.broadcast_to(np.arange(upto.shape[1]), upto.shape)
    none, everyone = np.zeros_like(cutoff), np.full_like(cutoff, upto.shape[1] - 1)
    whole = survival(none[:, :1], everyone[:, :1])
    above, below = survival(cutoff, everyone), survival(none, cutoff)
    return (1 - above) * (1 - share) / (1 - whole), 1 - below * share / whole


def _nearest_neighbour(upto: Floats, survival: _Survival, *, span: float) -> tuple[Floats, Floats]:
    """Sensitivity and 1 - specificity above each cutoff, by curves of neighbours in risk."""
    n, ranks = upto[:, -1:], upto[:, 1:]
    # Patients of one risk share a window. In counts, so that the span itself is never within it.
    reach = np.ceil(span * n - _ROUNDING)
    start, stop = _search(ranks, ranks - reach, "right"), _search(ranks, ranks + reach, "left")
    alive = survival(start, stop) * (np.diff(upto) / n)[:, None]
    alive_above = np.cumsum(alive[:, :, ::-1], axis=2)[:, :, ::-1]
    alive_above = np.pad(alive_above, ((0, 0), (0, 0), (0, 1)))
    whole = alive_above[:, :, :1]
    return (1 - (upto / n)[:, None] - alive_above) / (1 - whole), alive_above / whole


def _search(rows: Floats, values: Floats, side: Literal["left", "right"]) -> NDArray[np.intp]:
    """Search each row, whole numbers from 0 to its last, for the values beside it."""
    apart = 4 * (rows.max() + 1) * np.arange(len(rows))[:, None]
    places = np.searchsorted((rows + apart).ravel(), (values + apart).ravel(), side=side)
    return np.asarray(places.reshape(values.shape) - rows.shape[1] * np.arange(len(rows))[:, None])


def areas_under(dead_above: Floats, alive_above: Floats) -> Floats:
    """Area under each ROC curve, by trapezoids."""
    width = alive_above[..., :-1] - alive_above[..., 1:]
    return np.asarray((width * (dead_above[..., :-1] + dead_above[..., 1:]) / 2).sum(axis=-1))
