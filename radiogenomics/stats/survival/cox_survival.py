"""Survival of single patients by a Cox model, with the uncertainty of the model.

The cumulative hazard of a patient x is H(t) = r H0(t) with r = exp(x' b), and survival exp(-H).
The variance of H is r^2 [sum of 1 / S0^2 + q' V q] over the events up to t, with S0 the sum of
exp(x' b) over those at risk, V the covariance of b and q(t) the sum of (x - mean at risk) / S0: the
first part is the doubt about the baseline, the second that about the coefficients. The doubt about
the choice of covariates is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.inputs import (
    Bools,
    Floats,
    as_floats,
    check_level,
    check_survival,
    stratum_codes,
)
from radiogenomics.stats.survival.baseline_hazard import (
    BaselineHazard,
    EventTimes,
    baseline_hazard,
    event_times,
)
from radiogenomics.stats.survival.cox import CoxFit, fit_cox
from radiogenomics.stats.survival.risk_sets import build_risk_sets


@dataclass(frozen=True)
class PatientCurves:
    """Survival of patients by a Cox model, with the uncertainty of the model.

    Attributes
    ----------
    time : ndarray of shape (m,)
    survival, low, high : ndarray of shape (patients, m)
        Bounds are Wald's on log S, at most 1.
    se : ndarray of shape (patients, m)
        Standard error of the cumulative hazard, which is that of log S.
    """

    time: Floats
    survival: Floats
    low: Floats
    high: Floats
    se: Floats


def cox_survival(
    covariates: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    patients: ArrayLike,
    times: ArrayLike,
    ties: str = "efron",
    strata: ArrayLike | None = None,
    patient_strata: ArrayLike | None = None,
    level: float = 0.95,
) -> PatientCurves:
    """Fit a Cox model and give the survival of patients with its bounds.

    Formulas: top of this module.

    Parameters
    ----------
    covariates, time, event, ties, strata
        As in `fit_cox`.
    patients : array-like of shape (k, p) or (k,)
        Covariates of those whose survival is asked for.
    times : array-like of shape (m,)
        Months, within follow-up.
    patient_strata : array-like of shape (k,), optional
        Needed with `strata`.
    level : float

    Returns
    -------
    PatientCurves

    Raises
    ------
    DataError, OutcomeError
        As in `fit_cox`; if there is no finite maximum, or times lie outside follow-up.

    References
    ----------
    Tsiatis 1981, doi:10.1214/aos/1176345335; Therneau & Grambsch 2000,
    doi:10.1007/978-1-4757-3294-8 (section 10.2).

    Examples
    --------
    >>> curves = cox_survival([0, 1, 0, 1, 1, 0], [5, 3, 8, 2, 6, 9], [1, 1, 0, 1, 1, 1],
    ...                       patients=[0, 1], times=[4])
    >>> curves.survival.round(2).tolist()
    [[0.88], [0.51]]
    """
    fit = fit_cox(covariates, time, event, ties=ties, strata=strata)
    _require_maximum(fit)
    x = as_floats(covariates, "covariates").reshape(fit.n, -1)
    asked = _check_patients(patients, x.shape[1])
    # Centred, so that exp() keeps its digits.
    x, asked = x - x.mean(axis=0), asked - x.mean(axis=0)
    base = baseline_hazard(x @ fit.coef, time, event, ties=ties, strata=strata)
    doubt = _Doubt.of(x, fit, (*check_survival(time, event), strata), ties=ties)
    place = base.places(patient_strata, len(asked))
    grid = np.atleast_1d(as_floats(times, "times"))
    return _curves(asked, grid, base=base, place=place, doubt=doubt, level=level)


def _curves(
    x: Floats,
    times: Floats,
    *,
    base: BaselineHazard,
    place: NDArray[np.intp],
    doubt: _Doubt,
    level: float,
) -> PatientCurves:
    survival = base.survival(x @ doubt.fit.coef, times, strata=base.strata[place])
    se = doubt.error(x, times, base=base, place=place)
    half = float(ndtri(0.5 + check_level(level) / 2)) * se
    low, high = survival * np.exp(-half), np.minimum(survival * np.exp(half), 1.0)
    return PatientCurves(times, survival, low, high, se)


@dataclass(frozen=True)
class _Doubt:
    """Increments at the event times of every stratum that the variance is made of."""

    labels: NDArray[Any]
    events: EventTimes
    baseline: Floats
    means: Floats
    fit: CoxFit

    @classmethod
    def of(
        cls,
        x: Floats,
        fit: CoxFit,
        outcome: tuple[Floats, Bools, ArrayLike | None],
        *,
        ties: str,
    ) -> _Doubt:
        times, events, strata = outcome
        labels, code = stratum_codes(strata, times.size)
        sets = build_risk_sets(times, events, ties=ties, strata=code)
        risk = np.exp(x @ fit.coef)[sets.subjects][:, None]
        sums = sets.sums(np.hstack([risk, risk * x[sets.subjects]]))
        at_risk, weight = sums[:, :1], sets.weight
        found = event_times(sets, times, events, code=code)
        means = np.zeros((found.time.size, x.shape[1]))
        np.add.at(means, found.of_term, weight[:, None] * sums[:, 1:] / at_risk**2)
        baseline = np.bincount(found.of_term, weights=weight / at_risk[:, 0] ** 2)
        return cls(labels, found, baseline, means, fit)

    def error(
        self, x: Floats, times: Floats, *, base: BaselineHazard, place: NDArray[np.intp]
    ) -> Floats:
        """Standard error of the cumulative hazard, shape (patients, times)."""
        se = np.empty((len(x), times.size))
        for index in np.unique(place):
            stratum = base.strata[index]
            member = self.labels[self.events.code] == stratum
            step = np.searchsorted(self.events.time[member], times, side="right")
            baseline = np.append(0.0, np.cumsum(self.baseline[member]))[step]
            means = np.cumsum(self.means[member], axis=0)
            means = np.vstack([np.zeros(means.shape[1]), means])[step]
            who = place == index
            gap = x[who][:, None, :] * base.at(times, stratum=stratum)[:, None] - means
            spread = np.einsum("kmp,pq,kmq->km", gap, self.fit.covariance, gap)
            se[who] = np.exp(x[who] @ self.fit.coef)[:, None] * np.sqrt(baseline + spread)
        return se


def _require_maximum(fit: CoxFit) -> None:
    if not fit.converged:
        raise OutcomeError(
            "expected a Cox model with a finite maximum; found none; drop covariates that repeat "
            "each other, merge levels without events, or penalise."
        )


def _check_patients(patients: ArrayLike, p: int) -> Floats:
    x = as_floats(patients, "covariates of patients")
    x = x.reshape(-1, 1) if x.ndim < 2 and p == 1 else x
    if x.ndim != 2 or x.shape[1] != p or not np.isfinite(x).all():
        raise DataError(
            f"expected patients as finite covariates of shape (patients, {p}); found shape "
            f"{x.shape} with {int((~np.isfinite(x)).sum())} not finite; give those of the model."
        )
    return x
