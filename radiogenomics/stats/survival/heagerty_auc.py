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

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.bootstrap import BootstrapEstimate, bootstrap_counts, bootstrap_estimate
from radiogenomics.stats.inputs import Floats, as_floats, check_survival
from radiogenomics.stats.intervals import clopper_pearson
from radiogenomics.stats.resampled_pairs import check_counts, chunks
from radiogenomics.stats.survival.heagerty_curves import WindowCurves, areas_under
from radiogenomics.stats.survival.time_grid import TimeGrid, grid_of

METHODS = ("nearest_neighbour", "kaplan_meier")
INTERVALS = ("percentile", "jackknife")
# Values held at once by an array of replicates x risks x event times: they stay in cache.
_AT_ONCE = 2**18
# A standard error below this is rounding.
_NO_ERROR = 1e-10


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


@dataclass(frozen=True, eq=False)
class HeagertyInterval:
    """Areas at several times with standard errors and bounds.

    Attributes
    ----------
    grid : TimeGrid
        Times, cases, controls, and the times dropped with the reason.
    value, se, low, high : ndarray of shape (times,)
        Area, standard error and pointwise bounds; 1/2 is chance.
    interval : str
        "percentile" or "jackknife".
    replicates : int
        Resamples; the patients, for the jackknife.
    skipped : ndarray of int, shape (times,)
        Replicates left out, as they have no case or no control.
    """

    grid: TimeGrid
    value: Floats
    se: Floats
    low: Floats
    high: Floats
    interval: str
    replicates: int
    skipped: NDArray[np.intp]


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

    Formulas, and when they mislead: top of this module; intervals: `heagerty_auc_interval`. Time
    and memory grow as patients times event times.

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
    curves = WindowCurves.of(risks, months, events, times=grid.times)
    used = _span(method, span, months.size)
    dead_above, alive_above = (
        part[0] for part in curves.above(np.ones((1, months.size)), span=used)
    )
    value = areas_under(dead_above, alive_above)
    cutoffs = np.append(-np.inf, np.unique(risks))
    return HeagertyAuc(grid, value, cutoffs, dead_above, 1 - alive_above, method, used)


