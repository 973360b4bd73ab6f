"""Restricted mean survival time: the mean time lived without the event up to a horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.stats.inputs import check_groups, check_level, check_survival
from radiogenomics.stats.survival.kaplan_meier import SurvivalCurve, kaplan_meier


@dataclass(frozen=True)
class RestrictedMean:
    """Restricted mean survival time of one group.

    Attributes
    ----------
    value : float
        Months, from 0 to `tau`.
    se : float
    low, high : float
        Wald bounds, kept within 0 and `tau`.
    tau : float
        Horizon, in months.
    n, events : int
        Patients, and events up to `tau`.
    """

    value: float
    se: float
    low: float
    high: float
    tau: float
    n: int
    events: int


class Contrast(NamedTuple):
    """A difference or ratio of two groups.

    Attributes
    ----------
    value, low, high : float
    p : float
        Two-sided, of no difference.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class RestrictedMeanComparison:
    """Two restricted mean survival times side by side.

    Attributes
    ----------
    tau : float
        The horizon both share, in months.
    groups : tuple of (first, second)
        As they were named.
    first, second : RestrictedMean
    difference : Contrast
        First minus second, in months.
    ratio : Contrast
        First over second.
    """

    tau: float
    groups: tuple[Any, Any]
    first: RestrictedMean
    second: RestrictedMean
    difference: Contrast
    ratio: Contrast


def restricted_mean(
    time: ArrayLike, event: ArrayLike, *, tau: float | None = None, level: float = 0.95
) -> RestrictedMean:
    """Estimate the mean of min(T, tau): the area under the Kaplan-Meier curve up to tau.

    The variance is the sum over event times t <= tau of A(t)^2 d / (n (n - d)), with d events among
    n at risk and A(t) the area from t to tau (Greenwood). Needs no proportional hazards. Says
    nothing of what follows tau, and near the end of follow-up rests on few.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    tau : float, optional
        Horizon in months; by default the last time of follow-up. Beyond it only if the last patient
        had the event, so that the curve has come down to 0.
    level : float

    Returns
    -------
    RestrictedMean
        Without events up to tau, the value is tau and the error 0, which says only that none was
        seen.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If tau is not positive or lies where survival is unknown.

    References
    ----------
    Irwin 1949, J. Hyg. 47, 188-189; Royston & Parmar 2013, doi:10.1186/1471-2288-13-152.

    Examples
    --------
    >>> found = restricted_mean([2, 4, 4, 7, 9], [1, 1, 0, 1, 0], tau=8)
    >>> round(found.value, 3), round(found.se, 3)
    (5.7, 1.047)
    """
    curve = kaplan_meier(time, event, level=level)
    last = float(curve.time[-1])
    return _area(curve, _check_tau(last if tau is None else tau, [curve]), level=level)


def compare_restricted_means(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    first: Any = None,
    tau: float | None = None,
    level: float = 0.95,
) -> RestrictedMeanComparison:
    """Compare the restricted mean survival times of two groups.

    The difference is tested by z = difference / sqrt(se1^2 + se2^2); the ratio on its logarithm
    with variance (se1 / value1)^2 + (se2 / value2)^2. Fix tau before looking at the curves: a tau
    chosen by the largest difference makes p too small.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        As in `restricted_mean`.
    group : array-like of shape (n,)
        Two distinct values.
    first : optional
        The group that stands first in difference and ratio; by default the larger of the two
        (True, 1, the last in the alphabet).
    tau : float, optional
        Horizon in months; by default the smaller of the groups' last times, the largest at which
        both curves are always known. The result states it.
    level : float

    Returns
    -------
    RestrictedMeanComparison

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, or no event before tau gives a variance.
    DataError
        If there are not two groups, `first` is none of them, or tau lies where a curve is unknown.

    References
    ----------
    Royston & Parmar 2013, doi:10.1186/1471-2288-13-152; Uno et al. 2014,
    doi:10.1200/JCO.2014.55.2208.

    Examples
    --------
    >>> found = compare_restricted_means([2, 4, 5, 7, 3, 6, 8, 9], [1, 1, 0, 1, 1, 0, 1, 0],
    ...                                  list("aaaabbbb"))
    >>> found.tau, round(found.difference.value, 3)
    (7.0, 1.0)
    """
    times, events = check_survival(time, event)
    members = check_groups(group, times.size, what="group")
    names = _two(members, first)
    curves = [kaplan_meier(times[members == name], events[members == name]) for name in names]
    shared = min(float(curve.time[-1]) for curve in curves)
    horizon = _check_tau(shared if tau is None else tau, curves)
    one, two = (_area(curve, horizon, level=level) for curve in curves)
    return _compared(names, (one, two), level=level)


