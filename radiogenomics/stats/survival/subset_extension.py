"""From fitted subsets to those of one candidate more: the best of them, or how many exceed a value.

Children are collected from many anchors, sorted by what they promise and fitted side by side, so
that the first that are fitted spare most of the others the fitting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.survival.subset_children import Anchors, Children, Extension
from radiogenomics.stats.survival.subset_field import Candidates, SubsetField
from radiogenomics.stats.survival.subset_newton import SubsetFits, fit_subsets

_COLLECTED = 4096
# Numbers held of one covariate while models are fitted side by side.
_NUMBERS = 2**17


@dataclass(frozen=True)
class Work:
    """How much a search had to do.

    Attributes
    ----------
    looked_at : int
        Subsets that were fitted or bounded.
    fitted : int
        Subsets for which a likelihood was computed.
    endless : int
        Subsets without a finite maximum.
    """

    looked_at: int
    fitted: int
    endless: int


class _Collector(Protocol):
    """What becomes of fitted children."""

    @property
    def floor(self) -> float:
        """Likelihood below which nothing matters."""

    @property
    def enough(self) -> float:
        """Likelihood above which nothing more need be known."""

    def open(self, children: Children) -> Children:
        """Return the children that must be fitted."""

    def add(self, fits: SubsetFits) -> None:
        """Take what was fitted."""


class _Best:
    """The best subsets so far; a further one must exceed the last of them."""

    enough = np.inf

    def __init__(self, size: int, wanted: int) -> None:
        self._wanted = wanted
        self.best = Anchors(np.empty((0, size), dtype=np.intp), np.empty((size, 0)), np.empty(0))

    @property
    def floor(self) -> float:
        full = self.best.value.size >= self._wanted
        return float(self.best.value[-1]) if full else -np.inf

    def open(self, children: Children) -> Children:
        return children.take(children.bound >= self.floor)

    def add(self, fits: SubsetFits) -> None:
        value = np.concatenate([self.best.value, fits.value])
        order = np.argsort(-value, kind="stable")[: self._wanted]
        self.best = Anchors(
            np.concatenate([self.best.subsets, fits.subsets])[order],
            np.concatenate([self.best.coef, fits.coef], axis=1)[:, order],
            value[order],
        )


class _Above:
    """How many subsets exceed a value."""

    def __init__(self, value: float) -> None:
        self.floor = self.enough = value
        self.count = 0

    def open(self, children: Children) -> Children:
        # A candidate more never lowers the maximum: beside an anchor above the value all are.
        above = children.start_value > self.enough
        self.count += int(above.sum())
        return children.take(~above & (children.bound >= self.floor))

    def add(self, fits: SubsetFits) -> None:
        self.count += int((fits.value > self.enough).sum())


@dataclass(frozen=True)
class Singles:
    """Candidates with a Cox model of their own, the best first: where every search starts.

    Attributes
    ----------
    order : ndarray of int
        Their positions among all candidates.
    field : SubsetField
        Of these, in this order.
    anchors : Anchors
    left_out : ndarray of int
        Positions of the others.
    null_log_likelihood : float
    """

    order: NDArray[np.intp]
    field: SubsetField
    anchors: Anchors
    left_out: NDArray[np.intp]
    null_log_likelihood: float


def fit_singles(given: Candidates) -> Singles:
    """Fit every candidate alone."""
    fit = given.fit(np.arange(given.values.shape[1])[:, None])
    usable = np.flatnonzero(fit.converged)
    # The best first: what they reach then spares most others the fitting.
    order = usable[np.argsort(-fit.log_likelihood[usable], kind="stable")]
    field = given.field(order)
    anchors = Anchors(
        np.arange(order.size)[:, None], fit.coef[order].T * field.scale, fit.log_likelihood[order]
    )
    return Singles(order, field, anchors, np.flatnonzero(~fit.converged), fit.null_log_likelihood)


def extend(field: SubsetField, anchors: Anchors, wanted: int) -> tuple[Anchors, Work]:
    """Find the `wanted` best subsets that hold an anchor and one candidate more.

    Parameters
    ----------
    field : SubsetField
    anchors : Anchors
        Of one size, at their maxima, the best first.
    wanted : int

    Returns
    -------
    best : Anchors
    work : Work
    """
    best = _Best(anchors.subsets.shape[1] + 1, wanted)
    work = _collect(field, anchors, best)
    return best.best, work


def count_above(field: SubsetField, anchors: Anchors, value: float) -> tuple[int, Work]:
    """Count the subsets of an anchor and one candidate more whose log-likelihood exceeds `value`.

    Parameters
    ----------
    field : SubsetField
    anchors : Anchors
        As in `extend`.
    value : float

    Returns
    -------
    count : int
    work : Work
    """
    above = _Above(value)
    work = _collect(field, anchors, above)
    return above.count, work


def _collect(field: SubsetField, anchors: Anchors, collector: _Collector) -> Work:
    looked_at = fitted = endless = held = 0
    waiting: list[Children] = []
    last = len(anchors.value) - 1
    for at, children in Extension(field).children(anchors):
        looked_at += children.bound.size
        waiting.append(collector.open(children))
        held += waiting[-1].bound.size
        if held >= _COLLECTED or (at == last and held):
            counts = _fit(field, Children.join(waiting), collector)
            fitted, endless = fitted + counts[0], endless + counts[1]
            waiting, held = [], 0
    return Work(looked_at, fitted, endless)


def _fit(field: SubsetField, children: Children, collector: _Collector) -> tuple[int, int]:
    """Fit the most promising first; return how many were fitted, and how many of them endless."""
    fitted = endless = 0
    queue: NDArray[np.intp] = np.argsort(-children.estimate, kind="stable")
    width = max(1, _NUMBERS // field.x.shape[0])
    while queue.size:
        batch = children.take(queue[:width])
        fits = fit_subsets(
            field,
            batch.subsets,
            (batch.start, batch.start_value, batch.step),
            floor=collector.floor,
            enough=collector.enough,
        )
        collector.add(fits)
        fitted, endless = fitted + batch.bound.size, endless + fits.endless
        queue = queue[width:]
        queue = queue[children.bound[queue] >= collector.floor]
    return fitted, endless
