"""A model of two scans with a fall-back on pure noise: an AUC of one half.

60 patients, 100 features a scan, a third of them without the later one, labels drawn apart. The
mean AUC over independent repeats of a plain outer cross-validation must have one half inside its
99 % interval; selecting features before the split shows what the canary would say.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.models import TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback

PATIENTS, FEATURES, REPEATS, FOLDS = 60, 100, 30, 3


def selecting() -> TunedClassifier:
    steps = make_pipeline(SelectKBest(k=5), StandardScaler(), LogisticRegression())
    return TunedClassifier(steps, {"C": (0.01, 1.0)}, n_splits=3)


def noise_cohort(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([73, repeat])
    X = rng.normal(size=(PATIENTS, 2 * FEATURES))
    X[rng.random(PATIENTS) < 1 / 3, FEATURES:] = np.nan
    return X, rng.permutation(PATIENTS) % 2


def outer_auc(X: np.ndarray, y: np.ndarray, *, repeat: int, later: range) -> float:
    aucs = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=repeat).split(X, y):
        model = BaselineFallback(selecting(), selecting(), later).fit(X[train], y[train])
        aucs.append(roc_auc_score(y[test], model.decision_function(X[test])))
    return float(np.mean(aucs))


@pytest.mark.parametrize("leaking", [False, True])
def test_fallback_finds_nothing_in_noise(leaking):
    aucs = []
    for repeat in range(REPEATS):
        X, y = noise_cohort(repeat)
        later = range(FEATURES, 2 * FEATURES)
        if leaking:
            both = ~np.isnan(X).any(axis=1)
            first = SelectKBest(k=10).fit(X[:, :FEATURES], y).get_support(indices=True)
            second = SelectKBest(k=10).fit(X[both, FEATURES:], y[both]).get_support(indices=True)
            X, later = X[:, [*first, *(second + FEATURES)]], range(10, 20)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            aucs.append(outer_auc(X, y, repeat=repeat, later=later))
    low, high = stats.t.interval(0.99, REPEATS - 1, loc=np.mean(aucs), scale=stats.sem(aucs))
    assert high - low < 0.15
    assert (low > 0.6) if leaking else (low < 0.5 < high)
