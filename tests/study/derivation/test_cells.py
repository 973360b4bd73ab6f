"""What single cells say of genes: scanpy, sums by hand, planted contrasts, lacking files."""

from __future__ import annotations

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from radiogenomics import simulate
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.signature import Signature
from radiogenomics.stats import adjust
from radiogenomics.study.derivation import cells as cells_module
from radiogenomics.study.derivation.candidates import candidate_table
from radiogenomics.study.derivation.cells import cells_of_signature, pass_cells, read_cells
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.plan import DerivationPlan

sc = pytest.importorskip("scanpy")

SIGNATURE = Signature(
    "three",
    ("KPNA2", "CD3D", "LYZ"),
    weights=(0.5, -1.0, 2.0),
    centre=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    cutoff=0.0,
)
RARE = dict.fromkeys(("B", "endothelial", "fibroblast"), "rest")


def plan(columns: dict[str, str] | None = None, **candidates) -> DerivationPlan:
    rules = {"expressed": None, **candidates}
    return DerivationPlan.model_validate({"cells": columns or {}, "candidates": rules})


@pytest.fixture(scope="module")
def cells() -> anndata.AnnData:
    """1800 cells of 12 patients, half of whom respond; GZMA is three times as much in their T."""
    made = simulate.hcc_cohort(
        12, n_genes=150, single_cell_patients=12, rng=np.random.default_rng(4)
    )
    found = made.cohort.assay("scrna").adata.copy()
    patients = found.obs["patient_id"].astype(str)
    responder = patients.isin(sorted(set(patients))[::2])
    dense = found.X.toarray()
    planted = (responder & (found.obs["cell_type"] == "T")).to_numpy()
    dense[planted, found.var_names.get_loc("GZMA")] *= 3
    facts = {
        "patient_id": patients.astype(object),
        "cell_type": found.obs["cell_type"].astype(str).replace(RARE).astype(object),
        "responder": responder.to_numpy(),
    }
    return anndata.AnnData(
        sparse.csr_matrix(dense), pd.DataFrame(facts), pd.DataFrame(index=found.var_names)
    )


@pytest.fixture
def write(tmp_path):
    def written(cells: anndata.AnnData):
        cells.write_h5ad(tmp_path / "cells.h5ad")
        return tmp_path / "cells.h5ad"

    return written


@pytest.fixture(scope="module")
def facts(cells, tmp_path_factory):
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    cells.write_h5ad(path)
    return read_cells(path, plan(responders=0.05))


@pytest.fixture(scope="module")
def logs(cells) -> pd.DataFrame:
    """The logarithms of scanpy, dense."""
    normal = cells.copy()
    sc.pp.normalize_total(normal, target_sum=1e4)
    sc.pp.log1p(normal)
    return normal.to_df()


@pytest.fixture(scope="module")
def discovery(near):
    return join([read_molecules(near.cohort, assay="rna", endpoint="OS")])


def test_shares_and_means_are_those_of_scanpy(cells, facts, logs):
    types = cells.obs["cell_type"].to_numpy()
    share = (cells.to_df() > 0).groupby(types).mean().T
    pd.testing.assert_frame_equal(facts.share, share, check_names=False, check_dtype=False)
    mean = logs.astype(float).groupby(types).mean().T
    # scanpy keeps the single precision of the file.
    pd.testing.assert_frame_equal(facts.mean, mean, check_names=False, rtol=1e-5)
    assert facts.cells.to_dict() == pd.Series(types).value_counts().to_dict()
    counts = cells.to_df().astype(float)
    exact = np.log1p(counts.mul(1e4 / counts.sum(axis=1), axis=0))
    np.testing.assert_allclose(facts.mean, exact.groupby(types).mean().T, rtol=1e-12)
    np.testing.assert_allclose(facts.sd, exact.std(ddof=0), rtol=1e-10)


def test_numbers_do_not_depend_on_the_block(cells, facts, write, monkeypatch):
    monkeypatch.setattr(cells_module, "_BLOCK", 137)
    found = read_cells(write(cells), plan())
    pd.testing.assert_frame_equal(found.share, facts.share)
    pd.testing.assert_frame_equal(found.mean, facts.mean, rtol=1e-12)
    np.testing.assert_allclose(found.sd, facts.sd, rtol=1e-9)
    assert found.contrast is None


def test_counts_are_found_beside_normalised_values(cells, facts, logs, write):
    both = anndata.AnnData(
        sparse.csr_matrix(logs.to_numpy()), cells.obs, cells.var, layers={"counts": cells.X}
    )
    pd.testing.assert_frame_equal(read_cells(write(both), plan()).mean, facts.mean)


