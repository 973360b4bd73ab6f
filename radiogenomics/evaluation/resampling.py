"""Cross-validation by patient in which everything that learns, learns on the training part."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from radiogenomics.core.errors import FallbackWarning
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.fold import (
    LabelledSplit,
    LockedModel,
    Splitter,
    Target,
    TargetRule,
    checked_labels,
    checked_splits,
    fallbacks_of,
    label_splits,
    quiet_fallbacks,
    require_one_row_each,
    score_test_part,
    selected_by,
)
from radiogenomics.evaluation.splits import Split

RARE = 10


def cross_validate(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    target: Target,
    *,
    splitter: Splitter,
    target_rule: TargetRule | None = None,
    name: str,
    jobs: int = 1,
) -> Evidence:
    """Predict every patient by a model that has not seen this patient.

    In each split the target rule is fitted on the training patients and labels all; the estimator
    is fitted on the training patients and scores the test patients (``predict_proba`` of class 1,
    else ``decision_function``). Selection, tuning and calibration belong inside ``estimator``. With
    a learnt target a patient's label may differ between folds, as the cut-off does.

    Parameters
    ----------
    estimator
        scikit-learn classifier or pipeline.
    features
        Patients × variables, indexed by patient.
    target
        Labels 0 and 1 as a Series or, with ``target_rule``, the frame that the rule learns from.
    splitter
        Deals patients to folds; balanced by label, or by the rule's ``strata``.
    target_rule
        Turns ``target`` into labels inside the fold.
    jobs
        Processes; results do not depend on it.

    Returns
    -------
    Evidence
        ``predictions`` (and ``label_score`` when the rule has scores), ``selected`` from the
        estimator's ``selected_features_``, ``model``, a :class:`LockedModel` refitted on all, and
        a table ``fallbacks`` (``repeat, fold, step``) when a selector kept nothing somewhere.

    Raises
    ------
    AlignmentError, OutcomeError, LeakageError
        Features and target differ in patients or order; a label is not 0 or 1, or a training part
        has one class; a patient is on both sides of a split.
    """
    labelled = label_splits(features, target, splitter=splitter, target_rule=target_rule)
    fitted = Parallel(n_jobs=jobs)(
        delayed(_fit_and_score)(estimator, features, part) for part in labelled
    )
    splits = [part.split for part in labelled]
    return Evidence(
        name=name,
        predictions=predictions_frame(features.index, labelled, [fit.scores for fit in fitted]),
        selected=_by_fold(splits, [fit.selected for fit in fitted], column="feature"),
        tables=_fallback_table(name, splits, [fit.fallbacks for fit in fitted]),
        model=_refit(estimator, features, target, target_rule=target_rule),
    )


def cross_validate_survival(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    splitter: Splitter,
    name: str,
) -> Evidence:
    """Score every patient's risk by a survival model that has not seen this patient.

    Folds are balanced by event, unless fewer than ten patients have it or lack it. An estimator
    with a ``decision_function`` (risk less the cut-off that it learnt) is scored by that, so that 0
    is each fold's own cut-off; any other by ``predict``.

    Parameters
    ----------
    estimator
        ``fit(X, y)`` on a survival target (structured array of event and time) and ``predict(X)``
        → risk, higher is worse.
    features
        Patients × variables, indexed by patient.
    outcome
        Of the same patients in the same order.
    splitter, name
        As in :func:`cross_validate`.

    Returns
    -------
    Evidence
        ``label`` is NaN: the truth is a time. ``model`` is the estimator refitted on all.

    Raises
    ------
    AlignmentError
        Features and outcome have other patients or another order.
    LeakageError
        The splitter puts a patient on both sides.
    """
    require_one_row_each(features, outcome.time)
    rare = min(outcome.n_events, len(outcome.event) - outcome.n_events) < RARE
    strata = None if rare else outcome.event.to_numpy(dtype=int)
    target = outcome.to_structured()
    splits = list(checked_splits(features.index, splitter, strata))
    fits = [_fit_risk(estimator, features, target, split) for split in splits]
    with quiet_fallbacks():
        model = clone(estimator).fit(features, target)
    return Evidence(
        name=name,
        predictions=_risk_frame(features.index, splits, fits),
        selected=_by_fold(splits, [fit.selected for fit in fits], column="feature"),
        tables=_fallback_table(name, splits, [fit.fallbacks for fit in fits]),
        model=model,
    )


def predictions_frame(
    patient_ids: pd.Index, labelled: tuple[LabelledSplit, ...], scores: list[NDArray[np.float64]]
) -> pd.DataFrame:
    """Collect the scores of all test parts: ``patient_id, repeat, fold, label, score``."""
    tests = [part.split.test for part in labelled]
    sizes = [len(test) for test in tests]
    columns = {
        "patient_id": patient_ids[np.concatenate(tests)],
        "repeat": np.repeat([part.split.repeat for part in labelled], sizes),
        "fold": np.repeat([part.split.fold for part in labelled], sizes),
        "label": np.concatenate([part.labels[part.split.test] for part in labelled]).astype(float),
        "score": np.concatenate(scores),
    }
    if all(part.label_scores is not None for part in labelled):
        columns["label_score"] = np.concatenate([p.label_scores[p.split.test] for p in labelled])
    return pd.DataFrame(columns)


class _Fitted(NamedTuple):
    """What is kept of the model of one fold."""

    scores: NDArray[np.float64]
    selected: list[str]
    fallbacks: list[str]


def _fit_and_score(
    estimator: BaseEstimator, features: pd.DataFrame, part: LabelledSplit
) -> _Fitted:
    scores, fitted = score_test_part(estimator, features, part)
    return _Fitted(scores, selected_by(fitted), fallbacks_of(fitted))


def _fit_risk(
    estimator: BaseEstimator, features: pd.DataFrame, target: NDArray[np.void], split: Split
) -> _Fitted:
    """Fit on the training part of a survival target and score the test part's risk."""
    with quiet_fallbacks():
        fitted = clone(estimator).fit(features.iloc[split.train], target[split.train])
    score = getattr(fitted, "decision_function", fitted.predict)
    risks = np.asarray(score(features.iloc[split.test]), dtype=float)
    return _Fitted(risks, selected_by(fitted), fallbacks_of(fitted))


