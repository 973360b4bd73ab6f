"""Early, late and stacked fusion on pure noise, blocks missing at random: an AUC of one half.

60 patients, three blocks of 200, 20 and 2 features, each block missing for some patients. The mean
AUC over independent repeats of a plain outer cross-validation must have one half inside its 99 %
interval.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.models.early_fusion import EarlyFusion
from radiogenomics.models.late_fusion import LateFusion
from radiogenomics.models.stacked_fusion import StackedFusion

PATIENTS, REPEATS, FOLDS = 60, 20, 3
BLOCKS = {"ct": range(200), "rna": range(200, 220), "clinical": range(220, 222)}
FUSIONS = {
    "early": EarlyFusion(BLOCKS, estimator=LogisticRegression(), n_splits=3),
    "late": LateFusion(BLOCKS, models="svm", n_splits=3),
    "late by AUC": LateFusion(BLOCKS, models="svm", weights="auc", n_splits=3),
    "stacked": StackedFusion(BLOCKS, models=GaussianNB(), n_splits=3),
    "stacked, any sign": StackedFusion(BLOCKS, models=GaussianNB(), non_negative=False, n_splits=3),
}


def noise_cohort(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Everybody has the clinical block; three in ten lack one of the other two."""
    rng = np.random.default_rng([50, repeat])
    X = rng.normal(size=(PATIENTS, 222))
    lack = rng.random(PATIENTS)
    X[lack < 0.15, :200] = np.nan
    X[lack > 0.85, 200:220] = np.nan
    return X, rng.permutation(PATIENTS) % 2


@pytest.mark.parametrize("name", FUSIONS)
def test_fusion_finds_nothing_in_noise(name):
    aucs = []
    for repeat in range(REPEATS):
        X, y = noise_cohort(repeat)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            aucs.append(
                np.mean(
                    [
                        roc_auc_score(
                            y[test],
                            clone(FUSIONS[name]).fit(X[train], y[train]).decision_function(X[test]),
                        )
                        for train, test in folds.split(X, y)
                    ]
                )
            )
    low, high = stats.t.interval(0.99, REPEATS - 1, loc=np.mean(aucs), scale=stats.sem(aucs))
    assert low < 0.5 < high
    assert high - low < 0.15
