"""Against sums by hand, and limma and edgeR (tests/reference/omics/single_cell.R)."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.omics.pseudobulk import Pseudobulk, pseudobulk
from radiogenomics.omics.single_cell.composition import (
    cell_type_counts,
    compare_composition,
    composition_table,
)
from radiogenomics.omics.single_cell.responder_contrast import responder_contrast


@pytest.fixture
def contrast_input(reference) -> tuple[Pseudobulk, pd.Series]:
    table = reference("contrast_input")
    patient = "P" + table["patient"].astype(str)
    index = pd.Index(patient + " " + table["type"], dtype=object)
    samples = pd.DataFrame({"patient_id": patient, "cell_type": table["type"]}).set_axis(index)
    counts = table.filter(like="GENE").set_axis(index)
    response = table.assign(patient=patient).drop_duplicates("patient").set_index("patient")
    return Pseudobulk(counts, samples, samples.iloc[:0]), response["group"].astype(bool)


def test_sums_are_those_of_each_patient_and_type(counted):
    found = pseudobulk(counted, min_cells=5, facts=["responder"])
    obs, dense = counted.obs, counted.X.toarray()
    for name, row in found.samples.iterrows():
        mine = (obs["patient_id"] == row["patient_id"]) & (obs["cell_type"] == row["cell_type"])
        np.testing.assert_array_equal(found.counts.loc[name], dense[mine.to_numpy()].sum(axis=0))
        assert row["cells"] == mine.sum() >= 5
        assert row["reads"] == dense[mine.to_numpy()].sum()
        assert row["responder"] == obs.loc[mine, "responder"].iloc[0]
    total = found.samples["cells"].sum() + found.left_out["cells"].sum()
    assert total == counted.n_obs
    assert (found.left_out["cells"] < 5).all()
    assert found.of("T").index.name == "patient_id"


def test_normalised_cells_give_the_same_sums(counted, normal):
    pd.testing.assert_frame_equal(pseudobulk(normal).counts, pseudobulk(counted).counts)


def test_pseudobulk_refuses_what_it_cannot_do(counted):
    with pytest.raises(DataError, match="at least 9999 cells"):
        pseudobulk(counted, min_cells=9999)
    with pytest.raises(DataError, match="min_cells"):
        pseudobulk(counted, min_cells=0)
    with pytest.raises(UnknownNameError, match="lineage"):
        pseudobulk(counted, cell_type="lineage")
    with pytest.raises(DataError, match="one cycling a patient"):
        pseudobulk(counted, facts=["cycling"])
    with pytest.raises(UnknownNameError, match="NK"):
        pseudobulk(counted).of("NK")
    logs = counted.copy()
    logs.X = np.log1p(logs.X)
    with pytest.raises(DataError, match="raw counts"):
        pseudobulk(logs)


def test_contrast_is_limma_trend(contrast_input, reference):
    bulk, response = contrast_input
    found = responder_contrast(bulk, response).set_index(["cell_type", "gene"])
    expected = reference("contrast").set_index(["type", "gene"])
    assert set(found.index) == set(expected.index)
    found = found.loc[expected.index]
    np.testing.assert_allclose(found["log2_fold_change"], expected["change"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found["t"], expected["t"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found["p"], expected["p"], rtol=1e-6)
    np.testing.assert_allclose(found["fdr"], expected["fdr"], rtol=1e-6)


@pytest.mark.parametrize("method", ["moderated_t", "counts"])
def test_planted_genes_are_found_in_their_type_only(contrast_input, method):
    if method == "counts":
        pytest.importorskip("pydeseq2")
    bulk, response = contrast_input
    found = responder_contrast(bulk, response, method=method)
    significant = found[found["fdr_all"] < 0.05]
    planted = {f"GENE{k:02d}" for k in range(1, 7)}
    assert set(significant["cell_type"]) == {"T"}
    hit = set(significant["gene"])
    assert len(hit & planted) >= 5
    assert len(hit - planted) <= 1
    assert (significant.set_index("gene").loc[sorted(hit & planted), "log2_fold_change"] > 0).all()


def test_thin_types_are_left_out_with_a_warning(contrast_input):
    bulk, response = contrast_input
    rows = (bulk.samples["cell_type"] == "T") | bulk.samples["patient_id"].isin(["P1", "P6", "P7"])
    thin = Pseudobulk(bulk.counts[rows], bulk.samples[rows], bulk.left_out)
    with pytest.warns(RadiogenomicsWarning, match=r"tumour \(1 and 2 patients\)"):
        found = responder_contrast(thin, response)
    assert set(found["cell_type"]) == {"T"}
    only = bulk.samples["patient_id"].isin(["P1", "P6"])
    with pytest.raises(DataError, match="2 patients of each group"):
        responder_contrast(
            Pseudobulk(bulk.counts[only], bulk.samples[only], bulk.left_out), response
        )


def test_contrast_refuses_what_it_cannot_do(contrast_input):
    bulk, response = contrast_input
    with pytest.raises(UnknownNameError, match="wilcoxon"):
        responder_contrast(bulk, response, method="wilcoxon")
    with pytest.raises(AlignmentError, match="response of 10 patients"):
        responder_contrast(bulk, response.iloc[1:])
    with pytest.raises(DataError, match="True or False"):
        responder_contrast(bulk, response.astype(int))
    with pytest.raises(AlignmentError, match="covariates of 10 patients"):
        responder_contrast(bulk, response, covariates=pd.DataFrame({"age": [50.0]}, index=["P1"]))


@pytest.mark.parametrize("transform", ["arcsine", "clr"])
def test_composition_test_is_limma(reference, transform):
    table = reference("composition_input")
    counts = table.drop(columns="group")
    found = compare_composition(counts, table["group"].astype(bool), transform=transform)
    expected = reference("composition").query("transform == @transform")
    assert list(found["cell_type"]) == list(expected["cell_type"])
    for column in ("difference", "low", "high", "t", "p", "fdr"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-8)


def test_composition_counts_and_shares(counted):
    counts = cell_type_counts(counted)
    assert (counts.sum(axis=1) == 150).all()
    table = composition_table(counts)
    np.testing.assert_allclose(table.groupby("sample")["share"].sum(), 1)
    row = table.iloc[7]
    assert row["cells"] == counts.loc[row["sample"], row["cell_type"]] == round(150 * row["share"])
    group = pd.Series(["x", "x", "y", "y"], counts.index)
    merged = composition_table(counts, group)
    shares = counts.div(counts.sum(axis=1), axis=0).iloc[:2].mean()
    np.testing.assert_allclose(merged.query("sample == 'x'")["share"], shares)
    assert merged["cells"].sum() == 600


def test_composition_refuses_what_it_cannot_do(counted):
    counts = cell_type_counts(counted)
    group = pd.Series([True, True, False, False], counts.index)
    with pytest.raises(UnknownNameError, match="logit"):
        compare_composition(counts, group, transform="logit")
    with pytest.raises(DataError, match="two types"):
        compare_composition(counts[["T"]], group)
    with pytest.raises(DataError, match="1 of 4 patients"):
        compare_composition(counts * np.array([0, 1, 1, 1])[:, None], group)
    with pytest.raises(DataError, match="at least two samples"):
        compare_composition(counts, pd.Series([True, False, False, False], counts.index))
    with pytest.raises(DataError, match="another index"):
        composition_table(counts, group.reset_index(drop=True))


def test_patient_is_asked_for():
    cells = anndata.AnnData(np.ones((3, 2)))
    with pytest.raises(UnknownNameError, match="patient_id"):
        cell_type_counts(cells)
