"""Cross-validation by patient in which everything that learns, learns on the training part."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
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
    fallbacks_of,
    label_splits,
    quiet_fallbacks,
    score_test_part,
    selected_by,
)
from radiogenomics.evaluation.splits import Split, naming
from radiogenomics.evaluation.survival_fold import (
    checked_horizons,
    deal_patients,
    fit_part,
    foretell_part,
    held_out_rows,
    score_part,
    survival_table,
)


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
    horizons: ArrayLike | None = None,
    jobs: int = 1,
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
    features, outcome
        Patients × variables, indexed by patient; of the same patients in the same order.
    splitter, name, jobs
        As in :func:`cross_validate`.
    horizons
        Months at which survival is foretold too, by ``predict_survival(X, times)`` of the estimator
        or of the last step of a Pipeline; every training part must have been followed as far.

    Returns
    -------
    Evidence
        ``label`` is NaN: the truth is a time. ``model`` is the estimator refitted on all. With
        horizons, a table ``predicted_survival``: ``patient_id, repeat, fold, horizon, survival``.

    Raises
    ------
    AlignmentError, LeakageError, StudyError, DataError
        As in :func:`cross_validate`; the estimator foretells no survival, or not at these horizons.
    """
    splits = deal_patients(features, outcome, splitter=splitter)
    target = outcome.to_structured()
    months = checked_horizons(horizons, estimator, target=target, splits=splits)
    fits = Parallel(n_jobs=jobs)(
        delayed(_fit_risk)(estimator, features, target, split=split, horizons=months)
        for split in splits
    )
    with quiet_fallbacks():
        model = clone(estimator).fit(features, target)
    rows = held_out_rows(features.index, splits)
    fallbacks = _fallback_table(name, splits, [fit.fallbacks for fit in fits])
    survival = survival_table(rows, [fit.survival for fit in fits], horizons=months)
    return Evidence(
        name=name,
        predictions=rows.assign(label=np.nan, score=np.concatenate([fit.scores for fit in fits])),
        selected=_by_fold(splits, [fit.selected for fit in fits], column="feature"),
        tables=fallbacks | survival,
        model=model,
    )


def predictions_frame(
    patient_ids: pd.Index, labelled: tuple[LabelledSplit, ...], scores: list[NDArray[np.float64]]
) -> pd.DataFrame:
    """Collect the scores of all test parts: ``patient_id, repeat, fold, label, score``."""
    labels = np.concatenate([part.labels[part.split.test] for part in labelled]).astype(float)
    rows = held_out_rows(patient_ids, [part.split for part in labelled])
    frame = rows.assign(label=labels, score=np.concatenate(scores))
    if all(part.label_scores is not None for part in labelled):
        frame["label_score"] = np.concatenate([p.label_scores[p.split.test] for p in labelled])
    return frame


class _Fitted(NamedTuple):
    """What is kept of the model of one fold."""

    scores: NDArray[np.float64]
    selected: list[str]
    fallbacks: list[str]
    survival: NDArray[np.float64] | None = None


def _fit_and_score(
    estimator: BaseEstimator, features: pd.DataFrame, part: LabelledSplit
) -> _Fitted:
    scores, fitted = score_test_part(estimator, features, part)
    return _Fitted(scores, selected_by(fitted), fallbacks_of(fitted))


def _fit_risk(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    target: NDArray[np.void],
    *,
    split: Split,
    horizons: NDArray[np.float64] | None,
) -> _Fitted:
    with naming(split):
        fitted = fit_part(estimator, features, target, split=split)
    survival = None
    if horizons is not None:
        survival = foretell_part(fitted, features, split, horizons=horizons)
    return _Fitted(
        score_part(fitted, features, split), selected_by(fitted), fallbacks_of(fitted), survival
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
