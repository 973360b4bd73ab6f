"""What every step asks of an AnnData of cells × genes: raw counts, logarithms, facts."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingExtraError,
    UnknownNameError,
    short_list,
)

COUNTS = "counts"
# Logarithms of counts stay below this.
_LARGEST_LOG = 64.0


def scanpy() -> ModuleType:
    """Return the module scanpy.

    Raises
    ------
    MissingExtraError
        It is not installed (extra ``omics``).
    """
    try:
        import scanpy as module
    except ImportError as error:
        raise MissingExtraError(
            "expected scanpy for single cells; found it not installed. Install "
            "radiogenomics[omics]."
        ) from error
    return module


def raw_counts(cells: anndata.AnnData) -> sparse.csr_matrix:
    """Return raw counts, cells × genes: ``layers["counts"]``, else ``X`` where it holds counts.

    Raises
    ------
    DataError
        There are no whole numbers of at least 0 in either, or no cell or gene.

    Examples
    --------
    >>> raw_counts(anndata.AnnData(np.array([[3.0, 0.0], [1.0, 2.0]]))).toarray()
    array([[3., 0.],
           [1., 2.]])
    """
    if not cells.n_obs or not cells.n_vars:
        raise DataError(
            f"single cells: expected cells and genes; found {cells.n_obs} cells × {cells.n_vars} "
            "genes. Check the file, or the filters before."
        )
    layer = COUNTS if COUNTS in cells.layers else None
    matrix = cells.X if layer is None else cells.layers[layer]
    counts = None if matrix is None else sparse.csr_matrix(matrix)
    if counts is None or not are_counts(counts.data):
        where = "X" if layer is None else f"layers[{layer!r}]"
        raise DataError(
            f"single cells: expected raw counts in layers[{COUNTS!r}] or X; found other values in "
            f"{where}: missing, negative or with fractions. Read the file with the layer that has "
            "the counts; normalised values cannot be turned back."
        )
    return counts


def are_counts(values: np.ndarray) -> bool:
    """Whether all are whole numbers of at least 0."""
    return bool(
        np.isfinite(values).all() and (values >= 0).all() and (values == np.rint(values)).all()
    )


def log_values(cells: anndata.AnnData) -> Any:
    """Return ``X`` where it holds logarithms of normalised counts, sparse or dense as it is.

    Raises
    ------
    DataError
        It holds raw counts, or values that no logarithm takes.
    """
    stored = cells.X.data if sparse.issparse(cells.X) else np.asarray(cells.X).ravel()
    least, largest = stored.min(initial=0.0), stored.max(initial=0.0)
    if are_counts(stored) or least < 0 or not largest < _LARGEST_LOG:
        raise DataError(
            "single cells: expected logarithms of normalised counts in X; found values from "
            f"{least:.3g} to {largest:.3g}{', all whole' if are_counts(stored) else ''}. Call "
            "normalise_cells first."
        )
    return cells.X


def cell_fact(cells: anndata.AnnData, column: str) -> pd.Series[Any]:
    """Return a column of ``obs`` as text, known for every cell.

    Raises
    ------
    UnknownNameError
        There is no such column.
    AlignmentError
        It is empty for some cells.
    """
    if column not in cells.obs:
        raise UnknownNameError("column of obs", column, map(str, cells.obs.columns))
    values = cells.obs[column]
    empty = values.isna() | values.astype(str).str.strip().eq("")
    if empty.any():
        raise AlignmentError(
            f"single cells: expected {column} of every cell; found {int(empty.sum())} of "
            f"{len(values)} without ({short_list(values.index[empty], limit=3)}). Fill it in or "
            "drop these cells."
        )
    return values.astype(str).astype(object)


def distinct_genes(cells: anndata.AnnData) -> pd.Index:
    """Return the genes, each of which must stand once.

    Raises
    ------
    AlignmentError
        One stands in several columns.
    """
    if not cells.var_names.is_unique:
        twice = cells.var_names[cells.var_names.duplicated()].unique()
        raise AlignmentError(
            f"single cells: expected one column a gene; found {len(twice)} in several "
            f"({short_list(twice)}). Sum their counts when reading the file."
        )
    return cells.var_names
