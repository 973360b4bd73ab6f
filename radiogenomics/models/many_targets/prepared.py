"""What the features alone decide: folds and decompositions, made once and used for all targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats

Positions = NDArray[np.intp]

# Targets foretold at a time: what every candidate foretells of so many stays in the cache.
_TARGETS_AT_ONCE = 512
# Inner errors nearer than this, as a share, differ by rounding: the more regularised one is taken.
_ROUNDING = 1e-10
# A spread this small beside the largest value is rounding.
_CONSTANT = 1e-10


class Reader(Protocol):
    """Foretells rows of targets that are learnt from a training part, by each candidate."""

    def deviations(self, targets: Floats) -> Floats:
        """Return what is foretold less the training mean, shape (candidates, rows, targets).

        ``targets`` of the training part, shape (n, targets).
        """


class Standard(NamedTuple):
    """Centre and scale of features, learnt on a training part.

    Attributes
    ----------
    centre, scale : ndarray of shape (p,)
        Mean and standard deviation (divisor n); scale 1 where a feature does not vary.
    varies : ndarray of bool, shape (p,)
    """

    centre: Floats
    scale: Floats
    varies: Bools

    @classmethod
    def of(cls, rows: Floats) -> Standard:
        """Learn them from rows, shape (n, p)."""
        centre, scale = rows.mean(axis=0), rows.std(axis=0)
        varies = scale > _CONSTANT * np.abs(rows).max(axis=0)
        return cls(centre, np.where(varies, scale, 1.0), varies)

    def apply(self, rows: Floats) -> Floats:
        """Standardise rows; 0 in features that did not vary in training."""
        return np.where(self.varies, (rows - self.centre) / self.scale, 0.0)


class InnerFold(NamedTuple):
    """One inner fold: positions within the training part, and what reads the one from the other."""

    train: Positions
    test: Positions
    reader: Reader


class Choice(NamedTuple):
    """What the inner folds say of each target.

    Attributes
    ----------
    candidate : ndarray of int, shape (targets,)
        0 is the training mean, then the grid in its order.
    missed : ndarray of shape (1 + candidates, targets)
        Sum of squared errors over the inner folds.
    """

    candidate: Positions
    missed: Floats


@dataclass(frozen=True, eq=False)
class PreparedPart:
    """A training part and rows to foretell, prepared before any target is seen.

    Columns of targets do not know of each other, so those of many permutations may be put side by
    side.

    Parameters
    ----------
    inner
        Inner folds of the training part.
    reader
        From the training part to the rows asked about.
    """

    inner: tuple[InnerFold, ...]
    reader: Reader

    def foretell(self, targets: Floats) -> Floats:
        """Tune each target by the inner folds, learn it and foretell it.

        Parameters
        ----------
        targets
            Of the training part, shape (n, targets).

        Returns
        -------
        ndarray of shape (rows, targets)
            The training mean, the same for all rows, where no candidate did better.
        """
        mean = targets.mean(axis=0)
        centred = targets - mean
        chosen = choose(self.inner, centred).candidate
        return mean + foretell_chosen(self.reader, centred, chosen)


def choose(inner: tuple[InnerFold, ...], targets: Floats) -> Choice:
    """Choose the candidate of least squared error over the inner folds, for each target.

    The errors of all patients count alike. Ties go to the more regularised, the training mean
    first; ``targets`` are centred, shape (n, targets).
    """
    missed = np.concatenate(
        [_missed(inner, targets[:, block]) for block in _blocks(targets.shape[1])], axis=1
    )
    candidate = np.argmax(missed <= missed.min(axis=0) * (1 + _ROUNDING), axis=0)
    return Choice(candidate, missed)


def foretell_chosen(reader: Reader, targets: Floats, chosen: Positions) -> Floats:
    """What each target's own candidate foretells, less the training mean; shape (rows, targets)."""
    found = []
    for block in _blocks(targets.shape[1]):
        deviations = reader.deviations(targets[:, block])
        best = chosen[block]
        picked = deviations[np.maximum(best, 1) - 1, :, np.arange(best.size)].T
        found.append(np.where(best > 0, picked, 0.0))
    return np.concatenate(found, axis=1)


def deal_rows(patient: Positions, n_splits: int, rng: np.random.RandomState) -> Positions:
    """Inner fold of each row: patients are shuffled and dealt out evenly."""
    n_patients = int(patient.max()) + 1
    fold = np.empty(n_patients, dtype=np.intp)
    fold[rng.permutation(n_patients)] = np.arange(n_patients) % n_splits
    return fold[patient]


def _missed(inner: tuple[InnerFold, ...], targets: Floats) -> Floats:
    """Squared errors of the mean and of each candidate, summed over the inner folds."""
    total: Floats | float = 0.0
    for train, test, reader in inner:
        learnt = targets[train]
        apart = targets[test] - learnt.mean(axis=0)
        errors = reader.deviations(learnt)
        errors -= apart
        squares = np.einsum("cmt,cmt->ct", errors, errors)
        total = total + np.vstack([np.square(apart).sum(axis=0), squares])
    return np.asarray(total)


def _blocks(targets: int) -> Iterator[slice]:
    for start in range(0, targets, _TARGETS_AT_ONCE):
        yield slice(start, min(start + _TARGETS_AT_ONCE, targets))
