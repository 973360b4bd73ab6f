"""Cross-validated R² of many targets, and the same under every permutation of the patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from radiogenomics.core.errors import DataError
from radiogenomics.evaluation.fold import quiet_fallbacks
from radiogenomics.evaluation.splits import Split, naming
from radiogenomics.stats.inputs import Floats

# Columns of permuted targets that are foretold side by side.
_COLUMNS_AT_ONCE = 2048
# An R² nearer to 0 than this is that of the training mean, but for rounding.
_ROUNDING = 1e-12


class Foretelling(Protocol):
    """A training part and rows to foretell, prepared before any target is seen."""

    def foretell(self, targets: Floats) -> Floats:
        """Learn targets of the training part and foretell them, shape (rows, targets)."""


@runtime_checkable
class Preparing(Protocol):
    """An estimator that does once what does not depend on the targets.

    ``prepare(X, asked).foretell(Y)`` is ``fit(X, Y).predict(asked)``, and columns of Y do not know
    of each other.
    """

    def prepare(self, X: Any, asked: Any) -> Foretelling:
        """Prepare a training part and the rows to foretell."""


class _Part(NamedTuple):
    """One split: predictions, and squared errors and deviations of the data and permutations."""

    predicted: Floats
    missed: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class PermutedFolds:
    """What a learner foretells out of fold, and how well, of the data and of permutations.

    Parameters
    ----------
    predicted
        Of the data: one array a split, shape (test patients, targets).
    r2
        R² against the training means, over the test parts of a repeat, mean over repeats, shape
        (targets,); exactly 0 where all was foretold as the mean.
    null
        The same of each permutation, shape (count, targets).
    """

    predicted: tuple[Floats, ...]
    r2: Floats
    null: Floats

    @classmethod
    def of(
        cls,
        estimator: BaseEstimator,
        features: pd.DataFrame,
        targets: Floats,
        *,
        splits: Sequence[Split],
        orders: NDArray[np.intp],
        jobs: int,
    ) -> PermutedFolds:
        """Cross-validate a learner, and again with whole rows of ``targets`` in each order.

        Parameters
        ----------
        estimator
            Refitted for each order unless it is :class:`Preparing`.
        features, targets
            Patients x features, and shape (n, targets).
        splits, orders, jobs
            As checked by :func:`radiogenomics.evaluation.virtual_biopsy.virtual_biopsy`.
        """
        parts = Parallel(n_jobs=jobs)(
            delayed(_judge_split)(estimator, features, targets, split=split, orders=orders)
            for split in splits
        )
        numbers = np.array([split.repeat for split in splits])
        found = []
        for number in np.unique(numbers):
            own = [part for part, repeat in zip(parts, numbers, strict=True) if repeat == number]
            missed = np.sum([part.missed for part in own], axis=0)
            found.append(1 - missed / np.sum([part.spread for part in own], axis=0))
        r2 = np.mean(found, axis=0)
        r2[np.abs(r2) < _ROUNDING] = 0.0
        return cls(tuple(part.predicted for part in parts), r2[0], r2[1:])


def _judge_split(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    targets: Floats,
    *,
    split: Split,
    orders: NDArray[np.intp],
) -> _Part:
    # Products of matrices this small are slower on several threads; jobs share out the splits.
    with naming(split), quiet_fallbacks(), threadpool_limits(limits=1, user_api="blas"):
        train, test = features.iloc[split.train], features.iloc[split.test]
        prepared = None
        if isinstance(estimator, Preparing):
            prepared = clone(estimator).prepare(train, test)
        every = np.vstack([np.arange(len(targets)), orders])
        at_once = max(1, _COLUMNS_AT_ONCE // targets.shape[1]) if prepared is not None else 1
        first, missed, spread = None, [], []
        for start in range(0, len(every), at_once):
            block = every[start : start + at_once]
            permuted = targets[block].swapaxes(0, 1)
            learnt, asked = permuted[split.train], permuted[split.test]
            flat = learnt.reshape(len(learnt), -1)
            if prepared is not None:
                foretold = prepared.foretell(flat)
            else:
                foretold = _refitted(estimator, train, test, targets=flat)
            foretold = _finite(foretold, estimator, shape=(len(asked), flat.shape[1]))
            errors = foretold.reshape(asked.shape) - asked
            missed.append(np.square(errors).sum(axis=0))
            spread.append(np.square(asked - learnt.mean(axis=0)).sum(axis=0))
            if first is None:
                first = foretold[:, : targets.shape[1]].copy()
        return _Part(np.asarray(first), np.concatenate(missed), np.concatenate(spread))


def _refitted(
    estimator: BaseEstimator, train: pd.DataFrame, test: pd.DataFrame, *, targets: Floats
) -> Floats:
    learnt = targets[:, 0] if targets.shape[1] == 1 else targets
    found = np.asarray(clone(estimator).fit(train, learnt).predict(test), dtype=float)
    return found[:, None] if found.ndim == 1 else found


def _finite(foretold: Floats, estimator: BaseEstimator, *, shape: tuple[int, int]) -> Floats:
    if foretold.shape != shape or not np.isfinite(foretold).all():
        raise DataError(
            f"expected finite predictions of shape {shape}; found shape {foretold.shape} from "
            f"{type(estimator).__name__}. Use a regressor of several targets, or wrap it in "
            "MultiOutputRegressor."
        )
    return foretold
