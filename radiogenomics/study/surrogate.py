"""Image → label: nested cross-validation of the surrogate, its rivals and its null."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import StudyError
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.log import get_logger
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    PatientKFold,
    auc_metric,
    calibration_metrics,
    calibration_table,
    concordance_metric,
    cross_validate,
    cross_validation_null,
    pooled_auc,
    prognosis,
    roc_table,
)
from radiogenomics.omics import CoxSignature, SignatureLabel
from radiogenomics.stats import concordance, fit_cox_batch, permutation_p
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs, sites_of
from radiogenomics.study.schema import Study
from radiogenomics.study.words import build_surrogate

SPLIT = "cross-validation"
MINIMUM_PATIENTS = 20
TINY = 1e-300


def label_rule(study: Study, *, unit: str = "not stated") -> SignatureLabel:
    """Return the unfitted rule that turns molecules into the label, learnt inside each fold."""
    label = study.label
    return SignatureLabel(
        CoxSignature(
            genes=label.genes.value,
            weights=label.weights.value,
            cutoff=label.cutoff.value,
            name=label.name,
            minimum_events=study.evaluation.minimum_events.value,
            unit=unit,
        )
    )


def evaluate_surrogate(study: Study, inputs: Inputs, *, seed: int, jobs: int) -> Findings:
    """Cross-validate the recipe's learner and its comparators, and run the permutation null.

    The label's weights, standardisation and cut-off, the selection of features, the tuning and the
    calibration are all fitted on the training part of each fold. In the null, patients' molecules
    and outcome travel together and are permuted against the images within their site; everything
    is repeated. So a difference between sites alone is not a link.
    """
    images, target = aligned(study, inputs)
    splitter = PatientKFold(
        study.evaluation.folds.value,
        n_repeats=study.evaluation.repeats.value,
        random_state=seed,
    )
    learner = study.model.learner.value
    validate = partial(
        cross_validate,
        features=images,
        target=target,
        splitter=splitter,
        target_rule=label_rule(study),
        jobs=jobs,
    )
    get_logger(__name__).info("cross-validating %s on %d patients", learner, len(images))
    statistics = Statistics(_outcome(study, inputs, images.index))
    pipeline = build_surrogate(study, learner, random_state=seed)
    evidence = validate(pipeline, name=learner)
    null = cross_validation_null(
        pipeline,
        images,
        target,
        splitter=splitter,
        target_rule=label_rule(study),
        statistic=statistics,
        blocks=sites_of(inputs.cohort, images.index),
        count=study.evaluation.permutations.value,
        rng=np.random.default_rng([seed, 1]),
        jobs=jobs,
    )
    metrics = (
        auc_metric(evidence.predictions, split=SPLIT, null=null[:, 0]),
        *calibration_metrics(evidence.predictions, split=SPLIT),
    )
    rivals = [
        validate(build_surrogate(study, name, random_state=seed), name=name)
        for name in study.model.comparators.value
    ]
    survival_metrics, survival_tables = _prognosis(evidence, statistics, null)
    tables = {
        "learners": _learner_table([evidence, *rivals]),
        "roc": pd.concat([_roc(e) for e in (evidence, *rivals)], ignore_index=True),
        "calibration": calibration_table(evidence.predictions).assign(split=SPLIT),
        "null": _null_table(statistics, null),
        "selection": evidence.selection_frequency().rename_axis("feature").reset_index(),
        "predictions": evidence.predictions.assign(cohort=inputs.cohort.id),
        **survival_tables,
    }
    return Findings(
        metrics=(*metrics, *survival_metrics),
        tables=tables,
        evidence=evidence.with_metrics(*metrics).with_tables(tables),
    )


def aligned(study: Study, inputs: Inputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images and targets of the patients who have both, in one order.

    Raises
    ------
    StudyError
        Fewer than 20 patients have both.
    """
    target = inputs.target(study.label.genes.value)
    if inputs.images is None:
        raise StudyError(f"{inputs.cohort.id}: expected images or image features; found neither.")
    both = inputs.images.index.intersection(target.index)
    if len(both) < MINIMUM_PATIENTS:
        raise StudyError(
            f"{inputs.cohort.id}: expected at least {MINIMUM_PATIENTS} patients with images and "
            f"RNA; found {len(both)} ({len(inputs.images)} with images, {len(target)} with RNA). "
            "Check that both tables use the same patient identifiers."
        )
    return inputs.images.loc[both], target.loc[both]


