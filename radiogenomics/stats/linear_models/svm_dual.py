"""The linear support vector machine with hinge loss, exact, and followed as features leave.

The dual of n patients is a quadratic programme in a box. Where a patient is free (between its
bounds) the condition for a minimum is an equation, so while the same patients are free the solution
moves on a straight line when the linear term of the programme does. Following it from bend to bend,
where a patient comes to a bound or leaves one, ends at an exact solution. Taking a feature out is
such a move too, so the solution without it is found from the one with it, in a few bends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dger

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats

# Slack of the conditions for a minimum, where 1 is the margin, and what sums of large terms add.
_SLACK = 1e-10
_ROUNDING = 1e-15
# Share of the Gram matrix that rounding may have eaten.
_SINGULAR = 1e-11
# Speeds this small beside the fastest are rounding.
_STILL = 1e-12
# Error of the inverse, relative, from which it is made anew.
_WORN = 1e-7
_STARTS = 8
# Bends at most, in units of patients; on noise a whole solution takes about two.
_BENDS = 20


class HingePlane(NamedTuple):
    """A separating hyperplane in its dual form.

    Attributes
    ----------
    dual : ndarray, shape (n,)
        Sign times multiplier of each patient, from -C to C; they sum to zero. A patient whose inner
        products with these patients are k has the score ``k @ dual + intercept``.
    intercept : float
        Where several are as good, the middle of them, as in libsvm.
    violation : float
        Largest violation of the conditions for a minimum, where 1 is the margin.
    """

    dual: Floats
    intercept: float
    violation: float


class HingeDual:
    r"""The solution for a Gram matrix, kept exact while features are taken out.

    With :math:`\beta_i = y_i \alpha_i` between its bounds (0 and :math:`y_i C`) a minimum has
    :math:`e = K \beta + b - y = 0` where a patient is free, :math:`e \ge 0` at the lower and
    :math:`e \le 0` at the upper bound. Without feature x the matrix is :math:`K - x x^T`, and that
    is the same as keeping K and moving the labels to :math:`y + s x` with
    :math:`s = x \cdot \beta`: s is followed from 0 until this holds. The inverse of the equations
    of the free patients is kept up to date by changes of rank one.

    Where patients tie or rounding leads astray, which the conditions show, the problem is solved
    from nothing instead; that is as exact, only slower.

    Parameters
    ----------
    gram : ndarray, shape (n, n)
        Symmetric, positive semidefinite.
    sign : ndarray, shape (n,)
        1 and -1, both present.
    C : float
        Weight of the losses, above 0.
    rank : int
        Bound on the rank of the Gram matrix: the number of features.
    """

    def __init__(self, gram: Floats, sign: Floats, *, C: float, rank: int) -> None:
        n = len(sign)
        self._sign, self._C = sign, C
        # The intercept is one more unknown, always free; its equation is that beta sums to zero.
        self._label = np.append(sign, 0.0)
        self._matrix = np.ones((n + 1, n + 1), order="F")
        self._matrix[n, n] = 0
        self.replace(gram, rank=rank)

    @property
    def dual(self) -> Floats:
        """Sign times multiplier, shape (n,)."""
        return self._solution[:-1] / self._unit**2

    @property
    def intercept(self) -> float:
        """Unique where a patient is between the bounds; else the middle of what is allowed."""
        inside = self._solution[:-1]
        touch = _STILL * (self._highest - self._lowest)
        at_lowest, at_highest = inside <= self._lowest + touch, inside >= self._highest - touch
        if not (at_lowest | at_highest).all():
            return float(self._solution[-1])
        error = self._error(self._label)[:-1]
        slack = (error[at_lowest].min() + error[at_highest].max()) / 2
        return float(self._solution[-1] - slack)

    def plane(self) -> HingePlane:
        """Copy of the solution."""
        return HingePlane(self.dual, self.intercept, self._violation)

    def replace(self, gram: Floats, *, rank: int) -> None:
        """Take another Gram matrix and solve from nothing."""
        # Features of any scale meet the ones of the intercept as numbers of like size.
        self._unit = float(np.sqrt(gram.diagonal().max())) or 1.0
        bound = self._C * self._unit**2 * self._sign
        self._lowest, self._highest = np.minimum(bound, 0), np.maximum(bound, 0)
        self._rank = rank
        self._take(gram)
        self._solve_anew()

    def refresh(self, gram: Floats) -> None:
        """Take the same Gram matrix, free of the rounding that features taken out have left."""
        self._take(gram)
        self._invert()
        self._settle()

    def remove(self, feature: Floats) -> None:
        """Take a feature, shape (n,), out of the Gram matrix and follow the solution."""
        drive = np.append(feature / self._unit, 0.0)
        arrived = self._follow(drive, self._error(self._label), shrink=True)
        dger(-1.0, drive, drive, a=self._matrix, overwrite_a=1)
        self._rank -= 1
        if not arrived:
            self._solve_anew()
            return
        gain = self._inverse @ drive
        left = 1 - float(drive @ gain)
        if left > _WORN:
            dger(1 / left, gain, gain, a=self._inverse, overwrite_a=1)
        else:
            self._invert()
        self._settle()

    def _take(self, gram: Floats) -> None:
        self._matrix[:-1, :-1] = gram / self._unit**2
        self._size = float(self._matrix[:-1, :-1].diagonal().max())

    def _settle(self) -> None:
        if not self._polish():
            self._solve_anew()

    def _solve_anew(self) -> None:
        """From zero: there the labels are first moved so far that zero is the solution.

        How far differs between patients, so that they do not all ask to come in at once.
        """
        n = len(self._label) - 1
        for start in range(_STARTS):
            self._solution = np.zeros(n + 1)
            self._side = np.where(self._label > 0, -1.0, 1.0)
            self._side[[start % n, n]] = 0
            self._free = self._side == 0
            self._invert()
            begin = -self._label * (0.5 + _spread(n + 1, start))
            begin[self._free] = 0
            if self._follow(self._label - begin, self._error(begin), shrink=False):
                if self._polish():
                    return
        raise DataError(
            f"expected a support vector machine that can be solved to {_SLACK}; found none in "
            f"{_STARTS} attempts on {n} patients. Standardise the features, or try a smaller C."
        )

    def _follow(self, drive: Floats, error: Floats, *, shrink: bool) -> bool:
        """Move the labels along ``drive``, by 1 or until the feature has gone; False when lost."""
        gap = float(drive @ self._solution) if shrink else 1.0
        weightless = _STILL * float(np.abs(drive) @ np.abs(self._solution)) if shrink else 0.0
        size = float(np.abs(drive).max())
        fresh = False
        for _ in range(_BENDS * len(drive)):
            step = self._inverse @ drive
            if self._n_free == 1:
                step[:-1] = 0  # One patient cannot move alone, though rounding says so.
            shrinkage = 1 - float(drive @ step) if shrink else 1.0
            blocked = shrink and self._explained(shrinkage, step)
            if abs(gap) <= weightless:
                # The solution stays; but without the feature one patient less may be free.
                return not blocked or self._give_way(step)
            rate = self._matrix @ step - drive
            if not fresh and np.abs(rate[self._free]).max() > _WORN * size:
                self._invert()
                fresh = True
                continue
            fresh = False
            way = -1.0 if gap < 0 else 1.0
            rate[np.abs(rate) <= _STILL * size] = 0
            left = np.inf if blocked else abs(gap) / shrinkage
            who, far = self._next_bend(way * step, way * rate, error)
            length = min(left, far)
            if not np.isfinite(length):
                return False
            self._solution += way * length * step
            error += way * length * rate
            gap -= way * length * shrinkage
            if left <= far:
                return True
            if self._free[who]:
                self._hold(who, side=way * step[who])
                self._forget(who)
            elif not self._enter(who):
                return False
        return False

    def _next_bend(self, step: Floats, rate: Floats, error: Floats) -> tuple[int, float]:
        """Who is first to come to a bound or to leave one, and how far off that is."""
        free, step, rate = self._free[:-1], step[:-1], rate[:-1]
        size = np.abs(step)
        moves = np.where(free, size > _STILL * size.max(), rate * self._side[:-1] > 0)
        end = np.where(step > 0, self._highest, self._lowest) - self._solution[:-1]
        far = np.full(len(step), np.inf)
        np.divide(
            np.where(free, end, -error[:-1]), np.where(free, step, rate), out=far, where=moves
        )
        np.maximum(far, 0, out=far)
        who = int(far.argmin())
        return who, float(far[who])

    def _enter(self, who: int) -> bool:
        """Let a patient at a bound go free; False when lost.

        Where the free ones explain this one wholly, the equations would be singular: there is a
        direction along which nothing changes, which is followed until somebody comes to a bound.
        """
        direction, unexplained = self._border(who)
        if self._explained(unexplained, direction):
            direction *= -self._side[who]
            self._free[who] = True
            first = self._slide(direction)
            if first is None or first == who:
                return first is not None
            if self._n_free > 1:
                self._forget(first)
                direction, unexplained = self._border(who)
        self._free[who], self._side[who] = True, 0
        if self._n_free > 1 and unexplained > 0:
            dger(1 / unexplained, direction, direction, a=self._inverse, overwrite_a=1)
        else:
            self._invert()
        return True

    def _give_way(self, direction: Floats) -> bool:
        """Let one patient less be free, where nothing else changes; False when lost."""
        who = self._slide(direction)
        if who is not None:
            self._forget(who)
        return who is not None

    def _border(self, who: int) -> tuple[Floats, float]:
        """How the free ones give way to a patient, and what they leave unexplained of this one."""
        column = self._matrix[:, who]
        direction = -(self._inverse @ column)
        direction[who] = 1
        return direction, float(direction @ column)

    def _slide(self, direction: Floats) -> int | None:
        """Follow a direction along which nothing changes until somebody comes to a bound.

        None when nobody does, which only rounding can bring about.
        """
        nothing = np.zeros(len(direction))
        who, far = self._next_bend(direction, nothing, nothing)
        if not np.isfinite(far):
            return None
        self._solution += far * direction
        self._hold(who, side=direction[who])
        return who

    def _hold(self, who: int, *, side: float) -> None:
        """Hold a patient at the upper (side above 0) or the lower bound."""
        self._free[who] = False
        self._side[who] = np.sign(side)
        self._solution[who] = (self._highest if side > 0 else self._lowest)[who]

    def _forget(self, who: int) -> None:
        """Take one that is no longer free out of the inverse."""
        column = self._inverse[:, who].copy()
        if column[who] <= 0:
            self._invert()
            return
        dger(-1 / column[who], column, column, a=self._inverse, overwrite_a=1)
        self._inverse[:, who] = 0
        self._inverse[who] = 0

    @property
    def _n_free(self) -> int:
        return np.count_nonzero(self._free) - 1

    def _explained(self, rest: float, move: Floats) -> bool:
        """Whether what is left of the square of a move in the Gram matrix is rounding."""
        if self._n_free > self._rank:
            return True
        return rest <= _SINGULAR * self._size * float(np.abs(move[:-1]).sum()) ** 2

    def _invert(self) -> None:
        """Invert the equations of the free patients."""
        self._inverse = np.zeros(self._matrix.shape, order="F")
        free = np.ix_(self._free, self._free)
        try:
            self._inverse[free] = np.linalg.inv(self._matrix[free])
        except np.linalg.LinAlgError:
            # Rounding let in too many; this does, or the check that follows finds that it does not.
            self._inverse[free] = np.linalg.pinv(self._matrix[free], hermitian=True)

    def _error(self, label: Floats) -> Floats:
        return self._matrix @ self._solution - label

    def _polish(self) -> bool:
        """Take rounding out; True when the conditions for a minimum hold."""
        for again in (False, True):
            if again:
                self._invert()
            self._solution -= self._inverse @ self._error(self._label)
            self._violation = self._worst()
            terms = self._size * float(np.abs(self._solution[:-1]).sum())
            if self._violation <= _SLACK + _ROUNDING * terms:
                return True
        return False

    def _worst(self) -> float:
        error, side = self._error(self._label)[:-1], self._side[:-1]
        wrong = np.where(side == 0, np.abs(error), side * error)
        inside = self._solution[:-1]
        outside = np.maximum(inside - self._highest, self._lowest - inside)
        return float(max(wrong.max(), (outside / (self._highest - self._lowest)).max()))


def _spread(n: int, start: int) -> Floats:
    """Numbers spread over 0 to 1, other ones for each start."""
    return (np.arange(n) * (np.sqrt(5 + 4 * start) - 1) / 2) % 1
