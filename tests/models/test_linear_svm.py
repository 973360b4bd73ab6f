from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models.linear_svm import LinearSVM, separate


@parametrize_with_checks([LinearSVM()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def gradient(X, sign, C, plane):
    """Of the objective: over the weights, and over the intercept."""
    short = np.maximum(0, 1 - sign * (X @ plane.weights + plane.intercept))
    return plane.weights - 2 * C * X.T @ (sign * short), 2 * C * (sign * short).sum()


@pytest.mark.parametrize("C", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("shape", [(80, 4), (80, 40), (40, 60)], ids=str)
def test_agrees_with_liblinear(rng, shape, C):
    X = rng.normal(size=shape)
    y = (X[:, 0] + rng.normal(size=len(X)) > 0.5).astype(int)
    ours = LinearSVM(C=C).fit(X, y)
    # A large intercept_scaling takes liblinear's penalty on the intercept away.
    theirs = LinearSVC(C=C, dual=False, tol=1e-12, intercept_scaling=1e4, max_iter=100_000)
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(4, 40),
    p=st.integers(1, 60),
    log_c=st.floats(-3, 2),
    decimals=st.integers(0, 3),
)
def test_solution_is_a_minimum(seed, n, p, log_c, decimals):
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n, p)), decimals)
    sign = np.where(rng.permutation(n) < max(1, n // 3), 1.0, -1.0)
    C = 10.0**log_c
    plane = separate(X, sign, C=C)
    over_weights, over_intercept = gradient(X, sign, C, plane)
    size = 1 + C * np.abs(X).max() * n
    assert np.abs(over_weights).max() < 1e-9 * size
    assert abs(over_intercept) < 1e-9 * size
    np.testing.assert_allclose(plane.scores, X @ plane.weights + plane.intercept, atol=1e-8)


def test_both_shapes_of_the_problem_give_one_solution(rng):
    """With more columns than rows the equations are of patients, else of features."""
    X = rng.normal(size=(30, 20))
    sign = np.where(X[:, 0] > 0, 1.0, -1.0)
    wide = np.hstack([X, np.zeros((30, 20))])
    narrow, padded = (separate(values, sign, C=0.5) for values in (X, wide))
    np.testing.assert_allclose(padded.weights[:20], narrow.weights, atol=1e-10)
    assert padded.intercept == pytest.approx(narrow.intercept, abs=1e-10)


def test_shift_of_the_features_moves_the_intercept_only(rng):
    X = rng.normal(size=(50, 3))
    y = X[:, 0] > 0.2
    here, there = LinearSVM().fit(X, y), LinearSVM().fit(X + 50, y)
    np.testing.assert_allclose(there.coef_, here.coef_, atol=1e-9)
    np.testing.assert_allclose(
        there.decision_function(X + 50), here.decision_function(X), atol=1e-8
    )


def test_text_labels_and_swapped_labels(rng):
    X = rng.normal(size=(40, 3))
    y = np.where(X[:, 0] > 0, "responder", "none")
    fitted = LinearSVM(C=10).fit(X, y)
    assert (fitted.predict(X) == y).mean() > 0.95
    swapped = LinearSVM(C=10).fit(X, np.where(y == "none", "responder", "none"))
    np.testing.assert_allclose(
        swapped.decision_function(X), -fitted.decision_function(X), atol=1e-9
    )


def test_three_classes_and_senseless_c_are_refused(rng):
    X = rng.normal(size=(9, 2))
    with pytest.raises(OutcomeError, match="found 3"):
        LinearSVM().fit(X, np.arange(9) % 3)
    with pytest.raises(DataError, match="C: expected a number above 0; found 0"):
        LinearSVM(C=0).fit(X, np.arange(9) % 2)
