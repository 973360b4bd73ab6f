"""The training cohort of a prediction study: what it teaches, and what that says elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    OutcomeError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.log import get_logger
from radiogenomics.evaluation import LockedModel, PatientKFold
from radiogenomics.evaluation.label_copies import refuse_label_copies
from radiogenomics.evaluation.thresholds import lock_threshold
from radiogenomics.stats import permutations
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import sites_of
from radiogenomics.study.prediction.flattered import flattered
from radiogenomics.study.prediction.inputs import MINIMUM_PATIENTS, Notes, PredictionInputs
from radiogenomics.study.prediction.judges import Judge
from radiogenomics.study.prediction.models import ModelBuilder
from radiogenomics.study.prediction.null import Null
from radiogenomics.study.prediction.schema import Model, PredictionStudy
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.prediction.tasks import Task, task_of
from radiogenomics.study.validate_notes import leaning, not_permuted, null_table, uninformative

SPLIT = "cross-validation"


@dataclass(frozen=True)
class Machine:
    """What a run works with: a folder for fitted blocks, a seed, processes, permutations.

    ``permutations`` is None where the recipe's number holds.
    """

    memory: str
    seed: int
    jobs: int
    permutations: int | None = None


class Bench:
    """Models of a recipe on its training cohort; other cohorts are scored by what was locked."""

    def __init__(
        self,
        study: PredictionStudy,
        inputs: PredictionInputs,
        machine: Machine,
        *,
        others: Sequence[PredictionInputs] = (),
    ) -> None:
        self.study, self.seed, self.jobs = study, machine.seed, machine.jobs
        asked = machine.permutations
        self.permutations = study.evaluation.permutations.value if asked is None else asked
        self.task: Task = task_of(study, inputs.cohort)
        self.inputs = _with_target(inputs, self.task, study)
        # Patients of other cohorts need a baseline model too, even where nobody does here.
        self.scanned_once = not all(e.seen_again().all() for e in (self.inputs, *others))
        self.builder = self._builder(memory=machine.memory)
        plan = study.evaluation
        self.splitter = PatientKFold(
            plan.folds.value, n_repeats=plan.repeats.value, random_state=self.seed
        )

    def _builder(self, *, memory: str | None) -> ModelBuilder:
        return ModelBuilder(self.study, self.inputs, memory=memory, random_state=self.seed)

    def inside(self) -> tuple[Findings, list[Evidence]]:
        """Nested cross-validation of every model; the null of the first."""
        first, *others = self.study.models
        evidences = [self._evidence(first)]
        features, cohort = self.inputs.features, self.inputs.cohort
        classes = self.task.classes(evidences[0])
        refuse_label_copies(features, classes.loc[features.index], where=cohort.id)
        judge = self.task.judge(cohort)
        evidences += [self._evidence(model) for model in others]
        nulls = self._nulls(evidences)
        null = nulls.get(first.name)
        points, point_metrics = self._points_inside(evidences[0], judge)
        metrics = judge.metrics(evidences[0].predictions, split=SPLIT, null=null)
        predictions, remarks = self._everyone(evidences, judge)
        rivals = [name for name in predictions if name in self.inputs.rivals]
        tables = {
            **judge.tables(predictions, split=SPLIT, rivals=rivals, nulls=nulls),
            **points,
            "predictions": evidences[0].predictions.assign(cohort=cohort.id),
            **null_table(null, SPLIT, metric=judge.metric),
            "selection": evidences[0].selection_frequency().rename_axis("feature").reset_index(),
            **{name: table for name, table in evidences[0].tables.items() if name == "fallbacks"},
        }
        chance = leaning(evidences, SPLIT, outcome=judge.outcome)
        remarks = (*remarks, *chance, *uninformative(evidences))
        notes = (*remarks, *self._tested(null), *self._blind())
        found = Findings(
            metrics=(*metrics, *point_metrics),
            tables=tables,
            notes=notes,
            evidence=evidences[0],
        )
        return found, evidences

    def _points_inside(
        self, evidence: Evidence, judge: Judge
    ) -> tuple[dict[str, pd.DataFrame], tuple[Metric, ...]]:
        """Operating points where the threshold was fixed beforehand; a learnt one has seen them."""
        threshold = self.study.evaluation.threshold.value
        if isinstance(threshold, str):
            return {}, ()
        return judge.points(evidence.predictions, threshold, split=SPLIT)

    def scored(self, evidences: Sequence[Evidence], threshold: float) -> Scored:
        """Out-of-fold scores of the training cohort, for the read-outs."""
        judge = self.task.judge(self.inputs.cohort)
        predictions, _ = self._everyone(evidences, judge)
        meaning = self.study.label.meaning.value
        return Scored(self.inputs.cohort, SPLIT, predictions, threshold, meaning)

    def outside(
        self,
        inputs: PredictionInputs,
        evidences: Sequence[Evidence],
        threshold: float,
        *,
        rng: Sequence[int],
    ) -> tuple[Findings, Scored]:
        """Score another cohort with every locked model; nothing is fitted."""
        split, meaning = f"external:{inputs.cohort.id}", self.study.label.meaning.value
        labels, judge, unlabelled = self._judged(inputs.cohort, evidences[0])
        models = {e.name: _predicted(locked_model(e), inputs, labels) for e in evidences}
        first = next(iter(models.values()))
        flaw = None if judge is None else judge.flaw(first)
        tables = {"predictions": first.assign(cohort=inputs.cohort.id)}
        if judge is None or flaw is not None:
            said = (("warning", f"{split}: {flaw}"),) if flaw is not None else ()
            scored = Scored(inputs.cohort, split, models, threshold, meaning)
            return Findings(tables=tables, notes=(*inputs.notes, *unlabelled, *said)), scored
        rivals, remarks = _rivals(inputs, first, split=split, judge=judge)
        predictions = {**models, **rivals}
        scored = Scored(inputs.cohort, split, predictions, threshold, meaning)
        null = _locked_null(judge, first, inputs.cohort, self.study, rng)
        points, point_metrics = judge.points(first, threshold, split=split)
        metrics = (*judge.metrics(first, split=split, null=null), *point_metrics)
        tables |= {
            **judge.tables(predictions, split=split, rivals=list(rivals), outside=True),
            **null_table(null, split, metric=judge.metric),
            **points,
        }
        notes = (*inputs.notes, *remarks, *not_permuted(null, split))
        return Findings(metrics=metrics, tables=tables, notes=notes), scored

    def flattery(self, evidence: Evidence) -> Findings:
        """How much the recipe's known defects flatter the headline model on these patients."""
        if not self.study.legacy.value:
            warnings.warn(
                f"{self.study.study}: no defects are known that --legacy could show.",
                RadiogenomicsWarning,
                stacklevel=2,
            )
            return Findings()
        model, rows = self.study.models[0], evidence.predictions
        known = rows[rows["label"].notna()].drop_duplicates("patient_id").set_index("patient_id")
        # In the order of the features, so that they are dealt to the same folds.
        known = known.loc[[p for p in self.inputs.features.index if p in known.index]]
        return flattered(
            self.study,
            self.builder.build(model, scanned_once=False),
            features=self.inputs.features.loc[known.index, self.builder.columns(model)],
            labels=known["label"].astype(int),
            splitter=self.splitter,
            seed=self.seed,
            jobs=self.jobs,
        )

    def _judged(
        self, cohort: Cohort, evidence: Evidence
    ) -> tuple[pd.Series[float], Judge | None, Notes]:
        """Labels of another cohort and what judges it; neither, and a note, where it has none."""
        try:
            labels = self.task.labels(cohort, locked_model(evidence))
            return labels, self.task.judge(cohort), ()
        except (UnknownNameError, OutcomeError) as error:
            return pd.Series(dtype=float), None, (("warning", str(error.args[0])),)

    def _evidence(self, model: Model) -> Evidence:
        features = self.inputs.features[self.builder.columns(model)]
        get_logger(__name__).info("cross-validating %s on %d patients", model.name, len(features))
        return self.task.cross_validate(
            self.builder.build(model, scanned_once=self.scanned_once),
            features,
            splitter=self.splitter,
            name=model.name,
            jobs=self.jobs,
        )

    def _nulls(self, evidences: Sequence[Evidence]) -> dict[str, NDArray[np.float64]]:
        """Headline numbers under permuted patients, the same ones for every model asked for."""
        if self.permutations < 1:
            return {}
        asked = self.study.evaluation.null_of
        every = asked is not None and asked.value == "all"
        models = self.study.models if every else self.study.models[:1]
        sites = sites_of(self.inputs.cohort, self.inputs.features.index)
        # One model alone never meets the same permuted patients twice.
        builder = self.builder if every else self._builder(memory=None)
        nulls = {}
        for model, evidence in zip(models, evidences, strict=False):
            rng = np.random.default_rng([self.seed, 1])
            nulls[model.name] = self.task.null(
                builder.build(model, scanned_once=self.scanned_once),
                self.inputs.features[self.builder.columns(model)],
                splitter=self.splitter,
                draw=Null(evidence, self.permutations, rng, sites),
                jobs=self.jobs,
            )
        return nulls

    def _tested(self, null: NDArray[np.float64] | None) -> Notes:
        if null is not None:
            return ()
        text = (
            f"{SPLIT}: the procedure was not repeated on permuted patients, as the recipe asks for "
            "no permutations; other cohorts are tested. Ask with --permutations."
        )
        return (("warning", text),)

    def _blind(self) -> Notes:
        """Name the models that see nothing of who was scanned once."""
        later = set(self.inputs.follow_up)
        names = [m.name for m in self.study.models if later.issuperset(m.blocks.value)]
        if not (self.scanned_once and names):
            return ()
        text = (
            f"{', '.join(names)}: has no baseline block, so patients who were not scanned again "
            "were scored by what its steps impute."
        )
        return (("warning", text),)

    def _everyone(
        self, evidences: Sequence[Evidence], judge: Judge
    ) -> tuple[dict[str, pd.DataFrame], Notes]:
        """Predictions of models and, for the same patients, of rivals."""
        models = {evidence.name: evidence.predictions for evidence in evidences}
        first = evidences[0].predictions
        rivals, notes = _rivals(self.inputs, first, split=SPLIT, judge=judge)
        return {**models, **rivals}, notes


