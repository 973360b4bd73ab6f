r"""Sparse canonical pairs of many relabelled cohorts at once, by matrix products over the batch.

The engine of `sparse_cca` and its permutations: alternating soft thresholds from the singular
vectors of :math:`X^\top Y`, which come from inner products of patients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.association.training_columns import TrainingColumns
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.resampled_pairs import chunks

# Values of a batch held at once.
AT_ONCE = 2**20
# Inner products of patients below this share of the largest are rounding.
_RANK = 1e-10
# A sum of absolute values this near to its bound, as a share, is within it.
_ROUNDING = 1e-13


class Effort(NamedTuple):
    """When to stop.

    Attributes
    ----------
    turns : int
        After so many a pair is taken as it is.
    tolerance : float
        Length of the change of y's weights in a turn at which a pair stands.
    """

    turns: int
    tolerance: float


EXACT = Effort(turns=2000, tolerance=1e-8)
# Of the procedure that permutations repeat: directions without a link behind them turn for long,
# and their correlations are no better known for it.
BRIEF = Effort(turns=25, tolerance=1e-3)


class Pairs(NamedTuple):
    """Weights of each component and member of a batch.

    Attributes
    ----------
    x, y : ndarray of shape (components, batch, columns)
        Of length 1; the largest of x positive.
    settled : bool
        Whether all came to stand.
    """

    x: Floats
    y: Floats
    settled: bool


class _Problem(NamedTuple):
    """Two tables, bounds of shape (batch, 2), and pairs found, which are taken out: u, v, size."""

    x: TrainingColumns
    y: TrainingColumns
    bounds: Floats
    found: tuple[tuple[Floats, Floats, Floats], ...]

    def take(self, members: NDArray[np.intp]) -> _Problem:
        found = tuple((u[members], v[members], size[members]) for u, v, size in self.found)
        return _Problem(self.x.take(members), self.y, self.bounds[members], found)

    def to_x(self, v: Floats) -> Floats:
        products = self.x.products(self.y.scores(v))
        for earlier_u, earlier_v, size in self.found:
            products -= (size * (earlier_v * v).sum(axis=1))[:, None] * earlier_u
        return products

    def to_y(self, u: Floats) -> Floats:
        products = self.y.products(self.x.scores(u))
        for earlier_u, earlier_v, size in self.found:
            products -= (size * (earlier_u * u).sum(axis=1))[:, None] * earlier_v
        return products


def sparse_pairs(
    x: TrainingColumns,
    y: TrainingColumns,
    *,
    shares: Floats,
    components: int = 1,
    effort: Effort = EXACT,
) -> Pairs:
    """Find the first pairs of each member of a batch, one after another.

    Parameters
    ----------
    x
        One member an order.
    y
        A single member.
    shares : ndarray of shape (batch, 2)
        Bounds as shares of the square roots of the numbers of columns.
    components
        At most the rank of both tables.
    effort
        When to stop.
    """
    widths = x.values.shape[1], y.values.shape[1]
    problem = _Problem(x, y, np.maximum(shares * np.sqrt(widths), 1.0), ())
    settled = True
    for start in _starts(x, y, components):
        u, v, stands = _alternate(problem, start, effort=effort)
        settled &= stands
        size = (u * problem.to_x(v)).sum(axis=1)
        problem = problem._replace(found=(*problem.found, (u, v, size)))
    return Pairs(
        np.array([u for u, _, _ in problem.found]),
        np.array([v for _, v, _ in problem.found]),
        settled,
    )


def first_correlations(
    x: Floats, kept: TrainingColumns, rows: NDArray[np.intp], *, share: float
) -> Floats:
    """Correlation of the first pair in the training part itself, for rows of x in each order."""
    found = []
    for piece in chunks(len(rows), max(x.shape[1], kept.values.shape[1]), at_once=AT_ONCE):
        moved = TrainingColumns.build(x, rows[piece], kept.basis)
        shares = np.full((len(moved.rows), 2), share)
        pairs = sparse_pairs(moved, kept, shares=shares, effort=BRIEF)
        found.append(correlate(moved.scores(pairs.x[0]), kept.scores(pairs.y[0])))
    return np.concatenate(found)


def stand_out(correlations: Floats) -> Floats:
    """Fisher's z of the first of each row, less the mean of the others, by their deviation."""
    fisher = np.arctanh(np.clip(correlations, -1 + 1e-12, 1 - 1e-12))
    null = fisher[:, 1:]
    return np.asarray((fisher[:, 0] - null.mean(axis=1)) / null.std(axis=1, ddof=1))


