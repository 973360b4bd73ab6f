from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning, SchemaError
from radiogenomics.features.folds import stratified_folds
from radiogenomics.features.genetic import GeneticSelector, subset_fitness


@parametrize_with_checks(
    [
        GeneticSelector(k=2, population=6, generations=2, elite=1, n_splits=2),
        GeneticSelector(population=6, generations=2, elite=1, n_splits=2),
    ]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def example(seed: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([13, seed])
    X = rng.normal(size=shape)
    return X, (X[:, :3].sum(axis=1) + 2 * rng.normal(size=len(X)) > 0).astype(int)


@pytest.mark.parametrize("ridge", [0.1, 3.0])
def test_fitness_agrees_with_scikit_learn(rng, monkeypatch, ridge):
    X, y = example(0, (60, 30))
    sets = rng.random((25, 30)) < rng.random((25, 1))
    sets[:, 7] = True
    sets[0] = np.arange(30) == 4
    sets[1] = True
    folds = stratified_folds(y, 4, owner=None, seed=0)
    found = subset_fitness(X, y, sets, folds=folds, ridge=ridge)
    for members, fitness in zip(sets, found, strict=True):
        aucs = []
        for train, test in folds:
            model = Ridge(alpha=ridge * len(train)).fit(X[train][:, members], y[train])
            aucs.append(roc_auc_score(y[test], model.predict(X[test][:, members])))
        assert fitness == pytest.approx(np.mean(aucs), abs=1e-12)
    monkeypatch.setattr("radiogenomics.features.genetic.BLOCK", 1)
    alone = subset_fitness(X, y, sets, folds=folds, ridge=ridge)
    np.testing.assert_allclose(found, alone, atol=1e-12)


def test_without_ridge_it_is_linear_discriminant_analysis():
    X, y = example(1, (80, 5))
    folds = stratified_folds(y, 5, owner=None, seed=0)
    found = subset_fitness(X, y, np.ones((1, 5), dtype=bool), folds=folds, ridge=1e-12)
    aucs = []
    for train, test in folds:
        model = LinearDiscriminantAnalysis().fit(X[train], y[train])
        aucs.append(roc_auc_score(y[test], model.decision_function(X[test])))
    assert found[0] == pytest.approx(np.mean(aucs), abs=1e-12)


def every_set(p: int, sizes: range) -> np.ndarray:
    chosen = [members for size in sizes for members in combinations(range(p), size)]
    return np.array([np.isin(np.arange(p), members) for members in chosen])


@pytest.mark.parametrize("k", [3, None])
def test_finds_what_trying_all_sets_finds(k):
    p = 15 if k else 10
    shares = []
    for seed in range(10):
        X, y = example(seed, (60, p))
        folds = stratified_folds(y, 5, owner=None, seed=seed)
        sets = every_set(p, range(k, k + 1) if k else range(1, p + 1))
        best = subset_fitness(X, y, sets, folds=folds, ridge=0.1).max()
        found = GeneticSelector(k=k, generations=40, random_state=seed).fit(X, y)
        assert found.fitness_ <= best + 1e-12
        shares.append(found.fitness_ / best)
    assert min(shares) > 0.99
    assert np.mean(np.array(shares) > 1 - 1e-12) >= 0.8


def test_finds_the_truth_in_simulation():
    found = []
    for seed in range(10):
        rng = np.random.default_rng([14, seed])
        X = rng.normal(size=(150, 60))
        y = (X[:, :3].sum(axis=1) * 2 + rng.logistic(size=150) > 0).astype(int)
        found.append(GeneticSelector(k=3, random_state=seed).fit(X, y).support_[:3].sum())
    assert np.mean(found) > 2.8


def test_fitness_is_optimistic_on_noise(rng):
    X, y = rng.normal(size=(60, 100)), np.arange(60) % 2
    fitted = GeneticSelector(k=5).fit(X, y)
    assert fitted.fitness_ > 0.8
    fresh = rng.normal(size=(2000, 100)), np.arange(2000) % 2
    model = LinearDiscriminantAnalysis().fit(X[:, fitted.support_], y)
    assert roc_auc_score(fresh[1], model.decision_function(fresh[0][:, fitted.support_])) < 0.56


def test_what_is_learnt():
    X, y = example(2, (60, 40))
    fitted = GeneticSelector(generations=20, max_features=6).fit(X, y)
    assert fitted.selected_.tolist() == np.flatnonzero(fitted.support_).tolist()
    assert 1 <= len(fitted.selected_) <= 6
    assert len(fitted.history_) == 21
    assert (np.diff(fitted.history_) >= 0).all()
    assert fitted.history_[-1] == fitted.fitness_ > fitted.history_[0]
    folds = stratified_folds(y, 5, owner=None, seed=0)
    again = subset_fitness(X, y, fitted.support_[None], folds=folds, ridge=0.1)[0]
    assert again == pytest.approx(fitted.fitness_, abs=1e-12)
    assert fitted.scores_[fitted.selected_].min() > np.median(fitted.scores_)


def test_same_seed_same_set_another_seed_another_search():
    X, y = example(3, (60, 80))
    first, second, other = (
        GeneticSelector(k=6, generations=10, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    assert first.selected_.tolist() == second.selected_.tolist()
    np.testing.assert_array_equal(first.history_, second.history_)
    assert not np.array_equal(first.scores_, other.scores_)


@pytest.mark.parametrize("mutation", [0, 1.0, 50.0])
@pytest.mark.parametrize("k", [4, None])
def test_sets_keep_their_size(k, mutation):
    X, y = example(4, (40, 12))
    fitted = GeneticSelector(
        k=k, population=10, generations=5, max_features=4, mutation=mutation
    ).fit(X, y)
    assert len(fitted.selected_) == 4 if k else 1 <= len(fitted.selected_) <= 4
    assert fitted.scores_.sum() <= 4 + 1e-12


def test_more_asked_for_than_varies_and_constants_are_never_kept():
    X, y = example(5, (40, 5))
    X[:, 1] = 7
    fitted = GeneticSelector(k=9, population=8, generations=2).fit(X, y)
    assert fitted.selected_.tolist() == [0, 2, 3, 4]
    assert np.isneginf(fitted.scores_[1])
    assert GeneticSelector(generations=2).fit(X[:, :1], y).selected_.tolist() == [0]


def test_fewer_folds_where_a_class_is_rare(rng):
    X, y = rng.normal(size=(30, 5)), np.arange(30) < 3
    with pytest.warns(RadiogenomicsWarning, match="3 folds instead of 5"):
        assert GeneticSelector(generations=2).fit(X, y).n_splits_ == 3
    with pytest.raises(OutcomeError, match="at least 2 patients of each class"):
        GeneticSelector().fit(X, np.arange(30) < 1)


X_BAD, Y_BAD = np.random.default_rng(4).normal(size=(20, 3)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_BAD, np.zeros(20), OutcomeError, "two classes"),
        ({}, X_BAD, np.arange(20) % 3, OutcomeError, "two classes"),
        ({}, np.where(X_BAD > 1, np.nan, X_BAD), Y_BAD, ValueError, "NaN"),
        ({}, X_BAD, Y_BAD[:-1], ValueError, "inconsistent"),
        ({}, np.ones((20, 3)), Y_BAD, DataError, "found 3 constant"),
        ({"k": 0}, X_BAD, Y_BAD, DataError, "k: expected"),
        ({"population": 1}, X_BAD, Y_BAD, DataError, "population"),
        ({"generations": -1}, X_BAD, Y_BAD, DataError, "generations"),
        ({"elite": 60}, X_BAD, Y_BAD, DataError, "fewer elite"),
        ({"ridge": 0}, X_BAD, Y_BAD, DataError, "ridge above 0"),
        ({"mutation": -1}, X_BAD, Y_BAD, DataError, "mutation from 0"),
        ({"n_splits": 1}, X_BAD, Y_BAD, DataError, "n_splits"),
    ],
)
def test_bad_input_says_what_is_wrong(parameters, X, y, error, message):
    with pytest.raises(error, match=message):
        GeneticSelector(**parameters).fit(X, y)


def test_left_over_row_fact_fails_loudly():
    with pytest.raises(SchemaError, match="row fact.*@site"):
        GeneticSelector().fit(pd.DataFrame(X_BAD).add_prefix("f").assign(**{"@site": 1.0}), Y_BAD)
