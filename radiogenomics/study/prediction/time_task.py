"""A time to an event as what is foretold: risks instead of classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    LockedModel,
    PatientKFold,
    cross_validate_survival,
    cross_validation_survival_null,
)
from radiogenomics.evaluation.fold import Splitter
from radiogenomics.models.blocks import MARK
from radiogenomics.study.prediction.inputs import PredictionInputs
from radiogenomics.study.prediction.judges import ConcordanceJudge
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.null import Null
from radiogenomics.study.prediction.schema import PredictionStudy

COX = "cox"
KEEP_ALL = ("median_imputer", "drop_constant", "standardise")
"""Steps after which there are as many variables as before."""


@dataclass(frozen=True, eq=False)
class TimeTask:
    """The time to an event, learnt with its censoring and judged by concordance.

    ``minimum_events`` are those below which a cohort is not judged by.
    """

    label: TimeLabel
    outcome: SurvivalOutcome
    minimum_events: int

    @property
    def patients(self) -> pd.Index:
        """Patients who were followed."""
        return self.outcome.patient_ids

    def cross_validate(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: Splitter,
        name: str,
        jobs: int,
    ) -> Evidence:
        """Foretell every patient's risk by a model that has not seen this patient."""
        outcome = self.outcome.for_patients(features.index)
        found = cross_validate_survival(
            model, features, outcome, splitter=splitter, name=name, jobs=jobs
        )
        columns = tuple(map(str, features.columns))
        return Evidence(
            name=name,
            predictions=found.predictions,
            selected=found.selected,
            tables=found.tables,
            model=LockedModel(Risk(found.model), None, columns),
        )

    def null(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: PatientKFold,
        draw: Null,
        jobs: int,
    ) -> NDArray[np.float64]:
        """C of the whole procedure under permuted patients."""
        return cross_validation_survival_null(
            model,
            features,
            self.outcome.for_patients(features.index),
            splitter=splitter,
            count=draw.count,
            rng=draw.rng,
            blocks=draw.blocks,
            jobs=jobs,
        )

    def classes(self, evidence: Evidence) -> pd.Series[float]:
        """Who had the event: what no feature may copy."""
        return self.outcome.event.astype(float)

    def labels(self, cohort: Cohort, locked: LockedModel) -> pd.Series[float]:
        """No classes: NaN for everybody of another cohort, if it has the endpoint."""
        outcome = cohort.survival(self.label.endpoint.value)
        return pd.Series(np.nan, index=outcome.patient_ids)

    def judge(self, cohort: Cohort) -> ConcordanceJudge:
        """Hold risks against a cohort's own times."""
        outcome = cohort.survival(self.label.endpoint.value)
        return ConcordanceJudge(outcome, self.minimum_events)


@dataclass(frozen=True, eq=False)
class Risk:
    """A survival model whose risk is its score, as a locked model asks for one."""

    model: Any

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Risk, shape (n,); higher is worse."""
        return np.asarray(self.model.predict(X), dtype=float)


def require_events_for_cox(study: PredictionStudy, inputs: PredictionInputs) -> None:
    """Refuse Cox models of more variables than their innermost training parts have events.

    They have neither penalty nor selection, and would fail after the networks of a fold were
    trained.

    Raises
    ------
    StudyError
        There is such a model.
    """
    if not isinstance(study.label, TimeLabel):
        return
    outcome = inputs.cohort.survival(study.label.endpoint.value)
    known = inputs.features.index.intersection(outcome.patient_ids)
    events, plan = outcome.for_patients(known).n_events, study.evaluation
    if events < plan.minimum_events.value:
        return  # refused with better words when the target is made
    inside = events * (1 - 1 / plan.folds.value) * (1 - 1 / plan.inner_folds.value)
    for model in study.models:
        steps = [*model.steps, *(s for b in model.blocks.value for s in study.blocks[b].steps)]
        names = [name.split(MARK, 1)[0] for name in inputs.features.columns]
        variables = sum(name in model.blocks.value for name in names)
        plain = model.learner.value == COX and all(step.step in KEEP_ALL for step in steps)
        if plain and math.ceil(inside) < variables:
            raise StudyError(
                f"{inputs.cohort.id}: expected at least {variables} events in each training part "
                f"of {model.name}, whose {COX} model has as many variables and no penalty; found "
                f"about {inside:.0f} of {events} in {plan.folds.value} folds with "
                f"{plan.inner_folds.value} inside. Add patients, or copy the recipe and take fewer "
                "variables or ridge_cox."
            )
