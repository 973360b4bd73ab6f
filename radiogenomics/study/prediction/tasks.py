"""What is foretold, as one interface: cross-validate, permute, label and score another cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import OutcomeError, short_list
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    LockedModel,
    PatientKFold,
    TargetRule,
    cross_validate,
    cross_validate_survival,
    cross_validation_null,
    cross_validation_survival_null,
    pooled_auc,
)
from radiogenomics.evaluation.fold import Splitter
from radiogenomics.evaluation.survival_fold import deal_patients
from radiogenomics.models.survival_beyond import SurvivalBeyond
from radiogenomics.omics import HighMarkers
from radiogenomics.study.prediction.inputs import fact_of, numbers_of, word
from radiogenomics.study.prediction.judges import ClassJudge, Judge
from radiogenomics.study.prediction.labels import (
    FactLabel,
    MarkersLabel,
    ResponseLabel,
    SignatureLabel,
    SurvivalLabel,
    TimeLabel,
)
from radiogenomics.study.prediction.null import Null
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.time_task import TimeTask

KEYS = ("patient_id", "repeat")


class Task(Protocol):
    """A target of one cohort and how it is learnt.

    ``patients`` are those of the cohort who have the target; scores are higher for class 1.
    """

    @property
    def patients(self) -> pd.Index:
        """Patients whom the target is known of."""

    def cross_validate(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: Splitter,
        name: str,
        jobs: int,
    ) -> Evidence:
        """Score every patient by a model that has not seen this patient; the model is locked."""

    def null(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: PatientKFold,
        draw: Null,
        jobs: int,
    ) -> NDArray[np.float64]:
        """Headline number of the whole procedure under permuted patients."""

    def classes(self, evidence: Evidence) -> pd.Series[float]:
        """Class of each patient as it was held against the scores; no feature may copy it."""

    def labels(self, cohort: Cohort, locked: LockedModel) -> pd.Series[float]:
        """Label another cohort's patients, NaN where not known, by what was learnt here."""

    def judge(self, cohort: Cohort) -> Judge:
        """Return what scores of a cohort are held against."""


def task_of(study: PredictionStudy, cohort: Cohort) -> Task:
    """Return the recipe's target in one cohort.

    Raises
    ------
    OutcomeError, UnknownNameError
        The cohort lacks what the label is made of, or both classes.
    """
    label = study.label
    if isinstance(label, TimeLabel):
        fewest = study.evaluation.minimum_events.value
        outcome = cohort.survival(label.endpoint.value)
        outcome.require_events(fewest)
        return TimeTask(label, outcome, fewest)
    if isinstance(label, SurvivalLabel):
        return beyond_task(label, cohort)
    if isinstance(label, MarkersLabel):
        rule = HighMarkers(label.markers.value, label.cutoffs.value, low=label.low.value)
        return LabelTask(label, marker_values(cohort, label), rule)
    known = class_labels(cohort, label)
    if known.nunique() < 2:
        found = f"{int(known.sum())} with in {len(known)} patients"
        raise OutcomeError(
            f"{cohort.id}: expected patients with and without {short_list(label.positive.value)} "
            f"as the label {label.name}; found {found}. Check how the manifest maps its values."
        )
    return LabelTask(label, known)


def class_labels(
    cohort: Cohort, label: ResponseLabel | FactLabel | SignatureLabel
) -> pd.Series[int]:
    """1 and 0 of the patients of whom the class is known.

    Raises
    ------
    UnknownNameError
        There is no such outcome, category or fact.
    """
    if isinstance(label, ResponseLabel):
        outcome = cohort.response(label.outcome.value)
        called = outcome.grouped(label.positive.value)
        if label.among.value is not None:
            called = called[outcome.grouped(label.among.value)]
    else:
        known = fact_of(cohort, label.fact.value).dropna().map(word)
        called = known.isin(label.positive.value)
    return called.astype(int).rename(label.name)


def marker_values(cohort: Cohort, label: MarkersLabel) -> pd.DataFrame:
    """Markers of the patients who have all of them."""
    names = list(label.markers.value)
    if label.assay.value is None:
        table = pd.DataFrame({n: numbers_of(cohort, n, where=label.name) for n in names})
    else:
        table = cohort.assay(label.assay.value).select(names).per_patient()
    return table.dropna()


