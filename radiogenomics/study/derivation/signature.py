"""Cohorts in memory → candidates → screen → search → locked signature → evidence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import StudyError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import Provenance, hash_text, versions
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import predicted_survival, verdict
from radiogenomics.omics import find_gene_set
from radiogenomics.omics.signature import (
    ImportanceSelector,
    PenalisedCox,
    SignatureDerivation,
    SignatureGrid,
    StabilitySelector,
    StepwiseCox,
    SubsetSearch,
)
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.study.cohorts import require_distinct
from radiogenomics.study.derivation.candidates import candidate_table
from radiogenomics.study.derivation.cells import CellFacts, cells_of_signature
from radiogenomics.study.derivation.checks import sample_checks
from radiogenomics.study.derivation.cohorts import (
    Discovery,
    Molecules,
    join,
    refuse_copies,
)
from radiogenomics.study.derivation.evidence import Judge, judge_derivation, proliferation_scores
from radiogenomics.study.derivation.meaning import label_meaning, questions_of
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.protein import protein_level
from radiogenomics.study.derivation.rule import derivation_rule
from radiogenomics.study.derivation.stability import gene_stability
from radiogenomics.study.derivation.validation import (
    lock_baseline,
    validate_inside,
    validate_outside,
)
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.plan import planned_settings
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.results import Results, without_identities
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings
from radiogenomics.study.score import HIGH, LOW
from radiogenomics.study.signature import mean_risk
from radiogenomics.study.tumours import changed_names


def derive_signature(
    cohorts: Sequence[Molecules],
    plan: DerivationPlan,
    *,
    external: Sequence[Molecules] = (),
    protein: Molecules | None = None,
    cells: CellFacts | None = None,
    gene_sets: Mapping[str, GeneSet] | None = None,
    name: str = "signature",
    seed: int = DEFAULT_SEED,
    jobs: int | None = None,
) -> Results:
    """Derive from cohorts already in memory, without writing anything."""
    require_distinct([part.cohort for part in (*cohorts, *external)])
    supplied = {} if gene_sets is None else gene_sets
    rules = plan.candidates
    for wanted in (rules.gene_set, rules.immune_score, rules.purity):
        if wanted is not None:
            find_gene_set(wanted, supplied=supplied)
    questions_of(plan.contrasts, plan.gsea, gene_sets=supplied)
    log = get_logger(__name__)
    with collected_warnings() as caught:
        discovery = join(cohorts)
        discovery.outcome.require_events(plan.minimum_events)
        refuse_copies(cohorts, external)
        proliferation = proliferation_scores(discovery, plan, gene_sets=supplied)
        table = candidate_table(discovery, plan, gene_sets=supplied, protein=protein, cells=cells)
        genes = tuple(table.loc[table["candidate"], "gene"])
        log.info("deriving from %d candidates in %d patients", len(genes), len(discovery.cohorts))
        jobs = jobs or os.cpu_count() or 1
        judge = Judge(discovery, plan, genes, proliferation, seed, jobs)
        rule = derivation_rule(plan, genes, discovery, name=name, seed=seed)
        fitted = rule.fit(discovery.expression, discovery.outcome.to_structured())
        locked = _locked(fitted, discovery)
        findings = merge(
            [
                _described(cohorts, external, table, plan),
                sample_checks([*cohorts, *external]),
                locked,
                _judged(rule, judge),
                gene_stability(rule, judge, locked=fitted.signature_.genes),
                _meaning(locked, cohorts, plan, gene_sets=supplied, seed=seed),
                _elsewhere(fitted, judge, external),
                _beyond_rna(fitted.signature_, judge, protein=protein, cells=cells),
            ]
        )
    parts = (*cohorts, *external, *([] if protein is None else [protein]))
    everyone = [part.cohort for part in parts]
    findings = _told(findings, caught, everyone)
    headline = findings.metric("signature_c_index", split=SPLIT)
    if headline is None:
        raise StudyError("expected the concordance of the cross-validation; found none.")
    return Results(
        study="derive",
        cohorts=tuple(part.id for part in everyone),
        verdict=verdict(headline, subject=f"the derivation of {name}").text,
        findings=findings,
        provenance=Provenance({}, hash_text(name), seed, versions()),
        simulated=tuple(part.id for part in everyone if part.simulated),
    )


def _told(findings: Findings, caught: Iterable[str], cohorts: Sequence[Cohort]) -> Findings:
    """Findings whose notes name nobody; what they warn of is said on the spot too."""
    told = without_identities(findings.notes, cohorts)
    for level, text in told:
        if level == "warning":
            get_logger(__name__).warning("%s", text)
    remarks = tuple(dict.fromkeys(("warning", text) for text in caught))
    return replace(findings, notes=told + without_identities(remarks, cohorts))


def _locked(fitted: SignatureDerivation, discovery: Discovery) -> Findings:
    """The signature, what it calls its own patients, and the tables of screen and search."""
    signature = fitted.signature_
    scores = fitted.predict(discovery.expression)
    classes = signature.classify(scores).map({True: HIGH, False: LOW})
    rule = f"high above {signature.cutoff:.4g}; the signature was derived from these patients"
    labels = LabelSet(signature.name, scores.to_frame(signature.name), classes, rule)
    cohorts = discovery.expression[COHORT]
    tables = {
        "label_scores": pd.DataFrame(
            {
                # As in their cohort, so that a patient has one pseudonym in all tables.
                "patient_id": [name for part in discovery.parts for name in part.tumour.index],
                "score": scores.to_numpy(),
                "label": classes.to_numpy(),
                "cohort": cohorts.loc[scores.index].to_numpy(),
            }
        ),
        "screen": fitted.screen_.table_,
        "screen_by_cohort": _named(fitted.screen_.cohort_table_, discovery),
    }
    tables |= _search_tables(fitted.search_)
    return Findings(tables=tables, signature=signature, labels=labels)


def _named(rows: pd.DataFrame, discovery: Discovery) -> pd.DataFrame:
    """Rows of a screen under the name of the cohort, where the screen was told of one only."""
    alone = len(discovery.parts) == 1
    return rows.assign(cohort=discovery.parts[0].cohort.id) if alone else rows


def _search_tables(search: object) -> dict[str, pd.DataFrame]:
    """What a fitted search looked at."""
    if isinstance(search, SubsetSearch):
        ranking = search.ranking_.assign(
            genes=search.ranking_["genes"].map(" + ".join),
            coefs=[" ".join(f"{c:.6g}" for c in coefs) for coefs in search.ranking_["coefs"]],
        )
        return {"subsets": ranking, "subset_sizes": search.sizes_}
    if isinstance(search, SignatureGrid):
        return {"grid": search.table_}
    if isinstance(search, StepwiseCox):
        return {"steps": search.steps_}
    if isinstance(search, PenalisedCox | StabilitySelector | ImportanceSelector):
        return {"searched_genes": search.table_}
    return {}


def _judged(rule: SignatureDerivation, judge: Judge) -> Findings:
    """Out-of-fold evidence and its nulls, and the same risks in depth."""
    judged = judge_derivation(rule, judge)
    if judged.signature_evidence is None:
        return judged
    evidence, patients = judged.signature_evidence, judge.discovery.outcome.patient_ids
    foretold = "predicted_survival" in evidence.tables
    survival = predicted_survival(evidence, patients) if foretold else None
    return merge([judged, validate_inside(mean_risk(evidence, patients), judge, survival=survival)])


def _meaning(
    locked: Findings,
    cohorts: Sequence[Molecules],
    plan: DerivationPlan,
    *,
    gene_sets: Mapping[str, GeneSet],
    seed: int,
) -> Findings:
    """How the patients called high differ from those called low."""
    if locked.labels is None or locked.signature is None:
        return Findings()
    high = locked.labels.classes == HIGH
    own = locked.signature.genes
    return label_meaning(high, cohorts, plan, gene_sets=gene_sets, seed=seed, own=own)


def _elsewhere(
    fitted: SignatureDerivation, judge: Judge, external: Sequence[Molecules]
) -> Findings:
    """The locked signature in cohorts that took no part in making it."""
    if not external:
        return Findings()
    baseline = lock_baseline(fitted, judge.discovery, judge.plan)
    return merge(
        validate_outside(fitted.signature_, part, judge.plan, baseline=baseline, seed=judge.seed)
        for part in external
    )


def _beyond_rna(
    signature: Signature, judge: Judge, *, protein: Molecules | None, cells: CellFacts | None
) -> Findings:
    """The signature's genes as proteins, and in single cells."""
    found = []
    if protein is not None:
        found.append(
            protein_level(
                signature, protein, judge.plan, discovery=judge.discovery, seed=judge.seed
            )
        )
    if cells is not None:
        found.append(cells_of_signature(signature, cells))
    return merge(found)


def _described(
    cohorts: Sequence[Molecules],
    external: Sequence[Molecules],
    candidates: pd.DataFrame,
    plan: DerivationPlan,
) -> Findings:
    flow = pd.DataFrame(
        [
            {
                "cohort": part.cohort.id,
                "table": f"{plan.assay} with {part.outcome.endpoint}",
                "kind": "derived from" if part in cohorts else "validated in",
                "patients": len(part.tumour),
                "events": part.outcome.n_events,
            }
            for part in (*cohorts, *external)
        ]
    )
    rules = {f"candidates.{name}": value for name, value in plan.candidates.model_dump().items()}
    names = {part.cohort.id: part.genes for part in (*cohorts, *external)}
    text = f"{int(candidates['candidate'].sum())} of {len(candidates)} shared genes are candidates."
    return Findings(
        tables={
            "cohort_flow": flow,
            "candidates": candidates,
            "gene_names": changed_names(names),
            "settings": planned_settings(rules | plan.model_dump(exclude={"candidates"})),
        },
        notes=(("info", text),),
    )
