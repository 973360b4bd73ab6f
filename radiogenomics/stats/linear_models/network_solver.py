"""The minimum of a loss under an l1 and a quadratic network penalty, from the minimum nearby.

The same idea as ``elastic_net_solver``, for a penalty in which variables meet: Newton's method for
those that are in, with what would change sign set to 0, then a check of all.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.linear_models.penalised_losses import Loss

# Breach of the conditions for a minimum that is let pass, over the steepest derivative: for
# variables that are in, and (larger, so that none goes in and out for ever) that are out.
_SLACK_IN = 1e-11
_SLACK_OUT = 1e-10
# Share of the null loss below which a change of the objective may be rounding.
_UNSEEN = 1e-11
# Share of the promised fall that a step must keep.
_ARMIJO = 1e-4
_MAX_STEPS = 200
_MAX_ROUNDS = 2000
# Variables taken in at once: at least so many, and at most this share of those that are in.
_BATCH, _BATCH_SHARE = 20, 0.25
# Curvature that is added, over the largest, until the matrix can be factored.
_FIRST_RIDGE, _RIDGE_GROWTH = 1e-12, 100.0
# Halvings of a step that may cross zeros, before one that crosses none is taken.
_CROSSINGS = 4


class NetworkProblem:
    """A loss, its variables, the matrix of the quadratic penalty, and where the search stands.

    Parameters
    ----------
    loss : Loss
    z : ndarray of shape (p, n)
        Standardised variables, one a row.
    laplacian : csr_matrix of shape (p, p)
    l1_ratio : float
        Share of the l1 penalty.

    Attributes
    ----------
    coef, intercept, eta
        Where the search stands; at first the model without variables.
    null : float
        Loss of that model.
    steepest : float
        Its largest derivative by a coefficient.
    """

    def __init__(
        self, loss: Loss, z: Floats, *, laplacian: sparse.csr_matrix, l1_ratio: float
    ) -> None:
        self.loss, self.z, self.laplacian, self.l1_ratio = loss, z, laplacian, l1_ratio
        self.free = 0 if loss.intercept is None else 1
        self.intercept = loss.intercept or 0.0
        self.coef = np.zeros(len(z))
        self.eta = np.full(loss.n, self.intercept)
        self.null = loss.value(self.eta)
        self.steepest = float(np.abs(z @ loss.slope(self.eta)).max(initial=0.0))

    def solve(self, penalty: float) -> float:
        """Move to the minimum at `penalty`; return the breach that is left, over `steepest`."""
        l1, l2 = penalty * self.l1_ratio, penalty * (1 - self.l1_ratio)
        for _ in range(_MAX_ROUNDS):
            gradient = self.z @ self.loss.slope(self.eta) + l2 * (self.laplacian @ self.coef)
            excess = np.where(self.coef == 0, np.abs(gradient) - l1, 0.0)
            late = np.flatnonzero(excess > _SLACK_OUT * self.steepest)
            breach = np.abs(gradient + l1 * np.sign(self.coef))[self.coef != 0].max(initial=0.0)
            if not len(late) and breach <= _SLACK_IN * self.steepest:
                break
            before = self.coef
            self._settle(self._batch(late, excess), gradient, l1=l1, l2=l2)
            # Where nothing moves any more, rounding is what is left.
            if np.array_equal(before, self.coef):
                break
        else:
            _warn_unsolved(penalty)
        left = max(float(breach), float(excess.max(initial=0.0)))
        return left / self.steepest if self.steepest > 0 else 0.0

    def _batch(self, late: NDArray[np.intp], excess: Floats) -> NDArray[np.intp]:
        """The worst of those that must come in."""
        most = max(_BATCH, int(_BATCH_SHARE * np.count_nonzero(self.coef)))
        if self.l1_ratio == 0 or len(late) <= most:
            return late
        return late[np.argpartition(excess[late], -most)[-most:]]

    def _settle(self, late: NDArray[np.intp], gradient: Floats, *, l1: float, l2: float) -> None:
        """Newton's method for the variables that are in and those that come in."""
        sign = np.sign(self.coef)
        sign[late] = -np.sign(gradient[late])
        inside = np.flatnonzero(sign)
        for _ in range(_MAX_STEPS):
            rows = self.z[inside]
            if self.free:
                rows = np.vstack([np.ones(self.loss.n), rows])
            slope = rows @ self.loss.slope(self.eta)
            network = self.laplacian[inside]
            slope[self.free :] += l1 * sign[inside] + l2 * (network @ self.coef)
            if np.abs(slope).max(initial=0.0) <= _SLACK_IN * self.steepest:
                return
            curvature = self.loss.curvature(self.eta, rows)
            curvature[self.free :, self.free :] += l2 * network[:, inside].toarray()
            step = _newton_step(curvature, slope)
            fall = -float(slope @ step)
            moved = self._move(inside, step, rows, slope=slope, penalties=(l1, l2))
            kept = self.coef[inside] != 0
            if not moved or (kept.all() and fall <= 1e-3 * _UNSEEN * self.null):
                return
            inside = inside[kept]

    def _move(
        self,
        inside: NDArray[np.intp],
        step: Floats,
        rows: Floats,
        *,
        slope: Floats,
        penalties: tuple[float, float],
    ) -> bool:
        """Go along `step`, setting to 0 what would change sign; False where nothing falls."""
        start, change = self.coef[inside], step[self.free :]
        sign = np.where(start != 0, np.sign(start), -np.sign(slope[self.free :]))
        before = self._objective(self.coef, self.eta, penalties)
        crossed = (start + change) * sign < 0
        # A variable that is 0 and steps to the wrong side stays where it is.
        change = np.where(crossed & (start == 0), 0.0, change)
        crossing = crossed & (start != 0)
        reach = float((-start[crossing] / change[crossing]).min(initial=1.0))
        lengths = [0.5**k for k in range(_CROSSINGS)] if crossing.any() else []
        lengths += [reach * 0.5**k for k in range(50)]
        for length in lengths:
            moved = start + length * change
            moved[(moved * sign < 0) | (np.abs(moved) < 1e-15 * np.abs(start))] = 0.0
            intercept = self.intercept + (length * step[0] if self.free else 0.0)
            promised = -float(slope[self.free :] @ (moved - start))
            promised -= slope[0] * length * step[0] if self.free else 0.0
            coef = self.coef.copy()
            coef[inside] = moved
            eta = moved @ rows[self.free :] + intercept
            after = self._objective(coef, eta, penalties)
            unseen = abs(promised) <= _UNSEEN * self.null and after <= before + _UNSEEN * self.null
            if unseen or (promised > 0 and after <= before - _ARMIJO * promised):
                self.coef, self.intercept, self.eta = coef, intercept, eta
                return True
        return False

    def _objective(self, coef: Floats, eta: Floats, penalties: tuple[float, float]) -> float:
        l1, l2 = penalties
        quadratic = float(coef @ (self.laplacian @ coef)) if l2 else 0.0
        return self.loss.value(eta) + l1 * float(np.abs(coef).sum()) + l2 / 2 * quadratic


def _newton_step(curvature: Floats, slope: Floats) -> Floats:
    """Solve for the step, with curvature added where variables depend on each other."""
    largest = float(np.diagonal(curvature).max(initial=0.0)) or 1.0
    ridge = 0.0
    while True:
        try:
            factor = cho_factor(curvature, lower=True, check_finite=False)
            if (np.diagonal(factor[0]) ** 2 > _FIRST_RIDGE * largest).all():
                return np.asarray(-cho_solve(factor, slope, check_finite=False))
        except np.linalg.LinAlgError:
            pass
        more = max(_FIRST_RIDGE, ridge * _RIDGE_GROWTH)
        curvature[np.diag_indices_from(curvature)] += (more - ridge) * largest
        ridge = more


def _warn_unsolved(penalty: float) -> None:
    warnings.warn(
        f"network penalty: the minimum at penalty {penalty:.3g} was not reached; variables are "
        "nearly copies of one another or the penalty is very small; drop such variables or raise "
        "it.",
        RadiogenomicsWarning,
        stacklevel=5,
    )