def bootstrap_heagerty_auc(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid,
    counts: ArrayLike,
    method: str = "nearest_neighbour",
    span: float | None = None,
) -> Floats:
    """Estimate the cumulative/dynamic AUC of `heagerty_auc` on every resample.

    Neighbourhoods and curves are made anew, exactly as a loop over resampled rows makes them.

    Parameters
    ----------
    risk, time, event, times, method, span
        As in `heagerty_auc`.
    counts : array-like of int, shape (replicates, n)
        From `bootstrap_counts`; a row of ones gives the value on the cohort itself.

    Returns
    -------
    ndarray of shape (replicates, times)
        NaN where a resample has no event up to it or nobody beyond it.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        As in `heagerty_auc`, or if counts are not whole numbers of 0 or more.

    References
    ----------
    As in `heagerty_auc`; Efron 1979, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> time, event = list(range(1, 13)), [1, 1, 0] * 4
    >>> risk = [9, 12, 3, 11, 8, 10, 2, 7, 5, 6, 4, 1]
    >>> counts = [[1] * 12, [2, 0] * 6]
    >>> bootstrap_heagerty_auc(risk, time, event, times=[7.5], counts=counts,
    ...                        method="kaplan_meier").round(3).tolist()
    [[0.73], [0.6]]
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    months, events = check_survival(time, event)
    risks, drawn = _check_risk(risk, months.size), check_counts(counts, months.size)
    grid = grid_of(times, months, events)
    curves = WindowCurves.of(risks, months, events, times=grid.times)
    used = _span(method, span, months.size)
    areas = np.full((len(drawn), grid.times.size), np.nan)
    for part in chunks(len(drawn), curves.there.size, at_once=_AT_ONCE):
        weights = drawn[part].astype(float)
        dead_above, alive_above = curves.above(weights, span=used)
        both = (weights @ (events[:, None] & (months[:, None] <= grid.times)) > 0) & (
            weights @ (months[:, None] > grid.times) > 0
        )
        areas[part] = np.where(both, areas_under(dead_above, alive_above), np.nan)
    return areas


def heagerty_auc_interval(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid | None = None,
    method: str = "nearest_neighbour",
    span: float | None = None,
    interval: str = "percentile",
    level: float = 0.95,
    n_replicates: int = 1000,
    rng: np.random.Generator | None = None,
) -> HeagertyInterval:
    """Estimate the AUC of `heagerty_auc` with an interval at each time.

    "percentile" takes quantiles over resampled patients; "jackknife" leaves out each in turn,
    se^2 = (n - 1) / n sum (AUC_-i - mean)^2, with Wald bounds of the logit and no random numbers.
    Neither covers the bias of a wide span, or of "kaplan_meier" where censoring follows the risk.

    Parameters
    ----------
    risk, time, event, times, method, span
        As in `heagerty_auc`.
    interval : {"percentile", "jackknife"}
    level : float
    n_replicates, rng : int, numpy.random.Generator
        Of the percentile interval.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        As in `heagerty_auc`, or if rng is lacking.

    References
    ----------
    As in `heagerty_auc`; Efron 1979, doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> risk = [9, 12, 3, 11, 8, 10, 2, 7, 5, 6, 4, 1]
    >>> found = heagerty_auc_interval(risk, list(range(1, 13)), [1, 1, 0] * 4, times=[7.5],
    ...                               method="kaplan_meier", interval="jackknife")
    >>> found.low.round(2).tolist(), found.high.round(2).tolist()
    ([0.26], [0.95])
    """
    found = heagerty_auc(risk, time, event, times=times, method=method, span=span)
    counts = _draws(interval, np.size(time), (n_replicates, rng))
    drawn = bootstrap_heagerty_auc(
        risk, time, event, times=found.grid, counts=counts, method=method, span=found.span
    )
    estimate = bootstrap_estimate(found.value, drawn, level=level)
    if interval == "jackknife":
        estimate = _jackknifed(estimate, level)
    # Bounds without width give way to those of as many pairs as the smaller side has patients.
    pairs = np.minimum(found.grid.n_cases, found.grid.n_controls)
    exact = clopper_pearson(np.clip(found.value, 0, 1) * pairs, pairs, level=level)
    low, high = np.where(estimate.se < _NO_ERROR, exact, (estimate.low, estimate.high))
    return HeagertyInterval(
        found.grid, found.value, estimate.se, low, high, interval, len(counts), estimate.skipped
    )


def _draws(
    interval: str, n: int, draws: tuple[int, np.random.Generator | None]
) -> NDArray[np.int32]:
    """How often each patient is in each replicate."""
    if interval not in INTERVALS:
        raise UnknownNameError("interval", interval, INTERVALS)
    if interval == "jackknife":
        return 1 - np.eye(n, dtype=np.int32)
    if draws[1] is None:
        raise DataError(
            "expected rng for a percentile interval; found none; pass "
            "numpy.random.default_rng(seed), or interval='jackknife'."
        )
    return bootstrap_counts(n, draws[0], draws[1])


def _jackknifed(estimate: BootstrapEstimate, level: float) -> BootstrapEstimate:
    """Error and bounds of an estimate whose replicates leave out one patient each."""
    # The standard deviation of n means of n - 1 patients, made that of the mean of n.
    left = estimate.replicates - estimate.skipped
    se = estimate.se * (left - 1) / np.sqrt(left)
    inside = np.clip(estimate.value, _NO_ERROR, 1 - _NO_ERROR)
    half = float(ndtri(0.5 + level / 2)) * se / (inside * (1 - inside))
    low, high = expit(logit(inside) - half), expit(logit(inside) + half)
    return replace(estimate, se=se, low=low, high=high)


def _check_risk(risk: ArrayLike, n: int) -> Floats:
    risks = as_floats(risk, "risks")
    if risks.shape != (n,) or not np.isfinite(risks).all():
        raise DataError(
            f"expected one finite risk per patient ({n}); found shape {risks.shape} with "
            f"{int((~np.isfinite(risks)).sum())} that are not finite; align and complete them."
        )
    return risks


def _span(method: str, span: float | None, n: int) -> float | None:
    """Half-width of the neighbourhoods, where there are any."""
    if method == "kaplan_meier":
        return None
    used = 0.25 * n**-0.2 if span is None else span
    if not 0 < used <= 1:
        raise DataError(
            f"expected a span above 0 and up to 1; found {used!r}; it is a share of the patients."
        )
    return float(used)
