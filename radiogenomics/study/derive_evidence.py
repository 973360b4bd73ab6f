"""How a derived signature is judged where it was derived: out of fold, and against chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.evaluation import (
    PatientKFold,
    concordance_metric,
    cross_validate_survival,
    cross_validation_survival_null,
    prognosis,
)
from radiogenomics.evaluation.alignment import per_sd
from radiogenomics.evaluation.prognosis import HIGH_VS_LOW, PER_SD
from radiogenomics.omics import MeanZ, find_gene_set, random_gene_sets
from radiogenomics.omics.signature.derivation import SignatureDerivation
from radiogenomics.omics.signature.gene_selector import standardise_by_cohort
from radiogenomics.stats import (
    CoxFit,
    clopper_pearson,
    concordance_batch,
    fit_cox,
    fit_cox_batch,
    permutation_p,
)
from radiogenomics.study.derive_cohorts import Discovery, Molecules
from radiogenomics.study.derive_plan import DerivationPlan
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.signature import folds_by_repeat

SPLIT = "cross-validation"
TABLE_SPLIT = "signature, cross-validation"
LIKE_EXPRESSION = 10
AT_ONCE = 200


@dataclass(frozen=True, eq=False)
class Judge:
    """What every number of the stage needs.

    Parameters
    ----------
    discovery, plan
        Cohorts and rules.
    candidates
        Genes that the derivation starts from.
    seed, jobs
        Of random numbers; processes.
    """

    discovery: Discovery
    plan: DerivationPlan
    candidates: tuple[str, ...]
    seed: int
    jobs: int

    @property
    def splitter(self) -> PatientKFold:
        """Folds of the outer cross-validation."""
        return PatientKFold(self.plan.folds, n_repeats=self.plan.repeats, random_state=self.seed)

    @property
    def strata(self) -> pd.Series[str] | None:
        """Cohorts, where there are several."""
        cohorts = self.discovery.cohorts
        return cohorts if cohorts.nunique() > 1 else None

    def rng(self, number: int) -> np.random.Generator:
        """A stream of its own for each part."""
        return np.random.default_rng([self.seed, number])


def judge_derivation(
    rule: SignatureDerivation, judge: Judge, *, gene_sets: Mapping[str, GeneSet]
) -> Findings:
    """Repeat screen, search and weights in every fold, and hold the result against its nulls.

    The null permutes outcomes within cohorts and repeats the whole cross-validation. Random
    signatures have as many genes as were chosen in the folds (the median), their weights are
    fitted in the same folds, and no search flatters them.
    """
    discovery = judge.discovery
    evidence = cross_validate_survival(
        rule,
        discovery.expression,
        discovery.outcome,
        splitter=judge.splitter,
        name=rule.name,
        jobs=judge.jobs,
    )
    null = cross_validation_survival_null(
        rule,
        discovery.expression,
        discovery.outcome,
        splitter=judge.splitter,
        count=judge.plan.permutations,
        rng=judge.rng(1),
        blocks=judge.strata,
        strata=judge.strata,
        jobs=judge.jobs,
    )
    c_index = concordance_metric(
        evidence.predictions,
        discovery.outcome,
        split=SPLIT,
        name="signature_c_index",
        null=null,
        strata=judge.strata,
    )
    frequency = evidence.selection_frequency().rename_axis("feature").reset_index()
    own = Findings(
        metrics=(c_index,),
        tables={
            "null": pd.DataFrame({"metric": "signature_c_index", "split": SPLIT, "value": null}),
            "selection": frequency,
        },
    )
    risk = evidence.mean_predictions()["score"].loc[discovery.outcome.patient_ids].rename("risk")
    return merge(
        [
            own,
            _hazards(risk, judge),
            _against_random(c_index, evidence, judge),
            _beside_proliferation(risk, judge, gene_sets=gene_sets),
        ]
    )


def _hazards(risk: pd.Series[float], judge: Judge) -> Findings:
    """Hazard ratios of the out-of-fold margin above each fold's own cut-off.

    Of several cohorts each has a baseline hazard of its own, and no common curve is drawn.
    """
    if judge.strata is not None:
        return _stratified_hazards(risk, judge)
    found, tables = prognosis(
        risk,
        judge.discovery.outcome,
        split=TABLE_SPLIT,
        cutoff=0.0,
        permutations=0,
        rng=judge.rng(2),
        minimum_events=judge.plan.minimum_events,
    )
    metrics = tuple(
        replace(metric, name=f"signature_{metric.name}", split=SPLIT)
        for metric in found
        if metric.name != "c_index"
    )
    return Findings(metrics=metrics, tables=tables)


def _stratified_hazards(risk: pd.Series[float], judge: Judge) -> Findings:
    terms = {
        "hr_per_sd": (PER_SD, per_sd(np.asarray(risk, dtype=np.float64))),
        "hr_high_vs_low": (HIGH_VS_LOW, np.asarray(risk > 0, dtype=np.float64)),
    }
    rows, metrics = [], []
    for name, (term, values) in terms.items():
        fit = _stratified(values[:, None], judge)
        if fit.converged:
            rows.append(_row(fit, term, model="stratified by cohort"))
            metrics.append(_metric(fit, f"signature_{name}"))
    return Findings(metrics=tuple(metrics), tables={"hazard_ratios": pd.DataFrame(rows)})


def _stratified(design: NDArray[np.float64], judge: Judge) -> CoxFit:
    outcome = judge.discovery.outcome
    return fit_cox(design, outcome.time, outcome.event, strata=judge.discovery.cohorts)


def _metric(fit: CoxFit, name: str) -> Metric:
    low, high = map(float, fit.interval()[0])
    ratio = float(fit.hazard_ratio[0])
    return Metric(name, ratio, low, high, 1.0, fit.n, SPLIT, events=fit.events)


def _row(fit: CoxFit, term: str, *, model: str) -> dict[str, object]:
    low, high = map(float, fit.interval()[0])
    return {
        "split": TABLE_SPLIT,
        "model": model,
        "term": term,
        "hazard_ratio": float(fit.hazard_ratio[0]),
        "low": low,
        "high": high,
        "p": float(fit.p[0]),
        "n": fit.n,
        "events": fit.events,
    }


def _against_random(observed: Metric, evidence: Evidence, judge: Judge) -> Findings:
    count = judge.plan.random_signatures
    if count == 0:
        return Findings()
    chosen = evidence.selected.groupby(["repeat", "fold"])["feature"].agg(list)
    size = int(chosen.map(len).median())
    genes = judge.discovery.genes[list(judge.candidates)]
    rng = judge.rng(3)
    sets = {
        "random": random_gene_sets(genes.shape[1], size, count, rng=rng),
        "like expression": _like_expression(genes, chosen, size=size, count=count, rng=rng),
    }
    rows, metrics = [], []
    for kind, drawn in sets.items():
        values = _out_of_fold(genes, drawn, judge, evidence)
        rows.append(pd.DataFrame({"kind": kind, "genes": size, "value": values}))
        better = int((values >= observed.value).sum())
        low, high = clopper_pearson(better, count)
        metrics.append(
            Metric(
                name="signature_random_share" + ("" if kind == "random" else "_matched"),
                value=better / count,
                low=float(low),
                high=float(high),
                chance=0.5,
                n=observed.n,
                split=SPLIT,
                p_permutation=permutation_p(observed.value, values),
                events=observed.events,
            )
        )
    table = pd.concat(rows, ignore_index=True)
    tables = {
        "random_signatures": table[table["kind"] == "random"],
        "random_signatures_matched": table[table["kind"] != "random"],
    }
    return Findings(metrics=tuple(metrics), tables=tables)


def _like_expression(
    genes: pd.DataFrame,
    chosen: pd.Series,
    *,
    size: int,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Sets whose genes have the mean expression (tenth of all) of those of a fold's signature."""
    order = genes.mean().rank(pct=True).mul(LIKE_EXPRESSION).clip(upper=LIKE_EXPRESSION - 1e-9)
    tenth = order.astype(int).to_numpy()
    members = [np.flatnonzero(tenth == level) for level in range(LIKE_EXPRESSION)]
    place = dict(zip(genes.columns, tenth, strict=True))
    folds = [names for names in chosen if len(names) >= size]
    sets = np.empty((count, size), dtype=np.intp)
    for row in sets:
        names = folds[rng.integers(len(folds))][:size]
        drawn: list[int] = []
        for name in names:
            pool = np.setdiff1d(members[place[name]], drawn)
            drawn.append(int(rng.choice(pool if pool.size else np.arange(genes.shape[1]))))
        row[:] = drawn
    return sets


