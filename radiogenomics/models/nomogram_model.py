"""The linear predictor of a fitted model in the units of its table, for a nomogram.

Behind a pipeline coefficients are those of standardised features. Steps that take each column by
itself in a straight line are undone: a coefficient is divided by the scale of its column, the
constants go to the intercept. What is found is held against the model's own predictions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError, short_list
from radiogenomics.models.steps import Steps, written_out
from radiogenomics.models.survival.model import LinearHazardModel
from radiogenomics.models.survival.tuned import TunedSurvival
from radiogenomics.models.tuned import TunedClassifier
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard

# Sums of products in another order differ by rounding only.
_ROUNDING = 1e-7


@dataclass(frozen=True, eq=False)
class LinearPredictor:
    """What a model adds up.

    Parameters
    ----------
    coefficients
        Of one unit of each column of the table; 0 where a step or a penalty left it out.
    intercept
        Linear predictor of a patient whose columns are all 0.
    """

    coefficients: pd.Series
    intercept: float


@dataclass(frozen=True, eq=False)
class _Opened:
    steps: Steps
    learner: Any
    names: np.ndarray
    slope: float
    intercept: float


def cox_predictor(model: Any, patients: pd.DataFrame) -> tuple[LinearPredictor, BaselineHazard]:
    """Return log hazard ratio and baseline of a Cox model, or of one behind steps.

    Parameters
    ----------
    model
        Fitted CoxModel or LassoCox, or a Pipeline or TunedSurvival that ends in one.
    patients
        The table it was fitted on.

    Raises
    ------
    SchemaError
        The model does not know the names of its features.
    DataError
        The model is of another kind, or a step bends or mixes columns.
    """
    opened = _opened(model)
    if not isinstance(opened.learner, LinearHazardModel):
        raise _unsupported(opened.learner, "a Cox model (CoxModel, LassoCox)")
    shift = -float(opened.learner.center_ @ opened.learner.coef_)
    found = _unrolled(opened, np.asarray(opened.learner.coef_, dtype=float), shift)
    _hold_against(model, found, patients, opened=opened)
    return found, opened.learner.baseline_


def logistic_predictor(model: Any, patients: pd.DataFrame) -> LinearPredictor:
    """Return the log-odds of the second class by a linear model, or of one behind steps.

    Parameters
    ----------
    model
        Fitted LogisticRegression, a Pipeline that ends in one, or a TunedClassifier that ends in
        any linear classifier, whose calibration is part of the log-odds.
    patients
        The table it was fitted on.

    Raises
    ------
    SchemaError
        The model does not know the names of its features.
    DataError
        The model is of another kind, or a step bends or mixes columns.
    """
    opened = _opened(model)
    learner = opened.learner
    coef, constant = getattr(learner, "coef_", None), getattr(learner, "intercept_", None)
    if coef is None or constant is None or not hasattr(model, "predict_proba"):
        raise _unsupported(
            learner, "a logistic regression, or in a TunedClassifier another linear classifier"
        )
    if np.shape(np.atleast_2d(coef))[0] != 1:
        raise DataError(
            f"expected a logistic model of two classes; found {len(learner.classes_)}. "
            "Draw one class against the others."
        )
    found = _unrolled(opened, np.ravel(coef).astype(float), float(np.ravel(constant)[0]))
    _hold_against(model, found, patients, opened=opened)
    return found


def _opened(model: Any) -> _Opened:
    """Steps before the learner, written out, and the names of the columns they begin with."""
    check_is_fitted(model)
    steps: Steps = []
    slope, intercept, inner = 1.0, 0.0, model
    while isinstance(inner, Pipeline | TunedClassifier | TunedSurvival):
        if isinstance(inner, TunedClassifier):
            slope, intercept = inner.calibration_.slope, inner.calibration_.intercept
            if not inner.calibration_.informative:
                warnings.warn(
                    "nomogram: the model's inner folds ranked no better than chance; all points "
                    "together move the probability by next to nothing.",
                    RadiogenomicsWarning,
                    stacklevel=4,
                )
        pipeline = inner if isinstance(inner, Pipeline) else inner.pipeline_
        steps += written_out(pipeline.steps[:-1])
        inner = pipeline.steps[-1][1]
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        raise SchemaError(
            "expected a model that knows the names of its features; found one fitted on a bare "
            "array. Fit it on a DataFrame."
        )
    return _Opened(steps, inner, np.asarray(names, dtype=object), slope, intercept)


def _unrolled(opened: _Opened, coef: Floats, intercept: float) -> LinearPredictor:
    """Coefficients of the table's own columns: each reaches the learner as a z + b, or not."""
    place, scale = np.arange(len(opened.names)), np.ones(len(opened.names))
    shift = np.zeros(len(opened.names))
    for name, step in opened.steps:
        if getattr(step, "row_facts", ()):
            raise _bent(f"{name} ({type(step).__name__})")
        if isinstance(step, SelectorMixin):
            kept = step.get_support()
            place, scale, shift = place[kept], scale[kept], shift[kept]
        else:
            by, more = _line_of(step)
            scale, shift = scale * by, shift * by + more
    if len(place) != len(coef):
        raise _bent(_names_of_unknown(opened))
    whole = np.zeros(len(opened.names))
    np.add.at(whole, place, opened.slope * coef * scale)
    total = opened.slope * (intercept + float(coef @ shift)) + opened.intercept
    return LinearPredictor(pd.Series(whole, index=opened.names, dtype=float), total)


