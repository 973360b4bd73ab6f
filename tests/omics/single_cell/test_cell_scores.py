from __future__ import annotations

import anndata
import numpy as np
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError
from radiogenomics.omics.scoring.aucell import AUCell
from radiogenomics.omics.single_cell import cell_scores
from radiogenomics.omics.single_cell.cell_scores import (
    expression_by_group,
    score_cells,
    summarise_scores,
)
from radiogenomics.simulate.genes import PROLIFERATION
from radiogenomics.stats.classification.auc import auc

pytest.importorskip("scanpy")

SETS = {"cycle": PROLIFERATION, "CYT": ["GZMA", "PRF1"]}


def test_aucell_of_a_sparse_matrix_in_blocks_is_that_of_a_dense_one(normal, monkeypatch):
    expected = AUCell(SETS, top=0.1).fit_transform(normal.to_df().astype(float))
    monkeypatch.setattr(cell_scores, "_BLOCK", 37)
    found = score_cells(normal, SETS, top=0.1)
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    assert found.index.equals(normal.obs_names)


def test_mean_z_is_the_formula(normal):
    found = score_cells(normal, SETS, method="mean_z")
    values = normal.to_df()[["GZMA", "PRF1"]].astype(float)
    expected = ((values - values.mean()) / values.std()).mean(axis=1)
    np.testing.assert_allclose(found["CYT"], expected, atol=1e-12)


@pytest.mark.parametrize("method", ["aucell", "mean_z"])
def test_cycling_cells_score_higher(normal, method):
    found = score_cells(normal, SETS, method=method, top=0.1)
    assert auc(found["cycle"].to_numpy(), normal.obs["cycling"].to_numpy(dtype=int)) > 0.95


def test_summary_is_that_of_each_group(normal):
    scores = score_cells(normal, SETS, method="mean_z")
    table = summarise_scores(scores, normal, by=("patient_id", "cell_type"))
    assert table.groupby("set")["cells"].sum().eq(600).all()
    row = table.query("cell_type == 'T' and set == 'CYT'").iloc[0]
    mine = (normal.obs["cell_type"] == "T") & (normal.obs["patient_id"] == row["patient_id"])
    own = scores.loc[mine.to_numpy(), "CYT"].to_numpy()
    expected = [len(own), own.mean(), own.std(ddof=1), np.median(own)]
    np.testing.assert_allclose([row["cells"], row["mean"], row["sd"], row["median"]], expected)
    by_type = summarise_scores(scores, normal).query("set == 'CYT'").set_index("cell_type")["mean"]
    assert by_type.idxmax() == "T"


def test_expression_by_group_is_mean_and_share(normal):
    table = expression_by_group(normal, ["ALB", "CD3D"])
    row = table.query("group == 'B' and gene == 'CD3D'").iloc[0]
    own = normal.to_df().loc[(normal.obs["cell_type"] == "B").to_numpy(), "CD3D"]
    expected = [len(own), own.mean(), (own > 0).mean()]
    np.testing.assert_allclose([row["cells"], row["mean"], row["share"]], expected, rtol=1e-6)
    assert list(dict.fromkeys(table["gene"])) == ["ALB", "CD3D"]


def test_bad_input_is_named(normal, counted):
    with pytest.raises(UnknownNameError, match="gsva"):
        score_cells(normal, SETS, method="gsva")
    with pytest.raises(DataError, match="normalise_cells"):
        score_cells(counted, SETS)
    for method in cell_scores.METHODS:
        with pytest.raises(AlignmentError, match="found none"):
            score_cells(normal, {"x": ["NOPE1", "NOPE2"]}, method=method)
    with pytest.raises(AlignmentError, match="1 of 2 absent"):
        expression_by_group(normal, ["ALB", "NOPE"])
    scores = score_cells(normal, SETS, method="mean_z")
    with pytest.raises(AlignmentError, match="another index"):
        summarise_scores(scores.iloc[:5], normal)


def test_repeated_genes_are_named(normal):
    twice = anndata.concat([normal, normal[:, :1]], axis=1)
    with pytest.raises(AlignmentError, match="found 1 in several"):
        score_cells(twice, SETS)
