"""Single-cell files: .h5ad with raw counts and the patient of each cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.feature_table import FeatureTable

COUNTS = "counts"
_REPEATED = ("error", "sum")


def read_single_cell(
    path: str | Path,
    *,
    patient: str = "patient_id",
    counts: str | None = None,
    symbols: str | None = None,
    cell_type: str | None = None,
    needed: Sequence[str] = (),
    repeated_genes: str = "error",
    name: str = "scrna",
) -> FeatureTable:
    """Read cells × genes from an .h5ad file and check that it has what later steps need.

    Raw counts are taken from ``layers["counts"]``, ``raw.X`` or ``X``, the first that holds whole
    numbers of at least 0, or from the layer that is named.

    Parameters
    ----------
    path, patient
        File, and the column of ``obs`` with the patient of each cell.
    counts
        Layer with raw counts; ``"X"`` and ``"raw"`` are those matrices.
    symbols
        Column of ``var`` with gene symbols, where its index has other names.
    cell_type, needed
        Column of ``obs`` that becomes ``cell_type``; further columns that must be there.
    repeated_genes
        ``"error"``, or ``"sum"`` to add up counts of columns with the same symbol.
    name
        The assay's.

    Returns
    -------
    FeatureTable
        ``X`` and ``layers["counts"]`` are the raw counts, sparse; ``obs`` has ``patient_id``.

    Raises
    ------
    MissingFileError, DataError
        There is no such file, it is no .h5ad file, or has no raw counts.
    SchemaError, UnknownNameError
        It has no column of patients, or another column or layer is absent.
    AlignmentError
        A cell has no patient, or a cell or gene stands twice.
    """
    where = Path(path)
    if repeated_genes not in _REPEATED:
        raise UnknownNameError("rule for repeated genes", repeated_genes, _REPEATED)
    cells = _open(where)
    _check_obs(cells.obs, patient, (*needed, *filter(None, [cell_type])), what=where.name)
    matrix, var = _counts(cells, counts, where.name)
    genes = _symbols(var, symbols, where.name)
    if not genes.is_unique and repeated_genes == "sum":
        matrix, genes = _summed(matrix, genes)
    variables = pd.DataFrame({"unit": "counts", "source": where.name}, index=genes)
    obs = _facts(cells.obs, patient, cell_type)
    table = anndata.AnnData(
        matrix, obs, variables, layers={COUNTS: matrix}, obsm=cells.obsm, obsp=cells.obsp
    )
    return FeatureTable(name, table)


def _open(where: Path) -> anndata.AnnData:
    if not where.is_file():
        raise MissingFileError(
            f"expected a single-cell file (.h5ad); found no {where}. Check the path."
        )
    try:
        cells = anndata.read_h5ad(where)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        # What anndata raises for a file that is not its own depends on what it stumbles over.
        raise DataError(
            f"{where.name}: expected an .h5ad file as anndata writes it; found something else "
            f"({type(error).__name__}). Convert it with anndata, or download it again."
        ) from error
    if not cells.n_obs or not cells.n_vars:
        raise DataError(
            f"{where.name}: expected cells and genes; found {cells.n_obs} and {cells.n_vars}. "
            "Check how the file was made."
        )
    return cells


def _check_obs(obs: pd.DataFrame, patient: str, others: Sequence[str], *, what: str) -> None:
    if patient not in obs:
        raise SchemaError(
            f"{what}: expected the patient of each cell in obs[{patient!r}]; found only "
            f"{short_list(obs.columns) or 'no columns'}. Name the column that has it, or add it: "
            "without patients cells cannot be counted as samples."
        )
    for column in others:
        if column not in obs:
            raise UnknownNameError(f"column of obs in {what}", column, map(str, obs.columns))


def _counts(
    cells: anndata.AnnData, layer: str | None, what: str
) -> tuple[sparse.csr_matrix, pd.DataFrame]:
    """Raw counts and their genes, from the layer that is named or the first that holds counts."""
    candidates: dict[str, tuple[Any, pd.DataFrame]] = {
        key: (matrix, cells.var) for key, matrix in cells.layers.items()
    }
    if cells.raw is not None:
        candidates["raw"] = (cells.raw.X, cells.raw.var)
    if cells.X is not None:
        candidates["X"] = (cells.X, cells.var)
    if layer is not None and layer not in candidates:
        raise UnknownNameError(f"layer of {what}", layer, candidates)
    tried = (COUNTS, "raw", "X") if layer is None else (layer,)
    for key in tried:
        if key in candidates:
            matrix, var = candidates[key]
            stored = sparse.csr_matrix(matrix)
            if _are_counts(stored.data):
                return stored, var
    raise DataError(
        f"{what}: expected raw counts, whole numbers of at least 0, in {short_list(tried)}; found "
        f"none there (the file has {short_list(candidates)}). Name the layer that has them, or get "
        "the file with raw counts: normalised values cannot be turned back."
    )


def _are_counts(values: np.ndarray) -> bool:
    return bool(
        np.isfinite(values).all() and (values >= 0).all() and (values == np.rint(values)).all()
    )


def _symbols(var: pd.DataFrame, column: str | None, what: str) -> pd.Index:
    if column is None:
        return pd.Index(var.index.astype(str), dtype=object)
    if column not in var:
        raise UnknownNameError(f"column of var in {what}", column, map(str, var.columns))
    names = var[column]
    if names.isna().any():
        raise AlignmentError(
            f"{what}: expected a symbol of each gene in var[{column!r}]; found "
            f"{int(names.isna().sum())} of {len(names)} without. Use identifiers, or fill them in."
        )
    return pd.Index(names.astype(str), dtype=object)


def _summed(matrix: sparse.csr_matrix, genes: pd.Index) -> tuple[sparse.csr_matrix, pd.Index]:
    code, unique = pd.factorize(genes)
    member = sparse.csr_matrix(
        (np.ones(len(code), dtype=matrix.dtype), (np.arange(len(code)), code))
    )
    return sparse.csr_matrix(matrix @ member), pd.Index(unique, dtype=object)


def _facts(obs: pd.DataFrame, patient: str, cell_type: str | None) -> pd.DataFrame:
    facts = obs.copy()
    facts["patient_id"] = obs[patient].astype(object).where(obs[patient].notna())
    facts["patient_id"] = facts["patient_id"].map(str, na_action="ignore")
    if cell_type is not None:
        facts["cell_type"] = obs[cell_type].map(str, na_action="ignore").astype(object)
    return facts
