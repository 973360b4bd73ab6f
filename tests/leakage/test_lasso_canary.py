"""Penalised selectors on pure noise: a score off chance is a leak.

80 patients, 200 features, 20 repeats; the selector stands inside a plain outer cross-validation. On
noise most choices fall back, so the fallback is tried here as much as the choice. The mean score
over independent repeats must have one half inside its 99 % interval.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import FallbackWarning
from radiogenomics.features.coxnet import CoxnetSelector
from radiogenomics.features.lasso import LassoSelector
from radiogenomics.features.stability import StabilitySelection
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.cox import fit_cox

PATIENTS, FEATURES, REPEATS, FOLDS = 80, 200, 20, 5
SELECTORS = {
    "lasso-min": LassoSelector(n_splits=5, n_lambdas=20),
    "lasso-1se": LassoSelector(rule="1se", n_splits=5, n_lambdas=20, fallback=5),
    "lasso-gaussian": LassoSelector("gaussian", n_splits=5, n_lambdas=20),
    "stability": StabilitySelection(n_resamples=20, fallback=5),
}
SURVIVAL_SELECTORS = {
    "coxnet-min": CoxnetSelector(n_splits=5, n_lambdas=20),
    "coxnet-1se": CoxnetSelector(rule="1se", n_splits=5, n_lambdas=20, fallback=5),
    "stability-cox": StabilitySelection(family="cox", n_resamples=20, fallback=5),
}


def noise(repeat: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, balanced labels and survival that know nothing of each other."""
    rng = np.random.default_rng([24, repeat])
    X = rng.normal(size=(PATIENTS, FEATURES))
    survival = np.empty(PATIENTS, dtype=[("event", bool), ("time", float)])
    survival["event"], survival["time"] = rng.random(PATIENTS) < 0.6, rng.exponential(24, PATIENTS)
    return X, rng.permutation(PATIENTS) % 2, survival


def interval(scores: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(scores) - 1, loc=np.mean(scores), scale=stats.sem(scores)
    )
    return float(low), float(high)


def c_index(steps, X, y, train, test) -> float:
    """Of the sum of the kept, standardised variables, each in its univariate direction."""
    kept = steps.fit_transform(X[train], y[train])
    sign = [
        np.sign(fit_cox(column, y["time"][train], y["event"][train]).coef[0]) for column in kept.T
    ]
    risk = steps.transform(X[test]) @ np.array(sign)
    return float(concordance(risk, y["time"][test], y["event"][test]).value)


@pytest.mark.parametrize("name", SELECTORS)
def test_selector_inside_the_fold_finds_nothing_in_noise(name):
    aucs, fell_back = [], []
    for repeat in range(REPEATS):
        X, y, _ = noise(repeat)
        inside = []
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        for train, test in folds.split(X, y):
            model = make_pipeline(clone(SELECTORS[name]), StandardScaler(), LinearSVM(C=0.1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FallbackWarning)
                model.fit(X[train], y[train])
            inside.append(roc_auc_score(y[test], model.decision_function(X[test])))
            fell_back.append(model[0].fell_back_)
        aucs.append(float(np.mean(inside)))
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.15
    if name.endswith("1se"):
        assert np.mean(fell_back) > 0.5


@pytest.mark.parametrize("name", SURVIVAL_SELECTORS)
def test_survival_selector_inside_the_fold_finds_nothing_in_noise(name):
    found = []
    for repeat in range(REPEATS):
        X, _, y = noise(repeat)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            inside = [
                c_index(
                    make_pipeline(clone(SURVIVAL_SELECTORS[name]), StandardScaler()), X, y, *fold
                )
                for fold in folds.split(X, y["event"])
            ]
        found.append(float(np.mean(inside)))
    low, high = interval(found)
    assert low < 0.5 < high
    assert high - low < 0.15


def test_canary_sings_when_the_selector_saw_the_test_part():
    aucs = []
    for repeat in range(REPEATS):
        X, y, _ = noise(repeat)
        chosen = LassoSelector(lambdas=[0.1], n_splits=2).fit_transform(X, y)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        model = make_pipeline(StandardScaler(), LinearSVM(C=0.1))
        aucs.append(
            np.mean(
                [
                    roc_auc_score(
                        y[test], model.fit(chosen[train], y[train]).decision_function(chosen[test])
                    )
                    for train, test in folds.split(X, y)
                ]
            )
        )
    assert interval(aucs)[0] > 0.75
