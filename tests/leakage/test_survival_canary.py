"""Every survival word on pure noise: a concordance off one half is a leak.

80 patients, 1000 features, survival times drawn apart from them. Each word, behind a filter of ten
features and tuned in inner folds, goes through a plain outer cross-validation; the mean concordance
over independent repeats must have one half inside its 99 % interval. Filtering before the split, on
the same data, shows what the canary would say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.models.survival import (
    CoxModel,
    TunedSurvival,
    survival_learner,
    survival_learner_names,
)
from radiogenomics.models.survival.model import survival_array
from radiogenomics.stats.survival.concordance import concordance_batch

PATIENTS, FEATURES, REPEATS, FOLDS, KEPT = 80, 1000, 20, 5, 10
# Ensembles are slow, and a leak does not need many trees to show.
TREES = {"rsf": 10, "boosted_cox": 15}


class TopConcordance(TransformerMixin, BaseEstimator):
    """Keeps the features whose concordance with survival is furthest from one half."""

    def fit(self, X: Any, y: Any) -> TopConcordance:
        found = concordance_batch(X.T, y["time"], y["event"])
        self.kept_ = np.argsort(-np.abs(found - 0.5), kind="stable")[:KEPT]
        return self

    def transform(self, X: Any) -> Any:
        return X[:, self.kept_]


def repeats() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Features and survival, about 60 % events, that know nothing of each other."""
    for repeat in range(REPEATS):
        rng = np.random.default_rng([22, repeat])
        X = rng.normal(size=(PATIENTS, FEATURES))
        time, follow_up = rng.exponential(20, PATIENTS), rng.uniform(5, 50, PATIENTS)
        yield repeat, X, survival_array(np.minimum(time, follow_up), time <= follow_up)


def out_of_sample_concordance(
    model: BaseEstimator, X: np.ndarray, y: np.ndarray, *, seed: int
) -> float:
    """Mean over the folds: within a fold all risks come from one model."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    parts = folds.split(X, y["event"])
    return float(
        np.mean(
            [clone(model).fit(X[train], y[train]).score(X[test], y[test]) for train, test in parts]
        )
    )


def interval(values: list[float]) -> tuple[float, float]:
    """99 % t-interval of the mean over independent repeats."""
    low, high = stats.t.interval(
        0.99, len(values) - 1, loc=np.mean(values), scale=stats.sem(values, ddof=1)
    )
    return float(low), float(high)


@pytest.mark.parametrize("name", survival_learner_names())
def test_tuned_survival_model_finds_nothing_in_noise(name: str) -> None:
    chosen = survival_learner(name)
    if name in TREES:
        chosen.estimator.set_params(n_estimators=TREES[name])
    steps = [("top", TopConcordance()), ("standardise", StandardScaler())]
    model = TunedSurvival(Pipeline([*steps, (name, chosen.estimator)]), chosen.grid, n_splits=3)
    low, high = interval([out_of_sample_concordance(model, X, y, seed=r) for r, X, y in repeats()])
    assert low < 0.5 < high
    assert high - low < 0.15


def test_canary_sings_when_the_filter_saw_the_test_part() -> None:
    model = make_pipeline(StandardScaler(), CoxModel(penalty=10.0))
    found = []
    for repeat, X, y in repeats():
        chosen = TopConcordance().fit(X, y).transform(X)
        found.append(out_of_sample_concordance(model, chosen, y, seed=repeat))
    assert interval(found)[0] > 0.7
