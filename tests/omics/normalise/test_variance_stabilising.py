from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from radiogenomics.core.errors import DataError, FallbackWarning
from radiogenomics.omics.normalise import MedianOfRatios, VarianceStabilising, variance_stabilised
from radiogenomics.omics.normalise.dispersion import fit_trend, gene_dispersions


def test_given_the_trend_values_equal_deseq2s(counts, reference, logs):
    trend = reference("trend").loc["deseq2"]
    scaled = MedianOfRatios(log=False).set_output(transform="pandas").fit_transform(counts)
    expected = logs("vst")
    found = variance_stabilised(
        scaled[expected.columns],
        asymptotic=trend["asymptotic"],
        extra_poisson=trend["extra_poisson"],
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_given_the_dispersions_the_trend_equals_rs_glm(reference):
    table = reference("dispersions").dropna()
    found = fit_trend(table["base_mean"].to_numpy(), table["dispersion"].to_numpy())
    np.testing.assert_allclose(found, reference("trend").loc["converged"], rtol=1e-8)
    # DESeq2 leaves the regression at glm's default tolerance.
    np.testing.assert_allclose(found, reference("trend").loc["deseq2"], rtol=2e-5)


def test_dispersions_have_the_highest_likelihood(counts, reference):
    """Nowhere lower than at DESeq2's dispersion, by scipy's negative binomial."""
    table = reference("dispersions").dropna()
    genes = counts[table.index].to_numpy(dtype=float)
    factors = reference("factors")["deseq2"].to_numpy()
    found = gene_dispersions(genes, factors)

    def likelihood(alpha: np.ndarray) -> np.ndarray:
        mu = np.maximum(factors[:, None] * table["base_mean"].to_numpy(), 0.5)
        logs = nbinom.logpmf(genes, 1 / alpha, 1 / (1 + alpha * mu)).sum(axis=0)
        return logs - np.log((1 / (1 / mu + alpha)).sum(axis=0)) / 2

    deseq2 = table["dispersion"].to_numpy()
    inner = found > 2e-8
    assert inner.sum() > 250
    assert (likelihood(found) >= likelihood(deseq2) - 1e-6)[inner].all()
    # What DESeq2 leaves at its smallest dispersion is there too.
    assert (deseq2[~inner] < 1e-6).all()
    assert np.median(np.abs(found / deseq2 - 1)[inner]) < 1e-3


def test_the_whole_chain_is_near_deseq2s(counts, reference, logs):
    model = VarianceStabilising(genes=None).set_output(transform="pandas").fit(counts)
    trend = reference("trend").loc["deseq2"]
    found = [model.asymptotic_, model.extra_poisson_]
    np.testing.assert_allclose(found, [trend["asymptotic"], trend["extra_poisson"]], rtol=2e-3)
    expected = logs("vst")
    np.testing.assert_allclose(model.transform(counts)[expected.columns], expected, atol=4e-3)


def test_variance_no_longer_depends_on_the_mean(rng):
    level = np.exp(rng.uniform(np.log(5), np.log(20_000), 1500))
    size = 1 / (0.1 + 3 / level)
    counts = rng.negative_binomial(size, size / (size + level), (60, 1500))
    spread = VarianceStabilising().fit_transform(counts).std(axis=0)
    low, high = spread[level < 20].mean(), spread[level > 5000].mean()
    assert 0.9 < low / high < 1.1
    raw = np.log2(counts + 1).std(axis=0)
    assert raw[level < 20].mean() / raw[level > 5000].mean() > 1.5


def test_finds_the_trend_that_counts_were_drawn_from(rng):
    level = np.exp(rng.uniform(np.log(6), np.log(20_000), 3000))
    size = 1 / (0.15 + 4 / level)
    counts = rng.negative_binomial(size, size / (size + level), (80, 3000))
    model = VarianceStabilising(genes=1000).fit(counts)
    assert model.asymptotic_ == pytest.approx(0.15, rel=0.05)
    assert model.extra_poisson_ == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("genes", [50, None])
def test_without_a_trend_the_mean_dispersion_is_used_with_a_warning(rng, genes):
    """Dispersion rises with the mean."""
    level = np.exp(rng.uniform(np.log(10), np.log(5000), 200))
    size = 1 / (1e-4 * level)
    counts = rng.negative_binomial(size, size / (size + level), (30, 200))
    with pytest.warns(FallbackWarning, match="do not fall with their mean"):
        model = VarianceStabilising(genes=genes).fit(counts)
    assert model.extra_poisson_ == 0 and model.asymptotic_ > 0
    assert np.isfinite(model.transform(counts)).all()


def test_one_training_sample_is_refused(counts):
    with pytest.raises(DataError, match="at least 2 training samples"):
        VarianceStabilising().fit(counts.iloc[:1])


@pytest.mark.parametrize("genes", [1, 2.5, 0])
def test_a_senseless_number_of_genes_is_refused(counts, genes):
    with pytest.raises(DataError, match="genes: expected a whole number"):
        VarianceStabilising(genes=genes).fit(counts)


@pytest.mark.parametrize(
    ("q", "a", "b"), [([1.0], 0.0, 1.0), ([1.0], 0.1, -1.0), ([-1.0], 0.1, 1.0), ([np.nan], 0.1, 1)]
)
def test_values_out_of_range_are_refused(q, a, b):
    with pytest.raises(DataError, match="asymptotic dispersion above 0"):
        variance_stabilised(q, asymptotic=a, extra_poisson=b)
