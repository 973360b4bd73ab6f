from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sksurv.linear_model import CoxPHSurvivalAnalysis

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.features.rank_selector import RankSelector
from radiogenomics.models.explain.explain import explain
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.survival.cox import CoxModel
from radiogenomics.models.survival.forest import SurvivalForest
from radiogenomics.models.survival.tuned import TunedSurvival

STEPS = [("select", RankSelector(k=3)), ("standardise", StandardScaler())]


@pytest.mark.parametrize(
    ("word", "method"),
    [
        ("svm", "linear"),
        ("svc", "linear"),
        ("lr", "linear"),
        ("lasso_lr", "linear"),
        ("rf", "tree, against a background"),
        ("gb", "tree, against a background"),
        ("adaboost", "tree, against a background"),
        ("tree", "tree, against a background"),
        ("svm_rbf", "kernel, exact"),
        ("knn", "kernel, exact"),
        ("nb", "kernel, exact"),
        ("mlp", "kernel, exact"),
    ],
)
def test_tuned_classifiers_add_up_to_their_calibrated_log_odds(word, method, cohort, rng):
    X, label, _ = cohort
    model = surrogate(STEPS, word, n_splits=3).fit(X[:60], label[:60])
    found = explain(model, X[60:], background=X[:20], rng=rng)
    assert (found.method, found.scale) == (method, "log-odds of 1")
    assert list(found.features) == list(model.selected_features_)
    assert model.calibration_.slope > 0
    total = found.base + found.values.sum(axis=1)
    np.testing.assert_allclose(total, model.decision_function(X[60:]), rtol=1e-8, atol=1e-10)
    assert found.base == pytest.approx(model.decision_function(X[:20]).mean(), rel=1e-8)
    exact = explain(model, X[60:64], background=X[:20], rng=rng, method="kernel")
    np.testing.assert_allclose(found.values[:4], exact.values, rtol=1e-8, atol=1e-10)


def test_tuned_xgboost_is_explained_before_its_calibration(cohort, rng):
    X, label, _ = cohort
    model = surrogate(STEPS, "xgb", n_splits=3).fit(X[:60], label[:60])
    found = explain(model, X[60:], background=X[:20], rng=rng)
    assert found.scale == "log-odds of 1 before calibration"
    p = model.pipeline_.predict_proba(X[60:].to_numpy())[:, 1]
    np.testing.assert_allclose(found.output, np.log(p / (1 - p)), rtol=1e-4, atol=1e-5)


def test_pipelines_name_what_reaches_the_learner(cohort, rng):
    X, label, _ = cohort
    pipeline = Pipeline([*STEPS, ("lr", LogisticRegression())]).fit(X[:60], label[:60])
    found = explain(pipeline, X[60:], background=X[:60], rng=rng)
    selected = pipeline[:-1].get_feature_names_out()
    assert list(found.features) == list(selected) and found.scale == "log-odds of 1"
    # What is said does not hang on the standardisation in between.
    whole = pipeline[-1].coef_[0] / pipeline[1].scale_
    expected = whole * (X[selected][60:] - X[selected][:60].mean()).to_numpy()
    np.testing.assert_allclose(found.values, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.output, pipeline.decision_function(X[60:]))
    shown = found.with_units_of(X[60:])
    np.testing.assert_array_equal(shown.data, X[selected][60:])


@pytest.mark.parametrize(
    ("final", "method", "scale"),
    [
        (CoxModel(penalty=1.0), "linear", "log hazard ratio"),
        (SurvivalForest(n_estimators=10, random_state=0), "tree", "risk (expected events)"),
    ],
    ids=["cox", "rsf"],
)
def test_survival_models(final, method, scale, cohort, rng):
    X, _, y = cohort
    steps = Pipeline([("standardise", StandardScaler()), ("model", final)])
    model = TunedSurvival(steps, {}, n_splits=3).fit(X[:60], y[:60])
    for fitted in (model, Pipeline(model.pipeline_.steps)):
        given = X if fitted is model else X.to_numpy()
        found = explain(fitted, given[60:], background=given[:60], rng=rng)
        assert found.method.startswith(method) and found.scale == scale
        total = found.base + found.values.sum(axis=1)
        np.testing.assert_allclose(total, model.predict(X[60:]), rtol=1e-9)