def test_other_columns_and_former_symbols_are_understood(cells, facts, write):
    other = cells.copy()
    other.obs = other.obs.set_axis(["donor", "lineage", "outcome"], axis=1)
    other.var_names = [{"SMG5": "ENSG00000198952.8"}.get(n, n) for n in other.var_names]
    names = {"patient": "donor", "cell_type": "lineage", "responder": "outcome"}
    found = read_cells(write(other), plan(names, responders=0.05))
    pd.testing.assert_frame_equal(found.share, facts.share)
    pd.testing.assert_frame_equal(found.contrast, facts.contrast)


def test_counts_of_one_gene_in_several_columns_are_added_up(cells, facts, write, rng):
    dense = cells.to_df()
    part = np.floor(dense["SMG5"] * rng.random(len(dense)))
    split = dense.assign(**{"SMG5": dense["SMG5"] - part, "ENSG00000198952.8": part})
    split = split.rename(columns={"SMG5": "ENSG00000198952.1"})
    found = read_cells(
        write(anndata.AnnData(sparse.csr_matrix(split.to_numpy()), cells.obs, split[:0].T)), plan()
    )
    pd.testing.assert_frame_equal(found.mean.sort_index(), facts.mean.sort_index())
    pd.testing.assert_frame_equal(found.share.sort_index(), facts.share.sort_index())


def test_the_planted_gene_differs_between_responders(facts):
    table = facts.contrast.set_index(["cell_type", "gene"])
    planted = table.loc[("T", "GZMA")]
    assert planted["log2_fold_change"] == pytest.approx(np.log2(3), abs=0.35)
    assert table["fdr"].idxmin() == ("T", "GZMA") and planted["fdr"] < 1e-3
    np.testing.assert_allclose(table["fdr"], adjust(table["p"]), rtol=1e-12)
    assert (table["fdr"] < 0.05).mean() < 0.03
    assert any("6 responders and 6 others" in text for _, text in facts.notes)


def test_the_contrast_is_within_the_types_that_the_plan_names(cells, facts, write):
    found = read_cells(write(cells), plan(cell_types=["T", "rest"], responders=0.05)).contrast
    assert set(found["cell_type"]) == {"T", "rest"}
    keys = ["cell_type", "gene"]
    both = found.merge(facts.contrast, on=keys, suffixes=("", "_all"))
    np.testing.assert_allclose(both["p"], both["p_all"], rtol=1e-12)
    np.testing.assert_allclose(found["fdr"], adjust(found["p"]), rtol=1e-12)


@pytest.mark.parametrize(
    ("yes", "no"),
    [("True", "false"), (1, 0), ("R", "NR"), ("Responder", "non-responder"), (1.0, 0.0)],
    ids=["text", "whole", "letters", "words", "fractions"],
)
def test_words_for_responders(cells, facts, write, yes, no):
    other = cells.copy()
    other.obs["responder"] = [yes if each else no for each in cells.obs["responder"]]
    found = read_cells(write(other), plan(responders=0.05)).contrast
    pd.testing.assert_frame_equal(found, facts.contrast)


def test_patients_whose_response_is_not_known_are_left_out(cells, write):
    other = cells.copy()
    unknown = other.obs["patient_id"] == other.obs["patient_id"].iloc[0]
    words = other.obs["responder"].map({True: "yes", False: "no"}).astype(object)
    other.obs["responder"] = words.where(~unknown, None)
    found = read_cells(write(other), plan(responders=0.05))
    kept = cells[~unknown.to_numpy()].copy()
    expected = read_cells(write(kept), plan(responders=0.05))
    pd.testing.assert_frame_equal(found.contrast, expected.contrast)
    assert found.cells.sum() == cells.n_obs


def test_candidates_are_expressed_by_a_type_and_other_in_responders(discovery, facts):
    rules = plan(cell_types=["T", "myeloid"], cell_share=0.5, responders=0.05)
    table = candidate_table(discovery, rules, gene_sets={}, cells=facts).set_index("gene")
    share = facts.share[["T", "myeloid"]].max(axis=1).reindex(table.index)
    np.testing.assert_array_equal(table["cell_share"], share)
    np.testing.assert_array_equal(table["passes_cell_types"], share >= 0.5)
    best = facts.contrast.groupby("gene")["fdr"].min().reindex(table.index)
    np.testing.assert_array_equal(table["responder_fdr"], best)
    np.testing.assert_array_equal(table["passes_responders"], best <= 0.05)
    assert table.loc["GZMA", "responder_cell_type"] == "T" and table.loc["GZMA", "candidate"]
    assert 0 < table["passes_cell_types"].sum() < len(table)
    candidates = table["passes_cell_types"] & table["passes_responders"]
    assert (table["candidate"] == candidates).all()


