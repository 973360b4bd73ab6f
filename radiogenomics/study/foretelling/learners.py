"""Learners of a virtual biopsy: gaps are filled within each training part, then many targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, RegressorMixin, clone
from threadpoolctl import threadpool_limits

from radiogenomics.evaluation.permuted_folds import Foretelling
from radiogenomics.evaluation.splits import Split
from radiogenomics.features.impute import MedianImputer
from radiogenomics.models.many_targets import (
    LinearSurrogate,
    ManyKernelRidge,
    ManyPls,
    ManyRidge,
)
from radiogenomics.stats.inputs import Floats
from radiogenomics.study.foretelling.plan import BiopsyPlan


class FilledSurrogate(NamedTuple):
    """A locked surrogate, and what stands for a feature that a patient lacks.

    Attributes
    ----------
    linear : LinearSurrogate
    medians : ndarray of shape (p,)
        Of its features in training.
    """

    linear: LinearSurrogate
    medians: Floats

    def filled(self, features: pd.DataFrame) -> pd.DataFrame:
        """The surrogate's features, gaps filled by medians of the training patients."""
        own = features.loc[:, features.columns.isin(self.linear.features)]
        medians = pd.Series(self.medians, self.linear.features)[own.columns].to_numpy()
        values = own.to_numpy(dtype=float)
        filled = np.where(np.isnan(values), medians, values)
        return pd.DataFrame(filled, index=own.index, columns=own.columns)

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict patients, shape (n, targets), each alone.

        Raises
        ------
        AlignmentError
            A feature is absent, or there twice.
        """
        return self.linear.predict(self.filled(features))

    def contributions(self, features: pd.DataFrame, target: str) -> pd.DataFrame:
        """What each feature adds to the prediction of a target, patients × features.

        A row and the target's training mean add up to the prediction.
        """
        linear = self.linear
        values = self.filled(features)[list(linear.features)]
        weights = linear.weights[linear.targets.index(target)]
        added = (values.to_numpy(dtype=float) - linear.centre) / linear.scale * weights
        return pd.DataFrame(added, index=values.index, columns=values.columns)


class FilledFirst(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fill gaps by medians of the training part, then learn many targets.

    Parameters
    ----------
    learner
        Of :mod:`radiogenomics.models.many_targets`.
    max_missing
        Share of the training patients that may lack a feature; others are not used.
    """

    def __init__(self, learner: Any, max_missing: float = 0.2) -> None:
        self.learner = learner
        self.max_missing = max_missing

    def fit(self, X: pd.DataFrame, y: Any) -> FilledFirst:
        """Learn medians, then the targets."""
        self.imputer_ = MedianImputer(self.max_missing).fit(X)
        self.learner_ = clone(self.learner).fit(self._filled(self.imputer_, X), y)
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return what the features foretell, in units of the targets."""
        return np.asarray(self.learner_.predict(self._filled(self.imputer_, X)))

    def prepare(self, X: pd.DataFrame, asked: pd.DataFrame) -> Foretelling:
        """Do once what does not depend on targets, as the learner's own ``prepare``."""
        imputer = MedianImputer(self.max_missing).fit(X)
        prepared: Foretelling = self.learner.prepare(
            self._filled(imputer, X), self._filled(imputer, asked)
        )
        return prepared

    def lock(self) -> FilledSurrogate:
        """Return all that predicting new patients needs; of linear learners only."""
        return FilledSurrogate(self.learner_.lock(), self.imputer_.medians_)

    @staticmethod
    def _filled(imputer: MedianImputer, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            imputer.transform(X), index=X.index, columns=imputer.get_feature_names_out()
        )


class HeldOut(NamedTuple):
    """What was foretold of patients by surrogates that had not seen them.

    Attributes
    ----------
    predicted : DataFrame
        Patients × targets, mean over the repeats.
    contributions : Mapping
        Target → patients × features, means over the repeats too.
    """

    predicted: pd.DataFrame
    contributions: Mapping[str, pd.DataFrame]


def learners_of(plan: BiopsyPlan, *, seed: int) -> dict[str, FilledFirst]:
    """Learners of a plan by name, the judged one first."""
    made = {
        "ridge": ManyRidge(n_splits=plan.inner_folds, random_state=seed),
        "pls": ManyPls(n_splits=plan.inner_folds, random_state=seed),
        "kernel": ManyKernelRidge(n_splits=plan.inner_folds, random_state=seed),
    }
    return {name: FilledFirst(made[name], plan.max_missing) for name in plan.learners}


def locked_folds(
    learner: FilledFirst,
    features: pd.DataFrame,
    targets: pd.DataFrame,
    *,
    splits: Sequence[Split],
    jobs: int,
) -> list[tuple[Split, FilledSurrogate]]:
    """Lock a surrogate on each training part."""
    locked = Parallel(n_jobs=jobs)(
        delayed(_locked)(learner, features.iloc[split.train], targets.iloc[split.train])
        for split in splits
    )
    return list(zip(splits, locked, strict=True))


def held_out(
    locked: Sequence[tuple[Split, FilledSurrogate]],
    patients: pd.Index,
    features: pd.DataFrame,
    *,
    explained: Sequence[str],
) -> HeldOut:
    """Predict training patients by the surrogates that had not seen them.

    Parameters
    ----------
    locked
        Of :func:`locked_folds`.
    patients
        Of the splits, in their order.
    features
        Of some of these patients: their own, or those of another scan.
    explained
        Targets whose contributions are wanted.
    """
    repeats = len({split.repeat for split, _ in locked})
    predicted: pd.DataFrame | None = None
    names = list(dict.fromkeys(name for _, each in locked for name in each.linear.features))
    behind = {t: pd.DataFrame(0.0, index=features.index, columns=names) for t in explained}
    for split, surrogate in locked:
        asked = features.loc[features.index.isin(patients[split.test])]
        if asked.empty:
            continue
        found = surrogate.predict(asked) / repeats
        if predicted is None:
            predicted = pd.DataFrame(0.0, index=features.index, columns=found.columns)
        predicted.loc[asked.index] += found
        for target, table in behind.items():
            parts = surrogate.contributions(asked, target) / repeats
            table.loc[asked.index, parts.columns] += parts
    if predicted is None:
        predicted = pd.DataFrame(index=features.index)
    return HeldOut(predicted, behind)


def _locked(learner: FilledFirst, features: pd.DataFrame, targets: pd.DataFrame) -> FilledSurrogate:
    # Decompositions this small are slower on several threads; jobs share out the splits.
    with threadpool_limits(limits=1, user_api="blas"):
        fitted: FilledFirst = clone(learner).fit(features, targets)
        return fitted.lock()
