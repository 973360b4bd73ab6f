"""Cox regression with a ridge penalty by Newton's method, for any number of features."""

from __future__ import annotations

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.risk_sets import RiskSets

_MAX_STEPS = 200
# The Newton decrement is twice how far the objective is from its maximum; the step that is taken
# when it falls below this leaves an error of the order of its square.
_CONVERGED = 1e-14
_SMALLEST_STEP = 2.0**-40


def fit_ridge_cox(values: Floats, sets: RiskSets, *, penalty: float) -> Floats:
    r"""Maximise the log partial likelihood less :math:`\frac{\lambda}{2} \lVert\beta\rVert^2`.

    The solution lies in the span of the patients, so with more features than patients the search
    is in as many dimensions as there are patients: a rotation of the features changes neither the
    likelihood nor the penalty.

    Parameters
    ----------
    values : ndarray of shape (n, p)
        Features on one scale, finite.
    sets : RiskSets
    penalty : float
        Above 0.

    Returns
    -------
    ndarray of shape (p,)

    Raises
    ------
    DataError
        The search does not end, as with a penalty that is nothing beside the likelihood.

    References
    ----------
    Verweij and van Houwelingen, Stat Med 1994;13:2427, doi:10.1002/sim.4780132307. Hastie and
    Tibshirani, Biostatistics 2004;5:329, doi:10.1093/biostatistics/kxh010 (rotation).
    """
    x = values[sets.subjects]
    x = x - x.mean(axis=0)
    if x.shape[1] <= x.shape[0]:
        return _newton(x, sets, penalty)
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    return _newton(left * sizes, sets, penalty) @ right


def _newton(x: Floats, sets: RiskSets, penalty: float) -> Floats:
    coef = np.zeros(x.shape[1])
    value, gradient, information = _derivatives(x, coef, sets, penalty=penalty)
    for _ in range(_MAX_STEPS):
        step = _solve(information, gradient)
        gain, enough = step @ gradient, _CONVERGED * max(1.0, abs(value))
        if not np.isfinite(gain) or gain < -enough:
            break
        if gain <= enough:
            return coef + step
        size, floor = 1.0, value - 1e-12 * abs(value)
        trial = _derivatives(x, coef + step, sets, penalty=penalty)
        while not trial[0] >= floor and size > _SMALLEST_STEP:
            size /= 2
            trial = _derivatives(x, coef + size * step, sets, penalty=penalty)
        if not trial[0] >= floor:
            break
        coef, (value, gradient, information) = coef + size * step, trial
    raise DataError(
        "expected a penalty that holds the coefficients; found one too small beside the log "
        f"likelihood ({penalty:.3g}), which still rises far out. Give a larger penalty, or "
        "standardise the features."
    )


def _solve(information: Floats, gradient: Floats) -> Floats:
    """Newton step; a trace on the diagonal keeps directions without curvature solvable."""
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-100))
    with np.errstate(all="ignore"):
        system = information / np.outer(scale, scale)
        system.flat[:: len(scale) + 1] += 1e-13
        return np.linalg.solve(system, gradient / scale) / scale


def _derivatives(
    x: Floats, coef: Floats, sets: RiskSets, *, penalty: float
) -> tuple[float, Floats, Floats]:
    """Objective, its gradient, and the negative of its second derivatives."""
    predictor = x @ coef
    predictor = predictor - predictor.max()
    risk = np.exp(predictor)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at_risk = sets.sums(risk[:, None])
        value = sets.event @ predictor - sets.weight @ np.log(at_risk[:, 0])
        means = sets.sums(x * risk[:, None]) / at_risk
        # Cumulated hazard of each subject: event less this is its martingale residual.
        exposure = sets.transposed_sums(sets.weight[:, None] / at_risk)[:, 0] * risk
        information = (x * exposure[:, None]).T @ x - (means * sets.weight[:, None]).T @ means
        gradient = (sets.event - exposure) @ x - penalty * coef
    information.flat[:: len(coef) + 1] += penalty
    # So far out that the risk of some vanished beside that of others: no place to stand.
    objective = float(value - penalty / 2 * (coef @ coef)) if np.isfinite(value) else -np.inf
    return objective, gradient, information
