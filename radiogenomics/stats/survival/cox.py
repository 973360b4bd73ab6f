"""Cox proportional hazards regression: one model with strata, or many models at once.

The hazard of patient i is h0(t) exp(x_i' b), h0 unspecified and another one in every stratum. The
log hazard ratios per unit, b, maximise the partial likelihood: the product over events of
exp(x_i' b) over the sum of exp(x_j' b) over those still at risk. Where d events share a time,
Breslow divides each by the sum over all at risk then; Efron takes the share (k - 1) / d of the d
out of the sum for the k-th of them.

The estimate misleads where hazards are not proportional (it is then an average over the event times
that were seen), with fewer than about ten events a covariate, and where covariates were chosen on
the same outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import (
    Bools,
    Floats,
    as_floats,
    check_level,
    check_survival,
    stratum_codes,
)
from radiogenomics.stats.survival.cox_newton import NewtonResult, maximise
from radiogenomics.stats.survival.cox_single import maximise_single
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets

# Numbers held of one covariate array while a chunk is fitted. About ten such arrays live at once:
# they are to stay in cache, and small enough for memory that is used again instead of given back.
_CHUNK = 2**15


class ChiSquared(NamedTuple):
    """A chi-squared test.

    Attributes
    ----------
    statistic : float
    df : int
    p : float
    """

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class CoxFit:
    """One fitted Cox model.

    Attributes
    ----------
    coef : ndarray of shape (p,)
        Log hazard ratio per unit of each covariate; higher means a higher risk.
    covariance : ndarray of shape (p, p)
        Inverse of the observed information.
    se, z, p : ndarray of shape (p,)
        Standard error, Wald statistic and two-sided p-value.
    log_likelihood, null_log_likelihood : float
        Log partial likelihood at `coef` and at zero.
    score_statistic : float
        Score statistic U' I^-1 U at zero.
    n, events : int
    converged : bool
        False where there is no finite maximum; see `fit_cox_batch` for what the numbers then are.
    """

    coef: Floats
    covariance: Floats
    se: Floats
    z: Floats
    p: Floats
    log_likelihood: float
    null_log_likelihood: float
    score_statistic: float
    n: int
    events: int
    converged: bool

    @property
    def hazard_ratio(self) -> Floats:
        """Hazard ratio exp(coef) per unit of each covariate, shape (p,)."""
        with np.errstate(over="ignore"):
            return np.exp(self.coef)

    def interval(self, level: float = 0.95) -> Floats:
        """Wald interval of the hazard ratios, exp(coef -+ z se).

        Parameters
        ----------
        level : float

        Returns
        -------
        ndarray of shape (p, 2)
            Lower and upper bound a row; NaN where the model did not converge.
        """
        half = ndtri(0.5 + check_level(level) / 2) * self.se
        with np.errstate(over="ignore"):
            return np.exp(np.stack([self.coef - half, self.coef + half], axis=1))

    @property
    def score_test(self) -> ChiSquared:
        """Score test that all coefficients are zero; for two groups, the log-rank test."""
        return _chi_squared(self.score_statistic, self.coef.size)

    @property
    def likelihood_ratio_p(self) -> float:
        """P-value of the likelihood ratio test that all coefficients are zero."""
        statistic = 2 * (self.log_likelihood - self.null_log_likelihood)
        return _chi_squared(max(statistic, 0.0), self.coef.size).p


@dataclass(frozen=True)
class CoxBatch:
    """Many fitted Cox models that share time and event.

    Attributes
    ----------
    coef, se, z, p : ndarray of shape (batch, p)
        As in `CoxFit`.
    log_likelihood : ndarray of shape (batch,)
    null_log_likelihood : float
        Log partial likelihood without covariates, the same for all.
    score_statistic : ndarray of shape (batch,)
        Score statistic at zero; defined also where the maximum is not finite.
    converged : ndarray of bool, shape (batch,)
    """

    coef: Floats
    se: Floats
    z: Floats
    p: Floats
    log_likelihood: Floats
    null_log_likelihood: float
    score_statistic: Floats
    converged: Bools


def fit_cox(
    covariates: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    strata: ArrayLike | None = None,
) -> CoxFit:
    """Fit one Cox proportional hazards model.

    Hazard h0(t) exp(x' b). Formula, and when it misleads: top of this module.

    Parameters
    ----------
    covariates : array-like of shape (n, p) or (n,)
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    ties : {"efron", "breslow"}
    strata : array-like of shape (n,), optional
        Subjects are compared within equal values only.

    Returns
    -------
    CoxFit

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If covariates are not finite, they or strata do not fit the outcome, or `ties` is unknown.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Breslow 1974, doi:10.2307/2529620; Efron 1977,
    doi:10.1080/01621459.1977.10480613.

    Examples
    --------
    >>> fit = fit_cox([0, 1, 0, 1, 1, 0], [5, 3, 8, 2, 6, 9], [1, 1, 0, 1, 1, 1])
    >>> round(float(fit.hazard_ratio[0]), 2)
    5.41
    """
    times, events = check_survival(time, event)
    x, groups = _check_single(covariates, strata, times.size)
    sets = build_risk_sets(times, events, ties=ties, strata=groups)
    found, scale = _fit_chunk(x[None], sets)
    covariance = found.covariance[:, :, 0] / np.outer(scale, scale)
    coef = found.coef[:, 0] / scale[:, 0]
    return CoxFit(
        coef,
        covariance,
        *_wald(coef, np.diagonal(covariance)),
        log_likelihood=float(found.log_likelihood[0]),
        null_log_likelihood=_null_log_likelihood(sets),
        score_statistic=float(found.score_statistic[0]),
        n=times.size,
        events=int(events.sum()),
        converged=bool(found.converged[0]),
    )


def fit_cox_batch(
    covariates: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    strata: ArrayLike | None = None,
) -> CoxBatch:
    """Fit many Cox models to one outcome.

    The same estimates as `fit_cox`, computed side by side: for screens over genes, random scores
    and permutations of patients. Nothing here corrects for the number of models; see `adjust`.
    Never raises for a single bad model; where `converged` is False,

    - a covariate without information (constant among those at risk, not finite, or a combination
      of others) gives NaN throughout;
    - a likelihood that rises for ever (one group without events, say) gives +-inf for each
      coefficient that runs away, NaN for se, z and p, and the log-likelihood it approaches, so that
      the likelihood ratio remains usable;
    - in the rare case that neither holds when the search ends, the estimates are NaN.

    Parameters
    ----------
    covariates : array-like of shape (batch, n, p)
    time : array-like of shape (n,)
    event : array-like of shape (n,)
    ties : {"efron", "breslow"}
    strata : array-like of shape (n,), optional
        Subjects are compared within equal values only.

    Returns
    -------
    CoxBatch

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If covariates or strata do not fit the outcome, or `ties` is unknown.

    References
    ----------
    As in `fit_cox`.

    Examples
    --------
    >>> genes = np.array([[0, 1, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1]])
    >>> screen = fit_cox_batch(genes[:, :, None], [5, 3, 8, 2, 6, 9], [1, 1, 0, 1, 1, 1])
    >>> screen.coef.round(3).tolist(), screen.converged.tolist()
    ([[1.688], [nan]], [True, False])
    """
    times, events = check_survival(time, event)
    # Kept in their own precision: only the chunk at hand is turned into floats of 64 bits.
    x = np.asarray(covariates)
    x = x if x.dtype.kind in "biuf" else as_floats(x, "covariates")
    _check_covariates(x, times.size, ndim=3)
    sets = build_risk_sets(times, events, ties=ties, strata=stratum_codes(strata, times.size)[1])
    return _fit_in_chunks(x, sets)


def _fit_in_chunks(x: NDArray[Any], sets: RiskSets) -> CoxBatch:
    batch, _, p = x.shape
    coef, variance = np.empty((batch, p)), np.empty((batch, p))
    value, score = np.empty(batch), np.empty(batch)
    converged = np.empty(batch, dtype=bool)
    width = max(1, _CHUNK // (sets.subjects.size * p))
    for start in range(0, batch, width):
        part = slice(start, start + width)
        found, scale = _fit_chunk(x[part], sets)
        coef[part] = (found.coef / scale).T
        variance[part] = (np.einsum("ppb->pb", found.covariance) / scale**2).T
        value[part] = found.log_likelihood
        score[part] = found.score_statistic
        converged[part] = found.converged
    return CoxBatch(
        coef,
        *_wald(coef, variance),
        log_likelihood=value,
        null_log_likelihood=_null_log_likelihood(sets),
        score_statistic=score,
        converged=converged,
    )


def _fit_chunk(x: NDArray[Any], sets: RiskSets) -> tuple[NewtonResult, Floats]:
    """Standardise among those at risk and fit; the scale comes back with shape (p, batch)."""
    arranged = np.ascontiguousarray(np.moveaxis(x, 0, 2)[sets.subjects], dtype=float)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(arranged.max(axis=0), -arranged.min(axis=0))
        arranged -= arranged.mean(axis=0)
        scale = np.sqrt(np.einsum("mpb,mpb->pb", arranged, arranged) / len(arranged))
        usable = np.isfinite(scale) & (scale > 1e-13 * size)
    # A covariate of zeros has no information, which the search then reports as for any other.
    arranged[:, ~usable] = 0.0
    scale = np.where(usable, scale, 1.0)
    arranged /= scale
    if arranged.shape[1] == 1:
        return maximise_single(arranged[:, 0], sets), scale
    return maximise(arranged, sets), scale


def _null_log_likelihood(sets: RiskSets) -> float:
    at_risk = sets.sums(np.ones((sets.subjects.size, 1)))[:, 0]
    return float(-(sets.weight * np.log(at_risk)).sum())


def _wald(coef: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    with np.errstate(invalid="ignore"):
        se = np.sqrt(variance)
        z = coef / se
        return se, z, 2 * ndtr(-np.abs(z))


def _chi_squared(statistic: float, df: int) -> ChiSquared:
    return ChiSquared(statistic, df, float(chdtrc(df, statistic)))


def _check_single(
    covariates: ArrayLike, strata: ArrayLike | None, n: int
) -> tuple[Floats, NDArray[np.intp]]:
    x = as_floats(covariates, "covariates")
    x = x[:, None] if x.ndim == 1 else x
    _check_covariates(x, n, ndim=2)
    if not np.isfinite(x).all():
        raise DataError(
            f"expected finite covariates; found {int((~np.isfinite(x)).sum())} that are not; "
            "drop these patients or impute inside the training part."
        )
    return x, stratum_codes(strata, n)[1]


def _check_covariates(x: NDArray[Any], n: int, *, ndim: int) -> None:
    shape = "(batch, patients, covariates)" if ndim == 3 else "(patients, covariates)"
    if x.ndim != ndim or x.shape[ndim - 2] != n or x.shape[-1] == 0:
        raise DataError(
            f"expected covariates of shape {shape} with {n} patients; found {x.shape}; "
            "add or swap axes so that patients stand where the outcome expects them."
        )
