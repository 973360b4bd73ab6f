"""Recursive elimination of features by the weights of a linear support vector machine.

Every machine on the way is solved exactly, and followed from the one before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import AlignmentError, DataError
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.linear_models.svm_dual import HingeDual
from radiogenomics.stats.linear_models.svm_plane import check_margin

# Squared weights this close, relative, are tied; weights this small beside their terms are zero.
_TIED = 1e-10
_ROUNDING = 1e-13
# Rows of features that left are dropped, and rounding with them, when this share is left.
_COMPACT = 0.75
# More features than patients over this are not followed one by one, but solved for from nothing.
_FOLLOWED = 8


class Elimination(NamedTuple):
    """The order in which features left, and what the machines on the way said of other patients.

    Attributes
    ----------
    n_features : ndarray of int, shape (steps,)
        Features of each machine, falling.
    left_after : ndarray of int, shape (p,)
        The machine (from 0) after which a feature left; ``steps`` where it stayed.
    scores : ndarray, shape (steps, m)
        Of the other patients: above 0 on the side of the positive class.
    """

    n_features: NDArray[np.intp]
    left_after: NDArray[np.intp]
    scores: Floats


def eliminate(
    features: ArrayLike,
    sign: ArrayLike,
    *,
    C: float = 1.0,
    step: int = 1,
    keep: int = 1,
    others: ArrayLike | None = None,
) -> Elimination:
    r"""Take the features of least weight out of a linear support vector machine, again and again.

    The machine is that of `svm_plane.hinge_plane`; after it the ``step`` features of least squared
    weight :math:`w_j^2` leave, and so on with the others, down to ``keep``. Of features of equal
    weight the earlier one leaves first. Weights depend on the scale: standardise first. Of two
    features that say the same, each has half the weight, and both may leave before a worse one.

    Parameters
    ----------
    features : array-like of shape (n, p)
    sign : array-like of shape (n,)
        1 and -1, both present.
    C : float
        Weight of the losses, above 0.
    step, keep : int
        Features taken out at a time, and features at the end.
    others : array-like of shape (m, p), optional
        Patients to score with each machine.

    Returns
    -------
    Elimination

    Raises
    ------
    DataError, AlignmentError, OutcomeError
        If features are not finite, a number is senseless, shapes do not fit, or a class is absent.

    References
    ----------
    Guyon et al. 2002, doi:10.1023/A:1012487302797.

    Examples
    --------
    >>> X = [[0.1, 2.0, 0.0], [0.0, 1.0, 0.1], [-0.1, -1.5, 0.0], [0.0, -1.0, -0.3]]
    >>> found = eliminate(X, [1, 1, -1, -1])
    >>> found.n_features.tolist(), found.left_after.tolist()
    ([3, 2, 1], [0, 3, 1])
    """
    values, apart = _checked(features, others, step=step, keep=keep)
    way = _Way(values, check_margin(sign, n=len(values), C=C), apart, C=C)
    way.score()
    for left in range(values.shape[1], keep, -step):
        way.drop(min(step, left - keep))
        way.score()
    return way.walked()


class _Way:
    """What is left of the features, the machine on them, and what was seen so far."""

    def __init__(self, values: Floats, signs: Floats, apart: Floats, *, C: float) -> None:
        n, p = values.shape
        # Centring changes the intercept only, and large means do no harm.
        middle = values.mean(axis=0)
        self._rows, self._apart = np.ascontiguousarray((values - middle).T), apart - middle
        self._columns, self._alive = np.arange(p), np.ones(p, dtype=bool)
        self._most_followed = n // _FOLLOWED
        self._size = float(np.abs(self._rows).max())
        self._counts: list[int] = []
        self._scores: list[Floats] = []
        self._left_after = np.full(p, -1)
        self._machine = HingeDual(self._rows.T @ self._rows, signs, C=C, rank=p)

    def score(self) -> None:
        """Weigh the features and score the other patients."""
        dual = self._machine.dual
        weights = np.where(self._alive, self._rows @ dual, 0.0)
        # A machine of no weight must neither rank nor score by rounding.
        weights[np.abs(weights) <= _ROUNDING * self._size * np.abs(dual).sum()] = 0
        self._weights = weights
        self._counts.append(np.count_nonzero(self._alive))
        self._scores.append(self._apart @ weights + self._machine.intercept)

    def drop(self, count: int) -> None:
        """Take the features of least weight out, and find the machine on the others."""
        leaving = _least(np.where(self._alive, self._weights**2, np.inf), count)
        self._left_after[self._columns[leaving]] = len(self._counts) - 1
        self._alive[leaving] = False
        if count > self._most_followed:
            self._machine.replace(self._compact(), rank=len(self._rows))
            return
        for row in self._rows[leaving]:
            self._machine.remove(row)
        if np.count_nonzero(self._alive) < _COMPACT * len(self._alive):
            self._machine.refresh(self._compact())

    def _compact(self) -> Floats:
        """Forget the features that left; the Gram matrix of the others."""
        self._rows, self._columns = self._rows[self._alive], self._columns[self._alive]
        self._apart = np.ascontiguousarray(self._apart[:, self._alive])
        self._alive = np.ones(len(self._rows), dtype=bool)
        return self._rows.T @ self._rows

    def walked(self) -> Elimination:
        """All that was seen."""
        self._left_after[self._columns[self._alive]] = len(self._counts)
        return Elimination(np.array(self._counts), self._left_after, np.array(self._scores))


def _least(squares: Floats, count: int) -> NDArray[np.intp]:
    """Places of the smallest; ties at the limit go to the earlier ones."""
    limit = np.partition(squares, count - 1)[count - 1]
    below = squares < limit * (1 - _TIED)
    tied = np.flatnonzero(~below & (squares <= limit * (1 + _TIED)))
    below[tied[: count - np.count_nonzero(below)]] = True
    return np.flatnonzero(below)


def _checked(
    features: ArrayLike, others: ArrayLike | None, *, step: int, keep: int
) -> tuple[Floats, Floats]:
    values = as_floats(features, "features")
    if values.ndim != 2 or values.size == 0:
        raise DataError(
            f"expected features of shape (n, p); found {values.shape}. Put one patient a row."
        )
    p = values.shape[1]
    apart = np.empty((0, p)) if others is None else as_floats(others, "other patients")
    if apart.ndim != 2 or apart.shape[1] != p:
        raise AlignmentError(
            f"expected other patients with the same {p} features; found shape {apart.shape}. Give "
            "them the columns of the first."
        )
    if not (np.isfinite(values).all() and np.isfinite(apart).all()):
        raise DataError(
            "expected finite features; found missing or infinite ones. Impute or drop them."
        )
    if step < 1 or not 1 <= keep <= p:
        raise DataError(
            f"expected step from 1 and keep from 1 to {p}; found {step} and {keep}. Correct them."
        )
    return values, apart
