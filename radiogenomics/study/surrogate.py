"""Image → label: nested cross-validation of the surrogate, its rivals and its null."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import StudyError
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.log import get_logger
from radiogenomics.evaluation import (
    PatientKFold,
    auc_metric,
    calibration_metrics,
    calibration_table,
    cross_validate,
    cross_validation_null,
    roc_table,
)
from radiogenomics.evaluation.comparison import comparison_table
from radiogenomics.evaluation.utility import decision_curve_table
from radiogenomics.omics import CoxSignature, SignatureLabel
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs, sites_of
from radiogenomics.study.prognosis import (
    SPLIT,
    Statistics,
    imaged_outcome,
    null_table,
    out_of_fold_prognosis,
)
from radiogenomics.study.schema import Study
from radiogenomics.study.words import build_surrogate

MINIMUM_PATIENTS = 20


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
    plan = study.evaluation
    splitter = PatientKFold(plan.folds.value, n_repeats=plan.repeats.value, random_state=seed)
    rule, learner = label_rule(study, unit=inputs.unit), study.model.learner.value
    validate = partial(
        cross_validate,
        features=images,
        target=target,
        splitter=splitter,
        target_rule=rule,
        jobs=jobs,
    )
    get_logger(__name__).info("cross-validating %s on %d patients", learner, len(images))
    outcome = imaged_outcome(study, inputs, images.index)
    statistics = Statistics(outcome, cutoff=study.model.cutoff.value)
    pipeline = build_surrogate(study, learner, random_state=seed)
    evidence = validate(pipeline, name=learner)
    null = cross_validation_null(
        pipeline,
        images,
        target,
        splitter=splitter,
        target_rule=rule,
        statistic=statistics,
        blocks=sites_of(inputs.cohort, images.index),
        count=plan.permutations.value,
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
    survival_metrics, survival_tables = out_of_fold_prognosis(evidence, statistics, null)
    tables = {
        **_performance(evidence, rivals),
        "null": null_table(statistics, null),
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


def _performance(evidence: Evidence, rivals: list[Evidence]) -> dict[str, pd.DataFrame]:
    """Curves of the learner, and the learner beside its rivals."""
    own, everyone = evidence.predictions, [evidence, *rivals]
    predictions = {each.name: each.predictions for each in everyone}
    utility = decision_curve_table(own).assign(split=SPLIT, learner=evidence.name)
    return {
        "learners": _learner_table(everyone),
        "comparisons": comparison_table(predictions, reference=evidence.name, split=SPLIT),
        "roc": pd.concat([_roc(each) for each in everyone], ignore_index=True),
        "calibration": calibration_table(own).assign(split=SPLIT),
        "decision_curve": utility,
        "selection": evidence.selection_frequency().rename_axis("feature").reset_index(),
        **{name: table for name, table in evidence.tables.items() if name == "fallbacks"},
    }


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
