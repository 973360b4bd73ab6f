"""How a derived signature is judged where it was derived: out of fold, and against chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.evaluation import (
    PatientKFold,
    adjusted_hazard_ratio,
    concordance_metric,
    cross_validate_survival,
    cross_validation_survival_null,
    prognosis,
)
from radiogenomics.evaluation.survival_fold import deal_patients
from radiogenomics.omics import (
    MeanZ,
    SignatureDerivation,
    SubsetSearch,
    find_gene_set,
    out_of_fold_concordance,
    random_gene_sets,
)
from radiogenomics.omics.signature.gene_selector import standardise_by_cohort
from radiogenomics.study.derivation.cohorts import Discovery
from radiogenomics.study.derivation.depth import event_quartiles
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.signature import (
    FEWEST_GENES_FOR_RANDOM,
    TABLE_SPLIT,
    adjusted_metric,
    folds_by_repeat,
    mean_risk,
    random_share,
)

LIKE_EXPRESSION = 10


@dataclass(frozen=True, eq=False)
class Judge:
    """What every number of the stage needs.

    Parameters
    ----------
    discovery, plan
        Cohorts and rules.
    candidates
        Genes that the derivation starts from.
    proliferation
        Score of each patient; None where the plan names no set.
    seed, jobs
        Of random numbers; processes.
    """

    discovery: Discovery
    plan: DerivationPlan
    candidates: tuple[str, ...]
    proliferation: pd.Series[float] | None
    seed: int
    jobs: int

    @property
    def splitter(self) -> PatientKFold:
        """Folds of the outer cross-validation."""
        return PatientKFold(self.plan.folds, n_repeats=self.plan.repeats, random_state=self.seed)

    @property
    def strata(self) -> pd.Series[str] | None:
        """Cohorts, where there are several."""
        cohorts = self.discovery.cohorts.rename("cohort")
        return cohorts if cohorts.nunique() > 1 else None

    def rng(self, number: int) -> np.random.Generator:
        """A stream of its own for each part."""
        return np.random.default_rng([self.seed, number])


def judge_derivation(rule: SignatureDerivation, judge: Judge) -> Findings:
    """Repeat screen, search and weights in every fold, and hold the result against its nulls.

    The null permutes outcomes within cohorts and repeats the whole cross-validation. Random
    signatures have as many genes as were chosen in the folds (the median), their weights are
    fitted in the same folds, and no search flatters them.
    """
    discovery, rule = judge.discovery, to_repeat(rule)
    evidence = cross_validate_survival(
        rule,
        discovery.expression,
        discovery.outcome,
        splitter=judge.splitter,
        name=rule.name,
        horizons=_horizons(judge) or None,
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
        signature_evidence=evidence,
    )
    risk = mean_risk(evidence, discovery.outcome.patient_ids)
    return merge(
        [
            own,
            _hazards(risk, judge),
            _against_random(c_index, evidence, judge),
            _beside_proliferation(risk, judge),
        ]
    )


def to_repeat(rule: SignatureDerivation) -> SignatureDerivation:
    """The same derivation without tables that only the locked one shows."""
    rule = clone(rule)
    if isinstance(rule.search, SubsetSearch):
        rule.search.set_params(left_out=False)
    return rule


def _horizons(judge: Judge) -> tuple[float, ...]:
    """Months at which every training part has an earlier event and follow-up in every cohort."""
    outcome, cohorts = judge.discovery.outcome, judge.discovery.cohorts
    asked = judge.plan.horizons or event_quartiles(outcome.time, outcome.event)
    first, last = 0.0, np.inf
    for split in deal_patients(judge.discovery.expression, outcome, splitter=judge.splitter):
        part = cohorts.iloc[split.train]
        time, event = outcome.time.iloc[split.train], outcome.event.iloc[split.train]
        if event.groupby(part).sum().min() == 0:
            return ()
        first = max(first, float(time[event].groupby(part[event]).min().max()))
        last = min(last, float(time.groupby(part).max().min()))
    return tuple(sorted({month for month in asked if first < month < last}))


def _hazards(risk: pd.Series[float], judge: Judge) -> Findings:
    """Hazard ratios of the out-of-fold margin above each fold's own cut-off."""
    found, tables = prognosis(
        risk,
        judge.discovery.outcome,
        split=TABLE_SPLIT,
        cutoff=0.0,
        permutations=0,
        rng=judge.rng(2),
        strata=judge.strata,
        minimum_events=judge.plan.minimum_events,
    )
    metrics = tuple(
        replace(metric, name=f"signature_{metric.name}", split=SPLIT)
        for metric in found
        if metric.name != "c_index"
    )
    return Findings(metrics=metrics, tables=tables)


