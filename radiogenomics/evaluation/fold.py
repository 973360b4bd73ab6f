"""What happens inside one fold: label by the training part, fit, score the test part."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    FallbackWarning,
    OutcomeError,
    StudyError,
    short_list,
)
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.splits import Split, check_disjoint, naming

Target = pd.Series | pd.DataFrame
Rows = pd.DataFrame | NDArray[np.float64]


class Splitter(Protocol):
    """Anything that deals patients to training and test parts."""

    def split(
        self, patient_ids: Iterable[str], stratify: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Yield splits of the rows."""


class TargetRule(Protocol):
    """A target that is learnt: an estimator whose ``transform`` gives labels 0 and 1.

    It may also have ``scores(target)``, the number behind the label, and ``strata(target)``, what
    folds should balance before any label is learnt.
    """

    def fit(self, target: pd.DataFrame) -> Any:
        """Learn the rule on training patients."""

    def transform(self, target: pd.DataFrame) -> NDArray[Any]:
        """Label patients, shape (n,)."""


@runtime_checkable
class _Scoring(Protocol):
    def scores(self, target: pd.DataFrame) -> NDArray[Any]: ...


@runtime_checkable
class _Stratifying(Protocol):
    def strata(self, target: pd.DataFrame) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class LockedModel:
    """An estimator, and the rule that made its labels, refitted on all training patients.

    Parameters
    ----------
    estimator
        Fitted.
    rule
        Fitted target rule; None when labels were given.
    feature_names
        Columns that :meth:`predict` needs.
    """

    estimator: Any
    rule: Any | None
    feature_names: tuple[str, ...]

    def predict(self, features: pd.DataFrame) -> pd.Series[float]:
        """Score patients, each on their own; higher means the positive class is likelier.

        Raises
        ------
        AlignmentError
            A feature that the model was trained on is absent.
        """
        missing = [name for name in self.feature_names if name not in features.columns]
        if missing:
            raise AlignmentError(
                f"expected the {len(self.feature_names)} features the model was trained on; found "
                f"{len(missing)} missing ({short_list(missing)}). "
                "Extract them with the same settings."
            )
        scores = _scores(self.estimator, features[list(self.feature_names)])
        return pd.Series(scores, index=features.index, name="score")


@dataclass(frozen=True, eq=False)
class LabelledSplit:
    """A split with the labels that its training part gives to all patients.

    Parameters
    ----------
    split
        The split.
    labels
        0 or 1 of every patient by the rule fitted on ``split.train``, shape (n,).
    label_scores
        The number behind each label, shape (n,); None when the rule has none.
    """

    split: Split
    labels: NDArray[np.intp]
    label_scores: NDArray[np.float64] | None


def label_splits(
    features: pd.DataFrame,
    target: Target,
    *,
    splitter: Splitter,
    target_rule: TargetRule | None,
) -> tuple[LabelledSplit, ...]:
    """Deal patients to folds and label them in each by the rule fitted on its training part.

    Raises
    ------
    AlignmentError, OutcomeError, LeakageError
        As in :func:`cross_validate`.
    """
    require_one_row_each(features, target)
    if target_rule is None:
        labels = checked_labels(target)
        strata: NDArray[Any] | None = labels
    else:
        if not isinstance(target, pd.DataFrame):
            raise StudyError(
                f"expected the frame that {type(target_rule).__name__} learns from; found a "
                f"{type(target).__name__}. Pass the table of genes and outcome."
            )
        strata = target_rule.strata(target) if isinstance(target_rule, _Stratifying) else None
    labelled = []
    for split in checked_splits(features.index, splitter, strata):
        scores = None
        if target_rule is not None:
            rule = clone(target_rule)
            rule.fit(target.iloc[split.train])
            labels = checked_labels(pd.Series(rule.transform(target)))
            scores = rule.scores(target) if isinstance(rule, _Scoring) else None
        _require_both_classes(labels[split.train], split)
        labelled.append(LabelledSplit(split, labels, scores))
    return tuple(labelled)


