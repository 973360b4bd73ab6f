"""The locked surrogate in cohorts that took no part in making it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, StudyError, short_list
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    LockedModel,
    auc_metric,
    calibration_table,
    pooled_auc,
    prognosis,
    roc_table,
)
from radiogenomics.stats import permutations
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import Inputs, response_of
from radiogenomics.study.prognosis import locked_cutoff
from radiogenomics.study.schema import Evaluation, Study


def validate_externally(study: Study, evidence: Evidence, inputs: Inputs, *, seed: int) -> Findings:
    """Predict every patient of another cohort with the locked model; nothing is refitted.

    Label (where RNA was measured), survival and response are each held against the prediction,
    with a permutation null that permutes the truth among the cohort's patients.
    """
    split = f"external:{inputs.cohort.id}"
    if inputs.images is None:
        return Findings(
            notes=(("warning", f"{split}: no images or image features; not validated."),)
        )
    model = evidence.model
    if not isinstance(model, LockedModel):
        raise StudyError(
            f"{split}: expected evidence with a locked model; found {type(model).__name__}."
        )
    scores = _predict(model, inputs.cohort.id, inputs.images)
    cutoff = locked_cutoff(evidence)
    count = study.evaluation.outcome_permutations.value
    rng = np.random.default_rng([seed, 3])
    stages = [
        Findings(
            tables={"predictions": _predictions(scores, np.nan).assign(cohort=inputs.cohort.id)}
        )
    ]
    if inputs.expression is not None:
        label = _measured_label(study, model, inputs)
        stages.append(_agreement(scores, label, "auc", split=split, count=count, rng=rng))
    response = response_of(inputs.cohort, study)
    if response is not None:
        sign = -1.0 if study.response.responders_score.value == "low" else 1.0
        stages.append(
            _agreement(sign * scores, response, "auc_response", split=split, count=count, rng=rng)
        )
    for endpoint in study.prognosis.endpoints.value:
        if endpoint in inputs.cohort.outcomes:
            outcome = inputs.cohort.survival(endpoint)
            stages.append(
                _survival(
                    scores, outcome, split=split, cutoff=cutoff, plan=study.evaluation, rng=rng
                )
            )
    return merge(stages)


def _predict(model: LockedModel, cohort: str, images: pd.DataFrame) -> pd.Series[float]:
    missing = [name for name in model.feature_names if name not in images]
    if missing:
        raise AlignmentError(
            f"{cohort}: expected the {len(model.feature_names)} image features the model was "
            f"trained on; found {len(missing)} missing ({short_list(missing)}). Extract "
            "this cohort with the same settings."
        )
    return model.predict(images)


def _measured_label(study: Study, model: LockedModel, inputs: Inputs) -> pd.Series[bool]:
    """Label by the rule learnt on the discovery cohort; its constants are not refitted."""
    target = inputs.target(study.label.genes.value)
    if model.rule is None:
        raise StudyError("expected a model with a locked label rule; found one without.")
    labels = model.rule.transform(target)
    return pd.Series(np.asarray(labels, dtype=bool), index=target.index, name=study.label.name)


def _survival(
    scores: pd.Series[float],
    outcome: SurvivalOutcome,
    *,
    split: str,
    cutoff: float,
    plan: Evaluation,
    rng: np.random.Generator,
) -> Findings:
    outcome = outcome.for_patients(outcome.patient_ids.intersection(scores.index))
    fewest = plan.minimum_events.value
    if outcome.n_events < fewest:
        text = f"{split}: {outcome.endpoint} has {outcome.n_events} events, fewer than {fewest}; left out."
        return Findings(notes=(("warning", text),))
    metrics, tables = prognosis(
        scores.loc[outcome.patient_ids],
        outcome,
        split=split,
        cutoff=cutoff,
        permutations=plan.outcome_permutations.value,
        rng=rng,
    )
    return Findings(metrics=metrics, tables=tables)


def _predictions(scores: pd.Series[float], label: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": scores.index,
            "repeat": 0,
            "fold": 0,
            "label": label,
            "score": scores.to_numpy(),
        }
    )


def _agreement(
    scores: pd.Series[float],
    truth: pd.Series[bool],
    name: str,
    *,
    split: str,
    count: int,
    rng: np.random.Generator,
) -> Findings:
    shared = scores.index.intersection(truth.index)
    frame = _predictions(scores.loc[shared], truth.loc[shared].astype(float).to_numpy())
    if frame["label"].nunique() < 2:
        return Findings(notes=(("warning", f"{split}: {name} needs both classes; found one."),))
    labels = frame["label"].to_numpy()
    null = np.array(
        [
            pooled_auc(frame.assign(label=labels[order]))
            for order in permutations(len(frame), count, rng)
        ]
    )
    metric: Metric = auc_metric(frame, split=split, null=null, name=name)
    tables = {
        "roc": roc_table(frame).assign(
            split=split, learner="response" if name == "auc_response" else "label"
        ),
        "null": pd.DataFrame({"metric": name, "split": split, "value": null}),
    }
    if name == "auc":
        tables["calibration"] = calibration_table(frame).assign(split=split)
    return Findings(metrics=(metric,), tables=tables)
