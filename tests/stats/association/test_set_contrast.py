"""Competitive tests of gene sets, against limma and the correlation written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.set_contrast import mean_rank_test, set_contrasts
from radiogenomics.stats.association.units import correlation_p, unit_columns

REFERENCE = Path(__file__).resolve().parents[2] / "reference/stats"


@pytest.mark.parametrize("ranking", ["plain", "tied"])
@pytest.mark.parametrize("correlation", [0.0, 0.01, 0.2])
def test_mean_ranks_are_those_of_limma(ranking, correlation) -> None:
    values = pd.read_csv(REFERENCE / "mean_rank_sets_input.csv")[ranking].to_numpy()
    members = pd.read_csv(REFERENCE / "mean_rank_sets_members.csv")
    expected = pd.read_csv(REFERENCE / "mean_rank_sets.csv")
    expected = expected[(expected["ranking"] == ranking) & (expected["correlation"] == correlation)]
    sets = [members.loc[members["set"] == name, "gene"].to_numpy() for name in expected["set"]]
    found = mean_rank_test(values[None], sets, inter_gene_correlation=correlation)
    np.testing.assert_allclose(found.p[0], expected["p"], rtol=1e-10)
    assert ((found.z[0] > 0) == (expected["direction"] == "Up")).all()


def test_contrast_is_the_difference_of_mean_correlations(rng) -> None:
    genes, features = rng.normal(size=(30, 50)), rng.normal(size=(30, 4))
    g, f = unit_columns(genes), unit_columns(features)
    sets = [np.arange(10), np.arange(5, 45)]
    found = set_contrasts(g, sets)
    r = f.T @ g
    for at, each in enumerate(sets):
        rest = np.setdiff1d(np.arange(50), each)
        expected = r[:, each].mean(axis=1) - r[:, rest].mean(axis=1)
        difference = (f.T @ found.units[:, at]) * found.lengths[at]
        np.testing.assert_allclose(difference, expected, atol=1e-13)


def test_coherence_is_the_mean_correlation_within_the_set(rng) -> None:
    shared = rng.normal(size=(60, 1))
    g = unit_columns(shared + rng.normal(size=(60, 12)))
    found = set_contrasts(g, [np.arange(6), np.array([7])])
    within = (g[:, :6].T @ g[:, :6])[np.triu_indices(6, 1)].mean()
    assert found.coherence[0] == pytest.approx(within, abs=1e-12)
    assert np.isnan(found.coherence[1])


def test_contrast_holds_its_error_where_genes_go_together_and_mean_ranks_do_not() -> None:
    """The reason for contrasts: 1,000 features of noise, a set of correlated genes."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(60, 1))
    genes = rng.normal(size=(60, 200))
    genes[:, :30] += shared
    g, f = unit_columns(genes), unit_columns(rng.normal(size=(60, 1000)))
    sets = [np.arange(30)]
    p = correlation_p(f.T @ set_contrasts(g, sets).units, 58)
    assert stats.binomtest(int((p <= 0.05).sum()), 1000, 0.05).pvalue > 0.01
    flattered = mean_rank_test(f.T @ g, sets).p
    assert (flattered <= 0.05).mean() > 0.3


def test_unfit_input_is_refused() -> None:
    g = unit_columns(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]]))
    with pytest.raises(DataError, match="differ from all other genes"):
        set_contrasts(g, [np.array([0])])
    with pytest.raises(DataError, match="inter_gene_correlation"):
        mean_rank_test(np.arange(9.0)[None], [np.arange(4)], inter_gene_correlation=-0.5)
