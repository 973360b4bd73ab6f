from __future__ import annotations

import numpy as np
import pytest
import shap
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.linear_shap import linear_shap, linear_weights
from radiogenomics.models.linear_svm import LinearSVM

LEARNERS = [LogisticRegression(), SVC(kernel="linear"), LinearSVM()]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: type(learner).__name__)
def test_equals_shap_and_brute_force(learner, cohort, brute_force):
    X, label, _ = cohort
    values = X.to_numpy()
    train, test = values[:60], values[60:70]
    model = learner.fit(train, label[:60])
    weights, intercept = linear_weights(model, model.decision_function, train)
    found = linear_shap(test, train, weights=weights, intercept=intercept)
    masker = shap.maskers.Independent(train, max_samples=len(train))
    theirs = shap.LinearExplainer((weights, intercept), masker)
    np.testing.assert_allclose(found.values, theirs.shap_values(test), rtol=1e-10, atol=1e-12)
    assert found.base == pytest.approx(theirs.expected_value, rel=1e-10)
    brute = brute_force(model.decision_function, test[:3], train)
    np.testing.assert_allclose(found.values[:3], brute, rtol=1e-9, atol=1e-11)
    assert found.base == pytest.approx(model.decision_function(train).mean(), rel=1e-10)


def test_models_that_bend_the_line_have_no_weights(cohort):
    X, label, _ = cohort
    values = X.to_numpy()
    bent = PoissonRegressor().fit(values / 50, label)
    assert linear_weights(bent, bent.predict, values[:20] / 50) is None
    for model in (
        SVC(kernel="rbf"),
        MLPClassifier(hidden_layer_sizes=2, solver="lbfgs", alpha=10.0),
    ):
        model.fit(values, label)
        assert linear_weights(model, lambda rows: rows[:, 0], values) is None


def test_weights_that_point_away_from_the_score_are_refused(cohort):
    X, label, _ = cohort
    model = LinearSVM().fit(X.to_numpy(), label)
    turned = linear_weights(model, lambda rows: -model.decision_function(rows), X.to_numpy())
    assert turned is None


def test_bad_input_is_refused():
    ones = np.ones((2, 3))
    with pytest.raises(DataError, match="at least one training patient"):
        linear_shap(ones, ones[:0], weights=np.ones(3))
    with pytest.raises(DataError, match="one weight a feature"):
        linear_shap(ones, ones, weights=np.ones(2))
