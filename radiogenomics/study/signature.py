"""Molecules → outcome: the signature's own prognosis, out of fold, against its nulls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import (
    PatientKFold,
    Split,
    adjusted_hazard_ratio,
    concordance_metric,
    cross_validate_survival,
    prognosis,
)
from radiogenomics.omics import (
    CoxSignature,
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)
from radiogenomics.stats import (
    clopper_pearson,
    concordance_batch,
    fit_cox_batch,
    permutation_p,
    permutations,
)
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.genes import single_genes, tumour_against_normal
from radiogenomics.study.inputs import Inputs, covariates_of, sites_of
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.schema import Study
from radiogenomics.study.surrogate import label_rule

TABLE_SPLIT = "signature, cross-validation"
FEWEST_GENES_FOR_RANDOM = 50
Folds = Sequence[Sequence[Split]]


@dataclass(frozen=True, eq=False)
class Setting:
    """What every part of the stage needs: patients in one order and their permutations."""

    study: Study
    expression: pd.DataFrame
    outcome: SurvivalOutcome
    orders: NDArray[np.intp]

    @property
    def time(self) -> NDArray[np.float64]:
        """Months."""
        return np.asarray(self.outcome.time, dtype=np.float64)

    @property
    def event(self) -> NDArray[np.bool_]:
        """True where the event was seen."""
        return np.asarray(self.outcome.event, dtype=np.bool_)

    def permuted(self) -> NDArray[np.float64]:
        """Signature genes of permuted patients, shape (permutations, n, genes)."""
        genes = self.expression[list(self.study.label.genes.value)]
        return np.asarray(genes, dtype=np.float64)[self.orders]


def evaluate_signature(study: Study, inputs: Inputs, *, seed: int) -> Findings:
    """Genes one by one, the signature out of fold, what chance and what other genes would give.

    Weights, standardisation and cut-off are learnt in each fold. In the null a patient's genes stay
    together and are permuted against the outcomes within their site, and every fit is repeated;
    random signatures of equal size go through the same folds.
    """
    signature = label_rule(study, unit=inputs.unit).signature
    rng = np.random.default_rng([seed, 4])
    setting = _prepare(study, inputs, rng=rng)
    plan = study.evaluation
    splitter = PatientKFold(
        plan.folds.value, n_repeats=plan.signature_repeats.value, random_state=seed
    )
    genes = setting.expression[list(signature.genes)]
    evidence = cross_validate_survival(
        signature, genes, setting.outcome, splitter=splitter, name=study.label.name
    )
    locked = signature.fit(genes, setting.outcome.to_structured()).signature_
    folds = folds_by_repeat(evidence.predictions, setting.outcome.patient_ids)
    return merge(
        [
            _locked(inputs, locked, genes, evidence),
            single_genes(genes, setting.outcome, orders=setting.orders),
            _out_of_fold(setting, evidence, folds, signature=signature),
            _against_random(setting, evidence, folds, rng=rng),
            _adjusted(setting, mean_risk(evidence, setting.outcome.patient_ids), inputs),
            tumour_against_normal(inputs, genes=signature.genes, rng=rng),
        ]
    )


def _prepare(study: Study, inputs: Inputs, *, rng: np.random.Generator) -> Setting:
    target = inputs.target(study.label.genes.value).dropna()
    if inputs.outcome is None or inputs.expression is None:
        raise OutcomeError(
            f"{inputs.cohort.id}: expected {study.label.endpoint.value}; found none."
        )
    outcome = inputs.outcome.for_patients(target.index)
    outcome.require_events(study.evaluation.minimum_events.value)
    sites = sites_of(inputs.cohort, target.index)
    count = study.evaluation.outcome_permutations.value
    orders = permutations(len(target), count, rng, blocks=sites)
    return Setting(study, inputs.expression.loc[target.index], outcome, orders)


def folds_by_repeat(predictions: pd.DataFrame, patient_ids: pd.Index[str]) -> list[list[Split]]:
    """Folds of each repeat, as the observed cross-validation used them."""
    everyone = np.arange(len(patient_ids))
    repeats: dict[int, list[Split]] = {}
    for _, rows in predictions.groupby(["repeat", "fold"]):
        test = patient_ids.get_indexer(pd.Index(rows["patient_id"]))
        repeat, fold = rows[["repeat", "fold"]].to_numpy(dtype=int)[0]
        split = Split(int(repeat), int(fold), np.setdiff1d(everyone, test), test)
        repeats.setdefault(split.repeat, []).append(split)
    return list(repeats.values())


def _out_of_fold(
    setting: Setting, evidence: Evidence, folds: Folds, *, signature: CoxSignature
) -> Findings:
    """Concordance and hazard ratios of the out-of-fold margin above the fold's own cut-off."""
    found, tables = prognosis(
        mean_risk(evidence, setting.outcome.patient_ids),
        setting.outcome,
        split=TABLE_SPLIT,
        cutoff=0.0,
        permutations=0,
        rng=np.random.default_rng(0),
        minimum_events=signature.minimum_events,
    )
    nulls = _nulls(setting, evidence, folds, signature=signature)
    metrics = []
    for metric in found:
        name = f"signature_{metric.name}"
        if metric.name != "c_index":
            p = permutation_p(np.log(metric.value), nulls[name])
            metrics.append(replace(metric, name=name, split=SPLIT, p_permutation=p))
    c_index = concordance_metric(
        evidence.predictions,
        setting.outcome,
        split=SPLIT,
        name="signature_c_index",
        null=nulls["signature_c_index"],
    )
    rows = [pd.DataFrame({"metric": n, "split": SPLIT, "value": v}) for n, v in nulls.items()]
    tables["null"] = pd.concat(rows, ignore_index=True)
    return Findings(metrics=(c_index, *metrics), tables=tables)