@dataclass(frozen=True, eq=False)
class LabelTask:
    """Classes 1 and 0, known before anything is learnt or made by a rule learnt in each fold.

    ``target`` holds the classes or, with ``rule``, what the unfitted rule learns from.
    """

    label: ResponseLabel | FactLabel | SignatureLabel | MarkersLabel
    target: pd.Series[int] | pd.DataFrame
    rule: TargetRule | None = None

    @property
    def patients(self) -> pd.Index:
        """Patients whose class is known."""
        return self.target.index

    def cross_validate(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: Splitter,
        name: str,
        jobs: int,
    ) -> Evidence:
        """Score every patient by a model that has not seen this patient."""
        return cross_validate(
            model,
            features,
            self.target.loc[features.index],
            splitter=splitter,
            target_rule=self.rule,
            name=name,
            jobs=jobs,
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
        """AUC of the whole procedure under permuted patients."""
        return cross_validation_null(
            model,
            features,
            self.target.loc[features.index],
            splitter=splitter,
            target_rule=self.rule,
            statistic=pooled_auc,
            count=draw.count,
            rng=draw.rng,
            blocks=draw.blocks,
            jobs=jobs,
        )

    def classes(self, evidence: Evidence) -> pd.Series[float]:
        """Class of each patient as it was held against the scores."""
        return known_classes(evidence)

    def judge(self, cohort: Cohort) -> ClassJudge:
        """Hold scores against two classes."""
        return ClassJudge()

    def labels(self, cohort: Cohort, locked: LockedModel) -> pd.Series[float]:
        """Label another cohort's patients by the same words, or by the cut-offs locked here."""
        if not isinstance(self.label, MarkersLabel):
            return class_labels(cohort, self.label).astype(float)
        values = marker_values(cohort, self.label)
        rule: Any = locked.rule
        return pd.Series(rule.transform(values).astype(float), index=values.index)


@dataclass(frozen=True, eq=False)
class BeyondTask:
    """Alive beyond a time: learnt from times with their censoring, judged where it is known.

    A median is that of the training part: of each fold for those tested there, of all for others.
    """

    label: SurvivalLabel
    outcome: SurvivalOutcome

    @property
    def patients(self) -> pd.Index:
        """Patients followed to the landmark."""
        return self.outcome.patient_ids

    def _learner(self, model: BaseEstimator) -> SurvivalBeyond:
        label = self.label
        return SurvivalBeyond(
            model,
            months=label.months.value,
            censored=label.censored.value,
            landmark=label.landmark.value,
        )

    def cross_validate(
        self,
        model: BaseEstimator,
        features: pd.DataFrame,
        *,
        splitter: Splitter,
        name: str,
        jobs: int,
    ) -> Evidence:
        """Score every patient by a model that has not seen this patient."""
        outcome, learner = self.outcome.for_patients(features.index), self._learner(model)
        found = cross_validate_survival(
            learner, features, outcome, splitter=splitter, name=name, jobs=jobs
        )
        beyond: Any = found.model
        rows = found.predictions
        known = _labels_by_fold(learner, features.index, outcome, splitter)
        labels = known.loc[pd.MultiIndex.from_frame(rows[list(KEYS)])].to_numpy()
        return Evidence(
            name=name,
            predictions=rows.assign(label=labels, score=1 - rows["score"]),
            selected=found.selected,
            tables=found.tables,
            model=LockedModel(beyond.classifier_, beyond, tuple(map(str, features.columns))),
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
        """AUC of the whole procedure under permuted patients."""
        outcome = self.outcome.for_patients(features.index)
        known = draw.evidence.predictions.set_index(list(KEYS))["label"]
        return cross_validation_survival_null(
            self._learner(model),
            features,
            outcome,
            splitter=splitter,
            count=draw.count,
            rng=draw.rng,
            blocks=draw.blocks,
            statistic=_KnownAuc(known),
            jobs=jobs,
        )

    def classes(self, evidence: Evidence) -> pd.Series[float]:
        """Class of each patient as it was held against the scores."""
        return known_classes(evidence)

    def judge(self, cohort: Cohort) -> ClassJudge:
        """Hold scores against two classes."""
        return ClassJudge()

    def labels(self, cohort: Cohort, locked: LockedModel) -> pd.Series[float]:
        """Label another cohort's patients by the time that was locked; NaN where lost before."""
        task = beyond_task(self.label, cohort)
        rule: Any = locked.rule
        known = rule.labels(task.outcome.to_structured())
        return pd.Series(known, index=task.outcome.patient_ids)


def _labels_by_fold(
    learner: SurvivalBeyond,
    patients: pd.Index,
    outcome: SurvivalOutcome,
    splitter: Splitter,
) -> pd.Series[float]:
    """Label the tested patients of each fold by the months that its training part teaches."""
    target, parts = outcome.to_structured(), []
    for split in deal_patients(outcome.time.to_frame(), outcome, splitter=splitter):
        index = pd.MultiIndex.from_product([patients[split.test], [split.repeat]], names=KEYS)
        labels = learner.labels_learnt_from(target[split.train], target[split.test])
        parts.append(pd.Series(labels, index=index))
    return pd.concat(parts)


def known_classes(evidence: Evidence) -> pd.Series[float]:
    """Label of each patient, of the first repeat where they are learnt anew; NaN where unknown."""
    rows = evidence.predictions.drop_duplicates("patient_id").set_index("patient_id")
    return rows["label"]


def beyond_task(label: SurvivalLabel, cohort: Cohort) -> BeyondTask:
    """Return the patients of a cohort who were followed to the label's landmark."""
    outcome = cohort.survival(label.endpoint.value)
    landmark = label.landmark.value
    there = outcome.patient_ids[(outcome.time > landmark) | (landmark == 0)]
    return BeyondTask(label, outcome.for_patients(there))


@dataclass(frozen=True, eq=False)
class _KnownAuc:
    """AUC of risks among patients whose label is known, in each repeat by its own folds."""

    known: pd.Series[float]

    def __call__(self, predictions: pd.DataFrame) -> float:
        labels = self.known.loc[pd.MultiIndex.from_frame(predictions[list(KEYS)])].to_numpy()
        return pooled_auc(predictions.assign(label=labels, score=-predictions["score"]))
