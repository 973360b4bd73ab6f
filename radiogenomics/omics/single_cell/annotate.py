"""What kind of cell each is, by markers."""

from __future__ import annotations

from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.scoring.scorer import GeneSets, as_gene_sets, coverage_table
from radiogenomics.omics.single_cell.cells import cell_fact, distinct_genes, log_values, scanpy

UNKNOWN = "unknown"
# Genes beside a type's markers that they are compared with: as many as score_genes draws a bin.
_LEAST_OTHERS = 50


@dataclass(frozen=True, eq=False)
class Annotation:
    """Types of cells, and what they were assigned by.

    Parameters
    ----------
    cell_type
        Type of each cell, ``"unknown"`` where none stands out.
    scores
        Cells × types.
    decisions
        A row a cluster (or cell): ``group, cells, cell_type, score, second, margin``: the highest
        score, the type that came second and by how much it was behind; ``cell_type`` is
        ``"unknown"`` where that was too little.
    coverage
        How many of each type's markers were measured.
    """

    cell_type: pd.Series
    scores: pd.DataFrame
    decisions: pd.DataFrame
    coverage: pd.DataFrame


def annotate_cells(
    cells: anndata.AnnData,
    markers: GeneSets,
    *,
    by: str | None = "cluster",
    margin: float = 0.1,
    least: float = 0.0,
    min_coverage: float = 0.5,
    seed: int = 0,
) -> Annotation:
    """Give each cluster, or each cell, the type whose markers stand out most.

    A cell's score of a type is the mean of its markers less the mean of random genes that are
    expressed alike (scanpy's ``score_genes``); a cluster's score is the mean of its cells. The type
    with the highest score is assigned where that is above ``least`` and at least ``margin`` above
    the second, else ``"unknown"``.

    Misleads where the true type is not among the markers, where types share markers, and where
    markers are few: a single cell's score is then mostly noise, so assign by cluster.

    Parameters
    ----------
    cells
        Normalised cells × genes.
    markers
        Type → genes, or gene sets named after types; at least two.
    by
        Column of ``obs`` with the clusters; None assigns each cell by itself.
    margin
        In units of the score (natural log of normalised counts), 0 or more.
    least
        Score that must be exceeded.
    min_coverage
        Smallest share of a type's markers that must be measured.
    seed
        Of the choice of random genes.

    Raises
    ------
    AlignmentError, DataError
        Too few markers of a type are measured, the cells are not normalised, there are fewer than
        two types, or too few genes to compare the markers with.

    References
    ----------
    Tirosh et al. 2016, doi:10.1126/science.aad0501 (the score).
    """
    sets = as_gene_sets(markers)
    log_values(cells)
    coverage = _checked_coverage(
        sets, distinct_genes(cells), margin=margin, min_coverage=min_coverage
    )
    group = pd.Series(cells.obs_names, cells.obs_names) if by is None else cell_fact(cells, by)
    scores = _scores(cells, sets, seed)
    of_groups = scores.groupby(group.to_numpy(), sort=False).mean()
    decisions = _decide(of_groups, margin=margin, least=least)
    decisions.insert(1, "cells", group.value_counts().reindex(of_groups.index).to_numpy())
    chosen = decisions.set_index("group")["cell_type"]
    cell_type = pd.Series(chosen.loc[group].to_numpy(), cells.obs_names, name="cell_type")
    return Annotation(cell_type, scores, decisions, coverage)


def _checked_coverage(
    sets: tuple[GeneSet, ...], genes: pd.Index, *, margin: float, min_coverage: float
) -> pd.DataFrame:
    """How many of each type's markers are measured, where that is enough."""
    if len(sets) < 2 or not margin >= 0:
        raise DataError(
            f"annotation: expected markers of two types or more and a margin of at least 0; found "
            f"{len(sets)} and {margin}. Add the types that a cell could be otherwise."
        )
    coverage = coverage_table(sets, genes)
    thin = coverage[(coverage["coverage"] < min_coverage) | (coverage["found"] == 0)]
    if len(thin):
        found = [f"{row.found} of {row.genes} of {row.set}" for row in thin.itertuples()]
        raise AlignmentError(
            f"annotation: expected at least {min_coverage:.0%} of each type's markers among the "
            f"genes; found {short_list(found)}. Use HGNC symbols in both, or leave the type out."
        )
    if len(genes) - coverage["found"].max() < _LEAST_OTHERS:
        raise DataError(
            f"annotation: expected at least {_LEAST_OTHERS} genes beside the markers of each type, "
            f"to compare them with; found {len(genes)} genes in all. Use all genes that were "
            "measured, not a panel of markers."
        )
    return coverage


def _scores(cells: anndata.AnnData, sets: tuple[GeneSet, ...], seed: int) -> pd.DataFrame:
    bare = anndata.AnnData(cells.X, pd.DataFrame(index=cells.obs_names), cells.var[[]].copy())
    module, table = scanpy(), {}
    for each in sets:
        found = [gene for gene in each if gene in bare.var_names]
        try:
            module.tl.score_genes(bare, found, score_name="score", random_state=seed, use_raw=False)
        except RuntimeError as error:
            raise DataError(
                f"annotation: expected genes expressed like the markers of {each.name}, to compare "
                f"them with; found none among {cells.n_vars} genes. Use all genes that were "
                "measured, not a panel of markers."
            ) from error
        table[each.name] = bare.obs["score"].to_numpy(dtype=float)
    return pd.DataFrame(table, index=cells.obs_names)


def _decide(scores: pd.DataFrame, *, margin: float, least: float) -> pd.DataFrame:
    values, names = scores.to_numpy(), scores.columns.to_numpy()
    order = np.argsort(-values, axis=1, kind="stable")
    rows = np.arange(len(values))
    best, second = values[rows, order[:, 0]], values[rows, order[:, 1]]
    clear = (best > least) & (best - second >= margin)
    return pd.DataFrame(
        {
            "group": scores.index,
            "cell_type": np.where(clear, names[order[:, 0]], UNKNOWN),
            "score": best,
            "second": names[order[:, 1]],
            "margin": best - second,
        }
    )
