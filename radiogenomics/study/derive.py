"""Derive a signature: cohorts → candidates → screen → search → locked signature → evidence."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from radiogenomics.core.errors import StudyError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.labels import LabelSet
from radiogenomics.core.log import get_logger
from radiogenomics.core.provenance import Provenance, hash_file, hash_text, versions
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation import PatientKFold, prognosis, verdict
from radiogenomics.io import output_folder, read_gmt, read_hgnc
from radiogenomics.omics import (
    SignatureDerivation,
    StepwiseCox,
    SubsetSearch,
    SurvivalScreen,
    find_gene_set,
)
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.omics.signature.derivation import COHORT
from radiogenomics.omics.signature.gene_selector import GeneSelector
from radiogenomics.study.cohorts import load_cohorts, require_distinct
from radiogenomics.study.derive_candidates import candidate_table
from radiogenomics.study.derive_cohorts import (
    Discovery,
    Molecules,
    join,
    read_molecules,
    refuse_copies,
)
from radiogenomics.study.derive_evidence import Judge, judge_derivation, proliferation_scores
from radiogenomics.study.derive_plan import DerivationPlan, read_derivation_plan
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.plan import planned_settings
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.results import Results, without_identities, write_results
from radiogenomics.study.run import DEFAULT_SEED, collected_warnings
from radiogenomics.study.score import FEWEST_REFERENCE, restandardised

OUTCOME_PERMUTATIONS = 1000


def derive(
    *,
    cohort: str | Path | Sequence[str | Path],
    endpoint: str,
    out: str | Path,
    external: Sequence[str | Path] | None = None,
    gene_sets: str | Path | None = None,
    hgnc: str | Path | None = None,
    plan: str | Path | None = None,
    name: str = "signature",
    data_root: str | Path | None = None,
    jobs: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Results:
    """Derive a prognostic signature from cohorts, lock it, validate it in others; write the report.

    Parameters
    ----------
    cohort, endpoint
        Manifests, by path or shipped name, of the cohorts derived from; survival endpoint in all.
    out
        Output folder; it appears all at once, or not at all.
    external
        Manifests of cohorts in which nothing is fitted.
    gene_sets, hgnc
        GMT file with the sets that the plan names; HGNC complete set, for former symbols.
    plan
        YAML of a :class:`~radiogenomics.study.derive_plan.DerivationPlan`.
    name
        Of the signature.
    data_root, jobs, seed
        As in :func:`~radiogenomics.study.run.run`.

    Raises
    ------
    RadiogenomicsError
        The branch says what was wrong: plan, manifest, file, endpoint, genes, events.
    """
    chosen = read_derivation_plan(plan)
    manifests = [cohort] if isinstance(cohort, str | Path) else list(cohort)
    with output_folder(out) as writer:
        with collected_warnings() as caught:
            supplied = read_gmt(gene_sets, repeated_genes="first") if gene_sets else {}
            known = None if hgnc is None else GeneNames(read_hgnc(hgnc), Path(hgnc).name)
            cohorts, hashes = load_cohorts([*manifests, *(external or ())], data_root)
            read = partial(read_molecules, assay=chosen.assay, endpoint=endpoint, known=known)
            parts = [read(each) for each in cohorts]
        hashes |= {Path(p).name: hash_file(Path(p)) for p in (gene_sets, hgnc) if p is not None}
        recipe = _recipe(chosen, endpoint=endpoint, name=name)
        results = derive_signature(
            parts[: len(manifests)], chosen, external=parts[len(manifests) :],
            gene_sets=supplied, name=name, seed=seed, jobs=jobs,
        )  # fmt: skip
        remarks = without_identities((("warning", text) for text in caught), cohorts)
        findings = replace(results.findings, notes=results.findings.notes + remarks)
        provenance = Provenance(hashes, hash_text(recipe), seed, versions())
        results = replace(results, findings=findings, provenance=provenance)
        write_results(results, writer, recipe=recipe)
    return replace(results, folder=Path(out))


def derive_signature(
    cohorts: Sequence[Molecules],
    plan: DerivationPlan,
    *,
    external: Sequence[Molecules] = (),
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
    discovery = join(cohorts)
    refuse_copies(cohorts, external)
    proliferation = proliferation_scores(discovery, plan, gene_sets=supplied)
    log = get_logger(__name__)
    with collected_warnings() as caught:
        table = candidate_table(discovery, plan, gene_sets=supplied)
        genes = tuple(table.loc[table["candidate"], "gene"])
        log.info("deriving from %d candidates in %d patients", len(genes), len(discovery.cohorts))
        jobs = jobs or os.cpu_count() or 1
        judge = Judge(discovery, plan, genes, proliferation, seed, jobs)
        rule = _rule(plan, genes, discovery, name=name, seed=seed)
        fitted = rule.fit(discovery.expression, discovery.outcome.to_structured())
        findings = merge(
            [
                _described(cohorts, external, table, plan),
                _locked(fitted, discovery),
                judge_derivation(rule, judge),
                *(_outside(fitted.signature_, part, plan, seed=seed) for part in external),
            ]
        )
    remarks = tuple(dict.fromkeys(("warning", text) for text in caught))
    everyone = [part.cohort for part in (*cohorts, *external)]
    findings = replace(findings, notes=without_identities(findings.notes + remarks, everyone))
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


def _rule(
    plan: DerivationPlan, genes: tuple[str, ...], discovery: Discovery, *, name: str, seed: int
) -> SignatureDerivation:
    inner = PatientKFold(plan.inner_folds, random_state=seed)
    several = len(discovery.parts) > 1
    search: GeneSelector = SubsetSearch(
        plan.max_size, plan.size, splitter=None if several else inner
    )
    if plan.search == "stepwise":
        search = StepwiseCox(criterion="bic", max_genes=plan.size or plan.max_size)
    return SignatureDerivation(
        SurvivalScreen(alpha=1, k=plan.keep),
        search,
        candidates=genes,
        cutoff=plan.cutoff,
        reference=discovery.parts[0].cohort.id if several else None,
        name=name,
        unit=discovery.parts[0].unit,
        minimum_events=plan.minimum_events,
    )


def _locked(fitted: SignatureDerivation, discovery: Discovery) -> Findings:
    """The signature, what it calls its own patients, and the tables of screen and search."""
    signature = fitted.signature_
    scores = fitted.predict(discovery.expression)
    classes = signature.classify(scores).map({True: "high", False: "low"})
    rule = f"high above {signature.cutoff:.4g}; the signature was derived from these patients"
    labels = LabelSet(signature.name, scores.to_frame(signature.name), classes, rule)
    cohorts = discovery.expression[COHORT]
    tables = {
        "label_scores": pd.DataFrame(
            {
                "patient_id": scores.index,
                "score": scores.to_numpy(),
                "label": classes.to_numpy(),
                "cohort": cohorts.loc[scores.index].to_numpy(),
            }
        ),
        "screen": fitted.screen_.table_,
        "screen_by_cohort": fitted.screen_.cohort_table_,
    }
    if isinstance(fitted.search_, SubsetSearch):
        ranking = fitted.search_.ranking_
        tables["subsets"] = ranking.assign(
            genes=ranking["genes"].map(" + ".join),
            coefs=ranking["coefs"].map(lambda coefs: " ".join(f"{coef:.6g}" for coef in coefs)),
        )
        tables["subset_sizes"] = fitted.search_.sizes_
    return Findings(tables=tables, signature=signature, labels=labels)


def _outside(signature: Signature, part: Molecules, plan: DerivationPlan, *, seed: int) -> Findings:
    """Hold the locked signature against survival where it was not made."""
    split = f"external:{part.cohort.id}"
    absent = [gene for gene in signature.genes if gene not in part.tumour]
    if absent:
        names = ", ".join(absent)
        text = f"{split}: not validated: {names} not measured, constant, or missing in a patient."
        return Findings(notes=(("warning", text),))
    if part.outcome.n_events < plan.minimum_events:
        text = (
            f"{split}: not validated: {part.outcome.n_events} events of {part.outcome.endpoint}, "
            f"below {plan.minimum_events}."
        )
        return Findings(notes=(("warning", text),))
    notes: tuple[tuple[str, str], ...] = ()
    locked = signature
    if part.unit != signature.unit:
        if len(part.tumour) < FEWEST_REFERENCE:
            text = f"{split}: not validated: {len(part.tumour)} patients, in another unit."
            return Findings(notes=(("warning", text),))
        locked = restandardised(signature, part.tumour[list(signature.genes)], unit=part.unit)
        text = (
            f"{split}: expression is in {part.unit}, the signature's constants belong to "
            f"{signature.unit}: genes were standardised on this cohort, without its outcomes."
        )
        notes = (("info", text),)
    risk = locked.score(part.tumour).loc[part.outcome.patient_ids]
    found, tables = prognosis(
        risk,
        part.outcome,
        split=f"signature, {split}",
        cutoff=locked.cutoff,
        permutations=OUTCOME_PERMUTATIONS,
        rng=np.random.default_rng([seed, 5, zlib.crc32(split.encode())]),
        minimum_events=plan.minimum_events,
    )
    metrics = tuple(replace(m, name=f"signature_{m.name}", split=split) for m in found)
    return Findings(metrics=metrics, tables=tables, notes=notes)


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
    renamed = pd.concat([p.genes.assign(cohort=p.cohort.id) for p in (*cohorts, *external)])
    # Without the HGNC set most names are merely not known here, which says nothing of them.
    changed = renamed[~renamed["status"].isin(["approved", "unknown"])]
    text = f"{int(candidates['candidate'].sum())} of {len(candidates)} shared genes are candidates."
    return Findings(
        tables={
            "cohort_flow": flow,
            "candidates": candidates,
            "gene_names": changed,
            "settings": planned_settings(rules | plan.model_dump(exclude={"candidates"})),
        },
        notes=(("info", text),),
    )


def _recipe(plan: DerivationPlan, *, endpoint: str, name: str) -> str:
    asked = {
        "question": f"Which few genes foretell {endpoint}, and do they where they were not chosen?",
        "name": name,
        "endpoint": endpoint,
    }
    return yaml.safe_dump({**asked, **plan.model_dump(mode="json")}, sort_keys=False)
