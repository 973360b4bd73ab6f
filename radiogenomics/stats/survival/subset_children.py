"""What each further candidate could add to fitted subsets, with proven upper bounds.

At the maximum b of a model (the anchor) the gradient of its own coefficients is zero. A candidate j
that joins it brings the gradient U_j and a row of the information, and with c its information less
what the anchor explains of it,

- the first Newton step raises the likelihood by U_j^2 / 2c, the score test of the candidate beside
  the anchor: the estimate;
- the likelihood cannot rise by more than `gain_bound` of D = |U_j| / sqrt(c): the bound.

For one anchor all candidates share the hazards, so that gradients and the information's first half
are matrix products, and its second half is a pass over the risk sets for all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.risk_sets import RiskSets, accumulate
from radiogenomics.stats.survival.subset_field import SubsetField
from radiogenomics.stats.survival.subset_newton import gain_bound

_ANCHORS_AT_ONCE = 64
# Numbers of a block of candidates that are worked on together, to stay in cache.
_BLOCK = 2**18
# A candidate with less of its own information left is a combination of the anchor's.
_REDUNDANT = 1e-8


@dataclass(frozen=True)
class Anchors:
    """Fitted subsets, the best first.

    Attributes
    ----------
    subsets : ndarray of int, shape (anchors, p)
    coef : ndarray of shape (p, anchors)
    value : ndarray of shape (anchors,)
        Log partial likelihood.
    """

    subsets: NDArray[np.intp]
    coef: Floats
    value: Floats


@dataclass(frozen=True)
class Children:
    """Subsets of one candidate more, none of them fitted yet.

    Attributes
    ----------
    subsets : ndarray of int, shape (children, p + 1)
    start : ndarray of shape (p + 1, children)
        Coefficients of the anchor, then 0.
    start_value : ndarray of shape (children,)
        Log-likelihood there.
    step : ndarray of shape (p + 1, children)
        First Newton step.
    estimate : ndarray of shape (children,)
        Log-likelihood that the quadratic approximation promises.
    bound : ndarray of shape (children,)
        What the log-likelihood cannot exceed; may be infinite.
    """

    subsets: NDArray[np.intp]
    start: Floats
    start_value: Floats
    step: Floats
    estimate: Floats
    bound: Floats

    @staticmethod
    def join(parts: list[Children]) -> Children:
        """Put lists of children end to end."""
        return Children(
            np.concatenate([part.subsets for part in parts]),
            np.concatenate([part.start for part in parts], axis=1),
            np.concatenate([part.start_value for part in parts]),
            np.concatenate([part.step for part in parts], axis=1),
            np.concatenate([part.estimate for part in parts]),
            np.concatenate([part.bound for part in parts]),
        )

    def take(self, which: NDArray[Any]) -> Children:
        """Return some of them."""
        return Children(
            self.subsets[which],
            self.start[:, which],
            self.start_value[which],
            self.step[:, which],
            self.estimate[which],
            self.bound[which],
        )


@dataclass(frozen=True)
class _Hazards:
    """A few anchors: the parts of gradient and information that are matrix products."""

    risk: Floats
    inverse: Floats
    gradient: Floats
    squares: Floats
    products: Floats


class _Averages:
    """Averages over risk sets, weighted by hazard: the hazards enter the two sparse maps."""

    def __init__(self, sets: RiskSets) -> None:
        self._sets = sets
        self._gather, self._share = sets.gather.copy(), sets.share.copy()
        self._term = np.repeat(np.arange(sets.share.shape[0]), np.diff(sets.share.indptr))

    def weigh(self, risk: Floats, inverse: Floats) -> None:
        """Take other hazards, and the inverse of their sums over risk sets."""
        np.multiply(self._sets.gather.data, risk[self._gather.indices], out=self._gather.data)
        np.multiply(self._sets.share.data, inverse[self._term], out=self._share.data)

    def of(self, values: Floats) -> Floats:
        entering = self._gather @ values
        for start, stop in self._sets.strata:
            accumulate(entering[start:stop])
        return np.asarray(self._share @ entering)


class _Earlier:
    """Which candidates make a subset with an anchor that no earlier anchor made."""

    def __init__(self, candidates: int) -> None:
        self._alone = np.zeros(candidates, dtype=bool)
        self._partners: tuple[list[int], ...] = tuple([] for _ in range(candidates))

    def leaves(self, genes: NDArray[np.intp]) -> Bools:
        may = ~self._alone
        may[genes] = False
        if genes.size == 1:
            self._alone[genes] = True
            return may
        one, other = genes.tolist()
        may[self._partners[one]] = False
        may[self._partners[other]] = False
        self._partners[one].append(other)
        self._partners[other].append(one)
        return may


class Extension:
    """All candidates beside every anchor.

    Parameters
    ----------
    field : SubsetField
    """

    def __init__(self, field: SubsetField) -> None:
        self._field = field
        self._x_squared = np.square(field.x)
        self._averages = _Averages(field.sets)
        width = max(1, _BLOCK // field.x.shape[0])
        edges = range(0, field.x.shape[1], width)
        self._blocks = tuple(np.ascontiguousarray(field.x[:, at : at + width]) for at in edges)

    def children(self, anchors: Anchors) -> Iterator[tuple[int, Children]]:
        """Yield each anchor's position and its children, every subset once."""
        earlier = _Earlier(self._field.x.shape[1])
        for start in range(0, len(anchors.value), _ANCHORS_AT_ONCE):
            part = slice(start, start + _ANCHORS_AT_ONCE)
            hazards = self._hazards(anchors.subsets[part], anchors.coef[:, part])
            for column, genes in enumerate(anchors.subsets[part]):
                may = earlier.leaves(genes)
                yield start + column, self._of_anchor(anchors, start + column, hazards, may)

    def _hazards(self, subsets: NDArray[np.intp], coef: Floats) -> _Hazards:
        x, sets = self._field.x, self._field.sets
        predictor = np.einsum("map,pa->ma", x[:, subsets], coef)
        risk = np.exp(predictor - predictor.max(axis=0))
        inverse = 1 / sets.sums(risk)
        exposure = sets.transposed_sums(inverse * sets.weight[:, None]) * risk
        return _Hazards(
            risk=risk,
            inverse=inverse,
            gradient=(sets.event[:, None] - exposure).T @ x,
            squares=exposure.T @ self._x_squared,
            products=np.stack([(exposure * x[:, genes]).T @ x for genes in subsets.T]),
        )

    def _of_anchor(self, anchors: Anchors, at: int, hazards: _Hazards, may: Bools) -> Children:
        genes, column = anchors.subsets[at], at % _ANCHORS_AT_ONCE
        own, cross = self._spread(genes, hazards, column, may)
        own = hazards.squares[column] - own
        cross = hazards.products[:, column] - cross
        covariance = np.linalg.inv(cross[:, genes])
        explained = covariance @ cross
        left = own - (cross * explained).sum(axis=0)
        who = np.flatnonzero(may & (left > _REDUNDANT * own))
        left, explained = left[who], explained[:, who]
        gradient = hazards.gradient[column, who]
        reach = self._field.reach
        square = _squared_reach(
            reach[genes], reach[who], covariance, explained=explained, left=left
        )
        gain = gain_bound(np.abs(gradient) / np.sqrt(left), np.sqrt(square))
        step = gradient / left
        value = np.full(who.size, anchors.value[at])
        known = np.repeat(anchors.coef[:, at, None], who.size, axis=1)
        return Children(
            subsets=np.column_stack([np.broadcast_to(genes, (who.size, genes.size)), who]),
            start=np.vstack([known, np.zeros(who.size)]),
            start_value=value,
            step=np.vstack([-step * explained, step]),
            estimate=value + gradient * step / 2,
            bound=value + gain,
        )

    def _spread(
        self, genes: NDArray[np.intp], hazards: _Hazards, column: int, may: Bools
    ) -> tuple[Floats, Floats]:
        """Sums over events of products of risk-set means: each with itself, and with the anchor's.

        Zero for candidates that may not join and are not the anchor's own.
        """
        weight, averages = self._field.sets.weight, self._averages
        averages.weigh(hazards.risk[:, column], hazards.inverse[:, column])
        means_of_anchor = averages.of(self._field.x[:, genes])
        weighted = (means_of_anchor * weight[:, None]).T
        own, cross = np.zeros(may.size), np.zeros((genes.size, may.size))
        start = 0
        for block in self._blocks:
            here = start + np.flatnonzero(may[start : start + block.shape[1]])
            if here.size:
                means = averages.of(
                    block if here.size == block.shape[1] else block[:, here - start]
                )
                cross[:, here] = weighted @ means
                own[here] = weight @ np.square(means, out=means)
            start += block.shape[1]
        cross[:, genes] = weighted @ means_of_anchor
        return own, cross


def _squared_reach(
    of_anchor: Floats, of_child: Floats, covariance: Floats, *, explained: Floats, left: Floats
) -> Floats:
    """Sum over all entries of |I^-1| r r', with I^-1 of the anchor and one candidate by blocks."""
    square = of_child**2 / left
    for q, reach in enumerate(of_anchor):
        square += 2 * np.abs(explained[q]) / left * (reach * of_child)
        for r, other in enumerate(of_anchor):
            joint = covariance[q, r] + explained[q] * explained[r] / left
            square += np.abs(joint) * (reach * other)
    return square
