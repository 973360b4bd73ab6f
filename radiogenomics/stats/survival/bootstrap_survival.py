"""Bootstraps of survival discrimination, all replicates at once; see `stats.bootstrap`.

Copies of one patient have one time and one event, so are never comparable with each other, as a
loop over resampled rows finds too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_survival
from radiogenomics.stats.resampled_pairs import (
    Kind,
    beats,
    blocks,
    check_counts,
    check_score_rows,
    chunks,
    exact_type,
    from_on,
    ratio,
    sum_products,
)
from radiogenomics.stats.survival.concordance import comparable_order

# Patients who fail first are compared in runs this long, as the later ones face fewer others.
_RUN = 64
# Replicates x patients at once, so that the curves of censoring stay in cache.
_DRAWS_IN_CACHE = 2**17


def bootstrap_concordance(
    risks: ArrayLike, time: ArrayLike, event: ArrayLike, *, counts: ArrayLike
) -> Floats:
    """Harrell's C on every resample.

    C_b = sum_ij W_bi s_ij W_bj / sum_ij W_bi c_ij W_bj with the comparable pairs c and their
    scores s of `concordance`, exactly as a loop over resampled rows gives it.

    Parameters
    ----------
    risks : array-like of shape (n,) or (risks, n)
        Higher is worse; finite.
    time, event : array-like of shape (n,)
        Months; 1 where the event was seen.
    counts : array-like of int, shape (replicates, n)
        From `bootstrap_counts`; a row of ones gives the value on the cohort itself.

    Returns
    -------
    ndarray of shape (replicates,) or (replicates, risks)
        NaN where a resample has no comparable pair.

    Raises
    ------
    OutcomeError, DataError
        If no pair of the cohort is comparable, or an input cannot be analysed.

    References
    ----------
    Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.

    Examples
    --------
    >>> draws = [[1, 1, 1, 1], [2, 0, 2, 0]]
    >>> found = bootstrap_concordance([4, 3, 1, 2], [1, 2, 3, 4], [1, 1, 1, 0], counts=draws)
    >>> found.round(3).tolist()
    [0.833, 1.0]
    """
    times, events = check_survival(time, event)
    n = times.size
    rows, drawn = check_score_rows(risks, n, what="risk"), check_counts(counts, n)
    order, start = comparable_order(times, events)
    failed = np.flatnonzero(start < n)
    if failed.size == 0:
        raise OutcomeError(
            f"expected a comparable pair among {n} patients; found none; it takes an event that "
            "somebody outlived."
        )
    rows, kind = rows[:, order], exact_type(drawn)
    values = np.empty((drawn.shape[0], rows.shape[0]))
    for part in chunks(drawn.shape[0], n):
        weights = drawn[part][:, order].astype(kind)
        pairs = sum_products(from_on(weights)[:, start[failed]], weights[:, failed])
        for column, risk in enumerate(rows):
            values[part, column] = ratio(_won_pairs(risk, weights, start, kind=kind), pairs)
    return values if np.ndim(risks) == 2 else values[:, 0]


def bootstrap_time_dependent_auc(
    risks: ArrayLike, time: ArrayLike, event: ArrayLike, *, times: ArrayLike, counts: ArrayLike
) -> Floats:
    """Cumulative/dynamic AUC at given horizons on every resample, its censoring curve learnt anew.

    At horizon t, with cases i (event by t) and controls j (followed beyond t),
    AUC_b(t) = sum_ij W_bi w_bi s_ij W_bj / (sum_i W_bi w_bi sum_j W_bj), where s_ij is 1, 1/2 or 0
    as the case has the higher, equal or lower risk and w_bi = 1 / G_b(T_i-), G_b being the
    Kaplan-Meier curve of the censoring times of resample b, in which events precede censorings of
    the same time: the definition of `cumulative_dynamic_auc`. scikit-survival reads G_b after the
    censorings of the same time and so differs where events and censorings are tied.

    Misleads where censoring depends on risk; at late horizons few controls decide.

    Parameters
    ----------
    risks : array-like of shape (n,) or (risks, n)
        Higher is worse; finite.
    time, event, counts : array-like
        As in `bootstrap_concordance`.
    times : array-like of shape (times,)
        Horizons in months, rising.

    Returns
    -------
    ndarray of shape (replicates, times) or (replicates, risks, times)
        NaN where a resample has no case or no control at a horizon.

    Raises
    ------
    OutcomeError, DataError
        If a horizon has no case or no control in the cohort, or an input cannot be analysed.

    References
    ----------
    Uno et al. 2007, Journal of the American Statistical Association 102:527.

    Examples
    --------
    >>> found = bootstrap_time_dependent_auc([5, 2, 3, 1, 4], [1, 2, 3, 4, 5], [1, 0, 1, 1, 0],
    ...                                      times=[1.5, 3.5], counts=[[1, 1, 1, 1, 1]])
    >>> found.round(3).tolist()
    [[1.0, 0.714]]
    """
    follow_up, events = check_survival(time, event)
    rows = check_score_rows(risks, follow_up.size, what="risk")
    drawn = check_counts(counts, follow_up.size)
    horizons = _check_horizons(times, follow_up, events)
    order = np.lexsort((~events, follow_up))
    plan = _plan(follow_up[order], events[order], horizons)
    rows, kind = rows[:, order], exact_type(drawn)
    areas = np.empty((drawn.shape[0], rows.shape[0], horizons.size))
    for part in chunks(*drawn.shape, at_once=_DRAWS_IN_CACHE):
        weights = drawn[part][:, order].astype(float)
        cases, pairs = _weigh_cases(weights, plan)
        weights = weights.astype(kind)
        for column, risk in enumerate(rows):
            won = _won_cases(risk, weights, cases, plan=plan, kind=kind)
            areas[part, column] = ratio(won, pairs)
    return areas if np.ndim(risks) == 2 else areas[:, 0]


@dataclass(frozen=True, eq=False)
class _Plan:
    """Who is compared with whom, as places in order of time, events before censorings.

    Attributes
    ----------
    case : ndarray of shape (cases,)
        Those who fail by the last horizon.
    until : ndarray of shape (times,)
        How many of them by each horizon.
    beyond : ndarray of shape (times,)
        From where on patients are controls.
    leaving, staying : ndarray of shape (steps,)
        From where on patients are at risk at each censoring time, and after it.
    passed : ndarray of shape (cases,)
        Censoring times before the time of each case.
    """

    case: NDArray[np.intp]
    until: NDArray[np.intp]
    beyond: NDArray[np.intp]
    leaving: NDArray[np.intp]
    staying: NDArray[np.intp]
    passed: NDArray[np.intp]


def _won_pairs(
    risk: Floats, weights: NDArray[Any], start: NDArray[np.intp], *, kind: Kind
) -> Floats:
    """Pairs drawn and won, ties one half, in order of time; start as in `comparable_order`."""
    n = risk.size
    won = np.zeros(len(weights))
    for i in blocks(np.flatnonzero(start < n), n, most=_RUN):
        outlived = int(start[i[0]])
        score = beats(risk[i], risk[outlived:], kind)
        score *= np.arange(outlived, n) >= start[i, None]
        won += sum_products(weights[:, outlived:] @ score.T, weights[:, i])
    return won


def _plan(time: Floats, event: Bools, horizons: Floats) -> _Plan:
    case = np.flatnonzero(event & (time <= horizons[-1]))
    steps, censored = np.unique(time[~event & (time <= horizons[-1])], return_counts=True)
    staying = np.searchsorted(time, steps, side="right")
    return _Plan(
        case=case,
        until=np.searchsorted(time[case], horizons, side="right"),
        beyond=np.searchsorted(time, horizons, side="right"),
        leaving=staying - censored,
        staying=staying,
        passed=np.searchsorted(steps, time[case], side="left"),
    )


def _weigh_cases(weights: Floats, plan: _Plan) -> tuple[Floats, Floats]:
    """Draws of each case over G at its time, and the weight of all pairs at each horizon."""
    drawn = from_on(weights)
    curve = np.ones((len(weights), plan.leaving.size + 1))
    at_risk = drawn[:, plan.leaving]
    np.divide(drawn[:, plan.staying], at_risk, out=curve[:, 1:], where=at_risk > 0)
    followed = np.cumprod(curve, axis=1, out=curve)[:, plan.passed]
    # G is 0 only where nobody drawn is followed any longer, so that there is no control either.
    cases = np.divide(
        weights[:, plan.case], followed, out=np.zeros(followed.shape), where=followed > 0
    )
    return cases, np.cumsum(cases, axis=1)[:, plan.until - 1] * drawn[:, plan.beyond]


def _won_cases(
    risk: Floats, weights: NDArray[Any], cases: Floats, *, plan: _Plan, kind: Kind
) -> Floats:
    """Weight of the pairs won at each horizon; every case meets every control once."""
    won = np.empty((len(weights), plan.until.size))
    below = np.zeros(cases.shape, dtype=kind)
    end = risk.size
    for k in reversed(range(plan.until.size)):
        begin, count = int(plan.beyond[k]), int(plan.until[k])
        for i in blocks(np.arange(count), end - begin):
            score = beats(risk[plan.case[i]], risk[begin:end], kind)
            below[:, i[0] : i[-1] + 1] += weights[:, begin:end] @ score.T
        won[:, k] = sum_products(below[:, :count], cases[:, :count])
        end = begin
    return won


def _check_horizons(times: ArrayLike, follow_up: Floats, event: Bools) -> Floats:
    horizons = np.atleast_1d(as_floats(times, "horizons"))
    if horizons.ndim != 1 or horizons.size == 0 or not (np.diff(horizons) > 0).all():
        raise DataError(
            f"expected horizons as rising numbers of months; found shape {horizons.shape}; sort "
            "them and drop repeats."
        )
    first, last = follow_up[event].min(), follow_up.max()
    bad = ~((horizons >= first) & (horizons < last))
    if bad.any():
        raise OutcomeError(
            f"expected horizons from the first event ({first:g}) to before the end of follow-up "
            f"({last:g}); found {horizons[bad][0]:g}; choose others."
        )
    return horizons
