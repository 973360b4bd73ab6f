from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError
from radiogenomics.simulate import HCCModel
from radiogenomics.simulate.genes import NAMED, GeneModel, gene_model
from radiogenomics.simulate.latents import LATENTS, draw_latents
from radiogenomics.simulate.molecules import log_cpm, normal_latents, simulate_counts
from radiogenomics.simulate.proteome import simulate_proteome
from radiogenomics.simulate.single_cell import MARKERS, simulate_cells

MODEL = HCCModel()
QUIET = replace(MODEL.rna, depth_spread=0.0, batch_spread=0.0)


def genome(n_genes: int = 400, *, factors: bool = True) -> GeneModel:
    genes = gene_model(n_genes, MODEL.genes)
    return genes if factors else replace(genes, factor_loadings=genes.factor_loadings * 0)


def counts_of(latents: np.ndarray, genes: GeneModel, rng: np.random.Generator) -> pd.DataFrame:
    one_laboratory = np.full(len(latents), "A", dtype=object)
    counts, _ = simulate_counts(latents, one_laboratory, genes, constants=QUIET, rng=rng)
    return pd.DataFrame(counts, columns=list(genes.names))


def test_latents_have_the_stated_correlation(rng: np.random.Generator) -> None:
    latents = draw_latents(pd.RangeIndex(20_000), MODEL.latents, rng)
    assert list(latents) == list(LATENTS)
    # Five standard errors of a correlation, a mean and a standard deviation.
    found = np.corrcoef(latents.to_numpy().T)
    np.testing.assert_allclose(found, MODEL.latents.correlation(), atol=5 / np.sqrt(20_000))
    np.testing.assert_allclose(latents.mean(), 0, atol=5 / np.sqrt(20_000))
    np.testing.assert_allclose(latents.std(), 1, atol=5 / np.sqrt(40_000))


def test_counts_follow_the_negative_binomial(rng: np.random.Generator) -> None:
    genes = genome(160, factors=False)
    counts = counts_of(np.zeros((3000, 3)), genes, rng)
    mean, dispersion = np.exp(genes.log_mean), genes.dispersion
    p_values = []
    for name, mu, phi in zip(genes.names, mean, dispersion, strict=True):
        size = 1 / phi
        law = stats.nbinom(size, size / (size + mu))
        edges = np.unique(law.ppf(np.linspace(0, 1, 11)[1:-1]))
        chance = np.diff(np.concatenate([[0], law.cdf(edges), [1]]))
        found = np.bincount(np.searchsorted(edges, counts[name]), minlength=len(edges) + 1)
        p_values.append(stats.chisquare(found, chance * len(counts)).pvalue)
    # If the law is right, p-values are uniform.
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_variance_is_mean_plus_dispersion_times_its_square(rng: np.random.Generator) -> None:
    genes = genome(160, factors=False)
    counts = counts_of(np.zeros((3000, 3)), genes, rng)
    expected = np.exp(genes.log_mean) + genes.dispersion * np.exp(2 * genes.log_mean)
    ratio = counts.var().to_numpy() / expected
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
    poisson = counts.var().to_numpy() / np.exp(genes.log_mean)
    assert np.median(poisson) > 10


@pytest.mark.parametrize(
    ("gene", "latent"),
    [("KPNA2", 0), ("SMG5", 0), ("MKI67", 0), ("CXCL13", 1), ("CD8A", 1), ("CA9", 2), ("ANLN", 0)],
)
def test_genes_load_on_their_latent_alone(gene: str, latent: int, rng: np.random.Generator) -> None:
    genes = genome()
    states = rng.standard_normal((4000, 3))
    log_counts = np.log(counts_of(states, genes, rng)[gene] + 0.5)
    slopes = np.linalg.lstsq(np.c_[states, np.ones(4000)], log_counts, rcond=None)[0][:3]
    expected = genes.loadings[genes.names.index(gene)]
    assert expected[latent] > 0.25
    # Residual SD of a log count is below 1, so five standard errors are below 0.08.
    np.testing.assert_allclose(slopes, expected, atol=0.08)


def test_background_genes_follow_no_latent() -> None:
    genes = genome(1000)
    assert not genes.loadings[len(NAMED) :].any()
    assert genes.names[len(NAMED)] == "GENE0001"


def test_longer_genome_begins_with_the_shorter_one() -> None:
    short, long = genome(300), genome(900)
    assert long.names[:300] == short.names
    for part in ("loadings", "log_mean", "dispersion", "factor_loadings"):
        np.testing.assert_array_equal(getattr(long, part)[:300], getattr(short, part))


def test_too_few_genes_are_refused() -> None:
    with pytest.raises(DataError, match=f"at least {len(NAMED)} genes"):
        gene_model(len(NAMED) - 1, MODEL.genes)


def test_laboratory_shifts_the_same_genes_in_every_cohort() -> None:
    genes = genome(300, factors=False)
    constants = replace(MODEL.rna, depth_spread=0.0, batch_spread=0.4)

    def shift(seed: int, other: str) -> np.ndarray:
        laboratory = np.repeat(np.array(["A", other], dtype=object), 400)
        counts, _ = simulate_counts(
            np.zeros((800, 3)),
            laboratory,
            genes,
            constants=constants,
            rng=np.random.default_rng(seed),
        )
        return np.log(counts[400:].mean(axis=0)) - np.log(counts[:400].mean(axis=0))

    assert np.corrcoef(shift(1, "B"), shift(2, "B"))[0, 1] > 0.95
    assert abs(np.corrcoef(shift(1, "B"), shift(2, "A"))[0, 1]) < 0.3
    assert shift(1, "B").std() == pytest.approx(0.4 * np.sqrt(2), rel=0.15)


