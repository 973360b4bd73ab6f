from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_selection import RFECV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning, SchemaError
from radiogenomics.features.rfecv import LinearSVMRFECV


def example(
    seed: int, shape: tuple[int, int], *, cut: float = 0.0, correlated: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([3, seed])
    X = rng.normal(size=shape)
    if correlated:
        X = 0.3 * X + rng.normal(size=(len(X), 5)) @ rng.normal(size=(5, shape[1]))
    y = (X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=len(X)) > cut).astype(int)
    return StandardScaler().fit_transform(X), y


@parametrize_with_checks(
    [
        LinearSVMRFECV(n_splits=2),
        LinearSVMRFECV(step=0.5, scoring="accuracy", rule="1se", n_splits=2),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def theirs_of(X, y, *, C, step, scoring, folds, keep=1) -> RFECV:
    machine = SVC(kernel="linear", C=C, tol=1e-10)
    return RFECV(machine, step=step, min_features_to_select=keep, cv=folds, scoring=scoring).fit(
        X, y
    )


def smallest_best(theirs: RFECV) -> int:
    """What they mean to choose; the sum of equal scores added in another order may differ."""
    mean = theirs.cv_results_["mean_test_score"]
    return int(theirs.cv_results_["n_features"][np.flatnonzero(mean >= mean.max() - 1e-12)[0]])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((60, 120), {}),
        ((70, 25), {"correlated": True}),
        ((100, 10), {"cut": 0.8}),
        ((40, 60), {"cut": 0.6, "correlated": True}),
    ],
    ids=["wide", "correlated", "long", "uneven"],
)
def test_agrees_with_scikit_learn(shape, options, seed):
    X, y = example(seed, shape, **options)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    theirs = theirs_of(X, y, C=1.0, step=1, scoring="roc_auc", folds=folds, keep=2)
    ours = LinearSVMRFECV(min_features=2, random_state=seed).fit(X, y)
    results = theirs.cv_results_
    assert ours.cv_n_features_.tolist() == results["n_features"].tolist()
    for fold in range(5):
        expected = results[f"split{fold}_test_score"]
        np.testing.assert_allclose(ours.cv_scores_[fold], expected, atol=1e-12)
    np.testing.assert_allclose(ours.cv_mean_, results["mean_test_score"], atol=1e-12)
    np.testing.assert_allclose(ours.cv_std_, results["std_test_score"], atol=1e-12)
    assert ours.n_features_ == smallest_best(theirs)
    if ours.n_features_ == theirs.n_features_:
        assert ours.ranking_.tolist() == theirs.ranking_.tolist()
        assert ours.support_.tolist() == theirs.support_.tolist()


@pytest.mark.parametrize("C", [0.05, 10.0])
@pytest.mark.parametrize("step", [7, 0.15])
def test_steps_accuracy_and_folds_in_order_agree_with_scikit_learn(step, C):
    X, y = example(8, (60, 80))
    folds = StratifiedKFold(4)
    theirs = theirs_of(X, y, C=C, step=step, scoring="accuracy", folds=folds, keep=3)
    ours = LinearSVMRFECV(C, step, "accuracy", n_splits=4, min_features=3, shuffle=False).fit(X, y)
    assert ours.cv_n_features_.tolist() == theirs.cv_results_["n_features"].tolist()
    np.testing.assert_allclose(ours.cv_mean_, theirs.cv_results_["mean_test_score"], atol=1e-12)
    assert ours.n_features_ == smallest_best(theirs) == theirs.n_features_
    assert ours.ranking_.tolist() == theirs.ranking_.tolist()
    assert ours.support_.sum() == ours.n_features_
    assert not ours.fell_back_


def test_one_standard_error_keeps_fewer():
    X, y = example(4, (80, 60))
    best, fewer = LinearSVMRFECV().fit(X, y), LinearSVMRFECV(rule="1se").fit(X, y)
    np.testing.assert_array_equal(best.cv_scores_, fewer.cv_scores_)
    at = np.argmax(best.cv_mean_)
    error = best.cv_scores_[:, at].std(ddof=1) / np.sqrt(5)
    within = best.cv_n_features_[best.cv_mean_ >= best.cv_mean_[at] - error]
    assert fewer.n_features_ == within[0] < best.n_features_
    assert set(np.flatnonzero(fewer.support_)) < set(np.flatnonzero(best.support_))