def test_genes_that_the_file_lacks_do_not_pass(discovery, facts):
    part = replace(facts, share=facts.share.drop(index="CD3D"))
    rules = plan(cell_types=["T"])
    table = candidate_table(discovery, rules, gene_sets={}, cells=part).set_index("gene")
    assert np.isnan(table.loc["CD3D", "cell_share"]) and not table.loc["CD3D", "candidate"]


def test_the_signature_in_cells_is_the_mean_of_its_scores(cells, facts):
    found = cells_of_signature(SIGNATURE, facts)
    table = found.tables["cells"]
    names = ["gene", "cell_type", "share", "mean", "log2_fold_change", "p", "fdr"]
    assert list(table.columns) == names
    assert list(dict.fromkeys(table["gene"])) == list(SIGNATURE.genes)
    assert len(table) == 3 * len(facts.cells)
    row = table.set_index(["gene", "cell_type"]).loc[("CD3D", "T")]
    assert row["share"] == facts.share.loc["CD3D", "T"] > 0.5
    tested = facts.contrast.set_index(["gene", "cell_type"])
    assert row["p"] == tested.loc[("CD3D", "T"), "p"]
    counts = cells.to_df().astype(float)
    genes = np.log1p(counts.mul(1e4 / counts.sum(axis=1), axis=0))[list(SIGNATURE.genes)]
    each = ((genes - genes.mean()) / genes.std(ddof=0)) @ list(SIGNATURE.weights)
    expected = each.groupby(cells.obs["cell_type"].to_numpy()).mean()
    scores = found.tables["cell_scores"].set_index("cell_type")
    assert list(found.tables["cell_scores"]) == ["signature", "cell_type", "cells", "score"]
    np.testing.assert_allclose(scores.loc[expected.index, "score"], expected, rtol=1e-9)
    assert scores["score"].idxmax() == "myeloid" and scores["score"].idxmin() == "T"
    assert (scores["score"] * scores["cells"]).sum() == pytest.approx(0, abs=1e-8)


def test_genes_without_reads_are_named(cells, facts, write):
    silent = cells.copy()
    dense = silent.to_df().assign(KPNA2=0.0)
    silent.X = sparse.csr_matrix(dense.to_numpy())
    lacking = replace(SIGNATURE, genes=("KPNA2", "ABSENT", "LYZ"))
    found = cells_of_signature(lacking, read_cells(write(silent), plan()))
    assert set(found.tables["cells"]["gene"]) == {"KPNA2", "LYZ"}
    rows = found.tables["cells"]
    assert (rows.loc[rows["gene"] == "KPNA2", "share"] == 0).all()
    assert rows[["log2_fold_change", "p", "fdr"]].isna().all(axis=None)
    text = "no reads of KPNA2, ABSENT; the score is of LYZ alone"
    assert any(text in note for _, note in found.notes)
    none = Signature("none", ("ABSENT",), weights=(1.0,), centre=(0.0,), scale=(1.0,), cutoff=0.0)
    found = cells_of_signature(none, facts)
    assert not found.tables and any("no reads of ABSENT." in text for _, text in found.notes)
    with pytest.raises(StudyError, match="fixed weights"):
        cells_of_signature(Signature("open", ("LYZ",)), facts)


def test_no_patient_reaches_a_table_or_note(cells, facts, discovery):
    found = cells_of_signature(SIGNATURE, facts)
    rules = plan(cell_types=["T"], responders=0.5)
    table = candidate_table(discovery, rules, gene_sets={}, cells=facts)
    kept = [facts.share, facts.mean, facts.contrast, table, *found.tables.values()]
    texts = " ".join([frame.to_csv() for frame in kept] + [text for _, text in found.notes])
    assert not any(patient in texts for patient in cells.obs["patient_id"].unique())


def test_few_cells_of_a_type_are_said(cells, write):
    few = cells[(cells.obs["cell_type"] != "rest") | (np.arange(cells.n_obs) < 60)].copy()
    found = read_cells(write(few), plan(cell_types=["rest"]))
    assert 0 < found.cells["rest"] < 20
    assert any(level == "warning" and "cells of rest (" in text for level, text in found.notes)