def _with_target(inputs: PredictionInputs, task: Task, study: PredictionStudy) -> PredictionInputs:
    """Patients with the target, enough for the folds.

    Raises
    ------
    StudyError
        There are too few.
    """
    features = inputs.features
    kept = features.index[features.index.isin(task.patients)]
    fewest = study.evaluation.folds.value * study.evaluation.inner_folds.value
    if len(kept) < max(fewest, MINIMUM_PATIENTS):
        raise StudyError(
            f"{inputs.cohort.id}: expected at least {max(fewest, MINIMUM_PATIENTS)} patients with "
            f"the label {study.label.name} and all blocks, for "
            f"{study.evaluation.folds.value} folds with {study.evaluation.inner_folds.value} "
            f"inside; found {len(kept)}. Add patients, or copy the recipe and take fewer folds."
        )
    rivals = {name: known.reindex(kept) for name, known in inputs.rivals.items()}
    return replace(inputs, features=features.loc[kept], rivals=rivals)


def locked_model(evidence: Evidence) -> LockedModel:
    """The model refitted on all training patients."""
    if not isinstance(evidence.model, LockedModel):
        raise StudyError("expected a locked model from the cross-validation; found none.")
    return evidence.model


def _predicted(
    model: LockedModel, inputs: PredictionInputs, labels: pd.Series[float]
) -> pd.DataFrame:
    try:
        scores = model.predict(inputs.features)
    except AlignmentError as error:
        raise AlignmentError(f"{inputs.cohort.id}: {error}") from None
    return pd.DataFrame(
        {
            "patient_id": scores.index,
            "repeat": 0,
            "fold": 0,
            "label": labels.reindex(scores.index).to_numpy(dtype=float),
            "score": scores.to_numpy(),
        }
    )


