"""From expression to a map and clusters of cells, step by step, on scanpy."""

from __future__ import annotations

from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.omics.single_cell.cells import cell_fact, log_values, scanpy

STEPS = ("variable_genes", "components", "neighbours", "clusters", "umap")


@dataclass(frozen=True)
class EmbeddingSettings:
    """How cells are embedded.

    Parameters
    ----------
    variable_genes
        Genes that vary more than others of their mean, by scanpy's ``seurat`` rule.
    components
        Principal components of them.
    neighbours
        Nearest cells of each cell in the graph.
    resolution
        Of the clusters (Leiden); higher makes more.
    min_dist
        Least distance on the map (UMAP).
    batch
        Column of ``obs``; variable genes are then ranked within each batch and combined.
    seed
        Of all random steps.
    """

    variable_genes: int = 2000
    components: int = 30
    neighbours: int = 15
    resolution: float = 1.0
    min_dist: float = 0.5
    batch: str | None = None
    seed: int = 0


def embed_cells(
    cells: anndata.AnnData, settings: EmbeddingSettings | None = None, *, until: str = "umap"
) -> anndata.AnnData:
    """Find variable genes, principal components, neighbours, clusters and a map, in this order.

    Each step is scanpy's: ``highly_variable_genes``, ``pca``, ``neighbors``, ``leiden``
    (igraph, two iterations) and ``umap``. The same seed on the same machine gives the same result.
    Batches are not corrected. Distances and sizes on a UMAP mean little: never conclude from it
    alone, and test on counts per patient.

    Parameters
    ----------
    cells
        Normalised cells × genes; see :func:`~.normalise.normalise_cells`.
    settings
        See :class:`EmbeddingSettings`.
    until
        Last step to take, one of ``STEPS``.

    Returns
    -------
    AnnData
        A copy with ``var["highly_variable"]``, ``obsm["X_pca"]``, ``obsp["connectivities"]``,
        ``obs["cluster"]`` and ``obsm["X_umap"]``, as far as steps were taken.

    Raises
    ------
    DataError
        The cells are not normalised, or too few for the settings.
    UnknownNameError
        There is no such step.

    References
    ----------
    Wolf et al. 2018, doi:10.1186/s13059-017-1382-0; Traag et al. 2019,
    doi:10.1038/s41598-019-41695-z (Leiden).
    """
    settings = EmbeddingSettings() if settings is None else settings
    if until not in STEPS:
        raise UnknownNameError("step", until, STEPS)
    log_values(cells)
    _check(settings, cells)
    if settings.batch is not None:
        cell_fact(cells, settings.batch)
    wanted = STEPS[: STEPS.index(until) + 1]
    result, module, seed = cells.copy(), scanpy(), settings.seed
    genes = min(settings.variable_genes, cells.n_vars)
    module.pp.highly_variable_genes(result, n_top_genes=genes, batch_key=settings.batch)
    if "components" in wanted:
        module.pp.pca(result, n_comps=settings.components, random_state=seed)
    if "neighbours" in wanted:
        module.pp.neighbors(result, n_neighbors=settings.neighbours, random_state=seed)
    if "clusters" in wanted:
        module.tl.leiden(
            result, settings.resolution, random_state=seed, key_added="cluster", flavor="igraph",
            n_iterations=2, directed=False,
        )  # fmt: skip
    if "umap" in wanted:
        module.tl.umap(result, min_dist=settings.min_dist, random_state=seed)
    return result


def map_table(cells: anndata.AnnData, values: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Put the map beside what is to be drawn on it.

    Parameters
    ----------
    cells
        Embedded cells.
    values
        Scores or labels, indexed by cell; a Series becomes the column of its name.

    Returns
    -------
    DataFrame
        ``x, y`` and the values, indexed by cell.

    Raises
    ------
    DataError
        There is no map, or the index differs.
    """
    if "X_umap" not in cells.obsm:
        raise DataError(
            "single cells: expected a map in obsm['X_umap']; found "
            f"{', '.join(cells.obsm) or 'nothing'}. Call embed_cells first."
        )
    frame = values.to_frame() if isinstance(values, pd.Series) else values
    if not frame.index.equals(cells.obs_names):
        raise DataError(
            f"single cells: expected values of the {cells.n_obs} cells in their order; found "
            f"{len(frame)} with another index. Reindex them by cell."
        )
    places = pd.DataFrame(np.asarray(cells.obsm["X_umap"]), cells.obs_names, ["x", "y"])
    return pd.concat([places, frame], axis=1)


def _check(settings: EmbeddingSettings, cells: anndata.AnnData) -> None:
    room = min(cells.n_obs, settings.variable_genes, cells.n_vars) - 1
    if not 0 < settings.components <= room or not 1 < settings.neighbours < cells.n_obs:
        raise DataError(
            f"embedding: expected 1 to {room} components and 2 to {cells.n_obs - 1} neighbours for "
            f"{cells.n_obs} cells and {cells.n_vars} genes; found {settings.components} and "
            f"{settings.neighbours}. Change the settings."
        )
