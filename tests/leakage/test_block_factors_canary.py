"""Factors learnt inside the fold on pure noise: an AUC of one half.

60 patients, blocks of 300, 40 and 10 variables, each missing for some; the factors stand before a
logistic regression in a plain outer cross-validation. The mean AUC over independent repeats must
have one half inside its 99 % interval. Blocks that know nothing of each other foretell nothing.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.models.factors.block_factors import BlockFactors

PATIENTS, REPEATS, FOLDS = 60, 20, 3
BLOCKS = {"ct": range(300), "rna": range(300, 340), "clinical": range(340, 350)}
CHOICES = {
    "relevance": BlockFactors(BLOCKS, max_factors=5),
    "five": BlockFactors(BLOCKS, 5),
    "five, most variable": BlockFactors(BLOCKS, 5, most_variable=20),
    "two, no shrinkage": BlockFactors(BLOCKS, 2, shrinkage="none", max_iter=50),
}


def noise_cohort(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Everybody has the clinical block; three in ten lack one of the other two."""
    rng = np.random.default_rng([64, repeat])
    X = rng.normal(size=(PATIENTS, 350))
    lack = rng.random(PATIENTS)
    X[lack < 0.15, :300] = np.nan
    X[lack > 0.85, 300:340] = np.nan
    return X, rng.permutation(PATIENTS) % 2


def interval(scores: list[float]) -> tuple[float, float]:
    low, high = stats.t.interval(
        0.99, len(scores) - 1, loc=np.mean(scores), scale=stats.sem(scores)
    )
    return float(low), float(high)


@pytest.mark.parametrize("name", CHOICES)
def test_factors_find_nothing_in_noise(name):
    aucs = []
    for repeat in range(REPEATS):
        X, y = noise_cohort(repeat)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        model = make_pipeline(CHOICES[name], LogisticRegression())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            aucs.append(
                np.mean(
                    [
                        roc_auc_score(
                            y[test], model.fit(X[train], y[train]).decision_function(X[test])
                        )
                        for train, test in folds.split(X, y)
                    ]
                )
            )
    low, high = interval(aucs)
    assert low < 0.5 < high
    assert high - low < 0.15


def test_noise_blocks_foretell_nothing_of_each_other():
    gains = []
    for repeat in range(REPEATS):
        X, _ = noise_cohort(repeat)
        train, test = X[:40], X[40:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            predicted = BlockFactors(BLOCKS, max_factors=5).fit(train).predict_block(test, "rna")
        truth = test[:, 300:340]
        missed = np.nansum((truth - predicted.mean.to_numpy()) ** 2)
        gains.append(1 - missed / np.nansum((truth - np.nanmean(train[:, 300:340], axis=0)) ** 2))
    assert np.mean(gains) < 0.01
    assert min(gains) > -0.05
