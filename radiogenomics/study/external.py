"""The locked signature and the locked surrogate in cohorts that took no part in making them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, StudyError
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import (
    LockedModel,
    auc_metric,
    calibration_table,
    pooled_auc,
    prognosis,
    roc_table,
)
from radiogenomics.omics import SignatureLabel
from radiogenomics.stats import permutations
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import Inputs, response_of, sites_of
from radiogenomics.study.prognosis import same_for_all
from radiogenomics.study.schema import Study

OF_SIGNATURE = "signature, "


def validate_externally(
    study: Study,
    inputs: Inputs,
    *,
    signature: Signature | None,
    evidence: Evidence | None,
    seed: int,
) -> Findings:
    """Score every patient of another cohort with what was locked; nothing is refitted.

    The signature is held against survival; the image-made prediction against the label (where RNA
    was measured in the signature's unit), survival and response. The nulls permute the truth among
    the cohort's patients, within their site.
    """
    bench = _Bench(study, inputs.cohort, seed)
    stages = [_signature(bench, inputs, signature)] if signature is not None else []
    model = None if evidence is None else evidence.model
    if not isinstance(model, LockedModel):
        return merge(stages)
    if inputs.images is None:
        text = f"{bench.split}: no images or image features; the surrogate was not validated."
        return merge([*stages, Findings(notes=(("warning", text),))])
    try:
        scores = model.predict(inputs.images)
    except AlignmentError as error:
        raise AlignmentError(f"{inputs.cohort.id}: {error}") from None
    rule = _rule_of(model)
    label = _measured_label(inputs, rule)
    if label is None and inputs.expression is not None:
        text = (
            f"{bench.split}: label and prediction were not compared: the label's constants belong "
            f"to {rule.unit}, the RNA here is {inputs.unit}."
        )
        stages.append(Findings(notes=(("warning", text),)))
    frame = _predictions(scores, label)
    stages.append(Findings(tables={"predictions": frame.assign(cohort=inputs.cohort.id)}))
    if label is not None:
        stages.append(bench.agreement(scores, label, "auc"))
    response = response_of(inputs.cohort, study)
    if response is not None:
        sign = -1.0 if study.response.responders_score.value == "low" else 1.0
        stages.append(bench.agreement(sign * scores, response, "auc_response"))
    return merge([*stages, bench.survival(scores, cutoff=study.model.cutoff.value)])


@dataclass(frozen=True, eq=False)
class _Bench:
    """One external cohort: where its numbers are written, and how its truth is permuted."""

    study: Study
    cohort: Cohort
    seed: int

    @property
    def split(self) -> str:
        return f"external:{self.cohort.id}"

    def rng(self, what: str) -> np.random.Generator:
        """Give each number a stream of its own, whatever else the cohort has."""
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.split} {what}".encode())])

    def agreement(self, scores: pd.Series[float], truth: pd.Series[bool], name: str) -> Findings:
        """Hold scores against a truth of two classes."""
        shared = scores.index.intersection(truth.index)
        frame = _predictions(scores.loc[shared], truth.loc[shared])
        if frame["label"].nunique() < 2:
            text = f"{self.split}: {name} needs both classes; found one."
            return Findings(notes=(("warning", text),))
        orders = permutations(
            len(frame),
            self.study.evaluation.outcome_permutations.value,
            self.rng(name),
            blocks=sites_of(self.cohort, shared),
        )
        labels = frame["label"].to_numpy()
        null = np.array([pooled_auc(frame.assign(label=labels[order])) for order in orders])
        about = "response" if name == "auc_response" else "label"
        tables = {
            "roc": roc_table(frame).assign(split=self.split, learner=about),
            "null": pd.DataFrame({"metric": name, "split": self.split, "value": null}),
        }
        if name == "auc":
            tables["calibration"] = calibration_table(frame).assign(split=self.split)
        metric = auc_metric(frame, split=self.split, null=null, name=name)
        return Findings(metrics=(metric,), tables=tables)

    def survival(self, risk: pd.Series[float], *, cutoff: float | None, of: str = "") -> Findings:
        """Hold a risk against each endpoint of the recipe that the cohort has."""
        endpoints = self.study.prognosis.endpoints.value
        known = [endpoint for endpoint in endpoints if endpoint in self.cohort.outcomes]
        found = [
            self._endpoint(risk, self.cohort.survival(endpoint), cutoff=cutoff, of=of)
            for endpoint in known
        ]
        return merge(found)

    def _endpoint(
        self, risk: pd.Series[float], outcome: SurvivalOutcome, *, cutoff: float | None, of: str
    ) -> Findings:
        outcome = outcome.for_patients(outcome.patient_ids.intersection(risk.index))
        risk = risk.loc[outcome.patient_ids]
        fewest, where = self.study.evaluation.minimum_events.value, f"{of}{self.split}"
        if outcome.n_events < fewest:
            text = (
                f"{where}: {outcome.endpoint} left out, {outcome.n_events} events: below {fewest}."
            )
            return Findings(notes=(("warning", text),))
        if risk.nunique() < 2:
            return Findings(notes=(("warning", same_for_all(where)),))
        metrics, tables = prognosis(
            risk,
            outcome,
            split=where,
            cutoff=cutoff,
            permutations=self.study.evaluation.outcome_permutations.value,
            rng=self.rng(f"{of}{outcome.endpoint}"),
            blocks=sites_of(self.cohort, outcome.patient_ids),
            minimum_events=fewest,
        )
        first = outcome.endpoint == self.study.prognosis.endpoints.value[0]
        before, behind = ("signature_" if of else ""), ("" if first else f":{outcome.endpoint}")
        named = (replace(m, name=f"{before}{m.name}{behind}", split=self.split) for m in metrics)
        return Findings(metrics=tuple(named), tables=tables)


def _signature(bench: _Bench, inputs: Inputs, signature: Signature) -> Findings:
    if inputs.expression is None:
        return Findings()
    if signature.unit != inputs.unit:
        text = (
            f"{bench.split}: the signature was not scored: its constants belong to "
            f"{signature.unit}, the RNA here is {inputs.unit}."
        )
        return Findings(notes=(("warning", text),))
    measured = inputs.target(signature.genes)
    return bench.survival(signature.score(measured), cutoff=signature.cutoff, of=OF_SIGNATURE)


def _rule_of(model: LockedModel) -> Signature:
    """Return the signature behind the model's labels, with the constants it was trained on."""
    if not isinstance(model.rule, SignatureLabel):
        raise StudyError("expected a model with a locked label rule; found one without.")
    signature: Signature = model.rule.signature_.signature_
    return signature


def _measured_label(inputs: Inputs, signature: Signature) -> pd.Series[bool] | None:
    """Label by the constants learnt on the discovery cohort; None where they do not apply."""
    if inputs.expression is None or signature.unit != inputs.unit:
        return None
    return signature.classify(signature.score(inputs.target(signature.genes)))


def _predictions(scores: pd.Series[float], label: pd.Series[bool] | None) -> pd.DataFrame:
    known = pd.Series(np.nan, index=scores.index) if label is None else label.reindex(scores.index)
    return pd.DataFrame(
        {
            "patient_id": scores.index,
            "repeat": 0,
            "fold": 0,
            "label": known.astype(float).to_numpy(),
            "score": scores.to_numpy(),
        }
    )
