"""Fine-Gray regression: proportional hazards of the subdistribution of one cause.

The cumulative incidence of the cause of interest for patient i is
F(t) = 1 - exp(-H0(t) exp(x_i' b)), H0 unspecified. The coefficients b maximise a Cox partial
likelihood (Breslow for ties) in which patients who failed of another cause at T stay in the risk
set ever after, with weight G(t-) / G(T-): G is the Kaplan-Meier curve of the censoring times, so
that they leave as fast as others are censored. The risk set of G at a time holds the failures at
that time (as in R's cmprsk; `censoring_curve` leaves them out). G is marginal: it misleads where
censoring depends on the covariates.

A coefficient tells which way a covariate moves the share who fail of the cause, hence it serves
prediction; as it mixes the effects on all causes, it does not tell what the covariate does to the
cause itself. For that fit the cause-specific hazard: `fit_cox` with the other causes censored,
``fit_cox(x, time, cause == 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats, check_level
from radiogenomics.stats.survival.competing_risks import check_causes, require_cause
from radiogenomics.stats.survival.subdistribution_sets import SubdistributionSets, WeightedSums

_MAX_STEPS = 40
_STEP_TOLERANCE = 1e-9
_LEAST_INFORMATION = 1e-11
_INFORMATION_LEFT = 1e-10
_RUNS_AWAY = 1e-3
_WIDEST = 500.0


@dataclass(frozen=True)
class FineGrayFit:
    """One fitted Fine-Gray model.

    Attributes
    ----------
    coef : ndarray of shape (p,)
        Log subdistribution hazard ratio per unit of each covariate; higher means more failures of
        the cause of interest.
    covariance : ndarray of shape (p, p)
        Sandwich estimate, with the part that comes from estimating the censoring.
    se, z, p : ndarray of shape (p,)
        Standard error, Wald statistic and two-sided p-value.
    log_likelihood, null_log_likelihood : float
        Weighted log partial likelihood at `coef` and at zero. As it is no true likelihood, twice
        the difference is not chi-squared.
    center : ndarray of shape (p,)
        Means of the covariates: the patient the baseline belongs to.
    time : ndarray of shape (times,)
        Distinct times at which the cause of interest struck, rising.
    baseline : ndarray of shape (times,)
        Cumulative subdistribution hazard at `center` (Breslow).
    last : float
        Longest follow-up.
    n, events, competing : int
        Patients, failures of the cause of interest, and of others.
    converged : bool
        False where there is no finite maximum: coefficients that run away are +-inf, and se, z, p,
        covariance and baseline are NaN; all are NaN where a covariate adds no information.
    """

    coef: Floats
    covariance: Floats
    se: Floats
    z: Floats
    p: Floats
    log_likelihood: float
    null_log_likelihood: float
    center: Floats
    time: Floats
    baseline: Floats
    last: float
    n: int
    events: int
    competing: int
    converged: bool

    @property
    def hazard_ratio(self) -> Floats:
        """Subdistribution hazard ratio exp(coef) per unit of each covariate, shape (p,)."""
        with np.errstate(over="ignore"):
            ratio: Floats = np.exp(self.coef)
        return ratio

    def interval(self, level: float = 0.95) -> Floats:
        """Wald interval of the hazard ratios, exp(coef -+ z se), shape (p, 2)."""
        half = ndtri(0.5 + check_level(level) / 2) * self.se
        with np.errstate(over="ignore"):
            bounds: Floats = np.exp(np.stack([self.coef - half, self.coef + half], axis=1))
        return bounds

    def incidence(self, covariates: ArrayLike, times: ArrayLike) -> Floats:
        """Cumulative incidence of the cause of interest for patients at times.

        Parameters
        ----------
        covariates : array-like of shape (patients, p)
        times : array-like of shape (m,)
            Months, 0 to `last`.

        Returns
        -------
        ndarray of shape (patients, m)

        Raises
        ------
        DataError
            If the model has no finite maximum, covariates do not fit, or a time is beyond `last`.
        """
        if not self.converged:
            raise DataError(
                "expected a model with a finite maximum; found one without; leave out covariates "
                "that separate the patients or repeat each other, and fit again."
            )
        x = _check_covariates(covariates, n=None, p=self.coef.size)
        asked = np.atleast_1d(as_floats(times, "times"))
        outside = ~((asked >= 0) & (asked <= self.last))
        if outside.any():
            raise DataError(
                f"expected times from 0 to {self.last:g}, the longest follow-up; found "
                f"{asked[outside][0]:g}; choose earlier times."
            )
        steps = np.append(0.0, self.baseline)[np.searchsorted(self.time, asked, side="right")]
        with np.errstate(over="ignore"):
            found: Floats = -np.expm1(-np.exp((x - self.center) @ self.coef)[:, None] * steps)
        return found


def fit_fine_gray(
    covariates: ArrayLike, time: ArrayLike, cause: ArrayLike, *, interest: int = 1
) -> FineGrayFit:
    """Fit a Fine-Gray model of one cause.

    Formula, and when it misleads: top of this module.

    Parameters
    ----------
    covariates : array-like of shape (n, p) or (n,)
    time : array-like of shape (n,)
        Follow-up in months.
    cause : array-like of shape (n,)
        0 where censored, 1, 2, ... for what happened.
    interest : int
        Code of the cause modelled; all others compete.

    Returns
    -------
    FineGrayFit

    Raises
    ------
    OutcomeError
        If time or cause cannot be analysed, or nobody failed of the cause of interest.
    DataError
        If covariates are not finite or do not fit the outcome.

    References
    ----------
    Fine & Gray 1999, doi:10.1080/01621459.1999.10474144.

    Examples
    --------
    >>> x = [0, 1, 0, 1, 1, 0, 1, 0]
    >>> fit = fit_fine_gray(x, [5, 3, 8, 2, 6, 9, 1, 7], [1, 1, 0, 2, 1, 1, 1, 2])
    >>> fit.hazard_ratio.round(2).tolist(), fit.incidence([[0], [1]], [4]).round(2).tolist()
    ([2.5], [[0.15], [0.33]])
    """
    times, codes = check_causes(time, cause)
    wanted = require_cause(codes, interest)
    x = _check_covariates(covariates, n=times.size, p=None)
    center = x.mean(axis=0)
    scale = np.sqrt(np.square(x - center).mean(axis=0))
    scale[scale <= 1e-13 * np.abs(x).max(axis=0)] = np.inf
    sets = SubdistributionSets.of(times, np.where(codes == wanted, 1, np.where(codes > 0, 2, 0)))
    return _fit(((x - center) / scale)[sets.order], sets, center=center, scale=scale)


def _fit(x: Floats, sets: SubdistributionSets, *, center: Floats, scale: Floats) -> FineGrayFit:
    """Fit standardised covariates in the order of time, and put the fit back on their scale."""
    found = _maximise(x, sets)
    coef = found.coef / scale
    covariance = np.full((coef.size, coef.size), np.nan)
    baseline = np.full(sets.time.size, np.nan)
    z = np.full(coef.size, np.nan)
    if found.converged:
        covariance = _sandwich(x, sets, found.coef) / np.outer(scale, scale)
        sums = sets.sums(x, found.coef)
        baseline = np.cumsum(sets.number / sums.s0) * np.exp(-sums.top)
        z = coef / np.sqrt(np.diagonal(covariance))
    return FineGrayFit(
        coef,
        covariance,
        np.sqrt(np.diagonal(covariance)),
        z,
        2 * ndtr(-np.abs(z)),
        log_likelihood=found.log_likelihood,
        null_log_likelihood=_likelihood(x, sets, np.zeros(coef.size)),
        center=center,
        time=sets.time,
        baseline=baseline,
        last=float(sets.stop[-1]),
        n=sets.stop.size,
        events=int(sets.number.sum()),
        competing=int(sets.competing.sum()),
        converged=found.converged,
    )


class _Maximum(NamedTuple):
    """Where the search ended, on the scale of standardised covariates."""

    coef: Floats
    log_likelihood: float
    converged: bool


def _maximise(x: Floats, sets: SubdistributionSets) -> _Maximum:
    coef = np.zeros(x.shape[1])
    value = _likelihood(x, sets, coef)
    score, information = _derivatives(x, sets, coef)
    at_zero = information
    if np.linalg.eigvalsh(at_zero)[0] < _LEAST_INFORMATION * sets.number.sum():
        return _Maximum(np.full(coef.size, np.nan), np.nan, False)
    for _ in range(_MAX_STEPS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            break
        coef, value = _climb(x, sets, coef, step=step, value=value)
        score, information = _derivatives(x, sets, coef)
        if np.abs(step).max() < _STEP_TOLERANCE:
            break
    # Where the likelihood rises for ever, nothing is left to learn in the direction it rises in.
    left, directions = eigh(information, at_zero)
    if left[0] > _INFORMATION_LEFT and np.abs(step).max() < _STEP_TOLERANCE:
        return _Maximum(coef, value, True)
    away = np.abs(directions[:, 0]) > _RUNS_AWAY * np.abs(directions[:, 0]).max()
    return _Maximum(np.where(away, np.copysign(np.inf, coef), coef), value, False)


def _climb(
    x: Floats, sets: SubdistributionSets, coef: Floats, *, step: NDArray[Any], value: float
) -> tuple[Floats, float]:
    """Go the step, or the largest half, quarter, ... of it that does not go downhill."""
    slack = 1e-12 * (1 + abs(value))
    for halving in range(30):
        there = coef + step * 0.5**halving
        found = _likelihood(x, sets, there)
        if found >= value - slack:
            return there, found
    return coef, value


def _likelihood(x: Floats, sets: SubdistributionSets, coef: Floats) -> float:
    """Weighted log partial likelihood, -inf where exp() would run out of digits."""
    predictor = x @ coef
    top = predictor.max()
    if not top - predictor.min() < _WIDEST:
        return -np.inf
    s0 = sets.over(np.exp(predictor - top))
    return float(predictor[sets.event].sum() - sets.number @ (np.log(s0) + top))


def _derivatives(x: Floats, sets: SubdistributionSets, coef: Floats) -> tuple[Floats, Floats]:
    """Score and observed information."""
    sums = sets.sums(x, coef)
    mean = sums.s1 / sums.s0[:, None]
    score = x[sets.event].sum(axis=0) - sets.number @ mean
    products = sets.over(sums.e[:, None, None] * x[:, :, None] * x[:, None, :])
    second = np.einsum("t,tpq->pq", sets.number / sums.s0, products)
    return score, second - np.einsum("t,tp,tq->pq", sets.number, mean, mean)


def _sandwich(x: Floats, sets: SubdistributionSets, coef: Floats) -> Floats:
    """Robust covariance: information^-1, sum of squared contributions, information^-1.

    The contribution of a patient is that to the score, integrated over the weighted martingale of
    the cause, plus that made by way of G, over the martingale of the censoring.
    """
    sums = sets.sums(x, coef)
    mean = sums.s1 / sums.s0[:, None]
    own = _score_parts(x, sets, sums, mean=mean)
    parts = own + _censoring_parts(x, sets, sums, mean=mean)
    bread = np.linalg.inv(_derivatives(x, sets, coef)[1])
    found: Floats = bread @ (parts.T @ parts) @ bread
    return found


def _score_parts(
    x: Floats, sets: SubdistributionSets, sums: WeightedSums, *, mean: Floats
) -> Floats:
    hazard = sets.number / sums.s0
    # The hazard, and the hazard times the mean: up to a time, and weighted by G after it.
    both = hazard[:, None] * np.column_stack([np.ones(len(mean)), mean])
    until, weighted = _before_first(both), _before_first(sets.curve[:, None] * both)
    place = np.searchsorted(sets.time, sets.stop, side="right")
    met = until[place] + sets.inverse[:, None] * (weighted[-1] - weighted[place])
    parts: Floats = -sums.e[:, None] * (x * met[:, :1] - met[:, 1:])
    parts[sets.event] += x[sets.event] - mean[place[sets.event] - 1]
    return parts


def _censoring_parts(
    x: Floats, sets: SubdistributionSets, sums: WeightedSums, *, mean: Floats
) -> Floats:
    moments, place = np.unique(sets.stop[sets.censored], return_inverse=True)
    parts = np.zeros_like(x)
    if not moments.size:
        return parts
    hazard = (sets.number * sets.curve / sums.s0)[:, None] * np.column_stack(
        [np.ones(len(mean)), mean]
    )
    ahead = _before_first(hazard)
    ahead = (ahead[-1] - ahead)[np.searchsorted(sets.time, moments)]
    kept = (sets.inverse * sums.e)[:, None] * np.column_stack([np.ones(len(x)), x])
    behind = _before_first(kept)[np.searchsorted(sets.stop, moments)]
    effect = behind[:, 1:] * ahead[:, :1] - behind[:, :1] * ahead[:, 1:]
    at_risk = (sets.stop.size - np.searchsorted(sets.stop, moments))[:, None]
    left = np.bincount(place)[:, None]
    drift = _before_first(effect * left / at_risk**2)
    parts[sets.censored] = (effect / at_risk)[place]
    parts -= drift[np.searchsorted(moments, sets.stop, side="right")]
    return parts


def _before_first(values: Floats) -> Floats:
    """Cumulative sums with a row of zeros in front."""
    return np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])


def _check_covariates(covariates: ArrayLike, *, n: int | None, p: int | None) -> Floats:
    """Finite covariates of n patients and p columns, where these are known."""
    x = as_floats(covariates, "covariates")
    if x.ndim == 1 and p in (None, 1):
        x = x[:, None]
    if x.ndim != 2 or x.shape != (n or x.shape[0], p or max(x.shape[1], 1)):
        raise DataError(
            f"expected covariates of shape ({n or 'patients'}, {p or 'covariates'}); found "
            f"{x.shape}; put one patient a row, aligned with the outcome."
        )
    if not np.isfinite(x).all():
        raise DataError(
            f"expected finite covariates; found {int((~np.isfinite(x)).sum())} that are not; "
            "drop these patients or impute inside the training part."
        )
    return x
