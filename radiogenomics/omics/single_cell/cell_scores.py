"""A signature in each cell and each cell type."""

from __future__ import annotations

from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from radiogenomics.core.errors import AlignmentError, UnknownNameError, short_list
from radiogenomics.omics.scoring.aucell import AUCell
from radiogenomics.omics.scoring.mean_z import MeanZ
from radiogenomics.omics.scoring.scorer import GeneSets, as_gene_sets
from radiogenomics.omics.single_cell.cells import cell_fact, distinct_genes, log_values

METHODS = ("aucell", "mean_z")
# Cells that are made dense at a time.
_BLOCK = 500


def score_cells(
    cells: anndata.AnnData,
    gene_sets: GeneSets,
    *,
    method: str = "aucell",
    top: float = 0.05,
    min_coverage: float = 0.5,
    warn_coverage: float = 0.8,
) -> pd.DataFrame:
    """Score gene sets in every cell.

    ``"aucell"`` asks how much of a set is among a cell's most expressed genes
    (:class:`~radiogenomics.omics.scoring.aucell.AUCell`): each cell alone, 0 to 1. ``"mean_z"`` is
    the mean of the set's genes, each standardised over these cells
    (:class:`~radiogenomics.omics.scoring.mean_z.MeanZ`): 0 is their mean. The matrix stays sparse
    but for some hundred cells at a time.

    A set of two or three genes is 0 in most cells, as a cell has few counts: read means of types or
    patients then (:func:`summarise_scores`). Depth moves AUCell where fewer genes are detected than
    ``top`` holds.

    Parameters
    ----------
    cells
        Normalised cells × genes, all that were measured.
    gene_sets, min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.
    method
        ``"aucell"`` or ``"mean_z"``.
    top
        Share of the ranking that counts, for AUCell.

    Returns
    -------
    DataFrame
        Cells × sets; higher is more.

    Raises
    ------
    AlignmentError, DataError, UnknownNameError
        As the scorers; the cells are not normalised; no such method.
    """
    if method not in METHODS:
        raise UnknownNameError("method of scoring cells", method, METHODS)
    values, genes = log_values(cells), distinct_genes(cells)
    sets = as_gene_sets(gene_sets)
    if method == "mean_z":
        wanted = genes[genes.isin([gene for each in sets for gene in each])]
        # Where none is there, any gene lets the scorer say so.
        wanted = wanted if len(wanted) else genes[:1]
        frame = _dense(values[:, genes.get_indexer(wanted)], cells.obs_names, wanted)
        mean = MeanZ(sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        return mean.fit_transform(frame)
    ranked = AUCell(sets, top=top, min_coverage=min_coverage, warn_coverage=warn_coverage)
    parts = []
    for start in range(0, cells.n_obs, _BLOCK):
        block = slice(start, start + _BLOCK)
        frame = _dense(values[block], cells.obs_names[block], genes)
        parts.append((ranked if parts else ranked.fit(frame)).transform(frame))
    return pd.concat(parts)


def summarise_scores(
    scores: pd.DataFrame, cells: anndata.AnnData, *, by: str | Sequence[str] = "cell_type"
) -> pd.DataFrame:
    """Mean and spread of each score in each group of cells.

    Parameters
    ----------
    scores
        Cells × sets.
    cells
        The same cells.
    by
        Column or columns of ``obs``: ``"cell_type"``, or ``("patient_id", "cell_type")``.

    Returns
    -------
    DataFrame
        The columns of ``by``, ``set, cells, mean, sd`` (n − 1; NaN for one cell), ``median``.

    Raises
    ------
    AlignmentError
        Scores are of other cells.
    """
    if not scores.index.equals(cells.obs_names):
        raise AlignmentError(
            f"scores of cells: expected those of the {cells.n_obs} cells in their order; found "
            f"{len(scores)} with another index. Reindex them by cell."
        )
    columns = [by] if isinstance(by, str) else list(by)
    keys = [cell_fact(cells, column).rename(column) for column in columns]
    long = pd.concat([*keys, scores], axis=1).melt(columns, var_name="set", value_name="score")
    grouped = long.groupby([*columns, "set"], sort=True)["score"]
    table = grouped.agg(["size", "mean", "std", "median"]).reset_index()
    return table.rename(columns={"size": "cells", "std": "sd"})


def expression_by_group(
    cells: anndata.AnnData, genes: Sequence[str], *, by: str = "cell_type"
) -> pd.DataFrame:
    """Mean expression of genes, and the share of cells that express them, in each group of cells.

    Parameters
    ----------
    cells
        Normalised cells × genes.
    genes
        Symbols, in the order of the table.
    by
        Column of ``obs``.

    Returns
    -------
    DataFrame
        ``group, gene, cells, mean`` (of the logarithms) and ``share`` (0 to 1, of cells with a
        count).

    Raises
    ------
    AlignmentError
        A gene was not measured.
    """
    values, known, wanted = log_values(cells), distinct_genes(cells), pd.Index(list(genes))
    absent = wanted[~wanted.isin(known)]
    if len(absent) or not len(wanted) or wanted.has_duplicates:
        raise AlignmentError(
            f"expression by group: expected genes that were measured, each once; found "
            f"{len(absent)} of {len(wanted)} absent ({short_list(absent) or 'none'}) and "
            f"{int(wanted.duplicated().sum())} repeated. Leave them out or mend the symbols."
        )
    frame = _dense(values[:, known.get_indexer(wanted)], cells.obs_names, wanted)
    group = cell_fact(cells, by).to_numpy()
    mean, share = frame.groupby(group).mean(), (frame > 0).groupby(group).mean()
    table = mean.rename_axis("group").reset_index().melt("group", var_name="gene")
    table = table.rename(columns={"value": "mean"})
    table["share"] = share.rename_axis("group").reset_index().melt("group")["value"]
    sizes = pd.Series(group).value_counts()
    table.insert(2, "cells", sizes.loc[table["group"]].to_numpy())
    return table


def _dense(values: object, rows: pd.Index, columns: pd.Index) -> pd.DataFrame:
    dense = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return pd.DataFrame(dense.astype(float), index=rows, columns=columns)
