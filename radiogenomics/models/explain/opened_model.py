"""Look inside a fitted model: the learner, the features that reach it, and what its score means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, short_list
from radiogenomics.core.row_facts import MARK
from radiogenomics.models.learners.stack import LearnerStack
from radiogenomics.models.platt import PlattScaling
from radiogenomics.models.steps import apply_steps, checked_rows
from radiogenomics.models.survival.forest import SurvivalForest
from radiogenomics.models.survival.model import HazardModel, SurvivalModel
from radiogenomics.models.survival.tuned import TunedSurvival
from radiogenomics.models.tuned import TunedClassifier
from radiogenomics.stats.inputs import Floats

LOG_ODDS = (LogisticRegression, GradientBoostingClassifier, LearnerStack, TunedClassifier)


@dataclass(frozen=True)
class OpenedModel:
    """A fitted model taken apart into steps, learner and calibration.

    Parameters
    ----------
    model
        As it was given.
    learner
        Its last step, or the model itself.
    features
        Names of the features that reach the learner.
    scale
        What the score is, in words.
    calibration
        From the learner's score to log-odds; None where there is none.
    """

    model: Any
    learner: Any
    features: tuple[str, ...]
    scale: str
    calibration: PlattScaling | None = None

    def values(self, X: Any, *, what: str) -> Floats:
        """Features of `X` as they reach the learner, shape (n, p), finite.

        Raises
        ------
        AlignmentError
            `X` has other features than the model, or the same in another order.
        DataError
            There is no patient, or a value is missing.
        """
        given = aligned(self.model, X, what=what)
        if isinstance(self.model, TunedClassifier | TunedSurvival):
            names = getattr(self.model, "feature_names_in_", None)
            rows = checked_rows(self.model, given, reset=False)
            values = apply_steps(self.model.pipeline_.steps[:-1], rows, names=names)
        elif isinstance(self.model, Pipeline):
            values = self.model[:-1].transform(given) if len(self.model) > 1 else given
        else:
            values = given
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim != 2 or numbers.shape[1] != len(self.features):
            raise AlignmentError(
                f"{what}: expected {len(self.features)} features; found shape {numbers.shape}. "
                "Pass the features the model was fitted on."
            )
        if not np.isfinite(numbers).all():
            raise DataError(
                f"{what}: expected finite features; found "
                f"{int((~np.isfinite(numbers)).sum())} NaN or infinite values. Impute them in a "
                "step before the learner."
            )
        return numbers

    def raw(self, values: Floats) -> Floats:
        """Score of the learner, not calibrated, of features that reach it; shape (n,)."""
        if hasattr(self.learner, "feature_names_in_"):
            return score(self.learner, pd.DataFrame(values, columns=list(self.features)))
        return score(self.learner, values)


def open_model(model: Any, X: Any) -> OpenedModel:
    """Take a fitted model apart; `X` tells the names of features where the model has none.

    Raises
    ------
    OutcomeError
        The model has more than two classes.
    DataError
        The model gives no score.
    """
    check_is_fitted(model)
    words = score_words(model)
    if isinstance(model, TunedClassifier | TunedSurvival):
        learner, names = model.pipeline_[-1], model.selected_features_
        if names is None:
            names = _numbered(learner.n_features_in_)
        if is_boosted_by_xgboost(learner):
            words = score_words(learner, classes=getattr(model, "classes_", None))
            return OpenedModel(model, learner, tuple(names), f"{words} before calibration")
        return OpenedModel(model, learner, tuple(names), words, _calibration(model, learner))
    names = feature_names(X)
    if isinstance(model, Pipeline):
        return OpenedModel(model, model[-1], _behind(model, names), score_words(model[-1]))
    return OpenedModel(model, model, names, words)


def score(model: Any, X: Any) -> Floats:
    """Score of a fitted model, shape (n,): log-odds or decision score, probability, or risk.

    The first of ``decision_function``, ``predict_proba`` (of the second class) and ``predict``
    that the model has; of XGBoost the margin. Higher speaks for the second class, or is worse.
    """
    if is_boosted_by_xgboost(model):
        found = model.predict(X, output_margin=True)
    elif hasattr(model, "decision_function"):
        found = model.decision_function(X)
    elif hasattr(model, "predict_proba"):
        found = model.predict_proba(X)[:, 1]
    else:
        found = model.predict(X)
    return np.asarray(found, dtype=float)


def score_words(model: Any, *, classes: Any = None) -> str:
    """Say what :func:`score` of a model is.

    Raises
    ------
    OutcomeError
        The model has more than two classes.
    DataError
        The model gives classes only, or nothing at all.
    """
    classes = getattr(model, "classes_", None) if classes is None else classes
    if is_classifier(model) and classes is not None:
        if np.ndim(classes) != 1 or len(classes) != 2:
            raise OutcomeError(
                f"expected a model of two classes; found {np.size(classes)}. Explain one class "
                "against the others: fit a model of that label."
            )
        of = f" of {classes[1]}"
        learner = model[-1] if isinstance(model, Pipeline) else model
        if isinstance(learner, LOG_ODDS) or is_boosted_by_xgboost(model):
            return f"log-odds{of}"
        if hasattr(model, "decision_function"):
            return f"decision score{of}"
        if hasattr(model, "predict_proba"):
            return f"probability{of}"
    elif hasattr(model, "predict"):
        return _words_of_prediction(model)
    raise DataError(
        f"expected a model with a score (decision_function, predict_proba, or the predict of a "
        f"risk); found {type(model).__name__} with none. Use a learner that ranks patients."
    )


def aligned(model: Any, X: Any, *, what: str) -> Any:
    """Return `X` as the model takes it, or raise AlignmentError when its features are others."""
    columns = [str(name) for name in getattr(X, "columns", ())]
    if len(X) == 0:
        raise DataError(f"{what}: expected at least one patient; found none. Pass more rows.")
    expected = getattr(model, "feature_names_in_", None)
    if expected is None:
        return np.asarray(X) if columns else X
    wanted = [str(name) for name in expected if not str(name).startswith(MARK)]
    if not columns:
        raise AlignmentError(
            f"{what}: expected a table with the {len(wanted)} columns the model was fitted on; "
            "found values without names. Pass a DataFrame."
        )
    found = [name for name in columns if not name.startswith(MARK)]
    if found == wanted:
        return X
    if sorted(found) == sorted(wanted):
        first = next(
            i for i, pair in enumerate(zip(found, wanted, strict=True)) if len({*pair}) > 1
        )
        raise AlignmentError(
            f"{what}: expected the features in the model's order; found {found[first]} where "
            f"{wanted[first]} should stand. Reorder: X[model.feature_names_in_]."
        )
    lacking = [name for name in wanted if name not in set(found)]
    extra = [name for name in found if name not in set(wanted)]
    raise AlignmentError(
        f"{what}: expected the {len(wanted)} features of the model; found no "
        f"{short_list(lacking) or 'lack'} and, beyond them, {short_list(extra) or 'nothing'}. "
        "Pass the features the model was fitted on."
    )


def feature_names(X: Any) -> tuple[str, ...]:
    """Names of the columns of a table, without row facts; x0, x1, ... of an array."""
    if hasattr(X, "columns"):
        return tuple(str(name) for name in X.columns if not str(name).startswith(MARK))
    return _numbered(np.shape(X)[1])


def patients_of(X: Any) -> pd.Index:
    """Index of a table, or numbers from 0."""
    return X.index if hasattr(X, "columns") else pd.RangeIndex(len(X))


def is_boosted_by_xgboost(learner: Any) -> bool:
    """Whether the learner is one of XGBoost's, told without importing it."""
    return type(learner).__module__.partition(".")[0] == "xgboost"


