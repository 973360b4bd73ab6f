"""How alike each bulk sample and each cell are, once both have the same distribution of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata

from radiogenomics.core.errors import AlignmentError, DataError, short_list

Floats = NDArray[np.float64]

# Cells that are made dense at a time.
_BLOCK = 500
# Without a logarithm counts, TPM and intensities run into the thousands.
_LARGEST_LOG = 64.0


def quantile_target(blocks: Iterator[Floats]) -> Floats:
    """Mean over rows of each row's sorted values, from the least.

    Parameters
    ----------
    blocks
        Arrays of rows × genes.
    """
    total, rows = np.zeros(1), 0
    for block in blocks:
        total = total + np.sort(block, axis=1).sum(axis=0)
        rows += len(block)
    return total / rows


def on_target(values: Floats, target: Floats) -> Floats:
    """Replace each value by what the target has at its rank; ties get the value at their mean rank.

    The same as limma's ``normalizeQuantiles`` with ties.

    Parameters
    ----------
    values
        Rows × genes.
    target
        See :func:`quantile_target`.

    Examples
    --------
    >>> on_target(np.array([[5.0, 0.0, 0.0, 2.0]]), np.array([0.0, 1.0, 4.0, 9.0]))
    array([[9. , 0.5, 0.5, 4. ]])
    """
    rank = rankdata(values, axis=1)
    low, high = np.floor(rank).astype(np.intp), np.ceil(rank).astype(np.intp)
    return np.asarray((target[low - 1] + target[high - 1]) / 2)


def sample_cell_correlation(
    bulk: pd.DataFrame, cells: Any, genes: pd.Index, *, min_shared: int = 100
) -> pd.DataFrame:
    """Pearson correlation of each bulk sample with each cell over the genes that both have.

    Samples and cells are quantile-normalised together first, so that depth and scale do not count,
    only the order of the genes. Cells are made dense some hundred at a time.

    Parameters
    ----------
    bulk
        Samples × genes, log2.
    cells
        Values of normalised cells × ``genes``, sparse or dense.
    genes
        Symbols of the cells' columns.
    min_shared
        Genes that both must have, at least.

    Returns
    -------
    DataFrame
        Samples × cells (by position), −1 to 1.

    Raises
    ------
    AlignmentError
        Too few genes are shared, or a gene stands in several columns of the bulk.
    DataError
        Bulk values are missing or no logarithms, or a row has the same value for all shared genes.
    """
    shared = genes[genes.isin(bulk.columns)]
    if len(shared) < max(min_shared, 2) or not bulk.columns.is_unique:
        raise AlignmentError(
            f"bulk and single cells: expected at least {max(min_shared, 2)} genes in both, each "
            f"once; found {len(shared)} of {bulk.shape[1]:,} and {len(genes):,} genes (bulk: "
            f"{short_list(bulk.columns, limit=3)}; cells: {short_list(genes, limit=3)}), "
            f"{int(bulk.columns.duplicated().sum())} of the bulk repeated. Use HGNC symbols in "
            "both."
        )
    samples = bulk[shared].to_numpy(dtype=float)
    if not np.isfinite(samples).all() or samples.max() > _LARGEST_LOG:
        raise DataError(
            "bulk: expected log2 expression, none missing; found "
            f"{int((~np.isfinite(samples)).sum())} missing or infinite values and a largest of "
            f"{np.nanmax(samples):.3g}. Take logarithms, and leave out genes with gaps."
        )
    columns = genes.get_indexer(shared)
    _refuse_flat(samples, "bulk samples", 0)
    target = quantile_target(_rows(samples, cells, columns))
    own = _unit(on_target(samples, target))
    parts = [own @ _unit(on_target(block, target)).T for block in _cell_blocks(cells, columns)]
    return pd.DataFrame(np.hstack(parts), index=bulk.index)


def _rows(samples: Floats, cells: Any, columns: NDArray[np.intp]) -> Iterator[Floats]:
    yield samples
    for number, block in enumerate(_cell_blocks(cells, columns)):
        _refuse_flat(block, "cells", number * _BLOCK)
        yield block


def _cell_blocks(cells: Any, columns: NDArray[np.intp]) -> Iterator[Floats]:
    for start in range(0, cells.shape[0], _BLOCK):
        block = cells[start : start + _BLOCK]
        dense = block.toarray() if sparse.issparse(block) else np.asarray(block)
        yield dense[:, columns].astype(float)


def _refuse_flat(values: Floats, what: str, first: int) -> None:
    flat = np.flatnonzero(values.max(axis=1) == values.min(axis=1))
    if len(flat):
        raise DataError(
            f"bulk and single cells: expected genes that differ within each row; found {len(flat)} "
            f"{what} with one value for all shared genes (rows "
            f"{short_list(flat + first, limit=3)}). Filter them out."
        )


def _unit(values: Floats) -> Floats:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))