def correlate(a: Floats, b: Floats) -> Floats:
    """Correlation of centred rows; 0 where one has no spread."""
    size = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.divide((a * b).sum(axis=-1), size, out=np.zeros(size.shape), where=size > 0)


def shrink_to_bound(values: Floats, bounds: Floats) -> Floats:
    r"""Soft-threshold rows so that, at length 1, absolute values sum to a bound at most.

    With the j largest absolute values kept, sum :math:`s_1`, sum of squares :math:`s_2`, threshold
    :math:`\Delta = s_1/j - (c/j)\sqrt{(j s_2 - s_1^2)/(j - c^2)}` meets the bound c exactly; j is
    the first count at which the next smaller value as threshold would exceed it.

    Parameters
    ----------
    values : ndarray of shape (batch, columns)
    bounds : ndarray of shape (batch,)
        At least 1.

    Returns
    -------
    ndarray of shape (batch, columns)
        Rows of length 1; rows of 0 stay.

    Examples
    --------
    >>> shrink_to_bound(np.array([[3.0, -4.0, 0.5]]), np.array([1.2])).round(3)
    array([[ 0.226, -0.974, 0. ]])
    """
    absolute = np.abs(values)
    ordered = -np.sort(-absolute, axis=1)
    s1, s2 = np.cumsum(ordered, axis=1), np.cumsum(ordered**2, axis=1)
    j, bound = np.arange(1, values.shape[1] + 1), bounds[:, None]
    following = np.zeros_like(ordered)
    following[:, :-1] = ordered[:, 1:]
    squares = s2 - following * (2 * s1 - j * following)
    # Ties at the top leave nothing but rounding in both sums.
    beyond = (s1 - j * following) ** 2 > bound**2 * squares + _ROUNDING * s2
    place = np.argmax(beyond, axis=1)[:, None]
    s1, s2 = (np.take_along_axis(sums, place, axis=1) for sums in (s1, s2))
    count = place + 1.0
    root = np.sqrt(np.maximum(count * s2 - s1**2, 0) / np.maximum(count - bound**2, _ROUNDING))
    threshold = np.where(beyond.any(axis=1)[:, None], (s1 - bound * root) / count, 0.0)
    left = np.sign(values) * np.maximum(absolute - threshold, 0)
    # Equal largest values whose signs alone exceed the bound share the weight.
    left = np.where(left.any(axis=1)[:, None], left, values * (absolute >= ordered[:, :1]))
    size = np.sqrt((left**2).sum(axis=1, keepdims=True))
    return np.divide(left, size, out=np.zeros_like(left), where=size > 0)


def _starts(x: TrainingColumns, y: TrainingColumns, components: int) -> Iterator[Floats]:
    """Right singular vectors of X'Y, largest first, each of shape (batch, columns of y).

    With YY' = L L', they are Y' L (L'L)^-1 w for eigenvectors w of L' XX' L.
    """
    values, vectors = np.linalg.eigh(y.gram()[0])
    kept = values > _RANK * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])
    _, w = np.linalg.eigh(root.T @ x.gram() @ root)
    places = (root / values[kept]) @ w
    for component in range(1, components + 1):
        start = y.products(places[:, :, -component])
        yield start / np.sqrt((start**2).sum(axis=1, keepdims=True))


def _alternate(problem: _Problem, start: Floats, *, effort: Effort) -> tuple[Floats, Floats, bool]:
    """Turn by turn until weights stand; members that do are left alone, whatever the others do."""
    v = start.copy()
    u = np.empty((len(v), problem.x.values.shape[1]))
    moving = np.arange(len(v))
    for _ in range(effort.turns):
        part, before = problem.take(moving), v[moving]
        u[moving] = shrink_to_bound(part.to_x(before), part.bounds[:, 0])
        after = shrink_to_bound(part.to_y(u[moving]), part.bounds[:, 1])
        v[moving] = after
        moving = moving[((after - before) ** 2).sum(axis=1) > effort.tolerance**2]
        if not moving.size:
            break
    largest = np.take_along_axis(u, np.abs(u).argmax(axis=1)[:, None], axis=1)
    sign = np.where(largest < 0, -1.0, 1.0)
    return u * sign, v * sign, not moving.size
