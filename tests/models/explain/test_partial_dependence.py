from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.inspection import partial_dependence as theirs
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, UnknownNameError
from radiogenomics.models.explain.partial_dependence import partial_dependence
from radiogenomics.models.survival.cox import CoxModel

MODULE = import_module("radiogenomics.models.explain.partial_dependence")


@pytest.mark.parametrize("feature", ["size", "age"])
@pytest.mark.parametrize(
    ("learner", "response", "scale"),
    [
        (GradientBoostingClassifier(n_estimators=10), "decision_function", "log-odds of 1"),
        (RandomForestClassifier(10, random_state=0), "predict_proba", "probability of 1"),
    ],
    ids=["gb", "rf"],
)
def test_equals_scikit_learn(learner, response, scale, feature, cohort, monkeypatch):
    X, label, _ = cohort
    X = X.assign(age=X["age"].round())
    model = learner.fit(X, label)
    monkeypatch.setattr(MODULE, "_CELLS", 7 * X.size)
    found = partial_dependence(model, X, feature=feature, points=20)
    other = theirs(
        model,
        X,
        [feature],
        response_method=response,
        method="brute",
        kind="both",
        grid_resolution=20,
    )
    np.testing.assert_allclose(found.grid, other["grid_values"][0], rtol=1e-12)
    np.testing.assert_allclose(found.mean, other["average"][0], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.curves, other["individual"][0], rtol=1e-10, atol=1e-14)
    assert found.scale == scale


def test_cox_curves_are_parallel_lines_of_its_coefficient(cohort):
    X, _, y = cohort
    model = CoxModel().fit(X, y)
    found = partial_dependence(model, X, feature="rim", grid=[1.0, 0.0])
    np.testing.assert_allclose(np.diff(found.curves, axis=1), model.coef_[1], rtol=1e-9)
    assert found.scale == "log hazard ratio"
    table = found.curve_table()
    assert len(table) == 2 * len(X) and table["observed"].nunique() == X["rim"].nunique()
    assert found.table()["value"].tolist() == [0.0, 1.0]


def test_arrays_are_numbered(cohort):
    X, label, _ = cohort
    model = LogisticRegression().fit(X.to_numpy(), label)
    named = LogisticRegression().fit(X, label)
    found = partial_dependence(model, X.to_numpy(), feature="x1", points=5)
    expected = partial_dependence(named, X, feature="rim", points=5)
    np.testing.assert_allclose(found.curves, expected.curves)


def test_bad_input_is_refused(cohort):
    X, label, _ = cohort
    model = LogisticRegression().fit(X, label)
    with pytest.raises(UnknownNameError, match="did you mean 'rim'"):
        partial_dependence(model, X, feature="rimm")
    with pytest.raises(DataError, match="varies"):
        partial_dependence(model, X.assign(rim=1.0), feature="rim")
    with pytest.raises(DataError, match="1 that are not"):
        partial_dependence(model, X.assign(rim=[np.nan, *X["rim"][1:]]), feature="rim")
    with pytest.raises(DataError, match="two quantiles"):
        partial_dependence(model, X, feature="rim", tails=(0.9, 0.1))
    with pytest.raises(DataError, match="grid: expected finite"):
        partial_dependence(model, X, feature="rim", grid=[np.inf])
    with pytest.raises(AlignmentError, match="should stand"):
        partial_dependence(model, X[X.columns[::-1]], feature="rim")
    with pytest.raises(OutcomeError, match="two classes"):
        three = LogisticRegression().fit(X, np.arange(len(X)) % 3)
        partial_dependence(three, X, feature="rim")
