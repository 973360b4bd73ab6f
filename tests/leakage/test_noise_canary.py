"""Every transformer and learner word on pure noise: an AUC off one half is a leak.

80 patients, 1000 features, labels drawn apart from them. Each word goes through a plain outer
cross-validation of scikit-learn's; the mean AUC over independent repeats must have one half inside
its 99 % interval. Selecting before the split, on the same data, shows what the canary would say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import radiogenomics.features
from radiogenomics.features import (
    CensoredNormalImputer,
    DropConstant,
    LowNormalImputer,
    LowQuantileImputer,
    MedianImputer,
    RankSelector,
)
from radiogenomics.models import learner_names, surrogate
from radiogenomics.models.linear_svm import LinearSVM

PATIENTS, FEATURES, REPEATS, FOLDS = 80, 1000, 20, 5
# Ensembles are slow. Their repeats are not cut, as the AUC on noise is skewed (most just below one
# half, a tail above) and an interval from few would lie; a leak does not need many trees to show.
TREES = {
    "rf": {"pipeline__rf__n_estimators": 10},
    "gb": {"pipeline__gb__n_estimators": 15},
    "et": {"pipeline__et__n_estimators": 10},
    "bagging": {"pipeline__bagging__n_estimators": 10},
    "stacking": {"pipeline__stacking__n_splits": 2},
}

TRANSFORMERS = {
    "DropConstant": DropConstant(),
    "MedianImputer": MedianImputer(max_missing=0.5),
    "RankSelector": RankSelector(k=10),
    "LowQuantileImputer": LowQuantileImputer(max_missing=0.5),
    "LowNormalImputer": LowNormalImputer(max_missing=0.5),
    "CensoredNormalImputer": CensoredNormalImputer(max_missing=0.5),
}


def noise_cohort(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and balanced labels that know nothing of each other."""
    rng = np.random.default_rng([20, repeat])
    X = rng.normal(size=(PATIENTS, FEATURES))
    return X, rng.permutation(PATIENTS) % 2


def with_gaps(X: np.ndarray, repeat: int) -> np.ndarray:
    gappy = X.copy()
    gappy[np.random.default_rng([21, repeat]).random(X.shape) < 0.05] = np.nan
    return gappy


def out_of_sample_auc(model: BaseEstimator, X: np.ndarray, y: np.ndarray, *, seed: int) -> float:
    """Mean over the folds: within a fold all scores come from one model."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    aucs = []
    for train, test in folds.split(X, y):
        fitted = clone(model).fit(X[train], y[train])
        scores = (
            fitted.predict_proba(X[test])[:, 1]
            if hasattr(fitted, "predict_proba")
            else fitted.decision_function(X[test])
        )
        aucs.append(roc_auc_score(y[test], scores))
    return float(np.mean(aucs))


def interval(aucs: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(aucs) - 1, loc=np.mean(aucs), scale=stats.sem(aucs, ddof=1)
    )
    return float(low), float(high)


def repeats() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for repeat in range(REPEATS):
        yield repeat, *noise_cohort(repeat)


def test_every_transformer_has_its_canary():
    """Here or in another file of this folder."""
    files = sorted(Path(__file__).parent.glob("test_*canary.py"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    bases = {"FeatureSelector"}
    names = set(radiogenomics.features.__all__) - bases
    assert sorted(name for name in names if f"{name}(" not in text) == []


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformer_inside_the_fold_finds_nothing_in_noise(name):
    steps = [TRANSFORMERS[name], StandardScaler(), LinearSVM(C=0.1)]
    aucs = []
    for repeat, X, y in repeats():
        values = with_gaps(X, repeat) if name.endswith("Imputer") else X
        aucs.append(out_of_sample_auc(make_pipeline(*steps), values, y, seed=repeat))
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.15


@pytest.mark.parametrize("name", learner_names())
def test_tuned_learner_finds_nothing_in_noise(name):
    steps = [
        ("drop_constant", DropConstant()),
        ("rank_selector", RankSelector(k=4)),
        ("standardise", StandardScaler()),
    ]
    model = surrogate(steps, name, n_splits=3).set_params(**TREES.get(name, {}))
    low, high = interval([out_of_sample_auc(model, X, y, seed=r) for r, X, y in repeats()])
    assert low < 0.5 < high
    assert high - low < 0.15


def test_canary_sings_when_selection_saw_the_test_part():
    model = make_pipeline(StandardScaler(), LinearSVM(C=0.1))
    aucs = []
    for repeat, X, y in repeats():
        chosen = RankSelector(k=10).fit_transform(X, y)
        aucs.append(out_of_sample_auc(model, chosen, y, seed=repeat))
    low, _ = interval(aucs)
    assert np.mean(aucs) > 0.8
    assert low > 0.75
