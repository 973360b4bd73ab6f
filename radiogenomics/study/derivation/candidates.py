"""Which genes may enter a signature, before survival is looked at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from radiogenomics.core.errors import StudyError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics import MeanZ, find_gene_set
from radiogenomics.stats import adjust
from radiogenomics.stats.ranks import partial_spearman, spearman
from radiogenomics.study.derivation.cells import CellFacts, pass_cells
from radiogenomics.study.derivation.cohorts import Discovery, Molecules
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.protein import pass_protein
from radiogenomics.study.derivation.tissue import pass_tissue

FEWEST_NORMALS = 3
# Keeps Fisher's transformation of a correlation of 1 finite.
_LARGEST_RHO = 0.999999


def candidate_table(
    discovery: Discovery,
    plan: DerivationPlan,
    *,
    gene_sets: Mapping[str, GeneSet],
    protein: Molecules | None = None,
    cells: CellFacts | None = None,
) -> pd.DataFrame:
    """Pass every shared gene through the filters of the plan.

    Filters see all discovery patients, in test folds too, but not their survival; a number that
    they make belongs to a gene, not to a patient.

    Parameters
    ----------
    discovery, plan, gene_sets
        Cohorts, rules, and the sets of the user's GMT.
    protein
        Proteome of a manifest of its own (``read_protein``), instead of a discovery cohort's.
    cells
        What the single-cell file says of genes (``read_cells``).

    Returns
    -------
    DataFrame
        One row a gene: ``gene, mean``, a column ``passes_...`` for each filter of the plan with the
        numbers behind it, and ``candidate``, true where all pass.

    Raises
    ------
    StudyError, AlignmentError
        A filter wants what is not there, names do not fit together, or no gene passes all of them.
    """
    genes = discovery.genes
    means = np.array([part.tumour[genes.columns].mean() for part in discovery.parts])
    table = pd.DataFrame({"gene": genes.columns, "mean": means.mean(axis=0)})
    rules = plan.candidates
    if rules.expressed is not None:
        _expressed(table, discovery, means, limit=rules.expressed)
    if rules.tumour_normal is not None:
        pass_tissue(table, discovery, plan)
    if rules.protein is not None:
        pass_protein(table, discovery, plan, protein=protein)
    if rules.gene_set is not None:
        members = set(find_gene_set(rules.gene_set, supplied=gene_sets).genes)
        table["passes_gene_set"] = table["gene"].isin(members)
    if rules.immune_score is not None:
        _with_immunity(table, discovery, plan, gene_sets=gene_sets)
    if rules.cell_types or rules.responders is not None:
        pass_cells(table, plan, cells)
    passed = [name for name in map(str, table.columns) if name.startswith("passes_")]
    table["candidate"] = table[passed].all(axis=1)
    if not table["candidate"].any():
        counts = ", ".join(f"{n.removeprefix('passes_')} {int(table[n].sum())}" for n in passed)
        raise StudyError(
            f"expected candidates; found none of {len(table)} genes that pass every filter "
            f"({counts}). Loosen the plan."
        )
    return table


def _expressed(
    table: pd.DataFrame, discovery: Discovery, means: np.ndarray, *, limit: float
) -> None:
    """Expressed in every cohort; standardised values do not say how much there is."""
    told = [part.unit != "z-score" for part in discovery.parts]
    if not any(told):
        raise StudyError(
            "candidates.expressed: expected a cohort whose values say how much is expressed; found "
            "z-scores only. Set expressed: null."
        )
    table["passes_expressed"] = np.all(means[told] >= limit, axis=0)


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
        target = _score(part, str(rules.immune_score), gene_sets)
        if rules.purity is None:
            found = spearman(genes, target)
        else:
            found = partial_spearman(genes, target, _score(part, rules.purity, gene_sets))
        # A gene of which nothing is left beside the other score has nothing to do with the first.
        rhos.append(np.nan_to_num(found.rho, nan=0.0))
    n = np.array([len(part.tumour) for part in discovery.parts])
    lost = 3 + (rules.purity is not None)
    clipped = np.clip(rhos, -_LARGEST_RHO, _LARGEST_RHO)
    rho = np.tanh(np.average(np.arctanh(clipped), axis=0, weights=n - lost))
    freedom = int((n - lost).sum()) + 1
    p = 2 * student_t.sf(np.abs(rho) * np.sqrt(freedom / (1 - rho**2)), freedom)
    table["immune_rho"] = rho
    table["passes_immune"] = adjust(p) <= rules.immune_fdr


def _score(part: Molecules, name: str, gene_sets: Mapping[str, GeneSet]) -> np.ndarray:
    scorer = MeanZ(find_gene_set(name, supplied=gene_sets))
    return np.asarray(scorer.fit_transform(part.tumour), dtype=float)[:, 0]
