"""The surrogate of a score, and a budget, on pure noise: a score off chance is a leak.

80 patients, 1000 features, 20 repeats; a plain outer cross-validation of scikit-learn's. The mean
rank correlation within folds must have 0 inside its 99 % interval, the mean AUC one half, and no
mean R2 may be above 0.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.models.feature_budget import FeatureBudget
from radiogenomics.models.score_surrogate import ScoreSurrogate, score_learner_names
from radiogenomics.models.surrogate import surrogate

PATIENTS, FEATURES, REPEATS, FOLDS = 80, 1000, 20, 5


def noise(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, and a score that knows nothing of them."""
    rng = np.random.default_rng([27, repeat])
    return rng.normal(size=(PATIENTS, FEATURES)), rng.gamma(2.0, size=PATIENTS)


def interval(values: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    return float(low), float(high)


def judged(model, *, selected_before: bool) -> tuple[list[float], list[float]]:
    """Rank correlation within folds, and R2, of each repeat."""
    ranks, explained = [], []
    for repeat in range(REPEATS):
        X, y = noise(repeat)
        if selected_before:
            X = FeatureBudget(8, target="score").fit_transform(X, y)
        inside, found = [], np.empty(PATIENTS)
        for train, test in KFold(FOLDS, shuffle=True, random_state=repeat).split(X):
            found[test] = model.fit(X[train], y[train]).predict(X[test])
            inside.append(stats.spearmanr(found[test], y[test]).statistic)
        ranks.append(float(np.mean(inside)))
        explained.append(r2_score(y, found))
    return ranks, explained


@pytest.mark.parametrize("name", score_learner_names())
def test_score_surrogate_finds_nothing_in_noise(name):
    ranks, explained = judged(ScoreSurrogate(name), selected_before=False)
    low, high = interval(ranks)
    assert low < 0 < high
    assert high - low < 0.25
    assert interval(explained)[1] < 0.01


def test_canary_sings_when_selection_saw_the_test_part():
    ranks, explained = judged(ScoreSurrogate(), selected_before=True)
    assert interval(ranks)[0] > 0.3
    assert interval(explained)[0] > 0.1


def test_label_surrogate_within_a_budget_finds_nothing_in_noise():
    steps = [("standardise", StandardScaler())]
    model = surrogate(steps, "lr", max_features="one_in_ten", n_splits=3)
    aucs = []
    for repeat in range(REPEATS):
        X, y = noise(repeat)
        label, inside = y > np.median(y), []
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        for train, test in folds.split(X, label):
            scores = model.fit(X[train], label[train]).predict_proba(X[test])[:, 1]
            inside.append(roc_auc_score(label[test], scores))
        aucs.append(float(np.mean(inside)))
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.15


def test_budget_before_a_plain_learner_finds_nothing_in_noise():
    model = make_pipeline(FeatureBudget(8, target="score"), ScoreSurrogate(max_features=8))
    low, high = interval(judged(model, selected_before=False)[0])
    assert low < 0 < high