def _risk_frame(
    patient_ids: pd.Index, splits: Sequence[Split], fits: Sequence[_Fitted]
) -> pd.DataFrame:
    """Risks of all test parts; the label is NaN, as the truth is a time."""
    tests = [split.test for split in splits]
    sizes = [len(test) for test in tests]
    return pd.DataFrame(
        {
            "patient_id": patient_ids[np.concatenate(tests)],
            "repeat": np.repeat([split.repeat for split in splits], sizes),
            "fold": np.repeat([split.fold for split in splits], sizes),
            "label": np.nan,
            "score": np.concatenate([fit.scores for fit in fits]),
        }
    )


def _by_fold(splits: Sequence[Split], names: Sequence[list[str]], *, column: str) -> pd.DataFrame:
    """One row a name: ``repeat, fold`` and the name."""
    rows = [
        (split.repeat, split.fold, name)
        for split, found in zip(splits, names, strict=True)
        for name in found
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", column])


def _fallback_table(
    name: str, splits: Sequence[Split], fallbacks: Sequence[list[str]]
) -> dict[str, pd.DataFrame]:
    """``fallbacks`` when a step fell back in some fold, with one warning that counts them."""
    table = _by_fold(splits, fallbacks, column="step")
    if table.empty:
        return {}
    counts = ", ".join(f"{step} in {n}" for step, n in table["step"].value_counts().items())
    warnings.warn(
        f"{name}: of {len(splits)} fits, nothing passed {counts}; the step's stated default was "
        "kept there instead. Loosen its threshold, or read this as little to select.",
        FallbackWarning,
        stacklevel=3,
    )
    return {"fallbacks": table}


def _refit(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    target: Target,
    *,
    target_rule: TargetRule | None,
) -> LockedModel:
    rule = None
    if target_rule is None:
        labels = checked_labels(target)
    else:
        rule = clone(target_rule)
        rule.fit(target)
        labels = checked_labels(pd.Series(rule.transform(target)))
    with quiet_fallbacks():
        fitted = clone(estimator).fit(features, labels)
    return LockedModel(fitted, rule, tuple(map(str, features.columns)))
