"""Cumulative/dynamic AUC by Bayes' theorem and survival curves within levels of the risk.

Sensitivity at a cutoff c is (1 - S(t | X > c)) P(X > c) / (1 - S(t)) and specificity
S(t | X <= c) P(X <= c) / S(t). With Kaplan-Meier a curve is made in each group: simple, but
sensitivity and specificity may leave 0 to 1 or run the wrong way, and censoring must not depend on
the risk. With nearest neighbours S(t | X > c) P(X > c) is the mean over all patients of
1(X_i > c) S(t | X_i), each S(t | X_i) made of those whose share of lower or equal risks differs
from that of i by less than the span: monotone, and censoring may depend on the risk as long as
some of each neighbourhood are followed up to t; where none are, their curve stays flat and the area
leans towards 1/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_survival
from radiogenomics.stats.survival.time_grid import TimeGrid, grid_of

METHODS = ("nearest_neighbour", "kaplan_meier")


@dataclass(frozen=True)
class HeagertyAuc:
    """ROC curves at several times, with their areas.

    Attributes
    ----------
    grid : TimeGrid
        Times, cases, controls, and the times dropped with the reason.
    value : ndarray of shape (times,)
        Areas; 1/2 is chance.
    cutoffs : ndarray of shape (cutoffs,)
        Minus infinity and the distinct risks, rising.
    sensitivity, specificity : ndarray of shape (times, cutoffs)
        P(risk > cutoff | T <= t) and P(risk <= cutoff | T > t).
    method : str
    span : float or None
        Half-width of the neighbourhoods, as a share of the patients.
    """

    grid: TimeGrid
    value: Floats
    cutoffs: Floats
    sensitivity: Floats
    specificity: Floats
    method: str
    span: float | None


def heagerty_auc(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid | None = None,
    method: str = "nearest_neighbour",
    span: float | None = None,
) -> HeagertyAuc:
    """Estimate the cumulative/dynamic AUC without weights, at given or chosen times.

    Formulas, and when they mislead: top of this module. There is no standard error: bootstrap the
    patients. Time and memory grow as patients times event times.

    Parameters
    ----------
    risk : array-like of shape (n,)
        Higher is worse.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    times : array-like, TimeGrid or None
        Judged or chosen by `valid_times`.
    method : {"nearest_neighbour", "kaplan_meier"}
    span : float, optional
        Above 0 to 1; 0.25 n^(-1/5) where not given. Wide spans pull the area towards 1/2.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        If a risk is not finite or the span out of range; no time can be used; no such method.

    References
    ----------
    Heagerty et al. 2000, doi:10.1111/j.0006-341X.2000.00337.x.

    Examples
    --------
    >>> time, event = list(range(1, 13)), [1, 1, 0] * 4
    >>> risk = [9, 12, 3, 11, 8, 10, 2, 7, 5, 6, 4, 1]
    >>> heagerty_auc(risk, time, event, times=[7.5], method="kaplan_meier").value.round(3).tolist()
    [0.73]
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    months, events = check_survival(time, event)
    risks = _check_risk(risk, months.size)
    grid = grid_of(times, months, events)
    curves = _WindowCurves.of(risks, months, events)
    # Patients with a risk up to each cutoff, minus infinity first.
    upto = np.append(0, np.searchsorted(np.sort(risks), np.unique(risks), side="right"))
    if method == "kaplan_meier":
        used = None
        dead_above, alive_above = _kaplan_meier(curves, upto, grid.times)
    else:
        used = _check_span(0.25 * months.size**-0.2 if span is None else span)
        dead_above, alive_above = _nearest_neighbour(curves, upto, grid.times, span=used)
    width = alive_above[:, :-1] - alive_above[:, 1:]
    value = (width * (dead_above[:, :-1] + dead_above[:, 1:]) / 2).sum(axis=1)
    cutoffs = np.append(-np.inf, np.unique(risks))
    return HeagertyAuc(grid, value, cutoffs, dead_above, 1 - alive_above, method, used)


@dataclass(frozen=True)
class _WindowCurves:
    """Kaplan-Meier curves of patients whose risks are neighbours.

    Attributes
    ----------
    moments : ndarray of shape (events,)
        Distinct event times.
    at_risk, died : ndarray of shape (n + 1, events)
        At each of them, among the patients of the lowest 0 to n risks.
    """

    moments: Floats
    at_risk: NDArray[np.intp]
    died: NDArray[np.intp]

    @classmethod
    def of(cls, risk: Floats, time: Floats, event: Bools) -> _WindowCurves:
        """Count along the order of the risk."""
        order = np.argsort(risk, kind="stable")
        moments = np.unique(time[event])
        there = time[order, None] >= moments
        failing = (time[order, None] == moments) & event[order, None]
        first = ((1, 0), (0, 0))
        return cls(moments, *(np.pad(np.cumsum(a, axis=0), first) for a in (there, failing)))

    def survival(self, start: NDArray[np.intp], stop: NDArray[np.intp], times: Floats) -> Floats:
        """Survival beyond each time in each window [start, stop) of the order; (times, windows).

        A window without patients at risk keeps its last value, or 1.
        """
        at_risk = self.at_risk[stop] - self.at_risk[start]
        died = self.died[stop] - self.died[start]
        curve = np.cumprod(1 - died / np.maximum(at_risk, 1), axis=1)
        steps = np.pad(curve, ((0, 0), (1, 0)), constant_values=1.0)
        return steps[:, np.searchsorted(self.moments, times, side="right")].T


def _kaplan_meier(
    curves: _WindowCurves, upto: NDArray[np.intp], times: Floats
) -> tuple[Floats, Floats]:
    """Sensitivity and 1 - specificity above each cutoff, by a curve in each group."""
    n = upto[-1]
    none, everyone = np.zeros_like(upto), np.full_like(upto, n)
    whole = curves.survival(none[:1], everyone[:1], times)
    above = curves.survival(upto, everyone, times)
    below = curves.survival(none, upto, times)
    return (1 - above) * (1 - upto / n) / (1 - whole), 1 - below * (upto / n) / whole


def _nearest_neighbour(
    curves: _WindowCurves, upto: NDArray[np.intp], times: Floats, *, span: float
) -> tuple[Floats, Floats]:
    """Sensitivity and 1 - specificity above each cutoff, by curves of neighbours in risk."""
    n, ranks = upto[-1], upto[1:]
    # Patients of one risk share a window. In counts, so that the span itself is never within it.
    start = upto[np.searchsorted(ranks, ranks - span * n, side="right")]
    stop = upto[np.searchsorted(ranks, ranks + span * n, side="left")]
    alive = curves.survival(start, stop, times) * np.diff(upto) / n
    alive_above = np.cumsum(alive[:, ::-1], axis=1)[:, ::-1]
    alive_above = np.pad(alive_above, ((0, 0), (0, 1)))
    whole = alive_above[:, :1]
    return (1 - upto / n - alive_above) / (1 - whole), alive_above / whole


def _check_risk(risk: ArrayLike, n: int) -> Floats:
    risks = as_floats(risk, "risks")
    if risks.shape != (n,) or not np.isfinite(risks).all():
        raise DataError(
            f"expected one finite risk per patient ({n}); found shape {risks.shape} with "
            f"{int((~np.isfinite(risks)).sum())} that are not finite; align and complete them."
        )
    return risks


def _check_span(span: float) -> float:
    if not 0 < span <= 1:
        raise DataError(
            f"expected a span above 0 and up to 1; found {span!r}; it is a share of the patients."
        )
    return float(span)
