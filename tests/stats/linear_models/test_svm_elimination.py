from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import RFE
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError
from radiogenomics.stats.linear_models.svm_elimination import eliminate


def example(seed: int, shape: tuple[int, int], *, correlated: bool = False):
    rng = np.random.default_rng([7, seed])
    X = rng.normal(size=shape)
    if correlated:
        X = 0.3 * X + rng.normal(size=(len(X), 5)) @ rng.normal(size=(5, shape[1]))
    sign = np.where(X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=len(X)) > 0.3, 1, -1)
    return StandardScaler().fit_transform(X), sign


@pytest.mark.parametrize("step", [1, 6, 25])
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("shape", [(50, 120), (70, 30), (90, 8)], ids=str)
def test_agrees_with_scikit_learn(shape, correlated, step):
    X, sign = example(0, shape, correlated=correlated)
    ours = eliminate(X, sign, C=0.5, step=step, keep=3)
    machine = SVC(kernel="linear", C=0.5, tol=1e-10)
    theirs = RFE(machine, n_features_to_select=3, step=step).fit(X, sign)
    steps = len(ours.n_features)
    assert np.maximum(steps - ours.left_after, 1).tolist() == theirs.ranking_.tolist()
    assert ours.n_features.tolist() == [*range(shape[1], 3, -step), 3]


def test_scores_are_those_of_a_machine_on_the_features_left():
    X, sign = example(1, (60, 40))
    others, _ = example(2, (15, 40))
    found = eliminate(X, sign, step=3, others=others)
    for at in (0, 5, 13):
        left = found.left_after >= at
        assert left.sum() == found.n_features[at]
        machine = SVC(kernel="linear", tol=1e-10).fit(X[:, left], sign)
        expected = machine.decision_function(others[:, left])
        np.testing.assert_allclose(found.scores[at], expected, atol=1e-4)


def test_equal_weights_leave_in_order():
    X, sign = example(3, (40, 3))
    doubled = np.hstack([X[:, :1], X[:, :1], X])
    order = eliminate(doubled, sign).left_after
    assert order[0] < order[1] < order[2]
    constant = np.hstack([np.zeros((40, 2)), X, np.ones((40, 1)) * 0])
    assert eliminate(constant, sign).left_after[[0, 1, 5]].tolist() == [0, 1, 2]
    assert eliminate(constant, sign, step=2).left_after[[0, 1, 5]].tolist() == [0, 0, 1]


def test_machine_without_weight_scores_all_alike():
    # So few of a class that one answer for all is best; libsvm's weight is what its tolerance left.
    rng = np.random.default_rng(5)
    X = StandardScaler().fit_transform(rng.normal(size=(60, 2)))
    sign = np.where(np.arange(60) < 4, 1, -1)
    found = eliminate(X, sign, others=X)
    theirs = SVC(kernel="linear", tol=1e-6).fit(X, sign)
    assert np.abs(theirs.coef_).max() < 1e-4
    assert found.scores[0].tolist() == [pytest.approx(-1, abs=1e-12)] * 60
    assert np.ptp(found.scores[0]) == 0
    assert found.left_after.tolist() == [0, 2]


X_BAD, SIGN_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2 * 2 - 1


@pytest.mark.parametrize(
    ("X", "sign", "options", "error", "message"),
    [
        (X_BAD, np.ones(20), {}, OutcomeError, "both present"),
        (X_BAD, SIGN_BAD[1:], {}, AlignmentError, "each of 20 patients"),
        (np.where(X_BAD > 1, np.nan, X_BAD), SIGN_BAD, {}, DataError, "finite features"),
        (X_BAD, SIGN_BAD, {"others": X_BAD[:, :2]}, AlignmentError, "same 3 features"),
        (X_BAD, SIGN_BAD, {"keep": 4}, DataError, "keep from 1 to 3"),
        (X_BAD, SIGN_BAD, {"step": 0}, DataError, "step from 1"),
        (X_BAD, SIGN_BAD, {"C": -1}, DataError, "C: expected"),
    ],
)
def test_bad_input_says_what_is_wrong(X, sign, options, error, message):
    with pytest.raises(error, match=message):
        eliminate(X, sign, **options)
