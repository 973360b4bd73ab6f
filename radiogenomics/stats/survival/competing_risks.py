"""Cumulative incidence with competing risks.

Where a patient can fail of one of several causes, one minus Kaplan-Meier with the other causes
censored is not the share who fail of a cause: it answers for a world without the others, and is too
high in this one. The Aalen-Johansen estimate of the cumulative incidence is
F_k(t) = sum over u <= t of S(u-) d_k(u) / Y(u), with d_k failures of cause k among Y at risk and S
the Kaplan-Meier curve of failure of any cause; over the causes, F_k and S add up to 1. Bounds are
set on log(-log F), where they stay between 0 and 1.

Two variances are in use, equal in large samples. "influence" is the sum over patients of the
squared effect on F of a patient's weight (the infinitesimal jackknife; R's survfit for several
states). "counting" sums the variances of the counts at each time, with d tied failures drawn
without replacement, factor (Y - d) / (Y - 1) (R's cmprsk).

Causes are coded in whole numbers: 0 for censored, 1, 2, ... for what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.stats.inputs import Floats, as_floats, check_level, check_survival

Codes = NDArray[np.intp]

# A sum of rounded fractions this close to 1 is 1.
_ALL = 1 - 1e-12


@dataclass(frozen=True)
class CumulativeIncidence:
    """Aalen-Johansen estimate of the cumulative incidence of each cause.

    Attributes
    ----------
    causes : ndarray of int, shape (k,)
        Codes of the causes seen, rising; rows below follow their order.
    time : ndarray of shape (times,)
        Distinct times of follow-up, rising.
    incidence : ndarray of shape (k, times)
        Share that failed of each cause up to and including each time.
    se : ndarray of shape (k, times)
        Standard error of `incidence`.
    low, high : ndarray of shape (k, times)
        Pointwise bounds: 0 before the first failure of the cause, NaN where `incidence` is 1.
    survival : ndarray of shape (times,)
        Share that failed of no cause.
    at_risk : ndarray of int, shape (times,)
    events : ndarray of int, shape (k, times)
    """

    causes: Codes
    time: Floats
    incidence: Floats
    se: Floats
    low: Floats
    high: Floats
    survival: Floats
    at_risk: Codes
    events: Codes

    def at(self, times: ArrayLike, *, cause: int = 1) -> Floats:
        """Cumulative incidence of one cause at the times asked for.

        Parameters
        ----------
        times : array-like of shape (m,)
            Months, 0 or more.
        cause : int

        Returns
        -------
        ndarray of shape (m,)

        Raises
        ------
        OutcomeError
            If nobody failed of this cause.
        DataError
            If a time lies beyond follow-up while somebody could still fail.
        """
        asked = np.atleast_1d(as_floats(times, "times"))
        last = self.time[-1] if self.survival[-1] > 0 else np.inf
        outside = ~((asked >= 0) & (asked <= last))
        if outside.any():
            raise DataError(
                f"expected times from 0 to {last:g}, the longest follow-up; found "
                f"{asked[outside][0]:g}; choose earlier times."
            )
        row = np.flatnonzero(self.causes == require_cause(self.causes, cause))[0]
        steps = np.append(0.0, self.incidence[row])
        return steps[np.searchsorted(self.time, asked, side="right")]


def check_causes(time: ArrayLike, cause: ArrayLike) -> tuple[Floats, Codes]:
    """Return times and coded causes that can be analysed, or say what is wrong with them.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up in months; finite and not negative.
    cause : array-like of shape (n,)
        0 where follow-up was censored, 1, 2, ... for what happened.

    Returns
    -------
    time : ndarray of float, shape (n,)
    cause : ndarray of int, shape (n,)

    Raises
    ------
    OutcomeError
        If a cause is not a whole number of 0 or more, all are censored, or times do not fit.

    Examples
    --------
    >>> check_causes([3, 5, 6], [1, 0, 2])
    (array([3., 5., 6.]), array([1, 0, 2]))
    """
    codes = as_floats(cause, "causes")
    whole = np.isfinite(codes) & (codes >= 0) & (codes == np.round(codes))
    if not whole.all():
        raise OutcomeError(
            "expected causes coded 0 (censored), 1, 2, ... in whole numbers; found "
            f"{int((~whole).sum())} others, the first {codes[~whole].flat[0]!s}; "
            "recode the cause column."
        )
    times, failed = check_survival(time, codes > 0, need_events=False)
    if not failed.any():
        raise OutcomeError(
            f"expected somebody who failed; found all {times.size} patients censored; check how "
            "the causes are coded (0 is censored)."
        )
    return times, codes.astype(np.intp)


def require_cause(cause: ArrayLike, interest: int) -> int:
    """Return the cause of interest, or raise an OutcomeError where nobody failed of it.

    Examples
    --------
    >>> require_cause([0, 1, 2, 1], 2)
    2
    """
    found = np.unique(np.asarray(cause))
    known = found[found > 0].tolist()
    if interest not in known:
        raise OutcomeError(
            f"expected somebody who failed of cause {interest!r}; found only causes "
            f"{short_list(known)}; choose one of these, or check how the causes are coded."
        )
    return int(interest)


def cumulative_incidence(
    time: ArrayLike, cause: ArrayLike, *, level: float = 0.95, variance: str = "influence"
) -> CumulativeIncidence:
    """Estimate the cumulative incidence of each cause.

    Formulas: top of this module. Assumes that those censored do as well afterwards as those still
    followed; the tail rests on few.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up in months.
    cause : array-like of shape (n,)
        0 where censored, 1, 2, ... for what happened.
    level : float
        Of the pointwise bounds.
    variance : {"influence", "counting"}

    Returns
    -------
    CumulativeIncidence

    Raises
    ------
    OutcomeError
        If time or cause cannot be analysed.
    DataError
        If `variance` is unknown.

    References
    ----------
    Aalen & Johansen 1978, Scand J Stat 5:141; Gray 1988, doi:10.1214/aos/1176350951.

    Examples
    --------
    >>> curve = cumulative_incidence([1, 2, 3, 4, 5], [1, 2, 1, 0, 2])
    >>> curve.at([3, 5]).round(2).tolist(), curve.at([5], cause=2).round(2).tolist()
    ([0.4, 0.4], [0.6])
    """
    times, codes = check_causes(time, cause)
    z = float(ndtri(0.5 + check_level(level) / 2))
    if variance not in ("influence", "counting"):
        raise DataError(
            f"expected variance='influence' or 'counting'; found {variance!r}; choose one."
        )
    return _curves(_counts(times, codes), z=z, influence=variance == "influence")


def _curves(counts: _Counts, *, z: float, influence: bool) -> CumulativeIncidence:
    spread = _influence_variance if influence else _counting_variance
    rows = range(counts.causes.size)
    incidence = np.array([counts.incidence(row) for row in rows])
    se = np.sqrt(np.maximum([spread(counts, row) for row in rows], 0.0))
    low, high = _bounds(incidence, se, z=z)
    survival = counts.before * (1 - counts.hazard)
    return CumulativeIncidence(
        counts.causes,
        counts.time,
        incidence,
        se,
        low,
        high,
        survival,
        counts.at_risk,
        counts.events,
    )


def _bounds(incidence: Floats, se: Floats, *, z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(-np.log(incidence))
        half = z * se / np.abs(incidence * np.log(incidence))
        low, high = np.exp(-np.exp(centre + half)), np.exp(-np.exp(centre - half))
    for bound in (low, high):
        bound[incidence == 0] = 0.0
        bound[incidence > _ALL] = np.nan
    return low, high


class _Counts(NamedTuple):
    """Who was at risk and who failed at each distinct time."""

    causes: Codes
    time: Floats
    at_risk: Codes
    leaving: Codes
    events: Codes
    before: Floats
    hazard: Floats

    def incidence(self, row: int) -> Floats:
        """Cumulative incidence of one cause."""
        return np.cumsum(self.before * self.events[row] / self.at_risk)


def _counts(times: Floats, codes: Codes) -> _Counts:
    moments, place, leaving = np.unique(times, return_inverse=True, return_counts=True)
    causes = np.unique(codes[codes > 0])
    events = np.array([np.bincount(place[codes == c], minlength=moments.size) for c in causes])
    at_risk = np.cumsum(leaving[::-1])[::-1]
    hazard = events.sum(axis=0) / at_risk
    before = np.append(1.0, np.cumprod(1 - hazard)[:-1])
    return _Counts(causes, moments, at_risk, leaving, events, before, hazard)


def _influence_variance(counts: _Counts, row: int) -> Floats:
    """Sum over patients of the squared derivative of F(t) by the weight of the patient.

    The derivative is alpha - F(t) beta. For those still followed both are the drift, the toll of
    having been at risk; for those who left they are the drift until then and a jump for a failure.
    """
    own, at_risk = counts.events[row], counts.at_risk
    incidence = counts.incidence(row)
    failing = counts.events.sum(axis=0)
    stay = at_risk - failing
    # Where nobody stays, nothing follows that a weight could change.
    share = np.divide(1.0, stay, out=np.zeros(stay.size), where=stay > 0)
    jump = counts.before / at_risk
    beta_drift = -np.cumsum(counts.hazard * share)
    alpha_drift = -np.cumsum(jump * own / at_risk + incidence * counts.hazard * share)
    square = np.zeros(incidence.size)
    for number, alpha_jump, beta_jump in (
        (own, jump + incidence * share, share),
        (failing - own, incidence * share, share),
        (counts.leaving - failing, 0.0, 0.0),
    ):
        alpha, beta = alpha_drift + alpha_jump, beta_drift + beta_jump
        square += np.cumsum(number * alpha**2)
        square -= 2 * incidence * np.cumsum(number * alpha * beta)
        square += incidence**2 * np.cumsum(number * beta**2)
    followed = at_risk - counts.leaving
    square += followed * (alpha_drift - incidence * beta_drift) ** 2
    return square


def _counting_variance(counts: _Counts, row: int) -> Floats:
    """Sum over failure times u <= t of the variance of the counts times their squared effect.

    A failure of the cause adds S(u-) / Y (1 - g), one of another takes S(u-) / Y g away, where
    g = (F(t) - F(u)) / S(u) is the share of those who stay that fail of the cause until t.
    """
    own, at_risk = counts.events[row], counts.at_risk
    incidence = counts.incidence(row)
    others = counts.events.sum(axis=0) - own
    after = counts.before * (1 - counts.hazard)
    inverse = np.divide(1.0, after, out=np.zeros(after.size), where=at_risk > own + others)
    scale = (counts.before / at_risk) ** 2
    square = np.zeros(incidence.size)
    for number, constant in ((own, 1 + incidence * inverse), (others, incidence * inverse)):
        weight = scale * number * without_replacement(number, at_risk)
        square += np.cumsum(weight * constant**2)
        square -= 2 * incidence * np.cumsum(weight * constant * inverse)
        square += incidence**2 * np.cumsum(weight * inverse**2)
    return square


def without_replacement(number: Floats | Codes, at_risk: Floats | Codes) -> Floats:
    """Variance of tied failures drawn from those at risk, relative to independent ones.

    (Y - d) / (Y - 1) for d failures among Y at risk, broadcast together; 1 for a single one.

    Examples
    --------
    >>> without_replacement(np.array([1, 2, 3]), np.array([3, 3, 3])).tolist()
    [1.0, 0.5, 0.0]
    """
    return np.where(number > 1, 1 - (number - 1) / np.maximum(at_risk - 1, 1e-300), 1.0)
