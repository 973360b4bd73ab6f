from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models.blend import fit_blend


def scored(rng, n=80, k=4):
    y = rng.random(n) < 0.4
    return rng.normal(size=(n, k)) + np.outer(y, np.linspace(1.2, -0.6, k)), y


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_free_weights_agree_with_scikit_learn(rng, C):
    X, y = scored(rng)
    theirs = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-13, max_iter=500).fit(X, y)
    ours = fit_blend(X, y, C=C, non_negative=False)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], rtol=1e-8)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-8)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("seed", range(4))
def test_bounded_weights_are_the_best_over_all_supports(seed, C):
    """Brute force: scikit-learn on every set of columns; the best fit without a negative weight."""
    X, y = scored(np.random.default_rng([8, seed]))
    best, expected = np.inf, np.zeros(4)
    for size in range(5):
        for support in map(list, combinations(range(4), size)):
            weights = np.zeros(4)
            intercept = np.log(y.mean() / (1 - y.mean()))
            if support:
                model = LogisticRegression(
                    C=C, solver="newton-cholesky", tol=1e-13, max_iter=500
                ).fit(X[:, support], y)
                weights[support], intercept = model.coef_[0], model.intercept_[0]
            eta = X @ weights + intercept
            loss = C * (np.logaddexp(0, eta) - y * eta).sum() + weights @ weights / 2
            if (weights >= 0).all() and loss < best:
                best, expected = loss, weights
    ours = fit_blend(X, y, C=C)
    assert (ours.weights >= 0).all()
    np.testing.assert_allclose(ours.weights, expected, rtol=1e-7, atol=1e-9)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(4, 60),
    k=st.integers(1, 6),
    spread=st.floats(0, 30),
    log_c=st.floats(-3, 3),
)
def test_solution_meets_the_optimality_conditions(seed, n, k, spread, log_c):
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) < max(1, n // 3)
    X, C = spread * (rng.normal(size=(n, k)) + y[:, None]), 10.0**log_c
    blend = fit_blend(X, y, C=C)
    residual = expit(blend.log_odds(X)) - y
    slope = C * X.T @ residual + blend.weights
    scale = 1 + C * n * max(1.0, spread)
    assert abs(C * residual.sum()) < 1e-7 * scale
    assert (blend.weights >= 0).all()
    assert (slope > -1e-7 * scale).all()
    assert np.abs(slope[blend.weights > 0]).max(initial=0) < 1e-7 * scale


def test_upside_down_score_weighs_nothing(rng):
    y = np.arange(60) % 3 == 0
    blend = fit_blend(rng.normal(size=(60, 1)) - 2 * y[:, None], y)
    assert blend.weights.tolist() == [0.0]
    np.testing.assert_allclose(expit(blend.log_odds(np.zeros((2, 1)))), 1 / 3)


def test_perfect_scores_stay_finite():
    y = np.arange(40) >= 25
    blend = fit_blend(np.column_stack([y * 2.0 - 1, y * 2.0 - 1]), y, C=10)
    assert np.isfinite(blend.weights).all()
    assert blend.weights[0] == pytest.approx(blend.weights[1])


def test_bad_input_is_refused():
    X, y = np.arange(8.0).reshape(4, 2), np.array([True, False, True, False])
    with pytest.raises(OutcomeError, match="expected two classes; found one in 4"):
        fit_blend(X, np.ones(4, dtype=bool))
    with pytest.raises(DataError, match="found 1 others"):
        fit_blend(np.where(X == 3, np.nan, X), y)
    with pytest.raises(DataError, match="C: expected a number above 0; found -1"):
        fit_blend(X, y, C=-1)
