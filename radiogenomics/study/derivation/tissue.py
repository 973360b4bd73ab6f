"""Genes that tumours have otherwise than normal tissue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.errors import StudyError
from radiogenomics.omics import differential_counts, moderated_t_table, unit_of
from radiogenomics.study.derivation.cohorts import Discovery, Molecules
from radiogenomics.study.derivation.plan import DerivationPlan

FEWEST_NORMALS = 3


def pass_tissue(table: pd.DataFrame, discovery: Discovery, plan: DerivationPlan) -> None:
    """Keep genes that differ from normal tissue, in one direction, in every cohort that has some.

    By moderated t on logarithms, or by PyDESeq2 on the counts of cohorts measured in counts.

    Raises
    ------
    StudyError
        No cohort has normal samples, or counts where they are asked for.
    MissingExtraError
        PyDESeq2 is not installed (extra ``omics``).
    """
    having = [
        p for p in discovery.parts if p.normal is not None and len(p.normal) >= FEWEST_NORMALS
    ]
    if not having:
        raise StudyError(
            f"candidates.tumour_normal: expected a cohort with {FEWEST_NORMALS} normal samples; "
            "found none. Leave the filter out, or declare sample_type in the manifest."
        )
    by_counts = plan.candidates.tissue_test == "counts"
    if by_counts and not any(_counted(part, plan) for part in having):
        raise StudyError(
            f"candidates.tissue_test: expected a cohort whose assay {plan.assay!r} holds counts; "
            "found none. Use moderated_t."
        )
    changes, passes = [], []
    for part in having:
        counted = by_counts and _counted(part, plan)
        compare = _of_counts if counted else _of_logarithms
        found = compare(part, table["gene"], plan)
        change = found["log2_fold_change"].to_numpy()
        changes.append(change)
        passes.append(
            (found["fdr"].to_numpy() <= (plan.candidates.tumour_normal or 0))
            & (np.abs(change) >= plan.candidates.log2_fold_change)
        )
    table["tumour_normal_change"] = np.mean(changes, axis=0)
    one_way = np.abs(np.sign(changes).sum(axis=0)) == len(having)
    table["passes_tumour_normal"] = np.all(passes, axis=0) & one_way


def _counted(part: Molecules, plan: DerivationPlan) -> bool:
    return unit_of(part.cohort.assay(plan.assay)) == "counts"


def _of_logarithms(part: Molecules, genes: pd.Series[str], _plan: DerivationPlan) -> pd.DataFrame:
    tumour, normal = part.tumour, part.normal
    both = pd.concat([tumour, normal])[list(genes)].reset_index(drop=True)
    group = pd.Series(np.arange(len(both)) < len(tumour), index=both.index)
    return moderated_t_table(both, group, trend=True)


def _of_counts(part: Molecules, genes: pd.Series[str], plan: DerivationPlan) -> pd.DataFrame:
    """Tumours derived from against all normal samples; rows in the order of ``genes``."""
    assay = part.cohort.assay(plan.assay)
    kind, patient = assay.samples["sample_type"], assay.samples["patient_id"].astype(str)
    wanted = (kind == "normal") | ((kind == "tumour") & patient.isin(part.tumour.index))
    given = dict(zip(part.genes["symbol"], part.genes["given"], strict=True))
    names = [given.get(gene, gene) for gene in genes]
    counts = assay.values.loc[wanted, names].set_axis(list(genes), axis=1)
    found = differential_counts(counts, kind[wanted] == "tumour").set_index("gene")
    return found.reindex(genes).reset_index()