def test_finds_the_truth_in_simulation():
    found, kept = [], []
    for seed in range(10):
        rng = np.random.default_rng([9, seed])
        X = rng.normal(size=(120, 60))
        y = (X[:, :3].sum(axis=1) * 2 + rng.logistic(size=120) > 0).astype(int)
        fitted = LinearSVMRFECV(C=0.1, rule="1se", random_state=seed).fit(X, y)
        found.append(fitted.support_[:3].sum())
        kept.append(fitted.n_features_)
    assert np.mean(found) > 2.5
    assert np.mean(kept) < 10


def test_constant_columns_leave_first():
    X, y = example(1, (40, 6))
    X = np.column_stack([X[:, :3], np.zeros(40), X[:, 3:], np.zeros(40)])
    fitted = LinearSVMRFECV(min_features=2).fit(X, y)
    assert fitted.ranking_[3] == fitted.ranking_.max()
    assert fitted.ranking_[7] == fitted.ranking_.max() - 1


def test_fewer_folds_where_a_class_is_rare(rng):
    X, y = rng.normal(size=(30, 5)), np.arange(30) < 3
    X[:, 0] += 3 * y
    with pytest.warns(RadiogenomicsWarning, match="3 folds instead of 5.*3 patients of a class"):
        fitted = LinearSVMRFECV().fit(X, y)
    assert fitted.n_splits_ == len(fitted.cv_scores_) == 3
    with pytest.raises(OutcomeError, match="at least 2 patients of each class.*found 1"):
        LinearSVMRFECV().fit(X, np.arange(30) < 1)


def test_more_features_asked_for_than_there_are_keeps_all():
    X, y = example(2, (40, 4))
    assert LinearSVMRFECV(min_features=9).fit(X, y).support_.all()
    assert LinearSVMRFECV().fit(X[:, :1], y).support_.all()


def test_names_labels_and_seeds():
    X, y = example(5, (50, 12))
    frame = pd.DataFrame(X).add_prefix("f")
    named = np.where(y, "yes", "no")
    steps = make_pipeline(StandardScaler(), LinearSVMRFECV()).set_output(transform="pandas")
    out = steps.fit_transform(frame, named)
    plain = LinearSVMRFECV().fit(StandardScaler().fit_transform(X), y)
    assert list(out.columns) == [f"f{j}" for j in np.flatnonzero(plain.support_)]
    assert steps[-1].classes_.tolist() == ["no", "yes"]
    other = LinearSVMRFECV(random_state=1).fit(X, y)
    assert not np.array_equal(other.cv_scores_, plain.cv_scores_)


X_BAD, Y_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_BAD, np.zeros(20), OutcomeError, "two classes"),
        ({}, X_BAD, np.arange(20) % 3, OutcomeError, "two classes"),
        ({}, np.where(X_BAD > 1, np.nan, X_BAD), Y_BAD, ValueError, "NaN"),
        ({}, X_BAD, Y_BAD[:-1], ValueError, "inconsistent"),
        ({}, np.ones((20, 3)), Y_BAD, DataError, "found 3 constant"),
        ({"C": 0.0}, X_BAD, Y_BAD, DataError, "C: expected"),
        ({"step": 1.5}, X_BAD, Y_BAD, DataError, "step"),
        ({"step": 0}, X_BAD, Y_BAD, DataError, "step"),
        ({"n_splits": 1}, X_BAD, Y_BAD, DataError, "n_splits"),
        ({"min_features": 0}, X_BAD, Y_BAD, DataError, "min_features"),
        ({"scoring": "f1"}, X_BAD, Y_BAD, DataError, "auc, accuracy; found 'f1'"),
        ({"rule": "2se"}, X_BAD, Y_BAD, DataError, "best, 1se; found '2se'"),
    ],
)
def test_bad_input_says_what_is_wrong(parameters, X, y, error, message):
    with pytest.raises(error, match=message):
        LinearSVMRFECV(**parameters).fit(X, y)


def test_left_over_row_fact_fails_loudly():
    with pytest.raises(SchemaError, match="row fact.*@site"):
        frame = pd.DataFrame(X_BAD).add_prefix("f").assign(**{"@site": 1.0})
        clone(LinearSVMRFECV()).fit(frame, Y_BAD)