def _nulls(
    setting: Setting, evidence: Evidence, folds: Folds, *, signature: CoxSignature
) -> dict[str, NDArray[np.float64]]:
    """C, log HR per SD and log HR of high against low, under permuted patients.

    Fitted weights are fitted again in every fold and permutation. Supplied weights owe nothing to
    the outcomes, so their out-of-fold scores need only change hands.
    """
    margins: list[NDArray[np.float64]]
    if signature.weights is None:
        designs, cutoff = setting.permuted(), signature.cutoff
        margins = [
            out_of_fold_scores(designs, setting.time, setting.event, splits=splits, cutoff=cutoff)
            for splits in folds
        ]
    else:
        wide = evidence.predictions.pivot(index="patient_id", columns="repeat", values="score")
        wide = wide.loc[setting.outcome.patient_ids]
        margins = [wide[repeat].to_numpy(dtype=float)[setting.orders] for repeat in wide]
    concordances = [concordance_batch(m, setting.time, setting.event) for m in margins]
    mean = np.mean(margins, axis=0)
    spread = (mean - mean.mean(axis=1, keepdims=True)) / mean.std(axis=1, ddof=1, keepdims=True)
    per_sd, groups = (
        fit_cox_batch(design[:, :, None], setting.time, setting.event).coef[:, 0]
        for design in (spread, (mean > 0).astype(float))
    )
    return {
        "signature_c_index": np.mean(concordances, axis=0),
        "signature_hr_per_sd": per_sd,
        "signature_hr_high_vs_low": groups,
    }


