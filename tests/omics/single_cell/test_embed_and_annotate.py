from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError
from radiogenomics.omics.single_cell.annotate import annotate_cells
from radiogenomics.omics.single_cell.embed import EmbeddingSettings, embed_cells, map_table
from radiogenomics.simulate.single_cell import MARKERS

sc = pytest.importorskip("scanpy")


def test_steps_are_scanpys(normal, embedded):
    plain = normal.copy()
    sc.pp.highly_variable_genes(plain, n_top_genes=500)
    sc.pp.pca(plain, n_comps=20, random_state=0)
    sc.pp.neighbors(plain, n_neighbors=15, random_state=0)
    sc.tl.leiden(plain, random_state=0, flavor="igraph", n_iterations=2, directed=False)
    assert embedded.var["highly_variable"].sum() == 500
    np.testing.assert_array_equal(embedded.var["highly_variable"], plain.var["highly_variable"])
    np.testing.assert_allclose(embedded.obsm["X_pca"], plain.obsm["X_pca"])
    assert (embedded.obs["cluster"].astype(str) == plain.obs["leiden"].astype(str)).all()
    assert "X_pca" not in normal.obsm


def test_a_step_may_be_the_last(normal):
    found = embed_cells(normal, EmbeddingSettings(components=10), until="neighbours")
    assert "connectivities" in found.obsp
    assert "X_umap" not in found.obsm and "cluster" not in found.obs


def test_embedding_refuses_what_it_cannot_do(normal, counted):
    with pytest.raises(UnknownNameError, match="clusters"):
        embed_cells(normal, until="cluster")
    with pytest.raises(DataError, match="normalise_cells"):
        embed_cells(counted)
    with pytest.raises(DataError, match="components"):
        embed_cells(normal[:20].copy())
    with pytest.raises(UnknownNameError, match="batch"):
        embed_cells(normal, EmbeddingSettings(batch="batch"))


def test_the_map_repeats_and_keeps_types_together(normal):
    settings = EmbeddingSettings(variable_genes=500, components=10)
    one, two = (embed_cells(normal[::4].copy(), settings).obsm["X_umap"] for _ in range(2))
    np.testing.assert_array_equal(one, two)
    near = np.argsort(((one[:, None] - one[None]) ** 2).sum(axis=2), axis=1)[:, 1]
    types = normal.obs["cell_type"].to_numpy()[::4]
    assert (types == types[near]).mean() > 0.7


def test_map_stands_beside_values(embedded, normal, rng):
    embedded = embedded.copy()
    embedded.obsm["X_umap"] = rng.normal(size=(600, 2))
    table = map_table(embedded, embedded.obs["cell_type"])
    assert list(table) == ["x", "y", "cell_type"]
    np.testing.assert_array_equal(table[["x", "y"]], embedded.obsm["X_umap"])
    with pytest.raises(DataError, match="another index"):
        map_table(embedded, embedded.obs["cell_type"].iloc[::-1])
    with pytest.raises(DataError, match="embed_cells"):
        map_table(normal, normal.obs["cell_type"])


@pytest.mark.parametrize("by", ["cluster", None])
def test_simulated_types_are_found(embedded, by):
    found = annotate_cells(embedded, MARKERS, by=by)
    named = found.cell_type != "unknown"
    right = (found.cell_type == embedded.obs["cell_type"].astype(str))[named]
    assert named.mean() > 0.9
    assert right.mean() > (0.9 if by else 0.95)
    assert found.decisions["cells"].sum() == 600


def test_score_is_scanpys(embedded):
    found = annotate_cells(embedded, MARKERS, by=None, seed=4)
    plain = embedded.copy()
    sc.tl.score_genes(plain, list(MARKERS["T"]), random_state=4)
    np.testing.assert_allclose(found.scores["T"], plain.obs["score"])


def test_margin_makes_unknown(embedded):
    found = annotate_cells(embedded, MARKERS, by="cluster", margin=0.5)
    table = found.decisions
    assert ((table["cell_type"] == "unknown") == (table["margin"] < 0.5)).all()
    assert (annotate_cells(embedded, MARKERS, margin=99).cell_type == "unknown").all()


def test_cells_of_another_kind_are_unknown(embedded):
    fewer = {name: MARKERS[name] for name in ("B", "endothelial")}
    found = annotate_cells(embedded, fewer, by=None)
    tumour = (embedded.obs["cell_type"] == "tumour").to_numpy()
    assert (found.cell_type[tumour] == "unknown").mean() > 0.6


def test_annotation_refuses_what_it_cannot_do(embedded, counted):
    with pytest.raises(AlignmentError, match="1 of 3 of odd"):
        annotate_cells(embedded, {**MARKERS, "odd": ["CD3D", "NOPE1", "NOPE2"]})
    with pytest.raises(DataError, match="two types"):
        annotate_cells(embedded, {"T": MARKERS["T"]})
    with pytest.raises(DataError, match="normalise_cells"):
        annotate_cells(counted, MARKERS)
    with pytest.raises(UnknownNameError, match="leiden"):
        annotate_cells(embedded, MARKERS, by="leiden")


def test_a_panel_of_markers_has_nothing_to_compare_with(rng):
    panel = anndata.AnnData(
        np.log1p(rng.gamma(1, size=(20, 2))), obs=pd.DataFrame({"cluster": ["0"] * 20})
    )
    panel.var_names = ["CD3D", "CD79A"]
    with pytest.raises(DataError, match="all genes"):
        annotate_cells(panel, {"T": ["CD3D"], "B": ["CD79A"]})
