"""Counts of cells made comparable: one depth for all, then logarithms."""

from __future__ import annotations

import anndata
import numpy as np

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.omics.single_cell.cells import COUNTS, raw_counts, scanpy


def normalise_cells(cells: anndata.AnnData, *, target_sum: float = 1e4) -> anndata.AnnData:
    """Scale each cell to the same sum and take ``log(1 + x)`` (natural), as scanpy does.

    ``x = log(1 + target_sum · count / counts of the cell)``. Each cell on its own. It always starts
    from raw counts, so that calling it twice changes nothing. Cells that truly hold more RNA are
    scaled down to the others, and where a few genes take most of a cell's reads the others sink.

    Parameters
    ----------
    cells
        Cells × genes with raw counts.
    target_sum
        Sum of each cell before the logarithm, above 0.

    Returns
    -------
    AnnData
        A copy; ``X`` has the logarithms, ``layers["counts"]`` the raw counts.

    Raises
    ------
    DataError
        There are no raw counts, or a cell has none.

    Examples
    --------
    >>> cells = anndata.AnnData(np.array([[3.0, 1.0], [0.0, 2.0]]))
    >>> normalise_cells(cells, target_sum=4).X.toarray().round(3)
    array([[1.386, 0.693],
           [0.   , 1.609]])
    """
    if not (np.isfinite(target_sum) and target_sum > 0):
        raise DataError(
            f"target_sum: expected a number above 0; found {target_sum}. 10,000 is usual."
        )
    counts = raw_counts(cells)
    empty = np.asarray(counts.sum(axis=1)).ravel() == 0
    if empty.any():
        raise DataError(
            f"single cells: expected counts in every cell; found {int(empty.sum())} cells without "
            f"({short_list(cells.obs_names[empty], limit=3)}). Filter cells first."
        )
    result = cells.copy()
    result.layers[COUNTS] = counts
    result.X = counts.astype(np.float64)
    result.uns.pop("log1p", None)
    module = scanpy()
    module.pp.normalize_total(result, target_sum=target_sum)
    module.pp.log1p(result)
    return result