def locked_cutoff(evidence: Evidence) -> float:
    """Median of the out-of-fold predictions: a cut-off learnt on the training cohort alone."""
    return float(evidence.mean_predictions()["score"].median())


@dataclass(frozen=True, eq=False)
class Statistics:
    """What each permutation records: the AUC and, given an outcome, what survival says.

    The outcome belongs to the patients whose molecules were permuted against the images, so the
    nulls of prognosis repeat the whole cross-validation too.
    """

    outcome: SurvivalOutcome | None

    @property
    def names(self) -> tuple[str, ...]:
        """Metric of each number; hazard ratios as logarithms."""
        survival = () if self.outcome is None else ("c_index", "hr_per_sd", "hr_high_vs_low")
        return ("auc", *survival)

    def __call__(self, predictions: pd.DataFrame) -> tuple[float, ...]:
        """Compute the numbers of one cross-validation."""
        auc = pooled_auc(predictions)
        if self.outcome is None:
            return (auc,)
        with_outcome = predictions[predictions["patient_id"].isin(self.outcome.patient_ids)]
        repeats = with_outcome.groupby("repeat")
        concordances = [self._concordance(part) for _, part in repeats]
        risk = with_outcome.groupby("patient_id")["score"].mean().loc[self.outcome.patient_ids]
        high = (risk > predictions.groupby("patient_id")["score"].mean().median()).astype(float)
        designs = np.stack([risk / max(risk.std(), TINY), high])[:, :, None]
        log_ratios = fit_cox_batch(designs, self.outcome.time, self.outcome.event).coef[:, 0]
        return (auc, float(np.mean(concordances)), *map(float, log_ratios))

    def _concordance(self, part: pd.DataFrame) -> float:
        if self.outcome is None:
            return float("nan")
        scores = part.set_index("patient_id")["score"].loc[self.outcome.patient_ids]
        return float(concordance(scores, self.outcome.time, self.outcome.event).value)


def _outcome(study: Study, inputs: Inputs, patient_ids: pd.Index[str]) -> SurvivalOutcome | None:
    """Outcome of the imaged patients, or None where too few had the event."""
    if inputs.outcome is None:
        return None
    outcome = inputs.outcome.for_patients(patient_ids.intersection(inputs.outcome.patient_ids))
    enough = outcome.n_events >= study.evaluation.minimum_events.value
    return outcome if enough else None


def _prognosis(
    evidence: Evidence, statistics: Statistics, null: NDArray[np.float64]
) -> tuple[tuple[Metric, ...], dict[str, pd.DataFrame]]:
    """Hold the out-of-fold prediction against the survival of the same patients."""
    outcome = statistics.outcome
    if outcome is None:
        return (), {}
    found, tables = prognosis(
        evidence.mean_predictions()["score"].loc[outcome.patient_ids],
        outcome,
        split=SPLIT,
        cutoff=locked_cutoff(evidence),
        permutations=0,
        rng=np.random.default_rng(0),
    )
    shared = evidence.predictions["patient_id"].isin(outcome.patient_ids)
    values = dict(zip(statistics.names, null.T, strict=True))
    metrics = [
        replace(m, p_permutation=permutation_p(np.log(m.value), values[m.name]))
        for m in found
        if m.name != "c_index"
    ]
    c_index = concordance_metric(
        evidence.predictions[shared], outcome, split=SPLIT, null=values["c_index"]
    )
    return (*metrics, c_index), tables


def _null_table(statistics: Statistics, null: NDArray[np.float64]) -> pd.DataFrame:
    wide = pd.DataFrame(null, columns=list(statistics.names)).assign(split=SPLIT)
    return wide.melt("split", var_name="metric", value_name="value")


def _learner_table(evidences: list[Evidence]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for position, evidence in enumerate(evidences):
        auc = auc_metric(evidence.predictions, split=SPLIT)
        row = {
            "learner": evidence.name,
            "headline": position == 0,
            "auc": auc.value,
            "low": auc.low,
            "high": auc.high,
            "chance": auc.chance,
            "n": auc.n,
            "positives": auc.events,
        }
        row |= {m.name: m.value for m in calibration_metrics(evidence.predictions, split=SPLIT)}
        rows.append(row)
    return pd.DataFrame(rows)


def _roc(evidence: Evidence) -> pd.DataFrame:
    return roc_table(evidence.predictions).assign(split=SPLIT, learner=evidence.name)