def test_path_dependent_trees_need_no_background(cohort, rng):
    X, label, _ = cohort
    model = RandomForestClassifier(10, random_state=0).fit(X[:60], label[:60])
    found = explain(model, X[60:], background=None, rng=rng)
    assert (found.method, found.scale) == ("tree, path-dependent", "probability of 1")
    np.testing.assert_allclose(found.output, model.predict_proba(X[60:])[:, 1])


def test_other_libraries_and_models_with_names(cohort, rng):
    X, label, y = cohort
    cox = CoxPHSurvivalAnalysis().fit(X[:60], y[:60])
    found = explain(cox, X[60:], background=X[:60], rng=rng)
    assert (found.method, found.scale) == ("linear", "risk")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svm = make_pipeline(StandardScaler(), SVC()).set_output(transform="pandas")
        svm.fit(X[:60], label[:60])
        found = explain(svm, X[60:63], background=X[:10], rng=rng)
    assert found.method == "kernel, exact"
    np.testing.assert_allclose(found.output, svm.decision_function(X[60:63]))


def test_direction_is_towards_the_second_class(cohort, rng):
    X, _, _ = cohort
    words = np.where(X["rim"] > 0, "responder", "other")
    model = LinearSVC().fit(X, words)
    found = explain(model, X, background=X, rng=rng)
    assert found.scale == "decision score of responder"
    rim = found.values[:, list(X).index("rim")]
    assert np.corrcoef(rim, X["rim"])[0, 1] > 0.99


def test_flat_calibration_is_said(cohort, rng):
    X, label, _ = cohort
    noise = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    model = surrogate([], "svm", n_splits=3).fit(noise, label[:60])
    object.__setattr__(model.calibration_, "informative", False)
    with pytest.warns(RadiogenomicsWarning, match="not informative"):
        explain(model, noise, background=noise, rng=rng)


def test_features_in_another_order_are_refused(cohort, rng):
    X, label, _ = cohort
    model = surrogate([], "svm", n_splits=3).fit(X, label)
    with pytest.raises(AlignmentError, match="found rim where size should stand"):
        explain(model, X[["rim", "size", "entropy", "age", "noise"]], background=X, rng=rng)
    with pytest.raises(AlignmentError, match="background.*found no noise"):
        explain(model, X, background=X.drop(columns="noise"), rng=rng)
    with pytest.raises(AlignmentError, match="Pass a DataFrame"):
        explain(model, X.to_numpy(), background=X, rng=rng)
    plain = LogisticRegression().fit(X.to_numpy(), label)
    with pytest.raises(AlignmentError, match="expected 5 features"):
        explain(plain, X.to_numpy(), background=X.to_numpy()[:, :4], rng=rng)


def test_missing_values_and_empty_backgrounds_are_refused(cohort, rng):
    X, label, _ = cohort
    model = LogisticRegression().fit(X, label)
    holed = X.copy()
    holed.iloc[3, 1] = np.nan
    with pytest.raises(DataError, match="X: expected finite features; found 1 NaN"):
        explain(model, holed, background=X, rng=rng)
    with pytest.raises(DataError, match="background: expected finite"):
        explain(model, X, background=holed, rng=rng)
    with pytest.raises(DataError, match="background: expected at least one patient"):
        explain(model, X, background=X[:0], rng=rng)
    with pytest.raises(DataError, match="background of training patients; found none"):
        explain(model, X, background=None, rng=rng)


def test_models_that_cannot_be_explained_are_refused(cohort, rng):
    X, label, _ = cohort
    three = LogisticRegression().fit(X, np.arange(len(X)) % 3)
    with pytest.raises(OutcomeError, match="two classes; found 3"):
        explain(three, X, background=X, rng=rng)
    with pytest.raises(DataError, match="StandardScaler with none"):
        explain(StandardScaler().fit(X), X, background=X, rng=rng)
    tree = DecisionTreeClassifier().fit(X, label)
    with pytest.raises(DataError, match="linear for method='linear'"):
        explain(tree, X, background=X, rng=rng, method="linear")
    network = MLPClassifier(hidden_layer_sizes=2, alpha=10.0, solver="lbfgs").fit(X, label)
    with pytest.raises(DataError, match="readable trees"):
        explain(network, X, background=X, rng=rng, method="tree")
    with pytest.raises(UnknownNameError, match="did you mean 'kernel'"):
        explain(tree, X, background=X, rng=rng, method="kernal")
