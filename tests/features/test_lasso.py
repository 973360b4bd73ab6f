from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LassoCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    FallbackWarning,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.features.lasso import LassoSelector
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"


def wide() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    table = pd.read_csv(REFERENCE / "elastic_net_wide.csv")
    return table.filter(regex=r"^X\d"), table["label"], table["score"]


@parametrize_with_checks(
    [
        LassoSelector(n_splits=2, n_lambdas=10),
        LassoSelector("gaussian", n_splits=2, n_lambdas=10),
        LassoSelector(l1_ratio=0.5, rule="1se", n_splits=2, n_lambdas=10),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.parametrize(("family", "l1_ratio"), [("binomial", 1), ("binomial", 0.5)])
def test_keeps_what_has_a_coefficient_at_the_chosen_penalty(family, l1_ratio, rule):
    X, label, _ = wide()
    fitted = LassoSelector(family, l1_ratio, rule).fit(X, label)
    assert not fitted.fell_back_
    assert fitted.support_.tolist() == (fitted.coef_ != 0).tolist()
    assert list(fitted.get_feature_names_out()) == list(X.columns[fitted.coef_ != 0])
    lowest = np.argmin(fitted.cv_mean_)
    if rule == "min":
        assert fitted.lambda_ == fitted.lambdas_[lowest]
    else:
        within = fitted.cv_mean_ <= fitted.cv_mean_[lowest] + fitted.cv_se_[lowest]
        assert fitted.lambda_ == fitted.lambdas_[within].max() > fitted.lambdas_[lowest]


def test_folds_spread_the_classes_evenly(monkeypatch):
    X, label, _ = wide()
    seen = []

    def spy(*arrays, folds, **options):
        seen.append(folds)
        return choose_penalty(*arrays, folds=folds, **options)

    monkeypatch.setattr("radiogenomics.features.path_selector.choose_penalty", spy)
    LassoSelector(n_splits=7).fit(X, label)
    LassoSelector(n_splits=7, random_state=1).fit(X, label)
    counts = pd.crosstab(seen[0], label.to_numpy())
    assert counts.shape == (7, 2)
    assert (counts.max() - counts.min()).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1
    assert not np.array_equal(*seen)


def test_same_seed_same_choice_and_labels_of_any_name():
    X, label, _ = wide()
    first = LassoSelector().fit(X, label)
    named = LassoSelector().fit(X, label.map({0: "absent", 1: "present"}))
    assert named.classes_.tolist() == ["absent", "present"]
    np.testing.assert_array_equal(first.coef_, named.coef_)
    assert first.intercept_ == named.intercept_


@pytest.mark.parametrize("target", ["label", "score"])
def test_agrees_with_lasso_cv_on_equal_folds(target):
    # What scripts do: standardise all patients, then LassoCV on 100 penalties, folds in order.
    X, label, score = wide()
    y = label if target == "label" else score
    grid = np.logspace(-3 if target == "label" else -2, 1, 100)
    scaled = StandardScaler().fit_transform(X)
    theirs = LassoCV(alphas=grid, cv=10, max_iter=10**6, tol=1e-10).fit(scaled, y)
    ours = LassoSelector("gaussian", lambdas=grid, standardise=False, shuffle=False).fit(scaled, y)
    np.testing.assert_allclose(ours.lambdas_, theirs.alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.cv_mean_, theirs.mse_path_.mean(axis=1), rtol=1e-6)
    assert ours.lambda_ == pytest.approx(theirs.alpha_, rel=1e-12)
    assert ours.support_.tolist() == (theirs.coef_ != 0).tolist()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-7)


def test_finds_the_truth_in_simulation():
    found, false = [], []
    for seed in range(5):
        rng = np.random.default_rng([5, seed])
        X = rng.normal(size=(150, 200))
        y = (X[:, :3].sum(axis=1) * 1.5 + rng.logistic(size=150) > 0).astype(int)
        kept = LassoSelector(rule="1se", n_splits=5).fit(X, y).support_
        found.append(kept[:3].sum())
        false.append(kept[3:].sum())
    assert np.mean(found) > 2.9
    assert np.mean(false) < 8


def test_noise_falls_back_on_the_first_of_the_path(rng):
    X = rng.normal(size=(60, 300))
    y = np.arange(60) % 2
    with pytest.warns(FallbackWarning, match="none of 300 variables"):
        fitted = LassoSelector(rule="1se", fallback=3).fit(X, y)
    assert fitted.fell_back_
    assert fitted.support_.sum() == 3
    assert not fitted.coef_.any()
    # The first on the path goes with the label most.
    correlation = np.abs(np.corrcoef(np.column_stack([X, y]), rowvar=False)[-1, :-1])
    assert fitted.support_[np.argmax(correlation)]
    assert fitted.scores_.max() == -1
    with pytest.raises(DataError, match="found none of 300"):
        LassoSelector(rule="1se", fallback=0).fit(X, y)


def test_separated_classes_stay_finite(rng):
    X = rng.normal(size=(40, 100))
    y = (X[:, 7] > 0).astype(int)
    fitted = LassoSelector(n_splits=5).fit(X, y)
    assert np.isfinite(fitted.coef_).all()
    assert np.isfinite(fitted.cv_mean_).all()
    assert fitted.support_[7]


def test_constant_columns_are_never_kept(rng):
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 3)), np.full(40, 1e9)])
    y = (X[:, 1] + 0.5 * rng.normal(size=40) > 0).astype(int)
    fitted = LassoSelector(l1_ratio=0.5).fit(X, y)
    assert fitted.support_.tolist()[0::4] == [False, False]
    assert np.isneginf(fitted.scores_[[0, 4]]).all()


