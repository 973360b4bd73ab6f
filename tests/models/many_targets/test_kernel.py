"""ManyKernelRidge against scikit-learn's KernelRidge target by target."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.models.many_targets import ManyKernelRidge


def test_kernel_ridge_is_that_of_a_grid_search_for_each_target(cohort, search):
    X, Y, new = cohort
    alphas, gammas = [10.0, 1.0, 0.1], [0.3, 1.0, 3.0]
    model = ManyKernelRidge(alphas, gammas).fit(X, Y)
    found = model.predict(new)
    centred = TransformedTargetRegressor(
        KernelRidge(kernel="rbf"), transformer=StandardScaler(with_std=False)
    )
    pipeline = make_pipeline(StandardScaler(), centred)
    step = "transformedtargetregressor__regressor__"
    pairs = [
        {f"{step}gamma": [gamma / 89], f"{step}alpha": [alpha]}  # f7 does not vary
        for gamma in gammas
        for alpha in alphas
    ]
    learnt = 0
    for i, target in enumerate(Y):
        r2, best = search(pipeline, pairs, X, Y[target])
        assert model.grid_r2_[1:, i] == pytest.approx(r2, rel=1e-8, abs=1e-9)
        if best is None:
            assert np.isinf(model.best_alphas_[i]) and model.best_gammas_[i] == 0
            continue
        learnt += 1
        assert model.best_alphas_[i] == best.best_params_[f"{step}alpha"]
        assert model.best_gammas_[i] / 89 == pytest.approx(best.best_params_[f"{step}gamma"])
        assert found[:, i] == pytest.approx(best.predict(new), rel=1e-8)
    assert learnt > 3


def test_far_from_all_patients_it_foretells_the_mean(cohort):
    X, Y, new = cohort
    model = ManyKernelRidge().fit(X, Y)
    assert model.predict(new * 1e6) == pytest.approx(np.tile(Y.mean(), (len(new), 1)))


def test_bends_where_a_straight_line_cannot(rng):
    X = rng.normal(size=(200, 2))
    y = X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=200)
    assert ManyKernelRidge(gammas=(0.3, 1.0)).fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.5
