"""Filters of candidates against scipy and hand calculation, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr
from scipy.stats import t as student_t

from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics import differential_counts
from radiogenomics.stats import adjust
from radiogenomics.study.derivation.candidates import candidate_table
from radiogenomics.study.derivation.cells import CellFacts
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.plan import Candidates, DerivationPlan

SETS = {
    "cyt": GeneSet("cyt", ("GZMA", "PRF1")),
    "stroma": GeneSet("stroma", ("COL1A1", "DCN", "COL3A1")),
    "one": GeneSet("one", ("DCN",)),
}


def plan(**candidates) -> DerivationPlan:
    return DerivationPlan(candidates=Candidates(**{"expressed": None, **candidates}))


@pytest.fixture(scope="module")
def parts(near, far):
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


def immunity(parts, **candidates) -> pd.DataFrame:
    rules = plan(immune_score="cyt", immune_fdr=0.5, **candidates)
    return candidate_table(join(parts), rules, gene_sets=SETS).set_index("gene")


def mean_z(part, name: str) -> np.ndarray:
    genes = part.tumour[list(SETS[name])]
    return ((genes - genes.mean()) / genes.std()).mean(axis=1).to_numpy()


def partial(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> float:
    r = np.corrcoef([rankdata(v) for v in (x, y, z)])
    return (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))


def test_without_filters_every_gene_is_a_candidate(parts):
    table = candidate_table(join(parts), plan(), gene_sets={})
    assert list(table) == ["gene", "mean", "candidate"] and table["candidate"].all()
    means = np.mean([part.tumour[table["gene"]].mean() for part in parts], axis=0)
    np.testing.assert_allclose(table["mean"], means)


def test_expression_is_asked_of_each_cohort_and_not_of_standardised_values(parts):
    near, far = parts
    limit = 5.0
    found = candidate_table(join(parts), plan(expressed=limit), gene_sets={})
    both = [(part.tumour[found["gene"]].mean() >= limit).to_numpy() for part in parts]
    np.testing.assert_array_equal(found["passes_expressed"], both[0] & both[1])
    standard = replace(far, unit="z-score")
    alone = candidate_table(join([near, standard]), plan(expressed=limit), gene_sets={})
    np.testing.assert_array_equal(alone["passes_expressed"], both[0])
    with pytest.raises(StudyError, match="z-scores only"):
        candidate_table(join([standard]), plan(expressed=limit), gene_sets={})


def test_correlation_with_a_score_is_that_of_scipy(parts):
    found = immunity(parts[:1])
    score = mean_z(parts[0], "cyt")
    expected = [spearmanr(parts[0].tumour[gene], score) for gene in found.index]
    np.testing.assert_allclose(
        found["immune_rho"], np.clip([e.statistic for e in expected], None, 0.999999), rtol=1e-8
    )
    passes = adjust([e.pvalue for e in expected]) <= 0.5
    np.testing.assert_array_equal(found["passes_immune"], passes)


def test_cohorts_are_pooled_by_fisher_and_never_mixed(parts):
    found = immunity(parts, purity="stroma")
    rhos = [
        [
            partial(part.tumour[gene].to_numpy(), mean_z(part, "cyt"), mean_z(part, "stroma"))
            for gene in found.index
        ]
        for part in parts
    ]
    weights = np.array([len(part.tumour) for part in parts]) - 4
    rho = np.tanh(weights @ np.arctanh(rhos) / weights.sum())
    np.testing.assert_allclose(found["immune_rho"], rho, rtol=1e-8)
    freedom = weights.sum() + 1
    p = 2 * student_t.sf(np.abs(rho) * np.sqrt(freedom / (1 - rho**2)), freedom)
    np.testing.assert_array_equal(found["passes_immune"], adjust(p) <= 0.5)
    shifted = replace(parts[1], tumour=parts[1].tumour + 100)
    pd.testing.assert_frame_equal(
        immunity([parts[0], shifted], purity="stroma")[["immune_rho"]], found[["immune_rho"]]
    )


def test_a_gene_that_is_the_purity_itself_does_not_pass(parts):
    found = immunity(parts, purity="one")
    assert found.loc["DCN", "immune_rho"] == 0 and not found.loc["DCN", "passes_immune"]
    assert np.isfinite(found["immune_rho"]).all()


def test_all_filters_together_are_the_genes_that_pass_each(parts):
    genes = join(parts[:1]).genes.columns
    share = pd.DataFrame({"T": np.linspace(0, 1, len(genes))}, index=genes)
    tested = pd.DataFrame(
        {
            "gene": np.repeat(genes, 2),
            "cell_type": np.tile(["T", "B"], len(genes)),
            "log2_fold_change": np.tile([1.0, -2.0], len(genes)),
            "p": np.tile([0.01, 0.001], len(genes)),
            "fdr": np.tile([0.02, 0.002], len(genes)),
        }
    )
    ones = pd.Series(1.0, index=genes)
    cells = CellFacts("made.h5ad", pd.Series({"T": 50}), share, share, ones, tested)
    rules = plan(
        expressed=3.0,
        tumour_normal=0.2,
        protein=0.2,
        immune_score="cyt",
        immune_fdr=0.9,
        cell_types=("T",),
        cell_share=0.3,
        responders=0.01,
    )
    table = candidate_table(join(parts[:1]), rules, gene_sets=SETS, cells=cells)
    passed = [name for name in table if name.startswith("passes_")]
    assert passed == [
        "passes_expressed",
        "passes_tumour_normal",
        "passes_protein",
        "passes_immune",
        "passes_cell_types",
        "passes_responders",
    ]
    assert (table["candidate"] == table[passed].all(axis=1)).all()
    alone = [
        candidate_table(join(parts[:1]), plan(**one), gene_sets=SETS, cells=cells)
        for one in (
            {"expressed": 3.0},
            {"tumour_normal": 0.2},
            {"protein": 0.2},
            {"immune_score": "cyt", "immune_fdr": 0.9},
            {"cell_types": ("T",), "cell_share": 0.3},
            {"responders": 0.01},
        )
    ]
    assert (table["candidate"] == np.all([one["candidate"] for one in alone], axis=0)).all()
    assert set(table["responder_cell_type"]) == {"B"} and set(table["responder_change"]) == {-2.0}


def test_what_no_filter_can_do_is_named(parts):
    discovery = join(parts[:1])
    with pytest.raises(StudyError, match=r"candidates\.tumour_normal: .* 3 normal samples"):
        bare = replace(parts[0], normal=None)
        candidate_table(join([bare]), plan(tumour_normal=0.1), gene_sets={})
    with pytest.raises(UnknownNameError, match="cytt"):
        candidate_table(discovery, plan(immune_score="cytt"), gene_sets=SETS)
    with pytest.raises(StudyError, match=r"found none of 150 .*expressed 0, gene_set 2"):
        rules = plan(expressed=1e3, gene_set="cyt")
        candidate_table(discovery, rules, gene_sets=SETS)


def test_counts_are_compared_by_pydeseq2_where_the_plan_says_so(near):
    pytest.importorskip("pydeseq2")
    part = read_molecules(near.cohort, assay="rna_counts", endpoint="OS")
    rules = {"tumour_normal": 0.05, "tissue_test": "counts"}
    asked = plan(**rules).model_copy(update={"assay": "rna_counts"})
    found = candidate_table(join([part]), asked, gene_sets={}).set_index("gene")
    assay = near.cohort.assay("rna_counts")
    tumour = assay.samples["sample_type"] == "tumour"
    mine = assay.samples["patient_id"].isin(part.tumour.index)
    counts = assay.values.loc[~tumour | mine, list(found.index)]
    expected = differential_counts(counts, tumour[counts.index]).set_index("gene")
    np.testing.assert_allclose(
        found["tumour_normal_change"], expected["log2_fold_change"], rtol=1e-9
    )
    np.testing.assert_array_equal(found["passes_tumour_normal"], expected["fdr"] <= 0.05)
    with pytest.raises(StudyError, match="holds counts"):
        logs = [read_molecules(near.cohort, assay="rna", endpoint="OS")]
        candidate_table(join(logs), plan(**rules), gene_sets={})
