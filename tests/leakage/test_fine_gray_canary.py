"""The Fine-Gray model on pure noise: out of sample it orders patients no better than chance."""

from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.models.survival.fine_gray import FineGrayModel
from radiogenomics.stats.survival.concordance import concordance

PATIENTS, FEATURES, REPEATS = 80, 300, 20


def noise(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and outcomes with two causes that know nothing of each other."""
    rng = np.random.default_rng([22, repeat])
    y = np.empty(PATIENTS, dtype=[("cause", int), ("time", float)])
    y["time"], y["cause"] = rng.exponential(20, size=PATIENTS), rng.integers(0, 3, size=PATIENTS)
    return rng.normal(size=(PATIENTS, FEATURES)), y


def order_of_the_cause(risk: np.ndarray, y: np.ndarray) -> float:
    """Concordance in which those who failed otherwise outlive all who fail of the cause."""
    stayed = np.where(y["cause"] == 2, y["time"].max() + 1, y["time"])
    return concordance(risk, stayed, y["cause"] == 1).value


def test_nothing_is_found_in_noise():
    steps = make_pipeline(StandardScaler(), PCA(4, random_state=0), FineGrayModel())
    found = []
    for repeat in range(REPEATS):
        X, y = noise(repeat)
        folds = KFold(5, shuffle=True, random_state=repeat).split(X)
        found.append(
            np.mean(
                [
                    order_of_the_cause(clone(steps).fit(X[a], y[a]).predict(X[b]), y[b])
                    for a, b in folds
                ]
            )
        )
    low, high = stats.t.interval(0.99, REPEATS - 1, loc=np.mean(found), scale=stats.sem(found))
    assert low < 0.5 < high
    assert high - low < 0.15


def test_the_same_patients_for_training_and_test_would_show():
    steps = make_pipeline(StandardScaler(), PCA(4, random_state=0), FineGrayModel())
    found = [
        order_of_the_cause(clone(steps).fit(X, y).predict(X), y) for X, y in map(noise, range(5))
    ]
    assert np.mean(found) > 0.56
