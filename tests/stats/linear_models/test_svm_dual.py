from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVC

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError
from radiogenomics.stats.linear_models.svm_dual import HingeDual
from radiogenomics.stats.linear_models.svm_plane import hinge_plane

KINDS = ("plain", "whole numbers", "yes and no", "repeated patients", "repeated features", "blocks")


def table(kind: str, n: int, p: int, rng: np.random.Generator) -> np.ndarray:
    X = rng.normal(size=(n, p))
    if kind == "whole numbers":
        return np.round(X)
    if kind == "yes and no":
        return (X > 0).astype(float)
    if kind == "repeated patients":
        return X[rng.integers(0, max(2, n // 2), n)]
    if kind == "repeated features":
        return X[:, rng.integers(0, max(1, p // 3), p)]
    if kind == "blocks":
        return rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + 0.05 * X
    return X


def objectives(X: np.ndarray, sign: np.ndarray, C: float, dual: np.ndarray, b: float):
    """Primal and dual; equal at the solution, and nowhere else."""
    weights = X.T @ dual
    short = np.maximum(0, 1 - sign * (X @ weights + b))
    return weights @ weights / 2 + C * short.sum(), sign @ dual - weights @ weights / 2


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("shape", [(80, 4), (80, 40), (60, 150)], ids=str)
def test_agrees_with_libsvm(rng, shape, C):
    X = rng.normal(size=shape)
    sign = np.where(X[:, 0] + rng.normal(size=len(X)) > 0.5, 1.0, -1.0)
    ours = hinge_plane(X @ X.T, sign, C=C)
    primal, dual = objectives(X, sign, C, ours.dual, ours.intercept)
    assert primal == pytest.approx(dual, rel=1e-10)
    theirs = SVC(kernel="linear", C=C, tol=1e-9).fit(X, sign)
    theirs_dual = np.zeros(len(X))
    theirs_dual[theirs.support_] = theirs.dual_coef_[0]
    _, reached = objectives(X, sign, C, theirs_dual, theirs.intercept_[0])
    assert reached == pytest.approx(dual, rel=1e-8)
    # Half the squared distance from the solution is at most what the objective lacks.
    distance = np.linalg.norm(X.T @ ours.dual - theirs.coef_[0])
    assert distance <= np.sqrt(2 * (max(dual - reached, 0) + 1e-12 * dual)) < 1e-3
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_intercept_is_the_middle_where_no_patient_is_free(rng):
    # A small C puts as many patients of either class at it, and leaves the intercept a range.
    X = rng.normal(size=(30, 3))
    sign = np.where(np.arange(30) % 2, 1.0, -1.0)
    ours = hinge_plane(X @ X.T, sign, C=1e-4)
    theirs = SVC(kernel="linear", C=1e-4, tol=1e-9).fit(X, sign)
    assert set(np.abs(ours.dual)) == {1e-4}
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-9)


def test_hand_calculation():
    # Margins at 1 and 2: weight 2, intercept -3, multipliers 2 and 2 below C.
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    found = hinge_plane(X @ X.T, [-1, -1, 1, 1], C=10)
    np.testing.assert_allclose(found.dual, [0, -2, 2, 0], atol=1e-12)
    assert found.intercept == pytest.approx(-3, abs=1e-12)
    # With C of 1/4 these two are at it and the margins are at 0 and 3: weight 2/3, intercept -1,
    # and 3 a + 1/4 = 2/3 for the multiplier a of the others.
    found = hinge_plane(X @ X.T, [-1, -1, 1, 1], C=0.25)
    np.testing.assert_allclose(found.dual, [-5 / 36, -1 / 4, 1 / 4, 5 / 36], atol=1e-12)
    assert found.intercept == pytest.approx(-1, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(4, 50),
    p=st.integers(1, 60),
    log_c=st.floats(-3, 2),
    share=st.floats(0.05, 0.95),
    kind=st.sampled_from(KINDS),
)
def test_each_solution_on_the_way_is_a_minimum(seed, n, p, log_c, share, kind):
    rng = np.random.default_rng(seed)
    X, C = table(kind, n, p, rng), 10.0**log_c
    sign = np.where(rng.permutation(n) < np.clip(int(share * n), 1, n - 1), 1.0, -1.0)
    machine = HingeDual(X @ X.T, sign, C=C, rank=p)
    for left in range(p, 0, -1):
        dual = machine.dual
        assert abs(dual.sum()) < 1e-12 * C * n
        assert (sign * dual > -1e-10 * C).all()
        assert (sign * dual < C * (1 + 1e-10)).all()
        primal, below = objectives(X[:, :left], sign, C, dual, machine.intercept)
        assert primal == pytest.approx(below, rel=1e-8)
        if left > 1:
            machine.remove(X[:, left - 1].copy())


@pytest.mark.parametrize("shape", [(60, 200), (80, 25)], ids=str)
def test_followed_solution_is_the_one_from_nothing(rng, shape):
    X = rng.normal(size=shape)
    sign = np.where(X[:, 0] + rng.normal(size=len(X)) > 0, 1.0, -1.0)
    followed = HingeDual(X @ X.T, sign, C=0.5, rank=shape[1])
    for j in range(20):
        followed.remove(X[:, j].copy())
    rest = X[:, 20:]
    fresh = hinge_plane(rest @ rest.T, sign, C=0.5)
    np.testing.assert_allclose(rest.T @ followed.dual, rest.T @ fresh.dual, atol=1e-10)
    assert followed.intercept == pytest.approx(fresh.intercept, abs=1e-10)
    followed.refresh(rest @ rest.T)
    np.testing.assert_allclose(rest.T @ followed.dual, rest.T @ fresh.dual, atol=1e-12)


def test_lost_solutions_are_found_anew(rng, monkeypatch):
    X = rng.normal(size=(30, 8))
    sign = np.where(X[:, 0] > 0.3, 1.0, -1.0)
    machine = HingeDual(X @ X.T, sign, C=1.0, rank=8)
    follow = HingeDual._follow
    monkeypatch.setattr(
        HingeDual, "_follow", lambda self, *a, shrink: not shrink and follow(self, *a, shrink=False)
    )
    machine.remove(X[:, 7].copy())
    fresh = hinge_plane(X[:, :7] @ X[:, :7].T, sign, C=1.0)
    np.testing.assert_allclose(machine.dual, fresh.dual, atol=1e-12)
    monkeypatch.setattr(HingeDual, "_follow", lambda *a, shrink: False)
    with pytest.raises(DataError, match="found none in 8 attempts on 30 patients"):
        machine.remove(X[:, 6].copy())


def test_no_feature_and_useless_features_give_no_weight(rng):
    sign = np.where(np.arange(20) < 6, 1.0, -1.0)
    found = hinge_plane(np.zeros((20, 20)), sign, C=2.0)
    assert found.intercept == pytest.approx(-1)
    assert sign @ found.dual == pytest.approx(2 * 6 * 2.0)
    machine = HingeDual(np.outer(sign, sign), sign, C=2.0, rank=1)
    machine.remove(sign.copy())
    assert machine.intercept == pytest.approx(-1)


@pytest.mark.parametrize(
    ("gram", "sign", "C", "error", "message"),
    [
        (np.eye(3)[:2], [1, -1], 1, DataError, r"shape \(n, n\)"),
        (np.eye(3), [1, -1], 1, AlignmentError, "each of 3 patients"),
        (np.full((2, 2), np.nan), [1, -1], 1, DataError, "finite"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), [1, -1], 1, DataError, "symmetric"),
        (np.eye(3), [1, 1, 1], 1, OutcomeError, "both present"),
        (np.eye(3), [1, 0, 1], 1, OutcomeError, "both present"),
        (np.eye(2), [1, -1], 0, DataError, "C: expected a number above 0"),
        (np.eye(2), [1, -1], np.inf, DataError, "C: expected a number above 0"),
    ],
)
def test_bad_input_says_what_is_wrong(gram, sign, C, error, message):
    with pytest.raises(error, match=message):
        hinge_plane(gram, sign, C=C)
