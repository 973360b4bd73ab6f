"""Newton's method for many Cox models of one covariate each.

One covariate needs no matrices: its gradient U and information I are three sums over risk sets.
Each step is Halley's, b + d (1 - d I' / 2 I) with d = U / I, where the slope I' comes from the
informations of this and the last step, so that nothing more is summed. The same slope gives the
information at the end of the last step, which therefore needs no evaluation of its own. Models that
do not behave (no information, no finite maximum, a step that overshoots) are left to
`cox_newton.maximise`, which halves steps and tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.cox_newton import NewtonResult, Searching, maximise
from radiogenomics.stats.survival.risk_sets import RiskSets

# Evaluations after the one at zero before a model counts as one that does not behave.
_EVALUATIONS = 6
# The error of the extrapolated information is of the order of the last two steps multiplied, in
# standard deviations of the covariate; beyond the first limit extrapolation is not to be trusted.
_LONGEST_LAST_STEP = 1e-4
_CLOSE = 1e-12
# Models are set aside once they are more than half of those that are carried along.
_SET_ASIDE = 0.5
# Below this share of the uncentred second moment the information is rounding.
_REDUNDANT = 1e-10
# Where a step leaves less of the information, it may have gone where only rounding is left.
_OVERSHOT = 1e-6
# A longer predictor might overflow or lose its smallest terms.
_LONGEST_PREDICTOR = 300.0


@dataclass
class _Front(Searching):
    index: NDArray[np.intp]
    x: Floats
    total: Floats
    coef: Floats
    step: Floats
    information: Floats


def maximise_single(x: Floats, sets: RiskSets) -> NewtonResult:
    """Maximise the partial likelihood of models of one covariate.

    Parameters
    ----------
    x : ndarray of shape (m, batch)
        Covariates of the subjects in `sets`, standardised.
    sets : RiskSets

    Returns
    -------
    NewtonResult
        What `maximise` gives for one covariate.
    """
    result = NewtonResult.blank(1, x.shape[1])
    with np.errstate(all="ignore"):
        front = _start(x, sets, result)
        for _ in range(_EVALUATIONS):
            going = _advance(front, sets, result)
            if not going.any():
                break
            # Going on with all costs less than setting the others aside, while those are few.
            if going.mean() < _SET_ASIDE:
                front.keep(going)
    rest = np.flatnonzero(~result.converged)
    if rest.size:
        _take_over(result, rest, maximise(np.ascontiguousarray(x[:, None, rest]), sets))
    return result


def _start(x: Floats, sets: RiskSets, result: NewtonResult) -> _Front:
    """Step off from zero, where all are equally at risk."""
    at_risk = sets.sums(np.ones((x.shape[0], 1)))
    exposure = sets.transposed_sums(sets.weight[:, None] / at_risk)[:, 0]
    means = sets.sums(x)
    means /= at_risk
    moment = exposure @ np.square(x)
    information = moment - sets.weight @ np.square(means, out=means)
    gradient = (sets.event - exposure) @ x
    step = gradient / information
    usable = information > _REDUNDANT * moment
    result.score_statistic[:] = np.where(usable, gradient * step, np.nan)
    front = _Front(
        index=np.arange(x.shape[1]),
        x=x,
        total=sets.event @ x,
        coef=np.zeros(x.shape[1]),
        step=step,
        information=information,
    )
    sound = usable & np.isfinite(step)
    if not sound.all():
        front.keep(sound)
    return front


def _advance(front: _Front, sets: RiskSets, result: NewtonResult) -> Bools:
    """Take one step in every model, write down those that are done, return those that are not."""
    coef = front.coef + front.step
    at_risk, gradient, information = _derivatives(front.x, coef, front.total, sets)
    slope = (information - front.information) / front.step
    newton = gradient / information
    step = newton * (1 - newton * slope / (2 * information))
    length, last_length = np.abs(step), np.abs(front.step)
    sound = (
        np.isfinite(step)
        & (information > _OVERSHOT * front.information)
        & (length <= 0.5 * last_length)
        # No standardised covariate reaches beyond the root of the number of subjects.
        & (np.sqrt(len(front.x)) * np.abs(coef) < _LONGEST_PREDICTOR)
    )
    # A score of zero ends at once: there the slope, 0 / 0, is unknown and not needed.
    still = (front.step == 0) & (np.abs(gradient) <= 1e-12 * np.sqrt(information))
    step, slope = np.where(still, 0.0, step), np.where(still, 0.0, slope)
    done = still | (sound & (length <= _LONGEST_LAST_STEP) & (length * last_length <= _CLOSE))
    if done.any():
        at = front.index[done]
        value = (coef * front.total)[done] - sets.weight @ np.log(at_risk[:, done])
        result.coef[0, at] = (coef + step)[done]
        result.covariance[0, 0, at] = 1 / (information + slope * step)[done]
        result.log_likelihood[at] = value + (gradient * newton)[done] / 2
        result.converged[at] = True
    going = np.asarray(sound & ~done)
    # Those that are done or lost may be carried along, and must not come back.
    front.coef, front.step, front.information = coef, np.where(going, step, np.nan), information
    return going


def _derivatives(
    x: Floats, coef: Floats, total: Floats, sets: RiskSets
) -> tuple[Floats, Floats, Floats]:
    """Sums over risk sets of exp(x b), gradient and information."""
    weighted = x * coef
    np.exp(weighted, out=weighted)
    at_risk = sets.sums(weighted)
    weighted *= x
    means = sets.sums(weighted)
    weighted *= x
    squares = sets.sums(weighted)
    inverse = np.reciprocal(at_risk)
    means *= inverse
    gradient = total - sets.weight @ means
    squares *= inverse
    means *= means
    squares -= means
    return at_risk, gradient, sets.weight @ squares


def _take_over(result: NewtonResult, at: NDArray[np.intp], other: NewtonResult) -> None:
    result.coef[:, at] = other.coef
    result.covariance[:, :, at] = other.covariance
    result.log_likelihood[at] = other.log_likelihood
    result.score_statistic[at] = other.score_statistic
    result.converged[at] = other.converged