def _against_random(
    setting: Setting, evidence: Evidence, folds: Folds, *, rng: np.random.Generator
) -> Findings:
    """Where the signature stands among random signatures of equal size in the same folds."""
    size = len(setting.study.label.genes.value)
    count = setting.study.evaluation.random_signatures.value
    varying = setting.expression.loc[:, setting.expression.std() > 0].dropna(axis=1)
    if count == 0:
        return Findings()
    if varying.shape[1] < FEWEST_GENES_FOR_RANDOM:
        text = (
            f"random signatures: expected at least {FEWEST_GENES_FOR_RANDOM} measured genes to "
            f"draw from; found {varying.shape[1]}. Not drawn."
        )
        return Findings(notes=(("info", text),))
    values = varying.to_numpy(dtype=float)
    sets = random_gene_sets(values.shape[1], size, count, rng=rng)
    designs = values.T[sets].transpose(0, 2, 1)
    cutoff = setting.study.label.cutoff.value
    drawn = out_of_fold_concordance(
        designs, setting.time, setting.event, splits_by_repeat=folds, cutoff=cutoff
    )
    observed = concordance_metric(evidence.predictions, setting.outcome, split=SPLIT)
    metric = random_share("signature_random_share", observed, drawn)
    return Findings(metrics=(metric,), tables={"random_signatures": pd.DataFrame({"value": drawn})})


def random_share(name: str, observed: Metric, drawn: NDArray[np.float64]) -> Metric:
    """Share of random signatures that reach the concordance observed in the same folds."""
    better = int((drawn >= observed.value).sum())
    low, high = clopper_pearson(better, len(drawn))
    return Metric(
        name=name,
        value=better / len(drawn),
        low=float(low),
        high=float(high),
        chance=0.5,
        n=observed.n,
        split=observed.split,
        p_permutation=permutation_p(observed.value, drawn),
        events=observed.events,
    )


def _adjusted(setting: Setting, risk: pd.Series[float], inputs: Inputs) -> Findings:
    covariates, lacking = covariates_of(inputs.cohort, setting.study)
    notes: tuple[tuple[str, str], ...] = ()
    if lacking:
        text = f"{inputs.cohort.id} lacks {', '.join(lacking)}: not adjusted for."
        notes = (("warning", text),)
    if covariates.empty:
        return Findings(notes=notes)
    try:
        table = adjusted_hazard_ratio(
            risk,
            setting.outcome,
            covariates.loc[risk.index],
            split=TABLE_SPLIT,
            minimum_events=setting.study.evaluation.minimum_events.value,
        )
    except OutcomeError as error:
        return Findings(notes=(*notes, ("warning", f"adjusted model left out: {error}")))
    return Findings(metrics=(adjusted_metric(table),), tables={"hazard_ratios": table}, notes=notes)


def adjusted_metric(table: pd.DataFrame) -> Metric:
    """Hazard ratio of the signature, which stands first in the table of an adjusted model."""
    first = table.iloc[0]
    return Metric(
        name="signature_hr_per_sd_adjusted",
        value=float(first["hazard_ratio"]),
        low=float(first["low"]),
        high=float(first["high"]),
        chance=1.0,
        n=int(first["n"]),
        split=SPLIT,
        events=int(first["events"]),
    )


def mean_risk(evidence: Evidence, patient_ids: pd.Index[str]) -> pd.Series[float]:
    """Mean out-of-fold risk over repeats; 0 is the folds' own cut-off."""
    return evidence.mean_predictions()["score"].loc[patient_ids].rename(evidence.name)


def _locked(
    inputs: Inputs, signature: Signature, genes: pd.DataFrame, evidence: Evidence
) -> Findings:
    """Gather the locked signature, what it calls its own patients, and its out-of-fold risks."""
    scores = signature.score(genes)
    classes = signature.classify(scores).map({True: "high", False: "low"})
    labels = LabelSet(
        name=signature.name,
        scores=scores.to_frame(signature.name),
        classes=classes,
        rule=f"high above {signature.cutoff:.4g}; the signature was fitted on these patients",
    )
    table = pd.DataFrame({"patient_id": scores.index, "score": scores, "label": classes})
    risks = evidence.predictions.drop(columns="label")
    tables = {"label_scores": table, "signature_risks": risks}
    return Findings(
        signature=signature,
        labels=labels,
        signature_evidence=evidence,
        tables={name: table.assign(cohort=inputs.cohort.id) for name, table in tables.items()},
    )
