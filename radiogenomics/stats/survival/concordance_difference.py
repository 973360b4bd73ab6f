"""Tests of difference between two concordance indices, Harrell's or Uno's."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import AlignmentError, RadiogenomicsWarning
from radiogenomics.stats.inputs import check_level, check_risk, check_survival
from radiogenomics.stats.survival.concordance import Concordance
from radiogenomics.stats.survival.uno import (
    Influence,
    UnoConcordance,
    censoring_weights,
    harrell_influence,
    uno_influence,
)

# A standard error below this is rounding.
_NO_ERROR = 1e-10


class ConcordanceDifference(NamedTuple):
    """Comparison of two concordance indices.

    Attributes
    ----------
    difference : float
        First less second; positive speaks for the first.
    se : float
    z : float
        Difference over its standard error.
    p : float
        Two-sided.
    low, high : float
        Wald bounds of the difference.
    """

    difference: float
    se: float
    z: float
    p: float
    low: float
    high: float


def concordance_test(
    risk_a: ArrayLike,
    risk_b: ArrayLike,
    *,
    time: ArrayLike,
    event: ArrayLike,
    level: float = 0.95,
) -> ConcordanceDifference:
    """Compare Harrell's C of two risks of the same patients.

    Each patient's influence on the difference is the difference of its influences, so what the two
    risks share cancels: var = sum_k (a_k - b_k)^2 = var A + var B - 2 cov(A, B), the infinitesimal
    jackknife of R ``survival::concordance(fit_a, fit_b)``. z is referred to the normal
    distribution.

    Not valid for risks judged on the patients they were fitted to, least of all for nested models;
    and C hardly moves when a useful marker joins a good model, so a large p is no proof of its
    uselessness.

    Parameters
    ----------
    risk_a, risk_b : array-like of shape (n,)
        Higher is worse.
    time, event : array-like of shape (n,)
        Months; 1 where the event was seen.
    level : float

    Returns
    -------
    ConcordanceDifference
        p is 1 when the two rank all comparable pairs alike. z, p and bounds are NaN, with a
        warning, where they differ without variance or no pair is comparable.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If a risk is missing or they are not one per patient.

    References
    ----------
    Therneau & Watson 2015, The concordance statistic and the Cox model, Mayo Clinic report 85;
    Kang et al. 2015, Statistics in Medicine 34:685.

    Examples
    --------
    >>> found = concordance_test(
    ...     [5, 2, 3, 1, 4], [5, 4, 3, 2, 1], time=[1, 2, 3, 4, 5], event=[1, 1, 1, 1, 0]
    ... )
    >>> round(found.difference, 2), round(found.p, 3)
    (-0.4, 0.079)
    """
    times, events = check_survival(time, event)
    a, b = (
        harrell_influence(check_risk(risk, times.size), times, events) for risk in (risk_a, risk_b)
    )
    return _tested(a.value - b.value, _joint_error(a, b), level)


def uno_concordance_test(
    risk_a: ArrayLike,
    risk_b: ArrayLike,
    *,
    time: ArrayLike,
    event: ArrayLike,
    tau: float | None = None,
    level: float = 0.95,
    train_time: ArrayLike | None = None,
    train_event: ArrayLike | None = None,
    known_weights: bool = False,
) -> ConcordanceDifference:
    """Compare Uno's C of two risks of the same patients, up to one tau and with one set of weights.

    As `concordance_test`, with the influences of `uno_concordance`, among them those through the
    censoring curve unless its weights are taken as known, as R does.

    Parameters
    ----------
    risk_a, risk_b : array-like of shape (n,)
        Higher is worse.
    time, event, tau, level, train_time, train_event, known_weights
        As in `uno_concordance`.

    Returns
    -------
    ConcordanceDifference
        As in `concordance_test`.

    Raises
    ------
    OutcomeError, DataError
        As in `uno_concordance`.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154.

    Examples
    --------
    >>> found = uno_concordance_test(
    ...     [5, 2, 3, 1, 4], [5, 4, 3, 2, 1], time=[1, 2, 3, 4, 5], event=[1, 0, 1, 1, 0]
    ... )
    >>> round(found.difference, 2)
    -0.38
    """
    times, events = check_survival(time, event)
    weights = censoring_weights(
        times, events, tau=tau, train_time=train_time, train_event=train_event, known=known_weights
    )
    a, b = (
        uno_influence(check_risk(risk, times.size), times, events, weights=weights)
        for risk in (risk_a, risk_b)
    )
    return _tested(a.value - b.value, _joint_error(a, b), level)


def concordance_test_unpaired(
    a: Concordance, b: Concordance, *, level: float = 0.95
) -> ConcordanceDifference:
    """Compare concordance indices of two groups that have no patient in common.

    The difference over sqrt(se A^2 + se B^2), referred to the normal distribution. Two Harrell
    indices from cohorts that were censored differently differ even if the risk ranks equally well;
    two Uno indices should share their tau.

    Parameters
    ----------
    a, b : Concordance or UnoConcordance
        Both from `concordance` or both from `uno_concordance`.
    level : float

    Returns
    -------
    ConcordanceDifference
        As in `concordance_test`.

    Raises
    ------
    AlignmentError
        If the two are not of one kind.

    References
    ----------
    As in `concordance_test`.

    Examples
    --------
    >>> from radiogenomics.stats.survival.concordance import concordance
    >>> a = concordance([5, 2, 3, 1, 4], [1, 2, 3, 4, 5], [1, 1, 1, 1, 0])
    >>> b = concordance([5, 4, 2, 3, 1], [1, 2, 3, 4, 5], [1, 1, 1, 1, 0])
    >>> round(concordance_test_unpaired(a, b).difference, 2)
    -0.3
    """
    if type(a) is not type(b) or not isinstance(a, Concordance):
        raise AlignmentError(
            "expected two results of concordance or two of uno_concordance; found "
            f"{type(a).__name__} and {type(b).__name__}; use one index for both groups."
        )
    if isinstance(a, UnoConcordance) and isinstance(b, UnoConcordance) and a.tau != b.tau:
        warnings.warn(
            f"expected one tau for both groups; found {a.tau:g} and {b.tau:g}; give the smaller to "
            "uno_concordance for both, or part of the difference is of the horizons.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return _tested(a.value - b.value, float(np.hypot(a.se, b.se)), level)


def _joint_error(a: Influence, b: Influence) -> float:
    return float(np.sqrt(np.square(a.each - b.each).sum()))


def _tested(difference: float, se: float, level: float) -> ConcordanceDifference:
    reach = float(ndtri(0.5 + check_level(level) / 2))
    if se > _NO_ERROR:
        z = difference / se
        low, high = difference - reach * se, difference + reach * se
        return ConcordanceDifference(difference, se, z, float(2 * ndtr(-abs(z))), low, high)
    if abs(difference) < _NO_ERROR:
        return ConcordanceDifference(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    if np.isnan(difference):
        problem = "expected comparable pairs; found none; it takes an event that somebody outlived"
    else:
        problem = (
            f"expected indices that vary; found a difference of {difference:g} without error, as "
            "both risks are perfect, reversed or constant; permute the patients instead"
        )
    warnings.warn(f"{problem}. z, p and bounds are NaN.", RadiogenomicsWarning, stacklevel=3)
    return ConcordanceDifference(difference, se, np.nan, np.nan, np.nan, np.nan)
