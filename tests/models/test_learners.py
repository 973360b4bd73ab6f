from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone, is_classifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import DataError, MissingExtraError, UnknownNameError
from radiogenomics.models import learner, learner_names, surrogate

# Published numbers of the demonstration depend on these; another setting is another learner.
SETTLED = {
    "svm": ("LinearSVM", {}, ({"C": (0.01, 0.1, 1.0, 10.0)},)),
    "lr": ("LogisticRegression", {"max_iter": 1000, "C": 1.0}, ({"C": (0.01, 0.1, 1.0, 10.0)},)),
    "rf": ("RandomForestClassifier", {"n_estimators": 100}, ({"min_samples_leaf": (5,)},)),
    "knn": ("NearestNeighbours", {"weights": "uniform"}, ({"n_neighbors": (11, 7, 5)},)),
    "nb": ("NaiveBayes", {}, ({"var_smoothing": (0.1, 1e-9)},)),
    "gb": (
        "GradientBoostingClassifier",
        {"n_estimators": 50, "max_depth": 2},
        ({"learning_rate": (0.03, 0.1)},),
    ),
}


def test_names_and_near_miss():
    assert set(SETTLED) < set(learner_names())
    assert {"svc", "svm_rbf", "lasso_lr", "tree", "et", "bagging"} < set(learner_names())
    assert {"adaboost", "xgb", "mlp", "stacking"} < set(learner_names())
    with pytest.raises(UnknownNameError, match="did you mean 'svm'"):
        learner("svn", random_state=0)
    with pytest.raises(UnknownNameError):
        surrogate([], "svn")


@pytest.mark.parametrize("name", SETTLED)
def test_settled_learners_keep_their_settings(name):
    kind, settings, grid = SETTLED[name]
    chosen = learner(name, random_state=4)
    assert type(chosen.estimator).__name__ == kind
    parameters = chosen.estimator.get_params()
    assert {key: parameters[key] for key in settings} == settings
    assert parameters.get("random_state") in (None, 4)
    assert chosen.grid == grid


def test_xgboost_is_listed_and_asked_for_where_it_is_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    assert "xgb" in learner_names()
    with pytest.raises(MissingExtraError, match=r"radiogenomics\[boost\]"):
        learner("xgb")


@pytest.mark.parametrize("name", learner_names())
def test_grid_points_are_parameters_of_a_classifier(name, rng):
    chosen = learner(name, random_state=1)
    assert chosen.card.name == name
    assert chosen.card.learns
    assert is_classifier(chosen.estimator)
    assert len(list(ParameterGrid(list(chosen.grid)))) <= 6
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    for point in ParameterGrid(list(chosen.grid)):
        clone(chosen.estimator).set_params(**point).fit(X, y)


@pytest.mark.parametrize("name", learner_names())
def test_each_call_gives_an_estimator_of_its_own(name):
    first = learner(name, random_state=0)
    first.estimator.set_params(**{key: values[0] for key, values in first.grid[0].items()})
    assert learner(name, random_state=0).estimator is not first.estimator


@pytest.mark.parametrize("name", learner_names())
def test_each_learner_finds_a_strong_signal_and_repeats_itself(name, rng):
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 3)) + 2 * np.outer(y, [1, 0, 0])
    new_y = np.arange(400) % 2
    new = rng.normal(size=(400, 3)) + 2 * np.outer(new_y, [1, 0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models = [
            surrogate([("standardise", StandardScaler())], name, random_state=3).fit(X, y)
            for _ in range(2)
        ]
        first, second = (model.predict_proba(new)[:, 1] for model in models)
    assert np.array_equal(first, second)
    assert roc_auc_score(new_y, first) > 0.8  # the best possible is 0.92
    log_loss = -np.log(np.where(new_y == 1, first, 1 - first)).mean()
    assert log_loss < np.log(2)


@pytest.mark.parametrize("name", learner_names())
def test_features_that_say_nothing_give_everybody_the_prevalence(name):
    """Constant features, balanced classes: the case in which boosting has nothing to boost.

    Inner folds of other class sizes give learners other constants, an order that calibration keeps
    within log-odds of 0.01: a quarter of a percent, or a little more outside their range.
    """
    y = np.arange(60) % 2
    model = surrogate([], name).fit(np.ones((60, 2)), y)
    probability = model.predict_proba(np.ones((5, 2)))[:, 1]
    assert np.ptp(probability) == 0
    assert abs(np.log(probability[0] / (1 - probability[0]))) < 0.03


@pytest.mark.parametrize("name", learner_names())
def test_more_features_than_patients_and_few_of_one_class(name, rng):
    y = (np.arange(32) % 4 == 0).astype(int)
    X = rng.normal(size=(32, 60)) + np.outer(y, np.r_[np.full(4, 2.0), np.zeros(56)])
    model = surrogate([("standardise", StandardScaler())], name, n_splits=3).fit(X, y)
    probability = model.predict_proba(X)[:, 1]
    assert np.isfinite(probability).all()
    assert probability[y == 1].mean() >= probability[y == 0].mean() - 1e-12


@pytest.mark.parametrize("name", ["svm_rbf", "knn", "mlp", "gb", "xgb", "et", "bagging", "rf"])
def test_curved_learners_find_what_no_line_can(name, rng):
    """The class is the product of two signs: each feature alone, and every line, is at chance."""
    X, new = rng.normal(size=(300, 2)), rng.normal(size=(400, 2))
    model = surrogate([], name).fit(X, X.prod(axis=1) > 0)
    assert roc_auc_score(new.prod(axis=1) > 0, model.decision_function(new)) > 0.85


def test_lasso_minimises_its_objective(rng):
    """By a general optimiser, weights split into two halves of 0 or more.

    liblinear penalises the intercept as it does the weights, here by a hundredth.
    """
    X = rng.normal(size=(90, 6))
    y = np.where(X[:, 0] - 0.7 * X[:, 1] + rng.normal(size=90) > 0.6, 1.0, -1.0)
    C, design = 0.3, np.column_stack([X, np.ones(90)])
    penalty = np.r_[np.ones(6), 0.01]

    def objective(halves):
        margin = y * (design @ (halves[:7] - halves[7:]))
        pull = design.T @ (-C * y / (1 + np.exp(margin)))
        loss = C * np.logaddexp(0, -margin).sum() + halves @ np.r_[penalty, penalty]
        return loss, np.r_[pull + penalty, penalty - pull]

    found = minimize(
        objective,
        np.zeros(14),
        jac=True,
        bounds=[(0, None)] * 14,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 10_000},
    ).x
    expected = found[:7] - found[7:]
    fitted = learner("lasso_lr").estimator.set_params(C=C, tol=1e-12, max_iter=100_000).fit(X, y)
    ours = np.append(fitted.coef_[0], fitted.intercept_[0])
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert np.array_equal(ours == 0, np.abs(expected) < 1e-9)
    quick = learner("lasso_lr").estimator.set_params(C=C).fit(X, y)
    np.testing.assert_allclose(quick.coef_[0], expected[:6], atol=1e-3)


def test_too_few_patients_to_ask_are_named():
    model = learner("knn").estimator
    with pytest.raises(DataError, match="knn: expected at least 5 patients.*found n_samples = 4"):
        model.fit(np.arange(4.0)[:, None], [0, 1, 0, 1])
