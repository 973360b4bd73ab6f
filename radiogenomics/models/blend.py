"""Ridge logistic regression of a few scores, with weights that may be kept from going negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError

MAX_STEPS = 200
TOLERANCE = 1e-10
SMALLEST_STEP = 2.0**-40
# Weights closer to 0 than this may be held there for a step (Bertsekas' guard against zigzag).
NEAR_ZERO = 1e-3


@dataclass(frozen=True, eq=False)
class Blend:
    """Log-odds of the positive class are ``scores @ weights + intercept``.

    Parameters
    ----------
    weights
        Shape (k,).
    intercept
        Log-odds where all scores are 0.
    """

    weights: np.ndarray
    intercept: float

    def log_odds(self, scores: np.ndarray) -> np.ndarray:
        """Log-odds, shape (n,), of scores of shape (n, k)."""
        return scores @ self.weights + self.intercept


def fit_blend(
    scores: np.ndarray, positive: np.ndarray, *, C: float = 1.0, non_negative: bool = True
) -> Blend:
    r"""Fit the weights with which scores of several models are added up.

    Minimises :math:`C \sum_i [\log(1 + e^{\eta_i}) - y_i \eta_i] + \frac12 \lVert w \rVert^2` with
    :math:`\eta_i = s_i \cdot w + b`; the intercept :math:`b` is not penalised. With `non_negative`
    the minimum is taken over :math:`w \ge 0`: models that rank alike would otherwise be played off
    against each other with weights of opposite signs. Solved by projected Newton steps.

    Misleads when the scores are those of patients the models were fitted on.

    Parameters
    ----------
    scores
        Shape (n, k), of patients that the scoring models had not seen; best as log-odds, as the
        penalty depends on the scale.
    positive
        True for the positive class, shape (n,).
    C
        Weight of the likelihood beside the penalty, above 0.
    non_negative
        Whether weights are kept at 0 or above.

    Raises
    ------
    OutcomeError
        One class only.
    DataError
        `C` is not above 0, or a score is not finite.

    References
    ----------
    Breiman, Mach Learn 1996;24:49, doi:10.1007/BF00117832 (why not negative). Bertsekas, SIAM J
    Control Optim 1982;20:221 (projected Newton method).

    Examples
    --------
    >>> scores = np.array([[-2.0, 1.0], [-1.0, 2.0], [1.0, 1.0], [2.0, -1.0]])
    >>> fit_blend(scores, np.array([0, 0, 1, 1])).weights.round(2)
    array([1.01, 0.  ])
    """
    values, target = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    if not C > 0:
        raise DataError(f"C: expected a number above 0; found {C}. Mend the recipe.")
    if not np.isfinite(values).all():
        raise DataError(
            f"expected finite scores to blend; found {int((~np.isfinite(values)).sum())} others. "
            "Score the patients by each model first."
        )
    if target.all() or not target.any():
        raise OutcomeError(
            f"blend: expected two classes; found one in {len(target)} patients. Use more patients."
        )
    bounded = np.append(np.full(values.shape[1], non_negative), False)
    point = _Problem(values, target, C).minimise(bounded)
    return Blend(point[:-1], float(point[-1]))


class _Problem:
    """The objective over weights and, last, the intercept."""

    def __init__(self, values: np.ndarray, target: np.ndarray, C: float) -> None:
        self._design = np.column_stack([values, np.ones(len(values))])
        self._target, self._C = target.astype(float), C
        self._penalised = np.append(np.ones(values.shape[1]), 0.0)

    def loss(self, point: np.ndarray) -> float:
        eta = self._design @ point
        likelihood = np.logaddexp(0, eta) - self._target * eta
        return float(self._C * likelihood.sum() + (self._penalised * point) @ point / 2)

    def slopes(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = expit(self._design @ point)
        gradient = self._C * self._design.T @ (p - self._target) + self._penalised * point
        hessian = self._C * (self._design * (p * (1 - p))[:, None]).T @ self._design
        hessian.flat[:: len(point) + 1] += self._penalised + 1e-12
        return gradient, hessian

    def minimise(self, bounded: np.ndarray) -> np.ndarray:
        """Minimum with the ``bounded`` parameters at 0 or above."""
        prevalence = self._target.mean()
        point = np.zeros(len(bounded))
        point[-1] = np.log(prevalence / (1 - prevalence))
        loss = self.loss(point)
        for _ in range(MAX_STEPS):
            gradient, hessian = self.slopes(point)
            residual = np.abs(point - _project(point - gradient, bounded)).max()
            if residual < TOLERANCE * max(1.0, self._C):
                break
            held = bounded & (point <= min(NEAR_ZERO, residual)) & (gradient > 0)
            step = gradient.copy()
            free = np.flatnonzero(~held)
            step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
            trial, size = _project(point - step, bounded), 1.0
            # At the minimum the loss is flat to its last digit; the gradient still tells.
            highest = loss + 4 * np.finfo(float).eps * abs(loss)
            while (trial_loss := self.loss(trial)) > highest and size > SMALLEST_STEP:
                size /= 2
                trial = _project(point - size * step, bounded)
            if trial_loss > highest:
                break
            point, loss = trial, trial_loss
        return point


def _project(point: np.ndarray, bounded: np.ndarray) -> np.ndarray:
    return np.where(bounded, np.maximum(point, 0), point)
