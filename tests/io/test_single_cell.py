from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.io.single_cell import read_single_cell


@pytest.fixture
def counts(rng) -> np.ndarray:
    return rng.poisson(1.0, size=(6, 4)).astype(np.float32)


def annotated(matrix: np.ndarray) -> anndata.AnnData:
    obs = pd.DataFrame(
        {"donor": ["P1", "P1", "P1", "P2", "P2", "P2"], "type": ["T", "B"] * 3},
        index=[f"c{k}" for k in range(6)],
    )
    genes = pd.DataFrame({"symbol": ["KPNA2", "SMG5", "ALB", "ALB"]}, index=list("wxyz"))
    return anndata.AnnData(matrix, obs=obs, var=genes)


def written(cells: anndata.AnnData, folder: Path) -> Path:
    path = folder / "cells.h5ad"
    cells.write_h5ad(path)
    return path


@pytest.mark.parametrize("place", ["X", "layer", "raw", "named"])
def test_counts_are_found_where_they_are(counts, tmp_path, place):
    cells = annotated(counts if place == "X" else np.log1p(counts))
    if place == "raw":
        cells.raw = annotated(counts)
    elif place != "X":
        cells.layers["counts" if place == "layer" else "umi"] = sparse.csr_matrix(counts)
    cells.obsm["X_umap"] = np.arange(12.0).reshape(6, 2)
    table = read_single_cell(
        written(cells, tmp_path), patient="donor", counts="umi" if place == "named" else None
    )
    np.testing.assert_array_equal(table.adata.X.toarray(), counts)
    np.testing.assert_array_equal(table.adata.layers["counts"].toarray(), counts)
    assert list(table.samples["patient_id"]) == ["P1"] * 3 + ["P2"] * 3
    assert table.variables["unit"].eq("counts").all()
    np.testing.assert_array_equal(table.adata.obsm["X_umap"], cells.obsm["X_umap"])


def test_cell_types_and_symbols_are_taken_over(counts, tmp_path):
    path = written(annotated(counts), tmp_path)
    table = read_single_cell(
        path, patient="donor", cell_type="type", symbols="symbol", repeated_genes="sum"
    )
    assert list(table.samples["cell_type"]) == ["T", "B"] * 3
    assert list(table.adata.var_names) == ["KPNA2", "SMG5", "ALB"]
    np.testing.assert_array_equal(table.values["ALB"], counts[:, 2:].sum(axis=1))
    with pytest.raises(AlignmentError, match="ALB"):
        read_single_cell(path, patient="donor", symbols="symbol")


def test_file_without_raw_counts_is_refused(counts, tmp_path):
    path = written(annotated(np.log1p(counts)), tmp_path)
    with pytest.raises(DataError, match="expected raw counts"):
        read_single_cell(path, patient="donor")
    with pytest.raises(UnknownNameError, match="umi"):
        read_single_cell(path, patient="donor", counts="umi")


def test_negative_values_are_no_counts(counts, tmp_path):
    with pytest.raises(DataError, match="expected raw counts"):
        read_single_cell(written(annotated(counts - 1), tmp_path), patient="donor")


def test_file_without_patients_is_refused(counts, tmp_path):
    with pytest.raises(SchemaError, match=r"obs\['patient_id'\]; found only donor, type"):
        read_single_cell(written(annotated(counts), tmp_path))


def test_cell_without_patient_is_refused(counts, tmp_path):
    cells = annotated(counts)
    cells.obs["donor"] = pd.Categorical(["P1", None, "P1", "P2", "P2", "P2"])
    with pytest.raises(AlignmentError, match="found 1"):
        read_single_cell(written(cells, tmp_path), patient="donor")


def test_missing_columns_are_named(counts, tmp_path):
    path = written(annotated(counts), tmp_path)
    with pytest.raises(UnknownNameError, match="response"):
        read_single_cell(path, patient="donor", needed=["response"])
    with pytest.raises(UnknownNameError, match="celltype"):
        read_single_cell(path, patient="donor", cell_type="celltype")
    with pytest.raises(UnknownNameError, match="feature_name"):
        read_single_cell(path, patient="donor", symbols="feature_name")
    with pytest.raises(UnknownNameError, match="mean"):
        read_single_cell(path, patient="donor", repeated_genes="mean")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no .*nowhere"):
        read_single_cell(tmp_path / "nowhere.h5ad")
    text = tmp_path / "text.h5ad"
    text.write_text("cells,genes\n")
    other = tmp_path / "other.h5ad"
    with h5py.File(other, "w") as file:
        file["values"] = np.arange(3)
    for path in (text, other):
        with pytest.raises(DataError, match="as anndata writes it"):
            read_single_cell(path)


def test_file_without_cells_is_refused(counts, tmp_path):
    with pytest.raises(DataError, match="cells and genes"):
        read_single_cell(written(annotated(counts)[:0].copy(), tmp_path), patient="donor")