def _against_random(observed: Metric, evidence: Evidence, judge: Judge) -> Findings:
    count = judge.plan.random_signatures
    if count == 0:
        return Findings()
    chosen = evidence.selected.groupby(["repeat", "fold"])["feature"].agg(list)
    size = int(chosen.map(len).median())
    genes = judge.discovery.genes[list(judge.candidates)]
    if genes.shape[1] < FEWEST_GENES_FOR_RANDOM:
        text = (
            f"random signatures: left out: {genes.shape[1]} candidates, fewer than "
            f"{FEWEST_GENES_FOR_RANDOM}; most draws would be the signature itself."
        )
        return Findings(notes=(("warning", text),))
    rng = judge.rng(3)
    sets = {
        ("random", ""): random_gene_sets(genes.shape[1], size, count, rng=rng),
        ("like expression", "_matched"): _like_expression(
            _tenths(judge.discovery)[genes.columns], chosen, size=size, count=count, rng=rng
        ),
    }
    outcome = judge.discovery.outcome
    cohorts = judge.discovery.cohorts.to_numpy()
    values = standardise_by_cohort(genes.to_numpy(dtype=float), cohorts)
    metrics, tables = [], {}
    for (kind, ending), drawn in sets.items():
        found = out_of_fold_concordance(
            values[:, drawn].transpose(1, 0, 2),
            outcome.time,
            outcome.event,
            splits_by_repeat=folds_by_repeat(evidence.predictions, genes.index),
            strata=cohorts,
        )
        metrics.append(random_share(f"signature_random_share{ending}", observed, found))
        table = pd.DataFrame({"kind": kind, "genes": size, "value": found})
        tables[f"random_signatures{ending}"] = table
    return Findings(metrics=tuple(metrics), tables=tables)


def _tenths(discovery: Discovery) -> pd.Series[int]:
    """Tenth of mean expression that each gene is in, 0 to 9; ranked in each cohort alone."""
    means = discovery.genes.groupby(discovery.cohorts).mean()
    rank = means.rank(axis=1, pct=True).mean().rank(pct=True)
    return rank.mul(LIKE_EXPRESSION).clip(upper=LIKE_EXPRESSION - 1e-9).astype(int)


def _like_expression(
    tenths: pd.Series[int],
    chosen: pd.Series,
    *,
    size: int,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Sets of other genes in the tenths of mean expression of those of a fold's signature."""
    members = [np.flatnonzero(tenths == level) for level in range(LIKE_EXPRESSION)]
    everyone = np.arange(len(tenths))
    folds = [names for names in chosen if len(names) >= size]
    sets = np.empty((count, size), dtype=np.intp)
    for row in sets:
        names = folds[rng.integers(len(folds))][:size]
        taken = list(tenths.index.get_indexer(names))
        for at, name in enumerate(names):
            pool = np.setdiff1d(members[tenths[name]], taken)
            row[at] = rng.choice(pool if pool.size else np.setdiff1d(everyone, taken))
            taken.append(row[at])
    return sets


def proliferation_scores(
    discovery: Discovery, plan: DerivationPlan, *, gene_sets: Mapping[str, GeneSet]
) -> pd.Series[float] | None:
    """Score of the plan's proliferation set, standardised in each cohort; None where it has none.

    Raises
    ------
    UnknownNameError, StudyError, AlignmentError
        The set is not known or not supplied, or too few of its genes are measured.
    """
    if plan.proliferation is None:
        return None
    scorer = MeanZ(find_gene_set(plan.proliferation, supplied=gene_sets))
    cohorts = discovery.cohorts
    scores = pd.Series(np.nan, index=cohorts.index, name="proliferation score")
    for part in discovery.parts:
        member = (cohorts == part.cohort.id).to_numpy()
        scores[member] = scorer.fit_transform(part.tumour).to_numpy()[:, 0]
    return scores


def _beside_proliferation(risk: pd.Series[float], judge: Judge) -> Findings:
    """What is left of the out-of-fold risk beside a proliferation score."""
    scores = judge.proliferation
    if scores is None:
        text = (
            "proliferation: no gene set named in the plan; the signature was not adjusted for it."
        )
        return Findings(notes=(("warning", text),))
    try:
        table = adjusted_hazard_ratio(
            risk,
            judge.discovery.outcome,
            scores.to_frame(),
            split=TABLE_SPLIT,
            strata=judge.strata,
            minimum_events=judge.plan.minimum_events,
        )
    except OutcomeError as error:
        return Findings(notes=(("warning", f"beside proliferation: left out: {error}"),))
    rho = float(risk.corr(scores.loc[risk.index], method="spearman"))
    name = judge.plan.proliferation
    text = f"out-of-fold risk and proliferation ({name}): Spearman's rho {rho:.2f}."
    return Findings(
        metrics=(adjusted_metric(table),), tables={"hazard_ratios": table}, notes=(("info", text),)
    )
