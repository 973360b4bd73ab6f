"""Newton's method for many Cox models at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.risk_sets import RiskSets

_MAX_EVALUATIONS = 80
# The Newton decrement is the squared length of the step in standard errors: at 1e-16 the next
# estimate is exact to rounding; at 1e-6 no step can still change the likelihood visibly.
_CONVERGED = 1e-16
_FLAT = 1e-6
# A pivot this small against the uncentred second moment holds no information: at the start because
# covariates are redundant, later because a step went where only rounding is left.
_REDUNDANT = 1e-12
_ROUNDING = 1e-14
# exp() of sums below this neither overflows nor loses its smallest terms.
_SAFE_EXPONENT = 300.0


@dataclass(frozen=True)
class NewtonResult:
    """Estimates on the scale of the covariates handed in, one column a model.

    Attributes
    ----------
    coef : ndarray of shape (p, batch)
        NaN where there is no information, +-inf where the likelihood rises for ever.
    covariance : ndarray of shape (p, p, batch)
        Inverse observed information; NaN where not converged.
    log_likelihood : ndarray of shape (batch,)
    score_statistic : ndarray of shape (batch,)
        U' I^-1 U at coefficient zero.
    converged : ndarray of bool, shape (batch,)
    """

    coef: Floats
    covariance: Floats
    log_likelihood: Floats
    score_statistic: Floats
    converged: Bools

    @classmethod
    def blank(cls, p: int, batch: int) -> NewtonResult:
        """Return a result in which no model is done yet."""
        return cls(
            coef=np.full((p, batch), np.nan),
            covariance=np.full((p, p, batch), np.nan),
            log_likelihood=np.full(batch, np.nan),
            score_statistic=np.full(batch, np.nan),
            converged=np.zeros(batch, dtype=bool),
        )


@dataclass
class Searching:
    """Where the models that are still searching stand; in every array one column a model."""

    def keep(self, mask: Bools) -> None:
        """Drop the models outside the mask, shape (batch,)."""
        for field in fields(self):
            kept = getattr(self, field.name)[..., mask]
            setattr(self, field.name, np.ascontiguousarray(kept))


@dataclass
class _Search(Searching):
    index: NDArray[np.intp]
    x: Floats
    total: Floats
    coef: Floats
    step: Floats
    last_step: Floats
    log_likelihood: Floats


def maximise(x: Floats, sets: RiskSets) -> NewtonResult:
    """Maximise the partial likelihood of every model.

    Each step is halved until the likelihood does not fall. A model whose likelihood no longer
    rises while its steps keep their length has no finite maximum.

    Parameters
    ----------
    x : ndarray of shape (m, p, batch)
        Covariates of the subjects in `sets`, on one scale.
    sets : RiskSets

    Returns
    -------
    NewtonResult
    """
    _, p, batch = x.shape
    result = NewtonResult.blank(p, batch)
    search = _Search(
        index=np.arange(batch),
        x=x,
        total=np.einsum("mpb,m->pb", x, sets.event),
        coef=np.zeros((p, batch)),
        step=np.zeros((p, batch)),
        last_step=np.full((p, batch), np.inf),
        log_likelihood=np.full(batch, -np.inf),
    )
    with np.errstate(all="ignore"):
        for evaluation in range(_MAX_EVALUATIONS):
            going = _advance(search, sets, result, first=evaluation == 0)
            if not going.all():
                search.keep(going)
            if not search.index.size:
                break
    return result


def _advance(search: _Search, sets: RiskSets, result: NewtonResult, *, first: bool) -> Bools:
    """Try one step in every model, write down those that are done, return those that are not."""
    trial = search.coef + search.step
    value, gradient, information, moment = derivatives(
        search.x, trial, total=search.total, sets=sets
    )
    covariance, singular = invert(information, moment * (_REDUNDANT if first else _ROUNDING))
    floor = search.log_likelihood - 1e-11 * np.abs(search.log_likelihood)
    better = np.isfinite(value) & (value >= floor) & ~singular
    step = np.einsum("pqb,qb->pb", covariance, gradient)
    decrement = np.einsum("pb,pb->b", step, gradient)

    length, last_length = np.abs(step).max(axis=0), np.abs(search.last_step).max(axis=0)
    shrinking = length <= 0.5 * last_length
    done = better & (decrement <= _CONVERGED) & shrinking
    endless = better & (decrement <= _FLAT) & ~shrinking

    at = search.index
    if first:
        result.score_statistic[at] = np.where(singular, np.nan, decrement)
    result.converged[at[done]] = True
    result.coef[:, at[done]] = (trial + step)[:, done]
    result.covariance[:, :, at[done]] = covariance[:, :, done]
    limit = np.where(np.abs(step) > 1e-4 * length, np.copysign(np.inf, step), trial)
    result.coef[:, at[endless]] = limit[:, endless]
    result.log_likelihood[at[done]] = value[done]
    # The likelihood nears its limit exponentially, and the decrement is how far off it is.
    result.log_likelihood[at[endless]] = (value + decrement)[endless]

    search.log_likelihood = np.where(better, value, search.log_likelihood)
    search.coef = np.where(better, trial, search.coef)
    search.last_step = np.where(better & (not first), search.step, search.last_step)
    search.step = np.where(better, step, search.step / 2)
    return np.asarray(~(done | endless | (singular & first)))


def derivatives(
    x: Floats, coef: Floats, *, total: Floats, sets: RiskSets
) -> tuple[Floats, Floats, Floats, Floats]:
    """Log partial likelihood, gradient, information and uncentred second moment."""
    m, p, batch = x.shape
    predictor = x[:, 0] * coef[0]
    for q in range(1, p):
        predictor += x[:, q] * coef[q]
    shift = np.zeros(batch)
    if max(predictor.max(), -predictor.min()) > _SAFE_EXPONENT:
        shift = predictor.max(axis=0)
        predictor -= shift
    risk = np.exp(predictor, out=predictor)

    at_risk = sets.sums(risk)
    log_sum = np.einsum("e,eb->b", sets.weight, np.log(at_risk))
    value = np.einsum("pb,pb->b", coef, total) - log_sum - shift * sets.weight.sum()

    inverse = np.reciprocal(at_risk, out=at_risk)
    means = sets.sums((x * risk[:, None]).reshape(m, p * batch)).reshape(-1, p, batch)
    means *= inverse[:, None]
    # exposure = cumulated hazard of each subject; event - exposure is its martingale residual
    exposure = sets.transposed_sums(inverse * sets.weight[:, None])
    exposure *= risk
    weighted = x * exposure[:, None]
    gradient = total - weighted.sum(axis=0)

    moment = np.empty((p, p, batch))
    spread = np.empty((p, p, batch))
    counted = means * sets.weight[:, None, None]
    for q in range(p):
        for r in range(q + 1):
            moment[q, r] = moment[r, q] = np.einsum("mb,mb->b", weighted[:, q], x[:, r])
            spread[q, r] = spread[r, q] = np.einsum("eb,eb->b", counted[:, q], means[:, r])
    return value, gradient, moment - spread, np.einsum("ppb->pb", moment)


def invert(matrices: Floats, smallest_pivot: Floats) -> tuple[Floats, Bools]:
    """Invert positive definite matrices by sweeping pivots; flag those that are singular."""
    a = matrices.copy()
    singular = np.zeros(a.shape[-1], dtype=bool)
    for k in range(a.shape[0]):
        pivot = a[k, k].copy()
        singular |= ~(pivot > smallest_pivot[k])
        row, column = a[k] / pivot, a[:, k].copy()
        a -= column[:, None] * row[None]
        a[:, k] = -column / pivot
        a[k] = row
        a[k, k] = 1.0 / pivot
    return a, singular