def test_normal_liver_expresses_less_of_both_genes(rng: np.random.Generator) -> None:
    genes = genome()
    tumour = counts_of(rng.standard_normal((60, 3)), genes, rng)
    normal = counts_of(normal_latents(20, MODEL.rna, rng), genes, rng)
    for gene in ("KPNA2", "SMG5", "TOP2A"):
        test = stats.mannwhitneyu(tumour[gene], normal[gene], alternative="greater")
        assert test.pvalue < 1e-4


def test_counts_per_million_do_not_depend_on_the_number_of_genes() -> None:
    def mean_cpm(n_genes: int) -> pd.Series:
        rng = np.random.default_rng(1)
        states = rng.standard_normal((300, 3))
        laboratory = np.full(300, "A", dtype=object)
        genes = genome(n_genes)
        counts, library = simulate_counts(states, laboratory, genes, constants=MODEL.rna, rng=rng)
        return pd.Series((counts / library[:, None] * 1e6).mean(axis=0), index=genes.names)

    few, many = mean_cpm(160), mean_cpm(2000)
    named = list(NAMED)
    np.testing.assert_allclose(few[named], many[named], rtol=0.3)
    assert np.log(few[named] / many[named]).mean() == pytest.approx(0, abs=0.03)
    assert 30 < few["SMG5"] < few["KPNA2"] < 200


def test_log_cpm_by_hand() -> None:
    counts = pd.DataFrame({"a": [1, 0], "b": [3, 10]})
    expected = np.log2([[250_001, 750_001], [1, 500_001]])
    np.testing.assert_allclose(log_cpm(counts, pd.Series([4, 20])), expected)


def test_missing_falls_with_intensity_as_stated(rng: np.random.Generator) -> None:
    rna = np.log2(counts_of(rng.standard_normal((150, 3)), genome(600), rng) / 10 + 1)
    full = simulate_proteome(
        rna, replace(MODEL.proteome, missing_midpoint=-1e6), np.random.default_rng(3)
    )
    seen = simulate_proteome(rna, MODEL.proteome, np.random.default_rng(3))
    assert full.notna().all(axis=None)
    pd.testing.assert_frame_equal(seen, full.where(seen.notna()))
    constants = MODEL.proteome
    chance = 1 / (1 + np.exp(constants.missing_steepness * (full - constants.missing_midpoint)))
    bins = pd.qcut(full.to_numpy().ravel(), 10, labels=False)
    rates = pd.DataFrame(
        {"found": seen.isna().to_numpy().ravel(), "expected": chance.to_numpy().ravel()}
    ).groupby(bins)
    means, sizes = rates.mean(), rates.size()
    assert means["found"].is_monotonic_decreasing
    error = np.sqrt(means["expected"] * (1 - means["expected"]) / sizes)
    assert ((means["found"] - means["expected"]).abs() < 4 * error).all()
    # Not at random: what is seen is too high on average.
    assert seen.stack().mean() > full.stack().mean() + 0.1


def test_protein_follows_its_rna(rng: np.random.Generator) -> None:
    rna = np.log2(counts_of(rng.standard_normal((150, 3)), genome(), rng) / 10 + 1)
    protein = simulate_proteome(rna, MODEL.proteome, rng)
    assert {"KPNA2", "SMG5"} <= set(protein)
    assert protein.shape[1] < rna.shape[1]
    own = protein.corrwith(rna[protein.columns], method="spearman")
    assert 0.3 < own.median() < 0.7


def test_cells_show_the_latents(rng: np.random.Generator) -> None:
    ids = [f"P{number}" for number in range(40)]
    latents = draw_latents(pd.Index(ids), MODEL.latents, rng)
    responder = pd.Series(latents["immune"] > 0, index=ids)
    table = simulate_cells(latents, responder, genome(), constants=MODEL.single_cell, rng=rng)
    facts = table.samples
    assert table.n_samples == 40 * MODEL.single_cell.cells
    assert set(facts["cell_type"]) == set(MARKERS)
    assert (facts.groupby("patient_id")["responder"].first() == responder.sort_index()).all()
    density = table.adata.X.nnz / np.prod(table.adata.X.shape)
    assert density < 0.5
    share = facts["cell_type"].eq("T").groupby(facts["patient_id"]).mean()
    assert stats.spearmanr(share[ids], latents["immune"]).pvalue < 1e-4
    tumour = facts[facts["cell_type"] == "tumour"]
    cycling = tumour.groupby("patient_id")["cycling"].mean()
    assert stats.spearmanr(cycling[ids], latents["proliferation"]).pvalue < 1e-4
    assert not facts.loc[facts["cell_type"] != "tumour", "cycling"].any()


def test_markers_and_cycling_genes_stand_out_in_their_cells(rng: np.random.Generator) -> None:
    latents = draw_latents(pd.Index(["P1", "P2", "P3"]), MODEL.latents, rng)
    responder = pd.Series([True, False, True], index=latents.index)
    table = simulate_cells(latents, responder, genome(), constants=MODEL.single_cell, rng=rng)
    values, facts = table.values, table.samples
    for cell_type, markers in MARKERS.items():
        own = (facts["cell_type"] == cell_type).to_numpy()
        names = list(markers)
        assert (values.loc[own, names].mean() > 2 * values.loc[~own, names].mean()).all()
    tumour = (facts["cell_type"] == "tumour").to_numpy()
    cycling = facts["cycling"].to_numpy()
    fold = values.loc[cycling, "KPNA2"].mean() / values.loc[tumour & ~cycling, "KPNA2"].mean()
    assert fold > 2
