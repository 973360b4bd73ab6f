"""Which genes may enter a signature, before survival is looked at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from scipy.stats import t as student_t

from radiogenomics.core.errors import StudyError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics import MeanZ, find_gene_set, moderated_t_table
from radiogenomics.stats import adjust
from radiogenomics.study.derive_cohorts import Discovery, Molecules
from radiogenomics.study.derive_plan import DerivationPlan

FEWEST_NORMALS = 3
FEWEST_PAIRS = 10


def candidate_table(
    discovery: Discovery, plan: DerivationPlan, *, gene_sets: Mapping[str, GeneSet]
) -> pd.DataFrame:
    """Pass every shared gene through the filters of the plan.

    Filters see all discovery patients, in test folds too, but not their survival; a number that
    they make belongs to a gene, not to a patient.

    Returns
    -------
    DataFrame
        One row a gene: ``gene, mean``, a column ``passes_...`` for each filter of the plan with the
        numbers behind it, and ``candidate``, true where all pass.

    Raises
    ------
    StudyError
        A filter wants what no cohort has, or no gene passes all of them.
    """
    genes = discovery.genes
    table = pd.DataFrame({"gene": genes.columns, "mean": genes.mean().to_numpy()})
    rules = plan.candidates
    if rules.expressed is not None:
        table["passes_expressed"] = table["mean"] >= rules.expressed
    if rules.tumour_normal is not None:
        _against_normal(table, discovery, plan)
    if rules.protein is not None:
        _with_protein(table, discovery, plan)
    if rules.gene_set is not None:
        members = set(find_gene_set(rules.gene_set, supplied=gene_sets).genes)
        table["passes_gene_set"] = table["gene"].isin(members)
    if rules.immune_score is not None:
        _with_immunity(table, discovery, plan, gene_sets=gene_sets)
    passed = [name for name in map(str, table.columns) if name.startswith("passes_")]
    table["candidate"] = table[passed].all(axis=1)
    if not table["candidate"].any():
        counts = ", ".join(f"{n.removeprefix('passes_')} {int(table[n].sum())}" for n in passed)
        raise StudyError(
            f"expected candidates; found none of {len(table)} genes that pass every filter "
            f"({counts}). Loosen the plan."
        )
    return table


def _against_normal(table: pd.DataFrame, discovery: Discovery, plan: DerivationPlan) -> None:
    """Different from normal tissue, in one direction, in every cohort that has some."""
    having = [
        p for p in discovery.parts if p.normal is not None and len(p.normal) >= FEWEST_NORMALS
    ]
    if not having:
        raise StudyError(
            f"candidates.tumour_normal: expected a cohort with {FEWEST_NORMALS} normal samples; "
            "found none. Leave the filter out, or declare sample_type in the manifest."
        )
    changes, passes = [], []
    for part in having:
        found = _tissue_table(part, table["gene"])
        change = found["log2_fold_change"].to_numpy()
        changes.append(change)
        passes.append(
            (found["fdr"].to_numpy() <= (plan.candidates.tumour_normal or 0))
            & (np.abs(change) >= plan.candidates.log2_fold_change)
        )
    table["tumour_normal_change"] = np.mean(changes, axis=0)
    one_way = np.abs(np.sign(changes).sum(axis=0)) == len(having)
    table["passes_tumour_normal"] = np.all(passes, axis=0) & one_way


def _tissue_table(part: Molecules, genes: pd.Series[str]) -> pd.DataFrame:
    tumour, normal = part.tumour, part.normal
    both = pd.concat([tumour, normal])[list(genes)].reset_index(drop=True)
    group = pd.Series(np.arange(len(both)) < len(tumour), index=both.index)
    return moderated_t_table(both, group, trend=True)


def _with_protein(table: pd.DataFrame, discovery: Discovery, plan: DerivationPlan) -> None:
    """RNA and protein of the same patients go together; genes without a protein do not pass."""
    for part in discovery.parts:
        if plan.protein_assay not in part.cohort.assays:
            continue
        protein = part.cohort.assay(plan.protein_assay)
        if "sample_type" in protein.samples:
            protein = protein.where("sample_type", "tumour")
        values = protein.per_patient()
        patients = part.tumour.index[part.tumour.index.isin(values.index)]
        shared = [gene for gene in table["gene"] if gene in values.columns]
        if len(patients) < FEWEST_PAIRS or not shared:
            continue
        rho, p = _rank_correlation(part.tumour.loc[patients, shared], values.loc[patients, shared])
        fdr = adjust(p)
        known = pd.DataFrame({"rho": rho, "fdr": fdr}, index=shared).reindex(table["gene"])
        table["protein_rho"] = known["rho"].to_numpy()
        limit = plan.candidates.protein or 0
        table["passes_protein"] = ((known["rho"] > 0) & (known["fdr"] <= limit)).to_numpy()
        return
    raise StudyError(
        f"candidates.protein: expected a cohort with the assay {plan.protein_assay!r} of at least "
        f"{FEWEST_PAIRS} patients with RNA, and shared genes; found none. Leave the filter out."
    )


def _with_immunity(
    table: pd.DataFrame,
    discovery: Discovery,
    plan: DerivationPlan,
    *,
    gene_sets: Mapping[str, GeneSet],
) -> None:
    """Rank correlation with a score, cohort by cohort, adjusted for another score if asked."""
    rules = plan.candidates
    rhos = []
    for part in discovery.parts:
        genes = part.tumour[list(table["gene"])]
        ranks = _standard_ranks(genes.to_numpy(dtype=float))
        target = _ranked_score(part, str(rules.immune_score), gene_sets)
        if rules.purity is not None:
            beside = _ranked_score(part, rules.purity, gene_sets)
            ranks, target = _without(ranks, beside), _without(target[:, None], beside)[:, 0]
        rhos.append((ranks * target[:, None]).mean(axis=0))
    n = np.array([len(part.tumour) for part in discovery.parts])
    lost = 3 + (rules.purity is not None)
    z = np.average(np.arctanh(np.clip(rhos, -0.999999, 0.999999)), axis=0, weights=n - lost)
    rho = np.tanh(z)
    freedom = int((n - lost).sum()) + 1
    p = 2 * student_t.sf(np.abs(rho) * np.sqrt(freedom / (1 - rho**2)), freedom)
    table["immune_rho"] = rho
    table["passes_immune"] = adjust(p) <= rules.immune_fdr


def _ranked_score(part: Molecules, name: str, gene_sets: Mapping[str, GeneSet]) -> np.ndarray:
    scorer = MeanZ(find_gene_set(name, supplied=gene_sets))
    return _standard_ranks(scorer.fit_transform(part.tumour).to_numpy(dtype=float))[:, 0]


def _rank_correlation(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's rho of each column of ``a`` with that of ``b``, pairwise complete, and its p."""
    rho, p = np.full(a.shape[1], np.nan), np.full(a.shape[1], np.nan)
    for column, (x, y) in enumerate(zip(a.to_numpy().T, b.to_numpy(dtype=float).T, strict=True)):
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() < FEWEST_PAIRS or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
            continue
        both = _standard_ranks(np.column_stack([x[known], y[known]]))
        rho[column] = (both[:, 0] * both[:, 1]).mean()
        freedom = int(known.sum()) - 2
        t = abs(rho[column]) * np.sqrt(freedom / max(1 - rho[column] ** 2, 1e-300))
        p[column] = 2 * student_t.sf(t, freedom)
    return rho, p


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    ranks = rankdata(values, axis=0)
    spread = ranks.std(axis=0)
    return np.asarray((ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _without(values: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """What is left of standardised columns beside another one, standardised again."""
    left = values - np.outer(beside, (values * beside[:, None]).mean(axis=0))
    spread = left.std(axis=0)
    return left / np.where(spread > 1e-12, spread, 1)