def _out_of_fold(
    genes: pd.DataFrame, sets: NDArray[np.intp], judge: Judge, evidence: Evidence
) -> NDArray[np.float64]:
    """C of each set in the folds of the cross-validation, mean over repeats."""
    outcome, cohorts = judge.discovery.outcome, judge.discovery.cohorts.to_numpy()
    values = standardise_by_cohort(genes.to_numpy(dtype=float), cohorts)
    time, event = outcome.time.to_numpy(), outcome.event.to_numpy()
    strata = None if judge.strata is None else cohorts
    found = np.zeros(len(sets))
    repeats = folds_by_repeat(evidence.predictions, genes.index)
    for start in range(0, len(sets), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        designs = values[:, sets[part]].transpose(1, 0, 2)
        for splits in repeats:
            scores = np.empty(designs.shape[:2])
            for split in splits:
                train = split.train
                fit = fit_cox_batch(
                    designs[:, train],
                    time[train],
                    event[train],
                    strata=None if strata is None else strata[train],
                )
                coef = np.where(fit.converged[:, None], fit.coef, 0.0)
                scores[:, split.test] = np.einsum("bnp,bp->bn", designs[:, split.test], coef)
            found[part] += concordance_batch(scores, time, event, strata=strata) / len(repeats)
    return found


def _beside_proliferation(
    risk: pd.Series[float], judge: Judge, *, gene_sets: Mapping[str, GeneSet]
) -> Findings:
    """What is left of the out-of-fold risk beside a proliferation score."""
    name = judge.plan.proliferation
    if name is None:
        text = (
            "proliferation: no gene set named in the plan; the signature was not adjusted for it."
        )
        return Findings(notes=(("warning", text),))
    proliferation = MeanZ(find_gene_set(name, supplied=gene_sets))
    scores: pd.Series[float] = pd.concat(
        [
            proliferation.fit_transform(part.tumour).iloc[:, 0].set_axis(index, axis=0)
            for part, index in _parts(judge.discovery)
        ]
    )
    beside = np.asarray(scores.loc[risk.index], dtype=np.float64)
    own = per_sd(np.asarray(risk, dtype=np.float64))
    fit = _stratified(np.column_stack([own, beside]), judge)
    if not fit.converged:
        text = "beside proliferation: left out, as the Cox model has no finite maximum."
        return Findings(notes=(("warning", text),))
    table = pd.DataFrame([_row(fit, PER_SD, model="beside proliferation")])
    metric = _metric(fit, "signature_hr_per_sd_adjusted")
    rho = float(risk.corr(scores.loc[risk.index], method="spearman"))
    text = f"out-of-fold risk and proliferation ({name}): Spearman's rho {rho:.2f}."
    return Findings(metrics=(metric,), tables={"hazard_ratios": table}, notes=(("info", text),))


def _parts(discovery: Discovery) -> list[tuple[Molecules, pd.Index]]:
    cohorts = discovery.cohorts
    return [(part, cohorts.index[cohorts == part.cohort.id]) for part in discovery.parts]
