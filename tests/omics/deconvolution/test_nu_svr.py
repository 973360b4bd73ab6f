from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import zscore
from sklearn.svm import NuSVR

from radiogenomics.core.errors import DataError
from radiogenomics.omics.deconvolution.nu_svr import NuSvrDeconvolver


@pytest.mark.parametrize("nu", [0.25, 0.5, 0.75])
def test_shares_agree_with_e1071(nu, matrix, mixtures, in_r):
    result = NuSvrDeconvolver(matrix, nus=(nu,)).fit(mixtures).deconvolve(mixtures)
    theirs = in_r[in_r["nu"] == nu].set_index("sample").loc[mixtures.index]
    np.testing.assert_allclose(result.fractions, theirs[matrix.columns], rtol=1e-9)
    quality = ["rmse", "correlation"]
    np.testing.assert_allclose(result.quality[quality], theirs[quality], rtol=1e-10)


def test_the_best_nu_is_kept(matrix, mixtures, in_r):
    result = NuSvrDeconvolver(matrix).fit(mixtures).deconvolve(mixtures)
    best = in_r.loc[in_r.groupby("sample")["rmse"].idxmin()].set_index("sample")
    assert result.quality["nu"].to_dict() == best["nu"].to_dict()
    assert len(set(best["nu"])) > 1


def test_shares_are_those_of_scikit_learn(matrix, mixtures):
    profiles = matrix.to_numpy()
    standard = zscore(profiles, axis=None, ddof=1)
    model = NuSVR(nu=0.5, kernel="linear").fit(standard, zscore(mixtures.loc["P2"], ddof=1))
    positive = model.coef_[0].clip(0)
    found = NuSvrDeconvolver(matrix, nus=(0.5,)).fit(mixtures).transform(mixtures)
    np.testing.assert_allclose(found.loc["P2"], positive / positive.sum(), rtol=1e-9)


def test_p_is_small_for_mixtures_and_uniform_for_nothing(matrix, rng):
    genes = [*matrix.index, *(f"N{n}" for n in range(200))]
    nothing = pd.DataFrame(rng.gamma(0.5, 300, (40, 320)), columns=genes)
    model = NuSvrDeconvolver(matrix, nus=(0.5,), permutations=99, random_state=1).fit(nothing)
    assert len(model.null_) == 99
    found = model.deconvolve(nothing).quality
    as_good = [(model.null_ >= r).sum() for r in found["correlation"]]
    np.testing.assert_allclose(found["p_value"], (1 + np.array(as_good)) / 100)
    assert 0.3 < found["p_value"].mean() < 0.7
    mixed = nothing.iloc[:3].copy()
    mixed[matrix.index] = rng.dirichlet(np.ones(5), 3) @ matrix.to_numpy().T
    assert (model.deconvolve(mixed).quality["p_value"] == 0.01).all()
    again = NuSvrDeconvolver(matrix, nus=(0.5,), permutations=99, random_state=1).fit(nothing)
    assert np.array_equal(model.null_, again.null_)


def test_bad_parameters_are_refused(matrix, mixtures):
    with pytest.raises(DataError, match="nus: expected numbers above 0"):
        NuSvrDeconvolver(matrix, nus=(0.0,)).fit(mixtures)
    with pytest.raises(DataError, match="permutations: expected 0 or more"):
        NuSvrDeconvolver(matrix, permutations=-1).fit(mixtures)
