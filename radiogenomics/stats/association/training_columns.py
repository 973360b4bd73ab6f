"""Standardised columns as a training part sees them, for many orders of the patients at once.

Means, covariates and standard deviations are learnt on the training part in every order, yet no
table is copied: each order is a gather or a scatter around one matrix product with the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.units import covariate_basis
from radiogenomics.stats.inputs import Floats

# Columns of which less than this share of the squares varies in a training part get no weight.
_NOTHING = 1e-10


class Part(NamedTuple):
    """A training and a test part, and what covariates explain from one to the other.

    Attributes
    ----------
    train, test : ndarray of int
        Places of patients.
    basis : ndarray of shape (train, k + 1)
        Orthonormal; spans the constant and the covariates of the training part.
    reach : ndarray of shape (test, train)
        Training values to what the regression learnt on them predicts in the test part.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    basis: Floats
    reach: Floats

    @classmethod
    def build(cls, tested: NDArray[np.bool_], beside: Floats | None, *, name: str) -> Part:
        """Split at `tested`; the constant alone where there are no covariates.

        Raises
        ------
        DataError
            Covariates do not vary in the training part, or explain each other there.
        """
        train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
        try:
            covariates = covariate_basis(None if beside is None else beside[train], train.size)
        except DataError as error:
            raise DataError(f"training part of {name}: {error}") from error
        design = np.ones((tested.size, 1)) if beside is None else np.insert(beside, 0, 1.0, axis=1)
        basis = np.insert(covariates, 0, 1 / np.sqrt(train.size), axis=1)
        return cls(train, test, basis, design[test] @ np.linalg.pinv(design[train]))


@dataclass(frozen=True, eq=False)
class TrainingColumns:
    """Columns of a table in a training part, one batch member an order of the patients.

    Parameters
    ----------
    values
        Shape (n, columns), centred.
    rows
        Shape (batch, m): row of `values` at each place of the training part; a batch of one stands
        for any number.
    basis
        Shape (m, k + 1), orthonormal: the constant and covariates at the places, taken out.
    inverse
        Shape (batch, columns): 1 / standard deviation of what is left, 0 where nothing is.
    """

    values: Floats
    rows: NDArray[np.intp]
    basis: Floats
    inverse: Floats

    @classmethod
    def build(cls, values: Floats, rows: ArrayLike, basis: Floats) -> TrainingColumns:
        """Learn standard deviations, divisor m - 1 - k, in each order."""
        places = np.atleast_2d(np.asarray(rows, dtype=np.intp))
        seen = np.zeros((len(places), len(values)))
        np.put_along_axis(seen, places, 1.0, axis=1)
        squares = seen @ values**2
        left = squares.copy()
        for direction in basis.T:
            spread = np.zeros(seen.shape)
            np.put_along_axis(spread, places, np.broadcast_to(direction, places.shape), axis=1)
            left -= (spread @ values) ** 2
        freedom = basis.shape[0] - basis.shape[1]
        varies = left > _NOTHING * squares
        inverse = np.sqrt(freedom / np.where(varies, left, 1.0)) * varies
        return cls(values, places, basis, inverse)

    def take(self, members: NDArray[np.intp]) -> TrainingColumns:
        """Keep some members of the batch."""
        if len(self.rows) == 1:
            return self
        return TrainingColumns(self.values, self.rows[members], self.basis, self.inverse[members])

    def scores(self, weights: Floats) -> Floats:
        """Weighted sums of the standardised columns, (batch, columns) to (batch, m)."""
        return self._without_basis(self._gather(self._all_scores(weights), self.rows))

    def products(self, scores: Floats) -> Floats:
        """Standardised columns times such scores, (batch, m) to (batch, columns)."""
        spread = np.zeros((len(scores), len(self.values)))
        rows = np.broadcast_to(self.rows, scores.shape)
        np.put_along_axis(spread, rows, scores, axis=1)
        return np.asarray((spread @ self.values) * self.inverse)

    def test_scores(self, weights: Floats, rows: ArrayLike, *, reach: Floats) -> Floats:
        """Scores of a test part by what the training part taught, (batch, test).

        In units of the standard deviation of the training scores, which counts the parts alike.
        """
        every = self._all_scores(weights)
        seen = self._gather(every, self.rows)
        unseen = self._gather(every, np.atleast_2d(np.asarray(rows, dtype=np.intp)))
        size = np.sqrt((self._without_basis(seen) ** 2).mean(axis=1, keepdims=True))
        found = unseen - seen @ reach.T
        return np.divide(found, size, out=np.zeros_like(found), where=size > 0)

    def gram(self) -> Floats:
        """Inner products of the patients of the training part, (batch, m, m)."""
        grams = np.empty((len(self.rows), self.rows.shape[1], self.rows.shape[1]))
        for gram, rows, inverse in zip(grams, self.rows, self.inverse, strict=True):
            part = self.values[rows] * inverse
            part -= self.basis @ (self.basis.T @ part)
            np.matmul(part, part.T, out=gram)
        return grams

    def _all_scores(self, weights: Floats) -> Floats:
        return np.asarray((weights * self.inverse) @ self.values.T)

    def _gather(self, every: Floats, rows: NDArray[np.intp]) -> Floats:
        return np.take_along_axis(every, np.broadcast_to(rows, (len(every), rows.shape[1])), axis=1)

    def _without_basis(self, scores: Floats) -> Floats:
        return np.asarray(scores - (scores @ self.basis) @ self.basis.T)
