"""Many ridge logistic regressions at once are those of scikit-learn one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.evaluation import many_labellings
from radiogenomics.evaluation.many_labellings import probabilities, ridge_logistic_many


def world(rng: np.random.Generator, *, n: int, p: int, classes: int, shift: float = 0.0):
    """Principal axes of patients, and labellings of which the first is the true one."""
    truth = np.arange(n) % classes
    X = rng.normal(size=(n, p)) + shift * rng.normal(size=(classes, p))[truth]
    X += 3 * rng.normal(size=(n, 2)) @ rng.normal(size=(2, p))
    X = (X - X.mean(axis=0)) / X.std(axis=0) / np.sqrt(p)
    design = X @ np.linalg.svd(X, full_matrices=False)[2].T
    return design, np.vstack([truth, *(rng.permutation(truth) for _ in range(7))])


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("p", [6, 80], ids=["few features", "more features than patients"])
@pytest.mark.parametrize("shift", [0.0, 3.0], ids=["noise", "separated"])
def test_each_labelling_is_the_regression_of_scikit_learn(rng, classes, p, shift):
    design, labels = world(rng, n=60, p=p, classes=classes, shift=shift)
    used = rng.random(labels.shape) < 0.8
    model = ridge_logistic_many(design, labels, classes=classes, penalty=1 / 9, used=used)
    told = probabilities(*model, design)
    for row, label in enumerate(labels):
        near = used[row]
        plain = LogisticRegression(C=9, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        plain.fit(design[near], label[near])
        np.testing.assert_allclose(told[row], plain.predict_proba(design), atol=1e-6)


def test_a_class_that_nobody_is_learnt_from_has_no_probability(rng):
    design, labels = world(rng, n=30, p=4, classes=3)
    used = np.ones(labels.shape, dtype=bool)
    used[0] = labels[0] != 1
    used[1] = labels[1] == 2
    told = probabilities(
        *ridge_logistic_many(design, labels, classes=3, penalty=0.5, used=used), design
    )
    assert (told[0, :, 1] == 0).all() and (told[1] == [0, 0, 1]).all()
    plain = LogisticRegression(C=2, solver="newton-cholesky", tol=1e-10)
    plain.fit(design[used[0]], labels[0][used[0]])
    np.testing.assert_allclose(told[0][:, [0, 2]], plain.predict_proba(design), atol=1e-6)
    np.testing.assert_allclose(told.sum(axis=2), 1.0)


def test_neither_company_nor_chunks_change_a_labelling(rng, monkeypatch):
    design, labels = world(rng, n=40, p=10, classes=3)
    together = probabilities(*ridge_logistic_many(design, labels, classes=3, penalty=1.0), design)
    alone = probabilities(*ridge_logistic_many(design, labels[2:3], classes=3, penalty=1.0), design)
    np.testing.assert_allclose(alone[0], together[2], atol=1e-9)
    monkeypatch.setattr(many_labellings, "_CHUNK", 40 * 3 * 2)
    parts = probabilities(*ridge_logistic_many(design, labels, classes=3, penalty=1.0), design)
    np.testing.assert_allclose(parts, together, atol=1e-9)


def test_what_has_not_converged_is_said(rng, monkeypatch):
    design, labels = world(rng, n=40, p=10, classes=3)
    monkeypatch.setattr(many_labellings, "_MAX_ITERATIONS", 2)
    with pytest.warns(RadiogenomicsWarning, match="8 of 8 logistic regressions stopped after 2"):
        ridge_logistic_many(design, labels, classes=3, penalty=1.0)