def test_fewer_folds_where_a_class_is_rare(rng):
    X = rng.normal(size=(30, 5))
    y = np.arange(30) < 4
    X[:, 0] += 3 * y
    with pytest.warns(RadiogenomicsWarning, match="4 folds instead of 10"):
        fitted = LassoSelector().fit(X, y)
    assert fitted.n_splits_ == 4
    with pytest.raises(OutcomeError, match="at least 2 patients of each class"):
        LassoSelector().fit(X, np.arange(30) < 1)


def test_works_in_a_pipeline_with_frames():
    X, label, _ = wide()
    steps = make_pipeline(StandardScaler(), LassoSelector()).set_output(transform="pandas")
    out = steps.fit_transform(X, label)
    assert out.index.equals(X.index)
    assert set(out.columns) < set(X.columns)


X_BAD, Y_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_BAD, np.zeros(20), OutcomeError, "two classes"),
        ({}, X_BAD, np.arange(20) % 3, OutcomeError, "two classes"),
        ({}, np.where(X_BAD > 1, np.nan, X_BAD), Y_BAD, ValueError, "NaN"),
        ({}, X_BAD, Y_BAD[:-1], ValueError, "inconsistent"),
        ({}, X_BAD[:1], Y_BAD[:1], OutcomeError, "two classes"),
        ({}, np.ones((20, 3)), Y_BAD, DataError, "varies"),
        ({"family": "gaussian"}, X_BAD, np.zeros(20), DataError, "varies with the outcome"),
        ({"family": "cox"}, X_BAD, Y_BAD, UnknownNameError, "cox"),
        ({"rule": "2se"}, X_BAD, Y_BAD, DataError, "rule"),
        ({"n_splits": 1}, X_BAD, Y_BAD, DataError, "n_splits"),
        ({"l1_ratio": 0.0}, X_BAD, Y_BAD, DataError, "l1_ratio"),
        ({"lambdas": [0.1, -1.0]}, X_BAD, Y_BAD, DataError, "lambdas"),
    ],
)
def test_bad_input_says_what_is_wrong(parameters, X, y, error, message):
    with pytest.raises(error, match=message):
        LassoSelector(**parameters).fit(X, y)


def test_left_over_row_fact_fails_loudly():
    X, label, _ = wide()
    with pytest.raises(SchemaError, match="row fact.*@site"):
        clone(LassoSelector()).fit(X.assign(**{"@site": 1.0}), label)
