"""The minimum of a penalised loss, from the minimum nearby.

Variables that are in are solved for together by Newton's method, with their signs held: a step
stops where one would change sign, and that one leaves. Then the others are checked against the
condition for staying out (absolute gradient at most l1_ratio times the penalty), first those that
are likely to break it, at last all; the worst come in. Each step lowers a convex objective, so this
ends at its minimum, exact to rounding, where coordinate descent creeps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.linear_models.penalised_losses import Loss

# Slack of the conditions for a minimum, in units of the largest penalty: for variables that are
# in, and (larger, so that none goes in and out for ever) for those that are out.
_SLACK_IN = 1e-12
_SLACK_OUT = 1e-10
# Share of the null loss below which a change of the objective may be rounding.
_UNSEEN = 1e-11
# Share of the promised fall that a step must keep.
_ARMIJO = 1e-4
# Share of the last gradient below which a step was so good that its curvature serves once more.
_SETTLING = 0.1
_MAX_STEPS = 500
_MAX_ROUNDS = 5000
# Variables taken in at once: many that ask to come in no longer do after the first few have.
_BATCH = 10
# Correlation above which two variables are one.
_COPY = 1 - 1e-12
# A pivot this small beside its diagonal marks a linearly dependent variable.
_DEPENDENT = 1e-13
# Curvature that is taken at least, in units of the largest, where there is one.
_FLAT = 1e-10


@dataclass
class State:
    """Where the search stands: which variables are in, with which sign and coefficient."""

    inside: NDArray[np.intp]
    sign: Floats
    coef: Floats
    intercept: float
    eta: Floats

    def keep(self, mask: Bools) -> None:
        """Let the other variables out."""
        self.inside, self.sign, self.coef = self.inside[mask], self.sign[mask], self.coef[mask]


class Problem:
    """A loss, its standardised variables (rows of ``z``) and the share of the l1 penalty."""

    def __init__(self, loss: Loss, z: Floats, l1_ratio: float) -> None:
        self.loss, self.z, self.l1_ratio = loss, z, l1_ratio
        # Coefficients that come first and are not penalised: the intercept, if any.
        self.free = 0 if loss.intercept is None else 1
        eta = np.full(loss.n, loss.intercept or 0.0)
        self.null = loss.value(eta)
        self.gradient = z @ loss.slope(eta)
        self.largest = float(np.abs(self.gradient).max(initial=0.0)) / l1_ratio

    def start(self) -> State:
        """The model without variables."""
        intercept = self.loss.intercept or 0.0
        eta = np.full(self.loss.n, intercept)
        return State(np.empty(0, dtype=int), np.empty(0), np.empty(0), intercept, eta)

    def solve(self, state: State, penalty: float, likely: NDArray[np.intp]) -> Floats:
        """Move `state` to the minimum at `penalty`; return the gradient of all variables."""
        everyone = np.arange(len(self.z))
        asked = likely
        for _ in range(_MAX_ROUNDS):
            self._settle(state, penalty)
            slope = self.loss.slope(state.eta)
            gradient = (self.z if asked is everyone else self.z[asked]) @ slope
            late, signs = self._late(asked, gradient, state, bound=penalty * self.l1_ratio)
            if len(late):
                state.inside = np.concatenate([state.inside, late])
                state.sign = np.concatenate([state.sign, signs])
                state.coef = np.concatenate([state.coef, np.zeros(len(late))])
                asked = likely
            elif asked is everyone:
                return np.asarray(gradient)
            else:
                asked = everyone
        _warn_unsolved(penalty)
        return np.asarray(self.z @ slope)

    def _late(
        self, asked: NDArray[np.intp], gradient: Floats, state: State, *, bound: float
    ) -> tuple[NDArray[np.intp], Floats]:
        """Variables that must come in with their signs: the worst few, no near-copies."""
        slack = _SLACK_OUT * self.largest * self.l1_ratio
        excess = np.abs(gradient) - bound
        within = np.zeros(len(self.z), dtype=bool)
        within[state.inside] = True
        excess[within[asked]] = 0
        wrong = np.flatnonzero(excess > slack)
        if len(wrong) > _BATCH:
            # Copies tie up to rounding and must meet in one batch for the first to win.
            wrong = wrong[excess[wrong] >= np.partition(excess[wrong], -_BATCH)[-_BATCH] - slack]
        if len(wrong) > 1:
            rows = self.z[asked[wrong]]
            size = np.linalg.norm(rows, axis=1)
            alike = np.abs(rows @ rows.T) > _COPY * np.outer(size, size)
            wrong = wrong[~np.tril(alike, -1).any(axis=1)]
        return asked[wrong], -np.sign(gradient[wrong])

    def _settle(self, state: State, penalty: float) -> None:
        """Newton's method for the variables that are in, signs held; those that reach 0 leave."""
        l1, l2 = penalty * self.l1_ratio, penalty * (1 - self.l1_ratio)
        last, steepest = np.inf, np.inf
        solve: Callable[[Floats], Floats] | None = None
        for _ in range(_MAX_STEPS):
            if solve is None:
                rows = self._rows(state)
            gradient = rows @ self.loss.slope(state.eta)
            gradient[self.free :] += l1 * state.sign + l2 * state.coef
            steep = float(np.abs(gradient).max(initial=0.0))
            if steep <= _SLACK_IN * self.largest * self.l1_ratio:
                return
            # Near the minimum the curvature hardly changes, and making it is most of the work.
            if solve is None or steep > _SETTLING * steepest:
                curvature = self.loss.curvature(state.eta, rows)
                penalised = np.arange(self.free, len(rows))
                curvature[penalised, penalised] += l2
                solve = _newton(curvature)
            step = solve(gradient)
            fall = -float(gradient @ step)
            # Near the minimum each step promises far less than the last, until rounding is left.
            if fall <= _UNSEEN * self.null and fall > last / 4:
                return
            left = self._move(state, step, rows, fall=fall, l1=l1, l2=l2)
            last, steepest = (np.inf, np.inf) if left else (fall, steep)
            solve = None if left else solve
        _warn_unsolved(penalty)

    def _rows(self, state: State) -> Floats:
        """Variables that are in, behind the intercept, if there is one."""
        rows = self.z[state.inside]
        return np.vstack([np.ones(self.loss.n), rows]) if self.free else rows

    def _move(
        self, state: State, step: Floats, rows: Floats, *, fall: float, l1: float, l2: float
    ) -> bool:
        """Go along `step` until a sign would change or the objective rises; True if any left."""
        change = step[self.free :]
        turned = (state.coef + change) * state.sign <= 0
        if (turned & (state.coef == 0)).any():
            state.keep(~(turned & (state.coef == 0)))
            return True
        reach = np.full(len(change), np.inf)
        reach[turned] = -state.coef[turned] / change[turned]
        longest = length = min(1.0, float(reach.min(initial=np.inf)))

        def objective(coef: Floats, eta: Floats) -> float:
            return self.loss.value(eta) + float(l1 * np.abs(coef).sum() + l2 / 2 * coef @ coef)

        before = objective(state.coef, state.eta)
        while True:
            coef = state.coef + length * change
            intercept = state.intercept + (length * step[0] if self.free else 0.0)
            eta = coef @ rows[self.free :] + intercept
            # The objective is too coarse to judge a step that changes it by rounding only.
            if not length * fall > _UNSEEN * self.null:
                break
            if objective(coef, eta) <= before - _ARMIJO * length * fall:
                break
            length /= 2
        state.coef, state.intercept, state.eta = coef, intercept, eta
        if length < longest or not turned.any():
            return False
        state.keep(reach > longest)
        return True


def _warn_unsolved(penalty: float) -> None:
    warnings.warn(
        f"elastic net: the minimum at penalty {penalty:.3g} was not reached; variables are nearly "
        "copies of one another or the penalty is very small; drop such variables or raise it.",
        RadiogenomicsWarning,
        stacklevel=5,
    )


def _newton(curvature: Floats) -> Callable[[Floats], Floats]:
    """What turns a gradient into a step: the curvature's inverse, with a floor where it is flat."""
    try:
        factor = np.linalg.cholesky(curvature)
        sound = bool((np.diagonal(factor) ** 2 > _DEPENDENT * np.diagonal(curvature)).all())
    except np.linalg.LinAlgError:
        sound = False
    if sound:
        return lambda gradient: np.asarray(-cho_solve((factor, True), gradient, check_finite=False))
    size, axes = np.linalg.eigh(curvature)
    floored = np.maximum(size, _FLAT * size[-1])
    return lambda gradient: np.asarray(-axes @ ((axes.T @ gradient) / floored))
