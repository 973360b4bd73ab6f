"""Every filter of feature tables on pure noise: a score off chance is a leak.

80 patients, 1000 features, 30 repeats; the filter stands inside a plain outer cross-validation. The
mean score over independent repeats must have one half inside its 99 % interval.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

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
from radiogenomics.features.icc_filter import ICCFilter
from radiogenomics.features.longitudinal_change import LongitudinalChange
from radiogenomics.features.mrmr import MRMR
from radiogenomics.features.redundancy import CorrelationClusters
from radiogenomics.features.univariate import UnivariateFilter
from radiogenomics.features.univariate_cox import UnivariateCox
from radiogenomics.features.variance_filter import VarianceFilter
from radiogenomics.models.linear_svm import LinearSVM
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.cox import fit_cox

PATIENTS, FEATURES, REPEATS, FOLDS = 80, 1000, 30, 5
NAMES = [f"{point}|f{i}" for point in ("baseline", "follow_up") for i in range(FEATURES // 2)]


def retest() -> list[pd.DataFrame]:
    """Ten other patients read twice, features from hopeless to perfect."""
    rng = np.random.default_rng(23)
    truth = rng.normal(size=(10, FEATURES))
    noise = np.linspace(0, 2, FEATURES)
    return [
        pd.DataFrame(truth + noise * rng.normal(size=truth.shape), columns=NAMES) for _ in range(2)
    ]


FILTERS = {
    "ICCFilter": ICCFilter(retest()),
    "VarianceFilter": VarianceFilter("iqr", 0.0, k=50),
    "CorrelationClusters": CorrelationClusters(0.3),
    "CorrelationClusters-label": CorrelationClusters(0.3, representative="label"),
    "UnivariateFilter-t": UnivariateFilter(),
    "UnivariateFilter-mann_whitney": UnivariateFilter("mann_whitney", alpha=1, k=10),
    "UnivariateFilter-fallback": UnivariateFilter(alpha=1e-6, fallback=5),
    "MRMR-FCQ": MRMR(10),
    "MRMR-MID": MRMR(10, "MID"),
    "LongitudinalChange": LongitudinalChange("symmetric"),
}


def interval(scores: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(scores) - 1, loc=np.mean(scores), scale=stats.sem(scores)
    )
    return float(low), float(high)


def out_of_sample(
    fit_and_score: Callable[[np.ndarray, np.ndarray], float], strata: np.ndarray, *, seed: int
) -> float:
    """Mean over the folds: within a fold all scores come from one model."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        return float(np.mean([fit_and_score(*fold) for fold in folds.split(strata, strata)]))


def auc(model: BaseEstimator, X: pd.DataFrame, y: np.ndarray, *, seed: int) -> float:
    def fit_and_score(train: np.ndarray, test: np.ndarray) -> float:
        fitted = clone(model).fit(X.iloc[train], y[train])
        return float(roc_auc_score(y[test], fitted.decision_function(X.iloc[test])))

    return out_of_sample(fit_and_score, y, seed=seed)


def c_index(steps: BaseEstimator, X: pd.DataFrame, y: np.ndarray, *, seed: int) -> float:
    """Of the sum of the kept, standardised variables, each in its univariate direction."""

    def fit_and_score(train: np.ndarray, test: np.ndarray) -> float:
        fitted = clone(steps)
        kept = fitted.fit_transform(X.iloc[train], y[train])
        sign = [
            np.sign(fit_cox(column, y["time"][train], y["event"][train]).coef[0])
            for column in kept.T
        ]
        risk = fitted.transform(X.iloc[test]) @ np.array(sign)
        return float(concordance(risk, y["time"][test], y["event"][test]).value)

    return out_of_sample(fit_and_score, y["event"], seed=seed)


def noise(repeat: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, balanced labels and survival that know nothing of each other."""
    rng = np.random.default_rng([22, repeat])
    X = pd.DataFrame(rng.normal(size=(PATIENTS, FEATURES)), columns=NAMES)
    survival = np.empty(PATIENTS, dtype=[("event", bool), ("time", float)])
    survival["event"], survival["time"] = rng.random(PATIENTS) < 0.6, rng.exponential(24, PATIENTS)
    return X, rng.permutation(PATIENTS) % 2, survival


@pytest.mark.parametrize("name", FILTERS)
def test_filter_inside_the_fold_finds_nothing_in_noise(name):
    model = make_pipeline(FILTERS[name], StandardScaler(), LinearSVM(C=0.1))
    aucs = []
    for repeat in range(REPEATS):
        X, y, _ = noise(repeat)
        aucs.append(auc(model, X, y, seed=repeat))
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.15


@pytest.mark.parametrize("test", ["wald", "score"])
def test_survival_filter_inside_the_fold_finds_nothing_in_noise(test):
    steps = make_pipeline(UnivariateCox(test=test, k=10), StandardScaler())
    found = []
    for repeat in range(REPEATS):
        X, _, y = noise(repeat)
        found.append(c_index(steps, X, y, seed=repeat))
    low, high = interval(found)
    assert low < 0.5 < high
    assert high - low < 0.15


def test_canary_sings_when_the_filter_saw_the_test_part():
    aucs, concordances = [], []
    for repeat in range(REPEATS):
        X, y, survival = noise(repeat)
        for chooser in (UnivariateFilter(k=10), MRMR(10)):
            kept = X.loc[:, chooser.fit(X, y).support_]
            aucs.append(
                auc(make_pipeline(StandardScaler(), LinearSVM(C=0.1)), kept, y, seed=repeat)
            )
        kept = X.loc[:, UnivariateCox(k=10).fit(X, survival).support_]
        concordances.append(c_index(StandardScaler(), kept, survival, seed=repeat))
    assert interval(aucs)[0] > 0.75
    assert interval(concordances)[0] > 0.7