def _line_of(step: Any) -> tuple[Any, Any]:
    """Slope and constant of each column; those of no change for a step that is not known."""
    if isinstance(step, StandardScaler):
        by = 1.0 if step.scale_ is None else 1 / step.scale_
        return by, 0.0 if step.mean_ is None or not step.with_mean else -step.mean_ * by
    if isinstance(step, RobustScaler):
        by = 1.0 if step.scale_ is None else 1 / step.scale_
        return by, 0.0 if step.center_ is None else -step.center_ * by
    if isinstance(step, MinMaxScaler):
        if step.clip:
            raise _bent("MinMaxScaler(clip=True)")
        return step.scale_, step.min_
    if isinstance(step, MaxAbsScaler):
        return 1 / step.scale_, 0.0
    return 1.0, 0.0


def _hold_against(
    model: Any, found: LinearPredictor, patients: pd.DataFrame, *, opened: _Opened
) -> None:
    """Refuse what does not give the model's own predictions of the patients without gaps.

    A step that is not known is taken for one that fills gaps; whether it is shows here. Without
    such a step nothing is in doubt, and the table may have levels in place of columns.
    """
    columns = list(opened.names)
    there = patients[columns] if set(columns) <= set(patients.columns) else patients.iloc[:0]
    there = there[there.notna().all(axis=1)]
    unknown = _names_of_unknown(opened)
    if there.empty:
        if unknown:
            raise DataError(
                f"expected patients with all {len(columns)} columns of the model, to see that "
                f"{unknown} changes none of them; found none. Pass the table of training."
            )
        return
    values = found.intercept + there.to_numpy(dtype=float) @ found.coefficients.to_numpy()
    if isinstance(opened.learner, LinearHazardModel):
        own = np.asarray(model.predict(there))
    else:
        values, own = expit(values), np.asarray(model.predict_proba(there))[:, 1]
    if not np.allclose(values, own, rtol=_ROUNDING, atol=_ROUNDING):
        raise _bent(unknown or type(opened.learner).__name__)


def _names_of_unknown(opened: _Opened) -> str:
    known = (SelectorMixin, StandardScaler, RobustScaler, MaxAbsScaler, MinMaxScaler)
    return short_list(
        f"{name} ({type(step).__name__})"
        for name, step in opened.steps
        if not isinstance(step, known)
    )


def _bent(what: str) -> DataError:
    return DataError(
        "expected a model that is linear in the columns of the table: a linear or Cox model behind "
        "steps that scale, select or impute each column by itself (StandardScaler, RobustScaler, "
        f"MinMaxScaler, MaxAbsScaler, selectors, imputers); found {what}. Fit the model on the "
        "columns a reader can look up."
    )


def _unsupported(learner: Any, kinds: str) -> DataError:
    return DataError(
        f"expected {kinds}, alone or at the end of a pipeline; found {type(learner).__name__}. "
        "Draw a model that adds its features up."
    )