def _compared(
    names: tuple[Any, Any], means: tuple[RestrictedMean, RestrictedMean], *, level: float
) -> RestrictedMeanComparison:
    one, two = means
    error = float(np.hypot(one.se, two.se))
    if error == 0 or min(one.value, two.value) == 0:
        raise OutcomeError(
            f"expected some, not all, patients with an event before tau = {one.tau:g} months in at "
            f"least one group; found {one.events} of {one.n} and {two.events} of {two.n}; choose a "
            "later horizon or a longer follow-up."
        )
    difference = _contrast(one.value - two.value, error, level=level)
    relative = float(np.hypot(one.se / one.value, two.se / two.value))
    logarithm = _contrast(np.log(one.value / two.value), relative, level=level)
    bounds = (float(np.exp(bound)) for bound in logarithm[:3])
    ratio = Contrast(*bounds, p=logarithm.p)
    return RestrictedMeanComparison(one.tau, names, one, two, difference, ratio)


def _area(curve: SurvivalCurve, tau: float, *, level: float) -> RestrictedMean:
    inside = curve.time < tau
    edges = np.concatenate([[0.0], curve.time[inside], [tau]])
    height = np.concatenate([[1.0], curve.survival[inside]])
    pieces = height * np.diff(edges)
    # Area from each time to tau; the first piece lies before all of them.
    beyond = np.cumsum(pieces[:0:-1])[::-1]
    died, at_risk = curve.events[inside], curve.at_risk[inside]
    # Where all at risk die the area beyond is 0, and so is the term.
    left = np.maximum(at_risk - died, 1)
    se = float(np.sqrt((beyond**2 * died / (at_risk * left)).sum()))
    value = float(pieces.sum())
    half = float(ndtri(0.5 + check_level(level) / 2)) * se
    return RestrictedMean(
        value,
        se,
        max(value - half, 0.0),
        min(value + half, tau),
        tau,
        n=int(curve.at_risk[0]),
        events=int(curve.events[curve.time <= tau].sum()),
    )


def _contrast(value: float, se: float, *, level: float) -> Contrast:
    half = float(ndtri(0.5 + check_level(level) / 2)) * se
    p = float(2 * ndtr(-abs(value) / se))
    return Contrast(float(value), float(value - half), float(value + half), p)


def _check_tau(tau: float, curves: list[SurvivalCurve]) -> float:
    known = min(np.inf if curve.survival[-1] == 0 else float(curve.time[-1]) for curve in curves)
    if not (np.isfinite(tau) and 0 < tau <= known):
        raise DataError(
            f"expected a horizon tau above 0 and up to {known:g} months, where survival is still "
            f"known; found {tau!r}; choose an earlier one, or leave patients without follow-up out."
        )
    return float(tau)


def _two(members: Any, first: Any) -> tuple[Any, Any]:
    names = np.unique(members).tolist()
    if len(names) != 2:
        raise DataError(
            f"expected two groups; found {len(names)} ({short_list(names)}); compare two at a time."
        )
    if first is None:
        return names[1], names[0]
    if first not in names:
        raise DataError(
            f"expected first to be one of the groups {names}; found {first!r}; name one of them."
        )
    return (names[0], names[1]) if first == names[0] else (names[1], names[0])
