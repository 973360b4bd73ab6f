from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import shap
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.kernel_shap import kernel_shap

MODULE = import_module("radiogenomics.models.explain.kernel_shap")


def test_few_features_are_exact(cohort, brute_force, rng):
    X, label, _ = cohort
    values = X.to_numpy()
    svm = SVC(kernel="rbf").fit(values[:60], label[:60])
    knn = KNeighborsClassifier(7).fit(values[:60], label[:60])
    for score in (svm.decision_function, lambda rows: knn.predict_proba(rows)[:, 1]):
        found = kernel_shap(values[60:64], values[:20], score=score, rng=rng)
        brute = brute_force(score, values[60:64], values[:20])
        np.testing.assert_allclose(found.values, brute, rtol=1e-10, atol=1e-13)
        theirs = shap.KernelExplainer(score, values[:20])
        expected = theirs.shap_values(values[60:64], l1_reg=0, silent=True)
        np.testing.assert_allclose(found.values, expected, rtol=1e-8, atol=1e-10)
        assert found.base == pytest.approx(theirs.expected_value)


def products(rows):
    """Five pairs of features that act together, and the rest alone."""
    return rows[:, ::2][:, :5].prod(axis=1) + rows[:, 1] * rows[:, 3] + rows.sum(axis=1)


@pytest.mark.parametrize("p", [12, 13])
def test_all_coalitions_by_least_squares_give_the_exact_values(p, rng, monkeypatch):
    values, background = rng.normal(size=(3, p)), rng.normal(size=(4, p))
    fit = kernel_shap(values, background, score=products, rng=rng, coalitions=2**p)
    monkeypatch.setattr(MODULE, "EXACT_FEATURES", p)
    exact = kernel_shap(values, background, score=products, rng=rng)
    np.testing.assert_allclose(fit.values, exact.values, rtol=1e-8, atol=1e-10)


def test_drawn_coalitions_come_close_and_add_up(rng, monkeypatch):
    p = 14
    values, background = rng.normal(size=(3, p)), rng.normal(size=(4, p))
    some = kernel_shap(values, background, score=products, rng=rng, coalitions=3000)
    np.testing.assert_allclose(some.base + some.values.sum(axis=1), products(values), rtol=1e-9)
    monkeypatch.setattr(MODULE, "EXACT_FEATURES", p)
    exact = kernel_shap(values, background, score=products, rng=rng)
    spread = np.std(exact.values)
    assert 0 < np.abs(some.values - exact.values).max() < 0.1 * spread


def test_no_budget_to_draw_leaves_the_sizes_that_fit(rng):
    p = 12
    values, background = rng.normal(size=(2, p)), rng.normal(size=(3, p))
    weights = rng.normal(size=p)
    found = kernel_shap(
        values, background, score=lambda rows: rows @ weights, rng=rng, coalitions=2 * p
    )
    expected = (values - background.mean(axis=0)) * weights
    np.testing.assert_allclose(found.values, expected, rtol=1e-9, atol=1e-12)


def test_same_seed_same_values(rng):
    values, background = rng.normal(size=(2, 16)), rng.normal(size=(3, 16))
    one, two = (
        kernel_shap(values, background, score=products, rng=np.random.default_rng(4))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.values, two.values)


def test_one_feature_takes_all(rng):
    found = kernel_shap(np.array([[3.0]]), np.zeros((2, 1)), score=lambda x: x[:, 0] ** 2, rng=rng)
    assert found.values.tolist() == [[9.0]] and found.base == 0


def test_bad_input_is_refused(rng):
    def ask(p, **options):
        return kernel_shap(np.ones((2, p)), np.ones((2, p)), score=products, rng=rng, **options)

    with pytest.raises(DataError, match="selected features only"):
        ask(31)
    with pytest.raises(DataError, match="at least 24 coalitions"):
        ask(12, coalitions=20)
    with pytest.raises(DataError, match="at least one training patient"):
        kernel_shap(np.ones((2, 3)), np.ones((0, 3)), score=products, rng=rng)
