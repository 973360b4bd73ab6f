from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError
from radiogenomics.omics.deconvolution.nnls import NnlsDeconvolver


def brute_force(profiles: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Least squares on each subset of types; the best whose weights are all above 0."""
    types = profiles.shape[1]
    best, least = np.zeros(types), np.inf
    for size in range(1, types + 1):
        for chosen in map(list, combinations(range(types), size)):
            found = np.linalg.lstsq(profiles[:, chosen], sample, rcond=None)[0]
            left = np.sum((profiles[:, chosen] @ found - sample) ** 2)
            if (found >= 0).all() and left < least:
                best, least = np.zeros(types), left
                best[chosen] = found
    return best / best.sum()


@pytest.mark.parametrize("weights", [None, "expression", "given"])
def test_shares_are_the_best_of_all_subsets(weights, matrix, mixtures, rng):
    alien = mixtures * rng.lognormal(0, 1.5, mixtures.shape)  # some types drop out
    root = np.ones(len(matrix))
    if weights == "expression":
        root = 1 / matrix.mean(axis=1).to_numpy()
    if weights == "given":
        weights = pd.Series(rng.uniform(0.1, 3, len(matrix)), index=matrix.index)
        root = np.sqrt(weights.to_numpy())
    found = NnlsDeconvolver(matrix, weights=weights).fit_transform(alien)
    wanted = [brute_force(matrix.to_numpy() * root[:, None], y * root) for y in alien.to_numpy()]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-13)
    assert (found == 0).any(axis=None)


def test_optimality_conditions_hold(matrix, mixtures):
    result = NnlsDeconvolver(matrix).fit(mixtures).deconvolve(mixtures)
    profiles = matrix.to_numpy()
    for name, shares in result.fractions.iterrows():
        sample, explained = mixtures.loc[name].to_numpy(), profiles @ shares.to_numpy()
        # The optimum is some multiple of the shares, and the least-squares one.
        size = explained @ sample / (explained @ explained)
        gradient = profiles.T @ (size * explained - sample) / np.abs(profiles.T @ sample)
        assert np.abs(gradient[shares > 0]).max() < 1e-10
        assert (gradient[shares == 0] > -1e-10).all()
        left = size * explained - sample
        assert result.quality.loc[name, "rmse"] == pytest.approx(np.sqrt(np.mean(left**2)))
        rho = np.corrcoef(explained, sample)[0, 1]
        assert result.quality.loc[name, "correlation"] == pytest.approx(rho, rel=1e-10)


def test_bad_weights_are_refused(matrix, mixtures):
    ones = pd.Series(1.0, index=matrix.index)
    with pytest.raises(UnknownNameError, match="'expresion'"):
        NnlsDeconvolver(matrix, weights="expresion").fit(mixtures)
    with pytest.raises(AlignmentError, match="none for 1 "):
        NnlsDeconvolver(matrix, weights=ones.iloc[1:]).fit(mixtures)
    with pytest.raises(DataError, match="the least 0"):
        NnlsDeconvolver(matrix, weights=ones * 0).fit(mixtures)