def score_test_part(
    estimator: BaseEstimator, features: Rows, part: LabelledSplit
) -> tuple[NDArray[np.float64], Any]:
    """Fit a clone on the training part; return the test part's scores and the fitted clone."""
    train, test = part.split.train, part.split.test
    with quiet_fallbacks(), naming(part.split):
        fitted = clone(estimator).fit(take_rows(features, train), part.labels[train])
        return _scores(fitted, take_rows(features, test)), fitted


def take_rows(features: Rows, positions: NDArray[np.intp]) -> Rows:
    """Rows at these positions, in their order, of a frame or an array."""
    return features.iloc[positions] if isinstance(features, pd.DataFrame) else features[positions]


@contextmanager
def quiet_fallbacks() -> Iterator[None]:
    """Silence fallbacks one by one; :func:`fallbacks_of` tells them, to be counted over folds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        yield


def fallbacks_of(fitted: Any) -> list[str]:
    """Names of the steps of a fitted pipeline that fell back to their stated default."""
    inner = getattr(fitted, "classifier_", fitted)
    # A model of two, as of patients with and without a second scan, has a pipeline in each.
    parts = [part for name in ("full_", "baseline_") if (part := getattr(inner, name, None))]
    if parts:
        return [name for part in parts for name in fallbacks_of(part)]
    pipeline = getattr(inner, "pipeline_", inner)
    names = []
    for name, step in getattr(pipeline, "steps", ()):
        within = getattr(step, "fallbacks_", ())
        names += within or ([name] if getattr(step, "fell_back_", 0) else [])
    return names


def selected_by(fitted: Any) -> list[str]:
    """Names of the features that reach the learner of a fitted estimator, where it tells them."""
    chosen = getattr(fitted, "selected_features_", None)
    return [] if chosen is None else [str(feature) for feature in chosen]


def checked_splits(
    patient_ids: pd.Index, splitter: Splitter, strata: NDArray[Any] | None
) -> Iterator[Split]:
    """Yield splits; LeakageError when a splitter puts a patient on both sides."""
    for split in splitter.split(patient_ids, strata):
        check_disjoint(patient_ids[split.train], patient_ids[split.test])
        yield split


def _scores(fitted: Any, features: Rows) -> NDArray[np.float64]:
    if hasattr(fitted, "predict_proba"):
        scores = fitted.predict_proba(features)[:, 1]
    elif hasattr(fitted, "decision_function"):
        scores = fitted.decision_function(features)
    else:
        raise StudyError(
            f"expected an estimator with predict_proba or decision_function; found "
            f"{type(fitted).__name__} with neither. Use a classifier."
        )
    values = np.asarray(scores, dtype=float)
    if not np.isfinite(values).all():
        raise DataError(
            f"expected finite scores; found {int((~np.isfinite(values)).sum())} that are not from "
            f"{type(fitted).__name__}. Standardise the features or check the learner's settings."
        )
    return values


def require_one_row_each(features: pd.DataFrame, target: Target) -> None:
    """Raise AlignmentError unless both hold the same patients once, in one order."""
    if features.index.has_duplicates:
        doubled = features.index[features.index.duplicated()].unique()
        raise AlignmentError(
            f"expected one row of features a patient; found {len(doubled)} patients with several "
            f"({short_list(doubled)}). Choose or aggregate lesions and time points first."
        )
    require_same_patients(features.index, target.index, what="features and target")


def checked_labels(target: Target) -> NDArray[np.intp]:
    """Return labels as integers 0 and 1; OutcomeError when there are others."""
    if not isinstance(target, pd.Series):
        raise StudyError(
            f"expected labels as a Series; found a {type(target).__name__}. Pass one column, or "
            "the target_rule that turns the frame into labels."
        )
    values = pd.to_numeric(target, errors="coerce").to_numpy(dtype=float)
    bad = ~np.isin(values, (0.0, 1.0))
    if bad.any():
        raise OutcomeError(
            f"expected labels 0 and 1; found {int(bad.sum())} others "
            f"({short_list(pd.unique(target[bad]))}). Recode them; leave unlabelled patients out."
        )
    return values.astype(np.intp)


def _require_both_classes(labels: NDArray[np.intp], split: Split) -> None:
    positives = int(labels.sum())
    if positives in (0, labels.size):
        raise OutcomeError(
            f"{split}: expected both classes among {labels.size} training patients; found "
            f"{positives} positive. Balance the folds by class, or choose another cut-off."
        )
