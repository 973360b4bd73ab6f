"""Wrappers around a model, on pure noise: a score off chance is a leak.

40 patients, 50 features, 24 repeats; the wrapper stands inside a plain outer cross-validation. The
mean score over independent repeats must have one half inside its 99 % interval.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import FallbackWarning
from radiogenomics.features.boruta import Boruta
from radiogenomics.features.genetic import GeneticSelector
from radiogenomics.features.rfecv import LinearSVMRFECV
from radiogenomics.models.linear_svm import LinearSVM

PATIENTS, FEATURES, REPEATS, FOLDS = 40, 50, 24, 3

WRAPPERS = {
    "LinearSVMRFECV": LinearSVMRFECV(n_splits=3),
    "LinearSVMRFECV-accuracy-1se": LinearSVMRFECV(0.1, 0.1, "accuracy", rule="1se", n_splits=3),
    "Boruta": Boruta(10, 8, 0.3, fallback=3),
    "Boruta-tentative": Boruta(10, 5, perc=90, tentative="keep"),
    "GeneticSelector": GeneticSelector(population=30, generations=10, n_splits=3),
    "GeneticSelector-k": GeneticSelector(5, population=30, generations=10, n_splits=3),
}


def interval(scores: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(scores) - 1, loc=np.mean(scores), scale=stats.sem(scores)
    )
    return float(low), float(high)


def auc(model: BaseEstimator, X: pd.DataFrame, y: np.ndarray, *, seed: int) -> float:
    """Mean over the folds: within a fold all scores come from one model."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        for train, test in folds.split(X, y):
            fitted = clone(model).fit(X.iloc[train], y[train])
            found.append(roc_auc_score(y[test], fitted.decision_function(X.iloc[test])))
    return float(np.mean(found))


def noise(repeat: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Features and balanced labels that know nothing of each other."""
    rng = np.random.default_rng([32, repeat])
    X = pd.DataFrame(rng.normal(size=(PATIENTS, FEATURES))).add_prefix("f")
    return X, rng.permutation(PATIENTS) % 2


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapper_inside_the_fold_finds_nothing_in_noise(name):
    model = make_pipeline(StandardScaler(), WRAPPERS[name], LinearSVM(C=0.1))
    aucs = []
    for repeat in range(REPEATS):
        X, y = noise(repeat)
        aucs.append(auc(model, X, y, seed=repeat))
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.2


@pytest.mark.parametrize(
    "wrapper", [LinearSVMRFECV(n_splits=3), GeneticSelector(5)], ids=lambda w: type(w).__name__
)
def test_canary_sings_when_the_wrapper_saw_the_test_part(wrapper):
    aucs = []
    for repeat in range(10):
        X, y = noise(repeat)
        kept = X.loc[:, clone(wrapper).fit(X, y).support_]
        aucs.append(auc(make_pipeline(StandardScaler(), LinearSVM(C=0.1)), kept, y, seed=repeat))
    assert interval(aucs)[0] > 0.65