def test_a_file_that_lacks_what_is_needed_is_named(cells, logs, write, tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.h5ad"):
        read_cells(tmp_path / "absent.h5ad", plan())
    (tmp_path / "text.h5ad").write_text("no cells", encoding="utf-8")
    with pytest.raises(DataError, match=r"expected an \.h5ad file"):
        read_cells(tmp_path / "text.h5ad", plan())
    normalised = anndata.AnnData(sparse.csr_matrix(logs.to_numpy()), cells.obs, cells.var)
    with pytest.raises(DataError, match=r"cells\.h5ad: expected raw counts"):
        read_cells(write(normalised), plan())
    empty = cells.copy()
    dense = cells.to_df().to_numpy()
    dense[3] = 0
    empty.X = sparse.csr_matrix(dense)
    with pytest.raises(DataError, match="1 cells without"):
        read_cells(write(empty), plan())


def test_missing_columns_and_types_are_named_with_near_matches(cells, write):
    path = write(cells)
    with pytest.raises(UnknownNameError, match=r"'patients': did you mean 'patient_id'\?"):
        read_cells(path, plan({"patient": "patients"}))
    with pytest.raises(UnknownNameError, match=r"'celltype': did you mean 'cell_type'\?"):
        read_cells(path, plan({"cell_type": "celltype"}))
    with pytest.raises(UnknownNameError, match=r"'Responders': did you mean 'responder'\?"):
        read_cells(path, plan({"responder": "Responders"}, responders=0.1))
    read_cells(path, plan({"responder": "Responders"}))
    with pytest.raises(UnknownNameError, match=r"cell type of cells\.h5ad 'Myeloid'.*'myeloid'"):
        read_cells(path, plan(cell_types=["T", "Myeloid"]))
    untyped = cells.copy()
    untyped.obs["cell_type"] = untyped.obs["cell_type"].where(np.arange(cells.n_obs) > 4, None)
    with pytest.raises(AlignmentError, match="cell_type of every cell; found 5 of 1800"):
        read_cells(write(untyped), plan())


def test_responders_that_cannot_be_compared_are_named(cells, write):
    patients = cells.obs["patient_id"]
    one = cells.copy()
    one.obs["responder"] = (patients == patients.iloc[0]).to_numpy()
    with pytest.raises(StudyError, match="found 1 and 11 patients"):
        read_cells(write(one), plan(responders=0.1))
    within = cells.copy()
    within.obs["responder"] = np.arange(cells.n_obs) % 2 == 0
    with pytest.raises(StudyError, match="one response a patient .* found several in 12 of 12"):
        read_cells(write(within), plan(responders=0.1))
    words = cells.copy()
    words.obs["responder"] = np.where(cells.obs["responder"], "CR", "PD")
    with pytest.raises(DataError, match=r"obs\['responder'\].*found cr, pd"):
        read_cells(write(words), plan(responders=0.1))
    few = cells[cells.obs.groupby(["patient_id", "cell_type"]).cumcount() < 5].copy()
    with pytest.raises(DataError, match="at least 10 cells of a type"):
        read_cells(write(few), plan(responders=0.1))


def test_a_type_with_too_few_patients_is_left_out_with_a_warning(cells, write):
    enough = cells.obs["patient_id"] == cells.obs["patient_id"].iloc[0]
    kept = enough | (cells.obs["cell_type"] != "rest")
    with pytest.warns(RadiogenomicsWarning, match="left out rest"):
        found = read_cells(write(cells[kept.to_numpy()].copy()), plan(responders=0.1))
    assert "rest" not in set(found.contrast["cell_type"])


def test_filters_that_cannot_be_applied_are_named(discovery, facts):
    with pytest.raises(StudyError, match=r"candidates\.cell_types: .* Give --single-cell"):
        candidate_table(discovery, plan(cell_types=["T"]), gene_sets={})
    with pytest.raises(StudyError, match=r"candidates\.responders: .* Give --single-cell"):
        candidate_table(discovery, plan(responders=0.1), gene_sets={})
    with pytest.raises(StudyError, match="Read it again with this plan"):
        candidate_table(
            discovery, plan(responders=0.1), gene_sets={}, cells=replace(facts, contrast=None)
        )
    foreign = replace(facts, share=facts.share.rename(index="gene-{}".format))
    table = pd.DataFrame({"gene": discovery.genes.columns})
    with pytest.raises(AlignmentError, match=r"found none of 150 \(cells: gene-"):
        pass_cells(table, plan(cell_types=["T"]), foreign)
    with pytest.raises(StudyError, match="cell_types 0"):
        silent = replace(facts, share=facts.share * 0)
        candidate_table(discovery, plan(cell_types=["T"]), gene_sets={}, cells=silent)