def _rivals(
    inputs: PredictionInputs, like: pd.DataFrame, *, split: str, judge: Judge
) -> tuple[dict[str, pd.DataFrame], Notes]:
    """Rivals as predictions of the rows whom they are known of."""
    found, notes = {}, []
    for name, known in inputs.rivals.items():
        scores = like["patient_id"].map(known)
        rows = like.assign(score=scores.to_numpy(dtype=float))[scores.notna().to_numpy()]
        lacking = like.loc[scores.isna(), "patient_id"].nunique()
        flaw = judge.flaw(rows) if len(rows) else "known of nobody."
        if flaw is not None:
            notes.append(("warning", f"{split}: {name} is left out: {flaw}"))
            continue
        if lacking:
            text = f"{split}: {name} is not known of {lacking} patients; compared among the others."
            notes.append(("warning", text))
        found[name] = rows
    return found, tuple(notes)


def _locked_null(
    judge: Judge,
    first: pd.DataFrame,
    cohort: Cohort,
    study: PredictionStudy,
    rng: Sequence[int],
) -> NDArray[np.float64] | None:
    """Locked scores under permuted patients, within sites; None where nothing can move."""
    known = judge.judged(first)
    sites = sites_of(cohort, pd.Index(known["patient_id"]))
    if sites is not None and not judge.movable(known, sites):
        return None
    blocks = None if sites is None else sites.to_numpy(dtype=object)
    count = study.evaluation.outcome_permutations.value
    orders = permutations(len(known), count, np.random.default_rng(list(rng)), blocks=blocks)
    return judge.permuted(known, orders)


def threshold_of(study: PredictionStudy, evidence: Evidence) -> float:
    """The recipe's threshold, locked on out-of-fold scores where it is learnt."""
    rule = study.evaluation.threshold.value
    if rule == "youden":
        return lock_threshold(evidence.predictions, rule="youden")
    if rule == "median":
        return float(evidence.mean_predictions()["score"].median())
    return float(rule)