def _calibration(model: Any, learner: Any) -> PlattScaling | None:
    """Platt scaling of :func:`score`, which does not take one half off a probability."""
    found = getattr(model, "calibration_", None)
    if found is None or hasattr(learner, "decision_function"):
        return found
    return PlattScaling(found.slope, found.intercept - found.slope / 2, found.informative)


def _words_of_prediction(model: Any) -> str:
    inner = model[-1] if isinstance(model, Pipeline) else model
    inner = inner.pipeline_[-1] if isinstance(inner, TunedSurvival) else inner
    if isinstance(inner, HazardModel):
        return "log hazard ratio"
    if isinstance(inner, SurvivalForest):
        return "risk (expected events)"
    if isinstance(inner, SurvivalModel) or type(inner).__module__.startswith("sksurv."):
        return "risk"
    return "predicted value" if is_regressor(inner) else "prediction"


def _behind(pipeline: Pipeline, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names behind the transformers; numbers where one does not name its output."""
    if len(pipeline) == 1:
        return names
    steps = pipeline[:-1]
    if all(hasattr(step, "get_feature_names_out") for _, step in steps.steps):
        known = getattr(steps, "feature_names_in_", None)
        return tuple(map(str, steps.get_feature_names_out(names if known is None else known)))
    return _numbered(pipeline[-1].n_features_in_)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(count))
